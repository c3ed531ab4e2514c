// What the MCP server needs of the rest of the gateway, injected by the composition root.

import type {
  Caller,
  Grant,
  GrantRequest,
  GrantState,
  Identity,
  ListedGrant,
  Preview,
  Protocol,
  Verdict,
} from '../types.ts';

/** Each may throw a SallyportError with words for the caller. */
export interface Grants {
  request(request: GrantRequest): Promise<{
    readonly grant: Grant;
    readonly state: 'active' | 'requested';
    readonly secret: string;
    readonly message: string | null;
  }>;
  preview(request: GrantRequest): Preview;
  show(id: string): ListedGrant;
  /** Newest first. */
  list(filter: {
    readonly owner: Identity;
    readonly limit: number;
    readonly state?: GrantState | undefined;
  }): readonly ListedGrant[];
  complete(id: string, by: string): ListedGrant;
  /** Milliseconds to its deadline; 0 where it is not active. */
  remaining(id: string): number;
  /** Tells of each change of a grant's state. Answers what stops it. */
  onChange(listener: (id: string) => void): () => void;
}

export interface OfferedConnection {
  readonly name: string;
  readonly protocol: Protocol;
  readonly scopes: readonly {
    readonly scope: string;
    readonly maxTtlMs: number;
    readonly approval: 'auto' | 'required';
  }[];
}

export interface Explained {
  readonly statement: string;
  readonly verbs: readonly string[];
  readonly relations: readonly string[];
  readonly functions: readonly string[];
  readonly verdict: Pick<Verdict, 'action' | 'rule' | 'reason'>;
}

/** A database port of the gateway's own, where tickets are taken. */
export interface Door {
  readonly host: string;
  readonly port: number;
}

export interface McpServices {
  readonly grants: Grants;
  /** What an identity could ask for. */
  offers(identity: Identity): readonly OfferedConnection[];
  explain(input: {
    readonly connection: string;
    readonly scopes: readonly string[];
    readonly text: string;
  }): Promise<readonly Explained[]>;
  /** What the connection speaks, and the door for it; undefined where there is no such connection. */
  door(connection: string): (Door & { readonly protocol: Protocol }) | undefined;
  readonly tickets: {
    issue(ticket: {
      readonly grant: string;
      readonly client: string;
      readonly application: string;
    }): Promise<{ readonly login: string; readonly secret: string }>;
  };
  /** For drivers; null where the connection is not known. */
  dsn(connection: string, user: string, password: string): string | null;
  /** `20m` to milliseconds, or null. */
  parseDuration(text: string): number | null;
  /** What an identity is called in a grant's history. */
  nameOf(identity: Identity): string;
  readonly log: {
    info(fields: object, message: string): void;
    error(fields: object, message: string): void;
  };
}

/** Who uses a tool, and from where; a fresh one for every HTTP request. */
export interface Asking {
  readonly caller: Caller;
  /** `host:port`. */
  readonly client: string;
  /** Aborted when the HTTP request is gone, and nobody would read the answer. */
  readonly gone: AbortSignal;
}
