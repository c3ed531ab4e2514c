// What each kind of statement needs and touches: tables of statements, by the numbers of the threats where they have one.

import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { classify, ready } from '../../../src/sql/pg/classify.ts';
import { KINDS } from '../../../src/sql/pg/kinds.ts';
import { all, functions, needs, one, relations } from './brief.ts';

before(ready);

function table(
  name: string,
  rows: readonly (readonly [sql: string, kinds: string, needs: string, relations: string])[],
): void {
  test(name, () => {
    for (const [sql, kinds, need, found] of rows) {
      const facts = one(sql);
      for (const kind of facts.kinds) assert.ok(KINDS.has(kind), kind);
      assert.equal(facts.kinds.join(' '), kinds, sql);
      assert.equal(needs(facts), need, sql);
      assert.equal(relations(facts), found, sql);
    }
  });
}

table('queries', [
  ['SELECT 1', 'select', '', ''],
  ['SELECT * FROM t', 'select', 'read', 't:read'],
  ['TABLE s.t', 'select', 'read', 's.t:read'],
  ['VALUES (1), ((SELECT a FROM t))', 'select', 'read', 't:read'],
  ['SELECT * FROM db.s.t', 'select', 'read', 's.t:read'],
  ['SELECT a FROM t WHERE b IN (SELECT c FROM u) ORDER BY (SELECT d FROM v)', 'select', 'read', 't:read u:read v:read'],
  ['SELECT a FROM t UNION SELECT b FROM u EXCEPT SELECT c FROM v', 'select', 'read', 't:read u:read v:read'],
  ['SELECT 1 FROM t LIMIT (SELECT max(a) FROM u)', 'select', 'read', 't:read u:read'],
  [
    'SELECT 1 FROM a NATURAL JOIN b LEFT JOIN (c CROSS JOIN d) ON true',
    'select',
    'read',
    'a:read b:read c:read d:read',
  ],
  ['SELECT 1 FROM t TABLESAMPLE system (1)', 'select', 'read', 't:read'],
  ['SELECT 1 FROM t, LATERAL (SELECT * FROM u WHERE u.a = t.a) x', 'select', 'read', 't:read u:read'],
  ['SELECT 1 FROM ROWS FROM (generate_series(1, (SELECT a FROM t))) x', 'select', 'read', 't:read'],
  ['SELECT array(SELECT a FROM t), (SELECT b FROM u)[1]', 'select', 'read', 't:read u:read'],
  ["SELECT xmlforest((SELECT a FROM t) AS x), json_object('a': (SELECT b FROM u))", 'select', 'read', 't:read u:read'],
  ["SELECT * FROM json_table((SELECT a FROM t), '$' COLUMNS (b int PATH '$.b'))", 'select', 'read', 't:read'],
  [
    "SELECT * FROM xmltable('/a' PASSING (SELECT a FROM t) COLUMNS b int PATH 'b' DEFAULT (SELECT c FROM u))",
    'select',
    'read',
    't:read u:read',
  ],
  [
    'SELECT count(*) FILTER (WHERE a IN (SELECT b FROM u)) OVER (PARTITION BY (SELECT c FROM v)) FROM t',
    'select',
    'read',
    't:read u:read v:read',
  ],
  ['SELECT a FROM t GROUP BY GROUPING SETS ((a), ((SELECT b FROM u)))', 'select', 'read', 't:read u:read'],
  ['SELECT CASE WHEN EXISTS (SELECT FROM t) THEN 1 END', 'select', 'read', 't:read'],
]);

table('locks in queries are writes', [
  ['SELECT * FROM t FOR UPDATE', 'select', 'read write', 't:read t:write'],
  ['SELECT * FROM t, u FOR SHARE OF u', 'select', 'read write', 't:read u:read u:write'],
  ['SELECT * FROM t AS x, t AS y FOR NO KEY UPDATE OF x', 'select', 'read write', 't:read t:write'],
  [
    'SELECT * FROM (SELECT * FROM t JOIN u ON true) s FOR KEY SHARE',
    'select',
    'read write',
    't:read t:write u:read u:write',
  ],
  ['SELECT * FROM (SELECT * FROM t) s, u FOR UPDATE OF s', 'select', 'read write', 't:read t:write u:read'],
  ['SELECT * FROM (SELECT * FROM t FOR UPDATE) s', 'select', 'read write', 't:read t:write'],
  ['SELECT * FROM t WHERE a IN (SELECT a FROM u) FOR UPDATE', 'select', 'read write', 't:read t:write u:read'],
  ['LOCK TABLE t, ONLY s.u IN SHARE MODE', 'lock', 'write', 's.u:write t:write'],
]);

table('changes of rows', [
  ['INSERT INTO t VALUES (1)', 'insert', 'write', 't:write'],
  ['INSERT INTO t DEFAULT VALUES', 'insert', 'write', 't:write'],
  ['INSERT INTO s.t SELECT * FROM u RETURNING a', 'insert', 'read write', 's.t:read s.t:write u:read'],
  [
    'INSERT INTO t VALUES ((SELECT a FROM u)) ON CONFLICT (a) DO UPDATE SET b = (SELECT c FROM v)',
    'insert',
    'read write',
    't:write u:read v:read',
  ],
  ['UPDATE t SET a = 1 WHERE b = 2', 'update', 'write', 't:write'],
  ['UPDATE t SET a = 1', 'update update-without-where', 'write', 't:write'],
  [
    'UPDATE t SET (a, b) = (SELECT c, d FROM u) FROM v WHERE v.a = t.a RETURNING t.a',
    'update',
    'read write',
    't:read t:write u:read v:read',
  ],
  ['DELETE FROM t WHERE a = 1', 'delete', 'write', 't:write'],
  ['DELETE FROM t', 'delete delete-without-where', 'write', 't:write'],
  ['DELETE FROM t WHERE true', 'delete delete-without-where', 'write', 't:write'],
  ['DELETE FROM t WHERE 1 = 1 OR $1', 'delete delete-without-where', 'write', 't:write'],
  ['DELETE FROM t WHERE CURRENT OF c', 'delete', 'write', 't:write'],
  ['DELETE FROM ONLY t USING u WHERE t.a = u.a RETURNING *', 'delete', 'read write', 't:read t:write u:read'],
  [
    'MERGE INTO t USING u ON t.a = u.a WHEN MATCHED THEN DELETE WHEN NOT MATCHED THEN INSERT VALUES (u.a)',
    'merge delete insert',
    'read write',
    't:write u:read',
  ],
  [
    'MERGE INTO t USING (SELECT * FROM u) x ON t.a = x.a WHEN MATCHED AND x.b IN (SELECT b FROM v) THEN UPDATE SET c = (SELECT 1 FROM w) RETURNING t.*',
    'merge update',
    'read write',
    't:read t:write u:read v:read w:read',
  ],
]);

table('MERGE counts as what it does', [
  [
    'MERGE INTO t USING u ON true WHEN MATCHED THEN DELETE',
    'merge delete delete-without-where',
    'read write',
    't:write u:read',
  ],
  [
    'MERGE INTO t USING u ON true WHEN MATCHED AND t.a = 1 THEN UPDATE SET b = 1 WHEN NOT MATCHED THEN DO NOTHING',
    'merge update',
    'read write',
    't:write u:read',
  ],
]);

table('CTEs hide names, and only where the server lets them', [
  ['WITH x AS (SELECT * FROM t) SELECT * FROM x', 'select', 'read', 't:read'],
  ['WITH t AS (SELECT * FROM t) SELECT * FROM t', 'select', 'read', 't:read'],
  ['WITH RECURSIVE t AS (SELECT 1 UNION SELECT * FROM t) SELECT * FROM t', 'select', '', ''],
  ['WITH x AS (SELECT 1) SELECT * FROM s.x', 'select', 'read', 's.x:read'],
  ['WITH x AS (SELECT 1), y AS (SELECT * FROM x) SELECT * FROM y', 'select', '', ''],
  ['WITH y AS (SELECT * FROM x), x AS (SELECT 1) SELECT * FROM y', 'select', 'read', 'x:read'],
  ['WITH RECURSIVE y AS (SELECT * FROM x), x AS (SELECT 1) SELECT * FROM y', 'select', '', ''],
  ['SELECT * FROM (WITH x AS (SELECT 1) SELECT * FROM x) q, x', 'select', 'read', 'x:read'],
  ['WITH x AS (SELECT 1) SELECT (SELECT a FROM x), (SELECT a FROM y)', 'select', 'read', 'y:read'],
  ['WITH x AS (SELECT 1) (SELECT * FROM x) UNION (WITH y AS (SELECT 2) SELECT * FROM y, x)', 'select', '', ''],
  ['(WITH x AS (SELECT 1) SELECT * FROM x) UNION SELECT * FROM x', 'select', 'read', 'x:read'],
  ['WITH pg_authid AS (SELECT 1) SELECT * FROM pg_authid', 'select', '', ''],
  ['WITH x AS (SELECT 1) INSERT INTO x SELECT * FROM x', 'insert', 'write', 'x:write'],
  ['WITH x AS (SELECT 1) UPDATE x SET a = 1 WHERE b IN (SELECT 1 FROM x)', 'update', 'write', 'x:write'],
  ['WITH x AS (SELECT 1) DELETE FROM x USING x y WHERE a = 1', 'delete', 'write', 'x:write'],
  [
    'WITH a AS (SELECT 1) INSERT INTO t WITH b AS (SELECT * FROM a) SELECT * FROM a, b, c',
    'insert',
    'read write',
    'c:read t:write',
  ],
  ['SELECT * FROM x FOR UPDATE', 'select', 'read write', 'x:read x:write'],
  ['WITH "X" AS (SELECT 1) SELECT * FROM x', 'select', 'read', 'x:read'],
]);

table('A6: changes inside something else', [
  [
    'WITH d AS (DELETE FROM t RETURNING *) SELECT * FROM d',
    'select delete delete-without-where',
    'read write',
    't:read t:write',
  ],
  ['WITH d AS (WITH e AS (SELECT 1) INSERT INTO t SELECT * FROM e) SELECT 1', 'select insert', 'write', 't:write'],
  ['COPY (DELETE FROM t RETURNING *) TO STDOUT', 'copy-to delete delete-without-where', 'read write', 't:read t:write'],
  [
    'COPY (WITH d AS (UPDATE t SET a = 1 RETURNING *) SELECT * FROM d) TO STDOUT',
    'copy-to update update-without-where',
    'read write',
    't:read t:write',
  ],
  ['EXPLAIN ANALYZE DELETE FROM t', 'explain delete delete-without-where', 'write', 't:write'],
  ['EXPLAIN (ANALYZE) DELETE FROM t', 'explain delete delete-without-where', 'write', 't:write'],
  ["EXPLAIN (ANALYZE 'on', BUFFERS) DELETE FROM t", 'explain delete delete-without-where', 'write', 't:write'],
  ['EXPLAIN (VERBOSE, ANALYSE 1) DELETE FROM t', 'explain delete delete-without-where', 'write', 't:write'],
  ['EXPLAIN DELETE FROM t', 'explain delete delete-without-where', 'write', 't:write'],
  [
    'EXPLAIN ANALYZE CREATE TABLE x AS SELECT * FROM t',
    'explain create-table-as create-table',
    'read ddl',
    't:read x:ddl',
  ],
  ['EXPLAIN ANALYZE SELECT * INTO x FROM t', 'explain select-into', 'read ddl', 't:read x:ddl'],
  ['EXPLAIN ANALYZE REFRESH MATERIALIZED VIEW m', 'explain refresh-materialized-view', 'ddl', 'm:ddl'],
  ['EXPLAIN ANALYZE EXECUTE p', 'explain execute', '', ''],
  ['PREPARE p AS DELETE FROM t', 'prepare delete delete-without-where', 'write', 't:write'],
  ['DECLARE c CURSOR WITH HOLD FOR SELECT * FROM t FOR UPDATE', 'declare select', 'read write', 't:read t:write'],
]);

table('A7: new relations and unseen bodies', [
  ['SELECT * INTO x FROM t', 'select-into', 'read ddl', 't:read x:ddl'],
  ['SELECT a INTO TEMP x FROM t UNION SELECT b FROM u', 'select-into', 'read ddl', 'pg_temp.x:ddl t:read u:read'],
  ['CREATE TABLE x AS SELECT * FROM t', 'create-table-as create-table', 'read ddl', 't:read x:ddl'],
  ['CREATE TEMP TABLE x AS TABLE t', 'create-table-as create-table', 'read ddl', 'pg_temp.x:ddl t:read'],
  [
    'CREATE TABLE x AS WITH d AS (DELETE FROM t RETURNING *) SELECT * FROM d',
    'create-table-as create-table delete delete-without-where',
    'read write ddl',
    't:read t:write x:ddl',
  ],
  ['CREATE TABLE x AS EXECUTE p', 'create-table-as create-table execute', 'ddl', 'x:ddl'],
  ['CREATE MATERIALIZED VIEW m AS SELECT * FROM t', 'create-materialized-view', 'read ddl', 'm:ddl t:read'],
  [
    'CREATE OR REPLACE RECURSIVE VIEW v (a) AS SELECT a FROM t UNION SELECT a FROM v',
    'create-view',
    'read ddl',
    't:read v:ddl',
  ],
]);

test('A7: what cannot be seen into says so, and needs admin', () => {
  for (const sql of [
    "DO 'BEGIN DELETE FROM t; END'",
    'CALL p(1)',
    "CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'DELETE FROM t'",
    'CREATE FUNCTION f() RETURNS int BEGIN ATOMIC DELETE FROM t; END',
    "CREATE PROCEDURE p() LANGUAGE sql AS 'DELETE FROM t'",
    'CREATE TRIGGER g BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION f()',
    'CREATE EVENT TRIGGER e ON ddl_command_start EXECUTE FUNCTION f()',
    'CREATE RULE r AS ON SELECT TO t DO INSTEAD SELECT * FROM u',
    'CREATE AGGREGATE a (int) (sfunc = f, stype = int)',
    'CREATE OPERATOR + (function = f, leftarg = int)',
    'CREATE CAST (int AS t) WITH FUNCTION f(int)',
    'CREATE TYPE y (input = f, output = g)',
    'CREATE EXTENSION dblink',
    "LOAD 'x'",
    'CREATE POLICY p ON t USING (f(a))',
  ]) {
    const facts = one(sql);
    assert.notEqual(facts.opaque, null, sql);
    for (const kind of facts.kinds) assert.ok(KINDS.has(kind), kind);
    assert.ok(facts.needs.includes('admin'), sql);
  }
});

test('administration', () => {
  for (const sql of [
    // A8
    "COPY t TO PROGRAM 'curl x'",
    "COPY t FROM PROGRAM 'curl x'",
    "COPY t TO '/tmp/x'",
    "COPY t FROM '/etc/passwd'",
    "COPY (SELECT 1) TO '/tmp/x'",
    // A9, A10
    'SET ROLE x',
    'RESET ROLE',
    'SET SESSION AUTHORIZATION x',
    'SET LOCAL SESSION AUTHORIZATION DEFAULT',
    "SET session_replication_role = 'replica'",
    'SET row_security = off',
    "SET app.tenant = '1'",
    'ALTER ROLE x SET search_path = y',
    'ALTER DATABASE d SET x.y = 1',
    'ALTER SYSTEM SET a = 1',
    'ALTER SYSTEM RESET ALL',
    'GRANT SELECT ON t TO x',
    'REVOKE ALL ON ALL TABLES IN SCHEMA s FROM x',
    'GRANT a TO b',
    'CREATE ROLE x',
    'CREATE USER x',
    'DROP ROLE x',
    'DROP OWNED BY x',
    'REASSIGN OWNED BY x TO y',
    'ALTER TABLE t OWNER TO x',
    'ALTER TYPE t OWNER TO x',
    'ALTER TABLE t ENABLE ROW LEVEL SECURITY',
    'ALTER TABLE t DISABLE TRIGGER ALL',
    'ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO x',
    "SECURITY LABEL ON TABLE t IS 'x'",
    'ALTER POLICY p ON t USING (true)',
    'DROP POLICY p ON t',
    'DROP TRIGGER g ON t',
    'DROP FUNCTION f',
    'ALTER FUNCTION f() SECURITY DEFINER',
    'ALTER SCHEMA s RENAME TO r',
    'CREATE SCHEMA s AUTHORIZATION x',
    'CREATE DATABASE d',
    'DROP DATABASE d',
    "CREATE TABLESPACE x LOCATION '/x'",
    'CHECKPOINT',
    'REINDEX DATABASE d',
    // A12
    "CREATE SUBSCRIPTION s CONNECTION 'host=x' PUBLICATION p",
    "ALTER SUBSCRIPTION s CONNECTION 'host=x'",
    'DROP SUBSCRIPTION s',
    "CREATE SERVER s FOREIGN DATA WRAPPER f OPTIONS (host 'x')",
    "CREATE USER MAPPING FOR x SERVER s OPTIONS (password 'x')",
    'CREATE FOREIGN TABLE f (a int) SERVER s',
    'IMPORT FOREIGN SCHEMA x FROM SERVER s INTO y',
    'CREATE PUBLICATION p FOR ALL TABLES',
    "PREPARE TRANSACTION 'x'",
    "COMMIT PREPARED 'x'",
    "ROLLBACK PREPARED 'x'",
    "SET TRANSACTION SNAPSHOT 'x'",
  ]) {
    const facts = one(sql);
    assert.match(needs(facts), /admin/, sql);
    for (const kind of facts.kinds) assert.ok(KINDS.has(kind), kind);
  }
});

table('definitions', [
  [
    'CREATE TABLE s.t (a int REFERENCES u, b text, LIKE v, FOREIGN KEY (b) REFERENCES w (x)) INHERITS (p)',
    'create-table',
    'read ddl',
    'p:ddl s.t:ddl u:ddl v:read w:ddl',
  ],
  ['CREATE TEMP TABLE t (a int)', 'create-table', 'ddl', 'pg_temp.t:ddl'],
  ['CREATE TABLE t PARTITION OF p FOR VALUES FROM (MINVALUE) TO (1)', 'create-table', 'ddl', 'p:ddl t:ddl'],
  [
    'CREATE TABLE t (a int, b int GENERATED ALWAYS AS (a + 1) STORED, EXCLUDE USING gist (a WITH =)) PARTITION BY RANGE (a, (b + 1))',
    'create-table',
    'ddl',
    't:ddl',
  ],
  ['CREATE VIEW s.v AS SELECT * FROM t', 'create-view', 'read ddl', 's.v:ddl t:read'],
  ['CREATE UNIQUE INDEX CONCURRENTLY i ON s.t (a, lower(b)) WHERE c > 1', 'create-index', 'ddl', 's.t:ddl'],
  ['CREATE SEQUENCE q OWNED BY s.t.a', 'create-sequence', 'ddl', 'q:ddl s.t:ddl'],
  ['ALTER SEQUENCE q OWNED BY NONE', 'alter-sequence', 'ddl', 'q:ddl'],
  [
    'CREATE SCHEMA s CREATE TABLE t (a int) CREATE VIEW v AS SELECT * FROM t',
    'create-schema create-table create-view',
    'read ddl',
    's.*:ddl s.t:ddl s.v:ddl t:read',
  ],
  [
    'CREATE SCHEMA s CREATE TABLE t () INHERITS (p) CREATE TABLE u (a int REFERENCES q)',
    'create-schema create-table',
    'ddl',
    'p:ddl q:ddl s.*:ddl s.t:ddl s.u:ddl',
  ],
  ["CREATE TYPE s.e AS ENUM ('a')", 'create-type', 'ddl', 's.e:ddl'],
  ["ALTER TYPE e ADD VALUE 'b'", 'alter-type', 'ddl', '*.e:ddl'],
  ['CREATE TYPE c AS (a int)', 'create-type', 'ddl', 'c:ddl'],
  ['CREATE DOMAIN d AS int CHECK (value > 0)', 'create-domain', 'ddl', 'd:ddl'],
  ['CREATE STATISTICS s.x ON a, b FROM t', 'create-statistics', 'ddl', 's.x:ddl t:ddl'],
  ['DROP TABLE t, s.u', 'drop-table', 'ddl', 's.u:ddl t:ddl'],
  ['DROP TABLE t CASCADE', 'drop-table', 'ddl', '*.*:ddl t:ddl'],
  ['DROP VIEW IF EXISTS v', 'drop-view', 'ddl', 'v:ddl'],
  ['DROP MATERIALIZED VIEW m', 'drop-materialized-view', 'ddl', 'm:ddl'],
  ['DROP INDEX CONCURRENTLY s.i', 'drop-index', 'ddl', 's.i:ddl'],
  ['DROP SCHEMA s', 'drop-schema', 'ddl', 's.*:ddl'],
  ['DROP TYPE e', 'drop-type', 'ddl', '*.e:ddl'],
  ['DROP DOMAIN s.d', 'drop-domain', 'ddl', 's.d:ddl'],
  ['ALTER TABLE t RENAME CONSTRAINT a TO b', 'rename-constraint', 'ddl', 't:ddl'],
  ['DROP OPERATOR FAMILY f USING btree', 'drop-operator-family', 'admin', ''],
  ['TRUNCATE t, ONLY s.u RESTART IDENTITY', 'truncate', 'ddl', 's.u:ddl t:ddl'],
  ['TRUNCATE t CASCADE', 'truncate', 'ddl', '*.*:ddl t:ddl'],
  ['ALTER TABLE t ADD COLUMN a int DEFAULT 1, DROP COLUMN b', 'alter-table drop-column', 'ddl', 't:ddl'],
  ['ALTER TABLE t DROP CONSTRAINT c CASCADE', 'alter-table drop-constraint', 'ddl', '*.*:ddl t:ddl'],
  ['ALTER TABLE t ADD FOREIGN KEY (a) REFERENCES s.u', 'alter-table', 'ddl', 's.u:ddl t:ddl'],
  ['ALTER TABLE t ATTACH PARTITION p DEFAULT', 'alter-table', 'ddl', 'p:ddl t:ddl'],
  ['ALTER TABLE t INHERIT p', 'alter-table', 'ddl', 'p:ddl t:ddl'],
  ['ALTER TABLE t RENAME TO u', 'rename-table', 'ddl', 't:ddl'],
  ['ALTER TABLE t RENAME a TO b', 'rename-column', 'ddl', 't:ddl'],
  ['ALTER TABLE t SET SCHEMA s', 'alter-table set-schema', 'ddl', 's.t:ddl t:ddl'],
  ["COMMENT ON COLUMN s.t.a IS 'x'", 'comment', 'ddl', 's.t:ddl'],
  ["COMMENT ON TABLE t IS 'x'", 'comment', 'ddl', 't:ddl'],
  ['REFRESH MATERIALIZED VIEW s.m', 'refresh-materialized-view', 'ddl', 's.m:ddl'],
  ['VACUUM (FULL) t', 'vacuum', 'ddl', 't:ddl'],
  ['ANALYZE', 'analyze', 'ddl', '*.*:ddl'],
  ['REINDEX TABLE t', 'reindex', 'ddl', 't:ddl'],
  ['REINDEX SCHEMA s', 'reindex', 'ddl', 's.*:ddl'],
  ['CLUSTER t USING i', 'cluster', 'ddl', 't:ddl'],
  ['CREATE COLLATION s.c FROM "C"', 'create-collation', 'ddl', 's.c:ddl'],
]);

table('the rest', [
  ['BEGIN', 'begin', '', ''],
  ['START TRANSACTION READ ONLY', 'begin', '', ''],
  ['BEGIN ISOLATION LEVEL SERIALIZABLE, DEFERRABLE', 'begin', '', ''],
  ['COMMIT AND CHAIN', 'commit', '', ''],
  ['ABORT', 'rollback', '', ''],
  ['SAVEPOINT a', 'savepoint', '', ''],
  ['RELEASE a', 'release', '', ''],
  ['ROLLBACK TO a', 'rollback-to', '', ''],
  ['COPY s.t (a, b) TO STDOUT (FORMAT csv, HEADER)', 'copy-to', 'read', 's.t:read'],
  ['COPY t FROM STDIN WHERE a > (SELECT 1)', 'copy-from', 'write', 't:write'],
  ["COPY t FROM STDIN (ENCODING 'utf-8')", 'copy-from', 'write', 't:write'],
  ["COPY t TO STDOUT (ENCODING 'SJIS')", 'copy-to', 'read never', 't:read'],
  ['LISTEN x', 'listen', 'read', ''],
  ['UNLISTEN *', 'unlisten', 'read', ''],
  ["NOTIFY x, 'y'", 'notify', 'write', ''],
  ['DISCARD PLANS', 'discard', '', ''],
  ['DISCARD ALL', 'discard', '', ''],
  ['RESET ALL', 'reset', '', ''],
  ['SHOW search_path', 'show', '', ''],
  ['SHOW ALL', 'show', 'admin', ''],
  ['SHOW app.secret', 'show', 'admin', ''],
  ['SHOW primary_conninfo', 'show', 'admin', ''],
  ['SET CONSTRAINTS ALL DEFERRED', 'set-constraints', '', ''],
  ['FETCH ALL FROM c', 'fetch', '', ''],
  ['MOVE 5 IN c', 'move', '', ''],
  ['CLOSE ALL', 'close', '', ''],
  ['EXECUTE p((SELECT a FROM t))', 'execute', 'read', 't:read'],
  ['DEALLOCATE ALL', 'deallocate', '', ''],
]);

test('prepared statements and cursors go by their names', () => {
  for (const [sql, action, name] of [
    ['PREPARE "P" AS SELECT 1', 'prepare', 'P'],
    ['EXECUTE p', 'execute', 'p'],
    ['EXPLAIN ANALYZE EXECUTE p', 'execute', 'p'],
    ['CREATE TABLE t AS EXECUTE p', 'execute', 'p'],
    ['DEALLOCATE p', 'deallocate', 'p'],
    ['DEALLOCATE ALL', 'deallocate', null],
    ['DECLARE c CURSOR FOR SELECT 1', 'declare', 'c'],
    ['FETCH c', 'fetch', 'c'],
    ['MOVE c', 'fetch', 'c'],
    ['CLOSE c', 'close', 'c'],
    ['CLOSE ALL', 'close', null],
  ] as const) {
    assert.deepEqual(one(sql).handles, [{ action, name }], sql);
  }
});

test('A1: every statement of a text, with where it stands', () => {
  const sql = " SELECT 'é𝒳;' ; /* ; */ COMMIT;DROP TABLE t;; -- end";
  const found = all(sql);
  assert.deepEqual(
    found.map((facts) => sql.slice(facts.start, facts.end)),
    ["SELECT 'é𝒳;' ", 'COMMIT', 'DROP TABLE t'],
  );
  assert.deepEqual(
    found.map((facts) => facts.kinds[0]),
    ['select', 'commit', 'drop-table'],
  );
  assert.deepEqual(all(''), []);
  assert.deepEqual(all(' -- nothing\n;;'), []);
});

test('A3: one function, however it is written', () => {
  for (const call of [
    'pg_read_file(1)',
    'PG_READ_FILE (1)',
    '"pg_read_file"(1)',
    'pg_read_file/* /* nested */ */(1)',
    'pg_read_file -- \n (1)',
    'U&"pg\\005fread_file"(1)',
    'U&"pg!005fread_file" UESCAPE \'!\' (1)',
    'pg_catalog . pg_read_file(1)',
    'PG_CATALOG."pg_read_file"(VARIADIC ARRAY[1])',
    'pg_read_file(filename => $$x$$)',
    'pg_read_file($tag$x$tag$)',
  ]) {
    const facts = one(`SELECT ${call}`);
    assert.match(functions(facts), /^(pg_catalog\.)?pg_read_file:admin$/, call);
  }
  assert.equal(relations(one('SELECT * FROM U&"\\0074"')), 't:read');
});

test('A4: functions wherever they stand', () => {
  for (const sql of [
    'SELECT f()',
    'SELECT 1 FROM f()',
    'SELECT 1 FROM ROWS FROM (g1(), f())',
    'SELECT 1 FROM t ORDER BY f()',
    'SELECT 1 FROM t GROUP BY f()',
    'SELECT 1 FROM t HAVING f()',
    'SELECT 1 LIMIT f()',
    'SELECT 1 OFFSET f()',
    'SELECT DISTINCT ON (f()) 1',
    'SELECT CASE WHEN a THEN f() END FROM t',
    'SELECT CASE f() WHEN 1 THEN 2 END',
    'SELECT coalesce(1, f()), greatest(1), nullif(1, 2)',
    'SELECT ARRAY[f()]',
    'SELECT a[f()] FROM t',
    'SELECT (ROW(1, f())).a',
    'SELECT 1 = ANY (f())',
    'SELECT 1 IN (1, f())',
    'SELECT f() IS NULL',
    'SELECT f() COLLATE "C"',
    'SELECT f()::text',
    'SELECT count(*) FILTER (WHERE f())',
    'SELECT count(1 ORDER BY f())',
    'SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY f())',
    'SELECT count(*) OVER (ROWS f() PRECEDING)',
    'SELECT count(*) OVER w FROM t WINDOW w AS (PARTITION BY f())',
    'SELECT 1 FROM t JOIN u ON f()',
    'SELECT 1 FROM t TABLESAMPLE system (f())',
    'SELECT 1 FROM t TABLESAMPLE system (1) REPEATABLE (f())',
    'SELECT xmlelement(name a, xmlattributes(f() AS b))',
    "SELECT json_value('{}', '$' PASSING f() AS x)",
    "SELECT json_value('{}', '$' DEFAULT f() ON EMPTY)",
    'SELECT json_arrayagg(f() ORDER BY 1)',
    "SELECT json_object('a': f())",
    "SELECT * FROM json_table(f(), '$' COLUMNS (a int DEFAULT 1 ON ERROR))",
    "SELECT * FROM xmltable(XMLNAMESPACES (f() AS x), '/a' PASSING 1 COLUMNS a int)",
    'VALUES (f())',
    'INSERT INTO t VALUES (f())',
    'INSERT INTO t VALUES (1) ON CONFLICT (lower(f())) DO NOTHING',
    'INSERT INTO t VALUES (1) ON CONFLICT (a) DO UPDATE SET a = 1 WHERE f()',
    'INSERT INTO t VALUES (1) RETURNING f()',
    'UPDATE t SET a = f()',
    'UPDATE t SET a[f()] = 1',
    'UPDATE t SET (a, b) = (1, f())',
    'UPDATE t SET (a, b) = (SELECT 1, f())',
    'DELETE FROM t WHERE f()',
    'MERGE INTO t USING u ON f() WHEN MATCHED THEN DELETE',
    'MERGE INTO t USING u ON true WHEN MATCHED AND f() THEN DELETE',
    'MERGE INTO t USING u ON true WHEN NOT MATCHED THEN INSERT VALUES (f())',
    'COPY t FROM STDIN WHERE f()',
    'EXECUTE p(f())',
    'CREATE TABLE t (a int DEFAULT f())',
    'CREATE TABLE t (a int CHECK (f()))',
    'CREATE TABLE t (a int GENERATED ALWAYS AS (f()) STORED)',
    'CREATE TABLE t PARTITION OF p FOR VALUES IN (f())',
    'CREATE TABLE t (a int) PARTITION BY LIST (f())',
    'CREATE INDEX ON t (f())',
    'CREATE INDEX ON t (a) WHERE f()',
    'CREATE STATISTICS x ON a, (f()) FROM t',
    'CREATE DOMAIN d AS int CHECK (f())',
    'CREATE DOMAIN d AS int DEFAULT f()',
    'ALTER DOMAIN d ADD CHECK (f())',
    'ALTER DOMAIN d SET DEFAULT f()',
    'ALTER TABLE t ADD a int DEFAULT f()',
    'ALTER TABLE t ALTER a SET DEFAULT f()',
    'ALTER TABLE t ALTER a TYPE int USING f()',
    'ALTER TABLE t ADD CHECK (f())',
    'CREATE VIEW v AS SELECT f()',
    'CREATE TABLE x AS SELECT f()',
    'PREPARE p AS SELECT f()',
    'DECLARE c CURSOR FOR SELECT f()',
    'EXPLAIN SELECT f()',
  ]) {
    assert.match(functions(one(sql)), /\bf:admin/, sql);
  }
});

test('A4: operators by name, and casts that may run code', () => {
  const uses = (sql: string) => one(sql).functions.map((use) => `${use.schema ?? ''}.${use.name}:${use.need}`);
  assert.deepEqual(uses('SELECT 1 OPERATOR(s.+) 2'), ['s.operator +:admin']);
  assert.deepEqual(uses('SELECT 1 OPERATOR(pg_catalog.+) 2'), ['pg_catalog.operator +:read']);
  assert.deepEqual(uses('SELECT 1 +@+ 2'), ['.operator +@+:admin']);
  assert.deepEqual(uses('SELECT a FROM t ORDER BY a USING <@>'), ['.operator <@>:read']);
  assert.deepEqual(uses('SELECT a FROM t ORDER BY a USING OPERATOR(s.<)'), ['s.operator <:admin']);
  assert.deepEqual(uses('SELECT 1 OPERATOR(s.=) ANY (SELECT 1)'), ['s.operator =:admin']);
  assert.deepEqual(uses('SELECT 1 IN (SELECT 1)'), ['.operator =:read']);
  assert.deepEqual(uses("SELECT 'a' LIKE 'b', 1 BETWEEN 1 AND 2"), [
    '.operator ~~:read',
    '.operator >=:read',
    '.operator <=:read',
  ]);
  assert.deepEqual(uses('SELECT CASE 1 WHEN 2 THEN 3 END'), ['.operator =:read']);
  assert.deepEqual(uses('SELECT 1 FROM a JOIN b USING (c)'), ['.operator =:read']);
  assert.deepEqual(uses('CREATE TABLE t (a int, EXCLUDE (a WITH OPERATOR(s.&&)))'), ['s.operator &&:admin']);
  assert.deepEqual(uses("SELECT 'x'::mood, 1::s.mood, 1::int4, 2::pg_catalog.text"), ['.cast mood:read']);
  assert.deepEqual(uses("SELECT mood 'x', CAST(1 AS other(3))"), ['.cast mood:read', '.cast other:read']);
});

test('A4: a name behind a dot may be a call, on a value of any type', () => {
  const called = (sql: string) => {
    const facts = one(sql);
    return [functions(facts), (facts.fields ?? []).join(' ')];
  };
  assert.deepEqual(called("SELECT ('PG_VERSION').pg_read_file"), ['pg_read_file:admin', '']);
  assert.deepEqual(called("SELECT ('SELECT 1').ts_stat, (x).crosstab2 FROM t"), ['crosstab2:admin ts_stat:admin', '']);
  assert.deepEqual(called('SELECT g.pg_terminate_backend FROM generate_series(1, 9) g'), [
    'generate_series pg_terminate_backend:admin',
    '',
  ]);
  assert.deepEqual(called("SELECT generate_series.dblink FROM generate_series('1', '2')"), [
    'dblink:admin generate_series',
    '',
  ]);
  assert.deepEqual(called("SELECT ('s'::regclass).nextval"), ['nextval:write', '']);
  assert.deepEqual(called('SELECT (a).b.c, (SELECT 1).lower FROM t'), ['lower', 'b c']);
  assert.deepEqual(called('SELECT t.b, s.x, c.y, u.lower FROM t, (SELECT 1) s, c, s.u'), [
    '',
    'row b row x row y row lower',
  ]);
  assert.deepEqual(called('WITH c AS (SELECT 1) SELECT c.y, s.t.z FROM c'), ['', 'row y row z']);
  assert.deepEqual(called('SELECT g.x FROM f() g, t WHERE EXISTS (SELECT FROM g WHERE g.y)'), ['f:admin', 'x row y']);
  assert.deepEqual(called('UPDATE t SET a = old.b RETURNING new.c'), ['', 'b row c']);
  assert.equal(relations(one("SELECT ('s'::regclass).nextval")), '*.*:write');
});

test('A5, A8: functions that run text, read files, or pass a read-only transaction', () => {
  for (const [need, names] of [
    [
      'admin',
      `query_to_xml table_to_xml schema_to_xml database_to_xml cursor_to_xml query_to_xmlschema ts_stat ts_rewrite crosstab connectby
       dblink dblink_connect dblink_exec xpath_table pg_read_file pg_read_binary_file pg_ls_dir pg_ls_waldir pg_stat_file
       lo_import lo_export lo_get lo_put lo_unlink lo_from_bytea loread lowrite lo_open pg_terminate_backend pg_cancel_backend
       pg_reload_conf pg_rotate_logfile pg_stat_reset pg_stat_reset_shared pg_logical_emit_message pg_switch_wal
       pg_create_restore_point pg_promote pg_export_snapshot pg_stat_get_activity pg_stat_get_backend_activity
       pg_mcv_list_items pg_show_all_settings pg_create_physical_replication_slot pg_logical_slot_get_changes
       pg_backup_start pg_replication_origin_create pg_import_system_collations pg_clear_relation_stats
       pg_restore_relation_stats brin_summarize_new_values gin_clean_pending_list currtid2 binary_upgrade_set_next_pg_authid_oid
       pg_log_backend_memory_contexts pg_get_backend_memory_contexts plpgsql_call_handler pg_input_is_valid set_limit xslt_process
       pg_prewarm pg_file_write get_raw_page pg_execute_server_program nobody_knows_this`,
    ],
    [
      'write',
      `nextval setval pg_notify pg_advisory_lock pg_advisory_xact_lock pg_try_advisory_lock txid_current
       pg_current_xact_id`,
    ],
    [
      'read',
      'now random pg_sleep clock_timestamp lower count row_number pg_get_viewdef format_type similarity st_distance pg_advisory_unlock_all',
    ],
  ] as const) {
    for (const name of names.split(/\s+/)) assert.equal(one(`SELECT ${name}()`).functions[0]?.need, need, name);
  }
  assert.equal(one('SELECT s.lower(1)').functions[0]?.need, 'admin');
  assert.equal(one('SELECT information_schema._pg_expandarray(a) FROM t').functions[0]?.need, 'read');
  assert.equal(one('SELECT pg_catalog.similarity(1, 2)').functions[0]?.need, 'admin');
});

test('sequences that are moved by name are written to', () => {
  assert.equal(relations(one("SELECT nextval('s')")), 's:write');
  assert.equal(relations(one('SELECT nextval(\'a."B.c"\'::regclass)')), 'a.B.c:write');
  assert.equal(relations(one("SELECT setval('A.Seq', 5)")), 'a.seq:write');
  assert.equal(relations(one('SELECT nextval($1)')), '*.*:write');
  assert.equal(relations(one('SELECT nextval(a) FROM t')), '*.*:write t:read');
  assert.equal(relations(one('SELECT nextval(16384)')), '*.*:write');
  assert.equal(relations(one("SELECT nextval('a b')")), '*.*:write');
  assert.equal(relations(one("INSERT INTO t VALUES (nextval('s'))")), 's:write t:write');
  assert.equal(relations(one("CREATE TABLE t (a int DEFAULT nextval('s'))")), 's:write t:ddl');
});

test('A11: identifiers as the server cuts and folds them', () => {
  const long = 'x'.repeat(70);
  assert.equal(relations(one(`SELECT * FROM ${long}`)), `${'x'.repeat(63)}:read`);
  assert.equal(relations(one(`SELECT * FROM "${'é'.repeat(40)}"`)), `${'é'.repeat(31)}:read`);
  assert.equal(
    relations(one('SELECT * FROM Public.Users, "Public"."Users", "a.b"')),
    'Public.Users:read a.b:read public.users:read',
  );
  assert.equal(relations(one(`WITH ${long} AS (SELECT 1) SELECT * FROM ${'x'.repeat(63)}`)), '');
});

test('A13: what is not understood is refused, and the next text is read', () => {
  for (const sql of [
    'SELEC 1',
    "SELECT 'a",
    'SELECT 1 /* never closed',
    'SELECT $$a',
    'SELECT ?',
    'SELECT 1 \0',
    'SELECT \ud800',
    "\\copy t to 'x'",
    'SELECT * FROM t WHERE',
    `SELECT ${'('.repeat(5000)}1${')'.repeat(5000)}`,
    `SELECT ${'(SELECT '.repeat(3000)}1${')'.repeat(3000)}`,
    `SELECT ${'-'.repeat(1)} ${'- '.repeat(20_000)}1`,
    `SELECT 1${'::int'.repeat(20_000)}`,
    `SELECT ${'NOT '.repeat(20_000)}true`,
    `SELECT a ${'BETWEEN 1 AND NOT a '.repeat(5000)}`,
    `SELECT ${'CASE WHEN a THEN '.repeat(5000)}1${' END'.repeat(5000)}`,
    `SELECT ${'ARRAY['.repeat(9000)}1${']'.repeat(9000)}`,
    `SELECT 1${' UNION SELECT 1'.repeat(20_000)}`,
    `SELECT 1 FROM a${' JOIN b ON true'.repeat(20_000)}`,
    'x'.repeat(9 * 1024 * 1024),
    // A tree that is exponentially larger than its text
    `${'WITH y AS (UPDATE t SET (a,b,c,d,e,f,g,h)=('.repeat(12)}SELECT 1${') RETURNING 1) SELECT 1'.repeat(12)}`,
    `UPDATE t SET (${'a,'.repeat(15_000)}a) = (SELECT ${'b,'.repeat(15_000)}b)`,
  ]) {
    const understood = classify(sql);
    assert.equal(understood.ok, false, sql.slice(0, 60));
    assert.ok(!understood.ok && understood.reason.length > 0);
    assert.equal(one('SELECT 1').kinds[0], 'select');
  }
  const place = classify("SELECT 'é' FROM )");
  assert.deepEqual(place, { ok: false, reason: 'syntax error at or near ")"', position: 17 });
});

test('A13: large but flat texts are understood', () => {
  const rows = Array.from({ length: 2000 }, (_, i) => `(${i}, -1.5, 'it''s', now())`).join(', ');
  assert.equal(needs(one(`INSERT INTO t VALUES ${rows}`)), 'write');
  assert.equal(
    needs(one(`SELECT * FROM t WHERE ${Array.from({ length: 3000 }, (_, i) => `a = ${i}`).join(' OR ')}`)),
    'read',
  );
  const whens = Array.from({ length: 1000 }, (_, i) => `WHEN "t"."id" = ${i} THEN 'x'`).join(' ');
  assert.equal(
    needs(one(`UPDATE t SET a = CASE ${whens} ELSE NULL END, b = 1 WHERE id IN (${'1, '.repeat(5000)}1)`)),
    'write',
  );
  assert.equal(needs(one(`UPDATE t SET (a, b, c) = (SELECT 1, 2, 3) WHERE (a, b) = (1, 2)`)), 'write');
  assert.equal(needs(one(`SELECT 1 FROM a${' LEFT JOIN b ON a.x = b.x AND a.y = b.y'.repeat(100)}`)), 'read');
});
