// A6: a statement that changes data is one wherever it stands: in a CTE, in COPY, in EXPLAIN, behind EXECUTE.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import {
  type Attacker,
  allAllowed,
  allRefused,
  NARROW_WRITE,
  READ,
  refused,
  type Stand,
  send,
  startStand,
} from './attacks.ts';

let stand: Stand;
let reader: Attacker;

before(async () => {
  stand = await startStand();
  reader = await stand.connect(READ);
});

after(() => stand?.stop());

const DELETE = 'DELETE FROM public.notes RETURNING id';
const INSERT = "INSERT INTO public.notes VALUES (9, 'x') RETURNING id";
const UPDATE = "UPDATE public.notes SET body = 'x' RETURNING id";
const MERGE =
  'MERGE INTO public.notes n USING public.orders o ON n.id = o.id WHEN MATCHED THEN DELETE WHEN NOT MATCHED THEN DO NOTHING';

test('A6 a CTE that changes data is found at every depth', async () => {
  await allRefused(
    stand,
    reader,
    [DELETE, INSERT, UPDATE, `${MERGE} RETURNING n.id`].flatMap((change) => [
      `WITH x AS (${change}) SELECT 1`,
      `WITH a AS (SELECT 1), x AS (${change}), b AS (SELECT 2) SELECT * FROM a, b`,
      `WITH x AS NOT MATERIALIZED (${change}) TABLE x`,
      `WITH x AS (WITH y AS (WITH z AS (${change}) SELECT * FROM z) SELECT * FROM y) SELECT * FROM x`,
      `WITH x AS (${change}) SELECT * FROM public.orders WHERE id IN (SELECT id FROM x)`,
      `WITH RECURSIVE x AS (${change}) SELECT * FROM x`,
      `WITH x AS (${change}) VALUES (1)`,
      `SELECT * FROM (WITH x AS (${change}) SELECT * FROM x) y`,
      `COPY (${change}) TO STDOUT`,
      `COPY (WITH x AS (${change}) SELECT * FROM x) TO STDOUT (FORMAT csv)`,
      `PREPARE p AS ${change}`,
      `PREPARE p AS WITH x AS (${change}) SELECT 1`,
      `DECLARE c CURSOR FOR WITH x AS (${change}) SELECT * FROM x`,
    ]),
  );
});

test('A6 EXPLAIN counts as what it explains, in every spelling of its options', async () => {
  const options = [
    'EXPLAIN ANALYZE',
    'EXPLAIN ANALYSE',
    'EXPLAIN ANALYZE VERBOSE',
    'EXPLAIN VERBOSE',
    'EXPLAIN',
    'EXPLAIN (ANALYZE)',
    'EXPLAIN (ANALYSE)',
    'EXPLAIN (ANALYZE on)',
    'EXPLAIN (ANALYZE true, TIMING off, SUMMARY off)',
    'EXPLAIN (ANALYZE 1)',
    "EXPLAIN (ANALYZE 'on')",
    'EXPLAIN ("analyze" on)',
    'EXPLAIN (ANALYZE off, ANALYZE on)',
    'EXPLAIN (COSTS off, analyze, FORMAT json)',
    'EXPLAIN (/**/ANALYZE/**/)',
    'EXPLAIN (WAL, ANALYZE, SERIALIZE text)',
    'EXPLAIN (GENERIC_PLAN)',
  ];
  await allRefused(stand, reader, [
    ...options.map((option) => `${option} ${DELETE}`),
    `EXPLAIN ANALYZE WITH x AS (${DELETE}) SELECT 1`,
    'EXPLAIN ANALYZE CREATE TABLE public.made AS SELECT 1',
    'EXPLAIN ANALYZE SELECT 1 INTO public.made',
    'EXPLAIN ANALYZE CREATE MATERIALIZED VIEW public.made AS SELECT 1',
    `EXPLAIN ANALYZE DECLARE c CURSOR FOR SELECT public.bait()`,
    'EXPLAIN ANALYZE SELECT * FROM public.orders FOR UPDATE',
    'EXPLAIN EXPLAIN SELECT 1',
    'EXPLAIN ANALYZE EXECUTE nothing',
    'EXPLAIN (ANALYZE) EXECUTE nothing',
    'EXPLAIN ANALYZE TRUNCATE public.notes',
  ]);
});

test('A6 what changes data cannot be prepared, so it cannot be executed', async () => {
  const named = { name: 'p', text: DELETE, values: [] };
  await assert.rejects(reader.client.query(named), { code: '42501' });
  await refused(reader, `PREPARE p AS ${DELETE}`);
  await refused(reader, 'EXPLAIN ANALYZE EXECUTE p');
  await refused(reader, 'EXECUTE p');
  await refused(reader, 'CREATE TABLE public.made AS EXECUTE p');
  await refused(reader, 'CREATE TABLE public.made AS EXECUTE p WITH NO DATA');
});

test('A6 a scope that may write is no scope for what the change reads or reaches besides', async () => {
  const writer = await stand.connect(NARROW_WRITE);
  await allRefused(stand, writer, [
    DELETE,
    'INSERT INTO public.orders SELECT * FROM hidden.orders',
    'INSERT INTO public.orders (id) SELECT amount FROM hidden.salaries',
    'INSERT INTO public.orders (id) VALUES ((SELECT amount FROM hidden.salaries))',
    'UPDATE public.orders SET total = s.amount FROM hidden.salaries s',
    'UPDATE public.orders SET total = (SELECT max(amount) FROM hidden.salaries)',
    'UPDATE public.orders SET (total, id) = (SELECT amount, id FROM hidden.salaries)',
    'DELETE FROM public.orders USING hidden.salaries',
    'DELETE FROM public.orders WHERE EXISTS (SELECT FROM hidden.salaries)',
    'INSERT INTO public.orders VALUES (1) ON CONFLICT (id) DO UPDATE SET total = (SELECT max(amount) FROM hidden.salaries)',
    'MERGE INTO public.orders o USING hidden.salaries s ON o.id = s.id WHEN MATCHED THEN DELETE',
    'WITH x AS (DELETE FROM hidden.orders RETURNING *) INSERT INTO public.orders SELECT * FROM x',
    'INSERT INTO hidden.orders SELECT * FROM public.orders',
    'COPY hidden.orders FROM STDIN',
    'COPY hidden.orders TO STDOUT',
    'TRUNCATE public.orders',
    'LOCK TABLE hidden.orders',
    'SELECT * FROM hidden.orders FOR UPDATE',
  ]);
});

test('A6 row locks are writes', async () => {
  await allRefused(stand, reader, [
    'SELECT * FROM public.orders FOR UPDATE',
    'SELECT * FROM public.orders FOR NO KEY UPDATE',
    'SELECT * FROM public.orders FOR SHARE',
    'SELECT * FROM public.orders FOR KEY SHARE SKIP LOCKED',
    'SELECT * FROM public.orders o, public.notes n FOR UPDATE OF n NOWAIT',
    'SELECT * FROM (SELECT * FROM public.orders FOR UPDATE) x',
    'WITH x AS (SELECT * FROM public.orders FOR UPDATE) SELECT * FROM x',
    'LOCK TABLE public.orders IN ACCESS SHARE MODE',
  ]);
});

test('A6 reading in the same places is allowed', async () => {
  await allAllowed(reader, [
    'WITH x AS (SELECT id FROM public.notes) SELECT * FROM x',
    'COPY (SELECT * FROM public.orders) TO STDOUT',
    'EXPLAIN ANALYZE SELECT * FROM public.orders',
    'EXPLAIN (ANALYZE, FORMAT json) SELECT * FROM public.orders',
  ]);
  await send(reader.client, 'PREPARE q AS SELECT * FROM public.orders');
  await allAllowed(reader, ['EXECUTE q', 'EXPLAIN ANALYZE EXECUTE q']);
  const writer = await stand.connect(NARROW_WRITE);
  await send(writer.client, 'BEGIN');
  await allAllowed(writer, ["WITH x AS (UPDATE public.orders SET customer = 'x' RETURNING *) SELECT count(*) FROM x"]);
  await send(writer.client, 'ROLLBACK');
});
