// What of a request would be granted, scope by scope: so that a request can be made as small as it has to be, and an agent
// that asked for too much learns which part it may have.

import type { GrantRequest, Preview, PreviewedScope, Verb } from '../types.ts';
import { type AccessRule, type Answer, answerTo, authorize, rulesFor, type Situation } from './access.ts';
import { scopeOf, withVerbs } from './scopes.ts';

/** For so many refusals what is nearest is looked for: who asks for more than a few wrong scopes is guessing. */
const MOST_NEAREST = 8;

export function previewOf(request: GrantRequest, situation: Situation): Preview {
  const whole = authorize(request, situation);
  const message = whole.ok ? whole.approval : whole.message;
  const approval = whole.ok && whole.approval !== null ? 'required' : 'auto';
  const rules = rulesFor(request, situation);
  const scopes: PreviewedScope[] = [];
  for (const text of request.scopes) {
    const looks = scopes.filter(({ granted }) => !granted).length < MOST_NEAREST;
    if ('ok' in rules) scopes.push(unknown(text, rules.message));
    else scopes.push(...previewOfScope(text, request, rules, situation, looks));
  }
  return { granted: whole.ok, approval, message, scopes };
}

function previewOfScope(
  text: string,
  request: GrantRequest,
  rules: readonly AccessRule[],
  situation: Situation,
  looks: boolean,
): PreviewedScope[] {
  const scope = scopeOf(text, request.connection, situation.scopes);
  if ('message' in scope) return [unknown(text, scope.message)];
  const answers = [...scope.verbs].map((verb): [Verb, Answer] => {
    const alone = { ...scope, text: withVerbs(scope, [verb]) };
    return [verb, answerTo(alone, verb, request, rules, situation.renewals([scope]), situation, looks)];
  });
  const granted = answers.filter(([, { ok }]) => ok);
  const refused = answers.filter(([, { ok }]) => !ok);
  const verbs = granted.map(([verb]) => verb);
  const possible = refused.length === 0 ? text : withVerbs(scope, verbs);
  return [
    ...(granted.length === 0
      ? []
      : [
          grantable(
            possible,
            granted.map(([, answer]) => answer),
          ),
        ]),
    ...refused.map(([verb, answer]) => ({
      scope: answers.length === 1 ? text : withVerbs(scope, [verb]),
      granted: false,
      approval: 'auto' as const,
      maxTtlMs: answer.maxTtlMs,
      message: answer.ok ? null : answer.message,
      nearest: answer.ok ? null : answer.nearest,
    })),
  ];
}

/** Several verbs together live as long as the one that may live least, and wait for a person where one has to. */
function grantable(scope: string, answers: readonly Answer[]): PreviewedScope {
  const message = answers.map((answer) => (answer.ok ? answer.approval : null)).find((text) => text !== null) ?? null;
  return {
    scope,
    granted: true,
    approval: message === null ? 'auto' : 'required',
    maxTtlMs: Math.min(...answers.map(({ maxTtlMs }) => maxTtlMs ?? 0)),
    message,
    nearest: null,
  };
}

function unknown(scope: string, message: string): PreviewedScope {
  return { scope, granted: false, approval: 'auto', maxTtlMs: null, message, nearest: null };
}
