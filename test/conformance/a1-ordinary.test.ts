// A1, the other way round: what a grant to read is for works. Every ordinary statement of ordinary.sql is let through, and the
// database answers it without an error.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { READ, type Stand, send, startStand } from './attacks.ts';

const TABLES = `
DROP SCHEMA public, hidden CASCADE; CREATE SCHEMA public;
CREATE TYPE mood AS ENUM ('sad', 'happy');
CREATE TABLE customers (id serial PRIMARY KEY, name text, email text, phone text, country text, created_at timestamptz DEFAULT now());
INSERT INTO customers (name, email, country) SELECT 'Ada ' || n, 'ada' || n || '@example.com', 'DE' FROM generate_series(1, 9) n;
CREATE TABLE orders (order_id int PRIMARY KEY, customer_id int REFERENCES customers, status text, total numeric, placed_at timestamptz DEFAULT now());
INSERT INTO orders SELECT n, n, 'paid', n * 10 FROM generate_series(1, 9) n;
CREATE TABLE products (id int PRIMARY KEY, title text, tags text[]);
INSERT INTO products VALUES (1, 'lamp', '{a,b}');
CREATE TABLE items (order_id int REFERENCES orders, product_id int REFERENCES products, amount int);
CREATE TABLE events (id int, data jsonb);
INSERT INTO events VALUES (1, '{"kind": "click", "a": 2, "items": [{"id": 1}]}');
CREATE TABLE employees (id int, manager_id int, department text, salary numeric);
INSERT INTO employees VALUES (1, NULL, 'x', 10), (2, 1, 'x', 20);
CREATE VIEW order_totals AS SELECT customer_id, sum(total) AS total FROM orders GROUP BY 1;
`;

/** Statements that are refused though they are ordinary, each with why. */
const EXCEPTIONS: ReadonlyMap<string, string> = new Map([]);

let stand: Stand;

before(async () => {
  stand = await startStand({}, TABLES);
});

after(() => stand?.stop());

test('A1 ordinary statements are allowed under a grant to read', async () => {
  const text = readFileSync(new URL('./ordinary.sql', import.meta.url), 'utf8');
  const statements = text.split('\n').filter((line) => line !== '' && !line.startsWith('--'));
  assert.ok(statements.length >= 300, `${statements.length} statements`);
  assert.ok(EXCEPTIONS.size <= statements.length / 100);
  const { client } = await stand.connect(READ);
  const wrong: string[] = [];
  for (const sql of statements) {
    const failure: unknown = await send(client, sql).then(
      () => null,
      (error: unknown) => error,
    );
    const refusal = (failure as { code?: string } | null)?.code === '42501';
    if (EXCEPTIONS.has(sql) ? !refusal : failure !== null) wrong.push(`${sql}\n  ${failure}`);
  }
  assert.deepEqual(wrong, []);
});
