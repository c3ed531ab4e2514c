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
    return failure(error.message, sentences(more, error.hint), { code: error.code });
  }
  if (!(error instanceof DatabaseError)) return null;
  const { message, code, detail, hint, decision } = error;
  const told = detail === null ? message : `${message}\n${detail}`;
  return failure(told, sentences(more ?? nextOf(error), hint ?? undefined), {
    code,
    ...(decision === null ? {} : { decision }),
  });
}

/** What the gateway's own hint does not say, because it is written for drivers. */
function nextOf({ decision, fatal }: DatabaseError): string | null {
  if (decision?.rule === 'scope') {
    const { verbs, relations } = decision as { verbs?: readonly string[]; relations?: readonly string[] };
    const on = relations === undefined || relations.length === 0 ? '' : ` on ${relations.join(', ')}`;
    return `If the task needs it, request_grant with a scope that has ${verbs?.join('+') ?? 'it'}${on}; else do without.`;
  }
  if (decision !== null) return 'Do not try other spellings of it: they are decided alike. explain says what would be.';
  if (fatal) return 'grant_status says whether the grant is still active; with an active one, send the query again.';
  return null;
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
