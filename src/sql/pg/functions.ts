// What calling a function, using an operator or casting to a type needs, going by its name. Allow-lists: an unknown name
// needs `admin`. Whether an unqualified name reaches something that a user made is the catalog's to say
// (`Catalog.userFunctions`, `Catalog.userOperators`).

import type { Need } from '../../types.ts';
import { EXTENSIONS, INFORMATION_SCHEMA, OPERATORS, ROW_FUNCTIONS, SYSTEM, TYPES, WRITERS } from './names.ts';
import { settingIsSecret } from './settings.ts';

const SYSTEM_NAMES = words(SYSTEM);
const INFORMATION_SCHEMA_NAMES = words(INFORMATION_SCHEMA);
const EXTENSION_NAMES = words(EXTENSIONS);
const WRITER_NAMES = words(WRITERS);
const OPERATOR_NAMES = words(OPERATORS);
const ROW_FUNCTION_NAMES = words(ROW_FUNCTIONS);
const TYPE_NAMES = words(TYPES);

/** Functions whose need hangs on an argument; `set_config` is judged as a setting. */
export const SEQUENCE_WRITERS: ReadonlySet<string> = new Set(['nextval', 'setval']);

export function functionNeed(schema: string | null, name: string): Need {
  if (schema === null || schema === 'pg_catalog') {
    if (SYSTEM_NAMES.has(name)) return 'read';
    if (WRITER_NAMES.has(name)) return 'write';
  }
  if (schema === null && EXTENSION_NAMES.has(name)) return 'read';
  if (schema === 'information_schema' && INFORMATION_SCHEMA_NAMES.has(name)) return 'read';
  return 'admin';
}

/** `current_setting(name)` and SHOW: null is a name that cannot be seen. */
export function settingReadNeed(name: string | null): Need {
  return name === null || settingIsSecret(name) ? 'admin' : 'read';
}

export function operatorNeed(schema: string | null, name: string): Need {
  return (schema === null || schema === 'pg_catalog') && OPERATOR_NAMES.has(name) ? 'read' : 'admin';
}

/** Families of functions that do something: no field's name is worth the risk. */
const EFFECTS =
  /^(pg_|lo_|lo(read|write)$|binary_upgrade|brin_|gin_|dblink|crosstab|set_|ts_stat$|current_setting$)|_to_xml/;

/**
 * What `value.name` needs if it calls a function of that name on the value, which may be of any type (`('x').pg_read_file`;
 * PostgreSQL, "Functional Notation"). Null where it is most likely a field: then the catalog has to say.
 */
export function fieldNeed(name: string): Need | null {
  const need = functionNeed(null, name);
  return need !== 'admin' || EFFECTS.test(name) ? need : null;
}

/** Whether `row.name` may call a function of this name on the whole row instead of reading a column. */
export function takesWholeRow(name: string): boolean {
  return ROW_FUNCTION_NAMES.has(name);
}

export function isSystemType(schema: string | null, name: string): boolean {
  return (schema === null || schema === 'pg_catalog') && TYPE_NAMES.has(name);
}

/** How operators and types stand among a statement's functions. */
export const operatorUse = (name: string): string => `operator ${name}`;
export const castUse = (name: string): string => `cast ${name}`;

/** How a name behind a row stands among a statement's fields. */
export const rowFunction = (name: string): string => `row ${name}`;

function words(list: string): ReadonlySet<string> {
  return new Set(list.trim().split(/\s+/));
}
