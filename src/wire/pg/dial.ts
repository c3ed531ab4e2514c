// The database's side of a connection until its first ReadyForQuery: a machine that owns no socket.
//
// The database is not trusted: lengths, the number of messages, what it asks for and what it says are bounded, and its words
// are cleaned of the credential. The gateway speaks protocol 3.0 here; 3.2 would only bring longer cancel keys.
// Sources: PostgreSQL documentation 54.2.1 "Start-up", 54.2.10 (TLS), 54.3 (SASL).

import { SallyportError } from '../../errors.ts';
import type { TlsMode } from '../../types.ts';
import { md5Response, type ScramClient, scramClientFinal, scramClientFirst, scramServerProven } from './auth.ts';
import { cstringEnd, decodeBackendKeyData, decodeError, decodeParameterStatus } from './decode.ts';
import { FRAME, FrameReader, READ } from './frame.ts';
import {
  Auth,
  Backend,
  cancelRequest,
  passwordMessage,
  StartupCode,
  Status,
  saslInitialResponse,
  saslResponse,
  sslRequest,
  startupMessage,
} from './messages.ts';

/** Longest message at login, in bytes. The longest of a real server are notices of login triggers. */
const MESSAGE_MAX = 64 * 1024;
/** Most bytes at login; a real server sends less than one KiB. */
const LOGIN_MAX = 1024 * 1024;
const LINE_MAX = 500;

/** What the gateway relies on when it reads statements; asked for at startup, and it has to be reported back. */
const FIXED: ReadonlyMap<string, string> = new Map([
  ['client_encoding', 'UTF8'],
  ['standard_conforming_strings', 'on'],
]);

const READS = new Uint8Array(256);
for (const type of [
  Backend.authentication,
  Backend.backendKeyData,
  Backend.errorResponse,
  Backend.noticeResponse,
  Backend.parameterStatus,
  Backend.readyForQuery,
]) {
  READS[type] = READ.whole;
}

export interface DialOptions {
  readonly tls: TlsMode;
  readonly user: string;
  readonly database: string;
  /** Asked for once, when the database wants it. */
  readonly password: () => string;
  /** More of the startup packet, such as settings; what the gateway itself relies on cannot be changed by it. */
  readonly parameters: Iterable<readonly [string, string]>;
  /** Instead of logging in, ask to cancel what this backend is running; the database then hangs up. */
  readonly cancel?: { readonly pid: number; readonly secret: Uint8Array };
}

/** Why a dial failed. `sqlstate` where the database said so itself. `message` is one line for the log, not for clients. */
export interface DialFailure {
  readonly sqlstate: string | null;
  readonly message: string;
}

/** What a database says of itself at login. */
export interface Ready {
  /** ParameterStatus, by name as sent. */
  readonly parameters: Map<string, string>;
  readonly backendPid: number;
  readonly backendSecret: Buffer;
  /** Bytes that came behind ReadyForQuery. */
  readonly rest: Buffer;
}

export type DialStep =
  | { readonly do: 'send'; readonly bytes: Buffer }
  /** Shake hands, then call `tlsEstablished`. */
  | { readonly do: 'start-tls' }
  | ({ readonly do: 'ready' } & Ready)
  /** Close. */
  | ({ readonly do: 'failed' } & DialFailure);

export interface Dial {
  /** The first bytes to send. */
  start(): Buffer;
  /** Takes what was read; one call at a time, as keys are derived off the event loop. */
  push(bytes: Buffer): Promise<DialStep[]>;
  /** @param endPoint `tls-server-end-point` of the database's certificate, or null */
  tlsEstablished(endPoint: Buffer | null): Buffer;
}

type State =
  | { readonly at: 'tls-answer' }
  | { readonly at: 'handshake' }
  /** Nothing was asked for yet. */
  | { readonly at: 'authentication' }
  | { readonly at: 'password-sent' }
  | { readonly at: 'scram-first'; readonly scram: ScramClient; readonly password: string }
  | { readonly at: 'scram-final'; readonly signature: Buffer }
  | { readonly at: 'scram-proven' }
  /** AuthenticationOk has come: parameters and the cancel key follow. */
  | { readonly at: 'parameters' }
  | { readonly at: 'over' };

export function createDial(options: DialOptions): Dial {
  let state: State = { at: options.tls === 'disable' ? 'authentication' : 'tls-answer' };
  let encrypted = false;
  let endPoint: Buffer | null = null;
  /** Taken out of whatever the database says. */
  let credential = '';
  let received = 0;
  let key: { pid: number; secret: Buffer } | null = null;
  const parameters = new Map<string, string>();
  const reader = new FrameReader(READS, MESSAGE_MAX);

  function startup(): Buffer {
    if (options.cancel !== undefined) return cancelRequest(options.cancel.pid, options.cancel.secret);
    const all = new Map(options.parameters);
    for (const [name, value] of FIXED) all.set(name, value);
    all.set('user', options.user).set('database', options.database);
    return startupMessage(StartupCode.protocol30, all);
  }

  function failed(message: string, sqlstate: string | null = null): DialStep {
    state = { at: 'over' };
    return { do: 'failed', sqlstate, message };
  }

  /** The one byte that answers SSLRequest. */
  function tlsAnswer(bytes: Buffer): DialStep {
    const answer = bytes.toString('latin1', 0, 1);
    // What came behind it is not encrypted and may be an attacker's: CVE-2021-23222.
    if (bytes.length > 1) return failed('the database sent unencrypted data after its answer to the request for TLS');
    if (answer === 'S') {
      state = { at: 'handshake' };
      return { do: 'start-tls' };
    }
    if (answer !== 'N') return failed('what answers is not a PostgreSQL server, or one that knows no TLS');
    if (options.tls !== 'prefer') return failed(`the database offers no TLS, and tls mode ${options.tls} needs it`);
    state = { at: 'authentication' };
    return { do: 'send', bytes: startup() };
  }

  /** The next step of a whole message, or null where it asks for none. */
  async function message(type: number, body: Buffer): Promise<DialStep | null> {
    switch (type) {
      case Backend.noticeResponse:
        return null;
      case Backend.errorResponse:
        return errorResponse(body);
      case Backend.authentication:
        if (body.length < 4 || state.at === 'parameters') return failed('the database broke the protocol at login');
        return authentication(body.readInt32BE(0), body.subarray(4));
    }
    if (state.at !== 'parameters') return failed('the database skipped the authentication');
    if (type === Backend.parameterStatus) return parameterStatus(body);
    if (type === Backend.backendKeyData) {
      key = decodeBackendKeyData(body, 0, body.length);
      return key === null ? failed('the database sent a malformed cancel key') : null;
    }
    return readyForQuery(body);
  }

  function errorResponse(body: Buffer): DialStep {
    const fields = decodeError(body, 0, body.length);
    const code = fields?.get('C') ?? '';
    const words = clean(fields?.get('M') ?? 'an error without a message', credential);
    return failed(`the database refuses the gateway: ${words}`, /^[0-9A-Z]{5}$/.test(code) ? code : null);
  }

  async function authentication(kind: number, data: Buffer): Promise<DialStep | null> {
    switch (kind) {
      case Auth.ok:
        // In the middle of SCRAM the database has not proven that it knows the secret.
        if (state.at === 'scram-first' || state.at === 'scram-final') {
          return failed('the database ended SCRAM without proving itself');
        }
        state = { at: 'parameters' };
        return null;
      case Auth.cleartextPassword:
        if (state.at !== 'authentication') break;
        if (!encrypted) return failed('the database asks for the password in clear text outside TLS; it is not sent');
        state = { at: 'password-sent' };
        return { do: 'send', bytes: passwordMessage(secret()) };
      case Auth.md5Password:
        if (state.at !== 'authentication' || data.length !== 4) break;
        state = { at: 'password-sent' };
        return { do: 'send', bytes: passwordMessage(md5Response(options.user, secret(), data)) };
      case Auth.sasl: {
        if (state.at !== 'authentication') break;
        const { state: scram, message: first } = scramClientFirst(mechanisms(data), endPoint);
        state = { at: 'scram-first', scram, password: secret() };
        return { do: 'send', bytes: saslInitialResponse(scram.mechanism, first) };
      }
      case Auth.saslContinue: {
        if (state.at !== 'scram-first') break;
        const { message: final, signature } = await scramClientFinal(state.scram, data, state.password);
        state = { at: 'scram-final', signature };
        return { do: 'send', bytes: saslResponse(final) };
      }
      case Auth.saslFinal:
        if (state.at !== 'scram-final') break;
        if (!scramServerProven(state.signature, data)) return failed('the database does not know the secret itself');
        state = { at: 'scram-proven' };
        return null;
    }
    return failed(`the database asks for a way to log in that is not spoken (${kind}), or out of turn`);
  }

  function secret(): string {
    credential = options.password();
    return credential;
  }

  function parameterStatus(body: Buffer): DialStep | null {
    const status = decodeParameterStatus(body, 0, body.length);
    if (status === null) return failed('the database sent a malformed ParameterStatus');
    parameters.set(status.name, status.value);
    return null;
  }

  function readyForQuery(body: Buffer): DialStep {
    if (body.length !== 1 || body[0] !== Status.idle) return failed('the database is not idle after login');
    // Without a key nothing could be cancelled when a grant ends.
    if (key === null) return failed('the database gave no cancel key');
    for (const [name, value] of FIXED) {
      if (parameters.get(name) !== value) return failed(`the database does not take ${name} = ${value}`);
    }
    state = { at: 'over' };
    return { do: 'ready', parameters, backendPid: key.pid, backendSecret: key.secret, rest: Buffer.from(reader.rest) };
  }

  async function frames(): Promise<DialStep[]> {
    const steps: DialStep[] = [];
    while (state.at !== 'over') {
      const frame = reader.next();
      if (frame === FRAME.incomplete) break;
      if (frame === FRAME.malformed) {
        steps.push(failed(`the database broke the protocol at login: ${reader.problem}`));
        break;
      }
      const step = await message(reader.type, reader.buffer.subarray(reader.start + 5, reader.end));
      if (step !== null) steps.push(step);
    }
    return steps;
  }

  return {
    start: () => (state.at === 'tls-answer' ? sslRequest() : startup()),
    tlsEstablished(hash) {
      encrypted = true;
      endPoint = hash;
      state = { at: 'authentication' };
      return startup();
    },
    async push(bytes) {
      if (state.at === 'over' || bytes.length === 0) return [];
      if (state.at === 'tls-answer') return [tlsAnswer(bytes)];
      if (state.at === 'handshake') return [failed('the database sent unencrypted data after TLS was agreed on')];
      received += bytes.length;
      if (received > LOGIN_MAX) return [failed(`the database sent more than ${LOGIN_MAX} bytes at login`)];
      reader.push(bytes);
      try {
        return await frames();
      } catch (error) {
        if (error instanceof SallyportError) return [failed(error.message)];
        throw error;
      }
    },
  };
}

/** The names in AuthenticationSASL, a list of C strings that ends with an empty one. */
function mechanisms(data: Buffer): string[] {
  const names: string[] = [];
  for (let at = 0; ; ) {
    const end = cstringEnd(data, at, data.length);
    if (end <= at) return names;
    names.push(data.toString('latin1', at, end));
    at = end + 1;
  }
}

/** What a database says, fit for a line of the log: without the credential, without control characters, not endless. */
function clean(text: string, credential: string): string {
  const without = credential === '' ? text : text.replaceAll(credential, '…');
  return without.replace(/\p{C}+/gu, ' ').slice(0, LINE_MAX);
}
