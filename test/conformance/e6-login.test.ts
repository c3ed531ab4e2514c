// E6: a hostile database behind a real gateway, and the ways to log in at its MySQL port.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { after, test } from 'node:test';
import mysql from 'mysql2/promise';
import { Command, err, Reply } from '../../src/wire/mysql/messages.ts';
import { rawClient } from '../peers/mysql-raw.ts';
import { startGateway } from '../servers/gateway.ts';
import { FLAVOURS, type MysqlFlavour } from '../servers/mysql.ts';
import { EVERYTHING, failureOf, mysqlStand, rowsOf, send } from './mysql-attacks.ts';

const packet = (sequence: number, payload: Buffer | string) => {
  const body = Buffer.from(payload as string, 'latin1');
  return Buffer.concat([Buffer.of(body.length & 0xff, body.length >> 8, 0, sequence), body]);
};

async function startLying(flavour: MysqlFlavour) {
  const stand = await mysqlStand(flavour);
  const { server } = stand;

  /** What the database says in place of its greeting, and to a statement with `evil` in it; null is the truth. What it was told. */
  const lie: { greeting: Buffer | null; answer: Buffer | null; told: Buffer[] } = {
    greeting: null,
    answer: null,
    told: [],
  };
  const sockets = new Set<Socket>();
  const proxy = createServer((near) => {
    sockets.add(near.on('error', () => {}));
    if (lie.greeting !== null) {
      near.write(lie.greeting);
      near.on('data', (chunk: Buffer) => {
        lie.told.push(chunk);
        near.destroy();
      });
      return;
    }
    const far = connect({ host: server.host, port: server.port });
    sockets.add(far.on('error', () => {}));
    near.on('close', () => far.destroy());
    far.on('close', () => near.destroy());
    near.on('data', (chunk: Buffer) => {
      if (lie.answer !== null && chunk.includes('evil')) near.write(lie.answer);
      else far.write(chunk);
    });
    far.on('data', (chunk: Buffer) => near.write(chunk));
  });
  proxy.listen(0, '127.0.0.1');
  await once(proxy, 'listening');
  const gateway = await startGateway({
    upstream: { ...server, port: (proxy.address() as AddressInfo).port },
    connection: { tls: { mode: 'disable' } },
    env: { SALLYPORT_HANDSHAKE_TIMEOUT: '1s' },
  });
  after(async () => {
    await gateway.stop();
    for (const socket of sockets) socket.destroy();
    proxy.close();
  });
  return { stand, gateway, lie };
}

const STANDS = await Promise.all(FLAVOURS.map(startLying));

for (const { stand, gateway, lie } of STANDS) {
  const { flavour, server } = stand;
  const client = async () => rawClient({ ...(await gateway.login({ scopes: [EVERYTHING] })), database: 'shop' });

  for (const [what, answer] of [
    ['a demand for a file of the client', packet(1, '\xfb/etc/passwd')],
    ['a result of no end of columns', packet(1, '\xfd\xff\xff\xff')],
    ['rows without columns', packet(1, '\x00')],
    ['an empty packet', packet(1, '')],
    ['two answers', Buffer.concat([packet(1, '\0\0\0\x02\0\0\0'), packet(1, '\0\0\0\x02\0\0\0')])],
  ] as const) {
    test(`E6 ${flavour}: ${what} in place of an answer ends that session alone, and goes to nobody`, async () => {
      const [victim, bystander] = [await client(), await client()];
      lie.answer = answer;
      victim.read.length = 0;
      victim.send(Buffer.concat([Buffer.of(14, 0, 0, 0, Command.query), Buffer.from("SELECT 'evil'")]));
      let last = await victim.next();
      while (last.payload[0] !== Reply.err) last = await victim.next();
      assert.ok([1105, 1835].includes(last.payload.readUInt16LE(1)), last.payload.toString());
      await assert.rejects(victim.next());
      const read = Buffer.concat(victim.read).toString('latin1');
      assert.ok(!read.includes(server.password) && !/\xfb\/etc/.test(read));
      lie.answer = null;
      assert.deepEqual(rowsOf(await send(bystander, 'SELECT 1')), [['1']]);
      bystander.close();
    });
  }

  for (const [what, greeting] of [
    ['another protocol', Buffer.from('SSH-2.0-OpenSSH_9.6\r\n')],
    ['an old protocol', packet(0, '\x095.0.0\0')],
    ['an error', err(0, { code: 1040, sqlstate: '08004', message: 'Too many connections' })],
    ['a packet that never ends', Buffer.concat([Buffer.of(0xff, 0xff, 0xff, 0), Buffer.alloc(70_000)])],
    ['nothing', Buffer.alloc(0)],
    ['a login plugin that sends the password in clear', greetingOf('mysql_clear_password')],
    ['a login plugin that nobody knows', greetingOf('dialog')],
  ] as const) {
    test(`E6 ${flavour}: ${what} as the database’s greeting is 1429 to the client, without a word of the credential`, async () => {
      lie.greeting = greeting;
      const failed = await client().then(
        () => assert.fail('it was let in'),
        (error: Error) => error.message,
      );
      lie.greeting = null;
      assert.ok(!failed.includes(server.password), failed);
      assert.ok(!Buffer.concat(lie.told).includes(server.password), 'it was told the password');
      assert.match(failed, /1429|cannot be reached/);
    });
  }

  for (const [what, options] of [
    ['fast, without TLS', {}],
    ['over TLS', { ssl: { rejectUnauthorized: false } }],
    ['compressed where that were offered', { compress: true }],
  ] as const) {
    test(`E6 ${flavour}: a grant’s secret logs in ${what}; a wrong one and an unknown login do not, in the same words`, async () => {
      const { host, port } = stand.gateway;
      const { user, password } = await stand.gateway.grant();
      const open = (login: object) => mysql.createConnection({ host, port, user, password, ...options, ...login });
      const connection = await open({});
      assert.deepEqual((await connection.query({ sql: 'SELECT 1', rowsAsArray: true }))[0], [[1]]);
      await connection.end();
      const words = new Set<string>();
      for (const wrong of [
        { password: `${password}x` },
        { password: '' },
        { user: 'gr_nobody' },
        { user: '' },
        { password: 'x'.repeat('ssl' in options ? 300 : 200) },
      ]) {
        const { code, message } = await open(wrong).then(
          () => assert.fail(`let in: ${JSON.stringify(wrong)}`),
          (error: { code: string; message: string }) => error,
        );
        assert.equal(code, 'ER_ACCESS_DENIED_ERROR', message);
        words.add(message.replace(/'.*'/, "'…'").replace(/YES|NO/, '?'));
      }
      assert.equal(words.size, 1, [...words].join());
    });
  }

  test(`E6 ${flavour}: scrambles hold no NUL, and no two are alike`, async () => {
    const seen = new Set<string>();
    for (let i = 0; i < 50; i++) {
      const socket = connect({ host: stand.gateway.host, port: stand.gateway.port });
      const [greeting] = (await once(socket, 'data')) as [Buffer];
      socket.destroy();
      const at = greeting.indexOf(0, 5) + 5;
      const scramble = Buffer.concat([greeting.subarray(at, at + 8), greeting.subarray(at + 27, at + 39)]);
      assert.ok(!scramble.includes(0), scramble.toString('hex'));
      seen.add(scramble.toString('hex'));
    }
    assert.equal(seen.size, 50);
  });

  test(`E6 ${flavour}: LOAD DATA LOCAL is refused under every grant, and no file is asked for`, async () => {
    const attacker = await stand.connect(EVERYTHING);
    const sql = "LOAD DATA LOCAL INFILE '/etc/passwd' INTO TABLE notes (body)";
    assert.equal(failureOf(await send(attacker.client, sql))?.code, 1142);
    const hidden = failureOf(await send(attacker.client, `/*!50000 ${sql} */`));
    assert.ok(hidden !== null, 'the database was offered no LOCAL');
    assert.deepEqual(rowsOf(await send(attacker.client, 'SELECT 1')), [['1']]);
  });
}

/** A database's greeting that wants this plugin. */
function greetingOf(plugin: string): Buffer {
  const capabilities = 0x81bff7df;
  const head = Buffer.concat([Buffer.from('\x0a9.0.0\0\x01\0\0\0abcdefgh\0', 'latin1'), Buffer.alloc(2 + 1 + 2 + 2)]);
  const at = head.length - 7;
  head.writeUInt16LE(capabilities & 0xffff, at);
  head[at + 2] = 45;
  head.writeUInt16LE(2, at + 3);
  head.writeUInt16LE(capabilities >>> 16, at + 5);
  return packet(0, Buffer.concat([head, Buffer.of(21), Buffer.alloc(10), Buffer.from(`ijklmnopqrst\0${plugin}\0`)]));
}
