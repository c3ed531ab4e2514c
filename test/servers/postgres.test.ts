// The test server itself: it serves, it says why it does not start, and it ends with the process that asked for it.

import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { createInterface } from 'node:readline';
import test from 'node:test';
import { fileURLToPath } from 'node:url';
import { Client } from 'pg';
import { startPostgres } from './postgres.ts';

test('serves with the login, settings and SQL that it was given', async (t) => {
  const server = await startPostgres({
    auth: 'scram-sha-256',
    settings: { work_mem: '7MB' },
    sql: ['CREATE TABLE t AS SELECT 1 AS a', 'VACUUM t'],
  });
  t.after(() => server.stop());
  const client = new Client(server.connectionString);
  await client.connect();
  const { rows } = await client.query("SELECT a, current_setting('work_mem') AS memory FROM t");
  assert.deepEqual(rows, [{ a: 1, memory: '7MB' }]);
  await client.end();
  const wrong = new Client(server.connectionString.replace(server.password, 'wrong'));
  await assert.rejects(wrong.connect(), /password authentication failed/);
});

test('says why it does not start', async () => {
  await assert.rejects(startPostgres({ settings: { no_such_setting: 1 } }), /no_such_setting/);
});

test('ends, with its directory, when the process that asked for it is killed', async () => {
  const path = fileURLToPath(new URL('postgres.ts', import.meta.url));
  const script = `const { startPostgres } = await import(${JSON.stringify(path)});
    const { pid, dir } = await startPostgres(); console.log(JSON.stringify({ pid, dir })); setInterval(() => {}, 1000)`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [line] = (await once(createInterface({ input: child.stdout }), 'line')) as [string];
  const { pid, dir } = JSON.parse(line) as { pid: number; dir: string };
  assert.ok(existsSync(`${dir}/data/postmaster.pid`));
  child.kill('SIGKILL');
  await once(child, 'exit');
  while (existsSync(dir)) await new Promise((resolve) => setTimeout(resolve, 20));
  // Gone, or not yet reaped by an init that takes its time.
  const state = spawnState(pid);
  assert.ok(state === '' || state.startsWith('Z'), state);
});

function spawnState(pid: number): string {
  try {
    return execFileSync('ps', ['-o', 'stat=', '-p', String(pid)], { encoding: 'utf8' }).trim();
  } catch {
    return '';
  }
}
