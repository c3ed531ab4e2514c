// B6, B7, B8: refusals inside pipelines, names that change under a pipeline, rows that nobody described.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as m from '../../src/wire/pg/messages.ts';
import { bind, brief, copyData, copyDone, parse } from '../peers/messages.ts';
import { connectRaw, logIn } from '../peers/raw.ts';
import { stand, WRITE } from './stand.ts';

const { client: open, watcher, until, gateway } = await stand();

const run = (sql: string, parameters: string[] = []) => [parse('', sql), bind('', '', parameters), m.execute('', 0)];
const insert = (line: string) => run('insert into log values ($1)', [line]);
const DENIED = run('delete from log');
const INSERTED = ['1', '2', 'C INSERT 0 1'];

async function logged(): Promise<string> {
  const { rows } = await watcher.query<{ lines: string }>(
    'select string_agg(line, $1 order by line) as lines from log',
    [' '],
  );
  await watcher.query('truncate log');
  return rows[0]?.lines ?? '';
}

test('B6 in simple queries a refusal waits for its turn, the transaction state is true, the next query is answered', async () => {
  const client = await open(WRITE);
  const read = await client.ask(
    [
      m.query('select 1'),
      m.query('delete from log'),
      m.query('begin'),
      m.query('delete from log'),
      m.query('commit'),
      m.query('select 2'),
    ],
    6,
  );
  const [select, two] = [
    ['T', 'D 1', 'C SELECT 1', 'Z I'],
    ['T', 'D 2', 'C SELECT 1', 'Z I'],
  ];
  assert.deepEqual(read, [...select, 'E 42501', 'Z I', 'C BEGIN', 'Z T', 'E 42501', 'Z T', 'C COMMIT', 'Z I', ...two]);
});

test('B6 a failed transaction is reported as failed behind a refusal', async () => {
  const client = await open(WRITE);
  const read = await client.ask(
    [m.query('begin'), m.query('select 1/0'), m.query('delete from log'), m.query('rollback')],
    4,
  );
  assert.deepEqual(
    read,
    ['C BEGIN', 'Z T', 'T', 'E 22012', 'Z E', 'E 42501', 'Z E', 'C ROLLBACK', 'Z I'].filter((x) => x !== 'T'),
  );
});

for (const [where, pipeline, expected] of [
  ['first', [...DENIED, ...insert('a'), ...insert('b')], ['E 42501', 'Z I']],
  ['in the middle', [...insert('a'), ...DENIED, ...insert('b')], [...INSERTED, 'E 42501', 'Z I']],
  ['last', [...insert('a'), ...insert('b'), ...DENIED], [...INSERTED, ...INSERTED, 'E 42501', 'Z I']],
] as const) {
  test(`B6 a refusal ${where} in a pipeline: earlier replies, one error, discard to Sync, one Z, what ran is rolled back`, async () => {
    const client = await open(WRITE);
    assert.deepEqual(await client.ask([...pipeline, m.sync()]), expected);
    assert.deepEqual(await client.ask([...insert('next'), m.sync()]), [...INSERTED, 'Z I']);
    assert.equal(await logged(), 'next');
  });
}

test('B6 two pipelines in one segment: the first’s refusal leaves the second alone', async () => {
  const client = await open(WRITE);
  const read = await client.ask([...insert('a'), ...DENIED, m.sync(), ...insert('b'), m.sync()], 2);
  assert.deepEqual(read, [...INSERTED, 'E 42501', 'Z I', ...INSERTED, 'Z I']);
  assert.equal(await logged(), 'b');
});

test('B6 a refused simple query behind unsynced executions undoes them as an error would', async () => {
  const client = await open(WRITE);
  const read = await client.ask([...insert('a'), m.query('delete from log'), m.query('select 1')], 2);
  assert.deepEqual(read, [...INSERTED, 'E 42501', 'Z I', 'T', 'D 1', 'C SELECT 1', 'Z I']);
  assert.equal(await logged(), '');
});

test('B6 the database’s own error before a refusal hides it, and one Z ends both', async () => {
  const client = await open(WRITE);
  const read = await client.ask([...run('select 1/0'), ...DENIED, m.sync(), m.query('select 1')], 2);
  assert.deepEqual(read.slice(-5), ['Z I', 'T', 'D 1', 'C SELECT 1', 'Z I']);
  assert.equal(read.filter((one) => one.startsWith('E')).length, 1);
});

test('B6 a refused COPY: its data is dropped, and the session goes on', async () => {
  const client = await open({ scopes: ['db:db:read'] });
  const read = await client.ask([m.query('copy log from stdin'), copyData('x\n'), copyDone(), m.query('select 1')], 2);
  assert.deepEqual(read, ['E 42501', 'Z I', 'T', 'D 1', 'C SELECT 1', 'Z I']);
  assert.equal(await logged(), '');
});

test('B7 the unnamed statement parsed anew is judged anew', async () => {
  const client = await open(WRITE);
  const read = await client.ask([
    parse('', 'select 1'),
    parse('', 'select 2'),
    bind('', ''),
    m.execute('', 0),
    parse('', 'delete from log'),
    bind('', ''),
    m.execute('', 0),
    m.sync(),
  ]);
  assert.deepEqual(read, ['1', '1', '2', 'D 2', 'C SELECT 1', 'E 42501', 'Z I']);
});

test('B7 what was closed cannot be executed; what SQL has made anew is not what Parse made', async () => {
  const client = await open(WRITE);
  await client.ask([parse('s', 'select 1'), m.closeStatement('s'), m.sync()]);
  assert.deepEqual(await client.ask([bind('', 's'), m.execute('', 0), m.sync()]), ['E 26000', 'Z I']);
  assert.deepEqual(await client.ask([...run('select 1').slice(0, 2), m.closePortal(''), m.execute('', 0), m.sync()]), [
    '1',
    '2',
    '3',
    'E 34000',
    'Z I',
  ]);
  // One name is used in one of the two ways.
  await client.ask([parse('t', 'select 1'), m.sync()]);
  const sql = [m.query('deallocate t'), m.query('prepare t as select name from items')];
  assert.deepEqual(await client.ask(sql, 2), ['C DEALLOCATE', 'Z I', 'E 42501', 'Z I']);
  assert.deepEqual(await client.ask([bind('', 't'), m.execute('', 0), m.sync()]), ['E 26000', 'Z I']);
  const cursor = m.query('declare c cursor for select name from items');
  const bound = [parse('', 'select 1'), bind('c', ''), m.sync()];
  const read = await client.ask(
    [m.query('begin'), ...bound, m.query('close c'), cursor, m.execute('c', 0), m.sync()],
    5,
  );
  assert.deepEqual(read.slice(-4), ['C DECLARE CURSOR', 'Z T', 'E 34000', 'Z T']);
  client.close();
});

test('B7 a portal that was left open is not gone on with after the grant’s end: the session ends with FATAL 57P01', async () => {
  const { id, user, password } = await gateway.grant();
  const { host, port } = gateway;
  const client = await logIn(await connectRaw(host, port), { host, port, user, password, database: 'db' });
  await client.ask(m.query('begin'));
  const portal = [parse('', 'select * from items'), bind('p', ''), m.execute('p', 1), m.sync()];
  assert.deepEqual(await client.ask(portal), ['1', '2', 'D 1 item 1', 's', 'Z T']);
  assert.deepEqual(await client.ask([m.execute('p', 1), m.sync()]), ['D 2 item 2', 's', 'Z T']);
  await gateway.api('POST', `/v1/grants/${id}/revoke`, { reason: 'a test' });
  client.send(m.execute('p', 1), m.sync());
  assert.deepEqual(await client.rest(), ['E 57P01']);
  await until("select count(*)::int from pg_stat_activity where state = 'idle in transaction'", 0);
});

test('B8 Execute without Describe: masked, by all of the ways a portal is reached', async () => {
  const client = await open();
  const sql = 'select id, email from customers order by id';
  const rows = (read: string[]) => read.filter((one) => one.startsWith('D'));
  for (const messages of [
    run(sql),
    [parse('', sql), m.describeStatement(''), bind('', ''), m.execute('', 0)],
    [parse('', sql), bind('', ''), m.describePortal(''), m.execute('', 0)],
    [parse('', sql), bind('', ''), m.execute('', 1), m.execute('', 0)],
  ]) {
    const read = await client.ask([...messages, m.sync()]);
    assert.equal(rows(read).length, 2);
    assert.ok(
      rows(read).every((row) => !row.includes('@')),
      rows(read).join(),
    );
  }
  await client.ask([parse('named', sql), m.sync()]);
  const bound = [bind('', 'named'), m.execute('', 0), m.sync()];
  assert.ok(!rows(await client.ask(bound)).some((row) => row.includes('@')));
  assert.equal(
    (await client.ask(bound)).filter((one) => one === 'T').length,
    0,
    'the gateway’s own Describe is not seen',
  );
});

test('B8 Describe says text while Bind chooses binary, and mixed formats: masked in the format of the row', async () => {
  const client = await open();
  const sql = 'select id, email, email from customers order by id';
  for (const formats of [[1], [1, 0, 1], [0, 1, 0], []]) {
    client.send(parse('', sql), m.describeStatement(''), bind('', '', [], formats), m.execute('', 0), m.sync());
    const rows: string[] = [];
    for (let message = await client.next(); message !== null && message.type !== 'Z'; message = await client.next()) {
      if (message.type !== 'D') continue;
      rows.push(brief(message));
      assert.equal(
        message.body.readInt32BE(2),
        4 - (formats.length > 0 && formats[0] === 1 ? 0 : 3),
        'id keeps its format',
      );
    }
    assert.equal(rows.length, 2);
    assert.ok(rows.every((row) => !row.includes('@')));
  }
});
