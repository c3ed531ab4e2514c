// The stand of section A: a real PostgreSQL that logs every statement and holds things worth attacking, a real gateway in front
// of it, and what an attack has to fail at: refused as INTERFACE.md says, nothing of it in the server's log, the session fine
// afterwards, the database as it was.

import assert from 'node:assert/strict';
import { Client, DatabaseError, type QueryArrayResult } from 'pg';
import { type GatewayOptions, startGateway, type TestGateway } from '../servers/gateway.ts';
import { type PostgresServer, startPostgres } from '../servers/postgres.ts';

/** What the attacks are after. `hidden` lies outside the narrow scopes; `bait` does harm when it is called. */
const SCHEMA = `
CREATE TABLE public.orders (id int PRIMARY KEY, customer text, total numeric);
INSERT INTO public.orders SELECT n, 'customer ' || n, n * 10 FROM generate_series(1, 20) n;
CREATE TABLE public.notes (id int PRIMARY KEY, body text);
INSERT INTO public.notes VALUES (1, 'first'), (2, 'second');
CREATE SEQUENCE public.numbers;
CREATE SCHEMA hidden;
CREATE TABLE hidden.orders (id int, customer text, total numeric);
INSERT INTO hidden.orders VALUES (1, 'CANARY', 1);
CREATE TABLE hidden.salaries (id int, amount int);
INSERT INTO hidden.salaries VALUES (1, 4711);
CREATE SEQUENCE hidden.numbers;
CREATE FUNCTION public.bait() RETURNS int LANGUAGE plpgsql SECURITY DEFINER AS
  $$ BEGIN PERFORM pg_advisory_lock(666); DELETE FROM public.notes; RETURN 1;
     EXCEPTION WHEN read_only_sql_transaction THEN RETURN 2; END $$;
CREATE FUNCTION public.bait_of(public.orders) RETURNS int LANGUAGE sql AS 'SELECT public.bait()';
CREATE FUNCTION public.bait_of(text) RETURNS int LANGUAGE sql AS 'SELECT public.bait()';
CREATE FUNCTION public.lower(public.orders) RETURNS text LANGUAGE sql AS 'SELECT public.bait()::text';
CREATE FUNCTION hidden.plus(int, int) RETURNS int LANGUAGE sql AS 'SELECT public.bait()';
CREATE OPERATOR hidden.+ (function = hidden.plus, leftarg = int, rightarg = int);
CREATE OPERATOR public.+! (function = hidden.plus, leftarg = int, rightarg = int);
CREATE FUNCTION public.checks(int) RETURNS boolean LANGUAGE sql AS 'SELECT public.bait() > 0';
CREATE DOMAIN public.checked AS int CHECK (public.checks(value));
CREATE TYPE public.pair AS (a int, b int);
CREATE FUNCTION public.to_pair(int) RETURNS public.pair LANGUAGE sql AS 'SELECT ROW(public.bait(), 1)::public.pair';
CREATE CAST (int AS public.pair) WITH FUNCTION public.to_pair(int);
CREATE VIEW public.baited AS SELECT id, public.bait() AS harm FROM public.orders;
CREATE VIEW public.baited_twice AS SELECT * FROM public.baited;
CREATE VIEW public.counted AS SELECT nextval('public.numbers') AS n;
CREATE VIEW public.plain AS SELECT id, upper(customer) AS customer FROM public.orders;
CREATE AGGREGATE public.bait_sum(int) (sfunc = hidden.plus, stype = int, initcond = '0');
CREATE PROCEDURE public.bait_call() LANGUAGE sql AS 'DELETE FROM public.notes';
CREATE ROLE victim LOGIN;
`;

export interface Stand {
  readonly server: PostgresServer;
  readonly gateway: TestGateway;
  /** Straight to the database, as its superuser. */
  readonly direct: Client;
  /** A session under a grant of these scopes. */
  connect(...scopes: string[]): Promise<Attacker>;
  /** Everything in the database that a statement could have changed, in one checksum an object. */
  state(): Promise<ReadonlyMap<string, string>>;
  stop(): Promise<void>;
}

export interface Attacker {
  readonly client: Client;
  /** What the database has been sent by this session, besides the gateway's own questions. */
  reached(): string[];
}

export const READ = 'db:db:read';
export const NARROW = 'db:db.public.orders:read';
export const NARROW_WRITE = 'db:db.public.orders:read+write';

export async function startStand(options: Omit<GatewayOptions, 'upstream'> = {}, more = ''): Promise<Stand> {
  const server = await startPostgres({
    settings: { log_statement: 'all', log_line_prefix: '%a|', max_prepared_transactions: 2, wal_level: 'logical' },
    sql: [SCHEMA, more],
  });
  const gateway = await startGateway({ upstream: server, ...options });
  const direct = new Client({ connectionString: server.connectionString, application_name: 'direct' });
  await direct.connect();
  const open: Client[] = [];
  let count = 0;
  return {
    server,
    gateway,
    direct,
    async connect(...scopes) {
      const name = `attacker-${++count}`;
      const client = new Client({ ...(await gateway.login({ scopes })), application_name: name });
      client.on('error', () => {});
      await client.connect();
      open.push(client);
      return { client, reached: () => sentBy(server.log(), name) };
    },
    state: () => state(direct),
    async stop() {
      await Promise.allSettled(open.map((client) => client.end()));
      await direct.end();
      await gateway.stop();
      await server.stop();
    },
  };
}

/** The statements in a server's log that a session of this application name has sent. */
function sentBy(log: string, application: string): string[] {
  return log
    .split(/^(?=[\w-]*\|)/m)
    .filter((entry) => entry.startsWith(`${application}|LOG:`) && !entry.includes('current_schemas(true)'))
    .map((entry) => entry.slice(application.length + 1).trim());
}

const CATALOGS =
  `pg_class pg_attribute pg_proc pg_authid pg_auth_members pg_db_role_setting pg_database pg_namespace pg_type
  pg_operator pg_cast pg_extension pg_foreign_server pg_user_mapping pg_subscription pg_publication pg_language pg_constraint
  pg_trigger pg_rewrite pg_policy pg_largeobject_metadata pg_largeobject pg_description pg_seclabel pg_default_acl pg_tablespace
  pg_event_trigger pg_statistic_ext pg_index pg_collation pg_attrdef pg_init_privs`.split(/\s+/);

const OTHERS = {
  'prepared transactions': 'SELECT gid FROM pg_prepared_xacts',
  'replication slots': 'SELECT slot_name FROM pg_replication_slots',
  'advisory locks': "SELECT objid FROM pg_locks WHERE locktype = 'advisory'",
  configuration: "SELECT pg_read_file('postgresql.auto.conf')",
  files: "SELECT name FROM pg_ls_dir('.') name WHERE name NOT LIKE 'pg\\_%' AND name NOT LIKE 'postmaster%'",
  backends: "SELECT pid FROM pg_stat_activity WHERE application_name = 'direct'",
  settings:
    "SELECT name, setting FROM pg_settings WHERE name <> 'application_name' AND NOT name ~ '^transaction_|^in_hot'",
};

async function state(direct: Client): Promise<ReadonlyMap<string, string>> {
  const { rows } = await direct.query<{ name: string }>(
    `SELECT c.oid::regclass::text AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE c.relkind IN ('r', 'p', 'S', 'm') AND n.nspname !~ '^pg_|^information_schema$'`,
  );
  const sources: [string, string][] = [
    ...rows.map(({ name }): [string, string] => [name, `SELECT * FROM ${name}`]),
    ...CATALOGS.map((name): [string, string] => [name, `SELECT * FROM pg_catalog.${name}`]),
    ...Object.entries(OTHERS),
  ];
  const parts = sources.map(
    ([name, sql]) =>
      `SELECT '${name}' AS name, md5(coalesce(string_agg(x::text, '|' ORDER BY x::text), '')) AS sum FROM (${sql}) x`,
  );
  const answer = await direct.query<{ name: string; sum: string }>(parts.join(' UNION ALL '));
  return new Map(answer.rows.map(({ name, sum }) => [name, sum]));
}

/** What the server, or the gateway in its place, says to the bytes of one simple query; null where it fails at nothing. */
export function sendBytes(client: Client, text: Uint8Array): Promise<{ code: string; message: string } | null> {
  const message = Buffer.concat([Buffer.from('Q\0\0\0\0', 'latin1'), text, Buffer.of(0)]);
  message.writeInt32BE(message.length - 1, 1);
  const { connection } = client as unknown as {
    connection: { stream: { write(bytes: Buffer): void }; sendCopyFail(why: string): void };
  };
  return new Promise((resolve) => {
    const ignore = () => {};
    // The shape of a query as `pg` runs it.
    const query = {
      submit: () => void connection.stream.write(message),
      handleError: resolve,
      handleReadyForQuery: () => resolve(null),
      handleRowDescription: ignore,
      handleDataRow: ignore,
      handleCommandComplete: ignore,
      handleEmptyQuery: ignore,
      handleCopyData: ignore,
      handleCopyInResponse: () => connection.sendCopyFail('no data'),
    };
    client.query(query as never);
  });
}

/** How a statement is sent: as a simple query, or as Parse, Bind, Describe, Execute. */
export type Mode = 'simple' | 'extended';
export const MODES: readonly Mode[] = ['simple', 'extended'];

/** Sends one text; several results come as the last one. */
export async function send(client: Client, sql: string, mode: Mode = 'simple'): Promise<QueryArrayResult<unknown[]>> {
  const answer: unknown = await client.query({
    text: sql,
    rowMode: 'array',
    ...(mode === 'extended' && { queryMode: 'extended' }),
  });
  return (Array.isArray(answer) ? answer.at(-1) : answer) as QueryArrayResult<unknown[]>;
}

/** Sends an attack, and asserts that it is refused as the contract says and that nothing of it has got through. */
export async function refused(attacker: Attacker, sql: string, mode: Mode = 'simple'): Promise<void> {
  const shown = `${mode}: ${sql.length > 300 ? `${sql.slice(0, 300)}…` : sql}`;
  const before = attacker.reached().length;
  const error = await send(attacker.client, sql, mode).then(
    () => assert.fail(`it was let through: ${shown}`),
    (thrown: unknown) => thrown,
  );
  assert.ok(error instanceof DatabaseError, `${shown}: ${error}`);
  assert.equal(error.code, '42501', `${shown}: ${error.message}`);
  const detail = JSON.parse(error.detail ?? 'null') as Record<string, unknown>;
  assert.equal(detail.decision, 'deny', shown);
  assert.equal(typeof detail.rule, 'string', shown);
  assert.ok(error.hint, shown);
  assert.deepEqual(attacker.reached().slice(before), [], `it reached the database: ${shown}`);
}

/** Asserts that every text is refused in both ways of sending it, and that the session and the database are as before. */
export async function allRefused(stand: Stand, attacker: Attacker, attacks: readonly string[]): Promise<void> {
  const before = await stand.state();
  for (const sql of attacks) for (const mode of MODES) await refused(attacker, sql, mode);
  assert.deepEqual((await send(attacker.client, 'SELECT count(*)::int FROM public.orders')).rows, [[20]]);
  assert.deepEqual(await stand.state(), before);
}

/** Asserts that the neighbours of an attack work; each reaches the database. */
export async function allAllowed(attacker: Attacker, texts: readonly string[]): Promise<void> {
  for (const sql of texts) {
    for (const mode of MODES) {
      const before = attacker.reached().length;
      await send(attacker.client, sql, mode).catch((error: unknown) => assert.fail(`${mode}: ${sql}: ${error}`));
      assert.ok(attacker.reached().length > before, `it did not reach the database: ${sql}`);
    }
  }
}
