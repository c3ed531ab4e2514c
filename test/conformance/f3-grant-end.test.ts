// F3 on PostgreSQL: a grant that ends in the middle of something ends that too, in the gateway and in the database.
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import pg from 'pg';
import * as m from '../../src/wire/pg/messages.ts';
import { bind, brief, copyData, copyDone, parse } from '../peers/messages.ts';
import { connectRaw, logIn, type RawClient } from '../peers/raw.ts';
import type { GrantOptions } from '../servers/gateway.ts';
import { stand, WRITE } from './stand.ts';

interface Notice {
  readonly severity?: string | undefined;
  readonly code?: string | undefined;
  readonly message?: string | undefined;
  readonly hint?: string | undefined;
}

const { gateway, watcher, until } = await stand();

const clients: RawClient[] = [];
after(() => {
  for (const client of clients) client.close();
});

/** A session whose grant can be ended, known to the database by a name. */
async function begin(name: string, options: GrantOptions = WRITE) {
  const { id, user, password } = await gateway.grant(options);
  const login = { host: gateway.host, port: gateway.port, user, password, database: 'db' };
  const client = await logIn(await connectRaw(login.host, login.port), login, {
    parameters: { application_name: name },
  });
  clients.push(client);
  return {
    client,
    login,
    revoke: () => gateway.api('POST', `/v1/grants/${id}/revoke`, { reason: 'a test' }),
    gone: () => until(`SELECT count(*)::int FROM pg_stat_activity WHERE application_name = '${name}'`, 0),
    /** Until the database says that its session waits for this. */
    waits: (event: string) =>
      until(`SELECT wait_event FROM pg_stat_activity WHERE application_name = '${name}'`, event),
  };
}

/** Reads on until a message of this type. */
async function reads(client: RawClient, type: string): Promise<void> {
  for (let message = await client.next(); message?.type !== type; message = await client.next()) {
    assert.ok(message !== null, 'the connection has ended');
  }
}

const count = async (sql: string) =>
  (await watcher.query<{ n: number }>(`SELECT count(*)::int AS n ${sql}`)).rows[0]?.n;

async function assertOver({ client, gone, login }: Awaited<ReturnType<typeof begin>>): Promise<void> {
  const last = await client.last();
  assert.equal(last === null ? null : brief(last), 'E 57P01');
  assert.match(
    last?.body.toString() ?? '',
    /the grant gr_\w+ has .*sallyport grants request --connection db --scope /s,
  );
  await gone();
  await assert.rejects(new pg.Client(login).connect(), { code: '28P01' });
}

test('F3 in the middle of pg_sleep', async () => {
  const session = await begin('sleeping');
  session.client.send(m.query('SELECT pg_sleep(600)'));
  await session.waits('PgSleep');
  await session.revoke();
  await assertOver(session);
});

test('F3 in the middle of a transaction: it is rolled back, and its locks are gone', async () => {
  const session = await begin('transaction');
  const read = await session.client.ask(
    [m.query('BEGIN'), m.query("UPDATE items SET name = 'changed' WHERE id = 1")],
    2,
  );
  assert.deepEqual(read.slice(-2), ['C UPDATE 1', 'Z T']);
  await session.revoke();
  await assertOver(session);
  await watcher.query("SET lock_timeout = '5s'; UPDATE items SET name = name WHERE id = 1");
  assert.equal(await count("FROM items WHERE name = 'changed'"), 0);
});

test('F3 in the middle of COPY FROM STDIN: nothing of it stays', async () => {
  const session = await begin('copying in');
  session.client.send(m.query('COPY log FROM STDIN'));
  await reads(session.client, 'G');
  session.client.send(copyData('one\ntwo\nhal'));
  await session.revoke();
  await assertOver(session);
  session.client.send(copyData('f\n'), copyDone());
  assert.equal(await count('FROM log'), 0);
});

test('F3 in the middle of COPY TO STDOUT', async () => {
  const session = await begin('copying out');
  session.client.send(m.query("COPY (SELECT repeat('x', 1000), generate_series(1, 100000000)) TO STDOUT"));
  await reads(session.client, 'd');
  session.client.socket.pause();
  await session.revoke();
  session.client.socket.resume();
  await assertOver(session);
});

test('F3 between two reads of a cursor, and of a portal that is open', async () => {
  const cursor = await begin('cursor');
  const declare = 'DECLARE c CURSOR FOR SELECT * FROM items ORDER BY id';
  const read = await cursor.client.ask([m.query('BEGIN'), m.query(declare), m.query('FETCH 2 FROM c')], 3);
  assert.deepEqual(read.slice(-2), ['C FETCH 2', 'Z T']);
  await cursor.revoke();
  cursor.client.send(m.query('FETCH 2 FROM c'));
  await assertOver(cursor);

  const portal = await begin('portal');
  const query = parse('', 'SELECT id FROM items ORDER BY id');
  portal.client.send(m.query('BEGIN'), query, bind('p', ''), m.execute('p', 2), m.flush());
  await reads(portal.client, 's');
  await portal.revoke();
  portal.client.send(m.execute('p', 2), m.sync());
  const said = await portal.client.rest();
  assert.ok(!said.some((one) => one.startsWith('D')), said.join());
  assert.equal(said.at(-1), 'E 57P01');
  await portal.gone();
});

test('F3 in the middle of a pipeline of prepared statements: what stands behind does not run, what stood before is undone', async () => {
  const session = await begin('pipeline');
  const prepared = [parse('write', 'INSERT INTO log VALUES ($1)'), parse('sleep', 'SELECT pg_sleep(600)'), m.sync()];
  assert.deepEqual(await session.client.ask(prepared), ['1', '1', 'Z I']);
  session.client.send(
    ...[bind('', 'write', ['before']), m.execute('', 0)],
    ...[bind('', 'sleep'), m.execute('', 0)],
    ...[bind('', 'write', ['behind']), m.execute('', 0), m.sync()],
    ...[bind('', 'write', ['another pipeline']), m.execute('', 0), m.sync()],
    m.query("INSERT INTO log VALUES ('last')"),
  );
  await session.waits('PgSleep');
  await session.revoke();
  await assertOver(session);
  assert.equal(await count('FROM log'), 0);
});

test('F3 at its deadline, to the statement that runs and to the session that is idle', async () => {
  const running = await begin('late', { ttl: '1s' });
  const idle = await logIn(await connectRaw(gateway.host, gateway.port), running.login);
  clients.push(idle);
  running.client.send(m.query('SELECT pg_sleep(600)'));
  await assertOver(running);
  assert.deepEqual(await idle.rest(), ['E 57P01']);
});

test('F3 a wall clock that is set back gives a grant no more time, one that is set forward takes it away; it is told ahead', async () => {
  const real = Date.now;
  after(() => {
    Date.now = real;
  });
  const back = await begin('set back', { ttl: '2s' });
  Date.now = () => real() - 3_600_000;
  assert.deepEqual(await back.client.rest(), ['E 57P01']);
  Date.now = real;

  const { user, password } = await gateway.grant({ ttl: '20m' });
  const login = { host: gateway.host, port: gateway.port, user, password, database: 'db' };
  const client = new pg.Client(login);
  const notices: Notice[] = [];
  const ended = new Promise<pg.DatabaseError>((resolve) => {
    client.on('error', (error) => resolve(error as pg.DatabaseError));
  });
  const notice = () => new Promise<Notice>((resolve) => client.once('notice', resolve));
  client.on('notice', (one) => notices.push(one));
  await client.connect();
  for (const [minutes, said] of [
    [18, /ends in (2 min|1 min 5\d s), at /],
    [19, /ends in (1 min|5\d s), at /],
  ] as const) {
    const next = notice();
    Date.now = () => real() + minutes * 60_000;
    const { severity, code, message, hint } = await next;
    assert.deepEqual([severity, code], ['NOTICE', '01000']);
    assert.match(message ?? '', said);
    assert.match(hint ?? '', /sallyport grants request --connection db --scope db:db:read/);
    assert.deepEqual((await client.query('SELECT 1 AS n')).rows, [{ n: 1 }]);
  }
  Date.now = () => real() + 20 * 60_000;
  assert.equal((await ended).code, '57P01');
  Date.now = real;
  assert.equal(notices.length, 2, 'each once');
});
