// International bank account numbers (ISO 13616), plain or in groups of four.
//
// Trusted because of the country's own length, the check digits (ISO 7064 MOD 97-10), and no letter or digit beside.

import { BESIDE, byteAt, type Finder, found, isAlnum, isDigit, isLetter, type Text } from './text.ts';

const SPACE = 0x20;
const HYPHEN = 0x2d;
const UNDERSCORE = 0x5f;

/** Countries by the length of their numbers (the IBAN registry). */
const LENGTHS: Readonly<Record<number, string>> = {
  15: 'NO',
  16: 'BE',
  18: 'DK FI AX FO GL NL FK SD',
  19: 'MK SI',
  20: 'AT BA EE KZ LT LU MN XK',
  21: 'CH HR LI LV',
  22: 'BG BH CR DE GB GG GE IE IM JE ME RS VA',
  23: 'AE GI IL IQ OM SO TL',
  24: 'AD CZ ES MD PK RO SA SE SK TN VG',
  25: 'LY PT ST',
  26: 'IS TR',
  27: 'BI DJ FR GR IT MC MR SM GF GP MQ RE PF TF YT NC BL MF PM WF',
  28: 'AL AZ BY CY DO GT HN HU LB NI PL SV',
  29: 'BR EG PS QA UA',
  30: 'JO KW MU YE',
  31: 'MT SC',
  32: 'LC',
  33: 'RU',
};

/** By the two letters: their numbers from A, the first times 26. */
const LENGTH_OF = new Uint8Array(26 * 26);
for (const [length, countries] of Object.entries(LENGTHS)) {
  for (const country of countries.split(' ')) {
    LENGTH_OF[(country.charCodeAt(0) - 0x41) * 26 + country.charCodeAt(1) - 0x41] = Number(length);
  }
}

export const iban: Finder = {
  name: 'iban',
  digits: (length, before) => before === BESIDE.letter && length >= 2,
  find(text, at) {
    const from = at - 2;
    const first = byteAt(text, from);
    const second = byteAt(text, at - 1);
    const before = byteAt(text, from - 1);
    if (!isLetter(first) || !isLetter(second) || isAlnum(before) || before === UNDERSCORE) return false;
    const length = LENGTH_OF[((first & 0x1f) - 1) * 26 + (second & 0x1f) - 1] ?? 0;
    if (length === 0 || !isDigit(byteAt(text, at + 1))) return false;
    const to = wholeEnd(text, from, length);
    return to > 0 && found(text, from, to);
  },
};

/** The end of the `length` characters from `from` where they are a valid number, else 0. */
function wholeEnd(text: Text, from: number, length: number): number {
  const gap = byteAt(text, from + 4);
  const separator = gap === SPACE || gap === HYPHEN ? gap : 0;
  let at = from;
  let body = 0;
  let head = 0;
  for (let n = 0; n < length; n++) {
    if (separator !== 0 && n > 0 && n % 4 === 0) {
      if (byteAt(text, at) !== separator) return 0;
      at++;
    }
    const byte = byteAt(text, at++);
    if (!isAlnum(byte)) return 0;
    // The country and the check digits count last.
    if (n < 4) head = joined(head, byte);
    else body = joined(body, byte);
  }
  const after = byteAt(text, at);
  if (isAlnum(after) || after === UNDERSCORE) return 0;
  // Two letters and two digits are six decimals.
  return (body * 1_000_000 + head) % 97 === 1 ? at : 0;
}

/** Appends a digit, or a letter as 10 to 35, to a number that is kept below a million. */
function joined(sum: number, byte: number): number {
  const next = isDigit(byte) ? sum * 10 + byte - 0x30 : sum * 100 + (byte & 0x1f) + 9;
  return next < 1_000_000 ? next : next % 97;
}
