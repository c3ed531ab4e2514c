// What `sallyport check` looks at beyond the config file's own mistakes: rules that can never fire, databases that do not answer,
// masking that matches nothing. Apart from the command, which has to start at once for others.

import type { Config, Reading } from '../config/load.ts';
import type { Mistake } from '../config/mistakes.ts';
import { judgeOf } from '../judges.ts';
import { kinds, languages } from '../languages/languages.ts';
import { neverFires, unknownKinds } from '../policy/lint.ts';
import { compilePolicy } from '../policy/rules.ts';
import { trialName } from '../provision/gateway.ts';
import { administrator, makers } from '../provision/provision.ts';
import type { Connection } from '../types.ts';

export interface Dialled {
  readonly name: string;
  readonly ok: boolean;
  readonly serverVersion?: string | undefined;
  readonly error?: string | undefined;
  /** Of provisioned mode: what its administrator cannot give, in sentences. */
  readonly short: readonly string[];
}

export interface Checked {
  readonly mistakes: readonly Mistake[];
  readonly warnings: readonly Mistake[];
  /** Empty where the file has mistakes, or nothing was to be dialled. */
  readonly connections: readonly Dialled[];
}

export async function checked(reading: Reading, dial: boolean): Promise<Checked> {
  if (!reading.ok) return { mistakes: reading.mistakes, warnings: [], connections: [] };
  const { config } = reading;
  const connections = dial ? await dialAll(config) : [];
  const warnings = [
    ...config.warnings,
    ...unknownKindsOf(config),
    ...deadRules(config),
    ...(await idleMaskings(config, connections)),
    ...shortOf(connections),
  ];
  return { mistakes: [], warnings, connections };
}

/** Kinds that no statement has: such a rule protects nothing. */
function unknownKindsOf(config: Config): Mistake[] {
  return [...config.policies].flatMap(([name, rules]) =>
    unknownKinds(compilePolicy(name, rules), kinds).map(({ rule, kind, nearest }) => ({
      path: `policies.${name}.rules[${rules.findIndex((candidate) => candidate.name === rule)}].when.statement`,
      message: `no statement is of the kind "${kind}"${nearest === null ? '' : `; did you mean "${nearest}"?`}`,
    })),
  );
}

/** Rules that an earlier one shadows or whose conditions cannot hold together. */
function deadRules(config: Config): Mistake[] {
  return [...config.policies].flatMap(([name, rules]) =>
    neverFires(compilePolicy(name, rules)).map(({ rule, why }) => {
      const index = rules.findIndex((candidate) => candidate.name === rule);
      return { path: `policies.${name}.rules[${index}]`, message: `the rule "${rule}" can never fire: ${why}` };
    }),
  );
}

async function dialAll(config: Config): Promise<Dialled[]> {
  return Promise.all(
    [...config.connections.values()].map(async (connection) => {
      const { ok, serverVersion, error } = await languages[connection.protocol].probe(connection);
      const reached = { name: connection.name, serverVersion };
      if (!ok || connection.provisioned === undefined) return { ...reached, ok, error, short: [] };
      return { ...reached, ...(await proveProvisioned(connection)) };
    }),
  );
}

/** Makes a role as provisioned mode does, and takes it back. */
async function proveProvisioned(connection: Connection): Promise<Pick<Dialled, 'ok' | 'error' | 'short'>> {
  const name = trialName(connection.protocol);
  try {
    const short = await languages[connection.protocol].administer(administrator(connection), (run) =>
      makers[connection.protocol].prove(run, name, connection),
    );
    return { ok: true, short };
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    return { ok: false, error: `its administrator, ${connection.provisioned?.user}, makes no role: ${why}`, short: [] };
  }
}

/** What grants in provisioned mode will not get of their scopes. */
function shortOf(dialled: readonly Dialled[]): Mistake[] {
  return dialled.flatMap(({ name, short }) =>
    short.map((message) => ({ path: `connections.${name}.provisioned`, message })),
  );
}

/** Masking rules that match no column of a database that was reached: a slip of the pen there would protect nothing. */
async function idleMaskings(config: Config, dialled: readonly Dialled[]): Promise<Mistake[]> {
  const warnings: Mistake[] = [];
  for (const { name, ok } of dialled) {
    const connection = config.connections.get(name);
    if (!ok || connection?.masking === undefined) continue;
    const { readCatalog } = languages[connection.protocol];
    const judge = judgeOf(config, connection, (previous) => readCatalog(connection, previous));
    const path = `masking.${connection.masking}`;
    try {
      await judge.refresh();
      for (const rule of judge.unmatched) warnings.push({ path, message: `"${rule}" matches no column of ${name}` });
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      warnings.push({ path, message: `the columns of ${name} cannot be read, so its rules are not proved: ${why}` });
    }
  }
  return warnings;
}
