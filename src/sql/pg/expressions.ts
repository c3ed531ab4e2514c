// Expressions: every node is looked at by the shape of its type; those that bear on the facts have a handler here.

import type { ColumnPlace, Need } from '../../types.ts';
import {
  castUse,
  fieldNeed,
  functionNeed,
  isSystemType,
  operatorNeed,
  operatorUse,
  rowFunction,
  SEQUENCE_WRITERS,
  settingReadNeed,
  takesWholeRow,
} from './functions.ts';
import { select } from './queries.ts';
import { readName, readPath, settingName, settingNeed, writePath } from './settings.ts';
import { known, LEAF, NAMES, SHAPES, type Shape } from './shapes.ts';
import {
  castLiteralOf,
  type Fields,
  fieldsOf,
  listOf,
  NotUnderstood,
  nameOf,
  namesOf,
  nodeOf,
  optional,
  qualified,
  textOf,
} from './tree.ts';
import {
  addColumn,
  addEverything,
  addFunction,
  addRelation,
  addSetting,
  isRow,
  isRowOrDerived,
  type Scope,
  type Walk,
} from './walk.ts';

type Handler = (walk: Walk, fields: Fields, scope: Scope, place: ColumnPlace) => void;

/** Visits a node, a list of nodes, or nothing. Columns found below are used at `place`. */
export function visit(walk: Walk, value: unknown, scope: Scope, place: ColumnPlace): void {
  if (value === undefined) return;
  if (Array.isArray(value)) {
    for (const item of value) if (!isNull(item)) visit(walk, item, scope, place);
    return;
  }
  const { type, fields } = nodeOf(value);
  visitStruct(walk, type, fields, scope, place);
}

/** Visits fields whose type is known from where they stand. */
export function visitStruct(walk: Walk, type: string, fields: Fields, scope: Scope, place: ColumnPlace): void {
  const shape = expect(type, fields);
  const handler = HANDLERS.get(type);
  if (handler !== undefined) handler(walk, fields, scope, place);
  else descend(walk, type, shape, fields, scope, place);
}

/** Visits all fields of a node by its shape, passing its handler by. */
export function children(walk: Walk, type: string, fields: Fields, scope: Scope, place: ColumnPlace): void {
  descend(walk, type, expect(type, fields), fields, scope, place);
}

function descend(walk: Walk, type: string, shape: Shape, fields: Fields, scope: Scope, place: ColumnPlace): void {
  for (const field in fields) {
    const holds = shape[field];
    const value = fields[field];
    if (holds === LEAF) leaf(type, value);
    else if (holds === NAMES) namesOf(value);
    else if (typeof holds === 'string') visitStruct(walk, holds, fieldsOf(value), scope, place);
    else visit(walk, value, scope, place);
  }
}

/** The shape of a node of this type, once all its fields are known ones. */
export function expect(type: string, fields: Fields): Shape {
  const shape = known(SHAPES.get(type), fields);
  if (shape === null) throw new NotUnderstood(`${type} is not known to the gateway here`);
  return shape;
}

/** Libpg_query writes a NULL inside a list as `{}`. */
function isNull(value: unknown): boolean {
  for (const _ in fieldsOf(value)) return false;
  return true;
}

function leaf(type: string, value: unknown): void {
  if (typeof value === 'object') throw new NotUnderstood(`${type} is not known to the gateway in this form`);
}

/** `a`, `t.a`, `t.*`, `*`; a bare name may be a whole row, and `t.f` may call the function `f` on one. */
export function columnRef(walk: Walk, fields: Fields, scope: Scope, place: ColumnPlace): void {
  expect('ColumnRef', fields);
  walk.columnRefs++;
  const parts = listOf(fields.fields).map((part) => (nodeOf(part).type === 'A_Star' ? '*' : nameOf(part)));
  const name = parts.at(-1);
  if (name === undefined || parts.length > 4) throw new NotUnderstood('a column has an unknown form');
  const qualifier = parts.at(-2) ?? null;
  const star = name === '*' && nodeOf(listOf(fields.fields).at(-1)).type === 'A_Star';
  addColumn(walk, qualifier, name, place);
  if (star) return;
  if (qualifier !== null) field(walk, qualifier, name, parts.length > 2 || isRowOrDerived(scope, qualifier));
  else if (isRow(scope, name)) addColumn(walk, name, '*', 'expression');
}

/**
 * `x.name` takes a field or calls a function on `x`: a column goes first, but whether there is one is not known here. On a
 * row, only functions for that row or for any type can be called; those of the system's are known.
 */
function field(walk: Walk, qualifier: string | null, name: string, onRow: boolean): void {
  if (takesWholeRow(name)) addColumn(walk, qualifier, '*', 'expression');
  else if (onRow) {
    walk.fields.add(rowFunction(name));
    return;
  }
  const need = fieldNeed(name);
  if (need === null) walk.fields.add(name);
  else addFunction(walk, null, name, need);
  if (SEQUENCE_WRITERS.has(name)) addEverything(walk, 'write');
}

/** `(x).a`, `(x).*`, `x[1]`; `(x).f` calls `f` on a value of any type (PostgreSQL, "Functional Notation"). */
function indirection(walk: Walk, fields: Fields, scope: Scope, place: ColumnPlace): void {
  visit(walk, fields.arg, scope, place);
  for (const step of listOf(fields.indirection)) {
    const { type } = nodeOf(step);
    if (type === 'A_Indices') {
      visit(walk, step, scope, place);
    } else {
      const name = type === 'A_Star' ? '*' : nameOf(step);
      addColumn(walk, null, name, 'expression');
      if (type !== 'A_Star') field(walk, null, name, false);
    }
  }
}

function functionCall(walk: Walk, fields: Fields, scope: Scope, place: ColumnPlace): void {
  const { schema, name } = qualified(namesOf(fields.funcname));
  const args = listOf(fields.args);
  addFunction(walk, schema, name, callNeed(walk, schema, name, args));
  if (KEEPS_SECRETS.test(name)) for (const arg of args) addSecret(walk, arg);
  visit(walk, fields.args, scope, place);
  visit(walk, fields.agg_order, scope, place);
  visit(walk, fields.agg_filter, scope, place);
  const over = optional(fields.over);
  if (over !== null) visitStruct(walk, 'WindowDef', over, scope, place);
}

/** Functions of pgcrypto and dblink that are given passwords, keys or connection strings. */
const KEEPS_SECRETS = /^(crypt|decrypt|decrypt_iv|encrypt|encrypt_iv|hmac|pgp_.*|dblink.*)$/;

function addSecret(walk: Walk, arg: unknown): void {
  let node = nodeOf(arg);
  while (node.type === 'TypeCast' || node.type === 'NamedArgExpr') node = nodeOf(node.fields.arg);
  if (node.type === 'A_Const' && node.fields.sval !== undefined)
    walk.secretLiterals.push(Number(node.fields.location ?? 0));
}

/** The need of one call; its arguments are only looked at for functions of the system that go by them. */
function callNeed(walk: Walk, schema: string | null, name: string, args: readonly unknown[]): Need {
  if (schema !== null && schema !== 'pg_catalog') return functionNeed(schema, name);
  if (name === 'set_config') {
    walk.valueBlind = false;
    return setConfig(walk, args);
  }
  if (name === 'current_setting') {
    walk.valueBlind = false;
    return settingReadNeed(castLiteralOf(args[0]));
  }
  if (SEQUENCE_WRITERS.has(name)) {
    walk.valueBlind = false;
    const literal = castLiteralOf(args[0]);
    const sequence = literal === null ? null : readName(literal);
    if (sequence === null || sequence.length > 3) {
      addEverything(walk, 'write');
    } else {
      const target = qualified(sequence);
      addRelation(walk, target.schema, target.name, 'write');
    }
  }
  return functionNeed(schema, name);
}

/** `set_config(name, value, local)`: judged as the SET that it is. */
function setConfig(walk: Walk, args: readonly unknown[]): Need {
  const name = castLiteralOf(args[0]);
  if (name === null || args.length !== 3) return 'admin';
  let value = castLiteralOf(args[1]);
  let need = settingNeed(name, value);
  if (settingName(name) === 'search_path') {
    const path = value === null ? null : readPath(value);
    value = path === null ? null : writePath(path);
    // Which schemas later statements mean would not be known.
    if (path === null) need = 'never';
  }
  addSetting(walk, { name: settingName(name), value, need });
  if (need !== 'read') addSecret(walk, args[1]);
  return 'read';
}

/** Records the use of an operator, by its parts. */
export function useOperator(walk: Walk, parts: readonly string[]): void {
  const { schema, name } = qualified(parts);
  addFunction(walk, schema, operatorUse(name), operatorNeed(schema, name));
}

const BETWEEN: ReadonlyMap<string, readonly string[]> = new Map([
  ['AEXPR_BETWEEN', ['>=', '<=']],
  ['AEXPR_NOT_BETWEEN', ['<', '>']],
  ['AEXPR_BETWEEN_SYM', ['>=', '<=']],
  ['AEXPR_NOT_BETWEEN_SYM', ['<', '>']],
]);

const OPERATOR_KINDS: ReadonlySet<unknown> = new Set([
  'AEXPR_OP',
  'AEXPR_OP_ANY',
  'AEXPR_OP_ALL',
  'AEXPR_DISTINCT',
  'AEXPR_NOT_DISTINCT',
  'AEXPR_NULLIF',
  'AEXPR_IN',
  'AEXPR_LIKE',
  'AEXPR_ILIKE',
  'AEXPR_SIMILAR',
]);

function operatorExpression(walk: Walk, fields: Fields, scope: Scope, place: ColumnPlace): void {
  const kind = textOf(fields.kind) ?? '';
  const between = BETWEEN.get(kind);
  if (between !== undefined) for (const name of between) useOperator(walk, [name]);
  else if (OPERATOR_KINDS.has(kind)) useOperator(walk, namesOf(fields.name));
  else throw new NotUnderstood('an operator has an unknown form');
  visit(walk, fields.lexpr, scope, place);
  visit(walk, fields.rexpr, scope, place);
}

function subLink(walk: Walk, fields: Fields, scope: Scope, place: ColumnPlace): void {
  visit(walk, fields.testexpr, scope, place);
  if (fields.operName !== undefined) useOperator(walk, namesOf(fields.operName));
  else if (fields.testexpr !== undefined) useOperator(walk, ['=']);
  const { type, fields: query } = nodeOf(fields.subselect);
  if (type !== 'SelectStmt') throw new NotUnderstood(`${type} where a subquery belongs`);
  expect(type, query);
  select(walk, query, scope, false);
}

function typeCast(walk: Walk, fields: Fields, scope: Scope, place: ColumnPlace): void {
  visit(walk, fields.arg, scope, place);
  visitStruct(walk, 'TypeName', fieldsOf(fields.typeName), scope, 'expression');
}

/** A cast to a type that is not the system's may run functions: a cast's own, or those of a domain's checks. */
function typeName(walk: Walk, fields: Fields, scope: Scope): void {
  const { schema, name } = qualified(namesOf(fields.names));
  if (!isSystemType(schema, name)) addFunction(walk, null, castUse(name), 'read');
  else if (name.startsWith('reg')) walk.valueBlind = false;
  visit(walk, fields.typmods, scope, 'expression');
  for (const bound of listOf(fields.arrayBounds))
    if (nodeOf(bound).type !== 'Integer') throw new NotUnderstood('an array type has an unknown form');
}

function sortBy(walk: Walk, fields: Fields, scope: Scope, place: ColumnPlace): void {
  if (fields.useOp !== undefined) useOperator(walk, namesOf(fields.useOp));
  visit(walk, fields.node, scope, place);
}

/** CASE x WHEN y compares by whatever `=` the search path has. */
function caseExpression(walk: Walk, fields: Fields, scope: Scope, place: ColumnPlace): void {
  if (fields.arg !== undefined) useOperator(walk, ['=']);
  visit(walk, fields.arg, scope, place);
  visit(walk, fields.args, scope, place);
  visit(walk, fields.defresult, scope, place);
}

/** A literal's own fields are leaves. */
function literal(): void {}

/** `SET (a, b) = (SELECT …)`: the tree repeats the source for each column; once is enough. */
function multiAssign(walk: Walk, fields: Fields, scope: Scope): void {
  if ((fields.colno ?? 0) === 1) visit(walk, fields.source, scope, 'expression');
}

/** SQL/JSON constructors are plain function names for servers that do not know them yet. */
function jsonFunction(type: string, name: string): Handler {
  return (walk, fields, scope, place) => {
    addFunction(walk, null, name, 'read');
    children(walk, type, fields, scope, place);
  };
}

const JSON_OPERATIONS: Readonly<Record<string, string>> = {
  JSON_EXISTS_OP: 'json_exists',
  JSON_QUERY_OP: 'json_query',
  JSON_VALUE_OP: 'json_value',
};

function jsonOperation(walk: Walk, fields: Fields, scope: Scope, place: ColumnPlace): void {
  const name = JSON_OPERATIONS[textOf(fields.op) ?? ''];
  if (name === undefined) throw new NotUnderstood('a JSON function has an unknown form');
  addFunction(walk, null, name, 'read');
  children(walk, 'JsonFuncExpr', fields, scope, place);
}

/** Nodes that may not be visited as an expression: they have a place of their own. */
function misplaced(): never {
  throw new NotUnderstood('a part of the statement stands where the gateway does not expect it');
}

const HANDLERS: ReadonlyMap<string, Handler> = new Map<string, Handler>([
  ['A_Const', literal],
  ['A_Expr', operatorExpression],
  ['A_Indirection', indirection],
  ['CaseExpr', caseExpression],
  ['ColumnRef', columnRef],
  ['FuncCall', functionCall],
  ['MultiAssignRef', multiAssign],
  ['SelectStmt', (walk, fields, scope) => select(walk, fields, scope, false)],
  ['SortBy', sortBy],
  ['SubLink', subLink],
  ['TypeCast', typeCast],
  ['TypeName', typeName],
  ['JsonArrayAgg', jsonFunction('JsonArrayAgg', 'json_arrayagg')],
  ['JsonArrayConstructor', jsonFunction('JsonArrayConstructor', 'json_array')],
  ['JsonArrayQueryConstructor', jsonFunction('JsonArrayQueryConstructor', 'json_array')],
  ['JsonFuncExpr', jsonOperation],
  ['JsonObjectAgg', jsonFunction('JsonObjectAgg', 'json_objectagg')],
  ['JsonObjectConstructor', jsonFunction('JsonObjectConstructor', 'json_object')],
  ['JsonParseExpr', jsonFunction('JsonParseExpr', 'json')],
  ['JsonScalarExpr', jsonFunction('JsonScalarExpr', 'json_scalar')],
  ['JsonSerializeExpr', jsonFunction('JsonSerializeExpr', 'json_serialize')],
  ...[
    'CommonTableExpr',
    'DefElem',
    'DeleteStmt',
    'InsertStmt',
    'IntoClause',
    'JoinExpr',
    'JsonTable',
    'LockingClause',
    'MergeStmt',
    'MergeWhenClause',
    'OnConflictClause',
    'RangeFunction',
    'RangeSubselect',
    'RangeTableFunc',
    'RangeTableSample',
    'RangeVar',
    'ReturningClause',
    'UpdateStmt',
    'WithClause',
  ].map((type): [string, Handler] => [type, misplaced]),
]);
