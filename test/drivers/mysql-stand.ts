// What the MySQL drivers' tests stand on: one real server of a flavour with sample data, gateways in front of it that mask nothing,
// another table, or the table that is read.
import { after, before } from 'node:test';
import mysql from 'mysql2/promise';
import { type GatewayOptions, startGateway, type TestGateway } from '../servers/gateway.ts';
import { clientOf, type MysqlFlavour, type MysqlServer, startMysql } from '../servers/mysql.ts';
import type { MaskingName } from './stand.ts';

const SAMPLE = [
  `CREATE TABLE users (id INT PRIMARY KEY AUTO_INCREMENT, name VARCHAR(50) NOT NULL, email VARCHAR(100) UNIQUE, age INT UNSIGNED,
    born DATE, note TEXT) COMMENT 'people'`,
  `INSERT INTO users (name, email, age, born) WITH RECURSIVE r (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM r WHERE i < 20)
    SELECT CONCAT('name ', i), CONCAT('user', i, '@example.com'), 20 + i, DATE '2000-01-01' + INTERVAL i DAY FROM r`,
  `CREATE TABLE orders (id BIGINT PRIMARY KEY AUTO_INCREMENT, user_id INT NOT NULL, total DECIMAL(12,2) NOT NULL DEFAULT 0,
    KEY by_user (user_id), FOREIGN KEY (user_id) REFERENCES users (id))`,
  `INSERT INTO orders (user_id, total) WITH RECURSIVE r (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM r WHERE i < 100)
    SELECT 1 + i % 20, i * 1.25 FROM r`,
  'CREATE VIEW big_orders AS SELECT * FROM orders WHERE total > 100',
  'CREATE TABLE vault (id INT PRIMARY KEY, secret TEXT)',
  "INSERT INTO vault VALUES (1, 'hidden')",
  'CREATE TABLE scratch (id INT, word TEXT)',
];

const MASKINGS: Readonly<Record<MaskingName, object>> = {
  nothing: {},
  'another table': { columns: [{ column: 'shop.vault.secret', with: 'redact' }] },
  'the table read': {
    columns: [
      { column: 'shop.users.email', with: { partial: { keepEnd: 4 } } },
      { column: 'shop.users.age', with: 'redact' },
      { column: 'shop.users.born', with: 'redact' },
      { column: 'shop.users.note', with: 'null' },
    ],
  },
};

export interface MysqlStand {
  readonly flavour: MysqlFlavour;
  readonly database: MysqlServer;
  gateway(masking: MaskingName): TestGateway;
  /** Resolves when a session of the database is inside SLEEP. */
  sleeping(): Promise<void>;
}

export interface MysqlStandOptions extends Partial<GatewayOptions> {
  /** Adds to the sample data, through the first gateway. */
  readonly prepare?: (gateway: TestGateway) => Promise<void>;
}

/** Starts it before the tests of the file, and ends it after them. */
export function mysqlStand(
  flavour: MysqlFlavour,
  maskings: readonly MaskingName[],
  { prepare, ...options }: MysqlStandOptions = {},
): MysqlStand {
  const gateways = new Map<MaskingName, TestGateway>();
  let database: MysqlServer | undefined;
  before(async () => {
    database = await startMysql(flavour, { sql: SAMPLE });
    for (const name of maskings) {
      const masking = name === 'nothing' ? {} : { connection: { masking: 'm' }, masking: { m: MASKINGS[name] } };
      gateways.set(name, await startGateway({ upstream: database, ...masking, ...options }));
    }
    const [first] = gateways.values();
    if (first !== undefined) await prepare?.(first);
  });
  after(async () => {
    for (const gateway of gateways.values()) await gateway.stop();
    await database?.stop();
  });
  return {
    flavour,
    get database() {
      if (database === undefined) throw new Error('the stand has not been started');
      return database;
    },
    gateway(masking) {
      const found = gateways.get(masking);
      if (found === undefined) throw new Error(`no gateway that masks ${masking}`);
      return found;
    },
    async sleeping() {
      const { host = '', port = 0, user = '', password = '' } = database ?? {};
      const client = await mysql.createConnection({ host, port, user, password });
      const sql = "SELECT 1 FROM information_schema.processlist WHERE state = 'User sleep'";
      while (((await client.query(sql))[0] as unknown[]).length === 0);
      await client.end();
    },
  };
}

/** How a stock client is started for a database or for a grant: the program, then its arguments. */
export function client(
  flavour: MysqlFlavour,
  {
    host,
    port,
    user,
    password,
    database,
  }: { host: string; port: number; user: string; password: string; database: string },
  ...more: string[]
): { command: string; args: string[] } {
  const [command = '', ...args] = clientOf(flavour);
  const login = [
    '--no-defaults',
    `--host=${host}`,
    `--port=${port}`,
    `--user=${user}`,
    `--password=${password}`,
    '--protocol=TCP',
  ];
  return { command, args: [...args, ...login, ...more, database] };
}
