// `sallyport grants …`: per-task access, asked of the running gateway.

import type { Command } from 'commander';
import type { GrantView } from '../control/views.ts';
import { connectApi } from './api.ts';
import { commandEnv } from './config.ts';
import { print, printJson, table, visible } from './output.ts';

interface RequestOptions {
  connection: string;
  scope: string[];
  ttl: string;
  task: string;
  reason: string;
  identity?: string;
  group?: string[];
  json?: true;
}

interface Granted {
  readonly id: string;
  readonly user: string;
  readonly password: string;
  readonly expiresAt: string;
  /** Null where the connection has gone from the config in between. */
  readonly dsn: string | null;
}

/** How the stock MySQL client, which takes no DSN, is called with one; null for a DSN of another protocol. */
export function mysqlCommand(dsn: string): string | null {
  const { protocol, hostname, port, username, password, pathname } = new URL(dsn);
  if (protocol !== 'mysql:') return null;
  const [user, secret, connection] = [username, password, pathname.slice(1)].map(decodeURIComponent);
  return `mysql -h ${hostname.replace(/^\[|\]$/g, '')} -P ${port} -u ${user} -p${secret} ${connection}`;
}

/** For an option that may be given several times. */
export const collect = (value: string, before: string[] | undefined): string[] => [...(before ?? []), value];

export function addGrants(program: Command): void {
  const grants = program
    .command('grants')
    .description('per-task access: one task, one connection, a scope, a deadline');

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
    .option('--identity <subject>', 'who it is for (default: operator)')
    .option('--group <name>', 'a group of that identity; may be given several times', collect)
    .option('--json', 'print {id, user, password, expiresAt, dsn}')
    .action(async ({ connection, scope, ttl, task, reason, identity, group, json }: RequestOptions) => {
      const body = { connection, scopes: scope, ttl, task, reason, identity, groups: group };
      const granted = (await connectApi(commandEnv()).post('/v1/grants', body)) as Granted;
      const { id, user, password, expiresAt, dsn } = granted;
      if (json === true) {
        printJson({ id, user, password, expiresAt, dsn });
        return;
      }
      print(`Granted until ${expiresAt}. The password is not shown again.\n`);
      print(`  user      ${user}`);
      print(`  password  ${password}`);
      print(`  dsn       ${dsn}`);
      const typed = dsn === null ? null : mysqlCommand(dsn);
      if (typed !== null) print(`  mysql     ${typed}`);
    });

  grants
    .command('list')
    .description('every grant, newest first')
    .option('--json', 'one JSON object a line')
    .action(async ({ json }: { json?: true }) => {
      const { grants: found } = (await connectApi(commandEnv()).get('/v1/grants')) as { grants: GrantView[] };
      if (json === true) for (const grant of found) printJson(grant);
      else if (found.length === 0) print('No grants yet. `sallyport grants request --help` says how to ask for one.');
      else for (const line of table(HEADERS, found.map(summary))) print(line);
    });

  grants
    .command('show')
    .description('one grant')
    .argument('<id>', 'gr_…')
    .option('--json', 'as JSON')
    .action(async (id: string, { json }: { json?: true }) => {
      show((await connectApi(commandEnv()).get(`/v1/grants/${encodeURIComponent(id)}`)) as GrantView, json);
    });

  grants
    .command('complete')
    .description('the task is done: the grant and its sessions end now')
    .argument('<id>', 'gr_…')
    .option('--json', 'as JSON')
    .action(async (id: string, { json }: { json?: true }) => {
      show(
        (await connectApi(commandEnv()).post(`/v1/grants/${encodeURIComponent(id)}/complete`, {})) as GrantView,
        json,
      );
    });

  grants
    .command('revoke')
    .description('take a grant back: its sessions end now, in the middle of a statement too')
    .argument('<id>', 'gr_…')
    .option('--reason <text>', 'why; kept with the grant')
    .option('--json', 'as JSON')
    .action(async (id: string, { reason, json }: { reason?: string; json?: true }) => {
      const path = `/v1/grants/${encodeURIComponent(id)}/revoke`;
      show((await connectApi(commandEnv()).post(path, { reason })) as GrantView, json);
    });
}

const HEADERS = ['ID', 'STATE', 'FOR', 'CONNECTION', 'SCOPES', 'TASK', 'EXPIRES'];

function summary(grant: GrantView): string[] {
  const { id, state, identity, connection, scopes, task, expiresAt } = grant;
  return [id, state, identity.subject, connection, scopes.join(' '), task, expiresAt];
}

function show(grant: GrantView, json: true | undefined): void {
  if (json === true) {
    printJson(grant);
    return;
  }
  const { identity, scopes, endedAt, endedBy, endReason, ...rest } = grant;
  const groups = identity.groups.length === 0 ? '' : ` (${identity.groups.join(', ')})`;
  const lines: Record<string, string> = {
    ...rest,
    identity: `${identity.issuer}:${identity.subject}${groups}`,
    scopes: scopes.join(' '),
  };
  if (endedAt !== undefined) lines.ended = [endedAt, endedBy && `by ${endedBy}`, endReason].filter(Boolean).join(', ');
  for (const [name, value] of Object.entries(lines)) print(`${name.padEnd(12)} ${visible(value)}`);
}
