// Private keys in PEM (RFC 7468; OpenSSH's and PGP's own blocks too).
//
// Trusted because of the encapsulation boundary, `-----BEGIN … PRIVATE KEY-----`, and base64 behind it. What is cut off before its
// end is found as far as it goes.

import { byteAt, type Finder, found, isAlnum, isSpace, isUpper, type Text } from './text.ts';

const HYPHEN = 0x2d;
const SPACE = 0x20;
const BACKSLASH = 0x5c;
const LONGEST_LABEL = 48;
/** How much base64 must follow a boundary that is never closed; prose about keys has none. */
const LEAST_BODY = 16;

export const privateKey: Finder = {
  name: 'private-key',
  // The rarest letter of BEGIN.
  at: [['G', (next) => next === 0x49]],
  find(text, at) {
    const from = at - 7;
    if (!isBoundary(text, from, 'BEGIN ')) return false;
    const label = from + 11;
    const labelEnd = dashes(text, label, label + LONGEST_LABEL);
    if (labelEnd < 0 || !isPrivate(text, label, labelEnd)) return false;
    const body = labelEnd + 5;
    const next = dashes(text, body, text.end);
    if (next >= 0 && isBoundary(text, next, 'END ')) {
      const end = dashes(text, next + 9, next + 9 + LONGEST_LABEL);
      return found(text, from, end < 0 ? next + 9 : end + 5);
    }
    if (!hasBody(text, body)) return false;
    return found(text, from, next < 0 ? text.end : next);
  },
};

/** Whether five hyphens and `word` stand at `at`. */
function isBoundary(text: Text, at: number, word: string): boolean {
  for (let i = 0; i < 5; i++) if (byteAt(text, at + i) !== HYPHEN) return false;
  for (let i = 0; i < word.length; i++) if (byteAt(text, at + 5 + i) !== word.charCodeAt(i)) return false;
  return true;
}

/** Where five hyphens stand next, from `at` and before `limit`; -1 where they do not. */
function dashes(text: Text, at: number, limit: number): number {
  const end = Math.min(limit, text.end);
  let run = 0;
  for (let i = at; i < end; i++) {
    run = text.bytes[i] === HYPHEN ? run + 1 : 0;
    if (run === 5) return i - 4;
  }
  return -1;
}

/** Whether a label of capitals, digits and spaces ends with PRIVATE KEY, or PRIVATE KEY BLOCK. */
function isPrivate(text: Text, from: number, to: number): boolean {
  for (let at = from; at < to; at++) {
    const byte = byteAt(text, at);
    if (!isUpper(byte) && byte !== SPACE && !isAlnum(byte)) return false;
  }
  return endsWith(text, to, 'PRIVATE KEY') || endsWith(text, to, 'PRIVATE KEY BLOCK');
}

function endsWith(text: Text, to: number, word: string): boolean {
  for (let i = 0; i < word.length; i++) if (byteAt(text, to - word.length + i) !== word.charCodeAt(i)) return false;
  return true;
}

function hasBody(text: Text, at: number): boolean {
  let from = at;
  // Line ends, and those that are written `\n` or `\r\n`.
  for (;;) {
    const byte = byteAt(text, from);
    const letter = byteAt(text, from + 1);
    if (isSpace(byte)) from++;
    else if (byte === BACKSLASH && (letter === 0x6e || letter === 0x72)) from += 2;
    else break;
  }
  for (let i = 0; i < LEAST_BODY; i++) {
    const byte = byteAt(text, from + i);
    if (!isAlnum(byte) && byte !== 0x2b && byte !== 0x2f && byte !== 0x3d) return false;
  }
  return true;
}
