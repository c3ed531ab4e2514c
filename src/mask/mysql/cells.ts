// Masks for cells of MySQL's types, in the text and in the binary protocol. Text, JSON and bytes are masked as PostgreSQL's are; numbers
// and moments by their text, so that a value has one token in both protocols and in both databases.
import type { CellMask, Column } from '../../types.ts';
import { cached } from '../cached.ts';
import { constantValue } from '../constants.ts';
import { detectorMask } from '../detectors/cell.ts';
import type { Detector } from '../detectors/scan.ts';
import { OID } from '../pg-types.ts';
import { redacted } from '../redacted.ts';
import type { Strategy } from '../rules.ts';
import { cellMask } from '../strategies.ts';
import { binaryOf, integerWidth, NOT_FIXED, TYPE, textOf } from './values.ts';

/** Of a column definition: `typeOid` is its type byte, `typeModifier` its length in bytes, `format` 1 the binary protocol. */
export type MysqlColumn = Pick<Column, 'typeOid' | 'typeModifier' | 'format' | 'flags' | 'charset' | 'decimals'>;

const UNSIGNED = 32;
const ZEROFILL = 64;
const ENUM = 256;
const SET = 2048;
/** The collation of what is no text. */
const BINARY = 63;
/** A length of a type that has none to speak of: MEDIUMTEXT and beyond, and what expressions may come to. */
const UNLIMITED = 2 ** 24;
/** BINARY(n), and the digits of a ZEROFILL. */
const WIDEST_FIXED = 255;
/** MySQL's VECTOR has 16,383 dimensions at most, of four bytes. */
const LONGEST_VECTOR = 4 * 16_383;
/** A column that holds fewer bytes has no room for a token that tells values apart. */
const LEAST_TOKEN_BYTES = 8;
/** MariaDB's; MySQL has 30. */
const MOST_DECIMALS = 38;
const TYPMOD_OFFSET = 4;
const UUID_CHARACTERS = 36;
const INET6_CHARACTERS = 39;
const INET4_CHARACTERS = 15;
const ZERO = 0x30;
const TWO_32 = 2 ** 32;
const LEAST_CARD = 10 ** 14;
const BELOW_CARD = 10 ** 16;
const EMPTY = Buffer.alloc(0);

/** How a type is masked. */
type Form =
  /** As that type of PostgreSQL's in its text form. */
  | { readonly kind: 'same'; readonly oid: number; readonly modifier: number }
  /** MariaDB's INET4 and INET6. */
  | { readonly kind: 'address'; readonly zero: string }
  /** Bytes, so many at most; `fixed`: always so many. */
  | { readonly kind: 'binary'; readonly limit: number; readonly fixed: boolean }
  /** By its text, as that type of PostgreSQL's. */
  | { readonly kind: 'text'; readonly oid: number; readonly modifier: number }
  /** So many zero bytes. */
  | { readonly kind: 'zeros'; readonly length: number }
  /** No value is known that is always valid. `known`: it is the name of a member or a shape, which hold no secret. */
  | { readonly kind: 'null'; readonly known: boolean };

function formOf(column: MysqlColumn): Form {
  const { typeOid, typeModifier, flags = 0, decimals = 0 } = column;
  switch (typeOid) {
    case TYPE.tiny:
    case TYPE.short:
    case TYPE.year:
      return { kind: 'text', oid: OID.int2, modifier: -1 };
    case TYPE.int24:
    case TYPE.long:
      return { kind: 'text', oid: OID.int4, modifier: -1 };
    case TYPE.longlong:
      return { kind: 'text', oid: OID.int8, modifier: -1 };
    case TYPE.float:
      return { kind: 'text', oid: OID.float4, modifier: -1 };
    case TYPE.double:
      return { kind: 'text', oid: OID.float8, modifier: -1 };
    case TYPE.decimal:
    case TYPE.newdecimal:
      return { kind: 'text', oid: OID.numeric, modifier: precision(typeModifier, decimals, flags) };
    case TYPE.date:
      return { kind: 'text', oid: OID.date, modifier: -1 };
    case TYPE.datetime:
    case TYPE.timestamp:
      return { kind: 'text', oid: OID.timestamp, modifier: -1 };
    case TYPE.time:
      return { kind: 'text', oid: OID.time, modifier: -1 };
    case TYPE.bit:
      return { kind: 'zeros', length: Math.ceil(Math.min(Math.max(typeModifier, 1), 64) / 8) };
    case TYPE.vector:
      return { kind: 'zeros', length: Math.min(typeModifier, LONGEST_VECTOR) };
    case TYPE.json:
      return { kind: 'same', oid: OID.json, modifier: -1 };
    case TYPE.varchar:
    case TYPE.varString:
    case TYPE.string:
    case TYPE.tinyBlob:
    case TYPE.blob:
    case TYPE.mediumBlob:
    case TYPE.longBlob:
      return stringForm(column);
    case TYPE.geometry:
    case TYPE.enum:
    case TYPE.set:
      return { kind: 'null', known: true };
    default:
      return { kind: 'null', known: false };
  }
}

/** DECIMAL(precision, scale) as PostgreSQL's modifier; the length counts the point and the sign too. */
function precision(length: number, decimals: number, flags: number): number {
  const digits = length - (decimals > 0 ? 1 : 0) - ((flags & UNSIGNED) !== 0 ? 0 : 1);
  return digits < 1 || digits > 65 || decimals > MOST_DECIMALS ? -1 : ((digits << 16) | decimals) + TYPMOD_OFFSET;
}

function stringForm({ typeOid, typeModifier, flags = 0, charset = BINARY }: MysqlColumn): Form {
  if ((flags & (ENUM | SET)) !== 0) return { kind: 'null', known: true };
  if (charset === BINARY) {
    return { kind: 'binary', limit: typeModifier, fixed: typeOid === TYPE.string && typeModifier <= WIDEST_FIXED };
  }
  if (typeModifier < 0 || typeModifier >= UNLIMITED) return { kind: 'same', oid: OID.text, modifier: -1 };
  const characters = Math.floor(typeModifier / bytesPerCharacter(charset));
  if (characters === 0) return { kind: 'zeros', length: 0 };
  // Of texts only MariaDB's UUID, INET4 and INET6 are unsigned.
  if (typeOid === TYPE.string && (flags & UNSIGNED) !== 0) {
    if (characters === UUID_CHARACTERS) return { kind: 'same', oid: OID.uuid, modifier: -1 };
    if (characters === INET6_CHARACTERS) return { kind: 'address', zero: '::' };
    if (characters === INET4_CHARACTERS) return { kind: 'address', zero: '0.0.0.0' };
  }
  return { kind: 'same', oid: OID.varchar, modifier: characters + TYPMOD_OFFSET };
}

/** Of utf8mb3's collations three; utf8mb4, and whatever else there might be, is taken for four. */
function bytesPerCharacter(charset: number): number {
  return charset === 33 || charset === 83 || (charset >= 192 && charset <= 223) ? 3 : 4;
}

/** The mask for a column of a result. What it answers is a valid value of the type, or null (SQL NULL) where there is none. */
export function mysqlCellMask(strategy: Strategy, column: MysqlColumn): CellMask {
  const form = formOf(column);
  if (strategy.kind === 'null') return always(null);
  switch (form.kind) {
    case 'same':
      return cellMask(strategy, form.oid, form.modifier, 0);
    case 'address':
      return isOfValue(strategy) ? cellMask(strategy, OID.inet, -1, 0) : always(Buffer.from(form.zero));
    case 'binary':
      return binaryMask(strategy, form.limit, form.fixed);
    case 'text':
      return textMask(strategy, column, form.oid, form.modifier);
    case 'zeros':
      return always(strategy.kind === 'constant' ? null : Buffer.alloc(form.length));
    case 'null':
      return always(null);
  }
}

function always(value: Uint8Array | null): CellMask {
  return () => value;
}

/** Whether it makes something else than the type's redacted value, of types that are no text. */
function isOfValue(strategy: Strategy): boolean {
  return strategy.kind === 'constant' || (strategy.kind === 'hash' && strategy.key !== null);
}

function textMask(strategy: Strategy, column: MysqlColumn, oid: number, modifier: number): CellMask {
  if (strategy.kind === 'constant') return always(written(constantText(strategy.value, oid), column, false));
  if (isOfValue(strategy)) return byText(cellMask(strategy, oid, modifier, 0), column);
  return always(written(redactedText(column.typeOid, oid), column, false));
}

function redactedText(type: number, oid: number): string | null {
  if (type === TYPE.year) return '1970';
  // A TIMESTAMP begins a second after 1970, in the time zone of no session earlier than this.
  if (type === TYPE.timestamp) return '1970-01-02 00:00:00';
  return redacted(oid, -1, 0)?.toString('latin1') ?? null;
}

/** A constant as the type's text. Booleans are TINYINT; whether an integer is within its type is seen when it is written. */
function constantText(value: string, oid: number): string | null {
  if (oid === OID.int2 && (value === 'true' || value === 'false')) return value === 'true' ? '1' : '0';
  if (oid === OID.int2 || oid === OID.int4 || oid === OID.int8) return value;
  return constantValue(value, oid, -1, 0)?.toString('latin1') ?? null;
}

function binaryMask(strategy: Strategy, limit: number, fixed: boolean): CellMask {
  switch (strategy.kind) {
    case 'constant':
      return always(sized(constantBytes(strategy.value), limit, fixed));
    case 'hash': {
      if (strategy.key === null || limit < LEAST_TOKEN_BYTES) break;
      const mask = cellMask(strategy, OID.bytea, -1, 1);
      return (buffer, start, end) => {
        const token = mask(buffer, start, end);
        return token && sized(token, limit, fixed);
      };
    }
  }
  return always(sized(EMPTY, limit, fixed));
}

/** `\x` and hexadecimal digits are bytes, as for PostgreSQL's bytea; everything else is text. */
function constantBytes(value: string): Buffer {
  return constantValue(value, OID.bytea, -1, 1) ?? Buffer.from(value);
}

/** Cut to what the column holds, and where all its values have one length, filled up with zeros as BINARY is. */
function sized(bytes: Uint8Array, limit: number, fixed: boolean): Uint8Array {
  if (bytes.length > limit) return bytes.subarray(0, limit);
  return fixed && bytes.length < limit ? Buffer.concat([bytes], limit) : bytes;
}

/** A mask of texts that leaves none as it is, for a column of either protocol. What it does not understand becomes NULL. */
function byText(mask: CellMask, column: MysqlColumn): CellMask {
  const own = isOwn(column);
  return cached((buffer, start, end) => {
    const text = own ? textOf(buffer.subarray(start, end), column) : plainText(buffer, start, end, column);
    if (text === null) return null;
    const cell = Buffer.from(text, 'latin1');
    const value = mask(cell, 0, cell.length);
    return value == null ? null : written(Buffer.from(value).toString('latin1'), column, true);
  });
}

/** A form of the binary protocol's own. DECIMAL is text there too. */
function isOwn({ typeOid, format }: MysqlColumn): boolean {
  return format === 1 && typeOid !== TYPE.decimal && typeOid !== TYPE.newdecimal;
}

/** ZEROFILL writes 7 as 0007. */
function plainText(buffer: Buffer, start: number, end: number, { flags = 0 }: MysqlColumn): string {
  const text = buffer.toString('latin1', start, end);
  return (flags & ZEROFILL) === 0 ? text : text.replace(/^0+(?=\d)/, '');
}

/**
 * A text as the column's protocol has it, within what its type holds; null where it does not fit. `folds`: an integer that is too large
 * is made to fit.
 */
function written(text: string | null, column: MysqlColumn, folds: boolean): Buffer | null {
  const { typeOid, typeModifier, flags = 0 } = column;
  const value = text === null ? null : fitted(text, column, folds);
  if (value === null) return null;
  if (isOwn(column)) return binaryOf(value, typeOid);
  const zerofill = (flags & ZEROFILL) !== 0;
  return Buffer.from(zerofill ? value.padStart(Math.min(typeModifier, WIDEST_FIXED), '0') : value);
}

function fitted(value: string, column: MysqlColumn, folds: boolean): string | null {
  const { typeOid, format, decimals = 0 } = column;
  if (integerWidth(typeOid) !== undefined) return whole(value, column, folds);
  switch (typeOid) {
    case TYPE.decimal:
    case TYPE.newdecimal:
      return decimal(value, column);
    case TYPE.float:
    case TYPE.double:
      return format === 1 || decimals >= NOT_FIXED ? value : withDecimals(value, decimals);
    case TYPE.datetime:
    case TYPE.timestamp:
    case TYPE.time:
      return format === 1 ? value : withDecimals(value, decimals > 6 ? 0 : decimals);
    default:
      return value;
  }
}

function withDecimals(value: string, decimals: number): string {
  const [integral = '', fraction = ''] = value.split('.');
  return decimals === 0 ? integral : `${integral}.${fraction.padEnd(decimals, '0').slice(0, decimals)}`;
}

/** A decimal within its precision; what is behind its scale is cut off. */
function decimal(value: string, { typeModifier, flags = 0, decimals = 0 }: MysqlColumn): string | null {
  if (decimals > MOST_DECIMALS) return value;
  const unsigned = (flags & UNSIGNED) !== 0;
  const [, sign, digits = ''] = /^(-?)0*(\d*)/.exec(value) ?? [];
  const most = typeModifier - decimals - (decimals > 0 ? 1 : 0) - (unsigned ? 0 : 1);
  return digits.length > most || (unsigned && sign === '-') ? null : withDecimals(value, decimals);
}

/** An integer within its type. */
function whole(value: string, { typeOid, flags = 0 }: MysqlColumn, folds: boolean): string | null {
  if (!/^-?\d{1,20}$/.test(value)) return null;
  const number = BigInt(value);
  const [least, most] = rangeOf(typeOid, (flags & UNSIGNED) !== 0);
  if (number >= least && number <= most) return String(number);
  if (!folds || number < 0n) return null;
  const from = least < 0n ? 0n : least;
  return String(from + (number % (most - from + 1n)));
}

function rangeOf(type: number, unsigned: boolean): readonly [least: bigint, most: bigint] {
  if (type === TYPE.year) return [1901n, 2155n];
  const bits = BigInt(type === TYPE.int24 ? 24 : 8 * (integerWidth(type) ?? 8));
  return unsigned ? [0n, 2n ** bits - 1n] : [-(2n ** (bits - 1n)), 2n ** (bits - 1n) - 1n];
}

/** The mask that looks for secrets in a column, or undefined where its values can hold none. */
export function mysqlDetectorMask(detector: Detector, column: MysqlColumn): CellMask | undefined {
  const form = formOf(column);
  switch (form.kind) {
    case 'same':
      return detectorMask(detector, form.oid, form.modifier, 0);
    case 'address':
      return detector.names.includes('ip-address') ? always(Buffer.from(form.zero)) : undefined;
    case 'binary':
      return binaryDetector(detector, form.limit, form.fixed);
    case 'text':
      return form.oid === OID.int8 || form.oid === OID.numeric ? cardMask(detector, column, form.oid) : undefined;
    case 'zeros':
      return undefined;
    case 'null':
      return form.known ? undefined : whatever(detector);
  }
}

/** Where all of it is text; nothing is left of it where the names of what was found do not fit. */
function binaryDetector(detector: Detector, limit: number, fixed: boolean): CellMask | undefined {
  const mask = detectorMask(detector, OID.bytea, -1, 1);
  return (buffer, start, end) => {
    let last = end;
    while (fixed && last > start && buffer[last - 1] === 0) last--;
    const value = mask?.(buffer, start, last);
    if (value == null) return value;
    return value.length > limit ? sized(EMPTY, limit, fixed) : sized(value, limit, fixed);
  };
}

/** Types that are not known here, whole. */
function whatever(detector: Detector): CellMask | undefined {
  const mask = detectorMask(detector, OID.bytea, -1, 1);
  return (buffer, start, end) => (mask?.(buffer, start, end) === undefined ? undefined : null);
}

/** Card numbers in BIGINT and DECIMAL. */
function cardMask(detector: Detector, column: MysqlColumn, oid: number): CellMask | undefined {
  const mask = detectorMask(detector, oid, -1, 0);
  if (mask === undefined) return undefined;
  const zero = written('0', column, false);
  if (isOwn(column)) {
    return (buffer, start) => {
      const number = buffer.readUInt32LE(start) + buffer.readUInt32LE(start + 4) * TWO_32;
      if (number < LEAST_CARD || number >= BELOW_CARD) return undefined;
      const text = Buffer.from(String(number));
      return mask(text, 0, text.length) === undefined ? undefined : zero;
    };
  }
  return (buffer, start, end) => {
    let from = start;
    while (from + 1 < end && buffer[from] === ZERO) from++;
    return mask(buffer, from, end) === undefined ? undefined : zero;
  };
}
