// F8 at the gateway's own doors: the API and both database ports, with a real provider and a real database behind.

import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { after, before, test } from 'node:test';
import { exportSPKI, generateKeyPair, SignJWT } from 'jose';
import mysql from 'mysql2/promise';
import pg from 'pg';
import { startGateway, type TestGateway } from '../servers/gateway.ts';
import { type OidcProvider, startProvider } from '../servers/oidc.ts';
import { type PostgresServer, startPostgres } from '../servers/postgres.ts';

let provider: OidcProvider;
let database: PostgresServer;
let gateway: TestGateway;
const access = [{ groups: ['agents'], connections: ['*'], scopes: ['db:db:read'], maxTtl: '1h' }];
before(async () => {
  [provider, database] = await Promise.all([startProvider(), startPostgres()]);
  gateway = await startGateway({ upstream: database, config: { identity: identity(), access } });
});
after(async () => {
  await gateway?.stop();
  await Promise.all([provider?.close(), database?.stop()]);
});

const identity = () => ({ issuers: [{ issuer: provider.issuer, audience: provider.audience }] });
const ssl = { rejectUnauthorized: false };

interface Said {
  readonly code: string;
  readonly text: string;
}

async function api(token: string, method = 'GET', path = '/v1/me', body?: object): Promise<Said & { status: number }> {
  const { host, port } = gateway.running.addresses.api;
  const response = await fetch(`http://${host}:${port}${path}`, {
    method,
    headers: { authorization: `Bearer ${token}`, ...(body && { 'content-type': 'application/json' }) },
    ...(body && { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  return { status: response.status, code: String((JSON.parse(text) as { code?: string }).code), text };
}

/** What a login by this token reads, or null where it is let in. */
async function psql(password: string, then?: (client: pg.Client) => Promise<void>): Promise<Said | null> {
  const { host, port } = gateway.running.addresses.postgres;
  const client = new pg.Client({ host, port, user: 'oidc', password, database: 'db', ssl });
  client.on('error', () => {});
  try {
    await client.connect();
    await then?.(client);
    return null;
  } catch (error) {
    const { code = '', message = '', hint = '' } = error as { code?: string; message?: string; hint?: string };
    return { code, text: `${message} ${hint}` };
  } finally {
    await client.end().catch(() => {});
  }
}

async function mysqlLogin(password: string): Promise<Said> {
  const { host, port } = gateway.running.addresses.mysql;
  try {
    const connection = await mysql.createConnection({ host, port, user: 'oidc', password, ssl });
    await connection.end();
    return { code: '', text: 'let in' };
  } catch (error) {
    const { code = '', message = '' } = error as { code?: string; message?: string };
    return { code, text: message };
  }
}

const request = (token: string) =>
  api(token, 'POST', '/v1/grants', {
    connection: 'db',
    scopes: ['db:db:read'],
    ttl: '10m',
    task: 'look',
    reason: 'a test',
  });

/** All of them are proven at one place; the ports, which slow failed logins, are shown a few. */
async function forgeries(): Promise<Record<string, string>> {
  const now = Math.floor(Date.now() / 1000);
  const claims = {
    iss: provider.issuer,
    sub: 'agent-1',
    aud: 'sallyport',
    groups: ['agents'],
    iat: now,
    exp: now + 600,
  };
  const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const { kid, publicKey } = provider.key('RS256');
  const hmac = `${encode({ alg: 'HS256', kid })}.${encode(claims)}`;
  const { privateKey } = await generateKeyPair('ES256');
  const signature = createHmac('sha256', await exportSPKI(publicKey))
    .update(hmac)
    .digest('base64url');
  return {
    'alg none': `${encode({ alg: 'none' })}.${encode(claims)}.`,
    'HS256 with the public key': `${hmac}.${signature}`,
    'a key of its own': await new SignJWT(claims)
      .setProtectedHeader({ alg: 'ES256', kid: provider.key('ES256').kid })
      .sign(privateKey),
    'an unknown key': await provider.token({}, { header: { kid: 'unknown' } }),
    'another issuer': await provider.token({ iss: 'https://evil.example' }),
    'another audience': await provider.token({ aud: 'other' }),
    expired: await provider.token({ exp: now - 60 }),
    'not yet valid': await provider.token({ nbf: now + 60 }),
    huge: await provider.token({ padding: 'x'.repeat(16_000) }),
  };
}

// First, because made-up keys in the tests below begin the time in which none is looked for.
test('F8 a provider that goes away and keys that rotate: in the running gateway', async () => {
  const token = await provider.token({ sub: 'during' });
  await provider.rotate();
  assert.equal((await api(await provider.token({ sub: 'during' }))).status, 200, 'the new key counts at once');
  assert.equal((await api(token)).status, 401, 'the old one does not any more');
  const later = await provider.token({ sub: 'later' });
  await provider.stop();
  assert.equal((await api(later)).status, 200, 'what is known is used on');
  await provider.start();
});

test('F8 the API refuses each, and takes the honest one', async () => {
  const honest = await api(await provider.token());
  assert.equal(honest.status, 200, honest.text);
  for (const [what, token] of Object.entries(await forgeries())) {
    const { status, code, text } = await api(token);
    // A header has a bound of its own.
    assert.ok(status === 401 || (what === 'huge' && status === 431), `${what}: ${status} ${text}`);
    if (status === 401) assert.equal(code, 'SP_UNAUTHORIZED', what);
    for (const part of token.split('.').filter((text) => text.length > 8)) assert.ok(!text.includes(part), what);
  }
});

test('F8 with an issuer the operator token proves nobody', async () => {
  const { readFile } = await import('node:fs/promises');
  const token = (await readFile(`${gateway.dir}/data/operator.token`, 'utf8')).trim();
  assert.equal((await api(token)).status, 401);
  assert.equal((await psql(token))?.code, '28P01');
});

test('F8 the PostgreSQL port refuses each in the same words, and lets the honest one work', async () => {
  const honest = await provider.token({ sub: 'honest' });
  assert.equal((await request(honest)).status, 201);
  const rows: unknown[] = [];
  const works = await psql(honest, async (client) => {
    rows.push(...(await client.query('SELECT 1 AS one')).rows);
  });
  assert.deepEqual([works, rows], [null, [{ one: 1 }]]);
  const said = new Set<string>();
  const { expired = '', 'HS256 with the public key': confused = '', huge = '' } = await forgeries();
  for (const token of [expired, confused]) {
    const answer = await psql(token);
    said.add(`${answer?.code} ${answer?.text}`);
  }
  assert.equal(said.size, 1, [...said].join('\n'));
  assert.match([...said].join(), /^28P01 token authentication failed/);
  assert.equal((await psql(huge))?.code, '08P01', 'longer than any token: not even read');
});

test('F8 the MySQL port refuses each in the same words', async () => {
  const said = new Set<string>();
  const { 'another audience': elsewhere = '', 'a key of its own': own = '' } = await forgeries();
  for (const token of [elsewhere, own]) {
    const { code, text } = await mysqlLogin(token);
    said.add(`${code} ${text}`);
  }
  assert.deepEqual([...said], ["ER_ACCESS_DENIED_ERROR Access denied for user 'oidc' (using password: YES)"]);
  const honest = await mysqlLogin(await provider.token({ sub: 'without-a-grant' }));
  assert.match(honest.text, /without-a-grant has no live grant/);
});

test('F8 another person’s grant is not reached by a token of the same name from elsewhere', async () => {
  const token = await provider.token({ sub: 'ada' });
  assert.equal((await request(token)).status, 201);
  // An agent that acts for ada, ada herself as an agent for another, and another's ada.
  for (const claims of [{ sub: 'ada', act: { sub: 'agent' } }, { sub: 'bob', act: { sub: 'ada' } }, { sub: 'Ada' }]) {
    assert.match((await psql(await provider.token(claims)))?.text ?? 'let in', /has no live grant/);
  }
  assert.equal(await psql(token), null);
});

test('F8 an issuer that is taken out of the config proves nobody from then on', async () => {
  const token = await provider.token({ sub: 'agent-1' });
  assert.equal((await api(token)).status, 200);
  await gateway.writeConfig({
    identity: { issuers: [{ issuer: 'https://login.example.com', audience: 'sallyport' }] },
  });
  const deadline = Date.now() + 10_000;
  let status = 200;
  while (status === 200 && Date.now() < deadline) status = (await api(token)).status;
  assert.equal(status, 401);
  assert.equal((await psql(token))?.code, '28P01');
});
