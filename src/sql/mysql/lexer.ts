// The tokens of a text, as the servers' own lexers cut it (MySQL sql/sql_lex.cc, MariaDB sql/sql_lex.cc) under a given sql_mode,
// with the text in UTF-8. Where what a text means hangs on the server's version (`/*!…*/`), or the two servers differ in a way
// that cannot be told from here, it is not cut at all.

/** The parts of sql_mode, and of the server, that change how a text is read. */
export interface LexMode {
  readonly ansiQuotes: boolean;
  readonly noBackslashEscapes: boolean;
  readonly pipesAsConcat: boolean;
  readonly ignoreSpace: boolean;
  readonly highNotPrecedence: boolean;
  readonly mariadb: boolean;
}

/** Modes that make the server read another language, or that stand for several others by name. */
const FOREIGN: ReadonlySet<string> = new Set(['oracle', 'mssql', 'db2', 'postgresql', 'maxdb', 'mysql323', 'mysql40']);

/** Reads a value of `@@sql_mode`, as the server writes it out. Null where it makes the server read a language that is not known here. */
export function lexMode(sqlMode: string, mariadb: boolean): LexMode | null {
  const modes = new Set(
    sqlMode
      .toLowerCase()
      .split(',')
      .map((mode) => mode.trim()),
  );
  for (const mode of modes) if (FOREIGN.has(mode)) return null;
  const ansi = modes.has('ansi');
  return {
    ansiQuotes: ansi || modes.has('ansi_quotes'),
    noBackslashEscapes: modes.has('no_backslash_escapes'),
    pipesAsConcat: ansi || modes.has('pipes_as_concat'),
    ignoreSpace: ansi || modes.has('ignore_space'),
    highNotPrecedence: modes.has('high_not_precedence'),
    mariadb,
  };
}

export type TokenType =
  /** A word without quotes: a keyword or a name. */
  | 'word'
  /** A name in backticks, or in double quotes under ANSI_QUOTES. */
  | 'quoted'
  | 'string'
  | 'number'
  /** x'…', 0x…, b'…', 0b…. */
  | 'bytes'
  /** `@name`; `value` is the name. */
  | 'variable'
  /** `@@`; the name's words follow. */
  | 'system-variable'
  /** `?` */
  | 'parameter'
  | 'operator'
  | 'end';

export interface Token {
  readonly type: TokenType;
  /** UTF-16 units. */
  readonly start: number;
  readonly end: number;
  /** Words in lower case (ASCII), operators as they are; else empty. */
  readonly lower: string;
  /** A word or a number as written; a name without its quotes; a string with its escapes undone. */
  readonly value: string;
}

export interface NotLexed {
  readonly reason: string;
  /** UTF-16 unit, 0-based. */
  readonly at: number;
}

const SPACE = 1;
const LETTER = 2;
const DIGIT = 4;
const CLASS = new Uint8Array(128);
for (const code of [0x20, 9, 10, 11, 12, 13]) CLASS[code] = SPACE;
for (let code = 0x30; code <= 0x39; code++) CLASS[code] = DIGIT;
for (let code = 0x41; code <= 0x5a; code++) CLASS[code] = LETTER;
for (let code = 0x61; code <= 0x7a; code++) CLASS[code] = LETTER;
CLASS[0x5f] = LETTER;
CLASS[0x24] = LETTER;

const QUOTE = 0x27;
const DOUBLE_QUOTE = 0x22;
const BACKTICK = 0x60;
const BACKSLASH = 0x5c;
const DOT = 0x2e;
const DASH = 0x2d;
const SLASH = 0x2f;
const STAR = 0x2a;
const HASH = 0x23;
const AT = 0x40;
const DOLLAR = 0x24;

/** Hints that change settings for the statement. */
const TELLING_HINT = /\b(?:set_var|resource_group)\b/i;
/** The server reads names in quotes there, which may hold what else ends a comment. */
const QUOTED_HINT = /["'`]/;

const ESCAPES: Readonly<Record<string, string>> = { '0': '\0', b: '\b', n: '\n', r: '\r', t: '\t', Z: '\x1a' };

const OPERATORS3: ReadonlySet<string> = new Set(['<=>', '->>']);
const OPERATORS2: ReadonlySet<string> = new Set(['<<', '>>', '<=', '>=', '<>', '!=', ':=', '||', '&&', '->']);
const OPERATORS1: ReadonlySet<string> = new Set('+-*/%&|^~!=<>(),;.{}');

/** Cuts a text into tokens; the last is of type `end`. Never throws. */
export function lex(text: string, mode: LexMode): Token[] | NotLexed {
  const lexer = new Lexer(text, mode);
  return lexer.run();
}

class Lexer {
  readonly #text: string;
  readonly #mode: LexMode;
  readonly #tokens: Token[] = [];
  #at = 0;
  #problem: NotLexed | null = null;

  constructor(text: string, mode: LexMode) {
    this.#text = text;
    this.#mode = mode;
  }

  run(): Token[] | NotLexed {
    const { length } = this.#text;
    while (this.#at < length && this.#problem === null) this.#next();
    if (this.#problem !== null) return this.#problem;
    this.#tokens.push({ type: 'end', start: length, end: length, lower: '', value: '' });
    return this.#tokens;
  }

  #next(): void {
    const text = this.#text;
    const start = this.#at;
    const code = text.charCodeAt(start);
    const kind = code < 128 ? CLASS[code] : LETTER;
    if (kind === SPACE) {
      this.#at++;
      return;
    }
    if (kind === LETTER) return this.#word(start, code);
    if (kind === DIGIT) return this.#number(start);
    switch (code) {
      case QUOTE:
        return this.#string(start, start, QUOTE);
      case DOUBLE_QUOTE:
        if (this.#mode.ansiQuotes) return this.#quoted(start, DOUBLE_QUOTE);
        return this.#string(start, start, DOUBLE_QUOTE);
      case BACKTICK:
        return this.#quoted(start, BACKTICK);
      case HASH:
        return this.#lineComment(start);
      case DASH:
        if (text.charCodeAt(start + 1) === DASH && endsDashes(text, start + 2)) return this.#lineComment(start);
        break;
      case SLASH:
        if (text.charCodeAt(start + 1) === STAR) return this.#comment(start);
        break;
      case DOT:
        return this.#dot(start);
      case AT:
        return this.#variable(start);
      case 0x3f:
        return this.#push('parameter', start, start + 1, '?', '');
      case BACKSLASH:
        if (text.charAt(start + 1) === 'N' && !isWord(text.charCodeAt(start + 2))) {
          return this.#push('word', start, start + 2, 'null', 'NULL');
        }
        break;
    }
    this.#operator(start);
  }

  #push(type: TokenType, start: number, end: number, lower: string, value: string): void {
    this.#tokens.push({ type, start, end, lower, value });
    this.#at = end;
  }

  #fail(reason: string, at: number): void {
    this.#problem = { reason, at };
  }

  #word(start: number, code: number): void {
    const text = this.#text;
    if (code === DOLLAR) return this.#fail('a name that begins with $ is not understood; put it in backticks', start);
    const next = text.charCodeAt(start + 1);
    if (next === QUOTE) {
      if (code === 0x78 || code === 0x58 || code === 0x62 || code === 0x42) return this.#bytesInQuotes(start, code);
      if (code === 0x6e || code === 0x4e) return this.#string(start, start + 1, QUOTE);
    }
    let end = start;
    let plain = true;
    for (let c = code; isWord(c); c = text.charCodeAt(++end)) {
      if (c < 128) continue;
      if (!fitsName(c))
        return this.#fail('a name holds a character that it can only have in quotes, or not at all', end);
      plain = false;
    }
    const value = text.slice(start, end);
    this.#push('word', start, end, plain ? value.toLowerCase() : lowerAscii(value), value);
  }

  #number(start: number): void {
    const text = this.#text;
    let end = start;
    if (text.charCodeAt(start) === 0x30) {
      const form = text.charAt(start + 1);
      if (form === 'x' || form === 'b') {
        end = start + 2;
        while (form === 'x' ? isHex(text.charCodeAt(end)) : isBit(text.charCodeAt(end))) end++;
        if (end > start + 2 && !isWord(text.charCodeAt(end))) {
          return this.#push('bytes', start, end, '', text.slice(start, end));
        }
        end = start;
      }
    }
    while (isDigit(text.charCodeAt(end))) end++;
    const exponent = exponentEnd(text, end);
    if (exponent > end) return this.#push('number', start, exponent, '', text.slice(start, exponent));
    if (isWord(text.charCodeAt(end))) return this.#nameWithDigits(start, end);
    if (text.charCodeAt(end) === DOT) {
      end++;
      while (isDigit(text.charCodeAt(end))) end++;
      end = Math.max(end, exponentEnd(text, end));
    }
    this.#push('number', start, end, '', text.slice(start, end));
  }

  /** `1a`, and what follows a dot: names may begin with digits. */
  #nameWithDigits(start: number, from: number): void {
    const text = this.#text;
    let end = from;
    for (let c = text.charCodeAt(end); isWord(c); c = text.charCodeAt(++end)) {
      if (c >= 128 && !fitsName(c)) return this.#fail('a name holds a character that it can only have in quotes', end);
    }
    const value = text.slice(start, end);
    this.#push('word', start, end, lowerAscii(value), value);
  }

  #dot(start: number): void {
    const text = this.#text;
    const next = text.charCodeAt(start + 1);
    const before = this.#tokens.at(-1);
    const behindName =
      before !== undefined && (before.type === 'word' || before.type === 'quoted') && before.end === start;
    if (isDigit(next) && !behindName) {
      let end = start + 1;
      while (isDigit(text.charCodeAt(end))) end++;
      end = Math.max(end, exponentEnd(text, end));
      return this.#push('number', start, end, '', text.slice(start, end));
    }
    this.#push('operator', start, start + 1, '.', '.');
    // Behind a name's dot even digits are a name.
    if (behindName && isDigit(next)) this.#nameWithDigits(start + 1, start + 1);
  }

  #bytesInQuotes(start: number, code: number): void {
    const text = this.#text;
    const hex = code === 0x78 || code === 0x58;
    let end = start + 2;
    while (hex ? isHex(text.charCodeAt(end)) : isBit(text.charCodeAt(end))) end++;
    if (text.charCodeAt(end) !== QUOTE)
      return this.#fail('a hexadecimal or bit value is not closed, or has other digits', start);
    this.#push('bytes', start, end + 1, '', text.slice(start, end + 1));
  }

  /** The quote stands at `open`, which is behind `start` where an N stands before it. */
  #string(start: number, open: number, quote: number): void {
    const text = this.#text;
    const escapes = !this.#mode.noBackslashEscapes;
    let value = '';
    let from = open + 1;
    for (let at = from; at < text.length; at++) {
      const code = text.charCodeAt(at);
      if (code === quote) {
        if (text.charCodeAt(at + 1) !== quote)
          return this.#push('string', start, at + 1, '', value + text.slice(from, at));
        value += text.slice(from, at + 1);
        from = ++at + 1;
      } else if (code === BACKSLASH && escapes) {
        const escaped = text.charAt(at + 1);
        if (escaped === '') break;
        value += text.slice(from, at);
        // In patterns \% and \_ stay as they are.
        value += escaped === '%' || escaped === '_' ? `\\${escaped}` : (ESCAPES[escaped] ?? escaped);
        from = ++at + 1;
      }
    }
    this.#fail('a string is not closed', start);
  }

  #quoted(start: number, quote: number): void {
    const text = this.#text;
    let value = '';
    let from = start + 1;
    for (let at = from; at < text.length; at++) {
      const code = text.charCodeAt(at);
      if (code === 0) break;
      if (code !== quote) continue;
      if (text.charCodeAt(at + 1) === quote) {
        value += text.slice(from, at + 1);
        from = ++at + 1;
        continue;
      }
      value += text.slice(from, at);
      if (value === '') return this.#fail('a name in quotes is empty', start);
      if (value.endsWith(' ')) return this.#fail('a name in quotes ends with a space', start);
      return this.#push('quoted', start, at + 1, '', value);
    }
    this.#fail('a name in quotes is not closed', start);
  }

  #lineComment(start: number): void {
    const end = this.#text.indexOf('\n', start);
    this.#at = end < 0 ? this.#text.length : end + 1;
  }

  #comment(start: number): void {
    const text = this.#text;
    const mark = text.charAt(start + 2);
    if (mark === '!' || (mark === 'M' && text.charAt(start + 3) === '!')) {
      return this.#fail(
        'what a versioned comment (/*! … */) does depends on the server: write it out or leave it out',
        start,
      );
    }
    const end = text.indexOf('*/', start + 2);
    if (end < 0) return this.#fail('a comment is not closed', start);
    if (mark === '+' && TELLING_HINT.test(text.slice(start, end))) {
      return this.#fail('a hint that changes settings is not understood: SET them, or leave it out', start);
    }
    if (mark === '+' && QUOTED_HINT.test(text.slice(start, end))) {
      return this.#fail('a hint with quotes is not understood: leave them out', start);
    }
    this.#at = end + 2;
  }

  #variable(start: number): void {
    const text = this.#text;
    const next = text.charCodeAt(start + 1);
    if (next === AT) return this.#push('system-variable', start, start + 2, '@@', '');
    if (next === QUOTE || next === DOUBLE_QUOTE || next === BACKTICK) {
      const before = this.#tokens.length;
      if (next === BACKTICK || (next === DOUBLE_QUOTE && this.#mode.ansiQuotes)) this.#quoted(start + 1, next);
      else this.#string(start + 1, start + 1, next);
      const name = this.#tokens[before];
      if (name !== undefined) this.#tokens[before] = { ...name, type: 'variable', start, lower: '' };
      return;
    }
    let end = start + 1;
    for (let c = next; isWord(c) || c === DOT; c = text.charCodeAt(++end)) {
      if (c >= 128 && !fitsName(c)) return this.#fail('a name holds a character that it can only have in quotes', end);
    }
    if (end === start + 1) return this.#fail('an @ stands alone', start);
    this.#push('variable', start, end, '', text.slice(start + 1, end));
  }

  #operator(start: number): void {
    const text = this.#text;
    for (const [length, known] of [
      [3, OPERATORS3],
      [2, OPERATORS2],
      [1, OPERATORS1],
    ] as const) {
      const operator = text.slice(start, start + length);
      if (known.has(operator)) return this.#push('operator', start, start + length, operator, operator);
    }
    this.#fail('a character stands where none can', start);
  }
}

/** `--` begins a comment only before white space, a control character or the end. */
function endsDashes(text: string, at: number): boolean {
  const code = text.charCodeAt(at);
  return at >= text.length || code <= 0x20 || code === 0x7f;
}

/** Behind digits: the end of `e5`, `E+5`; or the same place where there is none. */
function exponentEnd(text: string, at: number): number {
  const code = text.charCodeAt(at);
  if (code !== 0x65 && code !== 0x45) return at;
  const sign = text.charCodeAt(at + 1);
  let end = at + (sign === 0x2b || sign === DASH ? 2 : 1);
  if (!isDigit(text.charCodeAt(end))) return at;
  while (isDigit(text.charCodeAt(end))) end++;
  return end;
}

/** NaN, which stands behind the text's end, is none. */
function isWord(code: number): boolean {
  return code < 128 ? ((CLASS[code] ?? 0) & (LETTER | DIGIT)) !== 0 : code >= 128;
}

/** Unquoted names have characters of the Basic Multilingual Plane from U+0080; those that look like white space are a trap. */
function fitsName(code: number): boolean {
  if (code >= 0xd800 && code <= 0xdfff) return false;
  return (
    code > 0xa0 &&
    code !== 0x1680 &&
    !(code >= 0x2000 && code <= 0x200f) &&
    !(code >= 0x2028 && code <= 0x202f) &&
    !(code >= 0x205f && code <= 0x206f) &&
    code !== 0x3000 &&
    code !== 0xfeff &&
    code < 0xfff0
  );
}

function isDigit(code: number): boolean {
  return code >= 0x30 && code <= 0x39;
}

function isHex(code: number): boolean {
  return isDigit(code) || (code >= 0x41 && code <= 0x46) || (code >= 0x61 && code <= 0x66);
}

function isBit(code: number): boolean {
  return code === 0x30 || code === 0x31;
}

/** Keywords are ASCII; other letters keep their case. */
function lowerAscii(text: string): string {
  return text.replace(/[A-Z]+/g, (upper) => upper.toLowerCase());
}

/**
 * Whether what is not UTF-8 in a text (U+FFFD here) stands in strings alone, where drivers put the bytes of a BLOB. No byte of
 * ASCII is ever a part of such a sequence, so a string ends for the server where it ends here.
 */
export function bytesOnlyInStrings(text: string, mode: LexMode | null): boolean {
  const tokens = mode === null ? null : lex(text, mode);
  if (!Array.isArray(tokens)) return false;
  return tokens.every(({ type, start, end }) => type === 'string' || !text.slice(start, end).includes('\ufffd'));
}
