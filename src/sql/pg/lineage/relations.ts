// The columns of relations: those of tables are what everything else comes from; those of views come from their queries.

import type { Catalog, CatalogRelation } from '../../../types.ts';
import { columnKey, type Field, type Flow, union, type Value } from '../../flow.ts';
import { parse } from '../parser.ts';
import { NotUnderstood, nodeOf } from '../tree.ts';
import { rowOfType } from './casts.ts';
import { query } from './queries.ts';
import { openLevel, startRun } from './scope.ts';

/** The relations of each snapshot that have been looked at; null while one is. */
const looked = new WeakMap<Catalog, Map<number, readonly Field[] | null>>();

/** The columns that `*` brings, in order. */
export function relationFields(catalog: Catalog, relation: CatalogRelation): readonly Field[] {
  const fields = looked.get(catalog) ?? new Map<number, readonly Field[] | null>();
  looked.set(catalog, fields);
  const before = fields.get(relation.oid);
  if (before === null) throw new NotUnderstood(`the view ${relation.name} reads itself`);
  if (before !== undefined) return before;
  fields.set(relation.oid, null);
  try {
    const made =
      relation.kind === 'v' || relation.kind === 'm' ? viewFields(catalog, relation) : baseFields(catalog, relation);
    fields.set(relation.oid, made);
    return made;
  } catch (error) {
    fields.delete(relation.oid);
    throw error;
  }
}

const STORED: ReadonlySet<string> = new Set(['f', 'p', 'r', 'S']);

function baseFields(catalog: Catalog, relation: CatalogRelation): Field[] {
  if (!STORED.has(relation.kind)) throw new NotUnderstood(`${relation.name} cannot be read`);
  return ownFields(catalog, relation);
}

/** A system's view counts as a table: what it shows is judged by its name. */
function viewFields(catalog: Catalog, relation: CatalogRelation): Field[] {
  const { definition } = relation;
  const ofSystem = relation.schema === 'pg_catalog' || relation.schema === 'information_schema';
  if (definition === undefined && ofSystem) return ownFields(catalog, relation);
  const values = definition === undefined ? null : valuesOfView(catalog, definition);
  const count = relation.columns.size;
  if (values === null || values.length !== count) {
    const unproven = `what the view ${relation.schema}.${relation.name} shows could not be understood`;
    return fieldsWith(catalog, relation, (key) => ({ direct: null, keys: [key], unproven }));
  }
  return fieldsWith(catalog, relation, (key, i) => throughView(values[i], key));
}

function ownFields(catalog: Catalog, relation: CatalogRelation): Field[] {
  return fieldsWith(catalog, relation, (key) => ({ direct: key, keys: [key], unproven: null }));
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
function valuesOfView(catalog: Catalog, definition: string): Value[] | null {
  const parsed = parse(definition);
  const [statement] = parsed.ok ? parsed.statements : [];
  if (!parsed.ok || statement === undefined || parsed.statements.length !== 1) return null;
  const run = startRun(catalog, ['pg_catalog']);
  try {
    if (nodeOf(statement.stmt).type !== 'SelectStmt') return null;
    return query(openLevel(run, null), statement.stmt).map((field) => field.value);
  } catch (error) {
    if (error instanceof NotUnderstood) return null;
    throw error;
  }
}

function fieldsWith(
  catalog: Catalog,
  relation: CatalogRelation,
  flowOf: (key: number, index: number) => Flow,
): Field[] {
  const run = startRun(catalog, []);
  return [...relation.columns].map(([attribute, name], i) => {
    const type = relation.types?.get(attribute) ?? null;
    const flow = flowOf(columnKey(relation.oid, attribute), i);
    const row = type === null ? undefined : rowOfType(run, type.oid, flow);
    const array = type !== null && (catalog.type?.(type.oid)?.element ?? 0) !== 0;
    return { name, value: { flow, type, row, array } };
  });
}
