// Shows a recorded session as it happened: each statement at its time, its verdict, its result as a table.

import { setTimeout as pause } from 'node:timers/promises';
import type { Phase } from '../record/format.ts';
import type { DecodedResult } from '../record/replay.ts';
import type { Verdict } from '../types.ts';
import { cell, print, table, visible } from './output.ts';

/** Records as the API answers them: times in ISO 8601, bytes in base64. */
export type RecordLine =
  | { readonly type: 'start'; readonly at: string; readonly facts: { readonly protocol: string } }
  | StatementLine
  | { readonly type: 'outcome'; readonly at: string; readonly n: number; readonly outcome: OutcomeLine }
  | { readonly type: 'end'; readonly at: string; readonly reason: string };

interface StatementLine {
  readonly type: 'statement';
  readonly n: number;
  readonly at: string;
  readonly phase: Phase;
  readonly text: string;
  readonly parameters: readonly ParameterLine[] | null;
  readonly verdict: Verdict;
  readonly outcome: (OutcomeLine & { readonly at: string }) | null;
}

interface ParameterLine {
  readonly typeOid: number;
  readonly format: number;
  readonly bytes: string | null;
}

interface OutcomeLine {
  readonly rows: number;
  readonly masked: number;
  readonly tags: readonly string[];
  readonly error: { readonly code: string; readonly message: string } | null;
  readonly result: string | null;
  readonly truncated: boolean;
}

/** A record with what is decoded of it: null and empty where there is nothing. */
export interface ToldRecord {
  readonly record: RecordLine;
  readonly parameters: readonly (string | null)[] | null;
  readonly results: readonly DecodedResult[];
}

/** Decodes one session's records: all of them, from its beginning on. */
export async function* told(records: AsyncIterable<RecordLine>): AsyncGenerator<ToldRecord, void, void> {
  const { SessionReader } = await import('../record/reader.ts');
  const reader = new SessionReader();
  for await (const record of records) {
    if (record.type === 'start') reader.start(record.facts.protocol);
    if (record.type === 'statement') reader.statement(record.n, record.phase, record.text);
    const bound = record.type === 'statement' ? record.parameters : null;
    const parameters = bound?.map(({ bytes, ...type }) => reader.parameter({ ...type, bytes: bytesOf(bytes) })) ?? null;
    const ended = (record.type === 'statement' || record.type === 'outcome') && record.outcome !== null;
    yield { record, parameters, results: ended ? reader.results(record.n, bytesOf(record.outcome.result)) : [] };
  }
}

function bytesOf(base64: string | null): Buffer | null {
  return base64 === null ? null : Buffer.from(base64, 'base64');
}

/** The record with its parameters as text and its result as tables, for `--json`. */
export function withResults({ record, parameters, results }: ToldRecord): object {
  if (record.type !== 'statement' && record.type !== 'outcome') return record;
  const bound = record.type === 'statement' ? { parameters } : {};
  if (record.outcome === null) return { ...record, ...bound };
  const { result: _, ...outcome } = record.outcome;
  return { ...record, ...bound, outcome: { ...outcome, results } };
}

/** At the speed it happened, unless `fast`. */
export async function replay(records: AsyncIterable<ToldRecord>, fast: boolean): Promise<void> {
  let clock: number | undefined;
  const until = async (at: string) => {
    const time = Date.parse(at);
    if (!fast && clock !== undefined && time > clock) await pause(time - clock);
    clock = Math.max(clock ?? time, time);
  };
  for await (const { record, parameters, results } of records) {
    await until(record.at);
    if (record.type === 'end') {
      print(`${stamp(record.at)} session ended: ${visible(record.reason)}`);
    } else if (record.type === 'statement' && !isSilent(record)) {
      print(`${stamp(record.at)} ${visible(record.text)}`);
      if (parameters !== null && parameters.length > 0)
        print(`  ${parameters.map((text, index) => `$${index + 1} = ${cell(text)}`).join(', ')}`);
      if (record.verdict.action !== 'allow') {
        print(`  ${record.verdict.action}  ${visible(record.verdict.rule)}: ${visible(record.verdict.reason)}`);
      }
      if (record.outcome !== null) {
        await until(record.outcome.at);
        showOutcome(record.outcome, results);
      }
    } else if (record.type === 'outcome') {
      showOutcome(record.outcome, results);
    }
  }
}

/** A Parse that went well: its Execute shows the same text with its values. */
function isSilent({ phase, verdict, outcome }: StatementLine): boolean {
  return phase === 'parse' && verdict.action === 'allow' && (outcome === null || outcome.error === null);
}

function showOutcome(outcome: OutcomeLine, results: readonly DecodedResult[]): void {
  const { rows, masked, tags, error, truncated } = outcome;
  for (const { columns, rows: cells } of results) {
    // A result that was not described has cells but no names.
    const headers = columns.length > 0 ? columns : (cells[0] ?? []).map(() => '');
    if (headers.length > 0) for (const line of table(headers, cells)) print(`  ${line}`);
  }
  if (truncated) print('  … the result is longer than what is kept of it');
  if (error !== null) print(`  error  ${visible(error.code)}: ${visible(error.message)}`);
  const counts = [`${rows} ${rows === 1 ? 'row' : 'rows'}`, ...(masked > 0 ? [`${masked} masked`] : [])].join(', ');
  // A result of MySQL's has no tag.
  const done = tags.length === 0 ? '' : `${visible(tags.join('; '))} `;
  if (tags.length > 0 || rows > 0) print(`  ${done}(${counts})`);
}

/** `12:34:56.789`, in UTC as everything that is recorded. */
function stamp(at: string): string {
  return at.slice(11, 23);
}
