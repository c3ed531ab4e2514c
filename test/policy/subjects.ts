// Facts and questions with everything empty but what a test names.

import type { Question, RelationTarget } from '../../src/policy/decide.ts';
import { compilePolicy, type RuleConfig } from '../../src/policy/rules.ts';
import { parseScope } from '../../src/policy/scope.ts';
import type { Facts, FunctionUse, Need, RelationUse, Verb } from '../../src/types.ts';

export function facts(kind: string, parts: Partial<Facts> = {}): Facts {
  return {
    start: 0,
    end: Number.MAX_SAFE_INTEGER,
    kinds: [kind],
    needs: [],
    relations: [],
    functions: [],
    settings: [],
    columns: [],
    handles: [],
    columnsHidden: false,
    opaque: null,
    valueBlind: true,
    secrets: [],
    ...parts,
  };
}

/** `public.orders` or `orders`. */
export function relation(name: string, verb: Verb): RelationUse {
  const [first = '', second] = name.split('.');
  return second === undefined ? { schema: null, name: first, verb } : { schema: first, name: second, verb };
}

export function call(name: string, need: Need): FunctionUse {
  const [first = '', second] = name.split('.');
  return second === undefined ? { schema: null, name: first, need } : { schema: first, name: second, need };
}

/** A rule by parts, so that only here an object has a property `then`. */
export function rule(
  action: RuleConfig['then'],
  name: string,
  when: RuleConfig['when'],
  approvers?: { readonly groups: readonly string[] },
): RuleConfig {
  return { name, when, then: action, approvers };
}

export interface Asked {
  readonly scopes?: readonly string[];
  readonly rules?: readonly RuleConfig[];
  readonly text?: string;
  readonly values?: readonly string[];
  readonly targets?: Readonly<Record<string, Partial<RelationTarget>>>;
}

/** A question about statements on the connection `analytics`, whose search path is `public`. */
export function question(statements: readonly Facts[] | string, asked: Asked = {}): Question {
  return {
    classification: typeof statements === 'string' ? { ok: false, reason: statements } : { ok: true, statements },
    text: asked.text ?? '',
    values: asked.values ?? null,
    scopes: (asked.scopes ?? ['db:analytics:read']).map(parseScope),
    connection: 'analytics',
    policy: asked.rules === undefined ? null : compilePolicy('careful', asked.rules),
    resolve: ({ schema, name }) => ({
      schema: schema ?? 'public',
      name,
      system: null,
      own: false,
      ...asked.targets?.[name],
    }),
    functionNeed: ({ need }) => need,
  };
}
