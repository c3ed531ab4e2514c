// D10: names that lead elsewhere: the database that is used, the case of letters, what was prepared before it was left.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Command } from '../../src/wire/mysql/messages.ts';
import { execute } from '../peers/mysql-raw.ts';
import { FLAVOURS } from '../servers/mysql.ts';
import { allAllowed, allRefused, failureOf, mysqlStand, NARROW, READ, refused, rowsOf, send } from './mysql-attacks.ts';

const MASKING = {
  connection: { masking: 'm' },
  masking: { m: { columns: [{ column: 'shop.customers.email', with: 'redact' }] } },
};
const COUNT = 'SELECT COUNT(*) FROM orders';
const EMAIL = 'SELECT UPPER(email), email FROM customers';

const STANDS = await Promise.all(FLAVOURS.map((flavour) => mysqlStand(flavour, MASKING)));
const folding = await mysqlStand('mariadb', { settings: { 'lower-case-table-names': 1 }, ...MASKING });

for (const stand of STANDS) {
  const { flavour } = stand;

  for (const [how, use] of [
    ['USE', (name: string) => [Command.query, `USE ${name}`]],
    ['USE inside a longer text', (name: string) => [Command.query, `SELECT 1; USE \`${name}\``]],
    ['COM_INIT_DB', (name: string) => [Command.initDb, name]],
  ] as const) {
    test(`D10 ${flavour}: behind ${how} bare names are those of the other database`, async () => {
      const attacker = await stand.connect(NARROW);
      const { client } = attacker;
      const go = async (name: string) => {
        const [code, body] = use(name) as [number, string];
        return failureOf(await client.ask(code, body));
      };
      assert.equal(await go('hidden'), null);
      await refused(attacker, COUNT);
      await refused(attacker, COUNT, 'prepare');
      assert.deepEqual(rowsOf(await send(client, 'SELECT COUNT(*) FROM shop.orders')), [['20']]);
      assert.equal((await go('nowhere'))?.code, 1049);
      await refused(attacker, COUNT);
      assert.equal(await go('shop'), null);
      assert.deepEqual(rowsOf(await send(client, COUNT)), [['20']]);
    });
  }

  test(`D10 ${flavour}: in one text, no bare name stands behind USE; names with their database do`, async () => {
    const attacker = await stand.connect(NARROW);
    await allRefused(stand, attacker, [
      `USE hidden; ${COUNT}`,
      `USE shop; ${COUNT}`,
      `SELECT 1; USE hidden; SELECT 2; ${COUNT}`,
      `USE hidden; PREPARE p FROM '${COUNT}'`,
    ]);
    assert.equal(failureOf(await send(attacker.client, 'USE hidden; SELECT COUNT(*) FROM shop.orders')), null);
    await refused(attacker, COUNT);
  });

  test(`D10 ${flavour}: commands that are sent without waiting are judged by the database that is used when they run`, async () => {
    const attacker = await stand.connect(NARROW);
    const { client } = attacker;
    const command = (code: number, body: string) =>
      Buffer.concat([Buffer.of(body.length + 1, 0, 0, 0, code), Buffer.from(body)]);
    client.send(
      Buffer.concat([
        command(Command.initDb, 'hidden'),
        command(Command.query, COUNT),
        command(Command.initDb, 'nowhere'),
        command(Command.query, COUNT),
        command(Command.query, 'USE shop'),
        command(Command.stmtPrepare, 'DELETE FROM notes'),
        command(Command.ping, ''),
      ]),
    );
    const codes: number[] = [];
    while (codes.length < 7) {
      const { payload } = await client.next();
      codes.push(payload[0] === 0xff ? payload.readUInt16LE(1) : 0);
    }
    assert.deepEqual(codes, [0, 1142, 1049, 1142, 0, 1142, 0]);
    assert.deepEqual(rowsOf(await send(client, COUNT)), [['20']]);
  });

  test(`D10 ${flavour}: other spellings of a name are that name, or none that the grant has`, async () => {
    await allRefused(stand, await stand.connect(NARROW), [
      'SELECT * FROM hidden.orders',
      'SELECT * FROM `hidden`.`orders`',
      'SELECT * FROM hidden . orders',
      'SELECT * FROM hidden/**/./**/orders',
      'SELECT * FROM hidden.`orders`',
      'SELECT * FROM HIDDEN.orders',
      'SELECT * FROM `hidden.orders`',
      'SELECT * FROM `shop.orders`',
      'SELECT * FROM def.hidden.orders',
      'SELECT * FROM shop.notes',
      'SELECT * FROM Notes',
      'SELECT * FROM `orders `',
      'SELECT * FROM `orders\0`',
      'SELECT * FROM ``',
      'WITH notes AS (SELECT 1) SELECT * FROM shop.notes',
      'WITH notes AS (SELECT 1) SELECT * FROM Notes',
      'WITH notes AS (SELECT * FROM notes) SELECT * FROM notes',
      'SELECT * FROM (WITH notes AS (SELECT 1) SELECT 1) x, notes',
    ]);
    await allAllowed(await stand.connect(NARROW), [
      'SELECT * FROM `orders`',
      'SELECT * FROM `shop` . `orders`',
      'SELECT orders.id, shop.orders.total FROM orders',
      'WITH notes AS (SELECT 1) SELECT * FROM notes',
    ]);
  });

  test(`D10 ${flavour}: names of databases that no server could have are refused before it sees them`, async () => {
    const attacker = await stand.connect(NARROW);
    for (const name of ['', 'hidden ', 'hid\0den', 'hidden`; DROP TABLE notes; -- ']) {
      const failure = failureOf(await attacker.client.ask(Command.initDb, name));
      assert.ok([1142, 1049, 1102, 1046].includes(failure?.code ?? 0), `${name}: ${failure?.message}`);
    }
    const broken = failureOf(await attacker.client.ask(Command.initDb, Buffer.from([0x68, 0xff])));
    assert.ok(broken !== null);
    assert.deepEqual(rowsOf(await send(attacker.client, `SELECT DATABASE()`)), [['shop']]);
    assert.deepEqual(rowsOf(await send(attacker.client, COUNT)), [['20']]);
  });

  test(`D10 ${flavour}: what was prepared keeps its database, its verdict and its masks, wherever the session is`, async () => {
    const { client } = await stand.connect(READ);
    const prepare = async () => (await send(client, EMAIL, 'prepare'))[0]?.payload.readUInt32LE(1) ?? 0;
    const clear = (bytes: string) => /example/i.test(bytes);
    const run = async (id: number) =>
      (await client.ask(Command.stmtExecute, execute(id))).map(({ payload }) => payload.toString('latin1')).join();
    const first = await prepare();
    assert.match(await run(first), /\[redacted\]/);
    await client.ask(Command.initDb, 'hidden');
    const second = await prepare();
    const there = await run(first);
    assert.ok(!clear(there), 'a protected value came out');
    assert.match(there, /\[redacted\]/);
    await client.ask(Command.initDb, 'shop');
    await stand.server.query("INSERT INTO hidden.customers VALUES (1, 'eve@example.com')");
    assert.match(await run(second), /EVE@EXAMPLE/, 'what is not protected comes as it is');
    await stand.server.query('DELETE FROM hidden.customers');
    // By SQL's own PREPARE: not executed elsewhere.
    await send(client, `PREPARE p FROM '${EMAIL}'`);
    await send(client, 'USE hidden');
    assert.equal(failureOf(await send(client, 'EXECUTE p'))?.code, 1142);
    await send(client, 'USE shop');
    assert.deepEqual(rowsOf(await send(client, 'EXECUTE p'))[0], ['[redacted]', '[redacted]']);
  });
}

test('D10 mariadb: where the server folds names, other cases are the same names: refused, or masked', async () => {
  await allRefused(folding, await folding.connect(NARROW), [
    'SELECT * FROM Hidden.Orders',
    'SELECT * FROM SHOP.NOTES',
    'SELECT * FROM Notes',
  ]);
  const { client } = await folding.connect(READ);
  for (const sql of ['SELECT EMAIL FROM CUSTOMERS LIMIT 1', 'SELECT c.Email FROM Shop.Customers c LIMIT 1']) {
    assert.deepEqual(rowsOf(await send(client, sql)), [['[redacted]']], sql);
  }
});
