// B5: a hostile database behind a real gateway: what it says during login and after, and that nobody but its own session suffers.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { after, test } from 'node:test';
import * as m from '../../src/wire/pg/messages.ts';
import { brief, raw } from '../peers/messages.ts';
import { connectRaw, logIn } from '../peers/raw.ts';
import { startGateway } from '../servers/gateway.ts';
import { stand } from './stand.ts';

const { client: open, database } = await stand();

/** What the database says in place of the truth, to a login and to a statement with `evil` in it; null is the truth. */
let lie: { readonly login: Buffer | null; readonly answer: Buffer | null } = { login: null, answer: null };

/** The real database, but for the lies. */
const sockets = new Set<Socket>();
const proxy = createServer((near) => {
  const far = connect({ host: database.host, port: database.port });
  for (const socket of [near, far]) {
    sockets.add(socket.on('error', () => {}));
    socket.on('close', () => {
      near.destroy();
      far.destroy();
    });
  }
  near.on('data', (chunk: Buffer) => {
    const lied = lie.login ?? (chunk.includes('evil') ? lie.answer : null);
    if (lied === null) far.write(chunk);
    else near.write(lied);
  });
  far.on('data', (chunk: Buffer) => near.write(chunk));
});
proxy.listen(0, '127.0.0.1');
await once(proxy, 'listening');

const gateway = await startGateway({
  upstream: { ...database, port: (proxy.address() as AddressInfo).port },
  connection: { tls: { mode: 'disable' } },
  env: { SALLYPORT_HANDSHAKE_TIMEOUT: '2s' },
});
after(async () => {
  await gateway.stop();
  for (const socket of sockets) socket.destroy();
  proxy.close();
});

async function client() {
  const { host, port } = gateway;
  const { user, password } = await gateway.grant();
  return logIn(await connectRaw(host, port), { host, port, user, password, database: 'db' });
}

const sasl = (kind: number, text: string) => raw('R', Buffer.concat([Buffer.of(0, 0, 0, kind), Buffer.from(text)]));
/** A message that promises 2 GiB and never ends. */
const endless = (type: string) =>
  Buffer.concat([Buffer.from(type), Buffer.of(0x7f, 0xff, 0xff, 0xff), Buffer.alloc(1000)]);

for (const [what, login] of [
  ['an endless nonce', Buffer.concat([sasl(10, 'SCRAM-SHA-256\0\0'), sasl(11, `r=${'n'.repeat(5000)},s=AAAA,i=4096`)])],
  ['a huge iteration count', Buffer.concat([sasl(10, 'SCRAM-SHA-256\0\0'), sasl(11, 'r=x,s=AAAA,i=2147483647')])],
  ['a proof that it was not asked for', sasl(12, 'v=AAAA')],
  ['a message that never ends', endless('R')],
  ['an error that never ends', endless('E')],
  ['an error without SQLSTATE', raw('E', 'SERROR\0Mno code\0\0')],
  ['a way to log in that nobody knows', raw('R', Buffer.of(0, 0, 0, 99))],
  ['another protocol', Buffer.from('HTTP/1.1 400 Bad Request\r\n\r\n')],
  ['an OK without an end', m.authenticationOk()],
] as const) {
  test(`B5 ${what} during login: the client is told 08006, without a word of the credential`, async () => {
    lie = { login, answer: null };
    const { greeting } = await client();
    const last = greeting.at(-1);
    assert.ok(last !== undefined);
    assert.equal(brief(last), 'E 08006');
    assert.ok(!last.body.includes(database.password));
    lie = { login: null, answer: null };
  });
}

for (const [what, answer] of [
  ['a row without a description of something else', Buffer.concat([raw('1'), raw('D', '\0\0')])],
  ['ParseComplete', raw('1')],
  ['CopyInResponse', raw('G', '\0\0\0')],
  ['CopyBothResponse', raw('W', '\0\0\0')],
  ['new cancel keys', m.backendKeyData(1, Buffer.alloc(4))],
  ['a demand for a password', raw('R', Buffer.of(0, 0, 0, 3))],
  ['a description that never ends', Buffer.concat([endless('T'), Buffer.alloc(1 << 20)])],
  ['a transaction status that is none', raw('Z', 'X')],
  ['another encoding', m.parameterStatus('client_encoding', 'SJIS')],
  ['strings read in another way', m.parameterStatus('standard_conforming_strings', 'off')],
] as const) {
  test(`B5 ${what} in place of an answer ends that session with FATAL 08006, and no other`, async () => {
    const bystander = await open();
    const victim = await client();
    lie = { login: null, answer };
    victim.send(m.query("select 'evil'"));
    assert.deepEqual(await victim.rest(), ['E 08006']);
    assert.deepEqual(await bystander.ask(m.query('select 1')), ['T', 'D 1', 'C SELECT 1', 'Z I']);
    bystander.close();
  });
}

test('B5 an error without a SQLSTATE is passed on, and the session goes on', async () => {
  const victim = await client();
  lie = { login: null, answer: Buffer.concat([raw('E', 'SERROR\0Mno code\0\0'), m.readyForQuery(m.Status.idle)]) };
  assert.deepEqual(await victim.ask(m.query("select 'evil'")), ['E ?', 'Z I']);
  assert.deepEqual(await victim.ask(m.query('select 1')), ['T', 'D 1', 'C SELECT 1', 'Z I']);
  victim.close();
});
