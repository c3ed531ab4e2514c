// The buffer of what is to be recorded in this turn of the loop: entries are packed straight into it, without garbage.

import { SallyportError } from '../errors.ts';
import type { Outcome, Parameter, SessionFacts } from '../types.ts';
import { type Phase, packObject, type StatementEntry, TAG } from './format.ts';

/** Room before the entries, for the header of the frame that the journal makes of them. */
export const FRAME_HEADER = 8;

/** Grown beyond this by a large turn, the buffer is given back after the commit. */
const KEPT_BYTES = 1 << 20;
const FIRST_BYTES = 64 << 10;

const NIL = 0xc0;
const FALSE = 0xc2;
const TRUE = 0xc3;
const PHASE_CODE: Readonly<Record<Phase, number>> = { query: 0, parse: 1, execute: 2, other: 3 };

export interface Pending {
  /** Bytes of entries, without the header's room. */
  size(): number;
  /** The buffer: FRAME_HEADER bytes of room, then `size()` bytes of entries. Valid until the next entry. */
  buffer(): Buffer;
  clear(): void;
  start(session: string, at: number, facts: SessionFacts): void;
  statement(entry: StatementEntry): void;
  outcome(session: string, n: number, at: number, outcome: Outcome, resultBytes: number): void;
  end(session: string, at: number, reason: string): void;
}

/** An entry is whole in the buffer or, where packing it throws, not there at all. */
export function createPending(): Pending {
  let bytes = Buffer.allocUnsafeSlow(FIRST_BYTES);
  let at = FRAME_HEADER;
  // Entries before this offset are whole; what a thrown error left behind it is overwritten by the next.
  let whole = FRAME_HEADER;
  let recordStart = 0;
  const judgements = new WeakMap<object, Buffer>();

  function room(size: number): void {
    if (at + size <= bytes.length) return;
    const larger = Buffer.allocUnsafeSlow(Math.max(bytes.length * 2, at + size));
    bytes.copy(larger, 0, 0, at);
    bytes = larger;
  }

  function begin(session: string, tag: number, elements: number, time: number, action: number): void {
    const id = session.length;
    if (id === 0 || id > 255) throw new SallyportError('SP_RECORD', 'a session has no usable name');
    at = whole;
    room(id + 17);
    bytes[at + 4] = id;
    bytes.write(session, at + 5, id, 'latin1');
    recordStart = at + 5 + id;
    bytes[recordStart] = 0x90 | elements;
    bytes[recordStart + 1] = tag;
    bytes[recordStart + 2] = 0xcb;
    bytes.writeDoubleBE(time, recordStart + 3);
    bytes[recordStart + 11] = action;
    at = recordStart + 12;
  }

  function finish(): void {
    bytes.writeUInt32LE(at - recordStart, whole);
    whole = at;
  }

  function uint(value: number): void {
    room(9);
    if (value >= 0 && value < 128) {
      bytes[at++] = value;
    } else if (value >= 0 && value <= 0xffffffff && Number.isInteger(value)) {
      bytes[at] = 0xce;
      bytes.writeUInt32BE(value, at + 1);
      at += 5;
    } else {
      bytes[at] = 0xcb;
      bytes.writeDoubleBE(value, at + 1);
      at += 9;
    }
  }

  // A UTF-16 unit is at most three bytes of UTF-8: the header's width is chosen by that, before the bytes are known.
  function text(value: string | null | undefined): void {
    if (value === null || value === undefined) {
      byte(NIL);
      return;
    }
    const most = value.length * 3;
    room(most + 5);
    if (most < 32) {
      const size = bytes.write(value, at + 1, most, 'utf8');
      bytes[at] = 0xa0 | size;
      at += 1 + size;
    } else if (most < 256) {
      const size = bytes.write(value, at + 2, most, 'utf8');
      bytes[at] = 0xd9;
      bytes[at + 1] = size;
      at += 2 + size;
    } else {
      const size = bytes.write(value, at + 5, most, 'utf8');
      bytes[at] = 0xdb;
      bytes.writeUInt32BE(size, at + 1);
      at += 5 + size;
    }
  }

  function binary(value: Uint8Array | null, most: number): void {
    if (value === null) {
      byte(NIL);
      return;
    }
    const kept = value.length > most ? value.subarray(0, most) : value;
    room(kept.length + 5);
    bytes[at] = 0xc6;
    bytes.writeUInt32BE(kept.length, at + 1);
    bytes.set(kept, at + 5);
    at += 5 + kept.length;
  }

  function byte(value: number): void {
    room(1);
    bytes[at++] = value;
  }

  function array(count: number): void {
    if (count < 16) {
      byte(0x90 | count);
      return;
    }
    room(5);
    bytes[at] = 0xdd;
    bytes.writeUInt32BE(count, at + 1);
    at += 5;
  }

  function texts(values: readonly string[]): void {
    array(values.length);
    for (const value of values) text(value);
  }

  function parameters(values: readonly Parameter[] | null): void {
    if (values === null) {
      byte(NIL);
      return;
    }
    array(values.length);
    for (const value of values) {
      byte(0x93);
      uint(value.typeOid);
      uint(value.format);
      binary(value.bytes, Number.POSITIVE_INFINITY);
    }
  }

  /** What stays the same for every run of a judged text; packed once for each judgement. */
  function judgement({ judgement: key, kinds, verbs, relations, verdict }: StatementEntry): void {
    const packed = key === undefined ? undefined : judgements.get(key);
    if (packed !== undefined) {
      room(packed.length);
      bytes.set(packed, at);
      at += packed.length;
      return;
    }
    const start = at;
    texts(kinds);
    texts(verbs);
    texts(relations);
    text(verdict.rule);
    text(verdict.reason);
    text(verdict.hint);
    if (key !== undefined) judgements.set(key, Buffer.from(bytes.subarray(start, at)));
  }

  return {
    size: () => whole - FRAME_HEADER,
    buffer: () => bytes,
    clear(): void {
      whole = FRAME_HEADER;
      if (bytes.length > KEPT_BYTES) bytes = Buffer.allocUnsafeSlow(FIRST_BYTES);
    },
    start(session, time, facts): void {
      begin(session, TAG.start, 4, time, 0);
      const packed = packObject(facts);
      room(packed.length);
      bytes.set(packed, at);
      at += packed.length;
      finish();
    },
    statement(entry): void {
      const { verdict } = entry;
      begin(
        entry.session,
        TAG.statement,
        13,
        entry.at,
        verdict.action === 'allow' ? 0 : verdict.action === 'deny' ? 1 : 2,
      );
      uint(entry.n);
      byte(PHASE_CODE[entry.phase]);
      text(entry.text);
      parameters(entry.parameters);
      judgement(entry);
      finish();
    },
    outcome(session, n, time, outcome, resultBytes): void {
      const { result, error } = outcome;
      begin(session, TAG.outcome, 12, time, 0);
      uint(n);
      uint(outcome.rows);
      uint(outcome.bytes);
      uint(outcome.masked);
      texts(outcome.tags);
      text(error === null ? null : error.code);
      text(error === null ? null : error.message);
      binary(result, resultBytes);
      byte(outcome.truncated || (result !== null && result.length > resultBytes) ? TRUE : FALSE);
      finish();
    },
    end(session, time, reason): void {
      begin(session, TAG.end, 4, time, 0);
      text(reason);
      finish();
    },
  };
}
