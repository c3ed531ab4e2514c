// How fast rows are masked: 1,000,000 rows of 8 text columns through the row masker and the COPY masker, next to a copy of the same bytes.

import { cellMask } from '../src/mask/strategies.ts';
import type { CopyForm, RowPlan } from '../src/types.ts';
import { Writer } from '../src/wire/bytes.ts';
import { copyMasker } from '../src/wire/pg/copy.ts';
import { RowMasker } from '../src/wire/pg/rows.ts';

const ROWS = 1_000_000;
const BATCH_ROWS = 1000;
const ROUNDS = 5;
const TEXT = 25;

const CELLS = ['184467', '2024-05-17', 'Ada Lovelace', 'ada.lovelace@example.com', '+44 20 7946 0018', 't', '1815.12'];
const LAST = '12 St James Square, London SW1Y 4LB, United Kingdom';

/** Messages of a batch and where each one ends. */
function rows(): { bytes: Buffer; ends: number[] } {
  const out = new Writer();
  const ends: number[] = [];
  for (let row = 0; row < BATCH_ROWS; row++) {
    const mark = out.begin(0x44);
    out.i16(CELLS.length + 1);
    for (const cell of [...CELLS, LAST.slice(0, 10 + (row % 40))]) out.i32(cell.length).bytes(Buffer.from(cell));
    out.finish(mark);
    ends.push(out.length);
  }
  return { bytes: out.take(), ends };
}

const { bytes, ends } = rows();
const redact = cellMask({ kind: 'redact' }, TEXT, -1, 0);
const partial = cellMask({ kind: 'partial', keepStart: 0, keepEnd: 4 }, TEXT, -1, 0);
const none = undefined;

const masker = new RowMasker();
/** A batch is masked in place: each run gets a copy, and so does the walk. */
const work = Buffer.from(bytes);

/** Cell by cell without a plan: what every way of masking has to do at least. */
function walk(): void {
  bytes.copy(work);
  let cells = 0;
  for (let start = 0; start < bytes.length; ) {
    const end = start + 1 + bytes.readInt32BE(start + 1);
    for (let at = start + 7; at < end; cells++) at += 4 + Math.max(0, bytes.readInt32BE(at));
    start = end;
  }
  if (cells !== 8 * BATCH_ROWS) throw new Error('the walk went wrong');
}

function masking(plan: RowPlan): () => void {
  return () => {
    bytes.copy(work);
    let start = 0;
    for (const end of ends) {
      if (masker.row(work, start, end, plan) < 0) throw new Error('a row was malformed');
      start = end;
    }
    masker.drain(() => {});
  };
}

const TEXT_FORM: CopyForm = {
  format: 'text',
  delimiter: '\t',
  null: '\\N',
  quote: '"',
  escape: '"',
  header: false,
  encoding: null,
  unknown: null,
};

/** The same rows as COPY sends them; of CSV every cell that holds a delimiter is quoted. */
function copying(form: CopyForm, plan: RowPlan): Case {
  const out = new Writer();
  const sent: number[] = [];
  for (let row = 0; row < BATCH_ROWS; row++) {
    const mark = out.begin(0x64);
    const cells = [...CELLS, LAST.slice(0, 10 + (row % 40))];
    const line = cells.map((cell) => (form.format === 'csv' && cell.includes(form.delimiter) ? `"${cell}"` : cell));
    out.bytes(Buffer.from(`${line.join(form.delimiter)}\n`)).finish(mark);
    sent.push(out.length);
  }
  const data = out.take();
  const area = Buffer.from(data);
  const copies = copyMasker(form, plan);
  if (copies === null) throw new Error('the form is not one that is masked');
  const run = (): void => {
    data.copy(area);
    let start = 0;
    for (const end of sent) {
      if (copies.message(area, start, end) < 0) throw new Error('a row was malformed');
      start = end;
    }
    copies.drain(() => {});
  };
  return { run, bytes: data.length };
}

interface Case {
  readonly run: () => void;
  /** Of a batch. */
  readonly bytes: number;
}

const TWO: RowPlan = [none, none, redact, partial, none, none, none, none];
const CSV_FORM: CopyForm = { ...TEXT_FORM, format: 'csv', delimiter: ',', null: '' };
const messages = (run: () => void): Case => ({ run, bytes: bytes.length });

const CASES: readonly (readonly [name: string, load: Case])[] = [
  ['copy and walk', messages(walk)],
  ['1 of 8 redacted', messages(masking([none, none, none, redact, none, none, none, none]))],
  ['1 of 8 partial', messages(masking([none, none, none, partial, none, none, none, none]))],
  ['2 of 8 (redact, partial)', messages(masking(TWO))],
  ['8 of 8 partial', messages(masking(Array.from({ length: 8 }, () => partial)))],
  ['COPY text, 2 of 8', copying(TEXT_FORM, TWO)],
  ['COPY CSV, 2 of 8', copying(CSV_FORM, TWO)],
];

/** Best of interleaved rounds, in seconds for all the rows. */
const best = new Map<string, number>();
for (let round = 0; round <= ROUNDS; round++) {
  for (const [name, { run }] of CASES) {
    const began = performance.now();
    for (let n = 0; n < ROWS; n += BATCH_ROWS) run();
    const seconds = (performance.now() - began) / 1000;
    if (round > 0) best.set(name, Math.min(seconds, best.get(name) ?? Number.POSITIVE_INFINITY));
  }
}

const reference = best.get('copy and walk') ?? 1;
console.log(
  `${ROWS.toLocaleString('en')} rows of 8 columns, ${(bytes.length / BATCH_ROWS).toFixed(0)} bytes each, best of ${ROUNDS}`,
);
for (const [name, load] of CASES) {
  const seconds = best.get(name) ?? Number.NaN;
  const total = (load.bytes / BATCH_ROWS) * ROWS;
  const rate = `${(total / seconds / 1e6).toFixed(0).padStart(6)} MB/s`;
  const perRow = `${((seconds / ROWS) * 1e9).toFixed(0).padStart(6)} ns a row`;
  console.log(`${name.padEnd(26)}${rate}${perRow}   ${(reference / seconds).toFixed(2)} × copy and walk`);
}
