// The demo's database and config: a small shop, and the rules that a careful operator would put in front of it.

import { join } from 'node:path';
import { Client } from 'pg';
import { type PostgresServer, startPostgres } from '../test/servers/postgres.ts';

export const DATABASE = 'shop';

/** Whom the gateway logs in as. Only the gateway holds this password. */
export const SERVICE = { user: 'svc_sallyport', password: 'kept-by-the-gateway' };

const SCHEMA = `
  CREATE TABLE customers (
    id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name text NOT NULL,
    email text NOT NULL UNIQUE,
    ssn char(11) NOT NULL,
    city text NOT NULL,
    since date NOT NULL
  );
  CREATE TABLE products (
    id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name text NOT NULL,
    price numeric(8, 2) NOT NULL CHECK (price > 0)
  );
  CREATE TABLE orders (
    id integer GENERATED ALWAYS AS IDENTITY (START WITH 1001) PRIMARY KEY,
    customer_id integer NOT NULL REFERENCES customers,
    status text NOT NULL CHECK (status IN ('open', 'shipped', 'returned')),
    placed_on date NOT NULL
  );
  CREATE TABLE order_items (
    order_id integer NOT NULL REFERENCES orders,
    product_id integer NOT NULL REFERENCES products,
    quantity integer NOT NULL CHECK (quantity > 0),
    PRIMARY KEY (order_id, product_id)
  )`;

// The numbers are from ranges that are never issued (SSN 900–999) and domains reserved for examples (RFC 2606).
const DATA = `
  INSERT INTO customers (name, email, ssn, city, since) VALUES
    ('Ada Lindqvist', 'ada@lindqvist.example', '912-41-7730', 'Uppsala', '2021-03-14'),
    ('Bo Tanaka', 'bo.tanaka@mail.example', '934-08-1152', 'Kobe', '2021-09-02'),
    ('Carmen Ruiz', 'c.ruiz@ruiz.example', '957-63-2208', 'Sevilla', '2022-01-27'),
    ('Dele Okafor', 'dele@okafor.example', '921-77-4416', 'Lagos', '2022-06-11'),
    ('Elin Berg', 'elin.berg@post.example', '968-12-9034', 'Bergen', '2022-11-30'),
    ('Farid Haddad', 'farid@haddad.example', '903-55-6671', 'Amman', '2023-02-18'),
    ('Grace Muller', 'grace@muller.example', '945-30-8829', 'Basel', '2023-08-05'),
    ('Hugo Silva', 'hugo.silva@mail.example', '976-84-3317', 'Porto', '2024-04-22');
  INSERT INTO products (name, price) VALUES
    ('Espresso machine', 449.00), ('Hand grinder', 79.50), ('Kettle', 65.00),
    ('Scale', 39.90), ('Cup, pair', 24.00), ('Beans, 1 kg', 21.50);
  INSERT INTO orders (customer_id, status, placed_on)
    SELECT 1 + n * 5 % 8, (ARRAY['shipped', 'open', 'shipped', 'returned'])[1 + n % 4], date '2026-01-05' + n * 3
    FROM generate_series(0, 39) n;
  INSERT INTO order_items (order_id, product_id, quantity)
    SELECT id, 1 + (id * 7 + line) % 6, 1 + (id + line) % 3 FROM orders, generate_series(0, 1) line;
  CREATE INDEX ON orders (customer_id)`;

/** Starts a PostgreSQL with the shop in it. */
export async function startShop(): Promise<PostgresServer> {
  const role = `CREATE ROLE ${SERVICE.user} LOGIN PASSWORD '${SERVICE.password}'`;
  const postgres = await startPostgres({
    auth: 'scram-sha-256',
    sql: [role, `CREATE DATABASE ${DATABASE} OWNER ${SERVICE.user}`],
  });
  const owner = new Client({ host: postgres.host, port: postgres.port, database: DATABASE, ...SERVICE });
  try {
    await owner.connect();
    await owner.query(SCHEMA);
    await owner.query(DATA);
    return postgres;
  } catch (error) {
    await postgres.stop();
    throw error;
  } finally {
    await owner.end();
  }
}

/** The gateway's config, as YAML; the service password stands in the file `password` beside it. */
export function configOf({ host, port }: PostgresServer, dir: string): string {
  return `
connections:
  shop:
    protocol: postgres
    host: ${host}
    port: ${port}
    database: ${DATABASE}
    user: ${SERVICE.user}
    password: \${file:${join(dir, 'password')}}
    tls: { mode: disable }
    policy: careful
    masking: personal
access:
  - groups: [agents]
    connections: [shop]
    scopes: ["db:shop.public:read", "db:shop.public.orders:write+ddl"]
    maxTtl: 30m
policies:
  careful:
    rules:
      - { name: no-drops, when: { statement: [drop-table, drop-schema, drop-database, truncate] }, then: deny }
      - { name: whole-table, when: { statement: [delete-without-where, update-without-where] }, then: approve,
          approvers: { groups: [dba] } }
masking:
  personal:
    columns:
      - { column: public.customers.email, with: { partial: { keepStart: 1, keepEnd: 8 } } }
      - { column: "*.*.ssn", with: redact }
`;
}
