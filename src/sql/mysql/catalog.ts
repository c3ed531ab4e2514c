// A database's catalog as the gateway needs it, out of information_schema: which tables and views there are, what views read, what
// generated columns are computed from, which stored routines there are. MySQL 8 and 9, MariaDB 10.11 and later.
//
// There are no OIDs here: the gateway gives every table a number of its own, the same for the same name as long as it runs.
import { createHash } from 'node:crypto';
import { SallyportError } from '../../errors.ts';
import type { Catalog, CatalogRelation, ColumnType, FunctionUse } from '../../types.ts';
import { classify } from './classify.ts';
import type { LexMode } from './lexer.ts';
import { readMode, writeMode } from './mode.ts';

const SYSTEM = `('mysql', 'performance_schema', 'sys')`;
const OTHERS = `('information_schema', 'mysql', 'performance_schema', 'sys')`;

/**
 * To be asked one by one, on one connection. The second makes the server write views' queries with backticks and backslashes,
 * whatever sessions begin with.
 */
export const CATALOG_SQL: readonly string[] = [
  'SELECT @@version, @@global.sql_mode, @@lower_case_table_names',
  "SET SESSION sql_mode = ''",
  `SELECT table_schema, table_name, table_type FROM information_schema.tables WHERE table_schema NOT IN ${SYSTEM} ORDER BY 1, 2`,
  `SELECT table_schema, table_name, ordinal_position, column_name, column_type, generation_expression, extra,
      column_default
    FROM information_schema.columns WHERE table_schema NOT IN ${SYSTEM} ORDER BY 1, 2, 3`,
  `SELECT table_schema, table_name, view_definition FROM information_schema.views WHERE table_schema NOT IN ${OTHERS} ORDER BY 1, 2`,
  `SELECT routine_schema, routine_name FROM information_schema.routines WHERE routine_schema NOT IN ${OTHERS} ORDER BY 1, 2`,
  // Constraints that say no table are MySQL's, for which the comment is one. MariaDB's have the name of their column.
  `SELECT constraint_schema, constraint_name, check_clause /*M! , table_name */ FROM information_schema.check_constraints
    WHERE check_clause LIKE 'json\\_valid(%' ORDER BY 1, 2`,
];

type Rows = readonly (readonly (string | null)[])[];

/** The answer of a server on which there is nothing. */
export const NOTHING: readonly Rows[] = [[['8.0.0', '', '0']], [], [], [], [], [], []];

/** Numbers of tables, by schema and name. */
const oids = new Map<string, number>();

function oidOf(schema: string, name: string): number {
  const key = `${schema}\0${name}`;
  const oid = oids.get(key) ?? oids.size + 1;
  oids.set(key, oid);
  return oid;
}

/** What each snapshot was made from, to tell whether the next one differs. */
const digests = new WeakMap<Catalog, string>();

/**
 * Makes a snapshot from the answers to `CATALOG_SQL`, cells as text. The same as the one before: that one is answered. Names of
 * columns are in lower case, as the servers compare them. Throws SP_UPSTREAM where the answers are not what was asked for.
 */
export function buildCatalog(results: readonly Rows[], previous?: Catalog): Catalog {
  const [about, , tables, attributes, views, routines, checks] = results;
  const [version, sqlMode, lowerCase] = about?.[0] ?? [];
  if (!tables || !attributes || !views || !routines || !checks || version == null || sqlMode == null) throw broken();
  const digest = createHash('sha256').update(JSON.stringify(results)).digest('base64');
  if (previous !== undefined && digests.get(previous) === digest) return previous;

  const mariadb = /mariadb/i.test(version);
  const mode = readMode(writeMode({ sqlMode: '', mariadb }));
  if (mode === null) throw broken();
  const find = finder(lowerCase !== '0');
  const columns = new Map<string, readonly (string | null)[][]>();
  for (const row of attributes) {
    const key = `${row[0]}\0${row[1]}`;
    columns.set(key, [...(columns.get(key) ?? []), row as (string | null)[]]);
  }
  const documents = new Set(checks.flatMap(documentOf));
  const definitions = new Map(views.map((row) => [`${row[0]}\0${row[1]}`, row[2] ?? '']));
  const relations = new Map<number, CatalogRelation>();
  for (const [schema, name, type] of tables) {
    if (schema == null || name == null) throw broken();
    const key = `${schema}\0${name}`;
    const typed = (columns.get(key) ?? []).map((row) =>
      documents.has(`${key}\0${row[3]}`) ? row.with(4, 'json') : row,
    );
    const relation = made(schema, name, type ?? '', typed, definitions.get(key), mode);
    relations.set(relation.oid, relation);
    find.add(relation);
  }
  for (const view of relations.values()) if (view.definition !== undefined) look(view, relations, find, mode);
  const own = [...relations.values()].filter(({ schema }) => schema !== 'information_schema');
  const catalog: Catalog = {
    epoch: (previous?.epoch ?? 0) + 1,
    relation: (oid) => relations.get(oid),
    find: (schema, name, searchPath) => find.by(schema ?? searchPath[0], name),
    relations: () => own,
    foldsColumns: true,
    userFunctions: new Set(routines.map((row) => (row[1] ?? '').toLowerCase())),
    userOperators: new Set(),
    server: { version, sqlMode, mariadb, foldsTables: lowerCase !== '0' },
  };
  digests.set(catalog, digest);
  return catalog;
}

/** The relation; what a view reads and calls is filled in when all relations are known. */
interface Made extends CatalogRelation {
  reads: number[];
  calls: FunctionUse[];
  /** Empty: not understood. */
  definition: string | undefined;
}

function made(
  schema: string,
  name: string,
  type: string,
  columns: readonly (readonly (string | null)[])[],
  definition: string | undefined,
  mode: LexMode,
): Made {
  const view = type.endsWith('VIEW');
  const names = columns.map((row) => (row[3] ?? '').toLowerCase());
  const types = new Map<number, ColumnType>();
  const generatedFrom = new Map<number, readonly number[]>();
  const invisible = new Set<number>();
  for (const [i, row] of columns.entries()) {
    types.set(i + 1, { oid: typeOf(row[4] ?? ''), modifier: -1 });
    const expression = expressionOf(row, mode);
    if (expression !== null) generatedFrom.set(i + 1, usedColumns(expression, names, mode));
    if (/invisible/i.test(row[6] ?? '')) invisible.add(i + 1);
  }
  return {
    oid: oidOf(schema, name),
    schema,
    name,
    kind: view ? 'v' : type === 'SEQUENCE' ? 'S' : 'r',
    columns: new Map(names.map((column, i) => [i + 1, column])),
    reads: [],
    kin: [],
    calls: [],
    generatedFrom,
    types,
    invisible: invisible.size === 0 ? undefined : invisible,
    definition: view && schema !== 'information_schema' ? (definition ?? '') : undefined,
  };
}

/** Types are compared, never looked up: `varchar(100)` by a number of its own. */
const types = new Map<string, number>();

function typeOf(text: string): number {
  const oid = types.get(text) ?? types.size + 1;
  types.set(text, oid);
  return oid;
}

/** What a generated column is computed from, or one whose default uses other columns; null: neither. */
function expressionOf(row: readonly (string | null)[], { mariadb }: LexMode): string | null {
  const [, , , , , generation, extra, byDefault] = row;
  const computes = mariadb || /default_generated/i.test(extra ?? '');
  const text = generation || (computes && byDefault?.includes('`') ? byDefault : '') || null;
  // MySQL shows it as inside a string.
  return text === null || mariadb ? text : text.replace(/\\(.)/gs, '$1');
}

/** The type of MySQL's JSON columns, and of MariaDB's, which are LONGTEXT with a check. */
export const JSON_TYPE = typeOf('json');

/** The column, by schema, table and name, of which MariaDB checks that its values are JSON. */
function documentOf([schema, name, clause, table]: readonly (string | null)[]): string[] {
  return table != null && clause === `json_valid(\`${name}\`)` ? [`${schema}\0${table}\0${name}`] : [];
}

/** The columns that an expression uses; all of the table's where it is not understood. */
function usedColumns(expression: string, names: readonly string[], mode: LexMode): number[] {
  const found = classify(`SELECT ${expression}`, mode);
  const [facts] = found.ok ? found.statements : [];
  if (facts === undefined) return names.map((_, i) => i + 1);
  const used = new Set(facts.columns.map(({ name }) => name.toLowerCase()));
  return names.flatMap((name, i) => (used.has(name) || used.has('*') ? [i + 1] : []));
}

/** What a view reads, through other views too, and calls. One whose query is hidden from the login may read every table. */
function look(
  view: CatalogRelation,
  relations: ReadonlyMap<number, CatalogRelation>,
  find: Finder,
  mode: LexMode,
  seen: Set<number> = new Set([view.oid]),
  top: Made = view as Made,
): void {
  const found = view.definition === '' ? null : classify(view.definition ?? '', mode);
  const [facts] = found?.ok === true ? found.statements : [];
  if (facts === undefined) {
    (view as Made).definition = '';
    top.reads.push(...[...relations.keys()].filter((oid) => !seen.has(oid)));
    return;
  }
  for (const use of facts.functions) if (use.need !== 'read') top.calls.push(use);
  for (const { schema, name } of facts.relations) {
    const relation = find.by(schema ?? view.schema, name);
    if (relation === undefined || seen.has(relation.oid)) continue;
    seen.add(relation.oid);
    top.reads.push(relation.oid);
    if (relation.definition !== undefined) look(relation, relations, find, mode, seen, top);
  }
}

interface Finder {
  add(relation: CatalogRelation): void;
  by(schema: string | undefined, name: string): CatalogRelation | undefined;
}

/**
 * Names of tables and schemas as the server compares them; those of information_schema never mind their case. A server that folds may
 * fold odd letters as we do not: a name that nothing else has then means what it resembles.
 */
function finder(folds: boolean): Finder {
  const exact = new Map<string, CatalogRelation>();
  const alike = new Map<string, CatalogRelation>();
  const keyOf = (schema: string, name: string) => {
    const system = schema.toLowerCase() === 'information_schema';
    return folds || system ? `${schema}\0${name}`.toLowerCase() : `${schema}\0${name}`;
  };
  return {
    add(relation) {
      exact.set(keyOf(relation.schema, relation.name), relation);
      if (folds) alike.set(resembled(`${relation.schema}\0${relation.name}`), relation);
    },
    by(schema, name) {
      if (schema === undefined) return undefined;
      return exact.get(keyOf(schema, name)) ?? alike.get(resembled(`${schema}\0${name}`));
    },
  };
}

/** Without case, and without what letters have about them. */
function resembled(name: string): string {
  return name.toUpperCase().normalize('NFKD').replace(/\p{M}/gu, '').toLowerCase();
}

function broken(): SallyportError {
  return new SallyportError('SP_UPSTREAM', "the database's catalog does not answer as MySQL 8, 9 and MariaDB 10.11 do");
}
