// The verdict on a text: what it needs against what the grant has, then the policy's rules. Pure.

import {
  type Classification,
  type Facts,
  type FunctionUse,
  type Need,
  type RelationUse,
  type Scope,
  VERBS,
  type Verb,
  type Verdict,
} from '../types.ts';
import { firstMatch, undecided } from './match.ts';
import { printable, writePart } from './names.ts';
import type { Policy, Rule } from './rules.ts';
import { covers, coversConnection, printScope, touchesConnection } from './scope.ts';

/** A relation as the session sees it. */
export interface RelationTarget {
  readonly schema: string;
  readonly name: string;
  /** For a relation of the database system itself: what reading it needs. Null for all others. */
  readonly system: Need | null;
  /** A temporary relation of this session. */
  readonly own: boolean;
}

export interface Question {
  readonly classification: Classification;
  readonly text: string;
  /** Bound values as text; null where they are not known yet. */
  readonly values: readonly string[] | null;
  /** The grant's. */
  readonly scopes: readonly Scope[];
  readonly connection: string;
  readonly policy: Policy | null;
  resolve(use: RelationUse): RelationTarget;
  /** What a call needs in this database, where its name may reach a function that somebody made. */
  functionNeed(use: FunctionUse): Need;
}

/** The verdict on the whole text: the worst of its statements', the first of those that are equally bad. */
export function decide(question: Question): Verdict {
  const verdicts = decideEach(question);
  let worst = ALLOWED;
  let place = 0;
  for (const [index, verdict] of verdicts.entries()) {
    if (index === 0 || SEVERITY[verdict.action] > SEVERITY[worst.action]) {
      worst = verdict;
      place = index + 1;
    }
  }
  if (verdicts.length < 2 || worst.action === 'allow') return worst;
  return { ...worst, reason: `statement ${place} of ${verdicts.length}: ${worst.reason}` };
}

/** One verdict a statement, in their order; a single one for a text that was not understood. */
export function decideEach(question: Question): Verdict[] {
  const { classification } = question;
  if (!classification.ok) return [notUnderstood(question, classification.reason)];
  return classification.statements.map((facts) => {
    const statement: Resolved = {
      facts,
      kind: facts.kinds[0] ?? 'statement',
      relations: facts.relations.map((use) => ({ use, target: question.resolve(use) })),
      calls: facts.functions.map((use) => ({ use, need: question.functionNeed(use) })),
    };
    return outsideScope(question, statement) ?? byPolicy(question, statement);
  });
}

/** The verbs that a statement uses, weakest first; functions and settings count by their names alone. */
export function verbsOf(facts: Facts): Verb[] {
  return verbsWith(
    facts,
    facts.functions.map((use) => use.need),
  );
}

/** A statement whose names were looked up in the session. */
interface Resolved {
  readonly facts: Facts;
  readonly kind: string;
  readonly relations: readonly { readonly use: RelationUse; readonly target: RelationTarget }[];
  readonly calls: readonly { readonly use: FunctionUse; readonly need: Need }[];
}

const SEVERITY = { allow: 0, approve: 1, deny: 2 } as const;
const ALLOWED: Verdict = { action: 'allow', rule: 'default', reason: 'inside the scope, and no rule is against it' };

function verbsWith(facts: Facts, functionNeeds: readonly Need[]): Verb[] {
  const used = new Set<Need>([...facts.needs, ...functionNeeds]);
  for (const relation of facts.relations) used.add(relation.verb);
  for (const setting of facts.settings) used.add(setting.need);
  return VERBS.filter((verb) => used.has(verb));
}

// --- Scope -----------------------------------------------------------------------------------------------------------

/** The refusal for the first thing of the statement that lies outside the grant, or null. */
function outsideScope(question: Question, { facts, kind, relations, calls }: Resolved): Verdict | null {
  // Without this nothing would ask a scope of a statement that uses nothing.
  if (!holds(question, 'read')) return refusal(question, `${kind} on this connection`, 'read');
  for (const { use, target } of relations) {
    const refused = relationOutside(question, kind, use, target);
    if (refused !== null) return refused;
  }
  for (const { use, need } of calls) {
    if (!holds(question, need)) return refusal(question, `calling ${dotted(use.schema, use.name)}`, need);
  }
  for (const use of facts.settings) {
    if (!holds(question, use.need)) return refusal(question, `changing the setting ${printable(use.name)}`, use.need);
  }
  const definesRelations = facts.relations.some((use) => use.verb === 'ddl');
  for (const need of facts.needs) {
    // A definition that is pinned to no relation (a schema, a type, a database) could be anywhere.
    const held =
      need === 'ddl' && !definesRelations
        ? question.scopes.some((scope) => coversConnection(scope, question.connection, 'ddl'))
        : holds(question, need);
    if (!held) return refusal(question, kind, need);
  }
  return null;
}

function relationOutside(question: Question, kind: string, use: RelationUse, target: RelationTarget): Verdict | null {
  const deed = `${kind} on ${dotted(target.schema, target.name)}`;
  if (target.own && use.verb !== 'admin') return null;
  if (target.system !== null) {
    const need = use.verb === 'read' ? target.system : 'admin';
    return holds(question, need) ? null : refusal(question, deed, need);
  }
  const access = {
    connection: question.connection,
    schema: target.schema,
    name: target.name,
    verb: use.verb,
  };
  return question.scopes.some((scope) => covers(scope, access)) ? null : refusal(question, deed, use.verb, target);
}

/** Whether the grant has what is needed by something that is no relation. */
function holds(question: Question, need: Need): boolean {
  const { scopes, connection } = question;
  switch (need) {
    case 'read':
      // Free of effects and of protected data: any grant is enough.
      return scopes.some((scope) => VERBS.some((verb) => touchesConnection(scope, connection, verb)));
    case 'write':
    case 'ddl':
      return scopes.some((scope) => touchesConnection(scope, connection, need));
    case 'admin':
      return scopes.some((scope) => coversConnection(scope, connection, 'admin'));
    case 'never':
      return false;
  }
}

function refusal(question: Question, deed: string, need: Need, target?: { schema: string; name: string }): Verdict {
  if (need === 'never') {
    return {
      action: 'deny',
      rule: 'scope',
      reason: `${deed} is refused under every grant: the gateway's own reading of the session depends on it`,
      hint: 'Leave it out; no scope allows it.',
    };
  }
  const whole = need === 'admin' && target === undefined ? ' over the whole connection' : '';
  return {
    action: 'deny',
    rule: 'scope',
    reason: `${deed} needs ${need}${whole}; this grant has ${granted(question.scopes)}`,
    hint: hintFor(question.connection, need, target),
  };
}

function granted(scopes: readonly Scope[]): string {
  return scopes.length === 0 ? 'no scope' : scopes.map((scope) => printable(scope.text)).join(', ');
}

function hintFor(connection: string, verb: Verb, target?: { schema: string; name: string }): string {
  const schema = target?.schema ?? '*';
  const scope = printScope({ connection, schema, table: target?.name ?? '*', verbs: new Set([verb]) });
  const words = [connection, scope].map((word) => shellWord(printable(word)));
  return `Ask for it: sallyport grants request --connection ${words[0]} --scope ${words[1]} --ttl 20m --task <task> --reason <why>`;
}

function shellWord(word: string): string {
  return /^[\w.:+-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}

function dotted(schema: string | null, name: string): string {
  return printable(schema === null ? writePart(name) : `${writePart(schema)}.${writePart(name)}`);
}

// --- Policy ----------------------------------------------------------------------------------------------------------

function byPolicy(question: Question, { facts, kind, relations, calls }: Resolved): Verdict {
  if (question.policy === null) return ALLOWED;
  const rule = firstMatch(question.policy, {
    facts,
    targets: relations.map(({ target }) => target),
    verbs: verbsWith(
      facts,
      calls.map(({ need }) => need),
    ),
    text: question.text,
    values: question.values ?? [],
  });
  return rule === null ? ALLOWED : verdictOf(rule, kind);
}

function verdictOf(rule: Rule, kind: string): Verdict {
  const decided = { action: rule.action, rule: rule.name };
  switch (rule.action) {
    case 'allow':
      return { ...decided, reason: `the rule ${rule.name} allows it` };
    case 'deny':
      return {
        ...decided,
        reason: `${kind} is blocked by the rule ${rule.name}`,
        hint: 'No scope changes this: a rule of the connection’s policy forbids it. Do without it, or ask its operator.',
      };
    case 'approve':
      return {
        ...decided,
        reason: `approval needed: the rule ${rule.name} holds ${kind} for a person`,
        hint: `Ask ${rule.approvers.length === 0 ? 'a person who may' : rule.approvers.join(' or ')} to run it: approvals cannot be given through the gateway yet.`,
      };
  }
}

function notUnderstood(question: Question, why: string): Verdict {
  const { scopes, connection, policy } = question;
  const decided = { rule: 'not-understood', reason: `the statement is not understood: ${printable(why)}` };
  const hint = 'Write it in plainer SQL, one statement at a time.';
  if (!scopes.some((scope) => coversConnection(scope, connection, 'admin'))) {
    return { action: 'deny', ...decided, hint };
  }
  // Even admin does not get around a rule by being hard to read.
  const rule = policy === null ? null : undecided(policy, question.text, question.values ?? []);
  if (rule === null) return { action: 'allow', ...decided };
  if (rule.certain) return verdictOf(rule.rule, 'a statement that is not understood');
  return {
    action: 'deny',
    ...decided,
    reason: `${decided.reason}; the rule ${rule.rule.name} may be against it`,
    hint,
  };
}
