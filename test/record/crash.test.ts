// Killed at any moment, or kept from writing: what was acknowledged is in the record, and the chain holds.

import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, mkdirSync, readFileSync, truncateSync, unlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { listSegments, segmentPath } from '../../src/record/journal.ts';
import { openStore } from '../../src/record/store.ts';
import { verifyRecords } from '../../src/record/verify.ts';
import { listen, open, sampleOutcome, sampleSession, sampleStatement, temporaryDirectory } from './sample.ts';

const writer = fileURLToPath(new URL('./writer.ts', import.meta.url));

test('killed at random moments, all that was acknowledged is there and the chain holds', async (t) => {
  const dir = temporaryDirectory(t);
  const acknowledged = new Map<string, number>();
  for (let round = 0; round < 6; round += 1) {
    const child = spawn(process.execPath, [writer, dir, 'kill'], { stdio: ['ignore', 'pipe', 'inherit'] });
    t.after(() => child.kill('SIGKILL'));
    const exited = once(child, 'exit');
    let left = 1 + Math.floor(Math.random() * 3_000);
    for await (const line of createInterface({ input: child.stdout })) {
      const [session = '', n] = line.split(' ');
      acknowledged.set(session, Number(n));
      left -= 1;
      if (left === 0) child.kill('SIGKILL');
    }
    await exited;
    assert.equal(child.signalCode, 'SIGKILL');
  }
  const log = listen();
  const recorder = await open(dir, { log });
  await recorder.settled();
  assert.deepEqual(log.lines, [], 'nothing was damaged');
  const store = openStore(dir);
  assert.equal(acknowledged.size, 18);
  for (const [session, last] of acknowledged) {
    let next = 1;
    for (const record of store.records(session)) {
      if (record.type !== 'statement') continue;
      assert.equal(record.n, next, `${session}: every statement once and in order`);
      if (record.n <= last) assert.ok(record.outcome, `${session} ${record.n} has its outcome`);
      next += 1;
    }
    assert.ok(next > last, `${session}: ${last} acknowledged, ${next - 1} found`);
    assert.equal(store.showSession(session)?.endReason, 'gateway stopped');
  }
  await store.close();
  await recorder.close();
  const { mistakes } = await verifyRecords(dir);
  assert.deepEqual(mistakes, []);
});

test('where the system takes no more, nothing is acknowledged until it does again', async (t) => {
  const dir = temporaryDirectory(t);
  // A limit on the size of one file stands for a full disk: the same short write and error, for the journal alone.
  const child = spawn('bash', ['-c', 'ulimit -f 300; exec "$@"', 'bash', process.execPath, writer, dir, 'limit'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const exited = once(child, 'exit');
  const lines: string[] = [];
  for await (const line of createInterface({ input: child.stdout })) lines.push(line);
  await exited;
  const recorded = lines.filter((line) => line.startsWith('recorded')).map((line) => Number(line.split(' ')[1]));
  const rest = lines.filter((line) => !line.startsWith('recorded'));
  assert.deepEqual(rest, ['failed SP_RECORD', 'healthy false', 'refused', 'probed true']);
  assert.ok(recorded.length > 10);

  const log = listen();
  const recorder = await open(dir, { log });
  await recorder.settled();
  assert.deepEqual(log.lines, [], 'the append that failed left nothing torn');
  const store = openStore(dir);
  const found = new Map(
    [...store.records('se_limit')].flatMap((r) => (r.type === 'statement' ? [[r.n, r.outcome]] : [])),
  );
  for (const n of recorded) assert.ok(found.has(n), `statement ${n} was acknowledged`);
  // The outcome that came while the record could not be written.
  assert.equal(found.get(recorded.at(-2) ?? 0)?.rows, 77);
  await store.close();
  await recorder.close();
  assert.equal((await verifyRecords(dir)).ok, true);
});

test('on a full disk nothing is acknowledged; with room again all goes on', async (t) => {
  const base = temporaryDirectory(t);
  const dir = join(base, 'disk');
  mkdirSync(dir);
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=2m', 'tmpfs', dir], { stdio: 'ignore' });
  } catch {
    t.skip('this user may not mount a small disk');
    return;
  }
  try {
    const log = listen();
    const recorder = await open(join(dir, 'record'), { log });
    recorder.sessionStarted(sampleSession('se_1'));
    recorder.commit();
    await recorder.settled();
    writeFileSync(join(dir, 'ballast'), Buffer.alloc(1_500_000));
    let n = 0;
    const fill = (): void => {
      for (;;) {
        recorder.statement(sampleStatement('se_1', n + 1, { text: 'x'.repeat(5_000) }));
        recorder.commit();
        n += 1;
      }
    };
    assert.throws(fill, { code: 'SP_RECORD', message: /ENOSPC/ });
    assert.equal(recorder.healthy().ok, false);
    assert.equal((await recorder.probe()).ok, false, 'still full');
    assert.throws(() => recorder.commit(), { code: 'SP_RECORD' });
    unlinkSync(join(dir, 'ballast'));
    assert.deepEqual(await recorder.probe(), { ok: true });
    recorder.statement(sampleStatement('se_1', n + 2));
    recorder.commit();
    await recorder.settled();
    const store = openStore(join(dir, 'record'));
    // The one that could not be written was never forwarded; it is kept as what was asked.
    const found = [...store.records('se_1')].flatMap((record) => (record.type === 'statement' ? [record.n] : []));
    assert.deepEqual(
      found,
      Array.from({ length: n + 2 }, (_, i) => i + 1),
    );
    await store.close();
    await recorder.close();
    assert.equal((await verifyRecords(join(dir, 'record'))).ok, true);
    assert.equal(log.lines.filter((line) => line.startsWith('error')).length > 0, true, 'the reason is logged');
  } finally {
    execFileSync('umount', ['-l', dir]);
  }
});

test('a store that takes no more makes the recorder refuse, and is filled later', async (t) => {
  const base = temporaryDirectory(t);
  const dir = join(base, 'disk');
  mkdirSync(dir);
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', dir], { stdio: 'ignore' });
  } catch {
    t.skip('this user may not mount a small disk');
    return;
  }
  try {
    const recorder = await open(join(dir, 'record'));
    recorder.sessionStarted(sampleSession('se_1'));
    for (let n = 1; n <= 60; n += 1) {
      recorder.statement(sampleStatement('se_1', n, { text: 'x'.repeat(5_000) }));
      recorder.commit();
    }
    let ballast = 700_000;
    for (let done = false; !done && ballast > 0; ballast -= 20_000) {
      try {
        writeFileSync(join(dir, 'ballast'), Buffer.alloc(ballast));
        done = true;
      } catch {}
    }
    await assert.rejects(recorder.settled(), { code: 'SP_RECORD' });
    assert.equal(recorder.healthy().ok, false);
    assert.throws(() => recorder.statement(sampleStatement('se_1', 61)), { code: 'SP_RECORD' });
    unlinkSync(join(dir, 'ballast'));
    assert.deepEqual(await recorder.probe(), { ok: true });
    await recorder.close();
    const { ok, records } = await verifyRecords(join(dir, 'record'));
    assert.deepEqual([ok, records], [true, 61]);
  } finally {
    execFileSync('umount', ['-l', dir]);
  }
});

test('a torn end of the journal is set aside, named, and what is before it is kept', async (t) => {
  const dir = temporaryDirectory(t);
  const journal = join(dir, 'journal');
  const first = await open(dir);
  first.sessionStarted(sampleSession('se_1'));
  first.commit();
  first.statement(sampleStatement('se_1', 1));
  first.commit();
  const kept = listSegments(journal).at(-1) ?? 0;
  first.statement(sampleStatement('se_1', 2));
  first.commit();
  // As after a lost disk write: the segment comes back, cut in its last frame.
  copyFileSync(segmentPath(journal, kept), join(dir, 'copy'));
  const size = readFileSync(join(dir, 'copy')).length;
  await first.close();
  const second = await open(dir);
  await second.close();
  const fresh = temporaryDirectory(t);
  mkdirSync(join(fresh, 'journal'));
  copyFileSync(join(dir, 'copy'), segmentPath(join(fresh, 'journal'), 1));
  truncateSync(segmentPath(join(fresh, 'journal'), 1), size - 3);

  const log = listen();
  const recorder = await open(fresh, { log });
  await recorder.settled();
  assert.equal(log.lines.length, 1);
  assert.match(log.lines[0] ?? '', /cut short/);
  const store = openStore(fresh);
  const found = [...store.records('se_1')].flatMap((record) => (record.type === 'statement' ? [record.n] : []));
  assert.deepEqual(found, [1]);
  await store.close();
  recorder.sessionStarted(sampleSession('se_2'));
  recorder.statement(sampleStatement('se_2', 1));
  recorder.outcome('se_2', 1, 1, sampleOutcome());
  recorder.commit();
  await recorder.close();
  const { ok, mistakes } = await verifyRecords(fresh);
  assert.equal(ok, false);
  assert.deepEqual(
    mistakes.map(({ place, what }) => [place, what]),
    [['journal', 'a part could not be read and is kept as 000000000001.journal.damaged']],
  );
});
