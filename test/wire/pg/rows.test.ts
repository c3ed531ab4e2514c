// The row masker against a plain model of the message, for random rows, plans and damage.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { CellMask, RowPlan } from '../../../src/types.ts';
import { Writer } from '../../../src/wire/bytes.ts';
import { RowMasker } from '../../../src/wire/pg/rows.ts';

type Cell = Uint8Array | null;

function dataRow(cells: readonly Cell[]): Buffer {
  const out = new Writer(16);
  const mark = out.begin(0x44);
  out.i16(cells.length);
  for (const cell of cells) {
    if (cell === null) out.i32(-1);
    else out.i32(cell.length).bytes(cell);
  }
  return out.finish(mark).take();
}

const NULLED: CellMask = () => null;
const WORD: CellMask = () => Buffer.from('[redacted]');
const LONG: CellMask = () => Buffer.alloc(300, 'x');
const LEFT: CellMask = () => undefined;
const REVERSED: CellMask = (buffer, start, end) => Uint8Array.from(buffer.subarray(start, end)).reverse();

const cell = fc.option(fc.uint8Array({ maxLength: 120 }));
const mask = fc.constantFrom<CellMask | undefined>(undefined, undefined, LEFT, NULLED, WORD, LONG, REVERSED);
const row = fc
  .array(fc.tuple(cell, mask), { maxLength: 12 })
  .map((pairs) => ({ cells: pairs.map(([c]) => c), plan: pairs.map(([, m]) => m) }));

function expected(cells: readonly Cell[], plan: RowPlan): Buffer {
  return dataRow(
    cells.map((c, i) => {
      const rewrite = plan[i];
      if (c === null || rewrite === undefined) return c;
      const value = rewrite(Buffer.from(c), 0, c.length);
      return value === undefined ? c : value;
    }),
  );
}

function drained(masker: RowMasker): Buffer {
  const parts: Buffer[] = [];
  masker.drain((buffer, start, end) => parts.push(Buffer.from(buffer.subarray(start, end))));
  return Buffer.concat(parts);
}

test('rewrites the cells of the plan and leaves every other byte', () => {
  fc.assert(
    fc.property(row, fc.nat(20), fc.nat(20), ({ cells, plan }, before, behind) => {
      const message = dataRow(cells);
      const buffer = Buffer.concat([Buffer.alloc(before, 1), message, Buffer.alloc(behind, 2)]);
      const masker = new RowMasker();
      const masked = masker.row(buffer, before, before + message.length, plan);
      assert.equal(masked, cells.filter((c, i) => c !== null && plan[i] !== undefined && plan[i] !== LEFT).length);
      assert.deepEqual(drained(masker), expected(cells, plan));
      assert.ok(masker.empty);
      assert.deepEqual(buffer.subarray(0, before), Buffer.alloc(before, 1), 'nothing before the row is written to');
      assert.deepEqual(buffer.subarray(before + message.length), Buffer.alloc(behind, 2), 'nor behind it');
    }),
  );
});

test('row behind row, in one buffer or several, drained at any moment', () => {
  const rows = fc.array(fc.record({ row, together: fc.boolean(), drain: fc.boolean() }), { maxLength: 12 });
  fc.assert(
    fc.property(rows, (list) => {
      const buffers: Buffer[] = [];
      for (const {
        row: { cells },
        together,
      } of list) {
        const last = buffers.pop();
        const message = dataRow(cells);
        if (last !== undefined) buffers.push(together ? Buffer.concat([last, message]) : last);
        if (last === undefined || !together) buffers.push(message);
      }
      const masker = new RowMasker();
      const out: Buffer[] = [];
      let at = 0;
      let buffer = buffers.shift() ?? Buffer.alloc(0);
      for (const {
        row: { cells, plan },
        drain,
      } of list) {
        if (at === buffer.length) [buffer, at] = [buffers.shift() ?? Buffer.alloc(0), 0];
        const end = at + dataRow(cells).length;
        assert.ok(masker.row(buffer, at, end, plan) >= 0);
        at = end;
        if (drain) out.push(drained(masker));
      }
      out.push(drained(masker));
      assert.deepEqual(
        Buffer.concat(out),
        Buffer.concat(list.map(({ row: { cells, plan } }) => expected(cells, plan))),
      );
    }),
  );
});

test('where no length changes, the rows leave in the buffer in which they came', () => {
  const message = dataRow([Buffer.from('secret'), Buffer.from('open')]);
  const buffer = Buffer.concat([message, message]);
  const masker = new RowMasker();
  masker.row(buffer, 0, message.length, [REVERSED, undefined]);
  masker.row(buffer, message.length, buffer.length, [REVERSED, undefined]);
  const passed: [Buffer, number, number][] = [];
  masker.drain((...span) => passed.push(span));
  assert.equal(passed.length, 1);
  assert.equal(passed[0]?.[0], buffer);
  assert.deepEqual(buffer.subarray(0, message.length), dataRow([Buffer.from('terces'), Buffer.from('open')]));
});

test('a message that is not exactly a row of the plan is refused', () => {
  fc.assert(
    fc.property(row, fc.nat(), fc.integer({ min: 1, max: 255 }), ({ cells, plan }, place, change) => {
      const message = dataRow(cells);
      const at = place % message.length;
      message[at] = (message[at] ?? 0) ^ change;
      const masker = new RowMasker();
      if (masker.row(message, 0, message.length, plan) >= 0) assert.equal(drained(masker)[0], 0x44);
    }),
  );
  const message = dataRow([Buffer.from('secret'), null]);
  const plan = [WORD, undefined];
  const refused = (bytes: Buffer, start: number, end: number, p: RowPlan): void => {
    assert.equal(new RowMasker().row(Buffer.from(bytes), start, end, p), -1);
  };
  for (let end = 0; end < message.length; end++) {
    refused(Buffer.from(message.subarray(0, end)), 0, message.length, plan);
    refused(message, 0, end, plan);
    const short = Buffer.from(message.subarray(0, end));
    if (end >= 5) short.writeInt32BE(end - 1, 1);
    refused(short, 0, end, plan);
    refused(short, 0, message.length, plan);
  }
  refused(message, 0, message.length, [WORD]);
  refused(message, 0, message.length, [WORD, undefined, undefined]);
  const longer = Buffer.concat([message, Buffer.from([0])]);
  longer.writeInt32BE(longer.length - 1, 1);
  refused(longer, 0, longer.length, plan);
  for (const length of [-2, -0x80000000, 0x7fffffff, 7]) {
    const wrong = Buffer.from(message);
    wrong.writeInt32BE(length, 7);
    refused(wrong, 0, wrong.length, plan);
  }
  for (const length of [message.length, message.length - 2, 0, -1]) {
    const wrong = Buffer.from(message);
    wrong.writeInt32BE(length, 1);
    refused(wrong, 0, wrong.length, plan);
  }
  const description = Buffer.from(message);
  description[0] = 0x54;
  refused(description, 0, description.length, plan);
});
