// Who asks, proven by an OpenID Connect token: the one place where a token is believed or not (RFC 7519, RFC 8725).
//
// What the token says of itself decides nothing: its `iss` picks among the configured issuers, whose own keys then prove the
// signature. Only what is signed is read for its claims. Words for the bearer are exact once the signature is proven, and the
// same for every unproven token.

import { createHash } from 'node:crypto';
import { decodeJwt, decodeProtectedHeader, errors, type JWTPayload, jwtVerify } from 'jose';
import { LRUCache } from 'lru-cache';
import { SallyportError } from '../errors.ts';
import type { Identity } from '../types.ts';
import { type Claims, identityOf, TokenRefused } from './claims.ts';
import { KeyRing, type Log } from './keys.ts';

/** An identity provider, as the config has it. */
export interface Issuer {
  /** Its address, to the letter as tokens have it in `iss`. */
  readonly issuer: string;
  /** What `aud` of a token for this gateway is or has in it. */
  readonly audience: string;
  /** Paths of claims: a claim of exactly that name, else with dots from object to object. */
  readonly groupsClaim: string;
  readonly subjectClaim: string;
  readonly actingForClaim?: string | undefined;
  /** Milliseconds that its keys are used while it cannot be reached. */
  readonly keysFor: number;
}

export interface Identities {
  /**
   * Who the bearer of the token is. Throws SP_UNAUTHORIZED with a sentence for the bearer, in which nothing of the token
   * stands, also where the issuer's keys cannot be had.
   */
  prove(token: string): Promise<Identity>;
  /** An issuer is configured. */
  readonly configured: boolean;
  /** Fetches the keys of every issuer, so that the first token does not wait for them. Never rejects: the log says what failed. */
  prefetch(): Promise<void>;
}

export interface IdentitiesOptions {
  /** Asked at every token, so that a changed config counts at once. */
  readonly issuers: () => readonly Issuer[];
  readonly log: Log;
  /** Milliseconds since the epoch; tokens live by this clock. */
  readonly now?: () => number;
  /** Milliseconds of a clock that is never set; keys age by it. */
  readonly monotonic?: () => number;
}

/** Far above what providers issue (a token with 200 groups has about 10 KiB), and a packet of a login holds it. */
const MAX_TOKEN = 16 * 1024;
/** Seconds that clocks may differ. */
const SKEW = 30;
const REMEMBERED = 1000;
/** Asymmetric signatures alone: where a key is public, nothing that a verifier knows may suffice to sign. */
const ALGORITHMS = 'RS256 RS384 RS512 PS256 PS384 PS512 ES256 ES384 ES512 EdDSA Ed25519'.split(' ');
/** Kinds of token that say who the bearer is: ID tokens, access tokens (RFC 9068), and those that do not tell. */
const KINDS = ['jwt', 'at+jwt'];

interface Proven {
  readonly entry: Issuer;
  readonly epoch: number;
  /** Milliseconds since the epoch. */
  readonly until: number;
  readonly identity: Identity;
}

export function openIdentities(options: IdentitiesOptions): Identities {
  const { issuers, log, now = Date.now, monotonic = () => performance.now() } = options;
  const rings = new Map<string, KeyRing>();
  const remembered = new LRUCache<string, Proven>({ max: REMEMBERED });

  function ringOf(issuer: string): KeyRing {
    const known = rings.get(issuer);
    if (known !== undefined) return known;
    const ring = new KeyRing(issuer, { log, monotonic });
    rings.set(issuer, ring);
    return ring;
  }

  async function prove(token: string): Promise<Identity> {
    const claimed = claimedIssuer(token);
    const entries = issuers().filter(({ issuer }) => issuer === claimed);
    const [first] = entries;
    if (first === undefined) throw new TokenRefused('the token is not of an issuer that this gateway knows');
    const ring = ringOf(first.issuer);
    await ring.fresh(Math.max(...entries.map(({ keysFor }) => keysFor)));

    const digest = createHash('sha256').update(token).digest('base64');
    const before = remembered.get(digest);
    if (before?.epoch === ring.epoch && entries.includes(before.entry) && now() < before.until) return before.identity;
    const { epoch } = ring;
    const claims = await verified(token, ring, entries, now());
    const entry = entries.find(({ audience }) => [claims.aud].flat().includes(audience));
    if (entry === undefined) throw new TokenRefused('the token is for another audience');
    const identity = identityOf(claims, entry);
    remembered.set(digest, { entry, epoch, until: (Number(claims.exp) + SKEW) * 1000, identity });
    return identity;
  }

  return {
    get configured() {
      return issuers().length > 0;
    },
    async prove(token) {
      try {
        return await prove(token);
      } catch (error) {
        const said = error instanceof TokenRefused ? error.message : 'the token cannot be proven';
        throw new SallyportError('SP_UNAUTHORIZED', said, { hint: hint(issuers()), cause: error });
      }
    },
    async prefetch() {
      await Promise.all(
        issuers().map(({ issuer, keysFor }) =>
          ringOf(issuer)
            .fresh(keysFor)
            .catch(() => {}),
        ),
      );
    },
  };
}

/** What the unproven token says of its issuer, after its shape is seen to be that of a signed token. */
function claimedIssuer(token: string): string {
  if (token.length > MAX_TOKEN) throw new TokenRefused('the token is longer than 16 KiB');
  if (/^[\w-]+(\.[\w-]*){4}$/.test(token)) {
    throw new TokenRefused('the token is encrypted (JWE), and this gateway reads signed ones alone');
  }
  if (!/^[\w-]+\.[\w-]+\.[\w-]+$/.test(token) || !token.split('.').every(isCanonical)) {
    throw new TokenRefused('this is not a signed token (JWT)');
  }
  let issuer: unknown;
  try {
    decodeProtectedHeader(token);
    issuer = decodeJwt(token).iss;
  } catch {
    throw new TokenRefused('this is not a signed token (JWT)');
  }
  if (typeof issuer !== 'string') throw new TokenRefused('the token does not name its issuer');
  return issuer;
}

/** The last character has bits that mean nothing: set, they would make another text of the same token. */
function isCanonical(part: string): boolean {
  return Buffer.from(part, 'base64url').toString('base64url') === part;
}

/** The claims of a token whose signature, issuer, audience and times are proven. */
async function verified(token: string, ring: KeyRing, entries: readonly Issuer[], now: number): Promise<Claims> {
  const unproven = `the token is not signed by a key of ${ring.issuer}`;
  try {
    const { payload, protectedHeader } = await jwtVerify(token, ring.key, {
      algorithms: ALGORITHMS,
      issuer: ring.issuer,
      audience: entries.map(({ audience }) => audience),
      requiredClaims: ['exp'],
      clockTolerance: SKEW,
      currentDate: new Date(now),
    });
    const kind = protectedHeader.typ?.toLowerCase().replace(/^application\//, '') ?? 'jwt';
    if (!KINDS.includes(kind)) throw new TokenRefused('the token is of a kind that does not prove who bears it');
    refuseOthers(payload, now);
    return payload;
  } catch (error) {
    if (error instanceof TokenRefused) throw error;
    if (error instanceof errors.JWTExpired) throw new TokenRefused('the token has expired');
    // Of a claim jose speaks only after the signature is proven.
    if (error instanceof errors.JWTClaimValidationFailed) throw new TokenRefused(aboutClaim(error.claim));
    throw new TokenRefused(unproven, { cause: error });
  }
}

/** Tokens that are signed and in time, and still do not say that their bearer is who they name. */
function refuseOthers({ iat, exp, cnf, events }: JWTPayload, now: number): void {
  if (iat !== undefined && iat > now / 1000 + SKEW) throw new TokenRefused('the token is from the future');
  if (!Number.isSafeInteger(Math.trunc(exp ?? Number.NaN))) throw new TokenRefused(aboutClaim('exp'));
  // RFC 7800: only together with the key that it is bound to; RFC 8417: it reports an event, such as a logout.
  if (cnf !== undefined) throw new TokenRefused('the token is bound to a key (cnf), and a bearer does not prove one');
  if (events !== undefined) throw new TokenRefused('the token reports an event, and does not prove who bears it');
}

function aboutClaim(claim: string): string {
  if (claim === 'aud') return 'the token is for another audience';
  if (claim === 'nbf') return 'the token is not valid yet';
  return `the token's claim ${/^[a-z]{1,10}$/.test(claim) ? claim : ''} is missing or not what it has to be`;
}

function hint(issuers: readonly Issuer[]): string {
  if (issuers.length === 0) return 'No identity provider is configured here: tokens prove nothing.';
  const wanted = issuers.map(({ issuer, audience }) => `${issuer} for the audience ${audience}`).join(', or of ');
  return `Get a new one with \`sallyport login\`, or a token of ${wanted}.`;
}
