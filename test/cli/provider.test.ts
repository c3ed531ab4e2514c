// Which addresses the command line trusts with a login: not every one that answers in the gateway's place may name any.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { logInMachine } from '../../src/cli/provider.ts';

test('an issuer over http is one of this machine', async () => {
  const about = { audience: 'sallyport', clientId: 'robot', secretFile: '/nowhere', parameters: {} };
  for (const issuer of ['http://192.0.2.1', 'http://127.0.0.1.example.com', 'http://localhost.example.com']) {
    await assert.rejects(logInMachine({ ...about, issuer }), /HTTPS/, issuer);
  }
  // Port 9 is nobody's: it is dialled.
  await assert.rejects(
    logInMachine({ ...about, issuer: 'http://127.0.0.1:9' }),
    /does not answer.*(ECONNREFUSED|bad port)/,
  );
});
