// The token that the command line shows to the gateway: the environment's, else the one that `sallyport login` keeps, renewed
// where it has run out.

import type { Env } from '../config/env.ts';
import { CommandError, EXIT } from './exit.ts';
import { alone, type Login, loginFile, readLogin, writeLogin } from './logins.ts';

/** Milliseconds: a token that ends sooner would end on its way. */
const SOON = 30_000;

/** Null where there is none. Throws where the login is over and only the user can begin another. */
export async function savedToken(env: Pick<Env, 'apiListen' | 'token'>): Promise<string | null> {
  if (env.token !== undefined) return fromEnvironment(env.token.trim());
  const file = loginFile(env);
  const login = readLogin(file);
  if (login === null) return null;
  if (isGood(login)) return login.token;
  return alone(file, async () => {
    // Another command may have renewed it in between.
    const now = readLogin(file) ?? login;
    if (isGood(now)) return now.token;
    const { renew } = await import('./provider.ts');
    const next = await renew(now);
    if (next === null) {
      throw new CommandError(EXIT.refused, 'the login has expired', {
        hint: 'Log in again with `sallyport login`.',
        code: 'SP_UNAUTHORIZED',
      });
    }
    writeLogin(file, next);
    return next.token;
  });
}

/** What no header can carry is told of here, without its content. */
function fromEnvironment(token: string): string {
  if (/^[\x21-\x7e]+$/.test(token)) return token;
  throw new CommandError(EXIT.refused, 'SALLYPORT_TOKEN does not hold a token', {
    hint: 'It is what the identity provider gave, in one line and without anything around it.',
  });
}

function isGood({ expiresAt }: Login): boolean {
  return expiresAt - Date.now() > SOON;
}

/** Where the API answers, as seen from this machine. */
export function apiBase({ apiListen: { host, port } }: Pick<Env, 'apiListen'>): string {
  const everywhere = host === '0.0.0.0' || host === '::';
  return `http://${everywhere ? '127.0.0.1' : host.includes(':') ? `[${host}]` : host}:${port}`;
}
