// What a proven identity may do beside asking for grants of its own: the roles that the config gives to its groups.

import { type Identity, ROLES, type Role } from '../types.ts';

/**
 * A token that was delegated has no role: an agent that acts for a person has the person's groups, and may not decide in their
 * place, least of all on what it asked for itself.
 */
export function rolesOf(
  identity: Identity,
  roles: Readonly<Partial<Record<Role, readonly string[] | undefined>>>,
): ReadonlySet<Role> {
  if (identity.actingFor !== undefined) return new Set();
  const has = (group: string) => group === '*' || identity.groups.includes(group);
  return new Set(ROLES.filter((role) => roles[role]?.some(has) === true));
}
