// A11: the gateway and the server look a name up in the same place, whatever has happened to the search path, to the names and
// to what was prepared.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import {
  type Attacker,
  allAllowed,
  allRefused,
  NARROW,
  NARROW_WRITE,
  refused,
  type Stand,
  send,
  startStand,
} from './attacks.ts';

let stand: Stand;

before(async () => {
  stand = await startStand();
});

after(() => stand?.stop());

/** Runs statements one after another; the last one has to be refused, with nothing of it reaching the database. */
async function ends(attacker: Attacker, ...texts: readonly string[]): Promise<void> {
  for (const sql of texts.slice(0, -1)) await send(attacker.client, sql);
  await refused(attacker, texts.at(-1) ?? '');
  await send(attacker.client, 'ROLLBACK');
  await send(attacker.client, 'SET search_path = public');
  await send(attacker.client, 'DEALLOCATE ALL');
}

const LOOK = 'SELECT customer FROM orders';

test('A11 a relation outside the scope is refused, whichever way the path leads there', async () => {
  const narrow = await stand.connect(NARROW);
  await allRefused(stand, narrow, [
    'SELECT * FROM hidden.orders',
    'SELECT * FROM "hidden"."orders"',
    'TABLE hidden.salaries',
    'SELECT * FROM postgres.hidden.orders',
    'SELECT (SELECT amount FROM hidden.salaries)',
    `SELECT * FROM U&"hidd\\0065n".orders`,
    'SELECT * FROM public.notes',
    'SELECT * FROM "public.orders"',
    'SELECT * FROM "orders "',
    'SELECT * FROM "ORDERS"',
    'SELECT * FROM public."public.orders"',
    'SELECT * FROM "pub""lic".orders',
  ]);
  await ends(narrow, 'SET search_path = hidden', LOOK);
  await ends(narrow, 'SET search_path = hidden, public', LOOK);
  await ends(narrow, "SET search_path = 'HIDDEN', hidden", LOOK);
  await ends(narrow, "SELECT set_config('search_path', 'hidden', false)", LOOK);
  await ends(narrow, "SELECT 1 WHERE set_config('search_path', 'hidden', false) <> ''", LOOK);
  await ends(narrow, 'BEGIN', 'SET LOCAL search_path = hidden', LOOK);
  await ends(narrow, "SET SCHEMA 'hidden'", LOOK);
});

test('A11 a path that is moved in the middle of a text is not the one that its rest is judged by', async () => {
  const narrow = await stand.connect(NARROW);
  await allRefused(stand, narrow, [
    `SET search_path = hidden; ${LOOK}`,
    `SELECT set_config('search_path', 'hidden', false); ${LOOK}`,
    `BEGIN; SET LOCAL search_path = hidden; ${LOOK}; COMMIT`,
    `PREPARE p AS ${LOOK}; SET search_path = hidden; EXECUTE p`,
    `PREPARE p AS SELECT set_config('search_path', 'hidden', false); EXECUTE p; ${LOOK}`,
    `BEGIN; DECLARE c CURSOR FOR SELECT set_config('search_path', 'hidden', false); FETCH c; ${LOOK}`,
  ]);
});

test('A11 what moves the path back is seen', async () => {
  const narrow = await stand.connect(NARROW);
  const hidden = ['SET search_path = hidden', 'BEGIN'];
  await ends(narrow, ...hidden, 'SAVEPOINT s', 'SET search_path = public', LOOK, 'ROLLBACK TO s', LOOK);
  await ends(narrow, ...hidden, 'SET LOCAL search_path = public', LOOK, 'COMMIT', LOOK);
  await ends(narrow, ...hidden, 'SET LOCAL search_path = public', LOOK, 'COMMIT AND CHAIN', LOOK);
  await ends(narrow, ...hidden, 'SET search_path = public', LOOK, 'ROLLBACK', LOOK);
  await ends(narrow, ...hidden, 'SET LOCAL search_path = public', LOOK, `COMMIT; ${LOOK}`);
  await ends(
    narrow,
    'SET search_path = hidden',
    'SET search_path = public',
    'RESET search_path',
    LOOK,
    'SET search_path = hidden',
    LOOK,
  );
});

test('A11 a path that is moved by what was prepared or declared is seen', async () => {
  const narrow = await stand.connect(NARROW);
  const move = "SELECT set_config('search_path', 'hidden', false)";
  await ends(narrow, `PREPARE p AS ${move}`, LOOK, 'EXECUTE p', LOOK);
  await ends(narrow, 'BEGIN', `DECLARE c CURSOR FOR ${move}`, LOOK, 'FETCH c', LOOK);
  await ends(narrow, `PREPARE p AS ${move}`, LOOK, 'EXPLAIN ANALYZE EXECUTE p', LOOK);
  await ends(narrow, 'BEGIN', `DECLARE c CURSOR FOR ${move}`, LOOK, 'MOVE c', LOOK);
});

test('A11 a statement that was prepared under one path does not run under another', async () => {
  const narrow = await stand.connect(NARROW);
  await ends(narrow, `PREPARE p AS ${LOOK}`, 'EXECUTE p', 'SET search_path = hidden', 'EXECUTE p');
  await ends(narrow, `PREPARE p AS ${LOOK}`, 'SET search_path = hidden', 'EXPLAIN ANALYZE EXECUTE p');
  await ends(narrow, `PREPARE p AS ${LOOK}`, 'SET search_path = hidden', 'SELECT 1; EXECUTE p');
  // A second PREPARE under the name fails, so it says nothing of what the name stands for.
  await send(narrow.client, `PREPARE p AS ${LOOK}`);
  await assert.rejects(send(narrow.client, 'PREPARE p AS SELECT 1'), { code: '42P05' });
  await ends(narrow, 'SET search_path = hidden', 'EXECUTE p');
  // Neither does a DEALLOCATE that failed.
  await send(narrow.client, `PREPARE p AS ${LOOK}`);
  await send(narrow.client, 'BEGIN');
  await assert.rejects(send(narrow.client, 'SELECT 1/0'));
  await assert.rejects(send(narrow.client, 'DEALLOCATE p'), { code: '25P02' });
  await ends(narrow, 'ROLLBACK', 'SET search_path = hidden', 'EXECUTE p');
});

test('A11 a statement of the protocol that was parsed under one path does not run under another', async () => {
  const narrow = await stand.connect(NARROW);
  const named = { name: 'look', text: LOOK, values: [] };
  await narrow.client.query(named);
  await send(narrow.client, 'SET search_path = hidden');
  const before = narrow.reached().length;
  await assert.rejects(narrow.client.query(named), { code: '42501' });
  await send(narrow.client, 'SET search_path = public');
  assert.equal(narrow.reached().length, before + 1);
  assert.equal((await narrow.client.query(named)).rows.length, 20);

  // Moved back by the end of a transaction, with everything on its way at once.
  await send(narrow.client, 'SET search_path = hidden; BEGIN; SET LOCAL search_path = public');
  await narrow.client.query(named);
  const commit = send(narrow.client, 'COMMIT');
  await assert.rejects(narrow.client.query(named), { code: '42501' });
  await commit;
});

test('A11 a name is made by PREPARE or by Parse, not by both', async () => {
  const narrow = await stand.connect(NARROW);
  await narrow.client.query({ name: 'one', text: 'SELECT 1', values: [] });
  await refused(narrow, 'EXECUTE one');
  await refused(narrow, `PREPARE one AS ${LOOK}`);
  await refused(narrow, `DEALLOCATE one; PREPARE one AS ${LOOK}`);
  await send(narrow.client, `PREPARE two AS ${LOOK}`);
  await assert.rejects(narrow.client.query({ name: 'two', text: 'SELECT 2', values: [] }), { code: '42501' });
  await refused(narrow, 'EXECUTE three');
  await allAllowed(narrow, ['EXECUTE two', 'EXPLAIN ANALYZE EXECUTE two']);
});

test('A11 a temporary relation does not lend its name to what it hides', async () => {
  const writer = await stand.connect(NARROW_WRITE);
  const temporary = 'CREATE TEMP TABLE salaries (id int, amount int)';
  await send(writer.client, 'SET search_path = public, hidden');
  await send(writer.client, temporary);
  await allAllowed(writer, ['INSERT INTO pg_temp.salaries VALUES (1, 2)', 'SELECT * FROM pg_temp.salaries']);
  await refused(writer, 'DROP TABLE pg_temp.salaries; SELECT * FROM salaries');
  await refused(writer, 'ALTER TABLE pg_temp.salaries RENAME TO x; SELECT * FROM salaries');
  await ends(
    writer,
    'SET search_path = public, hidden',
    'BEGIN',
    'DROP TABLE pg_temp.salaries',
    'SELECT * FROM salaries',
  );
  await ends(
    writer,
    'SET search_path = public, hidden',
    'BEGIN',
    'ALTER TABLE pg_temp.salaries RENAME TO x',
    'SELECT * FROM salaries',
  );
  await send(writer.client, 'SET search_path = public, hidden');
  await send(writer.client, 'CREATE TEMP TABLE pg_authid (rolname text)');
  await ends(writer, 'BEGIN', 'DROP TABLE pg_temp.pg_authid', 'SELECT * FROM pg_authid');
});

test('A11 what is made without a schema is made in the first one, whatever others hold', async () => {
  const maker = await stand.connect('db:db.hidden.orders:read+ddl', 'db:db.hidden.made:ddl');
  await send(maker.client, 'SET search_path = public, hidden');
  await refused(maker, 'CREATE TABLE made (id int)');
  await refused(maker, 'DROP TABLE orders');
  await send(maker.client, 'CREATE TABLE hidden.made (id int)');
  await refused(maker, 'CREATE TABLE IF NOT EXISTS made (id int)');
  await send(maker.client, 'DROP TABLE hidden.made');
});

test('A11 a name longer than the server keeps is the name that it keeps', async () => {
  const long = 'n'.repeat(62);
  await stand.direct.query(`CREATE TABLE hidden."${long}é" (a int)`).catch(() => {});
  await stand.direct.query(`CREATE TABLE public."${long}" (a int)`);
  await stand.direct.query(`CREATE TABLE public."${long}x" (a int)`);
  const narrow = await stand.connect(`db:db.public.${long}:read`);
  // é has two bytes, of which only one would fit: the server cuts both off.
  await allAllowed(narrow, [
    `SELECT * FROM public."${long}"`,
    `SELECT * FROM public."${long}é"`,
    `SELECT * FROM ${long}éé`,
  ]);
  await refused(narrow, `SELECT * FROM public."${long}x"`);
  await refused(narrow, `SELECT * FROM public."${long}xyz"`);
  await refused(narrow, `SELECT * FROM hidden."${long}é"`);
});

test('A11 a sequence is the one that the server writes to, however it is written', async () => {
  const { rows } = await stand.direct.query<{ oid: number }>("SELECT 'hidden.numbers'::regclass::oid AS oid");
  const oid = rows[0]?.oid;
  const writer = await stand.connect('db:db.public:read+write');
  await allRefused(stand, writer, [
    "SELECT nextval('hidden.numbers')",
    `SELECT nextval('${oid}')`,
    `SELECT nextval(${oid})`,
    `SELECT nextval(${oid}::regclass)`,
    `SELECT nextval('${oid}'::regclass)`,
    `SELECT setval('${oid}', 5)`,
    "SELECT nextval('hidden.numbersx'::varchar(14))",
    "SELECT nextval('hidden.numbers'::text::regclass)",
    "SELECT nextval(concat('hidden', '.numbers')::regclass)",
    "SELECT nextval(' hidden . numbers ')",
    `SELECT nextval('"hidden"."numbers"')`,
    "SELECT nextval(x) FROM (SELECT 'hidden.numbers'::regclass) y(x)",
  ]);
  await stand.direct.query('CREATE SEQUENCE public.numbersx');
  const one = await stand.connect('db:db.public.numbersx:read+write');
  await refused(one, "SELECT nextval('public.numbersx'::varchar(14))");
  await refused(one, "SELECT nextval('numbersx'::char(7)::regclass)");
  await allAllowed(one, ["SELECT nextval('public.numbersx')", "SELECT nextval('numbersx'::regclass)"]);
});

test('A11 the path can be moved, and names inside the scope are found by it', async () => {
  const narrow = await stand.connect(NARROW);
  await allAllowed(narrow, [
    'SET search_path = hidden, public',
    'SELECT * FROM public.orders',
    'SET search_path = public',
    'SELECT * FROM Orders',
    'SELECT * FROM "orders"',
  ]);
  const fresh = await stand.connect(NARROW);
  await send(fresh.client, 'BEGIN; SELECT * FROM orders; COMMIT; SELECT * FROM orders');
});
