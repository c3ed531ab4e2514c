// Connections that the gateway makes itself: dialling a database, asking it something small, cancelling what it runs.

import type { Socket } from 'node:net';
import { SallyportError } from '../../errors.ts';
import type { Connection } from '../../types.ts';
import { endPointHash } from '../certificate.ts';
import { type Limits, read, withSocket } from '../dialling.ts';
import { upgradeClient } from '../tls.ts';
import { decodeError } from './decode.ts';
import { createDial, type Dial, type DialFailure, type Ready } from './dial.ts';
import { FRAME, FrameReader, READ } from './frame.ts';
import { ALPN, Backend as Message, query, terminate } from './messages.ts';

const EMPTY = Buffer.alloc(0);

/** A session with a database, idle, its socket paused and with nothing listening but for errors. */
export interface Upstream extends Omit<Ready, 'rest'> {
  /** A TLSSocket where TLS is on. */
  readonly socket: Socket;
  /** Bytes that were read behind what was understood; they come before what the socket gives. */
  rest: Buffer;
}

/**
 * Dials a database and logs in.
 * @param parameters settings for the startup packet
 * Rejects with SP_UPSTREAM: the message is one line for the log, never for a client; `cause` is a `DialFailure` where the
 * database itself said no.
 */
export async function connectUpstream(
  connection: Connection,
  parameters: Iterable<readonly [string, string]>,
  limits: Limits,
): Promise<Upstream> {
  const { tls, user, database, password } = connection;
  const dial = createDial({ tls: tls.mode, user, database, password, parameters });
  return withSocket(connection, limits, async (plain) => {
    const { socket, ready } = await drive(connection, plain, dial);
    if (ready === null) throw new SallyportError('SP_UPSTREAM', 'the database hung up during login');
    return { socket, ...ready };
  });
}

/**
 * Asks a database to cancel what the backend is running; answers when it has taken note. Nothing is said of whether there
 * was anything to cancel. Rejects with SP_UPSTREAM.
 */
export async function cancelUpstream(
  connection: Connection,
  pid: number,
  secret: Uint8Array,
  limits: Limits = { timeoutMs: 5_000 },
): Promise<void> {
  const { tls, user, database, password } = connection;
  const dial = createDial({ tls: tls.mode, user, database, password, parameters: [], cancel: { pid, secret } });
  await withSocket(connection, limits, async (plain) => {
    const { socket } = await drive(connection, plain, dial);
    socket.destroy();
  });
}

/** The process of the database that serves a session, and since when, microseconds since 1970: its id may be given anew. */
export interface Backend {
  readonly pid: number;
  readonly since: string;
}

const STARTED = "(pg_catalog.date_part('epoch', backend_start) * 1000000)::pg_catalog.int8";

/** Expressions of which `backendOf` reads the values. */
export const BACKEND = `pg_catalog.pg_backend_pid(),
  (SELECT ${STARTED} FROM pg_catalog.pg_stat_get_activity(pg_catalog.pg_backend_pid()))`;

/** Null where the process is not the one that the database has named at login: then a pooler stands between, which gives it to others. */
export function backendOf(
  { backendPid }: Upstream,
  pid: string | null | undefined,
  since: string | null | undefined,
): Backend | null {
  if (pid !== String(backendPid) || !/^\d+$/.test(since ?? '')) return null;
  return { pid: backendPid, since: since ?? '' };
}

/**
 * Ends the process that serves a session, over a connection of the gateway's own: a cancel would end only what it is running, and what
 * was sent behind that would run. Rejects with SP_UPSTREAM.
 */
export async function terminateUpstream(
  connection: Connection,
  { pid, since }: Backend,
  limits: Limits = { timeoutMs: 5_000 },
): Promise<void> {
  const upstream = await connectUpstream(connection, [], limits);
  try {
    const found = `FROM pg_catalog.pg_stat_get_activity(${pid}) WHERE ${STARTED} = ${since}`;
    await runQuery(upstream, `SELECT pg_catalog.pg_terminate_backend(pid) ${found}`, limits);
  } finally {
    upstream.socket.on('error', () => {});
    upstream.socket.end(terminate());
  }
}

/** Runs the machine over the socket until it is ready (or the database has closed: null). */
async function drive(
  { host, tls }: Connection,
  plain: Socket,
  dial: Dial,
): Promise<{ socket: Socket; ready: Ready | null }> {
  let socket = plain;
  socket.write(dial.start());
  for (;;) {
    const chunk = await read(socket);
    if (chunk === null) return { socket, ready: null };
    for (const step of await dial.push(chunk)) {
      switch (step.do) {
        case 'send':
          socket.write(step.bytes);
          break;
        case 'start-tls': {
          if (tls.mode === 'disable') throw new SallyportError('SP_UPSTREAM', 'TLS is disabled');
          const secure = await upgradeClient(plain, { mode: tls.mode, host, ca: tls.ca }, ALPN);
          const certificate = secure.getPeerX509Certificate();
          socket = secure;
          socket.write(dial.tlsEstablished(certificate === undefined ? null : endPointHash(certificate.raw)));
          break;
        }
        case 'ready':
          return { socket, ready: step };
        case 'failed': {
          const cause: DialFailure = { sqlstate: step.sqlstate, message: step.message };
          throw new SallyportError('SP_UPSTREAM', step.message, { cause });
        }
      }
    }
  }
}

// --- Small questions -----------------------------------------------------------------------------------------------

const READS = new Uint8Array(256);
for (const type of [
  Message.rowDescription,
  Message.dataRow,
  Message.commandComplete,
  Message.emptyQueryResponse,
  Message.errorResponse,
  Message.noticeResponse,
  Message.notificationResponse,
  Message.parameterStatus,
  Message.readyForQuery,
]) {
  READS[type] = READ.whole;
}

export type Rows = (string | null)[][];

/**
 * Runs a text of one or more statements by the simple protocol and answers the rows of each, cells in text. One at a time on
 * an upstream. Rejects with SP_UPSTREAM; after an error of the database itself (`cause` is then a `DialFailure`) the upstream
 * is still good, after any other it is destroyed.
 */
export async function runQuery(
  upstream: Upstream,
  sql: string,
  { timeoutMs = 30_000, maxBytes = 64 * 1024 * 1024 } = {},
): Promise<Rows[]> {
  const { socket } = upstream;
  let late = false;
  const timer = setTimeout(() => {
    late = true;
    socket.destroy();
  }, timeoutMs);
  try {
    socket.write(query(sql));
    return await results(upstream, maxBytes);
  } catch (error) {
    if (!(error instanceof SallyportError) || error.cause === undefined) socket.destroy();
    throw late ? new SallyportError('SP_UPSTREAM', `the database gave no answer within ${timeoutMs} ms`) : error;
  } finally {
    clearTimeout(timer);
  }
}

async function results(upstream: Upstream, maxBytes: number): Promise<Rows[]> {
  const reader = new FrameReader(READS, maxBytes);
  const found: Rows[] = [];
  let rows: Rows = [];
  let failure: DialFailure | null = null;
  let received = 0;
  reader.push(upstream.rest);
  upstream.rest = EMPTY;
  for (;;) {
    const frame = reader.next();
    if (frame === FRAME.incomplete) {
      const chunk = await read(upstream.socket);
      if (chunk === null)
        throw new SallyportError('SP_UPSTREAM', `the database hung up: ${failure?.message ?? 'silently'}`);
      received += chunk.length;
      if (received > maxBytes) throw new SallyportError('SP_UPSTREAM', `an answer of more than ${maxBytes} bytes`);
      reader.push(chunk);
      continue;
    }
    if (frame === FRAME.malformed) throw new SallyportError('SP_UPSTREAM', reader.problem);
    const { buffer, start, end } = reader;
    switch (reader.type) {
      case Message.dataRow:
        rows.push(cells(buffer, start + 5, end));
        break;
      case Message.commandComplete:
      case Message.emptyQueryResponse:
        found.push(rows);
        rows = [];
        break;
      case Message.errorResponse: {
        const fields = decodeError(buffer, start + 5, end);
        failure = { sqlstate: fields?.get('C') ?? null, message: fields?.get('M') ?? '' };
        break;
      }
      case Message.parameterStatus:
      case Message.rowDescription:
      case Message.noticeResponse:
      case Message.notificationResponse:
        break;
      case Message.readyForQuery:
        upstream.rest = Buffer.from(reader.rest);
        if (failure === null) return found;
        throw new SallyportError('SP_UPSTREAM', failure.message, { cause: failure });
    }
  }
}

/** DataRow: Int16 count, then Int32 length (-1: NULL) and bytes of each cell. */
function cells(buffer: Buffer, start: number, end: number): (string | null)[] {
  const row: (string | null)[] = [];
  const count = end - start < 2 ? -1 : buffer.readInt16BE(start);
  let at = start + 2;
  for (let i = 0; i < count && at + 4 <= end; i++) {
    const length = buffer.readInt32BE(at);
    at += 4;
    if (length === -1) row.push(null);
    else if (length < 0 || length > end - at) break;
    else row.push(buffer.toString('utf8', at, at + length));
    if (length > 0) at += length;
  }
  if (row.length !== count || at !== end) throw new SallyportError('SP_UPSTREAM', 'a malformed DataRow');
  return row;
}
