// Expressions: of which columns a value holds something. Every function is taken to give back what it is given; which functions may be
// called at all is judged elsewhere.
import { computed, derive, INDEPENDENT, isFree, type Value } from '../../flow.ts';
import type { Call, Expression, OrderItem, Window } from '../ast.ts';
import { functionNeed } from '../functions.ts';
import { query } from './queries.ts';
import { decide, findColumn, findQualified, type Level, NotFollowed, write } from './scope.ts';

export function evaluateAll(level: Level, list: readonly Expression[]): Value[] {
  return list.map((value) => evaluate(level, value));
}

/** What filters, joins, groups and orders. */
export function decideBy(level: Level, ...list: readonly (Expression | null | undefined)[]): void {
  for (const value of list) if (value != null) decide(level.run, [evaluate(level, value)]);
}

export function decideByOrder(level: Level, list: readonly OrderItem[]): void {
  for (const { value } of list) decideBy(level, value);
}

/** Functions that keep what they are given beside their result: it could be asked for later. */
const KEEPERS: ReadonlyMap<string, string> = new Map([
  ['last_insert_id', 'LAST_INSERT_ID()'],
  ['get_lock', 'the name of a lock'],
  ['setval', 'a sequence'],
]);

export function evaluate(level: Level, value: Expression): Value {
  switch (value.kind) {
    case 'literal':
    case 'parameter':
    case 'system-variable':
    // Nothing protected is ever put into a variable: that is refused.
    case 'user-variable':
    case 'sequence':
      return INDEPENDENT;
    case 'column':
      return column(level, value);
    case 'assignment': {
      const given = evaluate(level, value.value);
      write(level.run, `the variable @${value.variable}`, null, given.flow);
      return derive([given]);
    }
    case 'call':
      return call(level, value);
    case 'operator':
      return operator(level, value.name, value.operands);
    case 'cast':
    case 'collate':
      return derive([evaluate(level, value.operand)]);
    case 'case': {
      const whens = value.whens.flatMap(({ when, then }) => evaluateAll(level, [when, then]));
      const others = [value.operand, value.otherwise].filter((part) => part !== null);
      return derive([...whens, ...evaluateAll(level, others)]);
    }
    case 'subquery': {
      const columns = query(level, value.query).map((field) => field.value);
      return columns.length === 1 && columns[0] !== undefined ? columns[0] : derive(columns);
    }
    // One bit of what is compared, as a filter tells it.
    case 'exists':
      query(level, value.query);
      return INDEPENDENT;
    case 'quantified':
      decideBy(level, value.operand);
      decide(
        level.run,
        query(level, value.query).map((field) => field.value),
      );
      return INDEPENDENT;
    case 'row':
      return derive(evaluateAll(level, value.items));
    case 'interval':
      return derive([evaluate(level, value.value)]);
    case 'match':
      return derive(evaluateAll(level, [...value.columns, value.against]));
    case 'default':
      return value.column === null ? INDEPENDENT : derive([column(level, value.column)]);
    case 'inserted':
      return findQualified(level, null, INSERTED, value.column.name);
  }
}

/** What VALUES(column) looks in: no table has a name with a NUL. */
export const INSERTED = '\0inserted';

function column(level: Level, { schema, table, name }: Extract<Expression, { kind: 'column' }>): Value {
  return table === null ? findColumn(level, name) : findQualified(level, schema, table, name);
}

const IN: ReadonlySet<string> = new Set(['in', 'not in']);

function operator(level: Level, name: string, operands: readonly Expression[]): Value {
  if (name.startsWith('is ') && name.includes('null')) {
    // No more than that there is a value.
    decideBy(level, ...operands);
    return INDEPENDENT;
  }
  const [, right] = operands;
  if (IN.has(name) && right?.kind === 'subquery') {
    decideBy(level, ...operands);
    return INDEPENDENT;
  }
  return derive(evaluateAll(level, operands));
}

function call(level: Level, { schema, name, args, star, distinct, orderBy, limit, over }: Call): Value {
  const { run } = level;
  const given = evaluateAll(level, args);
  decideByOrder(level, orderBy);
  decideBy(level, limit?.count, limit?.offset);
  if (distinct) decide(run, given);
  if (over !== null && typeof over !== 'string') window(level, over);
  const into = KEEPERS.get(name) ?? (functionNeed(schema, name) === 'read' ? null : `what ${name} is given`);
  if (into !== null && !isFree(computed(given))) write(run, into, null, computed(given));
  if (name === 'sleep') decide(run, given);
  // Only how many there are is told.
  if (name === 'count' && schema === null && !run.catalog.userFunctions.has(name)) {
    decide(run, given);
    return INDEPENDENT;
  }
  if (star) throw new NotFollowed(`${name}(*) is not known`);
  return derive(given);
}

export function window(level: Level, { partitionBy, orderBy, frame }: Window): void {
  decideBy(level, ...partitionBy, ...frame);
  decideByOrder(level, orderBy);
}
