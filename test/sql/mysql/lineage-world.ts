// A schema for lineage tests in which every value tells the column that it is stored in, on both servers, and the ways to look for it.

import mysql, { type Connection, type FieldPacket } from 'mysql2/promise';
import { buildCatalog, CATALOG_SQL } from '../../../src/sql/mysql/catalog.ts';
import type { LexMode } from '../../../src/sql/mysql/lexer.ts';
import { readMode, writeMode } from '../../../src/sql/mysql/mode.ts';
import type { BaseColumn, Catalog, Dependence } from '../../../src/types.ts';
import type { MysqlFlavour, MysqlServer } from '../../servers/mysql.ts';

/** Rows of each table; the letters are the column's, the digits the row's. */
const ROWS = 3;

/** Columns of text hold the code, the row, and the code again; numbers are long, so that they do not come about by chance. */
const TABLES: Readonly<Record<string, Readonly<Record<string, 'text' | 'int'>>>> = {
  people: { id: 'int', name: 'text', email: 'text', salary: 'int' },
  orders: { id: 'int', person: 'int', note: 'text', code: 'text' },
  items: { id: 'int', label: 'text', name: 'text' },
  targets: { id: 'int', a: 'text', b: 'text' },
};

export interface Marker {
  /** `table.column`. */
  readonly column: string;
  /** What is found of it in a result: the code of a text, or null. */
  readonly code: string | null;
  /** Numbers from here on, one a row. */
  readonly from: number;
}

const LETTERS = 'bcdfghjklmnpqrstvwxz';

export const MARKERS: readonly Marker[] = Object.entries(TABLES)
  .flatMap(([table, columns]) => Object.entries(columns).map(([column, type]) => ({ table, column, type })))
  .map(({ table, column, type }, i) => ({
    column: `${table}.${column}`,
    code: type === 'int' ? null : `${LETTERS[(i * 3) % 20]}x${LETTERS[(i * 7 + 5) % 20]}z${LETTERS[i]}`,
    from: 141_592_650 + i * 31_415_920,
  }));

function literal(column: string, row: number): string {
  const marker = MARKERS.find((one) => one.column === column);
  if (marker === undefined) throw new Error(column);
  return marker.code === null ? String(marker.from + row) : `'${marker.code}${row}${marker.code}'`;
}

/** Tables, one with a generated and an invisible column, views of views, and rows. */
export const SCHEMA: readonly string[] = [
  `CREATE TABLE people (id int PRIMARY KEY, name varchar(40), email varchar(40), salary int,
     low varchar(100) GENERATED ALWAYS AS (concat(lower(email), '/', name)) STORED)`,
  'CREATE TABLE orders (id int PRIMARY KEY, person int, note varchar(200), code varchar(200))',
  'CREATE TABLE items (id int, label varchar(40) INVISIBLE, name varchar(40))',
  'CREATE TABLE targets (id int PRIMARY KEY, a varchar(400), b varchar(400))',
  ...Object.entries(TABLES).flatMap(([table, columns]) =>
    Array.from({ length: ROWS }, (_, row) => {
      const names = Object.keys(columns);
      const values = names.map((column) => literal(`${table}.${column}`, row));
      return `INSERT INTO ${table} (${names.join(', ')}) VALUES (${values.join(', ')})`;
    }),
  ),
  'CREATE VIEW contacts AS SELECT id, email AS address, upper(name) AS loud FROM people',
  'CREATE VIEW wide AS SELECT c.*, o.note, o.code AS ref FROM contacts c CROSS JOIN orders o',
  `CREATE VIEW summary (kind, howmany, everything) AS
     SELECT label, count(*), group_concat(name ORDER BY id) FROM items GROUP BY label`,
  'CREATE VIEW mixed AS SELECT name AS what FROM people UNION ALL SELECT label FROM items',
  'CREATE VIEW made AS WITH c AS (SELECT id, email FROM people) SELECT c.email, 7 AS seven FROM c',
];

export interface World {
  readonly client: Connection;
  readonly catalog: Catalog;
  readonly mode: LexMode;
  readonly path: readonly string[];
}

/** Logs in to a server that holds the schema. Aggregates may stand beside columns. */
export async function openWorld(server: MysqlServer): Promise<World> {
  const { host, port, user, password, database } = server;
  const client = await mysql.createConnection({ host, port, user, password, database, charset: 'utf8mb4' });
  const catalog = await readCatalog(client);
  await client.query("SET SESSION sql_mode = 'STRICT_TRANS_TABLES'");
  return { client, catalog, mode: modeOf(server.flavour), path: [database] };
}

/** How texts are read in a session of the usual sql_mode. */
export function modeOf(flavour: MysqlFlavour): LexMode {
  const mode = readMode(writeMode({ sqlMode: '', mariadb: flavour === 'mariadb' }));
  if (mode === null) throw new Error('no mode');
  return mode;
}

export interface Result {
  readonly fields: readonly FieldPacket[];
  readonly rows: readonly (readonly (string | null)[])[];
}

/** Runs a statement; cells as text. */
export async function run(client: Connection, sql: string): Promise<Result> {
  const [rows, fields] = await client.query({ sql, rowsAsArray: true, typeCast: false });
  if (!Array.isArray(rows)) return { rows: [], fields: [] };
  const cells = rows as unknown as (Buffer | null)[][];
  return { rows: cells.map((row) => row.map((cell) => cell?.toString() ?? null)), fields: fields ?? [] };
}

export async function readCatalog(client: Connection, previous?: Catalog): Promise<Catalog> {
  const answers = [];
  for (const sql of CATALOG_SQL) answers.push((await run(client, sql)).rows);
  return buildCatalog(answers, previous);
}

/** `table.column` of a column. */
export function nameOf(catalog: Catalog, { oid, attribute }: BaseColumn): string {
  const relation = catalog.relation(oid);
  return `${relation?.name}.${relation?.columns.get(attribute)}`;
}

/** A dependence in words: `-`, `=column` (direct), `column+column` sorted (derived), `?` (unproven); views on the way left out. */
export function brief(catalog: Catalog, dependence: Dependence): string {
  switch (dependence.kind) {
    case 'independent':
      return '-';
    case 'direct':
      return `=${nameOf(catalog, dependence.column)}`;
    case 'derived':
      return dependence.from
        .filter((column) => catalog.relation(column.oid)?.kind !== 'v')
        .map((column) => nameOf(catalog, column))
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
    const sources = catalog.relation(column.oid)?.generatedFrom.get(column.attribute) ?? [];
    return [column, ...sources.map((attribute) => ({ oid: column.oid, attribute }))];
  });
  return new Set(all.map((column) => nameOf(catalog, column)));
}
