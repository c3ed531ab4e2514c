// The recorder: what the gate calls for every session, statement and outcome. Entries gather in memory and are appended to
// the journal once a turn of the loop, before anything of that turn is forwarded; the sealer's thread does the rest.

import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { SallyportError } from '../errors.ts';
import type { Outcome, Session } from '../types.ts';
import { factsOf, type StatementEntry } from './format.ts';
import { createSegment, FIRST_FRAME, type Segment } from './journal.ts';
import { takeLock } from './lock.ts';
import { createPending } from './pending.ts';
import { startSealing } from './sealing.ts';

export interface RecordLog {
  info(details: object, message: string): void;
  warn(details: object, message: string): void;
  error(details: object, message: string): void;
}

export interface RecorderOptions {
  /** The record's own directory, `<data dir>/record`; made where it is missing. */
  readonly dir: string;
  /** `process` survives the death of the process, `disk` that of the machine: every commit waits for the disk. */
  readonly durability: 'process' | 'disk';
  /** Bytes kept of each result. */
  readonly resultBytes: number;
  readonly log: RecordLog;
  /** Bytes of a segment before the next is begun. */
  readonly segmentBytes?: number;
  /** Unsealed bytes that make the recorder refuse. */
  readonly backlogBytes?: number;
  /** Milliseconds from a commit to its sealing. */
  readonly sealAfter?: number;
}

export type Health = { readonly ok: true } | { readonly ok: false; readonly reason: string };

/**
 * While the recorder is not healthy, `sessionStarted` and `statement` throw SP_RECORD and so does `commit`. `outcome` and
 * `sessionEnded` are kept: what did run is recorded as soon as the record can be written again.
 */
export interface Recorder {
  sessionStarted(session: Session): void;
  /** Throws SP_RECORD where nothing may be forwarded. */
  statement(entry: StatementEntry): void;
  /** Throws SP_RECORD only where no memory is left for it, or after close. `at` is milliseconds since the epoch. */
  outcome(session: string, n: number, at: number, outcome: Outcome): void;
  sessionEnded(session: string, at: number, reason: string): void;
  /** Something is not written yet. */
  readonly pending: boolean;
  /** Writes what is pending with one append. Throws SP_RECORD: then nothing of this turn may be forwarded. */
  commit(): void;
  healthy(): Health;
  /** Tries whether the record can be written again; also done once a second while it cannot. */
  probe(): Promise<Health>;
  /** Resolves when all that was committed before the call can be read from the store. Rejects with SP_RECORD. */
  settled(): Promise<void>;
  /** Writes and seals everything, and gives the directory back. Rejects with SP_RECORD where that fails; the journal keeps it. */
  close(): Promise<void>;
}

const PROBE_EVERY = 1_000;
/** What may wait in memory while the record cannot be written: outcomes of what was already running. */
const PENDING_BYTES = 64 << 20;

/** Opens the record, seals what the last run left and ends its sessions. Rejects with SP_RECORD. */
export async function openRecorder(options: RecorderOptions): Promise<Recorder> {
  const { dir, durability, resultBytes, log } = options;
  const segmentBytes = options.segmentBytes ?? 64 << 20;
  const backlogBytes = options.backlogBytes ?? 256 << 20;
  const sealAfter = options.sealAfter ?? 100;
  const journalDir = join(dir, 'journal');
  const durable = durability === 'disk';
  makeDirectory(journalDir);
  const unlock = takeLock(dir);
  const sealing = startSealing(dir);
  const pending = createPending();

  let segment: Segment;
  let nextNumber = 1;
  // Segments that are not sealed to their end, the one being written last.
  let unsealed: [segment: number, end: number, sealed: number][] = [];
  let closed = false;
  // Why nothing may be forwarded, by who found it.
  const trouble: { journal: string | null; sealer: string | null; backlog: string | null } = {
    journal: null,
    sealer: null,
    backlog: null,
  };
  let refusal: string | null = null;
  let sealTimer: NodeJS.Timeout | undefined;
  let probeTimer: NodeJS.Timeout | undefined;

  function judge(): void {
    const before = refusal;
    refusal = trouble.journal ?? trouble.sealer ?? trouble.backlog;
    if (refusal !== null && refusal !== before)
      log.error({ reason: refusal }, 'the record cannot be written: nothing is forwarded');
    if (refusal === null && before !== null) log.info({}, 'the record can be written again');
    if (refusal === null || closed) return;
    probeTimer ??= setTimeout(() => {
      probeTimer = undefined;
      void probe();
    }, PROBE_EVERY).unref();
  }

  function refuse(reason: string): never {
    throw new SallyportError('SP_RECORD', `the record cannot be written: ${reason}`);
  }

  /** Begins a segment, with what is pending in it. Throws the system's error; then the old one stays. */
  function beginSegment(): void {
    const fresh = createSegment(journalDir, nextNumber++, durable);
    try {
      if (pending.size() > 0) fresh.append(pending.buffer(), pending.size());
    } catch (error) {
      fresh.discard();
      throw error;
    }
    pending.clear();
    segment = fresh;
    unsealed.push([fresh.number, fresh.end, FIRST_FRAME]);
    sealLater();
  }

  function rotate(): void {
    const full = segment;
    try {
      beginSegment();
    } catch (error) {
      // Nothing is lost: the full segment is written on, and the next commit tries again.
      log.warn({ reason: message(error) }, 'no new segment of the journal can be begun');
      return;
    }
    full.close();
  }

  function write(): void {
    segment.append(pending.buffer(), pending.size());
    pending.clear();
    const last = unsealed.at(-1);
    if (last !== undefined) last[1] = segment.end;
    sealLater();
    if (segment.end >= segmentBytes) rotate();
    if (unsealedBytes() > backlogBytes) {
      trouble.backlog = `more than ${backlogBytes} bytes wait to be sealed`;
      judge();
    }
  }

  function sealLater(): void {
    if (sealTimer === undefined && !closed) sealTimer = setTimeout(sealSoon, sealAfter).unref();
  }

  function unsealedBytes(): number {
    let bytes = 0;
    for (const [, end, sealed] of unsealed) bytes += end - sealed;
    return bytes;
  }

  function sealSoon(): void {
    sealTimer = undefined;
    void seal().catch(() => undefined);
  }

  async function seal(): Promise<void> {
    const ends = unsealed.map(([number, end]) => [number, end] as const);
    try {
      const position = await sealing.seal(ends);
      for (const entry of unsealed) {
        const asked = ends.find(([number]) => number === entry[0]);
        if (asked !== undefined) entry[2] = entry[0] === position.segment ? position.offset : asked[1];
      }
      unsealed = unsealed.filter(([number, end, sealed]) => number === segment.number || sealed < end);
      trouble.sealer = null;
      if (unsealedBytes() < backlogBytes / 2) trouble.backlog = null;
    } catch (error) {
      trouble.sealer = `the journal cannot be sealed: ${message(error)}`;
      throw error;
    } finally {
      judge();
    }
  }

  async function probe(): Promise<Health> {
    if (closed) return healthy();
    if (trouble.journal !== null) {
      try {
        // What a failed append left in the old segment is not told from what it should be: a new one is begun.
        beginSegment();
        trouble.journal = null;
      } catch (error) {
        trouble.journal = message(error);
      }
      judge();
    }
    if (trouble.sealer !== null || trouble.backlog !== null) await seal().catch(() => undefined);
    return healthy();
  }

  function healthy(): Health {
    if (closed) return { ok: false, reason: 'the record is closed' };
    return refusal === null ? { ok: true } : { ok: false, reason: refusal };
  }

  function accept(): void {
    if (closed) refuse('it is closed');
    if (refusal !== null) refuse(refusal);
  }

  function keep(): void {
    if (closed) refuse('it is closed');
    if (pending.size() > PENDING_BYTES && refusal !== null) refuse(refusal);
  }

  function commit(): void {
    if (closed) refuse('it is closed');
    if (refusal !== null) refuse(refusal);
    if (pending.size() === 0) return;
    try {
      write();
    } catch (error) {
      trouble.journal = message(error);
      segment.close();
      judge();
      refuse(trouble.journal);
    }
  }

  try {
    const recovered = await sealing.recover();
    for (const damage of recovered.damage) log.error({ damage }, 'a part of the record could not be read');
    // When they ended is not known; when they were last heard of is.
    for (const [session, lastAt] of recovered.open) pending.end(session, lastAt, 'gateway stopped');
    nextNumber = recovered.next;
    beginSegment();
  } catch (cause) {
    await sealing.close();
    unlock();
    throw new SallyportError('SP_RECORD', `the record in ${dir} cannot be opened: ${message(cause)}`, { cause });
  }

  return {
    sessionStarted(session): void {
      accept();
      pending.start(session.id, session.startedAt, factsOf(session));
    },
    statement(entry): void {
      accept();
      pending.statement(entry);
    },
    outcome(session, n, at, outcome): void {
      keep();
      pending.outcome(session, n, at, outcome, resultBytes);
    },
    sessionEnded(session, at, reason): void {
      keep();
      pending.end(session, at, reason);
    },
    get pending() {
      return pending.size() > 0;
    },
    commit,
    healthy,
    probe,
    async settled(): Promise<void> {
      if (closed) refuse('it is closed');
      await seal();
    },
    async close(): Promise<void> {
      if (closed) return;
      if (trouble.journal !== null) await probe();
      try {
        // What only the sealer stands against is still written: the journal keeps it for the next opening.
        if (trouble.journal !== null) refuse(trouble.journal);
        if (pending.size() > 0) write();
        await seal();
      } finally {
        closed = true;
        clearTimeout(sealTimer);
        clearTimeout(probeTimer);
        if (trouble.journal === null) segment.close();
        await sealing.close();
        unlock();
      }
    },
  };
}

function makeDirectory(dir: string): void {
  try {
    mkdirSync(dir, { recursive: true, mode: 0o700 });
  } catch (cause) {
    throw new SallyportError('SP_RECORD', `the directory ${dir} cannot be made: ${message(cause)}`, { cause });
  }
}

function message(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
