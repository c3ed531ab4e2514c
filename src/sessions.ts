// Who may open a session, and the sessions that are open: by grant, so that its end reaches each of them.
import { requestCommand } from './asking.ts';
import type { Config } from './config/load.ts';
import { nameOf } from './grants/approvers.ts';
import type { GrantsService } from './grants/service.ts';
import type { ConnectionJudge } from './judge.ts';
import { languages } from './languages/languages.ts';
import { Notices, noticeOf } from './notices.ts';
import type { Provision } from './provision/provision.ts';
import type { Recorder } from './record/recorder.ts';
import type { Logger, Tally } from './telemetry.ts';
import type { Grant, GrantState, Protocol, Session } from './types.ts';
import { type Contexts, Gate, type GateServices } from './wire/gate.ts';
import type { EndReason } from './wire/listen.ts';
import type { Admitted, Notice, TurnedAway, Who } from './wire/port.ts';
import type { GrantStatus } from './wire/sallyport.ts';
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
  readonly provision: Provision;
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
  readonly notify: (notice: Notice) => void;
}

export class Sessions {
  readonly #o: SessionsOptions;
  readonly #byGrant = new Map<string, Set<Open>>();
  readonly #notices: Notices;

  constructor(options: SessionsOptions) {
    this.#o = options;
    this.#notices = new Notices((id) => options.grants.remaining(id));
    options.grants.onEnd((id, state, reason) => {
      for (const { session, end } of this.#byGrant.get(id) ?? []) end(grantOver(session, state, reason));
      options.provision.ended(id);
    });
  }

  /** Lets a proven login in, or says why not. Puts the session's start into the record. */
  admit(protocol: Protocol, who: Who): Admitted<OpenGate> | TurnedAway {
    const { grants, provision, recorder, turn, tally, log, config, desks } = this.#o;
    const { login, database, application, client, end, notify } = who;
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
    const entry = { session, end, notify };
    const open = this.#byGrant.get(grant.id) ?? this.#firstOf(grant);
    open.add(entry);
    tally.sessionsOpen++;
    tally.sessionsStarted++;
    log.info({ session: session.id, grant: grant.id, connection: connection.name, client }, 'a session has begun');
    return {
      session,
      openGate: (searchPath, mode) => new Gate(this.#services(desk, protocol, mode), session, searchPath),
      readOnly: !grant.scopes.some(({ verbs }) => verbs.has('write') || verbs.has('ddl') || verbs.has('admin')),
      lease: (signal) => provision.lease(grant, connection, signal),
      ended: (why) => {
        open.delete(entry);
        if (open.size === 0) this.#forget(grant);
        tally.sessionsOpen--;
        recorder.sessionEnded(session.id, Date.now(), why);
        turn.soon();
        log.info({ session: session.id, why }, 'a session has ended');
      },
    };
  }

  /** The sessions of a grant that has had none. */
  #firstOf(grant: Grant): Set<Open> {
    const open = new Set<Open>();
    this.#byGrant.set(grant.id, open);
    const { ttlMs } = this.#o.grants.show(grant.id);
    this.#notices.watch(grant.id, ttlMs, (left) => {
      for (const { notify } of open) notify(noticeOf(grant, left));
    });
    return open;
  }

  #forget({ id }: Grant): void {
    this.#byGrant.delete(id);
    this.#notices.forget(id);
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

  #status(grant: Grant): GrantStatus {
    return { grant, state: this.#o.grants.state(grant.id) ?? 'expired', left: this.#o.grants.remaining(grant.id) };
  }

  /** Behind the answer that says so: the end of the grant is the end of the session that has asked for it. */
  #complete({ id, identity }: Grant): void {
    const { grants, log } = this.#o;
    setImmediate(() => {
      try {
        grants.complete(id, nameOf(identity));
      } catch (error) {
        // It is over all the same: it had ended before, or its end could not be written yet.
        log.warn({ err: error, grant: id }, 'a grant could not be completed as it should');
      }
    });
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
      status: (grant) => this.#status(grant),
      complete: (grant) => this.#complete(grant),
      turn,
      contradicted: ({ id, connection }) =>
        log.error(
          { session: id, connection: connection.name },
          'a result is not what its statement says: it is withheld',
        ),
      catalogUnread: ({ id, connection }, error) =>
        log.warn(
          { session: id, connection: connection.name, err: error },
          'the catalog cannot be read: a statement is refused',
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
  const { connection, task } = grant;
  const why = reason === '' ? '' : ` (${reason})`;
  return {
    kind: 'grant',
    message: `the grant ${grant.id} has ${state === 'active' ? 'ended' : state === 'revoked' ? 'been revoked' : state} at ${when}${why}`,
    hint: `Request the next: ${requestCommand({ connection, task, scopes: grant.scopes.map(({ text }) => text) })}`,
  };
}
