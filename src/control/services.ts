// What the HTTP API needs of the rest of the gateway, injected by the composition root.

import type {
  Caller,
  Grant,
  GrantFilter,
  GrantHistoryEvent,
  GrantRequest,
  ListedGrant,
  Preview,
  Protocol,
  Role,
  Scope,
  SessionFacts,
  Verdict,
} from '../types.ts';

export type Awaitable<T> = T | Promise<T>;

/** Each may throw a SallyportError: SP_GRANT_REFUSED, SP_GRANT_UNKNOWN, SP_GRANT_OVER, SP_GRANT_DECIDED, SP_FORBIDDEN … */
export interface GrantsService {
  request(request: GrantRequest): Awaitable<{
    readonly grant: Grant;
    readonly state: 'active' | 'requested';
    readonly secret: string;
  }>;
  preview(request: GrantRequest): Preview;
  /** Newest first. */
  list(filter: GrantFilter): readonly ListedGrant[];
  show(id: string): ListedGrant;
  /** Oldest first. */
  history(id: string): readonly GrantHistoryEvent[];
  approve(id: string, by: Caller, reason?: string): ListedGrant;
  refuse(id: string, by: Caller, reason: string): ListedGrant;
  /** Whether `approve` and `refuse` are open to the caller: false where the grant does not wait. */
  mayApprove(id: string, caller: Caller): boolean;
  complete(id: string, by: string): ListedGrant;
  revoke(id: string, by: string, reason: string): ListedGrant;
  /** Every open grant of the subject, or of everybody. */
  revokeAll(which: { readonly subject?: string | undefined }, by: string, reason: string): readonly ListedGrant[];
}

/** A session as the record keeps it. Times are milliseconds since the epoch. */
export interface ListedSession {
  readonly id: string;
  readonly startedAt: number;
  readonly lastAt: number;
  readonly endedAt: number | null;
  readonly endReason: string | null;
  readonly records: number;
  readonly statements: { readonly allow: number; readonly deny: number; readonly approve: number };
  readonly facts: SessionFacts | null;
}

export interface SessionPage {
  readonly limit: number;
  /** A session's id: those that started before it. */
  readonly before?: string | undefined;
  /** Milliseconds since the epoch: those that started then or later. */
  readonly since?: number | undefined;
  readonly accept: (session: ListedSession) => boolean;
}

export interface SessionsReader {
  /** Newest first. `next` is where the next page begins, or null: a page may hold fewer than asked for and not be the last. */
  page(page: SessionPage): Awaitable<{ readonly sessions: readonly ListedSession[]; readonly next: string | null }>;
  show(id: string): Awaitable<ListedSession | undefined>;
  /** In the order in which they were recorded; answered as they come, in JSON. */
  records(id: string): Awaitable<Iterable<object> | AsyncIterable<object>>;
}

export interface ExplainInput {
  readonly connection: string;
  readonly scopes: readonly string[];
  readonly text: string;
}

/** What would be decided of one statement. */
export interface ExplainLine {
  readonly statement: string;
  readonly verbs: readonly string[];
  readonly relations: readonly string[];
  readonly functions: readonly string[];
  readonly verdict: Pick<Verdict, 'action' | 'rule' | 'reason'>;
  /** Of a statement that returns rows, where the connection masks: what each column depends on, and how it is masked. */
  readonly columns?:
    | readonly {
        readonly column: string;
        readonly dependence: string;
        readonly from: readonly string[];
        readonly mask: string;
      }[]
    | undefined;
}

/** An access rule, as far as it says what may be asked for. */
export interface OfferRule {
  readonly groups: readonly string[];
  readonly connections: readonly string[];
  readonly scopes: readonly string[];
  readonly maxTtlMs: number;
  readonly approval: 'auto' | 'required';
}

export interface Login {
  readonly protocol: Protocol;
  readonly host: string;
  readonly port: number;
}

export interface Services {
  /** Who calls, by the request's Authorization header. Throws SP_UNAUTHORIZED with words for the caller. */
  prove(authorization: string | undefined): Promise<Caller>;
  /** The identity providers whose tokens are taken. */
  issuers(): readonly {
    readonly issuer: string;
    readonly clientId?: string | undefined;
    readonly audience: string;
  }[];
  readonly grants: GrantsService;
  readonly sessions: SessionsReader;
  /** The names of the registered databases. */
  connections(): readonly string[];
  /** The access rules in force. */
  access(): readonly OfferRule[];
  parseScope(text: string): Scope;
  /** Where clients log in for this connection, as bound; undefined where the connection is not known. */
  login(connection: string): Login | undefined;
  explain(input: ExplainInput): Awaitable<readonly ExplainLine[]>;
  /** False while something keeps statements from being answered, such as a record that cannot be written. */
  ready(): { readonly ok: boolean; readonly reason?: string | undefined };
  readonly metrics: { readonly contentType: string; render(): Promise<string>; answered(status: number): void };
  /** `20m` to milliseconds, or null. */
  parseDuration(text: string): number | null;
}

/** Groups by role, as the config has them. */
export type RoleGroups = Readonly<Partial<Record<Role, readonly string[] | undefined>>>;
