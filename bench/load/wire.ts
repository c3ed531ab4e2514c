// What the loads need of a protocol.

import type { Socket } from 'node:net';
import type { Address, Protocol } from '../targets/target.ts';
import { mysql } from './mysql.ts';
import { postgres } from './postgres.ts';

/** `simple`: a new text each time; `prepared`: one statement, with another value each time. */
export type Mode = 'simple' | 'prepared';

/** The point selects of one session, each sent when the reply before is whole. */
export interface Points {
  /** What has to be sent before, or null. */
  readonly first: Buffer | null;
  next(aid: number): Buffer;
  /** Takes what was read; true at the end of a reply. Throws where it is an error. */
  take(chunk: Buffer): boolean;
}

/** One large result. */
export interface Rows {
  readonly first: Buffer;
  /** True at its end, when all its rows have come. */
  take(chunk: Buffer): boolean;
}

export interface Wire {
  /** Logs in and answers a socket with nothing unread. A chunk is a view of one reused buffer, valid only during the call. */
  login(at: Address, onChunk: (chunk: Buffer) => void, bufferBytes?: number): Promise<Socket>;
  points(mode: Mode): Points;
  rows(sql: string, count: number): Rows;
  readonly goodbye: Buffer;
}

export function wireOf(protocol: Protocol): Wire {
  return protocol === 'mysql' ? mysql : postgres;
}
