// The catalog of a real database, and the allow-lists against it.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Client } from 'pg';
import { buildCatalog, CATALOG_SQL, QUERIES } from '../../../src/sql/pg/catalog.ts';
import { ready } from '../../../src/sql/pg/classify.ts';
import { functionNeed, isSystemType, operatorNeed, takesWholeRow } from '../../../src/sql/pg/functions.ts';
import { systemRelation } from '../../../src/sql/pg/relations.ts';
import { settingIsSecret } from '../../../src/sql/pg/settings.ts';
import type { Catalog, CatalogRelation } from '../../../src/types.ts';
import { type PostgresServer, startPostgres } from '../../servers/postgres.ts';
import { one } from './brief.ts';

let server: PostgresServer;
let client: Client;

before(async () => {
  await ready();
  server = await startPostgres({
    sql: `CREATE SCHEMA s; CREATE EXTENSION citext; CREATE EXTENSION pgcrypto SCHEMA s; CREATE EXTENSION dblink;
      CREATE TABLE t (id serial PRIMARY KEY, gone int, email text, low text GENERATED ALWAYS AS (lower(email)) STORED);
      ALTER TABLE t DROP COLUMN gone;
      CREATE TABLE s.t (a int); CREATE TABLE s.pg_class (a int);
      CREATE VIEW v1 AS SELECT email FROM t; CREATE VIEW v2 AS SELECT * FROM v1, s.t;
      CREATE MATERIALIZED VIEW m AS SELECT * FROM v2; CREATE VIEW vs AS SELECT tablename, histogram_bounds::text FROM pg_stats;
      CREATE TABLE p (a int, b text) PARTITION BY LIST (a); CREATE TABLE p1 PARTITION OF p FOR VALUES IN (1) PARTITION BY LIST (b);
      CREATE TABLE p11 PARTITION OF p1 FOR VALUES IN ('x'); CREATE TABLE p2 PARTITION OF p FOR VALUES IN (2);
      CREATE FUNCTION lower(t) RETURNS text LANGUAGE sql AS 'SELECT 1::text';
      CREATE FUNCTION s.mine(int) RETURNS bool LANGUAGE sql AS 'SELECT true';
      CREATE PROCEDURE s.proc() LANGUAGE sql AS 'SELECT true';
      CREATE OPERATOR s.+@+ (function = s.mine, rightarg = int);
      CREATE DOMAIN safe AS int CHECK (value > 0); CREATE DOMAIN risky AS int CHECK (s.mine(value)); CREATE DOMAIN nested AS risky;
      CREATE TYPE mood AS ENUM ('a'); CREATE TYPE comp AS (a int);
      CREATE FUNCTION to_comp(int) RETURNS comp LANGUAGE sql AS 'SELECT ROW($1)::comp';
      CREATE CAST (int AS comp) WITH FUNCTION to_comp(int)`,
  });
  client = new Client({ connectionString: server.connectionString });
  await client.connect();
});

after(async () => {
  await client?.end();
  await server?.stop();
});

async function read(previous?: Catalog, as: Client = client): Promise<Catalog> {
  const answer: unknown = await as.query({
    text: CATALOG_SQL,
    rowMode: 'array',
    types: { getTypeParser: () => String },
  });
  return buildCatalog(
    (answer as { rows: (string | null)[][] }[]).map(({ rows }) => rows),
    previous,
  );
}

async function names(sql: string): Promise<string[]> {
  const { rows } = await client.query<{ name: string }>(sql);
  return rows.map(({ name }) => name);
}

const PATH = ['public', 's'];

function found(catalog: Catalog, schema: string | null, name: string, path: readonly string[] = PATH): CatalogRelation {
  const relation = catalog.find(schema, name, path);
  assert.ok(relation !== undefined, name);
  return relation;
}

test('relations, their columns, and what they come from', async () => {
  const catalog = await read();
  const t = found(catalog, null, 't');
  assert.deepEqual(
    [t.schema, t.kind, [...t.columns]],
    [
      'public',
      'r',
      [
        [1, 'id'],
        [3, 'email'],
        [4, 'low'],
      ],
    ],
  );
  assert.deepEqual([...t.generatedFrom], [[4, [3]]]);
  assert.equal(catalog.relation(t.oid), t);
  const oids = (...list: string[]) => list.map((name) => found(catalog, null, name).oid).sort((a, b) => a - b);
  const st = found(catalog, 's', 't').oid;
  assert.deepEqual(found(catalog, null, 'v1').reads, [t.oid]);
  assert.deepEqual(
    found(catalog, null, 'v2').reads,
    [...oids('t', 'v1'), st].sort((a, b) => a - b),
  );
  assert.deepEqual(
    found(catalog, null, 'm').reads,
    [...oids('t', 'v1', 'v2'), st].sort((a, b) => a - b),
  );
  assert.deepEqual(found(catalog, null, 'vs').reads, oids('pg_stats'));
  assert.deepEqual([...found(catalog, null, 'p').kin].sort(), oids('p1', 'p11', 'p2'));
  assert.deepEqual([...found(catalog, null, 'p11').kin].sort(), oids('p', 'p1'));
  assert.deepEqual(found(catalog, null, 'p2').kin, oids('p'));
  assert.equal(found(catalog, null, 't_id_seq').kind, 'S');
  assert.equal(found(catalog, null, 't_pkey').kind, 'i');
  const listed = [...catalog.relations()].map((relation) => relation.name);
  assert.ok(listed.includes('t') && !listed.includes('pg_stats'));
});

test('types, the queries of views, and functions that answer with rows', async () => {
  const catalog = await read();
  const t = found(catalog, null, 't');
  assert.deepEqual(
    [...(t.types ?? [])].map(([attribute, type]) => [attribute, type.modifier, catalog.type?.(type.oid)?.name]),
    [
      [1, -1, 'int4'],
      [3, -1, 'text'],
      [4, -1, 'text'],
    ],
  );
  const row = catalog.findType?.(null, 't', PATH);
  assert.deepEqual(
    [row?.schema, row?.kind, row?.relation, row?.fields],
    ['public', 'c', t.oid, ['id', 'email', 'low']],
  );
  assert.deepEqual(catalog.findType?.(null, 'comp', PATH)?.fields, ['a']);
  assert.deepEqual(found(catalog, null, 'comp').columns.size, 0);
  const array = catalog.findType?.('pg_catalog', '_int4', []);
  assert.deepEqual([array?.element, catalog.type?.(23)?.array], [23, array?.oid]);
  assert.equal(catalog.findType?.(null, 'point', PATH)?.element, 0);
  assert.equal(catalog.type?.(catalog.findType?.(null, 'nested', PATH)?.base ?? 0)?.name, 'risky');
  assert.match(found(catalog, null, 'v2').definition ?? '', /FROM public\.v1,\s+s\.t/);
  assert.ok(found(catalog, null, 'm').definition && t.definition === undefined);
  const shapes = (name: string) => catalog.results?.get(name)?.map(({ kind, columns }) => [kind, columns]);
  assert.deepEqual(shapes('json_each'), [['row', ['key', 'value']]]);
  assert.deepEqual(shapes('json_array_elements'), [['value', ['value']]]);
  assert.deepEqual(shapes('json_to_record'), [['record', []]]);
  assert.deepEqual(shapes('json_populate_record'), [['same', []]]);
  assert.deepEqual(shapes('array_append'), [['same array', []]]);
  assert.deepEqual(shapes('to_comp'), [['row', ['a']]]);
  assert.deepEqual(
    shapes('upper')?.map(([kind]) => kind),
    ['value', 'same', 'same'],
  );
  const unnest = catalog.results?.get('unnest')?.map(({ kind, takesArray }) => `${kind} ${takesArray}`);
  assert.deepEqual(unnest?.sort(), ['row false', 'same true', 'same true']);
  assert.deepEqual(shapes('string_to_array'), [
    ['array', []],
    ['array', []],
  ]);
  assert.equal(shapes('md5'), undefined);
});

test('names are found as the server finds them', async () => {
  await client.query('CREATE TEMP TABLE t (z int); CREATE TEMP TABLE only_here (z int)');
  const catalog = await read();
  const temporary = (await names('SELECT nspname AS name FROM pg_namespace WHERE oid = pg_my_temp_schema()'))[0] ?? '';
  const where = (schema: string | null, name: string, path: readonly string[]) =>
    catalog.find(schema, name, path)?.schema;
  for (const [path, set] of [
    [['public', 's'], 'public, s'],
    [['s', 'public'], 's, public'],
    [['s', 'pg_catalog'], 's, pg_catalog'],
    [[], ''],
  ] as const) {
    for (const name of ['t', 'pg_class', 'only_here', 'v1', 'tables']) {
      await client.query("SELECT set_config('search_path', $1, false)", [set]);
      // As the server names the path itself, so that its temporary schema is in it.
      const { rows } = await client.query<{ path: string[]; at: string | null }>(
        'SELECT current_schemas(true)::text[] AS path, (SELECT relnamespace::regnamespace::text FROM pg_catalog.pg_class WHERE oid = to_regclass($1)) AS at',
        [name],
      );
      assert.equal(where(null, name, rows[0]?.path ?? []) ?? null, rows[0]?.at ?? null, `${name} in ${set}`);
      // Without the implicit schemas, the system's still comes first.
      if (!['t', 'only_here'].includes(name))
        assert.equal(where(null, name, path) ?? null, rows[0]?.at ?? null, `${name} in ${set}`);
    }
  }
  await client.query('RESET search_path');
  assert.equal(where('pg_temp', 't', [temporary, 'public']), temporary);
  assert.equal(where('pg_temp', 't', ['public']), undefined);
  assert.equal(where('nowhere', 't', PATH), undefined);
  await client.query('DISCARD TEMP');
});

test('what users made stands out, what well-known extensions made does not', async () => {
  const catalog = await read();
  const { userFunctions, userOperators } = catalog;
  for (const name of ['lower', 'mine', 'proc', 'dblink', 'cast risky', 'cast nested', 'cast comp'])
    assert.ok(userFunctions.has(name), name);
  for (const name of ['upper', 'crypt', 'citext_eq', 'replace', 'cast safe', 'cast mood', 'cast citext'])
    assert.ok(!userFunctions.has(name), name);
  assert.deepEqual([...userOperators], ['+@+']);
});

test('what a name behind a dot may call', async () => {
  const { fieldFunctions } = await read();
  assert.ok(fieldFunctions !== undefined);
  for (const name of ['lower', 'row lower', 'mine', 'pg_read_file', 'ts_stat', 'dblink', 'hashtext'])
    assert.ok(fieldFunctions.has(name), name);
  for (const name of ['upper', 'row upper', 'row mine', 'row pg_read_file', 'row count', 'row to_json', 'city'])
    assert.ok(!fieldFunctions.has(name), name);
});

test('a snapshot that is the same is the same; another one has a higher epoch', async () => {
  const first = await read();
  assert.equal(await read(first), first);
  await client.query('CREATE TABLE later (a int)');
  const second = await read(first);
  assert.equal(second.epoch, first.epoch + 1);
  assert.equal(first.find(null, 'later', PATH), undefined);
  await client.query('DROP TABLE later');
});

test('answers that are not what was asked for are refused', () => {
  assert.throws(() => buildCatalog([]), { code: 'SP_UPSTREAM' });
  assert.throws(() => buildCatalog([[['x', 's', 't', 'r']], [], [], [], [], [], [], [], [], []]), {
    code: 'SP_UPSTREAM',
  });
  assert.throws(() => buildCatalog([[['1', null, 't', 'r']], [], [], [], [], [], [], [], [], []]), {
    code: 'SP_UPSTREAM',
  });
});

test('no function that changes something is taken for one that only reads', async () => {
  const harmless = new Set(
    `array_sample array_shuffle clock_timestamp current_query currval gen_random_uuid lastval pg_advisory_unlock
    pg_advisory_unlock_all pg_advisory_unlock_shared pg_blocking_pids
    pg_collation_actual_version pg_current_wal_flush_lsn pg_current_wal_insert_lsn pg_current_wal_lsn
    pg_database_collation_actual_version pg_database_size pg_indexes_size pg_is_in_recovery pg_is_wal_replay_paused
    pg_jit_available pg_last_committed_xact pg_last_wal_receive_lsn pg_last_wal_replay_lsn pg_last_xact_replay_timestamp
    pg_notification_queue_usage pg_partition_ancestors pg_partition_tree pg_relation_size pg_sequence_last_value pg_sleep
    pg_sleep_for pg_sleep_until pg_table_size pg_tablespace_size pg_total_relation_size pg_xact_commit_timestamp pg_xact_status
    random random_normal setseed timeofday txid_status uuidv4 uuidv7`.split(/\s+/),
  );
  const effective = await names(
    "SELECT DISTINCT proname AS name FROM pg_proc WHERE provolatile = 'v' AND pronamespace = 'pg_catalog'::regnamespace",
  );
  assert.ok(effective.length > 200);
  for (const name of effective)
    if (!harmless.has(name)) assert.notEqual(functionNeed('pg_catalog', name), 'read', name);
});

test('every function that can be called on a row by a dot is known', async () => {
  const list = await names(
    `SELECT DISTINCT proname AS name FROM pg_proc
      WHERE pronamespace = 'pg_catalog'::regnamespace AND prokind IN ('f', 'a')
        AND proargtypes[0] IN ('"any"'::regtype, 'anyelement'::regtype, 'anycompatible'::regtype, 'record'::regtype,
          'anynonarray'::regtype, 'anycompatiblenonarray'::regtype)`,
  );
  for (const name of list) {
    const { rowCount, error } = await client
      .query(`SELECT u."${name}" FROM (SELECT 1 AS a, 'secret'::text AS b) u`)
      .then((result) => ({ rowCount: result.rowCount, error: null }))
      .catch((caught: unknown) => ({ rowCount: 0, error: String(caught) }));
    // `count` tells no more than how many there are, and is a common name of columns.
    if (error === null && rowCount !== null && name !== 'count') assert.ok(takesWholeRow(name), name);
  }
});

test("the system's operators and types are known", async () => {
  for (const name of await names(
    "SELECT DISTINCT oprname AS name FROM pg_operator WHERE oprnamespace = 'pg_catalog'::regnamespace",
  )) {
    assert.equal(operatorNeed(null, name), 'read', name);
  }
  const types = await names(
    `SELECT typname AS name FROM pg_type WHERE typnamespace = 'pg_catalog'::regnamespace AND typtype IN ('b', 'r', 'm')
      AND typelem = 0 AND typname !~ '^(pg_(brin|dep|ndi|mcv)|aclitem|gtsvector)'`,
  );
  for (const name of types) assert.ok(isSystemType(null, name), name);
});

test('names on the lists exist', async () => {
  const existing = new Set(await names('SELECT DISTINCT proname AS name FROM pg_proc'));
  const { SYSTEM, WRITERS, ROW_FUNCTIONS } = await import('../../../src/sql/pg/names.ts');
  const missing = `${SYSTEM} ${WRITERS} ${ROW_FUNCTIONS}`
    .trim()
    .split(/\s+/)
    .filter((name) => !existing.has(name));
  assert.deepEqual(missing, []);
});

test('C8: relations of the system', () => {
  for (const name of [
    'pg_class',
    'pg_attribute',
    'pg_type',
    'pg_proc',
    'pg_settings',
    'pg_roles',
    'pg_description',
    'pg_stat_user_tables',
  ]) {
    assert.equal(systemRelation('pg_catalog', name), 'read', name);
  }
  for (const name of `pg_stats pg_stats_ext pg_stats_ext_exprs pg_statistic pg_statistic_ext_data pg_authid pg_shadow pg_largeobject
    pg_user_mapping pg_user_mappings pg_stat_activity pg_hba_file_rules pg_file_settings pg_subscription pg_db_role_setting
    pg_replication_slots pg_config nobody_knows_this`.split(/\s+/)) {
    assert.equal(systemRelation('pg_catalog', name), 'admin', name);
  }
  for (const [schema, name, need] of [
    ['information_schema', 'columns', 'read'],
    ['information_schema', 'user_mapping_options', 'admin'],
    ['information_schema', '_pg_user_mappings', 'admin'],
    ['pg_toast', 'pg_toast_1', 'admin'],
    ['pg_temp_3', 'x', 'admin'],
    ['pg_temp', 'x', null],
    ['public', 'x', null],
    ['public', 'pg_stat_statements', 'admin'],
  ] as const) {
    assert.equal(systemRelation(schema, name), need, `${schema}.${name}`);
  }
});

test('what the list of read relations names exists, but for older versions', async () => {
  const views = await names(
    "SELECT relname AS name FROM pg_class WHERE relnamespace = 'pg_catalog'::regnamespace AND relkind IN ('r', 'v')",
  );
  const open = views.filter((name) => systemRelation('pg_catalog', name) === 'read');
  assert.ok(open.length > 80);
  for (const name of open) {
    // Its rows are not all alike.
    const verb = name === 'pg_settings' ? 'admin' : 'read';
    assert.equal(one(`SELECT * FROM ${name}`).relations[0]?.verb, verb, name);
  }
});

test('settings that the server shows to a superuser alone are secret', async () => {
  await client.query('CREATE ROLE anybody');
  const all = await names('SELECT name FROM pg_settings');
  await client.query('SET ROLE anybody');
  const shown = new Set(await names('SELECT name FROM pg_settings'));
  await client.query('RESET ROLE');
  const hidden = all.filter((name) => !shown.has(name));
  assert.ok(hidden.includes('primary_conninfo'));
  for (const name of hidden) assert.ok(settingIsSecret(name), name);
});

test('where DISCARD ALL brings back the role that the login starts in, it widens nothing', async () => {
  await client.query(`CREATE ROLE narrow; CREATE ROLE limited LOGIN; GRANT narrow TO limited;
    ALTER ROLE limited SET role = 'narrow'`);
  const { host, port, database } = server;
  const limited = new Client({ host, port, database, user: 'limited' });
  await limited.connect();
  for (const sql of ['RESET ALL', 'DISCARD ALL']) {
    await limited.query(sql);
    assert.deepEqual((await limited.query('SELECT current_user, session_user')).rows, [
      { current_user: 'narrow', session_user: 'limited' },
    ]);
  }
  assert.equal((await read(undefined, limited)).resetWidens, false);
  await limited.end();
  // As a server answers that does not.
  const answers = Array.from({ length: QUERIES }, (): (string | null)[][] => []);
  assert.equal(buildCatalog(answers).resetWidens, false);
  assert.equal(buildCatalog([...answers.slice(0, -3), [['narrow']], [], [['none']]]).resetWidens, true);
});
