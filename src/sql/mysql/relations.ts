// What reading a relation of the database system itself needs. An allow-list: what drivers and schema reflection read; everything
// else there needs `admin`, most of all what holds samples of columns, other sessions' statements, or credentials.

import type { Need } from '../../types.ts';

const INFORMATION_SCHEMA = words(`
  administrable_role_authorizations all_plugins applicable_roles character_sets check_constraints collation_character_set_applicability
  collations columns columns_extensions enabled_roles engines events geometry_columns key_column_usage keywords parameters
  partitions plugins referential_constraints resource_groups routines schemata schemata_extensions sequences spatial_ref_sys
  sql_functions st_geometry_columns st_spatial_reference_systems st_units_of_measure statistics table_constraints
  table_constraints_extensions tables tables_extensions tablespaces triggers view_routine_usage view_table_usage views
  period key_period_usage periods optimizer_costs system_variables`);

const PERFORMANCE_SCHEMA = words('session_variables session_status global_variables variables_info');

/** Their names do not mind their case, whatever others do. */
const SYSTEM: ReadonlySet<string> = new Set(['information_schema', 'performance_schema', 'mysql', 'sys']);

/**
 * What reading needs, or null where the relation is not the system's. Changing one always needs `admin`: that is for the
 * caller to say.
 */
export function systemRelation(schema: string, name: string): Need | null {
  const place = schema.toLowerCase();
  if (!SYSTEM.has(place)) return null;
  if (place === 'information_schema') return INFORMATION_SCHEMA.has(name.toLowerCase()) ? 'read' : 'admin';
  if (place === 'performance_schema') return PERFORMANCE_SCHEMA.has(name.toLowerCase()) ? 'read' : 'admin';
  return 'admin';
}

function words(list: string): ReadonlySet<string> {
  return new Set(list.trim().split(/\s+/));
}
