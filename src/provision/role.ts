// What the short-lived roles of provisioned mode are: their names, what they are made from, and who makes them in a database.

import type { Connection, Grant, Protocol } from '../types.ts';

/** Runs one statement in a session of the gateway's own and answers its rows, cells as text. Rejects with SP_UPSTREAM. */
export type Run = (sql: string) => Promise<readonly (readonly (string | null)[])[]>;

/** Opens a session that may write, as the connection's user, for `use`. Rejects with SP_UPSTREAM. */
export type Ask = <T>(connection: Connection, use: (run: Run) => Promise<T>) => Promise<T>;

/** A role to be made. */
export interface RoleOrder {
  readonly name: string;
  /** ASCII letters, digits, `-` and `_`. */
  readonly password: string;
  readonly grant: Grant;
  readonly connection: Connection;
  /** Milliseconds until the database itself lets nobody in as this role, should the gateway be gone. */
  readonly lifeMs: number;
  /** Sessions that it may have at the same time. */
  readonly sessions: number;
}

/** How one kind of database makes and drops roles. `run` is a session of the administrator, in the connection's database. */
export interface RoleMaker {
  /**
   * Makes the role, dropping one of that name that was left behind. Answers what of the grant's scope the administrator could
   * not give, in sentences for the log.
   */
  make(run: Run, order: RoleOrder, ask: Ask): Promise<readonly string[]>;
  /**
   * Ends the role's sessions and drops it; what it has made goes to the connection's own user. Answers whether there was such a
   * role.
   */
  drop(run: Run, name: string, connection: Connection, ask: Ask): Promise<boolean>;
  /** Names of the roles that this gateway has made for this database. */
  made(run: Run, gateway: string, connection: Connection): Promise<readonly string[]>;
  /** Makes a role and takes it back. Rejects where that is refused; answers what grants will not get, in sentences. */
  prove(run: Run, name: string, connection: Connection): Promise<readonly string[]>;
}

const PREFIX: Readonly<Record<Protocol, string>> = { postgres: 'sallyport', mysql: 'sp' };

/** What the names of all roles of this gateway begin with. */
export function prefixOf(protocol: Protocol, gateway: string): string {
  return `${PREFIX[protocol]}_${gateway}_`;
}

/**
 * The name of a grant's role: `sallyport_<gateway>_<grant>`, for MySQL `sp_<gateway>_<grant>`, which are the 32 characters that
 * a name may have there. Nothing in it comes from a user: grants' ids are made by the gateway.
 */
export function roleName(protocol: Protocol, gateway: string, grantId: string): string {
  return prefixOf(protocol, gateway) + grantId.replace(/^gr_/, '');
}

/** Every role's name, and no other, is written into statements without quotes being needed. */
export function checkedName(name: string): string {
  if (/^(sallyport|sp)_[a-z2-7]{12}_[a-z2-7]{1,16}$/.test(name)) return name;
  throw new Error('not the name of a role of provisioned mode');
}
