// What a redacted value looks like: for each PostgreSQL type one harmless value, in text and in binary form.
// The binary layouts are those of the types' receive functions (src/backend/utils/adt/*.c: numeric_recv, inet_recv …).

import { isText, lengthLimit, OID, shapeOf, type TypeLookup } from './pg-types.ts';

const WORD = '[redacted]';

/** Values whose binary form is that many zero bytes. */
const ZEROS: ReadonlyMap<number, readonly [text: string, bytes: number]> = new Map([
  [OID.bool, ['f', 1]],
  [OID.int2, ['0', 2]],
  [OID.int4, ['0', 4]],
  [OID.int8, ['0', 8]],
  [OID.oid, ['0', 4]],
  [OID.tid, ['(0,0)', 6]],
  [OID.xid, ['0', 4]],
  [OID.cid, ['0', 4]],
  [OID.xid8, ['0', 8]],
  [OID.float4, ['0', 4]],
  [OID.float8, ['0', 8]],
  [OID.numeric, ['0', 8]], // ndigits, weight, sign, dscale: 16 bits each
  [OID.time, ['00:00:00', 8]],
  [OID.timetz, ['00:00:00+00', 12]],
  [OID.interval, ['00:00:00', 16]],
  [OID.uuid, ['00000000-0000-0000-0000-000000000000', 16]],
  [OID.macaddr, ['00:00:00:00:00:00', 6]],
  [OID.macaddr8, ['00:00:00:00:00:00:00:00', 8]],
  [OID.bytea, ['\\x', 0]],
  [OID.money, ['0', 8]],
  [OID.pgLsn, ['0/0', 8]],
  [OID.varbit, ['', 4]], // number of bits
  [OID.point, ['(0,0)', 16]],
  [OID.lseg, ['[(0,0),(0,0)]', 32]],
  [OID.box, ['(0,0),(0,0)', 32]],
  [OID.circle, ['<(0,0),0>', 24]],
  [OID.tsvector, ['', 4]], // no lexemes
  [OID.int4multirange, ['{}', 4]], // no ranges
  [OID.int8multirange, ['{}', 4]],
  [OID.nummultirange, ['{}', 4]],
  [OID.tsmultirange, ['{}', 4]],
  [OID.tstzmultirange, ['{}', 4]],
  [OID.datemultirange, ['{}', 4]],
]);

const RANGES: ReadonlySet<number> = new Set([
  OID.int4range,
  OID.int8range,
  OID.numrange,
  OID.tsrange,
  OID.tstzrange,
  OID.daterange,
]);
const RANGE_EMPTY = 1;

// PostgreSQL counts from 2000-01-01; these are 1970-01-01, which reads the same in every DateStyle.
const EPOCH_DAYS = -10_957;
const EPOCH_MICROSECONDS = BigInt(EPOCH_DAYS) * 86_400_000_000n;

const FAMILY_INET = 2;
const JSONB_VERSION = 1;
const JSONPATH_VERSION = 1;
/** A path of one point: closed (1 byte), number of points, the point. A polygon: the same without the first byte. */
const PATH = Buffer.from([1, 0, 0, 0, 1, ...Buffer.alloc(16)]);
/** 0x + 1y + 0 = 0: A and B must not both be zero. */
const LINE = Buffer.alloc(24);
LINE.writeDoubleBE(1, 8);
/** tsqueryrecv: one item, an operand (1) without weights or prefix match; an empty query is not received. */
const TSQUERY = '\0\0\0\x01\x01\0\0redacted\0';

/**
 * The bytes that stand for a redacted value of the type in format 0 (text) or 1 (binary); null is SQL NULL: for types
 * that have no value which is always valid (enumerations, composites, what an extension made), and for any other format.
 */
export function redacted(
  column: number,
  typeModifier: number,
  format: number,
  types?: TypeLookup | undefined,
): Buffer | null {
  if (format !== 0 && format !== 1) return null;
  const shape = shapeOf(column, types);
  switch (shape.kind) {
    case 'opaque':
      return null;
    case 'array':
      return format === 0 ? Buffer.from('{}') : emptyArray(shape.element);
    case 'range':
      return format === 0 ? Buffer.from('empty') : Buffer.from([RANGE_EMPTY]);
    case 'multirange':
      return format === 0 ? Buffer.from('{}') : Buffer.alloc(4);
    case 'hstore':
      return format === 0 ? Buffer.alloc(0) : Buffer.alloc(4);
    case 'known':
      return builtIn(shape.oid, typeModifier, format);
  }
}

function builtIn(typeOid: number, typeModifier: number, format: number): Buffer | null {
  if (isText(typeOid)) return fitted(WORD, typeOid, typeModifier);
  const text = format === 0;
  const zeros = ZEROS.get(typeOid);
  if (zeros) return text ? Buffer.from(zeros[0]) : Buffer.alloc(zeros[1]);
  if (RANGES.has(typeOid)) return text ? Buffer.from('empty') : Buffer.from([RANGE_EMPTY]);
  switch (typeOid) {
    case OID.char:
      return Buffer.from('*');
    case OID.json:
      return Buffer.from(`"${WORD}"`);
    case OID.jsonb:
      return text ? Buffer.from(`"${WORD}"`) : Buffer.from([JSONB_VERSION, ...Buffer.from(`"${WORD}"`)]);
    case OID.bit:
      return zeroBits(Math.max(typeModifier, 1), text);
    case OID.path:
      return text ? Buffer.from('((0,0))') : PATH;
    case OID.polygon:
      return text ? Buffer.from('((0,0))') : PATH.subarray(1);
    case OID.line:
      return text ? Buffer.from('{0,1,0}') : LINE;
    case OID.jsonpath:
      return text ? Buffer.from('$') : Buffer.from([JSONPATH_VERSION, 0x24]);
    case OID.xml:
      return Buffer.from('<redacted/>');
    case OID.tsquery:
      return Buffer.from(text ? "'redacted'" : TSQUERY, 'latin1');
    case OID.date:
      return text ? Buffer.from('1970-01-01') : int32(EPOCH_DAYS);
    case OID.timestamp:
      return text ? Buffer.from('1970-01-01 00:00:00') : int64(EPOCH_MICROSECONDS);
    case OID.timestamptz:
      return text ? Buffer.from('1970-01-01 00:00:00+00') : int64(EPOCH_MICROSECONDS);
    case OID.inet:
      return text ? Buffer.from('0.0.0.0') : address(0);
    case OID.cidr:
      return text ? Buffer.from('0.0.0.0/32') : address(1);
    default:
      return null;
  }
}

/** A text as the type would hold it: varchar(n) cut, character(n) cut or padded, name cut to 63 bytes. */
export function fitted(value: string, typeOid: number, typeModifier: number): Buffer {
  const limit = lengthLimit(typeOid, typeModifier);
  if (typeOid === OID.name) {
    let name = value;
    while (Buffer.byteLength(name) > limit) name = [...name].slice(0, -1).join('');
    return Buffer.from(name);
  }
  if (limit === Number.POSITIVE_INFINITY) return Buffer.from(value);
  const characters = [...value];
  const padding = typeOid === OID.bpchar ? Math.max(0, limit - characters.length) : 0;
  return Buffer.from(characters.slice(0, limit).join('') + ' '.repeat(padding));
}

function emptyArray(element: number): Buffer {
  const bytes = Buffer.alloc(12); // dimensions, flags, element type
  bytes.writeUInt32BE(element, 8);
  return bytes;
}

/** bit_recv: the number of bits, then the bits in whole bytes. */
function zeroBits(bits: number, text: boolean): Buffer {
  if (text) return Buffer.alloc(bits, '0');
  const bytes = Buffer.alloc(4 + Math.ceil(bits / 8));
  bytes.writeInt32BE(bits);
  return bytes;
}

function address(isCidr: number): Buffer {
  return Buffer.from([FAMILY_INET, 32, isCidr, 4, 0, 0, 0, 0]);
}

function int32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(value);
  return bytes;
}

function int64(value: bigint): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigInt64BE(value);
  return bytes;
}
