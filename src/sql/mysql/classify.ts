// A text of MySQL's or MariaDB's SQL, understood as statements with what each of them needs and touches, or not at all.
import type { Classification, Facts } from '../../types.ts';
import type { SetItem, Statement } from './ast.ts';
import { visit, visitAll } from './expressions.ts';
import { Cursor, NotParsed } from './grammar/cursor.ts';
import type { LexMode } from './lexer.ts';
import { type ParsedStatement, parse } from './parser.ts';
import { insert, query, remove, update } from './queries.ts';
import { secretSpans } from './secrets.ts';
import { changesModeAlike, settingNeed } from './settings.ts';
import { definition, utility } from './utilities.ts';
import { openScope, Walk } from './walk.ts';

/** PREPARE inside PREPARE is refused by the servers; this only keeps a text from going on for ever. */
const DEEPEST_TEXT = 2;

/** Understands one text as the server would in a session with this mode. Never throws. A text without a statement has none. */
export function classify(text: string, mode: LexMode): Classification {
  try {
    const parsed = parse(text, mode);
    if (!parsed.ok) return parsed;
    return { ok: true, statements: parsed.statements.map((statement) => facts(statement, mode)) };
  } catch (error) {
    if (error instanceof NotParsed) return { ok: false, reason: error.message, position: error.at + 1 };
    if (error instanceof RangeError) return { ok: false, reason: 'the statement is nested too deeply' };
    return { ok: false, reason: 'the statement could not be understood' };
  }
}

function facts(parsed: ParsedStatement, mode: LexMode): Facts {
  const walk = new Walk(mode);
  understand(walk, parsed, 0);
  const secrets = walk.textIsSecret ? strings(parsed.tokens) : secretSpans(parsed.tokens, walk.logins);
  return {
    start: parsed.start,
    end: parsed.end,
    kinds: walk.kinds,
    needs: walk.needs,
    relations: walk.relations,
    functions: walk.functions,
    settings: walk.settings,
    columns: walk.columns,
    handles: walk.handles,
    columnsHidden: false,
    opaque: walk.opaque,
    valueBlind: walk.valueBlind && secrets.length === 0,
    secrets,
  };
}

function strings(tokens: ParsedStatement['tokens']): Facts['secrets'] {
  return tokens.filter(({ type }) => type === 'string').map(({ start, end }) => [start, end]);
}

function understand(walk: Walk, { statement, tokens }: ParsedStatement, depth: number): void {
  const scope = openScope(null);
  switch (statement.kind) {
    case 'select':
    case 'set-operation':
    case 'values':
    case 'table':
      walk.kind('select');
      return query(walk, statement, null, true);
    case 'insert':
      return insert(walk, statement);
    case 'update':
      return update(walk, statement);
    case 'delete':
      return remove(walk, statement);
    case 'explain':
      walk.kind('explain');
      // The tree that it shows is the statement's; only ANALYZE runs it, but what may not run need not be explained.
      return understand(walk, { statement: statement.statement, tokens, start: 0, end: 0 }, depth);
    case 'create-table':
      return createTable(walk, statement, tokens);
    case 'create-view':
      walk.kind('create-view');
      walk.relation(statement.view, 'ddl');
      return query(walk, statement.query, null, false);
    case 'do':
      walk.kind('do');
      return visitAll(walk, statement.values, scope, 'expression');
    case 'set':
      walk.kind('set');
      walk.valueBlind = false;
      for (const item of statement.settings) setting(walk, item);
      return;
    case 'call':
      walk.kind('call');
      walk.hidden(`CALL ${statement.routine.name}`);
      return visitAll(walk, statement.args, scope, 'expression');
    case 'other':
      walk.valueBlind = false;
      return utility(walk, new Cursor(tokens, walk.mode), (inner, text) => prepared(inner, text, depth));
  }
}

/** The text that PREPARE is given: what it needs is needed now. */
function prepared(walk: Walk, text: string, depth: number): void {
  const parsed = depth < DEEPEST_TEXT ? parse(text, walk.mode) : null;
  const [only] = parsed?.ok ? parsed.statements : [];
  if (parsed === null || !parsed.ok || parsed.statements.length !== 1 || only === undefined) {
    throw new NotParsed('the text of a prepared statement is not understood', 0);
  }
  understand(walk, only, depth + 1);
  if (secretSpans(only.tokens, walk.logins).length > 0) walk.textIsSecret = true;
  // When it is executed, names would lead elsewhere out of sight.
  if (walk.kinds.includes('use')) walk.need('never');
}

function createTable(
  walk: Walk,
  statement: Extract<Statement, { kind: 'create-table' }>,
  tokens: ParsedStatement['tokens'],
): void {
  walk.kind('create-table');
  walk.relation(statement.table, 'ddl');
  // It hides the table of that name, and its columns can be others.
  if (statement.temporary) walk.column(null, '*', 'expression');
  if (statement.like !== null) walk.relation(statement.like, 'read');
  if (statement.definition !== null) {
    const { start, end } = statement.definition;
    const inside = tokens.filter((token) => token.start >= start && token.end <= end && token.type !== 'end');
    definition(walk, new Cursor([...inside, { type: 'end', start: end, end, lower: '', value: '' }], walk.mode));
  }
  if (statement.query === null) return;
  walk.kind('create-table-as');
  query(walk, statement.query, null, false);
}

function setting(walk: Walk, { scope, name, value }: SetItem): void {
  visit(walk, value, openScope(null), 'expression');
  if (scope === 'user') return;
  const shown = value === null ? null : value.kind === 'literal' ? value.value : null;
  const written = shown ?? (value?.kind === 'operator' && value.name === '-' ? '-' : null);
  const alike = name === 'sql_mode' && value !== null && changesModeAlike(value, walk.mode);
  const need = alike ? 'read' : settingNeed(name, written, walk.mode);
  walk.settings.push({ name, value: shown, need: scope === 'session' || need === 'never' ? need : 'admin' });
}
