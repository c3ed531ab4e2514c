// What the driver tests stand on: one real PostgreSQL with sample data, gateways in front of it that mask nothing, another
// table, or the table that is read, and child programs that never block the gateway's own loop.
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { after, before } from 'node:test';
import pg from 'pg';
import { type GatewayOptions, type GrantOptions, startGateway, type TestGateway } from '../servers/gateway.ts';
import { type PostgresServer, startPostgres } from '../servers/postgres.ts';

export const READ = ['db:db:read'];
export const READ_WRITE = ['db:db:read+write'];
export const ALL = ['db:db:read+write+ddl+admin'];

const SAMPLE = `
  CREATE TABLE users (
    id serial PRIMARY KEY, name text NOT NULL, email text UNIQUE, age int CHECK (age >= 0), born date, note text
  );
  COMMENT ON TABLE users IS 'people';
  INSERT INTO users (name, email, age, born)
    SELECT 'name ' || i, 'user' || i || '@example.com', 20 + i, date '2000-01-01' + i FROM generate_series(1, 20) i;
  CREATE TABLE orders (
    id bigserial PRIMARY KEY, user_id int NOT NULL REFERENCES users ON DELETE CASCADE, total numeric(12, 2) NOT NULL DEFAULT 0
  );
  INSERT INTO orders (user_id, total) SELECT 1 + i % 20, i * 1.25 FROM generate_series(1, 100) i;
  CREATE INDEX orders_by_user ON orders (user_id);
  CREATE VIEW big_orders AS SELECT * FROM orders WHERE total > 100;
  CREATE TYPE mood AS ENUM ('sad', 'ok', 'happy');
  CREATE FUNCTION add_one(n int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT n + 1';
  CREATE TABLE vault (id int PRIMARY KEY, secret text);
  INSERT INTO vault VALUES (1, 'hidden');
  CREATE TABLE scratch (id int, word text);
`;

/** The masking of the gateways that mask; `vault` is the other table of the first. */
export const MASKINGS = {
  nothing: {},
  'another table': { columns: [{ column: 'public.vault.secret', with: 'redact' }] },
  'the table read': {
    columns: [
      { column: 'public.users.email', with: { partial: { keepEnd: 4 } } },
      { column: 'public.users.age', with: 'redact' },
      { column: 'public.users.born', with: 'redact' },
      { column: 'public.users.note', with: 'null' },
      { column: 'public.pgbench_accounts.filler', with: 'redact' },
    ],
  },
} as const;
export type MaskingName = keyof typeof MASKINGS;

export interface Stand {
  readonly database: PostgresServer;
  readonly gateways: ReadonlyMap<MaskingName, TestGateway>;
  gateway(masking: MaskingName): TestGateway;
  /** Resolves when a session of the database is inside pg_sleep. */
  sleeping(): Promise<void>;
}

export interface StandOptions extends Partial<GatewayOptions> {
  /** Adds to the sample data. */
  readonly prepare?: (database: PostgresServer) => Promise<void>;
  /** The database's. */
  readonly settings?: Readonly<Record<string, string | number>>;
}

/** Starts it before the tests of the file, and ends it after them. */
export function stand(
  maskings: readonly MaskingName[],
  { prepare, settings = {}, ...options }: StandOptions = {},
): Stand {
  const gateways = new Map<MaskingName, TestGateway>();
  let database: PostgresServer | undefined;
  before(async () => {
    database = await startPostgres({ auth: 'scram-sha-256', sql: SAMPLE, settings });
    await prepare?.(database);
    for (const name of maskings) {
      const masking = name === 'nothing' ? {} : { connection: { masking: 'm' }, masking: { m: MASKINGS[name] } };
      gateways.set(name, await startGateway({ upstream: database, ...masking, ...options }));
    }
  });
  after(async () => {
    for (const gateway of gateways.values()) await gateway.stop();
    await database?.stop();
  });
  return {
    get database() {
      if (database === undefined) throw new Error('the stand has not been started');
      return database;
    },
    gateways,
    gateway(masking) {
      const found = gateways.get(masking);
      if (found === undefined) throw new Error(`no gateway that masks ${masking}`);
      return found;
    },
    async sleeping() {
      const client = new pg.Client({ connectionString: database?.connectionString });
      await client.connect();
      const sql = "SELECT 1 FROM pg_stat_activity WHERE wait_event = 'PgSleep'";
      while ((await client.query(sql)).rowCount === 0);
      await client.end();
    },
  };
}

export interface Run {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

export interface Program {
  readonly child: ChildProcess;
  readonly ended: Promise<Run>;
  /** Resolves when standard output holds this text, so many times; rejects where the program ends without it. */
  shown(text: string, times?: number): Promise<void>;
}

export function start(command: string, args: readonly string[], env: NodeJS.ProcessEnv, input = ''): Program {
  const child = spawn(command, args, { env: { PATH: process.env.PATH, LC_ALL: 'C.UTF-8', ...env } });
  let out = '';
  let err = '';
  const watchers = new Set<() => void>();
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    out += text;
    for (const look of watchers) look();
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    err += text;
  });
  child.stdin.on('error', () => {});
  if (input !== '') child.stdin.end(input);
  const ended = new Promise<Run>((resolve, reject) => {
    child.once('error', reject).once('close', (code) => resolve({ code, out, err }));
  });
  const shown = (text: string, times = 1) =>
    new Promise<void>((resolve, reject) => {
      const look = () => {
        if (out.split(text).length <= times) return;
        watchers.delete(look);
        resolve();
      };
      watchers.add(look);
      ended.then((run) => reject(new Error(`it ended without "${text}": ${run.out}${run.err}`)), reject);
      look();
    });
  return { child, ended, shown };
}

export function run(command: string, args: readonly string[], env: NodeJS.ProcessEnv, input = ''): Promise<Run> {
  const program = start(command, args, env, input);
  if (input === '') program.child.stdin?.end();
  return program.ended;
}

/** What libpq programs take from their environment, for a new grant. */
export async function libpqEnv(gateway: TestGateway, options: GrantOptions = {}): Promise<NodeJS.ProcessEnv> {
  const { host, port, user, password } = await gateway.login(options);
  return {
    PGHOST: host,
    PGPORT: String(port),
    PGUSER: user,
    PGPASSWORD: password,
    PGDATABASE: 'db',
    PGCONNECT_TIMEOUT: '10',
  };
}

/** Fails where a program has said something else than another one, by the first line that differs. */
export function assertSame(actual: Run, expected: Run): void {
  assert.equal(firstDifference(actual.out, expected.out), null);
  assert.equal(firstDifference(actual.err, expected.err), null);
  assert.equal(actual.code, expected.code);
}

function firstDifference(actual: string, expected: string): string | null {
  const wanted = expected.split('\n');
  const given = actual.split('\n');
  const at = wanted.findIndex((line, i) => line !== given[i]);
  if (at === -1) return given.length === wanted.length ? null : `more: ${given.slice(wanted.length).join('\n')}`;
  return `line ${at + 1}, after "${wanted[at - 1]}": "${wanted[at]}" became "${given.slice(at, at + 4).join('\n')}"`;
}

/** A reason to skip what needs a program that is not installed here, or false. */
export async function missing(command: string, ...args: string[]): Promise<string | false> {
  const works = await run(command, args, {}).then(
    ({ code }) => code === 0,
    () => false,
  );
  return works ? false : `${[command, ...args].join(' ')} does not work here`;
}
