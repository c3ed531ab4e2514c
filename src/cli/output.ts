// What the commands print: lines, tables, and text from elsewhere made safe to show in a terminal.

const MAX_CELL = 60;

export function print(text: string, stream: NodeJS.WriteStream = process.stdout): void {
  stream.write(`${text}\n`);
}

/** One value as one line of JSON. */
export function printJson(value: unknown): void {
  print(JSON.stringify(value));
}

/**
 * Control characters, line separators, bidirectional and invisible marks in words (`\x1b`, `\u202e`), so that a statement or
 * a cell can neither drive the terminal nor look like another. Line breaks and tabs stay.
 */
export function visible(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu, (character) => {
    if (character === '\n' || character === '\t') return character;
    const code = character.codePointAt(0) ?? 0;
    return code < 0x100 ? `\\x${code.toString(16).padStart(2, '0')}` : `\\u${code.toString(16).padStart(4, '0')}`;
  });
}

/** On one line, line breaks as `\n`, cut at 60 characters. */
export function cell(value: string | null): string {
  if (value === null) return '∅';
  const line = visible(value).replaceAll('\n', '\\n').replaceAll('\t', '\\t');
  const characters = [...line];
  return characters.length <= MAX_CELL ? line : `${characters.slice(0, MAX_CELL - 1).join('')}…`;
}

/** A table with aligned columns, as lines. Cells are made safe and cut; NULL is ∅. */
export function table(headers: readonly string[], rows: readonly (readonly (string | null)[])[]): string[] {
  const lines = [headers, ...rows].map((row) => headers.map((_, index) => cell(row[index] ?? null)));
  const widths = headers.map((_, index) => Math.max(...lines.map((line) => [...(line[index] ?? '')].length)));
  const format = (line: readonly string[]) =>
    line
      .map((text, index) => text + ' '.repeat((widths[index] ?? 0) - [...text].length))
      .join('  ')
      .trimEnd();
  const [head = [], ...body] = lines;
  return [format(head), widths.map((width) => '─'.repeat(width)).join('  '), ...body.map(format)];
}
