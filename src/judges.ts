// One judge a connection, made from the running config.
import type { KeyObject } from 'node:crypto';
import type { Config } from './config/load.ts';
import { ConnectionJudge } from './judge.ts';
import { languages } from './languages/languages.ts';
import { compileMasking } from './mask/rules.ts';
import { compilePolicy } from './policy/rules.ts';
import type { Catalog, Connection } from './types.ts';

/** The judge of one connection of a config. Throws SP_CONFIG where a policy or masking does not compile. */
export function judgeOf(
  config: Config,
  connection: Connection,
  read: (previous: Catalog | undefined) => Promise<Catalog>,
  /** Of the `hash` strategy; without it such columns are redacted. */
  key?: KeyObject,
): ConnectionJudge {
  const rules = connection.policy === undefined ? undefined : config.policies.get(connection.policy);
  const masking = connection.masking === undefined ? undefined : config.maskings.get(connection.masking);
  return new ConnectionJudge({
    language: languages[connection.protocol],
    policy: rules === undefined ? null : compilePolicy(connection.policy ?? '', rules),
    masking: masking === undefined ? null : compileMasking(masking, { key }),
    readCatalog: read,
  });
}
