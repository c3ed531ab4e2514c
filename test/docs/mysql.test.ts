// What docs/mysql.md says of the protocol is what the code offers and carries.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { greetedVersion } from '../../src/wire/mysql/accept.ts';
import { Capability, Command, OFFERED, REFUSED_COMMANDS } from '../../src/wire/mysql/messages.ts';

const text = readFileSync(join(import.meta.dirname, '../../docs/mysql.md'), 'utf8');

/** The first two cells of a section's table. */
function rowsOf(heading: string): (readonly [string, string])[] {
  const section = text.split(`\n## ${heading}\n`)[1]?.split('\n## ')[0] ?? '';
  const rows = [...section.matchAll(/^\| ([^|]+) \| ([^|]+) \|/gm)].map(
    ([, first = '', second = '']) => [first, second] as const,
  );
  return rows.slice(2);
}

/** `connectWithDb` as the protocol's documents have it. */
const upper = (name: string) => name.replace(/[A-Z]|\d+/g, (part) => `_${part}`).toUpperCase();

test('the capabilities that are offered, and no others, stand as offered', () => {
  const told = rowsOf('Capabilities')
    .filter(([, offered]) => offered === 'yes')
    .flatMap(([names]) => [...names.matchAll(/`(\w+)`/g)].map(([, name]) => name));
  // The flag that older servers had for PROTOCOL_41.
  const offered = Object.entries(Capability).filter(([name, bit]) => name !== 'reserved' && (OFFERED & bit) !== 0);
  assert.deepEqual(told.sort(), offered.map(([name]) => upper(name)).sort());
});

test('every command that is carried is told of; those that are told as refused are', () => {
  const told = rowsOf('Commands');
  const carried = told.filter(([, how]) => !how.startsWith('refused')).map(([names]) => names);
  const words = carried.join(', ').split(', ');
  for (const name of Object.keys(Command).filter((key) => key !== 'changeUser')) {
    const known = words.some((word) => [`COM_${upper(name)}`, upper(name).replace('STMT_', '')].includes(word));
    assert.ok(known, `docs/mysql.md has no ${name}`);
  }
  const refused = told
    .filter(([, how]) => how.startsWith('refused'))
    .flatMap(([names]) => names.match(/COM_\w+/g) ?? []);
  const names = new Set(REFUSED_COMMANDS.values());
  assert.ok(refused.length > 3);
  for (const name of refused) assert.ok(names.has(name), `${name} is not refused`);
});

test('the version that stands for a server that has not answered is the one of the code', () => {
  assert.ok(text.includes(`\`${greetedVersion([])}\``));
});
