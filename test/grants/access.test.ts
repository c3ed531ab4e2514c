// Access rules: who may be granted what, and that a refusal names the most specific mistake.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type AccessRule, authorize, type GrantRequest, type Situation } from '../../src/grants/access.ts';
import { parseScope, within } from '../../src/policy/scope.ts';

const MINUTE = 60_000;

const agents: AccessRule = {
  groups: ['agents'],
  connections: ['analytics'],
  scopes: ['db:analytics:read', 'db:analytics.scratch:write'],
  maxTtlMs: 30 * MINUTE,
  approval: 'auto',
};

const request: GrantRequest = {
  identity: { issuer: 'operator', subject: 'chatgpt-agent', groups: ['agents'] },
  connection: 'analytics',
  scopes: ['db:analytics:read'],
  ttlMs: 20 * MINUTE,
  task: 'fix-index',
  reason: 'the index is slow',
};

const situation: Situation = {
  rules: [agents],
  connections: ['analytics', 'billing'],
  scopes: { parse: parseScope, within },
  now: Date.UTC(2026, 10, 21, 9),
  open: [],
  renewals: () => 0,
};

function ask(changes: Partial<GrantRequest>, rules: readonly AccessRule[] = [agents]) {
  return authorize({ ...request, ...changes }, { ...situation, rules });
}

function message(...asked: Parameters<typeof ask>): string {
  const answer = ask(...asked);
  if (answer.ok) return answer.approval === null ? 'granted' : `approval: ${answer.approval}`;
  return `${answer.message}${answer.hint === undefined ? '' : ` (${answer.hint})`}`;
}

const as = (...groups: string[]) => ({ identity: { ...request.identity, groups } });

test('what the rules allow is granted, narrower too, the scopes parsed', () => {
  const answer = ask({ scopes: ['db:analytics.public.orders:read', 'db:analytics.scratch.a:write', 'db:*:read'] });
  assert.ok(answer.ok);
  assert.deepEqual(
    answer.scopes.map((scope) => scope.table),
    ['orders', 'a', '*'],
  );
});

test('each verb of a scope may be allowed by another scope, but has to be allowed', () => {
  assert.equal(message({ scopes: ['db:analytics.scratch:read+write'] }), 'granted');
  assert.match(message({ scopes: ['db:analytics:read+write'] }), /scope db:analytics:read\+write is not among those/);
});

test('a refusal of a scope names who asks and the nearest that they may have', () => {
  assert.equal(
    message({ scopes: ['db:analytics:write'] }, [{ ...agents, scopes: ['db:analytics:read'] }]),
    'scope db:analytics:write is not among those that group agents may request; nearest: db:analytics:read',
  );
  const others = { ...agents, connections: ['*'], scopes: ['db:billing:write', 'db:analytics:read'] };
  assert.match(message({ scopes: ['db:analytics:write'] }, [others]), /nearest: db:analytics:read$/);
});

test('a scope of every connection reaches no further than the grant’s own', () => {
  const rules = [{ ...agents, scopes: ['db:billing:read'] }];
  assert.match(message({ scopes: ['db:*:read'] }, rules), /not among those/);
  assert.match(
    message({ scopes: ['db:billing:read'] }, [{ ...agents, connections: ['*'], scopes: ['db:*:read'] }]),
    /is of connection "billing", but the grant is for "analytics"/,
  );
});

test('a ttl over the limit is refused with the limit, and a rule with a longer one serves', () => {
  const long = { ttlMs: 90 * MINUTE };
  assert.equal(message(long), 'a ttl of 1h30m is over the 30m that group agents may have for db:analytics:read');
  assert.equal(message(long, [agents, { ...agents, maxTtlMs: 90 * MINUTE }]), 'granted');
  assert.equal(message({ ttlMs: 30 * MINUTE }), 'granted');
  assert.match(message({ ttlMs: 30 * MINUTE + 1 }), /a ttl of 1800001ms is over the 30m/);
});

test('a grant that a person has to approve is refused for now, unless another rule grants it by itself', () => {
  const required = { ...agents, approval: 'required' } as const;
  assert.match(message({}, [required]), /a person has to approve grants of db:analytics:read/);
  assert.equal(message({}, [required, agents]), 'granted');
  assert.match(message({}, [required, { ...agents, maxTtlMs: MINUTE }]), /a person has to approve/);
});

test('groups and connections decide which rules are for whom; * is any', () => {
  assert.match(message(as('dba', 'dev')), /no access rule is for groups dba, dev/);
  assert.match(message(as()), /chatgpt-agent is in no group.*Pass --group/);
  assert.match(message(as('*')), /no access rule is for/);
  assert.equal(message(as('dba'), [{ ...agents, groups: ['*'] }]), 'granted');
  assert.equal(message(as(), [{ ...agents, groups: ['*'] }]), 'granted');
  const billing = { connection: 'billing', scopes: ['db:billing:read'] };
  assert.match(message(billing), /no access rule lets group agents have grants on "billing"/);
  assert.match(message(billing, [{ ...agents, connections: ['*'] }]), /not among those/);
  assert.equal(message(billing, [{ ...agents, connections: ['*'], scopes: ['db:*:read'] }]), 'granted');
  assert.match(message({}, []), /no access rule/);
});

test('the most specific mistake in the request itself is named', () => {
  assert.match(message({ connection: 'analytcs' }), /there is no connection "analytcs" \(Did you mean "analytics"\?\)/);
  assert.match(message({ connection: '*' }), /there is no connection "\*"/);
  assert.match(message({ scopes: ['db:analytics:raed'] }), /did you mean "read"\?/);
  assert.match(message({ scopes: [] }), /no scope is asked for/);
  assert.match(message({ scopes: Array(65).fill('db:analytics:read') }), /more than 64 scopes/);
  assert.match(message({ reason: ' ' }), /the reason is missing/);
  assert.match(message({ reason: 'two\nlines' }), /granted/);
  assert.match(message({ reason: 'a\u202eb' }), /the reason has a character that cannot be seen/);
  assert.match(message({ task: '' }), /the task is missing/);
  assert.match(message({ task: 'a\nb' }), /the task has a character that cannot be seen/);
  for (const ttlMs of [0, -1, Number.NaN, Number.POSITIVE_INFINITY, 0.5]) {
    assert.match(message({ ttlMs }), /the ttl is not a time from now/);
  }
});
