// maskDataRow against a plain model of the message, for random rows, plans and damage.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { CellMask, RowPlan } from '../../../src/types.ts';
import { Writer } from '../../../src/wire/bytes.ts';
import { maskDataRow } from '../../../src/wire/pg/rows.ts';

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
const REVERSED: CellMask = (buffer, start, end) => Uint8Array.from(buffer.subarray(start, end)).reverse();

const cell = fc.option(fc.uint8Array({ maxLength: 120 }));
const mask = fc.constantFrom<CellMask | undefined>(undefined, undefined, NULLED, WORD, LONG, REVERSED);
const row = fc
  .array(fc.tuple(cell, mask), { maxLength: 12 })
  .map((pairs) => ({ cells: pairs.map(([c]) => c), plan: pairs.map(([, m]) => m) }));

function expected(cells: readonly Cell[], plan: RowPlan): Buffer {
  return dataRow(
    cells.map((c, i) => {
      const rewrite = plan[i];
      return c === null || rewrite === undefined ? c : rewrite(Buffer.from(c), 0, c.length);
    }),
  );
}

test('rewrites the cells of the plan and leaves every other byte', () => {
  fc.assert(
    fc.property(row, fc.nat(20), fc.nat(20), ({ cells, plan }, before, behind) => {
      const message = dataRow(cells);
      const buffer = Buffer.concat([Buffer.alloc(before, 1), message, Buffer.alloc(behind, 2)]);
      const out = new Writer(16);
      out.u8(7);
      const masked = maskDataRow(buffer, before, before + message.length, plan, out);
      assert.equal(masked, cells.filter((c, i) => c !== null && plan[i] !== undefined).length);
      assert.deepEqual(out.take(), Buffer.concat([Buffer.from([7]), expected(cells, plan)]));
      assert.deepEqual(buffer.subarray(before, before + message.length), message, 'the input is not written to');
    }),
  );
});

test('appends row behind row', () => {
  fc.assert(
    fc.property(fc.array(row, { maxLength: 8 }), (rows) => {
      const out = new Writer(16);
      for (const { cells, plan } of rows) {
        const message = dataRow(cells);
        assert.ok(maskDataRow(message, 0, message.length, plan, out) >= 0);
      }
      assert.deepEqual(out.take(), Buffer.concat(rows.map(({ cells, plan }) => expected(cells, plan))));
    }),
  );
});

test('a message that is not exactly a row of the plan is refused and nothing of it is written', () => {
  fc.assert(
    fc.property(row, fc.nat(), fc.integer({ min: 1, max: 255 }), ({ cells, plan }, place, change) => {
      const message = dataRow(cells);
      const at = place % message.length;
      message[at] = (message[at] ?? 0) ^ change;
      const out = new Writer(16).u8(7);
      const masked = maskDataRow(message, 0, message.length, plan, out);
      if (masked === -1) assert.deepEqual(out.take(), Buffer.from([7]));
      else assert.equal(out.take().readInt8(1), 0x44);
    }),
  );
  const message = dataRow([Buffer.from('secret'), null]);
  const plan = [WORD, undefined];
  const out = new Writer();
  const refused = (bytes: Buffer, start: number, end: number, p: RowPlan): void => {
    assert.equal(maskDataRow(bytes, start, end, p, out), -1);
    assert.equal(out.length, 0);
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
