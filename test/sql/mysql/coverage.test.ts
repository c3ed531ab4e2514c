// What a server takes, the gateway understands: at least 97 of 100 queries and changes of rows over both dialects.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import mysql from 'mysql2/promise';
import { classify } from '../../../src/sql/mysql/classify.ts';
import { lexMode } from '../../../src/sql/mysql/lexer.ts';
import { FLAVOURS, type MysqlServer, startMysql } from '../../servers/mysql.ts';
import { CHANGES, QUERIES, SCHEMA } from './corpus.ts';

for (const flavour of FLAVOURS) {
  let server: MysqlServer;
  let connection: mysql.Connection;

  before(async () => {
    server = await startMysql(flavour, { sql: SCHEMA });
    const { host, port, user, password, database } = server;
    connection = await mysql.createConnection({ host, port, user, password, database });
  });
  after(async () => {
    await connection.end();
    await server.stop();
  });

  /** Whether the server takes it, as a statement to prepare. */
  async function takes(sql: string): Promise<boolean> {
    try {
      const prepared = await connection.prepare(sql);
      await prepared.close();
      return true;
    } catch {
      return false;
    }
  }

  test(`${flavour}: at least 97 % of what the server takes is understood`, async () => {
    const [rows] = await connection.query('SELECT @@sql_mode AS mode');
    const mode = lexMode((rows as { mode: string }[])[0]?.mode ?? '', flavour === 'mariadb');
    assert.ok(mode !== null);
    let taken = 0;
    const missed: string[] = [];
    for (const sql of [...QUERIES, ...CHANGES]) {
      if (!(await takes(sql))) continue;
      taken++;
      const understood = classify(sql, mode);
      if (!understood.ok) missed.push(`${sql}\n    ${understood.reason}`);
      else if (understood.statements.some(({ needs }) => needs.includes('never'))) missed.push(`${sql}\n    never`);
    }
    assert.ok(taken >= 200, `${taken} of ${QUERIES.length + CHANGES.length} were taken`);
    assert.ok(missed.length <= 0.03 * taken, `${missed.length} of ${taken}:\n${missed.join('\n')}`);
  });
}
