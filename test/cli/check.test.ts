// `sallyport check` and `explain` against a real PostgreSQL: databases dialled, masking patterns proved, statements judged.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { type PostgresServer, startPostgres } from '../servers/postgres.ts';

const BIN = join(import.meta.dirname, '../../bin/sallyport');
const folder = mkdtempSync(join(tmpdir(), 'sallyport-check-'));
let server: PostgresServer;
before(async () => {
  server = await startPostgres({ auth: 'scram-sha-256', sql: 'CREATE TABLE customers (id int, email text)' });
});
after(async () => {
  await server.stop();
  rmSync(folder, { recursive: true, force: true });
});

function config(port: number): string {
  return `connections:
  analytics: { protocol: postgres, host: 127.0.0.1, port: ${port}, database: ${server.database}, user: ${server.user},
    password: "\${env:DB_PASSWORD}", tls: { mode: disable }, policy: careful, masking: pii }
access: [{ groups: [agents], connections: [analytics], scopes: ["db:analytics:read"], maxTtl: 1h }]
policies: { careful: { rules: [{ name: no-drop, when: { statement: [drop-table] }, then: deny }] } }
masking: { pii: { columns: [
  { column: public.customers.email, with: redact },
  { column: public.customers.emial, with: redact } ] } }
`;
}

function sallyport(
  args: readonly string[],
  password: string,
  input = '',
): Promise<{ code: number; out: string; err: string }> {
  const env = { PATH: process.env.PATH, SALLYPORT_CONFIG: join(folder, 'sallyport.yaml'), DB_PASSWORD: password };
  return new Promise((resolve) => {
    const child = execFile(BIN, args, { env, cwd: folder, encoding: 'utf8' }, (error, out, err) => {
      resolve({ code: typeof error?.code === 'number' ? error.code : error === null ? 0 : -1, out, err });
    });
    child.stdin?.end(input);
  });
}

test('check dials each database and proves the masking patterns', async () => {
  writeFileSync(join(folder, 'sallyport.yaml'), config(server.port));
  const checked = await sallyport(['check', '--json'], server.password);
  const { ok, warnings, connections } = JSON.parse(checked.out);
  assert.deepEqual([checked.code, ok], [0, true], checked.out);
  assert.match(connections[0].serverVersion, /^\d+/);
  assert.deepEqual(warnings, [
    { path: 'masking.pii', message: '"public.customers.emial" matches no column of analytics' },
  ]);
});

test('a wrong password and a port where nothing listens are mistakes, told without the password', async () => {
  const wrong = await sallyport(['check', '--json'], 'not-the-password');
  assert.equal(wrong.code, 1);
  assert.ok(!JSON.parse(wrong.out).ok && !wrong.out.includes('not-the-password'));
  writeFileSync(join(folder, 'sallyport.yaml'), config(1));
  const absent = await sallyport(['check'], server.password);
  assert.equal(absent.code, 1);
  assert.match(absent.out, /mistake\s+connections\.analytics: .*ECONNREFUSED/);
});

test('explain answers exactly the keys of the contract, a line a statement, in order', async () => {
  writeFileSync(join(folder, 'sallyport.yaml'), config(server.port));
  const scope = ['--scope', 'db:analytics:read'];
  const sql = 'SELECT email FROM customers; INSERT INTO customers VALUES (1)';
  const two = await sallyport(['explain', '--connection', 'analytics', ...scope, '--sql', sql], server.password);
  const lines = two.out
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
  const keys = ['statement', 'verbs', 'relations', 'functions', 'verdict'];
  // The connection masks: what becomes of each output column is told as well, where rows come back.
  assert.deepEqual(Object.keys(lines[0]), [...keys, 'columns']);
  assert.deepEqual(Object.keys(lines[1]), keys);
  assert.deepEqual(Object.keys(lines[0].columns[0]), ['column', 'dependence', 'from', 'mask']);
  assert.deepEqual(Object.keys(lines[0].verdict), ['action', 'rule', 'reason']);
  assert.deepEqual(
    lines.map(({ verbs, verdict }) => [verbs, verdict.action, verdict.rule]),
    [
      [['read'], 'allow', 'default'],
      [['write'], 'deny', 'scope'],
    ],
  );
  const texts = ['SELECT 1', 'DROP TABLE customers', 'SELEC'].map((text) => JSON.stringify(text)).join('\n');
  const many = await sallyport(['explain', '--connection', 'analytics', '--jsonl'], server.password, texts);
  const verdicts = many.out
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line).verdict);
  assert.deepEqual(
    verdicts.slice(0, 2).map(({ rule }) => rule),
    ['default', 'no-drop'],
  );
  assert.equal(verdicts.length, 3);
  const bad = await sallyport(
    ['explain', '--connection', 'analytics', '--jsonl'],
    server.password,
    '"SELECT 1"\nSELECT 2\n',
  );
  assert.equal(bad.code, 1);
  assert.match(bad.err, /line 2/);
  const unknown = await sallyport(['explain', '--connection', 'analytcs', '--sql', 'SELECT 1'], server.password);
  assert.match(unknown.err, /did you mean "analytics"/);
});
