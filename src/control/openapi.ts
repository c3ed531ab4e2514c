// The OpenAPI 3.1 document, made of the routes' schemas; the answers that every route may fail with are put in here.

import { readFileSync } from 'node:fs';
import swagger from '@fastify/swagger';
import { createJsonSchemaTransform, createJsonSchemaTransformObject } from 'fastify-type-provider-zod';
import { whoMay } from './authority.ts';
import type { Api } from './routes/route.ts';
import { problem, registry } from './schemas.ts';

const WORDS: Readonly<Record<number, string>> = {
  400: 'the request is not valid; its places are named',
  401: 'the caller has not proven who it is',
  403: 'the caller may not do this, or the access rules refuse it',
  404: 'there is no such thing, or none that the caller may see',
  409: 'it is over, or decided, already',
  413: 'the body is too long',
  415: 'the body is no JSON',
  429: 'a limit is reached; Retry-After says when to come back',
  500: 'the gateway failed; the log says why',
  502: 'the database cannot be reached',
  503: 'it cannot be written down, or nothing can be answered now',
};

/** Before the routes: it looks at each as it is registered. The document is at /v1/openapi.json, for anyone. */
export async function openapi(app: Api): Promise<void> {
  const toJsonSchema = createJsonSchemaTransform({ schemaRegistry: registry });
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'Sallyport',
        version: version(),
        description: 'Per-task access of AI agents and people to databases: grants, sessions, what would be decided.',
      },
      components: {
        securitySchemes: {
          bearer: {
            type: 'http',
            scheme: 'bearer',
            description: "An identity provider's token; where none is configured, the operator token of the data dir.",
          },
        },
      },
      security: [{ bearer: [] }],
    },
    transform: (document) => {
      const { url, route } = document;
      if (!url.startsWith('/v1/') && !['/healthz', '/readyz', '/metrics'].includes(url)) {
        return { schema: { ...route.schema, hide: true }, url };
      }
      const open = whoMay(String(route.method), url) === 'anyone';
      const { schema } = route;
      const input = schema?.body !== undefined || schema?.querystring !== undefined || schema?.params !== undefined;
      const statuses = [
        ...(input ? [400] : []),
        ...(open ? [] : [401, 403]),
        ...(schema?.body === undefined ? [] : [413, 415]),
        ...(route.config?.fails ?? []),
        429,
        500,
      ];
      const response = { ...(schema?.response as object | undefined), ...failures(statuses) };
      const operationId = idOf(String(route.method), url);
      const whole = { ...schema, operationId, response, ...(open ? { security: [] } : {}) };
      return toJsonSchema({ ...document, schema: whole });
    },
    transformObject: createJsonSchemaTransformObject({ schemaRegistry: registry }),
  });
  app.get('/v1/openapi.json', { schema: { tags: ['health'], summary: 'This document' } }, async () => app.swagger());
}

function failures(statuses: readonly number[]): Record<number, object> {
  const content = { 'application/problem+json': { schema: problem } };
  return Object.fromEntries(statuses.map((status) => [status, { description: WORDS[status] ?? '', content }]));
}

/** `postGrantsIdComplete` for POST /v1/grants/:id/complete. */
function idOf(method: string, url: string): string {
  const parts = url
    .replace('/v1/', '/')
    .split(/[^A-Za-z]+/)
    .filter(Boolean);
  return method.toLowerCase() + parts.map((part) => part[0]?.toUpperCase() + part.slice(1)).join('');
}

/** Both src/control and the published dist/control lie two folders below the package. */
function version(): string {
  const text = readFileSync(new URL('../../package.json', import.meta.url), 'utf8');
  return String((JSON.parse(text) as { version: unknown }).version);
}
