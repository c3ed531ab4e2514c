// The composition root: the only file that builds everything and hands the parts to each other.
import type { KeyObject } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { validators } from './cli/validators.ts';
import type { Env } from './config/env.ts';
import { type Config, readConfig } from './config/load.ts';
import { formatMistake } from './config/mistakes.ts';
import { parseDuration } from './config/units.ts';
import { watchConfig } from './config/watch.ts';
import { nameOf, proveCallers } from './control/callers.ts';
import { offersFor } from './control/offers.ts';
import { version } from './control/openapi.ts';
import { mcpChallenge, mountMcp } from './control/routes/mcp.ts';
import { startControl } from './control/server.ts';
import type { Services } from './control/services.ts';
import { ensureOperatorToken } from './control/token.ts';
import { dsn } from './control/views.ts';
import { SallyportError } from './errors.ts';
import { type Explain, explainWith } from './explain.ts';
import { openGrants } from './grants/grants.ts';
import { openIdentities } from './identity/identities.ts';
import type { ConnectionJudge } from './judge.ts';
import { judgeOf } from './judges.ts';
import { languages } from './languages/languages.ts';
import { ensureMaskKey } from './mask/key.ts';
import { openEndpoint } from './mcp/endpoint.ts';
import { parseScope, within } from './policy/scope.ts';
import { openPorts, verifiersOf } from './ports.ts';
import { ensureGatewayId } from './provision/gateway.ts';
import { makers, Provision } from './provision/provision.ts';
import { openRecorder } from './record/recorder.ts';
import { openStore } from './record/store.ts';
import { type Desk, Sessions } from './sessions.ts';
import { createLogger, createMetrics } from './telemetry.ts';
import type { Protocol } from './types.ts';
import { Contexts } from './wire/gate.ts';
import { Turn } from './wire/splice.ts';
import { serverTls } from './wire/tls.ts';
import { startPool } from './workers/pool.ts';

export { explainer } from './explain.ts';

export interface Running {
  readonly addresses: { readonly postgres: Address; readonly mysql: Address; readonly api: Address };
  /** Stops accepting, waits for the sessions (at most the drain timeout), seals the record. */
  close(): Promise<void>;
}

export interface Address {
  readonly host: string;
  readonly port: number;
}

/** Runs the gateway. Rejects with SP_CONFIG, SP_ENV, SP_RECORD or the listen error, with nothing left open. */
export async function serve(env: Env): Promise<Running> {
  const log = createLogger({ level: env.logLevel, format: env.logFormat });
  const metrics = createMetrics();
  const { tally } = metrics;
  const opened: (() => Promise<unknown>)[] = [];
  const closeAll = async () => {
    for (const close of opened.splice(0).reverse()) await close();
  };
  try {
    const reading = readConfig(env.config, validators);
    if (!reading.ok) throw new SallyportError('SP_CONFIG', reading.mistakes.map((m) => formatMistake(m)).join('\n'));
    let config: Config = reading.config;
    for (const warning of config.warnings) log.warn({ path: warning.path }, warning.message);
    mkdirSync(env.dataDir, { recursive: true, mode: 0o700 });
    const maskKey = ensureMaskKey(env.dataDir);
    const desks = new Map<string, Desk>([...judgesOf(config, maskKey)].map(([name, judge]) => [name, { judge }]));
    const identities = openIdentities({ issuers: () => config.identity.issuers, log });
    // What MySQL's clients are greeted with is the version of their server, which has to be asked for.
    const acquaint = () => {
      identities.prefetch();
      for (const [name, { judge }] of desks) {
        if (config.connections.get(name)?.protocol === 'mysql') judge.refresh().catch(() => {});
      }
    };
    acquaint();
    const looking = setInterval(() => {
      for (const { judge } of desks.values()) judge.look();
    }, CATALOG_AGE).unref();
    opened.push(async () => clearInterval(looking));
    const token = ensureOperatorToken(env.dataDir);
    const tls = await serverTls(
      env.tlsCert !== undefined && env.tlsKey !== undefined
        ? { certFile: env.tlsCert, keyFile: env.tlsKey }
        : { dataDir: env.dataDir },
    );
    await Promise.all(Object.values(languages).map((language) => language.ready()));

    const recordDir = join(env.dataDir, 'record');
    const recorder = await openRecorder({
      dir: recordDir,
      durability: env.recordDurability,
      resultBytes: env.recordResultBytes,
      log,
    });
    opened.push(() => recorder.close());
    const store = openStore(recordDir);
    opened.push(() => store.close());
    const turn = new Turn(() => {
      if (!recorder.pending) return;
      try {
        recorder.commit();
      } catch (error) {
        tally.recordErrors++;
        throw error;
      }
    });
    const pool = startPool(env.workers);
    opened.push(() => pool.close());

    const grants = openGrants({
      dir: join(env.dataDir, 'grants'),
      now: () => Date.now(),
      monotonic: () => performance.now(),
      access: () => config.access,
      connections: () => [...config.connections.keys()],
      scopes: { parse: parseScope, within },
      makeVerifiers: verifiersOf,
      onError: (error) => log.error({ err: error }, 'a grant could not be ended as it should'),
      onRenewal: ({ id, identity: { subject }, connection }, renewals) =>
        log.warn({ grant: id, subject, connection, renewals }, 'a grant is renewed again without a new reason'),
    });
    opened.push(() => grants.close());

    const provision = new Provision({
      gateway: ensureGatewayId(env.dataDir),
      makers,
      ask: (connection, use) => languages[connection.protocol].administer(connection, use),
      remaining: (id) => grants.remaining(id),
      // Each takes another one to be ended.
      sessions: 2 * env.maxSessions,
      log,
    });
    opened.push(() => provision.close());
    void provision.sweep(config.connections.values());

    const sessions = new Sessions({
      config: () => config,
      desks,
      grants,
      provision,
      recorder,
      contexts: new Contexts(),
      pool,
      turn,
      resultBytes: env.recordResultBytes,
      tally,
      log,
    });
    const ports = await openPorts(
      {
        env,
        tls,
        turn,
        sessions,
        grants,
        identities,
        metrics,
        connection: (name) => config.connections.get(name),
        servers: () => [...desks.values()].flatMap(({ judge }) => judge.server ?? []),
        log,
      },
      (close) => opened.push(close),
    );

    const watching = watchConfig(
      env.config,
      (next) => {
        let nextJudges: ReadonlyMap<string, ConnectionJudge>;
        try {
          nextJudges = judgesOf(next, maskKey);
        } catch (error) {
          log.error({ err: error }, 'the changed config is refused; the running one stays');
          return;
        }
        config = next;
        for (const name of desks.keys()) if (!nextJudges.has(name)) desks.delete(name);
        for (const [name, judge] of nextJudges) {
          const desk = desks.get(name);
          if (desk === undefined) desks.set(name, { judge });
          else desk.judge = judge;
        }
        for (const warning of next.warnings) log.warn({ path: warning.path }, warning.message);
        log.info({ config: env.config }, 'the config was read again');
        sessions.reconfigured();
        void provision.sweep(next.connections.values());
        acquaint();
      },
      (mistakes) => {
        for (const mistake of mistakes)
          log.error({ path: mistake.path }, `the changed config is refused: ${mistake.message}`);
      },
      validators,
    );
    opened.push(async () => watching.close());

    const services: Services = {
      prove: proveCallers({ operatorToken: token, identities, roles: () => config.identity.roles }),
      issuers: () => config.identity.issuers,
      grants,
      sessions: {
        page: async (page) => {
          await recorder.settled();
          return store.listSessions(page);
        },
        show: async (id) => {
          await recorder.settled();
          return store.showSession(id);
        },
        records: async (id) => {
          await recorder.settled();
          return store.records(id);
        },
      },
      connections: () => [...config.connections.keys()],
      access: () => config.access,
      parseScope,
      explain: async ({ connection: name, scopes, text }) => {
        const judge = desks.get(name)?.judge;
        const connection = config.connections.get(name);
        if (judge === undefined || connection === undefined) {
          throw new SallyportError('SP_NOT_FOUND', `there is no connection "${name}"`);
        }
        await judge.refresh();
        const { protocol } = connection;
        const classify = (mode: string, large: string) => pool.classify({ protocol, mode, text: large });
        const explain: Explain = explainWith(judge, connection, scopes, { statements: MOST_EXPLAINED, classify });
        return explain(text);
      },
      ready: () => recorder.healthy(),
      login: (name) => {
        const { protocol } = config.connections.get(name) ?? {};
        return protocol && addressOf(protocol, ports[protocol]);
      },
      metrics,
      parseDuration,
    };
    const mcp = openEndpoint(
      {
        grants,
        offers: (identity) => offersFor({ identity, roles: new Set() }, services),
        explain: async (input) => services.explain(input),
        door: (name) => {
          const { protocol } = config.connections.get(name) ?? {};
          return protocol && addressOf(protocol, ports.doors[protocol]);
        },
        tickets: ports.tickets,
        dsn: (connection, user, password) => {
          const login = services.login(connection);
          return login === undefined ? null : dsn(login, connection, user, password);
        },
        parseDuration,
        nameOf,
        log,
      },
      version(),
    );
    opened.push(() => mcp.close());
    const control = await startControl(
      {
        maxStatementBytes: env.maxStatementBytes,
        log,
        services,
        mounts: [
          mountMcp({ handle: mcp.handle, issuers: services.issuers, bodyLimit: 2 * env.maxStatementBytes + 64 * 1024 }),
        ],
        challenge: mcpChallenge(services.issuers),
      },
      env.apiListen,
    );
    opened.push(() => control.close());

    const addresses = {
      postgres: { host: ports.postgres.host, port: ports.postgres.port },
      mysql: { host: ports.mysql.host, port: ports.mysql.port },
      api: { host: control.host, port: control.port },
    };
    if (config.identity.issuers.length === 0) {
      log.info(
        {},
        'no identity provider is configured: the operator token in the data directory is what proves a caller',
      );
    } else {
      const issuers = config.identity.issuers.map(({ issuer }) => issuer);
      log.info({ issuers }, 'callers prove themselves at the identity provider: the operator token is not taken');
    }
    log.info(addresses, 'sallyport is up');
    return { addresses, close: closeAll };
  } catch (error) {
    await closeAll();
    throw error;
  }
}

const addressOf = (protocol: Protocol, { host, port }: Address) => ({ protocol, host, port });

/** Statements of one text that the API explains. */
const MOST_EXPLAINED = 1_000;

/** How old a catalog may get while it is used, milliseconds: what others rename or create is seen after so long. */
const CATALOG_AGE = 10_000;

function judgesOf(config: Config, key: KeyObject): ReadonlyMap<string, ConnectionJudge> {
  const judges = new Map<string, ConnectionJudge>();
  for (const [name, connection] of config.connections) {
    judges.set(
      name,
      judgeOf(config, connection, (previous) => languages[connection.protocol].readCatalog(connection, previous), key),
    );
  }
  return judges;
}
