// `sallyport mcp`: the same tools over standard input and output, as a client starts it; through a gateway that is started anew.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';
import type { Transport } from '@modelcontextprotocol/sdk/shared/transport.js';
import { serve } from '../../src/main.ts';
import { stand } from '../drivers/stand.ts';
import type { TestGateway } from '../servers/gateway.ts';
import { type Agent, connect } from './client.ts';

const ENTRY = fileURLToPath(new URL('../../src/cli/index.ts', import.meta.url));
const envOf = ({ env, running: { addresses } }: TestGateway): Record<string, string> => ({
  HOME: env.dataDir,
  SALLYPORT_DATA_DIR: env.dataDir,
  SALLYPORT_API_LISTEN: `${addresses.api.host}:${addresses.api.port}`,
});

const start = (gateway: TestGateway): Promise<Agent> =>
  connect(
    new StdioClientTransport({
      command: process.execPath,
      args: [ENTRY, 'mcp', '--identity', 'agent', '--group', 'agents', '--group', 'others'],
      env: envOf(gateway),
    }) as Transport,
  );

describe('sallyport mcp', () => {
  const postgres = stand(['nothing']);
  let agent: Agent;
  before(async () => {
    agent = await start(postgres.gateway('nothing'));
  });
  after(() => agent.close());

  test('a client works through it', async () => {
    const grant = await agent.grant();
    const { data } = await agent.query(grant, 'SELECT id FROM users WHERE id < $1 ORDER BY id', { parameters: [3] });
    assert.deepEqual(data.rows, [[1], [2]]);
    assert.equal((await agent.call('complete_grant', { grant })).data.state, 'completed');
  });

  test('calls run side by side, and one that is cancelled ends in the database', async () => {
    const grant = await agent.grant({ scopes: ['db:db:read+admin'] });
    const abort = new AbortController();
    const running = agent.query(grant, 'SELECT pg_sleep(600)', {}, { signal: abort.signal });
    await postgres.sleeping();
    assert.equal((await agent.call('grant_status', { grant })).data.grants[0].state, 'active');
    abort.abort('enough');
    await assert.rejects(running, /enough/);
    assert.equal((await agent.query(grant, 'SELECT 1')).failed, false);
  });

  test('a gateway that is started anew is used as if nothing had happened', async () => {
    const gateway = postgres.gateway('nothing');
    const grant = await agent.grant({ scopes: ['db:db:read+admin'], task: 'restart' });
    const cut = assert.rejects(agent.query(grant, 'SELECT pg_sleep(600)'), /the gateway has ended before it answered/);
    const { api } = gateway.running.addresses;
    await postgres.sleeping();
    await gateway.running.close();
    await cut;
    await assert.rejects(agent.call('list_connections', {}), /no gateway answers at .*sallyport serve/);
    const second = await serve({ ...gateway.env, apiListen: api });
    try {
      const [one, two] = await Promise.all([
        agent.query(grant, 'SELECT 1 AS one'),
        agent.call('grant_status', { grant }),
      ]);
      assert.deepEqual(one.data.rows, [[1]]);
      assert.equal(two.data.grants[0].state, 'active');
    } finally {
      await second.close();
    }
  });

  test('a line that is no message is answered, and the end of the input is the end', async () => {
    const child = spawn(process.execPath, [ENTRY, 'mcp'], { env: { ...envOf(postgres.gateway('nothing')), PATH: '' } });
    let out = '';
    child.stdout.on('data', (chunk: Buffer) => {
      out += chunk;
    });
    child.stdin.end('no message\n\n');
    const [code] = await once(child, 'exit');
    assert.equal(code, 0);
    assert.equal(JSON.parse(out).error.code, -32700);
  });
});
