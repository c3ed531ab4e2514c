// Reads payloads of the MySQL protocol. Every function answers null (or -1) where what it is given is not what it should be; none
// reads beyond `end`. Source: MySQL "Client/Server Protocol".
import type { Column, Parameter } from '../../types.ts';
import { Type } from './messages.ts';

/** Where the last length-encoded integer ended; -1 where there was none. */
let after = -1;

export function lenencEnd(): number {
  return after;
}

/** A length-encoded integer at `at`; -1 where it is NULL (0xfb), malformed or beyond 2^53; its end is `lenencEnd()`. */
export function readLenenc(buffer: Buffer, at: number, end: number): number {
  after = -1;
  if (at >= end) return -1;
  const first = buffer[at] as number;
  if (first < 0xfb) {
    after = at + 1;
    return first;
  }
  if (first === 0xfc && at + 3 <= end) {
    after = at + 3;
    return buffer.readUInt16LE(at + 1);
  }
  if (first === 0xfd && at + 4 <= end) {
    after = at + 4;
    return buffer.readUIntLE(at + 1, 3);
  }
  if (first === 0xfe && at + 9 <= end) {
    const value = buffer.readBigUInt64LE(at + 1);
    if (value > BigInt(Number.MAX_SAFE_INTEGER)) return -1;
    after = at + 9;
    return Number(value);
  }
  return -1;
}

/** Steps over the fields of one payload. */
export class Fields {
  readonly #buffer: Buffer;
  readonly #end: number;
  at: number;
  ok = true;

  constructor(buffer: Buffer, start = 0, end = buffer.length) {
    this.#buffer = buffer;
    this.at = start;
    this.#end = end;
  }

  get left(): number {
    return this.#end - this.at;
  }

  uint(bytes: number): number {
    if (!this.#take(bytes)) return 0;
    return this.#buffer.readUIntLE(this.at - bytes, bytes);
  }

  bytes(length: number): Buffer {
    if (!this.#take(length)) return Buffer.alloc(0);
    return this.#buffer.subarray(this.at - length, this.at);
  }

  lenenc(): number {
    const value = readLenenc(this.#buffer, this.at, this.#end);
    if (value < 0) {
      this.ok = false;
      return 0;
    }
    this.at = after;
    return value;
  }

  lenencBytes(): Buffer {
    return this.bytes(this.lenenc());
  }

  lenencText(): string {
    return this.lenencBytes().toString('utf8');
  }

  /** Up to a NUL, which has to be there. */
  nul(): Buffer {
    const end = this.#buffer.indexOf(0, this.at);
    if (end < 0 || end >= this.#end) {
      this.ok = false;
      return Buffer.alloc(0);
    }
    const found = this.#buffer.subarray(this.at, end);
    this.at = end + 1;
    return found;
  }

  rest(): Buffer {
    return this.bytes(this.left);
  }

  #take(length: number): boolean {
    if (length < 0 || this.at + length > this.#end) this.ok = false;
    if (this.ok) this.at += length;
    return this.ok;
  }
}

/** ERR, its first byte included. */
export function decodeErr(payload: Buffer): { code: number; sqlstate: string; message: string } | null {
  const fields = new Fields(payload, 1);
  const code = fields.uint(2);
  if (!fields.ok) return null;
  let sqlstate = 'HY000';
  if (payload[fields.at] === 0x23 && fields.left >= 6) sqlstate = fields.bytes(6).toString('latin1', 1);
  return { code, sqlstate, message: fields.rest().toString('utf8') };
}

/** Status flags of an OK (first byte 0x00, or 0xfe in place of EOF); null where it is malformed. */
export function decodeOk(buffer: Buffer, start: number, end: number): { status: number; affected: number } | null {
  const fields = new Fields(buffer, start + 1, end);
  const affected = bigLenenc(fields, buffer, end);
  bigLenenc(fields, buffer, end);
  const status = fields.uint(2);
  fields.uint(2);
  return fields.ok ? { status, affected } : null;
}

/** LAST_INSERT_ID may be any 64-bit number. */
function bigLenenc(fields: Fields, buffer: Buffer, end: number): number {
  if (buffer[fields.at] === 0xfe && fields.at + 9 <= end) {
    const value = Number(buffer.readBigUInt64LE(fields.at + 1));
    fields.at += 9;
    return value;
  }
  return fields.lenenc();
}

/** Status flags of an EOF, its first byte included. */
export function decodeEof(buffer: Buffer, start: number, end: number): number | null {
  return end - start === 5 ? buffer.readUInt16LE(start + 3) : null;
}

/** ColumnDefinition41 as a column in format 0 (text protocol) or 1 (binary protocol). */
export function decodeColumn(buffer: Buffer, start: number, end: number, format: number): Column | null {
  const fields = new Fields(buffer, start, end);
  fields.lenencBytes(); // catalog
  const schema = fields.lenencText();
  fields.lenencBytes(); // table, as the query calls it
  const table = fields.lenencText();
  const name = fields.lenencText();
  const column = fields.lenencText();
  if (fields.lenenc() < 10) return null;
  const charset = fields.uint(2);
  const length = fields.uint(4);
  const typeOid = fields.uint(1);
  const flags = fields.uint(2);
  const decimals = fields.uint(1);
  if (!fields.ok) return null;
  return {
    name,
    tableOid: 0,
    attribute: 0,
    typeOid,
    typeModifier: length,
    format,
    origin: { schema, table, column },
    flags,
    charset,
    decimals,
  };
}

/** COM_STMT_PREPARE_OK. */
export function decodePrepareOk(payload: Buffer): { id: number; columns: number; parameters: number } | null {
  const fields = new Fields(payload, 1);
  const id = fields.uint(4);
  const columns = fields.uint(2);
  const parameters = fields.uint(2);
  return fields.ok ? { id, columns, parameters } : null;
}

/** Bytes of a value in the binary protocol: a number, or how its length is written. */
export function binarySize(type: number): number | 'short' | 'lenenc' {
  switch (type) {
    case Type.null:
      return 0;
    case Type.tiny:
      return 1;
    case Type.short:
    case Type.year:
      return 2;
    case Type.long:
    case Type.int24:
    case Type.float:
      return 4;
    case Type.longlong:
    case Type.double:
      return 8;
    case Type.date:
    case Type.datetime:
    case Type.timestamp:
    case Type.time:
      return 'short';
    default:
      return 'lenenc';
  }
}

/** Types that a client has given its parameters: type byte, with 0x8000 where unsigned. */
export type ParameterTypes = readonly number[];

export interface Executed {
  readonly id: number;
  /** 0: no cursor. */
  readonly cursor: number;
  readonly types: ParameterTypes;
  readonly parameters: readonly Parameter[];
}

/**
 * COM_STMT_EXECUTE of a statement with `count` parameters, its first byte included. `types`: those of an earlier execution, which
 * hold where none are given. `long`: values that were sent before, by parameter.
 */
export function decodeExecute(
  payload: Buffer,
  count: number,
  types: ParameterTypes | null,
  long: ReadonlyMap<number, Buffer>,
): Executed | null {
  const fields = new Fields(payload, 1);
  const id = fields.uint(4);
  const cursor = fields.uint(1);
  fields.uint(4);
  if (!fields.ok) return null;
  if (count === 0) return { id, cursor, types: [], parameters: [] };
  const nulls = fields.bytes((count + 7) >> 3);
  const bound = fields.uint(1);
  let known = types;
  if (bound === 1) known = Array.from({ length: count }, () => fields.uint(2));
  if (!fields.ok || known === null || known.length !== count) return null;
  const parameters: Parameter[] = [];
  for (const [i, typeOid] of known.entries()) {
    const sent = long.get(i);
    const isNull = ((nulls[i >> 3] ?? 0) & (1 << (i & 7))) !== 0;
    if (sent !== undefined) parameters.push({ typeOid, format: 1, bytes: sent });
    else if (isNull || (typeOid & 0xff) === Type.null) parameters.push({ typeOid, format: 1, bytes: null });
    else parameters.push({ typeOid, format: 1, bytes: value(fields, typeOid & 0xff) });
  }
  return fields.ok && fields.left === 0 ? { id, cursor, types: known, parameters } : null;
}

function value(fields: Fields, type: number): Buffer {
  const size = binarySize(type);
  if (size === 'lenenc') return fields.lenencBytes();
  return fields.bytes(size === 'short' ? fields.uint(1) : size);
}
