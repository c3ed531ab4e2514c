// The judge of one connection, where what it decides hangs on the catalog alone.

import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { explainWith } from '../src/explain.ts';
import { ConnectionJudge } from '../src/judge.ts';
import { postgres } from '../src/languages/postgres.ts';
import { buildCatalog, QUERIES } from '../src/sql/pg/catalog.ts';
import { classify, ready } from '../src/sql/pg/classify.ts';
import type { Connection } from '../src/types.ts';

before(ready);

const CONNECTION: Connection = {
  name: 'db',
  protocol: 'postgres',
  host: '127.0.0.1',
  port: 1,
  database: 'db',
  user: 'svc',
  password: () => '',
  tls: { mode: 'disable' },
};

test('A9 DISCARD ALL needs admin where the login would leave the role that it started in', async () => {
  for (const [resetWidens, scope, action] of [
    [false, 'db:db:read', 'allow'],
    [true, 'db:db:read+write+ddl', 'deny'],
    [true, 'db:db:admin', 'allow'],
  ] as const) {
    const empty = buildCatalog(Array.from({ length: QUERIES }, () => []));
    const judge = new ConnectionJudge({
      language: postgres,
      policy: null,
      masking: null,
      readCatalog: async () => ({ ...empty, resetWidens }),
    });
    await judge.refresh();
    const explain = explainWith(judge, CONNECTION, [scope]);
    assert.equal((await explain('DISCARD ALL'))[0]?.verdict.action, action, scope);
    assert.equal((await explain('RESET ALL'))[0]?.verdict.action, 'allow');
  }
});

test('who explains beside others reads large texts elsewhere, lets the others in between, and is told of a limit', async () => {
  const empty = buildCatalog(Array.from({ length: QUERIES }, () => []));
  const judge = new ConnectionJudge({
    language: postgres,
    policy: null,
    masking: null,
    readCatalog: async () => empty,
  });
  await judge.refresh();
  const read: number[] = [];
  const explain = explainWith(judge, CONNECTION, ['db:db:read'], {
    statements: 5_000,
    async classify(_mode, text) {
      read.push(text.length);
      return classify(text);
    },
  });
  let turns = 0;
  const turn = setInterval(() => turns++, 0);
  const lines = await explain('SELECT 1;'.repeat(5_000));
  clearInterval(turn);
  assert.deepEqual([lines.length, read, turns > 0], [5_000, [45_000], true]);
  await assert.rejects(explain('SELECT 1;'.repeat(5_001)), { code: 'SP_LIMIT', hint: 'Send the text in parts.' });
  assert.equal((await explain('SELECT 1')).length, 1);
  assert.equal(read.length, 2);
});
