// The messages of a PostgreSQL client that the gateway itself never has to make, and the reading of what a server answers.
import { Writer } from '../../src/wire/bytes.ts';
import { decodeError } from '../../src/wire/pg/decode.ts';
import { Frontend } from '../../src/wire/pg/messages.ts';

function build(type: number, body: (writer: Writer) => void): Buffer {
  const writer = new Writer(256);
  const mark = writer.begin(type);
  body(writer);
  return writer.finish(mark).take();
}

export const parse = (name: string, text: string, types: readonly number[] = []): Buffer =>
  build(Frontend.parse, (w) => {
    w.cstring(name).cstring(text).i16(types.length);
    for (const type of types) w.i32(type);
  });

/** Parameters in text format. */
export const bind = (
  portal: string,
  statement: string,
  parameters: readonly (string | null)[] = [],
  resultFormats: readonly number[] = [],
): Buffer =>
  build(Frontend.bind, (w) => {
    w.cstring(portal).cstring(statement).i16(0).i16(parameters.length);
    for (const parameter of parameters) {
      if (parameter === null) w.i32(-1);
      else w.i32(Buffer.byteLength(parameter)).bytes(Buffer.from(parameter));
    }
    w.i16(resultFormats.length);
    for (const format of resultFormats) w.i16(format);
  });

export const copyData = (data: string | Buffer): Buffer => build(Frontend.copyData, (w) => w.bytes(Buffer.from(data)));
export const copyDone = (): Buffer => build(Frontend.copyDone, () => {});

/** FunctionCall of a function by its OID, with text arguments. */
export const functionCall = (oid: number, ...args: string[]): Buffer =>
  build(Frontend.functionCall, (w) => {
    w.i32(oid).i16(0).i16(args.length);
    for (const arg of args) w.i32(Buffer.byteLength(arg)).bytes(Buffer.from(arg));
    w.i16(0);
  });

/** A message of any type and body. */
export const raw = (type: string, body: string | Buffer = ''): Buffer =>
  build(type.charCodeAt(0), (w) => w.bytes(Buffer.from(body)));

export interface Message {
  /** The type as a letter. */
  readonly type: string;
  readonly body: Buffer;
}

/** Cuts bytes into the messages that are whole; `rest` is what stands behind them. */
export function cut(bytes: Buffer): { readonly messages: Message[]; readonly rest: Buffer } {
  const messages: Message[] = [];
  let at = 0;
  while (at + 5 <= bytes.length) {
    const end = at + 1 + bytes.readInt32BE(at + 1);
    if (end > bytes.length) break;
    messages.push({ type: String.fromCharCode(bytes[at] ?? 0), body: bytes.subarray(at + 5, end) });
    at = end;
  }
  return { messages, rest: bytes.subarray(at) };
}

/** A server's message in a short form: `Z I`, `E 42501`, `C SELECT 1`, `D 1 ab`; others by their letter alone. */
export function brief({ type, body }: Message): string {
  switch (type) {
    case 'Z':
      return `Z ${body.toString('latin1')}`;
    case 'E':
      return `E ${decodeError(body, 0, body.length)?.get('C') ?? '?'}`;
    case 'C':
      return `C ${body.toString('utf8', 0, body.length - 1)}`;
    case 'D':
      return `D ${cells(body).join(' ')}`;
    default:
      return type;
  }
}

/** The cells of a DataRow's body as text. */
export function cells(body: Buffer): string[] {
  const found: string[] = [];
  let at = 2;
  for (let i = body.readInt16BE(0); i > 0; i--) {
    const length = body.readInt32BE(at);
    at += 4;
    found.push(length < 0 ? 'NULL' : body.toString('utf8', at, at + length));
    at += Math.max(0, length);
  }
  return found;
}
