// The database's side of a connection until its login is over: a machine that owns no socket.
//
// The database is not trusted: lengths, the number of messages, what it asks for and what it says are bounded, and its words
// are cleaned of the credential. Sources: MySQL "Connection Phase", MariaDB "Connection", "Authentication Plugin".
import { SallyportError } from '../../errors.ts';
import type { TlsMode } from '../../types.ts';
import { clearResponse, ed25519Response, encryptedPassword, nativeResponse, Plugin, sha2Response } from './auth.ts';
import { decodeErr, decodeOk, Fields } from './decode.ts';
import { FRAME, FrameReader, packets } from './frame.ts';
import { ASKED, Capability, handshakeResponse, PASSED_ON, Reply, SCRAMBLE, sslRequest } from './messages.ts';

/** Longest payload at login, and most payloads; a real server sends less than a KiB in at most six. */
const MESSAGE_MAX = 64 * 1024;
const MAX_PAYLOADS = 16;
const LINE_MAX = 500;

export interface DialOptions {
  readonly tls: TlsMode;
  readonly user: string;
  readonly database: string;
  /** Asked for once, when the database wants it. */
  readonly password: () => string;
  /** Of the client, or 0: what is asked of the database in its name. */
  readonly capabilities: number;
  readonly collation: number;
}

/** Why a dial failed. `code` where the database said so itself. `message` is one line for the log, not for clients. */
export interface DialFailure {
  readonly code: number | null;
  readonly message: string;
  /** Bytes came in the greeting's place that no server sends there: they may have been meant for another connection. */
  readonly stray?: boolean;
}

export interface Ready {
  readonly capabilities: number;
  readonly serverVersion: string;
  /** Status flags of the OK. */
  readonly status: number;
  readonly rest: Buffer;
}

export type DialStep =
  | { readonly do: 'send'; readonly bytes: Buffer }
  /** Send the bytes, shake hands, then call `tlsEstablished`. */
  | { readonly do: 'start-tls'; readonly bytes: Buffer }
  | ({ readonly do: 'ready' } & Ready)
  /** Close. */
  | ({ readonly do: 'failed' } & DialFailure);

export interface Dial {
  push(bytes: Buffer): DialStep[];
  tlsEstablished(): Buffer;
}

type State = 'greeting' | 'tls' | 'response' | 'key' | 'over';

export function createDial(options: DialOptions): Dial {
  const reader = new FrameReader(MESSAGE_MAX);
  let state: State = 'greeting';
  let encrypted = false;
  let payloads = 0;
  let credential = '';
  let serverVersion = '';
  let capabilities = 0;
  let scramble: Buffer = Buffer.alloc(0);
  let plugin: string = Plugin.native;
  let sequence = 0;

  function failed(message: string, code: number | null = null, stray = false): DialStep {
    state = 'over';
    return { do: 'failed', code, message: clean(message, credential), ...(stray && { stray }) };
  }

  const send = (payload: Buffer): DialStep => ({ do: 'send', bytes: packets(sequence, payload) });

  function greeting(payload: Buffer): DialStep {
    if (payload[0] === Reply.err) return refused(payload);
    const fields = new Fields(payload);
    if (fields.uint(1) !== 10) return failed('the database does not speak version 10 of the protocol');
    serverVersion = fields.nul().toString('latin1').slice(0, 100);
    fields.uint(4);
    const first = fields.bytes(8);
    fields.uint(1);
    const low = fields.uint(2);
    fields.uint(3);
    const offered = (low | (fields.uint(2) << 16)) >>> 0;
    const length = fields.uint(1);
    fields.bytes(10);
    const second = fields.bytes(Math.max(13, length - 8));
    if (!fields.ok) return failed('the database sent a malformed greeting');
    scramble = Buffer.concat([first, second]).subarray(0, SCRAMBLE);
    if ((offered & Capability.pluginAuth) !== 0 && fields.left > 0) plugin = fields.nul().toString('latin1');
    const wanted = (ASKED | (options.capabilities & PASSED_ON)) >>> 0;
    const missing = wanted & ~offered & ~Capability.longPassword;
    // MariaDB marks itself by not offering the first one.
    if (missing !== 0)
      return failed(
        `the database does not offer what the client relies on (capabilities 0x${(missing >>> 0).toString(16)})`,
      );
    capabilities = wanted;
    const secure = (offered & Capability.ssl) !== 0;
    if (options.tls === 'disable' || (options.tls === 'prefer' && !secure)) return login();
    if (!secure) return failed('the database does not offer TLS');
    capabilities |= Capability.ssl;
    state = 'tls';
    const bytes = sslRequest(sequence, capabilities, options.collation);
    sequence = (sequence + 1) & 0xff;
    return { do: 'start-tls', bytes };
  }

  function login(): DialStep {
    state = 'response';
    return { do: 'send', bytes: response() };
  }

  function response(): Buffer {
    const known = RESPONSES.has(plugin) ? plugin : Plugin.native;
    // A plugin that is not known is the server's to switch away from; the answer to it would be worth nothing.
    plugin = known === Plugin.clear ? Plugin.native : known;
    const proof = RESPONSES.get(plugin)?.(secret(), scramble) ?? Buffer.alloc(0);
    const { user, database, collation } = options;
    return handshakeResponse(sequence, { capabilities, collation, user, response: proof, database, plugin });
  }

  function secret(): string {
    credential = options.password();
    return credential;
  }

  function refused(payload: Buffer): DialStep {
    const fields = decodeErr(payload);
    return fields === null ? failed('the database sent a malformed error') : failed(fields.message, fields.code);
  }

  /** AuthSwitchRequest. */
  function switched(payload: Buffer): DialStep {
    const fields = new Fields(payload, 1);
    plugin = fields.nul().toString('latin1');
    const data = fields.rest();
    if (!fields.ok) return failed('the database asked for an old or malformed way to log in');
    if (plugin === Plugin.clear && !encrypted)
      return failed('the database asks for the password in clear, without TLS');
    const respond = RESPONSES.get(plugin);
    if (respond === undefined) return failed(`the database asks for the plugin ${plugin}, which is not known here`);
    scramble = Buffer.from(data.at(-1) === 0 ? data.subarray(0, -1) : data);
    return send(respond(secret(), scramble));
  }

  /** Of caching_sha2_password: 3 is done, 4 wants the password itself, anything else is the server's public key. */
  function more(payload: Buffer): DialStep | null {
    if (plugin !== Plugin.sha2) return failed('the database sent more at login than its plugin has to say');
    const data = payload.subarray(1);
    if (state === 'key') {
      state = 'response';
      try {
        return send(encryptedPassword(secret(), scramble, data));
      } catch {
        return failed('the database sent a public key that is none');
      }
    }
    if (data.length === 1 && data[0] === 3) return null;
    if (data.length !== 1 || data[0] !== 4)
      return failed('the database sent a malformed step of caching_sha2_password');
    if (encrypted) return send(clearResponse(secret()));
    // Whoever could put a key of his own in its place could as well have refused TLS: these modes trust the network.
    state = 'key';
    return send(Buffer.from([2]));
  }

  function take(payload: Buffer): DialStep | null {
    if (state === 'greeting') return greeting(payload);
    switch (payload[0]) {
      case Reply.ok: {
        const decoded = decodeOk(payload, 0, payload.length);
        if (decoded === null) return failed('the database sent a malformed OK');
        state = 'over';
        return { do: 'ready', capabilities, serverVersion, status: decoded.status, rest: Buffer.from(reader.rest) };
      }
      case Reply.err:
        return refused(payload);
      case Reply.eof:
        return switched(payload);
      case Reply.authMore:
        return more(payload);
      default:
        return failed('the database sent what does not belong in a login');
    }
  }

  return {
    push(bytes) {
      const steps: DialStep[] = [];
      if (state === 'tls') return [failed('the database sent unencrypted data after TLS was agreed on')];
      reader.push(bytes);
      while (state !== 'over') {
        const frame = reader.next();
        if (frame === FRAME.incomplete) break;
        if (frame === FRAME.malformed || ++payloads > MAX_PAYLOADS) {
          const message = `the database broke the protocol at login: ${reader.problem || 'too many messages'}`;
          steps.push(failed(message, null, state === 'greeting'));
          break;
        }
        sequence = (reader.sequence + reader.packets) & 0xff;
        try {
          const step = take(reader.payload());
          if (step !== null) steps.push(step);
          if (step?.do === 'start-tls') break;
        } catch (error) {
          if (!(error instanceof SallyportError)) throw error;
          steps.push(failed(error.message));
        }
      }
      if ((state as State) === 'tls' && reader.rest.length > 0) {
        steps.push(failed('the database sent unencrypted data after TLS was agreed on'));
      }
      return steps;
    },
    tlsEstablished() {
      encrypted = true;
      state = 'response';
      reader.push(Buffer.alloc(0));
      return response();
    },
  };
}

const RESPONSES: ReadonlyMap<string, (password: string, scramble: Buffer) => Buffer> = new Map([
  [Plugin.sha2, sha2Response],
  [Plugin.native, nativeResponse],
  [Plugin.ed25519, ed25519Response],
  [Plugin.clear, clearResponse],
]);

/** What a database says, fit for a line of the log: without the credential, without control characters, not endless. */
function clean(text: string, credential: string): string {
  const without = credential === '' ? text : text.replaceAll(credential, '…');
  return without.replace(/\p{C}+/gu, ' ').slice(0, LINE_MAX);
}
