// Lineage by hand of what queries stand on: subqueries, CTEs, joins, set operations, functions in FROM, and views.

import { test } from 'node:test';
import { ALL, expect, PEOPLE } from './lineage-expect.ts';

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
