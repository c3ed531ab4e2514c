// The OpenAPI document: every route is in it, it says who needs a proof, and what is answered is what it says.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { z } from 'zod';
import { WHO } from '../../src/control/authority.ts';
import { type Answer, ask, CALLERS, type CallerName, DDL, READ } from './client.ts';
import { openStand, SESSION, type Stand } from './stand.ts';

interface Operation {
  readonly operationId: string;
  readonly summary?: string;
  readonly security?: readonly object[];
  readonly requestBody?: { readonly content: Record<string, { readonly schema: object }> };
  readonly responses: Record<string, { readonly content?: Record<string, { readonly schema: object }> }>;
}

let stand: Stand;
// biome-ignore lint/suspicious/noExplicitAny: a document that the tests walk through
let document: any;
before(async () => {
  stand = await openStand({ identities: CALLERS });
  const { grant } = await stand.grants.request({ ...READ, ttlMs: 60_000, identity: CALLERS.owner });
  stand.record(grant);
  document = (await ask(stand.url, null, 'GET', '/v1/openapi.json')).json;
});
after(() => stand.close());

/** `GET /v1/grants/:id`, as the table of authority has it. */
function operations(): Map<string, Operation> {
  const found = new Map<string, Operation>();
  for (const [path, methods] of Object.entries(document.paths as Record<string, Record<string, Operation>>)) {
    for (const [method, operation] of Object.entries(methods)) {
      found.set(`${method.toUpperCase()} ${path.replaceAll(/\{(\w+)\}/g, ':$1')}`, operation);
    }
  }
  return found;
}

/** The schema with what it refers to in its place. */
function whole(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(whole);
  if (typeof value !== 'object' || value === null) return value;
  const name = '$ref' in value ? /^#\/components\/schemas\/(\w+)$/.exec(String(value.$ref))?.[1] : undefined;
  if ('$ref' in value) assert.ok(name !== undefined && name in document.components.schemas, String(value.$ref));
  if (name !== undefined) return whole(document.components.schemas[name]);
  return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, whole(part)]));
}

function validator(schema: object): z.ZodType {
  return z.fromJSONSchema(whole(schema) as Parameters<typeof z.fromJSONSchema>[0]);
}

test('every route of the API is in it, and nothing else; those that need a proof say so', () => {
  assert.equal(document.openapi, '3.1.0');
  const routes = Object.keys(WHO).filter((route) => !/ \/(mcp|\.well-known)/.test(route));
  const found = operations();
  assert.deepEqual([...found.keys()].sort(), routes.sort());
  const ids = [...found.values()].map(({ operationId }) => operationId);
  assert.equal(new Set(ids).size, ids.length, ids.join(' '));
  for (const [route, { summary, security, responses }] of found) {
    assert.ok(summary, route);
    assert.equal(security?.length === 0, WHO[route] === 'anyone', route);
    assert.equal('401' in responses, WHO[route] !== 'anyone', route);
  }
  assert.deepEqual(document.security, [{ bearer: [] }]);
});

test('every error is problem+json, every schema can be read, every example is one', () => {
  for (const [route, { responses, requestBody }] of operations()) {
    for (const [status, { content }] of Object.entries(responses)) {
      if (Number(status) >= 400 && route !== 'GET /readyz') {
        assert.deepEqual(Object.keys(content ?? {}), ['application/problem+json'], `${route} ${status}`);
      }
      for (const { schema } of Object.values(content ?? {})) validator(schema);
    }
    for (const { schema } of Object.values(requestBody?.content ?? {})) validator(schema);
  }
  const referred = JSON.stringify(document);
  for (const name of Object.keys(document.components.schemas)) {
    assert.ok(referred.includes(`"#/components/schemas/${name}"`), `nothing refers to ${name}`);
    assert.ok(!name.endsWith('Input'), name);
  }
  let examples = 0;
  for (const schema of Object.values(document.components.schemas as Record<string, { examples?: unknown[] }>)) {
    for (const example of schema.examples ?? []) {
      validator(schema).parse(example);
      examples++;
    }
  }
  assert.ok(examples > 10);
});

test('what is answered is what it says: of every route, what goes well and what does not', async () => {
  const seen = new Set<string>();
  const check = async (caller: CallerName | null, route: string, id = '', body?: unknown): Promise<Answer> => {
    const [method = '', pattern = ''] = route.split(' ');
    const [path = '', query] = pattern.split('?');
    const suffix = query === undefined ? '' : `?${query}`;
    const answer = await ask(stand.url, caller, method, path.replace(':id', id) + suffix, body);
    const name = `${method} ${path}`;
    const content = operations().get(name)?.responses[String(answer.status)]?.content ?? {};
    const [type, { schema } = { schema: undefined }] = Object.entries(content)[0] ?? [];
    assert.ok(schema !== undefined && type !== undefined, `${name} ${answer.status} is not described: ${answer.text}`);
    assert.equal(answer.headers.get('content-type')?.split(';')[0], type);
    const read = validator(schema).safeParse(answer.json);
    assert.ok(read.success, `${name} ${answer.status}: ${answer.text}\n${read.error}`);
    seen.add(name);
    return answer;
  };

  for (const route of ['GET /healthz', 'GET /readyz', 'GET /v1/identity']) await check(null, route);
  for (const route of ['GET /v1/me', 'GET /v1/connections', 'GET /v1/approvals']) {
    await check('owner', route);
    await check(null, route);
  }
  const { json: made } = await check('owner', 'POST /v1/grants', '', READ);
  const { json: waits } = await check('owner', 'POST /v1/grants', '', DDL);
  const { json: other } = await check('owner', 'POST /v1/grants', '', DDL);
  await check('stranger', 'POST /v1/grants', '', { ...READ, scopes: ['db:analytics:write'] });
  await check('owner', 'POST /v1/grants', '', { ...READ, ttl: 'soon' });
  await check('owner', 'POST /v1/grants', '', 'no json');
  await check('owner', 'POST /v1/grants/preview', '', READ);
  await check('auditor', 'GET /v1/grants');
  await check('owner', 'GET /v1/grants?limit=0');
  await check('owner', 'GET /v1/grants/:id', made.id);
  await check('owner', 'GET /v1/grants/:id', 'gr_none');
  await check('auditor', 'POST /v1/grants/:id/complete', made.id);
  await check('owner', 'POST /v1/grants/:id/complete', made.id);
  await check('owner', 'POST /v1/grants/:id/complete', made.id);
  await check('operator', 'POST /v1/grants/:id/revoke', made.id);
  await check('approver', 'POST /v1/grants/:id/approve', waits.id);
  await check('approver', 'POST /v1/grants/:id/approve', waits.id);
  await check('approver', 'POST /v1/grants/:id/refuse', other.id, { reason: 'no' });
  await check('operator', 'POST /v1/grants/:id/revoke', waits.id, { reason: 'x' });
  await check('operator', 'POST /v1/grants/revoke', '', { all: true, reason: 'x' });
  await check('owner', 'POST /v1/grants/revoke', '', { all: true, reason: 'x' });
  await check('approver', 'POST /v1/approvals/:id/approve', 'ap_none');
  await check('approver', 'POST /v1/approvals/:id/deny', 'ap_none');
  await check('approver', 'GET /v1/approvals/:id', 'ap_none');
  await check('owner', 'POST /v1/explain', '', { connection: 'analytics', sql: 'SELECT 1' });
  await check('owner', 'POST /v1/explain', '', { connection: 'elsewhere', sql: 'SELECT 1' });
  await check('owner', 'POST /v1/explain', '', { connection: 'analytics', sql: 'fail' });
  for (const caller of ['owner', 'auditor'] as const) {
    await check(caller, 'GET /v1/sessions');
    await check(caller, 'GET /v1/sessions/:id', SESSION);
    await check(caller, 'GET /v1/sessions/:id/records', SESSION);
  }
  await check('stranger', 'GET /v1/sessions/:id/records', SESSION);
  const rest = [...operations().keys()].filter((route) => !seen.has(route));
  assert.deepEqual(rest.sort(), ['GET /metrics', 'GET /v1/openapi.json']);
});
