// One spelling for each value of a type, whichever format it came in: what `hash` makes its tokens from.
// Binary layouts as in redacted.ts. Where a text is in a style that is not read here (DateStyle other than ISO, years beyond 9999),
// it stands for itself: the same text has the same token still.

import { OID } from './pg-types.ts';

const DAY_US = 86_400_000_000n;
const EPOCH_2000_MS = Date.UTC(2000, 0, 1);
const NUMERIC_NEGATIVE = 0x4000;
const NUMERIC_SPECIAL: ReadonlyMap<number, string> = new Map([
  [0xc000, 'NaN'],
  [0xd000, 'Infinity'],
  [0xf000, '-Infinity'],
]);
const TIMESTAMP =
  /^(\d{4})-(\d\d)-(\d\d)(?: (\d\d):(\d\d):(\d\d)(?:\.(\d{1,6}))?(?:([+-]\d\d)(?::(\d\d))?(?::(\d\d))?)?)?$/;

/** The value's canonical text. Types that are not named here have the same bytes in both formats. */
export function canonical(buffer: Buffer, start: number, end: number, typeOid: number, format: number): string {
  const text = format === 0 ? buffer.toString('latin1', start, end) : '';
  const cell = format === 0 ? buffer : buffer.subarray(start, end);
  switch (typeOid) {
    case OID.int2:
      return format === 0 ? text : String(cell.readInt16BE());
    case OID.int4:
      return format === 0 ? text : String(cell.readInt32BE());
    case OID.int8:
      return format === 0 ? text : String(cell.readBigInt64BE());
    case OID.float4:
      return String(format === 0 ? Math.fround(Number(text)) : cell.readFloatBE());
    case OID.float8:
      return String(format === 0 ? Number(text) : cell.readDoubleBE());
    case OID.numeric:
      return trimmed(format === 0 ? text : numericText(cell));
    case OID.uuid:
      return format === 0 ? text.replaceAll('-', '').toLowerCase() : cell.toString('hex');
    case OID.bytea:
      return format === 0 && text.startsWith('\\x') ? text.slice(2) : format === 0 ? text : cell.toString('hex');
    case OID.date:
      return format === 0 ? (micros(text) ?? text) : special(BigInt(cell.readInt32BE()), 32, DAY_US);
    case OID.timestamp:
    case OID.timestamptz:
      return format === 0 ? (micros(text) ?? text) : special(cell.readBigInt64BE(), 64, 1n);
    case OID.inet:
      return format === 0 ? addressText(text) : addressBytes(cell);
    case OID.jsonb:
      return format === 0 ? text : cell.toString('latin1', 1);
    case OID.bpchar:
      return buffer.toString('latin1', start, withoutPadding(buffer, start, end));
    default:
      return buffer.toString('latin1', start, end);
  }
}

function withoutPadding(buffer: Buffer, start: number, end: number): number {
  let last = end;
  while (last > start && buffer[last - 1] === 0x20) last--;
  return last;
}

/** A numeric without the zeros at its end: 1.50 equals 1.5. */
function trimmed(text: string): string {
  return text.includes('.') ? text.replace(/\.?0+$/, '') : text;
}

/** Digits of base 10,000, weight of the first, sign, digits behind the point. */
function numericText(cell: Buffer): string {
  const count = cell.readInt16BE(0);
  const weight = cell.readInt16BE(2);
  const sign = cell.readUInt16BE(4);
  const special = NUMERIC_SPECIAL.get(sign);
  if (special !== undefined) return special;
  const digit = (i: number): string =>
    (i >= 0 && i < count ? String(cell.readInt16BE(8 + 2 * i)) : '0').padStart(4, '0');
  let integral = '';
  for (let i = 0; i <= weight; i++) integral += digit(i);
  let fraction = '';
  for (let i = weight + 1; i < count; i++) fraction += digit(i);
  if (weight < -1 && count > 0) fraction = '0000'.repeat(-weight - 1) + fraction.slice(4 * (-weight - 1));
  const text = integral.replace(/^0+(?=\d)/, '') || '0';
  return `${sign === NUMERIC_NEGATIVE ? '-' : ''}${text}${fraction === '' ? '' : `.${fraction}`}`;
}

/** Microseconds since 2000 of a date or timestamp in ISO style, as text; null where it is written otherwise. */
function micros(text: string): string | null {
  const [, year, month, day, hour = '0', minute = '0', second = '0', fraction = '', zone, zoneMinute, zoneSecond] =
    TIMESTAMP.exec(text) ?? [];
  if (year === undefined || month === undefined || day === undefined) return null;
  const at = new Date(0);
  at.setUTCFullYear(Number(year), Number(month) - 1, Number(day));
  at.setUTCHours(Number(hour), Number(minute), Number(second));
  const sign = zone?.startsWith('-') ? -1 : 1;
  const offset = Math.abs(Number(zone ?? 0)) * 3600 + Number(zoneMinute ?? 0) * 60 + Number(zoneSecond ?? 0);
  const ms = at.getTime() - EPOCH_2000_MS - sign * offset * 1000;
  return String(BigInt(ms) * 1000n + BigInt(fraction.padEnd(6, '0')));
}

/** The ends of the range are infinity. */
function special(value: bigint, bits: number, unit: bigint): string {
  if (value === BigInt.asIntN(bits, 1n << BigInt(bits - 1))) return '-infinity';
  if (value === (1n << BigInt(bits - 1)) - 1n) return 'infinity';
  return String(value * unit);
}

/** Address family, bits of the netmask, whether it is a cidr, length, address. */
function addressBytes(cell: Buffer): string {
  const bits = cell[1] ?? 0;
  const address = cell.toString('hex', 4);
  return bits === 4 * address.length ? address : `${address}/${bits}`;
}

/** The address of a text as hexadecimal digits, and its netmask where it has one. */
function addressText(text: string): string {
  const [address = '', mask] = text.split('/');
  const behind = mask === undefined ? '' : `/${mask}`;
  if (!address.includes(':')) return bytesOf(address.split('.').map(Number)) + behind;
  const tail = /^(.*:)(\d+\.\d+\.\d+\.\d+)$/.exec(address);
  const groups =
    tail === null ? address : `${tail[1]}${bytesOf((tail[2] ?? '').split('.').map(Number)).replace(/^(....)/, '$1:')}`;
  const [head = '', rest] = groups.split('::');
  const left = head === '' ? [] : head.split(':');
  const right = rest === undefined || rest === '' ? [] : rest.split(':');
  const zeros = rest === undefined ? 0 : Math.max(0, 8 - left.length - right.length);
  return (
    [...left, ...Array.from({ length: zeros }, () => '0'), ...right].map((g) => g.padStart(4, '0')).join('') + behind
  );
}

function bytesOf(bytes: readonly number[]): string {
  return bytes.map((byte) => byte.toString(16).padStart(2, '0')).join('');
}
