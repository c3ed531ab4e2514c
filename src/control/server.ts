// The HTTP side: health and metrics open to all, everything else for the operator token alone.

import Fastify, { type FastifyInstance } from 'fastify';
import { SallyportError } from '../errors.ts';
import { problemOf, sendProblem } from './problem.ts';
import { explainRoutes, grantRoutes, sessionRoutes } from './routes.ts';
import type { Services } from './services.ts';
import { carriesToken } from './token.ts';

export interface ControlOptions {
  readonly token: string;
  readonly services: Services;
  /** The longest text that is explained, in bytes. */
  readonly maxStatementBytes: number;
  /** What failed inside, for the log; the caller is told nothing of it. */
  readonly onFailure: (error: unknown, route: string) => void;
}

/** Routes that need no token. What is not listed needs one, unknown addresses too. */
const OPEN = new Set(['/healthz', '/readyz', '/metrics']);
const BODY_LIMIT = 64 * 1024;

export function createControl({ token, services, maxStatementBytes, onFailure }: ControlOptions): FastifyInstance {
  const app = Fastify({
    logger: false,
    bodyLimit: BODY_LIMIT,
    requestTimeout: 30_000,
    // Streams of records may be long, but no idle connection holds up a shutdown.
    forceCloseConnections: true,
    routerOptions: { maxParamLength: 200 },
  });
  // Only JSON is read: a form or a plain text, which a browser sends across sites unasked, is refused.
  app.removeContentTypeParser('text/plain');

  app.addHook('onRequest', async (request, reply) => {
    reply.header('cache-control', 'no-store').header('x-content-type-options', 'nosniff');
    if (request.routeOptions.url !== undefined && OPEN.has(request.routeOptions.url)) return;
    if (carriesToken(request.headers.authorization, token)) return;
    reply.header('www-authenticate', 'Bearer');
    throw new SallyportError('SP_UNAUTHORIZED', 'this needs the operator token as a bearer token', {
      hint: 'It is in the file operator.token in the data dir.',
    });
  });
  app.setErrorHandler((error, request, reply) => {
    const problem = problemOf(error);
    if (problem.status >= 500) onFailure(error, `${request.method} ${request.routeOptions.url ?? ''}`);
    return sendProblem(reply, problem);
  });
  app.setNotFoundHandler((request, reply) =>
    sendProblem(reply, {
      title: 'no such address',
      status: 404,
      detail: `${request.method} ${request.url.split('?')[0]}`,
    }),
  );

  app.get('/healthz', async () => ({ ok: true }));
  app.get('/readyz', async (_request, reply) => {
    const state = services.ready();
    return reply.code(state.ok ? 200 : 503).send(state);
  });
  app.get('/metrics', async (_request, reply) =>
    reply.type(services.metrics.contentType).send(await services.metrics.render()),
  );
  grantRoutes(app, services);
  sessionRoutes(app, services);
  // JSON escapes make a text longer than it is.
  explainRoutes(app, services, 2 * maxStatementBytes + BODY_LIMIT);
  return app;
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
  const app = createControl(options);
  await app.listen(address);
  const bound = app.server.address();
  const port = typeof bound === 'object' && bound !== null ? bound.port : address.port;
  return { host: address.host, port, close: async () => app.close() };
}
