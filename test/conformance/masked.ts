// The stand of section C: a real PostgreSQL full of values that can be told wherever they turn up, real gateways in front of it
// that mask them, and clients whose every received byte is searched for them.

import assert from 'node:assert/strict';
import { after } from 'node:test';
import pg from 'pg';
import { describePortal, execute, query, sync } from '../../src/wire/pg/messages.ts';
import { binaryDates, binaryNumbers, binaryUuid, type Searcher, searcher } from '../masking/markers.ts';
import { bind, cut, type Message, parse } from '../peers/messages.ts';
import { connectRaw, logIn, type RawClient } from '../peers/raw.ts';
import { type GatewayOptions, startGateway, type TestGateway } from '../servers/gateway.ts';
import { type PostgresServer, startPostgres } from '../servers/postgres.ts';

/** What is protected, a user: nothing of it may come out. */
const USERS = [
  ['bvqxkzjwd', 'qjzxwvkgh', 71_938_465, '1937-11-23', '8d3fb2a7-95ce-4b61-a1f4-6c07e92d5b38', '203.119.87.241'],
  ['gxwqvzkjp', 'zkqxjvwbf', 84_629_173, '1946-12-27', 'e74a19c5-d280-4f93-b6a8-3f51d0c7e924', '198.157.93.236'],
  ['wzjqgxvkt', 'vxkjqwzgn', 96_317_582, '1953-12-29', '52b8e6f1-7a4d-4c0e-9d37-a94f18b3c6e5', '193.176.88.219'],
] as const;

const SECRETS = USERS.map(([word, other, number, date, uuid, address], i) => [
  i + 1,
  `'Person ${i + 1}'`,
  `'${word}@${other}'`,
  `'${other}${word}0000'`,
  number / 100,
  number,
  number,
  number,
  `'${date}'`,
  `'${date} 00:00+00'`,
  `'${uuid}'`,
  i % 2 === 0,
  `'{"${word}": ["${other}", ${number}]}'`,
  `'{"${other}":"${word}"}'`,
  `ARRAY['${word}', '${other}']`,
  `ARRAY[${number}, ${number}]`,
  `'${word}'`,
  `'${address}'`,
  `'${word}'::code`,
  `ROW('${word}', ${number})`,
  `'[${number},${number + 1})'`,
  `'${['Oslo', 'Lima', 'Oslo'][i]}'`,
  i + 1,
]);

export const SCHEMA = `
  CREATE DOMAIN code AS text CHECK (length(value) < 90);
  CREATE TYPE pair AS (l text, r int);
  CREATE TABLE users (id int PRIMARY KEY, name text, email text UNIQUE DEFERRABLE, phone varchar(40), pay numeric(12, 2), age int,
    big int8, ratio float8, born date, seen timestamptz, key uuid, vip bool, doc jsonb, raw json, tags text[], nums int[], bin bytea,
    addr inet, code code, who pair, period int4range, city text, grade int,
    low text GENERATED ALWAYS AS (lower(email)) STORED, CHECK (grade < 100));
  INSERT INTO users VALUES ${SECRETS.map((row) => `(${row.join(', ')})`).join(', ')};
  CREATE TABLE orders (id int PRIMARY KEY, person int, note text, amount int);
  INSERT INTO orders VALUES (1, 1, 'one', 10), (2, 2, 'two', 20), (3, 1, 'three', 30);
  CREATE TABLE parts (id int, secret text) PARTITION BY RANGE (id);
  CREATE TABLE parts_1 PARTITION OF parts FOR VALUES FROM (0) TO (2);
  CREATE TABLE parts_2 PARTITION OF parts FOR VALUES FROM (2) TO (9);
  INSERT INTO parts SELECT id, email FROM users;
  CREATE VIEW contacts AS SELECT id, email AS address, upper(name) AS loud, city FROM users;
  CREATE VIEW far AS SELECT c.address AS a, c.city, o.note FROM contacts c JOIN orders o ON o.person = c.id;
  CREATE VIEW totals AS SELECT city, count(*) AS n, max(email) AS last FROM users GROUP BY city;
  CREATE MATERIALIZED VIEW kept AS SELECT id, email AS address, city FROM users;
  CREATE SEQUENCE numbers;
  CREATE TABLE notes (line text);
  CREATE FUNCTION told() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
      RAISE NOTICE 'was %', OLD.email; PERFORM pg_notify('changes', OLD.email); RETURN NEW; END $$;
  CREATE TABLE told (id int, email text);
  INSERT INTO told SELECT id, email FROM users;
  CREATE TRIGGER told BEFORE UPDATE ON told FOR EACH ROW EXECUTE FUNCTION told();
  CREATE FUNCTION raised() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
      RAISE EXCEPTION 'no: %', (SELECT string_agg(email, ',') FROM users) USING ERRCODE = '42501'; END $$;
  CREATE TABLE loud (id int);
  CREATE TRIGGER loud BEFORE INSERT ON loud FOR EACH ROW EXECUTE FUNCTION raised();
  CREATE FUNCTION peek(users) RETURNS text LANGUAGE sql AS 'SELECT $1.email';
  CREATE FUNCTION keep(text) RETURNS int LANGUAGE plpgsql AS $$ BEGIN INSERT INTO notes VALUES ($1); RETURN 1; END $$;
`;

const NAMES = 'email phone pay age big ratio born seen key vip doc raw tags nums bin addr code who period'.split(' ');
export const RULES = [
  { column: 'public.users.phone', with: { partial: { keepEnd: 4 } } },
  ...NAMES.map((name) => ({ column: `public.users.${name}`, with: 'redact' })),
  { column: 'public.parts.secret', with: 'redact' },
  { column: 'public.told.email', with: 'redact' },
];

const MARKERS: Searcher = searcher(
  // Of dates only what no clock of today shows.
  USERS.flatMap(([word, other, number, date, uuid, address]) => [
    word,
    other,
    String(number),
    date.slice(0, 4),
    date.slice(1, 5),
    uuid,
    address,
  ]),
  USERS.flatMap(([, , number, date, uuid, address]) => [
    ...binaryNumbers(number),
    ...binaryNumbers(number / 100).slice(1, 2),
    ...binaryDates(date),
    ...binaryUuid(uuid),
    [Buffer.from(address.split('.').map(Number)), `${address} as inet`] as const,
  ]),
);

/** How the masking of a gateway is set. */
export type Mode = 'mask' | 'deny';

/** The ways in which a statement can be sent: `undescribed` is executed without Describe. */
export const WAYS = ['simple', 'text', 'binary', 'undescribed'] as const;
export type Way = (typeof WAYS)[number];

export interface MaskedStand {
  readonly database: PostgresServer;
  readonly gateways: Readonly<Record<Mode, TestGateway>>;
  /** Straight to the database, as its superuser. */
  readonly watcher: pg.Client;
  /** A session that may do anything but see what is masked. */
  session(mode?: Mode, scopes?: readonly string[]): Promise<Spied>;
}

/** A client that searches what it gets. */
export interface Spied {
  readonly client: RawClient;
  /** Sends, reads to the count-th ReadyForQuery, and fails where a protected value was in what came. */
  ask(messages: Buffer | readonly Buffer[], count?: number): Promise<Message[]>;
  /** One simple query. */
  say(sql: string): Promise<Message[]>;
}

/** The words among the protected values: nothing of the database's own looks like them. */
export const WORDS = USERS.flatMap((user): string[] => [user[0], user[1]]);

const EVERYTHING = ['db:db:read+write+ddl+admin'];

/** Starts it; it ends with the file's tests. `masking` is merged over that of both gateways. */
export async function maskedStand(masking: object = {}, more = ''): Promise<MaskedStand> {
  const database = await startPostgres({ sql: [SCHEMA, more, 'ANALYZE'] });
  const gateway = (mode: Mode, predicates: string): Promise<TestGateway> => {
    const pii = { columns: RULES, derived: mode, predicates, ...masking };
    const options: GatewayOptions = { upstream: database, connection: { masking: 'pii' }, masking: { pii } };
    return startGateway(options);
  };
  const gateways = { mask: await gateway('mask', 'allow'), deny: await gateway('deny', 'deny') };
  const watcher = new pg.Client({ connectionString: database.connectionString });
  await watcher.connect();
  const clients: RawClient[] = [];
  after(async () => {
    for (const client of clients) client.close();
    for (const one of Object.values(gateways)) await one.stop();
    await watcher.end();
    await database.stop();
  });
  return {
    database,
    gateways,
    watcher,
    async session(mode = 'mask', scopes = EVERYTHING) {
      const login = await gateways[mode].login({ scopes });
      const client = await connectRaw(login.host, login.port);
      clients.push(client);
      await logIn(client, login);
      return spied(client, login.user);
    },
  };
}

function spied(client: RawClient, user: string): Spied {
  let received: Buffer[] = [];
  client.socket.on('data', (chunk: Buffer) => received.push(chunk));
  const ask = async (messages: Buffer | readonly Buffer[], count = 1): Promise<Message[]> => {
    received = [];
    const briefly = await client.ask(messages, count);
    const bytes = Buffer.concat(received);
    assert.ok(!briefly.includes('end'), `the session has ended: ${briefly.join(' | ')}`);
    notIn(bytes, user);
    return cut(bytes).messages;
  };
  return { client, ask, say: (sql) => ask(query(sql)) };
}

/** Fails where the bytes hold anything of a protected value. The grant's name is random, and nothing of the database's. */
export function notIn(bytes: Buffer, user = ' '): void {
  // Catalogs tell times: a month of today may be that of a protected date.
  const today = new Date().toISOString().slice(0, 10);
  const text = bytes.toString('latin1').replaceAll(user, '<grant>').replaceAll(today, '<today>');
  const found = MARKERS.find(Buffer.from(text, 'latin1'));
  if (found !== null) assert.fail(`a protected value came out: ${found}`);
}

export function messagesFor(sql: string, way: Way): Buffer[] {
  if (way === 'simple') return [query(sql)];
  const formats = way === 'binary' ? [1] : [];
  const described = way === 'undescribed' ? [] : [describePortal('')];
  return [parse('', sql), bind('', '', [], formats), ...described, execute('', 0), sync()];
}

export interface Fields {
  readonly name: string;
  readonly type: number;
}

export interface Answer {
  /** Of the refusal or failure, or null. */
  readonly error: { readonly code: string; readonly rule: string | null; readonly message: string } | null;
  readonly fields: readonly Fields[];
  readonly rows: readonly (readonly (Buffer | null)[])[];
  readonly copied: Buffer;
}

export function answerOf(messages: readonly Message[]): Answer {
  let error: Answer['error'] = null;
  let fields: Fields[] = [];
  const rows: (Buffer | null)[][] = [];
  const copied: Buffer[] = [];
  for (const { type, body } of messages) {
    if (type === 'E') error ??= errorOf(body);
    else if (type === 'T') fields = fieldsOf(body);
    else if (type === 'D') rows.push(cellsOf(body));
    else if (type === 'd') copied.push(body);
  }
  return { error, fields, rows, copied: Buffer.concat(copied) };
}

function errorOf(body: Buffer): NonNullable<Answer['error']> {
  const parts = new Map(
    body
      .toString('utf8')
      .split('\0')
      .map((part) => [part.slice(0, 1), part.slice(1)]),
  );
  let rule: string | null = null;
  try {
    rule = (JSON.parse(parts.get('D') ?? '') as { rule: string }).rule;
  } catch {}
  return { code: parts.get('C') ?? '', rule, message: parts.get('M') ?? '' };
}

function fieldsOf(body: Buffer): Fields[] {
  const found: Fields[] = [];
  let at = 2;
  for (let i = body.readInt16BE(0); i > 0; i--) {
    const end = body.indexOf(0, at);
    found.push({ name: body.toString('utf8', at, end), type: body.readUInt32BE(end + 7) });
    at = end + 19;
  }
  return found;
}

function cellsOf(body: Buffer): (Buffer | null)[] {
  const cells: (Buffer | null)[] = [];
  let at = 2;
  for (let i = body.readInt16BE(0); i > 0; i--) {
    const length = body.readInt32BE(at);
    at += 4;
    cells.push(length < 0 ? null : body.subarray(at, at + length));
    at += Math.max(0, length);
  }
  return cells;
}

/** What the database itself says to a statement; what it changed is undone. Null where it fails. */
async function direct(watcher: pg.Client, sql: string): Promise<pg.QueryArrayResult<unknown[]> | null> {
  await watcher.query('BEGIN');
  try {
    const types = { getTypeParser: () => String } as never;
    const answer: unknown = await watcher.query({ text: sql, rowMode: 'array', types });
    return (Array.isArray(answer) ? answer.at(-1) : answer) as pg.QueryArrayResult<unknown[]>;
  } catch {
    return null;
  } finally {
    await watcher.query('ROLLBACK');
  }
}

const decoded = new Set<string>();

/** Fails where a cell is no value of its type, as the database reads it. */
async function decodes(watcher: pg.Client, type: number, cell: Buffer, binary: boolean): Promise<void> {
  const key = `${type} ${binary} ${cell.toString('latin1')}`;
  if (decoded.has(key)) return;
  decoded.add(key);
  // Nothing of type record can be read back.
  if (type === 2249 || type === 2287) return;
  const { rows } = await watcher.query<{ name: string }>('SELECT format_type($1, -1) AS name', [type]);
  const value = binary ? cell : cell.toString('utf8');
  await watcher.query(`SELECT $1::${rows[0]?.name}`, [value]);
}

export type Fate = 'free' | 'masked' | 'refused';

/**
 * Sends a statement in each way, in a transaction of its own, and asserts what becomes of it: `refused` as the contract says,
 * `masked` with rows of the right number, types and values of these types, `free` with what the database says, to the byte.
 * Nothing protected may be in what comes, and the session goes on.
 */
export async function becomes(stand: MaskedStand, to: Spied, fate: Fate, sql: string): Promise<void> {
  const { watcher } = stand;
  // Judged as a text, once and for all, in the other ways of the extended protocol too.
  for (const way of fate === 'refused' ? WAYS.slice(0, 2) : WAYS) {
    const shown = `${way}: ${sql}`;
    try {
      await to.say('BEGIN');
      const { error, fields, rows } = answerOf(
        await to.ask(messagesFor(sql, way)).finally(() => to.client.ask(query('ROLLBACK'))),
      );
      if (fate === 'refused') {
        assert.equal(error?.code, '42501', `${error?.message}`);
        assert.ok(error?.rule === 'masking', `the rule is ${error?.rule}: ${error?.message}`);
        continue;
      }
      assert.equal(error, null);
      const answer = await direct(watcher, sql);
      assert.ok(answer !== null, 'the database itself fails');
      assert.equal(rows.length, answer.rows.length, 'rows');
      if (way !== 'undescribed') {
        assert.deepEqual(
          fields,
          answer.fields.map(({ name, dataTypeID }) => ({ name, type: dataTypeID })),
        );
        for (const row of rows) {
          for (const [i, cell] of row.entries()) {
            if (cell !== null) await decodes(watcher, fields[i]?.type ?? 0, cell, way === 'binary');
          }
        }
      }
      if (fate === 'free' && way === 'text') {
        const texts = rows.map((row) => row.map((cell) => cell?.toString('utf8') ?? 'null'));
        assert.deepEqual(
          texts,
          answer.rows.map((row) => row.map(String)),
        );
      }
    } catch (error) {
      assert.fail(`${shown}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  const still = answerOf(await to.say('SELECT 41 + 1'));
  assert.equal(String(still.rows[0]?.[0]), '42');
}

/** The same for each of a list; every failure is told. */
export async function all(stand: MaskedStand, to: Spied, fate: Fate, list: readonly string[]): Promise<void> {
  const failures: string[] = [];
  for (const sql of list) {
    await becomes(stand, to, fate, sql).catch((error: unknown) => failures.push(String(error)));
  }
  assert.deepEqual(failures, []);
}

/** Values computed from protected ones: masked where that is allowed, else refused. */
export async function derived(stand: MaskedStand, list: readonly string[]): Promise<void> {
  await all(stand, await stand.session('mask'), 'masked', list);
  await all(stand, await stand.session('deny'), 'refused', list);
}
