// MySQL's bare protocol as load. Packets are counted, and nothing else is looked at: a point select is answered with four of them (the
// number of columns, one definition, one row, OK).

import { connect, type Socket } from 'node:net';
import { createDial } from '../../src/wire/mysql/dial.ts';
import { Capability, Command, command } from '../../src/wire/mysql/messages.ts';
import type { Address } from '../targets/target.ts';
import type { Mode, Points, Rows, Wire } from './wire.ts';

const UTF8MB4_GENERAL_CI = 45;

async function login(at: Address, onChunk: (chunk: Buffer) => void, bufferBytes = 65536): Promise<Socket> {
  const dial = createDial({
    tls: 'disable',
    user: at.user,
    database: at.database,
    password: () => at.password,
    capabilities: Capability.deprecateEof,
    collation: UTF8MB4_GENERAL_CI,
  });
  return new Promise((resolve, reject) => {
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
          else logIn(Buffer.from(chunk));
          return true;
        },
      },
    });
    const logIn = (chunk: Buffer) => {
      for (const step of dial.push(chunk)) {
        if (step.do === 'send') socket.write(step.bytes);
        else if (step.do === 'failed') reject(new Error(`login refused: ${step.message}`));
        else if (step.do === 'ready') {
          ready = true;
          resolve(socket);
        }
      }
    };
    socket.on('error', reject).on('close', () => reject(new Error('the connection was closed during the login')));
  });
}

const HEADER = 4;
const ERR = 0xff;

/** Counts packets over chunks. */
class Packets {
  /** Bytes of the packet that has begun which are still to come; its header may be split. */
  #left = 0;
  #head = Buffer.alloc(HEADER);
  #headed = 0;

  /** Packets that begin in the chunk; the first byte of the first of them is looked at. */
  count(chunk: Buffer, refused: (chunk: Buffer) => void, first: boolean): number {
    let at = 0;
    let count = 0;
    while (at < chunk.length) {
      if (this.#left > 0) {
        const taken = Math.min(this.#left, chunk.length - at);
        this.#left -= taken;
        at += taken;
        continue;
      }
      let length: number;
      if (this.#headed === 0 && chunk.length - at >= HEADER) {
        length = chunk.readUIntLE(at, 3);
        at += HEADER;
      } else {
        this.#head[this.#headed++] = chunk[at++] ?? 0;
        if (this.#headed < HEADER) continue;
        length = this.#head.readUIntLE(0, 3);
        this.#headed = 0;
      }
      if (first && count === 0 && chunk[at] === ERR) refused(chunk);
      count++;
      this.#left = length;
    }
    return count;
  }

  /** The last packet is whole. */
  get whole(): boolean {
    return this.#left === 0 && this.#headed === 0;
  }
}

const SELECT = 'SELECT abalance FROM pgbench_accounts WHERE aid = ';
/** COM_STMT_PREPARE_OK, a parameter, a column. */
const PREPARED = 3;
const POINT = 4;

function points(mode: Mode): Points {
  const packets = new Packets();
  let seen = 0;
  let wanted = mode === 'prepared' ? PREPARED : POINT;
  let id: Buffer | null = null;
  const execute = Buffer.alloc(22);
  return {
    first: mode === 'prepared' ? command(Command.stmtPrepare, `${SELECT}?`) : null,
    next(aid) {
      if (mode === 'simple') return command(Command.query, `${SELECT}${aid}`);
      // COM_STMT_EXECUTE: id, no cursor, once; no NULL; the type is told: a signed LONG.
      execute.set([18, 0, 0, 0, Command.stmtExecute]);
      execute.set(id ?? Buffer.alloc(4), 5);
      execute.set([0, 1, 0, 0, 0, 0, 1, 3, 0], 9);
      execute.writeInt32LE(aid, 18);
      return Buffer.from(execute);
    },
    take(chunk) {
      if (wanted === PREPARED && id === null && chunk.length >= 9) id = Buffer.from(chunk.subarray(5, 9));
      seen += packets.count(chunk, refused, seen === 0);
      if (seen < wanted || !packets.whole) return false;
      seen = 0;
      wanted = POINT;
      return true;
    },
  };
}

function rows(sql: string, count: number): Rows {
  const packets = new Packets();
  let seen = 0;
  let columns = 0;
  return {
    first: command(Command.query, sql),
    take(chunk) {
      if (seen === 0) columns = chunk[HEADER] ?? 0;
      seen += packets.count(chunk, refused, seen === 0);
      return packets.whole && seen === 1 + columns + count + 1;
    },
  };
}

function refused(chunk: Buffer): never {
  throw new Error(`refused: ${chunk.toString('latin1', 0, 600)}`);
}

export const mysql: Wire = { login, points, rows, goodbye: command(Command.quit) };
