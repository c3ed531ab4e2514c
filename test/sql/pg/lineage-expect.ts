// A server with the schema of lineage-world.ts for tests by hand, and how they write down what they expect.

import assert from 'node:assert/strict';
import { after, before } from 'node:test';
import { Client } from 'pg';
import { lineageOf } from '../../../src/sql/pg/lineage.ts';
import { startParser } from '../../../src/sql/pg/parser.ts';
import type { Catalog, Lineage } from '../../../src/types.ts';
import { type PostgresServer, startPostgres } from '../../servers/postgres.ts';
import { brief, contradiction, nameOf, PATH, readCatalog, SCHEMA } from './lineage-world.ts';

let server: PostgresServer;
let client: Client;
export let catalog: Catalog;

before(async () => {
  await startParser();
  server = await startPostgres({ sql: SCHEMA });
  client = new Client({ connectionString: server.connectionString });
  await client.connect();
  catalog = await readCatalog(client);
});

after(async () => {
  await client?.end();
  await server?.stop();
});

/** The lineage of a statement that has to be understood. */
export function lineage(sql: string): Lineage {
  const found = lineageOf(sql, 0, { catalog, searchPath: PATH });
  assert.ok(!('unproven' in found), `${sql}: ${'unproven' in found ? found.unproven : ''}`);
  return found;
}

function short(names: readonly string[]): string {
  return [...new Set(names)]
    .map((name) => name.replace(/^public\./, ''))
    .sort()
    .join(' ');
}

/** Outputs and predicates in words, as `brief` has them; the outputs agree with the server's description. */
export async function flows(sql: string): Promise<[outputs: string, predicates: string]> {
  const { outputs, predicates } = lineage(sql);
  await client.query('BEGIN');
  try {
    const { fields } = await client.query(sql);
    const named = (outputs ?? []).map((output) => output.name);
    assert.deepEqual(
      named,
      fields.map((field) => field.name),
      sql,
    );
    for (const [i, field] of fields.entries()) {
      const output = outputs?.[i];
      assert.ok(output !== undefined);
      assert.equal(contradiction(catalog, output.dependence, field), null, `${sql}: ${field.name}`);
    }
  } finally {
    await client.query('ROLLBACK');
  }
  const shown = (outputs ?? []).map((output) => brief(catalog, output.dependence)).join(' ');
  return [shown, short(predicates.map((column) => nameOf(catalog, column)))];
}

/** Statements with the flows of their outputs, and of their predicates where these are given. */
export async function expect(
  cases: readonly (readonly [sql: string, outputs: string, predicates?: string])[],
): Promise<void> {
  for (const [sql, outputs, predicates] of cases) {
    const [found, decided] = await flows(sql);
    assert.equal(found, outputs, sql);
    if (predicates !== undefined) assert.equal(decided, predicates, sql);
  }
}

/** The columns of `people`, each as it is; and as one value. */
export const PEOPLE = '=people.id =people.name =people.email =people.salary =people.low';
export const ALL = 'people.email+people.id+people.low+people.name+people.salary';
