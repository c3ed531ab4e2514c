// Kept results of MySQL and MariaDB: the beginning of what the client was sent, as packets (MySQL "Client/Server Protocol"):
// [u24 LE length][sequence id][payload]; a packet of 16 MiB − 1 is continued by the next. It may end anywhere.
//
// A result is the number of its columns, their definitions, an EOF where the client has not agreed to do without, rows, and OK or EOF;
// a statement without rows has an OK in its place. Rows of the text and of the binary protocol cannot be told apart.

import { hex } from './cells.ts';
import { binaryLength, decodeMysqlCell, type MysqlField } from './mysql-cells.ts';

export interface MysqlResult {
  readonly columns: readonly string[];
  /** What the columns' definitions say; empty where the rows came without them. */
  readonly fields: readonly MysqlField[];
  /** Null is SQL NULL. */
  readonly rows: readonly (readonly (string | null)[])[];
}

interface OpenResult {
  readonly columns: string[];
  readonly fields: MysqlField[];
  readonly rows: (string | null)[][];
  /** Definitions that are still to come. */
  left: number;
  /** Behind them there was an EOF or a row. */
  begun: boolean;
}

const HEADER = 4;
const MAX_PACKET = 0xffffff;
const OK = 0x00;
const NULL_CELL = 0xfb;
const EOF = 0xfe;
const ERR = 0xff;
/** An EOF with warnings and status; the OK that may stand in its place has seven bytes at least. */
const EOF_LENGTH = 5;
const MOST_COLUMNS = 4096;

/** Decodes the results kept of one command; `binary`: in the binary protocol. What is cut short at the end is left out; never throws. */
export function decodeMysqlResults(result: Uint8Array, binary: boolean): MysqlResult[] {
  const results: OpenResult[] = [];
  let open: OpenResult | null = null;
  for (const payload of payloads(result)) {
    const first = payload[0];
    if (first === undefined || first === ERR) {
      open = null;
    } else if (open === null) {
      if (first === OK) continue;
      const left = lenenc(payload, 0);
      if (left < 1 || left > MOST_COLUMNS) break;
      open = { columns: [], fields: [], rows: [], left, begun: false };
      results.push(open);
    } else if (open.left > 0) {
      if (!define(open, payload)) break;
    } else if (endsRows(payload)) {
      // Rows follow the EOF behind the definitions; where a cursor holds them, nothing does.
      if (!open.begun && payload.length === EOF_LENGTH) open.begun = true;
      else open = null;
    } else {
      const cells = binary ? binaryRow(payload, open.fields) : textRow(payload, open.fields);
      if (cells === null) break;
      open.begun = true;
      open.rows.push(cells);
    }
  }
  return results;
}

/** Decodes rows that were fetched from a cursor: they come without a description, `cursor` is that of the statement that opened it. */
export function decodeFetched(result: Uint8Array, cursor: MysqlResult | undefined): MysqlResult {
  const { columns, fields } = cursor ?? { columns: [], fields: [] };
  const rows: (string | null)[][] = [];
  for (const payload of payloads(result)) {
    if (endsRows(payload)) break;
    const cells = fields.length === 0 ? [hex(payload)] : binaryRow(payload, fields);
    if (cells === null) break;
    rows.push(cells);
  }
  return { columns, fields, rows };
}

/** Whole payloads, continued ones joined. */
function* payloads(result: Uint8Array): Generator<Buffer> {
  const bytes = Buffer.from(result.buffer, result.byteOffset, result.length);
  let parts: Buffer[] = [];
  for (let at = 0; at + HEADER <= bytes.length; ) {
    const length = bytes.readUIntLE(at, 3);
    const end = at + HEADER + length;
    if (end > bytes.length) return;
    parts.push(bytes.subarray(at + HEADER, end));
    at = end;
    if (length === MAX_PACKET) continue;
    yield parts.length === 1 ? (parts[0] as Buffer) : Buffer.concat(parts);
    parts = [];
  }
}

function endsRows(payload: Buffer): boolean {
  return payload[0] === EOF && payload.length < MAX_PACKET;
}

/** ColumnDefinition41: catalog, schema, table, original table, name, original name; then 12 bytes, behind their length. */
function define(open: OpenResult, payload: Buffer): boolean {
  let at = 0;
  let name = '';
  for (let part = 0; part < 6; part++) {
    const length = lenenc(payload, at);
    if (length < 0 || after + length > payload.length) return false;
    at = after + length;
    if (part === 4) name = payload.toString('utf8', after, at);
  }
  at++;
  if (at + 10 > payload.length) return false;
  open.columns.push(name);
  open.fields.push({
    charset: payload.readUInt16LE(at),
    length: payload.readUInt32LE(at + 2),
    type: payload[at + 6] ?? 0,
    flags: payload.readUInt16LE(at + 7),
    decimals: payload[at + 9] ?? 0,
  });
  open.left--;
  return true;
}

/** A length-encoded string each, 0xfb for NULL; null where the row is malformed. */
function textRow(payload: Buffer, fields: readonly MysqlField[]): (string | null)[] | null {
  const cells: (string | null)[] = [];
  let at = 0;
  for (const field of fields) {
    if (payload[at] === NULL_CELL) {
      cells.push(null);
      at++;
      continue;
    }
    const length = lenenc(payload, at);
    if (length < 0 || after + length > payload.length) return null;
    at = after + length;
    cells.push(decodeMysqlCell(payload.subarray(after, at), field, 0));
  }
  return cells;
}

/** A zero, a bitmap of NULLs that begins with two unused bits, and the values that are not NULL; null where the row is malformed. */
function binaryRow(payload: Buffer, fields: readonly MysqlField[]): (string | null)[] | null {
  const cells: (string | null)[] = [];
  let at = 1 + ((fields.length + 9) >> 3);
  for (const [i, field] of fields.entries()) {
    if (((payload[1 + ((i + 2) >> 3)] ?? 0) & (1 << ((i + 2) & 7))) !== 0) {
      cells.push(null);
      continue;
    }
    const size = binaryLength(field.type);
    if (size === 'short' && at >= payload.length) return null;
    const length = size === 'lenenc' ? lenenc(payload, at) : size === 'short' ? (payload[at++] ?? 0) : size;
    const start = size === 'lenenc' ? after : at;
    if (length < 0 || start + length > payload.length) return null;
    at = start + length;
    cells.push(decodeMysqlCell(payload.subarray(start, at), field, 1));
  }
  return cells;
}

/** Where the last length-encoded integer ended. */
let after = 0;

/** A length-encoded integer; -1 where there is none. */
function lenenc(payload: Buffer, at: number): number {
  const first = payload[at];
  const size = first === 0xfc ? 2 : first === 0xfd ? 3 : first === 0xfe ? 8 : 0;
  after = at + 1 + size;
  if (first === undefined || first === NULL_CELL || first === ERR || after > payload.length) return -1;
  if (size === 0) return first;
  return size === 8 ? Number(payload.readBigUInt64LE(at + 1)) : payload.readUIntLE(at + 1, size);
}
