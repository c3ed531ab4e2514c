// The routes of /v1: the request is read strictly, a service is asked, its answer becomes JSON.

import { Readable } from 'node:stream';
import type { FastifyInstance, FastifyReply } from 'fastify';
import { z } from 'zod';
import { SallyportError } from '../errors.ts';
import type { Identity } from '../types.ts';
import type { Services } from './services.ts';
import { dsn, grantView, toJson } from './views.ts';

const word = z.string().trim().min(1).max(200);
const grantRequest = z.strictObject({
  connection: word,
  scopes: z.array(z.string().min(1).max(1024)).min(1).max(100),
  ttl: z.string().min(1).max(40),
  task: word,
  reason: z.string().trim().min(1).max(2000),
  identity: word.optional(),
  groups: z.array(word).max(100).optional(),
});
const revocation = z.strictObject({ reason: z.string().trim().min(1).max(2000).optional() });
const nothing = z.strictObject({});
const explanation = z.strictObject({
  connection: word,
  scopes: z.array(z.string().min(1).max(1024)).max(100).default([]),
  sql: z.string(),
});
const page = z.strictObject({
  limit: z.coerce.number().int().min(1).max(1000).default(50),
  before: word.optional(),
});

/** Who holds the operator token; the identity a grant is for may be another. */
const OPERATOR = 'operator';

export function grantRoutes(app: FastifyInstance, services: Services): void {
  const { grants } = services;

  app.post('/v1/grants', async (request, reply) => {
    const body = read(grantRequest, request.body);
    const ttlMs = services.parseDuration(body.ttl);
    if (ttlMs === null || ttlMs <= 0) throw badRequest(`ttl: "${body.ttl}" is not a duration such as 20m`);
    const identity: Identity = { issuer: OPERATOR, subject: body.identity ?? OPERATOR, groups: body.groups ?? [] };
    const { connection, scopes, task, reason } = body;
    const login = services.login(connection);
    const { grant, secret } = await grants.request({ identity, connection, scopes, ttlMs, task, reason });
    return reply.code(201).send({
      id: grant.id,
      user: grant.id,
      password: secret,
      expiresAt: new Date(grant.expiresAt).toISOString(),
      dsn: login === undefined ? null : dsn(login, connection, grant.id, secret),
    });
  });
  app.get('/v1/grants', async () => ({ grants: (await grants.list()).map(grantView) }));

  async function shown(id: string) {
    const found = await grants.show(id);
    if (found === undefined) throw new SallyportError('SP_GRANT_UNKNOWN', `there is no grant ${id}`);
    return grantView(found);
  }
  app.get<WithId>('/v1/grants/:id', async (request) => shown(request.params.id));
  app.post<WithId>('/v1/grants/:id/complete', async (request) => {
    read(nothing, request.body ?? {});
    await grants.complete(request.params.id, OPERATOR);
    return shown(request.params.id);
  });
  app.post<WithId>('/v1/grants/:id/revoke', async (request) => {
    const { reason } = read(revocation, request.body ?? {});
    await grants.revoke(request.params.id, OPERATOR, reason ?? 'revoked by the operator');
    return shown(request.params.id);
  });
}

export function sessionRoutes(app: FastifyInstance, { sessions }: Services): void {
  const unknown = (id: string) => new SallyportError('SP_NOT_FOUND', `there is no session ${id}`);

  app.get('/v1/sessions', async (request, reply) => {
    const found = await sessions.list(read(page, request.query));
    return reply.type('application/json').send(toJson({ sessions: found }));
  });
  app.get<WithId>('/v1/sessions/:id', async (request, reply) => {
    const found = await sessions.show(request.params.id);
    if (found === undefined) throw unknown(request.params.id);
    return reply.type('application/json').send(toJson(found));
  });
  /** `{"records": […]}`, or one record a line where the caller accepts application/x-ndjson: streamed either way. */
  app.get<WithId>('/v1/sessions/:id/records', async (request, reply) => {
    const records = await sessions.records(request.params.id);
    if (records === undefined) throw unknown(request.params.id);
    return sendRecords(reply, records, (request.headers.accept ?? '').includes('application/x-ndjson'));
  });
}

export function explainRoutes(app: FastifyInstance, services: Services, bodyLimit: number): void {
  app.post('/v1/explain', { bodyLimit }, async (request) => {
    const { connection, scopes, sql } = read(explanation, request.body);
    return { statements: await services.explain({ connection, scopes, text: sql }) };
  });
}

interface WithId {
  readonly Params: { readonly id: string };
}

/** The first record is fetched before the answer begins, so that what fails at once is answered as an error. */
async function sendRecords(
  reply: FastifyReply,
  records: Iterable<object> | AsyncIterable<object>,
  lines: boolean,
): Promise<FastifyReply> {
  const iterator = Symbol.asyncIterator in records ? records[Symbol.asyncIterator]() : records[Symbol.iterator]();
  const first = await iterator.next();
  async function* text() {
    if (!lines) yield '{"records":[';
    let separator = '';
    for (let item = first; item.done !== true; item = await iterator.next()) {
      yield lines ? `${toJson(item.value)}\n` : separator + toJson(item.value);
      separator = ',';
    }
    if (!lines) yield ']}\n';
  }
  return reply.type(lines ? 'application/x-ndjson' : 'application/json').send(Readable.from(text()));
}

/** Reads strictly: an unknown key or a wrong type is the caller's mistake, named with its place. */
function read<S extends z.ZodType>(schema: S, value: unknown): z.output<S> {
  const parsed = schema.safeParse(value ?? {});
  if (parsed.success) return parsed.data;
  throw badRequest(
    parsed.error.issues.map(({ path, message }) => `${path.join('.') || 'body'}: ${message}`).join('; '),
  );
}

function badRequest(message: string): Error {
  return Object.assign(new Error(message), { statusCode: 400 });
}
