// A schema for lineage tests in which every value tells the column that it is stored in, and the ways to look for it.

import type { Client } from 'pg';
import { buildCatalog, CATALOG_SQL } from '../../../src/sql/pg/catalog.ts';
import type { BaseColumn, Catalog, CatalogRelation, Dependence } from '../../../src/types.ts';

/** Rows of each table; the letters are the column's, the digits the row's. */
const ROWS = 4;

/**
 * Text columns hold the code, the row, and the code again: codes have letters in an order that no other text here has, and
 * stay apart when reversed. Numbers are long, so that they do not come about by chance.
 */
const TABLES: readonly {
  readonly name: string;
  readonly columns: readonly (readonly [string, 'text' | 'int' | 'varchar(40)'])[];
}[] = [
  {
    name: 'public.people',
    columns: [
      ['id', 'int'],
      ['name', 'text'],
      ['email', 'varchar(40)'],
      ['salary', 'int'],
    ],
  },
  {
    name: 'public.orders',
    columns: [
      ['id', 'int'],
      ['person', 'int'],
      ['note', 'text'],
      ['code', 'text'],
    ],
  },
  {
    name: 'shop.items',
    columns: [
      ['id', 'int'],
      ['label', 'text'],
      ['name', 'varchar(40)'],
    ],
  },
  {
    name: 'shop.events',
    columns: [
      ['id', 'int'],
      ['kind', 'text'],
      ['secret', 'text'],
    ],
  },
];

export const PATH: readonly string[] = ['pg_catalog', 'public'];

export interface Marker {
  /** `schema.table.column`. */
  readonly column: string;
  /** What is found of it in a result: the code of a text, or the pattern of a number. */
  readonly code: string | null;
  /** Numbers from here to `from + 99`. */
  readonly from: number;
}

const LETTERS = 'bcdfghjklmnpqrstvwxz';

/** One marker a base column. Codes are spelt with letters that no SQL word of the generator has in that order. */
export const MARKERS: readonly Marker[] = TABLES.flatMap((table) =>
  table.columns.map(([column, type]) => ({ column: `${table.name}.${column}`, type })),
).map(({ column, type }, i) => {
  const spelt = `${LETTERS[(i * 3) % 20]}x${LETTERS[(i * 7 + 5) % 20]}z${LETTERS[i]}`;
  return { column, code: type === 'int' ? null : spelt, from: 141_592_650 + i * 31_415_920 };
});

export function markerOf(column: string): Marker {
  const found = MARKERS.find((marker) => marker.column === column);
  if (found === undefined) throw new Error(column);
  return found;
}

/** The value of a column in a row, as SQL. Keys of rows that belong together differ by column: joins go by order. */
function literal(column: string, row: number): string {
  const { code, from } = markerOf(column);
  return code === null ? String(from + row) : `'${code}${row}${code}'`;
}

/** All of the schema: tables, what inherits, partitions, generated columns, views of views, and rows. */
export const SCHEMA: readonly string[] = [
  'CREATE SCHEMA shop',
  `CREATE TABLE public.people (id int PRIMARY KEY, name text, email varchar(40), salary int,
     low text GENERATED ALWAYS AS (lower(email) || '/' || name) STORED)`,
  'CREATE TABLE public.orders (id int PRIMARY KEY, person int, gone int, note text, code text)',
  'ALTER TABLE public.orders DROP COLUMN gone',
  'CREATE TABLE shop.items (id int, label text, name varchar(40))',
  `CREATE TABLE shop.events (id int, kind text, secret text) PARTITION BY RANGE (id)`,
  `CREATE TABLE shop.events_1 PARTITION OF shop.events FOR VALUES FROM (0) TO (${markerOf('shop.events.id').from + 2})`,
  `CREATE TABLE shop.events_2 PARTITION OF shop.events FOR VALUES FROM (${markerOf('shop.events.id').from + 2}) TO (2000000000)`,
  ...TABLES.flatMap((table) =>
    Array.from({ length: ROWS }, (_, row) => {
      const names = table.columns.map(([column]) => column);
      return `INSERT INTO ${table.name} (${names.join(', ')}) VALUES (${names.map((column) => literal(`${table.name}.${column}`, row)).join(', ')})`;
    }),
  ),
  'CREATE VIEW public.contacts AS SELECT id, email AS address, upper(name) AS loud FROM people',
  'CREATE VIEW public.wide AS SELECT c.*, o.note, o.code AS ref FROM contacts c CROSS JOIN orders o',
  `CREATE VIEW shop.summary (kind, howmany, everything) AS
     SELECT e.kind, count(*), string_agg(e.secret, ',' ORDER BY e.id) FROM shop.events e GROUP BY e.kind`,
  `CREATE VIEW shop.mixed AS SELECT name AS what FROM people UNION ALL SELECT label FROM shop.items`,
  'CREATE MATERIALIZED VIEW shop.kept AS SELECT id, label, (SELECT max(address) FROM contacts) AS top FROM shop.items',
  'CREATE TYPE public.pair AS (left_part text, right_part int)',
  'CREATE TABLE public.pairs (id int, p pair, ps pair[], tags text[], doc jsonb)',
  `INSERT INTO public.pairs VALUES (1, ROW('l', 1), ARRAY[ROW('m', 2)::pair], '{a,b}', '{"a": 1}')`,
];

export async function readCatalog(client: Client): Promise<Catalog> {
  const answer: unknown = await client.query({
    text: CATALOG_SQL,
    rowMode: 'array',
    types: { getTypeParser: () => String },
  });
  return buildCatalog((answer as { rows: (string | null)[][] }[]).map(({ rows }) => rows));
}

/** `schema.table.column` of a column. */
export function nameOf(catalog: Catalog, column: BaseColumn): string {
  const relation = catalog.relation(column.oid);
  return `${relation?.schema}.${relation?.name}.${relation?.columns.get(column.attribute)}`;
}

/** A dependence in words: `-`, `=column` (direct), `column+column` sorted (derived), `?` (unproven); `~` views on the way. */
export function brief(catalog: Catalog, dependence: Dependence): string {
  const isView = (column: BaseColumn) => ['v', 'm'].includes(catalog.relation(column.oid)?.kind ?? '');
  const short = (column: BaseColumn) => nameOf(catalog, column).replace(/^public\./, '');
  switch (dependence.kind) {
    case 'independent':
      return '-';
    case 'direct':
      return `=${short(dependence.column)}`;
    case 'derived':
      return dependence.from
        .filter((column) => !isView(column))
        .map(short)
        .sort()
        .join('+');
    case 'unproven':
      return '?';
  }
}

/** Every column that a dependence names, and those that generated ones among them are computed from. */
export function columnsOf(catalog: Catalog, dependence: Dependence): ReadonlySet<string> {
  const named =
    dependence.kind === 'direct'
      ? [dependence.column, ...(dependence.via ?? [])]
      : dependence.kind === 'derived'
        ? dependence.from
        : [];
  const all = named.flatMap((column) => {
    const relation: CatalogRelation | undefined = catalog.relation(column.oid);
    const sources = relation?.generatedFrom.get(column.attribute) ?? [];
    return [column, ...sources.map((attribute) => ({ oid: column.oid, attribute }))];
  });
  return new Set(all.map((column) => nameOf(catalog, column)));
}

/** Why the server's description of a column contradicts what it is said to depend on, or null. */
export function contradiction(
  catalog: Catalog,
  dependence: Dependence,
  field: { readonly tableID: number; readonly columnID: number },
): string | null {
  // Of the system's columns, the number is negative.
  if (field.tableID === 0 || field.columnID <= 0) return null;
  const origin = nameOf(catalog, { oid: field.tableID, attribute: field.columnID });
  if (dependence.kind === 'unproven') return null;
  return columnsOf(catalog, dependence).has(origin) ? null : `${origin} is not in ${brief(catalog, dependence)}`;
}
