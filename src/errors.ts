// The code table: every error the gateway makes itself, with its stable code. What a client of a database port reads is
// worded in `wire/<protocol>/messages.ts`; these are for logs, the CLI and the API.

export const CODES = {
  SP_CONFIG: 'the configuration is not valid',
  SP_ENV: 'an environment variable is not valid',
  SP_GRANT_REFUSED: 'the grant is refused',
  SP_GRANT_UNKNOWN: 'no such grant',
  SP_GRANT_OVER: 'the grant is over',
  SP_PROTOCOL: 'the peer broke the protocol',
  SP_UPSTREAM: 'the database cannot be reached or refuses the gateway',
  SP_RECORD: 'the record cannot be written',
  SP_NOT_FOUND: 'no such thing',
  SP_UNAUTHORIZED: 'the caller is not known',
  SP_FORBIDDEN: 'the caller may not do this',
  SP_LIMIT: 'a limit is reached',
} as const;

export type Code = keyof typeof CODES;

export class SallyportError extends Error {
  readonly code: Code;
  /** What would make it work, in one sentence. */
  readonly hint: string | undefined;

  constructor(code: Code, message: string, options: { hint?: string; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'SallyportError';
    this.code = code;
    this.hint = options.hint;
  }
}
