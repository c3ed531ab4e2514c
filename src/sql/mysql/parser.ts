// A text of MySQL's or MariaDB's dialect to its statements: queries and changes of rows to the last expression, a few others by
// their parts, the rest as tokens.
import type { SetItem, Statement } from './ast.ts';
import { insert, remove, update } from './grammar/changes.ts';
import { Cursor, NotParsed } from './grammar/cursor.ts';
import { expression, systemVariable } from './grammar/expressions.ts';
import { query, startsQuery, withClause } from './grammar/queries.ts';
import { MAKING } from './grammar/words.ts';
import { type LexMode, lex, type Token } from './lexer.ts';

export interface ParsedStatement {
  /** UTF-16 units: from its first token to the end of its last. */
  readonly start: number;
  readonly end: number;
  readonly statement: Statement;
  /** Its tokens, without the semicolon, and one of type `end`. */
  readonly tokens: readonly Token[];
}

export type Parsed =
  | { readonly ok: true; readonly statements: readonly ParsedStatement[] }
  | { readonly ok: false; readonly reason: string /** 1-based character of the text. */; readonly position?: number };

/** Parses a text, whose statements are separated by semicolons; empty ones are left out. Never throws. */
export function parse(text: string, mode: LexMode): Parsed {
  const tokens = lex(text, mode);
  if (!Array.isArray(tokens)) return { ok: false, reason: tokens.reason, position: tokens.at + 1 };
  const c = new Cursor(tokens, mode);
  const statements: ParsedStatement[] = [];
  try {
    for (;;) {
      while (c.takeOperator(';'));
      if (c.peek(0).type === 'end') return { ok: true, statements };
      const first = c.at;
      const { start } = c.token;
      const parsed = statement(c);
      if (c.token.type !== 'end' && !c.isOperator(';')) c.fail('the end of the statement is expected');
      const { end } = c;
      const own = [...tokens.slice(first, c.at), { type: 'end', start: end, end, lower: '', value: '' } as const];
      statements.push({ start, end, statement: parsed, tokens: own });
    }
  } catch (error) {
    if (error instanceof NotParsed) return { ok: false, reason: error.message, position: error.at + 1 };
    if (error instanceof RangeError) return { ok: false, reason: 'the statement is nested too deeply' };
    throw error;
  }
}

const CHANGES: ReadonlySet<string> = new Set(['insert', 'replace', 'update', 'delete']);

function statement(c: Cursor): Statement {
  if (startsQuery(c)) return withStatement(c);
  if (c.token.type !== 'word') c.fail('a statement is expected');
  switch (c.token.lower) {
    case 'insert':
    case 'replace':
      return insert(c);
    case 'update':
      return update(c, null, c.token.start);
    case 'delete':
      return remove(c, null, c.token.start);
    case 'explain':
    case 'describe':
    case 'desc':
    case 'analyze':
      return explain(c);
    case 'create':
      return create(c);
    case 'do':
      return doStatement(c);
    case 'set':
      return set(c);
    case 'call':
      return call(c);
    default:
      return other(c);
  }
}

/** A query, or WITH before UPDATE or DELETE. */
function withStatement(c: Cursor): Statement {
  if (!c.isWord('with')) return query(c);
  const mark = c.at;
  const { start } = c.token;
  const ctes = withClause(c);
  if (c.isWord('update')) return update(c, ctes, start);
  if (c.isWord('delete')) return remove(c, ctes, start);
  c.at = mark;
  return query(c);
}

/** EXPLAIN and its kin before a statement; before anything else (a table, a connection) it is a statement of its own kind. */
function explain(c: Cursor): Statement {
  const mark = c.at;
  const { start, lower } = c.next();
  let analyze = lower === 'analyze';
  if (analyze && c.isWord('table')) {
    c.at = mark;
    return other(c);
  }
  for (;;) {
    if (c.isWord('analyze')) {
      analyze = true;
      c.at++;
    } else if (c.isWord('extended') || c.isWord('partitions')) {
      if (!c.isWord('select', 1) && !c.isOneOf(CHANGES, 1)) break;
      c.at++;
    } else if (c.isWord('format') && c.isOperator('=', 1) && c.peek(2).type !== 'operator') c.at += 3;
    else break;
  }
  if (startsQuery(c) || c.isOneOf(CHANGES)) {
    const inner = statement(c);
    return { kind: 'explain', analyze, statement: inner, start, end: c.end };
  }
  c.at = mark;
  return other(c);
}

function create(c: Cursor): Statement {
  const mark = c.at;
  const { start } = c.next();
  const replace = c.takeWords('or', 'replace');
  const temporary = c.takeWord('temporary');
  if (c.takeWord('table')) return createTable(c, start, replace, temporary);
  if (!temporary) {
    while (c.token.type !== 'end' && !c.isOperator(';') && !c.isWord('view') && VIEW_WORDS.has(viewWord(c))) c.at++;
    if (c.takeWord('view')) return createView(c, start, replace);
  }
  c.at = mark;
  return other(c);
}

/** What stands between CREATE and VIEW: ALGORITHM, DEFINER = user, SQL SECURITY. */
const VIEW_WORDS: ReadonlySet<string> = new Set([
  'algorithm',
  'definer',
  'sql',
  'security',
  'undefined',
  'merge',
  'temptable',
  'invoker',
  '=',
  'current_user',
  '(',
  ')',
  'name',
]);

function viewWord(c: Cursor): string {
  const { type, lower } = c.token;
  if (type === 'quoted' || type === 'variable' || type === 'string') return 'name';
  const before = c.tokens[c.at - 1];
  return before?.lower === '=' && type === 'word' ? 'name' : lower;
}

function createTable(c: Cursor, start: number, replace: boolean, temporary: boolean): Statement {
  c.takeWords('if', 'not', 'exists');
  const table = c.qualified();
  const node = (
    parts: { like?: ReturnType<Cursor['qualified']>; definition?: boolean; query?: ReturnType<typeof query> },
    from: number,
    to: number,
  ): Statement => ({
    kind: 'create-table',
    temporary,
    replace,
    table,
    like: parts.like ?? null,
    definition: parts.definition === true ? { start: from, end: to } : null,
    query: parts.query ?? null,
    start,
    end: c.end,
  });
  if (c.takeWord('like')) return node({ like: c.qualified() }, 0, 0);
  if (c.isOperator('(') && c.isWord('like', 1)) {
    c.at += 2;
    const like = c.qualified();
    c.expectOperator(')');
    return node({ like }, 0, 0);
  }
  const from = c.token.start;
  const first = c.at;
  if (c.isOperator('(') && !startsQuery(c)) c.skipParentheses();
  while (c.token.type !== 'end' && !c.isOperator(';') && !startsTableQuery(c)) {
    if (c.isOperator('(')) c.skipParentheses();
    else c.at++;
  }
  const to = c.end;
  const definition = c.at > first;
  if (c.token.type === 'end' || c.isOperator(';')) return node({ definition }, from, to);
  c.takeWord('ignore') || c.takeWord('replace');
  c.takeWord('as');
  return node({ definition, query: query(c) }, from, to);
}

function startsTableQuery(c: Cursor): boolean {
  let n = 0;
  if (c.isWord('ignore') || c.isWord('replace')) n = 1;
  if (c.isWord('as', n)) return true;
  // WITH SYSTEM VERSIONING and WITH PARSER are options.
  return (
    startsQuery(c, n) &&
    !(c.isWord('with', n) && !c.isWord('as', n + 2) && !c.isOperator('(', n + 2) && !c.isWord('recursive', n + 1)) &&
    !c.isWord('table', n)
  );
}

function createView(c: Cursor, start: number, replace: boolean): Statement {
  c.takeWords('if', 'not', 'exists');
  const view = c.qualified();
  const columns = c.isOperator('(') ? c.inParentheses(() => c.name()) : null;
  c.expectWord('as');
  const inner = query(c);
  if (c.takeWord('with')) {
    if (!c.takeWord('cascaded')) c.takeWord('local');
    c.expectWord('check');
    c.expectWord('option');
  }
  return { kind: 'create-view', replace, view, columns, query: inner, start, end: c.end };
}

function doStatement(c: Cursor): Statement {
  const { start } = c.next();
  const values = c.list(() => expression(c));
  return { kind: 'do', values, start, end: c.end };
}

function call(c: Cursor): Statement {
  const { start } = c.next();
  const routine = c.qualified();
  const args = c.takeOperator('(') ? (c.isOperator(')') ? [] : c.list(() => expression(c))) : null;
  if (args !== null) c.expectOperator(')');
  return { kind: 'call', routine, args: args ?? [], start, end: c.end };
}

/** SETs that are statements of their own kinds. */
const NOT_VARIABLES: ReadonlySet<string> = new Set([
  'transaction',
  'password',
  'role',
  'default',
  'resource',
  'statement',
]);
const SCOPES: ReadonlySet<string> = new Set(['global', 'session', 'local', 'persist', 'persist_only']);

function set(c: Cursor): Statement {
  const scoped = c.isOneOf(SCOPES, 1) ? 2 : 1;
  const assigned = c.isOperator('=', scoped + 1) || c.isOperator(':=', scoped + 1);
  if (c.isWord('password', scoped) || (c.isOneOf(NOT_VARIABLES, scoped) && !assigned)) return other(c);
  const { start } = c.next();
  const settings = c.list(() => setItem(c));
  return { kind: 'set', settings, start, end: c.end };
}

function setItem(c: Cursor): SetItem {
  const { token } = c;
  const { start } = token;
  if (token.type === 'variable') {
    c.at++;
    return { scope: 'user', name: token.value, value: assigned(c), start, end: c.end };
  }
  if (token.type === 'system-variable') {
    const { scope, name } = systemVariable(c);
    return { scope: scopeOf(scope), name, value: assigned(c), start, end: c.end };
  }
  if (c.takeWord('names')) return named(c, 'names', start);
  if (c.takeWord('charset') || c.takeWords('character', 'set') || c.takeWords('char', 'set')) {
    return named(c, 'character set', start);
  }
  const scope = c.isOneOf(SCOPES) && !c.isOperator('=', 1) && !c.isOperator(':=', 1) ? c.next().lower : null;
  let name = c.nameBehindDot();
  while (c.takeOperator('.')) name += `.${c.nameBehindDot()}`;
  return { scope: scopeOf(scope), name: name.toLowerCase(), value: assigned(c), start, end: c.end };
}

function scopeOf(scope: string | null): SetItem['scope'] {
  return scope === 'global' || scope === 'persist' || scope === 'persist_only' ? scope : 'session';
}

function assigned(c: Cursor): SetItem['value'] {
  if (!c.takeOperator('=') && !c.takeOperator(':=')) c.fail('= is expected');
  if (c.isWord('default') && !c.isOperator('(', 1)) {
    c.at++;
    return null;
  }
  const { token } = c;
  if (token.type === 'word' && endsValue(c, 1)) {
    c.at++;
    const type =
      token.lower === 'true' || token.lower === 'false' ? 'boolean' : token.lower === 'null' ? 'null' : 'string';
    return { kind: 'literal', type, value: token.value, charset: null, start: token.start, end: token.end };
  }
  return expression(c);
}

function endsValue(c: Cursor, n: number): boolean {
  return c.peek(n).type === 'end' || c.isOperator(',', n) || c.isOperator(';', n);
}

function collation(c: Cursor): void {
  if (c.token.type === 'string') c.at++;
  else if (!c.takeWord('default') && !c.takeWord('binary')) c.name();
}

/** NAMES utf8mb4 COLLATE c; the collation is left out. */
function named(c: Cursor, name: string, start: number): SetItem {
  const token = c.next();
  if (token.type !== 'word' && token.type !== 'string' && token.type !== 'quoted')
    c.fail('a character set is expected');
  if (c.takeWord('collate')) collation(c);
  const { value } = token;
  const literal = {
    kind: 'literal',
    type: 'string',
    value,
    charset: null,
    start: token.start,
    end: token.end,
  } as const;
  return { scope: 'session', name, value: token.lower === 'default' ? null : literal, start, end: c.end };
}

/** Statements whose bodies hold semicolons: the rest of the text is theirs. */
const COMPOUND: ReadonlySet<string> = new Set(['if', 'loop', 'while', 'repeat', 'for', 'case', 'declare']);
const WITH_BODY: ReadonlySet<string> = new Set(['procedure', 'function', 'trigger', 'event', 'package', 'library']);

function other(c: Cursor): Statement {
  const { start } = c.token;
  const body =
    c.isOneOf(COMPOUND) ||
    (c.isWord('begin') && c.isWord('not', 1)) ||
    ((c.isWord('create') || c.isWord('alter')) && WITH_BODY.has(made(c)));
  while (c.token.type !== 'end' && (body || !c.isOperator(';'))) c.at++;
  return { kind: 'other', start, end: c.end };
}

/** What CREATE or ALTER, which stands at the cursor, is about: the first word that is not one between them or a definer's name. */
function made(c: Cursor): string {
  for (let n = 1; ; n++) {
    const { type, lower } = c.peek(n);
    if (type === 'end' || lower === ';') return '';
    if (type === 'word' && !MAKING.has(lower) && !c.isOperator('=', n - 1)) return lower;
  }
}
