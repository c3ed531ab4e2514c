// Debian's pgjdbc through the gateway, where a JDK and the driver happen to be installed.
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { missing, run, stand } from './stand.ts';

const bench = stand(['nothing', 'another table', 'the table read']);
const DRIVER = '/usr/share/java/postgresql.jar';
const SOURCE = fileURLToPath(new URL('java/WithJdbc.java', import.meta.url));

const skip = existsSync(DRIVER) ? await missing('javac', '-version') : `${DRIVER} is not there`;

for (const masking of ['nothing', 'another table', 'the table read'] as const) {
  test(`pgjdbc, ${masking} masked`, { skip }, async () => {
    const gateway = bench.gateway(masking);
    const { host, port, user, password } = await gateway.login({
      scopes: ['db:db:read', 'db:db.public.scratch:write'],
    });
    const url = `jdbc:postgresql://${host}:${port}/db`;
    const args = ['-cp', DRIVER, SOURCE, url, user, password, masking];
    assert.deepEqual(await run('java', args, {}), { code: 0, out: '', err: '' });
  });
}
