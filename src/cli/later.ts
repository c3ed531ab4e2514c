// Commands of the contract that are not there yet: they say so and fail, so that no script takes silence for success.

import type { Command } from 'commander';
import { CommandError, EXIT } from './exit.ts';

/** `json` is taken so that a script that asks for it reads the refusal as JSON. */
export function addLater(parent: Command, name: string, description: string, what: string): void {
  parent
    .command(name)
    .description(`${description} (not there yet)`)
    .argument('[arguments...]')
    .option('--json', 'as JSON')
    .allowUnknownOption()
    .action(() => {
      throw new CommandError(EXIT.refused, `${what} not there yet in this version`);
    });
}
