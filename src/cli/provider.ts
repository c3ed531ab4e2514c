// The identity provider's side of a login: device flow for people (RFC 8628), client credentials for machines (RFC 6749, 4.4),
// refresh and revocation, all by openid-client.

import { readFileSync } from 'node:fs';
import { decodeJwt } from 'jose';
import * as client from 'openid-client';
import { isLoopback } from '../config/issuers.ts';
import { CommandError, EXIT } from './exit.ts';
import type { Login } from './logins.ts';

/** Whom to log in, and where. */
export type Application = Pick<Login, 'issuer' | 'audience' | 'clientId' | 'secretFile' | 'parameters'>;

/** What a person has to do, by the provider's words. */
export interface Asked {
  readonly address: string;
  /** With the code in it, where the provider has such an address. */
  readonly completeAddress: string | undefined;
  readonly code: string;
  /** Seconds. */
  readonly expiresIn: number;
}

/** Seconds for one answer of the provider. */
const TIMEOUT = 15;
/** What a person's login asks for, as far as the provider knows it: who it is, its groups, and to stay logged in. */
const SCOPES = ['openid', 'profile', 'email', 'groups', 'offline_access'];

export async function logInPerson(application: Application, ask: (asked: Asked) => void): Promise<Login> {
  return refusals(application, async () => {
    const provider = await connect(application, 'person');
    const { scopes_supported: known } = provider.serverMetadata();
    const scope = SCOPES.filter((name) => name === 'openid' || known?.includes(name) === true).join(' ');
    const parameters = { scope, ...application.parameters };
    if (provider.serverMetadata().device_authorization_endpoint === undefined) {
      throw new CommandError(EXIT.refused, `${application.issuer} has no device flow`, {
        hint: 'Put a token from elsewhere into SALLYPORT_TOKEN.',
      });
    }
    const waiting = await client.initiateDeviceAuthorization(provider, parameters);
    ask({
      address: waiting.verification_uri,
      completeAddress: waiting.verification_uri_complete,
      code: waiting.user_code,
      expiresIn: waiting.expires_in,
    });
    const tokens = await client.pollDeviceAuthorizationGrant(provider, waiting, resourceOf(parameters));
    return loginOf({ ...application, parameters }, 'person', tokens);
  });
}

export async function logInMachine(application: Application): Promise<Login> {
  return refusals(application, async () => {
    const provider = await connect(application, 'machine');
    return loginOf(
      application,
      'machine',
      await client.clientCredentialsGrant(provider, { ...application.parameters }),
    );
  });
}

/** A new token in place of one that has expired; null where that takes the person again. */
export async function renew(login: Login): Promise<Login | null> {
  if (login.who === 'machine') return logInMachine(login);
  const { refreshToken } = login;
  if (refreshToken === undefined) return null;
  try {
    const provider = await connect(login, login.who);
    const tokens = await client.refreshTokenGrant(provider, refreshToken, resourceOf(login.parameters));
    return loginOf(login, 'person', tokens, refreshToken);
  } catch (error) {
    // The provider has ended the login: only the person can begin another.
    if (error instanceof client.ResponseBodyError && error.error === 'invalid_grant') return null;
    return refusals(login, () => Promise.reject(error));
  }
}

/** Tells the provider that the login is over. Whether it listens changes nothing here. */
export async function logOut(login: Login): Promise<boolean> {
  if (login.refreshToken === undefined) return false;
  try {
    const provider = await connect(login, login.who);
    await client.tokenRevocation(provider, login.refreshToken, { token_type_hint: 'refresh_token' });
    return true;
  } catch {
    return false;
  }
}

async function connect(
  { issuer, clientId, secretFile }: Application,
  who: Login['who'],
): Promise<client.Configuration> {
  const address = new URL(issuer);
  const isHere = isLoopback(address.hostname.replace(/^\[|\]$/g, ''));
  const options = {
    // As the gateway's config has it: what answers in its place must not have secrets sent in the clear.
    execute: address.protocol === 'http:' && isHere ? [client.allowInsecureRequests] : [],
    timeout: TIMEOUT,
    [client.customFetch]: standardised,
  };
  const provider = await client.discovery(address, clientId, undefined, client.None(), options);
  if (secretFile === undefined) return provider;
  const metadata = provider.serverMetadata();
  const secret = readSecret(secretFile);
  // OpenID Connect Discovery: what is left out is client_secret_basic, and it is what most clients are registered for. A
  // person's client with a secret is Google's, whose device endpoint reads the client from the body.
  const methods = metadata.token_endpoint_auth_methods_supported ?? ['client_secret_basic'];
  const inBody =
    !methods.includes('client_secret_basic') || (who === 'person' && methods.includes('client_secret_post'));
  const proof = inBody ? client.ClientSecretPost(secret) : client.ClientSecretBasic(secret);
  return client.discovery(address, clientId, secret, proof, options);
}

/** Google answers the device request with `verification_url`, as drafts of RFC 8628 had it. */
async function standardised(url: string, options: client.CustomFetchOptions): Promise<Response> {
  const response = await fetch(url, options as RequestInit);
  if (options.method !== 'POST' || !response.ok) return response;
  const text = await response.text();
  const body = text.includes('"verification_url"') ? (JSON.parse(text) as Record<string, unknown>) : null;
  const answer =
    body === null
      ? text
      : JSON.stringify({ ...body, verification_uri: body.verification_uri ?? body.verification_url });
  return new Response(answer, { status: response.status, headers: response.headers });
}

function readSecret(file: string): string {
  try {
    return readFileSync(file, 'utf8').replace(/\r?\n$/, '');
  } catch (error) {
    const why = error instanceof Error && 'code' in error ? error.code : 'unreadable';
    throw new CommandError(EXIT.refused, `the client's secret cannot be read from ${file} (${why})`);
  }
}

/** RFC 8707: the resource is named again where the token is asked for. */
function resourceOf({ resource }: Readonly<Record<string, string>>): Record<string, string> {
  return resource === undefined ? {} : { resource };
}

/** The one of both tokens that is for the gateway is kept; which it is differs from provider to provider. */
function loginOf(
  { issuer, audience, clientId, secretFile, parameters }: Application,
  who: Login['who'],
  tokens: client.TokenEndpointResponse,
  before?: string,
): Login {
  const seen: string[] = [];
  for (const token of [tokens.access_token, tokens.id_token]) {
    const claims = claimsOf(token);
    if (token === undefined || claims === null) continue;
    const audiences = [claims.aud ?? []].flat();
    seen.push(...audiences);
    if (!audiences.includes(audience) || claims.exp === undefined) continue;
    const refreshToken = tokens.refresh_token ?? before;
    const expiresAt = claims.exp * 1000;
    return { issuer, audience, clientId, who, token, expiresAt, refreshToken, secretFile, parameters };
  }
  const got = seen.length === 0 ? 'what it gave says for nobody whom it is' : `it gave tokens for ${seen.join(', ')}`;
  throw new CommandError(EXIT.refused, `${issuer} gave no token for the audience ${audience}: ${got}`, {
    hint: 'Ask for it as this provider wants to be asked, such as --scope <scope>, or --parameter resource=<address>.',
  });
}

function claimsOf(token: string | undefined) {
  try {
    return token === undefined ? null : decodeJwt(token);
  } catch {
    return null;
  }
}

/** Runs `work`; what the provider refuses becomes words for the user. */
async function refusals<T>({ issuer }: Application, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof CommandError) throw error;
    if (error instanceof client.ResponseBodyError) {
      const { error: code, error_description: description } = error;
      const known = WORDS[code];
      throw new CommandError(EXIT.refused, known ?? `${issuer} refuses: ${description ?? code} (${code})`, {
        code: 'SP_UNAUTHORIZED',
      });
    }
    // RFC 6749, 5.2: a client that has not proven itself.
    if (error instanceof client.WWWAuthenticateChallengeError) {
      throw new CommandError(EXIT.refused, `${issuer} does not take the client's id and secret`, {
        code: 'SP_UNAUTHORIZED',
      });
    }
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
    const deeper = cause instanceof Error && cause.cause instanceof Error ? cause.cause : cause;
    const why = deeper instanceof Error ? deeper.message : String(deeper);
    throw new CommandError(EXIT.refused, `${issuer} does not answer as an identity provider: ${why}`);
  }
}

const WORDS: Readonly<Record<string, string>> = {
  access_denied: 'the login was refused at the identity provider',
  expired_token: 'nobody has entered the code in time',
};
