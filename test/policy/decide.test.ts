// Verdicts by scope: what each kind of need asks of a grant, what a refusal says, and which of several verdicts counts.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { decide, decideEach, verbsOf } from '../../src/policy/decide.ts';
import { type Need, VERBS } from '../../src/types.ts';
import { call, facts, question, relation, rule } from './subjects.ts';

const action = (...asked: Parameters<typeof question>) => decide(question(...asked)).action;

test('a relation needs a scope with its verb on it', () => {
  const del = [facts('delete', { relations: [relation('orders', 'write')] })];
  assert.equal(action(del, { scopes: ['db:analytics.public.orders:write'] }), 'allow');
  assert.equal(action(del, { scopes: ['db:analytics:read', 'db:analytics.*.orders:write'] }), 'allow');
  assert.equal(action(del, { scopes: ['db:analytics:read+ddl+admin'] }), 'deny');
  assert.equal(action(del, { scopes: ['db:analytics.public.customers:write'] }), 'deny');
  assert.equal(action(del, { scopes: ['db:other:write', 'db:analytics:read'] }), 'deny');
});

test('a refusal names the thing, what it needs, what the grant has, and how to ask for it', () => {
  const verdict = decide(question([facts('delete', { relations: [relation('orders', 'write')] })]));
  assert.deepEqual(verdict, {
    action: 'deny',
    rule: 'scope',
    reason: 'delete on public.orders needs write; this grant has db:analytics:read',
    hint:
      'Ask for it: sallyport grants request --connection analytics --scope db:analytics.public.orders:write ' +
      '--ttl 20m --task <task> --reason <why>',
  });
});

test('the hint can be pasted into a shell, and what cannot be seen is shown', () => {
  const odd = [facts('select', { relations: [{ schema: "o'dd", name: 'a\u202eb', verb: 'write' }] })];
  const { reason, hint } = decide(question(odd));
  assert.match(reason, /^select on "o'dd"\."a\\u\{202e\}b" needs write/);
  assert.match(hint ?? '', /--scope 'db:analytics\."o'\\''dd"\."a\\u\{202e\}b":write' --ttl/);
});

test('every relation of a statement is asked about', () => {
  const relations = [relation('a', 'read'), relation('b', 'read'), relation('secret.c', 'read')];
  const scopes = ['db:analytics.public:read'];
  assert.equal(action([facts('select', { relations: relations.slice(0, 2) })], { scopes }), 'allow');
  const verdict = decide(question([facts('select', { relations })], { scopes }));
  assert.match(verdict.reason, /select on secret\.c needs read/);
});

test('a need that is no relation’s: read of any grant, write and ddl of some scope, admin of the whole connection', () => {
  const may: Record<Need, string[]> = {
    read: ['db:analytics.public.orders:read'],
    write: ['db:analytics.public.orders:write', 'db:*:write'],
    ddl: ['db:analytics.public:ddl'],
    admin: ['db:analytics:admin', 'db:*.*.*:admin'],
    never: [],
  };
  may.read = ['db:analytics.public:admin', ...Object.values(may).flat()];
  const all = ['db:other:read+write+ddl+admin', ...may.read];
  for (const need of [...VERBS, 'never'] as const) {
    const uses = {
      function: facts('select', { functions: [call('f', need)] }),
      setting: facts('set', { settings: [{ name: 's', value: null, need }] }),
      need: facts('x', { needs: [need], relations: need === 'ddl' ? [relation('public.new', 'ddl')] : [] }),
    };
    for (const [what, statement] of Object.entries(uses)) {
      for (const scope of all) {
        const expected = may[need].includes(scope) ? 'allow' : 'deny';
        assert.equal(action([statement], { scopes: [scope] }), expected, `${what} of need ${need} under ${scope}`);
      }
    }
  }
});

test('a definition that is pinned to no relation needs ddl over the whole connection', () => {
  const drop = [facts('drop-schema', { needs: ['ddl'] })];
  assert.equal(action(drop, { scopes: ['db:analytics.public.orders:ddl'] }), 'deny');
  assert.equal(action(drop, { scopes: ['db:analytics:ddl'] }), 'allow');
});

test('what no grant may do is refused to admin too, with words that say so', () => {
  const set = facts('set', { settings: [{ name: 'standard_conforming_strings', value: 'off', need: 'never' }] });
  const verdict = decide(question([set], { scopes: ['db:analytics:read+write+ddl+admin'] }));
  assert.equal(verdict.action, 'deny');
  assert.match(verdict.reason, /changing the setting standard_conforming_strings is refused under every grant/);
  assert.match(verdict.hint ?? '', /no scope allows it/);
});

test('the system’s relations go by what reading them needs, and changing them needs admin', () => {
  const targets = {
    pg_class: { schema: 'pg_catalog', system: 'read' },
    pg_authid: { schema: 'pg_catalog', system: 'admin' },
    pg_never: { schema: 'pg_catalog', system: 'never' },
  } as const;
  const of = (name: string, verb: 'read' | 'write') => [facts('select', { relations: [relation(name, verb)] })];
  const narrow = { targets, scopes: ['db:analytics.public.orders:write'] };
  const admin = { targets, scopes: ['db:analytics:admin'] };
  assert.equal(action(of('pg_class', 'read'), narrow), 'allow');
  assert.equal(action(of('pg_class', 'write'), { targets, scopes: ['db:analytics:read+write'] }), 'deny');
  assert.equal(action(of('pg_class', 'write'), admin), 'allow');
  assert.equal(action(of('pg_authid', 'read'), { targets, scopes: ['db:analytics:read'] }), 'deny');
  assert.equal(action(of('pg_authid', 'read'), admin), 'allow');
  assert.equal(action(of('pg_never', 'read'), admin), 'deny');
});

test('a session’s own temporary relations are its own, but for what needs admin', () => {
  const targets = { scratch: { schema: 'pg_temp', own: true } };
  for (const verb of VERBS) {
    const statement = facts('insert', { relations: [relation('scratch', verb)] });
    assert.equal(action([statement], { targets }), verb === 'admin' ? 'deny' : 'allow', verb);
  }
});

test('what a call needs is asked of the database at hand, not of the name', () => {
  const statement = facts('select', { functions: [call('lower', 'read')] });
  const asked = { ...question([statement]), functionNeed: () => 'admin' as const };
  assert.match(decide(asked).reason, /calling lower needs admin over the whole connection/);
});

test('a grant without a scope on the connection may do nothing at all', () => {
  for (const scopes of [[], ['db:other:read+write+ddl+admin']]) {
    assert.equal(action([facts('begin')], { scopes }), 'deny');
    assert.equal(action('unknown node', { scopes }), 'deny');
  }
});

test('what is not understood needs admin over the whole connection', () => {
  const {
    action: denied,
    rule: by,
    reason,
  } = decide(question('unknown node FooStmt', { scopes: ['db:analytics:read+write+ddl'] }));
  assert.deepEqual([denied, by], ['deny', 'not-understood']);
  assert.match(reason, /not understood: unknown node FooStmt/);
  assert.equal(action('unknown node', { scopes: ['db:analytics.public:admin'] }), 'deny');
  assert.equal(action('unknown node', { scopes: ['db:analytics:admin'] }), 'allow');
});

test('of several statements the worst verdict counts, and says which statement it is', () => {
  const fine = facts('select', { relations: [relation('orders', 'read')] });
  const bad = facts('drop-table', { relations: [relation('orders', 'ddl')] });
  const held = facts('truncate', { relations: [relation('orders', 'read')] });
  const rules = [rule('approve', 'destructive', { statement: ['truncate'] })];
  assert.deepEqual(
    decideEach(question([fine, held, bad], { rules })).map((verdict) => verdict.action),
    ['allow', 'approve', 'deny'],
  );
  assert.match(
    decide(question([fine, held, bad], { rules })).reason,
    /^statement 3 of 3: drop-table on public\.orders/,
  );
  assert.match(decide(question([held, fine], { rules })).reason, /^statement 1 of 2: approval needed/);
  assert.deepEqual(decide(question([fine, fine])).rule, 'default');
  assert.equal(decide(question([])).action, 'allow');
});

test('no statement is allowed in company that would be refused alone, in any order', () => {
  const statementArb = fc.record({ kind: fc.constantFrom('a', 'b', 'c'), verb: fc.constantFrom(...VERBS) });
  const rules = [rule('deny', 'no-a', { statement: ['a'] }), rule('approve', 'hold-b', { statement: ['b'] })];
  const rank = { allow: 0, approve: 1, deny: 2 };
  fc.assert(
    fc.property(fc.array(statementArb, { minLength: 1, maxLength: 4 }), (statements) => {
      const made = statements.map(({ kind, verb }) => facts(kind, { relations: [relation('t', verb)] }));
      const asked = { rules, scopes: ['db:analytics:read+write'] };
      const worst = Math.max(...made.map((one) => rank[action([one], asked)]));
      assert.equal(rank[action(made, asked)], worst);
    }),
  );
});

test('the verbs of a statement are those of all that it uses, weakest first', () => {
  const statement = facts('insert', {
    needs: ['never'],
    relations: [relation('a', 'write'), relation('b', 'read')],
    functions: [call('f', 'admin')],
    settings: [{ name: 's', value: null, need: 'ddl' }],
  });
  assert.deepEqual(verbsOf(statement), ['read', 'write', 'ddl', 'admin']);
  assert.deepEqual(verbsOf(facts('begin')), []);
});
