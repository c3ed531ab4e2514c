// The grants that are open, active or waiting for a person, each with its deadline on two clocks. The earlier one wins: the
// wall clock may be set back, the monotonic one stands still while the machine sleeps.

import type { Identity } from '../types.ts';
import type { Life } from './life.ts';
import { ownerOf } from './request.ts';

export interface Entry {
  readonly life: Life;
  /** On the monotonic clock. */
  readonly deadline: number;
  /** Of the `requested` event. */
  readonly sequence: number;
}

export class OpenGrants {
  readonly #now: () => number;
  readonly #monotonic: () => number;
  /** In the order in which they were asked for. */
  readonly #entries = new Map<string, Entry>();
  readonly #owners = new Map<string, Map<string, Entry>>();
  /** No deadline is earlier on the wall clock, and on the monotonic one. */
  #nextWall = Number.POSITIVE_INFINITY;
  #nextSteady = Number.POSITIVE_INFINITY;

  constructor(now: () => number, monotonic: () => number) {
    this.#now = now;
    this.#monotonic = monotonic;
  }

  get size(): number {
    return this.#entries.size;
  }

  get(id: string): Entry | undefined {
    return this.#entries.get(id);
  }

  values(): Iterable<Entry> {
    return this.#entries.values();
  }

  /** In the order in which they were asked for. */
  of(identity: Identity): readonly Entry[] {
    return [...(this.#owners.get(ownerOf(identity))?.values() ?? [])];
  }

  set(entry: Entry): void {
    const { id, identity, expiresAt } = entry.life.grant;
    const owner = ownerOf(identity);
    const own = this.#owners.get(owner) ?? new Map<string, Entry>();
    this.#owners.set(owner, own.set(id, entry));
    this.#entries.set(id, entry);
    this.#nextWall = Math.min(this.#nextWall, expiresAt);
    this.#nextSteady = Math.min(this.#nextSteady, entry.deadline);
  }

  delete(id: string): void {
    const entry = this.#entries.get(id);
    if (entry === undefined) return;
    this.#entries.delete(id);
    const owner = ownerOf(entry.life.grant.identity);
    const own = this.#owners.get(owner);
    own?.delete(id);
    if (own?.size === 0) this.#owners.delete(owner);
  }

  clear(): void {
    this.#entries.clear();
    this.#owners.clear();
  }

  /**
   * Milliseconds until the earlier of the two deadlines; 0 or less where it has passed. What was over once stays over, though a
   * clock is set back before it has been ended.
   */
  remaining(entry: Entry): number {
    const left = Math.min(entry.life.grant.expiresAt - this.#now(), entry.deadline - this.#monotonic());
    if (left <= 0) this.set({ ...entry, deadline: Number.NEGATIVE_INFINITY });
    return left;
  }

  /** Milliseconds until one may be over its deadline, and not later than any is. */
  untilNext(): number {
    return Math.min(this.#nextWall - this.#now(), this.#nextSteady - this.#monotonic());
  }

  /** Those over their deadline. Looks at each only when one may be. */
  due(): Entry[] {
    if (this.untilNext() > 0) return [];
    const [now, monotonic] = [this.#now(), this.#monotonic()];
    const due: Entry[] = [];
    this.#nextWall = this.#nextSteady = Number.POSITIVE_INFINITY;
    for (const entry of this.#entries.values()) {
      const { expiresAt } = entry.life.grant;
      if (expiresAt <= now || entry.deadline <= monotonic) {
        due.push(entry);
        continue;
      }
      this.#nextWall = Math.min(this.#nextWall, expiresAt);
      this.#nextSteady = Math.min(this.#nextSteady, entry.deadline);
    }
    return due;
  }
}
