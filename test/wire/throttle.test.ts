// Failed logins are slowed by source and by login; nobody is kept out for long by somebody else's failures.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sourceOf, Throttle } from '../../src/wire/throttle.ts';

const GUESSER = '203.0.113.7';
const HOLDER = '198.51.100.1';
const LOGIN = 'gr_abcdefghijklmnop';

function started() {
  let now = 0;
  const throttle = new Throttle(() => now);
  const fail = (times: number, source = GUESSER, login: string | null = LOGIN) => {
    for (let i = 0; i < times; i++) throttle.failed(source, login);
  };
  return { throttle, fail, later: (ms: number) => (now += ms) };
}

test('a few failures cost nothing, each further one doubles the delay, up to a ceiling', () => {
  const { throttle, fail } = started();
  const delays: number[] = [];
  for (let failures = 1; failures <= 18; failures++) {
    fail(1, GUESSER, null);
    delays.push(throttle.delay(GUESSER, LOGIN));
  }
  assert.deepEqual(delays, [0, 0, 0, 0, 0, 0, 0, 0, 0, 100, 200, 400, 800, 1600, 3000, 3000, 3000, 3000]);
});

test('a guesser slows itself for every login, and the login for others by a second at most', () => {
  const { throttle, fail } = started();
  fail(1000);
  assert.equal(throttle.delay(GUESSER, 'gr_another'), 3000);
  assert.equal(throttle.delay(GUESSER, null), 3000);
  assert.equal(throttle.delay(HOLDER, LOGIN), 1000);
  assert.equal(throttle.delay(HOLDER, 'gr_another'), 0);
  assert.equal(throttle.delay(HOLDER, null), 0);
});

test('the right secret forgives the login, not the source', () => {
  const { throttle, fail } = started();
  fail(1000);
  throttle.succeeded(LOGIN);
  assert.equal(throttle.delay(HOLDER, LOGIN), 0);
  assert.equal(throttle.delay(GUESSER, LOGIN), 3000);
});

test('failures are forgotten by halves', () => {
  const { throttle, fail, later } = started();
  fail(16);
  assert.equal(throttle.delay(GUESSER, null), 3000);
  later(20_000);
  assert.equal(throttle.delay(GUESSER, null), 800);
  later(60_000);
  assert.equal(throttle.delay(GUESSER, null), 0);
});

test('what is kept is bounded, and the latest failures stay', () => {
  const { throttle, fail } = started();
  fail(20, '192.0.2.1', null);
  for (let i = 0; i < 9_999; i++) throttle.failed(`source ${i}`, null);
  assert.equal(throttle.delay('192.0.2.1', null), 3000);
  throttle.failed('192.0.2.1', null);
  for (let i = 0; i < 9_999; i++) throttle.failed(`another ${i}`, null);
  assert.equal(throttle.delay('192.0.2.1', null), 3000, 'it has failed again: it is among the latest');
  throttle.failed('one more', null);
  assert.equal(throttle.delay('192.0.2.1', null), 0);
});

test('a source is an IPv4 address, or the first 64 bits of an IPv6 one', () => {
  for (const [address, source] of [
    ['203.0.113.7', '203.0.113.7'],
    ['::ffff:203.0.113.7', '203.0.113.7'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
    ['2001:db8:1:2::1', '2001:db8:1:2::/64'],
    ['2001:db8::1', '2001:db8:0:0::/64'],
    ['2001:DB8::3:4:5:6', '2001:db8:0:0::/64'],
    ['fe80::1%eth0', 'fe80:0:0:0::/64'],
    ['::1', '0:0:0:0::/64'],
    ['::', '0:0:0:0::/64'],
    [undefined, '?'],
  ] as const) {
    assert.equal(sourceOf(address), source, address);
  }
});

test('a login of any length takes no more than its beginning to be kept in mind', () => {
  const throttle = new Throttle(() => 0);
  const long = 'x'.repeat(10_000);
  for (let i = 0; i < 12; i++) throttle.failed(`10.0.0.${i}`, long);
  assert.ok(throttle.delay('10.9.9.9', long) > 0);
  assert.equal(throttle.delay('10.9.9.9', long), throttle.delay('10.9.9.9', long.slice(0, 128)));
  throttle.succeeded(long);
  assert.equal(throttle.delay('10.9.9.9', long), 0);
});
