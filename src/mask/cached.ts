// Answers of a mask that takes long to make them, kept for values that come again.

import type { CellMask } from '../types.ts';

const CACHED = 4096;
const LONGEST_CACHED = 256;

/** The same mask, whose answers are its own to keep and go by nothing but the cell's bytes. */
export function cached(made: (buffer: Buffer, start: number, end: number) => Buffer | null): CellMask {
  // Two generations: the old one goes when the young one is full.
  let young = new Map<string, Buffer | null>();
  let old = new Map<string, Buffer | null>();
  return (buffer, start, end) => {
    if (end - start > LONGEST_CACHED) return made(buffer, start, end);
    const cell = buffer.toString('latin1', start, end);
    let value = young.get(cell);
    if (value !== undefined) return value;
    value = old.get(cell) ?? made(buffer, start, end);
    if (young.size >= CACHED) {
      old = young;
      young = new Map();
    }
    young.set(cell, value);
    return value;
  };
}
