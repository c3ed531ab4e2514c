// A client's login, from the greeting to the proof: a machine that owns no socket.
//
// The greeting goes out before anything is known of the client, so also before it is known which database it wants. Every
// client is offered the same capabilities: those whose every byte the gateway understands. The plugin is caching_sha2_password,
// or mysql_native_password for clients that name it; others are asked to switch. An unknown login goes the way of a wrong
// password, step by step.
//
// A token comes as the password of caching_sha2_password's full authentication, or of mysql_clear_password where the client names
// that: inside TLS, never encrypted with a key of the gateway's own, which nothing would prove.
import { randomBytes, randomInt } from 'node:crypto';
import {
  isTokenLogin,
  type LoginFailure,
  type LoginMachine,
  type LoginStep,
  type TokenAnswer,
  taskOf,
} from '../login.ts';
import {
  type LoginKey,
  type MysqlVerifiers,
  makeMysqlVerifiers,
  Plugin,
  provesNative,
  provesSecret,
  provesSha2,
  withoutNul,
} from './auth.ts';
import { FRAME, FrameReader } from './frame.ts';
import {
  authMoreData,
  authSwitchRequest,
  Capability,
  cut,
  type ErrorFields,
  err,
  greeting,
  isUtf8Collation,
  OFFERED,
  SCRAMBLE,
  UTF8MB4_GENERAL_CI,
} from './messages.ts';
import { decodeStartup, SSL_REQUEST, type Startup } from './startup.ts';

/** Longest payload of a login, bytes: tokens of several KiB have to fit. */
const LOGIN_MAX = 64 * 1024;
/** A login needs four at most. */
const MAX_PAYLOADS = 8;
/** Longest token, bytes. */
const TOKEN_MAX = 16 * 1024;

export interface Authenticated {
  readonly login: string;
  readonly database: string | null;
  readonly application: string;
  /** Offered by the gateway and taken by the client. */
  readonly capabilities: number;
  readonly collation: number;
  readonly connectionId: number;
  /** Of the OK that ends the login. */
  readonly sequence: number;
  /** Bytes that came behind the login. */
  readonly rest: Buffer;
}

export type AcceptStep = LoginStep<Authenticated>;

export interface AcceptOptions {
  readonly tls: 'offered' | 'required';
  readonly version: string;
  readonly connectionId: number;
  readonly key: LoginKey;
  /** The verifiers of a live grant's login. */
  readonly lookup: (login: string) => MysqlVerifiers | undefined;
  /** An issuer is configured: tokens can be proven. */
  readonly tokens: boolean;
}

export interface Acceptance extends LoginMachine<AcceptStep> {
  /** The greeting: the server speaks first. */
  start(): Buffer;
}

/** Nobody knows its secret. */
const NOBODY = makeMysqlVerifiers(randomBytes(32).toString('base64'));

type State =
  | 'response'
  | 'tls'
  /** for the throttle */
  | 'waiting'
  | 'switched'
  | 'full'
  | 'encrypted'
  /** for a token in clear */
  | 'token'
  /** for what the token proves */
  | 'proving'
  | 'over';

/** Those in which a payload of the client is due. */
const READS: ReadonlySet<State> = new Set(['response', 'switched', 'full', 'encrypted', 'token']);
/** perform_full_authentication ("Caching SHA-2 Pluggable Authentication"). */
const FULL_AUTHENTICATION = Buffer.from([4]);
const SECURE_TRANSPORT = 'Connections using insecure transport are prohibited; connect with TLS';

export function createAcceptance(options: AcceptOptions): Acceptance {
  const scramble = newScramble();
  const reader = new FrameReader(LOGIN_MAX);
  let state: State = 'response';
  let encrypted = false;
  let payloads = 0;
  let client: Startup | null = null;
  let plugin: string = Plugin.sha2;
  let sequence = 0;

  const verifiers = () => options.lookup(client?.user ?? '') ?? NOBODY;

  function close(fields: ErrorFields, failure: LoginFailure, reason = fields.message): AcceptStep {
    state = 'over';
    const login = client?.user;
    return { do: 'close', bytes: err(sequence, fields), reason, failure, ...(login === undefined ? {} : { login }) };
  }

  const malformed = () => close({ code: 1043, sqlstate: '08S01', message: 'Bad handshake' }, 'protocol');

  function denied(
    failure: LoginFailure = 'secret',
    reason = 'the secret is wrong, or the login is not that of a live grant',
  ): AcceptStep {
    const user = (client?.user ?? '').replace(/[^\x21-\x7e]/g, '?').slice(0, 32);
    const message = `Access denied for user '${user}' (using password: ${client?.response.length === 0 ? 'NO' : 'YES'})`;
    return close({ code: 1045, sqlstate: '28000', message }, failure, reason);
  }

  function proven(known: boolean): AcceptStep[] {
    if (!known || client === null) return [denied()];
    return [authenticated(client, client.user)];
  }

  function authenticated(client: Startup, login: string): AcceptStep {
    state = 'over';
    const collation = isUtf8Collation(client.collation) ? client.collation : UTF8MB4_GENERAL_CI;
    return {
      do: 'authenticated',
      login,
      database: client.database,
      application: client.application,
      capabilities: client.capabilities & OFFERED,
      collation,
      connectionId: options.connectionId,
      sequence,
      rest: Buffer.from(reader.rest),
    };
  }

  function response(payload: Buffer): AcceptStep[] {
    if (payload.length === SSL_REQUEST && !encrypted && (payload.readUInt32LE(0) & Capability.ssl) !== 0) {
      state = 'tls';
      return [{ do: 'start-tls', head: Buffer.from(reader.rest) }];
    }
    client = decodeStartup(payload);
    if (client === null) return [malformed()];
    if (options.tls === 'required' && !encrypted) {
      return [close({ code: 3159, sqlstate: '08004', message: SECURE_TRANSPORT }, 'tls')];
    }
    const byToken = isTokenLogin(client.user);
    if (byToken && !options.tokens) {
      const message = 'Login with a token needs a configured issuer, and none is: log in with a grant';
      return [close({ code: 1045, sqlstate: '28000', message }, 'token')];
    }
    if (byToken && !encrypted) return [close({ code: 3159, sqlstate: '08004', message: SECURE_TRANSPORT }, 'tls')];
    state = 'waiting';
    return [{ do: 'wait', login: byToken ? null : client.user }];
  }

  /** What the client has sent in its response is looked at, or asked for. */
  function begin(client: Startup): AcceptStep[] {
    if (isTokenLogin(client.user)) return beginToken(client);
    plugin = client.plugin ?? Plugin.native;
    // Who begins with another plugin than the greeting's may wait to be asked, and sends nothing until then (libmysqlclient 5.7).
    const waits = client.plugin === Plugin.native && client.response.length === 0;
    if (plugin === Plugin.sha2 || (plugin === Plugin.native && !waits)) return answer(client.response);
    plugin = waits ? Plugin.native : Plugin.sha2;
    state = 'switched';
    return [{ do: 'send', bytes: authSwitchRequest(sequence, plugin, scramble) }];
  }

  /** Whatever a client has made of its password with the scramble proves nothing of a token: it is asked for whole. */
  function beginToken(client: Startup): AcceptStep[] {
    if (client.plugin === Plugin.clear) return token(client.response);
    if (client.plugin === Plugin.sha2) return askWhole('token');
    plugin = Plugin.sha2;
    state = 'switched';
    return [{ do: 'send', bytes: authSwitchRequest(sequence, Plugin.sha2, scramble) }];
  }

  function askWhole(next: 'token' | 'full'): AcceptStep[] {
    state = next;
    return [{ do: 'send', bytes: authMoreData(sequence, FULL_AUTHENTICATION) }];
  }

  /** The token, with a NUL behind it or without. */
  function token(payload: Buffer): AcceptStep[] {
    const bytes = withoutNul(payload) ?? payload;
    if (client === null || bytes.length === 0 || bytes.length > TOKEN_MAX) {
      return [denied('token', 'no token, or one of more than 16 KiB')];
    }
    state = 'proving';
    return [{ do: 'token', task: taskOf(client.user), token: bytes.toString('latin1'), database: client.database }];
  }

  function tokenAnswered(answer: TokenAnswer): AcceptStep[] {
    if (state !== 'proving' || client === null) return [];
    if ('grant' in answer) return [authenticated(client, answer.grant)];
    if ('unproven' in answer) return [denied('token', answer.unproven)];
    const { refused, hint } = answer;
    const message = cut(hint === undefined ? refused : `${refused}. ${hint}`);
    return [close({ code: 1045, sqlstate: '28000', message }, 'grant', refused)];
  }

  function answer(proof: Buffer): AcceptStep[] {
    if (isTokenLogin(client?.user ?? '')) return askWhole('token');
    if (plugin === Plugin.native) return proven(provesNative(proof, scramble, verifiers()));
    if (proof.length === 0) return [denied()];
    if (provesSha2(proof, scramble, verifiers())) {
      const fast: AcceptStep = { do: 'send', bytes: authMoreData(sequence, Buffer.from([3])) };
      sequence = (sequence + 1) & 0xff;
      return [fast, ...proven(true)];
    }
    // As a server does that does not have the password in its cache.
    return askWhole('full');
  }

  function full(payload: Buffer): AcceptStep[] {
    if (encrypted) {
      const secret = withoutNul(payload);
      return secret === null ? [denied()] : proven(provesSecret(secret, verifiers()));
    }
    if (payload.length === 1 && payload[0] === 2) {
      state = 'encrypted';
      return [{ do: 'send', bytes: authMoreData(sequence, options.key.pem) }];
    }
    return decrypted(payload);
  }

  function decrypted(payload: Buffer): AcceptStep[] {
    const secret = options.key.decrypt(payload, scramble);
    return secret === null ? [denied()] : proven(provesSecret(secret, verifiers()));
  }

  function take(payload: Buffer): AcceptStep[] {
    switch (state) {
      case 'response':
        return response(payload);
      case 'switched':
        return answer(payload);
      case 'full':
        return full(payload);
      case 'encrypted':
        return decrypted(payload);
      case 'token':
        return token(payload);
      default:
        return [];
    }
  }

  return {
    start: () =>
      greeting({
        version: options.version,
        connectionId: options.connectionId,
        scramble,
        capabilities: OFFERED,
        plugin: Plugin.sha2,
      }),
    push(bytes) {
      // What comes while it is waited for something else stays behind the rest; clients of this protocol send nothing then.
      if (state === 'waiting' || state === 'proving') return [malformed()];
      reader.push(bytes);
      return run();
    },
    tlsEstablished() {
      encrypted = true;
      state = 'response';
      reader.push(Buffer.alloc(0));
      return [];
    },
    proceed() {
      if (state !== 'waiting' || client === null) return [];
      return [...begin(client), ...run()];
    },
    tokenAnswered,
  };

  function run(): AcceptStep[] {
    const steps: AcceptStep[] = [];
    while (READS.has(state)) {
      const frame = reader.next();
      if (frame === FRAME.incomplete) break;
      if (frame === FRAME.malformed || ++payloads > MAX_PAYLOADS) {
        steps.push(malformed());
        break;
      }
      sequence = (reader.sequence + reader.packets) & 0xff;
      steps.push(...take(reader.payload()));
    }
    return steps;
  }
}

/** Some clients take a scramble for a C string: no byte of it is NUL, nor `$`, which separates things for some. */
function newScramble(): Buffer {
  return Buffer.from(Array.from({ length: SCRAMBLE }, () => byte()));
}

function byte(): number {
  const found = randomInt(1, 128);
  return found === 0x24 ? byte() : found;
}

// --- The version of the greeting -------------------------------------------------------------------------------------------
//
// It goes out before it is known which database a client wants, and clients choose by it what they ask at first
// (`@@transaction_isolation` or `@@tx_isolation`, whether there is a query cache).

/** What a server says of itself (`@@version`). */
export interface Server {
  readonly version: string;
  readonly mariadb: boolean;
}

/** Until a database has been asked: the least that drivers of today ask for. */
const UNKNOWN = '8.0.11-sallyport';

/** The lowest version of those that a client may come to; where there are MySQL and MariaDB, MySQL's. */
export function greetedVersion(servers: readonly Server[]): string {
  const mysql = servers.filter(({ mariadb }) => !mariadb);
  const [lowest] = (mysql.length > 0 ? mysql : servers).map(({ version }) => version).sort(byNumbers);
  return lowest ?? UNKNOWN;
}

function byNumbers(a: string, b: string): number {
  const [x, y] = [numbers(a), numbers(b)];
  return (x[0] ?? 0) - (y[0] ?? 0) || (x[1] ?? 0) - (y[1] ?? 0) || (x[2] ?? 0) - (y[2] ?? 0);
}

function numbers(version: string): number[] {
  return (/^[\d.]+/.exec(version)?.[0] ?? '').split('.').map(Number);
}
