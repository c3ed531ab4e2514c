// SELECT, VALUES, set operations and WITH: the columns of a query's result, and what decides about its rows.

import { derive, either, type Field, INDEPENDENT, type Value } from '../../flow.ts';
import { type Fields, fieldsOf, integerOf, listOf, NotUnderstood, namesOf, nodeOf, optional, textOf } from '../tree.ts';
import { change } from './changes.ts';
import { decideBy, evaluate, rowFields, shapeOf, starFields, window } from './expressions.ts';
import { fromItems, renamed } from './from.ts';
import { allFields, type Cte, decide, findColumn, item, type Level, openLevel } from './scope.ts';
import { titleOf } from './titles.ts';

/** The columns of a query inside another, or of a statement's own; `{}` where it has none. */
export function query(parent: Level, node: unknown): readonly Field[] {
  const { type, fields } = nodeOf(node);
  if (type === 'SelectStmt') return select(parent, fields);
  return change(parent, type, fields) ?? [];
}

/** A CTE that is being looked at while it may refer to itself. */
interface Recursion {
  /** What is known of its columns so far; null before its first part is known. */
  columns: readonly Field[] | null;
  readonly names: readonly string[];
  readonly more: (columns: readonly Field[]) => readonly Field[];
}

function select(parent: Level, fields: Fields, recursion: Recursion | null = null): readonly Field[] {
  shapeOf('SelectStmt', fields);
  const level = openLevel(parent.run, parent);
  withClause(level, fields.withClause);
  if (fields.op !== 'SETOP_NONE') return setOperation(level, fields, recursion);
  if (fields.valuesLists !== undefined) return values(level, fields);
  fromItems(level, fields.fromClause);
  const columns = targets(level, fields.targetList);
  decideBy(level, fields.whereClause);
  decideBy(level, fields.havingClause);
  keys(level, fields.groupClause, columns, false);
  for (const node of listOf(fields.windowClause)) window(level, fieldsOf(nodeOf(node).fields));
  distinct(level, fields.distinctClause, columns);
  rows(level, fields, columns);
  return columns;
}

/** ORDER BY and LIMIT. */
function rows(level: Level, fields: Fields, columns: readonly Field[]): void {
  for (const node of listOf(fields.sortClause)) {
    const { type, fields: key } = nodeOf(node);
    if (type !== 'SortBy') throw new NotUnderstood(`${type} where ORDER BY belongs`);
    shapeOf(type, key);
    keys(level, [key.node], columns, true);
  }
  decideBy(level, fields.limitOffset);
  decideBy(level, fields.limitCount);
}

/** MaxTupleAttributeNumber, access/htup_details.h. */
const MOST_TARGETS = 1664;

/** A select list or RETURNING. */
export function targets(level: Level, list: unknown): Field[] {
  const columns: Field[] = [];
  for (const node of listOf(list)) {
    const { type, fields } = nodeOf(node);
    if (type !== 'ResTarget' || fields.indirection !== undefined)
      throw new NotUnderstood('a result column has an unknown form');
    shapeOf(type, fields);
    const several = starFields(level, fields.val, () => allFields(level));
    if (several !== null) {
      columns.push(...several.map(({ name, value }) => ({ name, value })));
      continue;
    }
    const value = evaluate(level, fields.val);
    const title = (inner: unknown) => level.run.titles.get(fieldsOf(inner)) ?? '?column?';
    columns.push({ name: textOf(fields.name) ?? titleOf(fields.val, title), value });
  }
  if (columns.length > MOST_TARGETS) throw new NotUnderstood(`a query has more than ${MOST_TARGETS} columns`);
  return columns;
}

/**
 * What GROUP BY, ORDER BY or DISTINCT ON names: a number or an output's name is that output. A name that is a column too is
 * the output for ORDER BY and the column for GROUP BY (parser/parse_clause.c: findTargetlistEntrySQL92).
 */
function keys(level: Level, list: unknown, columns: readonly Field[], outputFirst: boolean): void {
  for (const node of listOf(list)) {
    const { type, fields } = nodeOf(node);
    if (type === 'GroupingSet') {
      shapeOf(type, fields);
      keys(level, fields.content, columns, outputFirst);
    } else if (type === 'RowExpr' && !outputFirst && fields.row_format === 'COERCE_IMPLICIT_CAST') {
      shapeOf(type, fields);
      keys(level, fields.args, columns, outputFirst);
    } else {
      decide(level.run, meant(level, node, type, fields, columns, outputFirst));
    }
  }
}

function meant(
  level: Level,
  node: unknown,
  type: string,
  fields: Fields,
  columns: readonly Field[],
  outputFirst: boolean,
): readonly Value[] {
  const position = integerOf(node);
  if (position !== null) {
    const column = columns[position - 1];
    if (column === undefined) throw new NotUnderstood(`there is no result column ${position}`);
    return [column.value];
  }
  const parts = type === 'ColumnRef' ? listOf(fields.fields) : [];
  const part = parts.length === 1 ? nodeOf(parts[0]) : null;
  const name = part?.type === 'String' ? (textOf(part.fields.sval) ?? '') : null;
  if (name !== null && (outputFirst || findColumn(level, name) === null)) {
    const named = columns.filter((column) => column.name === name);
    if (named.length > 0) return named.map((column) => column.value);
  }
  return [evaluate(level, node)];
}

/** DISTINCT compares every result column (its list is one NULL), DISTINCT ON what it names. */
function distinct(level: Level, value: unknown, columns: readonly Field[]): void {
  const list = listOf(value);
  if (list.length === 1 && Object.keys(fieldsOf(list[0])).length === 0) {
    decide(
      level.run,
      columns.map((column) => column.value),
    );
  } else {
    keys(level, list, columns, true);
  }
}

function values(level: Level, fields: Fields): readonly Field[] {
  let columns: readonly Field[] | null = null;
  for (const node of listOf(fields.valuesLists)) {
    const row = rowFields(level, nodeOf(node).fields.items);
    columns =
      columns === null ? row.map(({ value }, i) => ({ name: `column${i + 1}`, value })) : together(columns, row);
  }
  if (columns === null) throw new NotUnderstood('VALUES without a row');
  level.items.push(item(null, columns));
  rows(level, fields, columns);
  return columns;
}

/** Column by column, one or the other. */
function together(a: readonly Field[], b: readonly Field[]): readonly Field[] {
  if (a.length !== b.length) throw new NotUnderstood('the parts of a query have different numbers of columns');
  return a.map(({ name, value }, i) => ({ name, value: either(value, b[i]?.value ?? INDEPENDENT) }));
}

function setOperation(level: Level, fields: Fields, recursion: Recursion | null): readonly Field[] {
  const left = select(level, fieldsOf(fields.larg));
  const right = () => select(level, fieldsOf(fields.rarg));
  const columns =
    recursion === null ? combined(level, fields, left, right()) : recursive(level, fields, left, right, recursion);
  // Only outputs can be named here.
  level.items = [item(null, columns)];
  rows(level, fields, columns);
  return columns;
}

function combined(level: Level, fields: Fields, left: readonly Field[], right: readonly Field[]): readonly Field[] {
  const both = together(left, right);
  const compared = [...left, ...right].map((field) => field.value);
  if (fields.all !== true) decide(level.run, compared);
  switch (fields.op) {
    case 'SETOP_UNION':
      return both;
    case 'SETOP_INTERSECT':
      decide(level.run, compared);
      return both;
    case 'SETOP_EXCEPT':
      decide(level.run, compared);
      // The rows are those of the left side.
      return left;
    default:
      throw new NotUnderstood('a set operation has an unknown form');
  }
}

/** The second part again and again, until nothing new flows. */
function recursive(
  level: Level,
  fields: Fields,
  left: readonly Field[],
  right: () => readonly Field[],
  recursion: Recursion,
): readonly Field[] {
  if (fields.op !== 'SETOP_UNION') throw new NotUnderstood('a recursive query has an unknown form');
  let columns = left;
  for (;;) {
    recursion.columns = recursion.more(renamed(columns, recursion.names));
    const next = combined(level, fields, columns, right());
    if (!grown(columns, next)) return next;
    columns = next;
  }
}

function grown(before: readonly Field[], after: readonly Field[]): boolean {
  return after.some(({ value: { flow, row } }, i) => {
    const old = before[i]?.value;
    return (
      old === undefined ||
      old.flow.keys.length !== flow.keys.length ||
      old.flow.direct !== flow.direct ||
      old.flow.unproven !== flow.unproven ||
      (old.row === null) !== (row === null)
    );
  });
}

/** CTEs see those before them, or all of them where the list is RECURSIVE. */
export function withClause(level: Level, value: unknown): void {
  const clause = optional(value);
  if (clause === null) return;
  shapeOf('WithClause', clause);
  const ctes = listOf(clause.ctes).map((node) => {
    const { type, fields } = nodeOf(node);
    if (type !== 'CommonTableExpr') throw new NotUnderstood(`${type} where a CTE belongs`);
    shapeOf(type, fields);
    return { name: textOf(fields.ctename) ?? '', fields };
  });
  if (clause.recursive !== true) {
    for (const { name, fields } of ctes) level.ctes.set(name, plainCte(level, fields));
    return;
  }
  for (const { name, fields } of ctes) level.ctes.set(name, recursiveCte(level, name, fields));
  // Also one that nothing refers to: what it writes counts.
  for (const { name } of ctes) level.ctes.get(name)?.fields();
}

function plainCte(level: Level, fields: Fields): Cte {
  const columns = renamed(query(level, fields.ctequery), namesOf(fields.aliascolnames));
  const all = extended(level, fields, columns);
  return { fields: () => all };
}

/** Looked at when it is first referred to, which may be by another one of the list that stands before it. */
function recursiveCte(level: Level, name: string, fields: Fields): Cte {
  let done: readonly Field[] | null = null;
  let open: Recursion | null = null;
  const names = namesOf(fields.aliascolnames);
  const more = (columns: readonly Field[]) =>
    extended(level, fields, columns).map((field, i) => (i < columns.length ? field : { ...field, starless: true }));
  return {
    fields: () => {
      if (done !== null) return done;
      if (open === null) {
        open = { columns: null, names, more };
        const { type, fields: inner } = nodeOf(fields.ctequery);
        const united = type === 'SelectStmt' && inner.op === 'SETOP_UNION';
        const columns = united ? select(level, inner, open) : query(level, fields.ctequery);
        done = extended(level, fields, renamed(columns, names));
        return done;
      }
      const soFar = open.columns;
      if (soFar === null) throw new NotUnderstood(`how the CTE ${name} refers to itself is not known to the gateway`);
      return soFar;
    },
  };
}

/** The columns that SEARCH and CYCLE add, made from those that they name. */
function extended(level: Level, fields: Fields, columns: readonly Field[]): readonly Field[] {
  const search = optional(fields.search_clause);
  const cycle = optional(fields.cycle_clause);
  if (search === null && cycle === null) return columns;
  const of = (list: unknown): Value[] =>
    namesOf(list).map((name) => {
      const found = columns.find((column) => column.name === name);
      if (found === undefined) throw new NotUnderstood(`the column ${name} is not known`);
      return found.value;
    });
  const added: Field[] = [];
  if (search !== null) {
    shapeOf('CTESearchClause', search);
    const value: Value = { ...derive(of(search.search_col_list)), row: undefined };
    added.push({ name: textOf(search.search_seq_column) ?? '', value });
  }
  if (cycle !== null) {
    shapeOf('CTECycleClause', cycle);
    const compared = of(cycle.cycle_col_list);
    decide(level.run, compared);
    const marks = [cycle.cycle_mark_value, cycle.cycle_mark_default].map((node) => evaluate(level, node));
    added.push({ name: textOf(cycle.cycle_mark_column) ?? '', value: derive(marks) });
    added.push({ name: textOf(cycle.cycle_path_column) ?? '', value: { ...derive(compared), row: undefined } });
  }
  return [...columns, ...added];
}
