// Applies the masking rules to a database's catalog: which columns of which relations are protected, and how.

import type { BaseColumn, Catalog, CatalogRelation, Dependence } from '../types.ts';
import type { Masking, Strategy } from './rules.ts';
import { matches } from './rules.ts';

/** A relation that holds protected data. */
export interface ProtectedRelation {
  readonly schema: string;
  readonly name: string;
  /** Names of its protected columns. */
  readonly names: ReadonlySet<string>;
  /** A view that reads protected data: any of its columns may carry it, so all of them are in `names`. */
  readonly opaque: boolean;
}

export interface Protection {
  /** Whether anything is protected at all. */
  readonly any: boolean;
  /** Of a column by its table's OID and its attribute number; undefined: not protected. */
  strategy(oid: number, attribute: number): Strategy | undefined;
  /** Undefined: no column of it is protected. */
  relation(oid: number): ProtectedRelation | undefined;
  /** Names of functions outside the system's schemas: their bodies may read anything. */
  readonly userFunctions: ReadonlySet<string>;
  /** Names of operators outside the system's schemas. */
  readonly userOperators: ReadonlySet<string>;
  /** Rules, as written, that match no column of this database. */
  readonly unmatched: readonly string[];
}

type Strategies = Map<number, Strategy>;

/** A column's own value, and the columns of views that it came through. */
type Direct = Extract<Dependence, { kind: 'direct' }>;

/** How a column's own value is masked: as the last view on its way says, where a rule speaks of that, else as the column itself. */
export function strategyOf(
  { column, via }: Direct,
  strategy: (column: BaseColumn) => Strategy | undefined,
): Strategy | undefined {
  for (const view of [...(via ?? [])].reverse()) {
    const own = strategy(view);
    if (own !== undefined) return own;
  }
  return strategy(column);
}

const REDACT: Strategy = { kind: 'redact' };

/**
 * A column is protected when a rule matches it (the first decides), and then
 * - when the same-named column of a parent, child or partition is: rows are read and moved through any of them. The whole
 *   family is protected, siblings too;
 * - when it is generated from a protected column: it is redacted, since a part of a computed value may be the hidden part;
 * - when it is a column of a view, materialised or not, that depends on a protected column: with that column's strategy
 *   where it is its very value, else redacted. `columnsOf` tells what a view's columns depend on, in their order; where it
 *   cannot, every column of a view that reads a relation with a protected column is redacted.
 */
export function protect(
  masking: Masking,
  catalog: Catalog,
  columnsOf: (view: CatalogRelation) => readonly Dependence[] | null = () => null,
): Protection {
  const matched = new Set<string>();
  const strategies = new Map<number, Strategies>();
  for (const relation of catalog.relations()) {
    const found = matchColumns(masking, relation, matched, catalog.foldsColumns);
    if (found.size > 0) strategies.set(relation.oid, found);
  }
  const opaque = spread(strategies, catalog, columnsOf);

  const relations = new Map<number, ProtectedRelation>();
  for (const [oid, columns] of strategies) {
    const relation = catalog.relation(oid);
    if (!relation) continue;
    const names = new Set<string>();
    for (const attribute of columns.keys()) names.add(relation.columns.get(attribute) ?? '');
    relations.set(oid, { schema: relation.schema, name: relation.name, names, opaque: opaque.has(oid) });
  }
  return {
    any: relations.size > 0,
    strategy: (oid, attribute) => strategies.get(oid)?.get(attribute),
    relation: (oid) => relations.get(oid),
    userFunctions: catalog.userFunctions,
    userOperators: catalog.userOperators,
    unmatched: masking.columns.filter((rule) => !matched.has(rule.text)).map((rule) => rule.text),
  };
}

function matchColumns(
  masking: Masking,
  relation: CatalogRelation,
  matched: Set<string>,
  folded: boolean | undefined,
): Strategies {
  const found: Strategies = new Map();
  for (const [attribute, column] of relation.columns) {
    for (const rule of masking.columns) {
      if (!matches(rule, relation.schema, relation.name, column, folded)) continue;
      matched.add(rule.text);
      if (!found.has(attribute)) found.set(attribute, rule.strategy);
    }
  }
  return found;
}

/** Carries protection on to kin, generated columns and views until nothing is added. Answers the views' OIDs. */
function spread(
  strategies: Map<number, Strategies>,
  catalog: Catalog,
  columnsOf: (view: CatalogRelation) => readonly Dependence[] | null,
): Set<number> {
  const opaque = new Set<number>();
  const known = new Map<number, readonly Dependence[] | null>();
  let changed = true;
  const add = (oid: number, attribute: number, strategy: Strategy): void => {
    const columns = strategies.get(oid) ?? new Map<number, Strategy>();
    if (columns.has(attribute)) return;
    strategies.set(oid, columns.set(attribute, strategy));
    changed = true;
  };
  while (changed) {
    changed = false;
    for (const relation of catalog.relations()) {
      const own = strategies.get(relation.oid);
      if (own) {
        for (const oid of relation.kin) {
          const other = catalog.relation(oid);
          if (!other) continue;
          for (const [attribute, name] of other.columns) {
            for (const [mine, strategy] of own) if (relation.columns.get(mine) === name) add(oid, attribute, strategy);
          }
        }
        for (const [attribute, sources] of relation.generatedFrom) {
          if (sources.some((source) => own.has(source))) add(relation.oid, attribute, REDACT);
        }
      }
      if (!relation.reads.some((oid) => strategies.has(oid))) continue;
      const columns = known.get(relation.oid) ?? columnsOf(relation);
      known.set(relation.oid, columns);
      if (columns === null) opaque.add(relation.oid);
      for (const attribute of relation.columns.keys()) {
        // A view's columns are never dropped: the attribute's number is its place.
        const strategy = columns === null ? REDACT : inherited(columns[attribute - 1], strategies);
        if (strategy !== undefined) add(relation.oid, attribute, strategy);
      }
    }
  }
  return opaque;
}

/** How a view's column is masked by what it depends on; undefined where that is not protected. */
function inherited(
  dependence: Dependence | undefined,
  strategies: ReadonlyMap<number, Strategies>,
): Strategy | undefined {
  const of = ({ oid, attribute }: BaseColumn) => strategies.get(oid)?.get(attribute);
  switch (dependence?.kind) {
    case 'independent':
      return undefined;
    case 'direct':
      return strategyOf(dependence, of);
    case 'derived':
      return dependence.from.some((column) => of(column) !== undefined) ? REDACT : undefined;
    default:
      return REDACT;
  }
}
