// What masking makes of a statement's lineage: refused, or how each output column is treated.
//
// A column's own value gets the column's own strategy; a value computed from protected ones is redacted in its type, or the
// statement is refused (`derived`); what is not proven counts as computed from protected ones. Values may not be carried to
// where they are no longer protected. Columns that filter, join, group or order are refused where `predicates` says so.
import type { BaseColumn, Dependence, Lineage } from '../types.ts';
import { type Protection, strategyOf } from './protect.ts';
import type { Masking, Strategy } from './rules.ts';

export type Flow =
  | { readonly refused: string }
  /** One entry an output column (undefined: it passes), or null where no rows come back. */
  | { readonly refused: null; readonly outputs: readonly (Strategy | undefined)[] | null };

const REDACT: Strategy = { kind: 'redact' };

/** @param nameOf a base column's name for people, `schema.table.column` */
export function flowOf(
  lineage: Lineage,
  protection: Protection,
  masking: Masking,
  nameOf: (column: BaseColumn) => string,
): Flow {
  const strategy = ({ oid, attribute }: BaseColumn) => protection.strategy(oid, attribute);
  const isProtected = (column: BaseColumn) => strategy(column) !== undefined;

  if (masking.predicates === 'deny') {
    const column = lineage.predicates.find(isProtected);
    if (column !== undefined) {
      const name = nameOf(column);
      return refuse(`it filters, joins, groups, orders or counts by ${name}, which is protected here; leave that out`);
    }
  }
  for (const { into, column, from } of lineage.writes) {
    const source = protectedSource(from, isProtected, nameOf);
    if (source === null) continue;
    if (column !== null && hides(strategy(column), from, strategy)) continue;
    return refuse(
      `it would carry ${source} to ${into}, where it is no longer protected as much; write other values there`,
    );
  }
  if (lineage.outputs === null) return { refused: null, outputs: null };
  const outputs: (Strategy | undefined)[] = [];
  for (const { name, dependence } of lineage.outputs) {
    if (dependence.kind === 'direct') {
      outputs.push(strategyOf(dependence, strategy));
      continue;
    }
    const source = protectedSource(dependence, isProtected, nameOf);
    if (source !== null && masking.derived === 'deny') {
      return refuse(
        `its column ${name} is computed from ${source}; select the column itself (it is masked), or leave it out`,
      );
    }
    outputs.push(source === null ? undefined : REDACT);
  }
  return { refused: null, outputs };
}

/** Whether a column that is masked so hides what is written into it as well as the columns that it comes from do. */
function hides(
  mask: Strategy | undefined,
  from: Dependence,
  strategy: (column: BaseColumn) => Strategy | undefined,
): boolean {
  switch (mask?.kind) {
    case undefined:
      return false;
    case 'redact':
    case 'null':
    case 'constant':
      return true;
    case 'partial':
    case 'hash':
      // A part of another value, or the same value turned round, is another part than the rule shows.
      return from.kind === 'direct' && strategyOf(from, strategy) === mask;
  }
}

/** What of a dependence is protected, in words, or null. */
function protectedSource(
  dependence: Dependence,
  isProtected: (column: BaseColumn) => boolean,
  nameOf: (column: BaseColumn) => string,
): string | null {
  const nameOfFirst = (columns: readonly BaseColumn[]) => {
    const column = columns.find(isProtected);
    return column === undefined ? null : nameOf(column);
  };
  switch (dependence.kind) {
    case 'independent':
      return null;
    case 'direct':
      return nameOfFirst([dependence.column, ...(dependence.via ?? [])]);
    case 'derived':
      return nameOfFirst(dependence.from);
    case 'unproven':
      return `what may be protected (${dependence.reason})`;
  }
}

function refuse(reason: string): Flow {
  return { refused: reason };
}
