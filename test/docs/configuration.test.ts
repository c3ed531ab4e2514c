// The docs in step with the code: every variable with its default and effect, every key of the file, every command.

import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { createProgram } from '../../src/cli/program.ts';
import { validators } from '../../src/cli/validators.ts';
import { ENV_TABLE } from '../../src/config/env.ts';
import { parseConfig } from '../../src/config/load.ts';

const root = join(import.meta.dirname, '../..');
const read = (name: string) => readFileSync(join(root, name), 'utf8');

test('every variable stands in the docs with its default and its effect', () => {
  const text = read('docs/configuration.md');
  for (const { name, fallback, effect } of ENV_TABLE) {
    const line = `| \`${name}\` | ${fallback === undefined ? 'unset' : `\`${fallback}\``} | ${effect} |`;
    assert.ok(text.includes(line), `docs/configuration.md has no line\n${line}`);
  }
  const known = ENV_TABLE.map(({ name }) => name);
  for (const [name] of text.matchAll(/SALLYPORT_[A-Z_]*[A-Z]/g))
    assert.ok(known.includes(name), `${name} is not known`);
});

test('the README names every variable', { skip: !existsSync(join(root, 'README.md')) }, () => {
  const text = read('README.md');
  for (const { name } of ENV_TABLE) assert.ok(text.includes(`\`${name}\``), `README.md has no ${name}`);
});

test('the example file is valid, with the connection to MySQL in it', () => {
  const [file = '', web = ''] = [...read('docs/configuration.md').matchAll(/```yaml\n([\s\S]*?)```/g)].map(
    ([, yaml]) => yaml ?? '',
  );
  assert.match(web, /protocol: mysql/);
  const example = file.replace('connections:\n', `connections:\n${web}`);
  const environment = { ANALYTICS_PASSWORD: 'x', WEB_PASSWORD: 'x' };
  const reading = parseConfig(example, join(root, 'sallyport.yaml'), {
    ...validators,
    environment,
  });
  const mistakes = reading.ok ? [] : reading.mistakes.filter(({ path }) => path !== 'connections.analytics.tls.ca');
  assert.deepEqual(mistakes, []);
});

test('the example of access rules is valid, has every key, and nothing to be warned of', () => {
  const blocks = [...read('docs/configuration.md').matchAll(/```yaml\n([\s\S]*?)```/g)].map(([, yaml]) => yaml ?? '');
  const access = blocks.find((yaml) => yaml.startsWith('access:')) ?? '';
  const connection = '{ protocol: postgres, host: localhost, database: d, user: u }';
  const reading = parseConfig(`connections: { analytics: ${connection} }\n${access}`, 'sallyport.yaml', validators);
  assert.deepEqual(reading.ok ? reading.config.warnings : reading.mistakes, []);
  for (const key of ['approval', 'approvers', 'hours', 'maxActive', 'maxConsecutive']) {
    assert.match(access, new RegExp(`^    ${key}: `, 'm'));
  }
});

test('every command stands in the docs', () => {
  const text = read('docs/cli.md');
  for (const command of createProgram().commands) {
    assert.ok(text.includes(`\`${command.name()}`), `docs/cli.md has no ${command.name()}`);
    for (const child of command.commands) {
      const named = text.includes(`${command.name()} ${child.name()}`) || command.name() === 'approvals';
      assert.ok(named, `docs/cli.md has no ${command.name()} ${child.name()}`);
    }
    for (const option of [command, ...command.commands].flatMap(({ options }) => options)) {
      assert.ok(text.includes(option.long ?? ''), `docs/cli.md has no ${option.long}`);
    }
  }
});
