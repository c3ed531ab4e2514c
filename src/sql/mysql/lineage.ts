import type { Catalog, Lineage } from '../../types.ts';
import type { LexMode } from './lexer.ts';
export function lineageOf(
  _t: string,
  _i: number,
  _w: { catalog: Catalog; searchPath: readonly string[]; mode: LexMode },
): Lineage | { readonly unproven: string } {
  return { unproven: 'not yet' };
}
