// Where the cells of a row stand, in the text protocol (each a length-encoded string, 0xfb for NULL) and in the binary protocol (a
// bitmap of NULLs, then values whose size their type says).
import type { Column } from '../../types.ts';
import { binarySize, lenencEnd, readLenenc } from './decode.ts';

/** How the value of a column is bounded: a number of bytes, `short` behind a byte of length, or length-encoded. */
export type CellSize = ReturnType<typeof binarySize>;

export function cellSizes(columns: readonly Column[]): CellSize[] {
  return columns.map(({ typeOid, format }) => (format === 0 ? 'lenenc' : binarySize(typeOid)));
}

/** The place of one cell's value: `from` is where it begins with its length, `start` to `end` the value itself. */
export interface Cell {
  from: number;
  start: number;
  end: number;
}

/** Finds the value at `at`; false where it does not fit before `end`. */
export function locate(cell: Cell, buffer: Buffer, at: number, end: number, size: CellSize): boolean {
  cell.from = at;
  if (typeof size === 'number') {
    cell.start = at;
    cell.end = at + size;
  } else if (size === 'short') {
    cell.start = at + 1;
    cell.end = cell.start + (buffer[at] ?? 0);
    if (at >= end) return false;
  } else {
    const first = buffer[at] ?? 0xfb;
    if (first < 0xfb) {
      cell.start = at + 1;
      cell.end = cell.start + first;
    } else {
      const length = readLenenc(buffer, at, end);
      if (length < 0) return false;
      cell.start = lenencEnd();
      cell.end = cell.start + length;
    }
  }
  return cell.end <= end;
}

/** The length that stands before a value. */
export function lengthBytes(length: number, size: CellSize): number[] {
  if (typeof size === 'number') return [];
  if (size === 'short' || length < 0xfb) return [length];
  if (length <= 0xffff) return [0xfc, length & 0xff, length >> 8];
  if (length <= 0xffffff) return [0xfd, length & 0xff, (length >> 8) & 0xff, length >> 16];
  return [0xfe, length & 0xff, (length >> 8) & 0xff, (length >> 16) & 0xff, (length >>> 24) & 0xff, 0, 0, 0, 0];
}
