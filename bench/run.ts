// `make bench`: the gateway against a bare pipe, a pooler, a proxy and the database itself, interleaved on one machine; PostgreSQL
// first, then MariaDB, then MySQL.
//
// BENCH_QUICK=1 measures briefly, under two minutes, and fails nothing: it is a look, not a judgement.
// BENCH_ONLY=<text> measures only the rows whose id contains it. BENCH_ACCEPT=1 takes the ratios as the accepted ones.

import { freemem } from 'node:os';
import { type MysqlFlavour, startMysql } from '../test/servers/mysql.ts';
import { startPostgres } from '../test/servers/postgres.ts';
import { type Case, cases, mysqlCases, warmUp } from './cases.ts';
import { dataSql, mysqlDataSql } from './data.ts';
import { prepareSysbench } from './load/sysbench.ts';
import { judge, type Row, readBaseline, table, writeBaseline, writeResults } from './report.ts';
import { startGateway } from './targets/gateway.ts';
import { installed, startHaProxy, startPgBouncer, startPipe } from './targets/start.ts';
import type { Target } from './targets/target.ts';

const quick = process.env.BENCH_QUICK === '1';
const only = process.env.BENCH_ONLY ?? '';
const PEOPLE = quick ? 100_000 : 1_000_000;
/** What a PostgreSQL backend and the two sides of a session take, with room. */
const BYTES_A_SESSION = 4 * 1024 * 1024;
/** The whole takes at most fifteen minutes. */
const LAST_RETRY_MS = 12 * 60_000;

async function main(): Promise<number> {
  const begin = performance.now();
  const rows = [
    ...(await withPostgres(begin)),
    ...(await withMysql('mariadb', begin)),
    ...(await withMysql('mysql', begin)),
  ];
  process.stdout.write(`\n${table(rows)}\n`);
  writeResults(rows, quick);
  if (process.env.BENCH_ACCEPT === '1') writeBaseline(rows, readBaseline());
  return verdict(rows, begin);
}

const ROUNDS = quick ? 1 : 5;
const SECONDS = quick ? 0.6 : 1;

async function withPostgres(begin: number): Promise<Row[]> {
  const idleSessions = Math.min(quick ? 300 : 2000, Math.floor(freemem() / BYTES_A_SESSION));
  const plan = { prefix: '', database: null, rounds: ROUNDS, seconds: SECONDS, people: PEOPLE, idleSessions };
  return measured(
    begin,
    (targets) => cases({ ...plan, targets, program: installed('pgbench', ['--version']) !== null }),
    async (targets) => {
      progress(`PostgreSQL with ${PEOPLE.toLocaleString('en')} rows of data …`);
      const postgres = await startPostgres({
        settings: { max_connections: idleSessions + 100, shared_buffers: '512MB', jit: false },
        sql: dataSql(PEOPLE),
      });
      targets.push({ ...postgres, protocol: 'postgres', name: 'direct' });
      return [
        ['HAProxy', startHaProxy],
        ['PgBouncer', startPgBouncer],
      ];
    },
  );
}

/** Oracle's MySQL gets the two main rows. */
async function withMysql(flavour: MysqlFlavour, begin: number): Promise<Row[]> {
  const brief = flavour === 'mysql';
  const people = brief ? 1000 : PEOPLE;
  const database = brief ? 'MySQL' : 'MariaDB';
  const program = !brief && installed('sysbench', ['--version']) !== null;
  const plan = { prefix: `${flavour}-`, database, rounds: ROUNDS, seconds: SECONDS, people, idleSessions: 0, program };
  return measured(
    begin,
    (targets) => mysqlCases({ ...plan, targets }, brief),
    async (targets) => {
      progress(`${database} with ${people.toLocaleString('en')} rows of data …`);
      const server = await startMysql(flavour, {
        settings: { 'max-connections': 500, 'innodb-buffer-pool-size': 512 * 1024 * 1024 },
        sql: mysqlDataSql(people),
      });
      const direct: Target = { ...server, protocol: 'mysql', name: 'direct' };
      targets.push(direct);
      if (program) await prepareSysbench(direct);
      return [['HAProxy', startHaProxy]];
    },
  );
}

type Starter = readonly [name: string, start: (upstream: Target) => Promise<Target | null>];

/** Starts a database, what stands before it and the gateway, measures, and ends them all. */
async function measured(
  begin: number,
  list: (targets: readonly Target[]) => Case[],
  start: (targets: Target[]) => Promise<readonly Starter[]>,
): Promise<Row[]> {
  if (list([]).every(({ id }) => !id.includes(only))) return [];
  const targets: Target[] = [];
  try {
    const others = await start(targets);
    const [direct] = targets;
    if (direct === undefined) throw new Error('there is no database');
    for (const [name, startOther] of others) {
      const target = await startOther(direct).catch((error: Error) => progress(`${name}: ${error.message}`));
      if (target) targets.push(target);
      else progress(`${name} is left out: it is not installed or does not start`);
    }
    targets.push(await startPipe(direct));
    targets.push(await startGateway({ upstream: direct }));
    if (!quick) await warmUp(targets);
    return await measureAll(list(targets), targets, begin);
  } finally {
    for (const target of targets.toReversed()) await target.stop();
  }
}

async function measureAll(all: readonly Case[], targets: readonly Target[], begin: number): Promise<Row[]> {
  const baseline = readBaseline();
  const wanted = all.filter(({ id }) => id.includes(only));
  const rows: Row[] = [];
  for (const [index, of] of wanted.entries()) {
    progress(`${index + 1}/${wanted.length} ${of.label} …`);
    let row = judge(of, await attempt(of, targets), baseline);
    // Noise must not fail a row: one that does is measured again, while there is time, and judged by all its rounds.
    if (row.mistake !== null && !quick && row.value !== null && performance.now() - begin < LAST_RETRY_MS) {
      progress(`${index + 1}/${wanted.length} ${of.label}: again …`);
      row = judge(of, await attempt(of, targets), baseline);
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
