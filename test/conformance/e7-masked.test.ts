// E7, E8: masked values of every type in both protocols, results that lie about their tables, and what else quotes values.
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { Command, command } from '../../src/wire/mysql/messages.ts';
import { MARKERS, RULES, SCHEMA } from '../masking/mysql/world.ts';
import { execute, type Packet, type RawClient, rawClient, u32 } from '../peers/mysql-raw.ts';
import { startGateway } from '../servers/gateway.ts';
import { FLAVOURS, startMysql } from '../servers/mysql.ts';
import { EVERYTHING, failureOf, rowsOf, send } from './mysql-attacks.ts';

/** Results whose columns name no table, another one, or an alias. */
const LYING = [
  'SELECT x.e FROM (SELECT email e FROM people) x',
  'SELECT * FROM (SELECT ssn FROM people UNION SELECT word FROM plain) u',
  'SELECT word FROM plain UNION ALL SELECT notes FROM people',
  'SELECT p.ssn AS word FROM people p',
  'SELECT `ssn` `plain` FROM `people` `plain`',
  'SELECT UPPER(email), REVERSE(ssn), HEX(notes), pay + 1, born + INTERVAL 1 DAY FROM people',
  'SELECT MAX(email), GROUP_CONCAT(ssn), JSON_ARRAYAGG(pay), SUM(pay) FROM people',
  'SELECT FIRST_VALUE(ssn) OVER (ORDER BY id), LAG(pay) OVER (ORDER BY id) FROM people',
  'SELECT (SELECT MAX(ssn) FROM people), COALESCE(NULL, (SELECT MIN(email) FROM people))',
  'WITH RECURSIVE r AS (SELECT 1 n, ssn s FROM people UNION ALL SELECT n + 1, s FROM r WHERE n < 2) SELECT s FROM r',
  "SELECT j.m FROM people p, JSON_TABLE(p.doc, '$' COLUMNS (m VARCHAR(60) PATH '$.mail')) j",
  'SELECT * FROM people p NATURAL JOIN people q',
  'SELECT * FROM visits RIGHT JOIN people p USING (id)',
  'SELECT contact, code FROM staff',
  'SELECT * FROM nearby',
  'SELECT tag FROM people',
  'SELECT CAST(ssn AS BINARY), CONVERT(email USING utf16), TO_BASE64(notes) FROM people',
  'SELECT ELT(1, ssn), IF(1, pay, 0), CASE WHEN 1 THEN born END FROM people',
];

/** What would carry a value past its column, or let a later statement tell it. */
const CARRYING = [
  'SELECT 1 FROM people WHERE LAST_INSERT_ID(pay)',
  'SELECT id FROM people ORDER BY LAST_INSERT_ID(pay)',
  'UPDATE plain SET n = LAST_INSERT_ID((SELECT pay FROM people WHERE id = 1)) WHERE id = 1',
  "UPDATE plain SET word = 'z' WHERE id = 1 AND LAST_INSERT_ID((SELECT pay FROM people WHERE id = 1))",
  'SELECT 1 FROM people WHERE (@kept := pay)',
  'SELECT id FROM people GROUP BY @kept := ssn',
  'SELECT id FROM people WHERE ssn IN (SELECT @kept := ssn FROM people)',
  'SELECT ssn INTO @kept FROM people LIMIT 1',
  'SET @kept = (SELECT pay FROM people WHERE id = 1)',
  'SET timestamp = (SELECT pay FROM people WHERE id = 1)',
  'SET group_concat_max_len = (SELECT pay FROM people WHERE id = 1)',
  'SELECT 1 FROM people WHERE GET_LOCK(ssn, 0)',
  'INSERT INTO plain (id, word) SELECT id + 10, ssn FROM people',
  'UPDATE plain, people p SET plain.word = p.email WHERE p.id = plain.id',
  'UPDATE people SET city = email',
  'CREATE TABLE copied SELECT * FROM people',
  'CREATE TEMPORARY TABLE people (id INT)',
  'CREATE TABLE merged (ssn CHAR(11)) ENGINE=MERGE UNION=(people)',
  "CREATE TABLE far (ssn CHAR(11)) ENGINE=FEDERATED CONNECTION='mysql://admin@127.0.0.1/shop/people'",
  'ALTER TABLE plain ENGINE=SPIDER',
  'CREATE VIEW shown AS SELECT ssn AS x FROM people',
  'ALTER TABLE people RENAME COLUMN ssn TO nr',
  'ALTER TABLE people ADD COLUMN c CHAR(60) AS (ssn)',
  'ALTER TABLE people ALTER city SET DEFAULT (ssn)',
  'RENAME TABLE people TO folks',
  'CHECKSUM TABLE people',
  'SELECT * FROM information_schema.column_statistics',
  'SELECT * FROM information_schema.processlist',
  'SELECT * FROM performance_schema.user_variables_by_thread',
  'SELECT * FROM performance_schema.events_statements_current',
  'SHOW PROCESSLIST',
  'HANDLER people OPEN',
  'CREATE PROCEDURE leak() SELECT ssn FROM people',
  'GET DIAGNOSTICS CONDITION 1 @kept = MESSAGE_TEXT',
];

/** Failures and warnings that quote values: the code of the error, or 0 where they are warnings. */
const QUOTING = [
  ["SELECT EXTRACTVALUE(1, CONCAT('~', email)) FROM people", 1105],
  ["SELECT 1 FROM people ORDER BY UPDATEXML(1, CONCAT('~', email), 1)", 1105],
  ["INSERT INTO people (id, email) VALUES (1, 'x')", 1062],
  ['UPDATE people SET id = 2 WHERE id = 1', 1062],
  ['ALTER TABLE people ADD UNIQUE (city)', 1062],
  ['SELECT CAST(ssn AS SIGNED), email + 1, CAST(notes AS DATE) FROM people', 0],
  ['SELECT COUNT(*) FROM people WHERE ssn > 5', 0],
  ['SELECT CAST(ssn AS DECIMAL(4, 2)) FROM people', 0],
] as const;

const STANDS = await Promise.all(
  FLAVOURS.map(async (flavour) => {
    const server = await startMysql(flavour, { sql: SCHEMA });
    const masked = { connection: { masking: 'markers' }, masking: { markers: { columns: RULES } } };
    return { flavour, server, gateway: await startGateway({ upstream: server, ...masked }) };
  }),
);

for (const { flavour, server, gateway } of STANDS) {
  const login = async () => ({ ...(await gateway.login({ scopes: [EVERYTHING] })), database: 'shop' });
  const clients: RawClient[] = [];
  after(async () => {
    for (const client of clients) client.close();
    await gateway.stop();
    await server.stop();
  });
  const open = async (deprecateEof = true) => {
    const client = await rawClient(await login(), { deprecateEof });
    clients.push(client);
    return client;
  };

  /** Asks, and fails where a protected value came. */
  const spied = async (client: RawClient, code: number, body: Buffer | string, sql: string): Promise<Packet[]> => {
    client.read.length = 0;
    const reply = await client.ask(code, body);
    const found = MARKERS.find(Buffer.concat(client.read));
    assert.equal(found, null, `${found} came out of: ${sql}`);
    return reply;
  };

  /** As a text, and prepared: executed at once, and by a cursor. */
  const everyWay = async (client: RawClient, sql: string): Promise<void> => {
    assert.equal(failureOf(await spied(client, Command.query, sql, sql)), null, sql);
    const [prepared] = await spied(client, Command.stmtPrepare, sql, sql);
    const id = prepared?.payload.readUInt32LE(1) ?? 0;
    assert.equal(failureOf(await spied(client, Command.stmtExecute, execute(id), sql)), null, sql);
    const opened = await spied(client, Command.stmtExecute, execute(id, [], 1), sql);
    assert.equal(failureOf(opened), null, sql);
    // Some results come without the cursor that was asked for.
    await spied(client, Command.stmtFetch, Buffer.concat([u32(id), u32(100)]), sql);
    client.send(command(Command.stmtClose, u32(id)));
  };

  for (const deprecateEof of [true, false]) {
    test(`E7 ${flavour}, ${deprecateEof ? 'OK' : 'EOF'} at the end: values of every type are masked in text, in binary and in cursors, whatever the result says of its tables`, async () => {
      const client = await open(deprecateEof);
      for (const sql of ['SELECT * FROM people', 'SELECT * FROM teams', 'SELECT * FROM visits', ...LYING]) {
        await everyWay(client, sql);
      }
    });
  }

  test(`E7 ${flavour}: masked values keep their types, and what is not masked comes as it is`, async () => {
    const client = await open();
    const [row] = rowsOf(await send(client, 'SELECT id, email, ssn, born, notes, city FROM people WHERE id = 1'));
    assert.deepEqual(row, ['1', '**************.te', '[redacted]', '1970-01-01', null, 'Oslo']);
    assert.deepEqual(rowsOf(await send(client, 'SELECT budget FROM teams WHERE id = 1')), [['0.00']]);
    assert.deepEqual(rowsOf(await send(client, 'SELECT ip, page FROM visits WHERE id = 1')), [['gone', 'page 0']]);
    // Without masking the same statements show them: the eye of these tests sees.
    const direct = await rawClient({ ...server });
    await direct.ask(Command.query, 'SELECT * FROM people');
    assert.notEqual(MARKERS.find(Buffer.concat(direct.read)), null);
    direct.close();
  });

  test(`E8 ${flavour}: no value is carried to where a later statement could tell it`, async () => {
    const client = await open();
    for (const sql of CARRYING) {
      for (const code of [Command.query, Command.stmtPrepare]) {
        const failure = failureOf(await spied(client, code, sql, sql));
        assert.equal(failure?.code, 1142, `${sql}: ${failure?.message}`);
      }
      await spied(client, Command.query, 'SELECT @kept, LAST_INSERT_ID()', sql);
    }
    assert.deepEqual(rowsOf(await send(client, 'SELECT @kept, LAST_INSERT_ID()')), [[null, '0']]);
  });

  test(`E8 ${flavour}: errors and warnings that quote values come without their words, also later, also behind others`, async () => {
    const client = await open();
    for (const [sql, code] of QUOTING) {
      const failure = failureOf(await spied(client, Command.query, sql, sql));
      assert.equal(failure?.code ?? 0, code, `${sql}: ${failure?.message}`);
      if (failure !== null) assert.match(failure.message, /withheld/, sql);
      await spied(client, Command.query, 'SHOW WARNINGS', sql);
      await spied(client, Command.query, 'SHOW ERRORS', sql);
      await spied(client, Command.query, `SELECT 1; ${sql}; SHOW WARNINGS`, sql);
    }
    const own = failureOf(await send(client, "INSERT INTO plain (id, word) VALUES (9, 'one')"));
    assert.match(own?.message ?? '', /Duplicate entry 'one'/, 'what is not protected is quoted');
  });

  test(`E8 ${flavour}: plans and profiles show no value`, async () => {
    const client = await open();
    for (const sql of [
      'EXPLAIN SELECT * FROM people WHERE email = (SELECT email FROM people WHERE id = 1)',
      'EXPLAIN FORMAT=JSON SELECT * FROM people WHERE email = (SELECT email FROM people WHERE id = 1)',
      'ANALYZE FORMAT=JSON SELECT * FROM people WHERE id = 1',
      'EXPLAIN ANALYZE SELECT * FROM people WHERE ssn = (SELECT ssn FROM people WHERE id = 1)',
      'SHOW WARNINGS',
      'SHOW PROFILES',
      'SHOW INDEX FROM people',
      'SHOW CREATE TABLE people',
      'SHOW TABLE STATUS',
    ]) {
      await spied(client, Command.query, sql, sql);
    }
  });

  test(`D11 ${flavour}: beside masking, what is not understood is refused under every grant`, async () => {
    const client = await open();
    for (const sql of [
      'SELECT 1 /*!50000 , 2 */',
      'FROBNICATE people',
      'SELECT 1 FROM people FROBNICATE BY 1',
      'CALL nothing()',
    ]) {
      assert.equal(failureOf(await send(client, sql))?.code, 1142, sql);
    }
  });
}
