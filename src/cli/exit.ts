// Exit codes, and the one place where an error becomes words on standard error.

import { SallyportError } from '../errors.ts';
import { print, visible } from './output.ts';

/** Documented in docs/cli.md. */
export const EXIT = {
  ok: 0,
  /** Refused, a mistake was found, or the thing asked for is not there. */
  refused: 1,
  /** The command was not written as its help says. */
  usage: 2,
  /** Nothing answers where the gateway should be. */
  unreachable: 3,
} as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** An end of the command that its user is told of, with the exit code that goes with it. */
export class CommandError extends Error {
  readonly exitCode: ExitCode;
  readonly hint: string | undefined;
  readonly code: string | undefined;

  constructor(
    exitCode: ExitCode,
    message: string,
    more: { hint?: string | undefined; code?: string | undefined } = {},
  ) {
    super(message);
    this.name = 'CommandError';
    this.exitCode = exitCode;
    this.hint = more.hint;
    this.code = more.code;
  }
}

/** Says what went wrong on standard error, as one JSON line where `--json` was given, and answers the exit code. */
export function report(error: unknown, json: boolean): ExitCode {
  const known = error instanceof CommandError || error instanceof SallyportError;
  const message = error instanceof Error ? error.message : String(error);
  const hint = known ? error.hint : undefined;
  const code = known ? error.code : undefined;
  if (json) {
    print(JSON.stringify({ error: { code, message, hint } }), process.stderr);
  } else {
    print(`sallyport: ${visible(message)}`, process.stderr);
    if (hint !== undefined) print(visible(hint), process.stderr);
    // What nobody foresaw is worth its stack.
    if (!known && error instanceof Error && error.stack !== undefined) print(error.stack, process.stderr);
  }
  return error instanceof CommandError ? error.exitCode : EXIT.refused;
}
