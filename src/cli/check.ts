// `sallyport check`: every mistake with its path, rules that can never fire, and whether each database can be reached.

import type { Command } from 'commander';
import { readEnv } from '../config/env.ts';
import { formatMistake, type Mistake } from '../config/mistakes.ts';
import { EXIT } from './exit.ts';
import { print, printJson, visible } from './output.ts';

export function addCheck(program: Command): void {
  program
    .command('check')
    .description(
      'read the environment and the config file, name every mistake, dial each connection; exit 1 on any mistake',
    )
    .option('--no-dial', 'do not dial the databases')
    .option('--json', 'print {ok, mistakes, warnings, connections}')
    .action(async ({ dial, json }: { dial: boolean; json?: true }) => {
      const [{ readChecked }, { checked }] = await Promise.all([import('./config.ts'), import('./checks.ts')]);
      const { env, mistakes: inEnv } = readEnv();
      const reading = readChecked(env);
      const { mistakes: inFile, warnings, connections } = await checked(reading, dial);
      const ok = inEnv.length === 0 && reading.ok && connections.every((connection) => connection.ok);
      process.exitCode = ok ? EXIT.ok : EXIT.refused;
      if (json === true) {
        const reached = connections.map(({ short, ...connection }) => connection);
        printJson({ ok, mistakes: [...inEnv, ...inFile], warnings, connections: reached });
        return;
      }
      const inPlace = (mistake: Mistake) => formatMistake(mistake, mistake.line === undefined ? undefined : env.config);
      for (const mistake of inEnv) print(visible(`mistake  ${formatMistake(mistake)}`));
      for (const mistake of inFile) print(visible(`mistake  ${inPlace(mistake)}`));
      for (const warning of warnings) print(visible(`warning  ${inPlace(warning)}`));
      for (const { name, ok, serverVersion, error } of connections) {
        print(
          visible(
            ok
              ? `reached  ${name}: server ${serverVersion ?? 'version unknown'}`
              : `mistake  connections.${name}: ${error}`,
          ),
        );
      }
      if (ok) print(`${env.config} has no mistake${dial ? ' and every database answers' : ''}.`);
    });
}
