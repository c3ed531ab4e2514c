// Queries: SELECT, VALUES, TABLE, what combines them, and the tables that they read ("SELECT Statement", "JOIN Clause", "Set
// Operations", "WITH" of both manuals).
import type {
  Expression,
  Into,
  Limit,
  OrderItem,
  Query,
  Select,
  SelectItem,
  TableFactor,
  TableReference,
  With,
} from '../ast.ts';
import type { Cursor } from './cursor.ts';
import { columnName, expression, limitOf, orderItem, window } from './expressions.ts';

const STARTS: ReadonlySet<string> = new Set(['select', 'with', 'values', 'table']);

/** What may follow a query in parentheses that is itself a part of a query. */
const FOLLOWS: ReadonlySet<string> = new Set([
  'union',
  'except',
  'intersect',
  'order',
  'limit',
  'into',
  'for',
  'lock',
  'offset',
  'fetch',
]);

/**
 * Whether a query stands here, in any number of parentheses: `((SELECT 1) UNION …)` is one, `((SELECT 1) + 1)` is not. Behind the
 * outermost parenthesis may stand whatever will, unless the query has to fill one that was opened before (`inside`).
 */
export function startsQuery(c: Cursor, n = 0, inside = false): boolean {
  const outermost = inside ? n : n + 1;
  while (c.isOperator('(', n)) n++;
  if (!c.isOneOf(STARTS, n)) return false;
  if (c.isWord('values', n) && !startsValues(c, n + 1)) return false;
  for (let inner = n - 1; inner >= outermost; inner--) {
    const behind = c.behindParentheses(inner);
    if (
      !(behind.type === 'operator' && behind.lower === ')') &&
      !(behind.type === 'word' && FOLLOWS.has(behind.lower))
    ) {
      return false;
    }
  }
  return true;
}

/** VALUES(column) is a value; VALUES ROW (1), and MariaDB's VALUES (1) with nothing behind it that a value has, are queries. */
function startsValues(c: Cursor, n: number): boolean {
  if (c.isWord('row', n)) return true;
  if (!c.mode.mariadb || !c.isOperator('(', n)) return false;
  const behind = c.behindParentheses(n);
  return (
    behind.type === 'end' ||
    (behind.type === 'operator' && [',', ')', ';'].includes(behind.lower)) ||
    (behind.type === 'word' && FOLLOWS.has(behind.lower))
  );
}

/** A whole query, with all that may stand around it. */
export function query(c: Cursor): Query {
  return c.deeper(() => {
    const { start } = c.token;
    const ctes = c.isWord('with') ? withClause(c) : null;
    const body = setOperation(c);
    const tail = tailOf(c);
    if (ctes === null && isBare(tail)) return body;
    const around = { with: ctes, ...tail, start, end: c.end };
    // A parenthesised query may have an order and a limit of its own: then it is a table that this one reads.
    if (hasParts(body) && !(ctes !== null && body.with === null && isBare(tail)))
      return { ...reading(body), ...around };
    const { into, locks } = body;
    return {
      ...body,
      ...around,
      into: tail.into ?? into,
      locks: tail.locks || locks,
      ...(isBare(tail) ? partsOf(body) : {}),
    };
  });
}

interface Tail {
  readonly orderBy: readonly OrderItem[];
  readonly limit: Limit | null;
  readonly locks: boolean;
  readonly into: Into | null;
}

const partsOf = ({ orderBy, limit, locks, into }: Query): Tail => ({ orderBy, limit, locks, into });

function hasParts(body: Query): boolean {
  return body.with !== null || body.orderBy.length > 0 || body.limit !== null;
}

function isBare({ orderBy, limit, locks, into }: Tail): boolean {
  return orderBy.length === 0 && limit === null && !locks && into === null;
}

const NOTHING = { with: null, orderBy: [], limit: null, locks: false, into: null } as const;

function reading(body: Query): Select {
  const { start, end } = body;
  return {
    kind: 'select',
    ...NOTHING,
    distinct: false,
    items: [{ kind: 'star', schema: null, table: null, start, end }],
    from: [{ kind: 'derived', lateral: false, query: body, alias: null, columns: null, start, end }],
    where: null,
    groupBy: [],
    rollup: false,
    having: null,
    windows: [],
    procedure: null,
    start,
    end,
  };
}

export function withClause(c: Cursor): With {
  c.expectWord('with');
  const recursive = c.takeWord('recursive');
  const tables = c.list(() => {
    const name = c.name();
    const columns = c.isOperator('(') ? c.inParentheses(() => c.name()) : null;
    c.expectWord('as');
    c.expectOperator('(');
    const inner = query(c);
    c.expectOperator(')');
    // MariaDB: CYCLE columns RESTRICT
    if (c.takeWord('cycle')) {
      c.list(() => c.name());
      c.expectWord('restrict');
    }
    return { name, columns, query: inner };
  });
  return { recursive, tables };
}

function setOperation(c: Cursor): Query {
  let left = intersection(c);
  for (;;) {
    const operator = c.isWord('union') ? 'union' : c.isWord('except') ? 'except' : null;
    if (operator === null) return left;
    c.at++;
    left = combined(c, operator, left, intersection);
  }
}

function intersection(c: Cursor): Query {
  let left = simpleQuery(c);
  while (c.takeWord('intersect')) left = combined(c, 'intersect', left, simpleQuery);
  return left;
}

function combined(
  c: Cursor,
  operator: 'union' | 'intersect' | 'except',
  left: Query,
  parse: (c: Cursor) => Query,
): Query {
  const all = c.takeWord('all');
  if (!all) c.takeWord('distinct');
  const right = parse(c);
  return { kind: 'set-operation', ...NOTHING, operator, all, left, right, start: left.start, end: c.end };
}

function simpleQuery(c: Cursor): Query {
  const { start } = c.token;
  if (c.takeOperator('(')) {
    const inner = query(c);
    c.expectOperator(')');
    return inner;
  }
  if (c.takeWord('select')) return select(c, start);
  if (c.takeWord('table')) return { kind: 'table', ...NOTHING, table: c.qualified(), start, end: c.end };
  if (c.takeWord('values')) {
    const rows = c.list(() => {
      c.takeWord('row');
      return values(c);
    });
    return { kind: 'values', ...NOTHING, rows, start, end: c.end };
  }
  return c.fail('a query is expected');
}

/** `(1, DEFAULT, …)`, which may be empty. */
export function values(c: Cursor): Expression[] {
  c.expectOperator('(');
  const items = c.isOperator(')') ? [] : c.list(() => expression(c));
  c.expectOperator(')');
  return items;
}

const MODIFIERS: ReadonlySet<string> = new Set([
  'all',
  'distinct',
  'distinctrow',
  'high_priority',
  'straight_join',
  'sql_small_result',
  'sql_big_result',
  'sql_buffer_result',
  'sql_cache',
  'sql_no_cache',
  'sql_calc_found_rows',
]);
/** Not reserved: they may be columns too. */
const SOFT_MODIFIERS: ReadonlySet<string> = new Set(['sql_buffer_result', 'sql_cache', 'sql_no_cache']);

function select(c: Cursor, start: number): Select {
  let distinct = false;
  while (c.isOneOf(MODIFIERS)) {
    if (SOFT_MODIFIERS.has(c.token.lower) && !startsItem(c, 1)) break;
    const { lower } = c.next();
    distinct ||= lower === 'distinct' || lower === 'distinctrow';
  }
  const items = c.list(() => selectItem(c));
  const early = c.isWord('into') ? intoClause(c) : null;
  const from = c.takeWord('from') ? tables(c) : [];
  const where = c.takeWord('where') ? expression(c) : null;
  const { groupBy, rollup } = grouping(c);
  const having = c.takeWord('having') ? expression(c) : null;
  const windows = c.takeWord('window') ? c.list(() => namedWindow(c)) : [];
  const procedure = c.takeWord('procedure') ? procedureOf(c) : null;
  return {
    kind: 'select',
    ...NOTHING,
    distinct,
    items,
    from,
    where,
    groupBy,
    rollup,
    having,
    windows,
    procedure,
    into: early,
    start,
    end: c.end,
  };
}

/** Whether what stands there could begin a select item, so that the word before it is no item. */
function startsItem(c: Cursor, n: number): boolean {
  const token = c.peek(n);
  return (
    token.type !== 'end' &&
    !(token.type === 'operator' && [',', ')', ';', '.', '='].includes(token.lower)) &&
    !c.isWord('from', n) &&
    !c.isWord('as', n)
  );
}

function namedWindow(c: Cursor) {
  const name = c.name();
  c.expectWord('as');
  return { name, window: window(c) };
}

function procedureOf(c: Cursor): string {
  const name = c.name();
  c.skipParentheses();
  return name;
}

function grouping(c: Cursor): { groupBy: OrderItem[]; rollup: boolean } {
  if (!c.takeWords('group', 'by')) return { groupBy: [], rollup: false };
  if (!c.mode.mariadb && (c.isWord('rollup') || c.isWord('cube')) && c.isOperator('(', 1)) {
    c.at++;
    return { groupBy: c.inParentheses(() => orderItem(c)), rollup: true };
  }
  const groupBy = c.list(() => orderItem(c));
  return { groupBy, rollup: c.takeWords('with', 'rollup') };
}

export function selectItem(c: Cursor): SelectItem {
  const { start } = c.token;
  const star = starOf(c);
  if (star !== null) return star;
  const value = expression(c);
  const alias = aliasOf(c, true);
  return { kind: 'item', value, alias, start, end: c.end };
}

/** `*`, `t.*`, `db.t.*`. */
function starOf(c: Cursor): SelectItem | null {
  const { start } = c.token;
  const node = (schema: string | null, table: string | null, length: number): SelectItem => {
    c.at += length;
    return { kind: 'star', schema, table, start, end: c.end };
  };
  if (c.isOperator('*')) return node(null, null, 1);
  if (!c.isName() || !c.isOperator('.', 1)) return null;
  if (c.isOperator('*', 2)) return node(null, c.token.value, 3);
  if (c.isOperator('.', 3) && c.isOperator('*', 4)) return node(c.token.value, c.peek(2).value, 5);
  return null;
}

/** An alias; of an expression it may be a string. */
function aliasOf(c: Cursor, ofExpression: boolean): string | null {
  const as = c.takeWord('as');
  if (ofExpression && c.token.type === 'string') return c.next().value;
  if (as || c.isName()) return c.name();
  return null;
}

// --- Tables --------------------------------------------------------------------------------------------------------------

/** Tables behind FROM, joined by commas. */
export function tables(c: Cursor): TableReference[] {
  if (c.takeWord('dual')) return [];
  return c.list(() => tableReference(c));
}

/**
 * Tables joined. A condition belongs to the last join that has none yet: `a JOIN b JOIN c ON … ON …` joins b with c first, as
 * the servers' grammars do.
 */
export function tableReference(c: Cursor): TableReference {
  return c.deeper(() => {
    const { start } = c.token;
    const waiting: { readonly left: TableReference; readonly type: JoinType }[] = [];
    let right = factor(c);
    const join = (
      left: TableReference,
      type: JoinType,
      natural: boolean,
      on: Expression | null,
      using: string[] | null,
    ) => {
      right = { kind: 'join', type, natural, left, right, on, using, start: left.start, end: c.end };
    };
    for (;;) {
      const words = joinWords(c);
      if (words?.natural === true) {
        const left = right;
        right = factor(c);
        join(left, words.type, true, null, null);
      } else if (words !== null) {
        waiting.push({ left: right, type: words.type });
        right = factor(c);
      } else if (waiting.length > 0 && (c.isWord('on') || c.isWord('using'))) {
        const { left, type } = waiting.pop() as (typeof waiting)[number];
        if (c.takeWord('on')) join(left, type, false, expression(c), null);
        else {
          c.at++;
          join(
            left,
            type,
            false,
            null,
            c.inParentheses(() => c.name()),
          );
        }
      } else break;
    }
    for (const { left, type } of waiting.reverse()) {
      if (type === 'left' || type === 'right') c.fail('ON or USING is expected');
      join(left, type, false, null, null);
    }
    return { ...right, start };
  });
}

type JoinType = 'inner' | 'cross' | 'left' | 'right';

interface JoinWords {
  readonly type: JoinType;
  readonly natural: boolean;
}

function joinWords(c: Cursor): JoinWords | null {
  const natural = c.takeWord('natural');
  if (c.takeWord('straight_join')) return { type: 'inner', natural };
  if (c.takeWord('join')) return { type: natural ? 'inner' : 'cross', natural };
  if (c.takeWords('inner', 'join')) return { type: 'inner', natural };
  if (c.takeWords('cross', 'join')) return { type: 'cross', natural };
  for (const type of ['left', 'right'] as const) {
    if (c.takeWords(type, 'outer', 'join') || c.takeWords(type, 'join')) return { type, natural };
  }
  if (natural) c.fail('JOIN is expected');
  return null;
}

function factor(c: Cursor): TableReference {
  const { start } = c.token;
  if (c.isWord('lateral') && (c.isOperator('(', 1) || c.isWord('json_table', 1))) {
    c.at++;
    if (c.isOperator('(')) return derived(c, start, true);
  }
  if (c.isWord('json_table') && c.isOperator('(', 1)) return jsonTable(c);
  if (c.isOperator('{')) return odbcJoin(c);
  if (c.isOperator('(')) return startsQuery(c) ? derived(c, start, false) : group(c, start);
  return tableName(c);
}

function group(c: Cursor, start: number): TableReference {
  c.expectOperator('(');
  const list = c.list(() => tableReference(c));
  c.expectOperator(')');
  const [only] = list;
  if (list.length === 1 && only !== undefined) return only;
  return { kind: 'group', tables: list, start, end: c.end };
}

function odbcJoin(c: Cursor): TableReference {
  const { start } = c.next();
  c.name();
  const table = tableReference(c);
  c.expectOperator('}');
  return { kind: 'group', tables: [table], start, end: c.end };
}

function derived(c: Cursor, start: number, lateral: boolean): TableFactor {
  c.expectOperator('(');
  const inner = query(c);
  c.expectOperator(')');
  const alias = aliasOf(c, false);
  const columns = alias !== null && c.isOperator('(') ? c.inParentheses(() => c.name()) : null;
  return { kind: 'derived', lateral, query: inner, alias, columns, start, end: c.end };
}

export function tableName(c: Cursor): TableFactor {
  const { start } = c.token;
  const table = c.isOperator('.') ? behindDot(c) : c.qualified();
  const partitions = c.isWord('partition') && c.isOperator('(', 1) ? partitionsOf(c) : [];
  const systemTime = c.isWord('for') && c.isWord('system_time', 1) ? systemTimeOf(c) : [];
  const alias = aliasOf(c, false);
  if (c.takeWord('tablesample')) c.fail('TABLESAMPLE is not understood');
  while (c.isOneOf(HINTS)) {
    if (!c.isWord('index', 1) && !c.isWord('key', 1)) break;
    indexHint(c);
    if (c.isOperator(',') && HINTS.has(c.peek().lower) && (c.isWord('index', 2) || c.isWord('key', 2))) c.at++;
  }
  return { kind: 'table-name', table, alias, partitions, systemTime, start, end: c.end };
}

const HINTS: ReadonlySet<string> = new Set(['use', 'force', 'ignore']);

function behindDot(c: Cursor) {
  const { start } = c.next();
  return { schema: null, name: c.nameBehindDot(), start, end: c.end };
}

export function partitionsOf(c: Cursor): string[] {
  c.expectWord('partition');
  return c.inParentheses(() => c.name());
}

/** MariaDB: FOR SYSTEM_TIME ALL | AS OF x | FROM x TO y | BETWEEN x AND y. */
function systemTimeOf(c: Cursor): Expression[] {
  c.at += 2;
  const point = () => {
    c.takeWord('transaction');
    if (c.isWord('timestamp') && c.peek().type !== 'string' && !c.isOperator('(', 1)) c.at++;
    return expression(c);
  };
  if (c.takeWord('all')) return [];
  if (c.takeWords('as', 'of')) return [point()];
  if (c.takeWord('between')) {
    const range = point();
    // BETWEEN a AND b has been read as one value, `a AND b`.
    return [range];
  }
  c.expectWord('from');
  const first = point();
  c.expectWord('to');
  return [first, point()];
}

function indexHint(c: Cursor): void {
  c.at += 2;
  if (c.takeWord('for')) {
    if (!c.takeWord('join') && !c.takeWords('order', 'by')) {
      c.expectWord('group');
      c.expectWord('by');
    }
  }
  c.expectOperator('(');
  if (!c.isOperator(')')) c.list(() => (c.isWord('primary') ? c.next().value : c.name()));
  c.expectOperator(')');
}

function jsonTable(c: Cursor): TableFactor {
  const { start } = c.next();
  c.expectOperator('(');
  const document = expression(c);
  c.expectOperator(',');
  const path = expression(c);
  const columns: string[] = [];
  jsonColumns(c, columns);
  c.expectOperator(')');
  const alias = aliasOf(c, false);
  if (alias === null) c.fail('an alias is expected');
  return { kind: 'json-table', document, path, columns, alias, start, end: c.end };
}

function jsonColumns(c: Cursor, columns: string[]): void {
  c.expectWord('columns');
  c.expectOperator('(');
  do {
    if (c.takeWord('nested')) {
      c.takeWord('path');
      c.string();
      jsonColumns(c, columns);
      continue;
    }
    columns.push(c.name());
    // Type, path, ON EMPTY and ON ERROR: constants all.
    while (!c.isOperator(',') && !c.isOperator(')')) {
      if (c.isOperator('(')) c.skipParentheses();
      else if (c.next().type === 'end') c.fail(') is expected');
    }
  } while (c.takeOperator(','));
  c.expectOperator(')');
}

// --- Behind a query --------------------------------------------------------------------------------------------------------

function tailOf(c: Cursor): Tail {
  const orderBy = c.takeWords('order', 'by') ? c.list(() => orderItem(c)) : [];
  let limit: Limit | null = c.isWord('limit') ? limitOf(c) : fetchOf(c);
  if (limit === null && c.isWord('limit')) limit = limitOf(c);
  let into = c.isWord('into') ? intoClause(c) : null;
  let locks = false;
  while (lockWords(c)) locks = true;
  if (into === null && c.isWord('into')) into = intoClause(c);
  return { orderBy, limit, locks, into };
}

/** MariaDB: OFFSET n ROWS FETCH FIRST m ROWS ONLY | WITH TIES. */
function fetchOf(c: Cursor): Limit | null {
  if (!c.mode.mariadb) return null;
  let offset: Expression | null = null;
  let count: Expression | null = null;
  if (c.takeWord('offset')) {
    offset = expression(c);
    if (!c.takeWord('row')) c.expectWord('rows');
  }
  if (c.takeWords('fetch', 'first') || c.takeWords('fetch', 'next')) {
    if (!c.isWord('row') && !c.isWord('rows')) count = expression(c);
    c.at++;
    if (!c.takeWord('only')) {
      c.expectWord('with');
      c.expectWord('ties');
    }
  }
  return offset === null && count === null ? null : { count, offset };
}

function lockWords(c: Cursor): boolean {
  if (c.takeWords('lock', 'in', 'share', 'mode')) {
    waiting(c);
    return true;
  }
  if (!c.takeWords('for', 'update') && !c.takeWords('for', 'share')) return false;
  if (c.takeWord('of')) c.list(() => c.qualified());
  waiting(c);
  return true;
}

function waiting(c: Cursor): void {
  if (c.takeWord('nowait') || c.takeWords('skip', 'locked')) return;
  if (c.takeWord('wait')) c.number();
}

function intoClause(c: Cursor): Into {
  const { start } = c.next();
  for (const kind of ['outfile', 'dumpfile'] as const) {
    if (!c.takeWord(kind)) continue;
    const file = c.string();
    // CHARACTER SET, FIELDS, LINES: up to what may follow.
    while (c.token.type === 'word' || c.token.type === 'string' || c.token.type === 'bytes') {
      if (c.isWord('from') || c.isWord('for') || c.isWord('lock') || c.isWord('order') || c.isWord('limit')) break;
      c.at++;
    }
    return { kind, file, start, end: c.end };
  }
  const names = c.list(() => (c.token.type === 'variable' ? `@${c.next().value}` : c.name()));
  return { kind: 'variables', names, start, end: c.end };
}

export { columnName };
