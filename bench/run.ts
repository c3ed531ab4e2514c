// `make bench`: the gateway against a bare pipe, a pooler, a proxy and the database itself, interleaved on one machine.
//
// BENCH_QUICK=1 measures briefly, under 90 s, and fails nothing: it is a look, not a judgement.
// BENCH_ONLY=<text> measures only the rows whose id contains it. BENCH_ACCEPT=1 takes the ratios as the accepted ones.

import { freemem } from 'node:os';
import { startPostgres } from '../test/servers/postgres.ts';
import { type Case, cases, type Plan } from './cases.ts';
import { dataSql } from './data.ts';
import { judge, type Row, readBaseline, table, writeBaseline, writeResults } from './report.ts';
import { startGateway } from './targets/gateway.ts';
import { installed, startHaProxy, startPgBouncer, startPipe } from './targets/start.ts';
import type { Target } from './targets/target.ts';

const quick = process.env.BENCH_QUICK === '1';
const only = process.env.BENCH_ONLY ?? '';
const PEOPLE = quick ? 100_000 : 1_000_000;
/** What a PostgreSQL backend and the two sides of a session take, with room. */
const BYTES_A_SESSION = 4 * 1024 * 1024;
/** The whole takes at most eight minutes. */
const LAST_RETRY_MS = 6 * 60_000;

async function main(): Promise<number> {
  const begin = performance.now();
  progress(`PostgreSQL with ${PEOPLE.toLocaleString('en')} rows of data …`);
  const idleSessions = Math.min(quick ? 300 : 2000, Math.floor(freemem() / BYTES_A_SESSION));
  const targets: Target[] = [];
  try {
    const postgres = await startPostgres({
      settings: { max_connections: idleSessions + 100, shared_buffers: '512MB', jit: false },
      sql: dataSql(PEOPLE),
    });
    targets.push({ ...postgres, name: 'direct' });
    for (const [name, start] of [
      ['HAProxy', startHaProxy],
      ['PgBouncer', startPgBouncer],
    ] as const) {
      const target = await start(postgres).catch((error: Error) => progress(`${name}: ${error.message}`));
      if (target) targets.push(target);
      else progress(`${name} is left out: it is not installed or does not start`);
    }
    targets.push(await startPipe(postgres));
    targets.push(await startGateway({ upstream: postgres }));

    const plan: Plan = {
      targets,
      rounds: quick ? 1 : 5,
      seconds: quick ? 0.6 : 1,
      people: PEOPLE,
      idleSessions,
      pgbench: installed('pgbench', ['--version']) !== null,
    };
    const rows = await measureAll(plan, begin);
    process.stdout.write(`\n${table(rows)}\n`);
    writeResults(rows, quick);
    if (process.env.BENCH_ACCEPT === '1') writeBaseline(rows, readBaseline());
    return verdict(rows, begin);
  } finally {
    for (const target of targets.toReversed()) await target.stop();
  }
}

async function measureAll(plan: Plan, begin: number): Promise<Row[]> {
  const baseline = readBaseline();
  const wanted = cases(plan).filter(({ id }) => id.includes(only));
  const rows: Row[] = [];
  for (const [index, of] of wanted.entries()) {
    progress(`${index + 1}/${wanted.length} ${of.label} …`);
    let row = judge(of, await attempt(of, plan.targets), baseline);
    // Noise must not fail a row: one that does is measured again, while there is time, and judged by all its rounds.
    if (row.mistake !== null && !quick && row.value !== null && performance.now() - begin < LAST_RETRY_MS) {
      progress(`${index + 1}/${wanted.length} ${of.label}: again …`);
      row = judge(of, await attempt(of, plan.targets), baseline);
    }
    rows.push(row);
  }
  return rows;
}

/** A row that cannot be measured fails by itself; the others are still worth having. */
async function attempt(of: Case, targets: readonly Target[]): ReturnType<Case['measure']> {
  try {
    return await of.measure();
  } catch (error) {
    // A command line has the login's password in it.
    const message = String(error instanceof Error ? error.message : error).replace(/Command failed: .*\n/, '');
    const lines = message.trimEnd().split('\n');
    const telling = lines.filter((line) => /error|fatal|refused|failed:/i.test(line));
    progress(`${of.id}: ${(telling.length > 0 ? telling : lines).slice(-3).join(' ')}`);
    for (const { name, lastWords } of targets) {
      const words = lastWords?.();
      if (words) progress(`the ${name} has ended by itself: ${words.slice(-2000)}`);
    }
    return { value: Number.NaN, figures: {} };
  }
}

function verdict(rows: readonly Row[], begin: number): number {
  const failed = rows.filter(({ mistake }) => mistake !== null);
  progress(`done in ${((performance.now() - begin) / 1000).toFixed(0)} s; bench/results.json`);
  for (const { case: of, value, mistake } of failed) {
    process.stderr.write(`bench: ${of.id} is ${value?.toFixed(3) ?? 'missing'}: ${mistake}\n`);
  }
  if (quick && failed.length > 0) progress('a quick run fails nothing');
  return failed.length > 0 && !quick ? 1 : 0;
}

function progress(line: string): void {
  process.stderr.write(`bench: ${line}\n`);
}

process.exitCode = await main();
