// Access rules: who may be granted what, when, how long and how often, and where a person has to approve it. A refusal names
// the most specific mistake, so that the next request can be right.

import { nearest } from '../errors.ts';
import type { Grant, GrantRequest, Identity, Scope, Verb } from '../types.ts';
import { type Hours, hoursText, instantText, isOpen, opensNext } from './hours.ts';
import { duration, mistakeIn } from './request.ts';
import { allowedBy, nearestScope, type ScopeRules, scopeOf } from './scopes.ts';

export type { ScopeRules } from './scopes.ts';

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

/** What a request is held against. */
export interface Situation {
  readonly rules: readonly AccessRule[];
  readonly connections: readonly string[];
  readonly scopes: ScopeRules;
  /** Milliseconds since the epoch, or null: the hours were asked before. */
  readonly now: number | null;
  /** The identity's active grants and waiting requests. */
  readonly open: readonly Grant[];
  /** How often the same was asked for before without a new reason. */
  readonly renewals: (scopes: readonly Scope[]) => number;
}

export interface Refusal {
  readonly ok: false;
  readonly message: string;
  readonly hint?: string | undefined;
}

export type Authorization = Permission | Refusal;

export interface Permission {
  readonly ok: true;
  readonly scopes: readonly Scope[];
  readonly renewals: number;
  /** Why a person has to approve it, in one sentence; null: it is granted at once. */
  readonly approval: string | null;
  /** The groups of those who may: one is needed of each list. Without a list, only callers with the role may. */
  readonly approvers: readonly (readonly string[])[];
}

/** What the rules say of one verb of one scope. */
export type Answer =
  | {
      readonly ok: true;
      readonly maxTtlMs: number;
      readonly approval: string | null;
      readonly approvers: readonly string[];
    }
  | { readonly ok: false; readonly maxTtlMs: number | null; readonly message: string; readonly nearest: string | null };

/** Whether the request may be granted, and whether at once. */
export function authorize(request: GrantRequest, situation: Situation): Authorization {
  const rules = rulesFor(request, situation);
  if ('ok' in rules) return rules;
  const scopes: Scope[] = [];
  for (const text of request.scopes) {
    const scope = scopeOf(text, request.connection, situation.scopes);
    if ('message' in scope) return { ok: false, ...scope };
    scopes.push(scope);
  }
  const renewals = situation.renewals(scopes);
  let approval: string | null = null;
  const approvers: (readonly string[])[] = [];
  for (const scope of scopes) {
    for (const verb of scope.verbs) {
      const answer = answerTo(scope, verb, request, rules, renewals, situation);
      if (!answer.ok) return refused(answer.message);
      if (answer.approval === null) continue;
      approval ??= answer.approval;
      approvers.push(answer.approvers);
    }
  }
  return { ok: true, scopes, renewals, approval, approvers };
}

export function refused(message: string, hint?: string): Refusal {
  return { ok: false, message, hint };
}

/** The rules for the identity's groups and the connection, or why there are none. */
export function rulesFor(request: GrantRequest, { rules, connections }: Situation): readonly AccessRule[] | Refusal {
  const mistake = mistakeIn(request);
  if (mistake !== null) return refused(mistake);
  const { connection, identity } = request;
  const inGroup = rules.filter(({ groups }) => groups.some((name) => name === '*' || identity.groups.includes(name)));
  if (!connections.includes(connection)) {
    // The names of others are none of theirs.
    const theirs = connections.filter((name) => inGroup.some((rule) => covers(rule, name)));
    const near = nearest(connection, theirs);
    return refused(`there is no connection "${connection}"`, near === null ? undefined : `Did you mean "${near}"?`);
  }
  if (inGroup.length === 0 && identity.groups.length === 0) {
    return refused(
      `${identity.subject} is in no group, and access is given to groups`,
      identity.issuer === 'operator'
        ? 'Pass --group with one of them.'
        : 'Groups are read from the token: groupsClaim of the issuer says where.',
    );
  }
  if (inGroup.length === 0) return refused(`no access rule is for ${groupsOf(identity)}`);
  const found = inGroup.filter((rule) => covers(rule, connection));
  return found.length > 0 ? found : refused(`no access rule lets ${groupsOf(identity)} have grants on "${connection}"`);
}

/**
 * What the rules say of one verb of one scope. Different verbs may be allowed by different rules. `looks`: where none allows it, what is
 * nearest is looked for, which takes long where there are many rules.
 */
export function answerTo(
  scope: Scope,
  verb: Verb,
  request: GrantRequest,
  rules: readonly AccessRule[],
  renewals: number,
  { scopes, now, open }: Situation,
  looks = true,
): Answer {
  // `*` as the connection means the grant's own, which is the only one that a grant reaches.
  const requested: Scope = { ...scope, connection: request.connection, verbs: new Set([verb]) };
  const allowing = rules.filter((rule) => allowedBy(rule, scopes).some((allowed) => scopes.within(requested, allowed)));
  const who = groupsOf(request.identity);
  if (allowing.length === 0) {
    const near = looks ? nearestScope(scope, requested, rules, scopes) : null;
    const message = `scope ${scope.text} is not among those that ${who} may request`;
    return {
      ok: false,
      maxTtlMs: null,
      message: looks ? `${message}; nearest: ${near ?? 'none'}` : message,
      nearest: near,
    };
  }
  const maxTtlMs = Math.max(...allowing.map((rule) => rule.maxTtlMs));
  const no = (message: string): Answer => ({ ok: false, maxTtlMs, message, nearest: null });

  const longEnough = allowing.filter((rule) => request.ttlMs <= rule.maxTtlMs);
  if (longEnough.length === 0) {
    const most = duration(maxTtlMs);
    return no(`a ttl of ${duration(request.ttlMs)} is over the ${most} that ${who} may have for ${scope.text}`);
  }
  const opened = longEnough.filter(({ hours }) => hours === undefined || now === null || isOpen(hours, now));
  if (opened.length === 0) return no(closed(scope, who, longEnough, now ?? 0));

  const roomy = opened.filter((rule) => rule.maxActive === undefined || taken(rule, open).length < rule.maxActive);
  if (roomy.length === 0) return no(noRoom(request.identity, who, opened, open));

  const free = roomy.filter((rule) => rule.approval === 'auto' && renewals < (rule.maxConsecutive ?? Infinity));
  if (free.length > 0) return { ok: true, maxTtlMs, approval: null, approvers: [] };
  const approvers = roomy.flatMap((rule) => rule.approvers?.groups ?? []);
  return { ok: true, maxTtlMs, approval: whyApproval(scope, who, roomy, renewals), approvers };
}

function whyApproval({ text }: Scope, who: string, rules: readonly AccessRule[], renewals: number): string {
  const most = Math.max(...rules.filter(({ approval }) => approval === 'auto').map((rule) => rule.maxConsecutive ?? 0));
  if (most < 0) return `a person has to approve grants of ${text} to ${who}`;
  return `${text} was granted ${renewals} times in a row without a new reason, and after ${most} a person has to approve it`;
}

function closed({ text }: Scope, who: string, rules: readonly AccessRule[], now: number): string {
  const times = rules.flatMap(({ hours }) => hours ?? []);
  const when = times.map(hoursText).join(', and ');
  const [next] = times
    .flatMap(({ timeZone, ...hours }) => {
      const at = opensNext({ ...hours, timeZone }, now);
      return at === null ? [] : [{ at, timeZone }];
    })
    .sort((a, b) => a.at - b.at);
  const from = next === undefined ? '' : `; next from ${instantText(next.timeZone, next.at)}`;
  return `grants of ${text} may be asked for by ${who} ${when}${from}`;
}

function noRoom({ subject }: Identity, who: string, rules: readonly AccessRule[], open: readonly Grant[]): string {
  const [rule] = [...rules].sort((a, b) => (b.maxActive ?? 0) - (a.maxActive ?? 0));
  const held = rule === undefined ? [] : taken(rule, open);
  const most = rule?.maxActive ?? 0;
  return (
    `${who} may have ${most} ${most === 1 ? 'grant' : 'grants'} at a time, requests that wait included, and ${subject} ` +
    `has ${held.length}: complete one that is done, such as ${held[0]?.id ?? 'none'}`
  );
}

function taken(rule: AccessRule, open: readonly Grant[]): readonly Grant[] {
  return open.filter(({ connection }) => covers(rule, connection));
}

function covers({ connections }: AccessRule, connection: string): boolean {
  return connections.some((name) => name === '*' || name === connection);
}

function groupsOf({ groups, subject }: Identity): string {
  if (groups.length === 0) return subject;
  return `${groups.length === 1 ? 'group' : 'groups'} ${groups.join(', ')}`;
}
