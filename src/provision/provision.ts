// Provisioned mode: the life of the short-lived database roles, one a grant.
//
// A role is made when the grant's first session begins, shared by its sessions, and dropped when the grant has ended and they with
// it. What cannot be dropped is tried again. What a gateway has left behind that died is found by its name and dropped at the next
// start: passwords are in memory only, so nobody could use it any more.

import { randomBytes } from 'node:crypto';
import { SallyportError } from '../errors.ts';
import type { Connection, Grant, Protocol } from '../types.ts';
import { mysqlRoles } from './mysql.ts';
import { postgresRoles } from './postgres.ts';
import { type Ask, type RoleMaker, roleName } from './role.ts';

/** What a session dials, and what it says when it is over. */
export interface Lease {
  /** As configured; in provisioned mode with the role's name and password for user and password. */
  readonly connection: Connection;
  /** Nothing of the session is left that could still need the role. May be called again. */
  release(): void;
}

export interface ProvisionOptions {
  /** The gateway's id: two that share a database leave each other's roles alone. */
  readonly gateway: string;
  readonly makers: Readonly<Record<Protocol, RoleMaker>>;
  readonly ask: Ask;
  /** Milliseconds that a grant still has; 0 where it is over. */
  readonly remaining: (grantId: string) => number;
  /** Sessions that a role may have at the same time. */
  readonly sessions: number;
  readonly log: { info(data: object, message: string): void; warn(data: object, message: string): void };
  /** Calls back after so many milliseconds; answers what cancels it. By default a timer that keeps no process alive. */
  readonly schedule?: (callback: () => void, ms: number) => () => void;
}

/** How much longer than its grant a role can log in: the gateway ends its last sessions as that role. */
const LONGER_MS = 60_000;
/** How long the sessions of a grant that has ended may take to be over before its role is dropped in spite of them. */
const PATIENCE_MS = 5_000;
const FIRST_WAIT_MS = 1_000;
const LONGEST_WAIT_MS = 60_000;

/** Who makes the roles of each kind of database. */
export const makers: Readonly<Record<Protocol, RoleMaker>> = { postgres: postgresRoles, mysql: mysqlRoles };

interface Role {
  readonly name: string;
  readonly grantId: string;
  /** As it was configured when the role was made. */
  readonly connection: Connection;
  password: Promise<string>;
  sessions: number;
  /** The administrator was let in to make it: there may be something to drop. */
  begun: boolean;
  /** It gets no further sessions, and is dropped when it has none. */
  over: boolean;
  stopWaiting: () => void;
}

export class Provision {
  readonly #o: ProvisionOptions;
  readonly #schedule: (callback: () => void, ms: number) => () => void;
  /** By grant. */
  readonly #roles = new Map<string, Role>();
  /** What is done in a database is done one after the other: by `placeOf`. */
  readonly #queues = new Map<string, Promise<unknown>>();
  /** Roles that are over and still have sessions. */
  readonly #leaving = new Set<Role>();
  /** Roles that are being dropped, until that has been done. */
  readonly #dropping = new Set<string>();
  /** What cancels the tries that are still to come. */
  readonly #tries = new Set<() => void>();
  /** Grows with every sweep: what an earlier one has failed at, the later one does. */
  #sweep = 0;
  #closed = false;

  constructor(options: ProvisionOptions) {
    this.#o = options;
    this.#schedule = options.schedule ?? afterwards;
  }

  /**
   * What a session of the grant dials: the grant's role, made where there is none; the connection itself where it is not provisioned.
   * Rejects with SP_UPSTREAM, whose message is for the log; also when `signal` is aborted.
   */
  async lease(grant: Grant, connection: Connection, signal?: AbortSignal): Promise<Lease> {
    const now = this.#roles.get(grant.id);
    if (now !== undefined && !sameRole(now.connection, connection)) this.#retire(now);
    if (connection.provisioned === undefined) return { connection, release: () => {} };
    const role = this.#roles.get(grant.id) ?? this.#begin(grant, connection);
    role.sessions++;
    let left = false;
    const release = () => {
      if (left) return;
      left = true;
      role.sessions--;
      if (role.over && role.sessions === 0) this.#left(role);
    };
    try {
      const password = await inTime(role.password, signal);
      if (role.over) throw new SallyportError('SP_UPSTREAM', 'the grant has ended while its role was made');
      return { connection: Object.freeze({ ...connection, user: role.name, password: () => password }), release };
    } catch (error) {
      release();
      throw error;
    }
  }

  /** The grant has ended: its role goes, once its sessions are over. */
  ended(grantId: string): void {
    const role = this.#roles.get(grantId);
    if (role === undefined) return;
    this.#retire(role);
    if (role.sessions > 0) role.stopWaiting = this.#schedule(() => this.#left(role), PATIENCE_MS);
  }

  /** Drops what a gateway with this id has left behind in the databases of these connections. Never rejects. */
  async sweep(connections: Iterable<Connection>): Promise<void> {
    const sweep = ++this.#sweep;
    const provisioned = [...connections].filter((connection) => connection.provisioned !== undefined);
    await Promise.all(provisioned.map((connection) => this.#sweepOne(connection, sweep, FIRST_WAIT_MS)));
  }

  /** Drops every role, as far as the databases answer; those that stay are dropped at the next start. */
  async close(): Promise<void> {
    this.#closed = true;
    for (const cancel of this.#tries) cancel();
    const left = [...this.#roles.values(), ...this.#leaving].filter(({ begun }) => begun);
    this.#roles.clear();
    this.#leaving.clear();
    for (const role of left) {
      role.over = true;
      role.stopWaiting();
    }
    const all = Promise.allSettled(left.map((role) => this.#drop(role.name, role.connection)));
    let stop = () => {};
    const late = new Promise<void>((resolve) => {
      stop = this.#schedule(resolve, PATIENCE_MS);
    });
    await Promise.race([all, late]);
    stop();
  }

  #begin(grant: Grant, connection: Connection): Role {
    const name = roleName(connection.protocol, this.#o.gateway, grant.id);
    const role: Role = {
      name,
      grantId: grant.id,
      connection,
      password: Promise.resolve(''),
      sessions: 0,
      begun: false,
      over: false,
      stopWaiting: () => {},
    };
    role.password = this.#make(role, grant);
    this.#roles.set(grant.id, role);
    // The next session tries again.
    role.password.catch(() => this.#retire(role));
    return role;
  }

  async #make(role: Role, grant: Grant): Promise<string> {
    const { makers, ask, remaining, sessions, log } = this.#o;
    const { name, connection } = role;
    // Letters of both cases, a digit and a sign, should the database look at what it is given.
    const password = `Sp1-${randomBytes(32).toString('base64url')}`;
    await this.#inTurn(connection, async () => {
      const left = remaining(grant.id);
      if (left <= 0) throw new SallyportError('SP_UPSTREAM', 'the grant is over');
      // Where the database does not answer, many may have waited for their turn.
      if (role.sessions === 0) throw new SallyportError('SP_UPSTREAM', 'nobody waits for the role any more');
      const order = { name, password, grant, connection, lifeMs: left + LONGER_MS, sessions };
      const short = await ask(administrator(connection), (run) => {
        if (this.#closed) throw new SallyportError('SP_UPSTREAM', 'the gateway is closing');
        role.begun = true;
        return makers[connection.protocol].make(run, order, ask);
      });
      const about = { grant: grant.id, connection: connection.name, role: name };
      log.info(about, 'a role was made');
      for (const what of short) log.warn(about, `a role has less than its grant: ${what}`);
    });
    return password;
  }

  /** The role gets no further sessions, and goes when the last that it has is over. */
  #retire(role: Role): void {
    if (role.over) return;
    role.over = true;
    if (this.#roles.get(role.grantId) === role) this.#roles.delete(role.grantId);
    this.#leaving.add(role);
    if (role.sessions === 0) this.#left(role);
  }

  #left(role: Role): void {
    role.stopWaiting();
    if (!this.#leaving.delete(role) || !role.begun || this.#closed) return;
    const key = `${role.name} ${placeOf(role.connection)}`;
    if (this.#dropping.has(key)) return;
    this.#dropping.add(key);
    void this.#dropUntilGone(role, key, FIRST_WAIT_MS);
  }

  async #dropUntilGone(role: Role, key: string, waitMs: number): Promise<void> {
    const { name, connection } = role;
    try {
      await this.#drop(name, connection);
      this.#dropping.delete(key);
    } catch (error) {
      const data = { connection: connection.name, role: name, reason: said(error) };
      this.#o.log.warn(data, 'a role could not be dropped: it is tried again');
      this.#later(waitMs, (next) => this.#dropUntilGone(role, key, next));
    }
  }

  async #drop(name: string, connection: Connection): Promise<void> {
    const { makers, ask, log } = this.#o;
    await this.#inTurn(connection, async () => {
      if (this.#isUsed(name, connection)) return;
      const maker = makers[connection.protocol];
      const there = await ask(administrator(connection), (run) => maker.drop(run, name, connection, ask));
      if (there) log.info({ connection: connection.name, role: name }, 'a role was dropped');
    });
  }

  async #sweepOne(connection: Connection, sweep: number, waitMs: number): Promise<void> {
    const { makers, ask, gateway } = this.#o;
    try {
      const names = await ask(administrator(connection), (run) =>
        makers[connection.protocol].made(run, gateway, connection),
      );
      // One that stays is no reason for the others to stay.
      const tried = await Promise.allSettled(names.map((name) => this.#drop(name, connection)));
      const failed = tried.find(({ status }) => status === 'rejected');
      if (failed?.status === 'rejected') throw failed.reason;
    } catch (error) {
      const data = { connection: connection.name, reason: said(error) };
      this.#o.log.warn(data, 'roles that were left behind could not be dropped: it is tried again');
      this.#later(waitMs, async (next) => {
        if (sweep === this.#sweep) await this.#sweepOne(connection, sweep, next);
      });
    }
  }

  /** A role by this name, there, is one that sessions have or are about to have. */
  #isUsed(name: string, connection: Connection): boolean {
    const there = placeOf(connection);
    return [...this.#roles.values(), ...this.#leaving].some(
      (role) => role.name === name && placeOf(role.connection) === there,
    );
  }

  #later(waitMs: number, again: (nextMs: number) => Promise<void>): void {
    if (this.#closed) return;
    const cancel = this.#schedule(() => {
      this.#tries.delete(cancel);
      void again(Math.min(waitMs * 2, LONGEST_WAIT_MS));
    }, waitMs);
    this.#tries.add(cancel);
  }

  /** One at a time in a database: privileges that two sessions change at once are refused to one of them. */
  #inTurn<T>(connection: Connection, work: () => Promise<T>): Promise<T> {
    const place = placeOf(connection);
    const before = this.#queues.get(place) ?? Promise.resolve();
    const done = before.then(work);
    const settled = done.catch(() => {});
    this.#queues.set(place, settled);
    void settled.then(() => {
      if (this.#queues.get(place) === settled) this.#queues.delete(place);
    });
    return done;
  }
}

/** The connection as its administrator dials it. */
export function administrator(connection: Connection): Connection {
  const { provisioned } = connection;
  if (provisioned === undefined) throw new Error(`connection ${connection.name} is not provisioned`);
  return { ...connection, user: provisioned.user, password: provisioned.password };
}

function placeOf({ protocol, host, port, database }: Connection): string {
  return `${protocol} ${host}:${port} ${database}`;
}

/** Whether a role that was made for one of them serves the other. */
function sameRole(before: Connection, after: Connection): boolean {
  return (
    placeOf(before) === placeOf(after) &&
    before.user === after.user &&
    before.provisioned?.user === after.provisioned?.user
  );
}

/** As the promise, but rejects when the signal is aborted. */
function inTime<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return promise;
  return new Promise((resolve, reject) => {
    const stop = () => reject(new SallyportError('SP_UPSTREAM', 'the role was not made in time'));
    if (signal.aborted) stop();
    signal.addEventListener('abort', stop);
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', stop));
  });
}

function afterwards(callback: () => void, ms: number): () => void {
  const timer = setTimeout(callback, ms).unref();
  return () => clearTimeout(timer);
}

function said(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
