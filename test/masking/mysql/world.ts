// A schema of MySQL's dialect in which every protected value is a marker: it can be told wherever it turns up.
import { searcher } from '../markers.ts';

const PEOPLE = [
  ['xkqzvjwp@qhzjx.te', 'qzx-jk-vwqz', 94580281, '1953-07-19', 'zkwq vxjq hqkz'],
  ['bvcdfghjk@wqxkz.te', 'wvk-qx-zjqh', 83617294, '1947-11-23', 'jqzx kvwz qkhj'],
  ['hjqkwzxv@jzqkv.te', 'kzj-wq-xhvq', 71926385, '1961-03-29', 'vqxz jkwq zhqx'],
] as const;
const BUDGETS = ['58391746.25', '69284713.75'];
const ADDRESSES = ['203.187.94.151', '198.163.87.249', '192.174.93.216'];

const quoted = (value: string | number): string => (typeof value === 'number' ? `${value}` : `'${value}'`);

export const SCHEMA: readonly string[] = [
  `CREATE TABLE people (id INT PRIMARY KEY, email VARCHAR(60), ssn CHAR(11), pay INT, born DATE, notes TEXT, doc JSON,
    city VARCHAR(30), team_id INT, tag VARCHAR(70) AS (CONCAT('<', email, '>')) STORED)`,
  'CREATE TABLE teams (id INT PRIMARY KEY, name VARCHAR(30), budget DECIMAL(12,2))',
  'CREATE TABLE visits (id INT PRIMARY KEY AUTO_INCREMENT, person_id INT, page VARCHAR(30), ip VARCHAR(20), at DATETIME)',
  'CREATE TABLE plain (id INT PRIMARY KEY, word VARCHAR(200), n BIGINT, UNIQUE KEY (word))',
  ...PEOPLE.map(
    ([email, ssn, pay, born, notes], i) =>
      `INSERT INTO people (id, email, ssn, pay, born, notes, doc, city, team_id) VALUES (${[
        i + 1,
        email,
        ssn,
        pay,
        born,
        notes,
        `{"mail": "${email}", "n": ${i}}`,
        ['Oslo', 'Rome', 'Oslo'][i] ?? '',
        1 + (i % 2),
      ]
        .map(quoted)
        .join(', ')})`,
  ),
  ...BUDGETS.map((budget, i) => `INSERT INTO teams VALUES (${i + 1}, 'team ${i + 1}', ${budget})`),
  ...ADDRESSES.map(
    (ip, i) =>
      `INSERT INTO visits (person_id, page, ip, at) VALUES (${i + 1}, 'page ${i}', '${ip}', '2020-01-0${i + 1} 10:00:00')`,
  ),
  "INSERT INTO plain VALUES (1, 'one', 1), (2, 'two', 2), (3, 'three', 3)",
  'CREATE VIEW staff AS SELECT id, email AS contact, city, UPPER(ssn) AS code FROM people',
  'CREATE VIEW nearby AS SELECT s.id, s.contact, t.name, t.budget FROM staff s JOIN people p ON p.id = s.id JOIN teams t ON t.id = p.team_id',
];

export const RULES = [
  { column: 'shop.people.email', with: { partial: { keepEnd: 3 } } },
  { column: 'shop.people.ssn', with: 'redact' },
  { column: 'shop.people.pay', with: 'hash' },
  { column: 'shop.people.born', with: 'redact' },
  { column: 'shop.people.notes', with: 'null' },
  { column: 'shop.people.doc', with: 'redact' },
  { column: 'shop.teams.budget', with: 'redact' },
  { column: 'shop.visits.ip', with: { constant: 'gone' } },
];

/** Little-endian, as the binary protocol has numbers; a date is its year, month and day. */
function binaries(): [Buffer, string][] {
  return PEOPLE.flatMap(([, , pay, born]): [Buffer, string][] => {
    const int = Buffer.alloc(4);
    int.writeInt32LE(pay);
    const double = Buffer.alloc(8);
    double.writeDoubleLE(pay);
    const [year = 0, month = 0, day = 0] = born.split('-').map(Number);
    return [
      [int, `${pay} as a number`],
      [double, `${pay} as a double`],
      // Not its parts: other dates have the same.
      [Buffer.from(born), `${born} as it is`],
      [Buffer.from([4, year & 0xff, year >> 8, month, day]), `${born} as a date`],
      [Buffer.from([7, year & 0xff, year >> 8, month, day]), `${born} as a moment`],
    ];
  });
}

export const MARKERS = searcher(
  // What `partial` keeps is shown.
  [
    ...PEOPLE.flatMap(([email, ssn, pay, , notes]) => [email.slice(0, -3), ssn, `${pay}`, notes]),
    ...BUDGETS,
    ...ADDRESSES,
  ],
  binaries(),
);
