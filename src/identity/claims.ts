// From the claims of a proven token to an identity: who acts, in which groups, and for whom.

import type { Identity } from '../types.ts';

export type Claims = Readonly<Record<string, unknown>>;

export interface ClaimNames {
  readonly issuer: string;
  readonly groupsClaim: string;
  readonly subjectClaim: string;
  readonly actingForClaim?: string | undefined;
}

/** Said to the bearer as it stands: nothing of the token's content may be in it. */
export class TokenRefused extends Error {}

const MAX_TEXT = 255;
const MAX_GROUPS = 1000;
const MAX_CHAIN = 8;
/** People decide by the names of who acts, so none may look like another for what is not seen of it. */
const UNSEEN = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/u;

/**
 * Throws TokenRefused where a claim has another shape than a name or a list of names: what is not understood is no identity.
 *
 * Delegation (RFC 8693, 4.1): `sub` is the person and `act` who acts for them, with those who acted before inside it. So that
 * a delegated token never passes for the person's own, `act` counts whatever is configured; `actingForClaim` is for providers
 * whose tokens are the agent's and name the person in a claim.
 */
export function identityOf(claims: Claims, names: ClaimNames): Identity {
  const groups = Object.freeze(groupsOf(claims, names.groupsClaim));
  const subject = subjectOf(claims, names.subjectClaim);
  const [actor, ...via] = actors(claims.act, names);
  if (actor !== undefined) {
    return Object.freeze({ issuer: names.issuer, subject: actor, groups, actingFor: subject, via: Object.freeze(via) });
  }
  const actingFor = names.actingForClaim === undefined ? undefined : optionalName(claims, names.actingForClaim);
  return Object.freeze({ issuer: names.issuer, subject, groups, ...(actingFor === undefined ? {} : { actingFor }) });
}

/** A claim of exactly that name (many are addresses, with dots in them), else the dots lead from object to object. */
export function claimAt(claims: Claims, path: string): unknown {
  if (Object.hasOwn(claims, path)) return claims[path];
  let value: unknown = claims;
  for (const part of path.split('.')) {
    if (!isObject(value) || !Object.hasOwn(value, part)) return undefined;
    value = value[part];
  }
  return value;
}

function subjectOf(claims: Claims, path: string): string {
  const subject = optionalName(claims, path);
  if (subject === undefined) throw new TokenRefused(`the token has no claim ${path}, which says who bears it`);
  return subject;
}

function optionalName(claims: Claims, path: string): string | undefined {
  const value = claimAt(claims, path);
  if (value === undefined || value === null) return undefined;
  if (!isName(value) || UNSEEN.test(value) || value !== value.trim()) {
    throw new TokenRefused(`the token's claim ${path} is not a name`);
  }
  refuseUnverified(claims, path);
  return value;
}

/** Whoever may write any address into their profile would be anybody. */
function refuseUnverified({ email_verified: verified }: Claims, path: string): void {
  if (path !== 'email' || verified === undefined || verified === true) return;
  throw new TokenRefused('the token names an email address that its issuer has not verified');
}

/** Who acts, then who acted before, nearest first. One of another issuer (RFC 8693, 4.1) has a namesake at this one, perhaps. */
function actors(act: unknown, { issuer, subjectClaim }: ClaimNames): string[] {
  const found: string[] = [];
  for (let at = act; at !== undefined; at = at.act) {
    if (!isObject(at) || found.length === MAX_CHAIN) throw new TokenRefused("the token's claim act is not understood");
    if (at.iss !== undefined && at.iss !== issuer) throw new TokenRefused('the token names an actor of another issuer');
    const path = claimAt(at, subjectClaim) === undefined ? 'sub' : subjectClaim;
    found.push(subjectOf(at, path));
  }
  return found;
}

function groupsOf(claims: Claims, path: string): string[] {
  const value = claimAt(claims, path);
  if (value === undefined || value === null) {
    // OpenID Connect Core, 5.6.2: the claim is to be had elsewhere. Entra ID does so above 200 groups.
    const elsewhere = claims._claim_names;
    if (isObject(elsewhere) && Object.hasOwn(elsewhere, path)) {
      throw new TokenRefused('the token leaves its groups out, because they are too many for it');
    }
    return [];
  }
  const groups = Array.isArray(value) ? value : [value];
  if (groups.length > MAX_GROUPS) throw new TokenRefused(`the token has more than ${MAX_GROUPS} groups`);
  if (!groups.every(isName)) throw new TokenRefused(`the token's claim ${path} is not a list of names`);
  refuseUnverified(claims, path);
  return [...new Set(groups)];
}

function isName(value: unknown): value is string {
  return typeof value === 'string' && value.length > 0 && value.length <= MAX_TEXT && !/\p{Cc}/u.test(value);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
