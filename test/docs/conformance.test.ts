// docs/conformance.md in step with the verdicts, and the verdicts with the tests.
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { shownTests, table } from '../conformance/table.ts';
import { VERDICTS } from '../conformance/verdicts.ts';

test('docs/conformance.md says what the verdicts say (node test/conformance/table.ts writes it)', () => {
  const text = readFileSync(join(import.meta.dirname, '../../docs/conformance.md'), 'utf8');
  assert.equal(text, table());
});

test('every number has a verdict and a test that shows it, every test has a verdict', () => {
  const shown = new Set(shownTests().map(({ number }) => number));
  assert.deepEqual(
    [...shown].filter((number) => VERDICTS[number] === undefined),
    [],
    'tests without a verdict',
  );
  assert.deepEqual(
    Object.entries(VERDICTS).filter(([number, { elsewhere = [] }]) => !shown.has(number) && elsewhere.length === 0),
    [],
    'verdicts without a test',
  );
  const elsewhere = Object.values(VERDICTS).flatMap((verdict) => verdict.elsewhere ?? []);
  assert.deepEqual(
    elsewhere.filter((file) => !existsSync(join(import.meta.dirname, '..', file))),
    [],
    'tests that are not there',
  );
  for (let n = 1; n <= 11; n++) for (const letter of 'BF') assert.ok(VERDICTS[`${letter}${n}`], `${letter}${n}`);
});
