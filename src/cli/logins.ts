// What `sallyport login` keeps: one file for each gateway, in the user's config folder, for the user's eyes alone.

import { mkdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { configHome, type Env } from '../config/env.ts';
import { CommandError, EXIT } from './exit.ts';

/** How one came to a token, so that the next can be had the same way. Times are milliseconds since the epoch. */
export interface Login {
  readonly issuer: string;
  readonly audience: string;
  readonly clientId: string;
  /** `person`: device flow; `machine`: client credentials. */
  readonly who: 'person' | 'machine';
  readonly token: string;
  readonly expiresAt: number;
  readonly refreshToken?: string | undefined;
  /** Absolute path of the file with the client's secret, which is not copied. */
  readonly secretFile?: string | undefined;
  /** What was asked for beside the standard parameters: scope, resource … */
  readonly parameters: Readonly<Record<string, string>>;
}

/** Milliseconds that another command may take to renew a login before it counts as gone. */
const ABANDONED = 60_000;

/** The file for the gateway that answers at this address. */
export function loginFile({ apiListen }: Pick<Env, 'apiListen'>): string {
  const name = `${apiListen.host}_${apiListen.port}`.replaceAll(/[^\w.-]/g, '_');
  return join(configHome(), 'sallyport', 'logins', `${name}.json`);
}

/** Null where nobody is logged in. Throws where others may read the file, or it holds something else. */
export function readLogin(file: string): Login | null {
  let text: string;
  try {
    const { mode } = statSync(file);
    if ((mode & 0o077) !== 0) {
      throw new CommandError(EXIT.refused, `${file} may be read by others`, {
        hint: 'It holds a token. Log in anew with `sallyport login`, which writes it for you alone.',
      });
    }
    text = readFileSync(file, 'utf8');
  } catch (error) {
    if (isMissing(error)) return null;
    throw error;
  }
  try {
    const login = JSON.parse(text) as Login;
    if (typeof login.token === 'string' && typeof login.expiresAt === 'number') return login;
  } catch {
    // Said below, without the parser's words: it quotes what it reads.
  }
  throw new CommandError(EXIT.refused, `${file} does not hold a login`, {
    hint: 'Log in anew with `sallyport login`.',
  });
}

/** Replaces the file whole, so that no reader sees half of it. */
export function writeLogin(file: string, login: Login): void {
  mkdirSync(join(file, '..'), { recursive: true, mode: 0o700 });
  const draft = `${file}.${process.pid}`;
  writeFileSync(draft, `${JSON.stringify(login, null, 2)}\n`, { mode: 0o600 });
  renameSync(draft, file);
}

export function removeLogin(file: string): void {
  rmSync(file, { force: true });
}

/**
 * Runs `work` while no other command does the same for this file: a refresh token is good for one use, and a second use of it
 * ends the login at many providers.
 */
export async function alone<T>(file: string, work: () => Promise<T>): Promise<T> {
  const lock = `${file}.lock`;
  while (!take(lock)) await sleep(50);
  try {
    return await work();
  } finally {
    rmSync(lock, { force: true });
  }
}

function take(lock: string): boolean {
  try {
    writeFileSync(lock, String(process.pid), { flag: 'wx', mode: 0o600 });
    return true;
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
  }
  try {
    if (Date.now() - statSync(lock).mtimeMs > ABANDONED) rmSync(lock, { force: true });
  } catch (error) {
    if (!isMissing(error)) throw error;
  }
  return false;
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR');
}
