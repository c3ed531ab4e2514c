// Card numbers in columns of numbers: a value of fifteen or sixteen digits that is one, and nothing else.
//
// A number column gives no boundary and no grouping to trust, so only these lengths are looked at. Of random numbers of sixteen
// digits about one in forty passes issuer and checksum; identifiers in such columns are seldom so long.

import type { CellMask } from '../../types.ts';
import { OID } from '../pg-types.ts';
import { redacted } from '../redacted.ts';
import { isCardNumber } from './credit-card.ts';

const LEAST = 10 ** 14;
const BELOW = 10 ** 16;
const TWO_32 = 2 ** 32;

const digits = new Uint8Array(16);

/** The mask of an int8 or numeric column: 0 in the place of a card number. */
export function numberMask(typeOid: number, typeModifier: number, format: number): CellMask {
  const value = redacted(typeOid, typeModifier, format);
  const read = format === 0 ? decimal : typeOid === OID.int8 ? int8 : numeric;
  return (buffer, start, end) => (isCard(read(buffer, start, end)) ? value : undefined);
}

function isCard(number: number): boolean {
  if (!(number >= LEAST && number < BELOW)) return false;
  const text = String(number);
  for (let i = 0; i < text.length; i++) digits[i] = text.charCodeAt(i) - 0x30;
  return isCardNumber(digits, text.length);
}

/** A whole number in decimals, with nothing but zeros behind its point; else -1. */
function decimal(buffer: Buffer, start: number, end: number): number {
  let value = 0;
  let at = start;
  for (; at < end && at - start <= 16; at++) {
    const byte = buffer[at] ?? 0;
    if (byte === 0x2e) break;
    if (byte < 0x30 || byte > 0x39) return -1;
    value = value * 10 + byte - 0x30;
  }
  for (at++; at < end; at++) if (buffer[at] !== 0x30) return -1;
  return value;
}

function int8(buffer: Buffer, start: number, end: number): number {
  return end - start === 8 ? buffer.readInt32BE(start) * TWO_32 + buffer.readUInt32BE(start + 4) : -1;
}

/** Digits of base 10,000: of a whole number below 10^16 four, the first of weight 3; zeros at the end are left out. */
function numeric(buffer: Buffer, start: number, end: number): number {
  if (end - start < 8 || buffer.readUInt16BE(start + 4) !== 0) return -1;
  const count = buffer.readInt16BE(start);
  const weight = buffer.readInt16BE(start + 2);
  if (weight !== 3 || count > 4 || end - start < 8 + 2 * count) return -1;
  let value = 0;
  for (let i = 0; i < 4; i++) value = value * 10_000 + (i < count ? buffer.readInt16BE(start + 8 + 2 * i) : 0);
  return value;
}
