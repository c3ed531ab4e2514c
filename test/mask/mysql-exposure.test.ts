// What MySQL and MariaDB keep of tables' values beside the tables: nothing of that may be read where columns are masked, and what may be
// read of the system's holds none of them.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import mysql from 'mysql2/promise';
import { mysql as language } from '../../src/languages/mysql.ts';
import type { RelationUse } from '../../src/types.ts';
import { FLAVOURS, startMysql } from '../servers/mysql.ts';

const MARKER = 'zqmarkervalue';

/** Of both servers, where they are: samples of columns, other sessions' statements, pages. */
const COPIES = [
  'information_schema.column_statistics',
  'information_schema.processlist',
  'information_schema.innodb_metrics',
  'information_schema.innodb_ft_index_table',
  'INFORMATION_SCHEMA.Innodb_Buffer_Page',
  'information_schema.optimizer_trace',
  'performance_schema.events_statements_history',
  'performance_schema.processlist',
  'performance_schema.user_variables_by_thread',
  'performance_schema.prepared_statements_instances',
  'mysql.column_stats',
  'mysql.general_log',
  'mysql.slow_log',
  'mysql.user',
  'MYSQL.innodb_index_stats',
  'sys.session',
  'sys.x$statement_analysis',
];

function isCopy(schema: string, name: string): boolean {
  const use: RelationUse = { verb: 'read', schema, name };
  const catalog = language.emptyCatalog();
  const target = language.resolve(use, undefined, { catalog, searchPath: ['shop'], mode: '' });
  return language.system.copies({ use, relation: undefined, target });
}

test('the system’s copies of values are known, in any case', () => {
  for (const path of COPIES) {
    const [schema = '', name = ''] = path.split('.');
    assert.ok(isCopy(schema, name), path);
  }
  assert.equal(isCopy('shop', 'processlist'), false);
  assert.equal(isCopy('information_schema', 'columns'), false);
});

/** Rows as text, those of bytes too. */
function wordsOf(rows: unknown): string {
  return JSON.stringify(rows, (_, value) =>
    value?.type === 'Buffer' ? Buffer.from(value.data).toString('latin1') : value,
  );
}

/** As it is, or in the form in which histograms have it. */
function holds(words: string): boolean {
  return words.includes(MARKER) || words.includes(Buffer.from(MARKER).toString('base64').slice(0, 16));
}

for (const flavour of FLAVOURS) {
  test(`${flavour}: what may be read of the system's holds no value of a table`, async (t) => {
    const server = await startMysql(flavour, {
      settings: { 'performance-schema': 'ON' },
      sql: [
        'CREATE TABLE secrets (id INT PRIMARY KEY, word VARCHAR(50), KEY (word), FULLTEXT (word)) DEFAULT CHARACTER SET utf8mb4',
        `INSERT INTO secrets VALUES (1, '${MARKER}'), (2, '${MARKER} two'), (3, '${MARKER} three')`,
        flavour === 'mysql'
          ? 'ANALYZE TABLE secrets UPDATE HISTOGRAM ON word'
          : 'ANALYZE TABLE secrets PERSISTENT FOR ALL',
      ],
    });
    t.after(() => server.stop());
    const { host, port, user, password, database } = server;
    const client = await mysql.createConnection({ host, port, user, password, database });
    const other = await mysql.createConnection({ host, port, user, password, database });
    t.after(() => Promise.all([client.end(), other.end()]));
    await other.query(`SET @word = '${MARKER}'`);
    await other.query(`SELECT * FROM secrets WHERE word = '${MARKER}' FOR UPDATE`);
    const [tables] = await client.query(
      "SELECT table_schema AS s, table_name AS n FROM information_schema.tables WHERE table_schema IN ('information_schema', 'performance_schema', 'mysql', 'sys')",
    );
    const found: string[] = [];
    let read = 0;
    for (const { s, n } of tables as { s: string; n: string }[]) {
      const rows = await client.query(`SELECT * FROM \`${s}\`.\`${n}\``).then(
        ([rows]) => wordsOf(rows),
        () => '',
      );
      if (!isCopy(s, n)) {
        read++;
        assert.ok(!holds(rows), `${s}.${n}`);
      } else if (holds(rows)) {
        found.push(`${s}.${n}`.toLowerCase());
      }
    }
    assert.ok(read > 20);
    // The test can see one where it is.
    const samples = flavour === 'mysql' ? 'information_schema.column_statistics' : 'mysql.column_stats';
    assert.ok(found.includes(samples), found.join(' '));
  });
}
