// A10: nothing that outlives the grant, or reaches the server itself, is open to less than admin.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { type Attacker, allAllowed, allRefused, READ, type Stand, startStand } from './attacks.ts';

let stand: Stand;
let reader: Attacker;

before(async () => {
  stand = await startStand();
  reader = await stand.connect(READ);
});

after(() => stand?.stop());

const ATTACKS = [
  'ALTER ROLE postgres SET search_path = hidden',
  'ALTER USER postgres SET default_transaction_read_only = off',
  'ALTER ROLE ALL SET statement_timeout = 1',
  'ALTER ROLE postgres IN DATABASE postgres RESET ALL',
  "ALTER ROLE postgres PASSWORD 'mine'",
  'ALTER ROLE postgres VALID UNTIL now',
  "CREATE ROLE mine SUPERUSER LOGIN PASSWORD 'mine'",
  'CREATE USER mine',
  'CREATE GROUP mine',
  'DROP ROLE victim',
  'GRANT postgres TO victim',
  'REVOKE ALL ON public.orders FROM PUBLIC',
  'GRANT SELECT ON ALL TABLES IN SCHEMA hidden TO PUBLIC',
  'ALTER DEFAULT PRIVILEGES GRANT ALL ON TABLES TO PUBLIC',
  'REASSIGN OWNED BY postgres TO victim',
  'DROP OWNED BY victim',
  'ALTER DATABASE postgres SET standard_conforming_strings = off',
  'ALTER DATABASE postgres RENAME TO mine',
  'ALTER DATABASE postgres OWNER TO victim',
  'CREATE DATABASE mine',
  'DROP DATABASE mine',
  "ALTER SYSTEM SET archive_command = 'true'",
  'ALTER SYSTEM RESET ALL',
  "LOAD 'auto_explain'",
  "LOAD '$libdir/plugins/x'",
  'CREATE EXTENSION dblink',
  'CREATE EXTENSION IF NOT EXISTS plpgsql',
  'ALTER EXTENSION plpgsql UPDATE',
  'DROP EXTENSION plpgsql',
  'SET row_security = off',
  'SET session_replication_role = replica',
  "SET local_preload_libraries = 'x'",
  "SET session_preload_libraries = 'x'",
  "SET dynamic_library_path = '/tmp'",
  "SELECT set_config('row_security', 'off', false)",
  "SELECT set_config('session_replication_role', 'replica', true)",
  'ALTER TABLE public.orders DISABLE TRIGGER ALL',
  'ALTER TABLE public.orders DISABLE ROW LEVEL SECURITY',
  'ALTER TABLE public.orders OWNER TO victim',
  'ALTER VIEW public.plain OWNER TO victim',
  'ALTER SCHEMA hidden OWNER TO victim',
  'ALTER SCHEMA hidden RENAME TO open',
  'ALTER FUNCTION public.bait() OWNER TO victim',
  "SECURITY LABEL FOR x ON TABLE public.orders IS 'y'",
  "CREATE TABLESPACE mine LOCATION '/tmp'",
  'ALTER TABLESPACE pg_default SET (seq_page_cost = 1)',
  'CREATE PUBLICATION mine FOR ALL TABLES',
  'CREATE ACCESS METHOD mine TYPE INDEX HANDLER bthandler',
  "CREATE CONVERSION mine FOR 'UTF8' TO 'LATIN1' FROM utf8_to_iso8859_1",
  'CREATE TEXT SEARCH DICTIONARY mine (TEMPLATE = simple)',
];

test('A10 what lasts or reaches the server needs admin', async () => {
  await allRefused(stand, reader, ATTACKS);
  await allRefused(stand, await stand.connect('db:db:read+write+ddl'), ATTACKS);
});

test('A10 admin over a part is not admin over the whole', async () => {
  await allRefused(stand, await stand.connect('db:db.public:read+write+ddl+admin'), [
    'ALTER ROLE postgres SET search_path = hidden',
    'CREATE ROLE mine',
    "ALTER SYSTEM SET archive_command = 'true'",
    "DO 'BEGIN DELETE FROM public.notes; END'",
    'SELECT public.bait()',
    "SELECT pg_read_file('PG_VERSION')",
  ]);
});

test('A10 admin over the whole connection can do what the others cannot, and looking is free', async () => {
  const admin = await stand.connect('db:db:read+write+ddl+admin');
  await admin.client.query('CREATE ROLE made_by_admin');
  await admin.client.query('DROP ROLE made_by_admin');
  await allAllowed(admin, ["SELECT pg_read_file('PG_VERSION')"]);
  await allAllowed(reader, ['SELECT rolname FROM pg_roles', 'SELECT extname FROM pg_extension', 'SHOW row_security']);
  const { rows } = await stand.direct.query("SELECT 1 FROM pg_roles WHERE rolname = 'made_by_admin'");
  assert.equal(rows.length, 0);
});
