// Sessions over real servers, packet by packet: what a client without the gateway reads, it reads with it, in both forms of the end
// of rows; cursors, long data, large packets, sequence ids.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Command, Reply } from '../../../src/wire/mysql/messages.ts';
import { execute, type Login, type Packet, rawClient, u32 } from '../../peers/mysql-raw.ts';
import { startGateway, type TestGateway } from '../../servers/gateway.ts';
import { FLAVOURS, type MysqlServer, startMysql } from '../../servers/mysql.ts';

const SAMPLE = [
  'CREATE TABLE t (id INT PRIMARY KEY, word VARCHAR(50), n DECIMAL(10,2), d DATE, big LONGTEXT)',
  "INSERT INTO t VALUES (1, 'one', 1.5, '2020-01-01', NULL), (2, 'two', 2.5, NULL, 'x'), (3, 'three', NULL, '2020-03-03', 'y')",
  'CREATE TABLE w (id INT PRIMARY KEY AUTO_INCREMENT, word LONGTEXT)',
];

for (const flavour of FLAVOURS) {
  let server: MysqlServer;
  let gateway: TestGateway;
  let masking: TestGateway;
  const direct = (): Login => ({ ...server });
  const through = async (to = gateway): Promise<Login> => ({
    ...(await to.login({ scopes: ['db:db:read+write'] })),
    database: 'shop',
  });

  before(async () => {
    server = await startMysql(flavour, { sql: SAMPLE, settings: { 'max-allowed-packet': 64 * 1024 * 1024 } });
    gateway = await startGateway({ upstream: server, env: { SALLYPORT_MAX_STATEMENT_BYTES: '33554432' } });
    masking = await startGateway({
      upstream: server,
      connection: { masking: 'm' },
      masking: { m: { columns: [{ column: 'shop.t.word', with: 'redact' }] } },
    });
  });
  after(async () => {
    await gateway.stop();
    await masking.stop();
    await server.stop();
  });

  /** A reply in a comparable form. */
  const shown = (packets: readonly Packet[]) =>
    packets.map(({ sequence, payload }) => `${sequence} ${payload.toString('latin1')}`);

  for (const deprecateEof of [true, false]) {
    const form = deprecateEof ? 'OK at the end of rows' : 'EOF at the end of rows';

    test(`${flavour}, ${form}: every reply is the one that the server gives`, async () => {
      const [one, two] = [
        await rawClient(direct(), { deprecateEof }),
        await rawClient(await through(), { deprecateEof }),
      ];
      const both = async (code: number, body: Buffer | string = '') => {
        const [want, got] = [await one.ask(code, body), await two.ask(code, body)];
        assert.deepEqual(shown(got), shown(want), `${code} ${body}`);
        return got;
      };
      for (const sql of [
        'SELECT * FROM t ORDER BY id',
        'SELECT id FROM t WHERE id > 10',
        'DO 1',
        'SELECT 1; DO 2; SELECT 3, 4',
        'SELECT nope',
        "SET @a = 'x'",
        "SELECT @a, REPEAT('a', 100000), NULL",
        'SHOW WARNINGS',
        'SELECT 1; SELECT nope; SELECT 2',
        'USE shop',
      ]) {
        await both(Command.query, sql);
      }
      await both(Command.ping);
      await both(Command.initDb, 'shop');
      await both(Command.initDb, 'nowhere');
      await both(Command.fieldList, 't\0');
      for (const sql of ['SELECT * FROM t WHERE id >= ? ORDER BY id', 'SELECT nope FROM t WHERE id = ?', 'DO ?']) {
        // Ids are the server's own, of all its sessions or of one.
        const replies = [await one.ask(Command.stmtPrepare, sql), await two.ask(Command.stmtPrepare, sql)] as const;
        const ids = replies.map(([first]) => first?.payload.readUInt32LE(1) ?? 0);
        for (const [first] of replies) if (first?.payload[0] === Reply.ok) first.payload.fill(0, 1, 5);
        assert.deepEqual(shown(replies[1]), shown(replies[0]), sql);
        if (replies[0][0]?.payload[0] !== Reply.ok) continue;
        for (const parameter of ['2', null]) {
          const want = await one.ask(Command.stmtExecute, execute(ids[0] ?? 0, [parameter]));
          const got = await two.ask(Command.stmtExecute, execute(ids[1] ?? 0, [parameter]));
          assert.deepEqual(shown(got), shown(want), sql);
        }
      }
      await both(Command.resetConnection);
      await both(Command.query, "SELECT DATABASE() = 'shop', @a");
      for (const client of [one, two]) client.close();
    });

    test(`${flavour}, ${form}: rows of a cursor come as they are asked for, masked without their columns being told again`, async () => {
      for (const [login, word] of [
        [direct(), ['one', 'two', 'three']],
        [await through(), ['one', 'two', 'three']],
        [await through(masking), ['[redacted]', '[redacted]', '[redacted]']],
      ] as const) {
        const client = await rawClient(login, { deprecateEof });
        const [prepared] = await client.ask(Command.stmtPrepare, 'SELECT id, word FROM t ORDER BY id');
        const id = prepared?.payload.readUInt32LE(1) ?? 0;
        await client.ask(Command.stmtExecute, execute(id, [], 1));
        const rows: string[] = [];
        for (const count of [2, 5]) {
          const fetched = await client.ask(Command.stmtFetch, Buffer.concat([u32(id), u32(count)]));
          for (const { payload } of fetched.slice(0, -1)) rows.push(payload.toString('latin1', 7));
        }
        assert.deepEqual(rows, word);
        const [after] = await client.ask(Command.stmtFetch, Buffer.concat([u32(id + 9), u32(1)]));
        assert.equal(after?.payload[0], Reply.err);
        await client.ask(Command.stmtReset, u32(id));
        assert.equal((await client.ask(Command.ping))[0]?.payload[0], Reply.ok);
        client.close();
      }
    });

    test(`${flavour}, ${form}: after a refusal the sequence and the status are right, and the next command works`, async () => {
      const client = await rawClient(await through(), { deprecateEof });
      await client.ask(Command.query, 'START TRANSACTION');
      const [refused] = await client.ask(Command.query, 'DROP TABLE t');
      assert.equal(refused?.sequence, 1);
      assert.equal(refused?.payload.readUInt16LE(1), 1142);
      assert.equal(refused?.payload.toString('latin1', 3, 9), '#42000');
      assert.equal(
        (await client.ask(Command.stmtPrepare, 'ALTER TABLE t ADD x INT'))[0]?.payload.readUInt16LE(1),
        1142,
      );
      const [ping] = await client.ask(Command.ping);
      assert.deepEqual([ping?.sequence, ping?.payload[0]], [1, Reply.ok]);
      assert.equal((ping?.payload.readUInt16LE(3) ?? 0) & 1, 1, 'still in its transaction');
      client.close();
    });
  }

  test(`${flavour}: a parameter sent in pieces is bound as one, and judged`, async () => {
    const client = await rawClient(await through());
    const [prepared] = await client.ask(Command.stmtPrepare, 'INSERT INTO w (word) VALUES (?)');
    const id = prepared?.payload.readUInt32LE(1) ?? 0;
    for (const piece of ['first ', 'second']) {
      client.send(longData(id, piece));
    }
    const bound = Buffer.concat([execute(id, ['']).subarray(0, 10), Buffer.from([1, 0xfd, 0])]);
    const [done] = await client.ask(Command.stmtExecute, bound);
    assert.equal(done?.payload[0], Reply.ok, done?.payload.toString());
    const [, , row] = await client.ask(Command.query, 'SELECT word FROM w ORDER BY id DESC LIMIT 1');
    assert.equal(row?.payload.toString('latin1', 1), 'first second');
    client.close();
  });

  test(`${flavour}: payloads beyond 16 MiB pass in both directions`, async () => {
    const client = await rawClient(await through());
    const word = 'z'.repeat(17 * 1024 * 1024);
    const [done] = await client.ask(Command.query, `INSERT INTO w (word) VALUES ('${word}')`);
    assert.equal(done?.payload[0], Reply.ok, done?.payload.toString('latin1', 0, 200));
    const reply = await client.ask(Command.query, 'SELECT word FROM w ORDER BY id DESC LIMIT 1');
    assert.equal(reply[2]?.payload.length, 9 + word.length);
    assert.equal((await client.ask(Command.ping))[0]?.payload[0], Reply.ok);
    client.close();
  });

  test(`${flavour}: commands that the gateway does not carry are refused by name`, async () => {
    const client = await rawClient(await through());
    for (const [code, name] of [
      [0x0a, 'COM_PROCESS_INFO'],
      [0x0c, 'COM_PROCESS_KILL'],
      [0x0d, 'COM_DEBUG'],
      [0x11, 'COM_CHANGE_USER'],
      [0x12, 'COM_BINLOG_DUMP'],
      [0x1e, 'COM_BINLOG_DUMP_GTID'],
      [0xfa, 'COM_STMT_BULK_EXECUTE'],
    ] as const) {
      const [answer] = await client.ask(code, Buffer.alloc(8));
      assert.equal(answer?.payload.readUInt16LE(1), 1047);
      assert.match(answer?.payload.toString() ?? '', new RegExp(name));
    }
    assert.equal((await client.ask(Command.ping))[0]?.payload[0], Reply.ok);
    client.close();
  });
}

function longData(id: number, piece: string): Buffer {
  const payload = Buffer.concat([
    Buffer.from([Command.stmtSendLongData]),
    u32(id),
    Buffer.from([0, 0]),
    Buffer.from(piece),
  ]);
  return Buffer.concat([Buffer.from([payload.length, 0, 0, 0]), payload]);
}
