// What both protocols share of dialling a database: a socket with a limit of time, whose failures are one line for the log.

import type { Socket } from 'node:net';
import { SallyportError } from '../errors.ts';
import type { Connection } from '../types.ts';
import { dialSocket } from './socket.ts';

const KEEPALIVE_MS = 30_000;

export interface Limits {
  readonly timeoutMs: number;
  readonly signal?: AbortSignal;
}

/**
 * Opens a socket for `work`; destroys it where that fails or takes too long. Rejects with SP_UPSTREAM: the message is one line
 * for the log, never for a client; `cause` is that of the error of `work`.
 */
export async function withSocket<T>(
  connection: Connection,
  limits: Limits,
  work: (socket: Socket) => Promise<T>,
): Promise<T> {
  const { host, port, name } = connection;
  const deadline = AbortSignal.timeout(limits.timeoutMs);
  const stop = limits.signal === undefined ? deadline : AbortSignal.any([deadline, limits.signal]);
  const socket = dialSocket({ host, port, noDelay: true, keepAlive: true, keepAliveInitialDelay: KEEPALIVE_MS });
  let failure: NodeJS.ErrnoException | null = null;
  socket.on('error', (error) => {
    failure ??= error;
  });
  const abort = () => socket.destroy();
  if (stop.aborted) abort();
  stop.addEventListener('abort', abort);
  try {
    await new Promise<void>((resolve, reject) => {
      socket.once('connect', resolve).once('close', () => reject(new SallyportError('SP_UPSTREAM', 'no connection')));
    });
    const done = await work(socket);
    if (stop.aborted) throw new SallyportError('SP_UPSTREAM', 'too late');
    return done;
  } catch (error) {
    socket.destroy();
    const { message, cause } = error as Error;
    const why = deadline.aborted
      ? `no answer within ${limits.timeoutMs} ms`
      : stop.aborted
        ? 'the dial was given up'
        : failure === null || cause !== undefined
          ? message
          : systemError(failure);
    throw new SallyportError('SP_UPSTREAM', `connection ${name} (${host}:${port}): ${why}`, { cause });
  } finally {
    stop.removeEventListener('abort', abort);
  }
}

/** Where several addresses were tried, the message is empty and the code says it. */
function systemError(error: NodeJS.ErrnoException): string {
  return error.message || error.code || 'no connection';
}

/** What comes next, or null at the end. The socket stays paused between two calls. */
export async function read(socket: Socket): Promise<Buffer | null> {
  for (;;) {
    const chunk: Buffer | null = socket.read();
    if (chunk !== null) return chunk;
    if (socket.readableEnded || socket.destroyed) return null;
    await new Promise<void>((resolve) => {
      const done = () => {
        socket.off('readable', done).off('end', done).off('close', done);
        resolve();
      };
      socket.on('readable', done).on('end', done).on('close', done);
    });
  }
}
