// Arrays, element by element: the mask of the element's type inside the array's text or binary form (array_out, array_send in
// src/backend/utils/adt/arrayfuncs.c). Dimensions, bounds and NULLs stay.

import type { CellMask } from '../types.ts';

const OPEN = 0x7b;
const CLOSE = 0x7d;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const EQUALS = 0x3d;
const COMMA = 0x2c;
const SEMICOLON = 0x3b;
const BRACKET = 0x5b;
const NULL = Buffer.from('NULL');
const BOX = 603;
const MAX_DIMENSIONS = 6;
const KEPT_BYTES = 1024 * 1024;

/**
 * The mask of an array whose elements are rewritten by `element`, made for the same format. Where nothing changes the cell is left
 * as it is; what is not an array is masked to NULL.
 */
export function arrayMask(element: CellMask, elementOid: number, format: number): CellMask {
  const delimiter = elementOid === BOX ? SEMICOLON : COMMA;
  return format === 1
    ? (buffer, start, end) => answered(binary(element, buffer, start, end))
    : (buffer, start, end) => answered(text(element, delimiter, buffer, start, end));
}

type Result = 'unchanged' | 'changed' | 'malformed';

/** The array as it will be, as far as it is written. */
let out = Buffer.allocUnsafeSlow(8192);
let length = 0;
/** An element without its escapes. */
let plain = Buffer.allocUnsafeSlow(1024);

function answered(result: Result): Uint8Array | null | undefined {
  if (result === 'malformed') return null;
  if (result === 'unchanged') return undefined;
  const answer = out.subarray(0, length);
  if (out.length > KEPT_BYTES) out = Buffer.allocUnsafeSlow(8192);
  return answer;
}

function text(element: CellMask, delimiter: number, buffer: Buffer, start: number, end: number): Result {
  length = 0;
  let copied = start;
  let at = start;
  // `[0:2]={…}`: bounds that are not 1.
  if (buffer[at] === BRACKET) while (at < end && buffer[at] !== EQUALS) at++;
  if (at > start) at++;
  if (at >= end || buffer[at] !== OPEN) return 'malformed';
  while (at < end) {
    const byte = buffer[at];
    if (byte === OPEN || byte === CLOSE || byte === delimiter) {
      at++;
      continue;
    }
    const to = byte === QUOTE ? quotedEnd(buffer, at, end) : wordEnd(buffer, at, end, delimiter);
    if (to > end) return 'malformed';
    if (byte === QUOTE || !isNull(buffer, at, to)) {
      const value = byte === QUOTE ? unquoted(element, buffer, at + 1, to - 1) : element(buffer, at, to);
      if (value !== undefined) {
        copy(buffer, copied, at);
        if (value === null) copy(NULL, 0, NULL.length);
        else write(value, delimiter);
        copied = to;
      }
    }
    at = to;
  }
  if (copied === start) return 'unchanged';
  copy(buffer, copied, end);
  return 'changed';
}

/** The end behind the closing quote; past `end` where there is none. */
function quotedEnd(buffer: Buffer, at: number, end: number): number {
  for (let to = at + 1; to < end; to++) {
    if (buffer[to] === BACKSLASH) to++;
    else if (buffer[to] === QUOTE) return to + 1;
  }
  return end + 1;
}

function wordEnd(buffer: Buffer, at: number, end: number, delimiter: number): number {
  let to = at;
  while (to < end && buffer[to] !== delimiter && buffer[to] !== CLOSE) to++;
  return to;
}

function isNull(buffer: Buffer, at: number, to: number): boolean {
  return to - at === 4 && buffer.toString('latin1', at, to).toUpperCase() === 'NULL';
}

function unquoted(element: CellMask, buffer: Buffer, start: number, end: number): Uint8Array | null | undefined {
  let escaped = false;
  for (let at = start; at < end && !escaped; at++) escaped = buffer[at] === BACKSLASH;
  if (!escaped) return element(buffer, start, end);
  if (plain.length < end - start) plain = Buffer.allocUnsafeSlow(2 * (end - start));
  let to = 0;
  for (let at = start; at < end; at++) {
    if (buffer[at] === BACKSLASH) at++;
    plain[to++] = buffer[at] ?? 0;
  }
  const value = element(plain, 0, to);
  if (plain.length > KEPT_BYTES) plain = Buffer.allocUnsafeSlow(1024);
  return value;
}

/** Writes an element, in quotes where array_out would put them. */
function write(value: Uint8Array, delimiter: number): void {
  reserve(2 * value.length + 2);
  const quotes = needsQuotes(value, delimiter);
  if (quotes) out[length++] = QUOTE;
  for (const byte of value) {
    if (byte === QUOTE || byte === BACKSLASH) out[length++] = BACKSLASH;
    out[length++] = byte;
  }
  if (quotes) out[length++] = QUOTE;
}

function needsQuotes(value: Uint8Array, delimiter: number): boolean {
  if (value.length === 0) return true;
  for (const byte of value) {
    if (byte === QUOTE || byte === BACKSLASH || byte === OPEN || byte === CLOSE || byte === delimiter) return true;
    if (byte === 0x20 || (byte >= 0x09 && byte <= 0x0d)) return true;
  }
  return value.length === 4 && Buffer.from(value).toString('latin1').toUpperCase() === 'NULL';
}

/** Number of dimensions, flags, element type; for each dimension its size and lower bound; for each element length and bytes. */
function binary(element: CellMask, buffer: Buffer, start: number, end: number): Result {
  length = 0;
  if (end - start < 12) return 'malformed';
  const dimensions = buffer.readInt32BE(start);
  let at = start + 12 + 8 * dimensions;
  if (dimensions < 0 || dimensions > MAX_DIMENSIONS || at > end) return 'malformed';
  let count = dimensions === 0 ? 0 : 1;
  for (let d = 0; d < dimensions; d++) count *= buffer.readInt32BE(start + 12 + 8 * d);
  let copied = start;
  let nulls = false;
  for (let n = 0; n < count; n++) {
    if (at + 4 > end) return 'malformed';
    const size = buffer.readInt32BE(at);
    const from = at + 4;
    if (size < -1 || from + size > end) return 'malformed';
    at = from + Math.max(size, 0);
    const value = size < 0 ? undefined : element(buffer, from, at);
    if (value === undefined) continue;
    copy(buffer, copied, from - 4);
    reserve(4);
    length = out.writeInt32BE(value === null ? -1 : value.length, length);
    if (value === null) nulls = true;
    else bytes(value);
    copied = at;
  }
  if (at !== end) return 'malformed';
  if (copied === start) return 'unchanged';
  copy(buffer, copied, end);
  if (nulls) out.writeInt32BE(1, 4);
  return 'changed';
}

function copy(source: Buffer, from: number, to: number): void {
  reserve(to - from);
  length += source.copy(out, length, from, to);
}

function bytes(value: Uint8Array): void {
  reserve(value.length);
  out.set(value, length);
  length += value.length;
}

function reserve(more: number): void {
  if (length + more <= out.length) return;
  const longer = Buffer.allocUnsafeSlow(2 * (length + more));
  out.copy(longer, 0, 0, length);
  out = longer;
}
