// Scopes as access rules have them: read once a rule, and the one that is meant where another was written.

import { nearest, SallyportError } from '../errors.ts';
import type { Scope, Verb } from '../types.ts';

/** What scopes mean. */
export interface ScopeRules {
  /** Throws a `SallyportError` that names the mistake. */
  parse(text: string): Scope;
  /** Whether everything that `requested` covers is covered by `allowed`. */
  within(requested: Scope, allowed: Scope): boolean;
}

export interface Mistake {
  readonly message: string;
  readonly hint: string | undefined;
}

interface Scoped {
  readonly scopes: readonly string[];
}

/** A scope of the connection, or what is wrong with it. */
export function scopeOf(text: string, connection: string, scopeRules: ScopeRules): Scope | Mistake {
  const scope = parsed(text, scopeRules);
  if (scope instanceof SallyportError) return { message: scope.message, hint: scope.hint };
  if (scope.connection === connection || scope.connection === '*') return scope;
  return {
    message: `scope ${text} is of connection "${scope.connection}", but the grant is for "${connection}"`,
    hint: undefined,
  };
}

/** The scope that may be asked for and is most like it: a part of it, else one that is written alike, else the first. */
export function nearestScope(scope: Scope, asked: Scope, rules: readonly Scoped[], scopes: ScopeRules): string | null {
  const own = rules
    .flatMap((rule) => allowedBy(rule, scopes))
    .filter(({ connection }) => connection === '*' || connection === asked.connection);
  const part = own.find((allowed) => {
    const verbs = new Set([...allowed.verbs].filter((verb) => asked.verbs.has(verb)));
    return verbs.size > 0 && scopes.within({ ...allowed, connection: asked.connection, verbs }, asked);
  });
  if (part !== undefined) return withVerbs(part, [...asked.verbs]);
  const known = own.map(({ text }) => text);
  return nearest(scope.text, known) ?? known[0] ?? null;
}

/** The scope's text with these verbs instead: they stand behind the last colon. */
export function withVerbs({ text }: Scope, verbs: readonly Verb[]): string {
  return `${text.slice(0, text.lastIndexOf(':') + 1)}${verbs.join('+')}`;
}

const read = new WeakMap<Scoped, readonly Scope[]>();

/** The rule's scopes. What is none allows nothing. */
export function allowedBy(rule: Scoped, scopeRules: ScopeRules): readonly Scope[] {
  let scopes = read.get(rule);
  if (scopes === undefined) {
    scopes = rule.scopes.flatMap((text) => {
      const scope = parsed(text, scopeRules);
      return scope instanceof SallyportError ? [] : [scope];
    });
    read.set(rule, scopes);
  }
  return scopes;
}

function parsed(text: string, { parse }: ScopeRules): Scope | SallyportError {
  try {
    return parse(text);
  } catch (error) {
    if (error instanceof SallyportError) return error;
    throw error;
  }
}
