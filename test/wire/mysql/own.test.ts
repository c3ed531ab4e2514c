// Statements of the gateway's own among those of the database: in their order, with sequence ids that follow, in both protocols of
// rows, and nothing of them goes on.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Fields } from '../../../src/wire/mysql/decode.ts';
import { FRAME, FrameReader } from '../../../src/wire/mysql/frame.ts';
import { Command, command } from '../../../src/wire/mysql/messages.ts';
import { Relay } from '../../../src/wire/mysql/relay.ts';
import { toyGate } from '../../peers/gate.ts';
import { mysqlBackend } from '../../peers/mysql-backend.ts';
import { execute, type Packet, u32 } from '../../peers/mysql-raw.ts';

const OWN = ['gr_toy', 'toy', 'db', '', 'active', '1970-01-01T00:00:00.000Z'];

/** Plays a client against the scripted database; its bytes are cut once, at `at`. */
function play(client: Buffer, at: number, deprecateEof: boolean) {
  const toy = toyGate({ masks: false });
  const backend = mysqlBackend({ deprecateEof });
  const relay = new Relay({
    gate: toy.gate,
    // Autocommit, and a change of the session that the reply before has told of.
    status: 0x4002,
    maxStatementBytes: 1 << 20,
    deprecateEof,
    pins: [],
    check: '',
    multiStatements: true,
    kill: () => false,
    wake: () => {},
  });
  const sent: Buffer[] = [];
  const read: Buffer[] = [];
  for (const piece of [client.subarray(0, at), client.subarray(at)]) {
    relay.fromClient(Buffer.from(piece));
    for (;;) {
      read.push(relay.toClient.drain());
      const bytes = relay.toServer.drain();
      if (bytes.length === 0) break;
      sent.push(bytes);
      backend.push(bytes);
      relay.fromServer(backend.take());
    }
  }
  assert.deepEqual([relay.clientProblem, relay.serverProblem], [null, null]);
  return { read: Buffer.concat(read), sent: Buffer.concat(sent), toy };
}

/** What the client reads, the same at every cut; and that the database has read nothing of it. */
function told(deprecateEof: boolean, ...client: Buffer[]) {
  const bytes = Buffer.concat(client);
  const whole = play(bytes, bytes.length, deprecateEof);
  for (let at = 0; at < bytes.length; at++) {
    const { read, sent } = play(bytes, at, deprecateEof);
    assert.deepEqual(read, whole.read, `cut at ${at}`);
    assert.ok(!/sallyport/i.test(sent.toString('latin1')));
  }
  const packets: Packet[] = [];
  const reader = new FrameReader(1 << 24);
  reader.push(whole.read);
  while (reader.next() === FRAME.whole) packets.push({ sequence: reader.sequence, payload: reader.payload() });
  assert.equal(reader.rest.length, 0);
  return { ...whole, packets };
}

/** The packets of one result, from its number of columns on. */
function result(packets: readonly Packet[], at: number, deprecateEof: boolean) {
  const columns = packets[at]?.payload[0] ?? 0;
  const length = 1 + columns + (deprecateEof ? 0 : 1) + 2;
  const all = packets.slice(at, at + length);
  assert.deepEqual(
    all.map(({ sequence }) => sequence),
    all.map((_, i) => i + 1),
  );
  const names = all.slice(1, 1 + columns).map(({ payload }) => {
    const fields = new Fields(payload);
    for (let skipped = 0; skipped < 4; skipped++) fields.lenencText();
    return fields.lenencText();
  });
  return { names, row: all.at(-2)?.payload ?? Buffer.alloc(0), end: all.at(-1)?.payload, length };
}

const NAMES = ['grant', 'task', 'connection', 'scopes', 'state', 'expires_at', 'seconds_left', 'approvals_waiting'];

for (const deprecateEof of [true, false]) {
  const form = deprecateEof ? 'OK at the end' : 'EOF at the end';

  test(`a text, between two others, ${form}`, () => {
    const { packets, toy } = told(
      deprecateEof,
      command(Command.query, 'sallyport Status ; -- x'),
      command(Command.ping),
    );
    const { names, row, end, length } = result(packets, 0, deprecateEof);
    assert.deepEqual(names, NAMES);
    const fields = new Fields(row);
    assert.deepEqual(
      names.map(() => fields.lenencText()),
      [...OWN, '60', '0'],
    );
    assert.equal(end?.[0], 0xfe);
    assert.equal(end?.readUInt16LE(3), 2, 'the status of the session');
    assert.equal(packets.length, length + 1);
    const [entry] = toy.record;
    assert.deepEqual([entry?.phase, entry?.verdict.action, entry?.verdict.rule], ['query', 'allow', 'sallyport']);
    assert.equal(entry?.outcome?.rows, 1);
    assert.ok((entry?.outcome?.result?.length ?? 0) > 100);
  });

  test(`a prepared statement: its columns at once, its rows in binary, its id its own, ${form}`, () => {
    const id = 0xf000_0000;
    const { packets, toy } = told(
      deprecateEof,
      command(Command.stmtPrepare, 'SALLYPORT STATUS'),
      command(Command.stmtExecute, execute(id, [], 1)),
      command(Command.stmtReset, u32(id)),
      command(Command.stmtClose, u32(id)),
      command(Command.stmtExecute, execute(id)),
    );
    const [first] = packets;
    assert.deepEqual([first?.payload[0], first?.payload.readUInt32LE(1), first?.payload.readUInt16LE(5)], [0, id, 8]);
    const behind = 1 + 8 + (deprecateEof ? 0 : 1);
    const { names, row, length } = result(packets, behind, deprecateEof);
    assert.deepEqual(names, NAMES);
    const fields = new Fields(row, 3);
    assert.deepEqual(
      OWN.map(() => fields.lenencText()),
      OWN,
    );
    assert.deepEqual([fields.uint(4), fields.uint(4), fields.left], [60, 0, 0]);
    const [reset, gone] = packets.slice(behind + length);
    assert.equal(reset?.payload[0], 0);
    assert.equal(gone?.payload.readUInt16LE(1), 1243);
    assert.deepEqual(
      toy.record.map(({ phase, outcome }) => [phase, outcome === null]),
      [
        ['parse', false],
        ['execute', false],
      ],
    );
  });

  test(`COMPLETE answers when its turn has come, and nothing behind it runs, ${form}`, () => {
    const { packets, sent, toy } = told(
      deprecateEof,
      command(Command.query, 'rows 1'),
      command(Command.query, 'SALLYPORT COMPLETE'),
      command(Command.query, 'change x'),
    );
    const last = packets.at(-1)?.payload;
    assert.deepEqual([last?.[0], last?.readUInt16LE(1)], [0xff, 1142]);
    assert.ok(packets.some(({ payload }) => payload.includes('completed')));
    assert.ok(sent.includes('rows 1') && !sent.includes('change x'));
    assert.deepEqual(toy.completed, ['gr_toy']);
  });
}

test('an unknown one is refused with those that there are', () => {
  const { packets, sent } = told(
    true,
    command(Command.query, 'SALLYPORT HELP'),
    command(Command.stmtPrepare, 'SALLYPORT STATUS; DROP TABLE t'),
    command(Command.ping),
  );
  const [one, two, pong] = packets.map(({ payload }) => payload);
  for (const error of [one, two]) {
    assert.deepEqual([error?.[0], error?.readUInt16LE(1)], [0xff, 1142]);
    assert.match(error?.toString() ?? '', /SALLYPORT STATUS .*SALLYPORT COMPLETE/);
  }
  assert.equal(pong?.[0], 0);
  assert.deepEqual(sent, command(Command.ping));
});
