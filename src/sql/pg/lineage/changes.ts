// INSERT, UPDATE, DELETE and MERGE: what is written into which columns, and what RETURNING shows of it.

import {
  columnKey,
  computed,
  derive,
  either,
  type Field,
  type Flow,
  INDEPENDENT,
  isFree,
  type Value,
} from '../../flow.ts';
import { type Fields, fieldsOf, listOf, NotUnderstood, nameOf, nodeOf, optional, textOf } from '../tree.ts';
import { decideBy, evaluate, evaluateAll, shapeOf } from './expressions.ts';
import { fromItem, fromItems, storedItem } from './from.ts';
import { query, targets, withClause } from './queries.ts';
import { type Item, item, type Level, openLevel, withItems, write } from './scope.ts';

/** The relation that a statement changes, and what it has been seen to write there. */
interface Target {
  readonly item: Item;
  readonly oid: number;
  /** `schema.name`. */
  readonly name: string;
  readonly attributes: readonly number[];
  /** Generated columns: a column's place to those of the columns that it is computed from. */
  readonly generated: ReadonlyMap<number, readonly number[]>;
  /** By a column's place: everything that is put there. */
  readonly written: Map<number, Value>;
}

/** The columns of RETURNING, or null where there is none. */
export function change(parent: Level, type: string, fields: Fields): readonly Field[] | null {
  shapeOf(type, fields);
  const level = openLevel(parent.run, parent);
  withClause(level, fields.withClause);
  const target = targetOf(level, fields.relation);
  switch (type) {
    case 'InsertStmt':
      return insert(level, target, fields);
    case 'UpdateStmt':
      level.items.push(hidden(target.item));
      fromItems(level, fields.fromClause);
      assign(level, target, fields.targetList);
      decideBy(level, fields.whereClause);
      return returning(level, target, fields.returningClause);
    case 'DeleteStmt':
      level.items.push(hidden(target.item));
      fromItems(level, fields.usingClause);
      decideBy(level, fields.whereClause);
      return returning(level, target, fields.returningClause);
    case 'MergeStmt':
      return merge(level, target, fields);
    default:
      throw new NotUnderstood(`${type} where a query belongs`);
  }
}

/** Items of FROM may not refer to the target, not even LATERAL. */
function hidden(one: Item): Item {
  one.lateral = true;
  return one;
}

function targetOf(level: Level, value: unknown): Target {
  const fields = fieldsOf(value);
  shapeOf('RangeVar', fields);
  const { catalog, searchPath } = level.run;
  const found = catalog.find(textOf(fields.schemaname), textOf(fields.relname) ?? '', searchPath);
  if (found === undefined) throw new NotUnderstood(`the relation ${textOf(fields.relname)} is not known`);
  const attributes = [...found.columns.keys()];
  const place = (attribute: number) => attributes.indexOf(attribute);
  return {
    item: storedItem(level, fields),
    oid: found.oid,
    name: `${found.schema}.${found.name}`,
    attributes,
    generated: new Map([...found.generatedFrom].map(([attribute, from]) => [place(attribute), from.map(place)])),
    written: new Map(),
  };
}

/** Notes what is put into a column, by its name. An alias renames the target's columns for reading only. */
function put(level: Level, target: Target, name: string, value: Value): void {
  const relation = level.run.catalog.relation(target.oid);
  const place = [...(relation?.columns.values() ?? [])].indexOf(name);
  if (place < 0) throw new NotUnderstood(`the column ${name} is not known`);
  putAt(level, target, place, name, value);
}

function putAt(level: Level, target: Target, place: number, name: string, value: Value): void {
  const before = target.written.get(place);
  target.written.set(place, before === undefined ? value : either(before, value));
  // Through a view, the column that is written is the one below.
  const field = target.item.fields[place];
  const own = columnKey(target.oid, target.attributes[place] ?? 0);
  write(level.run, `${target.name}.${name}`, field?.value.flow.direct ?? own, value.flow);
}

/** `SET a = x, (b, c) = (…)`. */
function assign(level: Level, target: Target, list: unknown): void {
  let source: readonly Value[] = [];
  for (const node of listOf(list)) {
    const { type, fields } = nodeOf(node);
    if (type !== 'ResTarget') throw new NotUnderstood('a column that is set has an unknown form');
    shapeOf(type, fields);
    const { type: kind, fields: part } = nodeOf(fields.val);
    let value: Value;
    if (kind === 'MultiAssignRef') {
      shapeOf(kind, part);
      const number = typeof part.colno === 'number' ? part.colno : 0;
      // The tree repeats the source for each column.
      if (number === 1) source = sources(level, part);
      const found = source[number - 1];
      if (found === undefined) throw new NotUnderstood('a column that is set has an unknown form');
      value = found;
    } else {
      value = evaluate(level, fields.val);
    }
    put(level, target, textOf(fields.name) ?? '', inside(level, value, fields.indirection));
  }
}

function sources(level: Level, part: Fields): readonly Value[] {
  const count = typeof part.ncolumns === 'number' ? part.ncolumns : 0;
  const value = evaluate(level, part.source);
  if (value.row && value.row.length === count) return value.row.map((field) => field.value);
  return count === 1 && value.row === null ? [value] : Array<Value>(count).fill(derive([value]));
}

/** `SET a[i] = x`, `SET c.f = x`: the column becomes something of both. */
function inside(level: Level, value: Value, steps: unknown): Value {
  const list = listOf(steps);
  if (list.length === 0) return value;
  const indexes = list.flatMap((step) => {
    const { type, fields } = nodeOf(step);
    if (type !== 'A_Indices') {
      nameOf(step);
      return [];
    }
    shapeOf(type, fields);
    return [fields.lidx, fields.uidx].filter((index) => index !== undefined).map((index) => evaluate(level, index));
  });
  return { ...derive([value, ...indexes]), row: undefined };
}

function insert(level: Level, target: Target, fields: Fields): readonly Field[] | null {
  const columns = listOf(fields.cols).map((node) => {
    const { type, fields: column } = nodeOf(node);
    if (type !== 'ResTarget') throw new NotUnderstood('a column of INSERT has an unknown form');
    shapeOf(type, column);
    return column;
  });
  const given = fields.selectStmt === undefined ? [] : query(level, fields.selectStmt).map((field) => field.value);
  rowInserted(level, target, columns, fields.cols !== undefined, given);
  level.items.push(target.item);
  const conflict = optional(fields.onConflictClause);
  if (conflict !== null) onConflict(level, target, conflict);
  return returning(level, target, fields.returningClause);
}

function rowInserted(
  level: Level,
  target: Target,
  columns: readonly Fields[],
  named: boolean,
  given: readonly Value[],
): void {
  if (given.length > (named ? columns.length : target.attributes.length))
    throw new NotUnderstood('INSERT has more values than columns');
  for (const [i, value] of given.entries()) {
    const column = columns[i];
    if (column !== undefined) {
      put(level, target, textOf(column.name) ?? '', inside(level, value, column.indirection));
    } else {
      const names = [...(level.run.catalog.relation(target.oid)?.columns.values() ?? [])];
      putAt(level, target, i, names[i] ?? '', value);
    }
  }
}

/** `excluded` is the row that was to be inserted. */
function onConflict(level: Level, target: Target, fields: Fields): void {
  shapeOf('OnConflictClause', fields);
  const infer = optional(fields.infer);
  if (infer !== null) {
    shapeOf('InferClause', infer);
    for (const node of listOf(infer.indexElems)) {
      const { type, fields: element } = nodeOf(node);
      shapeOf(type, element);
      const name = textOf(element.name);
      decideBy(level, name === null ? element.expr : { ColumnRef: { fields: [{ String: { sval: name } }] } });
    }
    decideBy(level, infer.whereClause);
  }
  const proposed = target.item.fields.map((field, i) => ({
    name: level.run.catalog.relation(target.oid)?.columns.get(target.attributes[i] ?? 0) ?? field.name,
    value: proposedAt(target, i),
  }));
  withItems(level, [...level.items, item('excluded', proposed)], () => {
    assign(level, target, fields.targetList);
    decideBy(level, fields.whereClause);
  });
}

function proposedAt(target: Target, place: number): Value {
  const from = target.generated.get(place);
  if (from === undefined) return target.written.get(place) ?? INDEPENDENT;
  return { ...derive(from.map((source) => target.written.get(source) ?? INDEPENDENT)), row: undefined };
}

/** MERGE: who is in sight depends on which side has the row. */
function merge(level: Level, target: Target, fields: Fields): readonly Field[] | null {
  const source = fromItem(level, fields.sourceRelation).items;
  for (const one of source) one.lateral = false;
  const both = [target.item, ...source];
  withItems(level, both, () => decideBy(level, fields.joinCondition));
  for (const node of listOf(fields.mergeWhenClauses)) {
    const { type, fields: when } = nodeOf(node);
    if (type !== 'MergeWhenClause') throw new NotUnderstood(`${type} where WHEN belongs`);
    shapeOf(type, when);
    const seen = SEEN[textOf(when.matchKind) ?? ''];
    if (seen === undefined) throw new NotUnderstood('WHEN has an unknown form');
    const items = { both, target: [target.item], source }[seen];
    withItems(level, items, () => {
      decideBy(level, when.condition);
      action(level, target, when);
    });
  }
  level.items = [...source, target.item];
  return returning(level, target, fields.returningClause);
}

const SEEN: Readonly<Record<string, 'both' | 'target' | 'source'>> = {
  MERGE_WHEN_MATCHED: 'both',
  MERGE_WHEN_NOT_MATCHED_BY_SOURCE: 'target',
  MERGE_WHEN_NOT_MATCHED_BY_TARGET: 'source',
};

function action(level: Level, target: Target, when: Fields): void {
  switch (when.commandType) {
    case 'CMD_UPDATE':
      return assign(level, target, when.targetList);
    case 'CMD_INSERT': {
      const columns = listOf(when.targetList).map((node) => nodeOf(node).fields);
      return rowInserted(level, target, columns, when.targetList !== undefined, evaluateAll(level, when.values));
    }
    case 'CMD_DELETE':
    case 'CMD_NOTHING':
      return;
    default:
      throw new NotUnderstood('WHEN has an unknown action');
  }
}

/** A column is what it was, or something of what is put there now; `old` is what it was. */
function returning(level: Level, target: Target, value: unknown): readonly Field[] | null {
  const clause = optional(value);
  if (clause === null) return null;
  shapeOf('ReturningClause', clause);
  const before = target.item.fields;
  const now = before.map((field, place) => ({ ...field, value: after(target, field.value, place) }));
  const shown: Item = { ...target.item, fields: now, alone: undefined };
  level.items = level.items.map((one) => (one === target.item ? shown : one));
  const names = new Map([
    ['old', 'old'],
    ['new', 'new'],
  ]);
  const taken = new Set(level.items.map((one) => one.name));
  const options = listOf(clause.options).map((node) => {
    const { type, fields } = nodeOf(node);
    if (type !== 'ReturningOption') throw new NotUnderstood('RETURNING has an unknown form');
    shapeOf(type, fields);
    return fields;
  });
  for (const name of ['old', 'new']) if (taken.has(name)) names.delete(name);
  for (const option of options) {
    const which =
      option.option === 'RETURNING_OPTION_OLD' ? 'old' : option.option === 'RETURNING_OPTION_NEW' ? 'new' : null;
    if (which === null) throw new NotUnderstood('RETURNING has an unknown form');
    names.set(which, textOf(option.value) ?? '');
  }
  for (const [which, name] of names)
    level.items.push(item(name, which === 'old' ? before : now, { open: false, stored: target.item.stored }));
  return targets(level, clause.exprs);
}

function after(target: Target, value: Value, place: number): Value {
  const put = (target.generated.get(place) ?? [place]).map((source) => target.written.get(source) ?? INDEPENDENT);
  const flow: Flow = computed(put);
  return isFree(flow) ? value : { ...derive([value, ...put]), row: value.row === null ? null : undefined };
}
