// Which grants a page has: those that are open from memory, others from the narrowest list that the store keeps of them.

import { SallyportError } from '../errors.ts';
import type { Grant, GrantFilter } from '../types.ts';
import type { Ledger } from './ledger.ts';
import type { Life } from './life.ts';
import { ownerOf } from './request.ts';
import type { ListName, StoredGrant } from './store.ts';

const LIMIT = 1000;

/** Newest first. Throws `SP_GRANT_UNKNOWN` where there is no grant that the page is to be before. */
export function pageOf(filter: GrantFilter, ledger: Ledger): Life[] {
  const { state, limit = LIMIT } = filter;
  const most = Math.min(limit, LIMIT);
  const below = filter.before === undefined ? undefined : ledger.store.sequence(filter.before);
  if (filter.before !== undefined && below === undefined) {
    throw new SallyportError('SP_GRANT_UNKNOWN', `there is no grant ${filter.before}`);
  }
  const page: Life[] = [];
  const lives =
    state === 'requested' || state === 'active' ? openLives(filter, below, ledger) : storedLives(filter, below, ledger);
  for (const life of lives) {
    if (page.length >= most) break;
    if ((state === undefined || life.state === state) && matches(life.grant, filter)) page.push(life);
  }
  return page;
}

function* openLives({ owner }: GrantFilter, below = Number.POSITIVE_INFINITY, { open }: Ledger): Iterable<Life> {
  const entries = owner === undefined ? [...open.values()] : open.of(owner);
  for (const { life, sequence } of entries.toReversed()) if (sequence < below) yield life;
}

function* storedLives(filter: GrantFilter, below: number | undefined, ledger: Ledger): Iterable<Life> {
  // Ends that are not written yet are on no list.
  const list = ledger.behind ? undefined : listFor(filter);
  for (const { event } of ledger.store.newest(below, list)) {
    if (event.grant !== undefined && matches(event.grant, filter)) yield ledger.life(event.grantId);
  }
}

/** The list that has all that the filter lets through, and few others; undefined: the log itself. */
function listFor({ state, connection, subject, owner }: GrantFilter): readonly [ListName, string] | undefined {
  const who = subject ?? owner?.subject;
  if (who !== undefined) return ['subject', who];
  if (state !== undefined && state !== 'requested' && state !== 'active') return [state, ''];
  return connection === undefined ? undefined : ['connection', connection];
}

/** Whether the filter's conditions hold, but for the state. */
function matches({ connection, identity }: Grant | StoredGrant, filter: GrantFilter): boolean {
  if (filter.connection !== undefined && filter.connection !== connection) return false;
  if (filter.subject !== undefined && filter.subject !== identity.subject) return false;
  return filter.owner === undefined || ownerOf(filter.owner) === ownerOf(identity);
}
