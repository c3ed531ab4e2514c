// What the conformance tests of a file share: a real PostgreSQL, a real gateway in front of it, clients and an eye on the database.
import { after } from 'node:test';
import pg from 'pg';
import { connectRaw, logIn, type RawClient, type StartupOptions } from '../peers/raw.ts';
import { type GatewayOptions, type GrantOptions, startGateway, type TestGateway } from '../servers/gateway.ts';
import { type PostgresServer, startPostgres } from '../servers/postgres.ts';

export interface Stand {
  readonly database: PostgresServer;
  readonly gateway: TestGateway;
  /** A client of the database itself, as its superuser. */
  readonly watcher: pg.Client;
  /** A logged-in raw client of the gateway, under a grant of its own; closed at the end. */
  client(grant?: GrantOptions, startup?: StartupOptions): Promise<RawClient>;
  /** Asks the database until `sql` answers `wanted` as its first value; never gives up by itself. */
  until(sql: string, wanted: unknown): Promise<void>;
}

export const WRITE: GrantOptions = { scopes: ['db:db:read+write'] };

const SQL = `
  CREATE TABLE items (id int, name text);
  INSERT INTO items SELECT n, 'item ' || n FROM generate_series(1, 10) n;
  CREATE TABLE customers (id int, email text);
  INSERT INTO customers VALUES (1, 'ada@example.com'), (2, 'grace@example.com');
  CREATE TABLE log (line text);
`;

/** Starts it; it ends with the file's tests. */
export async function stand(options: Partial<GatewayOptions> = {}): Promise<Stand> {
  const database = await startPostgres({ sql: SQL });
  const noDelete = { name: 'no-delete', when: { statement: ['delete'] }, then: 'deny' };
  const gateway = await startGateway({
    upstream: database,
    connection: { policy: 'rules', masking: 'pii' },
    policies: { rules: { rules: [noDelete] } },
    masking: { pii: { columns: [{ column: 'public.customers.email', with: 'redact' }] } },
    ...options,
  });
  const watcher = new pg.Client({ connectionString: database.connectionString });
  await watcher.connect();
  const clients: RawClient[] = [];
  after(async () => {
    for (const client of clients) client.close();
    await gateway.stop();
    await watcher.end();
    await database.stop();
  });
  return {
    database,
    gateway,
    watcher,
    async client(grant, startup) {
      const login = await gateway.login(grant);
      const client = await connectRaw(login.host, login.port);
      clients.push(client);
      return logIn(client, login, startup);
    },
    async until(sql, wanted) {
      for (;;) {
        const { rows } = await watcher.query({ text: sql, rowMode: 'array' });
        if (rows[0]?.[0] === wanted) return;
      }
    },
  };
}
