// Statements that define nothing: transactions, settings, COPY, EXPLAIN, prepared statements, cursors, locks, notifications.

import { copyForm } from './copy.ts';
import { expect, visit } from './expressions.ts';
import { settingReadNeed } from './functions.ts';
import { query } from './queries.ts';
import { settingName, settingNeed, writePath } from './settings.ts';
import {
  fieldsOf,
  integerOf,
  listOf,
  literalOf,
  NotUnderstood,
  namesOf,
  nodeOf,
  only,
  optional,
  textOf,
} from './tree.ts';
import {
  addColumn,
  addKind,
  addNeed,
  addSetting,
  addTarget,
  openScope,
  type StatementHandler,
  type Walk,
} from './walk.ts';

export interface Definition {
  readonly name: string;
  readonly value: unknown;
}

/** A list of `DefElem`s: options by name. */
export function definitions(list: unknown): Definition[] {
  return listOf(list).map((item) => {
    const { type, fields } = nodeOf(item);
    if (type !== 'DefElem') throw new NotUnderstood(`${type} where an option belongs`);
    expect(type, fields);
    return { name: textOf(fields.defname) ?? '', value: fields.arg };
  });
}

// --- Transactions ------------------------------------------------------------------------------------------------------

const TRANSACTIONS: ReadonlyMap<string, { readonly kind: string; readonly admin?: true }> = new Map([
  ['TRANS_STMT_BEGIN', { kind: 'begin' }],
  ['TRANS_STMT_START', { kind: 'begin' }],
  ['TRANS_STMT_COMMIT', { kind: 'commit' }],
  ['TRANS_STMT_ROLLBACK', { kind: 'rollback' }],
  ['TRANS_STMT_SAVEPOINT', { kind: 'savepoint' }],
  ['TRANS_STMT_RELEASE', { kind: 'release' }],
  ['TRANS_STMT_ROLLBACK_TO', { kind: 'rollback-to' }],
  ['TRANS_STMT_PREPARE', { kind: 'prepare-transaction', admin: true }],
  ['TRANS_STMT_COMMIT_PREPARED', { kind: 'commit-prepared', admin: true }],
  ['TRANS_STMT_ROLLBACK_PREPARED', { kind: 'rollback-prepared', admin: true }],
]);

const transaction: StatementHandler = (walk, fields) => {
  only('TransactionStmt', fields, 'kind options savepoint_name gid chain location');
  const known = TRANSACTIONS.get(textOf(fields.kind) ?? '');
  if (known === undefined) throw new NotUnderstood('a transaction command has an unknown form');
  addKind(walk, known.kind);
  if (known.admin) addNeed(walk, 'admin');
  transactionModes(walk, fields.options, '');
};

/** READ WRITE, ISOLATION LEVEL …: settings by another syntax. `prefix` is `default_` for those of the session. */
function transactionModes(walk: Walk, list: unknown, prefix: '' | 'default_'): void {
  for (const { name, value } of definitions(list)) {
    const number = integerOf(value);
    const written = number === null ? literalOf(value) : number === 0 ? 'off' : 'on';
    addSetting(walk, { name: prefix + name, value: written, need: settingNeed(prefix + name, written) });
  }
}

// --- Settings ----------------------------------------------------------------------------------------------------------

const setVariable: StatementHandler = (walk, fields) => {
  only('VariableSetStmt', fields, 'kind name args jumble_args is_local location');
  const name = settingName(textOf(fields.name) ?? '');
  switch (fields.kind) {
    case 'VAR_SET_VALUE': {
      addKind(walk, 'set');
      const values = listOf(fields.args).map(settingValue);
      const shown = values.every((value) => value !== null);
      const value = !shown ? null : name === 'search_path' ? writePath(values) : values.join(', ');
      const need = settingNeed(name, value);
      if (need === 'admin') walk.secretive = 'all-strings';
      return addSetting(walk, { name, value, need });
    }
    case 'VAR_SET_DEFAULT':
    case 'VAR_RESET':
      addKind(walk, fields.kind === 'VAR_RESET' ? 'reset' : 'set');
      return addSetting(walk, { name, value: null, need: settingNeed(name, null) });
    case 'VAR_RESET_ALL':
      addKind(walk, 'reset');
      return resetAll(walk);
    case 'VAR_SET_MULTI':
      addKind(walk, 'set');
      if (fields.name === 'TRANSACTION') return transactionModes(walk, fields.args, '');
      if (fields.name === 'SESSION CHARACTERISTICS') return transactionModes(walk, fields.args, 'default_');
      return addSetting(walk, { name, value: null, need: 'admin' });
    default:
      throw new NotUnderstood('SET has an unknown form');
  }
};

/**
 * Everything goes back to what it was at login. The settings that the gateway pins are in its startup packet, so they stay
 * what they are (guc.c, `reset_val`); the search path may move.
 */
function resetAll(walk: Walk): void {
  addSetting(walk, { name: 'all', value: null, need: 'read' });
  addSetting(walk, { name: 'search_path', value: null, need: 'read' });
}

/** A literal of SET as text; null for one with a type of its own (`INTERVAL '1' HOUR`). */
function settingValue(value: unknown): string | null {
  const { type, fields } = nodeOf(value);
  if (type !== 'A_Const') return null;
  const number = integerOf(value);
  if (number !== null) return String(number);
  const float = optional(fields.fval);
  return float === null ? literalOf(value) : textOf(float.fval);
}

const show: StatementHandler = (walk, fields) => {
  only('VariableShowStmt', fields, 'name');
  addKind(walk, 'show');
  const name = textOf(fields.name) ?? '';
  if (settingReadNeed(name) !== 'read') addNeed(walk, 'admin');
};

const discard: StatementHandler = (walk, fields) => {
  only('DiscardStmt', fields, 'target');
  addKind(walk, 'discard');
  if (fields.target === 'DISCARD_ALL') discardAll(walk);
  else if (!['DISCARD_PLANS', 'DISCARD_SEQUENCES', 'DISCARD_TEMP'].includes(textOf(fields.target) ?? '')) {
    throw new NotUnderstood('DISCARD has an unknown form');
  }
};

/**
 * RESET ALL and everything else that a login starts without: prepared statements, cursors, temporary tables, locks of the
 * session, channels that it listens to (PostgreSQL, "DISCARD"). Whether the role that the login starts in comes back too is
 * the catalog's to say (`Catalog.resetWidens`).
 */
function discardAll(walk: Walk): void {
  resetAll(walk);
  addSetting(walk, { name: 'session_authorization', value: null, need: 'read' });
  walk.handles.push({ action: 'deallocate', name: null }, { action: 'close', name: null });
}

// --- COPY --------------------------------------------------------------------------------------------------------------

const COPY_OPTIONS: ReadonlySet<string> = new Set(
  'default delimiter encoding escape force_not_null force_null force_quote format freeze header log_verbosity null on_error quote reject_limit'.split(
    ' ',
  ),
);

const copy: StatementHandler = (walk, fields) => {
  only('CopyStmt', fields, 'relation query attlist is_from is_program filename options whereClause');
  const into = fields.is_from === true;
  addKind(walk, into ? 'copy-from' : 'copy-to');
  if (fields.is_program !== undefined || fields.filename !== undefined) addNeed(walk, 'admin');
  const options = definitions(fields.options);
  if (!into && fields.is_program === undefined && fields.filename === undefined) walk.copy = copyForm(options);
  for (const { name, value } of options) {
    if (!COPY_OPTIONS.has(name)) throw new NotUnderstood(`COPY's option ${name} is not known to the gateway`);
    // Rows in another encoding could not be read while they pass.
    if (name === 'encoding' && settingNeed('client_encoding', namedValue(value)) !== 'read') addNeed(walk, 'never');
  }
  const scope = openScope(null);
  const relation = optional(fields.relation);
  if (relation !== null) {
    expect('RangeVar', relation);
    const target = addTarget(walk, relation, into ? 'write' : 'read');
    scope.rows.add(target.name);
    const columns = fields.attlist === undefined ? ['*'] : namesOf(fields.attlist);
    for (const column of columns) addColumn(walk, null, column, into ? 'assigned' : 'expression');
  } else {
    query(walk, fields.query, null, false);
  }
  visit(walk, fields.whereClause, scope, 'predicate');
};

/** The value of an option written as a word or a string. */
function namedValue(value: unknown): string | null {
  if (value === undefined) return null;
  const { type, fields } = nodeOf(value);
  return type === 'String' ? textOf(fields.sval) : literalOf(value);
}

// --- Statements about statements -----------------------------------------------------------------------------------------

const EXPLAINED: ReadonlySet<string> = new Set([
  'CreateTableAsStmt',
  'DeclareCursorStmt',
  'DeleteStmt',
  'ExecuteStmt',
  'InsertStmt',
  'MergeStmt',
  'RefreshMatViewStmt',
  'SelectStmt',
  'UpdateStmt',
]);

/** EXPLAIN counts as the statement that it explains: plain EXPLAIN tells of it, ANALYZE runs it. */
const explain: StatementHandler = (walk, fields, inner) => {
  only('ExplainStmt', fields, 'query options');
  addKind(walk, 'explain');
  definitions(fields.options);
  if (!EXPLAINED.has(nodeOf(fields.query).type))
    throw new NotUnderstood('EXPLAIN of something that the gateway does not know');
  inner(walk, fields.query);
  walk.valueBlind = false;
};

const prepare: StatementHandler = (walk, fields) => {
  only('PrepareStmt', fields, 'name argtypes query');
  addKind(walk, 'prepare');
  walk.handles.push({ action: 'prepare', name: textOf(fields.name) ?? '' });
  visit(walk, fields.argtypes, openScope(null), 'expression');
  query(walk, fields.query, null, true);
};

/** What it runs was judged when it was prepared, by SQL or by a Parse message; the server may look names up anew now. */
const execute: StatementHandler = (walk, fields) => {
  only('ExecuteStmt', fields, 'name params');
  addKind(walk, 'execute');
  walk.handles.push({ action: 'execute', name: textOf(fields.name) ?? '' });
  visit(walk, fields.params, openScope(null), 'expression');
};

const deallocate: StatementHandler = (walk, fields) => {
  only('DeallocateStmt', fields, 'name isall location');
  addKind(walk, 'deallocate');
  walk.handles.push({ action: 'deallocate', name: textOf(fields.name) });
};

const declare: StatementHandler = (walk, fields) => {
  only('DeclareCursorStmt', fields, 'portalname options query');
  addKind(walk, 'declare');
  walk.handles.push({ action: 'declare', name: textOf(fields.portalname) ?? '' });
  query(walk, fields.query, null, true);
};

const fetch: StatementHandler = (walk, fields) => {
  only('FetchStmt', fields, 'direction howMany portalname ismove direction_keyword location');
  addKind(walk, fields.ismove === true ? 'move' : 'fetch');
  walk.handles.push({ action: 'fetch', name: textOf(fields.portalname) ?? '' });
};

const close: StatementHandler = (walk, fields) => {
  only('ClosePortalStmt', fields, 'portalname');
  addKind(walk, 'close');
  walk.handles.push({ action: 'close', name: textOf(fields.portalname) });
};

// --- Locks and notifications ---------------------------------------------------------------------------------------------

const lock: StatementHandler = (walk, fields) => {
  only('LockStmt', fields, 'relations mode nowait');
  addKind(walk, 'lock');
  for (const item of listOf(fields.relations)) {
    const { type, fields: relation } = nodeOf(item);
    if (type !== 'RangeVar') throw new NotUnderstood('LOCK has an unknown form');
    expect(type, relation);
    addTarget(walk, relation, 'write');
  }
};

const notify: StatementHandler = (walk, fields) => {
  only('NotifyStmt', fields, 'conditionname payload');
  addKind(walk, 'notify');
  addNeed(walk, 'write');
};

function listening(type: string, kind: string): StatementHandler {
  return (walk, fields) => {
    only(type, fields, 'conditionname');
    addKind(walk, kind);
    addNeed(walk, 'read');
  };
}

const setConstraints: StatementHandler = (walk, fields) => {
  only('ConstraintsSetStmt', fields, 'constraints deferred');
  addKind(walk, 'set-constraints');
  for (const item of listOf(fields.constraints)) fieldsOf(item);
};

export const UTILITIES: ReadonlyMap<string, StatementHandler> = new Map(
  Object.entries({
    TransactionStmt: transaction,
    VariableSetStmt: setVariable,
    VariableShowStmt: show,
    DiscardStmt: discard,
    CopyStmt: copy,
    ExplainStmt: explain,
    PrepareStmt: prepare,
    ExecuteStmt: execute,
    DeallocateStmt: deallocate,
    DeclareCursorStmt: declare,
    FetchStmt: fetch,
    ClosePortalStmt: close,
    LockStmt: lock,
    NotifyStmt: notify,
    ListenStmt: listening('ListenStmt', 'listen'),
    UnlistenStmt: listening('UnlistenStmt', 'unlisten'),
    ConstraintsSetStmt: setConstraints,
  }),
);
