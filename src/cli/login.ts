// `sallyport login`: a person's login at the gateway's identity provider, or a machine's, kept for the commands that ask the API.

import { resolve } from 'node:path';
import { type Command, Option } from 'commander';
import type { Env } from '../config/env.ts';
import { commandEnv } from './env.ts';
import { CommandError, EXIT } from './exit.ts';
import { type Login, loginFile, readLogin, removeLogin, writeLogin } from './logins.ts';
import { collect } from './options.ts';
import { print, printJson, visible } from './output.ts';
import type { Application } from './provider.ts';
import { apiBase, savedToken } from './token.ts';

interface LoginOptions {
  issuer?: string;
  audience?: string;
  clientId?: string;
  clientSecretFile?: string;
  person?: true;
  scope?: string;
  parameter?: string[];
  status?: true;
  token?: true;
  logout?: true;
  json?: true;
}

/** As `GET /v1/identity` names them. */
interface Offered {
  readonly issuer: string;
  readonly audience: string;
  readonly clientId?: string | null;
}

export function addLogin(program: Command): void {
  const instead = (flags: string, description: string, others: string[]) =>
    new Option(flags, description).conflicts(others);
  program
    .command('login')
    .description('log in at the identity provider; the token is kept for the commands above')
    .option('--issuer <address>', 'which provider, where the gateway has several')
    .option('--audience <name>', 'which audience, where the provider stands for several')
    .option('--client-id <id>', 'the client to log in by (default: the one in the config)')
    .option('--client-secret-file <path>', 'a machine: log in by client credentials')
    .option('--person', 'log in a person with the client secret too, where the provider wants it')
    .option('--scope <scopes>', 'what to ask the provider for, in its words')
    .option('--parameter <name=value>', 'a further parameter for the provider; may be given several times', collect)
    .addOption(instead('--status', 'say who is logged in, and until when', ['token', 'logout']))
    .addOption(
      instead('--token', 'print the token, to be the password of the user "oidc" at a database port', ['logout']),
    )
    .option('--logout', 'forget the login, here and at the provider')
    .option('--json', 'as JSON')
    .action(async (options: LoginOptions) => {
      const env = commandEnv();
      if (options.status === true) return status(env, options.json);
      if (options.token === true) return printToken(env, options.json);
      if (options.logout === true) return logout(env, options.json);
      return login(env, options);
    });
}

async function login(env: Env, options: LoginOptions): Promise<void> {
  const application = applicationOf(await offered(env), options);
  const { logInMachine, logInPerson } = await import('./provider.ts');
  const isMachine = application.secretFile !== undefined && options.person !== true;
  const made = isMachine
    ? await logInMachine(application)
    : await logInPerson(application, ({ address, completeAddress, code, expiresIn }) => {
        if (options.json === true) return printJson({ address, completeAddress, code, expiresIn });
        print(visible(`Open ${address} and enter the code ${code}`));
        if (completeAddress !== undefined) print(visible(`or open ${completeAddress}`));
      });
  // A token that the gateway does not take is not worth keeping: why not is said now.
  const caller = await whoAmI(env, made.token);
  writeLogin(loginFile(env), made);
  if (options.json === true) printJson({ ...shown(made), ...caller });
  else {
    print(visible(`Logged in as ${nameOf(caller)}, until ${shown(made).expiresAt}.`));
    if (!made.refreshToken && !isMachine) print('The provider gave no refresh token: then it takes another login.');
  }
}

async function status(env: Env, json: true | undefined): Promise<void> {
  const kept = env.token === undefined ? readLogin(loginFile(env)) : null;
  const token = await savedToken(env);
  if (token === null) throw notLoggedIn();
  const caller = await whoAmI(env, token);
  const from = env.token !== undefined ? { from: 'SALLYPORT_TOKEN' } : { from: loginFile(env) };
  // It may have been renewed on the way.
  const login = kept === null ? null : readLogin(loginFile(env));
  if (json === true) return printJson({ ...(login === null ? {} : shown(login)), ...from, ...caller });
  print(visible(`${nameOf(caller)}, by ${from.from}`));
  print(visible(`groups  ${caller.identity.groups.join(', ') || 'none'}`));
  print(visible(`roles   ${caller.roles.join(', ') || 'none'}`));
  if (login !== null) print(`until   ${shown(login).expiresAt}${shown(login).renewable ? ', then renewed' : ''}`);
}

async function printToken(env: Env, json: true | undefined): Promise<void> {
  const token = await savedToken(env);
  if (token === null) throw notLoggedIn();
  if (json === true) printJson({ user: 'oidc', password: token });
  else print(token);
}

async function logout(env: Env, json: true | undefined): Promise<void> {
  const file = loginFile(env);
  const kept = readLogin(file);
  removeLogin(file);
  const { logOut } = await import('./provider.ts');
  const revoked = kept !== null && (await logOut(kept));
  if (json === true) printJson({ loggedOut: kept !== null, revoked });
  else print(kept === null ? 'Nobody was logged in.' : 'Logged out.');
}

/** What to log in by: the one provider, or the one that the options single out. */
function applicationOf(all: readonly Offered[], options: LoginOptions): Application {
  const found = all.filter(
    ({ issuer, audience }) =>
      (options.issuer === undefined || options.issuer === issuer) &&
      (options.audience === undefined || options.audience === audience),
  );
  const [one, another] = found;
  if (one === undefined || another !== undefined) {
    const names = all.map(({ issuer, audience }) => `--issuer ${issuer} --audience ${audience}`).join('\n  ');
    const why = one === undefined ? 'no provider of this gateway is' : 'several providers of this gateway are';
    throw new CommandError(EXIT.refused, `${why} what the options say`, { hint: `There are:\n  ${names}` });
  }
  const clientId = options.clientId ?? one.clientId ?? undefined;
  if (clientId === undefined) {
    throw new CommandError(EXIT.refused, `the config names no client of ${one.issuer} for logins`, {
      hint: 'Register one at the provider with the device flow, and set clientId in the config or --client-id.',
    });
  }
  const { clientSecretFile: secret, scope } = options;
  const secretFile = secret === undefined ? undefined : resolve(secret);
  const parameters = { ...(scope === undefined ? {} : { scope }), ...parametersOf(options.parameter ?? []) };
  return { issuer: one.issuer, audience: one.audience, clientId, secretFile, parameters };
}

function parametersOf(pairs: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    pairs.map((pair) => {
      const [, name, value] = /^([\w-]+)=(.*)$/s.exec(pair) ?? [];
      if (name !== undefined && value !== undefined) return [name, value];
      throw new CommandError(EXIT.usage, `--parameter is written name=value, not ${pair}`);
    }),
  );
}

async function offered(env: Env): Promise<readonly Offered[]> {
  const { issuers } = (await ask(env, '/v1/identity')) as { issuers: readonly Offered[] };
  if (issuers.length > 0) return issuers;
  throw new CommandError(EXIT.refused, 'this gateway has no identity provider', {
    hint: 'The operator token in its data dir is what proves a caller; identity.issuers in the config names providers.',
  });
}

interface Me {
  readonly identity: { readonly subject: string; readonly groups: readonly string[]; readonly actingFor?: string };
  readonly roles: readonly string[];
}

const whoAmI = async (env: Env, token: string) => (await ask(env, '/v1/me', token)) as Me;

async function ask(env: Env, path: string, token?: string): Promise<unknown> {
  const base = apiBase(env);
  let response: Response;
  try {
    const headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
    response = await fetch(base + path, { headers, redirect: 'error', signal: AbortSignal.timeout(30_000) });
  } catch {
    throw new CommandError(EXIT.unreachable, `no gateway answers at ${base}`, {
      hint: 'SALLYPORT_API_LISTEN says where it is.',
    });
  }
  const body = (await response.json().catch(() => ({}))) as Record<string, unknown>;
  if (response.ok) return body;
  const text = (key: string) => (typeof body[key] === 'string' ? body[key] : undefined);
  const said = text('detail') ?? `the answer is ${response.status}`;
  throw new CommandError(EXIT.refused, token === undefined ? said : `the gateway does not take the token: ${said}`, {
    hint: text('hint'),
    code: text('code'),
  });
}

function shown({ issuer, audience, clientId, who, expiresAt, refreshToken }: Login) {
  const renewable = who === 'machine' || refreshToken !== undefined;
  return { issuer, audience, clientId, expiresAt: new Date(expiresAt).toISOString(), renewable };
}

function nameOf({ identity: { subject, actingFor } }: Me): string {
  return actingFor === undefined ? subject : `${subject} for ${actingFor}`;
}

function notLoggedIn(): CommandError {
  return new CommandError(EXIT.refused, 'nobody is logged in', { hint: '`sallyport login` does that.' });
}
