// The gateway's name for itself in databases: two gateways with roles in one database tell theirs apart by it.

import { randomBytes } from 'node:crypto';
import { linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { SallyportError } from '../errors.ts';
import type { Protocol } from '../types.ts';
import { roleName } from './role.ts';

const FILE = 'gateway.id';
const LETTERS = 'abcdefghijklmnopqrstuvwxyz234567';

function random(): string {
  return [...randomBytes(12)].map((byte) => LETTERS[byte & 31]).join('');
}

/** The name of a role that is made to be taken back, of no gateway. */
export function trialName(protocol: Protocol): string {
  return roleName(protocol, random(), 'check');
}

/** Twelve letters and digits in the data dir's `gateway.id`, made where it is missing. No secret. Throws SP_CONFIG. */
export function ensureGatewayId(dataDir: string): string {
  mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  const path = join(dataDir, FILE);
  // Linked, so that another process never reads half of it, nor makes a second one.
  const near = `${path}.${process.pid}`;
  writeFileSync(near, `${random()}\n`, { mode: 0o600 });
  try {
    linkSync(near, path);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
  } finally {
    rmSync(near, { force: true });
  }
  const id = readFileSync(path, 'latin1').trim();
  if (/^[a-z2-7]{12}$/.test(id)) return id;
  throw new SallyportError('SP_CONFIG', `${path} does not hold the id of a gateway`, {
    hint: 'Remove the file: a new id is made. Roles in databases that were made under the old one are left to their administrators.',
  });
}
