// The key of the `hash` strategy: made once, kept in the data dir for its owner alone. Who has it can try values against tokens.

import { createSecretKey, type KeyObject, randomBytes } from 'node:crypto';
import { chmodSync, linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { SallyportError } from '../errors.ts';

const FILE = 'mask.key';
const KEY_BYTES = 32;

/** The key in the data dir's `mask.key`, made where it is missing: 32 random bytes in hex, mode 0600. Throws SP_CONFIG. */
export function ensureMaskKey(dataDir: string): KeyObject {
  mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  const path = join(dataDir, FILE);
  // Linked, so that another process never reads half a key, nor makes a second one.
  const near = `${path}.${process.pid}`;
  writeFileSync(near, `${randomBytes(KEY_BYTES).toString('hex')}\n`, { mode: 0o600 });
  try {
    linkSync(near, path);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
  } finally {
    rmSync(near, { force: true });
  }
  chmodSync(path, 0o600);
  const text = readFileSync(path, 'latin1').trim();
  if (!/^[0-9a-f]{64}$/.test(text)) {
    throw new SallyportError('SP_CONFIG', `${path} does not hold a masking key`, {
      hint: 'Restore the file; without it a new key is made, and the same values get other tokens than before.',
    });
  }
  return createSecretKey(text, 'hex');
}
