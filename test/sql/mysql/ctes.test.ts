// CTEs that hide a table, defined and used in every place where a query may stand: whenever a server reads the table, so says the
// judge, or refuses.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import mysql from 'mysql2/promise';
import { classify } from '../../../src/sql/mysql/classify.ts';
import { FLAVOURS, startMysql } from '../../servers/mysql.ts';
import { modeOf } from './lineage-world.ts';

type Around = (query: string) => string;

/** A query that may follow WITH or stand alone. */
const plain = (query: string) => (/^(WITH|\()/.test(query) ? `SELECT x FROM (${query}) z` : query);

/** Queries of one column `x`, around another. */
const PLACES: readonly Around[] = [
  (q) => `SELECT d.x FROM (${q}) d`,
  (q) => `SELECT (${q} LIMIT 1) AS x`,
  (q) => `SELECT 'a' AS x UNION ALL (${q})`,
  (q) => `(${q}) UNION ALL SELECT 'a' AS x`,
  (q) => `(${q})`,
  (q) => `SELECT max(x) AS x FROM (${q}) e GROUP BY 1 = 1 HAVING max(x) IN (${q})`,
  (q) => `WITH c AS (${q}) SELECT x FROM c`,
  (q) => `WITH c AS (SELECT 'c' AS x) ${plain(q)}`,
  (q) => `WITH c AS (SELECT 'c' AS x), d AS (${q}) SELECT x FROM d`,
  (q) =>
    `WITH RECURSIVE r(n, x) AS (SELECT 1, cast('r' AS char(99)) UNION ALL SELECT n + 1, y.x FROM r, (${q}) y WHERE n < 2)
     SELECT max(x) AS x FROM r WHERE n = 2`,
  (q) => `WITH RECURSIVE k AS (${q}) SELECT x FROM k`,
  (q) => `SELECT o.x FROM orders p JOIN (${q}) o ON 1 = 1 LIMIT 1`,
  (q) => `SELECT o.x FROM orders p, LATERAL (${q}) o LIMIT 1`,
];

/** A CTE with the table's name, somewhere about a query that reads it or the table. */
const DEFINED: readonly Around[] = [
  (q) => `WITH hidden AS (SELECT 'fine' AS x) SELECT x FROM (${q}) t`,
  (q) => `WITH hidden AS (SELECT 'fine' AS x) ${plain(q)}`,
  (q) => `WITH hidden AS (SELECT 'fine' AS x) (${q})`,
  (q) => `WITH a AS (SELECT 1), hidden AS (SELECT 'fine' AS x) SELECT x FROM (${q}) t`,
  (q) => `WITH hidden AS (SELECT 'fine' AS x), b AS (${q}) SELECT x FROM b`,
  (q) => `WITH b AS (${q}), hidden AS (SELECT 'fine' AS x) SELECT x FROM b`,
  (q) => `WITH RECURSIVE hidden AS (SELECT 'fine' AS x), b AS (${q}) SELECT x FROM b`,
  (q) => `WITH RECURSIVE b AS (${q}), hidden AS (SELECT 'fine' AS x) SELECT x FROM b`,
  (q) => `WITH hidden AS (${q}) SELECT x FROM hidden`,
  (q) => `WITH RECURSIVE hidden AS (SELECT 'fine' AS x UNION ALL ${q}) SELECT x FROM hidden LIMIT 5`,
  (q) => `WITH HIDDEN AS (SELECT 'fine' AS x) SELECT x FROM (${q}) t`,
  (q) => `SELECT * FROM (WITH hidden AS (SELECT 'fine' AS x) SELECT x FROM hidden) i, (${q}) o`,
  (q) => `SELECT (WITH hidden AS (SELECT 'fine' AS x) SELECT x FROM (${q}) o LIMIT 1) AS x`,
];

const USES = ['SELECT x FROM hidden', 'SELECT hidden.x FROM orders JOIN hidden ON 1 = 1 LIMIT 1'];

const QUERIES = [
  ...USES,
  ...PLACES.flatMap((place) => USES.map(place)),
  ...PLACES.flatMap((outer) => PLACES.map((inner) => outer(inner('SELECT s.x FROM hidden AS s')))),
];

for (const flavour of FLAVOURS) {
  test(`${flavour}: a table behind the name of a CTE is named, or the statement refused`, async () => {
    const server = await startMysql(flavour, {
      sql: [
        'CREATE TABLE hidden (x varchar(20))',
        "INSERT INTO hidden VALUES ('MARKER')",
        'CREATE TABLE orders (id int)',
        'INSERT INTO orders VALUES (1), (2)',
      ],
    });
    const { host, port, user, password, database } = server;
    const client = await mysql.createConnection({ host, port, user, password, database });
    let [ran, read, refused] = [0, 0, 0];
    try {
      const depth = flavour === 'mysql' ? 'cte_max_recursion_depth' : 'max_recursive_iterations';
      await client.query(`SET SESSION ${depth} = 5`);
      for (const sql of new Set(QUERIES.flatMap((query) => DEFINED.map((define) => define(query))))) {
        const rows = await client.query(sql).then(
          ([found]) => JSON.stringify(found),
          () => null,
        );
        if (rows === null) continue;
        ran++;
        const reads = rows.includes('MARKER');
        if (reads) read++;
        const found = classify(sql, modeOf(flavour));
        if (!found.ok) refused++;
        else if (reads) {
          const [facts] = found.statements;
          assert.ok(
            facts?.relations.some(({ name }) => name === 'hidden'),
            `${sql} reads hidden`,
          );
        }
      }
    } finally {
      client.destroy();
      await server.stop();
    }
    assert.ok(ran > 1200 && read > 200, `${ran} ran, ${read} read the table`);
    assert.ok(ran - refused > 900, `${ran - refused} of ${ran} are understood`);
  });
}
