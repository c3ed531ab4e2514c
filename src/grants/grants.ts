// The life of grants: asked for, approved where a person has to, held to their deadline, ended.

import { randomBytes } from 'node:crypto';
import { SallyportError } from '../errors.ts';
import type { Caller, GrantRequest, GrantState, ListedGrant } from '../types.ts';
import { type Authorization, authorize, type Permission, type Situation } from './access.ts';
import { nameOf, objectionTo, whoMay } from './approvers.ts';
import { LAPSE_MS, Ledger } from './ledger.ts';
import { after, type EndEvent, history, type Life, listed, NOBODY } from './life.ts';
import { pageOf } from './list.ts';
import type { Entry } from './open.ts';
import { previewOf } from './preview.ts';
import { FLAGGED_FROM } from './renewals.ts';
import type { GrantsOptions, GrantsService } from './service.ts';
import { type GrantEvent, openStore } from './store.ts';

const MAX_OPEN = 10_000;
/** Of one identity, whatever the access rules say: no one agent keeps the others out. */
const MAX_OPEN_EACH = 1_000;
/** Requests of one identity that wait: a person is to read them. */
const MAX_WAITING = 10;

/** Opens the grants in `options.dir`; those whose deadline has passed meanwhile are ended. Throws `SP_RECORD`. */
export function openGrants(options: GrantsOptions, store = openStore(options.dir)): GrantsService {
  const { now, scopes } = options;
  const ledger = new Ledger(options, store);
  const { open, watch } = ledger;

  function situationOf(request: GrantRequest): Situation {
    return {
      rules: options.access(),
      connections: options.connections(),
      scopes,
      now: now(),
      open: open.of(request.identity).map(({ life }) => life.grant),
      renewals: (asked) => watch.renewals(request, asked, now()),
    };
  }

  function permitted(request: GrantRequest): Permission {
    const answer = authorize(request, situationOf(request));
    if (!answer.ok) throw refusal(answer.message, answer.hint);
    if (open.size >= MAX_OPEN) throw new SallyportError('SP_LIMIT', `${MAX_OPEN} grants are open already`);
    const own = open.of(request.identity);
    if (own.length >= MAX_OPEN_EACH) {
      const message = `${MAX_OPEN_EACH} grants of ${request.identity.subject} are open already`;
      throw new SallyportError('SP_LIMIT', message, { hint: 'Complete those whose task is done.' });
    }
    const waiting = own.filter(({ life }) => life.state === 'requested').length;
    if (answer.approval === null || waiting < MAX_WAITING) return answer;
    const message = `${MAX_WAITING} requests of ${request.identity.subject} wait for a person already`;
    throw new SallyportError('SP_LIMIT', message, { hint: 'Withdraw one that is not needed: complete it.' });
  }

  /** What the rules say now of what waits or waited; the hours were those of the request. */
  function askAgain({ grant, ttlMs, renewals }: Life): Authorization {
    const request = { ...grant, scopes: grant.scopes.map(({ text }) => text), ttlMs };
    const situation = situationOf(request);
    const others = situation.open.filter(({ id }) => id !== grant.id);
    return authorize(request, { ...situation, now: null, open: others, renewals: () => renewals });
  }

  /** What the rules no longer have, anybody who approves anything may find out. */
  function approversOf(answer: Authorization): readonly (readonly string[])[] {
    return answer.ok ? answer.approvers : [options.access().flatMap(({ approvers }) => approvers?.groups ?? [])];
  }

  function listedOf(life: Life): ListedGrant {
    if (life.state !== 'requested') return listed(life);
    const until = new Date(life.grant.expiresAt).toISOString();
    return { ...listed(life), awaits: `${life.waits}; ${whoMay(approversOf(askAgain(life)))} may until ${until}` };
  }

  function openEntry(id: string): Entry {
    ledger.settle();
    const entry = open.get(id);
    if (entry !== undefined) return entry;
    const { state, end } = ledger.life(id);
    throw new SallyportError('SP_GRANT_OVER', `grant ${id} is ${state} already: ${end?.reason}`);
  }

  /** What waits, and what the rules say of it, for a caller who may decide over it. */
  function toDecide(id: string, by: Caller): { entry: Entry; answer: Authorization } {
    const entry = openEntry(id);
    const answer = askAgain(entry.life);
    const objection = objectionTo(by, entry.life.grant, approversOf(answer));
    if (objection !== null) throw new SallyportError('SP_FORBIDDEN', objection);
    const { state, decided } = entry.life;
    if (state === 'requested') return { entry, answer };
    const how = decided === undefined ? 'no approval was needed' : `approved by ${decided.by}`;
    throw new SallyportError('SP_GRANT_DECIDED', `grant ${id} is active already: ${how}`);
  }

  function endNow({ life }: Entry, event: EndEvent['event'], by: string, reason: string): ListedGrant {
    const over = ledger.event(life.grant.id, event, by, reason);
    ledger.end([over]);
    return listed(after(life, over));
  }

  function stateOf(id: string, life: Life): GrantState {
    const entry = open.get(id);
    if (entry === undefined || open.remaining(entry) > 0) return life.state;
    return life.state === 'active' ? 'expired' : 'refused';
  }

  /** The grant stands, whoever cannot be told of it. */
  function flagged({ grant, renewals }: Life): void {
    try {
      options.onRenewal?.(grant, renewals);
    } catch (error) {
      options.onError(error);
    }
  }

  return {
    async request(request) {
      ledger.settle();
      permitted(request);
      const secret = randomBytes(32).toString('base64url');
      const verifiers = await options.makeVerifiers(secret);
      // Others may have been granted, and the config may have changed, meanwhile.
      const { approval, renewals, scopes: asked } = permitted(request);
      const { identity, connection, task, reason, ttlMs } = request;
      const event = ledger.event(newId(), 'requested', request.by ?? nameOf(identity), reason);
      const lastsMs = approval === null ? ttlMs : LAPSE_MS;
      const times = { requestedAt: event.at, expiresAt: event.at + lastsMs };
      const texts = asked.map(({ text }) => text);
      const grant = { id: event.grantId, task, reason, identity, connection, scopes: texts, ...times };
      const waits = approval === null ? {} : { waits: approval };
      const life = ledger.begin({ ...event, grant, verifiers, ttlMs, renewals, ...waits }, lastsMs);
      if (renewals >= FLAGGED_FROM) flagged(life);
      const state = approval === null ? 'active' : 'requested';
      return { grant: life.grant, state, secret, message: listedOf(life).awaits ?? null };
    },

    preview: (request) => previewOf(request, situationOf(request)),

    approve(id, by, reason = '') {
      const { entry, answer } = toDecide(id, by);
      if (!answer.ok) {
        const why = `the access rules no longer allow it: ${answer.message}`;
        endNow(entry, 'refused', NOBODY, why);
        throw refusal(`grant ${id} is refused, because ${why}`);
      }
      const event = ledger.event(id, 'approved', nameOf(by.identity), reason);
      const approved: GrantEvent = { ...event, expiresAt: event.at + entry.life.ttlMs };
      return listed(ledger.activate(entry, approved));
    },
    refuse: (id, by, reason) => endNow(toDecide(id, by).entry, 'refused', nameOf(by.identity), reason),

    mayApprove(id, caller) {
      const entry = open.get(id);
      if (entry?.life.state !== 'requested' || open.remaining(entry) <= 0) return false;
      return objectionTo(caller, entry.life.grant, approversOf(askAgain(entry.life))) === null;
    },

    list(filter = {}) {
      ledger.settle();
      return pageOf(filter, ledger).map(listedOf);
    },

    show(id) {
      ledger.settle();
      return listedOf(ledger.life(id));
    },

    history(id) {
      ledger.settle();
      ledger.life(id);
      return ledger.events(id).map(history);
    },

    complete(id, by) {
      const entry = openEntry(id);
      const reason = entry.life.state === 'active' ? 'the task is done' : 'withdrawn before anybody decided';
      return endNow(entry, 'completed', by, reason);
    },
    revoke: (id, by, reason) => endNow(openEntry(id), 'revoked', by, reason),

    revokeAll({ subject }, by, reason) {
      ledger.settle();
      const meant = [...open.values()].filter(({ life }) => {
        const { identity } = life.grant;
        return subject === undefined || subject === identity.subject || subject === identity.actingFor;
      });
      const ends = meant.map(({ life }) => ({ life, event: ledger.event(life.grant.id, 'revoked', by, reason) }));
      ledger.end(ends.map(({ event }) => event));
      return ends.map(({ life, event }) => listed(after(life, event)));
    },

    login(id) {
      const life = ledger.find(id);
      return life && { grant: life.grant, verifiers: life.verifiers, state: stateOf(id, life) };
    },

    live(identity) {
      const active = open.of(identity).filter((entry) => entry.life.state === 'active' && open.remaining(entry) > 0);
      return active.map(({ life }) => life.grant);
    },

    state(id) {
      const life = ledger.find(id);
      return life && stateOf(id, life);
    },

    isLive(id) {
      const entry = open.get(id);
      if (entry?.life.state !== 'active') return false;
      if (open.remaining(entry) > 0) return true;
      // Sessions are ended from a turn of their own, not from inside the statement that asks.
      ledger.settleSoon();
      return false;
    },

    remaining(id) {
      const entry = open.get(id);
      return entry?.life.state === 'active' ? Math.max(0, open.remaining(entry)) : 0;
    },

    onEnd: (listener) =>
      ledger.onChange((id, state, reason) => {
        if (state !== 'requested' && state !== 'active') listener(id, state, reason);
      }),
    onChange: (listener) => ledger.onChange(listener),
    close: () => ledger.close(),
  };
}

function refusal(message: string, hint?: string): SallyportError {
  return new SallyportError('SP_GRANT_REFUSED', message, hint === undefined ? {} : { hint });
}

function newId(): string {
  const letters = 'abcdefghijklmnopqrstuvwxyz234567';
  return `gr_${Array.from(randomBytes(16), (byte) => letters[byte & 31]).join('')}`;
}
