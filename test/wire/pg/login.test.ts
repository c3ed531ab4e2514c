// Stock clients log in through both machines over real sockets: psql, pg and postgres, with and without TLS.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { type TLSSocket, connect as tlsConnect } from 'node:tls';
import pg from 'pg';
import postgres from 'postgres';
import type { Connection } from '../../../src/types.ts';
import { type Acceptance, type AcceptStep, createAcceptance } from '../../../src/wire/pg/accept.ts';
import { makeVerifiers } from '../../../src/wire/pg/auth.ts';
import { cancelUpstream, connectUpstream } from '../../../src/wire/pg/connect.ts';
import {
  authenticationOk,
  backendKeyData,
  parameterStatus,
  readyForQuery,
  Status,
  startupMessage,
} from '../../../src/wire/pg/messages.ts';
import { type ServerTls, serverTls, upgradeServer } from '../../../src/wire/tls.ts';
import { type PostgresServer, startPostgres } from '../../servers/postgres.ts';
import { unthrottled } from '../unthrottled.ts';

const LOGIN = 'gr_abcdefghijklmnop';
const SECRET = 'a-secret-that-is-shown-once';
const LIMITS = { timeoutMs: 10_000 };
const dir = mkdtempSync(join(tmpdir(), 'sallyport-login-'));
let database: PostgresServer;
let tls: ServerTls;
let listener: Server;
let port: number;

before(async () => {
  [database, tls] = await Promise.all([startPostgres({ auth: 'scram-sha-256' }), serverTls({ dataDir: dir })]);
  writeFileSync(join(dir, 'ca.crt'), tls.cert);
  const verifier = await makeVerifiers(SECRET);
  const lookup = (login: string) => (login === LOGIN ? verifier : undefined);
  listener = createServer((socket) => {
    socket.on('error', () => {});
    serve(socket, lookup).catch((error: unknown) => {
      // A client that breaks off a handshake is part of these tests.
      if (!String(error).includes('TLS')) console.error(error);
      socket.destroy();
    });
  });
  await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve));
  port = (listener.address() as { port: number }).port;
});
after(async () => {
  listener?.close();
  await database?.stop();
  rmSync(dir, { recursive: true, force: true });
});

/** The smallest owner of the machines: logs a client in, dials, and lets the bytes through. */
async function serve(accepted: Socket, lookup: Parameters<typeof createAcceptance>[0]['lookup']): Promise<void> {
  const connection: Connection = {
    name: 'test',
    protocol: 'postgres',
    host: database.host,
    port: database.port,
    database: database.database,
    user: database.user,
    password: () => database.password,
    tls: { mode: 'disable' },
  };
  const machine = unthrottled<AcceptStep, Acceptance>(createAcceptance({ tls: 'offered', lookup, tokens: false }));
  let client = accepted;
  const next = () =>
    new Promise<Buffer | null>((resolve) => {
      client.once('close', () => resolve(null));
      client.once('data', (chunk: Buffer) => {
        client.pause();
        resolve(chunk);
      });
      client.resume();
    });
  for (;;) {
    const chunk = await next();
    if (chunk === null) return;
    const steps = machine.push(chunk);
    for (const step of steps) {
      switch (step.do) {
        case 'send':
          client.write(step.bytes);
          break;
        case 'start-tls': {
          const secure: TLSSocket = await upgradeServer(accepted, tls.context, 'postgresql', step.head);
          client = secure;
          steps.push(...machine.tlsEstablished(secure.alpnProtocol || null, tls.endPoint));
          break;
        }
        case 'cancel':
          await cancelUpstream(connection, step.pid, step.secret);
          client.end();
          return;
        case 'close':
          client.end(step.bytes);
          return;
        case 'authenticated': {
          const { socket, parameters, backendPid, backendSecret, rest } = await connectUpstream(
            connection,
            step.settings,
            LIMITS,
          );
          client.write(authenticationOk());
          for (const [name, value] of parameters) client.write(parameterStatus(name, value));
          client.write(backendKeyData(backendPid, backendSecret));
          client.write(Buffer.concat([readyForQuery(Status.idle), rest]));
          socket.write(step.rest);
          client.pipe(socket).pipe(client);
          client.on('close', () => socket.destroy());
          return;
        }
      }
    }
  }
}

interface Run {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** `interrupt` is Ctrl-C. */
function psql(conninfo: string, sql: string, env: Record<string, string> = {}, interrupt?: AbortSignal): Promise<Run> {
  const args = ['-X', '-At', '-c', sql, `host=127.0.0.1 port=${port} user=${LOGIN} connect_timeout=10 ${conninfo}`];
  return new Promise((resolve) => {
    const child = execFile(
      'psql',
      args,
      { env: { PATH: process.env.PATH, PGPASSWORD: SECRET, ...env } },
      (error, out, err) => {
        resolve({ code: error === null ? 0 : Number(error.code), out: out.trim(), err: err.trim() });
      },
    );
    interrupt?.addEventListener('abort', () => child.kill('SIGINT'));
  });
}

const has = await new Promise<boolean>((resolve) =>
  execFile('psql', ['--version'], (error) => resolve(error === null)),
);
const skip = has ? false : 'psql is not installed';

test('psql, in every TLS mode and with channel binding', { skip }, async () => {
  const ca = join(dir, 'ca.crt');
  for (const conninfo of [
    'sslmode=disable',
    'sslmode=prefer',
    'sslmode=require',
    'sslmode=require channel_binding=require',
    `sslmode=verify-full sslrootcert=${ca}`,
    `sslmode=verify-full sslrootcert=${ca} host=localhost channel_binding=require`,
    'dbname=analytics sslmode=require',
    "options='-c statement_timeout=7s' sslmode=disable",
  ]) {
    const { code, out, err } = await psql(conninfo, "select 1, current_setting('client_encoding')");
    assert.deepEqual([code, out, err], [0, '1|UTF8', ''], conninfo);
  }
  const { out } = await psql("options='-c statement_timeout=7s'", 'show statement_timeout', { PGTZ: 'Asia/Tokyo' });
  assert.equal(out, '7s');
  assert.equal((await psql('', 'show timezone', { PGTZ: 'Asia/Tokyo' })).out, 'Asia/Tokyo');
});

test('psql is told why it is refused', { skip }, async () => {
  const refused = async (conninfo: string, env: Record<string, string> = {}) => {
    const { code, err } = await psql(conninfo, 'select 1', env);
    assert.equal(code, 2);
    return err;
  };
  assert.match(
    await refused('', { PGPASSWORD: 'wrong' }),
    /FATAL: {2}password authentication failed for user "gr_a.*HINT/s,
  );
  assert.match(await refused('user=nobody'), /FATAL: {2}password authentication failed for user "nobody"/);
  assert.match(await refused('replication=database'), /FATAL: .*replication/);
  assert.match(await refused('', { PGCLIENTENCODING: 'SJIS' }), /FATAL: .*SJIS/);
  assert.match(await refused("options='-c row_security=off'"), /FATAL: .*row_security/);
  assert.match(await refused('user=oidc'), /FATAL: .*issuer/);
});

test('Ctrl-C in psql cancels in the database, through a second connection', { skip }, async () => {
  const watcher = new pg.Client({ connectionString: database.connectionString });
  await watcher.connect();
  for (const conninfo of ['sslmode=disable', 'sslmode=require']) {
    const stop = new AbortController();
    const running = psql(conninfo, 'select pg_sleep(60)', {}, stop.signal);
    const asleep = "select pid from pg_stat_activity where wait_event = 'PgSleep'";
    while ((await watcher.query(asleep)).rowCount === 0);
    stop.abort();
    assert.match((await running).err, /canceling statement/);
  }
  await watcher.end();
});

test('pg, with and without TLS and channel binding', async () => {
  for (const options of [
    { ssl: false },
    { ssl: { rejectUnauthorized: false } },
    { ssl: { ca: tls.cert }, enableChannelBinding: true },
    { ssl: { ca: tls.cert }, sslnegotiation: 'direct' as const, enableChannelBinding: true },
  ]) {
    const client = new pg.Client({ host: 'localhost', port, user: LOGIN, password: SECRET, database: 'x', ...options });
    await client.connect();
    assert.deepEqual((await client.query('select $1::int as n', [7])).rows, [{ n: 7 }]);
    await client.end();
  }
  const wrong = new pg.Client({ host: '127.0.0.1', port, user: LOGIN, password: 'wrong', database: 'x' });
  await assert.rejects(wrong.connect(), { code: '28P01' });
});

test('postgres.js, with and without TLS', async () => {
  for (const ssl of [false, 'require'] as const) {
    const sql = postgres({ host: '127.0.0.1', port, user: LOGIN, password: SECRET, database: 'x', ssl, max: 1 });
    assert.deepEqual([...(await sql`select ${7}::int as n`)], [{ n: 7 }]);
    await sql.end();
  }
});

test('direct TLS is taken with ALPN, refused without (B2)', async () => {
  const first = (options: { ALPNProtocols?: string[] }) =>
    new Promise<string>((resolve) => {
      const socket = tlsConnect({ host: '127.0.0.1', port, ca: tls.cert, ...options });
      socket.on('error', () => {}).once('close', () => resolve('closed'));
      socket.write(startupMessage(0x30000, [['user', LOGIN]]));
      socket.once('data', (data: Buffer) => {
        resolve(data.toString('latin1', 0, 1));
        socket.destroy();
      });
    });
  assert.equal(await first({ ALPNProtocols: ['postgresql'] }), 'R');
  assert.equal(await first({}), 'closed');
  assert.equal(await first({ ALPNProtocols: ['http/1.1'] }), 'closed');
});
