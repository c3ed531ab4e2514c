// Where the MCP server is reached: `/mcp` behind the API's own guard, and the metadata by which its clients find who issues tokens
// for it (RFC 9728; "Authorization", MCP specification 2025-11-25).

import type { FastifyRequest } from 'fastify';
import { SallyportError } from '../../errors.ts';
import type { Caller } from '../../types.ts';
import { isOperatorToken } from '../callers.ts';
import { badRequest } from '../problem.ts';
import type { Mount } from '../server.ts';
import type { Services } from '../services.ts';

const METADATA = '/.well-known/oauth-protected-resource';

/** `gone` is aborted when the request's connection is closed before its answer is sent. */
export type HandleMcp = (
  request: Request,
  body: unknown,
  asking: { readonly caller: Caller; readonly client: string; readonly gone: AbortSignal },
) => Promise<Response>;

export interface McpMount {
  readonly handle: HandleMcp;
  readonly issuers: Services['issuers'];
  /** Bytes of a request. */
  readonly bodyLimit: number;
}

export function mountMcp({ handle, issuers, bodyLimit }: McpMount): Mount {
  return (app, callerOf) => {
    app.route({
      method: ['GET', 'POST', 'DELETE'],
      url: '/mcp',
      bodyLimit,
      handler: async (request, reply) => {
        const caller = actingCaller(callerOf(request), request);
        const gone = new AbortController();
        reply.raw.once('close', () => {
          if (!reply.raw.writableFinished) gone.abort(new Error('the client has left'));
        });
        const client = `${request.ip}:${request.socket.remotePort ?? 0}`;
        return handle(webRequest(request), request.body, { caller, client, gone: gone.signal });
      },
    });
    for (const url of [METADATA, `${METADATA}/mcp`]) {
      app.get(url, async (request) => {
        const servers = issuers().map(({ issuer }) => issuer);
        if (servers.length === 0) throw new SallyportError('SP_NOT_FOUND', 'no identity provider is configured');
        return {
          resource: `${originOf(request)}/mcp`,
          resource_name: 'Sallyport',
          authorization_servers: servers,
          bearer_methods_supported: ['header'],
        };
      });
    }
  };
}

/** WWW-Authenticate (RFC 9728, 5.1): where there are providers, the address of the metadata that names them. */
export function mcpChallenge(issuers: Services['issuers']): (request: FastifyRequest) => string {
  return (request) => {
    if (request.url.split('?')[0] !== '/mcp' || issuers().length === 0) return 'Bearer';
    return `Bearer resource_metadata="${originOf(request)}${METADATA}/mcp"`;
  };
}

/** As the client wrote it, which is what it compares the metadata with. */
function originOf({ headers, protocol }: FastifyRequest): string {
  const host = /^[\w.:[\]-]+$/.test(headers.host ?? '') ? headers.host : 'localhost';
  return `${headers['x-forwarded-proto'] === 'https' ? 'https' : protocol}://${host}`;
}

/**
 * An agent has no role at its tools: it works with grants of its own. The operator token stands for the agent that the headers
 * name, as it does in a request for a grant; a provider's token is who it says.
 */
function actingCaller(caller: Caller, { headers }: FastifyRequest): Caller {
  const subject = headers['sallyport-identity'];
  const groups = headers['sallyport-groups'];
  const { identity } = caller;
  const roles: Caller['roles'] = new Set();
  if (subject === undefined && groups === undefined) return { identity, roles };
  if (!isOperatorToken(caller)) {
    throw new SallyportError(
      'SP_FORBIDDEN',
      'Sallyport-Identity and Sallyport-Groups are for the operator token alone',
      {
        hint: `Leave them out: the token says that you are ${identity.subject}.`,
      },
    );
  }
  const named = typeof groups === 'string' ? groups.split(',').map((group) => group.trim()) : [];
  const acting = { ...identity, subject: String(subject ?? identity.subject).trim(), groups: named.filter(Boolean) };
  if (acting.groups.length > 100 || [acting.subject, ...acting.groups].some((name) => !/^.{1,200}$/.test(name))) {
    throw badRequest(
      'Sallyport-Identity and the groups of Sallyport-Groups have 1 to 200 characters; 100 groups at most',
    );
  }
  return { identity: acting, roles };
}

/** The request without its body, which is read and parsed already. */
function webRequest(request: FastifyRequest): Request {
  const headers = new Headers();
  for (const [name, value] of Object.entries(request.headers)) {
    if (name === 'authorization' || value === undefined) continue;
    headers.set(name, Array.isArray(value) ? value.join(', ') : value);
  }
  return new Request('http://localhost/mcp', { method: request.method, headers });
}
