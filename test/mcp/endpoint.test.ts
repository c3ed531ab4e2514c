// The endpoint itself: who is let in, where tokens come from, whose session is whose, what is left when a client goes.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { discoverOAuthProtectedResourceMetadata } from '@modelcontextprotocol/sdk/client/auth.js';
import pg from 'pg';
import { stand } from '../drivers/stand.ts';
import { type OidcProvider, startProvider } from '../servers/oidc.ts';
import { asAgent, mcpUrl, operatorToken, withToken } from './client.ts';

const INITIALIZE = {
  jsonrpc: '2.0',
  id: 1,
  method: 'initialize',
  params: { protocolVersion: '2025-06-18', capabilities: {}, clientInfo: { name: 'bare', version: '0' } },
};

function post(
  url: URL,
  token: string | null,
  body: unknown,
  headers: Record<string, string> = {},
  signal?: AbortSignal,
) {
  return fetch(url, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      ...(token === null ? {} : { authorization: `Bearer ${token}` }),
      ...headers,
    },
    body: JSON.stringify(body),
    ...(signal === undefined ? {} : { signal }),
  });
}

describe('with an identity provider', () => {
  const config: { identity?: object; access?: object } = {};
  let provider: OidcProvider;
  before(async () => {
    provider = await startProvider();
    config.identity = { issuers: [{ issuer: provider.issuer, audience: provider.audience }] };
  });
  after(() => provider.close());
  const postgres = stand(['nothing'], { config });
  const url = () => mcpUrl(postgres.gateway('nothing'));

  test('without a token a client is told where tokens come from, as its own discovery reads it', async () => {
    const metadata = new URL('/.well-known/oauth-protected-resource/mcp', url()).href;
    for (const token of [null, 'forged']) {
      const answer = await post(url(), token, INITIALIZE);
      assert.equal(answer.status, 401);
      assert.equal(answer.headers.get('www-authenticate'), `Bearer resource_metadata="${metadata}"`);
    }
    const found = await discoverOAuthProtectedResourceMetadata(url());
    assert.deepEqual(found.authorization_servers, [provider.issuer]);
    assert.equal(found.resource, url().href);
    const elsewhere = await fetch(new URL('/v1/me', url()));
    assert.equal(elsewhere.headers.get('www-authenticate'), 'Bearer');
  });

  test("behind a proxy that ends TLS the addresses are the client's own", async () => {
    const answer = await fetch(new URL('/.well-known/oauth-protected-resource', url()), {
      headers: { 'x-forwarded-proto': 'https' },
    });
    const { resource } = (await answer.json()) as { resource: string };
    assert.equal(resource, url().href.replace('http:', 'https:'));
  });

  test('nobody is given a name by a header', async () => {
    const token = await provider.token();
    for (const name of ['sallyport-identity', 'sallyport-groups']) {
      const answer = await post(url(), token, INITIALIZE, { [name]: 'agents' });
      assert.equal(answer.status, 403);
      assert.match(((await answer.json()) as { detail: string }).detail, /for the operator token alone/);
    }
  });

  test('a session is its caller’s own, through a renewed token too', async () => {
    const begun = await post(url(), await provider.token({ sub: 'a' }), INITIALIZE);
    const session = { 'mcp-session-id': begun.headers.get('mcp-session-id') ?? '' };
    await begun.text();
    const list = { jsonrpc: '2.0', id: 2, method: 'tools/list' };
    assert.equal((await post(url(), await provider.token({ sub: 'b' }), list, session)).status, 404);
    assert.equal((await post(url(), await provider.token({ sub: 'a', act: { sub: 'b' } }), list, session)).status, 404);
    const own = await post(url(), await provider.token({ sub: 'a' }), list, session);
    assert.match(await own.text(), /wait_for_approval/);
    const remove = (sub: string) =>
      provider
        .token({ sub })
        .then((token) => fetch(url(), { method: 'DELETE', headers: { authorization: `Bearer ${token}`, ...session } }));
    assert.equal((await remove('b')).status, 404);
    assert.equal((await remove('a')).status, 200);
    assert.equal((await post(url(), await provider.token({ sub: 'a' }), list, session)).status, 404);
  });
});

describe('with the operator token', () => {
  const postgres = stand(['nothing'], { env: { SALLYPORT_TLS_REQUIRED: 'true' } });
  const gateway = () => postgres.gateway('nothing');
  const url = () => mcpUrl(gateway());

  test('there is no metadata, and no stream to listen to', async () => {
    assert.equal((await fetch(new URL('/.well-known/oauth-protected-resource/mcp', url()))).status, 404);
    const headers = { authorization: `Bearer ${operatorToken(gateway())}`, accept: 'text/event-stream' };
    const listening = await fetch(url(), { headers });
    assert.equal(listening.status, 405);
    assert.equal(listening.headers.get('allow'), 'POST, DELETE');
    assert.equal((await post(url(), null, INITIALIZE)).headers.get('www-authenticate'), 'Bearer');
  });

  test('queries run where database clients have to use TLS', async () => {
    const agent = await asAgent(gateway());
    assert.equal((await agent.query(await agent.grant(), 'SELECT 1')).failed, false);
    await agent.close();
  });

  test('beyond so many sessions of one caller the one that was not used for the longest time goes', async () => {
    const token = operatorToken(gateway());
    const names = (subject: string) => ({ 'sallyport-identity': subject, 'sallyport-groups': 'agents' });
    const begin = async (subject: string) => {
      const begun = await post(url(), token, INITIALIZE, names(subject));
      await begun.text();
      return { ...names(subject), 'mcp-session-id': begun.headers.get('mcp-session-id') ?? '' };
    };
    const ask = async (session: Record<string, string>) => {
      const answer = await post(url(), token, { jsonrpc: '2.0', id: 2, method: 'ping' }, session);
      await answer.text();
      return answer.status;
    };
    const other = await begin('neighbour');
    const [first, second] = [await begin('many'), await begin('many')];
    for (let n = 2; n < 50; n++) await begin('many');
    assert.equal(await ask(first), 200);
    await begin('many');
    assert.deepEqual([await ask(first), await ask(second), await ask(other)], [200, 404, 200]);
  });

  test('pages of other sites are not let in', async () => {
    const token = operatorToken(gateway());
    assert.equal((await post(url(), token, INITIALIZE, { origin: 'https://evil.example' })).status, 403);
    assert.equal((await post(url(), token, INITIALIZE, { 'sec-fetch-site': 'cross-site' })).status, 403);
  });

  test('what is no beginning, or no message, is refused', async () => {
    const token = operatorToken(gateway());
    const unknown = { 'mcp-session-id': 'none' };
    assert.equal((await post(url(), token, { jsonrpc: '2.0', id: 1, method: 'tools/list' })).status, 400);
    assert.equal((await post(url(), token, INITIALIZE, unknown)).status, 404);
    for (const body of [[], {}, 'text', 7, [INITIALIZE, INITIALIZE]]) {
      assert.equal((await post(url(), token, body)).status, 400, JSON.stringify(body));
    }
  });

  test('a name that is none is refused', async () => {
    const token = operatorToken(gateway());
    for (const [name, value] of [
      ['sallyport-identity', ' '],
      ['sallyport-identity', 'x'.repeat(201)],
      ['sallyport-groups', 'x'.repeat(201)],
      ['sallyport-groups', Array.from({ length: 101 }, (_, i) => i).join(',')],
    ] as const) {
      assert.equal((await post(url(), token, INITIALIZE, { [name]: value })).status, 400, value);
    }
  });

  test('an agent has no role at its tools, whoever brings the token', async () => {
    const agent = await asAgent(gateway(), 'one');
    const other = await asAgent(gateway(), 'two');
    const grant = await agent.grant();
    assert.equal((await other.call('complete_grant', { grant })).about.code, 'SP_GRANT_UNKNOWN');
    const operator = await withToken(gateway(), operatorToken(gateway()));
    assert.equal((await operator.call('complete_grant', { grant })).about.code, 'SP_GRANT_UNKNOWN');
    const { text } = await operator.call('list_connections', {});
    assert.match(text, /nothing for operator/);
    await Promise.all([agent.close(), other.close(), operator.close()]);
  });

  test('when the client breaks off, what it runs ends in the database', async () => {
    const token = operatorToken(gateway());
    const names = { 'sallyport-identity': 'one', 'sallyport-groups': 'agents' };
    const agent = await asAgent(gateway(), 'one');
    const grant = await agent.grant({ scopes: ['db:db:read+admin'] });
    const begun = await post(url(), token, INITIALIZE, names);
    const session = { ...names, 'mcp-session-id': begun.headers.get('mcp-session-id') ?? '' };
    await begun.text();
    const params = { name: 'query', arguments: { grant, sql: 'SELECT pg_sleep(600)' } };
    const leave = new AbortController();
    const call = post(url(), token, { jsonrpc: '2.0', id: 2, method: 'tools/call', params }, session, leave.signal);
    const cut = assert.rejects(call.then((answer) => answer.text()));
    await postgres.sleeping();
    leave.abort();
    await cut;
    await awake();
    // The same for a session that is ended while it runs something.
    const running = post(url(), token, { jsonrpc: '2.0', id: 3, method: 'tools/call', params }, session);
    await postgres.sleeping();
    await fetch(url(), { method: 'DELETE', headers: { authorization: `Bearer ${token}`, ...session } });
    await running.then((answer) => answer.text());
    await awake();
    await agent.close();
  });

  async function awake(): Promise<void> {
    const client = new pg.Client({ connectionString: postgres.database.connectionString });
    await client.connect();
    while ((await client.query("SELECT 1 FROM pg_stat_activity WHERE wait_event = 'PgSleep'")).rowCount !== 0);
    await client.end();
  }
});
