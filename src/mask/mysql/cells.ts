import type { CellMask } from '../../types.ts';
export const mysqlCellMask =
  (_s: unknown, _c: unknown): CellMask =>
  () =>
    null;
export const mysqlDetectorMask =
  (_d: unknown, _c: unknown): CellMask | undefined =>
  () =>
    null;
