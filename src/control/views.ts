// How the nouns look in JSON: times as ISO 8601, scopes as they were written, bytes as base64, a login with its DSN.

import type { Grant, Protocol } from '../types.ts';
import type { ListedGrant } from './services.ts';

const SCHEMES: Readonly<Record<Protocol, string>> = { postgres: 'postgresql', mysql: 'mysql' };

export interface GrantView {
  readonly id: string;
  readonly state: string;
  readonly task: string;
  readonly reason: string;
  readonly identity: Grant['identity'];
  readonly connection: string;
  readonly scopes: readonly string[];
  readonly requestedAt: string;
  readonly expiresAt: string;
  readonly endedAt?: string;
  readonly endedBy?: string;
  readonly endReason?: string;
}

export function grantView({ grant, state, endedAt, endedBy, endReason }: ListedGrant): GrantView {
  return {
    id: grant.id,
    state,
    task: grant.task,
    reason: grant.reason,
    identity: grant.identity,
    connection: grant.connection,
    scopes: grant.scopes.map((scope) => scope.text),
    requestedAt: new Date(grant.requestedAt).toISOString(),
    expiresAt: new Date(grant.expiresAt).toISOString(),
    ...(endedAt === undefined ? {} : { endedAt: new Date(endedAt).toISOString() }),
    ...(endedBy === undefined ? {} : { endedBy }),
    ...(endReason === undefined ? {} : { endReason }),
  };
}

/**
 * The address a client takes as it is. TLS is always offered, so it is always asked for; a listener on every address is
 * named localhost, because nobody can dial 0.0.0.0.
 */
export function dsn(
  login: { readonly protocol: Protocol; readonly host: string; readonly port: number },
  connection: string,
  user: string,
  password: string,
): string {
  const everywhere = login.host === '0.0.0.0' || login.host === '::';
  const host = everywhere ? 'localhost' : login.host.includes(':') ? `[${login.host}]` : login.host;
  const query = login.protocol === 'postgres' ? '?sslmode=require' : '';
  const [u, p, c] = [user, password, connection].map(encodeURIComponent);
  return `${SCHEMES[login.protocol]}://${u}:${p}@${host}:${login.port}/${c}${query}`;
}

const TIMES = new Set(['at', 'startedAt', 'lastAt', 'endedAt', 'requestedAt', 'expiresAt']);

/** One line of JSON: times as ISO 8601, byte arrays in base64, sets and maps as arrays, so that nothing turns into `{}` unseen. */
export function toJson(value: unknown): string {
  return JSON.stringify(value, function (this: unknown, key: string, given: unknown) {
    // A Buffer's own toJSON has run by now; the value it was is still in its holder.
    const original = (this as Record<string, unknown>)[key];
    if (original instanceof Uint8Array) {
      return Buffer.from(original.buffer, original.byteOffset, original.byteLength).toString('base64');
    }
    if (typeof given === 'number' && TIMES.has(key) && Math.abs(given) <= 8.64e15) return new Date(given).toISOString();
    if (given instanceof Set || given instanceof Map) return [...given];
    return typeof given === 'bigint' ? String(given) : given;
  });
}
