// A growing byte writer, big-endian, for the messages that the gateway makes itself.

/** Writes into one buffer that doubles as it fills. `take` hands the bytes over; the writer then starts on fresh ones. */
export class Writer {
  #buffer: Buffer;
  #start = 0;
  #end = 0;

  constructor(size = 4096) {
    this.#buffer = Buffer.allocUnsafeSlow(size);
  }

  /** Bytes written since the last `take`. */
  get length(): number {
    return this.#end - this.#start;
  }

  /** Makes room for `n` more bytes and returns the offset in `buffer` at which to write them. */
  reserve(n: number): number {
    const at = this.#end;
    if (at + n > this.#buffer.length) return this.#grow(n);
    this.#end = at + n;
    return at;
  }

  /** The buffer that the last `reserve` points into. */
  get buffer(): Buffer {
    return this.#buffer;
  }

  u8(value: number): this {
    const at = this.reserve(1);
    this.#buffer[at] = value;
    return this;
  }

  i16(value: number): this {
    const at = this.reserve(2);
    this.#buffer.writeInt16BE(value, at);
    return this;
  }

  i32(value: number): this {
    const at = this.reserve(4);
    this.#buffer.writeInt32BE(value, at);
    return this;
  }

  bytes(source: Uint8Array, start = 0, end = source.length): this {
    const at = this.reserve(end - start);
    this.#buffer.set(start === 0 && end === source.length ? source : source.subarray(start, end), at);
    return this;
  }

  /** Bytes of another buffer; without a view of them. */
  copy(source: Buffer, start: number, end: number): this {
    const at = this.reserve(end - start);
    source.copy(this.#buffer, at, start, end);
    return this;
  }

  /** Writes over an Int32 that was written before, at an offset from the last `take`. */
  patchI32(offset: number, value: number): this {
    this.#buffer.writeInt32BE(value, this.#start + offset);
    return this;
  }

  /** Writes over a byte that was written before, at an offset from the last `take`. */
  patchU8(offset: number, value: number): this {
    this.#buffer[this.#start + offset] = value;
    return this;
  }

  /** UTF-8 bytes and a NUL. Throws a RangeError where the text itself holds a NUL: it would end the string early. */
  cstring(text: string): this {
    if (text.includes('\0')) throw new RangeError('a C string cannot hold a NUL');
    const n = Buffer.byteLength(text);
    const at = this.reserve(n + 1);
    this.#buffer.write(text, at, n, 'utf8');
    this.#buffer[at + n] = 0;
    return this;
  }

  /** Starts a message: type byte and a length that `finish` fills in. Returns where the length stands, relative to `take`. */
  begin(type: number): number {
    const at = this.reserve(5);
    this.#buffer[at] = type;
    return at + 1 - this.#start;
  }

  /** Ends the message that `begin` started. */
  finish(mark: number): this {
    const at = this.#start + mark;
    this.#buffer.writeInt32BE(this.#end - at, at);
    return this;
  }

  /** Forgets what was written behind this offset from the last `take`. */
  cut(offset: number): this {
    this.#end = this.#start + offset;
    return this;
  }

  /** What was written since the last `take`, as a view that is the caller's from now on. */
  take(): Buffer {
    const view = this.#buffer.subarray(this.#start, this.#end);
    this.#start = this.#end;
    return view;
  }

  #grow(n: number): number {
    const used = this.#end - this.#start;
    const size = Math.max(this.#buffer.length, 2 * (used + n));
    const next = Buffer.allocUnsafeSlow(size);
    this.#buffer.copy(next, 0, this.#start, this.#end);
    this.#buffer = next;
    this.#start = 0;
    this.#end = used + n;
    return used;
  }
}
