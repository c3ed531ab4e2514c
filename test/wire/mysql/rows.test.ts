// Rows rewritten by a plan, in the text and in the binary protocol, against a plain rendering of the same.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { CellMask, Column } from '../../../src/types.ts';
import { packets } from '../../../src/wire/mysql/frame.ts';
import { lenenc, Type } from '../../../src/wire/mysql/messages.ts';
import { RowMasker, rowForm } from '../../../src/wire/mysql/rows.ts';

const VAR_STRING = 253;
/** A type, and values of it as the binary protocol has them without what says their length. */
const TYPES = [
  [VAR_STRING, fc.uint8Array({ maxLength: 300 })],
  [Type.long, fc.uint8Array({ minLength: 4, maxLength: 4 })],
  [Type.tiny, fc.uint8Array({ minLength: 1, maxLength: 1 })],
  [Type.double, fc.uint8Array({ minLength: 8, maxLength: 8 })],
  [Type.datetime, fc.constantFrom(0, 4, 7, 11).chain((n) => fc.uint8Array({ minLength: n, maxLength: n }))],
] as const;

const cell = fc.constantFrom(...TYPES).chain(([type, value]) =>
  fc.record({
    type: fc.constant(type as number),
    value: fc.option(value, { nil: null, freq: 5 }),
    mask: fc.oneof(fc.constantFrom('none' as const, 'same' as const, 'null' as const), value),
  }),
);
const table = fc.array(cell, { minLength: 1, maxLength: 12 }).chain((columns) =>
  fc.tuple(
    fc.constant(columns),
    fc.array(
      fc.tuple(
        ...columns.map(({ type }) => {
          const [, value] = TYPES.find(([known]) => known === type) ?? TYPES[0];
          return fc.option(value as fc.Arbitrary<Uint8Array>, { nil: null, freq: 5 });
        }),
      ),
      { minLength: 1, maxLength: 5 },
    ),
  ),
);

function bounded(type: number, value: Uint8Array, binary: boolean): Buffer {
  if (!binary || type === VAR_STRING) return Buffer.concat([lenenc(value.length), value]);
  if (type === Type.datetime) return Buffer.concat([Buffer.from([value.length]), value]);
  return Buffer.from(value);
}

function rowOf(types: readonly number[], values: readonly (Uint8Array | null)[], binary: boolean, id: number): Buffer {
  const parts: Buffer[] = [];
  if (binary) {
    const head = Buffer.alloc(1 + ((values.length + 9) >> 3));
    for (const [i, value] of values.entries()) {
      if (value === null) head[1 + ((i + 2) >> 3)] = (head[1 + ((i + 2) >> 3)] ?? 0) | (1 << ((i + 2) & 7));
    }
    parts.push(head);
  }
  for (const [i, value] of values.entries()) {
    if (value !== null) parts.push(bounded(types[i] ?? 0, value, binary));
    else if (!binary) parts.push(Buffer.from([0xfb]));
  }
  return packets(id, Buffer.concat(parts));
}

for (const binary of [false, true]) {
  const name = binary ? 'binary' : 'text';

  test(`${name} rows: the plan's cells are rewritten, every other byte is left, drained at any moment`, () => {
    fc.assert(
      fc.property(table, fc.array(fc.boolean()), ([columns, rows], drains) => {
        const types = columns.map(({ type }) => type);
        const plan = columns.map(({ mask }): CellMask | undefined => {
          if (mask === 'none') return undefined;
          return () => (mask === 'same' ? undefined : mask === 'null' ? null : mask);
        });
        const form = rowForm(plan, types.map((typeOid) => ({ typeOid, format: binary ? 1 : 0 })) as Column[], binary);
        const wanted = rows.map((values, id) => {
          const made = values.map((value, i) => {
            const mask = columns[i]?.mask;
            return value === null || mask === 'none' || mask === 'same'
              ? value
              : mask === 'null'
                ? null
                : (mask ?? null);
          });
          return rowOf(types, made, binary, id);
        });
        const given = Buffer.concat(rows.map((values, id) => rowOf(types, values, binary, id)));
        const masker = new RowMasker();
        const out: Buffer[] = [];
        const drain = () => masker.drain((buffer, start, end) => out.push(Buffer.from(buffer.subarray(start, end))));
        let masked = 0;
        for (let at = 0, i = 0; at < given.length; i++) {
          const end = at + 4 + given.readUIntLE(at, 3);
          masked += masker.row(given, at, end, form);
          at = end;
          if (drains[i] === true) drain();
        }
        drain();
        assert.deepEqual(Buffer.concat(out), Buffer.concat(wanted));
        const hit = (i: number) => !['none', 'same'].includes(columns[i]?.mask as string);
        assert.equal(masked, rows.flatMap((values) => values.filter((value, i) => value !== null && hit(i))).length);
      }),
      { numRuns: 500 },
    );
  });

  test(`${name} rows that are not exactly of their columns are refused`, () => {
    const types = [VAR_STRING, binary ? Type.long : VAR_STRING];
    const form = rowForm(
      [() => null, undefined],
      types.map((typeOid) => ({ typeOid, format: binary ? 1 : 0 })) as Column[],
      binary,
    );
    const whole = rowOf(types, [Buffer.from('abc'), Buffer.from('1234')], binary, 0);
    for (let length = 0; length < whole.length - 4; length++) {
      const cut = packets(0, whole.subarray(4, 4 + length));
      assert.equal(new RowMasker().row(cut, 0, cut.length, form), -1, `${length} bytes`);
    }
    const longer = packets(0, Buffer.concat([whole.subarray(4), Buffer.from([0])]));
    assert.equal(new RowMasker().row(longer, 0, longer.length, form), -1);
  });
}

test('where no length changes, the rows leave in the buffer in which they came', () => {
  const types = [VAR_STRING];
  const form = rowForm([() => Buffer.from('xyz')], [{ typeOid: VAR_STRING, format: 0 }] as Column[], false);
  const row = rowOf(types, [Buffer.from('abc')], false, 0);
  const masker = new RowMasker();
  assert.equal(masker.row(row, 0, row.length, form), 1);
  masker.drain((buffer) => assert.equal(buffer, row));
});
