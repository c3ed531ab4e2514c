// Kept results and parameters of MySQL and MariaDB read as the servers themselves write them, wherever the kept part ends.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import fc from 'fast-check';
import { decodeMysqlCell, decodeMysqlParameter, type MysqlField } from '../../src/record/mysql-cells.ts';
import { decodeFetched, decodeMysqlResults } from '../../src/record/mysql-results.ts';
import { SessionReader } from '../../src/record/reader.ts';
import { Command } from '../../src/wire/mysql/messages.ts';
import { execute, type Packet, type RawClient, rawClient, u32 } from '../peers/mysql-raw.ts';
import { FLAVOURS, type MysqlServer, startMysql } from '../servers/mysql.ts';

// One a type, at its ends and in between.
const VALUES: readonly (readonly [type: string, value: string])[] = [
  ['TINYINT', '-128'],
  ['TINYINT UNSIGNED', '255'],
  ['SMALLINT', '-32768'],
  ['SMALLINT UNSIGNED', '65535'],
  ['MEDIUMINT', '-8388608'],
  ['INT', '-2147483648'],
  ['INT(6) UNSIGNED ZEROFILL', '42'],
  ['BIGINT', '-9223372036854775808'],
  ['BIGINT UNSIGNED', '18446744073709551615'],
  ['FLOAT', '1.1'],
  ['FLOAT', '1234567.5'],
  ['FLOAT(10,2)', '1234567.88'],
  ['DOUBLE', '0.1'],
  ['DOUBLE', '-1e100'],
  ['DOUBLE(12,4)', '-1234.5678'],
  ['DECIMAL(20,5)', '-12345678901234.50000'],
  ['DATE', "'2024-02-29'"],
  ['DATE', "'0000-00-00'"],
  ['DATETIME', "'2024-06-30 00:00:00'"],
  ['DATETIME', "'0000-00-00 00:00:00'"],
  ['DATETIME(3)', "'2024-06-30 23:59:59.5'"],
  ['DATETIME(6)', "'9999-12-31 23:59:59.999999'"],
  ['TIMESTAMP(2)', "'2024-06-30 00:00:00'"],
  ['TIME', "'-838:59:59'"],
  ['TIME', "'00:00:00'"],
  ['TIME(4)', "'100:00:00.25'"],
  ['TIME(6)', "'-00:00:00.000001'"],
  ['YEAR', '1999'],
  ['YEAR', '0'],
  ['CHAR(5)', "'é'"],
  ['VARCHAR(300)', `'${'ü'.repeat(300)}'`],
  ['LONGTEXT', `'${'x'.repeat(70_000)}'`],
  ['TEXT', "''"],
  ['BLOB', "'text'"],
  ['JSON', '\'{"a": [1, null]}\''],
  ["ENUM('a','b')", "'b'"],
  ["SET('a','b')", "'a,b'"],
];

/** Shown as bytes. */
const BYTES: readonly (readonly [type: string, value: string, shown: string])[] = [
  ['BIT(17)', "b'10000000000000001'", '\\x010001'],
  ['BINARY(4)', "'ab'", '\\x61620000'],
  ['BLOB', "x'ff00'", '\\xff00'],
  ['GEOMETRY', 'POINT(1, 2)', '\\x000000000101000000000000000000f03f0000000000000040'],
];

for (const flavour of FLAVOURS) {
  let server: MysqlServer;

  before(async () => {
    const types = [...VALUES, ...BYTES].map(([type], i) => `c${i} ${type}`);
    const values = [...VALUES, ...BYTES].map(([, value]) => value);
    server = await startMysql(flavour, {
      settings: { 'sql-mode': '' },
      sql: [
        `CREATE TABLE t (${types.join(', ')}, last INT) DEFAULT CHARACTER SET utf8mb4`,
        `INSERT INTO t VALUES (${values.join(', ')}, NULL)`,
        'CREATE TABLE n (id INT PRIMARY KEY, word VARCHAR(9))',
        "INSERT INTO n VALUES (1, 'one'), (2, NULL), (3, '')",
        'CREATE PROCEDURE p() BEGIN SELECT 1 AS a; SELECT 2 AS b, NULL AS c; END',
      ],
    });
  });
  after(() => server.stop());

  const connected = async (use: (raw: RawClient) => Promise<void>, deprecateEof = true): Promise<void> => {
    const raw = await rawClient(server, { deprecateEof });
    try {
      await use(raw);
    } finally {
      raw.close();
    }
  };
  const prepared = async (raw: RawClient, sql: string): Promise<number> => {
    const [answer] = await raw.ask(Command.stmtPrepare, sql);
    return answer?.payload.readUInt32LE(1) ?? 0;
  };

  for (const deprecateEof of [true, false]) {
    test(`${flavour}, ${deprecateEof ? 'OK' : 'EOF'} at the end: every type reads as the server writes it`, async () => {
      await connected(async (raw) => {
        const text = await raw.ask(Command.query, 'SELECT * FROM t');
        const id = await prepared(raw, 'SELECT * FROM t');
        const binary = await raw.ask(Command.stmtExecute, execute(id));
        const [one, ...none] = decodeMysqlResults(bytesOf(text), false);
        const [two, ...others] = decodeMysqlResults(bytesOf(binary), true);
        assert.deepEqual([none, others], [[], []]);
        assert.ok(one && two);
        assert.deepEqual(two.columns, one.columns);
        assert.deepEqual(
          one.columns,
          [...VALUES, ...BYTES, 'last'].map((c, i) => (c === 'last' ? 'last' : `c${i}`)),
        );
        const row = text[one.columns.length + (deprecateEof ? 1 : 2)]?.payload ?? Buffer.alloc(0);
        const written = rawTexts(row);
        for (const [i, [type, value]] of VALUES.entries()) {
          assert.equal(one.rows[0]?.[i], written[i], `${type} ${value.slice(0, 50)}`);
          assert.equal(two.rows[0]?.[i], written[i], `${type} ${value.slice(0, 50)}, binary`);
        }
        for (const [i, [type, , shown]] of BYTES.entries()) {
          assert.equal(one.rows[0]?.[VALUES.length + i], shown, type);
          assert.equal(two.rows[0]?.[VALUES.length + i], shown, `${type}, binary`);
        }
        assert.deepEqual([one.rows[0]?.at(-1), two.rows[0]?.at(-1)], [null, null]);
      }, deprecateEof);
    });

    test(`${flavour}, ${deprecateEof ? 'OK' : 'EOF'} at the end: several results, and cut anywhere`, async () => {
      await connected(async (raw) => {
        const packets = await raw.ask(
          Command.query,
          'SELECT * FROM n ORDER BY id; DO 1; SELECT 1 AS x FROM n WHERE id > 9; CALL p()',
        );
        const bytes = bytesOf(packets);
        const whole = [
          {
            columns: ['id', 'word'],
            rows: [
              ['1', 'one'],
              ['2', null],
              ['3', ''],
            ],
          },
          { columns: ['x'], rows: [] },
          { columns: ['a'], rows: [['1']] },
          { columns: ['b', 'c'], rows: [['2', null]] },
        ];
        const shown = (result: Uint8Array, binary = false) =>
          decodeMysqlResults(result, binary).map(({ columns, rows }) => ({ columns, rows }));
        assert.deepEqual(shown(bytes), whole);
        for (let cut = 0; cut < bytes.length; cut++) {
          const part = shown(bytes.subarray(0, cut));
          for (const [i, { columns, rows }] of part.entries()) {
            assert.deepEqual(rows, whole[i]?.rows.slice(0, rows.length), `cut at ${cut}`);
            assert.deepEqual(columns, whole[i]?.columns.slice(0, columns.length), `cut at ${cut}`);
          }
        }
        const id = await prepared(raw, 'CALL p()');
        assert.deepEqual(shown(bytesOf(await raw.ask(Command.stmtExecute, execute(id))), true), whole.slice(2));
      }, deprecateEof);
    });

    test(`${flavour}, ${deprecateEof ? 'OK' : 'EOF'} at the end: NULL in any column of any number of them`, async () => {
      await connected(async (raw) => {
        for (let count = 1; count <= 17; count++) {
          const row = Array.from({ length: count }, (_, i) => (i % 3 === count % 3 ? null : String(i)));
          const id = await prepared(raw, `SELECT ${row.map((cell) => cell ?? 'NULL').join(', ')}`);
          const [result] = decodeMysqlResults(bytesOf(await raw.ask(Command.stmtExecute, execute(id))), true);
          assert.deepEqual(result?.rows, [row], `${count} columns`);
        }
      }, deprecateEof);
    });

    test(`${flavour}, ${deprecateEof ? 'OK' : 'EOF'} at the end: rows of a cursor are read by the statement that opened it`, async () => {
      await connected(async (raw) => {
        const sql = 'SELECT * FROM n ORDER BY id';
        const id = await prepared(raw, sql);
        const opened = bytesOf(await raw.ask(Command.stmtExecute, execute(id, [], 1)));
        const fetched = bytesOf(await raw.ask(Command.stmtFetch, Buffer.concat([u32(id), u32(2)])));
        const reader = new SessionReader();
        reader.start('mysql');
        reader.statement(1, 'execute', sql);
        assert.deepEqual(reader.results(1, opened), [{ columns: ['id', 'word'], rows: [] }]);
        reader.statement(2, 'other', `FETCH of: ${sql}`);
        assert.deepEqual(reader.results(2, fetched), [
          {
            columns: ['id', 'word'],
            rows: [
              ['1', 'one'],
              ['2', null],
            ],
          },
        ]);
        // Without the beginning of the session the rows are the bytes that they are.
        const [row] = decodeFetched(fetched, undefined).rows;
        assert.match(row?.[0] ?? '', /^\\x00.*6f6e65$/);
      }, deprecateEof);
    });
  }
}

test('a session is read in its protocol, a statement whose outcome comes later as it was sent', () => {
  const mysql = new SessionReader();
  mysql.start('mysql');
  mysql.statement(1, 'execute', 'SELECT 1');
  mysql.statement(2, 'query', 'SELECT 1');
  const definition = [...Buffer.from('\x03def\0\0\0\x01x\0\x0c'), 63, 0, 11, 0, 0, 0, 3, 0, 0, 0, 0, 0];
  const head = Buffer.concat([packet(1), packet(...definition)]);
  const query = Buffer.concat([head, packet(1, 0x37)]);
  const executed = Buffer.concat([head, packet(0, 0, 7, 0, 0, 0)]);
  assert.deepEqual(mysql.results(2, query), [{ columns: ['x'], rows: [['7']] }]);
  assert.deepEqual(mysql.results(1, executed), [{ columns: ['x'], rows: [['7']] }]);
  assert.deepEqual(mysql.results(3, null), []);
  assert.equal(mysql.parameter({ typeOid: 1, format: 1, bytes: Buffer.from([0xff]) }), '-1');
  const postgres = new SessionReader();
  postgres.start('postgres');
  assert.equal(postgres.parameter({ typeOid: 21, format: 1, bytes: Buffer.from([0, 7]) }), '7');
});

test('a parameter is read by its type', () => {
  const cases: readonly (readonly [type: number, hex: string, shown: string])[] = [
    [0x01, 'ff', '-1'],
    [0x8001, 'ff', '255'],
    [0x03, 'feffffff', '-2'],
    [0x08, '0000000000000080', '-9223372036854775808'],
    [0x8008, 'ffffffffffffffff', '18446744073709551615'],
    [0x05, '9a9999999999b93f', '0.1'],
    [0x0a, 'e8070211', '2024-02-17'],
    [0x0c, 'e80702110a0b0c', '2024-02-17 10:11:12'],
    [0x0c, 'e80702110a0b0c400d0300', '2024-02-17 10:11:12.200000'],
    [0x0b, '0101000000020304', '-26:03:04'],
    [0xfd, '7465787420c3bc', 'text ü'],
    [0xfc, 'ff00', '\\xff00'],
    [0xf6, '312e35', '1.5'],
    // Of no length that the type has.
    [0x03, 'ff', '\\xff'],
  ];
  for (const [type, hex, shown] of cases) assert.equal(decodeMysqlParameter(Buffer.from(hex, 'hex'), type), shown, hex);
  const reader = new SessionReader();
  reader.start('mysql');
  assert.equal(reader.parameter({ typeOid: 3, format: 1, bytes: null }), null);
});

test('any bytes are read without an error', () => {
  const payload = fc.uint8Array({ maxLength: 40 });
  fc.assert(
    fc.property(fc.array(payload, { maxLength: 12 }), fc.boolean(), (payloads, binary) => {
      const definition = packet(
        ...Buffer.from('\x03def\0\0\0\x01x\0\x0c'),
        63,
        0,
        11,
        0,
        0,
        0,
        payloads.length,
        0,
        0,
        0,
      );
      const bytes = Buffer.concat([packet(1), definition, ...payloads.map((bytes) => packet(...bytes))]);
      decodeMysqlResults(bytes, binary);
      decodeFetched(bytes, decodeMysqlResults(bytes, binary)[0]);
    }),
  );
  fc.assert(
    fc.property(
      fc.uint8Array({ maxLength: 200 }),
      fc.boolean(),
      (bytes, binary) => void decodeMysqlResults(bytes, binary),
    ),
  );
  const byte = fc.integer({ min: 0, max: 255 });
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 14 }), byte, byte, byte, byte, (bytes, type, flags, decimals, charset) => {
      const field: MysqlField = { type, flags, charset, length: 0xffffffff, decimals };
      for (const format of [0, 1]) assert.equal(typeof decodeMysqlCell(bytes, field, format), 'string');
      assert.equal(typeof decodeMysqlParameter(bytes, type), 'string');
    }),
  );
});

function packet(...payload: number[]): Buffer {
  return Buffer.from([payload.length & 0xff, payload.length >> 8, 0, 0, ...payload]);
}

/** Packets as they were sent, headers included. */
function bytesOf(packets: readonly Packet[]): Buffer {
  return Buffer.concat(
    packets.flatMap(({ sequence, payload }) => {
      const header = Buffer.alloc(4);
      header.writeUIntLE(payload.length, 0, 3);
      header[3] = sequence;
      return [header, payload];
    }),
  );
}

/** The cells of a text row, read apart from what is tested. */
function rawTexts(row: Buffer): (string | null)[] {
  const cells: (string | null)[] = [];
  for (let at = 0; at < row.length; ) {
    const first = row[at] ?? 0;
    if (first === 0xfb) {
      cells.push(null);
      at++;
      continue;
    }
    const [length, start] =
      first === 0xfc
        ? [row.readUInt16LE(at + 1), at + 3]
        : first === 0xfd
          ? [row.readUIntLE(at + 1, 3), at + 4]
          : [first, at + 1];
    cells.push(row.toString('utf8', start, start + length));
    at = start + length;
  }
  return cells;
}
