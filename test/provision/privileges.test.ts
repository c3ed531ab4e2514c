// Scopes as privileges, names as they stand in statements, passwords as databases keep them.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { validators } from '../../src/cli/validators.ts';
import { readConfig } from '../../src/config/load.ts';
import { parseScope } from '../../src/policy/scope.ts';
import { everythingIn, privilegesOf, identifier as quoted } from '../../src/provision/mysql-privileges.ts';
import { identifier, literal, onRelation, onSchema, wantedOf } from '../../src/provision/postgres-privileges.ts';
import { checkedName, roleName } from '../../src/provision/role.ts';
import { nativeVerifier, scramVerifier, sha256Crypt } from '../../src/provision/verifiers.ts';
import type { Connection } from '../../src/types.ts';

const scopes = (...texts: string[]) => texts.map((text) => parseScope(`db:c${text}`));

test('a relation of PostgreSQL', () => {
  const cases: [scopes: string[], relation: [string, string, string, string?], privileges: string[]][] = [
    [[':read'], ['app', 't', 'r'], ['SELECT']],
    [['.app:read+write'], ['app', 't', 'v'], ['SELECT', 'INSERT', 'UPDATE', 'DELETE']],
    [['.app:read'], ['theirs', 't', 'r'], []],
    [
      ['.app.t:read', '.app:write'],
      ['app', 'u', 'r'],
      ['INSERT', 'UPDATE', 'DELETE'],
    ],
    [['.*.t:read'], ['theirs', 't', 'p'], ['SELECT']],
    [[':ddl'], ['app', 't', 'r'], ['TRUNCATE', 'REFERENCES', 'MAINTAIN']],
    // It comes as a member of the connection's own user.
    [[':admin'], ['app', 't', 'r'], []],
    [[':read+write'], ['app', 's', 'S'], ['SELECT', 'USAGE', 'UPDATE']],
    // Of the sequence that fills a column, no more than its numbers.
    [['.app.t:read+write'], ['app', 't_id_seq', 'S', 't'], ['USAGE']],
    [['.app.t:read'], ['app', 't_id_seq', 'S', 't'], []],
  ];
  for (const [texts, [schema, name, kind, table], expected] of cases) {
    assert.deepEqual(onRelation(scopes(...texts), schema, name, kind, table), expected, `${texts} ${schema}.${name}`);
  }
});

test('schemas of PostgreSQL, and what takes more than privileges', () => {
  assert.deepEqual(onSchema(scopes('.app.t:read'), 'app'), ['USAGE']);
  assert.deepEqual(onSchema(scopes('.app.t:read'), 'theirs'), []);
  assert.deepEqual(onSchema(scopes('.app:ddl', '.theirs:read'), 'app'), ['USAGE', 'CREATE']);
  assert.deepEqual(onSchema(scopes('.app:ddl', '.theirs:read'), 'theirs'), ['USAGE']);
  const wanted = (...texts: string[]) => {
    const { makes, schemas, member } = wantedOf(scopes(...texts));
    return { makes, schemas, member };
  };
  assert.deepEqual(wanted(':read+write'), { makes: false, schemas: false, member: false });
  assert.deepEqual(wanted('.app:ddl'), { makes: true, schemas: false, member: false });
  assert.deepEqual(wanted(':ddl'), { makes: true, schemas: true, member: false });
  assert.deepEqual(wanted('.app:admin'), { makes: false, schemas: false, member: false });
  assert.deepEqual(wanted(':read+admin'), { makes: true, schemas: false, member: true });
});

test('databases and tables of MySQL', () => {
  const seen = {
    schemas: ['shop', 'my_db'],
    tables: [
      ['shop', 't'],
      ['shop', 'u'],
      ['my_db', 't'],
    ] as const,
  };
  const of = (...texts: string[]) =>
    privilegesOf(scopes(...texts), seen, { database: 'shop' } as Connection).map(
      ({ names, on }) => `${names} ON ${on}`,
    );
  assert.deepEqual(of(':read'), ['SELECT,SHOW VIEW ON `shop`.*', 'SELECT,SHOW VIEW ON `my\\_db`.*']);
  assert.deepEqual(of('.shop.t:read+write'), ['SELECT,SHOW VIEW,INSERT,UPDATE,DELETE ON `shop`.`t`']);
  assert.deepEqual(of('.*.t:read'), ['SELECT,SHOW VIEW ON `shop`.`t`', 'SELECT,SHOW VIEW ON `my_db`.`t`']);
  assert.deepEqual(of('.shop:write'), ['INSERT,UPDATE,DELETE,LOCK TABLES ON `shop`.*']);
  // A table that is to be made; one that is not there and not to be made can be given to nobody.
  assert.deepEqual(of('.shop.new:ddl'), ['CREATE,ALTER,DROP,INDEX,REFERENCES ON `shop`.`new`']);
  assert.deepEqual(of('.shop.new:read'), ['SHOW VIEW ON `shop`.*']);
  // The session begins in the connection's database, whatever the scope.
  assert.deepEqual(of('.my_db.t:read'), ['SELECT,SHOW VIEW ON `my_db`.`t`', 'SHOW VIEW ON `shop`.*']);
  assert.deepEqual(of('.mysql:read'), ['SHOW VIEW ON `shop`.*'], 'what the own user does not see');
});

test('names and texts stand in statements as they are', () => {
  assert.equal(identifier('a "b" \\ \''), '"a ""b"" \\ \'"');
  assert.equal(literal("it's \\"), "'it''s \\'");
  assert.equal(quoted('a `b` "c"'), '`a ``b`` "c"`');
  assert.equal(everythingIn('a_b%c\\d`e'), '`a\\_b\\%c\\\\d``e`.*');
  const name = roleName('mysql', 'abcdefghijkl', 'gr_mnopqrstuvwxyz23');
  assert.equal(name, 'sp_abcdefghijkl_mnopqrstuvwxyz23');
  assert.ok(name.length <= 32, 'as long as MySQL takes');
  assert.equal(checkedName(name), name);
  for (const bad of ['sp_abcdefghijkl_x y', "sp_abcdefghijkl_x'", 'root', `${name}z`, 'sp_ABCDEFGHIJKL_x', '']) {
    assert.throws(() => checkedName(bad), bad);
  }
});

test('passwords as they are kept', async () => {
  // Password, salt and iterations of RFC 7677, 3; by openssl passwd -5; SHA-1 of SHA-1.
  const salt = Buffer.from('W22ZaJ0SNY7soEsUEjb6gQ==', 'base64');
  assert.equal(
    await scramVerifier('pencil', salt),
    'SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU=',
  );
  assert.equal(await sha256Crypt('Hello world!', 'saltstring'), '5B8vYYiY.CVt1RlTTf8KbXBH3hsxY/GNooZaBBGWEc5');
  assert.equal(await sha256Crypt('xyzzy', 'abcdefgh'), 'eEzuZNge9r/UL.DnYptRMhlr2j6n.k0CLKABiC55y/6');
  assert.equal(nativeVerifier('pencil'), '*7614BE58636C810A9D8970A50B3B2A78450413E4');
});

test('the example is a config without a mistake', () => {
  const environment = { MYDB_PASSWORD: 'x', MYDB_ADMIN_PASSWORD: 'y' };
  const reading = readConfig(join(import.meta.dirname, '../../examples/provisioned.yaml'), {
    ...validators,
    environment,
  });
  assert.deepEqual(reading.ok ? reading.config.warnings : reading.mistakes, []);
  const connection = reading.ok ? reading.config.connections.get('mydb') : undefined;
  assert.deepEqual([connection?.provisioned?.user, connection?.provisioned?.password()], ['sallyport_admin', 'y']);
});
