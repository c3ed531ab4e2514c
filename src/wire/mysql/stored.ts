// What masking makes of the rows of EXECUTE: they are those of a statement that was prepared before, and the text gives a name
// alone. A name stands for what was last made under it with success, as the database has confirmed.
import type { Allowed, Context, Outputs } from '../gate.ts';

/** More names than any client has been seen to use; the rows of others are unproven. */
const MOST_NAMES = 10_000;

interface Entry {
  /** The statement's own text. */
  readonly text: string;
  outputs: Outputs | undefined;
  /** What the outputs were judged in: the server looks the names of what was prepared up anew. */
  context: Context;
}

export class Stored {
  readonly #names = new Map<string, Entry>();
  /** What each command would make, by its place in the command's text. */
  readonly #making = new WeakMap<object, ReadonlyMap<number, readonly [name: string, entry: Entry]>>();

  /** A text is on its way to the database; `owed` stands for it among the replies. */
  sent(owed: object, { statements, ruling, context }: Allowed, text: string): void {
    const making = new Map<number, readonly [string, Entry]>();
    for (const [index, { kinds, handles, start, end }] of statements.entries()) {
      const [handle] = handles;
      if (handle?.action !== 'prepare' || handle.name === null || kinds[0] !== 'prepare') continue;
      making.set(index, [handle.name, { text: text.slice(start, end), outputs: ruling.outputs[index], context }]);
    }
    if (making.size > 0) this.#making.set(owed, making);
  }

  /** The index-th statement of a command has been carried out. */
  done(owed: object, index: number): void {
    const made = this.#making.get(owed)?.get(index);
    if (made === undefined) return;
    const [name, entry] = made;
    if (this.#names.has(name) || this.#names.size < MOST_NAMES) this.#names.set(name, entry);
  }

  /** A text with what has been prepared before was judged again. */
  judged({ statements, ruling, context }: Allowed, text: string): void {
    for (const [index, { handles, start, end }] of statements.entries()) {
      const [handle] = handles;
      if (handle?.action !== 'prepare' || handle.name === null) continue;
      const entry = this.#names.get(handle.name);
      if (entry?.text !== text.slice(start, end)) continue;
      entry.outputs = ruling.outputs[index];
      entry.context = context;
    }
  }

  /** For the index-th statement of a text: what its own analysis says, or for EXECUTE that of what was stored. */
  outputsOf({ statements, ruling, context }: Allowed, index: number): Outputs | undefined {
    const [handle] = statements[index]?.handles ?? [];
    if (handle?.action !== 'execute') return ruling.outputs[index];
    const entry = this.#names.get(handle.name ?? '');
    return entry?.context === context ? entry.outputs : 'unproven';
  }
}
