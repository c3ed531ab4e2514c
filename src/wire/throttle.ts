// Slows logins that fail, for both ports: by where they come from, and by the login that they try.
//
// A delay stands before an attempt is looked at, not before its answer, so leaving early gains a guesser nothing: the next attempt
// waits as long. Attempts wait side by side; how many that are for one source is bounded by `LoginRoom`. After a few failures,
// which people and retrying drivers have too, the delay doubles with each one up to a ceiling; failures are forgotten by halves.
//
// A grant's login is known to more than its holder (it stands in logs and in process lists), so whoever fails by it on purpose must
// not keep its holder out: what a login adds has a lower ceiling, and the delay of a source is nobody else's. So a right secret from
// another source waits a second at most, whatever a guesser does, and is forgiven all at once: success forgets the login's failures.
// It does not forget the source's, or a guesser with a grant of its own could reset them.

/** From so many failures on attempts are delayed. */
const SLOW_FROM = 10;
const FIRST_DELAY_MS = 100;
const SOURCE_CEILING_MS = 3_000;
const LOGIN_CEILING_MS = 1_000;
/** After so long half of the failures are forgotten. */
const HALF_LIFE_MS = 60_000;
/** Sources and logins that are kept in mind, each; the latest. */
const REMEMBERED = 10_000;
/** Characters of a login that are kept in mind: those of longer ones are anybody's. */
const LONGEST_LOGIN = 128;

interface Failures {
  readonly count: number;
  /** When the count was right, on the clock of the throttle. */
  readonly at: number;
}

export class Throttle {
  readonly #now: () => number;
  readonly #sources = new Map<string, Failures>();
  readonly #logins = new Map<string, Failures>();

  /** @param now milliseconds that never go back */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  /** Milliseconds before an attempt of this source may be looked at. `login` is null where it names nobody in particular. */
  delay(source: string, login: string | null): number {
    const ofLogin = login === null ? 0 : delayOf(this.#count(this.#logins, keyOf(login)), LOGIN_CEILING_MS);
    return Math.max(delayOf(this.#count(this.#sources, source), SOURCE_CEILING_MS), ofLogin);
  }

  failed(source: string, login: string | null): void {
    this.#add(this.#sources, source);
    if (login !== null) this.#add(this.#logins, keyOf(login));
  }

  succeeded(login: string): void {
    this.#logins.delete(keyOf(login));
  }

  #count(kept: ReadonlyMap<string, Failures>, key: string): number {
    const found = kept.get(key);
    return found === undefined ? 0 : found.count * 2 ** ((found.at - this.#now()) / HALF_LIFE_MS);
  }

  #add(kept: Map<string, Failures>, key: string): void {
    const count = this.#count(kept, key) + 1;
    // Behind all others: the first is the one that has not failed for the longest time.
    kept.delete(key);
    kept.set(key, { count, at: this.#now() });
    const [oldest] = kept.keys();
    if (kept.size > REMEMBERED && oldest !== undefined) kept.delete(oldest);
  }
}

const keyOf = (login: string): string => login.slice(0, LONGEST_LOGIN);

function delayOf(count: number, ceiling: number): number {
  const costly = Math.round(count) - SLOW_FROM;
  return costly < 0 ? 0 : Math.min(FIRST_DELAY_MS * 2 ** costly, ceiling);
}

/** Whom an address stands for: an IPv4 address itself, an IPv6 one its /64, which one subscriber has whole (RFC 6177). */
export function sourceOf(address: string | undefined): string {
  if (address === undefined) return '?';
  const [bare = ''] = address.split('%');
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(bare);
  if (mapped?.[1] !== undefined) return mapped[1];
  return bare.includes(':') ? `${prefix64(bare)}::/64` : bare;
}

/** The first four groups of an IPv6 address, as it is written by the system: without leading zeros, `::` for some groups of zeros. */
function prefix64(address: string): string {
  const [head = '', tail] = address.toLowerCase().split('::');
  const before = head === '' ? [] : head.split(':');
  const behind = tail === undefined || tail === '' ? [] : tail.split(':');
  const zeros = tail === undefined ? 0 : 8 - before.length - behind.length;
  return [...before, ...Array<string>(Math.max(0, zeros)).fill('0'), ...behind].slice(0, 4).join(':');
}
