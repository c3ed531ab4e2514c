// THREATS F3, the clocks: however the wall clock is set, whenever the gateway starts anew, no grant lives longer than it was
// given.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { MINUTE, type Opened, open, openAt, request, rule } from './stand.ts';

const DAY = 24 * 60 * MINUTE;

test('F3 a grant made under a clock that is ahead lives no longer when the clock is right again', async () => {
  const { grants, time } = open();
  time.wall += DAY;
  const { id } = (await grants.request(request)).grant;
  time.wall -= DAY;
  time.pass(request.ttlMs - 1);
  assert.equal(grants.isLive(id), true);
  time.pass(1);
  assert.equal(grants.isLive(id), false);
});

test('F3 nor does it when the gateway starts anew again and again under a clock that is behind', async () => {
  let stand: Opened = open();
  stand.time.wall += DAY;
  const { id } = (await stand.grants.request(request)).grant;
  stand.time.wall -= 2 * DAY;
  for (let start = 0; start < 4; start++) {
    stand.time.pass(5 * MINUTE);
    assert.equal(stand.grants.isLive(id), start < 3, `start ${start}`);
    stand = await stand.reopen();
  }
  assert.equal(stand.grants.state(id), 'expired');
});

test('F3 a gateway that is killed forgets no more than the last minute of its time', async () => {
  const first = open();
  const { id } = (await first.grants.request(request)).grant;
  first.time.wall -= DAY;
  first.time.pass(10 * MINUTE);
  // Not closed: a second one opens what the first has on disk.
  const second = openAt(first.time, first.dir);
  const left = second.grants.remaining(id);
  assert.ok(left >= 10 * MINUTE && left <= 11 * MINUTE, `${left} ms`);
});

test('F3 a machine that slept has used the time up', async () => {
  const { grants, time, ends } = open();
  const { id } = (await grants.request(request)).grant;
  time.wall += request.ttlMs;
  assert.deepEqual([grants.isLive(id), grants.remaining(id), grants.live(request.identity)], [false, 0, []]);
  assert.equal(grants.login(id)?.state, 'expired');
  time.fire();
  assert.equal(ends.length, 1);
});

test('F3 what a statement was refused for stays over, though the clock is set back before the grant is ended', async () => {
  const first = open();
  const { id } = (await first.grants.request(request)).grant;
  first.time.wall += request.ttlMs;
  assert.equal(first.grants.isLive(id), false);
  first.time.wall -= request.ttlMs;
  assert.equal(first.grants.isLive(id), false);
  const { grants } = await first.reopen();
  assert.equal(grants.state(id), 'expired');
});

test('F3 a clock that was once far ahead takes no time from grants that come after', async () => {
  const first = open();
  first.time.wall += 365 * DAY;
  await first.grants.request(request);
  first.time.wall -= 365 * DAY;
  const later = await first.grants.request(request);
  const second = await first.reopen();
  assert.equal(second.grants.remaining(later.grant.id), request.ttlMs);
});

test('F3 an approval begins a life of the time that was asked for, whatever the clock shows', async () => {
  const { grants, time, given } = open();
  given.rules = [{ ...rule, approval: 'required' }];
  const { id } = (await grants.request(request)).grant;
  time.pass(30 * MINUTE);
  time.wall -= DAY;
  const by = { identity: { issuer: 'i', subject: 'dora', groups: [] }, roles: new Set(['approver'] as const) };
  const { grant } = grants.approve(id, by);
  assert.equal(grant.expiresAt, time.wall + request.ttlMs);
  time.wall -= DAY;
  time.pass(request.ttlMs - 1);
  assert.equal(grants.isLive(id), true);
  time.pass(1);
  assert.equal(grants.isLive(id), false);
});

test('F3 whatever happens to the clocks, the time that a grant is live is at most what it was given', async () => {
  const step = fc.oneof(
    fc.record({ pass: fc.integer({ min: 1, max: 7 * MINUTE }) }),
    fc.record({ jump: fc.integer({ min: -DAY, max: DAY }) }),
    fc.record({ sleep: fc.integer({ min: 1, max: 30 * MINUTE }) }),
    fc.constant({ restart: true }),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 25 }), async (steps) => {
      let stand: Opened = open();
      const { id } = (await stand.grants.request(request)).grant;
      let lived = 0;
      let over = false;
      for (const given of steps) {
        const { time, grants } = stand;
        const before = time.steady;
        const wasLive = grants.isLive(id);
        assert.ok(!(over && wasLive), 'what was over lives again');
        if ('pass' in given) time.pass(given.pass);
        if ('jump' in given) time.wall += given.jump;
        if ('sleep' in given) time.wall += given.sleep;
        if ('restart' in given) stand = await stand.reopen();
        over ||= !wasLive;
        if (wasLive && stand.grants.isLive(id)) lived += time.steady - before;
      }
      assert.ok(lived <= request.ttlMs, `${lived} ms`);
      await stand.grants.close();
    }),
    { numRuns: 60 },
  );
});
