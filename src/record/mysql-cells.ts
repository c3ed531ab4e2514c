// Values of MySQL and MariaDB as people read them: a cell or a bound parameter, of the text or the binary protocol, to a string.
//
// The binary forms are those of MySQL's "Binary Protocol Value", without what says their length; integers are little-endian.
// What is no text is shown as the bytes it is: `\x` and hexadecimal digits.

import { guess, hex } from './cells.ts';

/** What a column definition says of its values. */
export interface MysqlField {
  /** The type byte, enum_field_types. */
  readonly type: number;
  readonly flags: number;
  /** The collation's number. */
  readonly charset: number;
  /** Bytes; of ZEROFILL the digits. */
  readonly length: number;
  readonly decimals: number;
}

const UNSIGNED = 0x20;
const ZEROFILL = 0x40;
const BINARY_CHARSET = 63;
/** FLOAT and DOUBLE without a fixed number of decimals; beyond it there are none to speak of. */
const NOT_FIXED = 31;
const WIDEST_ZEROFILL = 255;
const UNSIGNED_PARAMETER = 0x8000;

const TINY = 1;
const SHORT = 2;
const LONG = 3;
const FLOAT = 4;
const DOUBLE = 5;
const NULL = 6;
const TIMESTAMP = 7;
const LONGLONG = 8;
const INT24 = 9;
const DATE = 10;
const TIME = 11;
const DATETIME = 12;
const YEAR = 13;
const BIT = 16;
const VECTOR = 242;
const TINY_BLOB = 249;
const STRING = 254;
const GEOMETRY = 255;

/** A cell in format 0 (text protocol) or 1 (binary protocol). Never throws. */
export function decodeMysqlCell(bytes: Uint8Array, field: MysqlField, format: number): string {
  const cell = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  const { type, charset } = field;
  if (type === BIT || type === GEOMETRY || type === VECTOR) return hex(cell);
  if (type >= TINY_BLOB && type <= STRING && charset === BINARY_CHARSET) return guess(cell);
  if (format === 0 || binaryLength(type) === 'lenenc') return cell.toString('utf8');
  return decodeBinary(cell, field) ?? hex(cell);
}

/** A bound value: `type` is its type byte, with 0x8000 where it is unsigned. Never throws. */
export function decodeMysqlParameter(bytes: Uint8Array, type: number): string {
  const cell = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  const flags = (type & UNSIGNED_PARAMETER) === 0 ? 0 : UNSIGNED;
  const field = { type: type & 0xff, flags, charset: BINARY_CHARSET, length: 0, decimals: NOT_FIXED };
  return decodeBinary(cell, field) ?? guess(cell);
}

/** Bytes of a value in a row of the binary protocol: a number, behind a byte of length, or length-encoded. */
export function binaryLength(type: number): number | 'short' | 'lenenc' {
  switch (type) {
    case NULL:
      return 0;
    case TINY:
      return 1;
    case SHORT:
    case YEAR:
      return 2;
    case LONG:
    case INT24:
    case FLOAT:
      return 4;
    case LONGLONG:
    case DOUBLE:
      return 8;
    case DATE:
    case DATETIME:
    case TIMESTAMP:
    case TIME:
      return 'short';
    default:
      return 'lenenc';
  }
}

/** Undefined where the type has no binary form of its own, or the length is not the type's. */
function decodeBinary(cell: Buffer, field: MysqlField): string | undefined {
  const { type, decimals } = field;
  const length = binaryLength(type);
  if (typeof length === 'number' && cell.length !== length) return undefined;
  switch (type) {
    case TINY:
    case SHORT:
    case LONG:
    case INT24:
    case YEAR:
    case LONGLONG:
      return zerofilled(integer(cell, (field.flags & UNSIGNED) !== 0), field);
    case FLOAT:
      return zerofilled(float(cell.readFloatLE(), decimals, true), field);
    case DOUBLE:
      return zerofilled(float(cell.readDoubleLE(), decimals, false), field);
    case DATE:
    case DATETIME:
    case TIMESTAMP:
      return moment(cell, type === DATE, decimals);
    case TIME:
      return time(cell, decimals);
    default:
      return undefined;
  }
}

function integer(cell: Buffer, unsigned: boolean): string {
  if (cell.length === 8) return String(unsigned ? cell.readBigUInt64LE() : cell.readBigInt64LE());
  return String(unsigned ? cell.readUIntLE(0, cell.length) : cell.readIntLE(0, cell.length));
}

/** As the text protocol has it: six digits of a FLOAT, or as many decimals as its definition says. */
function float(value: number, decimals: number, single: boolean): string {
  if (decimals < NOT_FIXED) return value.toFixed(decimals);
  return String(single ? Number(value.toPrecision(6)) : value).replace('e+', 'e');
}

function zerofilled(text: string, { flags, length }: MysqlField): string {
  return (flags & ZEROFILL) === 0 ? text : text.padStart(Math.min(length, WIDEST_ZEROFILL), '0');
}

/** Year, month, day; hour, minute, second; microseconds: what is zero at the end is left out. */
function moment(cell: Buffer, isDate: boolean, decimals: number): string | undefined {
  const { length } = cell;
  if (length !== 0 && length !== 4 && length !== 7 && length !== 11) return undefined;
  const [year, month = 0, day = 0] = length === 0 ? [0] : [cell.readUInt16LE(), cell[2], cell[3]];
  const date = `${digits(year, 4)}-${digits(month, 2)}-${digits(day, 2)}`;
  if (isDate) return date;
  const [hour = 0, minute = 0, second = 0] = cell.subarray(4, 7);
  return `${date} ${clock(hour, minute, second, length === 11 ? cell.readUInt32LE(7) : 0, decimals)}`;
}

/** Sign, days, hour, minute, second; microseconds. */
function time(cell: Buffer, decimals: number): string | undefined {
  const { length } = cell;
  if (length !== 0 && length !== 8 && length !== 12) return undefined;
  if (length === 0) return clock(0, 0, 0, 0, decimals);
  const [hour = 0, minute = 0, second = 0] = cell.subarray(5, 8);
  const hours = cell.readUInt32LE(1) * 24 + hour;
  return `${cell[0] === 1 ? '-' : ''}${clock(hours, minute, second, length === 12 ? cell.readUInt32LE(8) : 0, decimals)}`;
}

function clock(hour: number, minute: number, second: number, micros: number, decimals: number): string {
  const shown = decimals >= 1 && decimals <= 6 ? decimals : micros > 0 ? 6 : 0;
  const fraction = shown === 0 ? '' : `.${digits(micros, 6).slice(0, shown)}`;
  return `${digits(hour, 2)}:${digits(minute, 2)}:${digits(second, 2)}${fraction}`;
}

function digits(value: number, count: number): string {
  return String(value).padStart(count, '0');
}
