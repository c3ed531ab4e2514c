// Where a statement uses columns: what masking decides by.

import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { ready } from '../../../src/sql/pg/classify.ts';
import { columns, functions, one } from './brief.ts';

before(ready);

function table(name: string, rows: readonly (readonly [sql: string, columns: string])[]): void {
  test(name, () => {
    for (const [sql, expected] of rows) assert.equal(columns(one(sql)), expected, sql);
  });
}

table('bare columns of the outermost select list come out', [
  ['SELECT a, b AS c, t.d, s.t.e, *, t.* FROM t', 'o: * a b t.* t.d t.e'],
  ['TABLE t', 'o: *'],
  ['INSERT INTO t (a) VALUES ($1) RETURNING b, t.*', 'o: b t.* | a: a'],
  ['UPDATE t SET a = 1 RETURNING old.b, new.*, t.c', 'o: new.* old.b t.c | a: a'],
  ['DELETE FROM t RETURNING *', 'o: *'],
  ['MERGE INTO t USING u ON t.a = u.b WHEN MATCHED THEN UPDATE SET c = 1 RETURNING t.d', 'o: t.d | p: t.a u.b | a: c'],
  ['DECLARE c CURSOR FOR SELECT a FROM t', 'o: a'],
  ['PREPARE p AS SELECT a FROM t', 'o: a'],
  ['EXPLAIN SELECT a FROM t WHERE b = 1', 'o: a | p: b'],
  ['SELECT a FROM (SELECT b AS a FROM t) s', 'o: a | e: b'],
  ['WITH x AS (SELECT a FROM t) SELECT a FROM x', 'o: a | e: a'],
]);

table('C1: what is computed is an expression', [
  ['SELECT lower(a), b || c, d::text, -e, (f) FROM t', 'o: f | e: a b c d e'],
  ['SELECT CASE WHEN a THEN b ELSE c END, coalesce(d, e), nullif(f, g) FROM t', 'e: a b c d e f g'],
  [
    'SELECT max(a), array_agg(b ORDER BY c), count(*) FILTER (WHERE d), sum(e) OVER (PARTITION BY f ORDER BY g) FROM t',
    'e: a b c d e f g',
  ],
  ['SELECT a[1], (b).c, (d).*, ROW(e), ARRAY[f], g COLLATE "C", h IS NULL, i = 1 FROM t', 'e: * a b c d e f g h i'],
  ['SELECT sum(a) OVER w FROM t WINDOW w AS (ORDER BY b)', 'e: a b'],
  ["SELECT json_object('x': a), json_array(b), xmlforest(c), json_value(d, '$') FROM t", 'e: a b c d'],
  ['SELECT a FROM t LIMIT (SELECT b FROM u) OFFSET 1', 'o: a | e: b'],
]);

table('C2: subqueries, CTEs and set operations are expressions', [
  ['SELECT a FROM t UNION SELECT b FROM u ORDER BY a', 'e: a b'],
  ['SELECT (SELECT a FROM t WHERE b = c) FROM u', 'e: a b c'],
  ['SELECT a FROM t WHERE b IN (SELECT c FROM u WHERE d = 1)', 'o: a | p: b | e: c d'],
  ['SELECT * FROM (SELECT * FROM t) s', 'o: * | e: *'],
  ['VALUES ((SELECT a FROM t))', 'e: a'],
  ['SELECT a FROM t, LATERAL (SELECT t.b) x', 'o: a | e: t.b'],
  ['WITH d AS (DELETE FROM t WHERE a = 1 RETURNING b) SELECT 1', 'e: a b'],
  ['SELECT * FROM f(a), unnest(b) u', 'o: * | e: a b'],
]);

table('filters and keys are predicates, of the outermost query', [
  ['SELECT 1 FROM t JOIN u ON t.a = u.b WHERE c = 1 AND lower(d) = 2', 'p: c d t.a u.b'],
  ['SELECT count(*) FROM t GROUP BY a, ROLLUP (b, (c, d)), GROUPING SETS ((e)) HAVING max(f) > 1', 'p: a b c d e f'],
  ['SELECT 1 FROM t ORDER BY a, lower(b) DESC', 'p: a b'],
  ['SELECT DISTINCT a, t.b, lower(c) FROM t', 'o: a t.b | p: a t.b | e: c'],
  ['SELECT DISTINCT * FROM t', 'o: * | p: *'],
  ['SELECT DISTINCT ON (a, 2) b, c FROM t', 'o: b c | p: a c'],
  ['DELETE FROM t USING u WHERE t.a = u.b', 'p: t.a u.b'],
  ['UPDATE t SET a = 1 FROM u JOIN v ON u.b = v.c WHERE d', 'p: d u.b v.c | a: a'],
  ['INSERT INTO t (a) VALUES (1) ON CONFLICT (b, lower(c)) WHERE d DO UPDATE SET e = 1 WHERE f', 'p: b c d f | a: a e'],
  ['COPY t (a) FROM STDIN WHERE b = 1', 'p: b | a: a'],
]);

table('keys by position or by alias are the columns that they stand for', [
  ['SELECT a, b FROM t ORDER BY 2', 'o: a b | p: b'],
  ['SELECT a, count(*) FROM t GROUP BY 1', 'o: a | p: a'],
  ['SELECT a AS x FROM t ORDER BY x', 'o: a | p: a x'],
  ['SELECT a AS x FROM t GROUP BY ROLLUP (x, 1)', 'o: a | p: a x'],
  ['SELECT *, a FROM t ORDER BY 1', 'o: * a | p: *'],
  ['SELECT a, lower(b) AS x FROM t ORDER BY x', 'o: a | p: x | e: b'],
]);

table('USING merges columns, so they come out without their origin', [
  ['SELECT a FROM t JOIN u USING (b, c)', 'o: a | e: b c'],
  ['SELECT x.b FROM t JOIN u USING (b) AS x', 'o: x.b | e: b'],
]);

table('C3: whole rows', [
  ['SELECT u FROM users u', 'o: u | e: u.*'],
  ['SELECT users FROM users', 'o: users | e: users.*'],
  ['SELECT u::text, to_jsonb(u) FROM users u', 'e: u u.*'],
  ['SELECT count(u.*) FROM users u', 'e: u.*'],
  ['SELECT (u).a, (u).* FROM users u', 'e: * a u u.*'],
  ['SELECT a FROM users u WHERE u = $1', 'o: a | p: u | e: u.*'],
  ['SELECT (SELECT u) FROM users u', 'e: u u.*'],
  ['SELECT 1 FROM users u, LATERAL jsonb_each(to_jsonb(u))', 'e: u u.*'],
  ['SELECT j FROM (users u JOIN orders o ON true) j', 'o: j | e: j.*'],
  ['UPDATE t SET a = 1 RETURNING old, new', 'o: new old | a: a | e: new.* old.*'],
  ['UPDATE t SET a = 1 RETURNING WITH (OLD AS x) x', 'o: x | a: a | e: x.*'],
  [
    'INSERT INTO t (a) VALUES (1) ON CONFLICT (a) DO UPDATE SET b = excluded::text',
    'p: a | a: a b | e: excluded excluded.*',
  ],
  ['DELETE FROM t AS x RETURNING x', 'o: x | e: x.*'],
  ['SELECT s FROM (SELECT a FROM t) s', 'o: s | e: a'],
]);

test('C3: functions called on a row by a dot', () => {
  for (const [sql, expected] of [
    ['SELECT u.to_jsonb FROM users u', 'o: u.to_jsonb | e: u.*'],
    ['SELECT public.users.row_to_json FROM public.users', 'o: users.row_to_json | e: users.*'],
    ['SELECT (u).json_agg FROM users u', 'e: * json_agg u u.*'],
    ['UPDATE t SET a = 1 RETURNING old.to_json', 'o: old.to_json | a: a | e: old.*'],
  ] as const) {
    assert.equal(columns(one(sql)), expected, sql);
    assert.notEqual(functions(one(sql)), '', sql);
  }
});

table('C4, C5: COPY and laundering', [
  ['COPY t TO STDOUT', 'e: *'],
  ['COPY t (a, b) TO STDOUT', 'e: a b'],
  ['COPY t FROM STDIN', 'a: *'],
  ['COPY (SELECT a FROM t) TO STDOUT', 'e: a'],
  ['INSERT INTO t SELECT a FROM u', 'a: * | e: a'],
  ['INSERT INTO t (a, b[1], c.d) VALUES (1, 2, 3)', 'a: a b c'],
  ['UPDATE t SET a = b, c[d] = 1, (e, f) = (g, 1), (h, i) = (SELECT j, k FROM u)', 'a: a c e f h i | e: b d g j k'],
  ['SELECT a INTO x FROM t', 'e: a'],
  ['CREATE TABLE x AS SELECT a FROM t', 'e: a'],
  ['CREATE VIEW v AS SELECT a FROM t WHERE b', 'e: a b'],
  [
    'MERGE INTO t USING u ON true WHEN MATCHED THEN UPDATE SET a = u.b WHEN NOT MATCHED THEN INSERT VALUES (u.c)',
    'a: * a | e: u.b u.c',
  ],
  ['ALTER TABLE t RENAME a TO b', 'e: a'],
  ['ALTER TABLE t RENAME TO u', 'e: *'],
  ['ALTER TABLE t SET SCHEMA s', 'e: *'],
  ['ALTER TABLE t NO INHERIT p', 'e: *'],
  ['ALTER TABLE t DETACH PARTITION p', 'e: *'],
  ['ALTER TABLE t ALTER a TYPE text USING b', 'e: a b'],
  ['ALTER TABLE t ADD c text GENERATED ALWAYS AS (a) STORED', 'e: a'],
  ['CREATE INDEX ON t (a, lower(b)) INCLUDE (c) WHERE d', 'p: a b c d'],
]);

test('names given in FROM hide columns', () => {
  for (const sql of [
    'SELECT x FROM t AS t (x)',
    'SELECT x FROM (t JOIN u ON true) AS j (x)',
    'SELECT a FROM t NATURAL JOIN u',
    'SELECT (SELECT x FROM t AS t (x))',
    'DELETE FROM t USING u AS u (x)',
    'MERGE INTO t USING u AS u (x) ON true WHEN MATCHED THEN DELETE',
  ]) {
    assert.equal(one(sql).columnsHidden, true, sql);
  }
  for (const sql of [
    'SELECT x FROM (SELECT a FROM t) AS s (x)',
    'WITH c (x) AS (SELECT a FROM t) SELECT x FROM c',
    'SELECT x FROM generate_series(1, 2) AS g (x)',
    'WITH c AS (SELECT 1 AS a) SELECT x FROM c AS c (x)',
    'SELECT a FROM t AS u',
  ]) {
    assert.equal(one(sql).columnsHidden, false, sql);
  }
});
