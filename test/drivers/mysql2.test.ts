// The mysql2 driver through the gateway: text and binary protocol, pools, streams, several statements, transactions, refusals.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Connection as Callbacks } from 'mysql2';
import mysql from 'mysql2/promise';
import { FLAVOURS } from '../servers/mysql.ts';
import { mysqlStand } from './mysql-stand.ts';
import { READ_WRITE } from './stand.ts';

/** What is sent and what is refused, as the driver throws it. */
interface DriverError extends Error {
  readonly errno: number;
  readonly sqlState: string;
}

/** The connection below the promises. */
function plain(connection: mysql.Connection): Callbacks {
  return (connection as unknown as { connection: Callbacks }).connection;
}

for (const flavour of FLAVOURS) {
  const bench = mysqlStand(flavour, ['nothing', 'another table', 'the table read']);

  for (const masking of ['nothing', 'another table', 'the table read'] as const) {
    const connect = async (options: object = {}, scopes: readonly string[] = ['db:db:read']) =>
      mysql.createConnection({ ...(await bench.gateway(masking).login({ scopes })), ...options });

    test(`${flavour}: text and binary rows agree, ${masking} masked`, async () => {
      const connection = await connect({ dateStrings: true });
      const sql = 'SELECT id, name, email, age, born, note FROM users WHERE id < ? ORDER BY id';
      const [text] = await connection.query(sql, [4]);
      const [binary] = await connection.execute(sql, [4]);
      assert.deepEqual(text, binary);
      const email = masking === 'the table read' ? '*************.com' : 'user1@example.com';
      assert.deepEqual((text as object[])[0], {
        id: 1,
        name: 'name 1',
        email,
        age: masking === 'the table read' ? 0 : 21,
        born: masking === 'the table read' ? '1970-01-01' : '2000-01-02',
        note: null,
      });
      await connection.end();
    });

    test(`${flavour}: parameters of every type, ${masking} masked`, async () => {
      const connection = await connect({ dateStrings: true, supportBigNumbers: true, bigNumberStrings: true });
      const values = [1, -7, 2.5, 'text', null, '9007199254740993', Buffer.from([0, 255]), true, new Date(0), { a: 1 }];
      const [rows] = await connection.execute(`SELECT ${values.map((_, i) => `? AS v${i}`).join(', ')}`, values);
      const row = (rows as Record<string, unknown>[])[0] ?? {};
      assert.equal(Object.keys(row).length, values.length);
      assert.equal(row.v3, 'text');
      assert.equal(row.v4, null);
      assert.equal(row.v5, '9007199254740993');
      await connection.end();
    });

    test(`${flavour}: several statements in one text, and a refusal of one of them, ${masking} masked`, async () => {
      const connection = await connect({ multipleStatements: true });
      const [results] = await connection.query('SELECT 1 AS a; SELECT 2 AS b; SET @x = 3; SELECT @x AS c');
      const [first, second, , last] = results as unknown as [unknown, unknown, unknown, unknown];
      assert.deepEqual([first, second, last], [[{ a: 1 }], [{ b: 2 }], [{ c: 3 }]]);
      await assert.rejects(connection.query('SELECT 1; DELETE FROM orders; SELECT 2'), (error: DriverError) => {
        assert.equal(error.errno, 1142);
        assert.equal(error.sqlState, '42000');
        assert.match(error.message, /statement 2 of 3: delete on shop.orders needs write/);
        return true;
      });
      assert.deepEqual((await connection.query('SELECT 7 AS seven'))[0], [{ seven: 7 }]);
      await connection.end();
    });

    test(`${flavour}: a transaction with savepoints, ${masking} masked`, async () => {
      const connection = await connect({}, READ_WRITE);
      await connection.beginTransaction();
      await connection.execute('INSERT INTO scratch VALUES (?, ?)', [1, 'one']);
      await connection.query('SAVEPOINT s');
      const [result] = await connection.query('INSERT INTO scratch VALUES (2, ?), (3, ?)', ['two', 'three']);
      assert.equal((result as { affectedRows: number }).affectedRows, 2);
      await connection.query('ROLLBACK TO SAVEPOINT s');
      await assert.rejects(connection.query('DROP TABLE scratch'), /needs ddl/);
      assert.deepEqual((await connection.query('SELECT * FROM scratch'))[0], [{ id: 1, word: 'one' }]);
      await connection.rollback();
      assert.deepEqual((await connection.query('SELECT COUNT(*) AS n FROM scratch'))[0], [{ n: 0 }]);
      await connection.end();
    });

    test(`${flavour}: a pool of 16, 2,000 statements, ${masking} masked`, async () => {
      const login = await bench.gateway(masking).login();
      const pool = mysql.createPool({ ...login, connectionLimit: 16 });
      const ids = Array.from({ length: 2_000 }, (_, i) => 1 + (i % 20));
      const names = await Promise.all(
        ids.map(async (id, i) => {
          const sql = 'SELECT name FROM users WHERE id = ?';
          const [rows] = i % 2 === 0 ? await pool.query(sql, [id]) : await pool.execute(sql, [id]);
          return (rows as { name: string }[])[0]?.name;
        }),
      );
      assert.deepEqual(
        names,
        ids.map((id) => `name ${id}`),
      );
      await pool.end();
    });

    test(`${flavour}: a result is streamed, and the connection works afterwards, ${masking} masked`, async () => {
      const connection = await connect();
      const stream = plain(connection).query('SELECT a.id, b.total FROM orders a, orders b').stream();
      let rows = 0;
      for await (const _ of stream) rows++;
      assert.equal(rows, 10_000);
      assert.deepEqual((await connection.query('SELECT 1 AS one'))[0], [{ one: 1 }]);
      await connection.end();
    });
  }

  test(`${flavour}: a connection is reset, and is what it was at first`, async () => {
    const connection = await mysql.createConnection(await bench.gateway('the table read').login());
    await connection.query('SET @x = 1');
    const prepared = await connection.prepare('SELECT 1');
    await connection.reset();
    assert.deepEqual((await connection.query('SELECT @x AS x, @@character_set_client AS c'))[0], [
      { x: null, c: 'utf8mb4' },
    ]);
    await assert.rejects(prepared.execute([]), /prepared statement/i);
    await assert.rejects(connection.query('DELETE FROM scratch'), /needs write/);
    await connection.end();
  });

  test(`${flavour}: another user on the same connection is refused, and the session is kept`, async () => {
    const connection = await mysql.createConnection(await bench.gateway('nothing').login());
    await assert.rejects(connection.changeUser({ user: 'root', password: '' }), /COM_CHANGE_USER is not allowed/);
    assert.deepEqual((await connection.query('SELECT 1 AS one'))[0], [{ one: 1 }]);
    await connection.end();
  });

  test(`${flavour}: a file of the client is neither asked for nor sent`, async () => {
    const login = await bench.gateway('nothing').login({ scopes: ['db:db:read+write+ddl+admin'] });
    let opened = 0;
    const connection = await mysql.createConnection({
      ...login,
      infileStreamFactory: () => {
        opened++;
        throw new Error('it was asked for');
      },
    } as mysql.ConnectionOptions);
    await assert.rejects(connection.query("LOAD DATA LOCAL INFILE '/etc/hostname' INTO TABLE scratch"), /refused/);
    assert.equal(opened, 0);
    await connection.end();
  });

  test(`${flavour}: with a wrong secret, a wrong database, and after the grant has ended there is no way in`, async () => {
    const gateway = bench.gateway('nothing');
    const { user, password, id } = await gateway.grant();
    const { host, port } = gateway;
    const refused = (options: object) => mysql.createConnection({ host, port, user, password, ...options });
    await assert.rejects(refused({ password: 'wrong' }), (error: DriverError) => error.errno === 1045);
    await assert.rejects(refused({ user: 'nobody' }), (error: DriverError) => error.errno === 1045);
    await assert.rejects(refused({ database: 'mysql' }), /is not for database "mysql"/);
    const open = await refused({});
    const ended = new Promise<DriverError>((resolve) => plain(open).once('error', resolve as (error: unknown) => void));
    await gateway.api('POST', `/v1/grants/${id}/revoke`, { reason: 'enough' });
    await ended;
    await assert.rejects(refused({}), (error: DriverError) => error.errno === 1045);
  });

  test(`${flavour}: a statement that runs at the end of its grant is ended, and says why`, async () => {
    const gateway = bench.gateway('nothing');
    const { user, password, id } = await gateway.grant();
    const { host, port } = gateway;
    const connection = await mysql.createConnection({ host, port, user, password });
    const slept = connection.query('SELECT SLEEP(600)').then(
      () => null,
      (error: DriverError) => error,
    );
    await bench.sleeping();
    await gateway.api('POST', `/v1/grants/${id}/revoke`, { reason: 'enough' });
    const error = await slept;
    assert.equal(error?.errno, 3169);
    assert.match(error?.message ?? '', /the grant .* has been revoked.*Request the next/s);
    // The database is asked to stop what it runs.
    const running = "SELECT 1 FROM information_schema.processlist WHERE state = 'User sleep'";
    while ((await bench.database.query(running)).length > 0);
  });

  test(`${flavour}: KILL names the gateway's own ids, of the same grant`, async () => {
    const login = await bench.gateway('nothing').login();
    const [one, two] = [await mysql.createConnection(login), await mysql.createConnection(login)];
    const stranger = await mysql.createConnection(await bench.gateway('nothing').login());
    const slept = one.query('SELECT SLEEP(600) AS slept').then(
      ([rows]) => rows,
      (error: DriverError) => error.errno,
    );
    await bench.sleeping();
    const id = one.threadId;
    await assert.rejects(stranger.query(`KILL QUERY ${id}`), /Unknown thread id/);
    await two.query(`KILL QUERY ${id}`);
    // Some servers answer with the row of a sleep that was interrupted, some with an error.
    assert.ok([1317, 1].includes(((await slept) as { slept?: number }[])[0]?.slept ?? ((await slept) as number)));
    assert.deepEqual((await one.query('SELECT 1 AS one'))[0], [{ one: 1 }]);
    for (const connection of [one, two, stranger]) await connection.end();
  });
}
