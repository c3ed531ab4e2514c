// What each kind of statement needs and touches: tables of statements, by the kinds that rules name.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { classify } from '../../../src/sql/mysql/classify.ts';
import { KINDS } from '../../../src/sql/mysql/kinds.ts';
import type { LexMode } from '../../../src/sql/mysql/lexer.ts';
import { all, BOTH, MARIADB, MYSQL, needs, one, refusal, relations } from './brief.ts';

/** Without a reading, both servers'. */
type Row = readonly [sql: string, kinds: string, needs: string, relations: string, reading?: LexMode];

function table(name: string, rows: readonly Row[]): void {
  test(name, () => {
    for (const [sql, kinds, need, found, only] of rows) {
      for (const reading of only === undefined ? BOTH : [only]) {
        const facts = one(sql, reading);
        for (const kind of facts.kinds) assert.ok(KINDS.has(kind), kind);
        assert.equal(facts.kinds.join(' '), kinds, sql);
        assert.equal(needs(facts), need, sql);
        assert.equal(relations(facts), found, sql);
      }
    }
  });
}

table('queries', [
  ['SELECT 1', 'select', '', ''],
  ['SELECT 1 FROM DUAL', 'select', '', ''],
  ['SELECT * FROM t', 'select', 'read', 't:read'],
  ['SELECT * FROM `a b`.`T`', 'select', 'read', 'a b.T:read'],
  ['SELECT * FROM t AS x, t AS y', 'select', 'read', 't:read'],
  ['TABLE s.t', 'select', 'read', 's.t:read'],
  ['VALUES ROW(1, (SELECT a FROM t))', 'select', 'read', 't:read'],
  ['SELECT a FROM t WHERE b IN (SELECT c FROM u) ORDER BY (SELECT d FROM v)', 'select', 'read', 't:read u:read v:read'],
  ['SELECT a FROM t UNION SELECT b FROM u EXCEPT TABLE v', 'select', 'read', 't:read u:read v:read'],
  ['(SELECT a FROM t) UNION (SELECT b FROM u ORDER BY 1 LIMIT 1) LIMIT 2', 'select', 'read', 't:read u:read'],
  [
    'SELECT 1 FROM a NATURAL JOIN b LEFT JOIN (c, d) ON (SELECT 1 FROM e)',
    'select',
    'read',
    'a:read b:read c:read d:read e:read',
  ],
  ['SELECT 1 FROM {OJ a LEFT OUTER JOIN b ON a.x = b.x}', 'select', 'read', 'a:read b:read'],
  ['SELECT 1 FROM t, LATERAL (SELECT * FROM u WHERE u.a = t.a) x', 'select', 'read', 't:read u:read'],
  ["SELECT * FROM JSON_TABLE((SELECT a FROM t), '$' COLUMNS (b INT PATH '$.b')) j", 'select', 'read', 't:read'],
  [
    'SELECT COUNT(*) OVER (PARTITION BY (SELECT c FROM v) ORDER BY (SELECT d FROM w)) FROM t',
    'select',
    'read',
    't:read v:read w:read',
  ],
  ['SELECT 1 FROM t WINDOW x AS (ORDER BY (SELECT a FROM u))', 'select', 'read', 't:read u:read'],
  ['SELECT a FROM t GROUP BY (SELECT b FROM u) HAVING EXISTS (TABLE v)', 'select', 'read', 't:read u:read v:read'],
  [
    'SELECT CASE (SELECT 1 FROM a) WHEN (SELECT 1 FROM b) THEN (SELECT 1 FROM c) ELSE (SELECT 1 FROM d) END',
    'select',
    'read',
    'a:read b:read c:read d:read',
  ],
  ['SELECT a > ALL (SELECT b FROM u), (a, b) IN (SELECT c, d FROM v) FROM t', 'select', 'read', 't:read u:read v:read'],
  ['SELECT @a := (SELECT b FROM u)', 'select', 'read', 'u:read'],
  ['SELECT NOW() + INTERVAL (SELECT a FROM t) DAY', 'select', 'read', 't:read'],
  ['SELECT NOW() + INTERVAL (SELECT a, b FROM t) DAY', 'select', 'read', 't:read'],
  ["SELECT GROUP_CONCAT(a ORDER BY (SELECT b FROM u) SEPARATOR 'x') FROM t", 'select', 'read', 't:read u:read'],
  ['SELECT MATCH (a) AGAINST (b) FROM t', 'select', 'read', 't:read'],
  ['SELECT a INTO @x FROM t', 'select', 'read', 't:read'],
  ['SELECT a FROM t PROCEDURE ANALYSE()', 'select', 'read admin opaque', 't:read', MARIADB],
  ['SELECT * FROM t FOR SYSTEM_TIME AS OF (SELECT a FROM u)', 'select', 'read', 't:read u:read', MARIADB],
  ['SELECT NEXT VALUE FOR s', 'select', 'write', 's:write', MARIADB],
  ['SELECT NEXTVAL(s), LASTVAL(d.s)', 'select', 'write', 'd.s:write s:write', MARIADB],
  ['SELECT * FROM .t', 'select', 'read', 't:read'],
]);

table('queries that leave the server, or change routines’ variables', [
  ["SELECT a FROM t INTO OUTFILE '/f'", 'select into-outfile', 'read admin', 't:read'],
  ["SELECT a INTO OUTFILE '/f' FIELDS TERMINATED BY ',' FROM t", 'select into-outfile', 'read admin', 't:read'],
  ["SELECT a INTO DUMPFILE '/f' FROM t", 'select into-dumpfile', 'read admin', 't:read'],
  ["TABLE t INTO OUTFILE '/f'", 'select into-outfile', 'read admin', 't:read'],
  ["SELECT 1 UNION SELECT a FROM t INTO OUTFILE '/f'", 'select into-outfile', 'read admin', 't:read'],
  ["(SELECT a FROM t INTO OUTFILE '/f')", 'select into-outfile', 'read admin', 't:read'],
  ['SELECT a INTO x FROM t', 'select', 'read never', 't:read'],
]);

table('locks in queries are writes', [
  ['SELECT * FROM t FOR UPDATE', 'select', 'read write', 't:read t:write'],
  ['SELECT * FROM t x, d.u LOCK IN SHARE MODE', 'select', 'read write', 'd.u:read d.u:write t:read t:write'],
  ['SELECT * FROM t FOR SHARE SKIP LOCKED', 'select', 'read write', 't:read t:write'],
  ['SELECT * FROM (SELECT * FROM t FOR UPDATE) s', 'select', 'read write', 't:read t:write'],
  ['SELECT * FROM t WHERE a IN (SELECT a FROM u) FOR UPDATE', 'select', 'read write', 't:read t:write u:read'],
  ['(SELECT a FROM t FOR UPDATE) LIMIT 1', 'select', 'read write', 't:read t:write'],
  ['(SELECT a FROM t LIMIT 1) FOR UPDATE', 'select', 'read write', 't:read'],
  ['TABLE t FOR UPDATE', 'select', 'read write', 't:read'],
  ['SELECT 1 UNION (SELECT a FROM t FOR UPDATE)', 'select', 'read write', 't:read t:write'],
]);

table('CTEs hide names, where they are seen', [
  ['WITH c AS (SELECT * FROM t) SELECT * FROM c', 'select', 'read', 't:read'],
  ['WITH t AS (SELECT * FROM t) SELECT * FROM t', 'select', 'read', 't:read'],
  ['WITH c AS (SELECT 1) SELECT * FROM d.c', 'select', 'read', 'd.c:read'],
  ['WITH RECURSIVE r AS (SELECT 1 n UNION SELECT n + 1 FROM r) SELECT * FROM r', 'select', '', ''],
  ['WITH r AS (SELECT 1 n UNION SELECT n + 1 FROM r) SELECT * FROM r', 'select', 'read', 'r:read'],
  ['WITH a AS (SELECT * FROM b), b AS (SELECT 1) SELECT * FROM a, b', 'select', 'read', 'b:read'],
  ['SELECT * FROM (WITH c AS (SELECT 1) SELECT * FROM c) x, c', 'select', 'read', 'c:read'],
  ['WITH c AS (SELECT 1) SELECT * FROM t WHERE a IN (SELECT * FROM c)', 'select', 'read', 't:read'],
]);

table('changes of rows', [
  ['INSERT INTO t VALUES (1)', 'insert', 'write', 't:write'],
  ['INSERT t () VALUES ()', 'insert', 'write', 't:write'],
  ['INSERT INTO d.t SET a = (SELECT b FROM u)', 'insert', 'read write', 'd.t:write u:read'],
  ['INSERT INTO t (a) SELECT b FROM u', 'insert', 'read write', 't:write u:read'],
  ['INSERT INTO t WITH c AS (SELECT a FROM u) SELECT * FROM c', 'insert', 'read write', 't:write u:read'],
  [
    'INSERT IGNORE INTO t VALUES (1) ON DUPLICATE KEY UPDATE a = (SELECT b FROM u)',
    'insert',
    'read write',
    't:write u:read',
  ],
  ['REPLACE INTO t TABLE u', 'replace', 'read write', 't:write u:read'],
  ['INSERT INTO t VALUES (1) RETURNING a', 'insert', 'read write', 't:read t:write', MARIADB],
  ['UPDATE t SET a = 1', 'update update-without-where', 'write', 't:write'],
  ['UPDATE t SET a = 1 WHERE 1 = 1', 'update update-without-where', 'write', 't:write'],
  ['UPDATE t SET a = 1 WHERE b = 2 ORDER BY c LIMIT 1', 'update', 'read write', 't:read t:write'],
  ['UPDATE t SET a = b', 'update update-without-where', 'read write', 't:read t:write'],
  [
    'UPDATE t SET a = (SELECT b FROM u) WHERE c IN (SELECT d FROM v)',
    'update',
    'read write',
    't:read t:write u:read v:read',
  ],
  ['UPDATE t AS x JOIN u ON x.a = u.a SET x.b = u.b', 'update', 'read write', 't:read t:write u:read'],
  ['UPDATE t, u SET t.a = 1, u.b = 2 WHERE t.c = u.c', 'update', 'read write', 't:read t:write u:read u:write'],
  ['UPDATE t, u SET a = 1 WHERE t.c = u.c', 'update', 'read write', 't:read t:write u:read u:write'],
  ['UPDATE d1.t, d2.t x SET X.a = 1 WHERE x.c = 1', 'update', 'read write', 'd1.t:read d2.t:read d2.t:write'],
  [
    'WITH c AS (SELECT a FROM u) UPDATE t, c SET t.a = c.a WHERE t.b = 1',
    'update',
    'read write',
    't:read t:write u:read',
    MYSQL,
  ],
  ['UPDATE t SET a = 1 WHERE b = 1 RETURNING a', 'update', 'read write', 't:read t:write', MARIADB],
  [
    'UPDATE t FOR PORTION OF p FROM (SELECT a FROM u) TO 2 SET a = 1 WHERE b = 1',
    'update',
    'read write',
    't:read t:write u:read',
    MARIADB,
  ],
  ['DELETE FROM t', 'delete delete-without-where', 'write', 't:write'],
  ['DELETE FROM t WHERE TRUE LIMIT 1', 'delete delete-without-where', 'write', 't:write'],
  ['DELETE FROM d.t AS x WHERE x.a = 1', 'delete', 'read write', 'd.t:read d.t:write', MYSQL],
  ['DELETE x FROM t AS x JOIN u ON x.a = u.a', 'delete', 'read write', 't:read t:write u:read'],
  ['DELETE t.*, x.* FROM t, u x WHERE t.a = x.a', 'delete', 'read write', 't:read t:write u:read u:write'],
  ['DELETE FROM x USING t AS x, u WHERE x.a = u.a', 'delete', 'read write', 't:read t:write u:read'],
  ['DELETE d.t FROM d.t, u WHERE 1', 'delete', 'read write', 'd.t:read d.t:write u:read'],
  [
    'DELETE FROM t FOR PORTION OF p FROM 1 TO (SELECT a FROM u) WHERE b = 1',
    'delete',
    'read write',
    't:read t:write u:read',
    MARIADB,
  ],
  ['DELETE FROM t WHERE a = 1 RETURNING b', 'delete', 'read write', 't:read t:write', MARIADB],
  ["LOAD DATA INFILE '/f' INTO TABLE t", 'load-data', 'write admin', 't:write'],
  ["LOAD DATA LOCAL INFILE '/f' INTO TABLE t", 'load-data', 'write admin never', 't:write'],
  ['TRUNCATE d.t', 'truncate', 'write', 'd.t:write'],
]);

table('definitions', [
  ['CREATE TABLE t (a INT)', 'create-table', 'ddl', 't:ddl'],
  ['CREATE TEMPORARY TABLE IF NOT EXISTS d.t LIKE u', 'create-table', 'read ddl', 'd.t:ddl u:read'],
  ['CREATE TABLE t (LIKE u)', 'create-table', 'read ddl', 't:ddl u:read'],
  ['CREATE TABLE t SELECT * FROM u', 'create-table create-table-as', 'read ddl', 't:ddl u:read'],
  [
    'CREATE TABLE t (a INT) ENGINE=InnoDB AS (SELECT * FROM u)',
    'create-table create-table-as',
    'read ddl',
    't:ddl u:read',
  ],
  ['CREATE OR REPLACE TABLE t REPLACE AS TABLE u', 'create-table create-table-as', 'read ddl', 't:ddl u:read', MARIADB],
  ["CREATE TABLE t (a INT) ENGINE=FEDERATED CONNECTION='mysql://h/d'", 'create-table', 'ddl admin opaque', 't:ddl'],
  ["CREATE TABLE t (a INT) ENGINE = 'CSV'", 'create-table', 'ddl admin opaque', 't:ddl'],
  ["CREATE TABLE t (a INT) DATA DIRECTORY '/x'", 'create-table', 'ddl admin opaque', 't:ddl'],
  ['CREATE TABLE t (a INT) UNION=(u)', 'create-table', 'ddl admin opaque', 't:ddl'],
  ['CREATE VIEW v AS SELECT * FROM t', 'create-view', 'read ddl', 't:read v:ddl'],
  [
    'CREATE OR REPLACE ALGORITHM=MERGE DEFINER=a@b SQL SECURITY INVOKER VIEW d.v (x) AS TABLE t WITH LOCAL CHECK OPTION',
    'create-view',
    'read ddl',
    'd.v:ddl t:read',
  ],
  ['ALTER VIEW v AS SELECT 1', 'alter-view', 'admin opaque', ''],
  ['CREATE UNIQUE INDEX i ON d.t (a)', 'create-index', 'ddl', 'd.t:ddl'],
  ['DROP INDEX `PRIMARY` ON t', 'drop-index', 'ddl', 't:ddl'],
  ['DROP TABLE IF EXISTS t, d.u CASCADE', 'drop-table', 'ddl', 'd.u:ddl t:ddl'],
  ['DROP VIEW v', 'drop-view', 'ddl', 'v:ddl'],
  ['CREATE DATABASE d', 'create-database create-schema', 'ddl', ''],
  ['DROP SCHEMA d', 'drop-database drop-schema', 'ddl', 'd.*:ddl'],
  ['RENAME TABLE t TO d.u, v TO w', 'rename-table', 'ddl', 'd.u:ddl t:ddl v:ddl w:ddl'],
  ['ALTER TABLE t ADD COLUMN a INT', 'alter-table', 'ddl', 't:ddl'],
  ['ALTER TABLE t DROP a, DROP PRIMARY KEY', 'alter-table drop-column drop-constraint', 'ddl', 't:ddl'],
  ['ALTER TABLE t RENAME u', 'alter-table rename-table', 'ddl', 't:ddl u:ddl'],
  ['ALTER TABLE t RENAME = d.u', 'alter-table rename-table', 'ddl', 'd.u:ddl t:ddl'],
  ['ALTER TABLE t ADD a INT, RENAME AS u', 'alter-table rename-table', 'ddl', 't:ddl u:ddl'],
  ['ALTER TABLE t RENAME COLUMN a TO b', 'alter-table', 'ddl', 't:ddl'],
  ['ALTER TABLE t EXCHANGE PARTITION p WITH TABLE u', 'alter-table', 'ddl admin', 't:ddl'],
  ['ALTER TABLE t CONVERT TABLE u TO PARTITION p VALUES LESS THAN (1)', 'alter-table', 'ddl admin', 't:ddl', MARIADB],
  ['ALTER TABLE t CONVERT PARTITION p TO TABLE u', 'alter-table', 'ddl admin', 't:ddl', MARIADB],
  ['ALTER TABLE t CONVERT TO CHARACTER SET utf8mb4', 'alter-table', 'ddl', 't:ddl'],
  ['ALTER TABLE t UNION (u)', 'alter-table', 'ddl admin opaque', 't:ddl'],
  ['ALTER TABLE t ENGINE CONNECT', 'alter-table', 'ddl admin opaque', 't:ddl'],
  ['CREATE SEQUENCE s', 'create-sequence', 'ddl', 's:ddl', MARIADB],
  ['CREATE PROCEDURE p() BEGIN DELETE FROM t; SELECT 1; END', 'create-procedure', 'admin opaque', ''],
  ["CREATE DEFINER='a'@'b' FUNCTION f() RETURNS INT RETURN 1", 'create-function', 'admin opaque', ''],
  ["CREATE FUNCTION f RETURNS STRING SONAME 'f.so'", 'create-function', 'admin opaque', ''],
  ['CREATE TRIGGER r BEFORE INSERT ON t FOR EACH ROW SET NEW.a = 1', 'create-trigger', 'admin opaque', ''],
  ['CREATE EVENT e ON SCHEDULE EVERY 1 DAY DO DELETE FROM t', 'create-event', 'admin opaque', ''],
  ['DROP TRIGGER r', 'drop-trigger', 'admin', ''],
  ["CREATE USER a IDENTIFIED BY 'b'", 'create-user', 'admin', ''],
  ['CREATE TABLESPACE x', 'admin', 'admin', ''],
]);

table('tables as they are', [
  ['ANALYZE TABLE t, d.u', 'analyze', 'ddl', 'd.u:ddl t:ddl'],
  ['CHECK TABLE t', 'check', 'read', 't:read'],
  ['CHECKSUM TABLE t', 'checksum', 'read', 't:read'],
  ['OPTIMIZE LOCAL TABLE t', 'optimize', 'ddl', 't:ddl'],
  ['LOCK TABLES t READ, d.u AS x WRITE', 'lock', 'write', 'd.u:write t:write'],
  ['LOCK INSTANCE FOR BACKUP', 'lock-instance', 'admin', '', MYSQL],
  ['UNLOCK TABLES', 'unlock', '', ''],
  ['DESCRIBE d.t a', 'describe', '', ''],
  ['DESC t', 'describe', '', ''],
  ['EXPLAIN SELECT * FROM t', 'explain select', 'read', 't:read'],
  ['EXPLAIN FORMAT=TREE DELETE FROM t', 'explain delete delete-without-where', 'write', 't:write'],
  ['EXPLAIN ANALYZE SELECT * FROM t', 'explain select', 'read', 't:read'],
  ['ANALYZE FORMAT=JSON UPDATE t SET a = 1 WHERE b = 1', 'explain update', 'read write', 't:read t:write', MARIADB],
  ['EXPLAIN FOR CONNECTION 5', 'describe', 'admin opaque', ''],
  ['HANDLER t OPEN', 'handler', 'admin opaque', ''],
]);

table('sessions and transactions', [
  ['BEGIN', 'begin', '', ''],
  ['START TRANSACTION READ ONLY, WITH CONSISTENT SNAPSHOT', 'begin', '', ''],
  ['START TRANSACTION READ WRITE', 'begin', 'write', ''],
  ['COMMIT AND CHAIN', 'commit', '', ''],
  ['ROLLBACK WORK TO SAVEPOINT s', 'rollback-to', '', ''],
  ['ROLLBACK', 'rollback', '', ''],
  ['SAVEPOINT s', 'savepoint', '', ''],
  ['RELEASE SAVEPOINT s', 'release', '', ''],
  ['SET TRANSACTION READ WRITE', 'set', 'write', ''],
  ['SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED, READ ONLY', 'set', '', ''],
  ['SET GLOBAL TRANSACTION READ ONLY', 'set', 'admin', ''],
  ['USE `a b`', 'use', '', ''],
  ['KILL 5', 'kill', '', ''],
  ['KILL QUERY 5', 'kill', '', ''],
  ['KILL CONNECTION 5', 'kill', '', ''],
  ['KILL @a', 'kill', 'never', ''],
  ['KILL 5 + 1', 'kill', 'never', ''],
  ['KILL (SELECT 1)', 'kill', 'never', ''],
  ['KILL HARD QUERY ID 5', 'kill', 'never', '', MARIADB],
  ['KILL USER root', 'kill', 'never', '', MARIADB],
  ['XA START 1', 'xa', 'admin', ''],
  ['START REPLICA', 'change-replication', 'admin', ''],
  ['CALL d.p((SELECT a FROM t))', 'call', 'read admin opaque', 't:read'],
  ['DO (SELECT a FROM t)', 'do', 'read', 't:read'],
  ['BEGIN NOT ATOMIC DELETE FROM t; END', 'do', 'admin opaque', '', MARIADB],
  ['IF 1 THEN DELETE FROM t; END IF', 'do', 'admin opaque', '', MARIADB],
  ["SIGNAL SQLSTATE '45000'", 'signal', '', ''],
  ['GET DIAGNOSTICS @a = NUMBER', 'get-diagnostics', 'admin opaque', ''],
  ["HELP 'select'", 'help', '', ''],
]);

table('prepared texts need what they say', [
  ["PREPARE p FROM 'SELECT * FROM t'", 'prepare select', 'read', 't:read'],
  ["PREPARE p FROM 'DELETE FROM t'", 'prepare delete delete-without-where', 'write', 't:write'],
  ["PREPARE p FROM 'DROP TABLE `t`'", 'prepare drop-table', 'ddl', 't:ddl'],
  ["PREPARE p FROM 'SELECT ''a'' FROM t'", 'prepare select', 'read', 't:read'],
  ["PREPARE p FROM 'USE d'", 'prepare use', 'never', ''],
  ["EXECUTE IMMEDIATE 'USE d'", 'execute-immediate use', 'never', '', MARIADB],
  ['PREPARE p FROM @a', 'prepare', 'admin opaque', ''],
  ["PREPARE p FROM CONCAT('SELECT ', '1')", 'prepare', 'admin opaque', '', MARIADB],
  [
    "EXECUTE IMMEDIATE 'UPDATE t SET a = ?' USING 1",
    'execute-immediate update update-without-where',
    'write',
    't:write',
    MARIADB,
  ],
  ["EXECUTE IMMEDIATE 'SELECT ?' USING LOAD_FILE('/f')", 'execute-immediate select', 'admin', '', MARIADB],
  ['EXECUTE p USING GET_LOCK(1, 1)', 'execute', 'write', '', MARIADB],
  ['EXECUTE p USING @a, @b', 'execute', '', ''],
  ['DEALLOCATE PREPARE p', 'deallocate', '', ''],
  ['DROP PREPARE p', 'deallocate', '', ''],
]);

table('SHOW is an allow-list', [
  ["SHOW FULL TABLES FROM d LIKE 'x'", 'show', 'read', ''],
  ['SHOW CREATE TABLE t', 'show', 'read', ''],
  ['SHOW WARNINGS LIMIT 1', 'show show-warnings', 'read', ''],
  ['SHOW COUNT(*) ERRORS', 'show', 'read', ''],
  ['SHOW GLOBAL VARIABLES WHERE Variable_name = (SELECT a FROM t)', 'show', 'read', 't:read'],
  ["SHOW VARIABLES WHERE LOAD_FILE('/f')", 'show', 'read admin', ''],
  ['SHOW PROCESSLIST', 'show', 'admin opaque', ''],
  ['SHOW FULL PROCESSLIST', 'show', 'admin opaque', ''],
  ['SHOW GRANTS', 'show', 'admin opaque', ''],
  ['SHOW CREATE USER a', 'show', 'admin opaque', ''],
  ['SHOW BINLOG EVENTS', 'show', 'admin opaque', ''],
  ['SHOW ENGINE INNODB STATUS', 'show', 'admin opaque', ''],
  ['SHOW CREATE PROCEDURE p', 'show', 'admin opaque', ''],
  ['SHOW EXPLAIN FOR 5', 'show', 'admin opaque', '', MARIADB],
]);

test('administration needs admin', () => {
  for (const sql of [
    "GRANT ALL ON *.* TO a@b IDENTIFIED BY 'c'",
    'REVOKE ALL ON d.* FROM a',
    'FLUSH PRIVILEGES',
    'RESET MASTER',
    "PURGE BINARY LOGS TO 'x'",
    'SHUTDOWN',
    'RESTART',
    "INSTALL PLUGIN p SONAME 'p.so'",
    'UNINSTALL PLUGIN p',
    "CHANGE MASTER TO MASTER_HOST = 'h'",
    'STOP SLAVE',
    "CLONE LOCAL DATA DIRECTORY = '/x'",
    "BINLOG 'x'",
    'CACHE INDEX t IN c',
    "IMPORT TABLE FROM '/x'",
    'ALTER INSTANCE ROTATE INNODB MASTER KEY',
    'RENAME USER a TO b',
    'SET ROLE r',
    'SET DEFAULT ROLE r TO a',
    "SET PASSWORD = 'x'",
    'SET RESOURCE GROUP g',
    'DROP USER a',
    "CREATE SERVER s FOREIGN DATA WRAPPER mysql OPTIONS (HOST 'h')",
  ]) {
    for (const reading of BOTH) {
      const facts = one(sql, reading);
      assert.equal(needs(facts), 'admin', sql);
      for (const kind of facts.kinds) assert.ok(KINDS.has(kind), kind);
    }
  }
});

test('what no table knows is refused, with its place', () => {
  for (const sql of [
    'FROBNICATE t',
    'SELECT',
    'SELECT FROM t',
    'SELECT 1 FROM',
    'SELECT 1 2',
    'SELECT * FROM t WHERE',
    'INSERT INTO',
    'UPDATE t',
    'DELETE t',
    'USE d e',
    'DESCRIBE t a b',
    'EXPLAIN FORMAT=JSON FOR CONNECTION 5',
    'DEALLOCATE PREPARE p q',
    "PREPARE p FROM 'SELECT 1; DELETE FROM t'",
    "PREPARE p FROM ''",
    "PREPARE p FROM 'FROBNICATE'",
    "PREPARE p FROM 'PREPARE q FROM ''PREPARE r FROM ''''SELECT 1'''''''",
    'LOCK TABLES t',
    'RENAME TABLE t',
    'SET @a',
    'SET NAMES',
    'OPEN c',
    'RETURN 1',
    'SELECT (1',
    'WITH C AS (SELECT 1) SELECT * FROM c',
    'SELECT 1)',
  ]) {
    for (const reading of BOTH) assert.notEqual(refusal(sql, reading), '', sql);
  }
  const found = classify('SELECT 1 FROM t WHERE', MYSQL);
  assert.ok(!found.ok);
  assert.equal(found.position, 22);
  assert.match(found.reason, /its end/);
});

test('where names lead next, and which handles are used', () => {
  assert.deepEqual(one('USE `d`').settings, [{ name: 'search_path', value: 'd', need: 'read' }]);
  assert.deepEqual(one('KILL QUERY 5').settings, [{ name: 'kill', value: 'query 5', need: 'read' }]);
  assert.deepEqual(one("PREPARE `P` FROM 'SELECT 1'").handles, [{ action: 'prepare', name: 'p' }]);
  assert.deepEqual(one('EXECUTE P').handles, [{ action: 'execute', name: 'p' }]);
  assert.deepEqual(one('DROP PREPARE P').handles, [{ action: 'deallocate', name: 'p' }]);
});

test('several statements are facts each, where they stand', () => {
  const sql = 'SELECT 1; /* x */ UPDATE t SET a = 1 ;; USE d';
  assert.deepEqual(
    all(sql).map(({ start, end }) => sql.slice(start, end)),
    ['SELECT 1', 'UPDATE t SET a = 1', 'USE d'],
  );
});

test('columns, where they are used', () => {
  for (const [sql, columns] of [
    ['SELECT a, t.B, c + 1, d AS e FROM t WHERE f = 1', 'output:a output:t.b expression:c output:d predicate:f'],
    ['SELECT * FROM t ORDER BY a', 'output:* predicate:a'],
    ['SELECT t.* FROM t GROUP BY a HAVING b', 'output:t.* predicate:a predicate:b'],
    ['SELECT a FROM t UNION SELECT b FROM u', 'expression:a expression:b'],
    ['SELECT 1 FROM t JOIN u USING (A) WHERE t.b = u.c', 'expression:a predicate:t.b predicate:u.c'],
    ['INSERT INTO t (a) VALUES (b)', 'assigned:a expression:b'],
    ['INSERT INTO t VALUES (1)', 'assigned:*'],
    ['UPDATE t SET a = b WHERE c', 'assigned:a expression:b predicate:c'],
    ['TABLE t', 'output:*'],
    ["SELECT j->>'$.a' FROM t", 'expression:j'],
    ['SELECT DEFAULT(a), VALUES(b) FROM t', 'expression:a expression:b'],
  ] as const) {
    const found = one(sql).columns.map(
      ({ place, qualifier, name }) => `${place}:${qualifier === null ? '' : `${qualifier}.`}${name}`,
    );
    assert.deepEqual(found.sort(), columns.split(' ').sort(), sql);
  }
});
