// What names mean inside a query: levels of items in FROM and of CTEs, looked up as PostgreSQL's parser does
// (parser/parse_relation.c: colNameToVar, refnameNamespaceItem, scanNameSpaceForCTE).

import type { Catalog } from '../../../types.ts';
import { type ColumnKey, computed, type Field, type Flow, INDEPENDENT, rowOf, type Value } from '../../flow.ts';
import { NotUnderstood } from '../tree.ts';

/** Where values of one statement flow, as far as it has been looked at. */
export interface Run {
  readonly catalog: Catalog;
  readonly searchPath: readonly string[];
  readonly predicates: Set<ColumnKey>;
  readonly writes: Write[];
  /** What subqueries that are expressions call their first column, by their node. */
  readonly titles: WeakMap<object, string>;
  /** How much has been done so far. */
  work: number;
}

export function startRun(catalog: Catalog, searchPath: readonly string[]): Run {
  return { catalog, searchPath, predicates: new Set(), writes: [], titles: new WeakMap(), work: 0 };
}

/** Ends what would hold up everybody else (this is some 0.2 s); ordinary statements take some hundreds or thousands. */
const MOST_WORK = 2_000_000;

/** Counts work: a unit is a column or item looked at. */
export function spend(run: Run, work: number): void {
  run.work += work;
  if (run.work > MOST_WORK) throw new NotUnderstood('the statement is too large to follow its columns');
}

export interface Write {
  readonly into: string;
  readonly column: ColumnKey | null;
  readonly from: Flow;
}

/** Something in FROM that names can mean (ParseNamespaceItem). */
export interface Item {
  /** What it is called; null: it cannot be named. */
  readonly name: string | null;
  /** OID of the relation that `schema.name` means, where it has no alias; else 0. */
  readonly relation: number;
  readonly fields: readonly Field[];
  /** It has the system's columns (`ctid` …). */
  readonly stored: boolean;
  /** The value of its bare name, once that is known. */
  alone?: Value | undefined;
  /** Its name may stand before a dot, or for a whole row. */
  named: boolean;
  /** Its columns may stand alone, and `*` brings them. */
  open: boolean;
  /** Only what is LATERAL sees it yet. */
  lateral: boolean;
}

export function item(name: string | null, fields: readonly Field[], more: Partial<Item> = {}): Item {
  return { name, relation: 0, fields, stored: false, named: true, open: true, lateral: false, ...more };
}

export interface Cte {
  /** The columns of its result; throws where they are not to be known here. */
  readonly fields: () => readonly Field[];
}

/** One query (ParseState). */
export interface Level {
  readonly run: Run;
  readonly parent: Level | null;
  items: Item[];
  readonly ctes: Map<string, Cte>;
  /** What is being looked at sees items that are LATERAL only. */
  lateral: boolean;
}

export function openLevel(run: Run, parent: Level | null): Level {
  return { run, parent, items: [], ctes: new Map(), lateral: false };
}

/** Does something with other items in sight on this level. */
export function withItems<T>(level: Level, items: Item[], work: () => T): T {
  const before = level.items;
  level.items = items;
  try {
    return work();
  } finally {
    level.items = before;
  }
}

const SYSTEM_COLUMNS: ReadonlySet<string> = new Set(['cmax', 'cmin', 'ctid', 'tableoid', 'xmax', 'xmin']);

/** A column of one item; null where it has none of that name. */
export function fieldOf(from: Item, name: string): Value | null {
  let found: Value | null = null;
  for (const field of from.fields) {
    if (field.name !== name) continue;
    if (found !== null) throw new NotUnderstood(`the column ${name} is ambiguous`);
    found = field.value;
  }
  return found ?? (from.stored && SYSTEM_COLUMNS.has(name) ? INDEPENDENT : null);
}

/** A name without a dot as a column; null where no level has it. */
export function findColumn(level: Level, name: string): Value | null {
  for (let at: Level | null = level; at !== null; at = at.parent) {
    let found: Value | null = null;
    spend(level.run, at.items.length);
    for (const candidate of at.items) {
      if (!candidate.open || (candidate.lateral && !at.lateral)) continue;
      spend(level.run, candidate.fields.length);
      const value = fieldOf(candidate, name);
      if (value === null) continue;
      if (found !== null) throw new NotUnderstood(`the column ${name} is ambiguous`);
      found = value;
    }
    if (found !== null) return found;
  }
  return null;
}

/** What stands before a dot, or a whole row; with a schema it is a relation without an alias. */
export function findItem(level: Level, schema: string | null, name: string): Item | null {
  const { catalog, searchPath } = level.run;
  const relation = schema === null ? 0 : (catalog.find(schema, name, searchPath)?.oid ?? -1);
  for (let at: Level | null = level; at !== null; at = at.parent) {
    let found: Item | null = null;
    spend(level.run, at.items.length);
    for (const candidate of at.items) {
      if (!candidate.named || (candidate.lateral && !at.lateral)) continue;
      if (relation === 0 ? candidate.name !== name : candidate.relation !== relation) continue;
      if (found !== null) throw new NotUnderstood(`${name} is ambiguous`);
      found = candidate;
    }
    if (found !== null) return found;
  }
  return null;
}

export function findCte(level: Level, name: string): Cte | null {
  for (let at: Level | null = level; at !== null; at = at.parent) {
    const found = at.ctes.get(name);
    if (found !== undefined) return found;
  }
  return null;
}

/** An item's whole row. */
export function wholeRow(from: Item): Value {
  from.alone ??= rowOf(from.fields);
  return from.alone;
}

/** What `*` brings: the columns of every open item, in order. */
export function allFields(level: Level): Field[] {
  return level.items.filter((from) => from.open).flatMap((from) => starred(from.fields));
}

export function starred(fields: readonly Field[]): Field[] {
  return fields.filter((field) => field.starless !== true);
}

/** Notes that these decide which rows there are, or how many. */
export function decide(run: Run, values: readonly Value[]): void {
  const flow = computed(values);
  if (flow.unproven !== null) throw new NotUnderstood(flow.unproven);
  for (const key of flow.keys) run.predicates.add(key);
}

/** Notes that a value is stored or sent elsewhere. */
export function write(run: Run, into: string, column: ColumnKey | null, from: Flow): void {
  run.writes.push({ into, column, from });
}
