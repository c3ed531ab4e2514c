// The cache key of a statement with its plain literals taken out, so that statements that differ in values alone share one.
//
// Right only together with `Facts.valueBlind`: equal keys mean the same tokens but for the values of integers, decimals and
// strings. So whatever makes tokens hard to tell apart, or a literal mean more than its value, has no key at all: comments,
// backslashes, double quotes (strings or names, as sql_mode has it), prefixed strings, strings side by side, strings that may be an
// alias, exponents, `@`, and whatever is not ASCII outside strings.

/** Longer statements have no key: there are few alike. */
const MAX_LENGTH = 4096;

/** Integers of this many digits are plain ones; beyond, what the server makes of them hangs on the value. */
const INTEGER_DIGITS = 9;

const OTHER = 0;
const SPACE = 1;
const DIGIT = 2;
/** What a name is made of; a digit behind it belongs to it. */
const WORD = 3;
const DOT = 4;
const QUOTE = 5;
const BACKTICK = 6;
/** `-` or `/`, which may begin a comment. */
const COMMENT = 7;
/** Ends a value: a string behind it is an alias. */
const CLOSE = 8;
/** Has no place outside strings here. */
const STRANGE = 9;

const CLASSES = new Uint8Array(256).fill(STRANGE);
CLASSES.fill(OTHER, 0x21, 0x7f);
CLASSES.fill(DIGIT, 0x30, 0x3a);
CLASSES.fill(WORD, 0x41, 0x5b);
CLASSES.fill(WORD, 0x61, 0x7b);
for (const [characters, kind] of [
  [' \t\n\r', SPACE],
  ['_$', WORD],
  ['.', DOT],
  ["'", QUOTE],
  ['`', BACKTICK],
  ['-/', COMMENT],
  [')}?', CLOSE],
  ['"\\@#', STRANGE],
] as const) {
  for (const character of characters) CLASSES[character.charCodeAt(0)] = kind;
}

/**
 * Behind these, which no server takes for a name, a string is a value. Behind any other word it may be an alias, a charset's text, or
 * a part of a statement's own.
 */
const BEFORE_VALUE: ReadonlySet<string> = new Set(
  'and between by case div else having in like limit mod not on or regexp rlike select separator set then values when where xor'.split(
    ' ',
  ),
);

const key = Buffer.alloc(MAX_LENGTH);

/**
 * Folds the statement that lies at `start` to `end` of a buffer in UTF-8. Integers become `0`, decimals `0.`, strings `''`;
 * all other bytes stay. Null where there is no safe key. One pass; allocates the string alone.
 */
export function foldLiterals(bytes: Buffer, start: number, end: number): string | null {
  if (end - start > MAX_LENGTH) return null;
  let length = 0;
  /** The class of the byte before; of a name and a number, of their beginning. */
  let before = SPACE;
  /** The class of the last token, BACKTICK for any name that is surely one, and where in the key it begins. */
  let token = OTHER;
  let tokenAt = 0;
  for (let at = start; at < end; ) {
    const byte = bytes[at] ?? 0;
    const kind = CLASSES[byte] ?? STRANGE;
    switch (kind) {
      case SPACE:
        key[length++] = byte;
        at++;
        before = SPACE;
        continue;
      case WORD:
        if (before === DIGIT) return null;
        if (before !== WORD) {
          // Behind a dot every word is a name.
          token = token === DOT ? BACKTICK : WORD;
          tokenAt = length;
        }
        break;
      case DIGIT: {
        if (before === WORD) {
          key[length++] = byte;
          at++;
          continue;
        }
        if (before === DOT || before === DIGIT) return null;
        const whole = digitsEnd(bytes, at, end);
        key[length++] = 0x30;
        if (bytes[whole] === 0x2e && whole < end) {
          const fraction = digitsEnd(bytes, whole + 1, end);
          if (fraction === whole + 1) return null;
          key[length++] = 0x2e;
          at = fraction;
        } else {
          if (whole - at > INTEGER_DIGITS) return null;
          at = whole;
        }
        before = token = DIGIT;
        continue;
      }
      case DOT:
        if (before === DIGIT) return null;
        token = DOT;
        break;
      case QUOTE: {
        if (before === WORD || before === DIGIT || before === BACKTICK) return null;
        const value = token === OTHER || token === COMMENT || (token === WORD && beforeValue(tokenAt, length));
        if (!value) return null;
        at = stringEnd(bytes, at + 1, end);
        if (at < 0) return null;
        key[length++] = 0x27;
        key[length++] = 0x27;
        before = token = QUOTE;
        continue;
      }
      case BACKTICK: {
        if (before === WORD || before === DIGIT) return null;
        key[length++] = byte;
        for (at++; ; at++) {
          const inside = at < end ? (bytes[at] ?? 0) : 0;
          if (inside < 0x20 || inside > 0x7e) return null;
          key[length++] = inside;
          if (inside === byte) break;
        }
        at++;
        before = token = BACKTICK;
        continue;
      }
      case COMMENT:
        // Two dashes are a comment only before a space, but two minus signs are rare: neither has a key.
        if (at + 1 < end && bytes[at + 1] === (byte === 0x2d ? 0x2d : 0x2a)) return null;
        token = COMMENT;
        break;
      case STRANGE:
        return null;
      default:
        token = kind;
    }
    key[length++] = byte;
    at++;
    before = kind;
  }
  return key.toString('latin1', 0, length);
}

/** Whether the key's last word, white space behind it, is one before a value. */
function beforeValue(start: number, end: number): boolean {
  return BEFORE_VALUE.has(key.toString('latin1', start, end).trimEnd().toLowerCase());
}

function digitsEnd(bytes: Buffer, at: number, end: number): number {
  let next = at;
  while (next < end && CLASSES[bytes[next] ?? 0] === DIGIT) next++;
  return next;
}

/** Behind the closing quote of a string whose content begins at `at`; -1 where it does not end, or has a backslash or NUL. */
function stringEnd(bytes: Buffer, at: number, end: number): number {
  for (let next = at; next < end; next++) {
    const byte = bytes[next];
    if (byte === 0x5c || byte === 0) return -1;
    if (byte !== 0x27) continue;
    if (next + 1 >= end || bytes[next + 1] !== 0x27) return next + 1;
    next++;
  }
  return -1;
}
