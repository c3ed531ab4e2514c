// What drivers, mappers and tools that are not installed here say at connect and ask of the catalog, in their shape: let in
// under a read grant, answered as the database answers.
import assert from 'node:assert/strict';
import type { Socket } from 'node:net';
import { test } from 'node:test';
import pg from 'pg';
import { startupMessage } from '../../src/wire/pg/messages.ts';
import { READ, stand } from './stand.ts';

const bench = stand(['nothing', 'another table']);

/** Startup parameters besides `user` and `database`, by who sends them. */
const STARTUPS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  libpq: { application_name: 'psql', client_encoding: 'UTF8' },
  'libpq in the C locale': { client_encoding: 'SQL_ASCII' },
  pgjdbc: {
    client_encoding: 'UTF8',
    DateStyle: 'ISO',
    TimeZone: 'Europe/Vienna',
    extra_float_digits: '2',
    application_name: 'PostgreSQL JDBC Driver',
  },
  'pgjdbc with options': { client_encoding: 'UTF8', options: '-c statement_timeout=5min -c search_path=public' },
  r2dbc: {
    application_name: 'r2dbc-postgresql',
    client_encoding: 'utf8',
    DateStyle: 'ISO',
    extra_float_digits: '2',
    TimeZone: 'UTC',
  },
  pgx: {},
  'pgx with its runtime parameters': { application_name: 'job', search_path: 'public', timezone: 'UTC' },
  'lib/pq': { client_encoding: 'UTF8', datestyle: 'ISO, MDY', extra_float_digits: '2' },
  Npgsql: { client_encoding: 'UTF8', application_name: 'app', TimeZone: 'Europe/Berlin' },
  'tokio-postgres': { client_encoding: 'UTF8' },
  sqlx: {
    DateStyle: 'ISO, MDY',
    client_encoding: 'UTF8',
    TimeZone: 'UTC',
    extra_float_digits: '2',
    application_name: 'x',
  },
  Postgrex: { application_name: 'beam', client_encoding: 'utf8' },
  'SQLAlchemy over pg8000': { application_name: '', client_encoding: 'utf-8' },
  replication: { replication: 'false' },
};

const SETTINGS: Readonly<Record<string, readonly string[]>> = {
  pgjdbc: [
    'SET extra_float_digits = 3',
    "SET application_name = 'PostgreSQL JDBC Driver'",
    'SHOW TRANSACTION ISOLATION LEVEL',
    'SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY',
    'SET SESSION CHARACTERISTICS AS TRANSACTION ISOLATION LEVEL SERIALIZABLE',
    'BEGIN READ ONLY',
    'COMMIT',
  ],
  psqlodbc: ["SET DateStyle = 'ISO';SET extra_float_digits = 2;show transaction_isolation", 'SELECT version()'],
  SQLAlchemy: [
    'select pg_catalog.version()',
    'select current_schema()',
    'show standard_conforming_strings',
    'show transaction isolation level',
    "SELECT CAST('test plain returns' AS VARCHAR(60)) AS anon_1",
    'ROLLBACK',
  ],
  Rails: [
    "SET client_min_messages TO 'warning'",
    'SET standard_conforming_strings = on',
    'SET intervalstyle = iso_8601',
    "SET SESSION timezone TO 'UTC'",
    'SHOW max_identifier_length',
    'SHOW search_path',
    'SHOW client_min_messages',
  ],
  Django: ["SELECT set_config('TimeZone', 'Europe/Vienna', false)", "SET TIME ZONE 'UTC'", 'SELECT 1 AS "a" LIMIT 1'],
  Npgsql: [
    'CLOSE ALL',
    'UNLISTEN *',
    'DISCARD SEQUENCES',
    'DISCARD TEMP',
    'BEGIN TRANSACTION ISOLATION LEVEL READ COMMITTED',
    'ROLLBACK',
  ],
  pgAdmin: [
    "SET DateStyle=ISO; SET client_min_messages=notice; SELECT set_config('bytea_output','hex',false) FROM pg_settings WHERE name = 'bytea_output'; SET client_encoding='UTF8'",
    'SHOW search_path',
    'SELECT pg_backend_pid()',
    'SET statement_timeout = 0; SET lock_timeout = 0; SET idle_in_transaction_session_timeout = 0',
  ],
  pg_dump: [
    'SET DATESTYLE = ISO',
    'SET INTERVALSTYLE = POSTGRES',
    'SET extra_float_digits TO 3',
    'SET synchronize_seqscans TO off',
    'SET quote_all_identifiers = true',
    'BEGIN',
    'SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY',
    'ROLLBACK',
  ],
  asyncpg: ['SET jit = off', 'SHOW jit'],
  pgbouncer: ["SET application_name='x'; SET search_path='public'", 'SELECT 1', ';'],
  tools: [
    'select 1; select 2',
    'SELECT current_database(), current_user, session_user, inet_server_addr(), inet_server_port()',
    'SELECT current_schemas(true), current_setting($$server_version_num$$)::int, pg_is_in_recovery()',
    'SELECT txid_current_if_assigned(), now(), pg_postmaster_start_time() IS NOT NULL',
    'SHOW server_version; SHOW server_encoding; SHOW lc_monetary',
  ],
};

const CATALOG: Readonly<Record<string, string>> = {
  'types with their elements, as Npgsql loads them': `
    SELECT version();
    SELECT n.nspname, t.oid, t.typname, t.kind, t.typnotnull, t.elem
    FROM (
      SELECT y.oid, y.typnamespace, y.typname, y.typnotnull,
        CASE WHEN p.proname = 'array_recv' THEN 'a' ELSE y.typtype END AS kind,
        CASE WHEN p.proname = 'array_recv' THEN y.typelem
             WHEN y.typtype = 'r' THEN r.rngsubtype
             WHEN y.typtype = 'm' THEN (SELECT rngtypid FROM pg_range WHERE rngmultitypid = y.oid)
             WHEN y.typtype = 'd' THEN y.typbasetype END AS elem
      FROM pg_type AS y
      LEFT JOIN pg_class AS c ON c.oid = y.typrelid
      LEFT JOIN pg_proc AS p ON p.oid = y.typreceive
      LEFT JOIN pg_range AS r ON r.rngtypid = y.oid
    ) AS t
    JOIN pg_namespace AS n ON n.oid = t.typnamespace
    WHERE t.kind IN ('a', 'b', 'd', 'e', 'm', 'r') OR (t.kind = 'p' AND t.typname IN ('record', 'void'))
    ORDER BY CASE WHEN t.kind IN ('b', 'e', 'p') THEN 0 WHEN t.kind = 'a' THEN 1 ELSE 2 END, t.oid;
    -- and the labels of enumerations
    SELECT t.oid, e.enumlabel FROM pg_enum e JOIN pg_type t ON t.oid = e.enumtypid ORDER BY t.oid, e.enumsortorder;`,
  'types by recursion, as asyncpg finds them': `
    WITH RECURSIVE tree(oid, name, depth) AS (
      SELECT t.oid, format_type(t.oid, NULL), 0 FROM pg_catalog.pg_type t WHERE t.oid = any (ARRAY['mood'::regtype, 'users'::regtype])
      UNION ALL
      SELECT a.atttypid, format_type(a.atttypid, a.atttypmod), tree.depth + 1
      FROM tree JOIN pg_type t ON t.oid = tree.oid JOIN pg_attribute a ON a.attrelid = t.typrelid AND a.attnum > 0
    )
    SELECT DISTINCT oid::int, name, depth FROM tree ORDER BY 3 DESC, 1`,
  'one type by name, as psycopg and tokio-postgres look it up': `
    SELECT t.typname, t.typtype, t.typelem, r.rngsubtype, t.typbasetype, n.nspname, t.typrelid, to_regtype('mood') AS found,
      t.oid::regtype::text AS regtype, t.typdelim, t.typinput::regproc, t.typarray
    FROM pg_catalog.pg_type t LEFT JOIN pg_catalog.pg_range r ON r.rngtypid = t.oid
    INNER JOIN pg_catalog.pg_namespace n ON t.typnamespace = n.oid WHERE t.typname IN ('mood', '_mood', 'int4range', 'jsonb')
    ORDER BY t.oid`,
  'columns, as Rails reads them': `
    SELECT a.attname, format_type(a.atttypid, a.atttypmod), pg_get_expr(d.adbin, d.adrelid), a.attnotnull, c.collname,
      col_description(a.attrelid, a.attnum) AS comment, a.attidentity AS identity, a.attgenerated AS generated
    FROM pg_attribute a
    LEFT JOIN pg_attrdef d ON a.attrelid = d.adrelid AND a.attnum = d.adnum
    LEFT JOIN pg_type t ON a.atttypid = t.oid
    LEFT JOIN pg_collation c ON a.attcollation = c.oid AND a.attcollation <> t.typcollation
    WHERE a.attrelid = '"public"."users"'::regclass AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum`,
  'constraints, as Django inspects them': `
    SELECT c.conname, array(
        SELECT attname FROM unnest(c.conkey) WITH ORDINALITY cols(colid, arridx)
        JOIN pg_attribute AS ca ON cols.colid = ca.attnum WHERE ca.attrelid = c.conrelid ORDER BY cols.arridx),
      c.contype, (SELECT fkc.relname || '.' || fka.attname FROM pg_attribute AS fka
        JOIN pg_class AS fkc ON fka.attrelid = fkc.oid WHERE fka.attrelid = c.confrelid AND fka.attnum = c.confkey[1]),
      cl.reloptions
    FROM pg_constraint AS c JOIN pg_class AS cl ON c.conrelid = cl.oid
    WHERE cl.relname IN ('orders', 'users') AND pg_catalog.pg_table_is_visible(cl.oid) ORDER BY 1`,
  'indexes, as mappers read them': `
    SELECT i.relname, ix.indisunique, ix.indisprimary, pg_get_indexdef(ix.indexrelid), array_agg(a.attname ORDER BY k.ord),
      am.amname, pg_get_expr(ix.indpred, ix.indrelid), obj_description(i.oid, 'pg_class'), ix.indoption::text
    FROM pg_class t JOIN pg_index ix ON t.oid = ix.indrelid JOIN pg_class i ON i.oid = ix.indexrelid
    JOIN pg_am am ON am.oid = i.relam
    CROSS JOIN LATERAL unnest(ix.indkey) WITH ORDINALITY AS k(attnum, ord)
    LEFT JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = k.attnum
    WHERE t.relname IN ('users', 'orders') GROUP BY 1, 2, 3, 4, 6, 7, 8, 9 ORDER BY 1`,
  'foreign keys by the information schema, as Knex and TypeORM do': `
    SELECT tc.constraint_name, kcu.column_name, ccu.table_name AS foreign_table, rc.delete_rule, rc.update_rule
    FROM information_schema.table_constraints tc
    JOIN information_schema.key_column_usage kcu USING (constraint_schema, constraint_name)
    JOIN information_schema.constraint_column_usage ccu USING (constraint_schema, constraint_name)
    JOIN information_schema.referential_constraints rc USING (constraint_schema, constraint_name)
    WHERE tc.constraint_type = 'FOREIGN KEY' AND tc.table_schema = current_schema()`,
  'everything about columns by the information schema, as Prisma and Metabase do': `
    SELECT c.table_schema, c.table_name, c.column_name, c.data_type, c.udt_schema, c.udt_name, c.is_nullable, c.is_identity,
      c.column_default, c.character_maximum_length, format_type(a.atttypid, a.atttypmod) AS formatted,
      pg_catalog.has_table_privilege(a.attrelid, 'SELECT') AS readable
    FROM information_schema.columns c
    JOIN pg_catalog.pg_attribute a ON a.attrelid = format('%I.%I', c.table_schema, c.table_name)::regclass AND a.attname = c.column_name
    WHERE c.table_schema NOT IN ('pg_catalog', 'information_schema') AND c.table_schema NOT LIKE 'pg\\_%' ORDER BY 1, 2, c.ordinal_position`,
  'functions, as DBeaver and Prisma list them': `
    SELECT p.oid, p.proname, pg_get_function_identity_arguments(p.oid), pg_get_function_result(p.oid), l.lanname, p.prokind,
      d.description, pg_get_functiondef(p.oid) AS definition
    FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace JOIN pg_catalog.pg_language l ON l.oid = p.prolang
    LEFT OUTER JOIN pg_catalog.pg_description d ON d.objoid = p.oid AND d.classoid = 'pg_proc'::regclass
    WHERE n.nspname = 'public' AND p.prokind = 'f'`,
  'databases, as tools and the psql of PostgreSQL 17 list them': `
    SELECT d.datname, pg_catalog.pg_get_userbyid(d.datdba), pg_catalog.pg_encoding_to_char(d.encoding),
      CASE d.datlocprovider WHEN 'b' THEN 'builtin' WHEN 'c' THEN 'libc' WHEN 'i' THEN 'icu' END, d.datcollate, d.datlocale, d.daticurules,
      CASE WHEN pg_catalog.array_length(d.datacl, 1) = 0 THEN '(none)' ELSE pg_catalog.array_to_string(d.datacl, E'\\n') END,
      pg_catalog.shobj_description(d.oid, 'pg_database'), pg_catalog.has_database_privilege(d.datname, 'CONNECT'),
      pg_catalog.pg_database_size(d.datname) > 0
    FROM pg_catalog.pg_database d ORDER BY 1`,
  'sizes and statistics, as dashboards ask': `
    SELECT s.schemaname, s.relname, pg_size_pretty(pg_total_relation_size(s.relid)), pg_relation_size(s.relid), c.reltuples::bigint,
      c.relpersistence, pg_table_size(c.oid), pg_indexes_size(c.oid)
    FROM pg_stat_user_tables s JOIN pg_class c ON c.oid = s.relid ORDER BY 2`,
  'settings, extensions and roles': `
    SELECT name, setting FROM pg_settings WHERE name IN ('server_version', 'TimeZone', 'max_index_keys') ORDER BY 1;
    SELECT extname, extversion FROM pg_extension; SELECT rolname, rolsuper FROM pg_roles WHERE rolname = current_user;
    SELECT name, default_version FROM pg_available_extensions ORDER BY 1;
    SELECT DISTINCT abbrev, utc_offset FROM pg_timezone_abbrevs ORDER BY 1 LIMIT 5`,
  'what a deployment checks': `
    SELECT to_regclass('public.users') IS NOT NULL, EXISTS (SELECT FROM pg_tables WHERE schemaname = 'public' AND tablename = 'users'),
      EXISTS (SELECT 1 FROM information_schema.tables WHERE table_name = 'schema_migrations'), pg_get_serial_sequence('users', 'id'),
      quote_ident('a b'), pg_encoding_max_length(pg_char_to_encoding('UTF8'))`,
  'views with their definitions': `
    SELECT schemaname, viewname, definition FROM pg_views WHERE schemaname = 'public';
    SELECT table_name, view_definition, is_updatable FROM information_schema.views WHERE table_schema = 'public';
    SELECT c.relname, pg_get_viewdef(c.oid, true) FROM pg_class c WHERE c.relkind IN ('v', 'm') AND c.relnamespace = 'public'::regnamespace`,
  'sequences, triggers, policies, partitions, dependencies': `
    SELECT sequence_name, data_type FROM information_schema.sequences ORDER BY 1; SELECT sequencename, data_type FROM pg_sequences ORDER BY 1;
    SELECT tgname, pg_get_triggerdef(oid, true), tgenabled FROM pg_trigger WHERE NOT tgisinternal;
    SELECT * FROM pg_policies; SELECT inhrelid::regclass, inhparent::regclass FROM pg_inherits WHERE inhparent = 'users'::regclass;
    SELECT pg_get_partkeydef(oid), pg_get_ruledef(0) FROM pg_class WHERE relkind = 'p';
    SELECT classid::regclass, objid, deptype FROM pg_depend WHERE refobjid = 'users'::regclass ORDER BY 1, 2, 3`,
};

/** A client whose startup packet holds just these parameters besides `user`: `pg` would add its own. */
function startingWith(login: { user: string } & pg.ClientConfig, parameters: object): pg.Client {
  const client = new pg.Client(login);
  const { connection } = client as unknown as { connection: { stream: Socket; startup: () => void } };
  connection.startup = () => {
    connection.stream.write(startupMessage(0x30000, Object.entries({ user: login.user, ...parameters })));
  };
  return client;
}

for (const masking of ['nothing', 'another table'] as const) {
  test(`startup parameters of drivers, ${masking} masked`, async () => {
    const login = await bench.gateway(masking).login({ scopes: READ });
    for (const [driver, parameters] of Object.entries(STARTUPS)) {
      const client = startingWith(login, { database: login.database, ...parameters });
      await assert.doesNotReject(client.connect(), driver);
      assert.deepEqual((await client.query('SHOW client_encoding')).rows, [{ client_encoding: 'UTF8' }]);
      await client.end();
    }
  });

  test(`first statements of drivers and tools, ${masking} masked`, async () => {
    const login = await bench.gateway(masking).login({ scopes: READ });
    for (const [driver, texts] of Object.entries(SETTINGS)) {
      const client = new pg.Client(login);
      await client.connect();
      for (const text of texts) await assert.doesNotReject(client.query(text), `${driver}: ${text}`);
      await client.end();
    }
  });

  test(`what drivers and tools ask of the catalog, ${masking} masked`, async () => {
    const client = new pg.Client(await bench.gateway(masking).login({ scopes: READ }));
    const direct = new pg.Client({ connectionString: bench.database.connectionString });
    await client.connect();
    await direct.connect();
    for (const [what, text] of Object.entries(CATALOG)) {
      const rowsOf = async (asked: pg.Client) => {
        const answer = await asked.query(text).catch((error: pg.DatabaseError) => {
          throw new Error(`${what}: ${error.message}`);
        });
        return [answer].flat().map(({ rows }) => rows as unknown[]);
      };
      assert.deepEqual(await rowsOf(client), await rowsOf(direct), what);
    }
    await client.end();
    await direct.end();
  });
}

test('a startup parameter that is not known, or that the database does not take, is named', async () => {
  const login = await bench.gateway('nothing').login({ scopes: READ });
  for (const [parameters, code, words] of [
    [{ DateStyle: 'nonsense' }, '22023', /datestyle=nonsense/],
    [{ session_replication_role: 'replica' }, '42501', /session_replication_role/],
    [{ options: '-c row_security=off' }, '42501', /row_security/],
    [{ replication: 'database' }, '0A000', /replication/],
    [{ client_encoding: 'SJIS' }, '22023', /SJIS/],
  ] as const) {
    const client = startingWith(login, parameters);
    await assert.rejects(client.connect(), (error: pg.DatabaseError) => {
      assert.equal(error.code, code);
      assert.match(error.message, words);
      return true;
    });
  }
});
