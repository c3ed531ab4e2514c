// How the tools show a grant.

import { z } from 'zod';
import type { ListedGrant } from '../types.ts';

export const grantView = z.object({
  id: z.string(),
  state: z.enum(['requested', 'active', 'refused', 'completed', 'expired', 'revoked']),
  connection: z.string(),
  scopes: z.array(z.string()),
  task: z.string(),
  expires_at: z.iso.datetime().describe('of a request that waits: when it lapses'),
  seconds_left: z.number().int().describe('0 unless active'),
  message: z.string().nullable().describe('what it waits for, or why it is over'),
});

export type GrantView = z.output<typeof grantView>;

export function viewOf({ grant, state, awaits, endedBy, endReason }: ListedGrant, left: number): GrantView {
  const ended = [endedBy && `by ${endedBy}`, endReason].filter(Boolean).join(': ');
  return {
    id: grant.id,
    state,
    connection: grant.connection,
    scopes: grant.scopes.map(({ text }) => text),
    task: grant.task,
    expires_at: new Date(grant.expiresAt).toISOString(),
    seconds_left: Math.floor(left / 1000),
    message: awaits ?? (ended === '' ? null : ended),
  };
}

/** One sentence, with what to do next. */
export function sentenceOf(view: GrantView): string {
  const { id, state, expires_at: until, seconds_left: left, message } = view;
  const why = message === null ? '' : ` (${message})`;
  switch (state) {
    case 'active':
      return `${id} is active for ${left} s, until ${until}. Use it with query; complete_grant when the task is done.`;
    case 'requested':
      return `${id} waits for a person${why}. wait_for_approval waits for the decision; until then its queries are refused.`;
    case 'refused':
      return `${id} is refused${why}. Ask for less with request_grant, or tell the user why it is needed.`;
    default:
      return `${id} is ${state}${why}. If the task is not done, request the next with request_grant.`;
  }
}
