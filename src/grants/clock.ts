// How much time has passed, over restarts too: while the gateway runs, what the monotonic clock says; while it does not, what
// the wall clock has gone ahead. A wall clock that is set gives no grant more time, however often the gateway starts anew.

import type { Seen } from './store.ts';

export interface Passing {
  /** Milliseconds. */
  elapsed(): number;
  /** What is to be kept of the clocks. */
  seen(): Seen;
}

export function passing(last: Seen | undefined, now: () => number, monotonic: () => number): Passing {
  const before = last === undefined ? 0 : last.elapsed + Math.max(0, now() - last.wall);
  const start = monotonic();
  const elapsed = () => before + monotonic() - start;
  return { elapsed, seen: () => ({ wall: now(), elapsed: elapsed() }) };
}
