// What a session owes: the replies that the database still has to send, in order, and the statements and portals that
// exist on its side. Both directions read it; it decides which request a reply belongs to.
//
// Names are kept twice: as the database has confirmed them, and as they will be if nothing fails. After an error the second is
// made anew from the first, because everything up to the next Sync is then skipped ("Extended Query", Sync).
import type { Column, Parameter } from '../../types.ts';
import type { Allowed, Context, Plan, Running } from '../gate.ts';
import { Status } from './messages.ts';

/** A statement that was parsed. */
export interface Prepared {
  readonly allowed: Allowed;
  readonly text: string;
  /** Type OIDs, where the client or the database has named them. */
  parameterTypes: readonly number[];
  /** As the database described them: null is "no rows", undefined not known. Formats are those of Bind, not these. */
  columns: readonly Column[] | null | undefined;
  /** The context in which they were described; in another one they may be columns of other tables. */
  describedIn: Context | undefined;
  /** The RowDescription message as it came, for the record. */
  description: Buffer | undefined;
}

/** A statement that was bound. */
export interface Portal {
  readonly prepared: Prepared;
  readonly allowed: Allowed;
  readonly parameters: readonly Parameter[];
  readonly resultFormats: readonly number[];
  /** How its rows are masked: null not at all, undefined not known. */
  plan: Plan | undefined;
  /** It has been executed, perhaps in part. */
  started: boolean;
  /** The context in which its rows were described, or a Describe is on its way that will be answered before any row. */
  describedIn: Context | undefined;
  /** The RowDescription message of its rows, for the record. */
  description: Buffer | undefined;
}

export type Owed =
  /** Simple query: everything up to ReadyForQuery. */
  | { readonly kind: 'query'; readonly allowed: Allowed; readonly running: Running; plan: Plan | undefined }
  | { readonly kind: 'parse'; readonly name: string; readonly prepared: Prepared; readonly running: Running }
  | { readonly kind: 'bind'; readonly name: string; readonly portal: Portal }
  | { readonly kind: 'describe-statement'; readonly prepared: Prepared; readonly context: Context }
  /** `own`: the gateway asks for itself, the client does not see the answer. */
  | { readonly kind: 'describe-portal'; readonly portal: Portal; readonly own: boolean }
  /** Describe of what SQL has made (DECLARE, PREPARE), or of nothing: its answer holds no values and is passed on. */
  | { readonly kind: 'describe-other' }
  | { readonly kind: 'execute'; readonly portal: Portal; readonly running: Running }
  | { readonly kind: 'close'; readonly target: 'S' | 'P'; readonly name: string }
  | { readonly kind: 'sync' }
  /** A reply of the gateway's own, sent when everything before it has been. Gets the transaction status of that moment. */
  | { readonly kind: 'local'; readonly reply: (status: number) => Buffer; readonly endsQuery: boolean }
  /** A statement of the gateway's own, answered when everything before it has been. */
  | {
      readonly kind: 'own';
      readonly reply: (status: number) => Buffer;
      readonly running: Running;
      /** ReadyForQuery stands at its end. */
      readonly endsQuery: boolean;
    }
  /** A message that makes the database fail in a refused one's place; its error is replaced by `reply`. */
  | { readonly kind: 'poison'; readonly reply: Buffer; readonly endsQuery: boolean }
  /** A simple query of the gateway's own; the client sees nothing of it. */
  | {
      readonly kind: 'ask';
      readonly rows: (string | null)[][];
      readonly done: (rows: (string | null)[][] | null) => void;
    };

interface Names {
  readonly statements: Map<string, Prepared>;
  readonly portals: Map<string, Portal>;
}

export class Track {
  /** Transaction status of the last ReadyForQuery. */
  status: number = Status.idle;
  /** The database is skipping everything up to the next Sync. */
  skipping = false;
  /** The database is waiting for COPY data from the client. */
  copyIn = false;

  readonly #owed: Owed[] = [];
  #first = 0;
  #sure: Names = { statements: new Map(), portals: new Map() };
  /** Null after a failure, until somebody asks: a pipeline may hold thousands of them. */
  #expected: Names | null = null;

  get head(): Owed | undefined {
    return this.#owed[this.#first];
  }

  get length(): number {
    return this.#owed.length - this.#first;
  }

  /** What is owed, oldest first. */
  *[Symbol.iterator](): Generator<Owed> {
    for (let i = this.#first; i < this.#owed.length; i++) yield this.#owed[i] as Owed;
  }

  includes(owed: Owed): boolean {
    return this.#owed.indexOf(owed, this.#first) !== -1;
  }

  statement(name: string): Prepared | undefined {
    return this.#names().statements.get(name);
  }

  portal(name: string): Portal | undefined {
    return this.#names().portals.get(name);
  }

  /** A request was sent on (or takes its place in the order of replies). */
  owe(owed: Owed): void {
    this.#owed.push(owed);
    if (this.#expected !== null) apply(this.#expected, owed);
  }

  /** The head has been answered, with success where it makes or ends a name. */
  settle(): void {
    const owed = this.#owed[this.#first];
    if (owed === undefined) return;
    this.#owed[this.#first++] = SYNC; // let go of what the entry holds
    this.#tidy();
    apply(this.#sure, owed);
  }

  /**
   * The head has failed: everything up to the next Sync is skipped by the database. Answers what was skipped, the head
   * first. Where no Sync has been sent yet, `skipping` stays on until it is.
   */
  fail(): Owed[] {
    let end = this.#first;
    while (end < this.#owed.length && this.#owed[end]?.kind !== 'sync') end++;
    this.skipping = end === this.#owed.length;
    const skipped = this.#owed.slice(this.#first, end);
    this.#first = end;
    this.#tidy();
    this.#expected = null;
    return skipped;
  }

  /** ReadyForQuery: outside a transaction no portal lives on ("Extended Query", portals). */
  ready(status: number): void {
    this.status = status;
    this.copyIn = false;
    if (status !== Status.idle || this.#sure.portals.size === 0) return;
    this.#sure.portals.clear();
    // With nothing on its way the names are what they are sure to be, and need not be made anew.
    if (this.length === 0) this.#expected?.portals.clear();
    else this.#expected = null;
  }

  #names(): Names {
    if (this.#expected !== null) return this.#expected;
    const { statements, portals } = this.#sure;
    const expected = { statements: new Map(statements), portals: new Map(portals) };
    for (const owed of this) apply(expected, owed);
    this.#expected = expected;
    return expected;
  }

  #tidy(): void {
    if (this.#first === this.#owed.length) {
      this.#owed.length = this.#first = 0;
    } else if (this.#first > 1024) {
      this.#owed.splice(0, this.#first);
      this.#first = 0;
    }
  }
}

const SYNC: Owed = { kind: 'sync' };

function apply(names: Names, owed: Owed): void {
  switch (owed.kind) {
    case 'parse':
      names.statements.set(owed.name, owed.prepared);
      break;
    case 'bind':
      names.portals.set(owed.name, owed.portal);
      break;
    case 'close':
      (owed.target === 'S' ? names.statements : names.portals).delete(owed.name);
      break;
    case 'query':
      forget(names, owed.allowed);
      break;
    case 'execute':
      forget(names, owed.portal.allowed);
      break;
  }
}

/**
 * A name that SQL may make or end by itself (PREPARE, DEALLOCATE, DECLARE, CLOSE share names with the protocol's messages)
 * is no longer ours to vouch for; null is every name.
 */
function forget({ statements, portals }: Names, allowed: Allowed): void {
  for (const { handles } of allowed.statements) {
    for (const { action, name } of handles) {
      if (action === 'execute' || action === 'fetch') continue;
      const names = action === 'prepare' || action === 'deallocate' ? statements : portals;
      // As decode.ts has names: their bytes.
      if (name === null) names.clear();
      else names.delete(Buffer.from(name).toString('latin1'));
    }
  }
}
