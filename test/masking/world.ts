// The schema of the differential test: every protected value is a marker, everything else is short, plain and known.

import { binaryDates, binaryNumbers, binaryUuid, type Searcher, searcher } from './markers.ts';
import { randomFrom } from './random.ts';

export type Type =
  | 'text'
  | 'int'
  | 'numeric'
  | 'date'
  | 'uuid'
  | 'jsonb'
  | 'texts'
  | 'bytea'
  | 'inet'
  | 'bool'
  | 'pair';

export interface Field {
  readonly name: string;
  readonly type: Type;
}

export interface Relation {
  readonly name: string;
  readonly fields: readonly Field[];
  /** INSERT, UPDATE and DELETE can be tried on it. */
  readonly writable: boolean;
}

const ROWS = 4;
const CONSONANTS = 'bcdfghjklmnpqrstvwxz';
/** How e-mail addresses end; the partial mask shows it. */
const SHOWN = '@hier.te';

const random = randomFrom(20_261);
const texts: string[] = [];
const binaries: [Buffer, string][] = [];

function word(): string {
  const made = Array.from({ length: 10 }, () => CONSONANTS[random.below(CONSONANTS.length)]).join('');
  texts.push(made);
  return made;
}

function number(): number {
  const made = 700_000_000 + random.below(299_999_999);
  texts.push(String(made));
  binaries.push(...binaryNumbers(made));
  return made;
}

function date(): string {
  const made = `1${9 - random.below(2)}${30 + random.below(60)}-${11 + random.below(2)}-${13 + random.below(15)}`;
  texts.push(made);
  binaries.push(...binaryDates(made));
  return made;
}

function uuid(): string {
  const digits = Array.from({ length: 32 }, () => '0123456789abcdef'[random.below(16)]).join('');
  const made = digits.replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
  texts.push(made);
  binaries.push(...binaryUuid(made));
  return made;
}

function address(): string {
  const made = [1, 2, 3, 4].map(() => 101 + random.below(150)).join('.');
  texts.push(made);
  binaries.push([Buffer.from(made.split('.').map(Number)), `${made} as inet`]);
  return made;
}

const q = (text: string): string => `'${text}'`;

const PEOPLE = Array.from({ length: ROWS }, (_, i) => {
  const secret = [
    q(word()),
    q(word() + SHOWN),
    number(),
    number(),
    q(date()),
    q(uuid()),
    `'{"${word()}": "${word()}", "n": [${number()}, "${word()}"]}'`,
    `ARRAY['${word()}', '${word()}']`,
    `convert_to('${word()}', 'UTF8')`,
    q(address()),
    `ROW('${word()}', ${number()})::pair`,
  ];
  const open = [
    `'${['Oslo', 'Lima', 'Oslo', 'Kiev'][i]}'`,
    i + 1,
    `'2001-05-0${i + 1}'`,
    `'{"k": "v${i}"}'`,
    `ARRAY['aa', 'b${i}']`,
    i % 2 === 0,
  ];
  return `(${[i + 1, ...secret, ...open].join(', ')})`;
});
const ORDERS = Array.from(
  { length: ROWS },
  (_, i) => `(${i + 1}, ${1 + ((i * 3) % ROWS)}, 'note ${i}', '${word()}', ${10 + i}, '2001-06-0${i + 1}')`,
);
const EVENTS = Array.from({ length: ROWS }, (_, i) => `(${i + 1}, 'kind ${i % 2}', '${word()}', ${number()})`);

/** SQL that makes the schema, one simple query. */
export const SCHEMA = `
  CREATE TYPE pair AS (l text, r int);
  CREATE TABLE people (id int PRIMARY KEY, name text, email varchar(40) UNIQUE, salary int, pay numeric(12, 2), born date, key uuid,
    doc jsonb, tags text[], raw bytea, addr inet, who pair,
    city text, grade int, since date, info jsonb, labels text[], ok bool,
    low text GENERATED ALWAYS AS (lower(name) || '/' || city) STORED,
    CHECK (length(name) < 60), CHECK (grade < 100));
  INSERT INTO people VALUES ${PEOPLE.join(', ')};
  CREATE TABLE orders (id int PRIMARY KEY, person int REFERENCES people, note text, code text, amount int, placed date);
  INSERT INTO orders VALUES ${ORDERS.join(', ')};
  CREATE TABLE events (id int, kind text, secret text, amount int) PARTITION BY RANGE (id);
  CREATE TABLE events_1 PARTITION OF events FOR VALUES FROM (0) TO (3);
  CREATE TABLE events_2 PARTITION OF events FOR VALUES FROM (3) TO (100);
  INSERT INTO events VALUES ${EVENTS.join(', ')};
  CREATE TABLE sink (a text, b text, n int);
  CREATE VIEW contacts AS SELECT id, email AS address, upper(name) AS loud, city, grade FROM people;
  CREATE VIEW wide AS SELECT c.id, c.address, c.city, o.note, o.code AS ref, o.amount FROM contacts c JOIN orders o ON o.person = c.id;
  CREATE VIEW stats AS SELECT city, count(*)::int AS howmany, max(salary) AS top, string_agg(name, ',') AS names FROM people GROUP BY city;
  CREATE VIEW mixed AS SELECT id, name AS what FROM people UNION ALL SELECT id, note FROM orders;
  CREATE MATERIALIZED VIEW kept AS SELECT id, secret AS hidden, kind FROM events;
`;

/** The masking of `people` and the others; strategies of every kind. */
export const RULES = [
  { column: 'public.people.name', with: 'redact' },
  { column: 'public.people.email', with: { partial: { keepEnd: SHOWN.length } } },
  { column: 'public.people.salary', with: 'redact' },
  { column: 'public.people.pay', with: 'redact' },
  { column: 'public.people.born', with: 'redact' },
  { column: 'public.people.key', with: 'redact' },
  { column: 'public.people.doc', with: 'redact' },
  { column: 'public.people.tags', with: 'redact' },
  { column: 'public.people.raw', with: 'null' },
  { column: 'public.people.addr', with: 'redact' },
  { column: 'public.people.who', with: 'redact' },
  { column: 'public.orders.code', with: 'hash' },
  { column: 'public.events.secret', with: { constant: 'gone' } },
  { column: 'public.events.amount', with: 'null' },
] as const;

function relation(name: string, columns: string, writable = false): Relation {
  const fields = columns.split(' ').map((column) => {
    const [field, type] = column.split(':');
    return { name: field ?? '', type: (type ?? 'text') as Type };
  });
  return { name, fields, writable };
}

export const RELATIONS: readonly Relation[] = [
  relation(
    'people',
    'id:int name email salary:int pay:numeric born:date key:uuid doc:jsonb tags:texts raw:bytea addr:inet who:pair city grade:int since:date info:jsonb labels:texts ok:bool low',
    true,
  ),
  relation('orders', 'id:int person:int note code amount:int placed:date', true),
  relation('events', 'id:int kind secret amount:int', true),
  relation('events_1', 'id:int kind secret amount:int'),
  relation('contacts', 'id:int address loud city grade:int'),
  relation('wide', 'id:int address city note ref amount:int'),
  relation('stats', 'city howmany:int top:int names'),
  relation('mixed', 'id:int what'),
  relation('kept', 'id:int hidden kind'),
  relation('sink', 'a b n:int', true),
];

export const MARKERS: Searcher = searcher(texts, binaries);
