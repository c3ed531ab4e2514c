// A9: a reader cannot make its session more than it is.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import {
  type Attacker,
  allAllowed,
  allRefused,
  MODES,
  NARROW,
  READ,
  refused,
  type Stand,
  send,
  startStand,
} from './attacks.ts';

let stand: Stand;
let reader: Attacker;

before(async () => {
  stand = await startStand();
  reader = await stand.connect(READ);
});

after(() => stand?.stop());

const ATTACKS = [
  'SET TRANSACTION READ WRITE',
  'BEGIN READ WRITE',
  'BEGIN TRANSACTION ISOLATION LEVEL SERIALIZABLE, READ WRITE',
  'START TRANSACTION READ WRITE',
  'START TRANSACTION READ ONLY, READ WRITE',
  'BEGIN; SET TRANSACTION READ WRITE; DELETE FROM public.notes; COMMIT',
  'SET SESSION CHARACTERISTICS AS TRANSACTION READ WRITE',
  'SET SESSION CHARACTERISTICS AS TRANSACTION ISOLATION LEVEL READ COMMITTED READ WRITE',
  'SET transaction_read_only = off',
  'SET transaction_read_only TO DEFAULT',
  'SET LOCAL transaction_read_only = 0',
  "SET transaction_read_only = 'f'",
  'SET default_transaction_read_only = off',
  'SET "default_transaction_read_only" = off',
  'SET DEFAULT_TRANSACTION_READ_ONLY TO false',
  'SET default_transaction_read_only TO DEFAULT',
  'RESET default_transaction_read_only',
  'RESET transaction_read_only',
  "SELECT set_config('transaction_read_only', 'off', false)",
  "SELECT set_config('default_transaction_read_only', 'off', false)",
  "SELECT pg_catalog.set_config('default_transaction_read_only', 'off', false)",
  `SELECT "set_config"('default_transaction_read_only', 'off', false)`,
  `SELECT U&"set\\005fconfig"('default_transaction_read_only', 'off', false)`,
  "SELECT set_config('default_transaction_' || 'read_only', 'off', false)",
  "SELECT set_config(name, 'off', false) FROM pg_settings WHERE name LIKE 'default_transaction_read%'",
  "SELECT set_config(CASE WHEN true THEN 'role' END, 'victim', false)",
  "SELECT set_config('Role', 'victim', false)",
  "SELECT set_config('application_name'::varchar(3)::text, 'x', false)",
  "SELECT 1 FROM public.orders ORDER BY set_config('role', 'victim', false)",
  "SELECT count(*) FILTER (WHERE set_config('role', 'victim', false) = '') FROM public.orders",
  "UPDATE pg_settings SET setting = 'off' WHERE name = 'default_transaction_read_only'",
  'SET ROLE victim',
  'SET LOCAL ROLE victim',
  'SET ROLE NONE',
  'RESET ROLE',
  "SET role = 'victim'",
  'SET SESSION AUTHORIZATION victim',
  'SET SESSION AUTHORIZATION DEFAULT',
  'SET LOCAL SESSION AUTHORIZATION victim',
  'RESET SESSION AUTHORIZATION',
  "SET session_authorization = 'victim'",
  'SET app.tenant = 1',
  "SELECT set_config('app.tenant', '1', false)",
  'SET log_statement = none',
  'SET log_min_messages = panic',
  'SET track_activities = off',
  'SET exit_on_error = on',
  'SET zero_damaged_pages = on',
  'SET ignore_checksum_failure = on',
  'SET allow_system_table_mods = on',
  "SET TRANSACTION SNAPSHOT '00000003-0000001B-1'",
  "SELECT current_setting('archive_command')",
  "SELECT current_setting('archive_command_'::varchar(15))",
  "SELECT ('archive_command').current_setting",
  "SELECT current_setting('app.secret', true)",
  'SHOW archive_command',
  'SHOW ALL',
  'SHOW primary_conninfo',
  'SELECT name, setting FROM pg_settings',
  "SELECT setting FROM pg_settings WHERE name = 'primary_conninfo'",
  "SELECT setting FROM pg_settings WHERE name IN ('work_mem', 'primary_conninfo')",
  "SELECT setting FROM pg_settings WHERE name = 'work_mem' OR true",
  "SELECT 1 FROM (SELECT * FROM pg_settings WHERE name = 'work_mem') s WHERE s.setting::regclass IS NOT NULL",
];

test('A9 a reader stays a reader, in every way to write a setting', async () => {
  await allRefused(stand, reader, ATTACKS);
  await allRefused(stand, await stand.connect(NARROW), ATTACKS);
  assert.deepEqual((await send(reader.client, 'SHOW default_transaction_read_only')).rows, [['on']]);
});

test('A9 under a grant without write the database session is read-only too, in each transaction', async () => {
  for (const sql of ['BEGIN', 'BEGIN READ ONLY', 'START TRANSACTION ISOLATION LEVEL REPEATABLE READ']) {
    await send(reader.client, sql);
    assert.deepEqual((await send(reader.client, 'SHOW transaction_read_only')).rows, [['on']]);
    await send(reader.client, 'COMMIT AND CHAIN');
    assert.deepEqual((await send(reader.client, 'SHOW transaction_read_only')).rows, [['on']]);
    await send(reader.client, 'SAVEPOINT s');
    await refused(reader, 'SET TRANSACTION READ WRITE');
    await send(reader.client, 'ROLLBACK TO s');
    await send(reader.client, 'ROLLBACK');
  }
});

test('A9 settings of the session’s own comfort can be set, and put back', async () => {
  await allAllowed(reader, [
    "SET application_name = 'attacker-1'",
    'SET statement_timeout = 5000',
    "SET TimeZone TO 'UTC'",
    'SET transaction_read_only = on',
    'RESET statement_timeout',
    "SELECT set_config('work_mem', '8MB', false)",
    'SHOW search_path',
    "SELECT current_setting('server_version')",
    'BEGIN READ ONLY',
    'ROLLBACK',
    'DISCARD PLANS',
    'DISCARD SEQUENCES',
  ]);
});

for (const reset of ['RESET ALL', 'DISCARD ALL']) {
  test(`A9 after ${reset} a reader's session is what it was at login`, async () => {
    const { client } = await stand.connect(READ);
    const shown = async (name: string) => (await send(client, `SHOW ${name}`)).rows[0]?.[0];
    for (const mode of MODES) {
      for (const sql of ['SET search_path = hidden', "SET TimeZone = 'Asia/Tokyo'", 'SET work_mem = 65']) {
        await send(client, sql);
      }
      await send(client, reset, mode);
      for (const [name, value] of [
        ['default_transaction_read_only', 'on'],
        ['transaction_read_only', 'on'],
        ['standard_conforming_strings', 'on'],
        ['client_encoding', 'UTF8'],
        ['search_path', '"$user", public'],
        ['work_mem', '4MB'],
      ]) {
        assert.equal(await shown(name ?? ''), value, name);
      }
      assert.notEqual(await shown('TimeZone'), 'Asia/Tokyo');
    }
    assert.match(String(await shown('application_name')), /^attacker-/);
    await send(client, 'BEGIN');
    if (reset === 'RESET ALL') await send(client, reset);
    assert.equal(await shown('transaction_read_only'), 'on');
    await send(client, 'ROLLBACK');
  });

  test(`A9 names are judged as ${reset} leaves them`, async () => {
    const narrow = await stand.connect(NARROW);
    await send(narrow.client, 'SET search_path = hidden, public');
    await refused(narrow, 'SELECT count(*) FROM orders');
    // What stands behind it in one text is looked up by a path that is not known yet.
    await refused(narrow, `${reset}; SELECT count(*) FROM orders`);
    await send(narrow.client, reset);
    assert.deepEqual((await send(narrow.client, 'SELECT count(*)::int FROM orders')).rows, [[20]]);
    await refused(narrow, 'SELECT count(*) FROM hidden.orders');
  });
}

test('A9 RESET ALL that is rolled back leaves the path that was set before, for the gateway too', async () => {
  const narrow = await stand.connect(NARROW);
  await send(narrow.client, 'SET search_path = hidden');
  await send(narrow.client, 'BEGIN');
  await send(narrow.client, 'RESET ALL');
  assert.deepEqual((await send(narrow.client, 'SELECT count(*)::int FROM orders')).rows, [[20]]);
  await send(narrow.client, 'ROLLBACK');
  await refused(narrow, 'SELECT count(*) FROM orders');
});

test('A9 DISCARD ALL ends what was prepared and declared, and the names can be used anew', async () => {
  const { client } = await stand.connect(READ);
  const one = { name: 'one', text: 'SELECT 1 AS n' };
  assert.deepEqual((await client.query(one)).rows, [{ n: 1 }]);
  await send(client, 'PREPARE two AS SELECT 2');
  await send(client, 'DECLARE c CURSOR WITH HOLD FOR SELECT 3');
  await send(client, 'DISCARD ALL');
  // It goes on believing in its statement, as it would in front of a bare server.
  await assert.rejects(client.query(one), { code: '26000' });
  await assert.rejects(send(client, 'EXECUTE two'), { code: '26000' });
  await assert.rejects(send(client, 'FETCH c'), { code: '34000' });
  await send(client, 'PREPARE two AS SELECT 4');
  assert.deepEqual((await send(client, 'EXECUTE two')).rows, [[4]]);
  assert.deepEqual((await send(client, 'SELECT 5')).rows, [[5]]);
});

test('A9 what the pools of drivers send when a connection comes back is allowed', async () => {
  await allAllowed(reader, [
    'DISCARD ALL', // Npgsql, PgBouncer
    'CLOSE ALL', // Npgsql, with statements that stay prepared
    'UNLISTEN *',
    'SELECT pg_advisory_unlock_all()',
    'DISCARD SEQUENCES',
    'DISCARD TEMP',
    'RESET ALL',
  ]);
  // Texts of several statements are simple queries.
  for (const sql of [
    'SELECT pg_advisory_unlock_all();\nCLOSE ALL;\nUNLISTEN *;\nRESET ALL;', // asyncpg
    'CLOSE ALL;UNLISTEN *;SELECT pg_advisory_unlock_all();DISCARD SEQUENCES;DISCARD TEMP', // Npgsql
  ]) {
    await send(reader.client, sql);
  }
});

test('A9 settings are read by their names', async () => {
  await allAllowed(reader, [
    "SELECT name, setting, unit FROM pg_settings WHERE name IN ('work_mem', 'TimeZone') ORDER BY 1",
    "SELECT s.setting FROM pg_catalog.pg_settings s WHERE s.name = 'max_index_keys' LIMIT 1",
    "SELECT set_config('bytea_output','hex',false) FROM pg_settings WHERE name = 'bytea_output'",
  ]);
});
