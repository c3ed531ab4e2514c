// A real OpenID provider (oidc-provider) on a free port of this machine: discovery, keys of several algorithms, device flow for
// people, client credentials for machines, refresh tokens. What it cannot be talked into, a token with any claims, is signed
// with its own keys.

import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { type CryptoKey, exportJWK, generateKeyPair, type JWK, type JWTHeaderParameters, SignJWT } from 'jose';
import Provider, {
  type Adapter,
  type AdapterPayload,
  type Configuration,
  type KoaContextWithOIDC,
} from 'oidc-provider';

/** Those it signs with; the key of each has the algorithm's name in its id. */
export const SIGNING = ['RS256', 'PS256', 'ES256', 'ES384', 'ES512', 'EdDSA'] as const;
export type Signing = (typeof SIGNING)[number];

/** The one resource that access tokens are for. */
const RESOURCE = 'urn:sallyport:gateway';

export interface ProviderOptions {
  /** Of access tokens; `sallyport` by default. */
  readonly audience?: string;
  /** Claims by subject or client id, beside the standard ones; groups `agents` where nothing is said. */
  readonly claims?: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  /** Access tokens say nothing, so only the ID token proves anything, as with Google. */
  readonly opaque?: boolean;
  /**
   * The device flow as Google has it: the client has a secret, which it sends in the body; the address is `verification_url`;
   * that the person has not agreed yet is status 428.
   */
  readonly google?: boolean;
  /** Seconds that its own tokens live; 600 by default. */
  readonly lifetime?: number;
}

export interface TokenOptions {
  readonly alg?: Signing;
  /** Put over the header. */
  readonly header?: Readonly<Record<string, unknown>>;
}

export interface OidcProvider {
  readonly issuer: string;
  readonly audience: string;
  /** A public client with the device flow and refresh tokens. */
  readonly clientId: string;
  /** A client with client credentials; its groups are those of `claims[id]`. */
  readonly machine: { readonly id: string; readonly secret: string };
  /** Paths asked for so far, in order. */
  readonly requests: readonly string[];
  /**
   * A token signed with the provider's present key: iss, sub `agent-1`, aud, groups `agents`, iat, exp in ten minutes, and over
   * them what is given; a claim given as undefined is left out.
   */
  token(claims?: Readonly<Record<string, unknown>>, options?: TokenOptions): Promise<string>;
  /** An access token from the token endpoint by client credentials. */
  machineToken(): Promise<string>;
  /** What a person does in the browser at the end of the device flow: logs in and agrees, or does not. */
  approveDevice(userCode: string, subject?: string, agrees?: boolean): Promise<void>;
  /** The present key of an algorithm, for forgers. */
  key(alg: Signing): { readonly kid: string; readonly privateKey: CryptoKey; readonly publicKey: CryptoKey };
  /** Signs with new keys from now on; the old ones are not published any more. */
  rotate(): Promise<void>;
  /** Nothing listens on its port until `start`. */
  stop(): Promise<void>;
  start(): Promise<void>;
  /** Answers in the provider's place where it returns true, to play one that is broken; null: none. */
  intercept(handler: ((request: IncomingMessage, response: ServerResponse) => boolean) | null): void;
  close(): Promise<void>;
}

interface SigningKey {
  readonly kid: string;
  readonly privateKey: CryptoKey;
  readonly publicKey: CryptoKey;
  readonly jwk: JWK;
}

export async function startProvider(options: ProviderOptions = {}): Promise<OidcProvider> {
  const audience = options.audience ?? 'sallyport';
  const machine = { id: 'robot', secret: 'a-machine-has-a-secret-of-its-own' };
  const clientId = 'sallyport-cli';
  const requests: string[] = [];
  let interceptor: ((request: IncomingMessage, response: ServerResponse) => boolean) | null = null;
  let answer: (request: IncomingMessage, response: ServerResponse) => unknown = () => undefined;
  const server = createServer((request, response) => {
    requests.push(request.url ?? '');
    if (interceptor?.(request, response) !== true) answer(request, response);
  });
  const listen = async (port: number) => {
    server.listen(port, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    return typeof address === 'object' && address !== null ? address.port : port;
  };
  const stop = async () => {
    if (!server.listening) return;
    const closed = once(server, 'close');
    server.close();
    server.closeAllConnections();
    await closed;
  };
  const port = await listen(0);
  const issuer = `http://127.0.0.1:${port}`;

  const claimsOf = (subject: string | undefined) => options.claims?.[subject ?? ''] ?? { groups: ['agents'] };
  const stored = new Map<string, AdapterPayload>();
  let generation = 0;
  let keys: ReadonlyMap<Signing, SigningKey>;
  let provider: Provider;
  const renew = async () => {
    generation++;
    keys = new Map(await Promise.all(SIGNING.map(async (alg) => [alg, await makeKey(alg, generation)] as const)));
    const jwks = [...keys.values()].map(({ jwk }) => jwk);
    provider = new Provider(issuer, configuration({ ...options, audience }, jwks, clientId, machine, claimsOf, stored));
    // How often a client may ask whether the person has agreed, in seconds; left out it would be five.
    provider.use(async (ctx, next) => {
      if (options.google === true && ctx.get('authorization') !== '') {
        Object.assign(ctx, { status: 401, body: { error: 'invalid_client' } });
        return;
      }
      await next();
      if (ctx.path === '/device/auth' && ctx.status === 200) Object.assign(ctx.body as object, { interval: 0.05 });
      if (options.google === true) speakAsGoogle(ctx);
    });
    answer = provider.callback();
  };
  await renew();

  return {
    issuer,
    audience,
    clientId,
    machine,
    requests,
    async token(claims = {}, { alg = 'ES256', header = {} } = {}) {
      const { kid, privateKey } = signingKey(keys, alg);
      const now = Math.floor(Date.now() / 1000);
      const standard = { iss: issuer, sub: 'agent-1', aud: audience, groups: ['agents'], iat: now, exp: now + 600 };
      return new SignJWT({ ...standard, ...claims })
        .setProtectedHeader({ alg, kid, ...header } as JWTHeaderParameters)
        .sign(privateKey);
    },
    async machineToken() {
      const response = await fetch(`${issuer}/token`, {
        method: 'POST',
        headers: { authorization: `Basic ${Buffer.from(`${machine.id}:${machine.secret}`).toString('base64')}` },
        body: new URLSearchParams({ grant_type: 'client_credentials' }),
      });
      const { access_token: token } = (await response.json()) as { access_token?: string };
      if (token === undefined) throw new Error(`the token endpoint answered ${response.status}`);
      return token;
    },
    async approveDevice(userCode, subject = 'ada', agrees = true) {
      const code = await provider.DeviceCode.findByUserCode(userCode.toUpperCase().replace(/\W/g, ''));
      if (code === undefined) throw new Error(`nobody waits for ${userCode}`);
      if (!agrees) {
        Object.assign(code, { error: 'access_denied', errorDescription: 'the person has refused' });
        await code.save();
        return;
      }
      const scope = String(code.params?.scope ?? 'openid');
      const grant = new provider.Grant({ accountId: subject, clientId });
      grant.addOIDCScope(scope);
      grant.addResourceScope(RESOURCE, 'use');
      const grantId = await grant.save();
      Object.assign(code, { accountId: subject, grantId, scope, authTime: Math.floor(Date.now() / 1000) });
      if (options.opaque !== true) Object.assign(code, { resource: RESOURCE });
      await code.save();
    },
    key: (alg) => signingKey(keys, alg),
    rotate: renew,
    stop,
    async start() {
      await listen(port);
    },
    intercept(handler) {
      interceptor = handler;
    },
    close: stop,
  };
}

function speakAsGoogle(ctx: { readonly path: string; status: number; body: unknown }): void {
  const body = ctx.body as Record<string, unknown> | undefined;
  if (ctx.path === '/device/auth' && ctx.status === 200) {
    const { verification_uri: address, verification_uri_complete: _, ...rest } = body ?? {};
    ctx.body = { ...rest, verification_url: address };
  }
  if (body?.error === 'authorization_pending') ctx.status = 428;
}

function signingKey(keys: ReadonlyMap<Signing, SigningKey>, alg: Signing): SigningKey {
  const key = keys.get(alg);
  if (key === undefined) throw new Error(`no key for ${alg}`);
  return key;
}

async function makeKey(alg: Signing, generation: number): Promise<SigningKey> {
  const { publicKey, privateKey } = await generateKeyPair(alg, { extractable: true });
  const kid = `${alg}-${generation}`;
  return { kid, publicKey, privateKey, jwk: { ...(await exportJWK(privateKey)), kid, alg, use: 'sig' } };
}

function configuration(
  { audience = '', opaque = false, google = false, lifetime = 600 }: ProviderOptions,
  keys: readonly JWK[],
  clientId: string,
  machine: OidcProvider['machine'],
  claimsOf: (subject: string | undefined) => Readonly<Record<string, unknown>>,
  stored: Map<string, AdapterPayload>,
): Configuration {
  return {
    adapter: (model: string) => memoryAdapter(model, stored),
    jwks: { keys: [...keys] } as NonNullable<Configuration['jwks']>,
    cookies: { keys: ['not a secret: no browser comes here'] },
    clientDefaults: { id_token_signed_response_alg: 'ES256' },
    enabledJWA: { idTokenSigningAlgValues: ['RS256', 'ES256'] },
    clients: [
      {
        client_id: clientId,
        ...(google
          ? { token_endpoint_auth_method: 'client_secret_post', client_secret: machine.secret }
          : { token_endpoint_auth_method: 'none' }),
        application_type: 'native',
        grant_types: ['urn:ietf:params:oauth:grant-type:device_code', 'refresh_token'],
        response_types: [],
        redirect_uris: [],
      },
      {
        client_id: machine.id,
        client_secret: machine.secret,
        grant_types: ['client_credentials'],
        response_types: [],
        redirect_uris: [],
      },
    ],
    claims: { openid: ['sub'], groups: ['groups'] },
    conformIdTokenClaims: false,
    ttl: {
      AccessToken: lifetime,
      ClientCredentials: lifetime,
      IdToken: lifetime,
      DeviceCode: 600,
      RefreshToken: 3600,
      Grant: 3600,
    },
    findAccount: (_ctx, accountId) => ({ accountId, claims: async () => ({ sub: accountId, ...claimsOf(accountId) }) }),
    extraTokenClaims: (_ctx: KoaContextWithOIDC, token) => ({
      ...claimsOf('accountId' in token ? token.accountId : token.clientId),
    }),
    issueRefreshToken: async (_ctx, client) => client.grantTypeAllowed('refresh_token'),
    expiresWithSession: async () => false,
    features: {
      devInteractions: { enabled: false },
      clientCredentials: { enabled: true },
      deviceFlow: { enabled: true },
      revocation: { enabled: true, allowedPolicy: async () => true },
      resourceIndicators: {
        enabled: true,
        defaultResource: async () => (opaque ? [] : RESOURCE),
        useGrantedResource: async () => !opaque,
        getResourceServerInfo: async () => ({
          scope: 'use',
          audience,
          accessTokenFormat: 'jwt',
          accessTokenTTL: lifetime,
          jwt: { sign: { alg: 'ES256' } },
        }),
      },
    },
  };
}

/** What the provider keeps, in a map that outlives a change of its keys. */
function memoryAdapter(model: string, stored: Map<string, AdapterPayload>): Adapter {
  const key = (id: string) => `${model}:${id}`;
  const by = (field: 'uid' | 'userCode', value: string) =>
    [...stored].find(([name, payload]) => name.startsWith(`${model}:`) && payload[field] === value)?.[1];
  return {
    upsert: async (id, payload) => void stored.set(key(id), payload),
    find: async (id) => stored.get(key(id)),
    findByUid: async (uid) => by('uid', uid),
    findByUserCode: async (userCode) => by('userCode', userCode),
    destroy: async (id) => void stored.delete(key(id)),
    consume: async (id) => {
      const payload = stored.get(key(id));
      if (payload !== undefined) payload.consumed = Math.floor(Date.now() / 1000);
    },
    revokeByGrantId: async (grantId) => {
      for (const [name, payload] of stored) if (payload.grantId === grantId) stored.delete(name);
    },
  };
}
