// Java through MySQL's port: MariaDB's Connector/J, where a JDK and Debian's driver happen to be installed; and what Oracle's Connector/J
// says first, by another driver.
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import mysql from 'mysql2/promise';
import { FLAVOURS } from '../servers/mysql.ts';
import { mysqlStand } from './mysql-stand.ts';
import { missing, run } from './stand.ts';

const DRIVER = '/usr/share/java/mariadb-java-client.jar';
const SOURCE = fileURLToPath(new URL('java/WithMariadb.java', import.meta.url));
const skip = existsSync(DRIVER) ? await missing('javac', '-version') : `${DRIVER} is not there`;

/** As Connector/J 8 and 9 send it, with what options of its URL add. */
const FIRST = [
  `/* mysql-connector-j-9.1.0 (Revision: cf2917ea44ae2e43a4514a33771035aa99de73bc) */SELECT  @@session.auto_increment_increment AS auto_increment_increment, @@character_set_client AS character_set_client, @@character_set_connection AS character_set_connection, @@character_set_results AS character_set_results, @@character_set_server AS character_set_server, @@collation_server AS collation_server, @@collation_connection AS collation_connection, @@init_connect AS init_connect, @@interactive_timeout AS interactive_timeout, @@license AS license, @@lower_case_table_names AS lower_case_table_names, @@max_allowed_packet AS max_allowed_packet, @@net_write_timeout AS net_write_timeout, @@performance_schema AS performance_schema, @@sql_mode AS sql_mode, @@system_time_zone AS system_time_zone, @@time_zone AS time_zone, @@wait_timeout AS wait_timeout`,
  'SET character_set_results = NULL',
  'SET autocommit=1',
  'SET SESSION TRANSACTION READ ONLY',
  'SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED',
  'SET net_write_timeout=600',
  'SET SQL_SELECT_LIMIT=10',
  'SET SQL_SELECT_LIMIT=DEFAULT',
  'SELECT @@session.autocommit',
  'SHOW WARNINGS',
];

for (const flavour of FLAVOURS) {
  const bench = mysqlStand(flavour, ['nothing', 'the table read']);

  for (const masking of ['nothing', 'the table read'] as const) {
    test(`MariaDB's Connector/J at ${flavour}, ${masking} masked`, { skip }, async () => {
      const scopes = ['db:db:read', 'db:db.shop.scratch:write'];
      const { host, port, user, password } = await bench.gateway(masking).login({ scopes });
      const args = ['-cp', DRIVER, SOURCE, `jdbc:mariadb://${host}:${port}/shop`, user, password, masking];
      assert.deepEqual(await run('java', args, {}), { code: 0, out: '', err: '' });
    });
  }

  test(`${flavour}: what Connector/J says first is answered under a read grant`, async () => {
    const connection = await mysql.createConnection(await bench.gateway('the table read').login());
    for (const sql of FIRST) await connection.query(sql);
    const [rows] = await connection.query('SELECT @@sql_mode AS mode, @@character_set_results AS charset');
    const [{ mode = '', charset = '' } = {}] = rows as { mode?: string; charset?: string }[];
    await connection.query(`SET sql_mode='${mode},STRICT_TRANS_TABLES'`);
    assert.equal(charset, 'utf8mb4', 'results stay in what masks read');
    await assert.rejects(connection.query('SET character_set_results = NULL, autocommit = 1'), /sent alone/);
    await assert.rejects(connection.prepare('SET character_set_results = NULL'), /cannot be prepared/);
    await assert.rejects(connection.query("PREPARE p FROM 'SET character_set_results = NULL'"), /sent alone/);
    await assert.rejects(connection.query('SET character_set_results = latin1'), /refused/);
    await connection.end();
  });
}
