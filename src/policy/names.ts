// Reads and writes dotted names with wildcards (`public.orders`, `*.ssn`, `"a.b".t`), as scopes and rules are written.

/** A part of a pattern that matches every name. A name that is itself `*` cannot be written as a pattern. */
export const ANY = '*';

/** Room for two parts of 63 bytes, quoted, with every character escaped; what is longer names nothing in a database. */
export const MAX_NAME_LENGTH = 200;

const PLAIN = /^[\p{L}_][\p{L}\p{N}_$-]*$/u;
// Control characters, and those that reorder or hide text: a person who reads the name must see what it is.
const UNSEEN = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/u;
const EVERY_UNSEEN = new RegExp(UNSEEN.source, 'gu');

export type PartsRead =
  | { readonly ok: true; readonly parts: readonly string[]; readonly end: number }
  | { readonly ok: false; readonly message: string };

/**
 * Reads parts separated by dots from `start` until the end of the text or the first `:` outside quotes, whose place is
 * `end`. A part is a plain word (letters, digits, `_`, `$`, `-`), `*`, or anything in double quotes (`""` is a quote).
 * Names are compared as they are written: PostgreSQL has folded an unquoted one to lower case before it is compared.
 */
export function readParts(text: string, start: number): PartsRead {
  const parts: string[] = [];
  let at = start;
  for (;;) {
    const part = text[at] === '"' ? readQuoted(text, at) : readPlain(text, at);
    if (!part.ok) return part;
    parts.push(part.name);
    at = part.end;
    if (at === text.length || text[at] === ':') return { ok: true, parts, end: at };
    if (text[at] !== '.') return { ok: false, message: `"${printable(text.slice(at))}" stands behind a closing quote` };
    at++;
  }
}

type PartRead =
  | { readonly ok: true; readonly name: string; readonly end: number }
  | { readonly ok: false; readonly message: string };

function readQuoted(text: string, start: number): PartRead {
  let name = '';
  for (let at = start + 1; at < text.length; at++) {
    if (text[at] !== '"') {
      name += text[at];
    } else if (text[at + 1] === '"') {
      name += '"';
      at++;
    } else if (name === '') {
      return { ok: false, message: 'a quoted part is empty' };
    } else if (name === ANY) {
      return {
        ok: false,
        message: 'a quoted "*" would be a name, which is not supported; without quotes it matches any',
      };
    } else if (UNSEEN.test(name)) {
      return { ok: false, message: 'a quoted part holds a character that cannot be seen' };
    } else {
      return { ok: true, name, end: at + 1 };
    }
  }
  return { ok: false, message: 'a quote is not closed' };
}

function readPlain(text: string, start: number): PartRead {
  let end = start;
  while (end < text.length && text[end] !== '.' && text[end] !== ':') end++;
  const name = text.slice(start, end);
  if (name === ANY || PLAIN.test(name)) return { ok: true, name, end };
  if (name === '') return { ok: false, message: 'a part is empty' };
  if (name.includes(ANY)) return { ok: false, message: `"${printable(name)}": * stands for a whole part only` };
  return { ok: false, message: `"${printable(name)}" has to be in double quotes` };
}

/** The part as `readParts` reads it back, quoted only where it has to be. */
export function writePart(name: string): string {
  return name === ANY || PLAIN.test(name) ? name : `"${name.replaceAll('"', '""')}"`;
}

/** A name for a sentence that a person reads: characters that cannot be seen are written as `\u{…}`. */
export function printable(text: string): string {
  const shown = text.length > MAX_NAME_LENGTH ? `${text.slice(0, MAX_NAME_LENGTH)}…` : text;
  return shown.replace(EVERY_UNSEEN, (character) => `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`);
}

/** Whether one part of a pattern takes the name. */
export function partMatches(pattern: string, name: string): boolean {
  return pattern === ANY || pattern === name;
}
