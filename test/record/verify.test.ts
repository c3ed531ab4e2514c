// A record changed, removed, reordered or cut is named by session and place, whoever recomputes whatever the key does not seal.

import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { nextLink } from '../../src/record/chain.ts';
import { listSegments, segmentPath } from '../../src/record/journal.ts';
import {
  type Layout,
  openLayout,
  PORTION_HEADER,
  type Portion,
  readPortion,
  writePortionHeader,
} from '../../src/record/layout.ts';
import { verifyRecords } from '../../src/record/verify.ts';
import { open, sampleSession, sampleStatement, temporaryDirectory } from './sample.ts';

/** Two sessions: `se_1` with records 1, 2–3, 4–5, 6–7, 8 in five portions, `se_2` with the same. */
async function sample(t: TestContext): Promise<string> {
  const dir = temporaryDirectory(t);
  const recorder = await open(dir);
  const sessions = ['se_1', 'se_2'];
  for (const id of sessions) recorder.sessionStarted(sampleSession(id));
  recorder.commit();
  await recorder.settled();
  for (let n = 1; n <= 6; n += 2) {
    for (const id of sessions) recorder.statement(sampleStatement(id, n));
    for (const id of sessions) recorder.statement(sampleStatement(id, n + 1));
    recorder.commit();
    await recorder.settled();
  }
  for (const id of sessions) recorder.sessionEnded(id, 9, 'client left');
  recorder.commit();
  await recorder.close();
  assert.deepEqual(await verifyRecords(dir), { ok: true, sessions: 2, records: 16, mistakes: [] });
  return dir;
}

async function tamper(dir: string, change: (layout: Layout) => void): Promise<void> {
  const layout = openLayout(join(dir, 'store.mdb'), false);
  // A callback that answers a promise, as put does, would be waited for after the environment is closed.
  layout.root.transactionSync(() => {
    change(layout);
  });
  await layout.root.close();
}

function portion(layout: Layout, session: string, number: number): Portion {
  const read = readPortion(layout.portions.get([session, number]) ?? Buffer.alloc(0));
  assert.ok(read);
  return read;
}

function writePortion(whole: Portion): Buffer {
  const bytes = Buffer.concat([Buffer.alloc(PORTION_HEADER), whole.records]);
  writePortionHeader(bytes, whole);
  return bytes;
}

async function found(dir: string): Promise<[string | null, string, string][]> {
  const { ok, mistakes } = await verifyRecords(dir);
  assert.equal(ok, mistakes.length === 0);
  return mistakes.map(({ session, place, what }) => [session, place, what]);
}

const OUT_OF_PLACE = 'out of place: what stands before was reordered, replaced or changed';

/** The records with a statement's text changed. */
function forged(records: Buffer): Buffer {
  const copy = Buffer.from(records);
  copy.write('DELETE', copy.indexOf('SELECT'));
  return copy;
}

test('a changed record', async (t) => {
  const dir = await sample(t);
  await tamper(dir, (layout) => {
    const whole = portion(layout, 'se_1', 3);
    layout.portions.put(['se_1', 3], writePortion({ ...whole, records: forged(whole.records) }));
  });
  assert.deepEqual(await found(dir), [['se_1', 'records 4–5', 'changed']]);
});

test('a changed record with its link computed anew', async (t) => {
  const dir = await sample(t);
  await tamper(dir, (layout) => {
    const whole = portion(layout, 'se_1', 3);
    const records = forged(whole.records);
    layout.portions.put(['se_1', 3], writePortion({ ...whole, records, link: nextLink(whole.previous, records) }));
  });
  assert.deepEqual(await found(dir), [['se_1', 'records 6–7', OUT_OF_PLACE]]);
});

test('a changed record with the whole chain computed anew', async (t) => {
  const dir = await sample(t);
  await tamper(dir, (layout) => {
    let previous = portion(layout, 'se_1', 2).link;
    for (const number of [3, 4, 5]) {
      const whole = portion(layout, 'se_1', number);
      const records = number === 3 ? forged(whole.records) : whole.records;
      const link = nextLink(previous, records);
      layout.portions.put(['se_1', number], writePortion({ ...whole, previous, link, records }));
      previous = link;
    }
  });
  assert.deepEqual(await found(dir), [['se_1', 'records 1–8', 'not what was sealed']]);
});

test('every single changed byte of a portion', async (t) => {
  const dir = await sample(t);
  let original = Buffer.alloc(0);
  await tamper(dir, (layout) => {
    original = Buffer.from(layout.portions.get(['se_1', 3]) ?? '');
  });
  for (let at = 0; at < original.length; at += 7) {
    const copy = Buffer.from(original);
    copy[at] = (copy[at] ?? 0) ^ 1;
    await tamper(dir, (layout) => layout.portions.put(['se_1', 3], copy));
    const mistakes = await found(dir);
    assert.ok(mistakes.length > 0, `byte ${at}`);
    assert.ok(mistakes.every(([session]) => session === 'se_1'));
  }
});

test('a removed portion', async (t) => {
  const dir = await sample(t);
  await tamper(dir, (layout) => layout.portions.remove(['se_1', 3]));
  assert.deepEqual(await found(dir), [['se_1', 'records 4–5', 'removed']]);
});

test('reordered portions', async (t) => {
  const dir = await sample(t);
  await tamper(dir, (layout) => {
    const [third, fourth] = [layout.portions.get(['se_1', 3]), layout.portions.get(['se_1', 4])];
    assert.ok(third && fourth);
    layout.portions.put(['se_1', 3], fourth);
    layout.portions.put(['se_1', 4], third);
  });
  const mistakes = await found(dir);
  assert.deepEqual(mistakes[0], ['se_1', 'records 6–7', OUT_OF_PLACE]);
});

test('the portions of another session', async (t) => {
  const dir = await sample(t);
  await tamper(dir, (layout) => {
    for (const number of [1, 2, 3, 4, 5]) {
      const other = layout.portions.get(['se_2', number]);
      assert.ok(other);
      layout.portions.put(['se_1', number], other);
    }
  });
  const mistakes = await found(dir);
  assert.deepEqual(mistakes[0], ['se_1', 'record 1', OUT_OF_PLACE]);
});

test('a cut tail, and one cut with its head put back in time', async (t) => {
  const dir = await sample(t);
  await tamper(dir, (layout) => {
    layout.portions.remove(['se_1', 5]);
    layout.portions.remove(['se_1', 4]);
  });
  assert.deepEqual(await found(dir), [['se_1', 'records 6–8', 'cut off the end']]);

  const other = temporaryDirectory(t);
  const recorder = await open(other);
  recorder.sessionStarted(sampleSession('se_1'));
  recorder.commit();
  await recorder.settled();
  let early: Buffer | undefined;
  await tamper(other, (layout) => {
    early = layout.heads.get('se_1');
  });
  recorder.statement(sampleStatement('se_1', 1));
  recorder.commit();
  await recorder.close();
  await tamper(other, (layout) => {
    assert.ok(early);
    layout.heads.put('se_1', early);
    layout.portions.remove(['se_1', 2]);
  });
  assert.deepEqual(await found(other), [[null, 'root', 'counts 2 records, the heads 1']]);
});

test('an added portion', async (t) => {
  const dir = await sample(t);
  await tamper(dir, (layout) => {
    const { link: previous, records } = portion(layout, 'se_1', 5);
    const added = { previous, link: nextLink(previous, records), first: 9, count: 1, records };
    layout.portions.put(['se_1', 6], writePortion(added));
  });
  assert.deepEqual(await found(dir), [['se_1', 'record 9', 'added']]);
});

test('a changed head, a removed head, a removed session', async (t) => {
  const dir = await sample(t);
  await tamper(dir, (layout) => {
    const head = Buffer.from(layout.heads.get('se_1') ?? '');
    head.write('mallory', head.indexOf('agent-7'));
    layout.heads.put('se_1', head);
  });
  assert.deepEqual(await found(dir), [['se_1', 'head', 'changed: the seal does not hold']]);
  await tamper(dir, (layout) => layout.heads.remove('se_1'));
  const gone = [null, 'root', 'counts 2 sessions, of which 1 were removed, between the beginning and se_2'];
  assert.deepEqual(await found(dir), [['se_1', 'head', 'removed: there are records without it'], gone]);
  await tamper(dir, (layout) => {
    for (const number of [1, 2, 3, 4, 5]) layout.portions.remove(['se_1', number]);
  });
  assert.deepEqual(await found(dir), [gone]);
});

test('a changed root, a head in its place, no root', async (t) => {
  const dir = await sample(t);
  let root: Buffer | undefined;
  await tamper(dir, (layout) => {
    root = layout.meta.get('root');
    const head = layout.heads.get('se_1');
    assert.ok(head);
    layout.meta.put('root', head);
  });
  assert.deepEqual(await found(dir), [[null, 'root', 'changed: the seal does not hold']]);
  await assert.rejects(open(dir), { code: 'SP_RECORD' });
  await tamper(dir, (layout) => layout.meta.remove('root'));
  assert.deepEqual(await found(dir), [[null, 'root', 'removed']]);
  await assert.rejects(open(dir), { code: 'SP_RECORD' });
  await tamper(dir, (layout) => layout.meta.put('root', root ?? Buffer.alloc(0)));
  assert.deepEqual(await found(dir), []);
});

test('a byte of the journal changed before it was sealed', async (t) => {
  const dir = temporaryDirectory(t);
  const recorder = await open(dir);
  recorder.sessionStarted(sampleSession('se_1'));
  recorder.commit();
  const journal = join(dir, 'journal');
  const path = segmentPath(journal, listSegments(journal).at(-1) ?? 0);
  await recorder.settled();
  recorder.statement(sampleStatement('se_1', 1));
  recorder.commit();
  assert.deepEqual(await found(dir), [], 'what is not sealed yet is no mistake');
  const bytes = readFileSync(path);
  const at = bytes.indexOf('SELECT');
  bytes.write('DELETE', at);
  writeFileSync(path, bytes);
  const [mistake] = await found(dir);
  assert.equal(mistake?.[1], 'journal');
  assert.match(mistake?.[2] ?? '', /does not match its checksum, at byte/);
  // Nothing more is forwarded on such a journal.
  await assert.rejects(recorder.settled(), { code: 'SP_RECORD' });
  assert.throws(() => recorder.statement(sampleStatement('se_1', 2)), { code: 'SP_RECORD' });
  await assert.rejects(recorder.close(), { code: 'SP_RECORD' });
});
