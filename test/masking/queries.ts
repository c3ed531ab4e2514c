// Random queries, and the statements and protocol roads by which their rows, or what they would keep, can come out.

import { expression, failing, type Scope, type Source, TYPES } from './expressions.ts';
import type { Random } from './random.ts';
import { type Field, RELATIONS, type Type } from './world.ts';

const DEPTH = 3;
let names = 0;
const fresh = (prefix: string): string => `${prefix}${++names}`;

interface Query {
  readonly sql: string;
  readonly fields: readonly Field[];
}

interface Sight {
  readonly random: Random;
  /** CTEs by name. */
  readonly ctes: readonly Source[];
  /** What an outer query has in sight. */
  readonly outer: readonly Source[];
  readonly depth: number;
}

/** A query that returns rows. */
export function query(random: Random): string {
  names = 0;
  return select({ random, ctes: [], outer: [], depth: 2 }).sql;
}

function scopeOf(sight: Sight, sources: readonly Source[]): Scope {
  return {
    random: sight.random,
    sources: [...sources, ...(sight.random.chance(30) ? sight.outer : [])],
    subquery: (type, scope) => scalar(sight, type, scope.sources),
  };
}

/** `(SELECT …)` of one column and one row at most. */
function scalar(sight: Sight, type: Type, outer: readonly Source[]): string {
  const { random } = sight;
  const source = from({ ...sight, depth: 0, outer: [] });
  const scope: Scope = {
    random,
    sources: [...source.sources, ...(random.chance(40) ? outer : [])],
    subquery: () => '(SELECT NULL)',
  };
  const value = expression(scope, type, 1);
  if (type === 'text' && random.chance(40))
    return `(SELECT ${random.pick(['max', 'min'])}(${value}) FROM ${source.sql})`;
  if (type === 'int' && random.chance(40)) return `(SELECT max(${value}) FROM ${source.sql})`;
  return `(SELECT ${value} FROM ${source.sql} LIMIT 1)`;
}

interface From {
  readonly sql: string;
  readonly sources: readonly Source[];
}

function fromOne(sight: Sight, before: readonly Source[]): From {
  const { random, ctes } = sight;
  const alias = fresh('t');
  const dice = random.below(100);
  if (dice < 15 && ctes.length > 0) {
    const cte = random.pick(ctes);
    return { sql: `${cte.alias} AS ${alias}`, sources: [{ alias, fields: cte.fields }] };
  }
  if (dice < 30 && sight.depth > 0) {
    const lateral = before.length > 0 && random.chance(40);
    const inner = select({ ...sight, depth: sight.depth - 1, outer: lateral ? before : [] });
    const fields = inner.fields.map(({ type }, i) => ({ name: `c${i}`, type }));
    const sql = `${lateral ? 'LATERAL ' : ''}(${inner.sql}) AS ${alias}(${fields.map(({ name }) => name).join(', ')})`;
    return { sql, sources: [{ alias, fields }] };
  }
  if (dice < 40 && before.length > 0) {
    const scope: Scope = { random, sources: before, subquery: () => '(SELECT NULL)' };
    const made = random.pick([
      { sql: `unnest(${expression(scope, 'texts', 1)})`, type: 'text' },
      { sql: `regexp_split_to_table(${expression(scope, 'text', 1)}, 'q')`, type: 'text' },
      { sql: `jsonb_path_query(${expression(scope, 'jsonb', 1)}, '$.**')`, type: 'jsonb' },
      { sql: `generate_series(1, (${expression(scope, 'int', 1)}) % 3)`, type: 'int' },
    ] as const);
    return { sql: `${made.sql} AS ${alias}(v)`, sources: [{ alias, fields: [{ name: 'v', type: made.type }] }] };
  }
  const relation = random.pick(RELATIONS);
  if (random.chance(12)) {
    const fields = relation.fields.map(({ type }, i) => ({ name: `r${i}`, type }));
    return {
      sql: `${relation.name} AS ${alias}(${fields.map(({ name }) => name).join(', ')})`,
      sources: [{ alias, fields }],
    };
  }
  return { sql: `${relation.name} AS ${alias}`, sources: [{ alias, fields: relation.fields }] };
}

function from(sight: Sight): From {
  const { random } = sight;
  let whole = fromOne(sight, []);
  for (let more = random.pick([0, 0, 0, 1, 1, 2]); more > 0; more--) {
    const next = fromOne(sight, whole.sources);
    const sources = [...whole.sources, ...next.sources];
    const scope: Scope = { random, sources, subquery: () => '(SELECT NULL)' };
    const shared = whole.sources.length === 1 && random.chance(25) ? common(whole.sources[0], next.sources[0]) : null;
    const kind = random.pick(['JOIN', 'JOIN', 'LEFT JOIN', 'FULL JOIN', 'RIGHT JOIN']);
    const lateral = next.sql.startsWith('LATERAL') || next.sql.includes('(v)');
    const sql =
      shared !== null
        ? `${whole.sql} ${lateral ? 'JOIN' : kind} ${next.sql} USING (${shared})`
        : random.chance(40)
          ? `${whole.sql} CROSS JOIN ${next.sql}`
          : `${whole.sql} ${lateral ? 'LEFT JOIN' : kind.replace('FULL ', '')} ${next.sql} ON ${random.chance(60) ? `${expression(scope, 'int', 0)} = ${expression(scope, 'int', 0)}` : expression(scope, 'bool', 1)}`;
    whole = { sql, sources };
  }
  return whole;
}

function common(left: Source | undefined, right: Source | undefined): string | null {
  const found = left?.fields.find((field) =>
    right?.fields.some((other) => other.name === field.name && other.type === field.type),
  );
  return found?.name ?? null;
}

function select(sight: Sight): Query {
  const { random } = sight;
  const dice = random.below(100);
  if (sight.depth > 0 && dice < 12) return setOperation(sight);
  if (sight.depth > 0 && dice < 24) return withCtes(sight);
  if (dice < 28) return { sql: 'TABLE people', fields: RELATIONS[0]?.fields ?? [] };
  if (dice < 44) return aggregate(sight);
  if (dice < 54) return windowed(sight);
  return plain(sight);
}

const tail = (random: Random, count: number): string =>
  (random.chance(30) ? ` ORDER BY ${1 + random.below(count)}` : '') + (random.chance(20) ? ' LIMIT 3' : '');

function plain(sight: Sight): Query {
  const { random } = sight;
  const { sql, sources } = from(sight);
  const scope = scopeOf(sight, sources);
  const where = random.chance(30) ? ` WHERE ${expression(scope, 'bool', 2)}` : '';
  if (random.chance(15)) {
    const picked = random.pick(sources);
    return {
      sql: `SELECT ${random.pick([`${picked.alias}.*`, `(${picked.alias}).*`])} FROM ${sql}${where}`,
      fields: picked.fields,
    };
  }
  const fields = random.some(1, 4, (i) => ({ name: `o${i}`, type: random.pick(TYPES) }));
  const list = fields.map(({ name, type }) => `${expression(scope, type, 1 + random.below(DEPTH))} AS ${name}`);
  const distinct = random.chance(8) ? 'DISTINCT ' : '';
  const order = fields.some(({ type }) => type === 'pair') ? '' : tail(random, fields.length);
  return { sql: `SELECT ${distinct}${list.join(', ')} FROM ${sql}${where}${order}`, fields };
}

const AGGREGATES: readonly (readonly [Type, (value: (type: Type) => string) => string])[] = [
  ['int', (v) => `count(${v('text')})::int`],
  ['int', (v) => `count(DISTINCT ${v('text')})::int`],
  ['int', () => 'count(*)::int'],
  ['text', (v) => `max(${v('text')})`],
  ['text', (v) => `min(${v('text')}) FILTER (WHERE ${v('bool')})`],
  ['text', (v) => `string_agg(${v('text')}, ',' ORDER BY ${v('text')})`],
  ['text', (v) => `string_agg(DISTINCT ${v('text')}, ',')`],
  ['texts', (v) => `array_agg(${v('text')})`],
  ['jsonb', (v) => `jsonb_agg(${v('jsonb')})`],
  ['jsonb', (v) => `jsonb_object_agg(coalesce(${v('text')}, 'k'), ${v('int')})`],
  ['jsonb', (v) => `JSON_ARRAYAGG(${v('text')} RETURNING jsonb)`],
  ['jsonb', (v) => `JSON_OBJECTAGG(coalesce(${v('text')}, 'k') : ${v('text')} RETURNING jsonb)`],
  ['int', (v) => `max(${v('int')})`],
  ['numeric', (v) => `sum(${v('int')})::numeric`],
  ['numeric', (v) => `sum(${v('numeric')})`],
  ['numeric', (v) => `max(${v('numeric')})`],
  ['date', (v) => `max(${v('date')})`],
  ['text', (v) => `mode() WITHIN GROUP (ORDER BY ${v('text')})`],
  ['date', (v) => `percentile_disc(0.5) WITHIN GROUP (ORDER BY ${v('date')})`],
  ['texts', (v) => `array_agg(DISTINCT ${v('text')})`],
  ['bool', (v) => `bool_or(${v('bool')})`],
];

function aggregate(sight: Sight): Query {
  const { random } = sight;
  const { sql, sources } = from(sight);
  const scope: Scope = { ...scopeOf(sight, sources), sources };
  const value = (type: Type) => expression(scope, type, random.below(3));
  const grouped = random.chance(50) ? random.some(1, 2, () => random.pick<Type>(['text', 'int', 'date'])) : [];
  const keys = grouped.map((type, i) => ({ sql: `${expression(scope, type, random.below(2))} AS g${i}`, type }));
  const made = random.some(1, 3, () => {
    const [type, make] = random.pick(AGGREGATES);
    return { sql: make(value), type };
  });
  const columns = [...keys, ...made];
  const group = keys.length === 0 ? '' : ` GROUP BY ${keys.map((_, i) => i + 1).join(', ')}`;
  const having = random.chance(15) ? ` HAVING count(${value('text')}) > 0` : '';
  return {
    sql: `SELECT ${columns.map((column) => column.sql).join(', ')} FROM ${sql}${group}${having}`,
    fields: columns.map(({ type }, i) => ({ name: `o${i}`, type })),
  };
}

function windowed(sight: Sight): Query {
  const { random } = sight;
  const { sql, sources } = from(sight);
  const scope: Scope = { ...scopeOf(sight, sources), sources };
  const value = (type: Type) => expression(scope, type, random.below(3));
  const over = `OVER (PARTITION BY ${value('int')} ORDER BY ${value('text')})`;
  const type = random.pick<Type>(['text', 'int', 'date', 'jsonb', 'uuid']);
  const made: readonly (readonly [Type, string])[] = [
    [type, `lag(${value(type)}) ${over}`],
    [type, `first_value(${value(type)}) ${over}`],
    [type, `nth_value(${value(type)}, 2) ${over}`],
    [type, `lead(${value(type)}, 1, ${value(type)}) ${over}`],
    ['int', `(row_number() ${over})::int`],
    ['int', `(rank() ${over})::int`],
    ['text', `max(${value('text')}) ${over}`],
    ['text', `string_agg(${value('text')}, '') ${over}`],
    ['texts', `array_agg(${value('text')}) ${over}`],
    ['numeric', `sum(${value('int')}) ${over}::numeric`],
  ];
  const picked = random.some(1, 3, () => random.pick(made));
  return {
    sql: `SELECT ${picked.map(([, text]) => text).join(', ')} FROM ${sql}`,
    fields: picked.map(([of], i) => ({ name: `o${i}`, type: of })),
  };
}

function setOperation(sight: Sight): Query {
  const { random } = sight;
  const types = random.some(1, 3, () => random.pick<Type>(['text', 'int', 'date', 'jsonb', 'texts', 'uuid']));
  const part = (): string => {
    if (random.chance(12)) return `VALUES (${types.map((type) => expression(scopeOf(sight, []), type, 1)).join(', ')})`;
    const { sql, sources } = from({ ...sight, depth: 0 });
    const scope = scopeOf(sight, sources);
    return `SELECT ${types.map((type) => expression(scope, type, random.below(3))).join(', ')} FROM ${sql}`;
  };
  const parts = random.some(2, 3, part);
  const operator = random.pick(['UNION', 'UNION ALL', 'UNION ALL', 'INTERSECT', 'EXCEPT']);
  return {
    sql: parts.map((text) => `(${text})`).join(` ${operator} `),
    fields: types.map((type, i) => ({ name: `o${i}`, type })),
  };
}

function withCtes(sight: Sight): Query {
  const { random } = sight;
  const ctes: Source[] = [];
  const texts: string[] = [];
  let recursive = false;
  for (let left = 1 + random.below(2); left > 0; left--) {
    const alias = fresh('q');
    const inner = { ...sight, ctes: [...sight.ctes, ...ctes], depth: sight.depth - 1, outer: [] };
    if (random.chance(20)) {
      recursive = true;
      const start = plainPair(inner);
      texts.push(
        `${alias}(n, v) AS (${start} UNION ALL SELECT r.n + 1, r.v || s.${random.pick(['note', 'code'])} FROM ${alias} r JOIN orders s ON s.id = r.n WHERE r.n < 3)`,
      );
      ctes.push({
        alias,
        fields: [
          { name: 'n', type: 'int' },
          { name: 'v', type: 'text' },
        ],
      });
      continue;
    }
    const made = select(inner);
    const fields = made.fields.map(({ type }, i) => ({ name: `k${i}`, type }));
    const how = random.pick(['', '', 'MATERIALIZED ']);
    texts.push(`${alias}(${fields.map(({ name }) => name).join(', ')}) AS ${how}(${made.sql})`);
    ctes.push({ alias, fields });
  }
  const body = plain({ ...sight, ctes: [...sight.ctes, ...ctes], depth: sight.depth - 1 });
  return { sql: `WITH ${recursive ? 'RECURSIVE ' : ''}${texts.join(', ')} ${body.sql}`, fields: body.fields };
}

function plainPair(sight: Sight): string {
  const { sql, sources } = from({ ...sight, depth: 0 });
  const scope: Scope = { random: sight.random, sources, subquery: () => '(SELECT NULL)' };
  return `SELECT 1, (${expression(scope, 'text', 2)})::text FROM ${sql}`;
}

/** A query that the database is likely to fail at with an error that quotes values. */
export function failingQuery(random: Random): string {
  names = 0;
  const sight: Sight = { random, ctes: [], outer: [], depth: 0 };
  const { sql, sources } = from(sight);
  return `SELECT ${failing({ random, sources, subquery: () => '(SELECT NULL)' })} FROM ${sql}`;
}

/** Statements that change rows, to be run inside a transaction that is undone. */
export function change(random: Random): string[] {
  names = 0;
  const sight: Sight = { random, ctes: [], outer: [], depth: 0 };
  const writable = RELATIONS.filter((relation) => relation.writable);
  const table = random.pick(writable);
  const own: Source = { alias: table.name, fields: table.fields };
  const { sql, sources } = from(sight);
  const both: Scope = { random, sources: [own, ...sources], subquery: () => '(SELECT NULL)' };
  const alone: Scope = { random, sources: [own], subquery: (type, scope) => scalar(sight, type, scope.sources) };
  const target = random.pick(table.fields.filter(({ name }) => name !== 'low'));
  const returning = (scope: Scope): string =>
    random.chance(75)
      ? ` RETURNING ${random.pick(['*', table.name, `to_jsonb(${table.name})`, 'old.*', `${expression(scope, 'text', 2)} AS r, ${expression(scope, random.pick(TYPES), 2)} AS s`])}`
      : '';
  const value = (scope: Scope, type: Type): string =>
    random.chance(30) ? expression({ ...scope, sources: [] }, type, 0) : expression(scope, type, random.below(3));
  switch (random.below(10)) {
    case 0:
      return [
        `INSERT INTO sink (a, b) SELECT ${value(both, 'text')}, 'z' FROM ${table.name}, ${sql}${random.chance(50) ? ' RETURNING a, b' : ''}`,
        'SELECT * FROM sink',
      ];
    case 1:
      return [
        `UPDATE ${table.name} SET ${target.name} = ${value(alone, target.type)}${returning(alone)}`,
        `SELECT * FROM ${table.name}`,
      ];
    case 2:
      return [`UPDATE ${table.name} SET ${target.name} = ${value(both, target.type)} FROM ${sql}${returning(both)}`];
    case 3:
      return [`DELETE FROM ${table.name} WHERE ${expression(alone, 'bool', 1)}${returning(alone)}`];
    case 4: {
      const columns = table.fields.filter(({ name }) => name !== 'low').slice(0, 4);
      const names = columns.map(({ name }) => name).join(', ');
      return [
        `INSERT INTO ${table.name} (${names}) SELECT ${columns.map(({ name, type }) => (random.chance(60) ? `${table.name}.${name}` : value(alone, type))).join(', ')} FROM ${table.name}${random.chance(40) && table.name === 'people' ? ` ON CONFLICT (id) DO UPDATE SET city = ${value(alone, 'text')}, email = excluded.name` : ''}${returning(alone)}`,
      ];
    }
    case 5:
      return [
        `MERGE INTO ${table.name} USING (SELECT ${expression({ ...both, sources }, 'int', 1)} AS mi, ${expression({ ...both, sources }, 'text', 2)} AS mt FROM ${sql}) m ON ${table.name}.${table.name === 'sink' ? 'n' : 'id'} = m.mi WHEN MATCHED THEN UPDATE SET ${target.name} = ${target.type === 'text' ? random.pick(['m.mt', `'a'`]) : value(alone, target.type)} WHEN NOT MATCHED THEN DO NOTHING RETURNING ${random.pick(['*', 'm.mt', 'merge_action(), m.mt', `${table.name}.*`])}`,
      ];
    case 6: {
      const made = plain({ ...sight, depth: 1 });
      return [`CREATE TEMP TABLE kept_here AS ${made.sql}`, 'SELECT * FROM kept_here'];
    }
    case 7:
      return [
        `SELECT set_config('app.x', ${value({ ...both, sources }, 'text')}, false) FROM ${sql}`,
        'SHOW app.x',
        `SELECT current_setting('app.x', true)`,
      ];
    case 8:
      return ['LISTEN news', `SELECT pg_notify('news', ${value({ ...both, sources }, 'text')}) FROM ${sql}`];
    default:
      return [
        `WITH d AS (UPDATE ${table.name} SET ${target.name} = ${value(alone, target.type)} RETURNING *) SELECT ${random.pick(['d.*', 'to_jsonb(d)', `concat(d, 'a')`])} FROM d`,
      ];
  }
}
