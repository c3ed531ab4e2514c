// What the detectors read: a stretch of bytes, the candidate in it, and the classes of its characters.

import type { DetectorName } from '../../types.ts';

/** One stretch of bytes under inspection; made once and used for every cell. */
export interface Text {
  bytes: Uint8Array;
  /** Where looking back for context ends: at or before `start`. */
  context: number;
  start: number;
  end: number;
  /** The span of what a finder has found, set when it answers true. */
  from: number;
  to: number;
}

/** What stands next to a run of digits. */
export const BESIDE = { other: 0, letter: 1, underscore: 2, hyphen: 3, dot: 4, space: 5, slash: 6, close: 7 } as const;
export type Beside = (typeof BESIDE)[keyof typeof BESIDE];

/** Finds one kind of secret. Never throws, whatever the bytes. */
export interface Finder {
  readonly name: DetectorName;
  /** The rare characters at which a candidate is looked for, none of them a digit, and what may stand behind each (0: the end). */
  readonly at?: readonly (readonly [character: string, before: (next: number) => boolean])[];
  /**
   * Whether a run of so many digits (at most LONGEST_RUN) between these neighbours is worth a look. Asked when detectors are
   * compiled, for every combination, so that at work most runs cost one table lookup.
   */
  readonly digits?: (length: number, before: Beside, after: Beside) => boolean;
  /** Looks closely at the candidate at `at`: a character of the above, or the first digit of a run. */
  find(text: Text, at: number): boolean;
}

/** Runs of this many digits and more are of one length. */
export const LONGEST_RUN = 24;

/** The byte at `at`, or 0, which is part of nothing, outside the stretch. */
export function byteAt(text: Text, at: number): number {
  return at >= text.start && at < text.end ? (text.bytes[at] ?? 0) : 0;
}

export function found(text: Text, from: number, to: number): true {
  text.from = from;
  text.to = to;
  return true;
}

const DIGIT = 1;
const UPPER = 2;
const LOWER = 4;
const BASE64URL = 8;
const HEX = 16;

const CLASSES = new Uint8Array(256);
for (let byte = 0; byte < 256; byte++) {
  const character = String.fromCharCode(byte);
  if (/[0-9]/.test(character)) CLASSES[byte] = DIGIT | BASE64URL | HEX;
  if (/[A-Z]/.test(character)) CLASSES[byte] = UPPER | BASE64URL | (/[A-F]/.test(character) ? HEX : 0);
  if (/[a-z]/.test(character)) CLASSES[byte] = LOWER | BASE64URL | (/[a-f]/.test(character) ? HEX : 0);
  if (/[_-]/.test(character)) CLASSES[byte] = BASE64URL;
}

function is(byte: number, classes: number): boolean {
  return ((CLASSES[byte] ?? 0) & classes) !== 0;
}

export const isDigit = (byte: number): boolean => byte >= 0x30 && byte <= 0x39;
export const isLetter = (byte: number): boolean => is(byte, UPPER | LOWER);
export const isUpper = (byte: number): boolean => is(byte, UPPER);
export const isLower = (byte: number): boolean => is(byte, LOWER);
export const isAlnum = (byte: number): boolean => is(byte, DIGIT | UPPER | LOWER);
export const isBase64Url = (byte: number): boolean => is(byte, BASE64URL);
export const isHex = (byte: number): boolean => is(byte, HEX);
export const isSpace = (byte: number): boolean => byte === 0x20 || (byte >= 0x09 && byte <= 0x0d);
/** The first of two bytes in UTF-8: Latin with accents, Greek, Cyrillic, Hebrew, Arabic; not what Latin-1 has for punctuation. */
export const isLead = (byte: number): boolean => byte >= 0xc3 && byte <= 0xdf;
export const isContinuation = (byte: number): boolean => byte >= 0x80 && byte <= 0xbf;

/** Whether these characters (lower case) stand at `at`, in any case, inside the stretch. */
export function standsAt(text: Text, at: number, word: string): boolean {
  if (at < text.start || at + word.length > text.end) return false;
  return sameAt(text.bytes, at, word);
}

function sameAt(bytes: Uint8Array, at: number, word: string): boolean {
  for (let i = 0; i < word.length; i++) {
    const byte = bytes[at + i] ?? 0;
    if ((is(byte, UPPER) ? byte | 0x20 : byte) !== word.charCodeAt(i)) return false;
  }
  return true;
}

/** Words in lower case, by their last byte. */
export type Words = readonly (readonly string[] | undefined)[];

export function compileWords(words: readonly string[]): Words {
  const byLast: string[][] = [];
  for (const word of words) {
    const last = word.charCodeAt(word.length - 1);
    for (const byte of new Set([last, isLower(last) ? last - 0x20 : last])) {
      const list = byLast[byte] ?? [];
      list.push(word);
      byLast[byte] = list;
    }
  }
  return Array.from({ length: 256 }, (_, byte) => byLast[byte]);
}

/**
 * The length of the word of `words` that ends before `at`, context included; else 0. No letter stands before it, unless the word
 * begins with a capital (`homePhone`).
 */
export function wordBefore(text: Text, at: number, words: Words): number {
  if (at <= text.context) return 0;
  const list = words[text.bytes[at - 1] ?? 0];
  if (list === undefined) return 0;
  for (const word of list) {
    const from = at - word.length;
    if (from < text.context || !sameAt(text.bytes, from, word)) continue;
    const before = from === text.context ? 0 : (text.bytes[from - 1] ?? 0);
    if (!isLetter(before) || (isLower(before) && isUpper(text.bytes[from] ?? 0))) return word.length;
  }
  return 0;
}

/** The first position behind the digits at `at`. */
export function digitsEnd(text: Text, at: number): number {
  let to = at;
  while (to < text.end && isDigit(text.bytes[to] ?? 0)) to++;
  return to;
}
