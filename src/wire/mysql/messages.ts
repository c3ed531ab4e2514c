// The numbers of the MySQL protocol, and the payloads that the gateway makes itself. All builders answer whole packets.
// Source: MySQL "Client/Server Protocol", MariaDB "Client/Server Protocol".
import { packets } from './frame.ts';

/** Named in ALPN; servers and clients of this protocol send none. */
export const ALPN = 'mysql';

export const Capability = {
  longPassword: 0x1,
  foundRows: 0x2,
  longFlag: 0x4,
  connectWithDb: 0x8,
  odbc: 0x40,
  protocol41: 0x200,
  interactive: 0x400,
  ssl: 0x800,
  ignoreSigpipe: 0x1000,
  transactions: 0x2000,
  reserved: 0x4000,
  secureConnection: 0x8000,
  multiStatements: 0x10000,
  multiResults: 0x20000,
  psMultiResults: 0x40000,
  pluginAuth: 0x80000,
  connectAttrs: 0x100000,
  pluginAuthLenenc: 0x200000,
  sessionTrack: 0x800000,
  deprecateEof: 0x1000000,
} as const;

/** Those that lead to nothing but bytes that the gateway understands: all that it offers, and all that it asks for. */
export const OFFERED = Object.values(Capability).reduce((all, one) => all | one, 0);

/** Those of a client that change what its database sends: they are asked of the database in its name. */
export const PASSED_ON =
  Capability.foundRows |
  Capability.interactive |
  Capability.odbc |
  Capability.multiStatements |
  Capability.multiResults |
  Capability.psMultiResults |
  Capability.sessionTrack |
  Capability.deprecateEof;

/** Asked of every database. */
export const ASKED =
  Capability.longPassword |
  Capability.longFlag |
  Capability.connectWithDb |
  Capability.protocol41 |
  Capability.transactions |
  Capability.secureConnection |
  Capability.pluginAuth |
  Capability.pluginAuthLenenc;

export const Command = {
  quit: 0x01,
  initDb: 0x02,
  query: 0x03,
  fieldList: 0x04,
  statistics: 0x09,
  ping: 0x0e,
  changeUser: 0x11,
  stmtPrepare: 0x16,
  stmtExecute: 0x17,
  stmtSendLongData: 0x18,
  stmtClose: 0x19,
  stmtReset: 0x1a,
  setOption: 0x1b,
  stmtFetch: 0x1c,
  resetConnection: 0x1f,
} as const;

/** Those that are refused, by name. */
export const REFUSED_COMMANDS: ReadonlyMap<number, string> = new Map([
  [0x00, 'COM_SLEEP'],
  [0x05, 'COM_CREATE_DB'],
  [0x06, 'COM_DROP_DB'],
  [0x07, 'COM_REFRESH'],
  [0x08, 'COM_SHUTDOWN'],
  [0x0a, 'COM_PROCESS_INFO'],
  [0x0b, 'COM_CONNECT'],
  [0x0c, 'COM_PROCESS_KILL'],
  [0x0d, 'COM_DEBUG'],
  [0x0f, 'COM_TIME'],
  [0x10, 'COM_DELAYED_INSERT'],
  [0x11, 'COM_CHANGE_USER'],
  [0x12, 'COM_BINLOG_DUMP'],
  [0x13, 'COM_TABLE_DUMP'],
  [0x14, 'COM_CONNECT_OUT'],
  [0x15, 'COM_REGISTER_SLAVE'],
  [0x1d, 'COM_DAEMON'],
  [0x1e, 'COM_BINLOG_DUMP_GTID'],
  [0x20, 'COM_CLONE'],
  [0x21, 'COM_SUBSCRIBE_GROUP_REPLICATION_STREAM'],
  [0xfa, 'COM_STMT_BULK_EXECUTE'],
  [0xfb, 'COM_SLAVE_WORKER'],
  [0xfc, 'COM_SLAVE_IO'],
  [0xfd, 'COM_SLAVE_SQL'],
  [0xfe, 'COM_MULTI'],
]);

/** First byte of a payload from the server. */
export const Reply = { ok: 0x00, authMore: 0x01, localInfile: 0xfb, eof: 0xfe, err: 0xff } as const;

export const Status = {
  inTransaction: 0x1,
  autocommit: 0x2,
  moreResults: 0x8,
  cursorExists: 0x40,
  lastRowSent: 0x80,
  sessionStateChanged: 0x4000,
} as const;

/** enum_field_types. */
export const Type = {
  decimal: 0,
  tiny: 1,
  short: 2,
  long: 3,
  float: 4,
  double: 5,
  null: 6,
  timestamp: 7,
  longlong: 8,
  int24: 9,
  date: 10,
  time: 11,
  datetime: 12,
  year: 13,
} as const;

/** Collations of utf8mb3 and utf8mb4 whose ids fit in the byte that a login has for them. */
export function isUtf8Collation(id: number): boolean {
  return id === 33 || id === 83 || id === 45 || id === 46 || id === 255 || (id >= 192 && id <= 247);
}

export const UTF8MB4_GENERAL_CI = 45;

// --- Writing -------------------------------------------------------------------------------------------------------------

export function u16(value: number): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeUInt16LE(value);
  return bytes;
}

export function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value >>> 0);
  return bytes;
}

/** A length-encoded integer. */
export function lenenc(value: number): Buffer {
  if (value < 0xfb) return Buffer.from([value]);
  if (value <= 0xffff) return Buffer.concat([Buffer.from([0xfc]), u16(value)]);
  const bytes = Buffer.alloc(value <= 0xffffff ? 4 : 9);
  bytes[0] = value <= 0xffffff ? 0xfd : 0xfe;
  if (value <= 0xffffff) bytes.writeUIntLE(value, 1, 3);
  else bytes.writeBigUInt64LE(BigInt(value), 1);
  return bytes;
}

export function lenencBytes(bytes: Buffer): Buffer {
  return Buffer.concat([lenenc(bytes.length), bytes]);
}

function nul(text: string): Buffer {
  if (text.includes('\0')) throw new RangeError('a C string cannot hold a NUL');
  return Buffer.from(`${text}\0`);
}

// --- Logging in ----------------------------------------------------------------------------------------------------------

/** Bytes of a scramble. */
export const SCRAMBLE = 20;

export interface Greeting {
  readonly version: string;
  readonly connectionId: number;
  /** SCRAMBLE bytes without NUL. */
  readonly scramble: Buffer;
  readonly capabilities: number;
  readonly plugin: string;
}

/** HandshakeV10. */
export function greeting({ version, connectionId, scramble, capabilities, plugin }: Greeting): Buffer {
  const payload = Buffer.concat([
    Buffer.from([10]),
    nul(version),
    u32(connectionId),
    scramble.subarray(0, 8),
    Buffer.from([0]),
    u16(capabilities & 0xffff),
    Buffer.from([UTF8MB4_GENERAL_CI]),
    u16(Status.autocommit),
    u16(capabilities >>> 16),
    Buffer.from([SCRAMBLE + 1]),
    Buffer.alloc(10),
    scramble.subarray(8),
    Buffer.from([0]),
    nul(plugin),
  ]);
  return packets(0, payload);
}

export interface Login {
  readonly capabilities: number;
  readonly collation: number;
  readonly user: string;
  readonly response: Buffer;
  readonly database: string;
  readonly plugin: string;
}

const MAX_PACKET_SIZE = 0x40000000;

/** The first 32 bytes of a login, which ask for TLS when they stand alone. */
export function sslRequest(sequence: number, capabilities: number, collation: number): Buffer {
  return packets(sequence, loginHead(capabilities | Capability.ssl, collation));
}

function loginHead(capabilities: number, collation: number): Buffer {
  return Buffer.concat([u32(capabilities), u32(MAX_PACKET_SIZE), Buffer.from([collation]), Buffer.alloc(23)]);
}

/** HandshakeResponse41. */
export function handshakeResponse(sequence: number, login: Login): Buffer {
  const { capabilities, collation, user, response, database, plugin } = login;
  return packets(
    sequence,
    Buffer.concat([loginHead(capabilities, collation), nul(user), lenencBytes(response), nul(database), nul(plugin)]),
  );
}

export function authSwitchRequest(sequence: number, plugin: string, scramble: Buffer): Buffer {
  return packets(sequence, Buffer.concat([Buffer.from([Reply.eof]), nul(plugin), scramble, Buffer.from([0])]));
}

export function authMoreData(sequence: number, data: Buffer): Buffer {
  return packets(sequence, Buffer.concat([Buffer.from([Reply.authMore]), data]));
}

// --- Replies and commands ------------------------------------------------------------------------------------------------

export interface ErrorFields {
  readonly code: number;
  /** Five characters. */
  readonly sqlstate: string;
  readonly message: string;
}

/** Clients keep no more of a message. */
const MESSAGE_MAX = 510;

export function err(sequence: number, { code, sqlstate, message }: ErrorFields): Buffer {
  const head = Buffer.concat([Buffer.from([Reply.err]), u16(code), Buffer.from(`#${sqlstate}`)]);
  return packets(sequence, Buffer.concat([head, Buffer.from(message)]));
}

/** A message of at most so many bytes, cut between two characters. */
export function cut(message: string, most = MESSAGE_MAX): string {
  if (Buffer.byteLength(message) <= most) return message;
  let short = message;
  while (Buffer.byteLength(short) > most - 3) short = [...short].slice(0, -1).join('');
  return `${short}…`;
}

/** Without the changes of the session that the status of an earlier reply may announce. */
export function ok(sequence: number, status: number): Buffer {
  const flags = status & ~Status.sessionStateChanged;
  return packets(sequence, Buffer.concat([Buffer.from([Reply.ok, 0, 0]), u16(flags), u16(0)]));
}

/** A command: its byte, then what it is given. */
export function command(code: number, body: Buffer | string = ''): Buffer {
  return packets(0, Buffer.concat([Buffer.from([code]), Buffer.from(body)]));
}
