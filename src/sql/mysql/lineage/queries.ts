// SELECT, VALUES, TABLE, set operations and WITH: the columns of a query's result, and what decides about its rows.
import { derive, either, type Field, INDEPENDENT, type Value } from '../../flow.ts';
import type { Expression, OrderItem, Query, Select, SelectItem, SetOperation, Values, With } from '../ast.ts';
import { decideBy, evaluate, evaluateAll, window } from './expressions.ts';
import { fromTables, starFields, storedItem } from './from.ts';
import {
  decide,
  isCalled,
  type Level,
  lookedFor,
  NotFollowed,
  openLevel,
  renamed,
  spend,
  type Title,
  titled,
  write,
} from './scope.ts';

/** The columns of a query inside another, or of a statement's own. Names in lower case. */
export function query(parent: Level, value: Query, ofCte = false): readonly Field[] {
  const level = openLevel(parent.run, parent, ofCte);
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
      return starFields(level, null, null);
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
  level.aliases = list.flatMap((item) => (item.kind === 'star' ? [] : [titleOf(level, item.value, item.alias)]));
  for (const item of list) {
    if (item.kind === 'star') columns.push(...starFields(level, item.schema, item.table));
    else columns.push({ ...titleOf(level, item.value, item.alias), value: evaluate(level, item.value) });
  }
  spend(level.run, columns.length);
  return columns;
}

/** Expressions whose text is the name that the servers give them, in one form or another, and no plain word. */
const TEXTUAL: ReadonlySet<Expression['kind']> = new Set(['call', 'case', 'exists', 'subquery']);

function titleOf({ run }: Level, value: Expression, alias: string | null): Title {
  if (alias !== null) return titled(alias);
  if (value.kind === 'column') return titled(value.name);
  const text = run.text.slice(value.start, value.end);
  if (value.kind === 'literal') {
    if (value.type === 'number' && /^\d+$/.test(text)) return titled(text);
    return { name: (value.type === 'string' ? value.value : text).toLowerCase(), loose: 'any' };
  }
  const textual = TEXTUAL.has(value.kind) || (value.kind === 'operator' && value.operands.length > 1);
  return { name: text.toLowerCase(), loose: textual && /\W/.test(text) ? 'title' : 'any' };
}

/** A number is that column of the result; a name may be one too: both are counted. */
function meant(level: Level, key: OrderItem['value'], columns: readonly Field[]): Value[] | null {
  if (key.kind === 'literal' && key.type === 'number') {
    const column = columns[Number(key.value) - 1];
    return column === undefined ? null : [column.value];
  }
  if (key.kind !== 'column' || key.table !== null) return null;
  const name = lookedFor(key.name);
  const called = [...columns, ...level.open].filter((column) => isCalled(column, name) !== false);
  return called.length === 0 ? null : called.map((column) => column.value);
}

/** What GROUP BY or ORDER BY names. */
function sorted(level: Level, key: OrderItem['value'], columns: readonly Field[]): void {
  const values = meant(level, key, columns);
  if (values !== null) decide(level.run, values);
  else withAliases(level, columns, (inner) => decideBy(inner, key));
}

/**
 * Names of result columns beside what FROM brings: they may stand in HAVING and ORDER BY. Where both have a name, which one is
 * meant goes by the clause and the server: both are counted.
 */
function withAliases(level: Level, columns: readonly Field[], work: (level: Level) => void): void {
  const open = new Map<string, Field>();
  const loose: Field[] = [];
  for (const field of [...level.open, ...columns]) {
    const before = open.get(field.name);
    if (field.loose !== undefined) loose.push(field);
    else open.set(field.name, before === undefined ? field : { ...field, value: derive([before.value, field.value]) });
  }
  work({ ...level, open: [...open.values(), ...loose] });
}

function values(level: Level, { rows }: Values): readonly Field[] {
  let columns: readonly Field[] | null = null;
  for (const row of rows) {
    const made = evaluateAll(level, row).map((value, i): Field => {
      const given = row[i];
      // MariaDB names them by what stands in the first row.
      const title = level.run.mode.mariadb && given !== undefined ? titleOf(level, given, null) : titled(`column_${i}`);
      return { ...title, value };
    });
    columns = columns === null ? made : together(columns, made);
  }
  if (columns === null) throw new NotFollowed('VALUES without a row');
  return columns;
}

/** Column by column, one or the other. */
export function together(a: readonly Field[], b: readonly Field[]): readonly Field[] {
  if (a.length !== b.length) throw new NotFollowed('the parts of a query have different numbers of columns');
  return a.map((field, i) => ({ ...titleIn(field), value: either(field.value, b[i]?.value ?? INDEPENDENT) }));
}

function titleIn({ name, loose }: Field): Title {
  return loose === undefined ? { name } : { name, loose };
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

/**
 * CTEs see those before them; where the list is RECURSIVE, themselves too. MariaDB lets them see those behind them then, MySQL does
 * not: this is not followed.
 */
export function withClause(level: Level, clause: With | null): void {
  if (clause === null) return;
  if (clause.recursive) for (const { name } of clause.tables) level.ctes.set(name, hidden(name));
  for (const { name, columns: names, query: inner } of clause.tables) {
    const fields = clause.recursive ? recursive(level, name, names, inner) : renamed(query(level, inner, true), names);
    level.ctes.set(name, () => fields);
  }
}

function hidden(name: string): () => never {
  return () => {
    throw new NotFollowed(`how the CTE ${name} is used before its first rows are known is not followed`);
  };
}

/** Its first part gives the columns; then all of it again and again, until nothing new flows. */
function recursive(level: Level, name: string, names: readonly string[] | null, inner: Query): readonly Field[] {
  let columns = renamed(first(level, inner, true), names);
  for (;;) {
    const known = columns;
    level.ctes.set(name, () => known);
    const next = together(columns, renamed(query(level, inner, true), names));
    if (!grown(columns, next)) return next;
    columns = next;
  }
}

/** The leftmost part of a set operation, with what its WITHs bring. */
function first(level: Level, value: Query, ofCte: boolean): readonly Field[] {
  if (value.kind !== 'set-operation') return query(level, value, ofCte);
  const inner = openLevel(level.run, level, ofCte);
  withClause(inner, value.with);
  return first(inner, value.left, false);
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
