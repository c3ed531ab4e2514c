// A provider that is down, slow, or answers something else: what is known is used on for the stated time and no longer.

import assert from 'node:assert/strict';
import type { ServerResponse } from 'node:http';
import { test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { fetchKeys } from '../../src/identity/discovery.ts';
import { openStand, refusal } from './stand.ts';

const MINUTE = 60_000;

test('an outage is survived on the keys that are known, for as long as the config says', async (t) => {
  const stand = await openStand({}, t);
  const { provider, identities } = stand;
  const token = await provider.token({ exp: Math.floor(Date.now() / 1000) + 86_400 });
  await identities.prefetch();
  await provider.stop();
  stand.age(59 * MINUTE);
  assert.equal(await refusal(identities, token), null);
  assert.equal(await refusal(identities, await provider.token({ sub: 'new' })), null, 'new tokens too');
  const [line] = stand.lines;
  assert.match(
    String(line),
    /^warn the keys .* cannot be fetched: the keys that are known are used on .* cannot be read: [A-Z_]+$/,
  );
  stand.age(2 * MINUTE);
  assert.match(String(await refusal(identities, token)), /cannot be fetched at the moment/);
  assert.equal(stand.lines.length, 1, 'one outage is one line');

  await provider.start();
  stand.age(MINUTE);
  assert.equal(await refusal(identities, token), null);
  assert.equal(stand.lines[1], 'info the identity provider is back');
});

test('a provider that is away at the start is asked again, at most every ten seconds', async (t) => {
  const stand = await openStand({}, t);
  const { provider, identities } = stand;
  const token = await provider.token();
  let asked = 0;
  provider.intercept((_request, response) => {
    asked++;
    response.writeHead(503).end();
    return true;
  });
  await identities.prefetch();
  for (let n = 0; n < 20; n++) assert.match(String(await refusal(identities, token)), /cannot be fetched/);
  assert.equal(asked, 1);
  assert.match(stand.lines.join(), /none of its tokens is taken .*the answer is 503/);
  provider.intercept(null);
  stand.age(10_000);
  assert.equal(await refusal(identities, token), null);
});

test('while the provider is known to be away, nobody waits for it', async (t) => {
  const stand = await openStand({}, t);
  const { provider, identities } = stand;
  const token = await provider.token();
  await identities.prefetch();
  await provider.stop();
  stand.age(11 * MINUTE);
  assert.equal(await refusal(identities, token), null);
  await provider.start();
  const held: ServerResponse[] = [];
  const asked = new Promise<void>((resolve) => {
    provider.intercept((_request, response) => {
      held.push(response);
      resolve();
      return true;
    });
  });
  stand.age(11_000);
  assert.equal(await refusal(identities, token), null, 'proven while the answer is still out');
  await asked;
  // The same fetch is still open: answered now, it brings the provider back.
  provider.intercept(null);
  held[0]?.end(JSON.stringify({ issuer: provider.issuer, jwks_uri: `${provider.issuer}/jwks` }));
  const deadline = Date.now() + 10_000;
  while (stand.lines.length < 2 && Date.now() < deadline) await setImmediate();
  assert.equal(stand.lines[1], 'info the identity provider is back');
});

test('unknown keys are looked for at most every ten seconds, however many tokens name one', async (t) => {
  const stand = await openStand({}, t);
  const { provider, identities } = stand;
  await identities.prefetch();
  const before = provider.requests.length;
  const garbage = () => provider.token({}, { header: { kid: `made-up-${Math.random()}` } });
  for (let n = 0; n < 30; n++) assert.match(String(await refusal(identities, await garbage())), /not signed by a key/);
  assert.equal(provider.requests.length, before + 2);
  await provider.rotate();
  assert.notEqual(await refusal(identities, await provider.token()), null);
  stand.age(10_000);
  assert.equal(await refusal(identities, await provider.token()), null, 'a new key is learned all the same');
  assert.equal(provider.requests.length, before + 4);
});

test('documents that are not what they have to be are no keys', async (t) => {
  const stand = await openStand({}, t);
  const { provider, identities } = stand;
  const { issuer } = provider;
  const token = await provider.token();
  const good = { issuer, jwks_uri: `${issuer}/jwks` };
  const rows: [discovery: unknown, keys: unknown, reason: RegExp][] = [
    [{ ...good, issuer: `${issuer}/` }, {}, /is of the issuer/],
    [{ ...good, issuer: 'https://evil.example' }, {}, /is of the issuer "https:\/\/evil\.example"/],
    [{ issuer }, {}, /names no https address/],
    [{ ...good, jwks_uri: 'file:///etc/passwd' }, {}, /names no https address|cannot be read/],
    [[], {}, /is not a JSON object/],
    ['no JSON', {}, /is not a JSON object/],
    [good, { keys: {} }, /is not a set/],
    [good, { keys: [1] }, /is not a set/],
    [good, { keys: Array.from({ length: 101 }, () => ({})) }, /is not a set/],
    [good, `{"keys":["${'x'.repeat(600_000)}"]}`, /longer than 524288 bytes/],
  ];
  for (const [discovery, keys, reason] of rows) {
    provider.intercept((request, response) => {
      const body = request.url === '/jwks' ? keys : discovery;
      response.end(typeof body === 'string' ? body : JSON.stringify(body));
      return true;
    });
    stand.lines.length = 0;
    stand.age(10_000);
    assert.match(String(await refusal(identities, token)), /cannot be fetched/);
    // The first of an outage is what is logged, so each row is one of its own.
    assert.match(stand.lines.join(), reason);
    provider.intercept(null);
    stand.age(10_000);
    assert.equal(await refusal(identities, token), null);
    stand.age(2 * 60 * MINUTE);
  }
});

test('a redirect is not followed', async (t) => {
  const stand = await openStand({}, t);
  const { provider, identities } = stand;
  provider.intercept((request, response) => {
    if (request.url === '/elsewhere') return false;
    response.writeHead(302, { location: '/elsewhere' }).end();
    return true;
  });
  assert.match(String(await refusal(identities, await provider.token())), /cannot be fetched/);
  assert.ok(!provider.requests.includes('/elsewhere'));
});

test('of an issuer on https, keys in the clear are not believed, nor even asked for', async (t) => {
  const issuer = 'https://login.example.com/tenant/';
  const asked: string[] = [];
  t.mock.method(globalThis, 'fetch', async (url: string) => {
    asked.push(url);
    return Response.json({ issuer, jwks_uri: 'http://login.example.com/keys', keys: [] });
  });
  await assert.rejects(fetchKeys(issuer), /names no https address of its keys/);
  assert.deepEqual(asked, ['https://login.example.com/tenant/.well-known/openid-configuration']);
});
