// The README and the docs in step with the tree: links lead somewhere, names beside them stand in the files, commands exist.

import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { test } from 'node:test';
import type { Command } from 'commander';
import { createProgram } from '../../src/cli/program.ts';

const root = join(import.meta.dirname, '../..');
const read = (name: string) => readFileSync(join(root, name), 'utf8');

const DOCS = [
  'README.md',
  'CHANGELOG.md',
  ...readdirSync(join(root, 'docs'), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.md'))
    .map((name) => join('docs', name)),
];

interface Link {
  readonly doc: string;
  readonly words: string;
  readonly target: string;
}

function linksOf(doc: string): Link[] {
  const text = read(doc).replace(/```[\s\S]*?```/g, '');
  return [...text.matchAll(/\[([^\]]+)\]\(([^)\s]+)\)/g)].map(([, words = '', target = '']) => ({
    doc,
    words,
    target,
  }));
}

/** As GitHub makes them of headings. */
function anchorsOf(path: string): string[] {
  return [...readFileSync(path, 'utf8').matchAll(/^#+ (.*)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replace(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  );
}

const links = DOCS.flatMap(linksOf).filter(({ target }) => !/^https?:/.test(target));

test('every link leads to a file, a folder or a heading', () => {
  assert.ok(links.length > 50);
  for (const { doc, target } of links) {
    const [file = '', anchor] = target.split('#');
    const path = file === '' ? join(root, doc) : join(root, dirname(doc), file);
    assert.ok(!relative(root, path).startsWith('..') && existsSync(path), `${doc}: ${target} does not exist`);
    if (anchor !== undefined) assert.ok(anchorsOf(path).includes(anchor), `${doc}: there is no heading ${target}`);
  }
});

test('a name that links to a source file stands in it', () => {
  const named = links.filter(({ words, target }) => /^`#?\w+`$/.test(words) && target.endsWith('.ts'));
  assert.ok(named.length > 25);
  for (const { doc, words, target } of named) {
    const name = words.slice(1, -1);
    const text = readFileSync(join(root, dirname(doc), target), 'utf8');
    // Declared or defined there, not only used: a function, class, type, constant or method.
    const declared = new RegExp(
      `\\b(?:function\\*?|class|interface|type|const|let) ${name}\\b|^  (?:async |get |readonly )?${name}\\b ?[(:<]`,
      'm',
    );
    assert.match(text, declared, `${doc}: ${name} is not declared in ${target}`);
  }
});

function commandAt(program: Command, words: readonly string[]): Command | undefined {
  return words.reduce<Command | undefined>(
    (command, word) => command?.commands.find((child) => child.name() === word),
    program,
  );
}

test('every command that is named exists, with its options', () => {
  const program = createProgram();
  let seen = 0;
  for (const doc of DOCS) {
    const text = read(doc).replace(/\\\n\s*/g, ' ');
    const code = [...text.matchAll(/```(?:sh)?\n([\s\S]*?)```|`([^`\n]+)`/g)].map(
      ([, block, span]) => block ?? span ?? '',
    );
    for (const line of code.flatMap((block) => block.split('\n'))) {
      const found = /(?:^|npx |: )sallyport ((?:[a-z]+ ?)+)(.*)$/.exec(line.replace(/ {2,}#.*$/, ''));
      if (found === null) continue;
      const [, words = '', rest = ''] = found;
      const [first = '', second] = words.trim().split(' ');
      const command = commandAt(program, [first]);
      assert.ok(command !== undefined, `${doc}: there is no command ${first}`);
      const leaf = command.commands.length > 0 && second !== undefined ? commandAt(command, [second]) : command;
      assert.ok(leaf !== undefined, `${doc}: there is no command ${first} ${second}`);
      for (const [option] of rest.matchAll(/(?<= |^)--[a-z-]+/g)) {
        const known = option === '--help' || leaf.options.some(({ long }) => long === option);
        assert.ok(known, `${doc}: ${first} ${second ?? ''} has no option ${option}`);
      }
      seen++;
    }
  }
  assert.ok(seen > 10);
});

test('the README names every command', () => {
  const text = read('README.md');
  const later = new Set(['approvals', 'records export', 'records prune', 'help']);
  for (const command of createProgram().commands) {
    const children = command.commands.filter((child) => !later.has(`${command.name()} ${child.name()}`));
    if (later.has(command.name())) continue;
    const rows = text.split('\n').filter((line) => line.startsWith('| `sallyport '));
    const row = rows.find(
      (line) => line.startsWith(`| \`sallyport ${command.name()}`) || line.includes(`, \`${command.name()}\``),
    );
    assert.ok(row !== undefined, `README.md has no row for ${command.name()}`);
    for (const child of children) assert.match(row, new RegExp(`[ \`]${child.name()}\``));
  }
});

test('every make target that is named exists', () => {
  const targets = new Set([...read('Makefile').matchAll(/^([a-z]+):/gm)].map(([, name]) => name));
  for (const doc of DOCS) {
    for (const [, name] of read(doc).matchAll(/(?:^|`|=1 )make ([a-z]+)/gm)) {
      assert.ok(targets.has(name), `${doc}: make ${name} does not exist`);
    }
  }
});

test('paths in the examples are those of the tree', () => {
  for (const [, path = ''] of read('README.md').matchAll(/\bcp ([\w./-]+)/g)) {
    assert.ok(statSync(join(root, path)).isFile());
  }
});
