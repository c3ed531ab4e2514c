// The messages of the PostgreSQL protocol: type codes, and builders for those that the gateway makes itself.
// Decoders are in decode.ts. Source: PostgreSQL documentation, "Frontend/Backend Protocol", sections 54.7 and 54.8.

import { Writer } from '../bytes.ts';

/** The name of the protocol in ALPN (RFC 7301). */
export const ALPN = 'postgresql';

/** First bytes of what a client sends. */
export const Frontend = {
  bind: 0x42, // B
  close: 0x43, // C
  copyData: 0x64, // d
  copyDone: 0x63, // c
  copyFail: 0x66, // f
  describe: 0x44, // D
  execute: 0x45, // E
  flush: 0x48, // H
  functionCall: 0x46, // F
  parse: 0x50, // P
  /** PasswordMessage, SASLInitialResponse, SASLResponse and GSSResponse share it. */
  password: 0x70, // p
  query: 0x51, // Q
  sync: 0x53, // S
  terminate: 0x58, // X
} as const;

/** First bytes of what a database sends. */
export const Backend = {
  authentication: 0x52, // R
  backendKeyData: 0x4b, // K
  bindComplete: 0x32, // 2
  closeComplete: 0x33, // 3
  commandComplete: 0x43, // C
  copyBothResponse: 0x57, // W
  copyData: 0x64, // d
  copyDone: 0x63, // c
  copyInResponse: 0x47, // G
  copyOutResponse: 0x48, // H
  dataRow: 0x44, // D
  emptyQueryResponse: 0x49, // I
  errorResponse: 0x45, // E
  functionCallResponse: 0x56, // V
  negotiateProtocolVersion: 0x76, // v
  noData: 0x6e, // n
  noticeResponse: 0x4e, // N
  notificationResponse: 0x41, // A
  parameterDescription: 0x74, // t
  parameterStatus: 0x53, // S
  parseComplete: 0x31, // 1
  portalSuspended: 0x73, // s
  readyForQuery: 0x5a, // Z
  rowDescription: 0x54, // T
} as const;

/** Transaction status in ReadyForQuery. */
export const Status = {
  idle: 0x49, // I
  transaction: 0x54, // T
  failed: 0x45, // E
} as const;

/** What stands where a startup packet has its protocol version (major << 16 | minor). */
export const StartupCode = {
  protocol30: 0x0003_0000,
  cancelRequest: 80877102, // 1234.5678
  sslRequest: 80877103, // 1234.5679
  gssencRequest: 80877104, // 1234.5680
} as const;

/** Subtypes of the Authentication message. */
export const Auth = {
  ok: 0,
  cleartextPassword: 3,
  md5Password: 5,
  sasl: 10,
  saslContinue: 11,
  saslFinal: 12,
} as const;

/** What an ErrorResponse or NoticeResponse says. `code` is a SQLSTATE; `position` counts characters from 1. */
export interface ErrorFields {
  readonly severity: 'ERROR' | 'FATAL' | 'PANIC' | 'WARNING' | 'NOTICE' | 'DEBUG' | 'INFO' | 'LOG';
  readonly code: string;
  readonly message: string;
  readonly detail?: string | undefined;
  readonly hint?: string | undefined;
  readonly position?: number | undefined;
}

function build(type: number, body?: (writer: Writer) => void): Buffer {
  const writer = new Writer(128);
  const mark = writer.begin(type);
  body?.(writer);
  return writer.finish(mark).take();
}

/** A message without a type byte, as they stand at the start of a connection. */
function buildUntyped(code: number, body?: (writer: Writer) => void): Buffer {
  const writer = new Writer(128).i32(0).i32(code);
  body?.(writer);
  const bytes = writer.take();
  bytes.writeInt32BE(bytes.length, 0);
  return bytes;
}

function fields(type: number, error: ErrorFields): Buffer {
  return build(type, (writer) => {
    // A NUL would end the field early; a refusal that quotes odd bytes must still be sent.
    const field = (letter: string, text: string) =>
      writer.u8(letter.charCodeAt(0)).cstring(text.replaceAll('\0', '\uFFFD'));
    field('S', error.severity);
    field('V', error.severity);
    field('C', error.code);
    field('M', error.message);
    if (error.detail !== undefined) field('D', error.detail);
    if (error.hint !== undefined) field('H', error.hint);
    if (error.position !== undefined) field('P', String(error.position));
    writer.u8(0);
  });
}

// --- What the gateway says to a client -----------------------------------------------------------------------------

export const errorResponse = (error: ErrorFields): Buffer => fields(Backend.errorResponse, error);

export const noticeResponse = (notice: ErrorFields): Buffer => fields(Backend.noticeResponse, notice);

/** `status` is one of `Status`. */
export const readyForQuery = (status: number): Buffer => build(Backend.readyForQuery, (w) => w.u8(status));

export const parameterStatus = (name: string, value: string): Buffer =>
  build(Backend.parameterStatus, (w) => w.cstring(name).cstring(value));

/** `secret`: 4 bytes up to protocol 3.1, up to 256 from 3.2. */
export const backendKeyData = (pid: number, secret: Uint8Array): Buffer =>
  build(Backend.backendKeyData, (w) => w.i32(pid | 0).bytes(secret));

/** `version` is the whole number (major << 16 | minor) that is spoken; `options` the `_pq_.` names that are not known. */
export const negotiateProtocolVersion = (version: number, options: readonly string[]): Buffer =>
  build(Backend.negotiateProtocolVersion, (w) => {
    w.i32(version).i32(options.length);
    for (const option of options) w.cstring(option);
  });

export const authenticationOk = (): Buffer => build(Backend.authentication, (w) => w.i32(Auth.ok));

export const authenticationCleartextPassword = (): Buffer =>
  build(Backend.authentication, (w) => w.i32(Auth.cleartextPassword));

/** `salt`: 4 bytes. */
export const authenticationMd5Password = (salt: Uint8Array): Buffer =>
  build(Backend.authentication, (w) => w.i32(Auth.md5Password).bytes(salt));

export const authenticationSasl = (mechanisms: readonly string[]): Buffer =>
  build(Backend.authentication, (w) => {
    w.i32(Auth.sasl);
    for (const mechanism of mechanisms) w.cstring(mechanism);
    w.u8(0);
  });

export const authenticationSaslContinue = (data: Uint8Array): Buffer =>
  build(Backend.authentication, (w) => w.i32(Auth.saslContinue).bytes(data));

export const authenticationSaslFinal = (data: Uint8Array): Buffer =>
  build(Backend.authentication, (w) => w.i32(Auth.saslFinal).bytes(data));

// --- What the gateway says to a database ---------------------------------------------------------------------------

/** `version` (major << 16 | minor); parameters in order, `user` among them. Throws a RangeError on a NUL in one. */
export const startupMessage = (version: number, parameters: Iterable<readonly [string, string]>): Buffer =>
  buildUntyped(version, (w) => {
    for (const [name, value] of parameters) w.cstring(name).cstring(value);
    w.u8(0);
  });

export const sslRequest = (): Buffer => buildUntyped(StartupCode.sslRequest);

export const cancelRequest = (pid: number, secret: Uint8Array): Buffer =>
  buildUntyped(StartupCode.cancelRequest, (w) => w.i32(pid | 0).bytes(secret));

/** Throws a RangeError on a NUL in the password. */
export const passwordMessage = (password: string): Buffer => build(Frontend.password, (w) => w.cstring(password));

export const saslInitialResponse = (mechanism: string, data: Uint8Array): Buffer =>
  build(Frontend.password, (w) => w.cstring(mechanism).i32(data.length).bytes(data));

export const saslResponse = (data: Uint8Array): Buffer => build(Frontend.password, (w) => w.bytes(data));

/** Throws a RangeError on a NUL in the text. */
export const query = (text: string): Buffer => build(Frontend.query, (w) => w.cstring(text));

// Names of statements and portals are latin1 strings, as decode.ts gives them, so that every byte comes back as it was.

const named = (type: number, kind: 'S' | 'P', name: string): Buffer =>
  build(type, (w) => w.u8(kind.charCodeAt(0)).bytes(Buffer.from(name, 'latin1')).u8(0));

export const describeStatement = (name: string): Buffer => named(Frontend.describe, 'S', name);

export const describePortal = (name: string): Buffer => named(Frontend.describe, 'P', name);

export const closeStatement = (name: string): Buffer => named(Frontend.close, 'S', name);

export const closePortal = (name: string): Buffer => named(Frontend.close, 'P', name);

/** `maxRows` 0: all of them. */
export const execute = (portal: string, maxRows: number): Buffer =>
  build(Frontend.execute, (w) => w.bytes(Buffer.from(portal, 'latin1')).u8(0).i32(maxRows));

export const sync = (): Buffer => build(Frontend.sync);

export const flush = (): Buffer => build(Frontend.flush);

export const copyFail = (message: string): Buffer => build(Frontend.copyFail, (w) => w.cstring(message));

export const terminate = (): Buffer => build(Frontend.terminate);
