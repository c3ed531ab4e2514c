// Connections that have not logged in: bounded, by source too, and never by keeping a newcomer out.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LoginRoom } from '../../src/wire/room.ts';

function entered(limit: number) {
  const room = new LoginRoom(limit);
  const dropped: string[] = [];
  const enter = (source: string, name: string) => room.enter(source, () => dropped.push(name));
  return { room, dropped, enter };
}

test('a source has half of the room, and its newcomers take the place of its oldest', () => {
  const { room, dropped, enter } = entered(4);
  for (const name of ['a1', 'a2', 'a3', 'a4']) enter('a', name);
  assert.deepEqual(dropped, ['a1', 'a2']);
  assert.equal(room.size, 2);
  enter('b', 'b1');
  assert.deepEqual(dropped, ['a1', 'a2']);
});

test('in a full room a newcomer takes the place of the oldest of the source that has the most', () => {
  const { room, dropped, enter } = entered(6);
  for (const name of ['b1', 'a1', 'a2', 'a3', 'c1', 'c2']) enter(name[0] ?? '', name);
  assert.equal(room.size, 6);
  enter('d', 'd1');
  assert.deepEqual(dropped, ['a1']);
  enter('e', 'e1');
  assert.deepEqual(dropped, ['a1', 'a2']);
});

test('a flood from many sources leaves those room that log in as they do, at once', () => {
  const { dropped, enter } = entered(100);
  for (let i = 0; i < 10_000; i++) {
    enter(`flood ${i}`, 'flood');
    if (i % 10 > 0) continue;
    const leave = enter('honest', 'honest');
    for (let more = 0; more < 50; more++) enter(`flood ${i} ${more}`, 'flood');
    leave();
  }
  assert.ok(!dropped.includes('honest'));
});

test('who has left takes no room, leaves once, and is not dropped', () => {
  const { room, dropped, enter } = entered(2);
  const leave = enter('a', 'a1');
  leave();
  leave();
  assert.equal(room.size, 0);
  enter('a', 'a2');
  enter('b', 'b1');
  assert.equal(room.size, 2);
  assert.deepEqual(dropped, []);
});

test('there is room for one, whatever the limit', () => {
  const { room, dropped, enter } = entered(1);
  enter('a', 'a1');
  enter('b', 'b1');
  assert.deepEqual(dropped, ['a1']);
  assert.equal(room.size, 1);
});
