// `sallyport whoami` and `sallyport connections`: who the gateway takes you for, and what you could ask it for.

import type { Command } from 'commander';
import type { z } from 'zod';
import { formatDuration } from '../config/units.ts';
import type { connectionList, me } from '../control/schemas.ts';
import { connectApi } from './api.ts';
import { commandEnv } from './env.ts';
import { print, printJson, table, visible } from './output.ts';

export function addWhoami(program: Command): void {
  program
    .command('whoami')
    .description('who the gateway takes you for: identity, groups, roles')
    .option('--json', 'as JSON: {identity, roles}')
    .action(async ({ json }: { json?: true }) => {
      const found = (await connectApi(commandEnv()).get('/v1/me')) as z.output<typeof me>;
      if (json === true) {
        printJson(found);
        return;
      }
      const { identity, roles } = found;
      const lines: readonly (readonly [string, string | undefined])[] = [
        ['subject', identity.subject],
        ['acting for', identity.actingFor],
        ['issuer', identity.issuer],
        ['groups', identity.groups.join(', ') || 'none'],
        ['roles', roles.join(', ') || 'none'],
      ];
      for (const [name, value] of lines) if (value !== undefined) print(`${name.padEnd(12)} ${visible(value)}`);
    });
}

export function addConnections(program: Command): void {
  program
    .command('connections')
    .description('the connections that you could have grants for, and the scopes that you could ask for')
    .option('--json', 'one JSON object a line')
    .action(async ({ json }: { json?: true }) => {
      const answer = await connectApi(commandEnv()).get('/v1/connections');
      const { connections } = answer as z.output<typeof connectionList>;
      if (json === true) for (const connection of connections) printJson(connection);
      else if (connections.length === 0) print('None: no access rule is for you.');
      else for (const line of table(HEADERS, connections.flatMap(rows))) print(line);
    });
}

const HEADERS = ['CONNECTION', 'PROTOCOL', 'ADDRESS', 'SCOPE', 'LONGEST', 'APPROVAL'];

function rows({
  name,
  protocol,
  host,
  port,
  scopes,
}: z.output<typeof connectionList>['connections'][number]): string[][] {
  const address = `${host.includes(':') ? `[${host}]` : host}:${port}`;
  if (scopes.length === 0) return [[name, protocol, address, 'none', '', '']];
  return scopes.map(({ scope, maxTtlSeconds, approval }) => [
    name,
    protocol,
    address,
    scope,
    formatDuration(maxTtlSeconds * 1000),
    approval === 'auto' ? 'none' : 'by a person',
  ]);
}
