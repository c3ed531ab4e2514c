// pgbench as load: select-only, the field's own measure.

import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { Address } from '../targets/target.ts';

const run = promisify(execFile);

export type PgbenchMode = 'simple' | 'extended' | 'prepared';

/** Transactions a second over `connections`, the time to connect left out. Throws where a transaction failed. */
export async function pgbench(at: Address, mode: PgbenchMode, connections: number, seconds: number): Promise<number> {
  const flags = ['-n', '-S', '-M', mode, '-c', String(connections), '-j', '1', '-T', String(seconds)];
  const { stdout } = await run(
    'pgbench',
    [...flags, '-h', at.host, '-p', String(at.port), '-U', at.user, at.database],
    {
      env: { ...process.env, PGPASSWORD: at.password, PGSSLMODE: 'disable', PGGSSENCMODE: 'disable' },
    },
  );
  const failed = /number of failed transactions: (\d+)/.exec(stdout)?.[1];
  const rate = /tps = ([\d.]+) \(without initial connection time\)/.exec(stdout)?.[1];
  if (failed !== '0' || rate === undefined) throw new Error(`pgbench: ${stdout}`);
  return Number(rate);
}
