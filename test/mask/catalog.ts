// Small catalogs for tests, written as relations with their columns in order.

import type { Catalog, CatalogRelation } from '../../src/types.ts';

export interface Described {
  readonly name: string;
  readonly columns: readonly string[];
  readonly schema?: string;
  readonly kind?: string;
  readonly reads?: readonly number[];
  readonly kin?: readonly number[];
  readonly generatedFrom?: ReadonlyMap<number, readonly number[]>;
}

/** Relations get the OIDs 20001, 20002 … in the order given; columns the attribute numbers 1, 2 … */
export function catalogOf(
  described: readonly Described[],
  userFunctions: readonly string[] = [],
  userOperators: readonly string[] = [],
): Catalog & { named(name: string): CatalogRelation } {
  const relations = new Map<number, CatalogRelation>();
  for (const [i, d] of described.entries()) {
    const columns = new Map(d.columns.map((column, n) => [n + 1, column]));
    const defaults = { schema: 'public', kind: 'r', reads: [], kin: [], generatedFrom: new Map() };
    relations.set(20001 + i, { ...defaults, ...d, oid: 20001 + i, columns });
  }
  const all = [...relations.values()];
  return {
    epoch: 1,
    relation: (oid) => relations.get(oid),
    find: (schema, name, path) =>
      all.find((r) => r.name === name && (schema ? r.schema === schema : path.includes(r.schema))),
    relations: () => all,
    userFunctions: new Set(userFunctions),
    userOperators: new Set(userOperators),
    named: (name) => {
      const found = all.find((r) => r.name === name);
      if (!found) throw new Error(`no relation ${name}`);
      return found;
    },
  };
}
