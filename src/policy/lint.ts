// What is suspicious about a policy though it compiles: kinds that no statement has, rules that can never fire.

import { nearest } from '../errors.ts';
import { ANY } from './names.ts';
import type { NamePattern, Policy, Rule } from './rules.ts';

export interface UnknownKind {
  readonly rule: string;
  readonly kind: string;
  /** The known kind that was probably meant. */
  readonly nearest: string | null;
}

/** The kinds of statement that rules name and that are not among the known ones. */
export function unknownKinds(policy: Policy, known: ReadonlySet<string>): UnknownKind[] {
  return policy.rules.flatMap((rule) =>
    [...(rule.kinds ?? [])]
      .filter((kind) => !known.has(kind))
      .map((kind) => ({ rule: rule.name, kind, nearest: nearest(kind, known) })),
  );
}

export interface DeadRule {
  readonly rule: string;
  readonly why: string;
}

/** The rules that no statement can reach, each with the reason. */
export function neverFires(policy: Policy): DeadRule[] {
  return policy.rules.flatMap((rule, index) => {
    const why = impossible(rule) ?? shadow(rule, policy.rules.slice(0, index));
    return why === null ? [] : [{ rule: rule.name, why }];
  });
}

/** Kinds of statement that use no relation and call no function. */
const BARE_KINDS: ReadonlySet<string> = new Set([
  'begin',
  'commit',
  'rollback',
  'rollback-to',
  'savepoint',
  'release',
  'reset',
  'discard',
  'listen',
  'unlisten',
  'deallocate',
]);

function impossible(rule: Rule): string | null {
  if (rule.kinds !== null && (rule.relations !== null || rule.functions !== null)) {
    const kinds = [...rule.kinds];
    if (kinds.every((kind) => BARE_KINDS.has(kind))) return `${kinds.join(', ')} use no relation and call no function`;
  }
  return null;
}

function shadow(rule: Rule, earlier: readonly Rule[]): string | null {
  const broader = earlier.find((other) => takesAll(other, rule));
  return broader === undefined ? null : `the rule ${broader.name} before it takes every statement that it would match`;
}

/** Whether `broad` surely matches whatever `narrow` matches; false where that cannot be told. */
function takesAll(broad: Rule, narrow: Rule): boolean {
  // An `allow` wants all of a statement on its list, the others any of it: what the others match, it may not.
  const sameReading = broad.action !== 'allow' || narrow.action === 'allow';
  const listed = <T>(wide: Iterable<T> | null, slim: Iterable<T> | null, takes: (a: T, b: T) => boolean) => {
    if (wide === null) return true;
    if (slim === null || !sameReading) return false;
    return [...slim].every((item) => [...wide].some((candidate) => takes(candidate, item)));
  };
  // An `allow` takes statements that use no verb at all, which no list of verbs under `deny` does.
  const verbsCompare = broad.verbs === null || broad.action === 'allow' || narrow.action !== 'allow';
  return (
    verbsCompare &&
    listed(broad.kinds, narrow.kinds, Object.is) &&
    listed(broad.verbs, narrow.verbs, Object.is) &&
    listed(broad.relations, narrow.relations, patternTakes) &&
    listed(broad.functions, narrow.functions, patternTakes) &&
    (broad.pattern === null || (sameReading && broad.pattern.source === narrow.pattern?.source))
  );
}

function patternTakes(wide: NamePattern, slim: NamePattern): boolean {
  return (wide.schema === ANY || wide.schema === slim.schema) && (wide.name === ANY || wide.name === slim.name);
}
