// What the grants offer to the rest of the gateway, and what they want of it.

import type { Grant, GrantState } from '../types.ts';
import type { AccessRule, GrantRequest, ScopeRules } from './access.ts';

export interface GrantsOptions {
  /** The store's own folder. */
  readonly dir: string;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** Milliseconds that never go back. */
  readonly monotonic: () => number;
  /** The access rules in force. */
  readonly access: () => readonly AccessRule[];
  /** Names of the connections that there are. */
  readonly connections: () => readonly string[];
  readonly scopes: ScopeRules;
  /** What proves the secret later; kept as it is (msgpack), so plain data. */
  readonly makeVerifiers: (secret: string) => unknown;
  /** Told of what nobody is there to be told of: an expiry that cannot be written yet, a listener that throws. */
  readonly onError: (error: unknown) => void;
  /** Calls back after so many milliseconds; answers what cancels it. By default a timer that keeps no process alive. */
  readonly schedule?: (callback: () => void, ms: number) => () => void;
}

export interface ListedGrant {
  readonly grant: Grant;
  readonly state: GrantState;
  /** Milliseconds since the epoch; of ended grants only, as are the other two. */
  readonly endedAt?: number;
  readonly endedBy?: string;
  readonly endReason?: string;
}

export interface GrantLogin {
  readonly grant: Grant;
  readonly verifiers: unknown;
  readonly state: GrantState;
}

export type EndListener = (grantId: string, state: GrantState, reason: string) => void;

export interface GrantsService {
  /** Makes a grant; `secret` is nowhere else and cannot be had again. Throws `SP_GRANT_REFUSED`, `SP_LIMIT`, `SP_RECORD`. */
  request(request: GrantRequest): Promise<{ grant: Grant; secret: string }>;
  /** Newest first, 1000 at most unless told. */
  list(limit?: number): ListedGrant[];
  /** Throws `SP_GRANT_UNKNOWN`. */
  show(id: string): ListedGrant;
  /**
   * The task is done. Throws `SP_GRANT_UNKNOWN`, `SP_GRANT_OVER`, and `SP_RECORD` where the end cannot be written: the
   * grant is over all the same, and the writing is tried again until the process ends.
   */
  complete(id: string, by: string): ListedGrant;
  /** Throws as `complete` does. */
  revoke(id: string, by: string, reason: string): ListedGrant;
  /** What the login by this name has to prove; undefined where there is none. */
  login(id: string): GrantLogin | undefined;
  state(id: string): GrantState | undefined;
  /** Asked at every statement: a look-up and two clocks. */
  isLive(id: string): boolean;
  /** Tells of each end once. Answers what stops it. */
  onEnd(listener: EndListener): () => void;
  close(): Promise<void>;
}
