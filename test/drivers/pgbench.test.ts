// pgbench through the gateway: no transaction fails, in any protocol, alone and in a crowd.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { libpqEnv, missing, READ, READ_WRITE, run, stand } from './stand.ts';

const skip = await missing('pgbench', '--version');
const bench = stand(['nothing', 'another table', 'the table read'], {
  async prepare({ psqlEnv }) {
    if (skip) return;
    const { code, err } = await run('pgbench', ['-i', '-q', '-I', 'dtGvp'], psqlEnv);
    assert.equal(code, 0, err);
  },
});
/** Each client's, by how many there are; what writes queues up at the only branch. */
const READING = { 1: 50, 32: 20 };
const WRITING = { 1: 20, 32: 3 };

async function pgbench(env: NodeJS.ProcessEnv, clients: number, each: number, ...args: string[]): Promise<void> {
  const { code, out, err } = await run('pgbench', ['-n', '-c', `${clients}`, '-t', `${each}`, ...args], env);
  assert.equal(code, 0, err);
  assert.match(out, new RegExp(`actually processed: ${clients * each}/${clients * each}`));
  assert.match(out, /failed transactions: 0 /);
}

for (const masking of ['nothing', 'another table', 'the table read'] as const) {
  for (const protocol of ['simple', 'extended', 'prepared']) {
    test(`${protocol} protocol, ${masking} masked`, { skip }, async () => {
      // One protocol over TLS, as libpq does where it can; the others without.
      const tls = { PGSSLMODE: protocol === 'simple' ? 'require' : 'disable' };
      const env = { ...(await libpqEnv(bench.gateway(masking), { scopes: READ })), ...tls };
      for (const clients of [1, 32] as const) await pgbench(env, clients, READING[clients], '-S', '-M', protocol);
      const writing = { ...(await libpqEnv(bench.gateway(masking), { scopes: READ_WRITE })), ...tls };
      for (const clients of [1, 32] as const) await pgbench(writing, clients, WRITING[clients], '-M', protocol);
    });
  }
}

test('the balances are those of the transactions that were told done', { skip }, async () => {
  const { out } = await run(
    'psql',
    [
      '-XAt',
      '-c',
      `SELECT (SELECT sum(abalance) FROM pgbench_accounts) = (SELECT sum(delta) FROM pgbench_history),
        (SELECT sum(tbalance) FROM pgbench_tellers) = (SELECT sum(bbalance) FROM pgbench_branches),
        (SELECT count(*) FROM pgbench_history)`,
    ],
    bench.database.psqlEnv,
  );
  assert.equal(out, `t|t|${9 * (WRITING[1] + 32 * WRITING[32])}\n`);
});

test('a read grant runs nothing of the script that writes', { skip }, async () => {
  const env = await libpqEnv(bench.gateway('nothing'), { scopes: READ });
  const { code, err } = await run('pgbench', ['-n', '-c', '4', '-t', '5', '-M', 'prepared'], env);
  assert.equal(code, 2);
  assert.match(err, /update refused: .*pgbench_accounts needs write/);
});
