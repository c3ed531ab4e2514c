// Rewrites DataRow messages by a plan: Int16 number of cells, then each as Int32 length (-1 is NULL) and its bytes
// (PostgreSQL protocol, "Message Formats", DataRow).
//
// Rows come out of a buffer that is the gateway's own. A cell whose mask has the same length is overwritten where it stands, and
// rows of which no cell changed its length leave as a view of what was read. Only where a length changes are bytes copied: in
// runs from one such cell to the next, across rows.

import type { RowPlan } from '../../types.ts';
import { Writer } from '../bytes.ts';

const DATA_ROW = 0x44;
const HEADER = 7;
const NULL_LENGTH = -1;
const EMPTY = Buffer.alloc(0);

export class RowMasker {
  readonly #out = new Writer(64 * 1024);
  /** The run that has been looked at and not been copied: masked or unchanged bytes. */
  #buffer: Buffer = EMPTY;
  #from = 0;
  #to = 0;

  /** Nothing waits for `drain`. */
  get empty(): boolean {
    return this.#from === this.#to && this.#out.length === 0;
  }

  /**
   * Takes the DataRow message [start, end) of `buffer`, type byte first, and masks the plan's cells; writes into `buffer`.
   * Answers how many cells were masked (NULL cells stay NULL and, like those that their mask leaves, are not counted), or -1
   * where the message is malformed or has not as many cells as the plan: then nothing of this masker may be used any more.
   */
  row(buffer: Buffer, start: number, end: number, plan: RowPlan): number {
    if (end > buffer.length || start + HEADER > end || buffer[start] !== DATA_ROW) return -1;
    if (int32(buffer, start + 1) !== end - start - 1) return -1;
    if ((byte(buffer, start + 5) << 8) + byte(buffer, start + 6) !== plan.length) return -1;
    if (buffer !== this.#buffer || start !== this.#to) {
      this.#copyUntil(this.#to);
      this.#buffer = buffer;
      this.#from = start;
    }

    let masked = 0;
    let grown = 0;
    /** Where the message stands in `out`, once a cell of it has changed its length. */
    let copied = -1;
    let at = start + HEADER;
    for (let i = 0; i < plan.length; i++) {
      const cell = at + 4;
      if (cell > end) return -1;
      const length = int32(buffer, at);
      if (length === NULL_LENGTH) {
        at = cell;
        continue;
      }
      const next = cell + length;
      if (length < 0 || next > end) return -1;
      const mask = plan[i];
      if (mask !== undefined) {
        const value = mask(buffer, cell, next);
        if (value === undefined) {
          at = next;
          continue;
        }
        if (value !== null && value.length === length) {
          overwrite(buffer, cell, value);
        } else {
          this.#copyUntil(at);
          if (copied === -1) copied = this.#out.length - (at - start);
          if (value === null) this.#out.i32(NULL_LENGTH);
          else this.#out.i32(value.length).bytes(value);
          this.#from = next;
          grown += (value === null ? 0 : value.length) - length;
        }
        masked++;
      }
      at = next;
    }
    if (at !== end) return -1;
    if (copied !== -1) this.#out.patchI32(copied + 1, end - start - 1 + grown);
    this.#to = end;
    return masked;
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

function overwrite(buffer: Buffer, at: number, value: Uint8Array): void {
  for (let i = 0; i < value.length; i++) buffer[at + i] = byte(value, i);
}

function byte(bytes: Uint8Array, at: number): number {
  return bytes[at] ?? 0;
}

function int32(buffer: Buffer, at: number): number {
  return (byte(buffer, at) << 24) | (byte(buffer, at + 1) << 16) | (byte(buffer, at + 2) << 8) | byte(buffer, at + 3);
}
