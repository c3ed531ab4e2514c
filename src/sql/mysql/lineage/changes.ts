// INSERT, REPLACE, UPDATE and DELETE: what is written into which columns, and what RETURNING shows of it.
import type { CatalogRelation } from '../../../types.ts';
import {
  type ColumnKey,
  columnKey,
  computed,
  derive,
  either,
  type Field,
  INDEPENDENT,
  isFree,
  type Value,
} from '../../flow.ts';
import type { Assignment, ColumnName, Delete, Insert, Name, Update } from '../ast.ts';
import { decideBy, decideByOrder, evaluate, INSERTED } from './expressions.ts';
import { fromTables, storedItem } from './from.ts';
import { items, query, withClause } from './queries.ts';
import { type Item, type Level, lookedFor, NotFollowed, renamed, write } from './scope.ts';

/** The columns of RETURNING, or null where there is none. */
export type Returned = readonly Field[] | null;

/** The table that INSERT fills, and what has been put there so far, by the column's place. */
interface Target {
  readonly relation: CatalogRelation;
  readonly item: Item;
  readonly written: Map<number, Value>;
}

function targetOf(level: Level, name: Name): Target {
  const { catalog, searchPath } = level.run;
  const relation = catalog.find(name.schema, name.name, searchPath);
  if (relation === undefined) throw new NotFollowed(`the table ${name.name} is not known`);
  return { relation, item: storedItem(level, name, null).item, written: new Map() };
}

/** Notes what is put into a column, by its place. Answers the column that is written: through a view, the one below. */
function put(level: Level, { relation, item, written }: Target, place: number, value: Value): ColumnKey {
  const before = written.get(place);
  written.set(place, before === undefined ? value : either(before, value));
  const field = item.fields[place];
  const attribute = [...relation.columns.keys()][place] ?? 0;
  const column = field?.value.flow.direct ?? columnKey(relation.oid, attribute);
  write(level.run, `${relation.schema}.${relation.name}.${field?.name}`, column, value.flow);
  return column;
}

function placeOf({ item }: Target, { name }: ColumnName): number {
  const looked = lookedFor(name);
  const place = item.fields.findIndex((field) => field.name === looked && field.loose === undefined);
  if (place < 0) throw new NotFollowed(`the column ${name} is not known`);
  return place;
}

export function insert(level: Level, value: Insert): Returned {
  const target = targetOf(level, value.table);
  const visible = target.item.fields.flatMap((field, place) => (field.starless === true ? [] : [place]));
  const places = value.columns === null ? visible : value.columns.map((column) => placeOf(target, column));
  const { source } = value;
  if (source.kind === 'rows') {
    for (const row of source.rows) {
      // A value may stand on columns of the same row that were set before it: on what was put there.
      const inner = { ...level, open: proposed(target) };
      row.forEach((given, i) => {
        put(inner, target, placeAt(places, i), evaluate(inner, given));
        inner.open = proposed(target);
      });
    }
  } else {
    const columns = query(level, source);
    for (const [i, column] of columns.entries()) put(level, target, placeAt(places, i), column.value);
  }
  onDuplicate(level, target, value);
  level.items.push(after(target));
  level.open.push(...after(target).fields);
  return value.returning === null ? null : items(level, value.returning);
}

function placeAt(places: readonly number[], i: number): number {
  const place = places[i];
  if (place === undefined) throw new NotFollowed('INSERT has more values than columns');
  return place;
}

function proposed({ item, written }: Target): Field[] {
  return item.fields.map((field, place) => ({ ...field, value: written.get(place) ?? INDEPENDENT }));
}

/** The new row is reached by VALUES(column), or by the alias that it was given. */
function onDuplicate(level: Level, target: Target, { onDuplicate: list, rowAlias, source, columns }: Insert): void {
  if (list.length === 0) return;
  if (source.kind === 'set-operation' || source.kind === 'table' || ('with' in source && source.with !== null)) {
    throw new NotFollowed(
      'ON DUPLICATE KEY UPDATE behind UNION, TABLE or WITH is not followed: put the query into FROM',
    );
  }
  const row = proposed(target);
  const inner: Level = { ...level, items: [...level.items, target.item], open: [...target.item.fields] };
  inner.items.push({ name: INSERTED, schema: null, fields: row });
  if (rowAlias !== null) {
    const named =
      rowAlias.columns === null
        ? row
        : renamed(
            columns === null ? row : columns.map((column) => row[placeOf(target, column)] as Field),
            rowAlias.columns,
          );
    inner.items.push({ name: rowAlias.name, schema: null, fields: named });
    if (rowAlias.columns !== null) inner.open.push(...named);
  }
  // The tables that the rows come from are in sight too.
  if (source.kind === 'select') fromTables(inner, source.from);
  for (const { column, value } of list) {
    const given = evaluate(inner, value);
    receive(inner, put(level, target, placeOf(target, column), given), given);
  }
}

/** A column is what it was, or something of what has been put there. */
function after({ item, written, relation }: Target): Item {
  const attributes = [...relation.columns.keys()];
  const fields = item.fields.map((field, place) => {
    const sources = relation.generatedFrom.get(attributes[place] ?? 0) ?? [];
    const from = [place, ...sources.map((source) => attributes.indexOf(source))];
    const given = from.map((source) => written.get(source) ?? INDEPENDENT);
    return isFree(computed(given)) ? field : { ...field, value: derive([field.value, ...given]) };
  });
  return { ...item, fields };
}

export function update(level: Level, value: Update): Returned {
  withClause(level, value.with);
  fromTables(level, value.tables);
  const seen = { ...level, items: [...level.items] };
  for (const assignment of value.set) assign(level, seen, assignment);
  decideBy(level, ...value.portion, value.where, value.limit?.count, value.limit?.offset);
  decideByOrder(level, value.orderBy);
  return value.returning === null ? null : items(level, value.returning);
}

/** The column that is set is one of the tables'; through a view, the one below. What is set later sees what was put there. */
function assign(level: Level, seen: Level, { column, value }: Assignment): void {
  const given = evaluate(seen, value);
  const { direct, unproven } = evaluate(level, column).flow;
  if (direct === null || unproven !== null) throw new NotFollowed(`the column ${column.name} is not known`);
  write(level.run, column.name, direct, given.flow);
  receive(seen, direct, given);
}

/** From here on the column may hold this too, by whatever name it is reached. */
function receive(level: Level, column: ColumnKey, given: Value): void {
  if (isFree(given.flow)) return;
  const filled = (field: Field): Field =>
    field.value.flow.keys.includes(column) ? { ...field, value: derive([field.value, given]) } : field;
  level.open = level.open.map(filled);
  for (const [i, item] of level.items.entries()) level.items[i] = { ...item, fields: item.fields.map(filled) };
}

export function remove(level: Level, value: Delete): Returned {
  withClause(level, value.with);
  if (value.multiple || value.from.length > 0) fromTables(level, value.from);
  else {
    for (const name of value.targets) {
      const { item, open } = storedItem(level, name, null);
      level.items.push(item);
      level.open.push(...open);
    }
  }
  decideBy(level, ...value.portion, value.where, value.limit?.count, value.limit?.offset);
  decideByOrder(level, value.orderBy);
  return value.returning === null ? null : items(level, value.returning);
}
