// C5 and C10: a protected value is not carried to where it is no longer protected, and what a mask has made is not written back.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { query, sync } from '../../src/wire/pg/messages.ts';
import { bind, copyData, copyDone, parse, raw } from '../peers/messages.ts';
import { all, answerOf, becomes, maskedStand, messagesFor } from './masked.ts';

const stand = await maskedStand(
  {},
  `CREATE SCHEMA app;
   CREATE VIEW open_notes AS SELECT id, note FROM orders;`,
);

const LAUNDERED = [
  // Tables
  'INSERT INTO notes SELECT email FROM users',
  'INSERT INTO notes SELECT upper(email) FROM users RETURNING *',
  'INSERT INTO notes VALUES ((SELECT email FROM users LIMIT 1))',
  'INSERT INTO notes SELECT address FROM kept',
  'WITH x AS (SELECT email FROM users) INSERT INTO notes SELECT * FROM x',
  'WITH x AS (INSERT INTO notes SELECT email FROM users RETURNING 1) SELECT 1',
  'WITH x AS (DELETE FROM users RETURNING email) INSERT INTO notes SELECT email FROM x',
  'INSERT INTO orders (id, note) SELECT 9, to_jsonb(u)->>$$email$$ FROM users u',
  'INSERT INTO orders VALUES (1, 1, $$x$$) ON CONFLICT (id) DO UPDATE SET note = (SELECT email FROM users LIMIT 1)',
  'INSERT INTO users (id, email) VALUES (1, $$x$$) ON CONFLICT (id) DO UPDATE SET name = users.email',
  'INSERT INTO users (id, name) SELECT id, email FROM users ON CONFLICT (id) DO UPDATE SET name = excluded.name',
  'INSERT INTO open_notes SELECT id + 10, email FROM users',
  'UPDATE users SET name = email',
  'UPDATE users SET (name, city) = (email, city)',
  'UPDATE users SET (name, city) = (SELECT email, city FROM users LIMIT 1)',
  'UPDATE users u SET name = v.email FROM users v WHERE v.id = u.id',
  'UPDATE users SET name = CASE WHEN email LIKE $$b%$$ THEN $$yes$$ ELSE $$no$$ END',
  'UPDATE users SET grade = length(email)',
  'UPDATE users SET name = low',
  'UPDATE orders SET note = u.email FROM users u WHERE u.id = orders.id',
  'UPDATE orders SET note = (SELECT u::text FROM users u LIMIT 1)',
  'UPDATE orders SET note = a FROM far WHERE orders.id = 1',
  'MERGE INTO orders o USING users u ON o.id = u.id WHEN MATCHED THEN UPDATE SET note = u.email',
  'MERGE INTO orders o USING users u ON o.id = u.id + 9 WHEN NOT MATCHED THEN INSERT (id, note) VALUES (u.id + 9, u.email)',
  // A protected column whose mask shows a part of what is put there
  'UPDATE users SET phone = email',
  'UPDATE users SET phone = $$xxxxxxxx$$ || left(email, 4)',
  'UPDATE users SET phone = left(phone, 8)',
  'INSERT INTO users (id, phone) SELECT 9, email FROM users LIMIT 1',
  // What is made of a query
  'CREATE TABLE app.t AS SELECT email FROM users',
  'CREATE TEMP TABLE t AS SELECT upper(email) AS e FROM users',
  'CREATE TEMP TABLE t AS TABLE users',
  'CREATE TEMP TABLE t (x) AS SELECT email FROM users WITH NO DATA',
  'SELECT email INTO TEMP t FROM users',
  'SELECT u.* INTO app.t FROM users u',
  'CREATE VIEW app.v AS SELECT email FROM users',
  'CREATE VIEW app.v AS SELECT upper(email) AS e FROM users',
  'CREATE OR REPLACE VIEW open_notes AS SELECT id, email AS note FROM users',
  'CREATE MATERIALIZED VIEW app.m AS SELECT email FROM users',
  'CREATE SCHEMA more CREATE VIEW v AS SELECT email FROM public.users',
  'EXPLAIN ANALYZE CREATE TEMP TABLE t AS SELECT email FROM users',
  'EXPLAIN ANALYZE INSERT INTO notes SELECT email FROM users',
  'PREPARE w AS INSERT INTO notes SELECT email FROM users',
  // Settings, messages, large objects, sequences, locks
  "SELECT set_config('application_name', email, false) FROM users",
  "SELECT set_config('app.x', (SELECT email FROM users LIMIT 1), false)",
  "SELECT set_config('app.' || email, 'x', false) FROM users",
  "SELECT pg_notify('c', email) FROM users",
  "SELECT pg_notify(email, '') FROM users",
  'SELECT lo_from_bytea(0, email::bytea) FROM users',
  'SELECT lo_put(1, 0, email::bytea) FROM users',
  "SELECT setval('numbers', age) FROM users",
  "SELECT setval('numbers', length(email)) FROM users",
  'SELECT setseed(ratio) FROM users',
  'SELECT pg_advisory_lock(age) FROM users',
  'SELECT pg_try_advisory_xact_lock(length(email)) FROM users',
  'SELECT keep(email) FROM users',
  "SELECT nextval('numbers'), keep('x')",
  "SELECT pg_logical_emit_message(false, 'x', email) FROM users",
  "COPY (SELECT email FROM users) TO '/tmp/x'",
  // Definitions
  'ALTER TABLE users RENAME COLUMN email TO mail',
  'ALTER TABLE users RENAME TO people',
  'ALTER TABLE users SET SCHEMA app',
  'ALTER SCHEMA public RENAME TO other',
  'ALTER TABLE users ALTER COLUMN name TYPE text USING email',
  'ALTER TABLE users ALTER COLUMN name TYPE text USING users::text',
  'ALTER TABLE users ADD COLUMN c text GENERATED ALWAYS AS (lower(email)) STORED',
  'ALTER TABLE parts DETACH PARTITION parts_1',
  'CREATE RULE r AS ON INSERT TO orders DO ALSO INSERT INTO notes SELECT email FROM users',
  'CREATE POLICY p ON orders USING ((SELECT email FROM users LIMIT 1) = note)',
  'CREATE TRIGGER t BEFORE INSERT ON users FOR EACH ROW EXECUTE FUNCTION told()',
  "CREATE FUNCTION app.f() RETURNS text LANGUAGE sql AS 'SELECT email FROM users'",
  'DO $$ BEGIN INSERT INTO notes SELECT email FROM users; END $$',
];

test('C5 laundering by any road is refused', async () => {
  for (const mode of ['mask', 'deny'] as const) await all(stand, await stand.session(mode), 'refused', LAUNDERED);
});

test('C5 what was prepared is not stored by another statement', async () => {
  const to = await stand.session();
  for (const sql of ['PREPARE p AS SELECT email FROM users', 'PREPARE q AS SELECT note FROM orders']) await to.say(sql);
  for (const sql of ['CREATE TEMP TABLE t AS EXECUTE p', 'EXPLAIN ANALYZE CREATE TEMP TABLE t AS EXECUTE p']) {
    const { error } = answerOf(await to.say(sql));
    assert.equal(error?.code, '42501', `${sql}: ${error?.message}`);
  }
});

test('C5 defaults, comments and labels can hold no query', async () => {
  const to = await stand.session();
  for (const sql of [
    'ALTER TABLE notes ALTER COLUMN line SET DEFAULT (SELECT email FROM users LIMIT 1)',
    'CREATE TABLE app.d (x text DEFAULT (SELECT email FROM users LIMIT 1))',
    'COMMENT ON TABLE notes IS (SELECT email FROM users LIMIT 1)',
    'SET application_name = (SELECT email FROM users LIMIT 1)',
    'NOTIFY c, (SELECT email FROM users LIMIT 1)',
    'ALTER SEQUENCE numbers RESTART WITH (SELECT age FROM users LIMIT 1)',
    'CREATE TABLE app.e PARTITION OF parts FOR VALUES FROM ((SELECT age FROM users LIMIT 1)) TO (9)',
  ]) {
    assert.notEqual(answerOf(await to.say(sql)).error, null, sql);
  }
  assert.equal(answerOf(await to.say('SELECT 1')).error, null);
});

test('C5 what others have stored stays protected: views, generated columns, partitions, new relatives', async () => {
  const to = await stand.session();
  for (const sql of [
    'CREATE TABLE app.child () INHERITS (users)',
    'CREATE TABLE app.part PARTITION OF parts FOR VALUES FROM (50) TO (60)',
    'INSERT INTO app.part SELECT 51, secret FROM parts LIMIT 1',
  ]) {
    assert.equal(answerOf(await to.say(sql)).error?.message, undefined, sql);
  }
  for (const sql of ['SELECT secret FROM app.part', 'SELECT email FROM app.child']) {
    const { error } = answerOf(await to.say(sql));
    assert.equal(error, null, sql);
  }
  await stand.watcher.query('INSERT INTO app.child SELECT id + 20, name, email FROM users');
  await becomes(stand, to, 'masked', 'SELECT email FROM app.child');
  await to.say('DROP TABLE app.child, app.part');
  // Made behind the gateway's back, between two looks at the catalog.
  await stand.watcher.query('CREATE VIEW app.sneaky AS SELECT upper(email) AS x FROM users');
  const seen = await to.ask(query('SELECT x FROM app.sneaky'));
  assert.equal(answerOf(seen).error, null);
  await stand.watcher.query('DROP VIEW app.sneaky');
});

test('C5 writing other values works', async () => {
  for (const mode of ['mask', 'deny'] as const) {
    const to = await stand.session(mode);
    await all(stand, to, 'masked', [
      "INSERT INTO users (id, email, age) VALUES (9, 'new', 5) RETURNING email, age",
      "UPDATE users SET email = 'other', name = city WHERE id = 1 RETURNING email",
      "UPDATE users SET email = 'other' WHERE id = 1 RETURNING id, email",
      'DELETE FROM users WHERE id = 1 RETURNING phone',
    ]);
    await all(stand, to, 'free', [
      'INSERT INTO notes SELECT name FROM users ORDER BY id RETURNING line',
      'UPDATE orders SET note = u.city FROM users u WHERE u.id = person RETURNING orders.id, note',
      'UPDATE users SET name = upper(name) RETURNING id, name',
      'INSERT INTO orders (id, note) VALUES (9, $$x$$) ON CONFLICT (id) DO NOTHING RETURNING id',
    ]);
    for (const sql of [
      'CREATE TEMP TABLE t AS SELECT id, name FROM users',
      'UPDATE users SET email = phone',
      'ALTER TABLE users ADD COLUMN extra int',
      'ALTER TABLE users DROP COLUMN extra',
      "SELECT setval('numbers', 5)",
    ]) {
      assert.equal(answerOf(await to.say(sql)).error?.message, undefined, sql);
    }
  }
});

const BACK = [
  "UPDATE users SET email = '[redacted]' WHERE id = 1",
  "UPDATE users SET email = 'x [redacted] y', name = 'n' WHERE id = 1",
  "INSERT INTO users (id, email) VALUES (9, '[redacted]')",
  "INSERT INTO users (id, email) SELECT 9, '[redacted]'",
  "INSERT INTO users VALUES (9, 'n', '[redacted]')",
  "INSERT INTO users (id, name) VALUES (1, 'x') ON CONFLICT (id) DO UPDATE SET email = '[redacted]'",
  "UPDATE users SET phone = '**************0000' WHERE id = 1",
  "MERGE INTO users u USING orders o ON o.id = u.id WHEN MATCHED THEN UPDATE SET email = '[redacted]'",
  "UPDATE parts SET secret = '[redacted]'",
  `UPDATE users SET doc = '{"a":"[redacted]"}'`,
];

test('C10 what a mask has made is not written back', async () => {
  for (const mode of ['mask', 'deny'] as const) {
    const to = await stand.session(mode);
    await all(stand, to, 'refused', BACK);
    for (const [sql, ...values] of [
      ['UPDATE users SET email = $1 WHERE id = 1', '[redacted]'],
      ['UPDATE users SET phone = $1 WHERE id = $2', '******************0000', '1'],
      ['INSERT INTO users (id, email) VALUES ($1, $2)', '9', '[redacted]'],
    ] as const) {
      for (const sent of [values, values.map(() => '77')]) {
        await to.say('BEGIN');
        const { error } = answerOf(await to.ask([parse('', sql), bind('', '', sent), raw('E', '\0\0\0\0\0'), sync()]));
        assert.equal(error?.code, sent === values ? '42501' : undefined, `${sql}: ${error?.message}`);
        await to.say('ROLLBACK');
      }
    }
    // The same statement with other values has been judged before.
    assert.equal(answerOf(await to.say("UPDATE users SET email = 'ok@ok' WHERE id = 1 AND false")).error, null);
    assert.equal(
      answerOf(await to.say("UPDATE users SET email = '[redacted]' WHERE id = 1 AND false")).error?.code,
      '42501',
    );
    // Prepared in SQL, where the value comes later.
    await to.say('PREPARE w(text) AS UPDATE users SET email = $1 WHERE false');
    assert.equal(answerOf(await to.say("EXECUTE w('fine')")).error, null);
    assert.equal(answerOf(await to.say("EXECUTE w('[redacted]')")).error?.code, '42501');
    // By COPY.
    for (const sql of ['COPY users (id, email) FROM STDIN', 'COPY users FROM STDIN', 'COPY parts FROM STDIN CSV']) {
      assert.equal(answerOf(await to.say(sql)).error?.code, '42501', sql);
    }
    await to.say('BEGIN');
    const fine = await to.ask([query('COPY users (id, name) FROM STDIN'), copyData('77\t[redacted]\n'), copyDone()]);
    assert.equal(answerOf(fine).error, null);
    await to.say('ROLLBACK');
    const { rows } = await stand.watcher.query<{ n: string }>(
      "SELECT count(*) AS n FROM users WHERE email LIKE '%redacted%' OR phone LIKE '***%'",
    );
    assert.equal(rows[0]?.n, '0');
    // Where nothing is protected, the words are only words.
    assert.equal(
      answerOf(await to.ask(messagesFor("INSERT INTO notes VALUES ('[redacted] ***')", 'text'))).error,
      null,
    );
  }
});
