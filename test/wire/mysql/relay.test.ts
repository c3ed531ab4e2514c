// The relay against a scripted database: whatever a client sends, however the bytes of both directions are cut and whenever they
// come, the client reads what a server would have said that refuses and masks by itself, and nothing refused reaches the database.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { FRAME, FrameReader } from '../../../src/wire/mysql/frame.ts';
import { Command, command } from '../../../src/wire/mysql/messages.ts';
import { Relay } from '../../../src/wire/mysql/relay.ts';
import { toyGate } from '../../peers/gate.ts';
import { mysqlBackend } from '../../peers/mysql-backend.ts';
import { execute, u32 } from '../../peers/mysql-raw.ts';

/** Chooses what happens next: a number below `n`. */
type Choose = (n: number) => number;

function relayOf(toy: ReturnType<typeof toyGate>, deprecateEof: boolean): Relay {
  return new Relay({
    gate: toy.gate,
    status: 2,
    maxStatementBytes: 1 << 20,
    deprecateEof,
    pins: [],
    check: '',
    multiStatements: true,
    kill: () => false,
    wake: () => {},
  });
}

/** Plays a client's bytes against the database through a relay until nothing moves any more. */
async function play(client: Buffer, choose: Choose, deprecateEof: boolean) {
  const toy = toyGate();
  const backend = mysqlBackend({ deprecateEof });
  const relay = relayOf(toy, deprecateEof);
  const toClient: Buffer[] = [];
  const toServer: Buffer[] = [];
  let unsent = client;
  let wire: Buffer = Buffer.alloc(0);
  const piece = (bytes: Buffer) =>
    bytes.subarray(0, 1 + choose(choose(2) === 0 ? Math.min(bytes.length, 8) : bytes.length));
  for (;;) {
    const moves: (() => void)[] = [];
    if (unsent.length > 0 && !relay.clientHeld) {
      moves.push(() => {
        const chunk = piece(unsent);
        unsent = unsent.subarray(chunk.length);
        relay.fromClient(Buffer.from(chunk));
      });
    }
    if (!relay.toServer.empty) {
      moves.push(() => {
        const bytes = relay.toServer.drain();
        toServer.push(bytes);
        backend.push(bytes);
        wire = Buffer.concat([wire, backend.take()]);
      });
    }
    if (wire.length > 0 && !relay.serverHeld) {
      moves.push(() => {
        const chunk = piece(wire);
        wire = wire.subarray(chunk.length);
        relay.fromServer(Buffer.from(chunk));
      });
    }
    const move = moves[choose(Math.max(1, moves.length))];
    // A promise is let go where nothing else can move, and now and then before.
    if (move === undefined || choose(8) === 0) {
      const released = await toy.release();
      if (move === undefined && !released) break;
    }
    move?.();
    toClient.push(relay.toClient.drain());
    assert.equal(relay.serverProblem, null);
    assert.equal(relay.clientProblem, null);
  }
  toClient.push(relay.toClient.drain());
  return {
    toClient: Buffer.concat(toClient),
    toServer: Buffer.concat(toServer),
    backend,
    toy,
    relay,
    left: unsent.length,
  };
}

/** Packets in a comparable form; of an error the code alone, whose words are the gateway's own or withheld. */
function said(bytes: Buffer): string[] {
  const reader = new FrameReader(1 << 24);
  const shown: string[] = [];
  reader.push(bytes);
  while (reader.next() === FRAME.whole) {
    const payload = reader.payload();
    const what = payload[0] === 0xff ? `error ${payload.readUInt16LE(1)}` : payload.toString('latin1');
    shown.push(`${reader.sequence} ${what}`);
  }
  assert.equal(reader.rest.length, 0, 'whole packets');
  return shown;
}

const whole: Choose = (n) => n - 1;

/** Choices from a list, again and again. */
function from(numbers: readonly number[]): Choose {
  let i = 0;
  return (n) => (numbers.length === 0 ? 0 : (numbers[i++ % numbers.length] ?? 0) % n);
}

const text = fc.constantFrom(
  'rows 0',
  'rows 3',
  'rows 5 secret',
  'rows 5 secret late',
  'rows 4 later',
  'rows 4 secret later',
  'rows 4 break',
  'rows 4 secret break',
  'rows 2 wide',
  'rows 2 wide secret',
  'rows 30 mid',
  `rows 1 ${'x'.repeat(33_000)}`,
  'insert one',
  'begin',
  'commit',
  '',
  'fail',
  'deny',
  'deny later',
  `deny ${'y'.repeat(33_000)}`,
);
const texts = fc.oneof(
  { weight: 5, arbitrary: text },
  { weight: 2, arbitrary: fc.array(text, { minLength: 2, maxLength: 3 }).map((list) => list.join(';')) },
);
const preparable = fc.constantFrom(
  'rows 3',
  'rows 3 ?',
  'rows 4 secret ?',
  'rows 2 secret late',
  'insert ?',
  'deny ?',
  'fail',
  'rows 2 later ?',
);
const id = fc.constantFrom(1, 2, 3);
const parameter = fc.constantFrom('1', null, 'deny', 'z'.repeat(300));

const longData = (statement: number, piece: string) =>
  command(Command.stmtSendLongData, Buffer.concat([u32(statement), Buffer.from([0, 0]), Buffer.from(piece)]));

/** Any command at any moment; with more of what drivers send. Executions tell parameters for statements without one too. */
const message = fc.oneof(
  { weight: 5, arbitrary: texts.map((sql) => command(Command.query, sql)) },
  { weight: 7, arbitrary: preparable.map((sql) => command(Command.stmtPrepare, sql)) },
  {
    weight: 5,
    arbitrary: fc
      .tuple(id, parameter, fc.constantFrom(0, 0, 1))
      .map(([statement, value, cursor]) => command(Command.stmtExecute, execute(statement, [value], cursor))),
  },
  { weight: 2, arbitrary: id.map((statement) => command(Command.stmtExecute, execute(statement))) },
  {
    weight: 2,
    arbitrary: fc
      .tuple(id, fc.constantFrom(1, 2, 9))
      .map(([statement, n]) => command(Command.stmtFetch, Buffer.concat([u32(statement), u32(n)]))),
  },
  {
    weight: 1,
    arbitrary: fc.tuple(id, fc.constantFrom('a', 'deny')).map(([statement, piece]) => longData(statement, piece)),
  },
  { weight: 1, arbitrary: id.map((statement) => command(Command.stmtClose, u32(statement))) },
  { weight: 1, arbitrary: id.map((statement) => command(Command.stmtReset, u32(statement))) },
  { weight: 2, arbitrary: fc.constant(command(Command.ping)) },
  { weight: 1, arbitrary: fc.constant(command(0x0d)) },
);

const conversation = fc.array(message, { maxLength: 12 }).map((list) => [...list, command(Command.query, 'rows 1')]);

test('any conversation, cut anywhere and in any order of events, gives what a server would say that refuses by itself', async () => {
  await fc.assert(
    fc.asyncProperty(
      conversation,
      fc.boolean(),
      fc.array(fc.nat(1 << 16), { minLength: 1, maxLength: 60 }),
      async (messages, deprecateEof, numbers) => {
        const client = Buffer.concat(messages);
        const oracle = mysqlBackend({ deprecateEof, judge: true });
        oracle.push(client);
        const want = said(oracle.take());
        for (const choose of [whole, from(numbers)]) {
          const run = await play(client, choose, deprecateEof);
          assert.ok(!run.backend.ran.some((one) => one.includes('deny')), 'nothing refused runs');
          assert.ok(!run.toClient.includes('secret 1'), 'no cell passes that should be masked');
          assert.equal(run.left, 0, 'the client’s bytes are all read');
          // What a wrong number of parameters is answered with is each server's own.
          const plain = (list: string[]) => list.map((line) => line.replace(/error (1210|1243)$/, 'error'));
          assert.deepEqual(plain(said(run.toClient)), plain(want));
          assert.equal(run.relay.track.length, 0, 'nothing is owed');
          for (const { verdict, outcome } of run.toy.record) {
            if (verdict.action === 'allow') assert.notEqual(outcome, null, 'what ran has its outcome in the record');
          }
        }
      },
    ),
    { numRuns: 300 },
  );
});

test('random bytes of either side never throw, and are never held without bound', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.boolean(), fc.uint8Array({ maxLength: 200 })), { maxLength: 20 }), (chunks) => {
      const relay = relayOf(toyGate(), true);
      for (const [client, bytes] of chunks) {
        if (relay.clientProblem !== null || relay.serverProblem !== null) return;
        if (client && !relay.clientHeld) relay.fromClient(Buffer.from(bytes));
        else if (!client && !relay.serverHeld) relay.fromServer(Buffer.from(bytes));
      }
    }),
    { numRuns: 500 },
  );
});

test('nothing that is held runs after the session has ended', async () => {
  const toy = toyGate();
  const relay = relayOf(toy, true);
  relay.fromClient(command(Command.query, 'insert later'));
  assert.ok(relay.clientHeld);
  relay.stop();
  while (await toy.release());
  assert.ok(relay.toServer.empty);
});

test('what is executed or fetched after the grant has ended is refused', () => {
  const toy = toyGate();
  const relay = relayOf(toy, true);
  const backend = mysqlBackend({ deprecateEof: true });
  const turn = (bytes: Buffer) => {
    relay.fromClient(bytes);
    backend.push(relay.toServer.drain());
    relay.fromServer(backend.take());
    return said(relay.toClient.drain());
  };
  turn(command(Command.stmtPrepare, 'rows 3'));
  turn(command(Command.stmtExecute, execute(1, [], 1)));
  toy.end();
  assert.deepEqual(turn(command(Command.stmtFetch, Buffer.concat([u32(1), u32(1)]))), ['1 error 1142']);
  assert.deepEqual(turn(command(Command.stmtExecute, execute(1))), ['1 error 1142']);
  assert.deepEqual(turn(command(Command.query, 'rows 1')), ['1 error 1142']);
});

test('parameters sent in pieces are held within one bound a session, and what is cut is not executed', () => {
  const relay = relayOf(toyGate(), true);
  const backend = mysqlBackend({ deprecateEof: true });
  const turn = (bytes: Buffer) => {
    relay.fromClient(bytes);
    backend.push(relay.toServer.drain());
    relay.fromServer(backend.take());
    return said(relay.toClient.drain());
  };
  for (let i = 0; i < 3; i++) turn(command(Command.stmtPrepare, 'insert ?'));
  const half = 'x'.repeat(600_000);
  turn(longData(1, half));
  turn(longData(2, half));
  assert.deepEqual(turn(command(Command.stmtExecute, execute(2, ['']))), ['1 error 1153']);
  turn(command(Command.stmtReset, u32(1)));
  turn(command(Command.stmtReset, u32(2)));
  turn(longData(3, half));
  assert.equal(turn(command(Command.stmtExecute, execute(3, ['']).subarray(0, 13))).length, 1);
  for (let i = 0; i < 10_000; i++) turn(longData(1, ''));
  assert.deepEqual(turn(command(Command.stmtExecute, execute(1, ['']))), ['1 error 1153']);
});
