// From the text to the rows, against a real PostgreSQL: whatever a statement does with protected columns, it is refused or shows
// none of their values. The numbers are those of the threats that a statement stands for.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Client } from 'pg';
import { postgres } from '../../src/languages/postgres.ts';
import { compileMasking } from '../../src/mask/rules.ts';
import { Masks } from '../../src/masks.ts';
import { buildCatalog, CATALOG_SQL } from '../../src/sql/pg/catalog.ts';
import { classify, ready } from '../../src/sql/pg/classify.ts';
import type { Catalog } from '../../src/types.ts';
import type { Outputs } from '../../src/wire/gate.ts';
import type { PostgresServer } from '../servers/postgres.ts';
import { startPostgres } from '../servers/postgres.ts';

const SECRET = 'bob@hidden';
/** The value as it is, and as it could be written otherwise. */
const TRACES = [
  SECRET,
  SECRET.toUpperCase(),
  [...SECRET].reverse().join(''),
  Buffer.from(SECRET).toString('hex'),
  'bob',
];

let server: PostgresServer;
let client: Client;
let catalog: Catalog;

before(async () => {
  await ready();
  server = await startPostgres({
    sql: `CREATE TABLE customers (id int PRIMARY KEY, name text, email text);
      CREATE TABLE narrow (id int, email varchar(30));
      CREATE TABLE orders (id int, customer int, note text);
      CREATE TABLE family (id int, email text); CREATE TABLE offspring () INHERITS (family);
      CREATE TABLE computed (email text, low text GENERATED ALWAYS AS (lower(email)) STORED);
      CREATE VIEW contacts AS SELECT id, email AS address FROM customers; CREATE VIEW contacts2 AS SELECT * FROM contacts;
      CREATE MATERIALIZED VIEW kept AS SELECT email AS address FROM customers;
      CREATE FUNCTION peek(customers) RETURNS text LANGUAGE sql AS 'SELECT $1.email';
      CREATE FUNCTION peek_all(orders) RETURNS text LANGUAGE sql AS 'SELECT email FROM customers';
      INSERT INTO customers VALUES (1, 'B', '${SECRET}'); INSERT INTO narrow VALUES (1, '${SECRET}');
      INSERT INTO orders VALUES (1, 1, 'x'); INSERT INTO offspring VALUES (1, '${SECRET}');
      INSERT INTO computed VALUES ('${SECRET}'); REFRESH MATERIALIZED VIEW kept; ANALYZE`,
  });
  client = new Client({ connectionString: server.connectionString });
  await client.connect();
  const answer: unknown = await client.query({
    text: CATALOG_SQL,
    rowMode: 'array',
    types: { getTypeParser: () => String },
  });
  const results = (Array.isArray(answer) ? answer : [answer]) as { rows: (string | null)[][] }[];
  catalog = buildCatalog(results.map(({ rows }) => rows));
});

after(async () => {
  await client?.end();
  await server?.stop();
});

const COLUMNS = ['customers.email', 'narrow.email', 'offspring.email', 'computed.email'].map((column) => ({
  column: `public.${column}`,
  with: 'redact',
}));

const PATH = ['public'];

interface Fate {
  /** Why the statement is refused, or null. */
  readonly refused: string | null;
  readonly outputs: Outputs | undefined;
  readonly masks: Masks;
}

function fateOf(sql: string, config: object = {}): Fate {
  const masks = new Masks(compileMasking({ columns: COLUMNS, ...config }), catalog, postgres);
  const understood = classify(sql);
  if (!understood.ok) return { refused: `not understood: ${understood.reason}`, outputs: undefined, masks };
  let outputs: Outputs | undefined;
  for (const [index, facts] of understood.statements.entries()) {
    const relations = facts.relations.map((use) => ({ use, relation: catalog.find(use.schema, use.name, PATH) }));
    const seen = masks.see(sql, index, facts, relations, { searchPath: PATH, mode: '' }, null);
    if (seen.refused !== null) return { refused: seen.refused, outputs: undefined, masks };
    outputs = seen.outputs;
  }
  return { refused: null, outputs, masks };
}

/** All cells of the result after masking; what the statement changed is undone. */
async function cellsOf(sql: string, { masks, outputs }: Fate): Promise<string> {
  await client.query('BEGIN');
  try {
    const result = await client.query<(string | null)[]>({
      text: sql,
      rowMode: 'array',
      types: { getTypeParser: () => (value: string | Buffer) => String(value) },
    });
    const columns = result.fields.map((field) => ({
      name: field.name,
      tableOid: field.tableID,
      attribute: field.columnID,
      typeOid: field.dataTypeID,
      typeModifier: field.dataTypeModifier,
      format: 0,
    }));
    const plan = columns.length === 0 ? null : masks.plan(columns, outputs);
    if (typeof plan === 'string') assert.fail(`${plan}: ${sql}`);
    const masked = result.rows.flatMap((row) =>
      row.map((cell, i) => {
        const mask = plan?.[i];
        if (cell === null || mask === undefined) return cell;
        const bytes = Buffer.from(cell);
        const value = mask(bytes, 0, bytes.length);
        return value === null ? null : Buffer.from(value ?? bytes).toString();
      }),
    );
    return masked.join('\n');
  } finally {
    await client.query('ROLLBACK');
  }
}

async function showsNothing(sql: string, config: object = {}): Promise<void> {
  const fate = fateOf(sql, config);
  if (fate.refused !== null || sql.startsWith('COPY')) return;
  const cells = await cellsOf(sql, fate);
  for (const trace of TRACES) assert.ok(!cells.includes(trace), `${sql}: ${cells}`);
}

const ALLOWED = [
  'SELECT * FROM customers',
  'TABLE customers',
  'SELECT email AS note, c.email, (email), upper(name) FROM customers c',
  'SELECT email COLLATE "C" FROM customers',
  'SELECT c.*, o.note FROM customers c JOIN orders o ON o.customer = c.id',
  `SELECT id FROM customers WHERE email LIKE 'b%' ORDER BY email`,
  'SELECT DISTINCT email FROM customers GROUP BY email HAVING count(*) > 0',
  'SELECT email, count(*) FROM customers GROUP BY email ORDER BY 2',
  'SELECT count(*) FROM customers',
  'SELECT max(id), string_agg(name, $$,$$) FROM customers',
  'UPDATE customers SET name = $$x$$ WHERE id = 1 RETURNING *',
  'UPDATE customers SET email = $$new$$ RETURNING old.email, new.email',
  'INSERT INTO customers (id, name, email) VALUES (2, $$C$$, $$c$$) RETURNING email',
  'DELETE FROM customers RETURNING email',
  'SELECT email FROM family',
  'SELECT * FROM offspring',
  'SELECT email, low FROM computed',
  'SELECT * FROM orders o, LATERAL (SELECT o.note AS again) s',
  'SELECT to_jsonb(o), o.note, (o).id FROM orders o',
  'SELECT id FROM orders UNION SELECT id FROM customers',
  'WITH n AS (SELECT id, name FROM customers) SELECT * FROM n',
  'EXPLAIN SELECT email FROM customers',
  'COPY customers (id, name) FROM STDIN',
  'COPY (SELECT id, name FROM customers) TO STDOUT',
  'COPY customers (id, name) TO STDOUT',
  'ALTER TABLE customers ADD COLUMN phone text',
  'ALTER TABLE customers RENAME COLUMN name TO full_name',
  'CREATE INDEX ON customers (email)',
  'CREATE TABLE more (LIKE customers INCLUDING ALL)',
  'CREATE SCHEMA app',
  'DROP VIEW contacts2',
  'REFRESH MATERIALIZED VIEW kept',
  'TRUNCATE customers CASCADE',
];

const TRIED: readonly (readonly [threat: string, statements: readonly string[]])[] = [
  [
    'C1',
    [
      'SELECT upper(email) FROM customers',
      'SELECT email::bytea FROM customers',
      'SELECT CASE WHEN id > 0 THEN email END FROM customers',
      'SELECT $$x$$ || email FROM customers',
      'SELECT max(email) FROM customers',
      'SELECT first_value(email) OVER () FROM customers',
      'SELECT coalesce(c.email, c.name) FROM customers c',
      'SELECT ARRAY[email] FROM customers',
      'SELECT ROW(email) FROM customers',
      'SELECT lower(email) FROM family',
      'SELECT upper(low) FROM computed',
      'SELECT U&"\\0065mail"::bytea FROM customers',
    ],
  ],
  [
    'C2',
    [
      'SELECT e FROM (SELECT email || $$$$ AS e FROM customers) s',
      'SELECT (SELECT email FROM customers LIMIT 1)',
      'WITH x AS (SELECT upper(email) AS e FROM customers) SELECT e FROM x',
      'SELECT email FROM customers UNION ALL SELECT note FROM orders',
      'SELECT note FROM orders INTERSECT SELECT email FROM customers',
      'SELECT * FROM contacts',
      'SELECT upper(address) FROM contacts2',
      'SELECT address FROM kept',
      'SELECT email FROM narrow FULL JOIN customers USING (email)',
      'SELECT email FROM narrow JOIN customers USING (email)',
      'SELECT * FROM customers FULL JOIN (SELECT 1 AS n, $$x$$ AS email) s USING (email)',
      'SELECT * FROM customers NATURAL FULL JOIN narrow',
      'SELECT upper(b) FROM customers c(a, n, b)',
      'SELECT upper(b) FROM (customers JOIN orders ON true) j(a, n, b)',
      'WITH d AS (DELETE FROM customers RETURNING email) SELECT upper(email) FROM d',
      'UPDATE customers SET id = id RETURNING upper(email)',
      'SELECT s.x FROM customers c, LATERAL (SELECT c.email AS x) s, LATERAL (SELECT upper(s.x)) t',
      'MERGE INTO orders o USING customers c ON o.customer = c.id WHEN MATCHED THEN UPDATE SET note = c.email RETURNING o.note',
    ],
  ],
  [
    'C3',
    [
      'SELECT c FROM customers c',
      'SELECT customers FROM customers',
      'SELECT c::text FROM customers c',
      'SELECT to_jsonb(c) FROM customers c',
      'SELECT row_to_json(customers) FROM customers',
      'SELECT c.to_jsonb FROM customers c',
      'SELECT c.row_to_json, c.quote_literal FROM customers c',
      'SELECT (c).* FROM customers c',
      'SELECT (c).email || $$$$ FROM customers c',
      'SELECT email(c) FROM customers c',
      'SELECT c.peek FROM customers c',
      'SELECT o.peek_all FROM orders o',
      'SELECT peek(c) FROM customers c',
      'SELECT ROW(c.*) FROM customers c',
      'SELECT json_agg(c) FROM customers c',
      'VALUES ((SELECT email FROM customers LIMIT 1))',
      'SELECT ARRAY(SELECT email FROM customers)',
      'SELECT * FROM jsonb_to_record((SELECT to_jsonb(c) FROM customers c LIMIT 1)) AS r(email text)',
      'SELECT old FROM customers old',
      'UPDATE customers SET id = id RETURNING old',
      'UPDATE customers SET id = id RETURNING to_json(new)',
    ],
  ],
  [
    'C4',
    [
      'COPY customers TO STDOUT',
      'COPY customers (email) TO STDOUT',
      'COPY (SELECT email FROM customers) TO STDOUT',
      'COPY (TABLE customers) TO STDOUT',
      'DECLARE k CURSOR FOR SELECT upper(email) FROM customers',
      'PREPARE p AS SELECT upper(email) FROM customers',
    ],
  ],
  [
    'C5',
    [
      'INSERT INTO orders (note) SELECT email FROM customers',
      'INSERT INTO orders SELECT id, id, email FROM customers',
      'UPDATE customers SET name = email',
      'UPDATE customers SET (name, id) = (email, 1)',
      'UPDATE orders SET note = c.email FROM customers c',
      'UPDATE orders SET note = (SELECT email FROM customers LIMIT 1)',
      'CREATE TEMP TABLE t AS SELECT email FROM customers',
      'CREATE TABLE t AS TABLE customers',
      'SELECT email INTO t FROM customers',
      'CREATE VIEW v AS SELECT email FROM customers',
      'CREATE MATERIALIZED VIEW v AS SELECT * FROM customers',
      'ALTER TABLE customers RENAME COLUMN email TO other',
      'ALTER TABLE customers RENAME TO other',
      'ALTER TABLE customers SET SCHEMA other',
      'ALTER TABLE customers ALTER COLUMN name TYPE text USING email',
      'ALTER TABLE offspring NO INHERIT family',
      'ALTER TABLE customers ADD COLUMN low text GENERATED ALWAYS AS (lower(email)) STORED',
      'ALTER TABLE computed ALTER COLUMN low SET EXPRESSION AS (upper(email))',
      'CREATE RULE r AS ON INSERT TO orders DO ALSO SELECT email FROM customers',
      'CREATE POLICY p ON orders USING ((SELECT email FROM customers LIMIT 1) = note)',
      'CREATE TRIGGER t BEFORE INSERT ON customers FOR EACH ROW EXECUTE FUNCTION f()',
      'ALTER SCHEMA public RENAME TO other',
      'INSERT INTO customers VALUES (1, $$x$$, $$y$$) ON CONFLICT (id) DO UPDATE SET name = customers.email',
      'DO $$ BEGIN UPDATE orders SET note = (SELECT email FROM customers); END $$',
    ],
  ],
  [
    'C8',
    ['SELECT * FROM pg_stats', 'SELECT stavalues1 FROM pg_catalog.pg_statistic', 'SELECT query FROM pg_stat_activity'],
  ],
];

test('ordinary statements are let through, and show no protected value', async () => {
  for (const sql of ALLOWED) {
    assert.equal(fateOf(sql).refused, null, sql);
    assert.equal(fateOf(sql, { derived: 'deny' }).refused, null, sql);
    await showsNothing(sql);
  }
});

for (const [threat, statements] of TRIED) {
  test(`${threat}: refused, or shows no protected value`, async () => {
    for (const sql of statements) {
      await showsNothing(sql);
      await showsNothing(sql, { derived: 'deny' });
    }
  });
}

test('values are not carried to where they are not protected, nor read where they cannot be followed', () => {
  const statements = TRIED.flatMap(([threat, list]) => (threat === 'C5' || threat === 'C8' ? list : []));
  for (const sql of statements) assert.notEqual(fateOf(sql).refused, null, sql);
});

test('a value computed from a protected one is masked, or refused under derived: deny', async () => {
  for (const sql of TRIED.flatMap(([threat, list]) => (threat === 'C1' ? list : []))) {
    assert.equal(fateOf(sql).refused, null, sql);
    assert.match(fateOf(sql, { derived: 'deny' }).refused ?? '', /is computed from/, sql);
  }
});

test('C7: filters, joins and orderings under predicates: deny', () => {
  const deny = { predicates: 'deny' };
  for (const sql of [
    'SELECT id FROM customers WHERE email > $$c$$',
    'SELECT id FROM customers ORDER BY email',
    'SELECT email AS e FROM customers ORDER BY e',
    'SELECT email FROM customers ORDER BY 1',
    'SELECT * FROM customers ORDER BY 3',
    'SELECT DISTINCT email FROM customers',
    'SELECT count(*) FROM customers GROUP BY email',
    'SELECT c.id FROM customers c JOIN narrow n ON c.email = n.email',
    'SELECT id FROM customers GROUP BY id HAVING max(email) > $$c$$',
  ]) {
    assert.match(fateOf(sql, deny).refused ?? '', /filters, joins/, sql);
  }
  assert.equal(fateOf('SELECT email FROM customers WHERE id = 1 ORDER BY id', deny).refused, null);
});
