// What masking makes of the rows of EXECUTE and FETCH: they are those of a statement that was prepared, declared or bound before,
// and the text gives a name alone.
//
// A name stands for what was last made under it with success, as the database has confirmed: of a name that is taken it makes
// nothing. So names are set when replies come, in their order, and looked up in the same order.
import type { Allowed, Context, Outputs } from '../gate.ts';
import type { Portal } from './track.ts';

/** More names than any client has been seen to use; the rows of others are unproven. */
const MOST_NAMES = 10_000;

interface Entry {
  /** The statement's own text. */
  readonly text: string;
  outputs: Outputs | undefined;
  /** What the outputs were judged in. The server looks the names of what was prepared up anew, those of a cursor never. */
  context: Context | null;
}

export class Stored {
  readonly #names = new Map<string, Entry>();
  /** What each request would make, by its place in the request's text. */
  readonly #making = new WeakMap<object, ReadonlyMap<number, readonly [key: string, entry: Entry]>>();

  /** A text is on its way to the database; `owed` stands for it among the replies. */
  sent(owed: object, { statements, ruling, context }: Allowed, text: string): void {
    const making = new Map<number, readonly [string, Entry]>();
    for (const [index, { kinds, handles, start, end }] of statements.entries()) {
      const [handle] = handles;
      if (handle?.name == null || kinds[0] !== handle.action) continue;
      if (handle.action !== 'prepare' && handle.action !== 'declare') continue;
      making.set(index, [
        keyOf(handle.action, handle.name),
        {
          text: text.slice(start, end),
          outputs: ruling.outputs[index],
          context: handle.action === 'prepare' ? context : null,
        },
      ]);
    }
    if (making.size > 0) this.#making.set(owed, making);
  }

  /** The index-th statement of a request has been carried out. */
  done(owed: object, index: number): void {
    const made = this.#making.get(owed)?.get(index);
    if (made !== undefined) this.#set(...made);
  }

  /** A portal has been bound: FETCH takes rows from it as from a cursor. `name` is as decode.ts has it: its bytes. */
  bound(name: string, { allowed, prepared }: Portal): void {
    if (name === '') return;
    const outputs = allowed.runsStored ? 'unproven' : allowed.ruling.outputs[0];
    this.#set(keyOf('declare', Buffer.from(name, 'latin1').toString('utf8')), {
      text: prepared.text,
      outputs,
      context: null,
    });
  }

  /** A text with what has been prepared before was judged again. */
  judged({ statements, ruling, context }: Allowed, text: string): void {
    for (const [index, { handles, start, end }] of statements.entries()) {
      const [handle] = handles;
      if (handle?.action !== 'prepare' || handle.name === null) continue;
      const entry = this.#names.get(keyOf('prepare', handle.name));
      if (entry?.text !== text.slice(start, end)) continue;
      entry.outputs = ruling.outputs[index];
      entry.context = context;
    }
  }

  /** For the index-th statement of a text: what its own analysis says, or for EXECUTE and FETCH that of what was stored. */
  outputsOf({ statements, ruling, context }: Allowed, index: number): Outputs | undefined {
    const { kinds, handles } = statements[index] ?? { kinds: [], handles: [] };
    const [handle] = handles;
    if (handle === undefined || kinds[0] !== handle.action || !isUse(handle.action)) return ruling.outputs[index];
    const entry = this.#names.get(keyOf(handle.action === 'execute' ? 'prepare' : 'declare', handle.name ?? ''));
    if (entry === undefined) return 'unproven';
    return entry.context === null || entry.context === context ? entry.outputs : 'unproven';
  }

  #set(key: string, entry: Entry): void {
    if (this.#names.has(key) || this.#names.size < MOST_NAMES) this.#names.set(key, entry);
  }
}

const isUse = (action: string): boolean => action === 'execute' || action === 'fetch';

const keyOf = (action: 'prepare' | 'declare', name: string): string => `${action} ${name}`;
