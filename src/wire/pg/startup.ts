// The startup packet of a client: its parameters, and which of them reach the database.
//
// What is not on the list is refused with an error that names it: a setting can change what statements mean, so an
// unknown one is not forwarded. Source: PostgreSQL documentation 54.2.1 "Start-up" and 54.8 "StartupMessage".

import { cstringEnd } from './decode.ts';
import type { ErrorFields } from './messages.ts';

/** Settings that a client may choose at connect, by lower-case name: none changes how SQL text is read. */
const SETTINGS: ReadonlySet<string> = new Set([
  'application_name',
  'bytea_output',
  'client_encoding',
  'client_min_messages',
  'datestyle',
  'default_transaction_deferrable',
  'default_transaction_isolation',
  'extra_float_digits',
  'geqo',
  'idle_in_transaction_session_timeout',
  'idle_session_timeout',
  'intervalstyle',
  'jit',
  'lock_timeout',
  'search_path',
  'statement_timeout',
  'timezone',
  'transaction_timeout',
]);

export interface Startup {
  readonly login: string;
  /** What the client asks for; null where it gives none, or only its own name as libpq then does. */
  readonly database: string | null;
  /** Settings for the database's own startup packet, by lower-case name; `client_encoding` is always there and `UTF8`. */
  readonly settings: Map<string, string>;
  /** `_pq_.` options, none of which is known. */
  readonly unknownOptions: string[];
}

const fatal = (code: string, message: string, hint?: string): { readonly error: ErrorFields } => ({
  error: { severity: 'FATAL', code, message, hint },
});

/** Reads the parameters that stand between two offsets, terminator included. */
export function readStartup(
  buffer: Buffer,
  start: number,
  end: number,
): { readonly startup: Startup } | { readonly error: ErrorFields } {
  const given = readPairs(buffer, start, end);
  if (given === null) return fatal('08P01', 'invalid startup packet layout: expected terminator as last byte');

  const settings = new Map<string, string>();
  const unknownOptions: string[] = [];
  let login = '';
  let database = '';
  let options = '';
  for (const [name, value] of given) {
    if (name === 'user') login = value;
    else if (name === 'database') database = value;
    else if (name === 'options') options = value;
    else if (name.startsWith('_pq_.')) unknownOptions.push(name);
    else if (name === 'replication') {
      if (!/^(false|off|no|0)$/i.test(value)) return fatal('0A000', 'this gateway does not do replication connections');
    } else settings.set(name.toLowerCase(), value);
  }
  if (login === '') return fatal('28000', 'no PostgreSQL user name specified in startup packet');

  const parsed = parseOptions(options);
  if (parsed === null) {
    return fatal(
      '42601',
      'the startup parameter "options" is not understood',
      'Only -c name=value and --name=value are.',
    );
  }
  // As in the server, a parameter of its own wins over the same one in "options".
  for (const [name, value] of parsed) if (!settings.has(name)) settings.set(name, value);

  for (const name of settings.keys()) {
    if (SETTINGS.has(name)) continue;
    const hint = `These can be: ${[...SETTINGS].join(', ')}. Others: connect without it, then SET it where the grant allows.`;
    return fatal('42501', `the setting "${name}" cannot be chosen at connect through this gateway`, hint);
  }
  const encoding = settings.get('client_encoding') ?? 'UTF8';
  // The statement has to be read as the database reads it, and the gateway reads UTF-8. SQL_ASCII is what psql asks for
  // in the C locale: it means "as it is".
  if (!/^(utf8|unicode|sqlascii)$/.test(encoding.toLowerCase().replace(/[^a-z0-9]/g, ''))) {
    return fatal('22023', `client_encoding "${encoding}" is not spoken by this gateway`, 'Use client_encoding UTF8.');
  }
  settings.set('client_encoding', 'UTF8');
  return {
    startup: { login, database: database === '' || database === login ? null : database, settings, unknownOptions },
  };
}

/** Pairs of C strings up to an empty name, which has to be the last byte; null where they are laid out otherwise. */
function readPairs(buffer: Buffer, start: number, end: number): [string, string][] | null {
  const pairs: [string, string][] = [];
  let at = start;
  while (at < end) {
    const endOfName = cstringEnd(buffer, at, end);
    if (endOfName === at) return at + 1 === end ? pairs : null;
    const endOfValue = endOfName === -1 ? -1 : cstringEnd(buffer, endOfName + 1, end);
    if (endOfValue === -1) return null;
    pairs.push([buffer.toString('utf8', at, endOfName), buffer.toString('utf8', endOfName + 1, endOfValue)]);
    at = endOfValue + 1;
  }
  return null;
}

/**
 * Settings in the parameter `options`, which is a command line of the server: words split at white space, a backslash takes
 * the next character as it is. Null where a word is anything else than `-c name=value`, `-cname=value`, `--name=value`.
 */
function parseOptions(text: string): [string, string][] | null {
  const words = [...text.matchAll(/(?:\\[\s\S]|[^\s\\])+/g)].map(([word]) => word.replace(/\\([\s\S])/g, '$1'));
  if (/(^|[^\\])(\\\\)*\\$/.test(text)) return null;
  const found: [string, string][] = [];
  for (let i = 0; i < words.length; i++) {
    const word = words[i] ?? '';
    let assignment: string;
    if (word === '-c') assignment = words[++i] ?? '';
    else if (word.startsWith('-c') || word.startsWith('--')) assignment = word.slice(2);
    else return null;
    const equals = assignment.indexOf('=');
    if (equals < 1) return null;
    found.push([assignment.slice(0, equals).replaceAll('-', '_').toLowerCase(), assignment.slice(equals + 1)]);
  }
  return found;
}
