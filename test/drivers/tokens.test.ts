// Stock clients log in by token, at both ports: each by its own way to a password in TLS, and with what it is told where that fails.
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import mysql from 'mysql2/promise';
import pg from 'pg';
import type { TestGateway } from '../servers/gateway.ts';
import { clientOf, FLAVOURS } from '../servers/mysql.ts';
import { type OidcProvider, startProvider } from '../servers/oidc.ts';
import { client, mysqlStand } from './mysql-stand.ts';
import { missing, type Run, run, stand } from './stand.ts';

const PYTHON = '/usr/bin/python3';
const JDBC = fileURLToPath(new URL('java/WithToken.java', import.meta.url));
const withoutJava = (driver: string) =>
  existsSync(driver) ? missing('javac', '-version') : Promise.resolve(`${driver} is not there`);
const provider: OidcProvider = await startProvider();
after(() => provider.close());
const config = {
  identity: { issuers: [{ issuer: provider.issuer, audience: provider.audience }] },
  access: [{ groups: ['agents'], connections: ['db'], scopes: ['db:db:read'], maxTtl: '1h' }],
};

const postgres = stand(['nothing'], { config });

/** A token of several KiB, as providers issue them for who is in many groups. */
const tokenOf = (subject: string, claims: object = {}): Promise<string> =>
  provider.token({
    sub: subject,
    groups: ['agents', ...Array.from({ length: 300 }, (_, i) => `team-${i}`)],
    ...claims,
  });

async function ask({ running }: TestGateway, token: string, task: string): Promise<{ id: string }> {
  const { api } = running.addresses;
  const response = await fetch(`http://${api.host}:${api.port}/v1/grants`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify({ connection: 'db', scopes: ['db:db:read'], ttl: '10m', task, reason: 'a test' }),
  });
  const body = await response.text();
  assert.equal(response.status, 201, body);
  return JSON.parse(body) as { id: string };
}

test('node-postgres: one grant, several by task, none', async () => {
  const gateway = postgres.gateway('nothing');
  const { host, port } = gateway;
  const token = await tokenOf('several');
  assert.ok(token.length > 3_000, String(token.length));
  const connect = async (user: string, more: object = {}) => {
    const one = new pg.Client({ host, port, user, password: token, database: 'db', ...more });
    one.on('error', () => {});
    await one.connect();
    return one;
  };
  const inTls = { ssl: { rejectUnauthorized: false } };
  const refused = (user: string, more: object = inTls) =>
    connect(user, more).then(
      () => assert.fail('let in'),
      ({ code, message, hint }: { code: string; message: string; hint?: string }) => ({ code, message, hint }),
    );
  const none = await refused('oidc');
  assert.deepEqual([none.code, none.message], ['28000', 'several has no live grant']);
  assert.match(none.hint ?? '', /^Request one: sallyport grants request --connection <connection>/);

  const { id } = await ask(gateway, token, 'fix index');
  const only = await connect('oidc', inTls);
  assert.deepEqual((await only.query('SELECT name FROM users WHERE id = 1')).rows, [{ name: 'name 1' }]);
  await only.end();

  await ask(gateway, token, 'reports');
  assert.deepEqual(await refused('oidc'), {
    code: '28000',
    message: 'several grants of several are live',
    hint: 'Log in as oidc:<task>; one of: fix index, reports.',
  });
  for (const user of ['oidc:fix index', `oidc:${id}`]) {
    const named = await connect(user, inTls);
    assert.equal((await named.query<{ grant: string }>('SALLYPORT STATUS')).rows[0]?.grant, id);
    await named.end();
  }

  const clear = await refused('oidc', {});
  assert.deepEqual([clear.code, clear.message], ['28000', 'this gateway takes tokens over TLS only']);
});

test('a token that proves nobody: the same words, whatever is wrong with it', async () => {
  const { host, port } = postgres.gateway('nothing');
  const good = await tokenOf('agent-1');
  const words = new Set<string>();
  for (const token of [
    'no token',
    `${good.slice(0, -4)}AAAA`,
    await tokenOf('agent-1', { exp: 1_000 }),
    await tokenOf('agent-1', { aud: 'another' }),
    await tokenOf('agent-1', { iss: 'https://elsewhere.example' }),
  ]) {
    const login = { host, port, user: 'oidc', password: token, database: 'db', ssl: { rejectUnauthorized: false } };
    const one = new pg.Client(login);
    one.on('error', () => {});
    await one.connect().then(
      () => assert.fail('let in'),
      (error: { code: string; message: string; hint: string }) =>
        words.add(`${error.code} ${error.message} ${error.hint}`),
    );
  }
  assert.deepEqual(
    [...words],
    [
      '28P01 token authentication failed The password has to be a token that is valid now, of an issuer that this gateway ' +
        'knows, made for it.',
    ],
  );
});

test('what a bearer ends on the wire stands in the history under the name that it began with', async () => {
  const gateway = postgres.gateway('nothing');
  const { host, port } = gateway;
  const token = await tokenOf('ada', { act: { sub: 'operator' } });
  const { id } = await ask(gateway, token, 'done soon');
  const one = new pg.Client({ host, port, user: 'oidc', password: token, ssl: { rejectUnauthorized: false } });
  const ended = new Promise((resolve) => one.on('error', resolve));
  await one.connect();
  await one.query('SALLYPORT COMPLETE');
  await ended;
  const { api } = gateway.running.addresses;
  const headers = { authorization: `Bearer ${token}` };
  const response = await fetch(`http://${api.host}:${api.port}/v1/grants/${id}`, { headers });
  const { history } = (await response.json()) as { history: { event: string; by: string }[] };
  const who = `operator for ada (${provider.issuer})`;
  assert.deepEqual(
    history.map(({ event, by }) => [event, by]),
    [
      ['requested', who],
      ['completed', who],
    ],
  );
});

test('psql: PGPASSWORD and sslmode=require', async () => {
  const gateway = postgres.gateway('nothing');
  const token = await tokenOf('psql');
  await ask(gateway, token, 'look');
  const env = {
    PGHOST: gateway.host,
    PGPORT: String(gateway.port),
    PGUSER: 'oidc',
    PGPASSWORD: token,
    PGDATABASE: 'db',
    PGSSLMODE: 'require',
  };
  const sql = 'SELECT name FROM users WHERE id = 1';
  assert.deepEqual(await run('psql', ['-XAtc', sql], env), { code: 0, out: 'name 1\n', err: '' });
  const clear = await run('psql', ['-XAtc', sql], { ...env, PGSSLMODE: 'disable' });
  assert.match(clear.err, /takes tokens over TLS only\nHINT: {2}Connect with sslmode=require/);
});

const PGJDBC = '/usr/share/java/postgresql.jar';
test('pgjdbc', { skip: await withoutJava(PGJDBC) }, async () => {
  const gateway = postgres.gateway('nothing');
  const token = await tokenOf('pgjdbc');
  await ask(gateway, token, 'look');
  const url = `jdbc:postgresql://${gateway.host}:${gateway.port}/db?sslmode=require`;
  const { code, out, err } = await run('java', ['-cp', PGJDBC, JDBC, url, 'oidc'], { TOKEN: token });
  assert.deepEqual({ code, out }, { code: 0, out: 'name 1\nactive 8 false\ncompleted\n' }, err);
});

for (const flavour of FLAVOURS) {
  const bench = mysqlStand(flavour, ['nothing'], { config });

  const letIn = async (subject: string) => {
    const gateway = bench.gateway('nothing');
    const token = await tokenOf(subject);
    await ask(gateway, token, 'look');
    return { host: gateway.host, port: gateway.port, user: 'oidc', password: token, database: 'db' };
  };

  for (const program of FLAVOURS) {
    const skip = await missing(clientOf(program)[0] ?? '', ...clientOf(program).slice(1), '--version');
    test(`${flavour}: the ${program} client, over TLS; without TLS nothing of the token goes out`, {
      skip,
    }, async () => {
      const login = await letIn(`${program} client`);
      const tls = program === 'mysql' ? ['--ssl-mode=REQUIRED'] : ['--ssl', '--skip-ssl-verify-server-cert'];
      const ask = (...more: string[]): Promise<Run> => {
        const { command, args } = client(program, login, '--batch', '--skip-column-names', ...more);
        return run(command, args, {}, 'SELECT name FROM users WHERE id = 1;\n');
      };
      const inside = await ask(...tls);
      assert.deepEqual([inside.code, inside.out], [0, 'name 1\n'], inside.err);
      const outside = await ask(program === 'mysql' ? '--ssl-mode=DISABLED' : '--skip-ssl');
      assert.match(outside.err, /3159|insecure transport/);
    });
  }

  test(`${flavour}: mysql2, by either plugin; several grants, and none`, async () => {
    const login = await letIn('mysql2');
    const ssl = { rejectUnauthorized: false };
    const { token } = { token: login.password };
    const clear = { authPlugins: { mysql_clear_password: () => () => Buffer.from(`${token}\0`) } };
    for (const options of [{}, clear]) {
      const connection = await mysql.createConnection({ ...login, ssl, ...options });
      const [rows] = await connection.query('SELECT name FROM users WHERE id = 1');
      assert.deepEqual(rows, [{ name: 'name 1' }]);
      await connection.end();
    }
    await ask(bench.gateway('nothing'), token, 'another');
    const refused = (user: string, password = token) =>
      mysql.createConnection({ ...login, user, password, ssl }).then(
        () => assert.fail('let in'),
        ({ code, message }: { code: string; message: string }) => `${code} ${message}`,
      );
    assert.equal(
      await refused('oidc'),
      'ER_ACCESS_DENIED_ERROR several grants of mysql2 are live. Log in as oidc:<task>; one of: look, another.',
    );
    assert.match(await refused('oidc', await tokenOf('nobody')), /nobody has no live grant\. Request one: sallyport/);
    assert.equal(
      await refused('oidc', 'no token'),
      "ER_ACCESS_DENIED_ERROR Access denied for user 'oidc' (using password: YES)",
    );
    const named = await mysql.createConnection({ ...login, user: 'oidc:another', ssl });
    await named.end();
  });

  const jar = '/usr/share/java/mariadb-java-client.jar';
  test(`${flavour}: MariaDB's Connector/J`, { skip: await withoutJava(jar) }, async () => {
    const { host, port, password } = await letIn('connector/j');
    const url = `jdbc:mariadb://${host}:${port}/db?useSsl=true&trustServerCertificate=true&useServerPrepStmts=true`;
    const { code, out, err } = await run('java', ['-cp', jar, JDBC, url, 'oidc'], { TOKEN: password });
    assert.deepEqual({ code, out }, { code: 0, out: 'name 1\nactive 8 false\ncompleted\n' }, err);
  });

  const skip = await missing(PYTHON, '-c', 'import pymysql, cryptography');
  test(`${flavour}: PyMySQL`, { skip }, async () => {
    const { host, port, password } = await letIn('pymysql');
    const program = [
      'import os, pymysql, ssl',
      'tls = ssl.create_default_context(); tls.check_hostname = False; tls.verify_mode = ssl.CERT_NONE',
      'login = dict(host=os.environ["HOST"], port=int(os.environ["PORT"]), password=os.environ["TOKEN"], database="db")',
      'connection = pymysql.connect(user="oidc", ssl=tls, **login)',
      'cursor = connection.cursor(); cursor.execute("SELECT name FROM users WHERE id = 1"); print(cursor.fetchone()[0])',
    ].join('\n');
    const env = { HOST: host, PORT: String(port), TOKEN: password };
    assert.deepEqual(await run(PYTHON, ['-c', program], env), { code: 0, out: 'name 1\n', err: '' });
  });
}
