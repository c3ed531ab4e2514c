// What the administrator of provisioned mode needs in PostgreSQL, and what is said where it has less.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { stringify } from 'yaml';
import { languages } from '../../src/languages/languages.ts';
import { postgresRoles } from '../../src/provision/postgres.ts';
import { roleName } from '../../src/provision/role.ts';
import type { Connection } from '../../src/types.ts';
import { connect, GRANTOR, PASSWORD, type PgStand, pgStand, until, withoutJudge } from './stand.ts';

let stand: PgStand & { stop(): Promise<void> };
before(async () => {
  stand = await pgStand(GRANTOR);
});
after(() => stand.stop());

const SALLYPORT = fileURLToPath(new URL('../../bin/sallyport', import.meta.url));
const DENIED = { code: '42501' };
const UNREACHED = { code: '08006', message: 'connection "db" cannot be reached by the gateway' };

test('grant options on the tables of others are enough to read and write', async (t) => {
  const gateway = await stand.gateway(t);
  const { id, user, password } = await gateway.grant({ scopes: ['db:db.app:read+write', 'db:db.theirs:read'] });
  const client = await connect(t, gateway, { host: gateway.host, port: gateway.port, user, password, database: 'db' });
  withoutJudge(t);
  await client.query('INSERT INTO app.orders (total) VALUES (1)');
  await client.query('SELECT * FROM theirs.prices');
  await assert.rejects(client.query('SELECT * FROM theirs.hidden'), DENIED);
  await assert.rejects(client.query('TRUNCATE app.orders'), DENIED);
  await gateway.api('POST', `/v1/grants/${id}/complete`);
  assert.deepEqual(await until(stand.roles, (roles) => roles.length === 0), []);
});

test('what nobody would own afterwards is not made: ddl takes membership in the own user', async (t) => {
  const gateway = await stand.gateway(t);
  for (const verb of ['ddl', 'admin']) {
    await assert.rejects(connect(t, gateway, { scopes: [`db:db:read+${verb}`] }), UNREACHED);
  }
  assert.deepEqual(await stand.roles(), []);
});

test('an administrator that is not let in, or may not make roles, costs the session alone', async (t) => {
  await stand.sql(`CREATE ROLE weak LOGIN PASSWORD '${PASSWORD}'`);
  for (const provisioned of [
    { user: 'weak', password: PASSWORD },
    { user: 'maker', password: 'wrong' },
    { user: 'nobody', password: PASSWORD },
  ]) {
    const gateway = await stand.gateway(t, { provisioned });
    await assert.rejects(connect(t, gateway, { scopes: ['db:db:read'] }), UNREACHED);
  }
  assert.deepEqual(await stand.roles(), []);
});

test('a proof makes a role and takes it back, and says what grants will not get', async () => {
  const { host, port } = stand.server;
  const prove = (user: string) => {
    const connection: Connection = {
      name: 'db',
      protocol: 'postgres',
      host,
      port,
      database: 'shop',
      user: 'svc',
      password: () => PASSWORD,
      tls: { mode: 'disable' },
    };
    const name = roleName('postgres', 'abcdefghijkl', 'check');
    return languages.postgres.administer({ ...connection, user }, (run) => postgresRoles.prove(run, name, connection));
  };
  assert.deepEqual(await prove('maker'), [
    'grants with ddl or admin will be refused: the administrator is no member of svc',
  ]);
  await stand.sql('REVOKE GRANT OPTION FOR SELECT ON app.users FROM maker CASCADE');
  const [, said] = await prove('maker');
  assert.equal(said, 'the administrator may not grant SELECT on 1 tables that svc reads');
  await assert.rejects(prove('svc'), /permission denied to create role/);
  assert.deepEqual(await stand.roles(), []);
});

test('sallyport check proves that roles can be made, and names what grants will not get', async (t) => {
  const dir = await mkdtemp(join(tmpdir(), 'sallyport-check-'));
  t.after(() => rm(dir, { recursive: true, force: true }));
  const { host, port } = stand.server;
  const check = async (user: string, password: string) => {
    const provisioned = { user, password };
    const db = {
      protocol: 'postgres',
      host,
      port,
      database: 'shop',
      user: 'svc',
      password: `\${env:SVC}`,
      provisioned,
    };
    const access = [{ groups: ['*'], connections: ['*'], scopes: ['db:db:read'], maxTtl: '1h' }];
    await writeFile(join(dir, 'sallyport.yaml'), stringify({ connections: { db }, access }));
    const env = {
      PATH: process.env.PATH,
      SALLYPORT_CONFIG: join(dir, 'sallyport.yaml'),
      SVC: PASSWORD,
      MAKER: PASSWORD,
    };
    const child = spawn(SALLYPORT, ['check', '--json'], { env, stdio: ['ignore', 'pipe', 'inherit'] });
    return JSON.parse(await text(child.stdout)) as {
      ok: boolean;
      warnings: { path: string; message: string }[];
      connections: { error?: string }[];
    };
  };
  const path = 'connections.db.provisioned';
  const good = await check('maker', `\${env:MAKER}`);
  assert.equal(good.ok, true);
  const message = 'grants with ddl or admin will be refused: the administrator is no member of svc';
  assert.deepEqual(good.warnings[0], { path, message });
  const bad = await check('svc', PASSWORD);
  assert.equal(bad.ok, false);
  assert.deepEqual(
    bad.warnings.map((warning) => warning.path),
    [`${path}.password`],
  );
  const [{ error = '' } = {}] = bad.connections;
  assert.equal(error, 'its administrator, svc, makes no role: permission denied to create role');
  assert.deepEqual(await stand.roles(), []);
});
