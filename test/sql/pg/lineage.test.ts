// Lineage by hand: what each construct makes of base columns, with names, number and origins of the outputs as a real
// PostgreSQL describes them.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Client } from 'pg';
import { lineageOf } from '../../../src/sql/pg/lineage.ts';
import { startParser } from '../../../src/sql/pg/parser.ts';
import type { Catalog, Lineage } from '../../../src/types.ts';
import { type PostgresServer, startPostgres } from '../../servers/postgres.ts';
import { brief, contradiction, nameOf, PATH, readCatalog, SCHEMA } from './lineage-world.ts';

let server: PostgresServer;
let client: Client;
let catalog: Catalog;

before(async () => {
  await startParser();
  server = await startPostgres({ sql: SCHEMA });
  client = new Client({ connectionString: server.connectionString });
  await client.connect();
  catalog = await readCatalog(client);
});

after(async () => {
  await client?.end();
  await server?.stop();
});

function lineage(sql: string): Lineage {
  const found = lineageOf(sql, 0, { catalog, searchPath: PATH });
  assert.ok(!('unproven' in found), `${sql}: ${'unproven' in found ? found.unproven : ''}`);
  return found;
}

function short(names: readonly string[]): string {
  return [...new Set(names)]
    .map((name) => name.replace(/^public\./, ''))
    .sort()
    .join(' ');
}

/** Outputs and predicates in words, as `brief` has them; the outputs agree with the server's description. */
async function flows(sql: string): Promise<[outputs: string, predicates: string]> {
  const { outputs, predicates } = lineage(sql);
  await client.query('BEGIN');
  try {
    const { fields } = await client.query(sql);
    const named = (outputs ?? []).map((output) => output.name);
    assert.deepEqual(
      named,
      fields.map((field) => field.name),
      sql,
    );
    for (const [i, field] of fields.entries()) {
      const output = outputs?.[i];
      assert.ok(output !== undefined);
      assert.equal(contradiction(catalog, output.dependence, field), null, `${sql}: ${field.name}`);
    }
  } finally {
    await client.query('ROLLBACK');
  }
  const shown = (outputs ?? []).map((output) => brief(catalog, output.dependence)).join(' ');
  return [shown, short(predicates.map((column) => nameOf(catalog, column)))];
}

async function expect(cases: readonly (readonly [sql: string, outputs: string, predicates?: string])[]): Promise<void> {
  for (const [sql, outputs, predicates] of cases) {
    const [found, decided] = await flows(sql);
    assert.equal(found, outputs, sql);
    if (predicates !== undefined) assert.equal(decided, predicates, sql);
  }
}

const PEOPLE = '=people.id =people.name =people.email =people.salary =people.low';
const ALL = 'people.email+people.id+people.low+people.name+people.salary';

test('columns as they are: aliases, stars, casts to the same type', () =>
  expect([
    ['SELECT email FROM people', '=people.email', ''],
    ['SELECT p.email AS x, public.people.id FROM people p, public.people', '=people.email =people.id'],
    ['SELECT * FROM people', PEOPLE],
    ['SELECT p.* FROM people p, orders o', PEOPLE],
    ['TABLE people', PEOPLE],
    [
      'SELECT name::text, email::varchar, id::int4, (name) FROM people',
      '=people.name =people.email =people.id =people.name',
    ],
    [
      'SELECT email::varchar(3), email::text, id::bigint, name::varchar FROM people',
      'people.email people.email people.id people.name',
    ],
    ['SELECT name COLLATE "C" FROM people', '=people.name'],
    ['SELECT x.b FROM people AS x(a, b)', '=people.name'],
    ['SELECT a, email FROM people AS x(a)', '=people.id =people.email'],
    ['SELECT ctid, tableoid, xmin FROM people', '- - -'],
    ['SELECT id FROM ONLY people TABLESAMPLE bernoulli (100) REPEATABLE (1)', '=people.id'],
    ['SELECT * FROM shop.events', '=shop.events.id =shop.events.kind =shop.events.secret'],
    ['SELECT secret FROM shop.events_1', '=shop.events_1.secret'],
    ['SELECT', ''],
  ]));

test('rows: whole rows, constructors, fields of either', () =>
  expect([
    ['SELECT p FROM people p', ALL],
    ['SELECT p.*::people AS q, p::text FROM people p', `${ALL} ${ALL}`],
    ['SELECT (p).email, (p).*, (p.*).name FROM people p', `=people.email ${PEOPLE} =people.name`],
    ['SELECT people FROM people', ALL],
    [
      'SELECT to_jsonb(p), row_to_json(p), p.to_json, count(p), count(p.*) FROM people p GROUP BY p.*',
      `${ALL} ${ALL} ${ALL} - -`,
    ],
    ['SELECT email(p) FROM people p', ALL],
    ['SELECT ROW(p.id, p.*), (ROW(name, id)).f1, (ROW(id, p.*)).f3 FROM people p', `${ALL} =people.name =people.name`],
    ['SELECT (id, name) FROM people', 'people.id+people.name'],
    ['SELECT (x).* FROM (SELECT p AS x FROM people p) y', PEOPLE],
    ['SELECT (SELECT p FROM people p LIMIT 1)', ALL],
    ['SELECT p, (p).left_part, (p).* FROM pairs', '=pairs.p pairs.p pairs.p pairs.p'],
    ['SELECT (ps[1]).right_part, tags[1], tags[1:2], doc[0] FROM pairs', 'pairs.ps pairs.tags pairs.tags pairs.doc'],
    [
      'SELECT (jsonb_populate_record(null::pair, doc)).*, (ROW(id, 2)::pair).left_part FROM pairs',
      'pairs.doc pairs.doc pairs.id',
    ],
    ['SELECT (json_each(to_json(p))).key FROM people p', ALL],
    ['SELECT x FROM (VALUES (1, 2)) x', '-'],
  ]));

test('expressions are derived from all of their parts', () =>
  expect([
    ["SELECT 1, 'a', NULL, true, current_date, $$x$$::text, interval '1 day'", '- - - - - - -'],
    [
      'SELECT upper(name), name || email, id + salary, -id FROM people',
      'people.name people.email+people.name people.id+people.salary people.id',
    ],
    [
      'SELECT substr(name, 1, 2), md5(email), reverse(name), encode(name::bytea, $$hex$$) FROM people',
      'people.name people.email people.name people.name',
    ],
    [
      "SELECT CASE WHEN name = 'x' THEN 1 ELSE 0 END, CASE id WHEN 1 THEN email END FROM people",
      'people.name people.email+people.id',
    ],
    [
      'SELECT coalesce(name, email), nullif(id, salary), greatest(id, 1), least(id, salary) FROM people',
      'people.email+people.name people.id+people.salary people.id people.id+people.salary',
    ],
    [
      "SELECT name LIKE 'a%', id BETWEEN 1 AND salary, id IN (1, 2), name IS DISTINCT FROM email, id = ANY(ARRAY[salary]) FROM people",
      'people.name people.id+people.salary people.id people.email+people.name people.id+people.salary',
    ],
    [
      'SELECT name IS NULL, email IS NOT NULL, (id > 1) IS TRUE FROM people',
      '- - people.id',
      'people.email people.name',
    ],
    [
      'SELECT ARRAY[id, salary], ARRAY[[name]], NOT (id > 1), id > 1 AND salary > 1 FROM people',
      'people.id+people.salary people.name people.id people.id+people.salary',
    ],
    [
      "SELECT extract(year FROM now()), trim(name), position('a' in name), overlay(name placing 'x' from 1), now() AT TIME ZONE name FROM people WHERE false",
      '- people.name people.name people.name people.name',
    ],
    [
      'SELECT json_build_object(name, id), json_object(name : email), json_array(id, salary), json_scalar(id), json_serialize(to_json(id)) FROM people',
      'people.id+people.name people.email+people.name people.id+people.salary people.id people.id',
    ],
    [
      "SELECT json_value(doc, '$.a'), json_query(doc, '$.x' PASSING tags AS t), json_exists(doc, '$.a' PASSING id AS i), doc IS JSON FROM pairs",
      'pairs.doc pairs.doc+pairs.tags pairs.doc+pairs.id pairs.doc',
    ],
    ['SELECT json_array(SELECT name FROM people), JSON(note) FROM orders WHERE false', 'people.name orders.note'],
    [
      'SELECT xmlelement(name a, xmlattributes(id AS b), name), xmlforest(email), xmlconcat(NULL), xmlserialize(content xmlelement(name x, id) AS text) FROM people',
      'people.id+people.name people.email - people.id',
    ],
    ["SELECT concat_ws(',', VARIADIC tags), make_interval(days => id) FROM pairs", 'pairs.tags pairs.id'],
    ['SELECT unnest(tags), generate_series(1, id), jsonb_object_keys(doc) FROM pairs', 'pairs.tags pairs.id pairs.doc'],
  ]));

test('aggregates and windows: values are derived, counts and order are predicates', () =>
  expect([
    ['SELECT count(*), count(name), count(DISTINCT email) FROM people', '- - -', 'people.email people.name'],
    [
      'SELECT min(name), max(id), sum(salary), avg(salary), array_agg(id), any_value(email) FROM people',
      'people.name people.id people.salary people.salary people.id people.email',
      '',
    ],
    [
      "SELECT string_agg(name, ',' ORDER BY email) FILTER (WHERE salary > 1), sum(DISTINCT id) FROM people",
      'people.name people.id',
      'people.email people.id people.salary',
    ],
    [
      'SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY salary), mode() WITHIN GROUP (ORDER BY name) FROM people',
      'people.salary people.name',
    ],
    [
      'SELECT json_object_agg(name, email), json_objectagg(name : id), json_arrayagg(email ORDER BY id), json_agg(p) FROM people p',
      `people.email+people.name people.id+people.name people.email ${ALL}`,
    ],
    [
      'SELECT row_number() OVER (PARTITION BY name ORDER BY email), rank() OVER w, ntile(2) OVER w, cume_dist() OVER w FROM people WINDOW w AS (ORDER BY salary)',
      '- - - -',
      'people.email people.name people.salary',
    ],
    [
      'SELECT lag(name, id) OVER (ORDER BY email), first_value(salary) OVER (), sum(id) OVER (ORDER BY name ROWS 1 PRECEDING), count(email) OVER () FROM people',
      'people.id+people.name people.salary people.id -',
      'people.email people.name',
    ],
    [
      'SELECT name, GROUPING(name, id), count(*) FROM people GROUP BY GROUPING SETS ((name), (id), ())',
      '=people.name - -',
      'people.id people.name',
    ],
    ['SELECT rank(1) WITHIN GROUP (ORDER BY salary) FROM people', 'people.salary'],
  ]));

test('filters, groupings, orderings', () =>
  expect([
    ["SELECT id FROM people WHERE email = 'x'", '=people.id', 'people.email'],
    ['SELECT id FROM people ORDER BY email', '=people.id', 'people.email'],
    ['SELECT id AS email FROM people ORDER BY email', '=people.id', 'people.id'],
    ['SELECT id AS email FROM people GROUP BY email, id', '=people.id', 'people.email people.id'],
    ['SELECT upper(name) AS u FROM people GROUP BY u', 'people.name', 'people.name'],
    [
      'SELECT id, upper(email) FROM people ORDER BY 2 DESC, name USING <',
      '=people.id people.email',
      'people.email people.name',
    ],
    ['SELECT *, 1 AS x FROM people ORDER BY 3', `${PEOPLE} -`, 'people.email'],
    [
      'SELECT name, count(*) FROM people GROUP BY 1 HAVING max(email) > $$a$$',
      '=people.name -',
      'people.email people.name',
    ],
    [
      'SELECT 1 FROM people GROUP BY ROLLUP (name, (id, email)), CUBE (salary)',
      '-',
      'people.email people.id people.name people.salary',
    ],
    ['SELECT DISTINCT name, id + 1 FROM people', '=people.name people.id', 'people.id people.name'],
    ['SELECT DISTINCT ON (email, 1) id FROM people ORDER BY email', '=people.id', 'people.email people.id'],
    ['SELECT id FROM people ORDER BY salary FETCH FIRST 1 ROWS WITH TIES', '=people.id', 'people.salary'],
    ['SELECT id FROM people LIMIT (SELECT count(note) FROM orders) OFFSET (SELECT 0)', '=people.id', 'orders.note'],
    ['SELECT id FROM people FOR UPDATE', '=people.id'],
  ]));

test('subqueries', () =>
  expect([
    ['SELECT x FROM (SELECT email AS x FROM people) s', '=people.email'],
    ['SELECT upper FROM (SELECT upper(email) FROM people) s', 'people.email'],
    ['SELECT a, b FROM (SELECT id, name FROM people) s(a, b)', '=people.id =people.name'],
    ['SELECT (SELECT email FROM people LIMIT 1), (SELECT max(name) FROM people) AS m', '=people.email people.name'],
    [
      'SELECT (SELECT p.email FROM orders o WHERE o.person = p.id LIMIT 1) FROM people p',
      '=people.email',
      'orders.person people.id',
    ],
    [
      "SELECT EXISTS (SELECT email FROM people WHERE name = 'x'), 'a' IN (SELECT email FROM people), id = ANY (SELECT person FROM orders), id > ALL (SELECT 1) FROM people",
      '- - - -',
      'orders.person people.email people.id people.name',
    ],
    ['SELECT ARRAY(SELECT email FROM people ORDER BY id)', 'people.email', 'people.id'],
    [
      'SELECT l.* FROM people p, LATERAL (SELECT p.email, o.note FROM orders o WHERE o.person = p.id) l',
      '=people.email =orders.note',
    ],
    [
      'SELECT o.note, l.m FROM orders o LEFT JOIN LATERAL (SELECT max(email) AS m FROM people WHERE id = o.person) l ON true',
      '=orders.note people.email',
    ],
    ['SELECT (SELECT (SELECT p.name)) FROM people p', '=people.name'],
    [
      'SELECT id FROM people WHERE (id, salary) = (SELECT id, person FROM orders LIMIT 1)',
      '=people.id',
      'orders.id orders.person people.id people.salary',
    ],
    ['SELECT name FROM (VALUES (1)) v(name)', '-'],
    ['SELECT email FROM people WHERE id IN (SELECT salary)', '=people.email', 'people.id people.salary'],
    ['SELECT 1 FROM (SELECT 1)', '-'],
    ['VALUES ((SELECT email FROM people LIMIT 1), 1), (NULL, 2) ORDER BY column1', 'people.email -', 'people.email'],
  ]));

test('common table expressions', () =>
  expect([
    ['WITH a AS (SELECT email FROM people) SELECT * FROM a', '=people.email'],
    [
      'WITH a(x, y) AS (SELECT id, name FROM people), b AS (SELECT y || y AS z, x FROM a) SELECT z, x FROM b',
      'people.name =people.id',
    ],
    ['WITH people AS (SELECT 1 AS email) SELECT email FROM people', '-'],
    ['WITH people AS (SELECT email FROM people) SELECT email FROM people', '=people.email'],
    [
      'WITH a AS (SELECT 1 AS x) SELECT (WITH a AS (SELECT email AS x FROM people LIMIT 1) SELECT x FROM a), x FROM a',
      '=people.email -',
    ],
    ['WITH people AS (SELECT 1 AS email) SELECT email FROM public.people', '=people.email'],
    ['WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r WHERE n < 3) SELECT n FROM r', '-'],
    [
      "WITH RECURSIVE r(a, b, c) AS (SELECT 'x', 'x', name FROM people UNION ALL SELECT b, c, 'x' FROM r WHERE a < 'b') SELECT a, b, c FROM r",
      'people.name people.name people.name',
    ],
    ['WITH RECURSIVE b AS (SELECT * FROM a), a AS (SELECT email FROM people) SELECT * FROM b', '=people.email'],
    [
      'WITH RECURSIVE t(id) AS (SELECT id FROM people UNION SELECT id FROM t) SEARCH DEPTH FIRST BY id SET o CYCLE id SET c USING p SELECT * FROM t',
      '=people.id people.id - people.id',
      'people.id',
    ],
    [
      'WITH w AS (UPDATE people SET name = email RETURNING id, name) SELECT * FROM w',
      '=people.id people.email+people.name',
    ],
    ['WITH w AS MATERIALIZED (DELETE FROM orders RETURNING *) SELECT note FROM w', '=orders.note'],
    ['SELECT x FROM people, LATERAL (WITH c AS (SELECT people.email AS x) SELECT x FROM c) s', '=people.email'],
  ]));

test('joins', () =>
  expect([
    [
      'SELECT id, name, note FROM people JOIN orders USING (id)',
      '=people.id =people.name =orders.note',
      'orders.id people.id',
    ],
    ['SELECT * FROM people LEFT JOIN orders o USING (id)', `${PEOPLE} =orders.person =orders.note =orders.code`],
    ['SELECT id FROM people RIGHT JOIN orders USING (id)', '=orders.id'],
    ['SELECT id FROM people FULL JOIN orders USING (id)', 'orders.id+people.id'],
    ['SELECT p.id, o.id FROM people p FULL JOIN orders o USING (id)', '=people.id =orders.id'],
    [
      'SELECT * FROM shop.items NATURAL JOIN people',
      '=shop.items.id people.name+shop.items.name =shop.items.label =people.email =people.salary =people.low',
    ],
    ['SELECT name FROM shop.items i JOIN people p USING (id, name)', 'people.name+shop.items.name'],
    ['SELECT name FROM shop.items i LEFT JOIN people p USING (name)', 'shop.items.name'],
    ['SELECT u.id FROM people JOIN orders USING (id) AS u', '=people.id'],
    ['SELECT j.x, j.name FROM (people JOIN orders USING (id)) AS j(x)', '=people.id =people.name'],
    [
      'SELECT j FROM (shop.items i CROSS JOIN orders o) AS j(a, b, c, d, e)',
      'orders.code+orders.id+orders.note+orders.person+shop.items.id+shop.items.label+shop.items.name',
    ],
    [
      'SELECT p.email FROM people p JOIN (orders o JOIN shop.items i ON i.id = o.id) ON p.id = o.person',
      '=people.email',
      'orders.id orders.person people.id shop.items.id',
    ],
    [
      'SELECT id FROM people p JOIN orders o USING (id) JOIN shop.items i USING (id)',
      '=people.id',
      'orders.id people.id shop.items.id',
    ],
    [
      'SELECT p.id FROM people p CROSS JOIN LATERAL (SELECT p.email) x(e) WHERE e IS NULL',
      '=people.id',
      'people.email',
    ],
  ]));

test('set operations, column by column', () =>
  expect([
    ['SELECT email FROM people UNION ALL SELECT email FROM people', '=people.email', ''],
    ['SELECT email FROM people UNION SELECT name FROM people', 'people.email+people.name', 'people.email people.name'],
    [
      'SELECT id, name FROM people UNION ALL SELECT 1, note FROM orders ORDER BY name LIMIT 1',
      'people.id orders.note+people.name',
      'orders.note people.name',
    ],
    ['SELECT id FROM people EXCEPT SELECT person FROM orders', '=people.id', 'orders.person people.id'],
    [
      'SELECT id FROM people INTERSECT ALL SELECT person FROM orders',
      'orders.person+people.id',
      'orders.person people.id',
    ],
    [
      '(SELECT id FROM people ORDER BY email LIMIT 1) UNION ALL (VALUES (1)) ORDER BY 1',
      'people.id',
      'people.email people.id',
    ],
    [
      'TABLE shop.items UNION ALL SELECT 1, note, code FROM orders',
      'shop.items.id orders.note+shop.items.label orders.code+shop.items.name',
    ],
  ]));

test('functions in FROM', () =>
  expect([
    ['SELECT g, g.g FROM generate_series(1, 2) g', '- -'],
    ['SELECT * FROM people p, json_each(to_json(p)) WITH ORDINALITY j(k)', `${PEOPLE} ${ALL} ${ALL} -`],
    ['SELECT value FROM people p, jsonb_array_elements(to_jsonb(ARRAY[p.name])) e', 'people.name', 'people.name'],
    ['SELECT t, t.* FROM pairs, unnest(tags) t', 'pairs.tags pairs.tags'],
    ['SELECT a, b FROM pairs, unnest(tags, ARRAY[id]) AS t(a, b)', 'pairs.tags pairs.id'],
    [
      'SELECT * FROM pairs p2, ROWS FROM (jsonb_to_record(p2.doc) AS (a int, b text), generate_series(1, p2.id)) x',
      '=pairs.id =pairs.p =pairs.ps =pairs.tags =pairs.doc pairs.doc pairs.doc pairs.id',
    ],
    ['SELECT a, x FROM pairs, jsonb_to_record(doc) AS x(a int, b text)', 'pairs.doc pairs.doc'],
    ['SELECT r.* FROM pairs, jsonb_populate_record(null::pair, doc) r', 'pairs.doc pairs.doc'],
    [
      "SELECT j.* FROM pairs, JSON_TABLE(doc, '$' COLUMNS (o FOR ORDINALITY, NESTED PATH '$.x' COLUMNS (z int), a int PATH '$.a')) j",
      'pairs.doc pairs.doc pairs.doc',
      'pairs.doc',
    ],
    [
      "SELECT x.* FROM people, XMLTABLE('/a' PASSING xmlelement(name a, name) COLUMNS o FOR ORDINALITY, v text PATH '.' DEFAULT email) x",
      'people.email+people.name people.email+people.name',
    ],
    ['SELECT * FROM current_date, lower($$A$$) AS low, coalesce(1, 2)', '- - -'],
    ['SELECT * FROM string_to_table($$a b$$, $$ $$)', '-'],
  ]));

test('views, materialised views and generated columns', () =>
  expect([
    ['SELECT * FROM contacts', '=people.id =people.email people.name', ''],
    ['SELECT * FROM wide', '=people.id =people.email people.name =orders.note =orders.code'],
    ['SELECT c.address || c.id FROM contacts c', 'people.email+people.id'],
    ['SELECT * FROM shop.summary', '=shop.events.kind =shop.summary.howmany shop.events.secret'],
    ['SELECT what FROM shop.mixed', 'people.name+shop.items.label'],
    ['SELECT * FROM shop.kept', '=shop.items.id =shop.items.label people.email'],
    ['SELECT c FROM contacts c', 'people.email+people.id+people.name'],
    ['SELECT low, upper(low) FROM people', '=people.low people.low'],
    ['SELECT relname, count(*) FROM pg_class GROUP BY 1', '=pg_catalog.pg_class.relname -'],
    ['SELECT table_name FROM information_schema.tables', '=information_schema.tables.table_name'],
  ]));

async function written(sql: string): Promise<string> {
  await flows(sql).catch((error: unknown) => assert.fail(`${sql}: ${String(error)}`));
  return lineage(sql)
    .writes.map(({ into, column, from }) => {
      const name = column === null ? '' : `[${nameOf(catalog, column).replace(/^public\./, '')}]`;
      return `${into.replace(/^public\./, '')}${name} < ${brief(catalog, from)}`;
    })
    .join('; ');
}

test('changes: what is written, and what RETURNING shows', async () => {
  await expect([
    [
      "INSERT INTO orders (id, note) VALUES (1, 'x') RETURNING *, old.note, new.note",
      '=orders.id =orders.person =orders.note =orders.code =orders.note =orders.note',
    ],
    [
      'INSERT INTO orders (id, note) SELECT id, email FROM people RETURNING id, note, code',
      'orders.id+people.id orders.note+people.email =orders.code',
    ],
    [
      'UPDATE people p SET name = o.note FROM orders o WHERE o.person = p.id RETURNING p.name, old.name, new.name, o.code, low',
      'orders.note+people.name =people.name orders.note+people.name =orders.code orders.note+people.low',
      'orders.person people.id',
    ],
    [
      'UPDATE people SET (name, salary) = (SELECT note, person FROM orders LIMIT 1) RETURNING name, salary, id',
      'orders.note+people.name orders.person+people.salary =people.id',
    ],
    ['UPDATE people AS t SET name = t.id::text RETURNING id, t, name', `=people.id ${ALL} people.id+people.name`],
    [
      'DELETE FROM people USING orders o WHERE people.id = o.id RETURNING people.*, o.note',
      `${PEOPLE} =orders.note`,
      'orders.id people.id',
    ],
    [
      'UPDATE people SET name = email RETURNING WITH (OLD AS o, NEW AS n) o.name, n.name, o, n',
      `=people.name people.email+people.name ${ALL} ${ALL}`,
    ],
    [
      'MERGE INTO orders o USING people p ON p.id = -o.id WHEN MATCHED AND p.salary > 1 THEN UPDATE SET note = p.email WHEN NOT MATCHED BY SOURCE THEN DO NOTHING WHEN NOT MATCHED THEN INSERT VALUES (id, 1, p.name) RETURNING merge_action(), o.*, p.email',
      '- orders.id+people.id =orders.person orders.note+people.email+people.name =orders.code =people.email',
      'orders.id people.id people.salary',
    ],
    [
      "INSERT INTO people (id, name, email) SELECT id, note, code FROM orders ON CONFLICT (id) DO UPDATE SET name = excluded.email, salary = people.salary + 1 WHERE excluded.name <> 'x' RETURNING name, low, salary",
      'orders.code+orders.note+people.name orders.code+orders.note+people.low people.salary',
      'orders.note people.id',
    ],
  ]);
  assert.equal(
    await written('INSERT INTO orders SELECT -id, salary, email FROM people'),
    'orders.id[orders.id] < people.id; orders.person[orders.person] < =people.salary; orders.note[orders.note] < =people.email',
  );
  assert.equal(
    await written('UPDATE people SET name = email, salary = 1, email = DEFAULT'),
    'people.name[people.name] < =people.email; people.salary[people.salary] < -; people.email[people.email] < -',
  );
  assert.equal(
    await written('INSERT INTO contacts (id, address) VALUES (1, $$x$$)'),
    'contacts.id[people.id] < -; contacts.address[people.email] < -',
  );
  assert.equal(
    await written('UPDATE pairs SET tags[id] = doc::text, p.left_part = $$x$$'),
    'pairs.tags[pairs.tags] < pairs.doc+pairs.id; pairs.p[pairs.p] < -',
  );
  assert.equal(
    await written('WITH x AS (SELECT email FROM people) INSERT INTO orders (id, note) SELECT 1, email FROM x LIMIT 1'),
    'orders.id[orders.id] < -; orders.note[orders.note] < =people.email',
  );
  assert.equal(
    await written('WITH x AS (INSERT INTO orders (id, code) SELECT -id, name FROM people) SELECT 1'),
    'orders.id[orders.id] < people.id; orders.code[orders.code] < =people.name',
  );
  assert.equal(
    await written('CREATE TEMP TABLE kept AS SELECT id AS a, max(email) FROM people GROUP BY 1'),
    'the new column kept.a < =people.id; the new column kept.max < people.email',
  );
  assert.equal(
    await written('SELECT email INTO TEMP kept2 FROM people UNION SELECT note FROM orders'),
    'the new column kept2.email < orders.note+people.email',
  );
  assert.equal(
    await written('CREATE MATERIALIZED VIEW shop.m2(x) AS SELECT email FROM people'),
    'the new column shop.m2.x < =people.email',
  );
  assert.equal(await written('CREATE VIEW v9 AS SELECT email FROM people'), 'the new column v9.email < =people.email');
  assert.equal(
    await written(
      "SELECT set_config('a.b', email, false), pg_notify('c', name), lo_from_bytea(0, $$x$$), setseed(0), pg_advisory_lock(id) FROM people LIMIT 0",
    ),
    'a setting < people.email; a notification < people.name; what pg_advisory_lock is given < people.id',
  );
});

test('statements about statements', async () => {
  const outputs = (sql: string) =>
    lineage(sql)
      .outputs?.map(({ name, dependence }) => `${name} ${brief(catalog, dependence)}`)
      .join(', ') ?? null;
  assert.equal(outputs('PREPARE p AS SELECT email, $1 AS x FROM people WHERE id = $2'), 'email =people.email, x -');
  assert.equal(outputs('DECLARE c CURSOR FOR SELECT upper(email) FROM people'), 'upper people.email');
  assert.equal(outputs('EXPLAIN ANALYZE SELECT email FROM people'), 'QUERY PLAN -');
  assert.equal(outputs('SHOW search_path'), 'search_path -');
  assert.equal(
    outputs('COPY people TO STDOUT'),
    'id =people.id, name =people.name, email =people.email, salary =people.salary',
  );
  assert.equal(outputs('COPY people (email, id) TO STDOUT'), 'email =people.email, id =people.id');
  assert.equal(outputs('COPY (SELECT max(email) FROM people) TO STDOUT'), 'max people.email');
  assert.equal(
    outputs('COPY (UPDATE people SET name = email RETURNING name) TO STDOUT'),
    'name people.email+people.name',
  );
  assert.equal(outputs('COPY people FROM STDIN'), null);
  assert.equal(outputs('BEGIN'), null);
  assert.deepEqual(lineage("COPY people (id) TO '/tmp/x'").writes.length, 1);
  assert.deepEqual(lineage('EXPLAIN ANALYZE UPDATE people SET name = email').writes.length, 1);
  assert.equal(
    Object.hasOwn(lineageOf('SELECT 1; SELECT email FROM people', 1, { catalog, searchPath: PATH }), 'outputs'),
    true,
  );
});

test('what is not known is unproven', () => {
  for (const sql of [
    'SELECT id FROM people, orders',
    'SELECT x FROM people',
    'SELECT q.id FROM people',
    'SELECT * FROM nobody',
    'SELECT id FROM people p JOIN orders o ON q.id = 1',
    'SELECT a.id FROM people a, (SELECT a.id) b',
    'SELECT name FROM people p, (SELECT 1 AS name) q',
    'EXECUTE p',
    'FETCH 1 FROM c',
    'CREATE TABLE x AS EXECUTE p',
    'DO $$ BEGIN END $$',
    'CALL p()',
    'ALTER TABLE people ADD COLUMN x text GENERATED ALWAYS AS (email) STORED',
    'SELECT (f(1)).* FROM people',
    'SELECT * FROM json_to_record($1)',
    'WITH RECURSIVE a AS (SELECT * FROM b), b AS (SELECT * FROM a) SELECT * FROM a',
    'UPDATE people SET nothing = 1',
    'SELECT id FROM people ORDER BY 2',
    'SELEC 1',
  ]) {
    const found = lineageOf(sql, 0, { catalog, searchPath: PATH });
    assert.ok('unproven' in found, sql);
  }
  assert.ok('unproven' in lineageOf('SELECT 1', 1, { catalog, searchPath: PATH }));
});

test('what would take too long is unproven', () => {
  const started = performance.now();
  const deep = `SELECT ${'('.repeat(2000)}id${')'.repeat(2000)} FROM people`;
  lineageOf(deep, 0, { catalog, searchPath: PATH });
  const doubling = `WITH ${Array.from({ length: 12 }, (_, i) => `c${i + 1} AS (SELECT a.* FROM ${i === 0 ? 'people' : `c${i}`} a, ${i === 0 ? 'people' : `c${i}`} b, LATERAL (SELECT * FROM ${i === 0 ? 'people' : `c${i}`}) c)`).join(', ')} SELECT a.*, b.* FROM c12 a, c12 b`;
  assert.ok('outputs' in lineageOf(doubling, 0, { catalog, searchPath: PATH }));
  const wide = `SELECT ${Array.from({ length: 1000 }, () => 'p.*').join(', ')} FROM people p`;
  assert.ok('unproven' in lineageOf(wide, 0, { catalog, searchPath: PATH }));
  let nested = "SELECT 'a' AS a, 'a' AS b, name AS c FROM people";
  for (let i = 0; i < 12; i++)
    nested = `WITH RECURSIVE r${i}(a, b, c) AS (${nested} UNION ALL SELECT b, c, a FROM (WITH RECURSIVE s(a, b, c) AS (SELECT a, b, c FROM r${i} UNION ALL SELECT c, a, b FROM s) SELECT * FROM s) t) SELECT a, b, c FROM r${i}`;
  lineageOf(nested, 0, { catalog, searchPath: PATH });
  assert.ok(performance.now() - started < 20_000);
});
