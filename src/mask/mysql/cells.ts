// Masks for cells of MySQL's types, in the text and in the binary protocol. Text, JSON and bytes are masked as PostgreSQL's are; numbers
// and moments by their text, so that a value has one token in both protocols and in both databases.
import type { CellMask, Column } from '../../types.ts';
import { detectorMask } from '../detectors/cell.ts';
import type { Detector } from '../detectors/scan.ts';
import { OID } from '../pg-types.ts';
import type { Strategy } from '../rules.ts';
import { cellMask } from '../strategies.ts';
import { binaryOf, integerWidth, TYPE, textOf } from './values.ts';

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
const TYPMOD_OFFSET = 4;

/** How a type is masked: as one of PostgreSQL's by its bytes, by its text, or not in any way but NULL. */
type Form =
  | { readonly kind: 'bytes'; readonly oid: number; readonly modifier: number; readonly format: number }
  | { readonly kind: 'text'; readonly oid: number; readonly modifier: number }
  /** So many zero bytes. */
  | { readonly kind: 'zeros'; readonly length: number }
  | { readonly kind: 'null' };

function formOf(column: MysqlColumn): Form {
  const { typeOid, typeModifier, flags = 0, charset = BINARY, decimals = 0 } = column;
  if ((flags & (ENUM | SET)) !== 0) return { kind: 'null' };
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
      return { kind: 'zeros', length: Math.ceil(typeModifier / 8) };
    case TYPE.json:
      return { kind: 'bytes', oid: OID.json, modifier: -1, format: 0 };
    case TYPE.varchar:
    case TYPE.varString:
    case TYPE.string:
    case TYPE.tinyBlob:
    case TYPE.blob:
    case TYPE.mediumBlob:
    case TYPE.longBlob:
      if (charset !== BINARY) return text(typeModifier, charset);
      if (typeOid === TYPE.string) return { kind: 'zeros', length: typeModifier };
      return { kind: 'bytes', oid: OID.bytea, modifier: -1, format: 1 };
    default:
      return { kind: 'null' };
  }
}

/** DECIMAL(precision, scale) as PostgreSQL's modifier; the length counts the point and the sign too. */
function precision(length: number, decimals: number, flags: number): number {
  const digits = length - (decimals > 0 ? 1 : 0) - ((flags & UNSIGNED) !== 0 ? 0 : 1);
  return digits < 1 || digits > 65 || decimals > 30 ? -1 : ((digits << 16) | decimals) + TYPMOD_OFFSET;
}

function text(length: number, charset: number): Form {
  const limited = length >= 0 && length < UNLIMITED;
  const modifier = limited ? Math.floor(length / bytesPerCharacter(charset)) + TYPMOD_OFFSET : -1;
  return { kind: 'bytes', oid: limited ? OID.varchar : OID.text, modifier, format: 0 };
}

/** Of utf8mb3's collations three; utf8mb4, and whatever else there might be, is taken for four. */
function bytesPerCharacter(charset: number): number {
  return charset === 33 || charset === 83 || (charset >= 192 && charset <= 223) ? 3 : 4;
}

/** The mask for a column of a result. What it answers is a valid value of the type, or null (SQL NULL) where there is none. */
export function mysqlCellMask(strategy: Strategy, column: MysqlColumn): CellMask {
  const form = formOf(column);
  if (strategy.kind === 'null' || form.kind === 'null') return () => null;
  if (form.kind === 'zeros') {
    const zeros = strategy.kind === 'constant' ? null : Buffer.alloc(form.length);
    return () => zeros;
  }
  if (form.kind === 'bytes') return cellMask(strategy, form.oid, form.modifier, form.format);
  const mask = cellMask(strategy, form.oid, form.modifier, 0);
  if (strategy.kind === 'hash') return byText(mask, column);
  // The same for every cell.
  const value = mask(NOUGHT, 0, NOUGHT.length);
  const made = value == null ? null : written(value, column, strategy.kind !== 'constant');
  return () => made;
}

const NOUGHT = Buffer.from('0');

/** A mask of texts for a column of either protocol. What it does not understand becomes NULL. */
function byText(mask: CellMask, column: MysqlColumn): CellMask {
  const { typeOid, flags = 0 } = column;
  const own = isOwn(column);
  return (buffer, start, end) => {
    const text = own
      ? textOf(buffer.subarray(start, end), typeOid, (flags & UNSIGNED) !== 0)
      : withoutZeros(buffer.toString('latin1', start, end), flags);
    if (text === null) return null;
    const cell = Buffer.from(text);
    const value = mask(cell, 0, cell.length);
    return value == null ? value : written(value, column, true);
  };
}

/** What a mask of texts has made, as the column's protocol has it. `folds`: what is too large for the type is made to fit. */
function written(value: Uint8Array, column: MysqlColumn, folds: boolean): Buffer | null {
  const made = fitted(Buffer.from(value).toString('latin1'), column, folds);
  return made === null ? null : isOwn(column) ? binaryOf(made, column.typeOid) : Buffer.from(made);
}

/** A form of the binary protocol's own. DECIMAL is text there too. */
function isOwn({ typeOid, format }: MysqlColumn): boolean {
  return format === 1 && typeOid !== TYPE.decimal && typeOid !== TYPE.newdecimal;
}

/** ZEROFILL writes 7 as 0007. */
function withoutZeros(text: string, flags: number): string {
  return (flags & ZEROFILL) === 0 ? text : text.replace(/^0+(?=\d)/, '');
}

/** A text within what the column's type holds, written as the server writes it; null where it does not fit. */
function fitted(value: string, column: MysqlColumn, folds: boolean): string | null {
  const { typeOid, typeModifier, format, flags = 0, decimals = 0 } = column;
  if (integerWidth(typeOid) !== undefined) {
    const number = whole(value, column, folds);
    if (number === null || format === 1 || (flags & ZEROFILL) === 0) return number;
    return number.padStart(typeModifier, '0');
  }
  switch (typeOid) {
    case TYPE.decimal:
    case TYPE.newdecimal: {
      if (decimals === 0 || decimals > 30) return value;
      const [integral, fraction = ''] = value.split('.');
      return `${integral}.${fraction.padEnd(decimals, '0').slice(0, decimals)}`;
    }
    case TYPE.datetime:
    case TYPE.timestamp:
    case TYPE.time: {
      if (format === 1 || decimals === 0 || decimals > 6) return value.replace(/\..*$/, '');
      const [moment, fraction = ''] = value.split('.');
      return `${moment}.${fraction.padEnd(decimals, '0').slice(0, decimals)}`;
    }
    default:
      return value;
  }
}

/** An integer within its type. */
function whole(value: string, { typeOid, flags = 0 }: MysqlColumn, folds: boolean): string | null {
  if (!/^-?\d{1,20}$/.test(value)) return null;
  const number = BigInt(value);
  const [least, most] = rangeOf(typeOid, (flags & UNSIGNED) !== 0);
  if (number >= least && number <= most) return String(number);
  if (!folds || number < 0n) return null;
  return String((least < 0n ? 0n : least) + (number % (most - (least < 0n ? 0n : least) + 1n)));
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
    case 'bytes':
      return detectorMask(detector, form.oid, form.modifier, form.format);
    case 'text': {
      if (form.oid !== OID.int8 && form.oid !== OID.numeric) return undefined;
      const mask = detectorMask(detector, form.oid, form.modifier, 0);
      return mask && byText(mask, column);
    }
    case 'zeros':
      return column.typeOid === TYPE.string
        ? detectorMask(detector, OID.varchar, form.length + TYPMOD_OFFSET, 0)
        : undefined;
    // The members of ENUM and SET are names of the schema; a shape holds no text.
    case 'null':
      return undefined;
  }
}
