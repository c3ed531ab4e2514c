// Cuts the bytes after login into messages: type byte, Int32 length that counts itself, body (PostgreSQL "Message Formats").
//
// Three outcomes and no exceptions: a message is there, more bytes are needed, or the stream is malformed. Messages that
// somebody has to understand come whole and contiguous (gathered into one buffer where they span chunks); large messages that
// are only passed on come in the pieces in which they were read, so that a row of any size costs no memory.

/** How a type of message is read. */
export const READ = { refuse: 0, whole: 1, stream: 2 } as const;

export const FRAME = {
  /** More bytes are needed. */
  incomplete: 0,
  /** A whole message stands at `buffer[start, end)`, type byte first. */
  whole: 1,
  /** A piece of a streamed message stands at `buffer[start, end)`; `first` and `last` say which. */
  part: 2,
  /** The stream cannot be followed any further; `problem` says why. */
  malformed: 3,
} as const;
export type Frame = (typeof FRAME)[keyof typeof FRAME];

const HEADER = 5;
/**
 * From this size on a streamed message is handed out in pieces, bytes. Smaller ones wait for their end: between any two of
 * them a message of the gateway's own can be put in, such as the FATAL at a grant's deadline.
 */
const PIECES_FROM = 32 * 1024;
const EMPTY = Buffer.alloc(0);

export class FrameReader {
  /** The type byte of the current message. */
  type = 0;
  buffer: Buffer = EMPTY;
  start = 0;
  end = 0;
  first = false;
  last = false;
  problem = '';

  readonly #read: Uint8Array;
  readonly #longestWhole: number;
  #chunk: Buffer = EMPTY;
  #at = 0;
  /** Bytes of a streamed message that are still to come. */
  #left = 0;
  /** A message, or its header alone, that is being gathered over chunks. */
  #gather: Buffer = EMPTY;
  #gathered = 0;

  /**
   * @param read a `READ` entry for each type byte; the table is read live, so that its owner may change an entry between messages
   * @param longestWhole bytes, header included, beyond which a message that has to be whole is malformed
   */
  constructor(read: Uint8Array, longestWhole: number) {
    this.#read = read;
    this.#longestWhole = longestWhole;
  }

  /** A part of a message has been handed out, and its rest has not come. */
  get insideMessage(): boolean {
    return this.#left > 0;
  }

  /** What was handed in and not read yet. */
  get rest(): Buffer {
    return this.#chunk.subarray(this.#at);
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
    if (this.#left > 0) return this.#continue(available);
    if (this.#gathered > 0) return this.#gatherOn();
    if (available < HEADER) return this.#startGathering(HEADER, available);

    const type = chunk[at] as number;
    const size = 1 + chunk.readInt32BE(at + 1);
    this.type = type;
    if (size <= available && size >= HEADER && this.#read[type] !== READ.refuse && size <= this.#longestWhole) {
      this.buffer = chunk;
      this.start = at;
      this.end = this.#at = at + size;
      this.first = this.last = true;
      return FRAME.whole;
    }
    return this.#unusual(type, size, available);
  }

  /** A header that is complete, of a message that is not, or that may not be. */
  #unusual(type: number, size: number, available: number): Frame {
    const read = this.#read[type];
    if (read === READ.refuse) return this.#malformed(`message type ${describe(type)} is not known here`);
    if (size < HEADER) return this.#malformed(`a length of ${size - 1} in a message of type ${describe(type)}`);
    if (read === READ.stream && size >= PIECES_FROM) {
      const n = Math.min(size, available);
      this.#left = size - n;
      return this.#part(n, true);
    }
    if (read === READ.whole && size > this.#longestWhole) {
      return this.#malformed(
        `a message of type ${describe(type)} of ${size} bytes; at most ${this.#longestWhole} are read`,
      );
    }
    return this.#startGathering(size, available);
  }

  #continue(available: number): Frame {
    const n = Math.min(this.#left, available);
    this.#left -= n;
    return this.#part(n, false);
  }

  #part(n: number, first: boolean): Frame {
    this.buffer = this.#chunk;
    this.start = this.#at;
    this.end = this.#at += n;
    this.first = first;
    this.last = this.#left === 0;
    return first && this.last ? FRAME.whole : FRAME.part;
  }

  #startGathering(size: number, available: number): Frame {
    // Grows with what has come, not with what a length promises.
    this.#gather = Buffer.allocUnsafeSlow(Math.min(size, Math.max(2 * available, 64)));
    this.#chunk.copy(this.#gather, 0, this.#at);
    this.#gathered = available;
    this.#at = this.#chunk.length;
    return FRAME.incomplete;
  }

  #gatherOn(): Frame {
    if (this.#gathered < HEADER && !this.#fill(HEADER)) return FRAME.incomplete;
    const type = this.#gather[0] as number;
    const size = 1 + this.#gather.readInt32BE(1);
    const read = this.#read[type];
    this.type = type;
    if (this.#gathered === HEADER) {
      if (read === READ.refuse || size < HEADER || (read === READ.whole && size > this.#longestWhole)) {
        return this.#unusual(type, size, 0);
      }
      if (read === READ.stream && size >= PIECES_FROM) {
        this.buffer = this.#gather.subarray(0, HEADER);
        this.start = 0;
        this.end = HEADER;
        this.first = true;
        this.#left = size - HEADER;
        this.last = this.#left === 0;
        this.#forget();
        return this.last ? FRAME.whole : FRAME.part;
      }
    }
    if (!this.#fill(size)) return FRAME.incomplete;
    this.buffer = this.#gather;
    this.start = 0;
    this.end = size;
    this.first = this.last = true;
    this.#forget();
    return FRAME.whole;
  }

  /** Gathers until `size` bytes are there; false where the chunk ends before. */
  #fill(size: number): boolean {
    const n = Math.min(size - this.#gathered, this.#chunk.length - this.#at);
    if (this.#gathered + n > this.#gather.length) {
      const grown = Buffer.allocUnsafeSlow(Math.min(size, 2 * (this.#gathered + n)));
      this.#gather.copy(grown, 0, 0, this.#gathered);
      this.#gather = grown;
    }
    this.#chunk.copy(this.#gather, this.#gathered, this.#at, this.#at + n);
    this.#gathered += n;
    this.#at += n;
    return this.#gathered === size;
  }

  #forget(): void {
    this.#gather = EMPTY;
    this.#gathered = 0;
  }

  #malformed(problem: string): Frame {
    this.problem = problem;
    return FRAME.malformed;
  }
}

function describe(type: number): string {
  return type > 32 && type < 127 ? `'${String.fromCharCode(type)}'` : `0x${type.toString(16).padStart(2, '0')}`;
}
