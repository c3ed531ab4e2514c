// The schemas that the corpus of ordinary queries runs on, with a few rows each, and what an administrator would protect.

const TPCH = `
  CREATE TABLE region (r_regionkey int PRIMARY KEY, r_name char(25) NOT NULL, r_comment varchar(152));
  CREATE TABLE nation (n_nationkey int PRIMARY KEY, n_name char(25) NOT NULL, n_regionkey int NOT NULL REFERENCES region, n_comment varchar(152));
  CREATE TABLE part (p_partkey int PRIMARY KEY, p_name varchar(55) NOT NULL, p_mfgr char(25), p_brand char(10), p_type varchar(25),
    p_size int, p_container char(10), p_retailprice numeric(15, 2), p_comment varchar(23));
  CREATE TABLE supplier (s_suppkey int PRIMARY KEY, s_name char(25), s_address varchar(40), s_nationkey int REFERENCES nation, s_phone char(15),
    s_acctbal numeric(15, 2), s_comment varchar(101));
  CREATE TABLE partsupp (ps_partkey int REFERENCES part, ps_suppkey int REFERENCES supplier, ps_availqty int, ps_supplycost numeric(15, 2),
    ps_comment varchar(199), PRIMARY KEY (ps_partkey, ps_suppkey));
  CREATE TABLE customer (c_custkey int PRIMARY KEY, c_name varchar(25), c_address varchar(40), c_nationkey int REFERENCES nation, c_phone char(15),
    c_acctbal numeric(15, 2), c_mktsegment char(10), c_comment varchar(117));
  CREATE TABLE orders (o_orderkey int PRIMARY KEY, o_custkey int REFERENCES customer, o_orderstatus char(1), o_totalprice numeric(15, 2), o_orderdate date,
    o_orderpriority char(15), o_clerk char(15), o_shippriority int, o_comment varchar(79));
  CREATE TABLE lineitem (l_orderkey int REFERENCES orders, l_partkey int, l_suppkey int, l_linenumber int, l_quantity numeric(15, 2),
    l_extendedprice numeric(15, 2), l_discount numeric(15, 2), l_tax numeric(15, 2), l_returnflag char(1), l_linestatus char(1), l_shipdate date,
    l_commitdate date, l_receiptdate date, l_shipinstruct char(25), l_shipmode char(10), l_comment varchar(44), PRIMARY KEY (l_orderkey, l_linenumber));
  INSERT INTO region VALUES (0, 'EUROPE'), (1, 'ASIA');
  INSERT INTO nation VALUES (0, 'GERMANY', 0), (1, 'FRANCE', 0), (2, 'CHINA', 1);
  INSERT INTO part SELECT n, 'forest green ' || n, 'M#1', 'Brand#12', 'PROMO BRASS', 15, 'MED BOX', 900 + n, 'c' FROM generate_series(1, 3) n;
  INSERT INTO supplier SELECT n, 'Supplier#' || n, 'street ' || n, n - 1, '11-2' || n, 10 * n, 'quiet' FROM generate_series(1, 3) n;
  INSERT INTO partsupp SELECT p, s, 10 * p + s, p + s, 'c' FROM generate_series(1, 3) p, generate_series(1, 3) s;
  INSERT INTO customer SELECT n, 'Customer#' || n, 'lane ' || n, n % 3, '13-555-' || n, 100 * n - 250, CASE WHEN n % 2 = 0 THEN 'BUILDING' ELSE 'MACHINERY' END, 'c'
    FROM generate_series(1, 5) n;
  INSERT INTO orders SELECT n, 1 + n % 4, 'F', 1000 + n, date '1995-01-01' + n, '1-URGENT', 'k', 0, 'c' FROM generate_series(1, 12) n;
  INSERT INTO lineitem SELECT o, 1 + o % 3, 1 + l, l, 10 + o, 500 + o, 0.05, 0.02, 'R', 'O', date '1995-02-01' + o, date '1995-02-03', date '1995-02-09', 'NONE', 'MAIL', 'c'
    FROM generate_series(1, 12) o, generate_series(1, 2) l;`;

const PAGILA = `
  CREATE TYPE mpaa_rating AS ENUM ('G', 'PG', 'R');
  CREATE DOMAIN year AS int CHECK (VALUE >= 1901);
  CREATE TABLE language (language_id int PRIMARY KEY, name char(20));
  CREATE TABLE category (category_id int PRIMARY KEY, name text);
  CREATE TABLE actor (actor_id int PRIMARY KEY, first_name text, last_name text);
  CREATE TABLE film (film_id int PRIMARY KEY, title text, description text, release_year year, language_id int REFERENCES language, rental_duration int,
    rental_rate numeric(4, 2), length int, rating mpaa_rating, special_features text[], fulltext tsvector);
  CREATE TABLE film_actor (actor_id int REFERENCES actor, film_id int REFERENCES film, PRIMARY KEY (actor_id, film_id));
  CREATE TABLE film_category (film_id int REFERENCES film, category_id int REFERENCES category);
  CREATE TABLE country (country_id int PRIMARY KEY, country text);
  CREATE TABLE city (city_id int PRIMARY KEY, city text, country_id int REFERENCES country);
  CREATE TABLE address (address_id int PRIMARY KEY, address text, address2 text, district text, city_id int REFERENCES city, postal_code text, phone text);
  CREATE TABLE staff (staff_id int PRIMARY KEY, first_name text, last_name text, address_id int, email text, store_id int, active bool, username text, password text);
  CREATE TABLE store (store_id int PRIMARY KEY, manager_staff_id int REFERENCES staff, address_id int REFERENCES address);
  CREATE TABLE customer (customer_id int PRIMARY KEY, store_id int REFERENCES store, first_name text, last_name text, email text,
    address_id int REFERENCES address, active bool, create_date date, last_update timestamptz);
  CREATE TABLE inventory (inventory_id int PRIMARY KEY, film_id int REFERENCES film, store_id int REFERENCES store);
  CREATE TABLE rental (rental_id int PRIMARY KEY, rental_date timestamptz, inventory_id int REFERENCES inventory, customer_id int, return_date timestamptz,
    staff_id int REFERENCES staff);
  CREATE TABLE payment (payment_id int, customer_id int, staff_id int, rental_id int, amount numeric(5, 2), payment_date timestamptz) PARTITION BY RANGE (payment_date);
  CREATE TABLE payment_p2022_01 PARTITION OF payment FOR VALUES FROM ('2022-01-01') TO ('2022-02-01');
  CREATE TABLE payment_p2022_02 PARTITION OF payment FOR VALUES FROM ('2022-02-01') TO ('2023-01-01');
  CREATE VIEW customer_list AS SELECT cu.customer_id AS id, cu.first_name || ' ' || cu.last_name AS name, a.address, a.postal_code AS "zip code", a.phone,
      city.city, country.country, CASE WHEN cu.active THEN 'active' ELSE '' END AS notes, cu.store_id AS sid
    FROM customer cu JOIN address a ON cu.address_id = a.address_id JOIN city ON a.city_id = city.city_id JOIN country ON city.country_id = country.country_id;
  CREATE VIEW staff_list AS SELECT s.staff_id AS id, s.first_name || ' ' || s.last_name AS name, a.address, a.phone, city.city, s.store_id AS sid
    FROM staff s JOIN address a ON s.address_id = a.address_id JOIN city ON a.city_id = city.city_id;
  CREATE VIEW sales_by_film_category AS SELECT c.name AS category, sum(p.amount) AS total_sales FROM payment p JOIN rental r ON p.rental_id = r.rental_id
    JOIN inventory i ON r.inventory_id = i.inventory_id JOIN film_category fc ON i.film_id = fc.film_id JOIN category c ON fc.category_id = c.category_id GROUP BY c.name;
  CREATE VIEW sales_by_store AS SELECT c.city || ',' || cy.country AS store, m.first_name || ' ' || m.last_name AS manager, sum(p.amount) AS total_sales
    FROM payment p JOIN rental r ON p.rental_id = r.rental_id JOIN inventory i ON r.inventory_id = i.inventory_id JOIN store s ON i.store_id = s.store_id
    JOIN address a ON s.address_id = a.address_id JOIN city c ON a.city_id = c.city_id JOIN country cy ON c.country_id = cy.country_id
    JOIN staff m ON s.manager_staff_id = m.staff_id GROUP BY c.city, cy.country, m.first_name, m.last_name;
  CREATE VIEW film_list AS SELECT film.film_id AS fid, film.title, category.name AS category, film.rental_rate AS price, string_agg(actor.last_name, ', ') AS actors
    FROM category JOIN film_category ON category.category_id = film_category.category_id JOIN film ON film_category.film_id = film.film_id
    JOIN film_actor ON film.film_id = film_actor.film_id JOIN actor ON film_actor.actor_id = actor.actor_id GROUP BY film.film_id, category.name;
  CREATE VIEW actor_info AS SELECT a.actor_id, a.first_name, a.last_name, string_agg(f.title, ', ') AS film_info FROM actor a
    LEFT JOIN film_actor fa ON a.actor_id = fa.actor_id LEFT JOIN film f ON fa.film_id = f.film_id GROUP BY a.actor_id;
  CREATE MATERIALIZED VIEW rental_by_category AS SELECT * FROM sales_by_film_category WITH NO DATA;
  CREATE FUNCTION inventory_in_stock(p_inventory_id int) RETURNS boolean LANGUAGE sql STABLE AS
    'SELECT NOT EXISTS (SELECT 1 FROM rental WHERE inventory_id = p_inventory_id AND return_date IS NULL)';
  CREATE FUNCTION get_customer_balance(p_customer_id int, p_effective_date timestamptz) RETURNS numeric LANGUAGE sql STABLE AS
    'SELECT sum(amount) FROM payment WHERE customer_id = p_customer_id AND payment_date <= p_effective_date';
  INSERT INTO language VALUES (1, 'English');
  INSERT INTO category VALUES (1, 'Action'), (2, 'Drama');
  INSERT INTO actor VALUES (1, 'PENELOPE', 'GUINESS'), (2, 'NICK', 'WAHLBERG');
  INSERT INTO film SELECT n, 'FILM ' || n, 'A tale of a fox and a shark', 2006, 1, 3, 0.99 + n, 80 + n, 'PG', '{Trailers}', to_tsvector('fox ' || n) FROM generate_series(1, 4) n;
  INSERT INTO film_actor SELECT 1 + n % 2, n FROM generate_series(1, 4) n;
  INSERT INTO film_category SELECT n, 1 + n % 2 FROM generate_series(1, 4) n;
  INSERT INTO country VALUES (1, 'Norway'), (2, 'Peru');
  INSERT INTO city VALUES (1, 'Oslo', 1), (2, 'Lima', 2);
  INSERT INTO address SELECT n, n || ' High Street', NULL, 'D' || n, 1 + n % 2, '10' || n, '47555010' || n FROM generate_series(1, 6) n;
  INSERT INTO staff VALUES (1, 'Mike', 'Hillyer', 1, 'mike@example.org', 1, true, 'mike', '8cb2237d0679'), (2, 'Jon', 'Stephens', 2, 'jon@example.org', 2, true, 'jon', 'c1b2e3a4d5f6');
  INSERT INTO store VALUES (1, 1, 1), (2, 2, 2);
  INSERT INTO customer SELECT n, 1 + n % 2, (ARRAY['MARY', 'PAT', 'LINDA', 'BARB'])[n], (ARRAY['SMITH', 'JONES', 'SMITH', 'DAVIS'])[n], 'c' || n || '@example.org', n + 2, n < 4,
    date '2022-02-14' + n, '2022-03-01' FROM generate_series(1, 4) n;
  INSERT INTO inventory SELECT n, n, 1 + n % 2 FROM generate_series(1, 4) n;
  INSERT INTO rental SELECT n, timestamptz '2022-01-01' + n * interval '7 hours', 1 + n % 4, 1 + n % 4, CASE WHEN n < 7 THEN timestamptz '2022-01-09' END, 1 + n % 2
    FROM generate_series(1, 8) n;
  INSERT INTO payment SELECT n, 1 + n % 4, 1 + n % 2, n, 0.99 + n, timestamptz '2022-01-01' + n * interval '7 hours' FROM generate_series(1, 8) n;
  REFRESH MATERIALIZED VIEW rental_by_category;`;

export interface Subject {
  readonly schema: string;
  /** Patterns of protected columns; all are redacted. */
  readonly columns: readonly string[];
}

export const SUBJECTS: Readonly<Record<'tpch' | 'pagila', Subject>> = {
  tpch: {
    schema: TPCH,
    columns: ['c_name', 'c_address', 'c_phone', 'c_acctbal'].map((column) => `public.customer.${column}`),
  },
  pagila: {
    schema: PAGILA,
    columns: [
      'public.customer.first_name',
      'public.customer.last_name',
      '*.*.email',
      '*.staff.password',
      'public.address.phone',
      'public.address.address',
      'public.address.address2',
    ],
  },
};
