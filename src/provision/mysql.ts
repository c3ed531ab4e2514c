// Roles of provisioned mode in MySQL 8 and newer and MariaDB 10.4 and newer, where they are accounts: the statements that make and
// drop them.
//
// No literal here can hold a quote or a backslash, and no name from outside stands anywhere but in backticks, so that sql_mode
// does not matter.

import { randomBytes } from 'node:crypto';
import { setTimeout } from 'node:timers/promises';
import { SallyportError } from '../errors.ts';
import type { Scope } from '../types.ts';
import { everythingIn, type Privileges, privilegesOf, type Seen } from './mysql-privileges.ts';
import { checkedName, prefixOf, type RoleMaker, type RoleOrder, type Run } from './role.ts';
import { cachingSha2Verifier, nativeVerifier } from './verifiers.ts';

const DAY_MS = 86_400_000;
/** How long a session may take to end that was killed: it is asked so often, and waited for so long between, milliseconds. */
const LOOKS = 200;
const BETWEEN_LOOKS = 25;

/** Numbers of the servers' errors. */
const NO_SUCH_THREAD = 1094;
const NO_DATABASE_FOR_IT = 1044;
/** Access denied to a database, to a table, to a column; no right to grant; a privilege is missing. */
const MAY_NOT: ReadonlySet<unknown> = new Set([1044, 1142, 1143, 1410, 1227]);

const SYSTEM = "('mysql', 'information_schema', 'performance_schema', 'sys')";

export const mysqlRoles: RoleMaker = {
  async make(run, order, ask) {
    const { scopes } = order.grant;
    const [seen] = await Promise.all([
      ask(order.connection, (run) => seenBy(run, scopes)),
      // One that was left behind.
      this.drop(run, order.name, order.connection, ask),
    ]);
    await run(`CREATE USER ${accountOf(order.name)} ${await identified(run, order.password)} ${limits(order)}`);
    return give(run, order.name, privilegesOf(scopes, seen, order.connection));
  },

  async drop(run, name, connection, ask) {
    const account = accountOf(name);
    if ((await run(`SELECT 1 FROM mysql.user WHERE User = '${checkedName(name)}'`)).length === 0) return false;
    // Ending others' sessions takes a privilege that ending one's own does not: so it is done as the account itself, under a
    // new password, which keeps everybody else out.
    const password = randomBytes(32).toString('base64url');
    await run(`ALTER USER ${account} ${await identified(run, password)} WITH MAX_USER_CONNECTIONS 0`);
    try {
      await ask({ ...connection, user: name, password: () => password }, endOthers);
    } catch (error) {
      // It was made and given nothing: then there are no sessions of it either.
      if (codeOf(error) !== NO_DATABASE_FOR_IT) throw error;
    }
    await run(`DROP USER ${account}`);
    return true;
  },

  async made(run, gateway) {
    const prefix = prefixOf('mysql', gateway);
    const rows = await run(`SELECT User FROM mysql.user WHERE LEFT(User, ${prefix.length}) = '${prefix}'`);
    return rows.flatMap(([name]) => name ?? []);
  },

  async prove(run, name, connection) {
    await run(`SELECT 1 FROM mysql.user WHERE User = '${checkedName(name)}'`);
    await run(`CREATE USER ${accountOf(name)} ACCOUNT LOCK`);
    try {
      return await give(run, name, [{ names: ['SELECT', 'SHOW VIEW'], on: everythingIn(connection.database) }]);
    } finally {
      await run(`DROP USER ${accountOf(name)}`);
    }
  },
};

function accountOf(name: string): string {
  return `'${checkedName(name)}'@'%'`;
}

/** The server is given what it keeps of a password, not the password. */
async function identified(run: Run, password: string): Promise<string> {
  const [[version] = []] = await run('SELECT VERSION()');
  return /mariadb/i.test(version ?? '')
    ? `IDENTIFIED VIA mysql_native_password USING '${nativeVerifier(password)}'`
    : `IDENTIFIED WITH caching_sha2_password AS '${await cachingSha2Verifier(password)}'`;
}

/** Days are the shortest life that a password can have. */
function limits({ connection, sessions, lifeMs }: RoleOrder): string {
  const { mode } = connection.tls;
  const tls = mode === 'disable' || mode === 'prefer' ? 'NONE' : 'SSL';
  const days = Math.max(1, Math.ceil(lifeMs / DAY_MS));
  return `REQUIRE ${tls} WITH MAX_USER_CONNECTIONS ${sessions} PASSWORD EXPIRE INTERVAL ${days} DAY`;
}

async function seenBy(run: Run, scopes: readonly Scope[]): Promise<Seen> {
  const schemas = await run(`SELECT SCHEMA_NAME FROM information_schema.SCHEMATA WHERE SCHEMA_NAME NOT IN ${SYSTEM}`);
  const asked = `SELECT TABLE_SCHEMA, TABLE_NAME FROM information_schema.TABLES WHERE TABLE_SCHEMA NOT IN ${SYSTEM}`;
  const tables = scopes.some(({ table }) => table !== '*') ? await run(asked) : [];
  return {
    schemas: schemas.flatMap(([schema]) => schema ?? []),
    tables: tables.map(([schema, table]) => [schema ?? '', table ?? ''] as const),
  };
}

/** Grants what may be granted; answers in sentences what may not. */
async function give(run: Run, name: string, privileges: readonly Privileges[]): Promise<string[]> {
  const short: string[] = [];
  const grant = (what: string, on: string) => run(`GRANT ${what} ON ${on} TO ${accountOf(name)}`);
  for (const { names, on } of privileges) {
    try {
      await grant(names.join(', '), on);
    } catch (error) {
      if (!MAY_NOT.has(codeOf(error))) throw error;
      // A GRANT fails as a whole: one by one, those that may be are.
      for (const privilege of names) {
        await grant(privilege, on).catch((error: unknown) => {
          if (!MAY_NOT.has(codeOf(error))) throw error;
          short.push(`${privilege} cannot be granted on ${on}`);
        });
      }
    }
  }
  return short;
}

/** Ends all sessions of the account but this one, and waits until they are gone. */
async function endOthers(run: Run): Promise<void> {
  const [[own, user] = []] = await run("SELECT CONNECTION_ID(), SUBSTRING_INDEX(USER(), '@', 1)");
  for (let look = 0; look < LOOKS; look++) {
    const others = (await run('SHOW PROCESSLIST')).filter(([id, whose]) => whose === user && id !== own);
    if (others.length === 0) return;
    for (const [id] of others) {
      await run(`KILL CONNECTION ${Number(id)}`).catch((error: unknown) => {
        if (codeOf(error) !== NO_SUCH_THREAD) throw error;
      });
    }
    await setTimeout(BETWEEN_LOOKS);
  }
  throw new SallyportError('SP_UPSTREAM', `the sessions of ${user} do not end`);
}

/** The number of the database's own error, where there is one. */
function codeOf(error: unknown): unknown {
  return error instanceof SallyportError ? (error.cause as { code?: unknown } | undefined)?.code : undefined;
}
