// PostgreSQL's bare protocol as load: a login (trust, cleartext, SCRAM-SHA-256), then no more is looked for than the end of replies, so
// that it costs as little as it can beside what is measured.

import { createHash, createHmac, pbkdf2Sync, randomBytes } from 'node:crypto';
import { connect, type Socket } from 'node:net';
import type { Address } from '../targets/target.ts';
import type { Mode, Points, Rows, Wire } from './wire.ts';

/** A frontend message: type, length, body. */
function message(type: string, body: Buffer | string): Buffer {
  const bytes = Buffer.from(body);
  const head = Buffer.alloc(5);
  head.write(type, 0, 'latin1');
  head.writeInt32BE(bytes.length + 4, 1);
  return Buffer.concat([head, bytes]);
}

/**
 * Logs in and answers a socket that stands at ReadyForQuery, nothing unread. A chunk is a view of one reused buffer, valid
 * only during the call.
 */
async function login(at: Address, onChunk: (chunk: Buffer) => void, bufferBytes = 65536): Promise<Socket> {
  let rest: Buffer = Buffer.alloc(0);
  let wake: (() => void) | null = null;
  let failed: Error | null = null;
  let ready = false;
  const socket = connect({
    host: at.host,
    port: at.port,
    noDelay: true,
    onread: {
      buffer: Buffer.allocUnsafeSlow(bufferBytes),
      callback(size, buffer) {
        const chunk = Buffer.from(buffer.buffer, buffer.byteOffset, size);
        if (ready) onChunk(chunk);
        else {
          rest = Buffer.concat([rest, chunk]);
          wake?.();
        }
        return true;
      },
    },
  });
  const fail = (error: Error) => {
    failed ??= error;
    wake?.();
  };
  socket.on('error', fail).on('close', () => fail(new Error('the connection was closed during the login')));
  const next = async (): Promise<{ type: string; body: Buffer }> => {
    for (;;) {
      const size = rest.length < 5 ? Number.POSITIVE_INFINITY : rest.readInt32BE(1) + 1;
      if (rest.length >= size) {
        const found = { type: rest.toString('latin1', 0, 1), body: rest.subarray(5, size) };
        rest = rest.subarray(size);
        return found;
      }
      if (failed !== null) throw failed;
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
  };

  const startup = Buffer.from(
    `\0\x03\0\0user\0${at.user}\0database\0${at.database}\0application_name\0bench\0\0`,
    'utf8',
  );
  const length = Buffer.alloc(4);
  length.writeInt32BE(startup.length + 4);
  socket.write(Buffer.concat([length, startup]));
  let scram: Scram | null = null;
  for (;;) {
    const { type, body } = await next();
    if (type === 'E') throw new Error(`login refused: ${body.toString('utf8').replaceAll('\0', ' ')}`);
    if (type === 'Z') break;
    if (type !== 'R') continue;
    const kind = body.readInt32BE(0);
    if (kind === 3) socket.write(message('p', `${at.password}\0`));
    else if (kind === 10) {
      scram = beginScram(at.password);
      const first = Buffer.from(scram.first);
      const size = Buffer.alloc(4);
      size.writeInt32BE(first.length);
      socket.write(message('p', Buffer.concat([Buffer.from('SCRAM-SHA-256\0'), size, first])));
    } else if (kind === 11 && scram !== null) socket.write(message('p', scram.final(body.toString('utf8', 4))));
    else if (kind !== 0 && kind !== 12) throw new Error(`authentication ${kind} is not known here`);
  }
  ready = true;
  return socket;
}

interface Scram {
  readonly first: string;
  final(serverFirst: string): string;
}

/** RFC 5802 without channel binding. The server's proof is not checked: this is load, against a server of our own. */
function beginScram(password: string): Scram {
  const bare = `n=,r=${randomBytes(18).toString('base64')}`;
  const hmac = (key: Buffer, text: string) => createHmac('sha256', key).update(text).digest();
  return {
    first: `n,,${bare}`,
    final(serverFirst) {
      const [nonce = '', salt = '', iterations = ''] = serverFirst.split(',').map((field) => field.slice(2));
      const salted = pbkdf2Sync(password, Buffer.from(salt, 'base64'), Number(iterations), 32, 'sha256');
      const clientKey = hmac(salted, 'Client Key');
      const storedKey = createHash('sha256').update(clientKey).digest();
      const withoutProof = `c=biws,r=${nonce}`;
      const signature = hmac(storedKey, `${bare},${serverFirst},${withoutProof}`);
      const proof = Buffer.from(clientKey.map((byte, i) => byte ^ (signature[i] ?? 0)));
      return `${withoutProof},p=${proof.toString('base64')}`;
    },
  };
}

const IDLE = [0x5a, 0, 0, 0, 5, 0x49];

/** Whether the bytes end with ReadyForQuery outside a transaction: nothing is sent ahead, so a reply ends there. */
function endsReply(chunk: Buffer): boolean {
  const at = chunk.length - IDLE.length;
  return at >= 0 && IDLE.every((byte, i) => chunk[at + i] === byte);
}

const ERROR_RESPONSE = 0x45;
const SELECT = 'SELECT abalance FROM pgbench_accounts WHERE aid = ';
const PARSE = Buffer.concat([message('P', `point\0${SELECT}$1\0\0\0`), message('S', '')]);
const AFTER_BIND = Buffer.concat([message('D', 'P\0'), message('E', '\0\0\0\0\0'), message('S', '')]);

function simple(aid: number): Buffer {
  return message('Q', `${SELECT}${aid}\0`);
}

/** Bind, Describe, Execute, Sync of one named statement, as drivers do. */
function prepared(aid: number): Buffer {
  const value = String(aid);
  const bind = message('B', `\0point\0\0\0\0\x01\0\0\0${String.fromCharCode(value.length)}${value}\0\0`);
  return Buffer.concat([bind, AFTER_BIND]);
}

function points(mode: Mode): Points {
  let tail: Buffer = Buffer.alloc(0);
  return {
    first: mode === 'prepared' ? PARSE : null,
    next: mode === 'simple' ? simple : prepared,
    take(chunk) {
      if (tail.length === 0 && chunk[0] === ERROR_RESPONSE) throw new Error(`refused: ${chunk.toString('latin1')}`);
      // The end of a reply may be split over two reads: then the bytes before count too.
      const seen: Buffer = tail.length === 0 ? chunk : Buffer.concat([tail, chunk]);
      const over = endsReply(seen);
      if (!over) tail = Buffer.from(seen.subarray(Math.max(0, seen.length - 5)));
      else if (tail.length > 0) tail = Buffer.alloc(0);
      return over;
    },
  };
}

function rows(sql: string, count: number): Rows {
  let bytes = 0;
  let tail: Buffer = Buffer.alloc(0);
  return {
    first: message('Q', `${sql}\0`),
    take(chunk) {
      bytes += chunk.length;
      const end = chunk.length >= 64 ? chunk : Buffer.concat([tail, chunk]);
      if (endsReply(end) && end.includes(`SELECT ${count}`)) return true;
      if (bytes < 4096 && chunk[0] === ERROR_RESPONSE) throw new Error(`refused: ${chunk.toString('latin1')}`);
      tail = Buffer.from(end.subarray(Math.max(0, end.length - 64)));
      return false;
    },
  };
}

export const postgres: Wire = { login, points, rows, goodbye: message('X', '') };
