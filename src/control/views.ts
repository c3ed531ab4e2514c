// How the nouns look in JSON: times as ISO 8601, scopes as they were written, bytes as base64, a login with its DSN.

import type { z } from 'zod';
import type { GrantHistoryEvent, ListedGrant, Preview, Protocol } from '../types.ts';
import { isLoopback } from './guard.ts';
import type { grant, grantWithHistory, preview, session } from './schemas.ts';
import type { ListedSession, Login } from './services.ts';

const SCHEMES: Readonly<Record<Protocol, string>> = { postgres: 'postgresql', mysql: 'mysql' };

export type GrantView = z.output<typeof grant>;
export type GrantDetails = z.output<typeof grantWithHistory>;
export type PreviewView = z.output<typeof preview>;
export type SessionView = z.output<typeof session>;

const iso = (milliseconds: number) => new Date(milliseconds).toISOString();

export function grantView({ grant, state, flags, decided, awaits, ...end }: ListedGrant): GrantView {
  const { identity } = grant;
  return {
    id: grant.id,
    state,
    task: grant.task,
    reason: grant.reason,
    identity: { ...identity, groups: [...identity.groups], via: identity.via && [...identity.via] },
    connection: grant.connection,
    scopes: grant.scopes.map((scope) => scope.text),
    requestedAt: iso(grant.requestedAt),
    expiresAt: iso(grant.expiresAt),
    flags: [...flags],
    awaits,
    decided: decided && { ...decided, at: iso(decided.at) },
    endedAt: end.endedAt === undefined ? undefined : iso(end.endedAt),
    endedBy: end.endedBy,
    endReason: end.endReason,
  };
}

export function grantDetails(listed: ListedGrant, history: readonly GrantHistoryEvent[]): GrantDetails {
  const told = history.map(({ at, event, by, reason }) => ({ at: iso(at), event, by, reason }));
  return { ...grantView(listed), history: told };
}

export function previewView({ scopes, ...whole }: Preview): PreviewView {
  return {
    ...whole,
    scopes: scopes.map(({ maxTtlMs, ...scope }) => ({
      ...scope,
      maxTtlSeconds: maxTtlMs === null ? null : maxTtlMs / 1000,
    })),
  };
}

/** `full`: with the database's own address, which only who looks after databases is shown. */
export function sessionView({ facts, ...session }: ListedSession, full: boolean): SessionView {
  return {
    ...session,
    startedAt: iso(session.startedAt),
    lastAt: iso(session.lastAt),
    endedAt: session.endedAt === null ? null : iso(session.endedAt),
    facts: facts && {
      ...facts,
      connection: full ? facts.connection : { name: facts.connection.name },
      identity: { ...facts.identity, groups: [...facts.identity.groups] },
      grant: {
        ...facts.grant,
        scopes: [...facts.grant.scopes],
        requestedAt: iso(facts.grant.requestedAt),
        expiresAt: iso(facts.grant.expiresAt),
      },
    },
  };
}

/** A record for who may not see the database's address: it stands in the first one. */
export function withoutAddress(record: object): object {
  if (!('facts' in record)) return record;
  const { facts, ...rest } = record as { facts: ListedSession['facts'] };
  return { ...rest, facts: facts && { ...facts, connection: { name: facts.connection.name } } };
}

/**
 * Where clients dial what is bound to `bound`: nobody can dial 0.0.0.0, so a listener on every address is named as the caller
 * named this gateway (`asked`, a Host header), else localhost.
 */
export function reachable(bound: string, asked = ''): string {
  if (bound !== '0.0.0.0' && bound !== '::') return bound;
  const [, name = '', address] = /^([\w.-]+|\[([\da-f:.]+)\])(?::\d+)?$/i.exec(asked) ?? [];
  return name === '' || isLoopback(address ?? name) ? 'localhost' : (address ?? name);
}

/** The address a client takes as it is. TLS is always offered, so it is always asked for. `asked`: see `reachable`. */
export function dsn(login: Login, connection: string, user: string, password: string, asked?: string): string {
  const named = reachable(login.host, asked);
  const host = named.includes(':') ? `[${named}]` : named;
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
