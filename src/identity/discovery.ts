// An issuer's keys, by its own documents: OpenID Connect Discovery 1.0 (section 4), then the JWK Set (RFC 7517) that it names.
// Both are read within bounds of time and size, and believed only where the issuer names itself as it is configured.

import type { JSONWebKeySet } from 'jose';

/** Milliseconds for one document. */
const TIMEOUT = 5000;
const MAX_BYTES = 512 * 1024;
const MAX_KEYS = 100;

/** Throws an error whose message says what failed and where. */
export async function fetchKeys(issuer: string): Promise<JSONWebKeySet> {
  const place = `${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`;
  const document = await fetchObject(place);
  if (document.issuer !== issuer) {
    const named = String(document.issuer).slice(0, 200);
    throw new Error(`${place} is of the issuer "${named}", not of the configured one`);
  }
  const address = typeof document.jwks_uri === 'string' ? URL.parse(document.jwks_uri) : null;
  // Keys that came in the clear are anybody's; an issuer in the clear is on this machine.
  if (address === null || (address.protocol !== 'https:' && !issuer.startsWith('http:'))) {
    throw new Error(`${place} names no https address of its keys`);
  }
  const { keys } = await fetchObject(address.href);
  if (!Array.isArray(keys) || keys.length > MAX_KEYS || !keys.every(isObject)) {
    throw new Error(`${address.href} is not a set of at most ${MAX_KEYS} keys`);
  }
  return { keys } as JSONWebKeySet;
}

async function fetchObject(url: string): Promise<Record<string, unknown>> {
  let text: string;
  try {
    const signal = AbortSignal.timeout(TIMEOUT);
    const response = await fetch(url, { redirect: 'error', signal, headers: { accept: 'application/json' } });
    if (response.status !== 200) throw new Error(`the answer is ${response.status}`);
    text = await readText(response);
  } catch (error) {
    throw new Error(`${url} cannot be read: ${reason(error)}`);
  }
  const value = parse(text);
  if (!isObject(value)) throw new Error(`${url} is not a JSON object`);
  return value;
}

async function readText(response: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of response.body ?? []) {
    bytes += chunk.length;
    if (bytes > MAX_BYTES) throw new Error(`it is longer than ${MAX_BYTES} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

/** fetch says only that it failed; why is in the cause. */
function reason(error: unknown): string {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  if (!(cause instanceof Error)) return String(cause);
  return 'code' in cause && typeof cause.code === 'string' ? cause.code : cause.message;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
