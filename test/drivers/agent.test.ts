// The whole story of an agent with a token of its identity provider: refused what is too wide, granted, at work by grant and by
// token, refused out of scope, done, cut off at a deadline in the middle of a statement, let in again. psycopg on PostgreSQL, mysql2 on
// MariaDB and MySQL.
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import mysql from 'mysql2/promise';
import { startProvider } from '../servers/oidc.ts';
import { mysqlStand } from './mysql-stand.ts';
import { missing, run, stand } from './stand.ts';

/** Debian's own: another may stand before it in PATH. */
const PYTHON = '/usr/bin/python3';
const STORY = [
  'too wide: refused',
  'works by grant and by token',
  'outside its scope: refused, and the session lives on',
  'done: between tasks nothing works',
  'cut off at the deadline',
  'asked again, let in, done',
];

const provider = await startProvider();
after(() => provider.close());
const config = {
  identity: { issuers: [{ issuer: provider.issuer, audience: provider.audience }] },
  access: [{ groups: ['agents'], connections: ['db'], scopes: ['db:db:read'], maxTtl: '1h' }],
};

const postgres = stand(['nothing'], { config });
const skip = (await missing(PYTHON, '-c', 'import psycopg')) && (await missing(PYTHON, '-c', 'import psycopg2'));

test('psycopg on PostgreSQL', { skip }, async () => {
  const { host, port, running } = postgres.gateway('nothing');
  const { api } = running.addresses;
  const env = {
    SALLYPORT_API: `http://${api.host}:${api.port}`,
    SALLYPORT_TOKEN: await provider.machineToken(),
    PGHOST: host,
    PGPORT: String(port),
  };
  const script = fileURLToPath(new URL('python/agent.py', import.meta.url));
  assert.deepEqual(await run(PYTHON, ['-u', script], env), { code: 0, out: `${STORY.join('\n')}\n`, err: '' });
});

for (const flavour of ['mariadb', 'mysql'] as const) {
  const gateways = mysqlStand(flavour, ['nothing'], { config });

  test(`mysql2 on ${flavour}`, async () => {
    const { host, port, running } = gateways.gateway('nothing');
    const { api } = running.addresses;
    const token = await provider.machineToken();

    async function call<T>(method: string, path: string, body: object = {}): Promise<{ status: number; body: T }> {
      const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
      const url = `http://${api.host}:${api.port}${path}`;
      const response = await fetch(url, { method, headers, ...(method === 'POST' && { body: JSON.stringify(body) }) });
      return { status: response.status, body: (await response.json()) as T };
    }
    interface Granted {
      readonly id: string;
      readonly user: string;
      readonly password: string;
    }
    async function ask(ttl: string): Promise<Granted> {
      const task = { task: 'late-orders', reason: 'numbers for Monday' };
      const answer = await call<Granted>('POST', '/v1/grants', {
        connection: 'db',
        scopes: ['db:db:read'],
        ttl,
        ...task,
      });
      assert.equal(answer.status, 201);
      return answer.body;
    }
    const connect = async ({ user, password }: { user: string; password: string }) => {
      const connection = await mysql.createConnection({
        host,
        port,
        user,
        password,
        database: 'db',
        // The gateway's certificate is its own.
        ssl: { rejectUnauthorized: false },
      });
      connection.on('error', () => {});
      return connection;
    };
    const byToken = { user: 'oidc', password: token };
    const orders = async (connection: mysql.Connection) => {
      const [rows] = await connection.query('SELECT COUNT(*) AS n FROM orders WHERE total > ?', [0]);
      return (rows as { n: number }[])[0]?.n;
    };

    const wide = { connection: 'db', scopes: ['db:db:write'], ttl: '5m', task: 'late-orders', reason: 'numbers' };
    const tooWide = await call<{ detail: string }>('POST', '/v1/grants', wide);
    assert.equal(tooWide.status, 403);
    assert.match(tooWide.body.detail, /nearest: db:db:read/);

    const grant = await ask('5m');
    const connections = [await connect(grant), await connect(byToken)];
    for (const connection of connections) {
      assert.equal(await orders(connection), 100);
      await assert.rejects(connection.query('UPDATE orders SET total = 0'), { errno: 1142, sqlState: '42000' });
      assert.equal(await orders(connection), 100);
    }

    const [rows] = (await connections[1]?.query('SALLYPORT STATUS')) ?? [];
    const [status] = rows as { grant: string; task: string }[];
    assert.equal(status?.grant, grant.id);
    assert.equal(status?.task, 'late-orders');
    await connections[1]?.query('SALLYPORT COMPLETE').catch(() => {});
    for (const connection of connections) await assert.rejects(connection.query('SELECT 1'));
    assert.equal((await call<{ state: string }>('GET', `/v1/grants/${grant.id}`)).body.state, 'completed');
    await assert.rejects(connect(grant));
    await assert.rejects(connect(byToken));

    const brief = await ask('2s');
    const sleeper = await connect(byToken);
    await assert.rejects(sleeper.query('SELECT SLEEP(600)'), (error: Error & { errno?: number }) => {
      assert.equal(error.errno, 3169);
      assert.match(error.message, new RegExp(`${brief.id}.*sallyport grants request`, 's'));
      return true;
    });

    const again = await ask('5m');
    for (const login of [again, byToken, { ...byToken, user: 'oidc:late-orders' }]) {
      const connection = await connect(login);
      assert.equal(await orders(connection), 100);
      await connection.end();
    }
    assert.equal((await call('POST', `/v1/grants/${again.id}/complete`)).status, 200);
  });
}
