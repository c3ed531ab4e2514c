// Properties: no text makes the classifier throw or hang, spelling changes no facts, and equal cache keys mean equal tokens but for
// values.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { classify } from '../../../src/sql/mysql/classify.ts';
import { foldLiterals } from '../../../src/sql/mysql/fold.ts';
import { type LexMode, lex } from '../../../src/sql/mysql/lexer.ts';
import { parse } from '../../../src/sql/mysql/parser.ts';
import type { Facts } from '../../../src/types.ts';
import { BOTH, MARIADB, MYSQL, mode } from './brief.ts';
import { any, ordinary, respelled, seeded } from './generator.ts';

const fold = (sql: string) => foldLiterals(Buffer.from(`--${sql}'`), 2, 2 + Buffer.byteLength(sql));

const MODES: readonly LexMode[] = [
  MYSQL,
  MARIADB,
  mode('ANSI'),
  mode('NO_BACKSLASH_ESCAPES,HIGH_NOT_PRECEDENCE', true),
  mode('PIPES_AS_CONCAT'),
];

/** Facts that do not hang on where things stand. */
const plain = (facts: Facts) => ({ ...facts, start: 0, end: 0, secrets: facts.secrets.length });

/** Understood or not, but by the grammar itself: `classify` would hide what it throws. */
function understand(sql: string, reading: LexMode) {
  parse(sql, reading);
  return classify(sql, reading);
}

// --- Random texts ------------------------------------------------------------------------------------------------------

const FRAGMENTS =
  `SELECT INSERT INTO UPDATE DELETE REPLACE FROM WHERE SET VALUES ROW( WITH RECURSIVE AS JOIN ON USING UNION ALL ORDER BY GROUP LIMIT
  OFFSET RETURNING EXPLAIN ANALYZE PREPARE EXECUTE DROP CREATE ALTER TABLE VIEW INDEX PROCEDURE a b t s.t \`q\` * , . ( ) [ ] ; { } = :=
  + - -- /* */ /*! /*+ # ' '' "x" ? @ @a @@b @@ 1 1.5 .5 1e5 0x1F 'a' 'a\\' N'x' x'4' _utf8mb4 NULL CASE WHEN THEN END BETWEEN AND OR NOT
  IN LIKE IS COLLATE INTERVAL DAY DATE CAST( f( count(*) OVER FOR BEGIN COMMIT DO LOCK SHOW USE KILL || && <=> -> ->> \\ \\N é 𝒳 \0`
    .split(/\s+/)
    .concat(' ', '\n', '\t');

test('random texts are answered, never thrown at', () => {
  const soup = fc.array(fc.constantFrom(...FRAGMENTS), { maxLength: 40 }).map((parts) => parts.join(' '));
  const bytes = fc.uint8Array({ maxLength: 200 }).map((array) => Buffer.from(array).toString('utf8'));
  fc.assert(
    fc.property(
      fc.oneof(soup, bytes, fc.string({ maxLength: 200, unit: 'binary' })),
      fc.constantFrom(...MODES),
      (sql, reading) => {
        const understood = understand(sql, reading);
        if (!understood.ok) assert.doesNotMatch(understood.reason, /^$|could not be understood/, sql);
        else
          for (const { start, end, kinds } of understood.statements)
            assert.ok(start <= end && end <= sql.length && kinds.length > 0, sql);
        fold(sql);
      },
    ),
    { numRuns: 4000, seed: 1 },
  );
});

test('statements with a token left out, doubled or moved are answered too', () => {
  const random = seeded(7);
  for (let i = 0; i < 3000; i++) {
    const sql = any(random);
    const reading = MODES[i % MODES.length] as LexMode;
    const tokens = lex(sql, reading);
    if (!Array.isArray(tokens)) continue;
    const words = tokens.map(({ start, end }) => sql.slice(start, end));
    const at = Math.floor(random() * words.length);
    const [taken = ''] = words.splice(at, 1);
    if (random() < 0.6) words.splice(Math.floor(random() * words.length), 0, taken);
    if (random() < 0.3) words.splice(at, 0, taken, taken);
    const found = understand(words.join(' '), reading);
    if (!found.ok) assert.doesNotMatch(found.reason, /could not be understood/, words.join(' '));
  }
});

test('no text takes longer than its length warrants', () => {
  // Each level or link would double the work of a grammar that tries one way and then another.
  const wrapped: readonly (readonly [open: string, middle: string, close: string])[] = [
    ['(', '1', ')'],
    ['((', '1', '), 2)'],
    ['INTERVAL (', '1', ') DAY'],
    ['INTERVAL (1, ', '1', ')'],
    ['(SELECT ', '1', ')'],
    ['(VALUES ROW(', '1', '))'],
    ['CASE WHEN ', '1', ' THEN 1 END'],
    ['IF(1, ', '1', ', 2)'],
    ['(1, ', '1', ')'],
    ['1 IN (', '1', ')'],
    ['EXISTS (SELECT ', '1', ')'],
    ['1 BETWEEN ', '1', ' AND 2'],
    ['DATE ', "'2020-01-01'", ''],
    ['{d ', "'2020-01-01'", '}'],
    ['(WITH c AS (SELECT ', '1', ') SELECT 1 FROM c)'],
  ];
  for (const [open, middle, close] of wrapped) {
    for (const reading of BOTH) classify(`SELECT ${open.repeat(90)}${middle}${close.repeat(90)}`, reading);
  }
  for (const part of [
    '(',
    ')',
    '((SELECT 1) ',
    "'",
    '`',
    '/*',
    '@',
    'a.',
    'WITH ',
    ';',
    'EXPLAIN ',
    'a, ',
    'JOIN t ',
    '0x',
    '1e',
    '\\',
  ]) {
    for (const reading of BOTH) {
      classify(part.repeat(20_000), reading);
      classify(`SELECT * FROM ${part.repeat(20_000)}`, reading);
      classify(`CREATE TABLE t (a INT ${part.repeat(20_000)}`, reading);
    }
  }
});

// --- Spelling ------------------------------------------------------------------------------------------------------------

/** Names of tables in capitals are spelled in another case too. */
const anyCase = (facts: Facts) => ({
  ...plain(facts),
  opaque: facts.opaque?.toLowerCase(),
  relations: facts.relations.map(({ schema, name, verb }) => `${schema?.toLowerCase()}.${name.toLowerCase()}:${verb}`),
});

test('comments, case and quoting change no facts', () => {
  const random = seeded(3);
  let compared = 0;
  for (let i = 0; i < 2000; i++) {
    const reading = i % 2 === 0 ? MYSQL : MARIADB;
    const sql = ordinary(random);
    const spelled = respelled(random, sql, reading);
    const [one, two] = [classify(sql, reading), classify(spelled, reading)];
    assert.equal(two.ok, one.ok, `${sql}\n${spelled}`);
    if (!one.ok || !two.ok) continue;
    compared++;
    assert.deepEqual(two.statements.map(anyCase), one.statements.map(anyCase), `${sql}\n${spelled}`);
  }
  assert.ok(compared > 1500, `only ${compared} were compared`);
});

// --- Cache keys ------------------------------------------------------------------------------------------------------------

const VALUES = ['0', '7', '123456789', '1.5', '0.25', "''", "'x'", "'it''s'", "'-- ; /*'", "'é'", "'\n'"];

/** The same statement with other literals in the same places. */
function other(sql: string, random: () => number): string {
  return sql.replace(
    /'(?:[^'\\]|'')*'|(?<![\w".`@$])\d+(?:\.\d+)?(?![\w.])/g,
    (found) => (random() < 0.7 ? VALUES[Math.floor(random() * VALUES.length)] : undefined) ?? found,
  );
}

test('equal cache keys mean equal tokens but for values, whatever the sql_mode', () => {
  const random = seeded(11);
  let compared = 0;
  for (let i = 0; i < 20_000 && compared < 2000; i++) {
    const sql = ordinary(random);
    const twin = other(sql, random);
    const key = fold(sql);
    if (key === null || twin === sql || key !== fold(twin)) continue;
    compared++;
    for (const reading of MODES) {
      const [one, two] = [lex(sql, reading), lex(twin, reading)];
      assert.ok(Array.isArray(one) && Array.isArray(two), `${sql}\n${twin}`);
      const shape = (tokens: typeof one) =>
        tokens.map(
          ({ type, lower, value }) => `${type} ${type === 'string' || type === 'number' ? '' : lower + value}`,
        );
      assert.deepEqual(shape(two), shape(one), `${sql}\n${twin}`);
    }
  }
  assert.ok(compared >= 300, `only ${compared} pairs were compared`);
});

test('statements with equal cache keys have equal facts, where these are blind for values', () => {
  const random = seeded(12);
  let compared = 0;
  for (let i = 0; i < 10_000; i++) {
    const sql = any(random);
    const twin = other(sql, random);
    const key = fold(sql);
    if (key === null || twin === sql || key !== fold(twin)) continue;
    for (const reading of BOTH) {
      const [one, two] = [classify(sql, reading), classify(twin, reading)];
      if (!one.ok || !two.ok || !one.statements.every((facts) => facts.valueBlind)) continue;
      compared++;
      assert.deepEqual(two.statements.map(plain), one.statements.map(plain), `${sql}\n${twin}`);
    }
  }
  assert.ok(compared > 200, `only ${compared} pairs were compared`);
});

test('cache keys keep apart what is not the same but for values', () => {
  for (const [one, two] of [
    ['SELECT 1', "SELECT '1'"],
    ['SELECT 1', 'SELECT 1.0'],
    ['SELECT a1', 'SELECT a2'],
    ['SELECT `a1`', 'SELECT `a2`'],
    ['SELECT t1.a', 'SELECT t2.a'],
    ['SELECT -1', 'SELECT 1'],
    ['SELECT ?', 'SELECT 1'],
    ['SELECT 1 a', 'SELECT 1'],
    ["SELECT a LIKE 'x'", "SELECT a IN ('x')"],
  ] as const) {
    assert.notEqual(fold(one), null, one);
    assert.notEqual(fold(two), null, two);
    assert.notEqual(fold(one), fold(two), `${one} | ${two}`);
  }
  for (const [one, two] of [
    ['SELECT 1, 2.5', 'SELECT 99, 0.1'],
    ["SELECT 'a'", "SELECT 'x''y -- \n/* ? é'"],
    ['SELECT a1 - 5', 'SELECT a1 - 12345'],
    [
      "SELECT * FROM t WHERE a = 'x' AND b IN (1, 'y') LIMIT 1",
      "SELECT * FROM t WHERE a = 'z' AND b IN (2, '') LIMIT 7",
    ],
    ["UPDATE t SET a='x' WHERE b LIKE 'y'", "UPDATE t SET a='' WHERE b LIKE 'z'"],
    ["INSERT INTO t VALUES (1, 'a')", "INSERT INTO t VALUES (2, 'b')"],
  ] as const) {
    assert.notEqual(fold(one), null, one);
    assert.equal(fold(one), fold(two), `${one} | ${two}`);
  }
});

test('texts whose literals are not plain, or could be names, have no cache key', () => {
  for (const sql of [
    "SELECT N'a'",
    "SELECT _utf8mb4'a'",
    "SELECT _utf8mb4 'a'",
    "SELECT x'41'",
    "SELECT b'1'",
    "SELECT DATE '2020-01-01'",
    "SELECT DATE'2020-01-01'",
    "SELECT 'a\\'",
    "SELECT 'a\\\\'",
    "SELECT 'a'\n'b'",
    "SELECT 'a' 'b'",
    "SELECT 'a",
    'SELECT "a"',
    'SELECT `a',
    "SELECT a 'b'",
    "SELECT a AS 'b'",
    "SELECT 1 'b'",
    "SELECT f() 'b'",
    "SELECT `a` 'b'",
    "SELECT ? 'b'",
    "SELECT {fn now()} 'b'",
    "SELECT t.and 'b'",
    "SELECT t . or 'b'",
    "SELECT CASE WHEN a THEN 1 END 'b'",
    "SELECT offset 'b'",
    "SELECT escape 'b'",
    "SELECT NULL 'b'",
    "SELECT j->>'$.a' 'b'",
    'SELECT @a',
    'SELECT @@a',
    "SELECT 'a'@'b'",
    'SELECT 1e5',
    'SELECT 1.5e5',
    'SELECT 0x1F',
    'SELECT 0b1',
    'SELECT 1a',
    'SELECT 1_0',
    'SELECT .5',
    'SELECT 1.',
    'SELECT 1..2',
    'SELECT t.1',
    'SELECT 1234567890',
    'SELECT 1 -- x',
    'SELECT 1--1',
    'SELECT 1 # x',
    'SELECT 1 /* x */',
    'SELECT /*! 1 */',
    'SELECT é',
    'SELECT `é`',
    'SELECT \\N',
    'SELECT 1\f',
    'SELECT 1\0',
    "SELECT 'a\0'",
    `SELECT ${'a, '.repeat(2000)}b`,
  ]) {
    assert.equal(fold(sql), null, sql);
  }
});
