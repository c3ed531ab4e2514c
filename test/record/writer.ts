// A process that records and says what it was told is recorded: killed, or kept from writing, by the tests around it.
//
//   writer.ts <dir> kill            commits for ever, printing `<session> <n>` after each commit; sealing goes on beside it
//   writer.ts <dir> limit           commits until the system takes no more of the first segment, then probes and commits again

import { writeSync } from 'node:fs';
import { setImmediate as turn } from 'node:timers/promises';
import { openRecorder } from '../../src/record/recorder.ts';
import { sampleOutcome, sampleSession, sampleStatement } from './sample.ts';

const [dir = '', mode] = process.argv.slice(2);

// Synchronous, so that what is printed is printed before the next commit; the pipe may be full for a while.
function say(line: string): void {
  for (;;) {
    try {
      writeSync(1, `${line}\n`);
      return;
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'EAGAIN')) throw error;
    }
  }
}

const log = { info() {}, warn() {}, error() {} };
const sealAfter = mode === 'kill' ? 1 : 3_600_000;
const recorder = await openRecorder({
  dir,
  durability: 'process',
  resultBytes: 1_000,
  log,
  sealAfter,
  segmentBytes: 256 << 20,
});

async function kill(): Promise<void> {
  const sessions = ['a', 'b', 'c'].map((name) => `se_${process.pid}_${name}`);
  for (const id of sessions) recorder.sessionStarted(sampleSession(id));
  for (let n = 1; ; n += 1) {
    // Several sessions a turn, as in the gateway.
    for (const id of sessions) recorder.statement(sampleStatement(id, n, { text: `SELECT ${'x'.repeat(n % 500)}` }));
    recorder.commit();
    for (const id of sessions) recorder.outcome(id, n, n, sampleOutcome({ result: Buffer.alloc(n % 300) }));
    recorder.commit();
    for (const id of sessions) say(`${id} ${n}`);
    await turn();
  }
}

async function limit(): Promise<void> {
  const id = 'se_limit';
  recorder.sessionStarted(sampleSession(id));
  let n = 0;
  try {
    for (;;) {
      n += 1;
      recorder.statement(sampleStatement(id, n, { text: 'x'.repeat(10_000) }));
      recorder.commit();
      say(`recorded ${n}`);
    }
  } catch (error) {
    say(`failed ${error instanceof Error && 'code' in error ? error.code : error}`);
  }
  say(`healthy ${recorder.healthy().ok}`);
  try {
    recorder.statement(sampleStatement(id, n + 1));
    say('accepted');
  } catch {
    say('refused');
  }
  // What did run is still taken.
  recorder.outcome(id, n - 1, 0, sampleOutcome({ rows: 77 }));
  say(`probed ${(await recorder.probe()).ok}`);
  recorder.statement(sampleStatement(id, n + 1));
  recorder.commit();
  say(`recorded ${n + 1}`);
}

await (mode === 'kill' ? kill() : limit());
// As after a crash: nothing is sealed by a close.
process.exit(0);
