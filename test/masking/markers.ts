// Values that can be told wherever they turn up, and the search for them: as they are, any four characters of them, reversed,
// in other cases, in hexadecimal, in base64, and in the binary forms of numbers, dates and UUIDs.

/** Characters of a marker that must not be seen in a row; of digits and dots alone more, since four of them turn up by chance. */
const GRAM = 4;
const DIGITS = 6;

export interface Searcher {
  /** What of a marker is in these bytes, in words, or null. */
  find(bytes: Buffer): string | null;
}

interface Needle {
  readonly bytes: Buffer;
  readonly what: string;
  /** Letters of either case are the same. */
  readonly caseless: boolean;
}

/**
 * @param texts markers as the database writes them as text: words, numbers, dates, UUIDs, addresses
 * @param binaries their binary forms, looked for whole
 */
export function searcher(texts: readonly string[], binaries: readonly (readonly [Buffer, what: string])[]): Searcher {
  const byStart = new Map<number, Needle[]>();
  const add = (needle: Needle): void => {
    const key = needle.bytes.readUInt32BE(0);
    const known = byStart.get(key) ?? [];
    if (known.some((other) => other.caseless === needle.caseless && other.bytes.equals(needle.bytes))) return;
    byStart.set(key, [...known, needle]);
  };
  for (const text of texts) {
    for (const needle of needlesOf(text)) add(needle);
  }
  for (const [bytes, what] of binaries) add({ bytes, what, caseless: false });
  return {
    find(bytes) {
      return lookIn(bytes, byStart, false) ?? lookIn(lowered(bytes), byStart, true);
    },
  };
}

function lookIn(bytes: Buffer, byStart: ReadonlyMap<number, readonly Needle[]>, caseless: boolean): string | null {
  let key = 0;
  for (let at = 0; at < bytes.length; at++) {
    key = ((key << 8) | (bytes[at] ?? 0)) >>> 0;
    if (at < 3) continue;
    for (const needle of byStart.get(key) ?? []) {
      const from = at - 3;
      if (needle.caseless !== caseless) continue;
      if (bytes.subarray(from, from + needle.bytes.length).equals(needle.bytes)) return needle.what;
    }
  }
  return null;
}

function lowered(bytes: Buffer): Buffer {
  const copy = Buffer.from(bytes);
  for (let at = 0; at < copy.length; at++) {
    const byte = copy[at] ?? 0;
    if (byte >= 0x41 && byte <= 0x5a) copy[at] = byte | 0x20;
  }
  return copy;
}

function* needlesOf(text: string): Iterable<Needle> {
  const reversed = [...text].reverse().join('');
  for (const [way, written] of [
    ['as it is', text],
    ['reversed', reversed],
  ] as const) {
    for (const gram of grams(written.toLowerCase())) {
      yield { bytes: Buffer.from(gram), what: `${gram} of ${text}, ${way}`, caseless: true };
    }
    for (const cased of new Set([written, written.toLowerCase(), written.toUpperCase()])) {
      for (const gram of grams(cased)) {
        yield {
          bytes: Buffer.from(Buffer.from(gram).toString('hex')),
          what: `${gram} of ${text} in hex`,
          caseless: true,
        };
      }
      // Six characters of base64 lie within six of the text; where they begin in it, the bytes before decide.
      for (let shift = 0; shift < 3; shift++) {
        const encoded = Buffer.concat([Buffer.alloc(shift), Buffer.from(cased)]).toString('base64');
        const inner = encoded.slice(shift === 0 ? 0 : shift + 1, Math.floor(((shift + cased.length) * 8) / 6));
        for (const gram of windows(inner, 6)) {
          yield { bytes: Buffer.from(gram), what: `${gram} of ${text} in base64`, caseless: false };
        }
      }
    }
  }
}

function grams(text: string): string[] {
  const telling = windows(text, GRAM).filter((gram) => /[^0-9.]/.test(gram));
  return [...telling, ...windows(text, DIGITS)];
}

function windows(text: string, size: number): string[] {
  if (text.length <= size) return [text];
  return Array.from({ length: text.length - size + 1 }, (_, i) => text.slice(i, i + size));
}

/** Binary forms of a whole number: int4, int8, float8 and the digits of numeric (four decimal ones in 16 bits). */
export function binaryNumbers(value: number): [Buffer, string][] {
  const int4 = Buffer.alloc(4);
  int4.writeInt32BE(value);
  const float8 = Buffer.alloc(8);
  float8.writeDoubleBE(value);
  const digits = String(value);
  const padded = digits.padStart(Math.ceil(digits.length / 4) * 4, '0');
  const groups = padded.match(/\d{4}/g) ?? [];
  const numeric = Buffer.alloc(groups.length * 2);
  for (const [i, group] of groups.entries()) numeric.writeInt16BE(Number(group), i * 2);
  return [
    [int4, `${value} as int`],
    [float8, `${value} as float8`],
    [numeric, `${value} as numeric`],
  ];
}

const DAY_MS = 86_400_000;

/** Binary forms of a date (`2001-02-03`): days from 2000-01-01. */
export function binaryDates(text: string): [Buffer, string][] {
  const days = Buffer.alloc(4);
  days.writeInt32BE(Math.round((Date.parse(`${text}T00:00:00Z`) - Date.UTC(2000, 0, 1)) / DAY_MS));
  return [[days, `${text} as date`]];
}

/** The binary form of a UUID, any four bytes of it. */
export function binaryUuid(text: string): [Buffer, string][] {
  const bytes = Buffer.from(text.replaceAll('-', ''), 'hex');
  return Array.from({ length: bytes.length - 3 }, (_, i) => [bytes.subarray(i, i + 4), `${text} as uuid`]);
}
