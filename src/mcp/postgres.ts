// PostgreSQL sessions for the tools, with `pg`: every statement by the extended protocol, so that parameters are bound, a text is
// one statement, and the database stops at the rows that are wanted.

import { Socket } from 'node:net';
import pg from 'pg';
import type { Parameter, Statement } from './database.ts';
import { type Answer, Collector, type Database, DatabaseError, type DatabaseLogin, objectOf } from './database.ts';
import { pgType, pgValue } from './postgres-values.ts';

const CONNECT_MS = 30_000;

/** Rejects with a DatabaseError. */
export async function connectPostgres({ application, ...login }: DatabaseLogin): Promise<Database> {
  const socket = new Socket();
  const client = new pg.Client({
    ...login,
    application_name: application,
    ssl: false,
    stream: () => socket,
    connectionTimeoutMillis: CONNECT_MS,
  });
  const session = new PostgresSession(client, socket);
  try {
    await client.connect();
  } catch (error) {
    socket.destroy();
    throw errorOf(error);
  }
  return session;
}

class PostgresSession implements Database {
  open = true;
  readonly #client: pg.Client;
  readonly #socket: Socket;
  #running: Collector | null = null;
  /** What was said while no statement ran: told with the next one. */
  #said: string[] = [];

  constructor(client: pg.Client, socket: Socket) {
    this.#client = client;
    this.#socket = socket;
    client.on('error', () => this.close());
    client.on('end', () => this.close());
    client.on('notice', ({ severity, message, hint }) => {
      const text = `${severity}: ${message}${hint === undefined ? '' : ` (${hint})`}`;
      if (this.#running === null) this.#said = [...this.#said.slice(-4), text];
      else this.#running.notice(text);
    });
    socket.on('data', (chunk: Buffer) => this.#running?.received(chunk.length));
  }

  async run(statement: Statement, signal: AbortSignal): Promise<Answer> {
    signal.throwIfAborted();
    const close = () => this.close();
    const collector = new Collector(statement, close);
    for (const text of this.#said.splice(0)) collector.notice(text);
    this.#running = collector;
    signal.addEventListener('abort', close, { once: true });
    try {
      return await new Promise<Answer>((resolve, reject) => {
        this.#client.query(new Portal(statement, collector, resolve, reject));
      });
    } catch (error) {
      signal.throwIfAborted();
      const known = errorOf(error);
      if (known.fatal) this.close();
      throw known;
    } finally {
      signal.removeEventListener('abort', close);
      this.#running = null;
    }
  }

  close(): void {
    this.open = false;
    this.#socket.destroy();
  }
}

interface Column {
  readonly name: string;
  readonly dataTypeID: number;
}

/**
 * One statement as `pg` submits it: Parse, Bind, Describe, Execute of one row more than is wanted, Flush; Sync behind its end,
 * which closes the portal ("54.2.3. Extended Query"). The methods are those that a client calls on what was given to `query`.
 */
class Portal {
  readonly #statement: Statement;
  readonly #collector: Collector;
  readonly #resolve: (answer: Answer) => void;
  readonly #reject: (error: unknown) => void;
  #connection: pg.Connection | null = null;
  #columns: readonly Column[] = [];
  #affected: number | null = null;

  constructor(
    statement: Statement,
    collector: Collector,
    resolve: (answer: Answer) => void,
    reject: (error: unknown) => void,
  ) {
    this.#statement = statement;
    this.#collector = collector;
    this.#resolve = resolve;
    this.#reject = reject;
  }

  submit(connection: pg.Connection): void {
    const { sql, parameters, maxRows } = this.#statement;
    this.#connection = connection;
    connection.stream.cork();
    connection.parse({ text: sql, name: '', types: [] }, true);
    connection.bind({ values: parameters.map(bound) } as pg.BindConfig, true);
    connection.describe({ type: 'P' }, true);
    connection.execute({ rows: String(maxRows + 1) }, true);
    connection.flush();
    connection.stream.uncork();
  }

  handleRowDescription({ fields }: { readonly fields: readonly Column[] }): void {
    this.#columns = fields;
  }

  handleDataRow({ fields }: { readonly fields: readonly (string | null)[] }): void {
    const bytes = fields.reduce((sum, value) => sum + 4 + (value === null ? 0 : Buffer.byteLength(value)), 0);
    this.#collector.add(bytes, () => fields.map((value, i) => pgValue(value, this.#columns[i]?.dataTypeID ?? 0)));
  }

  handlePortalSuspended(): void {
    this.#connection?.sync();
  }

  /** The tag's last word is a count of rows, of those that change some ("CommandComplete"). */
  handleCommandComplete({ text }: { readonly text: string }): void {
    const counted = /^(?:INSERT \d+|UPDATE|DELETE|MERGE|COPY) (\d+)$/.exec(text)?.[1];
    if (counted !== undefined) this.#affected = Number(counted);
    this.#connection?.sync();
  }

  handleEmptyQuery(): void {
    this.#connection?.sync();
  }

  handleCopyInResponse(connection: { sendCopyFail(message: string): void }): void {
    connection.sendCopyFail('COPY FROM STDIN has nothing to read here');
  }

  handleCopyData(): void {
    if (this.#collector.notices.length === 0) this.#collector.notice('COPY TO STDOUT is not read here: use SELECT');
  }

  handleError(error: unknown): void {
    // Behind an error of the database all is skipped up to a Sync; after one of the connection there is nobody to send it to.
    if (error instanceof pg.DatabaseError && this.#connection?.stream.writable === true) this.#connection.sync();
    if (this.#collector.truncated === null) this.#reject(error);
    else this.#answer();
  }

  handleReadyForQuery(): void {
    this.#answer();
  }

  #answer(): void {
    const { rows, truncated, notices } = this.#collector;
    const columns = this.#columns.map(({ name, dataTypeID }) => ({ name, type: pgType(dataTypeID) }));
    this.#resolve({ columns, rows, affected: this.#affected, truncated, notices });
  }
}

/** As text, which the server reads by the type that the placeholder has; an array in its own notation ("8.15.2"). */
function bound(value: Parameter): string | null {
  if (value === null || typeof value === 'string') return value;
  if (typeof value !== 'object') return String(value);
  const items = value.map((item) => (item === null ? 'NULL' : `"${String(item).replace(/[\\"]/g, '\\$&')}"`));
  return `{${items.join(',')}}`;
}

function errorOf(error: unknown): DatabaseError {
  if (!(error instanceof pg.DatabaseError)) {
    const message = error instanceof Error ? error.message : String(error);
    return new DatabaseError(`the session has ended: ${message}`, { code: '08003', fatal: true });
  }
  const { message, code, detail, hint, severity } = error;
  const decision = objectOf(detail);
  return new DatabaseError(message, {
    code: code ?? '',
    decision,
    detail: decision === null ? (detail ?? null) : null,
    hint: hint ?? null,
    fatal: severity === 'FATAL',
  });
}
