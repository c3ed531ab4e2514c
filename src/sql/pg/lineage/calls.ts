// Calls of functions, aggregates and window functions: derived from all that they are given, but for those that only count.
// Which function a name reaches, and whether it reads more than it is given, is judged elsewhere.

import type { FunctionResult } from '../../../types.ts';
import { computed, derive, type Field, INDEPENDENT, isFree, type Value } from '../../flow.ts';
import { functionNeed } from '../functions.ts';
import { type Fields, namesOf, optional, qualified } from '../tree.ts';
import { decideBy, evaluateAll, sorted, window } from './expressions.ts';
import { decide, type Level, type Run, write } from './scope.ts';

/** Functions that keep or send what they are given, beside those that need more than `read`. */
const KEEPERS: Readonly<Record<string, string>> = {
  lo_from_bytea: 'a large object',
  lo_put: 'a large object',
  lowrite: 'a large object',
  pg_notify: 'a notification',
  set_config: 'a setting',
  setseed: 'the seed of random()',
  setval: 'a sequence',
};

/** How long a statement takes is as telling as how many rows it has. */
const SLEEPERS: ReadonlySet<string> = new Set(['pg_sleep', 'pg_sleep_for', 'pg_sleep_until']);

/** How many rows they make hangs on what they are given, in a select list too (pg_proc.proretset of PostgreSQL 18). */
const ROW_MAKERS: ReadonlySet<string> = new Set(
  `aclexplode each generate_series generate_subscripts json_array_elements json_array_elements_text json_each json_each_text
  json_object_keys json_populate_recordset json_to_recordset jsonb_array_elements jsonb_array_elements_text jsonb_each
  jsonb_each_text jsonb_object_keys jsonb_path_query jsonb_path_query_tz jsonb_populate_recordset jsonb_to_recordset
  pg_options_to_table pg_partition_ancestors pg_partition_tree pg_snapshot_xip regexp_matches regexp_split_to_table skeys
  st_dump st_dumppoints st_dumprings string_to_table svals ts_debug ts_parse ts_token_type txid_snapshot_xip unnest`.split(
    /\s+/,
  ),
);

/** One call, wherever it stands. */
export function call(level: Level, fields: Fields): Value {
  const { run } = level;
  const { schema, name } = qualified(namesOf(fields.funcname));
  const args = evaluateAll(level, fields.args);
  decideBy(level, fields.agg_filter);
  const order = sorted(level, fields.agg_order);
  if (fields.agg_distinct === true) decide(run, args);
  const over = optional(fields.over);
  if (over !== null) window(level, over);

  const system = schema === 'pg_catalog' || (schema === null && !run.catalog.userFunctions.has(name));
  const into = KEEPERS[name] ?? (functionNeed(schema, name) === 'read' ? null : `what ${name} is given`);
  if (into !== null && !isFree(computed(args))) write(run, into, null, computed(args));
  if (SLEEPERS.has(name) || ROW_MAKERS.has(name)) decide(run, args);
  // Only how many there are is told.
  if (system && name === 'count') {
    decide(run, args);
    return INDEPENDENT;
  }
  // What WITHIN GROUP orders is what such an aggregate picks from.
  const given = fields.agg_within_group === true ? [...args, ...order] : args;
  return { ...derive(given), ...answerOf(run, name, given) };
}

interface Answer {
  /** The fields of the row that it answers with, as in `Value`. */
  readonly row: Value['row'];
  /** The name of the only OUT parameter. */
  readonly title: string | null;
  /** It is an array for certain. */
  readonly array: boolean;
}

const PLAIN: Answer = { row: null, title: null, array: false };
const UNKNOWN: Answer = { row: undefined, title: null, array: false };

/** What kind of thing a function answers with, going by its name, by how much it is given, and whether that is an array. */
function answerOf(run: Run, name: string, args: readonly Value[]): Answer {
  const { results } = run.catalog;
  if (results === undefined) return UNKNOWN;
  const answers = (results.get(name) ?? [])
    .filter(({ least, most }) => args.length >= least && args.length <= most)
    .filter(({ takesArray }) => takesArray || args[0]?.array !== true)
    .map((result) => answer(result, args));
  const [first] = answers;
  if (first === undefined) return PLAIN;
  if (!answers.every((other) => alike(first, other))) return UNKNOWN;
  return { ...first, array: answers.every((other) => other.array) };
}

function answer(result: FunctionResult, args: readonly Value[]): Answer {
  const [title] = result.columns;
  switch (result.kind) {
    case 'value':
    case 'array':
      return { row: null, title: title === undefined || title === '' ? null : title, array: result.kind === 'array' };
    case 'row':
      return { ...PLAIN, row: fieldsFrom(result.columns, args) };
    case 'same': {
      if (args.every((arg) => arg.row === null)) return PLAIN;
      const row = args.find((arg) => arg.row !== null)?.row;
      return row
        ? {
            ...PLAIN,
            row: fieldsFrom(
              row.map((field) => field.name),
              args,
            ),
          }
        : UNKNOWN;
    }
    case 'same array':
      return { ...PLAIN, row: args.every((arg) => arg.row === null) ? null : undefined, array: true };
    case 'record':
    case 'unknown':
      return UNKNOWN;
  }
}

function fieldsFrom(names: readonly string[], args: readonly Value[]): Field[] {
  const flow = computed(args);
  return names.map((name) => ({ name, value: { flow, type: null, row: undefined } }));
}

function alike(a: Answer, b: Answer): boolean {
  if (a.title !== b.title) return false;
  if (!a.row || !b.row) return a.row === b.row;
  const other = b.row;
  return a.row.length === other.length && a.row.every((field, i) => field.name === other[i]?.name);
}
