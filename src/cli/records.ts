// `sallyport records …`: the record itself; verifying needs no running gateway.

import { join } from 'node:path';
import type { Command } from 'commander';
import { commandEnv } from './env.ts';
import { EXIT } from './exit.ts';
import { addLater } from './later.ts';
import { print, printJson, visible } from './output.ts';

export function addRecords(program: Command): void {
  const records = program.command('records').description('the record: prove it whole');
  records
    .command('verify')
    .description('prove that nothing recorded was changed, removed or cut off; exit 1 where it was')
    .option('--json', 'print {ok, sessions, records, mistakes}')
    .action(async ({ json }: { json?: true }) => {
      const { verifyRecords } = await import('../record/verify.ts');
      const found = await verifyRecords(join(commandEnv().dataDir, 'record'));
      process.exitCode = found.ok ? EXIT.ok : EXIT.refused;
      if (json === true) {
        printJson(found);
        return;
      }
      for (const { session, place, what } of found.mistakes) print(visible(`${session ?? 'all'}  ${place}: ${what}`));
      const counted = `${several(found.records, 'record')} in ${several(found.sessions, 'session')}`;
      print(
        found.ok
          ? `${counted}: whole.`
          : `${counted}; not as it was recorded in ${several(found.mistakes.length, 'place')}.`,
      );
    });
  addLater(records, 'export', 'as JSON lines or OCSF', 'exporting the record is');
  addLater(records, 'prune', 'retention', 'pruning the record is');
}

function several(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? '' : 's'}`;
}
