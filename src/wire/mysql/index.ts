// The MySQL port: a client's login, the database's login, then the session.
//
// The order is the one of the gate: who is it (a live grant's login, proven) → which database → the gateway's own login there →
// only then OK. What fails before is told as a server would tell it, without a word about the database's credential.
import { randomInt } from 'node:crypto';
import type { Socket } from 'node:net';
import { SallyportError } from '../../errors.ts';
import type { Connection } from '../../types.ts';
import type { Gate } from '../gate.ts';
import type { EndReason, Hooks, Open } from '../listen.ts';
import { logIn } from '../login.ts';
import { type Lease, type PortOptions, said, servePort } from '../port.ts';
import { WireSession } from '../session.ts';
import { type Authenticated, createAcceptance } from './accept.ts';
import { LoginKey, type MysqlVerifiers } from './auth.ts';
import { cancelUpstream, connectUpstream, runQuery, type Upstream } from './connect.ts';
import { ALPN, Capability, err, ok } from './messages.ts';
import { Relay } from './relay.ts';
import { lastWords } from './session.ts';

/** What a session's texts are read by: the database's own kind and its sql_mode. */
export interface Reading {
  readonly sqlMode: string;
  readonly mariadb: boolean;
}

/** The path is the current database alone, or nothing. */
export type OpenGate = (searchPath: readonly string[], reading: Reading) => Gate;

export interface MysqlPortOptions extends PortOptions<MysqlVerifiers, OpenGate> {
  /** The server version that clients are greeted with: they choose what they ask by it. */
  readonly version: () => string;
}

/** Sessions by the connection id that the gateway has given to the client: KILL names them. */
type Killable = Map<number, { readonly grant: string; cancel(): void; end(): void }>;

/** Those whose bytes must be the same on both sides. */
const AGREED = Capability.deprecateEof | Capability.sessionTrack;

const NO_ROOM = {
  code: 1040,
  sqlstate: '08004',
  message: 'Too many connections: the gateway has no room for another session',
} as const;

/** Makes what serves the clients of a listening port. */
export function serveMysql(options: MysqlPortOptions): (socket: Socket, hooks: Hooks) => Open {
  const killable: Killable = new Map();
  const key = new LoginKey();
  return servePort(options, {
    login: (raw) => login(raw, options, key, freeId(killable)),
    open: (proven, client, signal, opened) => open(proven, client, options, killable, signal, opened),
    full: ({ socket, who }) => void socket.end(err(who.sequence, NO_ROOM)),
  });
}

interface Proven {
  readonly socket: Socket;
  readonly who: Authenticated;
}

/** Resolves with null where the client was refused. */
function login(raw: Socket, options: MysqlPortOptions, key: LoginKey, connectionId: number): Promise<Proven | null> {
  const { tlsRequired, lookup, tokens, version } = options;
  const acceptance = createAcceptance({
    tls: tlsRequired ? 'required' : 'offered',
    version: version(),
    connectionId,
    key,
    lookup,
    tokens: tokens.configured(),
  });
  const nothingElse = () => {};
  return logIn(
    raw,
    acceptance,
    { ...options, alpn: ALPN, prove: tokens.prove, other: nothingElse },
    acceptance.start(),
  );
}

/** From a proven login to a session. */
async function open(
  { socket, who }: Proven,
  client: string,
  options: MysqlPortOptions,
  killable: Killable,
  signal: AbortSignal,
  opened: (session: Open) => void,
): Promise<void> {
  let end: (reason: EndReason) => void = () => socket.destroy();
  const { login: name, database, application, connectionId, sequence } = who;
  const admitted = options.admit({
    login: name,
    database,
    application,
    client,
    end: (reason) => end(reason),
    // The protocol has no message that a client does not wait for.
    notify: () => {},
  });
  if ('refused' in admitted) {
    const message = admitted.hint === undefined ? admitted.refused : `${admitted.refused}. ${admitted.hint}`;
    socket.end(err(sequence, { code: 1044, sqlstate: '42000', message }));
    return;
  }
  const { session, openGate, readOnly } = admitted;
  const configured = session.connection.name;
  let lease: Lease | undefined;
  let upstream: Upstream | undefined;
  let pinned: Pinned;
  try {
    lease = await admitted.lease(AbortSignal.any([signal, AbortSignal.timeout(options.handshakeTimeoutMs)]));
    upstream = await connectUpstream(lease.connection, who, { timeoutMs: options.handshakeTimeoutMs, signal });
    if ((upstream.capabilities & AGREED) !== (who.capabilities & AGREED)) {
      throw new SallyportError('SP_UPSTREAM', 'the database lacks a capability that its client was offered');
    }
    pinned = await pin(upstream, lease.connection, readOnly);
  } catch (error) {
    upstream?.socket.destroy();
    lease?.release();
    options.log.warn({ connection: configured, reason: said(error) }, 'the database could not be reached');
    admitted.ended(`the database could not be reached: ${said(error)}`);
    const message = `connection "${configured}" cannot be reached by the gateway; its log says why`;
    socket.end(err(sequence, { code: 1429, sqlstate: 'HY000', message }));
    return;
  }

  const { connection, release } = lease;
  const stop = (what: 'query' | 'connection') =>
    cancelUpstream(connection, pinned.connectionId, what).catch((error: unknown) => {
      options.log.warn({ connection: configured, reason: said(error) }, 'a statement could not be cancelled');
    });
  // Each takes a connection of the database: one at a time, however often KILL is sent.
  let cancelling = false;
  let again = false;
  const cancel = (): void => {
    if (cancelling) {
      again = true;
      return;
    }
    cancelling = true;
    stop('query').finally(() => {
      cancelling = false;
      if (again) cancel();
      again = false;
    });
  };
  const relay = new Relay({
    gate: openGate([connection.database], pinned),
    status: upstream.status,
    maxStatementBytes: options.maxStatementBytes,
    deprecateEof: (who.capabilities & Capability.deprecateEof) !== 0,
    pins: pinned.pins,
    check: pinned.check,
    multiStatements: (who.capabilities & Capability.multiStatements) !== 0,
    kill: (what, id) => {
      const found = killable.get(id);
      if (found?.grant !== session.grant.id) return false;
      if (what === 'query') found.cancel();
      else found.end();
      return true;
    },
    wake: (error) => running.wake(error),
  });
  let stopped = Promise.resolve();
  const running = new WireSession({
    client: socket,
    server: upstream.socket,
    relay,
    lastWords: lastWords(relay),
    turn: options.turn,
    // Behind what is running the database may hold more that was sent ahead: it has to read none of that.
    stop: () => {
      stopped = stop('connection');
    },
    ended: (why) => {
      killable.delete(connectionId);
      admitted.ended(why);
      stopped.finally(release);
    },
    warn: (message) => options.log.warn({ session: session.id, connection: configured }, message),
  });
  end = (reason) => running.end(reason);
  opened(running);
  killable.set(connectionId, {
    grant: session.grant.id,
    cancel,
    end: () => running.end({ kind: 'grant', message: 'the session was killed by another of its grant' }),
  });
  socket.write(ok(sequence, upstream.status));
  running.start(who.rest, upstream.rest);
  if (socket.destroyed) running.end({ kind: 'shutdown', message: 'the client has left' });
}

interface Pinned extends Reading {
  /** The database's own. */
  readonly connectionId: number;
  /** What sets the session up again as it is now. */
  readonly pins: readonly string[];
  /** Fails where its texts are no longer read as they are now. */
  readonly check: string;
}

const STATE = `SELECT @@version, @@sql_mode, CONNECTION_ID(), DATABASE(), @@character_set_client, @@character_set_connection,
  @@character_set_results, @@collation_connection`;

/** Asks for what the gateway relies on, and sets what is not as it has to be. Rejects with SP_UPSTREAM. */
async function pin(upstream: Upstream, { database }: Connection, readOnly: boolean): Promise<Pinned> {
  const [row] = await runQuery(upstream, STATE);
  const [version, sqlMode, connectionId, current, client, connection, results, collation] = row ?? [];
  if (version == null || sqlMode == null || !/^[A-Z0-9_,]*$/i.test(sqlMode) || !/^\d+$/.test(connectionId ?? '')) {
    throw new SallyportError('SP_UPSTREAM', 'the database does not say what its session is like');
  }
  if (current?.toLowerCase() !== database.toLowerCase()) {
    throw new SallyportError('SP_UPSTREAM', 'the session does not begin in the database of its connection');
  }
  const text =
    [client, connection, results].every((charset) => /^utf8(mb[34])?$/.test(charset ?? '')) && client === connection;
  const names = text && /^\w+$/.test(collation ?? '') ? `${client} COLLATE ${collation}` : 'utf8mb4';
  const setNames = `SET NAMES ${names}`;
  const noWrites = readOnly ? ['SET SESSION TRANSACTION READ ONLY'] : [];
  for (const statement of text ? noWrites : [setNames, ...noWrites]) await runQuery(upstream, statement);
  return {
    sqlMode,
    mariadb: /mariadb/i.test(version),
    connectionId: Number(connectionId),
    pins: [setNames, `SET SESSION sql_mode = '${sqlMode}'`, ...noWrites],
    check: unchanged(sqlMode),
  };
}

/** Flags of sql_mode by which a text is read in another way, and the modes that bring them along. */
const READING =
  'ANSI ANSI_QUOTES DB2 HIGH_NOT_PRECEDENCE IGNORE_SPACE MAXDB MSSQL NO_BACKSLASH_ESCAPES ORACLE PIPES_AS_CONCAT POSTGRESQL';

/** Sets what the session has to what it has, or to what cannot be. Means the same in every mode and charset. */
function unchanged(sqlMode: string): string {
  const flags = READING.split(' ');
  const now = flags.map((flag) => `FIND_IN_SET('${flag}', @@sql_mode) > 0`);
  const then = flags.map((flag) => Number(sqlMode.split(',').includes(flag)));
  const kept = (name: string, test: string) => `@@session.${name} = IF(${test}, @@${name}, 'changed')`;
  const utf8 = (name: string) => `@@${name} LIKE 'utf8%'`;
  return `SET ${[
    kept('sql_mode', `CONCAT_WS('', ${now.join(', ')}) = '${then.join('')}'`),
    kept('character_set_client', utf8('character_set_client')),
    kept('character_set_results', `@@character_set_results IS NULL OR ${utf8('character_set_results')}`),
    kept('collation_connection', utf8('collation_connection')),
  ].join(', ')}`;
}

/** Ids are guessed by nobody; they fit in the four bytes of the greeting, and in those who take them for signed. */
function freeId(taken: ReadonlyMap<number, unknown>): number {
  for (;;) {
    const id = randomInt(1, 2 ** 31 - 1);
    if (!taken.has(id)) return id;
  }
}
