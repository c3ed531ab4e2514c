// A1: several statements in one text are one verdict: all of it, before any of it.

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

const MIXED = [
  'COMMIT; DROP TABLE public.notes',
  'SELECT 1; DELETE FROM public.notes',
  'DELETE FROM public.notes; SELECT 1',
  'SELECT 1; SELECT 2; SELECT public.bait(); SELECT 3',
  'BEGIN; SELECT 1; COMMIT; DROP TABLE public.notes; BEGIN',
  'ROLLBACK; BEGIN READ WRITE; DELETE FROM public.notes; COMMIT',
  'SELECT 1;;;;DROP TABLE public.notes;',
  'SELECT 1 -- a comment; not an end\n; DROP TABLE public.notes',
  "SELECT ';'; DROP TABLE public.notes",
  'SELECT $a$;$a$; DROP TABLE public.notes',
  'SELECT 1 /* ; */ ; /* ; */ DROP TABLE public.notes',
  'SELECT 1; not sql at all',
  'SELECT 1; BEGIN; SET TRANSACTION READ WRITE; TRUNCATE public.notes; COMMIT',
  'VALUES (1); TABLE public.notes; COPY public.notes FROM STDIN',
];

test('A1 a text with one statement that is not allowed is refused whole', async () => {
  await allRefused(stand, reader, MIXED);
});

test('A1 statements before the refused one have no effect either', async () => {
  const writer = await stand.connect(NARROW_WRITE);
  await allRefused(stand, writer, [
    'DELETE FROM public.orders; DROP TABLE public.orders',
    "UPDATE public.orders SET customer = 'x'; SELECT * FROM hidden.salaries",
    'BEGIN; DELETE FROM public.orders WHERE id = 1; COMMIT; DELETE FROM public.notes',
  ]);
});

test('A1 a refusal inside a transaction leaves the transaction as it was', async () => {
  const writer = await stand.connect(NARROW_WRITE);
  await send(writer.client, 'BEGIN');
  await send(writer.client, "INSERT INTO public.orders VALUES (100, 'kept', 1)");
  await assert.rejects(send(writer.client, 'COMMIT; DROP TABLE public.orders'), { code: '42501' });
  assert.deepEqual((await send(writer.client, 'SELECT customer FROM public.orders WHERE id = 100')).rows, [['kept']]);
  await send(writer.client, 'ROLLBACK');
  assert.deepEqual((await send(writer.client, 'SELECT count(*)::int FROM public.orders')).rows, [[20]]);
});

test('A1 several harmless statements in one text run', async () => {
  const several = ['SELECT 1; SELECT 2', 'BEGIN; SELECT * FROM public.orders; COMMIT', ';;SELECT 1;;', 'SELECT 1;'];
  for (const sql of several) await send(reader.client, sql);
  await allAllowed(reader, ['SELECT 1;', 'BEGIN', 'COMMIT']);
});
