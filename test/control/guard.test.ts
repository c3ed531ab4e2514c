// What stands before every route: request ids, limits by source and by caller, hosts and pages that are not ours, bodies.

import assert from 'node:assert/strict';
import { request as httpRequest } from 'node:http';
import { test } from 'node:test';
import { isLoopback, objectionTo } from '../../src/control/guard.ts';
import { ask, CALLERS, READ } from './client.ts';
import { openStand, type Stand, type StandOptions } from './stand.ts';

async function withStand(options: StandOptions, run: (stand: Stand) => Promise<void>): Promise<void> {
  const stand = await openStand(options);
  try {
    await run(stand);
  } finally {
    await stand.close();
  }
}

const WINDOW = 600_000;

test('an answer has an id, the one that the caller gave where it is one, and the log has it too', () =>
  withStand({}, async (stand) => {
    const id = async (given?: string) => {
      const headers: Record<string, string> = given === undefined ? {} : { 'x-request-id': given };
      return (await ask(stand.url, stand.token, 'GET', '/v1/me', undefined, headers)).headers.get('x-request-id');
    };
    assert.equal(await id('build-17.4_a'), 'build-17.4_a');
    assert.match((await id()) ?? '', /^[0-9a-f]{16}$/);
    for (const bad of ['a b', 'x'.repeat(65), '<script>', '{"a":1}'])
      assert.match((await id(bad)) ?? '', /^[0-9a-f]{16}$/);
    const missing = await ask(stand.url, null, 'GET', '/v1/me', undefined, { 'x-request-id': 'mine-1' });
    assert.equal(missing.json.requestId, 'mine-1');
    await ask(
      stand.url,
      stand.token,
      'POST',
      '/v1/grants',
      { ...READ, groups: ['agents'] },
      { 'x-request-id': 'mine-2' },
    );
    assert.ok(stand.state.logged.some(({ request, by }) => request === 'mine-2' && by === 'operator'));
  }));

test('a caller that asks too much waits, and its neighbours do not', () =>
  withStand(
    { identities: CALLERS, limits: { windowMs: WINDOW, perSource: 100, perCaller: 3, failures: 10 } },
    async (stand) => {
      const statuses: number[] = [];
      for (let n = 0; n < 4; n++) statuses.push((await ask(stand.url, 'owner', 'GET', '/v1/me')).status);
      assert.deepEqual(statuses, [200, 200, 200, 429]);
      const { json, headers } = await ask(stand.url, 'owner', 'GET', '/v1/grants');
      assert.equal(json.code, 'SP_LIMIT');
      const after = Number(headers.get('retry-after'));
      assert.ok(after > 0 && after <= WINDOW / 1000, String(after));
      assert.equal((await ask(stand.url, 'sibling', 'GET', '/v1/me')).status, 200);
    },
  ));

test('a source that asks too much waits, whoever asks, for what is open too', () =>
  withStand({ limits: { windowMs: WINDOW, perSource: 3, perCaller: 100, failures: 10 } }, async (stand) => {
    for (const path of ['/healthz', '/v1/me', '/metrics']) {
      assert.equal((await ask(stand.url, stand.token, 'GET', path)).status, 200);
    }
    for (const path of ['/healthz', '/v1/me', '/v1/none']) {
      const { status, headers } = await ask(stand.url, stand.token, 'GET', path);
      assert.equal(status, 429);
      assert.ok(headers.has('retry-after'));
    }
  }));

test('who guesses is put off sooner, and keeps nobody out who proves itself', () =>
  withStand({ limits: { windowMs: WINDOW, perSource: 100, perCaller: 100, failures: 2 } }, async (stand) => {
    const statuses: number[] = [];
    for (let n = 0; n < 4; n++) statuses.push((await ask(stand.url, `guess-${n}`, 'GET', '/v1/me')).status);
    assert.deepEqual(statuses, [401, 401, 429, 429]);
    assert.equal((await ask(stand.url, stand.token, 'GET', '/v1/me')).status, 200);
  }));

/** fetch has its own mind about the headers Host and Sec-Fetch-Site. */
function raw(stand: Stand, headers: Record<string, string>, path = '/v1/me'): Promise<number> {
  return new Promise((resolve, reject) => {
    const options = { host: '127.0.0.1', port: stand.port, path, headers, setHost: !('host' in headers) };
    httpRequest(options, (response) => {
      response.resume();
      resolve(response.statusCode ?? 0);
    })
      .on('error', reject)
      .end();
  });
}

test('a gateway on a loopback address answers to loopback names alone', () =>
  withStand({}, async (stand) => {
    const authorization = `Bearer ${stand.token}`;
    for (const host of ['localhost', '127.0.0.1', 'LOCALHOST:6480', '[::1]:6480', '127.9.9.9:1']) {
      assert.equal(await raw(stand, { authorization, host }), 200, host);
    }
    const foreign = ['evil.test', 'localhost.evil.test', '127.0.0.1.evil.test', '10.0.0.1:6480', 'evil.test:6480', ''];
    for (const host of foreign) {
      assert.equal(await raw(stand, { authorization, host }), 421, host);
      assert.equal(await raw(stand, { host }, '/metrics'), 421, host);
    }
    assert.equal(objectionTo({ host: 'gateway.example.com' }, false), null);
    assert.deepEqual(['127.0.0.1', '::1', 'localhost', '0.0.0.0', '10.0.0.1', '::'].map(isLoopback), [
      true,
      true,
      true,
      false,
      false,
      false,
    ]);
  }));

test('bodies are JSON, and bounded', () =>
  withStand({}, async (stand) => {
    const post = (body: string, type: string) =>
      ask(stand.url, stand.token, 'POST', '/v1/grants', body, { 'content-type': type });
    for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data', 'application/xml']) {
      assert.equal((await post(JSON.stringify(READ), type)).status, 415, type);
    }
    assert.equal((await post(JSON.stringify({ ...READ, reason: 'x'.repeat(70_000) }), 'application/json')).status, 413);
    for (const body of ['{"__proto__": {"a": 1}}', '{"constructor": {"prototype": {}}}', '[', 'null', '"x"']) {
      assert.equal((await post(body, 'application/json')).status, 400, body);
    }
  }));
