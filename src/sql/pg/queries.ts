// SELECT, INSERT, UPDATE, DELETE and MERGE, wherever they stand: which relations with which access, which columns where.
//
// `outer` says that the query is the statement itself, a plain one, so that its bare columns come out as they are.
// Every function takes fields that have not been checked against their shape yet, and checks them.

import type { ColumnPlace } from '../../types.ts';
import { columnRef, expect, useOperator, visit } from './expressions.ts';
import { fromItems, type Lock, lockOf } from './from.ts';
import { settingsByName } from './settings-view.ts';
import {
  type Fields,
  fieldsOf,
  integerOf,
  listOf,
  type Node,
  NotUnderstood,
  namesOf,
  nodeOf,
  optional,
  textOf,
} from './tree.ts';
import { addColumn, addKind, addNeed, addRelation, addTarget, openScope, type Scope, type Walk } from './walk.ts';

/** A query as a statement, a CTE, or what COPY, EXPLAIN and their like wrap: with its kind. */
export function query(walk: Walk, value: unknown, parent: Scope | null, outer: boolean): void {
  const { type, fields } = nodeOf(value);
  switch (type) {
    case 'SelectStmt':
      if (outer || walk.kinds.length === 0) addKind(walk, 'select');
      return select(walk, fields, parent, outer);
    case 'InsertStmt':
      return insert(walk, fields, parent, outer);
    case 'UpdateStmt':
      return update(walk, fields, parent, outer);
    case 'DeleteStmt':
      return remove(walk, fields, parent, outer);
    case 'MergeStmt':
      return merge(walk, fields, parent, outer);
    default:
      throw new NotUnderstood(`${type} where a query belongs`);
  }
}

/** One SELECT, VALUES, TABLE or set operation. `lock` is what a FOR UPDATE around it reaches inside. */
export function select(walk: Walk, fields: Fields, parent: Scope | null, outer: boolean, lock: Lock = null): void {
  expect('SelectStmt', fields);
  if (fields.intoClause !== undefined && fields.intoClause !== walk.into)
    throw new NotUnderstood('INTO stands where the server does not allow it');
  const scope = openScope(parent);
  withClause(walk, fields.withClause, scope);
  if (fields.op !== 'SETOP_NONE') {
    select(walk, fieldsOf(fields.larg), scope, false, lock);
    select(walk, fieldsOf(fields.rarg), scope, false, lock);
    for (const part of [fields.sortClause, fields.limitOffset, fields.limitCount])
      visit(walk, part, scope, 'expression');
    // Positions name columns that are expressions already.
    if (fields.sortClause !== undefined) walk.valueBlind = false;
    if (fields.lockingClause !== undefined) throw new NotUnderstood('a set operation cannot lock rows');
    return;
  }
  const used: ColumnPlace = outer ? 'predicate' : 'expression';
  if (outer) walk.settingsByName = settingsByName(fields);
  fromItems(walk, fields.fromClause, scope, used, lockOf(fields.lockingClause, lock));
  const targets = outputs(walk, fields.targetList, scope, outer);
  visit(walk, fields.whereClause, scope, used);
  visit(walk, fields.havingClause, scope, used);
  keys(walk, fields.groupClause, targets, scope, used);
  keys(walk, fields.sortClause, targets, scope, used);
  distinct(walk, fields.distinctClause, targets, scope, used);
  visit(walk, fields.windowClause, scope, 'expression');
  visit(walk, fields.valuesLists, scope, 'expression');
  visit(walk, fields.limitOffset, scope, 'expression');
  visit(walk, fields.limitCount, scope, 'expression');
}

interface Output {
  readonly alias: string | null;
  /** The column that comes out as it is, or null: then it is computed. */
  readonly column: Fields | null;
}

/** A select list or RETURNING. */
function outputs(walk: Walk, list: unknown, scope: Scope, outer: boolean): Output[] {
  return listOf(list).map((item) => {
    const { type, fields } = nodeOf(item);
    if (type !== 'ResTarget' || fields.indirection !== undefined)
      throw new NotUnderstood('a result column has an unknown form');
    expect(type, fields);
    const value = nodeOf(fields.val);
    const column = value.type === 'ColumnRef' ? value.fields : null;
    if (column === null) visit(walk, fields.val, scope, 'expression');
    else columnRef(walk, column, scope, outer ? 'output' : 'expression');
    return { alias: textOf(fields.name), column };
  });
}

/** ORDER BY and GROUP BY, where a number or an alias stands for a result column. */
function keys(walk: Walk, list: unknown, targets: readonly Output[], scope: Scope, place: ColumnPlace): void {
  for (const item of listOf(list)) {
    const { type, fields } = nodeOf(item);
    const key = type === 'SortBy' ? fields.node : item;
    meanings(walk, key, targets, scope, place);
    visit(walk, item, scope, place);
  }
}

function meanings(walk: Walk, key: unknown, targets: readonly Output[], scope: Scope, place: ColumnPlace): void {
  const { type, fields } = nodeOf(key);
  if (type === 'GroupingSet' || type === 'RowExpr') {
    for (const inner of listOf(type === 'RowExpr' ? fields.args : fields.content))
      meanings(walk, inner, targets, scope, place);
    return;
  }
  const position = integerOf(key);
  if (position !== null) {
    walk.valueBlind = false;
    // A star before it moves what the position means.
    if (targets.some(isStar)) addColumn(walk, null, '*', place);
    const column = targets[position - 1]?.column;
    if (column) columnRef(walk, column, scope, place);
  } else if (type === 'ColumnRef') {
    const parts = listOf(fields.fields);
    const only = parts.length === 1 ? nodeOf(parts[0]) : null;
    const name = only?.type === 'String' ? textOf(only.fields.sval) : null;
    for (const target of targets)
      if (target.alias !== null && target.alias === name && target.column) columnRef(walk, target.column, scope, place);
  }
}

function isStar(output: Output): boolean {
  return output.column !== null && nodeOf(listOf(output.column.fields).at(-1)).type === 'A_Star';
}

/** DISTINCT compares every result column (its list is one NULL), DISTINCT ON what it names. */
function distinct(walk: Walk, value: unknown, targets: readonly Output[], scope: Scope, place: ColumnPlace): void {
  const list = listOf(value);
  if (list.length === 1 && Object.keys(fieldsOf(list[0])).length === 0) {
    for (const { column } of targets) if (column !== null) columnRef(walk, column, scope, place);
  } else {
    keys(walk, list, targets, scope, place);
  }
}

/** CTEs see those before them, or all of them where the list is RECURSIVE. */
function withClause(walk: Walk, value: unknown, scope: Scope): void {
  const clause = optional(value);
  if (clause === null) return;
  expect('WithClause', clause);
  const ctes = listOf(clause.ctes).map((item) => {
    const { type, fields } = nodeOf(item);
    if (type !== 'CommonTableExpr') throw new NotUnderstood(`${type} where a CTE belongs`);
    expect(type, fields);
    return fields;
  });
  if (clause.recursive === true) for (const cte of ctes) scope.ctes.add(textOf(cte.ctename) ?? '');
  for (const cte of ctes) {
    query(walk, cte.ctequery, scope, false);
    const cycle = optional(cte.cycle_clause);
    if (cycle !== null) {
      expect('CTECycleClause', cycle);
      visit(walk, cycle.cycle_mark_value, scope, 'expression');
      visit(walk, cycle.cycle_mark_default, scope, 'expression');
      useOperator(walk, ['<>']);
    }
    const search = optional(cte.search_clause);
    if (search !== null) expect('CTESearchClause', search);
    scope.ctes.add(textOf(cte.ctename) ?? '');
  }
}

/** The relation that a statement changes: never a CTE, whatever its name. */
function target(walk: Walk, value: unknown, scope: Scope): { schema: string | null; name: string } {
  const fields = fieldsOf(value);
  expect('RangeVar', fields);
  const alias = optional(fields.alias);
  if (alias?.colnames !== undefined) walk.columnsHidden = true;
  const found = addTarget(walk, fields, 'write');
  // An UPDATE of it is a SET, by rule, of settings that cannot be seen here.
  if (found.name === 'pg_settings') addNeed(walk, 'never');
  scope.rows.add(alias === null ? found.name : (textOf(alias.aliasname) ?? found.name));
  return found;
}

function insert(walk: Walk, fields: Fields, parent: Scope | null, outer: boolean): void {
  expect('InsertStmt', fields);
  addKind(walk, 'insert');
  const scope = openScope(parent);
  withClause(walk, fields.withClause, scope);
  if (fields.selectStmt !== undefined) {
    const source = nodeOf(fields.selectStmt);
    if (source.type !== 'SelectStmt') throw new NotUnderstood(`${source.type} where a query belongs`);
    select(walk, source.fields, scope, false);
  }
  const relation = target(walk, fields.relation, scope);
  assigned(walk, fields.cols, scope);
  if (fields.cols === undefined) addColumn(walk, null, '*', 'assigned');
  const conflict = optional(fields.onConflictClause);
  if (conflict !== null) onConflict(walk, conflict, scope, outer);
  returning(walk, fields.returningClause, relation, scope, outer);
}

function onConflict(walk: Walk, fields: Fields, parent: Scope, outer: boolean): void {
  expect('OnConflictClause', fields);
  const scope = openScope(parent);
  scope.rows.add('excluded');
  const used: ColumnPlace = outer ? 'predicate' : 'expression';
  const infer = optional(fields.infer);
  if (infer !== null) {
    expect('InferClause', infer);
    for (const item of listOf(infer.indexElems)) indexElement(walk, nodeOf(item), scope, used);
    visit(walk, infer.whereClause, scope, used);
  }
  assigned(walk, fields.targetList, scope);
  visit(walk, fields.whereClause, scope, used);
}

/** A column or expression of an index, of ON CONFLICT or of a partition key. */
export function indexElement(walk: Walk, node: Node, scope: Scope, place: ColumnPlace): void {
  expect(node.type, node.fields);
  if (node.type !== 'IndexElem' && node.type !== 'PartitionElem')
    throw new NotUnderstood('an index column has an unknown form');
  const name = textOf(node.fields.name);
  if (name !== null) addColumn(walk, null, name, place);
  visit(walk, node.fields.expr, scope, place);
}

/** Columns that are set, and what they are set to. */
function assigned(walk: Walk, list: unknown, scope: Scope): void {
  for (const item of listOf(list)) {
    const { type, fields } = nodeOf(item);
    if (type !== 'ResTarget') throw new NotUnderstood('a column that is set has an unknown form');
    expect(type, fields);
    addColumn(walk, null, textOf(fields.name) ?? '', 'assigned');
    for (const step of listOf(fields.indirection)) {
      const { type: kind } = nodeOf(step);
      if (kind === 'A_Indices') visit(walk, step, scope, 'expression');
      else namesOf([step]);
    }
    visit(walk, fields.val, scope, 'expression');
  }
}

function returning(
  walk: Walk,
  value: unknown,
  relation: { schema: string | null; name: string },
  parent: Scope,
  outer: boolean,
): void {
  const clause = optional(value);
  if (clause === null) return;
  expect('ReturningClause', clause);
  addRelation(walk, relation.schema, relation.name, 'read');
  const scope = openScope(parent);
  scope.rows.add('old').add('new');
  for (const item of listOf(clause.options)) {
    const { type, fields } = nodeOf(item);
    if (type !== 'ReturningOption') throw new NotUnderstood('RETURNING has an unknown form');
    expect(type, fields);
    scope.rows.add(textOf(fields.value) ?? '');
  }
  outputs(walk, clause.exprs, scope, outer);
}

/** WHERE of an UPDATE or DELETE; one that looks at no column holds for every row or for none, as if it were not there. */
function rowsChosen(walk: Walk, value: unknown, kind: string, scope: Scope, place: ColumnPlace): void {
  const before = walk.columnRefs;
  visit(walk, value, scope, place);
  const cursor = value !== undefined && nodeOf(value).type === 'CurrentOfExpr';
  if (walk.columnRefs === before && !cursor) addKind(walk, `${kind}-without-where`);
}

function update(walk: Walk, fields: Fields, parent: Scope | null, outer: boolean): void {
  expect('UpdateStmt', fields);
  addKind(walk, 'update');
  const scope = openScope(parent);
  withClause(walk, fields.withClause, scope);
  const used: ColumnPlace = outer ? 'predicate' : 'expression';
  const relation = target(walk, fields.relation, scope);
  fromItems(walk, fields.fromClause, scope, used, null);
  assigned(walk, fields.targetList, scope);
  rowsChosen(walk, fields.whereClause, 'update', scope, used);
  returning(walk, fields.returningClause, relation, scope, outer);
}

function remove(walk: Walk, fields: Fields, parent: Scope | null, outer: boolean): void {
  expect('DeleteStmt', fields);
  addKind(walk, 'delete');
  const scope = openScope(parent);
  withClause(walk, fields.withClause, scope);
  const used: ColumnPlace = outer ? 'predicate' : 'expression';
  const relation = target(walk, fields.relation, scope);
  fromItems(walk, fields.usingClause, scope, used, null);
  rowsChosen(walk, fields.whereClause, 'delete', scope, used);
  returning(walk, fields.returningClause, relation, scope, outer);
}

/** What WHEN … THEN does counts as the statement of that name. */
const MERGE_ACTIONS: Readonly<Record<string, string>> = {
  CMD_DELETE: 'delete',
  CMD_INSERT: 'insert',
  CMD_NOTHING: '',
  CMD_UPDATE: 'update',
};

function merge(walk: Walk, fields: Fields, parent: Scope | null, outer: boolean): void {
  expect('MergeStmt', fields);
  addKind(walk, 'merge');
  const scope = openScope(parent);
  withClause(walk, fields.withClause, scope);
  const used: ColumnPlace = outer ? 'predicate' : 'expression';
  const relation = target(walk, fields.relation, scope);
  fromItems(walk, [fields.sourceRelation], scope, used, null);
  const before = walk.columnRefs;
  visit(walk, fields.joinCondition, scope, used);
  const joined = walk.columnRefs;
  for (const item of listOf(fields.mergeWhenClauses)) {
    const { type, fields: when } = nodeOf(item);
    if (type !== 'MergeWhenClause') throw new NotUnderstood(`${type} where WHEN belongs`);
    expect(type, when);
    const sofar = walk.columnRefs;
    visit(walk, when.condition, scope, used);
    const action = MERGE_ACTIONS[textOf(when.commandType) ?? ''];
    if (action === undefined) throw new NotUnderstood('MERGE has an action that the gateway does not know');
    if (action !== '') addKind(walk, action);
    const unlimited = joined === before && walk.columnRefs === sofar;
    if (unlimited && (action === 'delete' || action === 'update')) addKind(walk, `${action}-without-where`);
    assigned(walk, when.targetList, scope);
    if (when.commandType === 'CMD_INSERT' && when.targetList === undefined) addColumn(walk, null, '*', 'assigned');
    visit(walk, when.values, scope, 'expression');
  }
  returning(walk, fields.returningClause, relation, scope, outer);
}
