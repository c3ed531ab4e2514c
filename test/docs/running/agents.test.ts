// docs/agents.md in step with the gateway: its snippets run as they stand there, its tools are those that there are.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import type { Transport } from '@modelcontextprotocol/sdk/shared/transport.js';
import pg from 'pg';
import { mysqlStand } from '../../drivers/mysql-stand.ts';
import { missing, run, stand } from '../../drivers/stand.ts';
import { asAgent, connect, mcpUrl, operatorToken } from '../../mcp/client.ts';
import type { IssuedGrant, TestGateway } from '../../servers/gateway.ts';
import { FLAVOURS } from '../../servers/mysql.ts';
import { startProvider } from '../../servers/oidc.ts';

const ROOT = join(import.meta.dirname, '../../..');
const ENTRY = join(ROOT, 'src/cli/index.ts');
const PYTHON = '/usr/bin/python3';
const page = readFileSync(join(ROOT, 'docs/agents.md'), 'utf8');

interface Block {
  readonly language: string;
  readonly text: string;
}

function blocksOf(text: string): Block[] {
  return [...text.matchAll(/```(\w+)\n([\s\S]*?)```/g)].map(([, language = '', body = '']) => ({
    language,
    text: body,
  }));
}

const section = (title: string): string => {
  const [, rest = ''] = page.split(`\n${title}\n`);
  return rest.split(/\n##+ /)[0] ?? '';
};

const provider = await startProvider();
after(() => provider.close());
const config = {
  identity: { issuers: [{ issuer: provider.issuer, audience: provider.audience }] },
  access: [{ groups: ['agents'], connections: ['db'], scopes: ['db:db:read'], maxTtl: '1h' }],
};

async function ask({ running }: TestGateway, token: string): Promise<IssuedGrant> {
  const { api } = running.addresses;
  const response = await fetch(`http://${api.host}:${api.port}/v1/grants`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify({
      connection: 'db',
      scopes: ['db:db:read'],
      ttl: '10m',
      task: 'churn-report',
      reason: 'a test',
    }),
  });
  assert.equal(response.status, 201);
  return (await response.json()) as IssuedGrant;
}

/** Why a snippet in Python cannot run here, by its text. */
const lacking = new Map<string, string>();
for (const { language, text } of blocksOf(page)) {
  if (language !== 'python') continue;
  const imports = text.split('\n').filter((line) => /^(import|from) /.test(line));
  const why = await missing(PYTHON, '-c', imports.join('\n'));
  if (why !== false) lacking.set(text, why);
}

/** As it stands on the page, but for the address. */
function placed(text: string, { host, port }: TestGateway): string {
  return text
    .replaceAll('127.0.0.1', host)
    .replace(/\b6432\b|\b6306\b/g, String(port))
    .replaceAll('analytics', 'db');
}

function snippets(title: string, gatewayOf: () => TestGateway): void {
  for (const { language, text } of blocksOf(section(title))) {
    const [first = ''] = text.split('\n');
    if (language !== 'python' && language !== 'js') continue;
    const skip = lacking.get(text) ?? false;
    test(`${title}: ${first}`, { skip }, async () => {
      const gateway = gatewayOf();
      const token = await provider.token({ sub: first });
      const { dsn } = await ask(gateway, token);
      const program = placed(text, gateway);
      const args = language === 'python' ? ['-c', program] : ['--input-type=module', '-e', program];
      const command = language === 'python' ? PYTHON : process.execPath;
      assert.deepEqual(await run(command, args, { DSN: dsn, TOKEN: token }), { code: 0, out: '9\n', err: '' });
    });
  }
}

const CUSTOMERS = 'CREATE VIEW customers AS SELECT id, name FROM users';

describe('PostgreSQL', () => {
  const postgres = stand(['nothing'], {
    config,
    async prepare({ connectionString }) {
      const client = new pg.Client({ connectionString });
      await client.connect();
      await client.query(CUSTOMERS);
      await client.end();
    },
  });
  snippets('### PostgreSQL', () => postgres.gateway('nothing'));

  test('the commands that ask for a grant', async () => {
    const gateway = postgres.gateway('nothing');
    const [block] = blocksOf(section('## 2. A grant'));
    const script = `set -eu\nsallyport() { "${process.execPath}" "${ENTRY}" "$@"; }\n${placed(block?.text ?? '', gateway)}`;
    const { api } = gateway.running.addresses;
    const env = {
      SALLYPORT_API_LISTEN: `${api.host}:${api.port}`,
      SALLYPORT_TOKEN: await provider.token({ sub: 'commands' }),
    };
    const { code, out, err } = await run('sh', ['-c', script], env);
    assert.deepEqual([code, err], [0, '']);
    const issued = JSON.parse(out.trim().split('\n').at(-1) ?? '') as object;
    const [, shown] = blocksOf(section('## 2. A grant'));
    assert.deepEqual(Object.keys(issued), Object.keys(JSON.parse(shown?.text ?? '')));
  });
});

for (const flavour of FLAVOURS) {
  describe(flavour, () => {
    const server = mysqlStand(flavour, ['nothing'], {
      config,
      async prepare() {
        await server.database.query(CUSTOMERS);
      },
    });
    snippets('### MySQL and MariaDB', () => server.gateway('nothing'));
  });
}

describe('MCP', () => {
  const postgres = stand(['nothing']);
  const blocks = blocksOf(section('## 4. Or MCP, without a driver')).map(({ text }) => text);

  test('the tools are those that there are', async () => {
    const agent = await asAgent(postgres.gateway('nothing'));
    const { tools } = await agent.client.listTools();
    const told = [...page.matchAll(/^\| `([a-z]+_?[a-z_]*)` \|/gm)].map(([, name]) => name);
    assert.deepEqual(told.sort(), tools.map(({ name }) => name).sort());
    await agent.close();
  });

  test('each way to configure a client connects it', async () => {
    const gateway = postgres.gateway('nothing');
    const { api } = gateway.running.addresses;
    const ways: string[] = [];
    for (const block of blocks) {
      const { sallyport } = JSON.parse(block).mcpServers;
      ways.push(sallyport.type ?? sallyport.args.join(' '));
      const transport =
        sallyport.url === undefined
          ? new StdioClientTransport({
              command: process.execPath,
              args: [ENTRY, ...sallyport.args],
              env: {
                HOME: gateway.dir,
                ...sallyport.env,
                SALLYPORT_API_LISTEN: `${api.host}:${api.port}`,
                SALLYPORT_DATA_DIR: gateway.env.dataDir,
              },
            })
          : new StreamableHTTPClientTransport(mcpUrl(gateway), {
              requestInit: {
                headers: { Authorization: sallyport.headers.Authorization.replace('<token>', operatorToken(gateway)) },
              },
            });
      const agent = await connect(transport as Transport);
      assert.equal((await agent.call('list_connections', {})).failed, false);
      await agent.close();
    }
    assert.deepEqual(ways, ['mcp', 'mcp --identity report-agent --group agents', 'http']);
  });
});
