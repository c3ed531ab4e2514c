// Reading pg_settings: it holds every setting in one view, those that the server shows to a superuser alone among them. Only a
// query that asks for settings by their names shows in its text which ones it gets.

import { settingIsSecret } from './settings.ts';
import { type Fields, fieldsOf, listOf, literalOf, type Node, namesOf, nodeOf, textOf } from './tree.ts';

/** Whether a relation as written is the view. */
export function isSettingsView(schema: string | null, name: string): boolean {
  return name === 'pg_settings' && (schema === null || schema === 'pg_catalog');
}

/** The clauses that cannot see a row before WHERE has: HAVING can, where the planner makes it a part of WHERE. */
const CLAUSES: ReadonlySet<string> = new Set([
  'targetList',
  'fromClause',
  'whereClause',
  'sortClause',
  'limitCount',
  'limitOffset',
  'limitOption',
  'op',
]);

/**
 * The view in the FROM of `SELECT … FROM pg_settings WHERE name = 'work_mem'` (or `name IN (…)`), where none of the settings
 * is secret; null for any other SELECT. It has to be the outermost query, alone in its FROM, and its WHERE nothing else: the
 * planner orders conditions as it likes, also those of a query around it, and one that fails with the value in its message
 * could come first.
 */
export function settingsByName(select: Fields): Fields | null {
  for (const clause in select) if (!CLAUSES.has(clause)) return null;
  const [item, ...others] = listOf(select.fromClause);
  if (item === undefined || others.length > 0 || select.whereClause === undefined) return null;
  const { type, fields } = nodeOf(item);
  if (type !== 'RangeVar' || !isSettingsView(textOf(fields.schemaname), textOf(fields.relname) ?? '')) return null;
  // With names of its own for the columns, `name` could be another one.
  if (fields.alias !== undefined && fieldsOf(fields.alias).colnames !== undefined) return null;
  const names = namesAskedFor(nodeOf(select.whereClause));
  return names?.every((name) => !settingIsSecret(name)) ? fields : null;
}

/** The literals that the column `name` has to be equal to, or null where the condition is any other. */
function namesAskedFor({ type, fields }: Node): readonly string[] | null {
  if (type !== 'A_Expr' || (fields.kind !== 'AEXPR_OP' && fields.kind !== 'AEXPR_IN')) return null;
  const operator = namesOf(fields.name);
  if (operator.at(-1) !== '=' || fields.lexpr === undefined || fields.rexpr === undefined) return null;
  const column = nodeOf(fields.lexpr);
  if (column.type !== 'ColumnRef') return null;
  const last = nodeOf(listOf(column.fields.fields).at(-1));
  if (last.type !== 'String' || last.fields.sval !== 'name') return null;
  const right = nodeOf(fields.rexpr);
  const literals = (right.type === 'List' ? listOf(right.fields.items) : [fields.rexpr]).map(literalOf);
  return literals.every((literal) => literal !== null) ? literals : null;
}
