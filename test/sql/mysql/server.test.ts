// The judge held against the servers themselves: statements of all kinds run in a read-only transaction of a read-only session, and
// wherever the server says that it would be a write, so does the judge; and what it takes, the judge understands.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import mysql from 'mysql2/promise';
import { classify } from '../../../src/sql/mysql/classify.ts';
import { type LexMode, lexMode } from '../../../src/sql/mysql/lexer.ts';
import type { Classification } from '../../../src/types.ts';
import { FLAVOURS, type MysqlServer, startMysql } from '../../servers/mysql.ts';
import { SCHEMA } from './corpus.ts';
import { any, ordinary, respelled, seeded } from './generator.ts';

const STATEMENTS = Number(process.env.SERVER_STATEMENTS ?? 2_000);

/** ER_CANT_EXECUTE_IN_READ_ONLY_TRANSACTION, ER_OPTION_PREVENTS_STATEMENT. */
const WRITES: ReadonlySet<number> = new Set([1792, 1290]);

/** Would a grant to read alone be refused it? */
function refused(found: Classification): boolean {
  if (!found.ok) return true;
  return found.statements.some(
    ({ needs, relations, functions, settings, opaque }) =>
      opaque !== null ||
      needs.some((need) => need !== 'read') ||
      relations.some(({ verb }) => verb !== 'read') ||
      functions.some(({ need }) => need !== 'read') ||
      settings.some(({ need }) => need !== 'read'),
  );
}

for (const flavour of FLAVOURS) {
  let server: MysqlServer;
  let connection: mysql.Connection;
  let mode: LexMode;

  before(async () => {
    server = await startMysql(flavour, { sql: SCHEMA });
    const { host, port, user, password, database } = server;
    connection = await mysql.createConnection({ host, port, user, password, database });
    const [rows] = await connection.query('SELECT @@sql_mode AS mode');
    mode = lexMode((rows as { mode: string }[])[0]?.mode ?? '', flavour === 'mariadb') as LexMode;
  });
  after(async () => {
    await connection.end();
    await server.stop();
  });

  test(`${flavour}: whatever the server calls a write, the judge does`, async () => {
    const random = seeded(20);
    let writes = 0;
    const missed: string[] = [];
    for (let i = 0; i < STATEMENTS; i++) {
      const sql = respelled(random, any(random), mode);
      await connection.query('SET SESSION TRANSACTION READ ONLY');
      await connection.query('START TRANSACTION READ ONLY');
      const code = await connection.query(sql).then(
        () => 0,
        (error: { errno?: number }) => error.errno ?? -1,
      );
      await connection.query('UNLOCK TABLES').catch(() => {});
      await connection.query('ROLLBACK');
      if (!WRITES.has(code)) continue;
      writes++;
      if (!refused(classify(sql, mode))) missed.push(`${code}: ${sql}`);
    }
    assert.ok(writes >= STATEMENTS / 8, `only ${writes} of ${STATEMENTS} were writes`);
    assert.deepEqual(missed, []);
  });

  test(`${flavour}: at least 97 % of the queries and changes that the server takes are understood, however they are spelled`, async () => {
    const random = seeded(21);
    let taken = 0;
    const missed: string[] = [];
    for (let i = 0; taken < STATEMENTS && i < 5 * STATEMENTS; i++) {
      const sql = respelled(random, ordinary(random), mode);
      const accepted = await connection.prepare(sql).then(
        (prepared) => prepared.close().then(() => true),
        () => false,
      );
      if (!accepted) continue;
      taken++;
      const found = classify(sql, mode);
      if (!found.ok) missed.push(`${sql}\n    ${found.reason}`);
    }
    assert.equal(taken, STATEMENTS, 'too few were taken');
    assert.ok(missed.length <= 0.03 * taken, `${missed.length} of ${taken}:\n${missed.slice(0, 20).join('\n')}`);
  });
}
