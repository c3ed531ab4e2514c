// What a caller could ask for: the scopes of the access rules that are for its groups, connection by connection.

import { SallyportError } from '../errors.ts';
import type { Caller } from '../types.ts';
import { isOperatorToken } from './callers.ts';
import type { Login, OfferRule, Services } from './services.ts';

export interface Offer {
  readonly scope: string;
  readonly maxTtlMs: number;
  readonly approval: 'auto' | 'required';
}

export interface OfferedConnection extends Login {
  readonly name: string;
  readonly scopes: readonly Offer[];
}

type Asked = Pick<Services, 'connections' | 'access' | 'login' | 'parseScope'>;

/** Every connection for a caller with a role; else those that the access rules have something of for it. */
export function offersFor(caller: Caller, services: Asked): OfferedConnection[] {
  const rules = services.access().filter((rule) => isFor(rule, caller));
  return services.connections().flatMap((name) => {
    const login = services.login(name);
    const scopes = rules
      .filter((rule) => matches(rule.connections, name))
      .flatMap((rule) => offers(rule, name, services));
    if (login === undefined || (scopes.length === 0 && caller.roles.size === 0)) return [];
    return [{ name, ...login, scopes: distinct(scopes) }];
  });
}

/** The operator token may speak for any identity, so every rule is for it; not for an agent that it stands for, without a role. */
function isFor(rule: OfferRule, caller: Caller): boolean {
  return (
    (isOperatorToken(caller) && caller.roles.size > 0) ||
    rule.groups.includes('*') ||
    caller.identity.groups.some((group) => rule.groups.includes(group))
  );
}

function offers({ scopes, maxTtlMs, approval }: OfferRule, name: string, { parseScope }: Asked): Offer[] {
  return scopes.flatMap((text) => {
    const connection = connectionOf(text, parseScope);
    // `db:*` is every connection: here it is this one.
    if (connection === '*') return [{ scope: text.replace(/^db:\*/, `db:${name}`), maxTtlMs, approval }];
    return connection === name ? [{ scope: text, maxTtlMs, approval }] : [];
  });
}

function connectionOf(text: string, parseScope: Asked['parseScope']): string | null {
  try {
    return parseScope(text).connection;
  } catch (error) {
    if (error instanceof SallyportError) return null;
    throw error;
  }
}

const matches = (names: readonly string[], name: string) => names.includes('*') || names.includes(name);

/** Several rules may have the same scope in the same words. */
function distinct(offers: readonly Offer[]): Offer[] {
  return [...new Map(offers.map((offer) => [`${offer.scope} ${offer.maxTtlMs} ${offer.approval}`, offer])).values()];
}
