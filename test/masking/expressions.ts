// Random expressions of a wanted type over what a query has in sight. They are meant to be valid: what the database refuses
// shows little.

import type { Random } from './random.ts';
import type { Field, Type } from './world.ts';

/** Something in FROM. */
export interface Source {
  readonly alias: string;
  readonly fields: readonly Field[];
}

export interface Scope {
  readonly random: Random;
  readonly sources: readonly Source[];
  /** A query of one column of this type that sees the sources, as SQL in parentheses. */
  readonly subquery: (type: Type, scope: Scope) => string;
}

export const TYPES: readonly Type[] = [
  'text',
  'text',
  'text',
  'text',
  'int',
  'int',
  'jsonb',
  'jsonb',
  'numeric',
  'date',
  'uuid',
  'texts',
  'bytea',
  'inet',
  'bool',
  'pair',
];

const LITERALS: Readonly<Record<Type, readonly string[]>> = {
  text: [`'a'`, `'x-'`, `''`, `'b1'`],
  int: ['1', '2', '3', '0'],
  numeric: ['1.5', '2'],
  date: [`date '2001-05-05'`],
  uuid: [`'00000000-0000-0000-0000-000000000001'::uuid`],
  jsonb: [`'{"a": 1}'::jsonb`, `'[]'::jsonb`],
  texts: [`ARRAY['a']`, `'{}'::text[]`],
  bytea: [`'\\x00'::bytea`],
  inet: [`inet '10.0.0.1'`],
  bool: ['true', 'false'],
  pair: [`ROW('a', 1)::pair`],
};

type Make = (scope: Scope, inner: (type: Type) => string) => string;

const any = (scope: Scope, inner: (type: Type) => string): string => inner(scope.random.pick(TYPES));

/** Of a value of any type that stays in it. */
function kept(type: Type): readonly Make[] {
  return [
    (_, e) => `CASE WHEN ${e('bool')} THEN ${e(type)} ELSE ${e(type)} END`,
    (_, e) => `coalesce(${e(type)}, ${e(type)})`,
    (scope) => scope.subquery(type, scope),
    (_, e) => `(ARRAY[${e(type)}, ${e(type)}])[1]`,
  ];
}

const MAKES: Readonly<Record<Type, readonly Make[]>> = {
  text: [
    ...['upper', 'lower', 'reverse', 'initcap', 'trim', 'quote_literal', 'quote_ident', 'quote_nullable'].map(
      (name): Make =>
        (_, e) =>
          `${name}(${e('text')})`,
    ),
    (_, e) => `substr(${e('text')}, 2, 7)`,
    (_, e) => `substring(${e('text')} from 2 for 6)`,
    (_, e) => `overlay(${e('text')} placing 'zz' from 1 for 2)`,
    (_, e) => `left(${e('text')}, 6)`,
    (_, e) => `right(${e('text')}, 6)`,
    (_, e) => `${e('text')} || ${e('text')}`,
    (s, e) => `concat(${any(s, e)}, ${any(s, e)})`,
    (s, e) => `concat_ws('/', ${any(s, e)}, ${any(s, e)})`,
    (s, e) => `format('%s is %L', ${any(s, e)}, ${any(s, e)})`,
    (_, e) => `replace(${e('text')}, 'a', 'bb')`,
    (_, e) => `translate(${e('text')}, 'abc', 'xyz')`,
    (_, e) => `regexp_replace(${e('text')}, '[a-f]', '')`,
    (_, e) => `regexp_substr(${e('text')}, '.{5}')`,
    (_, e) => `(regexp_match(${e('text')}, '(.*)'))[1]`,
    (_, e) => `lpad(${e('text')}, 12, '*')`,
    (_, e) => `repeat(${e('text')}, 2)`,
    (_, e) => `split_part(${e('text')}, '@', 1)`,
    (s, e) => `(${any(s, e)})::text`,
    (s, e) => `(${any(s, e)})::varchar(20)`,
    (_, e) => `(${e('text')} COLLATE "C")`,
    (_, e) => `encode(${e('bytea')}, 'hex')`,
    (_, e) => `encode(${e('bytea')}, 'base64')`,
    (_, e) => `encode(${e('bytea')}, 'escape')`,
    (_, e) => `encode(convert_to(${e('text')}, 'UTF8'), 'base64')`,
    (_, e) => `to_char(${e('int')}, '999999999999')`,
    (_, e) => `to_char(${e('date')}, 'YYYY-MM-DD')`,
    (_, e) => `${e('jsonb')} ->> 'k'`,
    (_, e) => `${e('jsonb')} #>> '{n,1}'`,
    (_, e) => `jsonb_pretty(${e('jsonb')})`,
    (_, e) => `JSON_VALUE(${e('jsonb')}, '$.n[1]')`,
    (_, e) => `JSON_SERIALIZE(JSON_OBJECT('a': ${e('text')}))`,
    (_, e) => `array_to_string(${e('texts')}, '+')`,
    (_, e) => `(${e('texts')})[1]`,
    (_, e) => `(${e('pair')}).l`,
    (_, e) => `host(${e('inet')})`,
    (_, e) => `nullif(${e('text')}, ${e('text')})`,
    (_, e) => `greatest(${e('text')}, ${e('text')})`,
    (_, e) => `ROW(${e('text')}, ${e('int')})::text`,
    (s, e) => `to_json(${any(s, e)})::text`,
    ({ random, sources }) => {
      const { alias } = sources.length === 0 ? { alias: '' } : random.pick(sources);
      return alias === ''
        ? `'a'`
        : random.pick([`${alias}::text`, `format('%s', ${alias})`, `to_jsonb(${alias})::text`, `${alias}.*::text`]);
    },
    (_, e) => `xmlserialize(content xmlelement(name x, ${e('text')}) as text)`,
    (s, e) => `quote_literal(${any(s, e)})`,
    (_, e) => `convert_from(${e('bytea')}, 'LATIN1')`,
    (_, e) => `(SELECT string_agg(s.v, ',') FROM (VALUES (${e('text')}), ('a')) s(v))`,
  ],
  int: [
    (_, e) => `length(${e('text')})`,
    (_, e) => `ascii(${e('text')})`,
    (_, e) => `strpos(${e('text')}, 'q')`,
    (_, e) => `${e('int')} % 1000`,
    (_, e) => `(${e('int')} / 2)`,
    (_, e) => `abs(${e('int')})`,
    (_, e) => `least(${e('int')}, ${e('int')})`,
    (_, e) => `extract(year from ${e('date')})::int`,
    (_, e) => `cardinality(${e('texts')})`,
    (_, e) => `(${e('pair')}).r`,
    (_, e) => `(${e('bool')})::int`,
    (_, e) => `trunc(${e('numeric')})::int`,
    (_, e) => `(${e('jsonb')} #>> '{n,0}')::int`,
    (_, e) => `octet_length(${e('bytea')})`,
  ],
  numeric: [
    (_, e) => `(${e('int')})::numeric`,
    (_, e) => `round(${e('numeric')}, 1)`,
    (_, e) => `${e('numeric')} + ${e('int')}`,
    (_, e) => `extract(epoch from ${e('date')})`,
    (_, e) => `(${e('int')})::float8::numeric`,
  ],
  date: [
    (_, e) => `(${e('date')} + 1)`,
    (_, e) => `date_trunc('month', ${e('date')})::date`,
    (_, e) => `greatest(${e('date')}, ${e('date')})`,
    (_, e) => `make_date(1999, 1, 1 + (${e('int')} % 9))`,
  ],
  uuid: [(_, e) => `(${e('uuid')})::text::uuid`],
  jsonb: [
    (s, e) => `to_jsonb(${any(s, e)})`,
    (s, e) => `jsonb_build_object('x', ${any(s, e)}, 'y', ${any(s, e)})`,
    (s, e) => `jsonb_build_object(concat('k', ${e('text')}), ${any(s, e)})`,
    (s, e) => `jsonb_build_array(${any(s, e)}, ${any(s, e)})`,
    (s, e) => `json_build_object('x', ${any(s, e)})::jsonb`,
    (_, e) => `JSON_OBJECT('a': ${e('text')}, 'b': ${e('int')} RETURNING jsonb)`,
    (_, e) => `JSON_ARRAY(${e('text')}, ${e('int')} RETURNING jsonb)`,
    (_, e) => `${e('jsonb')} -> 'n'`,
    (_, e) => `jsonb_set(${e('jsonb')}, '{a}', ${e('jsonb')})`,
    (_, e) => `${e('jsonb')} || ${e('jsonb')}`,
    (_, e) => `jsonb_path_query_array(${e('jsonb')}, '$.*')`,
    (_, e) => `JSON_QUERY(${e('jsonb')}, '$.n')`,
    ({ random, sources }) => {
      if (sources.length === 0) return `'{}'::jsonb`;
      const { alias } = random.pick(sources);
      return random.pick([
        `to_jsonb(${alias})`,
        `row_to_json(${alias})::jsonb`,
        `jsonb_build_array(${alias})`,
        `to_jsonb(ROW(${alias}.*))`,
      ]);
    },
  ],
  texts: [
    (_, e) => `ARRAY[${e('text')}, ${e('text')}]`,
    (_, e) => `array_append(${e('texts')}, ${e('text')})`,
    (_, e) => `${e('texts')} || ${e('texts')}`,
    (_, e) => `string_to_array(${e('text')}, 'q')`,
    (_, e) => `(${e('texts')})[1:2]`,
    (_, e) => `array_replace(${e('texts')}, 'a', ${e('text')})`,
    (scope) => `ARRAY${scope.subquery('text', scope)}`,
    (_, e) => `regexp_split_to_array(${e('text')}, 'q')`,
  ],
  bytea: [
    (_, e) => `convert_to(${e('text')}, 'UTF8')`,
    (_, e) => `${e('bytea')} || ${e('bytea')}`,
    (_, e) => `substr(${e('bytea')}, 2)`,
  ],
  inet: [(_, e) => `set_masklen(${e('inet')}, 24)`, (_, e) => `(${e('inet')} + 1)`],
  bool: [
    (_, e) => `${e('int')} > ${e('int')}`,
    (_, e) => `${e('text')} LIKE '%a%'`,
    (_, e) => `${e('text')} IS NOT NULL`,
    (_, e) => `${e('date')} < ${e('date')}`,
    (_, e) => `${e('text')} = ${e('text')}`,
    (_, e) => `NOT ${e('bool')}`,
    (_, e) => `(${e('bool')} OR ${e('bool')})`,
    (scope, e) => `${e('text')} IN ${scope.subquery('text', scope)}`,
    (scope) => `EXISTS ${scope.subquery('int', scope)}`,
    (_, e) => `${e('jsonb')} ? 'k'`,
  ],
  pair: [(_, e) => `ROW(${e('text')}, ${e('int')})::pair`],
};

/** An expression of this type; `depth` bounds how far it is nested. */
export function expression(scope: Scope, type: Type, depth: number): string {
  const { random } = scope;
  const columns = scope.sources.flatMap(({ alias, fields }) =>
    fields.filter((field) => field.type === type).map(({ name }) => `${alias}.${name}`),
  );
  const inner = (wanted: Type) => expression(scope, wanted, depth - 1);
  if (columns.length > 0 && (depth <= 0 || random.chance(35))) return random.pick(columns);
  if (depth <= 0) return random.pick(LITERALS[type]);
  if (random.chance(6)) return random.pick(LITERALS[type]);
  return random.pick(random.chance(80) ? MAKES[type] : kept(type))(scope, inner);
}

/** One that the database may well fail at, quoting the value. */
export function failing(scope: Scope): string {
  const { random } = scope;
  const text = expression(scope, 'text', 1);
  return random.pick([
    `(${text})::int`,
    `(${text})::date`,
    `(${text})::uuid`,
    `(${text})::jsonb`,
    `(${text})::inet`,
    `(${text})::numeric`,
    `(${text})::bytea`,
    `to_date(${text}, 'YYYY-MM-DD')`,
    `to_number(${text}, 'x9')`,
    `(${text})::regclass`,
    `(${expression(scope, 'int', 1)})::int2`,
    `(${expression(scope, 'int', 1)} * 99999)`,
    `1 / (${expression(scope, 'int', 1)} - ${expression(scope, 'int', 1)})`,
    `('{' || ${text})::text[]`,
    `regexp_replace('a', ${text} || '(', '')`,
    `decode(${text}, 'hex')`,
    `decode(${text}, 'base64')`,
    `jsonb_path_query(${expression(scope, 'jsonb', 1)}, (${text})::jsonpath)`,
    `(${expression(scope, 'jsonb', 1)})::int`,
    `xmlparse(document ${text})`,
    `format('%' || ${text}, 1)`,
    `chr(${expression(scope, 'int', 1)})`,
    `make_date(${expression(scope, 'int', 1)}, 1, 1)`,
    `set_config('app.' || 'x', ${text}, true)`,
    `to_timestamp(${text}, 'HH24')`,
    `('{1,2}'::int[])[${expression(scope, 'int', 1)}]`,
  ]);
}
