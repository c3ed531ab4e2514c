// D4 to D9: what reaches files, other sessions or the server, writes past a read grant, or runs what nobody has seen.
import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { test } from 'node:test';
import { Command, Status } from '../../src/wire/mysql/messages.ts';
import { FLAVOURS } from '../servers/mysql.ts';
import {
  allAllowed,
  allRefused,
  EVERYTHING,
  failureOf,
  mysqlStand,
  NARROW,
  NARROW_DDL,
  NARROW_WRITE,
  READ,
  refused,
  rowsOf,
  SHOP_ADMIN,
  send,
  WRITE,
} from './mysql-attacks.ts';

const STANDS = await Promise.all(FLAVOURS.map((flavour) => mysqlStand(flavour)));

for (const stand of STANDS) {
  const { flavour } = stand;
  const mariadb = flavour === 'mariadb';

  test(`D4 ${flavour}: no file is read or written without admin over the whole connection`, async () => {
    const { dir } = stand.server;
    for (const scope of [READ, 'db:db:read+write+ddl', SHOP_ADMIN]) {
      await allRefused(stand, await stand.connect(scope), [
        `SELECT * FROM orders INTO OUTFILE '${dir}/out'`,
        `SELECT * INTO OUTFILE '${dir}/out' FROM orders`,
        `SELECT 1 INTO DUMPFILE '${dir}/out'`,
        `(SELECT 1) INTO OUTFILE '${dir}/out'`,
        `SELECT 1 UNION SELECT 2 INTO OUTFILE '${dir}/out'`,
        `TABLE orders INTO OUTFILE '${dir}/out'`,
        `WITH x AS (SELECT 1) SELECT * FROM x INTO OUTFILE '${dir}/out'`,
        `PREPARE p FROM "SELECT 1 INTO OUTFILE '${dir}/out'"`,
        `EXPLAIN SELECT 1 INTO OUTFILE '${dir}/out'`,
        "SELECT LOAD_FILE('/etc/passwd')",
        "SELECT load_file /**/ ('/etc/passwd')",
        'SELECT `LOAD_FILE`(0x2f6574632f706173737764)',
        "SELECT id FROM orders ORDER BY LOAD_FILE('/etc/passwd')",
        "SET @x = LOAD_FILE('/etc/passwd')",
        "DO LOAD_FILE('/etc/passwd')",
        "SHOW TABLES WHERE LOAD_FILE('/etc/passwd')",
        "LOAD DATA INFILE '/etc/passwd' INTO TABLE notes (body)",
        "LOAD XML INFILE '/etc/passwd' INTO TABLE notes",
        "CREATE TABLE spy (a TEXT) ENGINE=CSV DATA DIRECTORY='/tmp'",
        'CREATE TABLE spy (a TEXT) ENGINE=FEDERATED CONNECTION="mysql://root@127.0.0.1/x"',
        "CREATE TABLE spy ENGINE=CONNECT TABLE_TYPE=DOS FILE_NAME='/etc/passwd'",
        'CREATE TABLE spy (a INT) ENGINE=MERGE UNION=(hidden.salaries)',
        'SET default_storage_engine = CONNECT',
        "SET SESSION default_tmp_storage_engine = 'FEDERATED'",
        'SET storage_engine = @x',
        'ALTER TABLE notes DISCARD TABLESPACE',
        "CREATE TABLESPACE t ADD DATAFILE '/tmp/x.ibd'",
        "IMPORT TABLE FROM '/tmp/x.sdi'",
      ]);
    }
    // The client's own files, under any grant.
    await allRefused(stand, await stand.connect(EVERYTHING), [
      "LOAD DATA LOCAL INFILE '/etc/passwd' INTO TABLE notes (body)",
      "LOAD DATA LOW_PRIORITY LOCAL INFILE 'x' REPLACE INTO TABLE notes",
      "LOAD XML LOCAL INFILE 'x' INTO TABLE notes",
    ]);
    assert.ok(!readdirSync(dir).includes('out'));
  });

  test(`D4 ${flavour}: INTO variables, and names that look like files’, work`, async () => {
    await allAllowed(await stand.connect(READ), [
      'SELECT id INTO @x FROM orders LIMIT 1',
      "SELECT 'INTO OUTFILE', `id` AS `load_file` FROM orders",
      'SELECT 1 AS `outfile`',
    ]);
  });

  test(`D5 ${flavour}: a session that may read stays read-only, in every spelling, and after a reset too`, async () => {
    const attacker = await stand.connect(READ);
    await allRefused(stand, attacker, [
      'START TRANSACTION READ WRITE',
      'START TRANSACTION WITH CONSISTENT SNAPSHOT, READ WRITE',
      'SET TRANSACTION READ WRITE',
      'SET SESSION TRANSACTION READ WRITE',
      'SET LOCAL TRANSACTION READ WRITE, ISOLATION LEVEL SERIALIZABLE',
      'SET TRANSACTION ISOLATION LEVEL READ COMMITTED, READ WRITE',
      'SET transaction_read_only = 0',
      'SET transaction_read_only = OFF',
      "SET SESSION transaction_read_only = 'off'",
      'SET @@transaction_read_only := DEFAULT',
      'SET @@session.transaction_read_only = @x',
      'SET tx_read_only = 0',
      'SET @x = 1, transaction_read_only = FALSE',
      'SET GLOBAL transaction_read_only = 0',
      'BEGIN; INSERT INTO notes (body) VALUES (1)',
      'CREATE TABLE spy (a INT)',
      'CREATE TEMPORARY TABLE spy (a INT)',
      'CREATE TEMPORARY TABLE spy SELECT 1',
      'START TRANSACTION READ ONLY; DROP TABLE notes',
      'TRUNCATE notes',
      'ANALYZE TABLE notes',
      'OPTIMIZE LOCAL TABLE notes',
      'REPAIR TABLE notes',
      'LOCK TABLES notes WRITE',
    ]);
    const readOnly = async () =>
      rowsOf(await send(attacker.client, `SELECT @@${mariadb ? 'tx' : 'transaction'}_read_only`));
    for (const sql of [
      'START TRANSACTION READ ONLY',
      'COMMIT',
      'SET autocommit = 0',
      'ROLLBACK AND CHAIN',
      'SET autocommit = 1',
    ]) {
      assert.equal(failureOf(await send(attacker.client, sql)), null, sql);
      assert.deepEqual(await readOnly(), [['1']], sql);
    }
    await attacker.client.ask(Command.resetConnection);
    assert.deepEqual(await readOnly(), [['1']]);
  });

  test(`D5 ${flavour}: a grant that may write opens its transactions, and their state is told`, async () => {
    const { client } = await stand.connect(WRITE);
    const status = async (sql: string) => {
      const payload = (await send(client, sql)).at(-1)?.payload ?? Buffer.alloc(0);
      return payload.readUInt16LE(3) & Status.inTransaction;
    };
    assert.equal(await status('START TRANSACTION READ WRITE'), 1);
    assert.equal(await status("INSERT INTO notes VALUES (77, 'x')"), 1);
    assert.equal(failureOf(await send(client, 'DROP TABLE notes'))?.code, 1142);
    assert.equal(await status('ROLLBACK'), 0);
    assert.deepEqual(await stand.server.query('SELECT * FROM notes WHERE id = 77'), []);
  });

  test(`D6 ${flavour}: text that is not written out, and code that cannot be seen, need admin over the whole connection`, async () => {
    for (const scope of [READ, 'db:db:read+write+ddl', SHOP_ADMIN]) {
      await allRefused(stand, await stand.connect(scope), [
        'PREPARE p FROM @v',
        "EXECUTE IMMEDIATE CONCAT('DELETE FROM ', 'notes')",
        'EXECUTE IMMEDIATE @v',
        'EXECUTE IMMEDIATE (SELECT body FROM notes)',
        'EXECUTE p',
        'BEGIN NOT ATOMIC DELETE FROM notes; END',
        'IF 1 THEN DELETE FROM notes; END IF',
        'WHILE 1 DO DELETE FROM notes; END WHILE',
        'FOR i IN 1..2 DO DELETE FROM notes; END FOR',
        'CALL bait_call()',
        'CALL shop . bait_call',
        'CALL `bait_call`(bait())',
        'DO bait()',
        'DO shop.bait()',
        'CREATE PROCEDURE spy() DELETE FROM notes',
        'CREATE OR REPLACE FUNCTION spy() RETURNS INT RETURN 1',
        'CREATE DEFINER=CURRENT_USER FUNCTION spy() RETURNS INT RETURN bait()',
        'CREATE TRIGGER spy BEFORE INSERT ON orders FOR EACH ROW DELETE FROM notes',
        'CREATE EVENT spy ON SCHEDULE EVERY 1 SECOND DO DELETE FROM notes',
        'CREATE PACKAGE spy AS END',
        'ALTER EVENT spy ENABLE',
        'SET STATEMENT max_statement_time = 1 FOR DELETE FROM notes',
        "SET PASSWORD = 'x'",
      ]);
    }
    await allRefused(stand, await stand.connect(READ), [
      "PREPARE p FROM 'DELETE FROM notes'",
      'PREPARE p FROM "DELETE FROM notes"',
      "PREPARE p FROM 'SELECT 1; DELETE FROM notes'",
      "PREPARE p FROM 'PREPARE q FROM \\'DELETE FROM notes\\''",
      "EXECUTE IMMEDIATE 'DELETE FROM notes'",
      "EXECUTE IMMEDIATE 'DELETE FROM notes WHERE id = ?' USING 1",
    ]);
  });

  test(`D6 ${flavour}: EXECUTE is judged as what was prepared, in the database in which it was`, async () => {
    const attacker = await stand.connect(WRITE);
    await allAllowed(
      attacker,
      ["PREPARE p FROM 'SELECT id FROM notes WHERE id = ?'", 'SET @x = 1', 'EXECUTE p USING @x'],
      ['query'],
    );
    await refused(attacker, 'EXECUTE q');
    assert.equal(failureOf(await send(attacker.client, 'USE hidden')), null);
    await refused(attacker, 'EXECUTE p USING @x');
    assert.equal(failureOf(await send(attacker.client, 'USE shop')), null);
    assert.deepEqual(rowsOf(await send(attacker.client, 'EXECUTE p USING @x')), [['1']]);
    await refused(attacker, "PREPARE p FROM 'DROP TABLE notes'");
    assert.deepEqual(rowsOf(await send(attacker.client, 'EXECUTE p USING @x')), [['1']], 'it is still what it was');
    // Values are expressions in MariaDB.
    await refused(
      await stand.connect(NARROW),
      "EXECUTE IMMEDIATE 'SELECT ?' USING (SELECT amount FROM hidden.salaries)",
    );
  });

  test(`D7 ${flavour}: every way to read another table, and every change, is found at every depth`, async () => {
    const secret = 'SELECT amount FROM hidden.salaries';
    for (const scope of [NARROW, NARROW_WRITE]) {
      await allRefused(stand, await stand.connect(scope), [
        'TABLE hidden.salaries',
        `VALUES ROW((${secret}))`,
        `SELECT (${secret})`,
        `SELECT id FROM orders ORDER BY (${secret})`,
        `SELECT id FROM orders GROUP BY id HAVING (${secret})`,
        `SELECT GROUP_CONCAT(id ORDER BY (${secret})) FROM orders`,
        `SELECT SUM(id) OVER w FROM orders WINDOW w AS (PARTITION BY (${secret}))`,
        `SELECT DATE '2020-01-01' + INTERVAL (${secret}) DAY`,
        `SELECT CASE WHEN EXISTS (${secret}) THEN 1 END`,
        `SELECT 1 > ALL (${secret})`,
        `SELECT * FROM orders JOIN (${secret}) s`,
        `SELECT * FROM orders o, LATERAL (${secret}) s`,
        `SELECT * FROM JSON_TABLE((${secret}), '$' COLUMNS (a INT PATH '$')) j`,
        'SELECT * FROM (orders, hidden.salaries)',
        'SELECT * FROM { OJ orders LEFT OUTER JOIN hidden.salaries ON 1 }',
        'SELECT * FROM orders NATURAL JOIN hidden.salaries',
        `WITH o AS (${secret}) SELECT * FROM o`,
        `WITH RECURSIVE o AS (SELECT 1 UNION ${secret}) SELECT * FROM o`,
        'WITH salaries AS (SELECT 1) SELECT * FROM hidden.salaries',
        `(SELECT id FROM orders) UNION (${secret})`,
        `SELECT id FROM orders EXCEPT ${secret}`,
        `SET @x = (${secret})`,
        `SET autocommit = (${secret})`,
        `DO (${secret})`,
        `SELECT @x := (${secret})`,
        `EXPLAIN ${secret}`,
        `DESC ${secret}`,
        `EXPLAIN ANALYZE ${secret}`,
        `ANALYZE FORMAT=JSON ${secret}`,
        `SHOW TABLES WHERE (${secret})`,
        'CHECKSUM TABLE hidden.salaries',
        'CHECK TABLE hidden.salaries',
        'HANDLER hidden.salaries OPEN',
        'HANDLER orders READ FIRST',
        `PREPARE p FROM '${secret}'`,
        'UPDATE orders AS salaries, hidden.salaries AS orders SET orders.amount = 1',
        'UPDATE orders JOIN hidden.salaries s SET orders.total = s.amount',
        `UPDATE orders SET total = (${secret})`,
        'DELETE orders FROM hidden.salaries AS orders',
        'DELETE FROM o USING orders AS o JOIN hidden.salaries s',
        'DELETE orders, s FROM orders, hidden.salaries s',
        `DELETE FROM orders WHERE id = (${secret})`,
        `INSERT INTO orders (id) ${secret}`,
        `REPLACE INTO orders (id) TABLE hidden.salaries`,
        `INSERT INTO orders (id) VALUES ((${secret}))`,
        `INSERT INTO orders SET id = (${secret})`,
        `INSERT INTO orders (id) VALUES (1) ON DUPLICATE KEY UPDATE total = (${secret})`,
        `INSERT INTO orders (id) VALUES (99) RETURNING (${secret})`,
        'INSERT INTO hidden.orders (id) VALUES (9)',
        'DELETE HISTORY FROM hidden.orders',
        'LOCK TABLES orders READ, hidden.salaries WRITE',
      ]);
    }
    await allRefused(stand, await stand.connect(READ), [
      'DELETE FROM orders',
      'WITH x AS (SELECT 1) DELETE FROM orders',
      'WITH x AS (SELECT 1) UPDATE orders SET total = 1',
      'EXPLAIN ANALYZE DELETE FROM orders',
      'ANALYZE UPDATE orders SET total = 1',
      'EXPLAIN FORMAT=TREE INSERT INTO notes (body) VALUES (1)',
      'DESCRIBE REPLACE INTO notes (body) VALUES (1)',
      'SELECT * FROM orders FOR UPDATE',
      'SELECT * FROM orders FOR SHARE SKIP LOCKED',
      'SELECT * FROM orders LOCK IN SHARE MODE',
      'SELECT * FROM (SELECT * FROM orders FOR UPDATE) o',
      'SELECT (SELECT id FROM orders LIMIT 1 FOR UPDATE)',
      'TABLE orders FOR UPDATE',
      'SELECT 1 INTO @x; DELETE FROM notes',
      'SELECT * FROM orders PROCEDURE ANALYSE()',
      'HANDLER orders OPEN',
      'SELECT NEXT VALUE FOR numbers',
      'SELECT NEXTVAL(numbers), SETVAL(numbers, 99)',
      'SELECT LASTVAL(numbers)',
    ]);
  });

  test(`D7 ${flavour}: definitions reach no other table’s rows, keys or sequences`, async () => {
    await allRefused(stand, await stand.connect(NARROW_DDL), [
      'ALTER TABLE orders ADD FOREIGN KEY (id) REFERENCES hidden.salaries (id)',
      'ALTER TABLE orders ADD COLUMN other INT REFERENCES `hidden`.salaries (id)',
      'CREATE OR REPLACE TABLE orders (id INT, FOREIGN KEY (id) REFERENCES hidden.salaries (id) ON DELETE CASCADE)',
      'ALTER TABLE orders ALTER total SET DEFAULT (NEXT VALUE FOR hidden.numbers)',
      'ALTER TABLE orders ADD COLUMN n INT DEFAULT (NEXTVAL(hidden.numbers))',
      'CREATE OR REPLACE TABLE orders (id INT DEFAULT (PREVIOUS VALUE FOR hidden.numbers))',
      'CREATE OR REPLACE TABLE orders SELECT * FROM hidden.salaries',
      'CREATE OR REPLACE TABLE orders LIKE hidden.salaries',
      'CREATE OR REPLACE VIEW orders AS SELECT * FROM hidden.salaries',
      'ALTER TABLE orders RENAME hidden.mine',
      "ALTER TABLE orders COMMENT 'x', RENAME AS hidden.mine",
      'RENAME TABLE orders TO hidden.mine',
      'RENAME TABLE hidden.salaries TO orders2, orders TO orders3',
      'ALTER TABLE orders EXCHANGE PARTITION p WITH TABLE hidden.salaries',
      'ALTER TABLE orders CONVERT TABLE hidden.salaries TO PARTITION p',
      'DROP TABLE orders, hidden.salaries',
      'DROP TABLE IF EXISTS hidden.salaries',
      'CREATE INDEX i ON hidden.salaries (amount)',
      'DROP INDEX i ON hidden.salaries',
      "CREATE INDEX i ON orders ((LOAD_FILE('x')))",
      'ALTER VIEW orders AS SELECT * FROM hidden.salaries',
      'DROP DATABASE shop',
      'DROP SCHEMA hidden',
      'CREATE DATABASE mine',
    ]);
  });

  test(`D7 ${flavour}: the same forms over what the grant has work`, async () => {
    await allAllowed(await stand.connect(NARROW), [
      mariadb ? 'VALUES ((SELECT MAX(id) FROM orders))' : 'TABLE orders',
      'WITH o AS (SELECT id FROM orders) SELECT * FROM o JOIN orders USING (id)',
      'SELECT id FROM orders UNION SELECT total FROM shop.orders',
      'EXPLAIN SELECT * FROM orders',
    ]);
    await allAllowed(await stand.connect(NARROW_WRITE), [
      'UPDATE orders SET total = total WHERE id = 1',
      'DELETE FROM o USING orders AS o WHERE o.id = 999',
      'SELECT * FROM orders FOR UPDATE',
      'WITH o AS (SELECT id FROM orders) SELECT * FROM o',
    ]);
  });

  test(`D8 ${flavour}: functions that lock, wait for others, run code or reach out`, async () => {
    await allRefused(stand, await stand.connect(READ), [
      "SELECT GET_LOCK('bait', 0)",
      "SELECT get_lock ('bait', 0)",
      "SELECT IS_FREE_LOCK('bait'), IS_USED_LOCK('bait')",
      "SELECT RELEASE_LOCK('bait')",
      'SELECT RELEASE_ALL_LOCKS()',
      "SELECT id FROM orders ORDER BY GET_LOCK('bait', 0)",
      'SELECT BENCHMARK(1000000, SHA2(1, 512))',
      "SELECT MASTER_POS_WAIT('x', 1), SOURCE_POS_WAIT('x', 1)",
      "SELECT WAIT_FOR_EXECUTED_GTID_SET('x')",
      'SELECT bait()',
      'SELECT shop.bait()',
      'SELECT hidden.bait()',
      'SELECT `bait` ()',
      'SELECT * FROM baited',
      'SELECT COUNT(*) FROM (SELECT harm FROM baited) b',
      "SELECT sys_exec('id'), sys_eval('id')",
      'SELECT nobody_knows(1)',
      'SELECT shop.abs(1)',
      'DO bait()',
      'SET @x = bait()',
      'INSERT INTO notes (body) VALUES (bait())',
    ]);
    await allRefused(stand, await stand.connect('db:db:read+write+ddl'), [
      'SELECT bait()',
      'SELECT * FROM baited',
      'INSERT INTO notes (body) VALUES (bait())',
      'SELECT BENCHMARK(1, 1)',
      'SELECT nobody_knows(1)',
    ]);
  });

  test(`D8 ${flavour}: functions without effects work, SLEEP too, which the grant’s end ends`, async () => {
    await allAllowed(await stand.connect(READ), [
      'SELECT ABS(-1), CONCAT(1, 2), UUID(), NOW(), CONNECTION_ID(), DATABASE(), USER()',
      'SELECT SLEEP(0)',
      'SELECT * FROM plain',
      "SELECT JSON_EXTRACT('[1]', '$[0]'), SHA2('x', 256), SUBSTRING('abc' FROM 2)",
    ]);
    await allAllowed(
      await stand.connect(WRITE),
      ["SELECT GET_LOCK('mine', 0)", "SELECT RELEASE_LOCK('mine')"],
      ['query'],
    );
  });

  test(`D9 ${flavour}: what reaches the server, its users or its log needs admin over the whole connection`, async () => {
    for (const scope of ['db:db:read+write+ddl', SHOP_ADMIN]) {
      await allRefused(stand, await stand.connect(scope), [
        "CLONE LOCAL DATA DIRECTORY '/tmp/x'",
        'RESTART',
        'SHUTDOWN',
        "PURGE BINARY LOGS TO 'x'",
        "BINLOG 'AAAA'",
        "CHANGE REPLICATION SOURCE TO SOURCE_HOST = 'x'",
        "CHANGE MASTER TO MASTER_HOST = 'x'",
        'START REPLICA',
        'STOP SLAVE',
        'RESET MASTER',
        'RESET BINARY LOGS AND GTIDS',
        'RESET PERSIST',
        'FLUSH PRIVILEGES',
        'FLUSH TABLES WITH READ LOCK',
        'FLUSH LOCAL STATUS',
        "INSTALL PLUGIN x SONAME 'x.so'",
        "INSTALL SONAME 'x'",
        "INSTALL COMPONENT 'file://x'",
        'UNINSTALL PLUGIN x',
        "CREATE FUNCTION sys_exec RETURNS INT SONAME 'x.so'",
        "XA START 'x'",
        'XA RECOVER',
        "CREATE SERVER s FOREIGN DATA WRAPPER mysql OPTIONS (HOST 'x')",
        "CREATE USER spy IDENTIFIED BY 'x'",
        "CREATE OR REPLACE USER victim IDENTIFIED BY 'x'",
        "ALTER USER victim IDENTIFIED BY 'x'",
        "ALTER USER CURRENT_USER() IDENTIFIED BY 'x'",
        'DROP USER victim',
        'RENAME USER victim TO other',
        'CREATE ROLE spy',
        'SET ROLE ALL',
        'SET DEFAULT ROLE ALL TO victim',
        'GRANT ALL ON *.* TO victim',
        "GRANT PROXY ON '' TO victim",
        'REVOKE ALL ON *.* FROM victim',
        "SET PASSWORD FOR victim = 'x'",
        "SET PASSWORD = PASSWORD('x')",
        'SET sql_log_bin = 0',
        'SET GLOBAL general_log = 0',
        "SET GLOBAL init_connect = 'DELETE FROM shop.notes'",
        'SET PERSIST max_connections = 1',
        'SET @@GLOBAL.local_infile = 1',
        'SET @x = 1, @@global.read_only = 1',
        'SET SESSION debug = "d"',
        'SET pseudo_thread_id = 1',
        'LOCK INSTANCE FOR BACKUP',
        'BACKUP STAGE START',
        'CACHE INDEX notes IN hot',
        'ALTER INSTANCE ROTATE INNODB MASTER KEY',
        'ALTER SERVER s OPTIONS (HOST "x")',
        'CREATE RESOURCE GROUP r TYPE = USER',
        'SHOW GRANTS FOR victim',
        'SHOW CREATE USER victim',
        'SHOW PROCESSLIST',
        'SHOW FULL PROCESSLIST',
        'SHOW ENGINE INNODB STATUS',
        'SHOW BINARY LOGS',
        'SHOW BINLOG EVENTS',
        'SHOW REPLICA STATUS',
        'EXPLAIN FOR CONNECTION 1',
        'SHOW EXPLAIN FOR 1',
        'SELECT * FROM mysql.user',
        'SELECT * FROM mysql.general_log',
        'SELECT * FROM information_schema.processlist',
        'SELECT * FROM performance_schema.threads',
        'SELECT * FROM sys.session',
        'UPDATE mysql.user SET plugin = 1',
        'DELETE FROM mysql.db',
        'KILL HARD USER victim',
      ]);
    }
  });

  test(`D9 ${flavour}: KILL reaches the sessions of the same grant alone, by the gateway’s own ids`, async () => {
    const { client } = await stand.connect(READ);
    const [{ id = 0 } = {}] = await stand.server.query('SELECT CONNECTION_ID() AS id');
    for (const sql of [`KILL ${id}`, 'KILL 1', 'KILL QUERY 1', 'KILL CONNECTION 4294967295']) {
      assert.equal(failureOf(await send(client, sql))?.code, 1094, sql);
    }
    for (const sql of [
      'KILL (SELECT 1)',
      'KILL CONNECTION_ID()',
      'KILL USER victim',
      'KILL QUERY ID 1',
      'KILL -1',
      'KILL 1, 2',
      'KILL @x',
    ]) {
      assert.equal(failureOf(await send(client, sql))?.code, 1142, sql);
    }
    assert.deepEqual(rowsOf(await send(client, 'SELECT 1')), [['1']]);
  });

  test(`D9 ${flavour}: settings of the session alone work`, async () => {
    await allAllowed(await stand.connect(READ), [
      'SET autocommit = 1, @x = 1',
      'SET SESSION wait_timeout = 100',
      'SET default_storage_engine = InnoDB',
      "SET time_zone = '+01:00'",
      'SET TRANSACTION ISOLATION LEVEL READ COMMITTED',
      'SHOW VARIABLES',
      'SHOW STATUS',
      'SELECT * FROM information_schema.tables LIMIT 1',
    ]);
  });
}
