// Access rules: who may be granted what. A refusal names the most specific mistake, so that the next request can be right.

import { nearest, SallyportError } from '../errors.ts';
import type { Identity, Scope, Verb } from '../types.ts';
import type { Hours } from './hours.ts';

/** As the config has it: `"*"` in `groups` and `connections` matches any; `scopes` as they are written. */
export interface AccessRule {
  readonly groups: readonly string[];
  readonly connections: readonly string[];
  readonly scopes: readonly string[];
  readonly maxTtlMs: number;
  /** `required`: a person has to approve the grant. */
  readonly approval: 'auto' | 'required';
  /** Who may approve, beside callers with the role. */
  readonly approvers?: { readonly groups: readonly string[] } | undefined;
  /** When grants may be asked for. */
  readonly hours?: Hours | undefined;
  /** Open grants of one identity on the rule's connections, waiting requests included. */
  readonly maxActive?: number | undefined;
  /** Grants in a row without a new reason; what is asked for after them a person has to approve. */
  readonly maxConsecutive?: number | undefined;
}

export interface GrantRequest {
  readonly identity: Identity;
  readonly connection: string;
  readonly scopes: readonly string[];
  readonly ttlMs: number;
  readonly task: string;
  readonly reason: string;
  /** Who asked, for the history, where it was not the identity itself. */
  readonly by?: string | undefined;
}

/** What scopes mean. */
export interface ScopeRules {
  /** Throws a `SallyportError` that names the mistake. */
  parse(text: string): Scope;
  /** Whether everything that `requested` covers is covered by `allowed`. */
  within(requested: Scope, allowed: Scope): boolean;
}

export type Authorization =
  | { readonly ok: true; readonly scopes: readonly Scope[] }
  | { readonly ok: false; readonly message: string; readonly hint?: string | undefined };

const MAX_TASK_LENGTH = 100;
const MAX_REASON_LENGTH = 2000;
const MAX_SCOPES = 64;
// Control and reordering characters would let a task or a reason show a person something else than it says.
const UNSEEN = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/u;

/** Whether the request may be granted; the scopes parsed where it may. */
export function authorize(
  request: GrantRequest,
  rules: readonly AccessRule[],
  connections: readonly string[],
  scopeRules: ScopeRules,
): Authorization {
  const mistake = mistakeIn(request);
  if (mistake !== null) return refused(mistake);
  const { connection, identity } = request;
  if (!connections.includes(connection)) {
    const near = nearest(connection, connections);
    return refused(`there is no connection "${connection}"`, near === null ? undefined : `Did you mean "${near}"?`);
  }
  const scopes: Scope[] = [];
  for (const text of request.scopes) {
    const scope = parsed(text, scopeRules);
    if (scope instanceof SallyportError) return refused(scope.message, scope.hint);
    if (scope.connection !== connection && scope.connection !== '*') {
      return refused(`scope ${text} is of connection "${scope.connection}", but the grant is for "${connection}"`);
    }
    scopes.push(scope);
  }
  const inGroup = rules.filter(({ groups }) => groups.some((name) => name === '*' || identity.groups.includes(name)));
  if (inGroup.length === 0 && identity.groups.length === 0) {
    return refused(
      `${identity.subject} is in no group, and access is given to groups`,
      'Pass --group with one of them.',
    );
  }
  if (inGroup.length === 0) return refused(`no access rule is for ${groupsOf(identity)}`);
  const forConnection = inGroup.filter((rule) => rule.connections.some((name) => name === '*' || name === connection));
  if (forConnection.length === 0) {
    return refused(`no access rule lets ${groupsOf(identity)} have grants on "${connection}"`);
  }
  for (const scope of scopes) {
    for (const verb of scope.verbs) {
      const message = refusalOf(scope, verb, request, forConnection, scopeRules);
      if (message !== null) return refused(message);
    }
  }
  return { ok: true, scopes };
}

function refused(message: string, hint?: string): Authorization {
  return { ok: false, message, hint };
}

/** What is wrong with the request itself, whoever asks. */
function mistakeIn({ scopes, ttlMs, task, reason }: GrantRequest): string | null {
  if (task.trim() === '') return 'the task is missing: a grant is for one task';
  if (task.length > MAX_TASK_LENGTH) return `the task's name is longer than ${MAX_TASK_LENGTH} characters`;
  if (reason.trim() === '') return 'the reason is missing: it is what a person reads later';
  if (reason.length > MAX_REASON_LENGTH) return `the reason is longer than ${MAX_REASON_LENGTH} characters`;
  if (UNSEEN.test(task)) return 'the task has a character that cannot be seen';
  if (UNSEEN.test(reason.replaceAll('\n', ' '))) return 'the reason has a character that cannot be seen';
  if (!Number.isSafeInteger(ttlMs) || ttlMs <= 0) return 'the ttl is not a time from now';
  if (scopes.length === 0) return 'no scope is asked for';
  if (scopes.length > MAX_SCOPES) return `more than ${MAX_SCOPES} scopes are asked for`;
  return null;
}

/** Why one verb of one scope cannot be granted, or null. Different verbs may be allowed by different rules. */
function refusalOf(
  scope: Scope,
  verb: Verb,
  request: GrantRequest,
  rules: readonly AccessRule[],
  scopeRules: ScopeRules,
): string | null {
  // `*` as the connection means the grant's own, which is the only one that a grant reaches.
  const requested: Scope = { ...scope, connection: request.connection, verbs: new Set([verb]) };
  const allowing = rules.filter((rule) =>
    rule.scopes.some((text) => {
      const allowed = parsed(text, scopeRules);
      return !(allowed instanceof SallyportError) && scopeRules.within(requested, allowed);
    }),
  );
  const who = groupsOf(request.identity);
  if (allowing.length === 0) {
    const known = rules.flatMap((rule) => rule.scopes).filter((text) => isOf(text, request.connection, scopeRules));
    const near = nearest(scope.text, known) ?? known[0];
    return `scope ${scope.text} is not among those that ${who} may request; nearest: ${near ?? 'none'}`;
  }
  const longEnough = allowing.filter((rule) => request.ttlMs <= rule.maxTtlMs);
  if (longEnough.length === 0) {
    const most = Math.max(...allowing.map((rule) => rule.maxTtlMs));
    return `a ttl of ${duration(request.ttlMs)} is over the ${duration(most)} that ${who} may have for ${scope.text}`;
  }
  if (longEnough.some((rule) => rule.approval === 'auto')) return null;
  return `a person has to approve grants of ${scope.text} to ${who}, which is not possible yet`;
}

function isOf(text: string, connection: string, scopeRules: ScopeRules): boolean {
  const scope = parsed(text, scopeRules);
  return !(scope instanceof SallyportError) && (scope.connection === '*' || scope.connection === connection);
}

function parsed(text: string, { parse }: ScopeRules): Scope | SallyportError {
  try {
    return parse(text);
  } catch (error) {
    if (error instanceof SallyportError) return error;
    throw error;
  }
}

function groupsOf({ groups, subject }: Identity): string {
  if (groups.length === 0) return subject;
  return `${groups.length === 1 ? 'group' : 'groups'} ${groups.join(', ')}`;
}

/** `90s` or `1h30m`: hours, minutes and seconds, milliseconds where there is nothing else to say it exactly. */
function duration(ms: number): string {
  if (ms % 1000 !== 0) return `${ms}ms`;
  const parts = [
    [Math.floor(ms / 3_600_000), 'h'],
    [Math.floor(ms / 60_000) % 60, 'm'],
    [Math.floor(ms / 1000) % 60, 's'],
  ] as const;
  return parts
    .filter(([count]) => count > 0)
    .map(([count, unit]) => `${count}${unit}`)
    .join('');
}
