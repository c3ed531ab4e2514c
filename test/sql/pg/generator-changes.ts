// Generated INSERT, UPDATE and MERGE statements with RETURNING.

import { nothing, query, subqueryIn } from './generator.ts';
import { expression, type Random, type Scope, type Type } from './generator-expressions.ts';
import { type Around, fromClause, ITEMS, ORDERS, PEOPLE, type Relation, source } from './generator-from.ts';

const TARGETS: readonly Relation[] = [{ ...PEOPLE, columns: PEOPLE.columns.slice(0, 4) }, ORDERS, ITEMS];

export interface Change {
  readonly sql: string;
  readonly target: string;
  /** What RETURNING brings, where it was asked to be known. */
  readonly columns: Relation['columns'];
}

/** `known`: RETURNING brings the target's columns, else anything. */
export function change(r: Random, around: Around, known = false): Change {
  const target = r.pick(TARGETS);
  return { sql: statement(r, around, target, known), target: target.name, columns: target.columns };
}

function statement(r: Random, around: Around, target: Relation, known: boolean): string {
  const set = target.columns.filter(([name]) => name !== 'id' && r.chance(0.6));
  const assigned = set.length > 0 ? set : target.columns.slice(1, 2);
  const types = assigned.map(([, type]) => type);
  const names = assigned.map(([name]) => name).join(', ');
  const bare = [
    '*',
    'd.*',
    'd',
    'to_json(d)',
    ...assigned.map(([name]) => `upper(d.${name}::text), old.${name}, new.${name}`),
  ];
  const back = ` RETURNING ${known ? target.columns.map(([name]) => `d.${name}`).join(', ') : r.pick(bare)}`;
  const into = `${target.name} AS d`;
  switch (r.int(4)) {
    case 0:
      return `INSERT INTO ${into} (id, ${names}) SELECT -(row_number() OVER ())::int - 7, ${shortened(types)} FROM (${query(r, around, types)}) q${back}`;
    case 1: {
      const { sql, scope } = fromClause(r, around);
      return `UPDATE ${into} SET ${settings(r, scope, assigned, 2)}${sql}${back}`;
    }
    case 2:
      return `UPDATE ${into} SET (${names}) = (SELECT ${shortened(types)} FROM (${query(r, around, types)}) q LIMIT 1)${back}`;
    default: {
      const one = source(r, { ...around, depth: 1 }, nothing(around), false);
      const columns = one.columns.map(([name, type]) => ({ ref: `${one.alias}.${name}`, type }));
      const scope: Scope = { columns, rows: [], subquery: subqueryIn(around) };
      const values = types.map((type) => short(type, expression(r, scope, type, 1))).join(', ');
      return (
        `MERGE INTO ${into} USING (SELECT * FROM ${one.sql} LIMIT 1) AS ${one.alias} ON d.id % 10 = ${r.int(12)} ` +
        `WHEN MATCHED THEN UPDATE SET ${settings(r, scope, assigned, 1)} ` +
        `WHEN NOT MATCHED THEN INSERT (id, ${names}) VALUES (-9, ${values})${back}`
      );
    }
  }
}

/** Columns are 40 characters at most. */
function short(type: Type, value: string): string {
  return type === 'text' ? `left(${value}, 40)` : value;
}

function shortened(types: readonly Type[]): string {
  return types.map((type, i) => short(type, `q.c${i + 1}`)).join(', ');
}

function settings(r: Random, scope: Scope, assigned: Relation['columns'], depth: number): string {
  return assigned.map(([name, type]) => `${name} = ${short(type, expression(r, scope, type, depth))}`).join(', ');
}
