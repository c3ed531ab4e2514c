// INSERT, REPLACE, UPDATE, DELETE ("Data Manipulation Statements" of both manuals).
import type {
  Assignment,
  ColumnName,
  Delete,
  Expression,
  Insert,
  Name,
  OrderItem,
  SelectItem,
  TableReference,
  Update,
  With,
} from '../ast.ts';
import type { Cursor } from './cursor.ts';
import { columnName, expression, limitOf, orderItem } from './expressions.ts';
import { partitionsOf, query, selectItem, startsQuery, tableName, tableReference, tables, values } from './queries.ts';

export function insert(c: Cursor): Insert {
  const { start, lower } = c.next();
  const ignore = modifiers(c, ['low_priority', 'delayed', 'high_priority', 'ignore']);
  c.takeWord('into');
  const table = c.qualified();
  const partitions = c.isWord('partition') ? partitionsOf(c) : [];
  let columns: ColumnName[] | null = null;
  let source: Insert['source'];
  if (c.takeWord('set')) {
    const set = c.list(() => assignment(c));
    columns = set.map(({ column }) => column);
    source = { kind: 'rows', rows: [set.map(({ value }) => value)] };
  } else {
    if (c.isOperator('(') && !startsQuery(c)) {
      c.at++;
      columns = c.isOperator(')') ? [] : c.list(() => columnName(c));
      c.expectOperator(')');
    }
    // VALUES ROW(…) is a query, VALUES (…) here is not.
    if ((c.isWord('values') || c.isWord('value')) && !c.isWord('row', 1)) {
      c.at++;
      source = { kind: 'rows', rows: c.list(() => values(c)) };
    } else {
      source = query(c);
    }
  }
  const rowAlias = c.takeWord('as') ? rowAliasOf(c) : null;
  const onDuplicate = c.takeWords('on', 'duplicate', 'key', 'update') ? c.list(() => assignment(c)) : [];
  const returning = returningOf(c);
  const replace = lower === 'replace';
  return {
    kind: 'insert',
    replace,
    ignore,
    table,
    partitions,
    columns,
    source,
    rowAlias,
    onDuplicate,
    returning,
    start,
    end: c.end,
  };
}

function rowAliasOf(c: Cursor) {
  const name = c.name();
  return { name, columns: c.isOperator('(') ? c.inParentheses(() => c.name()) : null };
}

/** Answers whether IGNORE is among them. */
function modifiers(c: Cursor, words: readonly string[]): boolean {
  let ignore = false;
  while (c.token.type === 'word' && words.includes(c.token.lower)) ignore = c.next().lower === 'ignore' || ignore;
  return ignore;
}

function assignment(c: Cursor): Assignment {
  const { start } = c.token;
  const column = columnName(c);
  if (!c.takeOperator('=') && !c.takeOperator(':=')) c.fail('= is expected');
  return { column, value: expression(c), start, end: c.end };
}

function returningOf(c: Cursor): SelectItem[] | null {
  return c.mode.mariadb && c.takeWord('returning') ? c.list(() => selectItem(c)) : null;
}

export function update(c: Cursor, ctes: With | null, start: number): Update {
  c.expectWord('update');
  const ignore = modifiers(c, ['low_priority', 'ignore']);
  const found = tables(c);
  const portion = portionOf(c);
  c.expectWord('set');
  const set = c.list(() => assignment(c));
  const where = c.takeWord('where') ? expression(c) : null;
  const { orderBy, limit } = orderAndLimit(c);
  const returning = returningOf(c);
  return {
    kind: 'update',
    with: ctes,
    ignore,
    tables: found,
    portion,
    set,
    where,
    orderBy,
    limit,
    returning,
    start,
    end: c.end,
  };
}

/** MariaDB: FOR PORTION OF period FROM a TO b. */
function portionOf(c: Cursor): Expression[] {
  if (!c.takeWords('for', 'portion', 'of')) return [];
  c.name();
  c.expectWord('from');
  const from = expression(c);
  c.expectWord('to');
  return [from, expression(c)];
}

function orderAndLimit(c: Cursor): { orderBy: OrderItem[]; limit: Update['limit'] } {
  const orderBy = c.takeWords('order', 'by') ? c.list(() => orderItem(c)) : [];
  return { orderBy, limit: c.isWord('limit') ? limitOf(c) : null };
}

/** `DELETE FROM t`, `DELETE a, b FROM …`, `DELETE FROM a, b USING …`. */
export function remove(c: Cursor, ctes: With | null, start: number): Delete {
  c.expectWord('delete');
  const ignore = modifiers(c, ['low_priority', 'quick', 'ignore']);
  let targets: Name[] = [];
  let from: TableReference[];
  let multiple = true;
  let portion: Expression[] = [];
  if (c.takeWord('from')) {
    const mark = c.at;
    targets = c.list(() => target(c));
    if (c.takeWord('using')) {
      from = tables(c);
    } else {
      c.at = mark;
      multiple = false;
      const table = tableName(c);
      from = [table];
      if (table.kind === 'table-name') targets = [table.table];
      portion = portionOf(c);
    }
  } else {
    targets = c.list(() => target(c));
    c.expectWord('from');
    from = c.list(() => tableReference(c));
  }
  const where = c.takeWord('where') ? expression(c) : null;
  const { orderBy, limit } = orderAndLimit(c);
  const returning = returningOf(c);
  return {
    kind: 'delete',
    with: ctes,
    ignore,
    targets,
    from,
    multiple,
    portion,
    where,
    orderBy,
    limit,
    returning,
    start,
    end: c.end,
  };
}

/** `t`, `db.t`, `t.*`. */
function target(c: Cursor): Name {
  const { start } = c.token;
  const first = c.name();
  let found: Name = { schema: null, name: first, start, end: c.end };
  if (c.isOperator('.') && !c.isOperator('*', 1)) {
    c.at++;
    found = { schema: first, name: c.nameBehindDot(), start, end: c.end };
  }
  if (c.isOperator('.') && c.isOperator('*', 1)) c.at += 2;
  return found;
}
