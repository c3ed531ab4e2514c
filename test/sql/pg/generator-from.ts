// What a generated query stands on: relations, CTEs, subqueries, functions, and the joins between them.

import { nothing, query, subqueryIn } from './generator.ts';
import { type Column, expression, type Random, type Scope, type Type } from './generator-expressions.ts';

export interface Relation {
  readonly name: string;
  readonly columns: readonly (readonly [name: string, type: Type])[];
}

export const PEOPLE: Relation = {
  name: 'people',
  columns: [
    ['id', 'int'],
    ['name', 'text'],
    ['email', 'text'],
    ['salary', 'int'],
    ['low', 'text'],
  ],
};
export const ORDERS: Relation = {
  name: 'orders',
  columns: [
    ['id', 'int'],
    ['person', 'int'],
    ['note', 'text'],
    ['code', 'text'],
  ],
};
export const ITEMS: Relation = {
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
export interface Around {
  readonly outer: Scope | null;
  readonly ctes: readonly Relation[];
  readonly depth: number;
}

/** `own` is the scope without what is around the query: an aggregate of outer columns alone would belong there. */
export function fromClause(r: Random, around: Around): { sql: string; scope: Scope; own: Scope } {
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

export function source(r: Random, around: Around, scope: Scope, more: boolean): Source {
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
