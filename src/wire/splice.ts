// What leaves: an outbox of views a direction, and the turn of the loop that records first and then writes.
//
// A chunk is read, judged, and what may pass is put into an outbox as spans of the chunk itself. Nothing is written there
// and then: at the end of the turn of the event loop the record is committed once for all sessions that had something to say,
// and only then every outbox goes out, in one write each. This is the only place that writes to an established session's
// sockets, so "recorded before it counts" cannot be forgotten elsewhere.
import type { Writable } from 'node:stream';

/** Bytes on their way to one peer, as views, in order. */
export class Outbox {
  readonly #views: Buffer[] = [];
  /** The span that grows while neighbouring bytes are passed on. */
  #buffer: Buffer | null = null;
  #start = 0;
  #end = 0;

  get empty(): boolean {
    return this.#buffer === null;
  }

  /** Passes on `buffer[start, end)` as it is. Neighbouring spans become one. */
  span(buffer: Buffer, start: number, end: number): void {
    if (buffer === this.#buffer && start === this.#end) {
      this.#end = end;
      return;
    }
    if (this.#buffer !== null) this.#views.push(this.#view(this.#buffer));
    this.#buffer = buffer;
    this.#start = start;
    this.#end = end;
  }

  /** Adds a message of the gateway's own. */
  push(bytes: Buffer): void {
    if (bytes.length > 0) this.span(bytes, 0, bytes.length);
  }

  /** Writes everything in one call, and forgets it. */
  flush(to: Writable): void {
    const last = this.#buffer;
    if (last === null) return;
    this.#buffer = null;
    const view = this.#start === 0 && this.#end === last.length ? last : last.subarray(this.#start, this.#end);
    if (this.#views.length === 0) {
      to.write(view);
      return;
    }
    to.cork();
    for (const earlier of this.#views) to.write(earlier);
    to.write(view);
    to.uncork();
    this.#views.length = 0;
  }

  /** Everything as one buffer, and forgets it; for tests and for the last words of a session. */
  drain(): Buffer {
    if (this.#buffer !== null) this.#views.push(this.#view(this.#buffer));
    this.#buffer = null;
    return Buffer.concat(this.#views.splice(0));
  }

  #view(buffer: Buffer): Buffer {
    return buffer.subarray(this.#start, this.#end);
  }
}

/** A session as the turn sees it. */
export interface Spliced {
  /** Writes what is due. Called after the record was committed. */
  flush(): void;
  /** The record could not be written: nothing of this turn may leave. */
  fail(error: Error): void;
}

/** Collects the sessions that have something to write in this turn of the loop. */
export class Turn {
  readonly #commit: () => void;
  #due: Spliced[] = [];
  #spare: Spliced[] = [];
  #number = 0;
  #time = 0;
  readonly #run = () => this.end();

  /** @param commit writes the record of this turn; throws where it cannot. */
  constructor(commit: () => void) {
    this.#commit = commit;
  }

  /** Asks for a flush at the end of this turn. Callers see to it that a session asks once a turn. */
  due(session: Spliced): void {
    if (this.#due.push(session) === 1) setImmediate(this.#run);
  }

  /** Counts the turns in which anything happened: what was asked in this turn need not be asked again. */
  get number(): number {
    return this.#number;
  }

  /** Milliseconds since the epoch, read once a turn. */
  get time(): number {
    if (this.#time === 0) {
      this.#time = Date.now();
      this.soon();
    }
    return this.#time;
  }

  /** Sees to it that the record is committed at the end of this turn, where no session has anything to write. */
  soon(): void {
    if (this.#due.length === 0) setImmediate(this.#run);
  }

  /** Ends the turn now. */
  end(): void {
    const due = this.#due;
    this.#due = this.#spare;
    this.#spare = due;
    this.#number++;
    this.#time = 0;
    try {
      this.#commit();
    } catch (error) {
      for (const session of due) session.fail(error instanceof Error ? error : new Error(String(error)));
      due.length = 0;
      return;
    }
    for (const session of due) session.flush();
    due.length = 0;
  }
}
