// A13: what is too deep, too long or unknown is refused, and neither ends the gateway nor holds up others.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { type Attacker, READ, refused, type Stand, send, startStand } from './attacks.ts';

let stand: Stand;
let reader: Attacker;

before(async () => {
  stand = await startStand();
  reader = await stand.connect(READ);
});

after(() => stand?.stop());

const nested = (open: string, inside: string, close: string, times: number) =>
  open.repeat(times) + inside + close.repeat(times);

test('A13 a statement that is nested too deeply is refused', async () => {
  for (const sql of [
    `SELECT ${nested('(', '1', ')', 100_000)}`,
    nested('SELECT (', 'SELECT 1', ')', 50_000),
    `SELECT ${nested('ARRAY[', '1', ']', 50_000)}`,
    `SELECT ${nested('abs(', '1', ')', 50_000)}`,
    `SELECT ${'- '.repeat(100_000)}1`,
    `SELECT ${'NOT '.repeat(100_000)}true`,
    `SELECT 1${' + 1'.repeat(100_000)}`,
    `SELECT 1${'::int'.repeat(50_000)}`,
    `SELECT ${nested('CASE WHEN true THEN ', '1', ' END', 30_000)}`,
    `SELECT 1${' UNION SELECT 1'.repeat(30_000)}`,
    `SELECT * FROM public.orders${' JOIN public.orders USING (id)'.repeat(20_000)}`,
    nested('WITH x AS (', 'SELECT 1', ') SELECT 1', 30_000),
    nested('EXPLAIN ', 'SELECT 1', '', 30_000),
    `/*${nested('/*', '', '*/', 200_000)}`,
  ]) {
    await refused(reader, sql);
  }
  assert.deepEqual((await send(reader.client, `SELECT ${nested('(', '1', ')', 200)}`)).rows, [[1]]);
});

test('A13 a statement that is too long to be understood is refused, a long one is not', async () => {
  const long = (size: number) => `SELECT length('${'x'.repeat(size)}')`;
  await refused(reader, long(9 * 1024 * 1024));
  assert.deepEqual((await send(reader.client, long(2 * 1024 * 1024))).rows, [[2 * 1024 * 1024]]);
});

test('A13 others are served while a large statement is judged', async () => {
  const other = await stand.connect(READ);
  const order: string[] = [];
  const large = send(reader.client, `SELECT 1 WHERE 1 IN (${'1,'.repeat(400_000)}1)`)
    .catch(() => {})
    .then(() => order.push('large'));
  for (let i = 0; i < 20; i++) await send(other.client, `SELECT ${i}`);
  order.push('others');
  await large;
  assert.deepEqual(order, ['others', 'large']);
});

test('A13 a text of very many statements is refused', async () => {
  await refused(reader, 'SELECT 1;'.repeat(10_001));
});

test('A13 what the grammar does not know is refused: newer syntax, other dialects, nothing at all', async () => {
  for (const sql of [
    'SELECT * FROM public.orders QUALIFY row_number() OVER () = 1',
    'SELECT TOP 1 * FROM public.orders',
    'FROM public.orders SELECT *',
    'REPLACE INTO public.notes VALUES (1)',
    'SELECT * FROM public.orders |> WHERE id = 1',
    'SHOW TABLES FROM public',
    'DROP TABLE public.notes PURGE',
    'REPACK public.orders',
    'CREATE PROPERTY GRAPH g',
    'WAIT FOR LSN 1',
    'SELECT 1 FOR PORTION OF x',
    '\\d',
    'garbage',
    '\u0001',
  ]) {
    await refused(reader, sql);
  }
});

test('A13 after all of that the gateway serves as before', async () => {
  const fresh = await stand.connect(READ);
  assert.deepEqual((await send(fresh.client, 'SELECT count(*)::int FROM public.notes')).rows, [[2]]);
  assert.deepEqual((await send(reader.client, 'SELECT count(*)::int FROM public.notes')).rows, [[2]]);
});
