// A database's catalog as the gateway needs it: which relations there are, what views read, who inherits from whom, and
// which function names a call could reach besides the system's. PostgreSQL 12 to 18.

import { createHash } from 'node:crypto';
import { SallyportError } from '../../errors.ts';
import type { Catalog, CatalogRelation, FunctionUse } from '../../types.ts';
import { PATH_SQL, RESULTS_SQL, resultsOf, TYPES_SQL, typesOf, VIEWS_SQL } from './catalog-types.ts';
import { functionNeed, rowFunction } from './functions.ts';

/** The first OID that is given to what users make (FirstNormalObjectId, access/transam.h). */
const FIRST_USER_OID = 16384;

/** Extensions whose functions and operators are in the allow-lists by name. */
const EXTENSIONS = [
  'btree_gin',
  'btree_gist',
  'citext',
  'cube',
  'earthdistance',
  'fuzzystrmatch',
  'hstore',
  'intarray',
  'isn',
  'ltree',
  'pg_trgm',
  'pgcrypto',
  'postgis',
  'seg',
  'tablefunc',
  'timescaledb',
  'unaccent',
  'uuid-ossp',
  'vector',
];

/** Made by a user, and not by one of those extensions; for an object of the catalog `table` called `o`. */
const made = (table: string): string => `o.oid >= ${FIRST_USER_OID} AND NOT EXISTS (
    SELECT FROM pg_catalog.pg_depend d JOIN pg_catalog.pg_extension e ON e.oid = d.refobjid
    WHERE d.classid = 'pg_catalog.${table}'::pg_catalog.regclass AND d.objid = o.oid AND d.deptype = 'e'
      AND d.refclassid = 'pg_catalog.pg_extension'::pg_catalog.regclass
      AND e.extname IN (${EXTENSIONS.map((name) => `'${name}'`).join(', ')}))`;

/** Functions that somebody made, and types whose domain checks call one of them. */
const CHECKED = `WITH RECURSIVE functions AS (
  SELECT o.oid, o.proname FROM pg_catalog.pg_proc o WHERE ${made('pg_proc')}
), checked AS (
  SELECT k.contypid AS oid
    FROM pg_catalog.pg_constraint k
    JOIN pg_catalog.pg_depend d ON d.classid = 'pg_catalog.pg_constraint'::pg_catalog.regclass AND d.objid = k.oid
    JOIN functions f ON d.refclassid = 'pg_catalog.pg_proc'::pg_catalog.regclass AND d.refobjid = f.oid
    WHERE k.contypid <> 0
  UNION
  SELECT t.oid FROM pg_catalog.pg_type t JOIN checked c ON t.typbasetype = c.oid OR t.typelem = c.oid
)`;

/** The role that a login starts in, and the one after what DISCARD ALL does to it. */
const ROLE_SQL = `SELECT pg_catalog.current_setting('role');
RESET SESSION AUTHORIZATION;
SELECT pg_catalog.current_setting('role')`;

/**
 * Seventeen queries in one text. The casts' functions stand among the functions as `cast <type>`: those of CREATE CAST, and of
 * domains whose checks call one.
 */
export const CATALOG_SQL = `
SELECT c.oid, n.nspname, c.relname, c.relkind
  FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
  WHERE n.nspname !~ '^pg_toast' AND c.relkind IN ('r', 'v', 'm', 'f', 'p', 'S', 'i', 'I', 'c')
  ORDER BY c.oid;
SELECT a.attrelid, a.attnum, a.attname, a.atttypid, a.atttypmod
  FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_class c ON c.oid = a.attrelid
  WHERE a.attnum > 0 AND NOT a.attisdropped AND c.relkind IN ('r', 'v', 'm', 'f', 'p', 'S', 'c')
  ORDER BY a.attrelid, a.attnum;
SELECT DISTINCT r.ev_class, d.refobjid
  FROM pg_catalog.pg_rewrite r
  JOIN pg_catalog.pg_class c ON c.oid = r.ev_class AND c.relkind IN ('v', 'm')
  JOIN pg_catalog.pg_depend d ON d.classid = 'pg_catalog.pg_rewrite'::pg_catalog.regclass AND d.objid = r.oid
  WHERE d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.refobjid <> r.ev_class
  ORDER BY 1, 2;
SELECT i.inhrelid, i.inhparent FROM pg_catalog.pg_inherits i ORDER BY 1, 2;
SELECT DISTINCT a.attrelid, a.attnum, d.refobjsubid
  FROM pg_catalog.pg_attribute a
  JOIN pg_catalog.pg_attrdef f ON f.adrelid = a.attrelid AND f.adnum = a.attnum
  JOIN pg_catalog.pg_depend d ON
    d.classid = 'pg_catalog.pg_attrdef'::pg_catalog.regclass AND d.objid = f.oid
    OR d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.objid = a.attrelid AND d.objsubid = a.attnum
  WHERE a.attgenerated <> '' AND d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass
    AND d.refobjid = a.attrelid AND d.refobjsubid NOT IN (0, a.attnum)
  ORDER BY 1, 2, 3;
${CHECKED}
SELECT f.proname::pg_catalog.text FROM functions f
  UNION SELECT 'cast ' || t.typname FROM pg_catalog.pg_type t JOIN checked c ON c.oid = t.oid
  UNION SELECT 'cast ' || t.typname
    FROM pg_catalog.pg_cast k JOIN functions f ON f.oid = k.castfunc JOIN pg_catalog.pg_type t ON t.oid = k.casttarget
  ORDER BY 1;
SELECT DISTINCT o.oprname FROM pg_catalog.pg_operator o WHERE ${made('pg_operator')} ORDER BY 1;
SELECT DISTINCT o.proname, t.typtype IN ('c', 'd', 'p')
  FROM pg_catalog.pg_proc o JOIN pg_catalog.pg_type t ON t.oid = o.proargtypes[0]
  WHERE o.pronargs - o.pronargdefaults <= 1 ORDER BY 1, 2;
SELECT c.oid, o.proname, ${made('pg_proc')}
  FROM pg_catalog.pg_rewrite r
  JOIN pg_catalog.pg_class c ON c.oid = r.ev_class AND c.relkind = 'v' AND c.oid >= ${FIRST_USER_OID}
  CROSS JOIN LATERAL pg_catalog.regexp_matches(
    r.ev_action::pg_catalog.text, ' :(?:funcid|opfuncid|aggfnoid|winfnoid) ([0-9]+)', 'g') m
  JOIN pg_catalog.pg_proc o ON o.oid = m[1]::pg_catalog.oid AND o.provolatile = 'v'
  WHERE r.ev_type = '1'
UNION SELECT a.attrelid, o.proname, ${made('pg_proc')}
  FROM pg_catalog.pg_cast k
  JOIN pg_catalog.pg_proc o ON o.oid = k.castfunc AND o.oid >= ${FIRST_USER_OID} AND o.provolatile = 'v'
  JOIN pg_catalog.pg_attribute a ON a.atttypid = k.castsource AND a.attrelid >= ${FIRST_USER_OID} AND a.attnum > 0
  WHERE k.castsource >= ${FIRST_USER_OID}
  ORDER BY 1, 2;
${CHECKED}
SELECT oid FROM checked ORDER BY 1;
${TYPES_SQL};
${RESULTS_SQL};
${PATH_SQL};
${VIEWS_SQL};
${ROLE_SQL}`;

/** How many there are. */
export const QUERIES = 17;

type Rows = readonly (readonly (string | null)[])[];

/** What each snapshot was made from, to tell whether the next one differs. */
const digests = new WeakMap<Catalog, string>();

/**
 * Makes a snapshot from the answers to `CATALOG_SQL`, one list of rows a query, cells as text. The same as the one before:
 * that one is answered. Throws SP_UPSTREAM where the answers are not what was asked for.
 */
export function buildCatalog(results: readonly Rows[], previous?: Catalog): Catalog {
  const [classes, attributes, views, inherits, generated, functions, operators, unary, runs, checked] = results;
  const [types, answers, , definitions, roleAtLogin, , roleAfterReset] = results.slice(10);
  if (
    !classes ||
    !attributes ||
    !views ||
    !inherits ||
    !generated ||
    !functions ||
    !operators ||
    !unary ||
    !runs ||
    !checked ||
    !types ||
    !answers ||
    !definitions ||
    !roleAtLogin ||
    !roleAfterReset ||
    results.length !== QUERIES
  ) {
    throw broken();
  }
  const digest = createHash('sha256').update(JSON.stringify(results)).digest('base64');
  if (previous !== undefined && digests.get(previous) === digest) return previous;

  const columns = groupBy(attributes, (row) => [number(row[0]), [number(row[1]), text(row[2])] as const]);
  const columnTypes = groupBy(attributes, (row) => [
    number(row[0]),
    [number(row[1]), { oid: number(row[3]), modifier: number(row[4]) }] as const,
  ]);
  const namesOf = (relation: number): string[] => (columns.get(relation) ?? []).map(([, name]) => name);
  const known = typesOf(types, namesOf, { text, number });
  const queries = new Map(definitions.map((row) => [number(row[0]), row[1] ?? undefined]));
  const reads = reachable(edges(views));
  const ancestors = reachable(edges(inherits));
  const descendants = reachable(edges(inherits.map(([child, parent]) => [parent ?? null, child ?? null])));
  const sources = groupBy(generated, (row) => [number(row[0]), [number(row[1]), number(row[2])] as const]);
  const userFunctions = new Set(functions.map((row) => text(row[0])));
  const calls = groupBy(runs, ([oid, name, isMade]) => {
    const called = text(name);
    const need = isMade === 't' ? functionNeed(null, called) : functionNeed('pg_catalog', called);
    return [number(oid), { schema: null, name: called, need } satisfies FunctionUse];
  });
  const relations = new Map<number, CatalogRelation>();
  const bySchema = new Map<string, Map<string, CatalogRelation>>();
  for (const row of classes) {
    const oid = number(row[0]);
    const relation: CatalogRelation = {
      oid,
      schema: text(row[1]),
      name: text(row[2]),
      kind: text(row[3]),
      // The fields of a composite type are no columns of anything.
      columns: new Map(row[3] === 'c' ? [] : columns.get(oid)),
      reads: reads(oid),
      kin: [...ancestors(oid), ...descendants(oid)],
      generatedFrom: groupBy(sources.get(oid) ?? [], (pair) => pair),
      calls: text(row[3]) === 'm' ? [] : [oid, ...reads(oid)].flatMap((inner) => calls.get(inner) ?? []),
      types: new Map(columnTypes.get(oid)),
      definition: queries.get(oid),
    };
    relations.set(oid, relation);
    const names = bySchema.get(relation.schema) ?? new Map<string, CatalogRelation>();
    bySchema.set(relation.schema, names.set(relation.name, relation));
  }
  const own = [...relations.values()].filter((relation) => relation.oid >= FIRST_USER_OID);
  const catalog: Catalog = {
    epoch: (previous?.epoch ?? 0) + 1,
    relation: (oid) => relations.get(oid),
    find: (schema, name, searchPath) => {
      for (const place of schema === null ? lookedIn(searchPath) : [aliased(schema, searchPath)]) {
        const relation = bySchema.get(place)?.get(name);
        if (relation !== undefined) return relation;
      }
      return undefined;
    },
    relations: () => own,
    userFunctions,
    fieldFunctions: new Set(unary.flatMap((row) => behindDot(text(row[0]), row[1] === 't', userFunctions))),
    checkedTypes: new Set(checked.map((row) => number(row[0]))),
    userOperators: new Set(operators.map((row) => text(row[0]))),
    type: (oid) => known.byOid.get(oid),
    findType: (schema, name, searchPath) => {
      for (const place of schema === null ? lookedIn(searchPath) : [aliased(schema, searchPath)]) {
        const type = known.bySchema.get(place)?.get(name);
        if (type !== undefined) return type;
      }
      return undefined;
    },
    results: resultsOf(answers, namesOf, { text, number }, broken),
    resetWidens: roleAtLogin[0]?.[0] !== roleAfterReset[0]?.[0],
  };
  digests.set(catalog, digest);
  return catalog;
}

/** The server looks into pg_catalog first, unless the path has a place for it; a temporary schema goes before that. */
function lookedIn(searchPath: readonly string[]): readonly string[] {
  const path = searchPath.map((schema) => aliased(schema, searchPath));
  if (path.includes('pg_catalog')) return path;
  const temporary = path.filter((schema) => schema.startsWith('pg_temp_'));
  return [...temporary, 'pg_catalog', ...path.filter((schema) => !temporary.includes(schema))];
}

/** `pg_temp` is the session's own temporary schema, where the path shows which one that is. */
function aliased(schema: string, searchPath: readonly string[]): string {
  return schema === 'pg_temp' ? (searchPath.find((other) => other.startsWith('pg_temp_')) ?? schema) : schema;
}

/** What a name behind a dot may call, as facts have it; the system's own that need nothing are left out. */
function behindDot(name: string, takesRows: boolean, userFunctions: ReadonlySet<string>): string[] {
  if (!userFunctions.has(name) && functionNeed('pg_catalog', name) === 'read') return [];
  return takesRows ? [name, rowFunction(name)] : [name];
}

function edges(rows: Rows): Map<number, number[]> {
  return groupBy(rows, (row) => [number(row[0]), number(row[1])]);
}

/** Everything that can be reached over one or more edges, ascending, the start itself never. */
function reachable(from: ReadonlyMap<number, readonly number[]>): (start: number) => readonly number[] {
  return (start) => {
    const found = new Set<number>();
    const open = [...(from.get(start) ?? [])];
    for (let next = open.pop(); next !== undefined; next = open.pop()) {
      if (next === start || found.has(next)) continue;
      found.add(next);
      open.push(...(from.get(next) ?? []));
    }
    return [...found].sort((a, b) => a - b);
  };
}

function groupBy<Item, Value>(
  items: Iterable<Item>,
  entry: (item: Item) => readonly [number, Value],
): Map<number, Value[]> {
  const groups = new Map<number, Value[]>();
  for (const item of items) {
    const [key, value] = entry(item);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [value]);
    else group.push(value);
  }
  return groups;
}

function number(cell: string | null | undefined): number {
  const value = Number(cell ?? Number.NaN);
  if (!Number.isInteger(value)) throw broken();
  return value;
}

function text(cell: string | null | undefined): string {
  if (cell === null || cell === undefined) throw broken();
  return cell;
}

function broken(): SallyportError {
  return new SallyportError('SP_UPSTREAM', "the database's catalog does not answer as PostgreSQL 12 to 18 do");
}
