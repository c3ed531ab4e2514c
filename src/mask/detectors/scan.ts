// All detectors in one pass: a table says of every byte whether a candidate may stand there, the finders look closer.

import { DETECTORS, type DetectorName } from '../../types.ts';
import { awsAccessKey } from './aws-access-key.ts';
import { connectionString } from './connection-string.ts';
import { creditCard } from './credit-card.ts';
import { email } from './email.ts';
import { githubToken } from './github-token.ts';
import { iban } from './iban.ts';
import { ipAddress } from './ip-address.ts';
import { jwt } from './jwt.ts';
import { phone } from './phone.ts';
import { privateKey } from './private-key.ts';
import { BESIDE, type Beside, type Finder, LONGEST_RUN, type Text } from './text.ts';
import { usSsn } from './us-ssn.ts';

/** What was found, and where: bytes [start, end). */
export interface Finding {
  readonly name: DetectorName;
  readonly start: number;
  readonly end: number;
}

/** Answer of `look`: bits. */
export const SEEN = { nothing: 0, finding: 1, backslash: 2 } as const;

export interface Detector {
  /** Those that are on, in the order in which they are asked. */
  readonly names: readonly DetectorName[];
  /** Findings in order, none touching another; null where there are none. Allocates nothing then. */
  scan(buffer: Uint8Array, start: number, end: number): Finding[] | null;
  /**
   * The same for [start, end) of a longer text, whose words from `context` on count as context. Answers what of SEEN there is;
   * `findings` then has them until the next call.
   */
  look(bytes: Uint8Array, context: number, start: number, end: number): number;
  findings(): Finding[];
}

const FINDERS: Readonly<Record<DetectorName, Finder>> = {
  'private-key': privateKey,
  jwt,
  'github-token': githubToken,
  'aws-access-key': awsAccessKey,
  'connection-string': connectionString,
  iban,
  'credit-card': creditCard,
  'us-ssn': usSsn,
  email,
  'ip-address': ipAddress,
  phone,
};

const DIGIT = 255;
const BACKSLASH = 254;

/** What may stand beside a run of digits, by byte. */
const NEIGHBOURS = new Uint8Array(256).map((_, byte): Beside => {
  const character = String.fromCharCode(byte);
  if (/[A-Za-z]/.test(character)) return BESIDE.letter;
  const at = '_-. /)'.indexOf(character);
  const classes = [BESIDE.underscore, BESIDE.hyphen, BESIDE.dot, BESIDE.space, BESIDE.slash, BESIDE.close];
  return classes[at] ?? BESIDE.other;
});
const CLASSES = 8;

/** Null where no detector is named: there is nothing to look for. */
export function compileDetectors(names: Iterable<DetectorName>): Detector | null {
  const wanted = new Set(names);
  const on = DETECTORS.filter((name) => wanted.has(name));
  if (on.length === 0) return null;
  const finders = on.map((name) => FINDERS[name]);
  /** By byte: 0 nothing, DIGIT, BACKSLASH, or a number for `lists`. */
  const kinds = new Uint8Array(256);
  /** By that number and the next byte: the finders that look closer. */
  const lists: (Finder[] | undefined)[] = [];
  let last = 0;
  for (const finder of finders) {
    for (const [character, before] of finder.at ?? []) {
      const byte = character.charCodeAt(0);
      const kind = kinds[byte] || ++last;
      kinds[byte] = kind;
      for (let next = 0; next < 256; next++) {
        const index = kind * 256 + next;
        if (before(next)) lists[index] = [...(lists[index] ?? []), finder];
      }
    }
  }
  kinds.fill(DIGIT, 0x30, 0x3a);
  kinds[0x5c] = BACKSLASH;
  return scanner(on, kinds, Array.from(lists), runLists(finders));
}

/** By length and neighbours of a run of digits: the finders that look at it. Empty lists are undefined. */
function runLists(finders: readonly Finder[]): (Finder[] | undefined)[] {
  const lists: (Finder[] | undefined)[] = [];
  const classes = Object.values(BESIDE);
  for (let length = 0; length <= LONGEST_RUN; length++) {
    for (const before of classes) {
      for (const after of classes) {
        const asked = length === 0 ? [] : finders.filter(({ digits }) => digits?.(length, before, after));
        lists[(length * CLASSES + before) * CLASSES + after] = asked.length > 0 ? asked : undefined;
      }
    }
  }
  return lists;
}

function scanner(
  names: readonly DetectorName[],
  kinds: Uint8Array,
  lists: readonly (readonly Finder[] | undefined)[],
  runs: readonly (readonly Finder[] | undefined)[],
): Detector {
  const text: Text = { bytes: new Uint8Array(0), context: 0, start: 0, end: 0, from: 0, to: 0 };
  let list: Finding[] = [];

  const ask = (finders: readonly Finder[], at: number): boolean => {
    for (let i = 0; i < finders.length; i++) {
      const finder = finders[i];
      if (finder === undefined || !finder.find(text, at)) continue;
      list = joined(list, finder.name, text.from, text.to);
      return true;
    }
    return false;
  };

  const look = (bytes: Uint8Array, context: number, start: number, end: number): number => {
    text.bytes = bytes;
    text.context = context;
    text.start = start;
    text.end = end;
    if (list.length > 0) list = [];
    let seen: number = SEEN.nothing;
    const fours = end - 4;
    for (let at = start; at < end; at++) {
      const kind = kinds[bytes[at] ?? 0] ?? 0;
      if (kind === 0) {
        // Most bytes are of no interest: on by fours, for want of wider reads.
        while (at < fours) {
          const near = (kinds[bytes[at + 1] ?? 0] ?? 0) | (kinds[bytes[at + 2] ?? 0] ?? 0);
          if ((near | (kinds[bytes[at + 3] ?? 0] ?? 0) | (kinds[bytes[at + 4] ?? 0] ?? 0)) !== 0) break;
          at += 4;
        }
        continue;
      }
      if (kind === DIGIT) {
        let to = at + 1;
        while (to < end && (kinds[bytes[to] ?? 0] ?? 0) === DIGIT) to++;
        const before = at > start ? (NEIGHBOURS[bytes[at - 1] ?? 0] ?? 0) : BESIDE.other;
        const after = to < end ? (NEIGHBOURS[bytes[to] ?? 0] ?? 0) : BESIDE.other;
        const length = Math.min(to - at, LONGEST_RUN);
        const finders = runs[(length * CLASSES + before) * CLASSES + after];
        if (finders !== undefined && ask(finders, at)) {
          seen |= SEEN.finding;
          if (text.to > to) to = text.to;
        }
        at = to - 1;
      } else if (kind === BACKSLASH) {
        seen |= SEEN.backslash;
      } else {
        const finders = lists[kind * 256 + (at + 1 < end ? (bytes[at + 1] ?? 0) : 0)];
        if (finders !== undefined && ask(finders, at)) {
          seen |= SEEN.finding;
          if (text.to > at) at = text.to - 1;
        }
      }
    }
    return seen;
  };

  return {
    names,
    look,
    findings: () => list,
    scan: (buffer, start, end) => ((look(buffer, start, start, end) & SEEN.finding) === 0 ? null : list),
  };
}

/** Adds a finding; one that touches those before it makes one with them, under the name of the longest. */
export function joined(list: Finding[], name: DetectorName, start: number, end: number): Finding[] {
  let finding: Finding = { name, start, end };
  for (let last = list.at(-1); last !== undefined && last.end >= finding.start; last = list.at(-1)) {
    list.pop();
    const longest = last.end - last.start >= finding.end - finding.start ? last : finding;
    finding = {
      name: longest.name,
      start: Math.min(last.start, finding.start),
      end: Math.max(last.end, finding.end),
    };
  }
  list.push(finding);
  return list;
}
