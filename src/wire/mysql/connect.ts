// Connections that the gateway makes itself: dialling a database, asking it something small, cancelling what it runs.
import type { Socket } from 'node:net';
import { SallyportError } from '../../errors.ts';
import type { Connection } from '../../types.ts';
import { type Limits, read, withSocket } from '../dialling.ts';
import { upgradeClient } from '../tls.ts';
import { decodeEof, decodeErr, decodeOk, Fields, readLenenc } from './decode.ts';
import { createDial, type DialFailure, type Ready } from './dial.ts';
import { FRAME, FrameReader } from './frame.ts';
import { ALPN, Capability, Command, command, Reply, Status, UTF8MB4_GENERAL_CI } from './messages.ts';

const EMPTY = Buffer.alloc(0);

/** A session with a database, idle, its socket paused and with nothing listening but for errors. */
export interface Upstream extends Omit<Ready, 'rest'> {
  /** A TLSSocket where TLS is on. */
  readonly socket: Socket;
  /** Bytes that were read behind what was understood; they come before what the socket gives. */
  rest: Buffer;
}

/** What a session asks for in its client's name. */
export interface Wishes {
  readonly capabilities: number;
  readonly collation: number;
}

const OWN: Wishes = { capabilities: Capability.deprecateEof, collation: UTF8MB4_GENERAL_CI };

/**
 * Dials a database and logs in. Rejects with SP_UPSTREAM: the message is one line for the log, never for a client; `cause` is a
 * `DialFailure` where the database itself said no.
 */
export async function connectUpstream(connection: Connection, wishes: Wishes, limits: Limits): Promise<Upstream> {
  const dial = () => withSocket(connection, limits, (socket) => drive(connection, wishes, socket));
  try {
    return await dial();
  } catch (error) {
    // MySQL closes the descriptor of a session that is killed while its thread may still be writing to it (vio_shutdown, in
    // vio/viosocket.cc): what it writes then reaches the next connection that is given the number. The one after that is good.
    const stray = error instanceof SallyportError && (error.cause as Partial<DialFailure> | undefined)?.stray === true;
    if (!stray) throw error;
    return dial();
  }
}

/** Runs the machine over the socket until it is ready. */
async function drive(connection: Connection, wishes: Wishes, plain: Socket): Promise<Upstream> {
  const { host, tls, user, database, password } = connection;
  const { capabilities, collation } = wishes;
  const dial = createDial({ tls: tls.mode, user, database, password, capabilities, collation });
  let socket = plain;
  for (;;) {
    const chunk = await read(socket);
    if (chunk === null) throw new SallyportError('SP_UPSTREAM', 'the database hung up during login');
    for (const step of dial.push(chunk)) {
      switch (step.do) {
        case 'send':
          socket.write(step.bytes);
          break;
        case 'start-tls': {
          if (tls.mode === 'disable') throw new SallyportError('SP_UPSTREAM', 'TLS is disabled');
          socket.write(step.bytes);
          socket = await upgradeClient(plain, { mode: tls.mode, host, ca: tls.ca }, ALPN);
          socket.write(dial.tlsEstablished());
          break;
        }
        case 'ready':
          return { socket, ...step };
        case 'failed': {
          const { code, message, stray = false } = step;
          const cause: DialFailure = { code, message, stray };
          throw new SallyportError('SP_UPSTREAM', step.message, { cause });
        }
      }
    }
  }
}

/**
 * Asks a database to cancel what the connection is running (`query`), or to end it with all that it was sent and has not begun
 * (`connection`), over a connection of the gateway's own; answers when it has taken note. Rejects with SP_UPSTREAM.
 */
export async function cancelUpstream(
  connection: Connection,
  connectionId: number,
  what: 'query' | 'connection',
  limits: Limits = { timeoutMs: 5_000 },
): Promise<void> {
  const upstream = await connectUpstream(connection, OWN, limits);
  try {
    await runQuery(upstream, `KILL ${what} ${connectionId}`, limits);
  } finally {
    hangUp(upstream);
  }
}

export function hangUp({ socket }: Upstream): void {
  socket.on('error', () => {});
  socket.end(command(Command.quit));
}

/** An own session, for `use`. Rejects with SP_UPSTREAM. */
export async function withUpstream<T>(
  connection: Connection,
  timeoutMs: number,
  use: (run: (sql: string) => Promise<Rows>) => Promise<T>,
): Promise<T> {
  const upstream = await connectUpstream(connection, OWN, { timeoutMs });
  try {
    return await use((sql) => runQuery(upstream, sql));
  } finally {
    hangUp(upstream);
  }
}

// --- Small questions -----------------------------------------------------------------------------------------------------

export type Rows = (string | null)[][];

/**
 * Runs one statement by the text protocol and answers its rows, cells as text. One at a time on an upstream. Rejects with
 * SP_UPSTREAM; after an error of the database itself (`cause` is then a `DialFailure`) the upstream is still good, after any
 * other it is destroyed.
 */
export async function runQuery(
  upstream: Upstream,
  sql: string,
  { timeoutMs = 30_000, maxBytes = 64 * 1024 * 1024 } = {},
): Promise<Rows> {
  const { socket } = upstream;
  let late = false;
  const timer = setTimeout(() => {
    late = true;
    socket.destroy();
  }, timeoutMs);
  try {
    socket.write(command(Command.query, sql));
    return await answer(upstream, maxBytes);
  } catch (error) {
    if (!(error instanceof SallyportError) || error.cause === undefined) socket.destroy();
    throw late ? new SallyportError('SP_UPSTREAM', `the database gave no answer within ${timeoutMs} ms`) : error;
  } finally {
    clearTimeout(timer);
  }
}

async function answer(upstream: Upstream, maxBytes: number): Promise<Rows> {
  const reader = new FrameReader(maxBytes);
  const next = async (): Promise<Buffer> => {
    for (;;) {
      const frame = reader.next();
      if (frame === FRAME.whole) return reader.payload();
      if (frame !== FRAME.incomplete) throw new SallyportError('SP_UPSTREAM', reader.problem);
      const chunk = await read(upstream.socket);
      if (chunk === null) throw new SallyportError('SP_UPSTREAM', 'the database hung up');
      received += chunk.length;
      if (received > maxBytes) throw new SallyportError('SP_UPSTREAM', `an answer of more than ${maxBytes} bytes`);
      reader.push(chunk);
    }
  };
  let received = 0;
  reader.push(upstream.rest);
  upstream.rest = EMPTY;
  const rows: Rows = [];
  const first = await next();
  if (first[0] === Reply.err) throw said(first);
  if (first[0] !== Reply.ok) {
    const deprecated = (upstream.capabilities & Capability.deprecateEof) !== 0;
    const columns = readLenenc(first, 0, first.length);
    if (columns < 0 || columns > 4096) throw new SallyportError('SP_UPSTREAM', 'a malformed answer');
    for (let i = 0; i < columns + (deprecated ? 0 : 1); i++) await next();
    for (;;) {
      const row = await next();
      if (row[0] === Reply.err) throw said(row);
      if (row[0] === Reply.eof && row.length < 0xffffff) {
        more(deprecated ? decodeOk(row, 0, row.length)?.status : decodeEof(row, 0, row.length));
        break;
      }
      rows.push(cells(row, columns));
    }
  } else more(decodeOk(first, 0, first.length)?.status);
  upstream.rest = Buffer.from(reader.rest);
  return rows;
}

function more(status: number | null | undefined): void {
  if (status == null || (status & Status.moreResults) !== 0)
    throw new SallyportError('SP_UPSTREAM', 'a malformed answer');
}

function said(payload: Buffer): SallyportError {
  const fields = decodeErr(payload);
  const cause: DialFailure = { code: fields?.code ?? null, message: fields?.message ?? 'a malformed error' };
  return new SallyportError('SP_UPSTREAM', cause.message, { cause });
}

/** A text row: each cell a length-encoded string, or 0xfb for NULL. */
function cells(payload: Buffer, columns: number): (string | null)[] {
  const fields = new Fields(payload);
  const row: (string | null)[] = [];
  while (row.length < columns) {
    if (payload[fields.at] === 0xfb) {
      fields.at++;
      row.push(null);
    } else row.push(fields.lenencText());
  }
  if (!fields.ok || fields.left !== 0) throw new SallyportError('SP_UPSTREAM', 'a malformed row');
  return row;
}
