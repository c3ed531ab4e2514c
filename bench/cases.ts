// The rows of the benchmark's table: what each measures, and the least that is good enough.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { MASKED_RESULT, PLAIN_RESULT, WIDE_MASKED_RESULT, WIDE_PLAIN_RESULT } from './data.ts';
import { detectorSpeed } from './detectors.ts';
import { type PgbenchMode, pgbench } from './load/pgbench.ts';
import type { RowsResult } from './load/rows.ts';
import type { SelectResult } from './load/select.ts';
import { sysbench } from './load/sysbench.ts';
import type { TaskResult } from './load/task.ts';
import { addressOf, againstPipe, interleave, median, runLoad, type Samples } from './measure.ts';
import { startGateway } from './targets/gateway.ts';
import type { Target, TargetName } from './targets/target.ts';
import { coldVerdict } from './verdict.ts';

export interface Plan {
  /** Before the ids of its rows. */
  readonly prefix: string;
  /** The database, for people; null: PostgreSQL, as it always was. */
  readonly database: string | null;
  readonly targets: readonly Target[];
  /** One round is a look: some rows are left out. */
  readonly rounds: number;
  /** Seconds of load in one round on one target. */
  readonly seconds: number;
  readonly people: number;
  readonly idleSessions: number;
  /** pgbench or sysbench is installed. */
  readonly program: boolean;
}

export interface Measured {
  /** The row's figure; null where there is nothing to measure yet. */
  readonly value: number | null;
  /** What each target did, in the row's own unit. */
  readonly figures: Partial<Record<TargetName, number>>;
  readonly note?: string;
}

export interface Case {
  readonly id: string;
  readonly label: string;
  /** Of `value`. A ratio is compared with the baseline; the others depend on the machine, and have only their limit. */
  readonly unit: 'ratio' | 'ms' | 'µs' | 'KiB' | 'MiB';
  readonly figureUnit: string;
  /** A ratio below it, or another figure above it, fails. */
  readonly limit: number | null;
  /** What is aimed at. */
  readonly goal: number | null;
  /** Called again, it measures more, and answers for all that it measured. */
  measure(): Promise<Measured>;
}

export function cases(plan: Plan): Case[] {
  const list: Case[] = [];
  for (const connections of [8, 32]) {
    for (const mode of ['simple', 'extended', 'prepared'] as const) {
      if (plan.program && (plan.rounds > 1 || mode !== 'extended')) list.push(pgbenchCase(plan, mode, connections));
    }
    for (const mode of ['simple', 'prepared'] as const) list.push(selectCase(plan, mode, connections));
  }
  for (const mode of ['simple', 'prepared'] as const) list.push(latencyCase(plan, mode));
  list.push(taskCase(plan), ...resultCases(plan), detectorCase(), verdictCase(plan), idleCase(plan));
  return list;
}

/** MySQL and MariaDB: the same, by sysbench and the own load. `brief`: the two main rows. */
export function mysqlCases(plan: Plan, brief: boolean): Case[] {
  const modes = ['simple', 'prepared'] as const;
  const selects = modes.map((mode) => selectCase(plan, mode, 8));
  if (brief) return selects;
  const sysbenches = plan.program ? modes.map((mode) => sysbenchCase(plan, mode, 8)) : [];
  const crowded = modes.map((mode) => selectCase(plan, mode, 32));
  const latencies = modes.map((mode) => latencyCase(plan, mode));
  return [...sysbenches, ...selects, ...crowded, ...latencies, taskCase(plan), ...resultCases(plan), verdictCase(plan)];
}

/** Of each row, before its first that counts. */
const WARM_UP_ROUNDS = 2;
const WARM_UP_MS = 4_000;

/** Those that V8 compiles while they run: what they do for hours is measured, not their first seconds. */
const compiledTargets = (targets: readonly Target[]) =>
  targets.filter(({ name }) => name === 'pipe' || name === 'gateway');

/** Puts every kind of load on what has just been started. */
export async function warmUp(targets: readonly Target[]): Promise<void> {
  for (const mode of ['simple', 'prepared'] as const) {
    const load = { mode, connections: 32, warmupMs: 0, measureMs: WARM_UP_MS };
    for (const target of compiledTargets(targets)) await runLoad<unknown, SelectResult>('select.ts', target, load);
  }
}

/** Selects a second that any machine does. */
const FIRST_RATE = 10_000;

const POINT_SELECTS = { unit: 'ratio', figureUnit: '1/s', limit: 0.75, goal: 0.9 } as const;

function pgbenchCase(plan: Plan, mode: PgbenchMode, connections: number): Case {
  // Each target gets as many selects as it did in `plan.seconds` the last time.
  const rates: Partial<Record<TargetName, number>> = {};
  return {
    ...POINT_SELECTS,
    // Parsing each time is nobody's fast path: it is compared with its past only.
    limit: mode === 'extended' ? null : POINT_SELECTS.limit,
    id: `pgbench-${mode}-${connections}`,
    label: `point selects, pgbench ${mode}, ${connections} connections`,
    measure: repeated(plan, async (target) => {
      const selects = (rates[target.name] ?? FIRST_RATE) * plan.seconds;
      const rate = await pgbench(target, mode, connections, selects);
      rates[target.name] = rate;
      return rate;
    }),
  };
}

function sysbenchCase(plan: Plan, mode: 'simple' | 'prepared', connections: number): Case {
  return {
    ...POINT_SELECTS,
    id: `${plan.prefix}sysbench-${mode}-${connections}`,
    label: named(plan, `point selects, sysbench ${mode}, ${connections} connections`),
    measure: repeated(plan, (target) => sysbench(target, mode, connections, Math.max(1, Math.round(plan.seconds)))),
  };
}

function named({ database }: Plan, label: string): string {
  return database === null ? label : `${database}: ${label}`;
}

function selectCase(plan: Plan, mode: 'simple' | 'prepared', connections: number): Case {
  const load = { mode, connections, warmupMs: 200, measureMs: plan.seconds * 1000 };
  return {
    ...POINT_SELECTS,
    id: `${plan.prefix}select-${mode}-${connections}`,
    label: named(plan, `point selects, own load ${mode}, ${connections} connections`),
    measure: repeated(plan, async (target) => (await runLoad<unknown, SelectResult>('select.ts', target, load)).rate),
  };
}

function latencyCase(plan: Plan, mode: 'simple' | 'prepared'): Case {
  const load = { mode, connections: 1, warmupMs: 200, measureMs: plan.seconds * 1000 };
  return {
    id: `${plan.prefix}latency-${mode}`,
    label: named(plan, `1 connection, ${mode}: median beyond the pipe's`),
    unit: 'µs',
    figureUnit: 'µs',
    limit: 25,
    goal: null,
    measure: repeated(
      plan,
      async (target) => (await runLoad<unknown, SelectResult>('select.ts', target, load)).medianUs,
      (figure, pipe) => figure - pipe,
    ),
  };
}

/** From the request for a grant to the first answer under it, beyond a login and a select at the database itself. */
function taskCase(plan: Plan): Case {
  const targets = plan.targets.filter(({ name }) => name === 'direct' || name === 'gateway');
  const samples: Samples = {};
  return {
    id: `${plan.prefix}task`,
    label: named(plan, 'from asking for a grant to its first answer: beyond the database'),
    unit: 'ms',
    figureUnit: 'ms',
    limit: 50,
    goal: null,
    async measure() {
      for (let round = 0; round < plan.rounds; round++) {
        for (const target of round % 2 === 0 ? targets : targets.toReversed()) {
          const load = { grants: target.grants, warmups: 3, tasks: 10 };
          const { medianMs } = await runLoad<unknown, TaskResult>('task.ts', target, load);
          samples[target.name] = [...(samples[target.name] ?? []), medianMs];
        }
      }
      const figures = medians(samples);
      return { value: (figures.gateway ?? Number.NaN) - (figures.direct ?? Number.NaN), figures };
    },
  };
}

/** Measures `plan.rounds` more each time it is called; the value is the gateway's against the pipe's. */
function repeated(
  plan: Plan,
  measure: (target: Target) => Promise<number>,
  compare = (figure: number, pipe: number) => figure / pipe,
): () => Promise<Measured> {
  const samples: Samples = {};
  return async () => {
    if (samples.gateway === undefined && plan.rounds > 1) {
      await interleave(compiledTargets(plan.targets), WARM_UP_ROUNDS, measure);
    }
    await interleave(plan.targets, plan.rounds, measure, samples);
    return { value: againstPipe(samples, 'gateway', compare), figures: medians(samples) };
  };
}

function medians(samples: Samples): Measured['figures'] {
  return Object.fromEntries(Object.entries(samples).map(([name, figures]) => [name, median(figures)]));
}

function resultCases(plan: Plan): Case[] {
  const gateway = plan.targets.find(({ name }) => name === 'gateway');
  const rows = plan.people.toLocaleString('en');
  const rate = (sql: string) => async (target: Target) => {
    const { seconds } = await runLoad<unknown, RowsResult>('rows.ts', target, { sql, rows: plan.people });
    return plan.people / seconds;
  };
  const result = (id: string, label: string, limit: number, sql: string): Case => {
    const again = repeated(plan, rate(sql));
    return {
      id: `${plan.prefix}${id}`,
      label: named(plan, label),
      unit: 'ratio',
      figureUnit: 'rows/s',
      limit,
      goal: null,
      async measure() {
        if (gateway === undefined || !HAS_PROC) return again();
        forgetPeak(gateway.pid);
        const measured = await again();
        return { ...measured, note: `gateway peak ${(memory(gateway.pid, 'VmHWM') / 1024).toFixed(0)} MiB` };
      },
    };
  };
  return [
    result('rows-unmasked', `a result of ${rows} rows, nothing masked`, 0.9, PLAIN_RESULT),
    result('rows-masked', `a result of ${rows} rows, 1 of 6 columns masked`, 0.4, MASKED_RESULT),
    maskingCase(plan, rate),
  ];
}

/** What masking itself costs: the gateway's rate with two of eight columns masked against its own without. */
function maskingCase(plan: Plan, rate: (sql: string) => (target: Target) => Promise<number>): Case {
  const gateway = plan.targets.find(({ name }) => name === 'gateway');
  const ratios: number[] = [];
  return {
    id: `${plan.prefix}rows-masking`,
    label: named(plan, `${plan.people.toLocaleString('en')} rows, 2 of 8 columns masked against none`),
    unit: 'ratio',
    figureUnit: 'rows/s',
    limit: 0.5,
    goal: null,
    async measure() {
      if (gateway === undefined) return { value: null, figures: {} };
      let masked = 0;
      for (let round = 0; round < plan.rounds; round++) {
        const plain = await rate(WIDE_PLAIN_RESULT)(gateway);
        masked = await rate(WIDE_MASKED_RESULT)(gateway);
        ratios.push(masked / plain);
      }
      return { value: median(ratios), figures: { gateway: masked } };
    },
  };
}

/** Detectors over text columns, all of them on, against a naive loop of regular expressions, in this process. */
function detectorCase(): Case {
  return {
    id: 'detectors',
    label: 'detectors over text columns, all on, against JavaScript regexes',
    unit: 'ratio',
    figureUnit: 'MB/s',
    limit: null,
    goal: null,
    async measure() {
      const { detectors, ratio } = detectorSpeed();
      return { value: ratio, figures: { gateway: detectors }, note: 'at least 120 MB/s on a quiet core' };
    },
  };
}

function verdictCase(plan: Plan): Case {
  const protocol = plan.database === null ? 'postgres' : 'mysql';
  return {
    id: `${plan.prefix}cold-verdict`,
    label: named(plan, 'verdict on a new text (median of ordinary statements)'),
    unit: 'µs',
    figureUnit: 'µs',
    limit: 80,
    goal: null,
    async measure() {
      const value = await coldVerdict(protocol);
      return { value, figures: { gateway: value } };
    },
  };
}

function idleCase(plan: Plan): Case {
  const upstream = plan.targets.find(({ name }) => name === 'direct');
  return {
    id: 'idle-session',
    label: `memory of an idle session (of ${plan.idleSessions.toLocaleString('en')})`,
    unit: 'KiB',
    figureUnit: 'KiB',
    limit: 64,
    goal: null,
    async measure() {
      if (upstream === undefined || !HAS_PROC) return { value: null, figures: {} };
      // One of its own: the other's heap still shrinks after what it was put through.
      const gateway = await startGateway({ upstream });
      try {
        // The first sessions bring in code and buffers that later ones share.
        await holdIdle(gateway, 50, () => 0);
        const before = await settledMemory(gateway.pid);
        const after = await holdIdle(gateway, plan.idleSessions, () => settledMemory(gateway.pid));
        const value = (after - before) / plan.idleSessions;
        return { value, figures: { gateway: value } };
      } finally {
        await gateway.stop();
      }
    },
  };
}

/** Opens idle sessions in a process of their own, runs `during` while they are there, ends them. */
async function holdIdle<T>(target: Target, sessions: number, during: () => T | Promise<T>): Promise<T> {
  const file = fileURLToPath(new URL('load/idle.ts', import.meta.url));
  const load = JSON.stringify({ ...addressOf(target), sessions });
  const child = spawn(process.execPath, [file, load], { stdio: ['pipe', 'pipe', 'inherit'] });
  const ended = once(child, 'exit');
  try {
    const failed = ended.then(() => Promise.reject(new Error(`${sessions} idle sessions could not be opened`)));
    await Promise.race([once(createInterface({ input: child.stdout }), 'line'), failed]);
    return await during();
  } finally {
    child.stdin.end();
    await ended;
  }
}

/** Resident KiB once it stands still: the same, within a percent, three times in a row. */
async function settledMemory(pid: number): Promise<number> {
  let last = memory(pid, 'VmRSS');
  for (let same = 0, tries = 0; same < 3 && tries < 40; tries++) {
    await new Promise((resolve) => setTimeout(resolve, 250));
    const now = memory(pid, 'VmRSS');
    same = Math.abs(now - last) < last / 100 ? same + 1 : 0;
    last = now;
  }
  return last;
}

/** Memory is only known on Linux. */
const HAS_PROC = existsSync('/proc/self/status');

/** KiB, from proc_pid_status(5). */
function memory(pid: number, field: 'VmRSS' | 'VmHWM'): number {
  const status = readFileSync(`/proc/${pid}/status`, 'latin1');
  return Number(new RegExp(`^${field}:\\s+(\\d+) kB`, 'm').exec(status)?.[1] ?? Number.NaN);
}

/** Sets VmHWM back to VmRSS (proc_pid_clear_refs(5)). */
function forgetPeak(pid: number): void {
  writeFileSync(`/proc/${pid}/clear_refs`, '5');
}
