// What the tools answer: a result as structured content with a text for models, an error as a sentence with what to do next.

import type { CallToolResult } from '@modelcontextprotocol/sdk/types.js';
import { SallyportError } from '../errors.ts';
import { DatabaseError, type Json } from './database.ts';

/** `text` is what a client shows that does not read structured content. */
export function answer(structuredContent: Record<string, unknown>, text: string): CallToolResult {
  return { content: [{ type: 'text', text }], structuredContent };
}

/** `about` is for programs: the code, the gateway's decision. */
export function failure(message: string, next: string | null, about: Record<string, unknown>): CallToolResult {
  const text = next === null ? message : `${message}\nWhat to do: ${next}`;
  return {
    isError: true,
    content: [
      { type: 'text', text },
      { type: 'text', text: JSON.stringify(about) },
    ],
  };
}

/** What may be told of an error, or null: then it is for the log alone. */
export function failureOf(error: unknown, more: string | null = null): CallToolResult | null {
  if (error instanceof SallyportError) {
    return failure(error.message, sentences(more, error.hint && inTools(error.hint)), { code: error.code });
  }
  if (!(error instanceof DatabaseError)) return null;
  const { code, detail, decision } = error;
  // MySQL has no field for a hint: the gateway's stands behind the sentence.
  const [message, behind] = splitAt(error.message, error.message.search(REQUEST));
  const told = detail === null ? message : `${message}\n${detail}`;
  const hint = error.hint ?? (behind === '' ? null : behind);
  return failure(told, sentences(NEXT[code], hint && inTools(hint)) ?? nextOf(error), {
    code,
    ...(decision === null ? {} : { decision }),
  });
}

/** How the gateway tells whoever has a command line to ask for a grant. */
const REQUEST = /[A-Z][a-z ]+: sallyport grants request /;

/** A hint for those who have tools in place of a command line. */
export function inTools(hint: string): string {
  return hint.replace(/sallyport grants request ((?:--[a-z]+ (?:"[^"]*"|<[^>]*>|\S+) ?)+)/g, (_, options: string) => {
    const valuesOf = (name: string) => [...options.matchAll(new RegExp(`--${name} (\\S+)`, 'g'))].map(([, v]) => v);
    return `request_grant ${JSON.stringify({ connection: valuesOf('connection')[0], scopes: valuesOf('scope') })}`;
  });
}

function splitAt(text: string, at: number): [string, string] {
  return at === -1 ? [text, ''] : [text.slice(0, at).trimEnd(), text.slice(at)];
}

const UNREACHABLE = 'Try again in a minute; if it goes on, tell the user: the operator has to look.';
/**
 * By SQLSTATE or MySQL's number: a failed transaction, serialization failures and deadlocks, a lock that took too long, no room,
 * a database that the gateway does not reach.
 */
const NEXT: Readonly<Record<string, string>> = {
  '25P02': 'ROLLBACK, then begin the transaction again.',
  '40001': 'Begin the transaction again: another one was in its way.',
  '40P01': 'Begin the transaction again: another one was in its way.',
  '1213': 'Begin the transaction again: another one was in its way.',
  '55P03': 'Another session holds what it needs: try again later.',
  '1205': 'Another session holds what it needs: try again later.',
  '53300': UNREACHABLE,
  '1040': UNREACHABLE,
  '08006': UNREACHABLE,
  '1429': UNREACHABLE,
};

function nextOf({ decision, fatal }: DatabaseError): string {
  if (decision !== null) return 'Do not try other spellings of it: they are decided alike. explain says what would be.';
  if (fatal) return 'grant_status says whether the grant is still active; with an active one, send the query again.';
  return 'Correct the statement and send it again.';
}

function sentences(...parts: readonly (string | null | undefined)[]): string | null {
  const told = parts.filter((part) => part !== null && part !== undefined);
  return told.length === 0 ? null : told.join(' ');
}

/** Characters of a cell in the text; structured content has all of it. */
const CELL = 200;

/** Rows for reading: a line each, cells between bars. */
export function table(columns: readonly string[], rows: readonly (readonly Json[])[]): string {
  return [columns, ...rows].map((row) => row.map(cell).join(' | ')).join('\n');
}

/** On one line, whatever it holds, so that no value looks like another row. */
function cell(value: Json): string {
  const text = value === null ? 'NULL' : typeof value === 'object' ? JSON.stringify(value) : String(value);
  const plain = text.replace(/[\p{Cc}\p{Cf}\u2028\u2029|\\]/gu, (found) => {
    if (found === '|' || found === '\\') return `\\${found}`;
    return `\\u{${found.codePointAt(0)?.toString(16)}}`;
  });
  return plain.length > CELL ? `${plain.slice(0, CELL)}…` : plain;
}
