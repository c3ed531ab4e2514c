// Runs a server program so that it ends when the process that asked for it ends, however that ends.
//
// A small shell reads a pipe whose other end only this process holds: at its end the program gets a signal, and its
// directory is removed. As root the program runs as `nobody`, since PostgreSQL and PgBouncer refuse root.

import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { open, rm } from 'node:fs/promises';
import { createServer, Socket } from 'node:net';
import { join } from 'node:path';

const NOBODY = 65534;

/** Whom server programs run as, in the form that `child_process` takes: nobody for root, else ourselves. */
export const OWNER: { readonly uid?: number; readonly gid?: number } =
  process.getuid?.() === 0 ? { uid: NOBODY, gid: NOBODY } : {};

export interface Watched {
  readonly pid: number;
  /** Settles when the program has ended by itself or by `stop`. */
  readonly ended: Promise<void>;
  isOver(): boolean;
  /** What the program has printed so far. */
  log(): string;
  /** Ends the program with the signal it was started with, waits for its end, removes its directory. May be called again. */
  stop(): Promise<void>;
  /** From now on it does not keep this process alive. */
  release(): void;
}

// `exec` leaves the program with the shell's process id. The watcher is orphaned on purpose: a postmaster must not see a
// child that is not its own. It lets the one who started it read the log, then waits for the program by the file it keeps while it runs, where it is known to have one
// (a process id tells nothing while a slow init has not reaped it).
const SCRIPT = `
signal=$1 running=$2; shift 2
exec 3<&0 </dev/null
( (trap '' INT TERM HUP
   cat <&3 >/dev/null 2>&1
   kill -$signal $$ 2>/dev/null
   sleep 0.1
   n=0; while [ -e "$0/$running" ] && [ $n -lt 200 ]; do sleep 0.05; n=$((n+1)); done
   rm -rf "$0") >/dev/null 2>&1 & )
exec "$@" 3<&-`;

export interface WatchedOptions {
  /** What ends the program at once. */
  readonly signal: 'QUIT' | 'TERM' | 'KILL';
  /** A file in `dir` that the program removes at its end. */
  readonly runningFile?: string;
  /** Whom it runs as; default `OWNER`. */
  readonly owner?: typeof OWNER;
  /** Default: nothing but PATH, the C locale and UTC. */
  readonly env?: NodeJS.ProcessEnv;
}

/** Starts `command` in `dir`, which it owns from now on; what it prints is in `dir/server.log`. */
export async function spawnWatched(dir: string, command: readonly string[], options: WatchedOptions): Promise<Watched> {
  const log = await open(join(dir, 'server.log'), 'w', 0o644);
  const child: ChildProcess = spawn(
    '/bin/sh',
    ['-c', SCRIPT, dir, options.signal, options.runningFile ?? 'none', ...command],
    {
      ...(options.owner ?? OWNER),
      cwd: dir,
      stdio: ['pipe', log.fd, log.fd],
      env: options.env ?? { PATH: process.env.PATH, LC_ALL: 'C', TZ: 'UTC' },
    },
  );
  await log.close();
  let over = false;
  let lastWords = '';
  const ended = new Promise<void>((resolve) => {
    const end = () => {
      over = true;
      lastWords = logOf(dir);
      resolve();
    };
    child.once('exit', end).once('error', end);
  });
  return {
    pid: child.pid ?? -1,
    ended,
    isOver: () => over,
    log: () => (over ? lastWords : logOf(dir)),
    async stop() {
      child.ref();
      child.stdin?.destroy();
      if (!over) child.kill(`SIG${options.signal}`);
      await ended;
      await rm(dir, { recursive: true, force: true, maxRetries: 5 });
    },
    release() {
      child.unref();
      if (child.stdin instanceof Socket) child.stdin.unref();
    },
  };
}

function logOf(dir: string): string {
  try {
    return readFileSync(join(dir, 'server.log'), 'utf8');
  } catch {
    return '';
  }
}

/** A port of 127.0.0.1 that was free a moment ago. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}
