// `make demo`: a PostgreSQL with a small shop, a MariaDB or MySQL where one is installed, the gateway over both, and a story on the
// first screens. Stays up until Ctrl-C; with ONCE=1 it ends after the story. Nothing is left behind.

import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Client } from 'pg';
import { loadEnv } from '../src/config/env.ts';
import { type Running, serve } from '../src/main.ts';
import type { MysqlServer } from '../test/servers/mysql.ts';
import type { PostgresServer } from '../test/servers/postgres.ts';
import { playMysql, stockClient, WEBSHOP } from './mysql.ts';
import { act, line, WIDTH } from './screen.ts';
import { configOf, DATABASE, SERVICE, startMysqlShop, startShop } from './shop.ts';
import { epilogue, grantFor, play, SHOP, type Stage } from './story.ts';

const CLI = fileURLToPath(new URL('../src/cli/index.ts', import.meta.url));

const closers: (() => Promise<unknown>)[] = [];

const stopped = new Promise<'stopped'>((resolve) => {
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => resolve('stopped'));
});

/** Listens where it does by default, or anywhere where that is taken. */
async function startGateway(variables: Readonly<Record<string, string>>): Promise<Running> {
  try {
    return await serve(loadEnv(variables));
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EADDRINUSE')) throw error;
    const anywhere = '127.0.0.1:0';
    return serve(
      loadEnv({
        ...variables,
        SALLYPORT_PG_LISTEN: anywhere,
        SALLYPORT_MYSQL_LISTEN: anywhere,
        SALLYPORT_API_LISTEN: anywhere,
      }),
    );
  }
}

async function watcherOf({ dir, port, user }: PostgresServer): Promise<(text: string) => Promise<number>> {
  const client = new Client({ host: dir, port, user, database: DATABASE });
  client.on('error', () => {});
  await client.connect();
  closers.push(() => client.end().catch(() => {}));
  const sql = `SELECT count(*)::int AS n FROM pg_stat_activity
    WHERE usename = '${SERVICE.user}' AND state = 'active' AND position($1 in query) > 0`;
  return async (text) => (await client.query<{ n: number }>(sql, [text])).rows[0]?.n ?? 0;
}

/** Starts both side by side. A MySQL that is installed and does not start is told of, and the story goes on without it. */
async function startShops(): Promise<{ postgres: PostgresServer; mysql: MysqlServer | Error | null }> {
  const kept = async <T extends { stop(): Promise<void> } | null>(starting: Promise<T>): Promise<T> => {
    const server = await starting;
    if (server !== null) closers.push(() => server.stop());
    return server;
  };
  const [postgres, mysql] = await Promise.allSettled([kept(startShop()), kept(startMysqlShop())]);
  if (postgres.status === 'rejected') throw postgres.reason;
  return { postgres: postgres.value, mysql: mysql.status === 'fulfilled' ? mysql.value : new Error(`${mysql.reason}`) };
}

async function demo(): Promise<void> {
  line('Sallyport: a gateway that AI agents reach databases through', 'bold');
  line('Starting databases with a small shop (some seconds the first time), and the gateway before them …', 'dim');
  const dir = await mkdtemp(join(tmpdir(), 'sallyport-demo-'));
  closers.push(() => rm(dir, { recursive: true, force: true }));
  const { postgres, mysql: found } = await startShops();
  const mysql = found instanceof Error ? null : found;
  await writeFile(join(dir, 'sallyport.yaml'), configOf(postgres, mysql, dir));
  await writeFile(join(dir, 'password'), SERVICE.password, { mode: 0o600 });
  const dataDir = join(dir, 'data');
  const variables = {
    SALLYPORT_CONFIG: join(dir, 'sallyport.yaml'),
    SALLYPORT_DATA_DIR: dataDir,
    SALLYPORT_DRAIN_TIMEOUT: '0s',
    SALLYPORT_LOG_LEVEL: 'error',
  };
  const gateway = await startGateway(variables);
  closers.push(() => gateway.close());
  const { api, ...ports } = gateway.addresses;
  const apiListen = `${api.host}:${api.port}`;
  const { PATH } = process.env;
  const authorities = join(dataDir, 'tls.pem');
  const pem = await readFile(authorities, 'utf8');
  const stage: Stage = {
    ...ports,
    certificate: pem.slice(pem.indexOf('-----BEGIN CERTIFICATE-----')),
    authorities,
    cli: CLI,
    env: { PATH, SALLYPORT_API_LISTEN: apiListen, SALLYPORT_DATA_DIR: dataDir },
    runningInDatabase: await watcherOf(postgres),
  };
  await play(stage);
  if (mysql !== null) await playMysql(stage, mysql);
  else act(9, found instanceof Error ? notStarted(found) : NO_MYSQL);

  const tried = { task: 'try-it', ttl: '30m', reason: 'somebody tries the demo' };
  const logins = [`psql "${(await grantFor(stage, { ...SHOP, ...tried })).dsn}"`];
  if (mysql !== null) logins.push(stockClient(stage, await grantFor(stage, { ...WEBSHOP, ...tried })).join(' '));
  const elsewhere = api.port === 6480 ? '' : ` SALLYPORT_API_LISTEN=${apiListen}`;
  epilogue(logins, apiListen, `SALLYPORT_DATA_DIR=${dataDir}${elsewhere}`);
  if (process.env.ONCE === '1') line('ONCE=1: the story is told, the gateway ends. `make demo` keeps it up.', 'dim');
  else await stopped;
}

const NO_MYSQL = 'MySQL: no server is installed here. Debian: apt-get install mariadb-server, then again.';

/** With as much of what went wrong as one line of the screen has room for. */
function notStarted({ message }: Error): string {
  return `MySQL: a server is installed, but it did not start: ${message.split('\n')[0]}`.slice(0, WIDTH - 3);
}

/** Undone in reverse; what fails is told, and does not keep the rest from being undone. */
async function tidy(): Promise<void> {
  for (const close of closers.splice(0).reverse()) {
    await close().catch((error: unknown) => {
      line(`the demo could not tidy up: ${error instanceof Error ? error.message : String(error)}`, 'red');
      process.exitCode = 1;
    });
  }
}

/** What nobody catches ends the demo too, and must not leave a database behind. */
const broken = new Promise<never>((_, reject) => process.once('uncaughtException', reject));

try {
  await Promise.race([demo(), stopped, broken]);
} catch (error) {
  line(`The demo has failed: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`, 'red');
  process.exitCode = 1;
}
await tidy();
process.exit();
