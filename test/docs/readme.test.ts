// What the README and docs/policies.md say of the environment, of the example file and of statements is what the code does.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, test } from 'node:test';
import { validators } from '../../src/cli/validators.ts';
import { ENV_TABLE } from '../../src/config/env.ts';
import { parseConfig } from '../../src/config/load.ts';
import { classify, ready } from '../../src/sql/pg/classify.ts';
import { KINDS } from '../../src/sql/pg/kinds.ts';

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

test('examples/sallyport.yaml has no mistake', () => {
  const environment = { MYDB_PASSWORD: 'x' };
  const reading = parseConfig(read('examples/sallyport.yaml'), join(root, 'examples/sallyport.yaml'), {
    ...validators,
    environment,
  });
  assert.deepEqual(reading.ok ? reading.config.warnings : reading.mistakes, []);
});

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

test('the kinds of statement in docs/policies.md are those that statements have', () => {
  const section = read('docs/policies.md').split('## Kinds of statement')[1]?.split('\n## ')[0] ?? '';
  const rows = [...section.matchAll(/^\| (`.*`) \| `(.*)` \|$/gm)];
  assert.ok(rows.length > 25);
  for (const [, kinds = '', sql = ''] of rows) {
    const [first = '', ...others] = kinds.replaceAll('`', '').split(', ');
    for (const kind of others) assert.ok(KINDS.has(kind), `there is no kind ${kind}`);
    const found = classify(sql);
    assert.ok(found.ok, `${sql}: ${found.ok || found.reason}`);
    assert.ok(found.statements[0]?.kinds.includes(first), `${sql} is ${found.statements[0]?.kinds}, not ${first}`);
  }
});
