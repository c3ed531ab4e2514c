// The statements that the gateway answers itself: SALLYPORT STATUS and SALLYPORT COMPLETE.
//
// They are no SQL, so no database would take them; whatever begins with the word is the gateway's and is never forwarded. An answer
// is one row in the protocols' common terms; each protocol makes its messages of it (`own.ts`).

import type { Grant, GrantState } from '../types.ts';

/** `unknown`: one that there is not. */
export type Word = 'status' | 'complete' | 'unknown';

export interface OwnColumn {
  readonly name: string;
  readonly value: string | number;
}

/** Strings are texts, numbers 32-bit integers. */
export type OwnRow = readonly OwnColumn[];

export interface GrantStatus {
  readonly grant: Grant;
  readonly state: GrantState;
  /** Milliseconds to its deadline. */
  readonly left: number;
}

export const HELP =
  'The gateway answers SALLYPORT STATUS (the grant, its scopes and how long it lasts) and SALLYPORT COMPLETE (the task is ' +
  'done: the grant and all its sessions end), each sent alone.';

/** What a text is, if it is one of these; null where it is for the database. Texts are of any length: it takes linear time. */
export function ownWord(text: string): Word | null {
  const first = skip(text, 0);
  const second = wordEnd(text, first);
  if (text.slice(first, second).toLowerCase() !== 'sallyport') return null;
  const argument = skip(text, second);
  const end = wordEnd(text, argument);
  const behind = skip(text, end);
  const over = skip(text, text[behind] === ';' ? behind + 1 : behind);
  const word = text.slice(argument, end).toLowerCase();
  return over === text.length && (word === 'status' || word === 'complete') ? word : 'unknown';
}

export function statusRow({ grant, state, left }: GrantStatus): OwnRow {
  return [
    ...namesOf(grant),
    { name: 'connection', value: grant.connection },
    { name: 'scopes', value: grant.scopes.map(({ text }) => text).join(', ') },
    { name: 'state', value: state },
    { name: 'expires_at', value: new Date(grant.expiresAt).toISOString() },
    { name: 'seconds_left', value: Math.min(Math.floor(left / 1000), 2 ** 31 - 1) },
    { name: 'approvals_waiting', value: 0 },
  ];
}

export function completedRow({ grant }: GrantStatus): OwnRow {
  return [...namesOf(grant), { name: 'state', value: 'completed' }];
}

const namesOf = (grant: Grant): OwnRow => [
  { name: 'grant', value: grant.id },
  { name: 'task', value: grant.task },
];

/**
 * Where what is neither white space nor a comment begins. A comment that holds the beginning of another is none here, since PostgreSQL
 * nests them and MySQL does not; nor is one that MySQL or MariaDB runs.
 */
function skip(text: string, from: number): number {
  let at = from;
  for (;;) {
    while (at < text.length && ' \t\n\r\f\v'.includes(text[at] as string)) at++;
    const next = commentEnd(text, at);
    if (next === at) return at;
    at = next;
  }
}

function commentEnd(text: string, at: number): number {
  if (text.startsWith('--', at) || text[at] === '#') {
    const end = text.indexOf('\n', at);
    return end === -1 ? text.length : end + 1;
  }
  if (!text.startsWith('/*', at) || text[at + 2] === '!' || text.startsWith('M!', at + 2)) return at;
  const end = text.indexOf('*/', at + 2);
  if (end === -1) return at;
  const inner = text.indexOf('/*', at + 2);
  return inner !== -1 && inner < end ? at : end + 2;
}

function wordEnd(text: string, from: number): number {
  let at = from;
  while (at < text.length && /[A-Za-z0-9_$]/.test(text[at] as string)) at++;
  return at;
}
