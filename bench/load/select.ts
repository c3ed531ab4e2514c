// The bench's own load, in a process of its own: point selects over some connections, each sending its next when the reply is
// whole.
//
// `node select.ts <SelectLoad as JSON>` prints a SelectResult as JSON.

import { fileURLToPath } from 'node:url';
import { ACCOUNTS } from '../data.ts';
import type { Address } from '../targets/target.ts';
import { endsReply, login, message } from './client.ts';

export interface SelectLoad extends Address {
  /** `simple`: a new text each time; `prepared`: Bind, Describe, Execute, Sync of one named statement, as drivers do. */
  readonly mode: 'simple' | 'prepared';
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

const SELECT = 'SELECT abalance FROM pgbench_accounts WHERE aid = ';

const ERROR_RESPONSE = 0x45;

function simple(aid: number): Buffer {
  return message('Q', `${SELECT}${aid}\0`);
}

const PARSE = Buffer.concat([message('P', `point\0${SELECT}$1\0\0\0`), message('S', '')]);
const AFTER_BIND = Buffer.concat([message('D', 'P\0'), message('E', '\0\0\0\0\0'), message('S', '')]);

function prepared(aid: number): Buffer {
  const value = String(aid);
  const bind = message('B', `\0point\0\0\0\0\x01\0\0\0${String.fromCharCode(value.length)}${value}\0\0`);
  return Buffer.concat([bind, AFTER_BIND]);
}

export async function run(load: SelectLoad): Promise<SelectResult> {
  const next = load.mode === 'simple' ? simple : prepared;
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
    let tail: Buffer = Buffer.alloc(0);
    const send = () => {
      sentAt = performance.now();
      socket.write(next(1 + Math.floor(Math.random() * ACCOUNTS)));
    };
    const socket = await login(load, (chunk) => {
      if (tail.length === 0 && chunk[0] === ERROR_RESPONSE) throw new Error(`refused: ${chunk.toString('latin1')}`);
      // The end of a reply may be split over two reads: then the bytes before count too.
      const seen: Buffer = tail.length === 0 ? chunk : Buffer.concat([tail, chunk]);
      if (!endsReply(seen)) {
        tail = Buffer.from(seen.subarray(Math.max(0, seen.length - 5)));
        return;
      }
      if (tail.length > 0) tail = Buffer.alloc(0);
      if (phase === 'measure') {
        if (count < latencies.length) latencies[count] = performance.now() - sentAt;
        count++;
      }
      if (phase !== 'over') send();
      else if (--working === 0) finish();
    });
    return { socket, send };
  };
  const sessions = await Promise.all(Array.from({ length: load.connections }, start));
  for (const { socket, send } of sessions) {
    socket.on('close', () => phase === 'over' || process.exit(1));
    if (load.mode === 'simple') send();
    else socket.write(PARSE);
  }
  await new Promise((resolve) => setTimeout(resolve, load.warmupMs));
  phase = 'measure';
  const begin = performance.now();
  await new Promise((resolve) => setTimeout(resolve, load.measureMs));
  const seconds = (performance.now() - begin) / 1000;
  const measured = count;
  phase = 'over';
  await finished;
  for (const { socket } of sessions) socket.end(message('X', ''));
  const sorted = latencies.subarray(0, Math.min(measured, latencies.length)).sort();
  return { rate: measured / seconds, medianUs: (sorted[sorted.length >> 1] ?? Number.NaN) * 1000 };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  process.stdout.write(JSON.stringify(await run(JSON.parse(process.argv[2] ?? '{}') as SelectLoad)));
}
