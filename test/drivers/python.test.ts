// Debian's Python drivers through the gateway, each by a script of its own that ends with 0 where all is as it should be.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { libpqEnv, missing, run, stand } from './stand.ts';

const bench = stand(['nothing', 'another table', 'the table read']);
/** Debian's own: another may stand before it in PATH. */
const PYTHON = '/usr/bin/python3';

for (const module of ['psycopg2', 'psycopg', 'asyncpg', 'sqlalchemy']) {
  const name = module === 'psycopg' ? 'psycopg3' : module;
  const skip = await missing(PYTHON, '-c', `import ${module}`);
  for (const masking of ['nothing', 'another table', 'the table read'] as const) {
    test(`${name}, ${masking} masked`, { skip }, async () => {
      const scopes = ['db:db:read', 'db:db.public.scratch:write'];
      const env = await libpqEnv(bench.gateway(masking), { scopes });
      const script = fileURLToPath(new URL(`python/with_${name}.py`, import.meta.url));
      assert.deepEqual(await run(PYTHON, ['-u', script, masking], env), { code: 0, out: '', err: '' });
    });
  }
}
