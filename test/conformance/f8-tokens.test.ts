// F8: tokens that prove nobody, against a real provider. Each must be refused, and what the bearer reads must tell a guesser
// nothing: no part of the token, and nothing of its claims before its signature is proven.

import assert from 'node:assert/strict';
import { createHmac, generateKeyPairSync } from 'node:crypto';
import { after, before, test } from 'node:test';
import {
  CompactEncrypt,
  calculateJwkThumbprint,
  exportJWK,
  exportSPKI,
  generateKeyPair,
  type JWTHeaderParameters,
  SignJWT,
} from 'jose';
import { openStand, refusal, type Stand } from '../identity/stand.ts';

let stand: Stand;
before(async () => {
  stand = await openStand();
});
after(() => stand.close());

const encode = (value: unknown) =>
  Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url');
const seconds = () => Math.floor(Date.now() / 1000);
const claims = () => ({
  iss: stand.provider.issuer,
  sub: 'agent-1',
  aud: 'sallyport',
  groups: ['agents', 'dba'],
  iat: seconds(),
  exp: seconds() + 600,
});

/** Signed with any key, under any header. */
async function forged(header: object, payload: object = claims(), alg = 'ES256'): Promise<string> {
  const { privateKey } = await generateKeyPair(alg, { extractable: true });
  return new SignJWT({ ...payload }).setProtectedHeader({ alg, ...header } as JWTHeaderParameters).sign(privateKey);
}

async function refused(token: string, words: RegExp, what?: string): Promise<void> {
  const said = await refusal(stand.identities, token);
  assert.ok(said !== null, `${what ?? words} was believed`);
  assert.match(said, words, what);
  for (const part of token.split('.').filter((text) => text.length > 8)) assert.ok(!said.includes(part));
}

test('F8 the honest token beside which the others stand is believed', async () => {
  assert.equal(await refusal(stand.identities, await stand.provider.token(claims())), null);
});

test('F8 alg none, in every spelling, with and without a signature', async () => {
  const [, , signature = ''] = (await stand.provider.token()).split('.');
  for (const alg of ['none', 'None', 'NONE', 'nOnE', '', null, 0, ['none'], undefined]) {
    const head = `${encode({ alg, typ: 'JWT' })}.${encode(claims())}`;
    await refused(`${head}.`, /not a signed token/, `${alg}, no signature`);
    await refused(`${head}.${signature}`, /not signed by a key|not a signed token/, `${alg}, somebody's signature`);
  }
});

test('F8 HS256 with the public key as its secret', async () => {
  for (const alg of ['RS256', 'ES256', 'EdDSA'] as const) {
    const { kid, publicKey } = stand.provider.key(alg);
    const jwk = await exportJWK(publicKey);
    const pem = await exportSPKI(publicKey);
    for (const secret of [
      pem,
      pem.trim(),
      `${pem}\n`,
      JSON.stringify(jwk),
      Buffer.from(jwk.n ?? jwk.x ?? '', 'base64url'),
    ]) {
      for (const [name, hash] of [
        ['HS256', 'sha256'],
        ['HS512', 'sha512'],
      ] as const) {
        const head = `${encode({ alg: name, kid })}.${encode(claims())}`;
        await refused(
          `${head}.${createHmac(hash, secret).update(head).digest('base64url')}`,
          /not signed by a key/,
          alg,
        );
      }
    }
  }
});

test('F8 keys that the token brings along, or says where they are', async () => {
  const { privateKey, publicKey } = await generateKeyPair('ES256', { extractable: true });
  const jwk = await exportJWK(publicKey);
  const { kid } = stand.provider.key('ES256');
  const before = stand.provider.requests.length;
  const places = { jku: `${stand.provider.issuer}/evil`, x5u: `${stand.provider.issuer}/evil` };
  for (const header of [
    { jwk },
    { jwk, kid },
    { ...places, kid },
    { x5c: ['MIIB'], kid },
    { ...places, jwk, kid: await calculateJwkThumbprint(jwk) },
  ]) {
    const token = await new SignJWT(claims()).setProtectedHeader({ alg: 'ES256', ...header }).sign(privateKey);
    await refused(token, /not signed by a key/, Object.keys(header).join());
  }
  assert.ok(!stand.provider.requests.slice(before).includes('/evil'), 'no address of a token is ever asked');
});

test('F8 key ids that are no key', async () => {
  for (const kid of [
    '',
    '../../../dev/null',
    "' OR 1=1 --",
    '__proto__',
    'constructor',
    'a'.repeat(4000),
    '\u0000',
    5,
    null,
    {},
  ]) {
    await refused(await forged({ kid }), /not signed by a key/, String(kid).slice(0, 20));
  }
  await refused(await forged({}), /not signed by a key/, 'no key id');
});

test('F8 a key is used for its own algorithm alone', async () => {
  const { provider } = stand;
  const rsa = provider.key('RS256');
  for (const alg of ['RS384', 'RS512']) {
    // The provider says that this key is for RS256.
    const key = await crypto.subtle.importKey(
      'pkcs8',
      await crypto.subtle.exportKey('pkcs8', rsa.privateKey),
      { name: 'RSASSA-PKCS1-v1_5', hash: `SHA-${alg.slice(2)}` },
      false,
      ['sign'],
    );
    const token = await new SignJWT(claims()).setProtectedHeader({ alg, kid: rsa.kid }).sign(key);
    await refused(token, /not signed by a key/, alg);
  }
  const { kid } = provider.key('ES384');
  await refused(await provider.token({}, { alg: 'ES256', header: { kid } }), /not signed by a key/, 'another key’s id');
  const [head = '', body = '', signature = ''] = (await provider.token()).split('.');
  const changed = encode({ ...claims(), groups: ['dba'] });
  await refused(`${head}.${changed}.${signature}`, /not signed by a key/, 'claims changed');
  await refused(`${head}.${body}.${encode('\0'.repeat(64))}`, /not signed by a key/, 'a signature of zeros');
});

test('F8 an algorithm that is not in the list is none, whatever the provider publishes', async (t) => {
  const own = await openStand({}, t);
  const { privateKey, publicKey } = await generateKeyPair('ML-DSA-44', { extractable: true });
  const keys = [{ ...(await exportJWK(publicKey)), kid: 'new', alg: 'ML-DSA-44' }];
  own.provider.intercept((request, response) => {
    if (request.url !== '/jwks') return false;
    response.end(JSON.stringify({ keys }));
    return true;
  });
  const payload = { ...claims(), iss: own.provider.issuer };
  const token = await new SignJWT(payload).setProtectedHeader({ alg: 'ML-DSA-44', kid: 'new' }).sign(privateKey);
  assert.match(String(await refusal(own.identities, token)), /not signed by a key/);
});

test('F8 weak keys, keys for encryption and private keys in the provider’s set are no keys', async (t) => {
  const own = await openStand({}, t);
  const { provider, identities } = own;
  const weak = generateKeyPairSync('rsa', { modulusLength: 1024 });
  const strong = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const keys = [
    { ...weak.publicKey.export({ format: 'jwk' }), kid: 'weak', alg: 'RS256', use: 'sig' },
    { ...strong.publicKey.export({ format: 'jwk' }), kid: 'enc', alg: 'RS256', use: 'enc' },
    { ...strong.publicKey.export({ format: 'jwk' }), kid: 'ops', alg: 'RS256', key_ops: ['encrypt'] },
    { ...strong.privateKey.export({ format: 'jwk' }), kid: 'private', alg: 'RS256', use: 'sig' },
    { kty: 'oct', k: encode('secret'), kid: 'oct', alg: 'HS256', use: 'sig' },
    { ...strong.publicKey.export({ format: 'jwk' }), kid: 'good', use: 'sig' },
  ];
  provider.intercept((request, response) => {
    if (request.url !== '/jwks') return false;
    response.end(JSON.stringify({ keys }));
    return true;
  });
  const payload = { ...claims(), iss: provider.issuer };
  const sign = async (kid: string, key = strong.privateKey) => {
    const head = `${encode({ alg: 'RS256', kid })}.${encode(payload)}`;
    const { sign } = await import('node:crypto');
    return `${head}.${sign('sha256', Buffer.from(head), key).toString('base64url')}`;
  };
  assert.equal(await refusal(identities, await sign('good')), null);
  const head = `${encode({ alg: 'HS256', kid: 'oct' })}.${encode(payload)}`;
  const rows = [
    await sign('weak', weak.privateKey),
    await sign('enc'),
    await sign('ops'),
    await sign('private'),
    `${head}.${createHmac('sha256', 'secret').update(head).digest('base64url')}`,
  ];
  for (const token of rows) assert.match(String(await refusal(identities, token)), /not signed by a key/);
});

test('F8 wrong issuer, spelled nearly right', async () => {
  const { provider } = stand;
  const { issuer } = provider;
  for (const iss of [`${issuer}/`, `${issuer}/.`, issuer.toUpperCase(), 'https://evil.example', ` ${issuer}`, '']) {
    await refused(await provider.token({ iss }), /not of an issuer/, iss);
  }
  for (const iss of [undefined, null, 5, [issuer], { issuer }]) {
    await refused(await provider.token({ iss }), /does not name its issuer/, JSON.stringify(iss));
  }
});

test('F8 wrong audience', async () => {
  const { provider, identities } = stand;
  for (const aud of [
    'other',
    'Sallyport',
    'sallyport ',
    '',
    [],
    ['other'],
    [['sallyport']],
    { sallyport: 1 },
    5,
    null,
    undefined,
  ]) {
    await refused(await provider.token({ aud }), /another audience/, JSON.stringify(aud));
  }
  assert.equal(await refusal(identities, await provider.token({ aud: ['other', 'sallyport'] })), null);
});

test('F8 expired, not yet valid, from the future, without an end', async () => {
  const { provider, identities } = stand;
  const now = seconds();
  const rows: [claims: object, words: RegExp][] = [
    [{ exp: now - 31 }, /has expired/],
    [{ exp: 0 }, /has expired/],
    [{ exp: undefined }, /claim exp/],
    [{ exp: String(now + 600) }, /claim exp/],
    [{ exp: null }, /claim exp/],
    [{ nbf: now + 40 }, /not valid yet/],
    [{ nbf: 'now' }, /not valid yet/],
    [{ iat: now + 40 }, /from the future/],
    [{ iat: 'now' }, /claim iat/],
  ];
  for (const [changed, words] of rows)
    await refused(await provider.token({ ...changed }), words, JSON.stringify(changed));
  for (const changed of [{ exp: now - 20 }, { nbf: now + 20 }, { iat: now + 20 }]) {
    assert.equal(await refusal(identities, await provider.token(changed)), null, 'clocks may differ by 30 s');
  }
  // What JSON.parse makes of a number without bounds is no time.
  const { privateKey, kid } = provider.key('ES256');
  const head = `${encode({ alg: 'ES256', kid })}.${encode(JSON.stringify(claims()).replace(/"exp":\d+/, '"exp":1e999'))}`;
  const signature = await crypto.subtle.sign({ name: 'ECDSA', hash: 'SHA-256' }, privateKey, Buffer.from(head));
  await refused(`${head}.${Buffer.from(signature).toString('base64url')}`, /claim exp/, 'without end');
});

test('F8 of a token that is not proven, nothing is said but that', async () => {
  const now = seconds();
  for (const changed of [{ exp: now - 999 }, { aud: 'other' }, { nbf: now + 999 }, { sub: 5 }, { groups: {} }]) {
    await refused(
      await forged({ kid: stand.provider.key('ES256').kid }, { ...claims(), ...changed }),
      /not signed by a key/,
    );
  }
});

test('F8 subjects and groups of other shapes', async () => {
  const { provider } = stand;
  for (const sub of [undefined, null]) await refused(await provider.token({ sub }), /no claim sub/);
  const unseen = ['a\u200b', '\u202eada', 'a\u2028', 'a\ufeff', ' ada', 'ada '];
  for (const sub of [5, true, '', {}, ['agent-1'], 'a\nb', 'a\u0000', 'a'.repeat(256), ...unseen]) {
    await refused(await provider.token({ sub }), /claim sub is not a name/, JSON.stringify(sub));
  }
  const many = Array.from({ length: 1001 }, (_, n) => `g${n}`);
  for (const groups of [{}, { agents: true }, 5, true, [5], [['agents']], [null], ['agents', {}], '', ['']]) {
    await refused(await provider.token({ groups }), /claim groups is not a list/, JSON.stringify(groups));
  }
  await refused(await provider.token({ groups: many }), /more than 1000 groups/);
  const elsewhere = { groups: undefined, _claim_names: { groups: 'src1' }, _claim_sources: { src1: {} } };
  await refused(await provider.token(elsewhere), /leaves its groups out/);
});

test('F8 delegation that is not understood, email that is not verified, tokens for other ends', async () => {
  const { provider, identities, entry } = stand;
  let deep: object = { sub: 'x' };
  for (let n = 0; n < 9; n++) deep = { sub: 'x', act: deep };
  for (const act of [null, 'agent', 5, [], deep]) await refused(await provider.token({ act }), /act is not understood/);
  for (const act of [{}, { sub: 5 }, { sub: '' }]) await refused(await provider.token({ act }), /claim sub/);
  const foreign = { sub: 'agent-1', iss: 'https://elsewhere.example' };
  for (const act of [foreign, { sub: 'agent-1', act: foreign }]) {
    await refused(await provider.token({ act }), /actor of another issuer/);
  }
  const own = { sub: 'agent-1', iss: provider.issuer };
  assert.equal(await refusal(identities, await provider.token({ act: own })), null);
  await refused(await provider.token({ cnf: { jkt: 'x' } }), /bound to a key/);
  await refused(
    await provider.token({ events: { 'http://schemas.openid.net/event/backchannel-logout': {} } }),
    /event/,
  );
  for (const typ of ['logout+jwt', 'dpop+jwt', 'secevent+jwt', 'JWE', '', 5]) {
    await refused(await provider.token({}, { header: { typ } }), /of a kind|not signed/, String(typ));
  }
  for (const typ of ['JWT', 'jwt', 'at+jwt', 'application/at+jwt', 'application/JWT']) {
    assert.equal(await refusal(identities, await provider.token({}, { header: { typ } })), null, typ);
  }
  for (const claim of [{ subjectClaim: 'email' }, { groupsClaim: 'email' }, { actingForClaim: 'email' }]) {
    stand.issuers = [{ ...entry, ...claim }];
    for (const email_verified of [false, 'true', 0, null]) {
      await refused(await provider.token({ email: 'root@example.com', email_verified }), /not verified/);
    }
  }
  stand.issuers = [entry];
});

test('F8 extensions that must be understood are not', async () => {
  const { provider } = stand;
  const { privateKey, kid } = provider.key('ES256');
  const sign = async (header: object) => {
    const head = `${encode({ alg: 'ES256', kid, ...header })}.${encode(claims())}`;
    const signature = await crypto.subtle.sign({ name: 'ECDSA', hash: 'SHA-256' }, privateKey, Buffer.from(head));
    return `${head}.${Buffer.from(signature).toString('base64url')}`;
  };
  assert.equal(await refusal(stand.identities, await sign({})), null);
  const rows = [
    { crit: ['exp'], exp: 1 },
    { crit: ['x'] },
    { crit: [] },
    { crit: 'b64' },
    { crit: ['b64'], b64: false },
  ];
  for (const header of rows) await refused(await sign(header), /not signed by a key/, JSON.stringify(header));
});

test('F8 huge, glued, encrypted and broken tokens', async () => {
  const { provider, identities } = stand;
  const token = await provider.token();
  const [head = '', body = '', signature = ''] = token.split('.');
  const large = await provider.token({ padding: 'x'.repeat(8000) });
  assert.equal(await refusal(identities, large), null, 'ten kilobytes are ordinary');
  const before = process.memoryUsage().heapUsed;
  for (const huge of [
    await provider.token({ padding: 'x'.repeat(16_000) }),
    'a'.repeat(5_000_000),
    '.'.repeat(100_000),
  ]) {
    await refused(huge, /longer than 16 KiB/);
  }
  assert.ok(process.memoryUsage().heapUsed - before < 64 * 2 ** 20);
  const broken = [
    `${token}.${token}`,
    `${token}${token}`,
    `${token},${token}`,
    `${token} `,
    ` ${token}`,
    `${token}\n`,
    `${token}=`,
    `${head}.${body}`,
    `${head}..${signature}`,
    `.${body}.${signature}`,
    `${head}.${body}.`,
    '',
    '.',
    '..',
    'null',
    '{}',
    `${head}.${body}.${signature.replaceAll('-', '+').replaceAll('_', '/')}==`,
    `Bearer ${token}`,
    `${head}.${body}.${signature}\u0000`,
    `${head}.${body}.${signature}é`,
    JSON.stringify({ protected: head, payload: body, signature }),
    `${encode('[]')}.${body}.${signature}`,
    `${encode('{')}.${body}.${signature}`,
    `${head}.${encode('[]')}.${signature}`,
    `${head}.${encode('"x"')}.${signature}`,
    `${encode([1])}.${encode('null')}.${signature}`,
  ];
  for (const text of broken) await refused(text, /not a signed token|encrypted/, text.slice(0, 40));
  // The last character of a signature has bits that mean nothing: written otherwise it is another text.
  const last = signature.at(-1) ?? '';
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
  const twin = `${head}.${body}.${signature.slice(0, -1)}${alphabet[alphabet.indexOf(last) ^ 1]}`;
  await refused(twin, /not a signed token/, 'the same bytes, written otherwise');

  const { publicKey } = await generateKeyPair('RSA-OAEP-256');
  const encrypted = await new CompactEncrypt(Buffer.from(token))
    .setProtectedHeader({ alg: 'RSA-OAEP-256', enc: 'A256GCM', cty: 'JWT' })
    .encrypt(publicKey);
  await refused(encrypted, /encrypted \(JWE\)/);
});

test('F8 a claim that stands twice is read once, the same for every check', async () => {
  const { provider, identities } = stand;
  const { privateKey, kid } = provider.key('ES256');
  const sign = async (text: string) => {
    const head = `${encode({ alg: 'ES256', kid })}.${encode(text)}`;
    const signature = await crypto.subtle.sign({ name: 'ECDSA', hash: 'SHA-256' }, privateKey, Buffer.from(head));
    return `${head}.${Buffer.from(signature).toString('base64url')}`;
  };
  const text = JSON.stringify(claims());
  // The last one counts, to the choice of the issuer as to the proof.
  await refused(
    await sign(text.replace('{', '{"iss":"https://evil.example",').replace(/}$/, ',"iss":"https://evil.example"}')),
    /not of an issuer/,
  );
  await refused(await sign(text.replace(/}$/, ',"aud":"other"}')), /another audience/);
  const twice = await identities.prove(await sign(text.replace('{', '{"sub":"root","__proto__":{"groups":["dba"]},')));
  assert.equal(twice.subject, 'agent-1');
  const bare = JSON.stringify({ ...claims(), groups: undefined }).replace(/}$/, ',"__proto__":{"groups":["dba"]}}');
  assert.deepEqual((await identities.prove(await sign(bare))).groups, []);
});

test('F8 key rotation: the new key counts at once, the old one until the keys are fetched', async (t) => {
  const own = await openStand({}, t);
  const old = await own.provider.token();
  assert.equal(await refusal(own.identities, old), null);
  await own.provider.rotate();
  assert.equal(await refusal(own.identities, await own.provider.token()), null);
  assert.match(String(await refusal(own.identities, old)), /not signed by a key/, 'also where it was remembered');
});

test('F8 provider down: known keys serve for the stated time, then nobody is let in', async (t) => {
  const own = await openStand({}, t);
  const token = await own.provider.token({ exp: seconds() + 86_400 });
  await own.identities.prefetch();
  await own.provider.stop();
  own.age(59 * 60_000);
  assert.equal(await refusal(own.identities, token), null);
  own.age(60_001);
  assert.match(String(await refusal(own.identities, token)), /cannot be fetched at the moment/);
});
