// What to change in a text or a JSON document so that nothing of what detectors find is left, and the document stays one.

import type { DetectorName } from '../../types.ts';
import { type Detector, type Finding, joined, SEEN } from './scan.ts';
import { append, clear, close, newPlain, type Plain, snapped, sourceSpan } from './unescape.ts';

/** Bytes [start, end) that a placeholder takes the place of; `quoted`: outside a JSON string, so that it becomes one. */
export interface Edit extends Finding {
  readonly quoted: boolean;
}

/** Escapes inside escapes: JSON in a string of JSON in a string of JSON. */
const MOST_LEVELS = 4;
const NONE: Finding[] = [];
const NO_EDITS: Edit[] = [];
const QUOTE = 0x22;

const plains: Plain[] = Array.from({ length: MOST_LEVELS + 1 }, newPlain);

/** Findings in a text of any kind; where it has escapes, also those seen through them. Whole escapes are replaced, or none. */
export function textEdits(detector: Detector, bytes: Uint8Array, start: number, end: number): Edit[] {
  const findings = findingsIn(detector, bytes, start, start, end, 0);
  return findings.length === 0 ? NO_EDITS : findings.map((finding) => ({ ...finding, quoted: false }));
}

function findingsIn(
  detector: Detector,
  bytes: Uint8Array,
  context: number,
  start: number,
  end: number,
  level: number,
): Finding[] {
  const seen = detector.look(bytes, context, start, end);
  const outer = (seen & SEEN.finding) === 0 ? NONE : detector.findings();
  const plain = plains[level];
  if ((seen & SEEN.backslash) === 0 || level === MOST_LEVELS || plain === undefined) return outer;
  clear(plain, end - start);
  for (let at = start; at < end; ) at = append(plain, bytes, at, end);
  close(plain, end);
  if (plain.length === end - start) return outer;
  const inner = findingsIn(detector, plain.bytes, 0, 0, plain.length, level + 1);
  if (outer.length + inner.length === 0) return NONE;
  return union([
    ...outer.map((finding) => moved(finding, snapped(plain, finding.start, finding.end))),
    ...inner.map((finding) => moved(finding, sourceSpan(plain, finding.start, finding.end))),
  ]);
}

function moved({ name }: Finding, [start, end]: readonly [number, number]): Finding {
  return { name, start, end };
}

function union(findings: Finding[]): Finding[] {
  findings.sort((a, b) => a.start - b.start || b.end - a.end);
  return findings.reduce<Finding[]>((list, { name, start, end }) => joined(list, name, start, end), []);
}

/**
 * Findings in a well-formed JSON document: in each string by itself, seen without its escapes, and in numbers, which are replaced
 * whole. What stands before, keys above all, is context. Null: something was found that is neither, the document must go.
 */
export function jsonEdits(detector: Detector, bytes: Uint8Array, start: number, end: number): Edit[] | null {
  const plain = plains[0] ?? newPlain();
  clear(plain, end - start);
  const edits: Edit[] = [];
  let segment = 0;
  let numbers = false;
  for (let at = start; at < end; ) {
    const byte = bytes[at] ?? 0;
    if (byte !== QUOTE) {
      if (byte >= 0x30 && byte <= 0x39) numbers = true;
      at = append(plain, bytes, at, at + 1);
      continue;
    }
    if (numbers && !addNumbers(detector, plain, segment, bytes, edits)) return null;
    numbers = false;
    at = append(plain, bytes, at, at + 1);
    segment = plain.length;
    while (at < end && bytes[at] !== QUOTE) at = append(plain, bytes, at, end);
    close(plain, at);
    for (const finding of findingsIn(detector, plain.bytes, 0, segment, plain.length, 1)) {
      edits.push({ ...moved(finding, sourceSpan(plain, finding.start, finding.end)), quoted: false });
    }
    if (at < end) at = append(plain, bytes, at, at + 1);
    segment = plain.length;
  }
  close(plain, end);
  return numbers && !addNumbers(detector, plain, segment, bytes, edits) ? null : edits;
}

/** Between strings there are no escapes: plain and source run side by side. */
function addNumbers(detector: Detector, plain: Plain, segment: number, bytes: Uint8Array, edits: Edit[]): boolean {
  if ((detector.look(plain.bytes, 0, segment, plain.length) & SEEN.finding) === 0) return true;
  const first = plain.origin[segment] ?? 0;
  const last = first + plain.length - segment;
  for (const finding of detector.findings()) {
    let start = plain.origin[finding.start] ?? 0;
    let end = start + finding.end - finding.start;
    for (let at = start; at < end; at++) if (!isOfNumber(bytes[at] ?? 0)) return false;
    while (start > first && isOfNumber(bytes[start - 1] ?? 0)) start--;
    while (end < last && isOfNumber(bytes[end] ?? 0)) end++;
    edits.push({ name: finding.name, start, end, quoted: true });
  }
  return true;
}

function isOfNumber(byte: number): boolean {
  return (byte >= 0x30 && byte <= 0x39) || byte === 0x2d || byte === 0x2b || byte === 0x2e || (byte | 0x20) === 0x65;
}

/** `[email]`, by name, and the same as a JSON string. */
const PLACEHOLDERS = new Map<DetectorName, readonly [bare: Buffer, quoted: Buffer]>();

export function placeholder({ name, quoted }: Edit): Buffer {
  let both = PLACEHOLDERS.get(name);
  if (both === undefined) {
    both = [Buffer.from(`[${name}]`), Buffer.from(`"[${name}]"`)];
    PLACEHOLDERS.set(name, both);
  }
  return quoted ? both[1] : both[0];
}
