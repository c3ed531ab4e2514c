// Dialling a real MariaDB and a real MySQL: every way to log in, every TLS mode, small queries, cancels, and what goes wrong.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer } from 'node:net';
import { after, before, test } from 'node:test';
import { generate } from 'selfsigned';
import type { Connection, TlsMode } from '../../../src/types.ts';
import { cancelUpstream, connectUpstream, hangUp, runQuery, withUpstream } from '../../../src/wire/mysql/connect.ts';
import { FLAVOURS, type MysqlServer, startMysql } from '../../servers/mysql.ts';

const SECRET = 'cörrect"horse';
const WISHES = { capabilities: 0, collation: 45 };
const LIMITS = { timeoutMs: 10_000 };

const authority = (name: string) =>
  generate([{ name: 'commonName', value: name }], {
    keyType: 'rsa',
    algorithm: 'sha256',
    extensions: [
      { name: 'basicConstraints', cA: true, critical: true },
      { name: 'keyUsage', keyCertSign: true, critical: true },
    ],
  });

const root = await authority('test root');
const otherCa = (await authority('another root')).cert;
const own = await generate([{ name: 'commonName', value: 'db' }], {
  keyType: 'rsa',
  algorithm: 'sha256',
  ca: { key: root.private, cert: root.cert },
  extensions: [{ name: 'subjectAltName', altNames: [{ type: 2, value: 'localhost' }] }],
});

const quoted = SECRET.replaceAll("'", "''");
/** Users by the way in which they log in; one that has to use TLS. */
const USERS = {
  mariadb: [
    `CREATE USER native IDENTIFIED VIA mysql_native_password USING PASSWORD('${quoted}')`,
    "INSTALL SONAME 'auth_ed25519'",
    `CREATE USER curve IDENTIFIED VIA ed25519 USING PASSWORD('${quoted}')`,
    `CREATE USER tls IDENTIFIED BY '${quoted}' REQUIRE SSL`,
    'CREATE USER nothing IDENTIFIED BY ""',
    'GRANT ALL ON shop.* TO native, curve, tls, nothing',
  ],
  mysql: [
    `CREATE USER sha2 IDENTIFIED WITH caching_sha2_password BY '${quoted}'`,
    `CREATE USER fresh IDENTIFIED WITH caching_sha2_password BY '${quoted}'`,
    `CREATE USER tls IDENTIFIED BY '${quoted}' REQUIRE SSL`,
    'CREATE USER nothing IDENTIFIED BY ""',
    'GRANT ALL ON shop.* TO sha2, fresh, tls, nothing',
  ],
} as const;
const WAYS = { mariadb: ['native', 'curve'], mysql: ['sha2'] } as const;

/** Puts bytes before the first so many greetings of what stands behind it. */
async function strayBefore(target: { host: string; port: number }, times: number) {
  let dialled = 0;
  const between = createServer((near) => {
    dialled++;
    near.on('error', () => far.destroy());
    if (dialled <= times)
      near.write(Buffer.concat([Buffer.from([0x17, 0x03, 0x03, 0x40, 0x11]), Buffer.alloc(65_531, 0xa5)]));
    const far = connect(target.port, target.host);
    far.on('error', () => near.destroy());
    near.pipe(far).pipe(near);
  });
  between.listen(0, '127.0.0.1');
  await once(between, 'listening');
  const { port } = between.address() as AddressInfo;
  return { port, dialled: () => dialled, close: () => between.close() };
}

for (const flavour of FLAVOURS) {
  let server: MysqlServer;

  before(async () => {
    server = await startMysql(flavour, {
      tls: { cert: own.cert, key: own.private, ca: root.cert },
      sql: USERS[flavour],
    });
  });
  after(() => server?.stop());

  const connection = (
    user: string,
    mode: TlsMode,
    more: { ca?: string; host?: string; password?: string } = {},
  ): Connection => ({
    name: 'test',
    protocol: 'mysql',
    host: more.host ?? server.host,
    port: server.port,
    database: 'shop',
    user,
    password: () => more.password ?? SECRET,
    tls: { mode, ca: more.ca },
  });
  const cipher = (at: Connection) =>
    withUpstream(at, 10_000, async (run) => (await run("SHOW STATUS LIKE 'Ssl_cipher'"))[0]?.[1]);

  for (const way of WAYS[flavour]) {
    test(`${flavour}: ${way} logs in with TLS and without, again and again`, async () => {
      for (let i = 0; i < 2; i++) {
        assert.equal(await cipher(connection(way, 'disable')), '');
        assert.notEqual(await cipher(connection(way, 'require')), '');
      }
    });

    test(`${flavour}: ${way} with a wrong password is refused, and the message holds neither`, async () => {
      await assert.rejects(
        connectUpstream(connection(way, 'disable', { password: 'wr0ng' }), WISHES, LIMITS),
        (error: Error) => {
          assert.match(error.message, /^connection test \(127\.0\.0\.1:\d+\): Access denied for user/);
          assert.ok(!error.message.includes('wr0ng'));
          return true;
        },
      );
    });
  }

  if (flavour === 'mysql') {
    test('mysql: the first login without TLS encrypts the password with the key of the server', async () => {
      await runQueryOnce(connection('fresh', 'disable'));
      // The second is quick: the server knows it now.
      await runQueryOnce(connection('fresh', 'disable'));
    });
  }

  test(`${flavour}: a login without a password`, async () => {
    await runQueryOnce(connection('nothing', 'disable', { password: '' }));
  });

  test(`${flavour}: each TLS mode proves what it says`, async () => {
    const tls = (mode: TlsMode, more: { ca?: string; host?: string } = {}) => connection('tls', mode, more);
    for (const good of [
      tls('prefer'),
      tls('require'),
      tls('verify-ca', { ca: root.cert }),
      tls('verify-full', { ca: root.cert, host: 'localhost' }),
    ]) {
      assert.notEqual(await cipher(good), '');
    }
    await assert.rejects(runQueryOnce(tls('disable')), /Access denied|insecure/);
    await assert.rejects(runQueryOnce(tls('verify-ca', { ca: otherCa })), /certificate|self.signed|unable to/i);
    await assert.rejects(runQueryOnce(tls('verify-full', { ca: root.cert })), /not for this name/);
  });

  test(`${flavour}: small questions, errors, and an upstream that is good afterwards`, async () => {
    const upstream = await connectUpstream(connection('tls', 'require'), WISHES, LIMITS);
    assert.deepEqual(await runQuery(upstream, "SELECT 1, NULL, 'x' UNION SELECT 2, '', 'ö'"), [
      ['1', null, 'x'],
      ['2', '', 'ö'],
    ]);
    await assert.rejects(runQuery(upstream, 'SELECT nope'), /Unknown column 'nope'/);
    assert.deepEqual(await runQuery(upstream, 'DO 1'), []);
    assert.deepEqual(await runQuery(upstream, 'SELECT 1 FROM DUAL WHERE FALSE'), []);
    hangUp(upstream);
  });

  test(`${flavour}: what runs is cancelled, or ends with its time`, async () => {
    const at = connection('tls', 'require');
    const upstream = await connectUpstream(at, WISHES, LIMITS);
    const [row] = await runQuery(upstream, 'SELECT CONNECTION_ID()');
    const slept = runQuery(upstream, 'SELECT SLEEP(600)').then(
      (rows) => rows[0]?.[0],
      (error: Error) => error.message,
    );
    const running = "SELECT 1 FROM information_schema.processlist WHERE state = 'User sleep'";
    while ((await server.query(running)).length === 0);
    await cancelUpstream(at, Number(row?.[0]), 'query');
    assert.match(String(await slept), /^1$|interrupted/);
    await assert.rejects(runQuery(upstream, 'SELECT SLEEP(600)', { timeoutMs: 50 }), /no answer within 50 ms/);
  });

  test(`${flavour}: a result that is too large is not taken in`, async () => {
    const upstream = await connectUpstream(connection('tls', 'require'), WISHES, LIMITS);
    await assert.rejects(
      runQuery(upstream, "SELECT REPEAT('x', 100000)", { maxBytes: 50_000 }),
      /more than 50000 bytes/,
    );
  });

  test(`${flavour}: bytes of another session before the greeting cost one more dial, and no third`, async () => {
    for (const [times, dials] of [
      [1, 2],
      [2, 2],
    ] as const) {
      const between = await strayBefore(server, times);
      const target = { ...connection('nothing', 'disable', { password: '' }), host: '127.0.0.1', port: between.port };
      const dialled = connectUpstream(target, WISHES, LIMITS);
      if (times === 1) hangUp(await dialled);
      else await assert.rejects(dialled, /broke the protocol at login/);
      assert.equal(between.dialled(), dials);
      between.close();
    }
  });
}

async function runQueryOnce(at: Connection): Promise<void> {
  assert.deepEqual(await withUpstream(at, 10_000, (run) => run('SELECT 1')), [['1']]);
}
