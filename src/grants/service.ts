// What the grants offer to the rest of the gateway, and what they want of it.

import type {
  Caller,
  Grant,
  GrantFilter,
  GrantHistoryEvent,
  GrantRequest,
  GrantState,
  Identity,
  ListedGrant,
  Preview,
} from '../types.ts';
import type { AccessRule, ScopeRules } from './access.ts';

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
  /** The renewal watch has flagged a grant: it was asked for so many times before without a new reason. */
  readonly onRenewal?: (grant: Grant, renewals: number) => void;
  /** Calls back after so many milliseconds; answers what cancels it. By default a timer that keeps no process alive. */
  readonly schedule?: (callback: () => void, ms: number) => () => void;
}

export interface GrantLogin {
  readonly grant: Grant;
  readonly verifiers: unknown;
  readonly state: GrantState;
}

export type EndListener = (grantId: string, state: GrantState, reason: string) => void;

export interface GrantsService {
  /**
   * Makes a grant; `secret` is nowhere else and cannot be had again. `requested`: a person has to approve it (`message` says
   * who and why), and until then its login is refused. Throws `SP_GRANT_REFUSED`, `SP_LIMIT`, `SP_RECORD`.
   */
  request(request: GrantRequest): Promise<{
    readonly grant: Grant;
    readonly state: 'active' | 'requested';
    readonly secret: string;
    readonly message: string | null;
  }>;
  /** What a request would get, scope by scope. Nothing is stored. */
  preview(request: GrantRequest): Preview;
  /**
   * A person lets a waiting request become active; its life begins now. By a member of the rule's approvers, or a caller with
   * the role `approver` or `operator`; never by who asked, nor by anyone who acts for somebody. The access rules are asked
   * again, and a request that they no longer allow is refused.
   * Throws `SP_GRANT_UNKNOWN`, `SP_FORBIDDEN`, `SP_GRANT_DECIDED`, `SP_GRANT_OVER`, `SP_GRANT_REFUSED`, `SP_RECORD`.
   */
  approve(id: string, by: Caller, reason?: string): ListedGrant;
  /** Throws as `approve` does. */
  refuse(id: string, by: Caller, reason: string): ListedGrant;
  /** Whether `approve` and `refuse` are open to the caller: false where the grant does not wait. */
  mayApprove(id: string, caller: Caller): boolean;
  /** Newest first. */
  list(filter?: GrantFilter): ListedGrant[];
  /** Throws `SP_GRANT_UNKNOWN`. */
  show(id: string): ListedGrant;
  /** What happened to it, oldest first. Throws `SP_GRANT_UNKNOWN`. */
  history(id: string): readonly GrantHistoryEvent[];
  /**
   * The task is done, or the request withdrawn. Throws `SP_GRANT_UNKNOWN`, `SP_GRANT_OVER`, and `SP_RECORD` where the end
   * cannot be written: the grant is over all the same, and the writing is tried again until the process ends.
   */
  complete(id: string, by: string): ListedGrant;
  /** Throws as `complete` does. */
  revoke(id: string, by: string, reason: string): ListedGrant;
  /**
   * Ends every open grant and waiting request of the subject and of agents that act for it, or of everybody: in force when it returns
   * or throws `SP_RECORD`.
   */
  revokeAll(which: { readonly subject?: string | undefined }, by: string, reason: string): ListedGrant[];
  /** What the login by this name has to prove; undefined where there is none. */
  login(id: string): GrantLogin | undefined;
  /** The active grants of exactly this issuer, subject and person acted for, oldest first. */
  live(identity: Identity): Grant[];
  state(id: string): GrantState | undefined;
  /** Asked at every statement: a look-up and two clocks. */
  isLive(id: string): boolean;
  /** Milliseconds to the deadline on the stricter of both clocks; 0 where it is not active. */
  remaining(id: string): number;
  /** Tells of each end once, in the turn in which it happens. Answers what stops it. */
  onEnd(listener: EndListener): () => void;
  /** Tells of each change of state: asked for, approved, ended; as `onEnd` does. */
  onChange(listener: EndListener): () => void;
  close(): Promise<void>;
}
