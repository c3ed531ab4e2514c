// PostgreSQL's own grammar as WebAssembly: text in, raw parse tree out. Owns the instance, and replaces it after a fault.
//
// libpg-query's JavaScript is bypassed because its one instance cannot be replaced: an overflow of the call stack leaves
// WebAssembly's shadow stack where it was, and after a few of them every parse traps. The layout of the result
// (addresses of tree, stderr, error; error: message, function, file, line, cursor position) is libpg_query's
// PgQueryParseResult and PgQueryError, checked against known texts before first use.

import type { ParserInstance } from 'libpg-query/wasm/libpg-query.js';
import createInstance from 'libpg-query/wasm/libpg-query.js';
import { SallyportError } from '../../errors.ts';
import type { Fields } from './tree.ts';

/** Beyond this much memory an instance is replaced: WebAssembly never gives memory back. It starts with 128 MiB, mostly untouched. */
const RETIRE_BYTES = 192 * 1024 * 1024;

export interface Parsed {
  readonly ok: true;
  /** `RawStmt`s: `stmt`, and byte offsets `stmt_location` (0 where absent) and `stmt_len` (to the end where absent). */
  readonly statements: readonly Fields[];
  /** Offsets in the tree are offsets in the string too. */
  readonly ascii: boolean;
}

export interface NotParsed {
  readonly ok: false;
  readonly reason: string;
  /** 1-based, in characters (code points). */
  readonly position?: number;
}

/** A lexical token; offsets in UTF-8 bytes. `name` is the grammar's (`SCONST`, `PASSWORD`, `ASCII_44` …). */
export interface Token {
  readonly start: number;
  readonly end: number;
  readonly name: string;
}

let instance: ParserInstance | null = null;
let starting: Promise<void> | null = null;

/** Loads the parser; again after a fault. Rejects with SP_NOT_FOUND where the library is not the one this was written for. */
export async function startParser(): Promise<void> {
  if (instance !== null) return;
  starting ??= start();
  try {
    await starting;
  } finally {
    starting = null;
  }
}

async function start(): Promise<void> {
  const quiet = () => {};
  instance = await createInstance({ print: quiet, printErr: quiet });
  const good = parse('SELECT 1');
  const bad = parse('SELECT )');
  const known = good.ok && good.statements.length === 1 && !bad.ok && bad.position === 8;
  if (!known || tokens("'a'").length !== 1) {
    instance = null;
    throw new SallyportError('SP_NOT_FOUND', 'the SQL parser does not answer as this version of the gateway expects');
  }
}

/** Parses one text without NUL characters. Never throws: a fault of the parser is an answer, and a new one is started. */
export function parse(text: string): Parsed | NotParsed {
  if (instance === null) {
    restart();
    return { ok: false, reason: 'the SQL parser is being restarted' };
  }
  try {
    return parseWith(instance, text);
  } catch (error) {
    // The instance's stack is in an unknown state from here on.
    instance = null;
    restart();
    const deep = error instanceof RangeError;
    return {
      ok: false,
      reason: deep ? 'the statement is nested too deeply' : 'the SQL parser gave up on the statement',
    };
  }
}

/** Splits a text that `parse` understood into tokens. Throws where the parser is not there or fails. */
export function tokens(text: string): Token[] {
  if (instance === null) throw new SallyportError('SP_NOT_FOUND', 'the SQL parser is not there');
  const parser = instance;
  const input = write(parser, text);
  const output = parser._wasm_scan(input.address);
  const json = read(parser, output, input.ascii);
  parser._free(input.address);
  parser._wasm_free_string(output);
  const scanned = JSON.parse(json) as { tokens: { start?: number; end?: number; tokenName: string }[] };
  return scanned.tokens.map((token) => ({ start: token.start ?? 0, end: token.end ?? 0, name: token.tokenName }));
}

function restart(): void {
  startParser().catch(() => {
    // The next text tries again; until then everything is refused.
  });
}

function parseWith(parser: ParserInstance, text: string): Parsed | NotParsed {
  const input = write(parser, text);
  const result = parser._wasm_parse_query_raw(input.address);
  if (result === 0) throw new RangeError('no result');
  const tree = word(parser, result);
  const error = word(parser, result + 8);
  let answer: Parsed | NotParsed;
  if (error !== 0) {
    const position = word(parser, error + 16);
    const reason = read(parser, word(parser, error), false);
    answer = position > 0 ? { ok: false, reason, position } : { ok: false, reason };
  } else {
    const root = JSON.parse(read(parser, tree, input.ascii)) as { stmts?: Fields[] };
    answer = { ok: true, statements: root.stmts ?? [], ascii: input.ascii };
  }
  parser._wasm_free_parse_result(result);
  parser._free(input.address);
  if (parser.HEAPU8.length > RETIRE_BYTES) {
    instance = null;
    restart();
  }
  return answer;
}

function word(parser: ParserInstance, address: number): number {
  const value = parser.HEAPU32[address >>> 2];
  if (value === undefined) throw new RangeError('an address outside the memory');
  return value;
}

function write(parser: ParserInstance, text: string): { address: number; ascii: boolean } {
  const length = Buffer.byteLength(text, 'utf8');
  const address = parser._malloc(length + 1);
  if (address === 0) throw new RangeError('no memory');
  const heap = parser.HEAPU8;
  Buffer.from(heap.buffer, heap.byteOffset + address, length).write(text, 'utf8');
  heap[address + length] = 0;
  return { address, ascii: length === text.length };
}

function read(parser: ParserInstance, address: number, ascii: boolean): string {
  const heap = parser.HEAPU8;
  const end = heap.indexOf(0, address);
  if (address === 0 || end < 0) throw new RangeError('an address outside the memory');
  const bytes = Buffer.from(heap.buffer, heap.byteOffset + address, end - address);
  return bytes.toString(ascii ? 'latin1' : 'utf8');
}
