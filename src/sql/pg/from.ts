// What stands in FROM and USING: relations, subqueries, functions and joins, and what FOR UPDATE locks of them.

import type { ColumnPlace } from '../../types.ts';
import { children, expect, useOperator, visit } from './expressions.ts';
import { select } from './queries.ts';
import { isSettingsView } from './settings-view.ts';
import { type Fields, fieldsOf, listOf, NotUnderstood, namesOf, nodeOf, optional, qualified, textOf } from './tree.ts';
import { addColumn, addFunction, addRelation, isCte, type Scope, type Walk } from './walk.ts';

/** Which items a FOR UPDATE or FOR SHARE locks: none, all, or those of these aliases. */
export type Lock = 'all' | ReadonlySet<string> | null;

/** The lock of a query's own clauses together with one from around it. */
export function lockOf(value: unknown, around: Lock): Lock {
  const names = new Set<string>();
  if (around === 'all') return 'all';
  const clauses = listOf(value);
  for (const item of clauses) {
    const { type, fields } = nodeOf(item);
    if (type !== 'LockingClause') throw new NotUnderstood(`${type} where FOR UPDATE belongs`);
    expect(type, fields);
    if (fields.lockedRels === undefined) return 'all';
    for (const locked of listOf(fields.lockedRels)) {
      const range = nodeOf(locked);
      if (range.type !== 'RangeVar') throw new NotUnderstood('FOR UPDATE OF has an unknown form');
      names.add(textOf(range.fields.relname) ?? '');
    }
  }
  return clauses.length === 0 ? null : names;
}

function locks(lock: Lock, name: string): boolean {
  return lock === 'all' || (lock?.has(name) ?? false);
}

/** A list of items; names that they bring into sight are added to the scope, left to right. */
export function fromItems(walk: Walk, list: unknown, scope: Scope, place: ColumnPlace, lock: Lock): void {
  for (const item of listOf(list)) fromItem(walk, item, scope, place, lock);
}

function fromItem(walk: Walk, item: unknown, scope: Scope, place: ColumnPlace, lock: Lock): void {
  const { type, fields } = nodeOf(item);
  expect(type, fields);
  const alias = optional(fields.alias);
  if (alias !== null) expect('Alias', alias);
  switch (type) {
    case 'RangeVar':
      return relation(walk, fields, alias, scope, lock);
    case 'RangeSubselect':
      return subselect(walk, fields, alias, scope, lock);
    case 'JoinExpr':
      return join(walk, fields, alias, scope, place, lock);
    case 'RangeFunction':
      return functions(walk, fields, alias, scope);
    case 'RangeTableSample':
      return sample(walk, fields, scope, place, lock);
    case 'RangeTableFunc':
      return without(walk, type, fields, scope);
    case 'JsonTable':
      addFunction(walk, null, 'json_table', 'read');
      return without(walk, type, fields, scope);
    default:
      throw new NotUnderstood(`${type} in FROM is not known to the gateway`);
  }
}

function relation(walk: Walk, fields: Fields, alias: Fields | null, scope: Scope, lock: Lock): void {
  const schema = textOf(fields.schemaname);
  const name = textOf(fields.relname) ?? '';
  const seenAs = alias === null ? name : (textOf(alias.aliasname) ?? name);
  if (schema === null && isCte(scope, name)) {
    scope.derived.add(seenAs);
    return;
  }
  if (isSettingsView(schema, name)) {
    // Which settings it gets hangs on a literal.
    walk.valueBlind = false;
    addRelation(walk, schema, name, fields === walk.settingsByName ? 'read' : 'admin');
  } else {
    addRelation(walk, schema, name, 'read');
  }
  if (locks(lock, seenAs)) addRelation(walk, schema, name, 'write');
  if (alias?.colnames !== undefined) walk.columnsHidden = true;
  scope.rows.add(seenAs);
}

function subselect(walk: Walk, fields: Fields, alias: Fields | null, scope: Scope, lock: Lock): void {
  const { type, fields: inner } = nodeOf(fields.subquery);
  if (type !== 'SelectStmt') throw new NotUnderstood(`${type} where a subquery belongs`);
  if (alias !== null) scope.derived.add(textOf(alias.aliasname) ?? '');
  const locked = lock === 'all' || (alias !== null && locks(lock, textOf(alias.aliasname) ?? ''));
  select(walk, inner, scope, false, locked ? 'all' : null);
}

function join(walk: Walk, fields: Fields, alias: Fields | null, scope: Scope, place: ColumnPlace, lock: Lock): void {
  // Locking a join by its own alias is an error in the server; all of it is the careful reading.
  const inner = alias !== null && locks(lock, textOf(alias.aliasname) ?? '') ? 'all' : lock;
  fromItem(walk, fields.larg, scope, place, inner);
  fromItem(walk, fields.rarg, scope, place, inner);
  if (fields.isNatural === true) {
    walk.columnsHidden = true;
    useOperator(walk, ['=']);
  }
  for (const column of namesOf(fields.usingClause)) {
    // The merged column may come out without its origin.
    addColumn(walk, null, column, 'expression');
    useOperator(walk, ['=']);
  }
  visit(walk, fields.quals, scope, place);
  const using = optional(fields.join_using_alias);
  if (using !== null) {
    expect('Alias', using);
    scope.rows.add(textOf(using.aliasname) ?? '');
  }
  if (alias !== null) {
    if (alias.colnames !== undefined) walk.columnsHidden = true;
    scope.rows.add(textOf(alias.aliasname) ?? '');
  }
}

/** `f(…)` or `ROWS FROM (…)`: each is a list of the call and its column definitions. */
function functions(walk: Walk, fields: Fields, alias: Fields | null, scope: Scope): void {
  const name = textOf(alias?.aliasname);
  if (name !== null) scope.values.add(name);
  for (const item of listOf(fields.functions)) {
    const { type, fields: pair } = nodeOf(item);
    if (type !== 'List') throw new NotUnderstood('a function in FROM has an unknown form');
    const [call, definitions] = listOf(pair.items);
    visit(walk, call, scope, 'expression');
    if (definitions !== undefined && Object.keys(fieldsOf(definitions)).length > 0)
      visit(walk, definitions, scope, 'expression');
  }
  visit(walk, fields.coldeflist, scope, 'expression');
}

const SAMPLE_METHODS: ReadonlySet<string> = new Set(['bernoulli', 'system', 'system_rows', 'system_time']);

function sample(walk: Walk, fields: Fields, scope: Scope, place: ColumnPlace, lock: Lock): void {
  const { schema, name } = qualified(namesOf(fields.method));
  const ours = (schema === null || schema === 'pg_catalog') && SAMPLE_METHODS.has(name);
  addFunction(walk, schema, name, ours ? 'read' : 'admin');
  fromItem(walk, fields.relation, scope, place, lock);
  visit(walk, fields.args, scope, 'expression');
  visit(walk, fields.repeatable, scope, 'expression');
}

/** A table made of expressions alone; its alias is looked at already. */
function without(walk: Walk, type: string, fields: Fields, scope: Scope): void {
  const { alias: _, ...rest } = fields;
  children(walk, type, rest, scope, 'expression');
}
