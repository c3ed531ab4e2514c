// Ordinary analytical queries over three schemas are answered: at most one in twenty is refused or masked without need, and
// what becomes of each column is what the corpus says. Those that are worse off stand in docs/masking.md.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, test } from 'node:test';
import { NAMES, openStand, readCorpus } from './usefulness.ts';

const DOCS = readFileSync(new URL('../../docs/masking.md', import.meta.url), 'utf8');

let all = 0;
const without: string[] = [];

for (const name of NAMES) {
  test(`ordinary queries: ${name}`, async () => {
    const stand = await openStand(name);
    after(() => stand.stop());
    const entries = readCorpus(name);
    const answers = await stand.ask(entries.map(({ sql }) => sql));
    assert.equal(answers.length, entries.length);
    all += entries.length;
    for (const [i, { sql, treatment }] of entries.entries()) {
      if (treatment.some((word) => word.endsWith('!'))) without.push(sql);
      const wanted = treatment.map((word) => word.replace('!', ''));
      assert.deepEqual(answers[i]?.treatment, wanted, `${sql} ${answers[i]?.reason}`);
      assert.equal(await stand.check(sql, wanted), null, sql);
    }
  });
}

test('at most 5 % are refused or masked without need, and the docs list them', (t) => {
  t.diagnostic(`${without.length} of ${all} without need`);
  assert.ok(all >= 300);
  assert.ok(without.length <= all * 0.05);
  for (const sql of without)
    assert.ok(DOCS.includes(`\`${sql.replace(/;$/, '')}\``), `docs/masking.md does not list: ${sql}`);
});
