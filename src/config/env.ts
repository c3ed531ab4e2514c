// The environment, read once: every SALLYPORT_* name, its default and its effect stand in one table, from which the frozen
// Env, the mistakes and the check of docs/configuration.md are made.

import { availableParallelism, homedir } from 'node:os';
import { isAbsolute, join, resolve } from 'node:path';
import { SallyportError } from '../errors.ts';
import { formatMistake, type Mistake, suggestion } from './mistakes.ts';
import { parseAddress, parseDuration, parseSize } from './units.ts';

interface Row<T> {
  readonly name: string;
  /** As it would be written in the environment; undefined is unset. */
  readonly fallback: string | undefined;
  /** What the value must look like, for the mistake and the docs. */
  readonly expects: string;
  readonly parse: (text: string) => T | null;
  /** One line: what it changes. */
  readonly effect: string;
}

const MAX_TIMER_MS = 2 ** 31 - 1;

const address = { expects: 'host:port, such as 127.0.0.1:6432', parse: parseAddress };
const path = { expects: 'a path', parse: (text: string): string => resolve(text) };
const flag = { expects: 'true or false', parse: parseFlag };

const ROWS = {
  config: row('SALLYPORT_CONFIG', './sallyport.yaml', path, 'the config file'),
  dataDir: row(
    'SALLYPORT_DATA_DIR',
    './data',
    path,
    'where grants, the record, the operator token and a self-made certificate are kept',
  ),
  pgListen: row('SALLYPORT_PG_LISTEN', '127.0.0.1:6432', address, 'the port that speaks the Postgres protocol'),
  mysqlListen: row('SALLYPORT_MYSQL_LISTEN', '127.0.0.1:6306', address, 'the port that speaks the MySQL protocol'),
  apiListen: row('SALLYPORT_API_LISTEN', '127.0.0.1:6480', address, 'the HTTP API, health and metrics'),
  tlsCert: row(
    'SALLYPORT_TLS_CERT',
    undefined,
    path,
    'certificate chain (PEM) of the database ports; unset: a self-signed one is made in the data dir',
  ),
  tlsKey: row('SALLYPORT_TLS_KEY', undefined, path, 'private key (PEM) of that certificate; set both or neither'),
  tlsRequired: row('SALLYPORT_TLS_REQUIRED', 'false', flag, 'refuse database clients that do not ask for TLS'),
  workers: row(
    'SALLYPORT_WORKERS',
    'auto',
    { expects: 'auto or a number from 1 to 256', parse: parseWorkers },
    'threads for large masking and parsing jobs; auto: one fewer than the cores, at least 1',
  ),
  maxSessions: row(
    'SALLYPORT_MAX_SESSIONS',
    '1000',
    count(1, 1_000_000),
    'database sessions at the same time; each holds one connection of the database behind it',
  ),
  maxLogins: row(
    'SALLYPORT_MAX_LOGINS',
    '1000',
    count(1, 1_000_000),
    'connections that have not logged in yet, at the same time, half of them from one source; the oldest give way to new ones',
  ),
  maxStatementBytes: row(
    'SALLYPORT_MAX_STATEMENT_BYTES',
    '16MiB',
    size(1024, 2 ** 30 - 1),
    'the longest message a client may send outside COPY; longer ones are refused unread',
  ),
  handshakeTimeoutMs: row(
    'SALLYPORT_HANDSHAKE_TIMEOUT',
    '10s',
    duration(1, MAX_TIMER_MS),
    'from accept to the end of login, TLS and the dial of the database included',
  ),
  idleTimeoutMs: row(
    'SALLYPORT_IDLE_TIMEOUT',
    '30m',
    duration(0, MAX_TIMER_MS),
    'a session that has sent nothing for so long is ended, because it holds a database connection; 0: never',
  ),
  drainTimeoutMs: row(
    'SALLYPORT_DRAIN_TIMEOUT',
    '30s',
    duration(0, MAX_TIMER_MS),
    'how long running statements may finish at shutdown before their sessions are ended',
  ),
  recordDurability: row(
    'SALLYPORT_RECORD_DURABILITY',
    'process',
    word(['process', 'disk']),
    'process: the record survives a killed gateway; disk: it survives a power cut too, at the cost of an fsync a turn',
  ),
  recordResultBytes: row(
    'SALLYPORT_RECORD_RESULT_BYTES',
    '64KiB',
    size(0, 64 * 2 ** 20),
    'how much of each masked result is kept; 0: none',
  ),
  logLevel: row(
    'SALLYPORT_LOG_LEVEL',
    'info',
    word(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent']),
    'the least level that is logged',
  ),
  logFormat: row(
    'SALLYPORT_LOG_FORMAT',
    'auto',
    word(['auto', 'json', 'pretty']),
    'auto: pretty where standard output is a terminal, else JSON lines',
  ),
  token: row(
    'SALLYPORT_TOKEN',
    undefined,
    { expects: 'a token', parse: (text: string): string => text },
    'read by the command line alone: the token for its calls, in place of the one that `sallyport login` keeps',
  ),
};

type Rows = typeof ROWS;
type Value<R> = R extends { readonly fallback: infer F; readonly parse: (text: string) => infer T }
  ? F extends string
    ? Exclude<T, null>
    : Exclude<T, null> | undefined
  : never;

/** Durations are milliseconds, sizes bytes, paths absolute. */
export type Env = { readonly [K in keyof Rows]: Value<Rows[K]> };

/** For the docs and their check: name, default, what it must look like, effect. */
export const ENV_TABLE: readonly Omit<Row<unknown>, 'parse'>[] = Object.values(ROWS);

/**
 * Reads the environment. A bad value is a mistake and its default stands in, so that every mistake is found in one run.
 * An empty value counts as unset, as compose files write it.
 */
export function readEnv(source: NodeJS.ProcessEnv = process.env): { env: Env; mistakes: readonly Mistake[] } {
  const mistakes: Mistake[] = [];
  const env: Record<string, unknown> = {};
  for (const [key, row] of Object.entries(ROWS)) {
    const text = source[row.name];
    const given = text !== undefined && text !== '' ? text : undefined;
    let value = given === undefined ? undefined : row.parse(given);
    if (value === null) mistakes.push({ path: row.name, message: `"${given}" is not ${row.expects}` });
    if (value === undefined || value === null) value = row.fallback === undefined ? undefined : row.parse(row.fallback);
    env[key] = value;
  }
  const known = ENV_TABLE.map((row) => row.name);
  for (const name of Object.keys(source).sort()) {
    if (name.startsWith('SALLYPORT_') && !known.includes(name)) {
      mistakes.push({ path: name, message: `unknown name${suggestion(name, known)}` });
    }
  }
  if ((env.tlsCert === undefined) !== (env.tlsKey === undefined)) {
    const missing = env.tlsCert === undefined ? 'SALLYPORT_TLS_CERT' : 'SALLYPORT_TLS_KEY';
    mistakes.push({ path: missing, message: 'the certificate and its key are set together or not at all' });
  }
  return { env: Object.freeze(env) as Env, mistakes };
}

/** Where a user's programs keep what is theirs, by the XDG Base Directory Specification. */
export function configHome(source: NodeJS.ProcessEnv = process.env): string {
  const named = source.XDG_CONFIG_HOME;
  return named !== undefined && isAbsolute(named) ? named : join(homedir(), '.config');
}

/** The environment without a mistake. Throws SP_ENV that names all of them. */
export function loadEnv(source: NodeJS.ProcessEnv = process.env): Env {
  const { env, mistakes } = readEnv(source);
  if (mistakes.length > 0)
    throw new SallyportError('SP_ENV', mistakes.map((mistake) => formatMistake(mistake)).join('\n'));
  return env;
}

function row<T, F extends string | undefined>(
  name: string,
  fallback: F,
  kind: { readonly expects: string; readonly parse: (text: string) => T | null },
  effect: string,
): Row<T> & { readonly fallback: F } {
  return { name, fallback, expects: kind.expects, parse: kind.parse, effect };
}

function within(value: number | null, least: number, most: number): number | null {
  return value !== null && value >= least && value <= most ? value : null;
}

function duration(least: number, most: number) {
  const expects = `a duration such as 30s, 20m or 500ms${least > 0 ? ', above 0' : ''}, below 24 days`;
  return { expects, parse: (text: string) => within(parseDuration(text), least, most) };
}

function size(least: number, most: number) {
  const expects = `a size such as 64MiB, 16KiB or 512B, from ${least} to ${most} bytes`;
  return { expects, parse: (text: string) => within(parseSize(text), least, most) };
}

function count(least: number, most: number) {
  const parse = (text: string) => (/^\d{1,9}$/.test(text) ? within(Number(text), least, most) : null);
  return { expects: `a number from ${least} to ${most}`, parse };
}

function word<const W extends string>(words: readonly W[]) {
  return {
    expects: `one of ${words.join(', ')}`,
    parse: (text: string): W | null => words.find((w) => w === text) ?? null,
  };
}

function parseFlag(text: string): boolean | null {
  if (['true', '1', 'yes', 'on'].includes(text.toLowerCase())) return true;
  return ['false', '0', 'no', 'off'].includes(text.toLowerCase()) ? false : null;
}

function parseWorkers(text: string): number | null {
  if (text === 'auto') return Math.max(1, availableParallelism() - 1);
  return count(1, 256).parse(text);
}
