// Runs random statements through a gateway, by every protocol road, and looks for protected values in all that arrives.

import {
  closeStatement,
  describePortal,
  describeStatement,
  execute,
  query as simple,
  sync,
} from '../../src/wire/pg/messages.ts';
import { bind, type Message, parse } from '../peers/messages.ts';
import { connectRaw, type Login, logIn, type RawClient } from '../peers/raw.ts';
import { change, failingQuery, query } from './queries.ts';
import { type Random, randomFrom } from './random.ts';
import { MARKERS } from './world.ts';

export interface Tally {
  /** Statements that were meant to bring something out; how many of them the gateway refused, and the database failed at. */
  statements: number;
  refused: number;
  failed: number;
  rows: number;
  bytes: number;
  /** Rows with a value that a mask has made in them; see `MASKED`. */
  masked: number;
  readonly findings: string[];
  /** Sessions that ended by themselves. */
  readonly ended: string[];
  /** Refusals, by the gateway's words with names taken out, and how often. */
  readonly refusals: Map<string, number>;
  readonly failures: Map<string, number>;
}

export function newTally(): Tally {
  return {
    statements: 0,
    refused: 0,
    failed: 0,
    rows: 0,
    bytes: 0,
    masked: 0,
    findings: [],
    ended: [],
    refusals: new Map(),
    failures: new Map(),
  };
}

/** Statements in one session; a session keeps what it has prepared in sight, which ends where that becomes long. */
const SESSION = 200;

/** Tokens of the hash mask are random letters: four of them may be those of a marker. */
const TOKEN = /h_[0-9A-Za-z_-]{22}/g;
const MASKED = /\[redacted\]|\*\*\*|h_[0-9A-Za-z_-]{22}|gone/;

/** Runs statements until `count` were tried, the same for the same seed. `login` is asked for each session. */
export async function differ(
  seed: number,
  count: number,
  login: () => Promise<Login>,
  tally = newTally(),
): Promise<Tally> {
  const random = randomFrom(seed);
  let client: RawClient | null = null;
  let until = 0;
  try {
    while (tally.statements < count) {
      if (client === null) {
        client = await open(login);
        until = tally.statements + SESSION;
      }
      const alive = await one(client, random, tally);
      if (alive && tally.statements < until) continue;
      client.close();
      client = null;
    }
  } finally {
    client?.close();
  }
  return tally;
}

/** A grant's name comes back in refusals: it must not look like a marker by chance. */
async function open(login: () => Promise<Login>): Promise<RawClient> {
  for (;;) {
    const { user, password, database, host, port } = await login();
    if (MARKERS.find(Buffer.from(user)) !== null) continue;
    return logIn(await connectRaw(host, port), { user, password, database, host, port });
  }
}

/** Does one thing on a road that is picked; false where the session has ended. */
async function one(client: RawClient, random: Random, tally: Tally): Promise<boolean> {
  const dice = random.below(100);
  if (dice < 12) return inTransaction(client, change(random), tally);
  const sql = dice < 24 ? failingQuery(random) : query(random);
  switch (random.below(10)) {
    case 0:
    case 1:
      return ask(client, [simple(sql)], 1, sql, tally);
    case 2:
      return ask(
        client,
        [parse('', sql), bind('', '', [], [1]), describePortal(''), execute('', 0), sync()],
        1,
        sql,
        tally,
      );
    case 3:
      return ask(client, [parse('', sql), bind('', '', [], [1]), execute('', 0), sync()], 1, sql, tally);
    case 4:
      return ask(
        client,
        [
          closeStatement('s1'),
          sync(),
          parse('s1', sql),
          describeStatement('s1'),
          bind('', 's1', [], [0]),
          execute('', 1),
          execute('', 0),
          sync(),
        ],
        2,
        sql,
        tally,
      );
    case 5:
      return ask(client, [simple(`PREPARE p AS ${sql}`), simple('EXECUTE p'), simple('DEALLOCATE ALL')], 3, sql, tally);
    case 6:
      return inTransaction(client, [`DECLARE k CURSOR FOR ${sql}`, 'FETCH 2 FROM k', 'FETCH ALL k'], tally);
    case 7:
      return inTransaction(
        client,
        [
          `DECLARE k ${random.pick(['BINARY CURSOR', 'SCROLL CURSOR', 'CURSOR WITH HOLD'])} FOR ${sql}`,
          'FETCH ALL k',
          'CLOSE k',
        ],
        tally,
      );
    case 8: {
      const form = random.pick([
        '',
        ' WITH (FORMAT csv, HEADER)',
        ' WITH (FORMAT csv, FORCE_QUOTE *)',
        ' WITH (FORMAT binary)',
        ' BINARY',
        ` WITH (DELIMITER '|', NULL '')`,
      ]);
      const copied = form === ' BINARY' ? `COPY (${sql}) TO STDOUT (FORMAT binary)` : `COPY (${sql}) TO STDOUT${form}`;
      return ask(client, [simple(copied)], 1, copied, tally);
    }
    default: {
      // Costs are numbers that may look like any other by chance.
      const explained = random.pick([
        sql,
        `EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF, SUMMARY OFF) ${sql}`,
        `EXPLAIN (VERBOSE, COSTS OFF, FORMAT JSON) ${sql}`,
        'COPY people TO STDOUT',
        'COPY people TO STDOUT (FORMAT csv)',
        'COPY events (secret, id) TO STDOUT',
        'COPY orders TO STDOUT (FORMAT binary)',
      ]);
      return ask(client, [simple(explained)], 1, explained, tally);
    }
  }
}

async function inTransaction(client: RawClient, statements: readonly string[], tally: Tally): Promise<boolean> {
  const all = ['BEGIN', ...statements, 'ROLLBACK'];
  const sql = statements.join('; ');
  // One by one: a setting that is being changed would have what is pipelined behind it refused.
  for (const [i, text] of all.entries()) {
    if (i > 0) tally.statements--;
    if (!(await ask(client, [simple(text)], 1, sql, tally))) return false;
  }
  return true;
}

/** Sends, reads to the last of `ready` ReadyForQuery, and searches every message. */
async function ask(
  client: RawClient,
  messages: readonly Buffer[],
  ready: number,
  sql: string,
  tally: Tally,
): Promise<boolean> {
  tally.statements++;
  client.send(...messages);
  let first: 'refused' | 'failed' | null = null;
  for (let left = ready; left > 0; ) {
    const message = await client.next();
    if (message === null) {
      tally.ended.push(sql);
      return false;
    }
    if (message.type === 'Z') left--;
    look(message, sql, tally);
    if (message.type === 'E') {
      const told = message.body.toString();
      const ours = told.includes('"decision"') || told.includes('Sallyport');
      const words = (/\0M([^\0]*)/.exec(told)?.[1] ?? '')
        .replace(/(public|pg_temp)\.\S+|"[^"]*"|column \S+/g, '…')
        .slice(0, 160);
      const list = ours ? tally.refusals : tally.failures;
      if (first === null) list.set(words, (list.get(words) ?? 0) + 1);
      first ??= ours ? 'refused' : 'failed';
    }
  }
  if (first === 'refused') tally.refused++;
  if (first === 'failed') tally.failed++;
  return true;
}

function look({ type, body }: Message, sql: string, tally: Tally): void {
  tally.bytes += body.length + 5;
  const text = body.toString('latin1');
  if (type === 'D' || type === 'd') {
    tally.rows++;
    if (MASKED.test(text)) tally.masked++;
  }
  const searched = text.includes('h_') ? Buffer.from(text.replace(TOKEN, ''), 'latin1') : body;
  const found = MARKERS.find(searched);
  if (found !== null) tally.findings.push(`${found}\n  in ${type}: ${JSON.stringify(text.slice(0, 300))}\n  of ${sql}`);
}
