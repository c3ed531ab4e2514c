// A client's login, for both protocols: drives the protocol's machine over the socket until it is known who has come.
//
// The machine decides, this does: it sends, shakes hands, waits where the throttle says so, and asks who the bearer of a token is.
import type { Socket } from 'node:net';
import type { TurnedAway } from './port.ts';
import { LAST_WORDS } from './session.ts';
import { sourceOf, type Throttle } from './throttle.ts';
import { type ServerTls, upgradeServer } from './tls.ts';

/** Why a login came to nothing, for the metrics; the log has it in words. */
export const LOGIN_FAILURES = [
  /** The secret is wrong, or the login is not that of a live grant. */
  'secret',
  /** The token proves nobody. */
  'token',
  /** Proven, but there is nothing to log in to: no live grant of this bearer, another connection's, a connection that is gone. */
  'grant',
  /** Not inside TLS, where that is asked for. */
  'tls',
  /** Not the protocol, or not what the gateway takes of it. */
  'protocol',
  /** It left, its time was over, or it made room for another connection. */
  'unfinished',
  /** Proven, but there is no room for another session. */
  'room',
] as const;
export type LoginFailure = (typeof LOGIN_FAILURES)[number];

/** `oidc`, or `oidc:<task>`: who logs in is said by a token, in the password's place. */
export interface TokenLogin {
  /** Null where the login names none. */
  readonly task: string | null;
  readonly token: string;
  /** What the client asks for, or null. */
  readonly database: string | null;
}

/** What comes of a token: the grant that its bearer may use, or why there is none. */
export type TokenAnswer =
  | { readonly grant: string }
  /** It proves nobody; the reason is for the log alone. */
  | { readonly unproven: string }
  | TurnedAway;

/** What a protocol's machine asks to be done, in order. */
export type LoginStep<Who> =
  | { readonly do: 'send'; readonly bytes: Buffer }
  /** Shake hands, then call `tlsEstablished`. `head` was read already and belongs to the handshake. */
  | { readonly do: 'start-tls'; readonly head: Buffer }
  /** Somebody wants to log in by this name, null where it is anybody's: call `proceed` when that may be looked at. */
  | { readonly do: 'wait'; readonly login: string | null }
  /** Find out whose token it is, then call `tokenAnswered`. */
  | ({ readonly do: 'token' } & TokenLogin)
  | ({ readonly do: 'authenticated'; readonly login: string } & Who)
  /** Send what there is to send, then close. `login` where somebody tried one and failed to prove it. */
  | {
      readonly do: 'close';
      readonly bytes: Buffer;
      readonly reason: string;
      readonly failure: LoginFailure;
      readonly login?: string;
    };

export interface LoginMachine<Step> {
  /** Takes what was read; after a `start-tls` nothing may be read before `tlsEstablished`. */
  push(bytes: Buffer): Step[];
  /**
   * The handshake is done.
   * @param alpn what was agreed on, or null
   * @param endPoint `tls-server-end-point` of the gateway's certificate, or null
   */
  tlsEstablished(alpn: string | null, endPoint: Buffer | null): Step[];
  proceed(): Step[];
  tokenAnswered(answer: TokenAnswer): Step[];
}

export interface LoginOptions<Other> {
  readonly tls: ServerTls;
  /** The protocol's name in ALPN. */
  readonly alpn: string;
  readonly throttle: Throttle;
  readonly prove: (login: TokenLogin) => Promise<TokenAnswer>;
  readonly failed: (failure: LoginFailure) => void;
  readonly log: { info(data: object, message: string): void };
  /** A step of this protocol alone: what was wanted is done, and nobody logs in. */
  readonly other: (step: Other) => void;
}

/** Characters of a login: of one that no secret is as short as, and of the longest that there is. */
const SHORT = 16;
const LONGEST = 128;

/** The name of a token's login, as failures are kept by: it is everybody's. */
export function isTokenLogin(login: string): boolean {
  return login === 'oidc' || login.startsWith('oidc:');
}

/** The task that a token's login names, or null. */
export function taskOf(login: string): string | null {
  return login.length > 'oidc:'.length ? login.slice('oidc:'.length) : null;
}

/** Of what is no login of this gateway only the beginning: people put their secret or token where the user belongs. */
export function loggable(login: string): string {
  if (login.length <= SHORT || (login.length <= LONGEST && /^gr_[a-z2-7]{16}$|^oidc(:|$)/.test(login))) return login;
  return `${login.slice(0, SHORT)}…`;
}

/**
 * Resolves with who has come and the socket to go on with, which is paused; with null where it was refused, or has wanted something
 * else and got it. Rejects where it left, or TLS failed.
 * @param greeting what the server says first, where it does
 */
export function logIn<Who, Other extends { readonly do: string }>(
  raw: Socket,
  machine: LoginMachine<LoginStep<Who> | Other>,
  options: LoginOptions<Other>,
  greeting: Buffer | null = null,
): Promise<{ readonly socket: Socket; readonly who: Who & { readonly login: string } } | null> {
  const { tls, alpn, throttle, prove, failed, log, other } = options;
  const source = sourceOf(raw.remoteAddress);
  return new Promise((resolve, reject) => {
    let socket = raw;
    let over = false;
    let timer: NodeJS.Timeout | undefined;
    const read = (bytes: Buffer) => guarded(() => machine.push(bytes));
    const left = () => fail(new Error('it left during login'));
    const settle = () => {
      over = true;
      clearTimeout(timer);
      socket.removeListener('data', read);
      raw.removeListener('close', left);
      socket.pause();
    };
    const done = (proven: { socket: Socket; who: Who & { login: string } } | null) => {
      settle();
      resolve(proven);
    };
    function fail(error: unknown): void {
      if (over) return;
      settle();
      failed('unfinished');
      reject(error);
    }
    function guarded(steps: () => (LoginStep<Who> | Other)[]): void {
      if (over) return;
      try {
        for (const step of steps()) take(step);
      } catch (error) {
        fail(error);
      }
    }
    function take(step: LoginStep<Who> | Other): void {
      const known = step as LoginStep<Who>;
      switch (known.do) {
        case 'send':
          socket.write(known.bytes);
          return;
        case 'start-tls':
          socket.removeListener('data', read);
          upgradeServer(raw, tls.context, alpn, known.head).then((secure) => {
            socket = secure;
            secure.on('error', () => raw.destroy());
            secure.on('data', read);
            guarded(() => machine.tlsEstablished(secure.alpnProtocol || null, tls.endPoint));
          }, fail);
          return;
        case 'wait': {
          const delay = throttle.delay(source, known.login);
          if (delay === 0) return guarded(() => machine.proceed());
          // It keeps its place among those that log in for as long as it waits.
          socket.pause();
          timer = setTimeout(() => {
            socket.resume();
            guarded(() => machine.proceed());
          }, delay);
          return;
        }
        case 'token': {
          socket.pause();
          const { task, token, database } = known;
          const answered = (answer: TokenAnswer) => {
            if (over) return;
            socket.resume();
            guarded(() => machine.tokenAnswered(answer));
          };
          prove({ task, token, database }).then(answered, fail);
          return;
        }
        case 'authenticated':
          throttle.succeeded(known.login);
          return done({ socket, who: known });
        case 'close': {
          const { bytes, reason, failure, login } = known;
          failed(failure);
          if (failure === 'secret') throttle.failed(source, login ?? null);
          if (failure === 'token') throttle.failed(source, null);
          const told =
            login === undefined
              ? { reason }
              : { login: loggable(login), reason: reason.replace(login, loggable(login)) };
          log.info({ client: `${raw.remoteAddress}`, ...told }, 'a login was refused');
          if (bytes.length > 0) socket.end(bytes);
          setTimeout(() => raw.destroy(), bytes.length > 0 ? LAST_WORDS : 0).unref();
          return done(null);
        }
        default:
          other(step as Other);
          socket.end();
          return done(null);
      }
    }
    raw.once('close', left);
    raw.on('data', read);
    if (greeting !== null) raw.write(greeting);
  });
}
