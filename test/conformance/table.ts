// Makes docs/conformance.md from the verdicts and the tests: `node test/conformance/table.ts` writes it.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { VERDICTS } from './verdicts.ts';

const FILE = join(import.meta.dirname, '../../docs/conformance.md');

interface Shown {
  readonly number: string;
  /** Relative to docs/. */
  readonly file: string;
}

/** Every test whose name begins with a number, and that is not skipped or to be done, by the file that it stands in. */
export function shownTests(): Shown[] {
  const found: Shown[] = [];
  for (const file of readdirSync(import.meta.dirname).sort()) {
    if (!/^[a-f]\d.*\.test\.ts$/.test(file)) continue;
    const text = readFileSync(join(import.meta.dirname, file), 'utf8');
    for (const [, number = '', rest = ''] of text.matchAll(/\btest\(\s*['"`]([A-F]\d+) ([^\n]*)/g)) {
      if (!/\{ (skip|todo)\b/.test(rest)) found.push({ number, file: `../test/conformance/${file}` });
    }
  }
  return found;
}

const byNumber = (a: string, b: string) => a.charCodeAt(0) - b.charCodeAt(0) || Number(a.slice(1)) - Number(b.slice(1));

export function table(): string {
  const shown = shownTests();
  const lines = Object.entries(VERDICTS)
    .sort(([a], [b]) => byNumber(a, b))
    .map(([number, { status, attack, shows, elsewhere = [] }]) => {
      const files = [...new Set(shown.filter((test) => test.number === number).map(({ file }) => file))];
      const links = [
        ...files.map((file) => `[${file.split('/').at(-1)?.split('-')[0]}](${file})`),
        ...elsewhere.map((file) => `[${file.replace('.test.ts', '')}](../test/${file})`),
      ].join(' ');
      return `| ${number} | ${attack} | ${status} | ${shows} | ${links} |`;
    });
  return `# What the gateway withstands

One line a class of attack, each shown by tests against real servers behind a real gateway: A to C on PostgreSQL, D and E on MariaDB
and on MySQL, F on either or without a database. *Withstood*: the legitimate use works and the attack does not. *Fails closed*: the attack does not work, and neither does some legitimate use beside it. *Open*:
something is not stopped, or not shown.

Made by \`node test/conformance/table.ts\` from [the verdicts](../test/conformance/verdicts.ts); \`make check\` fails when it is out of step.

| number | what is tried | verdict | what the tests show | tests |
| --- | --- | --- | --- | --- |
${lines.join('\n')}
`;
}

if (import.meta.main) writeFileSync(FILE, table());
