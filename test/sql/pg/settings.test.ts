// Settings: what changing and reading them needs.

import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { ready } from '../../../src/sql/pg/classify.ts';
import { readName, readPath } from '../../../src/sql/pg/settings.ts';
import { VERBS } from '../../../src/types.ts';
import { functions, needs, one } from './brief.ts';

before(ready);

test('A2, A9, A10: settings and their needs', () => {
  for (const [sql, expected] of [
    ['SET application_name = x', 'application_name=x:read'],
    ["SET TIME ZONE 'UTC'", 'timezone=UTC:read'],
    ["SET TIME ZONE INTERVAL '1' HOUR TO MINUTE", 'timezone=null:read'],
    ['SET TIME ZONE -3.5', 'timezone=-3.5:read'],
    ['SET DateStyle = ISO, DMY', 'datestyle=iso, dmy:read'],
    ['SET statement_timeout TO 5000', 'statement_timeout=5000:read'],
    ['SET LOCAL enable_seqscan = off', 'enable_seqscan=off:read'],
    ['SET extra_float_digits = 3', 'extra_float_digits=3:read'],
    ['RESET work_mem', 'work_mem=null:read'],
    ['SET hnsw.ef_search = 40', 'hnsw.ef_search=40:read'],
    ['SET standard_conforming_strings = on', 'standard_conforming_strings=on:read'],
    ['SET standard_conforming_strings = off', 'standard_conforming_strings=off:never'],
    ['SET "Standard_Conforming_Strings" TO DEFAULT', 'standard_conforming_strings=null:never'],
    ['RESET standard_conforming_strings', 'standard_conforming_strings=null:never'],
    ['SET backslash_quote = on', 'backslash_quote=on:never'],
    ["SET NAMES 'utf-8'", 'client_encoding=utf-8:read'],
    ["SET client_encoding = 'SJIS'", 'client_encoding=SJIS:never'],
    ['SET NAMES DEFAULT', 'client_encoding=null:never'],
    ['BEGIN READ WRITE', 'transaction_read_only=off:write'],
    [
      'START TRANSACTION ISOLATION LEVEL READ COMMITTED, READ ONLY',
      'transaction_isolation=read committed:read transaction_read_only=on:read',
    ],
    ['SET TRANSACTION READ WRITE', 'transaction_read_only=off:write'],
    ['SET SESSION CHARACTERISTICS AS TRANSACTION READ WRITE', 'default_transaction_read_only=off:write'],
    ['SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY', 'default_transaction_read_only=on:read'],
    ['SET transaction_read_only = off', 'transaction_read_only=off:write'],
    ['SET default_transaction_read_only = 0', 'default_transaction_read_only=0:write'],
    ['RESET default_transaction_read_only', 'default_transaction_read_only=null:write'],
    ['SET ROLE x', 'role=x:admin'],
    ['SET ROLE NONE', 'role=none:admin'],
    ['RESET ROLE', 'role=null:admin'],
    ['RESET SESSION AUTHORIZATION', 'session_authorization=null:admin'],
    ['SET row_security = off', 'row_security=off:admin'],
    ['SET session_replication_role = replica', 'session_replication_role=replica:admin'],
    ["SET app.user_id = '1'", 'app.user_id=1:admin'],
    ['RESET ALL', 'all=null:read search_path=null:read'],
    ['DISCARD ALL', 'all=null:read search_path=null:read session_authorization=null:read'],
    ['SET search_path = public, "B", \'c d\', "$user"', 'search_path=public, "B", "c d", "$user":read'],
    ["SET search_path = 'a, b'", 'search_path="a, b":read'],
    ["SET SCHEMA 'x'", 'search_path=x:read'],
    ['RESET search_path', 'search_path=null:read'],
    ["SELECT set_config('search_path', 'A, \"B\"', false)", 'search_path=a, "B":read'],
    ["SELECT set_config('search_path', '', false)", 'search_path=:read'],
    ["SELECT set_config('search_path', $1, false)", 'search_path=null:never'],
    ["SELECT set_config('search_path', 'a,,b', false)", 'search_path=null:never'],
    ["SELECT set_config('SEARCH_PATH', a, false) FROM t", 'search_path=null:never'],
    ["SELECT pg_catalog.set_config('work_mem', '1GB', true)", 'work_mem=1GB:read'],
    ["SELECT set_config('role', 'x', true)", 'role=x:admin'],
    ["SELECT set_config('standard_conforming_strings', lower('OFF'), true)", 'standard_conforming_strings=null:never'],
    ["UPDATE t SET a = set_config('transaction_read_only', 'off', true)", 'transaction_read_only=off:write'],
    ["SELECT set_config('app.x'::text, 'y', true)", 'app.x=y:admin'],
  ] as const) {
    const found = one(sql).settings.map(({ name, value, need }) => `${name}=${value}:${need}`);
    assert.equal(found.join(' '), expected, sql);
  }
});

test('set_config of a name that cannot be seen needs admin', () => {
  for (const call of [
    "set_config($1, 'x', false)",
    "set_config('a' || 'b', 'x', false)",
    "set_config(setting_name => 'role', new_value => 'x', is_local => true)",
  ]) {
    const facts = one(`SELECT ${call}`);
    assert.equal(functions(facts), 'set_config:admin', call);
  }
});

test('A9: settings are not changed through their view', () => {
  for (const sql of [
    "UPDATE pg_settings SET setting = 'off' WHERE name = 'standard_conforming_strings'",
    "UPDATE pg_catalog.pg_settings SET setting = 'off'",
    "MERGE INTO pg_settings s USING t ON true WHEN MATCHED THEN UPDATE SET setting = 'off'",
  ]) {
    assert.match(needs(one(sql)), /never/, sql);
  }
});

test('reading settings', () => {
  for (const [sql, expected] of [
    ["SELECT current_setting('server_version')", ''],
    ["SELECT current_setting('TimeZone', true)", ''],
    ["SELECT current_setting('app.jwt_secret')", 'admin'],
    ["SELECT current_setting('primary_conninfo')", 'admin'],
    ['SELECT current_setting($1)', 'admin'],
    ['SHOW ALL', 'admin'],
    ['SHOW data_directory', 'admin'],
    ['SHOW work_mem', ''],
    ['SHOW TRANSACTION ISOLATION LEVEL', ''],
  ] as const) {
    assert.equal(needs(one(sql)), expected, sql);
  }
});

test('names in strings are read as the server reads them', () => {
  assert.deepEqual(readPath(' a , "B""c",  D_e$ '), ['a', 'B"c', 'd_e$']);
  assert.deepEqual(readPath(''), []);
  assert.deepEqual(readName('"a.b".C'), ['a.b', 'c']);
  for (const list of ['a,', ',a', 'a b', '"a', 'É', 'a..b', '""']) assert.equal(readPath(list), null, list);
});

test('pg_settings is read by names that stand in the text, or with admin', () => {
  for (const [sql, verb] of [
    ["SELECT setting FROM pg_settings WHERE name = 'work_mem'", 'read'],
    ["SELECT s.* FROM pg_catalog.pg_settings AS s WHERE s.name IN ('TimeZone', 'work_mem') ORDER BY 1 LIMIT 2", 'read'],
    ["SELECT set_config('bytea_output', 'hex', false) FROM pg_settings WHERE name = 'bytea_output'", 'read'],
    ["PREPARE p AS SELECT setting FROM pg_settings WHERE name = 'work_mem'", 'read'],
    ["EXPLAIN ANALYZE SELECT setting FROM pg_settings WHERE name = 'work_mem'", 'read'],
    ['WITH pg_settings AS (SELECT 1 AS name) SELECT name FROM pg_settings', ''],
    ['SELECT setting FROM public.pg_settings', 'read'],
    ['SELECT setting FROM pg_settings', 'admin'],
    ['TABLE pg_settings', 'admin'],
    ['SELECT name FROM pg_settings WHERE name = $1', 'admin'],
    ["SELECT setting FROM pg_settings WHERE name = 'primary_conninfo'", 'admin'],
    ["SELECT setting FROM pg_settings WHERE name = 'app.secret'", 'admin'],
    ["SELECT setting FROM pg_settings WHERE name IN ('work_mem', 'Primary_Conninfo')", 'admin'],
    ["SELECT setting FROM pg_settings WHERE name IN ('work_mem', $1)", 'admin'],
    ["SELECT setting FROM pg_settings WHERE name NOT IN ('work_mem')", 'admin'],
    ["SELECT setting FROM pg_settings WHERE name <> 'work_mem'", 'admin'],
    ["SELECT setting FROM pg_settings WHERE name OPERATOR(public.<>) 'work_mem'", 'admin'],
    ["SELECT setting FROM pg_settings WHERE name LIKE 'work_mem'", 'admin'],
    ["SELECT setting FROM pg_settings WHERE name = ANY ('{work_mem}')", 'admin'],
    ["SELECT setting FROM pg_settings WHERE category = 'work_mem'", 'admin'],
    ["SELECT setting FROM pg_settings WHERE 'work_mem' = 'work_mem'", 'admin'],
    ["SELECT setting FROM pg_settings WHERE NOT name = 'work_mem'", 'admin'],
    ["SELECT setting FROM pg_settings WHERE name = 'work_mem' OR true", 'admin'],
    ["SELECT 1 FROM pg_settings WHERE name = 'work_mem' AND setting::regclass IS NOT NULL", 'admin'],
    ["SELECT name FROM pg_settings s(setting, name) WHERE name = 'work_mem'", 'admin'],
    ["SELECT 1 FROM pg_settings, t WHERE name = 'work_mem'", 'read admin'],
    ["SELECT 1 FROM t, pg_settings WHERE name = 'work_mem'", 'read admin'],
    [
      "SELECT 1 FROM pg_settings WHERE name = 'work_mem' GROUP BY setting HAVING setting::regclass IS NOT NULL",
      'admin',
    ],
    ["SELECT 1 FROM (SELECT * FROM pg_settings WHERE name = 'work_mem') s WHERE setting::regclass IS NULL", 'admin'],
    ["WITH s AS (SELECT * FROM pg_settings) SELECT 1 FROM pg_settings WHERE name = 'work_mem'", 'admin'],
    ["SELECT (SELECT setting FROM pg_settings) FROM pg_settings WHERE name = 'work_mem'", 'read admin'],
    ["SELECT setting FROM pg_settings WHERE name = 'a' UNION SELECT setting FROM pg_settings", 'admin'],
    ['CREATE TABLE t AS SELECT * FROM pg_settings', 'ddl admin'],
    ['COPY (SELECT * FROM pg_settings) TO STDOUT', 'admin'],
    ["INSERT INTO t SELECT setting FROM pg_settings WHERE name = 'work_mem'", 'write admin'],
    ['MERGE INTO t USING pg_settings s ON t.a = s.name WHEN MATCHED THEN DELETE', 'write admin'],
  ] as const) {
    const facts = one(sql);
    const found = new Set(facts.relations.map((use) => use.verb));
    assert.equal(VERBS.filter((one) => found.has(one)).join(' '), verb, sql);
    assert.ok(!verb.includes('admin') || !facts.valueBlind, sql);
  }
  assert.equal(one("SELECT setting FROM pg_settings WHERE name = 'work_mem'").valueBlind, false);
});
