// Login by token, byte by byte: asked for inside TLS alone, whole at every split, and what each answer makes of it.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TokenAnswer } from '../../../src/wire/login.ts';
import { type Acceptance, type AcceptStep, createAcceptance } from '../../../src/wire/pg/accept.ts';
import { decodeError } from '../../../src/wire/pg/decode.ts';
import * as messages from '../../../src/wire/pg/messages.ts';
import { unthrottled } from '../unthrottled.ts';

const TOKEN = `eyJhbGciOiJFUzI1NiJ9.${'x'.repeat(5_000)}.signature`;
const CLEARTEXT = Buffer.from([0x52, 0, 0, 0, 8, 0, 0, 0, 3]);

function begin({ tls = true, tokens = true } = {}): Acceptance {
  const machine = createAcceptance({ tls: 'offered', lookup: () => undefined, tokens });
  const acceptance = unthrottled<AcceptStep, Acceptance>(machine);
  if (!tls) return acceptance;
  acceptance.push(messages.sslRequest());
  acceptance.tlsEstablished(null, Buffer.alloc(32));
  return acceptance;
}

const startup = (user: string, database?: string, version = 0x30000) =>
  messages.startupMessage(version, Object.entries({ user, ...(database === undefined ? {} : { database }) }));

/** The FATAL of a step that closes. */
function fatal(step: AcceptStep | undefined): Record<string, string | undefined> {
  assert.ok(step?.do === 'close', step?.do);
  const fields = decodeError(step.bytes, 5, step.bytes.length);
  return { code: fields?.get('C'), message: fields?.get('M'), hint: fields?.get('H'), failure: step.failure };
}

test('inside TLS the token is asked for as a password, and is whole at every split', () => {
  const bytes = messages.passwordMessage(TOKEN);
  for (let cut = 0; cut <= bytes.length; cut += cut < 16 ? 1 : 97) {
    const acceptance = begin();
    const asked = acceptance.push(startup('oidc', 'analytics'));
    assert.deepEqual(asked, [{ do: 'send', bytes: CLEARTEXT }]);
    const steps = [...acceptance.push(bytes.subarray(0, cut)), ...acceptance.push(bytes.subarray(cut))];
    assert.deepEqual(steps, [{ do: 'token', task: null, token: TOKEN, database: 'analytics' }]);
  }
});

test('the task stands behind a colon; a database that is the login’s name is none', () => {
  for (const [user, task] of [
    ['oidc', null],
    ['oidc:', null],
    ['oidc:fix-index', 'fix-index'],
    ['oidc:a:b c', 'a:b c'],
  ] as const) {
    const acceptance = begin();
    acceptance.push(startup(user, user));
    assert.deepEqual(acceptance.push(messages.passwordMessage('t')), [
      { do: 'token', task, token: 't', database: null },
    ]);
  }
});

test('outside TLS, and where no issuer is configured, nothing is asked for', () => {
  assert.deepEqual(fatal(begin({ tls: false }).push(startup('oidc')).at(-1)), {
    code: '28000',
    message: 'this gateway takes tokens over TLS only',
    hint: 'Connect with sslmode=require: a token is never asked for in the clear.',
    failure: 'tls',
  });
  const { code, message } = fatal(begin({ tokens: false }).push(startup('oidc:x')).at(-1));
  assert.deepEqual([code, message], ['28000', 'login with a token needs a configured issuer, and none is']);
});

test('a proven token leads to its grant, with what came behind it kept', () => {
  const acceptance = begin();
  const behind = messages.query('select 1');
  acceptance.push(startup('oidc', 'analytics', 0x30002));
  acceptance.push(Buffer.concat([messages.passwordMessage(TOKEN), behind.subarray(0, 5)]));
  assert.deepEqual(acceptance.push(behind.subarray(5)), []);
  const [step] = acceptance.tokenAnswered({ grant: 'gr_a' });
  assert.ok(step?.do === 'authenticated');
  assert.deepEqual([step.login, step.database, step.protocolMinor, step.rest], ['gr_a', 'analytics', 2, behind]);
  assert.deepEqual(acceptance.tokenAnswered({ grant: 'gr_b' }), [], 'once');
});

test('the words for a token that proves nobody are the same, whatever is wrong; for who is proven they are exact', () => {
  const answered = (answer: TokenAnswer) => {
    const acceptance = begin();
    acceptance.push(startup('oidc'));
    acceptance.push(messages.passwordMessage(TOKEN));
    return acceptance.tokenAnswered(answer).at(-1);
  };
  const expired = answered({ unproven: 'it has expired' });
  assert.ok(expired?.do === 'close' && expired.reason === 'it has expired' && expired.failure === 'token');
  const forged = answered({ unproven: 'its signature is wrong' });
  assert.deepEqual(fatal(forged), fatal(expired));
  assert.equal(fatal(forged).code, '28P01');
  assert.ok(!forged || (forged.do === 'close' && !forged.bytes.includes('xxxx') && !forged.reason.includes('xxxx')));
  assert.deepEqual(fatal(answered({ refused: 'several are live', hint: 'Name one.' })), {
    code: '28000',
    message: 'several are live',
    hint: 'Name one.',
    failure: 'grant',
  });
});

test('16 KiB are read, more are not waited for; what is no password ends the login', () => {
  const most = begin();
  most.push(startup('oidc'));
  assert.equal(most.push(messages.passwordMessage('t'.repeat(16 * 1024))).at(-1)?.do, 'token');
  const header = (length: number) => {
    const bytes = Buffer.from([0x70, 0, 0, 0, 0]);
    bytes.writeInt32BE(length, 1);
    return bytes;
  };
  for (const bytes of [
    header(4 + 16 * 1024 + 2),
    header(3),
    header(-1),
    messages.query('select 1'),
    messages.saslResponse(Buffer.from('no end')),
    messages.saslResponse(Buffer.from('an\0end')),
    messages.saslResponse(Buffer.alloc(0)),
  ]) {
    const acceptance = begin();
    acceptance.push(startup('oidc'));
    assert.equal(fatal(acceptance.push(bytes).at(-1)).code, '08P01', bytes.toString('hex'));
  }
});

test('while it is proven, what comes is held, and not without bound', () => {
  const acceptance = begin();
  acceptance.push(startup('oidc'));
  acceptance.push(messages.passwordMessage(TOKEN));
  for (let i = 0; i < 64; i++) assert.deepEqual(acceptance.push(Buffer.alloc(1024)), []);
  assert.equal(acceptance.push(Buffer.alloc(1024)).at(-1)?.do, 'close');
  assert.deepEqual(acceptance.tokenAnswered({ grant: 'gr_a' }), []);
});
