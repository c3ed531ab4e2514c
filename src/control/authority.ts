// Who may do what: one table from route to callers. What is not in it nobody may.

import { SallyportError } from '../errors.ts';
import type { Caller, Role } from '../types.ts';

/**
 * A role's name: for whoever has it, over everything. `own`: every proven caller, over what is its own; the rest is not
 * there for it. `named`: whom the grant's access rule names as approvers, over that grant.
 */
export type Holder = Role | 'own' | 'named';

/** `anyone`: open, without a proof. `proven`: every caller who proved who it is. */
export type Who = 'anyone' | 'proven' | readonly Holder[];

const READERS_OF_GRANTS = ['own', 'named', 'operator', 'approver', 'auditor'] as const;
const READERS_OF_SESSIONS = ['own', 'operator', 'auditor'] as const;
const DECIDERS = ['named', 'operator', 'approver'] as const;

/** By method and the route as it is registered. */
export const WHO: Readonly<Record<string, Who>> = {
  'GET /healthz': 'anyone',
  'GET /readyz': 'anyone',
  'GET /metrics': 'anyone',
  'GET /v1/openapi.json': 'anyone',
  'GET /v1/identity': 'anyone',
  'GET /.well-known/oauth-protected-resource': 'anyone',
  'GET /.well-known/oauth-protected-resource/mcp': 'anyone',

  'GET /v1/me': 'proven',
  'GET /v1/connections': 'proven',
  'POST /v1/explain': 'proven',

  'POST /v1/grants': 'proven',
  'POST /v1/grants/preview': 'proven',
  'GET /v1/grants': READERS_OF_GRANTS,
  'GET /v1/grants/:id': READERS_OF_GRANTS,
  'POST /v1/grants/:id/complete': ['own', 'operator'],
  'POST /v1/grants/:id/revoke': ['own', 'operator'],
  'POST /v1/grants/:id/approve': DECIDERS,
  'POST /v1/grants/:id/refuse': DECIDERS,
  'POST /v1/grants/revoke': ['operator'],

  'GET /v1/approvals': 'proven',
  'GET /v1/approvals/:id': 'proven',
  'POST /v1/approvals/:id/approve': ['operator', 'approver'],
  'POST /v1/approvals/:id/deny': ['operator', 'approver'],

  'GET /v1/sessions': READERS_OF_SESSIONS,
  'GET /v1/sessions/:id': READERS_OF_SESSIONS,
  'GET /v1/sessions/:id/records': READERS_OF_SESSIONS,

  'GET /mcp': 'proven',
  'POST /mcp': 'proven',
  'DELETE /mcp': 'proven',
};

/** The row of a route; undefined for what is not there. HEAD is asked as GET is. */
export function whoMay(method: string, url: string | undefined): Who | undefined {
  const row = `${method === 'HEAD' ? 'GET' : method} ${url}`;
  return url !== undefined && Object.hasOwn(WHO, row) ? WHO[row] : undefined;
}

/** Whether a role of the caller's gives it the route over everything, and not only over its own. */
export function mayAll(caller: Caller, route: string): boolean {
  const who = WHO[route];
  return Array.isArray(who) && who.some((holder) => caller.roles.has(holder));
}

/** Whether the caller gets as far as the route's handler, which then asks whose the thing is. */
export function mayEnter(caller: Caller, who: Who | undefined): boolean {
  if (who === undefined) return false;
  if (typeof who === 'string') return true;
  return who.some((holder) => holder === 'own' || holder === 'named' || caller.roles.has(holder));
}

/** SP_FORBIDDEN, with what the route needs and what the caller has. */
export function forbidden(caller: Caller, route: string): SallyportError {
  const who = WHO[route] ?? [];
  const roles = typeof who === 'string' ? [] : who.filter((holder) => holder !== 'own' && holder !== 'named');
  const named = who.includes('named') ? ", or to be an approver of the grant's access rule" : '';
  const has = caller.roles.size === 0 ? 'none' : [...caller.roles].join(', ');
  const hint = 'Roles come from the groups of the token, under identity.roles in the config.';
  if (roles.length === 0) return new SallyportError('SP_FORBIDDEN', 'nobody may do this', { hint });
  return new SallyportError(
    'SP_FORBIDDEN',
    `this needs the role ${roles.join(' or ')}${named}; ${caller.identity.subject} has ${has}`,
    { hint },
  );
}
