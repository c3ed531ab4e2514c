// E1 to E5, E9: large payloads, every command, several results, prepared statements, pipelines, sequence ids.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { test } from 'node:test';
import { Fields } from '../../src/wire/mysql/decode.ts';
import { Capability, Command, command, OFFERED, Reply } from '../../src/wire/mysql/messages.ts';
import { execute, rawClient, u32 } from '../peers/mysql-raw.ts';
import { FLAVOURS } from '../servers/mysql.ts';
import { EVERYTHING, failureOf, mysqlStand, READ, refused, rowsOf, send, WRITE } from './mysql-attacks.ts';

const MAX_PACKET = 0xffffff;
const STRANGE_KEY = 'AKIAABCDEFGHIJKLMNOP';

const OPTIONS = {
  settings: { 'max-allowed-packet': 64 * 1024 * 1024 },
  env: { SALLYPORT_MAX_STATEMENT_BYTES: String(20 * 1024 * 1024) },
  connection: { policy: 'keys' },
  policies: { keys: { rules: [{ name: 'keys', when: { matches: 'AKIA[0-9A-Z]{16}' }, then: 'deny' }] } },
};
const STANDS = await Promise.all(FLAVOURS.map((flavour) => mysqlStand(flavour, OPTIONS)));

for (const stand of STANDS) {
  const { flavour } = stand;
  const { server, gateway } = stand;
  const works = async (client: Parameters<typeof send>[0]) =>
    assert.deepEqual(rowsOf(await send(client, 'SELECT COUNT(*) FROM orders')), [['20']]);

  test(`E1 ${flavour}: the packet behind one of 16 MiB is the rest of its text, never a command, and is judged`, async () => {
    const attacker = await stand.connect(READ);
    // The second packet begins with a byte that would be COM_QUERY, and a statement.
    const text = (end: string, length = MAX_PACKET - 1) => `SELECT LENGTH('${'x'.repeat(length - 15)}${end}`;
    const [[length] = []] = rowsOf(await send(attacker.client, text("\x03DROP TABLE notes')")));
    assert.equal(length, String(MAX_PACKET - 1 - 15 + 17));
    // Packets that are full to the last byte, and the empty one that ends them.
    assert.deepEqual(rowsOf(await send(attacker.client, text("')", MAX_PACKET - 3))), [[String(MAX_PACKET - 3 - 15)]]);
    const after = failureOf(await send(attacker.client, text("'); DROP TABLE notes")));
    assert.equal(after?.code, 1142);
    assert.ok(!attacker.reached().some((sent) => sent.startsWith('DROP')));
    await works(attacker.client);
  });

  test(`E1 ${flavour}: a payload beyond the limit ends the session, and does not wait for its end`, async () => {
    const { client } = await stand.connect(READ);
    for (let i = 0; i < 2; i++)
      client.send(Buffer.concat([Buffer.of(0xff, 0xff, 0xff, i), Buffer.alloc(MAX_PACKET, 3)]));
    const { payload } = await client.next();
    assert.deepEqual([payload[0], payload.readUInt16LE(1)], [Reply.err, 1835]);
    await assert.rejects(client.next());
  });

  test(`E2 ${flavour}: every command that is not known to be harmless is refused by name, and never sent on`, async () => {
    const passed: ReadonlySet<number> = new Set(Object.values(Command).filter((code) => code !== Command.changeUser));
    const attacker = await stand.connect(EVERYTHING);
    const before = attacker.reached().length;
    const state = await stand.state();
    for (let code = 0; code < 256; code++) {
      if (passed.has(code)) continue;
      for (const body of [Buffer.alloc(0), Buffer.from('shop\0\0\0\0\0\0')]) {
        const failure = failureOf(await attacker.client.ask(code, body));
        assert.equal(failure?.code, 1047, `command ${code}`);
      }
    }
    assert.deepEqual(attacker.reached().slice(before), []);
    await works(attacker.client);
    assert.deepEqual(await stand.state(), state);
  });

  test(`E2 ${flavour}: malformed commands are errors, and the next one works`, async () => {
    const { client } = await stand.connect(WRITE);
    for (const [code, body, error] of [
      [Command.stmtExecute, Buffer.alloc(0), 1243],
      [Command.stmtExecute, u32(99), 1243],
      // MariaDB's "the last one".
      [Command.stmtExecute, execute(0xffffffff), 1243],
      [Command.stmtFetch, u32(1), 1243],
      [Command.stmtReset, Buffer.from([1]), 1243],
      [Command.setOption, Buffer.alloc(1), 1047],
      [Command.fieldList, Buffer.from('orders'), 1047],
    ] as const) {
      assert.equal(failureOf(await client.ask(code, body))?.code, error, `command ${code}`);
    }
    // These have no reply, whatever they say.
    client.send(command(Command.stmtClose, Buffer.alloc(0)));
    client.send(command(Command.stmtClose, u32(77)));
    client.send(command(Command.stmtSendLongData, u32(77)));
    client.send(Buffer.of(0, 0, 0, 0));
    assert.equal((await client.next()).payload.readUInt16LE(1), 1835);
    await works(client);
    client.send(Buffer.of(1, 0, 0, 7, Command.ping));
    assert.equal((await client.next()).payload.readUInt16LE(1), 1835, 'not packet 0: the session ends');
  });

  test(`E2 ${flavour}: a reset connection has forgotten what it was told, not what it may`, async () => {
    const attacker = await stand.connect(READ);
    const { client } = attacker;
    const [prepared] = await send(client, 'SELECT 1', 'prepare');
    await send(client, "PREPARE p FROM 'SELECT 1'");
    await send(client, 'SET @x = 1');
    assert.equal(failureOf(await client.ask(Command.resetConnection)), null);
    assert.deepEqual(rowsOf(await send(client, 'SELECT @x, DATABASE(), @@character_set_client')), [
      [null, 'shop', 'utf8mb4'],
    ]);
    const id = prepared?.payload.readUInt32LE(1) ?? 0;
    assert.equal(failureOf(await client.ask(Command.stmtExecute, execute(id)))?.code, 1243);
    assert.ok(failureOf(await send(client, 'EXECUTE p')) !== null);
    await refused(attacker, 'DELETE FROM notes');
  });

  test(`E3 ${flavour}: COM_SET_OPTION lets several statements in where all of them are allowed`, async () => {
    const login = { ...(await gateway.login({ scopes: [READ] })), database: 'shop' };
    const client = await rawClient(login, { multi: false });
    assert.equal(failureOf(await send(client, 'SELECT 1; SELECT 2'))?.code, 1064);
    // Its answer is EOF, or OK in EOF's place.
    const option = async (value: number) => {
      client.send(command(Command.setOption, Buffer.of(value, 0)));
      return (await client.next()).payload[0];
    };
    assert.equal(await option(0), Reply.eof);
    assert.equal(failureOf(await send(client, 'SELECT 1; SELECT 2')), null);
    assert.equal(failureOf(await send(client, 'SELECT 1; DELETE FROM notes'))?.code, 1142);
    assert.equal(await option(1), Reply.eof);
    assert.equal(failureOf(await send(client, 'SELECT 1; SELECT 2'))?.code, 1064);
    assert.equal(failureOf(await send(client, 'SELECT 1; DELETE FROM notes'))?.code, 1142);
    await works(client);
    client.close();
  });

  for (const deprecateEof of [true, false]) {
    test(`E3 ${flavour}, ${deprecateEof ? 'OK' : 'EOF'} at the end: CALL with several results, failures between them, rows that begin with 0xfe`, async () => {
      await server.query('DROP PROCEDURE IF EXISTS many');
      const results = 'SELECT 1; SELECT id FROM shop.orders; SELECT nope; SELECT 2';
      await server.query(`CREATE PROCEDURE many() BEGIN ${results}; END`);
      const client = await rawClient(
        { ...(await gateway.login({ scopes: [EVERYTHING] })), database: 'shop' },
        { deprecateEof },
      );
      const reply = await send(client, 'CALL many()');
      assert.equal(failureOf(reply)?.code, 1054);
      assert.equal(failureOf(await send(client, 'SELECT 1; SELECT nope; SELECT 2'))?.code, 1054);
      const large = await send(client, `SELECT REPEAT('x', ${MAX_PACKET + 1}), 'behind'`);
      const row = large.find(({ payload }) => payload.length > MAX_PACKET);
      assert.equal(row?.payload[0], 0xfe);
      assert.equal(row?.payload.toString('latin1', MAX_PACKET + 10), '\x06behind');
      const [ping] = await client.ask(Command.ping);
      assert.equal(ping?.payload[0], Reply.ok);
      client.close();
    });
  }

  test(`E4 ${flavour}: values are judged when they are bound, in one piece or in several`, async () => {
    const { client } = await stand.connect(WRITE);
    const [prepared] = await send(client, 'INSERT INTO notes (body) VALUES (?)', 'prepare');
    const id = prepared?.payload.readUInt32LE(1) ?? 0;
    const run = async (value: string | null) => failureOf(await client.ask(Command.stmtExecute, execute(id, [value])));
    assert.equal(await run('harmless'), null);
    assert.equal((await run(STRANGE_KEY))?.code, 1142);
    const piece = (text: string) =>
      client.send(command(Command.stmtSendLongData, Buffer.concat([u32(id), Buffer.of(0, 0), Buffer.from(text)])));
    const bound = Buffer.concat([execute(id, ['']).subarray(0, 10), Buffer.of(1, 0xfd, 0)]);
    piece(STRANGE_KEY.slice(0, 9));
    piece(STRANGE_KEY.slice(9));
    assert.equal(failureOf(await client.ask(Command.stmtExecute, bound))?.code, 1142);
    // It is still bound, on both sides, until it is reset.
    assert.equal(failureOf(await client.ask(Command.stmtExecute, bound))?.code, 1142);
    assert.equal(failureOf(await client.ask(Command.stmtReset, u32(id))), null);
    piece('in two ');
    piece('pieces');
    assert.equal(failureOf(await client.ask(Command.stmtExecute, bound)), null);
    assert.equal(failureOf(await client.ask(Command.stmtExecute, execute(id).subarray(0, 9)))?.code, 1210);
    assert.equal((await run(`${STRANGE_KEY}'`))?.code, 1142);
    assert.deepEqual(await server.query('SELECT body FROM notes WHERE id > 2'), [
      { body: 'harmless' },
      { body: 'in two pieces' },
    ]);
    await server.query('DELETE FROM notes WHERE id > 2');
  });

  test(`E4 ${flavour}: what was closed or never prepared is not executed; refused texts have no id`, async () => {
    const attacker = await stand.connect(READ);
    const { client } = attacker;
    await refused(attacker, 'DELETE FROM notes WHERE id = ?', 'prepare');
    const [prepared] = await send(client, 'SELECT id FROM orders', 'prepare');
    const id = prepared?.payload.readUInt32LE(1) ?? 0;
    client.send(command(Command.stmtClose, u32(id)));
    assert.equal(failureOf(await client.ask(Command.stmtExecute, execute(id)))?.code, 1243);
    assert.equal(failureOf(await client.ask(Command.stmtFetch, Buffer.concat([u32(id), u32(1)])))?.code, 1243);
    for (let near = 0; near < 5; near++) {
      assert.equal(failureOf(await client.ask(Command.stmtExecute, execute(near + 1)))?.code, 1243);
    }
    await works(client);
  });

  test(`E4 ${flavour}: a cursor is not gone on with after the grant’s end, nor is a statement executed`, async () => {
    for (const last of [
      (id: number) => command(Command.stmtFetch, Buffer.concat([u32(id), u32(1)])),
      (id: number) => command(Command.stmtExecute, execute(id)),
    ]) {
      const { id: grant, user, password } = await gateway.grant({ scopes: [READ] });
      const { host, port } = gateway;
      const client = await rawClient({ host, port, user, password, database: 'shop' });
      const [prepared] = await send(client, 'SELECT id FROM orders', 'prepare');
      const id = prepared?.payload.readUInt32LE(1) ?? 0;
      await client.ask(Command.stmtExecute, execute(id, [], 1));
      await client.ask(Command.stmtFetch, Buffer.concat([u32(id), u32(1)]));
      await gateway.api('POST', `/v1/grants/${grant}/revoke`, { reason: 'a test' });
      client.send(last(id));
      assert.equal((await client.next()).payload.readUInt16LE(1), 3169);
      await assert.rejects(client.next());
    }
  });

  test(`E5 ${flavour}: commands that are sent without waiting are answered in their order, refusals in their place`, async () => {
    const { client } = await stand.connect(READ);
    const sent = [
      command(Command.query, 'DO 1'),
      command(Command.query, 'DELETE FROM notes'),
      command(Command.ping, ''),
      command(Command.query, 'SELECT nope'),
      command(0x0c, u32(1)),
      command(Command.query, `DO '${STRANGE_KEY}'`),
      command(Command.query, 'DO 2'),
    ];
    client.send(Buffer.concat(sent));
    const read: [number, number][] = [];
    while (read.length < sent.length) {
      const { sequence, payload } = await client.next();
      read.push([sequence, payload[0] === Reply.err ? payload.readUInt16LE(1) : 0]);
    }
    assert.deepEqual(
      read.map(([, code]) => code),
      [0, 1142, 0, 1054, 1047, 1142, 0],
    );
    assert.ok(read.every(([sequence]) => sequence === 1));
    // The id of a statement that is being prepared is waited for, not guessed.
    const [known] = await send(client, 'SELECT 1', 'prepare');
    const next = (known?.payload.readUInt32LE(1) ?? 0) + 1;
    client.send(
      Buffer.concat([command(Command.stmtPrepare, 'DELETE FROM notes'), command(Command.stmtExecute, execute(next))]),
    );
    assert.deepEqual(
      [(await client.next()).payload.readUInt16LE(1), (await client.next()).payload.readUInt16LE(1)],
      [1142, 1243],
    );
    await works(client);
  });

  test(`E5 ${flavour}: only what is understood is offered: no compression, no files, no old passwords`, async () => {
    const socket = connect({ host: gateway.host, port: gateway.port });
    const [greeting] = (await once(socket, 'data')) as [Buffer];
    socket.destroy();
    const fields = new Fields(greeting, 4);
    assert.equal(fields.uint(1), 10);
    fields.nul();
    fields.bytes(4 + 8 + 1);
    const low = fields.uint(2);
    fields.bytes(3);
    const offered = low + fields.uint(2) * 0x10000;
    assert.equal(offered, OFFERED);
    const [LOCAL_FILES, COMPRESS, ZSTD, QUERY_ATTRIBUTES, OPTIONAL_METADATA] = [
      0x80, 0x20, 0x4000000, 0x8000000, 0x2000000,
    ];
    for (const flag of [LOCAL_FILES, COMPRESS, ZSTD, QUERY_ATTRIBUTES, OPTIONAL_METADATA])
      assert.equal(offered & flag, 0);
    assert.notEqual(offered & Capability.ssl, 0);
    // MariaDB's own lie in the reserved bytes.
    assert.ok(
      fields
        .bytes(1 + 10)
        .subarray(1)
        .every((byte) => byte === 0),
    );
  });

  test(`E9 ${flavour}: ids, affected rows and warnings are the database’s own; a refusal changes none of them`, async () => {
    const { client } = await stand.connect(WRITE);
    const done = async (sql: string) => {
      const fields = new Fields((await send(client, sql)).at(-1)?.payload ?? Buffer.alloc(0), 1);
      return { affected: fields.lenenc(), id: fields.lenenc() };
    };
    assert.deepEqual(await done("INSERT INTO notes VALUES (901, 'x')"), {
      affected: 1,
      id: 901,
    });
    assert.deepEqual(await done("INSERT INTO notes (body) VALUES ('y'), ('z')"), { affected: 2, id: 902 });
    assert.equal(failureOf(await send(client, 'DROP TABLE notes'))?.code, 1142);
    assert.deepEqual(rowsOf(await send(client, 'SELECT LAST_INSERT_ID(), ROW_COUNT()')), [['902', '2']]);
    assert.deepEqual(await done("UPDATE notes SET body = 'w' WHERE id > 900"), { affected: 3, id: 0 });
    assert.deepEqual(await done('DELETE FROM notes WHERE id > 900'), { affected: 3, id: 0 });
    for (const mode of ['query', 'prepare'] as const) {
      const reply = await send(client, 'DROP TABLE notes', mode);
      assert.deepEqual(
        reply.map(({ sequence }) => sequence),
        [1],
      );
    }
    const rows = await send(client, 'SELECT id FROM orders LIMIT 300');
    assert.deepEqual(
      rows.map(({ sequence }) => sequence),
      rows.map((_, i) => i + 1),
    );
  });
}
