// The shapes of the HTTP API, each written once: requests are read by them, answers are cut to them, and the OpenAPI
// document is made of them.

import { z } from 'zod';
import { CODES } from '../errors.ts';
import { ROLES } from '../types.ts';

/** What stands under `components.schemas` of the OpenAPI document. */
export const registry = z.registry<{ id?: string; description?: string; examples?: unknown[] }>();

function named<S extends z.ZodType>(id: string, schema: S, description: string, ...examples: z.output<S>[]): S {
  registry.add(schema, { id, description, ...(examples.length === 0 ? {} : { examples }) });
  return schema;
}

/** A copy, because the same schema may stand in several places. */
function described<S extends z.ZodType>(schema: S, description: string): S {
  const copy = schema.clone() as S;
  registry.add(copy, { description });
  return copy;
}

// --- Parts ---------------------------------------------------------------------------------------------------------

const word = z.string().trim().min(1).max(200);
const reason = z.string().trim().min(1).max(2000);
/** ISO 8601, in UTC. */
const time = z.iso.datetime();
const count = z.int().min(0);
const approval = z.enum(['auto', 'required']);
const STATES = ['requested', 'active', 'refused', 'completed', 'expired', 'revoked'] as const;
const state = z.enum(STATES);
const protocol = z.enum(['postgres', 'mysql']);
const next = described(z.string().nullable(), '`before` of the next page; null where this is the last');

export const withId = z.strictObject({ id: z.string().min(1).max(200) });

const page = {
  limit: described(z.coerce.number().int().min(1).max(1000).default(50), 'at most so many'),
  before: described(word.optional(), '`next` of the page before'),
};
const mine = described(z.enum(['true', 'false']).optional(), "only the caller's own, whatever its roles show it");

export const problem = named(
  'Problem',
  z.object({
    type: z.literal('about:blank'),
    title: z.string(),
    status: z.int(),
    detail: z.string().optional(),
    code: described(z.enum(Object.keys(CODES) as [keyof typeof CODES]).optional(), 'stable, for programs'),
    hint: described(z.string().optional(), 'what would make it work'),
    requestId: described(z.string().optional(), "as the answer's x-request-id and the gateway's log have it"),
  }),
  'What went wrong (RFC 9457, application/problem+json).',
  {
    type: 'about:blank',
    title: 'the grant is refused',
    status: 403,
    detail: 'scope db:analytics:write is not among those that group agents may request; nearest: db:analytics:read',
    code: 'SP_GRANT_REFUSED',
    requestId: '4f1d2c9a7b3e5081',
  },
);

const identity = named(
  'Identity',
  z.object({
    issuer: described(z.string(), "the token's issuer; `operator` where the operator token was what proved the caller"),
    subject: described(z.string(), 'who acts: for a delegated token the agent'),
    groups: z.array(z.string()),
    actingFor: described(z.string().optional(), 'the person an agent acts for'),
    via: z.array(z.string()).optional(),
  }),
  'Who asks.',
  { issuer: 'https://login.example.com', subject: 'report-agent', groups: ['agents'], actingFor: 'ada@example.com' },
);

// --- Grants --------------------------------------------------------------------------------------------------------

export const grantRequest = named(
  'GrantRequest',
  z.strictObject({
    connection: word,
    scopes: z.array(z.string().min(1).max(1024)).min(1).max(100),
    ttl: described(z.string().min(1).max(40), 'a duration with its unit: 20m, 90s, 1h30m'),
    task: word,
    reason,
    identity: described(word.optional(), 'who it is for: with the operator token alone'),
    groups: described(z.array(word).max(100).optional(), "that identity's groups: with the operator token alone"),
  }),
  'One task, one connection, a scope, a deadline.',
  {
    connection: 'analytics',
    scopes: ['db:analytics.public:read'],
    ttl: '20m',
    task: 'weekly-report',
    reason: 'numbers for Monday',
  },
);

const granted = {
  id: z.string(),
  user: described(z.string(), 'the login on the database port'),
  password: described(z.string(), 'shown here once, and nowhere again'),
  expiresAt: time,
  dsn: described(z.string().nullable(), 'null where the connection has gone from the config meanwhile'),
};
const GRANTED = {
  id: 'gr_cw6zq2hnm5t4xk7v',
  user: 'gr_cw6zq2hnm5t4xk7v',
  password: 'sEcReT',
  expiresAt: '2026-01-02T03:24:05.000Z',
  dsn: 'postgresql://gr_cw6zq2hnm5t4xk7v:sEcReT@127.0.0.1:6432/analytics?sslmode=require',
};
export const issued = named('IssuedGrant', z.object(granted), 'A grant that is active, with its secret.', GRANTED);
export const waiting = named(
  'WaitingGrant',
  z.object({ ...granted, state: z.literal('requested') }),
  'A grant that a person has to approve: its login is refused until then. `expiresAt` is when the request lapses.',
  { ...GRANTED, state: 'requested' },
);

const decision = z.object({ by: z.string(), at: time, reason: z.string() });
const grantFields = {
  id: z.string(),
  state,
  task: z.string(),
  reason: z.string(),
  identity,
  connection: z.string(),
  scopes: z.array(z.string()),
  requestedAt: time,
  expiresAt: described(time, 'of a request that waits: when it lapses'),
  flags: described(z.array(z.string()), 'what a person who looks at it should know'),
  awaits: described(z.string().optional(), 'what it waits for'),
  decided: described(decision.optional(), 'the person who approved or refused it'),
  endedAt: time.optional(),
  endedBy: z.string().optional(),
  endReason: z.string().optional(),
};
const GRANT = {
  id: 'gr_cw6zq2hnm5t4xk7v',
  state: 'active' as const,
  task: 'weekly-report',
  reason: 'numbers for Monday',
  identity: { issuer: 'https://login.example.com', subject: 'report-agent', groups: ['agents'] },
  connection: 'analytics',
  scopes: ['db:analytics.public:read'],
  requestedAt: '2026-01-02T03:04:05.000Z',
  expiresAt: '2026-01-02T03:24:05.000Z',
  flags: [],
};
export const grant = named('Grant', z.object(grantFields), 'A grant; never its secret.', GRANT);
const historyEvent = z.object({ at: time, event: z.string(), by: z.string(), reason: z.string() });
export const grantWithHistory = named(
  'GrantWithHistory',
  z.object({ ...grantFields, history: described(z.array(historyEvent), 'oldest first') }),
  'A grant and what happened to it.',
  {
    ...GRANT,
    history: [{ at: GRANT.requestedAt, event: 'requested', by: 'report-agent', reason: 'numbers for Monday' }],
  },
);
export const grantList = named('GrantList', z.object({ grants: z.array(grant), next }), 'Grants, newest first.');
export const grantQuery = z.strictObject({
  ...page,
  state: state.optional(),
  connection: word.optional(),
  subject: word.optional(),
  mine,
});

export const preview = named(
  'Preview',
  z.object({
    granted: described(z.boolean(), 'the request as it is would be granted'),
    approval,
    message: described(z.string().nullable(), 'why not, or why a person has to approve it'),
    scopes: z.array(
      z.object({
        scope: described(z.string(), 'ready to be asked for'),
        granted: z.boolean(),
        approval,
        maxTtlSeconds: described(z.number().nullable(), 'null where no access rule has the scope'),
        message: z.string().nullable(),
        nearest: described(z.string().nullable(), 'the nearest scope that may be asked for'),
      }),
    ),
  }),
  'What would be granted, were it asked for now: a scope of several verbs is split where not all of them would be.',
  {
    granted: false,
    approval: 'auto',
    message: 'scope db:analytics:write is not among those that group agents may request',
    scopes: [
      {
        scope: 'db:analytics:read',
        granted: true,
        approval: 'auto',
        maxTtlSeconds: 1800,
        message: null,
        nearest: null,
      },
    ],
  },
);

export const nothing = z.strictObject({});
export const maybeReason = z.strictObject({ reason: reason.optional() });
export const withReason = z.strictObject({ reason });
export const revocations = named(
  'Revocation',
  z
    .strictObject({
      subject: described(word.optional(), 'every open grant and waiting request of this subject'),
      all: described(z.literal(true).optional(), 'every open grant and waiting request that there is'),
      reason,
    })
    .refine(({ subject, all }) => (subject === undefined) !== (all === undefined), 'either subject or all: true'),
  'The big red switch: either `subject` or `all: true`.',
  { subject: 'report-agent', reason: 'it asks for too much' },
);
export const revoked = named('Revoked', z.object({ revoked: z.array(grant) }), 'The grants that ended.');

// --- Who and where ---------------------------------------------------------------------------------------------------

export const me = named(
  'Me',
  z.object({ identity, roles: described(z.array(z.enum(ROLES)), 'none: an agent') }),
  'Who the caller is.',
  {
    identity: { issuer: 'https://login.example.com', subject: 'ada@example.com', groups: ['dba'] },
    roles: ['approver'],
  },
);
export const issuers = named(
  'Issuers',
  z.object({
    issuers: z.array(z.object({ issuer: z.string(), clientId: z.string().nullable(), audience: z.string() })),
  }),
  'The identity providers whose tokens are taken; none: the operator token is.',
  { issuers: [{ issuer: 'https://login.example.com', clientId: 'sallyport-cli', audience: 'sallyport' }] },
);
const offer = z.object({ scope: z.string(), maxTtlSeconds: z.number(), approval });
export const connectionList = named(
  'ConnectionList',
  z.object({
    connections: z.array(
      z.object({
        name: z.string(),
        protocol,
        host: described(z.string(), 'where clients log in: the gateway, not the database'),
        port: z.int(),
        scopes: described(z.array(offer), 'what the caller could ask for; parts of it too'),
      }),
    ),
  }),
  'The connections that the caller could have grants for.',
  {
    connections: [
      {
        name: 'analytics',
        protocol: 'postgres',
        host: '127.0.0.1',
        port: 6432,
        scopes: [{ scope: 'db:analytics:read', maxTtlSeconds: 1800, approval: 'auto' }],
      },
    ],
  },
);

// --- Statements ------------------------------------------------------------------------------------------------------

export const explanation = named(
  'Explanation',
  z.strictObject({
    connection: word,
    scopes: described(z.array(z.string().min(1).max(1024)).max(100).default([]), "the grant's; none: out of scope"),
    sql: z.string(),
  }),
  'What would be decided of a text; nothing is run.',
  { connection: 'analytics', scopes: ['db:analytics:read'], sql: 'SELECT 1' },
);
const verdict = z.object({ action: z.enum(['allow', 'deny', 'approve']), rule: z.string(), reason: z.string() });
const explainedColumn = z.object({
  column: z.string(),
  dependence: z.string(),
  from: z.array(z.string()),
  mask: z.string(),
});
export const explained = named(
  'Explained',
  z.object({
    statements: z.array(
      z.object({
        statement: z.string(),
        verbs: z.array(z.string()),
        relations: z.array(z.string()),
        functions: z.array(z.string()),
        verdict,
        columns: z.array(explainedColumn).optional(),
      }),
    ),
  }),
  'A verdict a statement.',
);

/** Nothing waits yet: statements are not held for a person so far. */
const pending = z.object({ id: z.string() });
export const approvalList = named('ApprovalList', z.object({ approvals: z.array(pending), next }), 'What waits.', {
  approvals: [],
  next: null,
});

// --- Sessions --------------------------------------------------------------------------------------------------------

const sessionConnection = z.object({
  name: z.string(),
  host: described(z.string().optional(), "the database's own address: for the operator and auditors alone"),
  port: z.int().optional(),
  database: z.string().optional(),
});
export const session = named(
  'Session',
  z.object({
    id: z.string(),
    startedAt: time,
    lastAt: time,
    endedAt: time.nullable(),
    endReason: z.string().nullable(),
    records: count,
    statements: z.object({ allow: count, deny: count, approve: count }),
    facts: z
      .object({
        protocol: z.string(),
        client: z.string(),
        application: z.string(),
        connection: sessionConnection,
        identity: z.object({
          issuer: z.string(),
          subject: z.string(),
          groups: z.array(z.string()),
          actingFor: z.string().nullable(),
        }),
        grant: z.object({
          id: z.string(),
          task: z.string(),
          reason: z.string(),
          scopes: z.array(z.string()),
          requestedAt: time,
          expiresAt: time,
        }),
      })
      .nullable(),
  }),
  'One client connection under one grant.',
);
export const sessionList = named('SessionList', z.object({ sessions: z.array(session), next }), 'Newest first.');
export const sessionQuery = z.strictObject({
  ...page,
  connection: word.optional(),
  subject: word.optional(),
  grant: word.optional(),
  since: described(z.iso.datetime({ offset: true }).optional(), 'those that started then or later'),
  mine,
});
export const recordList = named(
  'Records',
  z.object({
    records: z.array(z.looseObject({ type: z.enum(['start', 'statement', 'outcome', 'end']), at: time })),
  }),
  'What is kept of a session, in order; bytes in base64. As application/x-ndjson: a record a line.',
);

// --- Health ----------------------------------------------------------------------------------------------------------

export const health = named('Health', z.object({ ok: z.literal(true) }), 'The process answers.', { ok: true });
export const readiness = named(
  'Readiness',
  z.object({ ok: z.boolean(), reason: z.string().optional() }),
  'Whether statements are answered.',
  { ok: true },
);
