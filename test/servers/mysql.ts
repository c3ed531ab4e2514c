// Starts a real MariaDB (Debian's, never its service) or Oracle MySQL (unpacked by scripts/setup-mysql, or the machine's own) for a
// test, a benchmark or the demo, and always ends it.
//
// The data directory is a copy of a template that is made once a version (.cache/), in a directory of its own under the system's
// temporary directory, and runs without durability. A server that was not stopped does not keep the process alive; it ends
// with it, and its directory is removed.

import { execFile, execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { chown, mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import mysql from 'mysql2/promise';
import { freePort, OWNER, spawnWatched } from './watched.ts';

const run = promisify(execFile);
const CACHE = fileURLToPath(new URL('../../.cache', import.meta.url));
const ADMIN = 'admin';
const PASSWORD = 'correct-horse';
const DATABASE = 'shop';
/** Run once in a new data directory, a statement a line. */
const INIT = `CREATE USER ${ADMIN}@'%' IDENTIFIED BY '${PASSWORD}';
GRANT ALL ON *.* TO ${ADMIN}@'%' WITH GRANT OPTION;
CREATE DATABASE ${DATABASE};
`;
const START_TIMEOUT_MS = 60_000;

export type MysqlFlavour = 'mariadb' | 'mysql';

/** Both, for tests that run on each. */
export const FLAVOURS: readonly MysqlFlavour[] = ['mariadb', 'mysql'];

export interface MysqlOptions {
  /** More of the server's settings, by their names on its command line; true is a flag without a value. */
  readonly settings?: Readonly<Record<string, string | number | true>>;
  /** PEM texts; the server makes a pair of its own where none is given (MySQL), or has no TLS (MariaDB). */
  readonly tls?: { readonly cert: string; readonly key: string; readonly ca?: string };
  /** SQL run once, as `user` in the database, one statement each, before the promise is resolved. */
  readonly sql?: readonly string[];
}

export interface MysqlServer {
  readonly flavour: MysqlFlavour;
  readonly protocol: 'mysql';
  readonly host: string;
  readonly port: number;
  /** May do everything. Logs in with the server's default plugin. */
  readonly user: string;
  readonly password: string;
  /** Empty at the start. */
  readonly database: string;
  /** As `VERSION()` has it. */
  readonly version: string;
  /** The private directory: `data/`, the Unix socket `socket`, `server.log`. */
  readonly dir: string;
  readonly pid: number;
  /** Runs one statement as `user` over a connection of its own; rows as objects. */
  query(sql: string, values?: readonly unknown[]): Promise<Record<string, unknown>[]>;
  log(): string;
  /** Ends the server at once and removes its directory. May be called again. */
  stop(): Promise<void>;
}

/** A program as it is run: by itself, or through the dynamic linker that was unpacked with it. */
export type Program = readonly string[];

const UNPACKED = join(CACHE, 'mysql');

/** The server program. Throws with what to install. */
function serverOf(flavour: MysqlFlavour): Program {
  if (flavour === 'mysql') return unpacked('usr/sbin/mysqld') ?? own(flavour, 'mysqld');
  return own(flavour, 'mariadbd');
}

const MISSING = {
  mariadb: 'MariaDB is missing. On Debian: apt-get install mariadb-server (its service is not needed)',
  mysql: 'Oracle MySQL is missing: scripts/setup-mysql unpacks it on a Debian (mysql-server-core of unstable)',
} as const;

/** The machine's own server of that name. MariaDB's is called mysqld too. */
function own(flavour: MysqlFlavour, name: string): Program {
  for (const path of [name, `/usr/sbin/${name}`, `/usr/local/sbin/${name}`]) {
    try {
      const version = execFileSync(path, ['--version'], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
      if (/mariadb/i.test(version) === (flavour === 'mariadb')) return [path];
    } catch {
      // Not there, or not in working order.
    }
  }
  throw new Error(MISSING[flavour]);
}

/** The stock command line client, for this address: `clientOf('mysql')` is a command to which its arguments are added. */
export function clientOf(flavour: MysqlFlavour): Program {
  return flavour === 'mysql' ? (unpacked('usr/bin/mysql') ?? ['mysql']) : ['mariadb'];
}

function unpacked(path: string): Program | null {
  const program = join(UNPACKED, path);
  if (!existsSync(program)) return null;
  return [join(UNPACKED, 'usr/lib64/ld-linux-x86-64.so.2'), '--library-path', LIBRARIES, program];
}

const UNPACKED_SHARE = join(UNPACKED, 'usr/share/mysql');
const LIBRARIES = `${join(UNPACKED, 'usr/lib/x86_64-linux-gnu')}:${join(UNPACKED, 'usr/lib/mysql/private')}`;

/** Whether `startMysql` would find its programs. */
export function hasMysql(flavour: MysqlFlavour): boolean {
  try {
    serverOf(flavour);
    return true;
  } catch {
    return false;
  }
}

/**
 * Starts a server that listens on 127.0.0.1 and has an empty database `shop`; after the first time on a machine this takes
 * about a second. Throws with the end of the server's log where it does not come up, and where it is not installed.
 */
export async function startMysql(flavour: MysqlFlavour, options: MysqlOptions = {}): Promise<MysqlServer> {
  const server = serverOf(flavour);
  const template = await templateOf(flavour, server);
  const dir = await mkdtemp(join(tmpdir(), `sallyport-${flavour}-`));
  const port = await freePort();
  try {
    await run('cp', ['-R', template, join(dir, 'data')]);
    const settings: Record<string, string | number | true> = {
      ...settingsOf(flavour, dir),
      port,
      ...(await tlsOf(dir, options.tls)),
      ...options.settings,
    };
    if (OWNER.uid !== undefined) await run('chown', ['-R', `${OWNER.uid}:${OWNER.gid}`, dir]);
    const started = await spawnWatched(dir, [...server, '--no-defaults', ...flagsOf(settings)], {
      signal: 'KILL',
      runningFile: 'pid',
    });
    const login = { host: '127.0.0.1', port, user: ADMIN, password: PASSWORD, database: DATABASE };
    const query = async (sql: string, values?: readonly unknown[]) => {
      const client = await mysql.createConnection({ ...login, multipleStatements: false });
      try {
        const [rows] = await client.query(sql, values === undefined ? undefined : [...values]);
        return rows as Record<string, unknown>[];
      } finally {
        client.destroy();
      }
    };
    const deadline = Date.now() + START_TIMEOUT_MS;
    let version = '';
    while (version === '') {
      try {
        version = String((await query('SELECT VERSION() AS version'))[0]?.version);
      } catch (error) {
        if (Date.now() >= deadline) await started.stop();
        if (started.isOver()) throw new Error(`${flavour} did not start: ${error}\n${started.log().slice(-3000)}`);
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    }
    started.release();
    if (options.sql !== undefined) await runAll(login, options.sql);
    const { pid, log, stop } = started;
    return { flavour, protocol: 'mysql', ...login, version, dir, pid, query, log, stop };
  } catch (error) {
    await rm(dir, { recursive: true, force: true });
    throw error;
  }
}

async function runAll(login: mysql.ConnectionOptions, statements: readonly string[]): Promise<void> {
  const client = await mysql.createConnection(login);
  try {
    for (const sql of statements) await client.query(sql);
  } finally {
    client.destroy();
  }
}

function settingsOf(flavour: MysqlFlavour, dir: string): Record<string, string | number | true> {
  const common = {
    datadir: join(dir, 'data'),
    socket: join(dir, 'socket'),
    'pid-file': join(dir, 'pid'),
    'bind-address': '127.0.0.1',
    'skip-name-resolve': true,
    'innodb-flush-log-at-trx-commit': 0,
    'innodb-buffer-pool-size': '64M',
    'max-connections': 500,
    'default-time-zone': '+00:00',
    // Its owner may not write where this process may, and a server that starts empties the directory that it shares.
    tmpdir: dir,
    'character-set-server': 'utf8mb4',
  } as const;
  if (flavour === 'mariadb') return { ...common, 'skip-log-bin': true, 'secure-file-priv': dir };
  return {
    ...common,
    mysqlx: 'OFF',
    'secure-file-priv': 'NULL',
    'disable-log-bin': true,
    'innodb-flush-method': 'nosync',
    'innodb-doublewrite': 'OFF',
    'innodb-redo-log-capacity': '16M',
    'performance-schema': 'OFF',
    ...(existsSync(UNPACKED_SHARE) && {
      'lc-messages-dir': UNPACKED_SHARE,
      'plugin-dir': join(UNPACKED, 'usr/lib/mysql/plugin'),
      'character-sets-dir': join(UNPACKED_SHARE, 'charsets'),
    }),
  };
}

function flagsOf(settings: Readonly<Record<string, string | number | true>>): string[] {
  return Object.entries(settings).map(([name, value]) => (value === true ? `--${name}` : `--${name}=${value}`));
}

async function tlsOf(dir: string, tls: MysqlOptions['tls']): Promise<Record<string, string>> {
  if (tls === undefined) return {};
  const files: Record<string, string> = { 'ssl-cert': 'server.crt', 'ssl-key': 'server.key' };
  await writeFile(join(dir, 'server.crt'), tls.cert, { mode: 0o600 });
  await writeFile(join(dir, 'server.key'), tls.key, { mode: 0o600 });
  if (tls.ca !== undefined) {
    files['ssl-ca'] = 'ca.crt';
    await writeFile(join(dir, 'ca.crt'), tls.ca, { mode: 0o600 });
  }
  return Object.fromEntries(Object.entries(files).map(([name, file]) => [name, join(dir, file)]));
}

/** Made once a version: other processes may be making it too, the first rename wins. */
async function templateOf(flavour: MysqlFlavour, server: Program): Promise<string> {
  const [program = '', ...first] = server;
  const { stdout } = await run(program, [...first, '--no-defaults', '--version']);
  const version = /Ver (\S+)/.exec(stdout)?.[1] ?? 'unknown';
  const template = join(CACHE, `${flavour}-${version}-${process.getuid?.() ?? 0}`);
  if (existsSync(template)) return template;
  const dir = await mkdtemp(join(tmpdir(), 'sallyport-init-'));
  try {
    if (OWNER.uid !== undefined && OWNER.gid !== undefined) await chown(dir, OWNER.uid, OWNER.gid);
    const init = join(dir, 'init.sql');
    await writeFile(init, INIT, { mode: 0o644 });
    const data = join(dir, 'data');
    if (flavour === 'mysql') {
      const settings = {
        ...settingsOf(flavour, dir),
        datadir: data,
        'init-file': init,
        'initialize-insecure': true as const,
      };
      await run(program, [...first, '--no-defaults', ...flagsOf(settings)], { ...OWNER, cwd: dir });
    } else {
      const auth = '--auth-root-authentication-method=normal';
      const flags = [auth, '--skip-test-db', '--skip-name-resolve', `--datadir=${data}`];
      const env = { ...process.env, TMPDIR: dir };
      await run('mariadb-install-db', ['--no-defaults', ...flags], { ...OWNER, cwd: dir, env });
      // Run as the server's own bootstrap does: statements from standard input, no network.
      const boot = run(program, [...first, '--no-defaults', '--bootstrap', `--datadir=${data}`], {
        ...OWNER,
        cwd: dir,
        env,
      });
      boot.child.stdin?.end(`FLUSH PRIVILEGES;\n${INIT}`);
      await boot;
    }
    await mkdir(CACHE, { recursive: true });
    const near = `${template}.${process.pid}`;
    await run('cp', ['-R', data, near]);
    await rename(near, template).catch(async (error: unknown) => {
      await rm(near, { recursive: true, force: true });
      if (!existsSync(template)) throw error;
    });
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
  return template;
}
