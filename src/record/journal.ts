// The journal: segment files that the loop appends one frame a turn to, and that the sealer reads behind it.
//
// A segment `<12 digits>.journal` is
//   [8 bytes "SPJRNL1\n"] frame …
//   frame = [u32 LE length of the payload][u32 LE CRC-32 of the payload][payload: entries, see format.ts]
//
// A length is never 0. What stands behind the first frame that is cut short or does not match its checksum is not read:
// such a frame was never acknowledged by an append, or the disk lost it.

import {
  closeSync,
  existsSync,
  fdatasyncSync,
  fstatSync,
  fsyncSync,
  ftruncateSync,
  openSync,
  readdirSync,
  readSync,
  unlinkSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { FRAME_HEADER } from './pending.ts';

const MAGIC = Buffer.from('SPJRNL1\n', 'latin1');
const SUFFIX = '.journal';

/** Behind a segment's name: a part of it could not be read at an opening. */
export const DAMAGED = '.damaged';

/** Where a segment's first frame begins. */
export const FIRST_FRAME = MAGIC.length;

/** What one read of frames asks of memory, as long as no single frame is larger. */
const READ_BYTES = 4 << 20;

export interface Segment {
  readonly number: number;
  /** Bytes that were appended whole: what may be read. */
  readonly end: number;
  /** Writes one frame. `buffer` has FRAME_HEADER bytes of room and then `size` bytes. Throws the system's error; then nothing counts. */
  append(buffer: Buffer, size: number): void;
  close(): void;
  /** Closes it and takes the file away, for one that never got a whole frame. */
  discard(): void;
}

export function segmentPath(dir: string, number: number): string {
  return join(dir, `${String(number).padStart(12, '0')}${SUFFIX}`);
}

/** Numbers of the segments in a directory, ascending. */
export function listSegments(dir: string): number[] {
  if (!existsSync(dir)) return [];
  return readdirSync(dir)
    .filter((name) => /^\d{12}\.journal$/.test(name))
    .map((name) => Number(name.slice(0, 12)))
    .sort((a, b) => a - b);
}

/** Opens a new segment; `durable` makes every append wait for the disk. Throws the system's error, and leaves no file then. */
export function createSegment(dir: string, number: number, durable: boolean): Segment {
  const path = segmentPath(dir, number);
  const fd = openSync(path, 'wx', 0o600);
  let end = FIRST_FRAME;
  try {
    writeWhole(fd, MAGIC, MAGIC.length, 0);
    if (durable) {
      fsyncSync(fd);
      syncDirectory(dir);
    }
  } catch (error) {
    closeSync(fd);
    unlinkSync(path);
    throw error;
  }
  return {
    number,
    get end() {
      return end;
    },
    append(buffer, size): void {
      buffer.writeUInt32LE(size, 0);
      buffer.writeUInt32LE(crc32(buffer.subarray(FRAME_HEADER, FRAME_HEADER + size)), 4);
      try {
        writeWhole(fd, buffer, FRAME_HEADER + size, end);
        if (durable) fdatasyncSync(fd);
      } catch (error) {
        // A frame that was not acknowledged must not be read later. Where even that fails, `end` still excludes it.
        try {
          ftruncateSync(fd, end);
        } catch {}
        throw error;
      }
      end += FRAME_HEADER + size;
    },
    close: () => closeSync(fd),
    discard(): void {
      closeSync(fd);
      unlinkSync(path);
    },
  };
}

// A write may be shorter than asked for (a disk nearly full, a signal); what follows then tells the reason.
function writeWhole(fd: number, bytes: Buffer, length: number, position: number): void {
  let written = writeSync(fd, bytes, 0, length, position);
  while (written < length) {
    const more = writeSync(fd, bytes, written, length - written, position + written);
    if (more === 0) throw new Error('the disk takes no more bytes');
    written += more;
  }
}

export function syncDirectory(dir: string): void {
  const fd = openSync(dir, 'r');
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

export interface Frames {
  /** Payloads, views of one buffer. */
  readonly payloads: readonly Buffer[];
  /** Offset behind the last of them. */
  readonly next: number;
  /** Why reading stopped before `end`, or null: there is more, or all is read. */
  readonly damage: string | null;
}

/** Reads whole frames from `offset`, a few megabytes at a time, never beyond `end`. Throws the system's error. */
export function readFrames(fd: number, offset: number, end: number): Frames {
  let size = Math.min(READ_BYTES, end - offset);
  const head = Buffer.alloc(FRAME_HEADER);
  if (offset + FRAME_HEADER <= end && readSync(fd, head, 0, FRAME_HEADER, offset) === FRAME_HEADER) {
    // One frame may be larger than a usual read; its length is believed no further than the file goes.
    size = Math.min(Math.max(size, FRAME_HEADER + head.readUInt32LE(0)), end - offset);
  }
  const chunk = Buffer.allocUnsafeSlow(size);
  let filled = 0;
  while (filled < size) {
    const got = readSync(fd, chunk, filled, size - filled, offset + filled);
    if (got === 0) break;
    filled += got;
  }
  const payloads: Buffer[] = [];
  const atEnd = offset + filled === end || filled < size;
  let at = 0;
  let damage: string | null = null;
  while (at < filled) {
    const length = at + FRAME_HEADER <= filled ? chunk.readUInt32LE(at) : -1;
    if (length < 0 || at + FRAME_HEADER + length > filled) {
      if (atEnd) damage = 'a frame is cut short';
      break;
    }
    const payload = chunk.subarray(at + FRAME_HEADER, at + FRAME_HEADER + length);
    if (length === 0 || crc32(payload) !== chunk.readUInt32LE(at + 4)) {
      damage = 'a frame does not match its checksum';
      break;
    }
    payloads.push(payload);
    at += FRAME_HEADER + length;
  }
  if (filled < size && damage === null) damage = 'the segment is shorter than what was written';
  return { payloads, next: offset + at, damage };
}

/** Opens a segment for reading. One that is shorter than its head, as a crash at its making leaves it, is an empty journal. */
export function openForReading(dir: string, number: number): { fd: number; size: number; isJournal: boolean } {
  const fd = openSync(segmentPath(dir, number), 'r');
  const head = Buffer.alloc(MAGIC.length);
  const got = readSync(fd, head, 0, MAGIC.length, 0);
  return { fd, size: fstatSync(fd).size, isJournal: got < MAGIC.length || head.equals(MAGIC) };
}
