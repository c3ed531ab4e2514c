// A client's login, byte by byte: what it is offered, how it proves itself, and what a guesser learns.
import assert from 'node:assert/strict';
import { constants, createHash, publicEncrypt } from 'node:crypto';
import { test } from 'node:test';
import { type Acceptance, type AcceptStep, createAcceptance, greetedVersion } from '../../../src/wire/mysql/accept.ts';
import { LoginKey, makeMysqlVerifiers, nativeResponse, Plugin, sha2Response } from '../../../src/wire/mysql/auth.ts';
import { Fields } from '../../../src/wire/mysql/decode.ts';
import { packets } from '../../../src/wire/mysql/frame.ts';
import { Capability, handshakeResponse, OFFERED, sslRequest } from '../../../src/wire/mysql/messages.ts';
import { unthrottled } from '../unthrottled.ts';

const SECRET = 'the secret of a grant';
const verifiers = makeMysqlVerifiers(SECRET);
const key = new LoginKey();

function begin(tls: 'offered' | 'required' = 'offered', tokens = false) {
  const lookup = (login: string) => (login === 'gr_a' ? verifiers : undefined);
  const machine = createAcceptance({ tls, version: '8.0.36', connectionId: 7, key, lookup, tokens });
  const acceptance = unthrottled<AcceptStep, Acceptance>(machine);
  const fields = new Fields(acceptance.start().subarray(4));
  assert.equal(fields.uint(1), 10);
  assert.equal(fields.nul().toString(), '8.0.36');
  assert.equal(fields.uint(4), 7);
  const first = fields.bytes(8);
  fields.uint(1);
  const low = fields.uint(2);
  fields.uint(3);
  const offered = (low | (fields.uint(2) << 16)) >>> 0;
  fields.bytes(11);
  const scramble = Buffer.concat([first, fields.bytes(12)]);
  fields.uint(1);
  assert.equal(fields.nul().toString(), 'caching_sha2_password');
  return { acceptance, scramble, offered };
}

function response(plugin: string, proof: Buffer, { user = 'gr_a', capabilities = OFFERED, sequence = 1 } = {}): Buffer {
  const asked = (capabilities & ~Capability.connectAttrs) >>> 0;
  return handshakeResponse(sequence, {
    capabilities: asked,
    collation: 45,
    user,
    response: proof,
    database: 'db',
    plugin,
  });
}

const code = (step: AcceptStep | undefined) => (step?.do === 'close' ? step.bytes.readUInt16LE(5) : null);

test('the greeting offers what the gateway understands, and no more', () => {
  const { offered, scramble } = begin();
  assert.equal(offered, OFFERED);
  for (const [name, bit] of [
    ['LOCAL_FILES', 0x80],
    ['COMPRESS', 0x20],
    ['QUERY_ATTRIBUTES', 0x8000000],
    ['ZSTD', 0x4000000],
    ['OPTIONAL_RESULTSET_METADATA', 0x2000000],
    ['MULTI_FACTOR', 0x10000000],
  ] as const) {
    assert.equal(offered & bit, 0, name);
  }
  assert.ok(!scramble.includes(0));
  assert.notDeepEqual(begin().scramble, scramble);
});

test('caching_sha2_password and mysql_native_password prove the secret, cut at any byte', () => {
  for (const plugin of [Plugin.sha2, Plugin.native]) {
    for (let cut = 1; cut < 100; cut += 7) {
      const { acceptance, scramble } = begin();
      const proof = plugin === Plugin.sha2 ? sha2Response(SECRET, scramble) : nativeResponse(SECRET, scramble);
      const bytes = response(plugin, proof);
      const steps = [...acceptance.push(bytes.subarray(0, cut)), ...acceptance.push(bytes.subarray(cut))];
      const last = steps.at(-1);
      assert.equal(last?.do, 'authenticated');
      assert.ok(
        last?.do === 'authenticated' && last.login === 'gr_a' && last.database === 'db' && last.collation === 45,
      );
      assert.equal(last?.do === 'authenticated' && last.sequence, plugin === Plugin.sha2 ? 3 : 2);
    }
  }
});

test('a client of another plugin is asked to switch', () => {
  const { acceptance, scramble } = begin();
  const [asked] = acceptance.push(response('client_ed25519', Buffer.alloc(64)));
  assert.ok(asked?.do === 'send' && asked.bytes[4] === 0xfe && asked.bytes.includes('caching_sha2_password'));
  const steps = acceptance.push(packets(3, sha2Response(SECRET, scramble)));
  assert.equal(steps.at(-1)?.do, 'authenticated');
});

test('a client that begins with mysql_native_password and waits to be asked is asked', () => {
  const { acceptance, scramble } = begin();
  const [asked] = acceptance.push(response(Plugin.native, Buffer.alloc(0)));
  assert.ok(asked?.do === 'send' && asked.bytes[4] === 0xfe && asked.bytes.includes('mysql_native_password'));
  const steps = acceptance.push(packets(3, nativeResponse(SECRET, scramble)));
  assert.equal(steps.at(-1)?.do, 'authenticated');

  const without = begin().acceptance;
  without.push(response(Plugin.native, Buffer.alloc(0)));
  assert.equal(code(without.push(packets(3, Buffer.alloc(0))).at(-1)), 1045);
});

test('the whole secret is taken inside TLS, or encrypted with the key, and not otherwise', () => {
  const wrong = createHash('sha256').update('x').digest();
  const plain = begin();
  const [more] = plain.acceptance.push(response(Plugin.sha2, wrong));
  assert.ok(more?.do === 'send' && more.bytes[5] === 4);
  const [pem] = plain.acceptance.push(packets(3, Buffer.from([2])));
  assert.ok(pem?.do === 'send');
  const text = Buffer.from(`${SECRET}\0`);
  const masked = Buffer.from(text.map((byte, i) => byte ^ (plain.scramble[i % 20] ?? 0)));
  const encrypted = publicEncrypt(
    { key: pem.do === 'send' ? pem.bytes.subarray(5).toString() : '', padding: constants.RSA_PKCS1_OAEP_PADDING },
    masked,
  );
  assert.equal(plain.acceptance.push(packets(5, encrypted)).at(-1)?.do, 'authenticated');

  const clear = begin();
  clear.acceptance.push(response(Plugin.sha2, wrong));
  assert.equal(code(clear.acceptance.push(packets(3, text)).at(-1)), 1045);

  const secure = begin();
  const [tls] = secure.acceptance.push(sslRequest(1, OFFERED, 45));
  assert.equal(tls?.do, 'start-tls');
  secure.acceptance.tlsEstablished(null, null);
  secure.acceptance.push(response(Plugin.sha2, wrong, { sequence: 2 }));
  assert.equal(secure.acceptance.push(packets(4, text)).at(-1)?.do, 'authenticated');
});

test('without TLS, where it is required, nothing is proven', () => {
  const { acceptance, scramble } = begin('required');
  const [refused] = acceptance.push(response(Plugin.native, nativeResponse(SECRET, scramble)));
  assert.equal(code(refused), 3159);
});

test('an unknown login and a wrong secret go the same way, step by step', () => {
  const walk = (user: string): string[] => {
    const { acceptance } = begin();
    const steps = acceptance.push(response(Plugin.sha2, Buffer.alloc(32, 1), { user }));
    steps.push(...acceptance.push(packets(3, Buffer.from([2]))));
    steps.push(...acceptance.push(packets(5, Buffer.alloc(256, 1))));
    return steps.map((step) =>
      step.do === 'close' ? `close ${code(step)}` : `${step.do} ${'bytes' in step ? step.bytes.length : ''}`,
    );
  };
  assert.deepEqual(walk('gr_x'), walk('gr_a'));
});

test('nonsense ends in an error, never in a throw, and is not held without bound', () => {
  for (const bytes of [
    packets(1, Buffer.alloc(0)),
    packets(1, Buffer.from([1])),
    packets(1, Buffer.alloc(31)),
    packets(1, Buffer.alloc(300, 0xff)),
    Buffer.from([0xff, 0xff, 0xff, 1]),
    Buffer.from('GET / HTTP/1.1\r\n\r\n'),
    response(Plugin.sha2, Buffer.alloc(32)).subarray(0, 40),
  ]) {
    const { acceptance } = begin();
    const steps = acceptance.push(bytes);
    assert.ok(
      steps.every(({ do: kind }) => kind === 'close'),
      bytes.toString('hex'),
    );
  }
});

test('the version that clients are greeted with is the lowest of theirs', () => {
  assert.equal(
    greetedVersion([
      { version: '11.4.2-MariaDB', mariadb: true },
      { version: '10.11.6-MariaDB', mariadb: true },
    ]),
    '10.11.6-MariaDB',
  );
  assert.equal(
    greetedVersion([
      { version: '10.11.6-MariaDB', mariadb: true },
      { version: '9.1.0', mariadb: false },
    ]),
    '9.1.0',
  );
  assert.match(greetedVersion([]), /^8\./);
});
