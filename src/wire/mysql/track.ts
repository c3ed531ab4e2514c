// What a session owes: the replies that the database still has to send, in order, and the statements that are prepared on its
// side. Both directions read it; it decides which command a reply belongs to. The protocol answers commands strictly in order.
import type { Allowed, Running } from '../gate.ts';
import type { ParameterTypes } from './decode.ts';
import type { RowForm } from './rows.ts';

/** A statement that was prepared by COM_STMT_PREPARE, by the id that the database gave it. */
export interface Prepared {
  readonly allowed: Allowed;
  readonly text: string;
  readonly parameters: number;
  /** As the last execution named them. */
  types: ParameterTypes | null;
  /** COM_STMT_SEND_LONG_DATA since the last execution, by parameter. */
  readonly long: Map<number, Buffer[]>;
  /** What `long` costs, bytes. */
  longBytes: number;
  /** More was sent than can be held: it cannot be judged. */
  longIsCut: boolean;
  /** The rows of an open cursor: how they are masked; undefined where there is none. */
  cursor: Cursor | undefined;
}

export interface Cursor {
  readonly form: RowForm | null;
  readonly allowed: Allowed;
}

/** The reply to a statement: any number of results, each OK, or columns and rows. */
export interface Results {
  readonly kind: 'results';
  readonly allowed: Allowed;
  readonly running: Running;
  /** Rows are in the binary protocol. */
  readonly binary: boolean;
  /** Of an execution. */
  readonly prepared: Prepared | null;
  /** Which result of the reply this is. */
  index: number;
  /** COM_INIT_DB: the database that is used after it. */
  readonly database: string | null;
}

export type Owed =
  | Results
  /** COM_STMT_PREPARE. */
  | { readonly kind: 'prepare'; readonly allowed: Allowed; readonly text: string; readonly running: Running }
  /** COM_STMT_FETCH: rows of a cursor. */
  | { readonly kind: 'fetch'; readonly prepared: Prepared; readonly cursor: Cursor; readonly running: Running }
  /** COM_FIELD_LIST: column definitions up to EOF. */
  | { readonly kind: 'fields'; readonly running: Running }
  /** One payload that holds no values: COM_PING, COM_STATISTICS, COM_SET_OPTION, COM_STMT_RESET. */
  | { readonly kind: 'plain' }
  /** COM_RESET_CONNECTION: what the gateway relies on is set again before the client hears of it. */
  | { readonly kind: 'reset' }
  /** A reply of the gateway's own, sent when everything before it has been. */
  | { readonly kind: 'local'; readonly reply: Buffer }
  /** A statement of the gateway's own that the client has sent, answered when everything before it has been. */
  | { readonly kind: 'own'; readonly reply: () => Buffer; readonly running: Running }
  /** A statement of the gateway's own; the client sees nothing of it. Rows are null where it failed. */
  | {
      readonly kind: 'ask';
      readonly rows: (string | null)[][];
      readonly done: (rows: (string | null)[][] | null) => void;
    };

export class Track {
  /** Status flags of the last reply. */
  status = 0;
  readonly prepared = new Map<number, Prepared>();
  /** Characters of the texts of all that is prepared. */
  preparedText = 0;
  /** What the parameters of all statements cost that were sent in pieces, bytes. */
  longBytes = 0;
  readonly #owed: Owed[] = [];
  #first = 0;

  get head(): Owed | undefined {
    return this.#owed[this.#first];
  }

  get length(): number {
    return this.#owed.length - this.#first;
  }

  /** A statement that is being prepared: its id is not known yet. */
  get preparing(): boolean {
    for (let i = this.#first; i < this.#owed.length; i++) if (this.#owed[i]?.kind === 'prepare') return true;
    return false;
  }

  prepare(id: number, prepared: Prepared): void {
    this.forget(id);
    this.prepared.set(id, prepared);
    this.preparedText += prepared.text.length;
  }

  forget(id: number): void {
    const prepared = this.prepared.get(id);
    if (prepared === undefined) return;
    this.forgetLong(prepared);
    this.prepared.delete(id);
    this.preparedText -= prepared.text.length;
  }

  /** Parameters that were sent in pieces are bound, or not wanted any more. */
  forgetLong(prepared: Prepared): void {
    this.longBytes -= prepared.longBytes;
    prepared.longBytes = 0;
    prepared.longIsCut = false;
    prepared.long.clear();
  }

  /** The connection was reset. */
  forgetPrepared(): void {
    this.prepared.clear();
    this.preparedText = 0;
    this.longBytes = 0;
  }

  owe(owed: Owed): void {
    this.#owed.push(owed);
  }

  /** The head has been answered. */
  settle(): void {
    this.#owed[this.#first++] = DONE;
    if (this.#first === this.#owed.length) this.#owed.length = this.#first = 0;
    else if (this.#first > 1024) {
      this.#owed.splice(0, this.#first);
      this.#first = 0;
    }
  }
}

const DONE: Owed = { kind: 'plain' };
