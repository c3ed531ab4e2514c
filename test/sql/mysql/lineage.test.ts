// Lineage by hand on MariaDB and MySQL: what each construct makes of base columns, with names, number and origins of the outputs as
// the servers describe them.

import assert from 'node:assert/strict';
import { both, type Case, expect, follow, PEOPLE, unproven, written } from './lineage-expect.ts';
import { run } from './lineage-world.ts';

const ALIKE: Readonly<Record<string, readonly Case[]>> = {
  'columns as they are': [
    ['SELECT email FROM people', '=people.email', ''],
    ['SELECT p.email AS x, shop.people.id FROM people p, shop.people', '=people.email =people.id'],
    ['SELECT EMAIL, `Name` AS `n m` FROM people', '=people.email =people.name'],
    ['SELECT * FROM people', PEOPLE],
    ['SELECT p.* FROM people p, orders o', PEOPLE],
    ['SELECT shop.p.* FROM people p, orders o', PEOPLE],
    ['SELECT * FROM items', '=items.id =items.name'],
    ['SELECT label, items.* FROM items', '=items.label =items.id =items.name'],
    ['SELECT 1 FROM dual', '-'],
  ],
  'expressions are derived from all of their parts': [
    ["SELECT 1, 'a', NULL, TRUE, current_date, @x, @@version, DATE '2020-01-01', x'41'", '- - - - - - - - -'],
    [
      'SELECT upper(name), concat(name, email), id + salary, -id FROM people',
      'people.name people.email+people.name people.id+people.salary people.id',
    ],
    [
      'SELECT substr(name, 1, 2), sha2(email, 256), hex(name), reverse(name), CAST(id AS char) FROM people',
      'people.name people.email people.name people.name people.id',
    ],
    [
      "SELECT CASE WHEN name = 'x' THEN 1 ELSE 0 END, CASE id WHEN 1 THEN email END, IF(name > 'a', 1, 0) FROM people",
      'people.name people.email+people.id people.name',
    ],
    [
      'SELECT coalesce(name, email), nullif(id, salary), greatest(id, 1), ifnull(name, 1) FROM people',
      'people.email+people.name people.id+people.salary people.id people.name',
    ],
    [
      "SELECT name LIKE 'a%', id BETWEEN 1 AND salary, id IN (1, 2), name <=> email, name REGEXP 'a' FROM people",
      'people.name people.id+people.salary people.id people.email+people.name people.name',
    ],
    ['SELECT name IS NULL, email IS NOT NULL FROM people', '- -', 'people.email people.name'],
    [
      "SELECT json_object('k', email), json_array(id, salary), json_extract(json_array(name), '$[0]') FROM people",
      'people.email people.id+people.salary people.name',
    ],
    [
      'SELECT DEFAULT(name), id DIV 2, CONVERT(name USING utf8mb4), BINARY name FROM people',
      'people.name people.id people.name people.name',
    ],
    ['SELECT date_add(now(), INTERVAL id DAY) FROM people WHERE id < 0', 'people.id', 'people.id'],
  ],
  'aggregates and windows': [
    ['SELECT count(*), count(name), count(DISTINCT email) FROM people', '- - -', 'people.email people.name'],
    [
      'SELECT min(name), max(id), sum(salary), avg(salary) FROM people',
      'people.name people.id people.salary people.salary',
    ],
    ["SELECT group_concat(name ORDER BY email SEPARATOR '/') FROM people", 'people.name', 'people.email'],
    ['SELECT sum(DISTINCT id) FROM people', 'people.id', 'people.id'],
    [
      'SELECT max(salary) OVER w, row_number() OVER (ORDER BY email) FROM people WINDOW w AS (PARTITION BY name)',
      'people.salary -',
      'people.email people.name',
    ],
    [
      'SELECT upper(name) AS u, count(*) AS c FROM people GROUP BY u WITH ROLLUP HAVING c > 0',
      'people.name -',
      'people.name',
    ],
  ],
  'what decides about rows': [
    [
      'SELECT id FROM people WHERE email > 1 OR name IN (SELECT note FROM orders)',
      '=people.id',
      'orders.note people.email people.name',
    ],
    ['SELECT DISTINCT email FROM people', '=people.email', 'people.email'],
    [
      'SELECT name, email FROM people ORDER BY 2, upper(low) LIMIT 1',
      '=people.name =people.email',
      'people.email people.low',
    ],
    // Which one is meant goes by the clause: both are counted.
    ['SELECT email AS id FROM people ORDER BY id', '=people.email', 'people.email people.id'],
    ["SELECT email AS id FROM people HAVING concat(id) > ''", '=people.email', 'people.email people.id'],
    ['SELECT email AS id, count(*) FROM people GROUP BY id', '=people.email -', 'people.email people.id'],
    ['SELECT p.id FROM people p JOIN orders o ON o.note = p.email', '=people.id', 'orders.note people.email'],
  ],
  subqueries: [
    ['SELECT x FROM (SELECT email AS x FROM people) s', '=people.email'],
    ['SELECT (SELECT email FROM people LIMIT 1), (SELECT max(name) FROM people) AS m', '=people.email people.name'],
    [
      'SELECT (SELECT p.email FROM orders o WHERE o.person = p.id LIMIT 1) FROM people p',
      '=people.email',
      'orders.person people.id',
    ],
    [
      "SELECT EXISTS (SELECT 1 FROM people WHERE name = 'x'), 'a' IN (SELECT email FROM people), id = ANY (SELECT person FROM orders) FROM people",
      '- - -',
      'orders.person people.email people.id people.name',
    ],
    ['SELECT (SELECT (SELECT p.name)) FROM people p', '=people.name'],
    ['SELECT email AS id, (SELECT id) FROM people', '=people.email =people.id'],
    ['SELECT 1 FROM (SELECT 1) x', '-'],
    ['SELECT * FROM (SELECT id, count(*) FROM people GROUP BY id) d', '=people.id -'],
  ],
  'common table expressions': [
    ['WITH a AS (SELECT email FROM people) SELECT * FROM a', '=people.email'],
    [
      'WITH a(x, y) AS (SELECT id, name FROM people), b AS (SELECT concat(y, y) AS z, x FROM a) SELECT z, x FROM b',
      'people.name =people.id',
    ],
    ['WITH people AS (SELECT 1 AS email) SELECT email FROM people', '-'],
    ['WITH people AS (SELECT email FROM people) SELECT email FROM people', '=people.email'],
    ['WITH a AS (SELECT note FROM orders), orders AS (SELECT 1 AS note) SELECT * FROM a', '=orders.note'],
    ['WITH people AS (SELECT 1 AS email) SELECT email FROM shop.people', '=people.email'],
    ['WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r WHERE n < 3) SELECT n FROM r', '-'],
    [
      "WITH RECURSIVE r(a, b, c) AS (SELECT 'x', 'x', name FROM people UNION ALL SELECT b, c, 'x' FROM r WHERE a < 'b') SELECT a, b, c FROM r",
      'people.name people.name people.name',
    ],
  ],
  joins: [
    [
      'SELECT id, name, note FROM people JOIN orders USING (id)',
      '=people.id =people.name =orders.note',
      'orders.id people.id',
    ],
    ['SELECT * FROM people LEFT JOIN orders o USING (id)', `${PEOPLE} =orders.person =orders.note =orders.code`],
    ['SELECT * FROM orders o RIGHT JOIN people USING (id)', `${PEOPLE} =orders.person =orders.note =orders.code`],
    ['SELECT id FROM people RIGHT JOIN orders USING (id)', '=orders.id'],
    ['SELECT * FROM people NATURAL JOIN items', '=people.id =people.name =people.email =people.salary =people.low'],
    [
      'SELECT p.email FROM people p JOIN (orders o JOIN items i ON i.id = o.id) ON p.id = o.person',
      '=people.email',
      'items.id orders.id orders.person people.id',
    ],
  ],
  'set operations, column by column': [
    ['SELECT email FROM people UNION ALL SELECT email FROM people', '=people.email', ''],
    ['SELECT email FROM people UNION SELECT name FROM people', 'people.email+people.name', 'people.email people.name'],
    ['SELECT id FROM people EXCEPT SELECT person FROM orders', '=people.id', 'orders.person people.id'],
    ['SELECT id FROM people INTERSECT SELECT person FROM orders', 'orders.person+people.id', 'orders.person people.id'],
    [
      '(SELECT id FROM people ORDER BY email LIMIT 1) UNION ALL (SELECT 1) ORDER BY 1',
      'people.id',
      'people.email people.id',
    ],
  ],
  'views, generated columns and documents': [
    ['SELECT * FROM contacts', '=people.id =people.email people.name', ''],
    ['SELECT * FROM wide', '=people.id =people.email people.name =orders.note =orders.code'],
    ['SELECT * FROM summary', '=items.label =summary.howmany items.name'],
    ['SELECT what FROM mixed', 'items.label+people.name'],
    ['SELECT * FROM made', '=people.email =made.seven'],
    ['SELECT low, upper(low) FROM people', '=people.low people.low'],
    ['SELECT table_name FROM information_schema.tables LIMIT 1', '=TABLES.table_name'],
    [
      "SELECT j.v FROM people p, JSON_TABLE(json_array(p.email), '$[*]' COLUMNS (o FOR ORDINALITY, v varchar(50) PATH '$')) j",
      'people.email',
      'people.email',
    ],
  ],
};

for (const [name, cases] of Object.entries(ALIKE)) both(name, (_, world) => expect(world, cases));

both('what only one of them has', (flavour, world) =>
  expect(
    world,
    flavour === 'mysql'
      ? [
          ['TABLE people', PEOPLE],
          ['TABLE items ORDER BY name', '=items.id =items.name', 'items.name'],
          ['VALUES ROW(1, (SELECT max(email) FROM people)), ROW(2, 3)', '- people.email'],
          ['SELECT b FROM (VALUES ROW(1, 2)) v(a, b)', '-'],
          ['SELECT l.* FROM people p, LATERAL (SELECT p.email, o.note FROM orders o) l', '=people.email =orders.note'],
          ['SELECT a, b FROM (SELECT id, name FROM people) s(a, b)', '=people.id =people.name'],
          ['EXPLAIN FORMAT=TRADITIONAL SELECT email FROM people', '- - - - - - - - - - - -'],
        ]
      : [
          ['VALUES (1, (SELECT max(email) FROM people)), (2, 3)', '- people.email'],
          ['INSERT INTO targets (id, a) VALUES (9, 1) RETURNING id, a, upper(b)', '=targets.id =targets.a targets.b'],
          ['INSERT INTO targets (id, a) SELECT 9, max(email) FROM people RETURNING a', 'people.email+targets.a'],
          ['DELETE FROM people WHERE id = 1 RETURNING email, low', '=people.email =people.low', 'people.id'],
          ['EXPLAIN SELECT email FROM people', '- - - - - - - - - -'],
        ],
  ),
);

both('what is written where', async (_, world) => {
  const cases: readonly (readonly [sql: string, writes: string])[] = [
    ['INSERT INTO targets (id, a) SELECT id, email FROM people', 'targets.id < =people.id; targets.a < =people.email'],
    [
      'INSERT INTO targets SELECT id, email, name FROM people',
      'targets.id < =people.id; targets.a < =people.email; targets.b < =people.name',
    ],
    ['REPLACE INTO targets (a, id) SELECT upper(email), 1 FROM people', 'targets.a < people.email; targets.id < -'],
    [
      'INSERT INTO targets SET id = 1, a = (SELECT max(email) FROM people), b = a',
      'targets.id < -; targets.a < people.email; targets.b < people.email',
    ],
    ['INSERT INTO contacts (id, address) VALUES (-1, 2)', 'people.id < -; people.email < -'],
    [
      'INSERT INTO targets (id, a) SELECT id, email FROM people ON DUPLICATE KEY UPDATE b = VALUES(a)',
      'targets.id < =people.id; targets.a < =people.email; targets.b < =people.email',
    ],
    [
      'INSERT INTO targets (id) SELECT p.id FROM people p ON DUPLICATE KEY UPDATE b = p.email',
      'targets.id < =people.id; targets.b < =people.email',
    ],
    ['UPDATE people SET name = email, salary = 1', 'people.name < =people.email; people.salary < -'],
    ['UPDATE targets t JOIN people p ON p.id = t.id SET t.a = p.email', 'targets.a < =people.email'],
    ['UPDATE contacts SET address = loud', 'people.email < people.name'],
    [
      'CREATE TABLE kept AS SELECT id AS a, max(email) AS m FROM people',
      'the new column kept.a < =people.id; the new column kept.m < people.email',
    ],
    ['CREATE VIEW v9 AS SELECT email FROM people', 'the new column v9.email < =people.email'],
    ['SELECT @a := email FROM people', 'the variable @a < =people.email'],
    ['SELECT max(email), 1 FROM people INTO @a, @b', 'the variables @a, @b < people.email; the variables @a, @b < -'],
    ['SET @a = (SELECT max(email) FROM people)', 'the variable @a < people.email'],
    ['DO get_lock((SELECT max(email) FROM people), 0)', 'the name of a lock < people.email'],
    ['SELECT last_insert_id(id) FROM people', 'LAST_INSERT_ID() < people.id'],
    ["PREPARE p FROM 'INSERT INTO targets (a) SELECT email FROM people'", 'targets.a < =people.email'],
  ];
  for (const [sql, writes] of cases) {
    assert.equal(written(world, sql), writes, sql);
  }
});

/** Statements by which a value would come out if its name were read as in other databases, with what the server makes of it. */
const ELSEWHERE: readonly string[] = [
  'SELECT (SELECT max(p.email) FROM (SELECT 1 AS email) P) AS z FROM people p',
  'SELECT (SELECT max(a) FROM (SELECT email AS ` a` FROM people) x) AS z FROM (SELECT 1 AS a) y',
  'SELECT (SELECT max(name_i) FROM (SELECT email AS `name_İ` FROM people) x) AS z FROM (SELECT 1 AS name_i) y',
  "SELECT (SELECT max(`'abc'`) FROM (SELECT 'abc') d) AS z FROM (SELECT email AS `'abc'` FROM people) o",
  'SELECT email AS q, (SELECT q) AS z FROM people',
];

both('names that the server may read otherwise are not followed', async (flavour, world) => {
  for (const sql of ELSEWHERE) {
    const { rows } = await run(world.client, sql);
    assert.match(String(rows[0]?.at(-1)), /^[a-z]x[a-z]z[a-z]\d/, `${sql} shows a value`);
    assert.notEqual(unproven(world, sql), null, sql);
  }
  const WITH = [
    'WITH ORDERS AS (SELECT 1 AS note) SELECT note FROM orders',
    'WITH RECURSIVE a AS (SELECT note AS x FROM orders), orders AS (SELECT email AS note FROM people) SELECT x FROM a',
    'INSERT INTO targets (id) WITH people AS (SELECT 1 AS id) SELECT id FROM people ON DUPLICATE KEY UPDATE a = people.id',
    ...(flavour === 'mysql'
      ? ['SELECT x.w FROM (SELECT 1 AS q) y, LATERAL (SELECT email AS q, (SELECT q) AS w FROM people) x']
      : []),
  ];
  for (const sql of WITH) {
    await world.client.query('START TRANSACTION');
    await run(world.client, sql);
    await world.client.query('ROLLBACK');
    assert.notEqual(unproven(world, sql), null, sql);
  }
});

both('what is not known is unproven', async (flavour, world) => {
  for (const sql of [
    'SELECT id FROM people, orders',
    'SELECT x FROM people',
    'SELECT q.id FROM people',
    'SELECT * FROM nobody',
    'SELECT id FROM people p JOIN orders o ON q.id = 1',
    'SELECT a.id FROM people a, (SELECT a.id) b',
    'EXECUTE p',
    'CALL p()',
    'HANDLER people READ FIRST',
    'CHECKSUM TABLE people',
    'SHOW COLUMNS FROM people',
    'EXPLAIN FORMAT=JSON SELECT 1 FROM people',
    'EXPLAIN ANALYZE SELECT 1 FROM people',
    ...(flavour === 'mysql' ? ['EXPLAIN SELECT 1 FROM people'] : ['ANALYZE SELECT 1 FROM people']),
    'ALTER TABLE people ADD COLUMN x text AS (email)',
    'UPDATE people SET nothing = 1',
    'SELEC 1',
    "SELECT 'x",
  ]) {
    assert.notEqual(unproven(world, sql), null, sql);
  }
  assert.ok('outputs' in follow(world, 'COMMIT'));
});

both('what would take too long is unproven', async (_, world) => {
  const many = Array.from({ length: 3000 }, (_, i) => `people p${i}`).join(', ');
  const lookups = Array.from({ length: 1000 }, () => 'x').join(', ');
  assert.match(unproven(world, `SELECT ${lookups} FROM (SELECT 1 AS x) s, ${many}`) ?? '', /too large/);
  const deep = `SELECT ${'('.repeat(5000)}1${')'.repeat(5000)}`;
  assert.match(unproven(world, deep) ?? '', /nested too deeply/);
});
