// Access rules: who may be granted what, and that a refusal names the most specific mistake.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type AccessRule, authorize, type Situation } from '../../src/grants/access.ts';
import { parseScope, within } from '../../src/policy/scope.ts';
import type { GrantRequest } from '../../src/types.ts';

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

test('a grant that a person has to approve says so, unless another rule grants it by itself', () => {
  const required = { ...agents, approval: 'required', approvers: { groups: ['dba'] } } as const;
  assert.equal(
    message({}, [required]),
    'approval: a person has to approve grants of db:analytics:read to group agents',
  );
  assert.equal(message({}, [required, agents]), 'granted');
  assert.match(message({}, [required, { ...agents, maxTtlMs: MINUTE }]), /a person has to approve/);
  const answer = ask({}, [required, { ...required, approvers: { groups: ['sec'] } }]);
  assert.ok(answer.ok);
  assert.deepEqual(answer.approvers, [['dba', 'sec']]);
});

test('of several scopes under several rules, each asks for its own approvers', () => {
  const write = { ...agents, scopes: ['db:analytics.scratch:write'], approval: 'required' } as const;
  const ddl = { ...write, scopes: ['db:analytics.scratch:ddl'], approvers: { groups: ['dba'] } };
  const answer = ask({ scopes: ['db:analytics:read', 'db:analytics.scratch:write+ddl'] }, [agents, ddl].concat(write));
  assert.ok(answer.ok);
  assert.deepEqual(answer.approvers, [['dba']], 'write is granted by the rule that asks for nobody');
  const both = ask({ scopes: ['db:analytics.scratch:write+ddl'] }, [write, ddl]);
  assert.ok(both.ok);
  assert.deepEqual(both.approvers, [[], ['dba']]);
});

test('outside its hours a rule grants nothing, and says when it opens next', () => {
  const office = { days: ['mon', 'tue'], from: '08:00', to: '18:00', timeZone: 'Europe/Berlin' };
  const rules = [{ ...agents, hours: office }];
  assert.equal(
    message({}, rules),
    'grants of db:analytics:read may be asked for by group agents mon, tue 08:00-18:00 Europe/Berlin; ' +
      'next from mon 2026-11-23 08:00 Europe/Berlin (2026-11-23T07:00:00Z)',
  );
  assert.equal(message({}, [...rules, agents]), 'granted');
  const sooner = { ...agents, hours: { ...office, days: ['sun'], timeZone: 'UTC' } };
  assert.match(message({}, [...rules, sooner]), /, and sun 08:00.*; next from sun 2026-11-22 08:00 UTC/);
  const asked = authorize(request, { ...situation, rules, now: null });
  assert.ok(asked.ok, 'the hours are those of the request, not of its approval');
});

test('the number of open grants is counted on the rule’s connections, and the refusal names one to complete', () => {
  const grant = { ...request, id: 'gr_aaaaaaaaaaaaaaaa', scopes: [], requestedAt: 0, expiresAt: 1 };
  const open = [grant, { ...grant, id: 'gr_bbbbbbbbbbbbbbbb', connection: 'billing' }];
  const held = (rules: readonly AccessRule[]) => {
    const answer = authorize(request, { ...situation, rules, open });
    return answer.ok ? 'granted' : answer.message;
  };
  assert.equal(held([{ ...agents, maxActive: 2 }]), 'granted');
  assert.equal(
    held([{ ...agents, maxActive: 1 }]),
    'group agents may have 1 grant at a time, requests that wait included, and chatgpt-agent has 1: ' +
      'complete one that is done, such as gr_aaaaaaaaaaaaaaaa',
  );
  assert.match(held([{ ...agents, connections: ['*'], maxActive: 2 }]), /may have 2 grants.* has 2:/);
  assert.equal(held([{ ...agents, maxActive: 1 }, agents]), 'granted');
});

test('after so many renewals a person has to approve, by the rule that allows the most', () => {
  const renewed = (renewals: number, rules: readonly AccessRule[]) => {
    const answer = authorize(request, { ...situation, rules, renewals: () => renewals });
    return answer.ok ? answer.approval : answer.message;
  };
  const rule = { ...agents, maxConsecutive: 3, approvers: { groups: ['dba'] } };
  assert.equal(renewed(2, [rule]), null);
  assert.equal(
    renewed(3, [rule, { ...rule, maxConsecutive: 2 }]),
    'db:analytics:read was granted 3 times in a row without a new reason, and after 3 a person has to approve it',
  );
  assert.equal(renewed(3, [rule, { ...rule, maxConsecutive: 4 }]), null);
  assert.match(String(renewed(0, [{ ...rule, approval: 'required' }])), /^a person has to approve grants/);
});

test('what is nearest is a part of what was asked for, where there is one', () => {
  assert.match(message({ scopes: ['db:analytics:write'] }), /nearest: db:analytics.scratch:write$/);
  const wide = { ...agents, scopes: ['db:*.scratch.a:read+write', 'db:analytics:ddl'] };
  assert.match(message({ scopes: ['db:analytics.scratch:write'] }, [wide]), /nearest: db:\*.scratch.a:write$/);
});

test('groups and connections decide which rules are for whom; * is any', () => {
  assert.match(message(as('dba', 'dev')), /no access rule is for groups dba, dev/);
  assert.match(message(as()), /chatgpt-agent is in no group.*Pass --group/);
  const nobody = { ...request.identity, issuer: 'https://login.example.com', groups: [] };
  assert.match(message({ identity: nobody }), /is in no group.*groupsClaim/);
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
  assert.equal(message({ connection: 'biling' }), 'there is no connection "biling"', 'names of others are not told');
  assert.match(message({ connection: 'biling' }, [{ ...agents, connections: ['*'] }]), /Did you mean "billing"/);
  assert.match(message({ scopes: ['db:analytics:raed'] }), /did you mean "read"\?/);
  assert.match(message({ scopes: [] }), /no scope is asked for/);
  assert.match(message({ scopes: Array(65).fill('db:analytics:read') }), /more than 64 scopes/);
  assert.match(message({ reason: ' ' }), /the reason is missing/);
  assert.match(message({ reason: 'two\nlines' }), /granted/);
  assert.match(message({ reason: 'a\u202eb' }), /the reason has a character that cannot be seen/);
  const unseen = { ...request.identity, subject: 'dora\u200b' };
  assert.match(message({ identity: unseen }), /the identity has a character that cannot be seen/);
  assert.match(message({ task: '' }), /the task is missing/);
  assert.match(message({ task: 'a\nb' }), /the task has a character that cannot be seen/);
  for (const ttlMs of [0, -1, Number.NaN, Number.POSITIVE_INFINITY, 0.5]) {
    assert.match(message({ ttlMs }), /the ttl is not a time from now/);
  }
});
