// The renewal watch: what counts as the same again, what is flagged, and when a person has to look.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { wordsOf } from '../../src/grants/renewals.ts';
import type { Caller } from '../../src/types.ts';
import { MINUTE, type Opened, open, request, rule } from './stand.ts';

const HOUR = 60 * MINUTE;
const dba: Caller = {
  identity: { issuer: 'https://login.example.com', subject: 'dora', groups: ['dba'] },
  roles: new Set(['approver']),
};

async function ask({ grants }: Opened, changes: Partial<typeof request> = {}) {
  const { grant, state } = await grants.request({ ...request, ...changes });
  return { id: grant.id, state, flags: grants.show(grant.id).flags };
}

test('case, spaces, punctuation and bare numbers make no new reason; what a number names does', () => {
  const same = [
    'Fix the index',
    'fix  THE index!',
    'fix the index 2',
    'Fix the index (3), 2026-11-21 09:15',
    'ﬁx the index',
  ];
  for (const reason of same) assert.equal(wordsOf(reason), 'fix the index');
  const different = ['fix the other index', 'fix the index #2', 'fix the index OPS-12', 'fix the index ops-13', ''];
  assert.equal(new Set([...different, 'fix the index'].map(wordsOf)).size, 6);
  assert.equal(wordsOf('Índice roto; 索引が遅い'), 'índice roto 索引が遅い');
});

test('the third in a row is flagged, on the grant and to who listens, and the flag survives a restart', async () => {
  const stand = open();
  assert.deepEqual((await ask(stand)).flags, []);
  assert.deepEqual((await ask(stand)).flags, []);
  assert.deepEqual(stand.watched, []);
  const third = await ask(stand, { reason: 'The index is slow, again: no. The  index is slow!' });
  assert.deepEqual(third.flags, [], 'a new reason');
  for (let n = 0; n < 2; n++) await ask(stand);
  const flagged = await ask(stand);
  assert.deepEqual(flagged.flags, ['renewed 3 times without a new reason'], 'an earlier reason is not a new one');
  assert.deepEqual(stand.watched.at(-1), `${flagged.id} 3`);
  stand.grants.complete(flagged.id, 'agent');
  const again = await stand.reopen();
  assert.deepEqual(again.grants.show(flagged.id).flags, flagged.flags);
  assert.deepEqual((await ask(again)).flags, ['renewed 4 times without a new reason'], 'nor is a restart');
});

test('it is the same however the scopes are written, and another identity, connection or scope is another', async () => {
  const stand = open({
    rules: [{ ...rule, connections: ['*'], scopes: ['db:*:read+write'] }],
    connections: ['analytics', 'b'],
  });
  await ask(stand);
  const { identity } = request;
  const others: Partial<typeof request>[] = [
    { scopes: ['db:analytics:read'] },
    { scopes: ['db:*:read'], connection: 'b' },
    { identity: { ...identity, subject: 'another' } },
    { identity: { ...identity, actingFor: 'alice' } },
    { identity: { ...identity, issuer: 'https://login.example.com' } },
  ];
  for (const changes of others) await ask(stand, changes);
  await ask(stand, {
    scopes: ['db:*.*.*:read', 'db:analytics.public.orders:write', 'db:analytics:read'],
    task: 'another',
  });
  assert.deepEqual(stand.watched, []);
  const third = await ask(stand, { scopes: [...request.scopes].reverse() });
  assert.deepEqual(stand.watched, [`${third.id} 2`]);
});

test('within an hour of the deadline it is a renewal, after that it is not', async () => {
  for (const [later, flags] of [
    [request.ttlMs + HOUR, 1],
    [request.ttlMs + HOUR + 1, 0],
  ] as const) {
    const stand = open();
    await ask(stand);
    await ask(stand);
    stand.time.pass(later);
    assert.equal((await ask(stand)).flags.length, flags);
  }
});

test('a listener that throws leaves the grant and its secret as they are', async () => {
  const stand = open();
  Object.defineProperty(stand.watched, 'push', {
    value: () => {
      throw new Error('broken');
    },
  });
  for (let n = 0; n < 3; n++) assert.equal((await ask(stand)).state, 'active');
  assert.equal(stand.errors.length, 1);
});

test('what is refused or only looked at is no link of the chain', async () => {
  const stand = open();
  await ask(stand);
  stand.grants.preview(request);
  await assert.rejects(stand.grants.request({ ...request, ttlMs: 2 * rule.maxTtlMs }));
  assert.deepEqual((await ask(stand)).flags, []);
});

test('after maxConsecutive a person has to approve, and again, until there is a new reason', async () => {
  const rules = [{ ...rule, maxConsecutive: 2, approvers: { groups: ['dba'] } }];
  const stand = open({ rules });
  const states = [];
  for (let n = 0; n < 2; n++) states.push((await ask(stand)).state);
  assert.deepEqual(states, ['active', 'active']);
  const preview = stand.grants.preview(request);
  assert.deepEqual([preview.granted, preview.approval], [true, 'required']);
  assert.match(String(preview.message), /granted 2 times in a row without a new reason, and after 2 a person/);
  const third = await ask(stand);
  assert.equal(third.state, 'requested');
  assert.match(String(stand.grants.show(third.id).awaits), /in a row without a new reason.*a member of dba/);
  assert.equal(stand.grants.approve(third.id, dba).state, 'active');
  assert.equal((await ask(stand)).state, 'requested');
  assert.equal((await ask(stand, { reason: 'the customers table is slow' })).state, 'active');
  assert.equal(stand.grants.show(third.id).grant.expiresAt, stand.time.wall + request.ttlMs, 'no deadline has moved');
});
