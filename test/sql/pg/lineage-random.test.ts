// Random statements on a real PostgreSQL: no value shows up in an output, or in a stored column, that its lineage leaves out.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Client } from 'pg';
import { startParser } from '../../../src/sql/pg/parser.ts';
import { type PostgresServer, startPostgres } from '../../servers/postgres.ts';
import { runGenerated, viewsOfGenerated } from './lineage-random.ts';
import { readCatalog, SCHEMA } from './lineage-world.ts';

let server: PostgresServer;
let client: Client;

before(async () => {
  await startParser();
  server = await startPostgres({ sql: SCHEMA });
  client = new Client({ connectionString: server.connectionString });
  await client.connect();
});

after(async () => {
  await client?.end();
  await server?.stop();
});

test('values flow only where lineage says', async () => {
  const tally = await runGenerated(client, await readCatalog(client), 1, 1200);
  assert.deepEqual(tally.wrong, []);
  // Enough of them say something, and say it of what the server does run.
  assert.ok(tally.ran >= 1000, `${tally.ran} ran: ${tally.refused.slice(0, 10).join('\n')}`);
  assert.ok(tally.unproven <= tally.ran / 100, `${tally.unproven} unproven`);
  assert.ok(
    Math.min(tally.kinds.direct, tally.kinds.derived, tally.kinds.independent) > 200,
    JSON.stringify(tally.kinds),
  );
  assert.ok(tally.found > 2000, `${tally.found} found`);
});

test('a view holds what its query does', async () => {
  const { made, wrong } = await viewsOfGenerated(client, readCatalog, 50_000, 300);
  assert.deepEqual(wrong, []);
  assert.ok(made >= 200, `${made} made`);
});
