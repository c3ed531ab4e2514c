// Random statements over the world that try to bring protected values out.
import type { Random } from '../random.ts';

const STRINGS = [
  'p.email',
  'p.ssn',
  'p.notes',
  'p.city',
  'p.tag',
  'p.doc',
  't.name',
  'v.ip',
  'v.page',
  's.contact',
  's.code',
];
const NUMBERS = ['p.pay', 'p.id', 't.budget', 'p.team_id', 'v.id', 'p.pay + t.id'];
const DATES = ['p.born', 'v.at'];
const FROM =
  'people p JOIN teams t ON t.id = p.team_id LEFT JOIN visits v ON v.person_id = p.id JOIN staff s ON s.id = p.id';

const pick = <T>(random: Random, list: readonly T[]): T => random.pick(list);

export function text(random: Random, depth = 2): string {
  if (depth === 0) return pick(random, STRINGS);
  const inner = () => text(random, depth - 1);
  return pick(random, [
    () => pick(random, STRINGS),
    () => `UPPER(${inner()})`,
    () => `REVERSE(${inner()})`,
    () => `HEX(${inner()})`,
    () => `TO_BASE64(${inner()})`,
    () => `CONCAT(${inner()}, '-', ${inner()})`,
    () => `SUBSTRING(${inner()}, 2, 9)`,
    () => `REPLACE(${inner()}, 'q', 'q')`,
    () => `COALESCE(${inner()}, ${inner()})`,
    () => `IF(${number(random, 1)} > 1, ${inner()}, ${inner()})`,
    () => `CASE WHEN ${inner()} LIKE '%q%' THEN ${inner()} ELSE 'none' END`,
    () => `CAST(${number(random, 1)} AS CHAR)`,
    () => `JSON_OBJECT('k', ${inner()})`,
    () => `JSON_UNQUOTE(JSON_EXTRACT(p.doc, '$.mail'))`,
    () => `LPAD(${inner()}, 40, '.')`,
    () => `CONVERT(${inner()} USING utf8mb4)`,
    () => `(SELECT ${pick(random, ['MAX(email)', 'GROUP_CONCAT(ssn)', 'MIN(notes)'])} FROM people)`,
    () => `QUOTE(${inner()})`,
    () => `DATE_FORMAT(${pick(random, DATES)}, '%Y-%m-%d')`,
    () => `REGEXP_REPLACE(${inner()}, 'q', 'q')`,
    () => `ELT(1, ${inner()})`,
    () => `GREATEST(${inner()}, ${inner()})`,
    () => `${inner()} COLLATE utf8mb4_bin`,
  ])();
}

export function number(random: Random, depth = 2): string {
  if (depth === 0) return pick(random, NUMBERS);
  const inner = () => number(random, depth - 1);
  return pick(random, [
    () => pick(random, NUMBERS),
    () => `${inner()} + ${inner()}`,
    () => `ABS(${inner()})`,
    () => `ROUND(${inner()} * 1.0)`,
    () => `LENGTH(${text(random, depth - 1)})`,
    () => `NULLIF(${inner()}, 0)`,
    () => `IFNULL(${inner()}, ${inner()})`,
    () => `UNIX_TIMESTAMP(${pick(random, DATES)})`,
    () => `(SELECT SUM(pay) FROM people)`,
    () => `CAST(${text(random, depth - 1)} AS SIGNED)`,
    () => `ROW_NUMBER() OVER (ORDER BY ${inner()})`,
    () => `LAG(${inner()}) OVER (ORDER BY p.id)`,
  ])();
}

export function value(random: Random, depth = 2): string {
  return pick(random, [
    () => text(random, depth),
    () => text(random, depth),
    () => number(random, depth),
    () => pick(random, DATES),
  ])();
}

function plain(random: Random): string {
  const values = Array.from({ length: 1 + random.below(4) }, () => value(random));
  const where = random.below(3) === 0 ? ` WHERE ${number(random, 1)} > 0` : '';
  const order = random.below(4) === 0 ? ` ORDER BY ${value(random, 1)}` : '';
  const limit = random.below(4) === 0 ? ' LIMIT 2' : '';
  return `SELECT ${values.map((one, i) => `${one} AS c${i}`).join(', ')} FROM ${FROM}${where}${order}${limit}`;
}

export function query(random: Random): string {
  const one = () => value(random);
  return pick(random, [
    () => plain(random),
    () => plain(random),
    () => plain(random),
    () =>
      `SELECT * FROM ${pick(random, ['people', 'staff', 'nearby', 'teams', 'visits', 'people p NATURAL JOIN staff', 'visits RIGHT JOIN people p USING (id)'])}`,
    () => `SELECT p.*, t.budget FROM people p, teams t`,
    () => `SELECT DISTINCT ${one()} AS x FROM ${FROM}`,
    () =>
      `SELECT p.city, GROUP_CONCAT(${text(random, 1)}), MAX(${one()}), COUNT(*), SUM(p.pay) FROM ${FROM} GROUP BY p.city`,
    () => `SELECT JSON_ARRAYAGG(${one()}), JSON_OBJECTAGG(p.id, ${one()}) FROM ${FROM}`,
    () => `SELECT q.c0, UPPER(q.c0) FROM (${plain(random)}) q`,
    () => `WITH q AS (${plain(random)}) SELECT a.c0 FROM q a JOIN q b`,
    () =>
      `WITH RECURSIVE r (n, w) AS (SELECT 1, CAST(email AS CHAR(200)) FROM people UNION ALL SELECT n + 1, CONCAT(w, n) FROM r WHERE n < 3) SELECT * FROM r`,
    () => `SELECT ${text(random, 1)} AS x FROM ${FROM} UNION ${pick(random, ['', 'ALL '])}SELECT word FROM plain`,
    () => `SELECT word FROM plain UNION SELECT ${text(random, 1)} FROM ${FROM} ORDER BY 1 LIMIT 5`,
    () => `SELECT FIRST_VALUE(${one()}) OVER (PARTITION BY p.city ORDER BY p.id) AS x FROM ${FROM}`,
    () =>
      `SELECT word, (SELECT ${pick(random, ['email', 'ssn', 'pay', 'doc'])} FROM people WHERE people.id = plain.id) AS y FROM plain`,
    () => `SELECT * FROM plain WHERE EXISTS (SELECT 1 FROM people WHERE pay > plain.n)`,
    () => `SELECT j.m FROM people p, JSON_TABLE(p.doc, '$' COLUMNS (m VARCHAR(60) PATH '$.mail')) j`,
    () => `VALUES ROW((SELECT MAX(email) FROM people), 1)`,
    () => `TABLE people`,
    () => `SELECT @x := ${one()} FROM ${FROM}`,
    () => `SELECT ${one()} INTO @y FROM ${FROM} LIMIT 1`,
    () => `SELECT @x, @y`,
    () => `SELECT LAST_INSERT_ID(p.pay) FROM people p`,
    () => `SELECT LAST_INSERT_ID()`,
    () =>
      `EXPLAIN ${pick(random, ['', 'FORMAT=JSON ', 'FORMAT=TRADITIONAL ', 'EXTENDED ', 'ANALYZE '])}SELECT * FROM people p JOIN people q ON q.email = p.email WHERE p.id = 1`,
    () => `ANALYZE FORMAT=JSON SELECT * FROM people WHERE id = 1`,
    () =>
      // The server's public keys hold four letters of anything by chance.
      `SHOW ${pick(random, ['WARNINGS', 'ERRORS', 'TABLES', 'CREATE VIEW staff', 'CREATE TABLE people', 'INDEX FROM people', 'PROCESSLIST', 'PROFILES', "STATUS WHERE Variable_name NOT LIKE '%public_key'"])}`,
    () => `CHECKSUM TABLE people`,
    () => `DESCRIBE people`,
    () =>
      `SELECT * FROM information_schema.${pick(random, ['processlist', 'columns', 'column_statistics', 'tables', 'innodb_buffer_page'])} LIMIT 3`,
    () =>
      `SELECT * FROM performance_schema.${pick(random, ['events_statements_current', 'events_statements_history', 'threads', 'user_variables_by_thread'])} LIMIT 3`,
    () => `SELECT ${one()} AS x FROM ${FROM} HAVING x IS NOT NULL`,
  ])();
}

/** Whose errors and warnings quote values. */
export function failing(random: Random): string {
  const one = () => text(random, 1);
  return pick(random, [
    () => `SELECT EXTRACTVALUE(1, CONCAT('~', ${one()})) FROM ${FROM}`,
    () => `SELECT UPDATEXML(1, CONCAT('~', ${one()}), 1) FROM ${FROM}`,
    () => `SELECT CAST(${one()} AS JSON) FROM ${FROM}`,
    () => `SELECT JSON_EXTRACT(${one()}, '$.x') FROM ${FROM}`,
    () => `SELECT JSON_EXTRACT('{}', ${one()}) FROM ${FROM}`,
    () => `SELECT p.pay * 9223372036854775807 FROM people p`,
    () => `SELECT EXP(p.pay) FROM people p`,
    () => `SELECT CAST(${one()} AS SIGNED), ${one()} + 1 FROM ${FROM}`,
    () => `SELECT CAST(${one()} AS DATE), STR_TO_DATE(${one()}, '%Y') FROM ${FROM}`,
    () => `SELECT UUID_TO_BIN(${one()}) FROM ${FROM}`,
    () => `SELECT ST_GeomFromText(${one()}) FROM ${FROM}`,
    () => `SELECT 'x' REGEXP ${one()} FROM ${FROM}`,
    () => `SELECT GTID_SUBSET(${one()}, '') FROM ${FROM}`,
    () => `SELECT CONVERT(${one()}, DECIMAL(4,2)) FROM ${FROM}`,
    () => `SELECT NAME_CONST(${one()}, 1) FROM ${FROM}`,
    () => `SELECT INET6_ATON(${one()}), UNHEX(${one()}), FROM_BASE64(${one()}) FROM ${FROM}`,
    () => `SELECT * FROM people WHERE id = (SELECT id FROM people)`,
    () => `SELECT ${one()}`,
    () => `SELECT a.email FROM people`,
    () => `SELECT JSON_OBJECT(${one()}, 1), JSON_SET(p.doc, ${one()}, 1) FROM ${FROM}`,
  ])();
}

/** Changes that carry values somewhere, inside a transaction that is rolled back. */
export function change(random: Random): readonly string[] {
  const one = () => text(random, 1);
  return pick(random, [
    () => [`INSERT INTO plain (id, word) SELECT p.id + 100, ${one()} FROM ${FROM}`, 'SELECT * FROM plain'],
    () => [
      `INSERT INTO plain (id, word) VALUES (1, 'x') ON DUPLICATE KEY UPDATE word = (SELECT MAX(email) FROM people)`,
      'SELECT * FROM plain',
    ],
    () => [`REPLACE INTO plain SELECT id, email, pay FROM people`, 'SELECT * FROM plain'],
    () => [
      `UPDATE plain, people p SET plain.word = ${pick(random, ['p.email', 'p.ssn', "CONCAT(p.notes, '')"])} WHERE p.id = plain.id`,
      'SELECT * FROM plain',
    ],
    () => [`UPDATE people SET city = email`, 'SELECT city FROM people'],
    () => [`UPDATE people SET email = ssn`, 'SELECT email FROM people'],
    () => [`INSERT INTO plain (id, word) VALUES (77, 'one')`, 'SHOW WARNINGS'],
    () => [`UPDATE people SET email = email WHERE id = 1`, 'SELECT email FROM people'],
    () => [
      `CREATE TEMPORARY TABLE tmp SELECT ${one()} AS x FROM ${FROM}`,
      'SELECT * FROM tmp',
      'DROP TEMPORARY TABLE IF EXISTS tmp',
    ],
    () => [`INSERT INTO people (id, email) VALUES (1, 'new')`, 'SHOW WARNINGS'],
    () => [`DELETE FROM visits WHERE ip = (SELECT MAX(ip) FROM visits)`, 'SELECT * FROM visits'],
    () => [`SET @z = (SELECT MAX(ssn) FROM people)`, 'SELECT @z'],
    () => [
      `PREPARE p FROM 'SELECT email, ${one().replaceAll("'", "''")} FROM ${FROM}'`,
      'EXECUTE p',
      'DEALLOCATE PREPARE p',
    ],
    () => [`DO (SELECT ${one()} FROM ${FROM})`, 'SHOW WARNINGS'],
    () => [`HANDLER people OPEN`, 'HANDLER people READ FIRST'],
    () => [`GET DIAGNOSTICS CONDITION 1 @m = MESSAGE_TEXT`, 'SELECT @m'],
    () => [`EXECUTE IMMEDIATE 'SELECT ssn FROM people'`],
    () => [`DELETE FROM plain WHERE id = 1 RETURNING (SELECT MAX(email) FROM people)`],
    () => [`INSERT INTO visits (person_id, ip) SELECT id, ssn FROM people RETURNING ip`],
  ])();
}
