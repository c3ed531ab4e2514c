// Logins of the gateway's own making: the MCP server is a client of the gateway's database ports, and has no grant's secret to
// log in with. A ticket is good for one login within seconds, at the ports that are kept for it, as the grant that it was made for.

import { randomBytes } from 'node:crypto';

/** Milliseconds: a login follows at once. */
const LIFE_MS = 10_000;

/** Whom a session that is opened with a ticket is of. */
export interface Ticket {
  readonly grant: string;
  /** `host:port` of the MCP client. */
  readonly client: string;
  readonly application: string;
}

interface Made<Verifiers> {
  readonly ticket: Ticket;
  readonly verifiers: Verifiers;
  readonly until: number;
}

export class Tickets<Verifiers> {
  readonly #makeVerifiers: (secret: string) => Promise<Verifiers>;
  readonly #now: () => number;
  /** Oldest first. */
  readonly #made = new Map<string, Made<Verifiers>>();

  /** @param now milliseconds that never go back */
  constructor(makeVerifiers: (secret: string) => Promise<Verifiers>, now: () => number = () => performance.now()) {
    this.#makeVerifiers = makeVerifiers;
    this.#now = now;
  }

  /** For a caller that has shown that the grant is its own. */
  async issue(ticket: Ticket): Promise<{ readonly login: string; readonly secret: string }> {
    this.#forgetOld();
    const login = `mcp_${randomBytes(16).toString('hex')}`;
    const secret = randomBytes(32).toString('base64url');
    const verifiers = await this.#makeVerifiers(secret);
    this.#made.set(login, { ticket, verifiers, until: this.#now() + LIFE_MS });
    return { login, secret };
  }

  /** What proves its secret; undefined where there is none, or it has been used. */
  verifiers(login: string): Verifiers | undefined {
    return this.#good(login)?.verifiers;
  }

  /** Uses it up, for a login that has proven its secret. */
  redeem(login: string): Ticket | undefined {
    const found = this.#good(login);
    this.#made.delete(login);
    return found?.ticket;
  }

  #good(login: string): Made<Verifiers> | undefined {
    const found = this.#made.get(login);
    return found !== undefined && this.#now() < found.until ? found : undefined;
  }

  #forgetOld(): void {
    const now = this.#now();
    for (const [login, { until }] of this.#made) {
      if (until > now) return;
      this.#made.delete(login);
    }
  }
}
