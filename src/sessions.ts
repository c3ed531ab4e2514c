// Who may open a session, and the sessions that are open: by grant, so that its end reaches each of them.
import type { Config } from './config/load.ts';
import type { GrantsService } from './grants/service.ts';
import type { ConnectionJudge } from './judge.ts';
import { languages } from './languages/languages.ts';
import type { Recorder } from './record/recorder.ts';
import type { Logger, Tally } from './telemetry.ts';
import type { GrantState, Protocol, Session } from './types.ts';
import { type Contexts, Gate, type GateServices } from './wire/gate.ts';
import type { EndReason } from './wire/listen.ts';
import type { Admitted, TurnedAway, Who } from './wire/port.ts';
import type { Turn } from './wire/splice.ts';
import type { Pool } from './workers/pool.ts';

/** The judge of a connection, replaced when the config changes: a session keeps its desk. */
export interface Desk {
  judge: ConnectionJudge;
}

export interface SessionsOptions {
  readonly config: () => Config;
  readonly desks: ReadonlyMap<string, Desk>;
  readonly grants: GrantsService;
  readonly recorder: Recorder;
  readonly contexts: Contexts;
  readonly pool: Pool;
  readonly turn: Turn;
  /** Bytes of masked result kept a statement. */
  readonly resultBytes: number;
  readonly tally: Tally;
  readonly log: Logger;
}

/** Opens a session's gate, once the database has told where its names lead and how it reads a text (`Dialect.mode`). */
export type OpenGate = (searchPath: readonly string[] | null, mode: string) => Gate;

interface Open {
  readonly session: Session;
  readonly end: (reason: EndReason) => void;
}

export class Sessions {
  readonly #o: SessionsOptions;
  readonly #byGrant = new Map<string, Set<Open>>();

  constructor(options: SessionsOptions) {
    this.#o = options;
    options.grants.onEnd((id, state, reason) => {
      for (const { session, end } of this.#byGrant.get(id) ?? []) end(grantOver(session, state, reason));
    });
  }

  /** Lets a proven login in, or says why not. Puts the session's start into the record. */
  admit(protocol: Protocol, who: Who): Admitted<OpenGate> | TurnedAway {
    const { grants, recorder, turn, tally, log, config, desks } = this.#o;
    const { login, database, application, client, end } = who;
    const found = grants.login(login);
    if (found === undefined || !grants.isLive(login)) return { refused: 'the grant is over' };
    const { grant } = found;
    const connection = config().connections.get(grant.connection);
    const desk = desks.get(grant.connection);
    if (connection === undefined || desk === undefined) {
      return { refused: `connection "${grant.connection}" is no longer configured` };
    }
    if (connection.protocol !== protocol) {
      return { refused: `connection "${connection.name}" speaks ${connection.protocol}, this port speaks ${protocol}` };
    }
    if (database !== null && database !== connection.name && database !== connection.database) {
      const hint = `Connect to database "${connection.name}".`;
      return { refused: `the grant ${grant.id} is not for database "${database}"`, hint };
    }
    const session: Session = {
      id: sessionId(),
      protocol,
      grant,
      connection,
      client,
      application,
      startedAt: Date.now(),
    };
    recorder.sessionStarted(session);
    turn.soon();
    const entry = { session, end };
    const open = this.#byGrant.get(grant.id) ?? new Set();
    this.#byGrant.set(grant.id, open.add(entry));
    tally.sessionsOpen++;
    tally.sessionsStarted++;
    log.info({ session: session.id, grant: grant.id, connection: connection.name, client }, 'a session has begun');
    return {
      session,
      openGate: (searchPath, mode) => new Gate(this.#services(desk, protocol, mode), session, searchPath),
      readOnly: !grant.scopes.some(({ verbs }) => verbs.has('write') || verbs.has('ddl') || verbs.has('admin')),
      ended: (why) => {
        open.delete(entry);
        if (open.size === 0) this.#byGrant.delete(grant.id);
        tally.sessionsOpen--;
        recorder.sessionEnded(session.id, Date.now(), why);
        turn.soon();
        log.info({ session: session.id, why }, 'a session has ended');
      },
    };
  }

  /** The config has changed: ends the sessions whose connection is gone. */
  reconfigured(): void {
    const { connections } = this.#o.config();
    for (const open of this.#byGrant.values()) {
      for (const { session, end } of open) {
        const { name } = session.connection;
        if (!connections.has(name)) end({ kind: 'config', message: `connection "${name}" is no longer configured` });
      }
    }
  }

  #services(desk: Desk, protocol: Protocol, mode: string): GateServices {
    const { pool, contexts, recorder, resultBytes, grants, turn, log, tally } = this.#o;
    return {
      dialect: languages[protocol].dialect(mode, (text) => pool.classify({ protocol, mode, text })),
      // A session keeps the judge of its connection through a changed config; without its connection it is ended.
      get judge() {
        return desk.judge;
      },
      contexts,
      recorder,
      resultBytes,
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
    };
  }
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
