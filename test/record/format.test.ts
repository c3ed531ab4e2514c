// What is packed on the loop is what is read back, for any values; and half a record is never one.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { factsOf, PHASES, type SessionRecord, unpackRecords } from '../../src/record/format.ts';
import { createPending, FRAME_HEADER } from '../../src/record/pending.ts';
import { sampleSession, sampleStatement } from './sample.ts';

// Any well-formed text, short and long: the width of a string's header depends on its length.
const text = fc.oneof(
  fc.string({ unit: 'grapheme', maxLength: 40 }),
  fc.string({ unit: 'binary', minLength: 80, maxLength: 400 }),
);
const bytes = fc.uint8Array({ maxLength: 300 }).map((array) => Buffer.from(array));
const parameter = fc.record(
  {
    typeOid: fc.integer({ min: 0, max: 0xffffffff }),
    format: fc.constantFrom(0, 1),
    bytes: fc.option(bytes),
  },
  { noNullPrototype: true },
);
const statement = fc.record({
  session: fc.constant('se_1'),
  n: fc.nat(),
  at: fc.nat(Number.MAX_SAFE_INTEGER),
  phase: fc.constantFrom(...PHASES),
  text,
  parameters: fc.option(fc.array(parameter, { maxLength: 40 })),
  kinds: fc.array(text, { maxLength: 3 }),
  verbs: fc.array(text, { maxLength: 3 }),
  relations: fc.array(text, { maxLength: 20 }),
  verdict: fc.record(
    { action: fc.constantFrom('allow', 'deny', 'approve'), rule: text, reason: text, hint: text },
    { requiredKeys: ['action', 'rule', 'reason'], noNullPrototype: true },
  ),
});
const outcome = fc.record(
  {
    rows: fc.nat(Number.MAX_SAFE_INTEGER),
    bytes: fc.nat(),
    masked: fc.nat(),
    tags: fc.array(text, { maxLength: 20 }),
    error: fc.option(fc.record({ code: text, message: text }, { noNullPrototype: true })),
    result: fc.option(bytes),
    truncated: fc.boolean(),
  },
  { noNullPrototype: true },
);

/** The records of a pending buffer, without what stands before each in the journal. */
function recordsOf(buffer: Buffer, size: number): Buffer[] {
  const records: Buffer[] = [];
  for (let at = FRAME_HEADER; at < FRAME_HEADER + size; ) {
    const start = at + 5 + (buffer[at + 4] ?? 0);
    assert.equal(buffer.toString('latin1', at + 5, start), 'se_1');
    const end = start + buffer.readUInt32LE(at);
    records.push(Buffer.from(buffer.subarray(start, end)));
    at = end;
  }
  return records;
}

function decode(records: readonly Buffer[]): SessionRecord[] {
  return unpackRecords(Buffer.concat(records));
}

test('a statement and its outcome are read back as they were packed', () => {
  fc.assert(
    fc.property(statement, outcome, (entry, ended) => {
      const pending = createPending();
      pending.statement(entry);
      pending.outcome('se_1', entry.n, entry.at, ended, 1_000);
      const [first, second] = decode(recordsOf(pending.buffer(), pending.size()));
      const { session: _, ...rest } = entry;
      assert.deepEqual(first, { type: 'statement', ...rest, outcome: null });
      assert.deepEqual(second, { type: 'outcome', n: entry.n, at: entry.at, outcome: ended });
    }),
  );
});

test('texts of every length around the widths of their headers', () => {
  for (const unit of ['a', 'é', '€', '🙂']) {
    for (const length of [0, 1, 5, 10, 11, 31, 32, 42, 43, 84, 85, 86, 99, 127, 128, 255, 256, 21_845, 65_536]) {
      const pending = createPending();
      const long = unit.repeat(length);
      pending.end('se_1', 1, long);
      assert.deepEqual(decode(recordsOf(pending.buffer(), pending.size())), [{ type: 'end', at: 1, reason: long }]);
    }
  }
});

test('a session is read back without its credential', () => {
  const pending = createPending();
  const facts = factsOf(sampleSession('se_1'));
  pending.start('se_1', 5, facts);
  pending.end('se_1', 6, 'client left');
  assert.deepEqual(decode(recordsOf(pending.buffer(), pending.size())), [
    { type: 'start', at: 5, facts },
    { type: 'end', at: 6, reason: 'client left' },
  ]);
  assert.equal(pending.buffer().includes('not-in-any-record'), false);
});

test('a result is kept up to its limit and says so', () => {
  const pending = createPending();
  const result = Buffer.alloc(2_000, 1);
  const ended = { rows: 1, bytes: 2_000, masked: 0, tags: [], error: null, result, truncated: false };
  pending.outcome('se_1', 1, 1, ended, 100);
  const [record] = decode(recordsOf(pending.buffer(), pending.size()));
  assert.ok(record?.type === 'outcome');
  assert.equal(record.outcome.result?.length, 100);
  assert.equal(record.outcome.truncated, true);
});

test('entries beyond the first buffer are whole, and the next turn begins empty', () => {
  const pending = createPending();
  const texts = Array.from({ length: 50 }, (_, n) => `${n}`.repeat(60_000));
  for (const [n, long] of texts.entries()) pending.statement(sampleStatement('se_1', n, { text: long }));
  const records = decode(recordsOf(pending.buffer(), pending.size()));
  assert.deepEqual(
    records.map((record) => (record.type === 'statement' ? record.text : '')),
    texts,
  );
  pending.clear();
  assert.equal(pending.size(), 0);
});

test('an entry whose packing fails leaves nothing behind', () => {
  const pending = createPending();
  pending.statement(sampleStatement('se_1', 1));
  const size = pending.size();
  assert.throws(() => pending.statement(sampleStatement('', 2)), { code: 'SP_RECORD' });
  const broken = { ...sampleStatement('se_1', 2), relations: [Symbol('not a text')] };
  // @ts-expect-error: what a caller without types could pass
  assert.throws(() => pending.statement(broken));
  assert.equal(pending.size(), size);
  pending.statement(sampleStatement('se_1', 3));
  assert.equal(decode(recordsOf(pending.buffer(), pending.size())).length, 2);
});

test('bytes that are not whole records are refused, never half read', () => {
  const pending = createPending();
  pending.statement(sampleStatement('se_1', 1));
  const [record] = recordsOf(pending.buffer(), pending.size());
  assert.ok(record);
  for (let cut = 1; cut < record.length; cut += 1) {
    assert.throws(() => unpackRecords(record.subarray(0, cut)), { code: 'SP_RECORD' }, `cut at ${cut}`);
  }
});
