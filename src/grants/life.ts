// A grant's life as what its events make of it. Every change of state is an event that goes through `after`, in memory and
// from disk alike, so that a gateway that starts again has the states that it had.

import { SallyportError } from '../errors.ts';
import type { Grant, GrantDecision, GrantHistoryEvent, GrantState, ListedGrant } from '../types.ts';
import type { ScopeRules } from './access.ts';
import { FLAGGED_FROM } from './renewals.ts';
import type { GrantEvent } from './store.ts';

/** Who does what nobody does. */
export const NOBODY = 'sallyport';

export type EndState = Exclude<GrantState, 'requested' | 'active'>;
export type EndEvent = GrantEvent & { readonly event: EndState };

export interface Life {
  readonly grant: Grant;
  readonly state: GrantState;
  readonly verifiers: unknown;
  readonly ttlMs: number;
  readonly renewals: number;
  /** Why a person has or had to approve it, or null. */
  readonly waits: string | null;
  readonly decided: GrantDecision | undefined;
  readonly end: EndEvent | undefined;
  /** The event that the deadline counts from. */
  readonly since: Pick<GrantEvent, 'at' | 'elapsed'>;
}

/** The life that begins with a `requested` event. Throws `SP_RECORD` where it is another. */
export function begun(event: GrantEvent, scopes: ScopeRules): Life {
  const { grant, verifiers, renewals = 0, waits = null } = event;
  if (event.event !== 'requested' || grant === undefined) {
    throw new SallyportError('SP_RECORD', `the store has no beginning of ${event.grantId}`);
  }
  return {
    grant: { ...grant, scopes: grant.scopes.map((text) => scopes.parse(text)) },
    state: waits === null ? 'active' : 'requested',
    verifiers,
    ttlMs: event.ttlMs ?? grant.expiresAt - grant.requestedAt,
    renewals,
    waits,
    decided: undefined,
    end: undefined,
    since: event,
  };
}

/** What is after the event. What has ended stays ended, and only what waits can be approved. */
export function after(life: Life, event: GrantEvent): Life {
  const { by, at, reason } = event;
  if (life.end !== undefined) return life;
  if (event.event === 'approved') {
    if (life.state !== 'requested') return life;
    const grant = { ...life.grant, expiresAt: event.expiresAt ?? at + life.ttlMs };
    return { ...life, grant, state: 'active', decided: { by, at, reason }, since: event };
  }
  if (!isEnd(event)) return life;
  const decided = event.event === 'refused' && by !== NOBODY ? { by, at, reason } : life.decided;
  return { ...life, state: event.event, decided, end: event };
}

export function isEnd(event: GrantEvent): event is EndEvent {
  return event.event !== 'requested' && event.event !== 'approved';
}

export function listed({ grant, state, ttlMs, renewals, decided, end }: Life): ListedGrant {
  return {
    grant,
    state,
    ttlMs,
    flags: renewals < FLAGGED_FROM ? [] : [`renewed ${renewals} times without a new reason`],
    ...(decided === undefined ? {} : { decided }),
    ...(end === undefined ? {} : { endedAt: end.at, endedBy: end.by, endReason: end.reason }),
  };
}

export function history({ at, event, by, reason }: GrantEvent): GrantHistoryEvent {
  return { at, event, by, reason };
}
