// The catalog of real servers: relations, views, generated columns, names as the server compares them.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import mysql from 'mysql2/promise';
import { buildCatalog, CATALOG_SQL, NOTHING } from '../../../src/sql/mysql/catalog.ts';
import { lineageOf } from '../../../src/sql/mysql/lineage.ts';
import type { CatalogRelation } from '../../../src/types.ts';
import { FLAVOURS, type MysqlFlavour, type MysqlOptions, type MysqlServer, startMysql } from '../../servers/mysql.ts';
import { modeOf, openWorld, readCatalog, SCHEMA, type World } from './lineage-world.ts';

async function withWorld(
  flavour: MysqlFlavour,
  options: MysqlOptions,
  body: (world: World, server: MysqlServer) => Promise<void>,
): Promise<void> {
  const server = await startMysql(flavour, options);
  try {
    const world = await openWorld(server);
    await body(world, server).finally(() => world.client.destroy());
  } finally {
    await server.stop();
  }
}

const MORE = [
  'CREATE DATABASE other',
  'CREATE TABLE other.people (x int, y int AS (x + 1) VIRTUAL, `Z` int AS (y * x) STORED)',
  String.raw`CREATE TABLE other.computed (id int, email text, a text AS (concat(email, '/', 'it''s "\ id')) STORED,
     b text DEFAULT (concat(email, '\n')), c varchar(9) DEFAULT 'a${'`'}id${'`'}', d timestamp DEFAULT CURRENT_TIMESTAMP)`,
  'CREATE VIEW other.away AS SELECT upper(address) AS a FROM shop.contacts',
  'CREATE FUNCTION own(a int) RETURNS int DETERMINISTIC RETURN a + 1',
  'CREATE VIEW calling AS SELECT own(id) AS n FROM people',
  "SET SESSION sql_mode = 'ANSI_QUOTES'",
  `CREATE VIEW quoted AS SELECT "name" AS "a""b", 'it''s \\n' AS t FROM "people"`,
];

for (const flavour of FLAVOURS) {
  test(`${flavour}: what there is, and what it reads`, () =>
    withWorld(flavour, { sql: [...SCHEMA, ...MORE] }, async ({ client, catalog }) => {
      const found = (schema: string | null, name: string): CatalogRelation => {
        const relation = catalog.find(schema, name, ['shop']);
        assert.ok(relation !== undefined, name);
        return relation;
      };
      const people = found(null, 'people');
      assert.deepEqual([people.schema, people.kind], ['shop', 'r']);
      assert.deepEqual([...people.columns.values()], ['id', 'name', 'email', 'salary', 'low']);
      assert.deepEqual([...people.generatedFrom], [[5, [2, 3]]]);
      assert.equal(people.types?.get(2)?.oid, people.types?.get(3)?.oid);
      assert.notEqual(people.types?.get(1)?.oid, people.types?.get(2)?.oid);
      assert.deepEqual(found('other', 'people').columns.get(3), 'z');
      assert.deepEqual(
        [...found('other', 'people').generatedFrom],
        [
          [2, [1]],
          [3, [1, 2]],
        ],
      );
      assert.deepEqual(
        [...found('other', 'computed').generatedFrom],
        [[3, [2]], [4, [2]], ...(flavour === 'mariadb' ? [[5, []]] : [])],
      );
      assert.deepEqual([...(found(null, 'items').invisible ?? [])], [2]);

      const names = (oids: readonly number[]) => oids.map((oid) => catalog.relation(oid)?.name).sort();
      assert.deepEqual(names(found('other', 'away').reads), ['contacts', 'people']);
      assert.deepEqual(names(found(null, 'wide').reads), ['contacts', 'orders', 'people']);
      assert.deepEqual(names(found(null, 'made').reads), ['people']);
      assert.deepEqual(
        found(null, 'calling').calls?.map(({ name, need }) => `${name} ${need}`),
        ['own admin'],
      );
      assert.ok(catalog.userFunctions.has('own'));

      assert.equal(found('INFORMATION_SCHEMA', 'Tables').kind, 'v');
      assert.equal(
        [...catalog.relations()].some(({ schema }) => schema.toLowerCase() === 'information_schema'),
        false,
      );
      assert.equal(catalog.find(null, 'People', ['shop']), undefined);
      assert.equal(catalog.find(null, 'people', []), undefined);
      assert.equal(catalog.server?.mariadb, flavour === 'mariadb');
      assert.equal(catalog.server?.foldsTables, false);

      // What a view holds is known whatever sql_mode it was made in.
      const quoted = lineageOf('SELECT * FROM quoted', 0, { catalog, searchPath: ['shop'], mode: modeOf(flavour) });
      assert.deepEqual('outputs' in quoted && quoted.outputs?.map(({ dependence }) => dependence.kind), [
        'direct',
        'direct',
      ]);

      assert.equal(await readCatalog(client, catalog), catalog);
      await client.query('ALTER TABLE orders ADD COLUMN late int');
      const later = await readCatalog(client, catalog);
      assert.equal(later.epoch, catalog.epoch + 1);
      assert.equal(later.find(null, 'orders', ['shop'])?.oid, found(null, 'orders').oid);
    }));

  test(`${flavour}: a view whose query is hidden may read everything`, () =>
    withWorld(flavour, { sql: SCHEMA }, async ({ client }, server) => {
      await client.query("CREATE USER little@'%' IDENTIFIED BY 'pw'");
      await client.query("GRANT SELECT ON shop.* TO little@'%'");
      const { host, port } = server;
      const little = await mysql.createConnection({ host, port, user: 'little', password: 'pw', database: 'shop' });
      try {
        const catalog = await readCatalog(little);
        const view = catalog.find(null, 'summary', ['shop']);
        assert.equal(view?.definition, '');
        assert.ok(view.reads.includes(catalog.find(null, 'people', ['shop'])?.oid ?? -1));
        const place = { catalog, searchPath: ['shop'], mode: modeOf(flavour) };
        const found = lineageOf('SELECT howmany FROM summary', 0, place);
        assert.equal('outputs' in found && found.outputs?.[0]?.dependence.kind, 'unproven');
      } finally {
        little.destroy();
      }
    }));
}

test('mariadb: a server that folds names finds its tables by letters that only it takes for others', () =>
  withWorld(
    'mariadb',
    { settings: { 'lower-case-table-names': 1 }, sql: ['CREATE TABLE Personi (email int)'] },
    async ({ client, catalog, path, mode }) => {
      assert.equal(catalog.server?.foldsTables, true);
      for (const name of ['personi', 'PERSONI', 'personİ']) {
        await client.query(`SELECT email FROM \`${name}\``);
        assert.equal(catalog.find(null, name, path)?.name, 'personi', name);
      }
      assert.equal(catalog.find(null, 'person', path), undefined);
      await client.query('SELECT P.email FROM personi p');
      assert.ok('outputs' in lineageOf('SELECT P.email FROM personi p', 0, { catalog, searchPath: path, mode }));
    },
  ));

test('answers of another shape are refused', () => {
  assert.equal([...buildCatalog(NOTHING).relations()].length, 0);
  assert.equal(NOTHING.length, CATALOG_SQL.length);
  assert.throws(() => buildCatalog(NOTHING.slice(1)), { code: 'SP_UPSTREAM' });
  assert.throws(() => buildCatalog([[[null, null, null]], ...NOTHING.slice(1)]), { code: 'SP_UPSTREAM' });
});
