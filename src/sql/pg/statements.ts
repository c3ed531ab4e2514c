// Every kind of statement that is known, by its node's type. A type that is in none of these tables is not understood.

import { ADMINISTRATION } from './administration.ts';
import { DEFINITIONS, into } from './definitions.ts';
import { query, select } from './queries.ts';
import { type Fields, fieldsOf, NotUnderstood, nodeOf, optional } from './tree.ts';
import { UTILITIES } from './utilities.ts';
import { addKind, addNeed, type Walk } from './walk.ts';

const QUERIES: ReadonlySet<string> = new Set(['DeleteStmt', 'InsertStmt', 'MergeStmt', 'SelectStmt', 'UpdateStmt']);

/** Understands one whole statement; throws `NotUnderstood`. */
export function statement(walk: Walk, value: unknown): void {
  const { type, fields } = nodeOf(value);
  if (QUERIES.has(type)) {
    if (type === 'SelectStmt' && selectInto(walk, fields)) return;
    // Only literals of a plain query can be left out of account; what depends on one takes this back.
    walk.valueBlind = walk.kinds.length === 0;
    return query(walk, value, null, true);
  }
  const handler = DEFINITIONS.get(type) ?? UTILITIES.get(type);
  if (handler !== undefined) return handler(walk, fields, statement);
  const administration = ADMINISTRATION.get(type);
  if (administration === undefined) throw new NotUnderstood(`${type} is not known to the gateway`);
  addKind(walk, administration.kind);
  addNeed(walk, 'admin');
  walk.opaque = administration.opaque ?? walk.opaque;
  walk.secretive = administration.secretive ?? walk.secretive;
}

/** SELECT INTO: the clause stands in the leftmost SELECT of a set operation. False where there is none. */
function selectInto(walk: Walk, fields: Fields): boolean {
  let leftmost = fields;
  while (leftmost.larg !== undefined) leftmost = fieldsOf(leftmost.larg);
  const clause = optional(leftmost.intoClause);
  if (clause === null) return false;
  addKind(walk, 'select-into');
  walk.into = clause;
  into(walk, clause);
  select(walk, fields, null, false);
  return true;
}
