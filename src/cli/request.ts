// `sallyport grants request`: asks for a grant, shows what of a wider request would be granted, waits for a person.

import { setTimeout as pause } from 'node:timers/promises';
import type { Command } from 'commander';
import { formatDuration } from '../config/units.ts';
import type { GrantDetails, PreviewView } from '../control/views.ts';
import { type Api, connectApi } from './api.ts';
import { commandEnv } from './env.ts';
import { CommandError, EXIT } from './exit.ts';
import { collect } from './options.ts';
import { print, printJson, table, visible } from './output.ts';

interface RequestOptions {
  readonly connection: string;
  readonly scope: string[];
  readonly ttl: string;
  readonly task: string;
  readonly reason: string;
  readonly identity?: string;
  readonly group?: string[];
  readonly dryRun?: true;
  readonly wait?: true;
  readonly json?: true;
}

interface Granted {
  readonly id: string;
  readonly user: string;
  readonly password: string;
  readonly expiresAt: string;
  /** Null where the connection has gone from the config in between. */
  readonly dsn: string | null;
  /** Only of one that a person has to approve. */
  readonly state?: 'requested';
}

const ASK_EVERY_MS = 1000;

/** How the stock MySQL client, which takes no DSN, is called with one; null for a DSN of another protocol. */
export function mysqlCommand(dsn: string): string | null {
  const { protocol, hostname, port, username, password, pathname } = new URL(dsn);
  if (protocol !== 'mysql:') return null;
  const [user, secret, connection] = [username, password, pathname.slice(1)].map(decodeURIComponent);
  return `mysql -h ${hostname.replace(/^\[|\]$/g, '')} -P ${port} -u ${user} -p${secret} ${connection}`;
}

export function addRequest(grants: Command): void {
  grants
    .command('request')
    .description('ask for a grant; its secret is shown once')
    .requiredOption('--connection <name>', 'the connection it is for')
    .requiredOption(
      '--scope <scope>',
      'db:<connection>[.<schema>[.<table>]]:<verb>[+<verb>…]; may be given several times',
      collect,
    )
    .requiredOption('--task <name>', 'what it is for, in a word: fix-index')
    .requiredOption('--reason <text>', 'why it is needed')
    .option('--ttl <duration>', 'how long it lives', '20m')
    .option('--identity <subject>', 'with the operator token: who it is for (default: operator)')
    .option('--group <name>', 'with the operator token: a group of that identity; may be given several times', collect)
    .option('--dry-run', 'only say what would be granted')
    .option('--wait', 'where a person has to approve it: until one has decided')
    .option('--json', 'print {id, user, password, expiresAt, dsn}; {…, state} where it waits for a person')
    .action(request);
}

async function request({ scope, group, dryRun, wait, json, ...asked }: RequestOptions): Promise<void> {
  const api = connectApi(commandEnv());
  const body = { ...asked, scopes: scope, groups: group };
  if (dryRun === true) return tryOut(api, body, json);
  const granted = await ask(api, body, json);
  if (granted.state === undefined || wait !== true) {
    showGranted(granted, json);
    return;
  }
  if (json !== true) showGranted(granted, json);
  print(`Waiting for a person to decide over ${granted.id}. Ctrl-C ends the waiting, not the request.`, process.stderr);
  const { state: _, ...approved } = { ...granted, expiresAt: await decided(api, granted.id) };
  if (json === true) showGranted(approved, json);
  else print(`Approved: active until ${approved.expiresAt}.`);
}

/** A refusal is followed by what of the request would be granted, on standard error. */
async function ask(api: Api, body: object, json: true | undefined): Promise<Granted> {
  try {
    return (await api.post('/v1/grants', body)) as Granted;
  } catch (error) {
    if (json !== true && error instanceof CommandError && error.code === 'SP_GRANT_REFUSED') {
      await api.post('/v1/grants/preview', body).then(
        (preview) => showScopes(preview as PreviewView, process.stderr),
        // The refusal itself is what counts.
        () => {},
      );
    }
    throw error;
  }
}

async function tryOut(api: Api, body: object, json: true | undefined): Promise<void> {
  const preview = (await api.post('/v1/grants/preview', body)) as PreviewView;
  process.exitCode = preview.granted ? EXIT.ok : EXIT.refused;
  if (json === true) {
    printJson(preview);
    return;
  }
  showScopes(preview, process.stdout);
  if (preview.message !== null) print(visible(preview.message));
  else print('It would be granted as it is. Nothing was asked for.');
}

const HEADERS = ['SCOPE', 'GRANTED', 'LONGEST', 'WHY NOT'];

function showScopes({ scopes }: PreviewView, stream: NodeJS.WriteStream): void {
  const rows = scopes.map(({ scope, granted, approval, maxTtlSeconds, message, nearest }) => [
    scope,
    granted ? (approval === 'auto' ? 'yes' : 'by a person') : 'no',
    maxTtlSeconds === null ? '' : formatDuration(maxTtlSeconds * 1000),
    granted ? '' : nearest === null ? (message ?? '') : `nearest: ${nearest}`,
  ]);
  for (const line of table(HEADERS, rows)) print(line, stream);
}

/** Asks until a person has decided; answers when the grant expires. Throws where it was not approved. */
async function decided(api: Api, id: string): Promise<string> {
  for (;;) {
    const answer = await api.get(`/v1/grants/${encodeURIComponent(id)}`);
    const { state, expiresAt, endReason, endedBy } = answer as GrantDetails;
    if (state === 'active') return expiresAt;
    if (state !== 'requested') {
      const why = [endedBy && `by ${endedBy}`, endReason].filter(Boolean).join(': ');
      throw new CommandError(EXIT.refused, `${id} is ${state}${why === '' ? '' : ` ${why}`}`, {
        code: 'SP_GRANT_REFUSED',
      });
    }
    await pause(ASK_EVERY_MS);
  }
}

function showGranted(granted: Granted, json: true | undefined): void {
  const { id, user, password, expiresAt, dsn, state } = granted;
  if (json === true) {
    printJson({ id, user, password, expiresAt, dsn, state });
    return;
  }
  if (state === undefined) print(`Granted until ${expiresAt}. The password is not shown again.\n`);
  else {
    print(
      `A person has to approve it by ${expiresAt}; its login works from then on. The password is not shown again.\n`,
    );
  }
  print(`  user      ${user}`);
  print(`  password  ${password}`);
  print(`  dsn       ${dsn}`);
  const typed = dsn === null ? null : mysqlCommand(dsn);
  if (typed !== null) print(`  mysql     ${typed}`);
  if (state !== undefined) print(`\n\`sallyport grants show ${id}\` says what became of it.`);
}
