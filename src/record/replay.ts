// A session as it happened: its records in the order of time, and its kept results and parameters as people read them.
//
// A kept result is the beginning of what the client was sent, as PostgreSQL's messages (protocol, "Message Formats"):
// [type][int32 BE length, itself included][body]. It may end anywhere.

import type { Outcome, Parameter } from '../types.ts';
import { decodeCell, guess } from './cells.ts';
import type { EndRecord, SessionRecord, StartRecord, StatementRecord } from './format.ts';

export interface DecodedResult {
  /** Empty where the result was not described: its cells are then shown as text where they are text. */
  readonly columns: readonly string[];
  /** Null is SQL NULL. Of a COPY one cell a CopyData message, without its line's end. */
  readonly rows: readonly (readonly (string | null)[])[];
}

interface Field {
  readonly typeOid: number;
  readonly format: number;
}

interface OpenResult {
  readonly columns: string[];
  readonly fields: Field[];
  readonly rows: (string | null)[][];
  readonly copy: boolean;
}

/** Decodes the results kept of one statement or text. What is cut short at the end is left out; never throws. */
export function decodeResult(result: Uint8Array): DecodedResult[] {
  const bytes = Buffer.from(result.buffer, result.byteOffset, result.length);
  const results: OpenResult[] = [];
  let open: OpenResult | null = null;
  for (let at = 0; at + 5 <= bytes.length; ) {
    const length = bytes.readInt32BE(at + 1);
    if (length < 4 || at + 1 + length > bytes.length) break;
    const body = bytes.subarray(at + 5, at + 1 + length);
    switch (bytes[at]) {
      case 0x54: // RowDescription
        open = described(body);
        results.push(open);
        break;
      case 0x44: // DataRow
        if (open === null || open.copy) {
          open = { columns: [], fields: [], rows: [], copy: false };
          results.push(open);
        }
        open.rows.push(row(body, open.fields));
        break;
      case 0x64: // CopyData
        if (open === null || !open.copy) {
          open = { columns: ['copy'], fields: [], rows: [], copy: true };
          results.push(open);
        }
        open.rows.push([guess(body.at(-1) === 0x0a ? body.subarray(0, -1) : body)]);
        break;
      case 0x43: // CommandComplete: what follows is another result
      case 0x73: // PortalSuspended
        open = null;
        break;
    }
    at += 1 + length;
  }
  return results.map(({ columns, rows }) => ({ columns, rows }));
}

// RowDescription: int16 count, then name\0, int32 table, int16 attribute, int32 type, int16 size, int32 modifier, int16 format.
function described(body: Buffer): OpenResult {
  const columns: string[] = [];
  const fields: Field[] = [];
  let at = 2;
  for (let left = body.length < 2 ? 0 : body.readUInt16BE(0); left > 0; left -= 1) {
    const end = body.indexOf(0, at);
    if (end < 0 || end + 19 > body.length) break;
    columns.push(body.toString('utf8', at, end));
    fields.push({ typeOid: body.readUInt32BE(end + 7), format: body.readUInt16BE(end + 17) });
    at = end + 19;
  }
  return { columns, fields, rows: [], copy: false };
}

// DataRow: int16 count, then int32 length (-1: NULL) and the bytes of each cell.
function row(body: Buffer, fields: readonly Field[]): (string | null)[] {
  const cells: (string | null)[] = [];
  let at = 2;
  for (let left = body.length < 2 ? 0 : body.readUInt16BE(0); left > 0 && at + 4 <= body.length; left -= 1) {
    const size = body.readInt32BE(at);
    at += 4;
    if (size < 0) {
      cells.push(null);
      continue;
    }
    const bytes = body.subarray(at, at + size);
    const field = fields[cells.length];
    cells.push(field === undefined ? guess(bytes) : decodeCell(bytes, field.typeOid, field.format));
    at += size;
  }
  return cells;
}

/** A bound value as people read it; null is SQL NULL. */
export function decodeParameter(parameter: Parameter): string | null {
  return decodeCell(parameter.bytes, parameter.typeOid, parameter.format);
}

/** One moment of a session. `wait` is milliseconds since the moment before, never negative. */
export type Moment = { readonly at: number; readonly wait: number } & (
  | { readonly type: 'start'; readonly record: StartRecord }
  | { readonly type: 'statement'; readonly record: StatementRecord }
  | { readonly type: 'outcome'; readonly n: number; readonly outcome: Outcome }
  | { readonly type: 'end'; readonly record: EndRecord }
);

type Unspaced = Moment extends infer M ? (M extends Moment ? Omit<M, 'wait'> : never) : never;

/** What happened, in the order it happened: a statement when it was judged, its outcome when it ended. */
export function timeline(records: Iterable<SessionRecord>): Moment[] {
  const moments: Unspaced[] = [];
  for (const record of records) {
    const { at } = record;
    switch (record.type) {
      case 'start':
        moments.push({ type: 'start', at, record });
        break;
      case 'statement':
        moments.push({ type: 'statement', at, record });
        if (record.outcome !== null) {
          moments.push({ type: 'outcome', at: record.outcome.at, n: record.n, outcome: record.outcome });
        }
        break;
      case 'outcome':
        moments.push({ type: 'outcome', at, n: record.n, outcome: record.outcome });
        break;
      case 'end':
        moments.push({ type: 'end', at, record });
        break;
    }
  }
  // The sort is stable: what happened in the same millisecond keeps the record's order.
  moments.sort((a, b) => a.at - b.at);
  let before = moments[0]?.at ?? 0;
  return moments.map((moment) => {
    const wait = moment.at - before;
    before = moment.at;
    return { ...moment, wait };
  });
}
