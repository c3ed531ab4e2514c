// The demo as a stranger runs it: the whole story, nothing of what is masked, nothing left behind.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readlinkSync } from 'node:fs';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const DEMO = fileURLToPath(new URL('../../demo/main.ts', import.meta.url));

interface Played {
  readonly code: number | null;
  readonly output: string;
  /** What is left in the demo's temporary directory, and of processes that work there. */
  readonly left: readonly string[];
}

/** Runs the demo with a temporary directory of its own; `interruptAt` is what has to be printed before Ctrl-C. */
async function play(isOnce: boolean, interruptAt?: string): Promise<Played> {
  const dir = await mkdtemp(join(tmpdir(), 'sallyport-test-'));
  try {
    // The database runs as another user where this is root.
    await chmod(dir, 0o755);
    const env = { PATH: process.env.PATH, TMPDIR: dir, ...(isOnce && { ONCE: '1' }) };
    const demo = spawn(process.execPath, [DEMO], { env, stdio: ['ignore', 'pipe', 'inherit'] });
    let output = '';
    let interrupted = false;
    demo.stdout.setEncoding('utf8').on('data', (text: string) => {
      output += text;
      if (interruptAt === undefined || interrupted || !output.includes(interruptAt)) return;
      interrupted = true;
      demo.kill('SIGINT');
    });
    const [code] = (await once(demo, 'close')) as [number | null];
    return { code, output, left: [...readdirSync(dir), ...(await stayingIn(dir))] };
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

/** What still works there after the while that a server's watchman takes to see that the server is gone. */
async function stayingIn(dir: string): Promise<string[]> {
  const deadline = performance.now() + 10_000;
  while (workingIn(dir).length > 0 && performance.now() < deadline)
    await new Promise((resolve) => setTimeout(resolve, 20));
  return workingIn(dir);
}

/** Processes whose working directory is below `dir`; none where the system has no /proc. */
function workingIn(dir: string): string[] {
  if (!existsSync('/proc/self/cwd')) return [];
  return readdirSync('/proc').filter((pid) => {
    try {
      return /^\d+$/.test(pid) && readlinkSync(`/proc/${pid}/cwd`).startsWith(dir);
    } catch {
      return false;
    }
  });
}

test('ONCE=1 tells the whole story, ends with 0 and leaves nothing behind', async () => {
  const { code, output, left } = await play(true);
  assert.equal(code, 0, output);
  assert.deepEqual(left, []);
  const inOrder = [
    '$ sallyport grants request',
    'a************.example   [redacted]', // the masked read
    'agent> DROP TABLE orders\n   ERROR 42501:',
    'DETAIL:  {"decision":"deny","rule":"no-drops"',
    'approval needed',
    'update on public.customers needs write',
    '$ sallyport sessions replay se_',
    'deny  no-drops',
    'agent> SELECT pg_sleep(600)',
    'FATAL 57P01:  the grant gr_',
    'psql "postgresql://gr_',
  ];
  let at = 0;
  for (const part of inOrder) {
    const found = output.indexOf(part, at);
    assert.notEqual(found, -1, `not in its place: ${part}\n${output}`);
    at = found;
  }
  for (const secret of ['@lindqvist', '912-41-7730', 'kept-by-the-gateway'])
    assert.ok(!output.includes(secret), secret);
  // Not a terminal: no colours. On one it is 100 columns wide; what is to be copied is left whole.
  assert.ok(!output.includes('\x1b'));
  const wide = output.split('\n').filter((line) => line.length > 100 && !line.includes('psql "'));
  assert.deepEqual(wide, []);
});

test('Ctrl-C in the middle of the story leaves nothing behind', async () => {
  const { code, left } = await play(false, '2. It reads');
  assert.equal(code, 0);
  assert.deepEqual(left, []);
});
