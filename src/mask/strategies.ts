// Strategy and type to the function that rewrites a cell.

import type { CellMask } from '../types.ts';
import { constantValue } from './constants.ts';
import { partialMask } from './partial.ts';
import { isText, OID } from './pg-types.ts';
import { redacted } from './redacted.ts';
import type { Strategy } from './rules.ts';

/**
 * The mask for a column of this PostgreSQL type (pg_type OID, atttypmod or -1) in format 0 (text) or 1 (binary). What it
 * answers is a valid value of the type, or null (SQL NULL) where there is none. A column's own constraints (CHECK, a
 * domain's, NOT NULL) are not kept. `partial` redacts where the type is not text.
 */
export function cellMask(strategy: Strategy, typeOid: number, typeModifier: number, format: number): CellMask {
  switch (strategy.kind) {
    case 'redact':
      return always(redacted(typeOid, typeModifier, format));
    case 'null':
      return always(null);
    case 'constant':
      return always(constantValue(strategy.value, typeOid, typeModifier, format));
    case 'partial':
      if (!isText(typeOid)) return always(redacted(typeOid, typeModifier, format));
      return partialMask(strategy.keepStart, strategy.keepEnd, typeOid === OID.bpchar);
  }
}

function always(value: Uint8Array | null): CellMask {
  return () => value;
}
