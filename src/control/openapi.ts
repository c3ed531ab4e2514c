// The OpenAPI 3.1 document, made of the routes' schemas; the answers that every route may fail with are put in here.

import { readFileSync } from 'node:fs';
import swagger from '@fastify/swagger';
import { createJsonSchemaTransform, createJsonSchemaTransformObject } from 'fastify-type-provider-zod';
import type { z } from 'zod';
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
      const response = { ...answers(schema?.response), ...failures(statuses) };
      const operationId = idOf(String(route.method), url);
      const whole = { ...schema, operationId, response, ...(open ? { security: [] } : {}) };
      return toJsonSchema({ ...document, schema: whole });
    },
    transformObject: createJsonSchemaTransformObject({ schemaRegistry: registry }),
  });
  let document: unknown;
  app.get('/v1/openapi.json', { schema: { tags: ['health'], summary: 'This document' } }, async () => {
    document ??= tidied(app.swagger() as Described);
    return document;
  });
}

/** Each answer with its schema's own description. */
function answers(response: unknown): Record<string, object> {
  return Object.fromEntries(
    Object.entries((response ?? {}) as Record<string, z.ZodType>).map(([status, schema]) => {
      const description = registry.get(schema)?.description ?? '';
      return [status, { description, content: { 'application/json': { schema } } }];
    }),
  );
}

interface Described {
  readonly paths?: object;
  readonly components?: { readonly schemas?: Readonly<Record<string, unknown>> };
}

const REF = /"#\/components\/schemas\/(\w+)"/g;

/**
 * Every schema is made twice, as it is sent (`…Input`) and as it is answered: here only what is referred to is left, under
 * its own name where there is one of it. The pattern of a time goes: `format` says the same in a word.
 */
function tidied(document: Described): object {
  const schemas = document.components?.schemas ?? {};
  const used = new Set<string>();
  const follow = (part: unknown) => {
    for (const [, name = ''] of JSON.stringify(part).matchAll(REF)) {
      if (used.has(name)) continue;
      used.add(name);
      follow(schemas[name]);
    }
  };
  follow(document.paths);
  const named = (name: string) => {
    const own = name.replace(/Input$/, '');
    return used.has(own) ? name : own;
  };
  const kept = Object.entries(schemas).filter(([name]) => used.has(name));
  const components = {
    ...document.components,
    schemas: Object.fromEntries(kept.map(([name, schema]) => [named(name), schema])),
  };
  const text = JSON.stringify({ ...document, components }, (_key, value) => {
    if (value?.format !== 'date-time' || value.pattern === undefined) return value;
    const { pattern: _, ...rest } = value;
    return rest;
  });
  return JSON.parse(text.replaceAll(REF, (_ref, name: string) => `"#/components/schemas/${named(name)}"`)) as object;
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
export function version(): string {
  const text = readFileSync(new URL('../../package.json', import.meta.url), 'utf8');
  return String((JSON.parse(text) as { version: unknown }).version);
}
