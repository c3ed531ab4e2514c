// What the routes share: the typed app, whose a thing is, and what stands in the OpenAPI document beside their schemas.

import type { IncomingMessage, ServerResponse } from 'node:http';
import type { FastifyBaseLogger, FastifyInstance, FastifyRequest, RawServerDefault } from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import type { Caller } from '../../types.ts';
import { nameOf } from '../callers.ts';
import { callerOf } from '../guard.ts';

export type Api = FastifyInstance<
  RawServerDefault,
  IncomingMessage,
  ServerResponse<IncomingMessage>,
  FastifyBaseLogger,
  ZodTypeProvider
>;

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Statuses that the route fails with, beside those that every route has. */
    fails?: readonly number[];
  }
}

/** A log line of each change: what was done, by whom. */
export type Changed = (what: string, request: FastifyRequest, more?: Readonly<Record<string, unknown>>) => void;

/** The row of the table of authority that the request came in by; HEAD is asked as GET is. */
export const routeOf = ({ method, routeOptions }: FastifyRequest): string =>
  `${method === 'HEAD' ? 'GET' : method} ${routeOptions.url}`;

export interface By {
  readonly caller: Caller;
  /** As histories and the log have it. */
  readonly name: string;
  readonly route: string;
}

export function byOf(request: FastifyRequest): By {
  const caller = callerOf(request);
  return { caller, name: nameOf(caller.identity), route: routeOf(request) };
}
