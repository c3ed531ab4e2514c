// Expressions: what of them bears on the facts.
import type { ColumnPlace } from '../../types.ts';
import type { Call, Expression, OrderItem, Window } from './ast.ts';
import { functionNeed } from './functions.ts';
import { query } from './queries.ts';
import type { Scope, Walk } from './walk.ts';

export function visitAll(walk: Walk, values: readonly Expression[], scope: Scope, place: ColumnPlace): void {
  for (const value of values) visit(walk, value, scope, place);
}

/** Columns found in it are used at `place`. */
export function visit(walk: Walk, value: Expression | null, scope: Scope, place: ColumnPlace): void {
  if (value === null) return;
  switch (value.kind) {
    case 'literal':
    case 'parameter':
    case 'user-variable':
    case 'system-variable':
      return;
    case 'column':
      walk.columnRefs++;
      return walk.column(value.table, value.name, place);
    case 'assignment':
      return visit(walk, value.value, scope, 'expression');
    case 'call':
      return call(walk, value, scope, place);
    case 'operator':
      return visitAll(walk, value.operands, scope, place);
    case 'cast':
    case 'collate':
      return visit(walk, value.operand, scope, place);
    case 'case':
      visit(walk, value.operand, scope, place);
      for (const { when, then } of value.whens) visitAll(walk, [when, then], scope, place);
      return visit(walk, value.otherwise, scope, place);
    case 'subquery':
    case 'exists':
      return query(walk, value.query, scope, false);
    case 'quantified':
      visit(walk, value.operand, scope, place);
      return query(walk, value.query, scope, false);
    case 'row':
      return visitAll(walk, value.items, scope, place);
    case 'interval':
      return visit(walk, value.value, scope, place);
    case 'match':
      visitAll(walk, value.columns, scope, place);
      return visit(walk, value.against, scope, place);
    case 'default':
    case 'inserted':
      return visit(walk, value.column, scope, place);
    case 'sequence':
      walk.relation(value.sequence, 'write');
      return;
  }
}

function call(walk: Walk, { schema, name, args, orderBy, over, quoted }: Call, scope: Scope, place: ColumnPlace): void {
  const made = quoted && schema === null && KEYWORDS.has(name);
  walk.call(schema, name, made ? 'admin' : functionNeed(schema, name));
  visitAll(walk, args, scope, place);
  visitOrder(walk, orderBy, scope, place);
  if (typeof over === 'object' && over !== null) window(walk, over, scope);
}

/** Built-in functions that the grammars know by keywords: in quotes, or behind a space, these are not meant. */
const KEYWORDS: ReadonlySet<string> = new Set(
  `adddate avg bit_and bit_or bit_xor cast char charset coalesce collation convert count cume_dist curdate current_date
  current_role current_time current_timestamp current_user curtime database date date_add date_sub day dense_rank extract
  first_value format get_format group_concat hour if insert interval json_arrayagg json_objectagg json_table json_value lag
  last_value lead left localtime localtimestamp max median mid microsecond min minute mod month now nth_value ntile old_password
  password percent_rank percentile_cont percentile_disc position quarter rank repeat replace reverse right row_count row_number
  schema second session_user st_collect std stddev stddev_pop stddev_samp subdate substr substring sum sysdate system_user time
  timestamp timestampadd timestampdiff trim truncate user utc_date utc_time utc_timestamp values var_pop var_samp variance week
  weight_string year ascii grouping`.split(/\s+/),
);

export function visitOrder(walk: Walk, items: readonly OrderItem[], scope: Scope, place: ColumnPlace): void {
  for (const { value } of items) visit(walk, value, scope, place);
}

export function window(walk: Walk, { partitionBy, orderBy, frame }: Window, scope: Scope): void {
  visitAll(walk, partitionBy, scope, 'expression');
  visitOrder(walk, orderBy, scope, 'expression');
  visitAll(walk, frame, scope, 'expression');
}
