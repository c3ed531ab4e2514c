// `sallyport check`: every mistake with its path, rules that can never fire, and whether each database can be reached.

import type { Command } from 'commander';
import { readEnv } from '../config/env.ts';
import type { Config } from '../config/load.ts';
import { formatMistake, type Mistake } from '../config/mistakes.ts';
import { neverFires, unknownKinds } from '../policy/lint.ts';
import { compilePolicy } from '../policy/rules.ts';
import type { Connection } from '../types.ts';
import { readChecked } from './config.ts';
import { EXIT } from './exit.ts';
import { print, printJson, visible } from './output.ts';

interface Dialled {
  readonly name: string;
  readonly ok: boolean;
  readonly serverVersion?: string | undefined;
  readonly error?: string | undefined;
  /** Of provisioned mode: what its administrator cannot give, in sentences. */
  readonly short: readonly string[];
}

export function addCheck(program: Command): void {
  program
    .command('check')
    .description(
      'read the environment and the config file, name every mistake, dial each connection; exit 1 on any mistake',
    )
    .option('--no-dial', 'do not dial the databases')
    .option('--json', 'print {ok, mistakes, warnings, connections}')
    .action(async ({ dial, json }: { dial: boolean; json?: true }) => {
      const { env, mistakes: inEnv } = readEnv();
      const reading = readChecked(env);
      const inFile = reading.ok ? [] : reading.mistakes;
      const connections = reading.ok && dial ? await dialAll(reading.config) : [];
      const warnings = reading.ok
        ? [
            ...reading.config.warnings,
            ...(await unknownKindsOf(reading.config)),
            ...deadRules(reading.config),
            ...(await idleMaskings(reading.config, connections)),
            ...shortOf(connections),
          ]
        : [];
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

/** Kinds that no statement has: such a rule protects nothing. */
async function unknownKindsOf(config: Config): Promise<Mistake[]> {
  const { kinds } = await import('../languages/languages.ts');
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
  const { languages } = await import('../languages/languages.ts');
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
  const { languages } = await import('../languages/languages.ts');
  const { administrator, makers } = await import('../provision/provision.ts');
  const { trialName } = await import('../provision/gateway.ts');
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
    const { judgeOf } = await import('../judges.ts');
    const { languages } = await import('../languages/languages.ts');
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
