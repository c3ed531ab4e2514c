// The renewal watch: the same owner asking for the same scopes again and again without a new reason has standing access in
// pieces. What is watched is a chain of requests, each within an hour of the end that the one before it was to have.

import { createHash } from 'node:crypto';
import type { Identity, Scope } from '../types.ts';
import { ownerOf } from './request.ts';

/** Milliseconds after a grant's deadline in which the next is still its renewal. */
export const WINDOW_MS = 3_600_000;
/** From so many renewals on, a grant is flagged. */
export const FLAGGED_FROM = 2;
const MAX_CHAINS = 20_000;
const MAX_REASONS = 16;

export interface Asked {
  readonly identity: Identity;
  readonly connection: string;
  readonly reason: string;
}

interface Chain {
  /** How often it was asked for since the last new reason, that one not counted. */
  renewals: number;
  /** Milliseconds since the epoch. */
  until: number;
  /** Digests of the reasons given, oldest first: going back to an earlier one is not a new reason. */
  readonly reasons: Set<string>;
}

export class RenewalWatch {
  readonly #chains = new Map<string, Chain>();

  /** How many renewals this would be: 0 with a new reason, and where nothing is to be renewed. */
  renewals(asked: Asked, scopes: readonly Scope[], now: number): number {
    const chain = this.#chains.get(keyOf(asked, scopes));
    if (chain === undefined || now > chain.until || !chain.reasons.has(digest(asked.reason))) return 0;
    return chain.renewals + 1;
  }

  /** It was asked for, at `at`, for so long. */
  asked(asked: Asked, scopes: readonly Scope[], renewals: number, at: number, ttlMs: number): void {
    const key = keyOf(asked, scopes);
    const before = this.#chains.get(key);
    const chain =
      before !== undefined && at <= before.until ? before : { renewals, until: 0, reasons: new Set<string>() };
    chain.renewals = renewals;
    chain.until = Math.max(chain.until, at + ttlMs + WINDOW_MS);
    chain.reasons.add(digest(asked.reason));
    for (const oldest of chain.reasons) if (chain.reasons.size > MAX_REASONS) chain.reasons.delete(oldest);
    // The one asked for last is the last of the map, so that what is dropped is the oldest.
    this.#chains.delete(key);
    this.#chains.set(key, chain);
    for (const [oldest, { until }] of this.#chains) {
      if (this.#chains.size <= MAX_CHAINS && until >= at) break;
      this.#chains.delete(oldest);
    }
  }
}

/**
 * The words of a reason, so that case, spaces, punctuation and bare numbers (counters, dates, times) make no new one. A number
 * that hangs on a word or a `#` names something (`OPS-4711`, `#4711`), and counts.
 */
export function wordsOf(reason: string): string {
  const words = reason.normalize('NFKC').toLowerCase();
  return (words.match(/\p{L}[\p{L}\p{M}]*(?:[-_]\d+)?|#\d+/gu) ?? []).join(' ');
}

function digest(reason: string): string {
  return createHash('sha256').update(wordsOf(reason)).digest('base64').slice(0, 22);
}

/** The same for scopes that are the same: whatever their order, spelling and number. */
function keyOf({ identity, connection }: Asked, scopes: readonly Scope[]): string {
  const parts = scopes.flatMap(({ schema, table, verbs }) =>
    [...verbs].map((verb) => JSON.stringify([schema, table, verb])),
  );
  return JSON.stringify([ownerOf(identity), connection, ...new Set(parts.sort())]);
}
