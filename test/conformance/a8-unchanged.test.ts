// A8, without a list: whatever is sent under a grant to read, the database is afterwards what it was. Every function that the
// server has is called, statements are put together at random, and ordinary ones and attacks are broken at random places.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import fc from 'fast-check';
import { type Attacker, READ, type Stand, send, sendBytes, startStand } from './attacks.ts';

/** The gateway starts a reader's session read-only, as depth; what is tested here is what stands without it. */
const WRITABLE = `
CREATE FUNCTION public.writable() RETURNS event_trigger LANGUAGE plpgsql AS
  $$ BEGIN PERFORM set_config('default_transaction_read_only', 'off', false); END $$;
CREATE EVENT TRIGGER writable ON login EXECUTE FUNCTION public.writable();
`;

let stand: Stand;
let reader: Attacker;

before(async () => {
  stand = await startStand({}, WRITABLE);
  // What is allowed may run long; it does not matter here what it answers.
  await stand.direct.query("ALTER ROLE postgres SET statement_timeout = '150ms'");
  reader = await stand.connect(READ);
});

after(() => stand?.stop());

/** Arguments that a function could do something with, by type. */
const ARGUMENTS: Readonly<Record<string, string>> = {
  bigint: '1',
  boolean: 'true',
  bytea: "'x'::bytea",
  '"char"': "'r'",
  integer: '1',
  internal: 'NULL',
  name: "'public'",
  oid: "'public.notes'::regclass::oid",
  regclass: "'public.numbers'",
  'double precision': '1',
  numeric: '1',
  text: "'public.notes'",
  cstring: "'1'",
  xid: "'1'",
  pg_lsn: "'0/1'",
  'timestamp with time zone': 'now()',
  interval: "'1s'",
  'text[]': "'{a,b}'",
  record: 'ROW(1)',
  anyelement: '1',
};

test('A8 the session of these tests could write, were it let', async () => {
  assert.deepEqual((await send(reader.client, 'SHOW transaction_read_only')).rows, [['off']]);
});

test('A8 no function of the server has an effect', async () => {
  const { rows } = await stand.direct.query<{ name: string; types: string[] }>(
    `SELECT proname AS name, ARRAY(SELECT format_type(t, NULL) FROM unnest(proargtypes) t) AS types FROM pg_proc
     WHERE pronamespace = 'pg_catalog'::regnamespace AND prokind = 'f' ORDER BY oid`,
  );
  assert.ok(rows.length > 2500);
  const before = await stand.state();
  let answered = 0;
  for (const { name, types } of rows) {
    const values = types.map((type) => ARGUMENTS[type] ?? `NULL::${type}`);
    const answer = await send(reader.client, `SELECT pg_catalog."${name}"(${values.join(', ')})`).catch(() => null);
    if (answer !== null) answered++;
    // The same by a dot.
    if (values.length === 1 && !values[0]?.startsWith('NULL')) {
      await send(reader.client, `SELECT ((${values[0]})::${types[0]})."${name}"`).catch(() => null);
    }
  }
  assert.ok(answered > 500, `only ${answered} were answered`);
  assert.deepEqual(await stand.state(), before);
});

const name = fc.constantFrom(
  'public.orders',
  'public.notes',
  'hidden.salaries',
  'orders',
  'pg_class',
  'public.baited',
  'x',
);
const value = fc.constantFrom('1', "'a'", 'NULL', 'id', '$$b$$', 'true', "'public.numbers'", "E'\\''", 'now()', '*');
const call = fc.constantFrom(
  ...'count upper bait public.bait nextval pg_notify pg_advisory_lock lo_create set_config pg_read_file pg_terminate_backend'.split(
    ' ',
  ),
);

const { expression, query } = fc.letrec<{ expression: string; query: string; item: string }>((tie) => {
  const part = (...parts: (string | fc.Arbitrary<string>)[]) =>
    fc.tuple(...parts.map((p) => (typeof p === 'string' ? fc.constant(p) : p))).map((all) => all.join(' '));
  return {
    expression: fc.oneof(
      { depthSize: 'small', withCrossShrink: true },
      value,
      part(call, '(', tie('expression'), ')'),
      part(tie('expression'), '+!', tie('expression')),
      part('(', tie('query'), ')'),
      part('(', tie('expression'), ').', call),
      part(tie('expression'), '::', fc.constantFrom('text', 'int', 'checked', 'pair', 'regclass')),
      part('CASE WHEN', tie('expression'), 'THEN', tie('expression'), 'END'),
    ),
    item: fc.oneof(name, part('(', tie('query'), ') s'), part(call, '(', value, ') f')),
    query: fc.oneof(
      { depthSize: 'small', withCrossShrink: true },
      part('SELECT', tie('expression')),
      part('SELECT', tie('expression'), 'FROM', tie('item'), 'WHERE', tie('expression'), '= 1'),
      part('WITH w AS (', tie('query'), ') SELECT * FROM w'),
      part('SELECT * FROM', tie('item'), 'FOR UPDATE'),
      part('SELECT', tie('expression'), 'INTO', name),
      part('DELETE FROM', name, 'RETURNING', tie('expression')),
      part('INSERT INTO', name, tie('query')),
      part('UPDATE', name, 'SET id =', tie('expression')),
      part('TABLE', name),
      part('VALUES (', tie('expression'), ')'),
    ),
  };
});

const statement = fc.oneof(
  query as fc.Arbitrary<string>,
  fc
    .tuple(
      fc.constantFrom(
        'EXPLAIN ANALYZE',
        'EXPLAIN (ANALYZE)',
        'PREPARE p AS',
        'DECLARE c CURSOR WITH HOLD FOR',
        'CREATE TABLE made AS',
        'CREATE VIEW made AS',
        'COPY (',
      ),
      query as fc.Arbitrary<string>,
    )
    .map(([prefix, inner]) => (prefix === 'COPY (' ? `COPY (${inner}) TO STDOUT` : `${prefix} ${inner}`)),
  (expression as fc.Arbitrary<string>).map((e) => `SET search_path = ${e}`),
  fc.constantFrom(
    'BEGIN',
    'COMMIT',
    'ROLLBACK',
    'BEGIN READ WRITE',
    'SET TRANSACTION READ WRITE',
    'EXECUTE p',
    'FETCH c',
    'RESET ALL',
    'SET ROLE victim',
    'DISCARD ALL',
    'TRUNCATE public.notes',
    'DROP TABLE public.notes',
    "DO 'BEGIN DELETE FROM public.notes; END'",
  ),
);

test('A8 no text put together at random has an effect', async () => {
  const before = await stand.state();
  await fc.assert(
    fc.asyncProperty(fc.array(statement, { minLength: 1, maxLength: 4 }), fc.boolean(), async (texts, together) => {
      for (const sql of together ? [texts.join('; ')] : texts) await send(reader.client, sql).catch(() => null);
    }),
    { numRuns: 400 },
  );
  await send(reader.client, 'ROLLBACK');
  assert.deepEqual(await stand.state(), before);
});

test('A8 no statement broken at random has an effect', async () => {
  const ordinary = readFileSync(new URL('./ordinary.sql', import.meta.url), 'utf8').split('\n');
  const attacks = [
    'DELETE FROM public.notes',
    'DROP TABLE public.notes',
    "SELECT lo_create(7), nextval('public.numbers')",
  ];
  const lines = ordinary.filter((line) => line !== '' && !line.startsWith('--'));
  // As likely to begin with an attack as with something ordinary.
  const text = fc.oneof(fc.constantFrom(...lines), fc.constantFrom(...attacks)).map((line) => Buffer.from(line));
  const bytes = Buffer.from(`'"\\;$-/*()\n\r\t.,:UuEeXxBb&!0_ \u00e9\ufffd`);
  const broken = fc.tuple(
    text,
    text,
    fc.array(fc.tuple(fc.nat(), fc.nat(3), fc.oneof(fc.constantFrom(...bytes), fc.integer({ min: 1, max: 255 }))), {
      maxLength: 5,
    }),
  );
  const before = await stand.state();
  await fc.assert(
    fc.asyncProperty(broken, async ([whole, other, changes]) => {
      let result: Buffer = whole;
      for (const [place, change, byte] of changes) {
        const at = place % (result.length + 1);
        const [head, tail] = [result.subarray(0, at), result.subarray(at)];
        if (change === 0) result = Buffer.concat([head, tail.subarray(1)]);
        else if (change === 1) result = Buffer.concat([head, Buffer.of(byte), tail]);
        else if (change === 2) result = Buffer.concat([head, Buffer.of(byte), tail.subarray(1)]);
        else result = Buffer.concat([head, Buffer.of(byte), other.subarray(place % other.length)]);
      }
      await sendBytes(reader.client, result);
    }),
    { numRuns: 800 },
  );
  await send(reader.client, 'ROLLBACK');
  assert.deepEqual(await stand.state(), before);
});
