// What a cast leaves of a value: a cast to the type that it has leaves it as it is, everything else computes a new one.

import type { CatalogType } from '../../../types.ts';
import { type Field, type Flow, made, type Value } from '../../flow.ts';
import { type Fields, listOf, NotUnderstood, namesOf, qualified } from '../tree.ts';
import { shapeOf } from './expressions.ts';
import type { Run } from './scope.ts';

type Row = Value['row'];

export function castTo(run: Run, value: Value, typeName: Fields): Value {
  const type = typeOf(run, typeName);
  if (type === null) return { flow: made(value.flow), type: null, row: undefined };
  const plain = listOf(typeName.typmods).length === 0;
  if (plain && value.type !== null && value.type.oid === type.oid) return value;
  const flow = made(value.flow);
  const row = rowOfType(run, type.oid, flow);
  // A row is cast field by field.
  if (row && value.row && row.length === value.row.length) {
    const given = value.row;
    const fields = row.map((field, i) => ({ name: field.name, value: castField(field, given[i]) }));
    return { flow, type: { oid: type.oid, modifier: -1 }, row: fields };
  }
  return { flow, type: null, row, array: type.element !== 0 };
}

function castField(field: Field, given: Field | undefined): Value {
  if (given === undefined) return field.value;
  return { flow: made(given.value.flow), type: null, row: given.value.row === null ? field.value.row : undefined };
}

/** A new value of a type that is written: the column of a function, JSON_TABLE or XMLTABLE. */
export function valueAs(run: Run, typeName: Fields, flow: Flow): Value {
  const type = typeOf(run, typeName);
  if (type === null) return { flow: made(flow), type: null, row: undefined };
  return { flow: made(flow), type: null, row: rowOfType(run, type.oid, flow), array: type.element !== 0 };
}

/** The type of a cast; null where the catalog has none of that name. */
function typeOf(run: Run, typeName: Fields): CatalogType | null {
  shapeOf('TypeName', typeName);
  if (typeName.setof === true || typeName.pct_type === true) throw new NotUnderstood('a type has an unknown form');
  const { schema, name } = qualified(namesOf(typeName.names));
  const found = run.catalog.findType?.(schema, name, run.searchPath);
  if (found === undefined) return null;
  if (listOf(typeName.arrayBounds).length === 0) return found;
  return run.catalog.type?.(found.array) ?? null;
}

/** The fields of a value of a type, all with the flow of the value. */
export function rowOfType(run: Run, oid: number, flow: Flow): Row {
  const type = run.catalog.type?.(oid);
  if (type === undefined) return undefined;
  if (type.element !== 0) return rowOfType(run, type.element, flow) === null ? null : undefined;
  switch (type.kind) {
    case 'b':
    case 'e':
    case 'm':
    case 'r':
      return null;
    case 'd':
      return rowOfType(run, type.base, flow) === null ? null : undefined;
    case 'c':
      return type.fields.map((name) => ({ name, value: { flow: made(flow), type: null, row: undefined } }));
    default:
      return undefined;
  }
}
