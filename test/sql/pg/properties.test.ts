// Properties: no text makes the classifier throw, spelling changes no facts, and equal cache keys mean equal facts.

import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import fc from 'fast-check';
import { classify, ready } from '../../../src/sql/pg/classify.ts';
import { foldLiterals } from '../../../src/sql/pg/fold.ts';
import type { Facts } from '../../../src/types.ts';

before(ready);

const fold = (sql: string) => foldLiterals(Buffer.from(`--${sql}'`), 2, 2 + Buffer.byteLength(sql));

/** Facts that do not hang on where things stand. */
const plain = (facts: Facts) => ({ ...facts, start: 0, end: 0, secrets: facts.secrets.length });

// --- Random texts ------------------------------------------------------------------------------------------------------

const FRAGMENTS =
  `SELECT INSERT INTO UPDATE DELETE MERGE FROM WHERE SET VALUES WITH RECURSIVE AS JOIN ON USING UNION ALL ORDER BY GROUP
  RETURNING COPY TO STDIN STDOUT EXPLAIN ANALYZE PREPARE EXECUTE DROP CREATE ALTER TABLE VIEW INDEX a b t s.t "q Q" * , . ( ) [ ] ; ::
  = + - -- /* */ ' '' "x" $1 $$ $tag$ 1 1.5 .5 1e5 0x1F 'a' E'\\' U&"\\0061" B'1' N'x' NULL CASE WHEN THEN END BETWEEN AND OR NOT IN
  LIKE IS COLLATE INTERVAL DATE ARRAY ROW CAST f( count(*) OVER FILTER FOR BEGIN COMMIT DO LOCK :: := => \\ é 𝒳 \n \t`
    .split(/ +/)
    .map((word) => word.trim());

test('random texts are answered, never thrown at', () => {
  const soup = fc.array(fc.constantFrom(...FRAGMENTS, ' ', '\n'), { maxLength: 40 }).map((parts) => parts.join(' '));
  fc.assert(
    fc.property(
      fc.oneof(soup, fc.string({ maxLength: 200, unit: 'binary' }), fc.string({ maxLength: 100, unit: 'grapheme' })),
      (sql) => {
        const understood = classify(sql);
        if (!understood.ok) assert.notEqual(understood.reason, '');
        else
          for (const facts of understood.statements)
            assert.ok(facts.start <= facts.end && facts.end <= sql.length && facts.kinds.length > 0);
        fold(sql);
      },
    ),
    { numRuns: 1500 },
  );
});

// --- Random statements ---------------------------------------------------------------------------------------------------

const literal = fc.oneof(
  fc.integer({ min: 0, max: 3_000_000_000 }).map(String),
  fc.tuple(fc.nat(99), fc.nat(99)).map(([a, b]) => `${a}.${b}`),
  fc
    .string({ maxLength: 8, unit: fc.constantFrom('a', ' ', "''", ';', '--', 'é', '$', '"', '\n', '\\') })
    .map((text) => `'${text}'`),
);
const name = fc.constantFrom('a', 'b', 'c1', '"Q q"', 't.a', 'u.b', 's.t.c');
const table = fc.constantFrom('t', 's.t', 'u AS v', '"T"');
const { expression } = fc.letrec<{ expression: string }>((tie) => ({
  expression: fc.oneof(
    { maxDepth: 3, depthIdentifier: 'e' },
    literal,
    name,
    fc
      .tuple(tie('expression'), fc.constantFrom('+', '-', '=', '||', '<', 'AND', 'LIKE', '->>'), tie('expression'))
      .map((parts) => parts.join(' ')),
    fc
      .tuple(
        fc.constantFrom('lower', 'f', 'pg_catalog.count', 'nextval', 'current_setting', 'round'),
        tie('expression'),
      )
      .map(([f, e]) => `${f}(${e})`),
    tie('expression').map((e) => `(${e})::text`),
    tie('expression').map((e) => `(${e})::regclass`),
    tie('expression').map((e) => `CASE WHEN ${e} THEN 1 END`),
    tie('expression').map((e) => `- ${e}`),
    tie('expression').map((e) => `(SELECT ${e} FROM t)`),
    literal.map((e) => `x IN (1, ${e})`),
    literal.map((e) => `date ${e}`),
    literal.map((e) => `CAST(a AS numeric(${e}, 2))`),
  ),
}));
const key = fc.oneof(name, literal);
const statement = fc.oneof(
  fc
    .tuple(expression, table, expression, key, literal)
    .map(([a, t, w, k, l]) => `SELECT ${a}, b FROM ${t} WHERE ${w} ORDER BY ${k} LIMIT ${l}`),
  fc.tuple(expression, table, key).map(([a, t, k]) => `SELECT ${a} AS x, count(*) FROM ${t} GROUP BY ${k}`),
  fc
    .tuple(table, expression, expression)
    .map(([t, a, b]) => `INSERT INTO ${t.replace(' AS v', '')} (a, b) VALUES (${a}, ${b}) RETURNING a`),
  fc.tuple(table, expression, expression).map(([t, a, b]) => `UPDATE ${t} SET a = ${a} WHERE ${b}`),
  fc.tuple(table, expression).map(([t, a]) => `DELETE FROM ${t} WHERE ${a}`),
  fc.tuple(expression).map(([a]) => `SELECT ${a}; SELECT 1`),
);

/** The same statement with other literals in the same places, mostly of the same kind. */
function other(sql: string, literals: readonly string[]): string {
  let n = 0;
  return sql.replace(
    /'(?:[^']|'')*'|(?<![\w".])\d+(?:\.\d+)?(?!\w)/g,
    (found) => literals[n++ % literals.length] ?? found,
  );
}

test('statements with equal cache keys have equal facts, where these are blind for values', () => {
  let compared = 0;
  fc.assert(
    fc.property(statement, fc.array(literal, { minLength: 1, maxLength: 5 }), (sql, literals) => {
      const twin = other(sql, literals);
      const folded = fold(sql);
      if (folded === null || folded !== fold(twin)) return;
      const [one, two] = [classify(sql), classify(twin)];
      if (!one.ok || !one.statements.every((facts) => facts.valueBlind)) return;
      // What the parser refuses, the server refuses too.
      if (!two.ok) return;
      compared++;
      assert.deepEqual(two.statements.map(plain), one.statements.map(plain), `${sql}\n${twin}`);
    }),
    { numRuns: 4000 },
  );
  // Some 280 are usual.
  assert.ok(compared > 100, `only ${compared} pairs were compared`);
});

test('cache keys keep apart what is not the same but for values', () => {
  for (const [one, two] of [
    ['SELECT 1', "SELECT '1'"],
    ['SELECT 1', 'SELECT 1.0'],
    ['SELECT a1', 'SELECT a2'],
    ['SELECT $1', 'SELECT $2'],
    ['SELECT "a1"', 'SELECT "a2"'],
    ['SELECT -1', 'SELECT 1'],
    ["SELECT 'a'", "SELECT 'a''b' x"],
    ['SELECT 1 a', 'SELECT 1'],
    ["SELECT date '1'", "SELECT time '1'"],
  ] as const) {
    assert.notEqual(fold(one), null);
    assert.notEqual(fold(two), null);
    assert.notEqual(fold(one), fold(two), `${one} | ${two}`);
  }
  for (const [one, two] of [
    ['SELECT 1, 2.5', 'SELECT 99, 0.1'],
    ["SELECT 'a'", "SELECT 'x''y -- \n/* $1 é'"],
    ['SELECT a1 - 5', 'SELECT a1 - 12345'],
  ] as const) {
    assert.notEqual(fold(one), null);
    assert.equal(fold(one), fold(two), `${one} | ${two}`);
  }
});

test('texts whose literals are not plain have no cache key', () => {
  for (const sql of [
    "SELECT E'a'",
    "SELECT e'a'",
    "SELECT U&'a'",
    'SELECT U&"a"',
    'SELECT u&"d!0061" UESCAPE \'!\'',
    "SELECT B'1'",
    "SELECT X'1'",
    "SELECT N'1'",
    "SELECT 'a\\'",
    "SELECT 'a'\n'b'",
    "SELECT 'a' 'b'",
    "SELECT 'a",
    'SELECT "a',
    'SELECT $$a$$',
    'SELECT $a$a$a$',
    'SELECT a$1',
    'SELECT 1e5',
    'SELECT 1.5e5',
    'SELECT 0x1F',
    'SELECT 1_000',
    'SELECT 1a',
    'SELECT .5',
    'SELECT 1.',
    'SELECT 1..2',
    'SELECT 12345678901',
    'SELECT 1 -- x',
    'SELECT 1 /* x */',
    'SELECT é',
    'SELECT "é"',
    'SELECT \\',
    'SELECT 1\f',
    `SELECT ${'a, '.repeat(2000)}b`,
  ]) {
    assert.equal(fold(sql), null, sql);
  }
});

test('comments, case and quoting change no facts', () => {
  const gap = fc.constantFrom(' ', '\n', '\t', ' /* x */ ', ' /* a /* b */ */ ', ' -- x\n');
  fc.assert(
    fc.property(statement, fc.array(gap, { minLength: 3, maxLength: 10 }), fc.boolean(), (sql, gaps, upper) => {
      // Only outside literals and quoted names.
      let n = 0;
      const spelled = sql.replace(/'(?:[^']|'')*'|"[^"]*"| |[a-z][a-z0-9_]*|[A-Z]+/g, (part) => {
        if (part === ' ') return gaps[n++ % gaps.length] ?? ' ';
        if (/^[a-z]/.test(part) && upper) return part.toUpperCase();
        return /^[A-Z]/.test(part) && n % 2 === 0 ? part.toLowerCase() : part;
      });
      const [one, two] = [classify(sql), classify(spelled)];
      assert.equal(two.ok, one.ok, spelled);
      if (one.ok && two.ok)
        assert.deepEqual(two.statements.map(plain), one.statements.map(plain), `${sql}\n${spelled}`);
    }),
    { numRuns: 1000 },
  );
});
