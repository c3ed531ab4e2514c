// The demo as a stranger runs it: the whole story, nothing of what is masked, nothing left behind; with MySQL's half and without.

import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readlinkSync } from 'node:fs';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { FLAVOURS, hasMysql } from '../servers/mysql.ts';

const DEMO = fileURLToPath(new URL('../../demo/main.ts', import.meta.url));

interface Played {
  readonly code: number | null;
  readonly output: string;
  /** What is left in the demo's temporary directory, and of processes that work there. */
  readonly left: readonly string[];
}

interface How {
  readonly isOnce: boolean;
  /** What has to be printed before Ctrl-C. */
  readonly interruptAt?: string;
  /** The beginning of the command line, before the program. */
  readonly within?: readonly string[];
}

/** Runs the demo with a temporary directory of its own. */
async function play({ isOnce, interruptAt, within = [] }: How): Promise<Played> {
  const dir = await mkdtemp(join(tmpdir(), 'sallyport-test-'));
  try {
    // The database runs as another user where this is root.
    await chmod(dir, 0o755);
    const env = { PATH: process.env.PATH, TMPDIR: dir, ...(isOnce && { ONCE: '1' }) };
    const [program = '', ...args] = [...within, process.execPath, DEMO];
    const demo = spawn(program, args, { env, stdio: ['ignore', 'pipe', 'inherit'] });
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

const hasAnyMysql = FLAVOURS.some(hasMysql);

const MYSQL_HALF = [
  /^9\. The same before a (MariaDB|MySQL) \d/m,
  'Ada Lindqvist  a************.example', // rows of a prepared statement
  'agent> DROP TABLE orders\n   ERROR 1142 (42000):',
  '{"decision":"deny","rule":"no-drops"',
  '$ sallyport sessions replay se_',
  '(2 rows, 2 masked)',
  '$ mysql -h … -u gr_',
  '| shipped | a************.example |',
];

const NO_MYSQL = /^9\. MySQL: no server is installed here\. .*apt-get install/m;

function assertInOrder(output: string, parts: readonly (string | RegExp)[]): void {
  let at = 0;
  for (const part of parts) {
    const rest = output.slice(at);
    const found = typeof part === 'string' ? rest.indexOf(part) : rest.search(part);
    assert.notEqual(found, -1, `not in its place: ${part}\n${output}`);
    at += found;
  }
}

test('ONCE=1 tells the whole story, ends with 0 and leaves nothing behind', async () => {
  const { code, output, left } = await play({ isOnce: true });
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
    'when approved',
    '$ sallyport grants approve gr_',
    'UPDATE 1',
    'move-customer  db:shop.public.customers:read+write  active',
    'agent> SALLYPORT COMPLETE\n   FATAL 57P01:  the grant gr_',
    ...(hasAnyMysql ? MYSQL_HALF : [NO_MYSQL]),
    'psql "postgresql://gr_',
    ...(hasAnyMysql ? ['mysql -h 127.0.0.1 -P '] : []),
  ];
  assertInOrder(output, inOrder);
  for (const secret of ['@lindqvist', '912-41-7730', 'kept-by-the-gateway'])
    assert.ok(!output.includes(secret), secret);
  // Not a terminal: no colours. On one it is 100 columns wide; what is to be copied is left whole.
  assert.ok(!output.includes('\x1b'));
  const wide = output.split('\n').filter((line) => line.length > 100 && !/^ {3}(psql "|mysql -h )/.test(line));
  assert.deepEqual(wide, []);
});

/** A namespace of mounts in which neither server is there. */
const HIDING = `
for server in mariadbd mysqld; do
  for place in /usr/sbin /usr/local/sbin $(echo "$PATH" | tr : ' '); do
    [ -e $place/$server ] && mount --bind /dev/null "$(readlink -f $place/$server)"
  done
done
[ -d "$1" ] && mount --bind "$2" "$1"
shift 2
exec "$@"`;
const UNPACKED = fileURLToPath(new URL('../../.cache/mysql', import.meta.url));
const cannotHide = spawnSync('unshare', ['--mount', 'true']).status !== 0 && 'mounts cannot be hidden here';

test('without a server of MySQL’s it says so in a line, and all else is there', { skip: cannotHide }, async () => {
  const empty = await mkdtemp(join(tmpdir(), 'sallyport-empty-'));
  const within = ['unshare', '--mount', '/bin/sh', '-c', HIDING, 'sh', UNPACKED, empty];
  const { code, output, left } = await play({ isOnce: true, within });
  await rm(empty, { recursive: true });
  assert.equal(code, 0, output);
  assert.deepEqual(left, []);
  assertInOrder(output, ['FATAL 57P01:', NO_MYSQL, 'psql "postgresql://gr_']);
  assert.ok(!output.includes('mysql -h'));
});

test('Ctrl-C in the middle of the story leaves nothing behind', async () => {
  const { code, left } = await play({ isOnce: false, interruptAt: '2. It reads' });
  assert.equal(code, 0);
  assert.deepEqual(left, []);
});
