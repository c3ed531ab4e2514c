// The database session that one MCP session has under one grant: opened with the first statement, kept for the next ones, so that
// a transaction goes on from one to the next, and let go when it has been idle for a while.

import { SallyportError } from '../errors.ts';
import type { Answer, Database, Statement } from './database.ts';

/** Milliseconds: whoever has left a transaction open holds its locks for so long. */
export const IDLE_MS = 60_000;
/** Statements that wait for the one that runs. */
const MAX_WAITING = 8;

export class Line {
  readonly #dial: () => Promise<Database>;
  #database: Database | null = null;
  #tail: Promise<void> = Promise.resolve();
  #waiting = 0;
  #idle: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(dial: () => Promise<Database>) {
    this.#dial = dial;
  }

  /** One behind another, in the order in which they come. Rejects as `Database.run` does, and with SP_LIMIT. */
  async run(statement: Statement, signal: AbortSignal): Promise<Answer & { readonly over: boolean }> {
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
      clearTimeout(this.#idle);
      const database = await this.#opened();
      const answer = await database.run(statement, signal);
      return { ...answer, over: !database.open };
    } finally {
      this.#waiting--;
      this.#idle = setTimeout(() => this.#letGo(), IDLE_MS).unref();
      done();
    }
  }

  close(): void {
    this.#closed = true;
    this.#letGo();
  }

  async #opened(): Promise<Database> {
    if (this.#database?.open === true) return this.#database;
    const database = await this.#dial();
    // Nobody is there any more to let it go.
    if (this.#closed) database.close();
    this.#database = database;
    return database;
  }

  #letGo(): void {
    clearTimeout(this.#idle);
    this.#database?.close();
    this.#database = null;
  }
}
