// What the ports of both protocols share: from an accepted socket to a session.
import type { Socket } from 'node:net';
import type { Connection, Session } from '../types.ts';
import type { EndReason, Hooks, Open } from './listen.ts';
import type { LoginFailure, TokenAnswer, TokenLogin } from './login.ts';
import { LAST_WORDS } from './session.ts';
import type { Turn } from './splice.ts';
import type { Throttle } from './throttle.ts';
import type { ServerTls } from './tls.ts';

/** A login that has proven its secret. */
export interface Who {
  readonly login: string;
  readonly database: string | null;
  readonly application: string;
  readonly client: string;
  /** Ends the session from outside: the grant is over, the config has changed. */
  readonly end: (reason: EndReason) => void;
  /** Tells the client something between two messages, where the protocol can. */
  readonly notify: (notice: Notice) => void;
}

/** What a client is told that it has not asked for. */
export interface Notice {
  /** One sentence. */
  readonly message: string;
  readonly hint: string;
}

/** A proven login that may go on to its database; `OpenGate` takes what the database says of the session. */
export interface Admitted<OpenGate> {
  readonly session: Session;
  readonly openGate: OpenGate;
  /** The grant has no verb that writes: the database session is started read-only too, as depth. */
  readonly readOnly: boolean;
  /**
   * What the session dials, which may have to be made first. Rejects with SP_UPSTREAM, also when `signal` is aborted: the message is
   * for the log.
   */
  readonly lease: (signal: AbortSignal) => Promise<Lease>;
  /** The session has ended; `why` is one sentence for the record. */
  readonly ended: (why: string) => void;
}

/** The database that a session dials, and as whom. */
export interface Lease {
  readonly connection: Connection;
  /** The session is over there too: nobody logs in as this user for it any more. */
  release(): void;
}

export interface TurnedAway {
  readonly refused: string;
  readonly hint?: string;
}

export interface PortOptions<Verifier, OpenGate> {
  readonly tls: ServerTls;
  readonly tlsRequired: boolean;
  /** Milliseconds. */
  readonly handshakeTimeoutMs: number;
  readonly maxStatementBytes: number;
  readonly turn: Turn;
  /** The verifier of a live grant's login. */
  readonly lookup: (login: string) => Verifier | undefined;
  readonly tokens: {
    /** An issuer is configured: tokens can be proven. */
    readonly configured: () => boolean;
    /** Whose token it is, and which grant it leads to. Never rejects for what is wrong with the token. */
    readonly prove: (login: TokenLogin) => Promise<TokenAnswer>;
  };
  /** Shared by all ports of the gateway. */
  readonly throttle: Throttle;
  /** A login came to nothing; for metrics. */
  readonly failed: (failure: LoginFailure) => void;
  /** Lets a proven login in, or says why not. Puts the session's start into the record. */
  readonly admit: (who: Who) => Admitted<OpenGate> | TurnedAway;
  readonly log: { info(data: object, message: string): void; warn(data: object, message: string): void };
}

/** How a protocol brings a client to its session. */
export interface Steps<Proven> {
  /** Proves who it is. Null where it was refused, or has wanted something else and got it. */
  login(raw: Socket): Promise<Proven | null>;
  /** From a proven login to a session, which `opened` is told of. `signal` is aborted when the client leaves. */
  open(proven: Proven, client: string, signal: AbortSignal, opened: (session: Open) => void): Promise<void>;
  /** Says that there is no room for another session. */
  full(proven: Proven): void;
}

/** Makes what serves the clients of a listening port. */
export function servePort<Proven>(
  { handshakeTimeoutMs, log, failed }: Pick<PortOptions<unknown, unknown>, 'handshakeTimeoutMs' | 'log' | 'failed'>,
  { login, open, full }: Steps<Proven>,
): (socket: Socket, hooks: Hooks) => Open {
  return (raw, { loggedIn, closed }) => {
    /** Until there is a session, an end is a closed socket. */
    const none: Open = { end: () => raw.destroy(), idleSince: null };
    let session = none;
    /** It has had its last words, if any, and takes room until it is gone. */
    const leave = () => {
      setTimeout(() => raw.destroy(), LAST_WORDS).unref();
    };
    raw.once('close', closed);
    raw.on('error', () => raw.destroy());
    const timer = setTimeout(() => raw.destroy(), handshakeTimeoutMs);
    const client = `${raw.remoteAddress ?? '?'}:${raw.remotePort ?? 0}`;
    login(raw)
      .then(async (proven) => {
        // The database has a limit of its own; how that went the client is told.
        clearTimeout(timer);
        if (proven === null) return leave();
        if (!loggedIn()) {
          failed('room');
          full(proven);
          return leave();
        }
        const abort = new AbortController();
        raw.once('close', () => abort.abort());
        await open(proven, client, abort.signal, (made) => {
          session = made;
        });
        if (session === none) leave();
      })
      .catch((error: unknown) => {
        log.info({ client, reason: said(error) }, 'a client did not get in');
        raw.destroy();
      })
      .finally(() => clearTimeout(timer));
    return {
      end: (reason) => session.end(reason),
      get idleSince() {
        return session.idleSince;
      },
    };
  };
}

/** What was thrown, as one line for the log. */
export function said(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
