// One session after login, without sockets: what the client and the database send goes in, what each of them gets comes
// out as views in two outboxes.
import type { Gate } from '../gate.ts';
import { Outbox } from '../splice.ts';
import { Replies } from './replies.ts';
import { Requests } from './requests.ts';
import { Stored } from './stored.ts';
import { Track } from './track.ts';

export interface RelayOptions {
  readonly gate: Gate;
  /** Longest message of a client that is held in memory, bytes. */
  readonly maxStatementBytes: number;
  /** What held one of the directions is over: outboxes may have filled, reading may go on; or it has failed. */
  readonly wake: (error?: Error) => void;
}

export class Relay {
  readonly toServer = new Outbox();
  readonly toClient = new Outbox();
  readonly track = new Track();
  readonly #requests: Requests;
  readonly #replies: Replies;
  readonly #wake: (error?: Error) => void;
  readonly #gate: Gate;

  constructor({ gate, maxStatementBytes, wake }: RelayOptions) {
    const { track, toServer, toClient } = this;
    this.#wake = wake;
    this.#gate = gate;
    const stored = new Stored();
    this.#replies = new Replies({
      gate,
      track,
      stored,
      toClient,
      transactionEnded: () => this.#requests.transactionEnded(),
      wake: () => this.#go(),
    });
    this.#requests = new Requests({
      gate,
      track,
      stored,
      toServer,
      maxStatementBytes,
      emitLocal: () => this.#replies.emitLocal(),
      wake: () => this.#go(),
    });
  }

  /** Hands in what the client sent. Not to be called while `clientHeld`. */
  fromClient(chunk: Buffer): void {
    this.#requests.push(chunk);
  }

  /** Hands in what the database sent. Not to be called while `serverHeld`. */
  fromServer(chunk: Buffer): void {
    this.#replies.push(chunk);
    this.#requests.replied();
  }

  /** Tells the client something that it has not asked for. */
  say(message: Buffer): void {
    this.#replies.say(message);
  }

  get clientHeld(): boolean {
    return this.#requests.held;
  }

  get serverHeld(): boolean {
    return this.#replies.held;
  }

  /** The client has said goodbye. */
  get terminated(): boolean {
    return this.#requests.terminated;
  }

  get clientProblem(): string | null {
    return this.#requests.problem;
  }

  get serverProblem(): string | null {
    return this.#replies.problem;
  }

  /** A part of a message is on its way to the client, and its rest has not come: nothing else can go in between. */
  get insideReply(): boolean {
    return this.#replies.insideMessage;
  }

  /** The session is over: nothing that is held ever runs. */
  stop(): void {
    this.#requests.stop();
    this.#gate.settle();
  }

  #go(): void {
    try {
      if (!this.#replies.held) this.#replies.run();
      if (!this.#requests.held) this.#requests.run();
      this.#requests.replied();
    } catch (error) {
      return this.#wake(error instanceof Error ? error : new Error(String(error)));
    }
    this.#wake();
  }
}
