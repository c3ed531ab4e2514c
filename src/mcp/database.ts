// A database session as the tools use it, over either driver: one statement at a time, its result bounded in rows and bytes.

/** A value that JSON has. */
export type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json };

/** Bound to a placeholder of the statement, never put into its text. */
export type Parameter = string | number | boolean | null | readonly (string | number | boolean | null)[];

export interface Statement {
  readonly sql: string;
  readonly parameters: readonly Parameter[];
  readonly maxRows: number;
  readonly maxBytes: number;
}

export interface Answer {
  readonly columns: readonly { readonly name: string; readonly type: string }[];
  readonly rows: readonly (readonly Json[])[];
  /** Rows that the statement changed, as the database counts them; null of one that only reads. */
  readonly affected: number | null;
  /** Why there are rows that are not here: more than `maxRows`, or more than `maxBytes`. */
  readonly truncated: 'rows' | 'bytes' | null;
  /** What the database or the gateway said beside the result. */
  readonly notices: readonly string[];
}

export interface Database {
  /** False once the session is over: the next statement needs another one. */
  readonly open: boolean;
  /**
   * Rejects with a DatabaseError, or with the signal's reason; aborting ends the session, and with it what it runs.
   * Not to be called before the last statement is answered.
   */
  run(statement: Statement, signal: AbortSignal): Promise<Answer>;
  close(): void;
}

/** Where a session is opened, and as whom. */
export interface DatabaseLogin {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string;
  readonly database: string;
  readonly application: string;
}

/** An error that the database or the gateway has answered a statement or a login with. */
export class DatabaseError extends Error {
  /** SQLSTATE, or MySQL's number. */
  readonly code: string;
  /** The gateway's verdict where it was the gateway: `{decision, rule, grant, verbs, relations, approval}`. */
  readonly decision: Readonly<Record<string, unknown>> | null;
  readonly detail: string | null;
  readonly hint: string | null;
  /** The session is over with it. */
  readonly fatal: boolean;

  constructor(
    message: string,
    about: {
      code: string;
      decision?: Record<string, unknown> | null;
      detail?: string | null;
      hint?: string | null;
      fatal?: boolean;
    },
  ) {
    super(message);
    this.name = 'DatabaseError';
    this.code = about.code;
    this.decision = about.decision ?? null;
    this.detail = about.detail ?? null;
    this.hint = about.hint ?? null;
    this.fatal = about.fatal ?? false;
  }
}

/** Of a result that is too long, so much more is read and thrown away before the session is ended over it. */
const SPILL = 4 * 1024 * 1024;
const MAX_NOTICES = 20;

/** Collects a result within its bounds. */
export class Collector {
  readonly rows: Json[][] = [];
  readonly notices: string[] = [];
  truncated: 'rows' | 'bytes' | null = null;
  readonly #maxRows: number;
  readonly #maxBytes: number;
  readonly #overflow: () => void;
  #kept = 0;
  #received = 0;

  /** @param overflow called once where more has come than is worth reading */
  constructor({ maxRows, maxBytes }: Statement, overflow: () => void) {
    this.#maxRows = maxRows;
    this.#maxBytes = maxBytes;
    this.#overflow = overflow;
  }

  /** Bytes have come over the wire, of whatever. */
  received(bytes: number): void {
    const before = this.#received;
    this.#received += bytes;
    const limit = this.#maxBytes + SPILL;
    if (before > limit || this.#received <= limit) return;
    this.truncated ??= 'bytes';
    this.#overflow();
  }

  /** `bytes` is the row's size on the wire, or near it. */
  add(bytes: number, row: () => Json[]): void {
    if (this.truncated !== null) return;
    if (this.rows.length >= this.#maxRows) this.truncated = 'rows';
    else if (this.#kept + bytes > this.#maxBytes) this.truncated = 'bytes';
    else {
      this.#kept += bytes;
      this.rows.push(row());
    }
  }

  notice(text: string): void {
    if (this.notices.length < MAX_NOTICES) this.notices.push(text);
  }
}

/** JSON of one object, or null. */
export function objectOf(text: string | undefined): Record<string, unknown> | null {
  if (text === undefined || !text.startsWith('{')) return null;
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : null;
  } catch {
    return null;
  }
}
