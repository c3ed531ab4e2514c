// The grants' history on disk: an append-only log of events in LMDB, synced before an append returns.
//
// Four tables. `log`: sequence number -> event, only ever appended to. `index`: [grant's id, sequence number] -> nothing, to
// find one grant's events. `lists`: [`open`, or the state of those that have ended, or `subject`, or `connection`; value;
// sequence number of the `requested` event] -> nothing, to find the newest of a kind; made from the log where an older version
// has not. `clock`: the time of the last write. A grant is what its `requested` event carries; its state is what the later ones say (life.ts).

import { mkdirSync } from 'node:fs';
import { type Database, open } from 'lmdb';
import { SallyportError } from '../errors.ts';
import type { Grant, GrantEventName, GrantHistoryEvent } from '../types.ts';

/** A grant as it lies on disk: scopes as they were written. */
export interface StoredGrant extends Omit<Grant, 'scopes'> {
  readonly scopes: readonly string[];
}

/** Who did it is a person's name, or `sallyport` for what happens by itself. */
export interface GrantEvent extends GrantHistoryEvent {
  readonly grantId: string;
  /** Time that has passed, as `Seen` counts it, in milliseconds. Older versions left it out. */
  readonly elapsed?: number;
  /** With `requested` only. `verifiers` prove the secret and cannot be turned back into it. */
  readonly grant?: StoredGrant;
  readonly verifiers?: unknown;
  /** Left out by older versions, whose grants were active at once: it is what is between the grant's two times. */
  readonly ttlMs?: number;
  readonly renewals?: number;
  /** Why a person has to approve it; it is not active before one has. */
  readonly waits?: string;
  /** With `approved` only: the deadline, milliseconds since the epoch. */
  readonly expiresAt?: number;
}

/** What the clocks showed: the wall's, and the time that has passed while a gateway ran or the wall clock says so. */
export interface Seen {
  readonly wall: number;
  readonly elapsed: number;
}

export interface Found {
  readonly sequence: number;
  readonly event: GrantEvent;
}

export type ListName = 'subject' | 'connection' | 'open' | GrantEventName;

export interface GrantStore {
  /**
   * Writes the events, all or none, and answers the first one's sequence number; returns when they are on disk, and throws
   * `SP_RECORD` where they cannot be.
   */
  append(events: readonly GrantEvent[], seen: Seen): number;
  /** One grant's events, oldest first. */
  events(grantId: string): GrantEvent[];
  /** Every event, newest first. */
  latest(): Iterable<GrantEvent>;
  /** The `requested` events, newest first: those below a sequence number, those of a list. A list may have some too many. */
  newest(below?: number, list?: readonly [ListName, string]): Iterable<Found>;
  /** The sequence number of the grant's `requested` event. */
  sequence(grantId: string): number | undefined;
  seen(): Seen | undefined;
  close(): Promise<void>;
}

/** Keys have a length that LMDB bounds; what is cut off is compared by who reads the list. */
const LONGEST_VALUE = 200;
const FIRST = 0;
const LAST = Number.MAX_SAFE_INTEGER;

/** Opens or makes the store in the folder `dir`; throws `SP_RECORD` where it cannot. */
export function openStore(dir: string): GrantStore {
  const { root, log, index, lists, clock } = openTables(dir);

  function sequenceOf(grantId: string): number | undefined {
    for (const [, sequence] of index.getKeys({ start: [grantId, FIRST], end: [grantId, LAST], limit: 1 }))
      return sequence;
    return undefined;
  }

  function enlist({ grantId, event, grant }: GrantEvent, sequence: number): void {
    if (event === 'approved') return;
    if (event !== 'requested') {
      const first = sequenceOf(grantId) ?? sequence;
      lists.putSync([event, '', first], true);
      lists.removeSync(['open', '', first]);
    } else if (grant !== undefined) {
      lists.putSync(['subject', cut(grant.identity.subject), sequence], true);
      lists.putSync(['connection', cut(grant.connection), sequence], true);
      lists.putSync(['open', '', sequence], true);
    }
  }

  if (lists.getKeysCount({ limit: 1 }) === 0) {
    root.transactionSync(() => {
      for (const { key, value } of log.getRange()) enlist(value, key);
    });
  }

  return {
    append(events, seen) {
      try {
        return root.transactionSync(() => {
          let first = 0;
          for (const last of log.getKeys({ reverse: true, limit: 1 })) first = last + 1;
          for (const [place, event] of events.entries()) {
            log.putSync(first + place, event);
            index.putSync([event.grantId, first + place], true);
            enlist(event, first + place);
          }
          clock.putSync('seen', seen);
          return first;
        });
      } catch (cause) {
        throw new SallyportError('SP_RECORD', `the grant's history cannot be written to ${dir}`, { cause });
      }
    },

    events(grantId) {
      const events: GrantEvent[] = [];
      for (const [, sequence] of index.getKeys({ start: [grantId, FIRST], end: [grantId, LAST] })) {
        const event = log.get(sequence);
        if (event !== undefined) events.push(event);
      }
      return events;
    },

    *latest() {
      for (const { value } of log.getRange({ reverse: true })) yield value;
    },

    *newest(below = LAST, list) {
      if (below <= FIRST) return;
      if (list === undefined) {
        for (const { key, value } of log.getRange({ reverse: true, start: below - 1 })) {
          if (value.event === 'requested') yield { sequence: key, event: value };
        }
        return;
      }
      const [name, value] = list;
      const place = (sequence: number): ListKey => [name, cut(value), sequence];
      for (const [, , sequence] of lists.getKeys({ reverse: true, start: place(below - 1), end: place(FIRST - 1) })) {
        const event = log.get(sequence);
        if (event !== undefined) yield { sequence, event };
      }
    },

    sequence: sequenceOf,
    seen: () => clock.get('seen'),
    close: () => root.close(),
  };
}

type ListKey = [ListName, string, number];

function openTables(dir: string) {
  try {
    mkdirSync(dir, { recursive: true, mode: 0o700 });
    // Without overlappingSync a transaction is on disk when it returns.
    const root = open({ path: dir, overlappingSync: false });
    const log: Database<GrantEvent, number> = root.openDB({ name: 'log' });
    const index: Database<boolean, [string, number]> = root.openDB({ name: 'index' });
    const lists: Database<boolean, ListKey> = root.openDB({ name: 'lists' });
    const clock: Database<Seen, string> = root.openDB({ name: 'clock' });
    return { root, log, index, lists, clock };
  } catch (cause) {
    throw new SallyportError('SP_RECORD', `the grants' store in ${dir} cannot be opened`, { cause });
  }
}

function cut(value: string): string {
  return value.slice(0, LONGEST_VALUE);
}
