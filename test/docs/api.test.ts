// docs/api.md in step with the API: its commands run, its table is the one of the code, its statuses and codes are those there are.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import { WHO, type Who } from '../../src/control/authority.ts';
import { LIMITS } from '../../src/control/guard.ts';
import { CODES } from '../../src/errors.ts';
import { openStand, type Stand } from '../control/stand.ts';

const text = readFileSync(join(import.meta.dirname, '../../docs/api.md'), 'utf8');
let stand: Stand;
before(async () => {
  stand = await openStand();
});
after(() => stand.close());

test('the commands of the page run one after the other, and answer as they should', async () => {
  const blocks = [...text.matchAll(/```sh\n([\s\S]*?)```/g)].map(([, block = '']) => block);
  const [setting = '', ...rest] = blocks;
  assert.match(setting, /^API=.*\nTOKEN=.*\n$/);
  assert.ok(rest.length >= 5);
  const env = { PATH: process.env.PATH, API: stand.url, TOKEN: stand.token };
  const script = `set -eu\n${rest.join('\necho\n')}`;
  const { stdout } = await promisify(execFile)('bash', ['-c', script], { env });
  assert.match(stdout, /"state":"completed"/);
  assert.match(stdout, /"scope":"db:analytics:write","granted":false/);
  assert.doesNotMatch(stdout, /"type":"about:blank"/);
  assert.ok(!stdout.includes('"password"'));
});

const WORDS: Readonly<Record<string, string>> = { anyone: 'open', proven: 'every caller' };

function wordsOf(who: Who): string {
  if (typeof who === 'string') return WORDS[who] ?? '';
  const roles = who.filter((holder) => holder !== 'own' && holder !== 'named').join(', ');
  const named = who.includes('own') ? "the rule's approvers while it waits" : "the rule's approvers";
  return [...(who.includes('own') ? ['own'] : []), roles, ...(who.includes('named') ? [named] : [])].join('; ');
}

test('the table of routes says who may as the code does', () => {
  const told = new Map<string, string>();
  for (const [, routes = '', who = ''] of text.matchAll(/^\| (`(?:GET|POST) [^|]+`) \| ([^|]+) \|/gm)) {
    for (const [, route = ''] of routes.matchAll(/`([^`]+)`/g)) told.set(route, who);
  }
  const routes = Object.entries(WHO).filter(([route]) => !/ \/(mcp|\.well-known)/.test(route));
  assert.deepEqual(
    new Map([...told].sort()),
    new Map(routes.map(([route, who]) => [route, wordsOf(who)] as const).sort()),
  );
});

test('the limits and the codes are those of the code', () => {
  const { windowMs, perCaller, perSource, failures } = LIMITS;
  assert.equal(windowMs, 10_000);
  for (const most of [perCaller, perSource, failures])
    assert.ok(text.includes(` ${most.toLocaleString('en')} `), `${most}`);
  for (const [code] of text.matchAll(/SP_[A-Z_]+/g)) assert.ok(code in CODES, code);
});
