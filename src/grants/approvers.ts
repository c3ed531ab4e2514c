// Who may decide over a grant that waits for a person.

import type { Caller, Grant, Identity } from '../types.ts';

/** Roles whose holders may decide over any. */
const ROLES = ['approver', 'operator'] as const;

/**
 * Why the caller may not decide, or null. `approvers` are the groups of those who may beside the holders of a role: one is
 * needed of each list. Names are compared whichever issuer proved them and in whatever case (of an email address, say): one
 * person may have tokens of several.
 */
export function objectionTo(
  { identity, roles }: Caller,
  { id, identity: asking }: Grant,
  approvers: readonly (readonly string[])[],
): string | null {
  const { subject, actingFor } = identity;
  if (actingFor !== undefined)
    return `${subject} acts for ${actingFor}: a grant is approved by a person, not by an agent`;
  if (isSame(subject, asking.subject)) return `${subject} has asked for grant ${id}: nobody approves what they ask for`;
  if (asking.via?.some((name) => isSame(subject, name)))
    return `${subject} has handed on what asks for grant ${id}, and may not approve it`;
  if (asking.actingFor !== undefined && isSame(subject, asking.actingFor))
    return `${asking.subject} acts for ${subject}, who may not approve grant ${id}`;
  if (ROLES.some((role) => roles.has(role))) return null;
  const member = (groups: readonly string[]) => groups.some((name) => name === '*' || identity.groups.includes(name));
  if (approvers.length > 0 && approvers.every(member)) return null;
  return `${subject} may not decide over grant ${id}: ${whoMay(approvers)} may`;
}

function isSame(one: string, another: string): boolean {
  const folded = (name: string) => name.normalize('NFKC').toLowerCase();
  return folded(one) === folded(another);
}

/** `a member of dba or a caller with the role approver` */
export function whoMay(approvers: readonly (readonly string[])[]): string {
  const lists = [...new Set(approvers.map((groups) => groups.join(' or ')))];
  const role = `a caller with the role ${ROLES.join(' or ')}`;
  return lists.length === 0 || lists.includes('') ? role : `a member of ${lists.join(' and of ')}, or ${role},`;
}

/** How an identity stands in the history: the operator by its name, others with the issuer that proved them. */
export function nameOf({ issuer, subject, actingFor }: Identity): string {
  const name = actingFor === undefined ? subject : `${subject} for ${actingFor}`;
  return issuer === 'operator' ? name : `${name} (${issuer})`;
}
