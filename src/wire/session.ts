// One established session with its two sockets, for both protocols: reads into the relay, writes what comes out at the end of the
// turn, stops reading where a peer stops reading, and ends both sides together.
import type { Socket } from 'node:net';
import type { EndReason } from './listen.ts';
import { readInto } from './socket.ts';
import type { Outbox, Spliced, Turn } from './splice.ts';

/** Bytes that may wait in a socket before the other side is no longer read. */
const HIGH_WATER = 256 * 1024;
/** Replies that the database may owe before the client is no longer read: each is a statement that is held in mind. */
const MOST_OWED = 4096;
/** How long a peer may take to read its last words, milliseconds. */
export const LAST_WORDS = 3_000;

/** What a protocol makes of a session after login, without sockets. */
export interface Relay {
  readonly toServer: Outbox;
  readonly toClient: Outbox;
  /** Replies that the database still owes. */
  readonly track: { readonly length: number };
  readonly clientHeld: boolean;
  readonly serverHeld: boolean;
  /** The client has said goodbye. */
  readonly terminated: boolean;
  /** Why a peer is not understood any more, or null. */
  readonly clientProblem: string | null;
  readonly serverProblem: string | null;
  /** A part of a message is on its way to the client: nothing else can go in between. */
  readonly insideReply: boolean;
  fromClient(chunk: Buffer): void;
  fromServer(chunk: Buffer): void;
  /** The session is over: nothing that is held ever runs. */
  stop(): void;
}

/** The last words of a session, in its protocol. */
export interface LastWords {
  /** To the client, from the gateway. */
  farewell(reason: EndReason): Buffer;
  /** To a client that broke the protocol. */
  violated(message: string): Buffer;
  /** To the database. */
  goodbye(): Buffer;
}

export interface SessionOptions {
  readonly client: Socket;
  readonly server: Socket;
  readonly relay: Relay;
  readonly lastWords: LastWords;
  readonly turn: Turn;
  /** Ends what the database is running for this session, and what was sent behind it. */
  readonly stop: () => void;
  /** Called once, when the session has ended; `why` is one sentence for the record. */
  readonly ended: (why: string) => void;
  /** Something that an operator has to know: a peer that broke the protocol. */
  readonly warn: (message: string) => void;
}

export class WireSession implements Spliced {
  readonly #o: SessionOptions;
  #due = false;
  #over = false;
  #lastRead = Date.now();

  constructor(options: SessionOptions) {
    this.#o = options;
  }

  /** Takes the sockets over; `fromClient` and `fromServer` are bytes that were read behind the login. */
  start(fromClient: Buffer, fromServer: Buffer): void {
    const { client, server } = this.#o;
    client.on('drain', () => this.#flow());
    server.on('drain', () => this.#flow());
    client.on('close', () => this.#close('the client has left'));
    server.on('close', () => this.#serverGone());
    if (fromServer.length > 0) this.#read(fromServer, false);
    if (fromClient.length > 0) this.#read(fromClient, true);
    readInto(server, (chunk) => this.#read(chunk, false));
    readInto(client, (chunk) => this.#read(chunk, true));
    this.#flow();
  }

  /** Nothing is running, and the client has not sent anything since: milliseconds since the epoch, or null. */
  get idleSince(): number | null {
    return this.#o.relay.track.length === 0 ? this.#lastRead : null;
  }

  /** A hold in the relay is over, or what came of it has failed. */
  wake(error?: Error): void {
    if (this.#over) return;
    if (error !== undefined) this.fail(error);
    else this.#after();
  }

  flush(): void {
    this.#due = false;
    if (this.#over) return;
    const { relay, client, server } = this.#o;
    relay.toServer.flush(server);
    relay.toClient.flush(client);
    if (relay.terminated) {
      this.#close('the client has said goodbye');
      return;
    }
    this.#flow();
  }

  fail(error: Error): void {
    this.#due = false;
    this.end({ kind: 'record', message: error.message });
  }

  /** Ends the session from the gateway's side: what runs is cancelled, the client is told, both sockets close. */
  end(reason: EndReason): void {
    const { farewell } = this.#o.lastWords;
    if (reason.kind === 'record') this.#end(reason.message, () => farewell(reason));
    else this.#endTidily(reason.message, () => farewell(reason));
  }

  /** What the client was sent in this turn goes out before the last words; what was meant for the database does not. */
  #endTidily(why: string, lastWords: () => Buffer): void {
    const { relay, turn } = this.#o;
    if (this.#over) return;
    relay.toServer.drain();
    if (!relay.toClient.empty) {
      this.#askForFlush();
      turn.end();
    }
    this.#end(why, lastWords);
  }

  #end(why: string, lastWords: () => Buffer): void {
    const { relay, client } = this.#o;
    const tidy = !relay.insideReply && relay.toClient.empty;
    this.#close(why, () => {
      if (!tidy) return client.destroy();
      client.end(lastWords());
      setTimeout(() => client.destroy(), LAST_WORDS).unref();
    });
  }

  #read(chunk: Buffer, fromClient: boolean): void {
    if (this.#over) return;
    const { relay, turn } = this.#o;
    this.#lastRead = turn.time;
    try {
      if (fromClient) relay.fromClient(chunk);
      else relay.fromServer(chunk);
    } catch (error) {
      this.fail(error instanceof Error ? error : new Error(String(error)));
      return;
    }
    this.#after();
  }

  #after(): void {
    const { relay, warn, lastWords } = this.#o;
    if (relay.serverProblem !== null) {
      warn(`the database broke the protocol: ${relay.serverProblem}`);
      this.end({ kind: 'upstream', message: `the database's answer was not understood: ${relay.serverProblem}` });
      return;
    }
    if (relay.clientProblem !== null) {
      const message = relay.clientProblem;
      warn(`the client broke the protocol: ${message}`);
      this.#endTidily(`the client broke the protocol: ${message}`, () => lastWords.violated(message));
      return;
    }
    this.#askForFlush();
    if (relay.clientHeld || relay.serverHeld) this.#flow();
  }

  #askForFlush(): void {
    if (this.#due) return;
    this.#due = true;
    this.#o.turn.due(this);
  }

  /** Reads from each side only as long as the relay and the other side take it. */
  #flow(): void {
    if (this.#over) return;
    const { relay, client, server } = this.#o;
    const unread = client.writableLength > HIGH_WATER;
    // A client that does not read gets no further by sending: refusals are answers too, and would pile up here.
    const owed = relay.track.length > MOST_OWED;
    steer(client, relay.clientHeld || unread || owed || server.writableLength > HIGH_WATER);
    steer(server, relay.serverHeld || unread);
  }

  #serverGone(): void {
    if (this.#over) return;
    // Its last words, if it had any, have been read; they go out before the client is let go.
    this.#o.turn.end();
    const { client } = this.#o;
    this.#close('the database has closed the connection', () => {
      client.end();
      setTimeout(() => client.destroy(), LAST_WORDS).unref();
    });
  }

  #close(why: string, sayGoodbye: () => void = () => this.#o.client.destroy()): void {
    if (this.#over) return;
    this.#over = true;
    const { relay, server, stop, ended, lastWords } = this.#o;
    if (relay.track.length > 0) stop();
    relay.stop();
    server.resume();
    server.end(lastWords.goodbye());
    setTimeout(() => server.destroy(), LAST_WORDS).unref();
    sayGoodbye();
    ended(why);
  }
}

/** Pauses or resumes a socket, if it is not that already. */
function steer(socket: Socket, pause: boolean): void {
  if (pause === socket.isPaused()) return;
  if (pause) socket.pause();
  else socket.resume();
}
