// When the sessions of a grant are told of its end.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { momentsOf, Notices } from '../src/notices.ts';

const SECOND = 1_000;
const MINUTE = 60_000;

test('a tenth of the life before the end, and a minute before it; never of what is over too soon to be told', () => {
  assert.deepEqual(momentsOf(60 * MINUTE), [6 * MINUTE, MINUTE]);
  assert.deepEqual(momentsOf(20 * MINUTE), [2 * MINUTE, MINUTE]);
  assert.deepEqual(momentsOf(10 * MINUTE), [MINUTE]);
  assert.deepEqual(momentsOf(5 * MINUTE), [MINUTE, 30 * SECOND]);
  assert.deepEqual(momentsOf(2 * MINUTE), [12 * SECOND]);
  assert.deepEqual(momentsOf(50 * SECOND), [5 * SECOND]);
  assert.deepEqual(momentsOf(49 * SECOND), []);
});

function watching(life: number, left = life) {
  const clock = { left };
  const told: number[] = [];
  const notices = new Notices(() => clock.left);
  notices.watch('gr_a', life, (ms) => told.push(ms));
  const at = (ms: number) => {
    clock.left = ms;
    notices.look();
  };
  return { notices, told, at };
}

test('each is told once', () => {
  const { told, at } = watching(20 * MINUTE);
  for (let left = 20 * MINUTE; left > 0; left -= SECOND) at(left);
  assert.deepEqual(told, [2 * MINUTE, MINUTE]);
});

test('a session that begins later is told what is still to come', () => {
  const { told, at } = watching(20 * MINUTE, 90 * SECOND);
  at(89 * SECOND);
  assert.deepEqual(told, []);
  at(59.5 * SECOND);
  assert.deepEqual(told, [59.5 * SECOND]);
});

test('after the machine has slept past several, one is told; past the end, none', () => {
  const slept = watching(20 * MINUTE);
  slept.at(30 * SECOND);
  slept.at(29 * SECOND);
  assert.deepEqual(slept.told, [30 * SECOND]);
  const over = watching(20 * MINUTE);
  over.at(0);
  assert.deepEqual(over.told, []);
});

test('a clock that goes back tells nothing twice', () => {
  const { told, at } = watching(20 * MINUTE);
  for (const left of [2 * MINUTE, 10 * MINUTE, 2 * MINUTE, MINUTE, 2 * MINUTE, MINUTE]) at(left);
  assert.deepEqual(told, [2 * MINUTE, MINUTE]);
});

test('a grant without sessions is not looked at', () => {
  const { notices, told, at } = watching(20 * MINUTE);
  notices.forget('gr_a');
  at(MINUTE);
  assert.deepEqual(told, []);
});
