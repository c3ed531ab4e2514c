// What the measured rows amount to: against their limits, against the accepted ratios of bench/baseline.json, as a table.

import { readFileSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { fileURLToPath } from 'node:url';
import type { Case, Measured } from './cases.ts';
import type { TargetName } from './targets/target.ts';

const BASELINE = fileURLToPath(new URL('baseline.json', import.meta.url));
const RESULTS = fileURLToPath(new URL('results.json', import.meta.url));

/** How far a ratio may fall below its accepted value. */
const TOLERANCE = 0.15;
/**
 * How far a figure may miss its limit before it fails. A ratio of neighbours in one run moves by a tenth; a time or a
 * size is one machine's on one day, and only stands beside the ratios.
 */
const SLACK = { ratio: 0.85, absolute: 1.5 };

const COLUMNS: readonly TargetName[] = ['direct', 'haproxy', 'pgbouncer', 'pipe', 'gateway'];

export interface Row extends Measured {
  readonly case: Case;
  /** The accepted ratio, if there is one. */
  readonly accepted: number | null;
  /** Why the row fails, or null. */
  readonly mistake: string | null;
}

/** Row id to accepted ratio. */
export type Baseline = Readonly<Record<string, number>>;

export function readBaseline(): Baseline {
  return JSON.parse(readFileSync(BASELINE, 'utf8')) as Baseline;
}

export function judge(of: Case, measured: Measured, baseline: Baseline): Row {
  const accepted = baseline[of.id] ?? null;
  return { ...measured, case: of, accepted, mistake: mistakeOf(of, measured.value, accepted) };
}

function mistakeOf({ unit, limit }: Case, value: number | null, accepted: number | null): string | null {
  if (value === null) return accepted === null ? null : 'it has an accepted ratio and was not measured';
  if (Number.isNaN(value)) return 'it could not be measured';
  if (unit !== 'ratio') return limit !== null && value > limit * SLACK.absolute ? `at most ${limit} ${unit}` : null;
  if (limit !== null && value < limit * SLACK.ratio) return `at least ${limit} ×`;
  if (accepted !== null && value < accepted * (1 - TOLERANCE)) {
    return `more than ${TOLERANCE * 100} % below the accepted ${accepted}`;
  }
  return null;
}

/** Misses its limit by less than what fails. */
function missed({ unit, limit }: Case, value: number): boolean {
  return limit !== null && (unit === 'ratio' ? value < limit : value > limit);
}

/** A table for people: figures of every target, the row's value, what it should be. */
export function table(rows: readonly Row[]): string {
  const shown = COLUMNS.filter((name) => rows.some(({ figures }) => figures[name] !== undefined));
  const head = ['', 'unit', ...shown, 'result', 'wanted', ''];
  const lines = rows.map(({ case: of, figures, value, accepted, mistake, note }) => [
    of.label,
    of.figureUnit,
    ...shown.map((name) => number(figures[name], of.figureUnit)),
    value === null ? 'not yet' : of.unit === 'ratio' ? `${value.toFixed(2)} ×` : `${value.toFixed(1)} ${of.unit}`,
    wanted(of, accepted),
    [mistake === null ? (value === null ? '' : missed(of, value) ? 'short' : 'ok') : 'FAIL', note]
      .filter(Boolean)
      .join('; '),
  ]);
  const widths = head.map((_, i) => Math.max(...[head, ...lines].map((line) => line[i]?.length ?? 0)));
  const last = head.length - 1;
  return [head, ...lines]
    .map((line) =>
      line.map((cell, i) => (i === 0 || i === last ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0))),
    )
    .map((cells) => `${cells.join('  ').trimEnd()}\n`)
    .join('');
}

function wanted({ unit, limit, goal }: Case, accepted: number | null): string {
  if (unit !== 'ratio') return limit === null ? '' : `<= ${limit}`;
  const parts = [limit === null ? '' : `>= ${limit}`, goal === null ? '' : `goal ${goal}`];
  if (accepted !== null) parts.push(`was ${accepted}`);
  return parts.filter(Boolean).join(', ');
}

function number(figure: number | undefined, unit: string): string {
  if (figure === undefined) return '';
  return unit.endsWith('/s') ? Math.round(figure).toLocaleString('en') : figure.toFixed(1);
}

export function writeResults(rows: readonly Row[], quick: boolean): void {
  const machine = { cpus: cpus().length, model: cpus()[0]?.model, node: process.version };
  const figures = rows.map(({ case: { id, label, unit, limit, goal, figureUnit }, ...rest }) => {
    return { id, label, unit, limit, goal, figureUnit, ...rest };
  });
  const results = { at: new Date().toISOString(), quick, machine, rows: figures };
  writeFileSync(RESULTS, `${JSON.stringify(results, null, 2)}\n`);
}

/** Takes the measured ratios as the accepted ones, rounded down to hundredths. */
export function writeBaseline(rows: readonly Row[], before: Baseline): void {
  const accepted: Record<string, number> = { ...before };
  for (const { case: of, value } of rows) {
    if (of.unit === 'ratio' && value !== null) accepted[of.id] = Math.floor(value * 100) / 100;
  }
  writeFileSync(BASELINE, `${JSON.stringify(accepted, null, 2)}\n`);
}
