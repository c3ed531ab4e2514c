// The test runner's reporter: a line a file, failures in full (with what the file printed), the totals at the end.

import { relative } from 'node:path';
import { inspect } from 'node:util';

interface Data {
  readonly name?: string;
  readonly file?: string;
  readonly message?: string;
  readonly nesting?: number;
  readonly line?: number;
  readonly skip?: string | boolean;
  readonly todo?: string | boolean;
  readonly success?: boolean;
  readonly duration_ms?: number;
  readonly counts?: Readonly<Record<string, number>>;
  readonly details?: { readonly error?: Error & { cause?: unknown; failureType?: string } };
}

interface FileState {
  readonly printed: string[];
  readonly failures: string[];
  readonly skipped: string[];
}

/** A reporter as `node --test --test-reporter` takes it: events in, text out. */
async function* report(events: AsyncIterable<{ type: string; data: Data }>): AsyncGenerator<string> {
  const files = new Map<string, FileState>();
  const stateOf = (file: string): FileState => {
    const state = files.get(file) ?? { printed: [], failures: [], skipped: [] };
    files.set(file, state);
    return state;
  };
  for await (const { type, data } of events) {
    const state = stateOf(data.file ?? '');
    if (type === 'test:stdout' || type === 'test:stderr') state.printed.push(data.message ?? '');
    else if (type === 'test:pass' && data.skip !== undefined && data.skip !== false) {
      state.skipped.push(`   skipped: ${data.name}${typeof data.skip === 'string' ? ` (${data.skip})` : ''}\n`);
    } else if (type === 'test:fail' && data.details?.error?.failureType !== 'subtestsFailed') {
      const error = data.details?.error;
      state.failures.push(`   FAILED: ${data.name} (line ${data.line})\n${indent(inspect(error?.cause ?? error))}\n`);
    } else if (type === 'test:summary' && data.file !== undefined) {
      files.delete(data.file);
      yield fileLines(data, state);
    } else if (type === 'test:summary') {
      // A file that could not be run at all, or was ended, has no summary of its own.
      for (const [file, left] of files) {
        if (left.failures.length > 0) yield fileLines({ file, success: false }, left);
      }
      const counts = Object.entries(data.counts ?? {}).filter(([name, n]) => n > 0 && name !== 'topLevel');
      yield `${data.success ? 'passed' : 'FAILED'}: ${counts.map(([name, n]) => `${name} ${n}`).join(', ')}; ${seconds(data)}\n`;
    }
  }
}

function fileLines(data: Data, state: FileState): string {
  const name = relative(process.cwd(), data.file ?? '');
  const head = `${state.failures.length > 0 || !data.success ? 'FAIL' : ' ok '} ${name} (${data.counts?.passed ?? 0}, ${seconds(data)})\n`;
  if (state.failures.length === 0 && data.success) return head + state.skipped.join('');
  return head + state.skipped.join('') + state.failures.join('') + indent(state.printed.join(''));
}

function seconds(data: Data): string {
  return `${((data.duration_ms ?? 0) / 1000).toFixed(1)} s`;
}

function indent(text: string): string {
  return text.replace(/^(?=.)/gm, '     ');
}

// biome-ignore lint/style/noDefaultExport: the test runner takes a reporter by its default export
export default report;
