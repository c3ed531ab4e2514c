// What the HTTP API needs of the rest of the gateway, injected by the composition root, and the shapes it answers with.

import type { Grant, GrantState, Identity, Protocol, Verdict } from '../types.ts';

export type Awaitable<T> = T | Promise<T>;

export interface GrantRequest {
  readonly identity: Identity;
  readonly connection: string;
  readonly scopes: readonly string[];
  readonly ttlMs: number;
  readonly task: string;
  readonly reason: string;
}

export interface ListedGrant {
  readonly grant: Grant;
  readonly state: GrantState;
  /** Milliseconds since the epoch. */
  readonly endedAt?: number | undefined;
  readonly endedBy?: string | undefined;
  readonly endReason?: string | undefined;
}

/** Each may throw a SallyportError: SP_GRANT_REFUSED, SP_GRANT_UNKNOWN, SP_GRANT_OVER. */
export interface GrantsService {
  request(request: GrantRequest): Awaitable<{ readonly grant: Grant; readonly secret: string }>;
  list(): Awaitable<readonly ListedGrant[]>;
  show(id: string): Awaitable<ListedGrant | undefined>;
  complete(id: string, by: string): Awaitable<unknown>;
  revoke(id: string, by: string, reason: string): Awaitable<unknown>;
}

/** Sessions and records are answered as they come, in JSON: byte arrays as base64. */
export interface SessionsReader {
  /** Newest first; `before` is a session's id. */
  list(page: { readonly limit: number; readonly before?: string | undefined }): Awaitable<readonly object[]>;
  show(id: string): Awaitable<object | undefined>;
  /** In the order in which they were recorded, or undefined where there is no such session. */
  records(id: string): Awaitable<Iterable<object> | AsyncIterable<object> | undefined>;
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

export interface Services {
  readonly grants: GrantsService;
  readonly sessions: SessionsReader;
  explain(input: ExplainInput): Awaitable<readonly ExplainLine[]>;
  /** False while something keeps statements from being answered, such as a record that cannot be written. */
  ready(): { readonly ok: boolean; readonly reason?: string | undefined };
  /** Where clients log in for this connection, as bound; undefined where the connection is not known. */
  login(connection: string): { readonly protocol: Protocol; readonly host: string; readonly port: number } | undefined;
  readonly metrics: { readonly contentType: string; render(): Promise<string> };
  /** `20m` to milliseconds, or null. */
  parseDuration(text: string): number | null;
}
