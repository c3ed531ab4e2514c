// An agent without a driver, from its token to the end of its task, over each database: what it may ask for, a masked result, a
// refusal with its next step, the deadline in the middle of a statement, another grant, the end.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import pg from 'pg';
import { mysqlStand } from '../drivers/mysql-stand.ts';
import { stand } from '../drivers/stand.ts';
import type { TestGateway } from '../servers/gateway.ts';
import { FLAVOURS } from '../servers/mysql.ts';
import { type OidcProvider, startProvider } from '../servers/oidc.ts';
import { type Agent, withToken } from './client.ts';

interface Words {
  readonly name: string;
  readonly protocol: 'postgres' | 'mysql';
  readonly placeholder: string;
  readonly sleep: string;
  readonly types: readonly string[];
  /** What a session reads that is ended at its deadline. */
  readonly ended: string;
  readonly email: string;
}

const POSTGRES: Words = {
  name: 'postgres',
  protocol: 'postgres',
  placeholder: '$1',
  sleep: 'SELECT pg_sleep(600)',
  types: ['int4', 'text'],
  ended: '57P01',
  email: '*************.com',
};

let provider: OidcProvider;
const config: { identity?: object; access?: object } = {};
before(async () => {
  provider = await startProvider();
  config.identity = { issuers: [{ issuer: provider.issuer, audience: provider.audience }] };
  const rule = { groups: ['agents'], connections: ['db'], maxTtl: '1h' };
  config.access = [
    { ...rule, scopes: ['db:db:read'] },
    { ...rule, scopes: ['db:db:admin'] },
  ];
});
after(() => provider.close());

const asAgent = async (gateway: TestGateway, sub: string) => withToken(gateway, await provider.token({ sub }));

/** @param awake resolves when no session of the database is asleep */
function story(
  words: Words,
  gatewayOf: () => TestGateway,
  sleeping: () => Promise<void>,
  awake: () => Promise<void>,
): void {
  let agent: Agent;
  before(async () => {
    agent = await asAgent(gatewayOf(), 'agent-1');
  });
  after(() => agent.close());

  test('it finds what it may ask for, and the tools say what they are', async () => {
    const { data, text } = await agent.call('list_connections', {});
    assert.deepEqual(data.connections, [
      {
        name: 'db',
        protocol: words.protocol,
        scopes: [
          { scope: 'db:db:read', max_ttl_seconds: 3600, approval: 'auto' },
          { scope: 'db:db:admin', max_ttl_seconds: 3600, approval: 'auto' },
        ],
      },
    ]);
    assert.match(text, /^db \(.*\n {2}db:db:read for up to 3600 s/);
    const { tools } = await agent.client.listTools();
    assert.deepEqual(tools.map(({ name }) => name).sort(), [
      'complete_grant',
      'explain',
      'grant_status',
      'list_connections',
      'query',
      'request_grant',
      'wait_for_approval',
    ]);
    for (const { description = '', annotations, outputSchema, inputSchema } of tools) {
      assert.match(description, /Example: \{/);
      assert.ok(annotations?.title !== undefined || annotations?.readOnlyHint !== undefined);
      assert.ok(outputSchema !== undefined);
      assert.equal(inputSchema.additionalProperties, false);
    }
  });

  test('asked for too much, it is told what it may have', async () => {
    const request = { connection: 'db', scopes: ['db:db:read+write'], task: 'test', reason: 'a test' };
    const { failed, text, about } = await agent.call('request_grant', request);
    assert.ok(failed);
    assert.equal(about.code, 'SP_GRANT_REFUSED');
    assert.match(text, /What to do: You may ask for db:db:read/);
    const long = await agent.call('request_grant', { ...request, scopes: ['db:db:read'], ttl: 'for ever' });
    assert.match(long.text, /no duration\nWhat to do: Write it as/);
  });

  test('a grant, a masked result, a refusal with its next step, and the end', async () => {
    const gateway = gatewayOf();
    const grant = await agent.grant({ task: 'look-up' });
    const sql = `SELECT id, email FROM users WHERE id <= ${words.placeholder} ORDER BY id`;
    const found = await agent.query(grant, sql, { parameters: [2] });
    assert.deepEqual(
      found.data.columns.map(({ name }: { name: string }) => name),
      ['id', 'email'],
    );
    assert.deepEqual(
      found.data.columns.map(({ type }: { type: string }) => type),
      words.types,
    );
    assert.deepEqual(
      found.data.rows.map(([id]: [number]) => id),
      [1, 2],
    );
    assert.equal(found.data.rows[0][1], words.email);
    assert.equal(found.data.truncated, null);
    assert.match(found.text, /^id \| email\n1 \| \*+\.com\n/);

    const refused = await agent.query(grant, 'DELETE FROM orders');
    assert.ok(refused.failed);
    assert.equal(refused.about.decision?.decision, 'deny');
    assert.equal(refused.about.decision?.rule, 'scope');
    assert.deepEqual(refused.about.decision?.verbs, ['write']);
    const schema = words.protocol === 'mysql' ? 'shop' : 'public';
    const ask = `request_grant {"connection":"db","scopes":["db:db.${schema}.orders:write"]}`;
    assert.ok(refused.text.endsWith(`What to do: Ask for it: ${ask}`), refused.text);
    // A refusal never costs the session.
    assert.deepEqual((await agent.query(grant, 'SELECT count(*) FROM orders')).failed, false);

    const cut = await agent.query(grant, 'SELECT id FROM users ORDER BY id', { max_rows: 3 });
    assert.deepEqual(cut.data.rows, [[1], [2], [3]]);
    assert.equal(cut.data.truncated, 'rows');
    assert.match(cut.text, /raise max_rows/);

    const status = await agent.call('grant_status', { grant });
    assert.equal(status.data.grants[0].state, 'active');
    assert.ok(status.data.grants[0].seconds_left > 500);
    const done = await agent.call('complete_grant', { grant });
    assert.equal(done.data.state, 'completed');
    const late = await agent.query(grant, 'SELECT 1');
    assert.equal(late.about.code, 'SP_GRANT_OVER');
    assert.match(late.text, /is completed.*request the next with request_grant/);

    const { sessions } = await sessionsOf(gateway, grant);
    assert.equal(sessions.length, 1, 'statements of a grant share a session');
    assert.equal(sessions[0]?.facts.application, 'mcp test-agent/1.2.3');
    assert.match(sessions[0]?.facts.client ?? '', /^127\.0\.0\.1:\d+$/);
    assert.equal(sessions[0]?.facts.grant.id, grant);
    assert.equal(sessions[0]?.statements.deny, 1);
  });

  test('at the deadline what runs is ended, and with the next grant it goes on', async () => {
    const grant = await agent.grant({ scopes: ['db:db:admin', 'db:db:read'], ttl: '2s', task: 'sleep' });
    const running = agent.query(grant, words.sleep);
    await sleeping();
    const { failed, text, about } = await running;
    assert.ok(failed);
    assert.equal(about.code, words.ended);
    assert.match(
      text,
      /^the grant gr_\w+ has expired at .*\nWhat to do: Request the next: request_grant \{"connection":"db"/,
    );
    assert.match((await agent.query(grant, 'SELECT 1')).text, /is expired.*request_grant/s);
    const next = await agent.grant({ task: 'sleep-again' });
    assert.deepEqual((await agent.query(next, 'SELECT 1 AS one')).data.row_count, 1);
  });

  test("another caller's grant is not there", async () => {
    const grant = await agent.grant({ task: 'mine' });
    const other = await asAgent(gatewayOf(), 'agent-2');
    const none = await other.call('grant_status', { grant: 'gr_none' });
    for (const [tool, args] of [
      ['query', { grant, sql: 'SELECT 1' }],
      ['grant_status', { grant }],
      ['complete_grant', { grant }],
      ['wait_for_approval', { id: grant }],
      ['explain', { grant, sql: 'SELECT 1' }],
    ] as const) {
      const { failed, text, about } = await other.call(tool, args);
      assert.ok(failed, tool);
      assert.equal(about.code, 'SP_GRANT_UNKNOWN');
      assert.equal(text.replaceAll(grant, 'gr_none'), none.text);
    }
    assert.deepEqual((await other.call('grant_status', {})).data.grants, []);
    assert.equal((await agent.call('grant_status', { grant })).data.grants[0].state, 'active');
    await other.close();
  });

  test('cancelled by the client, a statement ends in the database, and the next one runs', async () => {
    const grant = await agent.grant({ scopes: ['db:db:admin', 'db:db:read'], task: 'cancel' });
    const abort = new AbortController();
    const running = agent.query(grant, words.sleep, {}, { signal: abort.signal });
    await sleeping();
    abort.abort('enough');
    await assert.rejects(running, /enough/);
    await awake();
    assert.equal((await agent.query(grant, 'SELECT 1 AS one')).failed, false);
  });

  test('explain says what would be decided, and runs nothing', async () => {
    const { data } = await agent.call('explain', {
      connection: 'db',
      scopes: ['db:db:read'],
      sql: 'DELETE FROM orders',
    });
    assert.equal(data.statements[0].verdict.action, 'deny');
    assert.deepEqual(data.statements[0].verbs, ['write']);
    const whole = await agent.call('explain', { connection: 'db', sql: 'DROP TABLE orders' });
    assert.match(whole.data.statements[0].verdict.reason, /needs ddl.*db:db:read, db:db:admin/);
    const beyond = await agent.call('explain', { connection: 'db', scopes: ['db:db:write'], sql: 'SELECT 1' });
    assert.match(beyond.text, /scope db:db:write is none that you could ask for\nWhat to do: list_connections/);
    const foreign = await agent.call('explain', { connection: 'other', sql: 'SELECT 1' });
    assert.match(foreign.text, /there is no connection "other"\nWhat to do: list_connections/);
  });
}

interface Recorded {
  readonly statements: { readonly deny: number };
  readonly facts: { readonly application: string; readonly client: string; readonly grant: { readonly id: string } };
}

async function sessionsOf(gateway: TestGateway, grant: string): Promise<{ sessions: Recorded[] }> {
  const { api } = gateway.running.addresses;
  const response = await fetch(`http://${api.host}:${api.port}/v1/sessions?grant=${grant}`, {
    headers: { authorization: `Bearer ${await provider.token({ sub: 'agent-1' })}` },
  });
  return (await response.json()) as { sessions: Recorded[] };
}

describe('PostgreSQL', () => {
  const postgres = stand(['the table read'], { config });
  const awake = async () => {
    const client = new pg.Client({ connectionString: postgres.database.connectionString });
    await client.connect();
    while ((await client.query("SELECT 1 FROM pg_stat_activity WHERE wait_event = 'PgSleep'")).rowCount !== 0);
    await client.end();
  };
  story(POSTGRES, () => postgres.gateway('the table read'), postgres.sleeping, awake);
});

for (const flavour of FLAVOURS) {
  describe(flavour, () => {
    const server = mysqlStand(flavour, ['the table read'], { config });
    const words: Words = {
      name: flavour,
      protocol: 'mysql',
      placeholder: '?',
      sleep: 'SELECT SLEEP(600)',
      types: ['long', 'var_string'],
      ended: '3169',
      email: '*************.com',
    };
    const asleep = "SELECT 1 FROM information_schema.processlist WHERE state = 'User sleep'";
    const awake = async () => {
      while ((await server.database.query(asleep)).length > 0);
    };
    story(words, () => server.gateway('the table read'), server.sleeping, awake);
  });
}
