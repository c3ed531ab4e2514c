// Starts a gateway inside the test's process, in front of a real database, with a config of the test's own.
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { type Env, loadEnv } from '../../src/config/env.ts';
import { type Running, serve } from '../../src/main.ts';
import type { Protocol } from '../../src/types.ts';

/** A database as the gateway is told of it. */
export interface Upstream {
  /** Default: postgres. */
  readonly protocol?: Protocol;
  readonly host: string;
  readonly port: number;
  readonly database: string;
  readonly user: string;
  readonly password: string;
}

export interface GatewayOptions {
  readonly upstream: Upstream;
  /** Merged over the connection `db` (keys `policy`, `masking`, `tls`, `user` …). */
  readonly connection?: object;
  readonly policies?: object;
  readonly masking?: object;
  /** Merged over the whole file: `identity`, `access` … */
  readonly config?: object;
  /** SALLYPORT_* variables. */
  readonly env?: Readonly<Record<string, string>>;
}

export interface GrantOptions {
  /** Default: read on the whole connection. */
  readonly scopes?: readonly string[];
  readonly ttl?: string;
  readonly task?: string;
}

export interface IssuedGrant {
  readonly id: string;
  readonly user: string;
  readonly password: string;
  readonly expiresAt: string;
  readonly dsn: string;
}

export interface TestGateway {
  /** Of the port that speaks the database's protocol. */
  readonly host: string;
  readonly port: number;
  readonly env: Env;
  readonly running: Running;
  readonly dir: string;
  /** Calls the API with the operator token; throws on any status but 2xx. */
  api<T = unknown>(method: string, path: string, body?: unknown): Promise<T>;
  grant(options?: GrantOptions): Promise<IssuedGrant>;
  /** Client settings for `pg`, postgres.js, `mysql2` and the like, for a grant of these options, without TLS. */
  login(
    options?: GrantOptions,
  ): Promise<{ host: string; port: number; user: string; password: string; database: string }>;
  writeConfig(changes: object): Promise<void>;
  stop(): Promise<void>;
}

export async function startGateway(options: GatewayOptions): Promise<TestGateway> {
  const dir = await mkdtemp(join(tmpdir(), 'sallyport-test-'));
  const { upstream } = options;
  const protocol = upstream.protocol ?? 'postgres';
  const file = join(dir, 'sallyport.yaml');
  const base = {
    connections: {
      db: {
        protocol,
        host: upstream.host,
        port: upstream.port,
        database: upstream.database,
        user: upstream.user,
        password: `\${file:${join(dir, 'password')}}`,
        tls: { mode: 'prefer' },
        ...options.connection,
      },
    },
    access: [
      {
        groups: ['agents'],
        connections: ['*'],
        scopes: ['db:db:read+write+ddl+admin'],
        maxTtl: '1h',
        approval: 'auto',
      },
    ],
    ...(options.policies && { policies: options.policies }),
    ...(options.masking && { masking: options.masking }),
    ...options.config,
  };
  await writeFile(join(dir, 'password'), upstream.password);
  await writeFile(file, stringify(base));
  const env = loadEnv({
    SALLYPORT_CONFIG: file,
    SALLYPORT_DATA_DIR: join(dir, 'data'),
    SALLYPORT_PG_LISTEN: '127.0.0.1:0',
    SALLYPORT_MYSQL_LISTEN: '127.0.0.1:0',
    SALLYPORT_API_LISTEN: '127.0.0.1:0',
    SALLYPORT_DRAIN_TIMEOUT: '0s',
    SALLYPORT_LOG_LEVEL: process.env.TEST_LOG ?? 'silent',
    ...options.env,
  });
  const running = await serve(env);
  const token = (await readFile(join(dir, 'data', 'operator.token'), 'utf8')).trim();
  const { [protocol]: address, api: apiAddress } = running.addresses;

  async function api<T>(method: string, path: string, body?: unknown): Promise<T> {
    const response = await fetch(`http://${apiAddress.host}:${apiAddress.port}${path}`, {
      method,
      headers: {
        authorization: `Bearer ${token}`,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
    return (text === '' ? undefined : JSON.parse(text)) as T;
  }

  const grant = ({ scopes = ['db:db:read'], ttl = '10m', task = 'test' }: GrantOptions = {}): Promise<IssuedGrant> =>
    api('POST', '/v1/grants', {
      identity: 'tester',
      groups: ['agents'],
      connection: 'db',
      scopes,
      ttl,
      task,
      reason: 'a test',
    });

  return {
    host: address.host,
    port: address.port,
    env,
    running,
    dir,
    api,
    grant,
    async login(grantOptions) {
      const { user, password } = await grant(grantOptions);
      return { host: address.host, port: address.port, user, password, database: 'db' };
    },
    async writeConfig(changes) {
      await writeFile(file, stringify({ ...base, ...changes }));
    },
    async stop() {
      await running.close();
      await rm(dir, { recursive: true, force: true });
    },
  };
}
