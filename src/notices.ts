// What the sessions of a grant are told before its deadline: when a tenth of its life is left, and a minute before the end.
//
// One look a second at the grants that have sessions and something left to tell, rather than a timer each: it costs a millisecond with
// 10,000 grants, and what is left is asked anew each time, so that a clock that was set tells nothing too late or twice.

import { requestCommand } from './asking.ts';
import type { Grant } from './types.ts';
import type { Notice } from './wire/port.ts';

const MINUTE = 60_000;
/** A tenth of less is over before anybody has read it: of grants under 50 s nothing is said. */
const LEAST_TENTH = 5_000;
/** A minute before the end of less is no news: such a grant was asked for a moment ago. */
const LEAST_LIFE_FOR_MINUTE = 2 * MINUTE;
const LOOK_MS = 1_000;

interface Due {
  /** Milliseconds that are left when it is told, descending. */
  readonly at: number[];
  readonly tell: (left: number) => void;
}

export class Notices {
  readonly #remaining: (grant: string) => number;
  readonly #due = new Map<string, Due>();
  #timer: NodeJS.Timeout | undefined;

  /** @param remaining milliseconds until a grant's deadline */
  constructor(remaining: (grant: string) => number) {
    this.#remaining = remaining;
  }

  /** A grant that has a life of `life` milliseconds has a session now: `tell` is called at each moment that is still to come. */
  watch(grant: string, life: number, tell: (left: number) => void): void {
    const left = this.#remaining(grant);
    const at = momentsOf(life).filter((moment) => moment < left);
    if (at.length === 0) return;
    this.#due.set(grant, { at, tell });
    this.#timer ??= setInterval(() => this.look(), LOOK_MS).unref();
  }

  /** The grant has no session any more. */
  forget(grant: string): void {
    this.#due.delete(grant);
    if (this.#due.size > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  look(): void {
    for (const [grant, { at, tell }] of [...this.#due]) {
      const left = this.#remaining(grant);
      const [next] = at;
      if (next === undefined || left > next) continue;
      // Where several have come at once, after the machine has slept, they are told as one.
      while (at[0] !== undefined && left <= at[0]) at.shift();
      if (at.length === 0) this.forget(grant);
      if (left > 0) tell(left);
    }
  }
}

/** When the holder of a grant of this life, milliseconds, is told of its end: milliseconds before it, the longest first. */
export function momentsOf(life: number): number[] {
  const tenth = life / 10;
  const moments = new Set<number>();
  if (tenth >= LEAST_TENTH) moments.add(tenth);
  if (life > LEAST_LIFE_FOR_MINUTE) moments.add(MINUTE);
  return [...moments].sort((a, b) => b - a);
}

export function noticeOf({ id, connection, scopes, task, expiresAt }: Grant, left: number): Notice {
  const request = requestCommand({ connection, task, scopes: scopes.map(({ text }) => text) });
  return {
    message: `the grant ${id} ends in ${inWords(left)}, at ${new Date(expiresAt).toISOString()}`,
    hint: `Finish, or request the next: ${request}`,
  };
}

function inWords(ms: number): string {
  const seconds = Math.max(1, Math.round(ms / 1000));
  const minutes = Math.floor(seconds / 60);
  if (minutes === 0) return `${seconds} s`;
  return seconds % 60 === 0 ? `${minutes} min` : `${minutes} min ${seconds % 60} s`;
}
