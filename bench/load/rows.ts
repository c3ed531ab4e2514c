// One large result, read as fast as it comes, in a process of its own.
//
// `node rows.ts <RowsLoad as JSON>` prints a RowsResult as JSON.

import { fileURLToPath } from 'node:url';
import type { Address } from '../targets/target.ts';
import { endsReply, login, message } from './client.ts';

export interface RowsLoad extends Address {
  readonly sql: string;
  /** The tag that the result must end with: `SELECT 1000000`. */
  readonly tag: string;
}

export interface RowsResult {
  readonly seconds: number;
  readonly bytes: number;
}

export async function run(load: RowsLoad): Promise<RowsResult> {
  let bytes = 0;
  let tail: Buffer = Buffer.alloc(0);
  let finish = () => {};
  const finished = new Promise<void>((resolve) => {
    finish = resolve;
  });
  const socket = await login(
    load,
    (chunk) => {
      bytes += chunk.length;
      const end = chunk.length >= 64 ? chunk : Buffer.concat([tail, chunk]);
      if (endsReply(end) && end.includes(load.tag)) finish();
      else if (bytes < 4096 && chunk[0] === 0x45) throw new Error(`refused: ${chunk.toString('latin1')}`);
      tail = Buffer.from(end.subarray(Math.max(0, end.length - 64)));
    },
    1 << 18,
  );
  const begin = performance.now();
  socket.write(message('Q', `${load.sql}\0`));
  await finished;
  const seconds = (performance.now() - begin) / 1000;
  socket.end(message('X', ''));
  return { seconds, bytes };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  process.stdout.write(JSON.stringify(await run(JSON.parse(process.argv[2] ?? '{}') as RowsLoad)));
}
