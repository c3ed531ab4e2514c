// The operator token: made once, kept in the data dir for its owner alone, compared without telling how much was right.

import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { SallyportError } from '../errors.ts';

const FILE = 'operator.token';

/** The token of the data dir, made where it is missing: 32 random bytes in hex, mode 0600. Throws SP_CONFIG. */
export function ensureOperatorToken(dataDir: string): string {
  mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  try {
    writeFileSync(join(dataDir, FILE), `${randomBytes(32).toString('hex')}\n`, { flag: 'wx', mode: 0o600 });
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
    chmodSync(join(dataDir, FILE), 0o600);
  }
  return readOperatorToken(dataDir);
}

/** Throws SP_UNAUTHORIZED where there is none or this user may not read it, SP_CONFIG where it is damaged. */
export function readOperatorToken(dataDir: string): string {
  const path = join(dataDir, FILE);
  let text: string;
  try {
    text = readFileSync(path, 'utf8').trim();
  } catch (error) {
    const why = error instanceof Error && 'code' in error ? error.code : 'unreadable';
    throw new SallyportError('SP_UNAUTHORIZED', `the operator token ${path} cannot be read (${why})`, {
      hint: 'serve writes it at its start; SALLYPORT_DATA_DIR must be the same for both, and the file belongs to the user who runs serve.',
    });
  }
  if (/^[0-9a-f]{64}$/.test(text)) return text;
  throw new SallyportError('SP_CONFIG', `${path} does not hold an operator token`, {
    hint: 'Remove the file and start the gateway again: a new one is made.',
  });
}

/** Whether an Authorization header carries the token. Digests are compared, so that lengths do not tell either. */
export function carriesToken(authorization: string | undefined, token: string): boolean {
  const given = /^bearer +([^\s]+)$/i.exec(authorization ?? '')?.[1] ?? '';
  const digest = (text: string) => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(given), digest(token));
}
