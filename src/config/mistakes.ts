// A mistake in what the operator wrote: where it stands, what is wrong, and the known name that was probably meant.

import { nearest } from '../errors.ts';

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

/** `; did you mean "policy"?`, or the known names where few are known, or nothing. */
export function suggestion(word: string, known: readonly string[]): string {
  const near = nearest(word, known);
  if (near !== null) return `; did you mean "${near}"?`;
  return known.length > 0 && known.length <= 8 ? `; known: ${known.join(', ')}` : '';
}
