// MySQL and MariaDB sessions for the tools, with `mysql2`: a statement with parameters is prepared and executed with them bound; one
// without is sent as it is.

import { connect, type Socket } from 'node:net';
import mysql from 'mysql2';
import {
  type Answer,
  Collector,
  type Database,
  DatabaseError,
  type DatabaseLogin,
  type Json,
  objectOf,
  type Parameter,
  type Statement,
} from './database.ts';

const CONNECT_MS = 30_000;

/** Rejects with a DatabaseError. */
export async function connectMysql({ application, ...login }: DatabaseLogin): Promise<Database> {
  const socket = connect({ host: login.host, port: login.port, noDelay: true });
  const connection = mysql.createConnection({
    ...login,
    stream: socket,
    connectTimeout: CONNECT_MS,
    connectAttributes: { program_name: application },
    supportBigNumbers: true,
    bigNumberStrings: true,
    dateStrings: true,
    rowsAsArray: true,
    multipleStatements: false,
    maxPreparedStatements: 16,
    // Parsers of rows are not made as code: their text would hold names that come from the database.
    disableEval: true,
  });
  const session = new MysqlSession(connection, socket);
  await new Promise<void>((resolve, reject) => {
    connection.connect((error) => (error === null ? resolve() : reject(errorOf(error))));
  }).catch((error: unknown) => {
    session.close();
    throw error;
  });
  return session;
}

interface Header {
  readonly affectedRows?: number;
  readonly warningStatus?: number;
  readonly info?: string;
}

interface Field {
  readonly name: string;
  readonly columnType?: number;
}

class MysqlSession implements Database {
  open = true;
  readonly #connection: mysql.Connection;
  readonly #socket: Socket;
  #running: Collector | null = null;

  constructor(connection: mysql.Connection, socket: Socket) {
    this.#connection = connection;
    this.#socket = socket;
    connection.on('error', () => this.close());
    connection.on('end', () => this.close());
    socket.on('close', () => {
      this.open = false;
    });
    socket.on('data', (chunk: Buffer) => this.#running?.received(chunk.length));
  }

  async run(statement: Statement, signal: AbortSignal): Promise<Answer> {
    signal.throwIfAborted();
    let settle: () => void = () => {};
    const close = () => {
      this.close();
      settle();
    };
    const collector = new Collector(statement, close);
    this.#running = collector;
    signal.addEventListener('abort', close, { once: true });
    try {
      return await new Promise<Answer>((resolve, reject) => {
        const result = new Result(collector);
        settle = () => (collector.truncated === null ? reject(signal.reason) : resolve(result.answer()));
        const command = this.#submit(statement);
        command.on('fields', (fields: readonly Field[] | undefined) => result.fields(fields));
        command.on('result', (row: unknown) => result.row(row));
        command.on('error', (error: unknown) => reject(errorOf(error)));
        command.on('end', () => resolve(result.answer()));
      });
    } catch (error) {
      signal.throwIfAborted();
      if (error instanceof DatabaseError && error.fatal) this.close();
      throw error;
    } finally {
      signal.removeEventListener('abort', close);
      this.#running = null;
    }
  }

  /** Never `query` with values: the driver would write them into the text. */
  #submit({ sql, parameters }: Statement): NodeJS.EventEmitter {
    if (parameters.length === 0) return this.#connection.query({ sql, rowsAsArray: true });
    return this.#connection.execute({ sql, values: parameters.map(bound), rowsAsArray: true });
  }

  close(): void {
    this.open = false;
    this.#socket.destroy();
    this.#connection.destroy();
  }
}

/** The first result with columns, of those that a text or a procedure answers. */
class Result {
  readonly #collector: Collector;
  #fields: readonly Field[] = [];
  #sets = 0;
  #affected: number | null = null;

  constructor(collector: Collector) {
    this.#collector = collector;
  }

  fields(fields: readonly Field[] | undefined): void {
    if (fields === undefined) return;
    this.#sets++;
    if (this.#sets === 1) this.#fields = fields;
    if (this.#sets === 2) this.#collector.notice('more results came behind this one, and are not shown');
  }

  row(row: unknown): void {
    if (!Array.isArray(row)) return this.#header(row as Header | null);
    if (this.#sets > 1) return;
    const values = row as readonly unknown[];
    const size = values.reduce<number>((sum, value) => sum + 1 + sizeOf(value), 0);
    this.#collector.add(size, () => values.map(jsonOf));
  }

  #header(header: Header | null): void {
    if (header === null || this.#sets > 0) return;
    this.#affected = (this.#affected ?? 0) + (header.affectedRows ?? 0);
    if (header.info) this.#collector.notice(header.info);
    const warnings = header.warningStatus ?? 0;
    if (warnings > 0) this.#collector.notice(`${warnings} warning(s): SHOW WARNINGS in the next query names them`);
  }

  answer(): Answer {
    const { rows, truncated, notices } = this.#collector;
    const columns = this.#fields.map(({ name, columnType }) => ({ name, type: typeName(columnType) }));
    return { columns, rows, affected: this.#affected, truncated, notices };
  }
}

const TYPES: Readonly<Record<number, string>> = Object.fromEntries(
  Object.entries(mysql.Types).flatMap(([name, code]) =>
    typeof code === 'number' ? [[code, name.toLowerCase()] as const] : [],
  ),
);

/** As the protocol names it (`Protocol::ColumnType`): `longlong` is BIGINT. */
function typeName(code: number | undefined): string {
  return (code !== undefined && TYPES[code]) || 'unknown';
}

function sizeOf(value: unknown): number {
  if (typeof value === 'string') return Buffer.byteLength(value);
  if (Buffer.isBuffer(value)) return 2 * value.length;
  return typeof value === 'object' && value !== null ? JSON.stringify(value).length : 8;
}

function jsonOf(value: unknown): Json {
  if (Buffer.isBuffer(value)) return `0x${value.toString('hex')}`;
  if (typeof value === 'bigint') return String(value);
  if (typeof value === 'number' && !Number.isFinite(value)) return String(value);
  return value === undefined ? null : (value as Json);
}

/** Integers as text: the driver sends numbers as DOUBLE, which LIMIT does not take and which has 53 bits. */
function bound(value: Parameter): string | number | boolean | null {
  if (typeof value === 'object' && value !== null) {
    const hint = 'Give each value a ? and an entry in parameters of its own.';
    throw new DatabaseError('MySQL has no arrays', { code: '1210', hint });
  }
  return typeof value === 'number' && Number.isInteger(value) ? String(value) : value;
}

/** The gateway's own refusals end in their verdict's JSON. */
function errorOf(error: unknown): DatabaseError {
  const { errno, sqlMessage, message } = error as { errno?: number; sqlMessage?: string; message?: string };
  if (sqlMessage === undefined || errno === undefined) {
    return new DatabaseError(`the session has ended: ${message ?? String(error)}`, { code: '2013', fatal: true });
  }
  const brace = sqlMessage.indexOf(' {"decision":');
  const decision = brace === -1 ? null : objectOf(sqlMessage.slice(brace + 1));
  return new DatabaseError(decision === null ? sqlMessage : sqlMessage.slice(0, brace), {
    code: String(errno),
    decision,
    // ER_QUERY_INTERRUPTED's kin: 3169 session killed, 1927 connection killed, 1053 shutdown.
    fatal: [3169, 1927, 1053].includes(errno),
  });
}
