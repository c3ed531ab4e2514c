// `sallyport serve`: runs the gateway until it is told to stop.

import type { Command } from 'commander';
import { commandEnv } from './env.ts';

export function addServe(program: Command): void {
  program
    .command('serve')
    .description('run the gateway')
    .option('--json', 'log as JSON lines, in a terminal too')
    .action(async (options: { json?: true }) => {
      const read = commandEnv();
      const env = options.json === true ? { ...read, logFormat: 'json' as const } : read;
      const { commandConfig } = await import('./config.ts');
      // Read here as well, so that every mistake is told before anything is opened.
      commandConfig(env);
      const { serve } = await import('../main.ts');
      const running = await serve(env);
      await told(['SIGINT', 'SIGTERM']);
      await running.close();
    });
}

/** Resolves at the first of the signals. A second one ends the process where it stands. */
function told(signals: readonly NodeJS.Signals[]): Promise<void> {
  return new Promise((resolve) => {
    let first = true;
    for (const signal of signals) {
      process.on(signal, () => {
        if (!first) process.exit(1);
        first = false;
        resolve();
      });
    }
  });
}
