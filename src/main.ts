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
import { startControl } from './control/server.ts';
import { ensureOperatorToken } from './control/token.ts';
import { SallyportError } from './errors.ts';
import { type Explain, explainWith } from './explain.ts';
import { openGrants } from './grants/grants.ts';
import type { ConnectionJudge } from './judge.ts';
import { judgeOf, readCatalog } from './judges.ts';
import { ensureMaskKey } from './mask/key.ts';
import { parseScope, within } from './policy/scope.ts';
import { openRecorder } from './record/recorder.ts';
import { openStore } from './record/store.ts';
import { classify, ready } from './sql/pg/classify.ts';
import { foldLiterals } from './sql/pg/fold.ts';
import { looseSecretSpans } from './sql/pg/secrets.ts';
import { createLogger, createMetrics } from './telemetry.ts';
import type { GrantState, Session } from './types.ts';
import { Contexts, Gate, type GateServices } from './wire/gate.ts';
import { type EndReason, listen } from './wire/listen.ts';
import { makeVerifiers, type ScramVerifier } from './wire/pg/auth.ts';
import { servePg } from './wire/pg/index.ts';
import { errorResponse } from './wire/pg/messages.ts';
import { Turn } from './wire/splice.ts';
import { serverTls } from './wire/tls.ts';
import { startPool } from './workers/pool.ts';

export { explainer } from './explain.ts';
export { probeConnection } from './judges.ts';

export interface Running {
  readonly addresses: { readonly postgres: Address; readonly api: Address };
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
    const desks = new Map([...judgesOf(config, maskKey)].map(([name, judge]) => [name, { judge }]));
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
    await ready();

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
      now: Date.now,
      monotonic: () => performance.now(),
      access: () => config.access,
      connections: () => [...config.connections.keys()],
      scopes: { parse: parseScope, within },
      makeVerifiers,
      onError: (error) => log.error({ err: error }, 'a grant could not be ended as it should'),
    });
    opened.push(() => grants.close());

    /** Open sessions by grant, so that its end reaches each of them. */
    const sessions = new Map<string, Set<Ending>>();
    grants.onEnd((id, state, reason) => {
      for (const { session, end } of sessions.get(id) ?? []) end(grantOver(session, state, reason));
    });

    const contexts = new Contexts();
    const gateOf = (desk: { readonly judge: ConnectionJudge }): GateServices => ({
      dialect: { classify, classifyLarge: (text) => pool.classify(text), foldLiterals, looseSecrets: looseSecretSpans },
      // A session keeps the judge of its connection through a changed config; without its connection it is ended.
      get judge() {
        return desk.judge;
      },
      contexts,
      recorder,
      resultBytes: env.recordResultBytes,
      isLive: (id) => grants.isLive(id),
      turn,
      contradicted: ({ id, connection }) =>
        log.error(
          { session: id, connection: connection.name },
          'a result is not what its statement says: it is withheld',
        ),
      judged: ({ action }) => {
        if (action === 'allow') tally.statementsAllowed++;
        else if (action === 'deny') tally.statementsDenied++;
        else tally.statementsHeld++;
      },
    });

    const port = await listen({
      ...env.pgListen,
      maxSessions: env.maxSessions,
      idleTimeoutMs: env.idleTimeoutMs,
      full: () =>
        errorResponse({ severity: 'FATAL', code: '53300', message: 'the gateway has no room for another session' }),
      serve: servePg({
        tls,
        tlsRequired: env.tlsRequired,
        handshakeTimeoutMs: env.handshakeTimeoutMs,
        maxStatementBytes: env.maxStatementBytes,
        turn,
        log,
        lookup: (login) => {
          const found = grants.login(login);
          return found?.state === 'active' ? (found.verifiers as ScramVerifier) : undefined;
        },
        admit: ({ login, database, application, client, end }) => {
          const found = grants.login(login);
          if (found === undefined || !grants.isLive(login)) return { refused: 'the grant is over' };
          const { grant } = found;
          const connection = config.connections.get(grant.connection);
          const desk = desks.get(grant.connection);
          if (connection === undefined || desk === undefined) {
            return { refused: `connection "${grant.connection}" is no longer configured` };
          }
          if (connection.protocol !== 'postgres') {
            return {
              refused: `connection "${connection.name}" speaks ${connection.protocol}, not the Postgres protocol`,
            };
          }
          if (database !== null && database !== connection.name && database !== connection.database) {
            const hint = `Connect to database "${connection.name}".`;
            return { refused: `the grant ${grant.id} is not for database "${database}"`, hint };
          }
          const session: Session = {
            id: sessionId(),
            protocol: 'postgres',
            grant,
            connection,
            client,
            application,
            startedAt: Date.now(),
          };
          recorder.sessionStarted(session);
          turn.soon();
          const ending = { session, end };
          const open = sessions.get(grant.id) ?? new Set();
          sessions.set(grant.id, open.add(ending));
          tally.sessionsOpen++;
          tally.sessionsStarted++;
          log.info(
            { session: session.id, grant: grant.id, connection: connection.name, client },
            'a session has begun',
          );
          return {
            session,
            openGate: (searchPath) => new Gate(gateOf(desk), session, searchPath),
            readOnly: !grant.scopes.some(({ verbs }) => verbs.has('write') || verbs.has('ddl') || verbs.has('admin')),
            ended: (why) => {
              open.delete(ending);
              if (open.size === 0) sessions.delete(grant.id);
              tally.sessionsOpen--;
              recorder.sessionEnded(session.id, Date.now(), why);
              turn.soon();
              log.info({ session: session.id, why }, 'a session has ended');
            },
          };
        },
      }),
    });
    opened.push(() => port.drain(env.drainTimeoutMs));

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
        for (const open of sessions.values()) {
          for (const { session, end } of open) {
            if (!next.connections.has(session.connection.name)) {
              end({ kind: 'config', message: `connection "${session.connection.name}" is no longer configured` });
            }
          }
        }
      },
      (mistakes) => {
        for (const mistake of mistakes)
          log.error({ path: mistake.path }, `the changed config is refused: ${mistake.message}`);
      },
      validators,
    );
    opened.push(async () => watching.close());

    const control = await startControl(
      {
        token,
        maxStatementBytes: env.maxStatementBytes,
        onFailure: (error) => log.error({ err: error }, 'an API call has failed'),
        services: {
          grants,
          sessions: {
            list: async (page) => {
              await recorder.settled();
              return store.listSessions(page);
            },
            show: async (id) => {
              await recorder.settled();
              return store.showSession(id);
            },
            records: async (id) => {
              await recorder.settled();
              return store.showSession(id) === undefined ? undefined : store.records(id);
            },
          },
          explain: async ({ connection: name, scopes, text }) => {
            const judge = desks.get(name)?.judge;
            const connection = config.connections.get(name);
            if (judge === undefined || connection === undefined) {
              throw new SallyportError('SP_NOT_FOUND', `there is no connection "${name}"`);
            }
            await judge.refresh();
            const explain: Explain = explainWith(judge, connection, scopes);
            return explain(text);
          },
          ready: () => recorder.healthy(),
          login: (name) => {
            const connection = config.connections.get(name);
            return connection && { protocol: connection.protocol, host: port.host, port: port.port };
          },
          metrics,
          parseDuration,
        },
      },
      env.apiListen,
    );
    opened.push(() => control.close());

    const addresses = {
      postgres: { host: port.host, port: port.port },
      api: { host: control.host, port: control.port },
    };
    if (config.identity.issuers.length === 0) {
      log.info(
        {},
        'no identity provider is configured: the operator token in the data directory is what proves a caller',
      );
    }
    log.info(addresses, 'sallyport is up');
    return { addresses, close: closeAll };
  } catch (error) {
    await closeAll();
    throw error;
  }
}

/** How old a catalog may get while it is used, milliseconds: what others rename or create is seen after so long. */
const CATALOG_AGE = 10_000;

interface Ending {
  readonly session: Session;
  readonly end: (reason: EndReason) => void;
}

function judgesOf(config: Config, key: KeyObject): ReadonlyMap<string, ConnectionJudge> {
  const judges = new Map<string, ConnectionJudge>();
  for (const [name, connection] of config.connections) {
    judges.set(
      name,
      judgeOf(config, connection, (previous) => readCatalog(connection, previous), key),
    );
  }
  return judges;
}

/** Sortable by time: milliseconds in base 36, then randomness. */
function sessionId(): string {
  const random = crypto
    .getRandomValues(new Uint32Array(2))
    .reduce((text, n) => text + n.toString(36).padStart(7, '0'), '');
  return `se_${Date.now().toString(36).padStart(9, '0')}${random}`;
}

function grantOver({ grant }: Session, state: GrantState, reason: string): EndReason {
  const when = new Date().toISOString();
  const scopes = grant.scopes.map((scope) => `--scope ${scope.text}`).join(' ');
  const why = reason === '' ? '' : ` (${reason})`;
  return {
    kind: 'grant',
    message: `the grant ${grant.id} has ${state === 'active' ? 'ended' : state === 'revoked' ? 'been revoked' : state} at ${when}${why}`,
    hint: `Request the next: sallyport grants request --connection ${grant.connection} ${scopes} --ttl 20m --task ${grant.task} --reason "…"`,
  };
}
