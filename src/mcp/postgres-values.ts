// PostgreSQL's text values as JSON: what JSON has without loss becomes it, all else stays the text that the database wrote.

import type { Json } from './database.ts';

/** By pg_type.oid, which are fixed for the system's types (`pg_type.dat`). */
const NAMES: Readonly<Record<number, string>> = {
  16: 'bool',
  17: 'bytea',
  18: 'char',
  19: 'name',
  20: 'int8',
  21: 'int2',
  23: 'int4',
  25: 'text',
  26: 'oid',
  114: 'json',
  142: 'xml',
  199: 'json[]',
  600: 'point',
  650: 'cidr',
  700: 'float4',
  701: 'float8',
  790: 'money',
  829: 'macaddr',
  869: 'inet',
  1000: 'bool[]',
  1001: 'bytea[]',
  1003: 'name[]',
  1005: 'int2[]',
  1007: 'int4[]',
  1009: 'text[]',
  1015: 'varchar[]',
  1016: 'int8[]',
  1021: 'float4[]',
  1022: 'float8[]',
  1028: 'oid[]',
  1042: 'bpchar',
  1043: 'varchar',
  1082: 'date',
  1083: 'time',
  1114: 'timestamp',
  1115: 'timestamp[]',
  1182: 'date[]',
  1184: 'timestamptz',
  1185: 'timestamptz[]',
  1186: 'interval',
  1231: 'numeric[]',
  1266: 'timetz',
  1560: 'bit',
  1562: 'varbit',
  1700: 'numeric',
  2205: 'regclass',
  2249: 'record',
  2278: 'void',
  2950: 'uuid',
  2951: 'uuid[]',
  3614: 'tsvector',
  3802: 'jsonb',
  3807: 'jsonb[]',
  3904: 'int4range',
  3906: 'numrange',
  3908: 'tsrange',
  3910: 'tstzrange',
  3912: 'daterange',
  3926: 'int8range',
};

/** Its name, or `oid 16400` for one of the database's own. */
export function pgType(oid: number): string {
  return NAMES[oid] ?? `oid ${oid}`;
}

/** int8 and numeric stay texts: a JSON number would lose digits. */
export function pgValue(text: string | null, oid: number): Json {
  if (text === null) return null;
  switch (NAMES[oid]) {
    case 'bool':
      return text === 't';
    case 'int2':
    case 'int4':
    case 'oid':
    case 'float4':
    case 'float8': {
      const number = Number(text);
      return Number.isFinite(number) ? number : text;
    }
    case 'json':
    case 'jsonb':
      return parsed(text);
    default:
      return text;
  }
}

/** A masked value may be no JSON any more. */
function parsed(text: string): Json {
  try {
    return JSON.parse(text) as Json;
  } catch {
    return text;
  }
}
