// The lexer under every sql_mode that it knows, and what it does not cut.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type LexMode, lex, lexMode } from '../../../src/sql/mysql/lexer.ts';
import { MARIADB, MYSQL, mode } from './brief.ts';

/** `type:value` each; operators and words as they are. */
function cut(sql: string, reading: LexMode = MYSQL): string {
  const tokens = lex(sql, reading);
  assert.ok(Array.isArray(tokens), `${sql}: ${'reason' in tokens ? tokens.reason : ''}`);
  assert.equal(tokens.at(-1)?.type, 'end');
  return tokens
    .slice(0, -1)
    .map(({ type, value }) => (type === 'word' || type === 'operator' ? value : `${type}<${value}>`))
    .join(' ');
}

function uncut(sql: string, reading: LexMode = MYSQL): string {
  const tokens = lex(sql, reading);
  assert.ok(!Array.isArray(tokens), `cut: ${sql}`);
  return tokens.reason;
}

function table(name: string, rows: readonly (readonly [sql: string, tokens: string, reading?: LexMode])[]): void {
  test(name, () => {
    for (const [sql, tokens, reading] of rows) assert.equal(cut(sql, reading), tokens, sql);
  });
}

table('strings', [
  ["'a''b'", "string<a'b>"],
  ["'a\\'b'", "string<a'b>"],
  ["'a\\\\' 'b'", 'string<a\\> string<b>'],
  ["'\\n\\t\\0\\Z\\x\\%\\_'", 'string<\n\t\0\x1ax\\%\\_>'],
  ['"a""b\'c"', 'string<a"b\'c>'],
  ["'-- /* # ; `'", 'string<-- /* # ; `>'],
  ["n'a' N'b'", 'string<a> string<b>'],
  ["n 'a'", 'n string<a>'],
  ["_utf8mb4'a'", '_utf8mb4 string<a>'],
  ["'é𝒳'", 'string<é𝒳>'],
]);

table('NO_BACKSLASH_ESCAPES leaves backslashes alone', [
  ["'a\\' 'b'", 'string<a\\> string<b>', mode('NO_BACKSLASH_ESCAPES')],
  ["'a''b'", "string<a'b>", mode('NO_BACKSLASH_ESCAPES')],
  ['"a\\"', 'string<a\\>', mode('STRICT_ALL_TABLES,NO_BACKSLASH_ESCAPES')],
]);

table('names in quotes', [
  ['`a``b` `c d`', 'quoted<a`b> quoted<c d>'],
  ['`a\\`', 'quoted<a\\>'],
  ['"a""b"', 'quoted<a"b>', mode('ANSI_QUOTES')],
  ['"a\\"', 'quoted<a\\>', mode('ANSI_QUOTES')],
  ["'a'", 'string<a>', mode('ANSI_QUOTES')],
  ['"a"', 'quoted<a>', mode('ANSI')],
]);

table('numbers, and names that begin with digits', [
  [
    '1 1.5 .5 1. 1e5 1.5E-3 1e+2',
    'number<1> number<1.5> number<.5> number<1.> number<1e5> number<1.5E-3> number<1e+2>',
  ],
  ['1e 1a 1_ 0x 0xg 0b2', '1e 1a 1_ 0x 0xg 0b2'],
  ['0x4A 0b01 0X41', 'bytes<0x4A> bytes<0b01> 0X41'],
  ["x'4A' X'4a' b'01'", "bytes<x'4A'> bytes<X'4a'> bytes<b'01'>"],
  ['t.1 t.1e5 t .5 t.5a', 't . 1 t . 1e5 t number<.5> t . 5a'],
  ['`t`.1', 'quoted<t> . 1'],
  ['1e5a', 'number<1e5> a'],
]);

table('comments', [
  ['1--1', 'number<1> - - number<1>'],
  ['5-- 1\n+2', 'number<5> + number<2>'],
  ['5--\t1\n6', 'number<5> number<6>'],
  ['5--\x011\n6', 'number<5> number<6>'],
  ['5--', 'number<5>'],
  ['a # b\nc', 'a c'],
  ['a -- b\rc\nd', 'a d'],
  ['a /* /* */ b', 'a b'],
  ['a/**/b', 'a b'],
  ['a /*+ NO_ICP(t) */ b', 'a b'],
  ["'#' # '", 'string<#>'],
]);

table('variables, parameters, operators', [
  [
    '@a @`b c` @\'d\' @"e" @a.b @@x.y',
    'variable<a> variable<b c> variable<d> variable<e> variable<a.b> system-variable<> x . y',
  ],
  ["'u'@'h' u@localhost", 'string<u> variable<h> u variable<localhost>'],
  ['a:=?', 'a := parameter<>'],
  ["a->'$.b' c->>'$'", 'a -> string<$.b> c ->> string<$>'],
  ['a<=>b<<1>>2!=3<>4&&5||6', 'a <=> b << number<1> >> number<2> != number<3> <> number<4> && number<5> || number<6>'],
  ['\\N', 'NULL'],
  ['a$b _c é', 'a$b _c é'],
]);

test('what hangs on the server, or could be read in two ways, is not cut', () => {
  for (const [sql, why] of [
    ['SELECT /*! 1 */', /versioned comment/],
    ['SELECT /*!50000 1 */', /versioned comment/],
    ['SELECT /*!*/ 1', /versioned comment/],
    ['SELECT /*M! 1 */', /versioned comment/],
    ['SELECT /*M!100000 1 */', /versioned comment/],
    ['SELECT /*+ SET_VAR(sql_mode = "x") */ 1', /hint/],
    ['SELECT /*+ RESOURCE_GROUP(x) */ 1', /hint/],
    ['SELECT /*+ QB_NAME(`*/ 1 AS `) */ 2', /hint/],
    ['SELECT /* 1', /not closed/],
    ["SELECT 'a", /not closed/],
    ["SELECT 'a\\'", /not closed/],
    ['SELECT "a', /not closed/],
    ['SELECT `a', /not closed/],
    ['SELECT ``', /empty/],
    ['SELECT `a `', /ends with a space/],
    ['SELECT `a\0b`', /not closed/],
    ["SELECT x'4g'", /hexadecimal/],
    ["SELECT b'2'", /hexadecimal/],
    ['SELECT $a', /begins with \$/],
    ['SELECT a\u00a0b', /character/],
    ['SELECT a\u200bb', /character/],
    ['SELECT \ufeff1', /character/],
    ['SELECT 𝒳', /character/],
    ['SELECT @', /@ stands alone/],
    ['SELECT \x00', /character/],
    ['SELECT \\', /character/],
    ['SELECT [1]', /character/],
  ] as const) {
    for (const reading of [MYSQL, MARIADB]) assert.match(uncut(sql, reading), why, sql);
  }
});

test('a sql_mode that makes another language has no reading; the others have their flags', () => {
  for (const foreign of ['ORACLE', 'ANSI,MSSQL', 'DB2', 'POSTGRESQL', 'maxdb', 'MYSQL40', 'MYSQL323']) {
    assert.equal(lexMode(foreign, true), null, foreign);
  }
  const none = { ansiQuotes: false, noBackslashEscapes: false, pipesAsConcat: false, ignoreSpace: false };
  const plain = { ...none, highNotPrecedence: false, mariadb: true };
  assert.deepEqual(lexMode('STRICT_TRANS_TABLES,NO_ZERO_DATE', true), plain);
  assert.deepEqual(lexMode('ANSI_QUOTES, HIGH_NOT_PRECEDENCE', true), {
    ...plain,
    ansiQuotes: true,
    highNotPrecedence: true,
  });
  assert.deepEqual(lexMode('pipes_as_concat,IGNORE_SPACE,NO_BACKSLASH_ESCAPES', false), {
    ...plain,
    noBackslashEscapes: true,
    pipesAsConcat: true,
    ignoreSpace: true,
    mariadb: false,
  });
  assert.deepEqual(lexMode('ANSI', true), { ...plain, ansiQuotes: true, pipesAsConcat: true, ignoreSpace: true });
});

test('tokens stand where they say', () => {
  const sql = "SELECT `a` , 'é' -- x\n, @v FROM é.t";
  const tokens = lex(sql, MYSQL);
  assert.ok(Array.isArray(tokens));
  assert.deepEqual(
    tokens.map(({ start, end }) => sql.slice(start, end)),
    ['SELECT', '`a`', ',', "'é'", ',', '@v', 'FROM', 'é', '.', 't', ''],
  );
});
