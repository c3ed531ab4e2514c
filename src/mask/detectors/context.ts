// What the words before a candidate say about it.

import { type Text, type Words, wordBefore } from './text.ts';

const BETWEEN = new Uint8Array(256);
for (const byte of Buffer.from(' \t:=#.("\'>[*-_\\')) BETWEEN[byte] = 1;
const MOST_BETWEEN = 6;

/**
 * Whether one of `words` stands before `at`, with nothing but punctuation, and at most two of `fillers`, between. A key and its
 * value in JSON are such neighbours.
 */
export function isNamed(text: Text, at: number, words: Words, fillers: Words): boolean {
  let behind = at;
  for (let more = 0; more < 3; more++) {
    const nearest = Math.max(text.context, behind - MOST_BETWEEN);
    let end = behind;
    while (end > nearest && BETWEEN[text.bytes[end - 1] ?? 0] === 1) end--;
    if (wordBefore(text, end, words) > 0) return true;
    // `ss#`: its own punctuation was taken for what stands between.
    if (end < behind && wordBefore(text, end + 1, words) > 0) return true;
    const filler = wordBefore(text, end, fillers);
    if (filler === 0) return false;
    behind = end - filler;
  }
  return false;
}
