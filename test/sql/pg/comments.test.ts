// Comments that would hold up the parser are refused before it sees them; ordinary ones are not.

import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { classify, ready } from '../../../src/sql/pg/classify.ts';

before(ready);

test('A13: a text of comments is refused, one with some is not', () => {
  for (const text of [
    '/*'.repeat(8000),
    `${'/*'.repeat(101)}${'*/'.repeat(101)}`,
    '/**/'.repeat(1001),
    '--\n'.repeat(1001),
  ]) {
    const classified = classify(`${text} SELECT 1`);
    assert.ok(!classified.ok);
    assert.match(classified.reason, /too many comments/);
  }
  for (const text of [
    '/* /* nested */ */'.repeat(90),
    '/* a */ '.repeat(900),
    '-- a /* b\n'.repeat(900),
    "SELECT '/*/*/*';",
  ]) {
    assert.ok(classify(`${text} SELECT 1`).ok, text.slice(0, 20));
  }
});
