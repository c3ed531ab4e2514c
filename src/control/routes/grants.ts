// Grants: asked for, shown, decided, ended. Whose grant is not the caller's is not there for it, unless a role shows it.

import type { z } from 'zod';
import { SallyportError } from '../../errors.ts';
import type { GrantFilter, GrantRequest, Identity, ListedGrant } from '../../types.ts';
import { forbidden, mayAll } from '../authority.ts';
import { isOperatorToken, isSame, nameOf, OPERATOR } from '../callers.ts';
import { badRequest } from '../problem.ts';
import * as schemas from '../schemas.ts';
import type { Services } from '../services.ts';
import { dsn, grantDetails, grantView, previewView } from '../views.ts';
import { type Api, type By, byOf, type Changed } from './route.ts';

const SHOW = 'GET /v1/grants/:id';
/** Grants looked at for one page, where not all of them are the caller's to see. */
const LOOK = 1000;

export function grantRoutes(app: Api, services: Services, changed: Changed): void {
  const { grants } = services;

  app.post(
    '/v1/grants',
    {
      schema: {
        tags: ['grants'],
        summary: 'Ask for a grant',
        description:
          '201: it is active. 202: a person has to approve it first. Its secret is in this answer and nowhere else.',
        body: schemas.grantRequest,
        response: { 201: schemas.issued, 202: schemas.waiting },
      },
    },
    async (request, reply) => {
      const by = byOf(request);
      const asked = grantRequestOf(request.body, by, services);
      const { grant, state, secret } = await grants.request(asked);
      changed('a grant has been asked for', request, { grant: grant.id, state });
      const login = services.login(grant.connection);
      const issued = {
        id: grant.id,
        user: grant.id,
        password: secret,
        expiresAt: new Date(grant.expiresAt).toISOString(),
        dsn: login === undefined ? null : dsn(login, grant.connection, grant.id, secret, request.headers.host),
      };
      reply.header('location', `/v1/grants/${grant.id}`);
      return state === 'active' ? reply.code(201).send(issued) : reply.code(202).send({ ...issued, state });
    },
  );

  app.post(
    '/v1/grants/preview',
    {
      schema: {
        tags: ['grants'],
        summary: 'What of a request would be granted; nothing is kept',
        body: schemas.grantRequest,
        response: { 200: schemas.preview },
      },
    },
    async (request) => previewView(grants.preview(grantRequestOf(request.body, byOf(request), services))),
  );

  app.get(
    '/v1/grants',
    {
      schema: {
        tags: ['grants'],
        summary: 'Grants, newest first',
        description: "Without a role: the caller's own, and with `state=requested` those that it may decide.",
        querystring: schemas.grantQuery,
        response: { 200: schemas.grantList },
      },
    },
    async (request) => {
      const { limit, mine, ...filter } = request.query;
      const { found, next } = pageOf(byOf(request), filter, limit, mine === 'true');
      return { grants: found.map(grantView), next };
    },
  );

  app.get(
    '/v1/grants/:id',
    {
      config: { fails: [404] },
      schema: {
        tags: ['grants'],
        summary: 'One grant with its history',
        params: schemas.withId,
        response: { 200: schemas.grantWithHistory },
      },
    },
    async (request) => details(seen(byOf(request), request.params.id)),
  );

  app.post(
    '/v1/grants/:id/complete',
    {
      config: { fails: [404, 409, 503] },
      schema: {
        tags: ['grants'],
        summary: 'The task is done: the grant and its sessions end now',
        params: schemas.withId,
        body: schemas.nothing,
        response: { 200: schemas.grantWithHistory },
      },
    },
    async (request) => {
      const by = byOf(request);
      const { grant } = ended(by, request.params.id);
      const done = grants.complete(grant.id, by.name);
      changed('a grant has been completed', request, { grant: grant.id });
      return details(done);
    },
  );

  app.post(
    '/v1/grants/:id/revoke',
    {
      config: { fails: [404, 409, 503] },
      schema: {
        tags: ['grants'],
        summary: 'Take a grant back: its sessions end now, in the middle of a statement too',
        params: schemas.withId,
        body: schemas.maybeReason,
        response: { 200: schemas.grantWithHistory },
      },
    },
    async (request) => {
      const by = byOf(request);
      const { grant } = ended(by, request.params.id);
      const done = grants.revoke(grant.id, by.name, request.body.reason ?? `revoked by ${whoRevokes(by)}`);
      changed('a grant has been revoked', request, { grant: grant.id });
      return details(done);
    },
  );

  app.post(
    '/v1/grants/:id/approve',
    {
      config: { fails: [404, 409, 503] },
      schema: {
        tags: ['grants'],
        summary: 'Let a waiting request become active: its life begins now',
        description: 'Never by who asked, nor by an agent. The access rules are asked again.',
        params: schemas.withId,
        body: schemas.maybeReason,
        response: { 200: schemas.grantWithHistory },
      },
    },
    async (request) => {
      const by = byOf(request);
      const { grant } = decidable(by, request.params.id);
      const { caller } = by;
      const reason = request.body.reason;
      const decided =
        reason === undefined ? grants.approve(grant.id, caller) : grants.approve(grant.id, caller, reason);
      changed('a grant has been approved', request, { grant: grant.id });
      return details(decided);
    },
  );

  app.post(
    '/v1/grants/:id/refuse',
    {
      config: { fails: [404, 409, 503] },
      schema: {
        tags: ['grants'],
        summary: 'Refuse a waiting request',
        params: schemas.withId,
        body: schemas.withReason,
        response: { 200: schemas.grantWithHistory },
      },
    },
    async (request) => {
      const by = byOf(request);
      const { grant } = decidable(by, request.params.id);
      const decided = grants.refuse(grant.id, by.caller, request.body.reason);
      changed('a grant has been refused', request, { grant: grant.id });
      return details(decided);
    },
  );

  app.post(
    '/v1/grants/revoke',
    {
      config: { fails: [503] },
      schema: {
        tags: ['grants'],
        summary: 'The big red switch: every grant of a subject, or every grant that there is',
        body: schemas.revocations,
        response: { 200: schemas.revoked },
      },
    },
    async (request) => {
      const { subject, reason } = request.body;
      const revoked = grants.revokeAll(subject === undefined ? {} : { subject }, byOf(request).name, reason);
      changed('grants have been revoked', request, { subject: subject ?? 'everybody', grants: revoked.length });
      return { revoked: revoked.map(grantView) };
    },
  );

  const details = (listed: ListedGrant) => grantDetails(listed, grants.history(listed.grant.id));

  /** The grant, where the caller may see it; else it is not there, in the very words of one that is not. */
  function seen({ caller }: By, id: string): ListedGrant {
    const found = shown(id);
    if (found !== null && (mayAll(caller, SHOW) || isSame(caller.identity, found.grant.identity))) return found;
    if (found !== null && grants.mayApprove(id, caller)) return found;
    throw new SallyportError('SP_GRANT_UNKNOWN', `there is no grant ${id}`);
  }

  function shown(id: string): ListedGrant | null {
    try {
      return grants.show(id);
    } catch (error) {
      if (error instanceof SallyportError && error.code === 'SP_GRANT_UNKNOWN') return null;
      throw error;
    }
  }

  function ended(by: By, id: string): ListedGrant {
    const found = seen(by, id);
    if (mayAll(by.caller, by.route) || isSame(by.caller.identity, found.grant.identity)) return found;
    throw forbidden(by.caller, by.route);
  }

  /** Who asked is kept from deciding by the grants themselves. */
  function decidable(by: By, id: string): ListedGrant {
    const found = seen(by, id);
    if (mayAll(by.caller, by.route) || grants.mayApprove(id, by.caller)) return found;
    throw forbidden(by.caller, by.route);
  }

  function pageOf({ caller }: By, filter: GrantFilter, limit: number, mine: boolean) {
    const all = mayAll(caller, 'GET /v1/grants');
    const owner = mine || (!all && filter.state !== 'requested') ? caller.identity : undefined;
    // One more than is shown says whether there is a next page.
    const look = all || owner !== undefined ? Math.min(limit + 1, LOOK) : LOOK;
    const listed = grants.list({ ...filter, limit: look, owner });
    const visible = listed.filter(
      ({ grant }) => all || isSame(caller.identity, grant.identity) || grants.mayApprove(grant.id, caller),
    );
    const found = visible.slice(0, limit);
    const last = visible.length > limit ? found.at(-1) : listed.length === LOOK ? listed.at(-1) : undefined;
    return { found, next: last?.grant.id ?? null };
  }
}

/** The request as the access rules judge it. Only the operator token may speak for another identity. */
function grantRequestOf(body: z.output<typeof schemas.grantRequest>, by: By, services: Services): GrantRequest {
  const { connection, scopes, task, reason, ttl, identity: subject, groups } = body;
  const ttlMs = services.parseDuration(ttl);
  if (ttlMs === null || ttlMs <= 0) throw badRequest(`ttl: "${ttl}" is not a duration such as 20m`);
  const common = { connection, scopes, task, reason, ttlMs };
  if (!isOperatorToken(by.caller)) {
    if (subject === undefined && groups === undefined) return { ...common, identity: by.caller.identity };
    throw new SallyportError('SP_FORBIDDEN', 'identity and groups are for the operator token alone', {
      hint: `Leave them out: the token says that you are ${by.caller.identity.subject}.`,
    });
  }
  const identity: Identity = { issuer: OPERATOR, subject: subject ?? OPERATOR, groups: groups ?? [] };
  return { ...common, identity, ...(isSame(identity, by.caller.identity) ? {} : { by: nameOf(by.caller.identity) }) };
}

/** As the history says it where no reason was given. */
function whoRevokes({ caller, name }: By): string {
  return isOperatorToken(caller) ? 'the operator' : name;
}
