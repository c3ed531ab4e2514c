// A MySQL client for tests, packet by packet: it logs in through the gateway's own client side, then sends what it is told.
import type { Socket } from 'node:net';
import type { Connection } from '../../src/types.ts';
import { connectUpstream } from '../../src/wire/mysql/connect.ts';
import { Fields } from '../../src/wire/mysql/decode.ts';
import { FRAME, FrameReader } from '../../src/wire/mysql/frame.ts';
import { Capability, Command, command, Reply, Status } from '../../src/wire/mysql/messages.ts';

export interface Login {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string;
  readonly database: string;
}

export interface Packet {
  readonly sequence: number;
  readonly payload: Buffer;
}

export interface RawClient {
  readonly deprecateEof: boolean;
  send(bytes: Buffer): void;
  next(): Promise<Packet>;
  /** Sends a command and reads its whole reply, several results too. */
  ask(code: number, body?: Buffer | string): Promise<Packet[]>;
  /** Every byte that has come. */
  readonly read: Buffer[];
  close(): void;
}

export async function rawClient(login: Login, { deprecateEof = true, multi = true } = {}): Promise<RawClient> {
  const connection: Connection = {
    name: 'raw',
    protocol: 'mysql',
    ...login,
    password: () => login.password,
    tls: { mode: 'disable' },
  };
  const capabilities =
    Capability.multiResults |
    Capability.psMultiResults |
    (multi ? Capability.multiStatements : 0) |
    (deprecateEof ? Capability.deprecateEof : 0);
  const { socket, rest } = await connectUpstream(connection, { capabilities, collation: 45 }, { timeoutMs: 5_000 });
  return over(socket, rest, deprecateEof);
}

function over(socket: Socket, rest: Buffer, deprecateEof: boolean): RawClient {
  const reader = new FrameReader(64 * 1024 * 1024);
  const packets: Packet[] = [];
  const waiting: { resolve(packet: Packet): void; reject(error: Error): void }[] = [];
  const read: Buffer[] = [];
  let over = false;
  const take = (chunk: Buffer) => {
    read.push(Buffer.from(chunk));
    reader.push(chunk);
    while (reader.next() === FRAME.whole) {
      const packet = { sequence: reader.sequence, payload: Buffer.from(reader.payload()) };
      const first = waiting.shift();
      if (first === undefined) packets.push(packet);
      else first.resolve(packet);
    }
  };
  if (rest.length > 0) take(rest);
  socket.on('data', take);
  socket.on('close', () => {
    over = true;
    for (const { reject } of waiting.splice(0)) reject(new Error('the connection is closed'));
  });
  const next = (): Promise<Packet> => {
    const ready = packets.shift();
    if (ready !== undefined) return Promise.resolve(ready);
    if (over) return Promise.reject(new Error('the connection is closed'));
    return new Promise((resolve, reject) => waiting.push({ resolve, reject }));
  };
  const client: RawClient = {
    deprecateEof,
    read,
    next,
    send: (bytes) => socket.write(bytes),
    async ask(code, body = '') {
      socket.write(command(code, body));
      const reply: Packet[] = [];
      for (;;) {
        const status = await result(reply, code, next, deprecateEof);
        if ((status & Status.moreResults) === 0) return reply;
      }
    },
    close: () => socket.destroy(),
  };
  return client;
}

/** Reads one result; answers its status. */
async function result(
  reply: Packet[],
  code: number,
  next: () => Promise<Packet>,
  deprecateEof: boolean,
): Promise<number> {
  const take = async () => {
    const packet = await next();
    reply.push(packet);
    return packet.payload;
  };
  const first = await take();
  if (first[0] === Reply.err) return 0;
  if (code === Command.stmtPrepare) {
    const columns = first.readUInt16LE(5);
    const parameters = first.readUInt16LE(7);
    const ends = deprecateEof ? 0 : Number(columns > 0) + Number(parameters > 0);
    for (let i = 0; i < columns + parameters + ends; i++) await take();
    return 0;
  }
  if (code === Command.stmtFetch || code === Command.fieldList) {
    let row = first;
    while (!endsRows(row, deprecateEof)) row = await take();
    return 0;
  }
  if (first[0] === Reply.ok) return okStatus(first);
  const columns = new Fields(first).lenenc();
  for (let i = 0; i < columns; i++) await take();
  if (!deprecateEof) {
    const end = await take();
    if (end[0] === Reply.err) return 0;
    const status = end.readUInt16LE(3);
    if ((status & Status.cursorExists) !== 0) return status;
  }
  for (;;) {
    const row = await take();
    if (row[0] === Reply.err) return 0;
    if (endsRows(row, deprecateEof)) return deprecateEof ? okStatus(row) : row.readUInt16LE(3);
  }
}

function endsRows(row: Buffer, deprecateEof: boolean): boolean {
  return row[0] === Reply.err || (row[0] === Reply.eof && row.length < (deprecateEof ? 0xffffff : 9));
}

function okStatus(payload: Buffer): number {
  const fields = new Fields(payload, 1);
  fields.lenenc();
  fields.lenenc();
  return fields.uint(2);
}

/** COM_STMT_EXECUTE with parameters as strings or NULL; `cursor` 1 asks for one that is read forward. */
export function execute(id: number, parameters: readonly (string | null)[] = [], cursor = 0): Buffer {
  const head = Buffer.alloc(9);
  head.writeUInt32LE(id, 0);
  head[4] = cursor;
  head.writeUInt32LE(1, 5);
  if (parameters.length === 0) return head;
  const nulls = Buffer.alloc((parameters.length + 7) >> 3);
  parameters.forEach((value, i) => {
    if (value === null) nulls[i >> 3] = (nulls[i >> 3] ?? 0) | (1 << (i & 7));
  });
  const types = Buffer.from(parameters.flatMap(() => [0xfd, 0]));
  const values = parameters.flatMap((value) => {
    if (value === null) return [];
    const bytes = Buffer.from(value);
    return bytes.length < 0xfb
      ? [Buffer.from([bytes.length]), bytes]
      : [Buffer.from([0xfc, bytes.length & 0xff, bytes.length >> 8]), bytes];
  });
  return Buffer.concat([head, nulls, Buffer.from([1]), types, ...values]);
}

export function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}
