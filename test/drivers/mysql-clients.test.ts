// The stock mysql and mariadb clients do through the gateway what they do without: the oracle is the same client at the database.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FLAVOURS } from '../servers/mysql.ts';
import { client, mysqlStand } from './mysql-stand.ts';
import { assertSame, READ_WRITE, type Run, run, start } from './stand.ts';

const READS = `
SELECT id, email FROM users WHERE name = 'name 7';
SELECT 1 AS a; SELECT 2 AS b; SELECT NULL AS c, '' AS d, 'tab\\there' AS e;
SELECT * FROM orders ORDER BY id LIMIT 5;
SELECT u.name, SUM(o.total) AS sum FROM users u JOIN orders o ON o.user_id = u.id GROUP BY u.id, u.name ORDER BY sum DESC LIMIT 3;
SELECT * FROM big_orders ORDER BY id LIMIT 2;
SHOW TABLES;
SHOW COLUMNS FROM users;
SHOW INDEX FROM orders WHERE Column_name = 'user_id';
DESCRIBE users;
USE shop;
SELECT DATABASE();
SELECT nonsense FROM users;
SELECT 1/0 AS nothing;
SHOW WARNINGS;
SET @n = 3; SELECT @n + 1 AS four;
SET NAMES utf8mb4; SELECT 'süß' AS word, CHAR_LENGTH('süß') AS letters;
SET autocommit = 0; SELECT @@autocommit; SET autocommit = 1;
START TRANSACTION READ ONLY; SELECT COUNT(*) FROM users; SAVEPOINT s; ROLLBACK TO s; COMMIT;
PREPARE p FROM 'SELECT name FROM users WHERE id = ?'; SET @id = 4; EXECUTE p USING @id; DEALLOCATE PREPARE p;
DELIMITER //
SELECT 'another delimiter' AS word//
DELIMITER ;
WITH RECURSIVE r (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r WHERE n < 4) SELECT * FROM r;
SELECT table_name, table_rows IS NULL FROM information_schema.tables WHERE table_schema = DATABASE() ORDER BY 1;
SELECT REPEAT('long ', 5000) AS text;
SELECT /* a comment */ 1 -- and another
;
SELECT 'last' AS word;
`;

const WRITES = `
DELETE FROM scratch;
INSERT INTO scratch VALUES (1, 'one'), (2, 'two');
SELECT ROW_COUNT();
UPDATE scratch SET word = UPPER(word) WHERE id = 1;
BEGIN; DELETE FROM scratch; ROLLBACK;
INSERT INTO scratch (nope) VALUES (1);
REPLACE INTO scratch SELECT id + 10, name FROM users WHERE id < 3;
SELECT * FROM scratch ORDER BY id;
DELETE FROM scratch;
`;

for (const flavour of FLAVOURS) {
  const bench = mysqlStand(flavour, ['nothing', 'another table', 'the table read']);

  const direct = (program: 'mysql' | 'mariadb', input: string, ...more: string[]): Promise<Run> => {
    const { command, args } = client(program, bench.database, ...more);
    return run(command, args, {}, input);
  };
  const through = async (
    program: 'mysql' | 'mariadb',
    masking: 'nothing' | 'another table' | 'the table read',
    scopes: readonly string[],
    input: string,
    ...more: string[]
  ): Promise<Run> => {
    const login = { ...(await bench.gateway(masking).login({ scopes })), database: 'shop' };
    const { command, args } = client(program, login, ...more);
    return run(command, args, {}, input);
  };

  for (const program of ['mysql', 'mariadb'] as const) {
    // Oracle's client of today does not log in to a MariaDB by itself: it has no mysql_native_password.
    const alone = program === 'mysql' && flavour === 'mariadb';
    for (const masking of alone ? [] : (['nothing', 'another table'] as const)) {
      test(`${program} at ${flavour}: a session of reads looks the same, ${masking} masked`, async () => {
        const flags = ['--force', '--table', '--show-warnings', '--comments', '--verbose'];
        const expected = await direct(program, READS, ...flags);
        assertSame(await through(program, masking, ['db:db:read'], READS, ...flags), expected);
        assert.match(expected.out, /last/);
      });

      test(`${program} at ${flavour}: writes under a grant that writes, ${masking} masked`, async () => {
        const flags = ['--force', '--table', '-vvv', '--skip-comments'];
        const timeless = ({ code, out, err }: Run): Run => ({ code, err, out: out.replace(/\(\d+\.\d+ sec\)/g, '') });
        const expected = timeless(await direct(program, WRITES, ...flags));
        assertSame(timeless(await through(program, masking, READ_WRITE, WRITES, ...flags)), expected);
        assert.match(expected.out, /ONE/);
      });
    }

    test(`${program} at ${flavour}: over TLS, compressed or not, with an SQL text of 3 MiB`, async () => {
      const text = `SELECT LENGTH('${'x'.repeat(3 * 1024 * 1024)}') AS length;`;
      const flags = program === 'mysql' ? ['--ssl-mode=REQUIRED'] : ['--ssl', '--disable-ssl-verify-server-cert'];
      const seen = await through(
        program,
        'nothing',
        ['db:db:read'],
        text,
        ...flags,
        '--compress',
        '--max-allowed-packet=64M',
      );
      assert.deepEqual({ code: seen.code, out: seen.out }, { code: 0, out: `length\n${3 * 1024 * 1024}\n` });
    });

    // Oracle's client of today has no other plugin than caching_sha2_password.
    if (program === 'mariadb') {
      test(`${program} at ${flavour}: begins with mysql_native_password, and is asked for its proof`, async () => {
        const flags = ['--default-auth=mysql_native_password', '--batch'];
        const seen = await through(program, 'nothing', ['db:db:read'], 'SELECT 7 AS seven;', ...flags);
        assert.deepEqual(seen, { code: 0, out: 'seven\n7\n', err: '' });
      });
    }

    test(`${program} at ${flavour}: a refusal is an error of the statement, and the next one works`, async () => {
      const seen = await through(program, 'nothing', ['db:db:read'], 'DROP TABLE users; SELECT 7 AS seven;', '--force');
      assert.match(seen.err, /ERROR 1142 \(42000\) at line 1: drop-table refused: .*needs ddl.*"decision":"deny"/);
      assert.equal(seen.out, 'seven\n7\n');
    });

    test(`${program} at ${flavour}: masked columns arrive masked`, async () => {
      const sql = 'SELECT id, email, age, born FROM users WHERE id = 3;';
      const seen = await through(program, 'the table read', ['db:db:read'], sql, '--batch');
      assert.deepEqual(seen, {
        code: 0,
        out: 'id\temail\tage\tborn\n3\t*************.com\t0\t1970-01-01\n',
        err: seen.err,
      });
    });

    test(`${program} at ${flavour}: Ctrl-C cancels the statement, and the session goes on`, async () => {
      const login = { ...(await bench.gateway('nothing').login()), database: 'shop' };
      const { command, args } = client(program, login, '--force');
      const running = start(command, args, {}, 'SELECT SLEEP(600) AS slept; SELECT 7 AS seven;');
      await bench.sleeping();
      running.child.kill('SIGINT');
      const ended = await running.ended;
      assert.doesNotMatch(ended.out, /slept\n0\n/);
    });
  }
}
