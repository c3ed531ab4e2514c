// The HTTP API over real grants and a real record: who may ask, what is answered, what is never told.

import assert from 'node:assert/strict';
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { carriesToken, ensureOperatorToken, readOperatorToken } from '../../src/control/token.ts';
import { dsn, reachable, toJson } from '../../src/control/views.ts';
import type { Grant } from '../../src/types.ts';
import { openStand, SESSION, type Stand } from './stand.ts';

let stand: Stand;
before(async () => {
  stand = await openStand();
});
after(() => stand.close());

async function ask(method: string, path: string, body?: unknown, headers: Record<string, string> = {}) {
  const response = await fetch(stand.url + path, {
    method,
    headers: {
      authorization: `Bearer ${stand.token}`,
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...headers,
    },
    ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  });
  const text = await response.text();
  // biome-ignore lint/suspicious/noExplicitAny: the tests read what came back key by key
  const json: any =
    response.headers.get('content-type')?.includes('json') === true && text !== '' ? safeJson(text) : null;
  return { status: response.status, json, text, headers: response.headers };
}

function safeJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

const REQUEST = {
  connection: 'analytics',
  scopes: ['db:analytics:read'],
  ttl: '20m',
  task: 'fix-index',
  reason: 'the index is slow',
  identity: 'chatgpt-agent',
  groups: ['agents'],
};

test('only health and metrics are open; everything else needs the token, addresses that are not there too', async () => {
  for (const path of ['/healthz', '/readyz', '/metrics']) {
    assert.equal((await ask('GET', path, undefined, { authorization: '' })).status, 200, path);
  }
  const closed = [
    '/v1/grants',
    '/v1/grants/gr_x',
    '/v1/sessions',
    '/v1/none',
    '/',
    '/metrics/x',
    '/healthz/',
    '//healthz',
    '/%68ealthz/..',
  ];
  for (const path of closed) {
    for (const authorization of ['', 'Bearer ', `Bearer ${'0'.repeat(64)}`, `Basic ${stand.token}`, stand.token]) {
      const { status, json } = await ask('GET', path, undefined, { authorization });
      assert.equal(status, 401, `${path} with ${authorization}`);
      assert.equal(json.code, 'SP_UNAUTHORIZED');
    }
  }
  assert.equal((await ask('POST', '/v1/grants', REQUEST, { authorization: '' })).status, 401);
  assert.equal((await ask('GET', '/v1/none')).status, 404);
});

test('a grant from request to completion', async () => {
  const made = await ask('POST', '/v1/grants', REQUEST);
  assert.equal(made.status, 201, made.text);
  const { id, user, password, expiresAt, dsn: address } = made.json;
  assert.match(id, /^gr_[a-z2-7]{16}$/);
  assert.equal(user, id);
  assert.equal(address, `postgresql://${id}:${password}@localhost:6432/analytics?sslmode=require`);
  assert.ok(Math.abs(Date.parse(expiresAt) - Date.now() - 1_200_000) < 60_000);
  assert.equal(made.headers.get('cache-control'), 'no-store');

  const shown = await ask('GET', `/v1/grants/${id}`);
  assert.equal(shown.json.state, 'active');
  assert.deepEqual(shown.json.scopes, ['db:analytics:read']);
  assert.deepEqual(shown.json.identity, { issuer: 'operator', subject: 'chatgpt-agent', groups: ['agents'] });
  assert.ok(!shown.text.includes(password));

  const done = await ask('POST', `/v1/grants/${id}/complete`, {});
  assert.equal(done.json.state, 'completed');
  assert.equal(done.json.endedBy, 'operator');
  const again = await ask('POST', `/v1/grants/${id}/revoke`, { reason: 'late' });
  assert.equal(again.status, 409);
  assert.equal(again.headers.get('content-type')?.split(';')[0], 'application/problem+json');

  const second = await ask('POST', '/v1/grants', REQUEST);
  assert.equal(second.status, 201, second.text);
  const other = second.json.id;
  const revoked = await ask('POST', `/v1/grants/${other}/revoke`, { reason: 'wrong table' });
  assert.equal(revoked.status, 200, revoked.text);
  assert.deepEqual([revoked.json.state, revoked.json.endReason], ['revoked', 'wrong table']);
  const list = await ask('GET', '/v1/grants');
  assert.deepEqual(new Set(list.json.grants.map((grant: { id: string }) => grant.id)), new Set([id, other]));
  assert.equal((await ask('GET', '/v1/grants/gr_aaaaaaaaaaaaaaaa')).status, 404);
});

test('what the access rules do not allow is refused with what would be right', async () => {
  const refused = await ask('POST', '/v1/grants', { ...REQUEST, scopes: ['db:analytics:write'] });
  assert.equal(refused.status, 403);
  assert.equal(refused.json.code, 'SP_GRANT_REFUSED');
  assert.match(refused.json.detail, /db:analytics:write/);
  assert.equal((await ask('POST', '/v1/grants', { ...REQUEST, groups: [] })).status, 403);
  assert.equal((await ask('POST', '/v1/grants', { ...REQUEST, ttl: '2h' })).status, 403);
  assert.equal((await ask('POST', '/v1/grants', { ...REQUEST, connection: 'analytic' })).status, 403);
});

test('a request that is not as it should be is refused before anything is asked', async () => {
  const wrong: unknown[] = [
    { ...REQUEST, ttl: 20 },
    { ...REQUEST, ttl: '20' },
    { ...REQUEST, scopes: [] },
    { ...REQUEST, scopes: 'db:analytics:read' },
    { ...REQUEST, reason: ' ' },
    { ...REQUEST, reson: 'x' },
    { connection: 'analytics' },
    [],
    'no json',
    '{"a":',
  ];
  for (const body of wrong) assert.equal((await ask('POST', '/v1/grants', body)).status, 400, JSON.stringify(body));
  const form = { 'content-type': 'application/x-www-form-urlencoded' };
  assert.equal((await ask('POST', '/v1/grants', 'a=b', form)).status, 415);
  assert.equal(
    (await ask('POST', '/v1/grants', JSON.stringify(REQUEST), { 'content-type': 'text/plain' })).status,
    415,
  );
  assert.equal((await ask('POST', '/v1/grants', { ...REQUEST, reason: 'x'.repeat(70_000) })).status, 413);
  for (const query of ['limit=0', 'limit=x', 'limit=5000', 'lmit=5']) {
    assert.equal((await ask('GET', `/v1/sessions?${query}`)).status, 400, query);
  }
});

test('sessions and records, streamed as one document or a record a line', async () => {
  const { id } = (await ask('POST', '/v1/grants', REQUEST)).json;
  stand.record({ ...grant, id });
  const list = await ask('GET', '/v1/sessions?limit=5');
  assert.deepEqual(
    list.json.sessions.map((session: { id: string; startedAt: string }) => [session.id, session.startedAt]),
    [[SESSION, '2026-01-02T03:04:05.000Z']],
  );
  const shown = await ask('GET', `/v1/sessions/${SESSION}`);
  assert.deepEqual(shown.json.statements, { allow: 2, deny: 1, approve: 0 });
  const document = await ask('GET', `/v1/sessions/${SESSION}/records`);
  const types = document.json.records.map((record: { type: string }) => record.type);
  assert.deepEqual(types, ['start', 'statement', 'statement', 'statement', 'end']);
  assert.match(Buffer.from(document.json.records[1].outcome.result, 'base64').toString('latin1'), /\*\*\*\*\.com/);
  const lines = await ask('GET', `/v1/sessions/${SESSION}/records`, undefined, { accept: 'application/x-ndjson' });
  const parsed = lines.text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
  assert.deepEqual(parsed, document.json.records);
  assert.ok(![list, shown, document].some(({ text }) => text.includes('hunter2')));
  for (const path of ['/v1/sessions/se_none', '/v1/sessions/se_none/records'])
    assert.equal((await ask('GET', path)).status, 404);
});

test('sessions are filtered by connection, subject, grant and time', async () => {
  const [first] = (await ask('GET', '/v1/sessions')).json.sessions;
  const { id } = first.facts.grant;
  const found = [
    'connection=analytics',
    'subject=chatgpt-agent',
    `grant=${id}`,
    'since=2026-01-02T03:04:05Z',
    'since=2026-01-02T05:04:05%2B02:00',
  ];
  for (const query of found) assert.equal((await ask('GET', `/v1/sessions?${query}`)).json.sessions.length, 1, query);
  const none = [
    'connection=web',
    'subject=x',
    'grant=gr_x',
    'since=2026-01-02T03:04:06Z',
    'mine=true',
    `before=${SESSION}`,
  ];
  for (const query of none) {
    assert.deepEqual((await ask('GET', `/v1/sessions?${query}`)).json, { sessions: [], next: null }, query);
  }
  for (const query of ['since=yesterday', 'since=1', 'conection=x']) {
    assert.equal((await ask('GET', `/v1/sessions?${query}`)).status, 400, query);
  }
});

test('what fails inside is logged and not told', async () => {
  const failed = await ask('POST', '/v1/explain', { connection: 'analytics', scopes: [], sql: 'fail' });
  assert.equal(failed.status, 500);
  assert.ok(!failed.text.includes('secret'));
  assert.match(String(stand.state.failures.at(-1)), /a secret of the inside/);
});

test('explain takes a text as long as a statement may be', async () => {
  const sql = '\n'.repeat(65_536);
  assert.equal((await ask('POST', '/v1/explain', { connection: 'analytics', sql })).status, 200);
  assert.equal(stand.state.explained.at(-1)?.text.length, 65_536);
});

test('readiness and metrics say what is', async () => {
  stand.state.ready = { ok: false, reason: 'the record cannot be written' };
  const response = await ask('GET', '/readyz');
  stand.state.ready = { ok: true };
  assert.deepEqual([response.status, response.json.reason], [503, 'the record cannot be written']);
  stand.metrics.tally.statementsDenied = 7;
  await ask('GET', '/v1/me', undefined, { authorization: '' });
  const scrape = async () => (await ask('GET', '/metrics')).text;
  assert.match(await scrape(), /sallyport_statements_total\{verdict="deny"\} 7\n/);
  assert.match(await scrape(), /sallyport_statements_total\{verdict="deny"\} 7\n/);
  assert.match(await scrape(), /sallyport_api_requests_total\{status="401"\} [1-9]/);
});

test('the operator token is made once, for its owner alone, and a damaged one is not used', () => {
  const path = join(stand.dataDir, 'operator.token');
  assert.equal(statSync(path).mode & 0o777, 0o600);
  assert.equal(ensureOperatorToken(stand.dataDir), stand.token);
  const text = readFileSync(path, 'utf8');
  writeFileSync(path, 'short');
  assert.throws(() => readOperatorToken(stand.dataDir), /does not hold an operator token/);
  assert.throws(() => ensureOperatorToken(stand.dataDir), /does not hold an operator token/);
  writeFileSync(path, text);
  assert.throws(() => readOperatorToken(join(stand.dataDir, 'none')), /ENOENT/);
  assert.ok(carriesToken(`bearer ${stand.token}`, stand.token));
  assert.ok(!carriesToken(undefined, stand.token));
  assert.ok(!carriesToken(`Bearer ${stand.token} x`, stand.token));
});

test('JSON keeps what JSON has no word for; a DSN is always one', () => {
  const value = { at: 0, bytes: Buffer.from('a'), view: new Uint8Array([1, 2]), set: new Set(['x']), big: 1n };
  assert.deepEqual(JSON.parse(toJson(value)), {
    at: '1970-01-01T00:00:00.000Z',
    bytes: 'YQ==',
    view: 'AQI=',
    set: ['x'],
    big: '1',
  });
  const address = new URL(dsn({ protocol: 'postgres', host: '::1', port: 1 }, 'a b', 'gr_x', 'p/@:?#'));
  assert.deepEqual(
    [address.host, decodeURIComponent(address.password), address.pathname],
    ['[::1]:1', 'p/@:?#', '/a%20b'],
  );
});

test('what listens on every address is named as the caller named the gateway', () => {
  const named = (asked?: string, bound = '0.0.0.0') => reachable(bound, asked);
  assert.deepEqual(
    ['gateway.internal:6480', 'gateway', '[fd00::1]:6480', '10.0.0.7:1'].map((asked) => named(asked)),
    ['gateway.internal', 'gateway', 'fd00::1', '10.0.0.7'],
  );
  const local = [undefined, '', 'localhost:6480', '127.0.0.1', '[::1]:6480', 'a b', 'a/b', 'a@b', '[x'];
  for (const asked of local) assert.equal(named(asked), 'localhost', asked);
  assert.equal(named('gateway', '10.0.0.1'), '10.0.0.1');
});

const grant: Grant = {
  id: 'gr_x',
  task: 'fix-index',
  reason: 'the index is slow',
  identity: { issuer: 'operator', subject: 'chatgpt-agent', groups: ['agents'] },
  connection: 'analytics',
  scopes: [],
  requestedAt: 1,
  expiresAt: 2,
};

test('addresses that cannot be read are problems as any other, with what every answer has', async () => {
  for (const [path, status] of [
    ['/v1/grants/%zz', 400],
    [`/v1/grants/${'x'.repeat(201)}`, 414],
  ] as const) {
    const answer = await ask('GET', path, undefined, { 'x-request-id': 'mine' });
    assert.equal(answer.status, status);
    assert.deepEqual([answer.json.type, answer.json.status, answer.json.requestId], ['about:blank', status, 'mine']);
    assert.match(String(answer.headers.get('content-type')), /^application\/problem\+json/);
    assert.deepEqual(
      ['x-request-id', 'cache-control', 'x-content-type-options'].map((name) => answer.headers.get(name)),
      ['mine', 'no-store', 'nosniff'],
    );
  }
});
