// The reading side of the record: sessions, newest first, and the records of one. What is committed but not sealed yet is
// seen after the recorder's `settled()`.

import { join } from 'node:path';
import { SallyportError } from '../errors.ts';
import type { Outcome, SessionFacts } from '../types.ts';
import { readKey } from './chain.ts';
import { type SessionRecord, type StatementRecord, unpackRecords } from './format.ts';
import { type Head, openLayout, readHead, readPortion } from './layout.ts';

/** A session as a list shows it. Times are milliseconds since the epoch. */
export interface SessionSummary {
  readonly id: string;
  readonly startedAt: number;
  /** When the last record was made. */
  readonly lastAt: number;
  /** Null while it runs. */
  readonly endedAt: number | null;
  readonly endReason: string | null;
  readonly facts: SessionFacts | null;
  readonly records: number;
  readonly statements: { readonly allow: number; readonly deny: number; readonly approve: number };
}

export interface ListOptions {
  /** At most this many. */
  readonly limit: number;
  /** A session's id: only those that started before it. */
  readonly before?: string | undefined;
  /** Milliseconds since the epoch: only those that started then or later. */
  readonly since?: number | undefined;
  /** Only those that it accepts. */
  readonly accept?: ((session: SessionSummary) => boolean) | undefined;
}

export interface SessionPage {
  readonly sessions: SessionSummary[];
  /** `before` of the next page, or null where this is the last. A page may hold fewer than its limit and not be the last. */
  readonly next: string | null;
}

export interface Store {
  /** Newest first. A session whose head was changed is left out; `verifyRecords` names it. */
  listSessions(options: ListOptions): SessionPage;
  showSession(id: string): SessionSummary | undefined;
  /**
   * The records of a session in the order they were made, each statement with its outcome. An outcome that came more than
   * 1,000 records after its statement comes as a record of its own. Throws SP_RECORD where the bytes cannot be decoded.
   */
  records(id: string): Iterable<SessionRecord>;
  close(): Promise<void>;
}

/** How many records are held back for the outcome of the first of them. */
const WINDOW = 1_000;
/** How many heads are looked at for one page: tens of milliseconds, in which nothing else is served. */
const LOOK = 2_000;

/** Opens the store of the record in `dir` for reading. Throws SP_RECORD where there is none or it cannot be opened. */
export function openStore(dir: string): Store {
  const key = readKey(dir);
  const layout = openLayout(join(dir, 'store.mdb'), true);

  function* portions(id: string): Generator<SessionRecord> {
    for (const { value } of layout.portions.getRange({ start: [id, 0], end: [id, Number.POSITIVE_INFINITY] })) {
      const portion = readPortion(value);
      if (portion === null) throw new SallyportError('SP_RECORD', `a portion of session ${id} is too short`);
      yield* unpackRecords(portion.records);
    }
  }

  return {
    listSessions({ limit, before, since = 0, accept = () => true }): SessionPage {
      layout.root.resetReadTxn();
      const sessions: SessionSummary[] = [];
      let looked = 0;
      let last: string | null = null;
      const range = { reverse: true, ...(before === undefined ? {} : { start: before, exclusiveStart: true }) };
      for (const { key: id, value } of layout.heads.getRange(range)) {
        // There is at least one more.
        if (sessions.length >= limit || looked >= LOOK) return { sessions, next: last };
        looked += 1;
        last = id;
        const head = readHead(key, id, value);
        if (head === null) continue;
        const session = summary(head);
        if (session.startedAt < since) break;
        if (accept(session)) sessions.push(session);
      }
      return { sessions, next: null };
    },
    showSession(id): SessionSummary | undefined {
      layout.root.resetReadTxn();
      const bytes = layout.heads.get(id);
      const head = bytes === undefined ? null : readHead(key, id, bytes);
      return head === null ? undefined : summary(head);
    },
    records(id): Iterable<SessionRecord> {
      layout.root.resetReadTxn();
      return mergeOutcomes(portions(id));
    },
    close: () => layout.root.close(),
  };
}

function summary(head: Head): SessionSummary {
  const { id, startedAt, lastAt, endedAt, endReason, facts, records, statements } = head;
  return { id, startedAt, lastAt, endedAt, endReason, facts, records, statements };
}

/** Gives each statement its outcome. Holds back at most WINDOW records, so that a long session needs little memory. */
export function* mergeOutcomes(records: Iterable<SessionRecord>): Generator<SessionRecord> {
  let held: { record: SessionRecord; outcome: (Outcome & { at: number }) | null }[] = [];
  const waiting = new Map<number, (typeof held)[number]>();
  let first = 0;
  for (const record of records) {
    const slot = { record, outcome: null };
    if (record.type === 'outcome') {
      const statement = waiting.get(record.n);
      if (statement !== undefined) {
        statement.outcome = { ...record.outcome, at: record.at };
        waiting.delete(record.n);
        continue;
      }
    } else if (record.type === 'statement') {
      waiting.set(record.n, slot);
    }
    held.push(slot);
    while (first < held.length) {
      const next = held[first];
      if (next === undefined || (isWaiting(next, waiting) && held.length - first <= WINDOW)) break;
      if (next.record.type === 'statement' && waiting.get(next.record.n) === next) waiting.delete(next.record.n);
      yield finished(next);
      first += 1;
    }
    if (first > WINDOW) {
      held = held.slice(first);
      first = 0;
    }
  }
  for (const slot of held.slice(first)) yield finished(slot);
}

function isWaiting(slot: { record: SessionRecord; outcome: unknown }, waiting: Map<number, unknown>): boolean {
  return slot.record.type === 'statement' && slot.outcome === null && waiting.get(slot.record.n) === slot;
}

function finished(slot: { record: SessionRecord; outcome: (Outcome & { at: number }) | null }): SessionRecord {
  if (slot.record.type !== 'statement' || slot.outcome === null) return slot.record;
  return { ...slot.record, outcome: slot.outcome } satisfies StatementRecord;
}
