// What a grant's scopes are in PostgreSQL's privileges.
//
// A role gets what the scopes say, on what both the connection's own user has and the administrator may grant: provisioned mode never
// widens what can be reached. It is granted object by object, as the catalog has them: GRANT … ON ALL TABLES fails as a whole
// where one table is somebody else's.

import type { Connection, Scope, Verb } from '../types.ts';
import type { Run } from './role.ts';

/** Relations named in one GRANT. */
const BATCH = 200;
/** The version that knows MAINTAIN. */
const MAINTAIN_SINCE = 170_000;

const TABLE: Readonly<Record<Verb, readonly string[]>> = {
  read: ['SELECT'],
  write: ['INSERT', 'UPDATE', 'DELETE'],
  ddl: ['TRUNCATE', 'REFERENCES', 'MAINTAIN'],
  admin: [],
};
const SEQUENCE: Readonly<Record<Verb, readonly string[]>> = {
  read: ['SELECT'],
  write: ['USAGE', 'UPDATE'],
  ddl: [],
  admin: [],
};

/** A name, as a statement takes it whatever is in it. */
export function identifier(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/** A text, under standard_conforming_strings. */
export function literal(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

/** The condition that a schema is none of the system's own. */
export function users(column: string): string {
  return `NOT pg_catalog.starts_with(${column}, 'pg_') AND ${column} <> 'information_schema'`;
}

/** Of a grant's scopes, what the database is told. */
export interface Wanted {
  readonly scopes: readonly Scope[];
  /** It may make things, which its role then owns. */
  readonly makes: boolean;
  /** It may make schemas. */
  readonly schemas: boolean;
  /** It may do what the connection's own user may: `admin` on the whole connection, as a member of it. */
  readonly member: boolean;
}

export function wantedOf(scopes: readonly Scope[]): Wanted {
  const whole = (verb: Verb) =>
    scopes.some((scope) => scope.verbs.has(verb) && scope.schema === '*' && scope.table === '*');
  const member = whole('admin');
  const makes = member || scopes.some(({ verbs }) => verbs.has('ddl'));
  return { scopes, makes, schemas: whole('ddl'), member };
}

/**
 * Privileges on a relation that the scopes come to. `kind` is that of pg_class.relkind, S a sequence; one that fills a column of
 * `table` goes with that table, as far as taking numbers from it.
 */
export function onRelation(
  scopes: readonly Scope[],
  schema: string,
  name: string,
  kind: string,
  table?: string,
): string[] {
  const privileges = kind === 'S' ? SEQUENCE : TABLE;
  const of = (relation: string) =>
    scopes
      .filter((scope) => takes(scope.schema, schema) && takes(scope.table, relation))
      .flatMap(({ verbs }) => [...verbs].flatMap((verb) => privileges[verb]));
  const through = table === undefined ? [] : of(table).filter((privilege) => privilege === 'USAGE');
  return [...new Set([...of(name), ...through])];
}

/** Privileges on a schema that the scopes come to. */
export function onSchema(scopes: readonly Scope[], schema: string): string[] {
  const found = scopes.filter((scope) => takes(scope.schema, schema));
  if (found.length === 0) return [];
  return found.some(({ verbs }) => verbs.has('ddl')) ? ['USAGE', 'CREATE'] : ['USAGE'];
}

/** Privileges on the database that the scopes come to. */
function onDatabase({ makes, schemas }: Wanted): string[] {
  return ['CONNECT', ...(makes ? ['TEMPORARY'] : []), ...(schemas ? ['CREATE'] : [])];
}

function takes(pattern: string, name: string): boolean {
  return pattern === '*' || pattern === name;
}

/** The statements that give the role what it is to have, and in sentences what the administrator cannot give. */
export async function privileges(
  run: Run,
  wanted: Wanted,
  connection: Connection,
  version: number,
  role: string,
): Promise<{ readonly statements: readonly string[]; readonly short: readonly string[] }> {
  const own = literal(connection.user);
  const statements: string[] = [];
  const short: string[] = [];
  const grant = (privilege: string, on: string) => statements.push(`GRANT ${privilege} ON ${on} TO ${role}`);

  // What everybody has (CONNECT and TEMPORARY, unless it was revoked) needs no grant.
  const here = '(SELECT oid FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database())';
  for (const [privilege, may] of await run(`SELECT p, ${grantable('has_database_privilege', here)}
    FROM pg_catalog.unnest(ARRAY[${onDatabase(wanted).map(literal).join(', ')}]) p
    WHERE ${theirs('has_database_privilege', own, here)}`)) {
    if (may === 't') grant(privilege ?? '', `DATABASE ${identifier(connection.database)}`);
    else short.push(`${privilege} cannot be granted on the database`);
  }
  for (const [schema, privilege, may] of await run(`SELECT nspname, p, ${grantable('has_schema_privilege', 'oid')}
    FROM pg_catalog.pg_namespace, pg_catalog.unnest(ARRAY['USAGE', 'CREATE']) p
    WHERE ${users('nspname')} AND ${theirs('has_schema_privilege', own, 'oid')}`)) {
    if (schema == null || !onSchema(wanted.scopes, schema).includes(privilege ?? '')) continue;
    if (may === 't') grant(privilege ?? '', `SCHEMA ${identifier(schema)}`);
    else short.push(`${privilege} cannot be granted on schema ${schema}`);
  }
  const relations = await ofRelations(run, wanted.scopes, own, version);
  relations.given.inBatches(grant);
  for (const [privilege, count] of relations.short) {
    short.push(`${privilege} cannot be granted on ${count} relations of the scope`);
  }
  return { statements, short };
}

/** The administrator may grant the privilege `p`. */
function grantable(has: string, oid: string): string {
  return `pg_catalog.${has}(${oid}, p || ' WITH GRANT OPTION')`;
}

/** The connection's own user has the privilege `p`, and not because everybody has. */
function theirs(has: string, own: string, oid: string): string {
  return `pg_catalog.${has}(${own}, ${oid}, p) AND NOT pg_catalog.${has}('public', ${oid}, p)`;
}

/**
 * The statements that take from a role what it was given on relations. DROP OWNED would do it, but asks for privileges on the columns
 * too, which whoever may grant DELETE on a table or USAGE on a sequence alone does not have.
 */
export async function revocations(run: Run, role: string): Promise<readonly string[]> {
  const rows = await run(`SELECT n.nspname, c.relname, c.relkind, a.privilege_type
    FROM pg_catalog.pg_roles r JOIN pg_catalog.pg_shdepend d ON d.refobjid = r.oid AND d.deptype = 'a'
      AND d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.objsubid = 0
      AND d.dbid = (SELECT oid FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database())
    JOIN pg_catalog.pg_class c ON c.oid = d.objid JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    CROSS JOIN LATERAL pg_catalog.aclexplode(c.relacl) a
    WHERE r.rolname = ${literal(role)} AND a.grantee = r.oid`);
  const given = new Given();
  for (const [schema, name, kind, privilege] of rows) given.add(privilege ?? '', kind ?? '', schema ?? '', name ?? '');
  const statements: string[] = [];
  given.inBatches((privilege, on) => statements.push(`REVOKE ${privilege} ON ${on} FROM ${role}`));
  return statements;
}

/** Privileges on relations, many relations a statement. */
class Given {
  /** `TABLE SELECT` and the like to the names, quoted. */
  readonly #names = new Map<string, string[]>();

  /** `kind` as pg_class.relkind. */
  add(privilege: string, kind: string, schema: string, name: string): void {
    const what = `${kind === 'S' ? 'SEQUENCE' : 'TABLE'} ${privilege}`;
    const names = this.#names.get(what) ?? [];
    names.push(`${identifier(schema)}.${identifier(name)}`);
    this.#names.set(what, names);
  }

  inBatches(use: (privilege: string, on: string) => void): void {
    for (const [what, names] of this.#names) {
      const [kind = '', privilege = ''] = what.split(' ');
      for (let at = 0; at < names.length; at += BATCH)
        use(privilege, `${kind} ${names.slice(at, at + BATCH).join(', ')}`);
    }
  }
}

interface OfRelations {
  readonly given: Given;
  /** Privilege to the number of relations on which the administrator may not grant it. */
  readonly short: ReadonlyMap<string, number>;
}

async function ofRelations(run: Run, scopes: readonly Scope[], own: string, version: number): Promise<OfRelations> {
  const has =
    (...before: string[]) =>
    (p: string) => {
      const args = [...before, 'c.oid', p].join(', ');
      return `CASE c.relkind WHEN 'S' THEN pg_catalog.has_sequence_privilege(${args})
      ELSE pg_catalog.has_table_privilege(${args}) END`;
    };
  const rows = await run(`SELECT n.nspname, c.relname, c.relkind, p, ${has()("p || ' WITH GRANT OPTION'")}, t.relname
    FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    LEFT JOIN pg_catalog.pg_depend d ON c.relkind = 'S' AND d.objid = c.oid AND d.deptype IN ('a', 'i')
      AND d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.refclassid = d.classid
    LEFT JOIN pg_catalog.pg_class t ON t.oid = d.refobjid
    CROSS JOIN LATERAL pg_catalog.unnest(
      CASE c.relkind WHEN 'S' THEN ARRAY[${known(SEQUENCE, version)}] ELSE ARRAY[${known(TABLE, version)}] END) p
    WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S') AND ${users('n.nspname')} AND ${has(own)('p')}
    AND (${named(scopes, 'c.relname')} OR ${named(scopes, 't.relname')})`);
  const given = new Given();
  const short = new Map<string, number>();
  for (const [schema, name, kind, privilege, grantable, table] of rows) {
    if (schema == null || name == null || kind == null || privilege == null) continue;
    if (!onRelation(scopes, schema, name, kind, table ?? undefined).includes(privilege)) continue;
    if (grantable !== 't') {
      short.set(privilege, (short.get(privilege) ?? 0) + 1);
      continue;
    }
    given.add(privilege, kind, schema, name);
  }
  return { given, short };
}

function known(privileges: Readonly<Record<Verb, readonly string[]>>, version: number): string {
  const all = Object.values(privileges).flat();
  return all
    .filter((name) => name !== 'MAINTAIN' || version >= MAINTAIN_SINCE)
    .map(literal)
    .join(', ');
}

/** The condition that a scope names the relation. */
function named(scopes: readonly Scope[], relation: string): string {
  const conditions = scopes.map(({ schema, table }) => {
    const parts = ['true'];
    if (schema !== '*') parts.push(`n.nspname = ${literal(schema)}`);
    if (table !== '*') parts.push(`${relation} = ${literal(table)}`);
    return `(${parts.join(' AND ')})`;
  });
  return conditions.join(' OR ');
}
