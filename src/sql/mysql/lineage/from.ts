// Tables in FROM and their joins: which columns they bring, and which of them USING and NATURAL merge (MySQL "JOIN Clause",
// sql/sql_base.cc: store_natural_using_join_columns).
import { derive, type Field } from '../../flow.ts';
import type { Name, TableReference } from '../ast.ts';
import { decideBy, evaluateAll } from './expressions.ts';
import { query } from './queries.ts';
import { relationFields } from './relations.ts';
import {
  besides,
  decide,
  findCte,
  findItem,
  type Item,
  isCalled,
  type Level,
  lookedFor,
  NotFollowed,
  renamed,
  spend,
  titled,
} from './scope.ts';

/** What a part of FROM brings. */
interface From {
  readonly items: readonly Item[];
  readonly open: readonly Field[];
}

/** Tables with commas between them; each sees those before it where it is LATERAL. */
export function fromTables(level: Level, tables: readonly TableReference[]): void {
  for (const table of tables) {
    const { items, open } = reference(level, table);
    level.items.push(...items);
    level.open.push(...open);
    spend(level.run, open.length);
  }
}

function reference(level: Level, table: TableReference): From {
  switch (table.kind) {
    case 'table-name': {
      decide(level.run, evaluateAll(level, table.systemTime));
      const { item, open } = storedItem(level, table.table, table.alias);
      return { items: [item], open };
    }
    case 'derived': {
      const fields = renamed(query(table.lateral ? level : besides(level), table.query), table.columns);
      return { items: [{ name: table.alias, schema: null, fields }], open: fields };
    }
    case 'json-table': {
      const value = derive(evaluateAll(level, [table.document, table.path]));
      decide(level.run, [value]);
      const fields = table.columns.map((name) => ({ ...titled(name), value }));
      return { items: [{ name: table.alias, schema: null, fields }], open: fields };
    }
    case 'group':
      return table.tables.reduce<From>((before, inner) => together(before, reference(seeing(level, before), inner)), {
        items: [],
        open: [],
      });
    case 'join':
      return join(level, table);
  }
}

function together(a: From, b: From): From {
  return { items: [...a.items, ...b.items], open: [...a.open, ...b.open] };
}

/** The level with what stands to the left in the same join. */
function seeing(level: Level, { items, open }: From): Level {
  return { ...level, items: [...level.items, ...items], open: [...level.open, ...open] };
}

/** A table, a view or a CTE by its name. */
export function storedItem(
  level: Level,
  { schema, name }: Name,
  alias: string | null,
): { readonly item: Item; readonly open: readonly Field[] } {
  const called = alias ?? name;
  const cte = schema === null ? findCte(level, name) : null;
  if (cte !== null) {
    const fields = cte();
    return { item: { name: called, schema: null, fields }, open: fields };
  }
  const { catalog, searchPath } = level.run;
  const relation = catalog.find(schema, name, searchPath);
  if (relation === undefined) throw new NotFollowed(`the table ${name} is not known`);
  const fields = relationFields(catalog, relation);
  spend(level.run, fields.length);
  return { item: { name: called, schema: schema ?? relation.schema, fields }, open: fields };
}

type Join = Extract<TableReference, { kind: 'join' }>;

function join(level: Level, { type, natural, left: a, right: b, on, using }: Join): From {
  const left = reference(level, a);
  const right = reference(seeing(level, left), b);
  const both = together(left, right);
  // ON sees the two sides of this join, and what is around the query.
  if (on !== null) decideBy({ ...level, items: [...both.items], open: [...both.open] }, on);
  const shared = natural ? common(left, right) : (using ?? []).map(lookedFor);
  if (shared.length === 0) return both;
  const [outer, inner] = type === 'right' ? [right, left] : [left, right];
  const merged = inOrder(outer, shared).map((name): Field => {
    const [value, other] = [sole(outer, name), sole(inner, name)];
    decide(level.run, [value, other]);
    return { name, value };
  });
  const rest = ({ open }: From) => open.filter((field) => !shared.includes(field.name));
  return { items: both.items, open: [...merged, ...rest(outer), ...rest(inner)] };
}

function common(left: From, right: From): string[] {
  if ([...left.open, ...right.open].some((field) => field.loose !== undefined)) {
    throw new NotFollowed('NATURAL JOIN beside columns without a name of their own: give them one');
  }
  const names = new Set(starred(right.open).map((field) => field.name));
  return starred(left.open)
    .map((field) => field.name)
    .filter((name) => names.has(name));
}

function inOrder({ open }: From, shared: readonly string[]): string[] {
  return open.map((field) => field.name).filter((name) => shared.includes(name));
}

function sole({ open }: From, name: string): Field['value'] {
  const [found, another] = open.filter((field) => isCalled(field, name) !== false);
  if (found === undefined || found.loose !== undefined || another !== undefined) {
    throw new NotFollowed(`the column ${name} of a join is not known`);
  }
  return found.value;
}

/** What `*`, `t.*` and `schema.t.*` bring. */
export function starFields(level: Level, schema: string | null, table: string | null): readonly Field[] {
  if (table === null) {
    if (level.items.length === 0) throw new NotFollowed('* without a table');
    return starred(level.open);
  }
  return starred(findItem({ ...level, parent: null }, schema, table).fields);
}

/** Without the invisible columns. */
function starred(fields: readonly Field[]): readonly Field[] {
  return fields.filter((field) => field.starless !== true);
}
