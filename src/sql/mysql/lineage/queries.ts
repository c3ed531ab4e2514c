// SELECT, VALUES, TABLE, set operations and WITH: the columns of a query's result, and what decides about its rows.
import { derive, either, type Field, INDEPENDENT, type Value } from '../../flow.ts';
import type { OrderItem, Query, Select, SelectItem, SetOperation, Values, With } from '../ast.ts';
import { decideBy, evaluate, evaluateAll, window } from './expressions.ts';
import { fromTables, starFields, storedItem } from './from.ts';
import { decide, type Level, NotFollowed, openLevel, renamed, spend, write } from './scope.ts';

/** The columns of a query inside another, or of a statement's own. Names in lower case. */
export function query(parent: Level, value: Query): readonly Field[] {
  const level = openLevel(parent.run, parent);
  withClause(level, value.with);
  const columns = body(level, value);
  for (const { value: key } of value.orderBy) sorted(level, key, columns);
  decideBy(level, value.limit?.count, value.limit?.offset);
  const { into } = value;
  if (into === null) return columns;
  const target = into.kind === 'variables' ? `the variables ${into.names.join(', ')}` : 'a file on the server';
  for (const column of columns) write(level.run, target, null, column.value.flow);
  return columns;
}

function body(level: Level, value: Query): readonly Field[] {
  switch (value.kind) {
    case 'select':
      return select(level, value);
    case 'set-operation':
      return setOperation(level, value);
    case 'values':
      return values(level, value);
    case 'table': {
      const { item, open } = storedItem(level, value.table, null);
      level.items.push(item);
      level.open.push(...open);
      return open;
    }
  }
}

function select(level: Level, value: Select): readonly Field[] {
  fromTables(level, value.from);
  const columns = items(level, value.items);
  decideBy(level, value.where);
  for (const { value: key } of value.groupBy) sorted(level, key, columns);
  if (value.having !== null) withAliases(level, columns, (inner) => decideBy(inner, value.having));
  for (const named of value.windows) window(level, named.window);
  if (value.procedure !== null) throw new NotFollowed('PROCEDURE is not known');
  if (value.distinct) decide(level.run, valuesOf(columns));
  return columns;
}

/** A select list or RETURNING. */
export function items(level: Level, list: readonly SelectItem[]): Field[] {
  const columns: Field[] = [];
  for (const item of list) {
    if (item.kind === 'star') {
      columns.push(...starFields(level, item.schema, item.table));
      continue;
    }
    const { start, end } = item.value;
    const title = item.value.kind === 'column' ? item.value.name : level.run.text.slice(start, end);
    columns.push({ name: (item.alias ?? title).toLowerCase(), value: evaluate(level, item.value) });
  }
  spend(level.run, columns.length);
  return columns;
}

/** A number is that column of the result; a name may be one too: both are counted. */
function meant(level: Level, key: OrderItem['value'], columns: readonly Field[]): Value[] | null {
  if (key.kind === 'literal' && key.type === 'number') {
    const column = columns[Number(key.value) - 1];
    return column === undefined ? null : [column.value];
  }
  if (key.kind !== 'column' || key.table !== null) return null;
  const name = key.name.toLowerCase();
  const named = columns.filter((column) => column.name === name).map((column) => column.value);
  const own = level.open.filter((field) => field.name === name).map((field) => field.value);
  return named.length + own.length === 0 ? null : [...named, ...own];
}

/** What GROUP BY or ORDER BY names. */
function sorted(level: Level, key: OrderItem['value'], columns: readonly Field[]): void {
  const values = meant(level, key, columns);
  if (values !== null) decide(level.run, values);
  else withAliases(level, columns, (inner) => decideBy(inner, key));
}

/** Names of result columns that no table has, beside what FROM brings: they may stand in HAVING and ORDER BY. */
function withAliases(level: Level, columns: readonly Field[], work: (level: Level) => void): void {
  const taken = new Set(level.open.map((field) => field.name));
  const aliases = new Map<string, Value>();
  for (const { name, value } of columns) {
    if (taken.has(name)) continue;
    const before = aliases.get(name);
    aliases.set(name, before === undefined ? value : derive([before, value]));
  }
  const added = [...aliases].map(([name, value]) => ({ name, value }));
  work({ ...level, open: [...level.open, ...added] });
}

function values(level: Level, { rows }: Values): readonly Field[] {
  let columns: readonly Field[] | null = null;
  for (const row of rows) {
    const made = evaluateAll(level, row).map((value, i) => ({ name: `column_${i}`, value }));
    columns = columns === null ? made : together(columns, made);
  }
  if (columns === null) throw new NotFollowed('VALUES without a row');
  if (!level.run.mode.mariadb) return columns;
  // MariaDB names them by what stands in the first row.
  const [first = []] = rows;
  return columns.map(({ value }, i) => {
    const { start = 0, end = 0 } = first[i] ?? {};
    return { name: level.run.text.slice(start, end).toLowerCase(), value };
  });
}

/** Column by column, one or the other. */
export function together(a: readonly Field[], b: readonly Field[]): readonly Field[] {
  if (a.length !== b.length) throw new NotFollowed('the parts of a query have different numbers of columns');
  return a.map(({ name, value }, i) => ({ name, value: either(value, b[i]?.value ?? INDEPENDENT) }));
}

function setOperation(level: Level, value: SetOperation): readonly Field[] {
  const left = query(level, value.left);
  const right = query(level, value.right);
  const both = together(left, right);
  if (!value.all || value.operator !== 'union') decide(level.run, valuesOf([...left, ...right]));
  // The rows of EXCEPT are those of the left side.
  return value.operator === 'except' ? left : both;
}

export function valuesOf(columns: readonly Field[]): Value[] {
  return columns.map((column) => column.value);
}

// --- WITH ------------------------------------------------------------------------------------------------------------------

/** CTEs see those before them; where the list is RECURSIVE, themselves too. */
export function withClause(level: Level, clause: With | null): void {
  if (clause === null) return;
  for (const { name, columns: names, query: inner } of clause.tables) {
    const key = name.toLowerCase();
    const fields = clause.recursive ? recursive(level, key, names, inner) : renamed(query(level, inner), names);
    level.ctes.set(key, () => fields);
  }
}

/** Its first part gives the columns; then all of it again and again, until nothing new flows. */
function recursive(level: Level, name: string, names: readonly string[] | null, inner: Query): readonly Field[] {
  const hidden = () => {
    throw new NotFollowed(`how the CTE ${name} refers to itself is not known to the gateway`);
  };
  level.ctes.set(name, hidden);
  let columns = renamed(first(level, inner), names);
  for (;;) {
    const known = columns;
    level.ctes.set(name, () => known);
    const next = together(columns, renamed(query(level, inner), names));
    if (!grown(columns, next)) return next;
    columns = next;
  }
}

/** The leftmost part of a set operation, with what its WITHs bring. */
function first(level: Level, value: Query): readonly Field[] {
  if (value.kind !== 'set-operation') return query(level, value);
  const inner = openLevel(level.run, level);
  withClause(inner, value.with);
  return first(inner, value.left);
}

function grown(before: readonly Field[], after: readonly Field[]): boolean {
  return after.some(({ value: { flow } }, i) => {
    const old = before[i]?.value.flow;
    return (
      old === undefined ||
      old.keys.length !== flow.keys.length ||
      old.direct !== flow.direct ||
      old.unproven !== flow.unproven
    );
  });
}
