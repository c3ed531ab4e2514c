// The answers of the gateway's own statements (SALLYPORT …) as messages, and the statements and portals made of them: these the
// database never hears of. Source: PostgreSQL documentation, "Message Formats".

import { Writer } from '../bytes.ts';
import type { OwnRow, Word } from '../sallyport.ts';
import { Backend } from './messages.ts';

/** Type OIDs (pg_type.dat) and sizes in bytes, -1: any. */
const TEXT = { oid: 25, size: -1 } as const;
const INT4 = { oid: 23, size: 4 } as const;
const BINARY = 1;
/** More than any client has been seen to use; the oldest go first. */
const MOST = 1_000;

export interface OwnPrepared {
  readonly word: Word;
  readonly text: string;
}

export interface OwnPortal extends OwnPrepared {
  readonly resultFormats: readonly number[];
  /** Its row has been sent. */
  done: boolean;
}

/** By name, as decode.ts has names. What a client makes under a name later, of whichever kind, takes the place of what was there. */
export class OwnNames {
  readonly #statements = new Map<string, OwnPrepared>();
  readonly #portals = new Map<string, OwnPortal>();

  statement(name: string): OwnPrepared | undefined {
    return this.#statements.size === 0 ? undefined : this.#statements.get(name);
  }

  portal(name: string): OwnPortal | undefined {
    return this.#portals.size === 0 ? undefined : this.#portals.get(name);
  }

  /** The name stands for this now, or (undefined) for something of the database's. */
  setStatement(name: string, prepared?: OwnPrepared): void {
    set(this.#statements, name, prepared);
  }

  setPortal(name: string, portal?: OwnPortal): void {
    set(this.#portals, name, portal);
  }
}

function set<T>(names: Map<string, T>, name: string, value: T | undefined): void {
  if (names.size > 0) names.delete(name);
  if (value === undefined) return;
  names.set(name, value);
  const [oldest] = names.keys();
  if (names.size > MOST && oldest !== undefined) names.delete(oldest);
}

/** `formats` as in Bind: none is text for all, one is for all, else one each. */
export function rowDescription(row: OwnRow, formats: readonly number[]): Buffer {
  const writer = new Writer(256);
  const mark = writer.begin(Backend.rowDescription);
  writer.i16(row.length);
  for (const [i, { name, value }] of row.entries()) {
    const { oid, size } = typeof value === 'number' ? INT4 : TEXT;
    writer.cstring(name).i32(0).i16(0).i32(oid).i16(size).i32(-1).i16(formatOf(formats, i));
  }
  return writer.finish(mark).take();
}

export function dataRow(row: OwnRow, formats: readonly number[]): Buffer {
  const writer = new Writer(512);
  const mark = writer.begin(Backend.dataRow);
  writer.i16(row.length);
  for (const [i, { value }] of row.entries()) {
    if (typeof value === 'number' && formatOf(formats, i) === BINARY) {
      writer.i32(INT4.size).i32(value);
    } else {
      const bytes = Buffer.from(String(value));
      writer.i32(bytes.length).bytes(bytes);
    }
  }
  return writer.finish(mark).take();
}

/** No parameters. */
export function parameterDescription(): Buffer {
  const writer = new Writer(16);
  const mark = writer.begin(Backend.parameterDescription);
  return writer.i16(0).finish(mark).take();
}

/** Drivers take the number of rows from the tag of a SELECT. */
export function commandComplete(rows: number): Buffer {
  const writer = new Writer(32);
  const mark = writer.begin(Backend.commandComplete);
  return writer.cstring(`SELECT ${rows}`).finish(mark).take();
}

export const parseComplete = (): Buffer => Buffer.from([Backend.parseComplete, 0, 0, 0, 4]);

export const bindComplete = (): Buffer => Buffer.from([Backend.bindComplete, 0, 0, 0, 4]);

function formatOf(formats: readonly number[], i: number): number {
  return (formats.length === 1 ? formats[0] : formats[i]) ?? 0;
}
