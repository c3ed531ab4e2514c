// The judge held against the server itself: statements of all kinds run in a read-only transaction, and wherever the server says
// that it would be a write, so does the judge.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Client } from 'pg';
import { classify, ready } from '../../../src/sql/pg/classify.ts';
import type { Classification } from '../../../src/types.ts';
import { type PostgresServer, startPostgres } from '../../servers/postgres.ts';
import { generate } from './generator.ts';
import { type Random, random } from './generator-expressions.ts';
import { SCHEMA } from './lineage-world.ts';
import { UTILITIES } from './utilities.ts';

const STATEMENTS = Number(process.env.SERVER_STATEMENTS ?? 2_000);

/** read_only_sql_transaction */
const WRITES = '25006';

let server: PostgresServer;
let client: Client;

before(async () => {
  await ready();
  server = await startPostgres({ settings: { statement_timeout: '5s' } });
  client = new Client({ connectionString: server.connectionString });
  client.on('error', () => {});
  await client.connect();
  for (const sql of SCHEMA) await client.query(sql);
});
after(async () => {
  await client?.end();
  await server?.stop();
});

/** Would a grant to read alone be refused it? */
function refused(found: Classification): boolean {
  if (!found.ok) return true;
  return found.statements.some(
    ({ needs, relations, functions, settings, opaque }) =>
      opaque !== null ||
      needs.some((need) => need !== 'read') ||
      relations.some(({ verb }) => verb !== 'read') ||
      functions.some(({ need }) => need !== 'read') ||
      settings.some(({ need }) => need !== 'read'),
  );
}

const GAPS = [' ', '  ', '\n', '\t', ' /* c */ ', ' /* a /* b */ c */ ', ' -- c\n'];

/** Another spelling: other white space and comments between words, other case outside quotes. */
function respelled(r: Random, sql: string): string {
  return sql
    .split(/('[^']*'|"[^"]*"|\$\$.*?\$\$)/)
    .map((part, i) =>
      i % 2 === 1
        ? part
        : part
            .replace(/ +/g, () => r.pick(GAPS))
            .replace(/[A-Z]{2,}/g, (word) => (r.chance(0.3) ? word.toLowerCase() : word)),
    )
    .join('');
}

function any(r: Random, seed: number): string {
  const generated = () => generate(seed).sql;
  switch (r.int(8)) {
    case 0:
    case 1:
    case 2:
      return r.pick(UTILITIES);
    case 3:
      return `CREATE TABLE made AS ${generated()}`;
    case 4:
      return `EXPLAIN ${r.pick(['', 'ANALYZE ', '(COSTS OFF) '])}${generated()}`;
    case 5:
      return `WITH x AS (${generated()}) SELECT count(*) FROM x`;
    default:
      return generated();
  }
}

test('whatever the server calls a write, the judge does', async () => {
  const r = random(20);
  let writes = 0;
  let taken = 0;
  const missed: string[] = [];
  for (let i = 0; i < STATEMENTS; i++) {
    const sql = respelled(r, any(r, 1000 + i));
    await client.query('BEGIN READ ONLY');
    const code = await client.query({ text: sql, rowMode: 'array' }).then(
      () => null,
      (error: { code?: string }) => error.code ?? '?',
    );
    await client.query('ROLLBACK');
    if (code === null) taken++;
    if (code !== WRITES) continue;
    writes++;
    if (!refused(classify(sql))) missed.push(sql);
  }
  assert.ok(writes >= STATEMENTS / 8, `only ${writes} of ${STATEMENTS} were writes`);
  assert.ok(taken >= STATEMENTS / 5, `only ${taken} of ${STATEMENTS} were taken`);
  assert.deepEqual(missed, []);
});
