// The stand of sections D and E: a real MariaDB or MySQL that logs every command and holds things worth attacking, a real gateway in
// front of it, and what an attack has to fail at: refused as INTERFACE.md says, nothing of it in the server's log, the session
// fine afterwards, the database as it was.

import assert from 'node:assert/strict';
import { closeSync, fstatSync, openSync, readSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { after } from 'node:test';
import mysql from 'mysql2/promise';
import { Fields } from '../../src/wire/mysql/decode.ts';
import { Command, Reply } from '../../src/wire/mysql/messages.ts';
import { type Packet, type RawClient, rawClient } from '../peers/mysql-raw.ts';
import { type GatewayOptions, startGateway, type TestGateway } from '../servers/gateway.ts';
import { type MysqlFlavour, type MysqlServer, startMysql } from '../servers/mysql.ts';

/** What the attacks are after. `hidden` lies outside the narrow scopes; `bait` does harm when it is called. */
const SCHEMA = [
  'CREATE TABLE orders (id INT PRIMARY KEY, customer VARCHAR(50), total DECIMAL(10,2))',
  `INSERT INTO orders WITH RECURSIVE r (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r WHERE n < 20)
    SELECT n, CONCAT('customer ', n), n * 10 FROM r`,
  'CREATE TABLE notes (id INT PRIMARY KEY AUTO_INCREMENT, body LONGTEXT)',
  "INSERT INTO notes VALUES (1, 'first'), (2, 'second')",
  'CREATE TABLE customers (id INT PRIMARY KEY, email VARCHAR(60))',
  "INSERT INTO customers VALUES (1, 'ada@example.com'), (2, 'grace@example.com')",
  'CREATE DATABASE hidden',
  'CREATE TABLE hidden.orders (id INT PRIMARY KEY, customer VARCHAR(50), total DECIMAL(10,2))',
  "INSERT INTO hidden.orders VALUES (1, 'CANARY', 1)",
  'CREATE TABLE hidden.salaries (id INT PRIMARY KEY, amount INT)',
  'INSERT INTO hidden.salaries VALUES (1, 4711)',
  'CREATE TABLE hidden.customers (id INT PRIMARY KEY, email VARCHAR(60))',
  `CREATE FUNCTION bait() RETURNS INT MODIFIES SQL DATA SQL SECURITY DEFINER
    BEGIN DELETE FROM shop.notes; RETURN 1; END`,
  'CREATE FUNCTION hidden.bait() RETURNS INT MODIFIES SQL DATA BEGIN DELETE FROM shop.notes; RETURN 1; END',
  'CREATE PROCEDURE bait_call() DELETE FROM shop.notes',
  'CREATE VIEW baited AS SELECT id, shop.bait() AS harm FROM orders',
  'CREATE VIEW plain AS SELECT id, UPPER(customer) AS customer FROM orders',
  "CREATE USER victim IDENTIFIED BY 'a secret'",
];
/** Of MariaDB alone. */
const SEQUENCES = ['CREATE SEQUENCE numbers', 'CREATE SEQUENCE hidden.numbers'];

export const READ = 'db:db:read';
export const WRITE = 'db:db:read+write';
export const NARROW = 'db:db.shop.orders:read';
export const NARROW_WRITE = 'db:db.shop.orders:read+write';
export const NARROW_DDL = 'db:db.shop.orders:read+write+ddl';
export const SHOP_ADMIN = 'db:db.shop:read+write+ddl+admin';
export const EVERYTHING = 'db:db:read+write+ddl+admin';

export interface MysqlStand {
  readonly flavour: MysqlFlavour;
  readonly server: MysqlServer;
  readonly gateway: TestGateway;
  /** A session under a grant of these scopes; closed at the end. */
  connect(...scopes: string[]): Promise<Attacker>;
  /** Everything in the database that a statement could have changed, in one checksum an object. */
  state(): Promise<ReadonlyMap<string, string>>;
}

export interface Attacker {
  readonly client: RawClient;
  /** What the database has been sent by this session. */
  reached(): string[];
}

export interface MysqlStandOptions extends Partial<GatewayOptions> {
  readonly settings?: Readonly<Record<string, string | number | true>>;
  readonly sql?: readonly string[];
}

/** Starts it; it ends with the file's tests. */
export async function mysqlStand(
  flavour: MysqlFlavour,
  { settings = {}, sql = [], ...options }: MysqlStandOptions = {},
): Promise<MysqlStand> {
  const server = await startMysql(flavour, {
    settings: { 'general-log': true, 'general-log-file': 'general.log', 'log-output': 'FILE', ...settings },
    sql: [...SCHEMA, ...(flavour === 'mariadb' ? SEQUENCES : []), ...sql],
  });
  const gateway = await startGateway({ upstream: server, ...options });
  const clients: RawClient[] = [];
  after(async () => {
    for (const client of clients) client.close();
    await gateway.stop();
    await server.stop();
  });
  return {
    flavour,
    server,
    gateway,
    async connect(...scopes) {
      const login = { ...(await gateway.login({ scopes })), database: 'shop' };
      const client = await rawClient(login);
      clients.push(client);
      const [[id] = []] = rowsOf(await client.ask(Command.query, 'SELECT CONNECTION_ID()'));
      const from = statSync(logOf(server)).size;
      return { client, reached: () => sentBy(server, Number(id), from) };
    },
    state: () => state(server),
  };
}

const logOf = ({ dir }: MysqlServer) => join(dir, 'data', 'general.log');

/** The commands in the server's general log, from a byte on, that a connection has sent, without a word about their kind. */
function sentBy(server: MysqlServer, id: number, from: number): string[] {
  const file = openSync(logOf(server), 'r');
  const bytes = Buffer.alloc(fstatSync(file).size - from);
  readSync(file, bytes, 0, bytes.length, from);
  closeSync(file);
  return bytes
    .toString()
    .split(/^(?:\S+Z|\d+ +[\d:]+)?\t+ *(?=\d+ [A-Z])/m)
    .filter((entry) => entry.startsWith(`${id} `))
    .map((entry) => entry.slice(entry.indexOf('\t') + 1).trim());
}

const SYSTEM = ['user', 'db', 'tables_priv', 'proc', 'func', 'plugin', 'servers', 'event', 'global_priv', 'component'];
const OTHERS: Readonly<Record<string, string>> = {
  tables: `SELECT table_schema, table_name, table_type, engine FROM information_schema.tables
    WHERE table_schema NOT IN ('performance_schema', 'sys')`,
  routines: 'SELECT routine_schema, routine_name, routine_definition FROM information_schema.routines',
  triggers: 'SELECT trigger_name, action_statement FROM information_schema.triggers',
  events: 'SELECT event_name FROM information_schema.events',
  schemata: 'SELECT * FROM information_schema.schemata',
  sessions: "SELECT user FROM information_schema.processlist WHERE user <> 'admin'",
  locks: "SELECT IS_FREE_LOCK('bait')",
};

async function state(server: MysqlServer): Promise<ReadonlyMap<string, string>> {
  const { host, port, user, password } = server;
  const client = await mysql.createConnection({ host, port, user, password });
  const ask = async (sql: string, values: unknown[] = []) => (await client.query(sql, values))[0];
  const found = new Map<string, string>();
  const tables = await ask(
    `SELECT CONCAT(table_schema, '.', table_name) AS name FROM information_schema.tables
     WHERE table_schema IN ('shop', 'hidden') AND table_type IN ('BASE TABLE', 'SEQUENCE')
        OR table_schema = 'mysql' AND table_name IN (?)`,
    [SYSTEM],
  );
  const queries = [
    ...(tables as { name: string }[]).map(({ name }): [string, string] => [`${name}`, `SELECT * FROM ${name}`]),
    ...Object.entries(OTHERS),
    ['variables', 'SHOW GLOBAL VARIABLES'] as const,
  ];
  for (const [name, sql] of queries) found.set(name, JSON.stringify(await ask(sql)));
  await client.end();
  return found;
}

// --- Sending ---------------------------------------------------------------------------------------------------------------

/** How a statement is sent: as a text, or to be prepared. */
export type Mode = 'query' | 'prepare';
export const MODES: readonly Mode[] = ['query', 'prepare'];

export interface Failure {
  readonly code: number;
  readonly state: string;
  readonly message: string;
  /** The object behind a refusal's sentence. */
  readonly detail: Record<string, unknown> | null;
}

/** The error that ends a reply, or null. */
export function failureOf(reply: readonly Packet[]): Failure | null {
  const payload = reply.at(-1)?.payload;
  if (payload?.[0] !== Reply.err) return null;
  const message = payload.toString('utf8', 9);
  const at = message.indexOf('{"decision');
  return {
    code: payload.readUInt16LE(1),
    state: payload.toString('latin1', 4, 9),
    message,
    detail: at < 0 ? null : (JSON.parse(message.slice(at)) as Record<string, unknown>),
  };
}

/** The cells of a text result without EOF packets. */
export function rowsOf(reply: readonly Packet[]): (string | null)[][] {
  if (reply.length < 2) return [];
  const count = reply[0] === undefined ? 0 : new Fields(reply[0].payload).lenenc();
  return reply.slice(1 + count, -1).map(({ payload }) => {
    const fields = new Fields(payload);
    const cells: (string | null)[] = [];
    while (fields.ok && fields.left > 0) {
      if (payload[payload.length - fields.left] === 0xfb) {
        fields.uint(1);
        cells.push(null);
      } else cells.push(fields.lenencText());
    }
    return cells;
  });
}

export async function send(client: RawClient, sql: Buffer | string, mode: Mode = 'query'): Promise<Packet[]> {
  return client.ask(mode === 'query' ? Command.query : Command.stmtPrepare, sql);
}

/** Sends an attack, and asserts that it is refused as the contract says and that nothing of it has got through. */
export async function refused(attacker: Attacker, sql: Buffer | string, mode: Mode = 'query'): Promise<void> {
  const shown = `${mode}: ${sql.toString('latin1').slice(0, 300)}`;
  const before = attacker.reached().length;
  const failure = failureOf(await send(attacker.client, sql, mode));
  assert.ok(failure !== null, `it was let through: ${shown}`);
  assert.deepEqual([failure.code, failure.state], [1142, '42000'], `${shown}: ${failure.message}`);
  assert.equal(failure.detail?.decision, 'deny', shown);
  assert.equal(typeof failure.detail?.rule, 'string', shown);
  assert.deepEqual(attacker.reached().slice(before), [], `it reached the database: ${shown}`);
}

/** Asserts that every text is refused in both ways of sending it, and that the session and the database are as before. */
export async function allRefused(
  stand: MysqlStand,
  attacker: Attacker,
  attacks: readonly (Buffer | string)[],
): Promise<void> {
  const before = await stand.state();
  for (const sql of attacks) for (const mode of MODES) await refused(attacker, sql, mode);
  assert.deepEqual(rowsOf(await send(attacker.client, 'SELECT COUNT(*) FROM shop.orders')), [['20']]);
  assert.deepEqual(await stand.state(), before);
}

/** Asserts that the neighbours of an attack work; each reaches the database. */
export async function allAllowed(attacker: Attacker, texts: readonly string[], modes = MODES): Promise<void> {
  for (const sql of texts) {
    for (const mode of modes) {
      const before = attacker.reached().length;
      const failure = failureOf(await send(attacker.client, sql, mode));
      assert.equal(failure?.message, undefined, `${mode}: ${sql}`);
      // A statement is prepared before it is logged.
      while (attacker.reached().length === before) await attacker.client.ask(Command.ping);
    }
  }
}
