// Whether a statement could bring out protected data by a road on which its values cannot be followed: bodies and functions
// out of sight, the system's own copies of values, changes of a protected relation's definition. What the values of a
// statement that can be followed do is for `flow.ts`.

import type { CatalogRelation, ColumnUse, Facts, FunctionUse, Need, RelationUse } from '../types.ts';
import type { ProtectedRelation, Protection } from './protect.ts';

/** A relation that the statement uses (`*`: every one); undefined where the catalog, read just now, does not have it. */
export interface TouchedRelation {
  readonly use: RelationUse;
  readonly relation: CatalogRelation | undefined;
  /** What the system's own relation needs to be read, null where it is none of them. */
  readonly target?: { readonly system: Need | null };
}

/** Where a database system keeps values besides its tables. */
export interface System {
  /** A relation that holds samples of columns, or statements with their values. */
  copies(relation: TouchedRelation): boolean;
  /** A function with a known effect that also reads what was stored. */
  reads(name: string): boolean;
  /** The schema whose functions are the system's own; null where there is none. */
  readonly schema: string | null;
}

const PG_COPIES: ReadonlySet<string> = new Set([
  'pg_stats',
  'pg_stats_ext',
  'pg_stats_ext_exprs',
  'pg_statistic',
  'pg_statistic_ext_data',
  'pg_largeobject',
  'pg_stat_activity',
  'pg_stat_statements',
]);

/** Relations by their name alone, whichever schema they are in: extensions have them too. So does TOAST. */
export const PG_SYSTEM: System = {
  copies: ({ use }) => PG_COPIES.has(use.name) || /^pg_toast_/.test(use.name),
  reads: (name) => /^lo(_|read$|write$)/.test(name),
  schema: 'pg_catalog',
};

/** Whatever there is of the system's beside the schema itself: histograms, other sessions' statements, logs, pages. */
export const MYSQL_SYSTEM: System = {
  copies: ({ target }) => target !== undefined && target.system !== null && target.system !== 'read',
  reads: () => false,
  schema: null,
};

/**
 * Changes of a relation that show none of its values and leave it within the rules' reach, as far as the columns that they
 * use (`Facts.columns`: those of a new expression or type, `*` for what moves or leaves its family) are not protected.
 */
const COVERED_CHANGES: ReadonlySet<string> = new Set([
  'alter-sequence',
  'alter-table',
  'analyze',
  'cluster',
  'comment',
  'create-index',
  'create-schema',
  'create-sequence',
  'create-statistics',
  'create-table',
  'drop-index',
  'drop-materialized-view',
  'drop-schema',
  'drop-sequence',
  'drop-table',
  'drop-view',
  'grant',
  'refresh-materialized-view',
  'reindex',
  'rename-column',
  'revoke',
  'truncate',
  'vacuum',
]);

/** What a change may be called besides its main kind. */
const FORMS_OF_CHANGE: ReadonlySet<string> = new Set(['drop-column', 'drop-constraint', 'set-schema']);

/** Whether a statement does nothing but change definitions, in ways of which `exposure` has judged everything there is. */
export function onlyChanges({ kinds }: Facts): boolean {
  return kinds.length > 0 && kinds.every((kind) => COVERED_CHANGES.has(kind) || FORMS_OF_CHANGE.has(kind));
}

/**
 * Why the statement is refused, for the agent to read, or null. `relations` are those of `facts`, found in the catalog that
 * `protection` was made from.
 */
export function exposure(
  facts: Facts,
  relations: readonly TouchedRelation[],
  protection: Protection,
  system: System,
): string | null {
  if (!protection.any) return null;
  return (
    unseenBody(facts, relations, protection, system) ??
    copies(relations, system) ??
    changed(facts, relations, protection)
  );
}

/** Whether a statement touches a relation that holds protected data, so that its values have to be followed. */
export function touchesProtected(relations: readonly TouchedRelation[], protection: Protection): boolean {
  return relations.some(({ use, relation }) => use.name === '*' || (relation && protection.relation(relation.oid)));
}

/** What runs out of sight may read anything, whatever relations the statement itself names. */
function unseenBody(
  facts: Facts,
  relations: readonly TouchedRelation[],
  protection: Protection,
  system: System,
): string | null {
  if (facts.opaque !== null) {
    return `this database has masked columns, and what ${facts.opaque} does with them cannot be seen; send the statements inside it one by one`;
  }
  const call = facts.functions.find((use) => mayReadAnything(use, protection, system));
  if (call !== undefined) {
    const name = call.schema === null ? call.name : `${call.schema}.${call.name}`;
    const own =
      system.schema === null
        ? ''
        : `, and where the database has its own of that name, put ${system.schema}. before it`;
    return `this database has masked columns, and ${name} could read them out of sight; use what the server itself has without effects${own}`;
  }
  const column = facts.columns.find((use) => mayCall(use, relations, protection));
  if (column === undefined) return null;
  return `this database has masked columns, and ${column.qualifier}.${column.name} could call its function ${column.name} on a whole row; write the column without ${column.qualifier}. before it`;
}

const OPERATOR = 'operator ';

function mayReadAnything(use: FunctionUse, protection: Protection, system: System): boolean {
  // `write` is a list of known functions (nextval, pg_notify, advisory locks …); of these only large objects are read.
  if (use.need !== 'read' && use.need !== 'write') return true;
  if (system.reads(use.name)) return true;
  if (use.schema !== null && use.schema === system.schema) return false;
  if (use.name.startsWith(OPERATOR)) return protection.userOperators.has(use.name.slice(OPERATOR.length));
  return protection.userFunctions.has(use.name);
}

/** `alias.name` is the call `name(alias)` where that relation has no such column; whose alias it is cannot be seen here. */
function mayCall(use: ColumnUse, relations: readonly TouchedRelation[], protection: Protection): boolean {
  if (use.qualifier === null || !protection.userFunctions.has(use.name)) return false;
  return !relations.every(({ relation }) => relation !== undefined && hasColumn(relation, use.name));
}

function copies(relations: readonly TouchedRelation[], system: System): string | null {
  const found = relations.find((relation) => system.copies(relation));
  if (found === undefined) return null;
  return `${found.use.name} holds copies of values of masked columns; it cannot be read where columns are masked`;
}

/** A change of a protected relation's definition, or of where its rules would find it. */
function changed(facts: Facts, relations: readonly TouchedRelation[], protection: Protection): string | null {
  const found: ProtectedRelation[] = [];
  if (facts.kinds.includes('rename-schema')) {
    return 'this database has masked columns, and under another name of their schema they would not be found; ask a person to rename it';
  }
  const covered = COVERED_CHANGES.has(facts.kinds[0] ?? '');
  for (const { use, relation } of relations) {
    const change = use.verb === 'ddl' || use.verb === 'admin';
    // Everything there is: written to, it is a sequence that a parameter names.
    if (use.name === '*' && use.verb !== 'write' && !(change && covered)) {
      return 'this database has masked columns, and it cannot be seen which relations the statement reaches; name them one by one';
    }
    const held = relation && protection.relation(relation.oid);
    if (!held || !change) continue;
    if (!covered) {
      return `${nameOf(held)} has masked columns (${listOf(held)}), and a change of its definition could bring them out; ask a person to make it`;
    }
    found.push(held);
  }
  if (found.length === 0) return null;
  for (const { place, name } of facts.columns) {
    if (place !== 'expression') continue;
    const holder = found.find((held) => name === '*' || held.names.has(name));
    if (holder !== undefined) {
      return `the change uses masked columns of ${nameOf(holder)} (${listOf(holder)}) where they could come out; leave them out of it`;
    }
  }
  return null;
}

function hasColumn(relation: CatalogRelation, name: string): boolean {
  for (const column of relation.columns.values()) if (column === name) return true;
  return false;
}

function nameOf(relation: ProtectedRelation): string {
  return `${relation.schema}.${relation.name}`;
}

function listOf(relation: ProtectedRelation): string {
  return [...relation.names].join(', ');
}
