// Errors as problem details (RFC 9457), from the code table; what is not in the table is answered without its words.

import type { FastifyReply } from 'fastify';
import { CODES, type Code, SallyportError } from '../errors.ts';

const STATUS: Readonly<Record<Code, number>> = {
  SP_CONFIG: 500,
  SP_ENV: 500,
  SP_GRANT_REFUSED: 403,
  SP_GRANT_UNKNOWN: 404,
  SP_GRANT_OVER: 409,
  SP_GRANT_DECIDED: 409,
  SP_PROTOCOL: 400,
  SP_UPSTREAM: 502,
  SP_RECORD: 503,
  SP_NOT_FOUND: 404,
  SP_UNAUTHORIZED: 401,
  SP_FORBIDDEN: 403,
  SP_LIMIT: 429,
};

export interface Problem {
  readonly title: string;
  readonly status: number;
  readonly detail?: string | undefined;
  readonly code?: Code | undefined;
  readonly hint?: string | undefined;
}

export function sendProblem(reply: FastifyReply, problem: Problem): FastifyReply {
  return (
    reply
      .code(problem.status)
      .type('application/problem+json')
      // Whatever the route's own schema is, this is another document.
      .serializer((body: unknown) => JSON.stringify(body))
      .send({ type: 'about:blank', ...problem, requestId: reply.request.id })
  );
}

/** The caller's mistake, the table's code, or 500 without details: those are for the log. */
export function problemOf(error: unknown): Problem {
  if (error instanceof SallyportError) {
    const { code, message, hint } = error;
    return { title: CODES[code], status: STATUS[code], detail: message, code, hint };
  }
  if (
    error instanceof Error &&
    'statusCode' in error &&
    typeof error.statusCode === 'number' &&
    error.statusCode < 500
  ) {
    return { title: 'the request is not valid', status: error.statusCode, detail: detailOf(error) };
  }
  return { title: 'the gateway failed', status: 500 };
}

/** Each mistake with its place: `scopes.0: …`, or `body: …` where it is the whole. */
function detailOf(error: Error): string {
  const { validation, validationContext } = error as { validation?: unknown; validationContext?: string };
  if (!Array.isArray(validation)) return error.message;
  return validation
    .map(({ instancePath, message }: { instancePath: string; message: string }) => {
      const place = instancePath.split('/').filter(Boolean).join('.');
      return `${place === '' ? (validationContext ?? 'request') : place}: ${message}`;
    })
    .join('; ');
}

/** The caller's own mistake, where no schema finds it. */
export function badRequest(message: string): Error {
  return Object.assign(new Error(message), { statusCode: 400 });
}
