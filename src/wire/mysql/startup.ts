// What a client says of itself at login: HandshakeResponse41.
import { Fields } from './decode.ts';
import { Capability } from './messages.ts';

export interface Startup {
  /** As the client has them, those too that were not offered. */
  readonly capabilities: number;
  readonly collation: number;
  readonly user: string;
  readonly response: Buffer;
  /** Null where none was given. */
  readonly database: string | null;
  readonly plugin: string | null;
  /** What it calls itself: `program_name`, else its library's name. */
  readonly application: string;
}

/** The first 32 bytes alone ask for TLS. */
export const SSL_REQUEST = 32;
/** Connection attributes are for people: more is not read. */
const APPLICATION_MAX = 200;

/** Null where the payload is malformed, or of a protocol before 4.1. */
export function decodeStartup(payload: Buffer): Startup | null {
  const fields = new Fields(payload);
  const capabilities = fields.uint(4);
  if (!fields.ok || (capabilities & Capability.protocol41) === 0) return null;
  fields.uint(4);
  const collation = fields.uint(1);
  fields.bytes(23);
  const user = fields.nul().toString('utf8');
  const has = (flag: number) => (capabilities & flag) !== 0;
  let response: Buffer;
  if (has(Capability.pluginAuthLenenc)) response = fields.lenencBytes();
  else if (has(Capability.secureConnection)) response = fields.bytes(fields.uint(1));
  else response = fields.nul();
  const database = has(Capability.connectWithDb) ? fields.nul().toString('utf8') : null;
  const plugin = has(Capability.pluginAuth) && fields.left > 0 ? fields.nul().toString('latin1') : null;
  const attributes = has(Capability.connectAttrs) && fields.left > 0 ? attributesOf(fields.lenencBytes()) : new Map();
  if (!fields.ok) return null;
  const application: string = attributes.get('program_name') ?? attributes.get('_client_name') ?? '';
  return {
    capabilities,
    collation,
    user,
    response,
    database: database === '' ? null : database,
    plugin,
    application: application.slice(0, APPLICATION_MAX),
  };
}

/** What cannot be read is left out: it is for people alone. */
function attributesOf(bytes: Buffer): Map<string, string> {
  const found = new Map<string, string>();
  const fields = new Fields(bytes);
  while (fields.ok && fields.left > 0) {
    const name = fields.lenencText();
    const value = fields.lenencText();
    if (fields.ok) found.set(name, value);
  }
  return found;
}
