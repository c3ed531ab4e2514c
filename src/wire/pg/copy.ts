// Rewrites the rows of COPY … TO STDOUT by a plan: CopyData messages in, CopyData messages out, in text, CSV or binary
// (PostgreSQL protocol, "COPY Operations"; the formats: COPY, "File Formats").
//
// The server sends one row a message, and clients count on that; but a message may end anywhere in a row, and then a protected cell
// is held back until its end has come. Each message leaves as one message, or as none where all of it is held back. As with
// DataRow (rows.ts) the bytes come out of a buffer that is the gateway's own: a mask of the same length is written over the
// cell, and bytes are copied only where a length changes.

import type { CellMask, CopyForm, RowPlan } from '../../types.ts';
import { Writer } from '../bytes.ts';
import {
  type Cells,
  cellsOf,
  hasEscapes,
  isQuoted,
  overwrite,
  readCell,
  STATE,
  writeCell,
  writtenLength,
} from './cells.ts';
import type { CopyResponse } from './decode.ts';

const COPY_DATA = 0x64;
const HEADER = 5;
const NULL_LENGTH = -1;
const MALFORMED = -1;
/** The number of cells that ends binary data: -1 in 16 bits. */
const TRAILER = 0xffff;
const EMPTY = Buffer.alloc(0);
const LONGEST_CELL = 64 * 1024 * 1024;
const ANY = -1;
/** Signature, flags (the upper half is critical: none is known), and a header extension that no server has ever written. */
const BINARY_HEADER: readonly number[] = [...Buffer.from('PGCOPY\n\xff\r\n\0', 'latin1'), 0, 0, ANY, ANY, 0, 0, 0, 0];

/** What of the binary format comes next; sizes of the numbers in bytes. */
const NEXT = { header: 0, count: 1, length: 2, body: 3 } as const;
const COUNT_SIZE = 2;
const LENGTH_SIZE = 4;

/**
 * Starts to mask a COPY; null where its form cannot be read for certain (an option or an encoding that is not known, characters
 * that the server would not take either). The plan has an entry for each copied column: masks for format 1 (binary) where the
 * form is binary, else for format 0.
 */
export function copyMasker(form: CopyForm, plan: RowPlan): CopyMasker | null {
  if (form.unknown !== null) return null;
  if (form.encoding !== null && !/^(utf8|unicode)$/i.test(form.encoding.replace(/[^a-z0-9]/gi, ''))) return null;
  if (form.format === 'binary') return new CopyMasker(null, false, plan);
  const cells = cellsOf(form);
  return cells && new CopyMasker(cells, form.header, plan);
}

/** Whether a CopyOutResponse (decode.ts) announces that form with that many columns. */
export function announces(response: CopyResponse, form: CopyForm, columns: number): boolean {
  const format = form.format === 'binary' ? 1 : 0;
  const { overallFormat, formats } = response;
  return overallFormat === format && formats.length === columns && formats.every((one) => one === format);
}

export class CopyMasker {
  /** Rows that have come to their end, without the header. */
  rows = 0;

  readonly #cells: Cells | null;
  readonly #plan: RowPlan;
  readonly #out = new Writer(64 * 1024);
  /** The run that has been looked at and not been copied. */
  #buffer: Buffer = EMPTY;
  #from = 0;
  #to = 0;
  /** Where the current message begins, and where it stands in `out` once a part of it does, else -1. */
  #start = 0;
  #copied = -1;
  #masked = 0;

  #column = 0;
  /** The columns' names are still to come. */
  #header: boolean;
  /** The marker that ends the data has come. */
  #over = false;
  /** Text and CSV: where the bytes so far have led. */
  #state: number = STATE.rowStart;
  /** Binary: what comes next, how many bytes of it are missing, and the number that they make. */
  #next: number = NEXT.header;
  #missing = BINARY_HEADER.length;
  #number = 0;
  /** What has come of a protected cell in earlier messages; in binary with its length. */
  readonly #held = new Writer(256);
  #scratch: Buffer = EMPTY;

  /** `cells` null is binary. */
  constructor(cells: Cells | null, header: boolean, plan: RowPlan) {
    this.#cells = cells;
    this.#header = header;
    this.#plan = plan;
  }

  /** Nothing waits for `drain`. */
  get empty(): boolean {
    return this.#from === this.#to && this.#out.length === 0;
  }

  /** Whether CopyDone may come now; where it may not, the stream is broken, and a part of it may have been held back. */
  get complete(): boolean {
    return this.#over || (this.#cells !== null && this.#state === STATE.rowStart && !this.#header);
  }

  /**
   * Takes the whole CopyData message [start, end) of `buffer`, type byte first, and masks the plan's cells; writes into
   * `buffer`. Answers how many cells were masked (NULL stays NULL and is not counted), or -1 where the data is malformed or has
   * not as many cells as the plan: then nothing of this masker may be used any more.
   */
  message(buffer: Buffer, start: number, end: number): number {
    if (end > buffer.length || start + HEADER > end || buffer[start] !== COPY_DATA) return -1;
    if (buffer.readInt32BE(start + 1) !== end - start - 1) return -1;
    if (buffer !== this.#buffer || start !== this.#to) {
      this.#copyUntil(this.#to);
      this.#buffer = buffer;
      this.#from = start;
    }
    this.#start = start;
    this.#copied = -1;
    this.#masked = 0;
    const data = start + HEADER;
    const cells = this.#cells;
    const open = cells === null ? this.#binary(buffer, data, end) : this.#lines(cells, buffer, data, end);
    if (open === MALFORMED || !this.#hold(buffer, open, end)) return MALFORMED;
    if (this.#copied !== -1)
      this.#out.patchI32(this.#copied + 1, this.#out.length - this.#copied + end - this.#from - 1);
    this.#to = end;
    return this.#masked;
  }

  /** Hands over what was taken since the last time, in order: a view of the messages themselves where no length has changed. */
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

  // --- Text and CSV ----------------------------------------------------------------------------------------------------

  /** Answers where a protected cell begins that goes on in the next message; `end` where there is none. */
  #lines(cells: Cells, buffer: Buffer, start: number, end: number): number {
    if (this.#over && start < end) return MALFORMED;
    const { table } = cells;
    const plan = this.#plan;
    let state = this.#state;
    let mask = this.#header ? undefined : plan[this.#column];
    let cell = start;
    for (let at = start; at < end; at++) {
      const row = state << 8;
      // Most bytes change nothing: a loop of its own, in which no look-up waits for the one before.
      while (at < end && table[row | (buffer[at] ?? 0)] === state) at++;
      if (at === end) break;
      const next = table[row | (buffer[at] ?? 0)] ?? STATE.bad;
      if (next < STATE.endCell) {
        state = next;
        continue;
      }
      if (next === STATE.bad) return MALFORMED;
      if (next === STATE.endData) {
        this.#leave(buffer, cell, at);
        this.#over = true;
        return at + 1 === end ? end : MALFORMED;
      }
      if (mask !== undefined && !this.#text(cells, mask, state, buffer, cell, at)) return MALFORMED;
      if (next === STATE.endCell) {
        // A cell that the plan does not know may not even begin.
        if (++this.#column >= plan.length) return MALFORMED;
        state = STATE.cellStart;
      } else {
        // Rows without columns are empty lines.
        if (plan.length === 0 ? state !== STATE.rowStart : this.#column !== plan.length - 1) return MALFORMED;
        this.#column = 0;
        if (this.#header) this.#header = false;
        else this.rows++;
        state = STATE.rowStart;
      }
      cell = at + 1;
      mask = this.#header ? undefined : plan[this.#column];
    }
    this.#state = state;
    return mask === undefined ? end : cell;
  }

  /** A protected cell whose last part is [cell, at) and that ended in `state`. False where it is too long. */
  #text(cells: Cells, mask: CellMask, state: number, buffer: Buffer, cell: number, at: number): boolean {
    if (this.#held.length + at - cell > LONGEST_CELL) return false;
    const held = this.#gather(buffer, cell, at);
    let source = held ?? buffer;
    let from = held === null ? cell : 0;
    let to = held === null ? at : held.length;
    const quoted = isQuoted(state);
    if (!quoted && !cells.nullIsValue && isSame(cells.null, source, from, to)) {
      this.#putBack(held, cell, at);
      return true;
    }
    if (quoted) {
      from++;
      to--;
    }
    if (hasEscapes(cells, state)) {
      if (this.#scratch.length < to - from) this.#scratch = Buffer.allocUnsafeSlow(2 * (to - from));
      to = readCell(cells, source, from, to, this.#scratch);
      source = this.#scratch;
      from = 0;
    }
    const value = mask(source, from, to);
    if (value === undefined) {
      this.#putBack(held, cell, at);
      return true;
    }
    this.#masked++;
    const written = value ?? cells.null;
    const size = value === null ? written.length : writtenLength(cells, value);
    if (held === null && size === at - cell) {
      writeCell(cells, written, size, buffer, cell);
    } else {
      const offset = this.#splice(cell, at, size);
      writeCell(cells, written, size, this.#out.buffer, offset);
    }
    return true;
  }

  // --- Binary ------------------------------------------------------------------------------------------------------------

  /** Answers as `lines` does. A cell begins with its length. */
  #binary(buffer: Buffer, start: number, end: number): number {
    let cell = start;
    for (let at = start; at < end; ) {
      if (this.#over) return MALFORMED;
      if (this.#next === NEXT.body) {
        const n = Math.min(this.#missing, end - at);
        this.#missing -= n;
        at += n;
      } else {
        const byte = buffer[at++] ?? 0;
        if (this.#next === NEXT.header) {
          const expected = BINARY_HEADER[BINARY_HEADER.length - this.#missing];
          if (expected !== ANY && expected !== byte) return MALFORMED;
        }
        this.#number = (this.#number << 8) | byte;
        this.#missing--;
      }
      if (this.#missing === 0) {
        if (!this.#item(buffer, cell, at)) return MALFORMED;
        if (this.#missing === 0 && !this.#item(buffer, cell, at)) return MALFORMED; // the body of an empty cell
        if (this.#next !== NEXT.body) cell = at;
      }
    }
    const inside = this.#next === NEXT.length || this.#next === NEXT.body;
    return inside && this.#plan[this.#column] !== undefined ? cell : end;
  }

  /** What was missing has come, up to `at`. False where it is malformed. */
  #item(buffer: Buffer, cell: number, at: number): boolean {
    const plan = this.#plan;
    const mask = plan[this.#column];
    const number = this.#number;
    switch (this.#next) {
      case NEXT.header:
        this.#expect(NEXT.count, COUNT_SIZE);
        return true;
      case NEXT.count:
        this.#over = number === TRAILER;
        if (this.#over) this.#expect(NEXT.count, COUNT_SIZE);
        else if (number !== plan.length) return false;
        else this.#nextCell(0);
        return true;
      case NEXT.length:
        if (number === NULL_LENGTH) {
          this.#leave(buffer, cell, at);
          this.#nextCell(this.#column + 1);
          return true;
        }
        this.#expect(NEXT.body, number);
        return number >= 0 && (mask === undefined || number <= LONGEST_CELL);
      default:
        if (mask !== undefined) this.#field(mask, buffer, cell, at);
        this.#nextCell(this.#column + 1);
        return true;
    }
  }

  #field(mask: CellMask, buffer: Buffer, cell: number, at: number): void {
    const held = this.#gather(buffer, cell, at);
    const value = held === null ? mask(buffer, cell + LENGTH_SIZE, at) : mask(held, LENGTH_SIZE, held.length);
    if (value === undefined) return this.#putBack(held, cell, at);
    this.#masked++;
    const size = LENGTH_SIZE + (value === null ? 0 : value.length);
    if (value !== null && held === null && size === at - cell) {
      overwrite(buffer, cell + LENGTH_SIZE, value);
      return;
    }
    const offset = this.#splice(cell, at, size);
    this.#out.buffer.writeInt32BE(value === null ? NULL_LENGTH : value.length, offset);
    if (value !== null) overwrite(this.#out.buffer, offset + LENGTH_SIZE, value);
  }

  #nextCell(column: number): void {
    const isEnd = column === this.#plan.length;
    if (isEnd) this.rows++;
    this.#column = isEnd ? 0 : column;
    if (isEnd) this.#expect(NEXT.count, COUNT_SIZE);
    else this.#expect(NEXT.length, LENGTH_SIZE);
  }

  #expect(next: number, size: number): void {
    this.#next = next;
    this.#missing = size;
    this.#number = 0;
  }

  // --- Cells over several messages, and the messages that leave -----------------------------------------------------------

  /** The message ends in a protected cell, which began or went on at `cell`: that part waits. False where it is too long. */
  #hold(buffer: Buffer, cell: number, end: number): boolean {
    if (cell === end) return true;
    if (this.#held.length + end - cell > LONGEST_CELL) return false;
    this.#held.copy(buffer, cell, end);
    if (cell > this.#start + HEADER) {
      this.#splice(cell, end, 0);
    } else {
      // Nothing of this message is left.
      this.#copyUntil(this.#start);
      this.#from = end;
    }
    return true;
  }

  /** The whole of a cell of which a part was held back; null where none was. */
  #gather(buffer: Buffer, cell: number, at: number): Buffer | null {
    return this.#held.length === 0 ? null : this.#held.copy(buffer, cell, at).take();
  }

  /** The cell stays as it came. */
  #leave(buffer: Buffer, cell: number, at: number): void {
    this.#putBack(this.#gather(buffer, cell, at), cell, at);
  }

  #putBack(held: Buffer | null, cell: number, at: number): void {
    if (held === null) return;
    const offset = this.#splice(cell, at, held.length);
    held.copy(this.#out.buffer, offset);
  }

  /** Puts `size` bytes in the place of [cell, at); answers where they have to be written in `out`. */
  #splice(cell: number, at: number, size: number): number {
    this.#copyUntil(cell);
    if (this.#copied === -1) this.#copied = this.#out.length - (cell - this.#start);
    this.#from = at;
    return this.#out.reserve(size);
  }

  #copyUntil(end: number): void {
    if (end <= this.#from) return;
    this.#out.copy(this.#buffer, this.#from, end);
    this.#from = end;
  }
}

function isSame(bytes: Buffer, buffer: Buffer, start: number, end: number): boolean {
  if (bytes.length !== end - start) return false;
  for (let i = 0; i < bytes.length; i++) if (bytes[i] !== buffer[start + i]) return false;
  return true;
}
