// Statements by which a value would come out if the gateway read a name otherwise than the database: through the whole gateway, which
// refuses them, while the database itself shows the value.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import mysql from 'mysql2/promise';
import { startGateway } from '../../servers/gateway.ts';
import { FLAVOURS, type MysqlFlavour, startMysql } from '../../servers/mysql.ts';

const MARKER = 'jqvxkzw';

const SCHEMA = [
  'CREATE TABLE people (id int PRIMARY KEY, email varchar(40), note varchar(40))',
  `INSERT INTO people VALUES (1, '${MARKER}', 'a')`,
  'CREATE TABLE staff (id int PRIMARY KEY, email varchar(40), note varchar(40))',
  `INSERT INTO staff VALUES (1, '${MARKER}', 'b')`,
  'CREATE TABLE plain (id int PRIMARY KEY, email varchar(40), note varchar(40))',
  "INSERT INTO plain VALUES (1, 'open', 'c')",
];

/** Statements one after another, the last of which shows the value on these servers. */
type Attack = readonly [on: readonly MysqlFlavour[], ...statements: string[]];

const BOTH = FLAVOURS;

const ATTACKS: readonly Attack[] = [
  [BOTH, 'SELECT (SELECT max(p.email) FROM (SELECT 1 AS email) P) AS z FROM people p'],
  [BOTH, 'SELECT (SELECT max(a) FROM (SELECT email AS ` a` FROM people) x) AS z FROM (SELECT 1 AS a) y'],
  [BOTH, 'SELECT (SELECT max(name_i) FROM (SELECT email AS `name_İ` FROM people) x) AS z FROM (SELECT 1 AS name_i) y'],
  [['mysql'], 'SELECT concat(`emaİl`) AS z FROM people p, (SELECT 1 AS `emai̇l`) d'],
  [['mysql'], 'SELECT (SELECT max(`?`) FROM (SELECT email AS `😀` FROM people) x) AS z FROM (SELECT 1 AS `?`) y'],
  [BOTH, "SELECT (SELECT max(`'k'`) FROM (SELECT 'k') d) AS z FROM (SELECT email AS `'k'` FROM people) o"],
  [
    ['mariadb'],
    'WITH RECURSIVE a AS (SELECT note AS x FROM plain), plain AS (SELECT email AS note FROM people) SELECT concat(x) AS z FROM a',
  ],
  [['mysql'], 'SELECT x.w FROM (SELECT 1 AS q) y, LATERAL (SELECT email AS q, concat((SELECT q)) AS w FROM people) x'],
  [
    BOTH,
    'INSERT INTO plain (id) WITH staff AS (SELECT id, email AS note FROM people) SELECT id FROM staff ON DUPLICATE KEY UPDATE note = staff.note',
    'SELECT note FROM plain',
  ],
  [
    BOTH,
    'CREATE TEMPORARY TABLE people (id int PRIMARY KEY, note varchar(40), email varchar(40))',
    'INSERT INTO people SELECT id, email, note FROM staff',
    'SELECT concat(note) AS z FROM people',
  ],
];

/** Reads people under a grant on another table. */
const OUTSIDE: readonly Attack[] = [
  [['mysql'], 'WITH PEOPLE AS (SELECT 1 AS email) SELECT email FROM people'],
  [['mysql'], 'WITH RECURSIVE a AS (SELECT email FROM people), people AS (SELECT 1 AS email) SELECT email FROM a'],
  [
    ['mariadb'],
    'WITH people AS (SELECT 1 AS email) SELECT (WITH c AS (SELECT email FROM people) SELECT email FROM c) AS z',
  ],
  [
    ['mysql'],
    'WITH people AS (SELECT 1 AS email) SELECT 1 AS email UNION ALL (WITH c AS (SELECT 2 AS x) SELECT email FROM people)',
  ],
];

/** What the last of the statements shows, as text; stops at the first that is refused. */
async function shown(login: mysql.ConnectionOptions, statements: readonly string[]): Promise<string> {
  const client = await mysql.createConnection({ ...login, charset: 'utf8mb4' });
  try {
    await client.query('START TRANSACTION');
    let rows = '';
    for (const sql of statements) {
      const [found] = await client.query(sql);
      rows = JSON.stringify(found);
    }
    return rows;
  } catch (error) {
    return String(error);
  } finally {
    await client.query('ROLLBACK').catch(() => {});
    client.destroy();
  }
}

for (const flavour of FLAVOURS) {
  test(`${flavour}: a name that the database reads otherwise brings nothing out`, async () => {
    const database = await startMysql(flavour, { sql: SCHEMA });
    const { host, port, user, password } = database;
    const direct = { host, port, user, password, database: 'shop' };
    const rules = ['people', 'staff'].map((table) => ({ column: `shop.${table}.email`, with: 'redact' }));
    const gateway = await startGateway({
      upstream: database,
      connection: { masking: 'some' },
      masking: { some: { columns: rules } },
    });
    try {
      const everything = await gateway.login({ scopes: ['db:db:read+write+ddl'], ttl: '1h' });
      const little = await gateway.login({ scopes: ['db:db.shop.plain:read'], ttl: '1h' });
      const wide = { ...everything, database: 'shop' };
      const narrow = { ...little, database: 'shop' };
      assert.match(await shown(wide, ['SELECT email FROM people']), /redacted/);
      assert.match(await shown(narrow, ['SELECT email FROM plain']), /open/);
      for (const [attacks, login] of [
        [ATTACKS, wide],
        [OUTSIDE, narrow],
      ] as const) {
        for (const [on, ...statements] of attacks) {
          const words = statements.join('; ');
          if (on.includes(flavour)) assert.ok((await shown(direct, statements)).includes(MARKER), `shows it: ${words}`);
          const answer = await shown(login, statements);
          assert.ok(!answer.includes(MARKER), words);
          if (on.includes(flavour)) assert.match(answer, /"decision":"deny"/, words);
        }
      }
    } finally {
      await gateway.stop();
      await database.stop();
    }
  });
}
