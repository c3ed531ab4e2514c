// sysbench as load: its point selects, in text and with prepared statements.

import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { ACCOUNTS } from '../data.ts';
import type { Address } from '../targets/target.ts';
import type { Mode } from './wire.ts';

const run = promisify(execFile);

const SCRIPT = 'oltp_point_select';

function flags({ host, port, user, password, database }: Address): string[] {
  const login = [
    `--mysql-host=${host}`,
    `--mysql-port=${port}`,
    `--mysql-user=${user}`,
    `--mysql-password=${password}`,
  ];
  return [SCRIPT, ...login, `--mysql-db=${database}`, '--mysql-ssl=off', '--tables=1', `--table-size=${ACCOUNTS}`];
}

/** Makes its table, in the database itself. */
export async function prepareSysbench(at: Address): Promise<void> {
  await run('sysbench', [...flags(at), 'prepare'], { timeout: 120_000 });
}

/** Selects a second over `connections` for `seconds`. Throws where one failed. */
export async function sysbench(at: Address, mode: Mode, connections: number, seconds: number): Promise<number> {
  const load = [
    `--threads=${connections}`,
    `--time=${seconds}`,
    `--db-ps-mode=${mode === 'simple' ? 'disable' : 'auto'}`,
  ];
  const { stdout } = await run('sysbench', [...flags(at), ...load, 'run'], { timeout: 60_000 });
  const rate = /transactions: +\d+ +\(([\d.]+) per sec\.\)/.exec(stdout)?.[1];
  if (rate === undefined || !/ignored errors: +0 /.test(stdout)) throw new Error(`sysbench failed: ${stdout}`);
  return Number(rate);
}
