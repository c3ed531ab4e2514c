// What the README and docs/policies.md say of the environment, of the example file and of statements is what the code does.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, test } from 'node:test';
import { validators } from '../../src/cli/validators.ts';
import { ENV_TABLE } from '../../src/config/env.ts';
import { parseConfig } from '../../src/config/load.ts';
import { classify as classifyMysql } from '../../src/sql/mysql/classify.ts';
import { KINDS as MYSQL_KINDS } from '../../src/sql/mysql/kinds.ts';
import { lexMode } from '../../src/sql/mysql/lexer.ts';
import { classify, ready } from '../../src/sql/pg/classify.ts';
import { KINDS } from '../../src/sql/pg/kinds.ts';
import type { Classification } from '../../src/types.ts';

const root = join(import.meta.dirname, '../..');
const read = (name: string) => readFileSync(join(root, name), 'utf8');

before(ready);

test('the table of the environment is the one of the code', () => {
  const rows = read('README.md')
    .split('\n')
    .filter((line) => line.startsWith('| `SALLYPORT_'));
  const expected = ENV_TABLE.map(
    ({ name, fallback, effect }) =>
      `| \`${name}\` | ${fallback === undefined ? 'unset' : `\`${fallback}\``} | ${effect} |`,
  );
  assert.deepEqual(rows, expected);
});

for (const example of ['examples/sallyport.yaml', 'examples/mysql.yaml']) {
  test(`${example} has no mistake`, () => {
    const environment = { MYDB_PASSWORD: 'x' };
    const reading = parseConfig(read(example), join(root, example), { ...validators, environment });
    assert.deepEqual(reading.ok ? reading.config.warnings : reading.mistakes, []);
  });
}

test('the policies and maskings in the docs have no mistake', () => {
  for (const doc of ['docs/policies.md', 'docs/masking.md']) {
    const block = /```yaml\n([\s\S]*?)```/.exec(read(doc))?.[1];
    assert.ok(block !== undefined, doc);
    const connection = `{ protocol: postgres, host: 127.0.0.1, database: a, user: b, password: "\${env:P}" }`;
    const reading = parseConfig(`connections:\n  shop: ${connection}\n${block}`, join(root, doc), {
      ...validators,
      environment: { P: 'x' },
    });
    assert.deepEqual(reading.ok ? [] : reading.mistakes, [], doc);
  }
});

test('the example of identities and access in the README has no mistake', () => {
  const block = /```yaml\n([\s\S]*?)```/.exec(read('README.md'))?.[1];
  const connection = `{ protocol: postgres, host: 127.0.0.1, database: a, user: b, password: "\${env:P}" }`;
  const text = `connections:\n  mydb: ${connection}\n${block}`;
  const reading = parseConfig(text, join(root, 'README.md'), { ...validators, environment: { P: 'x' } });
  assert.deepEqual(reading.ok ? reading.config.warnings : reading.mistakes, []);
});

/** The rows of a section of docs/policies.md: kinds, the first of them that of the example. */
function kindRows(heading: string): { readonly kinds: readonly string[]; readonly sql: string }[] {
  const section = read('docs/policies.md').split(`\n## ${heading}\n`)[1]?.split('\n## ')[0] ?? '';
  const rows = [...section.matchAll(/^\| (`.*`) \| `(.*)` \|$/gm)].map(([, kinds = '', sql = '']) => ({
    kinds: kinds.replaceAll('`', '').split(', '),
    sql,
  }));
  assert.ok(rows.length > 25);
  return rows;
}

function assertOfKind(found: Classification, sql: string, kind: string): void {
  assert.ok(found.ok, `${sql}: ${found.ok || found.reason}`);
  assert.ok(found.statements[0]?.kinds.includes(kind), `${sql} is ${found.statements[0]?.kinds}, not ${kind}`);
}

test('the kinds of statement in docs/policies.md are those that statements have', () => {
  for (const { kinds, sql } of kindRows('Kinds of statement')) {
    const [first = '', ...others] = kinds;
    for (const kind of others) assert.ok(KINDS.has(kind), `there is no kind ${kind}`);
    assertOfKind(classify(sql), sql, first);
  }
});

test('all kinds that statements of MySQL have stand in docs/policies.md', () => {
  const mode = lexMode('', true);
  assert.ok(mode !== null);
  const rows = kindRows('Kinds of statement on MySQL and MariaDB');
  for (const { kinds, sql } of rows) assertOfKind(classifyMysql(sql, mode), sql, kinds[0] ?? '');
  const told = new Set(rows.flatMap(({ kinds }) => kinds));
  assert.deepEqual([...told].sort(), [...MYSQL_KINDS].sort());
});
