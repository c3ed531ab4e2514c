// Where values flow through one statement: which columns each output column depends on, which columns decide what rows
// there are, and what is stored or sent elsewhere.
//
// Resolves names as PostgreSQL's own parse analysis does (parser/analyze.c, parse_relation.c, parse_clause.c), over an
// allow-list of nodes. What a function does is taken to be what its arguments hold; which functions may be called at all is
// judged elsewhere, and so is EXECUTE and FETCH, whose outputs are those of what they name.

import type { Catalog, Lineage } from '../../types.ts';
import { columnOf, dependenceOf, type Field, INDEPENDENT } from '../flow.ts';
import { change } from './lineage/changes.ts';
import { decideBy, shapeOf } from './lineage/expressions.ts';
import { renamed, storedItem } from './lineage/from.ts';
import { query } from './lineage/queries.ts';
import { type Level, openLevel, startRun, write } from './lineage/scope.ts';
import { parse } from './parser.ts';
import { type Fields, fieldsOf, NotUnderstood, namesOf, nodeOf, only, optional, qualified, textOf } from './tree.ts';

/** What a statement is resolved against. */
export interface World {
  readonly catalog: Catalog;
  /** As `current_schemas(true)` has it, or as it was set. */
  readonly searchPath: readonly string[];
}

/**
 * The lineage of the index-th statement of a text (0-based), which `classify` understood. Never throws; `unproven` says why
 * nothing is known. A generated column counts as a column of its own: what it is computed from is the catalog's to say. So
 * does a view's column that has nothing below it; other view columns are named beside those that they come from.
 */
export function lineageOf(text: string, index: number, world: World): Lineage | { readonly unproven: string } {
  try {
    const parsed = parse(text);
    if (!parsed.ok) return { unproven: parsed.reason };
    const statement = parsed.statements[index];
    if (statement === undefined) return { unproven: `the text has no statement ${index}` };
    const run = startRun(world.catalog, world.searchPath);
    const outputs = outputsOf(openLevel(run, null), statement.stmt);
    return {
      outputs: outputs?.map(({ name, value }) => ({ name, dependence: dependenceOf(value.flow) })) ?? null,
      predicates: [...run.predicates].map(columnOf),
      writes: run.writes.map(({ into, column, from }) => ({
        into,
        column: column === null ? null : columnOf(column),
        from: dependenceOf(from),
      })),
    };
  } catch (error) {
    if (error instanceof NotUnderstood) return { unproven: error.message };
    if (error instanceof RangeError) return { unproven: 'the statement is nested too deeply' };
    return { unproven: 'the statement could not be followed' };
  }
}

type Outputs = readonly Field[] | null;

function outputsOf(level: Level, node: unknown): Outputs {
  const { type, fields } = nodeOf(node);
  switch (type) {
    case 'SelectStmt':
      return select(level, node, fields);
    case 'InsertStmt':
    case 'UpdateStmt':
    case 'DeleteStmt':
    case 'MergeStmt':
      return change(level, type, fields);
    case 'CopyStmt':
      return copy(level, fields);
    case 'PrepareStmt':
      only(type, fields, 'name argtypes query');
      return outputsOf(level, fields.query);
    case 'DeclareCursorStmt':
      only(type, fields, 'portalname options query');
      // A cursor's rows are asked for later; DECLARE itself has none, but tells what they will be.
      return outputsOf(level, fields.query);
    case 'ExplainStmt':
      only(type, fields, 'query options');
      outputsOf(level, fields.query);
      return [{ name: 'QUERY PLAN', value: INDEPENDENT }];
    case 'VariableShowStmt':
      return show(fields);
    case 'CreateTableAsStmt':
      return createAs(level, fields);
    case 'ViewStmt':
      return view(level, fields);
    default:
      if (!STILL.has(type)) throw new NotUnderstood(`it is not known where values flow in ${type}`);
      return null;
  }
}

/** Statements that move no value of a column anywhere. */
const STILL: ReadonlySet<string> = new Set([
  'ClosePortalStmt',
  'ClusterStmt',
  'CommentStmt',
  'ConstraintsSetStmt',
  'DeallocateStmt',
  'DiscardStmt',
  'DropStmt',
  'GrantStmt',
  'ListenStmt',
  'LockStmt',
  'NotifyStmt',
  'RefreshMatViewStmt',
  'ReindexStmt',
  'TransactionStmt',
  'TruncateStmt',
  'UnlistenStmt',
  'VacuumStmt',
  'VariableSetStmt',
]);

/** INTO stands in the leftmost SELECT of a set operation. */
function select(level: Level, node: unknown, fields: Fields): Outputs {
  const columns = query(level, node);
  let leftmost = fields;
  while (leftmost.larg !== undefined) leftmost = fieldsOf(leftmost.larg);
  const into = optional(leftmost.intoClause);
  if (into === null) return columns;
  madeInto(level, into, columns);
  return null;
}

function createAs(level: Level, fields: Fields): Outputs {
  only('CreateTableAsStmt', fields, 'query into objtype is_select_into if_not_exists');
  const columns = outputsOf(level, fields.query);
  if (columns === null) throw new NotUnderstood('CREATE TABLE AS has an unknown form');
  madeInto(level, fieldsOf(fields.into), columns);
  return null;
}

function madeInto(level: Level, into: Fields, columns: readonly Field[]): void {
  shapeOf('IntoClause', into);
  madeColumns(level, fieldsOf(into.rel), renamed(columns, namesOf(into.colNames)));
}

function view(level: Level, fields: Fields): Outputs {
  only('ViewStmt', fields, 'view aliases query replace options withCheckOption');
  madeColumns(level, fieldsOf(fields.view), renamed(query(level, fields.query), namesOf(fields.aliases)));
  return null;
}

function madeColumns(level: Level, relation: Fields, columns: readonly Field[]): void {
  shapeOf('RangeVar', relation);
  const { schema, name } = qualified(
    [textOf(relation.schemaname), textOf(relation.relname)].filter((part) => part !== null),
  );
  const made = schema === null ? name : `${schema}.${name}`;
  for (const column of columns) write(level.run, `the new column ${made}.${column.name}`, null, column.value.flow);
}

/** COPY TO brings rows to the client, or puts them into a file; COPY FROM brings none. */
function copy(level: Level, fields: Fields): Outputs {
  only('CopyStmt', fields, 'relation query attlist is_from is_program filename options whereClause');
  const relation = optional(fields.relation);
  const columns = relation === null ? outputsOf(level, fields.query) : copied(level, relation, fields);
  if (columns === null) throw new NotUnderstood('COPY has an unknown form');
  if (fields.is_from === true) return null;
  if (fields.filename === undefined && fields.is_program !== true) return columns;
  const into: string = fields.is_program === true ? 'a program on the server' : 'a file on the server';
  for (const column of columns) write(level.run, into, null, column.value.flow);
  return null;
}

/** All columns but generated ones, or those that are listed. */
function copied(level: Level, relation: Fields, fields: Fields): readonly Field[] {
  shapeOf('RangeVar', relation);
  const stored = storedItem(level, relation);
  const found = level.run.catalog.relation(stored.relation);
  level.items.push(stored);
  decideBy(level, fields.whereClause);
  if (fields.attlist === undefined) {
    const attributes = [...(found?.columns.keys() ?? [])];
    return stored.fields.filter((_, i) => found?.generatedFrom.has(attributes[i] ?? 0) !== true);
  }
  return namesOf(fields.attlist).map((name) => {
    const field = stored.fields.find((column) => column.name === name);
    if (field === undefined) throw new NotUnderstood(`the column ${name} is not known`);
    return field;
  });
}

function show(fields: Fields): Outputs {
  only('VariableShowStmt', fields, 'name');
  const name = textOf(fields.name) ?? '';
  const names = name === 'all' ? ['name', 'setting', 'description'] : [name];
  return names.map((column) => ({ name: column, value: INDEPENDENT }));
}
