// `${env:NAME}` and `${file:/path}` in the config file: what they stand for, resolved against one environment and one folder.

import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { suggestion } from './mistakes.ts';

export type Resolved = { readonly ok: true; readonly value: string } | { readonly ok: false; readonly message: string };

export interface References {
  /** The text with every reference in it replaced. Never throws; the message names the reference, never its content. */
  resolve(text: string): Resolved;
}

/** True where the text holds its value itself: no reference stands in it. */
export function isLiteral(text: string): boolean {
  return !text.includes('${');
}

/**
 * A file's content loses one trailing newline, as secret files are usually written with one. A relative path is relative to
 * `folder`, the config file's own.
 */
export function createReferences(environment: NodeJS.ProcessEnv, folder: string): References {
  function lookUp(kind: string, argument: string): Resolved {
    if (kind === 'env') {
      const value = environment[argument];
      if (value !== undefined) return { ok: true, value };
      return {
        ok: false,
        message: `the environment has no ${argument}${suggestion(argument, Object.keys(environment))}`,
      };
    }
    if (kind !== 'file') return { ok: false, message: `\${${kind}:…} is not a known reference; known: env, file` };
    try {
      return { ok: true, value: readFileSync(resolve(folder, argument), 'utf8').replace(/\r?\n$/, '') };
    } catch (error) {
      const reason = error instanceof Error && 'code' in error ? error.code : 'unreadable';
      return { ok: false, message: `the file ${argument} cannot be read (${reason})` };
    }
  }

  return {
    resolve(text) {
      let value = '';
      let rest = text;
      for (let at = rest.indexOf('${'); at >= 0; at = rest.indexOf('${')) {
        const reference = /^\$\{([a-z]+):([^{}]+)\}/.exec(rest.slice(at));
        if (reference === null) {
          return { ok: false, message: `a reference is written \${env:NAME} or \${file:/path}` };
        }
        const found = lookUp(reference[1] ?? '', reference[2] ?? '');
        if (!found.ok) return found;
        value += rest.slice(0, at) + found.value;
        rest = rest.slice(at + reference[0].length);
      }
      return { ok: true, value: value + rest };
    },
  };
}
