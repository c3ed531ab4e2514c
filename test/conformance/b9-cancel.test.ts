// B9, B10: cancelling, leaving, and what a database says between rows; the end of a grant in the middle of anything.
import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp } from 'node:fs/promises';
import { type AddressInfo, connect } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { connect as connectTls, createServer as createTlsServer } from 'node:tls';
import { endPointHash, selfSigned } from '../../src/wire/certificate.ts';
import * as m from '../../src/wire/pg/messages.ts';
import { bind, brief, copyData, copyDone, parse } from '../peers/messages.ts';
import { connectRaw, logIn, rawClient } from '../peers/raw.ts';
import { stand, WRITE } from './stand.ts';

const ADMIN = { scopes: ['db:db:read+write+ddl+admin'] };
const { client: open, watcher, until, gateway } = await stand({ connection: {} });
const { host, port } = gateway;
const ASLEEP = "select count(*)::int from pg_stat_activity where wait_event = 'PgSleep'";
const SLEEP = m.query('select pg_sleep(600)');

/** Sends a CancelRequest; resolves when the gateway has closed its connection, which it does without a word. */
async function cancel(pid: number, secret: Buffer): Promise<void> {
  const socket = connect({ host, port });
  socket.on('data', () => assert.fail('a cancel is not answered'));
  socket.write(m.cancelRequest(pid, secret));
  await once(socket, 'close');
}

test('B9 a CancelRequest with the keys that the gateway gave cancels in the database, with short and with long keys', async () => {
  for (const version of [0x30000, 0x30002]) {
    const client = await open(ADMIN, { version });
    client.send(SLEEP);
    await until(ASLEEP, 1);
    await cancel(client.pid, client.secret);
    const read = await client.ask([]);
    assert.deepEqual(read.slice(-2), ['E 57014', 'Z I']);
    assert.deepEqual(await client.ask(m.query('select 1')), ['T', 'D 1', 'C SELECT 1', 'Z I']);
  }
});

test('B9 the database’s own keys are not given away, and do not work at the gateway', async () => {
  const client = await open(ADMIN);
  const { rows } = await watcher.query<{ pids: number[] }>('select array_agg(pid) as pids from pg_stat_activity');
  assert.ok(!rows[0]?.pids.includes(client.pid));
});

test('B9 foreign keys, wrong ones, cut ones and stale ones cancel nothing', async () => {
  const [victim, other, gone] = [await open(ADMIN), await open(ADMIN, { version: 0x30002 }), await open(ADMIN)];
  gone.close();
  victim.send(SLEEP);
  await until(ASLEEP, 1);
  await cancel(victim.pid, other.secret);
  await cancel(victim.pid, other.secret.subarray(0, 4));
  await cancel(victim.pid, Buffer.concat([victim.secret, Buffer.alloc(28)]));
  await cancel(other.pid, victim.secret);
  await cancel(gone.pid, gone.secret);
  await cancel(victim.pid ^ 1, victim.secret);
  await watcher.query(ASLEEP);
  await until(ASLEEP, 1);
  await cancel(victim.pid, victim.secret);
  assert.deepEqual((await victim.ask([])).slice(-2), ['E 57014', 'Z I']);
});

for (const [how, leave] of [
  ['says nothing', (client: Awaited<ReturnType<typeof open>>) => client.socket.destroy()],
  ['resets the connection', (client: Awaited<ReturnType<typeof open>>) => client.socket.resetAndDestroy()],
  ['sends Terminate', (client: Awaited<ReturnType<typeof open>>) => client.send(m.terminate())],
] as const) {
  test(`B9 a client that leaves in the middle of a statement and ${how}: it is cancelled, its transaction is gone`, async () => {
    const client = await open(ADMIN);
    await client.ask([m.query('begin'), m.query("insert into log values ('left')")], 2);
    client.send(SLEEP);
    await until(ASLEEP, 1);
    leave(client);
    await until(ASLEEP, 0);
    await until("select count(*)::int from pg_stat_activity where state = 'idle in transaction'", 0);
  });
}

test('B9 what is held for a verdict when its client leaves never runs', async () => {
  const client = await open(WRITE);
  // Too long for the event loop: it is understood by a worker, meanwhile the client goes.
  const text = `insert into log values ('${'held '.repeat(200_000)}')`;
  client.send(m.query(text));
  client.socket.resetAndDestroy();
  const next = await open(WRITE);
  await next.ask(m.query(text.replace('held', 'done')));
  const { rows } = await watcher.query("select count(*)::int as n from log where line like 'held%'");
  assert.deepEqual(rows, [{ n: 0 }]);
  await watcher.query('truncate log');
});

test('B10 notices, notifications and parameter changes between rows reach the client in their place', async () => {
  const client = await open(ADMIN);
  await client.ask(m.query('listen news'));
  const sql = `do $$ begin raise notice 'note'; perform pg_notify('news', 'payload'); end $$; select 1; set timezone to 'Asia/Tokyo'; select 2`;
  const read = await client.ask([m.query(sql), m.query('select 3')], 2);
  const order = read.filter((one) => !['T', 'C SELECT 1'].includes(one));
  assert.deepEqual(
    order.filter((one) => one !== 'A'),
    ['N', 'C DO', 'D 1', 'C SET', 'D 2', 'S', 'Z I', 'D 3', 'Z I'],
  );
  assert.equal(order.filter((one) => one === 'A').length, 1);
});

test('B10 SCRAM-PLUS holds with the gateway’s certificate, and fails through something that ends TLS in between', async () => {
  const login = await gateway.login();
  const options = { rejectUnauthorized: false, ALPNProtocols: ['postgresql'] };
  const direct = connectTls({ host, port, ...options });
  await once(direct, 'secureConnect');
  const certificate = direct.getPeerX509Certificate();
  assert.ok(certificate !== undefined);
  const honest = await logIn(rawClient(direct), login, { endPoint: endPointHash(certificate.raw) ?? Buffer.alloc(0) });
  assert.equal(honest.greeting.at(-1)?.type, 'Z');
  honest.close();

  const own = await selfSigned(await mkdtemp(join(gateway.dir, 'between-')));
  const between = createTlsServer({ cert: own.cert, key: own.key, ALPNProtocols: ['postgresql'] }, (near) => {
    const far = connectTls({ host, port, ...options });
    for (const socket of [near, far]) socket.on('error', () => {});
    near.pipe(far).pipe(near);
  });
  between.listen(0, '127.0.0.1');
  await once(between, 'listening');
  const through = connectTls({ host, port: (between.address() as AddressInfo).port, ...options });
  await once(through, 'secureConnect');
  const seen = endPointHash(new X509Certificate(own.cert).raw) ?? Buffer.alloc(0);
  const fooled = await logIn(rawClient(through), login, { endPoint: seen });
  assert.deepEqual(fooled.greeting.slice(-1).map(brief), ['E 28000']);
  fooled.close();
  between.close();
});

test('B10 a notification comes while nothing runs', async () => {
  const client = await open();
  await client.ask(m.query('listen news'));
  await watcher.query("notify news, 'hello'");
  assert.equal((await client.next())?.type, 'A');
});

for (const [where, prepare, types] of [
  ['a sleep', [SLEEP], ['T']],
  [
    'an open portal',
    [m.query('begin'), parse('', 'select * from items'), bind('', ''), m.execute('', 1), m.sync()],
    ['s', 'Z'],
  ],
  ['a COPY', [m.query('copy log from stdin'), copyData('a\n')], ['G']],
  ['nothing', [m.query('select 1')], ['Z']],
] as const) {
  test(`B7 the end of a grant in the middle of ${where}: FATAL 57P01, and the database runs nothing more`, async () => {
    const { id, user, password } = await gateway.grant(ADMIN);
    const login = { host, port, user, password, database: 'db' };
    const parameters = { application_name: `in ${where}` };
    const client = await logIn(await connectRaw(host, port), login, { parameters });
    client.send(...prepare);
    if (where === 'a sleep') await until(ASLEEP, 1);
    else
      for (let seen = types.length; seen > 0; ) if ((await client.next())?.type === types[types.length - seen]) seen--;
    await gateway.api('POST', `/v1/grants/${id}/revoke`, { reason: 'a test' });
    client.send(copyData('b\n'), copyDone(), m.query("insert into log values ('late')"));
    const read = await client.rest();
    assert.equal(read.at(-1), 'E 57P01', read.join());
    await until(`select count(*)::int from pg_stat_activity where application_name = 'in ${where}'`, 0);
    await until('select count(*)::int from log', 0);
    const again = await logIn(await connectRaw(host, port), login);
    assert.equal(again.greeting.at(-1)?.type, 'E', 'the login is over too');
  });
}

test('B7 a deadline ends a sleep by itself', async () => {
  const client = await open({ ...ADMIN, ttl: '1s' });
  client.send(SLEEP);
  assert.equal((await client.rest()).at(-1), 'E 57P01');
  await until(ASLEEP, 0);
});

test('B7 the end of a grant while a result streams: whole messages, then FATAL 57P01', async () => {
  for (const row of ['1', "repeat('x', 20000)"]) {
    const { id, user, password } = await gateway.grant(ADMIN);
    const login = { host, port, user, password, database: 'db' };
    const client = await logIn(await connectRaw(host, port), login, { parameters: { application_name: 'streaming' } });
    client.send(m.query(`select generate_series(1, 100000000), ${row}`));
    while ((await client.next())?.type !== 'D');
    client.socket.pause();
    await until("select wait_event from pg_stat_activity where application_name = 'streaming'", 'ClientWrite');
    await gateway.api('POST', `/v1/grants/${id}/revoke`, { reason: 'a test' });
    client.socket.resume();
    assert.equal((await client.last())?.type, 'E');
    await until("select count(*)::int from pg_stat_activity where application_name = 'streaming'", 0);
  }
});

test('B10 what was sent behind a statement does not run when the grant has ended under it', async () => {
  await watcher.query('truncate log');
  const { id, user, password } = await gateway.grant(WRITE);
  const parameters = { application_name: 'far ahead' };
  const login = { host, port, user, password, database: 'db' };
  const client = await logIn(await connectRaw(host, port), login, { parameters });
  client.send(Buffer.concat([SLEEP, ...Array.from({ length: 200 }, () => m.query("insert into log values ('late')"))]));
  await until(ASLEEP, 1);
  await gateway.api('POST', `/v1/grants/${id}/revoke`, { reason: 'a test' });
  await until("select count(*)::int from pg_stat_activity where application_name = 'far ahead'", 0);
  const { rows } = await watcher.query<{ n: number }>('select count(*)::int as n from log');
  assert.equal(rows[0]?.n, 0);
  client.close();
});
