// What a value may hold of which columns, and how values combine.

import type { BaseColumn, ColumnType, Dependence } from '../types.ts';

/** A relation's OID and an attribute number in one number; attribute numbers end at 4096 (MySQL's MAX_FIELDS). */
export type ColumnKey = number;

const ATTRIBUTES = 8192;

export function columnKey(oid: number, attribute: number): ColumnKey {
  return oid * ATTRIBUTES + attribute;
}

export function columnOf(key: ColumnKey): BaseColumn {
  return { oid: Math.floor(key / ATTRIBUTES), attribute: key % ATTRIBUTES };
}

export interface Flow {
  /** The one column whose value it is, unchanged. */
  readonly direct: ColumnKey | null;
  /** Every column that it may hold something of, without repetition; also those of views that it came through. */
  readonly keys: readonly ColumnKey[];
  /** Why what it holds is not known, or null. */
  readonly unproven: string | null;
}

/** A value in a query. */
export interface Value {
  readonly flow: Flow;
  /** Its type, where it is that of a column; else null. */
  readonly type: ColumnType | null;
  /** The fields of a row; null: certainly neither a row nor an array of them; undefined: not known. */
  readonly row: readonly Field[] | null | undefined;
  /** It is an array for certain. */
  readonly array?: boolean;
  /** What the function that makes it calls its only OUT parameter. */
  readonly title?: string | null;
}

/** A column of a query's result, of an item in FROM, or a field of a row. */
export interface Field {
  readonly name: string;
  readonly value: Value;
  /** `*` leaves it out: what SEARCH and CYCLE add, inside the CTE itself; a column that is INVISIBLE. */
  readonly starless?: boolean;
  /** The database may know it by another name: by one that is no plain word (`title`), or by whatever name (`any`). */
  readonly loose?: 'title' | 'any';
}

const NOTHING: Flow = { direct: null, keys: [], unproven: null };

/** Depends on no column, and is not a row. */
export const INDEPENDENT: Value = { flow: NOTHING, type: null, row: null };

/** Depends on no column; what it is comes from outside of the statement. */
export const PARAMETER: Value = { flow: NOTHING, type: null, row: undefined };

export function union(a: readonly ColumnKey[], b: readonly ColumnKey[]): readonly ColumnKey[] {
  if (a === b || b.length === 0) return a;
  if (a.length === 0) return b;
  if (a.length + b.length > 32) return [...new Set([...a, ...b])];
  const more = b.filter((key) => !a.includes(key));
  return more.length === 0 ? a : [...a, ...more];
}

/** The flow of what is computed from all of these. */
export function computed(values: readonly Value[]): Flow {
  let keys: readonly ColumnKey[] = NOTHING.keys;
  let unproven: string | null = null;
  for (const { flow } of values) {
    keys = union(keys, flow.keys);
    unproven ??= flow.unproven;
  }
  return keys.length === 0 && unproven === null ? NOTHING : { direct: null, keys, unproven };
}

/** The flow of something made of what has this flow. */
export function made(flow: Flow): Flow {
  return flow.direct === null ? flow : { ...flow, direct: null };
}

/** Computed from all of these by something that makes no row where it is given none. */
export function derive(values: readonly Value[]): Value {
  const flow = computed(values);
  const row = values.every((value) => value.row === null) ? null : undefined;
  return flow === NOTHING && row === null ? INDEPENDENT : { flow, type: null, row };
}

/** Computed from all of these, a plain value for certain. */
export function scalar(values: readonly Value[]): Value {
  const flow = computed(values);
  return flow === NOTHING ? INDEPENDENT : { flow, type: null, row: null };
}

/** A row of these fields. */
export function rowOf(fields: readonly Field[]): Value {
  return { flow: computed(fields.map((field) => field.value)), type: null, row: fields };
}

/** One or the other, as set operations choose by row. */
export function either(a: Value, b: Value): Value {
  const keys = union(a.flow.keys, b.flow.keys);
  const unproven = a.flow.unproven ?? b.flow.unproven;
  const direct = a.flow.direct === b.flow.direct ? a.flow.direct : null;
  const flow = keys.length === 0 && unproven === null ? NOTHING : { direct, keys, unproven };
  return {
    flow,
    type: sameType(a.type, b.type) ? a.type : null,
    row: a.row === null && b.row === null ? null : undefined,
  };
}

/** Two known types that are the same, lengths and precisions included. */
export function sameType(a: ColumnType | null, b: ColumnType | null): boolean {
  return a !== null && b !== null && a.oid === b.oid && a.modifier === b.modifier;
}

/** Whether nothing of any column is in it. */
export function isFree(flow: Flow): boolean {
  return flow.keys.length === 0 && flow.unproven === null;
}

export function dependenceOf(flow: Flow): Dependence {
  if (flow.unproven !== null) return { kind: 'unproven', reason: flow.unproven };
  if (flow.keys.length === 0) return { kind: 'independent' };
  const { direct } = flow;
  if (direct === null) return { kind: 'derived', from: flow.keys.map(columnOf) };
  const via = flow.keys.filter((key) => key !== direct).map(columnOf);
  return via.length === 0
    ? { kind: 'direct', column: columnOf(direct) }
    : { kind: 'direct', column: columnOf(direct), via };
}
