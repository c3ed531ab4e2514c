// What is checked of a text before the parser sees it, so that one text can neither crash the parser nor stall the event
// loop: characters that cannot be in a statement, nesting, and the one construct whose tree is larger than its text.
//
// The tokens are those of PostgreSQL's scan.l with standard_conforming_strings on. Mistaking one would only weaken these
// guards: what is decided about a statement comes from the parser alone, and a fault of the parser is survived.

/** The parser's stack holds about 4,500 nested tokens (measured: `(SELECT` and `f(` fare worst). */
const MAX_NESTING = 2_500;

/** The tree repeats the source of `SET (a, b, …) = source` for each column; this bounds the repeated text, in characters. */
const MAX_REPEATED = 4 * 1024 * 1024;

/** Longer texts are refused: a tree takes about 15 bytes a character, and the parser's memory ends at 2 GiB. */
export const MAX_TEXT = 8 * 1024 * 1024;

/** The parser's time grows with the square of both (measured: 25 ms for so many comments, 3 ms for so many inside one). */
const MAX_COMMENTS = 1_000;
const MAX_COMMENTS_INSIDE = 100;

/** Words that make the tree deeper without brackets, so that what ends a run does not end them. */
const CHAINS = new Set(['except', 'intersect', 'join', 'union']);

/** The same, and what stands before them since the run began may be around what follows (`NOT a BETWEEN 1 AND NOT …`). */
const OPENERS = new Set(['between', 'case']);

/** Words that stand between siblings. */
const SEPARATORS = new Set(['and', 'else', 'or', 'then', 'when']);

/** An open bracket, and what the text inside it has so far. */
interface Level {
  /** Tokens since the last comma or separating word: how deep a tree they can make. */
  run: number;
  /** Tokens that none of those ends. */
  sticky: number;
  commas: number;
  /** The bracket stands where `SET (a, b) = …` has one. */
  columns: boolean;
}

/** Why the text may not be parsed, or null. One pass. */
export function unfit(text: string): string | null {
  if (text.length > MAX_TEXT) return `the text is longer than ${MAX_TEXT} characters`;
  if (text.includes('\0')) return 'the text has a NUL character';
  if (!text.isWellFormed()) return 'the text is not well-formed Unicode';
  let level: Level = { run: 0, sticky: 0, commas: 0, columns: false };
  const levels: Level[] = [];
  /** Tokens of all open levels but the current one. */
  let around = 0;
  let repeated = 0;
  let comments = 0;
  let inside = 0;
  /** The depth of the `SET (…) =` whose source is being read, or -1. */
  let assigning = -1;
  /** The columns of the bracket that was closed last, while nothing came behind it; else 0. */
  let closed = 0;
  /** A bracket here could hold the columns of a SET. */
  let afterSet = false;
  let at = 0;
  while (at < text.length) {
    const c = text.charCodeAt(at);
    if (c <= 32) {
      at++;
      continue;
    }
    const end = tokenEnd(text, at, c);
    if (end < 0) {
      comments++;
      if (c === SLASH) inside += commentsInside(text, at + 2, -end);
      if (comments > MAX_COMMENTS || inside > MAX_COMMENTS_INSIDE) return 'the text has too many comments';
      at = -end;
      continue;
    }
    const columns = closed;
    const setting = afterSet;
    closed = 0;
    afterSet = false;
    switch (c) {
      case OPEN:
      case SQUARE_OPEN:
        level.run++;
        around += level.run + level.sticky;
        levels.push(level);
        level = { run: 0, sticky: 0, commas: 0, columns: setting && c === OPEN };
        break;
      case CLOSE:
      case SQUARE_CLOSE: {
        const parent = levels.pop();
        if (parent === undefined) break; // The parser will say so.
        if (level.columns) closed = level.commas + 1;
        level = parent;
        around -= level.run + level.sticky;
        if (levels.length < assigning) assigning = -1;
        break;
      }
      case COMMA:
        level.run = 0;
        level.commas++;
        afterSet = true;
        break;
      case SEMICOLON:
        level.run = 0;
        if (levels.length === 0) level.sticky = 0;
        break;
      case EQUALS:
        level.run++;
        if (columns > 1 && end === at + 1) {
          if (assigning >= 0 && levels.length > assigning) return 'a SET of several columns stands inside another';
          assigning = levels.length;
          repeated += columns * (text.length - at);
          if (repeated > MAX_REPEATED) return 'a SET of several columns is too long';
        }
        break;
      default:
        if (isLetter(c)) {
          const word = end - at <= 9 ? text.slice(at, end).toLowerCase() : '';
          if (SEPARATORS.has(word)) {
            level.run = 0;
          } else if (CHAINS.has(word)) {
            level.sticky++;
          } else if (OPENERS.has(word)) {
            level.sticky += level.run + 1;
            level.run = 0;
          } else {
            level.run++;
          }
          afterSet = word === 'set';
        } else {
          level.run++;
        }
    }
    if (around + level.run + level.sticky > MAX_NESTING) return 'the statement is nested too deeply';
    at = end;
  }
  return null;
}

const OPEN = 40;
const CLOSE = 41;
const SQUARE_OPEN = 91;
const SQUARE_CLOSE = 93;
const COMMA = 44;
const SEMICOLON = 59;
const EQUALS = 61;
const SLASH = 47;
const QUOTE = 39;
const DOUBLE_QUOTE = 34;
const DOLLAR = 36;

/** Where the token that begins at `at` ends; negative where it is a comment. */
function tokenEnd(text: string, at: number, c: number): number {
  const next = text.charCodeAt(at + 1);
  if (c === 45 && next === 45) return -lineEnd(text, at);
  if (c === 47 && next === 42) return -commentEnd(text, at);
  if (c === QUOTE) return quotedEnd(text, at + 1, QUOTE, false);
  if (c === DOUBLE_QUOTE) return quotedEnd(text, at + 1, DOUBLE_QUOTE, false);
  if ((c === 69 || c === 101) && next === QUOTE) return quotedEnd(text, at + 2, QUOTE, true);
  if (c === DOLLAR) return dollarEnd(text, at);
  if (!isLetter(c) && !isDigit(c)) return at + 1;
  let end = at + 1;
  while (end < text.length) {
    const inside = text.charCodeAt(end);
    if (!isLetter(inside) && !isDigit(inside) && inside !== DOLLAR) break;
    end++;
  }
  return end;
}

function isLetter(c: number): boolean {
  return (c >= 97 && c <= 122) || (c >= 65 && c <= 90) || c === 95 || c >= 128;
}

function isDigit(c: number): boolean {
  return c >= 48 && c <= 57;
}

function lineEnd(text: string, at: number): number {
  let end = at;
  while (end < text.length && text.charCodeAt(end) !== 10 && text.charCodeAt(end) !== 13) end++;
  return end;
}

/** Beginnings of comments between two offsets, no more than are too many. */
function commentsInside(text: string, start: number, end: number): number {
  let count = 0;
  for (let at = text.indexOf('/*', start); at !== -1 && at < end; at = text.indexOf('/*', at + 2)) {
    if (++count > MAX_COMMENTS_INSIDE) break;
  }
  return count;
}

function commentEnd(text: string, at: number): number {
  let depth = 1;
  let end = at + 2;
  while (end < text.length && depth > 0) {
    if (text.startsWith('/*', end)) {
      depth++;
      end += 2;
    } else if (text.startsWith('*/', end)) {
      depth--;
      end += 2;
    } else {
      end++;
    }
  }
  return end;
}

function quotedEnd(text: string, start: number, quote: number, escapes: boolean): number {
  let end = start;
  while (end < text.length) {
    const c = text.charCodeAt(end);
    if (escapes && c === 92) {
      end += 2;
    } else if (c !== quote) {
      end++;
    } else if (text.charCodeAt(end + 1) === quote) {
      end += 2;
    } else {
      return end + 1;
    }
  }
  return text.length;
}

/** `$tag$…$tag$`, or the single character of a parameter `$1`. */
function dollarEnd(text: string, at: number): number {
  DOLLAR_TAG.lastIndex = at;
  const tag = DOLLAR_TAG.exec(text)?.[0];
  if (tag === undefined) return at + 1;
  const end = text.indexOf(tag, at + tag.length);
  return end < 0 ? text.length : end + tag.length;
}

const DOLLAR_TAG = /\$(?:[A-Za-z_\u0080-\uffff][A-Za-z0-9_\u0080-\uffff]*)?\$/y;
