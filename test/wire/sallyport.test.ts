// Which texts are the gateway's own statements.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Grant } from '../../src/types.ts';
import { completedRow, ownWord, statusRow } from '../../src/wire/sallyport.ts';

test('in any case, with white space and comments around it, and a semicolon behind', () => {
  for (const text of [
    'SALLYPORT STATUS',
    'sallyport status',
    'Sallyport\n\tStatus ;',
    '  SALLYPORT STATUS;  \n',
    '/* app */ SALLYPORT /* x */ STATUS /* traceparent=1 */;-- end',
    '-- first\n# second\nSALLYPORT STATUS -- last',
    'SALLYPORT--x\nSTATUS',
  ]) {
    assert.equal(ownWord(text), 'status', text);
    assert.equal(ownWord(text.replace(/status/i, 'complete')), 'complete', text);
  }
});

test('whatever else begins with the word is unknown, and so goes to no database', () => {
  for (const text of [
    'SALLYPORT',
    'SALLYPORT;',
    'SALLYPORT HELP',
    'sallyport status now',
    'SALLYPORT STATUS; DROP TABLE users',
    'SALLYPORT STATUS;;',
    'SALLYPORT COMPLETED',
    'SALLYPORT "STATUS"',
    'SALLYPORT /*!50000 STATUS */',
    'SALLYPORT STATUS /* not closed',
    'SALLYPORT (STATUS)',
    'SALLYPORT;STATUS',
    'sallyport é',
  ]) {
    assert.equal(ownWord(text), 'unknown', text);
  }
});

test('other texts are for the database', () => {
  for (const text of [
    '',
    ';',
    'SELECT 1',
    "SELECT 'SALLYPORT STATUS'",
    'SALLYPORTS STATUS',
    'sallyport_x',
    'sallyport$ STATUS',
    'SELECT 1; SALLYPORT STATUS',
    '"SALLYPORT" STATUS',
    '/* SALLYPORT STATUS */ SELECT 1',
    '-- SALLYPORT STATUS',
    '/*!50000 SALLYPORT STATUS */',
    '/*M! SALLYPORT STATUS */',
    '/* /* */ SALLYPORT STATUS */ SELECT 1',
    '/* SALLYPORT STATUS',
  ]) {
    assert.equal(ownWord(text), null, text);
  }
});

test('long texts take linear time', () => {
  const size = 2_000_000;
  for (const piece of ['/**/', '/* ', '--\n', ' ', 'a', '#\n', '/*x*/ -- y\n']) {
    const text = piece.repeat(size / piece.length);
    ownWord(text);
    ownWord(`SALLYPORT ${text}`);
  }
});

test('an answer is one row of texts and numbers', () => {
  const grant: Grant = {
    id: 'gr_a',
    task: 'fix-index',
    reason: 'r',
    identity: { issuer: 'i', subject: 's', groups: [] },
    connection: 'db',
    scopes: ['db:db:read', 'db:db.public.orders:write'].map((text) => ({
      connection: 'db',
      schema: '*',
      table: '*',
      verbs: new Set(),
      text,
    })),
    requestedAt: 0,
    expiresAt: 60_000,
  };
  const values = Object.fromEntries(
    statusRow({ grant, state: 'active', left: 59_999 }).map(({ name, value }) => [name, value]),
  );
  assert.deepEqual(values, {
    grant: 'gr_a',
    task: 'fix-index',
    connection: 'db',
    scopes: 'db:db:read, db:db.public.orders:write',
    state: 'active',
    expires_at: '1970-01-01T00:01:00.000Z',
    seconds_left: 59,
    approvals_waiting: 0,
  });
  assert.deepEqual(
    completedRow({ grant, state: 'active', left: 1 }).map(({ value }) => value),
    ['gr_a', 'fix-index', 'completed'],
  );
});
