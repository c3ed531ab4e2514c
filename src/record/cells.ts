// Values of PostgreSQL as people read them: a cell or a bound parameter, in text or in binary format, to a string.
//
// The binary forms are those of the types' send functions (src/backend/utils/adt); integers are big-endian. What is not
// known here is shown as the bytes it is: `\x` and hexadecimal digits.

/** Days from 1970-01-01 to 2000-01-01, PostgreSQL's epoch. */
const EPOCH_DAYS = 10_957;
const DAY_MICROS = 86_400_000_000n;
const INT64_MAX = 0x7fffffffffffffffn;
const INT64_MIN = -0x8000000000000000n;

/** OIDs of pg_type whose binary form is the text itself. */
const TEXTS = new Set([18, 19, 25, 114, 142, 705, 1042, 1043]);

const utf8 = new TextDecoder('utf-8', { fatal: true });

export function decodeCell(bytes: Uint8Array | null, typeOid: number, format: number): string | null {
  if (bytes === null) return null;
  const cell = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  if (format === 0 || TEXTS.has(typeOid)) return cell.toString('utf8');
  return decodeBinary(cell, typeOid) ?? hex(cell);
}

export function hex(bytes: Buffer): string {
  return `\\x${bytes.toString('hex')}`;
}

/** Text where the bytes are text, else the bytes. */
export function guess(bytes: Buffer): string {
  try {
    const text = utf8.decode(bytes);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: that is the question
    return /[\x00-\x08\x0e-\x1f]/.test(text) ? hex(bytes) : text;
  } catch {
    return hex(bytes);
  }
}

/** Undefined where the type is not known or the length is not the type's. */
function decodeBinary(cell: Buffer, typeOid: number): string | undefined {
  const size = cell.length;
  switch (typeOid) {
    case 16: // bool
      return size === 1 ? (cell[0] === 0 ? 'f' : 't') : undefined;
    case 20: // int8
      return size === 8 ? String(cell.readBigInt64BE()) : undefined;
    case 21: // int2
      return size === 2 ? String(cell.readInt16BE()) : undefined;
    case 23: // int4
      return size === 4 ? String(cell.readInt32BE()) : undefined;
    case 26: // oid
      return size === 4 ? String(cell.readUInt32BE()) : undefined;
    case 700: // float4
      return size === 4 ? float4(cell.readFloatBE()) : undefined;
    case 701: // float8
      return size === 8 ? String(cell.readDoubleBE()) : undefined;
    case 1082: // date
      return size === 4 ? date(cell.readInt32BE()) : undefined;
    case 1114: // timestamp
      return size === 8 ? timestamp(cell.readBigInt64BE(), '') : undefined;
    case 1184: // timestamptz, which is UTC on the wire
      return size === 8 ? timestamp(cell.readBigInt64BE(), '+00') : undefined;
    case 1700: // numeric
      return numeric(cell);
    case 2950: // uuid
      return size === 16 ? cell.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-') : undefined;
    case 3802: // jsonb: a version, 1, before the text
      return size > 0 && cell[0] === 1 ? cell.toString('utf8', 1) : undefined;
    default:
      return undefined;
  }
}

// The shortest digits that still are the same float4; written out as a float8 it would show digits that are not in it.
function float4(value: number): string {
  if (!Number.isFinite(value)) return String(value);
  for (let digits = 1; digits < 9; digits += 1) {
    const shorter = Number(value.toPrecision(digits));
    if (Math.fround(shorter) === value) return String(shorter);
  }
  return String(Number(value.toPrecision(9)));
}

function date(days: number): string {
  if (days === 0x7fffffff) return 'infinity';
  if (days === -0x80000000) return '-infinity';
  const [text, era] = calendar(days);
  return text + era;
}

function timestamp(micros: bigint, zone: string): string {
  if (micros === INT64_MAX) return 'infinity';
  if (micros === INT64_MIN) return '-infinity';
  const ofDay = ((micros % DAY_MICROS) + DAY_MICROS) % DAY_MICROS;
  const [text, era] = calendar(Number((micros - ofDay) / DAY_MICROS));
  const seconds = Number(ofDay / 1_000_000n);
  const fraction = String(ofDay % 1_000_000n)
    .padStart(6, '0')
    .replace(/0+$/, '');
  const clock = [seconds / 3600, (seconds / 60) % 60, seconds % 60].map((part) => two(Math.floor(part))).join(':');
  return `${text} ${clock}${fraction === '' ? '' : `.${fraction}`}${zone}${era}`;
}

// Days since 2000-01-01 to the proleptic Gregorian calendar, in eras of 400 years that begin on 1 March: a Date ends before
// PostgreSQL's years do.
function calendar(days: number): [text: string, era: string] {
  const shifted = days + EPOCH_DAYS + 719_468;
  const era = Math.floor(shifted / 146_097);
  const ofEra = shifted - era * 146_097;
  const yearOfEra = Math.floor(
    (ofEra - Math.floor(ofEra / 1460) + Math.floor(ofEra / 36_524) - Math.floor(ofEra / 146_096)) / 365,
  );
  const ofYear = ofEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100));
  const fromMarch = Math.floor((5 * ofYear + 2) / 153);
  const day = ofYear - Math.floor((153 * fromMarch + 2) / 5) + 1;
  const month = fromMarch < 10 ? fromMarch + 3 : fromMarch - 9;
  const year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0);
  const shown = String(year > 0 ? year : 1 - year).padStart(4, '0');
  return [`${shown}-${two(month)}-${two(day)}`, year > 0 ? '' : ' BC'];
}

function two(value: number): string {
  return String(value).padStart(2, '0');
}

/** numeric_send: int16 count of base-10000 digits, weight of the first, sign, digits after the point; then the digits. */
function numeric(cell: Buffer): string | undefined {
  if (cell.length < 8) return undefined;
  const count = cell.readUInt16BE(0);
  const weight = cell.readInt16BE(2);
  const sign = cell.readUInt16BE(4);
  const scale = cell.readUInt16BE(6);
  if (sign === 0xc000) return 'NaN';
  if (sign === 0xd000) return 'Infinity';
  if (sign === 0xf000) return '-Infinity';
  if (cell.length !== 8 + count * 2) return undefined;
  const group = (index: number): string =>
    index >= 0 && index < count ? String(cell.readUInt16BE(8 + index * 2)).padStart(4, '0') : '0000';
  let whole = '';
  for (let index = 0; index <= weight; index += 1) whole += group(index);
  let fraction = '';
  for (let index = weight + 1; fraction.length < scale; index += 1) fraction += group(index);
  const digits = (whole.replace(/^0+/, '') || '0') + (scale > 0 ? `.${fraction.slice(0, scale)}` : '');
  return sign === 0x4000 ? `-${digits}` : digits;
}
