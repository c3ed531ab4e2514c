// The demo's databases and config: a small shop, and the rules that a careful operator would put in front of it.

import { join } from 'node:path';
import { Client } from 'pg';
import { FLAVOURS, hasMysql, type MysqlServer, startMysql } from '../test/servers/mysql.ts';
import { type PostgresServer, startPostgres } from '../test/servers/postgres.ts';

export const DATABASE = 'shop';

/** Whom the gateway logs in as. Only the gateway holds this password. */
export const SERVICE = { user: 'svc_sallyport', password: 'kept-by-the-gateway' };

const PG_SCHEMA = `
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

const MYSQL_SCHEMA = [
  `CREATE TABLE customers (
    id integer AUTO_INCREMENT PRIMARY KEY,
    name varchar(80) NOT NULL,
    email varchar(120) NOT NULL UNIQUE,
    ssn char(11) NOT NULL,
    city varchar(80) NOT NULL,
    since date NOT NULL
  )`,
  `CREATE TABLE orders (
    id integer AUTO_INCREMENT PRIMARY KEY,
    customer_id integer NOT NULL,
    status enum('open', 'shipped', 'returned') NOT NULL,
    placed_on date NOT NULL,
    FOREIGN KEY (customer_id) REFERENCES customers (id)
  ) AUTO_INCREMENT = 1001`,
];

// The numbers are from ranges that are never issued (SSN 900–999) and domains reserved for examples (RFC 2606).
const CUSTOMERS = `
  INSERT INTO customers (name, email, ssn, city, since) VALUES
    ('Ada Lindqvist', 'ada@lindqvist.example', '912-41-7730', 'Uppsala', '2021-03-14'),
    ('Bo Tanaka', 'bo.tanaka@mail.example', '934-08-1152', 'Kobe', '2021-09-02'),
    ('Carmen Ruiz', 'c.ruiz@ruiz.example', '957-63-2208', 'Sevilla', '2022-01-27'),
    ('Dele Okafor', 'dele@okafor.example', '921-77-4416', 'Lagos', '2022-06-11'),
    ('Elin Berg', 'elin.berg@post.example', '968-12-9034', 'Bergen', '2022-11-30'),
    ('Farid Haddad', 'farid@haddad.example', '903-55-6671', 'Amman', '2023-02-18'),
    ('Grace Muller', 'grace@muller.example', '945-30-8829', 'Basel', '2023-08-05'),
    ('Hugo Silva', 'hugo.silva@mail.example', '976-84-3317', 'Porto', '2024-04-22')`;
const PG_DATA = `
  ${CUSTOMERS};
  INSERT INTO products (name, price) VALUES
    ('Espresso machine', 449.00), ('Hand grinder', 79.50), ('Kettle', 65.00),
    ('Scale', 39.90), ('Cup, pair', 24.00), ('Beans, 1 kg', 21.50);
  INSERT INTO orders (customer_id, status, placed_on)
    SELECT 1 + n * 5 % 8, (ARRAY['shipped', 'open', 'shipped', 'returned'])[1 + n % 4], date '2026-01-05' + n * 3
    FROM generate_series(0, 39) n;
  INSERT INTO order_items (order_id, product_id, quantity)
    SELECT id, 1 + (id * 7 + line) % 6, 1 + (id + line) % 3 FROM orders, generate_series(0, 1) line;
  CREATE INDEX ON orders (customer_id)`;

const MYSQL_ORDERS = `
  INSERT INTO orders (customer_id, status, placed_on)
    WITH RECURSIVE r (n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM r WHERE n < 39)
    SELECT 1 + n * 5 % 8, ELT(1 + n % 4, 'shipped', 'open', 'shipped', 'returned'), DATE '2026-01-05' + INTERVAL n * 3 DAY
    FROM r`;

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
    await owner.query(PG_SCHEMA);
    await owner.query(PG_DATA);
    return postgres;
  } catch (error) {
    await postgres.stop();
    throw error;
  } finally {
    await owner.end();
  }
}

/** Starts a MariaDB or a MySQL with customers and orders in it; null where neither is installed. */
export async function startMysqlShop(): Promise<MysqlServer | null> {
  const flavour = FLAVOURS.find(hasMysql);
  if (flavour === undefined) return null;
  const { user, password } = SERVICE;
  const service = [`CREATE USER ${user}@'%' IDENTIFIED BY '${password}'`, `GRANT ALL ON ${DATABASE}.* TO ${user}@'%'`];
  return startMysql(flavour, { sql: [...MYSQL_SCHEMA, CUSTOMERS, MYSQL_ORDERS, ...service] });
}

const WEBSHOP_ACCESS = `
  - groups: [agents]
    connections: [webshop]
    scopes: ["db:webshop.shop:read", "db:webshop.shop.orders:write+ddl"]
    maxTtl: 30m`;

/** The gateway's config, as YAML; the service password stands in the file `password` beside it. */
export function configOf(postgres: PostgresServer, mysql: MysqlServer | null, dir: string): string {
  const connection = (name: string, protocol: string, { host, port }: { host: string; port: number }) => `
  ${name}:
    protocol: ${protocol}
    host: ${host}
    port: ${port}
    database: ${DATABASE}
    user: ${SERVICE.user}
    password: \${file:${join(dir, 'password')}}
    tls: { mode: disable }
    policy: careful
    masking: personal`;
  return `
connections:${connection('shop', 'postgres', postgres)}${mysql === null ? '' : connection('webshop', 'mysql', mysql)}
access:
  - groups: [agents]
    connections: [shop]
    scopes: ["db:shop.public:read", "db:shop.public.orders:write+ddl"]
    maxTtl: 30m
  - groups: [agents]
    connections: [shop]
    scopes: ["db:shop.public.customers:read+write"]
    maxTtl: 10m
    approval: required
${mysql === null ? '' : WEBSHOP_ACCESS}
policies:
  careful:
    rules:
      - { name: no-drops, when: { statement: [drop-table, drop-schema, drop-database, truncate] }, then: deny }
      - { name: whole-table, when: { statement: [delete-without-where, update-without-where] }, then: approve,
          approvers: { groups: [dba] } }
masking:
  personal:
    columns:
      - { column: "*.customers.email", with: { partial: { keepStart: 1, keepEnd: 8 } } }
      - { column: "*.*.ssn", with: redact }
`;
}
