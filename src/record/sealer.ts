// Seals the journal into the store: groups what was appended by session, links each portion into the session's chain and
// writes portions, heads and the journal position in one transaction, so that a crash at any moment repeats or loses nothing.

import { closeSync, mkdirSync, renameSync, unlinkSync } from 'node:fs';
import { join } from 'node:path';
import { SallyportError } from '../errors.ts';
import { firstLink, hasKey, makeKey, nextLink, readKey } from './chain.ts';
import {
  ACTION_OFFSET,
  ACTIONS,
  type EndRecord,
  type StartRecord,
  TAG,
  TAG_OFFSET,
  TIME_OFFSET,
  unpackRecords,
} from './format.ts';
import { DAMAGED, FIRST_FRAME, listSegments, openForReading, readFrames, segmentPath } from './journal.ts';
import {
  type Head,
  openLayout,
  PORTION_HEADER,
  type Root,
  readHead,
  readRoot,
  writeHead,
  writePortionHeader,
  writeRoot,
} from './layout.ts';

/** A segment and how far it may be read. */
export type SegmentEnd = readonly [segment: number, end: number];

export interface Position {
  readonly segment: number;
  readonly offset: number;
}

export interface Recovered {
  /** Sessions that have no end, and when each was last heard of. */
  readonly open: readonly (readonly [session: string, lastAt: number])[];
  /** One sentence for each place where the journal could not be read, and where its bytes are now. */
  readonly damage: readonly string[];
  /** Number for the next segment. */
  readonly next: number;
}

export interface Sealer {
  /** Seals every segment on the disk, for the opening after whatever ended the last run. Throws SP_RECORD. */
  recover(): Recovered;
  /** Seals the segments up to their ends, in order, and deletes those that nothing is left in. Throws SP_RECORD or the system's error. */
  seal(ends: readonly SegmentEnd[]): Position;
  close(): Promise<void>;
}

/** A portion's first room: some ten statements. */
const FIRST_BYTES = 4 << 10;

/** What one sealing has of a session. Mutable, because it changes with every record. */
interface Gathered {
  readonly head: Head;
  /** The portion in the making: room for its header, then records up to `end`. */
  bytes: Buffer;
  end: number;
  count: number;
  readonly statements: { allow: number; deny: number; approve: number };
  lastAt: number;
  first: StartRecord | null;
  last: EndRecord | null;
}

/** Opens the store in `dir`, made where there is none. Throws SP_RECORD where it is not whole enough to be continued. */
export function openSealer(dir: string): Sealer {
  const journalDir = join(dir, 'journal');
  mkdirSync(journalDir, { recursive: true, mode: 0o700 });
  const layout = openLayout(join(dir, 'store.mdb'), false);
  const stored = layout.meta.get('root');
  if (stored === undefined && layout.heads.getKeysCount({ limit: 1 }) > 0) {
    throw new SallyportError('SP_RECORD', 'the root of the record store is missing');
  }
  // A key is made for a new store only: an old store under a new key would look changed in every place.
  const key = stored === undefined && !hasKey(dir) ? makeKey(dir) : readKey(dir);
  let root: Root = readRoot(key, stored) ?? { segment: 0, offset: 0, sessions: 0, records: 0 };
  // Heads of the sessions that have no end.
  const heads = new Map<string, Head>();

  function headOf(session: string): Head | undefined {
    const known = heads.get(session);
    if (known !== undefined) return known;
    const bytes = layout.heads.get(session);
    if (bytes === undefined) return undefined;
    const head = readHead(key, session, bytes);
    // Continued, a changed head would be sealed anew and its change hidden.
    if (head === null) throw new SallyportError('SP_RECORD', `the head of session ${session} was changed`);
    return head;
  }

  function gather(payload: Buffer, into: Map<string, Gathered>, sessions: number): number {
    let at = 0;
    let begun = sessions;
    while (at < payload.length) {
      const size = at + 5 <= payload.length ? payload.readUInt32LE(at) : 0;
      const start = at + 5 + (payload[at + 4] ?? 0);
      if (size <= ACTION_OFFSET || start + size > payload.length) {
        throw new SallyportError('SP_RECORD', 'a frame of the journal does not hold whole entries');
      }
      const session = payload.toString('latin1', at + 5, start);
      const time = payload.readDoubleBE(start + TIME_OFFSET);
      let gathered = into.get(session);
      if (gathered === undefined) {
        const known = headOf(session);
        if (known === undefined) begun += 1;
        const head = known ?? newHead(session, begun, time);
        gathered = newPortion(head);
        into.set(session, gathered);
      }
      add(gathered, payload, start, start + size);
      gathered.lastAt = time;
      at = start + size;
    }
    return begun;
  }

  // One transaction; memory changes only when it is done.
  function write(gathered: Map<string, Gathered>, position: Position, sessions: number): void {
    const ready: Head[] = [];
    let records = root.records;
    let next = root;
    layout.root.transactionSync(() => {
      const before = readRoot(key, layout.meta.get('root'));
      if ((before?.segment ?? 0) !== root.segment || (before?.offset ?? 0) !== root.offset) {
        throw new SallyportError('SP_RECORD', 'another process is writing this record store');
      }
      for (const [session, { head, bytes, end, count, statements, lastAt, first, last }] of gathered) {
        const link = nextLink(head.link, bytes.subarray(PORTION_HEADER, end));
        const number = head.portions + 1;
        writePortionHeader(bytes, { previous: head.link, link, first: head.records + 1, count });
        layout.portions.put([session, number], bytes.subarray(0, end));
        const sealed: Head = {
          ...head,
          link,
          portions: number,
          records: head.records + count,
          startedAt: first?.at ?? head.startedAt,
          facts: first?.facts ?? head.facts,
          lastAt,
          endedAt: last?.at ?? head.endedAt,
          endReason: last?.reason ?? head.endReason,
          statements,
        };
        layout.heads.put(session, writeHead(key, sealed));
        if (sealed.endedAt === null) layout.open.put(session, Buffer.alloc(0));
        else layout.open.remove(session);
        ready.push(sealed);
        records += count;
      }
      next = { ...position, sessions, records };
      layout.meta.put('root', writeRoot(key, next));
    });
    root = next;
    for (const head of ready) {
      if (head.endedAt === null) heads.set(head.id, head);
      else heads.delete(head.id);
    }
  }

  /** Seals one segment from where the root stands to `most` or its end. Answers what could not be read, or null. */
  function sealSegment(segment: number, most: number): string | null {
    let offset = segment === root.segment ? root.offset : FIRST_FRAME;
    if (offset >= most) return null;
    const { fd, size, isJournal } = openForReading(journalDir, segment);
    try {
      // A live segment has what was appended to it; one that a crash left has what it has.
      const end = most === Number.POSITIVE_INFINITY ? size : most;
      if (!isJournal) return 'the file does not begin as a journal';
      while (offset < end) {
        const frames = readFrames(fd, offset, end);
        const gathered = new Map<string, Gathered>();
        let sessions = root.sessions;
        for (const payload of frames.payloads) sessions = gather(payload, gathered, sessions);
        if (frames.payloads.length > 0) write(gathered, { segment, offset: frames.next }, sessions);
        offset = frames.next;
        if (frames.damage !== null) return frames.damage;
      }
      return null;
    } finally {
      closeSync(fd);
    }
  }

  // The position's own segment stays: while a gateway runs it may still be written.
  function deleteBefore(segment: number): void {
    for (const number of listSegments(journalDir)) if (number < segment) unlinkSync(segmentPath(journalDir, number));
  }

  // What could not be read is not deleted: a person may.
  function setAside(segment: number, damage: string): string {
    const path = segmentPath(journalDir, segment);
    renameSync(path, path + DAMAGED);
    const from = segment === root.segment ? root.offset : FIRST_FRAME;
    return `${damage}, at byte ${from} of what is kept as ${path}${DAMAGED}`;
  }

  return {
    recover(): Recovered {
      const damage: string[] = [];
      const segments = listSegments(journalDir);
      for (const segment of segments) {
        if (segment < root.segment) continue;
        const found = sealSegment(segment, Number.POSITIVE_INFINITY);
        if (found !== null) damage.push(setAside(segment, found));
      }
      const last = Math.max(root.segment, segments.at(-1) ?? 0);
      deleteBefore(last + 1);
      const open: [string, number][] = [];
      for (const session of layout.open.getKeys()) {
        const head = headOf(session);
        if (head !== undefined) open.push([session, head.lastAt]);
      }
      return { open, damage, next: last + 1 };
    },
    seal(ends): Position {
      for (const [segment, end] of ends) {
        if (segment < root.segment) continue;
        const damage = sealSegment(segment, end);
        if (damage !== null) throw new SallyportError('SP_RECORD', `journal segment ${segment}: ${damage}`);
      }
      deleteBefore(root.segment);
      return { segment: root.segment, offset: root.offset };
    },
    close: () => layout.root.close(),
  };
}

function newHead(id: string, ordinal: number, startedAt: number): Head {
  const statements = { allow: 0, deny: 0, approve: 0 };
  const times = { startedAt, lastAt: startedAt, endedAt: null, endReason: null };
  return { id, ordinal, portions: 0, records: 0, link: firstLink(id), ...times, facts: null, statements };
}

function newPortion(head: Head): Gathered {
  const bytes = Buffer.allocUnsafeSlow(FIRST_BYTES);
  const statements = { ...head.statements };
  return { head, bytes, end: PORTION_HEADER, count: 0, statements, lastAt: head.lastAt, first: null, last: null };
}

/** Adds one record to its portion, and what it changes in the head. Only the rare ones are decoded. */
function add(gathered: Gathered, payload: Buffer, start: number, end: number): void {
  const size = end - start;
  if (gathered.end + size > gathered.bytes.length) {
    const larger = Buffer.allocUnsafeSlow(Math.max(gathered.bytes.length * 2, gathered.end + size));
    gathered.bytes.copy(larger, 0, 0, gathered.end);
    gathered.bytes = larger;
  }
  payload.copy(gathered.bytes, gathered.end, start, end);
  gathered.end += size;
  gathered.count += 1;
  const tag = payload[start + TAG_OFFSET];
  if (tag === TAG.statement) {
    const action = ACTIONS[payload[start + ACTION_OFFSET] ?? -1];
    if (action === undefined) throw new SallyportError('SP_RECORD', 'a statement of the journal has no verdict');
    gathered.statements[action] += 1;
  } else if (tag === TAG.start || tag === TAG.end) {
    const [decoded] = unpackRecords(payload.subarray(start, end));
    if (decoded?.type === 'start') gathered.first = decoded;
    else if (decoded?.type === 'end') gathered.last = decoded;
  }
}
