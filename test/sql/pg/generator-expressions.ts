// Random expressions over columns that are in sight, for the query generator.

export interface Random {
  /** 0 to n - 1. */
  int(n: number): number;
  chance(probability: number): boolean;
  pick<T>(list: readonly T[]): T;
  /** A name that was not given out before. */
  name(prefix: string): string;
}

/** The same seed gives the same numbers (mulberry32). */
export function random(seed: number): Random {
  let state = seed | 0;
  let names = 0;
  const next = () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
  const int = (n: number) => Math.floor(next() * n);
  return {
    int,
    chance: (probability) => next() < probability,
    pick: (list) => {
      const found = list[int(list.length)];
      if (found === undefined) throw new Error('nothing to pick from');
      return found;
    },
    name: (prefix) => `${prefix}${++names}`,
  };
}

export type Type = 'text' | 'int' | 'bool';

export interface Column {
  /** As it is written in an expression. */
  readonly ref: string;
  readonly type: Type;
}

/** What an expression can see. */
export interface Scope {
  readonly columns: readonly Column[];
  /** Aliases of items that are rows, each with a text column where it has one. */
  readonly rows: readonly { readonly alias: string; readonly text: string | null }[];
  /** Makes a subquery that answers one column, correlated with this scope. */
  readonly subquery: (r: Random, scope: Scope, type: Type, depth: number) => string;
}

export function expression(r: Random, scope: Scope, type: Type, depth: number): string {
  const columns = scope.columns.filter((column) => column.type === type);
  if (columns.length > 0 && (depth <= 0 || r.chance(0.35))) return r.pick(columns).ref;
  if (depth <= 0) return literal(r, type);
  const make = r.pick(MAKERS[type]);
  return make({
    r,
    scope,
    text: () => expression(r, scope, 'text', depth - 1),
    int: () => expression(r, scope, 'int', depth - 1),
    bool: () => expression(r, scope, 'bool', depth - 1),
    sub: (inner) => scope.subquery(r, scope, inner, depth - 1),
    row: () => (scope.rows.length === 0 ? null : r.pick(scope.rows)),
  });
}

function literal(r: Random, type: Type): string {
  if (type === 'int') return String(r.int(9));
  return type === 'bool'
    ? r.pick(['true', 'false', 'NULL::bool'])
    : r.pick(["'-'::text", "''::text", "'Q'::text", 'NULL::text']);
}

interface Parts {
  readonly r: Random;
  readonly scope: Scope;
  readonly text: () => string;
  readonly int: () => string;
  readonly bool: () => string;
  readonly sub: (type: Type) => string;
  readonly row: () => { readonly alias: string; readonly text: string | null } | null;
}

const TEXTS: readonly ((p: Parts) => string)[] = [
  (p) => `upper(${p.text()})`,
  (p) => `reverse(${p.text()})`,
  (p) => `lower(${p.text()})`,
  (p) => `(${p.text()} || ${p.text()})`,
  (p) => `coalesce(${p.text()}, ${p.text()})`,
  (p) => `nullif(${p.text()}, ${p.text()})`,
  (p) => `greatest(${p.text()}, ${p.text()})`,
  (p) => `CASE WHEN ${p.bool()} THEN ${p.text()} ELSE ${p.text()} END`,
  (p) => `CASE ${p.int()} WHEN ${p.int()} THEN ${p.text()} ELSE ${p.text()} END`,
  (p) => `(${p.int()})::text`,
  (p) => `encode(convert_to(${p.text()}, 'UTF8'), 'hex')`,
  (p) => `concat(${p.text()}, ${p.int()}, ${p.bool()})`,
  (p) => `format('%s/%s', ${p.text()}, ${p.int()})`,
  (p) => `substring(${p.text()} FROM 1 FOR 9)`,
  (p) => `trim(both ' ' from ${p.text()})`,
  (p) => `(${p.text()} COLLATE "C")`,
  (p) => `(${p.text()})::${p.r.pick(['varchar', 'text', 'varchar(9)', 'varchar(40)', '"char"'])}::text`,
  (p) => `(ARRAY[${p.text()}, ${p.text()}])[1]`,
  (p) => `array_to_string(ARRAY[${p.text()}, ${p.text()}], ',')`,
  (p) => `(ROW(${p.text()}, ${p.int()})).f1`,
  (p) => `ROW(${p.text()}, ${p.int()})::text`,
  (p) => `json_build_object('k', ${p.text()}, 'n', ${p.int()})::text`,
  (p) => `json_build_object(coalesce(${p.text()}, '?'), 1)::text`,
  (p) => `json_array(${p.text()}, ${p.int()})::text`,
  (p) => `json_object('a' : ${p.text()})::text`,
  (p) => `(jsonb_build_array(${p.text()}) ->> 0)`,
  (p) => `json_value(jsonb_build_array(${p.text()}), '$[0]')`,
  (p) => `xmlserialize(content xmlelement(name e, ${p.text()}) AS text)`,
  (p) => `(SELECT ${p.text()})`,
  (p) => `(${p.sub('text')})`,
  (p) => `array_to_string(ARRAY(${p.sub('text')}), '|')`,
  (p) => `(json_array(${p.sub('text')}))::text`,
  (p) => p.row()?.text ?? p.text(),
  (p) => withRow(p, (alias) => `${alias}::text`),
  (p) => withRow(p, (alias) => `row_to_json(${alias})::text`),
  (p) => withRow(p, (alias) => `to_jsonb(${alias}.*)::text`),
  (p) => withRow(p, (alias) => `ROW(${alias}.*, 1)::text`),
  (p) => withRow(p, (alias) => `concat(${alias}, 'x')`),
];

const INTS: readonly ((p: Parts) => string)[] = [
  (p) => `(${p.int()} + ${p.r.int(9)})`,
  (p) => `length(${p.text()})`,
  (p) => `abs(${p.int()})`,
  (p) => `coalesce(${p.int()}, ${p.int()})`,
  (p) => `CASE WHEN ${p.bool()} THEN ${p.int()} END`,
  (p) => `least(${p.int()}, ${p.int()})`,
  (p) => `(${p.sub('int')})`,
  (p) => `(SELECT count(*)::int FROM (${p.sub('text')}) q)`,
  (p) => `(ROW(${p.text()}, ${p.int()})).f2`,
  (p) => withRow(p, (alias) => `length(${alias}::text)`),
];

const BOOLS: readonly ((p: Parts) => string)[] = [
  (p) => `${p.int()} > ${p.int()}`,
  (p) => `${p.text()} LIKE '%x%'`,
  (p) => `(${p.text()} IS NULL)`,
  (p) => `(NOT ${p.bool()})`,
  (p) => `(${p.bool()} OR ${p.bool()})`,
  (p) => `EXISTS (${p.sub('text')})`,
  (p) => `${p.int()} IN (${p.sub('int')})`,
  (p) => `${p.text()} <> ALL (${p.sub('text')})`,
  (p) => `${p.int()} BETWEEN ${p.int()} AND ${p.int()}`,
  (p) => `(${p.int()} % 2 = ${p.r.int(2)})`,
];

const MAKERS: Readonly<Record<Type, readonly ((p: Parts) => string)[]>> = { text: TEXTS, int: INTS, bool: BOOLS };

function withRow(p: Parts, make: (alias: string) => string): string {
  const row = p.row();
  return row === null ? `(${p.text()})` : make(row.alias);
}
