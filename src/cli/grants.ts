// `sallyport grants …`: per-task access, shown, decided and ended through the running gateway. Asking is in request.ts.

import { createInterface } from 'node:readline/promises';
import type { Command } from 'commander';
import type { GrantDetails, GrantView } from '../control/views.ts';
import { connectApi } from './api.ts';
import { commandEnv } from './env.ts';
import { CommandError, EXIT } from './exit.ts';
import { print, printJson, table, visible } from './output.ts';
import { addRequest } from './request.ts';

interface Json {
  readonly json?: true;
}

interface ListOptions extends Json {
  readonly state?: string;
  readonly connection?: string;
  readonly subject?: string;
  readonly mine?: true;
  readonly limit: string;
  readonly before?: string;
}

interface RevokeOptions extends Json {
  readonly reason?: string;
  readonly identity?: string;
  readonly all?: true;
  readonly yes?: true;
}

export function addGrants(program: Command): void {
  const grants = program
    .command('grants')
    .description('per-task access: one task, one connection, a scope, a deadline');
  addRequest(grants);

  grants
    .command('list')
    .description('grants, newest first: your own, with a role everybody’s')
    .option('--state <state>', 'requested, active, refused, completed, expired or revoked')
    .option('--connection <name>', 'only those on this connection')
    .option('--subject <name>', 'only those of this identity')
    .option('--mine', 'only your own')
    .option('--limit <n>', 'at most so many', '50')
    .option('--before <id>', 'only those that were asked for before this one')
    .option('--json', 'one JSON object a line')
    .action(async ({ json, mine, ...filter }: ListOptions) => {
      const query = new URLSearchParams({ ...filter, ...(mine === true ? { mine: 'true' } : {}) });
      const answer = await connectApi(commandEnv()).get(`/v1/grants?${query}`);
      const { grants: found, next } = answer as { grants: GrantView[]; next: string | null };
      if (json === true) for (const grant of found) printJson(grant);
      else if (found.length === 0) print('No grants. `sallyport grants request --help` says how to ask for one.');
      else for (const line of table(HEADERS, found.map(summary))) print(line);
      if (json !== true && next !== null) print(`There are more: --before ${next}`);
    });

  grants
    .command('show')
    .description('one grant, with its history')
    .argument('<id>', 'gr_…')
    .option('--json', 'as JSON')
    .action(async (id: string, { json }: Json) => {
      show((await connectApi(commandEnv()).get(pathOf(id))) as GrantDetails, json);
    });

  grants
    .command('complete')
    .description('the task is done: the grant and its sessions end now')
    .argument('<id>', 'gr_…')
    .option('--json', 'as JSON')
    .action((id: string, { json }: Json) => change(id, 'complete', {}, json));

  grants
    .command('approve')
    .description('let a waiting request become active; never by who asked')
    .argument('<id>', 'gr_…')
    .option('--reason <text>', 'why; kept with the grant')
    .option('--json', 'as JSON')
    .action((id: string, { reason, json }: { reason?: string } & Json) => change(id, 'approve', { reason }, json));

  grants
    .command('refuse')
    .description('refuse a waiting request')
    .argument('<id>', 'gr_…')
    .requiredOption('--reason <text>', 'why; the asking side reads it')
    .option('--json', 'as JSON')
    .action((id: string, { reason, json }: { reason: string } & Json) => change(id, 'refuse', { reason }, json));

  grants
    .command('revoke')
    .description('take a grant back, or all of an identity, or all that there are: their sessions end now')
    .argument('[id]', 'gr_…')
    .option('--identity <subject>', 'instead of one: every grant of this identity')
    .option('--all', 'instead of one: every grant that there is')
    .option('--reason <text>', 'why; kept with the grant')
    .option('--yes', 'with --all: without asking')
    .option('--json', 'as JSON; of several one object a line')
    .action(revoke);
}

async function revoke(id: string | undefined, { reason, identity, all, yes, json }: RevokeOptions): Promise<void> {
  if ([id, identity, all].filter((which) => which !== undefined).length !== 1) {
    throw new CommandError(EXIT.usage, 'one of a grant’s id, --identity and --all says what is revoked');
  }
  if (id !== undefined) return change(id, 'revoke', { reason }, json);
  if (all === true && yes !== true) await confirm(json);
  const which = all === true ? { all } : { subject: identity };
  const body = {
    ...which,
    reason: reason ?? (all === true ? 'every grant was revoked' : `all of ${identity} was revoked`),
  };
  const { revoked } = (await connectApi(commandEnv()).post('/v1/grants/revoke', body)) as { revoked: GrantView[] };
  if (json === true) for (const grant of revoked) printJson(grant);
  else if (revoked.length === 0) print('There was nothing to revoke.');
  else for (const line of table(HEADERS, revoked.map(summary))) print(line);
}

/** Typed in full, so that no slip of a key ends everybody's work. */
async function confirm(json: true | undefined): Promise<void> {
  const words = 'revoke everything';
  if (json === true || !process.stdin.isTTY) {
    throw new CommandError(EXIT.usage, '--all needs --yes where nobody can be asked');
  }
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  const typed = await terminal.question(`Every grant ends, with every session. Type "${words}": `);
  terminal.close();
  if (typed.trim() !== words) throw new CommandError(EXIT.refused, 'nothing was revoked');
}

async function change(id: string, what: string, body: object, json: true | undefined): Promise<void> {
  show((await connectApi(commandEnv()).post(`${pathOf(id)}/${what}`, body)) as GrantDetails, json);
}

const pathOf = (id: string) => `/v1/grants/${encodeURIComponent(id)}`;

const HEADERS = ['ID', 'STATE', 'FOR', 'CONNECTION', 'SCOPES', 'TASK', 'EXPIRES', 'FLAGS'];

function summary({ id, state, identity, connection, scopes, task, expiresAt, flags }: GrantView): string[] {
  return [id, state, identity.subject, connection, scopes.join(' '), task, expiresAt, flags.join('; ')];
}

function show(grant: GrantDetails, json: true | undefined): void {
  if (json === true) {
    printJson(grant);
    return;
  }
  const { id, state, task, reason, identity, connection, scopes, requestedAt, expiresAt, flags, history } = grant;
  const groups = identity.groups.length === 0 ? '' : ` (${identity.groups.join(', ')})`;
  const actingFor = identity.actingFor === undefined ? '' : `, for ${identity.actingFor}`;
  const lines: readonly (readonly [string, string | undefined])[] = [
    ['id', id],
    ['state', state],
    ['awaits', grant.awaits],
    ['task', task],
    ['reason', reason],
    ['identity', `${identity.issuer}:${identity.subject}${actingFor}${groups}`],
    ['connection', connection],
    ['scopes', scopes.join(' ')],
    ['requestedAt', requestedAt],
    ['expiresAt', expiresAt],
    ['flags', flags.length === 0 ? undefined : flags.join('; ')],
    ['ended', [grant.endedAt, grant.endedBy && `by ${grant.endedBy}`, grant.endReason].filter(Boolean).join(', ')],
  ];
  for (const [name, value] of lines) if (value) print(`${name.padEnd(12)} ${visible(value)}`);
  print('');
  for (const line of table(
    ['AT', 'WHAT', 'BY', 'WHY'],
    history.map((event) => [event.at, event.event, event.by, event.reason]),
  )) {
    print(line);
  }
}
