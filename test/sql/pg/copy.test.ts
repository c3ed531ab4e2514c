// The form of COPY … TO STDOUT from its options, in the old syntax and the new one.

import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { ready } from '../../../src/sql/pg/classify.ts';
import type { CopyForm } from '../../../src/types.ts';
import { one } from './brief.ts';

before(ready);

const TEXT: CopyForm = {
  format: 'text',
  delimiter: '\t',
  null: '\\N',
  quote: '"',
  escape: '"',
  header: false,
  encoding: null,
  unknown: null,
};
const CSV: CopyForm = { ...TEXT, format: 'csv', delimiter: ',', null: '' };
const BINARY: CopyForm = { ...TEXT, format: 'binary' };

test('the options of both syntaxes, and what they leave open', () => {
  const rows: readonly (readonly [options: string, form: CopyForm])[] = [
    ['', TEXT],
    ["WITH DELIMITER '|' NULL AS 'x'", { ...TEXT, delimiter: '|', null: 'x' }],
    ["USING DELIMITERS '|'", { ...TEXT, delimiter: '|' }],
    ['BINARY', BINARY],
    ['(FORMAT binary)', BINARY],
    ['CSV HEADER', { ...CSV, header: true }],
    ["WITH CSV QUOTE AS '''' ESCAPE '\\' FORCE QUOTE a, b NULL ''", { ...CSV, quote: "'", escape: '\\' }],
    ["(FORMAT csv, QUOTE '~')", { ...CSV, quote: '~', escape: '~' }],
    ["(FORMAT 'csv', FORCE_QUOTE *, ENCODING 'utf8', DELIMITER E'\\t')", { ...CSV, encoding: 'utf8', delimiter: '\t' }],
    ['(HEADER)', { ...TEXT, header: true }],
    ['(HEADER 1)', { ...TEXT, header: true }],
    ['(HEADER 0)', TEXT],
    ["(HEADER 'On')", { ...TEXT, header: true }],
    ['(HEADER TRUE)', { ...TEXT, header: true }],
    ['(HEADER off)', TEXT],
    ['(NULL n, DELIMITER d)', { ...TEXT, null: 'n', delimiter: 'd' }],
  ];
  for (const [options, form] of rows) assert.deepEqual(one(`COPY t TO STDOUT ${options}`).copy, form, options);
  assert.deepEqual(one('COPY BINARY t TO STDOUT').copy, BINARY);
  assert.deepEqual(one('COPY (SELECT a FROM t) TO STDOUT CSV').copy, CSV);
});

test('an option that is not understood is named', () => {
  const rows: readonly (readonly [options: string, unknown: string])[] = [
    ['(FORMAT arrow)', 'format'],
    ["(FORMAT 'CSV')", 'format'],
    ['(FORMAT)', 'format'],
    ['(HEADER match)', 'header'],
    ['(HEADER 2)', 'header'],
    ['(HEADER 1.0)', 'header'],
    ['(HEADER, FORMAT csv, HEADER false)', 'header'],
    ['(DELIMITER 1)', 'delimiter'],
    ['(DELIMITER)', 'delimiter'],
    ['(NULL (a, b))', 'null'],
    ["(DEFAULT 'd')", 'default'],
    ['(FREEZE)', 'freeze'],
    ["(DELIMITER '|', DELIMITER ',')", 'delimiter'],
  ];
  for (const [options, unknown] of rows)
    assert.equal(one(`COPY t TO STDOUT ${options}`).copy?.unknown, unknown, options);
});

test('nothing but COPY … TO STDOUT has a form, and its literals are part of it', () => {
  for (const sql of ['SELECT 1', 'COPY t FROM STDIN CSV', "COPY t TO '/tmp/x'", "COPY t TO PROGRAM 'cat'"]) {
    assert.equal(one(sql).copy, undefined, sql);
  }
  assert.equal(one("COPY t TO STDOUT (DELIMITER '|')").valueBlind, false);
});
