// Reads the corpus of ordinary queries, and asks a real gateway what becomes of one of them.

import { readFileSync } from 'node:fs';
import pg from 'pg';
import { to as copyTo } from 'pg-copy-streams';
import { startShop } from '../../demo/shop.ts';
import { startGateway, type TestGateway } from '../servers/gateway.ts';
import { type PostgresServer, startPostgres } from '../servers/postgres.ts';
import { SUBJECTS } from './schemas.ts';

export const NAMES = ['shop', 'tpch', 'pagila'] as const;
export type Name = (typeof NAMES)[number];

/** A query, and what is to become of each column of its result. */
export interface Entry {
  readonly sql: string;
  /**
   * `none` passes, `own` gets the column's own mask, `redacted` is computed from a protected value; or the one word `refused`.
   * With `!` behind it: without need, since nothing protected could come out.
   */
  readonly treatment: readonly string[];
}

const fileOf = (name: Name): URL => new URL(`corpus/${name}.sql`, import.meta.url);

/** Pairs of lines: `-- none own …`, then the query. */
export function readCorpus(name: Name): Entry[] {
  const lines = readFileSync(fileOf(name), 'utf8').split('\n');
  const entries: Entry[] = [];
  let treatment: string[] = [];
  for (const line of lines) {
    if (line.startsWith('--')) treatment = line.slice(2).split(' ').filter(Boolean);
    else if (line !== '') entries.push({ sql: line, treatment });
    if (!line.startsWith('--')) treatment = [];
  }
  return entries;
}

export interface Stand {
  /** What becomes of each query, in the words of `Entry.treatment`, and why it is refused. */
  ask(queries: readonly string[]): Promise<{ readonly treatment: string[]; readonly reason: string }[]>;
  /** What is wrong with what a client gets of a query that is treated so, or null. */
  check(sql: string, treatment: readonly string[]): Promise<string | null>;
  stop(): Promise<void>;
}

export async function openStand(name: Name): Promise<Stand> {
  const server = await serverOf(name);
  const columns =
    name === 'shop'
      ? [
          { column: 'public.customers.email', with: { partial: { keepStart: 1, keepEnd: 8 } } },
          { column: '*.*.ssn', with: 'redact' },
        ]
      : SUBJECTS[name].columns.map((column) => ({ column, with: 'redact' }));
  const gateway = await startGateway({
    upstream: server,
    connection: { masking: 'pii' },
    masking: { pii: { columns } },
  });
  const client = new pg.Client(await gateway.login());
  const direct = new pg.Client({
    host: server.host,
    port: server.port,
    user: server.user,
    password: server.password,
    database: server.database,
  });
  await client.connect();
  await direct.connect();
  return {
    ask: (queries) => explained(gateway, queries),
    check: (sql, treatment) => compared(client, direct, sql, treatment),
    async stop() {
      await client.end();
      await direct.end();
      await gateway.stop();
      await server.stop();
    },
  };
}

async function serverOf(name: Name): Promise<PostgresServer> {
  if (name !== 'shop') return startPostgres({ sql: SUBJECTS[name].schema });
  return { ...(await startShop()), database: 'shop' };
}

interface Explained {
  readonly verdict: { readonly action: string; readonly reason: string };
  readonly columns?: readonly { readonly dependence: string; readonly mask: string }[];
}

async function explained(
  gateway: TestGateway,
  queries: readonly string[],
): Promise<{ treatment: string[]; reason: string }[]> {
  const { statements } = await gateway.api<{ statements: Explained[] }>('POST', '/v1/explain', {
    connection: 'db',
    scopes: ['db:db:read'],
    sql: queries.join('\n'),
  });
  return statements.map(({ verdict, columns = [] }) => {
    if (verdict.action !== 'allow') return { treatment: ['refused'], reason: verdict.reason };
    const treatment = columns.map(({ dependence, mask }) =>
      mask === 'none' ? 'none' : dependence === 'direct' ? 'own' : 'redacted',
    );
    return { treatment, reason: '' };
  });
}

/** Column by column, rows in any order: what passes is as the database has it, what is masked is not. */
async function compared(
  through: pg.Client,
  direct: pg.Client,
  sql: string,
  treatment: readonly string[],
): Promise<string | null> {
  const answer = await answerOf(through, sql).catch((error: Error) => error.message);
  if (typeof answer === 'string') return treatment[0] === 'refused' ? null : answer;
  if (treatment[0] === 'refused') return 'it is not refused';
  if (sql.startsWith('EXPLAIN')) return null;
  const wanted = await answerOf(direct, sql);
  if (wanted.length === 0 || sql.startsWith('COPY'))
    return wanted.length === answer.length ? null : 'the number of rows differs';
  for (const [i, treated] of treatment.entries()) {
    const real = wanted.map((row) => row[i] ?? null);
    const got = answer.map((row) => row[i] ?? null);
    const same = JSON.stringify([...real].sort()) === JSON.stringify([...got].sort());
    if (treated === 'none' && !same) return `column ${i + 1} is not as the database has it`;
    if (treated !== 'none' && same && real.some((value) => value !== null)) return `column ${i + 1} is not masked`;
  }
  return null;
}

async function answerOf(client: pg.Client, sql: string): Promise<(string | null)[][]> {
  if (sql.startsWith('COPY')) {
    const lines: string[] = [];
    for await (const chunk of client.query(copyTo(sql.replace(/;$/, '')))) lines.push(String(chunk));
    return lines
      .join('')
      .split('\n')
      .map((line) => [line]);
  }
  const { rows } = await client.query<(string | null)[]>({
    text: sql,
    rowMode: 'array',
    types: { getTypeParser: () => String },
  });
  return rows;
}
