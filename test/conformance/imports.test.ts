// Fails on an import in src/ that the layout does not allow, on a reader of the environment outside src/config, and on
// wire/pg and wire/mysql having different file names.

import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import test from 'node:test';
import { fileURLToPath } from 'node:url';

const SRC = fileURLToPath(new URL('../../src', import.meta.url));

/** What everything may import. */
const NOUNS = ['types', 'errors'];

/**
 * Module to what it may import beside itself, its nouns included: other modules, `node:` for any built-in, packages by name.
 * A value of `*` allows all. A module that is not named here may not exist.
 */
const MAY_IMPORT: Readonly<Record<string, readonly string[] | '*'>> = {
  types: [],
  errors: [],
  main: '*',
  // Parts of the composition root, in files of their own.
  judge: '*',
  judges: '*',
  masks: '*',
  explain: '*',
  cli: '*',
  config: [...NOUNS, 'node:', 'yaml', 'zod'],
  telemetry: [...NOUNS, 'node:', 'pino', 'pino-pretty', 'prom-client'],
  languages: '*',
  sessions: '*',
  tokens: '*',
  notices: '*',
  doors: '*',
  ports: '*',
  sql: [...NOUNS, 'node:', 'libpg-query', 'lru-cache'],
  policy: [...NOUNS, 'node:', 're2js', 'lru-cache'],
  grants: [...NOUNS, 'node:', 'lmdb', 'msgpackr'],
  approvals: [...NOUNS, 'node:', 'lmdb', 'msgpackr'],
  identity: [...NOUNS, 'node:', 'jose', 'lru-cache'],
  mask: [...NOUNS, 'node:', 're2js', 'lru-cache'],
  record: [...NOUNS, 'node:', 'lmdb', 'msgpackr'],
  workers: [...NOUNS, 'node:', 'mask', 'sql', 'piscina'],
  provision: [...NOUNS, 'node:'],
  mcp: [...NOUNS, 'node:', '@modelcontextprotocol/sdk', 'zod', 'pg', 'mysql2'],
  control: [
    ...NOUNS,
    'node:',
    'fastify',
    '@fastify/rate-limit',
    '@fastify/swagger',
    'fastify-type-provider-zod',
    'zod',
    'prom-client',
  ],
  wire: [...NOUNS, 'node:', 'selfsigned'],
  // The gate is the one shared wire file that knows what a statement is, and keeps verdicts.
  'wire/gate': [...NOUNS, 'node:', 'wire', 'sql', 'lru-cache'],
  'wire/pg': [...NOUNS, 'node:', 'wire', '@mongodb-js/saslprep'],
  'wire/mysql': [...NOUNS, 'node:', 'wire', '@noble/curves'],
};

interface Import {
  readonly target: string;
  readonly typeOnly: boolean;
}

function sources(dir: string): string[] {
  return readdirSync(dir, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .sort();
}

/** The module that a file, named relative to src/, belongs to. */
function moduleOf(file: string): string {
  const parts = file.replace(/\.ts$/, '').split('/');
  if (parts[0] !== 'wire') return parts[0] ?? '';
  if (parts.length > 2) return `wire/${parts[1]}`;
  return parts[1] === 'gate' ? 'wire/gate' : 'wire';
}

/** Static imports and re-exports, `import()`, `import('…')` types and `require`, comments left out. */
function importsOf(text: string): Import[] {
  const code = text.replace(/\/\*[\s\S]*?\*\//g, '').replace(/^\s*\/\/.*$/gm, '');
  const found: Import[] = [];
  for (const [, only, target] of code.matchAll(
    /^\s*(?:import|export)\s+(type\s)?(?:[^'";]*?\sfrom\s*)?['"]([^'"]+)['"]/gm,
  )) {
    if (target !== undefined) found.push({ target, typeOnly: only !== undefined });
  }
  for (const [, target] of code.matchAll(/\b(?:import|require|resolve)\s*\(\s*['"]([^'"]+)['"]/g)) {
    if (target !== undefined) found.push({ target, typeOnly: false });
  }
  return found;
}

/** Why the import may not stand in that file, or null. */
function objection(file: string, { target, typeOnly }: Import): string | null {
  const from = moduleOf(file);
  const allowed = MAY_IMPORT[from];
  if (allowed === undefined) return `${from} is not a module of the layout`;
  if (allowed === '*') return null;
  if (!target.startsWith('.')) {
    const name = target.startsWith('node:') ? 'node:' : target.split('/', target.startsWith('@') ? 2 : 1).join('/');
    return allowed.includes(name) ? null : `${from} may not use ${target}`;
  }
  const path = relative(SRC, join(SRC, dirname(file), target));
  if (path.startsWith('..')) return `${target} is outside src/`;
  const to = moduleOf(path);
  if (to === from || allowed.includes(to)) return null;
  // A protocol calls the gate that it is given: it knows only its type.
  if (to === 'wire/gate' && from.startsWith('wire/') && typeOnly) return null;
  return `${from} may not import ${to}`;
}

function mistakes(file: string, text: string): string[] {
  const found = importsOf(text)
    .map((item) => ({ item, why: objection(file, item) }))
    .filter(({ why }) => why !== null)
    .map(({ item, why }) => `src/${file}: '${item.target}': ${why}`);
  // Handing the environment over to its one reader is no reading.
  const rest = text.replace(/\bloadEnv\(process\.env\)/g, '');
  if (moduleOf(file) !== 'config' && /\bprocess\s*\.\s*env\b|\benv\b[^;]*\bfrom 'node:process'/.test(rest)) {
    found.push(`src/${file}: only src/config reads the environment`);
  }
  return found;
}

test('every import in src/ is one that the layout allows', () => {
  const files = sources(SRC);
  assert.ok(files.length > 0);
  assert.deepEqual(
    files.flatMap((file) => mistakes(file, readFileSync(join(SRC, file), 'utf8'))),
    [],
  );
});

test('what the layout forbids is seen', () => {
  const bad: [file: string, text: string][] = [
    ['sql/pg/classify.ts', "import { decide } from '../../policy/decide.ts';"],
    ['policy/decide.ts', "import type { Facts } from '../sql/pg/classify.ts';"],
    ['record/store.ts', "import {\n  frame,\n} from '../wire/pg/frame.ts';"],
    ['mask/rules.ts', "export * from '../config/load.ts';"],
    ['wire/splice.ts', "import { open } from 'lmdb';"],
    ['wire/listen.ts', "import { createGate } from './gate.ts';"],
    ['wire/pg/index.ts', "import { createGate } from '../gate.ts';"],
    ['wire/pg/index.ts', "import { frame } from '../mysql/frame.ts';"],
    ['wire/pg/rows.ts', "import '../../mask/rules.ts';"],
    ['config/load.ts', "const scope = await import('../policy/scope.ts');"],
    ['types.ts', "import type { Code } from './errors.ts';"],
    ['helpers/x.ts', "import { x } from './y.ts';"],
    ['sql/pg/classify.ts', "import { startPostgres } from '../../../test/servers/postgres.ts';"],
    ['sql/pg/classify.ts', 'const debug = process.env.DEBUG;'],
  ];
  for (const [file, text] of bad) assert.equal(mistakes(file, text).length, 1, `${file}: ${text}`);
  const good: [file: string, text: string][] = [
    ['wire/pg/index.ts', "import type { Gate } from '../gate.ts';\nimport { Writer } from '../bytes.ts';"],
    ['wire/gate.ts', "import { classify } from '../sql/pg/classify.ts';"],
    ['main.ts', "import { createGate } from './wire/gate.ts';"],
    ['config/env.ts', 'const value = process.env.HOME; // import x from "lmdb"'],
    ['cli/serve.ts', 'const env = loadEnv(process.env);'],
    ['policy/decide.ts', "// like import('../sql/pg/classify.ts')\nimport type { Facts } from '../types.ts';"],
  ];
  for (const [file, text] of good) assert.deepEqual(mistakes(file, text), [], `${file}: ${text}`);
});

test('wire/pg and wire/mysql have the same file names', { skip: !existsSync(join(SRC, 'wire/mysql')) }, () => {
  assert.deepEqual(sources(join(SRC, 'wire/mysql')), sources(join(SRC, 'wire/pg')));
});
