// What an agent has to wait for, through its tools: a person who approves, with signs of life and the decision; a database that is away.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { stand } from '../drivers/stand.ts';
import { type Agent, asAgent } from './client.ts';

describe('a grant that a person approves', () => {
  const access = [
    { groups: ['agents'], connections: ['db'], scopes: ['db:db:read'], maxTtl: '1h', approval: 'required' },
  ];
  const postgres = stand(['nothing'], { config: { access } });
  let agent: Agent;
  before(async () => {
    agent = await asAgent(postgres.gateway('nothing'));
  });
  after(() => agent.close());
  const request = async (more: object = {}) =>
    agent.call('request_grant', {
      connection: 'db',
      scopes: ['db:db:read'],
      task: 'look',
      reason: `to look, ${performance.now()}`,
      ...more,
    });
  const decide = (id: string, verb: 'approve' | 'refuse', reason: string) =>
    postgres.gateway('nothing').api('POST', `/v1/grants/${id}/${verb}`, { reason });

  test('until then its queries are refused with what to do', async () => {
    const { data, text } = await request();
    assert.equal(data.state, 'requested');
    assert.match(text, /waits for a person.*wait_for_approval/);
    const early = await agent.query(data.id, 'SELECT 1');
    assert.equal(early.about.code, 'SP_GRANT_OVER');
    assert.match(early.text, /waits for a person/);
    const waited = await agent.call('wait_for_approval', { id: data.id, timeout_seconds: 0 });
    assert.deepEqual([waited.data.decided, waited.data.state], [false, 'requested']);
    assert.equal((await agent.call('complete_grant', { grant: data.id })).data.state, 'completed');
  });

  test('waiting shows signs of life, ends with the decision, and the grant works', async () => {
    const { data } = await request();
    const { promise, resolve } = Promise.withResolvers<string>();
    const waiting = agent.call(
      'wait_for_approval',
      { id: data.id, timeout_seconds: 60 },
      { onprogress: ({ message }) => resolve(message ?? '') },
    );
    assert.match(await promise, /waits for a person/);
    await decide(data.id, 'approve', 'go on');
    const { data: decided } = await waiting;
    assert.deepEqual([decided.decided, decided.state, decided.kind], [true, 'active', 'grant']);
    assert.equal((await agent.query(data.id, 'SELECT 1 AS one')).data.row_count, 1);
    const again = await agent.call('wait_for_approval', { id: data.id });
    assert.equal(again.data.decided, true);
  });

  test('a refusal comes with its reason', async () => {
    const { data } = await request();
    const waiting = agent.call('wait_for_approval', { id: data.id });
    await decide(data.id, 'refuse', 'not on a Saturday');
    const { data: decided, text } = await waiting;
    assert.deepEqual([decided.decided, decided.state], [true, 'refused']);
    assert.match(text, /not on a Saturday.*Ask for less/);
  });

  test('the secret is the caller’s only where it asks for it, and logs in', async () => {
    const without = await request();
    assert.equal(without.data.login, undefined);
    const { data, text } = await request({ with_login: true });
    assert.equal(data.login.user, data.id);
    assert.ok(data.login.password.length > 30);
    assert.match(data.login.dsn, /^postgresql:\/\/gr_/);
    assert.match(text, /For a driver: postgresql:/);
    assert.doesNotMatch(JSON.stringify(await agent.call('grant_status', {})), new RegExp(data.login.password));
  });

  test('what waits for nobody is said to', async () => {
    const { text } = await agent.call('wait_for_approval', { id: 'ap_unknown' });
    assert.match(text, /there is no grant ap_unknown of yours\nWhat to do: grant_status/);
  });
});

describe('a database that cannot be reached', () => {
  const postgres = stand(['nothing']);

  test('is told as such, with what to do', async () => {
    const agent = await asAgent(postgres.gateway('nothing'));
    const grant = await agent.grant();
    await postgres.database.stop();
    const { failed, text } = await agent.query(grant, 'SELECT 1');
    assert.ok(failed);
    assert.match(text, /cannot be reached/);
    assert.match(text, /What to do: Try again in a minute/);
    await agent.close();
  });
});
