// Names as the two servers compare them: where they may see it otherwise than we do, nothing is certain.
//
// Columns are compared without regard to case, by the server's own table of it (strings/ctype-utf8.c), which is older than that of
// JavaScript. Tables, aliases and CTEs are compared exactly or without regard to case, as the server, its version and
// lower_case_table_names have it. Spaces at a name's beginning are cut off, long names shortened, characters beyond U+FFFF lost.

/** Characters of which upper and lower case are the same to both servers and to us (test/sql/mysql/names.test.ts). */
const LETTERS = [
  // Latin, without U+0130, whose lower case is an ASCII letter to the servers.
  '\\u00c0-\\u00d6\\u00d8-\\u00f6\\u00f8-\\u012f\\u0131-\\u0137\\u0139-\\u0148\\u014a-\\u017e\\u01a0\\u01a1\\u01af\\u01b0\\u1ea0-\\u1ef9',
  // Greek without sigma, whose lower case goes by its place; Cyrillic.
  '\\u0391-\\u03a1\\u03a4-\\u03a9\\u03b1-\\u03c1\\u03c4-\\u03c9\\u0400-\\u045f',
  // Without case: Hebrew, Arabic, Devanagari, Thai, kana, Chinese characters, Hangul.
  '\\u05d0-\\u05ea\\u0621-\\u064a\\u0904-\\u0939\\u0e01-\\u0e3a\\u3041-\\u3096\\u30a1-\\u30fa\\u4e00-\\u9fff\\uac00-\\ud7a3',
].join('');

/** At most as long as a stored name may be. */
const CERTAIN = new RegExp(`^[!-~${LETTERS}](?:[ -~${LETTERS}]{0,62}[!-~${LETTERS}])?$`);

/** Whether the servers see in it what we do. */
export function isCertain(name: string): boolean {
  return CERTAIN.test(name);
}

/**
 * Whether two names of tables, aliases or CTEs mean the same; null: not certain.
 * @param folds the server minds no case in names of tables, for certain
 */
export function sameTable(a: string, b: string, folds: boolean): boolean | null {
  if (a === b) return true;
  if (!isCertain(a) || !isCertain(b)) return null;
  if (a.toLowerCase() !== b.toLowerCase()) return false;
  return folds ? true : null;
}
