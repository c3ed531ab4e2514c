// Scopes: what is read, what is refused with which words, and what they cover.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  checkScope,
  covers,
  coversConnection,
  parseScope,
  printScope,
  touchesConnection,
  within,
} from '../../src/policy/scope.ts';
import { type Scope, VERBS } from '../../src/types.ts';

// Few names, so that patterns and names meet often.
const nameArb = fc.oneof(
  fc.constantFrom('a', 'b', 'Orders', 'a.b', 'ü', 'x y', 'say "hi"', ':', '+', 'a*', "it's", '💡'),
  fc
    .string({ minLength: 1, maxLength: 8, unit: 'grapheme' })
    .filter((name) => name !== '*' && !/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/u.test(name)),
);
const partArb = fc.oneof(nameArb, fc.constant('*'));
const verbArb = fc.constantFrom(...VERBS);
const scopeArb = fc
  .record({ connection: partArb, schema: partArb, table: partArb, verbs: fc.uniqueArray(verbArb, { minLength: 1 }) })
  .map(({ verbs, ...parts }): Scope => {
    const scope = { ...parts, verbs: new Set(verbs) };
    return { ...scope, text: printScope(scope) };
  });
const accessArb = fc.record({ connection: nameArb, schema: nameArb, name: nameArb, verb: verbArb });

test('the parts and verbs of a scope are read, and what is left out matches any', () => {
  const parts = (text: string) => {
    const { connection, schema, table, verbs } = parseScope(text);
    return [connection, schema, table, [...verbs].join(' ')];
  };
  assert.deepEqual(parts('db:analytics:read'), ['analytics', '*', '*', 'read']);
  assert.deepEqual(parts('db:analytics.public:read+write'), ['analytics', 'public', '*', 'read write']);
  assert.deepEqual(parts('db:analytics.public.orders:ddl'), ['analytics', 'public', 'orders', 'ddl']);
  assert.deepEqual(parts('db:*.*.orders:admin'), ['*', '*', 'orders', 'admin']);
  assert.deepEqual(parts('db:my-db."a.b"."x"":y":read'), ['my-db', 'a.b', 'x":y', 'read']);
  assert.equal(parseScope('db:analytics.*.*:read').text, 'db:analytics.*.*:read');
});

test('a mistake in a scope is named', () => {
  const cases: [string, RegExp][] = [
    ['', /does not begin with "db:"/],
    ['analytics:read', /does not begin with "db:"/],
    ['db:analytics', /has no verb: one or more of read, write, ddl, admin/],
    ['db:analytics:', /a verb is missing/],
    ['db:analytics:read+', /a verb is missing/],
    ['db:analytics:raed', /"raed" is no verb; did you mean "read"\?/],
    ['db:analytics:Read', /did you mean "read"\?/],
    ['db:analytics:everything', /"everything" is no verb; known: read, write, ddl, admin/],
    ['db:analytics:read:write', /"read:write" is no verb/],
    ['db::read', /a part is empty/],
    ['db:analytics..orders:read', /a part is empty/],
    ['db:a.b.c.d:read', /more parts than connection, schema and table/],
    ['db:a.ord*:read', /"ord\*": \* stands for a whole part only/],
    ['db:a."*":read', /a quoted "\*" would be a name/],
    ['db:a."":read', /a quoted part is empty/],
    ['db:a."b:read', /a quote is not closed/],
    ['db:a."b"c:read', /"c:read" stands behind a closing quote/],
    ['db:a b:read', /"a b" has to be in double quotes/],
    ['db:a."b\u202ec":read', /a character that cannot be seen/],
    [`db:${'a'.repeat(1100)}:read`, /longer than 1024 characters/],
  ];
  for (const [text, words] of cases) {
    assert.match(checkScope(text) ?? 'no mistake', words);
    assert.throws(() => parseScope(text), { code: 'SP_GRANT_REFUSED' });
  }
  assert.equal(checkScope('db:analytics:read'), null);
});

test('what is written of a scope is read back as the same scope', () => {
  fc.assert(
    fc.property(scopeArb, (scope) => {
      assert.deepEqual(parseScope(scope.text), scope);
    }),
  );
});

test('any text is read or refused, and reading never throws anything else', () => {
  const soup = fc.array(fc.constantFrom('db:', 'a', '.', ':', '"', '*', '+', 'read', 'write', ' ', '\u0000'), {
    maxLength: 12,
  });
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string(),
        soup.map((parts) => parts.join('')),
      ),
      (text) => {
        const mistake = checkScope(text);
        if (mistake === null) assert.deepEqual(parseScope(printScope(parseScope(text))).verbs, parseScope(text).verbs);
        else assert.doesNotMatch(mistake, /[\p{Cc}\p{Cf}]/u);
      },
    ),
  );
});

test('a verb includes no other, and a name no other', () => {
  const access = { connection: 'analytics', schema: 'public', name: 'orders', verb: 'read' } as const;
  assert.equal(covers(parseScope('db:analytics.public.orders:read'), access), true);
  assert.equal(covers(parseScope('db:analytics:write+ddl+admin'), access), false);
  assert.equal(covers(parseScope('db:analytics.public.Orders:read'), access), false);
  assert.equal(covers(parseScope('db:analytics.private:read'), access), false);
  assert.equal(covers(parseScope('db:other:read'), access), false);
});

test('a wider scope covers at least as much, and within means just that', () => {
  fc.assert(
    fc.property(scopeArb, scopeArb, accessArb, (one, other, access) => {
      const wide: Scope = { ...one, schema: '*', table: '*', verbs: new Set([...one.verbs, ...other.verbs]) };
      assert.ok(within(one, wide));
      if (covers(one, access)) assert.ok(covers(wide, access));
      if (within(one, other) && covers(one, access)) assert.ok(covers(other, access));
      if (coversConnection(one, access.connection, access.verb)) assert.ok(covers(one, access));
      if (covers(one, access)) assert.ok(touchesConnection(one, access.connection, access.verb));
      assert.equal(within(one, one), true);
    }),
  );
});

test('a scope is within another exactly where the other covers all that it covers', () => {
  // A scope and one that differs from it in a part or two, so that both answers come up.
  const pairArb = fc
    .tuple(scopeArb, fc.record({ connection: partArb, schema: partArb, table: partArb }, { requiredKeys: [] }), verbArb)
    .map(([one, change, verb]): [Scope, Scope] => [one, { ...one, ...change, verbs: new Set([...one.verbs, verb]) }]);
  fc.assert(
    fc.property(pairArb, fc.boolean(), ([one, other], swap) => {
      const [requested, allowed] = swap ? [other, one] : [one, other];
      const fresh = (part: string) => (part === '*' ? 'a name that no pattern has' : part);
      const { connection, schema, table } = requested;
      const everything = [...requested.verbs].map((verb) => ({
        ...{ connection: fresh(connection), schema: fresh(schema), name: fresh(table), verb },
      }));
      assert.ok(everything.every((access) => covers(requested, access)));
      const held = everything.every((access) => covers(allowed, access));
      assert.equal(within(requested, allowed), held);
    }),
    { numRuns: 500 },
  );
});
