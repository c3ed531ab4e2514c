// The neutral nouns: what the protocols, the judge, the masking, the grants and the record say to each other. No behaviour here. Long,
// because it is the one file that every module reads.

/** What a scope lets its holder do, weakest first. */
export const VERBS = ['read', 'write', 'ddl', 'admin'] as const;
export type Verb = (typeof VERBS)[number];

/**
 * What something needs of a grant. `never`: no grant is enough, because the gateway's own understanding of the session
 * (the lexer's settings, the protocol's state) would no longer hold.
 */
export type Need = Verb | 'never';

/** Kinds of secrets that are looked for in values; `[email]` takes a finding's place. In the order in which they are asked. */
export const DETECTORS = [
  'private-key',
  'jwt',
  'github-token',
  'aws-access-key',
  'connection-string',
  'iban',
  'credit-card',
  'us-ssn',
  'email',
  'ip-address',
  'phone',
] as const;

export type DetectorName = (typeof DETECTORS)[number];

export type Protocol = 'postgres' | 'mysql';

export type TlsMode = 'disable' | 'prefer' | 'require' | 'verify-ca' | 'verify-full';

/** Who the short-lived roles of provisioned mode are made by; `password` as a connection's. */
export interface Provisioner {
  readonly user: string;
  readonly password: () => string;
}

/** A registered database. `password` is asked for at each dial, so that a rotated secret is picked up and none is kept. */
export interface Connection {
  readonly name: string;
  readonly protocol: Protocol;
  readonly host: string;
  readonly port: number;
  readonly database: string;
  readonly user: string;
  readonly password: () => string;
  readonly tls: { readonly mode: TlsMode; readonly ca?: string | undefined };
  /** Name of a policy in the config, or undefined: only the scope decides. */
  readonly policy?: string | undefined;
  /** Name of a masking in the config, or undefined: nothing is masked. */
  readonly masking?: string | undefined;
  /** Provisioned mode: each grant has a database role of its own, made by this one. Undefined: sessions are `user`'s. */
  readonly provisioned?: Provisioner | undefined;
}

/** Who asks. */
export interface Identity {
  /** The token's issuer, or `operator` where the operator token was what proved the caller. */
  readonly issuer: string;
  /** Who is acting: for a delegated token the agent (RFC 8693, `act`), not the person. */
  readonly subject: string;
  readonly groups: readonly string[];
  /** For an agent: the person it acts for, where the token says so. */
  readonly actingFor?: string | undefined;
  /** Who acted before the subject in the chain of delegation, nearest first; information only (RFC 8693, 4.1). */
  readonly via?: readonly string[] | undefined;
}

/** What a caller of the API may do beside asking for grants of its own. */
export const ROLES = ['operator', 'approver', 'auditor'] as const;
export type Role = (typeof ROLES)[number];

/** Who calls the API, proven. Without any role it is an agent: it sees and ends its own grants. */
export interface Caller {
  readonly identity: Identity;
  readonly roles: ReadonlySet<Role>;
}

export interface Scope {
  readonly connection: string;
  /** `*` matches any. */
  readonly schema: string;
  readonly table: string;
  readonly verbs: ReadonlySet<Verb>;
  /** As it was written. */
  readonly text: string;
}

/** `requested`: a person has to approve it; `refused`: none did, in time or at all. */
export type GrantState = 'requested' | 'active' | 'refused' | 'completed' | 'expired' | 'revoked';

/**
 * One task, one connection, a scope, a deadline. Times are milliseconds since the epoch; `expiresAt` of a grant that is still
 * `requested` is when the request lapses, and begins anew with its approval.
 */
export interface Grant {
  /** `gr_…`: also the login on the database ports. */
  readonly id: string;
  readonly task: string;
  readonly reason: string;
  readonly identity: Identity;
  readonly connection: string;
  readonly scopes: readonly Scope[];
  readonly requestedAt: number;
  readonly expiresAt: number;
}

export interface GrantRequest {
  readonly identity: Identity;
  readonly connection: string;
  readonly scopes: readonly string[];
  readonly ttlMs: number;
  readonly task: string;
  readonly reason: string;
  /** Who asked, for the history, where it was not the identity itself. */
  readonly by?: string | undefined;
}

export interface ListedGrant {
  readonly grant: Grant;
  readonly state: GrantState;
  /** The life that was asked for, in milliseconds; it begins with the approval where a person has to approve. */
  readonly ttlMs: number;
  /** What a person who looks at it should know, such as "renewed 4 times without a new reason". */
  readonly flags: readonly string[];
  /** Who approved or refused it; of those that a person decided. */
  readonly decided?: GrantDecision;
  /** What it waits for, in one sentence; of those that are `requested`. */
  readonly awaits?: string;
  /** Milliseconds since the epoch; of ended grants only, as are the other two. */
  readonly endedAt?: number;
  readonly endedBy?: string;
  readonly endReason?: string;
}

export interface GrantDecision {
  readonly by: string;
  /** Milliseconds since the epoch. */
  readonly at: number;
  readonly reason: string;
}

/** `requested` alone means active at once, unless an approval was needed. */
export type GrantEventName = 'requested' | 'approved' | 'refused' | 'completed' | 'expired' | 'revoked';

export interface GrantHistoryEvent {
  /** Milliseconds since the epoch. */
  readonly at: number;
  readonly event: GrantEventName;
  readonly by: string;
  readonly reason: string;
}

/** Which grants are listed: all conditions hold. */
export interface GrantFilter {
  /** 1000 at most and unless told. */
  readonly limit?: number | undefined;
  /** A grant's id: those that were asked for before it. Throws `SP_GRANT_UNKNOWN` where there is no such grant. */
  readonly before?: string | undefined;
  readonly state?: GrantState | undefined;
  readonly connection?: string | undefined;
  readonly subject?: string | undefined;
  /** Those of exactly this issuer, subject and person acted for. */
  readonly owner?: Identity | undefined;
}

/** What would be granted, were it asked for now. */
export interface Preview {
  readonly granted: boolean;
  readonly approval: 'auto' | 'required';
  /** Why it is refused, or why a person has to approve it; null where neither. */
  readonly message: string | null;
  /** Each scope of the request; one of several verbs that cannot be granted whole is split into them. */
  readonly scopes: readonly PreviewedScope[];
}

export interface PreviewedScope {
  /** Ready to be asked for. */
  readonly scope: string;
  readonly granted: boolean;
  readonly approval: 'auto' | 'required';
  /** The longest life that the rules have for it; null where no rule has the scope. */
  readonly maxTtlMs: number | null;
  readonly message: string | null;
  /** The nearest scope that may be asked for, where this one may not. */
  readonly nearest: string | null;
}

/** One client connection under one grant. */
export interface Session {
  /** `se_…`, sortable by time. */
  readonly id: string;
  readonly protocol: Protocol;
  readonly grant: Grant;
  readonly connection: Connection;
  /** `host:port` of the client. */
  readonly client: string;
  readonly application: string;
  readonly startedAt: number;
}

/** What is kept of a session's beginning. Nothing of the database's credential is here. */
export interface SessionFacts {
  readonly protocol: string;
  readonly client: string;
  readonly application: string;
  readonly connection: {
    readonly name: string;
    readonly host: string;
    readonly port: number;
    readonly database: string;
  };
  readonly identity: {
    readonly issuer: string;
    readonly subject: string;
    readonly groups: readonly string[];
    readonly actingFor: string | null;
  };
  readonly grant: {
    readonly id: string;
    readonly task: string;
    readonly reason: string;
    readonly scopes: readonly string[];
    readonly requestedAt: number;
    readonly expiresAt: number;
  };
}

// --- What a statement is -------------------------------------------------------------------------------------------

/** A relation as the statement names it; `schema` is null where the session's search path decides. Never a CTE. */
export interface RelationUse {
  readonly schema: string | null;
  readonly name: string;
  readonly verb: Verb;
}

export interface FunctionUse {
  readonly schema: string | null;
  readonly name: string;
  /** What calling it needs, going by its name alone; `read` means known to be free of effects. */
  readonly need: Need;
}

/** SET, RESET, set_config and their kin. `value` is null where it is a default or cannot be seen. */
export interface SettingUse {
  readonly name: string;
  readonly value: string | null;
  readonly need: Need;
}

/**
 * Where a column is used:
 * `output` a bare column or `*` in the select list (or RETURNING) of the outermost plain query, over relations named there;
 * `predicate` anywhere in WHERE, ON, HAVING, GROUP BY, ORDER BY, DISTINCT of the outermost query; an output's name or number
 *   there is the columns of that output;
 * `assigned` the target of an INSERT or UPDATE;
 * `expression` everywhere else: expressions, subqueries, CTEs, set operations, COPY, whole rows, and USING: a column that
 *   it merges (FULL JOIN, two types) comes out without its origin.
 */
export type ColumnPlace = 'output' | 'predicate' | 'assigned' | 'expression';

/** A column as written; `name` `*` is every column, `qualifier` the alias or relation before the dot, or null. */
export interface ColumnUse {
  readonly qualifier: string | null;
  readonly name: string;
  readonly place: ColumnPlace;
}

/** A prepared statement or a cursor that a statement makes, uses or ends by name; `name` null is every one of them. */
export interface HandleUse {
  readonly action: 'prepare' | 'execute' | 'deallocate' | 'declare' | 'fetch' | 'close';
  readonly name: string | null;
}

/** How COPY … TO STDOUT writes its rows, defaults filled in. */
export interface CopyForm {
  readonly format: 'text' | 'csv' | 'binary';
  readonly delimiter: string;
  readonly null: string;
  readonly quote: string;
  readonly escape: string;
  /** The first line holds the columns' names. */
  readonly header: boolean;
  /** As written, or null: the session's client_encoding. */
  readonly encoding: string | null;
  /** An option that is not understood, or null: with one, the rows cannot be read. */
  readonly unknown: string | null;
}

/** One SQL statement, understood. */
export interface Facts {
  /** The statement's own text inside the message, in UTF-16 units. */
  readonly start: number;
  readonly end: number;
  /** Names that rules use: the node's (`select`, `drop-table`), and finer ones (`delete-without-where`). First is the main one. */
  readonly kinds: readonly string[];
  /** What the statement needs in itself, beside its relations, functions and settings. */
  readonly needs: readonly Need[];
  readonly relations: readonly RelationUse[];
  readonly functions: readonly FunctionUse[];
  readonly settings: readonly SettingUse[];
  readonly columns: readonly ColumnUse[];
  /**
   * Names behind a dot (`x.name`, `(…).name`): where they are no column they call a function on what stands before it. Written
   * `row name` where that is a row for certain, so that only functions for rows can be meant.
   */
  readonly fields?: readonly string[] | undefined;
  /** PREPARE, EXECUTE, DEALLOCATE, DECLARE, FETCH, MOVE, CLOSE, DISCARD: they share names with the protocol's own. */
  readonly handles: readonly HandleUse[];
  /** COPY … TO STDOUT alone. */
  readonly copy?: CopyForm | undefined;
  /** Columns are given other names in FROM, joined by NATURAL, or the query's shape hides them: column uses prove nothing. */
  readonly columnsHidden: boolean;
  /** The body that cannot be seen into (`DO`, `CALL` …), or null. Always with need `admin`. */
  readonly opaque: string | null;
  /** True where no literal of the text bears on anything above: texts that differ in literals alone share these facts. */
  readonly valueBlind: boolean;
  /** Spans of the text that hold secrets (`PASSWORD '…'`), to be redacted in the record; UTF-16 units, ascending. */
  readonly secrets: readonly (readonly [start: number, end: number])[];
}

/** A text, understood as one or more statements, or not at all. */
export type Classification =
  | { readonly ok: true; readonly statements: readonly Facts[] }
  | { readonly ok: false; readonly reason: string /** 1-based character of the text. */; readonly position?: number };

// --- What is decided -----------------------------------------------------------------------------------------------

export interface Verdict {
  readonly action: 'allow' | 'deny' | 'approve';
  /** The rule that decided: a rule's name from the policy, or one of `scope`, `not-understood`, `masking`, `grant`, `default`. */
  readonly rule: string;
  /** One sentence for the agent and the record. */
  readonly reason: string;
  /** What would make it work; one sentence. */
  readonly hint?: string | undefined;
}

/** A relation after the session's search path has been applied. */
export interface ResolvedRelation {
  readonly schema: string;
  readonly name: string;
}

/** A relation as the database's catalog has it. */
export interface CatalogRelation {
  readonly oid: number;
  readonly schema: string;
  readonly name: string;
  /** pg_class.relkind: `r` table, `p` partitioned, `v` view, `m` materialised view, `f` foreign … */
  readonly kind: string;
  /** Attribute number to column name; dropped columns are left out. */
  readonly columns: ReadonlyMap<number, string>;
  /** For a view: every relation that it reads, through other views too; else empty. */
  readonly reads: readonly number[];
  /** Inheritance and partitioning: every ancestor and descendant. */
  readonly kin: readonly number[];
  /** Generated columns: attribute number to those that it is computed from. */
  readonly generatedFrom: ReadonlyMap<number, readonly number[]>;
  /** Volatile functions that reading it runs: those in a view's query, those of casts made for a column's type. */
  readonly calls?: readonly FunctionUse[] | undefined;
  /** Attribute number to type. */
  readonly types?: ReadonlyMap<number, ColumnType> | undefined;
  /** Attribute numbers of columns that `*` and an INSERT without a list leave out. */
  readonly invisible?: ReadonlySet<number> | undefined;
  /** Of a view or materialised view: its query, every name but the system's written with its schema. */
  readonly definition?: string | undefined;
}

/** A column's type: its OID and modifier (length, precision; -1: none). */
export interface ColumnType {
  readonly oid: number;
  readonly modifier: number;
}

/** A type as the database's catalog has it (pg_type). OIDs are 0 where there is none. */
export interface CatalogType {
  readonly oid: number;
  readonly schema: string;
  readonly name: string;
  /** `b` base, `c` composite, `d` domain, `e` enum, `m` multirange, `p` pseudo-type, `r` range. */
  readonly kind: string;
  /** `S` strings, `N` numbers, `D` dates …, as pg_type.typcategory. */
  readonly category: string;
  /** Of an array: its element's type. */
  readonly element: number;
  /** The type of arrays of it. */
  readonly array: number;
  /** Of a domain: the type below it. */
  readonly base: number;
  /** Of a composite type: its relation. */
  readonly relation: number;
  /** Of a composite type: the names of its fields, in order. */
  readonly fields: readonly string[];
}

/** What a function, called with `least` to `most` arguments, answers, where that is more than one plain value. */
export interface FunctionResult {
  readonly least: number;
  readonly most: number;
  /**
   * `value` one plain value; `array` an array of them; `row` a row of `columns`; `record` a row that the caller names the columns of; `same` what it is
   * given or an element of that; `same array` an array of what it is given; `unknown` a domain, an array of rows or the like.
   */
  readonly kind: 'value' | 'array' | 'row' | 'record' | 'same' | 'same array' | 'unknown';
  /** Names of the row's columns, or of the only OUT parameter; else empty. */
  readonly columns: readonly string[];
  /** Its first argument can be an array. */
  readonly takesArray: boolean;
}

/** A snapshot of a database's catalog, read over a connection of the gateway's own. */
export interface Catalog {
  /** Grows with every snapshot of this database that differs from the one before. */
  readonly epoch: number;
  relation(oid: number): CatalogRelation | undefined;
  /** Applies the search path where `schema` is null, as the server does: pg_temp, pg_catalog, then the path. */
  find(schema: string | null, name: string, searchPath: readonly string[]): CatalogRelation | undefined;
  relations(): Iterable<CatalogRelation>;
  /** Names of functions outside the system's schemas: an unqualified call may reach one of them. */
  readonly userFunctions: ReadonlySet<string>;
  /**
   * Names of functions that take one argument and may do more than read it, the system's own and others: those that
   * `x.name` must not reach.
   */
  readonly fieldFunctions?: ReadonlySet<string> | undefined;
  /** OIDs of types whose values are checked by a function that somebody made: domains, and what is built on them. */
  readonly checkedTypes?: ReadonlySet<number> | undefined;
  /** Names of operators outside the system's schemas. */
  readonly userOperators: ReadonlySet<string>;
  type?(oid: number): CatalogType | undefined;
  /** Applies the search path where `schema` is null, as the server does for types. */
  findType?(schema: string | null, name: string, searchPath: readonly string[]): CatalogType | undefined;
  /** By a function's name, in whichever schema. One that is not here answers with one plain value without a name. */
  readonly results?: ReadonlyMap<string, readonly FunctionResult[]> | undefined;
  /** Names of columns are in lower case here, and compared without regard to case. */
  readonly foldsColumns?: boolean | undefined;
  /** Of MySQL and MariaDB: what it says of itself, and the sql_mode that its sessions begin with. */
  readonly server?:
    | {
        readonly version: string;
        readonly sqlMode: string;
        readonly mariadb: boolean;
        /** It minds no case in names of schemas, tables and aliases. */
        readonly foldsTables: boolean;
      }
    | undefined;
  /**
   * The login starts in a role (`ALTER ROLE … SET role`) that DISCARD ALL does not bring back, as not every minor version
   * of PostgreSQL does.
   */
  readonly resetWidens?: boolean | undefined;
}

// --- Where values flow ---------------------------------------------------------------------------------------------------

/** A column of a relation: the relation's OID and the attribute's number in it, 1-based. */
export interface BaseColumn {
  readonly oid: number;
  readonly attribute: number;
}

/** What a value depends on. Unproven counts as dependent on everything that the statement touches. */
export type Dependence =
  /** On no base column: constants, counts, what comes from columns only through filters. */
  | { readonly kind: 'independent' }
  /** It is that column's value, unchanged: through aliases, joins, subqueries, views, casts to the same type. */
  | {
      readonly kind: 'direct';
      readonly column: BaseColumn;
      /** Columns of views that it came through: a rule may name them too. */
      readonly via?: readonly BaseColumn[] | undefined;
    }
  /** Computed from these, or one of several of them (set operations, COALESCE); columns of views on the way among them. */
  | { readonly kind: 'derived'; readonly from: readonly BaseColumn[] }
  | { readonly kind: 'unproven'; readonly reason: string };

/** How values flow through one statement. */
export interface Lineage {
  /** One entry an output column, in order; null where the statement returns no rows. */
  readonly outputs: readonly { readonly name: string; readonly dependence: Dependence }[] | null;
  /** Columns that filter, join, group, order or are counted, at any depth: they decide which rows there are, not what is in them. */
  readonly predicates: readonly BaseColumn[];
  /** Values that are stored or sent elsewhere: a column of a table, or (column null) what `into` names in words. */
  readonly writes: readonly { readonly into: string; readonly column: BaseColumn | null; readonly from: Dependence }[];
}

// --- What comes back -----------------------------------------------------------------------------------------------

/** A column of a result as the database describes it. */
export interface Column {
  readonly name: string;
  /** OID of the base table, or 0; MySQL leaves it 0 and gives `origin`. */
  readonly tableOid: number;
  /** Attribute number in that table, 1-based, or 0. */
  readonly attribute: number;
  readonly typeOid: number;
  readonly typeModifier: number;
  /** 0 text, 1 binary. */
  readonly format: number;
  /** MySQL: the names that the column definition gives as its origin; empty where there is none, and not always true. */
  readonly origin?: { readonly schema: string; readonly table: string; readonly column: string } | undefined;
  /** MySQL: the column definition's flags. */
  readonly flags?: number | undefined;
  /** MySQL: the collation's id; 63 is binary. */
  readonly charset?: number | undefined;
  /** MySQL: digits behind the point; 31 is "as many as it has". */
  readonly decimals?: number | undefined;
}

/**
 * Rewrites one cell. Gets the cell's bytes as a span of a buffer, answers the same length in other bytes or another
 * length; `null` makes it SQL NULL, `undefined` leaves it as it is. It is never called for a NULL cell. The answer is only
 * read before the next call.
 */
export type CellMask = (buffer: Buffer, start: number, end: number) => Uint8Array | null | undefined;

/** One entry a column: undefined leaves the cell as it is. A plan with no entry at all is written `null` by its makers. */
export type RowPlan = readonly (CellMask | undefined)[];

// --- What is recorded ----------------------------------------------------------------------------------------------

/** A bound value as it came: undecoded. `bytes` null is SQL NULL; `typeOid` 0 is unknown. */
export interface Parameter {
  readonly typeOid: number;
  readonly format: number;
  readonly bytes: Uint8Array | null;
}

/** How a statement ended. */
export interface Outcome {
  readonly rows: number;
  /** Bytes of result sent to the client. */
  readonly bytes: number;
  /** Cells that were masked. */
  readonly masked: number;
  /** Command tags, one a statement (`SELECT 1`), or empty. */
  readonly tags: readonly string[];
  readonly error: { readonly code: string; readonly message: string } | null;
  /** The beginning of the result in the protocol's own messages, after masking. */
  readonly result: Uint8Array | null;
  /** The result is longer than what is kept of it. */
  readonly truncated: boolean;
}
