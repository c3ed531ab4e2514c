// Shows a recorded session as it happened: each statement at its time, its verdict, its result as a table.

import { setTimeout as pause } from 'node:timers/promises';
import type { Verdict } from '../types.ts';
import { cell, print, table, visible } from './output.ts';

/** Records as the API answers them: times in ISO 8601, bytes in base64. */
export type RecordLine =
  | { readonly type: 'start'; readonly at: string; readonly facts: object }
  | StatementLine
  | { readonly type: 'outcome'; readonly at: string; readonly n: number; readonly outcome: OutcomeLine }
  | { readonly type: 'end'; readonly at: string; readonly reason: string };

interface StatementLine {
  readonly type: 'statement';
  readonly n: number;
  readonly at: string;
  readonly phase: string;
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

interface Table {
  readonly columns: readonly string[];
  readonly rows: readonly (readonly (string | null)[])[];
}

/** The record with its parameters as text and its result as tables, for `--json`. */
export async function withResults(record: RecordLine): Promise<object> {
  if (record.type !== 'statement' && record.type !== 'outcome') return record;
  const parameters = record.type === 'statement' ? { parameters: await parameterTexts(record.parameters) } : {};
  if (record.outcome === null) return { ...record, ...parameters };
  const { result, ...outcome } = record.outcome;
  return { ...record, ...parameters, outcome: { ...outcome, results: await decoded(result) } };
}

/** At the speed it happened, unless `fast`. */
export async function replay(records: AsyncIterable<RecordLine>, fast: boolean): Promise<void> {
  let clock: number | undefined;
  const until = async (at: string) => {
    const time = Date.parse(at);
    if (!fast && clock !== undefined && time > clock) await pause(time - clock);
    clock = Math.max(clock ?? time, time);
  };
  for await (const record of records) {
    await until(record.at);
    if (record.type === 'end') {
      print(`${stamp(record.at)} session ended: ${visible(record.reason)}`);
    } else if (record.type === 'statement' && !isSilent(record)) {
      print(`${stamp(record.at)} ${visible(record.text)}`);
      const parameters = (await parameterTexts(record.parameters)) ?? [];
      if (parameters.length > 0)
        print(`  ${parameters.map((text, index) => `$${index + 1} = ${cell(text)}`).join(', ')}`);
      if (record.verdict.action !== 'allow') {
        print(`  ${record.verdict.action}  ${visible(record.verdict.rule)}: ${visible(record.verdict.reason)}`);
      }
      if (record.outcome !== null) {
        await until(record.outcome.at);
        await showOutcome(record.outcome);
      }
    } else if (record.type === 'outcome') {
      await showOutcome(record.outcome);
    }
  }
}

/** A Parse that went well: its Execute shows the same text with its values. */
function isSilent({ phase, verdict, outcome }: StatementLine): boolean {
  return phase === 'parse' && verdict.action === 'allow' && (outcome === null || outcome.error === null);
}

async function showOutcome({ rows, masked, tags, error, result, truncated }: OutcomeLine): Promise<void> {
  for (const { columns, rows: cells } of await decoded(result)) {
    // A result that was not described has cells but no names.
    const headers = columns.length > 0 ? columns : (cells[0] ?? []).map(() => '');
    if (headers.length > 0) for (const line of table(headers, cells)) print(`  ${line}`);
  }
  if (truncated) print('  … the result is longer than what is kept of it');
  if (error !== null) print(`  error  ${visible(error.code)}: ${visible(error.message)}`);
  const counts = [`${rows} ${rows === 1 ? 'row' : 'rows'}`, ...(masked > 0 ? [`${masked} masked`] : [])].join(', ');
  if (tags.length > 0 || rows > 0) print(`  ${visible(tags.join('; '))} (${counts})`);
}

async function parameterTexts(parameters: readonly ParameterLine[] | null): Promise<(string | null)[] | null> {
  if (parameters === null) return null;
  const { decodeParameter } = await import('../record/replay.ts');
  return parameters.map(({ typeOid, format, bytes }) =>
    decodeParameter({ typeOid, format, bytes: bytes === null ? null : Buffer.from(bytes, 'base64') }),
  );
}

async function decoded(result: string | null): Promise<readonly Table[]> {
  if (result === null) return [];
  const { decodeResult } = await import('../record/replay.ts');
  return decodeResult(Buffer.from(result, 'base64'));
}

/** `12:34:56.789`, in UTC as everything that is recorded. */
function stamp(at: string): string {
  return at.slice(11, 23);
}
