// The command line: one file a command, every end an exit code.

import { readFileSync } from 'node:fs';
import { Command, CommanderError } from 'commander';
import { addConnections, addWhoami } from './about.ts';
import { addApprovals } from './approvals.ts';
import { addCheck } from './check.ts';
import { EXIT, report } from './exit.ts';
import { addExplain } from './explain.ts';
import { addGrants } from './grants.ts';
import { addLogin } from './login.ts';
import { addMcp } from './mcp.ts';
import { addRecords } from './records.ts';
import { addServe } from './serve.ts';
import { addSessions } from './sessions.ts';

export function createProgram(): Command {
  const program = new Command('sallyport')
    .description('the gateway between AI agents and databases: grants, judged statements, masked results, a record')
    .version(version(), '--version', 'the version')
    .helpCommand(true)
    .showHelpAfterError('(--help says how it is written)')
    // Copied to every command below: an end is an exit code here, never an exit in the middle.
    .exitOverride()
    .addHelpText(
      'after',
      '\nExit codes: 0 done, 1 refused or a mistake found, 2 not written as the help says, 3 no gateway answers.',
    );
  addServe(program);
  addCheck(program);
  addExplain(program);
  addGrants(program);
  addApprovals(program);
  addSessions(program);
  addRecords(program);
  addLogin(program);
  addWhoami(program);
  addConnections(program);
  addMcp(program);
  return program;
}

/** Runs one command line (without node and script) and answers its exit code. */
export async function run(args: readonly string[]): Promise<number> {
  try {
    await createProgram().parseAsync([...args], { from: 'user' });
    return typeof process.exitCode === 'number' ? process.exitCode : EXIT.ok;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
    return report(error, args.includes('--json') || args.includes('--jsonl'));
  }
}

/** Both src/cli and the published dist/cli lie two folders below the package. */
function version(): string {
  const text = readFileSync(new URL('../../package.json', import.meta.url), 'utf8');
  return String((JSON.parse(text) as { version: unknown }).version);
}
