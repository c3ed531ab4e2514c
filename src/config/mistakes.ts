// A mistake in what the operator wrote: where it stands, what is wrong, and the known name that was probably meant.

export interface Mistake {
  /** A variable's name, or the place in the config file: `connections.analytics.port`. */
  readonly path: string;
  readonly message: string;
  /** 1-based line in the config file, where it is known. */
  readonly line?: number | undefined;
}

/** `sallyport.yaml:12 connections.analytics.port: …`, one line. */
export function formatMistake(mistake: Mistake, file?: string): string {
  const place = file === undefined ? '' : `${file}${mistake.line === undefined ? '' : `:${mistake.line}`} `;
  return `${place}${mistake.path === '' ? '' : `${mistake.path}: `}${mistake.message}`;
}

/** The known name closest to `word`, or null where none is close enough to have been meant. */
export function nearest(word: string, known: Iterable<string>): string | null {
  const wanted = word.toLowerCase();
  let best: string | null = null;
  // A third of the letters may be wrong, two at least.
  let bound = Math.max(2, Math.floor(word.length / 3)) + 1;
  for (const candidate of known) {
    const distance = editDistance(wanted, candidate.toLowerCase());
    if (distance < bound) {
      bound = distance;
      best = candidate;
    }
  }
  return best;
}

/** `; did you mean "policy"?`, or the known names where few are known, or nothing. */
export function suggestion(word: string, known: readonly string[]): string {
  const near = nearest(word, known);
  if (near !== null) return `; did you mean "${near}"?`;
  return known.length > 0 && known.length <= 8 ? `; known: ${known.join(', ')}` : '';
}

/** Optimal string alignment: insertions, deletions, substitutions and swapped neighbours each count one. */
function editDistance(a: string, b: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1];
      let cost = Math.min((last[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1, (last[j - 1] ?? 0) + (same ? 0 : 1));
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) {
        cost = Math.min(cost, (beforeLast[j - 2] ?? 0) + 1);
      }
      row.push(cost);
    }
    beforeLast = last;
    last = row;
  }
  return last[b.length] ?? 0;
}
