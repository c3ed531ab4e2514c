// Masked values of every type as mysql2 decodes them, in the text and in the binary protocol, and as a replay of the session shows them.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import mysql from 'mysql2/promise';
import { type RecordLine, told } from '../../src/cli/replay.ts';
import { startGateway, type TestGateway } from '../servers/gateway.ts';
import { FLAVOURS, type MysqlServer, startMysql } from '../servers/mysql.ts';

const COLUMNS: Readonly<Record<string, readonly [type: string, value: string]>> = {
  tiny: ['TINYINT', '1'],
  small: ['SMALLINT UNSIGNED', '65535'],
  medium: ['MEDIUMINT', '-5'],
  whole: ['INT', '2147483647'],
  filled: ['INT(6) ZEROFILL', '42'],
  big: ['BIGINT', '-9007199254740993'],
  huge: ['BIGINT UNSIGNED', '18446744073709551615'],
  single: ['FLOAT', '1.1'],
  twice: ['DOUBLE', '0.1'],
  exact: ['DECIMAL(12,3)', '-123456789.125'],
  day: ['DATE', "'2024-02-29'"],
  moment: ['DATETIME(3)', "'2024-02-29 12:34:56.789'"],
  stamp: ['TIMESTAMP NULL', "'2024-02-29 12:34:56'"],
  clock: ['TIME(6)', "'-100:00:00.000001'"],
  yr: ['YEAR', '1999'],
  bits: ['BIT(9)', "b'101'"],
  fixed: ['CHAR(30)', "'secret fixed'"],
  word: ['VARCHAR(30)', "'secret word'"],
  long_text: ['LONGTEXT', "REPEAT('secret ', 1000)"],
  sixteen: ['BINARY(16)', "'secret sixteen'"],
  some: ['VARBINARY(20)', "'secret bytes'"],
  blob_of: ['BLOB', "'secret blob'"],
  document: ['JSON', '\'{"a": "secret"}\''],
  one_of: ["ENUM('secret','b')", "'secret'"],
  some_of: ["SET('secret','b')", "'secret'"],
  place: ['GEOMETRY', 'POINT(1, 2)'],
  nothing: ['VARCHAR(9)', 'NULL'],
};

const STRATEGIES: Readonly<Record<string, object | string>> = {
  redact: 'redact',
  hash: 'hash',
  partial: { partial: { keepEnd: 2 } },
  constant: { constant: '1' },
};

for (const flavour of FLAVOURS) {
  let server: MysqlServer;
  let gateway: TestGateway;

  before(async () => {
    const names = Object.keys(STRATEGIES);
    const types = Object.entries(COLUMNS).map(([name, [type]]) => `${name} ${type}`);
    const values = Object.values(COLUMNS).map(([, value]) => value);
    server = await startMysql(flavour, {
      sql: names.flatMap((name) => [
        `CREATE TABLE t_${name} (${types.join(', ')}) DEFAULT CHARACTER SET utf8mb4`,
        `INSERT INTO t_${name} VALUES (${values.join(', ')})`,
      ]),
    });
    const columns = names.map((name) => ({ column: `shop.t_${name}.*`, with: STRATEGIES[name] }));
    gateway = await startGateway({ upstream: server, connection: { masking: 'm' }, masking: { m: { columns } } });
  });
  after(async () => {
    await gateway.stop();
    await server.stop();
  });

  for (const strategy of Object.keys(STRATEGIES)) {
    test(`${flavour}: ${strategy}, text and binary rows decode to the same`, async () => {
      const sql = `SELECT * FROM t_${strategy}`;
      for (const options of [{}, { dateStrings: true, supportBigNumbers: true, bigNumberStrings: true }]) {
        const client = await mysql.createConnection({ ...(await gateway.login()), ...options });
        const [[text]] = (await client.query(sql)) as unknown as [Record<string, unknown>[]];
        const [[binary]] = (await client.execute(sql)) as unknown as [Record<string, unknown>[]];
        await client.end();
        // The driver leaves a fraction of zero out in the binary protocol, masked or not.
        const { clock, moment } = text ?? {};
        assert.deepEqual(binary, { ...text, clock: withoutZero(clock), moment: withoutZero(moment) });
        assert.deepEqual(Object.keys(text ?? {}), Object.keys(COLUMNS));
        assert.equal(text?.nothing, null);
        assert.ok(!JSON.stringify(text).includes('secret'));
        // The driver parses MySQL's; MariaDB's, which is a text to it, is for the reader to parse.
        if (flavour === 'mariadb') assert.doesNotThrow(() => JSON.parse(String(text?.document)));
        for (const [name, value] of Object.entries(text ?? {})) {
          assert.ok(!(value instanceof Date && Number.isNaN(value.getTime())) && !Number.isNaN(value), name);
        }
      }
    });
  }

  test(`${flavour}: a replay shows what the client got, and what it has bound`, async () => {
    const client = await mysql.createConnection({ ...(await gateway.login({ task: 'replay' })), dateStrings: true });
    const [[text]] = (await client.query('SELECT * FROM t_redact')) as unknown as [Record<string, unknown>[]];
    await client.execute('SELECT *, ? AS bound FROM t_redact WHERE tiny = ?', ['word', 1]);
    await client.end();
    type Listed = { id: string; facts: { grant: { task: string } } };
    const { sessions } = await gateway.api<{ sessions: Listed[] }>('GET', '/v1/sessions');
    const session = sessions.find(({ facts }) => facts.grant.task === 'replay');
    const { records } = await gateway.api<{ records: RecordLine[] }>('GET', `/v1/sessions/${session?.id}/records`);
    const results: object[] = [];
    const bound: unknown[] = [];
    for await (const item of told(inTurn(records))) {
      results.push(...item.results);
      if (item.parameters !== null) bound.push(item.parameters);
    }
    const columns = Object.keys(COLUMNS);
    const row = columns.map((name) => {
      const value = name === 'filled' ? '000000' : (text?.[name] ?? null);
      if (Buffer.isBuffer(value)) return value.length === 0 ? '' : `\\x${value.toString('hex')}`;
      return name === 'document' && flavour === 'mysql' ? JSON.stringify(value) : value === null ? null : String(value);
    });
    assert.deepEqual(results, [
      { columns, rows: [row] },
      { columns: [...columns, 'bound'], rows: [[...row, 'word']] },
    ]);
    assert.deepEqual(bound, [['word', '1']]);
  });
}

function withoutZero(time: unknown): unknown {
  return typeof time === 'string' ? time.replace(/\.0+$/, '') : time;
}

async function* inTurn(records: readonly RecordLine[]): AsyncGenerator<RecordLine> {
  yield* records;
}
