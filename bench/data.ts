// The data under the benchmarks: pgbench's accounts for point selects, people for large results.

/** Rows of pgbench_accounts: what `pgbench -i -s 1` makes. */
export const ACCOUNTS = 100_000;

/** The columns that the gateway under the bench masks, each with its strategy; no other is. Their schema is `public` or `bench`. */
export const MASKED_COLUMNS = {
  'people_masked.email': { partial: { keepEnd: 4 } },
  'people_masked.phone': 'redact',
};

/** Of the table that is like people_masked, with nothing masked. */
export const PLAIN_RESULT = 'SELECT id, name, email, city, born, score FROM people';
/** One column of six is masked. */
export const MASKED_RESULT = 'SELECT id, name, email, city, born, score FROM people_masked';
/** Two columns of eight are, or none. */
export const WIDE_MASKED_RESULT = 'SELECT id, name, email, phone, city, country, born, score FROM people_masked';
export const WIDE_PLAIN_RESULT = 'SELECT id, name, email, phone, city, country, born, score FROM people';

/** The same table as pgbench makes, so that pgbench and the bench's own load read the same; and two tables of people. */
export function dataSql(people: number): string[] {
  const rows = `SELECT i AS id, 'Person Number ' || i AS name, 'person.' || i || '@mail.example.com' AS email,
    '+47 ' || 20000000 + i AS phone, (ARRAY['NO', 'NG', 'PE', 'VN'])[1 + i % 4] AS country,
    (ARRAY['Oslo', 'Lagos', 'Lima', 'Hanoi'])[1 + i % 4] AS city, DATE '1950-01-01' + i % 20000 AS born,
    (i * 7 % 100000) / 100.0 AS score FROM generate_series(1, ${people}) i`;
  return [
    'CREATE TABLE pgbench_branches (bid int NOT NULL PRIMARY KEY, bbalance int, filler char(88))',
    'CREATE TABLE pgbench_tellers (tid int NOT NULL PRIMARY KEY, bid int, tbalance int, filler char(84))',
    'CREATE TABLE pgbench_history (tid int, bid int, aid int, delta int, mtime timestamp, filler char(22))',
    'CREATE TABLE pgbench_accounts (aid int NOT NULL, bid int, abalance int, filler char(84)) WITH (fillfactor = 100)',
    'INSERT INTO pgbench_branches VALUES (1, 0, NULL)',
    'INSERT INTO pgbench_tellers SELECT i, 1, 0, NULL FROM generate_series(1, 10) i',
    `INSERT INTO pgbench_accounts SELECT i, 1, 0, '' FROM generate_series(1, ${ACCOUNTS}) i`,
    'ALTER TABLE pgbench_accounts ADD PRIMARY KEY (aid)',
    `CREATE TABLE people AS ${rows}`,
    `CREATE TABLE people_masked AS ${rows}`,
    'VACUUM ANALYZE',
  ];
}

/** The same for MySQL and MariaDB, less what only pgbench reads. */
export function mysqlDataSql(people: number): string[] {
  const numbers = (count: number) =>
    `SELECT 1 + a.d + 10 * b.d + 100 * c.d + 1000 * d.d + 10000 * e.d + 100000 * f.d AS i
      FROM digits a, digits b, digits c, digits d, digits e, digits f
      WHERE a.d + 10 * b.d + 100 * c.d + 1000 * d.d + 10000 * e.d + 100000 * f.d < ${count}`;
  const columns = `id INT PRIMARY KEY, name VARCHAR(40), email VARCHAR(60), phone VARCHAR(20), country CHAR(2), city VARCHAR(20),
    born DATE, score DECIMAL(10,2)`;
  return [
    'CREATE TABLE digits (d INT)',
    'INSERT INTO digits VALUES (0), (1), (2), (3), (4), (5), (6), (7), (8), (9)',
    "CREATE TABLE pgbench_accounts (aid INT NOT NULL PRIMARY KEY, bid INT, abalance INT, filler CHAR(84) DEFAULT '')",
    `INSERT INTO pgbench_accounts (aid, bid, abalance) SELECT i, 1, 0 FROM (${numbers(ACCOUNTS)}) n`,
    `CREATE TABLE people (${columns})`,
    `INSERT INTO people SELECT i, CONCAT('Person Number ', i), CONCAT('person.', i, '@mail.example.com'), CONCAT('+47 ', 20000000 + i),
      ELT(1 + i % 4, 'NO', 'NG', 'PE', 'VN'), ELT(1 + i % 4, 'Oslo', 'Lagos', 'Lima', 'Hanoi'),
      DATE '1950-01-01' + INTERVAL i % 20000 DAY, (i * 7 % 100000) / 100 FROM (${numbers(people)}) n`,
    `CREATE TABLE people_masked (${columns})`,
    'INSERT INTO people_masked SELECT * FROM people',
    'ANALYZE TABLE pgbench_accounts, people, people_masked',
  ];
}
