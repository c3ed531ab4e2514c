// The database session that one MCP session has under one grant: opened with the first statement, kept for the next ones, so that
// a transaction goes on from one to the next, and let go when it has been idle for a while.

import { SallyportError } from '../errors.ts';
import type { Answer, Database, Statement } from './database.ts';

/** Milliseconds: whoever has left a transaction open holds its locks for so long. */
export const IDLE_MS = 60_000;
/** Statements that wait for the one that runs. */
const MAX_WAITING = 8;

export class Line {
  #database: Database | null = null;
  #tail: Promise<void> = Promise.resolve();
  #waiting = 0;
  #timer: NodeJS.Timeout | undefined;
  #closed = false;

  /** Nothing runs or waits. */
  get idle(): boolean {
    return this.#waiting === 0;
  }

  /**
   * One behind another, in the order in which they come. Rejects as `dial` and `Database.run` do, and with SP_LIMIT.
   * @param dial opens a session, where there is none
   */
  async run(
    statement: Statement,
    signal: AbortSignal,
    dial: () => Promise<Database>,
  ): Promise<Answer & { readonly over: boolean }> {
    if (this.#waiting > MAX_WAITING) {
      throw new SallyportError('SP_LIMIT', `${MAX_WAITING} statements wait under this grant already`, {
        hint: 'Wait for the answers, then send the next.',
      });
    }
    this.#waiting++;
    const before = this.#tail;
    const { promise, resolve: done } = Promise.withResolvers<void>();
    this.#tail = promise;
    try {
      await before;
      signal.throwIfAborted();
      clearTimeout(this.#timer);
      const database = await this.#opened(dial);
      const answer = await database.run(statement, signal);
      return { ...answer, over: !database.open };
    } finally {
      this.#waiting--;
      this.#timer = setTimeout(() => this.#letGo(), IDLE_MS).unref();
      done();
    }
  }

  close(): void {
    this.#closed = true;
    this.#letGo();
  }

  async #opened(dial: () => Promise<Database>): Promise<Database> {
    if (this.#database?.open === true) return this.#database;
    const database = await dial();
    // Nobody is there any more to let it go.
    if (this.#closed) database.close();
    this.#database = database;
    return database;
  }

  #letGo(): void {
    clearTimeout(this.#timer);
    this.#database?.close();
    this.#database = null;
  }
}
