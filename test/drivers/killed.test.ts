// kill -9 of the gateway under load: every result that a client had read is in the record, and the chain holds.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import postgres from 'postgres';
import { stringify } from 'yaml';
import { freePort } from '../servers/watched.ts';
import { type Run, run, stand } from './stand.ts';

const bench = stand([]);
const SALLYPORT = fileURLToPath(new URL('../../bin/sallyport', import.meta.url));

const ROUNDS = 3;
/** Clients of a round. */
const ALONE = 4;
const PIPELINED = 2;

/** The rows that clients have read, by a mark that the statement carried; `null` is a refusal. */
type Read = Map<string, number | null>;
const MARK = /r\d[pq]\d[nx\d]+\./;

/** A record as `sessions show --json` prints it. */
interface Statement {
  readonly type: string;
  readonly phase: string;
  readonly text: string;
  readonly parameters: readonly (string | null)[] | null;
  readonly verdict: { readonly action: string };
  readonly outcome: {
    readonly rows: number;
    readonly results?: readonly { readonly rows: readonly string[][] }[];
  } | null;
}

/** Runs the command line's gateway until it is ready. */
async function serve(t: TestContext, env: NodeJS.ProcessEnv, port: number) {
  const child = spawn(SALLYPORT, ['serve', '--json'], { env, stdio: ['ignore', 'ignore', 'pipe'] });
  t.after(() => child.kill('SIGKILL'));
  const exited = once(child, 'exit');
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said += text;
  });
  let over = false;
  exited.then(() => {
    over = true;
  });
  for (;;) {
    const answer = await fetch(`http://127.0.0.1:${port}/readyz`).catch(() => null);
    if (answer?.ok) return { child, exited };
    if (over) throw new Error(`the gateway did not start: ${said}`);
  }
}

test('killed under load from many connections', { timeout: 120_000 }, async (t) => {
  const dir = await mkdtemp(join(tmpdir(), 'sallyport-killed-'));
  t.after(() => rm(dir, { recursive: true, force: true }));
  const [pgPort, apiPort] = [await freePort(), await freePort()];
  const { host, port, user, password, database } = bench.database;
  const connection = { protocol: 'postgres', host, port, database, user, password: `\${file:${dir}/password}` };
  await writeFile(join(dir, 'password'), password);
  await writeFile(
    join(dir, 'sallyport.yaml'),
    stringify({
      connections: { db: { ...connection, masking: 'm' } },
      masking: { m: { columns: [{ column: 'public.users.email', with: 'redact' }] } },
      access: [{ groups: ['*'], connections: ['*'], scopes: ['db:db:read+write'], maxTtl: '1h', approval: 'auto' }],
    }),
  );
  const env = {
    PATH: process.env.PATH,
    SALLYPORT_CONFIG: join(dir, 'sallyport.yaml'),
    SALLYPORT_DATA_DIR: join(dir, 'data'),
    SALLYPORT_PG_LISTEN: `127.0.0.1:${pgPort}`,
    SALLYPORT_MYSQL_LISTEN: '127.0.0.1:0',
    SALLYPORT_API_LISTEN: `127.0.0.1:${apiPort}`,
  };
  const cli = async (...args: string[]): Promise<Run> => run(SALLYPORT, [...args, '--json'], env);

  const read: Read = new Map();
  for (let round = 1; round <= ROUNDS; round++) {
    const gateway = await serve(t, env, apiPort);
    const request = 'grants request --connection db --scope db:db:read+write --ttl 20m --task load --identity me';
    const { out, err } = await cli(...request.split(' '), '--group', 'agents', '--reason', 'load');
    assert.equal(err, '');
    const grant = JSON.parse(out) as { user: string; password: string };
    const login = { host: '127.0.0.1', port: pgPort, database: 'db', user: grant.user, password: grant.password };
    const clients = [
      ...Array.from({ length: ALONE }, (_, i) => load(login, `r${round}p${i}`, read)),
      ...Array.from({ length: PIPELINED }, (_, i) => pipelined(login, `r${round}q${i}`, read)),
    ];
    const target = read.size + 400 + Math.floor(Math.random() * 1_500);
    while (read.size < target) await new Promise((resolve) => setImmediate(resolve));
    gateway.child.kill('SIGKILL');
    await gateway.exited;
    await Promise.all(clients);
  }

  const gateway = await serve(t, env, apiPort);
  const lines = async (...args: string[]): Promise<unknown[]> => {
    const { code, out, err } = await cli(...args);
    assert.equal(code, 0, err);
    return out.split('\n').flatMap((line) => (line === '' ? [] : [JSON.parse(line) as unknown]));
  };
  const sessions = (await lines('sessions', 'list')) as {
    id: string;
    endedAt: string | null;
    endReason: string | null;
  }[];
  assert.equal(sessions.length, ROUNDS * (ALONE + PIPELINED));
  let found = 0;
  for (const { id, endedAt, endReason } of sessions) {
    assert.deepEqual([typeof endedAt, endReason], ['string', 'gateway stopped']);
    const [, ...records] = (await lines('sessions', 'show', id)) as [unknown, ...Statement[]];
    for (const { type, phase, text, parameters, verdict, outcome } of records) {
      if (type !== 'statement' || phase === 'parse') continue;
      const mark = MARK.exec(text)?.[0] ?? parameters?.find((value) => MARK.test(value ?? '')) ?? '';
      const rows = read.get(mark);
      if (rows === undefined) continue;
      found++;
      assert.equal(verdict.action, rows === null ? 'deny' : 'allow');
      if (rows === null) continue;
      assert.equal(outcome?.rows, rows, `${mark} has its outcome`);
      const cells = (outcome?.results ?? []).flatMap((result) => result.rows);
      assert.deepEqual(
        cells.map((row) => row.at(-1)),
        Array.from({ length: rows }, () => mark),
      );
    }
  }
  assert.equal(found, read.size);
  gateway.child.kill('SIGTERM');
  await gateway.exited;
  const verified = await cli('records', 'verify');
  assert.equal(verified.code, 0, verified.out + verified.err);
});

/** One query at a time, simple and bound in turns, some of them refused; until the connection breaks. */
async function load(login: pg.ClientConfig, name: string, read: Read): Promise<void> {
  const client = new pg.Client(login);
  client.on('error', () => {});
  await client.connect();
  for (let i = 0; ; i++) {
    const mark = `${name}n${i}.`;
    const simple = `SELECT id, email, '${mark}' AS mark FROM users LIMIT ${1 + (i % 5)}`;
    const bound = { text: 'SELECT id, email, $1::text AS mark FROM users', values: [mark] };
    try {
      if (i % 10 === 9) await client.query(`DELETE FROM vault WHERE secret = '${mark}'; DROP TABLE vault`);
      else read.set(mark, (await client.query(i % 2 === 0 ? simple : (bound as pg.QueryConfig))).rows.length);
    } catch (error) {
      if ((error as { code?: string }).code !== '42501') return;
      read.set(mark, null);
    }
  }
}

/** Many queries on their way at once. */
async function pipelined(login: pg.ClientConfig, name: string, read: Read): Promise<void> {
  const { host = '', port = 0, user = '', password, database = '' } = login;
  const sql = postgres({
    host,
    port,
    username: user,
    password: String(password),
    database,
    max: 1,
    onnotice: () => {},
  });
  let over = false;
  for (let i = 0; !over; i++) {
    await Promise.all(
      Array.from({ length: 20 }, async (_, j) => {
        const mark = `${name}n${i}x${j}.`;
        const rows = await sql`SELECT id, ${mark}::text AS mark FROM orders LIMIT ${j}`.catch(() => {
          over = true;
        });
        if (rows) read.set(mark, rows.length);
      }),
    );
  }
  await sql.end({ timeout: 0 });
}
