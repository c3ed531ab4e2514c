// Roles of provisioned mode in PostgreSQL, 14 and newer: the statements that make and drop them.
//
// The session is the administrator's, with search_path pg_catalog: what others have made must not run under its rights.

import { SallyportError } from '../errors.ts';
import type { Connection } from '../types.ts';
import { identifier, literal, privileges, revocations, users, wantedOf } from './postgres-privileges.ts';
import { checkedName, prefixOf, type RoleMaker, type RoleOrder, type Run } from './role.ts';
import { scramVerifier } from './verifiers.ts';

/** Two that change one object's privileges at once make the later one fail: gateways take turns in a database. */
const TURN = 'SELECT pg_catalog.pg_advisory_xact_lock(6017206519820741740)';
/** The version whose memberships have options of their own. */
const OPTIONS_SINCE = 160_000;

export const postgresRoles: RoleMaker = {
  async make(run, order, ask) {
    // One that was left behind.
    await this.drop(run, order.name, order.connection, ask);
    const verifier = await scramVerifier(order.password);
    return inTurn(run, () => make(run, order, verifier));
  },

  async drop(run, name, connection) {
    const role = checkedName(name);
    if ((await run(`SELECT 1 FROM pg_catalog.pg_roles WHERE rolname = ${literal(role)}`)).length === 0) return false;
    await run(`ALTER ROLE ${role} NOLOGIN`);
    const { version, superuser } = await self(run);
    // Whoever has made it may be a member of it, which ending its sessions and dropping what it owns need.
    if (!superuser) await run(`GRANT ${role} TO CURRENT_USER${version < OPTIONS_SINCE ? '' : ' WITH INHERIT TRUE'}`);
    const ended = await run(`SELECT pg_catalog.pg_terminate_backend(pid, 5000) FROM pg_catalog.pg_stat_activity
      WHERE usename = ${literal(role)}`);
    if (ended.some(([gone]) => gone !== 't'))
      throw new SallyportError('SP_UPSTREAM', `a session of ${role} does not end`);
    await inTurn(run, async () => {
      const [owns] = await run(`SELECT 1 FROM pg_catalog.pg_shdepend d JOIN pg_catalog.pg_roles r ON r.oid = d.refobjid
        WHERE d.refclassid = 'pg_catalog.pg_authid'::pg_catalog.regclass AND d.deptype = 'o'
        AND r.rolname = ${literal(role)} LIMIT 1`);
      if (owns !== undefined) await run(`REASSIGN OWNED BY ${role} TO ${identifier(connection.user)}`);
      for (const statement of await revocations(run, role)) await run(statement);
      await run(`DROP OWNED BY ${role}`);
      await run(`DROP ROLE ${role}`);
    });
    return true;
  },

  async made(run, gateway, { database }) {
    const prefix = prefixOf('postgres', gateway);
    const rows = await run(`SELECT rolname FROM pg_catalog.pg_roles
      WHERE pg_catalog.starts_with(rolname, ${literal(prefix)})
      AND pg_catalog.shobj_description(oid, 'pg_authid') = ${literal(marker(database))}`);
    return rows.flatMap(([name]) => name ?? []);
  },

  async prove(run, name, connection) {
    const role = checkedName(name);
    await run('BEGIN');
    await run(`CREATE ROLE ${role} NOLOGIN`);
    await run('ROLLBACK');
    const own = literal(connection.user);
    const [[member, left] = []] = await run(`SELECT pg_catalog.pg_has_role(current_user, ${own}, 'USAGE'),
      (SELECT pg_catalog.count(*) FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
        WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND ${users('n.nspname')}
        AND pg_catalog.has_table_privilege(${own}, c.oid, 'SELECT')
        AND NOT pg_catalog.has_table_privilege(c.oid, 'SELECT WITH GRANT OPTION'))`);
    const { user } = connection;
    const notes: string[] = [];
    if (member !== 't')
      notes.push(`grants with ddl or admin will be refused: the administrator is no member of ${user}`);
    if (left !== '0') notes.push(`the administrator may not grant SELECT on ${left} tables that ${user} reads`);
    return notes;
  },
};

/** What is said of a role in the catalog: whose it is, and in which of the cluster's databases its privileges are. */
function marker(database: string): string {
  return `made by Sallyport for a grant in database ${database}`;
}

interface Self {
  readonly version: number;
  readonly superuser: boolean;
}

async function self(run: Run): Promise<Self> {
  const [[version, superuser] = []] = await run(`SELECT pg_catalog.current_setting('server_version_num'), rolsuper
    FROM pg_catalog.pg_roles WHERE rolname = current_user`);
  return { version: Number(version), superuser: superuser === 't' };
}

/** One transaction, with no other of a gateway's beside it. */
async function inTurn<T>(run: Run, work: () => Promise<T>): Promise<T> {
  await run('BEGIN');
  try {
    await run(TURN);
    const done = await work();
    await run('COMMIT');
    return done;
  } catch (error) {
    // Where the session is lost, so is the transaction.
    await run('ROLLBACK').catch(() => {});
    throw error;
  }
}

async function make(run: Run, order: RoleOrder, verifier: string): Promise<readonly string[]> {
  const { grant, connection, lifeMs, sessions } = order;
  const role = checkedName(order.name);
  const { version } = await self(run);
  const wanted = wantedOf(grant.scopes);
  const own = literal(connection.user);
  const [[until, inherits, mayGrant] = []] = await run(`SELECT
    pg_catalog.clock_timestamp() + pg_catalog.make_interval(secs => ${Math.ceil(lifeMs / 1000)}),
    pg_catalog.pg_has_role(current_user, ${own}, 'USAGE'),
    pg_catalog.pg_has_role(current_user, ${own}, 'MEMBER WITH ADMIN OPTION')`);
  // Without it, what the role makes could be given to nobody, and the role never be dropped.
  if (wanted.makes && inherits !== 't') throw lacks(`is no member of ${connection.user}, as ddl and admin need`);
  if (wanted.member && mayGrant !== 't') throw lacks(`may not grant ${connection.user}, as admin needs`);
  await run(`CREATE ROLE ${role} LOGIN PASSWORD ${literal(verifier)} VALID UNTIL ${literal(until ?? '')}
    CONNECTION LIMIT ${sessions} INHERIT NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS`);
  await run(`COMMENT ON ROLE ${role} IS ${literal(marker(connection.database))}`);
  await copySettings(run, role, connection);
  if (wanted.member) {
    const options = version < OPTIONS_SINCE ? '' : ' WITH INHERIT TRUE, SET FALSE';
    await run(`GRANT ${identifier(connection.user)} TO ${role}${options}`);
  }
  const { statements, short } = await privileges(run, wanted, connection, version, role);
  for (const statement of statements) await run(statement);
  return short;
}

function lacks(what: string): SallyportError {
  return new SallyportError('SP_UPSTREAM', `the administrator of provisioned mode ${what}`);
}

/** The settings that the connection's own user begins its sessions with, those that anybody may change; not its role. */
async function copySettings(run: Run, role: string, { user }: Connection): Promise<void> {
  const rows =
    await run(`SELECT pg_catalog.split_part(entry, '=', 1), pg_catalog.substr(entry, pg_catalog.strpos(entry, '=') + 1)
    FROM pg_catalog.pg_db_role_setting s, pg_catalog.unnest(s.setconfig) entry
    WHERE s.setrole = (SELECT oid FROM pg_catalog.pg_roles WHERE rolname = ${literal(user)})
    AND s.setdatabase IN (0, (SELECT oid FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database()))
    AND pg_catalog.split_part(entry, '=', 1) IN (SELECT name FROM pg_catalog.pg_settings WHERE context = 'user')
    AND pg_catalog.split_part(entry, '=', 1) <> 'role'
    ORDER BY s.setdatabase`);
  if (rows.length === 0) return;
  for (const [name, value] of rows) {
    // A list (search_path) is stored with its own quotes, which only the server reads: so it is set here, and taken from here.
    await run(`SELECT pg_catalog.set_config(${literal(name ?? '')}, ${literal(value ?? '')}, true)`);
    await run(`ALTER ROLE ${role} SET ${identifier(name ?? '')} FROM CURRENT`);
  }
  await run("SELECT pg_catalog.set_config('search_path', 'pg_catalog', true)");
}
