// Leaks that random statements have found, each on its own.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import pg from 'pg';
import { startGateway, type TestGateway } from '../servers/gateway.ts';
import { type PostgresServer, startPostgres } from '../servers/postgres.ts';

let database: PostgresServer;
let gateway: TestGateway;
let client: pg.Client;

before(async () => {
  database = await startPostgres({
    sql: `CREATE TABLE people (id int, email text, ssn text, pay int, other text);
      INSERT INTO people VALUES (1, 'xkqzvjwp@hier.te', 'qzxjkv', 945802819, 'o'), (2, 'bcdfghjk@hier.te', 'wvkqxz', 945802820, 'p')`,
  });
  gateway = await startGateway({
    upstream: database,
    connection: { masking: 'rules' },
    masking: {
      rules: {
        columns: [
          { column: 'public.people.email', with: { partial: { keepEnd: 8 } } },
          { column: 'public.people.ssn', with: 'redact' },
          { column: 'public.people.pay', with: 'redact' },
        ],
      },
    },
  });
  client = new pg.Client(await gateway.login({ scopes: ['db:db:read+write'] }));
  await client.connect();
});

after(async () => {
  await client?.end();
  await gateway?.stop();
  await database?.stop();
});

async function refusal(sql: string): Promise<pg.DatabaseError> {
  try {
    await client.query(sql);
  } catch (error) {
    assert.ok(error instanceof pg.DatabaseError);
    return error;
  }
  throw new Error(`not refused: ${sql}`);
}

test('errors at run time that take a value for a name, a path or a character are withheld', async () => {
  for (const sql of [
    'SELECT chr(pay) FROM people',
    'SELECT ssn::regclass FROM people',
    'SELECT ssn::regtype FROM people',
    'SELECT ssn::regproc FROM people',
    'SELECT ssn::regrole FROM people',
    `SELECT (ssn || ' ""')::jsonpath FROM people`,
  ]) {
    const told = JSON.stringify({ ...(await refusal(sql)) }) + (await refusal(sql)).message;
    assert.doesNotMatch(told, /qzxj|wvkq|9458028/, sql);
  }
});

test('errors of the text itself say what is wrong, and where', async () => {
  const column = await refusal('SELECT emial FROM people');
  assert.match(column.message, /emial/);
  assert.match((await refusal('SELECT upper(email, 3) FROM people')).message, /upper/);
});

test('a value is not carried into a column that shows more of it', async () => {
  for (const sql of [
    'UPDATE people SET email = ssn',
    'UPDATE people SET email = reverse(email)',
    'INSERT INTO people (id, email) SELECT id, ssn FROM people',
  ]) {
    assert.match((await refusal(sql)).message, /no longer protected as much/, sql);
  }
  for (const sql of [
    'UPDATE people SET email = email',
    'UPDATE people SET ssn = email',
    'UPDATE people SET ssn = upper(ssn)',
  ]) {
    await client.query(`BEGIN`);
    await client.query(sql);
    await client.query('ROLLBACK');
  }
});

test('the same query declared or prepared anew is masked as before, not as if it were unknown', async () => {
  for (let again = 0; again < 2; again++) {
    await client.query('BEGIN');
    await client.query('DECLARE k CURSOR FOR SELECT id, ssn FROM people ORDER BY id');
    assert.deepEqual((await client.query('FETCH 1 FROM k')).rows, [{ id: 1, ssn: '[redacted]' }]);
    await client.query('COMMIT');
  }
});
