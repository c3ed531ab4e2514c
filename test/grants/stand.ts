// Grants over a real store, with clocks and a timer that move only when a test says so.

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after } from 'node:test';
import type { AccessRule } from '../../src/grants/access.ts';
import { openGrants } from '../../src/grants/grants.ts';
import type { GrantsOptions, GrantsService } from '../../src/grants/service.ts';
import { openStore } from '../../src/grants/store.ts';
import { parseScope, within } from '../../src/policy/scope.ts';
import type { GrantRequest } from '../../src/types.ts';

export const MINUTE = 60_000;
const root = mkdtempSync(join(tmpdir(), 'sallyport-grants-'));
after(() => rmSync(root, { recursive: true, force: true }));
let folders = 0;

export const rule: AccessRule = {
  groups: ['agents'],
  connections: ['analytics'],
  scopes: ['db:analytics:read+write'],
  maxTtlMs: 60 * 24 * 60 * MINUTE,
  approval: 'auto',
};

export const request: GrantRequest = {
  identity: { issuer: 'operator', subject: 'chatgpt-agent', groups: ['agents'] },
  connection: 'analytics',
  scopes: ['db:analytics:read', 'db:analytics.public.orders:write'],
  ttlMs: 20 * MINUTE,
  task: 'fix-index',
  reason: 'the index is slow',
};

/** Clocks and a timer that move only when the test says so. */
export class Time {
  wall = 1_700_000_000_000;
  steady = 5_000;
  private due: { at: number; callback: () => void } | undefined;

  readonly schedule = (callback: () => void, ms: number) => {
    assert.ok(Number.isFinite(ms) && ms >= 0 && ms <= 2 ** 31 - 1, `a timer cannot wait ${ms} ms`);
    const timer = { at: this.steady + ms, callback };
    this.due = timer;
    return () => {
      if (this.due === timer) this.due = undefined;
    };
  };

  waiting(): number | undefined {
    return this.due && this.due.at - this.steady;
  }

  /** Lets both clocks run, firing the timer whenever it is due. */
  pass(ms: number): void {
    const until = this.steady + ms;
    while (this.due !== undefined && this.due.at <= until) {
      const { at, callback } = this.due;
      this.due = undefined;
      this.wall += at - this.steady;
      this.steady = at;
      callback();
    }
    this.wall += until - this.steady;
    this.steady = until;
  }

  /** Fires the timer at once, as a late event loop does. */
  fire(): void {
    const callback = this.due?.callback;
    this.due = undefined;
    callback?.();
  }
}

export interface Opened {
  readonly grants: GrantsService;
  readonly time: Time;
  readonly dir: string;
  readonly ends: string[];
  readonly errors: unknown[];
  /** What the renewal watch flagged. */
  readonly watched: string[];
  /** May be changed while the grants are open. */
  readonly given: Given;
  reopen(): Promise<Opened>;
}

/** What differs from grants by one rule on one connection. */
export interface Given {
  rules?: readonly AccessRule[];
  connections?: readonly string[];
  makeVerifiers?: GrantsOptions['makeVerifiers'];
}

export function openAt(time: Time, dir: string, given: Given = {}, store = openStore(dir)): Opened {
  const errors: unknown[] = [];
  const watched: string[] = [];
  const options: GrantsOptions = {
    dir,
    now: () => time.wall,
    monotonic: () => time.steady,
    access: () => given.rules ?? [rule],
    connections: () => given.connections ?? ['analytics'],
    scopes: { parse: parseScope, within },
    makeVerifiers: given.makeVerifiers ?? ((secret) => ({ length: secret.length })),
    onError: (error) => errors.push(error),
    onRenewal: ({ id }, renewals) => watched.push(`${id} ${renewals}`),
    schedule: time.schedule,
  };
  const grants = openGrants(options, store);
  const ends: string[] = [];
  grants.onEnd((id, state, reason) => ends.push(`${id} ${state} ${reason}`));
  return {
    grants,
    time,
    dir,
    ends,
    errors,
    watched,
    given,
    async reopen() {
      await grants.close();
      return openAt(time, dir, given);
    },
  };
}

export const newDir = () => join(root, String(folders++));
export const open = (given: Given = {}) => openAt(new Time(), newDir(), given);
