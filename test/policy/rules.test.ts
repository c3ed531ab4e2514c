// Policies: compiling, which rule decides, and what is said about rules that cannot work.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decide } from '../../src/policy/decide.ts';
import { neverFires, unknownKinds } from '../../src/policy/lint.ts';
import { checkPattern, compilePolicy, policyMistakes, type RuleConfig } from '../../src/policy/rules.ts';
import type { Facts } from '../../src/types.ts';
import { type Asked, call, facts, question, relation, rule } from './subjects.ts';

type When = RuleConfig['when'];
const deny = (name: string, when: When) => rule('deny', name, when);
const allow = (name: string, when: When) => rule('allow', name, when);
const approve = (name: string, when: When) => rule('approve', name, when);

const everything = ['db:analytics:read+write+ddl+admin'];
/** Action and rule, under a grant that may do everything. */
const verdict = (statements: readonly Facts[] | string, rules: readonly RuleConfig[], asked: Asked = {}) => {
  const { action, rule: by } = decide(question(statements, { scopes: everything, rules, ...asked }));
  return `${action} ${by}`;
};

test('the first rule that matches decides; nothing matched is allowed', () => {
  const rules = [
    deny('one', { statement: ['truncate'] }),
    allow('two', { statement: ['select'] }),
    deny('three', { statement: ['select'] }),
  ];
  assert.equal(verdict([facts('truncate')], rules), 'deny one');
  assert.equal(verdict([facts('select')], rules), 'allow two');
  assert.equal(verdict([facts('insert')], rules), 'allow default');
});

test('rules are not asked about what is outside the scope', () => {
  const statement = [facts('delete', { relations: [relation('orders', 'write')] })];
  assert.equal(verdict(statement, [allow('all', {})], { scopes: ['db:analytics:read'] }), 'deny scope');
});

test('all conditions of a rule have to hold', () => {
  const rules = [deny('r', { statement: ['delete'], relations: ['public.orders'], verbs: ['write'], matches: 'x' })];
  const statement = facts('delete', { relations: [relation('orders', 'write')] });
  assert.equal(verdict([statement], rules, { text: 'x' }), 'deny r');
  assert.equal(verdict([statement], rules, { text: 'y' }), 'allow default');
  assert.equal(verdict([{ ...statement, kinds: ['update'] }], rules, { text: 'x' }), 'allow default');
  assert.equal(
    verdict([{ ...statement, relations: [relation('other', 'write')] }], rules, { text: 'x' }),
    'allow default',
  );
  assert.equal(
    verdict([{ ...statement, relations: [relation('orders', 'read')] }], rules, { text: 'x' }),
    'allow default',
  );
});

test('under deny and approve any one thing of the statement on the list is enough', () => {
  const statement = facts('insert', {
    kinds: ['insert', 'delete-without-where'],
    relations: [relation('log', 'write'), relation('orders', 'read')],
    functions: [call('lower', 'read'), call('pg_sleep', 'read')],
  });
  const whens: When[] = [
    { statement: ['delete-without-where'] },
    { relations: ['*.orders'] },
    { relations: ['public.*'] },
    { functions: ['pg_sleep'] },
    { functions: ['pg_catalog.pg_sleep'] },
    { verbs: ['write'] },
    {},
  ];
  for (const when of whens) {
    assert.equal(verdict([statement], [deny('r', when)]), 'deny r', JSON.stringify(when));
    assert.equal(verdict([statement], [approve('r', when)]), 'approve r', JSON.stringify(when));
  }
});

test('under allow nothing of the statement may be off the list: no riding along', () => {
  const rest = deny('rest', {});
  const statement = facts('select', {
    kinds: ['select', 'delete', 'delete-without-where'],
    relations: [relation('scratch', 'write'), relation('orders', 'read')],
    functions: [call('lower', 'read')],
  });
  const cases: [When, boolean][] = [
    [{ statement: ['select'] }, false],
    [{ statement: ['select', 'delete'] }, true],
    [{ relations: ['public.scratch'] }, false],
    [{ relations: ['public.scratch', 'public.orders'] }, true],
    [{ functions: ['upper'] }, false],
    [{ functions: ['lower'] }, true],
    [{ functions: ['pg_catalog.lower'] }, false],
    [{ verbs: ['read'] }, false],
    [{ verbs: ['read', 'write'] }, true],
  ];
  for (const [when, allowed] of cases) {
    assert.equal(
      verdict([statement], [allow('r', when), rest]),
      allowed ? 'allow r' : 'deny rest',
      JSON.stringify(when),
    );
  }
  assert.equal(verdict([facts('select')], [allow('r', { relations: ['*.*'] }), rest]), 'deny rest');
  assert.equal(verdict([facts('begin')], [allow('r', { verbs: ['read'] }), rest]), 'allow r');
});

test('a pattern is held against the statement, its text around it, and the bound values', () => {
  const rules = [deny('secrets', { matches: 'AKIA[0-9A-Z]{16}' })];
  const key = 'AKIA0123456789ABCDEF';
  assert.equal(verdict([facts('select')], rules, { text: `SELECT '${key}'` }), 'deny secrets');
  assert.equal(verdict([facts('select')], rules, { text: 'SELECT $1', values: ['a', `b${key}`] }), 'deny secrets');
  assert.equal(verdict([facts('select')], rules, { text: 'SELECT $1' }), 'allow default');
  const text = `/* ${key} */ SELECT 1`;
  assert.equal(verdict([facts('select', { start: text.indexOf('SELECT') })], rules, { text }), 'deny secrets');
  assert.equal(
    verdict([facts('select', { start: 7 })], [deny('r', { matches: '^SELECT' })], { text: '/* x */SELECT 1' }),
    'deny r',
  );
});

test('under allow a pattern sees the statement alone: neither its neighbours nor its values open the door', () => {
  const rules = [allow('ping', { matches: 'SELECT 1' }), deny('rest', {})];
  assert.equal(verdict([facts('select')], rules, { text: 'SELECT 1' }), 'allow ping');
  assert.equal(verdict([facts('drop-table')], rules, { text: 'DROP TABLE t', values: ['SELECT 1'] }), 'deny rest');
  const text = 'SELECT 1;DROP TABLE t';
  const both = [facts('select', { end: 8 }), facts('drop-table', { start: 9, end: text.length })];
  assert.equal(verdict(both, rules, { text }), 'deny rest');
});

test('what is not understood does not get around a rule that may be against it', () => {
  assert.equal(verdict('?', [deny('no-drop', { statement: ['drop-database'] })]), 'deny not-understood');
  assert.equal(verdict('?', [approve('hold', { verbs: ['ddl'] })]), 'deny not-understood');
  assert.equal(verdict('?', [deny('secrets', { matches: 'AKIA' })], { text: 'x' }), 'allow not-understood');
  assert.equal(verdict('?', [deny('secrets', { matches: 'AKIA' })], { text: 'x AKIA' }), 'deny secrets');
  assert.equal(verdict('?', [deny('secrets', { matches: 'AKIA' })], { text: 'x', values: ['AKIA'] }), 'deny secrets');
  assert.equal(verdict('?', [allow('reads', { verbs: ['read'] }), deny('rest', {})]), 'deny rest');
  assert.equal(verdict('?', [allow('x', { matches: 'x' }), deny('rest', {})], { text: 'x' }), 'deny rest');
  assert.equal(verdict('?', [allow('all', {}), deny('no-drop', { statement: ['drop-database'] })]), 'allow all');
});

test('a verdict by a rule names the rule, and an approval who may give it', () => {
  const destructive = rule('approve', 'destructive', { statement: ['truncate'] }, { groups: ['dba'] });
  const held = decide(question([facts('truncate')], { rules: [destructive], scopes: everything }));
  assert.match(held.reason, /approval needed: the rule destructive holds truncate for a person/);
  assert.match(held.hint ?? '', /dba/);
  const denied = decide(question([facts('truncate')], { rules: [deny('no', {})], scopes: everything }));
  assert.match(denied.reason, /truncate is blocked by the rule no/);
});

test('a policy says whether it looks at text and values', () => {
  assert.equal(compilePolicy('p', [deny('a', { matches: 'x' })]).looksAtValues, true);
  assert.equal(compilePolicy('p', [deny('a', { statement: ['select'] })]).looksAtValues, false);
});

test('mistakes in rules are named with their place, all of them', () => {
  const rules = [
    deny('a', { matches: '(' }),
    deny('a', { relations: ['orders', 'a.b.c', 'public.ord*'] }),
    deny('scope', { functions: ['a.b.c', 'a:b'] }),
  ];
  const mistakes = policyMistakes(rules).map(({ path, message }) => `${path}: ${message}`);
  const expected = [
    /^rules\[0\]\.when\.matches: "\(" is no RE2 pattern/,
    /^rules\[1\]\.name: another rule is named "a"/,
    /^rules\[1\]\.when\.relations\[0\]: "orders" has no schema; "\*\.orders" is that table in every schema/,
    /^rules\[1\]\.when\.relations\[1\]: "a\.b\.c" has more than two parts/,
    /^rules\[1\]\.when\.relations\[2\]: "ord\*": \* stands for a whole part only/,
    /^rules\[2\]\.name: "scope" is what the gateway calls a verdict of its own/,
    /^rules\[2\]\.when\.functions\[0\]: "a\.b\.c" has more than two parts/,
    /^rules\[2\]\.when\.functions\[1\]: "a:b": a name with ":" has to be in double quotes/,
  ];
  assert.equal(mistakes.length, expected.length, mistakes.join('\n'));
  for (const [index, words] of expected.entries()) assert.match(mistakes[index] ?? '', words);
  assert.throws(() => compilePolicy('p', rules), {
    code: 'SP_CONFIG',
    message: /^policies\.p\.rules\[0\]\.when\.matches/,
  });
});

test('patterns that cannot be matched in linear time, or are huge, are refused', () => {
  for (const pattern of ['(a)\\1', 'a(?=b)', '(?<!a)b', '(((a{100}){100}){100})', '', 'a'.repeat(1001)]) {
    assert.notEqual(checkPattern(pattern), null, pattern.slice(0, 40));
  }
  assert.equal(checkPattern('(?i)drop\\s+table'), null);
  // A backtracking matcher takes 2^40 steps for this one: it would never come back.
  const rules = [deny('r', { matches: '^(a+)+$' })];
  assert.equal(verdict([facts('select')], rules, { text: `${'a'.repeat(40)}!` }), 'allow default');
});

test('unknown kinds of statement are named with the nearest known one', () => {
  const policy = compilePolicy('p', [deny('a', { statement: ['drop-tabel', 'select'] }), deny('b', {})]);
  assert.deepEqual(unknownKinds(policy, new Set(['select', 'drop-table'])), [
    { rule: 'a', kind: 'drop-tabel', nearest: 'drop-table' },
  ]);
});

test('rules that can never fire are named', () => {
  const dead = (...rules: RuleConfig[]) => neverFires(compilePolicy('p', rules)).map((found) => found.rule);
  const ab: When = { statement: ['a', 'b'] };
  assert.deepEqual(dead(deny('x', {}), deny('y', { statement: ['a'] }), allow('z', {})), ['y', 'z']);
  assert.deepEqual(dead(deny('x', ab), approve('y', { statement: ['a'] }), deny('z', { statement: ['a', 'c'] })), [
    'y',
  ]);
  assert.deepEqual(dead(deny('x', ab), deny('y', { statement: ['a'], verbs: ['read'] })), ['y']);
  assert.deepEqual(dead(deny('x', { ...ab, verbs: ['read'] }), deny('y', { statement: ['a'] })), []);
  assert.deepEqual(dead(deny('x', { relations: ['public.*'] }), deny('y', { relations: ['public.t'] })), ['y']);
  assert.deepEqual(dead(deny('x', { relations: ['public.t'] }), deny('y', { relations: ['public.*'] })), []);
  assert.deepEqual(dead(deny('x', { matches: 'a' }), deny('y', { matches: 'a' }), deny('z', { matches: 'b' })), ['y']);
  assert.deepEqual(dead(deny('x', { statement: ['begin'], relations: ['*.*'] })), ['x']);
});

test('an allow that wants all of a statement does not shadow a deny that wants any of it', () => {
  const ab: When = { statement: ['a', 'b'] };
  const dead = (...rules: RuleConfig[]) => neverFires(compilePolicy('p', rules)).map((found) => found.rule);
  assert.deepEqual(dead(allow('x', ab), deny('y', { statement: ['a'] })), []);
  assert.equal(
    verdict([facts('', { kinds: ['a', 'c'] })], [allow('x', ab), deny('y', { statement: ['a'] })]),
    'deny y',
  );
  assert.deepEqual(dead(allow('x', ab), allow('y', { statement: ['a'] })), ['y']);
  assert.deepEqual(dead(deny('x', { verbs: ['read'] }), allow('y', { verbs: ['read'] })), []);
  assert.equal(verdict([facts('begin')], [deny('x', { verbs: ['read'] }), allow('y', { verbs: ['read'] })]), 'allow y');
  assert.deepEqual(dead(allow('x', { matches: 'a' }), deny('y', { matches: 'a' })), []);
});
