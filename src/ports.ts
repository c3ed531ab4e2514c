// The ports that clients come to, one for each protocol, and beside each a door for the gateway's own clients.
import type { Env } from './config/env.ts';
import { DOOR, forTickets, TICKET_ITERATIONS } from './doors.ts';
import type { GrantsService } from './grants/service.ts';
import type { Identities } from './identity/identities.ts';
import { Tickets } from './mcp/tickets.ts';
import type { Sessions } from './sessions.ts';
import { writeMode } from './sql/mysql/mode.ts';
import type { Metrics } from './telemetry.ts';
import { grantOfToken } from './tokens.ts';
import type { Connection, Protocol } from './types.ts';
import { listen, type Port } from './wire/listen.ts';
import type { TokenLogin } from './wire/login.ts';
import { greetedVersion, type Server } from './wire/mysql/accept.ts';
import { type MysqlVerifiers, makeMysqlVerifiers } from './wire/mysql/auth.ts';
import { type MysqlPortOptions, serveMysql } from './wire/mysql/index.ts';
import { makeVerifiers, type ScramVerifier } from './wire/pg/auth.ts';
import { type PgPortOptions, servePg } from './wire/pg/index.ts';
import type { PortOptions } from './wire/port.ts';
import { LoginRoom } from './wire/room.ts';
import type { Turn } from './wire/splice.ts';
import { Throttle } from './wire/throttle.ts';
import type { ServerTls } from './wire/tls.ts';

/** What proves a login's secret on each port. */
export interface Verifiers {
  readonly pg: ScramVerifier;
  readonly mysql: MysqlVerifiers;
}

/** For a grant's secret; plain data. */
export async function verifiersOf(secret: string, iterations?: number): Promise<Verifiers> {
  return { pg: await makeVerifiers(secret, iterations), mysql: makeMysqlVerifiers(secret) };
}

export interface PortsOptions {
  readonly env: Env;
  readonly tls: ServerTls;
  readonly turn: Turn;
  readonly sessions: Sessions;
  readonly grants: GrantsService;
  readonly identities: Identities;
  readonly metrics: Metrics;
  /** The one of that name in the config in force. */
  readonly connection: (name: string) => Connection | undefined;
  /** The MySQL and MariaDB servers that clients may come to, as far as they are known. */
  readonly servers: () => readonly Server[];
  readonly log: PortOptions<unknown, unknown>['log'];
}

export interface Ports {
  readonly postgres: Port;
  readonly mysql: Port;
  /** Where tickets are taken, on the loopback address. */
  readonly doors: Readonly<Record<Protocol, Port>>;
  readonly tickets: Tickets<Verifiers>;
}

/**
 * Rejects with the listen error.
 * @param opened told of each port that is open, by what drains it
 */
export async function openPorts(options: PortsOptions, opened: (close: () => Promise<void>) => void): Promise<Ports> {
  const { env, sessions, servers } = options;
  // Logins that fail at one port slow those at the other.
  const throttle = new Throttle();
  const pg: PgPortOptions = {
    ...shared(options, 'postgres'),
    throttle,
    lookup: (login) => active(options, login)?.pg,
    admit: (who) => {
      const admitted = sessions.admit('postgres', who);
      return 'refused' in admitted ? admitted : { ...admitted, openGate: (path) => admitted.openGate(path, '') };
    },
  };
  const mysql: MysqlPortOptions = {
    ...shared(options, 'mysql'),
    throttle,
    lookup: (login) => active(options, login)?.mysql,
    version: () => greetedVersion(servers()),
    admit: (who) => {
      const admitted = sessions.admit('mysql', who);
      if ('refused' in admitted) return admitted;
      return { ...admitted, openGate: (path, reading) => admitted.openGate(path, writeMode(reading)) };
    },
  };
  const room = { limit: env.maxSessions, taken: 0 };
  const port = { room, logins: new LoginRoom(env.maxLogins), idleTimeoutMs: env.idleTimeoutMs };
  const open = async (listening: Promise<Port>, drainTimeoutMs: number) => {
    const found = await listening;
    opened(() => found.drain(drainTimeoutMs));
    return found;
  };
  const forPg = await open(listen({ ...env.pgListen, ...port, serve: servePg(pg) }), env.drainTimeoutMs);
  const forMysql = await open(listen({ ...env.mysqlListen, ...port, serve: serveMysql(mysql) }), env.drainTimeoutMs);
  const tickets = new Tickets((secret) => verifiersOf(secret, TICKET_ITERATIONS));
  const door = { ...DOOR, room, logins: new LoginRoom(env.maxLogins) };
  const doors = {
    postgres: await open(listen({ ...door, serve: servePg(forTickets(pg, tickets, (all) => all.pg)) }), 0),
    mysql: await open(listen({ ...door, serve: serveMysql(forTickets(mysql, tickets, (all) => all.mysql)) }), 0),
  };
  return { postgres: forPg, mysql: forMysql, doors, tickets };
}

/** What proves a live grant's login. */
function active({ grants }: PortsOptions, login: string): Verifiers | undefined {
  const found = grants.login(login);
  return found?.state === 'active' ? (found.verifiers as Verifiers) : undefined;
}

function shared({ env, tls, turn, grants, identities, metrics, connection, log }: PortsOptions, protocol: Protocol) {
  const prove = (token: string) => identities.prove(token);
  const live = (identity: Parameters<GrantsService['live']>[0]) => grants.live(identity);
  return {
    tls,
    tlsRequired: env.tlsRequired,
    handshakeTimeoutMs: env.handshakeTimeoutMs,
    maxStatementBytes: env.maxStatementBytes,
    turn,
    tokens: {
      configured: () => identities.configured,
      prove: (login: TokenLogin) => grantOfToken({ prove, live, connection }, protocol, login),
    },
    failed: metrics.loginFailed.bind(metrics, protocol),
    log,
  };
}
