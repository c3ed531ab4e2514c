// The grammar: what a statement is cut into, how operators bind under sql_mode, what is too deep.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Expression, Statement } from '../../../src/sql/mysql/ast.ts';
import type { LexMode } from '../../../src/sql/mysql/lexer.ts';
import { parse } from '../../../src/sql/mysql/parser.ts';
import { BOTH, MARIADB, MYSQL, mode } from './brief.ts';

function statements(sql: string, reading: LexMode = MYSQL): Statement[] {
  const parsed = parse(sql, reading);
  assert.ok(parsed.ok, `${sql}: ${parsed.ok ? '' : parsed.reason}`);
  return parsed.statements.map(({ statement }) => statement);
}

/** In prefix form. */
function shown(value: Expression): string {
  switch (value.kind) {
    case 'column':
      return [value.schema, value.table, value.name].filter((part) => part !== null).join('.');
    case 'literal':
      return value.type === 'string' ? `'${value.value}'` : value.value;
    case 'operator':
      return `(${[value.name, ...value.operands.map(shown)].join(' ')})`;
    case 'call':
      return `${value.name}(${value.args.map(shown).join(' ')})`;
    case 'collate':
      return `(collate ${shown(value.operand)} ${value.collation})`;
    case 'cast':
      return `(cast ${shown(value.operand)} ${value.type})`;
    case 'interval':
      return `(interval ${shown(value.value)} ${value.unit})`;
    case 'row':
      return `[${value.items.map(shown).join(' ')}]`;
    default:
      return value.kind;
  }
}

function expression(written: string, reading: LexMode = MYSQL): string {
  const [statement] = statements(`SELECT ${written}`, reading);
  assert.ok(statement?.kind === 'select');
  const [item] = statement.items;
  assert.ok(item?.kind === 'item');
  return shown(item.value);
}

test('operators bind as the manuals say', () => {
  for (const [written, tree, reading] of [
    ['a OR b AND NOT c', '(or a (and b (not c)))'],
    ['a XOR b OR c', '(or (xor a b) c)'],
    ['NOT a = b', '(not (= a b))'],
    ['NOT a = b', '(= (not a) b)', mode('HIGH_NOT_PRECEDENCE')],
    ['! a = b', '(= (! a) b)'],
    ['a || b', '(or a b)'],
    ['a || b', '(|| a b)', mode('PIPES_AS_CONCAT')],
    ['a + b || c', '(+ a (|| b c))', mode('PIPES_AS_CONCAT')],
    ['a && b || c', '(or (and a b) c)'],
    ['a | b & c << d + e * f ^ g', '(| a (& b (<< c (+ d (* e (^ f g))))))'],
    ['a - b - c', '(- (- a b) c)'],
    ['a DIV b MOD c', '(mod (div a b) c)'],
    ['- a * ~ b', '(* (- a) (~ b))'],
    ['5--1', '(- 5 (- 1))'],
    ['a = b > c', '(> (= a b) c)'],
    ['a BETWEEN b AND c AND d', '(and (between a b c) d)'],
    ['a NOT IN (1, 2) IS TRUE', '(is true (not in a [1 2]))'],
    ["a LIKE 'x' ESCAPE '|' OR b", "(or (like a 'x' '|') b)"],
    ["a SOUNDS LIKE 'x'", "(sounds like a 'x')"],
    ["a COLLATE utf8mb4_bin = 'x'", "(= (collate a utf8mb4_bin) 'x')"],
    ['BINARY a = b', '(= (cast a binary) b)'],
    ["'a' 'b' \"c\"", "'abc'"],
    ['d + INTERVAL 1 + 2 DAY', '(+ d (interval (+ 1 2) day))'],
    ['COUNT(a)', 'count(a)'],
    ['a.b.c', 'a.b.c'],
    ['.a.b', 'a.b'],
    ["t.j->>'$.a'", "(->> t.j '$.a')"],
    ['((a))', 'a'],
    ['(a, b)', '[a b]'],
  ] as const) {
    assert.equal(expression(written, reading), tree, written);
  }
});

test('statements are cut at semicolons alone', () => {
  assert.deepEqual(statements(''), []);
  assert.deepEqual(statements(' ; ;; -- x'), []);
  const kinds = (sql: string) => statements(sql).map(({ kind }) => kind);
  assert.deepEqual(
    kinds("SELECT ';' ; INSERT INTO t VALUES (1); UPDATE t SET a = 1; DELETE FROM t; DO 1; SHOW TABLES"),
    ['select', 'insert', 'update', 'delete', 'do', 'other'],
  );
  const parsed = parse(' SELECT 1 ; SELECT 2', MYSQL);
  assert.ok(parsed.ok);
  assert.deepEqual(
    parsed.statements.map(({ start, end }) => [start, end]),
    [
      [1, 9],
      [12, 20],
    ],
  );
});

test('the body of a routine takes all that follows; a name that looks like one does not', () => {
  for (const reading of BOTH) {
    for (const sql of [
      'CREATE PROCEDURE p() BEGIN SELECT 1; SELECT 2; END',
      "CREATE DEFINER=`r`@'%' SQL SECURITY INVOKER FUNCTION f() RETURNS INT BEGIN RETURN 1; END",
      'CREATE OR REPLACE TRIGGER r BEFORE INSERT ON t FOR EACH ROW BEGIN SET @a = 1; END',
      'ALTER EVENT e DO BEGIN SELECT 1; END',
      'BEGIN NOT ATOMIC SELECT 1; END',
    ]) {
      assert.equal(statements(sql, reading).length, 1, sql);
    }
    for (const sql of [
      'CREATE INDEX event ON t (a); DELETE FROM t',
      'ALTER TABLE event ADD COLUMN a INT; DELETE FROM t',
      'CREATE DATABASE event; DROP TABLE t',
      'CREATE USER event; SET sql_mode = ANSI_QUOTES',
      'DROP PROCEDURE p; DELETE FROM t',
    ]) {
      assert.equal(statements(sql, reading).length, 2, sql);
    }
  }
});

test('a query in parentheses keeps its own parts', () => {
  const [locked] = statements('(SELECT a FROM t FOR UPDATE) LIMIT 1');
  assert.ok(locked?.kind === 'select' && locked.locks && locked.limit !== null);
  const [outer] = statements('(SELECT a FROM t LIMIT 2) LIMIT 1');
  assert.ok(outer?.kind === 'select' && outer.from[0]?.kind === 'derived');
  const [into] = statements("(SELECT a FROM t INTO OUTFILE 'f') LIMIT 1");
  assert.ok(into?.kind === 'select' && into.into?.kind === 'outfile');
  const [set] = statements('(SELECT 1) UNION (SELECT 2 LIMIT 1) ORDER BY 1');
  assert.ok(set?.kind === 'set-operation' && set.orderBy.length === 1 && set.right.limit !== null);
});

test('VALUES is a value where it stands before a column, a query elsewhere', () => {
  for (const reading of BOTH) {
    const [insert] = statements('INSERT INTO t (a) VALUES (1) ON DUPLICATE KEY UPDATE a = (VALUES(a) + 1)', reading);
    assert.ok(insert?.kind === 'insert');
    assert.equal(insert.onDuplicate[0]?.value.kind, 'operator');
  }
  assert.equal(statements('SELECT * FROM (VALUES ROW(1)) v')[0]?.kind, 'select');
  assert.equal(statements('SELECT * FROM (VALUES (1), (2)) v', MARIADB)[0]?.kind, 'select');
});

test('reserved words end an expression; others are aliases', () => {
  for (const [sql, reading, alias] of [
    ['SELECT 1 offset', MYSQL, 'offset'],
    ['SELECT 1 event', MYSQL, 'event'],
    ['SELECT 1 rank', MARIADB, 'rank'],
  ] as const) {
    const [query] = statements(sql, reading);
    assert.ok(query?.kind === 'select' && query.items[0]?.kind === 'item');
    assert.equal(query.items[0].alias, alias);
  }
  assert.ok(!parse('SELECT 1 select', MYSQL).ok);
  assert.ok(!parse('SELECT 1 rank', MYSQL).ok);
});

test('what is nested too deeply is refused, soon', () => {
  const deep = (open: string, middle: string, close: string, n = 20_000) => open.repeat(n) + middle + close.repeat(n);
  for (const sql of [
    `SELECT ${deep('(', '1', ')')}`,
    `SELECT ${deep('((SELECT ', '1', '))')}`,
    deep('(', 'SELECT 1', ')'),
    `SELECT ${deep('NOT ', '1', '')}`,
    `SELECT ${deep('- ', '1', '')}`,
    `SELECT ${deep('BINARY ', '1', '')}`,
    `SELECT ${deep('f(', '1', ')')}`,
    `SELECT ${deep('CASE WHEN ', '1', ' THEN 1 END')}`,
    `SELECT ${deep('INTERVAL(', '1', ', 2)')}`,
    `SELECT ${deep('INTERVAL (', '1', ') DAY')}`,
    `SELECT 1 FROM ${deep('(', 't', ')')}`,
    `SELECT 1 FROM ${deep('(SELECT 1 FROM ', 't', ') x')}`,
    `SELECT ${deep('@a := ', '1', '')}`,
    `SELECT a FROM t WHERE ${deep('a IN (', '1', ')')}`,
    `SELECT ${deep('{d ', "'x'", '}')}`,
    `SELECT 1 FROM JSON_TABLE('[]', '$' ${deep("COLUMNS (NESTED PATH '$' ", 'COLUMNS (a INT)', ')')}) j`,
  ]) {
    for (const reading of BOTH) {
      const parsed = parse(sql, reading);
      assert.ok(!parsed.ok, sql.slice(0, 60));
      assert.match(parsed.reason, /nested too deeply/, sql.slice(0, 60));
    }
  }
});

test('long chains are no depth', () => {
  for (const link of [' + 1', ' AND 1', ' OR 1', ' = 1', ' UNION SELECT 1', ', 1', " 'x'"]) {
    const sql = `SELECT ${link === " 'x'" ? "'x'" : '1'}${link.repeat(5_000)}`;
    assert.ok(parse(sql, MYSQL).ok, link);
  }
});
