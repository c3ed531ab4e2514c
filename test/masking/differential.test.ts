// No byte of a protected value reaches the client, whatever is asked: random statements over a schema in which every
// protected value is a marker. `DIFFERENTIAL` says how many (default 1,000), `SEED` which.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Client } from 'pg';
import { startGateway, type TestGateway } from '../servers/gateway.ts';
import { type PostgresServer, startPostgres } from '../servers/postgres.ts';
import { differ, newTally, type Tally } from './differential.ts';
import { query } from './queries.ts';
import { randomFrom } from './random.ts';
import { MARKERS, RULES, SCHEMA } from './world.ts';

const COUNT = Number(process.env.DIFFERENTIAL ?? 1000);
const SEED = Number(process.env.SEED ?? Math.floor(Math.random() * 2 ** 31));
const GRANT = { scopes: ['db:db:read+write+ddl'], ttl: '1h' };

let database: PostgresServer;

before(async () => {
  database = await startPostgres({ sql: SCHEMA, settings: { statement_timeout: '5s' } });
});

after(async () => {
  await database?.stop();
});

async function throughGateway(masking: object, seed: number, count: number): Promise<Tally> {
  const gateway: TestGateway = await startGateway({
    upstream: database,
    connection: { masking: 'markers' },
    masking: { markers: { columns: RULES, ...masking } },
  });
  try {
    return await differ(seed, count, () => gateway.login(GRANT), newTally());
  } finally {
    await gateway.stop();
  }
}

function report(name: string, tally: Tally): string {
  const { statements, refused, failed, rows, masked, bytes } = tally;
  const often = (list: ReadonlyMap<string, number>) =>
    [...list]
      .sort((a, b) => b[1] - a[1])
      .slice(0, process.env.VERBOSE === undefined ? 0 : 60)
      .map(([words, times]) => `\n  ${times} x ${words}`)
      .join('');
  return (
    `${name}, SEED=${SEED}: ${statements} statements, ${refused} refused, ${failed} failed in the database, ${rows} rows, ` +
    `${masked} with masked values, ${bytes} bytes${often(tally.refusals)}${often(tally.failures)}`
  );
}

test('without masking the same queries show markers', async () => {
  const client = new Client({ connectionString: database.connectionString });
  await client.connect();
  const random = randomFrom(SEED);
  let shown = 0;
  for (let i = 0; i < 100; i++) {
    const { rows } = await client.query({ text: query(random), rowMode: 'array' }).catch(() => ({ rows: [] }));
    if (MARKERS.find(Buffer.from(JSON.stringify(rows))) !== null) shown++;
  }
  await client.end();
  assert.ok(shown >= 15, `only ${shown} of 100 queries show a marker`);
});

test('derived: mask shows no protected value', async (t) => {
  const tally = await throughGateway({}, SEED, Math.ceil(COUNT * 0.8));
  t.diagnostic(report('derived: mask', tally));
  assert.deepEqual(tally.findings.slice(0, 5), [], `${tally.findings.length} findings`);
  assert.deepEqual(tally.ended, []);
  // What is refused or fails shows nothing: most must go through.
  assert.ok(tally.refused + tally.failed < tally.statements / 2);
  assert.ok(tally.masked > tally.statements / 4);
});

test('derived: deny shows no protected value', async (t) => {
  const tally = await throughGateway({ derived: 'deny' }, SEED + 1, Math.ceil(COUNT * 0.2));
  t.diagnostic(report('derived: deny', tally));
  assert.deepEqual(tally.findings.slice(0, 5), [], `${tally.findings.length} findings`);
  assert.deepEqual(tally.ended, []);
});
