// United States social security numbers: area, group and serial, as the Social Security Administration issues them.
//
// Trusted because of the dashes in 3-2-4 with no further digit or letter beside, and because of what is never issued: area 000,
// 666 and 9xx, group 00, serial 0000, and two numbers that were printed in advertisements. With spaces, or plain, only where
// the words before it say what it is.

import { isNamed } from './context.ts';
import { BESIDE, byteAt, compileWords, digitsEnd, type Finder, found, isAlnum, isDigit, type Text } from './text.ts';

const HYPHEN = 0x2d;
const DOT = 0x2e;
const UNDERSCORE = 0x5f;
const WORDS = compileWords([
  'ssn',
  'ss#',
  'ssn#',
  'social security',
  'social_security',
  'social-security',
  'socialsecurity',
]);
/** Words that may stand between. */
const FILLERS = compileWords(['number', 'no', 'nr', 'num', 'is', 'was', 'id']);
const PRINTED = new Set([78_05_1120, 219_09_9999]);

export const usSsn: Finder = {
  name: 'us-ssn',
  digits: (length, before, after) => {
    if (before === BESIDE.letter || before === BESIDE.underscore) return false;
    if (length === 9) return after !== BESIDE.letter && after !== BESIDE.underscore;
    return length === 3 && (after === BESIDE.hyphen || after === BESIDE.space);
  },
  find(text, at) {
    const before = byteAt(text, at - 1);
    if ((before === DOT || before === HYPHEN) && isDigit(byteAt(text, at - 2))) return false;
    const run = digitsEnd(text, at);
    const separator = run - at === 9 ? 0 : byteAt(text, run);
    const gap = separator === 0 ? 0 : 1;
    const group = at + 3 + gap;
    const serial = group + 2 + gap;
    const to = serial + 4;
    if (gap === 1) {
      if (digitsEnd(text, group) !== group + 2 || byteAt(text, group + 2) !== separator) return false;
      if (digitsEnd(text, serial) !== to) return false;
    }
    if (!isIssued(value(text, at, 3), value(text, group, 2), value(text, serial, 4))) return false;
    const after = byteAt(text, to);
    if (isAlnum(after) || after === UNDERSCORE) return false;
    if ((after === DOT || after === HYPHEN) && isDigit(byteAt(text, to + 1))) return false;
    if (separator !== HYPHEN && !isNamed(text, at, WORDS, FILLERS)) return false;
    return found(text, at, to);
  },
};

function isIssued(area: number, group: number, serial: number): boolean {
  if (area === 0 || area === 666 || area >= 900 || group === 0 || serial === 0) return false;
  return !PRINTED.has((area * 100 + group) * 10_000 + serial);
}

function value(text: Text, at: number, length: number): number {
  let sum = 0;
  for (let i = at; i < at + length; i++) sum = sum * 10 + byteAt(text, i) - 0x30;
  return sum;
}
