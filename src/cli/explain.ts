// `sallyport explain`: what would be decided, from the config file alone; nothing is run and no gateway is needed.

import { createInterface } from 'node:readline';
import { text as readAll } from 'node:stream/consumers';
import type { Command } from 'commander';
import { suggestion } from '../config/mistakes.ts';
import type { ExplainLine } from '../control/services.ts';
import { VERBS } from '../types.ts';
import { commandEnv } from './env.ts';
import { CommandError, EXIT } from './exit.ts';
import { collect } from './options.ts';

interface Options {
  connection: string;
  scope?: string[];
  sql?: string;
  jsonl?: true;
}

export function addExplain(program: Command): void {
  program
    .command('explain')
    .description('what would be decided of SQL, nothing run: one JSON line a statement')
    .requiredOption('--connection <name>', 'the connection whose policy decides')
    .option(
      '--scope <scope>',
      'a scope of the grant; may be given several times (default: every verb on the connection)',
      collect,
    )
    .option('--sql <text>', 'the SQL; standard input where it is left out')
    .option('--jsonl', 'every line of standard input is one text, as a JSON string')
    .option('--json', 'what it prints anyway')
    .action(async ({ connection: name, scope, sql, jsonl }: Options) => {
      if (jsonl === true && sql !== undefined)
        throw new CommandError(EXIT.usage, '--jsonl reads standard input; leave out --sql');
      const { commandConfig } = await import('./config.ts');
      // Nothing is dialled, so nobody needs the passwords to ask.
      const config = commandConfig(commandEnv(), { proveSecrets: false });
      if (!config.connections.has(name)) {
        const known = [...config.connections.keys()];
        throw new CommandError(EXIT.refused, `there is no connection "${name}"${suggestion(name, known)}`);
      }
      const scopes = scope ?? [`db:${name}:${VERBS.join('+')}`];
      const { explainer } = await import('../main.ts');
      const explain = await explainer(config, name, scopes);
      if (jsonl === true) await explainLines(explain);
      else await write(await explain(sql ?? (await readAll(process.stdin))));
    });
}

async function explainLines(explain: (text: string) => Promise<readonly ExplainLine[]>): Promise<void> {
  let number = 0;
  for await (const line of createInterface({ input: process.stdin, crlfDelay: Number.POSITIVE_INFINITY })) {
    number += 1;
    if (line.trim() !== '') await write(await explain(jsonString(line, number)));
  }
}

function jsonString(line: string, number: number): string {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    value = undefined;
  }
  if (typeof value === 'string') return value;
  throw new CommandError(EXIT.refused, `line ${number} of standard input is not a JSON string`);
}

/** The contract's keys, and `columns` where the connection masks. Waits where the reader is slow, so that tens of thousands of texts need little memory. */
async function write(lines: readonly ExplainLine[]): Promise<void> {
  const text = lines
    .map(({ statement, verbs, relations, functions, verdict: { action, rule, reason }, columns }) =>
      JSON.stringify({ statement, verbs, relations, functions, verdict: { action, rule, reason }, columns }),
    )
    .map((line) => `${line}\n`)
    .join('');
  if (!process.stdout.write(text)) await new Promise((resolve) => process.stdout.once('drain', resolve));
}
