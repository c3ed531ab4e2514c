import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { test } from 'node:test';
import { clientOf, FLAVOURS, startMysql } from './mysql.ts';

for (const flavour of FLAVOURS) {
  test(`${flavour} starts, answers drivers and its own client, and leaves nothing behind`, async (t) => {
    const server = await startMysql(flavour, { sql: ['CREATE TABLE t (a INT)', 'INSERT INTO t VALUES (1), (2)'] });
    t.after(server.stop);
    assert.match(server.version, flavour === 'mariadb' ? /MariaDB/ : /^9\./);
    assert.deepEqual(await server.query('SELECT sum(a) = ? AS right_sum FROM t', [3]), [{ right_sum: 1 }]);
    const [program = '', ...first] = clientOf(flavour);
    const login = ['-h', server.host, '-P', String(server.port), '-u', server.user, `-p${server.password}`];
    const out = execFileSync(program, [...first, '--no-defaults', ...login, '-N', '-e', 'SELECT a FROM t', 'shop'], {
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    assert.equal(out.toString(), '1\n2\n');
    await server.stop();
    assert.ok(!existsSync(server.dir));
  });
}
