// Who is asked, who asks, and what could be asked for: providers, the caller, connections, explanations, health.

import { SallyportError } from '../../errors.ts';
import type { Identity } from '../../types.ts';
import { callerOf } from '../guard.ts';
import { offersFor } from '../offers.ts';
import * as schemas from '../schemas.ts';
import type { Services } from '../services.ts';
import { reachable } from '../views.ts';
import type { Api } from './route.ts';

export function healthRoutes(app: Api, services: Services): void {
  app.get(
    '/healthz',
    { schema: { tags: ['health'], summary: 'Whether the process answers', response: { 200: schemas.health } } },
    async () => ({ ok: true as const }),
  );
  app.get(
    '/readyz',
    {
      schema: {
        tags: ['health'],
        summary: 'Whether statements are answered',
        response: { 200: schemas.readiness, 503: schemas.readiness },
      },
    },
    async (_request, reply) => {
      const state = services.ready();
      return reply.code(state.ok ? 200 : 503).send(state);
    },
  );
  app.get(
    '/metrics',
    { schema: { tags: ['health'], summary: 'Metrics in the Prometheus text format' } },
    async (_request, reply) => reply.type(services.metrics.contentType).send(await services.metrics.render()),
  );
}

export function identityRoutes(app: Api, services: Services): void {
  app.get(
    '/v1/identity',
    {
      schema: {
        tags: ['identity'],
        summary: 'The identity providers whose tokens are taken',
        response: { 200: schemas.issuers },
      },
    },
    async () => ({
      issuers: services.issuers().map(({ issuer, clientId, audience }) => ({
        issuer,
        clientId: clientId ?? null,
        audience,
      })),
    }),
  );
  app.get(
    '/v1/me',
    { schema: { tags: ['identity'], summary: 'Who the caller is', response: { 200: schemas.me } } },
    async (request) => {
      const { identity, roles } = callerOf(request);
      const { groups, via, ...who } = identity;
      return { identity: { ...who, groups: [...groups], via: via && [...via] }, roles: [...roles] };
    },
  );
}

export function connectionRoutes(app: Api, services: Services, explainLimit: number): void {
  app.get(
    '/v1/connections',
    {
      schema: {
        tags: ['connections'],
        summary: 'The connections that the caller could have grants for',
        response: { 200: schemas.connectionList },
      },
    },
    async (request) => ({
      connections: offersFor(callerOf(request), services).map(({ scopes, ...connection }) => ({
        ...connection,
        host: reachable(connection.host, request.headers.host),
        scopes: scopes.map(({ maxTtlMs, ...offer }) => ({ ...offer, maxTtlSeconds: maxTtlMs / 1000 })),
      })),
    }),
  );
  app.post(
    '/v1/explain',
    {
      bodyLimit: explainLimit,
      config: { fails: [403, 404, 502] },
      schema: {
        tags: ['connections'],
        summary: 'What would be decided of a text; nothing is run',
        body: schemas.explanation,
        response: { 200: schemas.explained },
      },
    },
    async (request) => {
      const { connection, scopes, sql } = request.body;
      // What the caller could have no grant for is not there for it: an explanation tells what is in the database's catalog.
      const caller = callerOf(request);
      if (!offersFor(caller, services).some(({ name }) => name === connection)) {
        throw new SallyportError('SP_NOT_FOUND', `there is no connection "${connection}"`);
      }
      const beyond = caller.roles.size === 0 ? outOfReach(services, caller.identity, connection, scopes) : undefined;
      if (beyond !== undefined) throw new SallyportError('SP_GRANT_REFUSED', beyond);
      const lines = await services.explain({ connection, scopes, text: sql });
      return {
        statements: lines.map((line) => ({
          ...line,
          verbs: [...line.verbs],
          relations: [...line.relations],
          functions: [...line.functions],
          columns: line.columns?.map((column) => ({ ...column, from: [...column.from] })),
        })),
      };
    },
  );
}

/** Why the identity could ask for no grant with one of the scopes, whatever its life; undefined where it could for each. */
function outOfReach(
  { grants }: Services,
  identity: Identity,
  connection: string,
  scopes: readonly string[],
): string | undefined {
  const words = { task: 'explain', reason: 'explain' };
  const asked = grants.preview({ identity, connection, scopes, ttlMs: 1000, ...words });
  return asked.scopes.find(({ maxTtlMs }) => maxTtlMs === null)?.message ?? undefined;
}
