// F3 on MariaDB and MySQL: a grant that ends in the middle of something ends that too, in the gateway and in the database.
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import mysql from 'mysql2/promise';
import { Command, command, Reply } from '../../src/wire/mysql/messages.ts';
import { execute, type Packet, type RawClient, rawClient, u32 } from '../peers/mysql-raw.ts';
import { startGateway } from '../servers/gateway.ts';
import { FLAVOURS, startMysql } from '../servers/mysql.ts';

const SQL = [
  'CREATE TABLE items (id INT PRIMARY KEY, name VARCHAR(50))',
  `INSERT INTO items WITH RECURSIVE r (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r WHERE n < 10)
    SELECT n, CONCAT('item ', n) FROM r`,
  'CREATE TABLE log (line TEXT)',
];

const STANDS = await Promise.all(
  FLAVOURS.map(async (flavour) => {
    const server = await startMysql(flavour, { sql: SQL });
    const gateway = await startGateway({ upstream: server });
    const { host, port, user, password, database } = server;
    const watcher = await mysql.createConnection({ host, port, user, password, database });
    after(async () => {
      await gateway.stop();
      await watcher.end();
      await server.stop();
    });
    return { flavour, gateway, watcher };
  }),
);

for (const { flavour, gateway, watcher } of STANDS) {
  const first = async (sql: string): Promise<unknown> => {
    const [rows] = await watcher.query<mysql.RowDataPacket[]>({ sql, rowsAsArray: true });
    return rows[0]?.[0];
  };

  async function begin(ttl = '10m') {
    const { id, user, password } = await gateway.grant({ scopes: ['db:db:read+write'], ttl });
    const login = { host: gateway.host, port: gateway.port, user, password, database: 'shop' };
    const client = await rawClient(login);
    const [, , row] = await client.ask(Command.query, 'SELECT 1');
    assert.equal(row?.payload.toString(), '\x011');
    return { client, login, revoke: () => gateway.api('POST', `/v1/grants/${id}/revoke`, { reason: 'a test' }) };
  }

  /** Until a session of the database is in a sleep. */
  async function sleeping(): Promise<void> {
    const sql = "SELECT COUNT(*) FROM information_schema.processlist WHERE state = 'User sleep'";
    while (Number(await first(sql)) === 0);
  }

  /** Reads to the end of the connection; answers what came before the last packet, which has to be the end of the grant. */
  async function assertOver({ client, login }: { client: RawClient; login: object }): Promise<Packet[]> {
    const read: Packet[] = [];
    for (;;) {
      const packet = await client.next().catch(() => null);
      if (packet === null) break;
      read.push(packet);
    }
    const last = read.pop()?.payload ?? Buffer.alloc(0);
    assert.deepEqual([last[0], last.readUInt16LE(1)], [Reply.err, 3169], last.toString());
    assert.match(last.toString(), /the grant gr_\w+ has .*sallyport grants request --connection db/s);
    await assert.rejects(mysql.createConnection(login), { errno: 1045 });
    return read;
  }

  test(`F3 ${flavour}: in the middle of SLEEP, alone and with statements behind it in the same text`, async () => {
    const alone = await begin();
    alone.client.send(command(Command.query, 'SELECT SLEEP(600)'));
    await sleeping();
    await alone.revoke();
    assert.deepEqual(await assertOver(alone), []);

    const several = await begin();
    several.client.send(command(Command.query, "SELECT SLEEP(600); INSERT INTO log VALUES ('behind')"));
    several.client.send(command(Command.query, "INSERT INTO log VALUES ('another text')"));
    await sleeping();
    await several.revoke();
    await assertOver(several);
    assert.equal(Number(await first('SELECT COUNT(*) FROM log')), 0);
  });

  test(`F3 ${flavour}: in the middle of a transaction: it is rolled back, and its locks are gone`, async () => {
    const session = await begin();
    await session.client.ask(Command.query, 'START TRANSACTION');
    const [done] = await session.client.ask(Command.query, "UPDATE items SET name = 'changed' WHERE id = 1");
    assert.equal(done?.payload[0], Reply.ok);
    await session.revoke();
    await assertOver(session);
    await watcher.query('UPDATE items SET name = name WHERE id = 1');
    assert.equal(Number(await first("SELECT COUNT(*) FROM items WHERE name = 'changed'")), 0);
  });

  test(`F3 ${flavour}: between two reads of a cursor`, async () => {
    const session = await begin();
    const [prepared] = await session.client.ask(Command.stmtPrepare, 'SELECT id FROM items ORDER BY id');
    const id = prepared?.payload.readUInt32LE(1) ?? 0;
    await session.client.ask(Command.stmtExecute, execute(id, [], 1));
    const rows = await session.client.ask(Command.stmtFetch, Buffer.concat([u32(id), u32(2)]));
    assert.equal(rows.length, 3);
    await session.revoke();
    session.client.send(command(Command.stmtFetch, Buffer.concat([u32(id), u32(2)])));
    assert.deepEqual(await assertOver(session), [], 'no further row');
  });

  test(`F3 ${flavour}: prepared statements that were sent ahead do not run`, async () => {
    const session = await begin();
    const idOf = async (sql: string) => {
      const [prepared] = await session.client.ask(Command.stmtPrepare, sql);
      return prepared?.payload.readUInt32LE(1) ?? 0;
    };
    const sleep = await idOf('SELECT SLEEP(600)');
    const write = await idOf('INSERT INTO log VALUES (?)');
    session.client.send(command(Command.stmtExecute, execute(sleep)));
    for (let i = 0; i < 3; i++) session.client.send(command(Command.stmtExecute, execute(write, ['ahead'])));
    await sleeping();
    await session.revoke();
    await assertOver(session);
    assert.equal(Number(await first('SELECT COUNT(*) FROM log')), 0);
  });

  test(`F3 ${flavour}: at its deadline, to the statement that runs`, async () => {
    const session = await begin('1s');
    session.client.send(command(Command.query, 'SELECT SLEEP(600)'));
    await assertOver(session);
    while (
      Number(await first("SELECT COUNT(*) FROM information_schema.processlist WHERE info LIKE 'SELECT SLEEP%'")) > 0
    );
  });
}
