// The database session of a grant: one statement at a time, a bounded number behind it, opened anew where it has ended.

import assert from 'node:assert/strict';
import test, { mock } from 'node:test';
import { SallyportError } from '../../src/errors.ts';
import type { Answer, Database } from '../../src/mcp/database.ts';
import { IDLE_MS, Line } from '../../src/mcp/line.ts';

const EMPTY: Answer = { columns: [], rows: [], affected: null, truncated: null, notices: [] };
const STATEMENT = { sql: 'SELECT 1', parameters: [], maxRows: 1, maxBytes: 1 };
const NEVER = new AbortController().signal;

/** Sessions that answer when they are told to. */
function scripted() {
  const opened: { open: boolean }[] = [];
  const running: (() => void)[] = [];
  const dial = async () => {
    const session: Database & { open: boolean } = {
      open: true,
      run: (_, signal) =>
        new Promise<Answer>((resolve, reject) => {
          running.push(() => resolve(EMPTY));
          signal.addEventListener('abort', () => reject(signal.reason), { once: true });
        }),
      close() {
        session.open = false;
      },
    };
    opened.push(session);
    return session;
  };
  const line = new Line();
  const run = (signal: AbortSignal = NEVER) => line.run(STATEMENT, signal, dial);
  const turn = () => new Promise((resolve) => setImmediate(resolve));
  return { line, run, opened, running, turn };
}

test('one runs, eight wait, and the next is refused', async () => {
  const { line, run, opened, running, turn } = scripted();
  const all = Array.from({ length: 9 }, () => run());
  await assert.rejects(
    run(),
    (error) => error instanceof SallyportError && error.code === 'SP_LIMIT' && /8 statements wait/.test(error.message),
  );
  for (let n = 1; n <= 9; n++) {
    await turn();
    assert.equal(running.length, n);
    running.at(-1)?.();
  }
  await Promise.all(all);
  assert.equal(opened.length, 1);
  line.close();
});

test('one that is cancelled while it waits never runs', async () => {
  const { line, run, running, turn } = scripted();
  const first = run();
  const abort = new AbortController();
  const second = assert.rejects(run(abort.signal), /enough/);
  abort.abort(new Error('enough'));
  await turn();
  running[0]?.();
  await Promise.all([first, second]);
  assert.equal(running.length, 1);
  line.close();
});

test('a session that has ended is opened anew', async () => {
  const { line, run, opened, running, turn } = scripted();
  const first = run();
  await turn();
  if (opened[0] !== undefined) opened[0].open = false;
  running[0]?.();
  assert.equal((await first).over, true);
  const second = run();
  await turn();
  running[1]?.();
  assert.equal((await second).over, false);
  assert.equal(opened.length, 2);
  line.close();
});

test('an idle session is let go', async () => {
  mock.timers.enable({ apis: ['setTimeout'] });
  try {
    const { run, opened, running, turn } = scripted();
    const first = run();
    await turn();
    running[0]?.();
    await first;
    mock.timers.tick(IDLE_MS - 1);
    assert.equal(opened[0]?.open, true);
    mock.timers.tick(1);
    assert.equal(opened[0]?.open, false);
  } finally {
    mock.timers.reset();
  }
});
