// Stock clients ask the gateway how their grant stands, and end it: SALLYPORT STATUS and SALLYPORT COMPLETE.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import mysql from 'mysql2/promise';
import pg from 'pg';
import type { ListedGrant } from '../../src/types.ts';
import * as m from '../../src/wire/pg/messages.ts';
import { bind, parse } from '../peers/messages.ts';
import { connectRaw, logIn } from '../peers/raw.ts';
import { clientOf, FLAVOURS } from '../servers/mysql.ts';
import { client, mysqlStand } from './mysql-stand.ts';
import { libpqEnv, missing, READ, run, stand } from './stand.ts';

const PYTHON = '/usr/bin/python3';
const bench = stand(['nothing', 'the table read']);

interface Status {
  readonly grant: string;
  readonly task: string;
  readonly connection: string;
  readonly scopes: string;
  readonly state: string;
  readonly expires_at: string;
  readonly seconds_left: number;
  readonly approvals_waiting: number;
}

function assertStatus(row: Status | undefined, user: string): void {
  assert.ok(row !== undefined);
  const { expires_at: expiresAt, seconds_left: left, ...rest } = row;
  assert.deepEqual(
    { ...rest },
    {
      grant: user,
      task: 'test',
      connection: 'db',
      scopes: 'db:db:read',
      state: 'active',
      approvals_waiting: 0,
    },
  );
  const until = Math.floor((Date.parse(expiresAt) - Date.now()) / 1000);
  assert.ok(Math.abs(until - left) <= 1, `${until} ${left}`);
}

for (const masking of ['nothing', 'the table read'] as const) {
  test(`node-postgres, simple and extended, beside masking of ${masking}: in a failed transaction too`, async () => {
    const login = await bench.gateway(masking).login({ scopes: READ });
    const one = new pg.Client(login);
    await one.connect();
    const status = async (query: string | pg.QueryConfig) =>
      assertStatus((await one.query<Status>(query)).rows[0], login.user);
    await status('SALLYPORT STATUS');
    await status({ text: 'sallyport status', name: 'own' });
    await status({ text: 'sallyport status', name: 'own' });
    await one.query('BEGIN');
    await assert.rejects(one.query('SELECT 1 / 0'), { code: '22012' });
    await status('SALLYPORT STATUS;');
    await status({ text: 'SALLYPORT STATUS', values: [] });
    await assert.rejects(one.query('SELECT 1'), { code: '25P02' });
    await one.query('ROLLBACK');
    const { rows } = await one.query('SELECT 1 AS n');
    assert.deepEqual(rows, [{ n: 1 }]);
    await assert.rejects(one.query('SALLYPORT HELP'), (error: pg.DatabaseError) => {
      assert.match(error.hint ?? '', /SALLYPORT STATUS .*SALLYPORT COMPLETE/);
      return error.code === '42501';
    });
    await one.end();
  });
}

test('COMPLETE tells so, then ends every session of the grant, and no other; the grant stays over', async () => {
  const gateway = bench.gateway('nothing');
  const [login, other] = [await gateway.login(), await gateway.login()];
  const open = async (options: pg.ClientConfig) => {
    const one = new pg.Client(options);
    const ended = new Promise<string>((resolve) => {
      one.on('error', (error) => resolve(`${(error as pg.DatabaseError).code} ${error.message}`));
    });
    await one.connect();
    return { one, ended };
  };
  const [asking, beside, stranger] = [await open(login), await open(login), await open(other)];
  const running = beside.one.query('SELECT pg_sleep(600)');
  const cut = assert.rejects(running, { code: '57P01' });
  await bench.sleeping();
  const { rows } = await asking.one.query('SALLYPORT COMPLETE');
  assert.deepEqual(rows, [{ grant: login.user, task: 'test', state: 'completed' }]);
  assert.match(await asking.ended, /^57P01 the grant gr_\w+ has completed at .* \(the task is done\)$/);
  await cut;
  assert.deepEqual((await stranger.one.query('SELECT 1 AS n')).rows, [{ n: 1 }]);
  await stranger.one.end();
  await assert.rejects(new pg.Client(login).connect(), { code: '28P01' });
  const { state, endedBy } = await gateway.api<ListedGrant>('GET', `/v1/grants/${login.user}`);
  assert.deepEqual([state, endedBy], ['completed', 'tester']);
});

test('what was sent before COMPLETE in the same pipeline is there, what was sent behind it is not', async () => {
  const gateway = bench.gateway('nothing');
  const direct = new pg.Client({ connectionString: bench.database.connectionString });
  await direct.connect();
  const extended = (sql: string) => [parse('', sql), bind('', ''), m.execute('', 0)];
  for (const [before, complete, behind] of [
    [
      [m.query("INSERT INTO scratch VALUES (1, 'before')")],
      [m.query('SALLYPORT COMPLETE')],
      [m.query("INSERT INTO scratch VALUES (1, 'behind')")],
    ],
    [
      extended("INSERT INTO scratch VALUES (1, 'before')"),
      extended('SALLYPORT COMPLETE'),
      [...extended("INSERT INTO scratch VALUES (1, 'behind')"), m.sync()],
    ],
  ]) {
    await direct.query('DELETE FROM scratch');
    const login = await gateway.login({ scopes: ['db:db:read+write'] });
    const client = await logIn(await connectRaw(login.host, login.port), login);
    client.send(...(before ?? []), ...(complete ?? []), ...(behind ?? []));
    const said = await client.rest();
    assert.ok(said.includes(`D ${login.user} test completed`), said.join());
    assert.equal(said.at(-1), 'E 57P01');
    assert.deepEqual((await direct.query('SELECT word FROM scratch')).rows, [{ word: 'before' }]);
  }
  await direct.end();
});

test('psql shows it as a table, and what COMPLETE says', async () => {
  const env = await libpqEnv(bench.gateway('nothing'), { scopes: READ });
  const script = '\\set ON_ERROR_STOP on\nsallyport status;\nSALLYPORT COMPLETE;\n';
  const { out } = await run('psql', ['-XA'], env, script);
  const [head, row, , names, completed] = out.split('\n');
  assert.equal(head, 'grant|task|connection|scopes|state|expires_at|seconds_left|approvals_waiting');
  assert.match(row ?? '', new RegExp(`^${env.PGUSER}\\|test\\|db\\|db:db:read\\|active\\|.*Z\\|59\\d\\|0$`));
  assert.deepEqual([names, completed], ['grant|task|state', `${env.PGUSER}|test|completed`]);
});

const skip = await missing(PYTHON, '-c', 'import psycopg2');
test('psycopg2, in an aborted transaction', { skip }, async () => {
  const env = await libpqEnv(bench.gateway('nothing'), { scopes: READ });
  const program = `
import psycopg2
connection = psycopg2.connect("")
cursor = connection.cursor()
try: cursor.execute("SELECT 1 / 0")
except psycopg2.errors.DivisionByZero: pass
cursor.execute("SALLYPORT STATUS")
print(cursor.fetchone()[4], cursor.rowcount, type(cursor.description[6].type_code).__name__)
try: cursor.execute("SELECT 1")
except psycopg2.errors.InFailedSqlTransaction: print("still aborted")
cursor.execute("ROLLBACK"); cursor.execute("SELECT 2"); print(cursor.fetchone()[0])
cursor.execute("SALLYPORT COMPLETE"); print(cursor.fetchone()[2])
try: cursor.execute("SELECT 3")
except psycopg2.Error as error: print(error.pgcode or "closed")
`;
  const { out, err } = await run(PYTHON, ['-c', program], env);
  assert.match(out, /^active 1 int\nstill aborted\n2\ncompleted\n(57P01|42501|closed)\n$/, err);
});

for (const flavour of FLAVOURS) {
  const gateways = mysqlStand(flavour, ['nothing', 'the table read']);

  for (const masking of ['nothing', 'the table read'] as const) {
    test(`${flavour}: mysql2, query and execute, beside masking of ${masking}`, async () => {
      const login = await gateways.gateway(masking).login({ scopes: READ });
      const connection = await mysql.createConnection(login);
      for (const prepared of [false, true, true]) {
        const [rows] = prepared
          ? await connection.execute<mysql.RowDataPacket[]>('SALLYPORT STATUS')
          : await connection.query<mysql.RowDataPacket[]>('SALLYPORT STATUS');
        assertStatus(rows[0] as Status | undefined, login.user);
      }
      assert.deepEqual((await connection.query('SELECT 1 AS n'))[0], [{ n: 1 }]);
      await assert.rejects(connection.query('SALLYPORT WHAT'), { errno: 1142, message: /SALLYPORT STATUS/ });
      const [rows] = await connection.query<mysql.RowDataPacket[]>('SALLYPORT COMPLETE');
      assert.deepEqual({ ...rows[0] }, { grant: login.user, task: 'test', state: 'completed' });
      await assert.rejects(connection.query('SELECT 1'));
      await assert.rejects(mysql.createConnection(login), { errno: 1045 });
    });
  }

  for (const program of FLAVOURS) {
    const without = await missing(clientOf(program)[0] ?? '', ...clientOf(program).slice(1), '--version');
    test(`${flavour}: the ${program} client`, { skip: without }, async () => {
      const login = await gateways.gateway('nothing').login({ scopes: READ });
      const { command, args } = client(program, login, '--batch', ...(program === 'mysql' ? [] : ['--skip-ssl']));
      const { out, err } = await run(command, args, {}, 'sallyport status;\nSALLYPORT COMPLETE;\nSELECT 1;\n');
      const [head, row, names, completed, ...more] = out.trimEnd().split('\n');
      assert.equal(head?.split('\t').length, 8, err);
      assert.deepEqual(row?.split('\t').slice(0, 5), [login.user, 'test', 'db', 'db:db:read', 'active']);
      assert.deepEqual([names, completed, more], ['grant\ttask\tstate', `${login.user}\ttest\tcompleted`, []]);
      assert.match(err, /3169|2013|2006|1142/);
    });
  }
}
