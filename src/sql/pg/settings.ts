// What changing a setting of the session needs. An allow-list: an unknown name needs `admin`, whoever it may serve (a
// setting of an application's own may be what its row security goes by).

import type { Need } from '../../types.ts';

/** Settings that change how the session's own statements are planned, bounded or printed, and nothing else. */
const HARMLESS = new Set(
  `application_name array_nulls bytea_output check_function_bodies client_connection_check_interval client_min_messages
  constraint_exclusion cpu_index_tuple_cost cpu_operator_cost cpu_tuple_cost cursor_tuple_fraction datestyle
  default_statistics_target default_table_access_method default_tablespace default_text_search_config
  default_toast_compression default_transaction_deferrable default_transaction_isolation effective_cache_size
  effective_io_concurrency escape_string_warning extra_float_digits from_collapse_limit geqo geqo_effort geqo_generations
  geqo_pool_size geqo_seed geqo_selection_bias geqo_threshold gin_fuzzy_search_limit hash_mem_multiplier hnsw.ef_search
  hnsw.iterative_scan idle_in_transaction_session_timeout idle_session_timeout intervalstyle ivfflat.probes jit
  jit_above_cost jit_expressions jit_inline_above_cost jit_optimize_above_cost jit_tuple_deforming join_collapse_limit
  lc_monetary lc_numeric lc_time lock_timeout maintenance_io_concurrency maintenance_work_mem
  max_parallel_maintenance_workers max_parallel_workers max_parallel_workers_per_gather min_parallel_index_scan_size
  min_parallel_table_scan_size parallel_leader_participation parallel_setup_cost parallel_tuple_cost
  pg_trgm.similarity_threshold pg_trgm.strict_word_similarity_threshold pg_trgm.word_similarity_threshold plan_cache_mode
  quote_all_identifiers random_page_cost recursive_worktable_factor restrict_nonsystem_relation_kind search_path
  seq_page_cost statement_timeout stats_fetch_consistency synchronize_seqscans synchronous_commit temp_buffers
  temp_tablespaces timezone transaction_deferrable transaction_isolation transaction_timeout work_mem xmlbinary
  xmloption`.split(/\s+/),
);

/**
 * Settings that the server shows to superusers alone (GUC_SUPERUSER_ONLY), and commands, in which a credential may stand.
 * Those with a dot are an application's or an extension's own. SHOW ALL shows them all.
 */
const SECRET = new Set(
  `all archive_cleanup_command archive_command config_file data_directory dynamic_library_path extension_control_path
  extension_destdir external_pid_file hba_file ident_file jit_provider krb_server_keyfile log_directory log_filename oauth_validator_libraries primary_conninfo recovery_end_command
  restore_command session_preload_libraries shared_preload_libraries ssl_ciphers ssl_dh_params_file ssl_ecdh_curve
  ssl_groups ssl_max_protocol_version ssl_min_protocol_version ssl_passphrase_command ssl_tls13_ciphers
  stats_temp_directory unix_socket_directories`.split(/\s+/),
);

const TRUE = new Set(['on', 'true', 'yes', '1', 't', 'y']);
const UTF8 = new Set(['utf8', 'unicode']);

/** Names of settings do not mind their case. */
export function settingName(name: string): string {
  return name.replace(/[A-Z]+/g, (letters) => letters.toLowerCase());
}

/** `value` null is a default, or a value that the text does not show. */
export function settingNeed(name: string, value: string | null): Need {
  const setting = settingName(name);
  switch (setting) {
    case 'standard_conforming_strings':
      return value !== null && TRUE.has(value.toLowerCase()) ? 'read' : 'never';
    case 'client_encoding':
      return value !== null && UTF8.has(value.toLowerCase().replace(/[^a-z0-9]/g, '')) ? 'read' : 'never';
    case 'backslash_quote':
      return 'never';
    case 'transaction_read_only':
    case 'default_transaction_read_only':
      return value !== null && TRUE.has(value.toLowerCase()) ? 'read' : 'write';
    default:
      return HARMLESS.has(setting) || /^enable_[a-z_]+$/.test(setting) ? 'read' : 'admin';
  }
}

export function settingIsSecret(name: string): boolean {
  const setting = settingName(name);
  return !/^[a-z_0-9]+$/.test(setting) || SECRET.has(setting);
}

/** A search path as SET has it, one literal a schema, written as a comma list that the server would read the same. */
export function writePath(schemas: readonly string[]): string {
  return schemas
    .map((schema) => (/^[a-z_][a-z0-9_]*$/.test(schema) ? schema : `"${schema.replaceAll('"', '""')}"`))
    .join(', ');
}

/**
 * A comma list of identifiers as the server reads one (varlena.c, SplitIdentifierString): unquoted names are folded, quotes
 * are doubled inside quotes. Null where it is not one.
 */
export function readPath(list: string): string[] | null {
  return /^\s*$/.test(list) ? [] : splitNames(list, ',');
}

/** A name in a string (`nextval('public."Seq"')`), in its parts; null where it is none, or the server would cut it. */
export function readName(text: string): string[] | null {
  // Digits alone are an OID (regproc.c, parseNumericOid).
  if (/^[\s\d-]*$/.test(text)) return null;
  const names = splitNames(text, '.');
  return names?.some((name) => Buffer.byteLength(name) > NAME_MAX) ? null : names;
}

/** NAMEDATALEN without the terminator, in bytes. */
const NAME_MAX = 63;

function splitNames(text: string, separator: ',' | '.'): string[] | null {
  const names: string[] = [];
  const part = /\s*(?:"((?:[^"]|"")+)"|([^\s",.()]+))\s*(.?)/gsy;
  for (;;) {
    const match = part.exec(text);
    if (match === null) return null;
    const [, quoted, plain, next] = match;
    // Folding beyond ASCII hangs on the database's locale.
    if (plain !== undefined && !/^[\x21-\x7e]+$/.test(plain)) return null;
    names.push(quoted !== undefined ? quoted.replaceAll('""', '"') : settingName(plain ?? ''));
    if (next === '') return names;
    if (next !== separator) return null;
  }
}
