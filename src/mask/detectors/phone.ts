// Telephone numbers: international (ITU-T E.164), North American in their own shape, others where a word says what they are.
//
// Trusted because of the plus with a country code that is assigned and the right number of digits, because of NANP's rules for
// area and exchange, or because of the context. A bare run of digits is never taken for a telephone number.

import { isNamed } from './context.ts';
import { BESIDE, byteAt, compileWords, digitsEnd, type Finder, found, isAlnum, isDigit, type Text } from './text.ts';

const PLUS = 0x2b;
const OPEN = 0x28;
const CLOSE = 0x29;
const SPACE = 0x20;
const HYPHEN = 0x2d;
const DOT = 0x2e;
const SLASH = 0x2f;
const COLON = 0x3a;
const UNDERSCORE = 0x5f;
const MOST_DIGITS = 15;
const LEAST_INTERNATIONAL = 8;
/** Without any separator a plus before digits may be arithmetic. */
const LEAST_PLAIN = 9;
const LEAST_NAMED = 7;

/** Country codes of three digits begin with these two; those of one or two digits are the other first digits (E.164 annex). */
const LONG_CODES = /^(2[1-69]|3[578]|42|5[09]|6[789]|8[0578]|9[679])/;
const SHORT_CODES = /^(1|7|20|27|3[0-469]|4[013-9]|5[1-8]|6[0-6]|8[1246]|9[0-58])/;
const CODES = new Uint8Array(100);
for (let two = 10; two < 100; two++) {
  if (SHORT_CODES.test(String(two)) || LONG_CODES.test(String(two))) CODES[two] = 1;
}

const WORDS = compileWords([
  'phone',
  'phones',
  'telephone',
  'telefon',
  'tel',
  'tel.nr',
  'mobile',
  'mobil',
  'handy',
  'cell',
  'cellphone',
  'fax',
  'whatsapp',
  'sms',
  'landline',
  'ph',
]);
const FILLERS = compileWords(['number', 'no', 'nr', 'num', 'is', 'home', 'work', 'office', 'mobile', 'phone', 'at']);

export const phone: Finder = {
  name: 'phone',
  at: [['+', (next) => isDigit(next) || next === OPEN]],
  digits: (length, before, after) => {
    if (before === BESIDE.letter || before === BESIDE.underscore || before === BESIDE.hyphen) return false;
    if (after === BESIDE.letter || after === BESIDE.underscore) return false;
    return (length >= LEAST_NAMED && length <= MOST_DIGITS) || (length < LEAST_NAMED && after !== BESIDE.other);
  },
  find(text, at) {
    if (byteAt(text, at) === PLUS) return international(text, at);
    const before = byteAt(text, at - 1);
    if ((before === DOT || before === SLASH || before === COLON) && isDigit(byteAt(text, at - 2))) return false;
    return northAmerican(text, at) || named(text, at);
  },
};

function international(text: Text, plus: number): boolean {
  const before = byteAt(text, plus - 1);
  if (isAlnum(before) || before === PLUS || before === UNDERSCORE) return false;
  const at = byteAt(text, plus + 1) === OPEN ? plus + 2 : plus + 1;
  const code = (byteAt(text, at) - 0x30) * 10 + byteAt(text, at + 1) - 0x30;
  const one = byteAt(text, at) === 0x31 || byteAt(text, at) === 0x37;
  if (!isDigit(byteAt(text, at)) || (!one && CODES[code] !== 1)) return false;
  const most = byteAt(text, at) === 0x31 ? 11 : MOST_DIGITS;
  const to = phraseEnd(text, at, most);
  const plain = to === digitsEnd(text, at);
  if (to === 0 || digits < (plain ? LEAST_PLAIN : LEAST_INTERNATIONAL) || isPartOfMore(text, to)) return false;
  return found(text, plus, to);
}

/** NXX-NXX-XXXX, with or without the 1 before it and parentheses about the area. */
function northAmerican(text: Text, start: number): boolean {
  let at = start;
  const country = byteAt(text, at) === 0x31 && isSeparator(byteAt(text, at + 1));
  if (country) at += 2;
  const open = byteAt(text, at) === OPEN;
  if (open) at++;
  const from = !country && byteAt(text, start - 1) === OPEN ? start - 1 : start;
  const paired = open || from < start;
  if (digitsEnd(text, at) !== at + 3 || !isAreaOrExchange(text, at)) return false;
  let exchange = at + 3;
  if (paired !== (byteAt(text, exchange) === CLOSE)) return false;
  if (paired) exchange++;
  const separator = byteAt(text, exchange);
  if (isSeparator(separator)) exchange++;
  else if (!paired) return false;
  if (digitsEnd(text, exchange) !== exchange + 3 || !isAreaOrExchange(text, exchange)) return false;
  const second = byteAt(text, exchange + 3);
  const line = exchange + 4;
  if (!isSeparator(second) || (!paired && second !== separator)) return false;
  if (digitsEnd(text, line) !== line + 4 || isPartOfMore(text, line + 4)) return false;
  if (!paired && separator === SPACE && !isNamed(text, start, WORDS, FILLERS)) return false;
  return found(text, from, line + 4);
}

/** N is 2 to 9, and N11 is a service. */
function isAreaOrExchange(text: Text, at: number): boolean {
  if (byteAt(text, at) < 0x32) return false;
  return !(byteAt(text, at + 1) === 0x31 && byteAt(text, at + 2) === 0x31);
}

function named(text: Text, at: number): boolean {
  if (at === text.context || !isNamed(text, at, WORDS, FILLERS)) return false;
  const to = phraseEnd(text, at, MOST_DIGITS);
  if (to === 0 || digits < LEAST_NAMED || isPartOfMore(text, to)) return false;
  return found(text, byteAt(text, at - 1) === OPEN ? at - 1 : at, to);
}

function isSeparator(byte: number): boolean {
  return byte === SPACE || byte === HYPHEN || byte === DOT;
}

function isPartOfMore(text: Text, to: number): boolean {
  const after = byteAt(text, to);
  return isAlnum(after) || after === UNDERSCORE || after === COLON;
}

/** How many digits the phrase has whose end was asked for last. */
let digits = 0;

/**
 * The end of the groups of digits at `at`, with single spaces, hyphens, dots, slashes and parentheses between: as many whole
 * groups as make `most` digits; 0 where not even the first fits.
 */
function phraseEnd(text: Text, at: number, most: number): number {
  digits = 0;
  let to = 0;
  for (let from = at; ; ) {
    const end = digitsEnd(text, from);
    const size = end - from;
    if (size === 0 || digits + size > most) return to;
    digits += size;
    to = end;
    from = end;
    // At most `) ` or ` (` and the like: two separators, unless they are the same.
    for (let gap = 0; gap < 3; gap++) {
      const byte = byteAt(text, from);
      const separates = isSeparator(byte) || byte === SLASH || byte === OPEN || byte === CLOSE;
      if (!separates || (gap > 0 && byte === byteAt(text, from - 1))) break;
      from++;
    }
    if (from === end) return to;
  }
}
