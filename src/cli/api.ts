// The client of the running gateway's HTTP API. Who calls: SALLYPORT_TOKEN, else what `sallyport login` keeps, else the operator
// token of the data dir.

import type { Env } from '../config/env.ts';
import { readOperatorToken } from '../control/token.ts';
import { CommandError, EXIT } from './exit.ts';
import { apiBase, savedToken } from './token.ts';

export interface Api {
  get(path: string): Promise<unknown>;
  post(path: string, body: object): Promise<unknown>;
  /** A JSON value a line, as they arrive. */
  lines(path: string): AsyncGenerator<unknown>;
}

const TIMEOUT_MS = 30_000;

export function connectApi(env: Pick<Env, 'apiListen' | 'dataDir' | 'token'>): Api {
  const base = apiBase(env);

  async function ask(path: string, init: RequestInit): Promise<Response> {
    // Each time anew: a login is renewed while a command waits for a person.
    const found = await findToken(env);
    const headers = found.ok ? { authorization: `Bearer ${found.token}`, ...init.headers } : { ...init.headers };
    let response: Response;
    try {
      response = await fetch(base + path, { ...init, headers, redirect: 'error' });
    } catch (error) {
      throw unreachable(error);
    }
    if (response.ok) return response;
    throw response.status === 401 && !found.ok ? found.error : await refusal(response, found);
  }

  function unreachable(error: unknown): CommandError {
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
    const why = cause instanceof Error && 'code' in cause && typeof cause.code === 'string' ? ` (${cause.code})` : '';
    return new CommandError(EXIT.unreachable, `no gateway answers at ${base}${why}`, {
      hint: 'Start it with `sallyport serve`, or set SALLYPORT_API_LISTEN and SALLYPORT_DATA_DIR as they are for the one that runs.',
    });
  }

  return {
    async get(path) {
      return (await ask(path, { signal: AbortSignal.timeout(TIMEOUT_MS) })).json();
    },
    async post(path, body) {
      const init = { method: 'POST', body: JSON.stringify(body), signal: AbortSignal.timeout(TIMEOUT_MS) };
      return (await ask(path, { ...init, headers: { 'content-type': 'application/json' } })).json();
    },
    async *lines(path) {
      const response = await ask(path, { headers: { accept: 'application/x-ndjson' } });
      let rest = '';
      const decoder = new TextDecoder();
      try {
        for await (const chunk of response.body ?? []) {
          rest += decoder.decode(chunk, { stream: true });
          const lines = rest.split('\n');
          rest = lines.pop() ?? '';
          for (const line of lines) yield JSON.parse(line);
        }
      } catch (error) {
        throw new CommandError(EXIT.refused, 'the gateway broke off its answer', { hint: String(error) });
      }
    },
  };
}

export type Found =
  | { readonly ok: true; readonly token: string; readonly of: 'login' | 'operator' }
  | { readonly ok: false; readonly error: unknown };

/** Without a token the gateway is asked all the same: that none answers is worth more to know than that the file is missing. */
export async function findToken(env: Pick<Env, 'apiListen' | 'dataDir' | 'token'>): Promise<Found> {
  const saved = await savedToken(env);
  if (saved !== null) return { ok: true, token: saved, of: 'login' };
  try {
    return { ok: true, token: readOperatorToken(env.dataDir), of: 'operator' };
  } catch (error) {
    return { ok: false, error };
  }
}

/** The problem details (RFC 9457) of an answer in the command's own words. */
async function refusal(response: Response, found: Found): Promise<CommandError> {
  const problem = (await response.json().catch(() => ({}))) as Record<string, unknown>;
  const text = (key: string) => (typeof problem[key] === 'string' ? problem[key] : undefined);
  const message = text('detail') ?? text('title') ?? `the gateway answered ${response.status}`;
  const hint = response.status === 401 && found.ok ? unproven(found) : text('hint');
  return new CommandError(EXIT.refused, message, { hint, code: text('code') });
}

/** What to do where a token that was found is not taken. */
export function unproven({ of }: Extract<Found, { readonly ok: true }>): string {
  return UNPROVEN[of];
}

const UNPROVEN = {
  login: 'Log in again with `sallyport login`, or set SALLYPORT_TOKEN to a token that this gateway takes.',
  operator:
    'The operator token of the data dir is not taken: either the data dir is another gateway’s, or an identity provider is configured, and then `sallyport login` is the way in.',
};
