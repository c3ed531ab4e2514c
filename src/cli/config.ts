// How the commands read the config file: with every check that the other modules have for their parts.

import type { Env } from '../config/env.ts';
import { type Config, type Reading, type ReadOptions, readConfig } from '../config/load.ts';
import { formatMistake } from '../config/mistakes.ts';
import { CommandError, EXIT } from './exit.ts';
import { validators } from './validators.ts';

export function readChecked(env: Pick<Env, 'config'>, options: ReadOptions = {}): Reading {
  return readConfig(env.config, { ...validators, ...options });
}

/** Throws a CommandError naming every mistake of the file. */
export function commandConfig(env: Pick<Env, 'config'>, options: ReadOptions = {}): Config {
  const reading = readChecked(env, options);
  if (reading.ok) return reading.config;
  const text = reading.mistakes.map((mistake) =>
    formatMistake(mistake, mistake.path === '' && mistake.line === undefined ? undefined : env.config),
  );
  throw new CommandError(EXIT.refused, text.join('\n'), { code: 'SP_CONFIG' });
}
