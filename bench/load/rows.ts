// One large result, read as fast as it comes, in a process of its own.
//
// `node rows.ts <RowsLoad as JSON>` prints a RowsResult as JSON.

import { fileURLToPath } from 'node:url';
import type { Address } from '../targets/target.ts';
import { wireOf } from './wire.ts';

export interface RowsLoad extends Address {
  readonly sql: string;
  /** How many rows the result must have. */
  readonly rows: number;
}

export interface RowsResult {
  readonly seconds: number;
  readonly bytes: number;
}

export async function run(load: RowsLoad): Promise<RowsResult> {
  const wire = wireOf(load.protocol);
  const result = wire.rows(load.sql, load.rows);
  let bytes = 0;
  let finish = () => {};
  const finished = new Promise<void>((resolve) => {
    finish = resolve;
  });
  const socket = await wire.login(
    load,
    (chunk) => {
      bytes += chunk.length;
      if (result.take(chunk)) finish();
    },
    1 << 18,
  );
  const begin = performance.now();
  socket.write(result.first);
  await finished;
  const seconds = (performance.now() - begin) / 1000;
  socket.end(wire.goodbye);
  return { seconds, bytes };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  process.stdout.write(JSON.stringify(await run(JSON.parse(process.argv[2] ?? '{}') as RowsLoad)));
}
