// Joins: which columns they have, which of them USING and NATURAL merge, and what stays visible of their sides
// (parser/parse_clause.c: transformFromClauseItem, buildMergedJoinVar).

import { derive, type Field, sameType, type Value } from '../../flow.ts';
import { type Fields, NotUnderstood, namesOf, textOf } from '../tree.ts';
import { decideBy } from './expressions.ts';
import { aliasOf, type From, fromItem, renamed } from './from.ts';
import { decide, type Item, item, type Level, spend, withItems } from './scope.ts';

export function join(level: Level, fields: Fields): From {
  const left = fromItem(level, fields.larg);
  for (const one of left.items) one.lateral = true;
  const right = withItems(level, [...level.items, ...left.items], () => fromItem(level, fields.rarg));
  for (const one of left.items) one.lateral = false;
  const visible: Item[] = [...left.items, ...right.items];

  const type = textOf(fields.jointype) ?? '';
  const shared = fields.isNatural === true ? common(left.top, right.top) : namesOf(fields.usingClause);
  const merged = shared.map((name) => mergedColumn(level, type, name, sole(left.top, name), sole(right.top, name)));
  const others = (one: Item): Field[] => one.fields.filter((field) => !shared.includes(field.name));
  const columns = [...merged, ...others(left.top), ...others(right.top)];
  spend(level.run, columns.length);
  const using = aliasOf(fields.join_using_alias);
  if (using.name !== null) visible.push(item(using.name, merged, { open: false }));
  // ON sees the two sides of this join, and nothing else of the query.
  if (fields.quals !== undefined) withItems(level, visible, () => decideBy(level, fields.quals));

  const alias = aliasOf(fields.alias);
  const top = item(alias.name, renamed(columns, alias.columns), { named: alias.name !== null });
  if (alias.name !== null) return { top, items: [top] };
  for (const one of visible) one.open = false;
  return { top, items: [...visible, top] };
}

function common(left: Item, right: Item): string[] {
  const names = new Set(right.fields.map((field) => field.name));
  return left.fields.map((field) => field.name).filter((name) => names.has(name));
}

function sole(one: Item, name: string): Value {
  const [found, another] = one.fields.filter((field) => field.name === name);
  if (found === undefined || another !== undefined)
    throw new NotUnderstood(`the column ${name} of a join is not known`);
  return found.value;
}

/** The merged column is the outer side's; of an inner join the left one's, unless only its type had to be changed. */
function mergedColumn(level: Level, type: string, name: string, left: Value, right: Value): Field {
  decide(level.run, [left, right]);
  const same = sameType(left.type, right.type);
  switch (type) {
    case 'JOIN_INNER':
      return { name, value: same ? left : derive([left, right]) };
    case 'JOIN_LEFT':
      return { name, value: same ? left : derive([left]) };
    case 'JOIN_RIGHT':
      return { name, value: same ? right : derive([right]) };
    case 'JOIN_FULL':
      return { name, value: derive([left, right]) };
    default:
      throw new NotUnderstood('a join has an unknown form');
  }
}
