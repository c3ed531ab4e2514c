// Where a statement's text holds secrets: string literals that the record must not keep.

import { tokens } from './parser.ts';
import type { Secretive } from './walk.ts';

type Span = readonly [start: number, end: number];

/**
 * Spans of a statement that lies at `start` to `end` of a text, in UTF-16 units, ascending, with their quotes. `password`:
 * the literal behind each PASSWORD; `all-strings`: every string literal; besides those that begin at `literals`. Where the
 * tokens cannot be had, the whole statement.
 */
export function secretSpans(
  text: string,
  start: number,
  end: number,
  secretive: Secretive,
  literals: readonly number[],
): Span[] {
  if (secretive === 'no' && literals.length === 0) return [];
  const statement = text.slice(start, end);
  const bytes = Buffer.from(statement, 'utf8');
  const wanted = new Set(literals);
  const spans: Span[] = [];
  let previous = '';
  let at = 0;
  let from = start;
  try {
    for (const token of tokens(statement)) {
      const word = bytes.toString('utf8', token.start, token.end);
      if (word.startsWith('--') || word.startsWith('/*')) continue;
      from += bytes.toString('utf8', at, token.start).length;
      at = token.start;
      const isString = word.endsWith("'") || /^\$.*\$$/s.test(word);
      const named = secretive === 'password' && previous === 'password';
      if (isString && (named || secretive === 'all-strings' || wanted.has(from)))
        spans.push([from, from + word.length]);
      previous = word.toLowerCase();
    }
  } catch {
    return [[start, end]];
  }
  return spans;
}

/**
 * The same for a text that was not understood or whose body cannot be seen into, by its look: every literal behind the word
 * PASSWORD, and what `password=…` says inside a connection string.
 */
export function looseSecretSpans(text: string): Span[] {
  const spans: Span[] = [];
  const password =
    /password(\s*(?:=>|:=|=)?\s*)('(?:[^']|'')*'?|"(?:[^"]|"")*"?|\$(\w*)\$[\s\S]*?(?:\$\3\$|$)|[^\s'";,)]+)/gi;
  for (const match of text.matchAll(password)) {
    const from = match.index + match[0].length - (match[2] ?? '').length;
    spans.push([from, match.index + match[0].length]);
  }
  return spans;
}
