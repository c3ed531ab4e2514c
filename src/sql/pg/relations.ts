// What reading a relation of the database system itself needs. An allow-list: what drivers, psql's \d and schema
// reflection read; everything else there needs `admin`, most of all what holds samples of columns (pg_stats), other
// sessions' statements (pg_stat_activity), credentials (pg_authid, pg_subscription) or rows (pg_largeobject, pg_toast).

import type { Need } from '../../types.ts';

const PG_CATALOG = words(`
  pg_aggregate pg_am pg_amop pg_amproc pg_attrdef pg_attribute pg_auth_members pg_available_extension_versions
  pg_available_extensions pg_cast pg_class pg_collation pg_constraint pg_conversion pg_cursors pg_database pg_default_acl
  pg_depend pg_description pg_enum pg_event_trigger pg_extension pg_foreign_data_wrapper pg_foreign_server pg_foreign_table
  pg_group pg_index pg_indexes pg_inherits pg_init_privs pg_language pg_largeobject_metadata pg_locks pg_matviews
  pg_namespace pg_opclass pg_operator pg_opfamily pg_parameter_acl pg_partitioned_table pg_policies pg_policy
  pg_prepared_statements pg_proc pg_publication pg_publication_namespace pg_publication_rel pg_publication_tables pg_range
  pg_rewrite pg_roles pg_rules pg_seclabel pg_seclabels pg_sequence pg_sequences pg_settings pg_shdepend pg_shdescription
  pg_shseclabel pg_stat_all_indexes pg_stat_all_tables pg_stat_database pg_stat_sys_indexes pg_stat_sys_tables
  pg_stat_user_functions pg_stat_user_indexes pg_stat_user_tables pg_statio_all_indexes pg_statio_all_sequences
  pg_statio_all_tables pg_statio_sys_indexes pg_statio_sys_sequences pg_statio_sys_tables pg_statio_user_indexes
  pg_statio_user_sequences pg_statio_user_tables pg_statistic_ext pg_subscription_rel pg_tables pg_tablespace
  pg_timezone_abbrevs pg_timezone_names pg_transform pg_trigger pg_ts_config pg_ts_config_map pg_ts_dict pg_ts_parser
  pg_ts_template pg_type pg_user pg_views
`);

const INFORMATION_SCHEMA = words(`
  administrable_role_authorizations applicable_roles attributes character_sets check_constraint_routine_usage
  check_constraints collation_character_set_applicability collations column_column_usage column_domain_usage
  column_privileges column_udt_usage columns constraint_column_usage constraint_table_usage data_type_privileges
  domain_constraints domain_udt_usage domains element_types enabled_roles foreign_data_wrappers foreign_servers
  foreign_tables information_schema_catalog_name key_column_usage parameters referential_constraints role_column_grants
  role_routine_grants role_table_grants role_udt_grants role_usage_grants routine_column_usage routine_privileges
  routine_routine_usage routine_sequence_usage routine_table_usage routines schemata sequences sql_features
  sql_implementation_info sql_parts sql_sizing table_constraints table_privileges tables transforms
  triggered_update_columns triggers udt_privileges usage_privileges user_defined_types view_column_usage
  view_routine_usage view_table_usage views
`);

/** Views of extensions that show other sessions' statements, in whichever schema they were put. */
const EXTENSIONS = words('pg_stat_monitor pg_stat_statements pg_stat_statements_info');

/**
 * What reading needs, or null where the relation is not the system's. Changing one always needs `admin`: that is for the
 * caller to say. A session's own temporary schema goes by `pg_temp`; any numbered one needs `admin`.
 */
export function systemRelation(schema: string, name: string): Need | null {
  if (schema === 'pg_catalog') return PG_CATALOG.has(name) ? 'read' : 'admin';
  if (schema === 'information_schema') return INFORMATION_SCHEMA.has(name) ? 'read' : 'admin';
  if (schema === 'pg_temp') return null;
  // The prefix is the server's own.
  if (schema.startsWith('pg_') || EXTENSIONS.has(name)) return 'admin';
  return null;
}

function words(list: string): ReadonlySet<string> {
  return new Set(list.trim().split(/\s+/));
}
