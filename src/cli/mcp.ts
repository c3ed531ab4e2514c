// `sallyport mcp`: the gateway's MCP server over standard input and output, for clients that start a program and know no addresses.
//
// A bridge and nothing more: each line is a message that is posted to the gateway's /mcp with the command line's own token, and what
// comes back is a line again ("Transports", MCP specification). A session that the gateway no longer knows, because it was started
// anew, is begun again with the client's own `initialize`, so that a client never has to restart.

import { createInterface } from 'node:readline';
import type { Command } from 'commander';
import { type Found, findToken, unproven } from './api.ts';
import { commandEnv } from './env.ts';
import { collect } from './options.ts';
import { print, visible } from './output.ts';
import { apiBase } from './token.ts';

interface Options {
  readonly identity?: string;
  readonly group?: string[];
}

export function addMcp(program: Command): void {
  program
    .command('mcp')
    .description("the gateway's tools for an agent, as an MCP server over standard input and output")
    .option('--identity <subject>', 'with the operator token: the agent that it stands for')
    .option('--group <name>', 'with the operator token: a group of that agent; may be given several times', collect)
    .option('--json', 'what is written is JSON, a message a line, with and without it')
    .action(async ({ identity, group }: Options) => {
      const env = commandEnv();
      const headers = {
        ...(identity === undefined ? {} : { 'sallyport-identity': identity }),
        ...(group === undefined ? {} : { 'sallyport-groups': group.join(',') }),
      };
      const bridge = new Bridge(
        `${apiBase(env)}/mcp`,
        headers,
        () => findToken(env),
        (message) => {
          process.stdout.write(`${JSON.stringify(message)}\n`);
        },
      );
      for await (const line of createInterface({ input: process.stdin, crlfDelay: Number.POSITIVE_INFINITY })) {
        if (line.trim() !== '') bridge.take(line);
      }
      await bridge.close();
    });
}

interface Message {
  readonly jsonrpc: '2.0';
  readonly id?: string | number;
  readonly method?: string;
  readonly params?: object;
  readonly result?: { readonly protocolVersion?: string };
}

/** What ends a call without an answer, in words for its caller. */
class Unanswered extends Error {}

class Bridge {
  readonly #url: string;
  readonly #headers: Readonly<Record<string, string>>;
  readonly #token: () => Promise<Found>;
  readonly #write: (message: object) => void;
  readonly #over = new AbortController();
  /** What has to be over before anything else is sent: the latest `initialize`, which makes the session. */
  #begun: Promise<void> = Promise.resolve();
  #beginning: Promise<void> | null = null;
  #initialize: Message | null = null;
  #session: string | null = null;
  #version: string | null = null;

  constructor(
    url: string,
    headers: Readonly<Record<string, string>>,
    token: () => Promise<Found>,
    write: (message: object) => void,
  ) {
    this.#url = url;
    this.#headers = headers;
    this.#token = token;
    this.#write = write;
  }

  take(line: string): void {
    let message: Message;
    try {
      message = JSON.parse(line) as Message;
    } catch {
      this.#write({ jsonrpc: '2.0', id: null, error: { code: -32700, message: 'a line is one JSON message' } });
      return;
    }
    if (message.method === 'initialize') {
      this.#initialize = message;
      this.#session = null;
      this.#version = null;
      this.#begun = this.#pass(message);
    } else {
      void this.#begun.then(() => this.#pass(message));
    }
  }

  async #pass(message: Message): Promise<void> {
    try {
      await this.#answer(message, await this.#send(message));
    } catch (error) {
      this.#fail(message, error);
    }
  }

  async #send(message: Message): Promise<Response> {
    if (message.method === 'initialize') return this.#post(message);
    if (this.#session === null) await this.#beginAgain();
    const session = this.#session;
    const response = await this.#post(message);
    if (response.status !== 404) return response;
    await response.body?.cancel();
    if (this.#session === session) this.#session = null;
    if (this.#session === null) await this.#beginAgain();
    return this.#post(message);
  }

  /** Once for all messages that learn that their session is gone. */
  #beginAgain(): Promise<void> {
    this.#beginning ??= this.#begin().finally(() => {
      this.#beginning = null;
    });
    return this.#beginning;
  }

  async #begin(): Promise<void> {
    this.#version = null;
    if (this.#initialize === null) return;
    const response = await this.#post(this.#initialize);
    if (!response.ok) throw new Unanswered(await refusalOf(response));
    for await (const answer of messagesOf(response)) this.#note(answer);
    await this.#post({ jsonrpc: '2.0', method: 'notifications/initialized' });
  }

  async #post(message: Message): Promise<Response> {
    const body = JSON.stringify(message);
    const response = await this.#fetch('POST', { body, headers: { 'content-type': 'application/json' } });
    this.#session = response.headers.get('mcp-session-id') ?? this.#session;
    return response;
  }

  async #fetch(method: string, init: { body?: string; headers?: Record<string, string> }): Promise<Response> {
    const found = await this.#token();
    const headers = {
      ...this.#headers,
      ...init.headers,
      accept: 'application/json, text/event-stream',
      ...(found.ok ? { authorization: `Bearer ${found.token}` } : {}),
      ...(this.#session === null ? {} : { 'mcp-session-id': this.#session }),
      ...(this.#version === null ? {} : { 'mcp-protocol-version': this.#version }),
    };
    let response: Response;
    try {
      response = await fetch(this.#url, { ...init, method, headers, redirect: 'error', signal: this.#over.signal });
    } catch (error) {
      // Taken, and then broken off.
      if (this.#over.signal.aborted || codeOf(error) !== 'ECONNREFUSED') throw error;
      throw new Unanswered(`no gateway answers at ${this.#url}: start it with \`sallyport serve\``);
    }
    if (response.status !== 401) return response;
    throw new Unanswered(found.ok ? unproven(found) : `the gateway wants a token: ${said(found.error)}`);
  }

  /** Writes what comes back; where the answer itself does not, an error in its place, so that nobody waits for ever. */
  async #answer(message: Message, response: Response): Promise<void> {
    if (!response.ok) throw new Unanswered(await refusalOf(response));
    let answered = message.id === undefined || message.method === undefined;
    for await (const answer of messagesOf(response)) {
      this.#note(answer);
      answered ||= answer.id === message.id && answer.method === undefined;
      this.#write(answer);
    }
    if (!answered) throw new Unanswered('the gateway has ended before it answered');
  }

  #note({ result }: Message): void {
    this.#version ??= result?.protocolVersion ?? null;
  }

  #fail({ id, method }: Message, error: unknown): void {
    if (this.#over.signal.aborted) return;
    const message =
      error instanceof Unanswered ? error.message : `the gateway has ended before it answered (${said(error)})`;
    if (id !== undefined && method !== undefined) this.#write({ jsonrpc: '2.0', id, error: { code: -32000, message } });
    else print(`sallyport: ${visible(message)}`, process.stderr);
  }

  /** The client is gone: what it left running ends with the session. */
  async close(): Promise<void> {
    if (this.#session !== null) {
      await this.#fetch('DELETE', {}).then(
        (response) => response.body?.cancel(),
        () => {},
      );
    }
    this.#over.abort();
  }
}

/** The messages of an answer: one as JSON, or some as server-sent events, whose data is one line each. */
async function* messagesOf(response: Response): AsyncGenerator<Message> {
  if (!(response.headers.get('content-type') ?? '').startsWith('text/event-stream')) {
    const text = await response.text();
    if (text !== '') yield JSON.parse(text) as Message;
    return;
  }
  const decoder = new TextDecoder();
  let rest = '';
  for await (const chunk of response.body ?? []) {
    rest += decoder.decode(chunk, { stream: true });
    const lines = rest.split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) if (line.startsWith('data: ')) yield JSON.parse(line.slice(6)) as Message;
  }
}

/** A problem (RFC 9457) of the API, or an error of the MCP endpoint. */
async function refusalOf(response: Response): Promise<string> {
  const found = (await response.json().catch(() => ({}))) as Record<string, unknown>;
  const { detail, title, hint, error } = found as { detail?: string; title?: string; hint?: string; error?: Message };
  const { message } = (error ?? {}) as { message?: string };
  const why = detail ?? title ?? message ?? `the gateway answered ${response.status}`;
  return hint === undefined ? why : `${why}. ${hint}`;
}

function codeOf(error: unknown): unknown {
  const { cause } = error as { cause?: { code?: unknown } };
  return cause?.code;
}

const said = (error: unknown): string => (error instanceof Error ? error.message : String(error));
