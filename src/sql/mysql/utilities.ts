// Statements that are known by their leading words: what they need, which relations they name. What is not in these tables is
// not understood.
import type { Need, Verb } from '../../types.ts';
import type { Name } from './ast.ts';
import { visit, visitAll } from './expressions.ts';
import { REACHING } from './functions.ts';
import type { Cursor } from './grammar/cursor.ts';
import { expression } from './grammar/expressions.ts';
import { MAKING } from './grammar/words.ts';
import { openScope, type Walk } from './walk.ts';

/** Understands a whole text inside a statement: that of PREPARE. */
export type Inner = (walk: Walk, text: string) => void;

/** Reads the statement that stands at the cursor. Throws NotParsed. */
export function utility(walk: Walk, c: Cursor, inner: Inner): void {
  const word = c.token.lower;
  const handler = Object.hasOwn(HANDLERS, word) ? HANDLERS[word] : undefined;
  if (handler === undefined) c.fail('a statement that the gateway knows is expected');
  handler(walk, c, inner);
  if (c.token.type !== 'end') c.fail('the end of the statement is expected');
}

type Handler = (walk: Walk, c: Cursor, inner: Inner) => void;

const ADMIN: Readonly<Record<string, string>> = {
  binlog: 'admin',
  change: 'change-replication',
  clone: 'admin',
  flush: 'flush',
  grant: 'grant',
  import: 'admin',
  install: 'install',
  purge: 'purge',
  reset: 'reset',
  restart: 'shutdown',
  revoke: 'revoke',
  shutdown: 'shutdown',
  start: 'change-replication',
  stop: 'change-replication',
  uninstall: 'uninstall',
  xa: 'xa',
  cache: 'admin',
  backup: 'admin',
};

const HANDLERS: Readonly<Record<string, Handler>> = {
  ...Object.fromEntries(
    Object.entries(ADMIN).map(([word, kind]) => [word, (walk: Walk, c: Cursor) => admin(walk, c, kind)]),
  ),
  alter,
  analyze: maintenance,
  begin,
  check: maintenance,
  checksum: maintenance,
  commit: (walk, c) => plain(walk, c, 'commit'),
  create,
  deallocate: (walk, c) => {
    c.at++;
    c.expectWord('prepare');
    unprepare(walk, c);
  },
  desc: describe,
  describe,
  drop,
  execute,
  explain: describe,
  get: (walk, c) => hidden(walk, c, 'get-diagnostics', 'GET DIAGNOSTICS'),
  handler: (walk, c) => hidden(walk, c, 'handler', 'HANDLER'),
  help: (walk, c) => plain(walk, c, 'help'),
  kill,
  load,
  lock,
  optimize: maintenance,
  prepare,
  release: (walk, c) => plain(walk, c, 'release'),
  rename,
  repair: maintenance,
  resignal: (walk, c) => plain(walk, c, 'signal'),
  rollback,
  savepoint: (walk, c) => plain(walk, c, 'savepoint'),
  set,
  show,
  signal: (walk, c) => plain(walk, c, 'signal'),
  start: startStatement,
  truncate,
  unlock: (walk, c) => plain(walk, c, 'unlock'),
  use,
  ...Object.fromEntries(
    ['if', 'loop', 'while', 'repeat', 'for', 'case', 'declare'].map((word) => [
      word,
      (walk: Walk, c: Cursor) => hidden(walk, c, 'do', 'a compound statement'),
    ]),
  ),
};

/** The rest of it says nothing that bears on the facts. */
function rest(c: Cursor): void {
  while (c.token.type !== 'end') c.at++;
}

function plain(walk: Walk, c: Cursor, kind: string): void {
  walk.kind(kind);
  rest(c);
}

function admin(walk: Walk, c: Cursor, kind: string): void {
  walk.kind(kind);
  walk.need('admin');
  walk.logins = true;
  rest(c);
}

function hidden(walk: Walk, c: Cursor, kind: string, what: string): void {
  walk.kind(kind);
  walk.hidden(what);
  rest(c);
}

// --- Transactions and sessions -------------------------------------------------------------------------------------------

function begin(walk: Walk, c: Cursor): void {
  if (c.isWord('not', 1)) return hidden(walk, c, 'do', 'BEGIN NOT ATOMIC');
  c.at++;
  c.takeWord('work');
  plain(walk, c, 'begin');
}

function startStatement(walk: Walk, c: Cursor): void {
  if (!c.isWord('transaction', 1)) return admin(walk, c, 'change-replication');
  c.at += 2;
  walk.kind('begin');
  characteristics(walk, c);
}

/** READ WRITE opens a read-only session for writing. */
function characteristics(walk: Walk, c: Cursor): void {
  while (c.token.type !== 'end') {
    if (c.takeWords('read', 'write')) walk.need('write');
    else c.at++;
  }
}

function rollback(walk: Walk, c: Cursor): void {
  c.at++;
  c.takeWord('work');
  plain(walk, c, c.isWord('to') ? 'rollback-to' : 'rollback');
}

/** SET of what is no variable; the grammar knows the others. */
function set(walk: Walk, c: Cursor): void {
  c.at++;
  const global = c.isWord('global') || c.isWord('persist');
  if (global || c.isWord('session') || c.isWord('local')) c.at++;
  if (c.takeWord('transaction')) {
    walk.kind('set');
    if (global) walk.need('admin');
    return characteristics(walk, c);
  }
  if (c.isWord('statement')) return hidden(walk, c, 'set', 'SET STATEMENT');
  if (c.isWord('password')) return admin(walk, c, 'set-password');
  return admin(walk, c, 'set-role');
}

function use(walk: Walk, c: Cursor): void {
  c.at++;
  walk.kind('use');
  walk.settings.push({ name: 'search_path', value: c.name(), need: 'read' });
}

/** The number is the gateway's own; who it is for, the wire says. */
function kill(walk: Walk, c: Cursor): void {
  c.at++;
  walk.kind('kill');
  walk.valueBlind = false;
  c.takeWord('hard') || c.takeWord('soft');
  const what = c.takeWord('query') ? 'query' : c.takeWord('connection') ? 'connection' : 'connection';
  const number = c.token.type === 'number' && /^\d{1,10}$/.test(c.token.value) ? c.next().value : null;
  if (number === null || c.token.type !== 'end') {
    walk.need('never');
    return rest(c);
  }
  walk.settings.push({ name: 'kill', value: `${what} ${number}`, need: 'read' });
}

// --- Prepared statements -------------------------------------------------------------------------------------------------

function prepare(walk: Walk, c: Cursor, inner: Inner): void {
  c.at++;
  const name = c.name();
  walk.kind('prepare');
  walk.valueBlind = false;
  walk.handles.push({ action: 'prepare', name: name.toLowerCase() });
  c.expectWord('from');
  text(walk, c, inner, 'PREPARE');
}

/** A text in a literal is judged as what it says; in a variable it cannot be seen. */
function text(walk: Walk, c: Cursor, inner: Inner, what: string): void {
  const { token } = c;
  const alone = token.type === 'string' && (c.peek().type === 'end' || c.isWord('using', 1));
  if (!alone) return hidden(walk, c, walk.kinds[0] ?? 'execute', `${what} of a text that is not written out`);
  c.at++;
  inner(walk, token.value);
  using(walk, c);
}

/** Values for the parameters: MariaDB takes any expression. */
function using(walk: Walk, c: Cursor): void {
  if (c.takeWord('using'))
    visitAll(
      walk,
      c.list(() => expression(c)),
      openScope(null),
      'expression',
    );
}

function execute(walk: Walk, c: Cursor, inner: Inner): void {
  c.at++;
  walk.valueBlind = false;
  if (c.takeWord('immediate')) {
    walk.kind('execute-immediate');
    return text(walk, c, inner, 'EXECUTE IMMEDIATE');
  }
  walk.kind('execute');
  walk.handles.push({ action: 'execute', name: c.name().toLowerCase() });
  using(walk, c);
}

function unprepare(walk: Walk, c: Cursor): void {
  walk.kind('deallocate');
  walk.handles.push({ action: 'deallocate', name: c.name().toLowerCase() });
}

// --- Definitions -----------------------------------------------------------------------------------------------------------

/** Takes words that may stand between CREATE and what is created, and answers that. */
function object(c: Cursor): string {
  while (MAKING.has(c.token.lower) || c.token.type !== 'word') {
    if (c.token.type === 'end') c.fail('what is made is expected');
    const definer = c.isWord('definer');
    c.at++;
    if (definer) account(c);
  }
  return c.next().lower;
}

/** `= user@host`, `= CURRENT_USER()`. */
function account(c: Cursor): void {
  c.takeOperator('=');
  c.at++;
  if (c.token.type === 'variable') c.at++;
  if (c.isOperator('(')) c.skipParentheses();
}

function ifExists(c: Cursor): void {
  if (!c.takeWords('if', 'not', 'exists')) c.takeWords('if', 'exists');
}

const BODIES: ReadonlySet<string> = new Set(['event', 'function', 'package', 'procedure', 'trigger']);
const LOGINS: ReadonlySet<string> = new Set(['role', 'server', 'user']);

function create(walk: Walk, c: Cursor): void {
  c.at++;
  const what = object(c);
  if (BODIES.has(what)) return hidden(walk, c, `create-${what}`, `the body of a ${what}`);
  if (LOGINS.has(what)) return admin(walk, c, `create-${what}`);
  switch (what) {
    case 'database':
    case 'schema':
      return database(walk, c, 'create');
    case 'index':
      walk.kind('create-index');
      ifExists(c);
      c.name();
      while (c.token.type !== 'end' && !c.isWord('on')) c.at++;
      c.expectWord('on');
      walk.relation(c.qualified(), 'ddl');
      return definition(walk, c);
    case 'sequence':
      walk.kind('create-sequence');
      ifExists(c);
      walk.relation(c.qualified(), 'ddl');
      return rest(c);
    default:
      return admin(walk, c, 'admin');
  }
}

function database(walk: Walk, c: Cursor, verb: 'create' | 'alter' | 'drop'): void {
  walk.kind(`${verb}-database`, `${verb}-schema`);
  ifExists(c);
  const name = c.isName() ? c.name() : null;
  if (verb === 'drop' && name !== null) walk.relation({ schema: name, name: '*' }, 'ddl');
  walk.need('ddl');
  rest(c);
}

function alter(walk: Walk, c: Cursor): void {
  c.at++;
  const what = object(c);
  switch (what) {
    case 'database':
    case 'schema':
      return database(walk, c, 'alter');
    case 'sequence':
      walk.kind('alter-sequence');
      ifExists(c);
      walk.relation(c.qualified(), 'ddl');
      return rest(c);
    case 'table':
      return alterTable(walk, c);
    case 'view':
      return hidden(walk, c, 'alter-view', 'ALTER VIEW');
    case 'user':
      return admin(walk, c, 'alter-user');
    default:
      return BODIES.has(what) ? hidden(walk, c, 'admin', `ALTER ${what.toUpperCase()}`) : admin(walk, c, 'admin');
  }
}

function alterTable(walk: Walk, c: Cursor): void {
  walk.kind('alter-table');
  ifExists(c);
  const table = c.qualified();
  walk.relation(table, 'ddl');
  let depth = 0;
  for (; c.token.type !== 'end'; c.at++) {
    if (c.isWord('drop')) {
      const what = c.peek().lower;
      if (what === 'column' || (c.isName(1) && !NOT_COLUMNS.has(what))) walk.kind('drop-column');
      else if (NOT_COLUMNS.has(what)) walk.kind('drop-constraint');
    } else if (c.isWord('rename')) {
      const mark = c.at++;
      // Under another name a column or a table is out of reach of what goes by names.
      walk.column(null, '*', 'expression');
      if (c.isWord('column') || c.isWord('index') || c.isWord('key')) continue;
      if (!c.takeWord('to') && !c.takeWord('as')) c.takeOperator('=');
      if (c.isName()) {
        walk.kind('rename-table');
        walk.relation(c.qualified(), 'ddl');
      }
      c.at = mark;
    } else if (c.isWord('change')) {
      walk.column(null, '*', 'expression');
    } else if (c.isWord('modify') || c.isWord('alter')) {
      // What it is computed from, and protected by, can be left out.
      let ahead = c.isWord('column', 1) ? 2 : 1;
      if (c.isWord('if', ahead)) ahead += 2;
      walk.column(null, c.peek(ahead).value, 'expression');
    } else if (
      ['discard', 'import', 'exchange'].includes(c.token.lower) ||
      (c.isWord('convert') && (c.isWord('table', 1) || c.isWord('partition', 1)))
    ) {
      // Rows come from, or go to, a table or file of another name.
      walk.need('admin');
      walk.column(null, '*', 'expression');
    } else if (c.isOperator('(')) depth++;
    else if (c.isOperator(')')) depth--;
    // A default may copy another column into the rows that there are.
    else if (c.isName() && (depth > 0 || c.isWord('default', -1))) walk.column(null, c.token.value, 'expression');
    reaching(walk, c);
  }
}

const NOT_COLUMNS: ReadonlySet<string> = new Set([
  'primary',
  'foreign',
  'key',
  'index',
  'constraint',
  'check',
  'partition',
  'period',
  'system',
]);

/** Options and expressions of a table, an index: what reaches beyond the database. */
export function definition(walk: Walk, c: Cursor): void {
  for (; c.token.type !== 'end'; c.at++) reaching(walk, c);
}

/** Storage engines that keep rows in this server alone. */
export const ENGINES: ReadonlySet<string> = new Set([
  'innodb',
  'myisam',
  'aria',
  'memory',
  'heap',
  'archive',
  'rocksdb',
  'columnstore',
  'mroonga',
  'blackhole',
  'tokudb',
  'sequence',
  'ndb',
  'ndbcluster',
]);

/** Its rows are those of other tables, files or servers, under another name. */
const ELSEWHERE = 'a table whose rows are kept elsewhere';

function reaching(walk: Walk, c: Cursor): void {
  const { token } = c;
  if (token.type !== 'word') return;
  if (token.lower === 'engine') {
    const n = c.isOperator('=', 1) ? 2 : 1;
    const engine = c.peek(n);
    if (engine.type === 'end' || (n === 1 && engine.type === 'operator')) return;
    if (!ENGINES.has(engine.value.toLowerCase())) walk.hidden(ELSEWHERE);
  } else if (
    token.lower === 'connection' ||
    ((token.lower === 'data' || token.lower === 'index') && c.isWord('directory', 1))
  ) {
    walk.hidden(ELSEWHERE);
    walk.logins = true;
  } else if (token.lower === 'union' && (c.isOperator('=', 1) || c.isOperator('(', 1))) {
    walk.hidden(ELSEWHERE);
  } else if (token.lower === 'references' && c.isName(1)) {
    // Whether its rows may change hangs on ours from now on, and which values it has shows by what ours may be.
    walk.relation(nameBehind(c, 1), 'ddl');
  } else if (token.lower === 'value' && c.isWord('for', 1) && (c.isWord('next', -1) || c.isWord('previous', -1))) {
    walk.relation(nameBehind(c, 2), 'write');
  } else if (REACHING.has(token.lower) && c.isOperator('(', 1)) {
    walk.call(null, token.lower, 'admin');
  }
}

/** The name that stands n tokens on; the cursor stays. */
function nameBehind(c: Cursor, n: number): Name {
  const mark = c.at;
  c.at += n;
  const name = c.qualified();
  c.at = mark;
  return name;
}

function drop(walk: Walk, c: Cursor): void {
  c.at++;
  if (c.takeWord('prepare')) return unprepare(walk, c);
  const temporary = c.takeWord('temporary');
  const what = temporary ? c.next().lower : object(c);
  switch (what) {
    case 'database':
    case 'schema':
      return database(walk, c, 'drop');
    case 'table':
    case 'tables':
    case 'view':
    case 'sequence':
      walk.kind(`drop-${what === 'tables' ? 'table' : what}`);
      ifExists(c);
      for (const name of c.list(() => c.qualified())) walk.relation(name, 'ddl');
      return rest(c);
    case 'index':
      walk.kind('drop-index');
      ifExists(c);
      c.nameBehindDot();
      c.expectWord('on');
      walk.relation(c.qualified(), 'ddl');
      return rest(c);
    default:
      return admin(walk, c, BODIES.has(what) || LOGINS.has(what) ? `drop-${what}` : 'admin');
  }
}

function rename(walk: Walk, c: Cursor): void {
  c.at++;
  if (!c.takeWord('table') && !c.takeWord('tables')) return admin(walk, c, 'rename-user');
  walk.kind('rename-table');
  ifExists(c);
  c.list(() => {
    walk.relation(c.qualified(), 'ddl');
    if (c.takeWord('wait')) c.number();
    c.takeWord('nowait');
    c.expectWord('to');
    walk.relation(c.qualified(), 'ddl');
  });
}

function truncate(walk: Walk, c: Cursor): void {
  c.at++;
  c.takeWord('table');
  walk.kind('truncate');
  walk.relation(c.qualified(), 'write');
  // It commits what was open, as a definition does.
  walk.need('write');
  rest(c);
}

// --- Tables as they are ----------------------------------------------------------------------------------------------------

const MAINTENANCE: Readonly<Record<string, Verb>> = {
  analyze: 'ddl',
  check: 'read',
  checksum: 'read',
  optimize: 'ddl',
  repair: 'ddl',
};

function maintenance(walk: Walk, c: Cursor): void {
  const { lower } = c.next();
  const verb = MAINTENANCE[lower] ?? 'admin';
  c.takeWord('no_write_to_binlog') || c.takeWord('local');
  if (!c.takeWord('table') && !c.takeWord('tables')) return admin(walk, c, 'admin');
  walk.kind(lower);
  // In a read-only transaction they are refused, whatever they do: they write to the system's own tables.
  if (verb !== 'read') walk.need(verb);
  for (const name of c.list(() => c.qualified())) walk.relation(name, verb);
  rest(c);
}

function lock(walk: Walk, c: Cursor): void {
  c.at++;
  if (!c.takeWord('tables') && !c.takeWord('table')) return admin(walk, c, 'lock-instance');
  walk.kind('lock');
  c.list(() => {
    const table = c.qualified();
    if (c.takeWord('as') || (c.isName() && !c.isWord('low_priority'))) c.name();
    c.takeWord('low_priority');
    if (!c.takeWord('read')) c.expectWord('write');
    c.takeWord('local') || c.takeWord('concurrent');
    walk.relation(table, 'write');
  });
  if (c.takeWord('wait')) c.number();
  else c.takeWord('nowait');
}

function load(walk: Walk, c: Cursor): void {
  walk.kind('load-data');
  walk.need('admin');
  // The client's own file: the gateway carries none.
  for (; c.token.type !== 'end'; c.at++) {
    if (c.isWord('local')) walk.need('never');
    else if (c.takeWords('into', 'table')) {
      walk.relation(c.qualified(), 'write');
      c.at--;
    }
  }
}

/** DESCRIBE t, EXPLAIN FOR CONNECTION. */
function describe(walk: Walk, c: Cursor): void {
  c.at++;
  walk.kind('describe');
  if (c.isWord('for')) {
    walk.hidden('EXPLAIN of another connection');
    return rest(c);
  }
  c.qualified();
  if (c.token.type === 'string' || c.isName()) c.at++;
}

// --- SHOW ------------------------------------------------------------------------------------------------------------------

/** Words behind SHOW, and FULL, GLOBAL and the like; what they need. An allow-list. */
const SHOWS: readonly (readonly [words: string, need: Need, kind?: string])[] = [
  ['warnings', 'read', 'show-warnings'],
  ['errors', 'read', 'show-warnings'],
  ['count', 'read'],
  ['databases', 'read'],
  ['schemas', 'read'],
  ['table status', 'read'],
  ['table types', 'read'],
  ['tables', 'read'],
  ['open tables', 'read'],
  ['columns', 'read'],
  ['fields', 'read'],
  ['index', 'read'],
  ['indexes', 'read'],
  ['keys', 'read'],
  ['create table', 'read'],
  ['create view', 'read'],
  ['create database', 'read'],
  ['create schema', 'read'],
  ['create sequence', 'read'],
  ['character set', 'read'],
  ['charset', 'read'],
  ['collation', 'read'],
  ['engines', 'read'],
  ['storage engines', 'read'],
  ['events', 'read'],
  ['function status', 'read'],
  ['package status', 'read'],
  ['package body status', 'read'],
  ['plugins', 'read'],
  ['privileges', 'read'],
  ['procedure status', 'read'],
  ['profile', 'read'],
  ['profiles', 'read'],
  ['status', 'read'],
  ['triggers', 'read'],
  ['variables', 'read'],
];

const SHOW_MODIFIERS: ReadonlySet<string> = new Set(['extended', 'full', 'global', 'local', 'session']);

function show(walk: Walk, c: Cursor): void {
  c.at++;
  while (c.isOneOf(SHOW_MODIFIERS)) c.at++;
  walk.kind('show');
  const found = SHOWS.find(([words]) => words.split(' ').every((word, n) => c.isWord(word, n)));
  if (found === undefined) {
    // GRANTS, PROCESSLIST, CREATE USER, BINARY LOGS, ENGINE … STATUS and all that is not known here.
    walk.hidden('SHOW of what may hold statements and secrets of others');
    return rest(c);
  }
  const [, need, kind] = found;
  if (kind !== undefined) walk.kind(kind);
  walk.need(need);
  filter(walk, c);
}

/** WHERE of a SHOW may hold any expression. */
function filter(walk: Walk, c: Cursor): void {
  while (c.token.type !== 'end' && !c.isWord('where')) c.at++;
  if (!c.takeWord('where')) return;
  visit(walk, expression(c), openScope(null), 'predicate');
  rest(c);
}
