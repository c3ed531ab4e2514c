// The official client of the protocol, and a tool's answer as the tests read it.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import type { RequestOptions } from '@modelcontextprotocol/sdk/shared/protocol.js';
import type { Transport } from '@modelcontextprotocol/sdk/shared/transport.js';
import type { CallToolResult } from '@modelcontextprotocol/sdk/types.js';
import type { TestGateway } from '../servers/gateway.ts';

export interface Answered {
  readonly failed: boolean;
  /** The sentence, or the table. */
  readonly text: string;
  // biome-ignore lint/suspicious/noExplicitAny: each tool has a shape of its own, which the client checks against its schema
  readonly data: any;
  /** What stands beside an error, for programs. */
  readonly about: { readonly code?: string; readonly decision?: Record<string, unknown> };
}

export interface Agent {
  readonly client: Client;
  call(tool: string, args: Record<string, unknown>, options?: RequestOptions): Promise<Answered>;
  /** An active grant's id. */
  grant(options?: { scopes?: readonly string[]; ttl?: string; task?: string }): Promise<string>;
  query(grant: string, sql: string, more?: Record<string, unknown>, options?: RequestOptions): Promise<Answered>;
  close(): Promise<void>;
}

export const mcpUrl = ({ running: { addresses } }: TestGateway): URL =>
  new URL(`http://${addresses.api.host}:${addresses.api.port}/mcp`);

export const operatorToken = ({ dir }: TestGateway): string =>
  readFileSync(join(dir, 'data', 'operator.token'), 'utf8').trim();

/** With the operator token, as the agent of this name in the group `agents`. */
export function asAgent(gateway: TestGateway, name = 'agent'): Promise<Agent> {
  const headers = {
    authorization: `Bearer ${operatorToken(gateway)}`,
    'sallyport-identity': name,
    'sallyport-groups': 'agents',
  };
  return connect(new StreamableHTTPClientTransport(mcpUrl(gateway), { requestInit: { headers } }) as Transport);
}

export function withToken(gateway: TestGateway, token: string): Promise<Agent> {
  const requestInit = { headers: { authorization: `Bearer ${token}` } };
  return connect(new StreamableHTTPClientTransport(mcpUrl(gateway), { requestInit }) as Transport);
}

export async function connect(transport: Transport): Promise<Agent> {
  const client = new Client({ name: 'test-agent', version: '1.2.3' });
  await client.connect(transport);
  // Knowing the tools' schemas, it checks each answer against them.
  await client.listTools();
  const call: Agent['call'] = async (name, args, options) => {
    const result = (await client.callTool({ name, arguments: args }, undefined, options)) as CallToolResult;
    const [first, second] = result.content.map((part) => (part.type === 'text' ? part.text : ''));
    return {
      failed: result.isError === true,
      text: first ?? '',
      data: result.structuredContent,
      about: second === undefined ? {} : JSON.parse(second),
    };
  };
  return {
    client,
    call,
    async grant({ scopes = ['db:db:read'], ttl = '10m', task = 'test' } = {}) {
      const { failed, text, data } = await call('request_grant', {
        connection: 'db',
        scopes,
        ttl,
        task,
        reason: `for ${task}, whose deadline is ${ttl}`,
      });
      if (failed) throw new Error(text);
      return data.id as string;
    },
    query: (grant, sql, more = {}, options) => call('query', { grant, sql, ...more }, options),
    close: () => client.close(),
  };
}
