// Secrets in statement texts: where they stand, so that the record does not keep them.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { looseSecretSpans } from '../../../src/sql/mysql/secrets.ts';
import { all, BOTH, MARIADB, MYSQL } from './brief.ts';

const cut = (sql: string, spans: readonly (readonly [number, number])[]) =>
  spans.map(([start, end]) => sql.slice(start, end));

test('literals that are secrets are found, whatever stands around them', () => {
  for (const [sql, secrets] of [
    ["CREATE USER a@'h' IDENTIFIED BY 'p''q' COMMENT 'c'", ["'p''q'"]],
    ["CREATE USER a IDENTIFIED WITH caching_sha2_password BY 'p'", ["'p'"]],
    ["CREATE USER a IDENTIFIED WITH 'x' AS 'h'", ["'h'"]],
    ["CREATE USER a IDENTIFIED BY /* ' */ 'p', b IDENTIFIED BY 'q'", ["'p'", "'q'"]],
    ["ALTER USER a IDENTIFIED BY 'p' REPLACE 'q'", ["'p'", "'q'"]],
    ["GRANT ALL ON *.* TO a IDENTIFIED BY 'p'", ["'p'"]],
    ["GRANT ALL ON *.* TO a IDENTIFIED BY PASSWORD '*ABC'", ["'*ABC'"]],
    ["SET PASSWORD = 'p'", ["'p'"]],
    ["SET PASSWORD FOR a@b = PASSWORD('p')", ["'p'"]],
    ["CHANGE MASTER TO MASTER_HOST = 'h', MASTER_PASSWORD = 'p'", ["'p'"]],
    ["CHANGE REPLICATION SOURCE TO SOURCE_PASSWORD='p', SOURCE_HOST='h'", ["'p'"]],
    ["START REPLICA USER = 'u' PASSWORD = 'p'", ["'p'"]],
    ["CREATE SERVER s FOREIGN DATA WRAPPER mysql OPTIONS (USER 'u', PASSWORD 'p')", ["'p'"]],
    ["CREATE TABLE t (a INT) ENGINE=FEDERATED CONNECTION='mysql://u:p@h/d'", ["'mysql://u:p@h/d'"]],
    ["SELECT AES_ENCRYPT(a, 'k'), 'other' FROM t", ["'k'"]],
    ["UPDATE t SET a = AES_DECRYPT(b, SHA2('k', 512)), c = 'other'", ["'k'"]],
    ["SELECT PASSWORD('p')", ["'p'"]],
    ["SELECT 'é𝒳'; SET PASSWORD = 'é𝒳'; SELECT 'x'", ["'é𝒳'"]],
    ["PREPARE x FROM 'CREATE USER a IDENTIFIED BY ''p'''", ["'CREATE USER a IDENTIFIED BY ''p'''"]],
    ["PREPARE x FROM 'SELECT AES_ENCRYPT(1, ''k'')'", ["'SELECT AES_ENCRYPT(1, ''k'')'"]],
    ["PREPARE x FROM 'SELECT ''k'''", []],
    ["SELECT 'password', password FROM t WHERE password = 'x'", []],
    ["SELECT IDENTIFIED FROM t WHERE a = 'by'", []],
  ] as const) {
    for (const reading of BOTH) {
      const found = all(sql, reading).flatMap((facts) => facts.secrets);
      assert.deepEqual(cut(sql, found), secrets, sql);
    }
  }
});

test('a text with secrets has no key that it would share with others', () => {
  for (const [sql, blind] of [
    ["SELECT AES_ENCRYPT(a, 'k') FROM t", false],
    ["SELECT UPPER('k') FROM t", true],
  ] as const) {
    for (const reading of [MYSQL, MARIADB]) assert.equal(all(sql, reading)[0]?.valueBlind, blind, sql);
  }
});

test('in texts that are not understood, secrets are found by their look', () => {
  for (const [sql, secrets] of [
    ["CREATE USER a IDENTIFIED BY 'p' FROBNICATE", ["'p'"]],
    ['CREATE USER a IDENTIFIED BY "p\\"q" FROBNICATE', ['"p\\"q"']],
    ["create user a identified with x as 'p", ["'p"]],
    ["SET PASSWORD = PASSWORD('p') FROBNICATE", ["'p'"]],
    ["MASTER_PASSWORD='p'", ["'p'"]],
    ["SELECT 'x'", []],
  ] as const) {
    assert.deepEqual(cut(sql, looseSecretSpans(sql)), secrets, sql);
  }
});
