// What changing a variable of the session needs. An allow-list; an unknown name needs `admin`.

import type { Need } from '../../types.ts';
import type { Expression } from './ast.ts';
import { type LexMode, lexMode } from './lexer.ts';
import { ENGINES } from './utilities.ts';

/** They change how the session's own statements are planned, bounded, compared or printed, and nothing else. */
const HARMLESS: ReadonlySet<string> = new Set(
  `autocommit auto_increment_increment auto_increment_offset big_tables bulk_insert_buffer_size completion_type
  default_week_format div_precision_increment end_markers_in_json eq_range_index_dive_limit error_count explain_format
  explicit_defaults_for_timestamp group_concat_max_len histogram_generation_max_mem_size histogram_size histogram_type
  in_predicate_conversion_threshold information_schema_stats_expiry innodb_lock_wait_timeout insert_id interactive_timeout
  internal_tmp_mem_storage_engine join_buffer_size join_buffer_space_limit join_cache_level last_insert_id lc_messages
  lc_time_names lock_wait_timeout long_query_time low_priority_updates max_delayed_threads max_error_count max_execution_time
  max_heap_table_size max_join_size max_length_for_sort_data max_points_in_geometry max_recursive_iterations
  max_seeks_for_key max_sort_length max_statement_time max_tmp_tables min_examined_row_limit mrr_buffer_size net_buffer_length
  net_read_timeout net_retry_count net_write_timeout optimizer_prune_level optimizer_search_depth optimizer_selectivity_sampling_limit
  optimizer_switch optimizer_trace_max_mem_size optimizer_use_condition_selectivity parser_max_mem_size profiling
  profiling_history_size progress_report_time query_alloc_block_size query_cache_type query_prealloc_size
  range_alloc_block_size range_optimizer_max_mem_size read_buffer_size read_rnd_buffer_size
  rowid_merge_buff_size select_into_buffer_size session_track_gtids session_track_schema session_track_state_change
  session_track_system_variables session_track_transaction_info show_create_table_skip_secondary_engine
  show_create_table_verbosity sort_buffer_size sql_auto_is_null sql_big_selects sql_buffer_result sql_notes sql_quote_show_create
  sql_safe_updates sql_select_limit sql_warnings thread_pool_priority timestamp tmp_disk_table_size tmp_memory_table_size
  tmp_table_size transaction_alloc_block_size transaction_isolation transaction_prealloc_size tx_isolation
  updatable_views_with_limit use_stat_tables wait_timeout warning_count windowing_use_high_precision
  idle_transaction_timeout idle_write_transaction_timeout
  idle_readonly_transaction_timeout lock_wait_timeout column_compression_threshold analyze_max_length
  analyze_sample_percentage`.split(/\s+/),
);

/** They switch off checks that the database makes when rows are written. */
const CHECKS: ReadonlySet<string> = new Set(
  'foreign_key_checks unique_checks check_constraint_checks innodb_strict_mode old_alter_table alter_algorithm'.split(
    ' ',
  ),
);

const CHARSETS: ReadonlySet<string> = new Set(['utf8', 'utf8mb3', 'utf8mb4']);
/** What the client, the connection and the results are in: what is not UTF-8 could not be read. */
const CHARSET_SETTINGS: ReadonlySet<string> = new Set([
  'names',
  'character_set_client',
  'character_set_connection',
  'character_set_results',
]);
const TRUE: ReadonlySet<string> = new Set(['1', 'on', 'true', 'read only']);

/** `value` null is a default, or a value that the text does not show. `mode` is how the session's texts are read now. */
export function settingNeed(name: string, value: string | null, mode: LexMode): Need {
  // Connector/J asks for results as they are stored; the wire answers it, and leaves them in UTF-8.
  if (name === 'character_set_results' && value?.toLowerCase() === 'null') return 'read';
  if (CHARSET_SETTINGS.has(name)) {
    return value !== null && CHARSETS.has(value.toLowerCase()) ? 'read' : 'never';
  }
  switch (name) {
    // It leaves the connection in the character set of the database.
    case 'character set':
      return 'never';
    case 'sql_mode':
      return value !== null && readsAlike(value, mode) ? 'read' : 'never';
    case 'collation_connection':
      return value !== null && /^utf8(mb[34])?_\w+$/i.test(value) ? 'read' : 'never';
    // A table that is made without naming its engine has this one: some read files, or other servers.
    case 'storage_engine':
    case 'default_storage_engine':
    case 'default_tmp_storage_engine':
      return value !== null && ENGINES.has(value.toLowerCase()) ? 'read' : 'admin';
    case 'time_zone':
      return value === null ? 'admin' : 'read';
    case 'transaction_read_only':
    case 'tx_read_only':
      return value !== null && TRUE.has(value.toLowerCase()) ? 'read' : 'write';
    // Settings by which the server would read a text in another way than the gateway.
    case 'old_mode':
    case 'old':
    case 'old_passwords':
    case 'lower_case_table_names':
    case 'character_set_database':
    case 'character_set_filesystem':
    case 'character_set_server':
    case 'collation_database':
    case 'collation_server':
    case 'character_set_system':
      return name.startsWith('old') ? 'never' : 'admin';
  }
  if (HARMLESS.has(name)) return 'read';
  return CHECKS.has(name) ? 'write' : 'admin';
}

/** The parts of sql_mode that change how a text is read. */
const FLAGS = ['ansiQuotes', 'noBackslashEscapes', 'pipesAsConcat', 'ignoreSpace', 'highNotPrecedence'] as const;

/** Whether a text means the same under this sql_mode as now. Numbers and unknown modes are not looked through. */
function readsAlike(value: string, mode: LexMode): boolean {
  if (!/^[a-z_, ]*$/i.test(value)) return false;
  const next = lexMode(value, mode.mariadb);
  return next !== null && FLAGS.every((flag) => next[flag] === mode[flag]);
}

/** Modes that have nothing to do with how a text is read, and are no part of another's name. */
const WITHOUT_READING: ReadonlySet<string> = new Set(
  `only_full_group_by strict_trans_tables strict_all_tables no_zero_in_date no_zero_date error_for_division_by_zero
  no_auto_create_user no_engine_substitution no_auto_value_on_zero`.split(/\s+/),
);

/**
 * `CONCAT(@@sql_mode, ',STRICT_TRANS_TABLES')` and `REPLACE(@@sql_mode, 'ONLY_FULL_GROUP_BY', '')`, as drivers and frameworks set it:
 * what is added or left out must not change how a text is read.
 */
export function changesModeAlike(value: Expression, mode: LexMode): boolean {
  if (value.kind !== 'call' || value.schema !== null || value.distinct || value.over !== null) return false;
  const [first, ...others] = value.args;
  if (value.name === 'replace') {
    const [what, by] = others.map(literalOf);
    const left = what?.toLowerCase().replace(/^,|,$/g, '') ?? '';
    return isOwnMode(first) && others.length === 2 && by === '' && WITHOUT_READING.has(left);
  }
  if (value.name !== 'concat' || value.args.filter(isOwnMode).length !== 1) return false;
  const added = value.args.map((arg) => (isOwnMode(arg) ? '' : literalOf(arg)));
  if (added.some((text) => text === null || !/^[a-z_,]*$/i.test(text))) return false;
  // A name must not grow together with its neighbour's.
  const apart = value.args.every((_, i) => i === 0 || /^,/.test(added[i] ?? '') || /,$/.test(added[i - 1] ?? ''));
  const next = lexMode(added.join(''), mode.mariadb);
  return apart && next !== null && FLAGS.every((flag) => !next[flag] || mode[flag]);
}

function isOwnMode(value: Expression | undefined): boolean {
  return (
    value?.kind === 'system-variable' &&
    value.name.toLowerCase() === 'sql_mode' &&
    (value.scope === null || ['session', 'local'].includes(value.scope.toLowerCase()))
  );
}

function literalOf(value: Expression): string | null {
  return value.kind === 'literal' && value.type === 'string' && value.charset === null ? value.value : null;
}
