// What is asked for, and what is wrong with it whoever asks.

import type { GrantRequest, Identity } from '../types.ts';

const MAX_TASK_LENGTH = 100;
const MAX_REASON_LENGTH = 2000;
const MAX_SCOPES = 64;
// Control and reordering characters would let a name, a task or a reason show a person something else than it says.
const UNSEEN = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/u;

/** The mistake in one sentence, or null. */
export function mistakeIn({ identity, scopes, ttlMs, task, reason }: GrantRequest): string | null {
  if (UNSEEN.test(identity.subject)) return 'the identity has a character that cannot be seen';
  if (task.trim() === '') return 'the task is missing: a grant is for one task';
  if (task.length > MAX_TASK_LENGTH) return `the task's name is longer than ${MAX_TASK_LENGTH} characters`;
  if (reason.trim() === '') return 'the reason is missing: it is what a person reads later';
  if (reason.length > MAX_REASON_LENGTH) return `the reason is longer than ${MAX_REASON_LENGTH} characters`;
  if (UNSEEN.test(task)) return 'the task has a character that cannot be seen';
  if (UNSEEN.test(reason.replaceAll('\n', ' '))) return 'the reason has a character that cannot be seen';
  if (!Number.isSafeInteger(ttlMs) || ttlMs <= 0) return 'the ttl is not a time from now';
  if (scopes.length === 0) return 'no scope is asked for';
  if (scopes.length > MAX_SCOPES) return `more than ${MAX_SCOPES} scopes are asked for`;
  return null;
}

/** Those whose grants are one owner's: the same agent for the same person, proven by the same issuer. */
export function ownerOf({ issuer, subject, actingFor }: Identity): string {
  return JSON.stringify([issuer, subject, actingFor ?? null]);
}

/** `90s` or `1h30m`: hours, minutes and seconds, milliseconds where there is nothing else to say it exactly. */
export function duration(ms: number): string {
  if (ms % 1000 !== 0) return `${ms}ms`;
  const parts = [
    [Math.floor(ms / 3_600_000), 'h'],
    [Math.floor(ms / 60_000) % 60, 'm'],
    [Math.floor(ms / 1000) % 60, 's'],
  ] as const;
  return parts
    .filter(([count]) => count > 0)
    .map(([count, unit]) => `${count}${unit}`)
    .join('');
}
