// How many clients there may be: sessions that are logged in, and connections that are not yet, which have a room of their own, so that
// half handshakes cannot take that of sessions.

/** How many sessions there may be, and how many are; shared by all ports of the gateway. */
export interface Room {
  readonly limit: number;
  taken: number;
}

interface Waiting {
  /** Closes the connection. */
  readonly drop: () => void;
}

/**
 * Connections that have not logged in. When it is full, a newcomer takes the place of the oldest of the source that has the most:
 * a login takes milliseconds, so the oldest of a flood are those that will never finish, and a source that floods pushes out its own.
 */
export class LoginRoom {
  readonly #limit: number;
  readonly #perSource: number;
  readonly #sources = new Map<string, Set<Waiting>>();
  #size = 0;

  /** One source may have half of the room. */
  constructor(limit: number) {
    this.#limit = limit;
    this.#perSource = Math.max(1, Math.ceil(limit / 2));
  }

  get size(): number {
    return this.#size;
  }

  /** A connection has come; answers what tells that it has logged in or gone. Never refuses: `drop` of another one may be called. */
  enter(source: string, drop: () => void): () => void {
    const own = this.#sources.get(source)?.size ?? 0;
    if (own >= this.#perSource) this.#dropOldest(source);
    else if (this.#size >= this.#limit) this.#dropOldest(this.#largest());
    const waiting: Waiting = { drop };
    const all = this.#sources.get(source) ?? new Set();
    this.#sources.set(source, all.add(waiting));
    this.#size++;
    return () => this.#leave(source, waiting);
  }

  #leave(source: string, waiting: Waiting): void {
    const all = this.#sources.get(source);
    if (all?.delete(waiting) !== true) return;
    this.#size--;
    if (all.size === 0) this.#sources.delete(source);
  }

  #dropOldest(source: string): void {
    const [oldest] = this.#sources.get(source) ?? [];
    if (oldest === undefined) return;
    this.#leave(source, oldest);
    oldest.drop();
  }

  #largest(): string {
    let largest = '';
    let most = 0;
    for (const [source, { size }] of this.#sources) {
      if (size <= most) continue;
      most = size;
      largest = source;
    }
    return largest;
  }
}
