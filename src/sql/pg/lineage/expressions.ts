// The value of an expression: an allow-list of nodes, each with what it takes from its parts.

import { computed, derive, type Field, INDEPENDENT, isFree, PARAMETER, rowOf, scalar, type Value } from '../../flow.ts';
import { known, LEAF, NAMES, NODE, SHAPES, type Shape } from '../shapes.ts';
import { type Fields, fieldsOf, listOf, NotUnderstood, nameOf, namesOf, nodeOf, optional, textOf } from '../tree.ts';
import { call } from './calls.ts';
import { castTo, valueAs } from './casts.ts';
import { query } from './queries.ts';
import { decide, fieldOf, findColumn, findItem, type Item, type Level, spend, starred, wholeRow } from './scope.ts';

/** The shape of a node of this type, once all its fields are known ones. */
export function shapeOf(type: string, fields: Fields): Shape {
  const shape = known(SHAPES.get(type), fields);
  if (shape === null) throw new NotUnderstood(`${type} is not known to the gateway here`);
  return shape;
}

/** The value of one expression. */
export function evaluate(level: Level, node: unknown): Value {
  const { type, fields } = nodeOf(node);
  const value = evaluateNode(level, type, fields);
  spend(level.run, 5 + value.flow.keys.length);
  return value;
}

/** The values of a list of expressions, in which `{}` stands for nothing. */
export function evaluateAll(level: Level, list: unknown): Value[] {
  return listOf(list)
    .filter((node) => Object.keys(fieldsOf(node)).length > 0)
    .map((node) => evaluate(level, node));
}

/** Notes that these expressions, one or a list or none, decide which rows there are. */
export function decideBy(level: Level, part: unknown): void {
  if (part === undefined) return;
  decide(level.run, Array.isArray(part) ? evaluateAll(level, part) : [evaluate(level, part)]);
}

function evaluateNode(level: Level, type: string, fields: Fields): Value {
  const shape = shapeOf(type, fields);
  switch (type) {
    case 'A_Const':
    case 'CurrentOfExpr':
    case 'MergeSupportFunc':
    case 'SetToDefault':
    case 'SQLValueFunction':
      return INDEPENDENT;
    case 'ParamRef':
      return PARAMETER;
    case 'ColumnRef':
      return columnRef(level, fields);
    case 'CollateClause':
      return evaluate(level, fields.arg);
    case 'TypeCast':
      return castTo(level.run, evaluate(level, fields.arg), fieldsOf(fields.typeName));
    case 'A_Indirection':
      return indirection(level, fields);
    case 'FuncCall':
      return call(level, fields);
    case 'RowExpr':
      return rowOf(rowFields(level, fields.args));
    case 'SubLink':
      return subLink(level, fields);
    case 'GroupingFunc':
      decideBy(level, fields.args);
      return INDEPENDENT;
    case 'NullTest':
      // No more than that there is a value.
      decideBy(level, fields.arg);
      return INDEPENDENT;
    case 'JsonArrayAgg':
    case 'JsonObjectAgg':
      return jsonAggregate(level, fields);
    case 'JsonArrayQueryConstructor':
      return scalar(query(level, fields.query).map((field) => field.value));
    case 'BooleanTest':
    case 'BoolExpr':
      return scalar(parts(level, shape, fields));
    case 'A_ArrayExpr':
      return { ...derive(parts(level, shape, fields)), array: true };
    case 'CaseExpr':
    case 'CaseWhen':
    case 'CoalesceExpr':
    case 'MinMaxExpr':
      return choice(parts(level, shape, fields));
    case 'A_Expr': {
      const values = parts(level, shape, fields);
      return namesOf(fields.name).at(-1) === '||' ? choice(values) : derive(values);
    }
    case 'JsonArgument':
    case 'JsonArrayConstructor':
    case 'JsonBehavior':
    case 'JsonFormat':
    case 'JsonFuncExpr':
    case 'JsonIsPredicate':
    case 'JsonKeyValue':
    case 'JsonObjectConstructor':
    case 'JsonParseExpr':
    case 'JsonScalarExpr':
    case 'JsonSerializeExpr':
    case 'JsonTableColumn':
    case 'JsonTablePathSpec':
    case 'JsonValueExpr':
    case 'List':
    case 'NamedArgExpr':
    case 'RangeTableFuncCol':
    case 'ResTarget':
    case 'XmlExpr':
    case 'XmlSerialize':
      return derive(parts(level, shape, fields));
    case 'JsonOutput':
      // A type: the value becomes whatever that is.
      return valueAs(level.run, fieldsOf(fields.typeName), INDEPENDENT.flow);
    case 'TypeName':
      return INDEPENDENT;
    default:
      throw new NotUnderstood(`it is not known what ${type} takes from its parts`);
  }
}

/** One of several values of a type, or arrays put together: one array among them makes it an array. */
function choice(values: readonly Value[]): Value {
  return { ...derive(values), array: values.some((value) => value.array === true) };
}

/** The values of everything below a node. */
function parts(level: Level, shape: Shape, fields: Fields): Value[] {
  const values: Value[] = [];
  for (const field in fields) {
    const holds = shape[field];
    const part = fields[field];
    if (holds === NODE) values.push(...(Array.isArray(part) ? evaluateAll(level, part) : [evaluate(level, part)]));
    else if (typeof holds === 'string') values.push(evaluateNode(level, holds, fieldsOf(part)));
    else if (holds !== LEAF && holds !== NAMES) throw new NotUnderstood(`${field} is not known to the gateway here`);
  }
  return values;
}

/** The parts of a column reference; the last may be `*`, which is null. */
export function columnParts(fields: Fields): (string | null)[] {
  const list = listOf(fields.fields);
  return list.map((part, i) => (i === list.length - 1 && nodeOf(part).type === 'A_Star' ? null : nameOf(part)));
}

/** What `a.`, `s.a.` or `db.s.a.` stands for. */
export function itemBefore(level: Level, qualifier: readonly (string | null)[]): Item {
  const [name, schema] = [...qualifier].reverse();
  const found =
    name === undefined || name === null || qualifier.length > 3 ? null : findItem(level, schema ?? null, name);
  if (found === null) throw new NotUnderstood(`what ${qualifier.join('.')} stands for is not known`);
  return found;
}

/** `a`, `t.a`, `s.t.a`; `t.*`, which is the whole row here (parser/parse_expr.c: transformColumnRef). */
function columnRef(level: Level, fields: Fields): Value {
  const names = columnParts(fields);
  const name = names.pop();
  if (names.length === 0) {
    if (name === undefined || name === null) throw new NotUnderstood('a * stands where it is not known to the gateway');
    const column = findColumn(level, name);
    if (column !== null) return column;
    const row = findItem(level, null, name);
    if (row === null) throw new NotUnderstood(`the column ${name} is not known`);
    return wholeRow(row);
  }
  const from = itemBefore(level, names);
  if (name === undefined || name === null) return wholeRow(from);
  const column = fieldOf(from, name);
  // A function of that name, called on the whole row.
  return column ?? { ...derive([wholeRow(from)]), row: undefined };
}

/** `(x).a`, `x[1]`, and both again and again. */
function indirection(level: Level, fields: Fields): Value {
  let value = evaluate(level, fields.arg);
  for (const step of listOf(fields.indirection)) {
    const { type, fields: index } = nodeOf(step);
    if (type === 'A_Indices') value = derive([value, ...parts(level, shapeOf(type, index), index)]);
    else if (type === 'String') value = select(value, nameOf(step));
    else throw new NotUnderstood('a * stands where it is not known to the gateway');
  }
  return value;
}

/** A field of a row, or the function of that name on what is no such row. */
function select(value: Value, name: string): Value {
  const found = value.row?.filter((field) => field.name === name) ?? [];
  const [field] = found;
  if (field !== undefined && found.length === 1) return field.value;
  return isFree(value.flow) ? PARAMETER : { flow: computed([value]), type: null, row: undefined };
}

/** The fields of `(x).*`. */
export function fieldsOfStar(level: Level, indirected: Fields): readonly Field[] {
  const steps = listOf(indirected.indirection);
  const value =
    steps.length === 1
      ? evaluate(level, indirected.arg)
      : indirection(level, { arg: indirected.arg, indirection: steps.slice(0, -1) });
  if (value.row === null || value.row === undefined) throw new NotUnderstood('the fields of (…).* are not known');
  return value.row;
}

/** Whether an expression is `*`, `t.*` or `(x).*`: then its fields, else null. */
export function starFields(level: Level, node: unknown, all: () => Field[]): readonly Field[] | null {
  const { type, fields } = nodeOf(node);
  const list = type === 'ColumnRef' ? fields.fields : type === 'A_Indirection' ? fields.indirection : [];
  const last = listOf(list).at(-1);
  if (last === undefined || nodeOf(last).type !== 'A_Star') return null;
  shapeOf(type, fields);
  if (type === 'A_Indirection') return fieldsOfStar(level, fields);
  const names = columnParts(fields).slice(0, -1);
  if (names.length === 0) return all();
  return starred(itemBefore(level, names).fields);
}

/** The parts of ROW(…) or of a row of VALUES: `t.*` stands for its columns there. */
export function rowFields(level: Level, list: unknown): Field[] {
  const values = listOf(list).flatMap((node) => {
    const fields = starFields(level, node, () => {
      throw new NotUnderstood('a * stands where it is not known to the gateway');
    });
    return fields === null ? [evaluate(level, node)] : fields.map((field) => field.value);
  });
  return values.map((value, i) => ({ name: `f${i + 1}`, value }));
}

/** EXISTS, IN, ANY and ALL tell one bit of what is compared, as a filter does; the others bring values. */
function subLink(level: Level, fields: Fields): Value {
  const result = query(level, fields.subselect);
  const columns = result.map((field) => field.value);
  const [only] = columns;
  level.run.titles.set(fieldsOf(fields.subselect), result[0]?.name ?? '?column?');
  switch (fields.subLinkType) {
    case 'EXISTS_SUBLINK':
      return INDEPENDENT;
    case 'ALL_SUBLINK':
    case 'ANY_SUBLINK':
      decide(level.run, columns);
      decideBy(level, fields.testexpr);
      return INDEPENDENT;
    case 'ARRAY_SUBLINK':
      return { ...derive(columns), array: true };
    case 'EXPR_SUBLINK':
      return only !== undefined && columns.length === 1
        ? only
        : rowOf(columns.map((value, i) => ({ name: `f${i + 1}`, value })));
    default:
      throw new NotUnderstood(`a subquery has an unknown form (${textOf(fields.subLinkType)})`);
  }
}

function jsonAggregate(level: Level, fields: Fields): Value {
  const frame = fieldsOf(fields.constructor);
  shapeOf('JsonAggConstructor', frame);
  decideBy(level, frame.agg_filter);
  sorted(level, frame.agg_order);
  const over = optional(frame.over);
  if (over !== null) window(level, over);
  const type = Array.isArray(fields.arg) ? '' : 'key' in fieldsOf(fields.arg) ? 'JsonKeyValue' : 'JsonValueExpr';
  return scalar([evaluateNode(level, type, fieldsOf(fields.arg))]);
}

/** An ORDER BY inside an aggregate or window: expressions only. Answers their values. */
export function sorted(level: Level, list: unknown): Value[] {
  const values = listOf(list).map((item) => {
    const { type, fields } = nodeOf(item);
    if (type !== 'SortBy') throw new NotUnderstood(`${type} where ORDER BY belongs`);
    shapeOf(type, fields);
    return evaluate(level, fields.node);
  });
  decide(level.run, values);
  return values;
}

/** OVER (…) or WINDOW w AS (…): which rows stand together, and in which order. */
export function window(level: Level, fields: Fields): void {
  shapeOf('WindowDef', fields);
  decideBy(level, fields.partitionClause);
  sorted(level, fields.orderClause);
  decideBy(level, fields.startOffset);
  decideBy(level, fields.endOffset);
}
