// The gateway of the benchmarks: prints one line of JSON with the login of a grant when it is up, ends with its standard input.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { loadEnv } from '../../src/config/env.ts';
import { serve } from '../../src/main.ts';

const env = loadEnv();
const running = await serve(env);
const { postgres, api } = running.addresses;
const token = (await readFile(join(env.dataDir, 'operator.token'), 'utf8')).trim();
const response = await fetch(`http://${api.host}:${api.port}/v1/grants`, {
  method: 'POST',
  headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
  body: JSON.stringify({
    identity: 'load',
    groups: ['agents'],
    connection: 'bench',
    scopes: ['db:bench:read+write'],
    ttl: '1h',
    task: 'bench',
    reason: 'the load of the benchmarks',
  }),
});
if (!response.ok) throw new Error(await response.text());
const { user, password } = (await response.json()) as { user: string; password: string };
console.log(JSON.stringify({ port: postgres.port, user, password }));
process.stdin.resume().once('end', () => {
  void running.close().then(() => process.exit(0));
});
