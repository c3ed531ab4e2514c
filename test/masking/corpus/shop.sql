-- none none own own none none
SELECT * FROM customers;
-- none none own
SELECT id, name, email FROM customers WHERE id = 3;
-- none none own own none none
SELECT c.* FROM customers c ORDER BY c.since DESC LIMIT 5;
-- none
SELECT count(*) FROM customers;
-- none
SELECT count(DISTINCT email) FROM customers;
-- none none none
SELECT count(email), count(ssn), count(*) FROM customers;
-- none none
SELECT city, count(*) FROM customers GROUP BY city ORDER BY 2 DESC;
-- none none
SELECT name, city FROM customers WHERE email LIKE '%.example';
-- own
SELECT email FROM customers ORDER BY email;
-- none
SELECT DISTINCT city FROM customers;
-- none none own
SELECT id, name, email AS contact FROM customers WHERE since >= date '2022-01-01';
-- redacted none
SELECT split_part(email, '@', 2) AS domain, count(*) FROM customers GROUP BY 1 ORDER BY 2 DESC;
-- none none
SELECT upper(name), lower(city) FROM customers;
-- none
SELECT name || ' (' || city || ')' AS label FROM customers;
-- redacted
SELECT name || ' <' || email || '>' AS mailbox FROM customers;
-- none none
SELECT extract(year FROM since) AS year, count(*) FROM customers GROUP BY 1 ORDER BY 1;
-- none none
SELECT date_trunc('month', since)::date AS month, count(*) AS joined FROM customers GROUP BY 1 ORDER BY 1;
-- none none none
SELECT name, since, current_date - since AS days FROM customers ORDER BY since;
-- none
SELECT id FROM customers WHERE ssn IS NOT NULL;
-- none none
SELECT id, ssn IS NOT NULL AS has_ssn FROM customers;
-- none none
SELECT id, email IS NULL OR ssn IS NULL AS incomplete FROM customers;
-- none none
SELECT CASE WHEN email IS NULL THEN 'missing' ELSE 'present' END AS email_state, count(*) FROM customers GROUP BY 1;
-- none none
SELECT count(*) FILTER (WHERE email IS NOT NULL) AS with_email, count(*) AS all_of_them FROM customers;
-- redacted!
SELECT coalesce(email, 'none') FROM customers;
-- redacted
SELECT right(ssn, 4) AS last_four FROM customers;
-- redacted none
SELECT md5(email) AS key, name FROM customers;
-- redacted
SELECT length(email) FROM customers;
-- none none
SELECT name, row_number() OVER (ORDER BY since) FROM customers;
-- none none
SELECT name, rank() OVER (PARTITION BY city ORDER BY since) AS r FROM customers;
-- none own none
SELECT name, email, row_number() OVER (ORDER BY email) AS n FROM customers;
-- none none
SELECT city, string_agg(name, ', ' ORDER BY name) FROM customers GROUP BY city;
-- none redacted
SELECT city, array_agg(email) FROM customers GROUP BY city;
-- none none
SELECT min(since), max(since) FROM customers;
-- redacted!
SELECT max(email) FROM customers;
-- redacted
SELECT to_jsonb(c) FROM customers c;
-- none
SELECT json_build_object('id', id, 'name', name) FROM customers;
-- redacted
SELECT json_build_object('id', id, 'email', email) FROM customers;
-- none
SELECT row_to_json(r) FROM (SELECT id, name, city FROM customers) r;
-- none
SELECT json_agg(json_build_object('name', name, 'since', since)) FROM customers;
-- none
SELECT jsonb_object_agg(id, name) FROM customers;
-- redacted
SELECT c FROM customers c;
-- none none none none
SELECT o.* FROM orders o JOIN customers c ON c.id = o.customer_id WHERE c.email = 'ada@lindqvist.example';
-- none none
SELECT c.name, count(o.id) AS orders FROM customers c LEFT JOIN orders o ON o.customer_id = c.id GROUP BY c.id, c.name ORDER BY orders DESC;
-- none own none
SELECT c.name, c.email, count(o.id) AS orders FROM customers c LEFT JOIN orders o ON o.customer_id = c.id GROUP BY c.id ORDER BY orders DESC;
-- own none
SELECT c.email, count(*) FROM customers c JOIN orders o ON o.customer_id = c.id GROUP BY c.email HAVING count(*) > 2;
-- none none
SELECT c.city, sum(i.quantity * p.price) AS revenue FROM customers c JOIN orders o ON o.customer_id = c.id JOIN order_items i ON i.order_id = o.id JOIN products p ON p.id = i.product_id GROUP BY c.city ORDER BY revenue DESC;
-- none none
SELECT p.name, sum(i.quantity) AS sold FROM products p JOIN order_items i ON i.product_id = p.id GROUP BY p.id ORDER BY sold DESC LIMIT 3;
-- none none none
SELECT status, count(*), round(100.0 * count(*) / sum(count(*)) OVER (), 1) AS percent FROM orders GROUP BY status;
-- none none own
SELECT o.id, c.name, c.email FROM orders o JOIN customers c ON c.id = o.customer_id WHERE o.status = 'open';
-- none
SELECT name FROM customers WHERE id IN (SELECT customer_id FROM orders WHERE status = 'returned');
-- none
SELECT name FROM customers c WHERE NOT EXISTS (SELECT 1 FROM orders o WHERE o.customer_id = c.id);
-- none
SELECT name FROM customers c WHERE EXISTS (SELECT email FROM customers d WHERE d.email = c.email AND d.id <> c.id);
-- none none
SELECT c.name, (SELECT count(*) FROM orders o WHERE o.customer_id = c.id) AS orders FROM customers c;
-- none own
SELECT o.id, (SELECT email FROM customers c WHERE c.id = o.customer_id) AS email FROM orders o ORDER BY o.id;
-- none none
WITH spend AS (SELECT o.customer_id, sum(i.quantity * p.price) AS total FROM orders o JOIN order_items i ON i.order_id = o.id JOIN products p ON p.id = i.product_id GROUP BY 1) SELECT c.name, s.total FROM spend s JOIN customers c ON c.id = s.customer_id ORDER BY 2 DESC;
-- own none
WITH spend AS (SELECT o.customer_id, sum(i.quantity * p.price) AS total FROM orders o JOIN order_items i ON i.order_id = o.id JOIN products p ON p.id = i.product_id GROUP BY 1) SELECT c.email, s.total FROM spend s JOIN customers c ON c.id = s.customer_id ORDER BY 2 DESC LIMIT 3;
-- none none own
WITH active AS (SELECT * FROM customers WHERE since > '2022-01-01') SELECT id, name, email FROM active;
-- none
WITH active AS (SELECT * FROM customers WHERE since > '2022-01-01') SELECT count(*) FROM active;
-- own
WITH active AS MATERIALIZED (SELECT id, email AS e FROM customers) SELECT e FROM active;
-- own
SELECT x.email FROM (SELECT * FROM customers) x;
-- none
SELECT x.n FROM (SELECT name AS n, email FROM customers) x;
-- none
SELECT name FROM customers UNION SELECT name FROM products;
-- none own
SELECT name, email FROM customers WHERE id < 3 UNION ALL SELECT name, email FROM customers WHERE id > 6;
-- none none
SELECT 'customer' AS kind, name FROM customers UNION ALL SELECT 'product', name FROM products ORDER BY 1, 2;
-- none
SELECT id FROM customers EXCEPT SELECT customer_id FROM orders;
-- none
SELECT id FROM customers INTERSECT SELECT customer_id FROM orders WHERE status = 'open';
-- redacted
SELECT email AS who FROM customers UNION ALL SELECT name FROM products;
-- none none none
SELECT c.name, o.placed_on, lag(o.placed_on) OVER (PARTITION BY c.id ORDER BY o.placed_on) AS before FROM customers c JOIN orders o ON o.customer_id = c.id;
-- own none
SELECT c.email, o.placed_on - lag(o.placed_on) OVER (PARTITION BY c.email ORDER BY o.placed_on) AS gap FROM customers c JOIN orders o ON o.customer_id = c.id;
-- none none none
SELECT placed_on, count(*), sum(count(*)) OVER (ORDER BY placed_on) AS running FROM orders GROUP BY placed_on ORDER BY 1;
-- none none none
SELECT c.name, l.id, l.placed_on FROM customers c CROSS JOIN LATERAL (SELECT o.id, o.placed_on FROM orders o WHERE o.customer_id = c.id ORDER BY o.placed_on DESC LIMIT 1) l;
-- none none own none
SELECT DISTINCT ON (c.id) c.id, c.name, c.email, o.placed_on FROM customers c JOIN orders o ON o.customer_id = c.id ORDER BY c.id, o.placed_on DESC;
-- none
SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY price) FROM products;
-- none none
SELECT width_bucket(price, 0, 500, 5) AS bucket, count(*) FROM products GROUP BY 1 ORDER BY 1;
-- none none
SELECT to_char(placed_on, 'YYYY-MM') AS month, count(*) FROM orders GROUP BY 1 ORDER BY 1;
-- none none
SELECT month::date, count(o.id) FROM generate_series(date '2026-01-01', date '2026-06-01', interval '1 month') month LEFT JOIN orders o ON date_trunc('month', o.placed_on) = month GROUP BY 1 ORDER BY 1;
-- none
SELECT d::date AS day FROM generate_series(date '2026-01-01', date '2026-01-05', interval '1 day') d;
-- none none
SELECT c.name, g.n FROM customers c, generate_series(1, 2) AS g(n);
-- own none
SELECT c.email, g.n FROM customers c, generate_series(1, 2) AS g(n);
-- none own
SELECT name, email FROM customers WHERE (city, since) > ('M', '2022-01-01');
-- none none
SELECT c.name, v.label FROM customers c JOIN (VALUES ('Kobe', 'far'), ('Porto', 'near')) v(city, label) ON v.city = c.city;
-- none
SELECT c.name FROM customers c JOIN orders o ON o.customer_id = c.id GROUP BY c.name HAVING bool_and(o.status = 'shipped');
-- none none
SELECT city, count(*) FROM customers GROUP BY ROLLUP (city);
-- none none none none
SELECT status, extract(month FROM placed_on) AS m, count(*), grouping(status) FROM orders GROUP BY CUBE (status, extract(month FROM placed_on));
-- none
SELECT avg(n) FROM (SELECT count(*) AS n FROM orders GROUP BY customer_id) t;
-- none none none
SELECT c.id, c.name, coalesce(sum(i.quantity), 0) AS items FROM customers c LEFT JOIN orders o ON o.customer_id = c.id LEFT JOIN order_items i ON i.order_id = o.id GROUP BY c.id ORDER BY items DESC, c.name;
-- none none none none
SELECT id, name, price, price - avg(price) OVER () AS above FROM products;
-- none own none
SELECT id, email, first_value(name) OVER (ORDER BY since) FROM customers;
-- none redacted!
SELECT id, first_value(email) OVER (ORDER BY since) FROM customers;
-- none none
SELECT c1.name AS a, c2.name AS b FROM customers c1 JOIN customers c2 ON c1.city = c2.city AND c1.id < c2.id;
-- none none
SELECT c1.id, c2.id FROM customers c1 JOIN customers c2 ON split_part(c1.email, '@', 2) = split_part(c2.email, '@', 2) AND c1.id < c2.id;
-- none none own own none none none none none none
SELECT * FROM customers JOIN orders ON orders.customer_id = customers.id;
-- none none none none none none none
SELECT * FROM orders NATURAL JOIN order_items;
-- none none none none
SELECT o.id, i.* FROM orders o JOIN order_items i ON i.order_id = o.id;
-- none own
SELECT id, email::text FROM customers;
-- none redacted!
SELECT id, email::varchar(100) FROM customers;
-- none redacted
SELECT id, ssn::text AS ssn FROM customers;
-- none none none
SELECT id, trim(name) AS name, nullif(city, '') AS city FROM customers;
-- none none
SELECT id, (since + interval '1 year')::date AS anniversary FROM customers;
-- none
SELECT age(date '2026-01-01', since) FROM customers;
-- none none
SELECT id, greatest(since, date '2022-01-01') FROM customers;
-- none none
SELECT name ~ '^[A-C]' AS early, count(*) FROM customers GROUP BY 1;
-- redacted!
SELECT email ~ '^[a-z.]+@' AS valid FROM customers;
-- none
SELECT sum(CASE WHEN city = 'Kobe' THEN 1 ELSE 0 END) AS kobe FROM customers;
-- redacted!
SELECT sum(CASE WHEN email LIKE '%mail.example' THEN 1 ELSE 0 END) AS mail FROM customers;
-- none
SELECT count(*) FILTER (WHERE email LIKE '%mail.example') AS mail FROM customers;
-- none
SELECT id FROM customers ORDER BY length(email) LIMIT 1;
-- none
EXPLAIN SELECT email FROM customers WHERE id = 1;
-- none
EXPLAIN (COSTS OFF) SELECT c.name, count(*) FROM customers c JOIN orders o ON o.customer_id = c.id GROUP BY 1;
-- none none
WITH RECURSIVE days(d) AS (SELECT date '2026-01-01' UNION ALL SELECT d + 1 FROM days WHERE d < '2026-01-07') SELECT d, count(o.id) FROM days LEFT JOIN orders o ON o.placed_on = d GROUP BY d ORDER BY d;
-- none none
SELECT name, unnest(string_to_array(name, ' ')) AS part FROM customers;
-- none none
SELECT c.name, w FROM customers c, unnest(string_to_array(c.name, ' ')) AS w;
-- none redacted
SELECT c.id, p FROM customers c, regexp_split_to_table(c.email, '@') AS p;
-- none
SELECT array_agg(DISTINCT status) FROM orders;
-- none
SELECT array_length(array_agg(id), 1) FROM customers;
-- none
SELECT mode() WITHIN GROUP (ORDER BY status) FROM orders;
-- none none
SELECT o.status, count(DISTINCT c.email) AS people FROM orders o JOIN customers c ON c.id = o.customer_id GROUP BY o.status;
-- none none
SELECT (c).name, (c).city FROM (SELECT c FROM customers c) s;
-- none
SELECT ROW(id, name) FROM customers;
-- none none
SELECT id, name FROM customers FETCH FIRST 3 ROWS ONLY;
-- none none
SELECT id, name FROM customers TABLESAMPLE SYSTEM (100);
-- none none
SELECT ctid, id FROM customers;
-- none none
SELECT tableoid::regclass, id FROM customers;
-- none none none
SELECT xmin, id, name FROM customers;
-- none
SELECT pg_size_pretty(pg_total_relation_size('customers'));
-- none
SELECT reltuples FROM pg_class WHERE relname = 'customers';
-- none none
SELECT column_name, data_type FROM information_schema.columns WHERE table_name = 'customers' ORDER BY ordinal_position;
-- none none own
COPY (SELECT id, name, email FROM customers) TO STDOUT WITH (FORMAT csv, HEADER);
-- none none own own none none
COPY customers TO STDOUT;
-- none none
COPY (SELECT city, count(*) FROM customers GROUP BY city) TO STDOUT;
