// `sallyport sessions …`: what happened, read from the running gateway.

import type { Command } from 'commander';
import { parseDuration } from '../config/units.ts';
import type { SessionView } from '../control/views.ts';
import { type Api, connectApi } from './api.ts';
import { commandEnv } from './env.ts';
import { CommandError, EXIT } from './exit.ts';
import { print, printJson, table, visible } from './output.ts';
import { type RecordLine, replay, type ToldRecord, told, withResults } from './replay.ts';

interface ListOptions {
  readonly limit: string;
  readonly before?: string;
  readonly connection?: string;
  readonly subject?: string;
  readonly grant?: string;
  readonly since?: string;
  readonly mine?: true;
  readonly json?: true;
}

function recordsOf(api: Api, id: string): AsyncGenerator<ToldRecord, void, void> {
  return told(api.lines(`/v1/sessions/${encodeURIComponent(id)}/records`) as AsyncGenerator<RecordLine>);
}

export function addSessions(program: Command): void {
  const sessions = program.command('sessions').description('what happened: sessions, their statements and results');

  sessions
    .command('list')
    .description('sessions, newest first')
    .option('--limit <n>', 'at most so many', '50')
    .option('--before <id>', 'only those that started before this one')
    .option('--connection <name>', 'only those on this connection')
    .option('--subject <name>', 'only those of this identity')
    .option('--grant <id>', 'only those under this grant')
    .option('--since <when>', 'only those that started since: 1h, 2d, or a time as 2026-01-31T08:00Z')
    .option('--mine', 'only your own')
    .option('--json', 'one JSON object a line')
    .action(async ({ json, mine, since, ...filter }: ListOptions) => {
      const from = since === undefined ? {} : { since: sinceOf(since) };
      const query = new URLSearchParams({ ...filter, ...from, ...(mine === true ? { mine: 'true' } : {}) });
      const { found, next } = await list(connectApi(commandEnv()), query);
      if (json === true) for (const session of found) printJson(session);
      else if (found.length === 0 && next === null) print('No sessions.');
      else for (const line of table(HEADERS, found.map(summary))) print(line);
      if (json !== true && next !== null) print(`There are more: --before ${next}`);
    });

  sessions
    .command('show')
    .description('one session and its statements')
    .argument('<id>', 'se_…')
    .option('--json', 'the session, then one record a line, as JSON')
    .action(async (id: string, { json }: { json?: true }) => {
      const api = connectApi(commandEnv());
      const session = (await api.get(`/v1/sessions/${encodeURIComponent(id)}`)) as SessionView;
      if (json === true) printJson(session);
      else for (const [name, value] of details(session)) print(`${name.padEnd(12)} ${visible(value)}`);
      const rows: string[][] = [];
      for await (const item of recordsOf(api, id)) {
        const { record } = item;
        if (json === true) printJson(withResults(item));
        else if (record.type === 'statement') rows.push(statementRow(record));
      }
      if (rows.length > 0) for (const line of ['', ...table(STATEMENT_HEADERS, rows)]) print(line);
    });

  sessions
    .command('replay')
    .description('a session again, at the speed it happened: statements, verdicts, results')
    .argument('<id>', 'se_…')
    .option('--fast', 'without the pauses')
    .option('--json', 'one record a line, results decoded, without the pauses')
    .action(async (id: string, { fast, json }: { fast?: true; json?: true }) => {
      const api = connectApi(commandEnv());
      // Asked first, so that an unknown session is said to be unknown.
      await api.get(`/v1/sessions/${encodeURIComponent(id)}`);
      const records = recordsOf(api, id);
      if (json === true) for await (const item of records) printJson(withResults(item));
      else await replay(records, fast === true);
    });

  sessions
    .command('search')
    .description('statements that hold a text, newest sessions first')
    .argument('<text>', 'looked for without regard to case')
    .option('--limit <n>', 'how many sessions to look through', '100')
    .option('--json', 'one JSON object a line: {session, record}')
    .action(async (wanted: string, { limit, json }: { limit: string; json?: true }) => {
      const api = connectApi(commandEnv());
      const { found } = await list(api, new URLSearchParams({ limit }));
      for (const { id } of found) {
        for await (const item of recordsOf(api, id)) {
          const { record } = item;
          if (record.type !== 'statement' || !record.text.toLowerCase().includes(wanted.toLowerCase())) continue;
          if (json === true) printJson({ session: id, record: withResults(item) });
          else
            print(
              `${id}  ${statementRow(record)
                .map((text) => visible(text).replaceAll('\n', ' '))
                .join('  ')}`,
            );
        }
      }
    });
}

async function list(api: Api, query: URLSearchParams) {
  const answer = await api.get(`/v1/sessions?${query}`);
  const { sessions: found, next } = answer as { sessions: readonly SessionView[]; next: string | null };
  return { found, next };
}

/** `1h` ago, or a time, as ISO 8601. */
function sinceOf(text: string): string {
  const ago = parseDuration(text);
  const time = ago === null ? Date.parse(text) : Date.now() - ago;
  if (Number.isFinite(time)) return new Date(time).toISOString();
  throw new CommandError(EXIT.usage, `--since: "${text}" is neither a duration such as 1h nor a time`);
}

const HEADERS = ['ID', 'STARTED', 'ENDED', 'WHO', 'CONNECTION', 'TASK', 'ALLOWED', 'REFUSED'];

function summary({ id, startedAt, endedAt, facts, statements }: SessionView): (string | null)[] {
  const refused = statements.deny + statements.approve;
  const who = facts?.identity.subject ?? null;
  const where = facts?.connection.name ?? null;
  return [id, startedAt, endedAt, who, where, facts?.grant.task ?? null, String(statements.allow), String(refused)];
}

function details({ id, startedAt, endedAt, endReason, facts }: SessionView): [string, string][] {
  const lines: [string, string][] = [
    ['session', id],
    ['started', startedAt],
    ['ended', endedAt === null ? 'still open' : `${endedAt}${endReason === null ? '' : `, ${endReason}`}`],
  ];
  if (facts === null) return lines;
  const { identity, connection, grant, client, application } = facts;
  const groups = identity.groups.length === 0 ? '' : ` (${identity.groups.join(', ')})`;
  return [
    ...lines,
    ['identity', `${identity.issuer}:${identity.subject}${groups}`],
    ['connection', connection.name],
    ['client', application === '' ? client : `${client}, ${application}`],
    ['grant', grant.id],
    ['scopes', grant.scopes.join(' ')],
    ['task', grant.task],
    ['reason', grant.reason],
  ];
}

const STATEMENT_HEADERS = ['N', 'AT', 'VERDICT', 'RULE', 'ROWS', 'STATEMENT'];

function statementRow({ n, at, verdict, outcome, text }: Extract<RecordLine, { type: 'statement' }>): string[] {
  return [String(n), at, verdict.action, verdict.rule, String(outcome?.rows ?? ''), text];
}
