// Decoders of PostgreSQL messages: each reads the body (what follows type and length) between two offsets of a buffer and
// answers a value, or null where the bytes are not that message to the last one. None of them throws.
// Source: PostgreSQL documentation, "Frontend/Backend Protocol", sections 54.7 and 54.8. Integers are big-endian.

import type { Column, Parameter } from '../../types.ts';

/**
 * Longest name of a statement or portal, in bytes. The server compares that many (NAMEDATALEN): two longer ones may be one
 * name there, and be kept as two here.
 */
export const NAME_MAX = 63;

/** Longest name of a column; databases that are not PostgreSQL itself may have longer ones than it. */
const COLUMN_NAME_MAX = 1024;

/** Offset of the NUL that ends the string at `start`, or -1 where there is none before `end`. */
export function cstringEnd(buffer: Buffer, start: number, end: number): number {
  const at = buffer.indexOf(0, start);
  return at === -1 || at >= end ? -1 : at;
}

/** The UTF-8 string at `start`, up to its NUL. */
export function cstring(buffer: Buffer, start: number, end: number): string | null {
  const at = cstringEnd(buffer, start, end);
  return at === -1 ? null : buffer.toString('utf8', start, at);
}

/** Offset of the NUL behind a name, or -1; a loop, because names are short and `indexOf` is not free to call. */
function nameEnd(buffer: Buffer, start: number, end: number, max = NAME_MAX): number {
  const limit = Math.min(end, start + max + 1);
  for (let i = start; i < limit; i++) if (buffer[i] === 0) return i;
  return -1;
}

/** Names are bytes to the server, compared as such: latin1 keeps every byte apart, whatever encoding they were meant in. */
function nameText(buffer: Buffer, start: number, end: number): string {
  return start === end ? '' : buffer.toString('latin1', start, end);
}

// --- What clients send ---------------------------------------------------------------------------------------------

/** Where the SQL text of a Query or Parse stands in the buffer, without its NUL. */
export interface Text {
  readonly textStart: number;
  readonly textEnd: number;
}

export function decodeQuery(buffer: Buffer, start: number, end: number): Text | null {
  const textEnd = cstringEnd(buffer, start, end);
  return textEnd === -1 || textEnd + 1 !== end ? null : { textStart: start, textEnd };
}

export interface Parse extends Text {
  readonly name: string;
  readonly parameterTypes: number[];
}

export function decodeParse(buffer: Buffer, start: number, end: number): Parse | null {
  const endOfName = nameEnd(buffer, start, end);
  if (endOfName === -1) return null;
  const textStart = endOfName + 1;
  const textEnd = cstringEnd(buffer, textStart, end);
  if (textEnd === -1) return null;
  const types = readCounted(buffer, textEnd + 1, end, 4);
  if (types === null || types.next !== end) return null;
  return { name: nameText(buffer, start, endOfName), textStart, textEnd, parameterTypes: types.values };
}

export interface Bind {
  readonly portal: string;
  readonly statement: string;
  /** One format each, whatever way they were given; `bytes` are views of the buffer; types are 0, only Parse knows them. */
  readonly parameters: Parameter[];
  /** As sent: none is text for all, one is for all, else one a column. */
  readonly resultFormats: number[];
}

export function decodeBind(buffer: Buffer, start: number, end: number): Bind | null {
  const endOfPortal = nameEnd(buffer, start, end);
  if (endOfPortal === -1) return null;
  const endOfStatement = nameEnd(buffer, endOfPortal + 1, end);
  if (endOfStatement === -1) return null;
  const formats = readCounted(buffer, endOfStatement + 1, end, 2);
  if (formats === null || !formats.values.every(isFormat)) return null;

  let at = formats.next;
  if (at + 2 > end) return null;
  const count = buffer.readUInt16BE(at);
  at += 2;
  if (formats.values.length > 1 && formats.values.length !== count) return null;
  if (count * 4 > end - at) return null;
  const parameters: Parameter[] = [];
  for (let i = 0; i < count; i++) {
    if (at + 4 > end) return null;
    const length = buffer.readInt32BE(at);
    at += 4;
    if (length < -1 || length > end - at) return null;
    const format = (formats.values.length === 1 ? formats.values[0] : formats.values[i]) ?? 0;
    parameters.push({ typeOid: 0, format, bytes: length === -1 ? null : buffer.subarray(at, at + length) });
    if (length > 0) at += length;
  }

  const results = readCounted(buffer, at, end, 2);
  if (results === null || results.next !== end || !results.values.every(isFormat)) return null;
  return {
    portal: nameText(buffer, start, endOfPortal),
    statement: nameText(buffer, endOfPortal + 1, endOfStatement),
    parameters,
    resultFormats: results.values,
  };
}

/** What Describe and Close point at: a statement or a portal. */
export interface Target {
  readonly kind: 'S' | 'P';
  readonly name: string;
}

function decodeTarget(buffer: Buffer, start: number, end: number): Target | null {
  if (start >= end) return null;
  const kind = buffer[start];
  if (kind !== 0x53 && kind !== 0x50) return null;
  const endOfName = nameEnd(buffer, start + 1, end);
  if (endOfName === -1 || endOfName + 1 !== end) return null;
  return { kind: kind === 0x53 ? 'S' : 'P', name: nameText(buffer, start + 1, endOfName) };
}

export const decodeDescribe = decodeTarget;
export const decodeClose = decodeTarget;

export interface Execute {
  readonly portal: string;
  /** 0 or less: all rows. */
  readonly maxRows: number;
}

export function decodeExecute(buffer: Buffer, start: number, end: number): Execute | null {
  const endOfName = nameEnd(buffer, start, end);
  if (endOfName === -1 || endOfName + 5 !== end) return null;
  return { portal: nameText(buffer, start, endOfName), maxRows: buffer.readInt32BE(endOfName + 1) };
}

// --- What databases send -------------------------------------------------------------------------------------------

export function decodeRowDescription(buffer: Buffer, start: number, end: number): Column[] | null {
  if (start + 2 > end) return null;
  const count = buffer.readUInt16BE(start);
  let at = start + 2;
  const columns: Column[] = [];
  for (let i = 0; i < count; i++) {
    const endOfName = nameEnd(buffer, at, end, COLUMN_NAME_MAX);
    if (endOfName === -1 || endOfName + 19 > end) return null;
    const rest = endOfName + 1;
    columns.push({
      name: buffer.toString('utf8', at, endOfName),
      tableOid: buffer.readUInt32BE(rest),
      attribute: buffer.readInt16BE(rest + 4),
      typeOid: buffer.readUInt32BE(rest + 6),
      typeModifier: buffer.readInt32BE(rest + 12),
      format: buffer.readInt16BE(rest + 16),
    });
    at = rest + 18;
  }
  return at === end ? columns : null;
}

/**
 * A copy of a whole RowDescription message with the formats that Bind has chosen: a statement's description says text for all
 * of them. The message must be one that `decodeRowDescription` has read.
 */
export function withResultFormats(message: Buffer, formats: readonly number[]): Buffer {
  const copy = Buffer.from(message);
  const count = copy.readUInt16BE(5);
  let at = 7;
  for (let i = 0; i < count; i++) {
    at = copy.indexOf(0, at) + 19;
    copy.writeInt16BE((formats.length === 1 ? formats[0] : formats[i]) ?? 0, at - 2);
  }
  return copy;
}

/** Type OIDs of a statement's parameters. */
export function decodeParameterDescription(buffer: Buffer, start: number, end: number): number[] | null {
  const types = readCounted(buffer, start, end, 4);
  return types === null || types.next !== end ? null : types.values;
}

/** The command tag, such as `SELECT 5`. */
export function decodeCommandComplete(buffer: Buffer, start: number, end: number): string | null {
  const at = cstringEnd(buffer, start, end);
  return at === -1 || at + 1 !== end ? null : buffer.toString('utf8', start, at);
}

/** The transaction status byte. */
export function decodeReadyForQuery(buffer: Buffer, start: number, end: number): number | null {
  const status = buffer[start];
  if (start + 1 !== end || (status !== 0x49 && status !== 0x54 && status !== 0x45)) return null;
  return status;
}

/**
 * ErrorResponse and NoticeResponse: text by field letter, such as `C` the SQLSTATE, `M` the message, `D` the detail. None of
 * them need be there (a hostile database can leave out even the SQLSTATE).
 */
export function decodeError(buffer: Buffer, start: number, end: number): Map<string, string> | null {
  const found = new Map<string, string>();
  let at = start;
  while (at < end) {
    const letter = buffer[at];
    if (letter === 0) return at + 1 === end ? found : null;
    const endOfText = cstringEnd(buffer, at + 1, end);
    if (endOfText === -1) return null;
    found.set(String.fromCharCode(letter ?? 0), buffer.toString('utf8', at + 1, endOfText));
    at = endOfText + 1;
  }
  return null;
}

export function decodeParameterStatus(
  buffer: Buffer,
  start: number,
  end: number,
): { name: string; value: string } | null {
  const endOfName = cstringEnd(buffer, start, end);
  if (endOfName === -1) return null;
  const endOfValue = cstringEnd(buffer, endOfName + 1, end);
  if (endOfValue === -1 || endOfValue + 1 !== end) return null;
  return {
    name: buffer.toString('utf8', start, endOfName),
    value: buffer.toString('utf8', endOfName + 1, endOfValue),
  };
}

/** `secret` is a copy, 4 to 256 bytes. */
export function decodeBackendKeyData(
  buffer: Buffer,
  start: number,
  end: number,
): { pid: number; secret: Buffer } | null {
  const length = end - start - 4;
  if (length < 4 || length > 256) return null;
  return { pid: buffer.readInt32BE(start), secret: Buffer.from(buffer.subarray(start + 4, end)) };
}

export interface Notification {
  readonly pid: number;
  readonly channel: string;
  readonly payload: string;
}

export function decodeNotification(buffer: Buffer, start: number, end: number): Notification | null {
  if (start + 4 > end) return null;
  const endOfChannel = cstringEnd(buffer, start + 4, end);
  if (endOfChannel === -1) return null;
  const endOfPayload = cstringEnd(buffer, endOfChannel + 1, end);
  if (endOfPayload === -1 || endOfPayload + 1 !== end) return null;
  return {
    pid: buffer.readInt32BE(start),
    channel: buffer.toString('utf8', start + 4, endOfChannel),
    payload: buffer.toString('utf8', endOfChannel + 1, endOfPayload),
  };
}

export interface CopyResponse {
  /** 0 text (or CSV), 1 binary. */
  readonly overallFormat: number;
  /** One a column. */
  readonly formats: number[];
}

/** CopyInResponse, CopyOutResponse and CopyBothResponse. */
export function decodeCopyResponse(buffer: Buffer, start: number, end: number): CopyResponse | null {
  const overallFormat = buffer[start];
  if (start >= end || overallFormat === undefined || !isFormat(overallFormat)) return null;
  const formats = readCounted(buffer, start + 1, end, 2);
  if (formats === null || formats.next !== end || !formats.values.every(isFormat)) return null;
  return { overallFormat, formats: formats.values };
}

const isFormat = (format: number): boolean => format === 0 || format === 1;

/** A 16-bit count and as many unsigned numbers of 2 or 4 bytes. */
function readCounted(
  buffer: Buffer,
  start: number,
  end: number,
  width: 2 | 4,
): { values: number[]; next: number } | null {
  if (start + 2 > end) return null;
  const count = buffer.readUInt16BE(start);
  const next = start + 2 + count * width;
  if (next > end) return null;
  const values: number[] = [];
  for (let at = start + 2; at < next; at += width) {
    values.push(width === 2 ? buffer.readUInt16BE(at) : buffer.readUInt32BE(at));
  }
  return { values, next };
}
