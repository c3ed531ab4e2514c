// The record's own nouns, and how a record is packed: MessagePack arrays that can be read alone, written without garbage.
//
// A record is one MessagePack array (https://github.com/msgpack/msgpack/blob/master/spec.md). Its first three elements
// have a fixed width, so that the sealer reads them without decoding the rest:
//
//   byte 0      fixarray header
//   byte 1      tag (positive fixint): 0 start, 1 statement, 2 outcome, 3 end
//   byte 2..10  time, float 64, milliseconds since the epoch
//   byte 11     verdict (positive fixint): 0 allow, 1 deny, 2 approve; 0 where there is none
//
// and then, by tag:
//   start      facts (a map: SessionFacts)
//   statement  n, phase, text, parameters (nil, or [typeOid, format, bytes or nil] …), kinds, verbs, relations, rule, reason,
//              hint or nil
//   outcome    n, rows, bytes, masked, tags, error code or nil, error message or nil, result or nil, truncated
//   end        reason
//
// In the journal every record stands behind the session it belongs to:
//   [u32 LE length of the record][u8 length of the session's id][id, ASCII][record]

import { Packr, Unpackr } from 'msgpackr';
import { SallyportError } from '../errors.ts';
import type { Outcome, Parameter, Session, SessionFacts, Verdict } from '../types.ts';

export const TAG = { start: 0, statement: 1, outcome: 2, end: 3 } as const;
export const PHASES = ['query', 'parse', 'execute', 'other'] as const;
export type Phase = (typeof PHASES)[number];
export const ACTIONS = ['allow', 'deny', 'approve'] as const;

/** A statement as it was judged. `n` counts the session's statements; `at` is milliseconds since the epoch. */
export interface StatementEntry {
  readonly session: string;
  readonly n: number;
  readonly at: number;
  readonly phase: Phase;
  /** Secrets already redacted. */
  readonly text: string;
  readonly parameters: readonly Parameter[] | null;
  readonly kinds: readonly string[];
  readonly verbs: readonly string[];
  /** `schema.table`, as resolved. */
  readonly relations: readonly string[];
  readonly verdict: Verdict;
  /** Stands for kinds, verbs, relations and verdict: entries with the same one have them packed once. */
  readonly judgement?: object | undefined;
}

export interface StartRecord {
  readonly type: 'start';
  readonly at: number;
  readonly facts: SessionFacts;
}
export interface StatementRecord extends Omit<StatementEntry, 'session' | 'judgement'> {
  readonly type: 'statement';
  /** Null where the session ended before the statement did, and for a statement that was refused without one. */
  readonly outcome: (Outcome & { readonly at: number }) | null;
}
export interface OutcomeRecord {
  readonly type: 'outcome';
  readonly n: number;
  readonly at: number;
  readonly outcome: Outcome;
}
export interface EndRecord {
  readonly type: 'end';
  readonly at: number;
  readonly reason: string;
}
export type SessionRecord = StartRecord | StatementRecord | OutcomeRecord | EndRecord;

/** The tag, the time and the verdict are read in place: see the head of this file. */
export const TAG_OFFSET = 1;
export const TIME_OFFSET = 3;
export const ACTION_OFFSET = 11;

const packr = new Packr({ useRecords: false });
const unpackr = new Unpackr({ useRecords: false, copyBuffers: true });

/** Packs an object of plain values, for the rare and large: not for the path of a statement. */
export function packObject(value: object): Buffer {
  return Buffer.from(packr.pack(value));
}

/** Throws what msgpackr throws where the bytes are not one whole value. */
export function unpackObject(bytes: Uint8Array): unknown {
  return unpackr.unpack(bytes);
}

export function factsOf(session: Session): SessionFacts {
  const { grant, connection } = session;
  const { issuer, subject, groups, actingFor } = grant.identity;
  return {
    protocol: session.protocol,
    client: session.client,
    application: session.application,
    connection: {
      name: connection.name,
      host: connection.host,
      port: connection.port,
      database: connection.database,
    },
    identity: { issuer, subject, groups: [...groups], actingFor: actingFor ?? null },
    grant: {
      id: grant.id,
      task: grant.task,
      reason: grant.reason,
      scopes: grant.scopes.map((scope) => scope.text),
      requestedAt: grant.requestedAt,
      expiresAt: grant.expiresAt,
    },
  };
}

/** Decodes the packed records of one portion, in order. Throws SP_RECORD where the bytes are not whole records. */
export function unpackRecords(bytes: Uint8Array): SessionRecord[] {
  if (bytes.length === 0) return [];
  let values: unknown[];
  try {
    values = unpackr.unpackMultiple(bytes);
  } catch (cause) {
    throw new SallyportError('SP_RECORD', 'a portion of the record cannot be decoded', { cause });
  }
  return values.map(toRecord);
}

function toRecord(value: unknown): SessionRecord {
  if (!Array.isArray(value) || typeof value[1] !== 'number') throw malformed();
  const [tag, at, action, ...rest] = value;
  switch (tag) {
    case TAG.start:
      if (typeof rest[0] !== 'object' || rest[0] === null) throw malformed();
      return { type: 'start', at, facts: rest[0] };
    case TAG.statement: {
      const [n, phase, text, parameters, kinds, verbs, relations, rule, reason, hint] = rest;
      const named = ACTIONS[action];
      const phaseName = PHASES[phase];
      if (named === undefined || phaseName === undefined || typeof text !== 'string') throw malformed();
      const verdict = { action: named, rule, reason, ...(hint === null ? {} : { hint }) };
      const bound = parameters === null ? null : parameters.map(toParameter);
      const base = { type: 'statement', n, at, phase: phaseName, text, parameters: bound } as const;
      return { ...base, kinds, verbs, relations, verdict, outcome: null };
    }
    case TAG.outcome: {
      const [n, rows, size, masked, tags, code, message, result, truncated] = rest;
      const error = code === null ? null : { code, message: message ?? '' };
      return { type: 'outcome', n, at, outcome: { rows, bytes: size, masked, tags, error, result, truncated } };
    }
    case TAG.end:
      return { type: 'end', at, reason: String(rest[0]) };
    default:
      throw malformed();
  }
}

function toParameter(value: unknown): Parameter {
  if (!Array.isArray(value)) throw malformed();
  const [typeOid, format, bytes] = value;
  return { typeOid, format, bytes };
}

function malformed(): SallyportError {
  return new SallyportError('SP_RECORD', 'a record has a shape that this version does not know');
}
