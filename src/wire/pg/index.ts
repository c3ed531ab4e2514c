// The PostgreSQL port: a client's login, the database's login, then the session.
//
// The order is the one of the gate: who is it (a live grant's login, proven) → which database → the gateway's own login there →
// only then AuthenticationOk. What fails before is told as the server would tell it, without a word about the database's
// credential.
import { randomBytes, randomInt } from 'node:crypto';
import type { Socket } from 'node:net';
import { SallyportError } from '../../errors.ts';
import type { Gate } from '../gate.ts';
import type { EndReason, Hooks, Open } from '../listen.ts';
import { logIn } from '../login.ts';
import { type Lease, type Notice, type PortOptions, said, servePort } from '../port.ts';
import { WireSession } from '../session.ts';
import { type Authenticated, type CancelStep, createAcceptance } from './accept.ts';
import type { ScramVerifier } from './auth.ts';
import {
  BACKEND,
  type Backend,
  backendOf,
  cancelUpstream,
  connectUpstream,
  runQuery,
  terminateUpstream,
  type Upstream,
} from './connect.ts';
import type { DialFailure } from './dial.ts';
import {
  ALPN,
  authenticationOk,
  backendKeyData,
  type ErrorFields,
  errorResponse,
  noticeResponse,
  parameterStatus,
  readyForQuery,
  Status,
} from './messages.ts';
import { Relay } from './relay.ts';
import { parsePath, SEARCH_PATH } from './requests.ts';
import { lastWords } from './session.ts';

/** The search path is the one that the database gives the session, or null where it is not known. */
export type OpenGate = (searchPath: readonly string[] | null) => Gate;
export type PgPortOptions = PortOptions<ScramVerifier, OpenGate>;

/** Bytes of a cancel key: protocol 3.0 has exactly four, 3.2 up to 256. */
const CANCEL_KEY_30 = 4;
const CANCEL_KEY_32 = 32;

/** "Appendix A. PostgreSQL Error Codes", class 22. */
const INVALID_PARAMETER_VALUE = '22023';

interface Cancellable {
  readonly secret: Buffer;
  readonly cancel: () => void;
}

const NO_ROOM = { severity: 'FATAL', code: '53300', message: 'the gateway has no room for another session' } as const;

/** Makes what serves the clients of a listening port. */
export function servePg(options: PgPortOptions): (socket: Socket, hooks: Hooks) => Open {
  /** By the process id that the gateway has given to the client ("Canceling Requests in Progress"). */
  const cancellable = new Map<number, Cancellable>();
  const cancel = ({ pid, secret }: CancelStep) => {
    const found = cancellable.get(pid);
    if (found?.secret.equals(secret)) found.cancel();
  };
  return servePort(options, {
    login: (raw) => login(raw, options, cancel),
    open: (proven, client, signal, opened) => open(proven, client, options, cancellable, signal, opened),
    full: ({ socket }) => void socket.end(errorResponse(NO_ROOM)),
  });
}

interface Proven {
  readonly socket: Socket;
  readonly who: Authenticated;
}

/** Resolves with null where the client only wanted to cancel, or was refused. */
function login(raw: Socket, options: PgPortOptions, cancel: (step: CancelStep) => void): Promise<Proven | null> {
  const { tlsRequired, lookup, tokens } = options;
  const acceptance = createAcceptance({
    tls: tlsRequired ? 'required' : 'offered',
    lookup,
    tokens: tokens.configured(),
  });
  return logIn(raw, acceptance, { ...options, alpn: ALPN, prove: tokens.prove, other: cancel });
}

/** From a proven login to a session. */
async function open(
  { socket, who }: Proven,
  client: string,
  options: PgPortOptions,
  cancellable: Map<number, Cancellable>,
  signal: AbortSignal,
  opened: (session: Open) => void,
): Promise<void> {
  let end: (reason: EndReason) => void = () => socket.destroy();
  let notify: (notice: Notice) => void = () => {};
  const admitted = options.admit({
    login: who.login,
    database: who.database,
    application: who.settings.get('application_name') ?? '',
    client,
    end: (reason) => end(reason),
    notify: (notice) => notify(notice),
  });
  if ('refused' in admitted) {
    socket.end(errorResponse({ severity: 'FATAL', code: '28000', message: admitted.refused, hint: admitted.hint }));
    return;
  }
  const { session, openGate, readOnly } = admitted;
  const { name } = session.connection;
  let lease: Lease | undefined;
  let upstream: Upstream | undefined;
  let searchPath: readonly string[] | null;
  let backend: Backend | null;
  try {
    const settings = new Map(who.settings);
    if (readOnly) settings.set('default_transaction_read_only', 'on');
    lease = await admitted.lease(AbortSignal.any([signal, AbortSignal.timeout(options.handshakeTimeoutMs)]));
    upstream = await connectUpstream(lease.connection, settings, { timeoutMs: options.handshakeTimeoutMs, signal });
    const [path, process, since] = (await runQuery(upstream, `${SEARCH_PATH}, ${BACKEND}`))[0]?.[0] ?? [];
    searchPath = parsePath(path);
    backend = backendOf(upstream, process, since);
  } catch (error) {
    upstream?.socket.destroy();
    lease?.release();
    options.log.warn({ connection: name, reason: said(error) }, 'the database could not be reached');
    admitted.ended(`the database could not be reached: ${said(error)}`);
    socket.end(errorResponse(unreachable(name, who.settings, error)));
    return;
  }

  const { connection, release } = lease;
  const cancel = () =>
    cancelUpstream(connection, upstream.backendPid, upstream.backendSecret).catch((error: unknown) => {
      options.log.warn({ connection: name, reason: said(error) }, 'a statement could not be cancelled');
    });
  let stopped = Promise.resolve();
  /** A cancel would end what is running alone, and let in what was sent behind it: so the process is ended, where it is known. */
  const stop = () => {
    stopped =
      backend === null
        ? cancel()
        : terminateUpstream(connection, backend).catch((error: unknown) => {
            options.log.warn({ connection: name, reason: said(error) }, 'a session could not be ended');
            return cancel();
          });
  };
  const gate = openGate(searchPath);
  const relay = new Relay({ gate, maxStatementBytes: options.maxStatementBytes, wake: (error) => running.wake(error) });
  const pid = freePid(cancellable);
  const secret = randomBytes(who.protocolMinor >= 2 ? CANCEL_KEY_32 : CANCEL_KEY_30);
  const running = new WireSession({
    client: socket,
    server: upstream.socket,
    relay,
    lastWords,
    turn: options.turn,
    stop,
    ended: (why) => {
      cancellable.delete(pid);
      admitted.ended(why);
      stopped.finally(release);
    },
    warn: (message) => options.log.warn({ session: session.id, connection: name }, message),
  });
  end = (reason) => running.end(reason);
  notify = (notice) => {
    relay.say(noticeResponse({ severity: 'NOTICE', code: '01000', ...notice }));
    running.wake();
  };
  opened(running);
  cancellable.set(pid, { secret, cancel });
  const greeting = [authenticationOk()];
  for (const [name, value] of upstream.parameters) greeting.push(parameterStatus(name, value));
  greeting.push(backendKeyData(pid, secret), readyForQuery(Status.idle));
  socket.write(Buffer.concat(greeting));
  running.start(who.rest, upstream.rest);
  if (socket.destroyed) running.end({ kind: 'shutdown', message: 'the client has left' });
}

/** What a client is told when the database does not let the gateway in: nothing in the database's own words. */
function unreachable(name: string, settings: ReadonlyMap<string, string>, error: unknown): ErrorFields {
  const failure = error instanceof SallyportError ? (error.cause as Partial<DialFailure> | undefined) : undefined;
  if (failure?.sqlstate === INVALID_PARAMETER_VALUE) {
    const chosen = [...settings].map(([setting, value]) => `${setting}=${value}`).join(', ');
    const message = `the database does not take the settings that were chosen at connect: ${chosen}`;
    return { severity: 'FATAL', code: INVALID_PARAMETER_VALUE, message, hint: 'One of the values is not valid there.' };
  }
  const message = `connection "${name}" cannot be reached by the gateway`;
  return { severity: 'FATAL', code: '08006', message, hint: 'The gateway’s log says why.' };
}

function freePid(taken: ReadonlyMap<number, unknown>): number {
  for (;;) {
    const pid = randomInt(1, 2 ** 31 - 1);
    if (!taken.has(pid)) return pid;
  }
}
