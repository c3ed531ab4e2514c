// Kept results and parameters read as PostgreSQL itself writes them, wherever the kept part ends; the timeline is in order.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Client } from 'pg';
import { to as copyTo } from 'pg-copy-streams';
import { decodeCell } from '../../src/record/cells.ts';
import { decodeParameter, decodeResult, timeline } from '../../src/record/replay.ts';
import { startPostgres } from '../servers/postgres.ts';
import { sampleOutcome, sampleStatement } from './sample.ts';

/** A protocol message: type, length, body. */
function message(type: string, ...parts: Buffer[]): Buffer {
  const body = Buffer.concat(parts);
  const head = Buffer.alloc(5);
  head.write(type, 0, 'latin1');
  head.writeInt32BE(body.length + 4, 1);
  return Buffer.concat([head, body]);
}

function int16(value: number): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeInt16BE(value);
  return bytes;
}

function int32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(value);
  return bytes;
}

function rowDescription(...fields: readonly (readonly [name: string, oid: number, format: number])[]): Buffer {
  const described = fields.map(([name, oid, format]) =>
    Buffer.concat([Buffer.from(`${name}\0`), int32(0), int16(0), int32(oid), int16(-1), int32(-1), int16(format)]),
  );
  return message('T', int16(fields.length), ...described);
}

function dataRow(...cells: readonly (string | Buffer | null)[]): Buffer {
  const written = cells.map((cell) =>
    cell === null ? int32(-1) : Buffer.concat([int32(Buffer.byteLength(cell)), Buffer.from(cell)]),
  );
  return message('D', int16(cells.length), ...written);
}

// One a type that is decoded, at its ends and in between.
const VALUES = [
  'true',
  'false',
  '\'x\'::"char"',
  "'name'::name",
  "'a'::bpchar",
  "'Ünï'::text",
  "'v'::varchar(5)",
  '\'{"a": 1}\'::json',
  '\'{"b": [1, null]}\'::jsonb',
  '32767::int2',
  '(-32768)::int2',
  '2147483647',
  '-2147483648',
  '9223372036854775807',
  '-9223372036854775808',
  '4294967295::oid',
  '0.1::float4',
  '3.14159274::float4',
  "'NaN'::float4",
  '0.1::float8',
  '-1234.5678::float8',
  "'Infinity'::float8",
  '0::numeric',
  '1.10::numeric',
  '-12345678901234567890.000000012::numeric',
  '0.00001::numeric',
  '10000::numeric',
  '100000000.5::numeric',
  "'NaN'::numeric",
  "'-Infinity'::numeric",
  '1e40::numeric',
  "'2024-02-29'::date",
  "'1999-12-31'::date",
  "'0001-01-01'::date",
  "'0044-03-15 BC'::date",
  "'5874897-12-31'::date",
  "'infinity'::date",
  "'2024-06-30 23:59:59.999999'::timestamp",
  "'1969-07-20 20:17:40'::timestamp",
  "'4713-01-01 00:00:00 BC'::timestamp",
  "'294276-12-31 23:59:59.999999'::timestamp",
  "'-infinity'::timestamp",
  "'2024-01-01 00:00:00.5+03'::timestamptz",
  "'infinity'::timestamptz",
  "'\\x00ff10'::bytea",
  "''::text",
  "'6ba7b810-9dad-11d1-80b4-00c04fd430c8'::uuid",
];

test('binary cells read as the server writes them in text', async (t) => {
  const server = await startPostgres();
  t.after(() => server.stop());
  const client = new Client(server.connectionString);
  await client.connect();
  await client.query("SET timezone = 'UTC'; SET datestyle = 'ISO'; SET bytea_output = 'hex'");
  // What the types' output functions wrote: not parsed, and not cast, which would make `t` of a boolean `true`.
  const unparsed = { getTypeParser: () => (text: string) => text };
  const ask = async (expressions: string[]): Promise<(string | null)[]> => {
    const text = `SELECT ${expressions.join(', ')}`;
    const { rows } = await client.query<(string | null)[]>({ text, rowMode: 'array', types: unparsed });
    return rows[0] ?? [];
  };
  const texts = await ask(VALUES);
  const oids = await ask(VALUES.map((value) => `pg_typeof(${value})::oid`));
  // COPY in binary has each row as a DataRow has it, behind 19 bytes of head.
  const chunks: Buffer[] = [];
  for await (const chunk of client.query(copyTo(`COPY (SELECT ${VALUES.join(', ')}) TO STDOUT (FORMAT binary)`))) {
    chunks.push(chunk);
  }
  await client.end();
  const row = Buffer.concat(chunks).subarray(19, -2);
  const fields = VALUES.map((value, n) => [value, Number(oids[n]), 1] as const);
  const [result, ...others] = decodeResult(Buffer.concat([rowDescription(...fields), message('D', row)]));
  assert.deepEqual(others, []);
  assert.deepEqual(result?.columns, VALUES);
  for (const [n, value] of VALUES.entries()) assert.equal(result.rows[0]?.[n], texts[n], value);
});

test('results, one after another, with NULL and rows that were not described', () => {
  const bytes = Buffer.concat([
    rowDescription(['id', 23, 0], ['note', 25, 0]),
    dataRow('1', null),
    dataRow('2', 'é'),
    message('C', Buffer.from('SELECT 2\0')),
    dataRow('undescribed', Buffer.from([0, 1])),
    message('C', Buffer.from('SELECT 1\0')),
    message('d', Buffer.from('a\tb\n')),
    message('d', Buffer.from([0xff, 0xfe])),
    message('C', Buffer.from('COPY 2\0')),
    message('E', Buffer.from('SERROR\0\0')),
  ]);
  assert.deepEqual(decodeResult(bytes), [
    {
      columns: ['id', 'note'],
      rows: [
        ['1', null],
        ['2', 'é'],
      ],
    },
    { columns: [], rows: [['undescribed', '\\x0001']] },
    { columns: ['copy'], rows: [['a\tb'], ['\\xfffe']] },
  ]);
});

test('cut anywhere, the whole rows before the cut are read', () => {
  const head = rowDescription(['id', 23, 1]);
  const rows = [1, 2, 3].map((n) => dataRow(int32(n)));
  const bytes = Buffer.concat([head, ...rows]);
  for (let cut = 0; cut <= bytes.length; cut += 1) {
    const whole = Math.floor((cut - head.length) / (rows[0]?.length ?? 1));
    const [result] = decodeResult(bytes.subarray(0, cut));
    assert.deepEqual(result?.rows ?? [], [['1'], ['2'], ['3']].slice(0, Math.max(0, whole)), `cut at ${cut}`);
  }
});

test('any bytes are read without an error', () => {
  const type = fc.constantFrom('T', 'D', 'd', 'C', 'H', 'Z');
  const messages = fc.array(fc.tuple(type, fc.uint8Array({ maxLength: 60 })), { maxLength: 8 });
  fc.assert(
    fc.property(
      messages,
      (parts) => void decodeResult(Buffer.concat(parts.map(([t, b]) => message(t, Buffer.from(b))))),
    ),
  );
  fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => void decodeResult(bytes)));
  const oid = fc.constantFrom(16, 20, 21, 23, 26, 700, 701, 1082, 1114, 1184, 1700, 2950, 3802, 17, 600);
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 24 }), oid, (bytes, typeOid) => {
      assert.equal(typeof decodeCell(bytes, typeOid, 1), 'string');
    }),
  );
});

test('a parameter is read by its type and format', () => {
  assert.equal(decodeParameter({ typeOid: 23, format: 1, bytes: int32(-5) }), '-5');
  assert.equal(decodeParameter({ typeOid: 23, format: 0, bytes: Buffer.from('-5') }), '-5');
  assert.equal(decodeParameter({ typeOid: 0, format: 1, bytes: Buffer.from([1]) }), '\\x01');
  assert.equal(decodeParameter({ typeOid: 23, format: 1, bytes: null }), null);
});

test('the timeline has each statement when it was judged and its outcome when it ended', () => {
  const statement = (n: number, at: number, endedAt: number) => {
    const { session: _, ...rest } = sampleStatement('se_1', n, { at });
    return { type: 'statement', ...rest, outcome: { ...sampleOutcome(), at: endedAt } } as const;
  };
  const moments = timeline([
    statement(1, 100, 350),
    statement(2, 200, 400),
    { type: 'end', at: 400, reason: 'client left' },
  ]);
  assert.deepEqual(
    moments.map((moment) => [moment.type, moment.at, moment.wait]),
    [
      ['statement', 100, 0],
      ['statement', 200, 100],
      ['outcome', 350, 150],
      ['outcome', 400, 50],
      ['end', 400, 0],
    ],
  );
});
