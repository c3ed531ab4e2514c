// Hundreds of connections at once: all are let in, wait, and work afterwards; when they leave, so do their database sessions.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import pg from 'pg';
import { READ, stand } from './stand.ts';

const MANY = 300;
const bench = stand(['another table'], { settings: { max_connections: MANY + 20, shared_buffers: '16MB' } });

test(`${MANY} connections wait, and work afterwards`, { timeout: 120_000 }, async () => {
  const gateway = bench.gateway('another table');
  const login = await gateway.login({ scopes: READ });
  const clients = Array.from({ length: MANY }, (_, i) => new pg.Client({ ...login, application_name: `client ${i}` }));
  for (let i = 0; i < MANY; i += 50) await Promise.all(clients.slice(i, i + 50).map((client) => client.connect()));

  const direct = new pg.Client({ connectionString: bench.database.connectionString });
  await direct.connect();
  const counting = "SELECT count(*)::int AS n FROM pg_stat_activity WHERE application_name LIKE 'client %'";
  assert.deepEqual((await direct.query(counting)).rows, [{ n: MANY }]);

  for (const round of [1, 2]) {
    const answers = await Promise.all(
      clients.map((client, i) =>
        client.query('SELECT name, $1::int AS own FROM users WHERE id = $2', [i, 1 + (i % 20)]),
      ),
    );
    for (const [i, { rows }] of answers.entries()) {
      assert.deepEqual(rows, [{ name: `name ${1 + (i % 20)}`, own: i }], `round ${round}`);
    }
  }
  await Promise.all(clients.map((client) => client.end()));
  while ((await direct.query<{ n: number }>(counting)).rows[0]?.n !== 0);
  await direct.end();
});
