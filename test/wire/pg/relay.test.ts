// The relay against a scripted backend: whatever a client sends, however the bytes of both directions are cut and whenever they
// come, the client reads what a server would have said that refuses and masks by itself, and nothing refused reaches the database.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import * as m from '../../../src/wire/pg/messages.ts';
import { Relay } from '../../../src/wire/pg/relay.ts';
import { scriptedBackend } from '../../peers/backend.ts';
import { toyGate } from '../../peers/gate.ts';
import { bind, brief, copyData, copyDone, cut, functionCall, parse } from '../../peers/messages.ts';

/** Chooses what happens next: a number below `n`. */
type Choose = (n: number) => number;

interface Run {
  readonly toClient: Buffer;
  readonly toServer: Buffer;
  readonly backend: ReturnType<typeof scriptedBackend>;
  readonly toy: ReturnType<typeof toyGate>;
  readonly relay: Relay;
  /** Bytes of the client that were not taken. */
  readonly left: number;
}

/** Plays a client's bytes against the backend through a relay until nothing moves any more. */
async function play(client: Buffer, choose: Choose, masks = true): Promise<Run> {
  const toy = toyGate({ masks });
  const backend = scriptedBackend();
  const relay = new Relay({ gate: toy.gate, maxStatementBytes: 1 << 20, wake: () => {} });
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
        // Nothing leaves that is not in the record.
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
    if (relay.clientProblem !== null) break;
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

/** What a server would say that refuses and masks by itself. */
function expected(client: Buffer) {
  const oracle = scriptedBackend({ judge: true });
  oracle.push(client);
  return { said: said(oracle.take()), committed: oracle.committed, strayed: oracle.strayed };
}

/** Messages in a comparable form. Notifications and notices are compared by their presence: their text may be withheld. */
function said(bytes: Buffer): string[] {
  const { messages, rest } = cut(bytes);
  assert.equal(rest.length, 0, 'whole messages');
  return messages.map((message) =>
    'ZECAN'.includes(message.type) ? brief(message) : `${message.type} ${message.body.toString('latin1')}`,
  );
}

const whole: Choose = (n) => n - 1;

/** Choices from a list, then the last again and again. */
function from(numbers: readonly number[]): Choose {
  let i = 0;
  return (n) => (numbers.length === 0 ? 0 : (numbers[i++ % numbers.length] ?? 0) % n);
}

const name = fc.constantFrom('', 'a', 'b');
const text = fc.constantFrom(
  'rows 0',
  'rows 3',
  'rows 5 secret',
  'rows 5 secret late',
  'rows 4 later',
  'rows 4 secret later notice',
  'rows 3 notify',
  'rows 3 set',
  'rows 4 break',
  'rows 4 secret break',
  'rows 2 wide',
  'rows 2 wide secret',
  `rows 1 ${'x'.repeat(33_000)}`,
  'insert one',
  'insert two',
  'begin',
  'commit',
  'rollback',
  'notice',
  'setpath',
  '',
  'unparseable',
  'fail',
  'deny',
  'deny later',
  `deny ${'y'.repeat(33_000)}`,
);
const copy = fc.constantFrom('copyin', 'copyout');
const texts = fc.oneof(
  { weight: 6, arbitrary: text },
  { weight: 1, arbitrary: copy },
  {
    weight: 2,
    arbitrary: fc.array(fc.oneof(text, copy), { minLength: 2, maxLength: 3 }).map((list) => list.join(';')),
  },
);
const parameters = fc.constantFrom([], [], ['1'], [null], ['deny']);
const maxRows = fc.constantFrom(0, 0, 1, 2);

/** Any message at any moment, nonsense too; with more of what drivers send. */
const message = fc.oneof(
  { weight: 4, arbitrary: texts.map((sql) => m.query(sql)) },
  {
    weight: 6,
    arbitrary: fc
      .record({
        statement: name,
        portal: name,
        sql: fc.oneof({ weight: 8, arbitrary: text }, copy),
        parameters,
        maxRows,
        describe: fc.nat(3),
      })
      .map(({ statement, portal, sql, parameters, maxRows, describe }) =>
        Buffer.concat([
          parse(statement, sql),
          ...(describe === 1 ? [m.describeStatement(statement)] : []),
          bind(portal, statement, parameters),
          ...(describe === 2 ? [m.describePortal(portal)] : []),
          m.execute(portal, maxRows),
        ]),
      ),
  },
  { weight: 5, arbitrary: fc.constant(m.sync()) },
  { weight: 1, arbitrary: fc.constant(m.flush()) },
  { weight: 1, arbitrary: fc.tuple(name, text).map(([statement, sql]) => parse(statement, sql)) },
  {
    weight: 1,
    arbitrary: fc.tuple(name, name, parameters).map(([portal, statement, list]) => bind(portal, statement, list)),
  },
  { weight: 1, arbitrary: name.map((target) => m.describeStatement(target)) },
  { weight: 1, arbitrary: name.map((target) => m.describePortal(target)) },
  { weight: 2, arbitrary: fc.tuple(name, maxRows).map(([portal, max]) => m.execute(portal, max)) },
  { weight: 1, arbitrary: name.map((target) => m.closeStatement(target)) },
  { weight: 1, arbitrary: name.map((target) => m.closePortal(target)) },
  { weight: 1, arbitrary: fc.constant(functionCall(1, 'x')) },
  {
    weight: 3,
    arbitrary: fc.constantFrom(
      copyData('line\n'),
      copyData('broken\n'),
      copyData(`broken${'z'.repeat(40_000)}`),
      copyData(Buffer.alloc(50_000, m.query('rows 1 smuggled'))),
      copyDone(),
      m.copyFail('no'),
    ),
  },
);

/** A conversation always comes to its end: any COPY is over, then a Sync, then a query that is answered. */
const conversation = fc
  .array(message, { maxLength: 12 })
  .map((list) => Buffer.concat([...list, copyDone(), copyDone(), copyDone(), m.sync(), m.query('rows 1')]));

function check(run: Run, client: Buffer): void {
  const { said: want, committed, strayed } = expected(client);
  assert.ok(!run.toServer.includes('deny'), 'no byte of a refused statement leaves');
  assert.ok(!run.toClient.includes('secret 1'), 'no cell passes that should be masked');
  assert.ok(!run.backend.heard.includes('rows 1 smuggled'), 'copy data is never read as a message');
  if (strayed) return;
  assert.equal(run.relay.clientProblem, null);
  assert.equal(run.left, 0, 'the client’s bytes are all read');
  assert.deepEqual(said(run.toClient), want);
  assert.deepEqual(run.backend.committed, committed);
  assert.equal(run.relay.track.length, 0, 'nothing is owed');
  for (const { phase, verdict, outcome } of run.toy.record) {
    const ends = verdict.action === 'allow' && phase !== 'parse';
    if (ends) assert.notEqual(outcome, null, 'what ran has its outcome in the record');
  }
}

test('any conversation, cut anywhere and in any order of events, gives what a server would say that refuses by itself', async () => {
  await fc.assert(
    fc.asyncProperty(
      conversation,
      fc.array(fc.nat(1 << 16), { minLength: 1, maxLength: 60 }),
      async (client, numbers) => {
        check(await play(client, whole), client);
        check(await play(client, from(numbers)), client);
      },
    ),
    { numRuns: 300 },
  );
});

/** Plays whole messages as soon as they may be sent, and answers what the client reads in short. */
async function briefly(...messages: Buffer[]): Promise<{ read: string[]; run: Run }> {
  const run = await play(Buffer.concat(messages), whole);
  return { read: cut(run.toClient).messages.map(brief), run };
}

test('a refusal first, in the middle and last in a pipeline: earlier replies, one error, one ReadyForQuery, all undone', async () => {
  const insert = (value: string) => [parse('', `insert ${value}`), bind('', ''), m.execute('', 0)];
  const denied = [parse('', 'deny'), bind('', ''), m.execute('', 0)];
  const done = ['1', '2', 'C INSERT 0 1'];
  for (const [pipeline, read] of [
    [
      [...denied, ...insert('a'), ...insert('b')],
      ['E 42501', 'Z I'],
    ],
    [
      [...insert('a'), ...denied, ...insert('b')],
      [...done, 'E 42501', 'Z I'],
    ],
    [
      [...insert('a'), ...insert('b'), ...denied],
      [...done, ...done, 'E 42501', 'Z I'],
    ],
    [
      [...insert('a'), m.query('deny')],
      [...done, 'E 42501', 'Z I', 'Z I'],
    ],
    [
      [...insert('a'), functionCall(1)],
      [...done, 'E 42501', 'Z I', 'Z I'],
    ],
  ] as const) {
    const { read: got, run } = await briefly(...pipeline, m.sync(), m.query('insert z'));
    assert.deepEqual(got, [...read, 'C INSERT 0 1', 'Z I']);
    assert.deepEqual(run.backend.committed, ['z']);
  }
});

test('a refusal leaves an open transaction open, unless its own pipeline has run something', async () => {
  const { read } = await briefly(m.query('begin'), m.query('deny'), m.query('insert a'), m.query('commit'));
  assert.deepEqual(read, ['C BEGIN', 'Z T', 'E 42501', 'Z T', 'C INSERT 0 1', 'Z T', 'C COMMIT', 'Z I']);
  const commit = [parse('', 'commit'), bind('', ''), m.execute('', 0)];
  const insert = [parse('', 'insert a'), bind('', ''), m.execute('', 0)];
  const ended = await briefly(m.query('begin'), ...commit, ...insert, parse('', 'deny'), m.sync());
  assert.deepEqual(ended.read.slice(-3), ['C INSERT 0 1', 'E 42501', 'Z I']);
  assert.deepEqual(ended.run.backend.committed, []);
});

test('rows of an Execute that nobody described are masked, and the gateway’s own Describe is not seen', async () => {
  const { read } = await briefly(
    parse('', 'rows 2 secret'),
    bind('', ''),
    m.execute('', 1),
    m.execute('', 0),
    m.sync(),
  );
  assert.deepEqual(read, ['1', '2', 'D 0 v XX', 's', 'D 1 v XX', 'C SELECT 1', 'Z I']);
});

test('a name that Parse has made cannot be made anew by SQL, however the pipeline stands', async () => {
  const { read, run } = await briefly(
    parse('a', 'rows 1'),
    m.sync(),
    m.query('deallocate a;prepare a rows 1 secret'),
    m.query('fail'),
    parse('', 'fail'),
    bind('', ''),
    m.execute('', 0),
    m.sync(),
    bind('', 'a'),
    m.execute('', 0),
    m.sync(),
  );
  assert.equal(read.filter((message) => message === 'E 42501').length, 1);
  assert.ok(!run.toServer.includes('prepare a'));
  assert.ok(!run.toClient.includes('secret 0'));
});

test('a portal that SQL has made anew is not taken for what Bind made, in one pipeline or after an error', async () => {
  const cursor = m.query('close c;declare c rows 1 secret');
  const portal = [parse('', 'rows 1'), bind('c', ''), m.sync()];
  const failure = [parse('', 'fail'), bind('', ''), m.execute('', 0), m.sync(), m.query('rollback;begin'), cursor];
  for (const between of [[], failure]) {
    const use = [m.execute('c', 0), m.sync()];
    const { read, run } = await briefly(m.query('begin'), ...portal, cursor, ...between, ...use);
    assert.deepEqual(read.slice(-2), ['E 34000', 'Z T']);
    assert.ok(!run.toClient.includes('secret 0'));
  }
});

test('a statement behind the end of a transaction waits for the search path that holds then', async () => {
  const { run } = await briefly(m.query('begin;setpath'), m.query('rows 1'), m.query('commit'), m.query('rows 2'));
  const order = cut(run.toServer).messages.map(({ body }) => body.toString('latin1', 0, body.length - 1).split(' ')[0]);
  assert.deepEqual(order, ['begin;setpath', 'SELECT', 'rows', 'commit', 'SELECT', 'rows']);
});

test('nothing that is held runs after the session has ended', async () => {
  const toy = toyGate();
  const relay = new Relay({ gate: toy.gate, maxStatementBytes: 1 << 20, wake: () => {} });
  relay.fromClient(m.query('insert later'));
  assert.ok(relay.clientHeld);
  relay.stop();
  while (await toy.release());
  assert.ok(relay.toServer.empty);
});

test('what is executed after the grant has ended is refused, with the portal still open', async () => {
  const toy = toyGate();
  const relay = new Relay({ gate: toy.gate, maxStatementBytes: 1 << 20, wake: () => {} });
  const backend = scriptedBackend();
  const turn = (bytes: Buffer) => {
    relay.fromClient(bytes);
    backend.push(relay.toServer.drain());
    relay.fromServer(backend.take());
    return cut(relay.toClient.drain()).messages.map(brief);
  };
  turn(m.query('begin'));
  const first = [parse('', 'rows 3'), bind('p', ''), m.execute('p', 1), m.sync()];
  assert.deepEqual(turn(Buffer.concat(first)), ['1', '2', 'D 0 v', 's', 'Z T']);
  toy.end();
  assert.deepEqual(turn(Buffer.concat([m.execute('p', 1), m.sync()])), ['E 42501', 'Z T']);
  assert.deepEqual(turn(Buffer.concat([bind('q', ''), m.sync()])), ['E 42501', 'Z T']);
});

test('random bytes of either side never throw, are never held without bound, and end where they are not the protocol', async () => {
  const chunk = fc.oneof(
    fc.uint8Array({ maxLength: 60 }),
    fc
      .tuple(
        fc.constantFrom(...'QPBDECSHFXdcfpTZ1234nstIAGNW'),
        fc.integer({ min: -5, max: 40 }),
        fc.uint8Array({ maxLength: 40 }),
      )
      .map(([type, length, body]) => {
        const bytes = Buffer.concat([Buffer.from(type), Buffer.alloc(4), body]);
        bytes.writeInt32BE(length, 1);
        return bytes;
      }),
    fc.constantFrom(m.query('rows 1'), m.sync(), parse('', 'rows 1 secret'), bind('', ''), m.execute('', 0)),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(fc.tuple(fc.boolean(), chunk), { maxLength: 30 }), async (chunks) => {
      const toy = toyGate();
      const relay = new Relay({ gate: toy.gate, maxStatementBytes: 1 << 20, wake: () => {} });
      for (const [fromClient, bytes] of chunks) {
        while (await released(toy, relay));
        if (relay.clientProblem !== null || relay.serverProblem !== null) return;
        if (fromClient && !relay.clientHeld) relay.fromClient(Buffer.from(bytes));
        if (!fromClient && !relay.serverHeld) relay.fromServer(Buffer.from(bytes));
        relay.toClient.drain();
        relay.toServer.drain();
      }
    }),
  );
});

const released = (toy: ReturnType<typeof toyGate>, relay: Relay) =>
  relay.clientHeld || relay.serverHeld ? toy.release() : Promise.resolve(false);
