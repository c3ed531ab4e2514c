// How the commands read the environment. Apart from the config file, so that those that only ask the gateway start at once.

import { type Env, readEnv } from '../config/env.ts';
import { formatMistake } from '../config/mistakes.ts';
import { CommandError, EXIT } from './exit.ts';

/** Throws a CommandError naming every mistake of the environment. */
export function commandEnv(): Env {
  const { env, mistakes } = readEnv();
  if (mistakes.length === 0) return env;
  throw new CommandError(EXIT.refused, mistakes.map((mistake) => formatMistake(mistake)).join('\n'), {
    code: 'SP_ENV',
  });
}
