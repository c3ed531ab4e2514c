// C7 and C9: filters and orderings under `predicates: deny`, and masked values that drivers decode as their type.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Client } from 'pg';
import { startGateway, type TestGateway } from '../servers/gateway.ts';
import { type PostgresServer, startPostgres } from '../servers/postgres.ts';

let database: PostgresServer;
const open: (() => Promise<unknown>)[] = [];

before(async () => {
  database = await startPostgres({
    sql: [
      `CREATE TABLE people (id int, name text, email text, age int, pay numeric, born date, seen timestamptz, token uuid,
         active bool, doc jsonb, tags text[], raw bytea)`,
      `INSERT INTO people VALUES (1, 'Ada', 'ada@example.com', 36, 12.50, '1815-12-10', '2020-05-05 10:00+00',
         '5ef1d8a2-0f6e-4f0e-9a2b-1d2c3b4a5f60', true, '{"k": "v"}', '{a,b}', '\\x0102'),
         (2, 'Bob', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL)`,
    ],
  });
});
after(async () => {
  for (const close of open.reverse()) await close();
  await database.stop();
});

async function client(masking: object): Promise<Client> {
  const gateway: TestGateway = await startGateway({
    upstream: database,
    connection: { masking: 'm' },
    masking: { m: masking },
  });
  const made = new Client(await gateway.login());
  await made.connect();
  open.push(() => gateway.stop());
  open.push(() => made.end());
  return made;
}

const EMAIL = [{ column: 'public.people.email', with: 'redact' }];
const ORACLES = [
  "SELECT id FROM people WHERE email LIKE 'a%'",
  'SELECT p.id FROM people p JOIN people q ON p.email = q.name',
  'SELECT p.id FROM people p JOIN people q USING (email)',
  'SELECT id FROM people ORDER BY email',
  'SELECT count(*) FROM people GROUP BY email',
  'SELECT DISTINCT email FROM people',
  'SELECT DISTINCT ON (email) id FROM people',
  "SELECT name FROM people GROUP BY name HAVING max(email) > 'b'",
  'SELECT id, row_number() OVER (ORDER BY email) FROM people',
  "SELECT EXISTS (SELECT 1 FROM people WHERE email = 'ada@example.com')",
];

test('C7 oracles are refused under predicates: deny, and the session goes on', async () => {
  const denied = await client({ columns: EMAIL, predicates: 'deny' });
  for (const sql of ORACLES) {
    await assert.rejects(denied.query(sql), { code: '42501' }, sql);
    await assert.rejects(denied.query({ text: sql, name: sql.slice(0, 60) }), { code: '42501' }, sql);
  }
  const { rows } = await denied.query('SELECT name, email FROM people WHERE id = 1 ORDER BY name');
  assert.deepEqual(rows, [{ name: 'Ada', email: '[redacted]' }]);
});

test('C7 the same filters and orderings run under predicates: allow', async () => {
  const allowed = await client({ columns: EMAIL, predicates: 'allow' });
  for (const sql of ORACLES) {
    const { rows } = await allowed.query(sql);
    assert.doesNotMatch(JSON.stringify(rows), /ada@|example/, sql);
  }
});

test('C9 every type stays its type: a driver decodes masked cells, NULL stays NULL', async () => {
  const to = await client({ columns: [{ column: 'public.people.*', with: 'redact' }] });
  const text = 'SELECT email, age, pay, born, seen, token, active, doc, tags, raw FROM people ORDER BY id';
  const { rows } = await to.query(text);
  const [ada, bob] = rows;
  assert.deepEqual([ada.email, ada.age, Number(ada.pay), ada.active], ['[redacted]', 0, 0, false]);
  assert.ok(ada.born instanceof Date && ada.seen instanceof Date && !Number.isNaN(ada.seen.getTime()));
  assert.match(ada.token, /^[0-9a-f-]{36}$/);
  assert.deepEqual([ada.doc, ada.tags, Buffer.isBuffer(ada.raw)], ['[redacted]', [], true]);
  assert.ok(Object.values(bob).every((value) => value === null));
  // The database takes each of them back as a value of its type.
  const types = ['text', 'int', 'numeric', 'date', 'timestamptz', 'uuid', 'bool'];
  const values = [ada.email, ada.age, ada.pay, ada.born, ada.seen, ada.token, ada.active];
  await to.query(`SELECT ${types.map((type, i) => `$${i + 1}::${type}`).join(', ')}`, values);
});
