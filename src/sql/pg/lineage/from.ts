// What stands in FROM: relations, CTEs, subqueries, functions and joins, as items that names can mean
// (parser/parse_clause.c: transformFromClauseItem).

import { computed, derive, type Field, type Flow, INDEPENDENT, scalar, type Value } from '../../flow.ts';
import { type Fields, fieldsOf, listOf, NotUnderstood, namesOf, nodeOf, optional, textOf } from '../tree.ts';
import { valueAs } from './casts.ts';
import { decideBy, evaluate, evaluateAll, shapeOf } from './expressions.ts';
import { join } from './joins.ts';
import { query } from './queries.ts';
import { relationFields } from './relations.ts';
import { decide, findCte, type Item, item, type Level } from './scope.ts';
import { titleOf } from './titles.ts';

/** What an item of FROM brings: itself, and all items that it makes visible. */
export interface From {
  readonly top: Item;
  readonly items: Item[];
}

/** Brings a list of items into sight, left to right; those further left only for LATERAL. */
export function fromItems(level: Level, list: unknown): void {
  for (const node of listOf(list)) {
    const { items } = fromItem(level, node);
    for (const one of items) one.lateral = true;
    level.items.push(...items);
  }
  for (const one of level.items) one.lateral = false;
}

export function fromItem(level: Level, node: unknown): From {
  const { type, fields } = nodeOf(node);
  shapeOf(type, fields);
  switch (type) {
    case 'RangeVar':
      return alone(relation(level, fields));
    case 'RangeSubselect':
      return alone(subselect(level, fields));
    case 'RangeFunction':
      return alone(functions(level, fields));
    case 'RangeTableFunc':
      return alone(xmlTable(level, fields));
    case 'JsonTable':
      return alone(jsonTable(level, fields));
    case 'RangeTableSample':
      decideBy(level, fields.args);
      decideBy(level, fields.repeatable);
      return fromItem(level, fields.relation);
    case 'JoinExpr':
      return join(level, fields);
    default:
      throw new NotUnderstood(`${type} in FROM is not known to the gateway`);
  }
}

function alone(one: Item): From {
  return { top: one, items: [one] };
}

export interface Alias {
  readonly name: string | null;
  readonly columns: readonly string[];
}

export function aliasOf(value: unknown): Alias {
  const alias = optional(value);
  if (alias === null) return { name: null, columns: [] };
  shapeOf('Alias', alias);
  return { name: textOf(alias.aliasname), columns: namesOf(alias.colnames) };
}

/** The first columns by other names. */
export function renamed(fields: readonly Field[], names: readonly string[]): readonly Field[] {
  if (names.length === 0) return fields;
  if (names.length > fields.length) throw new NotUnderstood('more columns are named than there are');
  return fields.map((field, i) => ({ ...field, name: names[i] ?? field.name }));
}

function relation(level: Level, fields: Fields): Item {
  const name = textOf(fields.relname) ?? '';
  const alias = aliasOf(fields.alias);
  const cte = fields.schemaname === undefined ? findCte(level, name) : null;
  if (cte !== null) return item(alias.name ?? name, renamed(cte.fields(), alias.columns));
  return storedItem(level, fields);
}

/** A relation that is no CTE, whatever its name. */
export function storedItem(level: Level, fields: Fields): Item {
  const { catalog, searchPath } = level.run;
  const name = textOf(fields.relname) ?? '';
  const alias = aliasOf(fields.alias);
  const found = catalog.find(textOf(fields.schemaname), name, searchPath);
  if (found === undefined) throw new NotUnderstood(`the relation ${name} is not known`);
  return item(alias.name ?? name, renamed(relationFields(catalog, found), alias.columns), {
    relation: alias.name === null ? found.oid : 0,
    stored: found.kind !== 'v',
  });
}

function subselect(level: Level, fields: Fields): Item {
  const alias = aliasOf(fields.alias);
  const columns = laterally(level, fields.lateral === true, () => query(level, fields.subquery));
  return item(alias.name, renamed(columns, alias.columns));
}

/** Looks at something that sees, or does not see, the items further left. */
function laterally<T>(level: Level, lateral: boolean, work: () => T): T {
  const before = level.lateral;
  level.lateral = lateral;
  try {
    return work();
  } finally {
    level.lateral = before;
  }
}

/** `f(…)`, `ROWS FROM (…)`, each with the columns that it is said to have. */
function functions(level: Level, fields: Fields): Item {
  const alias = aliasOf(fields.alias);
  const calls = listOf(fields.functions).flatMap((pair) => {
    const { type, fields: list } = nodeOf(pair);
    if (type !== 'List') throw new NotUnderstood('a function in FROM has an unknown form');
    const [node, definitions] = listOf(list.items);
    const said =
      definitions === undefined || Object.keys(fieldsOf(definitions)).length === 0
        ? []
        : listOf(nodeOf(definitions).fields.items);
    return severally(node).map((one) => ({ node: one, said }));
  });
  const shared = listOf(fields.coldeflist);
  const single = calls.length === 1;
  const columns: Field[] = [];
  let first: string | null = null;
  let plain: Value | undefined;
  for (const { node, said } of calls) {
    const title = titleOf(node, () => {
      throw new NotUnderstood('a function in FROM has an unknown form');
    });
    first ??= title;
    const made = laterally(level, true, () =>
      functionColumns(
        level,
        node,
        single && alias.name !== null ? alias.name : title,
        single && said.length === 0 ? shared : said,
      ),
    );
    decide(
      level.run,
      made.map((field) => field.value),
    );
    if (single && made.length === 1 && made[0]?.value.row === null) plain = made[0].value;
    columns.push(...made);
  }
  if (fields.ordinality === true) {
    columns.push({ name: 'ordinality', value: INDEPENDENT });
    plain = undefined;
  }
  return item(alias.name ?? first, renamed(columns, alias.columns), { alone: plain });
}

/** `unnest(a, b)` is unnest(a) and unnest(b) side by side. */
function severally(node: unknown): unknown[] {
  const { type, fields } = nodeOf(node);
  const args = listOf(fields.args);
  if (type !== 'FuncCall' || args.length < 2 || namesOf(fields.funcname).join('.') !== 'unnest') return [node];
  return args.map((arg) => ({ FuncCall: { ...fields, args: [arg] } }));
}

/** The columns of one function; `title` is the column's name where it answers with plain values. */
function functionColumns(level: Level, node: unknown, title: string, said: readonly unknown[]): Field[] {
  const value = evaluate(level, node);
  const made: Flow = computed([value]);
  const column = (name: string): Field => ({ name, value: { flow: made, type: null, row: undefined } });
  if (said.length > 0) {
    return said.map((definition) => {
      const { type, fields } = nodeOf(definition);
      if (type !== 'ColumnDef') throw new NotUnderstood(`${type} where a column belongs`);
      return { name: textOf(fields.colname) ?? '', value: valueAs(level.run, fieldsOf(fields.typeName), made) };
    });
  }
  if (value.row) return value.row.map((field) => column(field.name));
  if (value.row === undefined) throw new NotUnderstood(`the columns of ${title} in FROM are not known`);
  return [{ name: value.title ?? title, value: { flow: made, type: null, row: null } }];
}

function xmlTable(level: Level, fields: Fields): Item {
  const alias = aliasOf(fields.alias);
  const whole = laterally(level, true, () =>
    derive([
      evaluate(level, fields.docexpr),
      evaluate(level, fields.rowexpr),
      ...evaluateAll(level, fields.namespaces),
      ...evaluateAll(level, fields.columns),
    ]),
  );
  const columns = listOf(fields.columns).map((node) => {
    const { fields: column } = nodeOf(node);
    return { name: textOf(column.colname) ?? '', typeName: optional(column.typeName) };
  });
  return tableOf(level, columns, whole, alias, 'xmltable');
}

function jsonTable(level: Level, fields: Fields): Item {
  const alias = aliasOf(fields.alias);
  const whole = laterally(level, true, () =>
    derive([
      evaluate(level, { JsonValueExpr: fields.context_item }),
      evaluate(level, { JsonTablePathSpec: fields.pathspec }),
      ...evaluateAll(level, fields.passing),
      ...evaluateAll(level, fields.columns),
      ...(fields.on_error === undefined ? [] : [evaluate(level, { JsonBehavior: fields.on_error })]),
    ]),
  );
  return tableOf(level, jsonColumns(fields.columns), whole, alias, 'json_table');
}

interface TableColumn {
  readonly name: string;
  /** Null: the number of the row, or whether there is something. */
  readonly typeName: Fields | null;
}

/** The columns of JSON_TABLE; those of nested paths come behind the others of their level. */
function jsonColumns(list: unknown): TableColumn[] {
  const columns: TableColumn[] = [];
  const nested: TableColumn[] = [];
  for (const node of listOf(list)) {
    const { fields } = nodeOf(node);
    if (fields.coltype === 'JTC_NESTED') nested.push(...jsonColumns(fields.columns));
    else columns.push({ name: textOf(fields.name) ?? '', typeName: optional(fields.typeName) });
  }
  return [...columns, ...nested];
}

function tableOf(level: Level, columns: readonly TableColumn[], whole: Value, alias: Alias, title: string): Item {
  decide(level.run, [whole]);
  const made = columns.map(({ name, typeName }) => ({
    name,
    value: typeName === null ? scalar([whole]) : valueAs(level.run, typeName, whole.flow),
  }));
  return item(alias.name ?? title, renamed(made, alias.columns));
}
