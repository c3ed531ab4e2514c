// What of a request would be granted, scope by scope, with nothing stored.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Preview } from '../../src/types.ts';
import { MINUTE, open, request, rule } from './stand.ts';

const rules = [
  { ...rule, scopes: ['db:analytics:read'], maxTtlMs: 30 * MINUTE },
  { ...rule, scopes: ['db:analytics.scratch:write'], maxTtlMs: 60 * MINUTE },
  { ...rule, scopes: ['db:analytics.scratch:ddl'], maxTtlMs: 10 * MINUTE, approval: 'required' as const },
];

/** One line a scope. */
function lines({ scopes }: Preview): string[] {
  return scopes.map(({ scope, granted, approval, maxTtlMs, nearest }) =>
    [scope, granted, approval, maxTtlMs === null ? null : maxTtlMs / MINUTE, nearest].join(' '),
  );
}

function ask(changes: Partial<typeof request>) {
  const { grants, watched, time } = open({ rules });
  const preview = grants.preview({ ...request, ...changes });
  assert.deepEqual([grants.list(), watched, time.waiting()], [[], [], undefined], 'nothing is stored');
  return preview;
}

test('a request that is granted, whole', () => {
  const preview = ask({ scopes: ['db:analytics:read', 'db:analytics.scratch.a:write+read'] });
  assert.deepEqual([preview.granted, preview.approval, preview.message], [true, 'auto', null]);
  assert.deepEqual(lines(preview), [
    'db:analytics:read true auto 30 ',
    'db:analytics.scratch.a:write+read true auto 30 ',
  ]);
});

test('of a wider request, the part that is granted and what is nearest to the rest', () => {
  const preview = ask({ scopes: ['db:analytics:read+write+admin'] });
  assert.deepEqual([preview.granted, preview.approval], [false, 'auto']);
  assert.match(String(preview.message), /^scope db:analytics:read\+write\+admin is not among/);
  assert.deepEqual(lines(preview), [
    'db:analytics:read true auto 30 ',
    'db:analytics:write false auto  db:analytics.scratch:write',
    'db:analytics:admin false auto  db:analytics:read',
  ]);
  assert.match(
    String(preview.scopes[1]?.message),
    /^scope db:analytics:write is not among .*nearest: db:analytics.scratch:write$/,
  );
});

test('what is possible is a request that is granted', async () => {
  const { grants } = open({ rules });
  const wide = { ...request, scopes: ['db:analytics:read+write', 'db:"analytics".scratch:write+read'] };
  const { scopes } = grants.preview(wide);
  const narrow = scopes.flatMap(({ granted, scope, nearest }) => (granted ? [scope] : (nearest ?? [])));
  const { grant } = await grants.request({ ...wide, scopes: narrow });
  assert.deepEqual(
    grant.scopes.map(({ text }) => text),
    ['db:analytics:read', 'db:analytics.scratch:write', 'db:"analytics".scratch:write+read'],
  );
});

test('a ttl that is too long says what is the longest, an approval says that it is needed', () => {
  assert.deepEqual(lines(ask({ scopes: ['db:analytics:read'], ttlMs: 45 * MINUTE })), [
    'db:analytics:read false auto 30 ',
  ]);
  const ddl = ask({ scopes: ['db:analytics.scratch:write+ddl'], ttlMs: 5 * MINUTE });
  assert.deepEqual([ddl.granted, ddl.approval], [true, 'required']);
  assert.match(String(ddl.message), /a person has to approve/);
  assert.deepEqual(lines(ddl), ['db:analytics.scratch:write+ddl true required 10 ']);
});

test('a request that is wrong as a whole says so of each scope, and a scope that is none of itself', () => {
  const unknown = ask({ connection: 'analytcs' });
  assert.deepEqual(
    unknown.scopes.map(({ message }) => message),
    Array(2).fill('there is no connection "analytcs"'),
  );
  const { scopes, granted } = ask({ scopes: ['db:analytics:raed', 'db:billing:read', 'db:analytics:read'] });
  assert.equal(granted, false);
  assert.deepEqual(
    scopes.map((scope) => scope.granted),
    [false, false, true],
  );
  assert.match(String(scopes[0]?.message), /did you mean "read"/);
  assert.match(String(scopes[1]?.message), /is of connection "billing"/);
});

test('of many scopes that may not be had, the nearest is looked for the first few alone', () => {
  const many = Array.from({ length: 64 }, (_, n) => `db:analytics.private.t${n}:write`);
  const { scopes } = ask({ scopes: many });
  const near = scopes.filter(({ nearest }) => nearest !== null);
  assert.deepEqual([scopes.length, near.length, near.at(-1)?.scope], [64, 8, many[7]]);
  assert.match(String(scopes[7]?.message), /may request; nearest: db:analytics/);
  assert.match(String(scopes[8]?.message), /that group agents may request$/);
});
