// A gateway that is killed leaves a role behind: the next start drops it, and those of other gateways stay.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { stringify } from 'yaml';
import { freePort } from '../servers/watched.ts';
import { connect, MEMBER, PASSWORD, type PgStand, pgStand, until } from './stand.ts';

let stand: PgStand & { stop(): Promise<void> };
before(async () => {
  stand = await pgStand(MEMBER);
});
after(() => stand.stop());

const SALLYPORT = fileURLToPath(new URL('../../bin/sallyport', import.meta.url));

/** A gateway in a process of its own, and what starts it again in the same data dir. */
async function separate(t: TestContext) {
  const dir = await mkdtemp(join(tmpdir(), 'sallyport-left-'));
  t.after(() => rm(dir, { recursive: true, force: true }));
  const [port, apiPort] = [await freePort(), await freePort()];
  const { host, port: database } = stand.server;
  await writeFile(join(dir, 'password'), PASSWORD);
  const password = `\${file:${dir}/password}`;
  const connection = { protocol: 'postgres', host, port: database, database: 'shop', user: 'svc', password };
  const config = {
    connections: { db: { ...connection, provisioned: { user: 'maker', password } } },
    access: [{ groups: ['*'], connections: ['*'], scopes: ['db:db.app:read+write+ddl'], maxTtl: '1h' }],
  };
  await writeFile(join(dir, 'sallyport.yaml'), stringify(config));
  const env = {
    PATH: process.env.PATH,
    SALLYPORT_CONFIG: join(dir, 'sallyport.yaml'),
    SALLYPORT_DATA_DIR: join(dir, 'data'),
    SALLYPORT_PG_LISTEN: `127.0.0.1:${port}`,
    SALLYPORT_MYSQL_LISTEN: '127.0.0.1:0',
    SALLYPORT_API_LISTEN: `127.0.0.1:${apiPort}`,
    SALLYPORT_DRAIN_TIMEOUT: '0s',
  };
  const start = async () => {
    const child = spawn(SALLYPORT, ['serve'], { env, stdio: 'ignore' });
    t.after(() => child.kill('SIGKILL'));
    const isUp = () =>
      fetch(`http://127.0.0.1:${apiPort}/readyz`).then(
        ({ ok }) => ok,
        () => false,
      );
    await until(isUp, (up) => up);
    return child;
  };
  const grant = async () => {
    const words =
      'grants request --connection db --scope db:db.app:read+write+ddl --ttl 20m --task t --identity me --json';
    const child = spawn(SALLYPORT, [...words.split(' '), '--group', 'agents', '--reason', 'r'], { env });
    const [said] = (await once(child.stdout.setEncoding('utf8'), 'data')) as [string];
    const { user, password } = JSON.parse(said) as { user: string; password: string };
    return { host: '127.0.0.1', port, user, password, database: 'db' };
  };
  return { start, grant };
}

test('the role of a killed gateway, with what it was running and has made, is taken over at the next start', async (t) => {
  const others = await stand.gateway(t);
  const other = await connect(t, others, { scopes: ['db:db.app:read'] });
  const [kept = ''] = await stand.roles();

  const { start, grant } = await separate(t);
  const first = await start();
  const login = await grant();
  const client = new pg.Client(login);
  client.on('error', () => {});
  await client.connect();
  await client.query('CREATE TABLE app.unfinished (a int)');
  client.query('SELECT pg_sleep(600)').catch(() => {});
  const running = () =>
    stand.sql("SELECT usename FROM pg_stat_activity WHERE wait_event = 'PgSleep' AND usename LIKE 'sallyport%'");
  await until(running, (rows) => rows.length === 1);
  const left = (await stand.roles()).filter((role) => role !== kept);
  assert.equal(left.length, 1);
  first.kill('SIGKILL');
  await once(first, 'exit');
  assert.deepEqual(
    (await stand.roles()).filter((role) => role !== kept),
    left,
  );

  await start();
  await until(stand.roles, (roles) => roles.length === 1);
  assert.deepEqual(await stand.roles(), [kept]);
  assert.deepEqual(await running(), []);
  const [table] = await stand.sql("SELECT tableowner FROM pg_tables WHERE tablename = 'unfinished'");
  assert.deepEqual(table, { tableowner: 'svc' });

  // The grant is as live as it was: its next session has a role again, by the same name.
  const again = new pg.Client(login);
  await again.connect();
  assert.deepEqual((await again.query('SELECT current_user AS name')).rows, [{ name: left[0] }]);
  await again.end();
  await other.query('SELECT count(*) FROM app.orders');
});

test('a gateway that is stopped leaves nothing behind', async (t) => {
  const { start, grant } = await separate(t);
  const before = await stand.roles();
  const gateway = await start();
  const client = new pg.Client(await grant());
  client.on('error', () => {});
  await client.connect();
  assert.equal((await stand.roles()).length, before.length + 1);
  gateway.kill('SIGTERM');
  await once(gateway, 'exit');
  assert.deepEqual(await stand.roles(), before);
});

test('what was left behind goes when the config names its administrator again', async (t) => {
  const gateway = await stand.gateway(t);
  const client = await connect(t, gateway, { scopes: ['db:db.app:read'] });
  const mine = String((await client.query('SELECT current_user AS name')).rows[0]?.name);
  const before = await stand.roles();
  const orphan = `${mine.slice(0, -16)}${'q'.repeat(16)}`;
  await stand.sql(`CREATE ROLE ${orphan}; COMMENT ON ROLE ${orphan} IS 'made by Sallyport for a grant in database shop';
    GRANT ${orphan} TO maker WITH ADMIN TRUE`);
  // The same name without the mark is somebody's own, or belongs to another database of the cluster.
  const foreign = `${mine.slice(0, -16)}${'r'.repeat(16)}`;
  await stand.sql(`CREATE ROLE ${foreign}; GRANT ${foreign} TO maker WITH ADMIN TRUE`);
  t.after(() => stand.sql(`DROP ROLE ${foreign}`));
  await gateway.writeConfig({ policies: { none: { rules: [] } } });
  const after = await until(stand.roles, (roles) => !roles.includes(orphan));
  assert.deepEqual(after, [...before, foreign].sort());
});
