// A model of what COPY … TO STDOUT writes, and random tables, forms and plans for it.

import fc from 'fast-check';
import type { CellMask, CopyForm, RowPlan } from '../../../src/types.ts';
import { Writer } from '../../../src/wire/bytes.ts';
import type { CopyMasker } from '../../../src/wire/pg/copy.ts';

export type Cell = string | null;
export type Table = readonly (readonly Cell[])[];

/** A form, and whether every column is in FORCE_QUOTE. */
export type Form = CopyForm & { readonly forced: boolean };

const DEFAULTS = { header: false, encoding: null, unknown: null, forced: false };
export const TEXT: Form = { ...DEFAULTS, format: 'text', delimiter: '\t', null: '\\N', quote: '"', escape: '"' };
export const CSV: Form = { ...TEXT, format: 'csv', delimiter: ',', null: '' };
export const BINARY: Form = { ...TEXT, format: 'binary' };

/** The options as COPY takes them. */
export function options(form: Form, into: 'TO' | 'FROM'): string {
  if (form.format === 'binary') return '(FORMAT binary)';
  const literal = (text: string) => `E'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
  const list = [`FORMAT ${form.format}`, `DELIMITER ${literal(form.delimiter)}`, `NULL ${literal(form.null)}`];
  if (form.header) list.push('HEADER');
  if (form.format === 'csv') list.push(`QUOTE ${literal(form.quote)}`, `ESCAPE ${literal(form.escape)}`);
  if (form.forced && into === 'TO') list.push('FORCE_QUOTE *');
  return `(${list.join(', ')})`;
}

const CONTROL: Record<string, string> = { '\b': 'b', '\f': 'f', '\n': 'n', '\r': 'r', '\t': 't', '\v': 'v' };

function textCell(form: Form, value: string): string {
  return [...value]
    .map((c) => (c in CONTROL ? `\\${CONTROL[c]}` : c === '\\' || c === form.delimiter ? `\\${c}` : c))
    .join('');
}

function csvCell(form: Form, value: string, forced: boolean): string {
  const { delimiter, quote } = form;
  const needed = value === form.null || [delimiter, quote, '\n', '\r'].some((c) => value.includes(c));
  if (!needed && !forced) return value;
  const inside = [...value].map((c) => (c === quote || c === form.escape ? form.escape + c : c)).join('');
  return quote + inside + quote;
}

function binaryRow(cells: readonly Cell[]): Buffer {
  const out = new Writer().i16(cells.length);
  for (const cell of cells) {
    if (cell === null) out.i32(-1);
    else out.i32(Buffer.byteLength(cell)).bytes(Buffer.from(cell));
  }
  return out.take();
}

/** Whether a cell is quoted though what it holds is no reason to. */
export type Quoting = (column: number, value: string) => boolean;

/** The pieces that a server sends in a message each, in CSV with these quotes. */
export function pieces(
  form: Form,
  names: readonly string[],
  table: Table,
  quoted: Quoting = (_, value) => form.forced || isLoneMark(names, value),
): Buffer[] {
  if (form.format === 'binary') {
    const head = Buffer.concat([Buffer.from('PGCOPY\n\xff\r\n\0', 'latin1'), Buffer.alloc(8)]);
    const rows = table.map(binaryRow);
    const first = rows.shift();
    const end = Buffer.from([0xff, 0xff]);
    // The header goes out with what comes first.
    return first === undefined ? [Buffer.concat([head, end])] : [Buffer.concat([head, first]), ...rows, end];
  }
  const line = (cells: readonly Cell[], quotes: Quoting) =>
    cells.map((cell, column) => {
      if (cell === null) return form.null;
      return form.format === 'csv' ? csvCell(form, cell, quotes(column, cell)) : textCell(form, cell);
    });
  const lines = table.map((cells) => line(cells, quoted));
  if (form.header) lines.unshift(line(names, (_, value) => isLoneMark(names, value)));
  return lines.map((cells) => Buffer.from(`${cells.join(form.delimiter)}\n`));
}

/** The server quotes `\.` where a line would hold nothing else. */
export function isLoneMark(names: readonly string[], value: string): boolean {
  return names.length === 1 && value === '\\.';
}

/** What the plan makes of a table. In text with NULL '', an empty value is NULL for all that a reader can tell. */
export function masked(form: Form, table: Table, plan: RowPlan): { table: Table; count: number } {
  let count = 0;
  const rows = table.map((cells) =>
    cells.map((cell, column): Cell => {
      const mask = plan[column];
      if (mask === undefined || cell === null) return cell;
      if (form.format === 'text' && cell === '' && form.null === '') return cell;
      count++;
      const value = mask(Buffer.from(cell), 0, Buffer.byteLength(cell));
      if (value === undefined) return cell;
      return value && Buffer.from(value).toString();
    }),
  );
  return { table: rows, count };
}

export function message(payload: Uint8Array): Buffer {
  const out = new Writer(payload.length + 5);
  const mark = out.begin(0x64);
  return out.bytes(payload).finish(mark).take();
}

/** What has been masked, message by message; throws where one is not CopyData with its length. */
export function drained(masker: CopyMasker): Buffer[] {
  const parts: Buffer[] = [];
  masker.drain((buffer, start, end) => parts.push(Buffer.from(buffer.subarray(start, end))));
  const bytes = Buffer.concat(parts);
  const payloads: Buffer[] = [];
  for (let at = 0; at < bytes.length; ) {
    const end = at + 1 + bytes.readInt32BE(at + 1);
    if (bytes[at] !== 0x64 || end > bytes.length) throw new Error('what leaves is not a row of messages');
    payloads.push(bytes.subarray(at + 5, end));
    at = end;
  }
  return payloads;
}

// --- Random ones ---------------------------------------------------------------------------------------------------------

const unit = fc.constantFrom(...'abNtnx17 \\.,|;~\'"\t\n\r\b\f\v\x01é€😀');
export const word = fc.string({ unit, maxLength: 8 });
export const cell: fc.Arbitrary<Cell> = fc.oneof(
  { weight: 8, arbitrary: word },
  { weight: 2, arbitrary: fc.constant(null) },
  { weight: 2, arbitrary: fc.constantFrom('', '\\.', '\\N', 'NULL', 'N', '\\', '.') },
);

const text = fc
  .record({
    delimiter: fc.constantFrom('\t', '|', ',', '\x01', 'N', '~'),
    null: fc.constantFrom('\\N', '', '\\x', '\\Né'),
    header: fc.boolean(),
  })
  .map((given): Form => ({ ...TEXT, ...given }));
const csv = fc
  .record({
    delimiter: fc.constantFrom(',', ';', '\t', 'a', '\\', '.', '\x01'),
    quote: fc.constantFrom('"', "'", '~', '\\'),
    escape: fc.constantFrom(null, '"', '\\', ',', 'x'),
    null: fc.constantFrom('', 'NULL', '\\N', 'n', ' '),
    header: fc.boolean(),
    forced: fc.boolean(),
  })
  .map((given): Form => ({ ...CSV, ...given, escape: given.escape ?? given.quote }));

/** Forms that a server accepts. */
export const form = fc.oneof(text, csv, fc.constant(BINARY)).filter((f) => {
  if (f.null.includes(f.delimiter)) return false;
  return f.format !== 'csv' || (f.delimiter !== f.quote && !f.null.includes(f.quote));
});

export const MASKS = {
  nulled: () => null,
  word: () => Buffer.from('[redacted]'),
  /** Every character that some form has to escape. */
  special: () => Buffer.from('\\.\t|,;~\'"\n\rN\x01é'),
  empty: () => Buffer.alloc(0),
  mark: () => Buffer.from('\\.'),
  reversed: (buffer, start, end) => Buffer.from([...buffer.toString('utf8', start, end)].reverse().join('')),
} as const satisfies Record<string, CellMask>;

const mask = fc.constantFrom<CellMask | undefined>(undefined, undefined, ...Object.values(MASKS));

/** A table, the columns' names and a plan for them. */
export const copied = fc.integer({ min: 1, max: 5 }).chain((columns) =>
  fc.record({
    names: fc.array(
      word.filter((name) => name !== ''),
      { minLength: columns, maxLength: columns },
    ),
    table: fc.array(fc.array(cell, { minLength: columns, maxLength: columns }), { maxLength: 8 }),
    plan: fc.array(mask, { minLength: columns, maxLength: columns }),
  }),
);
