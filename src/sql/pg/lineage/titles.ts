// The name that a result column gets where none is written (parser/parse_target.c: FigureColname).

import { listOf, namesOf, nodeOf, textOf } from '../tree.ts';

const FIXED: Readonly<Record<string, string>> = {
  A_ArrayExpr: 'array',
  CoalesceExpr: 'coalesce',
  GroupingFunc: 'grouping',
  JsonArrayAgg: 'json_arrayagg',
  JsonArrayConstructor: 'json_array',
  JsonArrayQueryConstructor: 'json_array',
  JsonObjectAgg: 'json_objectagg',
  JsonObjectConstructor: 'json_object',
  JsonParseExpr: 'json',
  JsonScalarExpr: 'json_scalar',
  JsonSerializeExpr: 'json_serialize',
  MergeSupportFunc: 'merge_action',
  RowExpr: 'row',
  XmlSerialize: 'xmlserialize',
};

/** By a field of the node: `<type>.<value>`. */
const BY_KIND: Readonly<Record<string, string>> = {
  'A_Expr.AEXPR_NULLIF': 'nullif',
  'JsonFuncExpr.JSON_EXISTS_OP': 'json_exists',
  'JsonFuncExpr.JSON_QUERY_OP': 'json_query',
  'JsonFuncExpr.JSON_VALUE_OP': 'json_value',
  'MinMaxExpr.IS_GREATEST': 'greatest',
  'MinMaxExpr.IS_LEAST': 'least',
  'SQLValueFunction.SVFOP_CURRENT_DATE': 'current_date',
  'SQLValueFunction.SVFOP_CURRENT_TIME': 'current_time',
  'SQLValueFunction.SVFOP_CURRENT_TIME_N': 'current_time',
  'SQLValueFunction.SVFOP_CURRENT_TIMESTAMP': 'current_timestamp',
  'SQLValueFunction.SVFOP_CURRENT_TIMESTAMP_N': 'current_timestamp',
  'SQLValueFunction.SVFOP_LOCALTIME': 'localtime',
  'SQLValueFunction.SVFOP_LOCALTIME_N': 'localtime',
  'SQLValueFunction.SVFOP_LOCALTIMESTAMP': 'localtimestamp',
  'SQLValueFunction.SVFOP_LOCALTIMESTAMP_N': 'localtimestamp',
  'SQLValueFunction.SVFOP_CURRENT_ROLE': 'current_role',
  'SQLValueFunction.SVFOP_CURRENT_USER': 'current_user',
  'SQLValueFunction.SVFOP_USER': 'user',
  'SQLValueFunction.SVFOP_SESSION_USER': 'session_user',
  'SQLValueFunction.SVFOP_CURRENT_CATALOG': 'current_catalog',
  'SQLValueFunction.SVFOP_CURRENT_SCHEMA': 'current_schema',
  'SubLink.ARRAY_SUBLINK': 'array',
  'SubLink.EXISTS_SUBLINK': 'exists',
  'XmlExpr.IS_XMLCONCAT': 'xmlconcat',
  'XmlExpr.IS_XMLELEMENT': 'xmlelement',
  'XmlExpr.IS_XMLFOREST': 'xmlforest',
  'XmlExpr.IS_XMLPARSE': 'xmlparse',
  'XmlExpr.IS_XMLPI': 'xmlpi',
  'XmlExpr.IS_XMLROOT': 'xmlroot',
};

/** What a subquery that is an expression calls its only column. */
export type NameOfQuery = (query: unknown) => string;

/** The name of a result column without an alias. */
export function titleOf(node: unknown, nameOfQuery: NameOfQuery): string {
  return figure(node, nameOfQuery)?.name ?? '?column?';
}

/** Null: none. A weak name, of a type or of CASE, yields to one from inside. */
function figure(value: unknown, nameOfQuery: NameOfQuery): { name: string; weak: boolean } | null {
  const { type, fields } = nodeOf(value);
  switch (type) {
    case 'ColumnRef':
      return strong(lastString(fields.fields));
    case 'A_Indirection':
      return strong(lastString(fields.indirection)) ?? figure(fields.arg, nameOfQuery);
    case 'FuncCall':
      return strong(namesOf(fields.funcname).at(-1) ?? null);
    case 'TypeCast': {
      const inner = figure(fields.arg, nameOfQuery);
      if (inner !== null && !inner.weak) return inner;
      const name = namesOf(nodeOf({ TypeName: fields.typeName }).fields.names).at(-1);
      return name === undefined ? inner : { name, weak: true };
    }
    case 'CollateClause':
      return figure(fields.arg, nameOfQuery);
    case 'CaseExpr': {
      const inner = fields.defresult === undefined ? null : figure(fields.defresult, nameOfQuery);
      return inner !== null && !inner.weak ? inner : { name: 'case', weak: true };
    }
    case 'SubLink':
      if (fields.subLinkType === 'EXPR_SUBLINK') return strong(nameOfQuery(fields.subselect));
      return strong(BY_KIND[`${type}.${textOf(fields.subLinkType)}`] ?? null);
    default: {
      const kind = type === 'A_Expr' ? fields.kind : fields.op;
      return strong(FIXED[type] ?? BY_KIND[`${type}.${typeof kind === 'string' ? kind : ''}`] ?? null);
    }
  }
}

function strong(name: string | null): { name: string; weak: boolean } | null {
  return name === null ? null : { name, weak: false };
}

function lastString(list: unknown): string | null {
  let found: string | null = null;
  for (const part of listOf(list)) {
    const { type, fields } = nodeOf(part);
    if (type === 'String') found = textOf(fields.sval) ?? '';
  }
  return found;
}
