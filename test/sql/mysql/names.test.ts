// Names that are taken as certain are the same, or others, to both servers as they are to us.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import mysql from 'mysql2/promise';
import { classify } from '../../../src/sql/mysql/classify.ts';
import { isCertain, sameTable } from '../../../src/sql/mysql/names.ts';
import { FLAVOURS, startMysql } from '../../servers/mysql.ts';
import { modeOf } from './lineage-world.ts';

/** Every letter that may stand in a certain name, but few of the ten thousands without case. */
const LETTERS = Array.from({ length: 0x10000 }, (_, at) => String.fromCharCode(at)).filter(
  (letter) => isCertain(letter) && (letter < '\u3000' || letter.charCodeAt(0) % 64 === 0),
);

for (const flavour of FLAVOURS) {
  test(`${flavour}: compares letters as we do`, async () => {
    const server = await startMysql(flavour);
    const { host, port, user, password, database } = server;
    const client = await mysql.createConnection({ host, port, user, password, database, charset: 'utf8mb4' });
    try {
      const quoted = (letter: string) => `\`_${letter.replaceAll('`', '``')}\``;
      const lower = [...new Set(LETTERS.map((letter) => letter.toLowerCase()))];
      assert.ok(lower.length > 700);
      // Two that are the same would be a duplicate column.
      const list = lower.map((letter) => `1 AS ${quoted(letter)}`).join(', ');
      await client.query(`SELECT 1 FROM (SELECT ${list}) t`);
      const upper = LETTERS.filter((letter) => letter !== letter.toLowerCase());
      assert.ok(upper.length > 150);
      await client.query(`SELECT ${upper.map(quoted).join(', ')} FROM (SELECT ${list}) t`);
      // That this tells: one that is left out.
      const odd = client.query('SELECT `İ` FROM (SELECT 1 AS `i`) t');
      if (flavour === 'mysql') await odd;
      else await assert.rejects(odd);
    } finally {
      client.destroy();
      await server.stop();
    }
  });
}

test('names whose length or letters a server may change are not certain', () => {
  for (const name of [' a', 'a ', '', 'İ', 'aΣ', '😀', 'a\u0301', '\u1c90', 'a\tb', 'x'.repeat(65)]) {
    assert.equal(isCertain(name), false, name);
  }
  for (const name of ['a', 'a b', 'satış', 'Größe', 'имя', '注文', 'count(*)', 'x'.repeat(64)]) {
    assert.equal(isCertain(name), true, name);
  }
});

test('tables are the same by the same name, or by one that only a folding server takes for it', () => {
  assert.equal(sameTable('İ', 'İ', false), true);
  assert.equal(sameTable('a', 'A', true), true);
  assert.equal(sameTable('a', 'A', false), null);
  assert.equal(sameTable('a', 'b', false), false);
  assert.equal(sameTable('i', 'İ', true), null);
});

test('a column that a server may read otherwise counts as any', () => {
  const found = classify('ALTER TABLE people ADD copy text DEFAULT (`emaİl`)', modeOf('mysql'));
  assert.ok(found.ok && found.statements[0]?.columns.some(({ name }) => name === '*'));
});

for (const flavour of FLAVOURS) {
  test(`${flavour}: what one of the servers does not take for a CTE is refused, or a table`, () => {
    const relations = (sql: string) => {
      const found = classify(sql, modeOf(flavour));
      return found.ok ? found.statements.flatMap((facts) => facts.relations.map(({ name }) => name)).join() : null;
    };
    assert.equal(relations('WITH Secret AS (SELECT 1 AS x) SELECT x FROM Secret'), '');
    assert.equal(relations('WITH c AS (SELECT x FROM secret), d AS (SELECT x FROM c) SELECT x FROM d'), 'secret');
    assert.equal(relations('WITH secret AS (SELECT x FROM secret) SELECT x FROM secret'), 'secret');
    assert.equal(relations('WITH a AS (SELECT * FROM secret), secret AS (SELECT 1 AS x) SELECT * FROM a'), 'secret');
    assert.equal(relations('WITH secret AS (SELECT 1 AS x) SELECT x FROM shop.secret'), 'secret');
    assert.equal(relations('SELECT * FROM (WITH secret AS (SELECT 1 AS x) SELECT x FROM secret) q'), '');
    assert.equal(relations('SELECT * FROM (WITH secret AS (SELECT 1 AS x) SELECT 2) q, secret'), 'secret');
    assert.equal(relations('WITH RECURSIVE r AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM r) SELECT n FROM r'), '');
    assert.equal(relations('WITH SECRET AS (SELECT 1 AS x) SELECT x FROM secret'), null);
    assert.equal(relations('WITH secret AS (SELECT 1 AS x) SELECT (SELECT x FROM Secret)'), null);
    assert.equal(relations('WITH `i` AS (SELECT 1 AS x) SELECT x FROM `İ`'), null);
    assert.equal(relations('WITH RECURSIVE a AS (SELECT * FROM b), b AS (SELECT 1) SELECT * FROM a'), null);
    assert.equal(relations('WITH RECURSIVE a AS (SELECT * FROM B), b AS (SELECT 1) SELECT * FROM a'), null);
    assert.equal(relations('WITH secret AS (SELECT 1 AS x) UPDATE Secret SET x = 1'), null);
  });
}
