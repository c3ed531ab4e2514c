// Identities over a real provider, with clocks that a test turns.

import type { TestContext } from 'node:test';
import { type Identities, type Issuer, openIdentities } from '../../src/identity/identities.ts';
import { type OidcProvider, type ProviderOptions, startProvider } from '../servers/oidc.ts';

export interface Stand {
  readonly provider: OidcProvider;
  readonly identities: Identities;
  /** The config: replaced or added to by a test. */
  issuers: Issuer[];
  readonly entry: Issuer;
  /** What was logged, as `level message reason`. */
  readonly lines: string[];
  /** Moves the clock that keys age by, milliseconds. */
  age(by: number): void;
  /** Moves the clock that tokens live by, milliseconds. */
  turn(by: number): void;
  close(): Promise<void>;
}

/** `t`: the test at whose end it is closed, however that ends. */
export async function openStand(options: ProviderOptions = {}, t?: TestContext): Promise<Stand> {
  const provider = await startProvider(options);
  t?.after(() => provider.close());
  const { issuer, audience } = provider;
  const entry = { issuer, audience, groupsClaim: 'groups', subjectClaim: 'sub', keysFor: 3_600_000 };
  let aged = 0;
  let turned = 0;
  const lines: string[] = [];
  const log = (level: string) => (data: object, message: string) => {
    lines.push(`${level} ${message} ${'reason' in data ? String(data.reason) : ''}`.trim());
  };
  const stand: Stand = {
    provider,
    entry,
    issuers: [entry],
    lines,
    identities: openIdentities({
      issuers: () => stand.issuers,
      log: { info: log('info'), warn: log('warn') },
      now: () => Date.now() + turned,
      monotonic: () => performance.now() + aged,
    }),
    age(by) {
      aged += by;
    },
    turn(by) {
      turned += by;
    },
    close: () => provider.close(),
  };
  return stand;
}

/** The sentence that the bearer of the token is refused with, or null where the token is proven. */
export async function refusal(identities: Identities, token: string): Promise<string | null> {
  try {
    await identities.prove(token);
    return null;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'SP_UNAUTHORIZED') return error.message;
    throw error;
  }
}
