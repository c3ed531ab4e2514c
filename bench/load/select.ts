// The bench's own load, in a process of its own: point selects over some connections, each sending its next when the reply is
// whole.
//
// `node select.ts <SelectLoad as JSON>` prints a SelectResult as JSON.

import { fileURLToPath } from 'node:url';
import { ACCOUNTS } from '../data.ts';
import type { Address } from '../targets/target.ts';
import { type Mode, wireOf } from './wire.ts';

export interface SelectLoad extends Address {
  readonly mode: Mode;
  readonly connections: number;
  readonly warmupMs: number;
  readonly measureMs: number;
}

export interface SelectResult {
  /** Selects a second. */
  readonly rate: number;
  /** Median time from the request's write to the reply's end, in µs. */
  readonly medianUs: number;
}

export async function run(load: SelectLoad): Promise<SelectResult> {
  const wire = wireOf(load.protocol);
  const latencies = new Float64Array(1 << 20);
  let count = 0;
  let phase: 'warm' | 'measure' | 'over' = 'warm';
  let working = load.connections;
  let finish = () => {};
  const finished = new Promise<void>((resolve) => {
    finish = resolve;
  });

  const start = async () => {
    let sentAt = 0;
    const points = wire.points(load.mode);
    const send = () => {
      sentAt = performance.now();
      socket.write(points.next(1 + Math.floor(Math.random() * ACCOUNTS)));
    };
    const socket = await wire.login(load, (chunk) => {
      if (!points.take(chunk)) return;
      if (phase === 'measure') {
        if (count < latencies.length) latencies[count] = performance.now() - sentAt;
        count++;
      }
      if (phase !== 'over') send();
      else if (--working === 0) finish();
    });
    return { socket, send, first: points.first };
  };
  const sessions = await Promise.all(Array.from({ length: load.connections }, start));
  for (const { socket, send, first } of sessions) {
    socket.on('close', () => phase === 'over' || process.exit(1));
    if (first === null) send();
    else socket.write(first);
  }
  await new Promise((resolve) => setTimeout(resolve, load.warmupMs));
  phase = 'measure';
  const begin = performance.now();
  await new Promise((resolve) => setTimeout(resolve, load.measureMs));
  const seconds = (performance.now() - begin) / 1000;
  const measured = count;
  phase = 'over';
  await finished;
  for (const { socket } of sessions) socket.end(wire.goodbye);
  const sorted = latencies.subarray(0, Math.min(measured, latencies.length)).sort();
  return { rate: measured / seconds, medianUs: (sorted[sorted.length >> 1] ?? Number.NaN) * 1000 };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  process.stdout.write(JSON.stringify(await run(JSON.parse(process.argv[2] ?? '{}') as SelectLoad)));
}
