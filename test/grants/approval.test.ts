// Grants that wait for a person: who may decide, what the rules say by then, and what happens when nobody does.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SallyportError } from '../../src/errors.ts';
import type { AccessRule } from '../../src/grants/access.ts';
import type { Caller, Identity, Role } from '../../src/types.ts';
import { MINUTE, open, request, rule } from './stand.ts';

const HOUR = 60 * MINUTE;
const ISSUER = 'https://login.example.com';
const agent: Identity = { issuer: ISSUER, subject: 'agent', groups: ['agents'], actingFor: 'alice', via: ['planner'] };
const asked = { ...request, identity: agent };

function required(): AccessRule[] {
  return [{ ...rule, approval: 'required', approvers: { groups: ['dba'] } }];
}

function person(subject: string, groups: readonly string[], ...roles: Role[]): Caller {
  return { identity: { issuer: ISSUER, subject, groups }, roles: new Set(roles) };
}

const dba = person('dora', ['dba']);

/** The refusal's code and sentence. */
function thrown(call: () => unknown): string {
  try {
    call();
  } catch (error) {
    if (error instanceof SallyportError) return `${error.code} ${error.message}`;
    throw error;
  }
  return 'done';
}

test('a request waits: its login is none, its secret is shown, its life begins with the approval', async () => {
  const { grants, time } = open({ rules: required() });
  const changes: string[] = [];
  grants.onChange((id, state) => changes.push(`${id} ${state}`));
  const { grant, state, secret, message } = await grants.request(asked);
  const { id } = grant;
  assert.deepEqual([state, secret.length, grant.expiresAt], ['requested', 43, time.wall + HOUR]);
  assert.equal(
    message,
    'a person has to approve grants of db:analytics:read to group agents; a member of dba, or a caller with the role ' +
      `approver or operator, may until ${new Date(grant.expiresAt).toISOString()}`,
  );
  assert.equal(grants.show(id).awaits, message);
  assert.deepEqual([grants.login(id)?.state, grants.isLive(id), grants.remaining(id)], ['requested', false, 0]);
  assert.deepEqual(grants.live(agent), []);
  time.pass(50 * MINUTE);
  const approved = grants.approve(id, dba, 'looks right');
  const at = time.wall;
  assert.deepEqual(approved.decided, { by: `dora (${ISSUER})`, at, reason: 'looks right' });
  assert.deepEqual(
    [approved.state, approved.grant.expiresAt, approved.awaits],
    ['active', at + 20 * MINUTE, undefined],
  );
  assert.deepEqual(grants.show(id), approved);
  assert.deepEqual(grants.login(id)?.verifiers, { length: 43 });
  assert.deepEqual(grants.live(agent), [approved.grant]);
  time.pass(20 * MINUTE - 1);
  assert.equal(grants.remaining(id), 1);
  time.pass(1);
  assert.equal(grants.isLive(id), false);
  assert.deepEqual(changes, [`${id} requested`, `${id} active`, `${id} expired`]);
  assert.deepEqual(
    grants.history(id).map(({ event, by, reason }) => [event, by, reason]),
    [
      ['requested', `agent for alice (${ISSUER})`, asked.reason],
      ['approved', `dora (${ISSUER})`, 'looks right'],
      ['expired', 'sallyport', 'the deadline has passed'],
    ],
  );
});

test('a refusal is the end, with who and why', async () => {
  const { grants, ends } = open({ rules: required() });
  const { id } = (await grants.request(asked)).grant;
  const refused = grants.refuse(id, dba, 'use the replica');
  assert.deepEqual(
    [refused.state, refused.decided?.by, refused.endReason],
    ['refused', `dora (${ISSUER})`, 'use the replica'],
  );
  assert.deepEqual(ends, [`${id} refused use the replica`]);
  assert.match(
    thrown(() => grants.approve(id, dba)),
    /^SP_GRANT_OVER grant gr_\w+ is refused already: use the replica$/,
  );
  assert.equal(grants.login(id)?.state, 'refused');
});

test('nobody decides over what they ask for, nor the person behind it, nor anybody’s agent, whatever their role', async () => {
  const { grants } = open({ rules: required() });
  const { id } = (await grants.request(asked)).grant;
  const all: Role[] = ['approver', 'operator', 'auditor'];
  const bars: [Caller, RegExp][] = [
    [person('agent', ['dba'], ...all), /agent has asked for grant/],
    [person('alice', ['dba'], ...all), /agent acts for alice, who may not approve/],
    [person('planner', ['dba'], ...all), /planner has handed on what asks/],
    [{ ...dba, identity: { ...dba.identity, actingFor: 'alice' } }, /by a person, not by an agent/],
    [{ ...dba, identity: { ...dba.identity, actingFor: 'bob' } }, /by a person, not by an agent/],
    [person('Alice', ['dba'], ...all), /agent acts for Alice, who may not approve/],
    [person('\uff21gent', ['dba'], ...all), /has asked for grant/],
    [person('PLANNER', ['dba'], ...all), /PLANNER has handed on what asks/],
    // The same person by another issuer is the same person.
    [
      { roles: new Set(all), identity: { issuer: 'https://other.example.com', subject: 'alice', groups: ['dba'] } },
      /alice/,
    ],
    [
      person('eve', ['agents']),
      /eve may not decide over grant gr_\w+: a member of dba, or a caller with the role approver/,
    ],
    [person('ann', [], 'auditor'), /ann may not decide/],
  ];
  for (const [caller, why] of bars) {
    assert.equal(grants.mayApprove(id, caller), false);
    for (const decide of [() => grants.approve(id, caller), () => grants.refuse(id, caller, 'no')]) {
      const message = thrown(decide);
      assert.match(message, /^SP_FORBIDDEN/);
      assert.match(message, why);
    }
  }
  assert.equal(grants.state(id), 'requested');
  for (const caller of [dba, person('paul', [], 'approver'), person('olga', [], 'operator')]) {
    assert.equal(grants.mayApprove(id, caller), true);
  }
});

test('the operator token approves what was asked for in another name, and not in its own', async () => {
  const operator: Caller = {
    identity: { issuer: 'operator', subject: 'operator', groups: [] },
    roles: new Set(['operator', 'approver', 'auditor']),
  };
  const { grants } = open({ rules: required() });
  const other = await grants.request({ ...request, by: 'operator' });
  assert.equal(grants.approve(other.grant.id, operator).state, 'active');
  assert.equal(grants.history(other.grant.id)[0]?.by, 'operator');
  const own = await grants.request({ ...request, identity: { ...operator.identity, groups: ['agents'] } });
  assert.match(
    thrown(() => grants.approve(own.grant.id, operator)),
    /^SP_FORBIDDEN operator has asked/,
  );
});

test('where several rules are needed, each has to have its approver', async () => {
  const [first] = required();
  assert.ok(first);
  const rules = [
    { ...first, scopes: ['db:analytics:read'] },
    { ...first, scopes: ['db:analytics:write'], approvers: { groups: ['sec'] } },
  ];
  const { grants } = open({ rules });
  const { grant, message } = await grants.request({ ...asked, scopes: ['db:analytics:read+write'] });
  assert.match(String(message), /a member of dba and of sec, or a caller/);
  assert.equal(grants.mayApprove(grant.id, dba), false);
  assert.equal(grants.mayApprove(grant.id, person('both', ['sec', 'dba'])), true);
  rules.splice(1, 1, { ...rules[1], ...first, scopes: ['db:analytics:write'], approvers: undefined });
  assert.equal(
    grants.mayApprove(grant.id, person('both', ['sec', 'dba'])),
    false,
    'a rule without approvers has only roles',
  );
});

test('the rules are asked again at the approval: what they no longer allow is refused', async () => {
  const { grants, given } = open({ rules: required() });
  const lost = (await grants.request(asked)).grant.id;
  const kept = (await grants.request({ ...asked, scopes: ['db:analytics:read'] })).grant.id;
  given.rules = [{ ...rule, scopes: ['db:analytics:read'], approval: 'required', approvers: { groups: ['sec'] } }];
  assert.match(
    thrown(() => grants.approve(lost, dba)),
    /^SP_FORBIDDEN/,
    'the approvers are those of now',
  );
  const sec = person('sue', ['sec']);
  assert.match(
    thrown(() => grants.approve(lost, sec)),
    /^SP_GRANT_REFUSED grant gr_\w+ is refused, because the access rules no longer allow it: scope .*write is not among/,
  );
  const { state, endReason, endedBy, decided } = grants.show(lost);
  assert.deepEqual([state, endedBy, decided], ['refused', 'sallyport', undefined]);
  assert.match(String(endReason), /no longer allow/);
  assert.equal(grants.approve(kept, sec).state, 'active');
});

test('a request that would be granted by itself by now is still approved by a person, with a role', async () => {
  const { grants, given } = open({ rules: required() });
  const { id } = (await grants.request(asked)).grant;
  for (const now of [rule, { ...rule, maxConsecutive: 1, approvers: { groups: ['dba'] } }]) {
    given.rules = [now];
    assert.equal(grants.mayApprove(id, dba), false);
  }
  assert.equal(grants.approve(id, person('paul', [], 'approver')).state, 'active');
});

test('an unanswered request lapses after an hour, on either clock', async () => {
  const { grants, time, ends } = open({ rules: required() });
  const { id } = (await grants.request(asked)).grant;
  time.pass(HOUR - 1);
  assert.equal(grants.mayApprove(id, dba), true);
  time.pass(1);
  assert.deepEqual(ends, [`${id} refused nobody decided in 1h`]);
  assert.equal(grants.show(id).decided, undefined);
  const late = (await grants.request(asked)).grant.id;
  time.steady += HOUR;
  assert.equal(grants.mayApprove(late, dba), false, 'before the timer has found out, too');
  assert.match(
    thrown(() => grants.approve(late, dba)),
    /^SP_GRANT_OVER .*nobody decided in 1h/,
  );
});

test('what was asked for within the hours may be approved after them', async () => {
  const [first] = required();
  assert.ok(first);
  const { grants, time, given } = open();
  // The time of these tests is a Tuesday evening.
  const hours = { days: ['tue'], from: '22:00', to: '22:30', timeZone: 'UTC' };
  assert.equal(new Date(time.wall).toUTCString(), 'Tue, 14 Nov 2023 22:13:20 GMT');
  given.rules = [{ ...first, hours }];
  const { id } = (await grants.request(asked)).grant;
  time.pass(30 * MINUTE);
  await assert.rejects(grants.request(asked), /next from tue 2023-11-21 22:00 UTC/);
  assert.equal(grants.approve(id, dba).state, 'active');
});

test('what is active is decided already', async () => {
  const { grants, given } = open({ rules: required() });
  const { id } = (await grants.request(asked)).grant;
  grants.approve(id, dba);
  assert.match(
    thrown(() => grants.refuse(id, dba, 'no')),
    /^SP_GRANT_DECIDED .* active already: approved by dora/,
  );
  assert.match(
    thrown(() => grants.refuse(id, person('eve', []), 'no')),
    /^SP_FORBIDDEN/,
  );
  given.rules = [rule];
  const auto = (await grants.request(asked)).grant.id;
  const paul = person('paul', [], 'approver');
  assert.match(
    thrown(() => grants.approve(auto, paul)),
    /^SP_GRANT_DECIDED .*: no approval was needed/,
  );
  assert.equal(grants.mayApprove(auto, paul), false);
  assert.match(
    thrown(() => grants.approve('gr_aaaaaaaaaaaaaaaa', paul)),
    /^SP_GRANT_UNKNOWN/,
  );
});

test('who asked may withdraw, and a person may revoke what waits', async () => {
  const { grants, ends } = open({ rules: required() });
  const [one, two] = [(await grants.request(asked)).grant.id, (await grants.request(asked)).grant.id];
  assert.equal(grants.complete(one, 'agent').endReason, 'withdrawn before anybody decided');
  assert.equal(grants.revoke(two, 'operator', 'not now').state, 'revoked');
  assert.equal(ends.length, 2);
  for (const id of [one, two])
    assert.match(
      thrown(() => grants.approve(id, dba)),
      /^SP_GRANT_OVER/,
    );
});

test('waiting requests count, and one identity has ten at most', async () => {
  const { grants, given } = open({ rules: required() });
  for (let n = 0; n < 10; n++) await grants.request(asked);
  await assert.rejects(grants.request(asked), { code: 'SP_LIMIT', hint: /Withdraw/ });
  await grants.request({ ...asked, identity: { ...agent, actingFor: 'bob' } });
  given.rules = [{ ...rule, maxActive: 10 }];
  await assert.rejects(grants.request(asked), /may have 10 grants at a time, requests that wait included/);
});

test('what waits takes no place from its own approval, and what has ended takes none', async () => {
  const [first] = required();
  assert.ok(first);
  const { grants } = open({ rules: [{ ...first, maxActive: 1 }] });
  const { id } = (await grants.request(asked)).grant;
  await assert.rejects(grants.request(asked), /has 1: complete one/);
  grants.approve(id, dba);
  await assert.rejects(grants.request(asked), /has 1: complete one/);
  grants.complete(id, 'agent');
  assert.deepEqual(grants.live(agent), []);
  assert.equal((await grants.request(asked)).state, 'requested');
});

test('as many requests at the same time as there are grants: no more are granted', async () => {
  const { grants } = open({ rules: [{ ...rule, maxActive: 2 }], makeVerifiers: async () => ({}) });
  const made = await Promise.allSettled(Array.from({ length: 8 }, () => grants.request(asked)));
  assert.equal(made.filter(({ status }) => status === 'fulfilled').length, 2);
  assert.equal(grants.live(agent).length, 2);
});

test('what waits and what was approved survive a restart; what lapsed while nobody was here is refused', async () => {
  const first = open({ rules: required() });
  const waits = (await first.grants.request(asked)).grant.id;
  const approved = (await first.grants.request(asked)).grant.id;
  first.time.pass(30 * MINUTE);
  first.grants.approve(approved, dba);
  const before = first.grants.list();
  const second = await first.reopen();
  assert.deepEqual(second.grants.list(), before);
  second.time.pass(15 * MINUTE);
  assert.deepEqual([second.grants.isLive(approved), second.grants.remaining(approved)], [true, 5 * MINUTE]);
  const { grants, time } = await second.reopen();
  time.pass(15 * MINUTE);
  assert.deepEqual([grants.state(waits), grants.state(approved)], ['refused', 'expired']);

  const third = open({ rules: required() });
  const lapsed = (await third.grants.request(asked)).grant.id;
  await third.grants.close();
  third.time.wall += HOUR;
  const fourth = await third.reopen();
  assert.equal(fourth.grants.show(lapsed).endReason, 'nobody decided in 1h');
  assert.match(
    thrown(() => fourth.grants.approve(lapsed, dba)),
    /^SP_GRANT_OVER/,
  );
});

test('whoever is revoked loses the grants of agents that act for them as well', async () => {
  const { grants } = open();
  const ofAlice = (
    await grants.request({ ...request, identity: { issuer: ISSUER, subject: 'alice', groups: ['agents'] } })
  ).grant;
  const ofAgent = (await grants.request(asked)).grant;
  const others = (await grants.request({ ...asked, identity: { ...agent, actingFor: 'bob' } })).grant;
  const gone = grants.revokeAll({ subject: 'alice' }, 'olga', 'has left');
  assert.deepEqual(
    gone.map(({ grant }) => grant.id),
    [ofAlice.id, ofAgent.id],
  );
  assert.deepEqual([grants.isLive(ofAgent.id), grants.isLive(others.id)], [false, true]);
});

test('everything at once: the waiting too, of one subject or of all, in the turn in which it is asked', async () => {
  const { grants, given, ends } = open({ rules: required() });
  await grants.request(asked);
  given.rules = [rule];
  const own = (await grants.request(asked)).grant.id;
  const others = (await grants.request(request)).grant.id;
  const gone = grants.revokeAll({ subject: 'agent' }, 'olga', 'leaked');
  assert.deepEqual(
    gone.map(({ state, endedBy, endReason }) => `${state} ${endedBy} ${endReason}`),
    Array(2).fill('revoked olga leaked'),
  );
  assert.deepEqual([grants.isLive(own), grants.isLive(others), ends.length], [false, true, 2]);
  assert.deepEqual(
    grants.revokeAll({}, 'olga', 'all').map(({ grant }) => grant.id),
    [others],
  );
  assert.deepEqual(grants.revokeAll({}, 'olga', 'all'), []);
  assert.equal(ends.length, 3);
  assert.deepEqual(grants.list({ state: 'revoked' }).length, 3);
});
