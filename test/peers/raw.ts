// A PostgreSQL client over a plain socket that sends what a test tells it to, and reads messages one by one.
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { scramClientFinal, scramClientFirst } from '../../src/wire/pg/auth.ts';
import { saslInitialResponse, saslResponse, startupMessage } from '../../src/wire/pg/messages.ts';
import { brief, cut, type Message } from './messages.ts';

export interface Login {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string;
  readonly database: string;
}

export interface StartupOptions {
  /** Default 3.0. */
  readonly version?: number;
  readonly parameters?: Readonly<Record<string, string>>;
  /** Sent right behind the last message of the login. */
  readonly behind?: Buffer;
  /** `tls-server-end-point` of the certificate that the client has seen: it binds its login to that. */
  readonly endPoint?: Buffer;
}

export interface RawClient {
  readonly socket: Socket;
  /** What the server said during login. */
  greeting: Message[];
  /** From BackendKeyData. */
  pid: number;
  secret: Buffer;
  send(...messages: Buffer[]): void;
  /** The next message, or null where the connection has ended. */
  next(): Promise<Message | null>;
  /** Sends, then reads up to `count` ReadyForQuery; messages in short. Ends early where the connection does. */
  ask(messages: Buffer | readonly Buffer[], count?: number): Promise<string[]>;
  /** Everything up to the end of the connection, in short. */
  rest(): Promise<string[]>;
  /** Reads on to the end of the connection, keeping the last message alone. */
  last(): Promise<Message | null>;
  close(): void;
}

export async function connectRaw(host: string, port: number): Promise<RawClient> {
  const socket = connect({ host, port, noDelay: true });
  await once(socket, 'connect');
  return rawClient(socket);
}

/** A client on a socket that is open already. */
export function rawClient(socket: Socket): RawClient {
  let messages: Message[] = [];
  let taken = 0;
  let bytes: Buffer = Buffer.alloc(0);
  let ended = false;
  let wake: (() => void) | null = null;
  const stirred = () => {
    wake?.();
    wake = null;
  };
  socket.on('error', () => {});
  socket.on('data', (chunk: Buffer) => {
    bytes = bytes.length === 0 ? chunk : Buffer.concat([bytes, chunk]);
    const found = cut(bytes);
    messages.push(...found.messages);
    bytes = found.rest;
    stirred();
  });
  socket.on('close', () => {
    ended = true;
    stirred();
  });

  const client: RawClient = {
    socket,
    greeting: [],
    pid: 0,
    secret: Buffer.alloc(0),
    send(...list) {
      socket.write(Buffer.concat(list));
    },
    async next() {
      while (taken === messages.length) {
        messages = [];
        taken = 0;
        if (ended) return null;
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
      return messages[taken++] ?? null;
    },
    async ask(list, count = 1) {
      client.send(...(Buffer.isBuffer(list) ? [list] : list));
      const read: string[] = [];
      for (let left = count; left > 0; ) {
        const message = await client.next();
        if (message === null) return [...read, 'end'];
        read.push(brief(message));
        if (message.type === 'Z') left--;
      }
      return read;
    },
    async rest() {
      const read: string[] = [];
      for (let message = await client.next(); message !== null; message = await client.next())
        read.push(brief(message));
      return read;
    },
    async last() {
      let last: Message | null = null;
      for (let message = await client.next(); message !== null; message = await client.next()) last = message;
      return last;
    },
    close() {
      socket.destroy();
    },
  };
  return client;
}

/** Logs in with SCRAM; resolves with the client behind its first ReadyForQuery, or where the connection has ended. */
export async function logIn(client: RawClient, login: Login, options: StartupOptions = {}): Promise<RawClient> {
  const { user, database, password } = login;
  client.send(startupMessage(options.version ?? 0x30000, Object.entries({ user, database, ...options.parameters })));
  let scram: ReturnType<typeof scramClientFirst> | null = null;
  for (;;) {
    const message = await client.next();
    if (message === null) return client;
    client.greeting.push(message);
    const { type, body } = message;
    if (type === 'R' && body.readInt32BE(0) === 10) {
      scram = scramClientFirst(body.toString('latin1', 4).split('\0'), options.endPoint ?? null);
      client.send(saslInitialResponse(scram.state.mechanism, scram.message));
    } else if (type === 'R' && body.readInt32BE(0) === 11 && scram !== null) {
      const final = await scramClientFinal(scram.state, body.subarray(4), password);
      client.send(saslResponse(final.message), options.behind ?? Buffer.alloc(0));
    } else if (type === 'K') {
      client.pid = body.readInt32BE(0);
      client.secret = Buffer.from(body.subarray(4));
    } else if (type === 'Z' || type === 'E') return client;
  }
}
