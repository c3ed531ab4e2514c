// What a session has prepared with SQL's PREPARE. EXECUTE gives a name alone, and the server looks up the relations of what it
// stands for anew when the search path has moved: so everything that was ever prepared under the name is judged with it.
//
// Nothing is taken off the list, since whether a PREPARE or a DEALLOCATE has worked is only known later. PREPARE and the
// protocol's Parse make names in one place, so a session may use a name in one of the two ways only.

import type { Allowed, Context } from '../gate.ts';

/** More names than any client has been seen to use; beyond it none is vouched for. */
const MOST_NAMES = 10_000;
/** Characters of all texts together. */
const MOST_TEXT = 4 * 1024 * 1024;

interface Text {
  readonly text: string;
  /** In which it was last found allowed. */
  context: Context;
}

export class Prepares {
  readonly #texts = new Map<string, Text[]>();
  /** Names that Parse has used, as their bytes. */
  readonly #parsed = new Set<string>();
  #size = 0;

  /** Why the name of a Parse message, as decode.ts has it, cannot be taken; or null, and it is. */
  parse(name: string): string | null {
    if (this.#texts.size > 0 && this.#texts.has(Buffer.from(name, 'latin1').toString('utf8'))) {
      return `the name "${name}" has been used by PREPARE in this session`;
    }
    if (name !== '' && this.#parsed.size <= MOST_NAMES) this.#parsed.add(name);
    return null;
  }

  /** Why PREPARE or EXECUTE with one of these names cannot be let through, or null. */
  against({ statements }: Allowed): string | null {
    const here = new Set<string>();
    for (const { action, name } of statements.flatMap(({ handles }) => handles)) {
      if (name === null || (action !== 'prepare' && action !== 'execute')) continue;
      if (this.#parsed.size > MOST_NAMES || this.#size > MOST_TEXT || this.#texts.size > MOST_NAMES) {
        return 'the session has prepared more statements than can be kept in sight';
      }
      if (this.#parsed.has(Buffer.from(name, 'utf8').toString('latin1'))) {
        return `the name "${name}" has been used by the protocol's Parse message in this session`;
      }
      if (action === 'prepare') here.add(name);
      else if (!here.has(name) && !this.#texts.has(name)) {
        return `no statement "${name}" has been prepared in this session`;
      }
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

  /** A text with a PREPARE is on its way to the database. */
  sent({ statements, context }: Allowed, text: string): void {
    for (const { action, name } of statements.flatMap(({ handles }) => handles)) {
      if (action !== 'prepare' || name === null) continue;
      const texts = this.#texts.get(name) ?? [];
      this.#texts.set(name, texts);
      if (texts.some((entry) => entry.text === text)) continue;
      texts.push({ text, context });
      this.#size += text.length;
    }
  }

  #executed({ statements }: Allowed): Text[] {
    const handles = statements.flatMap((facts) => facts.handles);
    return handles.flatMap(({ action, name }) => (action === 'execute' ? (this.#texts.get(name ?? '') ?? []) : []));
  }
}
