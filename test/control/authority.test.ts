// The matrix of routes and callers, derived from the table of authority: who gets in, for whom a thing is not there, who is
// told which role it needs, and that a refusal has changed nothing.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { mayAll, WHO, type Who } from '../../src/control/authority.ts';
import { ROLES, type Role } from '../../src/types.ts';
import { ask, CALLERS, type CallerName, DDL, READ } from './client.ts';
import { openStand, SESSION, type Stand } from './stand.ts';

let stand: Stand;
before(async () => {
  stand = await openStand({
    identities: CALLERS,
    mounts: [
      (app, callerOf) => {
        app.all('/mcp', async (request) => ({ subject: callerOf(request).identity.subject }));
        app.get('/.well-known/oauth-protected-resource', async () => ({}));
        app.get('/.well-known/oauth-protected-resource/mcp', async () => ({}));
        app.get('/v1/forgotten', async () => ({ secret: 1 }));
      },
    ],
  });
  const { grant } = await stand.grants.request({ ...READ, ttlMs: 60_000, identity: CALLERS.owner });
  stand.record(grant);
});
after(() => stand.close());

/** A request of the owner's that waits for a person. */
async function waiting(): Promise<string> {
  return (await stand.grants.request({ ...DDL, ttlMs: 60_000, identity: CALLERS.owner })).grant.id;
}

const BODIES: Readonly<Record<string, object>> = {
  'POST /v1/grants': READ,
  'POST /v1/grants/preview': READ,
  'POST /v1/grants/revoke': { subject: 'nobody', reason: 'a test' },
  'POST /v1/grants/:id/refuse': { reason: 'a test' },
  'POST /v1/explain': { connection: 'analytics', sql: 'SELECT 1' },
};

async function call(route: string, token: string | null) {
  const [method = '', pattern = ''] = route.split(' ');
  const grant = pattern.startsWith('/v1/grants/:id') ? await waiting() : null;
  const id = grant ?? (pattern.startsWith('/v1/sessions') ? SESSION : 'ap_none');
  const body = method === 'POST' ? (BODIES[route] ?? {}) : undefined;
  const answer = await ask(stand.url, token, method, pattern.replace(':id', id), body);
  const state = grant === null ? null : stand.grants.show(grant).state;
  // So many of one identity may wait at the same time, and no more.
  if (grant !== null && (state === 'requested' || state === 'active')) stand.grants.revoke(grant, 'the test', 'done');
  return { ...answer, state };
}

/** What the table says of a caller, who has these holders' names on the owner's things. */
function expected(route: string, who: Who, name: CallerName): 'proven' | 'in' | 'empty' | 'absent' | 'forbidden' {
  if (typeof who === 'string') return 'proven';
  const roles = rolesOf(name);
  const holds = who.some(
    (holder) =>
      roles.has(holder as Role) || (holder === 'own' && name === 'owner') || (holder === 'named' && name === 'named'),
  );
  if (holds) return route === 'GET /v1/grants' && name === 'named' ? 'empty' : 'in';
  if (!who.includes('own') && !who.includes('named')) return 'forbidden';
  if (!route.includes(':id')) return 'empty';
  const show = route.includes('/sessions/') ? 'GET /v1/sessions/:id' : 'GET /v1/grants/:id';
  return show !== route && expected(show, WHO[show] ?? [], name) === 'in' ? 'forbidden' : 'absent';
}

const rolesOf = (name: CallerName) =>
  new Set(ROLES.filter((role) => CALLERS[name].groups.some((group) => group === role)));

for (const [route, who] of Object.entries(WHO)) {
  test(`${route} is for ${typeof who === 'string' ? who : who.join(', ')}`, async () => {
    for (const token of [null, 'forged']) {
      const { status, state } = await call(route, token);
      if (who === 'anyone') assert.ok(status < 400, `${status} without a proof`);
      else assert.equal(status, 401);
      if (state !== null) assert.equal(state, 'requested');
    }
    for (const name of Object.keys(CALLERS) as CallerName[]) {
      const { status, json, text, state } = await call(route, name);
      const should = expected(route, who, name);
      const told = `${name}: ${status} ${text}`;
      if (should === 'forbidden') {
        assert.equal(status, 403, told);
        for (const holder of who) {
          if ((ROLES as readonly string[]).includes(holder)) assert.ok(json.detail.includes(holder), told);
        }
      } else if (should === 'absent') {
        assert.equal(status, 404, told);
      } else if (should === 'empty') {
        assert.equal(status, 200, told);
        assert.ok(!text.includes('"actingFor":"ada"'), told);
      } else if (should === 'proven') {
        // What the access rules and the connections say is another matter than the caller's role.
        assert.ok(![401, 500].includes(status) && (status !== 403 || json.code === 'SP_GRANT_REFUSED'), told);
      } else if (route.includes('/approvals/')) {
        assert.equal(status, 404, told);
      } else {
        assert.ok(status < 300, told);
      }
      if (state !== null && !(status < 300 && route.startsWith('POST'))) assert.equal(state, 'requested', told);
    }
  });
}

test('what is not in the table is for nobody, whatever its role', async () => {
  for (const token of Object.keys(CALLERS)) {
    assert.equal((await ask(stand.url, token, 'GET', '/v1/forgotten')).status, 403);
  }
  assert.equal((await ask(stand.url, null, 'GET', '/v1/forgotten')).status, 401);
  assert.equal((await ask(stand.url, 'operator', 'PATCH', '/mcp')).status, 403);
});

test('HEAD is asked as GET is', async () => {
  const head = async (token: string) => (await ask(stand.url, token, 'HEAD', `/v1/sessions/${SESSION}`)).status;
  assert.deepEqual([await head('auditor'), await head('owner'), await head('stranger')], [200, 200, 404]);
});

test('a role gives what its rows say and no more', () => {
  const may = (role: Role) =>
    Object.keys(WHO).filter((route) => mayAll({ identity: CALLERS.owner, roles: new Set([role]) }, route));
  assert.deepEqual(
    may('auditor').filter((route) => !route.startsWith('GET ')),
    [],
    'an auditor changes nothing',
  );
  assert.deepEqual(
    may('approver').filter((route) => !route.startsWith('GET ')),
    [
      'POST /v1/grants/:id/approve',
      'POST /v1/grants/:id/refuse',
      'POST /v1/approvals/:id/approve',
      'POST /v1/approvals/:id/deny',
    ],
  );
  assert.deepEqual(
    Object.keys(WHO).filter((route) => typeof WHO[route] !== 'string' && !may('operator').includes(route)),
    [],
    'there is nothing that an operator may not',
  );
});

test('what is not there and what is not yours are told in the same words', async () => {
  const id = await waiting();
  assert.equal((await ask(stand.url, 'owner', 'GET', `/v1/grants/${id}`)).status, 200);
  for (const path of ['', '/complete', '/revoke', '/approve']) {
    const method = path === '' ? 'GET' : 'POST';
    const body = path === '' ? undefined : {};
    const hidden = await ask(stand.url, 'stranger', method, `/v1/grants/${id}${path}`, body);
    const absent = await ask(stand.url, 'stranger', method, `/v1/grants/gr_aaaaaaaaaaaaaaaa${path}`, body);
    const words = ({ status, json }: typeof hidden) => ({ ...json, status, requestId: null });
    const expected = { ...words(absent), detail: words(absent).detail.replace('gr_aaaaaaaaaaaaaaaa', id) };
    assert.deepEqual(words(hidden), expected);
  }
});
