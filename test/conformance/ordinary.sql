-- Ordinary statements that a grant to read has to allow, one a line: analysis first, then what drivers, tools and people ask
-- of the catalog, then the session. The tables are those of a1-ordinary.test.ts. A line that begins with -- is a remark.

-- Plain reading
SELECT 1
SELECT 1 AS one, 'two' AS two, NULL AS three, true AS four
SELECT * FROM customers
SELECT * FROM customers;
TABLE customers
VALUES (1, 'a'), (2, 'b')
SELECT id, name FROM customers
SELECT c.id, c.name FROM customers c
SELECT c.* FROM customers AS c
SELECT "id", "name" FROM "public"."customers"
SELECT customers.id FROM public.customers
SELECT DISTINCT country FROM customers
SELECT DISTINCT ON (country) country, name FROM customers ORDER BY country, created_at DESC
SELECT ALL country FROM customers
SELECT name FROM customers WHERE id = 1
SELECT name FROM customers WHERE id <> 1 AND id != 2
SELECT name FROM customers WHERE id IN (1, 2, 3)
SELECT name FROM customers WHERE id NOT IN (1, 2, 3)
SELECT name FROM customers WHERE id = ANY (ARRAY[1, 2, 3])
SELECT name FROM customers WHERE id = ANY ('{1,2,3}'::int[])
SELECT name FROM customers WHERE id > ALL (SELECT 0)
SELECT name FROM customers WHERE id BETWEEN 1 AND 5
SELECT name FROM customers WHERE id NOT BETWEEN SYMMETRIC 5 AND 1
SELECT name FROM customers WHERE name LIKE 'A%'
SELECT name FROM customers WHERE name NOT LIKE '%z'
SELECT name FROM customers WHERE name ILIKE '%a%' ESCAPE '!'
SELECT name FROM customers WHERE name SIMILAR TO '(A|B)%'
SELECT name FROM customers WHERE name ~ '^[A-C]' AND name !~* 'x$'
SELECT name FROM customers WHERE phone IS NULL
SELECT name FROM customers WHERE phone IS NOT NULL AND phone <> ''
SELECT name FROM customers WHERE (id > 3) IS TRUE OR (id > 5) IS NOT UNKNOWN
SELECT name FROM customers WHERE phone IS DISTINCT FROM '123'
SELECT name FROM customers WHERE phone IS NOT DISTINCT FROM NULL
SELECT name FROM customers WHERE (id, name) = (1, 'Ada')
SELECT name FROM customers WHERE (country, id) > ('DE', 1)
SELECT name FROM customers WHERE NOT (id = 1 OR id = 2)
SELECT name FROM customers WHERE EXISTS (SELECT 1 FROM orders o WHERE o.customer_id = customers.id)
SELECT name FROM customers WHERE id IN (SELECT customer_id FROM orders WHERE total > 100)
SELECT name FROM customers ORDER BY name
SELECT name FROM customers ORDER BY 1 DESC NULLS LAST
SELECT name AS n FROM customers ORDER BY name COLLATE "C" ASC NULLS FIRST
SELECT name FROM customers ORDER BY lower(name), id LIMIT 10 OFFSET 5
SELECT name FROM customers ORDER BY id LIMIT ALL
SELECT name FROM customers ORDER BY id FETCH FIRST 5 ROWS ONLY
SELECT name FROM customers ORDER BY country FETCH NEXT 2 ROWS WITH TIES
SELECT name FROM customers ORDER BY name USING <
SELECT name FROM customers TABLESAMPLE bernoulli (50)
SELECT name FROM customers TABLESAMPLE system (10) REPEATABLE (42)
SELECT name FROM ONLY customers
SELECT count(*) FROM customers
SELECT ctid, xmin, tableoid::regclass FROM customers LIMIT 1
SELECT $$a $ string$$ AS a, $x$another$x$ AS b, E'tab\t' AS c, U&'d\0061ta' AS d, B'101' AS e, X'1F' AS f
SELECT 'it''s', "name" FROM customers
SELECT 1e3, 1.5, .5, 0x1F, 0b101, 0o17, 1_000

-- Joins and sets
SELECT c.name, o.total FROM customers c JOIN orders o ON o.customer_id = c.id
SELECT c.name, o.total FROM customers c INNER JOIN orders o ON o.customer_id = c.id WHERE o.total > 10
SELECT c.name, o.total FROM customers c LEFT JOIN orders o ON o.customer_id = c.id
SELECT c.name, o.total FROM orders o RIGHT OUTER JOIN customers c ON o.customer_id = c.id
SELECT c.name, o.total FROM customers c FULL JOIN orders o ON o.customer_id = c.id
SELECT c.name, p.title FROM customers c CROSS JOIN products p
SELECT c.name, p.title FROM customers c, products p WHERE c.id = p.id
SELECT * FROM orders JOIN items USING (order_id)
SELECT * FROM orders o JOIN items i USING (order_id) AS j
SELECT * FROM orders NATURAL JOIN items
SELECT * FROM (customers c JOIN orders o ON o.customer_id = c.id) JOIN items i ON i.order_id = o.order_id
SELECT a.name, b.name FROM customers a JOIN customers b ON a.country = b.country AND a.id < b.id
SELECT c.name, x.total FROM customers c CROSS JOIN LATERAL (SELECT sum(total) AS total FROM orders o WHERE o.customer_id = c.id) x
SELECT c.name, x.n FROM customers c LEFT JOIN LATERAL (SELECT count(*) AS n FROM orders o WHERE o.customer_id = c.id) x ON true
SELECT id FROM customers UNION SELECT order_id FROM orders
SELECT id FROM customers UNION ALL SELECT order_id FROM orders ORDER BY 1 LIMIT 10
SELECT id FROM customers INTERSECT SELECT customer_id FROM orders
SELECT id FROM customers EXCEPT SELECT customer_id FROM orders
(SELECT id FROM customers ORDER BY id LIMIT 1) UNION ALL (SELECT id FROM products ORDER BY id DESC LIMIT 1)
SELECT * FROM (SELECT id, name FROM customers) AS x (a, b) WHERE a > 1
SELECT * FROM (VALUES (1, 'one'), (2, 'two')) AS v (n, word)
SELECT (SELECT max(total) FROM orders) - (SELECT min(total) FROM orders) AS spread
SELECT name, (SELECT count(*) FROM orders o WHERE o.customer_id = c.id) AS orders FROM customers c
SELECT ARRAY(SELECT id FROM customers ORDER BY id)

-- CTEs
WITH recent AS (SELECT * FROM orders WHERE placed_at > now() - interval '30 days') SELECT count(*) FROM recent
WITH a AS (SELECT 1 AS n), b AS (SELECT n + 1 AS n FROM a) SELECT * FROM a UNION ALL SELECT * FROM b
WITH a (x, y) AS (VALUES (1, 2)) SELECT x + y FROM a
WITH a AS MATERIALIZED (SELECT * FROM orders) SELECT count(*) FROM a
WITH a AS NOT MATERIALIZED (SELECT * FROM orders) SELECT count(*) FROM a
WITH RECURSIVE t (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM t WHERE n < 10) SELECT sum(n) FROM t
WITH RECURSIVE chain AS (SELECT id, manager_id, 1 AS depth FROM employees WHERE manager_id IS NULL UNION ALL SELECT e.id, e.manager_id, c.depth + 1 FROM employees e JOIN chain c ON e.manager_id = c.id) SELECT max(depth) FROM chain
WITH RECURSIVE g AS (SELECT id, manager_id FROM employees UNION ALL SELECT e.id, e.manager_id FROM employees e JOIN g ON e.manager_id = g.id) SEARCH DEPTH FIRST BY id SET place SELECT * FROM g ORDER BY place LIMIT 5
WITH RECURSIVE g AS (SELECT id, manager_id FROM employees UNION ALL SELECT e.id, e.manager_id FROM employees e JOIN g ON e.manager_id = g.id) CYCLE id SET looped USING path SELECT count(*) FROM g WHERE NOT looped
WITH orders_by_day AS (SELECT date_trunc('day', placed_at) AS day, sum(total) AS total FROM orders GROUP BY 1) SELECT day, total, avg(total) OVER (ORDER BY day ROWS 6 PRECEDING) FROM orders_by_day ORDER BY day

-- Grouping
SELECT country, count(*) FROM customers GROUP BY country
SELECT country, count(*) AS n FROM customers GROUP BY country HAVING count(*) > 1 ORDER BY n DESC
SELECT country, count(*) FROM customers GROUP BY 1 ORDER BY 2 DESC
SELECT date_trunc('month', placed_at) AS month, sum(total) FROM orders GROUP BY month ORDER BY month
SELECT status, count(*), sum(total), avg(total), min(total), max(total) FROM orders GROUP BY status
SELECT count(DISTINCT customer_id) FROM orders
SELECT count(*) FILTER (WHERE status = 'paid') AS paid, count(*) FILTER (WHERE status <> 'paid') AS other FROM orders
SELECT string_agg(name, ', ' ORDER BY name) FROM customers
SELECT array_agg(id ORDER BY id DESC) FROM customers
SELECT json_agg(name), jsonb_object_agg(id, name) FROM customers
SELECT json_agg(json_build_object('id', id, 'name', name)) FROM customers
SELECT bool_and(total > 0), bool_or(total > 100), every(total >= 0) FROM orders
SELECT stddev(total), variance(total), corr(total, customer_id), regr_slope(total, customer_id) FROM orders
SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY total), percentile_disc(ARRAY[0.25, 0.75]) WITHIN GROUP (ORDER BY total) FROM orders
SELECT mode() WITHIN GROUP (ORDER BY status) FROM orders
SELECT country, status, count(*) FROM customers c JOIN orders o ON o.customer_id = c.id GROUP BY ROLLUP (country, status)
SELECT country, status, count(*), grouping(country) FROM customers c JOIN orders o ON o.customer_id = c.id GROUP BY CUBE (country, status)
SELECT country, status, count(*) FROM customers c JOIN orders o ON o.customer_id = c.id GROUP BY GROUPING SETS ((country), (status), ())
SELECT status, sum(total)::numeric(12, 2) FROM orders GROUP BY DISTINCT ROLLUP (status)
SELECT width_bucket(total, 0, 1000, 10) AS bucket, count(*) FROM orders GROUP BY bucket ORDER BY bucket

-- Windows
SELECT id, rank() OVER (ORDER BY salary DESC) FROM employees
SELECT id, row_number() OVER (PARTITION BY department ORDER BY salary) FROM employees
SELECT id, dense_rank() OVER w, percent_rank() OVER w, cume_dist() OVER w, ntile(4) OVER w FROM employees WINDOW w AS (ORDER BY salary)
SELECT id, lag(salary) OVER (ORDER BY id), lead(salary, 2, 0) OVER (ORDER BY id) FROM employees
SELECT id, first_value(salary) OVER w, last_value(salary) OVER w, nth_value(salary, 2) OVER w FROM employees WINDOW w AS (PARTITION BY department ORDER BY id)
SELECT order_id, sum(total) OVER (ORDER BY placed_at ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) FROM orders
SELECT order_id, sum(total) OVER (ORDER BY placed_at RANGE BETWEEN interval '7 days' PRECEDING AND CURRENT ROW) FROM orders
SELECT order_id, sum(total) OVER (ORDER BY total GROUPS BETWEEN 1 PRECEDING AND 1 FOLLOWING EXCLUDE TIES) FROM orders
SELECT department, salary - avg(salary) OVER (PARTITION BY department) AS above FROM employees
SELECT * FROM (SELECT e.*, row_number() OVER (PARTITION BY department ORDER BY salary DESC) AS n FROM employees e) x WHERE n <= 2

-- Expressions
SELECT CASE WHEN total > 100 THEN 'large' WHEN total > 10 THEN 'medium' ELSE 'small' END FROM orders
SELECT CASE status WHEN 'paid' THEN 1 ELSE 0 END FROM orders
SELECT coalesce(phone, 'none'), nullif(phone, ''), greatest(1, id), least(1, id) FROM customers
SELECT id::text, CAST(id AS bigint), id::numeric(10, 2), '2026-01-01'::date FROM customers
SELECT total * 1.19, total / 3, total % 7, total ^ 2, -total, +total, |/ total, @ -total FROM orders
SELECT abs(-1), ceil(1.2), floor(1.8), round(1.567, 2), trunc(1.9), sqrt(2), power(2, 10), mod(7, 3), sign(-3), pi(), random()
SELECT exp(1), ln(2), log(10), log(2, 8), sin(0), cos(0), atan2(1, 1), degrees(1), radians(180), gcd(12, 18), lcm(4, 6)
SELECT upper(name), lower(name), initcap(name), length(name), reverse(name), md5(name) FROM customers
SELECT left(name, 2), right(name, 2), substr(name, 2, 3), substring(name FROM 1 FOR 2), substring(name FROM '[A-Z]') FROM customers
SELECT trim(name), ltrim(name), rtrim(name, 'a'), btrim(name), trim(BOTH 'x' FROM name), lpad(name, 10, '.'), rpad(name, 10) FROM customers
SELECT position('a' IN name), strpos(name, 'a'), split_part(email, '@', 2), replace(name, 'a', 'b'), translate(name, 'abc', 'xyz') FROM customers
SELECT concat(name, ' ', country), concat_ws(', ', name, country), name || ' of ' || country, format('%s (%s)', name, country) FROM customers
SELECT regexp_replace(phone, '\D', '', 'g'), regexp_match(email, '@(.*)$'), regexp_count(name, 'a'), regexp_substr(name, '[a-z]+') FROM customers
SELECT regexp_split_to_array('a,b,c', ','), string_to_array('a b c', ' '), array_to_string(ARRAY[1, 2], '-')
SELECT encode(sha256(name::bytea), 'hex'), decode('aGk=', 'base64'), ascii('a'), chr(97), to_hex(255), quote_ident(name), quote_literal(name) FROM customers
SELECT overlay('Txxxxas' PLACING 'hom' FROM 2 FOR 4), repeat('ab', 3), starts_with(name, 'A'), octet_length(name), bit_length(name) FROM customers
SELECT now(), current_date, current_time, current_timestamp, localtime, localtimestamp, clock_timestamp(), statement_timestamp(), transaction_timestamp()
SELECT extract(year FROM placed_at), date_part('dow', placed_at), date_trunc('week', placed_at), age(placed_at), age(now(), placed_at) FROM orders
SELECT placed_at AT TIME ZONE 'Europe/Berlin', placed_at + interval '1 day 2 hours', placed_at - interval '1' month, placed_at::date - 7 FROM orders
SELECT to_char(placed_at, 'YYYY-MM-DD HH24:MI'), to_char(total, 'FM999G990D00'), to_date('2026-01-02', 'YYYY-MM-DD'), to_timestamp(0), to_number('12,3', '99G9') FROM orders
SELECT make_date(2026, 1, 2), make_interval(days => 3), make_timestamptz(2026, 1, 2, 3, 4, 5), justify_days(interval '40 days'), date_bin('15 minutes', now(), '2026-01-01')
SELECT (date '2026-01-01', date '2026-02-01') OVERLAPS (date '2026-01-15', date '2026-03-01')
SELECT generate_series(1, 10), generate_series(date '2026-01-01', date '2026-01-07', interval '1 day')
SELECT d::date, count(o.order_id) FROM generate_series(date '2026-01-01', date '2026-01-31', '1 day') d LEFT JOIN orders o ON o.placed_at::date = d GROUP BY 1 ORDER BY 1
SELECT tags[1], tags[1:2], array_length(tags, 1), cardinality(tags), tags || '{x}', array_append(tags, 'y'), array_position(tags, 'a') FROM products
SELECT title FROM products WHERE 'a' = ANY (tags) OR tags @> ARRAY['b'] OR tags && ARRAY['c', 'd']
SELECT p.title, t.tag, t.n FROM products p, unnest(p.tags) WITH ORDINALITY AS t (tag, n)
SELECT * FROM unnest(ARRAY[1, 2], ARRAY['a', 'b']) AS u (n, c)
SELECT * FROM ROWS FROM (generate_series(1, 2), generate_series(5, 8)) AS r (a, b)
SELECT data -> 'a', data ->> 'a', data #> '{a,b}', data #>> '{a,b}' FROM events
SELECT id FROM events WHERE data @> '{"kind": "click"}' AND data ? 'kind' AND data ?| ARRAY['a'] AND NOT data ?& ARRAY['a', 'b']
SELECT jsonb_path_query(data, '$.items[*].id'), jsonb_path_exists(data, '$.a ? (@ > 1)'), data @? '$.a', data @@ '$.a > 1' FROM events
SELECT key, value FROM events, jsonb_each(data)
SELECT e.id, x.value ->> 'id' FROM events e CROSS JOIN jsonb_array_elements(coalesce(e.data -> 'items', '[]')) AS x (value)
SELECT * FROM jsonb_to_recordset('[{"a": 1, "b": "x"}]') AS r (a int, b text)
SELECT * FROM json_table('[{"a": 1}]'::jsonb, '$[*]' COLUMNS (a int PATH '$.a', n FOR ORDINALITY)) t
SELECT json_value(data, '$.kind'), json_exists(data, '$.a'), json_query(data, '$.items') FROM events
SELECT json_object('a': 1, 'b': 'x'), json_array(1, 2, 3), json_serialize('{}'), json_scalar(1), '{}' IS JSON OBJECT
SELECT jsonb_set(data, '{a}', '1'), data - 'a', data || '{"z": 1}', jsonb_strip_nulls(data), jsonb_pretty(data), jsonb_typeof(data) FROM events
SELECT row_to_json(c) FROM customers c
SELECT to_jsonb(o) - 'total' FROM orders o
SELECT c, (c).name FROM customers c
SELECT ROW(1, 'a'), (ROW(1, 2)) = (ROW(1, 2))
SELECT xmlelement(name customer, xmlattributes(id), name) FROM customers
SELECT * FROM xmltable('/a/b' PASSING ('<a><b>1</b></a>'::xml) COLUMNS n int PATH '.')
SELECT to_tsvector('english', title) @@ to_tsquery('english', 'lamp & !chair'), ts_rank(to_tsvector(title), plainto_tsquery('lamp')) FROM products
SELECT ts_headline('english', title, websearch_to_tsquery('lamp')) FROM products
SELECT int4range(1, 10) @> 5, daterange('2026-01-01', '2026-02-01') && daterange('2026-01-15', '2026-03-01'), upper(int4range(1, 10)), isempty(int4range(1, 1))
SELECT '10.0.0.1'::inet << '10.0.0.0/8'::cidr, host('10.0.0.1/8'::inet), masklen('10.0.0.0/8')
SELECT point(1, 2) <-> point(4, 6), circle(point(0, 0), 2) @> point(1, 1), area(box '((0,0),(1,1))')
SELECT gen_random_uuid(), uuidv7(), 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'::uuid
SELECT num_nulls(phone, email), num_nonnulls(phone, email), pg_typeof(id), pg_column_size(name) FROM customers
SELECT current_user, session_user, user, current_role, current_catalog, current_schema
SELECT crc32('a'), bit_count(B'101'), get_byte('a'::bytea, 0), set_bit(B'000', 1, 1)
SELECT 5 & 3, 5 | 3, 5 # 3, ~5, 1 << 4, 16 >> 2
SELECT setseed(0.5), random(1, 6), random_normal()
SELECT order_id, total, round(100 * total / sum(total) OVER (), 2) AS share FROM orders ORDER BY share DESC
SELECT customer_id, max(placed_at) - min(placed_at) AS span, count(*) * 1.0 / nullif(extract(day FROM max(placed_at) - min(placed_at)), 0) AS rate FROM orders GROUP BY customer_id
SELECT date_trunc('month', c.created_at)::date AS cohort, extract(month FROM age(o.placed_at, c.created_at)) AS month, count(DISTINCT c.id) FROM customers c JOIN orders o ON o.customer_id = c.id GROUP BY 1, 2 ORDER BY 1, 2
SELECT title FROM products p WHERE NOT EXISTS (SELECT 1 FROM items i WHERE i.product_id = p.id)
SELECT name FROM customers WHERE created_at >= date_trunc('month', now()) - interval '1 month' AND created_at < date_trunc('month', now())
SELECT status, count(*) AS n, round(count(*) * 100.0 / sum(count(*)) OVER (), 1) AS percent FROM orders GROUP BY status
SELECT * FROM order_totals
SELECT * FROM order_totals WHERE total > 10 ORDER BY total
SELECT last_value FROM customers_id_seq

-- Explaining, copying out, cursors, preparing
EXPLAIN SELECT * FROM customers
EXPLAIN VERBOSE SELECT * FROM customers
EXPLAIN ANALYZE SELECT * FROM customers WHERE id = 1
EXPLAIN (ANALYZE, BUFFERS, FORMAT json) SELECT * FROM customers
EXPLAIN (COSTS off, TIMING off, SUMMARY off, ANALYZE, WAL, SETTINGS) SELECT count(*) FROM orders
EXPLAIN (FORMAT yaml) WITH a AS (SELECT 1) SELECT * FROM a
EXPLAIN (GENERIC_PLAN) SELECT * FROM customers WHERE id = $1
COPY customers TO STDOUT
COPY customers (id, name) TO STDOUT WITH (FORMAT csv, HEADER)
COPY (SELECT * FROM customers WHERE id < 3) TO STDOUT CSV
COPY public.orders TO STDOUT (FORMAT binary)
COPY (SELECT 1) TO STDOUT WITH DELIMITER '|' NULL 'n'
PREPARE by_id (int) AS SELECT * FROM customers WHERE id = $1
EXECUTE by_id (1)
EXPLAIN ANALYZE EXECUTE by_id (2)
DEALLOCATE by_id
PREPARE untyped AS SELECT $1::text
DEALLOCATE PREPARE untyped
DEALLOCATE ALL
DECLARE held CURSOR WITH HOLD FOR SELECT * FROM customers ORDER BY id
FETCH 1 FROM held
FETCH NEXT held
FETCH FORWARD 2 FROM held
FETCH ALL IN held
MOVE BACKWARD ALL IN held
CLOSE held
BEGIN
DECLARE scrolled SCROLL CURSOR FOR SELECT * FROM orders
FETCH ABSOLUTE 2 FROM scrolled
FETCH PRIOR FROM scrolled
MOVE FIRST FROM scrolled
CLOSE ALL
COMMIT

-- Transactions
BEGIN TRANSACTION
COMMIT WORK
START TRANSACTION
ROLLBACK
BEGIN READ ONLY
END
BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY
SET TRANSACTION ISOLATION LEVEL SERIALIZABLE
SAVEPOINT one
ROLLBACK TO SAVEPOINT one
RELEASE SAVEPOINT one
COMMIT AND NO CHAIN
BEGIN ISOLATION LEVEL SERIALIZABLE READ ONLY DEFERRABLE
SET CONSTRAINTS ALL DEFERRED
ABORT
SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY
SET SESSION CHARACTERISTICS AS TRANSACTION ISOLATION LEVEL READ COMMITTED

-- The session
SET application_name = 'an agent'
SET client_encoding TO 'UTF8'
SET client_min_messages TO warning
SET datestyle = 'ISO, MDY'
SET DateStyle='ISO'
SET extra_float_digits = 3
SET intervalstyle = 'iso_8601'
SET standard_conforming_strings = on
SET statement_timeout = '30s'
SET lock_timeout TO 1000
SET idle_in_transaction_session_timeout = 60000
SET TIME ZONE 'UTC'
SET TIME ZONE LOCAL
SET timezone = 'Europe/Berlin'
SET bytea_output = 'hex'
SET search_path TO public
SET search_path = "$user", public
SET SESSION work_mem = '16MB'
SET LOCAL enable_seqscan = off
SET enable_hashjoin TO on
SET jit = off
SET max_parallel_workers_per_gather = 0
SET default_transaction_read_only = on
RESET statement_timeout
RESET TimeZone
RESET search_path
SHOW server_version
SHOW server_version_num
SHOW search_path
SHOW transaction_isolation
SHOW TRANSACTION ISOLATION LEVEL
SHOW standard_conforming_strings
SHOW TIME ZONE
SHOW max_identifier_length
SHOW client_encoding
SHOW server_encoding
SHOW default_transaction_read_only
SELECT set_config('application_name', 'x', false)
SELECT pg_catalog.set_config('search_path', 'public', false)
SELECT current_setting('server_version_num')::int, current_setting('TimeZone', true)
DISCARD PLANS
DISCARD TEMP
LISTEN updates
UNLISTEN updates
UNLISTEN *

-- What drivers, ORMs and tools ask of the catalog
SELECT version()
SELECT pg_catalog.version()
SELECT current_database(), current_schema(), current_schemas(true), pg_backend_pid(), pg_is_in_recovery()
SELECT inet_server_addr(), inet_client_port(), pg_postmaster_start_time(), pg_conf_load_time()
SELECT oid, typname, typlen, typtype FROM pg_type WHERE typname IN ('hstore', 'citext', 'geometry')
SELECT t.oid, t.typname, t.typelem, t.typdelim, t.typinput::regproc, r.rngsubtype FROM pg_type AS t LEFT JOIN pg_range AS r ON r.rngtypid = t.oid
SELECT t.oid, n.nspname, t.typname FROM pg_catalog.pg_type t JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace WHERE t.typtype = 'e'
SELECT enumlabel FROM pg_enum WHERE enumtypid = 'mood'::regtype ORDER BY enumsortorder
SELECT enum_range(NULL::mood), 'happy'::mood
SELECT c.relname, c.relkind FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = 'public' ORDER BY 1
SELECT c.oid, pg_catalog.pg_get_userbyid(c.relowner), pg_catalog.pg_table_is_visible(c.oid) FROM pg_catalog.pg_class c WHERE c.relkind IN ('r', 'p', 'v', 'm')
SELECT a.attname, pg_catalog.format_type(a.atttypid, a.atttypmod), a.attnotnull, a.attnum FROM pg_catalog.pg_attribute a WHERE a.attrelid = 'customers'::regclass AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum
SELECT a.attname, pg_get_expr(d.adbin, d.adrelid), col_description(a.attrelid, a.attnum) FROM pg_attribute a LEFT JOIN pg_attrdef d ON a.attrelid = d.adrelid AND a.attnum = d.adnum WHERE a.attrelid = to_regclass('public.customers') AND a.attnum > 0
SELECT i.relname, pg_get_indexdef(i.oid), ix.indisunique, ix.indisprimary FROM pg_index ix JOIN pg_class i ON i.oid = ix.indexrelid WHERE ix.indrelid = 'public.orders'::regclass
SELECT a.attname FROM pg_index i JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = ANY (i.indkey) WHERE i.indrelid = 'orders'::regclass AND i.indisprimary
SELECT conname, contype, pg_get_constraintdef(oid, true) FROM pg_constraint WHERE conrelid = 'orders'::regclass
SELECT conname, confrelid::regclass, conkey, confkey, confupdtype FROM pg_constraint WHERE contype = 'f'
SELECT tgname, pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal
SELECT p.proname, pg_get_function_arguments(p.oid), pg_get_function_result(p.oid), l.lanname FROM pg_proc p JOIN pg_language l ON l.oid = p.prolang JOIN pg_namespace n ON n.oid = p.pronamespace WHERE n.nspname = 'public'
SELECT nspname FROM pg_namespace WHERE nspname !~ '^pg_' AND nspname <> 'information_schema'
SELECT schemaname, tablename, tableowner, hasindexes FROM pg_tables
SELECT * FROM pg_catalog.pg_views WHERE schemaname = 'public'
SELECT * FROM pg_matviews
SELECT * FROM pg_indexes WHERE tablename = 'orders'
SELECT * FROM pg_sequences
SELECT * FROM pg_policies
SELECT * FROM pg_rules
SELECT datname, pg_encoding_to_char(encoding), datcollate FROM pg_database WHERE datallowconn
SELECT rolname, rolsuper, rolcanlogin, rolconnlimit FROM pg_roles ORDER BY 1
SELECT usename, usesysid FROM pg_user
SELECT r.rolname, m.rolname FROM pg_auth_members a JOIN pg_roles r ON r.oid = a.roleid JOIN pg_roles m ON m.oid = a.member
SELECT extname, extversion FROM pg_extension
SELECT name, default_version FROM pg_available_extensions ORDER BY name LIMIT 5
SELECT name, setting, unit, context FROM pg_settings WHERE name IN ('max_connections', 'shared_buffers')
SELECT collname, collprovider FROM pg_collation LIMIT 10
SELECT amname FROM pg_am
SELECT spcname, pg_tablespace_location(oid) FROM pg_tablespace
SELECT inhparent::regclass, inhrelid::regclass FROM pg_inherits
SELECT description FROM pg_description WHERE objoid = 'customers'::regclass AND objsubid = 0
SELECT obj_description('customers'::regclass, 'pg_class'), shobj_description(1, 'pg_database')
SELECT relname, reltuples::bigint, relpages FROM pg_class WHERE relname = 'orders'
SELECT pg_size_pretty(pg_total_relation_size('orders')), pg_table_size('orders'), pg_indexes_size('orders'), pg_relation_size('orders', 'main')
SELECT relname, seq_scan, idx_scan, n_live_tup, n_dead_tup, last_vacuum FROM pg_stat_user_tables
SELECT indexrelname, idx_scan FROM pg_stat_user_indexes WHERE idx_scan = 0
SELECT heap_blks_read, heap_blks_hit FROM pg_statio_user_tables
SELECT datname, numbackends, xact_commit, blks_hit FROM pg_stat_database
SELECT locktype, mode, granted FROM pg_locks
SELECT has_table_privilege('orders', 'SELECT'), has_schema_privilege('public', 'USAGE'), has_database_privilege(current_database(), 'CONNECT')
SELECT pg_get_viewdef('order_totals'::regclass, true), pg_get_serial_sequence('customers', 'id')
SELECT 'customers'::regclass::oid, 'int4'::regtype, 'public'::regnamespace, to_regtype('nothing')
SELECT quote_ident(table_schema) || '.' || quote_ident(table_name) FROM information_schema.tables WHERE table_schema NOT IN ('pg_catalog', 'information_schema')
SELECT column_name, data_type, is_nullable, column_default, ordinal_position FROM information_schema.columns WHERE table_name = 'customers' ORDER BY ordinal_position
SELECT tc.constraint_name, kcu.column_name, ccu.table_name FROM information_schema.table_constraints tc JOIN information_schema.key_column_usage kcu USING (constraint_schema, constraint_name) JOIN information_schema.constraint_column_usage ccu USING (constraint_schema, constraint_name) WHERE tc.constraint_type = 'FOREIGN KEY'
SELECT schema_name FROM information_schema.schemata
SELECT table_name, view_definition FROM information_schema.views WHERE table_schema = 'public'
SELECT routine_name, routine_type FROM information_schema.routines WHERE specific_schema = 'public'
SELECT sequence_name FROM information_schema.sequences
SELECT * FROM information_schema.referential_constraints
SELECT trigger_name, event_manipulation FROM information_schema.triggers
SELECT grantee, privilege_type FROM information_schema.role_table_grants WHERE table_name = 'orders'
SELECT result.key_seq, result.a FROM (SELECT (information_schema._pg_expandarray(i.indkey)).n AS key_seq, i.indkey AS a FROM pg_catalog.pg_index i LIMIT 5) result
SELECT EXISTS (SELECT FROM pg_tables WHERE schemaname = 'public' AND tablename = 'schema_migrations')
SELECT pg_catalog.quote_ident(c.relname) FROM pg_catalog.pg_class c WHERE c.relkind IN ('r', 'v') AND substring(pg_catalog.quote_ident(c.relname), 1, 3) = 'ord' AND pg_catalog.pg_table_is_visible(c.oid)
SELECT c.relname, ns.nspname, CASE c.relkind WHEN 'r' THEN 'table' WHEN 'v' THEN 'view' ELSE c.relkind::text END FROM pg_class c INNER JOIN pg_namespace ns ON ns.oid = c.relnamespace WHERE ns.nspname NOT LIKE 'pg\_%'
SELECT attr.attname, seq.relname FROM pg_class seq, pg_attribute attr, pg_depend dep, pg_constraint cons WHERE seq.oid = dep.objid AND seq.relkind = 'S' AND attr.attrelid = dep.refobjid AND attr.attnum = dep.refobjsubid AND attr.attrelid = cons.conrelid AND attr.attnum = cons.conkey[1] AND cons.contype = 'p'
SELECT stxname, stxkind FROM pg_statistic_ext
SELECT pubname FROM pg_publication
SELECT name, statement FROM pg_prepared_statements
SELECT name, abbrev, utc_offset FROM pg_timezone_names LIMIT 3
SELECT word, catcode FROM pg_get_keywords() LIMIT 3
SELECT cfgname FROM pg_ts_config
