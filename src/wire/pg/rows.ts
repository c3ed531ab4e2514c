// Rewrites DataRow messages by a plan: Int16 number of cells, then each as Int32 length (-1 is NULL) and its bytes
// (PostgreSQL protocol, "Message Formats", DataRow).

import type { RowPlan } from '../../types.ts';
import type { Writer } from '../bytes.ts';

const DATA_ROW = 0x44;
const HEADER = 7;
const NULL_LENGTH = -1;
/** Below this many bytes a loop beats the call of a native copy. */
const SHORT = 32;

/**
 * Appends the DataRow message [start, end) of `buffer`, type byte first, to `out` with the plan's cells rewritten; what
 * lies between them is copied as it is. Answers how many cells were rewritten (NULL cells stay NULL and are not counted),
 * or -1, with nothing appended, where the message is malformed or has not as many cells as the plan.
 */
export function maskDataRow(buffer: Buffer, start: number, end: number, plan: RowPlan, out: Writer): number {
  if (end > buffer.length || start + HEADER > end || buffer[start] !== DATA_ROW) return -1;
  if (int32(buffer, start + 1) !== end - start - 1) return -1;
  if ((byte(buffer, start + 5) << 8) + byte(buffer, start + 6) !== plan.length) return -1;

  const before = out.length;
  const mark = out.begin(DATA_ROW);
  let masked = 0;
  let copied = start + HEADER - 2;
  let at = start + HEADER;
  for (let i = 0; i < plan.length; i++) {
    const cell = at + 4;
    const length = int32(buffer, at);
    if (length === NULL_LENGTH) {
      at = cell;
      continue;
    }
    const next = cell + length;
    if (length < 0 || next > end) return undo(out, before);
    const mask = plan[i];
    if (mask !== undefined) {
      copyRun(buffer, copied, at, out);
      const value = mask(buffer, cell, next);
      if (value === null) out.i32(NULL_LENGTH);
      else putValue(value, out);
      copied = next;
      masked++;
    }
    at = next;
  }
  if (at !== end) return undo(out, before);
  copyRun(buffer, copied, end, out);
  out.finish(mark);
  return masked;
}

function undo(out: Writer, length: number): -1 {
  out.truncate(length);
  return -1;
}

function copyRun(source: Buffer, from: number, to: number, out: Writer): void {
  const at = out.reserve(to - from);
  if (to - from < SHORT) copyShort(source, from, to, out.buffer, at);
  else source.copy(out.buffer, at, from, to);
}

function putValue(value: Uint8Array, out: Writer): void {
  const n = value.length;
  const at = out.reserve(4 + n);
  const target = out.buffer;
  target[at] = n >>> 24;
  target[at + 1] = n >>> 16;
  target[at + 2] = n >>> 8;
  target[at + 3] = n;
  if (n < SHORT) copyShort(value, 0, n, target, at + 4);
  else target.set(value, at + 4);
}

function copyShort(source: Uint8Array, from: number, to: number, target: Buffer, at: number): void {
  for (let i = from; i < to; i++) target[at++] = byte(source, i);
}

function byte(bytes: Uint8Array, at: number): number {
  return bytes[at] ?? 0;
}

function int32(buffer: Buffer, at: number): number {
  return (byte(buffer, at) << 24) | (byte(buffer, at + 1) << 16) | (byte(buffer, at + 2) << 8) | byte(buffer, at + 3);
}
