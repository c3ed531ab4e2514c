// Asks the API of a stand as one of its callers, and the callers that there are: one of each kind.

import type { Identity } from '../../src/types.ts';

const ISSUER = 'https://login.test';

/** What a provider would prove, by token. The groups that have a role are called as the role is. */
export const CALLERS = {
  owner: { issuer: ISSUER, subject: 'report-agent', groups: ['agents'], actingFor: 'ada' },
  /** The same agent for another person, which is another caller. */
  sibling: { issuer: ISSUER, subject: 'report-agent', groups: ['agents'], actingFor: 'bob' },
  stranger: { issuer: ISSUER, subject: 'other-agent', groups: ['agents'] },
  /** An approver of one access rule, without a role. */
  named: { issuer: ISSUER, subject: 'dora', groups: ['dba'] },
  approver: { issuer: ISSUER, subject: 'paul', groups: ['approver'] },
  auditor: { issuer: ISSUER, subject: 'anna', groups: ['auditor'] },
  operator: { issuer: ISSUER, subject: 'olga', groups: ['operator'] },
} as const satisfies Readonly<Record<string, Identity>>;

export type CallerName = keyof typeof CALLERS;

export interface Answer {
  readonly status: number;
  // biome-ignore lint/suspicious/noExplicitAny: the tests read what came back key by key
  readonly json: any;
  readonly text: string;
  readonly headers: Headers;
}

/** A token, or null for none. A body that is a text is sent as it is. */
export async function ask(
  url: string,
  token: string | null,
  method: string,
  path: string,
  body?: unknown,
  headers: Readonly<Record<string, string>> = {},
): Promise<Answer> {
  const response = await fetch(url + path, {
    method,
    headers: {
      ...(token === null ? {} : { authorization: `Bearer ${token}` }),
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...headers,
    },
    ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  });
  const text = await response.text();
  return { status: response.status, json: parsed(text), text, headers: response.headers };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

/** What the first access rule gives at once. */
export const READ = {
  connection: 'analytics',
  scopes: ['db:analytics:read'],
  ttl: '20m',
  task: 'fix-index',
  reason: 'the index is slow',
};

/** What a person has to approve. */
export const DDL = { ...READ, scopes: ['db:analytics.public:ddl'], ttl: '5m' };
