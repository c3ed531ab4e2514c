// Dialling a real PostgreSQL: every way to log in, every TLS mode, small queries, cancels, and what goes wrong.

import assert from 'node:assert/strict';
import { createServer } from 'node:net';
import { after, before, test } from 'node:test';
import { generate } from 'selfsigned';
import type { Connection, TlsMode } from '../../../src/types.ts';
import { cancelUpstream, connectUpstream, runQuery, type Upstream } from '../../../src/wire/pg/connect.ts';
import { type PostgresServer, startPostgres } from '../../servers/postgres.ts';

const SECRET = 'cörrect"horse';
const LIMITS = { timeoutMs: 10_000 };
let server: PostgresServer;
let plain: PostgresServer;
let ca: string;
let otherCa: string;

const authority = (name: string) =>
  generate([{ name: 'commonName', value: name }], {
    keyType: 'rsa',
    algorithm: 'sha256',
    extensions: [
      { name: 'basicConstraints', cA: true, critical: true },
      { name: 'keyUsage', keyCertSign: true, critical: true },
    ],
  });

before(async () => {
  const root = await authority('test root');
  ca = root.cert;
  otherCa = (await authority('another root')).cert;
  const own = await generate([{ name: 'commonName', value: 'db' }], {
    keyType: 'rsa',
    algorithm: 'sha384',
    ca: { key: root.private, cert: root.cert },
    extensions: [{ name: 'subjectAltName', altNames: [{ type: 2, value: 'localhost' }] }],
  });
  const roles = ['trusted', 'scram', 'clear', 'ssl', 'nossl', 'old'];
  const quoted = SECRET.replaceAll("'", "''");
  [server, plain] = await Promise.all([
    startPostgres({
      tls: { cert: own.cert, key: own.private },
      hba: [
        'host all trusted 127.0.0.1/32 trust',
        'host all clear 127.0.0.1/32 password',
        'host all old 127.0.0.1/32 md5',
        'hostssl all ssl 127.0.0.1/32 scram-sha-256',
        'hostnossl all nossl 127.0.0.1/32 scram-sha-256',
      ],
      auth: 'scram-sha-256',
      sql: roles
        .map(
          (r) => `SET password_encryption = '${r === 'old' ? 'md5' : 'scram-sha-256'}';
                     CREATE ROLE ${r} LOGIN PASSWORD '${quoted}';`,
        )
        .join(' '),
    }),
    startPostgres({ auth: 'scram-sha-256' }),
  ]);
});
after(async () => {
  await Promise.all([server?.stop(), plain?.stop()]);
});

function connection(
  user: string,
  mode: TlsMode,
  more: { ca?: string; host?: string; password?: string } = {},
): Connection {
  return {
    name: 'test',
    protocol: 'postgres',
    host: more.host ?? server.host,
    port: server.port,
    database: 'postgres',
    user,
    password: () => more.password ?? SECRET,
    tls: { mode, ca: more.ca },
  };
}

async function using<T>(c: Connection, work: (upstream: Upstream) => Promise<T>): Promise<T> {
  const upstream = await connectUpstream(c, [['application_name', 'dial test']], LIMITS);
  try {
    return await work(upstream);
  } finally {
    upstream.socket.destroy();
  }
}

const whoAmI = (upstream: Upstream) =>
  runQuery(
    upstream,
    "select current_user, ssl::text, current_setting('application_name') from pg_stat_ssl where pid = pg_backend_pid()",
  );

test('every way to log in', async () => {
  const cases: [user: string, mode: TlsMode, ssl: string][] = [
    ['trusted', 'disable', 'false'],
    ['trusted', 'require', 'true'],
    ['scram', 'disable', 'false'],
    ['scram', 'require', 'true'],
    ['ssl', 'prefer', 'true'],
    ['nossl', 'disable', 'false'],
    ['old', 'disable', 'false'],
    ['old', 'require', 'true'],
    ['clear', 'require', 'true'],
  ];
  for (const [user, mode, ssl] of cases) {
    await using(connection(user, mode), async (upstream) => {
      assert.deepEqual(await whoAmI(upstream), [[[user, ssl, 'dial test']]], `${user} ${mode}`);
      assert.equal(upstream.parameters.get('standard_conforming_strings'), 'on');
      assert.notEqual(upstream.backendPid, 0);
    });
  }
});

test('the password in clear text is not sent outside TLS', async () => {
  await assert.rejects(connectUpstream(connection('clear', 'disable'), [], LIMITS), /clear text outside TLS/);
});

test('a wrong secret is the database’s own refusal, without the secret', async () => {
  for (const user of ['scram', 'old', 'clear']) {
    const failed = connectUpstream(connection(user, 'require', { password: user }), [], LIMITS);
    await assert.rejects(failed, (error: Error & { code: string }) => {
      assert.equal(error.code, 'SP_UPSTREAM');
      assert.equal((error.cause as { sqlstate: string }).sqlstate, '28P01');
      assert.match(error.message, /connection test .*password authentication failed for user "…"/);
      return true;
    });
  }
});

test('each TLS mode against a certificate of an authority of its own', async () => {
  const reach = (mode: TlsMode, more: { ca?: string; host?: string }) =>
    using(connection('scram', mode, more), async (upstream) => (await whoAmI(upstream))[0]?.[0]?.[1]);
  assert.equal(await reach('verify-full', { ca, host: 'localhost' }), 'true');
  assert.equal(await reach('verify-ca', { ca }), 'true');
  assert.equal(await reach('require', { ca }), 'true');
  assert.equal(await reach('require', {}), 'true');
  await assert.rejects(reach('verify-full', { ca }), { code: 'SP_UPSTREAM', message: /not for this name/ });
  await assert.rejects(reach('verify-full', { ca: otherCa, host: 'localhost' }), /not signed by an authority/);
  await assert.rejects(reach('verify-ca', { ca: otherCa }), /not signed by an authority/);
  await assert.rejects(reach('verify-ca', {}), /not signed by an authority/);
});

test('a database without TLS is reached by disable and prefer alone', async () => {
  const reach = (mode: TlsMode) => {
    const { host, port, user, password } = plain;
    return using({ ...connection(user, mode, { password }), host, port }, async (u) => (await whoAmI(u))[0]?.[0]?.[1]);
  };
  assert.equal(await reach('disable'), 'false');
  assert.equal(await reach('prefer'), 'false');
  for (const mode of ['require', 'verify-ca', 'verify-full'] as const) {
    await assert.rejects(reach(mode), /offers no TLS/);
  }
});

test('settings at connect do not move what the gateway relies on', async () => {
  const settings: [string, string][] = [
    ['standard_conforming_strings', 'off'],
    ['client_encoding', 'LATIN1'],
    ['user', 'postgres'],
    ['search_path', 'pg_catalog'],
  ];
  const upstream = await connectUpstream(connection('scram', 'prefer'), settings, LIMITS);
  const [rows] = await runQuery(
    upstream,
    `select current_user, current_setting('standard_conforming_strings'), current_setting('client_encoding'), current_setting('search_path')`,
  );
  upstream.socket.destroy();
  assert.deepEqual(rows, [['scram', 'on', 'UTF8', 'pg_catalog']]);
});

test('several results, NULL, no rows, and an error after which the next query works', async () => {
  await using(connection('scram', 'disable'), async (upstream) => {
    const answer = await runQuery(upstream, "select 1, null, 'ü'; ; set lock_timeout = 0; select 2 where false");
    assert.deepEqual(answer, [[['1', null, 'ü']], [], []]);
    assert.deepEqual(await runQuery(upstream, ''), [[]]);
    await assert.rejects(runQuery(upstream, 'select 1/0'), (error: Error) => {
      assert.equal((error.cause as { sqlstate: string }).sqlstate, '22012');
      return true;
    });
    assert.deepEqual(await runQuery(upstream, 'select 3'), [[['3']]]);
    await assert.rejects(runQuery(upstream, "select repeat('x', 100000)", { maxBytes: 50_000 }), {
      code: 'SP_UPSTREAM',
    });
    assert.equal(upstream.socket.destroyed, true);
  });
});

test('a query that takes too long takes its upstream with it', async () => {
  await using(connection('scram', 'disable'), async (upstream) => {
    await assert.rejects(runQuery(upstream, 'select pg_sleep(60)', { timeoutMs: 50 }), /no answer within 50 ms/);
    assert.equal(upstream.socket.destroyed, true);
  });
});

test('a cancel reaches the backend, in the clear and over TLS; with a wrong secret it does not', async () => {
  for (const mode of ['disable', 'require'] as const) {
    const c = connection('scram', mode);
    await using(c, async (upstream) => {
      const sleeping = assert.rejects(runQuery(upstream, 'select pg_sleep(60)'), (error: Error) => {
        assert.equal((error.cause as { sqlstate: string }).sqlstate, '57014');
        return true;
      });
      await using(c, async (other) => {
        const asleep = `select 1 from pg_stat_activity where pid = ${upstream.backendPid} and wait_event = 'PgSleep'`;
        while ((await runQuery(other, asleep))[0]?.length === 0);
        await cancelUpstream(c, upstream.backendPid, Buffer.from([1, 2, 3, 4]));
        assert.equal((await runQuery(other, asleep))[0]?.length, 1);
      });
      await cancelUpstream(c, upstream.backendPid, upstream.backendSecret);
      await sleeping;
    });
  }
});

test('what cannot be reached is said in one line', async () => {
  const c = connection('scram', 'disable');
  await assert.rejects(connectUpstream({ ...c, port: 1 }, [], LIMITS), /127\.0\.0\.1:1\): .*ECONNREFUSED/);
  await assert.rejects(connectUpstream({ ...c, host: 'localhost', port: 1 }, [], LIMITS), /ECONNREFUSED/);
  await assert.rejects(connectUpstream({ ...c, host: 'no.such.host.invalid' }, [], LIMITS), /ENOTFOUND|EAI_AGAIN/);
  await assert.rejects(connectUpstream({ ...c, database: 'none' }, [], LIMITS), (error: Error) => {
    assert.equal((error.cause as { sqlstate: string }).sqlstate, '3D000');
    return true;
  });
  await assert.rejects(connectUpstream(c, [], { ...LIMITS, signal: AbortSignal.abort() }), /given up/);
});

test('a peer that never answers is left at the deadline', async () => {
  const silent = createServer((socket) => socket.on('error', () => {}).resume());
  await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
  const { port } = silent.address() as { port: number };
  for (const mode of ['disable', 'require'] as const) {
    await assert.rejects(
      connectUpstream({ ...connection('scram', mode), port }, [], { timeoutMs: 50 }),
      /no answer within 50 ms/,
    );
  }
  await assert.rejects(
    cancelUpstream({ ...connection('scram', 'disable'), port }, 1, Buffer.alloc(4), { timeoutMs: 50 }),
  );
  silent.close();
});
