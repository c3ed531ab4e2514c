// What calls need: an allow-list of built-in names, as the servers resolve them.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { LexMode } from '../../../src/sql/mysql/lexer.ts';
import { BOTH, functions, MARIADB, mode, needs, one } from './brief.ts';

test('calls need what their names do', () => {
  for (const [sql, found, need] of [
    ['SELECT UPPER(a), COUNT(*), NOW()', 'count now upper', ''],
    ['SELECT CURRENT_USER, UTC_DATE', 'current_user utc_date', ''],
    ["SELECT LOAD_FILE('/f')", 'load_file:admin', 'admin'],
    ["SELECT load_file ('/f')", 'load_file:admin', 'admin'],
    ["SELECT `LOAD_FILE`('/f')", 'load_file:admin', 'admin'],
    ["SELECT GET_LOCK('a', 1), RELEASE_ALL_LOCKS()", 'get_lock:write release_all_locks:write', 'write'],
    ['SELECT BENCHMARK(1, 1)', 'benchmark:admin', 'admin'],
    ["SELECT MASTER_POS_WAIT('a', 1)", 'master_pos_wait:admin', 'admin'],
    ["SELECT SYS_EXEC('x')", 'sys_exec:admin', 'admin'],
    ['SELECT anything(1)', 'anything:admin', 'admin'],
    ['SELECT d.upper(1)', 'd.upper:admin', 'admin'],
    ['SELECT `d`.`f`(1)', 'd.f:admin', 'admin'],
    ["SELECT {fn LOAD_FILE('/f')}", 'load_file:admin', 'admin'],
    ["SELECT 1 FROM (SELECT LOAD_FILE('/f')) x", 'load_file:admin', 'admin'],
    ["SELECT 1 ORDER BY LOAD_FILE('/f')", 'load_file:admin', 'admin'],
    ["SELECT SUM(1) OVER (ORDER BY LOAD_FILE('/f'))", 'load_file:admin sum', 'admin'],
    ["SELECT GROUP_CONCAT(1 ORDER BY LOAD_FILE('/f'))", 'group_concat load_file:admin', 'admin'],
    ["SELECT TRIM(LEADING LOAD_FILE('/f') FROM 'a')", 'load_file:admin trim', 'admin'],
    ["SELECT SUBSTRING(LOAD_FILE('/f') FROM 1 FOR 2)", 'load_file:admin substring', 'admin'],
    ["SELECT CONVERT(LOAD_FILE('/f') USING utf8mb4)", 'load_file:admin', 'admin'],
    ["SELECT CAST(LOAD_FILE('/f') AS CHAR)", 'load_file:admin', 'admin'],
    ["SELECT BINARY LOAD_FILE('/f')", 'load_file:admin', 'admin'],
    ["SELECT LOAD_FILE('/f') COLLATE utf8mb4_bin", 'load_file:admin', 'admin'],
    ["SELECT EXTRACT(DAY FROM LOAD_FILE('/f'))", 'extract load_file:admin', 'admin'],
    ["SELECT @a := LOAD_FILE('/f')", 'load_file:admin', 'admin'],
    ["SET @a = LOAD_FILE('/f')", 'load_file:admin', 'admin'],
    ["DO LOAD_FILE('/f')", 'load_file:admin', 'admin'],
    ["SELECT 1 LIKE 2 ESCAPE LOAD_FILE('/f')", 'load_file:admin', 'admin'],
    ["SELECT INTERVAL(1, LOAD_FILE('/f'))", 'interval load_file:admin', 'admin'],
    ["SELECT WEIGHT_STRING(LOAD_FILE('/f') AS CHAR(3))", 'load_file:admin weight_string', 'admin'],
    ["SELECT CHAR(LOAD_FILE('/f') USING utf8mb4)", 'char load_file:admin', 'admin'],
    ["SELECT POSITION('a' IN LOAD_FILE('/f'))", 'load_file:admin position', 'admin'],
    ["SELECT JSON_VALUE('{}', '$.a' DEFAULT LOAD_FILE('/f') ON EMPTY)", 'json_value load_file:admin', 'admin'],
  ] as const) {
    for (const reading of BOTH) {
      const facts = one(sql, reading);
      assert.equal(functions(facts), found, sql);
      assert.equal(needs(facts), need, sql);
    }
  }
});

test('a name that is built in as a keyword alone is somebody’s own function in quotes, or behind a space', () => {
  const spaced = mode('IGNORE_SPACE');
  for (const [sql, need, reading] of [
    ['SELECT COUNT(1)', ''],
    ['SELECT COUNT (1)', 'admin'],
    ['SELECT COUNT /**/ (1)', 'admin'],
    ['SELECT COUNT (1)', '', spaced],
    ['SELECT `count`(1)', 'admin'],
    ['SELECT `count`(1)', 'admin', spaced],
    ['SELECT NOW ()', 'admin'],
    ['SELECT UPPER (1)', ''],
    ['SELECT `upper`(1)', ''],
    ['SELECT COALESCE (1)', ''],
    ['SELECT `coalesce`(1)', 'admin'],
  ] as const satisfies readonly (readonly [string, string, LexMode?])[]) {
    assert.equal(needs(one(sql, reading)), need, sql);
  }
});

test('sequences of MariaDB are written to by reading them on', () => {
  for (const sql of ['SELECT NEXT VALUE FOR s', 'SELECT PREVIOUS VALUE FOR s', 'SELECT SETVAL(s, 5)']) {
    assert.deepEqual(one(sql, MARIADB).relations, [{ schema: null, name: 's', verb: 'write' }], sql);
  }
});

test('functions that reach out are found in definitions', () => {
  for (const sql of [
    "CREATE TABLE t (a INT DEFAULT (LOAD_FILE('/f')))",
    "CREATE TABLE t (a INT, CHECK (load_file ('/f') IS NULL))",
    "ALTER TABLE t ADD a TEXT AS (LOAD_FILE('/f'))",
    "CREATE INDEX i ON t ((LOAD_FILE('/f')))",
  ]) {
    assert.equal(needs(one(sql)), 'ddl admin', sql);
  }
});
