// F9: floods of connections that never log in, sessions up to their limit, guessing. Sources are addresses of the loopback network.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { after, test } from 'node:test';
import mysql from 'mysql2/promise';
import pg from 'pg';
import * as m from '../../src/wire/pg/messages.ts';
import { brief } from '../peers/messages.ts';
import { logIn, rawClient } from '../peers/raw.ts';
import { type GatewayOptions, startGateway } from '../servers/gateway.ts';
import { startPostgres } from '../servers/postgres.ts';

const database = await startPostgres({ sql: 'CREATE TABLE t (id int)' });
const stops: (() => Promise<void>)[] = [];
const sockets = new Set<Socket>();
after(async () => {
  for (const socket of sockets) socket.destroy();
  for (const stop of stops) await stop();
  await database.stop();
});

async function start(env: Record<string, string> = {}, upstream: GatewayOptions['upstream'] = database) {
  const gateway = await startGateway({ upstream, env });
  stops.push(gateway.stop);
  const { host, port } = gateway;
  const { api } = gateway.running.addresses;
  return {
    gateway,
    /** A connection from 127.0.0.`source`. */
    async arrive(source: number, bytes?: Buffer): Promise<Socket> {
      const socket = connect({ host, port, localAddress: `127.0.0.${source}` });
      sockets.add(socket);
      socket.on('error', () => {}).on('close', () => sockets.delete(socket));
      await once(socket, 'connect');
      socket.resume();
      if (bytes !== undefined) socket.write(bytes);
      return socket;
    },
    /** What a login with SCRAM reads last: `Z I`, or an error. */
    async attempt(source: number, user: string, password: string) {
      const socket = connect({ host, port, localAddress: `127.0.0.${source}` });
      sockets.add(socket);
      const client = await logIn(rawClient(socket), { host, port, user, password, database: 'db' });
      const last = client.greeting.at(-1);
      return { said: last === undefined ? 'end' : brief(last), body: last?.body.toString() ?? '', socket };
    },
    async failures(): Promise<string[]> {
      const text = await (await fetch(`http://${api.host}:${api.port}/metrics`)).text();
      return text.split('\n').filter((line) => line.startsWith('sallyport_login_failures_total{'));
    },
  };
}

const HALVES = {
  nothing: undefined,
  'one byte': Buffer.of(0),
  'a request for TLS': m.sslRequest(),
  'half a ClientHello': Buffer.from([0x16, 3, 1, 2, 0, 1]),
  'a startup packet': m.startupMessage(0x30000, [['user', 'gr_aaaaaaaaaaaaaaaa']]),
};

for (const [what, bytes] of Object.entries(HALVES)) {
  test(`F9 connections that send ${what}: the oldest give way, and who logs in is let in at once`, async () => {
    const { gateway, arrive, attempt } = await start({ SALLYPORT_MAX_LOGINS: '20', SALLYPORT_HANDSHAKE_TIMEOUT: '1h' });
    const { user, password } = await gateway.grant();
    const flood: Socket[] = [];
    for (let i = 0; i < 60; i++) flood.push(await arrive(1, bytes));
    // A source has half of the room.
    await Promise.all(flood.slice(0, 50).map((socket) => socket.closed || once(socket, 'close')));
    assert.equal((await attempt(2, user, password)).said, 'Z I');
    assert.equal((await attempt(1, user, password)).said, 'Z I', 'from the flooding source too');
    assert.equal(flood.filter(({ closed }) => !closed).length, 9);
  });
}

test('F9 two thousand silent connections from twenty sources: a thousand stay, who logs in is let in at once', async () => {
  const { gateway, arrive, attempt } = await start({ SALLYPORT_HANDSHAKE_TIMEOUT: '1h' });
  const { user, password } = await gateway.grant();
  const flood: Socket[] = [];
  for (let i = 0; i < 2_000; i += 20) {
    flood.push(...(await Promise.all(Array.from({ length: 20 }, (_, source) => arrive(10 + source)))));
  }
  assert.equal((await attempt(2, user, password)).said, 'Z I');
  await Promise.all(flood.slice(0, 1_000).map((socket) => socket.closed || once(socket, 'close')));
  const open = flood.filter(({ closed }) => !closed).length;
  assert.ok(open >= 999 && open <= 1_000, String(open));
});

test('F9 connections that have not logged in take no room of sessions, whose limit is told after login', async () => {
  const { gateway, arrive, attempt, failures } = await start({
    SALLYPORT_MAX_SESSIONS: '3',
    SALLYPORT_HANDSHAKE_TIMEOUT: '1h',
  });
  const { user, password } = await gateway.grant();
  for (let i = 0; i < 50; i++) await arrive(1);
  const sessions = [
    await attempt(1, user, password),
    await attempt(1, user, password),
    await attempt(1, user, password),
  ];
  assert.deepEqual(
    sessions.map(({ said }) => said),
    ['Z I', 'Z I', 'Z I'],
  );
  const full = await attempt(1, user, password);
  assert.equal(full.said, 'E 53300');
  assert.equal((await attempt(1, user, 'a guess')).said, 'E 28P01', 'nobody else is told');
  sessions[0]?.socket.destroy();
  full.socket.destroy();
  let again = await attempt(1, user, password);
  while (again.said === 'E 53300') {
    again.socket.destroy();
    again = await attempt(1, user, password);
  }
  assert.equal(again.said, 'Z I');
  assert.ok((await failures()).some((line) => /reason="room"\} [1-9]/.test(line)));
});

test('F9 guessing is slowed for its source; another source’s login goes by, the guessed one waits a second at most', async () => {
  const { gateway, attempt, failures } = await start();
  const [victim, other] = [await gateway.grant(), await gateway.grant()];
  const started = performance.now();
  for (let i = 0; i < 14; i++) assert.equal((await attempt(1, victim.user, `guess ${i}`)).said, 'E 28P01');
  // Before the eleventh 100 ms, then 200, 400, 800.
  assert.ok(performance.now() - started >= 1_500);
  const order: string[] = [];
  const told = (who: string) => (result: { said: string }) => void order.push(`${who} ${result.said}`);
  const guess = attempt(1, other.user, 'a guess').then(told('guesser'));
  await attempt(2, victim.user, victim.password).then(told('victim'));
  await attempt(2, other.user, other.password).then(told('other'));
  await guess;
  assert.deepEqual(order, ['victim Z I', 'other Z I', 'guesser E 28P01']);
  assert.deepEqual(await failures(), ['sallyport_login_failures_total{protocol="postgres",reason="secret"} 15']);
});

test('F9 a guesser reads the same for a login that is unknown, over or another’s, at both ports', async () => {
  const { gateway, attempt } = await start();
  const over = await gateway.grant();
  await gateway.api('POST', `/v1/grants/${over.id}/revoke`, { reason: 'a test' });
  const live = await gateway.grant();
  const words = new Set<string>();
  for (const [user, password] of [
    [live.user, 'wrong'],
    [over.user, over.password],
    ['gr_aaaaaaaaaaaaaaaa', 'wrong'],
    ['postgres', 'wrong'],
  ] as const) {
    const { said, body } = await attempt(1, user, password);
    assert.equal(said, 'E 28P01');
    words.add(body.replaceAll(user, 'somebody'));
  }
  assert.equal(words.size, 1, [...words].join('\n'));

  const shop = { protocol: 'mysql', host: '127.0.0.1', port: 1, database: 'shop', user: 'u', password: 'p' } as const;
  const { gateway: second, failures } = await start({}, shop);
  const [mine, past] = [await second.grant(), await second.grant()];
  await second.api('POST', `/v1/grants/${past.id}/revoke`, { reason: 'a test' });
  const said = new Set<string>();
  for (const ssl of [undefined, { rejectUnauthorized: false }]) {
    for (const [user, password] of [
      [mine.user, 'wrong'],
      [past.user, past.password],
      ['gr_aaaaaaaaaaaaaaaa', 'wrong'],
      ['root', 'wrong'],
    ] as const) {
      const login = { host: second.host, port: second.port, user, password, ...(ssl === undefined ? {} : { ssl }) };
      const error = await mysql.createConnection(login).then(
        () => assert.fail('let in'),
        ({ errno, message }: { errno: number; message: string }) => `${errno} ${message}`,
      );
      said.add(error.replaceAll(user, 'somebody'));
    }
  }
  assert.deepEqual([...said], ["1045 Access denied for user 'somebody' (using password: YES)"]);
  assert.deepEqual(await failures(), ['sallyport_login_failures_total{protocol="mysql",reason="secret"} 8']);
});

test('F9 forty logins at once are let in, and eighty idle sessions stay as they are through a flood', async () => {
  const { gateway, arrive } = await start({ SALLYPORT_MAX_LOGINS: '100', SALLYPORT_HANDSHAKE_TIMEOUT: '1h' });
  const login = await gateway.login();
  const clients = Array.from({ length: 80 }, () => new pg.Client(login));
  for (let i = 0; i < clients.length; i += 40) await Promise.all(clients.slice(i, i + 40).map((one) => one.connect()));
  for (let i = 0; i < 300; i++) await arrive(1);
  const answers = await Promise.all(clients.map((one) => one.query('SELECT 1 AS n')));
  assert.ok(answers.every(({ rows }) => rows[0]?.n === 1));
  await Promise.all(clients.map((one) => one.end()));
});
