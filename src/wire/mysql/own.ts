// The answers of the gateway's own statements (SALLYPORT …) as packets, and those that are prepared: the database never hears of
// them. Source: MySQL "Client/Server Protocol", Text and Binary Resultset, COM_STMT_PREPARE Response.

import type { OwnColumn, OwnRow, Word } from '../sallyport.ts';
import { packets } from './frame.ts';
import { lenenc, lenencBytes, Reply, Status, Type, UTF8MB4_GENERAL_CI, u16, u32 } from './messages.ts';

/** Ids of databases count from 1 in each session. */
const FIRST_ID = 0xf000_0000;
/** More than any client has been seen to use; the oldest go first. */
const MOST = 1_000;
/** Characters of a number and of a text, as clients are told for their display. */
const WIDTHS = { number: 11, string: 1024 } as const;
const BINARY_CHARSET = 63;
const VAR_STRING = 253;
const NOT_NULL = 1;
/** Four bytes a character. */
const UTF8MB4_BYTES = 4;

export interface OwnPrepared {
  readonly word: Word;
  readonly text: string;
}

/** Prepared statements of the gateway's own, by id. */
export class OwnStatements {
  readonly #prepared = new Map<number, OwnPrepared>();
  #next = FIRST_ID;

  /** That which bytes 1 to 4 of a command name; undefined where it is one of the database's, or none. */
  named(payload: Buffer): OwnPrepared | undefined {
    return this.#prepared.size === 0 || payload.length < 5 ? undefined : this.#prepared.get(payload.readUInt32LE(1));
  }

  /** Answers its id. */
  prepare(prepared: OwnPrepared): number {
    const id = this.#next;
    this.#next = id === 0xffff_fffe ? FIRST_ID : id + 1;
    this.#prepared.set(id, prepared);
    const [oldest] = this.#prepared.keys();
    if (this.#prepared.size > MOST && oldest !== undefined) this.#prepared.delete(oldest);
    return id;
  }

  close(payload: Buffer): void {
    this.#prepared.delete(payload.readUInt32LE(1));
  }

  clear(): void {
    this.#prepared.clear();
  }
}

export interface OwnForm {
  /** Of the first packet. */
  readonly sequence: number;
  /** Status flags of the session. */
  readonly status: number;
  /** OK takes EOF's place. */
  readonly deprecateEof: boolean;
}

/** A result of one row: of the text protocol, or of the binary one. */
export function resultOf(row: OwnRow, binary: boolean, form: OwnForm): Buffer {
  const end = endOf(form);
  return inPackets(form.sequence, [
    lenenc(row.length),
    ...row.map(definition),
    ...(form.deprecateEof ? [] : [end]),
    binary ? binaryRow(row) : Buffer.concat(row.map(({ value }) => lenencBytes(Buffer.from(String(value))))),
    form.deprecateEof ? Buffer.concat([Buffer.from([Reply.eof, 0, 0]), u16(end.readUInt16LE(3)), u16(0)]) : end,
  ]);
}

/** COM_STMT_PREPARE_OK, without parameters. */
export function prepareOk(id: number, row: OwnRow, form: OwnForm): Buffer {
  const head = Buffer.concat([Buffer.from([Reply.ok]), u32(id), u16(row.length), u16(0), Buffer.from([0]), u16(0)]);
  return inPackets(form.sequence, [head, ...row.map(definition), ...(form.deprecateEof ? [] : [endOf(form)])]);
}

/** Flags of the last reply that announce something of that reply. */
const OF_ONE_REPLY = Status.moreResults | Status.cursorExists | Status.lastRowSent | Status.sessionStateChanged;

/** EOF: warnings, then status. */
function endOf({ status }: OwnForm): Buffer {
  const flags = status & ~OF_ONE_REPLY;
  return Buffer.concat([Buffer.from([Reply.eof]), u16(0), u16(flags)]);
}

/** ColumnDefinition41. */
function definition({ name, value }: OwnColumn): Buffer {
  const number = typeof value === 'number';
  const text = (part: string) => lenencBytes(Buffer.from(part));
  return Buffer.concat([
    text('def'),
    text(''),
    text(''),
    text(''),
    text(name),
    text(name),
    Buffer.from([0x0c]),
    u16(number ? BINARY_CHARSET : UTF8MB4_GENERAL_CI),
    u32(number ? WIDTHS.number : WIDTHS.string * UTF8MB4_BYTES),
    Buffer.from([number ? Type.long : VAR_STRING]),
    u16(NOT_NULL),
    Buffer.from([0, 0, 0]),
  ]);
}

/** Behind the first byte a bitmap of the NULLs, of which there are none; its first two bits are not used. */
function binaryRow(row: OwnRow): Buffer {
  const values = row.map(({ value }) =>
    typeof value === 'number' ? u32(value) : lenencBytes(Buffer.from(String(value))),
  );
  return Buffer.concat([Buffer.alloc(1 + ((row.length + 2 + 7) >> 3)), ...values]);
}

function inPackets(sequence: number, payloads: readonly Buffer[]): Buffer {
  return Buffer.concat(payloads.map((payload, i) => packets((sequence + i) & 0xff, payload)));
}
