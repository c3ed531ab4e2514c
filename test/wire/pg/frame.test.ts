// The frame reader: the same messages for every split of the same bytes; garbage never crashes, hangs or grows it.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { FRAME, FrameReader, READ } from '../../../src/wire/pg/frame.ts';

const LONGEST = 100_000;
const WHOLE = 0x51;
const STREAM = 0x64;
const reads = new Uint8Array(256);
reads[WHOLE] = READ.whole;
reads[STREAM] = READ.stream;

interface Seen {
  /** Type and bytes of every message, pieces put together. */
  readonly messages: (readonly [number, string])[];
  problem: string | null;
}

function read(chunks: readonly Buffer[]): Seen {
  const reader = new FrameReader(reads, LONGEST);
  const seen: Seen = { messages: [], problem: null };
  let pieces: Buffer[] = [];
  for (const chunk of chunks) {
    reader.push(chunk);
    for (;;) {
      const frame = reader.next();
      if (frame === FRAME.incomplete) break;
      if (frame === FRAME.malformed) return { ...seen, problem: reader.problem };
      if (reader.first) pieces = [];
      pieces.push(reader.buffer.subarray(reader.start, reader.end));
      if (reader.last) seen.messages.push([reader.type, Buffer.concat(pieces).toString('latin1')]);
    }
  }
  return seen;
}

function message(type: number, body: Uint8Array): Buffer {
  const head = Buffer.alloc(5, type);
  head.writeInt32BE(body.length + 4, 1);
  return Buffer.concat([head, body]);
}

function split(bytes: Buffer, cuts: readonly number[]): Buffer[] {
  const at = [...new Set(cuts.map((cut) => cut % (bytes.length + 1)))].sort((a, b) => a - b);
  return [0, ...at].map((from, i) => bytes.subarray(from, at[i] ?? bytes.length));
}

const anyMessage = fc
  .tuple(
    fc.constantFrom(WHOLE, STREAM),
    fc.oneof(
      fc.uint8Array({ maxLength: 40 }),
      fc.constantFrom(32_000, 32_763, 70_000).map((n) => new Uint8Array(n)),
    ),
  )
  .map(([type, body]) => message(type, body));

test('any split of the same bytes gives the same messages', () => {
  fc.assert(
    fc.property(fc.array(anyMessage, { maxLength: 8 }), fc.array(fc.nat(), { maxLength: 12 }), (messages, cuts) => {
      const bytes = Buffer.concat(messages);
      const expected = messages.map((m) => [m[0], m.toString('latin1')]);
      assert.deepEqual(read([bytes]).messages, expected);
      assert.deepEqual(read(split(bytes, cuts)).messages, expected);
    }),
  );
});

test('every single cut, and byte by byte', () => {
  const bytes = Buffer.concat([
    message(WHOLE, Buffer.from('select 1\0')),
    message(STREAM, Buffer.alloc(0)),
    message(STREAM, Buffer.from('row')),
    message(WHOLE, Buffer.alloc(0)),
  ]);
  const expected = read([bytes]).messages;
  assert.equal(expected.length, 4);
  for (let cut = 0; cut <= bytes.length; cut++)
    assert.deepEqual(read([bytes.subarray(0, cut), bytes.subarray(cut)]).messages, expected);
  assert.deepEqual(read([...bytes].map((_, i) => bytes.subarray(i, i + 1))).messages, expected);
});

test('a large streamed message comes in pieces, a small one whole', () => {
  const reader = new FrameReader(reads, LONGEST);
  const large = message(STREAM, Buffer.alloc(500_000));
  reader.push(large.subarray(0, 1000));
  assert.equal(reader.next(), FRAME.part);
  assert.equal(reader.insideMessage, true);
  const small = new FrameReader(reads, LONGEST);
  small.push(message(STREAM, Buffer.alloc(100)).subarray(0, 50));
  assert.equal(small.next(), FRAME.incomplete);
});

test('random bytes end as messages or as malformed, for every split the same', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), fc.array(fc.nat(), { maxLength: 8 }), (noise, cuts) => {
      const bytes = Buffer.from(noise);
      assert.deepEqual(read(split(bytes, cuts)), read([bytes]));
    }),
  );
});

test('lengths that cannot be: below 4, negative, beyond the bound, and unknown types', () => {
  const header = (type: number, length: number) => {
    const bytes = Buffer.alloc(5, type);
    bytes.writeInt32BE(length, 1);
    return bytes;
  };
  for (const length of [3, 0, -1, -2147483648, 2147483647, LONGEST]) {
    assert.match(read([header(WHOLE, length)]).problem ?? '', /length|at most/);
  }
  assert.match(read([header(0x00, 4)]).problem ?? '', /0x00 is not known/);
  assert.match(read([header(0x7a, 4)]).problem ?? '', /'z' is not known/);
});

test('a promised length costs no memory before its bytes come', () => {
  const reader = new FrameReader(reads, 2 ** 30);
  const bytes = Buffer.alloc(9, WHOLE);
  bytes.writeInt32BE(2 ** 30 - 1, 1);
  const before = process.memoryUsage().arrayBuffers;
  reader.push(bytes);
  assert.equal(reader.next(), FRAME.incomplete);
  assert.ok(process.memoryUsage().arrayBuffers - before < 1024 * 1024);
});
