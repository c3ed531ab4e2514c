// What masking makes of the rows of EXECUTE and FETCH: they are those of a statement that was prepared or declared before, and
// the text gives a name alone.
//
// Everything that was ever stored under a name counts, since whether a PREPARE, a DEALLOCATE or a CLOSE has worked is only
// known later: where two of them would be masked differently, the rows are unproven.
import type { Allowed, Outputs } from '../gate.ts';

/** More names than any client has been seen to use; beyond it rows are unproven. */
const MOST_NAMES = 10_000;

export class Stored {
  readonly #outputs = new Map<string, Outputs | undefined>();

  /** A text with a PREPARE or DECLARE is on its way to the database. */
  sent({ statements, ruling }: Allowed): void {
    for (const [index, { handles }] of statements.entries()) {
      for (const { action, name } of handles) {
        if (name === null || (action !== 'prepare' && action !== 'declare')) continue;
        const key = keyOf(action, name);
        const outputs = ruling.outputs[index];
        if (!this.#outputs.has(key)) {
          if (this.#outputs.size < MOST_NAMES) this.#outputs.set(key, outputs);
        } else if (!alike(this.#outputs.get(key), outputs)) {
          this.#outputs.set(key, 'unproven');
        }
      }
    }
  }

  /** For the index-th statement of a text: what its own analysis says, or for EXECUTE and FETCH that of what was stored. */
  outputsOf({ statements, ruling }: Allowed, index: number): Outputs | undefined {
    for (const { action, name } of statements[index]?.handles ?? []) {
      if (action !== 'execute' && action !== 'fetch') continue;
      const key = keyOf(action === 'execute' ? 'prepare' : 'declare', name ?? '');
      return this.#outputs.has(key) ? this.#outputs.get(key) : 'unproven';
    }
    return ruling.outputs[index];
  }
}

const keyOf = (action: 'prepare' | 'declare', name: string): string => `${action} ${name}`;

/** Outputs are made of shared strategies and undefined. */
function alike(one: Outputs | undefined, other: Outputs | undefined): boolean {
  if (!Array.isArray(one) || !Array.isArray(other)) return one === other;
  return one.length === other.length && one.every((output, i) => output === other[i]);
}
