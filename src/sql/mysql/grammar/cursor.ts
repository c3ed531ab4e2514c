// Where the grammar stands in the tokens of a text, and what every part of it asks of them.
import type { Name } from '../ast.ts';
import type { LexMode, Token } from '../lexer.ts';
import { reservedWords } from './words.ts';

/** Thrown where the text is not of the grammar; caught in `parse` alone. */
export class NotParsed extends Error {
  /** UTF-16 unit of the text, 0-based. */
  readonly at: number;

  constructor(reason: string, at: number) {
    super(reason);
    this.at = at;
  }
}

/** Levels of parentheses, subqueries and operators. */
const DEEPEST = 200;

export class Cursor {
  readonly mode: LexMode;
  readonly reserved: ReadonlySet<string>;
  readonly tokens: readonly Token[];
  at = 0;
  #depth = 0;
  #closing: ReadonlyMap<number, number> | null = null;

  constructor(tokens: readonly Token[], mode: LexMode) {
    this.tokens = tokens;
    this.mode = mode;
    this.reserved = reservedWords(mode.mariadb);
  }

  /** Behind the last one it is the last one. */
  get token(): Token {
    return (this.tokens[this.at] ?? this.tokens.at(-1)) as Token;
  }

  /** The n-th token from here; behind the last one it is the last one. */
  peek(n = 1): Token {
    return (this.tokens[this.at + n] ?? this.tokens.at(-1)) as Token;
  }

  /** Where the last token that was taken ends. */
  get end(): number {
    return this.tokens[this.at - 1]?.end ?? 0;
  }

  /** The token behind the parenthesis that closes the one at the n-th token from here. */
  behindParentheses(n: number): Token {
    this.#closing ??= closings(this.tokens);
    return this.tokens[(this.#closing.get(this.at + n) ?? this.tokens.length - 2) + 1] as Token;
  }

  next(): Token {
    const { token } = this;
    if (token.type !== 'end') this.at++;
    return token;
  }

  isWord(word: string, n = 0): boolean {
    const token = n === 0 ? this.token : this.peek(n);
    return token.type === 'word' && token.lower === word;
  }

  isOneOf(words: ReadonlySet<string>, n = 0): boolean {
    const token = n === 0 ? this.token : this.peek(n);
    return token.type === 'word' && words.has(token.lower);
  }

  isOperator(operator: string, n = 0): boolean {
    const token = n === 0 ? this.token : this.peek(n);
    return token.type === 'operator' && token.lower === operator;
  }

  /** Takes these words, all or none. */
  takeWords(...words: readonly string[]): boolean {
    for (let i = 0; i < words.length; i++) if (!this.isWord(words[i] as string, i)) return false;
    this.at += words.length;
    return true;
  }

  takeWord(word: string): boolean {
    if (!this.isWord(word)) return false;
    this.at++;
    return true;
  }

  takeOperator(operator: string): boolean {
    if (!this.isOperator(operator)) return false;
    this.at++;
    return true;
  }

  expectWord(word: string): void {
    if (!this.takeWord(word)) this.fail(`${word.toUpperCase()} is expected`);
  }

  expectOperator(operator: string): void {
    if (!this.takeOperator(operator)) this.fail(`${operator} is expected`);
  }

  fail(why: string): never {
    const { token } = this;
    const seen = token.type === 'end' ? 'its end' : `"${this.text(token)}"`;
    throw new NotParsed(`${why} where ${seen} stands`, token.start);
  }

  text(token: Token): string {
    return token.value === '' ? token.lower : token.value.slice(0, 40);
  }

  /** One level deeper, as long as there are not too many. */
  deeper<T>(parse: () => T): T {
    if (++this.#depth > DEEPEST) throw new NotParsed('the statement is nested too deeply', this.token.start);
    const result = parse();
    this.#depth--;
    return result;
  }

  /** Can the token be a name without quotes, or is it one in quotes? */
  isName(n = 0): boolean {
    const token = n === 0 ? this.token : this.peek(n);
    return token.type === 'quoted' || (token.type === 'word' && !this.reserved.has(token.lower));
  }

  name(): string {
    if (!this.isName()) this.fail('a name is expected');
    return this.next().value;
  }

  /** A name behind a dot: reserved words may be one there. */
  nameBehindDot(): string {
    if (this.token.type !== 'quoted' && this.token.type !== 'word') this.fail('a name is expected');
    return this.next().value;
  }

  /** `name`, `schema.name`. */
  qualified(): Name {
    const { start } = this.token;
    const first = this.name();
    if (!this.takeOperator('.')) return { schema: null, name: first, start, end: this.end };
    return { schema: first, name: this.nameBehindDot(), start, end: this.end };
  }

  /** What `item` parses, once or more, with commas. */
  list<T>(item: () => T): T[] {
    const items = [item()];
    while (this.takeOperator(',')) items.push(item());
    return items;
  }

  /** A list in parentheses. */
  inParentheses<T>(item: () => T): T[] {
    this.expectOperator('(');
    const items = this.list(item);
    this.expectOperator(')');
    return items;
  }

  /** Skips a group in parentheses, this token being its first. */
  skipParentheses(): void {
    let depth = 0;
    do {
      if (this.isOperator('(')) depth++;
      else if (this.isOperator(')')) depth--;
      if (this.token.type === 'end') this.fail(') is expected');
      this.at++;
    } while (depth > 0);
  }

  number(): string {
    if (this.token.type !== 'number') this.fail('a number is expected');
    return this.next().value;
  }

  string(): string {
    if (this.token.type !== 'string') this.fail('a string is expected');
    return this.next().value;
  }
}

/** Place of each opening parenthesis to that of its closing one. */
function closings(tokens: readonly Token[]): ReadonlyMap<number, number> {
  const found = new Map<number, number>();
  const open: number[] = [];
  for (const [at, { type, lower }] of tokens.entries()) {
    if (type !== 'operator') continue;
    if (lower === '(') open.push(at);
    else if (lower === ')') {
      const opening = open.pop();
      if (opening !== undefined) found.set(opening, at);
    }
  }
  return found;
}
