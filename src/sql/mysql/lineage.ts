// Where values flow through one statement: which columns each output column depends on, which columns decide what rows there are,
// and what is stored or sent elsewhere.
//
// Resolves names as MySQL and MariaDB do. What a function does is taken to be what its arguments hold; which functions may be called at
// all is judged elsewhere, and so is EXECUTE, whose outputs are those of what it names.
import type { Lineage } from '../../types.ts';
import { columnOf, dependenceOf, type Field, INDEPENDENT } from '../flow.ts';
import type { Statement } from './ast.ts';
import { insert, remove, update } from './lineage/changes.ts';
import { evaluate, evaluateAll } from './lineage/expressions.ts';
import { query } from './lineage/queries.ts';
import { type Level, NotFollowed, openLevel, type Place, startRun, write } from './lineage/scope.ts';
import { type ParsedStatement, parse } from './parser.ts';

/**
 * The lineage of the index-th statement of a text (0-based), which `classify` understood. Never throws; `unproven` says why
 * nothing is known. A generated column counts as a column of its own: what it is computed from is the catalog's to say. So
 * does a view's column that has nothing below it; other view columns are named beside those that they come from.
 */
export function lineageOf(text: string, index: number, place: Place): Lineage | { readonly unproven: string } {
  try {
    const parsed = parse(text, place.mode);
    if (!parsed.ok) return { unproven: parsed.reason };
    const statement = parsed.statements[index];
    if (statement === undefined) return { unproven: `the text has no statement ${index}` };
    const run = startRun(text, place);
    const outputs = outputsOf(openLevel(run, null), statement, 0);
    return {
      outputs: outputs?.map(({ name, value }) => ({ name, dependence: dependenceOf(value.flow) })) ?? null,
      predicates: [...run.predicates].map(columnOf),
      writes: run.writes.map(({ into, column, from }) => ({
        into,
        column: column === null ? null : columnOf(column),
        from: dependenceOf(from),
      })),
    };
  } catch (error) {
    if (error instanceof NotFollowed) return { unproven: error.message };
    if (error instanceof RangeError) return { unproven: 'the statement is nested too deeply' };
    return { unproven: 'the statement could not be followed' };
  }
}

type Outputs = readonly Field[] | null;

function outputsOf(level: Level, parsed: ParsedStatement, depth: number): Outputs {
  const { statement } = parsed;
  switch (statement.kind) {
    case 'select':
    case 'set-operation':
    case 'values':
    case 'table': {
      const columns = query(level, statement);
      return statement.into === null ? columns : null;
    }
    case 'insert':
      return insert(level, statement);
    case 'update':
      return update(level, statement);
    case 'delete':
      return remove(level, statement);
    case 'explain':
      return plan(level, parsed, statement);
    case 'create-table':
      if (statement.query !== null) made(level, statement.table, query(level, statement.query));
      return null;
    case 'create-view':
      made(level, statement.view, query(level, statement.query));
      return null;
    case 'do':
      evaluateAll(level, statement.values);
      return null;
    case 'set':
      for (const { scope, name, value } of statement.settings) {
        if (value === null) continue;
        write(level.run, `the variable ${scope === 'user' ? '@' : ''}${name}`, null, evaluate(level, value).flow);
      }
      return null;
    case 'call':
      throw new NotFollowed('it is not known where values flow in CALL');
    case 'other':
      return other(level, parsed, depth);
  }
}

/** Statements that move no value of a column anywhere, and answer with no rows. */
const STILL: ReadonlySet<string> = new Set([
  'begin',
  'commit',
  'deallocate',
  'kill',
  'lock',
  'release',
  'rollback',
  'savepoint',
  'start',
  'unlock',
  'use',
]);

function other(level: Level, { tokens }: ParsedStatement, depth: number): Outputs {
  const [first, second] = tokens;
  const word = first?.lower ?? '';
  if (STILL.has(word)) return null;
  const prepares = word === 'prepare' || (word === 'execute' && second?.lower === 'immediate');
  const text = tokens.find(({ type }) => type === 'string');
  if (!prepares || text === undefined || depth > 0) {
    throw new NotFollowed(`it is not known where values flow in ${word.toUpperCase()}`);
  }
  const { run } = level;
  const inner = parse(text.value, run.mode);
  const [only, ...others] = inner.ok ? inner.statements : [];
  if (only === undefined || others.length > 0) throw new NotFollowed('the text of a prepared statement is not known');
  return outputsOf({ ...level, run: { ...run, text: text.value } }, only, depth + 1);
}

function made(
  level: Level,
  { schema, name }: { schema: string | null; name: string },
  columns: readonly Field[],
): void {
  const table = schema === null ? name : `${schema}.${name}`;
  for (const column of columns) write(level.run, `the new column ${table}.${column.name}`, null, column.value.flow);
}

/** Columns of EXPLAIN as a table (MySQL "EXPLAIN Output Format", MariaDB "EXPLAIN"). */
const MYSQL_PLAN = 'id select_type table partitions type possible_keys key key_len ref rows filtered extra'.split(' ');
const MARIADB_PLAN = 'id select_type table type possible_keys key key_len ref rows extra'.split(' ');

/**
 * As a table a plan holds names and numbers; in other formats the values of rows that are read while planning too. MySQL 9 has
 * another format where none is named (`explain_format`).
 */
function plan(
  level: Level,
  { start }: ParsedStatement,
  { statement }: Extract<Statement, { kind: 'explain' }>,
): Outputs {
  const { run } = level;
  const words = run.text.slice(start, statement.start).trim();
  const asTable = /^(explain|describe|desc)\s+format\s*=\s*traditional$/i.test(words);
  const tables = run.mode.mariadb || /^8\./.test(run.catalog.server?.version ?? '');
  const plain = tables && /^(explain|describe|desc)$/i.test(words);
  if (!asTable && !plain) {
    throw new NotFollowed(
      `${words} can show values of rows that are read while planning; write EXPLAIN${tables ? '' : ' FORMAT=TRADITIONAL'}`,
    );
  }
  const inner = { ...level, run: { ...run, writes: [] } };
  outputsOf(inner, { statement, start: statement.start, end: statement.end, tokens: [] }, 1);
  return (run.mode.mariadb ? MARIADB_PLAN : MYSQL_PLAN).map((name) => ({ name, value: INDEPENDENT }));
}
