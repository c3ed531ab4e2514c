// The catalog's part that tells rows from plain values: types, and functions that answer with rows or by what they are given.

import type { CatalogType, FunctionResult } from '../../types.ts';

/** Types, one row each. A true array is the array of its element; other types with an element (`point`) are none. */
export const TYPES_SQL = `
SELECT t.oid, n.nspname, t.typname, t.typtype, t.typcategory,
    CASE WHEN e.typarray = t.oid THEN t.typelem ELSE 0 END, t.typarray, t.typbasetype, t.typrelid
  FROM pg_catalog.pg_type t
  JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace
  LEFT JOIN pg_catalog.pg_type e ON e.oid = t.typelem
  WHERE n.nspname !~ '^pg_toast'
  ORDER BY t.oid`;

/** Functions whose answer is not one plain value without a name, and their namesakes. */
export const RESULTS_SQL = `
SELECT p.proname, p.pronargs - p.pronargdefaults, CASE WHEN p.provariadic <> 0 THEN 1000 ELSE p.pronargs END,
    CASE WHEN t.typname ~ '^any.*array$' THEN 'same array'
      WHEN t.typname ~ '^any' OR t.oid = 2249 AND p.proargtypes[0] = 2249 THEN 'same'
      WHEN t.typtype = 'c' THEN 'row'
      WHEN t.oid = 2249 THEN 'record'
      WHEN t.typtype = 'd' OR e.typtype IN ('c', 'd') OR e.oid = 2249 THEN 'unknown'
      WHEN e.oid IS NULL THEN 'value'
      ELSE 'array' END,
    t.typrelid,
    (SELECT pg_catalog.json_agg(COALESCE(p.proargnames[i], '') ORDER BY i)
      FROM pg_catalog.generate_subscripts(p.proargmodes, 1) i WHERE p.proargmodes[i] IN ('o', 'b', 't'))::pg_catalog.text,
    COALESCE(a.typtype = 'p' OR a.typcategory = 'A', false)
  FROM pg_catalog.pg_proc p
  JOIN pg_catalog.pg_type t ON t.oid = p.prorettype
  LEFT JOIN pg_catalog.pg_type e ON e.oid = t.typelem AND e.typarray = t.oid
  LEFT JOIN pg_catalog.pg_type a ON a.oid = p.proargtypes[0]
  WHERE p.prokind <> 'p' AND p.proname IN (
    SELECT o.proname FROM pg_catalog.pg_proc o
      JOIN pg_catalog.pg_type t ON t.oid = o.prorettype
      LEFT JOIN pg_catalog.pg_type e ON e.oid = t.typelem AND e.typarray = t.oid
      WHERE t.typtype IN ('c', 'd') OR t.oid = 2249 OR t.typname ~ '^any' OR e.oid IS NOT NULL
        OR o.proargmodes && ARRAY['o', 'b', 't']::"char"[])
  ORDER BY p.proname, p.oid`;

/**
 * The queries of views and materialised views. The path makes the server write every name with its schema, but its own;
 * it holds for the rest of the text, so these two come last.
 */
export const PATH_SQL = `SELECT pg_catalog.set_config('search_path', 'pg_catalog', true)`;
export const VIEWS_SQL = `
SELECT c.oid, pg_catalog.pg_get_viewdef(c.oid)
  FROM pg_catalog.pg_class c WHERE c.relkind IN ('v', 'm') AND c.oid >= 16384 ORDER BY c.oid`;

type Cells = readonly (string | null)[];
type Read = {
  readonly text: (cell: string | null | undefined) => string;
  readonly number: (cell: string | null | undefined) => number;
};

export interface Types {
  readonly byOid: ReadonlyMap<number, CatalogType>;
  readonly bySchema: ReadonlyMap<string, ReadonlyMap<string, CatalogType>>;
}

/** Reads the answer to TYPES_SQL; `columns` names the columns of a relation, composite types included. */
export function typesOf(rows: readonly Cells[], columns: (relation: number) => readonly string[], read: Read): Types {
  const byOid = new Map<number, CatalogType>();
  const bySchema = new Map<string, Map<string, CatalogType>>();
  for (const row of rows) {
    const relation = read.number(row[8]);
    const type: CatalogType = {
      oid: read.number(row[0]),
      schema: read.text(row[1]),
      name: read.text(row[2]),
      kind: read.text(row[3]),
      category: read.text(row[4]),
      element: read.number(row[5]),
      array: read.number(row[6]),
      base: read.number(row[7]),
      relation,
      fields: relation === 0 ? [] : columns(relation),
    };
    byOid.set(type.oid, type);
    const names = bySchema.get(type.schema) ?? new Map<string, CatalogType>();
    bySchema.set(type.schema, names.set(type.name, type));
  }
  return { byOid, bySchema };
}

/** Reads the answer to RESULTS_SQL; `bad` makes the error of an answer that is not what was asked for. */
export function resultsOf(
  rows: readonly Cells[],
  columns: (relation: number) => readonly string[],
  read: Read,
  bad: () => Error,
): ReadonlyMap<string, readonly FunctionResult[]> {
  const results = new Map<string, FunctionResult[]>();
  for (const row of rows) {
    const kind = read.text(row[3]);
    if (!isKind(kind)) throw bad();
    const out = row[5] === null ? [] : namesOf(read.text(row[5]), bad);
    const result: FunctionResult = {
      least: read.number(row[1]),
      most: read.number(row[2]),
      // OUT parameters make a row of their own, of which one alone is a plain value with a name.
      kind: kind === 'record' && out.length > 1 ? 'row' : kind,
      columns: out.length === 0 && kind === 'row' ? columns(read.number(row[4])) : out,
      takesArray: row[6] === 't' || row[6] === 'true',
    };
    const name = read.text(row[0]);
    const others = results.get(name);
    if (others === undefined) results.set(name, [result]);
    else others.push(result);
  }
  return results;
}

const KINDS: readonly string[] = ['array', 'record', 'row', 'same', 'same array', 'unknown', 'value'];

function isKind(kind: string): kind is FunctionResult['kind'] {
  return KINDS.includes(kind);
}

function namesOf(json: string, bad: () => Error): readonly string[] {
  const names: unknown = JSON.parse(json);
  if (!Array.isArray(names) || !names.every((name) => typeof name === 'string')) throw bad();
  return names;
}
