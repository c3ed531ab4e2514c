// Rewrites rows by a plan, in the text and in the binary protocol.
//
// Rows come out of a buffer that is the gateway's own. A cell whose mask has the same length is overwritten where it stands, and
// rows of which no cell changed its length leave as a view of what was read. Only where a length changes are bytes copied: in
// runs from one such cell to the next, across rows.
import type { Column, RowPlan } from '../../types.ts';
import { Writer } from '../bytes.ts';
import { type Cell, type CellSize, cellSizes, lengthBytes, locate } from './cells.ts';
import { HEADER, joined, MAX_PACKET, packets } from './frame.ts';

const EMPTY = Buffer.alloc(0);
const NULL_CELL = 0xfb;
/** Shorter values are written byte by byte: that is faster. */
const SHORT = 64;

/** A plan and what the rows look like that it is for. */
export interface RowForm {
  readonly plan: RowPlan;
  readonly sizes: readonly CellSize[];
  readonly binary: boolean;
}

export interface LongRow {
  readonly bytes: Buffer;
  readonly packets: number;
  readonly masked: number;
}

export function rowForm(plan: RowPlan, columns: readonly Column[], binary: boolean): RowForm {
  return { plan, sizes: cellSizes(columns), binary };
}

export class RowMasker {
  readonly #out = new Writer(64 * 1024);
  readonly #cell: Cell = { from: 0, start: 0, end: 0 };
  /** The run that has been looked at and not been copied: masked or unchanged bytes. */
  #buffer: Buffer = EMPTY;
  #from = 0;
  #to = 0;

  /** Nothing waits for `drain`. */
  get empty(): boolean {
    return this.#from === this.#to && this.#out.length === 0;
  }

  /**
   * Takes the row [rowStart, end) of `buffer`, the header of its only packet first, and masks the plan's cells; writes into
   * `buffer`. Answers how many cells were masked (NULL cells stay NULL and are not counted), or -1 where the row is malformed or has
   * not as many cells as the plan: then nothing of it is handed over.
   */
  row(buffer: Buffer, rowStart: number, end: number, form: RowForm): number {
    if (buffer !== this.#buffer || rowStart !== this.#to) {
      this.#copyUntil(this.#to);
      this.#buffer = buffer;
      this.#from = this.#to = rowStart;
    }
    const { plan, sizes, binary } = form;
    const cell = this.#cell;
    let at = rowStart + HEADER;
    const bitmap = at + 1;
    if (binary) {
      if (buffer[at] !== 0) return -1;
      at = bitmap + ((plan.length + 9) >> 3);
      if (at > end) return -1;
    }
    let masked = 0;
    let grown = 0;
    /** Where the row stands in `out`, once a cell of it has changed its length. */
    let copied = -1;
    for (let i = 0; i < plan.length; i++) {
      const bit = 1 << ((i + 2) & 7);
      const place = bitmap + ((i + 2) >> 3);
      if (binary) {
        if (((buffer[place] ?? 0) & bit) !== 0) continue;
      } else if (at < end && buffer[at] === NULL_CELL) {
        at++;
        continue;
      }
      const size = sizes[i] as CellSize;
      const from = at;
      const first = buffer[at] as number;
      let start: number;
      if (size === 'lenenc' && first < 0xfb && at < end) {
        start = at + 1;
        at = start + first;
        if (at > end) return this.#malformed(copied);
      } else {
        if (!locate(cell, buffer, at, end, size)) return this.#malformed(copied);
        start = cell.start;
        at = cell.end;
      }
      const mask = plan[i];
      if (mask === undefined) continue;
      const value = mask(buffer, start, at);
      if (value === undefined) continue;
      masked++;
      if (value !== null && value.length === at - start) {
        for (let n = 0; n < value.length; n++) buffer[start + n] = value[n] as number;
        continue;
      }
      // A number of another size would be read as something else.
      if (value !== null && typeof size === 'number') return this.#malformed(copied);
      if (copied === -1) {
        // The bitmap may still change: the row is copied up to this cell only now, and patched there.
        this.#copyUntil(rowStart);
        copied = this.#out.length;
      }
      this.#copyUntil(from);
      const before = this.#out.length;
      if (value !== null) this.#write(value, size);
      else if (binary) this.#out.patchU8(copied + place - rowStart, (buffer[place] ?? 0) | bit);
      else this.#out.u8(NULL_CELL);
      if (binary && value === null) buffer[place] = (buffer[place] ?? 0) | bit;
      grown += this.#out.length - before - (at - from);
      this.#from = at;
    }
    if (at !== end) return this.#malformed(copied);
    if (copied !== -1) {
      const length = end - rowStart - HEADER + grown;
      if (length >= MAX_PACKET) return this.#malformed(copied);
      this.#out
        .patchU8(copied, length & 0xff)
        .patchU8(copied + 1, (length >> 8) & 0xff)
        .patchU8(copied + 2, length >> 16);
      // What is left of the row belongs to it, however long it is.
      this.#copyUntil(end);
    }
    this.#to = end;
    return masked;
  }

  /** Nothing of the row that is being looked at stays; `copied` is where it began in `out`, or -1. */
  #malformed(copied: number): -1 {
    if (copied !== -1) this.#out.cut(copied);
    this.#from = Math.min(this.#from, this.#to);
    return -1;
  }

  /** A value with its length before it. */
  #write(value: Uint8Array, size: CellSize): void {
    const { length } = value;
    if (length >= SHORT) {
      for (const byte of lengthBytes(length, size)) this.#out.u8(byte);
      this.#out.bytes(value);
      return;
    }
    const to = this.#out.reserve(length + 1);
    const { buffer } = this.#out;
    buffer[to] = length;
    for (let n = 0; n < length; n++) buffer[to + 1 + n] = value[n] as number;
  }

  /** A row of any length, made anew: its bytes, in so many packets, are the caller's. Null where it is malformed. */
  long(buffer: Buffer, start: number, end: number, form: RowForm): LongRow | null {
    const payload = joined(buffer, start, end);
    const { plan, sizes, binary } = form;
    const cell = this.#cell;
    const parts: Buffer[] = [];
    const nulls = Buffer.from(payload.subarray(0, binary ? 1 + ((plan.length + 9) >> 3) : 0));
    let at = nulls.length;
    let masked = 0;
    for (let i = 0; i < plan.length; i++) {
      const bit = 1 << ((i + 2) & 7);
      const place = 1 + ((i + 2) >> 3);
      if (binary && ((nulls[place] ?? 0) & bit) !== 0) continue;
      if (!binary && payload[at] === NULL_CELL) {
        parts.push(payload.subarray(at, ++at));
        continue;
      }
      if (!locate(cell, payload, at, payload.length, sizes[i] as CellSize)) return null;
      const value = plan[i]?.(payload, cell.start, cell.end);
      at = cell.end;
      if (value === undefined) {
        parts.push(payload.subarray(cell.from, cell.end));
        continue;
      }
      masked++;
      if (value !== null) {
        parts.push(Buffer.from(lengthBytes(value.length, sizes[i] as CellSize)), Buffer.from(value));
      } else if (binary) nulls[place] = (nulls[place] ?? 0) | bit;
      else parts.push(Buffer.from([NULL_CELL]));
    }
    if (at !== payload.length) return null;
    const made = Buffer.concat([nulls, ...parts]);
    const count = Math.floor(made.length / MAX_PACKET) + 1;
    return { bytes: packets(buffer[start + 3] ?? 0, made), packets: count, masked };
  }

  /** Hands over what was taken since the last time, in order: a view of the rows themselves where no length has changed. */
  drain(pass: (buffer: Buffer, start: number, end: number) => void): void {
    if (this.#out.length === 0) {
      if (this.#from < this.#to) pass(this.#buffer, this.#from, this.#to);
    } else {
      this.#copyUntil(this.#to);
      const bytes = this.#out.take();
      pass(bytes, 0, bytes.length);
    }
    this.#buffer = EMPTY;
    this.#from = this.#to = 0;
  }

  #copyUntil(end: number): void {
    if (end <= this.#from) return;
    this.#out.copy(this.#buffer, this.#from, end);
    this.#from = end;
  }
}
