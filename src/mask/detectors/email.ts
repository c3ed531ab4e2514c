// E-mail addresses (RFC 5321, the dot-string form; of RFC 6531 the alphabets with two bytes a letter in UTF-8).
//
// Trusted because of the boundary: a local part before the `@` (or its `%40` in a URL), and behind it a host name of at
// least two labels whose last one is letters and no file's ending. `git@host:path` is an address of another kind.

import {
  byteAt,
  type Finder,
  found,
  isAlnum,
  isContinuation,
  isDigit,
  isLead,
  isLetter,
  isSpace,
  standsAt,
  type Text,
} from './text.ts';

const AT = 0x40;
const DOT = 0x2e;
const HYPHEN = 0x2d;
const UNDERSCORE = 0x5f;
const COLON = 0x3a;
const MAX_LABEL = 63;
const MAX_TLD = 24;
/** Longer than RFC 5321 allows (64), and bounded: looking back must not cost more than going on. */
const MAX_LOCAL = 256;

/** What may stand in a local part besides letters and digits; others are allowed too, but mostly delimit. */
const INNER = new Set(Buffer.from("._%+-~#$!*^'"));
/** Endings that no host has: `icon@2x.png`. */
const FILES = ['png', 'jpg', 'jpeg', 'gif', 'svg', 'webp', 'avif', 'css', 'js', 'html', 'json', 'xml', 'pdf', 'txt'];

export const email: Finder = {
  name: 'email',
  at: [
    ['@', (next) => isAlnum(next) || isLead(next)],
    ['%', (next) => next === 0x34],
  ],
  find(text, at) {
    const width = byteAt(text, at) === AT ? 1 : standsAt(text, at, '%40') ? 3 : 0;
    if (width === 0) return false;
    const to = hostEnd(text, at + width);
    if (to === 0) return false;
    const from = localStart(text, at);
    if (from === at) return false;
    const next = byteAt(text, to);
    const remote = next === COLON && !isSpace(byteAt(text, to + 1)) && !isDigit(byteAt(text, to + 1));
    if (remote && at - from === 3 && standsAt(text, from, 'git')) return false;
    return found(text, from, to);
  },
};

function localStart(text: Text, at: number): number {
  if (byteAt(text, at - 1) === DOT) return at;
  let from = at;
  const first = Math.max(text.start, at - MAX_LOCAL);
  for (let before = at - 1; before >= first; before--) {
    const byte = byteAt(text, before);
    if (isContinuation(byte) && isLead(byteAt(text, before - 1))) from = --before;
    else if (isAlnum(byte) || byte === UNDERSCORE) from = before;
    else if (!INNER.has(byte)) break;
  }
  return from;
}

/** The end of the longest host name at `at` that has a name for its last label, or 0. */
function hostEnd(text: Text, at: number): number {
  let end = 0;
  let numbers = 0;
  let label = at;
  for (let labels = 1; ; labels++) {
    let to = label;
    let digits = true;
    while (to - label <= MAX_LABEL) {
      const byte = byteAt(text, to);
      const wide = isLead(byte) && isContinuation(byteAt(text, to + 1));
      if (!isAlnum(byte) && !wide && byte !== HYPHEN) break;
      if (!isDigit(byte)) digits = false;
      to += wide ? 2 : 1;
    }
    let last = to;
    while (last > label && byteAt(text, last - 1) === HYPHEN) last--;
    const length = last - label;
    if (length === 0 || length > MAX_LABEL || byteAt(text, label) === HYPHEN) break;
    // A version, `name@1.2.3-rc.one`, begins with two numbers.
    if (digits && labels <= 2) numbers++;
    if (labels >= 2 && numbers < 2 && isTld(text, label, last)) end = last;
    if (last < to || byteAt(text, to) !== DOT) break;
    label = to + 1;
  }
  return end;
}

function isTld(text: Text, from: number, to: number): boolean {
  if (standsAt(text, from, 'xn--')) return true;
  if (to - from < 2 || to - from > MAX_TLD) return false;
  for (let at = from; at < to; at++) {
    const byte = byteAt(text, at);
    if (!isLetter(byte) && !isLead(byte) && !isContinuation(byte)) return false;
  }
  return !FILES.some((ending) => ending.length === to - from && standsAt(text, from, ending));
}
