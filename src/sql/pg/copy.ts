// The form in which COPY … TO STDOUT writes its rows, from its options (commands/copy.c, ProcessCopyOptions).
//
// Both syntaxes come out of the grammar as the same list. What is not understood is no reason to refuse the statement here: it
// is told in `unknown`, for those who have to read the rows.

import type { CopyForm } from '../../types.ts';
import { textOf } from './tree.ts';
import type { Definition } from './utilities.ts';

type Mutable = { -readonly [K in keyof CopyForm]: CopyForm[K] };

const FORMATS: readonly string[] = ['text', 'csv', 'binary'] satisfies readonly CopyForm['format'][];
const HEADERS: ReadonlyMap<string, boolean> = new Map([
  ['true', true],
  ['on', true],
  ['false', false],
  ['off', false],
]);

/** Never throws for an option that it does not know; `Definition.value` is an option's node, undefined where it has none. */
export function copyForm(options: readonly Definition[]): CopyForm {
  const given: Partial<Mutable> = {};
  const seen = new Set<string>();
  let unknown: string | null = null;
  for (const { name, value } of options) {
    if (seen.has(name) || !take(given, name, value)) unknown ??= name;
    seen.add(name);
  }
  const csv = given.format === 'csv';
  const quote = given.quote ?? '"';
  return {
    format: given.format ?? 'text',
    delimiter: given.delimiter ?? (csv ? ',' : '\t'),
    null: given.null ?? (csv ? '' : '\\N'),
    quote,
    escape: given.escape ?? quote,
    header: given.header ?? false,
    encoding: given.encoding ?? null,
    unknown,
  };
}

/** False where the option or its value is not understood. */
function take(given: Partial<Mutable>, name: string, value: unknown): boolean {
  switch (name) {
    case 'format': {
      const format = FORMATS.indexOf(word(value) ?? '');
      if (format === -1) return false;
      given.format = FORMATS[format] as CopyForm['format'];
      return true;
    }
    case 'header': {
      const header = headerOf(value);
      if (header === undefined) return false;
      given.header = header;
      return true;
    }
    case 'delimiter':
    case 'null':
    case 'quote':
    case 'escape':
    case 'encoding': {
      const written = word(value);
      if (written === null) return false;
      given[name] = written;
      return true;
    }
    default:
      // Which columns are quoted whatever they hold does not change how they are read.
      return name === 'force_quote';
  }
}

/** The word or string that an option is given; null for anything else. */
function word(value: unknown): string | null {
  const string = field(value, 'String');
  return string === undefined ? null : (textOf(string.sval) ?? '');
}

function headerOf(value: unknown): boolean | undefined {
  if (value === undefined) return true;
  const boolean = field(value, 'Boolean');
  if (boolean !== undefined) return boolean.boolval === true;
  const integer = field(value, 'Integer');
  if (integer !== undefined) return integer.ival === undefined ? false : integer.ival === 1 ? true : undefined;
  return HEADERS.get((word(value) ?? '').toLowerCase());
}

function field(value: unknown, type: string): { readonly [name: string]: unknown } | undefined {
  return (value as { readonly [type: string]: { readonly [name: string]: unknown } } | undefined)?.[type];
}
