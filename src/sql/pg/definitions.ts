// Statements that define, change or drop objects (`ddl`), and those forms of them that need `admin`.
//
// What a relation is named after its object: `*` as the name is everything in a schema, as the schema too everything there
// is. CASCADE reaches what the text does not name, so it needs the latter.

import { expect, visit, visitStruct } from './expressions.ts';
import { indexElement, query } from './queries.ts';
import { alterTable, columnDefinition, constraint } from './tables.ts';
import {
  type Fields,
  fieldsOf,
  listOf,
  NotUnderstood,
  nameOf,
  namesOf,
  nodeOf,
  only,
  optional,
  qualified,
  textOf,
} from './tree.ts';
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

/** `OBJECT_FOREIGN_TABLE` as rules name it. */
function objectKind(type: unknown): string {
  const name = (textOf(type) ?? '')
    .replace(/^OBJECT_/, '')
    .toLowerCase()
    .replaceAll('_', '-');
  return OBJECT_KINDS[name] ?? name;
}

const OBJECT_KINDS: Readonly<Record<string, string>> = {
  domconstraint: 'domain-constraint',
  fdw: 'foreign-data-wrapper',
  'foreign-server': 'server',
  matview: 'materialized-view',
  opclass: 'operator-class',
  opfamily: 'operator-family',
  'statistic-ext': 'statistics',
  tabconstraint: 'constraint',
  tsconfiguration: 'text-search-configuration',
  tsdictionary: 'text-search-dictionary',
  tsparser: 'text-search-parser',
  tstemplate: 'text-search-template',
};

/** Objects with a row in pg_class: their names are looked up as relations are. */
const RELATIONS: ReadonlySet<unknown> = new Set([
  'OBJECT_FOREIGN_TABLE',
  'OBJECT_INDEX',
  'OBJECT_MATVIEW',
  'OBJECT_SEQUENCE',
  'OBJECT_TABLE',
  'OBJECT_VIEW',
]);

/** Other objects in a schema that hold no code. */
const NAMED: ReadonlySet<unknown> = new Set([
  'OBJECT_COLLATION',
  'OBJECT_DOMAIN',
  'OBJECT_STATISTIC_EXT',
  'OBJECT_TYPE',
]);

function addRelationName(walk: Walk, names: readonly string[]): void {
  const { schema, name } = qualified(names);
  addRelation(walk, schema, name, 'ddl');
}

/** An object whose schema, left out, is not found by looking for a relation. */
function addObject(walk: Walk, names: readonly string[]): void {
  const { schema, name } = qualified(names);
  addRelation(walk, schema ?? '*', name, 'ddl');
}

/** A new object: where its schema is left out, it is made in the first one of the path. */
function addNewObject(walk: Walk, names: readonly string[]): void {
  const { schema, name } = qualified(names);
  addRelation(walk, schema ?? walk.schema, name, 'ddl');
}

/** The parts of an object's name: a list, a type's name, or a single name. */
function objectName(value: unknown): string[] {
  const { type, fields } = nodeOf(value);
  if (type === 'List') return namesOf(fields.items);
  if (type === 'TypeName') return namesOf(fields.names);
  return [nameOf(value)];
}

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

/** FOR VALUES …: literals, and the names MINVALUE and MAXVALUE. */
export function partitionBound(walk: Walk, fields: Fields): void {
  only(
    'PartitionBoundSpec',
    fields,
    'strategy is_default modulus remainder listdatums lowerdatums upperdatums location',
  );
  const scope = openScope(null);
  for (const list of [fields.listdatums, fields.lowerdatums, fields.upperdatums])
    visit(walk, list, scope, 'expression');
}

/** A relation where only a relation can stand, with its shape checked. */
export function relationOf(value: unknown): Fields {
  const fields = fieldsOf(value);
  expect('RangeVar', fields);
  return fields;
}

function rangeOf(value: unknown): Fields {
  const { type, fields } = nodeOf(value);
  if (type !== 'RangeVar') throw new NotUnderstood(`${type} where a relation belongs`);
  return relationOf(fields);
}

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

// --- Any object ----------------------------------------------------------------------------------------------------------

const drop: StatementHandler = (walk, fields) => {
  only('DropStmt', fields, 'objects removeType behavior missing_ok concurrent');
  addKind(walk, `drop-${objectKind(fields.removeType)}`);
  if (fields.behavior === 'DROP_CASCADE') addEverything(walk, 'ddl');
  const objects = listOf(fields.objects);
  if (RELATIONS.has(fields.removeType)) for (const item of objects) addRelationName(walk, objectName(item));
  else if (fields.removeType === 'OBJECT_SCHEMA')
    for (const item of objects) addRelation(walk, nameOf(item), '*', 'ddl');
  else if (NAMED.has(fields.removeType)) for (const item of objects) addObject(walk, objectName(item));
  else addNeed(walk, 'admin');
};

const truncate: StatementHandler = (walk, fields) => {
  only('TruncateStmt', fields, 'relations restart_seqs behavior');
  addKind(walk, 'truncate');
  for (const item of listOf(fields.relations)) addTarget(walk, rangeOf(item), 'ddl');
  if (fields.behavior === 'DROP_CASCADE') addEverything(walk, 'ddl');
};

const rename: StatementHandler = (walk, fields) => {
  only('RenameStmt', fields, 'renameType relationType relation object subname newname behavior missing_ok');
  const kind = fields.renameType === 'OBJECT_COLUMN' ? 'column' : objectKind(fields.renameType);
  addKind(walk, `rename-${kind}`);
  if (fields.behavior === 'DROP_CASCADE') addEverything(walk, 'ddl');
  const relation = optional(fields.relation);
  if (relation !== null) {
    expect('RangeVar', relation);
    // Rules and policies are named by table too.
    if (['OBJECT_POLICY', 'OBJECT_RULE', 'OBJECT_TRIGGER'].includes(textOf(fields.renameType) ?? ''))
      addNeed(walk, 'admin');
    addTarget(walk, relation, 'ddl');
    // What is known by a name under masking rules would go by another.
    const column = textOf(fields.subname);
    addColumn(walk, null, fields.renameType === 'OBJECT_COLUMN' && column !== null ? column : '*', 'expression');
  } else if (NAMED.has(fields.renameType)) {
    addObject(walk, objectName(fields.object));
  } else {
    addNeed(walk, 'admin');
    // Every relation in it goes by another name then.
    if (fields.renameType === 'OBJECT_SCHEMA') addRelation(walk, textOf(fields.subname) ?? '*', '*', 'admin');
  }
};

const moveToSchema: StatementHandler = (walk, fields) => {
  only('AlterObjectSchemaStmt', fields, 'objectType relation object newschema missing_ok');
  addKind(walk, `alter-${objectKind(fields.objectType)}`);
  addKind(walk, 'set-schema');
  const schema = textOf(fields.newschema) ?? '*';
  const relation = optional(fields.relation);
  if (relation !== null) {
    expect('RangeVar', relation);
    const { name } = addTarget(walk, relation, 'ddl');
    addRelation(walk, schema, name, 'ddl');
    addColumn(walk, null, '*', 'expression');
  } else if (NAMED.has(fields.objectType)) {
    const names = objectName(fields.object);
    addObject(walk, names);
    addRelation(walk, schema, names.at(-1) ?? '*', 'ddl');
  } else {
    addNeed(walk, 'admin');
  }
};

const comment: StatementHandler = (walk, fields) => {
  only('CommentStmt', fields, 'objtype object comment');
  addKind(walk, 'comment');
  if (RELATIONS.has(fields.objtype)) {
    addRelationName(walk, objectName(fields.object));
  } else if (fields.objtype === 'OBJECT_COLUMN' || fields.objtype === 'OBJECT_TABCONSTRAINT') {
    addRelationName(walk, objectName(fields.object).slice(0, -1));
  } else if (NAMED.has(fields.objtype)) {
    addObject(walk, objectName(fields.object));
  } else if (fields.objtype === 'OBJECT_SCHEMA') {
    addRelation(walk, nameOf(fields.object), '*', 'ddl');
  } else {
    addNeed(walk, 'admin');
  }
};

/** GRANT and REVOKE; the relations are for the record and the rules. */
const grant: StatementHandler = (walk, fields) => {
  only('GrantStmt', fields, 'is_grant targtype objtype objects privileges grantees grant_option grantor behavior');
  addKind(walk, fields.is_grant === true ? 'grant' : 'revoke');
  addNeed(walk, 'admin');
  if (fields.targtype !== 'ACL_TARGET_OBJECT' || fields.objtype !== 'OBJECT_TABLE') return;
  for (const item of listOf(fields.objects)) addTarget(walk, rangeOf(item), 'admin');
};

// --- Upkeep --------------------------------------------------------------------------------------------------------------

const vacuum: StatementHandler = (walk, fields) => {
  only('VacuumStmt', fields, 'options rels is_vacuumcmd');
  addKind(walk, fields.is_vacuumcmd === true ? 'vacuum' : 'analyze');
  definitions(fields.options);
  for (const item of listOf(fields.rels)) {
    const { type, fields: entry } = nodeOf(item);
    only(type, entry, 'relation oid va_cols');
    addTarget(walk, relationOf(entry.relation), 'ddl');
  }
  if (fields.rels === undefined) addEverything(walk, 'ddl');
};

const cluster: StatementHandler = (walk, fields) => {
  only('ClusterStmt', fields, 'relation indexname params');
  addKind(walk, 'cluster');
  const relation = optional(fields.relation);
  if (relation === null) addEverything(walk, 'ddl');
  else addTarget(walk, relationOf(relation), 'ddl');
};

const reindex: StatementHandler = (walk, fields) => {
  only('ReindexStmt', fields, 'kind relation name params');
  addKind(walk, 'reindex');
  const relation = optional(fields.relation);
  if (relation !== null) addTarget(walk, relationOf(relation), 'ddl');
  else if (fields.kind === 'REINDEX_OBJECT_SCHEMA') addRelation(walk, textOf(fields.name) ?? '*', '*', 'ddl');
  else addNeed(walk, 'admin');
};

export const DEFINITIONS: ReadonlyMap<string, StatementHandler> = new Map(
  Object.entries({
    AlterCollationStmt: alterCollation,
    AlterDomainStmt: alterDomain,
    AlterEnumStmt: alterEnum,
    AlterObjectSchemaStmt: moveToSchema,
    AlterSeqStmt: alterSequence,
    AlterStatsStmt: alterStatistics,
    AlterTableStmt: alterTable,
    ClusterStmt: cluster,
    CommentStmt: comment,
    CompositeTypeStmt: createComposite,
    CreateDomainStmt: createDomain,
    CreateEnumStmt: createEnum,
    CreateSchemaStmt: createSchema,
    CreateSeqStmt: createSequence,
    CreateStatsStmt: createStatistics,
    CreateStmt: createTable,
    CreateTableAsStmt: createTableAs,
    DefineStmt: define,
    DropStmt: drop,
    GrantStmt: grant,
    IndexStmt: createIndex,
    RefreshMatViewStmt: refresh,
    ReindexStmt: reindex,
    RenameStmt: rename,
    TruncateStmt: truncate,
    VacuumStmt: vacuum,
    ViewStmt: createView,
  }),
);
