// The tools around grants: what could be asked for, asking, looking, waiting for a person, ending.

import type { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import { z } from 'zod';
import { SallyportError } from '../errors.ts';
import type { GrantRequest, Identity, ListedGrant } from '../types.ts';
import { answer, failureOf } from './answers.ts';
import { type GrantView, grantView, sentenceOf, viewOf } from './grant-view.ts';
import type { McpServices } from './services.ts';
import { addTool, type Context, type Tool } from './tool.ts';

const grantId = z.string().max(100).describe("the grant's id: gr_…");
const MAX_LISTED = 100;
const RECENT = 5;
const MAX_WAIT_S = 300;
/** Shorter than the silence after which clients and proxies give a call up. */
const PROGRESS_MS = 5_000;

export function addGrantTools(server: McpServer, services: McpServices): void {
  addTool(server, services, 'list_connections', listConnections(services));
  addTool(server, services, 'request_grant', requestGrant(services));
  addTool(server, services, 'wait_for_approval', waitForApproval(services));
  addTool(server, services, 'grant_status', grantStatus(services));
  addTool(server, services, 'complete_grant', completeGrant(services));
}

/** The grant, where it is the caller's own; else it is not there, in the words of one that is not. */
export function ownGrant({ grants }: Pick<McpServices, 'grants'>, id: string, identity: Identity): ListedGrant {
  const found = shown(grants, id);
  const own = found?.grant.identity;
  if (
    found !== null &&
    own?.issuer === identity.issuer &&
    own.subject === identity.subject &&
    own.actingFor === identity.actingFor
  ) {
    return found;
  }
  throw new SallyportError('SP_GRANT_UNKNOWN', `there is no grant ${id.slice(0, 100)} of yours`, {
    hint: 'grant_status without an id lists yours; request_grant asks for one.',
  });
}

/** Those that wait, those that are active, and the latest. */
function ownGrants({ grants }: McpServices, owner: Identity): ListedGrant[] {
  const found = [
    ...grants.list({ owner, state: 'requested', limit: MAX_LISTED }),
    ...grants.list({ owner, state: 'active', limit: MAX_LISTED }),
    ...grants.list({ owner, limit: RECENT }),
  ];
  return [...new Map(found.map((listed) => [listed.grant.id, listed])).values()];
}

function shown(grants: McpServices['grants'], id: string): ListedGrant | null {
  try {
    return grants.show(id);
  } catch (error) {
    if (error instanceof SallyportError && error.code === 'SP_GRANT_UNKNOWN') return null;
    throw error;
  }
}

function look({ grants }: McpServices, listed: ListedGrant): GrantView {
  return viewOf(listed, grants.remaining(listed.grant.id));
}

const tool = <I extends z.ZodObject, O extends z.ZodObject>(given: Tool<I, O>): Tool<I, O> => given;

function listConnections(services: McpServices) {
  return tool({
    title: 'List databases',
    description:
      'Databases you may request grants for, with the scopes that may be asked for, the longest life of a grant, and whether ' +
      'a person has to approve it. Begin here. Example: {}',
    annotations: { readOnlyHint: true, idempotentHint: true, openWorldHint: false },
    input: z.strictObject({}),
    output: z.object({
      connections: z.array(
        z.object({
          name: z.string(),
          protocol: z.enum(['postgres', 'mysql']),
          scopes: z.array(
            z.object({ scope: z.string(), max_ttl_seconds: z.number(), approval: z.enum(['auto', 'required']) }),
          ),
        }),
      ),
    }),
    run(_, { caller }) {
      const connections = services.offers(caller.identity).map(({ name, protocol, scopes }) => ({
        name,
        protocol,
        scopes: scopes.map(({ scope, maxTtlMs, approval }) => ({ scope, max_ttl_seconds: maxTtlMs / 1000, approval })),
      }));
      const lines = connections.map(({ name, protocol, scopes }) => {
        const offered = scopes.map(
          ({ scope, max_ttl_seconds: most, approval }) =>
            `\n  ${scope} for up to ${most} s${approval === 'required' ? ', a person approves' : ''}`,
        );
        return `${name} (${protocol})${offered.join('')}`;
      });
      const none = `The access rules have nothing for ${caller.identity.subject}. Tell the user: the operator grants access by group.`;
      return answer({ connections }, lines.length === 0 ? none : lines.join('\n'));
    },
  });
}

function requestGrant(services: McpServices) {
  return tool({
    title: 'Request access to a database',
    description:
      'Ask for a grant: access to one database, for one task, until a deadline. Ask for the least scope and time that the ' +
      'task needs. Scopes: db:<connection>[.<schema>[.<table>]]:<verb>[+<verb>…], verbs read, write, ddl, admin. ' +
      'Example: {"connection": "analytics", "scopes": ["db:analytics.public.orders:read"], "ttl": "20m", "task": "fix-index", ' +
      '"reason": "find the slow query behind ticket 812"}. State "active": use query. State "requested": a person has to ' +
      'approve it; call wait_for_approval.',
    annotations: { readOnlyHint: false, destructiveHint: false, idempotentHint: false, openWorldHint: false },
    input: z.strictObject({
      connection: z.string().max(200).describe('a name from list_connections'),
      scopes: z.array(z.string().max(500)).min(1).max(50),
      ttl: z.string().max(20).default('20m').describe('how long it is needed: 90s, 20m, 1h'),
      task: z.string().max(200).describe('the task in a word or two: fix-index'),
      reason: z.string().max(2000).describe('why it is needed, for the person who approves or audits it'),
      with_login: z
        .boolean()
        .default(false)
        .describe('also answer user, password and DSN for a database driver; leave it out to work with query'),
    }),
    output: grantView.extend({
      login: z.object({ user: z.string(), password: z.string(), dsn: z.string().nullable() }).optional(),
    }),
    async run({ ttl, with_login: withLogin, ...asked }, { caller }) {
      const ttlMs = services.parseDuration(ttl);
      if (ttlMs === null || ttlMs <= 0) {
        throw new SallyportError('SP_GRANT_REFUSED', `"${ttl}" is no duration`, {
          hint: 'Write it as 90s, 20m or 1h.',
        });
      }
      const request: GrantRequest = { ...asked, ttlMs, identity: caller.identity };
      try {
        const { grant, state, secret } = await services.grants.request(request);
        services.log.info(
          { grant: grant.id, state, by: services.nameOf(caller.identity) },
          'a grant has been asked for',
        );
        const view = look(services, services.grants.show(grant.id));
        const user = grant.id;
        const login = { user, password: secret, dsn: services.dsn(grant.connection, user, secret) };
        return answer({ ...view, ...(withLogin ? { login } : {}) }, said(view, withLogin ? login.dsn : null));
      } catch (error) {
        const refused = error instanceof SallyportError && error.code === 'SP_GRANT_REFUSED';
        const told = refused ? failureOf(error, lesser(services, request)) : null;
        if (told === null) throw error;
        return told;
      }
    },
  });
}

function said(view: GrantView, dsn: string | null): string {
  return dsn === null ? sentenceOf(view) : `${sentenceOf(view)} For a driver: ${dsn}`;
}

/** What of a refused request would be granted. */
function lesser({ grants }: McpServices, request: GrantRequest): string | null {
  const { scopes } = grants.preview(request);
  const granted = scopes.filter((scope) => scope.granted).map(({ scope }) => scope);
  const near = scopes.flatMap(({ granted: whole, nearest }) => (whole || nearest === null ? [] : [nearest]));
  const could = [...new Set([...granted, ...near])];
  if (could.length === 0) return 'list_connections says what you may ask for.';
  const most = scopes.flatMap(({ maxTtlMs }) => (maxTtlMs === null ? [] : [maxTtlMs]));
  const until = most.length === 0 ? '' : `, for at most ${Math.min(...most) / 1000} s`;
  return `You may ask for ${could.join(', ')}${until}.`;
}

function waitForApproval(services: McpServices) {
  return tool({
    title: 'Wait for a person to decide',
    description:
      'Wait until a person has approved or refused what waits for them. "id" is what was said to wait: a grant (gr_…). ' +
      'Answers at once where it is decided already. decided: false means that nobody has decided yet: call it again, or tell ' +
      'the user what it waits for. Example: {"id": "gr_…", "timeout_seconds": 60}',
    annotations: { readOnlyHint: true, idempotentHint: true, openWorldHint: false },
    input: z.strictObject({
      id: z.string().max(100).describe('what waits: gr_…'),
      timeout_seconds: z.number().int().min(0).max(MAX_WAIT_S).default(50),
    }),
    output: z.object({
      id: z.string(),
      kind: z.enum(['grant', 'statement']),
      decided: z.boolean(),
      state: z.string(),
      message: z.string().nullable(),
      expires_at: z.iso.datetime(),
    }),
    async run({ id, timeout_seconds: seconds }, context) {
      const listed = await decision(services, id, seconds * 1000, context);
      const view = look(services, listed);
      const { state, message, expires_at: until } = view;
      const result = { id, kind: 'grant', decided: state !== 'requested', state, message, expires_at: until };
      return answer(result, sentenceOf(view));
    },
  });
}

/** Resolves when the grant no longer waits, or after `ms`. Rejects where the call is cancelled. */
async function decision(services: McpServices, id: string, ms: number, context: Context): Promise<ListedGrant> {
  const { caller, signal, progress } = context;
  const now = () => ownGrant(services, id, caller.identity);
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const stop = services.grants.onChange((changed) => {
    if (changed === id) resolve();
  });
  const abort = () => reject(signal.reason);
  signal.addEventListener('abort', abort, { once: true });
  const timer = setTimeout(resolve, ms);
  const ticking = setInterval(() => progress('a person has not decided yet'), PROGRESS_MS);
  try {
    const listed = now();
    if (listed.state !== 'requested' || ms === 0) return listed;
    signal.throwIfAborted();
    progress(sentenceOf(look(services, listed)));
    await promise;
    return now();
  } finally {
    stop();
    signal.removeEventListener('abort', abort);
    clearTimeout(timer);
    clearInterval(ticking);
  }
}

function grantStatus(services: McpServices) {
  return tool({
    title: 'Look at grants',
    description:
      'State, scopes and time left of one grant, or without an id of all of yours that are open, and of the latest. ' +
      'Example: {"grant": "gr_…"} or {}',
    annotations: { readOnlyHint: true, idempotentHint: true, openWorldHint: false },
    input: z.strictObject({ grant: grantId.optional() }),
    output: z.object({ grants: z.array(grantView) }),
    run({ grant }, { caller: { identity } }) {
      const listed = grant === undefined ? ownGrants(services, identity) : [ownGrant(services, grant, identity)];
      const grants = listed.map((one) => look(services, one));
      const none = 'You have no grants. request_grant asks for one.';
      return answer({ grants }, grants.length === 0 ? none : grants.map(sentenceOf).join('\n'));
    },
  });
}

function completeGrant(services: McpServices) {
  return tool({
    title: 'Give access back',
    description:
      'The task is done: the grant ends now, with every session and transaction under it. Commit first. Call it as soon as the ' +
      'access is not needed any more. A request that still waits is withdrawn. Example: {"grant": "gr_…"}',
    annotations: { readOnlyHint: false, destructiveHint: true, idempotentHint: true, openWorldHint: false },
    input: z.strictObject({ grant: grantId }),
    output: grantView,
    run({ grant: id }, { caller: { identity } }) {
      const { grant } = ownGrant(services, id, identity);
      const by = services.nameOf(identity);
      const done = services.grants.complete(grant.id, by);
      services.log.info({ grant: grant.id, by }, 'a grant has been completed');
      return answer(look(services, done), `${grant.id} is completed: its sessions have ended.`);
    },
  });
}
