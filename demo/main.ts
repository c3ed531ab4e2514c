// `make demo`: a PostgreSQL with a small shop, the gateway over it, and a story on the first screen. Stays up until Ctrl-C;
// with ONCE=1 it ends after the story. Nothing is left behind.

import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Client } from 'pg';
import { loadEnv } from '../src/config/env.ts';
import { type Running, serve } from '../src/main.ts';
import type { PostgresServer } from '../test/servers/postgres.ts';
import { line } from './screen.ts';
import { configOf, DATABASE, SERVICE, startShop } from './shop.ts';
import { epilogue, grantFor, play } from './story.ts';

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

async function demo(): Promise<void> {
  line('Sallyport: a gateway that AI agents reach databases through', 'bold');
  line('Starting a PostgreSQL with a small shop (some seconds the first time), and the gateway before it …', 'dim');
  const dir = await mkdtemp(join(tmpdir(), 'sallyport-demo-'));
  closers.push(() => rm(dir, { recursive: true, force: true }));
  const postgres = await startShop();
  closers.push(() => postgres.stop());
  await writeFile(join(dir, 'sallyport.yaml'), configOf(postgres, dir));
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
  const { postgres: port, api } = gateway.addresses;
  const apiListen = `${api.host}:${api.port}`;
  const { PATH } = process.env;
  const pem = await readFile(join(dataDir, 'tls.pem'), 'utf8');
  const stage = {
    ...port,
    certificate: pem.slice(pem.indexOf('-----BEGIN CERTIFICATE-----')),
    cli: CLI,
    env: { PATH, SALLYPORT_API_LISTEN: apiListen, SALLYPORT_DATA_DIR: dataDir },
    runningInDatabase: await watcherOf(postgres),
  };
  await play(stage);
  const granted = await grantFor(stage, 'try-it', '30m', 'somebody tries the demo');
  const elsewhere = api.port === 6480 ? '' : ` SALLYPORT_API_LISTEN=${apiListen}`;
  epilogue(granted, apiListen, `SALLYPORT_DATA_DIR=${dataDir}${elsewhere}`);
  if (process.env.ONCE === '1') line('ONCE=1: the story is told, the gateway ends. `make demo` keeps it up.', 'dim');
  else await stopped;
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
