// The partial mask against a model that works on characters.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { LEAST_HIDDEN, partialMask } from '../../src/mask/partial.ts';

function masked(value: Uint8Array, keepStart: number, keepEnd: number, padded = false): Buffer {
  // Around it, bytes that could be taken for the rest of a character.
  const buffer = Buffer.concat([Buffer.from('é'), value, Buffer.alloc(3, 0x80)]);
  const answer = partialMask(keepStart, keepEnd, padded)(buffer, 2, 2 + value.length);
  assert.ok(answer);
  return Buffer.from(answer);
}

function text(value: string, keepStart: number, keepEnd: number, padded = false): string {
  return masked(Buffer.from(value), keepStart, keepEnd, padded).toString();
}

test('keeps what it is told at either end and stars the rest', () => {
  assert.equal(text('ada@example.com', 0, 4), '***********.com');
  assert.equal(text('ada@example.com', 2, 0), 'ad*************');
  assert.equal(text('ada@example.com', 1, 4), 'a**********.com');
  assert.equal(text('Øl, 日本語 🍺🍺', 2, 1), 'Øl*******🍺');
  assert.equal(text('', 1, 1), '');
});

test('a value of which too little would be hidden is starred whole', () => {
  assert.equal(text('abcd', 0, 4), '****');
  assert.equal(text('abcdef', 0, 4), '******');
  assert.equal(text('abcdefg', 0, 4), '***defg');
  assert.equal(text('日本語日本語', 2, 2), '******');
});

test('a character that is cut off is not completed from behind the cell', () => {
  assert.equal(masked(Buffer.from([0x61, 0xe2, 0x82]), 0, 0).toString(), '***');
});

test('the padding of character(n) is not counted and stays', () => {
  assert.equal(text('ada@example.com     ', 0, 4, true), '***********.com     ');
  assert.equal(text('ab      ', 0, 2, true), '**      ');
  assert.equal(text('    ', 0, 2, true), '    ');
});

const keep = fc.nat(6);

test('is the model for every well-formed text', () => {
  const any = fc.oneof(fc.string({ unit: 'grapheme', maxLength: 30 }), fc.string({ unit: 'binary', maxLength: 30 }));
  fc.assert(
    fc.property(any, keep, keep, (value, keepStart, keepEnd) => {
      fc.pre(value.isWellFormed());
      const characters = [...value];
      const n = characters.length;
      const few = n - keepStart - keepEnd < LEAST_HIDDEN;
      const model = characters.map((c, i) => (!few && (i < keepStart || i >= n - keepEnd) ? c : '*'));
      assert.equal(text(value, keepStart, keepEnd), model.join(''));
    }),
  );
});

test('keeps at most that many characters, of at most four bytes, of any bytes', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 40 }), keep, keep, (value, keepStart, keepEnd) => {
      // No star of the value's own, so that every star in the answer hides something.
      const source = value.map((b) => (b === 0x2a ? 0x2b : b));
      const answer = masked(source, keepStart, keepEnd);
      const first = answer.indexOf('*');
      const last = answer.lastIndexOf('*');
      if (source.length > 0) assert.ok(first >= 0);
      assert.ok(first <= 4 * keepStart && answer.length - 1 - last <= 4 * keepEnd);
      if (keepStart === 0 && source.length > 0) assert.equal(first, 0);
      assert.ok(answer.subarray(Math.max(first, 0), last + 1).every((b) => b === 0x2a));
    }),
  );
});

test('a value longer than the shared scratch', () => {
  for (const c of ['a', 'é']) assert.equal(text(c.repeat(20_000), 1, 1), c + '*'.repeat(19_998) + c);
});
