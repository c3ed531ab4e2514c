// Facts in one line, for tables of statements.

import assert from 'node:assert/strict';
import { classify } from '../../../src/sql/pg/classify.ts';
import type { Facts, Need } from '../../../src/types.ts';
import { VERBS } from '../../../src/types.ts';

/** The one statement of a text that must be understood. */
export function one(sql: string): Facts {
  const [facts, ...more] = all(sql);
  assert.ok(facts !== undefined && more.length === 0, `one statement: ${sql}`);
  return facts;
}

export function all(sql: string): readonly Facts[] {
  const understood = classify(sql);
  assert.ok(understood.ok, `${sql}: ${understood.ok ? '' : understood.reason}`);
  return understood.statements;
}

/** `schema.name:verb …`, in order of name. */
export function relations(facts: Facts): string {
  const names = facts.relations.map((use) => `${use.schema === null ? '' : `${use.schema}.`}${use.name}:${use.verb}`);
  return names.sort().join(' ');
}

/** `qualifier.name` per place: `o: a t.* e: b`. */
export function columns(facts: Facts): string {
  return (['output', 'predicate', 'assigned', 'expression'] as const)
    .map((place) => {
      const uses = facts.columns.filter((use) => use.place === place);
      const names = uses.map((use) => `${use.qualifier === null ? '' : `${use.qualifier}.`}${use.name}`).sort();
      return names.length === 0 ? '' : `${place[0]}: ${names.join(' ')}`;
    })
    .filter((part) => part !== '')
    .join(' | ');
}

/** Functions, operators left out, with what they need where that is not `read`. */
export function functions(facts: Facts): string {
  const names = facts.functions
    .filter((use) => !use.name.startsWith('operator '))
    .map(
      (use) => `${use.schema === null ? '' : `${use.schema}.`}${use.name}${use.need === 'read' ? '' : `:${use.need}`}`,
    );
  return names.sort().join(' ');
}

const ORDER: readonly Need[] = [...VERBS, 'never'];

/** Everything that the statement needs in any way, weakest first. */
export function needs(facts: Facts): string {
  const found = new Set<Need>(facts.needs);
  for (const use of facts.relations) found.add(use.verb);
  for (const use of facts.functions) if (use.need !== 'read') found.add(use.need);
  for (const use of facts.settings) if (use.need !== 'read') found.add(use.need);
  return ORDER.filter((need) => found.has(need)).join(' ');
}
