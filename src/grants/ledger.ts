// What is open, in memory, and what happened, in the store. What begins is on disk before it counts; what ends takes effect in
// memory first, so that a disk that fails cannot keep a grant alive.

import { SallyportError } from '../errors.ts';
import { passing } from './clock.ts';
import { after, begun, type EndEvent, type Life, NOBODY } from './life.ts';
import { type Entry, OpenGrants } from './open.ts';
import { RenewalWatch } from './renewals.ts';
import { duration } from './request.ts';
import type { EndListener, GrantsOptions } from './service.ts';
import type { GrantEvent, GrantStore } from './store.ts';

/** How long a request waits for a person. */
export const LAPSE_MS = 3_600_000;
/** How long a jump of the wall clock can go unseen by a session that is in the middle of a statement. */
const LONGEST_WAIT_MS = 1000;
/** How much running time a killed gateway may forget. */
const CLOCK_KEPT_EVERY_MS = 60_000;
/** How far back a gateway that starts looks for what may be renewed: a day's grant, and the hour after it. */
const LOOKED_BACK_MS = 25 * 3_600_000;
const ID = /^gr_[a-z2-7]{16}$/;

export class Ledger {
  readonly open: OpenGrants;
  readonly store: GrantStore;
  readonly watch = new RenewalWatch();
  readonly #o: GrantsOptions;
  readonly #clock: ReturnType<typeof passing>;
  /** Ends that are in force but could not be written. */
  readonly #unwritten = new Map<string, EndEvent>();
  readonly #listeners = new Set<EndListener>();
  #cancelTimer: () => void = () => {};
  #clockKept: number;

  /** Ends what is over its deadline since the store was last open. Throws `SP_RECORD`. */
  constructor(options: GrantsOptions, store: GrantStore) {
    const { now, monotonic } = options;
    this.#o = options;
    this.store = store;
    this.open = new OpenGrants(now, monotonic);
    this.#clock = passing(store.seen(), now, monotonic);
    this.#clockKept = this.#clock.elapsed();
    this.#restore();
    this.settle();
  }

  /** Ends that the store does not have yet. */
  get behind(): boolean {
    return this.#unwritten.size > 0;
  }

  event<E extends GrantEvent['event']>(grantId: string, event: E, by: string, reason: string) {
    return { grantId, at: this.#o.now(), elapsed: this.#clock.elapsed(), event, by, reason };
  }

  /** The life that a `requested` event begins. Throws `SP_RECORD`: nothing has begun. */
  begin(event: GrantEvent, lastsMs: number): Life {
    const life = begun(event, this.#o.scopes);
    const sequence = this.store.append([event], this.#clock.seen());
    this.open.set({ life, sequence, deadline: this.#o.monotonic() + lastsMs });
    this.#watched(life);
    this.#tell(event.grantId, life.state, event.reason);
    this.#wait();
    return life;
  }

  /** What waited is active from now on. Throws `SP_RECORD`: it waits as before. */
  activate({ life, sequence }: Entry, event: GrantEvent): Life {
    const approved = after(life, event);
    this.store.append([event], this.#clock.seen());
    this.open.set({ life: approved, sequence, deadline: this.#o.monotonic() + life.ttlMs });
    this.#tell(event.grantId, approved.state, event.reason);
    this.#wait();
    return approved;
  }

  /** In force and told of when it returns or throws `SP_RECORD`; what could not be written is tried again. */
  end(events: readonly EndEvent[]): void {
    if (events.length === 0) return;
    for (const event of events) {
      this.open.delete(event.grantId);
      this.#unwritten.set(event.grantId, event);
    }
    for (const { grantId, event, reason } of events) this.#tell(grantId, event, reason);
    try {
      this.store.append(events, this.#clock.seen());
      for (const { grantId } of events) this.#unwritten.delete(grantId);
    } finally {
      this.#wait();
    }
  }

  /** Ends what is over its deadline, writes what could not be written, and waits for the next. */
  settle(): void {
    try {
      this.end(this.open.due().map((entry) => this.#overdue(entry)));
    } catch (error) {
      this.#o.onError(error);
    }
    this.#rewrite();
    this.#keepClock();
    this.#wait();
  }

  /** What is over its deadline is ended in a turn of its own. */
  settleSoon(): void {
    this.#wait();
  }

  /** Undefined where there is no such grant. */
  find(id: string): Life | undefined {
    const entry = this.open.get(id);
    if (entry !== undefined) return entry.life;
    const life = this.#past(id);
    if (life === undefined || life.end !== undefined) return life;
    throw new SallyportError('SP_RECORD', `the store has no end of grant ${id}`);
  }

  /** Throws `SP_GRANT_UNKNOWN`. */
  life(id: string): Life {
    const life = this.find(id);
    if (life === undefined) throw new SallyportError('SP_GRANT_UNKNOWN', `there is no grant ${id}`);
    return life;
  }

  /** Oldest first. */
  events(id: string): readonly GrantEvent[] {
    const last = this.#unwritten.get(id);
    const events = ID.test(id) ? this.store.events(id) : [];
    return last === undefined ? events : [...events, last];
  }

  onChange(listener: EndListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  close(): Promise<void> {
    this.#listeners.clear();
    this.#clockKept = Number.NEGATIVE_INFINITY;
    this.settle();
    this.#cancelTimer();
    this.open.clear();
    return this.store.close();
  }

  #restore(): void {
    const { now, monotonic, scopes } = this.#o;
    // Events of older versions do not say what time had passed: it is at least that of the last one.
    let latest = now();
    const recent: Life[] = [];
    for (const event of this.store.latest()) {
      latest = Math.max(latest, event.at);
      if (event.at < now() - LOOKED_BACK_MS) break;
      if (event.event === 'requested') recent.push(begun(event, scopes));
    }
    for (const life of recent.reverse()) this.#watched(life);
    for (const { event, sequence } of [...this.store.newest(undefined, ['open', ''])].reverse()) {
      const life = this.#past(event.grantId);
      if (life === undefined || life.end !== undefined) continue;
      const { since, grant } = life;
      const passed = since.elapsed === undefined ? latest - since.at : this.#clock.elapsed() - since.elapsed;
      this.open.set({ life, sequence, deadline: monotonic() + grant.expiresAt - since.at - passed });
    }
  }

  #overdue({ life: { grant, state } }: Entry): EndEvent {
    // The clock that said so may be ahead of the other, or the timer late.
    const at = Math.min(this.#o.now(), grant.expiresAt);
    if (state === 'active') return { ...this.event(grant.id, 'expired', NOBODY, 'the deadline has passed'), at };
    return { ...this.event(grant.id, 'refused', NOBODY, `nobody decided in ${duration(LAPSE_MS)}`), at };
  }

  #rewrite(): void {
    if (!this.behind) return;
    const events = [...this.#unwritten.values()];
    try {
      this.store.append(events, this.#clock.seen());
    } catch {
      // It was told of when it happened first.
      return;
    }
    for (const { grantId } of events) this.#unwritten.delete(grantId);
  }

  #keepClock(): void {
    if (this.open.size === 0 || this.#clock.elapsed() - this.#clockKept < CLOCK_KEPT_EVERY_MS) return;
    this.#clockKept = this.#clock.elapsed();
    try {
      this.store.append([], this.#clock.seen());
    } catch {
      // A store that cannot be written to is told of when there is something to write.
    }
  }

  #wait(): void {
    const { schedule = afterwards } = this.#o;
    this.#cancelTimer();
    if (this.open.size === 0 && !this.behind) return;
    const next = Math.max(Math.ceil(this.open.untilNext()), 0);
    this.#cancelTimer = schedule(() => this.settle(), Math.min(next, LONGEST_WAIT_MS));
  }

  #tell(...told: Parameters<EndListener>): void {
    for (const listener of this.#listeners) {
      try {
        listener(...told);
      } catch (error) {
        this.#o.onError(error);
      }
    }
  }

  #past(id: string): Life | undefined {
    const [first, ...rest] = this.events(id);
    if (first === undefined) return undefined;
    return rest.reduce(after, begun(first, this.#o.scopes));
  }

  #watched({ grant, renewals, ttlMs }: Life): void {
    this.watch.asked(grant, grant.scopes, renewals, grant.requestedAt, ttlMs);
  }
}

function afterwards(callback: () => void, ms: number): () => void {
  const timer = setTimeout(callback, ms);
  timer.unref();
  return () => clearTimeout(timer);
}
