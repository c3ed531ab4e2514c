// Policies: the rules of the config compiled once, and what each condition means.

import { RE2JS } from 're2js';
import { SallyportError } from '../errors.ts';
import { VERBS, type Verb } from '../types.ts';
import { ANY, printable, readParts } from './names.ts';

/** A rule as the config has it. */
export interface RuleConfig {
  readonly name: string;
  readonly when: {
    /** Kinds of statement: `select`, `drop-table`, `delete-without-where` … */
    readonly statement?: readonly string[] | undefined;
    /** A regular expression in RE2's syntax (https://github.com/google/re2/wiki/Syntax). */
    readonly matches?: string | undefined;
    /** `schema.table`, each part a name or `*`. */
    readonly relations?: readonly string[] | undefined;
    /** `function` in any schema, or `schema.function`. */
    readonly functions?: readonly string[] | undefined;
    readonly verbs?: readonly Verb[] | undefined;
  };
  readonly then: 'allow' | 'deny' | 'approve';
  readonly approvers?: { readonly groups: readonly string[] } | undefined;
}

/** Two parts, each a name or `*`. */
export interface NamePattern {
  readonly schema: string;
  readonly name: string;
}

/** Linear in the text's length, whatever the pattern. */
export interface TextPattern {
  readonly source: string;
  test(text: string): boolean;
}

/**
 * A compiled rule. Conditions that are null were not given; all that were given have to hold. A list holds
 * - under `deny` and `approve`, where anything of the statement is on it;
 * - under `allow`, where nothing of the statement is off it: a statement cannot ride along with what is allowed.
 */
export interface Rule {
  readonly name: string;
  readonly action: 'allow' | 'deny' | 'approve';
  readonly kinds: ReadonlySet<string> | null;
  readonly verbs: ReadonlySet<Verb> | null;
  readonly relations: readonly NamePattern[] | null;
  readonly functions: readonly NamePattern[] | null;
  readonly pattern: TextPattern | null;
  /** Groups whose members may approve. */
  readonly approvers: readonly string[];
}

export interface Policy {
  readonly name: string;
  readonly rules: readonly Rule[];
  /** Some rule reads the text and the bound values: verdicts must not be shared between texts that differ in those. */
  readonly looksAtValues: boolean;
}

/** Rule names that verdicts use for what no rule of a policy decides. */
const RESERVED = ['scope', 'not-understood', 'masking', 'grant', 'default'];

const MAX_PATTERN_LENGTH = 1000;

/** What is wrong with a policy, each with its place below `policies.<name>`. */
export interface PolicyMistake {
  readonly path: string;
  readonly message: string;
}

/** Compiles a policy; throws `SP_CONFIG` with the first mistake. */
export function compilePolicy(name: string, rules: readonly RuleConfig[]): Policy {
  const mistakes: PolicyMistake[] = [];
  const compiled = compileRules(rules, mistakes);
  const [first] = mistakes;
  if (first !== undefined) throw new SallyportError('SP_CONFIG', `policies.${name}.${first.path}: ${first.message}`);
  return { name, rules: compiled, looksAtValues: compiled.some((rule) => rule.pattern !== null) };
}

/** Every mistake that keeps a policy from being compiled. */
export function policyMistakes(rules: readonly RuleConfig[]): PolicyMistake[] {
  const mistakes: PolicyMistake[] = [];
  compileRules(rules, mistakes);
  return mistakes;
}

/** The mistake in a `matches` pattern in one sentence, or null. */
export function checkPattern(source: string): string | null {
  const compiled = compilePattern(source);
  return typeof compiled === 'string' ? compiled : null;
}

function compileRules(rules: readonly RuleConfig[], mistakes: PolicyMistake[]): Rule[] {
  const names = new Set<string>();
  return rules.map((rule, index) => {
    const path = `rules[${index}]`;
    if (rule.name === '') mistakes.push({ path: `${path}.name`, message: 'a rule needs a name' });
    if (names.has(rule.name)) mistakes.push({ path: `${path}.name`, message: `another rule is named "${rule.name}"` });
    if (RESERVED.includes(rule.name)) {
      mistakes.push({ path: `${path}.name`, message: `"${rule.name}" is what the gateway calls a verdict of its own` });
    }
    names.add(rule.name);
    return compileRule(rule, `${path}.when`, mistakes);
  });
}

function compileRule(rule: RuleConfig, path: string, mistakes: PolicyMistake[]): Rule {
  const { statement, verbs, relations, functions, matches } = rule.when;
  for (const verb of verbs ?? []) {
    if (!VERBS.includes(verb)) mistakes.push({ path: `${path}.verbs`, message: `"${verb}" is no verb` });
  }
  const pattern = matches === undefined ? null : compilePattern(matches);
  if (typeof pattern === 'string') mistakes.push({ path: `${path}.matches`, message: pattern });
  return {
    name: rule.name,
    action: rule.then,
    kinds: statement === undefined ? null : new Set(statement),
    verbs: verbs === undefined ? null : new Set(verbs),
    relations: relations === undefined ? null : compileNames(relations, `${path}.relations`, 2, mistakes),
    functions: functions === undefined ? null : compileNames(functions, `${path}.functions`, 1, mistakes),
    pattern: typeof pattern === 'string' ? null : pattern,
    approvers: rule.approvers?.groups ?? [],
  };
}

function compileNames(texts: readonly string[], path: string, least: 1 | 2, mistakes: PolicyMistake[]): NamePattern[] {
  const patterns: NamePattern[] = [];
  for (const [index, text] of texts.entries()) {
    const pattern = compileName(text, least);
    if (typeof pattern === 'string') mistakes.push({ path: `${path}[${index}]`, message: pattern });
    else patterns.push(pattern);
  }
  return patterns;
}

function compileName(text: string, least: 1 | 2): NamePattern | string {
  const read = readParts(text, 0);
  if (!read.ok) return read.message;
  if (read.end !== text.length) return `"${printable(text)}": a name with ":" has to be in double quotes`;
  const [first, second, ...rest] = read.parts;
  if (first === undefined || rest.length > 0) return `"${printable(text)}" has more than two parts`;
  if (second !== undefined) return { schema: first, name: second };
  if (least === 1) return { schema: ANY, name: first };
  return `"${printable(text)}" has no schema; "${ANY}.${printable(text)}" is that table in every schema`;
}

function compilePattern(source: string): TextPattern | string {
  if (source === '') return 'an empty pattern matches everything; leave it out instead';
  if (source.length > MAX_PATTERN_LENGTH) return `the pattern is longer than ${MAX_PATTERN_LENGTH} characters`;
  try {
    const compiled = RE2JS.compile(source);
    return { source, test: (text) => compiled.test(text) };
  } catch (error) {
    const words = error instanceof Error ? error.message : String(error);
    return `"${printable(source)}" is no RE2 pattern (no look-around, no back-references): ${printable(words)}`;
  }
}
