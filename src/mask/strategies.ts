// Strategy and type to the function that rewrites a cell.

import type { CellMask } from '../types.ts';
import { arrayMask } from './arrays.ts';
import { constantValue } from './constants.ts';
import { hashMask } from './hash.ts';
import { partialMask } from './partial.ts';
import { isText, OID, shapeOf, type TypeLookup } from './pg-types.ts';
import { redacted } from './redacted.ts';
import type { Strategy } from './rules.ts';

/**
 * The mask for a column of this PostgreSQL type (pg_type OID, atttypmod or -1) in format 0 (text) or 1 (binary). What it
 * answers is a valid value of the type, or null (SQL NULL) where there is none. A column's own constraints (CHECK, a
 * domain's, NOT NULL) are not kept. `partial` and `hash` redact where the type is not theirs. In arrays `partial`, `hash` and
 * `constant` work on each element; a redacted array is empty. `types` tells what types are that are not built in; without it
 * they are NULL.
 */
export function cellMask(
  strategy: Strategy,
  typeOid: number,
  typeModifier: number,
  format: number,
  types?: TypeLookup | undefined,
): CellMask {
  if (strategy.kind === 'null') return always(null);
  const shape = shapeOf(typeOid, types);
  if (strategy.kind !== 'redact' && shape.kind === 'array') {
    return arrayMask(cellMask(strategy, shape.element, typeModifier, format, types), shape.element, format);
  }
  if (strategy.kind === 'redact' || shape.kind !== 'known') {
    return always(redacted(typeOid, typeModifier, format, types));
  }
  const { oid } = shape;
  switch (strategy.kind) {
    case 'constant':
      return always(constantValue(strategy.value, oid, typeModifier, format));
    case 'hash':
      if (strategy.key === null) return always(redacted(oid, typeModifier, format));
      return hashMask(strategy.key, oid, typeModifier, format);
    case 'partial':
      if (!isText(oid)) return always(redacted(oid, typeModifier, format));
      return partialMask(strategy.keepStart, strategy.keepEnd, oid === OID.bpchar);
  }
}

function always(value: Uint8Array | null): CellMask {
  return () => value;
}
