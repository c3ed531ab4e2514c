// What recording costs: a statement and its outcome packed, and the append that writes a turn of them, in processor time of
// the loop's thread; and what sealing them costs the other. Prints a table; with --json one line.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openRecorder, type Recorder } from '../src/record/recorder.ts';
import type { Connection, Session } from '../src/types.ts';

const STATEMENTS = 64_000;
const SESSIONS = 8;

const connection: Connection = {
  name: 'bench',
  protocol: 'postgres',
  host: '127.0.0.1',
  port: 5432,
  database: 'bench',
  user: 'bench',
  password: () => '',
  tls: { mode: 'disable' },
};

function session(number: number): Session {
  const identity = { issuer: 'local', subject: 'bench', groups: ['agents'] };
  const scopes = [
    { connection: 'bench', schema: '*', table: '*', verbs: new Set(['read'] as const), text: 'db:bench:read' },
  ];
  const times = { requestedAt: Date.now(), expiresAt: Date.now() + 600_000 };
  const grant = {
    id: 'gr_bench',
    task: 'bench',
    reason: 'to measure',
    identity,
    connection: 'bench',
    scopes,
    ...times,
  };
  const id = `se_0192f3a4b5c6d7e8f9a0_${number}`;
  return {
    id,
    protocol: 'postgres',
    grant,
    connection,
    client: '127.0.0.1:50000',
    application: 'bench',
    startedAt: Date.now(),
  };
}

const verdict = { action: 'allow', rule: 'default', reason: 'Within the scope of the grant.' } as const;
const kinds = ['select'];
const verbs = ['read'];
const relations = ['public.pgbench_accounts'];
const tags = ['SELECT 1'];
const result = Buffer.alloc(120, 68);

function pair(recorder: Recorder, id: string, n: number): void {
  const at = Date.now();
  const text = `SELECT abalance FROM pgbench_accounts WHERE aid = ${n};`;
  recorder.statement({ session: id, n, at, phase: 'query', text, parameters: null, kinds, verbs, relations, verdict });
  recorder.outcome(id, n, at, { rows: 1, bytes: 120, masked: 0, tags, error: null, result, truncated: false });
}

interface Figures {
  /** Statements, each with its outcome, of one turn of the loop. */
  readonly perTurn: number;
  /** Microseconds of processor time on the loop: packing, and the commit. */
  readonly turnMicros: number;
  readonly statementMicros: number;
  /** Microseconds of processor time elsewhere, most of it sealing. */
  readonly sealMicros: number;
}

async function measure(perTurn: number): Promise<Figures> {
  const dir = mkdtempSync(join(tmpdir(), 'record-bench-'));
  const log = { info() {}, warn() {}, error: console.error };
  const recorder = await openRecorder({ dir, durability: 'process', resultBytes: 65_536, log });
  try {
    const ids = Array.from({ length: SESSIONS }, (_, number) => session(number).id);
    for (let number = 0; number < SESSIONS; number += 1) recorder.sessionStarted(session(number));
    let n = 0;
    const run = (turns: number): void => {
      for (let done = 0; done < turns; done += 1) {
        for (let statement = 0; statement < perTurn; statement += 1) pair(recorder, ids[n % SESSIONS] ?? '', ++n);
        recorder.commit();
      }
    };
    const turns = STATEMENTS / perTurn;
    run(turns / 4);
    await recorder.settled();
    const loopBefore = process.threadCpuUsage();
    const allBefore = process.cpuUsage();
    run(turns);
    const loop = process.threadCpuUsage(loopBefore);
    await recorder.settled();
    const all = process.cpuUsage(allBefore);
    const onLoop = loop.user + loop.system;
    const elsewhere = all.user + all.system - onLoop;
    return {
      perTurn,
      turnMicros: onLoop / turns,
      statementMicros: onLoop / STATEMENTS,
      sealMicros: elsewhere / STATEMENTS,
    };
  } finally {
    await recorder.close();
    rmSync(dir, { recursive: true });
  }
}

const rows: Figures[] = [];
for (const perTurn of [1, 8, 32]) rows.push(await measure(perTurn));
if (process.argv.includes('--json')) {
  process.stdout.write(`${JSON.stringify({ record: rows })}\n`);
} else {
  process.stdout.write('statements/turn     µs/turn   µs/statement   sealing µs/statement\n');
  for (const { perTurn, turnMicros, statementMicros, sealMicros } of rows) {
    const figures = [turnMicros.toFixed(2).padStart(12), statementMicros.toFixed(2).padStart(15)];
    process.stdout.write(`${String(perTurn).padStart(15)}${figures.join('')}${sealMicros.toFixed(2).padStart(23)}\n`);
  }
}
