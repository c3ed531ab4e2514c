// Every type's masked values are handed back to a real PostgreSQL, in text and in binary: they must be valid and the same.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Client } from 'pg';
import type { TypeLookup } from '../../src/mask/pg-types.ts';
import { ELEMENT_OF } from '../../src/mask/pg-types.ts';
import type { Strategy } from '../../src/mask/rules.ts';
import { cellMask } from '../../src/mask/strategies.ts';
import type { PostgresServer } from '../servers/postgres.ts';
import { startPostgres } from '../servers/postgres.ts';
import { accepted, onWire } from './wire.ts';

let server: PostgresServer;
let client: Client;

before(async () => {
  server = await startPostgres({
    sql: `CREATE TYPE mood AS ENUM ('glad'); CREATE TYPE pair AS (a int, b text); CREATE DOMAIN short AS varchar(5); CREATE DOMAIN moods AS mood[]; CREATE TYPE span AS RANGE (subtype = text)`,
  });
  client = new Client({ connectionString: server.connectionString });
  await client.connect();
});

after(async () => {
  await client.end();
  await server.stop();
});

/** The types that this test made, as a catalog knows them. */
async function catalogTypes(): Promise<TypeLookup> {
  const { rows } = await client.query<{ oid: number } & NonNullable<ReturnType<TypeLookup>>>(
    `SELECT oid::int, typname AS name, typtype AS kind, typcategory AS category, typelem::int AS element,
       typbasetype::int AS base FROM pg_type WHERE oid >= 16384`,
  );
  return (oid) => rows.find((row) => row.oid === oid);
}

async function check(type: string, sample: string, strategy: Strategy, expected: string | null): Promise<void> {
  for (const binary of [false, true]) {
    const { oid, modifier, bytes } = await onWire(client, type, sample, binary);
    const masked = cellMask(strategy, oid, modifier, binary ? 1 : 0)(bytes, 0, bytes.length);
    // The column's own type and modifier: nothing is cut or padded by the cast that the mask did not do.
    const base = /^bit.\d+.$/.test(type)
      ? 'varbit'
      : type === 'short'
        ? 'varchar'
        : type.replace(/\([\d,]+\)$/, '').replace(/^char$/, 'bpchar');
    assert.equal(await accepted(client, base, masked, binary), expected, `${type}, ${binary ? 'binary' : 'text'}`);
  }
}

const REDACTED: readonly (readonly [type: string, sample: string, expected: string | null])[] = [
  ['text', 'secret', '[redacted]'],
  ['varchar', 'secret', '[redacted]'],
  ['varchar(4)', 'secr', '[red'],
  ['char(4)', 'ab', '[red'],
  ['char(12)', 'ab', '[redacted]  '],
  ['name', 'secret', '[redacted]'],
  ['short', 'secr', '[reda'],
  ['"char"', 's', '*'],
  ['bool', 't', 'f'],
  ['int2', '7', '0'],
  ['int4', '7', '0'],
  ['int8', '7', '0'],
  ['oid', '7', '0'],
  ['xid', '7', '0'],
  ['cid', '7', '0'],
  ['xid8', '7', '0'],
  ['float4', '7.5', '0'],
  ['float8', '7.5', '0'],
  ['numeric', '7.25', '0'],
  ['numeric(10,2)', '7.25', '0'],
  ['date', '2020-02-02', '1970-01-01'],
  ['time', '12:30', '00:00:00'],
  ['timetz', '12:30+02', '00:00:00+00'],
  ['timestamp', '2020-02-02 12:30', '1970-01-01 00:00:00'],
  ['timestamptz', '2020-02-02 12:30', '1970-01-01 00:00:00+00'],
  ['timestamp(3)', '2020-02-02 12:30', '1970-01-01 00:00:00'],
  ['interval', '3 days', '00:00:00'],
  ['uuid', 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', '00000000-0000-0000-0000-000000000000'],
  ['json', '{"a":1}', '"[redacted]"'],
  ['jsonb', '{"a":1}', '"[redacted]"'],
  ['bytea', '\\x0102', '\\x'],
  ['xml', '<a/>', '<redacted/>'],
  ['inet', '10.1.2.3', '0.0.0.0'],
  ['inet', '2001:db8::1', '0.0.0.0'],
  ['cidr', '10.1.2.0/24', '0.0.0.0/32'],
  ['macaddr', '08:00:2b:01:02:03', '00:00:00:00:00:00'],
  ['macaddr8', '08:00:2b:01:02:03:04:05', '00:00:00:00:00:00:00:00'],
  ['tsvector', 'a secret', ''],
  ['tsquery', 'secret', "'redacted'"],
  ['int4range', '[1,5)', 'empty'],
  ['int8range', '[1,5)', 'empty'],
  ['numrange', '[1,5)', 'empty'],
  ['daterange', '[2020-01-01,2020-02-01)', 'empty'],
  ['tsrange', '[2020-01-01,2020-02-01)', 'empty'],
  ['tstzrange', '[2020-01-01,2020-02-01)', 'empty'],
  ['int4multirange', '{[1,5)}', '{}'],
  ['int8multirange', '{[1,5)}', '{}'],
  ['nummultirange', '{[1,5)}', '{}'],
  ['datemultirange', '{[2020-01-01,2020-02-01)}', '{}'],
  ['tsmultirange', '{[2020-01-01,2020-02-01)}', '{}'],
  ['tstzmultirange', '{[2020-01-01,2020-02-01)}', '{}'],
  ['text[]', '{a,b}', '{}'],
  ['varchar(3)[]', '{a,b}', '{}'],
  ['numeric[]', '{1,2}', '{}'],
  ['mood', 'glad', null],
  ['mood[]', '{glad}', null],
  ['pair', '(1,b)', null],
  ['money', '7', '$0.00'],
  ['bit(3)', '101', '000'],
  ['bit(17)', '10111111111111111', '00000000000000000'],
  ['varbit(3)', '101', ''],
  ['bit(3)[]', '{101}', '{}'],
  ['point', '(1,2)', '(0,0)'],
  ['lseg', '[(1,2),(3,4)]', '[(0,0),(0,0)]'],
  ['line', '{1,2,3}', '{0,1,0}'],
  ['box', '(1,2),(3,4)', '(0,0),(0,0)'],
  ['path', '((1,2),(3,4))', '((0,0))'],
  ['polygon', '((1,2),(3,4))', '((0,0))'],
  ['circle', '<(1,2),3>', '<(0,0),0>'],
  ['tid', '(1,2)', '(0,0)'],
  ['pg_lsn', '1/2', '0/0'],
  ['jsonpath', '$.a', '$'],
];

test('redact', async () => {
  for (const [type, sample, expected] of REDACTED) await check(type, sample, { kind: 'redact' }, expected);
});

test('every built-in array type is redacted to the empty array of its element', async () => {
  const known = await client.query<{ oid: number; element: number }>(
    `SELECT typarray::int AS oid, oid::int AS element FROM pg_type WHERE typarray = ANY($1::int[]::oid[])`,
    [[...ELEMENT_OF.keys()]],
  );
  assert.deepEqual(new Map(known.rows.map((r) => [r.oid, r.element])), ELEMENT_OF);
});

test('types that are not built in: with the catalog’s word for what they are', async () => {
  const types = await catalogTypes();
  const cases: readonly (readonly [type: string, sample: string, strategy: Strategy, expected: string | null])[] = [
    ['mood', 'glad', { kind: 'redact' }, null],
    ['mood[]', '{glad}', { kind: 'redact' }, '{}'],
    ['moods', '{glad}', { kind: 'redact' }, '{}'],
    ['mood[]', '{glad,NULL}', { kind: 'constant', value: 'glad' }, '{NULL,NULL}'],
    ['pair', '(1,b)', { kind: 'redact' }, null],
    ['span', '[a,b)', { kind: 'redact' }, 'empty'],
    ['span', '[a,b)', { kind: 'constant', value: 'x' }, 'empty'],
    ['span_multirange', '{[a,b)}', { kind: 'redact' }, '{}'],
    ['span[]', '{"[a,b)"}', { kind: 'partial', keepStart: 0, keepEnd: 1 }, '{empty}'],
    ['short[]', '{abcde,NULL}', { kind: 'partial', keepStart: 1, keepEnd: 1 }, '{a***e,NULL}'],
  ];
  for (const [type, sample, strategy, expected] of cases) {
    for (const binary of [false, true]) {
      const { oid, modifier, bytes } = await onWire(client, type, sample, binary);
      const masked = cellMask(strategy, oid, modifier, binary ? 1 : 0, types)(bytes, 0, bytes.length);
      assert.equal(await accepted(client, type, masked, binary), expected, `${type}, ${binary ? 'binary' : 'text'}`);
    }
  }
});

test('extensions’ types by their name: citext is text, hstore has an empty value', () => {
  const types: TypeLookup = (oid) => {
    return { name: oid === 20_001 ? 'citext' : 'hstore', kind: 'b', category: 'S', element: 0, base: 0 };
  };
  const masked = (oid: number, format: number): Uint8Array | null | undefined =>
    cellMask({ kind: 'redact' }, oid, -1, format, types)(Buffer.from('x'), 0, 1);
  assert.equal(String(masked(20_001, 0)), '[redacted]');
  assert.equal(String(masked(20_001, 1)), '[redacted]');
  assert.equal(String(masked(20_002, 0)), '');
  assert.deepEqual(masked(20_002, 1), Buffer.alloc(4));
});

test('null', async () => {
  for (const [type, sample] of REDACTED) await check(type, sample, { kind: 'null' }, null);
});

test('partial keeps the type: text is starred, other types are redacted', async () => {
  const strategy: Strategy = { kind: 'partial', keepStart: 1, keepEnd: 2 };
  await check('text', 'secret', strategy, 's***et');
  await check('varchar(6)', 'sécret', strategy, 's***et');
  await check('name', 'secret', strategy, 's***et');
  await check('char(8)', 'secret', strategy, 's***et  ');
  await check('int4', '12345678', strategy, '0');
  await check('json', '"secret"', strategy, '"[redacted]"');
  await check('"char"', 's', strategy, '*');
  await check('mood', 'glad', strategy, null);
  await check('text[]', '{secret,NULL,"a,b\\"cdef"}', strategy, '{s***et,NULL,a*****ef}');
  await check('int4[]', '{1,NULL}', strategy, '{0,NULL}');
});

const CONSTANTS: readonly (readonly [type: string, sample: string, constant: string, expected: string | null])[] = [
  ['text', 'a', 'someone@example.com', 'someone@example.com'],
  ['varchar(4)', 'a', 'sömeone', 'söme'],
  ['char(4)', 'a', 'x', 'x   '],
  ['name', 'a', 'é'.repeat(40), 'é'.repeat(31)],
  ['int2', '1', '-32768', '-32768'],
  ['int2', '1', '32768', null],
  ['int4', '1', '0042', '42'],
  ['int4', '1', 'x', null],
  ['int8', '1', '9223372036854775807', '9223372036854775807'],
  ['float4', '1', '1.5', '1.5'],
  ['float8', '1', '-0.1', '-0.1'],
  ['float4', '1', `1${'0'.repeat(50)}`, null],
  ['numeric', '1', '-12345678.000910', '-12345678.000910'],
  ['numeric', '1', '10000', '10000'],
  ['numeric', '1', '0.00', '0.00'],
  ['numeric', '1', '00012.5', '12.5'],
  ['numeric', '1', '1e5', null],
  ['bool', 'f', 'true', 't'],
  ['bool', 'f', 'yes', null],
  [
    'uuid',
    'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11',
    'A0EEBC99-0000-0000-0000-000000000000',
    'a0eebc99-0000-0000-0000-000000000000',
  ],
  ['date', '2020-01-01', '1999-12-31', '1999-12-31'],
  ['date', '2020-01-01', '2023-02-30', null],
  ['timestamp', '2020-01-01', '1969-12-31 23:59:59.5', '1969-12-31 23:59:59.5'],
  ['timestamp', '2020-01-01', '2020-01-01T24:00:00', null],
  ['timestamptz', '2020-01-01', '2001-02-03T04:05:06.000007', '2001-02-03 04:05:06.000007+00'],
  ['json', '1', '{"a": 1}', '{"a": 1}'],
  ['jsonb', '1', '{"a":1}', '{"a": 1}'],
  ['jsonb', '1', '{a}', null],
  ['jsonb', '1', '"\\u0000"', null],
  ['bytea', '\\x01', '\\xDEAD', '\\xdead'],
  ['bytea', '\\x01', 'text', null],
  ['mood', 'glad', 'glad', null],
  ['inet', '1.2.3.4', '192.0.2.7', '192.0.2.7'],
  ['inet', '1.2.3.4', '2001:DB8::7', '2001:db8::7'],
  ['inet', '1.2.3.4', '::', '::'],
  ['inet', '1.2.3.4', 'host', null],
  ['time', '10:00', '23:59:59.5', '23:59:59.5'],
  ['time', '10:00', '24:00:00', null],
  ['int4[]', '{1,NULL,3}', '2', '{2,NULL,2}'],
  ['int4[]', '[0:1]={1,2}', '7', '[0:1]={7,7}'],
  ['int4[]', '{1}', 'x', '{NULL}'],
  ['text[]', '{a}', 'null', '{"null"}'],
  ['text[]', '{a}', '', '{""}'],
  ['text[]', '{{a,"b c"},{NULL,""}}', 'say "x"', '{{"say \\"x\\"","say \\"x\\""},{NULL,"say \\"x\\""}}'],
  ['box[]', '{(1,2),(0,0);(3,4),(0,0)}', 'x', '{NULL;NULL}'],
];

test('constant: the value in the column’s type, NULL where the type cannot hold it', async () => {
  await client.query("SET timezone = 'UTC'");
  for (const [type, sample, value, expected] of CONSTANTS) {
    await check(type, sample, { kind: 'constant', value }, expected);
  }
});

test('an unknown format masks to NULL', () => {
  for (const strategy of [{ kind: 'redact' }, { kind: 'constant', value: 'x' }] as const) {
    assert.equal(cellMask(strategy, 25, -1, 2)(Buffer.from('secret'), 0, 6), null);
  }
});
