// Proves the record whole: every chain, every head, the root, and what still stands in the journal. Names each place where
// something was changed, removed, reordered or cut, by session and by record number.

import { closeSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { firstLink, nextLink, readKey, unseal } from './chain.ts';
import { unpackRecords } from './format.ts';
import { DAMAGED, FIRST_FRAME, listSegments, openForReading, readFrames } from './journal.ts';
import {
  type Head,
  type Layout,
  openLayout,
  type Portion,
  type Root,
  readHead,
  readPortion,
  readRoot,
} from './layout.ts';

export interface Mistake {
  /** Null where it is not one session's. */
  readonly session: string | null;
  /** `record 5`, `records 5–9`, `head`, `root`, `journal`. */
  readonly place: string;
  readonly what: string;
}

export interface Verification {
  readonly ok: boolean;
  readonly sessions: number;
  readonly records: number;
  readonly mistakes: readonly Mistake[];
}

/**
 * Reads the whole record in `dir`; changes nothing. What a running gateway has not sealed yet is checked for being whole
 * frames only. Throws SP_RECORD where there is no store, no key, or the store cannot be opened.
 */
export async function verifyRecords(dir: string): Promise<Verification> {
  const key = readKey(dir);
  const layout = openLayout(join(dir, 'store.mdb'), true);
  try {
    const mistakes: Mistake[] = [];
    const heads = readHeads(key, layout, mistakes);
    let records = 0;
    for (const head of heads.values()) if (head !== null) records += verifySession(layout, head, mistakes);
    verifyNoStrangers(layout, heads, mistakes);
    const root = verifyRoot(key, layout, [...heads.values()], mistakes);
    if (root !== null) await verifyJournal(dir, root, mistakes);
    return { ok: mistakes.length === 0, sessions: heads.size, records, mistakes };
  } finally {
    await layout.root.close();
  }
}

function readHeads(key: Buffer, layout: Layout, mistakes: Mistake[]): Map<string, Head | null> {
  const heads = new Map<string, Head | null>();
  for (const { key: session, value } of layout.heads.getRange({})) {
    const head = readHead(key, session, value);
    if (head === null) mistakes.push({ session, place: 'head', what: 'changed: the seal does not hold' });
    heads.set(session, head);
  }
  return heads;
}

/** Follows one chain; answers how many records it read. */
function verifySession(layout: Layout, head: Head, mistakes: Mistake[]): number {
  const session = head.id;
  const add = (place: string, what: string): void => {
    mistakes.push({ session, place, what });
  };
  let link = firstLink(session);
  let number = 0;
  let last = 0;
  let read = 0;
  const range = {
    start: [session, 0] as [string, number],
    end: [session, Number.POSITIVE_INFINITY] as [string, number],
  };
  for (const { key, value } of layout.portions.getRange(range)) {
    const portion = readPortion(value);
    if (portion === null) {
      add(place(last + 1, last + 1), 'cut: the portion is too short');
      number = key[1];
      continue;
    }
    const here = place(portion.first, portion.first + portion.count - 1);
    const follows = portion.previous.equals(link);
    if (key[1] !== number + 1) add(place(last + 1, portion.first - 1), 'removed');
    else if (portion.first !== last + 1 || !follows)
      add(here, 'out of place: what stands before was reordered, replaced or changed');
    verifyPortion(portion, here, add);
    number = key[1];
    last = portion.first + portion.count - 1;
    link = portion.link;
    read += portion.count;
  }
  if (number > head.portions) add(place(head.records + 1, last), 'added');
  else if (number < head.portions) add(place(last + 1, head.records), 'cut off the end');
  else if (!link.equals(head.link)) add(place(1, head.records), 'not what was sealed');
  return read;
}

function verifyPortion(portion: Portion, here: string, add: (place: string, what: string) => void): void {
  if (!nextLink(portion.previous, portion.records).equals(portion.link)) {
    add(here, 'changed');
    return;
  }
  try {
    const count = unpackRecords(portion.records).length;
    if (count !== portion.count) add(here, `${count} in number, not ${portion.count}`);
  } catch {
    add(here, 'not to be decoded');
  }
}

/** Portions of sessions that have no head. */
function verifyNoStrangers(layout: Layout, heads: Map<string, Head | null>, mistakes: Mistake[]): void {
  let stranger: string | null = null;
  for (const [session] of layout.portions.getKeys({})) {
    if (heads.has(session) || session === stranger) continue;
    stranger = session;
    mistakes.push({ session, place: 'head', what: 'removed: there are records without it' });
  }
}

function verifyRoot(key: Buffer, layout: Layout, heads: (Head | null)[], mistakes: Mistake[]): Root | null {
  const add = (what: string): void => {
    mistakes.push({ session: null, place: 'root', what });
  };
  const bytes = layout.meta.get('root');
  if (bytes === undefined || unseal(key, 'root', bytes) === null) {
    if (bytes !== undefined) add('changed: the seal does not hold');
    else if (heads.length > 0) add('removed');
    return null;
  }
  const root = readRoot(key, bytes) ?? null;
  if (root === null) return null;
  const known = heads.filter((head) => head !== null).sort((a, b) => a.ordinal - b.ordinal);
  // A head that was changed cannot be asked for its place, and is named already.
  if (root.sessions > heads.length) {
    let ordinal = 0;
    let before = 'the beginning';
    const gaps: string[] = [];
    for (const head of known) {
      if (head.ordinal > ordinal + 1) gaps.push(`between ${before} and ${head.id}`);
      ordinal = head.ordinal;
      before = head.id;
    }
    if (root.sessions > ordinal) gaps.push(`after ${before}`);
    add(`counts ${root.sessions} sessions, of which ${root.sessions - heads.length} were removed, ${gaps.join(', ')}`);
  } else if (root.sessions < heads.length) {
    add(`counts ${root.sessions} sessions, but there are ${heads.length}`);
  } else {
    const sealed = known.reduce((sum, head) => sum + head.records, 0);
    if (known.length === heads.length && sealed !== root.records)
      add(`counts ${root.records} records, the heads ${sealed}`);
  }
  return root;
}

async function verifyJournal(dir: string, root: Root, mistakes: Mistake[]): Promise<void> {
  const journalDir = join(dir, 'journal');
  const add = (what: string): void => {
    mistakes.push({ session: null, place: 'journal', what });
  };
  for (const name of readdirSync(journalDir))
    if (name.endsWith(DAMAGED)) add(`a part could not be read and is kept as ${name}`);
  for (const segment of listSegments(journalDir)) {
    if (segment < root.segment) continue;
    const from = segment === root.segment ? root.offset : FIRST_FRAME;
    let damage = readSegment(journalDir, segment, from);
    // A running gateway may have been in the middle of an append.
    for (let again = 0; damage !== null && again < 3; again += 1) {
      await setTimeout(20);
      damage = readSegment(journalDir, segment, from);
    }
    if (damage !== null) add(`segment ${segment}: ${damage}`);
  }
}

function readSegment(journalDir: string, segment: number, from: number): string | null {
  let opened: ReturnType<typeof openForReading>;
  try {
    opened = openForReading(journalDir, segment);
  } catch (error) {
    // A running gateway has sealed and deleted it since it was listed.
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null;
    throw error;
  }
  const { fd, size, isJournal } = opened;
  try {
    if (!isJournal) return 'the file does not begin as a journal';
    let offset = from;
    while (offset < size) {
      const frames = readFrames(fd, offset, size);
      if (frames.damage !== null) return `${frames.damage}, at byte ${frames.next}`;
      offset = frames.next;
    }
    return null;
  } finally {
    closeSync(fd);
  }
}

function place(first: number, last: number): string {
  return last > first ? `records ${first}–${last}` : `record ${first}`;
}
