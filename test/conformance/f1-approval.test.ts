// F1, as far as it goes: what needs a person's approval does not run without one.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import pg from 'pg';
import { stand } from './stand.ts';

const { gateway, watcher } = await stand({
  connection: { policy: 'rules' },
  policies: {
    rules: {
      rules: [
        {
          name: 'truncate',
          when: { statement: ['truncate'] },
          then: 'approve',
          approvers: { groups: ['dba'], min: 1 },
        },
        { name: 'word', when: { matches: 'careful' }, then: 'approve', approvers: { groups: ['dba'], min: 1 } },
      ],
    },
  },
});

test('F1 a statement that a rule wants approved is refused, as text, prepared and by its bound values, and nothing of it runs', async () => {
  const client = new pg.Client(await gateway.login({ scopes: ['db:db:read+write+ddl+admin'] }));
  await client.connect();
  const insert = { text: 'INSERT INTO log VALUES ($1)', values: ['careful'] };
  for (const query of ['TRUNCATE log', "INSERT INTO log VALUES ('one'); TRUNCATE items", insert]) {
    await assert.rejects(client.query(query as string), (error: pg.DatabaseError) => {
      assert.equal(error.code, '42501');
      assert.equal((JSON.parse(error.detail ?? '') as { decision: string }).decision, 'approve');
      return true;
    });
  }
  await client.query('INSERT INTO log VALUES ($1)', ['ordinary']);
  const { rows } = await watcher.query('SELECT (SELECT count(*)::int FROM items) AS items, line FROM log');
  assert.deepEqual(rows, [{ items: 10, line: 'ordinary' }]);
  await client.end();
});
