// PostgreSQL's types: OIDs of the built-in ones (pg_type.dat), as far as masking knows how to fill them, and what the others are.

import type { CatalogType } from '../types.ts';

export const OID = {
  bool: 16,
  bytea: 17,
  char: 18,
  name: 19,
  int8: 20,
  int2: 21,
  int4: 23,
  text: 25,
  oid: 26,
  tid: 27,
  xid: 28,
  cid: 29,
  json: 114,
  xml: 142,
  point: 600,
  lseg: 601,
  path: 602,
  box: 603,
  polygon: 604,
  line: 628,
  cidr: 650,
  float4: 700,
  float8: 701,
  unknown: 705,
  circle: 718,
  macaddr8: 774,
  money: 790,
  macaddr: 829,
  inet: 869,
  bpchar: 1042,
  varchar: 1043,
  date: 1082,
  time: 1083,
  timestamp: 1114,
  timestamptz: 1184,
  interval: 1186,
  timetz: 1266,
  bit: 1560,
  varbit: 1562,
  numeric: 1700,
  uuid: 2950,
  pgLsn: 3220,
  tsvector: 3614,
  tsquery: 3615,
  jsonb: 3802,
  int4range: 3904,
  numrange: 3906,
  tsrange: 3908,
  tstzrange: 3910,
  daterange: 3912,
  int8range: 3926,
  jsonpath: 4072,
  int4multirange: 4451,
  nummultirange: 4532,
  tsmultirange: 4533,
  tstzmultirange: 4534,
  datemultirange: 4535,
  int8multirange: 4536,
  xid8: 5069,
} as const;

/** Array type to element type. */
export const ELEMENT_OF: ReadonlyMap<number, number> = new Map([
  [143, 142], // xml
  [199, 114], // json
  [271, 5069], // xid8
  [629, 628], // line
  [651, 650], // cidr
  [719, 718], // circle
  [775, 774], // macaddr8
  [791, 790], // money
  [1000, 16], // bool
  [1001, 17], // bytea
  [1002, 18], // "char"
  [1003, 19], // name
  [1005, 21], // int2
  [1007, 23], // int4
  [1009, 25], // text
  [1010, 27], // tid
  [1011, 28], // xid
  [1012, 29], // cid
  [1014, 1042], // bpchar
  [1015, 1043], // varchar
  [1016, 20], // int8
  [1017, 600], // point
  [1018, 601], // lseg
  [1019, 602], // path
  [1020, 603], // box
  [1021, 700], // float4
  [1022, 701], // float8
  [1027, 604], // polygon
  [1028, 26], // oid
  [1040, 829], // macaddr
  [1041, 869], // inet
  [1115, 1114], // timestamp
  [1182, 1082], // date
  [1183, 1083], // time
  [1185, 1184], // timestamptz
  [1187, 1186], // interval
  [1231, 1700], // numeric
  [1270, 1266], // timetz
  [1561, 1560], // bit
  [1563, 1562], // varbit
  [2951, 2950], // uuid
  [3221, 3220], // pg_lsn
  [3643, 3614], // tsvector
  [3645, 3615], // tsquery
  [3807, 3802], // jsonb
  [3905, 3904], // int4range
  [3907, 3906], // numrange
  [3909, 3908], // tsrange
  [3911, 3910], // tstzrange
  [3913, 3912], // daterange
  [3927, 3926], // int8range
  [4073, 4072], // jsonpath
  [6150, 4451], // int4multirange
  [6151, 4532], // nummultirange
  [6152, 4533], // tsmultirange
  [6153, 4534], // tstzmultirange
  [6155, 4535], // datemultirange
  [6157, 4536], // int8multirange
]);

/** Finds a type of the database's catalog by its OID; undefined where it does not have it. Not asked for built-in types. */
export type TypeLookup = (
  oid: number,
) => Pick<CatalogType, 'name' | 'kind' | 'category' | 'element' | 'base'> | undefined;

/**
 * What a type is to masking: one that OID knows (citext counts as text), an array of another, one that has an empty value, or
 * one of which no value is known that is always valid.
 */
export type Shape =
  | { readonly kind: 'known'; readonly oid: number }
  | { readonly kind: 'array'; readonly element: number }
  | { readonly kind: 'range' | 'multirange' | 'hstore' | 'opaque' };

const FIRST_USER_OID = 16_384;
const OPAQUE: Shape = { kind: 'opaque' };
const MOST_DOMAINS = 32;

export function shapeOf(typeOid: number, types: TypeLookup | undefined): Shape {
  let oid = typeOid;
  for (let n = 0; n < MOST_DOMAINS; n++) {
    const element = ELEMENT_OF.get(oid);
    if (element !== undefined) return { kind: 'array', element };
    if (oid < FIRST_USER_OID) return { kind: 'known', oid };
    const type = types?.(oid);
    if (type === undefined) return OPAQUE;
    if (type.kind === 'd') oid = type.base;
    else if (type.category === 'A' && type.element > 0) return { kind: 'array', element: type.element };
    else if (type.kind === 'r') return { kind: 'range' };
    else if (type.kind === 'm') return { kind: 'multirange' };
    else if (type.kind !== 'b') return OPAQUE;
    else if (type.name === 'citext') return { kind: 'known', oid: OID.text };
    else return type.name === 'hstore' ? { kind: 'hstore' } : OPAQUE;
  }
  return OPAQUE;
}

/** Types whose text and binary forms are the characters themselves. */
export function isText(typeOid: number): boolean {
  switch (typeOid) {
    case OID.text:
    case OID.varchar:
    case OID.bpchar:
    case OID.name:
    case OID.unknown:
      return true;
    default:
      return false;
  }
}

const MAX_NAME_BYTES = 63;
const TYPMOD_OFFSET = 4;

/** How many characters (of `name`: bytes) the type holds; Infinity where it is not limited. */
export function lengthLimit(typeOid: number, typeModifier: number): number {
  if (typeOid === OID.name) return MAX_NAME_BYTES;
  const limited = typeOid === OID.varchar || typeOid === OID.bpchar;
  return limited && typeModifier > TYPMOD_OFFSET ? typeModifier - TYPMOD_OFFSET : Number.POSITIVE_INFINITY;
}
