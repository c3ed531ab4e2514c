// Scopes: what a grant lets its holder do and where, `db:<connection>[.<schema>[.<table>]]:<verb>[+<verb>…]`.

import { nearest, SallyportError } from '../errors.ts';
import { type Scope, VERBS, type Verb } from '../types.ts';
import { ANY, partMatches, printable, readParts, writePart } from './names.ts';

/** Longer than three quoted names of 63 characters and every verb. */
const MAX_SCOPE_LENGTH = 1024;

const SHAPE = 'db:<connection>[.<schema>[.<table>]]:<verb>[+<verb>…]';

/** One relation and what is done to it. */
export interface Access {
  readonly connection: string;
  readonly schema: string;
  readonly name: string;
  readonly verb: Verb;
}

/** Reads a scope; throws `SP_GRANT_REFUSED` naming the mistake. Parts that are left out match any. */
export function parseScope(text: string): Scope {
  const read = readScope(text);
  if (typeof read === 'string') throw new SallyportError('SP_GRANT_REFUSED', read, { hint: `A scope is ${SHAPE}.` });
  return read;
}

/** The mistake in a scope in one sentence, or null. */
export function checkScope(text: string): string | null {
  const read = readScope(text);
  return typeof read === 'string' ? read : null;
}

/** Writes a scope that `parseScope` reads back: parts that match any are left out where they can be. */
export function printScope(scope: Omit<Scope, 'text'>): string {
  const parts = [scope.connection, scope.schema, scope.table];
  while (parts.length > 1 && parts.at(-1) === ANY) parts.pop();
  return `db:${parts.map(writePart).join('.')}:${VERBS.filter((verb) => scope.verbs.has(verb)).join('+')}`;
}

/** Whether the scope has the verb on the relation. No verb includes another. */
export function covers(scope: Scope, access: Access): boolean {
  return (
    scope.verbs.has(access.verb) &&
    partMatches(scope.connection, access.connection) &&
    partMatches(scope.schema, access.schema) &&
    partMatches(scope.table, access.name)
  );
}

/** Whether the scope has the verb on everything behind the connection. */
export function coversConnection(scope: Scope, connection: string, verb: Verb): boolean {
  return touchesConnection(scope, connection, verb) && scope.schema === ANY && scope.table === ANY;
}

/** Whether the scope has the verb on anything behind the connection. */
export function touchesConnection(scope: Scope, connection: string, verb: Verb): boolean {
  return scope.verbs.has(verb) && partMatches(scope.connection, connection);
}

/** Whether everything that `requested` covers is covered by `allowed`. */
export function within(requested: Scope, allowed: Scope): boolean {
  return (
    [...requested.verbs].every((verb) => allowed.verbs.has(verb)) &&
    partMatches(allowed.connection, requested.connection) &&
    partMatches(allowed.schema, requested.schema) &&
    partMatches(allowed.table, requested.table)
  );
}

/** The scope, or what is wrong with it. */
function readScope(text: string): Scope | string {
  const name = `scope "${printable(text)}"`;
  if (text.length > MAX_SCOPE_LENGTH) return `${name} is longer than ${MAX_SCOPE_LENGTH} characters`;
  if (!text.startsWith('db:')) return `${name} does not begin with "db:"`;
  const read = readParts(text, 'db:'.length);
  if (!read.ok) return `${name}: ${read.message}`;
  const [connection, schema = ANY, table = ANY, ...rest] = read.parts;
  if (connection === undefined) return `${name} names no connection`;
  if (rest.length > 0) return `${name} has more parts than connection, schema and table`;
  if (read.end === text.length) return `${name} has no verb: one or more of ${VERBS.join(', ')} behind a colon`;
  const verbs = new Set<Verb>();
  for (const word of text.slice(read.end + 1).split('+')) {
    const verb = VERBS.find((known) => known === word);
    if (verb === undefined) return `${name}: ${unknownVerb(word)}`;
    verbs.add(verb);
  }
  return { connection, schema, table, verbs, text };
}

function unknownVerb(word: string): string {
  if (word === '') return 'a verb is missing';
  const near = nearest(word, VERBS);
  const known = near === null ? `known: ${VERBS.join(', ')}` : `did you mean "${near}"?`;
  return `"${printable(word)}" is no verb; ${known}`;
}
