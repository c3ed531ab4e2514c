// Statements about objects of any kind (DROP, RENAME, COMMENT, GRANT …) and upkeep, and how objects are named among relations.
//
// `*` as the name of a relation is everything in a schema, as the schema too everything there is. CASCADE reaches what the
// text does not name, so it needs the latter.

import { expect } from './expressions.ts';
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
  addEverything,
  addKind,
  addNeed,
  addRelation,
  addTarget,
  type StatementHandler,
  type Walk,
} from './walk.ts';

/** `OBJECT_FOREIGN_TABLE` as rules name it. */
export function objectKind(type: unknown): string {
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

export function addRelationName(walk: Walk, names: readonly string[]): void {
  const { schema, name } = qualified(names);
  addRelation(walk, schema, name, 'ddl');
}

/** An object whose schema, left out, is not found by looking for a relation. */
export function addObject(walk: Walk, names: readonly string[]): void {
  const { schema, name } = qualified(names);
  addRelation(walk, schema ?? '*', name, 'ddl');
}

/** A new object: where its schema is left out, it is made in the first one of the path. */
export function addNewObject(walk: Walk, names: readonly string[]): void {
  const { schema, name } = qualified(names);
  addRelation(walk, schema ?? walk.schema, name, 'ddl');
}

/** The parts of an object's name: a list, a type's name, or a single name. */
export function objectName(value: unknown): string[] {
  const { type, fields } = nodeOf(value);
  if (type === 'List') return namesOf(fields.items);
  if (type === 'TypeName') return namesOf(fields.names);
  return [nameOf(value)];
}

/** A relation where only a relation can stand, with its shape checked. */
export function relationOf(value: unknown): Fields {
  const fields = fieldsOf(value);
  expect('RangeVar', fields);
  return fields;
}

export function rangeOf(value: unknown): Fields {
  const { type, fields } = nodeOf(value);
  if (type !== 'RangeVar') throw new NotUnderstood(`${type} where a relation belongs`);
  return relationOf(fields);
}

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

export const OBJECTS: Readonly<Record<string, StatementHandler>> = {
  AlterObjectSchemaStmt: moveToSchema,
  ClusterStmt: cluster,
  CommentStmt: comment,
  DropStmt: drop,
  GrantStmt: grant,
  ReindexStmt: reindex,
  RenameStmt: rename,
  TruncateStmt: truncate,
  VacuumStmt: vacuum,
};
