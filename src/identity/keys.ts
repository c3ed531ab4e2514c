// The public keys of one issuer: fetched through its discovery document, kept while they are fresh, fetched again for a key that is
// not known, and used on for a stated time while the issuer cannot be reached.

import { createLocalJWKSet, errors, type JSONWebKeySet, type JWTVerifyGetKey } from 'jose';
import { TokenRefused } from './claims.ts';
import { fetchKeys } from './discovery.ts';

export interface Log {
  info(data: object, message: string): void;
  warn(data: object, message: string): void;
}

/** Milliseconds: a key that the issuer has withdrawn counts no longer than this while the issuer can be reached. */
const FRESH = 10 * 60_000;
/** Milliseconds between two fetches for unknown keys or after a failure: tokens made of nothing do not become requests. */
const COOL_DOWN = 10_000;

export class KeyRing {
  readonly issuer: string;
  readonly #log: Log;
  readonly #monotonic: () => number;
  #keys: { readonly find: JWTVerifyGetKey; readonly text: string } | null = null;
  #epoch = 0;
  #fetchedAt = Number.NEGATIVE_INFINITY;
  #failedAt = Number.NEGATIVE_INFINITY;
  #lookedAt = Number.NEGATIVE_INFINITY;
  #failing = false;
  #fetching: Promise<void> | null = null;

  constructor(issuer: string, { log, monotonic }: { readonly log: Log; readonly monotonic: () => number }) {
    this.issuer = issuer;
    this.#log = log;
    this.#monotonic = monotonic;
  }

  /** Grows when the keys change: what was proven by others is to be proven anew. */
  get epoch(): number {
    return this.#epoch;
  }

  /** Sees to keys that may be used now. Throws TokenRefused where there are none; `keysFor` is milliseconds. */
  async fresh(keysFor: number): Promise<void> {
    if (this.#usable(Math.min(FRESH, keysFor))) return;
    const fetched = this.#fetchUnless(this.#failedAt);
    // While the issuer is known to be away, nobody waits for it who can do without.
    if (!(this.#failing && this.#usable(keysFor))) await fetched;
    if (!this.#usable(keysFor)) {
      throw new TokenRefused(
        `the keys of ${this.issuer} cannot be fetched at the moment, so no token of it can be proven`,
      );
    }
  }

  /** Finds a token's key, as jose asks for it: by its id, and by the algorithm that the key itself is for. */
  readonly key: JWTVerifyGetKey = async (header, token) => {
    try {
      return await this.#find(header, token);
    } catch (error) {
      if (!(error instanceof errors.JWKSNoMatchingKey)) throw error;
    }
    const last = this.#lookedAt;
    if (this.#fetching === null && this.#monotonic() - last >= COOL_DOWN) this.#lookedAt = this.#monotonic();
    await this.#fetchUnless(Math.max(last, this.#failedAt));
    return this.#find(header, token);
  };

  #find: JWTVerifyGetKey = (header, token) => {
    if (this.#keys === null) throw new errors.JWKSNoMatchingKey();
    return this.#keys.find(header, token);
  };

  #usable(age: number): boolean {
    return this.#keys !== null && this.#monotonic() - this.#fetchedAt < age;
  }

  /** One fetch at a time, shared by all who wait; none within the cool-down behind `last`. Never rejects. */
  #fetchUnless(last: number): Promise<void> {
    if (this.#fetching !== null) return this.#fetching;
    if (this.#monotonic() - last < COOL_DOWN) return Promise.resolve();
    this.#fetching = fetchKeys(this.issuer)
      .then(
        (keys) => this.#take(keys),
        (error: unknown) => this.#fail(error),
      )
      .finally(() => {
        this.#fetching = null;
      });
    return this.#fetching;
  }

  #take(keys: JSONWebKeySet): void {
    this.#fetchedAt = this.#monotonic();
    if (this.#failing) this.#log.info({ issuer: this.issuer }, 'the identity provider is back');
    this.#failing = false;
    this.#failedAt = Number.NEGATIVE_INFINITY;
    const text = JSON.stringify(keys);
    if (text === this.#keys?.text) return;
    if (this.#keys !== null) this.#log.info({ issuer: this.issuer }, 'the keys of the identity provider have changed');
    this.#keys = { find: createLocalJWKSet(keys), text };
    this.#epoch++;
  }

  #fail(error: unknown): void {
    this.#failedAt = this.#monotonic();
    if (this.#failing) return;
    this.#failing = true;
    const reason = error instanceof Error ? error.message : String(error);
    const message = this.#keys === null ? 'none of its tokens is taken' : 'the keys that are known are used on';
    this.#log.warn({ issuer: this.issuer, reason }, `the keys of the identity provider cannot be fetched: ${message}`);
  }
}
