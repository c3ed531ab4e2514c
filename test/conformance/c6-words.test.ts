// C6 and C8: what the database says in words, and what it keeps of values for itself.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { execute, query, sync } from '../../src/wire/pg/messages.ts';
import { bind, copyData, copyDone, parse } from '../peers/messages.ts';
import { all, answerOf, maskedStand, messagesFor, type Spied, WAYS, WORDS } from './masked.ts';

const stand = await maskedStand(
  {},
  `CREATE TABLE long (id int, body text STORAGE EXTERNAL);
   INSERT INTO long SELECT 1, repeat(email, 300) FROM users WHERE id = 1;
   CREATE FUNCTION loudly() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
     RAISE WARNING 'now %', NEW.note USING DETAIL = (SELECT string_agg(email, ',') FROM users), HINT = (SELECT max(email) FROM users);
     RETURN NEW; END $$;
   CREATE TRIGGER loudly BEFORE UPDATE ON orders FOR EACH ROW EXECUTE FUNCTION loudly();
   CREATE STATISTICS related ON name, email FROM users;`,
);

/** Fails in the database: nothing of a value comes along, and the session goes on. */
async function fail(to: Spied, sql: string, code: RegExp): Promise<void> {
  for (const way of WAYS) {
    const { error } = answerOf(await to.ask(messagesFor(sql, way)));
    assert.match(error?.code ?? 'nothing', code, `${way}: ${sql}: ${error?.message}`);
    await to.say('ROLLBACK');
  }
}

test('C6 errors that quote a value: casts, conversions, names', async () => {
  const to = await stand.session();
  for (const [sql, code] of [
    ['SELECT email::int FROM users', /22P02/],
    ['SELECT email::date FROM users', /22007/],
    ['SELECT email::uuid, email::inet FROM users', /22P02/],
    ['SELECT email::json FROM users', /22P02/],
    ['SELECT email::xml::text FROM users', /./],
    ['SELECT email::mood_or_not FROM users', /42704|42501/],
    ['SELECT email::regclass FROM users', /42P01|42602/],
    ["SELECT (email || '.x.y.z')::regclass FROM users", /42601|0A000/],
    ["SELECT (email || '.x.y')::regclass FROM users", /0A000|42601/],
    ["SELECT to_regclass(email || '.x.y') FROM users", /0A000|42601/],
    ['SELECT email::regtype FROM users', /42704|42601/],
    ['SELECT email::regproc, email::regprocedure FROM users', /42883/],
    ['SELECT email::regrole FROM users', /42704/],
    ['SELECT email::regnamespace FROM users', /3F000/],
    ['SELECT email::regcollation FROM users', /42704/],
    ['SELECT email::regconfig FROM users', /42704/],
    ['SELECT email::regoper FROM users', /42883/],
    ['SELECT format_type(email::regtype, -1) FROM users', /./],
    ['SELECT email::jsonpath FROM users', /42601|22P02/],
    ["SELECT to_tsquery('simple', email || ' ' || email) FROM users", /42601/],
    ["SELECT (email || ' x y')::tsquery FROM users", /42601/],
    ["SELECT repeat('ab ', age)::tsvector FROM users WHERE id = 1", /54000/],
    ['SELECT current_setting(email) FROM users', /42704|42501/],
    ['SELECT date_trunc(email, now()), extract(year FROM email::timestamp) FROM users', /22/],
    ['SELECT date_part(email, now()) FROM users', /22023|0A000/],
    ['SELECT now() AT TIME ZONE email FROM users', /22023/],
    ["SELECT convert_to('x', email) FROM users", /42704|22023/],
    ["SELECT encode('x', email) FROM users", /22023/],
    ["SELECT to_date(email, 'YYYY'), to_number(email, '999') FROM users", /22/],
    ["SELECT regexp_match('x', email || '(') FROM users", /2201B/],
    ["SELECT xpath(email, '<a/>') FROM users", /./],
    ["SELECT has_table_privilege(email, 'SELECT') FROM users", /42P01|42602/],
    ["SELECT has_table_privilege('users', email) FROM users", /22023/],
    ["SELECT has_table_privilege(email, 'users', 'SELECT') FROM users", /42704/],
    ["SELECT pg_get_serial_sequence(email, 'x') FROM users", /42P01|42602/],
    ['SELECT nextval(email::regclass) FROM users', /42501/],
    ['SELECT pg_size_bytes(email) FROM users', /22023/],
    ["SELECT parse_ident(email || '..') FROM users", /22023/],
    ["SELECT setweight('a'::tsvector, 'A', ARRAY[email])::text::int FROM users", /22/],
    ['SELECT age::int2 FROM users', /22003/],
    ['SELECT 2147483647 + age FROM users', /22003/],
    ['SELECT code::varchar(3)::int FROM users', /22P02/],
    ['SELECT jsonb_path_query(doc, (email)::jsonpath) FROM users', /./],
    ["SELECT (doc->>email)::int, raw->email->'x'->>0, (tags)[age] FROM users WHERE (email)::int = 1", /22P02/],
    ['SELECT enum_range(email::pg_catalog.bool) FROM users', /./],
    ['SELECT id FROM users WHERE email::int = 1', /22P02/],
    ['SELECT id FROM users ORDER BY email::int', /22P02/],
    ['SELECT json_populate_record(NULL::orders, doc)::text, json_object(ARRAY[email]) FROM users', /./],
    ['WITH x AS MATERIALIZED (SELECT email::int AS e FROM users) SELECT 1 FROM x', /22P02/],
    ['EXPLAIN ANALYZE SELECT email::int FROM users', /22P02/],
    ['CREATE TEMP TABLE t AS SELECT id FROM users WHERE email::int = 1', /22P02/],
  ] as const) {
    await fail(to, sql, code);
  }
});

test('C6 errors of constraints: unique, check, domain, foreign key, deferred to the end', async () => {
  const to = await stand.session();
  for (const [sql, code] of [
    ['UPDATE users SET email = (SELECT email FROM users WHERE id = 2) WHERE id = 1', /23505/],
    ['INSERT INTO users SELECT * FROM users WHERE id = 1', /23505|428C9|42501/],
    ['UPDATE users SET grade = 1000 WHERE id = 1', /23514/],
    ['UPDATE users SET code = repeat(code, 20)', /23514/],
    ['UPDATE users SET id = NULL WHERE id = 1', /23502/],
    ['UPDATE parts SET id = 100', /23514/],
    ['ALTER TABLE users ADD CHECK (length(email) < 3)', /23514|42501/],
    ['ALTER TABLE users ADD CHECK (length(name) < 3)', /23514/],
    ['INSERT INTO loud VALUES (1)', /42501/],
  ] as const) {
    await fail(to, sql, code);
  }
  for (const end of ['COMMIT', 'SET CONSTRAINTS ALL IMMEDIATE', 'END; SELECT 1']) {
    await to.say('BEGIN; SET CONSTRAINTS ALL DEFERRED');
    const set = answerOf(await to.say('UPDATE users SET email = (SELECT email FROM users WHERE id = 2) WHERE id = 1'));
    assert.equal(set.error, null);
    assert.equal(answerOf(await to.say(end)).error?.code, '23505', end);
    await to.say('ROLLBACK');
  }
  await to.say('BEGIN; SET CONSTRAINTS ALL DEFERRED');
  await to.say('UPDATE users SET email = (SELECT email FROM users WHERE id = 2) WHERE id = 1');
  const piped = await to.ask([parse('', 'COMMIT'), bind('', ''), execute('', 0), sync()]);
  assert.equal(answerOf(piped).error?.code, '23505');
  assert.equal(answerOf(await to.say('SELECT 1')).error, null);
});

test('C6 an error of COPY FROM quotes no line', async () => {
  const to = await stand.session();
  const failed = await to.ask([query('COPY users (id, name) FROM STDIN'), copyData('1\tx\n'), copyDone()]);
  assert.equal(answerOf(failed).error?.code, '23505');
});

test('C6 notices, and notifications, of triggers', async () => {
  const to = await stand.session();
  await to.say('LISTEN changes');
  const told = await to.ask(query('UPDATE told SET id = id'));
  assert.deepEqual(
    told.map(({ type }) => type).filter((type) => type === 'N' || type === 'A'),
    ['N', 'N', 'N', 'A', 'A', 'A'],
  );
  const warned = await to.ask(query("UPDATE orders SET note = 'x' WHERE id = 1"));
  assert.equal(warned.filter(({ type }) => type === 'N').length, 1, 'a trigger of an unprotected table reads another');
  const other = await stand.session();
  await other.say('LISTEN changes');
  await stand.watcher.query('UPDATE told SET id = id');
  for (;;) {
    const messages = await other.say('SELECT 1');
    if (messages.some(({ type }) => type === 'A')) break;
  }
});

test('C6 what helps to write a statement still comes', async () => {
  const to = await stand.session();
  for (const [sql, words] of [
    ['SELECT nothing FROM users', /column "?nothing"? (does not exist|is not known)/],
    ['SELECT email FROM nobody', /relation "nobody" does not exist/],
    ['SELECT upper(email, 1) FROM users', /function upper\(text, integer\) does not exist/],
    ['SELECT email + 1 FROM users', /operator does not exist: text \+ integer/],
    ['SELECT id, count(*) FROM users', /must appear in the GROUP BY clause/],
    ["INSERT INTO orders VALUES ('a')", /invalid input syntax for type integer: "a"/],
    ['SELECT 1/0', /division by zero/],
  ] as const) {
    assert.match(answerOf(await to.say(sql)).error?.message ?? '', words, sql);
  }
});

test('C8 the system’s own copies of values', async () => {
  for (const mode of ['mask', 'deny'] as const) {
    await all(stand, await stand.session(mode), 'refused', [
      'SELECT * FROM pg_stats',
      "SELECT most_common_vals FROM pg_stats WHERE tablename = 'users'",
      'SELECT histogram_bounds::text FROM pg_catalog.pg_stats',
      'SELECT stavalues1::text FROM pg_statistic',
      'SELECT * FROM pg_stats_ext',
      'SELECT * FROM pg_stats_ext_exprs',
      'SELECT stxdmcv::text FROM pg_statistic_ext_data',
      'SELECT m.* FROM pg_statistic_ext_data, pg_mcv_list_items(stxdmcv) m',
      'SELECT query FROM pg_stat_activity',
      'SELECT * FROM pg_stat_get_activity(NULL)',
      'SELECT pg_stat_get_backend_activity(1)',
      'SELECT data FROM pg_largeobject',
      'SELECT lo_get(1)',
      'SELECT loread(0, 1)',
      "SELECT pg_read_file('x')",
      "SELECT query_to_xml('SELECT email FROM users', true, true, '')",
      "SELECT table_to_xml('users', true, true, '')",
      "SELECT * FROM ts_stat('SELECT to_tsvector(email) FROM users')",
      "SELECT cursor_to_xml('c', 1, true, true, '')",
      "SELECT database_to_xml(true, true, '')",
      'SELECT peek(u) FROM users u',
      'SELECT u.peek FROM users u',
    ]);
  }
  const to = await stand.session();
  const { rows } = await stand.watcher.query<{ name: string }>(
    "SELECT reltoastrelid::regclass::text AS name FROM pg_class WHERE relname IN ('users', 'long') ORDER BY 1",
  );
  for (const { name } of rows) {
    for (const sql of [`SELECT chunk_data FROM ${name}`, `TABLE ${name}`, `COPY (TABLE ${name}) TO STDOUT`]) {
      assert.equal(answerOf(await to.say(sql)).error?.rule, 'masking', sql);
    }
  }
  for (const sql of [
    'SELECT * FROM pg_prepared_statements',
    'SELECT * FROM pg_cursors',
    'SELECT * FROM pg_class',
    'SELECT * FROM pg_attribute',
    'SELECT * FROM pg_indexes',
    'SELECT * FROM pg_sequences',
    'SELECT relname, seq_scan, n_live_tup FROM pg_stat_user_tables',
    'SELECT * FROM information_schema.columns',
    'SELECT * FROM pg_locks',
  ]) {
    // They are full of numbers that are like any number.
    const told = (await to.client.ask(query(sql))).join(' ');
    assert.match(told, / Z I$/, sql);
    for (const word of WORDS) assert.ok(!told.includes(word), sql);
  }
});
