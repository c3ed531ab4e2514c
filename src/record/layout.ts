// What stands in the record's LMDB environment, and how its values are written.
//
//   portions  [session, number]  link before (32) ‖ link (32) ‖ number of its first record (f64 LE) ‖ count (u32 LE) ‖ records
//   heads     session            seal (32) ‖ packed Head
//   open      session            empty: the session has no end yet
//   meta      "root"             seal (32) ‖ packed Root
//
// Portions and records are numbered from 1. Everything of one sealing, the root's journal position included, is one transaction.

import { chmodSync } from 'node:fs';
import { type Database, open, type RootDatabase } from 'lmdb';
import { SallyportError } from '../errors.ts';
import type { SessionFacts } from '../types.ts';
import { LINK_BYTES, seal, unseal } from './chain.ts';
import { packObject, unpackObject } from './format.ts';

export interface Portion {
  readonly previous: Buffer;
  readonly link: Buffer;
  readonly first: number;
  readonly count: number;
  readonly records: Buffer;
}

/** What is known of a session without reading its records. Times are milliseconds since the epoch. */
export interface Head {
  readonly id: string;
  /** The session's place among all sessions of the store, from 1 without gaps. */
  readonly ordinal: number;
  readonly portions: number;
  readonly records: number;
  readonly link: Buffer;
  readonly startedAt: number;
  readonly lastAt: number;
  readonly endedAt: number | null;
  readonly endReason: string | null;
  /** Null only where the journal was damaged at the session's beginning. */
  readonly facts: SessionFacts | null;
  readonly statements: { readonly allow: number; readonly deny: number; readonly approve: number };
}

export interface Root {
  /** Journal position that everything before is sealed of. */
  readonly segment: number;
  readonly offset: number;
  /** Sessions and records in the store. */
  readonly sessions: number;
  readonly records: number;
}

export interface Layout {
  readonly root: RootDatabase<Buffer, string>;
  readonly portions: Database<Buffer, [string, number]>;
  readonly heads: Database<Buffer, string>;
  readonly open: Database<Buffer, string>;
  readonly meta: Database<Buffer, string>;
}

/** Opens the environment. Throws SP_RECORD where it cannot be. `overlappingSync` is off, so that a commit is on the disk when it returns. */
export function openLayout(path: string, readOnly: boolean): Layout {
  try {
    const root = open<Buffer, string>({
      path,
      encoding: 'binary',
      overlappingSync: false,
      maxDbs: 8,
      readOnly,
      noSubdir: true,
    });
    // The directory may be one that others may enter; what is recorded is not theirs.
    if (!readOnly) for (const file of [path, `${path}-lock`]) chmodSync(file, 0o600);
    const options = { encoding: 'binary' } as const;
    return {
      root,
      portions: root.openDB<Buffer, [string, number]>('portions', options),
      heads: root.openDB<Buffer, string>('heads', options),
      open: root.openDB<Buffer, string>('open', options),
      meta: root.openDB<Buffer, string>('meta', options),
    };
  } catch (cause) {
    throw new SallyportError('SP_RECORD', `the record store ${path} cannot be opened`, { cause });
  }
}

/** Bytes of a portion before its records. */
export const PORTION_HEADER = 2 * LINK_BYTES + 12;

/** Writes what stands before the records into the first PORTION_HEADER bytes. */
export function writePortionHeader(bytes: Buffer, portion: Omit<Portion, 'records'>): void {
  bytes.set(portion.previous, 0);
  bytes.set(portion.link, LINK_BYTES);
  bytes.writeDoubleLE(portion.first, 2 * LINK_BYTES);
  bytes.writeUInt32LE(portion.count, 2 * LINK_BYTES + 8);
}

/** Null where the bytes are too short to be a portion. */
export function readPortion(bytes: Buffer): Portion | null {
  if (bytes.length < PORTION_HEADER) return null;
  return {
    previous: bytes.subarray(0, LINK_BYTES),
    link: bytes.subarray(LINK_BYTES, 2 * LINK_BYTES),
    first: bytes.readDoubleLE(2 * LINK_BYTES),
    count: bytes.readUInt32LE(2 * LINK_BYTES + 8),
    records: bytes.subarray(PORTION_HEADER),
  };
}

export function writeHead(key: Uint8Array, head: Head): Buffer {
  return seal(key, 'head', packObject(head));
}

export function writeRoot(key: Uint8Array, root: Root): Buffer {
  return seal(key, 'root', packObject(root));
}

/** Null where the seal does not hold or the head is not that session's. */
export function readHead(key: Uint8Array, id: string, bytes: Uint8Array): Head | null {
  const body = unseal(key, 'head', bytes);
  if (body === null) return null;
  const head = unpackObject(body) as Head;
  return head.id === id ? head : null;
}

/** Undefined where there is no root yet; throws SP_RECORD where its seal does not hold. */
export function readRoot(key: Uint8Array, bytes: Uint8Array | undefined): Root | undefined {
  if (bytes === undefined) return undefined;
  const body = unseal(key, 'root', bytes);
  if (body === null) throw new SallyportError('SP_RECORD', 'the root of the record store was changed');
  return unpackObject(body) as Root;
}
