// Lineage by hand of changes and other statements, and what has none.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { lineageOf } from '../../../src/sql/pg/lineage.ts';
import { ALL, catalog, expect, flows, lineage, PEOPLE } from './lineage-expect.ts';
import { brief, nameOf, PATH } from './lineage-world.ts';

/** What a statement that the server runs writes: `into[column] < from`. */
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
  const unproven = (sql: string) => {
    const found = lineageOf(sql, 0, { catalog, searchPath: PATH });
    return 'unproven' in found ? found.unproven : null;
  };
  // Columns that double with each CTE, a fixpoint inside a fixpoint many times over, lookups among many, whole rows without end.
  const doubled = Array.from({ length: 12 }, (_, i) => {
    const from = i === 0 ? 'people' : `c${i}`;
    return `c${i + 1} AS (SELECT a.*, b.* FROM ${from} a, ${from} b)`;
  });
  assert.match(unproven(`WITH ${doubled.join(', ')} SELECT 1 FROM c12`) ?? '', /more than 1664 columns/);
  const nested = (depth: number, from: string): string =>
    depth === 0
      ? `SELECT a, b, c FROM ${from}`
      : `WITH RECURSIVE r${depth}(a, b, c) AS (SELECT a, b, c FROM ${from} UNION ALL ` +
        `SELECT b, c, a FROM (${nested(depth - 1, `r${depth}`)}) x) SELECT a, b, c FROM r${depth}`;
  const start = "(SELECT name AS a, email AS b, '' AS c FROM people) s";
  assert.equal(unproven(nested(30, start)), null);
  const many = Array.from({ length: 3000 }, (_, i) => `people p${i}`).join(', ');
  const lookups = Array.from({ length: 1000 }, () => 'x').join(', ');
  assert.match(unproven(`SELECT ${lookups} FROM (SELECT 1 AS x) s, ${many}`) ?? '', /too large/);
  const rows = Array.from({ length: 200_000 }, () => 'p').join(', ');
  assert.match(unproven(`SELECT concat(${rows}) FROM people p`) ?? '', /too large/);
});
