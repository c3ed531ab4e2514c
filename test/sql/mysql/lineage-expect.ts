// Both servers with the schema of lineage-world.ts for tests by hand, and how they write down what they expect.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { lineageOf } from '../../../src/sql/mysql/lineage.ts';
import type { Lineage } from '../../../src/types.ts';
import { FLAVOURS, type MysqlFlavour, type MysqlServer, startMysql } from '../../servers/mysql.ts';
import { brief, columnsOf, nameOf, openWorld, run, SCHEMA, type World } from './lineage-world.ts';

const servers = new Map<MysqlFlavour, MysqlServer>();
const worlds = new Map<MysqlFlavour, World>();

before(async () => {
  for (const flavour of FLAVOURS) {
    const server = await startMysql(flavour, { sql: SCHEMA });
    servers.set(flavour, server);
    worlds.set(flavour, await openWorld(server));
  }
});

after(async () => {
  for (const { client } of worlds.values()) client.destroy();
  for (const server of servers.values()) await server.stop();
});

export function worldOf(flavour: MysqlFlavour): World {
  const world = worlds.get(flavour);
  assert.ok(world !== undefined);
  return world;
}

/** One test on each server, or on the one that is named. */
export function both(name: string, body: (flavour: MysqlFlavour, world: World) => Promise<void>): void {
  for (const flavour of FLAVOURS) test(`${flavour}: ${name}`, () => body(flavour, worldOf(flavour)));
}

export function follow({ catalog, path, mode }: World, sql: string): Lineage | { readonly unproven: string } {
  return lineageOf(sql, 0, { catalog, searchPath: path, mode });
}

/** The lineage of a statement that has to be understood. */
export function lineage(world: World, sql: string): Lineage {
  const found = follow(world, sql);
  assert.ok(!('unproven' in found), `${sql}: ${'unproven' in found ? found.unproven : ''}`);
  return found;
}

/** Outputs and predicates in words, as `brief` has them; number, names and origins of the outputs agree with the server. */
async function flows(world: World, sql: string): Promise<[outputs: string, predicates: string]> {
  const { client, catalog } = world;
  const { outputs, predicates } = lineage(world, sql);
  await client.query('START TRANSACTION');
  try {
    const { fields } = await run(client, sql);
    assert.deepEqual(
      (outputs ?? []).map((output) => output.name),
      fields.map((field) => field.name.toLowerCase()),
      sql,
    );
    for (const [i, { orgTable, orgName }] of fields.entries()) {
      const output = outputs?.[i];
      assert.ok(output !== undefined);
      const relation = catalog.find(null, orgTable ?? '', world.path);
      const column = orgName?.toLowerCase() ?? '';
      // Of a derived table or view, the server may name that, and what a column is called there.
      if (relation === undefined || ![...relation.columns.values()].includes(column)) continue;
      const origin = `${relation.name}.${column}`;
      assert.ok(columnsOf(catalog, output.dependence).has(origin), `${sql}: output ${i + 1} is ${origin}`);
    }
  } finally {
    await client.query('ROLLBACK');
  }
  const shown = (outputs ?? []).map((output) => brief(catalog, output.dependence)).join(' ');
  const decided = [...new Set(predicates.map((column) => nameOf(catalog, column)))].sort().join(' ');
  return [shown, decided];
}

/** Statements with the flows of their outputs, and of their predicates where these are given. */
export type Case = readonly [sql: string, outputs: string, predicates?: string];

export async function expect(world: World, cases: readonly Case[]): Promise<void> {
  for (const [sql, outputs, predicates] of cases) {
    const [found, decided] = await flows(world, sql);
    assert.equal(found, outputs, sql);
    if (predicates !== undefined) assert.equal(decided, predicates, sql);
  }
}

/** Where the values of a statement are put, in words: `target[column] < from; …`. */
export function written(world: World, sql: string): string {
  const { catalog } = world;
  return lineage(world, sql)
    .writes.map(({ into, column, from }) => {
      const target = column === null ? into : nameOf(catalog, column);
      return `${target} < ${brief(catalog, from)}`;
    })
    .join('; ');
}

export function unproven(world: World, sql: string): string | null {
  const found = follow(world, sql);
  return 'unproven' in found ? found.unproven : null;
}

/** The columns of `people`, each as it is. */
export const PEOPLE = '=people.id =people.name =people.email =people.salary =people.low';
