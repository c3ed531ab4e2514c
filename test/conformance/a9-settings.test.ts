// A9: a reader cannot make its session more than it is.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import {
  type Attacker,
  allAllowed,
  allRefused,
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
  'RESET ALL',
  'DISCARD ALL',
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
];

test('A9 a reader stays a reader, in every way to write a setting', async () => {
  await allRefused(
    stand,
    reader,
    ATTACKS.filter((sql) => sql !== 'SHOW ALL'),
  );
  await allRefused(
    stand,
    await stand.connect(NARROW),
    ATTACKS.filter((sql) => sql !== 'SHOW ALL'),
  );
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
