// Facts in one line, for tables of statements.
import assert from 'node:assert/strict';
import { classify } from '../../../src/sql/mysql/classify.ts';
import { type LexMode, lexMode } from '../../../src/sql/mysql/lexer.ts';
import type { Facts, Need } from '../../../src/types.ts';
import { VERBS } from '../../../src/types.ts';

/** How a session with this sql_mode reads its texts. */
export function mode(sqlMode = '', mariadb = false): LexMode {
  const found = lexMode(sqlMode, mariadb);
  assert.ok(found !== null, sqlMode);
  return found;
}

export const MYSQL = mode();
export const MARIADB = mode('', true);
export const BOTH: readonly LexMode[] = [MYSQL, MARIADB];

/** The one statement of a text that must be understood. */
export function one(sql: string, reading: LexMode = MYSQL): Facts {
  const [facts, ...more] = all(sql, reading);
  assert.ok(facts !== undefined && more.length === 0, `one statement: ${sql}`);
  return facts;
}

export function all(sql: string, reading: LexMode = MYSQL): readonly Facts[] {
  const understood = classify(sql, reading);
  assert.ok(understood.ok, `${sql}: ${understood.ok ? '' : understood.reason}`);
  return understood.statements;
}

export function refusal(sql: string, reading: LexMode = MYSQL): string {
  const understood = classify(sql, reading);
  assert.ok(!understood.ok, `understood: ${sql}`);
  return understood.reason;
}

/** `schema.name:verb …`, in order of name. */
export function relations({ relations: uses }: Facts): string {
  return uses
    .map(({ schema, name, verb }) => `${schema === null ? '' : `${schema}.`}${name}:${verb}`)
    .sort()
    .join(' ');
}

/** With what they need where that is not `read`. */
export function functions({ functions: uses }: Facts): string {
  return uses
    .map(
      ({ schema, name, need }) => `${schema === null ? '' : `${schema}.`}${name}${need === 'read' ? '' : `:${need}`}`,
    )
    .sort()
    .join(' ');
}

const ORDER: readonly Need[] = [...VERBS, 'never'];

/** Everything that the statement needs in any way, weakest first; `opaque` where it cannot be seen into. */
export function needs({ needs: own, relations: used, functions: called, settings, opaque }: Facts): string {
  const found = new Set<string>(own);
  for (const { verb } of used) found.add(verb);
  for (const { need } of [...called, ...settings]) if (need !== 'read') found.add(need);
  return [...ORDER.filter((need) => found.has(need)), ...(opaque === null ? [] : ['opaque'])].join(' ');
}
