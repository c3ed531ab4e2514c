// Row plans from what a real PostgreSQL says about the columns of its results.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Client } from 'pg';
import { compilePlan } from '../../src/mask/plan.ts';
import { protect } from '../../src/mask/protect.ts';
import { compileMasking } from '../../src/mask/rules.ts';
import type { Catalog, CatalogRelation, Column } from '../../src/types.ts';
import type { PostgresServer } from '../servers/postgres.ts';
import { startPostgres } from '../servers/postgres.ts';

let server: PostgresServer;
let client: Client;

before(async () => {
  server = await startPostgres({
    sql: `CREATE TABLE customers (id int, name text, email varchar(20), dropped int);
      ALTER TABLE customers DROP COLUMN dropped;
      CREATE TABLE orders (id int, customer int, note text);
      INSERT INTO customers VALUES (1, 'Ada', 'ada@example.com'); INSERT INTO orders VALUES (1, 1, 'x')`,
  });
  client = new Client({ connectionString: server.connectionString });
  await client.connect();
});

after(async () => {
  await client.end();
  await server.stop();
});

/** Tables and their columns only: kin and views are the catalog's business elsewhere. */
async function readCatalog(): Promise<Catalog> {
  const { rows } = await client.query<{ oid: number; schema: string; name: string; n: number; column: string }>(
    `SELECT c.oid, n.nspname AS schema, c.relname AS name, a.attnum AS n, a.attname AS column
       FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_attribute a ON a.attrelid = c.oid
      WHERE n.nspname = 'public' AND a.attnum > 0 AND NOT a.attisdropped`,
  );
  const relations = new Map<number, CatalogRelation & { columns: Map<number, string> }>();
  for (const { oid, schema, name, n, column } of rows) {
    const known = { oid, schema, name, kind: 'r', columns: new Map<number, string>(), reads: [], kin: [] };
    const relation = relations.get(oid) ?? { ...known, generatedFrom: new Map() };
    relations.set(oid, relation);
    relation.columns.set(n, column);
  }
  const all = [...relations.values()];
  return {
    epoch: 1,
    relation: (oid) => relations.get(oid),
    find: (_schema, name) => all.find((relation) => relation.name === name),
    relations: () => all,
    userFunctions: new Set(),
    userOperators: new Set(),
  };
}

const masking = compileMasking({ columns: [{ column: 'public.customers.email', with: 'redact' }] });

async function describe(sql: string): Promise<Column[]> {
  const { fields } = await client.query({ text: sql, rowMode: 'array' });
  return fields.map((field) => ({
    name: field.name,
    tableOid: field.tableID,
    attribute: field.columnID,
    typeOid: field.dataTypeID,
    typeModifier: field.dataTypeModifier,
    format: 0,
  }));
}

/** `*` for each masked column of the result and `.` for each other one. */
async function planOf(sql: string, catalog: Catalog): Promise<string> {
  const columns = await describe(sql);
  const compiled = compilePlan(columns, protect(masking, catalog), catalog);
  if (compiled.unknown) return 'unknown';
  if (compiled.plan === null) return 'nothing';
  assert.equal(compiled.plan.length, columns.length);
  return compiled.plan.map((mask) => (mask === undefined ? '.' : '*')).join('');
}

test('a protected column is masked wherever it comes out with its origin', async () => {
  const catalog = await readCatalog();
  const cases: readonly (readonly [sql: string, plan: string])[] = [
    ['SELECT * FROM customers', '..*'],
    ['TABLE customers', '..*'],
    ['SELECT email AS note, id FROM customers AS orders', '*.'],
    ['SELECT (c.email), c.email FROM customers c', '**'],
    ['SELECT o.*, c.* FROM customers c JOIN orders o ON o.customer = c.id', '.....*'],
    ['SELECT DISTINCT email FROM customers GROUP BY email ORDER BY email', '*'],
    ['SELECT email, count(*) FROM customers GROUP BY ROLLUP (email)', '*.'],
    ['SELECT ctid, tableoid, email FROM customers', '..*'],
    ['UPDATE customers SET id = 1 RETURNING *', '..*'],
    ["INSERT INTO customers VALUES (2, 'Bob', 'b') RETURNING old.email, new.email, id", '**.'],
    ['DELETE FROM customers WHERE id = 2 RETURNING email', '*'],
    ['SELECT customers FROM customers', '*'],
    ['SELECT id, name FROM customers', 'nothing'],
    ['SELECT * FROM orders', 'nothing'],
    ['SELECT relname FROM pg_class LIMIT 1', 'nothing'],
    ['SELECT 1', 'nothing'],
    ['EXPLAIN SELECT * FROM customers', 'nothing'],
  ];
  for (const [sql, plan] of cases) assert.equal(await planOf(sql, catalog), plan, sql);

  await client.query('BEGIN; DECLARE held CURSOR FOR SELECT id, email FROM customers');
  assert.equal(await planOf('FETCH held', catalog), '.*');
  await client.query('COMMIT; PREPARE asked AS SELECT id, email FROM customers');
  assert.equal(await planOf('EXECUTE asked', catalog), '.*');
});

test('a table or a column that is newer than the catalog is unknown, not harmless', async () => {
  const catalog = await readCatalog();
  await client.query('ALTER TABLE orders ADD email text; CREATE TEMP TABLE newer (email text)');
  assert.equal(await planOf('SELECT email FROM orders', catalog), 'unknown');
  assert.equal(await planOf('SELECT o.id, newer.email FROM newer, orders o', catalog), 'unknown');
  assert.equal(await planOf('SELECT o.id FROM orders o', catalog), 'nothing');
  assert.equal(await planOf('SELECT email FROM orders', await readCatalog()), 'nothing');
});

test('the redacted value fits the column', async () => {
  const catalog = await readCatalog();
  const compiled = compilePlan(await describe('SELECT email FROM customers'), protect(masking, catalog), catalog);
  assert.ok(!compiled.unknown);
  const value = compiled.plan?.[0]?.(Buffer.from('ada@example.com'), 0, 15);
  assert.equal(Buffer.from(value ?? []).toString(), '[redacted]');
});
