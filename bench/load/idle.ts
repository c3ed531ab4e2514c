// Sessions that log in and then say nothing, in a process of its own.
//
// `node idle.ts <IdleLoad as JSON>` prints the number of sessions when all are in and ends with its standard input.

import { fileURLToPath } from 'node:url';
import type { Address } from '../targets/target.ts';
import { wireOf } from './wire.ts';

export interface IdleLoad extends Address {
  readonly sessions: number;
}

const AT_ONCE = 16;

export async function run(load: IdleLoad): Promise<void> {
  let left = load.sessions;
  const worker = async () => {
    while (left-- > 0) {
      const socket = await wireOf(load.protocol).login(load, () => {}, 4096);
      socket.on('close', () => process.exit(1));
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const load = JSON.parse(process.argv[2] ?? '{}') as IdleLoad;
  await run(load);
  process.stdout.write(`${load.sessions}\n`);
  process.stdin.on('end', () => process.exit()).resume();
}
