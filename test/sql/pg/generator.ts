// Random statements over the schema of lineage-world.ts: queries of every shape, and changes with RETURNING. The same seed
// gives the same statement. Few of them fail on the server; those that do prove nothing.

import { type Column, expression, type Random, random, type Scope, type Type } from './generator-expressions.ts';

export interface Generated {
  readonly sql: string;
  /** The relation that it changes, or null. */
  readonly target: string | null;
}

interface Relation {
  readonly name: string;
  readonly columns: readonly (readonly [name: string, type: Type])[];
}

const PEOPLE: Relation = {
  name: 'people',
  columns: [
    ['id', 'int'],
    ['name', 'text'],
    ['email', 'text'],
    ['salary', 'int'],
    ['low', 'text'],
  ],
};
const ORDERS: Relation = {
  name: 'orders',
  columns: [
    ['id', 'int'],
    ['person', 'int'],
    ['note', 'text'],
    ['code', 'text'],
  ],
};
const ITEMS: Relation = {
  name: 'shop.items',
  columns: [
    ['id', 'int'],
    ['label', 'text'],
    ['name', 'text'],
  ],
};
const EVENTS: Relation = {
  name: 'shop.events',
  columns: [
    ['id', 'int'],
    ['kind', 'text'],
    ['secret', 'text'],
  ],
};
const RELATIONS: readonly Relation[] = [
  PEOPLE,
  PEOPLE,
  ORDERS,
  ITEMS,
  EVENTS,
  { ...EVENTS, name: 'shop.events_2' },
  {
    name: 'contacts',
    columns: [
      ['id', 'int'],
      ['address', 'text'],
      ['loud', 'text'],
    ],
  },
  {
    name: 'wide',
    columns: [
      ['id', 'int'],
      ['address', 'text'],
      ['loud', 'text'],
      ['note', 'text'],
      ['ref', 'text'],
    ],
  },
  {
    name: 'shop.summary',
    columns: [
      ['kind', 'text'],
      ['everything', 'text'],
    ],
  },
  { name: 'shop.mixed', columns: [['what', 'text']] },
  {
    name: 'shop.kept',
    columns: [
      ['id', 'int'],
      ['label', 'text'],
      ['top', 'text'],
    ],
  },
];

/** Something in FROM: its SQL and what it brings. */
interface Source {
  readonly sql: string;
  readonly alias: string;
  readonly columns: readonly (readonly [name: string, type: Type])[];
  /** Its bare alias is a row. */
  readonly row: boolean;
}

/** What is around a query: outer columns, and CTEs. */
interface Around {
  readonly outer: Scope | null;
  readonly ctes: readonly Relation[];
  readonly depth: number;
}

export function generate(seed: number): Generated {
  const r = random(seed);
  const around: Around = { outer: null, ctes: [], depth: 3 };
  if (r.chance(0.12)) return change(r, around);
  return { sql: statement(r, around), target: null };
}

function statement(r: Random, around: Around): string {
  const types = Array.from({ length: 1 + r.int(4) }, () => r.pick<Type>(['text', 'text', 'text', 'int', 'bool']));
  return r.chance(0.12) ? loose(r, around) : query(r, around, types, r.chance(0.5));
}

/** A query with columns of these types; named `c1`, `c2` … where asked for. */
function query(r: Random, around: Around, types: readonly Type[], named = true): string {
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

function nothing(around: Around): Scope {
  return { columns: [], rows: [], subquery: subqueryIn(around) };
}

function subqueryIn(around: Around): Scope['subquery'] {
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
    const { sql, columns: returned } = returningSome(r, inner);
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

/** `own` is the scope without what is around the query: an aggregate of outer columns alone would belong there. */
function fromClause(r: Random, around: Around): { sql: string; scope: Scope; own: Scope } {
  const count = around.depth <= 0 ? 1 : 1 + r.int(3);
  let scope: Scope = around.outer ?? nothing(around);
  const own: Column[] = [];
  const rows: Scope['rows'][number][] = [];
  let sql = '';
  let first: Source | null = null;
  for (let i = 0; i < count; i++) {
    const one = source(r, around, scope, i > 0);
    const how = i === 0 ? null : joined(r, first ?? one, one);
    sql += how?.sql ?? one.sql;
    // A merged column has a name of its own, as long as nothing else in sight has it.
    if (count === 2 && how !== null) own.push(...how.merged.map(([name, type]) => ({ ref: name, type })));
    first ??= one;
    own.push(...one.columns.map(([name, type]) => ({ ref: `${one.alias}.${name}`, type })));
    if (one.row) {
      const text = one.columns.find(([, type]) => type === 'text')?.[0];
      rows.push({ alias: one.alias, text: text === undefined ? null : `(${one.alias}).${text}` });
    }
    // The query's own columns count for more than those around it.
    const outer = around.outer;
    scope = {
      columns: [...own, ...own, ...(outer?.columns ?? [])],
      rows: [...rows, ...(outer?.rows ?? [])],
      subquery: subqueryIn(around),
    };
  }
  return { sql: ` FROM ${sql}`, scope, own: { ...scope, columns: own, rows } };
}

function joined(r: Random, left: Source, right: Source): { sql: string; merged: Source['columns'] } {
  const shared = right.columns.filter(([name, type]) =>
    left.columns.some(([other, same]) => other === name && same === type),
  );
  const number = (one: Source) => one.columns.find(([, type]) => type === 'int')?.[0];
  const [a, b] = [number(left), number(right)];
  const on = a !== undefined && b !== undefined ? `${left.alias}.${a} % 10 = ${right.alias}.${b} % 10` : 'true';
  const lateral = /LATERAL|\(.*\b[a-z]+\d+\./.test(right.sql);
  const only = (sql: string) => ({ sql, merged: [] });
  const choice = r.int(7);
  if (choice === 0) return only(`, ${right.sql}`);
  if (choice === 1) return only(` CROSS JOIN ${right.sql}`);
  if (choice === 2) return only(` LEFT JOIN ${right.sql} ON ${on}`);
  if (choice === 3 && !lateral && on !== 'true') return only(` FULL JOIN ${right.sql} ON ${on}`);
  if (choice > 3 && shared.length > 0 && !lateral) {
    const type = r.pick(['LEFT ', 'FULL ', 'FULL ', 'RIGHT ', '']);
    if (choice > 5) return { sql: ` NATURAL ${type}JOIN ${right.sql}`, merged: shared };
    const one = r.pick(shared);
    return { sql: ` ${type}JOIN ${right.sql} USING (${one[0]})`, merged: [one] };
  }
  return only(` JOIN ${right.sql} ON ${on}`);
}

function source(r: Random, around: Around, scope: Scope, more: boolean): Source {
  const alias = r.name(r.pick(['t', 's', 'u']));
  const choice = r.int(12);
  if (around.ctes.length > 0 && choice < 4) return relation(r, r.pick(around.ctes), alias);
  if (around.depth > 0 && choice < 3) {
    const columns = Array.from({ length: 1 + r.int(3) }, (_, i): [string, Type] => [
      `c${i + 1}`,
      r.pick<Type>(['text', 'text', 'int']),
    ]);
    const lateral = more && r.chance(0.4);
    const inner: Around = { outer: lateral ? scope : around.outer, ctes: around.ctes, depth: around.depth - 1 };
    const sql = `${lateral ? 'LATERAL ' : ''}(${query(
      r,
      inner,
      columns.map(([, type]) => type),
    )}) AS ${alias}`;
    if (!r.chance(0.3)) return { sql, alias, columns, row: true };
    const names = columns.map(([, type], i): [string, Type] => [`${r.pick(['id', 'name', 'z'])}${i}`, type]);
    return { sql: `${sql}(${names.map(([name]) => name).join(', ')})`, alias, columns: names, row: true };
  }
  if (choice === 3) return functionSource(r, scope, alias);
  return relation(r, r.pick(RELATIONS), alias);
}

function relation(r: Random, one: Relation, alias: string): Source {
  if (r.chance(0.85)) return { sql: `${one.name} AS ${alias}`, alias, columns: one.columns, row: true };
  const columns = one.columns.map(([name, type], i): [string, Type] => (i < 2 ? [`n${i}`, type] : [name, type]));
  return {
    sql: `${one.name} AS ${alias}(${columns
      .slice(0, 2)
      .map(([name]) => name)
      .join(', ')})`,
    alias,
    columns,
    row: true,
  };
}

function functionSource(r: Random, scope: Scope, alias: string): Source {
  const text = expression(r, scope, 'text', 1);
  const row = scope.rows.length === 0 ? null : r.pick(scope.rows).alias;
  const pairs: Source['columns'] = [
    ['key', 'text'],
    ['value', 'text'],
  ];
  const one = (sql: string, columns: Source['columns'], isRow = false): Source => ({ sql, alias, columns, row: isRow });
  const choices = [
    () => one(`generate_series(1, 2) AS ${alias}(n)`, [['n', 'int']]),
    () => one(`unnest(ARRAY[${text}, 'k']) AS ${alias}(e)`, [['e', 'text']]),
    () => one(`string_to_table(${text}, 'z') WITH ORDINALITY AS ${alias}(part, nth)`, [['part', 'text']], true),
    () => one(`jsonb_each_text(jsonb_build_object('a', ${text})) AS ${alias}`, pairs, true),
    () =>
      one(
        `jsonb_to_record(jsonb_build_object('a', ${text})) AS ${alias}(a text, b int)`,
        [
          ['a', 'text'],
          ['b', 'int'],
        ],
        true,
      ),
    () =>
      one(
        `JSON_TABLE(jsonb_build_array(${text}), '$[*]' COLUMNS (o FOR ORDINALITY, v text PATH '$')) AS ${alias}`,
        [['v', 'text']],
        true,
      ),
    () =>
      one(
        `ROWS FROM (unnest(ARRAY[${text}]), generate_series(1, 2)) AS ${alias}(x, y)`,
        [
          ['x', 'text'],
          ['y', 'int'],
        ],
        true,
      ),
    () =>
      one(
        `XMLTABLE('/e' PASSING xmlelement(name e, ${text}) COLUMNS v text PATH '.') AS ${alias}`,
        [['v', 'text']],
        true,
      ),
    ...(row === null ? [] : [() => one(`json_each_text(row_to_json(${row})) AS ${alias}`, pairs, true)]),
  ];
  return r.pick(choices)();
}

// --- Changes -----------------------------------------------------------------------------------------------------------

const TARGETS: readonly Relation[] = [{ ...PEOPLE, columns: PEOPLE.columns.slice(0, 4) }, ORDERS, ITEMS];

function change(r: Random, around: Around): Generated {
  const target = r.pick(TARGETS);
  const { sql } = returningOf(r, { ...around, depth: 2 }, target);
  return { sql, target: target.name };
}

function returningSome(r: Random, around: Around): { sql: string; columns: Relation['columns'] } {
  return returningOf(r, around, r.pick(TARGETS), true);
}

function returningOf(
  r: Random,
  around: Around,
  target: Relation,
  known = false,
): { sql: string; columns: Relation['columns'] } {
  const set = target.columns.filter(([name]) => name !== 'id' && r.chance(0.6));
  const assigned = set.length > 0 ? set : target.columns.slice(1, 2);
  const names = assigned.map(([name]) => name);
  const short = (type: Type, value: string) => (type === 'text' ? `left(${value}, 40)` : value);
  const list = known
    ? target.columns.map(([name]) => `d.${name}`).join(', ')
    : r.pick([
        '*',
        'd.*',
        'd',
        `d.${names[0]}`,
        `upper(d.${names[0]}::text), d.id`,
        `old.${names[0]}, new.${names[0]}`,
        'to_json(d)',
      ]);
  const answer = { columns: target.columns };
  switch (r.int(4)) {
    case 0: {
      const values = query(
        r,
        around,
        assigned.map(([, type]) => type),
      );
      const sql = `INSERT INTO ${target.name} AS d (id, ${names.join(', ')}) SELECT -(row_number() OVER ())::int - 7, ${assigned.map(([, type], i) => short(type, `q.c${i + 1}`)).join(', ')} FROM (${values}) q RETURNING ${list}`;
      return { sql, ...answer };
    }
    case 1: {
      const { sql: from, scope } = fromClause(r, around);
      const sets = assigned.map(([name, type]) => `${name} = ${short(type, expression(r, scope, type, 2))}`);
      return { sql: `UPDATE ${target.name} AS d SET ${sets.join(', ')}${from} RETURNING ${list}`, ...answer };
    }
    case 2: {
      const sub = query(
        r,
        around,
        assigned.map(([, type]) => type),
      );
      const row = `SELECT ${assigned.map(([, type], i) => short(type, `q.c${i + 1}`)).join(', ')} FROM (${sub}) q LIMIT 1`;
      return { sql: `UPDATE ${target.name} AS d SET (${names.join(', ')}) = (${row}) RETURNING ${list}`, ...answer };
    }
    default: {
      const one = source(r, { ...around, depth: 1 }, nothing(around), false);
      const scope: Scope = {
        columns: one.columns.map(([name, type]) => ({ ref: `${one.alias}.${name}`, type })),
        rows: [],
        subquery: subqueryIn(around),
      };
      const values = assigned.map(([, type]) => short(type, expression(r, scope, type, 1)));
      const sets = assigned.map(([name, type]) => `${name} = ${short(type, expression(r, scope, type, 1))}`);
      return {
        sql: `MERGE INTO ${target.name} AS d USING (SELECT * FROM ${one.sql} LIMIT 1) AS ${one.alias} ON d.id % 10 = ${r.int(12)} WHEN MATCHED THEN UPDATE SET ${sets.join(', ')} WHEN NOT MATCHED THEN INSERT (id, ${names.join(', ')}) VALUES (-9, ${values.join(', ')}) RETURNING ${list}`,
        ...answer,
      };
    }
  }
}
