// Which cells of a result are rewritten, decided once per result from where its columns come from.

import type { Catalog, Column, RowPlan } from '../types.ts';
import type { Protection } from './protect.ts';
import type { Strategy } from './rules.ts';
import { cellMask } from './strategies.ts';

/** The first OID that PostgreSQL gives to what users make (FirstNormalObjectId, access/transam.h). */
const FIRST_USER_OID = 16384;
const NULL: Strategy = { kind: 'null' };

/** `plan` null: nothing to rewrite. `unknown`: a column's table is not in this snapshot of the catalog. */
export type CompiledPlan = { readonly unknown: false; readonly plan: RowPlan | null } | { readonly unknown: true };

/**
 * Goes by the columns' origin (table OID and attribute number), which a column keeps under an alias, through `*`, plain
 * subqueries, cursors and prepared statements. A column without origin is computed: `exposure` has refused the statement
 * where that could hold protected data. On `unknown` the rows must be held until the catalog has been read again; where
 * it is unknown still, they must not be passed on.
 */
export function compilePlan(columns: readonly Column[], protection: Protection, catalog: Catalog): CompiledPlan {
  if (!protection.any) return { unknown: false, plan: null };
  let masked = false;
  const plan: RowPlan[number][] = [];
  for (const column of columns) {
    if (!isKnown(column, catalog)) return { unknown: true };
    const strategy = strategyOf(column, protection);
    if (strategy) masked = true;
    plan.push(strategy && cellMask(strategy, column.typeOid, column.typeModifier, column.format));
  }
  return { unknown: false, plan: masked ? plan : null };
}

function isKnown(column: Column, catalog: Catalog): boolean {
  if (column.tableOid === 0) return true;
  const relation = catalog.relation(column.tableOid);
  if (!relation) return column.tableOid < FIRST_USER_OID;
  return column.attribute <= 0 || relation.columns.has(column.attribute);
}

function strategyOf(column: Column, protection: Protection): Strategy | undefined {
  if (column.tableOid === 0) return undefined;
  // Attribute 0 of a table is the whole row. `exposure` refuses it; this is the second lock on the same door.
  if (column.attribute === 0) return protection.relation(column.tableOid) && NULL;
  return protection.strategy(column.tableOid, column.attribute);
}
