// Which grant a token leads to at a database port: that of its bearer, for the port's protocol and the database asked for.
//
// Words for who has proven to be somebody are exact; what is said to others is the protocol's, and the same for every token.

import { requestCommand } from './asking.ts';
import { SallyportError } from './errors.ts';
import type { Connection, Grant, Identity, Protocol } from './types.ts';
import type { TokenAnswer, TokenLogin } from './wire/login.ts';

export interface TokensOptions {
  readonly prove: (token: string) => Promise<Identity>;
  /** The active grants of exactly this identity. */
  readonly live: (identity: Identity) => readonly Grant[];
  readonly connection: (name: string) => Connection | undefined;
}

/** Rejects only where what goes wrong is not about the token. */
export async function grantOfToken(
  { prove, live, connection }: TokensOptions,
  protocol: Protocol,
  { token, task, database }: TokenLogin,
): Promise<TokenAnswer> {
  let identity: Identity;
  try {
    identity = await prove(token);
  } catch (error) {
    if (error instanceof SallyportError && error.code === 'SP_UNAUTHORIZED') return { unproven: error.message };
    throw error;
  }
  const all = live(identity);
  if (all.length === 0) return nothing(`${identity.subject} has no live grant`, null, task);
  const here = all.filter((grant) => {
    const found = connection(grant.connection);
    return found?.protocol === protocol && (database === null || [found.name, found.database].includes(database));
  });
  if (here.length === 0) {
    const what = database === null ? `a ${protocol} connection` : `database "${database}" on this port`;
    return nothing(`no live grant of ${identity.subject} is for ${what}`, database, task);
  }
  // A grant's id stands for its task: two grants may have the same one.
  const meant = task === null ? here : here.filter((grant) => grant.task === task || grant.id === task);
  const [only, another] = meant;
  if (only === undefined) {
    return {
      refused: `no live grant of ${identity.subject} has the task "${task}"`,
      hint: `The tasks of those that there are: ${tasksOf(here)}.`,
    };
  }
  if (another === undefined) return { grant: only.id };
  const names = new Set(meant.map((grant) => grant.task)).size === meant.length ? tasksOf(meant) : idsOf(meant);
  const databases = new Set(meant.map((grant) => grant.connection)).size > 1 && database === null;
  return {
    refused: `several grants of ${identity.subject} are live`,
    hint: `Log in as oidc:<task>${databases ? ', or name the connection as database' : ''}; one of: ${names}.`,
  };
}

function nothing(refused: string, connection: string | null, task: string | null): TokenAnswer {
  return { refused, hint: `Request one: ${requestCommand({ connection, scopes: null, task })}` };
}

const tasksOf = (grants: readonly Grant[]): string => [...new Set(grants.map(({ task }) => task))].join(', ');

const idsOf = (grants: readonly Grant[]): string => grants.map(({ id, task }) => `${id} (${task})`).join(', ');
