// Debian's Python drivers for MySQL through the gateway, each by a script of its own that ends with 0 where all is as it should be.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { FLAVOURS } from '../servers/mysql.ts';
import { mysqlStand } from './mysql-stand.ts';
import { missing, run } from './stand.ts';

/** Debian's own: another may stand before it in PATH. */
const PYTHON = '/usr/bin/python3';
const SCRIPTS = { pymysql: 'pymysql', MySQLdb: 'mysqlclient', sqlalchemy: 'sqlalchemy_mysql' };

for (const flavour of FLAVOURS) {
  const bench = mysqlStand(flavour, ['nothing', 'another table', 'the table read']);
  for (const [module, name] of Object.entries(SCRIPTS)) {
    const skip = await missing(PYTHON, '-c', `import ${module}`);
    for (const masking of ['nothing', 'another table', 'the table read'] as const) {
      test(`${name} at ${flavour}, ${masking} masked`, { skip }, async () => {
        const scopes = ['db:db:read', 'db:db.shop.scratch:write'];
        const { host, port, user, password } = await bench.gateway(masking).login({ scopes });
        const env = { MYSQL_HOST: host, MYSQL_TCP_PORT: `${port}`, MYSQL_USER: user, MYSQL_PASSWORD: password };
        const script = fileURLToPath(new URL(`python/with_${name}.py`, import.meta.url));
        assert.deepEqual(await run(PYTHON, ['-B', '-u', script, masking], env), { code: 0, out: '', err: '' });
      });
    }
  }
}
