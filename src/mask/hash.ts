// The hash mask: a token in a value's place, the same for the same value (HMAC-SHA-256, RFC 2104), so that joins and counts in the
// reader's own code still work. Numbers and dates get tokens of their type, which for the small types may collide.

import { createHmac, type KeyObject } from 'node:crypto';
import type { CellMask } from '../types.ts';
import { cached } from './cached.ts';
import { canonical } from './canonical.ts';
import { constantValue } from './constants.ts';
import { isText, lengthLimit, OID } from './pg-types.ts';
import { redacted } from './redacted.ts';

const PREFIX = 'h_';
/** 128 bits in base64url. */
const TOKEN_CHARACTERS = 22;
/** A text column that holds fewer characters has no room for a token that tells values apart. */
const LEAST_CHARACTERS = 8;
const DAY_MS = 86_400_000;
const DAYS = 73_049; // 1900 to 2099
const FIRST_DAY_MS = Date.UTC(1900, 0, 1);
const TYPMOD_OFFSET = 4;
/** As many decimal digits as 53 bits hold. */
const MOST_DIGITS = 15;

/**
 * For text, numbers, uuid, date, timestamps, bytea, JSON and inet; other types are redacted. The token depends on key and value,
 * not on the column: keys that refer to each other still do, where their types are the same.
 */
export function hashMask(key: KeyObject, typeOid: number, typeModifier: number, format: number): CellMask {
  const token = tokenOf(typeOid, typeModifier);
  if (token === null || (format !== 0 && format !== 1)) {
    const value = redacted(typeOid, typeModifier, format);
    return () => value;
  }
  return cached((buffer, start, end) => {
    const value = canonical(buffer, start, end, typeOid, format);
    const mac = createHmac('sha256', key).update(value, 'latin1').digest();
    return constantValue(token(mac, value), typeOid, typeModifier, format);
  });
}

type Token = (mac: Buffer, value: string) => string;

/** Writes a token as a constant of the type; null where the type has none. */
function tokenOf(typeOid: number, typeModifier: number): Token | null {
  const word = (mac: Buffer): string => PREFIX + mac.toString('base64url').slice(0, TOKEN_CHARACTERS);
  if (isText(typeOid)) return lengthLimit(typeOid, typeModifier) < LEAST_CHARACTERS ? null : word;
  switch (typeOid) {
    case OID.int2:
      return (mac) => String(bits(mac, 15));
    case OID.int4:
      return (mac) => String(bits(mac, 31));
    case OID.int8:
    case OID.float8:
      // What a JavaScript or JSON number holds exactly.
      return (mac) => String(bits(mac, 53));
    case OID.float4:
      return (mac) => String(bits(mac, 24));
    case OID.numeric:
      return numericToken(typeModifier);
    case OID.uuid:
      return uuidToken;
    case OID.date:
      return (mac) => new Date(FIRST_DAY_MS + (bits(mac, 53) % DAYS) * DAY_MS).toISOString().slice(0, 10);
    case OID.timestamp:
    case OID.timestamptz:
      return (mac) => new Date(bits(mac, 31) * 1000).toISOString().slice(0, 19);
    case OID.json:
    case OID.jsonb:
      return (mac) => `"${word(mac)}"`;
    case OID.bytea:
      return (mac) => `\\x${mac.toString('hex', 0, 16)}`;
    case OID.inet:
      return addressToken;
    default:
      return null;
  }
}

/** The first bits of the MAC as a number, 53 at most. */
function bits(mac: Buffer, count: number): number {
  return Number(mac.readBigUInt64BE() >> BigInt(64 - count));
}

/** numeric(precision, scale): digits within both. A negative scale, or one above the precision, has no token. */
function numericToken(typeModifier: number): Token | null {
  const limited = typeModifier >= TYPMOD_OFFSET;
  const precision = limited ? (typeModifier - TYPMOD_OFFSET) >>> 16 : MOST_DIGITS;
  const scale = limited ? (typeModifier - TYPMOD_OFFSET) & 0x7ff : 0;
  if (scale > precision) return null;
  const below = 10 ** Math.min(precision, MOST_DIGITS);
  return (mac) => {
    const digits = String(bits(mac, 53) % below).padStart(scale + 1, '0');
    return scale === 0 ? digits : `${digits.slice(0, -scale)}.${digits.slice(-scale)}`;
  };
}

/** RFC 9562, version 8: its bits are anybody's own. */
function uuidToken(mac: Buffer): string {
  const bytes = Buffer.from(mac.subarray(0, 16));
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x80;
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  return bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
}

/** An IPv4 address becomes one of 10.0.0.0/8 (RFC 1918), an IPv6 address one of fd00::/8 (RFC 4193). */
function addressToken(mac: Buffer, value: string): string {
  if (value.replace(/\/.*/, '').length === 8) return `10.${mac[0]}.${mac[1]}.${mac[2]}`;
  const groups = (mac.toString('hex', 0, 16).match(/.{4}/g) ?? []).map((group) => group.replace(/^0+(?=.)/, ''));
  return [`fd${mac.toString('hex', 16, 17)}`, ...groups.slice(1)].join(':');
}
