// What stands before every route, in this order: a request id, whose page it comes from, how much its source has asked,
// who calls, how much that caller has asked, and whether the table lets it in. A route that throws here is never run.

import { randomBytes } from 'node:crypto';
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { isIPv4 } from 'node:net';
import rateLimit from '@fastify/rate-limit';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { SallyportError } from '../errors.ts';
import type { Caller } from '../types.ts';
import { forbidden, mayEnter, whoMay } from './authority.ts';
import { nameOf } from './callers.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** Who calls; null on routes that are open to anyone. */
    caller: Caller | null;
  }
}

/** How much is answered within `windowMs`. Beyond it 429 says when to come back. */
export interface Limits {
  readonly windowMs: number;
  /** Requests of one address (IPv6: of one /64), whoever asks. */
  readonly perSource: number;
  /** Requests of one identity. */
  readonly perCaller: number;
  /** Proofs of one address that prove nobody. */
  readonly failures: number;
}

/** Far above what agents and people do, below what would keep the gateway from its work. */
export const LIMITS: Limits = { windowMs: 10_000, perSource: 5000, perCaller: 2000, failures: 200 };

export interface GuardOptions {
  readonly prove: (authorization: string | undefined) => Promise<Caller>;
  readonly limits: Limits;
  /** The API listens on a loopback address alone. */
  readonly loopback: boolean;
  /** What WWW-Authenticate says to who has not proven who it is. */
  readonly challenge: (request: FastifyRequest) => string;
}

/** Of every answer. */
export const HEADERS = {
  'cache-control': 'no-store',
  'x-content-type-options': 'nosniff',
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
} as const;

type Limiter = ReturnType<FastifyInstance['createRateLimit']>;

export async function guard(app: FastifyInstance, options: GuardOptions): Promise<void> {
  const { prove, limits, loopback, challenge } = options;
  await app.register(rateLimit, { global: false });
  const limiter = (max: number, key?: (request: FastifyRequest) => string) =>
    app.createRateLimit({ max, timeWindow: limits.windowMs, ...(key === undefined ? {} : { keyGenerator: key }) });
  const bySource = limiter(limits.perSource);
  const byFailures = limiter(limits.failures);
  const byCaller = limiter(limits.perCaller, ({ caller }) => (caller === null ? '' : nameOf(caller.identity)));

  async function proven(request: FastifyRequest, reply: FastifyReply): Promise<Caller> {
    try {
      return await prove(request.headers.authorization);
    } catch (error) {
      if (!(error instanceof SallyportError) || error.code !== 'SP_UNAUTHORIZED') throw error;
      // Who proves itself is let in all the same: one bad client must not lock out its neighbours at the same address.
      await count(byFailures, request, reply, 'too many requests without a valid proof');
      reply.header('www-authenticate', challenge(request));
      throw error;
    }
  }

  app.decorateRequest('caller', null);
  app.addHook('onRequest', async (request, reply) => {
    reply.headers({ ...HEADERS, 'x-request-id': request.id });
    const objection = objectionTo(request.headers, loopback);
    if (objection !== null) throw objection;
    await count(bySource, request, reply, 'too many requests from this address');
    const { url } = request.routeOptions;
    const who = whoMay(request.method, url);
    if (who === 'anyone') return;
    const caller = await proven(request, reply);
    request.caller = caller;
    await count(byCaller, request, reply, `too many requests of ${caller.identity.subject}`);
    // Addresses that are not there are told so, to callers who proved who they are.
    if (url !== undefined && !mayEnter(caller, who)) throw forbidden(caller, `${request.method} ${url}`);
  });
}

async function count(limiter: Limiter, request: FastifyRequest, reply: FastifyReply, what: string): Promise<void> {
  const found = await limiter(request);
  if (found.isAllowed || !found.isExceeded) return;
  reply.header('retry-after', String(Math.max(1, found.ttlInSeconds)));
  throw new SallyportError('SP_LIMIT', `${what}: ask again in ${Math.max(1, found.ttlInSeconds)} s`);
}

/** A caller's own id where it is one, so that its log and the gateway's can be read side by side. */
export function requestId({ headers }: Pick<IncomingMessage, 'headers'>): string {
  const given = headers['x-request-id'];
  return typeof given === 'string' && /^[\w.-]{1,64}$/.test(given) ? given : randomBytes(8).toString('hex');
}

/**
 * Why a request is none of a client's that means this gateway, or null. A browser says from which page a request comes
 * (Origin; Fetch Metadata): a foreign one is refused, and there is no CORS. A page whose own name was made to point here
 * (DNS rebinding) still says its own name as the Host.
 */
export function objectionTo(headers: IncomingHttpHeaders, loopback: boolean): Error | null {
  const { host, origin } = headers;
  if (loopback && !isLoopbackHost(host)) {
    const message = 'this gateway listens on a loopback address and answers to that alone, not to another host name';
    return Object.assign(new Error(message), { statusCode: 421 });
  }
  const site = headers['sec-fetch-site'];
  const foreign = site !== undefined && site !== 'same-origin' && site !== 'none';
  if (foreign || (origin !== undefined && origin !== `http://${host}` && origin !== `https://${host}`)) {
    return new SallyportError('SP_FORBIDDEN', 'requests from the pages of other sites are not taken');
  }
  return null;
}

function isLoopbackHost(host: string | undefined): boolean {
  const name = /^(\[[^\]]*\]|[^:]*)(?::\d{1,5})?$/.exec(host ?? '')?.[1]?.toLowerCase() ?? '';
  return name === 'localhost' || name === '[::1]' || isLoopback(name);
}

/** Whether an address to listen on is reached from this machine alone. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || (isIPv4(host) && host.startsWith('127.'));
}

/** The caller of a route that is not open to anyone. */
export function callerOf(request: FastifyRequest): Caller {
  if (request.caller !== null) return request.caller;
  throw new SallyportError('SP_UNAUTHORIZED', 'the caller has not proven who it is');
}
