// The log keeps secrets out; the metrics say what was counted.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createLogger, createMetrics } from '../src/telemetry.ts';

test('what stands under a secret name is not logged, three levels deep', () => {
  const lines: string[] = [];
  const log = createLogger({ level: 'info', format: 'json', destination: { write: (line) => lines.push(line) } });
  log.info({ password: 'hunter2', user: 'svc' }, 'one');
  log.info({ connection: { password: 'hunter2', host: 'db' } }, 'two');
  log.info(
    { request: { headers: { authorization: 'Bearer hunter2' } }, grant: { secret: 'hunter2', dsn: 'x:hunter2@' } },
    'three',
  );
  log.debug({}, 'not logged');
  assert.equal(lines.length, 3);
  assert.ok(!lines.join('').includes('hunter2'), lines.join(''));
  const first = JSON.parse(lines[0] ?? '');
  assert.deepEqual([first.level, first.user, first.msg], ['info', 'svc', 'one']);
  assert.ok(!Number.isNaN(Date.parse(first.time)));
});

test('every tally is scraped', async () => {
  const { tally, render } = createMetrics();
  for (const [index, key] of Object.keys(tally).entries()) tally[key as keyof typeof tally] = 1000 + index;
  const text = await render();
  for (const value of Object.values(tally)) assert.match(text, new RegExp(` ${value}\\n`));
  tally.sessionsOpen = 0;
  assert.match(await render(), /sallyport_sessions 0\n/);
});

test('failed logins are counted by protocol and reason', async () => {
  const { loginFailed, render } = createMetrics();
  loginFailed('postgres', 'secret');
  loginFailed('postgres', 'secret');
  loginFailed('mysql', 'token');
  const text = await render();
  assert.match(text, /sallyport_login_failures_total\{protocol="postgres",reason="secret"\} 2\n/);
  assert.match(text, /sallyport_login_failures_total\{protocol="mysql",reason="token"\} 1\n/);
});
