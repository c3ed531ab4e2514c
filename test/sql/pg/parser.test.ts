// The parser's instance and the walk over its tree, where texts alone do not reach.

import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { classify, ready } from '../../../src/sql/pg/classify.ts';
import { parse, startParser } from '../../../src/sql/pg/parser.ts';
import { unfit } from '../../../src/sql/pg/prescan.ts';
import { statement } from '../../../src/sql/pg/statements.ts';
import { NotUnderstood } from '../../../src/sql/pg/tree.ts';
import { startWalk } from '../../../src/sql/pg/walk.ts';
import { one } from './brief.ts';

before(ready);

test('A13: a fault of the parser is survived, however often', async () => {
  for (let round = 0; round < 12; round++) {
    const fault = parse(`SELECT ${'NOT '.repeat(60_000)}true`);
    assert.equal(fault.ok, false);
    // Until the new instance is there, everything is refused.
    const meanwhile = classify('SELECT 1');
    assert.ok(meanwhile.ok || /restarted/.test(meanwhile.reason));
    await startParser();
    assert.equal(one('SELECT a FROM t').kinds[0], 'select');
  }
});

test('A13: a node or a field that is not known makes the statement not understood', () => {
  const select = (target: object, more: object = {}) => ({
    SelectStmt: { targetList: [{ ResTarget: { val: target } }], op: 'SETOP_NONE', ...more },
  });
  const a = { ColumnRef: { fields: [{ String: { sval: 'a' } }] } };
  statement(startWalk(), select(a));
  for (const [what, tree] of [
    ['a statement', { NewStmt: {} }],
    ['an expression', select({ NewExpr: {} })],
    ['a field of an expression', select({ NullTest: { arg: a, nulltesttype: 'IS_NULL', newField: a } })],
    ['a field of a query', select(a, { newClause: [] })],
    ['a field of a utility', { TruncateStmt: { relations: [], newField: 1 } }],
    ['an item of FROM', select(a, { fromClause: [{ RangeNew: {} }] })],
    ['a struct where a value belongs', select({ NullTest: { arg: a, nulltesttype: { x: 1 } } })],
    ['a statement inside an expression', select({ DeleteStmt: { relation: { relname: 't' } } })],
    ['a subquery that is none', select({ SubLink: { subLinkType: 'EXPR_SUBLINK', subselect: { TruncateStmt: {} } } })],
    ['an operator', select({ A_Expr: { kind: 'AEXPR_NEW', name: [{ String: { sval: '=' } }] } })],
    ['a kind of transaction command', { TransactionStmt: { kind: 'TRANS_STMT_NEW' } }],
    ['a kind of SET', { VariableSetStmt: { kind: 'VAR_NEW', name: 'x' } }],
    [
      'a kind of ALTER TABLE',
      {
        AlterTableStmt: {
          relation: { relname: 't' },
          objtype: 'OBJECT_TABLE',
          cmds: [{ AlterTableCmd: { subtype: 'AT_New' } }],
        },
      },
    ],
    ['two types', { SelectStmt: {}, DeleteStmt: {} }],
  ] as const) {
    assert.throws(() => statement(startWalk(), tree), NotUnderstood, what);
  }
});

test('which statements are blind for their values', () => {
  for (const sql of [
    'SELECT a FROM t WHERE b = 1 ORDER BY a LIMIT 5',
    "INSERT INTO t VALUES (1, 'x', 2.5) ON CONFLICT DO NOTHING",
    'UPDATE t SET a = 1 WHERE b = 2',
    'DELETE FROM t WHERE a = 1',
    "SELECT 'x'::mood, date '2020-01-01', a::numeric(5, 2) FROM t GROUP BY a",
    'WITH x AS (SELECT 1) SELECT * FROM x',
  ]) {
    assert.equal(one(sql).valueBlind, true, sql);
  }
  for (const sql of [
    'SELECT a, b FROM t ORDER BY 1',
    'SELECT a FROM t GROUP BY 1',
    'SELECT a FROM t GROUP BY ROLLUP (1)',
    'SELECT DISTINCT ON (1) a FROM t',
    'SELECT a FROM t UNION SELECT b FROM u ORDER BY 1',
    "SELECT nextval('s')",
    "SELECT current_setting('work_mem')",
    "SELECT set_config('work_mem', '1', false)",
    "SELECT 'pg_class'::regclass",
    "SELECT regtype 'int4'",
    "SELECT (SELECT a FROM (SELECT nextval('s') AS a) x)",
    "SELECT hmac(a, 'k', 'sha256') FROM t",
    'EXPLAIN SELECT a FROM t WHERE b = 1',
    'PREPARE p AS SELECT 1',
    'DECLARE c CURSOR FOR SELECT 1',
    'SELECT 1 INTO x',
    'COPY (SELECT 1) TO STDOUT',
    "SET work_mem = '1MB'",
    'BEGIN',
    'CREATE TABLE t AS SELECT 1',
  ]) {
    assert.equal(one(sql).valueBlind, false, sql);
  }
});

test('nesting is measured, not length', () => {
  const fits = [
    `SELECT ${'a, '.repeat(50_000)}b`,
    `SELECT 1 WHERE ${'a = 1 AND b = 2 OR '.repeat(20_000)}c`,
    `SELECT '${'('.repeat(50_000)}'`,
    `SELECT $x$${'('.repeat(50_000)}$x$`,
    `SELECT "${'('.repeat(50_000)}"`,
    `SELECT E'\\'${'('.repeat(50_000)}'`,
    `SELECT 1 /* ${'('.repeat(50_000)} /* */ ( */ -- ${'('.repeat(50_000)}\n`,
    `${'SELECT 1;'.repeat(20_000)}`,
    `INSERT INTO t VALUES ${'(1, (2 + 3) * 4), '.repeat(20_000)}(1, 2)`,
    `UPDATE t SET ${'a = 1, '.repeat(1000)}(b, c) = (SELECT 1, 2), (d, e) = (SELECT 3, 4)`,
  ];
  for (const sql of fits) assert.equal(unfit(sql), null, sql.slice(0, 40));
  const deep = [
    '('.repeat(3000),
    `SELECT ${'[('.repeat(2000)}`,
    `SELECT ${'f(a, '.repeat(2000)}`,
    `SELECT ${'(a AND '.repeat(3000)}`,
    `SELECT 1 ${'+ 1 '.repeat(3000)}`,
    `SELECT ${'/**/((((('.repeat(600)}`,
    `SELECT ${'CASE WHEN a THEN b ELSE '.repeat(3000)}`,
  ];
  for (const sql of deep) assert.match(unfit(sql) ?? '', /nested too deeply/, sql.slice(0, 40));
});
