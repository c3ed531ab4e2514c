// Which rule of a policy decides a statement: the first whose conditions all hold.

import type { Facts, Verb } from '../types.ts';
import { ANY, partMatches } from './names.ts';
import type { NamePattern, Policy, Rule, TextPattern } from './rules.ts';

/** A statement as rules see it. */
export interface Subject {
  readonly facts: Facts;
  /** The statement's relations, resolved. */
  readonly targets: readonly { readonly schema: string; readonly name: string }[];
  readonly verbs: readonly Verb[];
  /** The whole text that the statement stands in. */
  readonly text: string;
  readonly values: readonly string[];
}

/** The first rule that matches, or null. */
export function firstMatch(policy: Policy, subject: Subject): Rule | null {
  return policy.rules.find((rule) => matches(rule, subject)) ?? null;
}

/**
 * For a text that no facts are known of: the first rule that matches whatever the facts are (`certain`), or that is not
 * an `allow` and might match if the facts were known; null where the policy has nothing against the text. An `allow` by
 * a pattern is passed over, since nothing says which statement of the text the pattern was meant for.
 */
export function undecided(
  policy: Policy,
  text: string,
  values: readonly string[],
): { readonly rule: Rule; readonly certain: boolean } | null {
  for (const rule of policy.rules) {
    if (rule.pattern !== null && (rule.action === 'allow' || !anySeen(rule.pattern, [text, ...values]))) continue;
    const certain = rule.kinds === null && rule.verbs === null && rule.relations === null && rule.functions === null;
    if (certain || rule.action !== 'allow') return { rule, certain };
  }
  return null;
}

function matches(rule: Rule, subject: Subject): boolean {
  const { facts } = subject;
  return (
    (rule.kinds === null || kindsMatch(rule, rule.kinds, facts.kinds)) &&
    (rule.verbs === null || verbsMatch(rule, rule.verbs, subject.verbs)) &&
    (rule.relations === null || namesMatch(rule, rule.relations, subject.targets)) &&
    (rule.functions === null || namesMatch(rule, rule.functions, facts.functions)) &&
    (rule.pattern === null || anySeen(rule.pattern, visible(rule, subject)))
  );
}

function kindsMatch(rule: Rule, listed: ReadonlySet<string>, kinds: readonly string[]): boolean {
  if (rule.action !== 'allow') return kinds.some((kind) => listed.has(kind));
  // `delete` on the list takes in `delete-without-where`, which is no other statement but a closer look at the same.
  const covered = (kind: string) => listed.has(kind) || listed.has(kind.replace(/-without-where$/, ''));
  return kinds.length > 0 && kinds.every(covered);
}

function verbsMatch(rule: Rule, listed: ReadonlySet<Verb>, verbs: readonly Verb[]): boolean {
  // A statement that uses no verb (`begin`) does no more than any list allows.
  return rule.action === 'allow' ? verbs.every((verb) => listed.has(verb)) : verbs.some((verb) => listed.has(verb));
}

function namesMatch(
  rule: Rule,
  listed: readonly NamePattern[],
  names: readonly { readonly schema: string | null; readonly name: string }[],
): boolean {
  // Without a schema a function may be any schema's: enough to be stopped by a rule, not enough to be let through by one.
  const strict = rule.action === 'allow';
  const isListed = (use: { readonly schema: string | null; readonly name: string }) =>
    listed.some(
      (pattern) =>
        partMatches(pattern.name, use.name) &&
        (use.schema === null ? !strict || pattern.schema === ANY : partMatches(pattern.schema, use.schema)),
    );
  return strict ? names.length > 0 && names.every(isListed) : names.some(isListed);
}

function anySeen(pattern: TextPattern, texts: readonly string[]): boolean {
  return texts.some((text) => pattern.test(text));
}

/**
 * What a pattern is held against: the statement alone, so that `^` and `$` mean its ends, and, unless the rule allows,
 * also the whole text with the comments around it and the bound values. A door is not opened by what stands beside.
 */
function visible(rule: Rule, { facts, text, values }: Subject): string[] {
  const statement = text.slice(facts.start, facts.end);
  if (rule.action === 'allow') return [statement];
  return statement === text ? [text, ...values] : [statement, text, ...values];
}
