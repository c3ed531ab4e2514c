// F10, the API: no action without a proven identity, none that a page of another site asks for, values that stay values, secrets
// that are nowhere. The gateway is a real one, with a database behind it and an identity provider beside it.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { request as httpRequest } from 'node:http';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import pg from 'pg';
import { WHO } from '../../src/control/authority.ts';
import { ask } from '../control/client.ts';
import { startGateway, type TestGateway } from '../servers/gateway.ts';
import { type OidcProvider, startProvider } from '../servers/oidc.ts';
import { type PostgresServer, startPostgres } from '../servers/postgres.ts';

const DATABASE_PASSWORD = 'the-database-has-one-7f3a';
const REQUEST = { connection: 'db', scopes: ['db:db:read'], ttl: '10m', task: 'inventory', reason: 'a test' };

let database: PostgresServer;
let provider: OidcProvider;
/** Callers prove themselves by the provider's tokens. */
let gateway: TestGateway;
let url: string;
let agent: string;
let operator: string;
before(async () => {
  [database, provider] = await Promise.all([
    startPostgres({ auth: 'scram-sha-256', sql: `CREATE ROLE gatekeeper LOGIN PASSWORD '${DATABASE_PASSWORD}'` }),
    startProvider(),
  ]);
  gateway = await startGateway({
    upstream: { ...database, user: 'gatekeeper', password: DATABASE_PASSWORD },
    config: {
      identity: {
        issuers: [{ issuer: provider.issuer, audience: provider.audience }],
        roles: { operator: ['ops'], auditor: ['audit'] },
      },
    },
  });
  const { host, port } = gateway.running.addresses.api;
  url = `http://${host}:${port}`;
  agent = await provider.token();
  operator = await provider.token({ sub: 'olga', groups: ['ops'] });
});
after(async () => {
  await gateway.stop();
  await Promise.all([provider.close(), database.stop()]);
});

const operatorToken = () => readFileSync(join(gateway.env.dataDir, 'operator.token'), 'utf8').trim();

test('F10 without a proof nothing is done and nothing is told, on any route but those that are open', async () => {
  const { json } = await ask(url, agent, 'POST', '/v1/grants', REQUEST);
  const none = [
    null,
    'x',
    operatorToken(),
    json.password,
    await provider.token({ aud: 'another' }),
    await provider.token({ exp: 1 }),
  ];
  for (const [route, who] of Object.entries(WHO)) {
    if (who === 'anyone') continue;
    const [method = '', pattern = ''] = route.split(' ');
    for (const token of none) {
      const { status, text } = await ask(url, token, method, pattern.replace(':id', json.id));
      assert.equal(status, 401, `${route}: ${text}`);
      for (const told of [json.id, 'inventory', 'agent-1']) assert.ok(!text.includes(told), `${route}: ${text}`);
    }
  }
  assert.equal((await ask(url, agent, 'GET', `/v1/grants/${json.id}`)).json.state, 'active');
  // A query, a cookie and Basic are no ways to prove anything.
  for (const path of [`/v1/me?access_token=${agent}`, `/v1/me?token=${agent}`]) {
    assert.equal((await ask(url, null, 'GET', path)).status, 401);
  }
  for (const headers of [
    { cookie: `token=${agent}` },
    { authorization: `Basic ${Buffer.from(`x:${agent}`).toString('base64')}` },
  ]) {
    const { status, headers: answered } = await ask(url, null, 'GET', '/v1/me', undefined, headers);
    assert.equal(status, 401);
    assert.equal(answered.get('set-cookie'), null);
    assert.match(answered.get('www-authenticate') ?? '', /^Bearer/);
  }
});

/** As a browser sends it: fetch would not let a test set these headers. */
function sent(
  method: string,
  path: string,
  headers: Record<string, string>,
  body?: string,
): Promise<{ status: number; headers: object }> {
  const { host, port } = gateway.running.addresses.api;
  return new Promise((resolve, reject) => {
    httpRequest({ host, port, method, path, headers }, (response) => {
      response.resume();
      resolve({ status: response.statusCode ?? 0, headers: response.headers });
    })
      .on('error', reject)
      .end(body);
  });
}

test("F10 a page of another site gets nothing done and nothing to read, though it has somebody's token", async () => {
  const body = JSON.stringify(REQUEST);
  const before = (await ask(url, operator, 'GET', '/v1/grants')).json.grants.length;
  const ways: Record<string, string>[] = [
    { origin: 'https://evil.test' },
    { origin: 'null' },
    { origin: `${url}.evil.test` },
    { origin: 'http://localhost:1' },
    { 'sec-fetch-site': 'cross-site' },
    { 'sec-fetch-site': 'same-site' },
    { host: 'evil.test' },
  ];
  for (const way of ways) {
    const headers = { authorization: `Bearer ${agent}`, 'content-type': 'application/json', ...way };
    for (const [method, path, what] of [
      ['POST', '/v1/grants', body],
      ['GET', '/v1/grants', undefined],
      ['GET', '/metrics', undefined],
    ] as const) {
      const { status } = await sent(method, path, headers, what);
      assert.ok(status === 403 || status === 421, `${JSON.stringify(way)} ${method} ${path}: ${status}`);
    }
    const asked = {
      ...way,
      'access-control-request-method': 'POST',
      'access-control-request-headers': 'authorization',
    };
    const preflight = await sent('OPTIONS', '/v1/grants', asked);
    assert.ok(preflight.status >= 400);
    const named = Object.keys(preflight.headers).filter((name) => name.startsWith('access-control-'));
    assert.deepEqual(named, []);
  }
  // What a form can send without being asked for leave is no JSON.
  for (const type of ['application/x-www-form-urlencoded', 'multipart/form-data', 'text/plain']) {
    const headers = { authorization: `Bearer ${agent}`, 'content-type': type };
    assert.equal((await sent('POST', '/v1/grants', headers, body)).status, 415);
  }
  assert.equal((await ask(url, operator, 'GET', '/v1/grants')).json.grants.length, before);
});

test('F10 a page of the gateway itself may ask', async () => {
  const headers = { authorization: `Bearer ${agent}`, origin: url, 'sec-fetch-site': 'same-origin' };
  assert.equal((await sent('GET', '/v1/me', headers)).status, 200);
});

test('F10 what callers and agents write stays a value: in JSON, with a type that no browser runs', async () => {
  const hostile = '<script>alert(1)</script> "\'` {{x}} \\ </textarea>';
  const { json } = await ask(url, agent, 'POST', '/v1/grants', { ...REQUEST, reason: hostile });
  const shown = await ask(url, agent, 'GET', `/v1/grants/${json.id}`);
  assert.equal(shown.json.reason, hostile);
  const refused = await ask(url, agent, 'GET', `/v1/grants/${encodeURIComponent(hostile)}`);
  const nowhere = await ask(url, agent, 'GET', `/v1/${encodeURIComponent(hostile)}`);
  assert.deepEqual([refused.status, nowhere.status], [404, 404]);
  for (const { headers } of [shown, refused, nowhere]) {
    assert.match(headers.get('content-type') ?? '', /^application\/(problem\+)?json/);
    assert.equal(headers.get('x-content-type-options'), 'nosniff');
    assert.match(headers.get('content-security-policy') ?? '', /default-src 'none'/);
    assert.equal(headers.get('cache-control'), 'no-store');
  }
  // Headers are no place to write lines into.
  const split = await sent('GET', '/v1/me', {
    authorization: `Bearer ${agent}`,
    'x-request-id': 'a%0d%0aset-cookie: x',
  });
  assert.ok(!('set-cookie' in split.headers));
  for (const body of ['{"__proto__":{"roles":["operator"]}}', '{"constructor":{"prototype":{"x":1}}}']) {
    assert.equal((await ask(url, agent, 'POST', '/v1/grants', body)).status, 400);
  }
});

test('F10 no answer to anybody has a secret in it, but the one that makes it', async () => {
  const { json: issued } = await ask(url, agent, 'POST', '/v1/grants', REQUEST);
  const { postgres } = gateway.running.addresses;
  const client = new pg.Client({ ...postgres, user: issued.user, password: issued.password, database: 'db' });
  await client.connect();
  await client.query('SELECT 1');
  await client.query('SELECT * FROM nowhere').catch(() => {});
  await client.end();
  const auditor = await provider.token({ sub: 'anna', groups: ['audit'] });
  const [{ id }] = (await ask(url, auditor, 'GET', '/v1/sessions')).json.sessions;
  const paths = ['/v1/me', '/v1/connections', '/v1/grants', `/v1/grants/${issued.id}`, '/v1/approvals', '/v1/sessions'];
  const secrets = [issued.password, DATABASE_PASSWORD, operatorToken(), agent, operator, auditor];
  const texts: string[] = [];
  for (const token of [agent, operator, auditor, null]) {
    for (const path of [
      ...paths,
      `/v1/sessions/${id}`,
      `/v1/sessions/${id}/records`,
      '/metrics',
      '/v1/openapi.json',
      '/v1/identity',
      '/readyz',
    ]) {
      texts.push((await ask(url, token, 'GET', path)).text);
    }
    const explained = { connection: 'db', sql: 'SELECT 1', scopes: ['db:db:read'] };
    texts.push((await ask(url, token, 'POST', '/v1/explain', explained)).text);
  }
  for (const text of texts) {
    for (const secret of secrets) assert.ok(!text.includes(secret), text.slice(0, 300));
    assert.doesNotMatch(text, /verifiers|storedKey|serverKey|operator\.token/i);
  }
  // Whose grant it is sees its own session, and not where the database is.
  const own = (await ask(url, agent, 'GET', `/v1/sessions/${id}`)).json;
  assert.deepEqual(own.facts.connection, { name: 'db' });
  const records = (await ask(url, agent, 'GET', `/v1/sessions/${id}/records`)).text;
  assert.ok(!records.includes(String(database.port)) && !records.includes('gatekeeper'), records);
});

test('F10 tokens and secrets are not in the data dir as they were sent', async () => {
  const { json: issued } = await ask(url, agent, 'POST', '/v1/grants', REQUEST);
  for (const name of readdirSync(gateway.env.dataDir, { recursive: true, encoding: 'utf8' })) {
    const path = join(gateway.env.dataDir, name);
    let bytes: Buffer;
    try {
      bytes = readFileSync(path);
    } catch {
      // A folder.
      continue;
    }
    for (const secret of [issued.password, agent, DATABASE_PASSWORD]) assert.equal(bytes.indexOf(secret), -1, name);
  }
});
