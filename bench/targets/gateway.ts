// Starts the gateway for the benchmarks, before one database, as its users do, in a process of its own, without TLS, with everything on: a policy, a
// masked column, the record, and a grant that may read.

import { execFile } from 'node:child_process';
import { mkdtemp, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { freePort, spawnWatched } from '../../test/servers/watched.ts';
import { MASKED_COLUMNS } from '../data.ts';
import type { Address, Target } from './target.ts';

const run = promisify(execFile);
const CLI = fileURLToPath(new URL('../../src/cli/index.ts', import.meta.url));

const config = (upstream: Address) => `
connections:
  bench:
    protocol: ${upstream.protocol}
    host: ${upstream.host}
    port: ${upstream.port}
    database: ${upstream.database}
    user: ${upstream.user}
    password: \${env:BENCH_PASSWORD}
    tls: { mode: disable }
    policy: careful
    masking: people
access:
  - { groups: [bench], connections: [bench], scopes: ["db:bench:read"], maxTtl: 2h, approval: auto }
policies:
  careful:
    rules:
      - { name: no-drop-database, when: { statement: [drop-database] }, then: deny }
      - { name: destructive, when: { statement: [drop-table, truncate, delete-without-where] }, then: deny }
masking:
  people:
    columns:
${Object.entries(MASKED_COLUMNS)
  .map(([column, strategy]) => `      - { column: ${schemaOf(upstream)}.${column}, with: ${JSON.stringify(strategy)} }`)
  .join('\n')}
`;

/** Where the data is. */
function schemaOf({ protocol, database }: Address): string {
  return protocol === 'mysql' ? database : 'public';
}

export async function startGateway({ upstream }: { readonly upstream: Address }): Promise<Target> {
  const dir = await mkdtemp(join(tmpdir(), 'sallyport-bench-'));
  const [port, api] = [await freePort(), await freePort()];
  await writeFile(join(dir, 'sallyport.yaml'), config(upstream));
  const env = {
    PATH: process.env.PATH,
    BENCH_PASSWORD: upstream.password,
    SALLYPORT_CONFIG: join(dir, 'sallyport.yaml'),
    SALLYPORT_DATA_DIR: join(dir, 'data'),
    SALLYPORT_PG_LISTEN: `127.0.0.1:${upstream.protocol === 'postgres' ? port : 0}`,
    SALLYPORT_MYSQL_LISTEN: `127.0.0.1:${upstream.protocol === 'mysql' ? port : 0}`,
    SALLYPORT_API_LISTEN: `127.0.0.1:${api}`,
    SALLYPORT_MAX_SESSIONS: '4000',
    SALLYPORT_LOG_LEVEL: 'warn',
  };
  const gateway = await spawnWatched(dir, [process.execPath, CLI, 'serve'], { signal: 'TERM', owner: {}, env });
  for (let tries = 0; !(await isReady(api)); tries++) {
    if (gateway.isOver() || tries > 600) throw new Error(`the gateway did not start:\n${gateway.log().slice(-3000)}`);
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  const request = ['grants', 'request', '--connection', 'bench', '--scope', 'db:bench:read', '--ttl', '2h'];
  const asked = ['--task', 'bench', '--reason', 'measuring', '--identity', 'bench', '--group', 'bench', '--json'];
  const { stdout } = await run(process.execPath, [CLI, ...request, ...asked], { env });
  const { user, password } = JSON.parse(stdout) as { user: string; password: string };
  const token = (await readFile(join(dir, 'data', 'operator.token'), 'utf8')).trim();
  const task = { scopes: ['db:bench:read'], ttl: '5m', task: 'bench', reason: 'measuring', identity: 'bench' };
  gateway.release();
  const lastWords = () => (gateway.isOver() ? gateway.log() : null);
  return {
    name: 'gateway',
    protocol: upstream.protocol,
    host: '127.0.0.1',
    port,
    user,
    password,
    database: 'bench',
    pid: gateway.pid,
    grants: {
      url: `http://127.0.0.1:${api}/v1/grants`,
      token,
      body: { connection: 'bench', groups: ['bench'], ...task },
    },
    lastWords,
    stop: gateway.stop,
  };
}

async function isReady(api: number): Promise<boolean> {
  return fetch(`http://127.0.0.1:${api}/readyz`).then(
    ({ ok }) => ok,
    () => false,
  );
}
