// A7: what makes a table or runs code that cannot be seen needs more than read, whatever it is written as.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { type Attacker, allAllowed, allRefused, NARROW_WRITE, READ, type Stand, send, startStand } from './attacks.ts';

let stand: Stand;
let reader: Attacker;

before(async () => {
  stand = await startStand();
  reader = await stand.connect(READ);
});

after(() => stand?.stop());

const MAKING = [
  'SELECT 1 INTO public.made',
  'SELECT * INTO made FROM public.orders',
  'SELECT 1 AS a INTO UNLOGGED public.made UNION SELECT 2',
  '(SELECT 1 AS a INTO public.made) UNION SELECT 2',
  'WITH x AS (SELECT 1) SELECT * INTO public.made FROM x',
  'CREATE TABLE public.made AS SELECT 1',
  'CREATE TABLE IF NOT EXISTS public.made AS TABLE public.orders',
  'CREATE TABLE public.made (a) AS VALUES (1)',
  'CREATE UNLOGGED TABLE public.made AS SELECT 1 WITH NO DATA',
  'CREATE MATERIALIZED VIEW public.made AS SELECT 1',
  'CREATE VIEW public.made AS SELECT * FROM hidden.salaries',
  'CREATE OR REPLACE VIEW public.plain AS SELECT * FROM public.orders',
  'CREATE RECURSIVE VIEW public.made (n) AS SELECT 1',
  'CREATE TABLE public.made (a int DEFAULT public.bait())',
  'CREATE TABLE public.made (LIKE hidden.salaries INCLUDING ALL)',
  'CREATE TABLE public.made PARTITION OF public.orders DEFAULT',
  'CREATE SCHEMA made CREATE TABLE t (a int)',
  'CREATE SEQUENCE public.made',
  'CREATE INDEX ON public.orders (public.bait())',
  'CREATE TYPE public.made AS ENUM ()',
  'CREATE DOMAIN public.made AS int CHECK (public.bait() = 1)',
  'ALTER TABLE public.orders ADD COLUMN made int DEFAULT public.bait()',
  'ALTER TABLE public.orders RENAME TO made',
  'DROP TABLE public.notes',
  'DROP TABLE IF EXISTS public.nothing',
  'TRUNCATE public.notes',
  'REFRESH MATERIALIZED VIEW public.made',
  'REINDEX TABLE public.orders',
  'CLUSTER public.orders USING orders_pkey',
  'VACUUM',
  'ANALYZE public.orders',
  "COMMENT ON TABLE public.orders IS 'x'",
];

const CODE = [
  "DO 'BEGIN DELETE FROM public.notes; END'",
  'DO $$ BEGIN PERFORM public.bait(); END $$',
  "DO LANGUAGE plpgsql 'BEGIN END'",
  'CALL public.bait_call()',
  'CALL bait_call()',
  "CREATE FUNCTION public.made() RETURNS int LANGUAGE sql AS 'SELECT 1'",
  'CREATE FUNCTION public.made() RETURNS int RETURN 1',
  'CREATE FUNCTION public.made() RETURNS int BEGIN ATOMIC SELECT 1; END',
  "CREATE OR REPLACE FUNCTION pg_temp.upper(text) RETURNS text LANGUAGE sql AS 'SELECT $1'",
  "CREATE PROCEDURE public.made() LANGUAGE sql AS ''",
  'CREATE AGGREGATE public.made (int) (sfunc = int4pl, stype = int)',
  'CREATE OPERATOR public.=== (function = int4eq, leftarg = int, rightarg = int)',
  'CREATE CAST (int AS public.pair) WITH FUNCTION public.to_pair(int)',
  'CREATE TRIGGER made AFTER INSERT ON public.orders EXECUTE FUNCTION public.bait()',
  'CREATE EVENT TRIGGER made ON ddl_command_start EXECUTE FUNCTION public.bait()',
  'CREATE RULE made AS ON SELECT TO public.orders DO INSTEAD SELECT 1',
  'CREATE POLICY made ON public.orders USING (true)',
  'CREATE LANGUAGE made HANDLER plpgsql_call_handler',
  'ALTER FUNCTION public.bait() SET search_path = hidden',
  'ALTER FUNCTION public.bait() SECURITY INVOKER',
];

test('A7 making and dropping is refused to a reader', async () => {
  await allRefused(stand, reader, MAKING);
});

test('A7 code that cannot be seen is refused to a reader', async () => {
  await allRefused(stand, reader, CODE);
});

test('A7 code is refused to a writer and a maker of tables too', async () => {
  await allRefused(stand, await stand.connect(NARROW_WRITE), [...MAKING, ...CODE]);
  await allRefused(stand, await stand.connect('db:db:read+write+ddl'), CODE);
});

test('A7 a temporary table is its session’s own, and a read-only session makes none', async () => {
  const before = await stand.state();
  for (const sql of ['CREATE TEMP TABLE x AS SELECT 1', 'SELECT 1 INTO TEMP y', 'CREATE TEMP VIEW z AS SELECT 1']) {
    await assert.rejects(send(reader.client, sql), { code: /^(25006|42501)$/ });
  }
  assert.deepEqual(await stand.state(), before);
});

test('A7 making with the right verb works', async () => {
  const maker = await stand.connect('db:db:read+write+ddl');
  await send(maker.client, 'CREATE TABLE public.made AS SELECT id FROM public.orders');
  assert.deepEqual((await send(maker.client, 'SELECT count(*)::int FROM public.made')).rows, [[20]]);
  await send(maker.client, 'DROP TABLE public.made');
  await allAllowed(reader, ['SELECT id FROM public.orders', "SELECT 'SELECT 1 INTO x'"]);
});
