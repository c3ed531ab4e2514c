// The partial mask: keeps the first and last characters of a text in UTF-8, and puts a star for each one between.

import type { CellMask } from '../types.ts';
import { scratchOf } from './scratch.ts';

const STAR = 0x2a;
const SPACE = 0x20;
/** With fewer characters hidden than this, what is kept would give the value away: everything is starred. */
export const LEAST_HIDDEN = 3;

/**
 * The number of stars is the number of characters hidden, so a value's length stays visible. A value with no more than
 * `keepStart + keepEnd + 2` characters is starred whole. `padded` (character(n)): trailing spaces are padding and stay.
 * Bytes that are not UTF-8 count as a character each.
 */
export function partialMask(keepStart: number, keepEnd: number, padded: boolean): CellMask {
  return (buffer, start, end) => {
    const last = padded ? paddingStart(buffer, start, end) : end;
    if (isAscii(buffer, start, last)) {
      const all = last - start;
      const few = all - keepStart - keepEnd < LEAST_HIDDEN;
      const from = few ? start : start + keepStart;
      const to = few ? last : last - keepEnd;
      return starred(buffer, start, from, to - from, to, last, end);
    }
    let count = 0;
    let headEnd = keepStart === 0 ? start : last;
    for (let at = start; at < last; ) {
      at = next(buffer, at, last);
      if (++count === keepStart) headEnd = at;
    }

    const hidden = count - keepStart - keepEnd;
    if (hidden < LEAST_HIDDEN) return starred(buffer, start, start, count, last, last, end);
    let tailStart = last;
    if (keepEnd > 0) {
      tailStart = headEnd;
      for (let n = 0; n < hidden; n++) tailStart = next(buffer, tailStart, last);
    }
    return starred(buffer, start, headEnd, hidden, tailStart, last, end);
  };
}

/** The bytes [start, headEnd), `stars` stars, the bytes [tailStart, tailEnd), and spaces for [tailEnd, end). */
function starred(
  buffer: Buffer,
  start: number,
  headEnd: number,
  stars: number,
  tailStart: number,
  tailEnd: number,
  end: number,
): Uint8Array {
  const length = headEnd - start + stars + (end - tailStart);
  const target = scratchOf(length);
  let to = 0;
  for (let at = start; at < headEnd; at++) target[to++] = buffer[at] ?? STAR;
  for (let n = 0; n < stars; n++) target[to++] = STAR;
  for (let at = tailStart; at < tailEnd; at++) target[to++] = buffer[at] ?? STAR;
  for (let at = tailEnd; at < end; at++) target[to++] = SPACE;
  return target;
}

function isAscii(buffer: Buffer, start: number, end: number): boolean {
  let bits = 0;
  for (let at = start; at < end; at++) bits |= buffer[at] ?? 0;
  return bits < 0x80;
}

function paddingStart(buffer: Buffer, start: number, end: number): number {
  let at = end;
  while (at > start && buffer[at - 1] === SPACE) at--;
  return at;
}

/** The end of the character at `at` (RFC 3629); one byte where no whole character stands there. */
function next(buffer: Buffer, at: number, end: number): number {
  const lead = buffer[at] ?? 0;
  if (lead < 0xc2) return at + 1;
  const length = lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : lead < 0xf5 ? 4 : 1;
  if (at + length > end) return at + 1;
  for (let i = 1; i < length; i++) if (((buffer[at + i] ?? 0) & 0xc0) !== 0x80) return at + 1;
  return at + length;
}
