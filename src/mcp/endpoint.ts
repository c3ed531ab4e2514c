// The MCP endpoint: sessions of the streamable HTTP transport ("Transports", MCP specification 2025-11-25), each of one caller.
//
// Sessions are kept, although every tool could do without: only they bring a cancellation, which comes in a request of its own,
// to the call that it means, and only `initialize` says the client's name, which goes on record. What a session holds in
// databases ends with it. There is no stream from the server alone, so a GET is answered with 405, as the specification has it.

import { randomUUID } from 'node:crypto';
import type { Server } from '@modelcontextprotocol/sdk/server/index.js';
import { WebStandardStreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/webStandardStreamableHttp.js';
import { isInitializeRequest } from '@modelcontextprotocol/sdk/types.js';
import type { Identity } from '../types.ts';
import { type Databases, openDatabases } from './databases.ts';
import { createServer } from './server.ts';
import type { Asking, McpServices } from './services.ts';
import { ASKING } from './tool.ts';

/** Milliseconds without a request, after which a session is forgotten; its client begins another when it is told 404. */
const IDLE_MS = 60 * 60_000;
const LOOK_MS = 60_000;
/** Sessions of one caller, and of all: beyond them the one that was not used for the longest time goes. */
const PER_CALLER = 50;
const MOST = 2000;

interface Session {
  readonly identity: Identity;
  readonly server: Server;
  readonly transport: WebStandardStreamableHTTPServerTransport;
  readonly databases: Databases;
  usedAt: number;
}

export interface Endpoint {
  /** `body` is the request's JSON, parsed; the request itself is only asked for its method, address and headers. */
  handle(request: Request, body: unknown, asking: Asking): Promise<Response>;
  close(): Promise<void>;
}

export function openEndpoint(
  services: McpServices,
  version: string,
  now: () => number = () => performance.now(),
): Endpoint {
  /** The one that was not used for the longest time first. */
  const sessions = new Map<string, Session>();

  async function end(id: string): Promise<void> {
    const session = sessions.get(id);
    sessions.delete(id);
    session?.databases.close();
    // Calls that still run are aborted by it.
    await session?.server.close();
  }

  const looking = setInterval(() => {
    for (const [id, { usedAt }] of sessions) if (now() - usedAt > IDLE_MS) void end(id);
  }, LOOK_MS).unref();

  async function begin(identity: Identity): Promise<Session> {
    const own = [...sessions].filter(([, session]) => isSame(session.identity, identity));
    const [oldest] = own.length >= PER_CALLER ? own : sessions.size >= MOST ? sessions : [];
    if (oldest !== undefined) await end(oldest[0]);
    const databases = openDatabases(services, () => server.server.getClientVersion());
    const server = createServer(services, version, databases.run);
    const transport = new WebStandardStreamableHTTPServerTransport({
      sessionIdGenerator: randomUUID,
      onsessioninitialized: (id) => void sessions.set(id, session),
      onsessionclosed: (id) => void end(id),
    });
    const session = { identity, server: server.server, transport, databases, usedAt: now() };
    await server.connect(transport);
    return session;
  }

  /** Whose session it is not, to them it is not there. */
  function known(id: string, identity: Identity): Session | undefined {
    const session = sessions.get(id);
    if (session === undefined || !isSame(session.identity, identity)) return undefined;
    session.usedAt = now();
    sessions.delete(id);
    sessions.set(id, session);
    return session;
  }

  return {
    async handle(request, body, asking) {
      if (request.method === 'GET') return failed(405, 'there is no stream to listen to', { allow: 'POST, DELETE' });
      const { identity } = asking.caller;
      const id = request.headers.get('mcp-session-id');
      if (id === null && !isInitializeRequest(body))
        return failed(400, 'begin with initialize: there is no Mcp-Session-Id');
      const session = id === null ? await begin(identity) : known(id, identity);
      if (session === undefined) return failed(404, 'there is no such session: begin another with initialize');
      // The bearer's token has been proven and goes no further.
      const authInfo = { token: '', clientId: identity.subject, scopes: [], extra: { [ASKING]: asking } };
      return session.transport.handleRequest(request, { parsedBody: body, authInfo });
    },
    async close() {
      clearInterval(looking);
      await Promise.all([...sessions.keys()].map(end));
    },
  };
}

function failed(status: number, message: string, headers: Record<string, string> = {}): Response {
  return Response.json({ jsonrpc: '2.0', error: { code: -32000, message }, id: null }, { status, headers });
}

function isSame(a: Identity, b: Identity): boolean {
  return a.issuer === b.issuer && a.subject === b.subject && a.actingFor === b.actingFor;
}
