// Seeing through JSON's escapes, against JSON.parse; and the way back, which never splits an escape.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { append, clear, close, newPlain, type Plain, snapped, sourceSpan } from '../../src/mask/detectors/unescape.ts';

function unescaped(source: Buffer): Plain {
  const plain = newPlain();
  clear(plain, source.length);
  for (let at = 0; at < source.length; ) at = append(plain, source, at, source.length);
  close(plain, source.length);
  return plain;
}

/** A string's characters as JSON writes them, some as escapes that need not be. */
const written = fc.array(
  fc.tuple(fc.string({ unit: 'grapheme', minLength: 1, maxLength: 3 }), fc.boolean()).map(([text, asEscapes]) => {
    const units = Array.from({ length: text.length }, (_, i) => text.charCodeAt(i).toString(16).padStart(4, '0'));
    return asEscapes ? units.map((unit) => `\\u${unit}`).join('') : JSON.stringify(text).slice(1, -1);
  }),
  { maxLength: 12 },
);

test('is what JSON.parse makes of it', () => {
  fc.assert(
    fc.property(written, (parts) => {
      const source = parts.join('');
      const plain = unescaped(Buffer.from(source));
      assert.equal(plain.bytes.toString('utf8', 0, plain.length), JSON.parse(`"${source}"`));
    }),
  );
});

test('a span of it leads back to whole escapes: taken out, the rest is still a string', () => {
  fc.assert(
    fc.property(written, fc.nat(40), fc.nat(40), (parts, a, b) => {
      const source = Buffer.from(parts.join(''));
      const plain = unescaped(source);
      const [from, to] = [Math.min(a, b), Math.max(a, b)].map((at) => Math.min(at, plain.length));
      assert.ok(from !== undefined && to !== undefined);
      // Spans begin and end at characters; an escape is one character.
      const isStart = (at: number) => at >= plain.length || ((plain.bytes[at] ?? 0) & 0xc0) !== 0x80;
      fc.pre(from < to && isStart(from));
      const [start, end] = sourceSpan(plain, from, to);
      const kept = Buffer.concat([source.subarray(0, start), source.subarray(end)]).toString('latin1');
      assert.doesNotThrow(() => JSON.parse(`"${kept}"`), `${source} without [${start}, ${end})`);
      assert.ok(start < end);
    }),
  );
});

test('a span of the source is widened to whole escapes', () => {
  fc.assert(
    fc.property(written, fc.nat(80), fc.nat(80), (parts, a, b) => {
      const source = Buffer.from(parts.join(''));
      const [from, to] = [Math.min(a, b), Math.max(a, b)].map((at) => Math.min(at, source.length));
      assert.ok(from !== undefined && to !== undefined);
      fc.pre(from < to);
      const [start, end] = snapped(unescaped(source), from, to);
      assert.ok(start <= from && end >= to);
      const kept = Buffer.concat([source.subarray(0, start), source.subarray(end)]).toString('latin1');
      assert.doesNotThrow(() => JSON.parse(`"${kept}"`), `${source} without [${start}, ${end})`);
    }),
  );
});

test('what is no escape stands for itself', () => {
  for (const text of ['C:\\users', '\\', 'a\\', '\\u12', '\\uzzzz', '\\x41', '\\']) {
    const plain = unescaped(Buffer.from(text));
    assert.equal(plain.bytes.toString('latin1', 0, plain.length), text);
  }
});
