// Statements at random, out of the corpus: put into each other, with random expressions, and spelled in other ways (case, comments,
// white space, quotes). The same seed gives the same ones.
import { type LexMode, lex } from '../../../src/sql/mysql/lexer.ts';
import { CHANGES, QUERIES } from './corpus.ts';
import { UTILITIES } from './utilities.ts';

export type Random = () => number;

/** mulberry32. */
export function seeded(seed: number): Random {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

export function pick<T>(random: Random, list: readonly T[]): T {
  return list[Math.floor(random() * list.length)] as T;
}

const LEAVES =
  `1 0 -1 2.5 .5 1e2 'x' 'it''s' "y" NULL TRUE id a b c d dt t1.a t1.b shop.t1.id @v @@version x'41' 0x41 b'1' DATE'2020-01-01'
  NOW() CURRENT_TIMESTAMP DATABASE() CONNECTION_ID()`
    .trim()
    .split(/\s+/);
const BINARY = '+ - * / % DIV MOD = <> != < > <= >= <=> AND OR XOR && & | ^ << >> LIKE REGEXP'.split(' ');
const CALLS =
  `ABS # LENGTH # UPPER # CONCAT #,# COALESCE #,# IFNULL #,# IF #,#,# NULLIF #,# HEX # MD5 # ROUND #,# LEFT #,2 SUBSTRING #,1,2
  REPLACE #,'a','b' GREATEST #,# JSON_ARRAY #,# JSON_OBJECT 'k',# DATE_FORMAT dt,'%Y' YEAR d ISNULL # CHAR_LENGTH # TRIM # REPEAT #,2`
    .trim()
    .split(/\s+(?=[A-Z])/);

export function expression(random: Random, depth: number): string {
  if (depth === 0) return pick(random, LEAVES);
  const inner = () => expression(random, depth - 1 - Math.floor(random() * 2) < 0 ? 0 : depth - 1);
  switch (Math.floor(random() * 16)) {
    case 0:
      return `(${inner()})`;
    case 1:
      return `NOT ${inner()}`;
    case 2:
      return `- ${inner()}`;
    case 3:
      return `${inner()} IS ${pick(random, ['NULL', 'NOT NULL', 'TRUE', 'NOT FALSE'])}`;
    case 4:
      return `${inner()} ${pick(random, ['IN', 'NOT IN'])} (${inner()}, ${inner()})`;
    case 5:
      return `${inner()} BETWEEN ${inner()} AND ${inner()}`;
    case 6:
      return `CASE WHEN ${inner()} THEN ${inner()} ELSE ${inner()} END`;
    case 7:
      return `CASE ${inner()} WHEN ${inner()} THEN ${inner()} END`;
    case 8:
      return `CAST(${inner()} AS ${pick(random, ['CHAR', 'SIGNED', 'DECIMAL(10,2)', 'DATE', 'BINARY'])})`;
    case 9:
      return `(SELECT ${pick(random, ['1', 'MAX(x)', 'COUNT(*)'])} FROM t2)`;
    case 10:
      return `${inner()} IN (SELECT x FROM t2 WHERE ${pick(random, ['1', 'x > 1', 't1_id = t1.id'])})`;
    case 11:
      return `EXISTS (SELECT 1 FROM t2)`;
    case 12:
    case 13: {
      const [name = '', args = ''] = pick(random, CALLS).split(' ');
      return `${name}(${args.replaceAll('#', inner)})`;
    }
    default:
      return `${inner()} ${pick(random, BINARY)} ${inner()}`;
  }
}

function query(random: Random): string {
  const value = () => expression(random, 1 + Math.floor(random() * 3));
  return random() < 0.4
    ? pick(random, QUERIES)
    : `SELECT ${value()} AS one, ${value()} FROM t1${random() < 0.6 ? ` WHERE ${value()}` : ''}${random() < 0.3 ? ` ORDER BY ${value()}` : ''}${random() < 0.3 ? ' LIMIT 3' : ''}`;
}

/** A query or a change of rows. */
export function ordinary(random: Random): string {
  const value = () => expression(random, 1 + Math.floor(random() * 2));
  switch (Math.floor(random() * 14)) {
    case 0:
      return pick(random, CHANGES);
    case 1:
      return `SELECT * FROM (${query(random)}) AS z`;
    case 2:
      return `WITH z AS (${query(random)}) SELECT * FROM z`;
    case 3:
      return `(${query(random)}) UNION ${pick(random, ['', 'ALL'])} (${query(random)})`;
    case 4:
      return `SELECT ${value()} FROM t1 WHERE EXISTS (${query(random)})`;
    case 5:
      return `INSERT INTO t3 (id, a) SELECT ${value()}, ${value()} FROM t1`;
    case 6:
      return `UPDATE t1 SET a = ${value()} WHERE ${value()}`;
    case 7:
      return `DELETE FROM t1 WHERE ${value()}`;
    case 8:
      return `INSERT INTO t1 (a, b) VALUES (${value()}, ${value()}) ON DUPLICATE KEY UPDATE a = ${value()}`;
    default:
      return query(random);
  }
}

/** Of any kind. */
export function any(random: Random): string {
  switch (Math.floor(random() * 8)) {
    case 0:
    case 1:
    case 2:
      return pick(random, UTILITIES);
    case 3:
      return `CREATE TABLE n9 ${pick(random, ['', 'AS'])} ${query(random)}`;
    case 4:
      return `EXPLAIN ${ordinary(random)}`;
    case 5:
      return `PREPARE p FROM '${ordinary(random).replaceAll('\\', '\\\\').replaceAll("'", "''")}'`;
    default:
      return ordinary(random);
  }
}

const GAPS = [' ', ' ', ' ', '  ', '\n', '\t', ' /* c */ ', ' /**/ ', '/* x;y */ ', ' -- c\n', ' # c\n', '\r\n'];

/** The same statement in another spelling, or itself where it cannot be cut. */
export function respelled(random: Random, sql: string, mode: LexMode): string {
  const tokens = lex(sql, mode);
  if (!Array.isArray(tokens)) return sql;
  let out = '';
  let at = 0;
  for (const { type, start, end } of tokens) {
    if (type === 'end') break;
    const gap = sql.slice(at, start);
    out += gap === '' ? '' : /^\s+$/.test(gap) ? pick(random, GAPS) : gap;
    const written = sql.slice(start, end);
    if (type === 'word' && /^(t[123]|id|a|b)$/.test(written) && random() < 0.2 && sql[end] !== '(')
      out += `\`${written}\``;
    else if (type === 'word' && !/^[a-z]/.test(written)) out += random() < 0.3 ? mixed(random, written) : written;
    else out += written;
    at = end;
  }
  return out;
}

function mixed(random: Random, word: string): string {
  return [...word].map((letter) => (random() < 0.5 ? letter.toLowerCase() : letter.toUpperCase())).join('');
}
