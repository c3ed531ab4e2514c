// What a session has prepared with SQL's PREPARE. EXECUTE gives a name alone: so everything that was ever prepared under the name is
// judged with it. The server keeps to the database in which it was prepared, so it is executed in that one alone. COM_STMT_PREPARE
// has ids of its own and shares no names.
//
// Nothing is taken off the list, since whether a PREPARE or a DEALLOCATE has worked is only known later.
import type { Allowed, Context } from '../gate.ts';

/** More names than any client has been seen to use; beyond it none is vouched for. */
const MOST_NAMES = 10_000;
/** Characters of all texts together. */
const MOST_TEXT = 4 * 1024 * 1024;

interface Text {
  readonly text: string;
  /** The database in which it was prepared. */
  readonly database: string | undefined;
  /** What it holds could not be seen. */
  readonly opaque: boolean;
  /** In which it was last found allowed. */
  context: Context;
}

export class Prepares {
  readonly #texts = new Map<string, Text[]>();
  #size = 0;

  /** Why PREPARE or EXECUTE with one of these names cannot be let through, or null. */
  against({ statements }: Allowed, { searchPath }: Context): string | null {
    const here = new Set<string>();
    for (const { action, name } of statements.flatMap(({ handles }) => handles)) {
      if (name === null || (action !== 'prepare' && action !== 'execute')) continue;
      if (this.#size > MOST_TEXT || this.#texts.size > MOST_NAMES) {
        return 'the session has prepared more statements than can be kept in sight';
      }
      if (action === 'prepare') here.add(name);
      else if (!here.has(name) && !this.#texts.has(name)) {
        return `no statement "${name}" has been prepared in this session`;
      }
      if (action !== 'execute') continue;
      const elsewhere = this.#texts.get(name)?.find(({ database }) => database !== searchPath?.[0]);
      if (elsewhere !== undefined) return `statement "${name}" was prepared while ${elsewhere.database} was used`;
    }
    return null;
  }

  /** What has to be allowed for this text's EXECUTEs and was not yet in this context; null for nothing. */
  toJudge(allowed: Allowed, context: Context): string | null {
    const texts = this.#executed(allowed).filter((entry) => entry.context !== context);
    return texts.length === 0 ? null : texts.map(({ text }) => text).join('\n;\n');
  }

  /** That has been found allowed. */
  judged(allowed: Allowed, context: Context): void {
    for (const entry of this.#executed(allowed)) entry.context = context;
  }

  /** Whether it executes what could not be seen when it was prepared. */
  hidden(allowed: Allowed): boolean {
    return this.#executed(allowed).some(({ opaque }) => opaque);
  }

  /** A text with a PREPARE is on its way to the database. */
  sent({ statements, context }: Allowed, text: string): void {
    const opaque = statements.some((facts) => facts.opaque !== null);
    for (const { action, name } of statements.flatMap(({ handles }) => handles)) {
      if (action !== 'prepare' || name === null) continue;
      const texts = this.#texts.get(name) ?? [];
      this.#texts.set(name, texts);
      const [database] = context.searchPath ?? [];
      if (texts.some((entry) => entry.text === text && entry.database === database)) continue;
      texts.push({ text, database, opaque, context });
      this.#size += text.length;
    }
  }

  #executed({ statements }: Allowed): Text[] {
    const handles = statements.flatMap((facts) => facts.handles);
    return handles.flatMap(({ action, name }) => (action === 'execute' ? (this.#texts.get(name ?? '') ?? []) : []));
  }
}
