// The story: one agent, one grant, what it may and may not, what is on record of it, and how it ends.

import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { Client, DatabaseError } from 'pg';
import { act, command, line, output, rows, statement, type Told, told } from './screen.ts';

const run = promisify(execFile);

export interface Address {
  readonly host: string;
  readonly port: number;
}

export interface Stage {
  /** Where the gateway listens for clients of each protocol. */
  readonly postgres: Address;
  readonly mysql: Address;
  /** The gateway's certificate, PEM; and the file that has it. */
  readonly certificate: string;
  readonly authorities: string;
  /** The CLI's script and the environment that leads it to this gateway. */
  readonly cli: string;
  readonly env: NodeJS.ProcessEnv;
  /** How many backends of the database run a statement that holds this text; asked of the database itself. */
  readonly runningInDatabase: (text: string) => Promise<number>;
}

export interface Granted {
  readonly id: string;
  readonly user: string;
  readonly password: string;
  readonly expiresAt: string;
  readonly dsn: string;
  /** Only where it waits for a person: `requested`. */
  readonly state?: string;
}

/** What is asked for; of whom, is the same in the whole story. */
export interface Asked {
  readonly connection: string;
  readonly scopes: readonly string[];
  readonly task: string;
  readonly ttl: string;
  readonly reason: string;
}

/** More than agents may have unasked. */
const CUSTOMERS = { connection: 'shop', scopes: ['db:shop.public.customers:read+write'] };
export const SHOP = { connection: 'shop', scopes: ['db:shop.public:read', 'db:shop.public.orders:write+ddl'] };
const IDENTITY = ['--identity', 'chatgpt-agent', '--group', 'agents'];

/** Plays every act. Throws where one does not go as it is told. */
export async function play(stage: Stage): Promise<void> {
  act(1, 'An agent asks for a grant: a task, a scope, a deadline. The database password stays in here.');
  const granted = await grantFor(
    stage,
    { ...SHOP, task: 'late-orders', ttl: '15m', reason: 'speed up a report' },
    true,
  );
  const client = await connect(stage, granted);

  act(2, 'It reads. Protected columns arrive masked.');
  await ask(client, 'SELECT id, name, email, ssn, city FROM customers ORDER BY id LIMIT 3');

  act(3, 'Inside its scope, a rule of the connection still forbids what cannot be undone.');
  await refused(client, 'DROP TABLE orders');

  act(4, 'A rule holds this for a person. Holding it comes next; for now it is refused, and says why.');
  await refused(client, 'DELETE FROM orders', 'without detail');

  act(5, 'Outside its scope: the error says what to ask for. Aliases and sums stay masked, values stay put.');
  await refused(client, "UPDATE customers SET city = 'Oslo' WHERE id = 1", 'without detail');
  await ask(client, 'SELECT o.*, email AS contact FROM orders o JOIN customers c ON c.id = customer_id LIMIT 2');
  await ask(client, 'SELECT city, max(mail) FROM (SELECT city, email AS mail FROM customers) GROUP BY 1 LIMIT 2');
  await refused(client, 'UPDATE orders SET status = (SELECT email FROM customers LIMIT 1)', 'without detail');
  await client.end();

  act(6, 'Everything is on record, results as they were masked.');
  await replayNewest(stage, granted.id, 14);
  command('sallyport records verify');
  output(await sallyport(stage, ['records', 'verify']));

  act(7, 'The grant is revoked while a statement runs: cancelled in the database, and the session ends.');
  await revokeInTheMiddle(stage, granted);

  act(8, 'A wider scope waits for a person. What the grant is, and that it is done, is said in SQL.');
  await approvedAndDone(stage);
}

/** Requests a grant with the CLI, and shows how where `shown`. */
export async function grantFor(stage: Stage, asked: Asked, shown = false): Promise<Granted> {
  const { connection, scopes, task, ttl, reason } = asked;
  const words = ['grants', 'request', '--connection', connection, ...scopes.flatMap((scope) => ['--scope', scope])];
  words.push('--ttl', ttl, '--task', task, '--reason', reason, ...IDENTITY);
  if (shown) command(`sallyport ${words.map((word) => (word.includes(' ') ? `"${word}"` : word)).join(' ')}`);
  const granted = JSON.parse(await sallyport(stage, [...words, '--json'])) as Granted;
  if (shown) {
    const { password, dsn, expiresAt, state } = granted;
    const until = `until ${expiresAt.slice(11, 16)} UTC`;
    output(`${dsn.replace(password, `${password.slice(0, 4)}…`)}  ${state === undefined ? until : 'when approved'}`);
  }
  return granted;
}

async function connect({ postgres, certificate }: Stage, { user, password }: Granted): Promise<Client> {
  const login = { ...postgres, user, password, database: 'shop', ssl: { ca: certificate } };
  const client = new Client({ ...login, application_name: 'report-agent' });
  // The end of a session is told by the statement that it interrupts.
  client.on('error', () => {});
  await client.connect();
  return client;
}

async function ask(client: Client, sql: string): Promise<void> {
  statement(sql);
  const types = { getTypeParser: () => (text: string) => text };
  const result = await client.query<(string | null)[]>({ text: sql, rowMode: 'array', types });
  rows(
    result.fields.map(({ name }) => name),
    result.rows,
  );
}

async function refused(client: Client, sql: string, how: 'whole' | 'without detail' = 'whole'): Promise<void> {
  statement(sql);
  const error = await failure(client.query(sql));
  told(how === 'whole' ? error : { ...error, detail: undefined });
}

/** The error that a statement must end with. */
async function failure(statement: Promise<unknown>): Promise<Told> {
  try {
    await statement;
  } catch (error) {
    if (error instanceof DatabaseError) {
      const { severity = 'ERROR', code = '', message, detail, hint } = error;
      return { severity, code, message, detail, hint };
    }
    throw error;
  }
  throw new Error('a statement went through that the gateway should have stopped');
}

/** Shows so many lines of the newest session of a grant. */
export async function replayNewest(stage: Stage, grant: string, lines: number): Promise<void> {
  const listed = await sallyport(stage, ['sessions', 'list', '--json']);
  const sessions = listed
    .trim()
    .split('\n')
    .map((text) => JSON.parse(text) as { id: string; facts: { grant: { id: string } } });
  const id = sessions.find(({ facts }) => facts.grant.id === grant)?.id;
  if (id === undefined) throw new Error('the session is not on record');
  command(`sallyport sessions replay ${id} --fast`);
  output(await sallyport(stage, ['sessions', 'replay', id, '--fast']), lines);
}

async function revokeInTheMiddle(stage: Stage, granted: Granted): Promise<void> {
  const client = await connect(stage, granted);
  const sql = 'SELECT pg_sleep(600)';
  statement(sql);
  const ended = failure(client.query(sql));
  // Handled below; until then its failure must not count as nobody's.
  ended.catch(() => {});
  await until(async () => (await stage.runningInDatabase(sql)) === 1);
  const words = ['grants', 'revoke', granted.id, '--reason', 'done'];
  command(`sallyport ${words.join(' ')}`);
  await sallyport(stage, words);
  told(await ended);
  await until(async () => (await stage.runningInDatabase(sql)) === 0);
  line('   The database runs nothing of it any more.', 'dim');
  await client.end().catch(() => {});
}

async function approvedAndDone(stage: Stage): Promise<void> {
  const asked = { ...CUSTOMERS, task: 'move-customer', ttl: '10m', reason: 'Ada has moved to Oslo' };
  const { id, ...login } = await grantFor(stage, asked, true);
  const words = ['grants', 'approve', id, '--reason', 'she called us'];
  command(`sallyport ${words.slice(0, -1).join(' ')} "she called us"`);
  await sallyport(stage, words);
  const client = await connect(stage, { id, ...login });
  const sql = "UPDATE customers SET city = 'Oslo' WHERE id = 1";
  statement(sql);
  output(`UPDATE ${(await client.query(sql)).rowCount}`);
  statement('SALLYPORT STATUS');
  const [status = {}] = (await client.query<Record<string, unknown>>('SALLYPORT STATUS')).rows;
  const shown = ['task', 'scopes', 'state', 'seconds_left'];
  rows(shown, [shown.map((name) => String(status[name]))]);
  statement('SALLYPORT COMPLETE');
  await client.query('SALLYPORT COMPLETE');
  told(await failure(client.query('SELECT 1')));
  await client.end().catch(() => {});
}

/** Asks until it is so; the database answers in well under a millisecond. */
async function until(isSo: () => Promise<boolean>): Promise<void> {
  const deadline = performance.now() + 20_000;
  while (!(await isSo())) {
    if (performance.now() > deadline) throw new Error('the database did not come to where the story goes on');
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

async function sallyport({ cli, env }: Stage, words: readonly string[]): Promise<string> {
  const { stdout } = await run(process.execPath, ['--disable-warning=ExperimentalWarning', cli, ...words], { env });
  return stdout;
}

/** What to try by hand, with a grant for each database; `exports` leads the CLI to this gateway. */
export function epilogue(logins: readonly string[], api: string, exports: string): void {
  line();
  line('Try it: these grants live for 30 minutes, the gateway until Ctrl-C.', 'bold');
  for (const login of logins) line(`   ${login}`);
  line();
  line(`   API      http://${api}/v1, with the token in operator.token of the data dir below`);
  line('   CLI      in this folder, in another terminal:');
  line(`            export ${exports}`);
  line('            npx sallyport sessions list');
}
