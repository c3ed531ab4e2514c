// How a session's texts are read, as one string that the gate can keep: the server's kind and its sql_mode.
import { type LexMode, lexMode } from './lexer.ts';

export interface Reading {
  /** As `@@sql_mode` has it. */
  readonly sqlMode: string;
  readonly mariadb: boolean;
}

export function writeMode({ sqlMode, mariadb }: Reading): string {
  return `${mariadb ? 'mariadb' : 'mysql'} ${sqlMode}`;
}

const known = new Map<string, LexMode | null>();

/** What `writeMode` has written. Null where the sql_mode makes the server read another language: then no text is understood. */
export function readMode(mode: string): LexMode | null {
  let found = known.get(mode);
  if (found === undefined) {
    const space = mode.indexOf(' ');
    found = lexMode(mode.slice(space + 1), mode.slice(0, space) === 'mariadb');
    known.set(mode, found);
  }
  return found;
}
