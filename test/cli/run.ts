// Runs the command as its users do: a process of its own, against the API of a stand.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import type { Stand } from '../control/stand.ts';

const BIN = join(import.meta.dirname, '../../bin/sallyport');

export interface Ran {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** In `folder`, where nobody is logged in; `env` replaces what it would be told of the stand. */
export function run(folder: string, stand: Stand, args: string, env: Readonly<Record<string, string>>): Promise<Ran> {
  const base = {
    PATH: process.env.PATH,
    HOME: folder,
    SALLYPORT_API_LISTEN: `127.0.0.1:${stand.port}`,
    SALLYPORT_DATA_DIR: stand.dataDir,
  };
  return new Promise((resolve) => {
    const words = [...args.matchAll(/"([^"]*)"|(\S+)/g)].map((word) => word[1] ?? word[2] ?? '');
    const options = { env: { ...base, ...env }, cwd: folder, encoding: 'utf8' } as const;
    const child = execFile(BIN, words, options, (error, out, err) => {
      resolve({ code: typeof error?.code === 'number' ? error.code : error === null ? 0 : -1, out, err });
    });
    child.stdin?.end();
  });
}

/** What a command printed as JSON, a value a line. */
// biome-ignore lint/suspicious/noExplicitAny: the tests read what came back key by key
export function json(ran: Ran): any[] {
  assert.equal(ran.code, 0, ran.err);
  const text = ran.out.trimEnd();
  return text === '' ? [] : text.split('\n').map((line) => JSON.parse(line));
}
