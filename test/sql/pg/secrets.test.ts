// Secrets in statement texts: where they stand, so that the record does not keep them.

import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { ready } from '../../../src/sql/pg/classify.ts';
import { looseSecretSpans } from '../../../src/sql/pg/secrets.ts';
import { all } from './brief.ts';

before(ready);

const cut = (sql: string, spans: readonly (readonly [number, number])[]) =>
  spans.map(([start, end]) => sql.slice(start, end));

test('literals that are secrets are found, whatever stands around them', () => {
  for (const [sql, secrets] of [
    ["CREATE ROLE x LOGIN PASSWORD 'a''b' VALID UNTIL '2030-01-01'", ["'a''b'"]],
    ["ALTER USER x WITH ENCRYPTED PASSWORD E'a\\'b'", ["E'a\\'b'"]],
    ["ALTER ROLE x PASSWORD /* ' */ $$pw$$", ['$$pw$$']],
    ["ALTER ROLE x PASSWORD U&'\\0061'", ["U&'\\0061'"]],
    ["ALTER ROLE x PASSWORD 'a'\n 'b'", ["'a'\n 'b'"]],
    ['ALTER ROLE x PASSWORD NULL', []],
    ["SELECT 'é𝒳'; ALTER ROLE é PASSWORD 'é𝒳'; SELECT 'x'", ["'é𝒳'"]],
    ["CREATE USER MAPPING FOR x SERVER s OPTIONS (user 'u', password 'p')", ["'u'", "'p'"]],
    ["ALTER USER MAPPING FOR x SERVER s OPTIONS (SET password 'p')", ["'p'"]],
    ["CREATE SERVER s FOREIGN DATA WRAPPER f OPTIONS (host 'h')", ["'h'"]],
    ["CREATE SUBSCRIPTION s CONNECTION 'host=h password=p' PUBLICATION p", ["'host=h password=p'"]],
    ["ALTER SYSTEM SET primary_conninfo = 'password=p'", ["'password=p'"]],
    ["ALTER ROLE x SET app.secret = 's'", ["'s'"]],
    ["SET app.secret = 's'", ["'s'"]],
    ["SELECT set_config('app.secret', 's', false)", ["'s'"]],
    ["SELECT dblink_connect('c', 'password=p')", ["'c'", "'password=p'"]],
    ["SELECT pgp_sym_encrypt(a, 'k'), 'other' FROM t", ["'k'"]],
    ["UPDATE t SET a = crypt('p', gen_salt('bf')), b = 'other'", ["'p'"]],
    ["SELECT 'password', password FROM t WHERE password = 'x'", []],
  ] as const) {
    const found = all(sql).flatMap((facts) => facts.secrets);
    assert.deepEqual(cut(sql, found), secrets, sql);
  }
});

test('in a text that is not understood, secrets are found by their look', () => {
  for (const [sql, secrets] of [
    ["ALTER ROLE x PASSWORD 'a''b' VALID", ["'a''b'"]],
    ["alter role x password 'never closed", ["'never closed"]],
    ["DO $$ BEGIN ALTER ROLE x PASSWORD 'p'; END $$", ["'p'"]],
    ["SELECT dblink('host=h password=p x')", ['p']],
  ] as const) {
    assert.deepEqual(cut(sql, looseSecretSpans(sql)), secrets, sql);
  }
});
