// Columns that are computed from a protected one, when they are made and by default too: masked, and no change of the table's
// definition makes ordinary columns of them.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import mysql from 'mysql2/promise';
import { startGateway } from '../../servers/gateway.ts';
import { FLAVOURS, startMysql } from '../../servers/mysql.ts';

const SCHEMA = [
  `CREATE TABLE people (id int PRIMARY KEY, email varchar(40), low varchar(60) AS (concat(lower(email), '/')) STORED,
     copy varchar(60) DEFAULT (concat(email, '!')), note varchar(60) DEFAULT 'none')`,
  "INSERT INTO people (id, email) VALUES (1, 'jqvxkzw')",
];

const REFUSED = [
  'ALTER TABLE people MODIFY low varchar(60)',
  'ALTER TABLE people MODIFY COLUMN copy varchar(60)',
  'ALTER TABLE people ALTER copy DROP DEFAULT',
  'ALTER TABLE people ADD more int, ALTER COLUMN copy SET DEFAULT 7',
  'ALTER TABLE people CHANGE copy other varchar(60)',
  'ALTER TABLE people ADD more varchar(60) DEFAULT (upper(email))',
  'UPDATE people SET note = low',
];

const TAKEN = [
  'ALTER TABLE people MODIFY note varchar(80)',
  "ALTER TABLE people ALTER COLUMN note SET DEFAULT 'some'",
  'UPDATE people SET copy = DEFAULT',
];

for (const flavour of FLAVOURS) {
  test(`${flavour}: what is computed from a protected column stays masked`, async () => {
    const database = await startMysql(flavour, { sql: SCHEMA });
    const gateway = await startGateway({
      upstream: database,
      connection: { masking: 'some' },
      masking: { some: { columns: [{ column: 'shop.people.email', with: 'redact' }] } },
    });
    try {
      const login = await gateway.login({ scopes: ['db:db:read+write+ddl'], ttl: '1h' });
      const client = await mysql.createConnection({ ...login, database: 'shop' });
      const shows = async () => {
        const [rows] = await client.query('SELECT low, copy, note, upper(copy) AS loud FROM people');
        const masked = '[redacted]';
        assert.deepEqual(rows, [{ low: masked, copy: masked, note: 'none', loud: masked }]);
      };
      await shows();
      for (const sql of REFUSED) {
        await assert.rejects(client.query(sql), { errno: 1142 }, sql);
        await shows();
      }
      for (const sql of TAKEN) await client.query(sql);
      await shows();
      client.destroy();
    } finally {
      await gateway.stop();
      await database.stop();
    }
  });
}
