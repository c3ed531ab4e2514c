// Payment card numbers (ISO/IEC 7812), plain or in the groups that are printed on cards.
//
// Trusted because of the issuer's range with its lengths and the Luhn checksum; grouped the way cards are, with one kind of
// separator; and no letter or further digit beside it. Visa's 13 digits are left out: a tenth of all European article
// numbers that begin with 4 would pass for one.

import { BESIDE, byteAt, digitsEnd, type Finder, found, isAlnum, isDigit, type Text } from './text.ts';

const HYPHEN = 0x2d;
const DOT = 0x2e;
const SPACE = 0x20;
const UNDERSCORE = 0x5f;
const SHORTEST = 14;
const LONGEST = 19;

/** Ranges of the first six digits, and the lengths that numbers in them have. */
const ISSUERS: readonly (readonly [from: number, to: number, ...lengths: number[]])[] = [
  [220000, 220499, 16, 17, 18, 19], // Mir
  [222100, 272099, 16], // Mastercard
  [300000, 305999, 14, 16], // Diners Club
  [309500, 309599, 14, 16],
  [340000, 349999, 15], // American Express
  [352800, 358999, 16, 17, 18, 19], // JCB
  [360000, 369999, 14, 16], // Diners Club
  [370000, 379999, 15], // American Express
  [380000, 399999, 14, 16], // Diners Club
  [400000, 499999, 16, 18, 19], // Visa
  [500000, 509999, 16, 17, 18, 19], // Maestro, Elo, Verve
  [510000, 559999, 16], // Mastercard
  [560000, 589999, 16, 17, 18, 19], // Maestro
  [601100, 601199, 16, 17, 18, 19], // Discover
  [606282, 606282, 16], // Hipercard
  [620000, 629999, 16, 17, 18, 19], // UnionPay
  [630400, 630499, 16, 17, 18, 19], // Maestro
  [636200, 639999, 16, 17, 18, 19],
  [644000, 659999, 16, 17, 18, 19], // Discover, RuPay
  [670000, 679999, 16, 17, 18, 19], // Maestro
  [810000, 829999, 16], // RuPay, UnionPay
];

/** The digits of the candidate, without separators. */
const number = new Uint8Array(LONGEST);

export const creditCard: Finder = {
  name: 'credit-card',
  digits: (length, before, after) => {
    if (before === BESIDE.letter || before === BESIDE.underscore) return false;
    if (after === BESIDE.letter || after === BESIDE.underscore) return false;
    const group = length === 4 && (after === BESIDE.hyphen || after === BESIDE.space);
    return group || (length >= SHORTEST && length <= LONGEST);
  },
  find(text, at) {
    const first = byteAt(text, at);
    if (first < 0x32 || first > 0x38) return false;
    const before = byteAt(text, at - 1);
    if ((before === DOT || before === HYPHEN) && isDigit(byteAt(text, at - 2))) return false;
    const run = digitsEnd(text, at);
    const to = run - at >= SHORTEST ? collected(text, at, run) : grouped(text, at, run);
    if (to === 0) return false;
    const after = byteAt(text, to);
    if (isAlnum(after) || after === UNDERSCORE) return false;
    if ((after === DOT || after === HYPHEN) && isDigit(byteAt(text, to + 1))) return false;
    return found(text, at, to);
  },
};

/** Whether these digits (0 to 9, the first `length` of the array) are a card's number. */
export function isCardNumber(digits: Uint8Array, length: number): boolean {
  if (length < SHORTEST || length > LONGEST) return false;
  let prefix = 0;
  for (let i = 0; i < 6; i++) prefix = prefix * 10 + (digits[i] ?? 0);
  const issued = ISSUERS.some(([from, to, ...lengths]) => prefix >= from && prefix <= to && lengths.includes(length));
  return issued && luhn(digits, length);
}

/** ISO/IEC 7812-1 annex B: every second digit from the right doubled, its own digits summed. */
function luhn(digits: Uint8Array, length: number): boolean {
  let sum = 0;
  for (let i = 0; i < length; i++) {
    const digit = digits[length - 1 - i] ?? 0;
    sum += i % 2 === 0 ? digit : digit < 5 ? 2 * digit : 2 * digit - 9;
  }
  return sum % 10 === 0;
}

function collected(text: Text, at: number, to: number): number {
  for (let i = at; i < to; i++) number[i - at] = byteAt(text, i) - 0x30;
  return isCardNumber(number, to - at) ? to : 0;
}

/** 4-4-4-4, 4-4-4-4-3, 4-6-5 or 4-6-4 digits with one kind of separator; the end, or 0. */
function grouped(text: Text, at: number, run: number): number {
  const separator = byteAt(text, run);
  let length = 0;
  let group = 0;
  let second = 0;
  let from = at;
  for (let to = run; ; to = digitsEnd(text, from)) {
    const size = to - from;
    group++;
    if (group === 2) second = size;
    if (size < 3 || size > 6 || length + size > LONGEST) return 0;
    if (group === 2 && size !== 4 && size !== 6) return 0;
    if (group === 3 && (second === 6 ? size !== 4 && size !== 5 : size !== 4)) return 0;
    if (group === 4 && size !== 4) return 0;
    for (let i = from; i < to; i++) number[length++] = byteAt(text, i) - 0x30;
    const whole = second === 6 ? group === 3 : group >= 4;
    const more = byteAt(text, to) === separator && isDigit(byteAt(text, to + 1));
    if (whole) {
      // A fifth group of three belongs to it only if the number then is one.
      const longer = group === 4 && second === 4 && more ? digitsEnd(text, to + 1) : 0;
      if (longer - to - 1 === 3) {
        for (let i = to + 1; i < longer; i++) number[length + i - to - 1] = byteAt(text, i) - 0x30;
        if (isCardNumber(number, length + 3)) return longer;
      }
      return isCardNumber(number, length) ? to : 0;
    }
    if (!more || (separator !== SPACE && separator !== HYPHEN)) return 0;
    from = to + 1;
  }
}
