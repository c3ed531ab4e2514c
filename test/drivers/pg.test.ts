// node-postgres through the gateway: simple and extended queries, cursors, COPY, pools, notifications, cancelling, types.
import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import { finished } from 'node:stream/promises';
import { test } from 'node:test';
import pg from 'pg';
import { from as copyFrom, to as copyTo } from 'pg-copy-streams';
import Cursor from 'pg-cursor';
import { ALL, type MaskingName, READ, READ_WRITE, stand } from './stand.ts';

const bench = stand(['nothing', 'another table', 'the table read']);

async function connected(
  masking: MaskingName,
  scopes: readonly string[],
  use: (client: pg.Client) => Promise<void>,
  more: pg.ClientConfig = {},
): Promise<void> {
  const client = new pg.Client({ ...(await bench.gateway(masking).login({ scopes })), ...more });
  await client.connect();
  try {
    await use(client);
  } finally {
    await client.end();
  }
}

for (const masking of ['nothing', 'another table'] as const) {
  test(`queries without, with and with named parameters, ${masking} masked`, () =>
    connected(masking, READ, async (client) => {
      assert.deepEqual((await client.query('SELECT 1 AS a, NULL AS b')).rows, [{ a: 1, b: null }]);
      const several = (await client.query('SELECT 1 AS a; SELECT 2 AS b')) as unknown as pg.QueryResult[];
      assert.deepEqual(
        several.map(({ rows }) => rows),
        [[{ a: 1 }], [{ b: 2 }]],
      );
      for (const id of [3, 4, 3]) {
        const { rows } = await client.query('SELECT name FROM users WHERE id = $1', [id]);
        assert.deepEqual(rows, [{ name: `name ${id}` }]);
      }
      for (const id of [5, 6, 5]) {
        const named = { name: 'by id', text: 'SELECT name, email FROM users WHERE id = $1', values: [id] };
        assert.deepEqual((await client.query(named)).rows, [{ name: `name ${id}`, email: `user${id}@example.com` }]);
      }
      assert.deepEqual((await client.query('SELECT id FROM users WHERE id = ANY($1)', [[1, 2]])).rowCount, 2);
      assert.equal((await client.query('')).rows.length, 0);
    }));

  test(`queries that are not waited for, ${masking} masked`, () =>
    connected(
      masking,
      READ,
      async (client) => {
        const answers = await Promise.allSettled(
          Array.from({ length: 200 }, (_, i) => {
            if (i % 50 === 10) return client.query('DELETE FROM users');
            if (i % 50 === 20) return client.query('SELECT 1 / $1::int', [0]);
            if (i % 50 === 30) return client.query('SELECT no_such_column FROM users');
            return client.query(`SELECT ${i}::int AS simple, $1::int AS bound`, [i]);
          }),
        );
        for (const [i, answer] of answers.entries()) {
          const code = { 10: '42501', 20: '22012', 30: '42703' }[i % 50];
          if (code === undefined) {
            assert.ok(answer.status === 'fulfilled');
            assert.deepEqual(answer.value.rows, [{ simple: i, bound: i }]);
          } else {
            assert.ok(answer.status === 'rejected');
            assert.equal((answer.reason as pg.DatabaseError).code, code);
          }
        }
      },
      { pipeline: true } as pg.ClientConfig,
    ));

  test(`a cursor reads a portal in parts, ${masking} masked`, () =>
    connected(masking, READ, async (client) => {
      const cursor = client.query(new Cursor<{ id: string }>('SELECT id FROM orders WHERE id > $1 ORDER BY id', [10]));
      const sizes = [];
      for (;;) {
        const rows = await cursor.read(25);
        if (rows.length === 0) break;
        assert.equal(rows[0]?.id, String(11 + sizes.length * 25));
        sizes.push(rows.length);
      }
      assert.deepEqual(sizes, [25, 25, 25, 15]);
      const early = client.query(new Cursor('SELECT id FROM orders'));
      assert.equal((await early.read(1)).length, 1);
      await early.close();
      assert.equal((await client.query('SELECT 1')).rowCount, 1);
    }));

  test(`COPY in and out by pg-copy-streams, ${masking} masked`, () =>
    connected(masking, READ_WRITE, async (client) => {
      await client.query('DELETE FROM scratch');
      const lines = Array.from({ length: 20_000 }, (_, i) => `${i}\tword ${i}\n`);
      const into = client.query(copyFrom('COPY scratch FROM STDIN'));
      Readable.from(lines).pipe(into);
      await finished(into);
      assert.equal(into.rowCount, 20_000);
      let text = '';
      for await (const chunk of client.query(copyTo('COPY (SELECT * FROM scratch ORDER BY id) TO STDOUT')))
        text += chunk;
      assert.equal(text, lines.join(''));
      let bytes = 0;
      const binary = client.query(copyTo('COPY scratch TO STDOUT (FORMAT binary)'));
      for await (const chunk of binary) bytes += (chunk as Buffer).length;
      assert.ok(bytes > 400_000);
      const wrong = client.query(copyFrom('COPY scratch FROM STDIN'));
      wrong.end('not a number\tword\n');
      await assert.rejects(finished(wrong), { code: '22P02' });
      assert.equal((await client.query('SELECT 1')).rowCount, 1);
    }));

  test(`COPY into what the grant does not reach is refused, and nothing of its data gets through, ${masking} masked`, () =>
    connected(masking, READ, async (client) => {
      const into = client.query(copyFrom('COPY scratch FROM STDIN'));
      into.on('error', () => {});
      Readable.from(Array.from({ length: 10_000 }, (_, i) => `${i}\tword\n`)).pipe(into);
      await assert.rejects(finished(into), { code: '42501' });
      assert.equal((await client.query('SELECT 1 AS on')).rowCount, 1);
    }));

  test(`LISTEN and NOTIFY between sessions, ${masking} masked`, () =>
    connected(masking, READ, (listener) =>
      connected(masking, READ_WRITE, async (speaker) => {
        await listener.query('LISTEN news');
        const heard = new Promise<pg.Notification>((resolve) => listener.once('notification', resolve));
        await speaker.query("NOTIFY news, 'payload'");
        const { channel, payload } = await heard;
        assert.equal(channel, 'news');
        // Where columns are protected, a payload may hold their values.
        assert.equal(payload, masking === 'nothing' ? 'payload' : '[redacted]');
        await listener.query('UNLISTEN *');
      }),
    ));

  test(`a pool with transactions, ${masking} masked`, async () => {
    const pool = new pg.Pool({ ...(await bench.gateway(masking).login({ scopes: READ_WRITE })), max: 8 });
    try {
      await pool.query('DELETE FROM scratch');
      await Promise.all(
        Array.from({ length: 40 }, async (_, i) => {
          const client = await pool.connect();
          try {
            await client.query('BEGIN');
            await client.query('INSERT INTO scratch VALUES ($1, $2)', [i, 'pooled']);
            await client.query(i % 2 === 0 ? 'COMMIT' : 'ROLLBACK');
          } finally {
            client.release();
          }
        }),
      );
      assert.deepEqual((await pool.query('SELECT count(*) FROM scratch')).rows, [{ count: '20' }]);
    } finally {
      await pool.end();
    }
  });

  test(`a refusal carries its fields, and leaves transactions and prepared statements alone, ${masking} masked`, () =>
    connected(masking, ['db:db.public.scratch:read+write'], async (client) => {
      await client.query('BEGIN');
      const named = { name: 'mine', text: 'SELECT count(*)::int AS n FROM scratch WHERE id > $1', values: [-1] };
      await client.query('DELETE FROM scratch WHERE true');
      await client.query(named);
      await client.query('INSERT INTO scratch VALUES ($1, $2)', [1, 'kept']);
      for (const [text, values] of [
        ['SELECT * FROM users', undefined],
        ['SELECT * FROM users WHERE id = $1', [1]],
        ['DROP TABLE scratch', undefined],
        ['SELECT pg_read_file($1)', ['/etc/passwd']],
      ] as const) {
        await assert.rejects(client.query(text, values && [...values]), (error: pg.DatabaseError) => {
          assert.equal(error.severity, 'ERROR');
          assert.equal(error.code, '42501');
          assert.match(error.message, / refused: /);
          assert.match(error.hint ?? '', /sallyport grants request/);
          const detail = JSON.parse(error.detail ?? '') as { decision: string; rule: string; grant: string };
          assert.deepEqual([detail.decision, detail.rule, detail.grant], ['deny', 'scope', client.user]);
          return true;
        });
      }
      assert.deepEqual((await client.query(named)).rows, [{ n: 1 }]);
      await client.query('COMMIT');
      assert.deepEqual((await client.query(named)).rows, [{ n: 1 }]);
    }));

  test(`a query is cancelled by the process id and key that the gateway gave, ${masking} masked`, () =>
    connected(masking, ALL, async (client) => {
      const slow = client.query('SELECT pg_sleep(60)');
      slow.catch(() => {});
      await bench.sleeping();
      const { processID, secretKey } = client as unknown as { processID: number; secretKey: number };
      const other = new pg.Client({ host: bench.gateway(masking).host, port: bench.gateway(masking).port });
      const { connection } = other as unknown as {
        connection: {
          connect(port: number, host: string): void;
          once: NodeJS.EventEmitter['once'];
          cancel(p: number, k: number): void;
        };
      };
      connection.once('connect', () => connection.cancel(processID, secretKey));
      connection.connect(bench.gateway(masking).port, bench.gateway(masking).host);
      await assert.rejects(slow, { code: '57014' });
      assert.equal((await client.query('SELECT 1')).rowCount, 1);
    }));

  test(`values of many types, in text and in binary, ${masking} masked`, () =>
    connected(masking, READ, (client) =>
      direct(async (reference) => {
        const decoded = { text: TYPES, values: [42], rowMode: 'array' as const };
        assert.deepEqual((await client.query(decoded)).rows, (await reference.query(decoded)).rows);
        // It asks for binary results, but cannot decode all of them: they are compared as it reads them.
        const raw = { ...decoded, binary: true, types: { getTypeParser: () => (value: unknown) => value } };
        assert.deepEqual((await client.query(raw)).rows, (await reference.query(raw)).rows);
      }),
    ));

  test(`a large result, read by a slow reader too, ${masking} masked`, () =>
    connected(masking, READ, async (client) => {
      const { rows } = await client.query("SELECT i, repeat('x', 100) AS t FROM generate_series(1, 50000) i");
      assert.equal(rows.length, 50_000);
      assert.deepEqual(rows.at(-1), { i: 50_000, t: 'x'.repeat(100) });
      const cell = (await client.query("SELECT repeat('y', 5000000) AS t")).rows[0] as { t: string };
      assert.equal(cell.t.length, 5_000_000);
    }));
}

const TYPES = `SELECT $1::int AS i, 1.5::float8 AS f, 2::int2, 3::int8, 12.345::numeric, true AS yes, 'text'::text, 'v'::varchar(3),
  'c'::char(4), '\\xdeadbeef'::bytea, date '2020-02-29', timestamp '2020-02-29 12:00:01.5', timestamptz '2020-02-29 12:00+02',
  interval '1 day 2 hours', '{"a": [1, null]}'::json, '{"b": 1}'::jsonb, 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'::uuid,
  ARRAY[1, 2, NULL], ARRAY['a', 'b,c', '"'], int4range(1, 5), inet '10.0.0.1/8', 'happy'::mood, row(1, 'x'), NULL::int`;

async function direct(use: (client: pg.Client) => Promise<void>): Promise<void> {
  const client = new pg.Client({ connectionString: bench.database.connectionString });
  await client.connect();
  try {
    await use(client);
  } finally {
    await client.end();
  }
}

test('masked cells decode, simple, bound, named, by cursor and by portal', () =>
  connected('the table read', READ, async (client) => {
    const text = 'SELECT id, email, age, born, note FROM users WHERE id = 3';
    const plain = (await client.query(text)).rows[0] as Record<string, unknown>;
    assert.equal(plain.id, 3);
    assert.equal(String(plain.email).slice(-4), '.com');
    assert.doesNotMatch(String(plain.email), /user3/);
    assert.equal(typeof plain.age, 'number');
    assert.notEqual(plain.age, 23);
    assert.ok(plain.born instanceof Date && !Number.isNaN(plain.born.getTime()));
    assert.equal(plain.note, null);
    const bound = { text: text.replace('3', '$1'), values: [3] };
    assert.deepEqual((await client.query(bound)).rows[0], plain);
    assert.deepEqual((await client.query({ ...bound, name: 'one' })).rows[0], plain);
    assert.deepEqual((await client.query({ ...bound, name: 'one' })).rows[0], plain);
    const cursor = client.query(new Cursor(bound.text, bound.values));
    assert.deepEqual((await cursor.read(5))[0], plain);
    await cursor.close();
  }));
