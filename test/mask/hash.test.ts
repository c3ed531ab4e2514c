// Hash tokens: the same for the same value, whatever the format, the session and the column; valid values of their type.

import assert from 'node:assert/strict';
import { createSecretKey } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import fc from 'fast-check';
import { Client } from 'pg';
import { SallyportError } from '../../src/errors.ts';
import { hashMask } from '../../src/mask/hash.ts';
import { ensureMaskKey } from '../../src/mask/key.ts';
import { cellMask } from '../../src/mask/strategies.ts';
import type { PostgresServer } from '../servers/postgres.ts';
import { startPostgres } from '../servers/postgres.ts';
import { accepted, onWire } from './wire.ts';

let server: PostgresServer;
let client: Client;
const key = createSecretKey(Buffer.alloc(32, 7));
const other = createSecretKey(Buffer.alloc(32, 8));

before(async () => {
  server = await startPostgres();
  client = new Client({ connectionString: server.connectionString });
  await client.connect();
});

after(async () => {
  await client.end();
  await server.stop();
});

/** Types, two values that differ, another spelling of the first, and what the token looks like. */
const TYPES: readonly (readonly [type: string, value: string, different: string, same: string, token: RegExp])[] = [
  ['text', 'ada@example.com', 'ada@example.org', 'ada@example.com', /^h_[\w-]{22}$/],
  ['varchar(12)', 'ada', 'adb', 'ada', /^h_[\w-]{10}$/],
  ['char(30)', 'ada', 'adb', 'ada   ', /^h_[\w-]{22} {6}$/],
  ['char(30)', 'ada', 'ada\t', 'ada ', /^h_/],
  ['name', 'ada', 'adb', 'ada', /^h_[\w-]{22}$/],
  ['int2', '7', '8', '07', /^\d{1,5}$/],
  ['int4', '-7', '7', '-07', /^\d{1,10}$/],
  ['int8', '7', '8', '07', /^\d{1,16}$/],
  ['numeric', '1.5', '1.51', '1.500', /^\d{1,15}$/],
  ['numeric', '-1234567.000012', '1234567.000012', '-1234567.0000120', /^\d{1,15}$/],
  ['numeric', '0.00001', '0.0001', '0.000010', /^\d{1,15}$/],
  ['numeric', '10000', '1000', '10000.00', /^\d{1,15}$/],
  ['numeric', 'NaN', '1', 'nan', /^\d{1,15}$/],
  ['numeric(6,2)', '1.5', '1.51', '1.500', /^\d{1,4}\.\d\d$/],
  ['numeric(2,2)', '0.1', '0.2', '0.10', /^0\.\d\d$/],
  ['float4', '7.1', '7.2', '7.10', /^[\d.e+]+$/],
  ['float8', '1e300', '1e301', '10e299', /^[\d.e+]+$/],
  ['float8', '-Infinity', '1', '-inf', /^[\d.e+]+$/],
  [
    'uuid',
    'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11',
    'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a12',
    'A0EEBC999C0B4EF8BB6D6BB9BD380A11',
    /^.{14}8.{4}[89ab]/,
  ],
  ['date', '1999-12-31', '2000-01-01', '1999-12-31', /^(19|20)\d\d-\d\d-\d\d$/],
  ['date', 'infinity', '-infinity', 'infinity', /^(19|20)\d\d-\d\d-\d\d$/],
  ['timestamp', '1999-12-31 23:59:59.5', '1999-12-31 23:59:59', '1999-12-31 23:59:59.500', /^(19|20)[\d-]+ [\d:]+$/],
  ['timestamptz', '2020-01-01 10:00+02', '2020-01-01 10:00+03', '2020-01-01 08:00+00', /^(19|20)[\d-]+ [\d:]+\+00$/],
  ['bytea', '\\x0102', '\\x0103', '\\x0102', /^\\x[0-9a-f]{32}$/],
  ['json', '{"a":1}', '{"a":2}', '{"a":1}', /^"h_[\w-]{22}"$/],
  ['jsonb', '{"a":1}', '{"a":2}', '{ "a" : 1 }', /^"h_[\w-]{22}"$/],
  ['inet', '192.0.2.7', '192.0.2.8', '192.0.2.7/32', /^10\.\d+\.\d+\.\d+$/],
  ['inet', '192.0.2.7/24', '192.0.2.7', '192.0.2.7/24', /^10\.\d+\.\d+\.\d+$/],
  ['inet', '2001:db8::7', '2001:db8::8', '2001:0db8:0:0:0:0:0:7', /^fd[0-9a-f]{2}:/],
  ['inet', '::ffff:192.0.2.7', '192.0.2.7', '::ffff:c000:207', /^fd[0-9a-f]{2}:/],
  ['text[]', '{ada,NULL,b}', '{ada,NULL,c}', '{"ada",null,b}', /^\{h_[\w-]{22},NULL,h_[\w-]{22}\}$/],
  ['int4[]', '[2:3]={1,2}', '[2:3]={1,3}', '[2:3]={01,2}', /^\[2:3\]=\{\d+,\d+\}$/],
];

test('a value has one token, valid in its type, in text and in binary', async () => {
  await client.query("SET timezone = 'UTC'");
  for (const [type, value, different, same, shape] of TYPES) {
    const tokens: (string | null)[] = [];
    for (const binary of [false, true]) {
      for (const written of [value, same, different]) {
        const { oid, modifier, bytes } = await onWire(client, type, written, binary);
        const mask = cellMask({ kind: 'hash', key }, oid, modifier, binary ? 1 : 0);
        const base = type.replace(/\([\d,]+\)$/, '').replace(/^char$/, 'bpchar');
        tokens.push(await accepted(client, base, mask(bytes, 0, bytes.length), binary));
      }
    }
    const [token, again, third, ...inBinary] = tokens;
    assert.match(token ?? '', shape, type);
    assert.equal(again, token, `${type}: ${value} and ${same}`);
    assert.notEqual(third, token, `${type}: ${value} and ${different}`);
    assert.deepEqual(inBinary, [token, again, third], `${type}: binary`);
  }
});

function textToken(value: string, of = key): string {
  return String(hashMask(of, 25, -1, 0)(Buffer.from(value), 0, Buffer.byteLength(value)));
}

test('another key makes other tokens; another session the same', () => {
  assert.equal(textToken('ada'), textToken('ada'));
  assert.notEqual(textToken('ada'), textToken('ada', other));
});

test('types without a token, too little room, no key: redacted', () => {
  const masked = (oid: number, modifier: number, of: typeof key | null): string =>
    String(cellMask({ kind: 'hash', key: of }, oid, modifier, 0)(Buffer.from('t'), 0, 1));
  assert.equal(masked(16, -1, key), 'f');
  assert.equal(masked(1186, -1, key), '00:00:00');
  assert.equal(masked(1043, 7 + 4, key), '[redact');
  assert.match(masked(1043, 8 + 4, key), /^h_.{6}$/);
  assert.equal(masked(25, -1, null), '[redacted]');
});

test('one mask gives a value its token however many others came between', () => {
  const mask = hashMask(key, 25, -1, 0);
  const token = (n: number): string => {
    const cell = Buffer.from(`value ${n}`);
    return String(mask(cell, 0, cell.length));
  };
  const first = token(0);
  const all = new Set(Array.from({ length: 10_000 }, (_, n) => token(n)));
  assert.equal(all.size, 10_000);
  assert.equal(token(0), first);
  assert.equal(token(9999), textToken('value 9999'));
});

test('a token never holds four characters of the value in a row', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme-ascii', minLength: 8, maxLength: 300 }), (value) => {
      const token = textToken(value);
      for (let at = 0; at + 4 <= value.length; at++) assert.ok(!token.includes(value.slice(at, at + 4)));
    }),
    { seed: 1 },
  );
});

test('the key is made once, for its owner alone', () => {
  const dir = mkdtempSync(join(tmpdir(), 'sallyport-key-'));
  try {
    const made = ensureMaskKey(dir);
    assert.equal(made.symmetricKeySize, 32);
    assert.ok(ensureMaskKey(dir).equals(made));
    const path = join(dir, 'mask.key');
    assert.equal(statSync(path).mode & 0o777, 0o600);
    assert.equal(readFileSync(path, 'latin1').trim(), made.export().toString('hex'));
    writeFileSync(path, 'short');
    assert.throws(
      () => ensureMaskKey(dir),
      (error) => error instanceof SallyportError && error.code === 'SP_CONFIG',
    );
  } finally {
    rmSync(dir, { recursive: true });
  }
});
