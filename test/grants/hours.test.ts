// Hours in time zones: what is inside, what a change of the clock does to them, and when they open next.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type Hours, hoursText, instantText, isOpen, opensNext } from '../../src/grants/hours.ts';

const MINUTE = 60_000;
const WEEKDAYS = ['mon', 'tue', 'wed', 'thu', 'fri'];
const WEEK = [...WEEKDAYS, 'sat', 'sun'];
const office: Hours = { days: WEEKDAYS, from: '08:00', to: '18:00', timeZone: 'Europe/Berlin' };
const night: Hours = { days: ['fri'], from: '22:00', to: '06:00', timeZone: 'UTC' };

const at = (text: string) => Date.parse(text);
const next = (hours: Hours, text: string) => {
  const found = opensNext(hours, at(text));
  return found === null ? null : new Date(found).toISOString().replace(':00.000Z', 'Z');
};

test('from is inside, to is not, on the days that are named, by the clocks of the place', () => {
  const table: [string, boolean][] = [
    ['2026-11-20T06:59Z', false],
    ['2026-11-20T07:00Z', true],
    ['2026-11-20T16:59Z', true],
    ['2026-11-20T17:00Z', false],
    ['2026-11-21T10:00Z', false],
    // The same hour of UTC, in summer.
    ['2026-07-20T06:00Z', true],
    ['2026-07-20T16:00Z', false],
  ];
  for (const [text, inside] of table) assert.equal(isOpen(office, at(text)), inside, text);
});

test('a stretch over midnight belongs to the day on which it begins', () => {
  const table: [string, boolean][] = [
    ['2026-11-20T21:59Z', false],
    ['2026-11-20T22:00Z', true],
    ['2026-11-21T05:59Z', true],
    ['2026-11-21T06:00Z', false],
    ['2026-11-21T22:00Z', false],
    ['2026-11-20T05:00Z', false],
  ];
  for (const [text, inside] of table) assert.equal(isOpen(night, at(text)), inside, text);
  const sunday = { ...night, days: ['sun'] };
  assert.equal(isOpen(sunday, at('2026-11-23T05:59Z')), true, 'from Sunday into Monday');
});

test('all week, and to the end of the day', () => {
  const always: Hours = { days: WEEK, from: '00:00', to: '24:00', timeZone: 'Asia/Kathmandu' };
  for (let minute = 0; minute < 8 * 1440; minute += 37) assert.ok(isOpen(always, minute * MINUTE));
  assert.equal(isOpen({ ...office, to: '24:00' }, at('2026-11-20T22:59Z')), true);
  assert.equal(isOpen({ ...office, to: '24:00' }, at('2026-11-20T23:00Z')), false);
});

test('it opens next after the night, the weekend, and the week', () => {
  assert.equal(next(office, '2026-11-20T05:00Z'), '2026-11-20T07:00Z');
  assert.equal(next(office, '2026-11-20T17:00Z'), '2026-11-23T07:00Z');
  assert.equal(next(night, '2026-11-21T06:00Z'), '2026-11-27T22:00Z');
  assert.equal(
    next({ ...office, days: ['sat'], timeZone: 'Pacific/Auckland' }, '2026-11-20T10:00Z'),
    '2026-11-20T19:00Z',
  );
});

test('a time that a change of the clock leaves out opens with the change, one that comes twice opens twice', () => {
  // Berlin, 29 March 2026: 02:00 is followed by 03:00; 25 October: 02:59 by 02:00.
  const early: Hours = { days: WEEK, from: '02:30', to: '05:00', timeZone: 'Europe/Berlin' };
  assert.equal(next(early, '2026-03-28T23:00Z'), '2026-03-29T01:00Z');
  assert.equal(next({ ...early, to: '02:45' }, '2026-03-28T23:00Z'), '2026-03-30T00:30Z', 'not on that day');
  const twice = { ...early, to: '02:45' };
  assert.equal(next(twice, '2026-10-24T23:00Z'), '2026-10-25T00:30Z');
  assert.equal(next(twice, '2026-10-25T00:45Z'), '2026-10-25T01:30Z');
  assert.equal(next(twice, '2026-10-25T01:45Z'), '2026-10-26T01:30Z');
});

test('the next opening is the first minute at which it is open, wherever', () => {
  const time = fc.tuple(fc.nat(23), fc.nat(59)).map((parts) => parts.map((n) => String(n).padStart(2, '0')).join(':'));
  const zones = [
    'Europe/Berlin',
    'America/New_York',
    'Australia/Lord_Howe',
    'America/St_Johns',
    'Asia/Kathmandu',
    'UTC',
  ];
  // Days around the changes of these zones' clocks, of either direction.
  const days = ['2026-03-07', '2026-03-28', '2026-04-04', '2026-10-03', '2026-10-24', '2026-10-31', '2026-07-01'];
  fc.assert(
    fc.property(
      fc.record({
        hours: fc.record({ days: fc.constant(WEEK), from: time, to: time, timeZone: fc.constantFrom(...zones) }),
        day: fc.constantFrom(...days),
        minute: fc.nat(1440),
      }),
      ({ hours, day, minute }) => {
        const start = at(`${day}T00:00Z`) + minute * MINUTE;
        if (hours.from === hours.to || isOpen(hours, start)) return;
        let first = start;
        do first += MINUTE;
        while (!isOpen(hours, first));
        assert.equal(opensNext(hours, start), first, JSON.stringify({ hours, start: new Date(start) }));
      },
    ),
    { numRuns: 100 },
  );
});

test('in words', () => {
  assert.equal(hoursText(office), 'mon, tue, wed, thu, fri 08:00-18:00 Europe/Berlin');
  assert.equal(hoursText({ ...night, days: WEEK }), '22:00-06:00 UTC');
  assert.equal(
    instantText('Europe/Berlin', at('2026-11-23T07:00Z')),
    'mon 2026-11-23 08:00 Europe/Berlin (2026-11-23T07:00:00Z)',
  );
});
