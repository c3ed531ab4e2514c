// Grants through the API as their callers see them: waiting for a person, decided, paged and filtered, ended one by one and all
// at once, each change under the name of who made it.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { ask as askAs, CALLERS, type CallerName, DDL, READ } from './client.ts';
import { openStand, type Stand } from './stand.ts';

let stand: Stand;
before(async () => {
  stand = await openStand({ identities: CALLERS });
});
after(() => stand.close());

const ask = (caller: CallerName, method: string, path: string, body?: unknown) =>
  askAs(stand.url, caller, method, path, body);

async function granted(caller: CallerName, request: object = READ): Promise<string> {
  const { status, json, text } = await ask(caller, 'POST', '/v1/grants', request);
  assert.ok(status === 201 || status === 202, text);
  return json.id;
}

const OLGA = 'olga (https://login.test)';
const AGENT = 'report-agent for ada (https://login.test)';

test('what a person has to approve is answered with 202, and is active from the approval on', async () => {
  const made = await ask('owner', 'POST', '/v1/grants', DDL);
  assert.equal(made.status, 202, made.text);
  assert.deepEqual(Object.keys(made.json).sort(), ['dsn', 'expiresAt', 'id', 'password', 'state', 'user']);
  assert.equal(made.json.state, 'requested');
  assert.equal(made.headers.get('location'), `/v1/grants/${made.json.id}`);
  const path = `/v1/grants/${made.json.id}`;
  assert.match((await ask('owner', 'GET', path)).json.awaits, /dba/);

  const own = await ask('owner', 'POST', `${path}/approve`, {});
  assert.equal(own.status, 403);
  assert.match(own.json.detail, /operator or approver, or to be an approver of the grant's access rule/);

  const waits = await ask('named', 'GET', '/v1/grants?state=requested');
  assert.deepEqual(
    waits.json.grants.map(({ id }: { id: string }) => id),
    [made.json.id],
  );
  const approved = await ask('named', 'POST', `${path}/approve`, { reason: 'go on' });
  assert.equal(approved.status, 200, approved.text);
  assert.equal(approved.json.state, 'active');
  assert.deepEqual([approved.json.decided.by, approved.json.decided.reason], ['dora (https://login.test)', 'go on']);
  const { json } = await ask('owner', 'GET', path);
  assert.deepEqual(
    json.history.map(({ event, by }: { event: string; by: string }) => [event, by]),
    [
      ['requested', AGENT],
      ['approved', 'dora (https://login.test)'],
    ],
  );
  assert.equal((await ask('approver', 'POST', `${path}/approve`, {})).status, 409);
});

test('a refusal has a reason, and the asking side reads it', async () => {
  const id = await granted('owner', DDL);
  assert.equal((await ask('approver', 'POST', `/v1/grants/${id}/refuse`, {})).status, 400);
  assert.equal((await ask('approver', 'POST', `/v1/grants/${id}/refuse`, { reason: 'not today' })).status, 200);
  const { json } = await ask('owner', 'GET', `/v1/grants/${id}`);
  assert.deepEqual([json.state, json.decided.reason], ['refused', 'not today']);
});

test('only the operator token speaks for others', async () => {
  for (const caller of ['owner', 'operator'] as const) {
    for (const more of [{ identity: 'somebody' }, { groups: ['agents'] }]) {
      const { status, json } = await ask(caller, 'POST', '/v1/grants', { ...READ, ...more });
      assert.deepEqual([status, json.code], [403, 'SP_FORBIDDEN']);
    }
  }
  const id = await granted('owner');
  assert.deepEqual((await ask('owner', 'GET', `/v1/grants/${id}`)).json.identity, CALLERS.owner);
});

test('every change stands under the name of who made it, in the history and in the log', async () => {
  const completed = await granted('owner');
  await ask('owner', 'POST', `/v1/grants/${completed}/complete`);
  assert.equal((await ask('owner', 'GET', `/v1/grants/${completed}`)).json.endedBy, AGENT);
  const revoked = await granted('owner');
  await ask('operator', 'POST', `/v1/grants/${revoked}/revoke`, { reason: 'enough' });
  const { json } = await ask('owner', 'GET', `/v1/grants/${revoked}`);
  assert.deepEqual([json.state, json.endedBy, json.endReason], ['revoked', OLGA, 'enough']);
  const lines = stand.state.logged.filter(({ grant }) => grant === revoked);
  assert.deepEqual(
    lines.map(({ message, by }) => [message, by]),
    [
      ['a grant has been asked for', AGENT],
      ['a grant has been revoked', OLGA],
    ],
  );
  assert.ok(lines.every(({ request }) => typeof request === 'string'));
});

test('a preview says scope by scope what would be granted, and keeps nothing', async () => {
  const before = (await ask('auditor', 'GET', '/v1/grants?limit=1000')).json.grants.length;
  const wider = { ...READ, scopes: ['db:analytics:read+write'] };
  const { status, json, text } = await ask('owner', 'POST', '/v1/grants/preview', wider);
  assert.equal(status, 200, text);
  assert.equal(json.granted, false);
  const [read, write] = json.scopes;
  assert.deepEqual([read.scope, read.granted, read.maxTtlSeconds], ['db:analytics:read', true, 1800]);
  assert.deepEqual([write.scope, write.granted], ['db:analytics:write', false]);
  assert.equal((await ask('auditor', 'GET', '/v1/grants?limit=1000')).json.grants.length, before);
});

test('lists are filtered and paged, newest first, each caller over what it may see', async () => {
  const ids: string[] = [];
  for (let n = 0; n < 5; n++) ids.unshift(await granted('sibling'));
  const walk = async (caller: CallerName, query: string) => {
    const found: string[] = [];
    let next: string | null = '';
    while (next !== null) {
      const path: string = `/v1/grants?limit=2&${query}${next === '' ? '' : `&before=${next}`}`;
      const { json, text, status } = await ask(caller, 'GET', path);
      assert.equal(status, 200, text);
      assert.ok(json.grants.length <= 2);
      found.push(...json.grants.map(({ id }: { id: string }) => id));
      next = json.next;
    }
    return found;
  };
  assert.deepEqual(await walk('sibling', ''), ids);
  assert.deepEqual((await walk('auditor', 'subject=report-agent')).slice(0, 5), ids);
  assert.deepEqual((await walk('auditor', 'connection=analytics&state=active')).slice(0, 5), ids);
  assert.deepEqual(await walk('auditor', 'connection=elsewhere'), []);
  assert.deepEqual(await walk('auditor', 'mine=true'), []);
  assert.deepEqual(await walk('stranger', ''), []);
  for (const query of ['state=gone', 'limit=0', 'limit=1001', 'stat=active', 'mine=yes']) {
    assert.equal((await ask('auditor', 'GET', `/v1/grants?${query}`)).status, 400, query);
  }
});

test('the big red switch ends what is open: of one subject, or of everybody', async () => {
  const [a, b] = [await granted('owner'), await granted('stranger')];
  const waits = await granted('stranger', DDL);
  for (const body of [
    { reason: 'x' },
    { all: true, subject: 'x', reason: 'x' },
    { all: false, reason: 'x' },
    { all: true },
  ]) {
    assert.equal((await ask('operator', 'POST', '/v1/grants/revoke', body)).status, 400, JSON.stringify(body));
  }
  const one = await ask('operator', 'POST', '/v1/grants/revoke', { subject: 'other-agent', reason: 'misbehaves' });
  assert.deepEqual(one.json.revoked.map(({ id }: { id: string }) => id).sort(), [b, waits].sort());
  assert.equal(stand.grants.state(a), 'active');
  const all = await ask('operator', 'POST', '/v1/grants/revoke', { all: true, reason: 'stop' });
  assert.ok(all.json.revoked.some(({ id, endedBy }: { id: string; endedBy: string }) => id === a && endedBy === OLGA));
  assert.deepEqual((await ask('auditor', 'GET', '/v1/grants?state=active')).json.grants, []);
});

test('connections: what could be asked for, where to log in, and nothing of the database', async () => {
  const { json } = await ask('owner', 'GET', '/v1/connections');
  assert.deepEqual(json.connections, [
    {
      name: 'analytics',
      protocol: 'postgres',
      host: 'localhost',
      port: 6432,
      scopes: [
        { scope: 'db:analytics:read', maxTtlSeconds: 1800, approval: 'auto' },
        { scope: 'db:analytics.public:ddl', maxTtlSeconds: 600, approval: 'required' },
      ],
    },
  ]);
  assert.deepEqual((await ask('named', 'GET', '/v1/connections')).json.connections, []);
  assert.deepEqual((await ask('auditor', 'GET', '/v1/connections')).json.connections[0].scopes, []);
  assert.equal((await ask('named', 'POST', '/v1/explain', { connection: 'analytics', sql: 'x' })).status, 404);
});

test('an explanation tells of no more than the caller could ask for; of everything with a role', async () => {
  const explain = (who: Parameters<typeof ask>[0], ...scopes: string[]) =>
    ask(who, 'POST', '/v1/explain', { connection: 'analytics', scopes, sql: 'SELECT 1' });
  for (const scope of ['db:analytics:read', 'db:analytics.hr:read', 'db:analytics.public.orders:ddl']) {
    assert.equal((await explain('owner', scope)).status, 200, scope);
  }
  assert.equal((await explain('owner')).status, 200);
  for (const scope of ['db:analytics:write', 'db:analytics:ddl', 'db:analytics:read+write', 'db:other:read', 'x']) {
    const { status, json } = await explain('owner', 'db:analytics:read', scope);
    assert.deepEqual([status, json.code], [403, 'SP_GRANT_REFUSED'], scope);
  }
  assert.equal((await explain('auditor', 'db:analytics:read+write+ddl+admin')).status, 200);
});

test('who am I, and who is asked', async () => {
  assert.deepEqual((await ask('owner', 'GET', '/v1/me')).json, { identity: CALLERS.owner, roles: [] });
  assert.deepEqual((await ask('approver', 'GET', '/v1/me')).json.roles, ['approver']);
  assert.deepEqual((await ask('owner', 'GET', '/v1/identity')).json, {
    issuers: [{ issuer: 'https://login.test', clientId: 'cli', audience: 'sallyport' }],
  });
});
