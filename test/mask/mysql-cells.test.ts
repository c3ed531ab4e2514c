// Masks on real cells of every type: what MariaDB and MySQL send, in the text and in the binary protocol, masked, is the same value
// in both, and the server takes it as a value of the column.

import assert from 'node:assert/strict';
import { createSecretKey } from 'node:crypto';
import { after, before, test } from 'node:test';
import mysql from 'mysql2/promise';
import { compileDetectors } from '../../src/mask/detectors/scan.ts';
import { mysqlCellMask, mysqlDetectorMask } from '../../src/mask/mysql/cells.ts';
import { OID } from '../../src/mask/pg-types.ts';
import type { Strategy } from '../../src/mask/rules.ts';
import { cellMask } from '../../src/mask/strategies.ts';
import { decodeMysqlCell } from '../../src/record/mysql-cells.ts';
import { type Column, DETECTORS } from '../../src/types.ts';
import { type Cell, cellSizes, locate } from '../../src/wire/mysql/cells.ts';
import { decodeColumn } from '../../src/wire/mysql/decode.ts';
import { Command } from '../../src/wire/mysql/messages.ts';
import { execute, type Packet, rawClient } from '../peers/mysql-raw.ts';
import { FLAVOURS, type MysqlFlavour, type MysqlServer, startMysql } from '../servers/mysql.ts';

const KEY = createSecretKey('11'.repeat(32), 'hex');
const HASH: Strategy = { kind: 'hash', key: KEY };
const REDACT: Strategy = { kind: 'redact' };
const PARTIAL: Strategy = { kind: 'partial', keepStart: 1, keepEnd: 1 };
const NULL: Strategy = { kind: 'null' };

const UTF8MB4 = 'DEFAULT CHARACTER SET utf8mb4';

/** Type, a value of it, what it becomes redacted (null: NULL), and a constant with what the type makes of that. */
type Case = readonly [type: string, value: string, redacted: string | null, constant: string, made: string | null];

const CASES: readonly Case[] = [
  ['TINYINT', '-128', '0', '127', '127'],
  ['TINYINT', '127', '0', '128', null],
  ['TINYINT UNSIGNED', '255', '0', '255', '255'],
  ['TINYINT(4) ZEROFILL', '7', '0000', '9', '0009'],
  ['BOOLEAN', '1', '0', 'true', '1'],
  ['SMALLINT', '-32768', '0', '-5', '-5'],
  ['SMALLINT UNSIGNED', '65535', '0', '-5', null],
  ['MEDIUMINT', '-8388608', '0', '8388607', '8388607'],
  ['MEDIUMINT UNSIGNED', '16777215', '0', '16777216', null],
  ['INT', '-2147483648', '0', '42', '42'],
  ['INT UNSIGNED', '4294967295', '0', '4294967295', '4294967295'],
  ['INT(8) UNSIGNED ZEROFILL', '123', '00000000', '42', '00000042'],
  ['BIGINT', '-9223372036854775808', '0', 'x', null],
  ['BIGINT', '9007199254740993', '0', '9007199254740993', '9007199254740993'],
  ['BIGINT UNSIGNED', '18446744073709551615', '0', '18446744073709551615', '18446744073709551615'],
  ['FLOAT', '1.1', '0', '2.5', '2.5'],
  ['FLOAT', '-1234567.875', '0', '2.5', '2.5'],
  ['FLOAT(10,2)', '1234567.88', '0.00', '2.5', '2.50'],
  ['DOUBLE', '0.1', '0', '2.5', '2.5'],
  ['DOUBLE', '1.7976931348623157e308', '0', '2.5', '2.5'],
  ['DOUBLE(12,4)', '1234.5678', '0.0000', '2.5', '2.5000'],
  ['DECIMAL(10,2)', '-12345678.90', '0.00', '12.345', '12.34'],
  ['DECIMAL(5,2)', '999.99', '0.00', '1000', null],
  ['DECIMAL(5,0) UNSIGNED', '99999', '0', '-1', null],
  ['DECIMAL(8,3) ZEROFILL', '1.5', '00000.000', '2', '00002.000'],
  ['DECIMAL(2,2)', '0.12', '0.00', '0.5', '0.50'],
  ['DECIMAL(65,30)', `1${'2'.repeat(34)}.5`, `0.${'0'.repeat(30)}`, '1', `1.${'0'.repeat(30)}`],
  ['DATE', '2024-02-29', '1970-01-01', '2001-02-03', '2001-02-03'],
  ['DATE', '0000-00-00', '1970-01-01', '2001-02-30', null],
  ['DATETIME', '2024-06-30 23:59:59', '1970-01-01 00:00:00', '2001-02-03 04:05:06', '2001-02-03 04:05:06'],
  ['DATETIME(3)', '2024-06-30 00:00:00.5', '1970-01-01 00:00:00.000', '2001-02-03 04:05:06', '2001-02-03 04:05:06.000'],
  ['DATETIME(6)', '2024-06-30 00:00:00', '1970-01-01 00:00:00.000000', 'now', null],
  ['TIMESTAMP', '2024-06-30 23:59:59', '1970-01-02 00:00:00', '2001-02-03 04:05:06', '2001-02-03 04:05:06'],
  ['TIMESTAMP(6)', '2024-06-30 23:59:59.000001', '1970-01-02 00:00:00.000000', 'x', null],
  ['TIME', '-838:59:59', '00:00:00', '04:05:06', '04:05:06'],
  ['TIME(6)', '12:34:56.789', '00:00:00.000000', '04:05:06.7', '04:05:06.700000'],
  ['TIME', '00:00:00', '00:00:00', '25:00:00', null],
  ['YEAR', '1999', '1970', '2024', '2024'],
  ['YEAR', '0', '1970', '3000', null],
  ['BIT(1)', '\x01', '\0', '1', null],
  ['BIT(17)', '\x01\x02\x03', '\0\0\0', '1', null],
  ['CHAR(20)', 'Grüße', '[redacted]', 'x', 'x'],
  ['CHAR(4)', 'four', '[red', 'longer', 'long'],
  ['VARCHAR(200)', 'Ünïcödé 🐘', '[redacted]', '𐍈', '𐍈'],
  ['VARCHAR(3)', 'abc', '[re', '🐘🐘🐘🐘', '🐘🐘🐘'],
  ['VARCHAR(10) CHARACTER SET latin1', 'été', '[redacted]', 'x', 'x'],
  ['TINYTEXT', 'tiny', '[redacted]', 'x', 'x'],
  ['TEXT', 'text', '[redacted]', 'x', 'x'],
  ['MEDIUMTEXT', 'medium', '[redacted]', 'x', 'x'],
  ['LONGTEXT', 'l'.repeat(1000), '[redacted]', 'x', 'x'],
  ['BINARY(4)', 'ab\0\0', '\0\0\0\0', '\\x0102', '\x01\x02\0\0'],
  ['BINARY(16)', '0123456789abcdef', '\0'.repeat(16), 'x', `x${'\0'.repeat(15)}`],
  ['VARBINARY(10)', 'bytes', '', 'more than ten', 'more than '],
  ['TINYBLOB', 'bytes', '', 'x', 'x'],
  ['BLOB', 'bytes', '', '\\x', ''],
  ['LONGBLOB', 'bytes', '', 'x', 'x'],
  ["ENUM('a','b')", 'b', null, 'a', null],
  ["SET('a','b')", 'a,b', null, 'a', null],
];

const JSON_CASE: Case = ['JSON', '{"a": [1, null]}', '"[redacted]"', '{"b": 1}', '{"b": 1}'];

const OWN: Readonly<Record<MysqlFlavour, readonly Case[]>> = {
  mariadb: [
    ['UUID', '6ba7b810-9dad-11d1-80b4-00c04fd430c8', '00000000-0000-0000-0000-000000000000', 'x', null],
    ['INET6', '2001:db8::1', '::', '::1', '::1'],
    ['INET6', '::ffff:192.0.2.1', '::', 'x', null],
    ['INET4', '192.0.2.1', '0.0.0.0', '10.0.0.1', '10.0.0.1'],
    ['DECIMAL(50,38)', '-1.5', `0.${'0'.repeat(38)}`, '1', `1.${'0'.repeat(38)}`],
    ['GEOMETRY', '', null, 'x', null],
  ],
  mysql: [JSON_CASE, ['VECTOR(3)', '\0'.repeat(12), '\0'.repeat(12), 'x', null], ['GEOMETRY', '', null, 'x', null]],
};

/** One column of one row in both protocols: what describes it, and the value's bytes. */
interface Sent {
  readonly column: Column;
  readonly bytes: Buffer;
}

/** Types without a token: too small for one, or of too many forms. */
const KEEPS_REDACTED = /^(TIME(?!STAMP)|BIT|VECTOR|GEOMETRY|ENUM|SET|BINARY\(4|CHAR\(4|VARCHAR\(3)/;

const CARD = '4111111111111111';
const LEFT = Symbol('left as it is');
const detector = compileDetectors(DETECTORS);
assert.ok(detector);
const ALL = detector;

const FOUND: readonly (readonly [type: string, value: string, expected: string | typeof LEFT])[] = [
  ['VARCHAR(100)', 'write to ada@example.com.', 'write to [email].'],
  ['VARCHAR(100)', 'nothing to see', LEFT],
  ['VARCHAR(9)', 'to a@b.co', 'to ******'],
  ['CHAR(7)', 'a@b.co', '[email]'],
  ['TEXT', 'é ada@example.com ü', 'é [email] ü'],
  ['LONGTEXT', `{"mail": "ada@example.com", "n": ${CARD}}`, '{"mail": "[email]", "n": "[credit-card]"}'],
  ['BLOB', 'to ada@example.com', 'to [email]'],
  ['BLOB', '\0\xffada@example.com', LEFT],
  ['VARBINARY(20)', 'a@b.co', '[email]'],
  ['VARBINARY(6)', 'a@b.co', ''],
  ['BINARY(10)', 'a@b.co\0\0\0\0', '[email]\0\0\0'],
  ['BINARY(6)', 'a@b.co', '\0'.repeat(6)],
  ['BIGINT', CARD, '0'],
  ['BIGINT', '4111111111111112', LEFT],
  ['BIGINT', `-${CARD}`, LEFT],
  ['BIGINT', '-1', LEFT],
  ['BIGINT UNSIGNED', CARD, '0'],
  ['BIGINT UNSIGNED', '18446744073709551615', LEFT],
  ['BIGINT(20) UNSIGNED ZEROFILL', CARD, '0'.repeat(20)],
  ['BIGINT(20) UNSIGNED ZEROFILL', '0', LEFT],
  ['DECIMAL(20,2)', `${CARD}.00`, '0.00'],
  ['DECIMAL(20,2)', `${CARD}.50`, LEFT],
  ['DECIMAL(20,0) ZEROFILL', CARD, '0'.repeat(20)],
  ['DOUBLE', CARD, LEFT],
  ['INT', '2147483647', LEFT],
  ['DATETIME', '2020-01-01 00:00:00', LEFT],
  ["ENUM('ada@example.com')", 'ada@example.com', LEFT],
];

const FOUND_IN: Readonly<Record<MysqlFlavour, typeof FOUND>> = {
  mariadb: [
    ['JSON', '{"a": "ada@example.com"}', '{"a": "[email]"}'],
    ['UUID', '6ba7b810-9dad-11d1-80b4-00c04fd430c8', LEFT],
    ['INET6', '2001:db8::1', '::'],
    ['INET4', '203.0.113.7', '0.0.0.0'],
  ],
  mysql: [
    ['JSON', '{"a": "ada@example.com", "b": 1}', '{"a": "[email]", "b": 1}'],
    ['JSON', '{"a": "nothing"}', LEFT],
  ],
};

for (const flavour of FLAVOURS) {
  let server: MysqlServer;
  let client: mysql.Connection;
  const cases = [...CASES, ...OWN[flavour]];
  /** By case: in the text and in the binary protocol. */
  let sent: readonly (readonly [text: Sent, binary: Sent])[] = [];

  before(async () => {
    server = await startMysql(flavour);
    const { host, port, user, password, database } = server;
    client = await mysql.createConnection({ host, port, user, password, database, charset: 'utf8mb4' });
    await client.query("SET sql_mode = ''");
    await client.query(`CREATE TABLE t (${cases.map(([type], i) => `c${i} ${type}`).join(', ')}) ${UTF8MB4}`);
    const values = cases.map(([type, value]) => (type === 'GEOMETRY' ? 'POINT(1, 2)' : literal(value)));
    await client.query(`INSERT INTO t VALUES (${values.join(', ')})`);
    await client.query("SET sql_mode = 'TRADITIONAL'");
    sent = await bothProtocols(server, 'SELECT * FROM t');
  });
  after(async () => {
    await client.end();
    await server.stop();
  });

  /** What the server makes of a value that is written into a column of the type. */
  const stored = async (type: string, value: Buffer): Promise<Buffer> => {
    await client.query('DROP TABLE IF EXISTS one');
    await client.query(`CREATE TABLE one (c ${type}) ${UTF8MB4}`);
    const isBytes = /^(BIT|VECTOR|.*(BINARY|BLOB))/.test(type);
    await client.query(
      `INSERT INTO one VALUES (${literal(value.toString('latin1'), isBytes ? '_binary' : '_utf8mb4')})`,
    );
    const [[text]] = (await bothProtocols(server, 'SELECT c FROM one')) as [[Sent, Sent]];
    return text.bytes;
  };

  /** Masked in both protocols: the same value, and one of the type. Answers it, or null. */
  const masked = async (i: number, strategy: Strategy): Promise<string | null> => {
    const [type = '', value = ''] = cases[i] ?? [];
    const name = `${type} ${value} ${strategy.kind}`;
    const [text, binary] = sent[i] as readonly [Sent, Sent];
    const [one, two] = [text, binary].map(({ column, bytes }) => {
      // Around it the cells of other columns.
      const buffer = Buffer.concat([Buffer.from('12'), bytes, Buffer.from('21')]);
      const before = Buffer.from(buffer);
      const made = mysqlCellMask(strategy, column)(buffer, 2, 2 + bytes.length);
      assert.deepEqual(buffer, before, 'a mask does not write into the row');
      assert.notEqual(made, undefined, name);
      return made == null ? null : Buffer.from(made);
    });
    if (one == null || two == null) {
      assert.deepEqual([one, two], [null, null], name);
      return null;
    }
    assert.equal(shown(two, binary.column), shown(one, text.column), name);
    // A token need not have as few digits as FLOAT(M, D) has.
    if (strategy.kind === 'hash' && /^(FLOAT|DOUBLE)/.test(type)) return one.toString();
    assert.deepEqual(await stored(type, one), one, name);
    return one.toString();
  };

  test(`${flavour}: redacted, every type keeps its type in both protocols`, async () => {
    for (const [i, [type, value, redacted]] of cases.entries()) {
      assert.equal(await masked(i, REDACT), redacted, `${type} ${value}`);
      assert.equal(await masked(i, NULL), null);
    }
  });

  test(`${flavour}: a constant where the type can hold it, else NULL`, async () => {
    for (const [i, [type, , , constant, made]] of cases.entries()) {
      assert.equal(await masked(i, { kind: 'constant', value: constant }), made, `${type} ${constant}`);
    }
  });

  test(`${flavour}: one token for a value in both protocols, and for a text the one that PostgreSQL's has`, async () => {
    for (const [i, [type, value, redacted]] of cases.entries()) {
      const name = `${type} ${value}`;
      const token = await masked(i, HASH);
      assert.equal(await masked(i, HASH), token, name);
      if (KEEPS_REDACTED.test(type)) assert.equal(token, redacted, name);
      else assert.notEqual(token, redacted, name);
      if (/^(VARCHAR\(200|.*TEXT)/.test(type)) assert.equal(token, postgresToken(value, OID.text), name);
      if (type === 'INT') assert.equal(token, postgresToken(value, OID.int4), name);
      if (type === 'BIGINT UNSIGNED') assert.equal(token, postgresToken(value, OID.int8), name);
      if (type === 'UUID') assert.equal(token, postgresToken(value, OID.uuid), name);
    }
  });

  test(`${flavour}: numbers and moments with tokens that hang on the value alone`, async () => {
    const numbers = [
      '0',
      '1',
      '0.1',
      '1.5',
      '-2.25',
      '1234567.891',
      '16777217',
      '1e10',
      '123456.789e-9',
      '3.14159265358979',
    ];
    const types = ['FLOAT', 'FLOAT(20,4)', 'DOUBLE', 'DOUBLE(20,4)', 'DECIMAL(30,10)', 'INT', 'BIGINT'];
    const columns = types.flatMap((type) => numbers.map((number) => `${number} AS ${type}`));
    const names = columns.map((_, i) => `c${i}`);
    await client.query('DROP TABLE IF EXISTS one');
    await client.query("SET sql_mode = ''");
    await client.query(
      `CREATE TABLE one (${types.flatMap((type, t) => numbers.map((_, n) => `${names[t * numbers.length + n]} ${type}`)).join(', ')})`,
    );
    await client.query(`INSERT INTO one VALUES (${types.flatMap(() => numbers).join(', ')})`);
    await client.query("SET sql_mode = 'TRADITIONAL'");
    for (const [i, [text, binary]] of (await bothProtocols(server, 'SELECT * FROM one')).entries()) {
      const tokens: readonly number[] = [text, binary].map(({ column, bytes }) => {
        const made = mysqlCellMask(HASH, column)(bytes, 0, bytes.length);
        assert.ok(made);
        return Number(shown(Buffer.from(made), column));
      });
      assert.equal(tokens[0], tokens[1], columns[i]);
    }
  });

  test(`${flavour}: partial keeps the ends of texts, and redacts what is no text`, async () => {
    for (const [i, [type, value, redacted]] of cases.entries()) {
      const isText = /^(CHAR|VARCHAR|.*TEXT)/.test(type);
      const plain = Buffer.from(value);
      const want: string | null = isText
        ? String(cellMask(PARTIAL, OID.text, -1, 0)(plain, 0, plain.length))
        : redacted;
      assert.equal(await masked(i, PARTIAL), want, `${type} ${value}`);
    }
  });

  test(`${flavour}: detectors replace what they find, and every type keeps its type`, async () => {
    for (const [type, value, expected] of [...FOUND, ...FOUND_IN[flavour]]) {
      const name = `${type} ${value}`;
      await client.query('DROP TABLE IF EXISTS one');
      await client.query(`CREATE TABLE one (c ${type}) ${UTF8MB4}`);
      await client.query(`INSERT INTO one VALUES (${literal(value)})`);
      const [both] = await bothProtocols(server, 'SELECT c FROM one');
      for (const { column, bytes } of both ?? []) {
        const made = mysqlDetectorMask(ALL, column)?.(bytes, 0, bytes.length);
        if (expected === LEFT) assert.equal(made, undefined, name);
        else
          assert.equal(
            made && decodeMysqlCell(made, { ...fieldOf(column), charset: 0 }, column.format),
            expected,
            name,
          );
      }
      if (expected !== LEFT) assert.equal(String(await stored(type, Buffer.from(expected))), expected, name);
    }
  });
}

function postgresToken(value: string, oid: number): string {
  const cell = Buffer.from(value);
  return String(cellMask(HASH, oid, -1, 0)(cell, 0, cell.length));
}

test('what a database says of its columns cannot make a mask fail, nor large', () => {
  const cell = Buffer.from('x');
  for (let typeOid = 0; typeOid < 256; typeOid++) {
    for (const typeModifier of [0, 1, 255, 256, 2 ** 24 - 1, 2 ** 32 - 1]) {
      for (const flags of [0, 32, 64, 96, 256, 2048, 0xffff]) {
        for (const [charset, decimals, format] of [
          [63, 0, 0],
          [45, 255, 1],
          [33, 31, 0],
          [63, 38, 1],
        ] as const) {
          const column = { typeOid, typeModifier, flags, charset, decimals, format };
          for (const strategy of [REDACT, HASH, PARTIAL, { kind: 'constant', value: '1' }] as const) {
            const made = mysqlCellMask(strategy, column)(cell, 0, 1);
            assert.ok(made === null || (made !== undefined && made.length < 70_000), JSON.stringify(column));
          }
        }
      }
    }
  }
});

test('a type that is not known: NULL, and NULL where a secret is in it', () => {
  const column = { typeOid: 200, typeModifier: 100, flags: 0, charset: 45, decimals: 0, format: 1 };
  const cell = Buffer.from('to ada@example.com');
  assert.equal(mysqlCellMask(REDACT, column)(cell, 0, cell.length), null);
  assert.equal(mysqlDetectorMask(ALL, column)?.(cell, 0, cell.length), null);
  assert.equal(mysqlDetectorMask(ALL, column)?.(cell, 0, 5), undefined);
});

function fieldOf({ typeOid: type, flags = 0, charset = 0, typeModifier: length, decimals = 0 }: Column) {
  return { type, flags, charset, length, decimals };
}

/** A value as people read it; a FLOAT with all that it holds. */
function shown(bytes: Buffer, column: Column): string {
  const isFloat = column.typeOid === FLOAT || column.typeOid === DOUBLE;
  if (!isFloat) return decodeMysqlCell(bytes, fieldOf(column), column.format);
  if (column.format === 0) return String(Number(bytes.toString()));
  return String(column.typeOid === FLOAT ? bytes.readFloatLE() : bytes.readDoubleLE());
}

const FLOAT = 4;
const DOUBLE = 5;

/** A value in SQL; where it holds a NUL, or behind an introducer, a character of it is a byte. */
function literal(value: string, introducer = ''): string {
  const hex = `x'${Buffer.from(value, 'latin1').toString('hex')}'`;
  return introducer === '' && !value.includes('\0') ? `'${value}'` : `${introducer} ${hex}`;
}

async function bothProtocols(server: MysqlServer, sql: string): Promise<[Sent, Sent][]> {
  const raw = await rawClient(server);
  try {
    const text = cellsOf(await raw.ask(Command.query, sql), 0);
    const [prepared] = await raw.ask(Command.stmtPrepare, sql);
    const binary = cellsOf(await raw.ask(Command.stmtExecute, execute(prepared?.payload.readUInt32LE(1) ?? 0)), 1);
    return text.map((cell, i) => [cell, binary[i] as Sent]);
  } finally {
    raw.close();
  }
}

/** The cells of a result's only row, in which nothing is NULL. */
function cellsOf(packets: readonly Packet[], format: number): Sent[] {
  const [count, ...rest] = packets;
  assert.ok(count && count.payload[0] !== 0xff, count?.payload.toString());
  const columns = rest.slice(0, packets.length - 3).map(({ payload }) => {
    const column = decodeColumn(payload, 0, payload.length, format);
    assert.ok(column);
    return column;
  });
  const row = rest[columns.length]?.payload ?? Buffer.alloc(0);
  const cell: Cell = { from: 0, start: 0, end: format === 1 ? 1 + ((columns.length + 9) >> 3) : 0 };
  return columns.map((column, i) => {
    const [size] = cellSizes([column]);
    assert.ok(size !== undefined && locate(cell, row, cell.end, row.length, size), `${i}`);
    return { column, bytes: Buffer.from(row.subarray(cell.start, cell.end)) };
  });
}
