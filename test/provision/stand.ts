// What the tests of provisioned mode stand on: a real PostgreSQL with tables of the connection's own user and of another, an
// administrator with no more rights than docs/provisioned.md asks for, and a judge that can be taken out.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import pg from 'pg';
import { ConnectionJudge } from '../../src/judge.ts';
import { type GrantOptions, startGateway, type TestGateway } from '../servers/gateway.ts';
import { type PostgresServer, startPostgres } from '../servers/postgres.ts';

export const PASSWORD = 'correct-horse';

/** `svc` is the connection's own user and owns schema app; `other` owns schema theirs, of which svc reads one table. */
const SCHEMAS = [
  `CREATE ROLE svc LOGIN PASSWORD '${PASSWORD}'`,
  'CREATE ROLE other NOLOGIN',
  'CREATE DATABASE shop OWNER postgres',
];
const IN_SHOP = `
  CREATE SCHEMA app AUTHORIZATION svc;
  CREATE SCHEMA theirs AUTHORIZATION other;
  SET ROLE svc;
  CREATE TABLE app.orders (id serial PRIMARY KEY, total numeric NOT NULL);
  CREATE TABLE app.users (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, email text);
  CREATE VIEW app.big AS SELECT * FROM app.orders WHERE total > 50;
  INSERT INTO app.orders (total) SELECT i FROM generate_series(1, 100) i;
  INSERT INTO app.users (email) VALUES ('ada@example.com');
  SET ROLE other;
  CREATE TABLE theirs.prices (id int, price numeric);
  CREATE TABLE theirs.hidden (id int);
  INSERT INTO theirs.prices VALUES (1, 10);
  GRANT USAGE ON SCHEMA theirs TO svc;
  GRANT SELECT ON theirs.prices TO svc;
  RESET ROLE`;

const ROOT = join(import.meta.dirname, '../..');
const BLOCKS = [...readFileSync(join(ROOT, 'docs/provisioned.md'), 'utf8').matchAll(/```sql\n([\s\S]*?)```/g)].map(
  ([, sql = '']) =>
    sql.replaceAll('svc_sallyport', 'svc').replaceAll('sallyport_admin', 'maker').replaceAll('…', PASSWORD),
);

/** The administrator as docs/provisioned.md makes it where the own user owns the tables. */
export const MEMBER = BLOCKS[0] ?? '';
/** As it makes it where they are others': grant options alone, and no ddl; with still less for sequences. */
export const GRANTOR = `${BLOCKS[1]}
  GRANT USAGE ON SCHEMA theirs TO maker WITH GRANT OPTION;
  GRANT SELECT ON ALL TABLES IN SCHEMA theirs TO maker WITH GRANT OPTION;
  REVOKE SELECT, UPDATE ON ALL SEQUENCES IN SCHEMA app FROM maker`;
/** The administrator of MySQL and MariaDB. */
export const MYSQL_ADMINISTRATOR = (BLOCKS[2] ?? '')
  .replace(/--.*$/gm, '')
  .split(';')
  .map((statement) => statement.trim())
  .filter((statement) => statement !== '');

export interface PgStand {
  readonly server: PostgresServer;
  /** As a superuser, in the database shop. */
  sql(text: string): Promise<Record<string, unknown>[]>;
  gateway(t: TestContext, connection?: object, env?: Record<string, string>): Promise<TestGateway>;
  /** Names of the roles of provisioned mode that there are. */
  roles(): Promise<string[]>;
}

export async function pgStand(administrator: string): Promise<PgStand & { stop(): Promise<void> }> {
  const server = await startPostgres({ auth: 'scram-sha-256', sql: SCHEMAS });
  const sql = async (text: string) => {
    const client = new pg.Client({ ...loginOf(server), database: 'shop' });
    await client.connect();
    try {
      const answer: unknown = await client.query(text);
      return (answer as pg.QueryResult).rows ?? [];
    } finally {
      await client.end();
    }
  };
  await sql(IN_SHOP);
  await sql(administrator);
  return {
    server,
    sql,
    async gateway(t, connection = {}, env = {}) {
      const { host, port } = server;
      const gateway = await startGateway({
        upstream: { host, port, database: 'shop', user: 'svc', password: PASSWORD },
        connection: { provisioned: { user: 'maker', password: PASSWORD }, ...connection },
        env,
      });
      t.after(() => gateway.stop());
      return gateway;
    },
    async roles() {
      const rows = await sql("SELECT rolname FROM pg_roles WHERE rolname LIKE 'sallyport\\_%' ORDER BY 1");
      return rows.map(({ rolname }) => String(rolname));
    },
    stop: () => server.stop(),
  };
}

function loginOf({ host, port, user, password }: PostgresServer): pg.ClientConfig {
  return { host, port, user, password };
}

/** A session through the gateway, ended with the test. */
export async function connect(t: TestContext, gateway: TestGateway, grant: GrantOptions | pg.ClientConfig) {
  const login = 'user' in grant ? grant : await gateway.login(grant as GrantOptions);
  const client = new pg.Client(login as pg.ClientConfig);
  client.on('error', () => {});
  await client.connect();
  t.after(() => client.end().catch(() => {}));
  return client;
}

/** From here on every statement is allowed and nothing is masked: what is still refused, the database refuses. */
export function withoutJudge(t: TestContext): void {
  t.mock.method(ConnectionJudge.prototype, 'rule', () => ({
    verdict: { action: 'allow', rule: 'none', reason: 'the test has taken the judge out' },
    verbs: [],
    relations: [],
    needsPlan: false,
    protects: false,
    looksAtValues: false,
    outputs: [],
    lasting: false,
  }));
}

/** Waits for something that another process brings about. */
export async function until<T>(look: () => Promise<T>, is: (seen: T) => boolean): Promise<T> {
  for (let i = 0; i < 1_000; i++) {
    const seen = await look();
    if (is(seen)) return seen;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  return assert.fail(`it has not come about: ${JSON.stringify(await look())}`);
}
