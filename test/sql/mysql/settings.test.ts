// What SET needs, in all its forms: what would change how texts are read never passes.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BOTH, MARIADB, MYSQL, mode, needs, one, refusal } from './brief.ts';

test('each form of SET is known, with its variable and value', () => {
  for (const [sql, settings] of [
    ['SET autocommit = 0', 'autocommit=0 read'],
    ['SET AUTOCOMMIT := ON', 'autocommit=ON read'],
    ['SET SESSION max_execution_time = 5', 'max_execution_time=5 read'],
    ['SET LOCAL wait_timeout = 5', 'wait_timeout=5 read'],
    ['SET @@wait_timeout = 5', 'wait_timeout=5 read'],
    ['SET @@SESSION.wait_timeout = 5', 'wait_timeout=5 read'],
    ['SET @@local.`wait_timeout` = 5', 'wait_timeout=5 read'],
    ['SET `wait_timeout` = DEFAULT', 'wait_timeout=null read'],
    ['SET wait_timeout = 5, sort_buffer_size = 6', 'wait_timeout=5 read, sort_buffer_size=6 read'],
    ['SET SESSION wait_timeout = 5, GLOBAL sort_buffer_size = 6', 'wait_timeout=5 read, sort_buffer_size=6 admin'],
    ['SET GLOBAL wait_timeout = 5', 'wait_timeout=5 admin'],
    ['SET PERSIST wait_timeout = 5', 'wait_timeout=5 admin'],
    ['SET @@persist_only.wait_timeout = 5', 'wait_timeout=5 admin'],
    ['SET @@global.wait_timeout = 5', 'wait_timeout=5 admin'],
    ['SET @a = 1, wait_timeout = 5', 'wait_timeout=5 read'],
    ['SET foreign_key_checks = 0', 'foreign_key_checks=0 write'],
    ['SET sql_log_bin = 0', 'sql_log_bin=0 admin'],
    ['SET resultset_metadata = NONE', 'resultset_metadata=NONE admin'],
    ['SET no_such_thing = 0', 'no_such_thing=0 admin'],
    ['SET hot.key_buffer_size = 1', 'hot.key_buffer_size=1 admin'],
    ["SET time_zone = '+00:00'", 'time_zone=+00:00 read'],
    ['SET time_zone = @a', 'time_zone=null admin'],
    ['SET transaction_read_only = 1', 'transaction_read_only=1 read'],
    ['SET transaction_read_only = 0', 'transaction_read_only=0 write'],
    ['SET tx_read_only = @a', 'tx_read_only=null write'],
  ] as const) {
    for (const reading of BOTH) {
      const found = one(sql, reading).settings.map(({ name, value, need }) => `${name}=${value} ${need}`);
      assert.equal(found.join(', '), settings, sql);
    }
  }
});

test('the character set stays one of UTF-8', () => {
  for (const [sql, need] of [
    ['SET NAMES utf8mb4', ''],
    ["SET NAMES 'utf8'", ''],
    ['SET NAMES utf8mb3 COLLATE utf8mb3_bin', ''],
    ['SET NAMES latin1', 'never'],
    ['SET NAMES gbk', 'never'],
    ['SET NAMES DEFAULT', 'never'],
    ['SET CHARACTER SET utf8mb4', 'never'],
    ['SET CHARSET sjis', 'never'],
    ['SET CHAR SET sjis', 'never'],
    ['SET character_set_client = utf8mb4', ''],
    ['SET character_set_client = gbk', 'never'],
    ['SET @@character_set_client = 28', 'never'],
    ["SET SESSION character_set_connection = 'ucs2'", 'never'],
    ['SET character_set_results = NULL', ''],
    ['SET character_set_results = @a', 'never'],
    ["SET character_set_client = CONCAT('g', 'bk')", 'never'],
    ['SET GLOBAL character_set_client = gbk', 'never'],
    ['SET collation_connection = utf8mb4_bin', ''],
    ['SET collation_connection = gbk_bin', 'never'],
    ['SET @a = 1, NAMES gbk', 'never'],
    ['SET autocommit = 1, @@character_set_client = gbk', 'never'],
    ['SET character_set_server = gbk', 'admin'],
    ['SET old_mode = UTF8_IS_UTF8MB3', 'never'],
  ] as const) {
    for (const reading of BOTH) assert.equal(needs(one(sql, reading)), need, sql);
  }
});

test('sql_mode may change where texts are read alike', () => {
  const ansi = mode('ANSI_QUOTES');
  for (const [sql, need, reading] of [
    ["SET sql_mode = ''", '', MYSQL],
    ["SET sql_mode = 'STRICT_TRANS_TABLES,NO_ZERO_DATE'", '', MYSQL],
    ['SET SESSION sql_mode = TRADITIONAL', '', MYSQL],
    ["SET sql_mode = 'ANSI_QUOTES'", 'never', MYSQL],
    ["SET @@sql_mode = 'ansi'", 'never', MYSQL],
    ["SET sql_mode = 'NO_BACKSLASH_ESCAPES'", 'never', MYSQL],
    ["SET sql_mode = 'PIPES_AS_CONCAT'", 'never', MYSQL],
    ["SET sql_mode = 'IGNORE_SPACE'", 'never', MYSQL],
    ["SET sql_mode = 'HIGH_NOT_PRECEDENCE'", 'never', MYSQL],
    ["SET sql_mode = 'ORACLE'", 'never', MARIADB],
    ['SET sql_mode = DEFAULT', 'never', MYSQL],
    ['SET sql_mode = 4', 'never', MYSQL],
    ["SET sql_mode = '4'", 'never', MYSQL],
    ['SET sql_mode = @@sql_mode', 'never', MYSQL],
    ["SET sql_mode = CONCAT(@@sql_mode, ',ANSI_QUOTES')", 'never', MYSQL],
    ["SET sql_mode = CONCAT(@@sql_mode, ',STRICT_TRANS_TABLES')", '', MYSQL],
    ["SET autocommit = 1, sql_mode = concat(@@session.sql_mode, ',STRICT_TRANS_TABLES')", '', MARIADB],
    ["SET sql_mode = CONCAT('NO_ZERO_DATE,', @@sql_mode)", '', MYSQL],
    ["SET sql_mode = CONCAT(@@sql_mode, 'NO_BACKSLASH', '_ESCAPES')", 'never', MYSQL],
    ["SET sql_mode = CONCAT(@@sql_mode, ',ANSI', '_QUOTES')", 'never', MYSQL],
    ["SET sql_mode = CONCAT(@@sql_mode, ',NO_BACKSLASH_', 'ESCAPES')", 'never', MYSQL],
    ["SET sql_mode = CONCAT(@@global.sql_mode, ',STRICT_TRANS_TABLES')", 'never', MYSQL],
    ["SET sql_mode = CONCAT(@@sql_mode, ',', @a)", 'never', MYSQL],
    ["SET sql_mode = CONCAT(@@sql_mode, ',ANSI_QUOTES')", '', ansi],
    ["SET sql_mode = REPLACE(@@sql_mode, 'ONLY_FULL_GROUP_BY', '')", '', MYSQL],
    ["SET sql_mode = REPLACE(@@sql_mode, 'ONLY_FULL_GROUP_BY,', '')", '', ansi],
    ["SET sql_mode = REPLACE(@@sql_mode, 'ANSI_QUOTES', '')", 'never', ansi],
    ["SET sql_mode = REPLACE(@@sql_mode, 'ONLY_FULL_GROUP_BY', 'ANSI_QUOTES')", 'never', MYSQL],
    ["SET GLOBAL sql_mode = 'ANSI_QUOTES'", 'never', MYSQL],
    ["SET sql_mode = 'ANSI_QUOTES'", '', ansi],
    ["SET sql_mode = 'ANSI_QUOTES,STRICT_ALL_TABLES'", '', ansi],
    ["SET sql_mode = ''", 'never', ansi],
  ] as const) {
    assert.equal(needs(one(sql, reading)), need, sql);
  }
});

test('SETs that are no variables', () => {
  assert.equal(needs(one('SET STATEMENT max_statement_time = 1 FOR SELECT 1', MARIADB)), 'admin opaque');
  assert.equal(needs(one("SET PASSWORD FOR a = 'x'")), 'admin');
  assert.equal(needs(one("SET autocommit = 1, PASSWORD = 'x'")), 'admin');
  for (const sql of ['SET session.sql_mode = ANSI', 'SET autocommit = 1, ROLE r', 'SET a', 'SET = 1', 'SET a 1']) {
    assert.notEqual(refusal(sql), '', sql);
  }
});

test('values are expressions like any other', () => {
  const facts = one("SET @a = (SELECT b FROM t), wait_timeout = LOAD_FILE('/f')");
  assert.deepEqual(facts.relations, [{ schema: null, name: 't', verb: 'read' }]);
  assert.deepEqual(facts.functions, [{ schema: null, name: 'load_file', need: 'admin' }]);
});
