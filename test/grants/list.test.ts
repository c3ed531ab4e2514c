// Pages of grants: newest first, by whatever filter, from a store of any age.

import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { test } from 'node:test';
import { open as openLmdb } from 'lmdb';
import type { GrantsService } from '../../src/grants/service.ts';
import { openStore } from '../../src/grants/store.ts';
import type { GrantFilter, Identity } from '../../src/types.ts';
import { MINUTE, newDir, open, openAt, request, rule, Time } from './stand.ts';

const alice: Identity = {
  issuer: 'https://login.example.com',
  subject: 'agent',
  groups: ['agents'],
  actingFor: 'alice',
};
const bob: Identity = { ...alice, actingFor: 'bob' };
const rules = [{ ...rule, connections: ['*'], scopes: ['db:*:read'] }];

async function filled() {
  const stand = open({ rules, connections: ['analytics', 'billing'] });
  const ask = async (identity: Identity, connection: string, task: string) =>
    (await stand.grants.request({ ...request, identity, connection, task, scopes: ['db:*:read'] })).grant.id;
  const made: Record<string, string> = {};
  for (const [task, identity, connection] of [
    ['a', alice, 'analytics'],
    ['b', bob, 'analytics'],
    ['c', alice, 'billing'],
    ['d', request.identity, 'billing'],
    ['e', alice, 'analytics'],
  ] as const) {
    made[task] = await ask(identity, connection, task);
  }
  stand.grants.revoke(made.b ?? '', 'olga', 'x');
  stand.grants.complete(made.c ?? '', 'agent');
  return { ...stand, made };
}

const tasks = (grants: GrantsService, filter?: GrantFilter) =>
  grants
    .list(filter)
    .map(({ grant }) => grant.task)
    .join('');

test('by each filter and by several, and after a restart', async () => {
  const stand = await filled();
  const table: [GrantFilter, string][] = [
    [{}, 'edcba'],
    [{ subject: 'agent' }, 'ecba'],
    [{ owner: alice }, 'eca'],
    [{ owner: { ...alice, issuer: 'https://other.example.com' } }, ''],
    [{ owner: { issuer: alice.issuer, subject: 'agent', groups: [] } }, ''],
    [{ connection: 'billing' }, 'dc'],
    [{ connection: 'bill' }, ''],
    [{ state: 'active' }, 'eda'],
    [{ state: 'active', owner: alice }, 'ea'],
    [{ state: 'requested' }, ''],
    [{ state: 'revoked' }, 'b'],
    [{ state: 'completed' }, 'c'],
    [{ state: 'expired' }, ''],
    [{ state: 'completed', owner: bob }, ''],
    [{ state: 'revoked', connection: 'analytics', subject: 'agent', owner: bob }, 'b'],
  ];
  const again = await stand.reopen();
  for (const [filter, expected] of table) assert.equal(tasks(again.grants, filter), expected, JSON.stringify(filter));
  again.time.pass(request.ttlMs);
  assert.equal(tasks(again.grants, { state: 'active' }), '');
  assert.equal(tasks(again.grants, { state: 'expired' }), 'eda');
  await again.grants.close();
  const store = openStore(stand.dir);
  assert.deepEqual([...store.newest(undefined, ['open', ''])], [], 'a start looks at no grant that is over');
  await store.close();
});

test('page by page, from each grant on, though the one it goes on from has ended meanwhile', async () => {
  const { grants, made } = await filled();
  const pages = (filter: GrantFilter) => {
    let seen = '';
    for (let before: string | undefined; ; ) {
      const page = grants.list({ ...filter, limit: 2, before });
      seen += `${page.map(({ grant }) => grant.task).join('')} `;
      before = page.at(-1)?.grant.id;
      if (before === undefined) return seen.trim();
    }
  };
  assert.equal(pages({}), 'ed cb a');
  assert.equal(pages({ subject: 'agent' }), 'ec ba');
  assert.equal(pages({ state: 'active' }), 'ed a');
  grants.complete(made.d ?? '', 'x');
  assert.equal(tasks(grants, { state: 'active', before: made.d }), 'a');
  assert.equal(tasks(grants, { connection: 'billing', before: made.d }), 'c');
  assert.equal(tasks(grants, { before: made.a }), '');
  assert.throws(() => grants.list({ before: 'gr_aaaaaaaaaaaaaaaa' }), { code: 'SP_GRANT_UNKNOWN' });
  assert.throws(() => grants.list({ before: '' }), { code: 'SP_GRANT_UNKNOWN' });
});

test('a name that is longer than a key can be is found, and no other that begins alike', async () => {
  const { grants } = open({ rules });
  const long = (end: string) => ({ ...request.identity, subject: `${'é'.repeat(1500)}${end}` });
  for (const end of ['x', 'y'])
    await grants.request({ ...request, task: end, identity: long(end), scopes: ['db:*:read'] });
  assert.equal(tasks(grants, { subject: long('x').subject }), 'x');
  assert.equal(tasks(grants, { owner: long('y') }), 'y');
});

test('what happened to a grant that there is not', () => {
  const { grants } = open();
  for (const id of ['gr_aaaaaaaaaaaaaaaa', '', '__proto__']) {
    assert.throws(() => grants.history(id), { code: 'SP_GRANT_UNKNOWN' });
    assert.deepEqual([grants.remaining(id), grants.live({ ...alice, subject: id })], [0, []]);
  }
});

test('a store of the version before opens: active at once, with its ends, its deadlines and its lists', async () => {
  const dir = newDir();
  mkdirSync(dir, { recursive: true });
  const root = openLmdb({ path: dir, overlappingSync: false });
  const log = root.openDB({ name: 'log' });
  const index = root.openDB({ name: 'index' });
  const time = new Time();
  const at = time.wall;
  const ids = ['gr_aaaaaaaaaaaaaaaa', 'gr_bbbbbbbbbbbbbbbb'] as const;
  const { ttlMs, ...asked } = request;
  const events = [
    ...ids.map((id) => ({
      ...{ grantId: id, at, event: 'requested', by: 'chatgpt-agent', reason: request.reason, verifiers: { old: true } },
      grant: { id, ...asked, requestedAt: at, expiresAt: at + ttlMs },
    })),
    { grantId: ids[1], at: at + MINUTE, event: 'completed', by: 'agent', reason: 'the task is done' },
  ];
  for (const [sequence, event] of events.entries()) {
    await log.put(sequence, event);
    await index.put([event.grantId, sequence], true);
  }
  await root.close();

  time.wall -= 24 * 60 * MINUTE;
  const { grants, reopen } = openAt(time, dir);
  assert.deepEqual(
    grants.list().map(({ grant, state }) => `${grant.id} ${state}`),
    [`${ids[1]} completed`, `${ids[0]} active`],
  );
  assert.deepEqual(grants.login(ids[0])?.verifiers, { old: true });
  assert.deepEqual([grants.show(ids[0]).ttlMs, grants.show(ids[0]).flags], [ttlMs, []]);
  assert.equal(grants.remaining(ids[0]), ttlMs - MINUTE);
  assert.deepEqual(
    grants.history(ids[1]).map(({ event }) => event),
    ['requested', 'completed'],
  );
  assert.equal(grants.list({ subject: 'chatgpt-agent' }).length, 2);
  assert.equal(grants.list({ state: 'completed' }).length, 1);
  const again = await reopen();
  again.time.pass(ttlMs - MINUTE);
  assert.equal(again.grants.state(ids[0]), 'expired');
});
