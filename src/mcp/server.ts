// The MCP server of one session: what it tells a model of itself, and its tools.

import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import { addGrantTools } from './grant-tools.ts';
import { addQueryTools, type Run } from './query-tools.ts';
import type { McpServices } from './services.ts';

const INSTRUCTIONS = `Databases behind a gateway. You hold no database credential: for each task you request a grant, work under it, and give it back.
1. list_connections: what you may ask for.
2. request_grant with the least scope and time that the task needs, and an honest reason. Where a person has to approve it, wait_for_approval.
3. query, one statement at a time. Statements are judged and recorded; some values arrive masked.
4. complete_grant as soon as the task is done.
A refusal says what to do next. Do not look for ways around it: ask for what the task needs, or tell the user.`;

export function createServer(services: McpServices, version: string, run: Run): McpServer {
  const info = { name: 'sallyport', title: 'Sallyport', version };
  const server = new McpServer(info, { instructions: INSTRUCTIONS });
  addGrantTools(server, services);
  addQueryTools(server, services, run);
  return server;
}
