// The story's second half: the same rules before a MariaDB or a MySQL, through mysql2 and the stock client.

import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import mysql from 'mysql2/promise';
import { clientOf, type MysqlFlavour, type MysqlServer } from '../test/servers/mysql.ts';
import { act, command, output, rows, statement, told } from './screen.ts';
import { type Granted, grantFor, replayNewest, type Stage } from './story.ts';

const run = promisify(execFile);

export const WEBSHOP = { connection: 'webshop', scopes: ['db:webshop.shop:read', 'db:webshop.shop.orders:write+ddl'] };

const NAMES = { mariadb: 'MariaDB', mysql: 'MySQL' } as const;

/** Plays the act. Throws where it does not go as it is told. */
export async function playMysql(stage: Stage, { flavour, version }: MysqlServer): Promise<void> {
  const [number = ''] = version.split('-');
  act(9, `The same before a ${NAMES[flavour]} ${number}: a driver, prepared statements, the stock client.`);
  const asked = { ...WEBSHOP, task: 'late-orders', ttl: '15m', reason: 'speed up a report' };
  const granted = await grantFor(stage, asked);
  const client = await connect(stage, granted);
  await prepared(client, 'SELECT name, email, since FROM customers WHERE since < ? LIMIT 2', '2022-01-01');
  await refused(client, 'DROP TABLE orders');
  await client.end();
  await replayNewest(stage, granted.id, 20);
  await askStock(
    stage,
    granted,
    flavour,
    'SELECT status, email FROM orders o JOIN customers c ON c.id = customer_id ORDER BY o.id LIMIT 2',
  );
}

async function connect(stage: Stage, { user, password }: Granted): Promise<mysql.Connection> {
  const { host, port } = stage.mysql;
  const ssl = { ca: stage.certificate, verifyIdentity: true };
  const connectAttributes = { program_name: 'report-agent' };
  const login = { host, port, user, password, database: 'shop', ssl, connectAttributes };
  return mysql.createConnection({ ...login, dateStrings: true });
}

/** Rows of the binary protocol. */
async function prepared(client: mysql.Connection, sql: string, value: string): Promise<void> {
  statement(`${sql}   -- ? is '${value}'`);
  const [found, fields] = await client.execute<mysql.RowDataPacket[][]>({ sql, rowsAsArray: true }, [value]);
  rows(
    fields.map(({ name }) => name),
    found.map((row) => row.map((cell) => (cell === null ? null : String(cell)))),
  );
}

async function refused(client: mysql.Connection, sql: string): Promise<void> {
  statement(sql);
  const error = await client.query(sql).then(
    () => new Error('a statement went through that the gateway should have stopped'),
    (refusal: unknown) => refusal,
  );
  if (!isServerError(error)) throw error;
  told({ severity: 'ERROR', code: `${error.errno} (${error.sqlState})`, message: error.message });
}

function isServerError(error: unknown): error is { errno: number; sqlState: string; message: string } {
  return error instanceof Error && 'errno' in error && 'sqlState' in error;
}

/** How the stock client is called with a grant, as it is typed. It has to be told to ask for TLS, or whom to trust. */
export function stockClient({ mysql: { host, port }, authorities }: Stage, { user, password }: Granted): string[] {
  return ['mysql', '-h', host, '-P', String(port), '-u', user, `-p${password}`, `--ssl-ca=${authorities}`, 'shop'];
}

/** Not shown where there is a server without its client. */
async function askStock(stage: Stage, granted: Granted, flavour: MysqlFlavour, sql: string): Promise<void> {
  const [, ...login] = stockClient(stage, granted);
  const [program = '', ...before] = clientOf(flavour);
  try {
    const { stdout } = await run(program, [...before, '--no-defaults', ...login, '-t', '-e', sql]);
    command(`mysql -h … -u ${granted.user} -p… -t -e "${sql}" shop`);
    output(stdout);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error;
  }
}
