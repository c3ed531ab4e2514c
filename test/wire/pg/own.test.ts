// Statements of the gateway's own among those of the database: in their order, with the true status, and nothing of them goes on.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as m from '../../../src/wire/pg/messages.ts';
import { Relay } from '../../../src/wire/pg/relay.ts';
import { scriptedBackend } from '../../peers/backend.ts';
import { toyGate } from '../../peers/gate.ts';
import { bind, brief, cut, parse } from '../../peers/messages.ts';

const STATUS = 'gr_toy toy db  active 1970-01-01T00:00:00.000Z 60 0';

/** Plays a client against the scripted backend; its bytes are cut once, at `at`. */
function play(client: Buffer, at: number) {
  const toy = toyGate({ masks: false });
  const backend = scriptedBackend();
  const relay = new Relay({ gate: toy.gate, maxStatementBytes: 1 << 20, wake: () => {} });
  const sent: Buffer[] = [];
  const read: Buffer[] = [];
  const exchange = () => {
    for (;;) {
      read.push(relay.toClient.drain());
      const bytes = relay.toServer.drain();
      if (bytes.length === 0) return;
      sent.push(bytes);
      backend.push(bytes);
      relay.fromServer(backend.take());
    }
  };
  for (const piece of [client.subarray(0, at), client.subarray(at)]) {
    relay.fromClient(Buffer.from(piece));
    exchange();
  }
  assert.deepEqual([relay.clientProblem, relay.serverProblem], [null, null]);
  const { messages, rest } = cut(Buffer.concat(read));
  assert.equal(rest.length, 0);
  return { read: messages.map(brief), messages, sent: Buffer.concat(sent), toy };
}

/** What the client reads, the same at every cut; and that the database has read nothing of it. */
function told(...client: Buffer[]) {
  const bytes = Buffer.concat(client);
  const whole = play(bytes, bytes.length);
  for (let at = 0; at < bytes.length; at++) {
    const { read, sent } = play(bytes, at);
    assert.deepEqual(read, whole.read, `cut at ${at}`);
    assert.ok(!/sallyport (status|complete)/i.test(sent.toString('latin1')));
  }
  return whole;
}

test('a simple query between two others, in and out of a transaction, and in one that has failed', () => {
  const { read, toy } = told(
    m.query('rows 1'),
    m.query('SALLYPORT STATUS;'),
    m.query('begin'),
    m.query('sallyport status'),
    m.query('fail'),
    m.query('/* x */ SALLYPORT STATUS'),
    m.query('rollback'),
    m.query('rows 0'),
  );
  const own = (status: string) => ['T', `D ${STATUS}`, 'C SELECT 1', `Z ${status}`];
  const text = read.join('|');
  for (const status of ['I', 'T', 'E']) assert.ok(text.includes(own(status).join('|')), `${status}: ${text}`);
  assert.deepEqual(read.slice(-2).at(-1), 'Z I');
  const recorded = toy.record.filter(({ text }) => /sallyport/i.test(text));
  assert.deepEqual(
    recorded.map(({ phase, verdict, outcome }) => [phase, verdict.action, verdict.rule, outcome?.rows, outcome?.tags]),
    Array.from({ length: 3 }, () => ['query', 'allow', 'sallyport', 1, ['SELECT 1']]),
  );
  assert.ok(recorded.every(({ outcome }) => outcome?.result?.[0] === m.Backend.rowDescription));
});

test('the extended protocol: each message its own reply, in the order of the pipeline', () => {
  const { read, messages } = told(
    parse('real', 'rows 1'),
    parse('own', 'SALLYPORT STATUS'),
    m.describeStatement('own'),
    bind('p', 'own', [], [1]),
    bind('', 'real'),
    m.describePortal('p'),
    m.execute('', 0),
    m.execute('p', 0),
    m.execute('p', 0),
    m.closePortal('p'),
    m.closeStatement('own'),
    m.sync(),
    bind('', 'own'),
    m.sync(),
    m.query('rows 0'),
  );
  const types = read.map((one) => one[0]).join('');
  assert.match(types, /^11tT22TD+CDCC33ZEZ.*Z$/);
  assert.deepEqual(
    read.filter((one) => one.startsWith('E')),
    ['E 26000'],
  );
  // The number comes in binary, as Bind has chosen.
  const row = messages.filter(({ type }) => type === 'D').at(1)?.body ?? Buffer.alloc(0);
  assert.ok(row.includes(Buffer.from([0, 0, 0, 4, 0, 0, 0, 60, 0, 0, 0, 4, 0, 0, 0, 0])), row.toString('hex'));
  assert.deepEqual(read.filter((one) => one.startsWith('C')).slice(-3), [
    'C SELECT 1',
    'C SELECT 0',
    read.filter((one) => one.startsWith('C')).at(-1),
  ]);
});

test('a name leads to what was made under it last', () => {
  const { read } = told(
    parse('', 'SALLYPORT STATUS'),
    parse('', 'rows 2'),
    bind('', ''),
    m.execute('', 0),
    parse('', 'SALLYPORT STATUS'),
    bind('', ''),
    m.execute('', 0),
    m.sync(),
  );
  assert.equal(read.filter((one) => one.startsWith('D')).length, 3);
  assert.equal(read.filter((one) => one.startsWith('D')).at(-1), `D ${STATUS}`);
});

test('behind a failure of its pipeline it is skipped, and not completed', () => {
  const { read, toy } = told(
    parse('', 'fail'),
    bind('', ''),
    m.execute('', 0),
    parse('', 'SALLYPORT COMPLETE'),
    bind('', ''),
    m.execute('', 0),
    m.sync(),
    m.query('rows 0'),
  );
  assert.ok(!read.some((one) => one.startsWith('D')), read.join());
  assert.equal(read.filter((one) => one.startsWith('E')).length, 1);
  assert.deepEqual(toy.completed, []);
  assert.ok(toy.record.every(({ outcome, phase }) => outcome !== null || phase === 'parse'));
  const skipped = toy.record.find(({ text, phase }) => text.includes('SALLYPORT') && phase === 'execute');
  assert.match(skipped?.outcome?.error?.message ?? '', /^not run/);
});

test('COMPLETE answers when its turn has come, and nothing behind it runs', () => {
  for (const statement of [
    [m.query('SALLYPORT COMPLETE')],
    [parse('', 'SALLYPORT COMPLETE'), bind('', ''), m.execute('', 0), m.sync()],
  ]) {
    const { read, sent, toy } = told(m.query('rows 1'), ...statement, m.query('change x'));
    const at = read.indexOf('D gr_toy toy completed');
    assert.ok(at > read.indexOf('C rows 1') && at > 0, read.join());
    assert.deepEqual(read.slice(-2), ['E 42501', 'Z I']);
    assert.ok(!sent.includes('change x'));
    assert.deepEqual(toy.completed, ['gr_toy']);
  }
});

test('in a pipeline COMPLETE leaves what was sent before it, and nothing that is sent behind it gets through', () => {
  const { read, sent, toy } = told(
    ...[parse('', 'insert x'), bind('', ''), m.execute('', 0)],
    ...[parse('', 'SALLYPORT COMPLETE'), bind('', ''), m.execute('', 0)],
    ...[parse('', 'insert y'), bind('', ''), m.execute('', 0)],
    m.sync(),
    m.query('change x'),
  );
  assert.equal(read.map((one) => one[0]).join(''), '12C12DCEZEZ');
  assert.ok(read.includes('D gr_toy toy completed'));
  assert.deepEqual(
    read.filter((one) => one.startsWith('E')),
    ['E 42501', 'E 42501'],
  );
  assert.ok(sent.includes('insert x') && !sent.includes('insert y') && !sent.includes('change x'));
  assert.deepEqual(toy.completed, ['gr_toy']);
});

test('an unknown one is refused with those that there are, and costs neither session nor transaction', () => {
  const { read, sent, messages, toy } = told(
    m.query('begin'),
    m.query('SALLYPORT HELP'),
    parse('', 'SALLYPORT STATUS; drop'),
    bind('', ''),
    m.sync(),
    m.query('rows 0'),
  );
  assert.deepEqual(
    read.filter((one) => /^[EZ]/.test(one)),
    ['Z T', 'E 42501', 'Z T', 'E 42501', 'Z T', 'Z T'],
  );
  assert.match(
    messages.find(({ type }) => type === 'E')?.body.toString() ?? '',
    /SALLYPORT STATUS .*SALLYPORT COMPLETE/,
  );
  assert.ok(!/sallyport/i.test(sent.toString('latin1')));
  assert.deepEqual(
    toy.record.filter(({ text }) => text.includes('SALLYPORT')).map(({ verdict }) => [verdict.action, verdict.rule]),
    [
      ['deny', 'sallyport'],
      ['deny', 'sallyport'],
    ],
  );
});

test('without parameters, and not in the middle of a pipeline as a simple query', () => {
  const { read } = told(
    parse('', 'SALLYPORT STATUS'),
    bind('', '', ['1']),
    m.sync(),
    parse('', 'rows 1'),
    m.query('SALLYPORT STATUS'),
    m.query('rows 0'),
  );
  assert.deepEqual(
    read.filter((one) => one.startsWith('E')),
    ['E 08P01', 'E 0A000'],
  );
});

test('a simple query that is refused behind messages without Sync is answered without waiting for more', () => {
  for (const text of ['SALLYPORT STATUS', 'SALLYPORT HELP', 'deny']) {
    const { read } = told(m.query('begin'), parse('', 'rows 1'), bind('', ''), m.query(text));
    assert.deepEqual(
      read.slice(-4).map((one) => one[0]),
      ['1', '2', 'E', 'Z'],
      text,
    );
    assert.equal(read.at(-1), 'Z T');
  }
});

test('a notice stands between two messages, whenever it comes', () => {
  const notice = m.noticeResponse({ severity: 'NOTICE', code: '01000', message: 'soon', hint: 'hurry' });
  const toy = toyGate({ masks: false });
  const backend = scriptedBackend();
  backend.push(m.query('rows 3'));
  const reply = backend.take();
  for (let at = 0; at <= reply.length; at++) {
    const relay = new Relay({ gate: toy.gate, maxStatementBytes: 1 << 20, wake: () => {} });
    relay.fromClient(m.query('rows 3'));
    relay.fromServer(Buffer.from(reply.subarray(0, at)));
    relay.say(notice);
    relay.fromServer(Buffer.from(reply.subarray(at)));
    const { messages, rest } = cut(relay.toClient.drain());
    assert.equal(rest.length, 0);
    assert.deepEqual(messages.filter(({ type }) => type === 'N').length, 1);
    assert.equal(messages.length, cut(reply).messages.length + 1, `cut at ${at}`);
  }
});
