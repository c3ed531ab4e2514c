// B1, B2, B3, B4: messages that are not for this moment, encryption requests, versions and options, lengths.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { test } from 'node:test';
import { connect as connectTls } from 'node:tls';
import * as m from '../../src/wire/pg/messages.ts';
import { bind, copyData, copyDone, functionCall, parse, raw } from '../peers/messages.ts';
import { connectRaw, logIn, rawClient } from '../peers/raw.ts';
import { stand, WRITE } from './stand.ts';

const { client: open, watcher, gateway, until } = await stand();
const { host, port } = gateway;
const ONE = ['T', 'D 1', 'C SELECT 1', 'Z I'];
const SSL_REQUEST = m.sslRequest();
const GSSENC_REQUEST = Buffer.from([0, 0, 0, 8, 4, 0xd2, 0x16, 0x30]);

async function lines(): Promise<number> {
  const { rows } = await watcher.query<{ n: number }>('select count(*)::int as n from log');
  await watcher.query('truncate log');
  return rows[0]?.n ?? -1;
}

/** What a fresh connection is answered, up to its end. */
async function answered(...bytes: Buffer[]): Promise<string> {
  const socket = connect({ host, port });
  socket.on('error', () => {});
  let read = '';
  socket.on('data', (chunk: Buffer) => {
    read += chunk.toString('latin1');
  });
  socket.write(Buffer.concat(bytes));
  await new Promise((resolve) => socket.once('close', resolve));
  return read;
}

test('B1 FunctionCall by OID is refused, in its place, and the next query is answered', async () => {
  const client = await open(WRITE);
  const { rows } = await watcher.query<{ oid: number }>("select 'pg_sleep'::regproc::oid::int as oid");
  const read = await client.ask([m.query('select 1'), functionCall(rows[0]?.oid ?? 0, '60'), m.query('select 1')], 3);
  assert.deepEqual(read, [...ONE, 'E 42501', 'Z I', ...ONE]);
});

test('B1 replication connections are refused', async () => {
  for (const replication of ['true', 'database', 'on', '1']) {
    const client = await open(WRITE, { parameters: { replication } });
    assert.equal(client.greeting.at(-1)?.type, 'E');
  }
  await until('select count(*)::int from pg_stat_replication', 0);
});

test('B1 CopyData, CopyDone and CopyFail outside a COPY are ignored', async () => {
  const client = await open(WRITE);
  const read = await client.ask([copyData('x\n'), copyDone(), m.copyFail('x'), m.query('select 1')]);
  assert.deepEqual(read, ONE);
});

test('B1 CopyFail ends a COPY; Flush inside one changes nothing; its rows are gone, the session goes on', async () => {
  const client = await open(WRITE);
  const read = await client.ask(
    [m.query('copy log from stdin'), copyData('a\n'), m.flush(), m.copyFail('no'), m.query('select 1')],
    2,
  );
  assert.deepEqual(read, ['G', 'E 57014', 'Z I', ...ONE]);
  assert.equal(await lines(), 0);
});

test('B1 a COPY by the extended protocol, with the Sync behind Execute that libpq sends, comes to its end', async () => {
  const client = await open(WRITE);
  const copy = [parse('', 'copy log from stdin'), bind('', ''), m.execute('', 0), m.sync()];
  const read = await client.ask([...copy, copyData('a\nb\n'), m.flush(), copyData('c\n'), copyDone(), m.sync()]);
  assert.deepEqual(read, ['1', '2', 'G', 'C COPY 3', 'Z I']);
  assert.equal(await lines(), 3);
});

test('B1 a Sync behind data of a COPY ends the COPY, whatever has become of it', async () => {
  const client = await open({ scopes: ['db:db:read+write'] });
  for (const data of ['a\n', 'a\tone column too many\n']) {
    const read = await client.ask([m.query('copy log from stdin'), copyData(data), m.sync(), m.query('select 1')], 3);
    assert.match(read.join(' '), /^G E (57014|22P04) Z I Z I T D 1 C SELECT 1 Z I$/);
  }
  assert.equal(await lines(), 0);
});

test('B1 a query inside a COPY ends the session, nothing of either is kept', async () => {
  const client = await open(WRITE);
  client.send(m.query('copy log from stdin'), copyData('a\n'), m.query('insert into log values (1)'));
  assert.deepEqual((await client.rest()).slice(-1), ['E 08P01']);
  await until("select count(*)::int from pg_stat_activity where query like 'copy log%' and state = 'active'", 0);
  assert.equal(await lines(), 0);
});

test('B1 a COPY that fails in the middle of a large message is not followed by what stands inside the message', async () => {
  const client = await open(WRITE);
  const smuggled = Buffer.concat(Array.from({ length: 4000 }, () => m.query("insert into log values ('smuggled')")));
  client.send(m.query('copy items from stdin'), copyData('not a number\tx\n'));
  assert.equal((await client.next())?.type, 'G');
  // The error is on its way while the first part of the next message passes.
  const large = copyData(smuggled);
  client.send(large.subarray(0, 100_000));
  assert.equal((await client.next())?.type, 'E');
  assert.equal((await client.next())?.type, 'Z');
  client.send(large.subarray(100_000));
  assert.deepEqual(await client.ask(m.query('select 1')), ONE);
  assert.equal(await lines(), 0);
});

test('B1 messages that no client sends end the session', async () => {
  for (const message of [raw('W'), raw('Z', 'I'), raw('R', '\0\0\0\0'), raw('\u007f'), raw('p', 'x\0'), raw('G')]) {
    const client = await open(WRITE);
    client.send(m.query('select 1'), message, m.query("insert into log values ('after')"));
    assert.equal((await client.rest()).at(-1), 'E 08P01');
  }
  assert.equal(await lines(), 0);
});

test('B2 plaintext behind SSLRequest or GSSENCRequest in the same segment is refused', async () => {
  const startup = m.startupMessage(0x30000, [['user', 'gr_x']]);
  for (const request of [SSL_REQUEST, GSSENC_REQUEST]) {
    const read = await answered(request, startup);
    assert.match(read, /^E.*08P01/s);
    assert.doesNotMatch(read, /SCRAM/);
  }
});

test('B2 GSSENCRequest is answered N, then SSLRequest S; direct TLS needs ALPN; TLS in TLS is refused', async () => {
  const socket = connect({ host, port });
  socket.write(GSSENC_REQUEST);
  assert.equal(String((await once(socket, 'data'))[0]), 'N');
  socket.write(SSL_REQUEST);
  assert.equal(String((await once(socket, 'data'))[0]), 'S');
  const secure = connectTls({ socket, rejectUnauthorized: false, ALPNProtocols: ['postgresql'] });
  await once(secure, 'secureConnect');
  secure.on('error', () => {});
  let read = '';
  secure.on('data', (chunk: Buffer) => {
    read += chunk.toString('latin1');
  });
  secure.write(SSL_REQUEST);
  await new Promise((resolve) => secure.once('close', resolve));
  assert.match(read, /^E/);
  for (const ALPNProtocols of [[], ['http/1.1']]) {
    const direct = connectTls({ host, port, rejectUnauthorized: false, ALPNProtocols });
    direct.on('error', () => {});
    direct.on('secureConnect', () => direct.write(m.startupMessage(0x30000, [['user', 'gr_x']])));
    let said = 0;
    direct.on('data', (chunk: Buffer) => {
      said += chunk.length;
    });
    await new Promise((resolve) => direct.once('close', resolve));
    assert.equal(said, 0);
  }
});

test('B2 a whole session over direct TLS', async () => {
  const login = await gateway.login();
  const socket = connectTls({ host, port, rejectUnauthorized: false, ALPNProtocols: ['postgresql'] });
  await once(socket, 'secureConnect');
  // Plain SCRAM: the offer of the channel is for clients that can.
  const client = await logIn(rawClient(socket), login);
  assert.deepEqual(await client.ask(m.query('select 1')), ONE);
  client.close();
});

test('B3 protocol 3.2 gets a long cancel key, 3.0 one of 4 bytes; later minors and unknown options are negotiated', async () => {
  const plain = await open();
  assert.equal(plain.secret.length, 4);
  const newer = await open({}, { version: 0x30002 });
  assert.equal(newer.secret.length, 32);
  assert.ok(!newer.greeting.some(({ type }) => type === 'v'));
  const newest = await open({}, { version: 0x3270f, parameters: { '_pq_.wishful': '1' } });
  const negotiated = newest.greeting.find(({ type }) => type === 'v');
  assert.equal(negotiated?.body.readInt32BE(0), 0x30002);
  assert.equal(negotiated?.body.toString('latin1', 8), '_pq_.wishful\0');
  assert.deepEqual(await newest.ask(m.query('select 1')), ONE);
  assert.match(await answered(m.startupMessage(0x20000, [])), /^E/);
  assert.match(await answered(m.startupMessage(0x40000, [['user', 'gr_x']])), /^E.*0A000/s);
});

test('B4 lengths below 4, negative, of 1 GiB and beyond what is held end the session before anything is waited for', async () => {
  for (const length of [0, 3, -1, -2147483648, 2147483647, 1 << 30]) {
    const client = await open(WRITE);
    const bad = Buffer.from('Q0000select 1\0');
    bad.writeInt32BE(length, 1);
    client.send(bad);
    assert.deepEqual(await client.rest(), ['E 08P01']);
  }
  for (const length of [0, 3, 7, -1, 2147483647, 10_001]) {
    const bytes = Buffer.alloc(8);
    bytes.writeInt32BE(length);
    assert.equal(await answered(bytes), '');
  }
});

test('B4 a session of every kind of message, a byte at a time', async () => {
  const client = await open(WRITE);
  const bytes = Buffer.concat([
    m.query('select 1'),
    parse('s', 'select $1::text'),
    m.describeStatement('s'),
    bind('p', 's', ['x']),
    m.describePortal('p'),
    m.execute('p', 0),
    m.closePortal('p'),
    m.sync(),
    m.query('copy log from stdin'),
    copyData('a\n'),
    copyDone(),
    m.query('delete from log'),
  ]);
  for (const byte of bytes) {
    client.socket.write(Buffer.of(byte));
    await new Promise((resolve) => setImmediate(resolve));
  }
  const extended = ['1', 't', 'T', '2', 'T', 'D x', 'C SELECT 1', '3', 'Z I'];
  assert.deepEqual(await client.ask([], 4), [...ONE, ...extended, 'G', 'C COPY 1', 'Z I', 'E 42501', 'Z I']);
  assert.equal(await lines(), 1);
});

test('B4 names of statements and portals are as long as the database compares, and no longer', async () => {
  const longest = 'n'.repeat(63);
  const client = await open();
  const fits = [parse(longest, 'select 1'), bind(longest, longest), m.execute(longest, 0), m.sync()];
  assert.deepEqual(await client.ask(fits), ['1', '2', 'D 1', 'C SELECT 1', 'Z I']);
  for (const message of [
    parse(`${longest}x`, 'select 1'),
    m.closeStatement(`${longest}x`),
    m.execute('n'.repeat(1 << 20), 0),
  ]) {
    const other = await open();
    other.send(message, m.sync());
    assert.deepEqual(await other.rest(), ['E 08P01']);
  }
});

test('B4 bodies that are cut short or have a byte too many end the session', async () => {
  for (const message of [
    raw('Q', 'select 1'),
    raw('Q', 'select 1\0;'),
    raw('P', '\0select 1\0\0'),
    raw('B', '\0\0\0\0\0\u0001\0\0\0\u0009x\0\0'),
    raw('E', '\0\0\0'),
    raw('D', 'X\0'),
    raw('C', 'S'),
  ]) {
    const client = await open(WRITE);
    client.send(message, m.sync());
    assert.deepEqual(await client.rest(), ['E 08P01']);
  }
});

test('B4 the login a byte at a time', async () => {
  const login = await gateway.login();
  const client = await connectRaw(host, port);
  const { socket } = client;
  const write = socket.write.bind(socket);
  socket.write = ((bytes: Buffer) => {
    for (const byte of bytes) write(Buffer.of(byte));
    return true;
  }) as typeof socket.write;
  await logIn(client, login);
  assert.deepEqual(await client.ask(m.query('select 1')), ONE);
  client.close();
});
