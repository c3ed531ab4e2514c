// What a grant's scopes are in the privileges of MySQL and MariaDB.
//
// A whole database of the server is granted at once, a single table by itself; both only where the connection's own user sees
// them. Nothing is granted that makes objects with a definer (views, routines, triggers, events): they would stop working with
// the account, and MySQL would not let it be dropped.

import type { Connection, Scope, Verb } from '../types.ts';

const ON_SCHEMA: Readonly<Record<Verb, readonly string[]>> = {
  read: ['SELECT', 'SHOW VIEW'],
  write: ['INSERT', 'UPDATE', 'DELETE', 'LOCK TABLES'],
  ddl: ['CREATE', 'ALTER', 'DROP', 'INDEX', 'REFERENCES', 'CREATE TEMPORARY TABLES'],
  admin: ['EXECUTE'],
};
/** Those that cannot be granted on a table. */
const SCHEMA_ONLY: ReadonlySet<string> = new Set(['LOCK TABLES', 'CREATE TEMPORARY TABLES', 'EXECUTE']);

/** What the connection's own user sees. */
export interface Seen {
  readonly schemas: readonly string[];
  readonly tables: readonly (readonly [schema: string, table: string])[];
}

export interface Privileges {
  readonly names: readonly string[];
  /** Quoted: `db`.* or `db`.`table`. */
  readonly on: string;
}

/** A name, as a statement takes it whatever is in it. */
export function identifier(name: string): string {
  return `\`${name.replaceAll('`', '``')}\``;
}

/** All of a database: its name is a pattern in GRANT, where `_` and `%` stand for themselves behind a backslash. */
export function everythingIn(schema: string): string {
  return `${identifier(schema.replace(/[_%\\]/g, '\\$&'))}.*`;
}

/** What the scopes come to. */
export function privilegesOf(scopes: readonly Scope[], seen: Seen, { database }: Connection): Privileges[] {
  const found = [...onSchemas(scopes, seen), ...onTables(scopes, seen)];
  const reaches = found.some(({ schema }) => schema === database);
  // A session begins in the connection's database, which takes a privilege of some kind there; this one shows no row.
  if (!reaches) found.push({ schema: database, names: ['SHOW VIEW'], on: everythingIn(database) });
  return found.map(({ names, on }) => ({ names, on }));
}

type Placed = Privileges & { readonly schema: string };

function onSchemas(scopes: readonly Scope[], { schemas }: Seen): Placed[] {
  return schemas.flatMap((schema) => {
    const names = namesOf(scopes.filter((scope) => scope.table === '*' && takes(scope.schema, schema)));
    return names.length === 0 ? [] : [{ schema, names, on: everythingIn(schema) }];
  });
}

function onTables(scopes: readonly Scope[], { schemas, tables }: Seen): Placed[] {
  const single = scopes.filter((scope) => scope.table !== '*');
  const there = tables.filter(([schema, table]) =>
    single.some((scope) => takes(scope.schema, schema) && scope.table === table),
  );
  // One that is not there can be granted with CREATE alone: it is what the grant is to make.
  const missing = single
    .filter((scope) => scope.verbs.has('ddl') && schemas.includes(scope.schema))
    .map((scope): readonly [string, string] => [scope.schema, scope.table])
    .filter(([schema, table]) => !there.some((other) => other[0] === schema && other[1] === table));
  return [...there, ...missing].map(([schema, table]) => {
    const names = namesOf(single.filter((scope) => takes(scope.schema, schema) && scope.table === table));
    const on = `${identifier(schema)}.${identifier(table)}`;
    return { schema, names: names.filter((name) => !SCHEMA_ONLY.has(name)), on };
  });
}

function namesOf(scopes: readonly Scope[]): string[] {
  return [...new Set(scopes.flatMap(({ verbs }) => [...verbs].flatMap((verb) => ON_SCHEMA[verb])))];
}

function takes(pattern: string, name: string): boolean {
  return pattern === '*' || pattern === name;
}
