// B11: clients that do not read, send without reading, send slowly, or have gone; and B4's flood of failures in one pipeline.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { test } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import * as m from '../../src/wire/pg/messages.ts';
import { bind, functionCall, parse } from '../peers/messages.ts';
import { stand, WRITE } from './stand.ts';

const MIB = 1 << 20;
const {
  client: open,
  watcher,
  until,
  gateway,
} = await stand({
  connection: {},
  env: { SALLYPORT_HANDSHAKE_TIMEOUT: '1s', SALLYPORT_IDLE_TIMEOUT: '2s' },
});

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

/** How much more this thread, in which the gateway runs, holds after `work`: heap and buffers that are alive, MiB. */
async function growth(work: () => Promise<void>): Promise<number> {
  const held = () => {
    collect();
    const { heapUsed, external } = process.memoryUsage();
    return heapUsed + external;
  };
  const before = held();
  await work();
  return (held() - before) / MIB;
}

test('B11 a client that stops reading a result of 1,000,000 rows stops the database, and memory stays flat', async () => {
  const client = await open(WRITE, { parameters: { application_name: 'stalled' } });
  const waiting = "select wait_event from pg_stat_activity where application_name = 'stalled'";
  const grown = await growth(async () => {
    client.socket.pause();
    client.send(m.query("select n, repeat('x', 200) from generate_series(1, 1000000) n"));
    await until(waiting, 'ClientWrite');
  });
  assert.ok(grown < 48, `grew by ${grown} MiB`);
  // Reading on, it gets every row.
  let rows = 0;
  client.socket.resume();
  for (let message = await client.next(); message !== null && message.type !== 'Z'; message = await client.next()) {
    if (message.type === 'D') rows++;
  }
  assert.equal(rows, 1_000_000);
  client.close();
});

test('B11 other sessions are served while one stalls, and a stalled client that goes takes its statement along', async () => {
  const client = await open(WRITE, { parameters: { application_name: 'going' } });
  client.socket.pause();
  client.send(m.query('select generate_series(1, 100000000)'));
  await until("select wait_event from pg_stat_activity where application_name = 'going'", 'ClientWrite');
  const other = await open();
  assert.deepEqual(await other.ask(m.query('select 1')), ['T', 'D 1', 'C SELECT 1', 'Z I']);
  client.socket.resetAndDestroy();
  await until("select count(*)::int from pg_stat_activity where application_name = 'going'", 0);
});

for (const [what, message] of [
  ['queries', m.query('select repeat($$x$$, 10000)')],
  ['refused calls', functionCall(1)],
  ['executions', Buffer.concat([parse('', 'select repeat($$x$$, 10000)'), bind('', ''), m.execute('', 0), m.sync()])],
] as const) {
  test(`B11 a client that sends ${what} without reading is no longer read itself, and memory stays flat`, async () => {
    const client = await open(WRITE);
    client.socket.pause();
    const flood = Buffer.concat(Array.from({ length: Math.ceil(MIB / message.length) }, () => message));
    const grown = await growth(async () => {
      // Until the gateway takes no more: nothing goes out for a while of other work.
      for (let sent = 0; sent < 64; sent++) {
        client.socket.write(flood);
        const left = client.socket.writableLength;
        for (let i = 0; i < 5; i++) await watcher.query('select 1');
        if (sent > 8 && client.socket.writableLength >= left && left > 0) break;
      }
    });
    // The flood itself waits in this process too, 1 MiB a piece.
    assert.ok(grown < 64 + client.socket.writableLength / MIB, `grew by ${grown} MiB`);
    assert.ok(client.socket.writableLength > 0, 'the client is not read any more');
    client.close();
  });
}

test('B11 a pipeline of 50,000 failures does not keep the others waiting for its length', async () => {
  const [client, other] = [await open(WRITE), await open(WRITE)];
  const failing = Buffer.concat([parse('', 'select nothing'), m.sync()]);
  const counted = client.ask(
    Array.from({ length: 50_000 }, () => failing),
    50_000,
  );
  assert.deepEqual(await other.ask(m.query('select 1')), ['T', 'D 1', 'C SELECT 1', 'Z I']);
  const read = await counted;
  assert.equal(read.filter((one) => one === 'E 42703').length, 50_000);
});

test('B11 a client that sends a byte now and then is served when it has sent a statement', async () => {
  const client = await open();
  for (const byte of m.query('select 1')) {
    client.socket.write(Buffer.of(byte));
    await watcher.query('select 1');
  }
  assert.deepEqual(await client.ask([]), ['T', 'D 1', 'C SELECT 1', 'Z I']);
});

test('B11 a connection that does not log in is closed at the handshake’s deadline, whatever it has sent by then', async () => {
  for (const bytes of [Buffer.alloc(0), Buffer.of(0), m.sslRequest(), m.startupMessage(0x30000, [['user', 'gr_x']])]) {
    const socket = connect({ host: gateway.host, port: gateway.port });
    socket.on('error', () => {});
    socket.write(bytes);
    socket.resume();
    await once(socket, 'close');
  }
});

test('B11 a session whose client says nothing any more is ended, with FATAL 57P05 and in the database too', async () => {
  const client = await open(WRITE, { parameters: { application_name: 'silent' } });
  assert.deepEqual(await client.rest(), ['E 57P05']);
  await until("select count(*)::int from pg_stat_activity where application_name = 'silent'", 0);
});
