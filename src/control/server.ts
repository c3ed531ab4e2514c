// The HTTP side: what every request goes through, and the routes. docs/api.md is its page.

import Fastify, { type FastifyInstance, type FastifyRequest } from 'fastify';
import { serializerCompiler, validatorCompiler, type ZodTypeProvider } from 'fastify-type-provider-zod';
import type { Caller } from '../types.ts';
import { nameOf } from './callers.ts';
import { callerOf, guard, HEADERS, isLoopback, LIMITS, type Limits, requestId } from './guard.ts';
import { openapi } from './openapi.ts';
import { problemOf, sendProblem } from './problem.ts';
import { connectionRoutes, healthRoutes, identityRoutes } from './routes/about.ts';
import { approvalRoutes } from './routes/approvals.ts';
import { grantRoutes } from './routes/grants.ts';
import { type Changed, routeOf } from './routes/route.ts';
import { sessionRoutes } from './routes/sessions.ts';
import type { Services } from './services.ts';

export interface ControlLog {
  info(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

/** Adds routes of another module, each of which needs its row in `WHO`. They stand behind the same guard. */
export type Mount = (app: FastifyInstance, callerOf: (request: FastifyRequest) => Caller) => void | Promise<void>;

export interface ControlOptions {
  readonly services: Services;
  /** The longest text that is explained, in bytes. */
  readonly maxStatementBytes: number;
  /** What failed inside, of which callers are told nothing, and each change with who made it. */
  readonly log: ControlLog;
  readonly limits?: Limits;
  readonly mounts?: readonly Mount[];
  /** What WWW-Authenticate says to who has not proven who it is; `Bearer` unless told. */
  readonly challenge?: (request: FastifyRequest) => string;
}

const BODY_LIMIT = 64 * 1024;
const MAX_CONNECTIONS = 2000;

/** `host` is the address that it will listen on. */
export async function createControl(options: ControlOptions, host: string): Promise<FastifyInstance> {
  const { services, maxStatementBytes, log, limits = LIMITS, mounts = [], challenge = () => 'Bearer' } = options;
  const plain = Fastify({
    logger: false,
    bodyLimit: BODY_LIMIT,
    requestTimeout: 30_000,
    http: { headersTimeout: 10_000, connectionsCheckingInterval: 5000 },
    // Streams of records may be long, but no idle connection holds up a shutdown.
    forceCloseConnections: true,
    requestIdHeader: false,
    genReqId: requestId,
    routerOptions: { maxParamLength: 200 },
    // Addresses that no route is looked up for come past every hook.
    frameworkErrors: (error, request, reply) => {
      reply.headers({ ...HEADERS, 'x-request-id': request.id });
      return sendProblem(reply, problemOf(error));
    },
  });
  // Connections that say nothing take no more than this.
  plain.server.maxConnections = MAX_CONNECTIONS;
  // Only JSON is read: a form or a plain text, which a browser sends across sites unasked, is refused.
  plain.removeContentTypeParser('text/plain');
  const app = plain.withTypeProvider<ZodTypeProvider>();
  app.setValidatorCompiler((route) => {
    const validate = validatorCompiler(route as Parameters<typeof validatorCompiler>[0]);
    // No body is a body with nothing in it: what it lacks is named.
    return (data: unknown) => validate(data ?? {});
  });
  // An answer has what its schema names and nothing else.
  app.setSerializerCompiler(serializerCompiler);
  app.setErrorHandler((error, request, reply) => {
    const problem = problemOf(error);
    if (problem.status >= 500)
      log.error({ err: error, request: request.id, route: routeOf(request) }, 'an API call has failed');
    return sendProblem(reply, problem);
  });
  app.setNotFoundHandler((request, reply) =>
    sendProblem(reply, {
      title: 'no such address',
      status: 404,
      detail: `${request.method} ${request.url.split('?')[0]}`,
    }),
  );

  app.addHook('onResponse', async (_request, reply) => services.metrics.answered(reply.statusCode));
  await guard(plain, { prove: services.prove, limits, loopback: isLoopback(host), challenge });
  await openapi(app);
  const changed: Changed = (what, request, more) =>
    log.info({ ...more, by: nameOf(callerOf(request).identity), request: request.id }, what);
  healthRoutes(app, services);
  identityRoutes(app, services);
  // JSON escapes make a text longer than it is.
  connectionRoutes(app, services, 2 * maxStatementBytes + BODY_LIMIT);
  grantRoutes(app, services, changed);
  approvalRoutes(app);
  sessionRoutes(app, services);
  for (const mount of mounts) await mount(plain, callerOf);
  return plain;
}

export interface RunningControl {
  readonly host: string;
  readonly port: number;
  close(): Promise<void>;
}

/** Binds and answers. Rejects where the address is taken. */
export async function startControl(
  options: ControlOptions,
  address: { readonly host: string; readonly port: number },
): Promise<RunningControl> {
  const app = await createControl(options, address.host);
  await app.listen(address);
  const bound = app.server.address();
  const port = typeof bound === 'object' && bound !== null ? bound.port : address.port;
  return { host: address.host, port, close: async () => app.close() };
}
