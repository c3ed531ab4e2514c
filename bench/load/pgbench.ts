// pgbench as load: select-only, the field's own measure.

import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { Address } from '../targets/target.ts';

const run = promisify(execFile);

export type PgbenchMode = 'simple' | 'extended' | 'prepared';

/**
 * Selects a second over `connections`, the time to connect left out. The count of selects is given, not the time (`-T`), which
 * would begin before the logins. Throws where a transaction failed.
 */
export async function pgbench(at: Address, mode: PgbenchMode, connections: number, selects: number): Promise<number> {
  const each = Math.max(1, Math.round(selects / connections));
  const flags = ['-n', '-S', '-M', mode, '-c', String(connections), '-j', '1', '-t', String(each)];
  const { stdout } = await run(
    'pgbench',
    [...flags, '-h', at.host, '-p', String(at.port), '-U', at.user, at.database],
    {
      env: { ...process.env, PGPASSWORD: at.password, PGSSLMODE: 'disable', PGGSSENCMODE: 'disable' },
      timeout: 60_000,
    },
  );
  const failed = /number of failed transactions: (\d+)/.exec(stdout)?.[1];
  const rate = /tps = ([\d.]+) \(without initial connection time\)/.exec(stdout)?.[1];
  if (failed !== '0' || rate === undefined) throw new Error(`pgbench failed: ${stdout}`);
  return Number(rate);
}
