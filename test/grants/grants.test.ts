// The life of grants over a real store: what is kept, what ends them and when, and what survives a restart.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { SallyportError } from '../../src/errors.ts';
import { type GrantStore, openStore } from '../../src/grants/store.ts';
import { parseScope } from '../../src/policy/scope.ts';
import { MINUTE, newDir, open, openAt, request, rule, Time } from './stand.ts';

test('a grant is made from a request, with a secret that is not kept', async () => {
  const { grants, time, dir } = open();
  const { grant, secret } = await grants.request(request);
  assert.match(grant.id, /^gr_[a-z2-7]{16}$/);
  assert.match(secret, /^[\w-]{43}$/);
  const { identity, task, reason, connection } = request;
  assert.deepEqual(grant, {
    ...{ id: grant.id, identity, task, reason, connection, scopes: request.scopes.map(parseScope) },
    requestedAt: time.wall,
    expiresAt: time.wall + request.ttlMs,
  });
  assert.deepEqual(grants.login(grant.id), { grant, verifiers: { length: 43 }, state: 'active' });
  assert.deepEqual(grants.show(grant.id), { grant, state: 'active', ttlMs: request.ttlMs, flags: [] });
  await grants.close();
  for (const file of readdirSync(dir)) assert.ok(!readFileSync(join(dir, file)).includes(secret), file);
  assert.equal(statSync(dir).mode & 0o077, 0);
});

test('a request that the rules refuse makes nothing', async () => {
  const { grants } = open();
  await assert.rejects(grants.request({ ...request, scopes: ['db:analytics:admin'] }), { code: 'SP_GRANT_REFUSED' });
  await assert.rejects(grants.request({ ...request, connection: 'analytcs' }), { hint: 'Did you mean "analytics"?' });
  assert.deepEqual(grants.list(), []);
});

test('a grant ends at its deadline to the millisecond, and listeners are told once', async () => {
  const { grants, time, ends } = open();
  const { grant } = await grants.request(request);
  time.pass(request.ttlMs - 1);
  assert.equal(grants.isLive(grant.id), true);
  assert.deepEqual(ends, []);
  time.pass(1);
  assert.equal(grants.isLive(grant.id), false);
  assert.deepEqual(ends, [`${grant.id} expired the deadline has passed`]);
  assert.deepEqual(grants.show(grant.id), {
    ...{
      grant,
      state: 'expired',
      ttlMs: request.ttlMs,
      flags: [],
      endedAt: grant.expiresAt,
      endedBy: 'sallyport',
      endReason: 'the deadline has passed',
    },
  });
  assert.equal(time.waiting(), undefined);
});

test('a timer that is late does not keep a grant alive, and one of two is ended in its turn', async () => {
  const { grants, time, ends } = open();
  const long = await grants.request(request);
  const short = await grants.request({ ...request, ttlMs: MINUTE });
  time.wall += MINUTE;
  time.steady += MINUTE;
  assert.equal(grants.isLive(short.grant.id), false);
  assert.equal(grants.state(short.grant.id), 'expired');
  assert.equal(grants.login(short.grant.id)?.state, 'expired');
  assert.deepEqual(ends, [], 'sessions are not ended from inside a statement');
  assert.equal(time.waiting(), 0);
  time.fire();
  assert.equal(ends.length, 1);
  assert.equal(grants.isLive(long.grant.id), true);
});

test('setting the wall clock back gives no time, setting it forward takes some', async () => {
  const back = open();
  const one = await back.grants.request(request);
  back.time.wall -= 60 * MINUTE;
  back.time.pass(request.ttlMs);
  assert.equal(back.grants.isLive(one.grant.id), false);
  assert.equal(back.ends.length, 1);

  const forward = open();
  const other = await forward.grants.request(request);
  forward.time.wall += request.ttlMs;
  assert.equal(forward.grants.isLive(other.grant.id), false);
  forward.time.pass(1000);
  assert.equal(forward.ends.length, 1);
});

test('a jump of the wall clock is noticed within a second where nothing asks', async () => {
  const { grants, time, ends } = open();
  await grants.request(request);
  time.wall += request.ttlMs;
  time.pass(1000);
  assert.equal(ends.length, 1);
});

test('a deadline farther away than a timer can wait is kept', async () => {
  const { grants, time, ends } = open();
  const { grant } = await grants.request({ ...request, ttlMs: rule.maxTtlMs });
  assert.ok(rule.maxTtlMs > 2 ** 31);
  assert.ok((time.waiting() ?? 0) > 0, 'the timer would fire at once');
  time.wall += 2 ** 31;
  time.steady += 2 ** 31;
  time.fire();
  assert.equal(grants.isLive(grant.id), true);
  assert.deepEqual(ends, []);
});

test('completing and revoking end a grant at once, once, and say who and why', async () => {
  const { grants, time, ends } = open();
  const done = (await grants.request(request)).grant;
  const pulled = (await grants.request(request)).grant;
  time.pass(5);
  const end = { ttlMs: request.ttlMs, flags: [], endedAt: time.wall };
  assert.deepEqual(grants.complete(done.id, 'agent'), {
    ...{ grant: done, state: 'completed', ...end, endedBy: 'agent', endReason: 'the task is done' },
  });
  assert.deepEqual(grants.revoke(pulled.id, 'operator', 'wrong table'), {
    ...{ grant: pulled, state: 'revoked', ...end, endedBy: 'operator', endReason: 'wrong table' },
  });
  assert.deepEqual(ends, [`${done.id} completed the task is done`, `${pulled.id} revoked wrong table`]);
  assert.equal(grants.isLive(done.id) || grants.isLive(pulled.id), false);
  assert.equal(grants.login(pulled.id)?.state, 'revoked');
  for (const { id } of [done, pulled]) {
    assert.throws(() => grants.complete(id, 'agent'), { code: 'SP_GRANT_OVER' });
    assert.throws(() => grants.revoke(id, 'operator', 'again'), { code: 'SP_GRANT_OVER' });
  }
  time.pass(2 * request.ttlMs);
  assert.equal(ends.length, 2);
});

test('what is no grant is nobody’s login', async () => {
  const { grants } = open();
  await grants.request(request);
  for (const id of ['', 'gr_', 'gr_aaaaaaaaaaaaaaaa', 'gr_aaaaaaaaaaaaaaaaa', 'postgres', '\u0000', '__proto__']) {
    assert.equal(grants.login(id), undefined);
    assert.equal(grants.state(id), undefined);
    assert.equal(grants.isLive(id), false);
    assert.throws(() => grants.show(id), { code: 'SP_GRANT_UNKNOWN' });
    assert.throws(() => grants.revoke(id, 'operator', 'x'), { code: 'SP_GRANT_UNKNOWN' });
  }
});

test('grants and their ends survive a restart; listing is newest first', async () => {
  const first = open();
  const made = [];
  for (const task of ['a', 'b', 'c']) made.push((await first.grants.request({ ...request, task })).grant);
  const [a, b, c] = made;
  assert.ok(a && b && c);
  first.grants.revoke(b.id, 'operator', 'wrong table');
  const before = first.grants.list();
  first.time.pass(MINUTE);
  const second = await first.reopen();
  assert.deepEqual(second.grants.list(), before);
  assert.deepEqual(
    second.grants.list({ limit: 2 }).map(({ grant }) => grant.task),
    ['c', 'b'],
  );
  assert.equal(second.grants.isLive(a.id), true);
  assert.equal(second.grants.isLive(b.id), false);
  assert.deepEqual(second.grants.login(a.id)?.verifiers, { length: 43 });
  assert.deepEqual(second.grants.login(b.id)?.verifiers, { length: 43 });
  second.time.pass(request.ttlMs - MINUTE - 1);
  assert.equal(second.grants.isLive(a.id), true);
  second.time.pass(1);
  assert.equal(second.ends.length, 2);
});

test('a deadline that passed while nobody was here has passed, even with the clock set back', async () => {
  const away = open();
  const { grant } = await away.grants.request(request);
  await away.grants.close();
  away.time.wall += request.ttlMs + 5;
  const back = openAt(away.time, away.dir);
  assert.equal(back.grants.isLive(grant.id), false);
  const { state, endedAt } = back.grants.show(grant.id);
  assert.deepEqual([state, endedAt], ['expired', grant.expiresAt]);
  await back.grants.close();
  back.time.wall = grant.requestedAt;
  const again = openAt(back.time, back.dir);
  assert.equal(again.grants.state(grant.id), 'expired');
});

test('a clock set back between two runs gives no more than what was left at the last event', async () => {
  const first = open();
  const early = (await first.grants.request(request)).grant;
  first.time.pass(15 * MINUTE);
  await first.grants.request(request);
  await first.grants.close();
  first.time.wall -= 24 * 60 * MINUTE;
  const second = openAt(first.time, first.dir);
  second.time.pass(5 * MINUTE - 1);
  assert.equal(second.grants.isLive(early.id), true);
  second.time.pass(1);
  assert.equal(second.grants.isLive(early.id), false);
});

test('an end that cannot be written is in force all the same, and is written as soon as it can be', async () => {
  const dir = newDir();
  const disk = openStore(dir);
  let full = false;
  const append: GrantStore['append'] = (events, seen) => {
    if (full) throw new SallyportError('SP_RECORD', 'no space left');
    return disk.append(events, seen);
  };
  const { grants, time, ends, errors } = openAt(new Time(), dir, {}, { ...disk, append });
  const pulled = (await grants.request(request)).grant;
  const late = (await grants.request(request)).grant;
  full = true;
  await assert.rejects(grants.request(request), { code: 'SP_RECORD' });
  assert.throws(() => grants.revoke(pulled.id, 'operator', 'wrong table'), { code: 'SP_RECORD' });
  assert.equal(grants.isLive(pulled.id), false);
  assert.equal(grants.login(pulled.id)?.state, 'revoked');
  assert.deepEqual(
    grants.list({ state: 'revoked' }).map(({ grant }) => grant.id),
    [pulled.id],
  );
  assert.deepEqual(
    grants.history(pulled.id).map(({ event }) => event),
    ['requested', 'revoked'],
  );
  time.pass(request.ttlMs);
  assert.equal(grants.state(late.id), 'expired');
  assert.equal(ends.length, 2);
  assert.equal(errors.length, 1, 'the expiry has nobody else to tell');
  assert.equal(disk.events(pulled.id).length, 1);
  full = false;
  time.pass(1000);
  assert.deepEqual(disk.events(pulled.id).at(-1), {
    ...{ grantId: pulled.id, at: pulled.requestedAt, elapsed: 0, event: 'revoked', by: 'operator' },
    reason: 'wrong table',
  });
  assert.equal(disk.events(late.id).at(-1)?.event, 'expired');
  assert.equal(ends.length, 2);
  assert.equal(grants.list().length, 2);
});

test('grants, approvals and ends that were answered are there after kill -9', async () => {
  const dir = newDir();
  const child = spawn(process.execPath, [join(import.meta.dirname, 'killed.ts'), dir], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [line] = await once(child.stdout, 'data');
  child.kill('SIGKILL');
  await once(child, 'exit');
  const time = new Time();
  time.wall = Date.now();
  const { grants } = openAt(time, dir);
  assert.deepEqual(
    String(line)
      .trim()
      .split(' ')
      .map((id) => grants.state(id)),
    ['active', 'revoked', 'requested', 'active'],
  );
});

test('a listener that throws keeps no other from being told', async () => {
  const { grants, errors, ends } = open();
  const broken = new Error('broken');
  grants.onEnd(() => {
    throw broken;
  });
  const told: string[] = [];
  const stop = grants.onEnd((id) => told.push(id));
  const { id } = (await grants.request(request)).grant;
  grants.complete(id, 'agent');
  assert.deepEqual([told, errors, ends.length], [[id], [broken], 1]);
  stop();
  grants.complete((await grants.request(request)).grant.id, 'agent');
  assert.deepEqual(told, [id]);
});

test('a listener may look at the other grants that end in the same moment', async () => {
  const { grants, time, ends } = open();
  const made = [(await grants.request(request)).grant.id, (await grants.request(request)).grant.id];
  grants.onEnd(() => {
    for (const id of made) grants.show(id);
  });
  time.pass(request.ttlMs);
  assert.deepEqual(ends.map((end) => end.slice(0, 19)).sort(), made.sort());
});

test('one identity has a thousand open grants at most, whatever the rules say, and keeps nobody else out', async () => {
  const { grants } = open();
  const first = await grants.request(request);
  for (let n = 1; n < 1000; n++) await grants.request(request);
  await assert.rejects(grants.request(request), { code: 'SP_LIMIT', hint: /Complete/ });
  await grants.request({ ...request, identity: { ...request.identity, subject: 'another-agent' } });
  grants.complete(first.grant.id, 'chatgpt-agent');
  await grants.request(request);
});
