// Cuts the bytes of a MySQL connection into payloads: packets of a 3-byte length (little-endian), a sequence id and up to 16 MiB
// − 1 byte; a packet of that size is continued by the next (MySQL "Client/Server Protocol", MySQL Packets).
//
// Three outcomes and no exceptions, as for PostgreSQL: a payload is there with all its packets, more bytes are needed, or it is
// too long. Payloads that somebody has to understand come whole and contiguous; with `stream` on, large ones come in the
// pieces in which they were read. A continuation is never taken for a payload of its own.

export const FRAME = {
  /** More bytes are needed. */
  incomplete: 0,
  /** A payload stands at `buffer[start, end)` with the headers of its packets. */
  whole: 1,
  /** A piece of one stands at `buffer[start, end)`; `first` and `last` say which. */
  part: 2,
  /** It cannot be followed any further; `problem` says why. */
  malformed: 3,
} as const;
export type Frame = (typeof FRAME)[keyof typeof FRAME];

export const HEADER = 4;
/** A packet whose payload has this length is continued by the next. */
export const MAX_PACKET = 0xffffff;
/** From this size on a streamed payload is handed out in pieces, bytes. */
const PIECES_FROM = 32 * 1024;
const EMPTY = Buffer.alloc(0);

export class FrameReader {
  buffer: Buffer = EMPTY;
  start = 0;
  end = 0;
  first = false;
  last = false;
  /** Packets of the whole payload. */
  packets = 1;
  problem = '';
  /** Of `rows`. */
  lastSequence = 0;
  /** Hand out large rows in pieces. May be changed between two payloads. */
  stream = false;

  readonly #longest: number;
  #chunk: Buffer = EMPTY;
  #at = 0;
  /** Bytes of a packet that is being handed out in pieces that are still to come. */
  #left = 0;
  /** Another packet of the payload that is being handed out follows. */
  #continued = false;
  /** Packets that are being gathered over chunks. */
  #gather: Buffer = EMPTY;
  #gathered = 0;
  /** Where the header of the packet stands that is being gathered. */
  #packet = 0;

  /** @param longest bytes, headers included, beyond which a payload that has to be whole is malformed */
  constructor(longest: number) {
    this.#longest = longest;
  }

  /** A part of a payload has been handed out, and its rest has not come. */
  get insideMessage(): boolean {
    return this.#left > 0 || this.#continued;
  }

  /** What was handed in and not read yet. */
  get rest(): Buffer {
    return this.#chunk.subarray(this.#at);
  }

  /** The sequence id of the payload's first packet. */
  get sequence(): number {
    return this.buffer[this.start + 3] ?? 0;
  }

  /** The payload without headers: a view where it is one packet. */
  payload(): Buffer {
    if (this.packets === 1) return this.buffer.subarray(this.start + HEADER, this.end);
    return joined(this.buffer, this.start, this.end);
  }

  /** Hands in the next chunk; the one before must have been read until `incomplete`. The reader keeps views of it. */
  push(chunk: Buffer): void {
    this.#chunk = chunk;
    this.#at = 0;
  }

  next(): Frame {
    const chunk = this.#chunk;
    const at = this.#at;
    const available = chunk.length - at;
    if (available === 0) return FRAME.incomplete;
    if (this.#left > 0) return this.#piece(Math.min(this.#left, available), false);
    if (this.#gathered > 0 || this.#continued) return this.#gatherOn();
    if (available >= HEADER) {
      const length = lengthAt(chunk, at);
      const size = HEADER + length;
      if (length < MAX_PACKET && size <= available && size <= this.#longest) {
        this.buffer = chunk;
        this.start = at;
        this.end = this.#at = at + size;
        this.first = this.last = true;
        this.packets = 1;
        return FRAME.whole;
      }
      if (this.stream && size >= PIECES_FROM && available > HEADER && isRow(length, chunk[at + HEADER])) {
        this.#left = size;
        this.#continued = length === MAX_PACKET;
        return this.#piece(Math.min(size, available), true);
      }
    }
    this.#packet = 0;
    this.packets = 1;
    return this.#gatherOn();
  }

  /**
   * Passes over packets that are whole and begin with a byte below 0xfe, as rows do that end nothing: they stand at `buffer[start,
   * end)`, the last of them has `lastSequence`. Answers how many.
   */
  rows(): number {
    if (this.insideMessage || this.#gathered > 0) return 0;
    const chunk = this.#chunk;
    const before = this.#at;
    let at = before;
    let count = 0;
    while (chunk.length - at > HEADER) {
      const length = lengthAt(chunk, at);
      const next = at + HEADER + length;
      if (next > chunk.length || length === 0 || length === MAX_PACKET || (chunk[at + HEADER] as number) >= 0xfe) break;
      this.lastSequence = chunk[at + 3] as number;
      at = next;
      count++;
    }
    this.buffer = chunk;
    this.start = before;
    this.end = this.#at = at;
    return count;
  }

  #piece(n: number, first: boolean): Frame {
    this.#left -= n;
    this.buffer = this.#chunk;
    this.start = this.#at;
    this.end = this.#at += n;
    this.first = first;
    this.last = this.#left === 0 && !this.#continued;
    return FRAME.part;
  }

  /** Gathers a payload; or, of one that is handed out in pieces, the next header. */
  #gatherOn(): Frame {
    for (;;) {
      if (!this.#fill(this.#packet + HEADER)) return FRAME.incomplete;
      const length = lengthAt(this.#gather, this.#packet);
      if (this.#continued) return this.#continuation(length);
      const end = this.#packet + HEADER + length;
      if (end > this.#longest) {
        this.problem = `a message of more than ${this.#longest} bytes`;
        return FRAME.malformed;
      }
      if (this.stream && this.#packet === 0 && HEADER + length >= PIECES_FROM) {
        if (!this.#fill(HEADER + 1)) return FRAME.incomplete;
        if (this.#gathered === HEADER + 1 && isRow(length, this.#gather[HEADER])) return this.#pieces(length);
      }
      if (!this.#fill(end)) return FRAME.incomplete;
      if (length < MAX_PACKET) {
        this.buffer = this.#gather;
        this.start = 0;
        this.end = end;
        this.first = this.last = true;
        this.#forget();
        return FRAME.whole;
      }
      this.#packet = end;
      this.packets++;
    }
  }

  /** The header was split over chunks; it goes out with the payload's first byte, and the rest in pieces. */
  #pieces(length: number): Frame {
    this.#left = length - 1;
    this.#continued = length === MAX_PACKET;
    return this.#headOut(HEADER + 1, true);
  }

  #continuation(length: number): Frame {
    this.#left = length;
    this.#continued = length === MAX_PACKET;
    return this.#headOut(HEADER, false);
  }

  #headOut(size: number, first: boolean): Frame {
    this.buffer = this.#gather;
    this.start = 0;
    this.end = size;
    this.first = first;
    this.last = this.#left === 0 && !this.#continued;
    this.#forget();
    return FRAME.part;
  }

  /** Gathers until `size` bytes are there; false where the chunk ends before. Grows with what has come, not with what a length promises. */
  #fill(size: number): boolean {
    const n = Math.min(size - this.#gathered, this.#chunk.length - this.#at);
    if (n > 0) {
      if (this.#gathered + n > this.#gather.length) {
        const grown = Buffer.allocUnsafeSlow(Math.max(64, 2 * (this.#gathered + n)));
        this.#gather.copy(grown, 0, 0, this.#gathered);
        this.#gather = grown;
      }
      this.#chunk.copy(this.#gather, this.#gathered, this.#at, this.#at + n);
      this.#gathered += n;
      this.#at += n;
    }
    return this.#gathered >= size;
  }

  #forget(): void {
    this.#gather = EMPTY;
    this.#gathered = 0;
    this.#packet = 0;
  }
}

/** An error and what ends rows are never rows, however long; a first cell of 16 MiB begins with 0xfe in a packet that is full. */
function isRow(length: number, first = 0xff): boolean {
  return first < 0xfe || (first === 0xfe && length === MAX_PACKET);
}

export function lengthAt(buffer: Buffer, at: number): number {
  return (buffer[at] ?? 0) | ((buffer[at + 1] ?? 0) << 8) | ((buffer[at + 2] ?? 0) << 16);
}

/** The payload of the packets that stand at [start, end). */
export function joined(buffer: Buffer, start: number, end: number): Buffer {
  const parts: Buffer[] = [];
  for (let at = start; at < end; ) {
    const length = lengthAt(buffer, at);
    parts.push(buffer.subarray(at + HEADER, at + HEADER + length));
    at += HEADER + length;
  }
  return parts.length === 1 ? (parts[0] as Buffer) : Buffer.concat(parts);
}

/** A payload as packets, the first of which has this sequence id. */
export function packets(sequence: number, payload: Buffer): Buffer {
  const parts: Buffer[] = [];
  for (let at = 0, id = sequence; ; at += MAX_PACKET, id++) {
    const length = Math.min(payload.length - at, MAX_PACKET);
    const header = Buffer.allocUnsafe(HEADER);
    header.writeUIntLE(length, 0, 3);
    header[3] = id & 0xff;
    parts.push(header, payload.subarray(at, at + length));
    if (length < MAX_PACKET) return Buffer.concat(parts);
  }
}
