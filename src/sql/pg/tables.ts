// The parts of a table's definition: columns, constraints, and what ALTER TABLE does to them.

import { expect, useOperator, visit, visitStruct } from './expressions.ts';
import { relationOf } from './objects.ts';
import { indexElement } from './queries.ts';
import { type Fields, fieldsOf, listOf, NotUnderstood, namesOf, nodeOf, only, optional, textOf } from './tree.ts';
import { definitions } from './utilities.ts';
import {
  addColumn,
  addEverything,
  addKind,
  addNeed,
  addTarget,
  openScope,
  type Scope,
  type StatementHandler,
  type Walk,
} from './walk.ts';

/** Columns of the table itself, which a definition may be computed from, count as `expression`. */
export function columnDefinition(walk: Walk, fields: Fields, scope: Scope): void {
  expect('ColumnDef', fields);
  const type = optional(fields.typeName);
  if (type !== null) visitStruct(walk, 'TypeName', type, scope, 'expression');
  visit(walk, fields.raw_default, scope, 'expression');
  const collation = optional(fields.collClause);
  if (collation !== null) visitStruct(walk, 'CollateClause', collation, scope, 'expression');
  for (const item of listOf(fields.constraints)) {
    const { type: kind, fields: found } = nodeOf(item);
    if (kind !== 'Constraint') throw new NotUnderstood(`${kind} where a constraint belongs`);
    constraint(walk, found, scope);
  }
  if (fields.fdwoptions !== undefined) addNeed(walk, 'admin');
}

const CONSTRAINTS: ReadonlySet<unknown> = new Set([
  'CONSTR_ATTR_DEFERRABLE',
  'CONSTR_ATTR_DEFERRED',
  'CONSTR_ATTR_ENFORCED',
  'CONSTR_ATTR_IMMEDIATE',
  'CONSTR_ATTR_NOT_DEFERRABLE',
  'CONSTR_ATTR_NOT_ENFORCED',
  'CONSTR_CHECK',
  'CONSTR_DEFAULT',
  'CONSTR_EXCLUSION',
  'CONSTR_FOREIGN',
  'CONSTR_GENERATED',
  'CONSTR_IDENTITY',
  'CONSTR_NOTNULL',
  'CONSTR_NULL',
  'CONSTR_PRIMARY',
  'CONSTR_UNIQUE',
]);

/** A foreign key binds the table that it points at too, so that one is changed as well. */
export function constraint(walk: Walk, fields: Fields, scope: Scope): void {
  only(
    'Constraint',
    fields,
    'contype conname deferrable initdeferred is_enforced skip_validation initially_valid is_no_inherit raw_expr generated_when ' +
      'generated_kind nulls_not_distinct keys without_overlaps including exclusions options indexname indexspace ' +
      'access_method where_clause pktable fk_attrs pk_attrs fk_with_period pk_with_period fk_matchtype fk_upd_action ' +
      'fk_del_action fk_del_set_cols location',
  );
  if (!CONSTRAINTS.has(fields.contype)) throw new NotUnderstood('a constraint has an unknown form');
  visit(walk, fields.raw_expr, scope, 'expression');
  visit(walk, fields.where_clause, scope, 'expression');
  for (const list of [fields.keys, fields.including, fields.fk_attrs, fields.pk_attrs, fields.fk_del_set_cols]) {
    for (const name of namesOf(list)) addColumn(walk, null, name, 'predicate');
  }
  for (const item of listOf(fields.exclusions)) {
    const [element, operator] = listOf(nodeOf(item).fields.items);
    indexElement(walk, nodeOf(element), scope, 'predicate');
    useOperator(walk, namesOf(nodeOf(operator).fields.items));
  }
  definitions(fields.options);
  if (fields.pktable !== undefined) addTarget(walk, relationOf(fields.pktable), 'ddl');
}

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

/** What ALTER TABLE may do with `ddl`. */
const CHANGES: ReadonlySet<string> = new Set([
  'AT_AddColumn',
  'AT_AddConstraint',
  'AT_AddIdentity',
  'AT_AddInherit',
  'AT_AddOf',
  'AT_AlterColumnType',
  'AT_AlterConstraint',
  'AT_AttachPartition',
  'AT_ClusterOn',
  'AT_ColumnDefault',
  'AT_DetachPartition',
  'AT_DetachPartitionFinalize',
  'AT_DropCluster',
  'AT_DropColumn',
  'AT_DropConstraint',
  'AT_DropExpression',
  'AT_DropIdentity',
  'AT_DropInherit',
  'AT_DropNotNull',
  'AT_DropOf',
  'AT_DropOids',
  'AT_ReplicaIdentity',
  'AT_ResetOptions',
  'AT_ResetRelOptions',
  'AT_SetAccessMethod',
  'AT_SetCompression',
  'AT_SetExpression',
  'AT_SetIdentity',
  'AT_SetLogged',
  'AT_SetNotNull',
  'AT_SetOptions',
  'AT_SetRelOptions',
  'AT_SetStatistics',
  'AT_SetStorage',
  'AT_SetTableSpace',
  'AT_SetUnLogged',
  'AT_ValidateConstraint',
]);

/** What changes who sees and does what with the table, or what runs behind its back. */
const ADMIN_CHANGES: ReadonlySet<string> = new Set([
  'AT_AlterColumnGenericOptions',
  'AT_ChangeOwner',
  'AT_DisableRowSecurity',
  'AT_DisableRule',
  'AT_DisableTrig',
  'AT_DisableTrigAll',
  'AT_DisableTrigUser',
  'AT_EnableAlwaysRule',
  'AT_EnableAlwaysTrig',
  'AT_EnableReplicaRule',
  'AT_EnableReplicaTrig',
  'AT_EnableRowSecurity',
  'AT_EnableRule',
  'AT_EnableTrig',
  'AT_EnableTrigAll',
  'AT_EnableTrigUser',
  'AT_ForceRowSecurity',
  'AT_GenericOptions',
  'AT_NoForceRowSecurity',
]);

const OBJECTS: Readonly<Record<string, string>> = {
  OBJECT_FOREIGN_TABLE: 'alter-foreign-table',
  OBJECT_INDEX: 'alter-index',
  OBJECT_MATVIEW: 'alter-materialized-view',
  OBJECT_SEQUENCE: 'alter-sequence',
  OBJECT_TABLE: 'alter-table',
  OBJECT_TYPE: 'alter-type',
  OBJECT_VIEW: 'alter-view',
};

export const alterTable: StatementHandler = (walk, fields) => {
  only('AlterTableStmt', fields, 'relation cmds objtype missing_ok');
  const kind = OBJECTS[textOf(fields.objtype) ?? ''];
  if (kind === undefined) throw new NotUnderstood('ALTER TABLE has an unknown form');
  addKind(walk, kind);
  const relation = relationOf(fields.relation);
  const { name } = addTarget(walk, relation, 'ddl');
  const scope = openScope(null);
  scope.rows.add(name);
  for (const item of listOf(fields.cmds)) {
    const { type, fields: change } = nodeOf(item);
    only(type, change, 'subtype name num newowner def behavior missing_ok recurse');
    alteration(walk, change, scope);
  }
};

function alteration(walk: Walk, change: Fields, scope: Scope): void {
  const subtype = textOf(change.subtype) ?? '';
  if (ADMIN_CHANGES.has(subtype)) addNeed(walk, 'admin');
  else if (!CHANGES.has(subtype))
    throw new NotUnderstood(`ALTER TABLE has a form (${subtype}) that the gateway does not know`);
  if (change.behavior === 'DROP_CASCADE') addEverything(walk, 'ddl');
  if (subtype === 'AT_DropColumn') addKind(walk, 'drop-column');
  if (subtype === 'AT_DropConstraint') addKind(walk, 'drop-constraint');
  // A table that leaves its parent leaves the masking rules that it had from there.
  if (subtype === 'AT_DropInherit' || subtype.startsWith('AT_DetachPartition'))
    addColumn(walk, null, '*', 'expression');
  // The type or the expression that a masked column gets may show what was in it.
  if (subtype === 'AT_AlterColumnType') addColumn(walk, null, textOf(change.name) ?? '*', 'expression');
  if (change.def !== undefined) definition(walk, change.def, scope);
}

function definition(walk: Walk, value: unknown, scope: Scope): void {
  const { type, fields } = nodeOf(value);
  switch (type) {
    case 'ColumnDef':
      return columnDefinition(walk, fields, scope);
    case 'Constraint':
      return constraint(walk, fields, scope);
    case 'RangeVar':
      addTarget(walk, relationOf(fields), 'ddl');
      return;
    case 'PartitionCmd': {
      only(type, fields, 'name bound concurrent');
      addTarget(walk, relationOf(fields.name), 'ddl');
      const bound = optional(fields.bound);
      if (bound !== null) partitionBound(walk, bound);
      return;
    }
    case 'ReplicaIdentityStmt':
      return only(type, fields, 'identity_type name');
    case 'ATAlterConstraint':
      return only(
        type,
        fields,
        'conname alterEnforceability is_enforced alterDeferrability deferrable initdeferred alterInheritability noinherit',
      );
    case 'List':
      // Storage parameters and identity options: names and plain values.
      definitions(fields.items);
      return;
    default:
      visit(walk, fieldsOf(value), scope, 'expression');
  }
}
