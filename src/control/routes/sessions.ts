// What happened: sessions and their records. Without a role a caller sees those of its own grants, and no database's address.

import { Readable } from 'node:stream';
import type { FastifyReply } from 'fastify';
import { SallyportError } from '../../errors.ts';
import { mayAll } from '../authority.ts';
import { isSame } from '../callers.ts';
import * as schemas from '../schemas.ts';
import type { ListedSession, Services } from '../services.ts';
import { sessionView, toJson, withoutAddress } from '../views.ts';
import { type Api, type By, byOf } from './route.ts';

export function sessionRoutes(app: Api, { sessions }: Services): void {
  app.get(
    '/v1/sessions',
    {
      schema: {
        tags: ['sessions'],
        summary: 'Sessions, newest first',
        description:
          'Where a filter leaves out many, a page may hold fewer than asked for: `next` says whether it was the last.',
        querystring: schemas.sessionQuery,
        response: { 200: schemas.sessionList },
      },
    },
    async (request) => {
      const by = byOf(request);
      const { limit, before, connection, subject, grant, since, mine } = request.query;
      const all = mayAll(by.caller, by.route);
      const { sessions: found, next } = await sessions.page({
        limit,
        before,
        since: since === undefined ? undefined : Date.parse(since),
        accept: (session) =>
          ((all && mine !== 'true') || isOwn(by, session)) &&
          (connection === undefined || session.facts?.connection.name === connection) &&
          (subject === undefined || session.facts?.identity.subject === subject) &&
          (grant === undefined || session.facts?.grant.id === grant),
      });
      return { sessions: found.map((session) => sessionView(session, all)), next };
    },
  );

  app.get(
    '/v1/sessions/:id',
    {
      config: { fails: [404] },
      schema: {
        tags: ['sessions'],
        summary: 'One session',
        params: schemas.withId,
        response: { 200: schemas.session },
      },
    },
    async (request) => {
      const by = byOf(request);
      return sessionView(await seen(by, request.params.id), mayAll(by.caller, by.route));
    },
  );

  app.get(
    '/v1/sessions/:id/records',
    {
      config: { fails: [404] },
      schema: {
        tags: ['sessions'],
        summary: 'The records of a session, in order',
        description: 'A record a line where the caller accepts application/x-ndjson; streamed either way.',
        params: schemas.withId,
        response: { 200: schemas.recordList },
      },
    },
    async (request, reply) => {
      const by = byOf(request);
      const { id } = await seen(by, request.params.id);
      const records = await sessions.records(id);
      const lines = (request.headers.accept ?? '').includes('application/x-ndjson');
      return sendRecords(reply, records, mayAll(by.caller, by.route) ? (record) => record : withoutAddress, lines);
    },
  );

  async function seen(by: By, id: string): Promise<ListedSession> {
    const found = await sessions.show(id);
    if (found !== undefined && (mayAll(by.caller, by.route) || isOwn(by, found))) return found;
    throw new SallyportError('SP_NOT_FOUND', `there is no session ${id}`);
  }
}

function isOwn({ caller }: By, { facts }: ListedSession): boolean {
  return facts !== null && isSame(caller.identity, facts.identity);
}

/** The first record is fetched before the answer begins, so that what fails at once is answered as an error. */
async function sendRecords(
  reply: FastifyReply,
  records: Iterable<object> | AsyncIterable<object>,
  shown: (record: object) => object,
  lines: boolean,
): Promise<FastifyReply> {
  const iterator = Symbol.asyncIterator in records ? records[Symbol.asyncIterator]() : records[Symbol.iterator]();
  const first = await iterator.next();
  async function* text() {
    if (!lines) yield '{"records":[';
    let separator = '';
    for (let item = first; item.done !== true; item = await iterator.next()) {
      yield lines ? `${toJson(shown(item.value))}\n` : separator + toJson(shown(item.value));
      separator = ',';
    }
    if (!lines) yield ']}\n';
  }
  return reply.type(lines ? 'application/x-ndjson' : 'application/json').send(Readable.from(text()));
}
