// Where a statement's text holds secrets: string literals that the record must not keep.
import type { Token } from './lexer.ts';

type Span = readonly [start: number, end: number];

/** Words behind which, at most one more token on, a secret stands: IDENTIFIED BY '…', PASSWORD '…', PASSWORD = '…', PASSWORD('…'). */
const KEEPERS: ReadonlySet<string> = new Set([
  'identified',
  'password',
  'old_password',
  'master_password',
  'source_password',
  'master_user_password',
  'replace',
  'by',
  'as',
  'using',
  'connection',
]);

/** Functions that are given a key or a password. */
const KEYED: ReadonlySet<string> = new Set([
  'aes_encrypt',
  'aes_decrypt',
  'des_encrypt',
  'des_decrypt',
  'encode',
  'decode',
  'password',
  'old_password',
  'kdf',
]);

/** Spans with their quotes, in UTF-16 units of the text, ascending. `logins`: the statement has to do with logins. */
export function secretSpans(tokens: readonly Token[], logins: boolean): Span[] {
  const spans: Span[] = [];
  for (const [at, token] of tokens.entries()) {
    if (token.type === 'word' && KEYED.has(token.lower) && tokens[at + 1]?.lower === '(') {
      spans.push(...stringsInside(tokens, at + 1));
      continue;
    }
    if (!logins || token.type !== 'string') continue;
    const [before, earlier] = [tokens[at - 1], tokens[at - 2]];
    const kept = (other: Token | undefined) => other?.type === 'word' && KEEPERS.has(other.lower);
    if (kept(before) || (before?.type === 'operator' && kept(earlier))) spans.push([token.start, token.end]);
  }
  return spans.sort(([a], [b]) => a - b).filter(([start], i, all) => i === 0 || start !== all[i - 1]?.[0]);
}

/** The strings of the group in parentheses that begins at `open`. */
function stringsInside(tokens: readonly Token[], open: number): Span[] {
  const spans: Span[] = [];
  let depth = 0;
  for (let at = open; at < tokens.length; at++) {
    const token = tokens[at] as Token;
    if (token.lower === '(') depth++;
    else if (token.lower === ')' && --depth === 0) break;
    else if (token.type === 'string') spans.push([token.start, token.end]);
  }
  return spans;
}

/** The same for a text that was not understood or whose body cannot be seen into, by its look. */
export function looseSecretSpans(text: string): Span[] {
  const spans: Span[] = [];
  const secret =
    /(?:password|identified(?:\s+(?:with|via)\s+\S+)?\s+(?:by|as|using))((?:\s*(?:[=(]|password\b))*\s*)('(?:[^'\\]|''|\\[\s\S])*'?|"(?:[^"\\]|""|\\[\s\S])*"?|[^\s'";,()]+)/gi;
  for (const match of text.matchAll(secret)) {
    const end = match.index + match[0].length;
    spans.push([end - (match[2] ?? '').length, end]);
  }
  return spans;
}
