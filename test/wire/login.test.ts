// What the log is told of those that did not get in.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loggable } from '../../src/wire/login.ts';

test('a login is logged whole where it is one; a secret or a token in its place is not', () => {
  for (const login of ['gr_abcdefghijklmnop', 'oidc', `oidc:${'a long task '.repeat(8)}`, 'postgres', '']) {
    assert.equal(loggable(login), login);
  }
  const secret = 'qh0dVpd29aFeeiMpEPyh8ZG3lfv5hfhh9zT1w8njKSs';
  const token = `eyJhbGciOiJFUzI1NiJ9.${'x'.repeat(3_000)}`;
  for (const login of [secret, token, `oidc:${token}`, `gr_${secret}`]) {
    assert.equal(loggable(login), `${login.slice(0, 16)}…`);
  }
});
