// D1, D2, D3, D11: texts that the two servers, or a server in another mode, read in other ways.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { rawClient } from '../peers/mysql-raw.ts';
import { FLAVOURS } from '../servers/mysql.ts';
import {
  allAllowed,
  allRefused,
  EVERYTHING,
  failureOf,
  mysqlStand,
  READ,
  refused,
  rowsOf,
  SHOP_ADMIN,
  send,
} from './mysql-attacks.ts';

const READING = 'SELECT @@character_set_client, DATABASE()';

const STANDS = await Promise.all(FLAVOURS.map((flavour) => mysqlStand(flavour)));

for (const stand of STANDS) {
  const { flavour } = stand;

  test(`D1 ${flavour}: a comment whose content hangs on the version is refused, whatever it holds, wherever it stands`, async () => {
    for (const scope of [READ, SHOP_ADMIN]) {
      const attacker = await stand.connect(scope);
      await allRefused(stand, attacker, [
        'SELECT 1 /*!50000 ; DELETE FROM notes */',
        'SELECT 1 /*!99999 + 1 */',
        'SELECT 1 /*!080000 + 1 */',
        'SELECT 1 /*M! + 1 */',
        'SELECT 1 /*M!100100 + 1 */',
        'SELECT 1 /*! */',
        '/*!*/ SELECT 1',
        '/*!50000 DELETE */ /*!50000 FROM */ notes',
        'DELETE /*!99999 FROM nowhere -- */ FROM notes',
        'SELECT 1 -- \n/*!+1*/',
        "SELECT '\\'' /*!+1*/",
        'SELECT `a``/*` /*!+1*/ FROM orders',
        'SELECT /*+ SET_VAR(sql_mode=ANSI_QUOTES) */ 1',
        'SELECT /*+ RESOURCE_GROUP(r) */ 1',
      ]);
    }
  });

  test(`D1 ${flavour}: plain comments, and strings that look like versioned ones, work`, async () => {
    await allAllowed(await stand.connect(READ), [
      'SELECT 1 /* plain */',
      'SELECT 1 /* ! */',
      'SELECT 1 /* /*! in one */',
      'SELECT \'/*!50000 x */\', "/*M! */" AS `/*!`',
      'SELECT /*+ NO_INDEX_MERGE(orders) */ id FROM orders',
      'SELECT 1 -- /*!',
      'SELECT 1 # /*!',
    ]);
  });

  test(`D2 ${flavour}: how texts are read cannot be switched under any grant, in any spelling`, async () => {
    for (const scope of [READ, EVERYTHING]) {
      await allRefused(stand, await stand.connect(scope), [
        ...['gbk', 'sjis', 'big5', 'cp932', 'latin1', 'ucs2', 'binary', "'gbk'", 'GBK COLLATE gbk_bin', 'DEFAULT'].map(
          (charset) => `SET NAMES ${charset}`,
        ),
        'SET CHARACTER SET sjis',
        'SET CHARSET big5',
        'SET character_set_client = gbk',
        'SET @@character_set_client = gbk, @x = 1',
        "SET SESSION character_set_client = CONCAT('g', 'bk')",
        'SET character_set_connection = gbk',
        'SET character_set_results = gbk',
        'SET @a = 1, NAMES gbk',
        'SET sql_mode = ANSI_QUOTES',
        "SET sql_mode = 'NO_BACKSLASH_ESCAPES'",
        "SET SESSION sql_mode = 'PIPES_AS_CONCAT'",
        "SET @@sql_mode = 'IGNORE_SPACE'",
        'SET sql_mode = ORACLE',
        'SET sql_mode = 4',
        "SET sql_mode = CONCAT(@@sql_mode, ',ANSI')",
        'SET sql_mode = @x',
        'SET sql_mode = DEFAULT',
        'SET LOCAL sql_mode = (SELECT 1)',
        "PREPARE p FROM 'SET NAMES gbk'",
        'EXECUTE IMMEDIATE "SET NAMES gbk"',
        'SET NAMES utf8mb4; SET NAMES gbk',
      ]);
    }
    await refused(await stand.connect(READ), "SET STATEMENT sql_mode = 'ANSI_QUOTES' FOR SELECT 1");
  });

  test(`D2 ${flavour}: settings under which texts are read alike may change`, async () => {
    const attacker = await stand.connect(READ);
    await allAllowed(
      attacker,
      ['SET NAMES utf8mb4', "SET NAMES 'utf8mb3'", "SET sql_mode = 'STRICT_ALL_TABLES'", "SET sql_mode = ''"],
      ['query'],
    );
    await allAllowed(attacker, ["SELECT _latin1'abc', _utf8mb4 0x41, N'x', CONVERT('x' USING gbk)"]);
  });

  test(`D2 ${flavour}: behind the body of a routine nothing is taken for a statement`, async () => {
    const { client } = await stand.connect(EVERYTHING);
    for (const sql of [
      'CREATE PROCEDURE made() SELECT 1; SET NAMES gbk',
      'CREATE PROCEDURE made() SELECT 1; USE hidden',
      "CREATE FUNCTION made() RETURNS INT RETURN 1; SET sql_mode = 'ANSI_QUOTES'",
      'BEGIN NOT ATOMIC SELECT 1; END; SET NAMES gbk',
      'IF 1 THEN SELECT 1; END IF; USE hidden',
    ]) {
      assert.equal(failureOf(await send(client, sql))?.code, 1064, sql);
    }
    assert.deepEqual(rowsOf(await send(client, READING)), [['utf8mb4', 'shop']]);
    // Bodies with semicolons are made, and several statements in a text still work.
    assert.equal(failureOf(await send(client, 'CREATE PROCEDURE two() BEGIN SELECT 1; SELECT 2; END;')), null);
    assert.equal((await send(client, 'CALL two()')).filter(({ payload }) => payload[0] === 1).length, 4);
    assert.equal(failureOf(await send(client, 'SELECT 1; SELECT 2')), null);
    await stand.server.query('DROP PROCEDURE two');
  });

  test(`D2 ${flavour}: a session ends in which code that cannot be seen has changed how its texts are read`, async () => {
    const ways = [
      '/*!40101 SET NAMES gbk */',
      "/*!40101 SET sql_mode = 'ANSI' */",
      '/*!40101 SET character_set_connection = sjis */',
      'EXECUTE hidden',
      ...(flavour === 'mariadb' ? ['BEGIN NOT ATOMIC SET NAMES gbk; END', 'EXECUTE IMMEDIATE @v'] : []),
    ];
    for (const sql of ways) {
      const { client } = await stand.connect(EVERYTHING);
      for (const before of ["SET @v = 'SET NAMES gbk'", 'PREPARE hidden FROM @v', sql]) {
        assert.equal(failureOf(await send(client, before)), null, before);
      }
      // The check is the gateway's own, and comes before anything else of the client's.
      assert.equal(failureOf(await send(client, 'SELECT 1'))?.code, 1835, sql);
      await assert.rejects(client.next(), sql);
    }
  });

  test(`D2 ${flavour}: what code that cannot be seen changes beside that stays, and nothing can stand beside it`, async () => {
    const { client } = await stand.connect(EVERYTHING);
    for (const sql of [
      '/*!40101 SET NAMES utf8 */',
      "/*!40101 SET sql_mode = 'NO_AUTO_VALUE_ON_ZERO' */",
      'CREATE PROCEDURE harmless() DO 1',
      'CALL harmless()',
      "SET @v = 'USE hidden'",
      'PREPARE other FROM @v',
      'EXECUTE other',
    ]) {
      await send(client, sql);
    }
    assert.deepEqual(rowsOf(await send(client, `${READING}, @@sql_mode`)), [
      ['utf8mb3', 'shop', 'NO_AUTO_VALUE_ON_ZERO'],
    ]);
    for (const sql of ['CALL harmless(); SELECT 1', 'SELECT 1; CALL harmless()', 'EXECUTE IMMEDIATE @v; SELECT 1']) {
      await refused({ client, reached: () => [] }, sql);
    }
    await stand.server.query('DROP PROCEDURE harmless');
  });

  test(`D2 ${flavour}: texts are read by the sql_mode that the server gives its sessions`, async () => {
    const text = "SELECT '\\'; DELETE FROM notes; -- '";
    const [before] = await stand.server.query('SELECT @@global.sql_mode AS mode');
    const plain = await stand.connect(READ);
    assert.deepEqual(rowsOf(await send(plain.client, text)), [["'; DELETE FROM notes; -- "]]);
    await stand.server.query("SET GLOBAL sql_mode = 'NO_BACKSLASH_ESCAPES,ANSI_QUOTES,PIPES_AS_CONCAT'");
    const other = await stand.connect(READ);
    await refused(other, text);
    await refused(other, 'SELECT * FROM "mysql"."user"');
    assert.deepEqual(rowsOf(await send(other.client, `SELECT "id", 'a' || '\\' FROM orders LIMIT 1`)), [['1', 'a\\']]);
    // The verdicts of one mode are not those of the other.
    assert.deepEqual(rowsOf(await send(plain.client, text)), [["'; DELETE FROM notes; -- "]]);
    await refused(other, text);
    if (flavour === 'mariadb') {
      await stand.server.query("SET GLOBAL sql_mode = 'ORACLE'");
      const client = await rawClient({ ...(await stand.gateway.login()), database: 'shop' });
      assert.equal(failureOf(await send(client, 'SELECT 1'))?.code, 1142);
      client.close();
    }
    await stand.server.query('SET GLOBAL sql_mode = ?', [before?.mode]);
  });

  test(`D2 ${flavour}: bytes that are not UTF-8 are refused outside strings, and share no verdict`, async () => {
    const attacker = await stand.connect(READ);
    const bytes = (text: string) => Buffer.from(text, 'latin1');
    await allRefused(stand, attacker, [
      bytes('SELECT 1 AS \xbf'),
      bytes('SELECT 1 AS `\xbf`'),
      bytes('SELECT 1 /* \xbf */ \xbf'),
      bytes("SELECT '\xbf\\' OR 1; DELETE FROM notes; -- '' '\xbf"),
      bytes("SELECT '\xe0'; DELETE FROM notes; -- '"),
    ]);
    assert.deepEqual(rowsOf(await send(attacker.client, bytes("SELECT HEX('\xbf\\'\xf0')"))), [['BF27F0']]);
  });

  test(`D3 ${flavour}: what the server takes for a comment or its end, the gateway does`, async () => {
    const attacker = await stand.connect(READ);
    for (const [sql, value] of [
      ['SELECT 5--1', '6'],
      ['SELECT 5-- 1', '5'],
      ['SELECT 5--\t1', '5'],
      ['SELECT 5--\x01\n-1', '4'],
      ['SELECT 5#1\n-1', '4'],
      ['-- first\n# second\n/* third */ SELECT 5', '5'],
      ['SELECT 5 -- \r; DELETE FROM notes', '5'],
      ['SELECT 5 # \r; DELETE FROM notes', '5'],
      ['SELECT 5 /* ; DELETE FROM notes */', '5'],
      ["SELECT LENGTH('; DELETE FROM notes; -- ')", '24'],
      ["SELECT LENGTH('a''b\\'c\"d')", '7'],
    ] as const) {
      assert.deepEqual(rowsOf(await send(attacker.client, sql)), [[value]], sql);
    }
    await allRefused(stand, attacker, [
      'SELECT 5--1; DELETE FROM notes',
      'SELECT 5 -- \n; DELETE FROM notes',
      'SELECT 5 # /* \n; DELETE FROM notes -- */',
      'SELECT 5 /* -- */; DELETE FROM notes',
      "SELECT '#'; DELETE FROM notes",
      'SELECT "--" ; DELETE FROM notes',
      'SELECT `id` FROM orders; DELETE FROM notes',
      '/* a */ DELETE /* b */ FROM # c\n notes',
      '-- only\nDELETE FROM notes',
      'SELECT 1\0; DELETE FROM notes',
      'SELECT 1;\0',
      'SELECT 1 --\u00a0\n',
      'SELECT 1 /* not closed',
      "SELECT 'not closed",
      'SELECT `not closed',
      'SELECT 1\u2028DELETE',
    ]);
  });

  test(`D11 ${flavour}: a text that begins with what is not known needs admin over the whole connection`, async () => {
    for (const scope of [READ, SHOP_ADMIN]) {
      await allRefused(stand, await stand.connect(scope), [
        'FROBNICATE orders',
        'SELECTX 1',
        '{ SELECT 1 }',
        '(((DELETE FROM orders)))',
        'again: BEGIN END',
        'RETURN 1',
        'DELIMITER //',
        'SELECT 1; FROBNICATE orders',
        'SELECT 1 FROM orders FROBNICATE BY id FOR 1',
        '1',
        "'SELECT 1'",
        '`SELECT` 1',
        '@x := 1',
        '\ufeffSELECT 1',
        'ＳＥＬＥＣＴ 1',
        'DELETEFROM notes',
        'WITH x AS (SELECT 1) FROBNICATE',
        '?',
      ]);
    }
  });
}
