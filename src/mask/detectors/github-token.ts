// GitHub tokens: `ghp_`, `gho_`, `ghu_`, `ghs_`, `ghr_` and `github_pat_`.
//
// Trusted because of the prefix and the exact length, with no letter or digit beside, and the checksum: the last six characters of
// the short forms are the CRC-32 of the thirty before them in base 62. What fails it is still taken for a token where it is as
// mixed as a random one: a checksum that changes must not let tokens through, and a placeholder of x is not mixed.

import { crc32 } from 'node:zlib';
import { byteAt, type Finder, found, isAlnum, isDigit, isLower, isUpper, standsAt, type Text } from './text.ts';

const UNDERSCORE = 0x5f;
const RANDOM = 30;
const CHECKSUM = 6;
const PAT_FIRST = 22;
const PAT_SECOND = 59;
const LEAST_DISTINCT = 12;

export const githubToken: Finder = {
  name: 'github-token',
  at: [['_', isAlnum]],
  find: (text, at) => short(text, at) || fineGrained(text, at),
};

function short(text: Text, at: number): boolean {
  const from = at - 3;
  if (!standsAt(text, from, 'gh') || !'pousr'.includes(String.fromCharCode(byteAt(text, at - 1)))) return false;
  const to = at + 1 + RANDOM + CHECKSUM;
  if (!isWord(text, at + 1, to) || isAlnum(byteAt(text, from - 1)) || isAlnum(byteAt(text, to))) return false;
  if (!hasChecksum(text, at + 1) && !isMixed(text, at + 1, to)) return false;
  return found(text, from, to);
}

/** `github_pat_`, 22 characters, an underscore, 59 characters; called at the second underscore of the prefix. */
function fineGrained(text: Text, at: number): boolean {
  const from = at - 10;
  if (!standsAt(text, from, 'github_pat_') || isAlnum(byteAt(text, from - 1))) return false;
  const middle = at + 1 + PAT_FIRST;
  const to = middle + 1 + PAT_SECOND;
  if (!isWord(text, at + 1, middle) || byteAt(text, middle) !== UNDERSCORE || !isWord(text, middle + 1, to))
    return false;
  if (isAlnum(byteAt(text, to)) || !isMixed(text, middle + 1, to)) return false;
  return found(text, from, to);
}

function isWord(text: Text, from: number, to: number): boolean {
  for (let at = from; at < to; at++) if (!isAlnum(byteAt(text, at))) return false;
  return true;
}

function hasChecksum(text: Text, at: number): boolean {
  let sum = 0;
  for (let i = at + RANDOM; i < at + RANDOM + CHECKSUM; i++) {
    const byte = byteAt(text, i);
    sum = sum * 62 + (isDigit(byte) ? byte - 0x30 : isUpper(byte) ? byte - 0x41 + 10 : byte - 0x61 + 36);
  }
  return sum === crc32(text.bytes.subarray(at, at + RANDOM));
}

/** Digits, capitals and small letters, and at least twelve different ones. */
function isMixed(text: Text, from: number, to: number): boolean {
  let kinds = 0;
  const seen = new Set<number>();
  for (let at = from; at < to; at++) {
    const byte = byteAt(text, at);
    seen.add(byte);
    kinds |= isUpper(byte) ? 1 : isLower(byte) ? 2 : 4;
  }
  return kinds === 7 && seen.size >= LEAST_DISTINCT;
}
