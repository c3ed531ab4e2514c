// Detectors as masks of cells: what is found inside a value is replaced by its name in brackets, the rest stays, and the value
// stays one of its type.

import { isUtf8 } from 'node:buffer';
import type { CellMask } from '../../types.ts';
import { arrayMask } from '../arrays.ts';
import { isText, lengthLimit, OID, shapeOf, type TypeLookup } from '../pg-types.ts';
import { redacted } from '../redacted.ts';
import { scratchOf } from '../scratch.ts';
import { type Edit, jsonEdits, placeholder, textEdits } from './edits.ts';
import { numberMask } from './numbers.ts';
import { type Detector, SEEN } from './scan.ts';

const STAR = 0x2a;
const SPACE = 0x20;
const ZERO = 0x30;
const JSONB_VERSION = 1;

/** Types whose values hold no secret that is looked for: too short, or of another kind altogether. */
const NEVER: ReadonlySet<number> = new Set([
  OID.bool,
  OID.char,
  OID.int2,
  OID.int4,
  OID.oid,
  OID.tid,
  OID.xid,
  OID.cid,
  OID.xid8,
  OID.float4,
  OID.float8,
  OID.money,
  OID.date,
  OID.time,
  OID.timetz,
  OID.timestamp,
  OID.timestamptz,
  OID.interval,
  OID.uuid,
  OID.macaddr,
  OID.macaddr8,
  OID.bit,
  OID.varbit,
  OID.pgLsn,
  OID.point,
  OID.lseg,
  OID.path,
  OID.box,
  OID.polygon,
  OID.line,
  OID.circle,
  OID.int4range,
  OID.int8range,
  OID.numrange,
  OID.tsrange,
  OID.tstzrange,
  OID.daterange,
]);

/**
 * The mask that looks for secrets in a column of this type (pg_type OID, atttypmod or -1) in format 0 (text) or 1 (binary), or
 * undefined where its values can hold none. It leaves cells without a finding as they are.
 * - text: the finding is replaced; in a column of limited length by stars where its name would not fit;
 * - JSON, and text that is JSON: inside strings, and numbers become strings; escapes are seen through;
 * - bytea: where all of it is text; arrays: element by element;
 * - int8, numeric: card numbers become 0; inet, cidr: are addresses, always redacted;
 * - other types with a finding anywhere in them (composites, tsvector, xml, hstore …) are redacted whole.
 * A secret that is spread over two cells is not found. A format that is not known is masked to NULL.
 */
export function detectorMask(
  detector: Detector,
  typeOid: number,
  typeModifier: number,
  format: number,
  types?: TypeLookup | undefined,
): CellMask | undefined {
  const shape = shapeOf(typeOid, types);
  if (shape.kind === 'range' || shape.kind === 'multirange') return undefined;
  if (shape.kind === 'array') {
    const element = detectorMask(detector, shape.element, typeModifier, format, types);
    return element && arraysOf(detector, element, shape.element, format);
  }
  if (shape.kind === 'known') {
    const { oid } = shape;
    if (NEVER.has(oid)) return undefined;
    if (format !== 0 && format !== 1) return () => null;
    if (isText(oid)) return textMask(detector, oid, typeModifier);
    switch (oid) {
      case OID.json:
        return jsonMask(detector, 0);
      case OID.jsonb:
        return jsonMask(detector, format === 1 ? 1 : 0);
      case OID.bytea:
        return format === 1 ? bytesMask(detector) : byteaTextMask(detector);
      case OID.int8:
      case OID.numeric:
        return detector.names.includes('credit-card') ? numberMask(oid, typeModifier, format) : undefined;
      case OID.inet:
      case OID.cidr: {
        const value = redacted(oid, typeModifier, format);
        return detector.names.includes('ip-address') ? () => value : undefined;
      }
    }
  }
  if (format !== 0 && format !== 1) return () => null;
  return wholeMask(detector, redacted(typeOid, typeModifier, format, types), format);
}

/** Most arrays hold nothing: they are looked at as they come before they are taken apart. */
function arraysOf(detector: Detector, element: CellMask, elementOid: number, format: number): CellMask {
  const mask = arrayMask(element, elementOid, format);
  if (format === 1 || !isText(elementOid)) return mask;
  return (buffer, start, end) =>
    detector.look(buffer, start, start, end) === SEEN.nothing ? undefined : mask(buffer, start, end);
}

function textMask(detector: Detector, oid: number, typeModifier: number): CellMask {
  const limit = lengthLimit(oid, typeModifier);
  const inBytes = oid === OID.name;
  const padded = oid === OID.bpchar;
  return (buffer, start, end) => {
    let edits = textEdits(detector, buffer, start, end);
    if (edits.length === 0) return undefined;
    if (isJson(buffer, start, end)) edits = jsonEdits(detector, buffer, start, end) ?? edits;
    if (limit === Number.POSITIVE_INFINITY) return replaced(buffer, start, end, edits);
    return fitted(buffer, start, end, edits, limit, inBytes, padded);
  };
}

function jsonMask(detector: Detector, skip: number): CellMask {
  const whole = Buffer.from(`${skip === 1 ? String.fromCharCode(JSONB_VERSION) : ''}"[redacted]"`);
  return (buffer, start, end) => {
    if (detector.look(buffer, start + skip, start + skip, end) === SEEN.nothing) return undefined;
    const edits = jsonEdits(detector, buffer, start + skip, end);
    if (edits === null) return whole;
    return edits.length === 0 ? undefined : replaced(buffer, start, end, edits);
  };
}

function bytesMask(detector: Detector): CellMask {
  return (buffer, start, end) => {
    const edits = textEdits(detector, buffer, start, end);
    if (edits.length === 0 || !isUtf8(buffer.subarray(start, end))) return undefined;
    return replaced(buffer, start, end, edits);
  };
}

/** bytea_output hex or escape; the answer is hex, which every reader of bytea knows. */
function byteaTextMask(detector: Detector): CellMask {
  const mask = bytesMask(detector);
  return (buffer, start, end) => {
    const bytes = decodedBytea(buffer, start, end);
    const value = mask(bytes, 0, bytes.length);
    return value instanceof Uint8Array ? Buffer.from(`\\x${Buffer.from(value).toString('hex')}`) : value;
  };
}

function decodedBytea(buffer: Buffer, start: number, end: number): Buffer {
  const text = buffer.toString('latin1', start, end);
  if (text.startsWith('\\x')) return Buffer.from(text.slice(2), 'hex');
  const plain = text.replace(/\\(\\|[0-3][0-7]{2})/g, (_, code: string) =>
    code === '\\' ? code : String.fromCharCode(Number.parseInt(code, 8)),
  );
  return Buffer.from(plain, 'latin1');
}

function wholeMask(detector: Detector, value: Buffer | null, format: number): CellMask {
  const holds = (buffer: Buffer, start: number, end: number) => textEdits(detector, buffer, start, end).length > 0;
  return (buffer, start, end) => {
    if (holds(buffer, start, end)) return value;
    return format === 1 && anyPart(buffer, start, end, holds) ? value : undefined;
  };
}

/**
 * Whether it holds for a part of a binary value: a composite's fields (record_send: their number; of each type, length and
 * bytes) or hstore's keys and values (their number; of each length and bytes). A length's bytes must not count as characters
 * next to the text.
 */
function anyPart(
  buffer: Buffer,
  start: number,
  end: number,
  holds: (buffer: Buffer, start: number, end: number) => boolean,
): boolean {
  for (const gap of [4, 0]) {
    for (let at = start + 4 + gap; at + 4 <= end; ) {
      const from = at + 4;
      const to = from + Math.max(buffer.readInt32BE(at), 0);
      if (to > end) break;
      if (holds(buffer, from, to)) return true;
      at = to + gap;
    }
  }
  return false;
}

/** Whether a text is a JSON object or array; asked only where something was found in it. */
function isJson(buffer: Buffer, start: number, end: number): boolean {
  let at = start;
  while (at < end && (buffer[at] ?? 0) <= SPACE) at++;
  if (buffer[at] !== 0x7b && buffer[at] !== 0x5b) return false;
  try {
    JSON.parse(buffer.toString('utf8', start, end));
    return true;
  } catch {
    return false;
  }
}

function replaced(buffer: Buffer, start: number, end: number, edits: readonly Edit[]): Buffer {
  let length = end - start;
  for (const edit of edits) length += placeholder(edit).length - (edit.end - edit.start);
  const target = scratchOf(length);
  let to = 0;
  let from = start;
  for (const edit of edits) {
    to += buffer.copy(target, to, from, edit.start);
    to += placeholder(edit).copy(target, to);
    from = edit.end;
  }
  buffer.copy(target, to, from, end);
  return target;
}

/** The same within `limit` characters, or bytes; character(n) keeps its padding. */
function fitted(
  buffer: Buffer,
  start: number,
  end: number,
  edits: readonly Edit[],
  limit: number,
  inBytes: boolean,
  padded: boolean,
): Buffer {
  let last = end;
  while (padded && last > start && buffer[last - 1] === SPACE) last--;
  let length = inBytes ? last - start : characters(buffer, start, last);
  for (const edit of edits) {
    length += placeholder(edit).length;
    length -= inBytes ? edit.end - edit.start : characters(buffer, edit.start, edit.end);
  }
  if (length > limit) return starred(buffer, start, end, edits);
  const value = replaced(buffer, start, last, edits);
  return padded ? Buffer.concat([value, Buffer.alloc(limit - length, SPACE)]) : value;
}

function starred(buffer: Buffer, start: number, end: number, edits: readonly Edit[]): Buffer {
  const target = Buffer.from(buffer.subarray(start, end));
  const parts: Buffer[] = [];
  let from = 0;
  for (const edit of edits) {
    const size = characters(buffer, edit.start, edit.end);
    parts.push(target.subarray(from, edit.start - start), Buffer.alloc(size, edit.quoted ? SPACE : STAR));
    // In the place of a number: a number.
    if (edit.quoted) parts.at(-1)?.fill(ZERO, 0, 1);
    from = edit.end - start;
  }
  return Buffer.concat([...parts, target.subarray(from)]);
}

/** Characters in UTF-8: bytes that do not continue one. */
function characters(buffer: Buffer, start: number, end: number): number {
  let count = 0;
  for (let at = start; at < end; at++) if (((buffer[at] ?? 0) & 0xc0) !== 0x80) count++;
  return count;
}
