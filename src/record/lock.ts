// One gateway a record: a lock file that names the process that holds it, and that a killed process does not hold on to.
//
// `<dir>/lock` holds "<pid> <start>", where start is the process's start time in clock ticks after boot (proc(5), field 22
// of /proc/<pid>/stat) or 0 where the system has no /proc. A container's first process always has pid 1: only the start
// time tells a running holder from a killed one. Two containers that share the directory do not see each other's
// processes; the sealer, which finds the root of the store moved by another, stops them.

import { linkSync, readFileSync, rmSync, unlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { SallyportError } from '../errors.ts';

/** Takes the lock; answers what gives it back. Throws SP_RECORD where a living process holds it. */
export function takeLock(dir: string): () => void {
  const path = join(dir, 'lock');
  const draft = `${path}.${process.pid}`;
  for (let attempt = 0; attempt < 3; attempt += 1) {
    try {
      // Linked and not written in place: nobody reads a lock that names no process yet.
      writeFileSync(draft, `${process.pid} ${startOf(process.pid)}`, { mode: 0o600 });
      linkSync(draft, path);
      return () => {
        const holder = holderOf(path);
        if (holder?.pid === process.pid && holder.start === startOf(process.pid)) unlinkSync(path);
      };
    } catch (cause) {
      if (!isCode(cause, 'EEXIST')) throw new SallyportError('SP_RECORD', `${path} cannot be made`, { cause });
    } finally {
      rmSync(draft, { force: true });
    }
    const holder = holderOf(path);
    if (holder !== null && isAlive(holder)) {
      throw new SallyportError('SP_RECORD', `the record in ${dir} is in use by process ${holder.pid}`, {
        hint: 'Stop that gateway, or give this one a data directory of its own.',
      });
    }
    try {
      unlinkSync(path);
    } catch (error) {
      if (!isCode(error, 'ENOENT')) throw error;
    }
  }
  throw new SallyportError('SP_RECORD', `${path} is fought over`);
}

interface Holder {
  readonly pid: number;
  readonly start: string;
}

function holderOf(path: string): Holder | null {
  try {
    const [pid, start] = readFileSync(path, 'latin1').split(' ');
    return pid !== undefined && start !== undefined && /^\d+$/.test(pid) ? { pid: Number(pid), start } : null;
  } catch {
    return null;
  }
}

function isAlive(holder: Holder): boolean {
  try {
    process.kill(holder.pid, 0);
  } catch (error) {
    // EPERM: it lives, under another user.
    if (!isCode(error, 'EPERM')) return false;
  }
  return startOf(holder.pid) === holder.start;
}

function startOf(pid: number): string {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    // The name of the command, in parentheses, may hold spaces: fields are counted behind it, from field 3.
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? '0';
  } catch {
    return '0';
  }
}

function isCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}
