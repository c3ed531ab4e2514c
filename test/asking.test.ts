// The line that tells how to ask for a grant is one that a shell takes as it is meant.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';
import { requestCommand } from '../src/asking.ts';

/** What a shell makes of a line. */
const words = (line: string): string[] =>
  execFileSync('sh', ['-c', `printf '%s\\0' ${line}`], { encoding: 'utf8' })
    .split('\0')
    .slice(0, -1);

test('plain words stay plain; the rest is quoted, so that a shell runs nothing of it', () => {
  const plain = requestCommand({ connection: 'db', scopes: ['db:db.public:read+write'], task: 'fix-index' });
  assert.equal(
    plain,
    'sallyport grants request --connection db --scope db:db.public:read+write --ttl 20m --task fix-index --reason "…"',
  );
  const scopes = ['db:db."$(id)":read', 'db:*:read', 'db:db."it\'s";read'];
  const task = "`id` $HOME 'x'; id";
  const read = words(requestCommand({ connection: "d'b", scopes, task }));
  const asked = scopes.flatMap((scope) => ['--scope', scope]);
  const all = ['sallyport', 'grants', 'request', '--connection', "d'b", ...asked, '--ttl', '20m', '--task', task];
  assert.deepEqual(read, [...all, '--reason', '…']);
});

test('what is to be filled in stands as dots', () => {
  assert.equal(
    requestCommand({ connection: null, scopes: null, task: null }),
    'sallyport grants request --connection <connection> --scope … --ttl 20m --task … --reason "…"',
  );
});
