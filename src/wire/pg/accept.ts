// The client's side of a connection until its login is proven: a machine that owns no socket.
//
// Bytes go in, steps come out. Encryption requests, protocol negotiation, the startup packet, SCRAM and tokens are decided here; the
// owner of the socket does the steps in their order, limits the time, and after `authenticated` says AuthenticationOk or why
// not. Sources: PostgreSQL documentation 54.2.1, 54.2.10 (TLS), 54.2.11 (GSSAPI), 54.3 (SASL), 54.8 (NegotiateProtocolVersion).

import { isTokenLogin, type LoginFailure, type LoginMachine, type LoginStep, taskOf } from '../login.ts';
import {
  mockVerifiers,
  SASL_MESSAGE_MAX,
  SCRAM,
  SCRAM_PLUS,
  type ScramProblem,
  type ScramServer,
  type ScramVerifier,
  scramServerFinal,
  scramServerFirst,
} from './auth.ts';
import { cstringEnd } from './decode.ts';
import {
  ALPN,
  authenticationCleartextPassword,
  authenticationSasl,
  authenticationSaslContinue,
  authenticationSaslFinal,
  type ErrorFields,
  errorResponse,
  Frontend,
  negotiateProtocolVersion,
  StartupCode,
} from './messages.ts';
import { readStartup, type Startup } from './startup.ts';

/** As in the server (MAX_STARTUP_PACKET_LENGTH). */
const STARTUP_MAX = 10_000;
const MINOR = 2;
const MAJOR = 3;
const TLS_HANDSHAKE = 0x16;
/** Longest token, in bytes. Providers issue a few KiB; with many groups up to 10. */
const TOKEN_MAX = 16 * 1024;
/** What may have come behind the message that is being decided about: clients of this protocol send nothing there. */
const BEHIND_MAX = 64 * 1024;
const EMPTY = Buffer.alloc(0);

export interface AcceptOptions {
  /** `required` refuses a login outside TLS; `refused` answers `N`. */
  readonly tls: 'refused' | 'offered' | 'required';
  /** What is stored of a login's secret, or undefined where nobody may log in by that name. */
  readonly lookup: (login: string) => ScramVerifier | undefined;
  /** An issuer is configured: tokens can be proven. */
  readonly tokens: boolean;
}

/** A CancelRequest: nothing else comes on this connection. */
export interface CancelStep {
  readonly do: 'cancel';
  readonly pid: number;
  readonly secret: Buffer;
}

export type AcceptStep = LoginStep<Authenticated> | CancelStep;

export interface Authenticated extends Startup {
  /** 0, 1 or 2: from 2 on, cancel keys may be longer than 4 bytes. */
  readonly protocolMinor: number;
  /** Bytes that came behind the login. */
  readonly rest: Buffer;
}

export type Acceptance = LoginMachine<AcceptStep>;

type State =
  | { readonly at: 'opening' }
  | { readonly at: 'startup' }
  | { readonly at: 'handshake'; readonly direct: boolean }
  | { readonly at: 'waiting'; readonly startup: Startup; readonly minor: number }
  | { readonly at: 'token'; readonly startup: Startup; readonly minor: number }
  | { readonly at: 'proving'; readonly startup: Startup; readonly minor: number }
  | { readonly at: 'mechanism'; readonly startup: Startup; readonly minor: number }
  | { readonly at: 'proof'; readonly startup: Startup; readonly minor: number; readonly scram: ScramServer }
  | { readonly at: 'over' };

export function createAcceptance(options: AcceptOptions): Acceptance {
  let state: State = { at: 'opening' };
  let held: Buffer = EMPTY;
  /** The encryption requests that may still come: each once, none inside TLS. */
  const open = new Set<number>([StartupCode.sslRequest, StartupCode.gssencRequest]);
  let encrypted = false;
  let endPoint: Buffer | null = null;

  function close(
    reason: string,
    bytes: Buffer = EMPTY,
    failure: LoginFailure = 'protocol',
    login?: string,
  ): AcceptStep[] {
    state = { at: 'over' };
    held = EMPTY;
    return [{ do: 'close', bytes, reason, failure, ...(login === undefined ? {} : { login }) }];
  }

  const send = (bytes: Buffer): AcceptStep => ({ do: 'send', bytes });
  const refuse = (error: ErrorFields, failure?: LoginFailure, login?: string): AcceptStep[] =>
    close(error.message, errorResponse(error), failure, login);
  const fatal = (code: string, message: string, hint?: string, failure?: LoginFailure): AcceptStep[] =>
    refuse({ severity: 'FATAL', code, message, hint }, failure);

  /** The next steps; none where more bytes are needed. */
  function next(): AcceptStep[] {
    switch (state.at) {
      case 'opening':
        if (held[0] === TLS_HANDSHAKE) return startDirectTls();
        return packet();
      case 'startup':
        return packet();
      case 'handshake':
        return held.length === 0 ? [] : close('bytes outside TLS after TLS was agreed on');
      case 'waiting':
      case 'proving':
        return held.length <= BEHIND_MAX ? [] : close('bytes where nothing is due');
      case 'token':
        return tokenMessage(state);
      case 'mechanism':
      case 'proof':
        return saslMessage(state);
      case 'over':
        held = EMPTY;
        return [];
    }
  }

  function startDirectTls(): AcceptStep[] {
    if (options.tls === 'refused') return close('TLS is not offered');
    const head = Buffer.from(held);
    held = EMPTY;
    state = { at: 'handshake', direct: true };
    return [{ do: 'start-tls', head }];
  }

  /** A packet without a type byte: Int32 length that counts itself, Int32 code. */
  function packet(): AcceptStep[] {
    if (held.length < 4) return [];
    const length = held.readInt32BE(0);
    if (length < 8 || length > STARTUP_MAX) return close(`invalid length of startup packet: ${length}`);
    if (held.length < length) return [];
    const bytes = held.subarray(0, length);
    held = held.subarray(length);
    state = { at: 'startup' };

    const code = bytes.readUInt32BE(4);
    if (open.delete(code)) return encryptionRequest(code);
    if (code === StartupCode.cancelRequest) return cancel(bytes);
    return startupMessage(code, bytes);
  }

  function encryptionRequest(code: number): AcceptStep[] {
    const name = code === StartupCode.sslRequest ? 'SSL' : 'GSSAPI encryption';
    // What came behind the request is not encrypted and may be an attacker's: CVE-2021-23214.
    if (held.length > 0) return fatal('08P01', `received unencrypted data after ${name} request`);
    if (code === StartupCode.gssencRequest || options.tls === 'refused') return [send(Buffer.from('N'))];
    state = { at: 'handshake', direct: false };
    return [send(Buffer.from('S')), { do: 'start-tls', head: EMPTY }];
  }

  function cancel(bytes: Buffer): AcceptStep[] {
    const secret = bytes.subarray(12);
    if (bytes.length < 16 || secret.length > 256) return close('invalid length of cancel request');
    state = { at: 'over' };
    held = EMPTY;
    return [{ do: 'cancel', pid: bytes.readInt32BE(8), secret: Buffer.from(secret) }];
  }

  function startupMessage(code: number, bytes: Buffer): AcceptStep[] {
    const major = code >>> 16;
    const minor = code & 0xffff;
    if (major !== MAJOR) {
      const message = `unsupported frontend protocol ${major}.${minor}: server supports 3.0 to 3.${MINOR}`;
      // Before 3.0 an error was a letter and a text.
      return major < MAJOR ? close(message, Buffer.from(`E${message}\n\0`)) : fatal('0A000', message);
    }
    const read = readStartup(bytes, 8, bytes.length);
    if ('error' in read) return refuse(read.error);
    const { startup } = read;
    if (!encrypted && options.tls === 'required') {
      return fatal('28000', 'this gateway takes logins over TLS only', 'Connect with sslmode=require.', 'tls');
    }
    const { login } = startup;
    const byToken = isTokenLogin(login);
    if (byToken && !options.tokens) {
      const hint = 'Log in with a grant: its id is the user, its secret the password.';
      return fatal('28000', 'login with a token needs a configured issuer, and none is', hint, 'token');
    }
    if (byToken && !encrypted) {
      const hint = 'Connect with sslmode=require: a token is never asked for in the clear.';
      return fatal('28000', 'this gateway takes tokens over TLS only', hint, 'tls');
    }
    state = { at: 'waiting', startup, minor };
    return [{ do: 'wait', login: byToken ? null : login }];
  }

  /** Asks for the password in the way that the login is proven. */
  function ask(startup: Startup, minor: number): AcceptStep[] {
    const spoken = Math.min(minor, MINOR);
    const byToken = isTokenLogin(startup.login);
    state = { at: byToken ? 'token' : 'mechanism', startup, minor: spoken };
    const request = byToken
      ? authenticationCleartextPassword()
      : authenticationSasl(endPoint === null ? [SCRAM] : [SCRAM_PLUS, SCRAM]);
    if (minor === spoken && startup.unknownOptions.length === 0) return [send(request)];
    const negotiate = negotiateProtocolVersion((MAJOR << 16) | spoken, startup.unknownOptions);
    return [send(Buffer.concat([negotiate, request]))];
  }

  /** The body of the next password message, which is taken out; steps where it is not one, or not all of it has come. */
  function passwordMessage(expected: string, most: number): Buffer | AcceptStep[] {
    if (held.length === 0) return [];
    if (held[0] === Frontend.terminate) return close('the client left during login', EMPTY, 'unfinished');
    if (held[0] !== Frontend.password) return fatal('08P01', `expected ${expected}`);
    if (held.length < 5) return [];
    const length = held.readInt32BE(1);
    if (length < 4 || length > most) return fatal('08P01', `${expected} of a length that cannot be`);
    if (held.length < 1 + length) return [];
    const body = held.subarray(5, 1 + length);
    held = held.subarray(1 + length);
    return body;
  }

  /** PasswordMessage: the token as a C string ("54.2.1. Start-up", AuthenticationCleartextPassword). */
  function tokenMessage(now: State & { readonly at: 'token' }): AcceptStep[] {
    const body = passwordMessage('password message', 4 + TOKEN_MAX + 1);
    if (!Buffer.isBuffer(body)) return body;
    const end = cstringEnd(body, 0, body.length);
    if (end === -1 || end + 1 !== body.length) return fatal('08P01', 'malformed PasswordMessage');
    const { login, database } = now.startup;
    state = { ...now, at: 'proving' };
    return [{ do: 'token', task: taskOf(login), token: body.toString('latin1', 0, end), database }];
  }

  function saslMessage(now: State & { readonly at: 'mechanism' | 'proof' }): AcceptStep[] {
    // The mechanism's name and a length stand before the first message.
    const body = passwordMessage('SASL response', SASL_MESSAGE_MAX + 64);
    if (!Buffer.isBuffer(body)) return body;
    return now.at === 'mechanism' ? clientFirst(now, body) : clientFinal(now, body);
  }

  function clientFirst(now: State & { readonly at: 'mechanism' }, body: Buffer): AcceptStep[] {
    const endOfName = cstringEnd(body, 0, body.length);
    const data = body.subarray(endOfName + 5);
    if (endOfName === -1 || body.length < endOfName + 5 || body.readInt32BE(endOfName + 1) !== data.length) {
      return fatal('08P01', 'malformed SASLInitialResponse');
    }
    const mechanism = body.toString('latin1', 0, endOfName);
    if (mechanism !== SCRAM && (mechanism !== SCRAM_PLUS || endPoint === null)) {
      return fatal('08P01', 'client selected an invalid SASL authentication mechanism');
    }
    const { login } = now.startup;
    const verifier = options.lookup(login) ?? mockVerifiers(login);
    const answer = scramServerFirst(mechanism, data, verifier, endPoint);
    if ('problem' in answer) return scramFailed(answer.problem, login);
    state = { ...now, at: 'proof', scram: answer.state };
    return [send(authenticationSaslContinue(answer.message))];
  }

  function clientFinal(now: State & { readonly at: 'proof' }, body: Buffer): AcceptStep[] {
    const answer = scramServerFinal(now.scram, body);
    if ('problem' in answer) return scramFailed(answer.problem, now.startup.login);
    return [send(authenticationSaslFinal(answer.message)), authenticated(now.startup, now.minor)];
  }

  function authenticated(startup: Startup, minor: number): AcceptStep {
    state = { at: 'over' };
    const rest = Buffer.from(held);
    held = EMPTY;
    return { do: 'authenticated', ...startup, protocolMinor: minor, rest };
  }

  /** The same words whether the login is unknown, over, or the secret is wrong. */
  function scramFailed(problem: ScramProblem, login: string): AcceptStep[] {
    if (problem === 'malformed') return fatal('08P01', 'malformed SCRAM message');
    if (problem === 'binding') {
      const hint = 'The certificate that the client saw is not this gateway’s own: something between them ends TLS.';
      const message = 'SCRAM channel binding check failed';
      return refuse({ severity: 'FATAL', code: '28000', message, hint }, 'secret', login);
    }
    const hint = 'A grant’s login ends with the grant: request the next with "sallyport grants request".';
    const message = `password authentication failed for user "${login}"`;
    return refuse({ severity: 'FATAL', code: '28P01', message, hint }, 'secret', login);
  }

  function run(): AcceptStep[] {
    const steps: AcceptStep[] = [];
    for (let more = next(); more.length > 0; more = next()) steps.push(...more);
    // The caller may read into the same buffer again.
    if (held.length > 0) held = Buffer.from(held);
    return steps;
  }

  return {
    push(bytes) {
      held = held.length === 0 ? bytes : Buffer.concat([held, bytes]);
      return run();
    },
    tlsEstablished(alpn, hash) {
      if (state.at !== 'handshake') return close('TLS that was not agreed on');
      // Without ALPN a server of another protocol could be made to read this one's bytes, and the other way round.
      if (state.direct && alpn !== ALPN) return close('direct TLS without ALPN "postgresql"');
      state = { at: 'startup' };
      encrypted = true;
      endPoint = hash;
      open.clear();
      return run();
    },
    proceed() {
      if (state.at !== 'waiting') return [];
      const { startup, minor } = state;
      return [...ask(startup, minor), ...run()];
    },
    tokenAnswered(answer) {
      if (state.at !== 'proving') return [];
      const { startup, minor } = state;
      if ('grant' in answer) return [authenticated({ ...startup, login: answer.grant }, minor)];
      const { login } = startup;
      if ('unproven' in answer) {
        const hint =
          'The password has to be a token that is valid now, of an issuer that this gateway knows, made for it.';
        const error = errorResponse({ severity: 'FATAL', code: '28P01', message: 'token authentication failed', hint });
        return close(answer.unproven, error, 'token', login);
      }
      const { refused, hint } = answer;
      return refuse({ severity: 'FATAL', code: '28000', message: refused, hint }, 'grant', login);
    },
  };
}
