// What the recorder was given is what the store shows; what ended without a word is ended; one gateway a record.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync, statSync, unlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { openStore, type Store } from '../../src/record/store.ts';
import { verifyRecords } from '../../src/record/verify.ts';
import { listen, open, PASSWORD, sampleOutcome, sampleSession, sampleStatement, temporaryDirectory } from './sample.ts';

function statements(store: Store, id: string) {
  return [...store.records(id)].filter((record) => record.type === 'statement');
}

test('what was committed is read after settled, in order, each statement with its outcome', async (t) => {
  const dir = temporaryDirectory(t);
  const recorder = await open(dir);
  for (const id of ['se_1', 'se_2']) recorder.sessionStarted(sampleSession(id));
  recorder.statement(sampleStatement('se_1', 1));
  recorder.statement(sampleStatement('se_2', 1));
  // Pipelined: two statements before the first outcome.
  recorder.statement(sampleStatement('se_1', 2, { verdict: { action: 'deny', rule: 'scope', reason: 'No.' } }));
  assert.equal(recorder.pending, true);
  recorder.commit();
  assert.equal(recorder.pending, false);
  recorder.outcome('se_1', 1, 5, sampleOutcome({ rows: 11 }));
  recorder.outcome('se_2', 1, 6, sampleOutcome({ rows: 12 }));
  recorder.commit();
  await recorder.settled();
  const store = openStore(dir);
  assert.deepEqual(
    statements(store, 'se_1').map((record) => [record.n, record.verdict.action, record.outcome?.rows]),
    [
      [1, 'allow', 11],
      [2, 'deny', undefined],
    ],
  );
  assert.deepEqual(statements(store, 'se_2')[0]?.outcome, { ...sampleOutcome({ rows: 12 }), at: 6 });
  assert.deepEqual(store.showSession('se_1')?.statements, { allow: 1, deny: 1, approve: 0 });
  assert.equal(store.showSession('se_1')?.endedAt, null);
  recorder.sessionEnded('se_1', 9, 'client left');
  recorder.commit();
  await recorder.settled();
  const shown = store.showSession('se_1');
  assert.deepEqual([shown?.endedAt, shown?.endReason, shown?.records], [9, 'client left', 5]);
  assert.equal(shown?.facts?.identity.actingFor, 'ana@example.com');
  assert.equal(store.showSession('se_3'), undefined);
  await store.close();
  await recorder.close();
  assert.deepEqual(await verifyRecords(dir), { ok: true, sessions: 2, records: 8, mistakes: [] });
});

test('sessions are listed newest first and paged', async (t) => {
  const dir = temporaryDirectory(t);
  const recorder = await open(dir);
  for (const n of [1, 2, 3, 4, 5]) recorder.sessionStarted(sampleSession(`se_${n}`));
  recorder.commit();
  await recorder.settled();
  const store = openStore(dir);
  const ids = (before?: string) => store.listSessions({ limit: 2, before }).sessions.map((session) => session.id);
  assert.deepEqual(ids(), ['se_5', 'se_4']);
  assert.deepEqual(ids('se_4'), ['se_3', 'se_2']);
  assert.deepEqual(ids('se_2'), ['se_1']);
  assert.deepEqual(ids('se_1'), []);
  await store.close();
  await recorder.close();
});

test('a page that filters looks at so many sessions, and says where the next begins', async (t) => {
  const dir = temporaryDirectory(t);
  const recorder = await open(dir);
  const name = (n: number) => `se_${String(n).padStart(5, '0')}`;
  for (let n = 1; n <= 4100; n++) recorder.sessionStarted({ ...sampleSession(name(n)), startedAt: n });
  recorder.commit();
  await recorder.settled();
  const store = openStore(dir);
  const wanted = new Set([name(4), name(3000), name(4099)]);
  const found: string[][] = [];
  let next: string | null = null;
  do {
    const accept = ({ id }: { id: string }) => wanted.has(id);
    const page = store.listSessions({ limit: 10, accept, ...(next === null ? {} : { before: next }) });
    found.push(page.sessions.map(({ id }) => id));
    next = page.next;
  } while (next !== null);
  assert.deepEqual(found, [[name(4099), name(3000)], [], [name(4)]]);
  const since = store.listSessions({ limit: 10, since: 4098 });
  assert.deepEqual([since.sessions.map(({ id }) => id), since.next], [[name(4100), name(4099), name(4098)], null]);
  const last = store.listSessions({ limit: 3, before: name(4) });
  assert.deepEqual([last.sessions.length, last.next], [3, null]);
  await store.close();
  await recorder.close();
});

test('a session without an end is ended at the next opening, when it was last heard of', async (t) => {
  const dir = temporaryDirectory(t);
  const first = await open(dir);
  first.sessionStarted(sampleSession('se_1'));
  first.statement(sampleStatement('se_1', 1, { at: 4_242 }));
  first.commit();
  await first.close();
  const second = await open(dir);
  await second.settled();
  const store = openStore(dir);
  const shown = store.showSession('se_1');
  assert.deepEqual([shown?.endedAt, shown?.endReason], [4_242, 'gateway stopped']);
  await store.close();
  await second.close();
  assert.equal((await verifyRecords(dir)).ok, true);
});

test('an outcome long after its statement is not lost', async (t) => {
  const dir = temporaryDirectory(t);
  const recorder = await open(dir);
  recorder.sessionStarted(sampleSession('se_1'));
  for (let n = 1; n <= 2_500; n += 1) recorder.statement(sampleStatement('se_1', n));
  recorder.outcome('se_1', 1, 1, sampleOutcome({ rows: 1 }));
  recorder.outcome('se_1', 2_500, 1, sampleOutcome({ rows: 2_500 }));
  recorder.commit();
  await recorder.settled();
  const store = openStore(dir);
  const records = [...store.records('se_1')];
  assert.equal(records.length, 1 + 2_500 + 1);
  assert.deepEqual(
    records.filter((record) => record.type === 'statement').map((record) => record.n),
    Array.from({ length: 2_500 }, (_, n) => n + 1),
  );
  const late = records.find((record) => record.type === 'outcome');
  assert.equal(late?.n, 1);
  const last = records.findLast((record) => record.type === 'statement');
  assert.equal(last?.outcome?.rows, 2_500);
  await store.close();
  await recorder.close();
});

test('full segments are followed by new ones, and are deleted when they are sealed', async (t) => {
  const dir = temporaryDirectory(t);
  const recorder = await open(dir, { segmentBytes: 2_000 });
  recorder.sessionStarted(sampleSession('se_1'));
  for (let n = 1; n <= 100; n += 1) {
    recorder.statement(sampleStatement('se_1', n));
    recorder.commit();
  }
  const segments = () => readdirSync(join(dir, 'journal')).length;
  assert.ok(segments() > 5);
  await recorder.settled();
  assert.ok(segments() <= 2, `${segments()} segments`);
  const store = openStore(dir);
  assert.equal(statements(store, 'se_1').length, 100);
  await store.close();
  await recorder.close();
  assert.equal((await verifyRecords(dir)).ok, true);
});

test('too much unsealed is refused until it is sealed', async (t) => {
  const dir = temporaryDirectory(t);
  const recorder = await open(dir, { backlogBytes: 10_000 });
  recorder.sessionStarted(sampleSession('se_1'));
  recorder.statement(sampleStatement('se_1', 1, { text: 'x'.repeat(20_000) }));
  recorder.commit();
  assert.equal(recorder.healthy().ok, false);
  assert.throws(() => recorder.statement(sampleStatement('se_1', 2)), { code: 'SP_RECORD' });
  assert.throws(() => recorder.commit(), { code: 'SP_RECORD' });
  assert.deepEqual(await recorder.probe(), { ok: true });
  recorder.statement(sampleStatement('se_1', 2));
  recorder.commit();
  await recorder.close();
});

test('a record is one gateway’s', async (t) => {
  const dir = temporaryDirectory(t);
  const recorder = await open(dir);
  await assert.rejects(open(dir), { code: 'SP_RECORD', message: new RegExp(`in use by process ${process.pid}`) });
  await recorder.close();
  // A lock whose process is gone, or that a later process has the number of, holds nobody up.
  const ended = spawn(process.execPath, ['--version']);
  await once(ended, 'exit');
  for (const holder of [`${ended.pid} 1`, `${process.pid} 1`, 'nonsense', '']) {
    writeFileSync(join(dir, 'lock'), holder);
    await (await open(dir)).close();
  }
  assert.equal(existsSync(join(dir, 'lock')), false);
});

test('a second gateway that the lock did not see stops the first one’s sealing', async (t) => {
  const dir = temporaryDirectory(t);
  const first = await open(dir);
  first.sessionStarted(sampleSession('se_1'));
  first.commit();
  await first.settled();
  unlinkSync(join(dir, 'lock'));
  const second = await open(dir);
  await second.settled();
  first.statement(sampleStatement('se_1', 1));
  first.commit();
  await assert.rejects(first.settled(), { code: 'SP_RECORD' });
  assert.throws(() => first.statement(sampleStatement('se_1', 2)), { code: 'SP_RECORD' });
  await second.close();
  await assert.rejects(first.close());
  assert.equal((await verifyRecords(dir)).ok, true);
});

test('after close nothing is taken', async (t) => {
  const recorder = await open(temporaryDirectory(t));
  await recorder.close();
  await recorder.close();
  assert.throws(() => recorder.statement(sampleStatement('se_1', 1)), { code: 'SP_RECORD' });
  assert.throws(() => recorder.outcome('se_1', 1, 1, sampleOutcome()), { code: 'SP_RECORD' });
  assert.throws(() => recorder.commit(), { code: 'SP_RECORD' });
  assert.equal(recorder.healthy().ok, false);
});

test('files are the owner’s alone and hold no credential', async (t) => {
  const dir = temporaryDirectory(t);
  const recorder = await open(dir);
  recorder.sessionStarted(sampleSession('se_1'));
  recorder.commit();
  await recorder.settled();
  for (const name of readdirSync(dir, { recursive: true, encoding: 'utf8' })) {
    const stat = statSync(join(dir, name));
    assert.equal(stat.mode & 0o077, 0, `${name} may be read by others`);
    if (stat.isFile()) assert.equal(readFileSync(join(dir, name)).includes(PASSWORD), false, name);
  }
  await recorder.close();
});

test('a store whose key is gone is not continued', async (t) => {
  const dir = temporaryDirectory(t);
  const first = await open(dir);
  first.sessionStarted(sampleSession('se_1'));
  first.commit();
  await first.close();
  writeFileSync(join(dir, 'chain.key'), Buffer.alloc(32));
  const log = listen();
  await assert.rejects(open(dir, { log }), { code: 'SP_RECORD', message: /root of the record store was changed/ });
  await assert.rejects(open(dir, { log }), { code: 'SP_RECORD' }, 'and the lock is given back');
});
