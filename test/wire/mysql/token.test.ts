// Login by token, packet by packet: inside TLS alone, by whichever plugin a client begins with, and never with a key in between.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TokenAnswer } from '../../../src/wire/login.ts';
import { type Acceptance, type AcceptStep, createAcceptance } from '../../../src/wire/mysql/accept.ts';
import { LoginKey, Plugin } from '../../../src/wire/mysql/auth.ts';
import { packets } from '../../../src/wire/mysql/frame.ts';
import { Capability, handshakeResponse, OFFERED, sslRequest } from '../../../src/wire/mysql/messages.ts';
import { unthrottled } from '../unthrottled.ts';

const TOKEN = `eyJhbGciOiJFUzI1NiJ9.${'x'.repeat(5_000)}.signature`;
const HASH = Buffer.alloc(32, 1);
const key = new LoginKey();

function begin({ tls = true, tokens = true } = {}): Acceptance {
  const options = { tls: 'offered', version: '8.0.36', connectionId: 7, key, lookup: () => undefined, tokens } as const;
  const acceptance = unthrottled<AcceptStep, Acceptance>(createAcceptance(options));
  acceptance.start();
  if (!tls) return acceptance;
  acceptance.push(sslRequest(1, OFFERED, 45));
  acceptance.tlsEstablished(null, null);
  return acceptance;
}

function response(plugin: string, proof: Buffer, user = 'oidc', database = 'shop'): Buffer {
  const capabilities = (OFFERED & ~Capability.connectAttrs) >>> 0;
  return handshakeResponse(2, { capabilities, collation: 45, user, response: proof, database, plugin });
}

const sent = (step: AcceptStep | undefined): Buffer => {
  assert.ok(step?.do === 'send', step?.do);
  return step.bytes.subarray(4);
};

const token = (step: AcceptStep | undefined) => {
  assert.ok(step?.do === 'token', step?.do);
  return [step.task, step.token, step.database];
};

const error = (step: AcceptStep | undefined) => {
  assert.ok(step?.do === 'close', step?.do);
  return { code: step.bytes.readUInt16LE(5), message: step.bytes.toString('utf8', 13), failure: step.failure };
};

test('caching_sha2_password: the whole password is asked for, whatever the hash, and the token is whole at every split', () => {
  const bytes = packets(4, Buffer.from(`${TOKEN}\0`));
  for (let cut = 0; cut <= bytes.length; cut += cut < 16 ? 1 : 97) {
    const acceptance = begin();
    assert.deepEqual(sent(acceptance.push(response(Plugin.sha2, HASH)).at(-1)), Buffer.from([1, 4]));
    const steps = [...acceptance.push(bytes.subarray(0, cut)), ...acceptance.push(bytes.subarray(cut))];
    assert.deepEqual(token(steps.at(-1)), [null, TOKEN, 'shop']);
  }
});

test('a client of another plugin is asked to switch, then for the whole password', () => {
  for (const plugin of [Plugin.native, 'client_ed25519']) {
    const acceptance = begin();
    const asked = sent(acceptance.push(response(plugin, Buffer.alloc(20, 1), 'oidc:fix')).at(-1));
    assert.ok(asked[0] === 0xfe && asked.includes('caching_sha2_password'));
    assert.deepEqual(sent(acceptance.push(packets(4, HASH)).at(-1)), Buffer.from([1, 4]));
    assert.deepEqual(token(acceptance.push(packets(6, Buffer.from(`${TOKEN}\0`))).at(-1)), ['fix', TOKEN, 'shop']);
  }
});

test('mysql_clear_password: the token stands in the response, with its NUL or without', () => {
  for (const end of ['\0', '']) {
    const [step] = begin().push(response(Plugin.clear, Buffer.from(TOKEN + end)));
    assert.deepEqual(token(step), [null, TOKEN, 'shop']);
  }
});

test('outside TLS nothing is asked for, a public key neither; and not where no issuer is configured', () => {
  for (const plugin of [Plugin.sha2, Plugin.native]) {
    const acceptance = begin({ tls: false });
    const { code, failure } = error(acceptance.push(response(plugin, HASH)).at(-1));
    assert.deepEqual([code, failure], [3159, 'tls']);
    assert.deepEqual(acceptance.push(packets(3, Buffer.from([2]))), []);
  }
  assert.match(error(begin({ tokens: false }).push(response(Plugin.sha2, HASH)).at(-1)).message, /configured issuer/);
});

test('inside TLS one who asks for the public key sends no token', () => {
  const acceptance = begin();
  acceptance.push(response(Plugin.sha2, HASH));
  const [step] = acceptance.push(packets(4, Buffer.from([2])));
  assert.deepEqual(token(step), [null, '\x02', 'shop'], 'it is taken for the token that it is not');
});

test('a proven token leads to its grant, with the sequence id that follows', () => {
  const acceptance = begin();
  acceptance.push(response(Plugin.sha2, HASH));
  acceptance.push(packets(4, Buffer.from(`${TOKEN}\0`)));
  const [step] = acceptance.tokenAnswered({ grant: 'gr_a' });
  assert.ok(step?.do === 'authenticated');
  assert.deepEqual([step.login, step.database, step.sequence], ['gr_a', 'shop', 5]);
});

test('the words for a token that proves nobody are the same, whatever is wrong; for who is proven they are exact', () => {
  const answered = (answer: TokenAnswer) => {
    const acceptance = begin();
    acceptance.push(response(Plugin.sha2, HASH));
    acceptance.push(packets(4, Buffer.from(`${TOKEN}\0`)));
    return acceptance.tokenAnswered(answer).at(-1);
  };
  const expired = answered({ unproven: 'it has expired' });
  assert.ok(expired?.do === 'close' && expired.reason === 'it has expired');
  assert.deepEqual(error(answered({ unproven: 'its signature is wrong' })), error(expired));
  assert.equal(error(expired).message, "Access denied for user 'oidc' (using password: YES)");
  assert.deepEqual(error(answered({ refused: 'several are live', hint: 'Name one.' })), {
    code: 1045,
    message: 'several are live. Name one.',
    failure: 'grant',
  });
});

test('16 KiB are taken, and no more; nothing may come while it is proven', () => {
  const given = (bytes: Buffer) => {
    const acceptance = begin();
    acceptance.push(response(Plugin.sha2, HASH));
    return acceptance.push(packets(4, bytes)).at(-1);
  };
  assert.equal(given(Buffer.alloc(16 * 1024, 'x'))?.do, 'token');
  for (const bytes of [Buffer.alloc(16 * 1024 + 1, 'x'), Buffer.from('\0'), Buffer.alloc(70_000, 'x')]) {
    assert.equal(given(bytes)?.do, 'close');
  }
  const acceptance = begin();
  acceptance.push(response(Plugin.sha2, HASH));
  acceptance.push(packets(4, Buffer.from(`${TOKEN}\0`)));
  assert.equal(error(acceptance.push(packets(5, Buffer.from('more'))).at(-1)).code, 1043);
  assert.deepEqual(acceptance.tokenAnswered({ grant: 'gr_a' }), []);
});
