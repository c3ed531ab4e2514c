// What names mean inside a query of MySQL's dialect: levels of tables in FROM and of CTEs, looked up as the servers do (MySQL
// sql/sql_base.cc: find_field_in_tables; sql/item.cc: Item_field::fix_fields). Where a name could mean something else to one of
// the servers than it does here (names.ts), it is not followed.
import type { Catalog } from '../../../types.ts';
import { type ColumnKey, computed, type Field, type Flow, type Value } from '../../flow.ts';
import type { LexMode } from '../lexer.ts';
import { isCertain, sameTable } from '../names.ts';

/** The analysis stops here: what is behind this point is not known. */
export class NotFollowed extends Error {}

/** Where values of one statement flow, as far as it has been looked at. */
export interface Run {
  readonly text: string;
  readonly catalog: Catalog;
  readonly searchPath: readonly string[];
  readonly mode: LexMode;
  readonly predicates: Set<ColumnKey>;
  readonly writes: Write[];
  /** How much has been done so far. */
  work: number;
}

export interface Write {
  readonly into: string;
  readonly column: ColumnKey | null;
  readonly from: Flow;
}

export interface Place {
  readonly catalog: Catalog;
  readonly searchPath: readonly string[];
  readonly mode: LexMode;
}

export function startRun(text: string, { catalog, searchPath, mode }: Place): Run {
  return { text, catalog, searchPath, mode, predicates: new Set(), writes: [], work: 0 };
}

/** Ends what would hold up everybody else (this is some 0.2 s); ordinary statements take some hundreds or thousands. */
const MOST_WORK = 2_000_000;

/** Counts work: a unit is a column or item looked at. */
export function spend(run: Run, work: number): void {
  run.work += work;
  if (run.work > MOST_WORK) throw new NotFollowed('the statement is too large to follow its columns');
}

/** A table in FROM that `name.column` can mean. */
export interface Item {
  /** As written; null: it cannot be named. */
  readonly name: string | null;
  /** Of a stored table, whatever its alias; else null. */
  readonly schema: string | null;
  /** Names in lower case. */
  readonly fields: readonly Field[];
}

/** One query. */
export interface Level {
  readonly run: Run;
  readonly parent: Level | null;
  readonly items: Item[];
  /** The columns that may stand alone, in the order of `*`: those that a join merges are here once. */
  open: Field[];
  /** By name as written. */
  readonly ctes: Map<string, () => readonly Field[]>;
  /** Names of its result columns: the servers let subqueries use them where no table has a column of that name. */
  aliases: readonly Title[];
  /** It is the query of a CTE. */
  readonly body: boolean;
}

export function openLevel(run: Run, parent: Level | null, body = false): Level {
  return { run, parent, items: [], open: [], ctes: new Map(), aliases: [], body };
}

/** What a table in FROM that is not LATERAL sees: the CTEs of its level, and the levels around. */
export function besides(level: Level): Level {
  return { ...level, items: [], open: [], aliases: [] };
}

// --- Columns -----------------------------------------------------------------------------------------------------------

/** How a column of a result is called. */
export type Title = Pick<Field, 'name' | 'loose'>;

/** The name of a column as it is written. */
export function titled(written: string): Title {
  const name = written.toLowerCase();
  return isCertain(written) ? { name } : { name, loose: 'any' };
}

/** A word that no text of an expression can be. */
const PLAIN = /^\w+$/;

/** Whether a column is meant by a name in lower case; null: not certain. */
export function isCalled({ name: own, loose }: Title, name: string): boolean | null {
  if (loose === undefined) return own === name;
  return loose === 'title' && PLAIN.test(name) ? false : null;
}

/** The name of a column as it is looked for, in lower case. */
export function lookedFor(written: string): string {
  if (!isCertain(written))
    throw new NotFollowed(`the gateway may read the name ${written} otherwise than the database`);
  return written.toLowerCase();
}

/** A name without a dot. */
export function findColumn(level: Level, written: string): Value {
  const name = lookedFor(written);
  for (let at: Level | null = level; at !== null; at = at.parent) {
    spend(level.run, at.open.length);
    const [found, another] = at.open.filter((field) => field.name === name && field.loose === undefined);
    if (another !== undefined) throw new NotFollowed(`the column ${written} is ambiguous`);
    if (found !== undefined) return found.value;
    const titles = at === level ? at.open : [...at.open, ...at.aliases];
    if (titles.some((title) => isCalled(title, name) !== false)) {
      throw new NotFollowed(`${written} may be a result column: give that another name, or write table.column`);
    }
  }
  throw new NotFollowed(`the column ${written} is not known`);
}

/** `table.column`, `schema.table.column`. */
export function findQualified(level: Level, schema: string | null, table: string, written: string): Value {
  const item = findItem(level, schema, table);
  const name = lookedFor(written);
  spend(level.run, item.fields.length);
  const [found, another] = item.fields.filter((field) => field.name === name);
  if (found === undefined || found.loose !== undefined || another !== undefined) {
    throw new NotFollowed(`the column ${table}.${written} is not known`);
  }
  return found.value;
}

// --- Tables ------------------------------------------------------------------------------------------------------------

/** What stands before a dot. */
export function findItem(level: Level, schema: string | null, table: string): Item {
  const folds = level.run.catalog.server?.foldsTables ?? false;
  const means = (item: Item): boolean | null => {
    if (item.name === null) return false;
    const same = sameTable(item.name, table, folds);
    if (same === false || schema === null) return same;
    const within = item.schema !== null && sameTable(item.schema, schema, folds);
    return within === false ? false : same && within;
  };
  for (let at: Level | null = level; at !== null; at = at.parent) {
    spend(level.run, at.items.length);
    const [found, another] = at.items.filter((item) => means(item) === true);
    if (another !== undefined) throw new NotFollowed(`${table} is ambiguous`);
    if (found !== undefined) return found;
    if (at.items.some((item) => means(item) === null)) {
      throw new NotFollowed(`it is not certain which table ${table} is: write its name as FROM has it`);
    }
  }
  throw new NotFollowed(`the table ${table} is not known`);
}

export function findCte(level: Level, written: string): (() => readonly Field[]) | null {
  let [nested, body] = [false, false];
  for (let at: Level | null = level; at !== null; at = at.parent) {
    const found = at.ctes.get(written);
    // One server or the other reads the table of that name in some such places.
    if (nested && found !== undefined) throw new NotFollowed(`${written} is that of an outer WITH inside another WITH`);
    if (found !== undefined) return found;
    for (const name of at.ctes.keys()) {
      if (sameTable(name, written, false) === null) {
        throw new NotFollowed(`it is not certain whether ${written} is the ${name} of WITH: write both alike`);
      }
    }
    nested ||= body || at.ctes.size > 0;
    body = at.body;
  }
  return null;
}

/** Notes that these decide which rows there are, or how many. */
export function decide(run: Run, values: readonly Value[]): void {
  const flow = computed(values);
  if (flow.unproven !== null) throw new NotFollowed(flow.unproven);
  for (const key of flow.keys) run.predicates.add(key);
}

/** Notes that a value is stored or sent elsewhere. */
export function write(run: Run, into: string, column: ColumnKey | null, from: Flow): void {
  run.writes.push({ into, column, from });
}

/** The same columns by other names. */
export function renamed(fields: readonly Field[], names: readonly string[] | null): readonly Field[] {
  if (names === null) return fields;
  if (names.length !== fields.length) throw new NotFollowed('a list of columns has another length than its query');
  return fields.map(({ value }, i) => ({ ...titled(names[i] ?? ''), value }));
}
