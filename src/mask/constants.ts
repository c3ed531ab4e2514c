// A constant from the config as a value of a PostgreSQL type, in text and in binary form.

import { isIP } from 'node:net';
import { isText, OID } from './pg-types.ts';
import { fitted } from './redacted.ts';

const INTEGER = /^-?\d{1,20}$/;
const DECIMAL = /^(-?)(\d{1,1000})(?:\.(\d{1,1000}))?$/;
const UUID = /^[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}$/i;
const DATE = /^\d{4}-\d{2}-\d{2}$/;
const TIMESTAMP = /^(\d{4}-\d{2}-\d{2})[ T](\d{2}:\d{2}:\d{2})(?:\.(\d{1,6}))?$/;
const TIME = /^([01]\d|2[0-3]):([0-5]\d):([0-5]\d)(?:\.(\d{1,6}))?$/;
const BYTEA = /^\\x((?:[0-9a-f]{2})*)$/i;

const DAY_MS = 86_400_000;
const EPOCH_2000_MS = Date.UTC(2000, 0, 1);
const JSONB_VERSION = 1;
const FAMILY_INET = 2;
const FAMILY_INET6 = 3;
const NEGATIVE = 0x4000;

/** Signed integer types: width in bytes. */
const INTEGERS: ReadonlyMap<number, number> = new Map([
  [OID.int2, 2],
  [OID.int4, 4],
  [OID.int8, 8],
]);

/**
 * The constant's bytes in format 0 (text) or 1 (binary). Null, which is SQL NULL, where the type cannot hold it, where the
 * type is not among those written here, and for any other format. A time with a zone is read as UTC.
 */
export function constantValue(value: string, typeOid: number, typeModifier: number, format: number): Buffer | null {
  if (format !== 0 && format !== 1) return null;
  if (isText(typeOid)) return fitted(value, typeOid, typeModifier);
  const text = format === 0;
  const width = INTEGERS.get(typeOid);
  if (width !== undefined) return integer(value, width, text);
  switch (typeOid) {
    case OID.bool:
      if (value !== 'true' && value !== 'false') return null;
      return text ? Buffer.from(value === 'true' ? 't' : 'f') : Buffer.from([value === 'true' ? 1 : 0]);
    case OID.numeric:
      return numeric(value, text);
    case OID.float4:
    case OID.float8:
      return float(value, typeOid, text);
    case OID.uuid:
      if (!UUID.test(value)) return null;
      return text ? Buffer.from(value.toLowerCase()) : Buffer.from(value.replaceAll('-', ''), 'hex');
    case OID.json:
      return isJson(value) ? Buffer.from(value) : null;
    case OID.jsonb:
      if (!isJson(value)) return null;
      return text ? Buffer.from(value) : Buffer.from([JSONB_VERSION, ...Buffer.from(value)]);
    case OID.bytea: {
      const hex = BYTEA.exec(value)?.[1];
      if (hex === undefined) return null;
      return text ? Buffer.from(`\\x${hex.toLowerCase()}`) : Buffer.from(hex, 'hex');
    }
    case OID.inet:
      return address(value, text);
    case OID.time:
      return time(value, text);
    case OID.date:
      return date(value, text);
    case OID.timestamp:
    case OID.timestamptz:
      return timestamp(value, typeOid, text);
    default:
      return null;
  }
}

function integer(value: string, width: number, text: boolean): Buffer | null {
  if (!INTEGER.test(value)) return null;
  const number = BigInt(value);
  if (BigInt.asIntN(8 * width, number) !== number) return null;
  if (text) return Buffer.from(String(number));
  const bytes = Buffer.alloc(8);
  bytes.writeBigInt64BE(number);
  return bytes.subarray(8 - width);
}

function float(value: string, typeOid: number, text: boolean): Buffer | null {
  if (!DECIMAL.test(value)) return null;
  const number = typeOid === OID.float4 ? Math.fround(Number(value)) : Number(value);
  if (!Number.isFinite(number)) return null;
  if (text) return Buffer.from(value);
  const bytes = Buffer.alloc(typeOid === OID.float4 ? 4 : 8);
  if (typeOid === OID.float4) bytes.writeFloatBE(number);
  else bytes.writeDoubleBE(number);
  return bytes;
}

/** numeric_recv: number of base-10000 digits, weight of the first, sign, digits behind the point, then the digits. */
function numeric(value: string, text: boolean): Buffer | null {
  const [, sign = '', integral = '', fraction = ''] = DECIMAL.exec(value) ?? [];
  if (integral === '') return null;
  if (text) return Buffer.from(value);
  const before = integral.padStart(Math.ceil(integral.length / 4) * 4, '0');
  const behind = fraction.padEnd(Math.ceil(fraction.length / 4) * 4, '0');
  const digits = (before + behind).match(/.{4}/g) ?? [];
  const bytes = Buffer.alloc(8 + 2 * digits.length);
  bytes.writeInt16BE(digits.length, 0);
  bytes.writeInt16BE(before.length / 4 - 1, 2);
  bytes.writeInt16BE(sign === '-' ? NEGATIVE : 0, 4);
  bytes.writeInt16BE(fraction.length, 6);
  digits.forEach((digit, i) => {
    bytes.writeInt16BE(Number(digit), 8 + 2 * i);
  });
  return bytes;
}

function date(value: string, text: boolean): Buffer | null {
  const ms = DATE.test(value) ? utc(value) : null;
  if (ms === null) return null;
  if (text) return Buffer.from(value);
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE((ms - EPOCH_2000_MS) / DAY_MS);
  return bytes;
}

function timestamp(value: string, typeOid: number, text: boolean): Buffer | null {
  const [, day, time, fraction = ''] = TIMESTAMP.exec(value) ?? [];
  if (day === undefined || time === undefined) return null;
  const ms = utc(day, time);
  if (ms === null) return null;
  if (text) {
    const point = fraction === '' ? '' : `.${fraction}`;
    return Buffer.from(`${day} ${time}${point}${typeOid === OID.timestamptz ? '+00' : ''}`);
  }
  const bytes = Buffer.alloc(8);
  bytes.writeBigInt64BE(BigInt(ms - EPOCH_2000_MS) * 1000n + BigInt(fraction.padEnd(6, '0')));
  return bytes;
}

function time(value: string, text: boolean): Buffer | null {
  const [, hour, minute, second, fraction = ''] = TIME.exec(value) ?? [];
  if (hour === undefined) return null;
  if (text) return Buffer.from(value);
  const bytes = Buffer.alloc(8);
  const seconds = (Number(hour) * 60 + Number(minute)) * 60 + Number(second);
  bytes.writeBigInt64BE(BigInt(seconds) * 1_000_000n + BigInt(fraction.padEnd(6, '0')));
  return bytes;
}

/** inet_recv: family, bits of the netmask, whether it is a cidr, number of bytes, the bytes. A single address only. */
function address(value: string, text: boolean): Buffer | null {
  const version = isIP(value);
  // A zone (`%eth0`) is no part of an inet, and what is mixed of both versions is rare.
  if (version === 0 || value.includes('%') || (version === 6 && value.includes('.'))) return null;
  if (text) return Buffer.from(value.toLowerCase());
  if (version === 4) return Buffer.from([FAMILY_INET, 32, 0, 4, ...value.split('.').map(Number)]);
  const bytes = Buffer.alloc(20);
  bytes.set([FAMILY_INET6, 128, 0, 16]);
  const [head = '', rest = ''] = value.split('::');
  const left = head === '' ? [] : head.split(':');
  const right = rest === '' ? [] : rest.split(':');
  for (const [i, group] of left.entries()) bytes.writeUInt16BE(Number.parseInt(group, 16), 4 + 2 * i);
  for (const [i, group] of right.entries())
    bytes.writeUInt16BE(Number.parseInt(group, 16), 20 + 2 * (i - right.length));
  return bytes;
}

/** Milliseconds since 1970 of a date that the calendar has; null of one like 2023-02-30, which Date would carry over. */
function utc(day: string, time = '00:00:00'): number | null {
  const ms = Date.parse(`${day}T${time}Z`);
  if (Number.isNaN(ms) || day.startsWith('0000')) return null;
  return new Date(ms).toISOString().startsWith(`${day}T${time}`) ? ms : null;
}

function isJson(value: string): boolean {
  try {
    JSON.parse(value);
  } catch {
    return false;
  }
  // jsonb refuses this escape, since no text can hold a NUL; lone surrogates likewise.
  return !/\\u(0000|d[89a-f])/i.test(value);
}
