// The code table: every error the gateway makes itself, with its stable code. What a client of a database port reads is
// worded in `wire/<protocol>/messages.ts`; these are for logs, the CLI and the API.

export const CODES = {
  SP_CONFIG: 'the configuration is not valid',
  SP_ENV: 'an environment variable is not valid',
  SP_GRANT_REFUSED: 'the grant is refused',
  SP_GRANT_UNKNOWN: 'no such grant',
  SP_GRANT_OVER: 'the grant is over',
  SP_GRANT_DECIDED: 'the request is decided already',
  SP_PROTOCOL: 'the peer broke the protocol',
  SP_UPSTREAM: 'the database cannot be reached or refuses the gateway',
  SP_RECORD: 'the record cannot be written',
  SP_NOT_FOUND: 'no such thing',
  SP_UNAUTHORIZED: 'the caller is not known',
  SP_FORBIDDEN: 'the caller may not do this',
  SP_LIMIT: 'a limit is reached',
} as const;

export type Code = keyof typeof CODES;

export class SallyportError extends Error {
  readonly code: Code;
  /** What would make it work, in one sentence. */
  readonly hint: string | undefined;

  constructor(code: Code, message: string, options: { hint?: string; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'SallyportError';
    this.code = code;
    this.hint = options.hint;
  }
}

/**
 * The known name that was probably meant by `word`, or null where none is near: at most a third of the letters, and
 * never fewer than two, may be wrong (insertions, deletions and substitutions each count one).
 */
export function nearest(word: string, known: Iterable<string>): string | null {
  // Longer words than any name here are nobody's slip, and the distance costs the product of both lengths.
  if (word.length > 200) return null;
  let best: string | null = null;
  let bound = Math.max(2, Math.floor(word.length / 3)) + 1;
  for (const name of known) {
    const distance = editDistance(word.toLowerCase(), name.toLowerCase(), bound);
    if (distance < bound) {
      bound = distance;
      best = name;
    }
  }
  return best;
}

/** How many letters have to be added, left out or changed to make one of the other; what is not below `bound` may be any above. */
function editDistance(a: string, b: string, bound: number): number {
  if (Math.abs(a.length - b.length) >= bound) return bound;
  let above = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let row = 1; row <= a.length; row++) {
    const current = [row];
    let least = row;
    for (let column = 1; column <= b.length; column++) {
      const change = (above[column - 1] ?? 0) + (a[row - 1] === b[column - 1] ? 0 : 1);
      const distance = Math.min(change, (above[column] ?? 0) + 1, (current[column - 1] ?? 0) + 1);
      current.push(distance);
      least = Math.min(least, distance);
    }
    if (least >= bound) return bound;
    above = current;
  }
  return above[b.length] ?? 0;
}
