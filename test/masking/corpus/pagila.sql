-- none none none none none none none none none none none
SELECT * FROM film LIMIT 5;
-- none none none
SELECT film_id, title, rental_rate FROM film WHERE rating = 'PG' ORDER BY title;
-- none none none
SELECT rating, count(*), avg(length) FROM film GROUP BY rating;
-- none none
SELECT c.name, count(*) FROM category c JOIN film_category fc USING (category_id) GROUP BY c.name ORDER BY 2 DESC;
-- none none
SELECT f.title, string_agg(a.first_name || ' ' || a.last_name, ', ') FROM film f JOIN film_actor fa USING (film_id) JOIN actor a USING (actor_id) GROUP BY f.film_id;
-- none none none
SELECT a.first_name, a.last_name, count(*) AS films FROM actor a JOIN film_actor fa ON fa.actor_id = a.actor_id GROUP BY a.actor_id ORDER BY films DESC LIMIT 10;
-- none none own own own none none none none
SELECT * FROM customer LIMIT 2;
-- none none none
SELECT customer_id, store_id, active FROM customer;
-- none own own own
SELECT customer_id, first_name, last_name, email FROM customer ORDER BY last_name;
-- none redacted
SELECT customer_id, first_name || ' ' || last_name AS name FROM customer;
-- none
SELECT count(*) FROM customer WHERE active;
-- none none none
SELECT store_id, count(*) FILTER (WHERE active) AS active, count(*) AS total FROM customer GROUP BY store_id;
-- none none
SELECT date_trunc('month', create_date) AS month, count(*) FROM customer GROUP BY 1;
-- own none
SELECT email, count(*) FROM customer GROUP BY email HAVING count(*) > 1;
-- none
SELECT count(*) - count(DISTINCT email) AS duplicates FROM customer;
-- redacted
SELECT lower(email) FROM customer;
-- redacted
SELECT initcap(first_name) FROM customer;
-- none redacted own none own none none none none
SELECT * FROM customer_list;
-- none none none
SELECT id, city, country FROM customer_list;
-- none none
SELECT country, count(*) FROM customer_list GROUP BY country ORDER BY 2 DESC;
-- redacted
SELECT name FROM customer_list WHERE country = 'Norway';
-- none none own own none none
SELECT * FROM staff_list;
-- none none
SELECT * FROM sales_by_film_category;
-- none none none
SELECT * FROM sales_by_store;
-- none none
SELECT store, total_sales FROM sales_by_store;
-- none none none none none
SELECT * FROM film_list WHERE category = 'Action';
-- none none
SELECT title, price FROM film_list;
-- none none none none
SELECT * FROM actor_info;
-- none none
SELECT * FROM rental_by_category;
-- none none none own
SELECT staff_id, first_name, username, password FROM staff;
-- none none none
SELECT staff_id, store_id, active FROM staff;
-- none none none
SELECT s.staff_id, count(p.payment_id), sum(p.amount) FROM staff s JOIN payment p ON p.staff_id = s.staff_id GROUP BY s.staff_id;
-- none none
SELECT s.first_name, sum(p.amount) FROM staff s JOIN payment p USING (staff_id) GROUP BY s.first_name;
-- none none
SELECT s.username, count(*) FROM staff s JOIN rental r USING (staff_id) GROUP BY 1;
-- none
SELECT password IS NOT NULL AS has_password FROM staff;
-- none
SELECT username FROM staff WHERE password = 'x';
-- none own own none none none own
SELECT * FROM address;
-- none none none
SELECT address_id, district, city_id FROM address;
-- none none
SELECT district, count(*) FROM address GROUP BY district;
-- own
SELECT phone FROM address WHERE city_id = 1;
-- redacted none
SELECT left(phone, 3) AS prefix, count(*) FROM address GROUP BY 1;
-- own none none
SELECT a.address, ci.city, co.country FROM address a JOIN city ci USING (city_id) JOIN country co USING (country_id);
-- none none none
SELECT ci.city, co.country, count(*) FROM address a JOIN city ci USING (city_id) JOIN country co USING (country_id) GROUP BY 1, 2;
-- none none none
SELECT c.customer_id, a.district, ci.city FROM customer c JOIN address a USING (address_id) JOIN city ci USING (city_id);
-- own own own
SELECT c.first_name, c.last_name, a.phone FROM customer c JOIN address a USING (address_id);
-- none none
SELECT customer_id, sum(amount) AS total FROM payment GROUP BY customer_id ORDER BY total DESC LIMIT 10;
-- none own own none
SELECT c.customer_id, c.first_name, c.last_name, sum(p.amount) FROM customer c JOIN payment p USING (customer_id) GROUP BY c.customer_id ORDER BY 4 DESC;
-- own none
SELECT c.email, sum(p.amount) AS total FROM customer c JOIN payment p USING (customer_id) GROUP BY c.email ORDER BY total DESC LIMIT 5;
-- none none
SELECT date_trunc('day', payment_date) AS day, sum(amount) FROM payment GROUP BY 1 ORDER BY 1;
-- none none
SELECT to_char(payment_date, 'Dy') AS weekday, avg(amount) FROM payment GROUP BY 1;
-- none none
SELECT extract(hour FROM rental_date) AS hour, count(*) FROM rental GROUP BY 1;
-- none
SELECT avg(return_date - rental_date) FROM rental WHERE return_date IS NOT NULL;
-- none none
SELECT f.title, count(r.rental_id) FROM film f JOIN inventory i USING (film_id) JOIN rental r USING (inventory_id) GROUP BY f.title ORDER BY 2 DESC;
-- none
SELECT f.title FROM film f WHERE NOT EXISTS (SELECT 1 FROM inventory i WHERE i.film_id = f.film_id);
-- none none none
SELECT f.title, f.rental_rate, rank() OVER (PARTITION BY f.rating ORDER BY f.rental_rate DESC) FROM film f;
-- none none
SELECT c.customer_id, max(r.rental_date) AS last_seen FROM customer c LEFT JOIN rental r USING (customer_id) GROUP BY c.customer_id;
-- own none
SELECT c.first_name, max(r.rental_date) AS last_seen FROM customer c LEFT JOIN rental r USING (customer_id) GROUP BY c.customer_id, c.first_name;
-- none none
SELECT c.customer_id, count(DISTINCT fc.category_id) FROM customer c JOIN rental r USING (customer_id) JOIN inventory i USING (inventory_id) JOIN film_category fc USING (film_id) GROUP BY 1;
-- none own none
SELECT r.rental_id, c.first_name, f.title FROM rental r JOIN customer c USING (customer_id) JOIN inventory i USING (inventory_id) JOIN film f USING (film_id) WHERE r.return_date IS NULL;
-- none none none
SELECT r.rental_id, c.customer_id, f.title FROM rental r JOIN customer c USING (customer_id) JOIN inventory i USING (inventory_id) JOIN film f USING (film_id) WHERE r.return_date IS NULL;
-- none none none
SELECT customer_id, rental_date, lag(rental_date) OVER (PARTITION BY customer_id ORDER BY rental_date) FROM rental;
-- none none none
SELECT customer_id, payment_date, sum(amount) OVER (PARTITION BY customer_id ORDER BY payment_date) AS running FROM payment;
-- none none
WITH spend AS (SELECT customer_id, sum(amount) AS total FROM payment GROUP BY 1) SELECT ntile(4) OVER (ORDER BY total) AS quartile, count(*) OVER () FROM spend;
-- none none
WITH spend AS (SELECT customer_id, sum(amount) AS total FROM payment GROUP BY 1) SELECT c.store_id, avg(s.total) FROM spend s JOIN customer c USING (customer_id) GROUP BY 1;
-- own none
WITH spend AS (SELECT customer_id, sum(amount) AS total FROM payment GROUP BY 1) SELECT c.last_name, s.total FROM spend s JOIN customer c USING (customer_id) WHERE s.total > 5;
-- none none
WITH names AS (SELECT customer_id, first_name, last_name, store_id FROM customer) SELECT store_id, count(*) FROM names GROUP BY store_id;
-- none none
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 5) SELECT n.i, count(f.film_id) FROM n LEFT JOIN film f ON f.film_id = n.i GROUP BY n.i;
-- redacted
SELECT first_name FROM actor UNION SELECT first_name FROM customer;
-- redacted redacted
SELECT first_name, last_name FROM actor INTERSECT SELECT first_name, last_name FROM customer;
-- none
SELECT customer_id FROM rental EXCEPT SELECT customer_id FROM payment;
-- none none
SELECT 'actor' AS kind, count(*) FROM actor UNION ALL SELECT 'customer', count(*) FROM customer;
-- none none
SELECT f.title, unnest(f.special_features) AS feature FROM film f;
-- none none
SELECT feature, count(*) FROM film, unnest(special_features) AS feature GROUP BY feature;
-- none
SELECT title FROM film WHERE 'Trailers' = ANY (special_features);
-- none
SELECT title FROM film WHERE fulltext @@ to_tsquery('fox');
-- none none
SELECT title, ts_rank(fulltext, to_tsquery('fox')) FROM film;
-- none none
SELECT rating, array_agg(title ORDER BY title) FROM film GROUP BY rating;
-- none
SELECT jsonb_build_object('title', title, 'rate', rental_rate) FROM film;
-- none
SELECT jsonb_agg(jsonb_build_object('id', customer_id, 'active', active)) FROM customer;
-- redacted
SELECT jsonb_agg(jsonb_build_object('id', customer_id, 'email', email)) FROM customer;
-- none
SELECT row_to_json(f) FROM film f;
-- redacted
SELECT row_to_json(c) FROM customer c;
-- none
SELECT to_jsonb(x) FROM (SELECT customer_id, active, create_date FROM customer) x;
-- none none
SELECT x.customer_id, x.store_id FROM (SELECT c.*, a.district FROM customer c JOIN address a USING (address_id)) x;
-- none own
SELECT x.district, x.last_name FROM (SELECT c.*, a.district FROM customer c JOIN address a USING (address_id)) x;
-- none
SELECT count(*) FROM (SELECT DISTINCT first_name, last_name FROM customer) d;
-- own
SELECT DISTINCT last_name FROM customer;
-- none none
SELECT DISTINCT store_id, active FROM customer;
-- none none own
SELECT DISTINCT ON (store_id) store_id, customer_id, last_name FROM customer ORDER BY store_id, create_date;
-- none
SELECT customer_id FROM customer ORDER BY last_name, first_name;
-- none
SELECT customer_id FROM customer WHERE email ILIKE '%@example.org';
-- none
SELECT customer_id FROM customer WHERE (first_name, last_name) IN (SELECT first_name, last_name FROM actor);
-- none none
SELECT c1.customer_id, c2.customer_id FROM customer c1 JOIN customer c2 ON c1.last_name = c2.last_name AND c1.customer_id < c2.customer_id;
-- none none
SELECT c.customer_id, s.staff_id FROM customer c JOIN staff s ON s.email = c.email;
-- redacted
SELECT email FROM customer c FULL JOIN staff s USING (email);
-- own none
SELECT c.email, s.username FROM customer c LEFT JOIN staff s USING (email);
-- none none none
SELECT * FROM store;
-- none none none none none none none own none none none own
SELECT * FROM store JOIN staff ON staff.staff_id = store.manager_staff_id;
-- none none none
SELECT st.store_id, m.username, ci.city FROM store st JOIN staff m ON m.staff_id = st.manager_staff_id JOIN address a ON a.address_id = st.address_id JOIN city ci USING (city_id);
-- none
SELECT percentile_cont(ARRAY[0.25, 0.5, 0.75]) WITHIN GROUP (ORDER BY amount) FROM payment;
-- none none
SELECT width_bucket(amount, 0, 12, 4), count(*) FROM payment GROUP BY 1;
-- none
SELECT mode() WITHIN GROUP (ORDER BY rating) FROM film;
-- redacted
SELECT mode() WITHIN GROUP (ORDER BY last_name) FROM customer;
-- none
SELECT corr(length, rental_rate) FROM film;
-- none
SELECT regr_slope(amount, customer_id) FROM payment;
-- none none none
SELECT rating, GROUPING(rating), count(*) FROM film GROUP BY ROLLUP (rating);
-- none none none
SELECT cube.store_id, cube.active, cube.n FROM (SELECT store_id, active, count(*) AS n FROM customer GROUP BY CUBE (store_id, active)) cube;
-- none none
SELECT coalesce(country, 'total'), count(*) FROM country GROUP BY ROLLUP (country);
-- none none
SELECT CASE WHEN amount < 3 THEN 'low' WHEN amount < 6 THEN 'middle' ELSE 'high' END AS band, count(*) FROM payment GROUP BY 1;
-- none own
SELECT CASE WHEN active THEN 'active' ELSE 'gone' END AS state, last_name FROM customer;
-- redacted
SELECT CASE WHEN active THEN last_name END FROM customer;
-- none none
SELECT customer_id, email IS NOT NULL AS reachable FROM customer;
-- none redacted
SELECT customer_id, length(last_name) AS letters FROM customer;
-- redacted none
SELECT left(last_name, 1) AS initial, count(*) FROM customer GROUP BY 1 ORDER BY 1;
-- none none
SELECT min(create_date), max(create_date) FROM customer;
-- none
SELECT max(last_update) FROM customer;
-- none
SELECT age(max(payment_date), min(payment_date)) FROM payment;
-- none none
SELECT r.rental_id, r.rental_date + f.rental_duration * interval '1 day' AS due FROM rental r JOIN inventory i USING (inventory_id) JOIN film f USING (film_id);
-- none none none
SELECT i.store_id, f.title, count(*) AS copies FROM inventory i JOIN film f USING (film_id) GROUP BY 1, 2;
-- none none none none none none none
SELECT p.*, c.store_id FROM payment p JOIN customer c USING (customer_id);
-- none none none none none none none own own own none none none none
SELECT * FROM payment p JOIN customer c USING (customer_id);
-- none none own own own none none none none none none none none none
SELECT * FROM customer NATURAL JOIN rental;
-- none none
SELECT tableoid::regclass, count(*) FROM payment GROUP BY 1;
-- none none none none none none
SELECT * FROM payment_p2022_01;
-- none none
SELECT l.name, f.title FROM film f JOIN language l ON l.language_id = f.language_id;
-- none none
SELECT f.title, f.description FROM film f WHERE f.description ILIKE '%shark%';
-- none none
SELECT customer_id, (SELECT count(*) FROM rental r WHERE r.customer_id = c.customer_id) FROM customer c;
-- own none
SELECT (SELECT email FROM customer c WHERE c.customer_id = p.customer_id), p.amount FROM payment p;
-- none own
SELECT p.payment_id, l.last_name FROM payment p CROSS JOIN LATERAL (SELECT last_name FROM customer c WHERE c.customer_id = p.customer_id) l;
-- none none
SELECT p.payment_id, l.n FROM payment p CROSS JOIN LATERAL (SELECT count(*) AS n FROM customer c WHERE c.customer_id = p.customer_id) l;
-- none none
SELECT g.day::date, coalesce(sum(p.amount), 0) FROM generate_series(timestamp '2022-01-01', timestamp '2022-01-03', interval '1 day') g(day) LEFT JOIN payment p ON p.payment_date::date = g.day::date GROUP BY 1 ORDER BY 1;
-- own own
SELECT last_name, first_name FROM customer ORDER BY last_name LIMIT 5 OFFSET 1;
-- redacted own
SELECT last_name::varchar(10), first_name::text FROM customer;
-- none own
SELECT c.customer_id, c.last_name COLLATE "C" FROM customer c;
-- redacted
SELECT encode(sha256(email::bytea), 'hex') AS hashed FROM customer;
-- refused!
SELECT hashtext(email) % 10 AS bucket, count(*) FROM customer GROUP BY 1;
-- refused!
SELECT inventory_in_stock(1);
-- refused!
SELECT get_customer_balance(1, now());
-- none
EXPLAIN SELECT * FROM customer WHERE last_name = 'SMITH';
-- none none own
COPY (SELECT customer_id, store_id, email FROM customer) TO STDOUT (FORMAT csv);
-- none none
COPY film (film_id, title) TO STDOUT;
-- none none own own own none none none none
COPY customer TO STDOUT;
-- none none
COPY (SELECT country, count(*) FROM customer_list GROUP BY country) TO STDOUT;
-- none
SELECT count(*) FROM customer WHERE email = (SELECT email FROM customer WHERE customer_id = 1);
-- none
SELECT exists(SELECT 1 FROM customer WHERE last_name = 'SMITH');
-- none
SELECT array_agg(customer_id ORDER BY last_name) FROM customer;
-- none none none
SELECT row_number() OVER (ORDER BY last_name) AS n, customer_id, active FROM customer;
-- redacted
SELECT string_agg(last_name, ', ') FROM customer WHERE store_id = 1;
-- none redacted
SELECT store_id, max(last_name) FROM customer GROUP BY store_id;
-- none none none
SELECT EXTRACT(year FROM create_date) AS y, store_id, count(*) FROM customer GROUP BY GROUPING SETS ((1), (2), ());
-- none none
SELECT customer_id, xmlforest(customer_id, active) FROM customer;
-- none none
SELECT t.customer_id, t.store_id FROM customer AS t(customer_id, store_id);
-- none none
SELECT c.* FROM (SELECT customer_id, active FROM customer) AS c(id, on_list) JOIN LATERAL (SELECT c.id) z ON true;
-- none none
TABLE category;
-- none none
VALUES (1, 'a'), (2, 'b');
