// Lineage of one query by hand: what each construct makes of base columns, with names, number and origins of the outputs as a
// real PostgreSQL describes them.

import { test } from 'node:test';
import { ALL, expect, PEOPLE } from './lineage-expect.ts';

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
