// IP addresses: four decimals (RFC 791), or groups of hexadecimals with colons (RFC 4291).
//
// Trusted because of the boundary and the range of every part. Version numbers are told by a fifth part, leading zeros, a part
// above 255, or the word before them; times, MAC addresses, fingerprints and C++ names by their number of groups and by what
// stands beside them. A section number of four parts (`1.2.3.4`) cannot be told from an address.

import { isNamed } from './context.ts';
import {
  BESIDE,
  byteAt,
  compileWords,
  digitsEnd,
  type Finder,
  found,
  isAlnum,
  isDigit,
  isHex,
  isLetter,
  type Text,
} from './text.ts';

const DOT = 0x2e;
const COLON = 0x3a;
const HYPHEN = 0x2d;
const UNDERSCORE = 0x5f;
const VERSION = compileWords([
  'version',
  'versions',
  'ver',
  'v',
  'release',
  'build',
  'firmware',
  'revision',
  'rev',
  'oid',
]);
const NONE = compileWords([]);
const LONGEST_V6 = 45;

export const ipAddress: Finder = {
  name: 'ip-address',
  at: [[':', (next) => next === COLON || isHex(next)]],
  digits: (length, before, after) => length <= 3 && after === BESIDE.dot && before !== BESIDE.letter,
  find: (text, at) => (byteAt(text, at) === COLON ? version6(text, at) : version4(text, at)),
};

function version4(text: Text, at: number): boolean {
  const before = byteAt(text, at - 1);
  if (before === DOT || before === UNDERSCORE || (before === HYPHEN && isAlnum(byteAt(text, at - 2)))) return false;
  const to = decimalsEnd(text, at);
  if (to === 0) return false;
  const after = byteAt(text, to);
  if (isAlnum(after) || after === UNDERSCORE) return false;
  if ((after === DOT || after === HYPHEN) && isAlnum(byteAt(text, to + 1))) return false;
  return !isNamed(text, at, VERSION, NONE) && found(text, at, to);
}

/** The end of four parts from 0 to 255 without leading zeros, or 0. */
function decimalsEnd(text: Text, at: number): number {
  let from = at;
  for (let part = 1; ; part++) {
    const to = digitsEnd(text, from);
    const size = to - from;
    if (size === 0 || size > 3 || (size > 1 && byteAt(text, from) === 0x30)) return 0;
    let value = 0;
    for (let i = from; i < to; i++) value = value * 10 + byteAt(text, i) - 0x30;
    if (value > 255) return 0;
    if (part === 4) return to;
    if (byteAt(text, to) !== DOT) return 0;
    from = to + 1;
  }
}

/** Called at every colon; only the first of a group of colons and hexadecimals is looked at. */
function version6(text: Text, colon: number): boolean {
  let from = colon;
  while (colon - from < 5 && isHex(byteAt(text, from - 1))) from--;
  if (colon - from > 4) return false;
  const before = byteAt(text, from - 1);
  if (isAlnum(before) || before === UNDERSCORE || before === DOT || before === HYPHEN) return false;
  if (before === COLON && !isWordEnd(text, from - 2)) return false;
  const next = byteAt(text, colon + 1);
  if (from === colon ? next !== COLON : !isHex(next) && next !== COLON) return false;
  return groups(text, from);
}

/** Whether a word that is no hexadecimal ends at `at`: the colon behind it is not the address's (`ip:fe80::1`). */
function isWordEnd(text: Text, at: number): boolean {
  let first = at;
  while (at - first < 8 && isHex(byteAt(text, first))) first--;
  return isLetter(byteAt(text, first));
}

function groups(text: Text, start: number): boolean {
  let at = start;
  let count = 0;
  let gap = false;
  let pairs = 0;
  let hasDigit = false;
  for (;;) {
    let to = at;
    while (to - at < 5 && isHex(byteAt(text, to))) {
      if (isDigit(byteAt(text, to))) hasDigit = true;
      to++;
    }
    const size = to - at;
    if (size > 4 || count > 8) return false;
    if (size > 0 && byteAt(text, to) === DOT && count > 0) {
      // The last two groups written as an IPv4 address.
      const end = decimalsEnd(text, at);
      if (end > 0) {
        count += 2;
        at = end;
        break;
      }
    }
    if (size > 0) count++;
    if (size === 2) pairs++;
    at = to;
    if (byteAt(text, at) !== COLON) break;
    if (byteAt(text, at + 1) === COLON) {
      if (gap) return false;
      gap = true;
      at += 2;
      if (!isHex(byteAt(text, at))) break;
    } else if (size === 0 || !isHex(byteAt(text, at + 1))) break;
    else at++;
  }
  if (at - start > LONGEST_V6 || count > 8 || count === 0) return false;
  // Eight pairs are an EUI-64 or a fingerprint; an address does not pad its groups.
  if (gap ? count > 7 || !hasDigit : count !== 8 || pairs === 8) return false;
  const after = byteAt(text, at);
  if (isAlnum(after) || after === UNDERSCORE || after === COLON) return false;
  return found(text, start, at);
}
