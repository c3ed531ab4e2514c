// The grants' history on disk: an append-only log of events in LMDB, synced before an append returns.
//
// Two tables. `log`: sequence number -> event, only ever appended to. `index`: [grant's id, sequence number] -> nothing,
// to find one grant's events. A grant is what its `requested` event carries; its state is what the later ones say.

import { mkdirSync } from 'node:fs';
import { type Database, open } from 'lmdb';
import { SallyportError } from '../errors.ts';
import type { Grant } from '../types.ts';

/** A grant as it lies on disk: scopes as they were written. */
export interface StoredGrant extends Omit<Grant, 'scopes'> {
  readonly scopes: readonly string[];
}

export interface GrantEvent {
  readonly grantId: string;
  /** Milliseconds since the epoch. */
  readonly at: number;
  readonly event: 'requested' | 'completed' | 'expired' | 'revoked';
  /** Who did it: a subject, or `sallyport` for the deadline. */
  readonly by: string;
  readonly reason: string;
  /** With `requested` only. `verifiers` prove the secret and cannot be turned back into it. */
  readonly grant?: StoredGrant;
  readonly verifiers?: unknown;
}

export interface GrantStore {
  /** Returns when the event is on disk; throws `SP_RECORD` where it cannot be. */
  append(event: GrantEvent): void;
  /** One grant's events, oldest first. */
  events(grantId: string): GrantEvent[];
  /** Every event, oldest first. */
  all(): Iterable<GrantEvent>;
  /** The ids of the grants asked for last, newest first. */
  newest(limit: number): string[];
  close(): Promise<void>;
}

/** Opens or makes the store in the folder `dir`; throws `SP_RECORD` where it cannot. */
export function openStore(dir: string): GrantStore {
  const { root, log, index } = openTables(dir);

  return {
    append(event) {
      try {
        log.transactionSync(() => {
          let next = 0;
          for (const last of log.getKeys({ reverse: true, limit: 1 })) next = last + 1;
          log.putSync(next, event);
          index.putSync([event.grantId, next], true);
        });
      } catch (cause) {
        throw new SallyportError('SP_RECORD', `the grant's history cannot be written to ${dir}`, { cause });
      }
    },

    events(grantId) {
      const events: GrantEvent[] = [];
      for (const [, sequence] of index.getKeys({ start: [grantId], end: [grantId, Number.MAX_SAFE_INTEGER] })) {
        const event = log.get(sequence);
        if (event !== undefined) events.push(event);
      }
      return events;
    },

    *all() {
      for (const { value } of log.getRange()) yield value;
    },

    newest(limit) {
      const ids: string[] = [];
      for (const { value } of log.getRange({ reverse: true })) {
        if (ids.length >= limit) break;
        if (value.event === 'requested') ids.push(value.grantId);
      }
      return ids;
    },

    close: () => root.close(),
  };
}

function openTables(dir: string) {
  try {
    mkdirSync(dir, { recursive: true, mode: 0o700 });
    // Without overlappingSync a transaction is on disk when it returns.
    const root = open({ path: dir, overlappingSync: false });
    const log: Database<GrantEvent, number> = root.openDB({ name: 'log' });
    const index: Database<boolean, [string, number]> = root.openDB({ name: 'index' });
    return { root, log, index };
  } catch (cause) {
    throw new SallyportError('SP_RECORD', `the grants' store in ${dir} cannot be opened`, { cause });
  }
}
