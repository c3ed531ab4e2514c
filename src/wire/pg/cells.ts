// The cells of COPY's text and CSV formats: where they end, what they say, and how other bytes are written in their place
// (PostgreSQL, COPY, "File Formats").
//
// An automaton over bytes finds the ends, one table look-up a byte. It takes what a server writes (CopyAttributeOutText and
// CopyAttributeOutCSV in commands/copyto.c) and nothing else: what COPY FROM would put up with beyond that (a quote amid a cell, a
// backslash before the line's end, CR) is malformed, because two readers could see different cells in it.

import type { CopyForm } from '../../types.ts';

/** Where a reader is inside a row; from `endCell` on, what the byte just read has ended. */
export const STATE = {
  rowStart: 0,
  cellStart: 1,
  plain: 2,
  /** Text: behind a backslash that opens the row, which may become `\.`, the end-of-data marker. CSV: the same, unquoted. */
  firstBackslash: 3,
  mark: 4,
  /** Text: there were escapes before. */
  escaped: 5,
  backslash: 6,
  /** CSV, inside quotes: without an escape so far, and with one. */
  quoted: 7,
  quotedEscaped: 8,
  /** CSV, behind the escape character where that is not the quote. */
  escape: 9,
  /** CSV, behind a quote: the cell's last, or the first of a pair. */
  closed: 10,
  closedEscaped: 11,
  endCell: 12,
  endRow: 13,
  endData: 14,
  bad: 15,
} as const;

const BACKSLASH = 0x5c;
const DOT = 0x2e;
const NEWLINE = 0x0a;
const RETURN = 0x0d;

/** What no text delimiter may be: it would read as part of an escape (commands/copy.c). */
const NO_DELIMITER = /[\\.a-z0-9]/;

/** Control characters with a letter of their own behind a backslash. */
const LETTERS: ReadonlyMap<number, number> = new Map(
  Object.entries({ b: 0x08, f: 0x0c, n: NEWLINE, r: RETURN, t: 0x09, v: 0x0b }).map(([letter, byte]) => [
    byte,
    letter.charCodeAt(0),
  ]),
);
/** By the byte that has to be escaped in text: the byte behind the backslash, or 0. */
const TEXT_ESCAPES = new Uint8Array(256);
for (const [byte, letter] of LETTERS) TEXT_ESCAPES[byte] = letter;
TEXT_ESCAPES[BACKSLASH] = BACKSLASH;
/** The way back, for letters alone. */
const TEXT_LETTERS = new Uint8Array(256);
for (const [byte, letter] of LETTERS) TEXT_LETTERS[letter] = byte;

/** One COPY's way of writing cells. */
export interface Cells {
  readonly csv: boolean;
  /** `table[state << 8 | byte]` is the next state. */
  readonly table: Uint8Array;
  readonly quote: number;
  readonly escape: number;
  /** Text: as TEXT_ESCAPES, with the delimiter. CSV: 1 for each byte that makes a cell be quoted. */
  readonly special: Uint8Array;
  /** What stands for NULL. */
  readonly null: Buffer;
  /**
   * The server writes a value like this too, so that it hides whether a cell is NULL or that very value. The empty one does not
   * count: it gives away no more than emptiness.
   */
  readonly nullIsValue: boolean;
}

/** Null where the server would not write in such a form either, or where it could not be read for certain. */
export function cellsOf(form: CopyForm): Cells | null {
  const csv = form.format === 'csv';
  if (![form.delimiter, form.quote, form.escape].every(isOneByte)) return null;
  if (csv ? form.delimiter === form.quote : NO_DELIMITER.test(form.delimiter)) return null;
  const delimiter = form.delimiter.charCodeAt(0);
  const quote = form.quote.charCodeAt(0);
  const escapeByte = form.escape.charCodeAt(0);
  const special = csv ? new Uint8Array(256) : Uint8Array.from(TEXT_ESCAPES);
  for (const byte of csv ? [delimiter, quote, NEWLINE, RETURN] : []) special[byte] = 1;
  if (!csv) special[delimiter] ||= delimiter;
  const table = csv ? csvTable(delimiter, quote, escapeByte) : textTable(delimiter);
  const cells = { csv, table, quote, escape: escapeByte, special, null: Buffer.from(form.null), nullIsValue: false };
  let state: number = STATE.cellStart;
  for (const byte of cells.null) state = table[(state << 8) | byte] ?? STATE.bad;
  const readable = csv ? state <= STATE.mark : state <= STATE.escaped;
  if (!readable) return null;
  return { ...cells, nullIsValue: !csv && cells.null.length > 0 && isWritten(cells) };
}

/** One byte in UTF-8, and not one that ends lines or texts. */
function isOneByte(character: string): boolean {
  const code = character.charCodeAt(0);
  return character.length === 1 && code > 0 && code < 0x80 && code !== NEWLINE && code !== RETURN;
}

/** Whether the server writes a value in the same bytes as NULL. */
function isWritten(cells: Cells): boolean {
  const value = Buffer.alloc(cells.null.length);
  const length = readCell(cells, cells.null, 0, cells.null.length, value);
  const size = writtenLength(cells, value.subarray(0, length));
  const written = Buffer.alloc(size);
  writeCell(cells, value.subarray(0, length), size, written, 0);
  return written.equals(cells.null);
}

type Row = readonly (readonly [byte: number, next: number])[];

function tableOf(rows: readonly (readonly [state: number, others: number, row: Row])[]): Uint8Array {
  const table = new Uint8Array(STATE.endCell << 8).fill(STATE.bad);
  for (const [state, others, row] of rows) {
    table.fill(others, state << 8, (state + 1) << 8);
    // No text holds a NUL; outside quotes and escapes nothing holds a CR. Later entries of a row win.
    table[state << 8] = STATE.bad;
    if (state !== STATE.quoted && state !== STATE.quotedEscaped) table[(state << 8) | RETURN] = STATE.bad;
    for (const [byte, next] of row) table[(state << 8) | byte] = next;
  }
  return table;
}

function textTable(delimiter: number): Uint8Array {
  const ends: Row = [
    [delimiter, STATE.endCell],
    [NEWLINE, STATE.endRow],
  ];
  const plain: Row = [...ends, [BACKSLASH, STATE.backslash]];
  const behind: Row = [[NEWLINE, STATE.bad]];
  return tableOf([
    [STATE.rowStart, STATE.plain, [...ends, [BACKSLASH, STATE.firstBackslash]]],
    [STATE.cellStart, STATE.plain, plain],
    [STATE.plain, STATE.plain, plain],
    [STATE.escaped, STATE.escaped, plain],
    [STATE.backslash, STATE.escaped, behind],
    [STATE.firstBackslash, STATE.escaped, [...behind, [DOT, STATE.mark]]],
    [STATE.mark, STATE.escaped, [...plain, [NEWLINE, STATE.endData]]],
  ]);
}

function csvTable(delimiter: number, quote: number, escapeByte: number): Uint8Array {
  const ends: Row = [
    [NEWLINE, STATE.endRow],
    [delimiter, STATE.endCell],
  ];
  const plain: Row = [...ends, [quote, STATE.bad]];
  const start: Row = [...ends, [quote, STATE.quoted]];
  const inside: Row = escapeByte === quote ? [] : [[escapeByte, STATE.escape]];
  const behind: Row = escapeByte === quote ? [[quote, STATE.quotedEscaped]] : [];
  return tableOf([
    [STATE.rowStart, STATE.plain, [[BACKSLASH, STATE.firstBackslash], ...start]],
    [STATE.cellStart, STATE.plain, start],
    [STATE.plain, STATE.plain, plain],
    [STATE.firstBackslash, STATE.plain, [[DOT, STATE.mark], ...plain]],
    [STATE.mark, STATE.plain, [...plain, [NEWLINE, STATE.endData]]],
    [STATE.quoted, STATE.quoted, [[quote, STATE.closed], ...inside]],
    [STATE.quotedEscaped, STATE.quotedEscaped, [[quote, STATE.closedEscaped], ...inside]],
    [
      STATE.escape,
      STATE.bad,
      [
        [quote, STATE.quotedEscaped],
        [escapeByte, STATE.quotedEscaped],
      ],
    ],
    [STATE.closed, STATE.bad, [...ends, ...behind]],
    [STATE.closedEscaped, STATE.bad, [...ends, ...behind]],
  ]);
}

/** Whether a cell that ended in `state` stands between quotes. */
export function isQuoted(state: number): boolean {
  return state >= STATE.closed;
}

/** Whether a cell that ended in `state` says something else than its bytes (inside the quotes). */
export function hasEscapes(cells: Cells, state: number): boolean {
  return cells.csv ? state === STATE.closedEscaped : state >= STATE.mark;
}

/**
 * Writes what the cell [start, end), without its quotes, says to the beginning of `into`, which is at least as long. Answers
 * how many bytes that are.
 */
export function readCell(cells: Cells, buffer: Uint8Array, start: number, end: number, into: Uint8Array): number {
  const prefix = cells.csv ? cells.escape : BACKSLASH;
  let length = 0;
  for (let at = start; at < end; ) {
    let byte = buffer[at++] ?? 0;
    if (byte === prefix && at < end) {
      byte = buffer[at++] ?? 0;
      if (!cells.csv) {
        // One to three octal digits, or `x` and one or two hexadecimal ones.
        const hex = byte === 0x78;
        const from = hex ? at : at - 1;
        const behind = digitsEnd(buffer, from, Math.min(end, from + (hex ? 2 : 3)), hex ? 16 : 8);
        if (behind > from) {
          byte = 0;
          for (at = from; at < behind; at++) byte = byte * (hex ? 16 : 8) + digit(buffer[at] ?? 0);
        } else byte = TEXT_LETTERS[byte] || byte;
      }
    }
    into[length++] = byte; // modulo 256, as the server has it
  }
  return length;
}

function digitsEnd(buffer: Uint8Array, from: number, limit: number, base: number): number {
  let at = from;
  while (at < limit && digit(buffer[at] ?? 0) < base) at++;
  return at;
}

/** A hexadecimal digit's value, or 16. */
function digit(byte: number): number {
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30;
  const letter = byte | 0x20;
  return letter >= 0x61 && letter <= 0x66 ? letter - 0x57 : 16;
}

/**
 * How many bytes a value takes as a cell; as many as it has where it stands as it is. A CSV cell is quoted for what it holds and
 * never because the one that it replaces was: with a delimiter of one's choice that would tell of each value which characters
 * are in it.
 */
export function writtenLength(cells: Cells, value: Uint8Array): number {
  let specials = 0;
  for (let i = 0; i < value.length; i++) if (cells.special[value[i] ?? 0] !== 0) specials++;
  if (!cells.csv) return value.length + specials;
  if (specials === 0 && !cells.null.equals(value) && !isMark(value)) return value.length;
  let doubled = 0;
  for (const byte of value) if (byte === cells.quote || byte === cells.escape) doubled++;
  return value.length + doubled + 2;
}

/** Writes a value as the cell of `size` bytes, as `writtenLength` has it, to `into` at `at`. */
export function writeCell(cells: Cells, value: Uint8Array, size: number, into: Buffer, at: number): void {
  if (size === value.length) return overwrite(into, at, value);
  let to = at;
  if (cells.csv) into[to++] = cells.quote;
  for (const byte of value) {
    const behind = cells.csv ? byte : cells.special[byte] || byte;
    if (cells.csv ? byte === cells.quote || byte === cells.escape : cells.special[byte] !== 0) {
      into[to++] = cells.csv ? cells.escape : BACKSLASH;
    }
    into[to++] = behind;
  }
  if (cells.csv) into[to] = cells.quote;
}

/** `\.` alone on a line ends the data for some readers of CSV. */
function isMark(value: Uint8Array): boolean {
  return value.length === 2 && value[0] === BACKSLASH && value[1] === DOT;
}

/** Copies bytes; the cells that this is for are short, and a loop beats a call. */
export function overwrite(into: Buffer, at: number, value: Uint8Array): void {
  for (let i = 0; i < value.length; i++) into[at + i] = value[i] ?? 0;
}
