// An account of MySQL and MariaDB for each grant: the server itself refuses what is out of scope, and nothing of it is left.
import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { after, before, describe, test } from 'node:test';
import mysql from 'mysql2/promise';
import { generate } from 'selfsigned';
import { type GrantOptions, startGateway, type TestGateway } from '../servers/gateway.ts';
import { FLAVOURS, type MysqlServer, startMysql } from '../servers/mysql.ts';
import { MYSQL_ADMINISTRATOR, PASSWORD, until, withoutJudge } from './stand.ts';

const SQL = [
  'CREATE TABLE orders (id INT PRIMARY KEY AUTO_INCREMENT, total DECIMAL(12,2) NOT NULL)',
  'INSERT INTO orders (total) VALUES (10), (60), (90)',
  'CREATE TABLE users (id INT PRIMARY KEY, email VARCHAR(50))',
  "INSERT INTO users VALUES (1, 'ada@example.com')",
  'CREATE VIEW big AS SELECT * FROM orders WHERE total > 50',
  'CREATE DATABASE my_db',
  'CREATE TABLE my_db.notes (a INT)',
  'CREATE DATABASE myxdb',
  'CREATE TABLE myxdb.hidden (a INT)',
  `CREATE USER svc@'%' IDENTIFIED BY '${PASSWORD}'`,
  "GRANT SELECT, INSERT, UPDATE, DELETE, CREATE, ALTER, DROP, INDEX, SHOW VIEW ON shop.* TO svc@'%'",
  "GRANT SELECT, SHOW VIEW ON `my\\_db`.* TO svc@'%'",
  ...MYSQL_ADMINISTRATOR,
  "GRANT SELECT, SHOW VIEW ON `my\\_db`.* TO maker@'%' WITH GRANT OPTION",
];

const DENIED = [1142, 1044, 1227, 1143, 1045, 1370];

for (const flavour of FLAVOURS) {
  describe(flavour, () => {
    let server: MysqlServer;
    before(async () => {
      // MySQL makes a pair of its own, MariaDB 10 does not.
      const { cert, private: key } = await generate([{ name: 'commonName', value: 'db' }]);
      server = await startMysql(flavour, { sql: SQL, tls: { cert, key } });
    });
    after(() => server.stop());

    async function gateway(t: TestContext, connection: object = {}): Promise<TestGateway> {
      const { host, port, database } = server;
      const made = await startGateway({
        upstream: { protocol: 'mysql', host, port, database, user: 'svc', password: PASSWORD },
        connection: { provisioned: { user: 'maker', password: PASSWORD }, ...connection },
      });
      t.after(() => made.stop());
      return made;
    }
    const roles = async () => {
      const rows = await server.query("SELECT User AS name FROM mysql.user WHERE User LIKE 'sp\\_%' ORDER BY 1");
      return rows.map(({ name }) => String(name));
    };
    async function connect(t: TestContext, through: TestGateway, grant: GrantOptions | mysql.ConnectionOptions) {
      const login = 'user' in grant ? grant : await through.login(grant as GrantOptions);
      const client = await mysql.createConnection({ ...login, database: 'shop' } as mysql.ConnectionOptions);
      client.on('error', () => {});
      t.after(() => client.destroy());
      return client;
    }
    const value = async (client: mysql.Connection, sql: string) => {
      const [rows] = await client.query(sql);
      return Object.values((rows as object[])[0] ?? {})[0] as unknown;
    };
    const refuses = (client: mysql.Connection, sql: string) =>
      assert.rejects(client.query(sql), (error: { errno?: number; message: string }) => {
        assert.ok(DENIED.includes(error.errno ?? 0), `${sql}: ${error.errno} ${error.message}`);
        return true;
      });

    test('a session is one of the grant’s own account, which all its sessions share and which is gone when it ends', async (t) => {
      const through = await gateway(t);
      const { id, user, password } = await through.grant({ scopes: ['db:db.shop:read'] });
      const login = { host: through.host, port: through.port, user, password };
      assert.deepEqual(await roles(), []);
      const clients = await Promise.all([1, 2, 3].map(() => connect(t, through, login)));
      const names = await Promise.all(clients.map((client) => value(client, 'SELECT CURRENT_USER()')));
      const [role = ''] = await roles();
      assert.match(role, new RegExp(`^sp_[a-z2-7]{12}_${id.slice(3)}$`));
      assert.equal(role.length, 32);
      assert.deepEqual(names, [`${role}@%`, `${role}@%`, `${role}@%`]);
      const made = String(Object.values((await server.query(`SHOW CREATE USER '${role}'@'%'`))[0] ?? {})[0]);
      assert.match(made, /MAX_USER_CONNECTIONS 2000/);
      assert.match(made, /PASSWORD EXPIRE INTERVAL 1 DAY/);
      await through.api('POST', `/v1/grants/${id}/complete`);
      assert.deepEqual(await until(roles, (found) => found.length === 0), []);
    });

    test('with the judge taken out, the server refuses what is out of scope', async (t) => {
      const through = await gateway(t);
      const reader = await connect(t, through, { scopes: ['db:db.shop:read'] });
      const one = await connect(t, through, { scopes: ['db:db.shop.users:read'] });
      const writer = await connect(t, through, { scopes: ['db:db.shop.orders:read+write'] });
      withoutJudge(t);
      for (const client of [reader, one]) await client.query('SET SESSION TRANSACTION READ WRITE');
      assert.equal(await value(reader, 'SELECT COUNT(*) FROM orders'), 3);
      assert.equal(await value(reader, 'SELECT COUNT(*) FROM big'), 2);
      for (const sql of [
        'INSERT INTO orders (total) VALUES (1)',
        'UPDATE users SET email = NULL',
        'DELETE FROM users',
        'TRUNCATE orders',
        'DROP TABLE orders',
        'CREATE TABLE made (a INT)',
        'SELECT * FROM my_db.notes',
        'SELECT * FROM myxdb.hidden',
        'SELECT * FROM mysql.user',
        'GRANT SELECT ON shop.* TO svc',
        'CREATE USER mine',
        "SELECT 1 INTO OUTFILE '/tmp/x'",
        'SET GLOBAL max_connections = 1',
      ]) {
        await refuses(reader, sql);
      }
      await refuses(one, 'SELECT * FROM orders');
      assert.equal(await value(one, 'SELECT email FROM users'), 'ada@example.com');
      await writer.query('INSERT INTO orders (total) VALUES (1)');
      await writer.query('DELETE FROM orders WHERE total = 1');
      await refuses(writer, 'SELECT * FROM users');
    });

    test('the name of a database is no pattern, and what the own user does not see is nobody’s', async (t) => {
      const through = await gateway(t);
      const named = await connect(t, through, { scopes: ['db:db.my_db:read'] });
      const all = await connect(t, through, { scopes: ['db:db:read'] });
      withoutJudge(t);
      for (const client of [named, all]) {
        assert.deepEqual((await client.query('SELECT * FROM my_db.notes'))[0], []);
        await refuses(client, 'SELECT * FROM myxdb.hidden');
      }
      await refuses(named, 'SELECT * FROM shop.users');
      assert.equal(await value(all, 'SELECT COUNT(*) FROM shop.users'), 1);
    });

    test('tables are made, changed and dropped under ddl, there or not', async (t) => {
      const through = await gateway(t);
      const client = await connect(t, through, { scopes: ['db:db.shop:read+write+ddl'] });
      await client.query('CREATE TABLE made (a INT)');
      await client.query('CREATE INDEX by_a ON made (a)');
      await client.query('ALTER TABLE made ADD COLUMN b INT');
      await client.query('TRUNCATE made');
      await client.query('CREATE TEMPORARY TABLE passing (a INT)');
      await client.query('DROP TABLE made');
      const one = await connect(t, through, { scopes: ['db:db.shop.single:read+ddl'] });
      await one.query('CREATE TABLE single (a INT)');
      withoutJudge(t);
      await refuses(one, 'CREATE TABLE another (a INT)');
      // A view would not outlive its definer.
      await refuses(client, 'CREATE VIEW v AS SELECT 1');
      await one.query('DROP TABLE single');
    });

    test('the end of a grant ends what runs, and a statement is cancelled as before', async (t) => {
      const through = await gateway(t);
      const { id, user, password } = await through.grant({ scopes: ['db:db:read+admin'] });
      const login = { host: through.host, port: through.port, user, password };
      const client = await connect(t, through, login);
      const other = await connect(t, through, login);
      const sleeping = () =>
        server.query(
          "SELECT ID FROM information_schema.PROCESSLIST WHERE USER LIKE 'sp\\_%' AND INFO LIKE '%SLEEP(60)%'",
        );
      const first = client.query('SELECT SLEEP(60) AS slept');
      await until(sleeping, (rows) => rows.length === 1);
      await other.query(`KILL QUERY ${client.threadId}`);
      // As the server has it: SLEEP answers 1 where it was interrupted, in some versions an error.
      await first.then(
        ([rows]) => assert.deepEqual(rows, [{ slept: 1 }]),
        ({ errno }) => assert.equal(errno, 1317),
      );
      const second = assert.rejects(client.query('SELECT SLEEP(60)'), { errno: 3169 });
      await until(sleeping, (rows) => rows.length === 1);
      await through.api('POST', `/v1/grants/${id}/revoke`, { reason: 'enough' });
      await second;
      await until(roles, (found) => found.length === 0);
      assert.deepEqual(await sleeping(), []);
    });

    test('what was left behind goes, with its sessions; what is another gateway’s stays', async (t) => {
      const through = await gateway(t);
      const client = await connect(t, through, { scopes: ['db:db.shop:read'] });
      const [mine = ''] = await roles();
      const orphan = `${mine.slice(0, -16)}${'q'.repeat(16)}`;
      const foreign = `sp_${'z'.repeat(12)}_${'q'.repeat(16)}`;
      for (const name of [orphan, foreign]) {
        await server.query(`CREATE USER '${name}'@'%' IDENTIFIED BY '${PASSWORD}' WITH MAX_USER_CONNECTIONS 1`);
      }
      await server.query(`GRANT SELECT ON shop.* TO '${orphan}'@'%'`);
      const { host, port } = server;
      const left = await mysql.createConnection({ host, port, user: orphan, password: PASSWORD, database: 'shop' });
      const ended = new Promise((resolve) => left.on('error', resolve));
      await through.writeConfig({ policies: { none: { rules: [] } } });
      assert.deepEqual(await until(roles, (found) => !found.includes(orphan)), [mine, foreign].sort());
      await ended;
      assert.equal(await value(client, 'SELECT COUNT(*) FROM orders'), 3);
      await server.query(`DROP USER '${foreign}'@'%'`);
    });

    test('an account asks for TLS where the connection does', async (t) => {
      const through = await gateway(t, { tls: { mode: 'require' } });
      await connect(t, through, { scopes: ['db:db.shop:read'] });
      const [role] = await roles();
      const made = String(Object.values((await server.query(`SHOW CREATE USER '${role}'@'%'`))[0] ?? {})[0]);
      assert.match(made, /REQUIRE SSL/);
    });
  });
}
