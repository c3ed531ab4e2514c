// A12: the database does not dial out, and no transaction outlives its session, for less than admin.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { type Attacker, allAllowed, allRefused, NARROW_WRITE, READ, type Stand, startStand } from './attacks.ts';

let stand: Stand;
let reader: Attacker;

before(async () => {
  stand = await startStand({}, 'CREATE EXTENSION dblink; CREATE EXTENSION postgres_fdw; CREATE EXTENSION file_fdw');
  reader = await stand.connect(READ);
});

after(() => stand?.stop());

const ATTACKS = [
  "CREATE SUBSCRIPTION mine CONNECTION 'host=127.0.0.1' PUBLICATION p",
  'ALTER SUBSCRIPTION mine ENABLE',
  'DROP SUBSCRIPTION mine',
  "CREATE SERVER mine FOREIGN DATA WRAPPER postgres_fdw OPTIONS (host '127.0.0.1')",
  "ALTER SERVER mine OPTIONS (SET host '127.0.0.1')",
  'DROP SERVER mine',
  "CREATE USER MAPPING FOR PUBLIC SERVER mine OPTIONS (password 'x')",
  'DROP USER MAPPING FOR PUBLIC SERVER mine',
  'CREATE FOREIGN DATA WRAPPER mine',
  'CREATE FOREIGN TABLE public.made (a text) SERVER mine',
  "CREATE FOREIGN TABLE public.made (a text) SERVER mine OPTIONS (filename '/etc/passwd')",
  'IMPORT FOREIGN SCHEMA public FROM SERVER mine INTO public',
  "SELECT dblink('dbname=postgres', 'SELECT 1')",
  "SELECT * FROM dblink('host=127.0.0.1', 'SELECT 1') AS t(a int)",
  "SELECT public.dblink_connect_u('host=127.0.0.1')",
  "SELECT dblink_send_query('c', 'SELECT 1')",
  "SELECT ('host=127.0.0.1'::text).dblink_connect",
  'SELECT postgres_fdw_disconnect_all()',
  'SELECT * FROM postgres_fdw_get_connections()',
  "PREPARE TRANSACTION 'mine'",
  "BEGIN; PREPARE TRANSACTION 'mine'",
  "COMMIT PREPARED 'mine'",
  "ROLLBACK PREPARED 'mine'",
];

test('A12 dialling out is refused', async () => {
  await allRefused(stand, reader, ATTACKS);
  await allRefused(stand, await stand.connect(NARROW_WRITE), ATTACKS);
  await allRefused(stand, await stand.connect('db:db:read+write+ddl'), ATTACKS);
  assert.deepEqual((await stand.direct.query('SELECT * FROM pg_foreign_server')).rows, []);
});

test('A12 a prepared statement is no prepared transaction, and reading of servers is allowed', async () => {
  await allAllowed(reader, [
    'SELECT * FROM pg_foreign_server',
    'SELECT srrelid FROM pg_subscription_rel',
    'BEGIN',
    'COMMIT',
  ]);
});
