// One table of scenarios over PostgreSQL, MariaDB and MySQL, by their drivers: what a session lives through looks the same on each.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { after, test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import mysql from 'mysql2/promise';
import pg from 'pg';
import { type GrantOptions, startGateway, type TestGateway, type Upstream } from '../servers/gateway.ts';
import { type MysqlFlavour, startMysql } from '../servers/mysql.ts';
import { startPostgres } from '../servers/postgres.ts';

const MIB = 1 << 20;
/** Rows of a result that no buffer on the way holds: 250,000 of 200 bytes. */
const NUMBERS = 500;
const MANY = "SELECT REPEAT('x', 200) FROM numbers a CROSS JOIN numbers b";

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;
/** What this process, in which the gateways run, holds: heap and buffers that are alive, bytes. */
const held = () => {
  collect();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
};

/** Rows as text, or how it failed: by the gateway's refusal, at the grant's end, with the connection, or by the database. */
type Answer = string[][] | 'refused' | 'over' | 'lost' | 'failed';

interface Client {
  ask(sql: string): Promise<Answer>;
  readonly stream: Socket;
  close(): void;
}

interface Setup {
  readonly name: string;
  /** A statement that runs until it is ended, and how many of its kind the database runs. */
  readonly sleep: string;
  readonly sleeping: string;
  start(sql: readonly string[]): Promise<{
    readonly upstream: Upstream & { stop(): Promise<void> };
    /** Asks the database itself. */
    direct(sql: string): Promise<string[][]>;
  }>;
  open(login: { host: string; port: number; user: string; password: string; database: string }): Promise<Client>;
}

const text = (rows: readonly unknown[][]) => rows.map((row) => row.map(String));

const POSTGRES: Setup = {
  name: 'postgres',
  sleep: 'SELECT pg_sleep(1000)',
  sleeping: "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep'",
  async start(sql) {
    const server = await startPostgres({ sql: [...sql] });
    return {
      upstream: server,
      async direct(statement) {
        const client = new pg.Client({ connectionString: server.connectionString });
        await client.connect();
        const { rows } = await client.query<unknown[]>({ text: statement, rowMode: 'array' });
        await client.end();
        return text(rows);
      },
    };
  },
  async open(login) {
    const client = new pg.Client(login);
    client.on('error', () => {});
    await client.connect();
    const { stream } = (client as unknown as { connection: { stream: Socket } }).connection;
    const failed = ({ code }: { code?: string }): Answer => {
      if (code === '42501') return 'refused';
      if (code === '57P01') return 'over';
      return code === undefined || /^E|^08/.test(code) ? 'lost' : 'failed';
    };
    return {
      ask: (sql) => client.query<unknown[]>({ text: sql, rowMode: 'array' }).then(({ rows }) => text(rows), failed),
      stream,
      close: () => stream.destroy(),
    };
  },
};

function ofMysql(flavour: MysqlFlavour): Setup {
  return {
    name: flavour,
    sleep: 'SELECT SLEEP(1000)',
    sleeping: "SELECT COUNT(*) FROM information_schema.processlist WHERE state = 'User sleep'",
    async start(sql) {
      const server = await startMysql(flavour, { sql });
      return {
        upstream: server,
        async direct(statement) {
          // What has no rows answers no list.
          const rows: unknown = await server.query(statement);
          return Array.isArray(rows) ? text(rows.map((row: object) => Object.values(row))) : [];
        },
      };
    },
    async open({ host, port, user, password }) {
      const client = await mysql.createConnection({ host, port, user, password, rowsAsArray: true });
      const { stream } = (client as unknown as { connection: { stream: Socket } }).connection;
      const failed = ({ errno }: { errno?: number }): Answer => {
        if (errno === 1142) return 'refused';
        if (errno === 3169) return 'over';
        return errno === undefined || errno < 1000 || errno === 1105 ? 'lost' : 'failed';
      };
      (client as unknown as NodeJS.EventEmitter).on('error', () => {});
      return {
        ask: (sql) =>
          client.query(sql).then(([rows]) => (Array.isArray(rows) ? text(rows as unknown[][]) : []), failed),
        stream,
        close: () => stream.destroy(),
      };
    },
  };
}

const SQL = [
  'CREATE TABLE people (id INT PRIMARY KEY, name VARCHAR(40), email VARCHAR(60))',
  "INSERT INTO people VALUES (1, 'Ada', 'ada@example.com'), (2, 'Grace', 'grace@example.com')",
  'CREATE TABLE log (line VARCHAR(40))',
  'CREATE TABLE numbers (n INT)',
  `INSERT INTO numbers VALUES ${Array.from({ length: NUMBERS }, (_, n) => `(${n})`).join(', ')}`,
];
const READ: GrantOptions = { scopes: ['db:db:read'] };
const WRITE: GrantOptions = { scopes: ['db:db:read+write'] };

/** Between the gateway and its database. */
interface Between {
  readonly port: number;
  /** Bytes that the database has sent. */
  read: number;
  /** Where each chunk from the database is cut in two; null nowhere. */
  cut: number | null;
  /** Takes no more connections: those that are there go on. */
  full: boolean;
  close(): void;
}

async function between({ host, port }: Upstream): Promise<Between> {
  const sockets = new Set<Socket>();
  const server = createServer({ noDelay: true }, (near) => {
    if (self.full) return near.destroy();
    const far = connect({ host, port, noDelay: true });
    for (const socket of [near, far]) {
      sockets.add(socket.on('error', () => {}));
      socket.on('close', () => {
        near.destroy();
        far.destroy();
      });
    }
    near.on('data', (chunk: Buffer) => far.write(chunk));
    let order = Promise.resolve();
    far.on('data', (chunk: Buffer) => {
      self.read += chunk.length;
      const { cut } = self;
      far.pause();
      order = order.then(
        async () => {
          const first = cut === null ? chunk : chunk.subarray(0, cut);
          if (!near.write(first)) await Promise.race([once(near, 'drain'), once(near, 'close')]);
          if (cut !== null && cut < chunk.length) {
            // The gateway, in this process too, has read the first part when the loop has gone round.
            for (let i = 0; i < 3; i++) await turn();
            near.write(chunk.subarray(cut));
          }
          far.resume();
        },
        () => {},
      );
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const self: Between = {
    port: (server.address() as AddressInfo).port,
    read: 0,
    cut: null,
    full: false,
    close() {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
  return self;
}

async function stand(setup: Setup) {
  const { upstream, direct } = await setup.start(SQL);
  const wire = await between(upstream);
  const schema = setup.name === 'postgres' ? 'public' : 'shop';
  const gateway: TestGateway = await startGateway({
    upstream: { ...upstream, port: wire.port },
    connection: { masking: 'pii', tls: { mode: 'disable' } },
    masking: { pii: { columns: [{ column: `${schema}.people.email`, with: 'redact' }] } },
  });
  const clients: Client[] = [];
  after(async () => {
    for (const client of clients) client.close();
    await gateway.stop();
    wire.close();
    await upstream.stop();
  });
  const open = async (grant: GrantOptions): Promise<Client> => {
    const client = await setup.open(await gateway.login(grant));
    clients.push(client);
    return client;
  };
  return { setup, upstream, direct, wire, gateway, open };
}

const STANDS = await Promise.all([POSTGRES, ofMysql('mariadb'), ofMysql('mysql')].map(stand));

for (const { setup, upstream, direct, wire, gateway, open } of STANDS) {
  const { name } = setup;

  test(`${name}: what is out of scope is refused, and the next statement works`, async () => {
    const client = await open(READ);
    for (const sql of [
      'DELETE FROM people',
      'DROP TABLE people',
      'INSERT INTO log VALUES (1)',
      'SELECT nothing_like_it(1)',
    ]) {
      assert.equal(await client.ask(sql), 'refused', sql);
      assert.deepEqual(await client.ask('SELECT COUNT(*) FROM people'), [['2']]);
    }
    assert.equal(await client.ask('SELECT nothing FROM numbers'), 'failed', 'that is the database’s own to say');
    assert.deepEqual(await client.ask('SELECT 1'), [['1']]);
  });

  test(`${name}: masked columns are masked by whatever way they come`, async () => {
    const client = await open(READ);
    for (const sql of [
      'SELECT email FROM people',
      'SELECT p.email AS name FROM people p',
      'SELECT UPPER(email) FROM people',
      'SELECT e FROM (SELECT email AS e FROM people) x',
      'WITH x AS (SELECT email FROM people) SELECT * FROM x',
      'SELECT email FROM people UNION ALL SELECT email FROM people WHERE 1 = 0',
    ]) {
      assert.deepEqual(await client.ask(sql), [['[redacted]'], ['[redacted]']], sql);
    }
    assert.deepEqual(await client.ask('SELECT * FROM people WHERE id = 1'), [['1', 'Ada', '[redacted]']]);
  });

  test(`${name}: a refusal inside a transaction leaves it open, and what was done before and after is committed`, async () => {
    const client = await open(WRITE);
    for (const [sql, answer] of [
      ['BEGIN', []],
      ["INSERT INTO log VALUES ('before')", []],
      ['DROP TABLE log', 'refused'],
      ['INSERT INTO log SELECT email FROM people', 'refused'],
      ["INSERT INTO log VALUES ('after')", []],
      ['COMMIT', []],
    ] as const) {
      assert.deepEqual(await client.ask(sql), answer, sql);
    }
    assert.deepEqual(await direct('SELECT line FROM log ORDER BY line DESC'), [['before'], ['after']]);
  });

  test(`${name}: at the end of its grant a statement is ended in the database, and the client is told`, async () => {
    const { id, user, password } = await gateway.grant(READ);
    const { host, port } = gateway;
    const client = await setup.open({ host, port, user, password, database: 'db' });
    const answer = client.ask(setup.sleep);
    while ((await direct(setup.sleeping))[0]?.[0] !== '1');
    await gateway.api('POST', `/v1/grants/${id}/revoke`, { reason: 'a test' });
    assert.equal(await answer, 'over');
    while ((await direct(setup.sleeping))[0]?.[0] !== '0');
    assert.equal(await client.ask('SELECT 1'), 'lost');
    await assert.rejects(setup.open({ host, port, user, password, database: 'db' }));
  });

  test(`${name}: a client that stops reading stops the database, memory stays flat, others are served`, async () => {
    const [client, other] = [await open(READ), await open(READ)];
    const before = held();
    const answer = client.ask(MANY);
    client.stream.pause();
    const size = NUMBERS * NUMBERS * 200;
    // Until nothing comes any more while others are asked, again and again.
    for (let calm = 0, seen = -1; calm < 20; ) {
      assert.deepEqual(await other.ask('SELECT name FROM people WHERE id = 1'), [['Ada']]);
      calm = wire.read - seen < 64 * 1024 ? calm + 1 : 0;
      seen = wire.read;
    }
    const grown = (held() - before) / MIB;
    assert.ok(grown < 24, `grew by ${grown} MiB`);
    assert.ok(wire.read < size, `${wire.read} bytes have come`);
    client.stream.resume();
    assert.equal((await answer).length, NUMBERS * NUMBERS);
  });

  test(`${name}: a reply that is cut in two anywhere is the same reply`, async () => {
    const client = await open(READ);
    const sql = 'SELECT id, name, email FROM people ORDER BY id';
    const whole = [
      ['1', 'Ada', '[redacted]'],
      ['2', 'Grace', '[redacted]'],
    ];
    const start = wire.read;
    assert.deepEqual(await client.ask(sql), whole);
    const length = wire.read - start;
    for (let at = 1; at < length; at++) {
      wire.cut = at;
      assert.deepEqual(await client.ask(sql), whole, `cut at ${at} of ${length}`);
    }
    wire.cut = 3;
    assert.equal(await client.ask('SELECT nothing FROM numbers'), 'failed');
    assert.equal(await client.ask('DELETE FROM people'), 'refused');
    wire.cut = null;
  });

  test(`${name}: where the catalog cannot be read, what needs it is refused, and the session lives on`, async () => {
    const client = await open(READ);
    wire.full = true;
    assert.equal(await client.ask('SELECT word FROM made_later'), 'refused');
    await direct('CREATE TABLE made_later AS SELECT 7 AS word');
    assert.equal(await client.ask('SELECT word FROM made_later'), 'refused');
    wire.full = false;
    assert.deepEqual(await client.ask('SELECT word FROM made_later'), [['7']]);
  });

  test(`${name}: where the database dies its sessions end, new ones are refused, and the gateway stays`, async () => {
    const [idle, busy] = [await open(READ), await open(READ)];
    const answer = busy.ask(setup.sleep);
    while ((await direct(setup.sleeping))[0]?.[0] !== '1');
    await upstream.stop();
    assert.equal(await answer, 'lost');
    assert.equal(await idle.ask('SELECT 1'), 'lost');
    await assert.rejects(open(READ));
    assert.ok(await gateway.api('GET', '/v1/sessions'));
    assert.ok((await gateway.grant(READ)).id);
  });
}
