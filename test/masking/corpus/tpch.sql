-- none none none none none none none none none none
SELECT l_returnflag, l_linestatus, sum(l_quantity) AS sum_qty, sum(l_extendedprice) AS sum_base_price, sum(l_extendedprice * (1 - l_discount)) AS sum_disc_price, sum(l_extendedprice * (1 - l_discount) * (1 + l_tax)) AS sum_charge, avg(l_quantity) AS avg_qty, avg(l_extendedprice) AS avg_price, avg(l_discount) AS avg_disc, count(*) AS count_order FROM lineitem WHERE l_shipdate <= date '1998-12-01' - interval '90' day GROUP BY l_returnflag, l_linestatus ORDER BY l_returnflag, l_linestatus;
-- none none none none none none none none
SELECT s_acctbal, s_name, n_name, p_partkey, p_mfgr, s_address, s_phone, s_comment FROM part, supplier, partsupp, nation, region WHERE p_partkey = ps_partkey AND s_suppkey = ps_suppkey AND p_size = 15 AND p_type LIKE '%BRASS' AND s_nationkey = n_nationkey AND n_regionkey = r_regionkey AND r_name = 'EUROPE' AND ps_supplycost = (SELECT min(ps_supplycost) FROM partsupp, supplier, nation, region WHERE p_partkey = ps_partkey AND s_suppkey = ps_suppkey AND s_nationkey = n_nationkey AND n_regionkey = r_regionkey AND r_name = 'EUROPE') ORDER BY s_acctbal DESC, n_name, s_name, p_partkey LIMIT 100;
-- none none none none
SELECT l_orderkey, sum(l_extendedprice * (1 - l_discount)) AS revenue, o_orderdate, o_shippriority FROM customer, orders, lineitem WHERE c_mktsegment = 'BUILDING' AND c_custkey = o_custkey AND l_orderkey = o_orderkey AND o_orderdate < date '1995-03-15' AND l_shipdate > date '1995-03-15' GROUP BY l_orderkey, o_orderdate, o_shippriority ORDER BY revenue DESC, o_orderdate LIMIT 10;
-- none none
SELECT o_orderpriority, count(*) AS order_count FROM orders WHERE o_orderdate >= date '1993-07-01' AND o_orderdate < date '1993-07-01' + interval '3' month AND EXISTS (SELECT * FROM lineitem WHERE l_orderkey = o_orderkey AND l_commitdate < l_receiptdate) GROUP BY o_orderpriority ORDER BY o_orderpriority;
-- none none
SELECT n_name, sum(l_extendedprice * (1 - l_discount)) AS revenue FROM customer, orders, lineitem, supplier, nation, region WHERE c_custkey = o_custkey AND l_orderkey = o_orderkey AND l_suppkey = s_suppkey AND c_nationkey = s_nationkey AND s_nationkey = n_nationkey AND n_regionkey = r_regionkey AND r_name = 'ASIA' AND o_orderdate >= date '1994-01-01' AND o_orderdate < date '1994-01-01' + interval '1' year GROUP BY n_name ORDER BY revenue DESC;
-- none
SELECT sum(l_extendedprice * l_discount) AS revenue FROM lineitem WHERE l_shipdate >= date '1994-01-01' AND l_shipdate < date '1994-01-01' + interval '1' year AND l_discount BETWEEN 0.06 - 0.01 AND 0.06 + 0.01 AND l_quantity < 24;
-- none none none none
SELECT supp_nation, cust_nation, l_year, sum(volume) AS revenue FROM (SELECT n1.n_name AS supp_nation, n2.n_name AS cust_nation, extract(year FROM l_shipdate) AS l_year, l_extendedprice * (1 - l_discount) AS volume FROM supplier, lineitem, orders, customer, nation n1, nation n2 WHERE s_suppkey = l_suppkey AND o_orderkey = l_orderkey AND c_custkey = o_custkey AND s_nationkey = n1.n_nationkey AND c_nationkey = n2.n_nationkey AND ((n1.n_name = 'FRANCE' AND n2.n_name = 'GERMANY') OR (n1.n_name = 'GERMANY' AND n2.n_name = 'FRANCE')) AND l_shipdate BETWEEN date '1995-01-01' AND date '1996-12-31') AS shipping GROUP BY supp_nation, cust_nation, l_year ORDER BY supp_nation, cust_nation, l_year;
-- none none
SELECT o_year, sum(CASE WHEN nation = 'BRAZIL' THEN volume ELSE 0 END) / sum(volume) AS mkt_share FROM (SELECT extract(year FROM o_orderdate) AS o_year, l_extendedprice * (1 - l_discount) AS volume, n2.n_name AS nation FROM part, supplier, lineitem, orders, customer, nation n1, nation n2, region WHERE p_partkey = l_partkey AND s_suppkey = l_suppkey AND l_orderkey = o_orderkey AND o_custkey = c_custkey AND c_nationkey = n1.n_nationkey AND n1.n_regionkey = r_regionkey AND r_name = 'AMERICA' AND s_nationkey = n2.n_nationkey AND o_orderdate BETWEEN date '1995-01-01' AND date '1996-12-31' AND p_type = 'ECONOMY ANODIZED STEEL') AS all_nations GROUP BY o_year ORDER BY o_year;
-- none none none
SELECT nation, o_year, sum(amount) AS sum_profit FROM (SELECT n_name AS nation, extract(year FROM o_orderdate) AS o_year, l_extendedprice * (1 - l_discount) - ps_supplycost * l_quantity AS amount FROM part, supplier, lineitem, partsupp, orders, nation WHERE s_suppkey = l_suppkey AND ps_suppkey = l_suppkey AND ps_partkey = l_partkey AND p_partkey = l_partkey AND o_orderkey = l_orderkey AND s_nationkey = n_nationkey AND p_name LIKE '%green%') AS profit GROUP BY nation, o_year ORDER BY nation, o_year DESC;
-- none own none own none own own none
SELECT c_custkey, c_name, sum(l_extendedprice * (1 - l_discount)) AS revenue, c_acctbal, n_name, c_address, c_phone, c_comment FROM customer, orders, lineitem, nation WHERE c_custkey = o_custkey AND l_orderkey = o_orderkey AND o_orderdate >= date '1993-10-01' AND o_orderdate < date '1993-10-01' + interval '3' month AND l_returnflag = 'R' AND c_nationkey = n_nationkey GROUP BY c_custkey, c_name, c_acctbal, c_phone, n_name, c_address, c_comment ORDER BY revenue DESC LIMIT 20;
-- none none
SELECT ps_partkey, sum(ps_supplycost * ps_availqty) AS value FROM partsupp, supplier, nation WHERE ps_suppkey = s_suppkey AND s_nationkey = n_nationkey AND n_name = 'GERMANY' GROUP BY ps_partkey HAVING sum(ps_supplycost * ps_availqty) > (SELECT sum(ps_supplycost * ps_availqty) * 0.0001 FROM partsupp, supplier, nation WHERE ps_suppkey = s_suppkey AND s_nationkey = n_nationkey AND n_name = 'GERMANY') ORDER BY value DESC;
-- none none none
SELECT l_shipmode, sum(CASE WHEN o_orderpriority = '1-URGENT' OR o_orderpriority = '2-HIGH' THEN 1 ELSE 0 END) AS high_line_count, sum(CASE WHEN o_orderpriority <> '1-URGENT' AND o_orderpriority <> '2-HIGH' THEN 1 ELSE 0 END) AS low_line_count FROM orders, lineitem WHERE o_orderkey = l_orderkey AND l_shipmode IN ('MAIL', 'SHIP') AND l_commitdate < l_receiptdate AND l_shipdate < l_commitdate AND l_receiptdate >= date '1994-01-01' AND l_receiptdate < date '1994-01-01' + interval '1' year GROUP BY l_shipmode ORDER BY l_shipmode;
-- none none
SELECT c_count, count(*) AS custdist FROM (SELECT c_custkey, count(o_orderkey) FROM customer LEFT OUTER JOIN orders ON c_custkey = o_custkey AND o_comment NOT LIKE '%special%requests%' GROUP BY c_custkey) AS c_orders (c_custkey, c_count) GROUP BY c_count ORDER BY custdist DESC, c_count DESC;
-- none
SELECT 100.00 * sum(CASE WHEN p_type LIKE 'PROMO%' THEN l_extendedprice * (1 - l_discount) ELSE 0 END) / sum(l_extendedprice * (1 - l_discount)) AS promo_revenue FROM lineitem, part WHERE l_partkey = p_partkey AND l_shipdate >= date '1995-09-01' AND l_shipdate < date '1995-09-01' + interval '1' month;
-- none none none none none
WITH revenue (supplier_no, total_revenue) AS (SELECT l_suppkey, sum(l_extendedprice * (1 - l_discount)) FROM lineitem WHERE l_shipdate >= date '1996-01-01' AND l_shipdate < date '1996-01-01' + interval '3' month GROUP BY l_suppkey) SELECT s_suppkey, s_name, s_address, s_phone, total_revenue FROM supplier, revenue WHERE s_suppkey = supplier_no AND total_revenue = (SELECT max(total_revenue) FROM revenue) ORDER BY s_suppkey;
-- none none none none
SELECT p_brand, p_type, p_size, count(DISTINCT ps_suppkey) AS supplier_cnt FROM partsupp, part WHERE p_partkey = ps_partkey AND p_brand <> 'Brand#45' AND p_type NOT LIKE 'MEDIUM POLISHED%' AND p_size IN (49, 14, 23, 45, 19, 3, 36, 9) AND ps_suppkey NOT IN (SELECT s_suppkey FROM supplier WHERE s_comment LIKE '%Customer%Complaints%') GROUP BY p_brand, p_type, p_size ORDER BY supplier_cnt DESC, p_brand, p_type, p_size;
-- none
SELECT sum(l_extendedprice) / 7.0 AS avg_yearly FROM lineitem, part WHERE p_partkey = l_partkey AND p_brand = 'Brand#23' AND p_container = 'MED BOX' AND l_quantity < (SELECT 0.2 * avg(l_quantity) FROM lineitem WHERE l_partkey = p_partkey);
-- own none none none none none
SELECT c_name, c_custkey, o_orderkey, o_orderdate, o_totalprice, sum(l_quantity) FROM customer, orders, lineitem WHERE o_orderkey IN (SELECT l_orderkey FROM lineitem GROUP BY l_orderkey HAVING sum(l_quantity) > 300) AND c_custkey = o_custkey AND o_orderkey = l_orderkey GROUP BY c_name, c_custkey, o_orderkey, o_orderdate, o_totalprice ORDER BY o_totalprice DESC, o_orderdate LIMIT 100;
-- none
SELECT sum(l_extendedprice * (1 - l_discount)) AS revenue FROM lineitem, part WHERE (p_partkey = l_partkey AND p_brand = 'Brand#12' AND l_quantity >= 1 AND p_size BETWEEN 1 AND 5) OR (p_partkey = l_partkey AND p_brand = 'Brand#23' AND l_quantity >= 10 AND p_size BETWEEN 1 AND 10);
-- none none
SELECT s_name, s_address FROM supplier, nation WHERE s_suppkey IN (SELECT ps_suppkey FROM partsupp WHERE ps_partkey IN (SELECT p_partkey FROM part WHERE p_name LIKE 'forest%') AND ps_availqty > (SELECT 0.5 * sum(l_quantity) FROM lineitem WHERE l_partkey = ps_partkey AND l_suppkey = ps_suppkey AND l_shipdate >= date '1994-01-01')) AND s_nationkey = n_nationkey AND n_name = 'CANADA' ORDER BY s_name;
-- none none
SELECT s_name, count(*) AS numwait FROM supplier, lineitem l1, orders, nation WHERE s_suppkey = l1.l_suppkey AND o_orderkey = l1.l_orderkey AND o_orderstatus = 'F' AND l1.l_receiptdate > l1.l_commitdate AND EXISTS (SELECT * FROM lineitem l2 WHERE l2.l_orderkey = l1.l_orderkey AND l2.l_suppkey <> l1.l_suppkey) AND NOT EXISTS (SELECT * FROM lineitem l3 WHERE l3.l_orderkey = l1.l_orderkey AND l3.l_suppkey <> l1.l_suppkey AND l3.l_receiptdate > l3.l_commitdate) AND s_nationkey = n_nationkey AND n_name = 'SAUDI ARABIA' GROUP BY s_name ORDER BY numwait DESC, s_name LIMIT 100;
-- redacted none redacted
SELECT cntrycode, count(*) AS numcust, sum(c_acctbal) AS totacctbal FROM (SELECT substring(c_phone FROM 1 FOR 2) AS cntrycode, c_acctbal FROM customer WHERE substring(c_phone FROM 1 FOR 2) IN ('13', '31', '23', '29', '30', '18', '17') AND c_acctbal > (SELECT avg(c_acctbal) FROM customer WHERE c_acctbal > 0.00) AND NOT EXISTS (SELECT * FROM orders WHERE o_custkey = c_custkey)) AS custsale GROUP BY cntrycode ORDER BY cntrycode;
-- none none
SELECT c_mktsegment, count(*) FROM customer GROUP BY c_mktsegment ORDER BY 2 DESC;
-- none none none
SELECT c_mktsegment, count(*), avg(o_totalprice) FROM customer JOIN orders ON o_custkey = c_custkey GROUP BY 1;
-- none none none
SELECT c_custkey, c_mktsegment, n_name FROM customer JOIN nation ON n_nationkey = c_nationkey;
-- none none none
SELECT r_name, n_name, count(c_custkey) FROM region JOIN nation ON n_regionkey = r_regionkey LEFT JOIN customer ON c_nationkey = n_nationkey GROUP BY ROLLUP (r_name, n_name);
-- none own own none own own none none
SELECT * FROM customer LIMIT 3;
-- none own
SELECT c_custkey, c_name FROM customer ORDER BY c_custkey;
-- none own own
SELECT c_custkey, c_name, c_phone FROM customer WHERE c_mktsegment = 'BUILDING';
-- redacted
SELECT avg(c_acctbal) FROM customer;
-- none redacted none
SELECT c_nationkey, sum(c_acctbal), count(*) FROM customer GROUP BY 1;
-- none
SELECT count(*) FROM customer WHERE c_acctbal < 0;
-- redacted! none
SELECT c_acctbal > 0 AS positive, count(*) FROM customer GROUP BY 1;
-- none none
SELECT ntile(4) OVER (ORDER BY c_acctbal) AS quartile, c_custkey FROM customer;
-- none none none
SELECT c_custkey, o_totalprice, rank() OVER (PARTITION BY c_nationkey ORDER BY o_totalprice DESC) FROM customer JOIN orders ON o_custkey = c_custkey;
-- none none none
SELECT c_custkey, count(o_orderkey), max(o_orderdate) FROM customer LEFT JOIN orders ON o_custkey = c_custkey GROUP BY c_custkey;
-- own none
SELECT c_name, max(o_orderdate) FROM customer JOIN orders ON o_custkey = c_custkey GROUP BY c_name;
-- none none none none
SELECT o_orderstatus, sum(o_totalprice), avg(o_totalprice), count(DISTINCT o_custkey) FROM orders GROUP BY 1;
-- none none none
SELECT o_orderpriority, date_trunc('quarter', o_orderdate) AS q, count(*) FROM orders GROUP BY 1, 2 ORDER BY 2, 1;
-- none none none
SELECT o.o_orderkey, c.c_mktsegment, l.lines FROM orders o JOIN customer c ON c.c_custkey = o.o_custkey JOIN LATERAL (SELECT count(*) AS lines FROM lineitem WHERE l_orderkey = o.o_orderkey) l ON true;
-- none none none
SELECT p_brand, avg(p_retailprice), stddev(p_retailprice) FROM part GROUP BY p_brand;
-- none none none
SELECT l_shipmode, count(*), avg(l_receiptdate - l_commitdate) AS late FROM lineitem GROUP BY 1;
-- none none none
SELECT s_suppkey, s_name, sum(ps_supplycost * ps_availqty) FROM supplier JOIN partsupp ON ps_suppkey = s_suppkey GROUP BY s_suppkey, s_name;
-- none none none
WITH yearly AS (SELECT extract(year FROM o_orderdate) AS y, sum(o_totalprice) AS total FROM orders GROUP BY 1) SELECT y, total, total - lag(total) OVER (ORDER BY y) AS growth FROM yearly;
-- none none
WITH best AS (SELECT o_custkey, sum(o_totalprice) AS total FROM orders GROUP BY 1 ORDER BY 2 DESC LIMIT 5) SELECT c_mktsegment, total FROM best JOIN customer ON c_custkey = o_custkey;
-- own own none
WITH best AS (SELECT o_custkey, sum(o_totalprice) AS total FROM orders GROUP BY 1 ORDER BY 2 DESC LIMIT 5) SELECT c_name, c_phone, total FROM best JOIN customer ON c_custkey = o_custkey;
-- none none
SELECT c_custkey, CASE WHEN sum(o_totalprice) > 1000 THEN 'gold' ELSE 'plain' END AS tier FROM customer JOIN orders ON o_custkey = c_custkey GROUP BY c_custkey;
-- none none
SELECT n_name, percentile_disc(0.9) WITHIN GROUP (ORDER BY o_totalprice) FROM orders JOIN customer ON c_custkey = o_custkey JOIN nation ON n_nationkey = c_nationkey GROUP BY n_name;
-- none
SELECT c_custkey FROM customer WHERE c_name = 'Customer#000000001';
-- none none
SELECT c_custkey, c_comment FROM customer WHERE c_comment ILIKE '%special%';
-- none
SELECT count(DISTINCT substring(c_phone FROM 1 FOR 2)) FROM customer;
-- none
SELECT c_custkey FROM customer WHERE c_phone LIKE '13-%' ORDER BY c_acctbal DESC;
-- none
SELECT corr(o_totalprice, l_quantity) FROM orders JOIN lineitem ON l_orderkey = o_orderkey;
-- none redacted
SELECT c_mktsegment, corr(c_acctbal, o_totalprice) FROM customer JOIN orders ON o_custkey = c_custkey GROUP BY 1;
-- none none none
SELECT o_orderkey, o_totalprice, sum(o_totalprice) OVER (PARTITION BY o_custkey ORDER BY o_orderdate ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) FROM orders;
-- none none
SELECT c_custkey, string_agg(o_orderstatus, '' ORDER BY o_orderdate) FROM customer JOIN orders ON o_custkey = c_custkey GROUP BY 1;
-- none none
SELECT c_mktsegment, jsonb_agg(c_custkey) FROM customer GROUP BY 1;
-- none none
SELECT c_custkey, jsonb_build_object('segment', c_mktsegment, 'orders', (SELECT count(*) FROM orders WHERE o_custkey = c_custkey)) FROM customer;
-- redacted
SELECT json_build_object('name', c_name, 'segment', c_mktsegment) FROM customer;
-- none none
SELECT c.c_custkey, o.o_orderkey FROM customer c FULL JOIN orders o ON o.o_custkey = c.c_custkey;
-- none
SELECT n_name FROM nation WHERE n_nationkey IN (SELECT c_nationkey FROM customer UNION SELECT s_nationkey FROM supplier);
-- none none redacted
SELECT 'customer' AS kind, c_custkey AS key, c_phone AS phone FROM customer UNION ALL SELECT 'supplier', s_suppkey, s_phone FROM supplier;
-- none none
SELECT kind, count(*) FROM (SELECT 'customer' AS kind, c_phone AS phone FROM customer UNION ALL SELECT 'supplier', s_phone FROM supplier) p GROUP BY kind;
-- none none none
SELECT l_orderkey, l_linenumber, l_extendedprice * (1 - l_discount) AS net FROM lineitem ORDER BY net DESC LIMIT 10;
-- none none none
SELECT c_nationkey, o_orderdate, lead(o_orderdate) OVER w - o_orderdate AS gap FROM customer JOIN orders ON o_custkey = c_custkey WINDOW w AS (PARTITION BY c_custkey ORDER BY o_orderdate);
-- none none
SELECT c_custkey, o_orderkey FROM customer, orders WHERE c_custkey = o_custkey AND o_totalprice > ALL (SELECT avg(o_totalprice) FROM orders);
-- none none
SELECT coalesce(n_name, 'unknown'), count(*) FROM customer LEFT JOIN nation ON n_nationkey = c_nationkey GROUP BY 1;
-- none redacted
SELECT c_custkey, coalesce(c_phone, 'none') FROM customer;
-- none redacted
SELECT c_custkey, c_address || ', ' || n_name AS address FROM customer JOIN nation ON n_nationkey = c_nationkey;
-- none none none
SELECT date_part('year', o_orderdate) AS y, count(*) FILTER (WHERE o_orderstatus = 'F') AS done, count(*) AS total FROM orders GROUP BY 1;
-- none none
SELECT c_mktsegment, count(*) FILTER (WHERE c_acctbal < 0) AS in_debt FROM customer GROUP BY 1;
-- none none none none none none none none none none none none none none none none none none none none none none none none none
SELECT * FROM orders JOIN lineitem ON l_orderkey = o_orderkey WHERE o_orderkey = 1;
-- none none none none none none none
SELECT * FROM nation NATURAL JOIN region;
-- none none none none none
SELECT n.*, r.r_name FROM nation n JOIN region r ON r.r_regionkey = n.n_regionkey;
