// Peers that want the relay to lose its place: databases whose replies end where they should not, clients whose commands cost more than
// they send. What is behind them stays masked, judged and bounded.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { PassThrough } from 'node:stream';
import { test } from 'node:test';
import type { Column } from '../../../src/types.ts';
import type { Gate } from '../../../src/wire/gate.ts';
import { nativeResponse } from '../../../src/wire/mysql/auth.ts';
import { packets } from '../../../src/wire/mysql/frame.ts';
import {
  Capability,
  Command,
  command,
  err,
  greeting,
  handshakeResponse,
  lenenc,
  OFFERED,
  ok,
  Reply,
  Status,
  u16,
  u32,
} from '../../../src/wire/mysql/messages.ts';
import { Relay } from '../../../src/wire/mysql/relay.ts';
import { RowMasker, rowForm } from '../../../src/wire/mysql/rows.ts';
import { lastWords } from '../../../src/wire/mysql/session.ts';
import { WireSession } from '../../../src/wire/session.ts';
import { Outbox, Turn } from '../../../src/wire/splice.ts';
import { MASKED } from '../../peers/backend.ts';
import { toyGate } from '../../peers/gate.ts';
import { execute, rawClient } from '../../peers/mysql-raw.ts';
import { startGateway, type TestGateway } from '../../servers/gateway.ts';
import { FLAVOURS, type MysqlServer, startMysql } from '../../servers/mysql.ts';

const VAR_STRING = 253;
const MAX = 0xffffff;

interface Stand {
  readonly relay: Relay;
  readonly gate: Gate;
  readonly toy: ReturnType<typeof toyGate>;
  /** What held a direction and has failed. */
  readonly failures: Error[];
  client(...commands: Buffer[]): void;
  database(...replies: Buffer[]): void;
  /** What has come for the client, and for the database, since the last time. */
  toClient(): string;
  toServer(): string;
}

function stand({ deprecateEof = true, maxStatementBytes = 1 << 24 } = {}): Stand {
  const toy = toyGate();
  const failures: Error[] = [];
  const relay = new Relay({
    gate: toy.gate,
    status: Status.autocommit,
    maxStatementBytes,
    deprecateEof,
    pins: [],
    check: '',
    multiStatements: false,
    kill: () => false,
    wake: (error) => {
      if (error !== undefined) failures.push(error);
    },
  });
  return {
    relay,
    gate: toy.gate,
    toy,
    failures,
    client: (...commands) => relay.fromClient(Buffer.concat(commands)),
    database: (...replies) => relay.fromServer(Buffer.concat(replies)),
    toClient: () => relay.toClient.drain().toString('latin1'),
    toServer: () => relay.toServer.drain().toString('latin1'),
  };
}

const text = (value: string) => Buffer.concat([lenenc(value.length), Buffer.from(value)]);

function column(name: string): Buffer {
  const names = ['def', '', '', '', name, name].map(text);
  const rest = Buffer.concat([Buffer.from([0x0c]), u16(45), u32(400), Buffer.from([VAR_STRING]), u16(0)]);
  return Buffer.concat([...names, rest, Buffer.alloc(3)]);
}

const okEnd = (track: Buffer = Buffer.alloc(0), status: number = Status.autocommit) =>
  Buffer.concat([Buffer.from([Reply.eof, 0, 0]), u16(status), u16(0), track]);
const eof = (status: number = Status.autocommit) => Buffer.concat([Buffer.from([Reply.eof, 0, 0]), u16(status)]);

/** Payloads as one reply. */
function reply(...payloads: Buffer[]): Buffer {
  let sequence = 1;
  return Buffer.concat(
    payloads.map((payload) => {
      const bytes = packets(sequence, payload);
      sequence += Math.floor(payload.length / MAX) + 1;
      return bytes;
    }),
  );
}

const query = (sql: string) => command(Command.query, sql);
const failure = (message = 'it fails', code = 1054) => err(0, { code, sqlstate: '42S22', message }).subarray(4);
const SECRET = reply(lenenc(1), column('secret'), text('raw value'), okEnd());

for (const [name, last] of [
  ['an OK with 40 KB of tracked state', okEnd(Buffer.alloc(40_000, 0x61))],
  ['an error of 40 KB', failure('e'.repeat(40_000))],
] as const) {
  for (const cut of [0, 1, 4, 5, 6, 20_000]) {
    test(`rows end with ${name}, cut at ${cut}: what follows is read as the reply that it is`, () => {
      const { relay, client, database, toClient } = stand();
      client(query('rows 1'), query('rows 1 secret'));
      database(reply(lenenc(1), column('v'), text('plain')));
      const end = packets(4, last);
      if (cut > 0) database(end.subarray(0, cut));
      database(Buffer.concat([end.subarray(cut), SECRET]));
      const said = toClient();
      assert.ok(said.includes('plain') && said.includes(MASKED));
      assert.ok(!said.includes('raw value'));
      assert.equal(relay.track.length, 0);
      assert.equal(relay.serverProblem, null);
    });
  }
}

test('a row of 40 KB still goes out in pieces, before it has come whole', () => {
  for (const cut of [5, 30_000]) {
    const { client, database, toClient } = stand();
    client(query('rows 1'));
    database(reply(lenenc(1), column('v')));
    toClient();
    const row = packets(4, text('w'.repeat(40_000)));
    database(row.subarray(0, cut));
    assert.equal(toClient().length, cut);
    database(row.subarray(cut), packets(5, okEnd()));
    assert.equal(toClient().length, row.length - cut + 11);
  }
});

test('an error among the columns of a result ends it', () => {
  for (const sql of ['rows 1', 'rows 1 secret']) {
    const { relay, client, database, toClient } = stand();
    client(query(sql), query('rows 1 secret'));
    database(reply(lenenc(3), column('v'), failure()), SECRET);
    const said = toClient();
    assert.ok(said.includes(MASKED) && !said.includes('raw value'), sql);
    assert.deepEqual([relay.track.length, relay.serverProblem], [0, null]);
  }
});

test('an error among the definitions of a prepared statement ends them', () => {
  const { relay, client, database, toClient } = stand();
  client(command(Command.stmtPrepare, 'rows 1'), query('rows 1 secret'));
  const prepared = Buffer.concat([Buffer.from([0]), u32(1), u16(3), u16(0), Buffer.alloc(3)]);
  database(reply(prepared, column('v'), failure()), SECRET);
  const said = toClient();
  assert.ok(said.includes(MASKED) && !said.includes('raw value'));
  assert.deepEqual([relay.track.length, relay.serverProblem], [0, null]);
});

test('a result that is withheld ends with an error anywhere in it, and with the cursor that was opened for it', () => {
  const contradicted = (toy: Stand) => {
    toy.gate.plan = () => 'contradiction';
    return toy;
  };
  const broken = contradicted(stand());
  broken.client(query('rows 1 secret'), command(Command.ping));
  const more = okEnd(undefined, Status.autocommit | Status.moreResults);
  broken.database(reply(lenenc(1), column('secret'), text('raw value'), more, lenenc(2), column('v'), failure()));
  broken.database(ok(1, Status.autocommit));
  assert.ok(!broken.toClient().includes('raw value'));
  assert.deepEqual([broken.relay.track.length, broken.relay.serverProblem], [0, null]);

  const opened = contradicted(stand({ deprecateEof: false }));
  opened.client(command(Command.stmtPrepare, 'rows 1 secret'));
  const prepared = Buffer.concat([Buffer.from([0]), u32(1), u16(0), u16(0), Buffer.alloc(3)]);
  opened.database(reply(prepared));
  opened.client(command(Command.stmtExecute, execute(1, [], 1)), command(Command.ping));
  opened.database(reply(lenenc(1), column('secret'), eof(Status.cursorExists)), ok(1, Status.autocommit));
  assert.deepEqual([opened.relay.track.length, opened.relay.serverProblem], [0, null]);
});

test('of a row that does not fit its columns nothing goes out, what stands before it does', () => {
  const shape: Column[] = ['a', 'b'].map((name) => ({
    name,
    tableOid: 0,
    attribute: 0,
    typeOid: VAR_STRING,
    typeModifier: 0,
    format: 0,
  }));
  const form = rowForm([undefined, () => Buffer.from('masked')], shape, false);
  const good = packets(1, Buffer.concat([text('one'), text('secret')]));
  const bad = Buffer.concat([
    Buffer.alloc(3),
    packets(2, Buffer.concat([text('two'), text('secret'), text('more secrets')])),
  ]);
  const masker = new RowMasker();
  assert.equal(masker.row(good, 0, good.length, form), 1);
  assert.equal(masker.row(bad, 3, bad.length, form), -1);
  const out: Buffer[] = [];
  masker.drain((buffer, start, end) => out.push(Buffer.from(buffer.subarray(start, end))));
  assert.equal(
    Buffer.concat(out).toString('latin1'),
    packets(1, Buffer.concat([text('one'), text('masked')])).toString('latin1'),
  );
});

test('behind a masked row that takes fewer packets, sequence ids follow', () => {
  const { client, database, relay } = stand();
  client(query('rows 2 secret'));
  const more = okEnd(undefined, Status.autocommit | Status.moreResults);
  const long = text('x'.repeat(MAX + 10));
  database(reply(lenenc(1), column('secret'), long, text('raw'), more, lenenc(1), column('v'), text('w'), okEnd()));
  const said = relay.toClient.drain();
  const ids: number[] = [];
  for (let at = 0; at < said.length; at += 4 + said.readUIntLE(at, 3)) ids.push(said[at + 3] as number);
  assert.deepEqual(ids, [1, 2, 3, 4, 5, 6, 7, 8, 9]);
});

test('columns that never end are not held in memory without end', () => {
  const { client, database, relay } = stand();
  client(query('rows 1 secret'));
  database(packets(1, lenenc(4096)));
  const wide = packets(2, column('c'.repeat(4 * 1024 * 1024)));
  for (let i = 0; i < 20 && relay.serverProblem === null; i++) database(Buffer.from(wide));
  assert.match(relay.serverProblem ?? '', /too many bytes/);
});

test('texts of prepared statements are bounded together, and closing one makes room', () => {
  const { client, database, toClient, toServer } = stand();
  /** Whether it went on to the database. */
  const prepare = (n: number): boolean => {
    client(command(Command.stmtPrepare, `rows ${n} ${'x'.repeat(30_000)}`));
    if (toServer() === '') return false;
    database(reply(Buffer.concat([Buffer.from([0]), u32(n), u16(0), u16(0), Buffer.alloc(3)])));
    toClient();
    return true;
  };
  let n = 1;
  while (n < 2_000 && prepare(n)) n++;
  assert.ok(n > 1_000 && n < 1_200, `${n}`);
  assert.match(toClient(), /prepared statements/);
  client(command(Command.stmtClose, u32(1)));
  toServer();
  assert.deepEqual([prepare(n), prepare(n + 1)], [true, false]);
});

test('what was held and cannot go on is told to the session, and does not end the process', async () => {
  const { gate, toy, client, failures, toServer } = stand();
  client(query('later'));
  gate.begin = () => {
    throw new Error('the record cannot be written');
  };
  while (await toy.release());
  assert.deepEqual(
    failures.map(({ message }) => message),
    ['the record cannot be written'],
  );
  assert.equal(toServer(), '');
});

test('cursors are read only, or there are none', () => {
  const { client, database, toClient, toServer } = stand();
  client(command(Command.stmtPrepare, 'rows 1'));
  database(reply(Buffer.concat([Buffer.from([0]), u32(1), u16(0), u16(0), Buffer.alloc(3)])));
  toClient();
  toServer();
  for (const flags of [2, 4, 8, 9, 255]) {
    client(command(Command.stmtExecute, execute(1, [], flags)));
    assert.match(toClient(), /read only/, `${flags}`);
    assert.equal(toServer(), '');
  }
});

test('what is sent behind an execution that may move names waits for it', () => {
  const { client, database, toServer } = stand();
  client(command(Command.stmtPrepare, 'setpath x'));
  database(reply(Buffer.concat([Buffer.from([0]), u32(1), u16(0), u16(0), Buffer.alloc(3)])));
  toServer();
  client(command(Command.stmtExecute, execute(1)), query('rows 1'));
  assert.ok(!toServer().includes('rows 1'));
  database(ok(1, Status.autocommit));
  assert.ok(toServer().includes('rows 1'));
});

test('what changes anything is sent when nothing else is owed, and judged then', () => {
  const { toy, client, database, toClient, toServer } = stand();
  client(query('rows 1'), query('change a'), query('change b'));
  assert.ok(!toServer().includes('change'));
  database(reply(lenenc(1), column('v'), okEnd()));
  assert.match(toServer(), /change a$/);
  toClient();
  toy.end();
  database(ok(1, Status.autocommit));
  assert.equal(toServer(), '');
  assert.match(toClient(), /the grant is over/);
});

test('a client that does not wait for replies is not read where thousands of them are owed', async () => {
  const client = new PassThrough() as unknown as Socket;
  const server = new PassThrough() as unknown as Socket;
  const track = { length: 100_000 };
  const relay = {
    toServer: new Outbox(),
    toClient: new Outbox(),
    track,
    clientHeld: false,
    serverHeld: false,
    terminated: false,
    clientProblem: null,
    serverProblem: null,
    insideReply: false,
    sequence: 1,
    fromClient: () => {},
    fromServer: () => {},
    stop: () => {},
  };
  const turn = new Turn(() => {});
  const session = new WireSession({
    client,
    server,
    relay,
    lastWords: lastWords(relay),
    turn,
    stop: () => {},
    ended: () => {},
    warn: () => {},
  });
  session.start(Buffer.alloc(0), Buffer.alloc(0));
  assert.deepEqual([client.isPaused(), server.isPaused()], [true, false]);
  track.length = 10;
  session.wake();
  turn.end();
  assert.equal(client.isPaused(), false);
  client.destroy();
  server.destroy();
});

test('a database that lets the gateway in and then says nothing of use keeps no connection', async () => {
  const open = new Set<Socket>();
  let emptied = () => {};
  const database = createServer((socket) => {
    open.add(socket);
    socket.on('error', () => {});
    socket.on('close', () => {
      open.delete(socket);
      if (open.size === 0) emptied();
    });
    const scramble = Buffer.alloc(20, 0x61);
    const capabilities = OFFERED & ~Capability.ssl;
    socket.write(
      greeting({ version: '8.0.11', connectionId: 1, scramble, capabilities, plugin: 'mysql_native_password' }),
    );
    let known = false;
    socket.on('data', () => {
      socket.write(known ? err(1, { code: 1105, sqlstate: 'HY000', message: 'no' }) : ok(2, Status.autocommit));
      known = true;
    });
  });
  await new Promise<void>((resolve) => database.listen(0, '127.0.0.1', resolve));
  const { port } = database.address() as { port: number };
  const upstream = { protocol: 'mysql', host: '127.0.0.1', port, database: 'shop', user: 'u', password: 'p' } as const;
  const gateway = await startGateway({ upstream });
  try {
    const login = { ...(await gateway.login()), database: 'db' };
    for (let i = 0; i < 3; i++) await assert.rejects(rawClient(login), /cannot be reached/);
    if (open.size > 0) await new Promise<void>((resolve) => (emptied = resolve));
    assert.equal(open.size, 0);
  } finally {
    await gateway.stop();
    database.close();
  }
});

/** Resolves when the other side has let go of a socket: who writes to one that is gone is told. */
function letGo(socket: Socket): Promise<void> {
  return new Promise((resolve) => {
    const writing = setInterval(() => socket.write('x'), 20);
    socket.on('error', () => {});
    socket.on('close', () => {
      clearInterval(writing);
      resolve();
    });
  });
}

test('a client that is turned away, after its login or for want of room, and stays, is put out', async () => {
  const upstream = {
    protocol: 'mysql',
    host: '127.0.0.1',
    port: 1,
    database: 'shop',
    user: 'u',
    password: 'p',
  } as const;
  const gateway = await startGateway({ upstream, env: { SALLYPORT_MAX_SESSIONS: '1' } });
  const { user, password } = await gateway.login();
  const logIn = async () => {
    const socket = connect({ host: gateway.host, port: gateway.port, allowHalfOpen: true });
    const [greeted] = (await once(socket, 'data')) as [Buffer];
    const at = greeted.indexOf(0, 5) + 5;
    const scramble = Buffer.concat([greeted.subarray(at, at + 8), greeted.subarray(at + 27, at + 39)]);
    const plugin = 'mysql_native_password';
    const capabilities = OFFERED & ~Capability.ssl & ~Capability.connectAttrs;
    const response = nativeResponse(password, scramble);
    socket.write(handshakeResponse(1, { capabilities, collation: 45, user, response, database: 'other', plugin }));
    const [refused] = (await once(socket, 'data')) as [Buffer];
    return { socket, refused: refused.toString('latin1') };
  };
  try {
    const first = await logIn();
    assert.match(first.refused, /is not for database/);
    const second = await logIn();
    assert.match(second.refused, /no room for another session/);
    await Promise.all([letGo(first.socket), letGo(second.socket)]);
  } finally {
    await gateway.stop();
  }
});

for (const flavour of FLAVOURS) {
  test(`${flavour}: what a reset leaves is known, names are bytes, records hold no keys, nothing runs behind a grant's end`, async () => {
    const server = await startMysql(flavour, {
      sql: ['CREATE TABLE t (id INT PRIMARY KEY)', 'INSERT INTO t VALUES (1)'],
      settings: { 'general-log': true, 'general-log-file': 'general.log', 'log-output': 'FILE' },
    });
    const gateway = await startGateway({ upstream: server });
    try {
      await options(gateway);
      await names(gateway);
      await keys(gateway);
      await ahead(gateway, server);
    } finally {
      await gateway.stop();
      await server.stop();
    }
  });
}

const login = async (gateway: TestGateway, ...scopes: string[]) => ({
  ...(await gateway.login(scopes.length === 0 ? {} : { scopes })),
  database: 'shop',
});

/** COM_RESET_CONNECTION leaves COM_SET_OPTION as it was: a text behind code that nobody sees must still not run. */
async function options(gateway: TestGateway): Promise<void> {
  const client = await rawClient(await login(gateway, 'db:db:read+ddl+admin'), { multi: false });
  client.send(command(Command.setOption, Buffer.from([0, 0])));
  await client.next();
  await client.ask(Command.resetConnection);
  await client.ask(Command.query, 'CREATE PROCEDURE p() BEGIN SELECT 1; END; DELETE FROM t');
  const rows = await client.ask(Command.query, 'SELECT id FROM t');
  assert.equal(rows.length, 4, 'the row is still there');
  client.close();
}

async function names(gateway: TestGateway): Promise<void> {
  const client = await rawClient(await login(gateway));
  for (const [code, body] of [
    [Command.initDb, Buffer.from([0xff, 0xfe])],
    [Command.fieldList, Buffer.from([0xff, 0])],
  ] as const) {
    const [refused] = await client.ask(code, body);
    assert.equal(refused?.payload.readUInt16LE(1), 1142);
  }
  client.close();
}

async function keys(gateway: TestGateway): Promise<void> {
  const client = await rawClient(await login(gateway));
  const [prepared] = await client.ask(Command.stmtPrepare, "SELECT id, AES_ENCRYPT('x', 'the key itself') FROM t");
  const id = prepared?.payload.readUInt32LE(1) ?? 0;
  await client.ask(Command.stmtExecute, execute(id, [], 1));
  await client.ask(Command.stmtFetch, Buffer.concat([u32(id), u32(1)]));
  client.close();
  const { sessions } = await gateway.api<{ sessions: { id: string }[] }>('GET', '/v1/sessions');
  const records = JSON.stringify(await gateway.api('GET', `/v1/sessions/${sessions[0]?.id}/records`));
  assert.ok(records.includes('FETCH of: '));
  assert.ok(!records.includes('key itself'));
}

/** Commands that were sent ahead of their replies do not run when their grant is over. */
async function ahead(gateway: TestGateway, server: MysqlServer): Promise<void> {
  const { id, user, password } = await gateway.grant({ scopes: ['db:db:read+write'] });
  const { host, port } = gateway;
  const client = await rawClient({ host, port, user, password, database: 'shop' });
  const [, , row] = await client.ask(Command.query, 'SELECT CONNECTION_ID()');
  const own = row?.payload.toString('latin1', 1) ?? '';
  const root = await rawClient({ ...server });
  const rows = async (sql: string) => (await root.ask(Command.query, sql)).length - 3;
  const running = `SELECT 1 FROM information_schema.processlist WHERE id = ${own}`;
  const inserts = Array.from({ length: 100 }, (_, n) => query(`INSERT INTO t VALUES (${n + 2})`));
  client.send(Buffer.concat([query('SELECT SLEEP(600)'), ...inserts]));
  while ((await rows(`${running} AND info LIKE '%SLEEP%'`)) === 0);
  await gateway.api('POST', `/v1/grants/${id}/revoke`, { reason: 'enough' });
  while ((await rows(running)) > 0);
  assert.equal(await rows('SELECT id FROM t'), 1);
  root.close();
  client.close();
}
