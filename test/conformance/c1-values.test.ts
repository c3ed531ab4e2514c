// C1, C2, C3: whatever is made of a protected value, and by whichever road it comes, it comes masked or not at all.

import { test } from 'node:test';
import { all, derived, maskedStand } from './masked.ts';

const stand = await maskedStand();

/** A protected value as it is: masked by its own rule in every mode. */
const DIRECT = [
  'SELECT * FROM users',
  'TABLE users',
  'SELECT email FROM users',
  'SELECT email AS name, (phone), u.phone AS id FROM users u',
  'SELECT u.* FROM ONLY users u',
  'SELECT public.users.email FROM public.users',
  'SELECT a FROM (SELECT email AS a FROM users) s',
  'SELECT s.b FROM (SELECT * FROM users) s(a, b, c, d)',
  'WITH x AS (SELECT * FROM users) SELECT email, phone FROM x',
  'WITH x(a) AS MATERIALIZED (SELECT email FROM users) SELECT a FROM x',
  'SELECT u.email, o.note FROM users u JOIN orders o ON o.person = u.id',
  'SELECT * FROM users u LEFT JOIN orders o ON o.person = u.id',
  'SELECT s.* FROM orders o, LATERAL (SELECT email FROM users u WHERE u.id = o.person) s',
  'SELECT (SELECT email FROM users WHERE id = 1)',
  'VALUES ((SELECT email FROM users WHERE id = 1))',
  'SELECT address FROM contacts',
  'SELECT * FROM far',
  'SELECT address FROM kept',
  'SELECT x.y FROM (SELECT address AS y FROM kept) x',
  'SELECT email FROM users UNION ALL SELECT email FROM users',
  'SELECT * FROM parts',
  'SELECT secret FROM parts_1',
  'SELECT secret FROM parts TABLESAMPLE SYSTEM (100)',
  'SELECT email COLLATE "C" FROM users',
  'SELECT email::text FROM users',
  'SELECT (u).email, (u).phone FROM users u',
  'SELECT * FROM json_each_text(\'{"a":1}\'), users',
  'SELECT low FROM users',
  'SELECT first.email FROM users first FOR UPDATE',
  "INSERT INTO users (id, name, email) VALUES (9, 'n', 'new') RETURNING *",
  "UPDATE users SET name = 'x' RETURNING email",
  "UPDATE users SET name = 'x' RETURNING *",
  "UPDATE users SET name = 'x' RETURNING old.email, new.phone",
  "UPDATE users SET name = 'x' RETURNING WITH (OLD AS o, NEW AS n) o.email, n.*",
  'DELETE FROM users WHERE id = 1 RETURNING *',
  'DELETE FROM users u USING orders o WHERE o.id = u.id RETURNING u.email, o.note',
  'WITH d AS (DELETE FROM users RETURNING *) SELECT email FROM d',
  "INSERT INTO users (id, name) VALUES (1, 'x') ON CONFLICT (id) DO UPDATE SET name = 'y' RETURNING email",
  'MERGE INTO users u USING orders o ON o.id = u.id WHEN MATCHED THEN UPDATE SET name = o.note RETURNING merge_action(), u.email, o.note',
];

test('C1 C2 a column’s own value is masked by its own rule, under either setting', async () => {
  await all(stand, await stand.session('mask'), 'masked', DIRECT);
  await all(
    stand,
    await stand.session('deny'),
    'masked',
    DIRECT.filter((sql) => !/^(WITH d|SELECT low)/.test(sql)),
  );
});

test('C1 what is computed from a protected value', async () => {
  await derived(stand, [
    'SELECT upper(email), lower(email), initcap(email) FROM users',
    "SELECT email || '' FROM users",
    "SELECT '' || email || 'x' AS note FROM users",
    'SELECT reverse(email) FROM users',
    'SELECT substr(email, 1, 4), "left"(email, 3), "right"(email, 2) FROM users',
    'SELECT substring(email FROM 2 FOR 5), overlay(email PLACING $$$$ FROM 1 FOR 0) FROM users',
    "SELECT split_part(email, '@', 1), regexp_replace(email, '@', '-') FROM users",
    'SELECT md5(email), sha256(email::bytea) FROM users',
    "SELECT encode(email::bytea, 'hex'), encode(convert_to(email, 'UTF8'), 'base64') FROM users",
    "SELECT email::bytea, encode(bin, 'escape') FROM users",
    'SELECT length(email), ascii(email), position($$b$$ IN email) FROM users',
    'SELECT email::varchar(5), email::char(30), email::name FROM users',
    'SELECT quote_literal(email), quote_ident(email), to_json(email), to_jsonb(email) FROM users',
    "SELECT format('%s', email), concat(email, 1), concat_ws('-', id, email) FROM users",
    'SELECT CASE WHEN id > 0 THEN email END FROM users',
    "SELECT CASE email WHEN 'x' THEN 1 ELSE 2 END FROM users",
    "SELECT CASE WHEN email LIKE 'b%' THEN 'yes' ELSE 'no' END FROM users",
    'SELECT coalesce(email, name), nullif(email, name), greatest(email, name), least(name, email) FROM users',
    'SELECT email = $$x$$, email LIKE $$b%$$, email ~ $$b$$, email > name, email IN ($$a$$) FROM users',
    'SELECT NOT vip, vip AND true, vip IS TRUE FROM users',
    'SELECT age + 0, -age, age::text, age::float8, age * 2 FROM users',
    'SELECT pay + 1, round(pay), pay::int, big::numeric, ratio::int FROM users',
    "SELECT to_char(pay, '999999999.99'), to_hex(age) FROM users",
    "SELECT born + 1, extract(year FROM born), date_part('day', born), to_char(born, 'YYYY') FROM users",
    "SELECT age(born), born - date '2000-01-01', date_trunc('day', seen), seen AT TIME ZONE 'UTC' FROM users",
    'SELECT key::text, uuid_extract_version(key) FROM users',
    "SELECT doc->'a', doc->>'a', doc #> '{a}', doc @> '{}', doc ? 'a', jsonb_pretty(doc) FROM users",
    "SELECT jsonb_path_query_array(doc, '$.*'), jsonb_typeof(doc), raw->>'x' FROM users",
    'SELECT tags[1], tags[1:1], array_length(tags, 1), array_to_string(tags, $$,$$), cardinality(nums) FROM users',
    'SELECT unnest(tags) FROM users',
    "SELECT regexp_split_to_table(email, '@') FROM users",
    'SELECT jsonb_object_keys(doc) FROM users',
    'SELECT addr::text, host(addr), code::text, upper(code) FROM users',
    'SELECT (who).l, (who).r, who::text, lower(period), upper(period) FROM users',
    'SELECT ARRAY[email], ARRAY[[email]], ROW(email), ROW(id, email)::text FROM users',
    "SELECT json_build_object('k', email), json_build_array(email), jsonb_build_object(email, 1) FROM users",
    "SELECT JSON_OBJECT('a': email), JSON_ARRAY(email), JSON_SCALAR(email) FROM users",
    'SELECT xmlelement(name a, email), xmlforest(email AS b) FROM users',
    "SELECT translate(email, 'b', 'c'), replace(email, 'b', 'c'), repeat(email, 2), lpad(email, 80) FROM users",
    'SELECT to_tsvector($$simple$$, email), to_tsvector($$simple$$, email)::text FROM users',
    'SELECT U&"\\0065mail"::bytea FROM users',
    'SELECT pg_column_size(email), pg_typeof(email)::text || email, octet_length(email) FROM users',
    'SELECT lower(low), upper(secret) FROM users, parts',
  ]);
});

test('C1 aggregates and windows', async () => {
  await derived(stand, [
    'SELECT max(email), min(phone) FROM users',
    "SELECT string_agg(email, ','), array_agg(email), array_agg(DISTINCT email) FROM users",
    'SELECT json_agg(email), jsonb_agg(age), json_object_agg(id, email), jsonb_object_agg(email, id) FROM users',
    'SELECT sum(age), avg(pay), stddev(ratio), sum(big) FROM users',
    "SELECT bool_and(vip), bit_or(age), every(email LIKE 'b%') FROM users",
    'SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY ratio), mode() WITHIN GROUP (ORDER BY email) FROM users',
    'SELECT city, max(email) FROM users GROUP BY city',
    'SELECT any_value(email) FROM users',
    'SELECT lag(email) OVER (ORDER BY id), first_value(email) OVER (ORDER BY id) FROM users',
    'SELECT nth_value(email, 1) OVER w, max(email) OVER w FROM users WINDOW w AS (ORDER BY id)',
    'SELECT sum(age) OVER (), array_agg(email) OVER (PARTITION BY city) FROM users',
    'SELECT max(max(email)) OVER () FROM users GROUP BY city',
    "SELECT JSON_OBJECTAGG('x' VALUE email), JSON_ARRAYAGG(email) FROM users",
    'SELECT range_agg(period), xmlagg(xmlelement(name a, email)) FROM users',
  ]);
});

test('C2 through subqueries, CTEs, set operations, joins and views', async () => {
  await derived(stand, [
    "SELECT e FROM (SELECT email || '' AS e FROM users) s",
    'SELECT upper(s.a) FROM (SELECT email AS a FROM users) s',
    'SELECT upper((SELECT email FROM users WHERE id = 1))',
    'SELECT ARRAY(SELECT email FROM users)',
    'SELECT ARRAY(SELECT (email, id) FROM users)::text',
    'WITH x AS (SELECT lower(email) AS e FROM users) SELECT e FROM x',
    'WITH RECURSIVE r(n, e) AS (SELECT 1, email::text FROM users UNION ALL SELECT n + 1, e FROM r WHERE n < 3) SELECT n, upper(e) FROM r',
    "WITH RECURSIVE r(n, e) AS (SELECT 1, ''::text UNION ALL SELECT n + 1, e || (SELECT email FROM users WHERE id = n) FROM r WHERE n < 3) SELECT e FROM r",
    'SELECT email FROM users UNION SELECT note FROM orders',
    'SELECT note FROM orders UNION ALL SELECT email FROM users',
    'SELECT note FROM orders UNION ALL (SELECT note FROM orders UNION SELECT email FROM users)',
    'SELECT email FROM users EXCEPT SELECT note FROM orders',
    'SELECT name FROM users UNION ALL SELECT email FROM users',
    "SELECT coalesce(a.email, 'x') FROM users a FULL JOIN users b ON a.id = b.id",
    'SELECT loud, upper(address) FROM contacts',
    'SELECT upper(a) FROM far',
    'SELECT last FROM totals',
    'SELECT * FROM totals',
    'SELECT upper(address) FROM kept',
    'SELECT v FROM users, LATERAL (VALUES (email), (name)) AS t(v)',
    'SELECT t.e FROM users, unnest(tags) AS t(e)',
    'SELECT t.* FROM users, jsonb_each_text(doc) t',
    'SELECT t.* FROM users, LATERAL upper(email) t',
    "SELECT t.* FROM users, XMLTABLE('/a' PASSING xmlelement(name a, email) COLUMNS b text PATH '.') t",
    "SELECT t.* FROM users, JSON_TABLE(to_jsonb(email), '$' COLUMNS (c text PATH '$')) t",
    'SELECT * FROM jsonb_to_recordset((SELECT jsonb_agg(u) FROM users u)) AS r(email text)',
    'SELECT * FROM json_populate_record(NULL::users, (SELECT row_to_json(u) FROM users u LIMIT 1))',
    'UPDATE users SET name = $$x$$ RETURNING upper(email)',
    'DELETE FROM users RETURNING email || id',
    'INSERT INTO users (id, name) VALUES (9, $$n$$) RETURNING upper(email)',
    'MERGE INTO orders o USING users u ON o.person = u.id WHEN MATCHED THEN UPDATE SET note = $$x$$ RETURNING upper(u.email), o.note',
    'WITH d AS (DELETE FROM users RETURNING email) SELECT upper(email) FROM d',
  ]);
});

test('C3 whole rows', async () => {
  await derived(stand, [
    'SELECT u FROM users u',
    'SELECT users FROM users',
    'SELECT u::text FROM users u',
    'SELECT to_jsonb(u), row_to_json(u), to_json(u) FROM users u',
    'SELECT to_jsonb(u)->>$$email$$ FROM users u',
    'SELECT u.to_jsonb FROM users u',
    'SELECT u.row_to_json FROM users u',
    'SELECT json_agg(u), array_agg(u) FROM users u',
    "SELECT string_agg(u::text, ',') FROM users u",
    'SELECT ROW(u.*), ROW(u.*)::text FROM users u',
    'SELECT (u).email || $$$$ FROM users u',
    'SELECT md5(u::text) FROM users u',
    'SELECT s FROM (SELECT email, id FROM users) s',
    'SELECT c::text FROM contacts c',
    'SELECT k FROM kept k',
    'WITH x AS (SELECT * FROM users) SELECT x::text FROM x',
    'SELECT count(u), max(u::text) FROM users u',
    'SELECT u IS NOT NULL, (u).email IS NULL FROM users u',
    'UPDATE users SET name = $$x$$ RETURNING users::text',
    'UPDATE users SET name = $$x$$ RETURNING to_json(old), new::text',
    'DELETE FROM users u RETURNING u',
    'SELECT quote_literal(u), concat(u), num_nulls(VARIADIC ARRAY[u.email]) FROM users u',
  ]);
});

test('C1 C2 C3 what holds nothing of a protected value comes as it is', async () => {
  for (const mode of ['mask', 'deny'] as const) {
    await all(stand, await stand.session(mode), 'free', [
      'SELECT id, name, city, grade FROM users',
      'SELECT count(*), count(DISTINCT city) FROM users',
      'SELECT city, count(*) FROM users GROUP BY city ORDER BY city',
      'SELECT u.name, o.note FROM users u JOIN orders o ON o.person = u.id ORDER BY o.id',
      'SELECT max(name), string_agg(city, $$,$$ ORDER BY id), sum(grade) FROM users',
      'SELECT loud, city FROM contacts ORDER BY id',
      'SELECT city, n FROM totals ORDER BY city',
      'SELECT city, note FROM far ORDER BY note',
      'SELECT ctid, tableoid::regclass::text, id FROM users ORDER BY id',
      'SELECT s.name FROM (SELECT * FROM users) s ORDER BY 1',
      'SELECT (u).name, (SELECT count(*) FROM users) FROM users u ORDER BY u.id',
      'SELECT row_number() OVER (ORDER BY id), lag(name) OVER (ORDER BY id) FROM users ORDER BY id',
      'SELECT to_jsonb(s) FROM (SELECT id, name FROM users ORDER BY id) s',
      'SELECT id FROM users UNION SELECT id FROM orders ORDER BY 1',
      'SELECT EXISTS (SELECT FROM users WHERE id = 1), 1 IN (SELECT id FROM users)',
      "UPDATE users SET name = 'x' WHERE id = 1 RETURNING id, name",
      'INSERT INTO orders (id, note) SELECT id + 10, name FROM users ORDER BY id RETURNING *',
      'SELECT * FROM orders ORDER BY id',
    ]);
  }
});
