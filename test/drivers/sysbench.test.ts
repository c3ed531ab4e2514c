// sysbench through the gateway: no error, in text and with prepared statements, alone and in a crowd.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FLAVOURS } from '../servers/mysql.ts';
import { mysqlStand } from './mysql-stand.ts';
import { missing, READ, READ_WRITE, run } from './stand.ts';

const skip = await missing('sysbench', '--version');

interface Login {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string;
}

function sysbench({ host, port, user, password }: Login, script: string, command: string, ...args: string[]) {
  const login = [
    `--mysql-host=${host}`,
    `--mysql-port=${port}`,
    `--mysql-user=${user}`,
    `--mysql-password=${password}`,
  ];
  const size = ['--tables=2', '--table-size=200', '--mysql-db=shop'];
  return run('sysbench', [script, ...login, ...size, ...args, command], {});
}

for (const flavour of FLAVOURS) {
  const bench = mysqlStand(flavour, ['nothing', 'the table read'], {
    async prepare(gateway) {
      if (skip) return;
      const login = await gateway.login({ scopes: ['db:db:read+write+ddl+admin'] });
      const { code, out } = await sysbench(login, 'oltp_read_write', 'prepare');
      assert.equal(code, 0, out);
    },
  });

  for (const masking of ['nothing', 'the table read'] as const) {
    for (const prepared of ['disable', 'auto']) {
      for (const [script, scopes, events] of [
        ['oltp_point_select', READ, 2_000],
        ['oltp_read_only', READ, 60],
        ['oltp_read_write', READ_WRITE, 60],
      ] as const) {
        test(`${script} at ${flavour}, prepared statements: ${prepared}, ${masking} masked`, { skip }, async () => {
          const login = await bench.gateway(masking).login({ scopes });
          const flags = [`--db-ps-mode=${prepared}`, '--threads=16', `--events=${events}`, '--time=0'];
          const { code, out, err } = await sysbench(login, script, 'run', ...flags, '--mysql-ignore-errors=1213,1020');
          assert.equal(code, 0, out + err);
          assert.match(out, new RegExp(`total number of events: +${events}`));
        });
      }
    }
  }
}
