// The kept results and bound values of one session, read in its protocol. How a result is read hangs on the statement that it is of,
// and for rows fetched from a cursor of MySQL's also on an earlier one: a reader is told of every record, in order.

import type { Parameter } from '../types.ts';
import type { Phase } from './format.ts';
import { decodeMysqlParameter } from './mysql-cells.ts';
import { decodeFetched, decodeMysqlResults, type MysqlResult } from './mysql-results.ts';
import { type DecodedResult, decodeParameter, decodeResult } from './replay.ts';

interface Read {
  readonly phase: Phase;
  readonly text: string;
}

/** As the gateway records COM_STMT_FETCH. */
const FETCH = 'FETCH of: ';
/** Statements with a cursor whose columns are remembered; the oldest goes. */
const MOST_CURSORS = 100;

export class SessionReader {
  #mysql = false;
  /** Statements whose outcome has not come. */
  readonly #open = new Map<number, Read>();
  /** Results without rows, by the text of their statement: a cursor may hold their rows. */
  readonly #cursors = new Map<string, MysqlResult>();

  /** The session's beginning; without one it is read as PostgreSQL's. */
  start(protocol: string): void {
    this.#mysql = protocol === 'mysql';
  }

  statement(n: number, phase: Phase, text: string): void {
    this.#open.set(n, { phase, text });
  }

  /** What is kept of the result of the n-th statement, whose outcome has come. */
  results(n: number, result: Uint8Array | null): DecodedResult[] {
    const read = this.#open.get(n);
    this.#open.delete(n);
    if (result === null) return [];
    if (!this.#mysql) return decodeResult(result);
    if (read?.text.startsWith(FETCH) && read.phase === 'other') {
      return [shown(decodeFetched(result, this.#cursors.get(read.text.slice(FETCH.length))))];
    }
    const results = decodeMysqlResults(result, read?.phase === 'execute');
    const [first] = results;
    if (read?.phase === 'execute' && first?.rows.length === 0) this.#remember(read.text, first);
    return results.map(shown);
  }

  /** A bound value as people read it; null is SQL NULL. */
  parameter(parameter: Parameter): string | null {
    if (!this.#mysql) return decodeParameter(parameter);
    return parameter.bytes === null ? null : decodeMysqlParameter(parameter.bytes, parameter.typeOid);
  }

  #remember(text: string, result: MysqlResult): void {
    this.#cursors.delete(text);
    this.#cursors.set(text, result);
    const [oldest] = this.#cursors.keys();
    if (this.#cursors.size > MOST_CURSORS && oldest !== undefined) this.#cursors.delete(oldest);
  }
}

function shown({ columns, rows }: MysqlResult): DecodedResult {
  return { columns, rows };
}
