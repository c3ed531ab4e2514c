// The benchmark's judgement: a fall is seen, noise and better figures are not, and nothing passes by being absent.

import assert from 'node:assert/strict';
import test from 'node:test';
import type { Case } from '../../bench/cases.ts';
import { againstPipe, interleave, median } from '../../bench/measure.ts';
import { judge, table } from '../../bench/report.ts';
import type { Target, TargetName } from '../../bench/targets/target.ts';

function row(over: Partial<Case>): Case {
  const measure = async () => ({ value: null, figures: {} });
  return { id: 'r', label: 'a row', unit: 'ratio', figureUnit: '1/s', limit: 0.75, goal: 0.9, measure, ...over };
}

function mistake(of: Case, value: number | null, accepted?: number): string | null {
  return judge(of, { value, figures: {} }, accepted === undefined ? {} : { r: accepted }).mistake;
}

test('a ratio fails more than the noise below its limit, or more than 15 % below the accepted one', () => {
  assert.equal(mistake(row({}), 0.64), null);
  assert.match(mistake(row({}), 0.63) ?? '', /at least 0.75/);
  assert.equal(mistake(row({}), 0.86, 1), null);
  assert.match(mistake(row({}), 0.84, 1) ?? '', /15 % below the accepted 1/);
  assert.equal(mistake(row({ limit: null }), 0.1), null);
});

test('other figures fail half as much again above their limit, and are not compared', () => {
  assert.equal(mistake(row({ unit: 'µs', limit: 25 }), 37, 1), null);
  assert.match(mistake(row({ unit: 'µs', limit: 25 }), 38) ?? '', /at most 25/);
});

test('what was not measured fails, unless it never was', () => {
  assert.equal(mistake(row({}), null), null);
  assert.notEqual(mistake(row({}), null, 0.9), null);
  assert.notEqual(mistake(row({}), Number.NaN), null);
});

test('the table says FAIL where a row fails, short where it misses its limit by less', () => {
  assert.match(table([judge(row({}), { value: 0.74, figures: {} }, {})]), /0.74 × +>= 0.75, goal 0.9 +short/);
  const rows = [judge(row({}), { value: 0.5, figures: { pipe: 20_000, gateway: 10_000 } }, {})];
  assert.match(table(rows), /a row +1\/s +20,000 +10,000 +0.50 × +>= 0.75, goal 0.9 +FAIL/);
});

test('rounds alternate, and the gateway is compared with the pipe of the same round', async () => {
  const target = (name: TargetName): Target => {
    return {
      name,
      protocol: 'postgres',
      host: '',
      port: 0,
      user: '',
      password: '',
      database: '',
      pid: 0,
      stop: async () => {},
    };
  };
  const order: string[] = [];
  const samples = await interleave([target('direct'), target('pipe'), target('gateway')], 3, async ({ name }) => {
    order.push(name);
    const round = order.filter((other) => other === name).length;
    return (name === 'gateway' ? 80 : 100) / round;
  });
  const even = ['direct', 'pipe', 'gateway'];
  assert.deepEqual(order, [...even, 'gateway', 'pipe', ...even]);
  assert.deepEqual(samples.gateway, [80, 40, 80 / 3]);
  assert.equal(
    againstPipe(samples, 'gateway', (figure, pipe) => figure / pipe),
    0.8,
  );
  assert.equal(
    againstPipe(samples, 'haproxy', (figure, pipe) => figure / pipe),
    null,
  );
  assert.equal(median([3, 1, 2, 10]), 2.5);
});
