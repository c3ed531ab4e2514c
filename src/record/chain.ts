// The hash chain of a session and the seal on its head: what makes a change in the record show.
//
//   link 0 = SHA-256("sallyport record 1\n" ‖ session id)
//   link n = SHA-256(link n-1 ‖ the packed records of portion n)
//   seal   = HMAC-SHA-256(chain.key, kind ‖ "\n" ‖ body), over the head of each session and over the root of the store
//
// The chain shows what was changed, removed or reordered between two portions; the seals show a cut tail and a removed
// session. Whoever can read chain.key (mode 0600, in the record's directory) can forge both.

import { createHash, createHmac, hash, randomBytes, timingSafeEqual } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { SallyportError } from '../errors.ts';

export const LINK_BYTES = 32;
export const SEAL_BYTES = 32;

export function firstLink(session: string): Buffer {
  return hash('sha256', `sallyport record 1\n${session}`, 'buffer');
}

export function nextLink(previous: Uint8Array, records: Uint8Array): Buffer {
  return createHash('sha256').update(previous).update(records).digest();
}

export type Sealed = 'head' | 'root';

function sealOf(key: Uint8Array, kind: Sealed, body: Uint8Array): Buffer {
  return createHmac('sha256', key).update(`${kind}\n`).update(body).digest();
}

/** Puts the seal before the body. */
export function seal(key: Uint8Array, kind: Sealed, body: Uint8Array): Buffer {
  return Buffer.concat([sealOf(key, kind, body), body]);
}

/** The body, or null where the seal is not the key's. */
export function unseal(key: Uint8Array, kind: Sealed, sealed: Uint8Array): Buffer | null {
  if (sealed.length < SEAL_BYTES) return null;
  const body = Buffer.from(sealed.buffer, sealed.byteOffset + SEAL_BYTES, sealed.length - SEAL_BYTES);
  return timingSafeEqual(sealOf(key, kind, body), sealed.subarray(0, SEAL_BYTES)) ? body : null;
}

function keyPath(dir: string): string {
  return join(dir, 'chain.key');
}

/** Reads the key. Throws SP_RECORD where it is missing or not 32 bytes. */
export function readKey(dir: string): Buffer {
  let key: Buffer;
  try {
    key = readFileSync(keyPath(dir));
  } catch (cause) {
    throw new SallyportError('SP_RECORD', `the record's key ${keyPath(dir)} cannot be read`, { cause });
  }
  if (key.length !== 32) throw new SallyportError('SP_RECORD', `the record's key ${keyPath(dir)} is damaged`);
  return key;
}

/** Makes the key of a new store. Throws the system's error where one exists. */
export function makeKey(dir: string): Buffer {
  const key = randomBytes(32);
  writeFileSync(keyPath(dir), key, { mode: 0o600, flag: 'wx', flush: true });
  return key;
}

export function hasKey(dir: string): boolean {
  return existsSync(keyPath(dir));
}
