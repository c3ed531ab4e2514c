// Statements that define or change one kind of object (`ddl`), and those forms of them that need `admin`.

import { expect, visit, visitStruct } from './expressions.ts';
import {
  addNewObject,
  addObject,
  addRelationName,
  OBJECTS,
  objectKind,
  objectName,
  rangeOf,
  relationOf,
} from './objects.ts';
import { indexElement, query } from './queries.ts';
import { alterTable, columnDefinition, constraint, partitionBound } from './tables.ts';
import { type Fields, fieldsOf, listOf, NotUnderstood, namesOf, nodeOf, only, optional, textOf } from './tree.ts';
import { definitions } from './utilities.ts';
import {
  addColumn,
  addCreated,
  addEverything,
  addKind,
  addNeed,
  addRelation,
  addTarget,
  openScope,
  type StatementHandler,
  type Walk,
} from './walk.ts';

// --- Tables, views and what belongs to them ------------------------------------------------------------------------------

const createTable: StatementHandler = (walk, fields) => {
  only(
    'CreateStmt',
    fields,
    'relation tableElts inhRelations partbound partspec ofTypename constraints nnconstraints options oncommit tablespacename accessMethod if_not_exists',
  );
  addKind(walk, 'create-table');
  addCreated(walk, relationOf(fields.relation));
  const scope = openScope(null);
  for (const item of listOf(fields.tableElts)) {
    const { type, fields: element } = nodeOf(item);
    if (type === 'ColumnDef') columnDefinition(walk, element, scope);
    else if (type === 'Constraint') constraint(walk, element, scope);
    else if (type === 'TableLikeClause') {
      only(type, element, 'relation options relationOid');
      addTarget(walk, relationOf(element.relation), 'read');
    } else throw new NotUnderstood(`${type} in CREATE TABLE is not known to the gateway`);
  }
  for (const item of listOf(fields.inhRelations)) addTarget(walk, rangeOf(item), 'ddl');
  const bound = optional(fields.partbound);
  if (bound !== null) partitionBound(walk, bound);
  const key = optional(fields.partspec);
  if (key !== null) {
    only('PartitionSpec', key, 'strategy partParams location');
    for (const item of listOf(key.partParams)) indexElement(walk, nodeOf(item), scope, 'predicate');
  }
  const type = optional(fields.ofTypename);
  if (type !== null) visitStruct(walk, 'TypeName', type, scope, 'expression');
  for (const item of [...listOf(fields.constraints), ...listOf(fields.nnconstraints)])
    constraint(walk, nodeOf(item).fields, scope);
  definitions(fields.options);
};

/** The new relation of SELECT INTO and CREATE TABLE AS. */
export function into(walk: Walk, fields: Fields): void {
  expect('IntoClause', fields);
  addCreated(walk, relationOf(fields.rel));
  definitions(fields.options);
}

const createTableAs: StatementHandler = (walk, fields, inner) => {
  only('CreateTableAsStmt', fields, 'query into objtype is_select_into if_not_exists');
  if (fields.objtype === 'OBJECT_MATVIEW') {
    addKind(walk, 'create-materialized-view');
  } else {
    addKind(walk, 'create-table-as');
    addKind(walk, 'create-table');
  }
  into(walk, fieldsOf(fields.into));
  if (nodeOf(fields.query).type === 'ExecuteStmt') inner(walk, fields.query);
  else query(walk, fields.query, null, false);
};

const createView: StatementHandler = (walk, fields) => {
  only('ViewStmt', fields, 'view aliases query replace options withCheckOption');
  addKind(walk, 'create-view');
  addCreated(walk, relationOf(fields.view));
  definitions(fields.options);
  query(walk, fields.query, null, false);
};

const refresh: StatementHandler = (walk, fields) => {
  only('RefreshMatViewStmt', fields, 'concurrent skipData relation');
  addKind(walk, 'refresh-materialized-view');
  addTarget(walk, relationOf(fields.relation), 'ddl');
};

const createIndex: StatementHandler = (walk, fields) => {
  only(
    'IndexStmt',
    fields,
    'idxname relation accessMethod tableSpace indexParams indexIncludingParams options whereClause unique nulls_not_distinct concurrent if_not_exists',
  );
  addKind(walk, 'create-index');
  const table = relationOf(fields.relation);
  // Inside CREATE SCHEMA it is looked for in the new one.
  if (walk.schema === null) addTarget(walk, table, 'ddl');
  else addCreated(walk, table);
  const scope = openScope(null);
  scope.rows.add(textOf(table.relname) ?? '');
  for (const item of [...listOf(fields.indexParams), ...listOf(fields.indexIncludingParams)]) {
    indexElement(walk, nodeOf(item), scope, 'predicate');
  }
  visit(walk, fields.whereClause, scope, 'predicate');
  definitions(fields.options);
};

const createStatistics: StatementHandler = (walk, fields) => {
  only('CreateStatsStmt', fields, 'defnames stat_types exprs relations if_not_exists');
  addKind(walk, 'create-statistics');
  if (fields.defnames !== undefined) addNewObject(walk, namesOf(fields.defnames));
  namesOf(fields.stat_types);
  const scope = openScope(null);
  for (const item of listOf(fields.relations)) addTarget(walk, rangeOf(item), 'ddl');
  for (const item of listOf(fields.exprs)) {
    const { type, fields: element } = nodeOf(item);
    only(type, element, 'name expr');
    const name = textOf(element.name);
    if (name !== null) addColumn(walk, null, name, 'predicate');
    visit(walk, element.expr, scope, 'predicate');
  }
};

const alterStatistics: StatementHandler = (walk, fields) => {
  only('AlterStatsStmt', fields, 'defnames stxstattarget missing_ok');
  addKind(walk, 'alter-statistics');
  addObject(walk, namesOf(fields.defnames));
};

function sequenceOptions(walk: Walk, list: unknown): void {
  for (const { name, value } of definitions(list)) {
    if (name !== 'owned_by' || value === undefined) continue;
    const column = objectName(value);
    // `t.a` or `s.t.a`; OWNED BY NONE is one word.
    if (column.length > 1) addRelationName(walk, column.slice(0, -1));
  }
}

const createSequence: StatementHandler = (walk, fields) => {
  only('CreateSeqStmt', fields, 'sequence options if_not_exists');
  addKind(walk, 'create-sequence');
  addCreated(walk, relationOf(fields.sequence));
  sequenceOptions(walk, fields.options);
};

const alterSequence: StatementHandler = (walk, fields) => {
  only('AlterSeqStmt', fields, 'sequence options missing_ok');
  addKind(walk, 'alter-sequence');
  addTarget(walk, relationOf(fields.sequence), 'ddl');
  sequenceOptions(walk, fields.options);
};

const createSchema: StatementHandler = (walk, fields, inner) => {
  only('CreateSchemaStmt', fields, 'schemaname authrole schemaElts if_not_exists');
  addKind(walk, 'create-schema');
  if (fields.authrole !== undefined) addNeed(walk, 'admin');
  const name = textOf(fields.schemaname) ?? '*';
  addRelation(walk, name, '*', 'ddl');
  walk.schema = name;
  for (const element of listOf(fields.schemaElts)) inner(walk, element);
  walk.schema = null;
};

// --- Types ---------------------------------------------------------------------------------------------------------------

const createEnum: StatementHandler = (walk, fields) => {
  only('CreateEnumStmt', fields, 'typeName vals');
  addKind(walk, 'create-type');
  addNewObject(walk, namesOf(fields.typeName));
  namesOf(fields.vals);
};

const alterEnum: StatementHandler = (walk, fields) => {
  only('AlterEnumStmt', fields, 'typeName oldVal newVal newValNeighbor newValIsAfter skipIfNewValExists');
  addKind(walk, 'alter-type');
  addObject(walk, namesOf(fields.typeName));
};

const createComposite: StatementHandler = (walk, fields) => {
  only('CompositeTypeStmt', fields, 'typevar coldeflist');
  addKind(walk, 'create-type');
  addCreated(walk, relationOf(fields.typevar));
  visit(walk, fields.coldeflist, openScope(null), 'expression');
};

const createDomain: StatementHandler = (walk, fields) => {
  only('CreateDomainStmt', fields, 'domainname typeName collClause constraints');
  addKind(walk, 'create-domain');
  addNewObject(walk, namesOf(fields.domainname));
  const scope = openScope(null);
  visitStruct(walk, 'TypeName', fieldsOf(fields.typeName), scope, 'expression');
  const collation = optional(fields.collClause);
  if (collation !== null) visitStruct(walk, 'CollateClause', collation, scope, 'expression');
  for (const item of listOf(fields.constraints)) constraint(walk, nodeOf(item).fields, scope);
};

const alterDomain: StatementHandler = (walk, fields) => {
  only('AlterDomainStmt', fields, 'subtype typeName name def behavior missing_ok');
  addKind(walk, 'alter-domain');
  addObject(walk, namesOf(fields.typeName));
  if (fields.behavior === 'DROP_CASCADE') addEverything(walk, 'ddl');
  if (fields.def === undefined) return;
  const { type, fields: def } = nodeOf(fields.def);
  if (type === 'Constraint') constraint(walk, def, openScope(null));
  else visit(walk, fields.def, openScope(null), 'expression');
};

/** CREATE COLLATION; aggregates, operators, base types and text search objects run code of somebody's. */
const define: StatementHandler = (walk, fields) => {
  only('DefineStmt', fields, 'kind oldstyle defnames args definition if_not_exists replace');
  const kind = objectKind(fields.kind);
  addKind(walk, `create-${kind}`);
  if (fields.kind === 'OBJECT_COLLATION') {
    addNewObject(walk, namesOf(fields.defnames));
    definitions(fields.definition);
  } else {
    addNeed(walk, 'admin');
    walk.opaque = `the functions of the ${kind.replaceAll('-', ' ')}`;
  }
};

const alterCollation: StatementHandler = (walk, fields) => {
  only('AlterCollationStmt', fields, 'collname');
  addKind(walk, 'alter-collation');
  addObject(walk, namesOf(fields.collname));
};

export const DEFINITIONS: ReadonlyMap<string, StatementHandler> = new Map(
  Object.entries({
    ...OBJECTS,
    AlterCollationStmt: alterCollation,
    AlterDomainStmt: alterDomain,
    AlterEnumStmt: alterEnum,
    AlterSeqStmt: alterSequence,
    AlterStatsStmt: alterStatistics,
    AlterTableStmt: alterTable,
    CompositeTypeStmt: createComposite,
    CreateDomainStmt: createDomain,
    CreateEnumStmt: createEnum,
    CreateSchemaStmt: createSchema,
    CreateSeqStmt: createSequence,
    CreateStatsStmt: createStatistics,
    CreateStmt: createTable,
    CreateTableAsStmt: createTableAs,
    DefineStmt: define,
    IndexStmt: createIndex,
    RefreshMatViewStmt: refresh,
    ViewStmt: createView,
  }),
);
