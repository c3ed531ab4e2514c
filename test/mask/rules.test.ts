// Masking rules: what the config may say, what its patterns match, and which columns of a catalog they protect.

import assert from 'node:assert/strict';
import { createSecretKey } from 'node:crypto';
import { test } from 'node:test';
import fc from 'fast-check';
import { SallyportError } from '../../src/errors.ts';
import { protect } from '../../src/mask/protect.ts';
import { compileMasking, matches } from '../../src/mask/rules.ts';
import { catalogOf } from './catalog.ts';

function rule(column: string) {
  const [compiled] = compileMasking({ columns: [{ column, with: 'redact' }] }).columns;
  assert.ok(compiled);
  return compiled;
}

test('patterns', () => {
  assert.ok(matches(rule('public.customers.email'), 'public', 'customers', 'email'));
  assert.ok(!matches(rule('public.customers.email'), 'public', 'customers', 'emails'));
  assert.ok(!matches(rule('public.customers.email'), 'public', 'customer', 'email'));
  assert.ok(!matches(rule('public.customers.email'), 'app', 'customers', 'email'));
  assert.ok(matches(rule('*.*.ssn'), 'hr', 'people', 'ssn'));
  assert.ok(matches(rule('*.*.*'), 'hr', 'people', 'ssn'));
  assert.ok(matches(rule('Public.Customers.EMAIL'), 'public', 'customers', 'email'));
  assert.ok(matches(rule('public.customers.email'), 'public', 'Customers', 'eMail'), 'a capital is no way out');
  assert.ok(matches(rule('"a.b"."C""d".*'), 'a.b', 'C"d', 'x'));
  assert.ok(!matches(rule('public."Customers".email'), 'public', 'customers', 'email'), 'quoted is to the letter');
  assert.ok(matches(rule('public.t."*"'), 'public', 't', '*'));
  assert.ok(!matches(rule('public.t."*"'), 'public', 't', 'x'));
});

test('a wildcard schema does not reach into the system’s own', () => {
  assert.ok(!matches(rule('*.*.relname'), 'pg_catalog', 'pg_class', 'relname'));
  assert.ok(!matches(rule('*.tables.table_name'), 'information_schema', 'tables', 'table_name'));
  assert.ok(matches(rule('pg_catalog.pg_class.relname'), 'pg_catalog', 'pg_class', 'relname'));
});

test('a quoted pattern matches exactly the names it is made of', () => {
  const name = fc.string({ minLength: 1, maxLength: 8 }).filter((n) => !n.includes('\0'));
  const quote = (n: string) => `"${n.replaceAll('"', '""')}"`;
  fc.assert(
    fc.property(fc.tuple(name, name, name), fc.tuple(name, name, name), ([s, t, c], [s2, t2, c2]) => {
      const compiled = rule([s, t, c].map(quote).join('.'));
      assert.ok(matches(compiled, s, t, c));
      assert.equal(matches(compiled, s2, t2, c2), s === s2 && t === t2 && c === c2);
    }),
  );
});

test('what is not understood is a mistake that names its place', () => {
  const refused = (raw: unknown, place: RegExp): void => {
    assert.throws(
      () => compileMasking(raw),
      (error: unknown) => error instanceof SallyportError && error.code === 'SP_CONFIG' && place.test(error.message),
    );
  };
  refused(null, /^masking: /);
  refused({ columns: {} }, /^columns: /);
  refused({ column: [] }, /^column: /);
  refused({ detectors: 'email' }, /^detectors: /);
  refused({ detectors: ['email', 'e-mail'] }, /^detectors\[1\]: .*did you mean "email"/);
  refused({ detectors: [7] }, /^detectors\[0\]: .*credit-card/);
  refused({ derived: 'no' }, /^derived: /);
  refused({ predicates: true }, /^predicates: /);
  const bad = ['', 'a', 'a.b', 'a.b.c.d', 'a..c', '.b.c', 'a.b.', 'a.b.c*', 'a.b."c', 'a.b.c d', '"".b.c', 'a.b."c"d'];
  for (const column of [...bad, 7]) refused({ columns: [{ column, with: 'redact' }] }, /^columns\[0\]\.column: /);
  const strategies = [undefined, 'mask', 7, {}, [], { hash: {} }, { partial: {}, constant: 'x' }];
  for (const value of [...strategies, { constant: {} }, { constant: 'a\0' }, { constant: '\ud800' }]) {
    refused({ columns: [{ column: 'a.b.c', with: value }] }, /^columns\[0\]\.with/);
  }
  for (const value of [{ keepStart: -1 }, { keepEnd: 1.5 }, { keepEnd: '4' }, { keep: 1 }, null]) {
    refused({ columns: [{ column: 'a.b.c', with: { partial: value } }] }, /^columns\[0\]\.with\.partial/);
  }
  refused({ columns: [{ column: 'a.b.c', with: 'redact', when: 1 }] }, /^columns\[0\]\.when: /);
});

test('strategies and defaults', () => {
  const masking = compileMasking({
    columns: [
      { column: 'a.b.c', with: 'redact' },
      { column: 'a.b.c', with: 'null' },
      { column: 'a.b.c', with: null },
      { column: 'a.b.c', with: { partial: { keepEnd: 4 } } },
      { column: 'a.b.c', with: { constant: 12 } },
      { column: 'a.b.c', with: 'hash' },
    ],
    detectors: ['phone', 'email', 'phone'],
  });
  assert.deepEqual(
    masking.columns.map(({ strategy }) => strategy),
    [
      { kind: 'redact' },
      { kind: 'null' },
      { kind: 'null' },
      { kind: 'partial', keepStart: 0, keepEnd: 4 },
      { kind: 'constant', value: '12' },
      { kind: 'hash', key: null },
    ],
  );
  assert.equal(masking.derived, 'mask');
  assert.equal(masking.predicates, 'allow');
  assert.deepEqual(masking.detectors?.names, ['email', 'phone']);
  assert.deepEqual(compileMasking({}).columns, []);
  assert.equal(compileMasking({ detectors: [] }).detectors, null);
  const key = createSecretKey(Buffer.alloc(32));
  const [rule] = compileMasking({ columns: [{ column: 'a.b.c', with: 'hash' }] }, { key }).columns;
  assert.deepEqual(rule?.strategy, { kind: 'hash', key });
});

test('the first rule that matches decides; a rule that matches nothing is named', () => {
  const catalog = catalogOf([{ name: 'customers', columns: ['id', 'email', 'ssn'] }]);
  const protection = protect(
    compileMasking({
      columns: [
        { column: 'public.customers.email', with: { partial: { keepEnd: 4 } } },
        { column: '*.*.email', with: 'redact' },
        { column: '*.*.ssn', with: 'null' },
        { column: 'public.customer.email', with: 'redact' },
      ],
    }),
    catalog,
  );
  assert.deepEqual(protection.strategy(20001, 2), { kind: 'partial', keepStart: 0, keepEnd: 4 });
  assert.deepEqual(protection.strategy(20001, 3), { kind: 'null' });
  assert.equal(protection.strategy(20001, 1), undefined);
  assert.deepEqual(protection.relation(20001)?.names, new Set(['email', 'ssn']));
  assert.deepEqual(protection.unmatched, ['public.customer.email']);
  assert.ok(protection.any);
  assert.ok(!protect(compileMasking({}), catalog).any);
});

test('protection reaches the family, generated columns and views', () => {
  const catalog = catalogOf([
    { name: 'view_of_view', kind: 'v', columns: ['x'], reads: [20002, 20004] },
    { name: 'view', kind: 'v', columns: ['e', 'email'], reads: [20004] },
    { name: 'parent', columns: ['email'], kin: [20004, 20005] },
    {
      name: 'child',
      columns: ['extra', 'email', 'reversed', 'twice', 'free'],
      kin: [20003],
      generatedFrom: new Map([
        [3, [2]],
        [4, [1, 3]],
        [5, [1]],
      ]),
    },
    { name: 'sibling', columns: ['email', 'other'], kin: [20003] },
    { name: 'stranger', columns: ['email'] },
  ]);
  const with_ = { partial: { keepStart: 1 } };
  const protection = protect(compileMasking({ columns: [{ column: 'public.child.email', with: with_ }] }), catalog);
  const partial = { kind: 'partial', keepStart: 1, keepEnd: 0 };
  assert.deepEqual(protection.strategy(20004, 2), partial);
  assert.deepEqual(protection.strategy(20003, 1), partial, 'parent');
  assert.deepEqual(protection.strategy(20005, 1), partial, 'sibling');
  assert.equal(protection.relation(20006), undefined);
  assert.deepEqual(protection.relation(20004)?.names, new Set(['email', 'reversed', 'twice']));
  assert.deepEqual(protection.strategy(20004, 3), { kind: 'redact' });
  for (const oid of [20001, 20002]) assert.ok(protection.relation(oid)?.opaque);
  assert.ok(!protection.relation(20004)?.opaque);
  assert.deepEqual(protection.strategy(20002, 1), { kind: 'redact' });
});
