// postgres.js through the gateway: it pipelines everything, prepares by itself, and reads types at its first connection.
import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { test } from 'node:test';
import postgres from 'postgres';
import { ALL, type MaskingName, READ, READ_WRITE, stand } from './stand.ts';

const bench = stand(['nothing', 'another table', 'the table read']);

async function connected(
  masking: MaskingName,
  scopes: readonly string[],
  use: (sql: postgres.Sql) => Promise<void>,
  more: postgres.Options<Record<string, never>> = {},
): Promise<void> {
  const { user, ...login } = await bench.gateway(masking).login({ scopes });
  const sql = postgres({ ...login, username: user, max: 1, onnotice: () => {}, ...more });
  try {
    await use(sql);
  } finally {
    await sql.end({ timeout: 1 });
  }
}

const refused = { code: '42501', severity: 'ERROR' };

for (const masking of ['nothing', 'another table'] as const) {
  for (const prepare of [true, false]) {
    const how = `${prepare ? 'prepared' : 'not prepared'}, ${masking} masked`;

    test(`tagged queries, ${how}`, () =>
      connected(
        masking,
        READ_WRITE,
        async (sql) => {
          assert.deepEqual(
            [...(await sql`SELECT id, name FROM users WHERE id IN ${sql([1, 2])} ORDER BY id`)],
            [
              { id: 1, name: 'name 1' },
              { id: 2, name: 'name 2' },
            ],
          );
          for (const id of [3, 4, 3]) {
            const [row] = await sql`SELECT name, born, age FROM users WHERE id = ${id}`;
            assert.deepEqual(row, { name: `name ${id}`, born: new Date(Date.UTC(2000, 0, 1 + id)), age: 20 + id });
          }
          const [types] =
            await sql`SELECT ${sql.json({ a: [1] })}::jsonb AS j, ${[1, 2]}::int[] AS a, ${true}::bool AS b`;
          assert.deepEqual(types, { j: { a: [1] }, a: [1, 2], b: true });
          await sql`DELETE FROM scratch`;
          const rows = [
            { id: 1, word: 'one' },
            { id: 2, word: 'two' },
          ];
          assert.deepEqual([...(await sql`INSERT INTO scratch ${sql(rows)} RETURNING *`)], rows);
          assert.deepEqual([...(await sql.unsafe('SELECT 1 AS a; SELECT 2 AS b'))].flat(), [{ a: 1 }, { b: 2 }]);
          assert.equal((await sql`SELECT * FROM users`.describe()).columns.length, 6);
        },
        { prepare },
      ));

    test(`many queries at once, some of them refused, ${how}`, () =>
      connected(
        masking,
        READ,
        async (sql) => {
          const answers = await Promise.allSettled(
            Array.from({ length: 300 }, (_, i) =>
              i % 30 === 7
                ? sql`UPDATE users SET name = ${`name ${i}`}`
                : i % 30 === 11
                  ? sql`SELECT 1 / ${0}::int`
                  : sql`SELECT ${i}::int AS i`,
            ),
          );
          for (const [i, answer] of answers.entries()) {
            const code = { 7: '42501', 11: '22012' }[i % 30];
            if (answer.status === 'fulfilled') assert.deepEqual([code, answer.value[0]], [undefined, { i }]);
            else assert.equal((answer.reason as { code: string }).code, code);
          }
        },
        { prepare, max: 3 },
      ));

    test(`transactions and savepoints, ${how}`, () =>
      connected(
        masking,
        ['db:db.public.scratch:read+write'],
        async (sql) => {
          await sql`DELETE FROM scratch`;
          await sql.begin(async (tx) => {
            await tx`INSERT INTO scratch VALUES (1, 'kept')`;
            await tx.savepoint((inner) => inner`INSERT INTO scratch VALUES (2, 'kept too')`);
            await tx
              .savepoint(async (inner) => {
                await inner`INSERT INTO scratch VALUES (3, 'undone')`;
                throw new Error('undo');
              })
              .catch(() => {});
          });
          await assert.rejects(
            sql.begin(async (tx) => {
              await tx`INSERT INTO scratch VALUES (4, 'undone')`;
              await tx`SELECT * FROM users`;
            }),
            refused,
          );
          await sql.begin((tx) => [tx`INSERT INTO scratch VALUES (5, 'a')`, tx`INSERT INTO scratch VALUES (6, 'b')`]);
          assert.deepEqual([...(await sql`SELECT id FROM scratch ORDER BY id`.values())].flat(), [1, 2, 5, 6]);
        },
        { prepare },
      ));

    test(`cursors and forEach, ${how}`, () =>
      connected(
        masking,
        READ,
        async (sql) => {
          const sizes = [];
          for await (const rows of sql`SELECT id FROM orders ORDER BY id`.cursor(30)) sizes.push(rows.length);
          assert.deepEqual(sizes, [30, 30, 30, 10]);
          for await (const rows of sql`SELECT id FROM orders`.cursor(10)) {
            assert.equal(rows.length, 10);
            break;
          }
          let count = 0;
          await sql`SELECT id FROM users`.forEach(() => void count++);
          assert.equal(count, 20);
        },
        { prepare },
      ));
  }

  test(`COPY both ways, ${masking} masked`, () =>
    connected(masking, READ_WRITE, async (sql) => {
      await sql`DELETE FROM scratch`;
      const lines = Array.from({ length: 5_000 }, (_, i) => `${i}\tword ${i}\n`);
      await pipeline(Readable.from(lines), await sql`COPY scratch FROM STDIN`.writable());
      let text = '';
      for await (const chunk of await sql`COPY (SELECT * FROM scratch ORDER BY id) TO STDOUT`.readable()) text += chunk;
      assert.equal(text, lines.join(''));
      assert.deepEqual([...(await sql`SELECT count(*)::int AS n FROM scratch`)], [{ n: 5_000 }]);
    }));

  test(`listen and notify, ${masking} masked`, () =>
    connected(masking, READ_WRITE, async (sql) => {
      const heard = new Promise<string>((resolve) => {
        sql.listen('news', resolve).then(() => sql.notify('news', 'payload'));
      });
      assert.equal(await heard, masking === 'nothing' ? 'payload' : '[redacted]');
    }));

  test(`cancelling a query, ${masking} masked`, () =>
    connected(masking, ALL, async (sql) => {
      const slow = sql`SELECT pg_sleep(60)`;
      const over = assert.rejects(slow.execute(), { code: '57014' });
      await bench.sleeping();
      slow.cancel();
      await over;
      assert.equal((await sql`SELECT 1`).length, 1);
    }));

  test(`refusals, ${masking} masked`, () =>
    connected(masking, READ, async (sql) => {
      await assert.rejects(sql`DROP TABLE users`, (error: postgres.PostgresError) => {
        assert.deepEqual({ code: error.code, severity: error.severity }, refused);
        assert.equal((JSON.parse(error.detail ?? '') as { decision: string }).decision, 'deny');
        assert.match(error.hint ?? '', /sallyport grants request/);
        return true;
      });
      await assert.rejects(sql.unsafe('SELECT 1; DELETE FROM users'), refused);
      assert.equal((await sql`SELECT * FROM users`).length, 20);
    }));
}

test('over TLS', () =>
  connected(
    'nothing',
    READ,
    async (sql) => {
      const answers = await Promise.all(Array.from({ length: 50 }, (_, i) => sql`SELECT ${i}::int AS i`));
      assert.deepEqual(
        answers.map(([row]) => row?.i as number),
        Array.from({ length: 50 }, (_, i) => i),
      );
    },
    { ssl: 'require' },
  ));

test('masked cells decode', async () => {
  for (const prepare of [true, false]) {
    await connected(
      'the table read',
      READ,
      async (sql) => {
        for (const rows of [
          await sql`SELECT * FROM users WHERE id = ${3}`,
          await sql`SELECT * FROM users WHERE id = 3`.simple(),
          await sql.unsafe('SELECT * FROM users WHERE id = 3'),
        ]) {
          const [row] = rows as unknown as Record<string, unknown>[];
          assert.equal(row?.id, 3);
          assert.match(String(row?.email), /\.com$/);
          assert.doesNotMatch(String(row?.email), /user3/);
          assert.ok(Number.isInteger(row?.age) && row?.age !== 23);
          assert.ok(row?.born instanceof Date && row.born.getUTCFullYear() !== 2000);
          assert.equal(row.note, null);
        }
        for await (const rows of sql`SELECT email FROM users`.cursor(7)) {
          for (const { email } of rows) assert.doesNotMatch(email as string, /user/);
        }
      },
      { prepare },
    );
  }
});
