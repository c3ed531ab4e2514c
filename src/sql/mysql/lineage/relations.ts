// The columns of tables: everything else comes from them. Those of views come from their queries.
import type { Catalog, CatalogRelation } from '../../../types.ts';
import { columnKey, type Field, type Flow, union, type Value } from '../../flow.ts';
import { readMode, writeMode } from '../mode.ts';
import { parse } from '../parser.ts';
import { query } from './queries.ts';
import { NotFollowed, openLevel, startRun, titled } from './scope.ts';

/** The relations of each snapshot that have been looked at; null while one is. */
const looked = new WeakMap<Catalog, Map<number, readonly Field[] | null>>();

/** All columns, those that `*` leaves out too, in order. */
export function relationFields(catalog: Catalog, relation: CatalogRelation): readonly Field[] {
  const fields = looked.get(catalog) ?? new Map<number, readonly Field[] | null>();
  looked.set(catalog, fields);
  const before = fields.get(relation.oid);
  if (before === null) throw new NotFollowed(`the view ${relation.name} reads itself`);
  if (before !== undefined) return before;
  fields.set(relation.oid, null);
  try {
    const made = relation.definition === undefined ? ownFields(relation) : viewFields(catalog, relation);
    fields.set(relation.oid, made);
    return made;
  } catch (error) {
    fields.delete(relation.oid);
    throw error;
  }
}

function ownFields(relation: CatalogRelation): Field[] {
  return fieldsWith(relation, (key) => ({ direct: key, keys: [key], unproven: null }));
}

function viewFields(catalog: Catalog, relation: CatalogRelation): Field[] {
  const values = valuesOfView(catalog, relation);
  if (values === null || values.length !== relation.columns.size) {
    const unproven = `what the view ${relation.schema}.${relation.name} shows could not be understood`;
    return fieldsWith(relation, (key) => ({ direct: null, keys: [key], unproven }));
  }
  return fieldsWith(relation, (key, i) => throughView(values[i], key));
}

/** What a view's column holds; of nothing below, it is a column of its own, which a rule may name. */
function throughView(value: Value | undefined, key: number): Flow {
  const flow = value?.flow;
  if (flow === undefined || (flow.keys.length === 0 && flow.unproven === null)) {
    return { direct: key, keys: [key], unproven: null };
  }
  return { ...flow, keys: union(flow.keys, [key]) };
}

/** What the view's own filters decide is its maker's choice, not the statement's: it is not asked for. */
function valuesOfView(catalog: Catalog, { definition = '', schema }: CatalogRelation): Value[] | null {
  const mode = readMode(writeMode({ sqlMode: '', mariadb: catalog.server?.mariadb ?? false }));
  if (mode === null) return null;
  const parsed = parse(definition, mode);
  const [only, ...others] = parsed.ok ? parsed.statements : [];
  if (only === undefined || others.length > 0) return null;
  const { statement } = only;
  if (!isQuery(statement)) return null;
  try {
    const run = startRun(definition, { catalog, searchPath: [schema], mode });
    return query(openLevel(run, null), statement).map((field) => field.value);
  } catch (error) {
    if (error instanceof NotFollowed) return null;
    throw error;
  }
}

/** Whether it is one of the forms of a query. */
export function isQuery<T extends { readonly kind: string }>(
  statement: T,
): statement is Extract<T, { kind: 'select' | 'set-operation' | 'values' | 'table' }> {
  return ['select', 'set-operation', 'values', 'table'].includes(statement.kind);
}

function fieldsWith(relation: CatalogRelation, flowOf: (key: number, index: number) => Flow): Field[] {
  return [...relation.columns].map(([attribute, name], i) => {
    const flow = flowOf(columnKey(relation.oid, attribute), i);
    const value: Value = { flow, type: relation.types?.get(attribute) ?? null, row: null };
    const title = titled(name);
    return relation.invisible?.has(attribute) ? { ...title, value, starless: true } : { ...title, value };
  });
}
