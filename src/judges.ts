// One judge a connection, made from the running config; and the catalog that each reads from its database.
import type { KeyObject } from 'node:crypto';
import type { Config } from './config/load.ts';
import { ConnectionJudge } from './judge.ts';
import { compileMasking } from './mask/rules.ts';
import { compilePolicy } from './policy/rules.ts';
import { buildCatalog, CATALOG_SQL } from './sql/pg/catalog.ts';
import type { Catalog, Connection } from './types.ts';
import { connectUpstream, runQuery } from './wire/pg/connect.ts';
import { terminate } from './wire/pg/messages.ts';

/** For the gateway's own connections; milliseconds. */
const OWN_TIMEOUT = 10_000;
const OWN_SETTINGS = new Map([
  ['application_name', 'sallyport'],
  ['default_transaction_read_only', 'on'],
  ['statement_timeout', '30s'],
]);

/** Reads the catalog over a connection of the gateway's own, opened for it. Rejects with SP_UPSTREAM. */
export async function readCatalog(connection: Connection, previous: Catalog | undefined): Promise<Catalog> {
  return withUpstream(connection, async (run) => buildCatalog(await run(CATALOG_SQL), previous));
}

export interface Probe {
  readonly ok: boolean;
  readonly serverVersion?: string | undefined;
  readonly error?: string | undefined;
}

/** Logs in to a connection's database and out again. */
export async function probeConnection(connection: Connection): Promise<Probe> {
  if (connection.protocol !== 'postgres')
    return { ok: false, error: `protocol ${connection.protocol} is not supported yet` };
  try {
    const [rows] = await withUpstream(connection, (run) => run('SHOW server_version'));
    return { ok: true, serverVersion: rows?.[0]?.[0] ?? undefined };
  } catch (error) {
    return { ok: false, error: error instanceof Error ? error.message : String(error) };
  }
}

async function withUpstream<T>(
  connection: Connection,
  use: (run: (sql: string) => Promise<(string | null)[][][]>) => Promise<T>,
): Promise<T> {
  const upstream = await connectUpstream(connection, OWN_SETTINGS, { timeoutMs: OWN_TIMEOUT });
  try {
    return await use((sql) => runQuery(upstream, sql));
  } finally {
    upstream.socket.on('error', () => {});
    upstream.socket.end(terminate());
  }
}

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
    policy: rules === undefined ? null : compilePolicy(connection.policy ?? '', rules),
    masking: masking === undefined ? null : compileMasking(masking, { key }),
    readCatalog: read,
  });
}
