// Queries and changes of rows: which relations with which access, which columns where.
//
// `outer` says that the query is the statement itself, a plain one, so that its bare columns come out as they are.
import type { ColumnPlace } from '../../types.ts';
import type {
  Assignment,
  Delete,
  Insert,
  Name,
  Query,
  Select,
  SelectItem,
  TableReference,
  Update,
  With,
} from './ast.ts';
import { visit, visitAll, visitOrder, window } from './expressions.ts';
import { isCte, openScope, type Scope, type Walk } from './walk.ts';

export function query(walk: Walk, value: Query, parent: Scope | null, outer: boolean, body = false): void {
  const scope = openScope(parent, body);
  withClause(walk, value.with, scope);
  into(walk, value);
  const plain = outer && value.kind === 'select';
  const used: ColumnPlace = plain ? 'predicate' : 'expression';
  // A position in ORDER BY stands for a column.
  if (value.orderBy.length > 0) walk.valueBlind &&= value.orderBy.every(({ value: key }) => key.kind !== 'literal');
  switch (value.kind) {
    case 'select':
      select(walk, value, scope, plain);
      break;
    case 'set-operation':
      query(walk, value.left, scope, false);
      query(walk, value.right, scope, false);
      break;
    case 'values':
      for (const row of value.rows) visitAll(walk, row, scope, 'expression');
      break;
    case 'table':
      if (value.table.schema !== null || !isCte(scope, value.table.name)) walk.relation(value.table, 'read');
      walk.column(null, '*', outer ? 'output' : 'expression');
  }
  visitOrder(walk, value.orderBy, scope, used);
  visit(walk, value.limit?.count ?? null, scope, 'expression');
  visit(walk, value.limit?.offset ?? null, scope, 'expression');
  if (value.locks) lock(walk, value, scope);
}

function into(walk: Walk, { into: target }: Query): void {
  if (target === null) return;
  if (target.kind === 'variables') {
    // What is not a user variable could only be a routine's own.
    if (target.names.some((name) => !name.startsWith('@'))) walk.need('never');
    return;
  }
  walk.kind(`into-${target.kind}`);
  walk.need('admin');
}

/** Rows that are locked are as good as written to. */
function lock(walk: Walk, value: Query, scope: Scope): void {
  const named = value.kind === 'select' ? namesIn(value.from) : [];
  if (named.length === 0) return walk.need('write');
  for (const table of named) {
    if (table.schema !== null || !isCte(scope, table.name)) walk.relation(table, 'write');
  }
}

function withClause(walk: Walk, clause: With | null, scope: Scope): void {
  if (clause === null) return;
  if (clause.recursive) for (const { name } of clause.tables) scope.later.add(name);
  for (const { name, query: inner } of clause.tables) {
    scope.later.delete(name);
    if (clause.recursive) scope.ctes.add(name);
    query(walk, inner, scope, false, true);
    scope.ctes.add(name);
  }
}

function select(walk: Walk, value: Select, scope: Scope, outer: boolean): void {
  const used: ColumnPlace = outer ? 'predicate' : 'expression';
  for (const table of value.from) reference(walk, table, scope, used);
  outputs(walk, value.items, scope, outer);
  visit(walk, value.where, scope, used);
  if (value.groupBy.some(({ value: key }) => key.kind === 'literal')) walk.valueBlind = false;
  visitOrder(walk, value.groupBy, scope, used);
  visit(walk, value.having, scope, used);
  for (const named of value.windows) window(walk, named.window, scope);
  if (value.procedure !== null) walk.hidden(`PROCEDURE ${value.procedure}`);
}

function outputs(walk: Walk, items: readonly SelectItem[], scope: Scope, outer: boolean): void {
  for (const item of items) {
    if (item.kind === 'star') walk.column(item.table, '*', outer ? 'output' : 'expression');
    else visit(walk, item.value, scope, outer && item.value.kind === 'column' ? 'output' : 'expression');
  }
}

/** A table in FROM, with the conditions of its joins. */
function reference(walk: Walk, table: TableReference, scope: Scope, place: ColumnPlace): void {
  switch (table.kind) {
    case 'table-name':
      if (table.table.schema !== null || !isCte(scope, table.table.name)) walk.relation(table.table, 'read');
      return visitAll(walk, table.systemTime, scope, 'expression');
    case 'derived':
      return query(walk, table.query, scope, false);
    case 'json-table':
      walk.call(null, 'json_table', 'read');
      return visitAll(walk, [table.document, table.path], scope, 'expression');
    case 'group':
      for (const inner of table.tables) reference(walk, inner, scope, place);
      return;
    case 'join':
      reference(walk, table.left, scope, place);
      reference(walk, table.right, scope, place);
      visit(walk, table.on, scope, place);
      for (const name of table.using ?? []) walk.column(null, name, 'expression');
  }
}

interface NamedTable extends Pick<Name, 'schema' | 'name'> {
  readonly alias: string;
}

/** The tables that FROM names, at the level of the statement itself. */
function namesIn(tables: readonly TableReference[]): NamedTable[] {
  return tables.flatMap((table): NamedTable[] => {
    switch (table.kind) {
      case 'table-name': {
        const { schema, name } = table.table;
        return [{ schema, name, alias: table.alias ?? name }];
      }
      case 'group':
        return namesIn(table.tables);
      case 'join':
        return namesIn([table.left, table.right]);
      default:
        return [];
    }
  });
}

// --- Changes of rows -----------------------------------------------------------------------------------------------------
//
// What looks at the columns of its table reads it (MySQL "UPDATE Statement": the SELECT privilege).

export function insert(walk: Walk, value: Insert): void {
  walk.kind(value.replace ? 'replace' : 'insert');
  const scope = openScope(null);
  walk.relation(value.table, 'write');
  if (value.columns === null) walk.column(null, '*', 'assigned');
  for (const column of value.columns ?? []) walk.column(null, column.name, 'assigned');
  if (value.source.kind === 'rows') for (const row of value.source.rows) visitAll(walk, row, scope, 'expression');
  else query(walk, value.source, scope, false);
  assigned(walk, value.onDuplicate, scope);
  returning(walk, value.returning, value.table, scope);
}

function assigned(walk: Walk, list: readonly Assignment[], scope: Scope): void {
  for (const { column, value } of list) {
    walk.column(null, column.name, 'assigned');
    visit(walk, value, scope, 'expression');
  }
}

function returning(walk: Walk, items: readonly SelectItem[] | null, table: Name, scope: Scope): void {
  if (items === null) return;
  walk.relation(table, 'read');
  outputs(walk, items, scope, false);
}

/** WHERE of an UPDATE or DELETE; one that looks at no column holds for every row or for none, as if it were not there. */
function rowsChosen(
  walk: Walk,
  { where, orderBy, limit }: Update | Delete,
  kind: string,
  scope: Scope,
  joined: boolean,
): void {
  const before = walk.columnRefs;
  visit(walk, where, scope, 'predicate');
  if (walk.columnRefs === before && !joined) walk.kind(`${kind}-without-where`);
  visitOrder(walk, orderBy, scope, 'predicate');
  visit(walk, limit?.count ?? null, scope, 'expression');
}

export function update(walk: Walk, value: Update): void {
  walk.kind('update');
  const scope = openScope(null);
  withClause(walk, value.with, scope);
  const named = namesIn(value.tables).filter(({ schema, name }) => schema !== null || !isCte(scope, name));
  const [only] = value.tables;
  const single = value.tables.length === 1 && only?.kind === 'table-name';
  const before = walk.columnRefs;
  if (!single) for (const table of value.tables) reference(walk, table, scope, 'predicate');
  visitAll(walk, value.portion, scope, 'predicate');
  for (const { column } of value.set) {
    const hit = named.filter((table) => column.table === null || same(table.alias, column.table));
    // A table that no name fits could be any of them.
    for (const table of hit.length === 0 ? named : hit) walk.relation(table, 'write');
  }
  if (named.length === 0) walk.need('write');
  assigned(walk, value.set, scope);
  rowsChosen(walk, value, 'update', scope, !single);
  if (single && walk.columnRefs > before) for (const table of named) walk.relation(table, 'read');
  if (value.returning !== null && only?.kind === 'table-name') returning(walk, value.returning, only.table, scope);
}

export function remove(walk: Walk, value: Delete): void {
  walk.kind('delete');
  const scope = openScope(null);
  withClause(walk, value.with, scope);
  const before = walk.columnRefs;
  if (value.multiple) {
    for (const table of value.from) reference(walk, table, scope, 'predicate');
    const named = namesIn(value.from);
    for (const target of value.targets) {
      const hit = named.filter((table) => same(table.alias, target.name) && fits(table.schema, target.schema));
      if (hit.length === 0) walk.relation(target, 'write');
      for (const table of hit) walk.relation(table, 'write');
    }
  } else {
    for (const target of value.targets) walk.relation(target, 'write');
  }
  visitAll(walk, value.portion, scope, 'predicate');
  rowsChosen(walk, value, 'delete', scope, value.multiple);
  if (!value.multiple && walk.columnRefs > before) for (const target of value.targets) walk.relation(target, 'read');
  const [target] = value.targets;
  if (target !== undefined) returning(walk, value.returning, target, scope);
}

function same(a: string, b: string): boolean {
  return a.toLowerCase() === b.toLowerCase();
}

function fits(a: string | null, b: string | null): boolean {
  return a === null || b === null || same(a, b);
}
