// A4: a function is judged wherever the server would call it, not only where it is called.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { type Attacker, allAllowed, allRefused, READ, type Stand, startStand } from './attacks.ts';

let stand: Stand;
let reader: Attacker;

before(async () => {
  stand = await startStand();
  reader = await stand.connect(READ);
});

after(() => stand?.stop());

test('A4 a call is found in every place of a query', async () => {
  await allRefused(stand, reader, [
    'SELECT bait()',
    'SELECT public.bait()',
    'SELECT * FROM public.bait()',
    'SELECT * FROM ROWS FROM (generate_series(1, 2), public.bait()) x',
    'SELECT * FROM public.orders, LATERAL (SELECT public.bait()) x',
    'SELECT 1 FROM public.orders WHERE public.bait() = 1',
    'SELECT 1 FROM public.orders ORDER BY public.bait()',
    'SELECT 1 FROM public.orders GROUP BY public.bait()',
    'SELECT 1 FROM public.orders GROUP BY ROLLUP (id, public.bait())',
    'SELECT count(*) FROM public.orders HAVING public.bait() > 0',
    'SELECT DISTINCT ON (public.bait()) id FROM public.orders',
    'SELECT 1 LIMIT public.bait()',
    'SELECT 1 OFFSET (SELECT public.bait())',
    'SELECT 1 FETCH FIRST (public.bait()) ROWS ONLY',
    'SELECT sum(id) FILTER (WHERE public.bait() = 1) FROM public.orders',
    'SELECT sum(id ORDER BY public.bait()) FROM public.orders',
    'SELECT sum(id) OVER (PARTITION BY public.bait()) FROM public.orders',
    'SELECT sum(id) OVER w FROM public.orders WINDOW w AS (ORDER BY public.bait())',
    'SELECT sum(id) OVER (ORDER BY id ROWS BETWEEN public.bait() PRECEDING AND CURRENT ROW) FROM public.orders',
    'SELECT percentile_cont(public.bait()) WITHIN GROUP (ORDER BY id) FROM public.orders',
    'SELECT CASE WHEN true THEN public.bait() END',
    'SELECT COALESCE(NULL, public.bait())',
    'SELECT GREATEST(public.bait(), 1)',
    'SELECT NULLIF(1, public.bait())',
    'SELECT ARRAY[public.bait()]',
    'SELECT ARRAY(SELECT public.bait())',
    'SELECT (ARRAY[1, 2])[public.bait()]',
    'SELECT ROW(public.bait())',
    'SELECT public.bait()::text',
    'SELECT 1 IN (SELECT public.bait())',
    'SELECT 1 = ANY (ARRAY[public.bait()])',
    'SELECT EXISTS (SELECT public.bait())',
    'SELECT 1 BETWEEN public.bait() AND 2',
    'SELECT public.bait() IS NULL',
    'VALUES (public.bait())',
    'VALUES (1), ((SELECT public.bait()))',
    'SELECT 1 UNION SELECT public.bait()',
    'WITH x AS (SELECT public.bait()) SELECT 1',
    'WITH x AS MATERIALIZED (SELECT public.bait()) SELECT * FROM x',
    'WITH RECURSIVE x AS (SELECT 1 AS n UNION ALL SELECT public.bait() FROM x WHERE n < 2) SELECT * FROM x',
    'SELECT * FROM public.orders TABLESAMPLE bernoulli (public.bait())',
    'SELECT * FROM public.orders o JOIN public.notes n ON public.bait() = 1',
    'SELECT xmlelement(name a, xmlattributes(public.bait() AS b))',
    "SELECT * FROM xmltable('/a' PASSING public.bait()::text::xml COLUMNS b int PATH 'b')",
    "SELECT json_object('a': public.bait())",
    'SELECT json_array(SELECT public.bait())',
    "SELECT json_value('{}'::jsonb, '$.a' PASSING public.bait() AS x DEFAULT public.bait() ON EMPTY)",
    "SELECT * FROM json_table('[]'::jsonb, '$[*]' PASSING public.bait() AS x COLUMNS (a int PATH '$' DEFAULT public.bait() ON EMPTY)) t",
    'EXPLAIN SELECT public.bait()',
    'EXPLAIN (ANALYZE) SELECT public.bait()',
    'PREPARE p AS SELECT public.bait()',
    'DECLARE c CURSOR WITH HOLD FOR SELECT public.bait()',
    'COPY (SELECT public.bait()) TO STDOUT',
    'SELECT bait_sum(id) FROM public.orders',
    'SELECT public.bait_sum(id) OVER () FROM public.orders',
    'SELECT lower(o) FROM public.orders o',
  ]);
});

test('A4 a call by a dot is a call, on a row and on any other value', async () => {
  await allRefused(stand, reader, [
    "SELECT ('PG_VERSION'::text).pg_read_file",
    "SELECT ('PG_VERSION').pg_read_file",
    "SELECT x.pg_read_file FROM unnest(ARRAY['PG_VERSION']) x",
    "SELECT x.pg_read_file FROM unnest(ARRAY['PG_VERSION']) x, (SELECT 1 AS pg_read_file) y",
    "SELECT (ARRAY['PG_VERSION'])[1].pg_read_file",
    "SELECT (SELECT 'PG_VERSION'::text).pg_read_file",
    'SELECT (1::bigint).pg_advisory_lock',
    'SELECT n.pg_advisory_lock FROM generate_series(1::bigint, 2) n',
    "SELECT ('public.numbers'::regclass).nextval",
    "SELECT ('hidden.numbers'::regclass).nextval",
    "SELECT ('.').pg_ls_dir",
    'SELECT (-1).lo_creat',
    'SELECT 1 FROM public.orders o WHERE o.bait_of = 1',
    'SELECT o.bait_of FROM public.orders o',
    'SELECT orders.bait_of FROM public.orders',
    'SELECT public.orders.bait_of FROM public.orders',
    'SELECT (o).bait_of FROM public.orders o',
    "SELECT ('x'::text).bait_of",
    'SELECT (SELECT o FROM public.orders o LIMIT 1).bait_of',
    'SELECT count(*) FROM public.orders o ORDER BY max(o.bait_of)',
    'SELECT U&"x".U&"pg_rea\\0064_file" FROM unnest(ARRAY[\'PG_VERSION\']) x',
  ]);
});

test('A4 operators, casts and domains that run somebody’s function are refused', async () => {
  await allRefused(stand, reader, [
    'SELECT 1 OPERATOR(hidden.+) 1',
    'SELECT 1 +! 1',
    'SELECT 1 OPERATOR(public.+!) 1',
    'SELECT 1 + 1',
    'SELECT id FROM public.orders ORDER BY id USING OPERATOR(hidden.+)',
    'SELECT 1 OPERATOR(hidden.+) ANY (ARRAY[1])',
    'SELECT 5::public.checked',
    'SELECT 5::checked',
    "SELECT checked '5'",
    'SELECT CAST(5 AS public.checked)',
    "SELECT '{5}'::public.checked[]",
    'SELECT NULL::public.checked',
    'SELECT * FROM json_to_record(\'{"a": 1}\') AS x(a public.checked)',
    "SELECT * FROM json_table('[1]'::jsonb, '$[*]' COLUMNS (a public.checked PATH '$')) t",
    "SELECT json_value('1'::jsonb, '$' RETURNING public.checked)",
    "SELECT xmlserialize(content '<a/>' AS public.checked)",
    'SELECT 5::public.pair',
    'SELECT CAST(5 AS pair)',
    'PREPARE p (public.checked) AS SELECT $1',
  ]);
});

test('A4 a parameter whose type is checked by somebody’s function is refused', async () => {
  const { rows } = await stand.direct.query<{ oid: number }>("SELECT 'public.checked'::regtype::oid AS oid");
  const before = await stand.state();
  const query = { text: 'SELECT $1', values: ['5'], types: undefined };
  const { connection } = reader.client as unknown as { connection: { parse(query: object): void } };
  const parse = connection.parse.bind(connection);
  connection.parse = (given) => parse({ ...given, types: [rows[0]?.oid] });
  await assert.rejects(reader.client.query(query), { code: '42501' });
  connection.parse = parse;
  assert.deepEqual(await stand.state(), before);
  assert.deepEqual((await reader.client.query('SELECT $1::int AS n', [5])).rows, [{ n: 5 }]);
});

test('A4 what a view runs counts as what the statement runs', async () => {
  await allRefused(stand, reader, [
    'SELECT * FROM public.baited',
    'SELECT id FROM public.baited',
    'TABLE baited',
    'SELECT * FROM public.baited_twice',
    'SELECT n FROM public.counted',
    'SELECT (SELECT count(*) FROM public.counted)',
    'COPY (SELECT * FROM public.counted) TO STDOUT',
  ]);
});

test('A4 functions, operators and views that only read are allowed in the same places', async () => {
  await allAllowed(reader, [
    'SELECT abs(id), o.total, upper(o.customer) FROM public.orders o ORDER BY length(customer)',
    "SELECT ('abc'::text).upper, (ARRAY['x'])[1].length",
    'SELECT o.customer, (o).total FROM public.orders o',
    'SELECT * FROM public.plain',
    'SELECT sum(id) FILTER (WHERE abs(id) > 1) OVER (ORDER BY id) FROM public.orders',
    'SELECT 3 - 2, 3 * 2, 5 % 3, total / 2 FROM public.orders',
    "SELECT '5'::int, CAST('5' AS numeric(4, 1)), date '2026-01-01'",
  ]);
});
