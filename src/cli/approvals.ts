// `sallyport approvals …`: the statements that wait for a person, through the running gateway.

import type { Command } from 'commander';
import { connectApi } from './api.ts';
import { commandEnv } from './env.ts';
import { print, printJson, table, visible } from './output.ts';

interface Json {
  readonly json?: true;
}

const pathOf = (id: string) => `/v1/approvals/${encodeURIComponent(id)}`;

export function addApprovals(program: Command): void {
  const approvals = program.command('approvals').description('the statements that wait for a person');

  approvals
    .command('list')
    .description('what waits')
    .option('--json', 'one JSON object a line')
    .action(async ({ json }: Json) => {
      const answer = await connectApi(commandEnv()).get('/v1/approvals');
      const { approvals: found } = answer as { approvals: { id: string }[] };
      if (json === true) for (const approval of found) printJson(approval);
      else if (found.length === 0) print('Nothing waits.');
      else
        for (const line of table(
          ['ID'],
          found.map(({ id }) => [id]),
        ))
          print(line);
    });
  approvals
    .command('show')
    .description('one waiting statement')
    .argument('<id>', 'ap_…')
    .option('--json', 'as JSON')
    .action(async (id: string, { json }: Json) => show(await connectApi(commandEnv()).get(pathOf(id)), json));
  for (const [name, what] of [
    ['approve', 'let it run'],
    ['deny', 'refuse it'],
  ] as const) {
    approvals
      .command(name)
      .description(what)
      .argument('<id>', 'ap_…')
      .option('--reason <text>', 'why; kept with it')
      .option('--json', 'as JSON')
      .action(async (id: string, { reason, json }: { reason?: string } & Json) => {
        show(await connectApi(commandEnv()).post(`${pathOf(id)}/${name}`, { reason }), json);
      });
  }
}

function show(approval: unknown, json: true | undefined): void {
  if (json === true) printJson(approval);
  else print(visible(JSON.stringify(approval, null, 2)));
}
