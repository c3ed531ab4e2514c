// The journal gives back exactly the frames that were appended whole, wherever a segment is cut or changed.

import assert from 'node:assert/strict';
import { closeSync, openSync, readFileSync, truncateSync, writeFileSync, writeSync } from 'node:fs';
import { test } from 'node:test';
import {
  createSegment,
  FIRST_FRAME,
  listSegments,
  openForReading,
  readFrames,
  segmentPath,
} from '../../src/record/journal.ts';
import { FRAME_HEADER } from '../../src/record/pending.ts';
import { temporaryDirectory } from './sample.ts';

function frame(payload: string | Buffer): [Buffer, number] {
  const bytes = Buffer.from(payload);
  return [Buffer.concat([Buffer.alloc(FRAME_HEADER), bytes]), bytes.length];
}

function read(dir: string, number: number): { payloads: string[]; damage: string | null } {
  const { fd, size } = openForReading(dir, number);
  const payloads: string[] = [];
  let damage: string | null = null;
  for (let at = FIRST_FRAME; at < size && damage === null; ) {
    const frames = readFrames(fd, at, size);
    payloads.push(...frames.payloads.map((payload) => payload.toString()));
    damage = frames.damage;
    assert.ok(frames.next > at || damage !== null, 'reading goes on or says why not');
    at = frames.next;
  }
  closeSync(fd);
  return { payloads, damage };
}

for (const durable of [false, true]) {
  test(`frames come back in order${durable ? ', waiting for the disk' : ''}`, (t) => {
    const dir = temporaryDirectory(t);
    const segment = createSegment(dir, 7, durable);
    for (const payload of ['one', 'two', 'three']) segment.append(...frame(payload));
    segment.close();
    assert.deepEqual(listSegments(dir), [7]);
    assert.deepEqual(read(dir, 7), { payloads: ['one', 'two', 'three'], damage: null });
  });
}

test('frames larger than one read are read whole', (t) => {
  const dir = temporaryDirectory(t);
  const segment = createSegment(dir, 1, false);
  const large = 'x'.repeat(9 << 20);
  const many = Array.from({ length: 100 }, (_, n) => `${n}`.repeat(30_000));
  for (const payload of ['small', large, ...many]) segment.append(...frame(payload));
  segment.close();
  assert.deepEqual(read(dir, 1), { payloads: ['small', large, ...many], damage: null });
});

test('cut at any byte, the frames before the cut are read and the rest is not', (t) => {
  const dir = temporaryDirectory(t);
  const segment = createSegment(dir, 1, false);
  const ends = ['alpha', 'beta', 'gamma'].map((payload) => {
    segment.append(...frame(payload));
    return segment.end;
  });
  segment.close();
  const whole = readFileSync(segmentPath(dir, 1));
  for (let cut = FIRST_FRAME; cut <= whole.length; cut += 1) {
    writeFileSync(segmentPath(dir, 1), whole.subarray(0, cut));
    const { payloads, damage } = read(dir, 1);
    const before = ends.filter((end) => end <= cut).length;
    assert.deepEqual(payloads, ['alpha', 'beta', 'gamma'].slice(0, before));
    assert.equal(damage === null, cut === FIRST_FRAME || ends.includes(cut), `cut at ${cut}: ${damage}`);
  }
});

test('a changed byte anywhere in a frame is damage', (t) => {
  const dir = temporaryDirectory(t);
  const segment = createSegment(dir, 1, false);
  segment.append(...frame('a payload'));
  segment.close();
  const whole = readFileSync(segmentPath(dir, 1));
  for (let at = FIRST_FRAME; at < whole.length; at += 1) {
    const changed = Buffer.from(whole);
    changed[at] = (changed[at] ?? 0) ^ 0x40;
    writeFileSync(segmentPath(dir, 1), changed);
    const { payloads, damage } = read(dir, 1);
    assert.deepEqual(payloads, []);
    assert.notEqual(damage, null, `byte ${at}`);
  }
});

test('zeros behind the last frame, as a lost write leaves them, are not a frame', (t) => {
  const dir = temporaryDirectory(t);
  const segment = createSegment(dir, 1, false);
  segment.append(...frame('kept'));
  segment.close();
  truncateSync(segmentPath(dir, 1), segment.end + 4_096);
  assert.deepEqual(read(dir, 1), { payloads: ['kept'], damage: 'a frame does not match its checksum' });
});

test('a file that is not a journal is not read as one', (t) => {
  const dir = temporaryDirectory(t);
  writeFileSync(segmentPath(dir, 1), 'something else entirely');
  const { fd, isJournal } = openForReading(dir, 1);
  closeSync(fd);
  assert.equal(isJournal, false);
});

test('a segment is never written over', (t) => {
  const dir = temporaryDirectory(t);
  const fd = openSync(segmentPath(dir, 1), 'w');
  writeSync(fd, 'here already');
  closeSync(fd);
  assert.throws(() => createSegment(dir, 1, false), { code: 'EEXIST' });
  assert.equal(readFileSync(segmentPath(dir, 1), 'utf8'), 'here already');
});
