// Values of MySQL's number and temporal types between their text, as the text protocol has it, and the bytes of the binary protocol
// (MySQL "Binary Protocol Value"). A binary value stands without what says its length.

import type { Column } from '../../types.ts';

/** enum_field_types. */
export const TYPE = {
  decimal: 0,
  tiny: 1,
  short: 2,
  long: 3,
  float: 4,
  double: 5,
  null: 6,
  timestamp: 7,
  longlong: 8,
  int24: 9,
  date: 10,
  time: 11,
  datetime: 12,
  year: 13,
  varchar: 15,
  bit: 16,
  vector: 242,
  json: 245,
  newdecimal: 246,
  enum: 247,
  set: 248,
  tinyBlob: 249,
  mediumBlob: 250,
  longBlob: 251,
  blob: 252,
  varString: 253,
  string: 254,
  geometry: 255,
} as const;

const UNSIGNED = 32;
/** Decimals of a FLOAT or DOUBLE that has no fixed number of them. */
export const NOT_FIXED = 31;
const FLOAT_DIGITS = 6;

/** Bytes of an integer, or undefined for other types. */
export function integerWidth(type: number): number | undefined {
  switch (type) {
    case TYPE.tiny:
      return 1;
    case TYPE.short:
    case TYPE.year:
      return 2;
    case TYPE.int24:
    case TYPE.long:
      return 4;
    case TYPE.longlong:
      return 8;
    default:
      return undefined;
  }
}

/** The text of a binary value, or null where it is malformed. */
export function textOf(cell: Buffer, column: Pick<Column, 'typeOid' | 'flags' | 'decimals'>): string | null {
  const { typeOid: type, flags = 0, decimals = NOT_FIXED } = column;
  const width = integerWidth(type);
  if (width !== undefined) return cell.length === width ? integerText(cell, width, (flags & UNSIGNED) !== 0) : null;
  switch (type) {
    case TYPE.float:
      return cell.length === 4 ? floatText(cell.readFloatLE(), decimals, true) : null;
    case TYPE.double:
      return cell.length === 8 ? floatText(cell.readDoubleLE(), decimals, false) : null;
    case TYPE.date:
    case TYPE.datetime:
    case TYPE.timestamp:
      return momentText(cell, type === TYPE.date);
    case TYPE.time:
      return timeText(cell);
    default:
      return null;
  }
}

/** The binary form of a text, or null where the type cannot hold it. */
export function binaryOf(text: string, type: number): Buffer | null {
  const width = integerWidth(type);
  if (width !== undefined) {
    const bytes = Buffer.alloc(8);
    if (!/^-?\d{1,20}$/.test(text)) return null;
    bytes.writeBigUInt64LE(BigInt.asUintN(64, BigInt(text)));
    return bytes.subarray(0, width);
  }
  switch (type) {
    case TYPE.float: {
      const bytes = Buffer.alloc(4);
      bytes.writeFloatLE(Number(text));
      return bytes;
    }
    case TYPE.double: {
      const bytes = Buffer.alloc(8);
      bytes.writeDoubleLE(Number(text));
      return bytes;
    }
    case TYPE.date:
    case TYPE.datetime:
    case TYPE.timestamp:
      return momentBytes(text);
    case TYPE.time:
      return timeBytes(text);
    default:
      return null;
  }
}

function integerText(cell: Buffer, width: number, unsigned: boolean): string {
  if (width === 8) return String(unsigned ? cell.readBigUInt64LE() : cell.readBigInt64LE());
  return String(unsigned ? cell.readUIntLE(0, width) : cell.readIntLE(0, width));
}

/** The text protocol writes as many decimals as the type says, or six digits of a FLOAT (FLT_DIG). */
function floatText(value: number, decimals: number, single: boolean): string {
  if (decimals < NOT_FIXED) return value.toFixed(decimals);
  return single ? value.toPrecision(FLOAT_DIGITS) : String(value);
}

/** Year, month, day; hour, minute, second; microseconds: what is zero at the end is left out. */
function momentText(cell: Buffer, date: boolean): string | null {
  const { length } = cell;
  if (length !== 0 && length !== 4 && length !== 7 && length !== 11) return null;
  const day =
    length === 0 ? '0000-00-00' : `${pad(cell.readUInt16LE(0), 4)}-${pad(cell[2] ?? 0, 2)}-${pad(cell[3] ?? 0, 2)}`;
  if (date) return day;
  const [hour = 0, minute = 0, second = 0] = length > 4 ? cell.subarray(4, 7) : [];
  return `${day} ${pad(hour, 2)}:${pad(minute, 2)}:${pad(second, 2)}${length === 11 ? `.${pad(cell.readUInt32LE(7), 6)}` : ''}`;
}

const MOMENT = /^(\d{4})-(\d\d)-(\d\d)(?: (\d\d):(\d\d):(\d\d)(?:\.(\d{1,6}))?)?$/;

function momentBytes(text: string): Buffer | null {
  const [, year, month, day, hour, minute = 0, second = 0, fraction] = MOMENT.exec(text) ?? [];
  if (year === undefined) return null;
  const bytes = Buffer.alloc(11);
  bytes.writeUInt16LE(Number(year));
  for (const [i, part] of [month, day, hour ?? 0, minute, second].entries()) bytes[2 + i] = Number(part);
  bytes.writeUInt32LE(Number((fraction ?? '').padEnd(6, '0')), 7);
  return bytes.subarray(0, fraction !== undefined && Number(fraction) > 0 ? 11 : hour === undefined ? 4 : 7);
}

/** Sign, days, hour, minute, second; microseconds. */
function timeText(cell: Buffer): string | null {
  const { length } = cell;
  if (length === 0) return '00:00:00';
  if (length !== 8 && length !== 12) return null;
  const hours = cell.readUInt32LE(1) * 24 + (cell[5] ?? 0);
  const micros = length === 12 ? `.${pad(cell.readUInt32LE(8), 6)}` : '';
  return `${cell[0] === 1 ? '-' : ''}${pad(hours, 2)}:${pad(cell[6] ?? 0, 2)}:${pad(cell[7] ?? 0, 2)}${micros}`;
}

function timeBytes(text: string): Buffer | null {
  const [, sign, hours, minute, second, fraction] = /^(-?)(\d{1,3}):(\d\d):(\d\d)(?:\.(\d{1,6}))?$/.exec(text) ?? [];
  if (hours === undefined) return null;
  const bytes = Buffer.alloc(12);
  bytes[0] = sign === '-' ? 1 : 0;
  bytes.writeUInt32LE(Math.floor(Number(hours) / 24), 1);
  for (const [i, part] of [Number(hours) % 24, minute, second].entries()) bytes[5 + i] = Number(part);
  bytes.writeUInt32LE(Number((fraction ?? '').padEnd(6, '0')), 8);
  return bytes.subarray(0, fraction === undefined ? 8 : 12);
}

function pad(value: number, digits: number): string {
  return String(value).padStart(digits, '0');
}
