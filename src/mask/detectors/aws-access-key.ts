// Amazon Web Services access keys: key ids, and secret keys where their name stands before them.
//
// Trusted because of the id's prefix (AKIA long-term, ASIA temporary, ABIA bearer), its sixteen characters of base32, and no
// letter or digit beside; for secrets because of the name and exactly forty characters of base64.

import { isNamed } from './context.ts';
import { byteAt, compileWords, type Finder, found, isAlnum, isLower, isUpper, type Text } from './text.ts';

const LETTER_A = 0x41;
const LETTER_I = 0x49;
const EQUALS = 0x3d;
const UNDERSCORE = 0x5f;
const ID_TAIL = 16;
const SECRET = 40;
const WORDS = compileWords([
  'secret_access_key',
  'secretaccesskey',
  'secret-access-key',
  'secret access key',
  'aws_secret_key',
  'awssecretkey',
  'secret_key',
  'secretkey',
]);
const NONE = compileWords([]);
const MOST_BETWEEN = 6;

export const awsAccessKey: Finder = {
  name: 'aws-access-key',
  at: [
    ['I', (next) => next === LETTER_A],
    ['=', isValueStart],
    [':', isValueStart],
  ],
  find: (text, at) => (byteAt(text, at) === LETTER_I ? keyId(text, at) : secretKey(text, at)),
};

/** What may stand between a name and its value, or begin the value. */
function isValueStart(next: number): boolean {
  return next === 0x20 || next === 0x22 || next === 0x27 || next === EQUALS || next === 0x3e || isBase64(next);
}

function keyId(text: Text, at: number): boolean {
  const from = at - 2;
  const second = byteAt(text, at - 1);
  if (byteAt(text, at + 1) !== LETTER_A || byteAt(text, from) !== LETTER_A) return false;
  if (second !== 0x4b && second !== 0x53 && second !== 0x42) return false;
  const to = from + 4 + ID_TAIL;
  for (let i = from + 4; i < to; i++) {
    const byte = byteAt(text, i);
    if (!isUpper(byte) && (byte < 0x32 || byte > 0x37)) return false;
  }
  if (isAlnum(byteAt(text, from - 1)) || isAlnum(byteAt(text, to))) return false;
  return found(text, from, to);
}

/** Called where a value is given to a name. */
function secretKey(text: Text, at: number): boolean {
  // All of the names end with `key`.
  let last = at - 1;
  while (at - last < 4 && (byteAt(text, last) === 0x20 || byteAt(text, last) === 0x22 || byteAt(text, last) === 0x27))
    last--;
  if ((byteAt(text, last) | 0x20) !== 0x79) return false;
  let from = at + 1;
  while (from - at <= MOST_BETWEEN && !isBase64(byteAt(text, from))) from++;
  let to = from;
  let mixed = 0;
  while (to - from <= SECRET && isBase64(byteAt(text, to))) {
    const byte = byteAt(text, to++);
    mixed |= isUpper(byte) ? 1 : isLower(byte) ? 2 : 4;
  }
  if (to - from !== SECRET || mixed !== 7 || byteAt(text, to) === EQUALS) return false;
  return isNamed(text, from, WORDS, NONE) && found(text, from, to);
}

function isBase64(byte: number): boolean {
  return isAlnum(byte) || byte === 0x2b || byte === 0x2f || byte === UNDERSCORE;
}
