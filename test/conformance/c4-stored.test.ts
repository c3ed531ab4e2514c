// C4: cursors, prepared statements, portals and COPY: rows of a statement that was judged before, or that nobody describes.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { closePortal, describePortal, describeStatement, execute, query, sync } from '../../src/wire/pg/messages.ts';
import { bind, parse } from '../peers/messages.ts';
import { answerOf, maskedStand, type Spied } from './masked.ts';

const stand = await maskedStand();

/** The rows of the last of these simple queries, cells as text. */
async function rowsOf(to: Spied, ...texts: readonly string[]): Promise<(string | null)[][]> {
  let rows: (string | null)[][] = [];
  for (const text of texts) {
    const answer = answerOf(await to.say(text));
    assert.equal(answer.error, null, `${text}: ${answer.error?.message}`);
    rows = answer.rows.map((row) => row.map((cell) => cell?.toString() ?? null));
  }
  return rows;
}

async function fails(to: Spied, code: string, ...texts: readonly string[]): Promise<string> {
  for (const text of texts.slice(0, -1)) await rowsOf(to, text);
  const { error, rows } = answerOf(await to.say(texts.at(-1) ?? ''));
  assert.equal(error?.code, code, `${texts.at(-1)}: ${error?.message}`);
  assert.deepEqual(rows, []);
  return error?.message ?? '';
}

const R = '[redacted]';

test('C4 cursors: FETCH masks as the declared statement would be', async () => {
  const to = await stand.session();
  await rowsOf(to, 'BEGIN', 'DECLARE c SCROLL CURSOR FOR SELECT id, email, upper(email), name FROM users ORDER BY id');
  assert.deepEqual(await rowsOf(to, 'FETCH c'), [['1', R, R, 'Person 1']]);
  assert.deepEqual(await rowsOf(to, 'FETCH 1 FROM c'), [['2', R, R, 'Person 2']]);
  assert.deepEqual(await rowsOf(to, 'FETCH PRIOR FROM c'), [['1', R, R, 'Person 1']]);
  assert.deepEqual(await rowsOf(to, 'MOVE c', 'FETCH ALL FROM c'), [['3', R, R, 'Person 3']]);
  assert.deepEqual((await rowsOf(to, 'FETCH ABSOLUTE 2 FROM c; FETCH RELATIVE 1 FROM c')).length, 2);
  await rowsOf(to, 'DECLARE b BINARY CURSOR FOR SELECT age, email, upper(name) FROM users ORDER BY id');
  assert.deepEqual(await rowsOf(to, 'FETCH b'), [['\0\0\0\0', R, 'PERSON 1']]);
  await rowsOf(to, 'CLOSE ALL', 'ROLLBACK');
});

test('C4 a cursor WITH HOLD is masked across transactions', async () => {
  const to = await stand.session();
  await rowsOf(to, 'DECLARE held CURSOR WITH HOLD FOR SELECT upper(email), id FROM users ORDER BY id');
  assert.deepEqual(await rowsOf(to, 'FETCH held'), [[R, '1']]);
  await rowsOf(to, 'BEGIN', 'CREATE TEMP TABLE t (a int)', 'COMMIT');
  assert.deepEqual(await rowsOf(to, 'FETCH held'), [[R, '2']]);
  await rowsOf(to, 'BEGIN', 'CLOSE held', 'ROLLBACK');
  await fails(to, '34000', 'FETCH held');
});

test('C4 a name that is given anew is masked by what it stands for now', async () => {
  const to = await stand.session();
  const open = 'DECLARE c CURSOR FOR SELECT note FROM orders ORDER BY id';
  const hidden = 'DECLARE c CURSOR FOR SELECT upper(email) FROM users ORDER BY id';
  await rowsOf(to, 'BEGIN', open);
  assert.deepEqual(await rowsOf(to, 'FETCH c'), [['one']]);
  await rowsOf(to, 'CLOSE c', hidden);
  assert.deepEqual(await rowsOf(to, 'FETCH c'), [[R]]);
  await rowsOf(to, 'CLOSE c', open);
  assert.deepEqual(await rowsOf(to, 'FETCH c'), [['one']], 'nothing is masked without need');
  await rowsOf(to, 'ROLLBACK');
  // A DECLARE that fails says nothing of what the name stands for.
  await rowsOf(to, 'BEGIN', hidden, 'SAVEPOINT s');
  await fails(to, '42P03', open);
  assert.deepEqual(await rowsOf(to, 'ROLLBACK TO s', 'FETCH c'), [[R]]);
  await rowsOf(to, 'ROLLBACK');
  assert.deepEqual(
    (await rowsOf(to, `BEGIN; ${open}; FETCH c; CLOSE c; ${hidden}; FETCH c; COMMIT`)).map(([cell]) => cell),
    ['one', R],
  );
});

test('C4 EXECUTE masks as the prepared statement would be, after a new PREPARE too', async () => {
  const to = await stand.session();
  await rowsOf(to, 'PREPARE p AS SELECT note FROM orders ORDER BY id LIMIT 1');
  assert.deepEqual(await rowsOf(to, 'EXECUTE p'), [['one']]);
  await rowsOf(to, 'DEALLOCATE p', 'PREPARE p AS SELECT upper(email) FROM users LIMIT 1');
  assert.deepEqual(await rowsOf(to, 'EXECUTE p'), [[R]]);
  await fails(to, '42P05', 'PREPARE p AS SELECT note FROM orders');
  assert.deepEqual(await rowsOf(to, 'EXECUTE p'), [[R]]);
  await rowsOf(to, 'DEALLOCATE p', 'PREPARE p AS SELECT note FROM orders ORDER BY id LIMIT 1');
  assert.deepEqual(await rowsOf(to, 'EXECUTE p'), [['one']], 'nothing is masked without need');
  assert.equal(
    (await rowsOf(to, 'DEALLOCATE p', 'PREPARE p AS SELECT email, 1 FROM users', 'EXPLAIN EXECUTE p'))[0]?.length,
    1,
  );
  await rowsOf(
    to,
    "PREPARE q(int) AS UPDATE users SET name = 'x' WHERE id = $1 RETURNING email, upper(email)",
    'BEGIN',
  );
  assert.deepEqual(await rowsOf(to, 'EXECUTE q(1)'), [[R, R]]);
  await rowsOf(to, 'ROLLBACK');
});

test('C4 a statement that was prepared under another search path is not masked by what it meant there', async () => {
  const to = await stand.session();
  await rowsOf(to, 'CREATE SCHEMA app', 'CREATE TABLE app.users (email text)', "INSERT INTO app.users VALUES ('free')");
  await rowsOf(to, 'SET search_path = app, public', 'PREPARE p AS SELECT upper(email) FROM users');
  assert.deepEqual(await rowsOf(to, 'EXECUTE p'), [['FREE']]);
  assert.deepEqual(await rowsOf(to, 'SET search_path = public', 'EXECUTE p'), [[R], [R], [R]]);
  assert.deepEqual(await rowsOf(to, 'SET search_path = app', 'EXECUTE p'), [['FREE']]);
  await rowsOf(to, 'RESET search_path', 'DROP TABLE app.users', 'DROP SCHEMA app');
});

const S = { open: 'SELECT note FROM orders ORDER BY id', hidden: 'SELECT upper(email) FROM users ORDER BY id' };

test('C4 portals of the protocol are masked when SQL fetches from them', async () => {
  const to = await stand.session();
  await rowsOf(to, 'BEGIN', `DECLARE c CURSOR FOR ${S.open}`, 'CLOSE c');
  const made = answerOf(await to.ask([parse('', S.hidden), bind('c', ''), sync()]));
  assert.equal(made.error, null);
  assert.deepEqual(await rowsOf(to, 'FETCH c'), [[R]]);
  await to.ask([closePortal('c'), parse('', S.open), bind('c', ''), sync()]);
  assert.deepEqual(await rowsOf(to, 'FETCH c'), [['one']]);
  await rowsOf(to, 'ROLLBACK');
});

test('C4 FETCH and EXECUTE that were parsed, bound or described before follow what their name stands for', async () => {
  for (const [make, end, use] of [
    ['DECLARE c CURSOR FOR', 'CLOSE c', 'FETCH c'],
    ['PREPARE c AS', 'DEALLOCATE c', 'EXECUTE c'],
  ] as const) {
    const to = await stand.session();
    await rowsOf(to, 'BEGIN', `${make} ${S.open}`);
    await to.ask([parse('use', use), describeStatement('use'), sync()]);
    await to.ask([bind('before', 'use'), describePortal('before'), sync()]);
    await rowsOf(to, end, `${make} ${S.hidden}`);
    // Parsed and described while the name stood for something else, bound now.
    const now = await to.ask([bind('now', 'use'), execute('now', 1), sync()]);
    assert.deepEqual(answerOf(now).rows.map(String), [R]);
    // Bound and described then.
    const then = await to.ask([execute('before', 1), sync()]);
    assert.deepEqual(answerOf(then).rows.map(String), [R]);
    // All in one pipeline.
    const sent = [end, `${make} ${S.open}`, end, `${make} ${S.hidden}`].flatMap((sql) => [
      parse('', sql),
      bind('', ''),
      execute('', 0),
    ]);
    const piped = await to.ask([...sent, bind('again', 'use'), execute('again', 1), sync()]);
    assert.deepEqual(answerOf(piped).rows.map(String), [R]);
    await rowsOf(to, 'ROLLBACK');
    to.client.close();
  }
});

test('C4 a portal that is suspended goes on with the rows that it began with', async () => {
  const to = await stand.session();
  await rowsOf(to, 'BEGIN', `DECLARE c CURSOR FOR ${S.hidden}`);
  const begun = await to.ask([parse('', 'FETCH ALL c'), bind('slow', ''), execute('slow', 1), sync()]);
  assert.deepEqual(answerOf(begun).rows.map(String), [R]);
  await rowsOf(to, 'CLOSE c', `DECLARE c CURSOR FOR ${S.open}`);
  const rest = await to.ask([describePortal('slow'), execute('slow', 1), execute('slow', 0), sync()]);
  assert.deepEqual(answerOf(rest).rows.map(String), [R, R]);
  assert.deepEqual(await rowsOf(to, 'FETCH c'), [['one']]);
  await rowsOf(to, 'ROLLBACK');
});

test('C4 cursors that are not known are not guessed at', async () => {
  const to = await stand.session();
  await fails(to, '34000', 'BEGIN', 'FETCH nobody');
  await rowsOf(to, 'ROLLBACK');
  await fails(to, '42501', 'EXECUTE nobody');
  assert.deepEqual(await rowsOf(to, 'SELECT 1'), [['1']]);
});

test('C4 under derived: deny what is computed is refused when it is prepared or declared', async () => {
  const to = await stand.session('deny');
  await fails(to, '42501', 'PREPARE p AS SELECT upper(email) FROM users');
  await rowsOf(to, 'BEGIN');
  await fails(to, '42501', 'DECLARE c CURSOR FOR SELECT upper(email) FROM users');
  await rowsOf(to, 'DECLARE c CURSOR FOR SELECT email FROM users');
  assert.deepEqual(await rowsOf(to, 'FETCH c'), [[R]]);
  assert.deepEqual(await rowsOf(to, 'ROLLBACK', 'SELECT 1'), [['1']]);
});

/** The rows of a COPY in text format. */
async function copied(to: Spied, sql: string, extended: boolean): Promise<string> {
  const messages = extended ? [parse('', sql), bind('', ''), describePortal(''), execute('', 0), sync()] : [query(sql)];
  const { error, copied: bytes } = answerOf(await to.ask(messages));
  assert.equal(error, null, `${sql}: ${error?.message}`);
  return bytes.toString('latin1');
}

test('C4 COPY TO in text, CSV and binary', async () => {
  const to = await stand.session();
  for (const extended of [false, true]) {
    assert.equal(
      await copied(to, 'COPY (SELECT id, email, name FROM users ORDER BY id) TO STDOUT', extended),
      [1, 2, 3].map((n) => `${n}\t${R}\tPerson ${n}\n`).join(''),
    );
    assert.match(
      await copied(to, 'COPY users (id, email, phone) TO STDOUT CSV HEADER', extended),
      /^id,email,phone\n1,\[redacted\],\*+0000\n/,
    );
    for (const from of [
      'users',
      '(TABLE users)',
      '(SELECT * FROM contacts)',
      '(SELECT upper(email), name FROM users)',
      '(SELECT u, to_jsonb(u) FROM users u)',
      '(DELETE FROM told RETURNING *)',
      'parts_1',
      'kept',
    ]) {
      for (const options of [
        '',
        'CSV',
        'BINARY',
        "(FORMAT csv, FORCE_QUOTE *, DELIMITER ';')",
        "(DELIMITER '|', NULL 'none')",
      ]) {
        await rowsOf(to, 'BEGIN');
        assert.ok((await copied(to, `COPY ${from} TO STDOUT ${options}`, extended)).length > 5);
        await rowsOf(to, 'ROLLBACK');
      }
    }
  }
  const strict = await stand.session('deny');
  await fails(strict, '42501', 'COPY (SELECT upper(email) FROM users) TO STDOUT');
  await fails(strict, '42501', 'COPY (SELECT u FROM users u) TO STDOUT');
  assert.match(await copied(strict, 'COPY users TO STDOUT', false), /redacted/);
  assert.equal(
    await copied(to, 'COPY (SELECT name, city FROM users ORDER BY id) TO STDOUT', false),
    'Person 1\tOslo\nPerson 2\tLima\nPerson 3\tOslo\n',
  );
  assert.equal(
    await copied(
      to,
      'COPY (SELECT upper(name), grade + 1, upper(email) FROM users ORDER BY id LIMIT 1) TO STDOUT',
      false,
    ),
    'PERSON 1\t2\t\\N\n',
  );
  await fails(to, '42501', "COPY users TO '/tmp/users'");
  await fails(to, '42501', "COPY users TO PROGRAM 'cat'");
});
