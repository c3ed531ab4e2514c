// Expressions, by climbing precedences ("Operator Precedence" of both manuals). What an operator is bound to bears on the
// result alone, not on what a value is computed from; so where the two servers bind differently, one way is taken.
import type { Call, ColumnName, Expression, Limit, Literal, OrderItem, Span, Window } from '../ast.ts';
import type { Cursor } from './cursor.ts';
import { query, startsQuery } from './queries.ts';
import { CALLABLE, CHARSETS, CONSTANT_CALLS, TIGHT_CALLS, UNITS } from './words.ts';

export function expression(c: Cursor): Expression {
  return c.deeper(() => {
    const { token } = c;
    if (token.type === 'variable' && c.isOperator(':=', 1)) {
      c.at += 2;
      const value = expression(c);
      return { kind: 'assignment', variable: token.value, value, start: token.start, end: c.end };
    }
    return or(c);
  });
}

function operator(c: Cursor, name: string, start: number, ...operands: Expression[]): Expression {
  return { kind: 'operator', name, operands, start, end: c.end };
}

function or(c: Cursor): Expression {
  let left = xor(c);
  for (;;) {
    if (!c.takeWord('or') && !(!c.mode.pipesAsConcat && c.takeOperator('||'))) return left;
    left = operator(c, 'or', left.start, left, xor(c));
  }
}

function xor(c: Cursor): Expression {
  let left = and(c);
  while (c.takeWord('xor')) left = operator(c, 'xor', left.start, left, and(c));
  return left;
}

function and(c: Cursor): Expression {
  let left = not(c);
  while (c.takeWord('and') || c.takeOperator('&&')) left = operator(c, 'and', left.start, left, not(c));
  return left;
}

function not(c: Cursor): Expression {
  const { start } = c.token;
  if (!c.isWord('not') || c.mode.highNotPrecedence) return comparison(c);
  c.at++;
  return c.deeper(() => operator(c, 'not', start, not(c)));
}

const COMPARISONS: ReadonlySet<string> = new Set(['=', '<=>', '>=', '>', '<=', '<', '<>', '!=']);

function comparison(c: Cursor): Expression {
  let left = predicate(c);
  for (;;) {
    const { token } = c;
    if (token.type === 'operator' && COMPARISONS.has(token.lower)) {
      c.at++;
      left = quantified(c, token.lower, left) ?? operator(c, token.lower, left.start, left, predicate(c));
    } else if (c.isWord('is')) {
      c.at++;
      const negated = c.takeWord('not') ? 'is not' : 'is';
      const what = c.next();
      if (what.type !== 'word' || !IS.has(what.lower)) c.fail('NULL, TRUE, FALSE or UNKNOWN is expected');
      left = operator(c, `${negated} ${what.lower}`, left.start, left);
    } else {
      return left;
    }
  }
}

const IS: ReadonlySet<string> = new Set(['null', 'true', 'false', 'unknown', 'json']);

function quantified(c: Cursor, name: string, operand: Expression): Expression | null {
  const all = c.isWord('all');
  if (!all && !c.isWord('any') && !c.isWord('some')) return null;
  if (!c.isOperator('(', 1)) return null;
  c.at += 2;
  const inner = query(c);
  c.expectOperator(')');
  return {
    kind: 'quantified',
    operator: name,
    quantifier: all ? 'all' : 'any',
    operand,
    query: inner,
    start: operand.start,
    end: c.end,
  };
}

function predicate(c: Cursor): Expression {
  let left = bits(c);
  for (;;) {
    const start = c.at;
    const no = c.takeWord('not') ? 'not ' : '';
    if (c.takeWord('in')) {
      left = operator(c, `${no}in`, left.start, left, inList(c));
    } else if (c.takeWord('between')) {
      const low = c.mode.mariadb ? predicate(c) : bits(c);
      c.expectWord('and');
      left = operator(c, `${no}between`, left.start, left, low, predicate(c));
    } else if (c.takeWord('like')) {
      const pattern = bits(c);
      left = c.takeWord('escape')
        ? operator(c, `${no}like`, left.start, left, pattern, bits(c))
        : operator(c, `${no}like`, left.start, left, pattern);
    } else if (c.takeWord('regexp') || c.takeWord('rlike')) {
      left = operator(c, `${no}regexp`, left.start, left, bits(c));
    } else if (no === '' && c.takeWords('sounds', 'like')) {
      left = operator(c, 'sounds like', left.start, left, bits(c));
    } else if (no === '' && c.isWord('member') && (c.isWord('of', 1) || c.isOperator('(', 1))) {
      c.at++;
      c.takeWord('of');
      c.expectOperator('(');
      const array = expression(c);
      c.expectOperator(')');
      left = operator(c, 'member of', left.start, left, array);
    } else {
      c.at = start;
      return left;
    }
  }
}

function inList(c: Cursor): Expression {
  const { start } = c.token;
  // MariaDB takes IN UNNEST and a bare variable no more than MySQL does: what stands here is in parentheses.
  c.expectOperator('(');
  if (startsQuery(c, 0, true)) {
    return closed(c, { kind: 'subquery', query: query(c), start, end: 0 });
  }
  const items = c.list(() => expression(c));
  c.expectOperator(')');
  return { kind: 'row', items, start, end: c.end };
}

/** Lowest first; each level binds to the left. */
const LEVELS: readonly ReadonlySet<string>[] = [
  new Set(['|']),
  new Set(['&']),
  new Set(['<<', '>>']),
  new Set(['+', '-']),
  new Set(['*', '/', '%', 'div', 'mod']),
  new Set(['^']),
];
const ADDITION = 3;

function bits(c: Cursor, level = 0): Expression {
  const operators = LEVELS[level];
  if (operators === undefined) return concatenation(c);
  let left = bits(c, level + 1);
  for (;;) {
    const { token } = c;
    if ((token.type !== 'operator' && token.type !== 'word') || !operators.has(token.lower)) return left;
    c.at++;
    left = operator(c, token.lower, left.start, left, bits(c, level === ADDITION ? ADDITION + 1 : level + 1));
  }
}

function concatenation(c: Cursor): Expression {
  let left = unary(c);
  while (c.mode.pipesAsConcat && c.takeOperator('||')) left = operator(c, '||', left.start, left, unary(c));
  return left;
}

const SIGNS: ReadonlySet<string> = new Set(['-', '+', '~', '!']);

function unary(c: Cursor): Expression {
  const { token } = c;
  if (token.type === 'operator' && SIGNS.has(token.lower)) {
    c.at++;
    return c.deeper(() => operator(c, token.lower, token.start, unary(c)));
  }
  if (c.isWord('not') && c.mode.highNotPrecedence) {
    c.at++;
    return c.deeper(() => operator(c, 'not', token.start, unary(c)));
  }
  if (c.isWord('binary') && !c.isOperator('(', 1)) {
    c.at++;
    return c.deeper(() => cast(c, token.start, unary(c), 'binary'));
  }
  return collated(c);
}

function cast(c: Cursor, start: number, operand: Expression, type: string, array = false): Expression {
  return { kind: 'cast', operand, type, array, start, end: c.end };
}

function collated(c: Cursor): Expression {
  let value = primary(c);
  for (;;) {
    if (c.takeWord('collate')) {
      const token = c.next();
      if (token.type !== 'word' && token.type !== 'string' && token.type !== 'quoted')
        c.fail('a collation is expected');
      value = { kind: 'collate', operand: value, collation: token.value, start: value.start, end: c.end };
    } else if (value.kind === 'column' && (c.isOperator('->') || c.isOperator('->>'))) {
      const { lower } = c.next();
      const path = literal(c);
      value = operator(c, lower, value.start, value, path);
    } else {
      return value;
    }
  }
}

function literal(c: Cursor): Literal {
  const { token } = c;
  if (token.type !== 'string') c.fail('a string is expected');
  return strings(c, null);
}

/** A string, and those right behind it, which it is joined with. */
function strings(c: Cursor, charset: string | null): Literal {
  const { start } = c.token;
  let value = c.next().value;
  while (c.token.type === 'string') value += c.next().value;
  return { kind: 'literal', type: 'string', value, charset, start, end: c.end };
}

function plain(c: Cursor, type: Literal['type']): Literal {
  const { start, end, value } = c.next();
  return { kind: 'literal', type, value, charset: null, start, end };
}

function primary(c: Cursor): Expression {
  const { token } = c;
  switch (token.type) {
    case 'number':
      return plain(c, 'number');
    case 'bytes':
      return plain(c, 'bytes');
    case 'string':
      return strings(c, null);
    case 'parameter':
      c.at++;
      return { kind: 'parameter', start: token.start, end: token.end };
    case 'variable':
      c.at++;
      return { kind: 'user-variable', name: token.value, start: token.start, end: token.end };
    case 'system-variable':
      return systemVariable(c);
    case 'quoted':
      return nameOrCall(c);
    case 'word':
      return word(c);
    case 'operator':
      if (token.lower === '(') return parenthesised(c);
      if (token.lower === '.') return columnBehindDot(c);
      if (token.lower === '{') return odbc(c);
  }
  return c.fail('a value is expected');
}

/** `@@name`, `@@session.name`, `@@hot.key_buffer_size`. */
export function systemVariable(c: Cursor): Expression & { readonly kind: 'system-variable' } {
  const { start } = c.next();
  let scope: string | null = null;
  let name = c.nameBehindDot();
  if (c.isOperator('.') && SCOPES.has(name.toLowerCase())) {
    c.at++;
    scope = name.toLowerCase();
    name = c.nameBehindDot();
  }
  while (c.takeOperator('.')) name += `.${c.nameBehindDot()}`;
  return { kind: 'system-variable', scope, name: name.toLowerCase(), start, end: c.end };
}

const SCOPES: ReadonlySet<string> = new Set(['global', 'session', 'local', 'persist', 'persist_only']);

/** `(1)`, `(1, 2)`, `(SELECT …)`. */
function parenthesised(c: Cursor): Expression {
  const { start } = c.next();
  if (startsQuery(c, 0, true)) {
    return closed(c, { kind: 'subquery', query: query(c), start, end: 0 });
  }
  const items = c.list(() => expression(c));
  c.expectOperator(')');
  const [only] = items;
  if (items.length === 1 && only !== undefined) return only;
  return { kind: 'row', items, start, end: c.end };
}

/** `.t.c`: an old way to write `t.c`. */
function columnBehindDot(c: Cursor): Expression {
  const { start } = c.next();
  const table = c.nameBehindDot();
  c.expectOperator('.');
  return { kind: 'column', schema: null, table, name: c.nameBehindDot(), start, end: c.end };
}

/** ODBC's `{d '2020-01-01'}`, `{fn now()}`: the word in front says nothing to the servers but for d, t and ts. */
function odbc(c: Cursor): Expression {
  const { start } = c.next();
  const kind = c.name().toLowerCase();
  const value = expression(c);
  c.expectOperator('}');
  if (value.kind === 'literal' && (kind === 'd' || kind === 't' || kind === 'ts')) {
    return { ...value, type: 'temporal', start, end: c.end };
  }
  return { ...value, start, end: c.end };
}

function word(c: Cursor): Expression {
  const { token } = c;
  const { lower } = token;
  switch (lower) {
    case 'null':
      return plain(c, 'null');
    case 'true':
    case 'false':
      return plain(c, 'boolean');
    case 'case':
      return caseOf(c);
    case 'exists':
      c.at++;
      c.expectOperator('(');
      return closed(c, { kind: 'exists', query: query(c), start: token.start, end: 0 });
    case 'interval':
      return interval(c);
    case 'default':
      return defaultOf(c);
    case 'row':
      if (!c.isOperator('(', 1)) break;
      c.at++;
      return { kind: 'row', items: c.inParentheses(() => expression(c)), start: token.start, end: c.end };
    case 'match':
      return match(c);
    case 'date':
    case 'time':
    case 'timestamp':
      if (c.peek().type === 'string') {
        c.at++;
        return { ...strings(c, null), type: 'temporal', start: token.start };
      }
      break;
    case 'cast':
      if (isTightCall(c)) return castCall(c);
      break;
    case 'convert':
      if (c.isOperator('(', 1)) return convert(c);
      break;
    case 'binary':
      if (c.isOperator('(', 1)) {
        c.at++;
        return cast(c, token.start, primary(c), 'binary');
      }
      break;
    case 'values':
    case 'value':
      if (c.isOperator('(', 1)) return inserted(c);
      break;
    case 'next':
    case 'previous':
      if (c.isWord('value', 1) && c.isWord('for', 2)) {
        c.at += 3;
        return { kind: 'sequence', action: lower, sequence: c.qualified(), start: token.start, end: c.end };
      }
      break;
    case 'nextval':
    case 'lastval':
    case 'setval':
      if (c.mode.mariadb && c.isOperator('(', 1)) return sequenceCall(c);
      break;
  }
  if (token.value.startsWith('_') && CHARSETS.has(lower.slice(1))) {
    const type = c.peek().type;
    if (type === 'string' || type === 'bytes') {
      c.at++;
      const charset = lower.slice(1);
      return type === 'string' ? { ...strings(c, charset), start: token.start } : { ...plain(c, 'bytes'), charset };
    }
  }
  return nameOrCall(c);
}

/** Closes the parenthesis behind a node. */
function closed<T extends Span>(c: Cursor, node: T): T {
  c.expectOperator(')');
  return { ...node, end: c.end };
}

function caseOf(c: Cursor): Expression {
  const { start } = c.next();
  const operand = c.isWord('when') ? null : expression(c);
  const whens = [];
  while (c.takeWord('when')) {
    const when = expression(c);
    c.expectWord('then');
    whens.push({ when, then: expression(c) });
  }
  if (whens.length === 0) c.fail('WHEN is expected');
  const otherwise = c.takeWord('else') ? expression(c) : null;
  c.expectWord('end');
  return { kind: 'case', operand, whens, otherwise, start, end: c.end };
}

/** INTERVAL 1 DAY, or the function INTERVAL(n, …). */
function interval(c: Cursor): Expression {
  const { start } = c.next();
  if (c.isOperator('(') && hasComma(c)) {
    const args = c.inParentheses(() => expression(c));
    return { ...NO_CALL, name: 'interval', args, start, end: c.end };
  }
  const value = expression(c);
  return { kind: 'interval', value, unit: unit(c), start, end: c.end };
}

/** Does the group in parentheses at the cursor have more than one part? Looked at ahead: to parse it twice a level takes for ever. */
function hasComma(c: Cursor): boolean {
  let depth = 0;
  for (let n = 0; ; n++) {
    const { type, lower } = c.peek(n);
    if (type === 'end') return false;
    if (type !== 'operator') {
      if (depth === 1 && n === 1 && type === 'word' && (lower === 'select' || lower === 'with')) return false;
    } else if (lower === '(') depth++;
    else if (lower === ')' && --depth === 0) return false;
    else if (lower === ',' && depth === 1) return true;
  }
}

function unit(c: Cursor): string {
  if (!c.isOneOf(UNITS)) c.fail('a unit of time is expected');
  return c.next().lower;
}

function defaultOf(c: Cursor): Expression {
  const { start } = c.next();
  if (!c.takeOperator('(')) return { kind: 'default', column: null, start, end: c.end };
  return closed(c, { kind: 'default', column: columnName(c), start, end: 0 });
}

function inserted(c: Cursor): Expression {
  const { start } = c.next();
  c.expectOperator('(');
  return closed(c, { kind: 'inserted', column: columnName(c), start, end: 0 });
}

export function columnName(c: Cursor): ColumnName {
  const { start } = c.token;
  const names = [c.isOperator('.') ? '' : c.name()];
  while (c.takeOperator('.')) names.push(c.nameBehindDot());
  return columnOf(
    c,
    names.filter((name) => name !== ''),
    start,
  );
}

function columnOf(c: Cursor, names: readonly string[], start: number): ColumnName {
  const [name, table, schema] = [...names].reverse();
  if (name === undefined || names.length > 3) c.fail('a column is expected');
  return { kind: 'column', schema: schema ?? null, table: table ?? null, name, start, end: c.end };
}

function match(c: Cursor): Expression {
  const { start } = c.next();
  const columns = c.isOperator('(') ? c.inParentheses(() => columnName(c)) : c.list(() => columnName(c));
  c.expectWord('against');
  c.expectOperator('(');
  const against = bits(c);
  c.takeWords('in', 'natural', 'language', 'mode');
  c.takeWords('in', 'boolean', 'mode');
  c.takeWords('with', 'query', 'expansion');
  return closed(c, { kind: 'match', columns, against, start, end: 0 });
}

function castCall(c: Cursor): Expression {
  const { start } = c.next();
  c.expectOperator('(');
  const operand = expression(c);
  if (c.takeWords('at', 'time', 'zone')) {
    c.takeWord('interval');
    c.string();
  }
  c.expectWord('as');
  const { type, array } = typeName(c);
  c.expectOperator(')');
  return cast(c, start, operand, type, array);
}

/** The words of a type up to the parenthesis that closes the cast. */
export function typeName(c: Cursor): { type: string; array: boolean } {
  const words: string[] = [];
  let depth = 0;
  while (depth > 0 || !c.isOperator(')')) {
    const token = c.next();
    if (token.type === 'end') c.fail(') is expected');
    if (token.type !== 'word' && token.type !== 'number' && token.type !== 'string' && token.type !== 'operator') {
      c.fail('a type is expected');
    }
    if (token.lower === '(') depth++;
    if (token.lower === ')') depth--;
    words.push(token.lower === '' ? token.value : token.lower);
  }
  if (words.length === 0) c.fail('a type is expected');
  const array = words.at(-1) === 'array';
  return { type: words.slice(0, array ? -1 : undefined).join(' '), array };
}

function convert(c: Cursor): Expression {
  const { start } = c.next();
  c.expectOperator('(');
  const operand = expression(c);
  if (c.takeWord('using')) {
    const charset = c.next().value.toLowerCase();
    c.expectOperator(')');
    return cast(c, start, operand, charset);
  }
  c.expectOperator(',');
  const { type } = typeName(c);
  c.expectOperator(')');
  return cast(c, start, operand, type);
}

function sequenceCall(c: Cursor): Expression {
  const { lower, start } = c.next();
  c.expectOperator('(');
  const sequence = c.qualified();
  while (c.takeOperator(',')) expression(c);
  c.expectOperator(')');
  const action = lower === 'nextval' ? 'next' : lower === 'lastval' ? 'previous' : 'set';
  return { kind: 'sequence', action, sequence, start, end: c.end };
}

// --- Names and calls -----------------------------------------------------------------------------------------------------

const NO_CALL = {
  kind: 'call',
  schema: null,
  args: [] as readonly Expression[],
  star: false,
  distinct: false,
  orderBy: [] as readonly OrderItem[],
  limit: null,
  over: null,
  quoted: false,
} as const;

/** `(` stands right behind the word, or IGNORE_SPACE is on. */
function isTightCall(c: Cursor): boolean {
  const paren = c.peek();
  return c.isOperator('(', 1) && (c.mode.ignoreSpace || paren.start === c.token.end);
}

function nameOrCall(c: Cursor): Expression {
  const { token } = c;
  const reserved = token.type === 'word' && c.reserved.has(token.lower);
  if (c.isOperator('(', 1)) {
    if (token.type === 'quoted') return call(c, null, c.next().value, true, token.start);
    if (!reserved || CALLABLE.has(token.lower)) {
      // Behind a space these are not the built-in ones.
      const made = TIGHT_CALLS.has(token.lower) && !isTightCall(c);
      c.at++;
      return call(c, null, token.lower, made, token.start);
    }
  }
  if (token.type === 'word' && CONSTANT_CALLS.has(token.lower)) {
    c.at++;
    return { ...NO_CALL, name: token.lower, start: token.start, end: token.end };
  }
  if (reserved) c.fail('a value is expected');
  const names = [c.next().value];
  while (names.length < 3 && c.isOperator('.') && !c.isOperator('*', 1)) {
    c.at++;
    names.push(c.nameBehindDot());
  }
  const [first, second] = names;
  if (c.isOperator('(') && names.length === 2 && first !== undefined && second !== undefined) {
    return call(c, first, second, true, token.start);
  }
  return columnOf(c, names, token.start);
}

/** The name has been taken; `quoted` where it cannot be a built-in form. */
function call(c: Cursor, schema: string | null, name: string, quoted: boolean, start: number): Expression {
  const lower = name.toLowerCase();
  const special = quoted ? undefined : SPECIAL.get(lower);
  c.expectOperator('(');
  const found: Partial<Call> = special === undefined ? plainArguments(c) : special(c);
  c.expectOperator(')');
  const over = windowed(c);
  return { ...NO_CALL, ...found, schema, name: lower, over, quoted, start, end: c.end };
}

function plainArguments(c: Cursor): Partial<Call> {
  if (c.isOperator(')')) return {};
  if (c.isOperator('*') && c.isOperator(')', 1)) {
    c.at++;
    return { star: true };
  }
  const distinct = c.takeWord('distinct') || (c.takeWord('all') && false);
  const args = c.list(() => {
    const value = expression(c);
    // Names for the arguments of loadable functions, types for those of dynamic columns: UDF(x AS name), COLUMN_GET(x, 'n' AS INT).
    if (c.takeWord('as')) {
      c.next();
      words(c);
      if (c.isOperator('(')) c.skipParentheses();
      words(c);
    }
    return value;
  });
  const orderBy = c.takeWords('order', 'by') ? c.list(() => orderItem(c)) : [];
  const limit = c.isWord('limit') ? limitOf(c) : null;
  return { args, distinct, orderBy, limit };
}

function words(c: Cursor): void {
  while (c.token.type === 'word') c.at++;
}

/** Calls with keywords inside. */
const SPECIAL: ReadonlyMap<string, (c: Cursor) => Partial<Call>> = new Map(
  Object.entries({
    extract: (c) => {
      unit(c);
      c.expectWord('from');
      return { args: [expression(c)] };
    },
    timestampadd: withUnit,
    timestampdiff: withUnit,
    get_format: (c) => {
      c.next();
      c.expectOperator(',');
      return { args: [expression(c)] };
    },
    trim: (c) => {
      if (c.takeWord('leading') || c.takeWord('trailing') || c.takeWord('both')) {
        const args = c.isWord('from') ? [] : [expression(c)];
        c.expectWord('from');
        return { args: [...args, expression(c)] };
      }
      const first = expression(c);
      return { args: c.takeWord('from') ? [first, expression(c)] : [first] };
    },
    position: (c) => {
      const first = bits(c);
      c.expectWord('in');
      return { args: [first, expression(c)] };
    },
    substring,
    substr: substring,
    mid: substring,
    group_concat: (c) => {
      const distinct = c.takeWord('distinct');
      const args = c.list(() => expression(c));
      const orderBy = c.takeWords('order', 'by') ? c.list(() => orderItem(c)) : [];
      if (c.takeWord('separator')) c.next();
      const limit = c.isWord('limit') ? limitOf(c) : null;
      return { distinct, args, orderBy, limit };
    },
    char: (c) => {
      const args = c.list(() => expression(c));
      if (c.takeWord('using')) c.next();
      return { args };
    },
    weight_string: (c) => {
      const args = [expression(c)];
      while (!c.isOperator(')')) {
        if (c.isOperator('(')) c.skipParentheses();
        else if (c.next().type === 'end') c.fail(') is expected');
      }
      return { args };
    },
    json_value: (c) => {
      const args = c.list(() => expression(c));
      if (c.takeWord('returning')) {
        while (!c.isOperator(')') && !c.isWord('null') && !c.isWord('error') && !c.isWord('default')) {
          if (c.isOperator('(')) c.skipParentheses();
          else if (c.next().type === 'end') c.fail(') is expected');
        }
      }
      while (!c.isOperator(')')) {
        if (c.takeWord('default')) args.push(expression(c));
        else if (!c.takeWord('null') && !c.takeWord('error')) c.fail('ON EMPTY or ON ERROR is expected');
        c.expectWord('on');
        if (!c.takeWord('empty') && !c.takeWord('error')) c.fail('EMPTY or ERROR is expected');
      }
      return { args };
    },
  }),
);

function withUnit(c: Cursor): Partial<Call> {
  unit(c);
  c.expectOperator(',');
  return { args: c.list(() => expression(c)) };
}

function substring(c: Cursor): Partial<Call> {
  const args = [expression(c)];
  if (!c.takeWord('from')) {
    while (c.takeOperator(',')) args.push(expression(c));
    return { args };
  }
  args.push(expression(c));
  if (c.takeWord('for')) args.push(expression(c));
  return { args };
}

// --- Windows, orders, limits ----------------------------------------------------------------------------------------------

function windowed(c: Cursor): Window | string | null {
  if (c.takeWords('within', 'group')) {
    c.expectOperator('(');
    c.expectWord('order');
    c.expectWord('by');
    const orderBy = c.list(() => orderItem(c));
    c.expectOperator(')');
    const over = windowed(c);
    return { ...(typeof over === 'object' && over !== null ? over : NO_WINDOW), orderBy };
  }
  if (c.takeWords('from', 'first') || c.takeWords('from', 'last')) {
    // NTH_VALUE … FROM FIRST
  }
  if (c.isWord('respect') || c.isWord('ignore')) {
    if (c.isWord('nulls', 1)) c.at += 2;
  }
  if (!c.takeWord('over')) return null;
  if (!c.isOperator('(')) return c.name();
  return window(c);
}

const NO_WINDOW: Window = { base: null, partitionBy: [], orderBy: [], frame: [] };

export function window(c: Cursor): Window {
  c.expectOperator('(');
  const base = c.isName() && !c.isWord('partition') && !FRAMES.has(c.token.lower) ? c.name() : null;
  const partitionBy = c.takeWords('partition', 'by') ? c.list(() => expression(c)) : [];
  const orderBy = c.takeWords('order', 'by') ? c.list(() => orderItem(c)) : [];
  const frame: Expression[] = [];
  if (c.isOneOf(FRAMES)) {
    c.at++;
    if (c.takeWord('between')) {
      bound(c, frame);
      c.expectWord('and');
    }
    bound(c, frame);
    if (c.takeWord('exclude')) while (!c.isOperator(')') && c.token.type === 'word') c.at++;
  }
  c.expectOperator(')');
  return { base, partitionBy, orderBy, frame };
}

const FRAMES: ReadonlySet<string> = new Set(['rows', 'range', 'groups']);

function bound(c: Cursor, frame: Expression[]): void {
  if (c.takeWords('current', 'row')) return;
  if (!c.takeWord('unbounded')) frame.push(bits(c));
  if (!c.takeWord('preceding') && !c.takeWord('following')) c.fail('PRECEDING or FOLLOWING is expected');
}

export function orderItem(c: Cursor): OrderItem {
  const value = expression(c);
  const descending = c.takeWord('desc');
  if (!descending) c.takeWord('asc');
  return { value, descending };
}

export function limitOf(c: Cursor): Limit {
  c.expectWord('limit');
  if (c.takeWords('rows', 'examined')) return { count: null, offset: expression(c) };
  const first = limitValue(c);
  let limit: Limit = { count: first, offset: null };
  if (c.takeOperator(',')) limit = { count: limitValue(c), offset: first };
  else if (c.takeWord('offset')) limit = { count: first, offset: limitValue(c) };
  if (c.takeWords('rows', 'examined')) limitValue(c);
  return limit;
}

/** A number, `?`, or a local variable of a routine. */
function limitValue(c: Cursor): Expression {
  const { type } = c.token;
  if (type !== 'number' && type !== 'parameter' && !c.isName()) c.fail('a number is expected');
  return primary(c);
}
