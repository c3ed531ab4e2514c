// What the demo prints: acts, statements, results and refusals in 100 columns; colours only on a terminal (NO_COLOR is heard).

import { styleText } from 'node:util';
import { table, visible } from '../src/cli/output.ts';

export const WIDTH = 100;

const INDENT = '   ';

export type Style = Parameters<typeof styleText>[0];

/** An answer of the database, or a refusal, with the fields that an agent sees. */
export interface Told {
  readonly severity: string;
  readonly code: string;
  readonly message: string;
  readonly detail?: string | undefined;
  readonly hint?: string | undefined;
}

export function line(text = '', style?: Style): void {
  process.stdout.write(`${style === undefined ? text : styleText(style, text)}\n`);
}

/** The head of an act: its number, what happens, and what to see in it. */
export function act(number: number, title: string): void {
  line(`${styleText('cyan', `${number}.`)} ${styleText('bold', title)}`);
}

export function statement(sql: string): void {
  line(`${INDENT}${styleText('cyan', 'agent>')} ${sql}`);
}

export function command(words: string): void {
  const [first = '', ...rest] = wrap(`$ ${words}`, WIDTH - INDENT.length, '  ');
  line(INDENT + first, 'cyan');
  for (const part of rest) line(INDENT + part, 'cyan');
}

/** What a command has printed; of a long one the first lines. */
export function output(text: string, most = 100): void {
  const printed = text
    .trimEnd()
    .split('\n')
    .flatMap((part) => {
      const [, indent = '', words = ''] = /^(\s*)(.*)$/.exec(part) ?? [];
      return part.length <= WIDTH - INDENT.length ? [part] : wrap(words, WIDTH - INDENT.length, '  ', indent);
    });
  for (const part of printed.slice(0, most)) line(INDENT + part, 'dim');
  if (printed.length > most) line(`${INDENT}… ${printed.length - most} lines more`, 'dim');
}

export function rows(columns: readonly string[], cells: readonly (readonly (string | null)[])[]): void {
  const [head = '', rule = '', ...body] = table(columns, cells);
  line(INDENT + head, 'bold');
  line(INDENT + rule, 'dim');
  for (const row of body) line(INDENT + row);
}

/** An error as psql words it. */
export function told({ severity, code, message, detail, hint }: Told): void {
  const say = (name: string, text: string | undefined, style: Style) => {
    if (text === undefined) return;
    const [first = '', ...rest] = wrap(`${name}:  ${visible(text)}`, WIDTH - INDENT.length, '  ');
    line(INDENT + styleText(style, first.slice(0, name.length + 1)) + first.slice(name.length + 1));
    for (const part of rest) line(INDENT + part);
  };
  say(`${severity} ${code}`, message, 'red');
  say('DETAIL', detail, 'yellow');
  say('HINT', hint, 'green');
}

/** Breaks at spaces, and before the keys of JSON that has none. */
export function wrap(text: string, width: number, hanging = '', first = ''): string[] {
  const lines: string[] = [];
  let current = first;
  let empty = true;
  for (const word of text.split(/(?<= )|(?<=,)(?="\w+":)/)) {
    if (!empty && (current + word.trimEnd()).length > width) {
      lines.push(current.trimEnd());
      current = first + hanging;
    }
    current += word;
    empty = false;
  }
  lines.push(current.trimEnd());
  return lines;
}
