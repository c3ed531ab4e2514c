// The life of grants: asked for, held to their deadline, ended; what is live is known in memory, what happened is in the store.
//
// A deadline is kept on two clocks and the earlier one wins: the wall clock may be set back, the monotonic one stands
// still while the machine sleeps. Ending takes effect in memory first, so that a disk that fails cannot keep a grant alive.

import { randomBytes } from 'node:crypto';
import { SallyportError } from '../errors.ts';
import type { Grant, GrantState } from '../types.ts';
import { authorize, type ScopeRules } from './access.ts';
import type { EndListener, GrantsOptions, GrantsService, ListedGrant } from './service.ts';
import { type GrantEvent, openStore, type StoredGrant } from './store.ts';

interface Live {
  readonly grant: Grant;
  readonly verifiers: unknown;
  /** On the monotonic clock. */
  readonly deadline: number;
}

type EndEvent = GrantEvent & { readonly event: Exclude<GrantState, 'active'> };

interface Past {
  readonly grant: Grant;
  readonly verifiers: unknown;
  readonly end: EndEvent;
}

/** How long a jump of the wall clock can go unseen by a session that is in the middle of a statement. */
const LONGEST_WAIT_MS = 1000;
/** Each live grant is looked at whenever the next deadline is sought. */
const MAX_LIVE = 10_000;
const LIST_LIMIT = 1000;
const ID = /^gr_[a-z2-7]{16}$/;

/** Opens the grants in `options.dir`; those whose deadline has passed meanwhile are ended. Throws `SP_RECORD`. */
export function openGrants(options: GrantsOptions, store = openStore(options.dir)): GrantsService {
  const { now, monotonic, scopes, onError, schedule = afterwards } = options;
  const live = new Map<string, Live>();
  /** Ends that are in force but could not be written. */
  const unwritten = new Map<string, EndEvent>();
  const listeners = new Set<EndListener>();
  let cancelTimer: () => void = () => {};

  /** Milliseconds until the earlier of the two deadlines; 0 or less where it has passed. */
  const remaining = ({ grant, deadline }: Live) => Math.min(grant.expiresAt - now(), deadline - monotonic());

  const stateOf = (entry: Live): GrantState => (remaining(entry) > 0 ? 'active' : 'expired');

  function restore(): void {
    // The clock may have been set back while nobody was here: time is at least that of the last event.
    let latest = now();
    const open = new Map<string, GrantEvent>();
    for (const event of store.all()) {
      latest = Math.max(latest, event.at);
      if (event.event === 'requested') open.set(event.grantId, event);
      else open.delete(event.grantId);
    }
    for (const event of open.values()) {
      const grant = grantOf(event, scopes);
      live.set(grant.id, { grant, verifiers: event.verifiers, deadline: monotonic() + grant.expiresAt - latest });
    }
    settle();
  }

  /** Ends what is over its deadline, writes what could not be written, and waits for the next. */
  function settle(): void {
    for (const entry of [...live.values()]) {
      // A listener may have ended others meanwhile.
      if (remaining(entry) > 0 || !live.has(entry.grant.id)) continue;
      // The clock that said so may be ahead of the other, or the timer late.
      const at = Math.min(now(), entry.grant.expiresAt);
      const reason = 'the deadline has passed';
      try {
        end({ grantId: entry.grant.id, at, event: 'expired', by: 'sallyport', reason });
      } catch (error) {
        onError(error);
      }
    }
    rewrite();
    wait();
  }

  function rewrite(): void {
    for (const event of [...unwritten.values()]) {
      try {
        store.append(event);
      } catch {
        // It was told of when it happened first.
        return;
      }
      unwritten.delete(event.grantId);
    }
  }

  function wait(): void {
    cancelTimer();
    let next = Number.POSITIVE_INFINITY;
    for (const entry of live.values()) next = Math.min(next, remaining(entry));
    if (live.size + unwritten.size === 0) return;
    cancelTimer = schedule(settle, Math.min(Math.max(Math.ceil(next), 0), LONGEST_WAIT_MS));
  }

  function end(event: EndEvent): void {
    live.delete(event.grantId);
    unwritten.set(event.grantId, event);
    try {
      store.append(event);
      unwritten.delete(event.grantId);
    } finally {
      for (const listener of listeners) tell(listener, event);
    }
  }

  function tell(listener: EndListener, { grantId, event, reason }: EndEvent): void {
    try {
      listener(grantId, event, reason);
    } catch (error) {
      onError(error);
    }
  }

  function past(id: string): Past | undefined {
    const [first, ...rest] = ID.test(id) ? store.events(id) : [];
    if (first === undefined) return undefined;
    const end = unwritten.get(id) ?? rest.find(isEnd);
    if (end === undefined) throw new SallyportError('SP_RECORD', `the store has no end of grant ${id}`);
    return { grant: grantOf(first, scopes), verifiers: first.verifiers, end };
  }

  function listed(id: string): ListedGrant {
    const entry = live.get(id);
    if (entry !== undefined) return { grant: entry.grant, state: 'active' };
    const found = past(id);
    if (found === undefined) throw new SallyportError('SP_GRANT_UNKNOWN', `there is no grant ${id}`);
    const { grant, end } = found;
    return { grant, state: end.event, endedAt: end.at, endedBy: end.by, endReason: end.reason };
  }

  function endNow(id: string, event: 'completed' | 'revoked', by: string, reason: string): ListedGrant {
    settle();
    const found = listed(id);
    if (found.state !== 'active') {
      throw new SallyportError('SP_GRANT_OVER', `grant ${id} is ${found.state} already: ${found.endReason}`);
    }
    end({ grantId: id, at: now(), event, by, reason });
    wait();
    return listed(id);
  }

  restore();
  return {
    async request(request) {
      const answer = authorize(request, options.access(), options.connections(), scopes);
      if (!answer.ok) {
        throw new SallyportError(
          'SP_GRANT_REFUSED',
          answer.message,
          answer.hint === undefined ? {} : { hint: answer.hint },
        );
      }
      if (live.size >= MAX_LIVE) throw new SallyportError('SP_LIMIT', `${MAX_LIVE} grants are live already`);
      const secret = randomBytes(32).toString('base64url');
      const verifiers = await options.makeVerifiers(secret);
      const { identity, connection, task, reason, ttlMs } = request;
      const requestedAt = now();
      const expiresAt = requestedAt + ttlMs;
      const id = newId();
      const grant: Grant = { id, task, reason, identity, connection, scopes: answer.scopes, requestedAt, expiresAt };
      const stored: StoredGrant = { ...grant, scopes: grant.scopes.map((scope) => scope.text) };
      const by = identity.subject;
      store.append({ grantId: id, at: requestedAt, event: 'requested', by, reason, grant: stored, verifiers });
      live.set(id, { grant, verifiers, deadline: monotonic() + ttlMs });
      wait();
      return { grant, secret };
    },

    list(limit = LIST_LIMIT) {
      settle();
      return store.newest(limit).map(listed);
    },

    show(id) {
      settle();
      return listed(id);
    },

    complete: (id, by) => endNow(id, 'completed', by, 'the task is done'),
    revoke: (id, by, reason) => endNow(id, 'revoked', by, reason),

    login(id) {
      const entry = live.get(id);
      if (entry !== undefined) return { grant: entry.grant, verifiers: entry.verifiers, state: stateOf(entry) };
      const found = past(id);
      return found && { grant: found.grant, verifiers: found.verifiers, state: found.end.event };
    },

    state(id) {
      const entry = live.get(id);
      return entry === undefined ? past(id)?.end.event : stateOf(entry);
    },

    isLive(id) {
      const entry = live.get(id);
      if (entry === undefined) return false;
      if (remaining(entry) > 0) return true;
      // Sessions are ended from a turn of their own, not from inside the statement that asks.
      wait();
      return false;
    },

    onEnd(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },

    close() {
      cancelTimer();
      listeners.clear();
      live.clear();
      return store.close();
    },
  };
}

function isEnd(event: GrantEvent): event is EndEvent {
  return event.event !== 'requested';
}

function grantOf(event: GrantEvent, scopes: ScopeRules): Grant {
  const { grant } = event;
  if (grant === undefined)
    throw new SallyportError('SP_RECORD', `the store has an end but no beginning of ${event.grantId}`);
  return { ...grant, scopes: grant.scopes.map((text) => scopes.parse(text)) };
}

function newId(): string {
  const letters = 'abcdefghijklmnopqrstuvwxyz234567';
  return `gr_${Array.from(randomBytes(16), (byte) => letters[byte & 31]).join('')}`;
}

function afterwards(callback: () => void, ms: number): () => void {
  const timer = setTimeout(callback, ms);
  timer.unref();
  return () => clearTimeout(timer);
}
