// Who calls: the operator token where no identity provider is configured, else the provider's tokens and nothing else.

import { SallyportError } from '../errors.ts';
import { type Caller, type Identity, ROLES, type Role } from '../types.ts';
import type { RoleGroups } from './services.ts';
import { carriesToken } from './token.ts';

/** The issuer and the subject of whoever holds the operator token. */
export const OPERATOR = 'operator';

export interface CallersOptions {
  readonly operatorToken: string;
  readonly identities: {
    /** An identity provider is configured. */
    readonly configured: boolean;
    prove(token: string): Promise<Identity>;
  };
  /** Which groups have which role; `"*"` is every group. */
  readonly roles: () => RoleGroups;
}

/** Answers who an Authorization header proves, or throws SP_UNAUTHORIZED; what was sent is nowhere in its words. */
export function proveCallers({ operatorToken, identities, roles }: CallersOptions) {
  return async (authorization: string | undefined): Promise<Caller> => {
    if (!identities.configured) {
      if (carriesToken(authorization, operatorToken)) return OPERATOR_CALLER;
      throw new SallyportError('SP_UNAUTHORIZED', 'this needs the operator token as a bearer token', {
        hint: 'It is in the file operator.token in the data dir.',
      });
    }
    const token = /^bearer +([^\s]+)$/i.exec(authorization ?? '')?.[1];
    if (token === undefined) {
      throw new SallyportError('SP_UNAUTHORIZED', "this needs an identity provider's token as a bearer token", {
        hint: 'GET /v1/identity names the providers; `sallyport login` logs a person in.',
      });
    }
    const identity = await identities.prove(token);
    return { identity, roles: rolesOf(identity, roles()) };
  };
}

const OPERATOR_CALLER: Caller = {
  identity: { issuer: OPERATOR, subject: OPERATOR, groups: [] },
  roles: new Set(ROLES),
};

/** A delegated token has no role: an agent has the groups of the person it acts for, and may not decide in their place. */
function rolesOf({ groups, actingFor }: Identity, named: RoleGroups): ReadonlySet<Role> {
  if (actingFor !== undefined) return new Set();
  return new Set(ROLES.filter((role) => named[role]?.some((name) => name === '*' || groups.includes(name))));
}

/** Whether this is the operator token, which may speak for any identity. */
export const isOperatorToken = ({ identity }: Caller): boolean => identity.issuer === OPERATOR;

/** What an identity is called in a grant's history and in the log. */
export function nameOf({ issuer, subject, actingFor }: Identity): string {
  if (issuer === OPERATOR) return subject;
  return `${subject}${actingFor === undefined ? '' : ` for ${actingFor}`} (${issuer})`;
}

/** Whether both are the same: who acts, and for whom. */
export function isSame(
  a: Identity,
  b: Pick<Identity, 'issuer' | 'subject'> & { actingFor?: string | null | undefined },
): boolean {
  return a.issuer === b.issuer && a.subject === b.subject && (a.actingFor ?? null) === (b.actingFor ?? null);
}
