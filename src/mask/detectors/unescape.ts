// Sees through the escapes of JSON strings (RFC 8259, section 7), and remembers where each byte comes from.

const BACKSLASH = 0x5c;
const LETTER_U = 0x75;
const KEPT_BYTES = 1024 * 1024;

/** Bytes without their escapes. Reused: valid until it is filled again. */
export interface Plain {
  bytes: Buffer;
  length: number;
  /** For each byte, and for the end, where in the source the character or escape begins that it is of. */
  origin: Int32Array;
}

export function newPlain(): Plain {
  return { bytes: Buffer.alloc(0), length: 0, origin: new Int32Array(1) };
}

/** Empties it and makes room for what `size` bytes come to: no escape is shorter than what it stands for. */
export function clear(plain: Plain, size: number): void {
  plain.length = 0;
  if (plain.bytes.length >= size && plain.bytes.length <= Math.max(KEPT_BYTES, size)) return;
  plain.bytes = Buffer.allocUnsafeSlow(Math.max(1024, size));
  plain.origin = new Int32Array(plain.bytes.length + 1);
}

/** Appends the byte or escape at `at`, before `end`; answers where the next one stands. What is no escape stands for itself. */
export function append(plain: Plain, source: Uint8Array, at: number, end: number): number {
  const byte = source[at] ?? 0;
  if (byte !== BACKSLASH || at + 1 >= end) return put(plain, byte, at, at + 1);
  const letter = source[at + 1] ?? 0;
  if (letter === LETTER_U) return unicode(plain, source, at, end);
  const short = SHORT[letter] ?? 0;
  return short === 0 ? put(plain, byte, at, at + 1) : put(plain, short, at, at + 2);
}

/** The source's span of the plain bytes [start, end): whole characters and escapes. */
export function sourceSpan(plain: Plain, start: number, end: number): readonly [start: number, end: number] {
  const { origin, length } = plain;
  let to = end;
  while (to < length && origin[to] === origin[to - 1]) to++;
  return [origin[start] ?? 0, origin[to] ?? 0];
}

/** The source's span [start, end) widened to whole characters and escapes. */
export function snapped(plain: Plain, start: number, end: number): readonly [start: number, end: number] {
  return [plain.origin[firstAtOrAfter(plain, start + 1) - 1] ?? start, plain.origin[firstAtOrAfter(plain, end)] ?? end];
}

/** Called when the last byte is appended. */
export function close(plain: Plain, end: number): void {
  plain.origin[plain.length] = end;
}

const SHORT = new Uint8Array(256);
for (const pair of ['""', '\\\\', '//', 'b\b', 'f\f', 'n\n', 'r\r', 't\t'])
  SHORT[pair.charCodeAt(0)] = pair.charCodeAt(1);

/** First bytes in UTF-8, by the number of those that follow. */
const LEADS = [0, 0xc0, 0xe0, 0xf0];

function put(plain: Plain, byte: number, origin: number, next: number): number {
  plain.bytes[plain.length] = byte;
  plain.origin[plain.length++] = origin;
  return next;
}

/** `\uXXXX`, or two of them that are a surrogate pair, as UTF-8. */
function unicode(plain: Plain, source: Uint8Array, at: number, end: number): number {
  let code = hex4(source, at + 2, end);
  if (code < 0) return put(plain, BACKSLASH, at, at + 1);
  let next = at + 6;
  if (code >= 0xd800 && code < 0xdc00 && source[next] === BACKSLASH && source[next + 1] === LETTER_U) {
    const low = hex4(source, next + 2, end);
    if (low >= 0xdc00 && low < 0xe000) {
      code = 0x10000 + ((code - 0xd800) << 10) + low - 0xdc00;
      next += 6;
    }
  }
  if (code < 0x80) return put(plain, code, at, next);
  const more = code < 0x800 ? 1 : code < 0x10000 ? 2 : 3;
  put(plain, (LEADS[more] ?? 0) | (code >> (6 * more)), at, next);
  for (let i = more - 1; i >= 0; i--) put(plain, 0x80 | ((code >> (6 * i)) & 0x3f), at, next);
  return next;
}

function hex4(source: Uint8Array, at: number, end: number): number {
  if (at + 4 > end) return -1;
  let value = 0;
  for (let i = at; i < at + 4; i++) {
    const byte = source[i] ?? 0;
    const digit =
      byte >= 0x30 && byte <= 0x39
        ? byte - 0x30
        : (byte | 0x20) >= 0x61 && (byte | 0x20) <= 0x66
          ? (byte | 0x20) - 0x57
          : -1;
    if (digit < 0) return -1;
    value = value * 16 + digit;
  }
  return value;
}

/** The first plain position whose origin is at or after `at`. */
function firstAtOrAfter(plain: Plain, at: number): number {
  let low = 0;
  let high = plain.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((plain.origin[middle] ?? 0) < at) low = middle + 1;
    else high = middle;
  }
  return low;
}
