// A PostgreSQL role for each grant: the database itself refuses what is out of scope, and nothing of the role is left.
import assert from 'node:assert/strict';
import { connect as dial } from 'node:net';
import { after, before, test } from 'node:test';
import type { Client } from 'pg';
import { connect, MEMBER, type PgStand, pgStand, until, withoutJudge } from './stand.ts';

let stand: PgStand & { stop(): Promise<void> };
before(async () => {
  stand = await pgStand(MEMBER);
});
after(() => stand.stop());

const DENIED = { code: '42501' };
const value = async (client: Client, sql: string) => Object.values((await client.query(sql)).rows[0] ?? {})[0];

test('a session is one of the grant’s own role, which all its sessions share and which is gone when it ends', async (t) => {
  const gateway = await stand.gateway(t);
  const { id, user, password } = await gateway.grant({ scopes: ['db:db.app:read'] });
  const login = { host: gateway.host, port: gateway.port, user, password, database: 'db' };
  assert.deepEqual(await stand.roles(), [], 'made when it is needed');
  const clients = await Promise.all([1, 2, 3].map(() => connect(t, gateway, login)));
  const names = await Promise.all(clients.map((client) => value(client, 'SELECT current_user')));
  const [role = ''] = await stand.roles();
  assert.match(role, new RegExp(`^sallyport_[a-z2-7]{12}_${id.slice(3)}$`));
  assert.deepEqual(names, [role, role, role]);
  const [found] = await stand.sql(`SELECT *, EXTRACT(epoch FROM rolvaliduntil - now()) AS seconds FROM pg_roles
    WHERE rolname = '${role}'`);
  assert.deepEqual(
    ['rolsuper', 'rolcreaterole', 'rolcreatedb', 'rolreplication', 'rolbypassrls'].map((name) => found?.[name]),
    [false, false, false, false, false],
  );
  assert.equal(found?.rolconnlimit, 2000);
  const seconds = Number(found?.seconds);
  assert.ok(seconds > 600 && seconds <= 661, `valid for ${seconds} s of a grant of ten minutes`);
  const [stored] = await stand.sql(`SELECT rolpassword FROM pg_authid WHERE rolname = '${role}'`);
  assert.match(String(stored?.rolpassword), /^SCRAM-SHA-256\$/);
  await gateway.api('POST', `/v1/grants/${id}/complete`);
  assert.deepEqual(await until(stand.roles, (roles) => roles.length === 0), []);
});

test('with the judge taken out, the database refuses what is out of scope', async (t) => {
  const gateway = await stand.gateway(t);
  const reader = await connect(t, gateway, { scopes: ['db:db.app:read'] });
  const one = await connect(t, gateway, { scopes: ['db:db.app.users:read'] });
  const writer = await connect(t, gateway, { scopes: ['db:db.app.orders:read+write'] });
  withoutJudge(t);
  // Depth of its own, which a statement without a judge can switch off.
  for (const client of [reader, one]) await client.query('SET default_transaction_read_only = off');
  assert.equal(await value(reader, 'SELECT count(*) FROM app.orders'), '100');
  assert.equal(await value(reader, 'SELECT count(*) FROM app.big'), '50');
  for (const sql of [
    'INSERT INTO app.orders (total) VALUES (1)',
    'UPDATE app.users SET email = NULL',
    'DELETE FROM app.users',
    'TRUNCATE app.orders',
    'DROP TABLE app.orders',
    'CREATE TABLE app.new (a int)',
    "SELECT nextval('app.orders_id_seq')",
    'SELECT * FROM theirs.prices',
    'SET ROLE svc',
    'CREATE ROLE mine',
    "COPY (SELECT 1) TO PROGRAM 'true'",
  ]) {
    await assert.rejects(reader.query(sql), DENIED, sql);
  }
  // For this the server has a warning alone.
  await reader.query('GRANT SELECT ON app.orders TO PUBLIC');
  assert.deepEqual(await stand.sql("SELECT has_table_privilege('other', 'app.orders', 'SELECT') AS may"), [
    { may: false },
  ]);
  await assert.rejects(one.query('SELECT * FROM app.orders'), DENIED);
  assert.equal(await value(one, 'SELECT email FROM app.users'), 'ada@example.com');
  // The sequence that fills its column comes with the table.
  await writer.query('INSERT INTO app.orders (total) VALUES (1)');
  await writer.query('DELETE FROM app.orders WHERE total = 1 AND id > 100');
  await assert.rejects(writer.query('SELECT * FROM app.users'), DENIED);
  await assert.rejects(writer.query("SELECT setval('app.orders_id_seq', 1)"), DENIED);
});

test('a role never has more than the connection’s own user', async (t) => {
  const gateway = await stand.gateway(t, { provisioned: { user: 'postgres', password: stand.server.password } });
  const client = await connect(t, gateway, { scopes: ['db:db:read+write'] });
  withoutJudge(t);
  assert.equal(await value(client, 'SELECT price FROM theirs.prices'), '10');
  await assert.rejects(client.query('SELECT * FROM theirs.hidden'), DENIED);
  await assert.rejects(client.query('INSERT INTO theirs.prices VALUES (2, 2)'), DENIED);
});

test('what is made under ddl becomes the own user’s; what there is stays as it is', async (t) => {
  const gateway = await stand.gateway(t);
  const { id, user, password } = await gateway.grant({ scopes: ['db:db.app:read+write+ddl'] });
  const login = { host: gateway.host, port: gateway.port, user, password, database: 'db' };
  const client = await connect(t, gateway, login);
  await client.query('CREATE TABLE app.made (a serial, b text)');
  await client.query("INSERT INTO app.made (b) VALUES ('kept')");
  await client.query('CREATE INDEX made_b ON app.made (b)');
  await client.query('CREATE TEMP TABLE passing (a int)');
  await assert.rejects(client.query('ALTER TABLE app.users ADD COLUMN more text'), /must be owner of table users/);
  await client.query('TRUNCATE app.made');
  await client.query("INSERT INTO app.made (b) VALUES ('kept')");
  await gateway.api('POST', `/v1/grants/${id}/complete`);
  await until(stand.roles, (roles) => roles.length === 0);
  const made = await stand.sql(`SELECT DISTINCT tableowner FROM pg_tables WHERE tablename IN ('made', 'users')`);
  assert.deepEqual(made, [{ tableowner: 'svc' }]);
  assert.deepEqual(await stand.sql('SELECT * FROM app.made'), [{ a: 2, b: 'kept' }]);
});

test('admin on the whole connection is what the own user may, as a member of it', async (t) => {
  const gateway = await stand.gateway(t);
  const { id, user, password } = await gateway.grant({ scopes: ['db:db:read+write+ddl+admin'] });
  const login = { host: gateway.host, port: gateway.port, user, password, database: 'db' };
  const client = await connect(t, gateway, login);
  await client.query('ALTER TABLE app.users ADD COLUMN more text');
  await client.query('CREATE TABLE app.admins (a int)');
  await client.query('GRANT SELECT ON app.admins TO other');
  await assert.rejects(client.query('SELECT * FROM theirs.hidden'), DENIED);
  await gateway.api('POST', `/v1/grants/${id}/complete`);
  await until(stand.roles, (roles) => roles.length === 0);
  assert.deepEqual(await stand.sql("SELECT has_table_privilege('other', 'app.admins', 'SELECT') AS may"), [
    { may: true },
  ]);
});

test('sessions begin with the settings of the own user', async (t) => {
  await stand.sql(`ALTER ROLE svc SET search_path = "$user", app, public; ALTER ROLE svc IN DATABASE shop SET work_mem = '7MB';
    ALTER ROLE svc SET statement_timeout = '50s'; ALTER ROLE svc SET role = 'svc'`);
  t.after(() => stand.sql('ALTER ROLE svc RESET ALL; ALTER ROLE svc IN DATABASE shop RESET ALL'));
  const gateway = await stand.gateway(t);
  const client = await connect(t, gateway, { scopes: ['db:db.app:read'] });
  assert.equal(await value(client, 'SELECT count(*) FROM orders'), '100');
  assert.equal(await value(client, 'SHOW search_path'), '"$user", app, public');
  assert.equal(await value(client, 'SHOW work_mem'), '7MB');
  assert.equal(await value(client, 'SHOW statement_timeout'), '50s');
  assert.match(String(await value(client, 'SELECT current_user')), /^sallyport_/);
});

test('names that need quotes are taken to the letter', async (t) => {
  await stand.sql(
    `SET ROLE svc; CREATE TABLE app."a ""b'; DROP TABLE x; --" (a int); CREATE TABLE app."Orders" (a int)`,
  );
  const gateway = await stand.gateway(t);
  const client = await connect(t, gateway, { scopes: ['db:db.app."a ""b\'; DROP TABLE x; --":read'] });
  withoutJudge(t);
  assert.deepEqual((await client.query(`SELECT * FROM app."a ""b'; DROP TABLE x; --"`)).rows, []);
  await assert.rejects(client.query('SELECT * FROM app."Orders"'), DENIED);
});

test('the end of a grant ends what runs, and a statement is cancelled as before', async (t) => {
  const gateway = await stand.gateway(t);
  const { id, user, password } = await gateway.grant({ scopes: ['db:db:read'] });
  const login = { host: gateway.host, port: gateway.port, user, password, database: 'db' };
  const client = await connect(t, gateway, login);
  const sleeping = () =>
    stand.sql("SELECT pid FROM pg_stat_activity WHERE wait_event = 'PgSleep' AND usename LIKE 'sallyport%'");
  const first = assert.rejects(client.query('SELECT pg_sleep(60)'), { code: '57014' });
  await until(sleeping, (rows) => rows.length === 1);
  const { processID, secretKey } = client as Client & { processID: number; secretKey: number };
  await cancel(login, processID, secretKey);
  await first;
  const second = assert.rejects(client.query('SELECT pg_sleep(60)'), { code: '57P01' });
  await until(sleeping, (rows) => rows.length === 1);
  await gateway.api('POST', `/v1/grants/${id}/revoke`, { reason: 'enough' });
  await second;
  await until(stand.roles, (roles) => roles.length === 0);
  assert.deepEqual(await sleeping(), []);
});

/** CancelRequest: length 16, code 80877102, process id, secret. */
async function cancel({ host, port }: { host: string; port: number }, pid: number, secret: number): Promise<void> {
  const message = Buffer.alloc(16);
  message.writeInt32BE(16, 0);
  message.writeInt32BE(80877102, 4);
  message.writeInt32BE(pid, 8);
  message.writeInt32BE(secret, 12);
  await new Promise<void>((resolve) => {
    const socket = dial(port, host, () => socket.end(message));
    socket.on('close', () => resolve()).resume();
  });
}

test('grants of two gateways have their roles made and dropped at the same time', async (t) => {
  const gateways = [await stand.gateway(t), await stand.gateway(t)];
  const open = async (gateway: (typeof gateways)[number]) => {
    const { id, user, password } = await gateway.grant({ scopes: ['db:db:read+write'] });
    const client = await connect(t, gateway, {
      host: gateway.host,
      port: gateway.port,
      user,
      password,
      database: 'db',
    });
    return { id, gateway, count: await value(client, 'SELECT count(*) FROM app.users') };
  };
  const opened = await Promise.all([...gateways, ...gateways, ...gateways, ...gateways].map(open));
  assert.deepEqual(new Set(opened.map(({ count }) => count)), new Set(['1']));
  assert.equal((await stand.roles()).length, opened.length);
  await Promise.all(opened.map(({ id, gateway }) => gateway.api('POST', `/v1/grants/${id}/complete`)));
  assert.deepEqual(await until(stand.roles, (roles) => roles.length === 0), []);
});
