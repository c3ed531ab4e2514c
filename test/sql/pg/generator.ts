// Random statements over the schema of lineage-world.ts: queries of every shape, and changes with RETURNING. The same seed
// gives the same statement. Few of them fail on the server; those that do prove nothing.

import { change } from './generator-changes.ts';
import { expression, type Random, random, type Scope, type Type } from './generator-expressions.ts';
import { type Around, fromClause, type Relation } from './generator-from.ts';

export interface Generated {
  readonly sql: string;
  /** The relation that it changes, or null. */
  readonly target: string | null;
}

export function generate(seed: number): Generated {
  const r = random(seed);
  const around: Around = { outer: null, ctes: [], depth: 3 };
  if (r.chance(0.12)) {
    const changed = change(r, { ...around, depth: 2 });
    return { sql: changed.sql, target: changed.target };
  }
  return { sql: statement(r, around), target: null };
}

function statement(r: Random, around: Around): string {
  const types = Array.from({ length: 1 + r.int(4) }, () => r.pick<Type>(['text', 'text', 'text', 'int', 'bool']));
  return r.chance(0.12) ? loose(r, around) : query(r, around, types, r.chance(0.5));
}

/** A query with columns of these types; named `c1`, `c2` … where asked for. */
export function query(r: Random, around: Around, types: readonly Type[], named = true): string {
  const choice = r.int(20);
  if (around.depth > 1 && choice < 3) return withCtes(r, around, types, named);
  if (around.depth > 1 && choice < 5) {
    const inner = { ...around, depth: around.depth - 1 };
    const operator = r.pick(['UNION', 'UNION ALL', 'UNION ALL', 'EXCEPT', 'INTERSECT ALL']);
    const order = r.chance(0.3) ? ' ORDER BY 1' : '';
    return `(${select(r, inner, types, named)}) ${operator} (${select(r, inner, types, named)})${order}`;
  }
  if (around.depth > 0 && choice === 5 && types.every((type) => type !== 'bool')) {
    const rows = Array.from({ length: 2 }, () => `(${types.map((type) => scalarIn(r, around, type)).join(', ')})`);
    return named
      ? `SELECT ${types.map((_, i) => `column${i + 1} AS c${i + 1}`).join(', ')} FROM (VALUES ${rows.join(', ')}) v`
      : `VALUES ${rows.join(', ')}`;
  }
  return select(r, around, types, named);
}

/** An expression that stands outside of any FROM. */
function scalarIn(r: Random, around: Around, type: Type): string {
  return expression(r, around.outer ?? nothing(around), type, around.depth - 1);
}

export function nothing(around: Around): Scope {
  return { columns: [], rows: [], subquery: subqueryIn(around) };
}

export function subqueryIn(around: Around): Scope['subquery'] {
  return (r, scope, type, depth) => {
    const inner: Around = { outer: scope, ctes: around.ctes, depth: Math.min(depth, around.depth - 1) };
    return r.chance(0.4) && type !== 'bool'
      ? select(r, inner, [type], true, true)
      : `SELECT q.c1 FROM (${query(r, inner, [type])}) q ORDER BY 1 LIMIT 1`;
  };
}

function withCtes(r: Random, around: Around, types: readonly Type[], named: boolean): string {
  const name = r.chance(0.2) ? 'orders' : r.name('w');
  const inner: Around = { ...around, depth: around.depth - 1 };
  const rest = (relation: Relation) =>
    select(r, { ...inner, ctes: [...around.ctes, relation, relation] }, types, named);
  if (r.chance(0.4)) {
    const start = select(r, inner, ['text', 'text', 'text', 'int']);
    const step = r.pick(['b, c, a', 'b, b, c', "b, a || '.', b", 'upper(b), a, c', "b, c, 'w'", "c, 'w', a"]);
    const columns: Relation['columns'] = [
      ['a', 'text'],
      ['b', 'text'],
      ['c', 'text'],
      ['m', 'int'],
      ['n', 'int'],
    ];
    const extra = r.chance(0.3)
      ? r.pick([' CYCLE a SET looped USING path', ' SEARCH BREADTH FIRST BY a, m SET nth'])
      : '';
    const recursive = `SELECT s.c1::text, s.c2::text, s.c3::text, s.c4, 1 FROM (${start}) s UNION ALL SELECT ${step}, m, n + 1 FROM ${name} WHERE n < 4`;
    return `WITH RECURSIVE ${name}(a, b, c, m, n) AS (${recursive})${extra} ${rest({ name, columns })}`;
  }
  const columns = Array.from({ length: 1 + r.int(3) }, (_, i): [string, Type] => [
    `k${i + 1}`,
    r.pick<Type>(['text', 'int']),
  ]);
  if (r.chance(0.15) && around.outer === null && around.depth === 3) {
    const { sql, columns: returned } = change(r, inner, true);
    return `WITH ${name}(${returned.map(([column]) => column).join(', ')}) AS (${sql}) ${rest({ name, columns: returned })}`;
  }
  const names = columns.map(([column]) => column).join(', ');
  return `WITH ${name}(${names}) AS (${query(
    r,
    inner,
    columns.map(([, type]) => type),
  )}) ${rest({ name, columns })}`;
}

/** A select list of these types over something in FROM. `single`: one row at most. */
function select(r: Random, around: Around, types: readonly Type[], named = true, single = false): string {
  const { sql: from, scope, own } = fromClause(r, around);
  const where = r.chance(0.3) ? ` WHERE ${expression(r, scope, 'bool', 1)}` : '';
  const depth = Math.min(2, around.depth);
  const title = (i: number) => (named ? ` AS c${i + 1}` : r.chance(0.3) ? ` AS ${r.pick(['x', 'name', 'email'])}` : '');
  const plain = (list: readonly string[]) => list.map((item, i) => item + title(i)).join(', ');
  const shape = single ? 0 : r.int(10);
  if (shape === 0 || single) {
    const values = types.map((type) => aggregate(r, own, type, depth));
    return `SELECT ${plain(values)}${from}${where}`;
  }
  if (shape === 1 && own.columns.some((column) => column.type === 'text')) {
    const key = r.pick(own.columns.filter((column) => column.type === 'text')).ref;
    const values = types.map((type, i) => (i === 0 && type === 'text' ? key : aggregate(r, own, type, depth)));
    return `SELECT ${plain(values)}${from}${where} GROUP BY ${types[0] === 'text' ? r.pick(['1', key]) : key}`;
  }
  if (shape === 2) {
    const values = types.map((type) => windowed(r, scope, type, depth));
    return `SELECT ${plain(values)}${from}${where} LIMIT 6`;
  }
  const values = types.map((type) => expression(r, scope, type, depth));
  const order = r.chance(0.3) ? ` ORDER BY ${1 + r.int(types.length)} DESC` : '';
  const distinct = r.chance(0.1) ? 'DISTINCT ' : '';
  return `SELECT ${distinct}${plain(values)}${from}${where}${order} LIMIT 6`;
}

function aggregate(r: Random, scope: Scope, type: Type, depth: number): string {
  const text = () => expression(r, scope, 'text', depth - 1);
  const int = () => expression(r, scope, 'int', depth - 1);
  const filter = r.chance(0.2) ? ` FILTER (WHERE ${expression(r, scope, 'bool', 1)})` : '';
  if (type === 'int') return r.pick([`max(${int()})`, `min(${int()})`, `count(${text()})::int`, 'count(*)::int']);
  if (type === 'bool') return `bool_or(${expression(r, scope, 'bool', 1)})${filter}`;
  return r.pick([
    () => `max(${text()})${filter}`,
    () => `string_agg(${text()}, ',' ORDER BY ${int()})${filter}`,
    () => `array_agg(${text()})::text`,
    () => `json_agg(${text()})::text`,
    () => `jsonb_object_agg(coalesce(${text()}, '?'), ${int()})::text`,
    () => `json_objectagg('k' : ${text()})::text`,
    () => `any_value(${text()})${filter}`,
    () => `(mode() WITHIN GROUP (ORDER BY ${text()}))`,
    () => `count(DISTINCT ${text()})::text`,
  ])();
}

function windowed(r: Random, scope: Scope, type: Type, depth: number): string {
  const text = () => expression(r, scope, 'text', depth - 1);
  const int = () => expression(r, scope, 'int', depth - 1);
  const over = `OVER (${r.chance(0.4) ? `PARTITION BY ${int()} ` : ''}ORDER BY ${r.pick([text, int])()})`;
  if (type === 'int')
    return r.pick([`(row_number() ${over})::int`, `lag(${int()}) ${over}`, `(count(${text()}) ${over})::int`]);
  if (type === 'bool') return `(rank() ${over} > 1)`;
  return r.pick([
    `first_value(${text()}) ${over}`,
    `lag(${text()}, 1, ${text()}) ${over}`,
    `string_agg(${text()}, '+') ${over}`,
  ]);
}

/** Queries whose columns the generator does not know: stars and rows. */
function loose(r: Random, around: Around): string {
  const { sql, scope } = fromClause(r, around);
  const row = scope.rows.length === 0 ? null : r.pick(scope.rows).alias;
  const list = r.pick([
    '*',
    ...(row === null
      ? []
      : [`${row}.*`, `(${row}).*`, row, `${row}.*, 1 AS one`, `(SELECT z FROM (SELECT ${row}.*) z)`]),
  ]);
  const all = `SELECT ${list}${sql} LIMIT 5`;
  return r.pick([all, `SELECT * FROM (${all}) AS z`, `WITH z AS (${all}) TABLE z`, `SELECT z FROM (${all}) z`]);
}
