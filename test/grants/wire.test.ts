// Grants as the database ports see them: a login that waits for a person, and the end of everything in the middle of a statement.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import pg from 'pg';
import { stand } from '../conformance/stand.ts';

const rule = { groups: ['agents'], connections: ['db'], maxTtl: '1h' };
const { gateway, until } = await stand({
  config: {
    access: [
      { ...rule, scopes: ['db:db:read'] },
      { ...rule, scopes: ['db:db:write'], approval: 'required' },
    ],
  },
});

interface Answer {
  readonly id: string;
  readonly state: string;
  readonly user: string;
  readonly password: string;
}

const ask = (verbs: string, identity = 'tester') =>
  gateway.api<Answer>('POST', '/v1/grants', {
    ...{ identity, groups: ['agents'], connection: 'db', scopes: [`db:db:${verbs}`], ttl: '10m' },
    ...{ task: 'test', reason: 'a test' },
  });

async function connect({ user, password }: Answer): Promise<pg.Client> {
  const client = new pg.Client({ host: gateway.host, port: gateway.port, database: 'db', user, password });
  client.on('error', () => {});
  await client.connect();
  return client;
}

test('a login that waits is told what an unknown one is told, and lets in after the approval', async () => {
  const waiting = await ask('read+write');
  assert.equal(waiting.state, 'requested');
  const said = async (login: Answer) => {
    const error: unknown = await connect(login).catch((thrown: unknown) => thrown);
    assert.ok(error instanceof pg.DatabaseError);
    return [error.code, error.message.replace(login.user, 'user'), error.detail, error.hint];
  };
  assert.deepEqual(await said(waiting), await said({ ...waiting, user: 'gr_aaaaaaaaaaaaaaaa' }));
  await gateway.api('POST', `/v1/grants/${waiting.id}/approve`, {});
  const client = await connect(waiting);
  await client.query("INSERT INTO log VALUES ('approved')");
  await client.end();
  const refused = await ask('write');
  await gateway.api('POST', `/v1/grants/${refused.id}/refuse`, { reason: 'no' });
  assert.deepEqual(await said(refused), await said({ ...refused, user: 'gr_aaaaaaaaaaaaaaaa' }));
});

test('the end of everything cancels what runs, of every identity', async () => {
  const clients = await Promise.all(['one', 'two', 'three'].map(async (name) => connect(await ask('read', name))));
  const running = clients.map((client) => client.query('SELECT pg_sleep(600)').catch((error: unknown) => error));
  const sleeping =
    "SELECT count(*)::int FROM pg_stat_activity WHERE query LIKE '%pg_sleep(600)%' AND state = 'active' AND pid <> pg_backend_pid()";
  await until(sleeping, 3);
  await gateway.api('POST', '/v1/grants/revoke', { all: true, reason: 'a leak' });
  for (const error of await Promise.all(running)) {
    assert.ok(error instanceof pg.DatabaseError);
    assert.equal(error.code, '57P01');
    assert.match(error.message, /has been revoked at .*\(a leak\)/);
  }
  await until(sleeping, 0);
});
