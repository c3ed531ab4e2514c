// What statements answer: values as JSON, bounds, transactions, parameters that are never read as SQL, and arguments that no
// schema has.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import mysql from 'mysql2/promise';
import { mysqlStand } from '../drivers/mysql-stand.ts';
import { ALL, stand } from '../drivers/stand.ts';
import { FLAVOURS } from '../servers/mysql.ts';
import { type Agent, asAgent } from './client.ts';

type Case = readonly [sql: string, type: string, value: unknown];

const LONG = 'x'.repeat(2000);

/**
 * What holds for each database; `agent` has a grant for everything.
 * @param settled resolves when the database has ended what was cancelled
 */
function common(
  of: () => { agent: Agent; grant: string },
  placeholder: string,
  settled: () => Promise<void> = async () => {},
): void {
  test('a transaction goes on from call to call, and the record has one session', async () => {
    const { agent, grant } = of();
    await agent.query(grant, 'BEGIN');
    const inserted = await agent.query(grant, "INSERT INTO scratch VALUES (1, 'one'), (2, 'two')");
    assert.equal(inserted.data.affected, 2);
    assert.deepEqual(inserted.data.columns, []);
    assert.match(inserted.text, /\(2 rows changed\)/);
    assert.equal((await agent.query(grant, 'SELECT * FROM scratch')).data.row_count, 2);
    await agent.query(grant, 'ROLLBACK');
    assert.equal((await agent.query(grant, 'SELECT * FROM scratch')).data.row_count, 0);
  });

  test('an error of the database is told in its words, and costs nothing', async () => {
    const { agent, grant } = of();
    const { failed, text } = await agent.query(grant, 'SELECT nothing_like_it FROM users');
    assert.ok(failed);
    assert.match(text, /nothing_like_it.*\nWhat to do: Correct the statement/);
    assert.equal((await agent.query(grant, 'SELECT 1')).failed, false);
  });

  test('parameters are values, whatever they hold', async () => {
    const { agent, grant } = of();
    const hostile = `'; DROP TABLE users; -- \\' " \u0000`.replace('\u0000', '');
    const sql = `SELECT id FROM users WHERE name = ${placeholder}`;
    const { failed, data } = await agent.query(grant, sql, { parameters: [hostile] });
    assert.equal(failed, false);
    assert.deepEqual(data.rows, []);
    assert.equal((await agent.query(grant, 'SELECT count(*) FROM users')).data.rows[0][0], '20');
  });

  test('numbers, truths and nothing as parameters', async () => {
    const { agent, grant } = of();
    const [a, b] = placeholder === '?' ? ['?', '?'] : ['$1', '$2'];
    const sql = `SELECT id FROM users WHERE id < ${a} ORDER BY id LIMIT ${b}`;
    assert.deepEqual((await agent.query(grant, sql, { parameters: [10, 2] })).data.rows, [[1], [2]]);
    const half = `SELECT id FROM users WHERE id < ${a} AND ${b} IS NULL ORDER BY id`;
    const cast = placeholder === '?' ? half : half.replace('$2', '$2::text').replace('$1', '$1::float8');
    assert.deepEqual((await agent.query(grant, cast, { parameters: [2.5, null] })).data.rows, [[1], [2]]);
  });

  test('a result ends at so many bytes, and at far more of them the session does', async () => {
    const { agent, grant } = of();
    const wide = `SELECT repeat('x', 20000) AS wide FROM orders`;
    const { data, text } = await agent.query(grant, wide, { max_rows: 1000 });
    assert.equal(data.truncated, 'bytes');
    assert.ok(data.row_count > 5 && data.row_count < 14, String(data.row_count));
    assert.match(text, /more than 256 KiB/);
    assert.deepEqual(data.notices, []);
    await agent.query(grant, 'BEGIN');
    const huge = await agent.query(grant, `SELECT repeat('x', 2000000) AS wide FROM orders`, { max_rows: 1000 });
    assert.equal(huge.data.truncated, 'bytes');
    assert.deepEqual(huge.data.rows, []);
    assert.match(huge.text, /the database session has ended over it/);
    await settled();
    assert.equal((await agent.query(grant, 'SELECT 1')).failed, false);
  });

  test('statements that are sent at once run one behind another', async () => {
    const { agent, grant } = of();
    const all = [
      'BEGIN',
      "INSERT INTO scratch VALUES (3, 'three')",
      'SELECT id FROM scratch',
      'ROLLBACK',
      'SELECT id FROM scratch',
    ];
    const found = await Promise.all(all.map((sql) => agent.query(grant, sql)));
    assert.deepEqual([found[2]?.data.rows, found[4]?.data.rows], [[[3]], []]);
  });

  test('what no schema has is refused, with the place', async () => {
    const { agent, grant } = of();
    for (const [args, place] of [
      [{ grant, sql: 'SELECT 1', max_row: 5 }, /max_row/],
      [{ grant, sql: 'SELECT 1', max_rows: 1001 }, /max_rows/],
      [{ grant, sql: 'SELECT 1', max_rows: -1 }, /max_rows/],
      [{ grant, sql: 'SELECT 1', max_rows: '5' }, /max_rows/],
      [{ grant, sql: 'SELECT 1', parameters: [{ $ne: 1 }] }, /parameters/],
      [{ grant, sql: 'SELECT 1', parameters: 'DROP' }, /parameters/],
      [{ grant, sql: '' }, /sql/],
      [{ grant, sql: ['SELECT 1'] }, /sql/],
      [{ grant: 7, sql: 'SELECT 1' }, /grant/],
      [{ sql: 'SELECT 1' }, /grant/],
      [{ grant: '__proto__', sql: 'SELECT 1' }, /no grant __proto__/],
      [{ grant: 'x'.repeat(101), sql: 'SELECT 1' }, /grant/],
    ] as const) {
      const { failed, text } = await agent.call('query', args);
      assert.ok(failed);
      assert.match(text, place);
    }
    const unknown = await agent.call('drop_everything', {});
    assert.match(unknown.text, /drop_everything not found/);
  });

  test('several statements in one text are refused', async () => {
    const { agent, grant } = of();
    const { failed } = await agent.query(grant, 'SELECT 1; SELECT 2');
    assert.ok(failed);
  });

  test('a value cannot look like another row, nor hide', async () => {
    const { agent, grant } = of();
    const sql = `SELECT ${placeholder === '?' ? '?' : '$1::text'} AS v`;
    const { text, data } = await agent.query(grant, sql, { parameters: ['a\n2 | b\u202e'] });
    assert.equal(text.split('\n')[1], 'a\\u{a}2 \\| b\\u{202e}');
    assert.equal(data.rows[0][0], 'a\n2 | b\u202e');
    const long = await agent.query(grant, sql, { parameters: [LONG] });
    assert.equal(long.text.split('\n')[1], `${'x'.repeat(200)}…`);
    assert.equal(long.data.rows[0][0], LONG);
  });

  test('the gateway’s own statements are answered', async () => {
    const { agent, grant } = of();
    const { data } = await agent.query(grant, 'SALLYPORT STATUS');
    assert.equal(data.rows[0][0], grant);
  });
}

function values(of: () => { agent: Agent; grant: string }, cases: readonly Case[]): void {
  for (const [sql, type, value] of cases) {
    test(`${sql}: ${type}`, async () => {
      const { agent, grant } = of();
      const { data, text } = await agent.query(grant, `SELECT ${sql} AS v`);
      assert.ok(data !== undefined, text);
      assert.deepEqual([data.columns[0].type, data.rows[0][0]], [type, value]);
    });
  }
}

describe('PostgreSQL', () => {
  const postgres = stand(['nothing']);
  let agent: Agent;
  let grant = '';
  before(async () => {
    agent = await asAgent(postgres.gateway('nothing'));
    grant = await agent.grant({ scopes: ALL });
  });
  after(() => agent.close());
  const of = () => ({ agent, grant });
  common(of, '$1');
  values(of, [
    ['1', 'int4', 1],
    ['9007199254740993', 'int8', '9007199254740993'],
    ['1.10', 'numeric', '1.10'],
    ["'NaN'::float8", 'float8', 'NaN'],
    ['0.5::float8', 'float8', 0.5],
    ['true', 'bool', true],
    ['NULL::text', 'text', null],
    ["'\\x00ff'::bytea", 'bytea', '\\x00ff'],
    ["date '2024-02-29'", 'date', '2024-02-29'],
    ["timestamptz '2024-02-29 12:00:00+00' AT TIME ZONE 'UTC'", 'timestamp', '2024-02-29 12:00:00'],
    [`'{"a": [1, null]}'::jsonb`, 'jsonb', { a: [1, null] }],
    ['ARRAY[1, 2]', 'int4[]', '{1,2}'],
    ["'11111111-1111-1111-1111-111111111111'::uuid", 'uuid', '11111111-1111-1111-1111-111111111111'],
  ]);

  test('a list is an array, a value at a time', async () => {
    const list = ['user1@example.com', 'a"b\\c', null];
    const { data } = await agent.query(grant, 'SELECT id FROM users WHERE email = ANY($1::text[])', {
      parameters: [list],
    });
    assert.deepEqual(data.rows, [[1]]);
    const back = await agent.query(grant, 'SELECT unnest($1::text[]) AS v', { parameters: [list] });
    assert.deepEqual(back.data.rows, [['user1@example.com'], ['a"b\\c'], [null]]);
  });

  test('a transaction that has failed is to be ended', async () => {
    for (const sql of ['BEGIN', 'SELECT 1 / 0']) await agent.query(grant, sql);
    assert.match((await agent.query(grant, 'SELECT 1')).text, /is aborted.*\nWhat to do: ROLLBACK/);
    assert.equal((await agent.query(grant, 'ROLLBACK')).failed, false);
    assert.equal((await agent.query(grant, 'SELECT 1')).failed, false);
  });

  test('what is said beside a result is told', async () => {
    const { data } = await agent.query(grant, 'DROP TABLE IF EXISTS not_there');
    assert.match(data.notices[0], /^NOTICE: table "not_there" does not exist/);
  });

  test('COPY has nothing to read from and nobody to write to', async () => {
    assert.match((await agent.query(grant, 'COPY scratch FROM STDIN')).text, /nothing to read here/);
    assert.match((await agent.query(grant, 'COPY users TO STDOUT')).text, /use SELECT/);
    assert.equal((await agent.query(grant, 'SELECT 1')).failed, false);
  });
});

for (const flavour of FLAVOURS) {
  describe(flavour, () => {
    const server = mysqlStand(flavour, ['nothing']);
    let agent: Agent;
    let grant = '';
    let watching: mysql.Connection;
    before(async () => {
      agent = await asAgent(server.gateway('nothing'));
      grant = await agent.grant({ scopes: ALL });
      const { host, port, user, password } = server.database;
      watching = await mysql.createConnection({ host, port, user, password });
    });
    after(async () => {
      await watching.end();
      await agent.close();
    });
    const of = () => ({ agent, grant });
    // MySQL closes the socket of a killed session while its thread may still write to that descriptor: a connection that is made
    // meanwhile may be given the number, and read what was meant for the other.
    common(of, '?', async () => {
      const running = "SELECT 1 FROM information_schema.processlist WHERE info LIKE 'SELECT repeat%'";
      while (((await watching.query(running))[0] as unknown[]).length > 0);
    });
    values(of, [
      ['CAST(9007199254740993 AS SIGNED)', 'longlong', '9007199254740993'],
      ['1.10', 'newdecimal', '1.10'],
      ['0.5e0', 'double', 0.5],
      ["X'00ff'", 'var_string', '0x00ff'],
      ["DATE '2024-02-29'", 'date', '2024-02-29'],
      ["TIMESTAMP '2024-02-29 12:00:00'", 'datetime', '2024-02-29 12:00:00'],
    ]);

    test('a list is refused, with what to do', async () => {
      const { text } = await agent.query(grant, 'SELECT ?', { parameters: [[1, 2]] });
      assert.match(text, /no arrays\nWhat to do: Give each value a \?/);
    });

    test('warnings are told', async () => {
      const { data } = await agent.query(grant, 'DROP TABLE IF EXISTS not_there');
      assert.match(data.notices[0], /1 warning/);
      const named = await agent.query(grant, 'SHOW WARNINGS');
      assert.match(named.text, /not_there/);
    });
  });
}
